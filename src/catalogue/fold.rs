//! Folding of text for search: what a shopper types without accents finds what the shop wrote with them.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Longest folded text kept of one name, in bytes; a spreadsheet cell can hold a novel.
const FOLDED_MAX: usize = 400;

/// The words of `text`, folded: accents off, đ→d, lower case, punctuation dropped, and split where letters meet
/// digits ("330ml" is "330 ml"), joined by single spaces.
///
/// `fold("Cà phê SỮA đá, 330ml")` is `"ca phe sua da 330 ml"`.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut previous = Kind::Gap;
    for original in text.nfd() {
        if is_combining_mark(original) {
            continue;
        }
        if folded.len() > FOLDED_MAX {
            break;
        }
        let plain = if matches!(original, 'đ' | 'Đ' | 'ð' | 'Ð') {
            'd'
        } else {
            original
        };
        let kind = Kind::of(plain);
        if kind != previous && !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
        previous = kind;
        if kind != Kind::Gap {
            folded.extend(plain.to_lowercase());
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// The text in lower case with its accents, for telling "bò" from "bơ" once the shopper did type accents.
#[must_use]
pub fn accented(text: &str) -> String {
    text.nfc()
        .flat_map(char::to_lowercase)
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Digit,
    Gap,
}

impl Kind {
    fn of(character: char) -> Self {
        if character.is_ascii_digit() {
            Self::Digit
        } else if character.is_alphanumeric() {
            Self::Letter
        } else {
            Self::Gap
        }
    }
}

/// The key a barcode is stored and looked up by: the number of a GTIN without leading zeros, so that UPC-A, EAN-13
/// and GTIN-14 spellings of one number meet; any other code as it is, in upper case.
#[must_use]
pub fn barcode_key(code: &str) -> String {
    let code = code.trim();
    let digits = code.len() >= 8 && code.bytes().all(|byte| byte.is_ascii_digit());
    let bare = code.trim_start_matches('0');
    if digits && !bare.is_empty() {
        bare.to_owned()
    } else {
        code.to_uppercase()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn vietnamese_folds_to_plain_words() {
        // Proves the folding rules: composed and decomposed accents, đ, case, punctuation, letters beside digits.
        assert_eq!(fold("Cà phê SỮA đá, 330ml"), "ca phe sua da 330 ml");
        assert_eq!(
            fold("Ca\u{300} phe\u{302} su\u{31b}\u{303}a Đá"),
            "ca phe sua da"
        );
        assert_eq!(fold("  7Up – (lốc 6)  "), "7 up loc 6");
        assert_eq!(fold("…!?"), "");
        assert_eq!(fold("農心 Shin"), "農心 shin");
        assert!(fold(&"dài ".repeat(1000)).len() < 420);
    }

    #[test]
    fn accents_stay_where_they_are_asked_for() {
        // Proves accented() keeps what tells bò from bơ, in composed form.
        assert_eq!(accented("BO\u{300}-Bơ"), "bò bơ");
    }

    #[test]
    fn spellings_of_one_gtin_share_a_key() {
        // Proves UPC-A, EAN-13 and GTIN-14 of one number meet, and that shop codes keep their zeros.
        for spelling in [
            "012345678905",
            "0012345678905",
            "00012345678905",
            "12345678905",
        ] {
            assert_eq!(barcode_key(spelling), "12345678905");
        }
        assert_eq!(barcode_key("00123"), "00123");
        assert_eq!(barcode_key(" kg/anh "), "KG/ANH");
        assert_eq!(barcode_key("00000000"), "00000000");
    }
}
