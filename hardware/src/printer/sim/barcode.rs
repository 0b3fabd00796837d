//! Bars of Code 128 (ISO/IEC 15417) and EAN/UPC (ISO/IEC 15420), so that the simulated paper
//! scans. Other symbologies are told by their words only.

/// A barcode as it comes on paper.
pub(super) struct Barcode {
    /// Modules from the left, true for a bar; none for a symbology not drawn here.
    pub(super) modules: Vec<bool>,
    /// What a person reads below it.
    pub(super) content: String,
}

/// The barcode of `GS k` with this system and these data.
pub(super) fn read(system: u8, data: &[u8]) -> Barcode {
    match system {
        73 => code128(data),
        // UPC-A, EAN-13 and EAN-8, in the old numbering and the new.
        0 | 65 => ean(data, 12),
        2 | 67 => ean(data, 13),
        3 | 68 => ean(data, 8),
        _ => Barcode {
            modules: Vec::new(),
            content: String::from_utf8_lossy(data).into_owned(),
        },
    }
}

/// Widths of bar, space, bar, … in modules for each symbol value.
const WIDTHS: [&str; 107] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212",
    "221213", "221312", "231212", "112232", "122132", "122231", "113222", "123122", "123221",
    "223211", "221132", "221231", "213212", "223112", "312131", "311222", "321122", "321221",
    "312212", "322112", "322211", "212123", "212321", "232121", "111323", "131123", "131321",
    "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331", "132131",
    "113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131",
    "311123", "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111",
    "111224", "111422", "121124", "121421", "141122", "141221", "112214", "112412", "122114",
    "122411", "142112", "142211", "241211", "221114", "413111", "241112", "134111", "111242",
    "121142", "121241", "114212", "124112", "124211", "411212", "421112", "421211", "212141",
    "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
    "113141", "114131", "311141", "411131", "211412", "211214", "211232", "2331112",
];
const CODE_C: usize = 99;
const CODE_B: usize = 100;
const CODE_A: usize = 101;
const START_A: usize = 103;
const STOP: usize = 106;

/// Data with their code sets, as Epson's `GS k 73` takes them: `{A`, `{B` and `{C` choose one,
/// `{{` is a brace, `{1` function 1; in set C each byte is two digits.
fn code128(data: &[u8]) -> Barcode {
    let mut symbols = Vec::new();
    let mut content = String::new();
    let mut set = b'B';
    let mut bytes = data.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, set) {
            (b'{', _) => match bytes.next() {
                Some(chosen @ b'A'..=b'C') => {
                    set = chosen;
                    let at_start = symbols.is_empty();
                    let place = usize::from(chosen - b'A');
                    symbols.push(if at_start {
                        START_A + place
                    } else {
                        [CODE_A, CODE_B, CODE_C][place]
                    });
                }
                Some(b'1') => symbols.push(102),
                Some(b'{') => {
                    symbols.push(usize::from(b'{' - 0x20));
                    content.push('{');
                }
                _ => {}
            },
            (0..100, b'C') => {
                symbols.push(usize::from(byte));
                content.push_str(&format!("{byte:02}"));
            }
            (0x20..0x60, _) | (0x60..0x80, b'B') => {
                symbols.push(usize::from(byte) - 0x20);
                content.push(char::from(byte));
            }
            (0..0x20, b'A') => symbols.push(usize::from(byte) + 0x40),
            _ => {}
        }
    }
    if symbols.first().is_none_or(|&first| first < START_A) {
        symbols.insert(0, START_A + 1);
    }
    let weighted = symbols
        .iter()
        .zip(0..)
        .map(|(symbol, place)| symbol * place.max(1));
    let check = weighted.sum::<usize>() % 103;
    symbols.extend([check, STOP]);
    let mut modules = Vec::new();
    for symbol in symbols {
        for (index, width) in WIDTHS[symbol].bytes().enumerate() {
            modules.extend(std::iter::repeat_n(
                index % 2 == 0,
                usize::from(width - b'0'),
            ));
        }
    }
    Barcode { modules, content }
}

