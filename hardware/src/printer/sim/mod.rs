//! A receipt printer in software: takes the bytes a real one takes, answers what it answers,
//! and shows the paper as text and as pictures.
//!
//! [`PrinterSim`] is the device alone, with time as a parameter. [`PrinterSim::run_on_pty`]
//! puts it behind a pseudo-terminal for the unmodified driver.

mod answers;
mod barcode;
mod codepage;
mod device;
mod paper;
mod pty;
mod typeset;

pub use device::{Faults, PrinterSim, SimConfig};
pub use paper::Sheet;
pub use pty::{PtyPrinter, SimControl};

use super::encode::Job;
use super::profile::Profile;

/// The paper that a healthy printer of this model makes of `jobs`, oldest sheet first; what is
/// not cut comes last. Needs no time.
pub fn print_out(profile: &Profile, jobs: &[&Job]) -> Vec<Sheet> {
    let mut sim = PrinterSim::new(SimConfig {
        // Nothing has to wait for the head, so nothing can overflow.
        read_ahead_lines: usize::MAX,
        ..SimConfig::new(profile.clone())
    });
    let mut now_us = 0;
    for byte in jobs.iter().flat_map(|job| job.bytes()) {
        now_us += sim.byte_us();
        sim.receive(now_us, *byte);
    }
    while !sim.is_idle() {
        // Nobody listens, and what has been said is no event to wait for.
        sim.take_replies(u64::MAX);
        let Some(next_us) = sim.next_event_us() else {
            break;
        };
        now_us = now_us.max(next_us);
        sim.advance(now_us);
    }
    let mut sheets = sim.sheets().to_vec();
    if !sim.hanging_is_blank() {
        sheets.push(sim.hanging());
    }
    sheets
}
