//! Codes people read: order codes in transfers, codes of parked baskets.

use super::random::Random;
use super::state::AttemptId;

/// 32 symbols without I L O U: what survives bank memos and reading aloud.
const ORDER_SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// 22 symbols no two of which look alike: no 0 O Q, 1 I L, 2 Z, 5 S, 8 B, U V.
const PARK_SYMBOLS: &[u8; 22] = b"34679ACDEFGHJKMNPRTWXY";

/// The code of a QR order: prefix (2) + 6 symbols + Luhn mod 32 check symbol. Different for
/// 2^30 attempts in a row: the number is mixed one to one, never drawn.
pub(super) fn order_code(prefix: &str, key: u32, attempt: AttemptId) -> String {
    let mut symbols: Vec<usize> = prefix
        .chars()
        .map(|c| c.to_ascii_uppercase())
        .filter_map(|c| ORDER_SYMBOLS.iter().position(|&s| char::from(s) == c))
        .chain([0, 0])
        .take(2)
        .collect();
    let mixed = mix_30_bits(attempt.0, key);
    symbols.extend(
        (0..6)
            .rev()
            .map(|place| ((mixed >> (place * 5)) & 31) as usize),
    );
    symbols.push(luhn_check(&symbols, ORDER_SYMBOLS.len()));
    symbols
        .into_iter()
        .map(|s| char::from(ORDER_SYMBOLS[s]))
        .collect()
}

/// Whether an order code may hold this character.
pub(super) fn is_order_symbol(character: char) -> bool {
    ORDER_SYMBOLS
        .iter()
        .any(|&symbol| char::from(symbol) == character)
}

/// One to one on 30 bits: odd factors and shifts only.
fn mix_30_bits(number: u64, key: u32) -> u64 {
    const MASK: u64 = (1 << 30) - 1;
    let mut value = (number ^ u64::from(key)) & MASK;
    value = value.wrapping_mul(0x2545_F491) & MASK;
    value ^= value >> 15;
    value = value.wrapping_mul(0x1B87_3593) & MASK;
    value ^ (value >> 13)
}

/// The code of a parked basket: 3 random symbols and a check symbol.
pub(super) fn park_code(random: &mut Random) -> String {
    let mut symbols: Vec<usize> = (0..3).map(|_| random.below(PARK_SYMBOLS.len())).collect();
    symbols.push(luhn_check(&symbols, PARK_SYMBOLS.len()));
    symbols
        .into_iter()
        .map(|s| char::from(PARK_SYMBOLS[s]))
        .collect()
}

/// Length of a voucher's code: a letter that says what it is, 8 random symbols, a check symbol.
const VOUCHER_LENGTH: usize = 10;

/// A voucher's code. 22^8 codes: nobody guesses one at a pad that locks after a few wrong ones.
pub(super) fn voucher_code(random: &mut Random) -> String {
    let mut symbols: Vec<usize> = (0..VOUCHER_LENGTH - 2)
        .map(|_| random.below(PARK_SYMBOLS.len()))
        .collect();
    symbols.push(luhn_check(&symbols, PARK_SYMBOLS.len()));
    let symbols = symbols.into_iter().map(|s| char::from(PARK_SYMBOLS[s]));
    std::iter::once('V').chain(symbols).collect()
}

/// Whether a tidied text has the form of a voucher's code, its check symbol included.
pub(super) fn is_voucher_code(text: &str) -> bool {
    let Some(rest) = text
        .strip_prefix('V')
        .filter(|_| text.len() == VOUCHER_LENGTH)
    else {
        return false;
    };
    let place = |b| PARK_SYMBOLS.iter().position(|&s| s == b);
    let symbols: Option<Vec<usize>> = rest.bytes().map(place).collect();
    symbols.is_some_and(|symbols| match symbols.split_last() {
        Some((check, symbols)) => luhn_check(symbols, PARK_SYMBOLS.len()) == *check,
        None => false,
    })
}

/// What a shopper typed, as it was printed: upper case, without spaces and dashes.
pub(super) fn tidy_park_code(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect::<String>()
        .to_ascii_uppercase()
}

/// Luhn mod N (ISO/IEC 7812-1 annex B, generalised; N even): finds every single wrong symbol.
fn luhn_check(symbols: &[usize], n: usize) -> usize {
    let sum: usize = symbols
        .iter()
        .rev()
        .enumerate()
        .map(|(index, &symbol)| {
            let addend = if index % 2 == 0 { symbol * 2 } else { symbol };
            addend / n + addend % n
        })
        .sum();
    (n - sum % n) % n
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn order_codes_do_not_repeat_and_carry_their_check() {
        // Proves 20,000 attempts in a row get different, well-formed codes and a wrong symbol is found.
        let codes: HashSet<String> = (1..=20_000)
            .map(|n| order_code("HS", 7, AttemptId(n)))
            .collect();
        assert_eq!(codes.len(), 20_000);
        for code in codes.iter().take(200) {
            assert_eq!(code.len(), 9);
            assert!(code.starts_with("HS"));
            let symbols: Vec<usize> = code
                .bytes()
                .map(|b| ORDER_SYMBOLS.iter().position(|&s| s == b).unwrap())
                .collect();
            assert_eq!(luhn_check(&symbols[..8], 32), symbols[8]);
            for wrong in 1..32 {
                let mut other = symbols.clone();
                other[4] = (other[4] + wrong) % 32;
                assert_ne!(luhn_check(&other[..8], 32), other[8]);
            }
        }
    }

    #[test]
    fn park_codes_use_only_clear_symbols() {
        // Proves parked codes have four symbols nobody confuses, and typing is forgiving.
        let mut random = Random::new(1);
        for _ in 0..500 {
            let code = park_code(&mut random);
            assert_eq!(code.len(), 4);
            assert!(code.bytes().all(|b| PARK_SYMBOLS.contains(&b)));
            assert_eq!(
                tidy_park_code(&format!(" {}-{} ", &code[..2].to_lowercase(), &code[2..])),
                code
            );
        }
    }
}
