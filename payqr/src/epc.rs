//! SEPA credit transfer codes: EPC069-12 v2.1, "Quick Response Code:
//! Guidelines to enable data capture for the initiation of a SEPA credit
//! transfer". Draw at level M, at most version 13.
//!
//! A code is bytes in one of eight character sets. UTF-8, ISO 8859-1 and
//! ISO 8859-15 are written and read fully, the other five as far as ASCII goes.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{alphanumeric, characters, length, text};
use crate::error::{DecodeError, EncodeError, Fault, Place};
use crate::iban::{check_iban, is_creditor_reference};
use crate::payload::check_length;

/// Longest code, bytes.
pub const MAX_BYTES: usize = 331;
/// Largest amount, cents.
const MAX_CENTS: u64 = 99_999_999_999;
/// Lines up to and with the information line.
const LINES: usize = 12;

/// Version of the layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum EpcVersion {
    /// `001`: the BIC is demanded.
    V1,
    /// `002`: no BIC needed inside the EEA.
    #[default]
    V2,
}

/// Character set of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum EpcCharset {
    /// 1
    #[default]
    Utf8,
    /// 2
    Iso8859_1,
    /// 3, ASCII part
    Iso8859_2,
    /// 4, ASCII part
    Iso8859_4,
    /// 5, ASCII part
    Iso8859_5,
    /// 6, ASCII part
    Iso8859_7,
    /// 7, ASCII part
    Iso8859_10,
    /// 8
    Iso8859_15,
}

impl EpcCharset {
    const ALL: [Self; 8] = [
        Self::Utf8,
        Self::Iso8859_1,
        Self::Iso8859_2,
        Self::Iso8859_4,
        Self::Iso8859_5,
        Self::Iso8859_7,
        Self::Iso8859_10,
        Self::Iso8859_15,
    ];

    fn digit(self) -> char {
        let at = Self::ALL.iter().position(|set| *set == self).unwrap_or(0);
        char::from(b"12345678"[at])
    }

    fn from_digit(line: &[u8]) -> Option<Self> {
        match line {
            [digit @ b'1'..=b'8'] => Some(Self::ALL[usize::from(digit - b'1')]),
            _ => None,
        }
    }

    fn decode(self, bytes: &[u8]) -> Result<String, (usize, Fault)> {
        if self == Self::Utf8 {
            return std::str::from_utf8(bytes)
                .map(str::to_owned)
                .map_err(|error| (error.valid_up_to(), not_text("UTF-8 as line 3 says")));
        }
        bytes
            .iter()
            .enumerate()
            .map(|(at, byte)| {
                self.char(*byte).ok_or((
                    at,
                    not_text("ASCII: the rest of this character set is not read"),
                ))
            })
            .collect()
    }

    fn char(self, byte: u8) -> Option<char> {
        if byte.is_ascii() {
            return Some(char::from(byte));
        }
        match self {
            Self::Iso8859_1 => Some(char::from(byte)),
            Self::Iso8859_15 => Some(
                LATIN_9
                    .iter()
                    .find(|(code, _)| *code == byte)
                    .map_or(char::from(byte), |(_, c)| *c),
            ),
            _ => None,
        }
    }

    fn encode(self, text: &str) -> Result<Vec<u8>, EncodeError> {
        if self == Self::Utf8 {
            return Ok(text.as_bytes().to_vec());
        }
        let byte = |c: char| {
            let latin = LATIN_9.iter().find(|(_, other)| *other == c);
            match (self, latin) {
                (Self::Iso8859_15, Some((byte, _))) => Some(*byte),
                _ => u8::try_from(c)
                    .ok()
                    .filter(|byte| self.char(*byte) == Some(c)),
            }
        };
        text.chars()
            .enumerate()
            .map(|(index, character)| {
                byte(character).ok_or(EncodeError::Character {
                    field: "text",
                    character,
                    index,
                    allowed: "those of the chosen character set; choose utf8",
                })
            })
            .collect()
    }
}

/// Where ISO 8859-15 differs from ISO 8859-1.
const LATIN_9: [(u8, char); 8] = [
    (0xA4, '€'),
    (0xA6, 'Š'),
    (0xA8, 'š'),
    (0xB4, 'Ž'),
    (0xB8, 'ž'),
    (0xBC, 'Œ'),
    (0xBD, 'œ'),
    (0xBE, 'Ÿ'),
];

fn not_text(expected: &'static str) -> Fault {
    Fault::Value {
        what: "text",
        found: "a byte that is not".to_owned(),
        expected,
    }
}

/// Line break of a text code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum LineBreak {
    /// LF
    #[default]
    Lf,
    /// CR LF
    CrLf,
}

impl LineBreak {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Lf => "\n",
            Self::CrLf => "\r\n",
        }
    }
}

