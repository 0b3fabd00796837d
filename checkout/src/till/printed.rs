//! How far papers for shoppers are.

use serde::{Deserialize, Serialize};

use super::event::PrinterFault;
use super::state::PrintJobId;

/// The claim slip of an attempt in doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlipRecord {
    /// The job that printed it last.
    pub job: PrintJobId,
    /// 0 for the original.
    pub copy_number: u32,
    /// How far it is.
    pub outcome: PrintOutcome,
}

/// The receipt of the sale on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintRecord {
    /// The job.
    pub job: PrintJobId,
    /// 0 for the original.
    pub copy_number: u32,
    /// How far it is.
    pub outcome: PrintOutcome,
    /// How often it was sent again by itself, because nothing of it had left.
    #[serde(default)]
    pub resends: u8,
}

/// How far a receipt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrintOutcome {
    /// Handed to the printer.
    Queued,
    /// Printing.
    Printing,
    /// Proven.
    Printed,
    /// Sent whole to a printer that can confirm nothing. No doubt that anything went wrong, and no proof.
    Sent,
    /// Not printed, for certain.
    Failed(PrinterFault),
    /// Nobody can tell.
    Unknown,
}

/// A receipt nobody proved to be printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unprinted {
    /// The receipt.
    pub receipt_number: u64,
    /// The last job.
    pub job: PrintJobId,
    /// Copies asked for so far.
    pub copies: u32,
    /// How far it is.
    pub outcome: PrintOutcome,
}
