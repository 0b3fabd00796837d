//! The language a kiosk and head office share: events, the journal's hash chain, signed blocks, wire answers.
//!
//! Everything here is pure: no I/O, no clock, no randomness, no float. A kiosk writes an [`Event`] as
//! [`canonical`] JSON bytes once and never re-serialises it; the bytes are linked by [`chain`], packed and
//! signed by [`block`], and sent with the answers of [`wire`].
//!
//! An event is identified by (device, journal, lane, sequence), contiguous from 1, so exactly-once needs no
//! deduplication window: head office only ever accepts the next sequence on the chain it already holds.

pub mod block;
pub mod canonical;
pub mod card_number;
pub mod chain;
pub mod event;
pub mod hex;
pub mod id;
pub mod relay;
pub mod vocabulary;
pub mod wire;

pub use block::{Block, BlockBuilder, BlockError, BlockHeader, BlockMeta, SignedBlock};
pub use canonical::CanonicalError;
pub use chain::{Chain, GENESIS, chain_next};
pub use event::{At, Body, Event, EventError, Lane};
pub use id::{DeviceId, IdError, JournalId};

/// Ed25519 key types used in this crate's signatures, re-exported so both ends use the same version.
pub use ed25519_dalek::{SigningKey, VerifyingKey};
