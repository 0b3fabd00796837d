//! BMP fields: a tag, then data of a fixed length or with a length of its own.
//!
//! Source: PA00P015 chapter 9 (list of fields).

use std::fmt;

use super::tlv::{self, Tlv};
use super::{CodecError, bcd};

/// How the length of a field is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// Always this many bytes.
    Fixed(usize),
    /// Two digits, one in each of two bytes `Fx Fy`.
    TwoDigits,
    /// Three digits, one in each of three bytes `Fx Fy Fz`.
    ThreeDigits,
    /// BER length (the TLV container).
    Ber,
}

/// Length of a BMP field; `None` for a tag the protocol does not define, after which nothing can
/// be read because its length is not known.
pub fn length_of(tag: u8) -> Option<Length> {
    Some(match tag {
        0x01 | 0x02 | 0x03 | 0x05 | 0x19 | 0x27 | 0x8A | 0x8C | 0xA0 | 0xD0 | 0xD2 | 0xD3 => {
            Length::Fixed(1)
        }
        0x0D | 0x0E | 0x17 | 0x3A | 0x49 | 0x87 => Length::Fixed(2),
        0x0B | 0x0C | 0x37 | 0x3D | 0x88 | 0xAA => Length::Fixed(3),
        0x29 | 0x70 | 0x71 => Length::Fixed(4),
        0xBA => Length::Fixed(5),
        0x04 => Length::Fixed(6),
        0x3B => Length::Fixed(8),
        0x2A => Length::Fixed(15),
        0x72..=0x75 => Length::Fixed(1),
        0x22 | 0x23 | 0x2D | 0x4C | 0x8B | 0xA7 | 0xD1 => Length::TwoDigits,
        0x24 | 0x2E | 0x3C | 0x60 | 0x9A | 0xAF => Length::ThreeDigits,
        0x06 => Length::Ber,
        _ => return None,
    })
}

/// Name of a field for people and for the text form.
pub fn name_of(tag: u8) -> &'static str {
    match tag {
        0x01 => "timeout_seconds",
        0x02 => "max_status_requests",
        0x03 => "service_byte",
        0x04 => "amount",
        0x05 => "pump_number",
        0x06 => "tlv",
        0x0B => "trace_number",
        0x0C => "time",
        0x0D => "date",
        0x0E => "expiry_date",
        0x17 => "card_sequence_number",
        0x19 => "status_or_payment_type",
        0x22 => "card_number",
        0x23 => "track_2",
        0x24 => "track_3",
        0x27 => "result_code",
        0x29 => "terminal_id",
        0x2A => "merchant_number",
        0x2D => "track_1",
        0x2E => "chip_data",
        0x37 => "original_trace_number",
        0x3A => "card_verification_value",
        0x3B => "authorisation_attribute",
        0x3C => "additional_text",
        0x3D => "password",
        0x49 => "currency",
        0x60 => "scheme_totals",
        0x87 => "receipt_number",
        0x88 => "turnover_record_number",
        0x8A => "card_type",
        0x8B => "card_name",
        0x8C => "card_type_network",
        0x9A => "card_data_prepaid",
        0xA0 => "result_code_authorisation_system",
        0xA7 => "chip_data_ef_id",
        0xAA => "date_yymmdd",
        0xAF => "chip_data_ef_info",
        0xD1 => "pin_data",
        0xBA => "authorisation_id",
        _ => "field",
    }
}

/// One BMP field.
#[derive(Clone, PartialEq, Eq)]
pub struct Field {
    /// BMP tag.
    pub tag: u8,
    /// Data without its length.
    pub value: Vec<u8>,
}

impl fmt::Debug for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Field({:02X} {}, {} bytes)",
            self.tag,
            name_of(self.tag),
            self.value.len()
        )
    }
}

/// The fields of a message in the order received, and the bytes after them that could not be
/// read. Nothing is dropped.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Fields {
    /// Fields in order.
    pub list: Vec<Field>,
    /// Bytes from the first unreadable field on.
    pub rest: Vec<u8>,
}

