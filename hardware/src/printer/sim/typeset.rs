//! How the simulated printer sets what it is told to print.

use std::collections::BTreeMap;

use qrcode::{Color, EcLevel, QrCode};

use super::super::encode::{Tcvn3Page, tcvn3_letter};
use super::super::glyph::{self, CELL_HEIGHT_DOTS, CELL_WIDTH_DOTS};
use super::super::profile::{LogoPlan, Profile, TextPlan};
use super::super::protocol::command::Command;
use super::paper::{Canvas, Strip, identify, read_raster};
use super::{barcode, codepage};

/// A drawn part of the line being set.
#[derive(Debug, Clone)]
struct Sort {
    x: usize,
    columns: Vec<u8>,
    wide: usize,
    tall: usize,
}

/// The print buffer and the settings that `ESC @` resets.
#[derive(Debug, Clone)]
pub(super) struct Typesetter {
    profile: Profile,
    draws: bool,
    bold: bool,
    wide: usize,
    tall: usize,
    align: u8,
    spacing: usize,
    page: u8,
    chinese: bool,
    margin: usize,
    defined: BTreeMap<u8, Vec<u8>>,
    use_defined: bool,
    barcode_height: usize,
    barcode_module: usize,
    qr_data: Vec<u8>,
    qr_module: usize,
    qr_level: EcLevel,
    /// Pictures in the printer's own memory, by key: bytes of a row and the rows.
    stored: BTreeMap<[u8; 2], (usize, Vec<u8>)>,
    /// A picture taken in and not yet printed: zoom, bytes of a row, rows.
    buffered: Option<(u8, usize, Vec<u8>)>,
    x: usize,
    sorts: Vec<Sort>,
    text: String,
}

impl Typesetter {
    pub(super) fn new(profile: Profile, draws: bool) -> Self {
        let chinese = profile.chinese_mode;
        Self {
            profile,
            draws,
            bold: false,
            wide: 1,
            tall: 1,
            align: 0,
            spacing: 30,
            page: 0,
            chinese,
            margin: 0,
            defined: BTreeMap::new(),
            use_defined: false,
            barcode_height: 162,
            barcode_module: 3,
            qr_data: Vec::new(),
            qr_module: 3,
            qr_level: EcLevel::L,
            stored: BTreeMap::new(),
            buffered: None,
            x: 0,
            sorts: Vec::new(),
            text: String::new(),
        }
    }

    /// As after switching on: settings and letters are gone, stored pictures are not.
    pub(super) fn reset(&mut self) -> Self {
        Self {
            stored: std::mem::take(&mut self.stored),
            ..Self::new(self.profile.clone(), self.draws)
        }
    }

    /// Takes a command in; returns the strips it sends to the head.
    pub(super) fn set(&mut self, command: &Command<'_>) -> Vec<Strip> {
        match command {
            Command::Initialize => *self = self.reset(),
            Command::Text(bytes) => return self.text(bytes),
            Command::LineFeed => return vec![self.end_line(self.spacing)],
            Command::FeedUnits(units) => return vec![self.feed(self.units(*units))],
            Command::FeedLines(lines) => {
                return vec![self.feed(usize::from(*lines) * self.spacing)];
            }
            Command::ColumnImage { mode, data } => return self.column_image(*mode, data),
            Command::Raster {
                mode,
                row_bytes,
                data,
            } => return self.raster(*mode, *row_bytes, data),
            Command::Function { letter: b'k', data } => return self.qr(data),
            Command::Function { letter: b'L', data } => return self.graphics(data),
            Command::Barcode { system, data } => return vec![self.barcode(*system, data)],
            Command::Cut { .. } if self.x > 0 => return vec![self.end_line(self.spacing)],
            _ => self.setting(command),
        }
        Vec::new()
    }

