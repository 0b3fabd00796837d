//! Account numbers and creditor references shared by EPC and Swiss codes.

use crate::encode::alphanumeric;
use crate::error::EncodeError;

/// Remainder modulo 97 of the text read as ISO 7064 does (A = 10 … Z = 35),
/// the first four characters moved to the end. `None` for other characters.
fn mod_97(text: &str) -> Option<u32> {
    let (head, tail) = text.split_at_checked(4)?;
    tail.chars().chain(head.chars()).try_fold(0, |sum, c| {
        let value = c.to_digit(36).filter(|_| c.is_ascii())?;
        let shift = if value < 10 { 10 } else { 100 };
        Some((sum * shift + value) % 97)
    })
}

/// Whether an IBAN (ISO 13616, without spaces) is well formed and its check
/// digits fit.
#[must_use]
pub fn is_iban(text: &str) -> bool {
    let bytes = text.as_bytes();
    (15..=34).contains(&bytes.len())
        && bytes[..2].iter().all(u8::is_ascii_uppercase)
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && mod_97(text) == Some(1)
}

/// Whether a creditor reference (ISO 11649, `RF…` without spaces) fits its
/// check digits.
#[must_use]
pub fn is_creditor_reference(text: &str) -> bool {
    let bytes = text.as_bytes();
    (5..=25).contains(&bytes.len())
        && text.starts_with("RF")
        && bytes[2..4].iter().all(u8::is_ascii_digit)
        && bytes.iter().all(u8::is_ascii_alphanumeric)
        && mod_97(&text.to_ascii_uppercase()) == Some(1)
}

pub(crate) fn check_iban(name: &'static str, iban: &str) -> Result<(), EncodeError> {
    alphanumeric(name, iban, 15, 34)?;
    if is_iban(iban) {
        return Ok(());
    }
    Err(EncodeError::Value {
        field: name,
        found: iban.to_owned(),
        expected: "an IBAN in capitals whose check digits fit; copy it again",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits_are_checked() {
        // Proves published IBANs and references pass and one changed digit fails.
        for iban in [
            "DE71110220330123456789",
            "FR1420041010050500013M02606",
            "BE72000000001616",
            "CH4431999123000889012",
        ] {
            assert!(is_iban(iban), "{iban}");
        }
        assert!(!is_iban("DE71110220330123456788"));
        assert!(!is_iban("de71110220330123456789"));
        assert!(!is_iban("") && !is_iban("ÄÖ71110220330123456789"));
        assert!(is_creditor_reference("RF18539007547034"));
        assert!(!is_creditor_reference("RF18539007547035"));
    }
}
