//! Transfer memos that survive bank apps: folding of free text and the rules
//! of the rails.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::encode;
use crate::error::EncodeError;

/// What a rail lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemoRule {
    /// Longest memo, characters.
    pub max_characters: usize,
}

impl MemoRule {
    /// NAPAS 247, tag 62.08.
    pub const NAPAS: Self = Self { max_characters: 25 };
    /// payOS `description` for bank accounts not linked through payOS.
    pub const PAYOS: Self = Self { max_characters: 9 };
}

/// Characters every Vietnamese bank app hands on unchanged.
const ALLOWED: &str = "letters A-Z a-z, digits, space, and _ - . \\";

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '\\')
}

/// Accents off, đ to d, one letter for one letter. Case stays. Characters
/// without a Latin base come back unchanged.
#[must_use]
pub fn strip_accents(text: &str) -> String {
    text.nfd()
        .filter(|c| !is_combining_mark(*c))
        .map(|c| match c {
            // Unicode does not decompose the stroke.
            'đ' | 'ð' => 'd',
            'Đ' | 'Ð' => 'D',
            'ø' => 'o',
            'Ø' => 'O',
            'ł' => 'l',
            'Ł' => 'L',
            'ı' => 'i',
            other => other,
        })
        .collect()
}

/// Free text made fit for a rail: accents off, what is left outside the
/// allowed set becomes a space, spaces run together, cut to length. May be empty.
#[must_use]
pub fn fold(text: &str, rule: MemoRule) -> String {
    let mut out = String::new();
    let mut count = 0;
    for c in strip_accents(text).chars() {
        let c = if is_allowed(c) { c } else { ' ' };
        if c == ' ' && (out.is_empty() || out.ends_with(' ')) {
            continue;
        }
        if count == rule.max_characters {
            break;
        }
        out.push(c);
        count += 1;
    }
    out.truncate(out.trim_end().len());
    out
}

/// Checks a memo against a rail's rule.
///
/// # Errors
/// Too long, empty, or a character outside the allowed set, with its index.
pub fn check(name: &'static str, memo: &str, rule: MemoRule) -> Result<(), EncodeError> {
    encode::length(name, memo, 1, rule.max_characters)?;
    encode::characters(name, memo, ALLOWED, is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_folds_to_what_banks_keep() {
        // Proves the explicit đ map, accents in both normal forms, and the length limits.
        assert_eq!(
            fold("Thanh toán Đơn hàng đường #12/3", MemoRule::NAPAS),
            "Thanh toan Don hang duong"
        );
        assert_eq!(fold("Ca\u{300} phe\u{302}", MemoRule::NAPAS), "Ca phe");
        assert_eq!(fold("ĐƠN HÀNG 12", MemoRule::PAYOS), "DON HANG");
        assert_eq!(fold("  💳 咖啡 ", MemoRule::NAPAS), "");
    }

    #[test]
    fn a_memo_outside_the_rule_names_the_character() {
        // Proves that check reports which character where.
        let error = check("memo", "Cà phê", MemoRule::NAPAS);
        assert!(
            matches!(
                error,
                Err(EncodeError::Character {
                    character: 'à',
                    index: 1,
                    ..
                })
            ),
            "{error:?}"
        );
        assert!(check("memo", "1234567890", MemoRule::PAYOS).is_err());
        assert!(check("memo", "A_b-c.d\\ 9", MemoRule::NAPAS).is_ok());
    }
}
