//! Điểm Chạm, the checkout kiosk: the program that wires the rooms together.
//!
//! Data goes one way: device → event → [`checkout::till::Till::step`] → effect
//! → device. ARCHITECTURE.md says who may know whom.

pub mod app;
pub mod assemble;
pub mod bank;
pub mod catalogue;
pub mod clock;
pub mod commands;
pub mod config;
pub mod devices;
pub mod format;
pub mod journal;
pub mod logging;
pub mod mailbox;
pub mod memory;
pub mod qr_symbol;
pub mod receipt;
pub mod remedy;
pub mod staff;
pub mod store;
pub mod sync;
#[cfg(test)]
pub(crate) mod testing;
pub mod view;
pub mod watchdog;
pub mod words;
