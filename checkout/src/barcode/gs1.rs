//! GS1 application identifiers: element strings with FNC1/GS, and the bracketed human form
//! (GS1 General Specifications §3 formats, §7.8 processing, §7.11 character set 82, §7.12 dates).

use serde::{Deserialize, Serialize};

use super::check_digit::gtin_check_is_right;
use super::{GROUP_SEPARATOR, Gs1Fault};

/// More elements than fit any retail label are refused.
const ELEMENTS_MAX: usize = 32;

/// An exact decimal: `units` ÷ 10^`scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decimal {
    /// All digits without the point.
    pub units: i64,
    /// Digits after the point, 0 to 9.
    pub scale: u8,
}

impl Decimal {
    /// The value in 10^-`digits` steps, rounded half up; `None` when it does not fit.
    pub fn rescale(self, digits: u8) -> Option<i64> {
        if self.scale <= digits {
            let factor = 10i64.checked_pow(u32::from(digits - self.scale))?;
            return self.units.checked_mul(factor);
        }
        let divisor = 10i64.checked_pow(u32::from(self.scale - digits))?;
        Some(self.units.checked_add(divisor / 2)? / divisor)
    }
}

/// A GS1 date. A stated day of 00 means the last day of the month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gs1Date {
    /// Four-digit year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31; the last of the month when the label says 00.
    pub day: u8,
    /// Whether the label stated the day.
    pub day_stated: bool,
}

/// One data element as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gs1Element {
    /// The application identifier, such as `01` or `3103`.
    pub identifier: String,
    /// Its data.
    pub value: String,
}

/// The elements of one symbol, and the ones a checkout uses in typed form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Gs1 {
    /// All elements in the order read.
    pub elements: Vec<Gs1Element>,
    /// (01) GTIN, 14 digits.
    pub gtin: Option<String>,
    /// (02) GTIN of the items inside, 14 digits.
    pub content_gtin: Option<String>,
    /// (10) batch or lot.
    pub lot: Option<String>,
    /// (21) serial.
    pub serial: Option<String>,
    /// (11) production date.
    pub production: Option<Gs1Date>,
    /// (13) packaging date.
    pub packaging: Option<Gs1Date>,
    /// (15) best before.
    pub best_before: Option<Gs1Date>,
    /// (16) sell by.
    pub sell_by: Option<Gs1Date>,
    /// (17) expiry: not to be sold after this day.
    pub expiry: Option<Gs1Date>,
    /// (37) count of items inside, or (30) variable count.
    pub count: Option<i64>,
    /// (310n) net weight in kilograms.
    pub net_weight_kg: Option<Decimal>,
    /// (320n) net weight in pounds.
    pub net_weight_lb: Option<Decimal>,
    /// (390n) or (392n) amount payable in the shop's own currency.
    pub amount: Option<Decimal>,
    /// (391n) or (393n) amount payable with its ISO 4217 numeric currency.
    pub amount_with_currency: Option<(u16, Decimal)>,
}

impl Gs1 {
    /// The bracketed form, such as `(01)09506000134352(17)261231`.
    pub fn bracketed(&self) -> String {
        self.elements
            .iter()
            .map(|e| format!("({}){}", e.identifier, e.value))
            .collect()
    }
}

/// The format of an identifier's data.
#[derive(Clone, Copy)]
enum Format {
    /// Exactly so many digits; `check` when the last is a check digit.
    Digits { length: usize, check: bool },
    /// Up to so many digits.
    DigitsUpTo(usize),
    /// Three digits (a currency or country), then up to so many digits.
    CodedDigitsUpTo(usize),
    /// Up to so many characters of set 82.
    TextUpTo(usize),
    /// YYMMDD.
    Date,
}

