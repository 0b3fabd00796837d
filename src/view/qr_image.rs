//! QR codes for the glass: one pixel per module, black on pure white, quiet
//! zone of four, never themed. The screen scales by whole numbers.

use crate::qr_symbol::Symbol;
use slint::{Image, Rgb8Pixel, SharedPixelBuffer};
use std::cell::RefCell;

thread_local! {
    /// The code shown last: the screen asks for it on every refresh.
    static LAST: RefCell<Option<(String, Image)>> = const { RefCell::new(None) };
}

/// The code as a picture; empty when it does not fit or what was drawn does not
/// read back as `text`. Reading takes a few milliseconds, once for each code.
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
    let symbol = Symbol::checked(text.as_bytes())
        .inspect_err(|error| tracing::error!(%error, "no QR code is shown"))
        .ok()?;
    let side = u32::try_from(symbol.side()).ok()?;
    let mut buffer = SharedPixelBuffer::<Rgb8Pixel>::new(side, side);
    for (pixel, luma) in buffer.make_mut_slice().iter_mut().zip(symbol.luma(1)) {
        *pixel = Rgb8Pixel::new(luma, luma, luma);
    }
    Some(Image::from_rgb8(buffer))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::qr_symbol::read;

    #[test]
    fn the_pixels_for_the_glass_read_back() {
        // Proves that the very pixels the screen gets decode to the text at a whole multiple.
        let text = "00020101021238540010A000000727012400069704360110007100098567802081234";
        let pixels = image(text).to_rgb8().unwrap();
        let (side, scale) = (pixels.width() as usize, 6);
        let edge = side * scale;
        let luma = |x: usize, y: usize| pixels.as_slice()[y / scale * side + x / scale].g;
        assert_eq!(read(edge, edge, luma).unwrap(), text.as_bytes());
    }

    #[test]
    fn what_does_not_fit_is_no_picture() {
        // Proves that nothing half-painted is ever shown.
        assert_eq!(image(&"x".repeat(5000)).size().width, 0);
    }
}