    fn setting(&mut self, command: &Command<'_>) {
        match command {
            Command::Bold(bold) => self.bold = *bold,
            Command::PrintMode(mode) => {
                self.bold = mode & 0x08 != 0;
                self.tall = usize::from(mode >> 4 & 1) + 1;
                self.wide = usize::from(mode >> 5 & 1) + 1;
            }
            Command::Size(size) => {
                self.wide = usize::from(size >> 4 & 7) + 1;
                self.tall = usize::from(size & 7) + 1;
            }
            // Only at the start of a line, as on the real thing.
            Command::Align(align) if self.x == 0 => self.align = *align,
            Command::DefaultLineSpacing => self.spacing = 30,
            Command::LineSpacing(units) => self.spacing = self.units(*units),
            Command::CodePage(page) => self.page = *page,
            Command::ChineseMode(on) => self.chinese = *on,
            Command::LeftMargin(dots) if self.x == 0 => self.margin = usize::from(*dots),
            Command::Position(dots) => self.jump(usize::from(*dots)),
            Command::MoveBy(dots) => self.jump(self.x.saturating_add_signed(isize::from(*dots))),
            Command::DefineLetters { first, letters } => {
                for (code, columns) in (*first..).zip(letters) {
                    self.defined.insert(code, columns.to_vec());
                }
            }
            Command::UseDefinedLetters(on) => self.use_defined = *on,
            Command::ForgetLetter(code) => drop(self.defined.remove(code)),
            Command::BarcodeHeight(dots) => self.barcode_height = usize::from(*dots),
            Command::BarcodeModule(dots) => self.barcode_module = usize::from(*dots),
            _ => {}
        }
    }

    /// On to a position; a person reads the way there as blanks.
    fn jump(&mut self, dots: usize) {
        let cell_dots = CELL_WIDTH_DOTS * self.wide;
        let cells = dots.saturating_sub(self.x) / cell_dots;
        self.text.extend(std::iter::repeat_n(' ', cells));
        self.x = dots;
    }

    fn units(&self, units: u8) -> usize {
        usize::from(units) / usize::from(self.profile.feed_units_per_dot.max(1))
    }

    fn text(&mut self, bytes: &[u8]) -> Vec<Strip> {
        let mut strips = Vec::new();
        let mut rest = bytes.iter().copied();
        while let Some(byte) = rest.next() {
            let width = CELL_WIDTH_DOTS * self.wide;
            if self.x + width > self.profile.width_dots {
                strips.push(self.end_line(self.spacing));
            }
            if self.chinese && byte >= 0x81 {
                // Two bytes become one hanzi: what a forgotten FS . looks like.
                let _ = rest.next();
                self.place('▓', vec![0xAA; 72], self.wide, self.tall);
                continue;
            }
            let (letter, columns) = self.drawing(byte);
            self.place(letter, columns, self.wide, self.tall);
        }
        strips
    }

    /// The letter a byte means now, and how it looks.
    fn drawing(&self, byte: u8) -> (char, Vec<u8>) {
        if self.use_defined
            && let Some(columns) = self.defined.get(&byte)
        {
            return (identify(columns).unwrap_or('▒'), columns.clone());
        }
        let letter = self.letter(byte);
        let columns = glyph::columns(letter, self.bold).map_or_else(
            || vec![0x55; glyph::GLYPH_BYTES],
            |columns| columns.to_vec(),
        );
        (letter, columns)
    }

    fn letter(&self, byte: u8) -> char {
        if byte < 0x80 {
            return char::from(byte);
        }
        let letter = match self.profile.text {
            TextPlan::Tcvn3 { lower_page, .. } if lower_page == self.page => {
                tcvn3_letter(byte, Tcvn3Page::Lower)
            }
            TextPlan::Tcvn3 { upper_page, .. } if upper_page == self.page => {
                tcvn3_letter(byte, Tcvn3Page::Upper)
            }
            _ => None,
        };
        // Page 0 is the same on every printer.
        let standard = (self.page == 0).then(|| codepage::cp437(byte)).flatten();
        letter.or(standard).unwrap_or('▒')
    }

    fn place(&mut self, letter: char, columns: Vec<u8>, wide: usize, tall: usize) {
        self.text.push(letter);
        let width = columns.len() / 3 * wide;
        self.sorts.push(Sort {
            x: self.x,
            columns,
            wide,
            tall,
        });
        self.x += width;
    }

    fn column_image(&mut self, mode: u8, data: &[u8]) -> Vec<Strip> {
        let mut strips = Vec::new();
        if mode < 32 {
            // 8-dot images: stretched to the 24-dot grid.
            let columns: Vec<u8> = data.iter().flat_map(|&byte| stretch(byte)).collect();
            self.place('▒', columns, if mode == 0 { 2 } else { 1 }, 1);
            return strips;
        }
        let wide = if mode == 32 { 2 } else { 1 };
        for columns in data.chunks(glyph::GLYPH_BYTES) {
            if self.x + columns.len() / 3 * wide > self.profile.width_dots {
                strips.push(self.end_line(self.spacing));
            }
            let letter = identify(columns).unwrap_or('▒');
            self.place(letter, columns.to_vec(), wide, 1);
        }
        strips
    }

