//! Concert, also called Telium E+: the serial protocol of older French terminals.
//!
//! The terminal charges by itself and answers once; it cannot be asked afterwards. The attempt's
//! short id travels in the private field and comes back in the answer.

pub mod protocol;

mod engine;

pub(crate) use engine::ConcertEngine;
