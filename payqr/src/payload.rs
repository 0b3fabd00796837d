//! An EMV Merchant-Presented Mode payload (EMVCo MPM v1.1): liberal and
//! lossless to read, checksummed to write.

use serde::{Deserialize, Serialize};

use crate::crc::{crc16, crc16_text};
use crate::error::{DecodeError, EncodeError, Fault, Place};
use crate::tlv::{Field, Id, LengthUnit, join, parse, write};

/// The longest text a QR symbol can carry in letters (version 40-L,
/// alphanumeric); nothing longer is read.
pub const MAX_DECODED_CHARACTERS: usize = 4_296;
/// The longest payload the encoder writes.
pub const MAX_ENCODED_CHARACTERS: usize = 512;
const CHECKSUM: Id = Id::of(63);
const CHECKSUM_HEAD: &str = "6304";

/// Fields of an EMV payload, in their order, without the checksum.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    fields: Vec<Field>,
    #[serde(default)]
    length_unit: LengthUnit,
    /// The checksum as it was written, when not upper case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written_checksum: Option<String>,
}

/// Something a liberal decoder accepts and a strict encoder would not write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("field {path}: {what}")]
pub struct Warning {
    /// Tags from the outside in.
    pub path: String,
    /// What is unusual.
    pub what: String,
}

impl Payload {
    /// A payload of these fields; the checksum is added when encoding.
    #[must_use]
    pub fn from_fields(fields: Vec<Field>) -> Self {
        Self {
            fields,
            length_unit: LengthUnit::Characters,
            written_checksum: None,
        }
    }

