//! Checks shared by the strict encoders.

use crate::amount::Amount;
use crate::error::EncodeError;
use crate::tlv::{Field, Id, LengthUnit, write};

/// Printable characters other than controls: the rule for names.
pub(crate) const PRINTABLE: &str = "printable characters";

pub(crate) fn field(id: u8, value: impl Into<String>) -> Field {
    Field {
        id: Id::of(id),
        value: value.into(),
    }
}

/// A template field out of inner fields, at most 99 characters.
pub(crate) fn template(id: u8, name: &'static str, inner: &[Field]) -> Result<Field, EncodeError> {
    let value = write(inner, LengthUnit::Characters)?;
    length(name, &value, 1, 99)?;
    Ok(field(id, value))
}

pub(crate) fn length(
    name: &'static str,
    value: &str,
    min: usize,
    max: usize,
) -> Result<(), EncodeError> {
    let characters = value.chars().count();
    if value.is_empty() && min > 0 {
        return Err(EncodeError::Empty { field: name });
    }
    if (min..=max).contains(&characters) {
        return Ok(());
    }
    Err(EncodeError::Length {
        field: name,
        characters,
        min,
        max,
    })
}

pub(crate) fn characters(
    name: &'static str,
    value: &str,
    allowed: &'static str,
    is_allowed: impl Fn(char) -> bool,
) -> Result<(), EncodeError> {
    match value.chars().enumerate().find(|(_, c)| !is_allowed(*c)) {
        None => Ok(()),
        Some((index, character)) => Err(EncodeError::Character {
            field: name,
            character,
            index,
            allowed,
        }),
    }
}

/// Length and printable characters: the rule for names and free texts.
pub(crate) fn text(
    name: &'static str,
    value: &str,
    min: usize,
    max: usize,
) -> Result<(), EncodeError> {
    length(name, value, min, max)?;
    characters(name, value, PRINTABLE, |c| !c.is_control())
}

pub(crate) fn digits(
    name: &'static str,
    value: &str,
    min: usize,
    max: usize,
) -> Result<(), EncodeError> {
    length(name, value, min, max)?;
    characters(name, value, "digits 0-9", |c| c.is_ascii_digit())
}

pub(crate) fn alphanumeric(
    name: &'static str,
    value: &str,
    min: usize,
    max: usize,
) -> Result<(), EncodeError> {
    length(name, value, min, max)?;
    characters(name, value, "letters A-Z a-z and digits 0-9", |c| {
        c.is_ascii_alphanumeric()
    })
}

/// An amount above zero with a given number of decimals, as tag 54 has it
/// (at most 13 characters).
pub(crate) fn amount_text(
    name: &'static str,
    amount: Amount,
    decimals: u8,
) -> Result<String, EncodeError> {
    let fail = |expected| EncodeError::Value {
        field: name,
        found: amount.to_string(),
        expected,
    };
    let minor = amount
        .minor(decimals)
        .ok_or_else(|| fail("an amount with no more decimals than the currency has"))?;
    if minor == 0 {
        return Err(fail("more than zero"));
    }
    let text = Amount::new(minor, decimals)
        .map(|amount| amount.to_string())
        .unwrap_or_default();
    if text.is_empty() || text.len() > 13 {
        return Err(fail("at most 13 characters"));
    }
    Ok(text)
}

/// Adds an optional, already checked value.
pub(crate) fn push_some(fields: &mut Vec<Field>, id: u8, value: Option<&String>) {
    if let Some(value) = value {
        fields.push(field(id, value.as_str()));
    }
}