/// Identifier length and data format by the identifier's first digits.
fn format_of(text: &str) -> Option<(usize, Format)> {
    let bytes = text.as_bytes();
    let two = text.get(..2)?;
    if !two.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let third = bytes
        .get(2)
        .filter(|b| b.is_ascii_digit())
        .map(|b| b - b'0');
    let fourth = bytes
        .get(3)
        .filter(|b| b.is_ascii_digit())
        .map(|b| b - b'0');
    let digits = |length| Format::Digits {
        length,
        check: false,
    };
    let checked = |length| Format::Digits {
        length,
        check: true,
    };
    let found = match two {
        "00" => (2, checked(18)),
        "01" | "02" | "03" => (2, checked(14)),
        "11" | "12" | "13" | "15" | "16" | "17" => (2, Format::Date),
        "10" | "21" | "22" => (2, Format::TextUpTo(20)),
        "20" => (2, digits(2)),
        "30" | "37" => (2, Format::DigitsUpTo(8)),
        "90" => (2, Format::TextUpTo(30)),
        "91" | "92" | "93" | "94" | "95" | "96" | "97" | "98" | "99" => (2, Format::TextUpTo(90)),
        "24" | "25" => (
            3,
            match (two, third?) {
                ("24", 0 | 1) | ("25", 0 | 1) => Format::TextUpTo(30),
                ("24", 2) => Format::DigitsUpTo(6),
                ("24", 3) | ("25", 4) => Format::TextUpTo(20),
                _ => return None,
            },
        ),
        "31" | "32" | "33" | "34" | "35" | "36" => {
            fourth?;
            (4, digits(6))
        }
        "39" => {
            fourth?;
            (
                4,
                match third? {
                    0 | 2 => Format::DigitsUpTo(15),
                    1 | 3 => Format::CodedDigitsUpTo(15),
                    4 => digits(4),
                    5 => digits(6),
                    _ => return None,
                },
            )
        }
        "40" => (
            3,
            match third? {
                0 | 1 | 3 => Format::TextUpTo(30),
                2 => checked(17),
                _ => return None,
            },
        ),
        "41" => (
            3,
            if third? <= 7 {
                checked(13)
            } else {
                return None;
            },
        ),
        "42" => (
            3,
            match third? {
                0 => Format::TextUpTo(20),
                1 => Format::TextUpTo(12),
                2 | 4 | 6 => digits(3),
                3 | 5 => Format::DigitsUpTo(15),
                7 => Format::TextUpTo(3),
                _ => return None,
            },
        ),
        "70" | "80" => (
            4,
            match text.get(..4)? {
                "7001" => digits(13),
                "7002" => Format::TextUpTo(30),
                "7003" => digits(10),
                "8005" => digits(6),
                "8006" => digits(18),
                "8008" => Format::DigitsUpTo(12),
                "8020" => Format::TextUpTo(25),
                _ => return None,
            },
        ),
        _ => return None,
    };
    Some(found)
}

/// Identifiers whose length is fixed by the GS1 rules, so no separator follows (§7.8.5).
fn needs_no_separator(identifier: &str) -> bool {
    matches!(
        identifier.get(..2),
        Some(
            "00" | "01"
                | "02"
                | "03"
                | "04"
                | "11"
                | "12"
                | "13"
                | "14"
                | "15"
                | "16"
                | "17"
                | "18"
                | "19"
                | "20"
                | "31"
                | "32"
                | "33"
                | "34"
                | "35"
                | "36"
                | "41"
        )
    )
}

/// An element string: identifiers and data end to end, GS after data of open length.
pub(super) fn parse_elements(text: &str, year: i32) -> Result<Gs1, Gs1Fault> {
    let mut rest = text.trim_start_matches(GROUP_SEPARATOR);
    let mut gs1 = Gs1::default();
    while !rest.is_empty() {
        let (identifier, format) = identifier_at(rest)?;
        rest = &rest[identifier.len()..];
        let length = data_length(&identifier, format, rest)?;
        let (value, after) = rest.split_at(length);
        push(&mut gs1, &identifier, format, value, year)?;
        rest = after.strip_prefix(GROUP_SEPARATOR).unwrap_or(after);
    }
    finish(gs1)
}

/// How many bytes of `rest` belong to the element.
fn data_length(identifier: &str, format: Format, rest: &str) -> Result<usize, Gs1Fault> {
    let until = rest.find(GROUP_SEPARATOR).unwrap_or(rest.len());
    let wrong = |length| Gs1Fault::WrongLength {
        identifier: identifier.to_owned(),
        length,
    };
    let fixed = match format {
        Format::Digits { length, .. } => Some(length),
        Format::Date => Some(6),
        _ => None,
    };
    match fixed {
        Some(length) if needs_no_separator(identifier) || until >= length => {
            if until < length || !rest.is_char_boundary(length) {
                return Err(wrong(until));
            }
            Ok(length)
        }
        Some(_) => Err(wrong(until)),
        None => Ok(until),
    }
}

