//! GTIN-8/12/13/14, UPC-E expansion and the keys an item may be filed under.

use super::check_digit::{gtin_check_digit, gtin_check_is_right};
use super::{Code, ScanFault, Symbology};

pub(super) fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Checks `text` as a GTIN of `length` digits.
pub(super) fn code(text: &str, length: usize, symbology: Symbology) -> Result<Code, ScanFault> {
    if text.len() != length || !all_digits(text) {
        return Err(ScanFault::Malformed {
            expected: symbology,
        });
    }
    if !gtin_check_is_right(text) {
        return Err(wrong_check_digit(text));
    }
    Ok(Code {
        text: text.to_owned(),
        symbology,
        candidates: candidates(text),
        gs1: None,
        embedded: None,
    })
}

fn wrong_check_digit(text: &str) -> ScanFault {
    let expected = gtin_check_digit(&text[..text.len() - 1]).unwrap_or(0);
    ScanFault::WrongCheckDigit {
        text: text.to_owned(),
        expected,
    }
}

/// Every spelling a GTIN may be filed under: as read, then zero-padded or stripped to 14, 13,
/// 12 and 8 digits. `gtin` must be 8 to 14 digits; anything else is its own only key.
pub fn candidates(gtin: &str) -> Vec<String> {
    let mut keys = vec![gtin.to_owned()];
    if gtin.len() > 14 || !all_digits(gtin) {
        return keys;
    }
    let full = format!("{gtin:0>14}");
    for length in [13, 14, 12, 8] {
        let (padding, key) = full.split_at(14 - length);
        if padding.bytes().all(|b| b == b'0') && !keys.iter().any(|k| k == key) {
            keys.push(key.to_owned());
        }
    }
    keys
}

/// Expands UPC-E to the 12 digits of UPC-A (GS1 General Specifications §5.2.2.4.2).
/// Takes 6 digits, 7 (with number system) or 8 (with check digit). `None` when the text is no
/// UPC-E; the check digit of 8 digits is not judged here.
pub fn expand_upc_e(text: &str) -> Option<String> {
    if !all_digits(text) {
        return None;
    }
    let (system, digits) = match text.len() {
        6 => ("0", text),
        7 | 8 => (&text[..1], &text[1..7]),
        _ => return None,
    };
    if system != "0" && system != "1" {
        return None;
    }
    let (head, last) = digits.split_at(5);
    let body = match last {
        "0" | "1" | "2" => format!("{system}{}{last}0000{}", &head[..2], &head[2..]),
        "3" => format!("{system}{}00000{}", &head[..3], &head[3..]),
        "4" => format!("{system}{}00000{}", &head[..4], &head[4..]),
        _ => format!("{system}{head}0000{last}"),
    };
    let check = match text.len() {
        8 => text[7..].to_owned(),
        _ => gtin_check_digit(&body)?.to_string(),
    };
    Some(body + &check)
}

/// A UPC-E read, 8 digits (or 6 or 7 when the scanner drops the frame).
pub(super) fn upc_e_code(text: &str) -> Result<Code, ScanFault> {
    let Some(expanded) = expand_upc_e(text) else {
        // `]E0` with 8 digits may also be an EAN-8 from a scanner that ignores `]E4`.
        return match text.len() {
            8 => code(text, 8, Symbology::Ean8),
            _ => Err(ScanFault::Malformed {
                expected: Symbology::UpcE,
            }),
        };
    };
    if !gtin_check_is_right(&expanded) {
        return match code(text, 8, Symbology::Ean8) {
            Ok(ean8) => Ok(ean8),
            Err(_) => Err(wrong_check_digit(&expanded)),
        };
    }
    let mut keys = candidates(&expanded);
    keys.push(text.to_owned());
    Ok(Code {
        text: text.to_owned(),
        symbology: Symbology::UpcE,
        candidates: keys,
        gs1: None,
        embedded: None,
    })
}

/// Eight digits without a named symbol: EAN-8, UPC-E, or (rarely) both; both keep all keys.
pub(super) fn eight_digits(text: &str) -> Result<Code, ScanFault> {
    let upc_e = expand_upc_e(text).filter(|expanded| gtin_check_is_right(expanded));
    match (code(text, 8, Symbology::Ean8), upc_e) {
        (Ok(mut ean8), Some(expanded)) => {
            for key in candidates(&expanded) {
                if !ean8.candidates.contains(&key) {
                    ean8.candidates.push(key);
                }
            }
            Ok(ean8)
        }
        (Ok(ean8), None) => Ok(ean8),
        (Err(_), Some(_)) => upc_e_code(text),
        (Err(fault), None) => Err(fault),
    }
}
