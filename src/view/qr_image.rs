//! QR codes for the glass: one pixel per module, black on pure white, quiet
//! zone of four, never themed. The screen scales by whole numbers.

use qrcode::{Color, EcLevel, QrCode};
use slint::{Image, Rgb8Pixel, SharedPixelBuffer};
use std::cell::RefCell;

/// Modules of quiet zone on each side (ISO/IEC 18004 §6.3.8).
pub const QUIET_MODULES: usize = 4;

/// Longer texts take the lowest error correction: on a clean screen large modules are worth more.
const LONG_BYTES: usize = 200;

/// Dark modules of a code with its quiet zone, row by row, and the side length
/// in modules. `None` when the text does not fit a QR code.
pub fn modules(text: &str) -> Option<(Vec<bool>, usize)> {
    let level = if text.len() > LONG_BYTES {
        EcLevel::L
    } else {
        EcLevel::M
    };
    let code = QrCode::with_error_correction_level(text, level).ok()?;
    let side = code.width() + 2 * QUIET_MODULES;
    let mut dark = vec![false; side * side];
    for (index, color) in code.to_colors().into_iter().enumerate() {
        let (x, y) = (index % code.width(), index / code.width());
        dark[(y + QUIET_MODULES) * side + x + QUIET_MODULES] = color == Color::Dark;
    }
    Some((dark, side))
}

thread_local! {
    /// The code shown last: the screen asks for it on every refresh.
    static LAST: RefCell<Option<(String, Image)>> = const { RefCell::new(None) };
}

/// The code as a picture; empty when the text does not fit.
pub fn image(text: &str) -> Image {
    let known = LAST.with_borrow(|last| match last {
        Some((known, image)) if known == text => Some(image.clone()),
        _ => None,
    });
    if let Some(image) = known {
        return image;
    }
    let image = paint(text).unwrap_or_default();
    LAST.set(Some((text.to_owned(), image.clone())));
    image
}

fn paint(text: &str) -> Option<Image> {
    let (dark, side) = modules(text)?;
    let pixels = u32::try_from(side).ok()?;
    let mut buffer = SharedPixelBuffer::<Rgb8Pixel>::new(pixels, pixels);
    for (pixel, dark) in buffer.make_mut_slice().iter_mut().zip(dark) {
        let value = if dark { 0 } else { 255 };
        *pixel = Rgb8Pixel::new(value, value, value);
    }
    Some(Image::from_rgb8(buffer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_codes_can_be_read_back() {
        // Proves that what is painted decodes to the text, quiet zone included.
        let text = "00020101021238540010A000000727012400069704360110007100098567802081234";
        let (dark, side) = modules(text).unwrap();
        let scale = 4;
        let mut image =
            rqrr::PreparedImage::prepare_from_greyscale(side * scale, side * scale, |x, y| {
                if dark[(y / scale) * side + x / scale] {
                    0
                } else {
                    255
                }
            });
        let grids = image.detect_grids();
        assert_eq!(grids.len(), 1);
        assert_eq!(grids[0].decode().unwrap().1, text);
    }

    #[test]
    fn a_text_too_long_for_a_code_is_no_code() {
        // Proves that nothing half-painted is ever shown.
        assert!(modules(&"x".repeat(5000)).is_none());
    }
}
