//! AIM symbology identifiers (ISO/IEC 15424): `]`, a code character, a modifier.

use serde::{Deserialize, Serialize};

use super::ScanFault;

/// Characters of an AIM identifier.
pub(super) const IDENTIFIER_LENGTH: usize = 3;

/// The kind of symbol a text was read from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symbology {
    /// EAN-13, and UPC sent as 13 digits (`]E0`, with an add-on `]E3`).
    Ean13,
    /// EAN-8 (`]E4`).
    Ean8,
    /// UPC-A, 12 digits.
    UpcA,
    /// UPC-E, zero-suppressed.
    UpcE,
    /// ITF-14 (`]I1`), or 14 digits.
    Itf14,
    /// Interleaved 2 of 5 without a check digit (`]I0`).
    Itf,
    /// Code 128 (`]C0`).
    Code128,
    /// Code 39 (`]A…`).
    Code39,
    /// Code 93 (`]G0`).
    Code93,
    /// GS1-128 (`]C1`).
    Gs1Code128,
    /// GS1 DataBar (`]e0`).
    Gs1DataBar,
    /// Data Matrix (`]d1`).
    DataMatrix,
    /// GS1 DataMatrix (`]d2`).
    Gs1DataMatrix,
    /// QR code (`]Q1`).
    Qr,
    /// GS1 QR code (`]Q3`).
    Gs1Qr,
    /// The scanner did not say and the text does not show it.
    Unstated,
}

impl Symbology {
    /// Whether the symbol is two-dimensional and may be longer.
    pub fn is_matrix(self) -> bool {
        matches!(
            self,
            Self::DataMatrix | Self::Gs1DataMatrix | Self::Qr | Self::Gs1Qr
        )
    }

    /// Whether the text is made of GS1 application identifiers.
    pub fn is_gs1(self) -> bool {
        matches!(
            self,
            Self::Gs1Code128 | Self::Gs1DataBar | Self::Gs1DataMatrix | Self::Gs1Qr
        )
    }
}

/// Splits an AIM identifier off the text, if there is one.
pub(super) fn split(text: &str) -> Result<(Symbology, &str), ScanFault> {
    let Some(rest) = text.strip_prefix(']') else {
        return Ok((Symbology::Unstated, text));
    };
    let mut characters = rest.chars();
    let (Some(kind), Some(modifier)) = (characters.next(), characters.next()) else {
        return Err(ScanFault::UnknownSymbology {
            identifier: text.to_owned(),
        });
    };
    let body = characters.as_str();
    let symbology = match (kind, modifier) {
        ('E', '4') => Symbology::Ean8,
        ('E', '0' | '3') => ean_by_length(body),
        ('X', '0') => Symbology::Unstated,
        ('C', '1') => Symbology::Gs1Code128,
        ('C', '0' | '2' | '4') => Symbology::Code128,
        ('e', '0') => Symbology::Gs1DataBar,
        ('d', '2' | '5') => Symbology::Gs1DataMatrix,
        ('d', '0' | '1' | '3' | '4' | '6') => Symbology::DataMatrix,
        ('Q', '3' | '4') => Symbology::Gs1Qr,
        ('Q', '0' | '1' | '2' | '5' | '6') => Symbology::Qr,
        ('I', '1') if body.len() == 14 => Symbology::Itf14,
        ('I', '0' | '1' | '3') => Symbology::Itf,
        ('A', '0'..='7') => Symbology::Code39,
        ('G', '0'..='9') => Symbology::Code93,
        _ => {
            let identifier = ["]".to_owned(), kind.to_string(), modifier.to_string()].concat();
            return Err(ScanFault::UnknownSymbology { identifier });
        }
    };
    Ok((symbology, body))
}

/// Scanners that pad nothing send UPC-A, UPC-E and even EAN-8 under `]E0`.
fn ean_by_length(body: &str) -> Symbology {
    match body.len() {
        8 => Symbology::UpcE,
        12 => Symbology::UpcA,
        _ => Symbology::Ean13,
    }
}
