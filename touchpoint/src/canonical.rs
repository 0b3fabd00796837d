//! Canonical JSON: one value, one byte string.
//!
//! The bytes are what a journal stores, hashes and sends; they are made once. The form is JSON (RFC 8259) with
//! object keys sorted by their UTF-8 bytes, no white space, integers only, and the shortest escapes
//! (`\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t`, `\u00xx` for other control characters). Text is kept as given:
//! no Unicode normalisation.

use crate::card_number::{self, Field};
use serde_json::Value;

/// Objects and arrays may be nested this deep; an event needs 4.
pub const MAX_DEPTH: usize = 16;

/// Why a value has no canonical bytes. Retrying does not help: the program that made the value is wrong,
/// or something that must not be recorded got into it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CanonicalError {
    /// A number with a fraction or exponent, or outside the 64-bit integers.
    #[error(
        "{path}: numbers are whole 64-bit integers, found {number}; use minor units or thousandths"
    )]
    NotAnInteger {
        /// Dotted path of the value.
        path: String,
        /// The number as text.
        number: String,
    },
    /// A string, key or integer that looks like a payment card number. The digits are not repeated here.
    #[error(
        "{path}: looks like a payment card number and must not be recorded; remove it at its source"
    )]
    CardNumber {
        /// Dotted path of the value.
        path: String,
    },
    /// Nesting deeper than [`MAX_DEPTH`].
    #[error("{path}: nested deeper than {MAX_DEPTH} levels")]
    TooDeep {
        /// Dotted path of the value.
        path: String,
    },
    /// Bytes that are not the canonical form of any value.
    #[error("not canonical JSON: {0}")]
    NotCanonical(String),
}

/// Canonical bytes of `value`, refusing floats and anything that looks like a payment card number.
///
/// # Errors
/// [`CanonicalError::NotAnInteger`], [`CanonicalError::CardNumber`] or [`CanonicalError::TooDeep`], each with the path.
pub fn to_bytes(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    write_document(value, Cards::Refuse)
}

/// Canonical bytes of `value` with the digits of card-like strings replaced by `*`.
///
/// For records that must be written whatever an outside program put into them (an approval, a completed sale).
/// Card-like integers and keys are still refused: those are never outside text.
///
/// # Errors
/// As [`to_bytes`], except for strings.
pub fn to_bytes_redacted(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    write_document(value, Cards::Redact)
}

/// Canonical bytes without the card check, for documents that are not events (headers, receipts).
///
/// # Errors
/// [`CanonicalError::NotAnInteger`] or [`CanonicalError::TooDeep`].
pub fn to_bytes_unchecked(value: &Value) -> Result<Vec<u8>, CanonicalError> {
    write_document(value, Cards::Ignore)
}

