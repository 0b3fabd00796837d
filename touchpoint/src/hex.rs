//! Lower-case hexadecimal, the only binary-to-text form in the journal and on the wire.

/// Lower-case hexadecimal of `bytes`, two digits for each byte.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Exactly `N` bytes from `2 N` lower-case hexadecimal digits; `None` for anything else.
///
/// Upper case is refused so that one value has one spelling.
#[must_use]
pub fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != N * 2 {
        return None;
    }
    let mut bytes = [0_u8; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

/// Serde form of a fixed byte array as lower-case hexadecimal text (`#[serde(with = "touchpoint::hex::array")]`).
pub mod array {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    /// Writes the array as lower-case hexadecimal.
    ///
    /// # Errors
    /// Only what the serializer itself reports.
    pub fn serialize<const N: usize, S: Serializer>(
        bytes: &[u8; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::encode(bytes))
    }

    /// Reads exactly `2 N` lower-case hexadecimal digits.
    ///
    /// # Errors
    /// Text of another length, or with a character outside `0-9a-f`.
    pub fn deserialize<'de, const N: usize, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<[u8; N], D::Error> {
        let text = String::deserialize(deserializer)?;
        super::decode(&text)
            .ok_or_else(|| D::Error::custom(format!("expected {} lower-case hex digits", N * 2)))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn one_value_has_one_spelling() {
        // Proves: decode is the inverse of encode and refuses upper case, wrong length and foreign letters.
        assert_eq!(encode(&[0, 15, 255]), "000fff");
        assert_eq!(decode::<3>("000fff").unwrap(), [0, 15, 255]);
        for bad in ["000FFF", "000ff", "000fff0", "00 fff", "00gfff"] {
            assert_eq!(decode::<3>(bad), None, "{bad}");
        }
    }
}
