//! What a scanner read, understood: symbology, check digits, application identifiers, embedded prices.
//!
//! [`parse`] takes the text a scanner sent (with or without an AIM symbology identifier,
//! ISO/IEC 15424) and answers either a [`Code`] with the keys to look it up by, or a
//! [`ScanFault`] that has its own words on the screen. Lengths are bounded, control
//! characters are refused (except the GS separator inside GS1 data), and nothing panics.

mod check_digit;
mod embedded;
mod fault;
mod gs1;
mod gtin;
mod link;
mod symbology;

pub use check_digit::{gtin_check_digit, gtin_check_is_right, price_check_digit};
pub use embedded::{Embedded, EmbeddedField, EmbeddedTemplate, TemplateError};
pub use fault::{Gs1Fault, ScanFault};
pub use gs1::{Decimal, Gs1, Gs1Date, Gs1Element};
pub use gtin::{candidates as gtin_candidates, expand_upc_e};
pub use symbology::Symbology;

use serde::{Deserialize, Serialize};

/// The longest text taken from a linear symbol, in characters.
pub const LINEAR_LENGTH_MAX: usize = 128;
/// The longest text taken from a QR code or Data Matrix, in characters.
pub const MATRIX_LENGTH_MAX: usize = 512;
/// The GS1 element separator (ASCII 29), the only control character ever accepted.
pub const GROUP_SEPARATOR: char = '\u{1d}';

/// What the shop has decided about its own codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct BarcodeRules {
    /// In-store EAN-13 codes that carry a price, weight or quantity; the first match wins.
    #[serde(default)]
    pub templates: Vec<EmbeddedTemplate>,
}

/// One understood read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Code {
    /// The text as read, without the symbology identifier; GS1 data in its bracketed form.
    pub text: String,
    /// The kind of symbol; [`Symbology::Unstated`] when the scanner did not say and the text does not show it.
    pub symbology: Symbology,
    /// Keys to look the item up by, most exact first; never empty, no doubles.
    pub candidates: Vec<String>,
    /// GS1 application identifiers, when the symbol carries them.
    pub gs1: Option<Gs1>,
    /// Price, weight or quantity printed into an in-store code.
    pub embedded: Option<Embedded>,
}

/// Understands one read. `year` is the present year (four digits), used only to place
/// two-digit GS1 years in a century (GS1 General Specifications §7.12).
///
/// # Errors
/// A [`ScanFault`] naming what is wrong; scanning again helps for damaged reads, never for
/// codes the shop does not use.
pub fn parse(text: &str, rules: &BarcodeRules, year: i32) -> Result<Code, ScanFault> {
    let length = text.chars().count();
    if length > MATRIX_LENGTH_MAX + symbology::IDENTIFIER_LENGTH {
        return Err(ScanFault::TooLong {
            length,
            limit: MATRIX_LENGTH_MAX,
        });
    }
    let text = text.trim_end_matches(['\r', '\n']);
    let (symbology, body) = symbology::split(text)?;
    let body = body.trim_matches(' ');
    if body.is_empty() {
        return Err(ScanFault::Empty);
    }
    let length = body.chars().count();
    let limit = if symbology.is_matrix() {
        MATRIX_LENGTH_MAX
    } else {
        LINEAR_LENGTH_MAX
    };
    if length > limit && !(symbology == Symbology::Unstated && length <= MATRIX_LENGTH_MAX) {
        return Err(ScanFault::TooLong { length, limit });
    }
    refuse_controls(body, symbology)?;
    read(symbology, body, rules, year)
}

/// The GS separator is data in GS1 symbols (and in reads that do not name their symbol); nothing else is.
fn refuse_controls(body: &str, symbology: Symbology) -> Result<(), ScanFault> {
    let separator_is_data = symbology.is_gs1() || symbology == Symbology::Unstated;
    match body
        .chars()
        .position(|c| c.is_control() && !(c == GROUP_SEPARATOR && separator_is_data))
    {
        Some(position) => Err(ScanFault::Control { position }),
        None => Ok(()),
    }
}

