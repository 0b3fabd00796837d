//! Product pictures and faces: embedded PNG files, decoded once, and resampled well to the size they are drawn at.
//!
//! Slint's software renderer picks the nearest pixel when it scales. A flat drawing scaled that way looks torn,
//! so the screens ask for every picture at its final size.

use std::cell::RefCell;
use std::collections::HashMap;

use slint::{ComponentHandle, Image, Rgba8Pixel, SharedPixelBuffer};

use crate::generated::{MainWindow, Pictures};

include!(concat!(env!("OUT_DIR"), "/picture_files.rs"));

/// Resampled pictures kept at most; a page of products needs a tenth of it.
const FITTED_MAX: usize = 512;

thread_local! {
    static DECODED: RefCell<HashMap<&'static str, Image>> = RefCell::new(HashMap::new());
    static FITTED: RefCell<HashMap<(usize, u32), Fitted>> = RefCell::new(HashMap::new());
}

/// A resampled picture with its source, which stays alive so that its address stays its name.
struct Fitted {
    _source: SharedPixelBuffer<Rgba8Pixel>,
    image: Image,
}

/// The embedded picture `key` (the file name in `ui/pictures` without `.png`), or `None` when there is none.
///
/// Decoded on first use and kept; calling again costs a lookup.
#[must_use]
pub fn picture(key: &str) -> Option<Image> {
    let index = PICTURE_FILES
        .binary_search_by_key(&key, |(name, _)| *name)
        .ok()?;
    let (name, bytes) = PICTURE_FILES[index];
    DECODED.with_borrow_mut(|decoded| {
        if let Some(image) = decoded.get(name) {
            return Some(image.clone());
        }
        let image = Image::from_rgba8(decode(bytes)?);
        decoded.insert(name, image.clone());
        Some(image)
    })
}

/// Every embedded picture key, sorted.
pub fn picture_keys() -> impl Iterator<Item = &'static str> {
    PICTURE_FILES.iter().map(|(name, _)| *name)
}

/// Connects what the screens need from this crate. Call once after `MainWindow::new()`.
pub fn install(window: &MainWindow) {
    let pictures = window.global::<Pictures>();
    pictures.on_fit(|image, side_px| fit(image, u32::try_from(side_px).unwrap_or(0)));
    pictures.on_face(|face| picture(&format!("face-{face}")).unwrap_or_default());
}

/// Decodes one of our own PNG files; `None` when it is not 8-bit RGBA.
fn decode(bytes: &[u8]) -> Option<SharedPixelBuffer<Rgba8Pixel>> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(bytes));
    decoder.set_transformations(
        png::Transformations::normalize_to_color8() | png::Transformations::ALPHA,
    );
    let mut reader = decoder.read_info().ok()?;
    let (width, height) = reader.info().size();
    let mut buffer = SharedPixelBuffer::<Rgba8Pixel>::new(width, height);
    let pixels = buffer.make_mut_bytes();
    if reader.output_color_type() != (png::ColorType::Rgba, png::BitDepth::Eight) {
        return None;
    }
    reader.next_frame(pixels).ok()?;
    Some(buffer)
}

/// `image` with its longer side `side_px` physical pixels long, averaged over areas; the same picture when it has that size.
fn fit(image: Image, side_px: u32) -> Image {
    let size = image.size();
    let longer = size.width.max(size.height);
    if side_px == 0 || longer == 0 || longer == side_px {
        return image;
    }
    let Some(source) = image.to_rgba8() else {
        return image;
    };
    let name = (source.as_slice().as_ptr() as usize, side_px);
    FITTED.with_borrow_mut(|fitted| {
        if let Some(hit) = fitted.get(&name) {
            return hit.image.clone();
        }
        if fitted.len() >= FITTED_MAX {
            fitted.clear();
        }
        let image = Image::from_rgba8_premultiplied(resample(&source, side_px));
        let entry = Fitted {
            _source: source,
            image: image.clone(),
        };
        fitted.insert(name, entry);
        image
    })
}

/// Averages the area under each target pixel, in fixed point, on colours multiplied by their alpha.
fn resample(source: &SharedPixelBuffer<Rgba8Pixel>, side_px: u32) -> SharedPixelBuffer<Rgba8Pixel> {
    let (from_width, from_height) = (source.width(), source.height());
    let longer = from_width.max(from_height);
    let scaled = |length: u32| (u64::from(length) * u64::from(side_px) / u64::from(longer)).max(1);
    let (to_width, to_height) = (scaled(from_width) as u32, scaled(from_height) as u32);
    let columns = spans(from_width, to_width);
    let rows = spans(from_height, to_height);
    let pixels = source.as_slice();
    let mut target = SharedPixelBuffer::<Rgba8Pixel>::new(to_width, to_height);
    let mut out = target.make_mut_slice().iter_mut();
    for row in &rows {
        for column in &columns {
            let mut sum = [0u64; 4];
            let mut area = 0u64;
            for &(y, y_weight) in row {
                for &(x, x_weight) in column {
                    let pixel = pixels[(y * from_width + x) as usize];
                    let weight = y_weight * x_weight;
                    let alpha = u64::from(pixel.a) * weight;
                    sum[0] += u64::from(pixel.r) * alpha / 255;
                    sum[1] += u64::from(pixel.g) * alpha / 255;
                    sum[2] += u64::from(pixel.b) * alpha / 255;
                    sum[3] += alpha;
                    area += weight;
                }
            }
            if let Some(pixel) = out.next() {
                let channel = |value: u64| ((value + area / 2) / area).min(255) as u8;
                *pixel = Rgba8Pixel::new(
                    channel(sum[0]),
                    channel(sum[1]),
                    channel(sum[2]),
                    channel(sum[3]),
                );
            }
        }
    }
    target
}

/// For each of `to` target cells, the source cells under it and how much of each, in parts of 256.
fn spans(from: u32, to: u32) -> Vec<Vec<(u32, u64)>> {
    let step = u64::from(from) * 256 / u64::from(to);
    (0..u64::from(to))
        .map(|cell| {
            let (start, end) = (cell * step, ((cell + 1) * step).min(u64::from(from) * 256));
            let last = ((end.max(start + 1) - 1) / 256).min(u64::from(from) - 1);
            (start / 256..=last)
                .map(|index| {
                    let covered = end
                        .min((index + 1) * 256)
                        .saturating_sub(start.max(index * 256));
                    (index as u32, covered.max(1))
                })
                .collect()
        })
        .collect()
}
