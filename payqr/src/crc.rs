//! CRC-16/IBM-3740 (also called CCITT-FALSE): the checksum of EMV QR codes.
//! EMVCo MPM v1.1 §4.7.3: ISO/IEC 13239, polynomial 0x1021, initial value 0xFFFF.

/// Checksum over UTF-8 bytes: polynomial 0x1021, initial 0xFFFF, not
/// reflected, no final xor. `check("123456789")` is 0x29B1.
#[must_use]
pub fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
            if crc & 0x8000 == 0 {
                crc << 1
            } else {
                (crc << 1) ^ 0x1021
            }
        })
    })
}

/// The checksum as written: four upper-case hexadecimal digits.
#[must_use]
pub fn crc16_text(bytes: &[u8]) -> String {
    format!("{:04X}", crc16(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogue_check_value() {
        // Proves the polynomial and start value with the published check value.
        assert_eq!(crc16(b"123456789"), 0x29B1);
        assert_eq!(crc16_text(b""), "FFFF");
    }
}
