//! The printer driver against the simulated printer, in simulated time.

#![allow(clippy::unwrap_used)]

mod bench;
mod faults;
mod paper;
mod pty;
mod receipts;
mod survival;