/// The human form `(01)…(17)…`. Brackets are also set-82 characters, so an element ends only
/// where a known identifier in brackets follows.
pub(super) fn parse_bracketed(text: &str, year: i32) -> Result<Gs1, Gs1Fault> {
    let mut gs1 = Gs1::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (identifier, format) = bracket_at(rest).ok_or(Gs1Fault::Layout)?;
        rest = &rest[identifier.len() + 2..];
        let end = rest
            .match_indices('(')
            .map(|(index, _)| index)
            .find(|&index| bracket_at(&rest[index..]).is_some())
            .unwrap_or(rest.len());
        push(&mut gs1, &identifier, format, &rest[..end], year)?;
        rest = &rest[end..];
    }
    finish(gs1)
}

fn bracket_at(text: &str) -> Option<(String, Format)> {
    let inside = text.strip_prefix('(')?;
    let identifier = &inside[..inside.find(')')?];
    let (length, format) = format_of(identifier)?;
    (length == identifier.len()).then(|| (identifier.to_owned(), format))
}

fn identifier_at(text: &str) -> Result<(String, Format), Gs1Fault> {
    match format_of(text) {
        Some((length, format)) if text.is_char_boundary(length) => {
            Ok((text[..length].to_owned(), format))
        }
        _ => Err(Gs1Fault::UnknownIdentifier {
            start: text.chars().take(4).collect(),
        }),
    }
}

/// Adds one element given by identifier and data (also used for Digital Links).
pub(super) fn push_named(
    gs1: &mut Gs1,
    identifier: &str,
    value: &str,
    year: i32,
) -> Result<(), Gs1Fault> {
    let unknown = || Gs1Fault::UnknownIdentifier {
        start: identifier.chars().take(4).collect(),
    };
    let (length, format) = format_of(identifier).ok_or_else(unknown)?;
    if length != identifier.len() {
        return Err(unknown());
    }
    push(gs1, identifier, format, value, year)
}

fn push(
    gs1: &mut Gs1,
    identifier: &str,
    format: Format,
    value: &str,
    year: i32,
) -> Result<(), Gs1Fault> {
    check_format(identifier, format, value)?;
    if let Some(earlier) = gs1.elements.iter().find(|e| e.identifier == identifier) {
        // §4.14: the same element twice must carry the same data.
        if earlier.value == value {
            return Ok(());
        }
        return Err(Gs1Fault::Conflict {
            identifier: identifier.to_owned(),
        });
    }
    if gs1.elements.len() >= ELEMENTS_MAX {
        return Err(Gs1Fault::TooManyElements {
            limit: ELEMENTS_MAX,
        });
    }
    keep_typed(gs1, identifier, value, year)?;
    gs1.elements.push(Gs1Element {
        identifier: identifier.to_owned(),
        value: value.to_owned(),
    });
    Ok(())
}

fn check_format(identifier: &str, format: Format, value: &str) -> Result<(), Gs1Fault> {
    let id = || identifier.to_owned();
    let length = value.chars().count();
    let (right_length, digits_only) = match format {
        Format::Digits { length: wanted, .. } => (length == wanted, true),
        Format::Date => (length == 6, true),
        Format::DigitsUpTo(most) => ((1..=most).contains(&length), true),
        Format::CodedDigitsUpTo(most) => ((4..=most + 3).contains(&length), true),
        Format::TextUpTo(most) => ((1..=most).contains(&length), false),
    };
    if !right_length {
        return Err(Gs1Fault::WrongLength {
            identifier: id(),
            length,
        });
    }
    let allowed = |c: char| {
        if digits_only {
            c.is_ascii_digit()
        } else {
            in_set_82(c)
        }
    };
    if !value.chars().all(allowed) {
        return Err(Gs1Fault::WrongCharacter { identifier: id() });
    }
    if matches!(format, Format::Digits { check: true, .. }) && !gtin_check_is_right(value) {
        return Err(Gs1Fault::WrongCheckDigit { identifier: id() });
    }
    Ok(())
}

