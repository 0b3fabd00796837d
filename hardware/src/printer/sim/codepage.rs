//! The code page every printer starts with.

/// The upper half of code page 437, from 0x80.
const CP437: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// What a byte means on page 437; `None` for ASCII.
pub(super) fn cp437(byte: u8) -> Option<char> {
    CP437.chars().nth(usize::from(byte.checked_sub(0x80)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_128_places() {
        // Proves: no letter is missing or doubled, at known places of the published page.
        assert_eq!(CP437.chars().count(), 128);
        for (byte, letter) in [
            (0x80, 'Ç'),
            (0x85, 'à'),
            (0xA0, 'á'),
            (0xC4, '─'),
            (0xE1, 'ß'),
        ] {
            assert_eq!(cp437(byte), Some(letter));
        }
        assert_eq!((cp437(0xFF), cp437(0x41)), (Some('\u{a0}'), None));
    }
}