/// The value of bytes that are exactly canonical.
///
/// # Errors
/// [`CanonicalError::NotCanonical`] for broken JSON, repeated keys, unsorted keys, white space or other spellings.
pub fn from_bytes(bytes: &[u8]) -> Result<Value, CanonicalError> {
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| CanonicalError::NotCanonical(error.to_string()))?;
    if to_bytes_unchecked(&value)? == bytes {
        Ok(value)
    } else {
        Err(CanonicalError::NotCanonical(
            "another spelling of the same value is canonical".into(),
        ))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Cards {
    Refuse,
    Redact,
    Ignore,
}

struct Writer {
    bytes: Vec<u8>,
    path: Vec<String>,
    cards: Cards,
}

fn write_document(value: &Value, cards: Cards) -> Result<Vec<u8>, CanonicalError> {
    let mut writer = Writer {
        bytes: Vec::with_capacity(256),
        path: Vec::new(),
        cards,
    };
    writer.value(value, Field::Text)?;
    Ok(writer.bytes)
}

impl Writer {
    fn path(&self) -> String {
        if self.path.is_empty() {
            "value".into()
        } else {
            self.path.join(".")
        }
    }

    fn value(&mut self, value: &Value, field: Field) -> Result<(), CanonicalError> {
        if self.path.len() > MAX_DEPTH {
            return Err(CanonicalError::TooDeep { path: self.path() });
        }
        match value {
            Value::Null => self.bytes.extend_from_slice(b"null"),
            Value::Bool(true) => self.bytes.extend_from_slice(b"true"),
            Value::Bool(false) => self.bytes.extend_from_slice(b"false"),
            Value::Number(number) => self.number(number)?,
            Value::String(text) => self.text(text, field)?,
            Value::Array(items) => self.array(items, field)?,
            Value::Object(members) => self.object(members)?,
        }
        Ok(())
    }

    fn number(&mut self, number: &serde_json::Number) -> Result<(), CanonicalError> {
        let magnitude = match (number.as_i64(), number.as_u64()) {
            (Some(signed), _) => signed.unsigned_abs(),
            (None, Some(unsigned)) => unsigned,
            (None, None) => {
                return Err(CanonicalError::NotAnInteger {
                    path: self.path(),
                    number: number.to_string(),
                });
            }
        };
        if self.cards != Cards::Ignore && card_number::integer_is_card(magnitude) {
            return Err(CanonicalError::CardNumber { path: self.path() });
        }
        self.bytes.extend_from_slice(number.to_string().as_bytes());
        Ok(())
    }

    fn text(&mut self, text: &str, field: Field) -> Result<(), CanonicalError> {
        match self.cards {
            Cards::Refuse if card_number::contains(text, field) => {
                Err(CanonicalError::CardNumber { path: self.path() })
            }
            Cards::Redact => {
                write_text(&mut self.bytes, &card_number::redact(text, field));
                Ok(())
            }
            Cards::Refuse | Cards::Ignore => {
                write_text(&mut self.bytes, text);
                Ok(())
            }
        }
    }

    fn array(&mut self, items: &[Value], field: Field) -> Result<(), CanonicalError> {
        self.bytes.push(b'[');
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                self.bytes.push(b',');
            }
            self.path.push(index.to_string());
            self.value(item, field)?;
            self.path.pop();
        }
        self.bytes.push(b']');
        Ok(())
    }

    fn object(&mut self, members: &serde_json::Map<String, Value>) -> Result<(), CanonicalError> {
        // The map's own order depends on a serde_json feature another crate may switch on.
        let mut sorted: Vec<(&String, &Value)> = members.iter().collect();
        sorted.sort_unstable_by(|left, right| left.0.as_bytes().cmp(right.0.as_bytes()));
        self.bytes.push(b'{');
        for (index, (key, value)) in sorted.into_iter().enumerate() {
            if index > 0 {
                self.bytes.push(b',');
            }
            if self.cards != Cards::Ignore && card_number::contains(key, Field::Text) {
                return Err(CanonicalError::CardNumber {
                    path: format!("{} (a key)", self.path()),
                });
            }
            write_text(&mut self.bytes, key);
            self.bytes.push(b':');
            self.path.push(key.clone());
            self.value(value, Field::of_key(key))?;
            self.path.pop();
        }
        self.bytes.push(b'}');
        Ok(())
    }
}

fn write_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.push(b'"');
    for character in text.chars() {
        match character {
            '"' => bytes.extend_from_slice(b"\\\""),
            '\\' => bytes.extend_from_slice(b"\\\\"),
            '\u{8}' => bytes.extend_from_slice(b"\\b"),
            '\u{c}' => bytes.extend_from_slice(b"\\f"),
            '\n' => bytes.extend_from_slice(b"\\n"),
            '\r' => bytes.extend_from_slice(b"\\r"),
            '\t' => bytes.extend_from_slice(b"\\t"),
            control if u32::from(control) < 0x20 => {
                bytes.extend_from_slice(format!("\\u{:04x}", u32::from(control)).as_bytes());
            }
            other => bytes.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes.push(b'"');
}
