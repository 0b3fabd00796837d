//! A logo in the printer's own memory: eleven bytes a receipt instead of some thousand.

use super::super::document::{Align, Bitmap};
use super::super::profile::{LogoPlan, Profile};
use super::{EncodeError, Job, Writer};
use crate::printer::protocol;

/// Largest packed picture that is stored: with its command it stays under the receive buffer and
/// the credit of every profile.
pub const MAX_STORED_LOGO_BYTES: usize = 2_900;

/// The job that stores `logo` in the printer, in place of every other (Epson `GS ( L`, functions
/// 65 and 67). To be printed once, when the logo changes: makers allow about ten writes a day.
///
/// # Errors
/// [`EncodeError::NoLogoMemory`] and [`EncodeError::LogoSize`].
pub fn store_logo(logo: &Bitmap, profile: &Profile) -> Result<Job, EncodeError> {
    if profile.logo != LogoPlan::Stored {
        return Err(EncodeError::NoLogoMemory);
    }
    let mut data = logo.rows().to_vec();
    if data.is_empty() || data.len() > MAX_STORED_LOGO_BYTES {
        return Err(EncodeError::LogoSize { bytes: data.len() });
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

/// The logo's key, made from its dots: a printer that still holds an older logo prints none
/// instead of the wrong one. Both bytes are letters, which every model takes.
fn key(logo: &Bitmap) -> [u8; 2] {
    // FNV-1a, 32 bits.
    let mut hash = 0x811C_9DC5_u32 ^ logo.width_dots() as u32;
    for &byte in logo.rows() {
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    }
    let letter = |value: u32| b'A' + (value % 26) as u8;
    [letter(hash >> 16), letter(hash)]
}

impl Writer<'_> {
    /// Prints the stored logo by its key (function 69).
    pub(super) fn stored_logo(&mut self, logo: &Bitmap) {
        self.set_align(Align::Center);
        let [first, second] = key(logo);
        self.put(&[0x1D, b'(', b'L', 6, 0, 0x30, 0x45, first, second, 1, 1]);
    }
}
