//! Packed decimal numbers: two digits a byte, most significant first.

use super::CodecError;

/// Packs `value` into `bytes` bytes, or says that it does not fit.
pub fn pack(value: u64, bytes: usize) -> Result<Vec<u8>, CodecError> {
    let mut packed = vec![0; bytes];
    let mut left = value;
    for byte in packed.iter_mut().rev() {
        let pair = (left % 100) as u8;
        *byte = ((pair / 10) << 4) | (pair % 10);
        left /= 100;
    }
    if left > 0 {
        let digits = u8::try_from(bytes * 2).unwrap_or(u8::MAX);
        return Err(CodecError::TooManyDigits { value, digits });
    }
    Ok(packed)
}

/// Unpacks digits; `None` if a nibble is not a digit or the number is longer than 19 digits.
pub fn unpack(packed: &[u8]) -> Option<u64> {
    packed
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0F])
        .try_fold(0u64, |value, digit| {
            if digit > 9 {
                return None;
            }
            value.checked_mul(10)?.checked_add(u64::from(digit))
        })
}
