//! ZVT: codec, driver and what they share.

pub mod protocol;

mod engine;
mod judge;
mod money;
mod transport;

pub(crate) use engine::{AMOUNT_DIGITS, ZvtEngine};
pub(crate) use transport::{Incoming, Transport};
