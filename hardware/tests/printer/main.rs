//! The printer driver against the simulated printer, in simulated time.

#![allow(clippy::unwrap_used)]

mod bench;
mod doctor;
mod faults;
mod line;
mod paper;
mod peers;
mod properties;
mod pty;
mod receipts;
mod stories;
mod survival;
mod wrong_rules;