/// The seven modules of a digit on the right side; the left is its inverse (odd), or mirrored
/// (even).
const RIGHT: [u8; 10] = [
    0b111_0010, 0b110_0110, 0b110_1100, 0b100_0010, 0b101_1100, 0b100_1110, 0b101_0000, 0b100_0100,
    0b100_1000, 0b111_0100,
];
/// Which of the six left digits are even, told by the digit in front of them.
const EVEN: [u8; 10] = [
    0b00_0000, 0b00_1011, 0b00_1101, 0b00_1110, 0b01_0011, 0b01_1001, 0b01_1100, 0b01_0101,
    0b01_0110, 0b01_1010,
];

/// EAN/UPC of `count` digits; the last, a check digit, is added where it is left out.
fn ean(data: &[u8], count: usize) -> Barcode {
    let mut digits: Vec<u8> = data
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| byte - b'0')
        .collect();
    if digits.len() + 1 == count {
        let weights = [3, 1].into_iter().cycle();
        let weighted = digits.iter().rev().zip(weights);
        let sum: u32 = weighted
            .map(|(digit, weight)| u32::from(*digit) * weight)
            .sum();
        digits.push(((10 - sum % 10) % 10) as u8);
    }
    let content: String = digits
        .iter()
        .map(|digit| char::from(b'0' + digit))
        .collect();
    // UPC-A is an EAN-13 that begins with 0.
    if count == 12 {
        digits.insert(0, 0);
    }
    let (first, rest) = match digits.len() {
        13 => (digits[0], &digits[1..]),
        8 => (0, &digits[..]),
        _ => {
            return Barcode {
                modules: Vec::new(),
                content,
            };
        }
    };
    let half = rest.len() / 2;
    let mut bits = vec![true, false, true];
    for (index, &digit) in rest.iter().enumerate() {
        if index == half {
            bits.extend([false, true, false, true, false]);
        }
        let right = RIGHT[usize::from(digit)];
        let is_even = EVEN[usize::from(first)] >> (half - 1 - index.min(half - 1)) & 1 == 1;
        let pattern = if index >= half {
            right
        } else if is_even {
            right.reverse_bits() >> 1
        } else {
            !right & 0x7F
        };
        bits.extend((0..7).rev().map(|bit| pattern >> bit & 1 == 1));
    }
    bits.extend([true, false, true]);
    Barcode {
        modules: bits,
        content,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(code: &Barcode) -> String {
        let bit = |&bar: &bool| if bar { '1' } else { '0' };
        code.modules.iter().map(bit).collect()
    }

    #[test]
    fn an_ean_13_has_the_published_bars() {
        // Proves: start, parity of the left half by the first digit, middle, right half and end,
        // on the example of the standard's textbooks; check digits are added where they lack.
        let whole = read(67, b"5901234123457");
        assert_eq!(
            bits(&whole),
            "10100010110100111011001100100110111101001110101010110011011011001000010101110010011101000100101"
        );
        let short = read(2, b"590123412345");
        assert_eq!(
            (bits(&short), short.content.as_str()),
            (bits(&whole), "5901234123457")
        );
        assert_eq!(read(68, b"96385074").modules.len(), 67);
        assert_eq!(read(65, b"036000291452").content, "036000291452");
    }

    #[test]
    fn code_sets_of_code_128_are_read() {
        // Proves: "{C" bytes are pairs of digits, and the symbols carry the right check.
        let code = read(73, b"{BDC-{C\x00\x01{B-R");
        assert_eq!(code.content, "DC-0001-R");
        // Start, 3 + switch + 2 + switch + 2 symbols, check: 11 modules each, and the stop's 13.
        assert_eq!(code.modules.len(), 11 * 11 + 13);
        assert_eq!(read(73, b"{B{{a").content, "{a");
    }
}
