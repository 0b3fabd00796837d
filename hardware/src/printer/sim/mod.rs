//! A receipt printer in software: takes the bytes a real one takes, answers what it answers,
//! and shows the paper as text and as pictures.
//!
//! [`PrinterSim`] is the device alone, with time as a parameter. [`PrinterSim::run_on_pty`]
//! puts it behind a pseudo-terminal for the unmodified driver.

mod answers;
mod code128;
mod device;
mod paper;
mod pty;
mod typeset;

pub use device::{Faults, PrinterSim, SimConfig};
pub use paper::Sheet;
pub use pty::{PtyPrinter, SimControl};