impl fmt::Debug for Fields {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Fields({:?}, rest {} bytes)",
            self.list,
            self.rest.len()
        )
    }
}

impl Fields {
    /// Reads fields until the end or the first one that cannot be read.
    pub fn parse(bytes: &[u8]) -> Self {
        let mut list = Vec::new();
        let mut rest = bytes;
        while let Some((field, after)) = take_field(rest) {
            list.push(field);
            rest = after;
        }
        Self {
            list,
            rest: rest.to_vec(),
        }
    }

    /// The bytes of all fields and the rest.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        let mut bytes = Vec::new();
        for field in &self.list {
            field.encode(&mut bytes)?;
        }
        bytes.extend(&self.rest);
        Ok(bytes)
    }

    /// Value of the first field with this tag.
    pub fn get(&self, tag: u8) -> Option<&[u8]> {
        self.list
            .iter()
            .find(|field| field.tag == tag)
            .map(|field| field.value.as_slice())
    }

    /// First field with this tag as a packed decimal number.
    pub fn number(&self, tag: u8) -> Option<u64> {
        bcd::unpack(self.get(tag)?)
    }

    /// The values inside the TLV container, if there is one.
    pub fn tlv(&self) -> Vec<Tlv> {
        self.get(0x06)
            .map(|value| Tlv::parse_all(value).0)
            .unwrap_or_default()
    }

    /// Text of a field without padding; bytes outside printable ASCII become `?`.
    pub fn text(&self, tag: u8) -> Option<String> {
        let value = self.get(tag)?;
        let text: String = value
            .iter()
            .take_while(|byte| **byte != 0)
            .map(|byte| {
                if (0x20..0x7F).contains(byte) {
                    char::from(*byte)
                } else {
                    '?'
                }
            })
            .collect();
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }
}

impl Field {
    /// A field with its value.
    pub fn new(tag: u8, value: impl Into<Vec<u8>>) -> Self {
        Self {
            tag,
            value: value.into(),
        }
    }

    /// Writes tag, length and value.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let length = self.value.len();
        let too_long = || CodecError::TooLong {
            length,
            field: format!("{:02X}", self.tag),
        };
        out.push(self.tag);
        match length_of(self.tag).ok_or(CodecError::UnknownField(self.tag))? {
            Length::Fixed(expected) if expected == length => {}
            Length::Fixed(expected) => {
                return Err(CodecError::WrongLength {
                    field: self.tag,
                    expected,
                    length,
                });
            }
            Length::TwoDigits if length > 99 => return Err(too_long()),
            Length::TwoDigits => out.extend([length / 10, length % 10].map(|d| 0xF0 | d as u8)),
            Length::ThreeDigits if length > 999 => return Err(too_long()),
            Length::ThreeDigits => {
                out.extend([length / 100, length / 10 % 10, length % 10].map(|d| 0xF0 | d as u8));
            }
            Length::Ber => tlv::encode_length(length, out)?,
        }
        out.extend(&self.value);
        Ok(())
    }
}

/// Takes one field off the front; `None` at the end, at an unknown tag and at a broken length.
fn take_field(bytes: &[u8]) -> Option<(Field, &[u8])> {
    let (&tag, after_tag) = bytes.split_first()?;
    let (length, body) = match length_of(tag)? {
        Length::Fixed(length) => (length, after_tag),
        Length::TwoDigits => digits_length(after_tag, 2)?,
        Length::ThreeDigits => digits_length(after_tag, 3)?,
        Length::Ber => tlv::take_length(after_tag)?,
    };
    let value = body.get(..length)?;
    Some((Field::new(tag, value), &body[length..]))
}

/// Reads a length of `digits` bytes `Fx`; the high nibble must be F, or this is not a length.
fn digits_length(bytes: &[u8], digits: usize) -> Option<(usize, &[u8])> {
    let length = bytes
        .get(..digits)?
        .iter()
        .try_fold(0usize, |length, byte| {
            (byte & 0xF0 == 0xF0 && byte & 0x0F <= 9)
                .then(|| length * 10 + usize::from(byte & 0x0F))
        })?;
    Some((length, &bytes[digits..]))
}