    /// Where a thing of this width starts under the current alignment.
    fn start(&self, width: usize) -> usize {
        let area = self.profile.width_dots.saturating_sub(self.margin);
        let blank = area.saturating_sub(width);
        self.margin
            + match self.align {
                1 => blank / 2,
                2 => blank,
                _ => 0,
            }
    }

    fn end_line(&mut self, spacing: usize) -> Strip {
        let sorts = std::mem::take(&mut self.sorts);
        let tallest = sorts.iter().map(|sort| sort.tall).max().unwrap_or(0) * CELL_HEIGHT_DOTS;
        let height_dots = spacing.max(tallest);
        let width = std::mem::take(&mut self.x);
        let start = self.start(width);
        let mut canvas = Canvas::new(
            self.profile.width_dots,
            if self.draws { tallest } else { 0 },
        );
        if self.draws {
            for sort in &sorts {
                draw(&mut canvas, sort, start, tallest);
            }
        }
        let text = std::mem::take(&mut self.text);
        // What a person reads: cells of blank paper in front of an aligned line.
        let indent = " ".repeat(start / CELL_WIDTH_DOTS);
        Strip {
            height_dots,
            rows: canvas.into_rows(),
            text: Some(format!("{indent}{text}").trim_end().to_owned()),
        }
    }

    fn feed(&mut self, dots: usize) -> Strip {
        if self.x > 0 {
            return self.end_line(dots);
        }
        Strip {
            height_dots: dots,
            ..Strip::default()
        }
    }

    fn raster(&mut self, mode: u8, row_bytes: usize, data: &[u8]) -> Vec<Strip> {
        let (wide, tall) = (usize::from(mode & 1) + 1, usize::from(mode >> 1 & 1) + 1);
        let height = data.len() / row_bytes.max(1);
        let start = self.start(row_bytes * 8 * wide);
        let mut canvas = Canvas::new(
            self.profile.width_dots,
            if self.draws { height * tall } else { 0 },
        );
        if self.draws {
            for (y, row) in data.chunks(row_bytes.max(1)).enumerate() {
                for x in (0..row_bytes * 8).filter(|x| row[x / 8] & (0x80 >> (x % 8)) != 0) {
                    canvas.ink_block(start + x * wide, y * tall, wide, tall);
                }
            }
        }
        let text = read_raster(row_bytes, data).map_or_else(
            || format!("[raster {}x{}]", row_bytes * 8 * wide, height * tall),
            |text| format!("{}{text}", " ".repeat(start / CELL_WIDTH_DOTS)),
        );
        let picture = Strip {
            height_dots: height * tall,
            rows: canvas.into_rows(),
            text: Some(text),
        };
        if self.x > 0 {
            return vec![self.end_line(self.spacing), picture];
        }
        vec![picture]
    }

    /// `GS ( L`: functions 65 (forget), 67 (store) and 69 (print) of pictures kept in the printer,
    /// 112 (take one into the print buffer) and 50 (print it).
    fn graphics(&mut self, data: &[u8]) -> Vec<Strip> {
        if self.profile.logo != LogoPlan::Stored {
            return Vec::new();
        }
        match data {
            [0x30, 0x41, b'C', b'L', b'R'] => self.stored.clear(),
            [
                0x30,
                0x70,
                0x30,
                zoom_x,
                zoom_y,
                0x31,
                x0,
                x1,
                _,
                _,
                rows @ ..,
            ] => {
                let row_bytes = usize::from(u16::from_le_bytes([*x0, *x1])).div_ceil(8);
                let mode = u8::from(*zoom_x == 2) | u8::from(*zoom_y == 2) << 1;
                self.buffered = Some((mode, row_bytes, rows.to_vec()));
            }
            [0x30, 0x02 | 0x32] => {
                if let Some((mode, row_bytes, rows)) = self.buffered.take() {
                    return self.raster(mode, row_bytes, &rows);
                }
            }
            [0x30, 0x43, 0x30, a, b, 1, x0, x1, _, _, 0x31, rows @ ..] => {
                let row_bytes = usize::from(u16::from_le_bytes([*x0, *x1])).div_ceil(8);
                self.stored.insert([*a, *b], (row_bytes, rows.to_vec()));
            }
            [0x30, 0x45, a, b, zoom_x, zoom_y] => {
                // A key nothing is stored under prints nothing, as on the real thing.
                if let Some((row_bytes, rows)) = self.stored.get(&[*a, *b]).cloned() {
                    let mode = u8::from(*zoom_x == 2) | u8::from(*zoom_y == 2) << 1;
                    return self.raster(mode, row_bytes, &rows);
                }
            }
            _ => {}
        }
        Vec::new()
    }

