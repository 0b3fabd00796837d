//! Talking to head office, never in the way of a sale.
//!
//! The journal is the outbox: this thread asks the store for the next run of
//! events, signs it as a block, sends it, and moves the store's water marks
//! only by what head office signed for. It never gives up and never drops.

mod client;
mod enrol;
mod key;
pub mod tls;

pub use client::{SyncHandle, spawn};
pub use enrol::{EnrolError, enrol};
pub use key::{KeyError, load_or_make};