/// GS1 AI encodable character set 82 (§7.11, figure 7.11-1).
fn in_set_82(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!\"%&'()*+,-./_:;<=>?".contains(c)
}

fn keep_typed(gs1: &mut Gs1, identifier: &str, value: &str, year: i32) -> Result<(), Gs1Fault> {
    let date = || read_date(identifier, value, year).map(Some);
    let scaled = |digits: &str| Decimal {
        units: digits.parse().unwrap_or(0),
        scale: identifier
            .bytes()
            .last()
            .map_or(0, |b| b.wrapping_sub(b'0')),
    };
    match (identifier, identifier.get(..3).unwrap_or("")) {
        ("01", _) => gs1.gtin = Some(value.to_owned()),
        ("02", _) => gs1.content_gtin = Some(value.to_owned()),
        ("10", _) => gs1.lot = Some(value.to_owned()),
        ("21", _) => gs1.serial = Some(value.to_owned()),
        ("11", _) => gs1.production = date()?,
        ("13", _) => gs1.packaging = date()?,
        ("15", _) => gs1.best_before = date()?,
        ("16", _) => gs1.sell_by = date()?,
        ("17", _) => gs1.expiry = date()?,
        ("12", _) => {
            date()?;
        }
        ("30" | "37", _) => gs1.count = value.parse().ok(),
        (_, "310") => gs1.net_weight_kg = Some(scaled(value)),
        (_, "320") => gs1.net_weight_lb = Some(scaled(value)),
        (_, "390" | "392") => gs1.amount = Some(scaled(value)),
        (_, "391" | "393") => {
            let currency = value.get(..3).and_then(|c| c.parse().ok()).unwrap_or(0);
            let amount = scaled(value.get(3..).unwrap_or(""));
            gs1.amount_with_currency = Some((currency, amount));
        }
        _ => {}
    }
    Ok(())
}

fn read_date(identifier: &str, value: &str, year: i32) -> Result<Gs1Date, Gs1Fault> {
    let wrong = || Gs1Fault::WrongDate {
        identifier: identifier.to_owned(),
    };
    let two = |at: usize| {
        value
            .get(at..at + 2)
            .and_then(|t| t.parse::<u8>().ok())
            .ok_or_else(wrong)
    };
    let (short_year, month, day) = (two(0)?, two(2)?, two(4)?);
    if !(1..=12).contains(&month) {
        return Err(wrong());
    }
    let year = full_year(i32::from(short_year), year);
    let last = days_in_month(year, month);
    if day > last {
        return Err(wrong());
    }
    let day_stated = day != 0;
    Ok(Gs1Date {
        year,
        month,
        day: if day_stated { day } else { last },
        day_stated,
    })
}

/// §7.12: a two-digit year lies within 49 years before and 50 after the present one.
fn full_year(short: i32, present: i32) -> i32 {
    let century = present - present.rem_euclid(100);
    match short - present.rem_euclid(100) {
        51..=99 => century - 100 + short,
        -99..=-50 => century + 100 + short,
        _ => century + short,
    }
}

fn days_in_month(year: i32, month: u8) -> u8 {
    let leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Identifiers that only make sense together (§4.14).
pub(super) fn finish(gs1: Gs1) -> Result<Gs1, Gs1Fault> {
    let has = |identifier: &str| gs1.elements.iter().any(|e| e.identifier == identifier);
    let missing = |identifier: &str, needs: &str| Gs1Fault::MissingPartner {
        identifier: identifier.to_owned(),
        needs: needs.to_owned(),
    };
    if gs1.elements.is_empty() {
        return Err(Gs1Fault::Layout);
    }
    if has("02") && !has("37") {
        return Err(missing("02", "37"));
    }
    if has("37") && !has("02") && !has("00") {
        return Err(missing("37", "02"));
    }
    if has("01") && has("02") {
        return Err(Gs1Fault::Conflict {
            identifier: "02".to_owned(),
        });
    }
    Ok(gs1)
}
