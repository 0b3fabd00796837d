//! Why a read was refused; each variant has its own words on the screen.

use serde::{Deserialize, Serialize};

use super::Symbology;

/// Why a read cannot be used. None of them is a fault of the till.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum ScanFault {
    /// The scanner sent an empty read.
    #[error("the scanner sent nothing; scan again")]
    Empty,
    /// Longer than any code the shop uses.
    #[error(
        "the code has {length} characters, at most {limit} are read; it is not an item code, use the item's own barcode"
    )]
    TooLong {
        /// Characters read.
        length: usize,
        /// Characters allowed for this symbol.
        limit: usize,
    },
    /// A control character where none may be: a damaged read or a code made to press keys.
    #[error(
        "the code holds a control character at position {position}; scan the item's own barcode"
    )]
    Control {
        /// Character position from 0, without the symbology identifier.
        position: usize,
    },
    /// The check digit does not fit: a damaged label or a misread.
    #[error(
        "the check digit of {text} should be {expected}; smooth the label and scan again, or search the item by name"
    )]
    WrongCheckDigit {
        /// The digits as read.
        text: String,
        /// The digit that would have been right.
        expected: u8,
    },
    /// The price or weight inside an in-store code does not fit its own check digit.
    #[error(
        "the printed amount in {text} does not fit its check digit; scan again, or ask staff to weigh it again"
    )]
    WrongEmbeddedCheckDigit {
        /// The digits as read.
        text: String,
    },
    /// The text does not have the shape its symbol demands.
    #[error("the text is not a {expected:?} code; scan again, or search the item by name")]
    Malformed {
        /// The symbol that was named or recognised.
        expected: Symbology,
    },
    /// GS1 application identifiers that break the GS1 rules.
    #[error("the GS1 data is wrong: {0}; scan the item's own barcode, or search it by name")]
    Gs1(#[from] Gs1Fault),
    /// A kind of symbol this shop does not read.
    #[error("codes of the kind {identifier} are not read here; scan the item's own barcode")]
    UnknownSymbology {
        /// The AIM identifier as sent, such as `]L0`.
        identifier: String,
    },
}

/// Which GS1 rule the data breaks (GS1 General Specifications §3 and §7.8).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Gs1Fault {
    /// The application identifier is not one a checkout uses.
    #[error("application identifier {start:?} is not known")]
    UnknownIdentifier {
        /// The first characters at the place where an identifier should be.
        start: String,
    },
    /// The data ends, or is separated, too early; or it is too long.
    #[error("({identifier}) has {length} characters, which its format does not allow")]
    WrongLength {
        /// The application identifier.
        identifier: String,
        /// Characters found.
        length: usize,
    },
    /// A letter where only digits may be, or a character outside GS1 set 82.
    #[error("({identifier}) holds a character its format does not allow")]
    WrongCharacter {
        /// The application identifier.
        identifier: String,
    },
    /// The check digit of a GTIN, SSCC or GLN does not fit.
    #[error("the check digit of ({identifier}) does not fit")]
    WrongCheckDigit {
        /// The application identifier.
        identifier: String,
    },
    /// No such day.
    #[error("({identifier}) is not a date")]
    WrongDate {
        /// The application identifier.
        identifier: String,
    },
    /// The same identifier twice with different data.
    #[error("({identifier}) stands twice with different data")]
    Conflict {
        /// The application identifier.
        identifier: String,
    },
    /// An identifier that may only stand beside another one.
    #[error("({identifier}) may only stand beside ({needs})")]
    MissingPartner {
        /// The application identifier found.
        identifier: String,
        /// The one that is missing.
        needs: String,
    },
    /// More elements than any label carries.
    #[error("more than {limit} data elements")]
    TooManyElements {
        /// Elements allowed.
        limit: usize,
    },
    /// Brackets or separators in the wrong place.
    #[error("the brackets or separators are in the wrong place")]
    Layout,
}
