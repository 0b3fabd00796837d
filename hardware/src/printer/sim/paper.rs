//! The simulator's paper: dots, and the text a person would read.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use std::sync::OnceLock;

use super::super::glyph::{self, CELL_WIDTH_DOTS, Columns};

/// A piece of paper that was cut off, or what hangs out of the printer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sheet {
    /// Dots across.
    pub width_dots: usize,
    /// Dots down.
    pub height_dots: usize,
    /// What a person reads on it.
    pub lines: Vec<String>,
    rows: Vec<u8>,
}

impl Sheet {
    /// All lines, each ended by a line feed.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| format!("{line}\n")).collect()
    }

    /// Whether nothing was printed on it.
    pub fn is_blank(&self) -> bool {
        self.lines.iter().all(String::is_empty)
    }

    /// Whether there is ink at a dot, counted from the top left.
    pub fn is_inked(&self, x: usize, y: usize) -> bool {
        let stride = self.width_dots.div_ceil(8);
        let byte = self.rows.get(y * stride + x / 8);
        x < self.width_dots && byte.is_some_and(|byte| byte & (0x80 >> (x % 8)) != 0)
    }

    /// Writes the sheet as a PNG picture with 16 dots of margin, one pixel a dot.
    ///
    /// # Errors
    /// The system error when the file cannot be written.
    pub fn write_png(&self, path: &Path) -> io::Result<()> {
        const MARGIN_BYTES: usize = 2;
        let stride = self.width_dots.div_ceil(8);
        let width_bytes = stride + 2 * MARGIN_BYTES;
        let height = self.height_dots + 32;
        let mut picture = vec![0xFFu8; width_bytes * height];
        for (y, row) in self.rows.chunks(stride.max(1)).enumerate() {
            let start = (y + 16) * width_bytes + MARGIN_BYTES;
            for (pixel, ink) in picture[start..start + stride].iter_mut().zip(row) {
                *pixel = !ink;
            }
        }
        let file = BufWriter::new(File::create(path)?);
        let mut encoder = png::Encoder::new(file, (width_bytes * 8) as u32, height as u32);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let mut writer = encoder.write_header().map_err(io::Error::other)?;
        writer.write_image_data(&picture).map_err(io::Error::other)
    }
}

/// A stretch of paper about to move under the head.
#[derive(Debug, Clone, Default)]
pub(super) struct Strip {
    pub(super) height_dots: usize,
    /// Packed rows, fewer than `height_dots` if the rest is blank.
    pub(super) rows: Vec<u8>,
    /// What it says; `None` for feeds and the like.
    pub(super) text: Option<String>,
}

/// The paper from the last cut to the head.
#[derive(Debug, Clone)]
pub(super) struct Paper {
    width_dots: usize,
    height_dots: usize,
    rows: Vec<u8>,
    lines: Vec<(usize, String)>,
    pub(super) sheets: Vec<Sheet>,
    /// Whether dots are kept; counting runs need only the text.
    draws: bool,
}

impl Paper {
    pub(super) fn new(width_dots: usize, draws: bool) -> Self {
        Self {
            width_dots,
            height_dots: 0,
            rows: Vec::new(),
            lines: Vec::new(),
            sheets: Vec::new(),
            draws,
        }
    }

    fn stride(&self) -> usize {
        self.width_dots.div_ceil(8)
    }

    pub(super) fn move_on(&mut self, strip: Strip) {
        if let Some(text) = strip.text {
            self.lines.push((self.height_dots, text));
        }
        self.height_dots += strip.height_dots;
        if self.draws {
            self.rows.extend_from_slice(&strip.rows);
            self.rows.resize(self.height_dots * self.stride(), 0);
        }
    }

