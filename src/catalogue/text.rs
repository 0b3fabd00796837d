//! The bytes of a text file as text, whatever program saved it.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE, WINDOWS_1258};
use unicode_normalization::UnicodeNormalization;

/// Decodes UTF-8 (with or without BOM), UTF-16 LE/BE (with BOM, or told by its zero bytes) and, for anything that
/// is not valid UTF-8, Windows-1258, whose tone marks are separate characters. The answer is composed (NFC).
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let (text, _) = match Encoding::for_bom(bytes) {
        Some((encoding, length)) => encoding.decode_without_bom_handling(&bytes[length..]),
        None => match guess_utf_16(bytes) {
            Some(encoding) => encoding.decode_without_bom_handling(bytes),
            None => match std::str::from_utf8(bytes) {
                Ok(text) => (text.into(), false),
                Err(_) => WINDOWS_1258.decode_without_bom_handling(bytes),
            },
        },
    };
    text.nfc().collect()
}

/// UTF-16 without a BOM: mostly Latin text has a zero in every other byte.
fn guess_utf_16(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = &bytes[..bytes.len().min(512) & !1];
    let zeros = |first: usize| {
        head.iter()
            .skip(first)
            .step_by(2)
            .filter(|byte| **byte == 0)
            .count()
    };
    let (even, odd) = (zeros(0), zeros(1));
    if odd * 4 > head.len() / 2 && odd > even {
        Some(UTF_16LE)
    } else if even * 4 > head.len() / 2 && even > odd {
        Some(UTF_16BE)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_encoding_a_shop_saves_in_reads_the_same() {
        // Proves UTF-8 ±BOM, UTF-16 LE/BE ±BOM and Windows-1258 with combining tones give one composed text.
        let text = "Tên;Giá\nSữa đặc Ông Thọ;25.000 đ\n";
        let utf16 =
            |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
        let mut files = vec![
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
        ];
        files.extend([utf16(u16::to_le_bytes), utf16(u16::to_be_bytes)]);
        files.push([b"\xff\xfe".to_vec(), utf16(u16::to_le_bytes)].concat());
        files.push([b"\xfe\xff".to_vec(), utf16(u16::to_be_bytes)].concat());
        files.push(text.nfd().collect::<String>().into_bytes());
        // "Sữa đặc Ông Thọ" in Windows-1258: ư and ê exist, their tones follow as DE (~), F2 (.).
        files
            .push(b"T\xean;Gi\xe1\nS\xfd\xdea \xf0\xe3\xf2c \xd4ng Tho\xf2;25.000 \xf0\n".to_vec());
        for (index, file) in files.iter().enumerate() {
            assert_eq!(decode(file), text, "file {index}");
        }
    }
}
