//! The shop's logo: a PNG picture as the black and white dots of a receipt printer.

use hardware::printer::document::Bitmap;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Widest and tallest logo in dots: across 58 mm paper, and four centimetres of it.
pub const MAX_DOTS: (usize, usize) = (384, 320);

/// Why a picture cannot be a logo. Trying again does not help; the file has to be changed.
#[derive(Debug, thiserror::Error)]
pub enum LogoError {
    /// It cannot be opened.
    #[error("{}: cannot be read ({source}); check the name", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not a PNG picture.
    #[error("{}: not a PNG picture ({source}); save it as PNG", path.display())]
    NotPng {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: png::DecodingError,
    },
    /// It does not fit the paper.
    #[error(
        "{}: {width} x {height} dots; make it at most {} x {}, a dot is an eighth of a millimetre",
        path.display(), MAX_DOTS.0, MAX_DOTS.1
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Dots across.
        width: u32,
        /// Dots down.
        height: u32,
    },
}

/// Reads a PNG picture; a pixel darker than half, on white where it is transparent, is a dot.
///
/// # Errors
/// [`LogoError`].
pub fn read(path: &Path) -> Result<Bitmap, LogoError> {
    let file = File::open(path).map_err(|source| LogoError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let not_png = |source| LogoError::NotPng {
        path: path.to_owned(),
        source,
    };
    let mut decoder = png::Decoder::new(BufReader::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(not_png)?;
    let (width, height) = reader.info().size();
    if width as usize > MAX_DOTS.0 || height as usize > MAX_DOTS.1 {
        return Err(LogoError::TooLarge {
            path: path.to_owned(),
            width,
            height,
        });
    }
    // At most 384 x 320 pixels of four bytes.
    let mut pixels = vec![0; MAX_DOTS.0 * MAX_DOTS.1 * 4];
    let frame = reader.next_frame(&mut pixels).map_err(not_png)?;
    let samples = frame.color_type.samples();
    Ok(dots(
        width as usize,
        &pixels[..frame.buffer_size()],
        frame.line_size,
        samples,
    ))
}

fn dots(width: usize, pixels: &[u8], line_bytes: usize, samples: usize) -> Bitmap {
    let stride = width.div_ceil(8).max(1);
    let mut rows = Vec::with_capacity(stride * pixels.len() / line_bytes.max(1));
    for line in pixels.chunks(line_bytes.max(1)) {
        let mut row = vec![0u8; stride];
        for (x, pixel) in line.chunks(samples).take(width).enumerate() {
            if is_dark(pixel) {
                row[x / 8] |= 0x80 >> (x % 8);
            }
        }
        rows.extend(row);
    }
    Bitmap::from_rows(width, rows)
}

/// Whether a pixel (grey, grey and alpha, RGB, RGBA) on white paper is darker than half.
fn is_dark(pixel: &[u8]) -> bool {
    let at = |index: usize| u32::from(pixel.get(index).copied().unwrap_or(255));
    let (light, alpha) = match pixel.len() {
        1 => (at(0), 255),
        2 => (at(0), at(1)),
        3 => ((at(0) * 3 + at(1) * 6 + at(2)) / 10, 255),
        _ => ((at(0) * 3 + at(1) * 6 + at(2)) / 10, at(3)),
    };
    light * alpha + 255 * (255 - alpha) < 128 * 255
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn write(path: &Path, width: u32, height: u32, color: png::ColorType, pixels: &[u8]) {
        let mut encoder = png::Encoder::new(File::create(path).unwrap(), width, height);
        encoder.set_color(color);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(pixels).unwrap();
    }

    #[test]
    fn dark_pixels_become_dots_and_transparent_ones_stay_paper() {
        // Proves: grey and colour with alpha are read, and nothing transparent is inked.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo.png");
        write(
            &path,
            3,
            2,
            png::ColorType::Grayscale,
            &[0, 255, 90, 255, 0, 200],
        );
        let logo = read(&path).unwrap();
        assert_eq!((logo.width_dots(), logo.height_dots()), (3, 2));
        assert_eq!(logo.rows(), [0b1010_0000, 0b0100_0000]);
        let rgba = [0, 0, 0, 255, 0, 0, 0, 0];
        write(&path, 2, 1, png::ColorType::Rgba, &rgba);
        assert_eq!(read(&path).unwrap().rows(), [0b1000_0000]);
    }

    #[test]
    fn what_is_no_logo_says_what_to_do() {
        // Proves: a missing file, another format and a too large picture are told apart.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo.png");
        let said = |path: &Path| read(path).unwrap_err().to_string();
        assert!(said(&path).contains("check the name"));
        std::fs::write(&path, "GIF89a").unwrap();
        assert!(said(&path).contains("save it as PNG"));
        write(&path, 400, 1, png::ColorType::Grayscale, &vec![0; 400]);
        assert!(said(&path).contains("at most 384 x 320"));
    }
}
