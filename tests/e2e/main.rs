//! End to end: the real app with its store, drivers and simulators.
//!
//! One binary, so that Slint is linked once; nextest gives every test its own
//! process.

#![allow(clippy::unwrap_used, missing_docs)]

mod cable;
mod card_data;
mod card_orders;
mod crash;
mod day;
mod doubt;
mod driver;
mod headoffice;
mod journeys;
mod office;
mod receipts;
mod relay_down;
mod sepay;
mod start_faults;
mod tidy;
mod transfers;
mod wrong_clock;
