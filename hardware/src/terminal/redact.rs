//! Masking of card numbers in text and digits (PCI DSS 4.0.1, 3.3 and 3.4).

use super::types::CardDigits;

/// Shortest and longest run of digits that may be a card number (ISO/IEC 7812).
const CARD_NUMBER_DIGITS: std::ops::RangeInclusive<usize> = 12..=19;

/// Masks every run of 12 to 19 digits except its last four, also when grouped by single spaces,
/// dots or dashes or broken by single letters. Longer runs are masked whole: they may be a second track. What follows a
/// number behind `^` goes too, to the end or to `?`: it is a first track, with the holder's name.
///
/// Returns the masked text and whether one of the runs is a card number by its check digit
/// (reference and contract numbers are masked too, but are no reason for an alarm).
pub fn mask_text(text: &str) -> (String, bool) {
    let mut chars: Vec<char> = text.chars().collect();
    let mut card_number = false;
    let mut start = 0;
    while start < chars.len() {
        if !chars[start].is_ascii_digit() {
            start += 1;
            continue;
        }
        let end = run_end(&chars, start);
        let places: Vec<usize> = (start..end)
            .filter(|place| chars[*place].is_ascii_digit())
            .collect();
        if places.len() >= *CARD_NUMBER_DIGITS.start() {
            let digits: Vec<u32> = places
                .iter()
                .filter_map(|place| chars[*place].to_digit(10))
                .collect();
            card_number |= CARD_NUMBER_DIGITS.contains(&digits.len()) && luhn_holds(&digits);
            let kept = if places.len() > *CARD_NUMBER_DIGITS.end() {
                0
            } else {
                4
            };
            for place in &places[..places.len() - kept] {
                chars[*place] = '*';
            }
            if chars.get(end) == Some(&'^') {
                let after = chars[end..].iter().position(|c| *c == '?');
                let track_end = after.map_or(chars.len(), |length| end + length);
                chars[end..track_end].fill('*');
                start = track_end;
                continue;
            }
        }
        start = end;
    }
    (chars.into_iter().collect(), card_number)
}

/// Whether the check digit of a card number holds (ISO/IEC 7812-1, Luhn).
fn luhn_holds(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice) => twice / 10 + twice % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// End of a run of digits with single separators between them.
fn run_end(chars: &[char], start: usize) -> usize {
    let mut end = start + 1;
    while end < chars.len() {
        let digit = chars[end].is_ascii_digit();
        let separator = (matches!(chars[end], ' ' | '-' | '.' | '=' | '\u{a0}')
            || chars[end].is_ascii_alphabetic())
            && chars.get(end + 1).is_some_and(char::is_ascii_digit);
        if !digit && !separator {
            break;
        }
        end += 1;
    }
    end
}

/// What is left of a card number in packed digits (BMP 22): nibble `E` is a masked digit, `F` is
/// padding (PA00P015 chapter 13). Anything else that is not a digit makes the number broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedNumber {
    /// The number again, every digit but the last four replaced by `E`.
    pub masked: Vec<u8>,
    /// Last four digits, if all four are digits.
    pub last_four: Option<CardDigits>,
    /// The terminal sent more digits in clear than the first six and last four.
    pub was_unmasked: bool,
}

/// Masks packed digits. Never fails: a broken number keeps its length and loses its digits.
pub fn mask_packed(packed: &[u8]) -> PackedNumber {
    let mut nibbles: Vec<u8> = packed
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 0x0F])
        .collect();
    let length = nibbles
        .iter()
        .rposition(|nibble| *nibble != 0x0F)
        .map_or(0, |last| last + 1);
    let tail_start = length.saturating_sub(4);
    let was_unmasked = length > 10 && nibbles[6..tail_start].iter().any(|nibble| *nibble <= 9);
    let tail = &nibbles[tail_start..length];
    // A number of fewer than ten digits is no card number; then nothing of it is kept.
    let last_four = match tail {
        [a, b, c, d] if length >= 10 && tail.iter().all(|nibble| *nibble <= 9) => {
            Some(CardDigits([*a, *b, *c, *d]))
        }
        _ => None,
    };
    let keep_from = if last_four.is_some() {
        tail_start
    } else {
        length
    };
    nibbles[..keep_from].fill(0x0E);
    let masked = nibbles
        .chunks(2)
        .map(|pair| (pair[0] << 4) | pair[1])
        .collect();
    PackedNumber {
        masked,
        last_four,
        was_unmasked,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_number_in_text_keeps_only_its_last_four_digits() {
        // Proves that card numbers in receipt text are masked in every grouping.
        for text in [
            "4111111111111234567",
            "4111 1111 1111 1111",
            "4111-1111-1111-1111",
            "4111 11X1 1111 111",
        ] {
            let (masked, _) = mask_text(&format!("PAN {text} OK"));
            assert!(!masked.contains("4111"), "{masked}");
        }
        assert!(
            mask_text("4111 1111 1111 1111").1,
            "a valid number raises the alarm"
        );
        assert!(
            !mask_text("4111 1111 1111 1112").1,
            "a reference number does not"
        );
        assert_eq!(
            mask_text("Beleg 0231 12:50:00"),
            ("Beleg 0231 12:50:00".into(), false)
        );
    }

    #[test]
    fn tracks_in_text_keep_nothing_but_the_numbers_end() {
        // Proves that name, expiry and service code of a first track and all of a second are gone.
        let first = mask_text("%B4929123412341232^LE VAN TAM^25122015432112345?OK");
        assert_eq!(
            first.0,
            "%B************1232*****************************?OK"
        );
        let cut = mask_text("B4929123412341232^LE VAN TAM^2512").0;
        assert!(!cut.contains("LE") && !cut.contains("25"), "{cut}");
        for second in [
            ";4929123412341232=25122015432112345?",
            "4929123412341232D25122015432112345",
        ] {
            let masked = mask_text(second).0;
            assert!(
                !masked.contains("2512") && !masked.contains("2345"),
                "{masked}"
            );
        }
    }

    #[test]
    fn packed_numbers_masked_unmasked_and_broken() {
        // Proves that the masked digit E never becomes a digit and that clear digits are noticed.
        let masked = mask_packed(&[0x55, 0x98, 0x83, 0xEE, 0xEE, 0xEE, 0x80, 0x74]);
        assert_eq!(masked.last_four, Some(CardDigits([8, 0, 7, 4])));
        assert!(!masked.was_unmasked);
        assert_eq!(
            masked.masked,
            [0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0xEE, 0x80, 0x74]
        );
        let clear = mask_packed(&[0x55, 0x98, 0x83, 0x11, 0x22, 0x33, 0x80, 0x74]);
        assert!(clear.was_unmasked);
        assert_eq!(clear.masked, masked.masked);
        let broken = mask_packed(&[0x55, 0x98, 0xAB, 0x11, 0xC2, 0x33, 0x8D, 0x74]);
        assert_eq!(broken.last_four, None);
        assert!(broken.masked.iter().all(|byte| *byte == 0xEE));
        assert_eq!(mask_packed(&[]).last_four, None);
        assert_eq!(mask_packed(&[0xFF]).last_four, None);
    }
}
