//! The 12×24-dot glyphs the encoder sends and the simulator draws.

/// Dots across one character cell of font A.
pub const CELL_WIDTH_DOTS: usize = 12;
/// Dots down one character cell of font A.
pub const CELL_HEIGHT_DOTS: usize = 24;
/// Bytes of one glyph: 12 columns of 24 dots.
pub const GLYPH_BYTES: usize = CELL_WIDTH_DOTS * CELL_HEIGHT_DOTS / 8;

/// One glyph as `ESC *` columns: 3 bytes a column, left to right, top dot in the highest bit.
pub type Columns = [u8; GLYPH_BYTES];

struct Glyph {
    point: u32,
    regular: Columns,
    bold: Columns,
}

static GLYPHS: &[Glyph] = include!(concat!(env!("OUT_DIR"), "/glyphs.rs"));

/// The drawing of `letter`, or `None` when the font lacks it.
pub fn columns(letter: char, bold: bool) -> Option<&'static Columns> {
    let index = GLYPHS
        .binary_search_by_key(&u32::from(letter), |glyph| glyph.point)
        .ok()?;
    let glyph = &GLYPHS[index];
    Some(if bold { &glyph.bold } else { &glyph.regular })
}

/// Whether the font can draw `letter`.
pub fn has(letter: char) -> bool {
    columns(letter, false).is_some()
}

/// All letters the font can draw, in code point order.
pub fn all() -> impl Iterator<Item = char> {
    GLYPHS
        .iter()
        .filter_map(|glyph| char::from_u32(glyph.point))
}

/// The 134 letters Vietnamese adds to A–Z, lower and upper case.
pub const VIETNAMESE_LETTERS: &str = "ăâđêôơưàảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ\
ĂÂĐÊÔƠƯÀẢÃÁẠẰẲẴẮẶẦẨẪẤẬÈẺẼÉẸỀỂỄẾỆÌỈĨÍỊÒỎÕÓỌỒỔỖỐỘỜỞỠỚỢÙỦŨÚỤỪỬỮỨỰỲỶỸÝỴ";

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn all_228_letters_and_signs_differ_from_each_other() {
        // Proves: no Vietnamese letter can be mistaken for another letter or sign on paper.
        let printable: Vec<char> = VIETNAMESE_LETTERS.chars().chain('!'..='~').collect();
        assert_eq!(VIETNAMESE_LETTERS.chars().count(), 134);
        assert_eq!(printable.len(), 228);
        for bold in [false, true] {
            let mut seen = HashMap::new();
            for &letter in &printable {
                let drawing = columns(letter, bold).unwrap();
                assert!(drawing.iter().any(|&byte| byte != 0), "{letter} is blank");
                if let Some(twin) = seen.insert(drawing, letter) {
                    panic!("{letter} and {twin} look the same");
                }
            }
        }
    }

    #[test]
    fn no_glyph_holds_a_real_time_command() {
        // Proves: a printer that obeys DLE EOT, DLE ENQ or DLE DC4 inside images sees none here.
        for glyph in GLYPHS {
            for drawing in [&glyph.regular, &glyph.bold] {
                for pair in drawing.windows(2) {
                    assert!(pair[0] != 0x10 || !matches!(pair[1], 0x04 | 0x05 | 0x14));
                }
            }
        }
    }
}
