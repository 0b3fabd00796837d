//! Checksum of serial blocks.

/// CRC-16/KERMIT (reflected polynomial 0x8408, start 0, no final xor) continued from `crc`.
///
/// PA00P016 names the polynomial "XModem" but means the reflected form; check value of
/// `123456789` is 0x2189.
pub fn kermit(crc: u16, bytes: &[u8]) -> u16 {
    bytes.iter().fold(crc, |crc, byte| {
        let index = usize::from((crc ^ u16::from(*byte)) & 0xFF);
        (crc >> 8) ^ TABLE[index]
    })
}

const TABLE: [u16; 256] = table();

const fn table() -> [u16; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut value = index as u16;
        let mut bit = 0;
        while bit < 8 {
            value = if value & 1 == 1 {
                (value >> 1) ^ 0x8408
            } else {
                value >> 1
            };
            bit += 1;
        }
        table[index] = value;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_check_value() {
        // Proves that the checksum is KERMIT and not true XMODEM.
        assert_eq!(kermit(0, b"123456789"), 0x2189);
    }
}
