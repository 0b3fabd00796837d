//! Receipt printer over ESC/POS: what the receipt says ([`document`]), the bytes for a given
//! model ([`encode`], [`profile`]), what is on the wire ([`protocol`]), and the [`driver`] that
//! prints and says how well the print is proven. [`sim`] is a printer in software.

pub mod doctor;
pub mod document;
pub mod driver;
pub mod encode;
pub mod glyph;
pub mod profile;
pub mod protocol;
pub mod sim;
pub mod text;

pub use document::{Align, Bitmap, Block, Cell, Document, Rule, Size, Style};
pub use driver::{
    Doubt, Evidence, JobId, NoSpool, OfflineReason, PrinterConfig, PrinterDriver, PrinterEvent,
    PrinterHandle, PrinterState, ProofGrade, Refusal, Resend, Spool, Trace,
};
pub use encode::{EncodeError, Job, encode};
pub use profile::Profile;
