//! Keeps payment card numbers out of the journal.
//!
//! PCI DSS 4.0 §3.5 wants the primary account number unreadable wherever it is stored; the kiosk's answer is
//! that it is never stored. The kiosk should never see one (the terminal keeps it), so a hit here is a fault in
//! a driver or a shopper typing a card into a search box.
//!
//! What counts as a card number, in every string, object key and integer of an event:
//! - a run of 15 to 19 digits that passes the Luhn check (ISO/IEC 7812-1 Annex B);
//! - a run of 13 or 14 digits that passes the Luhn check and starts like a card of that length;
//! - the same digits written in the groups a card is embossed in (4-4-4-4, 4-4-4-4-3, 4-6-5, 4-6-4, 4-4-4-1),
//!   separated by one space, hyphen or dot.
//!
//! What does not: runs longer than 19 digits; UUIDs; hexadecimal text of 32 or more characters (hashes,
//! signatures). Receipt numbers with dates such as `K4-20261122-0001` are not in card groups.
//!
//! In a *code field* (`gtin`, `code`, `barcode`, `gtin_…`, `…_gtin`, `…_code`, `…_barcode`) an EAN-13 or GTIN-14
//! may pass Luhn by chance, so there 13 and 14 digits are always allowed and longer runs are refused only when they
//! also start like a card (a GS1 element string `(01)…` does not).
//!
//! Integers are refused only with a card's start, because amounts and clock readings are integers too.

use std::borrow::Cow;

/// Where a string stands, which decides how strictly digits are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Any text.
    Text,
    /// A product code, where 13 and 14 digits are normal.
    Code,
}

impl Field {
    /// The kind of field a JSON key names.
    #[must_use]
    pub fn of_key(key: &str) -> Self {
        const WORDS: [&str; 3] = ["gtin", "code", "barcode"];
        if key.split('_').any(|part| WORDS.contains(&part)) {
            Self::Code
        } else {
            Self::Text
        }
    }
}

/// True when `text` holds something that looks like a payment card number (see the module's rules).
#[must_use]
pub fn contains(text: &str, field: Field) -> bool {
    find(text.as_bytes(), field).is_some()
}

/// True when an integer, written in decimal, starts and checks like a payment card number.
#[must_use]
pub fn integer_is_card(magnitude: u64) -> bool {
    let text = magnitude.to_string();
    (15..=19).contains(&text.len()) && luhn(text.bytes()) && starts_like_card(text.as_bytes())
}

/// `text` with the digits of every card-like number replaced by `*`, for words that come from another program
/// (a terminal's display text, a bank's note) and must never stop a sale from being recorded.
#[must_use]
pub fn redact(text: &str, field: Field) -> Cow<'_, str> {
    let Some(first) = find(text.as_bytes(), field) else {
        return Cow::Borrowed(text);
    };
    let mut bytes = text.as_bytes().to_vec();
    let mut found = Some(first);
    while let Some((start, end)) = found {
        for byte in &mut bytes[start..end] {
            if byte.is_ascii_digit() {
                *byte = b'*';
            }
        }
        found = find(&bytes, field);
    }
    Cow::Owned(String::from_utf8(bytes).unwrap_or_default())
}

/// The first card-like number as a byte range.
fn find(text: &[u8], field: Field) -> Option<(usize, usize)> {
    if text.len() < 13 || is_opaque(text) {
        return None;
    }
    let runs = digit_runs(text);
    runs.iter()
        .copied()
        .find(|&(start, end)| is_card(&text[start..end], field))
        .or_else(|| find_grouped(text, &runs, field))
}

/// UUIDs and long hexadecimal texts are random digits by design.
fn is_opaque(text: &[u8]) -> bool {
    let hex = |c: &u8| c.is_ascii_digit() || (b'a'..=b'f').contains(c);
    let hyphen_at = |index: usize| matches!(index, 8 | 13 | 18 | 23);
    let uuid = text.len() == 36
        && text
            .iter()
            .enumerate()
            .all(|(index, c)| if hyphen_at(index) { *c == b'-' } else { hex(c) });
    uuid || (text.len() >= 32 && text.iter().all(hex))
}

