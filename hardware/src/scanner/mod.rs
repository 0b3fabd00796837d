//! Barcode scanner: pure frame codec, serial and keyboard drivers, simulator.
//!
//! A scanner is a keyboard in the hands of strangers: whatever a shopper holds
//! under it arrives as bytes. So frames are bounded, control characters are
//! refused (Code 128 can carry them, the "BadBarcode" attack, PacSec 2015),
//! keyboard-type scanners are grabbed exclusively, and a refused frame is an
//! event with a reason, never a panic and never silence.
//!
//! - [`protocol`] bytes → frames, pure.
//! - [`keymap`] key codes of a keyboard-type scanner → bytes, pure.
//! - [`driver`] one thread per scanner; reopens the device after it vanished.
//! - [`sim`] a scanner on a pseudo-terminal that anybody can write barcodes into.

pub mod driver;
pub mod keymap;
pub mod protocol;
mod pty;
pub mod sim;

pub use driver::{
    DownReason, EvdevSettings, ScannerConfig, ScannerDriver, ScannerError, ScannerEvent,
    ScannerHandle, SerialSettings,
};
pub use protocol::{AimPrefix, Decoder, Fault, Frame, FrameSettings, Symbology, Terminator};
pub use sim::{ScannerSim, ScannerSimError, ScannerSimHandle, SimCommand};
