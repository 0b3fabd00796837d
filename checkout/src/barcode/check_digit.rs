//! Check digits of the GS1 General Specifications, §7.9.

/// The check digit for `body` (the digits before it), any length: weights 3,1,3… from the right
/// (GS1 General Specifications §7.9.1). `None` when `body` is empty or holds a non-digit.
pub fn gtin_check_digit(body: &str) -> Option<u8> {
    if body.is_empty() {
        return None;
    }
    let mut sum = 0u32;
    for (index, byte) in body.bytes().rev().enumerate() {
        let digit = digit(byte)?;
        let weight = if index % 2 == 0 { 3 } else { 1 };
        sum = (sum + u32::from(digit) * weight) % 10;
    }
    u8::try_from((10 - sum) % 10).ok()
}

/// Whether the last digit of `text` is the right check digit for the digits before it.
pub fn gtin_check_is_right(text: &str) -> bool {
    let Some(last) = text.bytes().last().and_then(digit) else {
        return false;
    };
    gtin_check_digit(&text[..text.len() - 1]) == Some(last)
}

const THREE: [u8; 10] = [0, 3, 6, 9, 2, 5, 8, 1, 4, 7];
const TWO_MINUS: [u8; 10] = [0, 2, 4, 6, 8, 9, 1, 3, 5, 7];
const FIVE_PLUS: [u8; 10] = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];
const FIVE_MINUS: [u8; 10] = [0, 5, 9, 4, 8, 3, 7, 2, 6, 1];

/// The verifier digit of a four- or five-digit price or measure inside an in-store code
/// (GS1 General Specifications §7.9.3). `None` for other lengths or non-digits.
pub fn price_check_digit(field: &str) -> Option<u8> {
    let digits: Vec<usize> = field
        .bytes()
        .map(|b| digit(b).map(usize::from))
        .collect::<Option<_>>()?;
    let sum = |tables: &[&[u8; 10]]| -> u32 {
        digits
            .iter()
            .zip(tables)
            .map(|(&d, table)| u32::from(table[d]))
            .sum()
    };
    match digits.len() {
        4 => u8::try_from(sum(&[&TWO_MINUS, &TWO_MINUS, &THREE, &FIVE_MINUS]) * 3 % 10).ok(),
        5 => {
            let sum = sum(&[&FIVE_PLUS, &TWO_MINUS, &FIVE_MINUS, &FIVE_PLUS, &TWO_MINUS]);
            let wanted = (10 - sum % 10) % 10;
            FIVE_MINUS
                .iter()
                .position(|&p| u32::from(p) == wanted)
                .and_then(|d| u8::try_from(d).ok())
        }
        _ => None,
    }
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}