/// A SEPA credit transfer code. No confirmation comes back from this rail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct EpcTransfer {
    /// Layout version.
    #[serde(default)]
    pub version: EpcVersion,
    /// Character set.
    #[serde(default)]
    pub charset: EpcCharset,
    /// Line break.
    #[serde(default)]
    pub line_break: LineBreak,
    /// BIC of the receiver's bank, 8 or 11 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bic: Option<String>,
    /// Receiver, at most 70 characters.
    pub name: String,
    /// Receiver's IBAN without spaces.
    pub iban: String,
    /// Amount in euro, 0.01 to 999999999.99; written with the decimals it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Purpose code, at most 4 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// Creditor reference (ISO 11649) or other structured reference, at most 35; excludes `text`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Free text, at most 140 characters; excludes `reference`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Note to the payer, at most 70 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub information: Option<String>,
}

impl EpcTransfer {
    /// The bytes of the code; put them into the symbol in byte mode.
    ///
    /// # Errors
    /// [`EncodeError`] naming the value: wrong IBAN check digits, both
    /// reference and text, more than [`MAX_BYTES`].
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        self.check()?;
        let some = |value: &Option<String>| value.clone().unwrap_or_default();
        let version = match self.version {
            EpcVersion::V1 => "001",
            EpcVersion::V2 => "002",
        };
        let amount = self.amount.map(|amount| format!("EUR{amount}"));
        let lines = [
            "BCD".to_owned(),
            version.to_owned(),
            self.charset.digit().to_string(),
            "SCT".to_owned(),
            some(&self.bic),
            self.name.clone(),
            self.iban.clone(),
            amount.unwrap_or_default(),
            some(&self.purpose),
            some(&self.reference),
            some(&self.text),
            some(&self.information),
        ];
        let used = lines.iter().rposition(|line| !line.is_empty()).unwrap_or(0);
        let bytes = self
            .charset
            .encode(&lines[..=used].join(self.line_break.text()))?;
        if bytes.len() > MAX_BYTES {
            return Err(EncodeError::CodeTooLong {
                length: bytes.len(),
                limit: MAX_BYTES,
                unit: "bytes",
            });
        }
        Ok(bytes)
    }

    fn check(&self) -> Result<(), EncodeError> {
        match (&self.bic, self.version) {
            (None, EpcVersion::V1) => return Err(EncodeError::Empty { field: "bic" }),
            (Some(bic), _) => {
                alphanumeric("bic", bic, 8, 11)?;
                if bic.len() != 8 && bic.len() != 11 {
                    return Err(EncodeError::Value {
                        field: "bic",
                        found: bic.clone(),
                        expected: "8 or 11 characters",
                    });
                }
            }
            (None, EpcVersion::V2) => {}
        }
        text("name", &self.name, 1, 70)?;
        check_iban("iban", &self.iban)?;
        if let Some(amount) = self.amount {
            check_amount(amount, MAX_CENTS)?;
        }
        if let Some(purpose) = &self.purpose {
            alphanumeric("purpose", purpose, 1, 4)?;
        }
        match (&self.reference, &self.text) {
            (Some(_), Some(found)) => {
                return Err(EncodeError::Value {
                    field: "text",
                    found: found.clone(),
                    expected: "left out when there is a reference",
                });
            }
            (Some(reference), None) => check_reference(reference)?,
            (None, Some(free)) => text("text", free, 1, 140)?,
            (None, None) => {}
        }
        if let Some(information) = &self.information {
            text("information", information, 1, 70)?;
        }
        Ok(())
    }

    /// Reads the bytes of a code. LF and CRLF are accepted, missing lines at
    /// the end and empty lines behind it too.
    ///
    /// # Errors
    /// [`DecodeError`] naming the line.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let charset = bytes
            .split(|byte| *byte == b'\n')
            .nth(2)
            .and_then(|line| EpcCharset::from_digit(line.trim_ascii_end()))
            .ok_or_else(|| {
                DecodeError::at_path(
                    Fault::Value {
                        what: "character set",
                        found: String::new(),
                        expected: "1 to 8",
                    },
                    "line 3",
                )
            })?;
        Self::decode_as(bytes, charset).map_err(|mut error| {
            if charset != EpcCharset::Utf8 {
                // One byte a character: the place in the decoded text is counted in characters.
                error.place.byte = error.place.character;
            }
            error
        })
    }

    fn decode_as(bytes: &[u8], charset: EpcCharset) -> Result<Self, DecodeError> {
        let content = charset.decode(bytes).map_err(|(byte, fault)| DecodeError {
            fault,
            place: Place {
                byte,
                character: String::from_utf8_lossy(&bytes[..byte]).chars().count(),
                path: format!(
                    "line {}",
                    1 + bytes[..byte].iter().filter(|byte| **byte == b'\n').count()
                ),
            },
        })?;
        check_length(&content)?;
        let line_break = if content.contains("\r\n") {
            LineBreak::CrLf
        } else {
            LineBreak::Lf
        };
        let lines = Lines::new(&content);
        lines.expect(1, "service tag", &["BCD"])?;
        let version = match lines.expect(2, "version", &["001", "002"])? {
            "001" => EpcVersion::V1,
            _ => EpcVersion::V2,
        };
        lines.expect(4, "identification", &["SCT"])?;
        lines.at_most(LINES)?;
        Ok(Self {
            version,
            charset,
            line_break,
            bic: lines.optional(5),
            name: lines.required(6, "the receiver's name")?,
            iban: lines.required(7, "the IBAN")?,
            amount: lines
                .optional(8)
                .map(|found| {
                    let amount = found.strip_prefix("EUR").and_then(|text| text.parse().ok());
                    amount.ok_or_else(|| {
                        lines.wrong(8, "amount", found.clone(), "EUR and digits with one point")
                    })
                })
                .transpose()?,
            purpose: lines.optional(9),
            reference: lines.optional(10),
            text: lines.optional(11),
            information: lines.optional(12),
        })
    }
}