fn read(
    symbology: Symbology,
    body: &str,
    rules: &BarcodeRules,
    year: i32,
) -> Result<Code, ScanFault> {
    match symbology {
        Symbology::Ean13 => retail(body, rules),
        Symbology::Ean8 => gtin::code(body, 8, Symbology::Ean8),
        Symbology::UpcA => gtin::code(body, 12, Symbology::UpcA),
        Symbology::UpcE => gtin::upc_e_code(body),
        Symbology::Itf14 => gtin::code(body, 14, Symbology::Itf14),
        Symbology::Gs1Code128
        | Symbology::Gs1DataBar
        | Symbology::Gs1DataMatrix
        | Symbology::Gs1Qr => gs1_code(symbology, body, year),
        Symbology::Qr | Symbology::DataMatrix => matrix(symbology, body, year),
        Symbology::Code128 | Symbology::Code39 | Symbology::Code93 | Symbology::Itf => {
            plain(symbology, body)
        }
        Symbology::Unstated => unstated(body, rules, year),
    }
}

/// EAN-13 as scanners send it: 13 digits, with UPC-A and UPC-E padded by zeros, or with an add-on of 2 or 5 digits.
fn retail(body: &str, rules: &BarcodeRules) -> Result<Code, ScanFault> {
    let main = match body.len() {
        15 | 18 if gtin::all_digits(body) => &body[..13],
        _ => body,
    };
    let mut code = gtin::code(main, 13, Symbology::Ean13)?;
    if let Some(embedded) = embedded::find(main, &rules.templates)? {
        code.candidates = embedded.candidates.clone();
        code.embedded = Some(embedded);
    }
    Ok(code)
}

fn gs1_code(symbology: Symbology, body: &str, year: i32) -> Result<Code, ScanFault> {
    let gs1 = if body.starts_with('(') {
        gs1::parse_bracketed(body, year)?
    } else {
        gs1::parse_elements(body, year)?
    };
    Ok(from_gs1(symbology, gs1))
}

fn from_gs1(symbology: Symbology, gs1: Gs1) -> Code {
    let key = gs1.gtin.clone().or_else(|| gs1.content_gtin.clone());
    let candidates = match key {
        Some(gtin) => gtin::candidates(&gtin),
        None => vec![gs1.bracketed()],
    };
    Code {
        text: gs1.bracketed(),
        symbology,
        candidates,
        gs1: Some(gs1),
        embedded: None,
    }
}

/// A QR code or Data Matrix without FNC1: a GS1 Digital Link, or the shop's own text.
fn matrix(symbology: Symbology, body: &str, year: i32) -> Result<Code, ScanFault> {
    if let Some(gs1) = link::parse(body, year)? {
        return Ok(from_gs1(symbology, gs1));
    }
    if body.starts_with("(01)") {
        return gs1_code(symbology, body, year);
    }
    Ok(text_code(symbology, body))
}

/// A linear symbol with free text: digits that happen to be a right GTIN also find the item by it.
fn plain(symbology: Symbology, body: &str) -> Result<Code, ScanFault> {
    if !body.is_ascii() {
        return Err(ScanFault::Malformed {
            expected: symbology,
        });
    }
    Ok(text_code(symbology, body))
}

fn text_code(symbology: Symbology, body: &str) -> Code {
    let mut candidates = vec![body.to_owned()];
    if matches!(body.len(), 8 | 12 | 13 | 14) && check_digit::gtin_check_is_right(body) {
        for key in gtin::candidates(body) {
            if !candidates.contains(&key) {
                candidates.push(key);
            }
        }
    }
    Code {
        text: body.to_owned(),
        symbology,
        candidates,
        gs1: None,
        embedded: None,
    }
}

/// The scanner did not name the symbol, so its shape has to.
fn unstated(body: &str, rules: &BarcodeRules, year: i32) -> Result<Code, ScanFault> {
    if body.starts_with("(01)") || body.starts_with("(02)") || body.starts_with("(00)") {
        return gs1_code(Symbology::Gs1Code128, body, year);
    }
    if body.contains(GROUP_SEPARATOR) {
        return gs1_code(Symbology::Gs1Code128, body, year);
    }
    if gtin::all_digits(body) {
        match body.len() {
            8 => return gtin::eight_digits(body),
            12 => return gtin::code(body, 12, Symbology::UpcA),
            13 => return retail(body, rules),
            14 => return gtin::code(body, 14, Symbology::Itf14),
            _ => {}
        }
    }
    // A GS1-128 read by a scanner that names nothing and ends no field: only a whole, valid
    // element string that starts with a right GTIN is taken for one.
    if body.len() >= 16
        && body.starts_with("01")
        && let Ok(gs1) = gs1::parse_elements(body, year)
    {
        return Ok(from_gs1(Symbology::Gs1Code128, gs1));
    }
    if let Some(gs1) = link::parse(body, year)? {
        return Ok(from_gs1(Symbology::Qr, gs1));
    }
    Ok(text_code(Symbology::Unstated, body))
}

#[cfg(test)]
mod tests;
