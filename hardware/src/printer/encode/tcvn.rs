//! Code page TCVN-3 (VSCII-3): Epson pages 30 (small letters) and 31 (capitals).
//!
//! Slots from receipt-print-hq/escpos-printer-db (CC BY 4.0).

/// Which of the two pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tcvn3Page {
    /// Small letters.
    Lower,
    /// Capitals.
    Upper,
}

/// Slots of the small letters.
const LOWER: [(u8, char); 67] = [
    (0xA8, 'ă'),
    (0xA9, 'â'),
    (0xAA, 'ê'),
    (0xAB, 'ô'),
    (0xAC, 'ơ'),
    (0xAD, 'ư'),
    (0xAE, 'đ'),
    (0xB5, 'à'),
    (0xB6, 'ả'),
    (0xB7, 'ã'),
    (0xB8, 'á'),
    (0xB9, 'ạ'),
    (0xBB, 'ằ'),
    (0xBC, 'ẳ'),
    (0xBD, 'ẵ'),
    (0xBE, 'ắ'),
    (0xC6, 'ặ'),
    (0xC7, 'ầ'),
    (0xC8, 'ẩ'),
    (0xC9, 'ẫ'),
    (0xCA, 'ấ'),
    (0xCB, 'ậ'),
    (0xCC, 'è'),
    (0xCE, 'ẻ'),
    (0xCF, 'ẽ'),
    (0xD0, 'é'),
    (0xD1, 'ẹ'),
    (0xD2, 'ề'),
    (0xD3, 'ể'),
    (0xD4, 'ễ'),
    (0xD5, 'ế'),
    (0xD6, 'ệ'),
    (0xD7, 'ì'),
    (0xD8, 'ỉ'),
    (0xDC, 'ĩ'),
    (0xDD, 'í'),
    (0xDE, 'ị'),
    (0xDF, 'ò'),
    (0xE1, 'ỏ'),
    (0xE2, 'õ'),
    (0xE3, 'ó'),
    (0xE4, 'ọ'),
    (0xE5, 'ồ'),
    (0xE6, 'ổ'),
    (0xE7, 'ỗ'),
    (0xE8, 'ố'),
    (0xE9, 'ộ'),
    (0xEA, 'ờ'),
    (0xEB, 'ở'),
    (0xEC, 'ỡ'),
    (0xED, 'ớ'),
    (0xEE, 'ợ'),
    (0xEF, 'ù'),
    (0xF1, 'ủ'),
    (0xF2, 'ũ'),
    (0xF3, 'ú'),
    (0xF4, 'ụ'),
    (0xF5, 'ừ'),
    (0xF6, 'ử'),
    (0xF7, 'ữ'),
    (0xF8, 'ứ'),
    (0xF9, 'ự'),
    (0xFA, 'ỳ'),
    (0xFB, 'ỷ'),
    (0xFC, 'ỹ'),
    (0xFD, 'ý'),
    (0xFE, 'ỵ'),
];

/// Capitals that stand elsewhere on the page of capitals than their small letter.
const UPPER_BASES: [(u8, char); 3] = [(0xA1, 'Ă'), (0xA2, 'Â'), (0xA7, 'Đ')];

/// The byte for `letter` on a page, or `None` when the page lacks it.
pub fn tcvn3_byte(letter: char, page: Tcvn3Page) -> Option<u8> {
    let find = |wanted| {
        LOWER
            .iter()
            .find(|slot| slot.1 == wanted)
            .map(|slot| slot.0)
    };
    match page {
        Tcvn3Page::Lower => find(letter),
        Tcvn3Page::Upper => {
            if let Some(base) = UPPER_BASES.iter().find(|slot| slot.1 == letter) {
                return Some(base.0);
            }
            let mut small = letter.to_lowercase();
            let small = small.next().filter(|_| letter.is_uppercase())?;
            find(small)
        }
    }
}

/// The letter at `byte` of a page, or `None` for ASCII and unused slots.
pub fn tcvn3_letter(byte: u8, page: Tcvn3Page) -> Option<char> {
    let small = LOWER.iter().find(|slot| slot.0 == byte).map(|slot| slot.1);
    match page {
        Tcvn3Page::Lower => small,
        Tcvn3Page::Upper => {
            if let Some(base) = UPPER_BASES.iter().find(|slot| slot.0 == byte) {
                return Some(base.1);
            }
            let capital = small?.to_uppercase().next()?;
            // The three moved capitals leave their old slot empty.
            let moved = UPPER_BASES.iter().any(|slot| slot.1 == capital);
            (!moved).then_some(capital)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::printer::glyph::VIETNAMESE_LETTERS;

    #[test]
    fn each_of_the_134_letters_has_one_slot_and_comes_back() {
        // Proves: the two pages cover all Vietnamese letters without a clash.
        for letter in VIETNAMESE_LETTERS.chars() {
            let page = if letter.is_uppercase() {
                Tcvn3Page::Upper
            } else {
                Tcvn3Page::Lower
            };
            let byte = tcvn3_byte(letter, page);
            assert!(byte.is_some(), "{letter}");
            assert_eq!(byte.and_then(|byte| tcvn3_letter(byte, page)), Some(letter));
        }
    }
}