/// Two decimals at most, above zero, up to a limit in hundredths.
pub(crate) fn check_amount(amount: Amount, max_minor: u64) -> Result<(), EncodeError> {
    match amount.minor(2) {
        Some(minor) if (1..=max_minor).contains(&minor) && amount.decimals() <= 2 => Ok(()),
        _ => Err(EncodeError::Value {
            field: "amount",
            found: amount.to_string(),
            expected: "0.01 to 999999999.99 with at most two decimals",
        }),
    }
}

fn check_reference(reference: &str) -> Result<(), EncodeError> {
    length("reference", reference, 1, 35)?;
    characters("reference", reference, "printable ASCII", |c| {
        c == ' ' || c.is_ascii_graphic()
    })?;
    if reference.starts_with("RF") && !is_creditor_reference(reference) {
        return Err(EncodeError::Value {
            field: "reference",
            found: reference.to_owned(),
            expected: "an ISO 11649 reference whose check digits fit",
        });
    }
    Ok(())
}

/// Numbered lines of a text code, from 1.
pub(crate) struct Lines<'a> {
    lines: Vec<(Place, &'a str)>,
    end: Place,
}

impl<'a> Lines<'a> {
    pub(crate) fn new(content: &'a str) -> Self {
        let mut place = Place::default();
        let mut lines = Vec::new();
        for (index, raw) in content.split('\n').enumerate() {
            place.path = format!("line {}", index + 1);
            lines.push((place.clone(), raw.strip_suffix('\r').unwrap_or(raw)));
            place.byte += raw.len() + 1;
            place.character += raw.chars().count() + 1;
        }
        // Empty lines behind the last one say nothing.
        while lines.last().is_some_and(|(_, line)| line.is_empty()) {
            lines.pop();
        }
        Self {
            lines,
            end: Place {
                byte: content.len(),
                character: content.chars().count(),
                path: String::new(),
            },
        }
    }

    pub(crate) fn get(&self, number: usize) -> &'a str {
        self.lines
            .get(number.wrapping_sub(1))
            .map_or("", |(_, line)| *line)
    }

    pub(crate) fn optional(&self, number: usize) -> Option<String> {
        Some(self.get(number))
            .filter(|line| !line.is_empty())
            .map(str::to_owned)
    }

    pub(crate) fn required(
        &self,
        number: usize,
        what: &'static str,
    ) -> Result<String, DecodeError> {
        self.optional(number)
            .ok_or_else(|| self.error(number, Fault::Missing { what }))
    }

    pub(crate) fn expect(
        &self,
        number: usize,
        what: &'static str,
        allowed: &[&'static str],
    ) -> Result<&'a str, DecodeError> {
        let found = self.get(number);
        if allowed.contains(&found) {
            return Ok(found);
        }
        let expected = allowed.first().copied().unwrap_or_default();
        Err(self.wrong(number, what, found.to_owned(), expected))
    }

    pub(crate) fn at_most(&self, limit: usize) -> Result<(), DecodeError> {
        if self.lines.len() <= limit {
            return Ok(());
        }
        let found = self.lines.len().to_string();
        Err(self.wrong(limit + 1, "number of lines", found, "fewer lines"))
    }

    pub(crate) fn wrong(
        &self,
        number: usize,
        what: &'static str,
        found: String,
        expected: &'static str,
    ) -> DecodeError {
        self.error(
            number,
            Fault::Value {
                what,
                found,
                expected,
            },
        )
    }

    fn error(&self, number: usize, fault: Fault) -> DecodeError {
        let place = self.lines.get(number.wrapping_sub(1)).map_or_else(
            || Place {
                path: format!("line {number}"),
                ..self.end.clone()
            },
            |(place, _)| place.clone(),
        );
        DecodeError { fault, place }
    }
}
