//! GS1 Digital Link URIs in QR codes: `https://example.com/01/09506000134352/10/ABC?17=261231`
//! (GS1 Digital Link Standard: URI Syntax, uncompressed form). Only the data is read; nothing is fetched.

use super::gs1::{self, Gs1};
use super::{ScanFault, gtin};

/// The GS1 data of a Digital Link; `None` when the text is no link that names a GTIN.
pub(super) fn parse(text: &str, year: i32) -> Result<Option<Gs1>, ScanFault> {
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    let rest = match () {
        () if lower.starts_with("https://") => &text[8..],
        () if lower.starts_with("http://") => &text[7..],
        () => return Ok(None),
    };
    let without_fragment = rest.split('#').next().unwrap_or(rest);
    let (path, query) = without_fragment
        .split_once('?')
        .unwrap_or((without_fragment, ""));
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let Some(start) = segments.iter().position(|&s| s == "01") else {
        return Ok(None);
    };
    let Some(gtin) = segments.get(start + 1).filter(|g| is_gtin(g)) else {
        return Ok(None);
    };
    let mut gs1 = Gs1::default();
    gs1::push_named(&mut gs1, "01", &format!("{gtin:0>14}"), year)?;
    for pair in segments[start + 2..].chunks(2) {
        if let [identifier, value] = pair {
            gs1::push_named(&mut gs1, identifier, &decode(value), year)?;
        }
    }
    // Other query parameters (tracking, language) belong to the web page, not to the item.
    for parameter in query.split(['&', ';']).filter(|p| !p.is_empty()) {
        if let Some((identifier, value)) = parameter.split_once('=')
            && gtin::all_digits(identifier)
        {
            gs1::push_named(&mut gs1, identifier, &decode(value), year)?;
        }
    }
    Ok(Some(gs1::finish(gs1)?))
}

fn is_gtin(text: &str) -> bool {
    matches!(text.len(), 8 | 12 | 13 | 14) && gtin::all_digits(text)
}

/// Percent-decoding; a broken escape stays as it is and is refused later as a wrong character.
fn decode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let byte = rest
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(u8::is_ascii) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &rest[at + 3..];
            }
            None => {
                out.push('%');
                rest = &rest[at + 1..];
            }
        }
    }
    out.push_str(rest);
    out
}
