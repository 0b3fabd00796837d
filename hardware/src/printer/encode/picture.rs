//! Pictures: text drawn from glyphs, QR symbols, raster bands.

use qrcode::{Color, EcLevel, QrCode};

use super::super::document::Bitmap;
use super::super::glyph::{self, CELL_HEIGHT_DOTS, CELL_WIDTH_DOTS};

/// Bytes of one raster band: small enough to ask for status in between.
pub(super) const BAND_BYTES: usize = 1_000;
/// Bytes of one band of a QR symbol: one band for most payments, and under every credit.
pub(super) const QR_BAND_BYTES: usize = 1_600;

/// A part of a picture.
pub(super) enum Band {
    /// Rows without ink.
    Blank {
        /// How many.
        rows: usize,
    },
    /// Rows with ink, blank bytes at their right ends left out.
    Inked {
        /// Bytes of one row.
        row_bytes: usize,
        /// Row after row.
        data: Vec<u8>,
    },
}

/// Splits a picture into inked bands of at most `band_bytes` and blank stretches.
pub(super) fn bands(bitmap: &Bitmap, band_bytes: usize) -> Vec<Band> {
    let rows: Vec<&[u8]> = bitmap.rows().chunks(bitmap.stride_bytes()).collect();
    let is_blank = |row: &[u8]| row.iter().all(|&byte| byte == 0);
    let mut out = Vec::new();
    for group in rows.chunk_by(|a, b| is_blank(a) == is_blank(b)) {
        if is_blank(group[0]) {
            out.push(Band::Blank { rows: group.len() });
            continue;
        }
        let used = |row: &&[u8]| {
            row.iter()
                .rposition(|&byte| byte != 0)
                .map_or(0, |at| at + 1)
        };
        // Trimming must not shift a centred picture, so the whole picture shares one width.
        let row_bytes = rows.iter().map(used).max().unwrap_or(1).max(1);
        let rows_per_band = (band_bytes / row_bytes).clamp(1, 2_000);
        for band in group.chunks(rows_per_band) {
            let data = band.iter().flat_map(|row| &row[..row_bytes]).copied();
            out.push(Band::Inked {
                row_bytes,
                data: data.collect(),
            });
        }
    }
    out
}

/// One line of text as a picture 24 dots high.
pub(super) fn draw_text(text: &str, bold: bool) -> Bitmap {
    let letters: Vec<char> = text.chars().collect();
    let width_dots = letters.len() * CELL_WIDTH_DOTS;
    let stride = width_dots.div_ceil(8).max(1);
    let mut rows = vec![0u8; stride * CELL_HEIGHT_DOTS];
    for (cell, &letter) in letters.iter().enumerate() {
        let Some(columns) = glyph::columns(letter, bold) else {
            continue;
        };
        for (index, column) in columns.chunks(3).enumerate() {
            let x = cell * CELL_WIDTH_DOTS + index;
            for y in (0..CELL_HEIGHT_DOTS).filter(|y| column[y / 8] & (0x80 >> (y % 8)) != 0) {
                rows[y * stride + x / 8] |= 0x80 >> (x % 8);
            }
        }
    }
    Bitmap::from_rows(width_dots, rows)
}

/// The picture, cut at the right if it is wider than the paper.
pub(super) fn narrowed(bitmap: &Bitmap, width_dots: usize) -> Bitmap {
    if bitmap.width_dots() <= width_dots {
        return bitmap.clone();
    }
    let keep = width_dots.div_ceil(8);
    let rows = bitmap.rows().chunks(bitmap.stride_bytes());
    let rows = rows.flat_map(|row| &row[..keep]).copied().collect();
    Bitmap::from_rows(width_dots, rows)
}

/// A QR symbol and the size of its modules on a given paper.
pub(super) struct QrSymbol {
    code: QrCode,
    /// Dots of a module on paper: an even number.
    pub(super) module_dots: usize,
}

/// The QR symbol for `data` with modules as large as the paper allows, at most 6 dots (0.75 mm
/// at 203 dpi), at least 4. `None` if it does not fit. The `smallest` symbol for pictures, whose
/// every module is sent; otherwise error correction M.
pub(super) fn qr_symbol(data: &str, width_dots: usize, smallest: bool) -> Option<QrSymbol> {
    let code = if smallest {
        smallest_code(data)?
    } else {
        QrCode::with_error_correction_level(data, EcLevel::M).ok()?
    };
    let modules_with_quiet_zone = code.width() + 8;
    let module_dots = [6, 4]
        .into_iter()
        .find(|dots| modules_with_quiet_zone * dots <= width_dots)?;
    Some(QrSymbol { code, module_dots })
}

/// The fewest modules, with the best error correction that fits into them.
fn smallest_code(data: &str) -> Option<QrCode> {
    let least = QrCode::with_error_correction_level(data, EcLevel::L).ok()?;
    let better = [EcLevel::H, EcLevel::Q, EcLevel::M];
    let version = least.version();
    let best = better
        .into_iter()
        .find_map(|level| QrCode::with_version(data, version, level).ok());
    Some(best.unwrap_or(least))
}

impl QrSymbol {
    /// The symbol without quiet zone, `scale` dots a module.
    pub(super) fn draw(&self, scale: usize) -> Bitmap {
        let width = self.code.width() * scale;
        let stride = width.div_ceil(8);
        let mut rows = vec![0u8; stride * width];
        let colors = self.code.to_colors();
        for y in 0..width {
            for x in 0..width {
                let module = (y / scale) * self.code.width() + x / scale;
                if colors[module] == Color::Dark {
                    rows[y * stride + x / 8] |= 0x80 >> (x % 8);
                }
            }
        }
        Bitmap::from_rows(width, rows)
    }
}
