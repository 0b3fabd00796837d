//! Tag, length, value: the grammar of EMV QR codes (EMVCo MPM v1.1 §3).
//! Two digits of tag, two digits of length, then the value. The length counts
//! characters; the checksum counts UTF-8 bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{DecodeError, EncodeError, Fault, Place};

/// A tag, 00 to 99.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Id(u8);

impl Id {
    /// The tag with this number; `None` above 99.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number <= 99 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// A tag known when the program is built. Numbers above 99 wrap; used with literals only.
    pub(crate) const fn of(number: u8) -> Self {
        Self(number % 100)
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        two_digits(&text)
            .map(Self)
            .ok_or_else(|| format!("tag must be two digits, found {text:?}"))
    }
}

fn two_digits(text: &str) -> Option<u8> {
    match text.as_bytes() {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        _ => None,
    }
}

/// One tag with its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The tag.
    pub id: Id,
    /// The value as written, at most 99 characters.
    pub value: String,
}

/// What a length counts. EMV says characters; some issuers of non-ASCII codes
/// count bytes, which is read and kept but never written by our encoders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum LengthUnit {
    /// Characters, as EMVCo says.
    #[default]
    Characters,
    /// UTF-8 bytes.
    Bytes,
}

impl LengthUnit {
    fn count(self, value: &str) -> usize {
        match self {
            Self::Characters => value.chars().count(),
            Self::Bytes => value.len(),
        }
    }

    /// Byte index behind `length` units, or how many units there are.
    fn split(self, text: &str, length: usize) -> Result<usize, usize> {
        match self {
            Self::Characters => text
                .char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .nth(length)
                .ok_or_else(|| text.chars().count()),
            Self::Bytes if text.is_char_boundary(length) => Ok(length),
            Self::Bytes => Err(text.len()),
        }
    }
}

/// Splits a text into fields. `start` is where the text sits in the whole and
/// names the template in errors.
///
/// # Errors
/// A tag or length that is not two digits, a value longer than the text, or a
/// tag that appears twice; each with its place.
pub fn parse(text: &str, unit: LengthUnit, start: &Place) -> Result<Vec<Field>, DecodeError> {
    let mut fields: Vec<Field> = Vec::new();
    let mut cursor = Cursor {
        rest: text,
        place: start.clone(),
    };
    while !cursor.rest.is_empty() {
        let tag_place = cursor.place.clone();
        let id = cursor
            .number()
            .map(Id)
            .map_err(|found| cursor.error(Fault::TagNotNumeric { found }))?;
        if fields.iter().any(|field| field.id == id) {
            return Err(DecodeError {
                fault: Fault::Duplicate { id: id.to_string() },
                place: Place {
                    path: join(&start.path, id),
                    ..tag_place
                },
            });
        }
        cursor.place.path = join(&start.path, id);
        let declared = cursor
            .number()
            .map_err(|found| cursor.error(Fault::LengthNotNumeric { found }))?;
        let declared = usize::from(declared);
        let end = unit.split(cursor.rest, declared).map_err(|available| {
            cursor.error(Fault::Overrun {
                declared,
                available,
            })
        })?;
        let value = cursor.take(end).to_owned();
        cursor.place.path.clone_from(&start.path);
        fields.push(Field { id, value });
    }
    Ok(fields)
}

struct Cursor<'a> {
    rest: &'a str,
    place: Place,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, bytes: usize) -> &'a str {
        let (head, tail) = self.rest.split_at(bytes);
        self.rest = tail;
        self.place.byte += bytes;
        self.place.character += head.chars().count();
        head
    }

    /// Two digits, or what is there instead.
    fn number(&mut self) -> Result<u8, String> {
        let two = self.rest.get(..2).and_then(two_digits);
        match two {
            Some(number) => {
                self.take(2);
                Ok(number)
            }
            None => Err(self.rest.chars().take(2).collect()),
        }
    }

    fn error(&self, fault: Fault) -> DecodeError {
        DecodeError {
            fault,
            place: self.place.clone(),
        }
    }
}

/// `38` inside `26` is `26.38`.
pub(crate) fn join(path: &str, id: Id) -> String {
    if path.is_empty() {
        id.to_string()
    } else {
        format!("{path}.{id}")
    }
}

/// Writes fields one after the other.
///
/// # Errors
/// [`EncodeError::Length`] for a value above 99 units.
pub fn write(fields: &[Field], unit: LengthUnit) -> Result<String, EncodeError> {
    let mut out = String::new();
    for field in fields {
        let length = unit.count(&field.value);
        if length > 99 {
            return Err(EncodeError::Length {
                field: "field value",
                characters: length,
                min: 0,
                max: 99,
            });
        }
        out.push_str(&format!("{}{length:02}{}", field.id, field.value));
    }
    Ok(out)
}