    /// Cuts `behind_dots` before the head.
    pub(super) fn cut(&mut self, behind_dots: usize) {
        let at = self.height_dots.saturating_sub(behind_dots);
        let keep = self.rows.split_off(self.rows.len().min(at * self.stride()));
        let (cut, rest) = self.lines.drain(..).partition(|(y, _)| *y < at);
        self.lines = rest;
        let lines: Vec<(usize, String)> = cut;
        self.sheets.push(Sheet {
            width_dots: self.width_dots,
            height_dots: at,
            lines: lines.into_iter().map(|(_, text)| text).collect(),
            rows: std::mem::replace(&mut self.rows, keep),
        });
        for (y, _) in &mut self.lines {
            *y -= at;
        }
        self.height_dots -= at;
    }

    /// Whether nothing was printed since the last cut.
    pub(super) fn is_blank(&self) -> bool {
        self.lines.iter().all(|(_, text)| text.is_empty())
    }

    /// What hangs out of the printer, not cut.
    pub(super) fn hanging(&self) -> Sheet {
        Sheet {
            width_dots: self.width_dots,
            height_dots: self.height_dots,
            lines: self.lines.iter().map(|(_, text)| text.clone()).collect(),
            rows: self.rows.clone(),
        }
    }
}

/// A picture that grows to the right and down as it is drawn on.
#[derive(Debug, Clone, Default)]
pub(super) struct Canvas {
    pub(super) width_dots: usize,
    stride: usize,
    rows: Vec<u8>,
}

impl Canvas {
    pub(super) fn new(width_dots: usize, height_dots: usize) -> Self {
        let stride = width_dots.div_ceil(8);
        Self {
            width_dots,
            stride,
            rows: vec![0; stride * height_dots],
        }
    }

    /// Inks one dot; dots beside the paper are lost, as on the real thing.
    pub(super) fn ink(&mut self, x: usize, y: usize) {
        if x < self.width_dots
            && let Some(byte) = self.rows.get_mut(y * self.stride + x / 8)
        {
            *byte |= 0x80 >> (x % 8);
        }
    }

    pub(super) fn ink_block(&mut self, x: usize, y: usize, width: usize, height: usize) {
        for row in y..y + height {
            for column in x..x + width {
                self.ink(column, row);
            }
        }
    }

    pub(super) fn into_rows(self) -> Vec<u8> {
        self.rows
    }
}

/// The letter a drawing shows.
pub(super) fn identify(columns: &[u8]) -> Option<char> {
    static LETTERS: OnceLock<HashMap<&'static [u8], char>> = OnceLock::new();
    let letters = LETTERS.get_or_init(|| {
        let mut letters = HashMap::new();
        for letter in glyph::all() {
            for bold in [false, true] {
                if let Some(columns) = glyph::columns(letter, bold) {
                    // Two letters of one look (Đ and Ð) read as the Vietnamese one.
                    let columns: &'static Columns = columns;
                    let known = letters.entry(columns.as_slice()).or_insert(letter);
                    if glyph::VIETNAMESE_LETTERS.contains(letter) {
                        *known = letter;
                    }
                }
            }
        }
        letters
    });
    letters.get(columns).copied()
}

/// The text a raster picture 24 dots high shows, if it is nothing but letters of our font.
pub(super) fn read_raster(row_bytes: usize, data: &[u8]) -> Option<String> {
    if row_bytes == 0 || data.len() != row_bytes * glyph::CELL_HEIGHT_DOTS {
        return None;
    }
    let mut text = String::new();
    for cell in 0..(row_bytes * 8).div_ceil(CELL_WIDTH_DOTS) {
        let mut columns = [0u8; glyph::GLYPH_BYTES];
        for index in 0..CELL_WIDTH_DOTS {
            let x = cell * CELL_WIDTH_DOTS + index;
            if x >= row_bytes * 8 {
                break;
            }
            for y in 0..glyph::CELL_HEIGHT_DOTS {
                if data[y * row_bytes + x / 8] & (0x80 >> (x % 8)) != 0 {
                    columns[index * 3 + y / 8] |= 0x80 >> (y % 8);
                }
            }
        }
        text.push(identify(&columns)?);
    }
    Some(text.trim_end().to_owned())
}