    /// Reads a payload. Unknown tags are kept. A lower-case checksum is
    /// accepted, and so are lengths counted in bytes.
    ///
    /// # Errors
    /// [`DecodeError`] with the place: broken grammar, a tag twice, tag 00 not
    /// first, checksum missing, wrong or not last.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        check_length(text)?;
        match Self::decode_as(text, LengthUnit::Characters) {
            Err(error) if !text.is_ascii() => {
                Self::decode_as(text, LengthUnit::Bytes).map_err(|_| error)
            }
            result => result,
        }
    }

    fn decode_as(text: &str, unit: LengthUnit) -> Result<Self, DecodeError> {
        let mut fields = parse_to_checksum(text, unit)?;
        let Some(checksum) = fields.pop() else {
            return Err(DecodeError::whole(Fault::ChecksumMissing));
        };
        if let Some(first) = fields.first()
            && first.id != Id::of(0)
        {
            return Err(DecodeError::at_path(
                Fault::NotFirst {
                    found: first.id.to_string(),
                },
                first.id.to_string(),
            ));
        }
        let found = checksum.value;
        let computed = check(text, &found)?;
        Ok(Self {
            fields,
            length_unit: unit,
            written_checksum: (found != computed).then_some(found),
        })
    }

    /// Writes the payload with its checksum. A decoded payload gives the
    /// identical bytes.
    ///
    /// # Errors
    /// A value above 99 characters, a tag twice, tag 00 not first, or a
    /// checksum field among the fields.
    pub fn encode(&self) -> Result<String, EncodeError> {
        self.check_order()?;
        let mut text = write(&self.fields, self.length_unit)?;
        text.push_str(CHECKSUM_HEAD);
        let computed = crc16_text(text.as_bytes());
        match &self.written_checksum {
            Some(written) if written.eq_ignore_ascii_case(&computed) => text.push_str(written),
            _ => text.push_str(&computed),
        }
        Ok(text)
    }

    fn check_order(&self) -> Result<(), EncodeError> {
        let fail = |found: Id, expected| EncodeError::Value {
            field: "tag",
            found: found.to_string(),
            expected,
        };
        for (at, field) in self.fields.iter().enumerate() {
            if at == 0 && field.id != Id::of(0) {
                return Err(fail(field.id, "00 at the beginning"));
            }
            if field.id == CHECKSUM {
                return Err(fail(field.id, "left out: the checksum is computed"));
            }
            if self.fields[..at].iter().any(|before| before.id == field.id) {
                return Err(fail(field.id, "there only once"));
            }
        }
        Ok(())
    }

    /// As [`Payload::encode`], refusing what EMVCo's limits forbid.
    pub(crate) fn encode_strict(&self) -> Result<String, EncodeError> {
        let text = self.encode()?;
        let length = text.chars().count();
        if length > MAX_ENCODED_CHARACTERS {
            return Err(EncodeError::CodeTooLong {
                length,
                limit: MAX_ENCODED_CHARACTERS,
                unit: "characters",
            });
        }
        Ok(text)
    }

    /// All fields in their order, without the checksum.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The value of a top-level tag.
    #[must_use]
    pub fn value(&self, id: u8) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.id == Id::of(id))
            .map(|field| field.value.as_str())
    }

    /// Changes or adds a top-level value (before the end). The checksum follows.
    pub fn set(&mut self, id: Id, value: impl Into<String>) {
        let value = value.into();
        match self.fields.iter_mut().find(|field| field.id == id) {
            Some(field) => field.value = value,
            None => {
                let at = self.fields.partition_point(|field| field.id < id);
                self.fields.insert(at, Field { id, value });
            }
        }
    }

    /// The fields inside a template, one level down.
    ///
    /// # Errors
    /// Broken grammar inside; the place is within the whole payload text.
    pub fn template(&self, id: u8) -> Result<Option<Template>, DecodeError> {
        let Some(value) = self.value(id) else {
            return Ok(None);
        };
        let start = self.place_of(Id::of(id));
        Template::parse(value, self.length_unit, start).map(Some)
    }

    /// Where the value of a top-level tag begins.
    fn place_of(&self, id: Id) -> Place {
        let mut place = Place {
            path: join("", id),
            ..Place::default()
        };
        for field in &self.fields {
            place.byte += 4;
            place.character += 4;
            if field.id == id {
                break;
            }
            place.byte += field.value.len();
            place.character += field.value.chars().count();
        }
        place
    }

    /// An error at the value of a top-level tag.
    pub(crate) fn value_error(&self, id: u8, fault: Fault) -> DecodeError {
        DecodeError {
            fault,
            place: self.place_of(Id::of(id)),
        }
    }

    /// The first merchant account template (tags 26–51) whose identifier in
    /// tag 00 is this one, compared without case.
    ///
    /// # Errors
    /// The template was found and its inside is broken.
    pub fn account_template(
        &self,
        identifier: &str,
    ) -> Result<Option<(Id, Template)>, DecodeError> {
        for field in &self.fields {
            if !(26..=51).contains(&field.id.number()) {
                continue;
            }
            let head = format!("00{:02}", identifier.chars().count());
            let has_identifier = field.value.strip_prefix(head.as_str()).is_some_and(|rest| {
                rest.get(..identifier.len())
                    .is_some_and(|found| found.eq_ignore_ascii_case(identifier))
            });
            if has_identifier {
                let template =
                    Template::parse(&field.value, self.length_unit, self.place_of(field.id))?;
                return Ok(Some((field.id, template)));
            }
        }
        Ok(None)
    }

    /// What EMVCo's rules say against this payload, for a person to read.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        let mut warn = |path: &str, what: String| {
            warnings.push(Warning {
                path: path.to_owned(),
                what,
            });
        };
        if self.length_unit == LengthUnit::Bytes {
            warn("00", "lengths count bytes, EMVCo counts characters".into());
        }
        if self.written_checksum.is_some() {
            warn("63", "checksum is not upper case".into());
        }
        for (id, name, max) in LIMITS {
            if let Some(value) = self.value(id)
                && value.chars().count() > max
            {
                let length = value.chars().count();
                warn(
                    &Id::of(id).to_string(),
                    format!("{name} has {length} characters, EMVCo allows {max}"),
                );
            }
        }
        match self.value(0) {
            Some("01") => {}
            other => warn(
                "00",
                format!("payload format is {other:?}, EMVCo says \"01\""),
            ),
        }
        if let Some(other) = self.value(1).filter(|value| !matches!(*value, "11" | "12")) {
            warn(
                "01",
                format!("point of initiation {other:?} is neither 11 nor 12"),
            );
        }
        if !self
            .fields
            .iter()
            .any(|field| (2..=51).contains(&field.id.number()))
        {
            warn("26", "no merchant account (tags 02 to 51)".into());
        }
        if let Some(value) = self.value(54)
            && !is_emv_amount(value)
        {
            warn(
                "54",
                format!("amount {value:?} is not digits with one point"),
            );
        }
        if self.value(54).is_some() && self.value(1) == Some("11") {
            warn("01", "static code (11) with an amount".into());
        }
        if self.value(54).is_none() && self.value(1) == Some("12") {
            warn("54", "dynamic code without an amount".into());
        }
        warnings
    }
}

/// Longest values of EMVCo MPM v1.1 table 3.3.
const LIMITS: [(u8, &str, usize); 8] = [
    (52, "merchant category", 4),
    (53, "currency", 3),
    (54, "amount", 13),
    (56, "fixed tip", 13),
    (58, "country", 2),
    (59, "merchant name", 25),
    (60, "merchant city", 15),
    (61, "postal code", 10),
];

fn is_emv_amount(value: &str) -> bool {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    !whole.is_empty()
        && digits(whole)
        && digits(fraction)
        && (whole == "0" || !whole.starts_with('0'))
}

