//! A logo in the printer's own memory: eleven bytes a receipt instead of some thousand.

use super::super::document::{Align, Bitmap};
use super::super::profile::{LogoPlan, Profile};
use super::{EncodeError, Job, Writer};
use crate::printer::protocol;

/// Largest packed picture that is stored: with its command it stays under the receive buffer and
/// the credit of every profile.
pub const MAX_STORED_LOGO_BYTES: usize = 2_900;

/// Tallest logo that is stored, in dots (five centimetres): what its key can tell.
pub const MAX_STORED_LOGO_DOTS: usize = KEY_HEIGHTS * KEY_HEIGHT_STEP;

/// Steps of height a key can tell, and dots of a step.
const KEY_HEIGHTS: usize = 24;
const KEY_HEIGHT_STEP: usize = 16;
/// Marks a key can tell within a height: with the heights they fill two bytes of 95 values each.
const KEY_MARKS: usize = 376;
/// Values a byte of a key can have: 0x20 to 0x7E.
const KEY_VALUES: usize = 95;

/// The job that stores `logo` in the printer, in place of every other (Epson `GS ( L`, functions
/// 65 and 67). To be printed once, when the logo changes: makers allow about ten writes a day.
///
/// # Errors
/// [`EncodeError::NoLogoMemory`], [`EncodeError::LogoSize`] and [`EncodeError::LogoTooTall`].
pub fn store_logo(logo: &Bitmap, profile: &Profile) -> Result<Job, EncodeError> {
    if profile.logo != LogoPlan::Stored {
        return Err(EncodeError::NoLogoMemory);
    }
    let mut data = logo.rows().to_vec();
    if data.is_empty() || data.len() > MAX_STORED_LOGO_BYTES {
        return Err(EncodeError::LogoSize { bytes: data.len() });
    }
    if logo.height_dots() > MAX_STORED_LOGO_DOTS {
        return Err(EncodeError::LogoTooTall {
            dots: logo.height_dots(),
        });
    }
    protocol::break_real_time(&mut data);
    let mut out = protocol::INITIALIZE.to_vec();
    if profile.answers.automatic_status {
        out.extend_from_slice(&protocol::ENABLE_AUTOMATIC_STATUS);
    }
    // Function 65, "CLR": what was stored before goes.
    out.extend_from_slice(&[0x1D, b'(', b'L', 5, 0, 0x30, 0x41, b'C', b'L', b'R']);
    out.extend_from_slice(&[0x1D, b'(', b'L']);
    out.extend_from_slice(&(data.len() as u16 + 11).to_le_bytes());
    let [first, second] = key(logo);
    out.extend_from_slice(&[0x30, 0x43, 0x30, first, second, 1]);
    out.extend_from_slice(&(logo.width_dots() as u16).to_le_bytes());
    out.extend_from_slice(&(logo.height_dots() as u16).to_le_bytes());
    out.push(0x31);
    out.extend_from_slice(&data);
    Ok(Job { bytes: out })
}

/// The logo's key: its height, so that whoever reads a job knows how much paper the logo takes,
/// and a mark made from its dots, so that a printer that still holds an older logo prints none
/// instead of the wrong one.
fn key(logo: &Bitmap) -> [u8; 2] {
    // FNV-1a, 32 bits.
    let mut hash = 0x811C_9DC5_u32 ^ logo.width_dots() as u32;
    for &byte in logo.rows() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    let steps = logo.height_dots().div_ceil(KEY_HEIGHT_STEP);
    let height = steps.clamp(1, KEY_HEIGHTS) - 1;
    // The upper half of the hash is the better mixed one.
    let value = height * KEY_MARKS + (hash >> 16) as usize % KEY_MARKS;
    [value / KEY_VALUES, value % KEY_VALUES].map(|part| 0x20 + part as u8)
}

/// Height of the logo stored under a key of ours, in dots, rounded up to the next 16.
pub(in super::super) fn height_of_stored_logo(key: [u8; 2]) -> u32 {
    let [first, second] = key.map(|byte| usize::from(byte.clamp(0x20, 0x7E) - 0x20));
    let height = (first * KEY_VALUES + second) / KEY_MARKS;
    ((height.min(KEY_HEIGHTS - 1) + 1) * KEY_HEIGHT_STEP) as u32
}

impl Writer<'_> {
    /// Prints the stored logo by its key (function 69).
    pub(super) fn stored_logo(&mut self, logo: &Bitmap) {
        self.set_align(Align::Center);
        let [first, second] = key(logo);
        self.put(&[0x1D, b'(', b'L', 6, 0, 0x30, 0x45, first, second, 1, 1]);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_tells_the_height_and_marks_the_dots() {
        // Proves: for every height that can be stored the key gives it back rounded up to 16,
        // stays within what printers take as a key, and differs for most other pictures.
        let mut keys = std::collections::BTreeSet::new();
        for height in 1..=MAX_STORED_LOGO_DOTS {
            let rows = vec![(height % 251) as u8; height];
            let key = key(&Bitmap::from_rows(8, rows));
            assert!(key.iter().all(|byte| (0x20..=0x7E).contains(byte)));
            assert_eq!(
                height_of_stored_logo(key),
                height.next_multiple_of(16) as u32
            );
            keys.insert(key);
        }
        assert!(keys.len() > 370, "{} keys", keys.len());
        assert!(height_of_stored_logo([0xFF, 0x00]) <= MAX_STORED_LOGO_DOTS as u32);
    }

    #[test]
    fn a_logo_too_tall_to_tell_is_not_stored() {
        // Proves: what the paper budget could not count is refused by name.
        let profile = Profile::named("epson-t88").unwrap();
        let tall = |dots: usize| store_logo(&Bitmap::from_rows(8, vec![1; dots]), &profile);
        assert!(tall(MAX_STORED_LOGO_DOTS).is_ok());
        assert_eq!(tall(385), Err(EncodeError::LogoTooTall { dots: 385 }));
    }
}