fn digit_runs(text: &[u8]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = None;
    for (index, byte) in text.iter().enumerate() {
        match (byte.is_ascii_digit(), start) {
            (true, None) => start = Some(index),
            (false, Some(from)) => {
                runs.push((from, index));
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        runs.push((from, text.len()));
    }
    runs
}

fn find_grouped(text: &[u8], runs: &[(usize, usize)], field: Field) -> Option<(usize, usize)> {
    const GROUPS: [&[usize]; 5] = [
        &[4, 4, 4, 4, 3],
        &[4, 4, 4, 4],
        &[4, 6, 5],
        &[4, 6, 4],
        &[4, 4, 4, 1],
    ];
    (0..runs.len()).find_map(|first| {
        GROUPS.iter().find_map(|groups| {
            let run = runs.get(first..first + groups.len())?;
            let sized = run
                .iter()
                .zip(*groups)
                .all(|(&(start, end), &size)| end - start == size);
            let joined = run
                .windows(2)
                .all(|pair| pair[1].0 - pair[0].1 == 1 && b" -.".contains(&text[pair[0].1]));
            let (start, end) = (run[0].0, run[run.len() - 1].1);
            let digits: Vec<u8> = text[start..end]
                .iter()
                .copied()
                .filter(u8::is_ascii_digit)
                .collect();
            (sized && joined && is_card(&digits, field)).then_some((start, end))
        })
    })
}

fn is_card(digits: &[u8], field: Field) -> bool {
    let suspicious = match (digits.len(), field) {
        (15..=19, Field::Text) => true,
        (15..=19, Field::Code) | (13..=14, Field::Text) => starts_like_card(digits),
        _ => false,
    };
    suspicious && luhn(digits.iter().copied())
}

/// The Luhn check (ISO/IEC 7812-1 Annex B) over ASCII digits.
fn luhn(digits: impl DoubleEndedIterator<Item = u8>) -> bool {
    let sum: u32 = digits
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let value = u32::from(digit - b'0') << (index % 2);
            value / 10 + value % 10
        })
        .sum();
    sum.is_multiple_of(10)
}

/// Issuer prefixes with the lengths the schemes publish; `9704` is Vietnam's NAPAS.
fn starts_like_card(digits: &[u8]) -> bool {
    let prefix = |count: usize| {
        digits[..count]
            .iter()
            .fold(0_u32, |value, digit| value * 10 + u32::from(digit - b'0'))
    };
    let (one, two, three, four) = (prefix(1), prefix(2), prefix(3), prefix(4));
    match digits.len() {
        13 => one == 4 || two == 50 || (56..=69).contains(&two),
        14 => two == 36 || two == 38 || two == 39 || (300..=305).contains(&three) || three == 309,
        15 => two == 34 || two == 37,
        _ => {
            matches!(one, 3..=6)
                || (2200..=2720).contains(&four)
                || two == 81
                || two == 82
                || four == 9704
                || four == 9792
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_are_seen_however_they_are_written() {
        // Proves: the schemes' published test numbers are caught plain, grouped, inside words and after letters.
        for text in [
            "4111111111111111",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "thẻ 5555.5555.5555.4444 nhé",
            "PAN=378282246310005;",
            "x3782 822463 10005",
            "30569309025904",
            "4222222222222",
            "9704000000000018",
            "6221260000000000",
        ] {
            let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_digit).collect();
            assert!(
                luhn(digits.iter().copied()),
                "vector {text} is not Luhn valid"
            );
            assert!(contains(text, Field::Text), "{text}");
        }
    }

    #[test]
    fn product_codes_and_identifiers_pass() {
        // Proves: barcodes that pass Luhn, GS1 strings, UUIDs, hashes, receipt numbers and clock readings are not cards.
        assert!(
            luhn("4000000000006".bytes()),
            "the EAN below passes Luhn by chance"
        );
        for (text, field) in [
            ("4000000000006", Field::Code),
            ("30569309025904", Field::Code),
            ("0104012345123456", Field::Code),
            ("8934563138165", Field::Text),
            ("00000000-0000-7000-8000-000000000000", Field::Text),
            (
                "0000000000000000000000000000000000000000000000000000000000000000",
                Field::Text,
            ),
            ("K4-20261122-0001", Field::Text),
            ("2026-11-22 10:00:00", Field::Text),
            ("FT26326123456", Field::Text),
        ] {
            assert!(!contains(text, field), "{text}");
        }
        assert!(!integer_is_card(1_795_390_000_000));
        assert!(integer_is_card(4_111_111_111_111_111));
    }

    #[test]
    fn redaction_leaves_nothing_to_find() {
        // Proves: redact masks every card in a text and keeps the rest.
        let text = "A 4111111111111111 B 5555 5555 5555 4444";
        assert_eq!(
            redact(text, Field::Text),
            "A **************** B **** **** **** ****"
        );
        assert_eq!(redact("xin chào", Field::Text), "xin chào");
    }
}