/// Refuses what no QR symbol can hold, so that decoding takes bounded time.
pub(crate) fn check_length(text: &str) -> Result<(), DecodeError> {
    let characters = text.chars().count();
    if characters <= MAX_DECODED_CHARACTERS {
        return Ok(());
    }
    Err(DecodeError::whole(Fault::TooLong {
        characters,
        limit: MAX_DECODED_CHARACTERS,
    }))
}

/// The fields up to and with the checksum; refuses anything behind it.
fn parse_to_checksum(text: &str, unit: LengthUnit) -> Result<Vec<Field>, DecodeError> {
    let fields = parse(text, unit, &Place::default());
    // A text cut or extended at its end is best explained by its checksum field.
    let fields = match fields {
        Ok(fields) => fields,
        Err(error) => {
            return Err(after_checksum(text, unit, &error).unwrap_or(error));
        }
    };
    match fields.iter().position(|field| field.id == CHECKSUM) {
        None => Err(DecodeError {
            fault: Fault::ChecksumMissing,
            place: Place {
                byte: text.len(),
                character: text.chars().count(),
                path: CHECKSUM.to_string(),
            },
        }),
        Some(at) if at + 1 == fields.len() => Ok(fields),
        Some(at) => {
            let before: usize = fields[..=at]
                .iter()
                .map(|field| 4 + field.value.len())
                .sum();
            Err(behind(text, before))
        }
    }
}

/// When the grammar breaks behind a checksum field, says so.
fn after_checksum(text: &str, unit: LengthUnit, error: &DecodeError) -> Option<DecodeError> {
    let head = text.get(..error.place.byte)?;
    let cut = head
        .match_indices(CHECKSUM_HEAD)
        .map(|(at, _)| at + 8)
        .find(|end| {
            text.get(..*end).is_some_and(|part| {
                parse(part, unit, &Place::default())
                    .is_ok_and(|fields| fields.last().is_some_and(|last| last.id == CHECKSUM))
            })
        })?;
    Some(behind(text, cut))
}

fn behind(text: &str, byte: usize) -> DecodeError {
    let (head, tail) = text.split_at(byte);
    DecodeError {
        fault: Fault::AfterChecksum {
            characters: tail.chars().count(),
        },
        place: Place {
            byte,
            character: head.chars().count(),
            path: CHECKSUM.to_string(),
        },
    }
}

/// Compares the written checksum with the content; gives the computed one.
fn check(text: &str, found: &str) -> Result<String, DecodeError> {
    let byte = text.len() - found.len();
    let error = |fault| DecodeError {
        fault,
        place: Place {
            byte,
            character: text[..byte].chars().count(),
            path: CHECKSUM.to_string(),
        },
    };
    if found.len() != 4 || !found.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(error(Fault::ChecksumNotHex {
            found: found.to_owned(),
        }));
    }
    let computed = format!("{:04X}", crc16(&text.as_bytes()[..byte]));
    if found.eq_ignore_ascii_case(&computed) {
        return Ok(computed);
    }
    Err(error(Fault::ChecksumWrong {
        found: found.to_owned(),
        computed,
    }))
}

/// The inside of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    fields: Vec<Field>,
    unit: LengthUnit,
    start: Place,
}

impl Template {
    fn parse(value: &str, unit: LengthUnit, start: Place) -> Result<Self, DecodeError> {
        parse(value, unit, &start).map(|fields| Self {
            fields,
            unit,
            start,
        })
    }

    /// The fields in their order.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The value of a tag of this level.
    #[must_use]
    pub fn value(&self, id: u8) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.id == Id::of(id))
            .map(|field| field.value.as_str())
    }

    /// The value of a tag that must be there.
    pub(crate) fn required(&self, id: u8, what: &'static str) -> Result<&str, DecodeError> {
        self.value(id)
            .ok_or_else(|| self.error(id, Fault::Missing { what }))
    }

    /// A template inside this one.
    pub(crate) fn inner(&self, id: u8, what: &'static str) -> Result<Self, DecodeError> {
        let value = self.required(id, what)?;
        Self::parse(value, self.unit, self.place(id))
    }

    pub(crate) fn error(&self, id: u8, fault: Fault) -> DecodeError {
        DecodeError {
            fault,
            place: self.place(id),
        }
    }

    /// Where the value of a tag begins; the end of the template if it is not there.
    fn place(&self, id: u8) -> Place {
        let mut place = self.start.clone();
        place.path = join(&self.start.path, Id::of(id));
        for field in &self.fields {
            place.byte += 4;
            place.character += 4;
            if field.id == Id::of(id) {
                break;
            }
            place.byte += field.value.len();
            place.character += field.value.chars().count();
        }
        place
    }
}
