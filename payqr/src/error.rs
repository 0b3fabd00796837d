//! Errors of this crate: what is wrong, where, and what to do about it.
//! None is helped by trying again.

use std::fmt;

use serde::Serialize;
use thiserror::Error;

/// A place in the decoded text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Default)]
pub struct Place {
    /// Bytes of the text before it.
    pub byte: usize,
    /// Characters of the text before it.
    pub character: usize,
    /// Tags from the outside in (`38.01.00`), a line number or a parameter
    /// name; empty for the text as a whole.
    pub path: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "byte {}, character {}", self.byte, self.character)?;
        if !self.path.is_empty() {
            write!(f, ", field {}", self.path)?;
        }
        Ok(())
    }
}

/// Why a text could not be decoded. Scan or copy the code again; if it stays,
/// its issuer made it wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[error("{fault} (at {place})")]
pub struct DecodeError {
    /// What is wrong.
    pub fault: Fault,
    /// Where.
    pub place: Place,
}

impl DecodeError {
    pub(crate) fn whole(fault: Fault) -> Self {
        Self {
            fault,
            place: Place::default(),
        }
    }

    pub(crate) fn at_path(fault: Fault, path: impl Into<String>) -> Self {
        Self {
            fault,
            place: Place {
                path: path.into(),
                ..Place::default()
            },
        }
    }
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Longer than any QR symbol can carry.
    #[error("{characters} characters are more than the {limit} a payment code can have")]
    TooLong {
        /// Length found.
        characters: usize,
        /// Longest allowed.
        limit: usize,
    },
    /// No scheme of this crate begins like this.
    #[error("not a payment code this program knows: it begins with {begins:?}")]
    UnknownScheme {
        /// First characters.
        begins: String,
    },
    /// Two digits of a tag were expected.
    #[error("tag must be two digits, found {found:?}")]
    TagNotNumeric {
        /// What is there.
        found: String,
    },
    /// Two digits of a length were expected.
    #[error("length must be two digits, found {found:?}")]
    LengthNotNumeric {
        /// What is there.
        found: String,
    },
    /// A value is longer than what is left.
    #[error("value declared with {declared} characters, only {available} are left")]
    Overrun {
        /// Declared length.
        declared: usize,
        /// Characters left.
        available: usize,
    },
    /// A tag appears twice at one level.
    #[error("tag {id} appears twice")]
    Duplicate {
        /// The tag.
        id: String,
    },
    /// The first field must be 00.
    #[error("an EMV code begins with tag 00, found tag {found}")]
    NotFirst {
        /// Tag found first.
        found: String,
    },
    /// Something follows the checksum.
    #[error("{characters} characters after the checksum")]
    AfterChecksum {
        /// How many.
        characters: usize,
    },
    /// There is no checksum field at the end.
    #[error("the checksum field 6304 is missing at the end")]
    ChecksumMissing,
    /// The checksum is not four hexadecimal digits.
    #[error("checksum must be four hexadecimal digits, found {found:?}")]
    ChecksumNotHex {
        /// What is there.
        found: String,
    },
    /// The checksum does not fit the content.
    #[error("checksum is {found}, the content gives {computed}: the code was altered or misread")]
    ChecksumWrong {
        /// As written.
        found: String,
        /// As computed.
        computed: String,
    },
    /// A field the scheme needs is missing.
    #[error("{what} is missing")]
    Missing {
        /// The field, in words.
        what: &'static str,
    },
    /// A value breaks the scheme's rule.
    #[error("{what} is {found:?}, must be {expected}")]
    Value {
        /// The field, in words.
        what: &'static str,
        /// As found.
        found: String,
        /// The rule.
        expected: &'static str,
    },
}

/// Why a code could not be made. Change the named value.
#[derive(Debug, Clone, PartialEq, Eq, Error, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EncodeError {
    /// A value that must not be empty is.
    #[error("{field} is empty")]
    Empty {
        /// Field name.
        field: &'static str,
    },
    /// A value has the wrong length.
    #[error("{field} has {characters} characters, allowed are {min} to {max}")]
    Length {
        /// Field name.
        field: &'static str,
        /// Length found.
        characters: usize,
        /// Shortest allowed.
        min: usize,
        /// Longest allowed.
        max: usize,
    },
    /// A character is not allowed.
    #[error("{field} has {character:?} at character {index}; allowed are {allowed}")]
    Character {
        /// Field name.
        field: &'static str,
        /// The character.
        character: char,
        /// Characters before it.
        index: usize,
        /// The allowed set, in words.
        allowed: &'static str,
    },
    /// A value breaks a rule.
    #[error("{field} is {found:?}, must be {expected}")]
    Value {
        /// Field name.
        field: &'static str,
        /// Value found.
        found: String,
        /// The rule.
        expected: &'static str,
    },
    /// The whole is longer than the scheme allows.
    #[error("the code would have {length} {unit}, at most {limit} are allowed; shorten texts")]
    CodeTooLong {
        /// Resulting length.
        length: usize,
        /// Longest allowed.
        limit: usize,
        /// `characters` or `bytes`.
        unit: &'static str,
    },
}