    /// `GS ( k`, function group 49 (QR).
    fn qr(&mut self, data: &[u8]) -> Vec<Strip> {
        match data {
            [0x31, 0x43, module] => self.qr_module = usize::from(*module).clamp(1, 16),
            [0x31, 0x45, level] => {
                self.qr_level = match level {
                    0x31 => EcLevel::M,
                    0x32 => EcLevel::Q,
                    0x33 => EcLevel::H,
                    _ => EcLevel::L,
                };
            }
            [0x31, 0x50, 0x30, content @ ..] => self.qr_data = content.to_vec(),
            [0x31, 0x51, ..] => return self.draw_qr().into_iter().collect(),
            _ => {}
        }
        Vec::new()
    }

    fn draw_qr(&mut self) -> Option<Strip> {
        let code = QrCode::with_error_correction_level(&self.qr_data, self.qr_level).ok()?;
        let size = code.width() * self.qr_module;
        let start = self.start(size);
        let mut canvas = Canvas::new(self.profile.width_dots, if self.draws { size } else { 0 });
        if self.draws {
            for (index, color) in code.to_colors().into_iter().enumerate() {
                if color == Color::Dark {
                    let (x, y) = (index % code.width(), index / code.width());
                    let module = self.qr_module;
                    canvas.ink_block(start + x * module, y * module, module, module);
                }
            }
        }
        Some(Strip {
            height_dots: size,
            rows: canvas.into_rows(),
            text: Some(format!("[QR {}]", String::from_utf8_lossy(&self.qr_data))),
        })
    }

    fn barcode(&mut self, system: u8, data: &[u8]) -> Strip {
        let code = barcode::read(system, data);
        let start = self.start(code.modules.len() * self.barcode_module);
        let height_dots = self.barcode_height + 30;
        let mut canvas = Canvas::new(
            self.profile.width_dots,
            if self.draws { height_dots } else { 0 },
        );
        if self.draws {
            for (index, _) in code.modules.iter().enumerate().filter(|(_, bar)| **bar) {
                let x = start + index * self.barcode_module;
                canvas.ink_block(x, 0, self.barcode_module, self.barcode_height);
            }
            let caption_start = self.start(code.content.len() * CELL_WIDTH_DOTS);
            for (index, letter) in code.content.chars().enumerate() {
                if let Some(columns) = glyph::columns(letter, false) {
                    let sort = Sort {
                        x: index * CELL_WIDTH_DOTS,
                        columns: columns.to_vec(),
                        wide: 1,
                        tall: 1,
                    };
                    draw(&mut canvas, &sort, caption_start, height_dots - 3);
                }
            }
        }
        Strip {
            height_dots,
            rows: canvas.into_rows(),
            text: Some(format!("[BARCODE {}]", code.content)),
        }
    }
}

/// Draws a sort so that it stands on the line at `bottom`.
fn draw(canvas: &mut Canvas, sort: &Sort, start: usize, bottom: usize) {
    let top = bottom.saturating_sub(CELL_HEIGHT_DOTS * sort.tall);
    for (index, column) in sort.columns.chunks(3).enumerate() {
        for y in (0..column.len() * 8).filter(|y| column[y / 8] & (0x80 >> (y % 8)) != 0) {
            let x = start + sort.x + index * sort.wide;
            canvas.ink_block(x, top + y * sort.tall, sort.wide, sort.tall);
        }
    }
}

/// One byte of an 8-dot image as a 24-dot column: each dot three high.
fn stretch(byte: u8) -> [u8; 3] {
    let mut dots = 0u32;
    for bit in 0..8 {
        if byte & (0x80 >> bit) != 0 {
            dots |= 0b111 << (21 - bit * 3);
        }
    }
    let [_, a, b, c] = dots.to_be_bytes();
    [a, b, c]
}
