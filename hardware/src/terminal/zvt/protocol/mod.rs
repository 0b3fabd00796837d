//! The ZVT protocol as bytes: framing, APDUs, fields. Pure: no I/O, no clock, no float.
//!
//! Sources: PA00P015 rev 13.08 (commands) and PA00P016 rev 04 (transport).

pub mod apdu;
pub mod bcd;
pub mod command;
pub mod crc;
pub mod fields;
pub mod json;
pub mod redact;
pub mod serial;
pub mod status;
pub mod tcp;
pub mod tlv;

pub use apdu::Apdu;
pub use fields::{Field, Fields};
pub use serial::{Repeat, SerialFramer};
pub use status::{StatusInformation, TerminalStatusReply};
pub use tcp::TcpFramer;
pub use tlv::Tlv;

/// Why an APDU could not be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// A number has more digits than its field. Retrying does not help.
    #[error("{value} does not fit {digits} digits; use a smaller number")]
    TooManyDigits {
        /// The number.
        value: u64,
        /// Digits of the field.
        digits: u8,
    },
    /// A value is longer than its length field can say. Retrying does not help.
    #[error("{length} bytes do not fit field {field}; shorten the value")]
    TooLong {
        /// Length in bytes.
        length: usize,
        /// Field.
        field: String,
    },
    /// A value has another length than its field. Retrying does not help.
    #[error("field {field:02X} holds {expected} bytes, not {length}; correct the value")]
    WrongLength {
        /// BMP tag.
        field: u8,
        /// Length the field has.
        expected: usize,
        /// Length given.
        length: usize,
    },
    /// A BMP tag this protocol does not define. Retrying does not help.
    #[error("field {0:02X} is not in the ZVT field list; remove it or put it in `rest`")]
    UnknownField(u8),
    /// The text form is malformed. Retrying does not help.
    #[error("not a ZVT message: {0}; see `zvt decode` for the form")]
    Text(String),
    /// Something is wrong at this place of the text form. Retrying does not help.
    #[error("{place}: {error}")]
    At {
        /// Where: `fields[2] (bmp 87)`.
        place: String,
        /// What is wrong there.
        error: Box<CodecError>,
    },
    /// The bytes are not one complete APDU. Retrying does not help.
    #[error("not one complete APDU: {0}")]
    Incomplete(String),
}
