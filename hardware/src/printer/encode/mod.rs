//! Turns a [`Document`] into the bytes a given printer prints.
//!
//! Pure and deterministic: the same document and profile give the same bytes. A job never holds
//! a real-time sequence (`DLE EOT/ENQ/DC4`), a status question, or half a command, and text
//! cannot bring in a command of its own.

mod letters;
mod logo;
mod picture;
mod selftest;
mod tcvn;

pub(super) use logo::height_of_stored_logo;
pub use logo::{MAX_STORED_LOGO_BYTES, MAX_STORED_LOGO_DOTS, store_logo};
pub use selftest::{SelfTest, self_test};
pub use tcvn::{Tcvn3Page, tcvn3_byte, tcvn3_letter};

use super::document::{Align, Bitmap, Document, Element, Line, Size};
use super::glyph;
use super::profile::{CutPlan, LogoPlan, Profile, QrPlan, TextPlan};
use super::protocol;
use letters::SoftFont;

/// Longest QR content in bytes; the densest code that still scans from 58 mm paper.
pub const MAX_QR_BYTES: usize = 700;
/// Longest barcode content in characters.
pub const MAX_BARCODE_CHARS: usize = 40;

/// Why a document cannot be printed on a given printer. None of them passes by itself.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EncodeError {
    /// The QR content is too long or does not fit the paper.
    #[error(
        "QR code of {bytes} bytes does not fit the paper: printing again does not help; shorten the content"
    )]
    QrTooLarge {
        /// Length of the content.
        bytes: usize,
    },
    /// The QR content holds control characters or is empty.
    #[error(
        "QR code content is empty or holds control characters: printing again does not help; correct the content"
    )]
    QrUnprintable,
    /// The barcode content is not 1 to 40 printable ASCII characters.
    #[error(
        "barcode content must be 1 to 40 printable ASCII characters: printing again does not help; correct the content"
    )]
    BarcodeUnprintable,
    /// The model keeps no logo.
    #[error(
        "printers of this model keep no logo: leave receipt.logo_in_printer out, and the logo is sent with each receipt"
    )]
    NoLogoMemory,
    /// The logo is empty or too large to be stored in one piece.
    #[error(
        "the logo takes {bytes} bytes, 1 to {MAX_STORED_LOGO_BYTES} can be stored: trying again does not help; make the picture smaller, such as 200 x 100 dots"
    )]
    LogoSize {
        /// Bytes of the packed picture.
        bytes: usize,
    },
    /// The logo is taller than can be stored.
    #[error(
        "the logo is {dots} dots tall, {MAX_STORED_LOGO_DOTS} can be stored: trying again does not help; make the picture lower"
    )]
    LogoTooTall {
        /// Its height.
        dots: usize,
    },
}

/// Bytes ready for a printer, made by [`encode`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    bytes: Vec<u8>,
}

impl Job {
    /// The bytes; this is what a spool keeps.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, by value.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

/// Encodes `document` for `profile`.
///
/// # Errors
/// [`EncodeError`] when a QR code or barcode cannot be drawn; text never fails.
pub fn encode(document: &Document, profile: &Profile) -> Result<Job, EncodeError> {
    let elements = document.layout(profile.columns);
    let soft_font = match profile.text {
        TextPlan::SoftFont => SoftFont::for_lines(&elements),
        _ => SoftFont::default(),
    };
    let mut writer = Writer::new(profile, soft_font);
    writer.prologue();
    for element in &elements {
        match element {
            Element::Line(line) => writer.line(line),
            Element::Qr(data) => writer.qr(data)?,
            Element::Barcode(data) => writer.barcode(data)?,
            Element::Image(image) => writer.image(image),
            Element::Logo(image) => match profile.logo {
                LogoPlan::Stored => writer.stored_logo(image),
                LogoPlan::Raster => writer.image(image),
            },
            Element::OpenDrawer => writer.open_drawer(),
            Element::Cut => writer.cut(),
        }
    }
    debug_assert_eq!(protocol::find_real_time(&writer.out), None);
    Ok(Job { bytes: writer.out })
}

struct Writer<'a> {
    out: Vec<u8>,
    profile: &'a Profile,
    soft_font: SoftFont,
    bold: bool,
    size: Size,
    align: Align,
    code_page: Option<u8>,
}

impl<'a> Writer<'a> {
    fn new(profile: &'a Profile, soft_font: SoftFont) -> Self {
        Self {
            out: Vec::with_capacity(4_096),
            profile,
            soft_font,
            bold: false,
            size: Size::Normal,
            align: Align::Left,
            code_page: None,
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn prologue(&mut self) {
        self.put(&protocol::INITIALIZE);
        if self.profile.chinese_mode {
            self.put(&protocol::LEAVE_CHINESE);
        }
        if self.profile.answers.automatic_status {
            // ESC @ switched it off.
            self.put(&protocol::ENABLE_AUTOMATIC_STATUS);
        }
        let definitions = self.soft_font.definitions();
        self.put(&definitions);
    }

    fn line(&mut self, line: &Line) {
        if line.text.is_empty() {
            self.put(b"\n");
            return;
        }
        if self.needs_picture(line) {
            self.set_align(line.style.align);
            self.text_picture(line);
            return;
        }
        let from_right = line.style.align == Align::Right;
        self.set_align(if from_right {
            Align::Left
        } else {
            line.style.align
        });
        self.set_bold(line.style.bold);
        self.set_size(line.style.size);
        if from_right {
            self.jump_to_right(&line.text);
        }
        self.text(&line.text, line.style.bold);
        self.put(b"\n");
    }

    /// To where the last column is, not the edge of the paper: figures stand below each other
    /// also where the columns do not fill the paper.
    fn jump_to_right(&mut self, text: &str) {
        let cell_dots = glyph::CELL_WIDTH_DOTS * self.size.width_factor();
        let cells = self.profile.columns / self.size.width_factor();
        let dots = cells.saturating_sub(text.chars().count()) * cell_dots;
        self.put(&[0x1B, b'$']);
        self.put(&(dots as u16).to_le_bytes());
    }

    /// `ESC *` pictures do not grow with `GS !`. Double width has a mode of its own (32), but a
    /// line of double height that needs one becomes a picture as a whole; so does every
    /// accented line where `ESC *` is missing.
    fn needs_picture(&self, line: &Line) -> bool {
        let needs_glyph = |letter| self.needs_glyph(letter);
        match self.profile.text {
            TextPlan::Raster => line.text.chars().any(needs_glyph),
            _ => line.style.size.height_factor() > 1 && line.text.chars().any(needs_glyph),
        }
    }

    fn text_picture(&mut self, line: &Line) {
        let bitmap = picture::draw_text(&line.text, line.style.bold);
        let mode = match line.style.size {
            Size::Normal => 0,
            Size::Wide => 1,
            Size::Tall => 2,
            Size::Large => 3,
        };
        self.raster_band(mode, bitmap.stride_bytes(), bitmap.rows().to_vec());
        // The gap that line feed leaves below text.
        self.feed_dots(6);
    }

    fn set_align(&mut self, align: Align) {
        if self.align != align {
            self.align = align;
            self.put(&[0x1B, b'a', align as u8]);
        }
    }

    fn set_bold(&mut self, bold: bool) {
        if self.bold != bold {
            self.bold = bold;
            self.put(&[0x1B, b'E', u8::from(bold)]);
        }
    }

    fn set_size(&mut self, size: Size) {
        if self.size != size {
            self.size = size;
            let wide = u8::from(size.width_factor() == 2);
            let tall = u8::from(size.height_factor() == 2);
            self.put(&[0x1D, b'!', wide << 4 | tall]);
        }
    }

    fn feed_dots(&mut self, dots: usize) {
        let mut units = dots * usize::from(self.profile.feed_units_per_dot);
        while units > 0 {
            let step = units.min(240);
            self.put(&[0x1B, b'J', step as u8]);
            units -= step;
        }
    }

    /// Sends a picture as `GS v 0` bands of at most `band_bytes`; blank rows are fed instead.
    fn raster(&mut self, bitmap: &Bitmap, mode: u8, band_bytes: usize) {
        let zoom = if mode & 2 == 0 { 1 } else { 2 };
        for band in picture::bands(bitmap, band_bytes) {
            match band {
                picture::Band::Blank { rows } => self.feed_dots(rows * zoom),
                picture::Band::Inked { row_bytes, data } => self.raster_band(mode, row_bytes, data),
            }
        }
    }

    fn raster_band(&mut self, mode: u8, row_bytes: usize, mut data: Vec<u8>) {
        protocol::break_real_time(&mut data);
        let rows = data.len() / row_bytes.max(1);
        self.put(&[0x1D, b'v', b'0', mode]);
        self.put(&(row_bytes as u16).to_le_bytes());
        self.put(&(rows as u16).to_le_bytes());
        self.put(&data);
    }

    fn image(&mut self, image: &Bitmap) {
        let image = picture::narrowed(image, self.profile.width_dots);
        self.set_align(Align::Center);
        self.raster(&image, 0, picture::BAND_BYTES);
        self.put(b"\n");
    }

    fn qr(&mut self, data: &str) -> Result<(), EncodeError> {
        if data.is_empty() || data.chars().any(char::is_control) {
            return Err(EncodeError::QrUnprintable);
        }
        let too_large = EncodeError::QrTooLarge { bytes: data.len() };
        if data.len() > MAX_QR_BYTES {
            return Err(too_large);
        }
        let smallest = self.profile.qr == QrPlan::Raster;
        let symbol =
            picture::qr_symbol(data, self.profile.width_dots, smallest).ok_or(too_large)?;
        self.set_align(Align::Center);
        // The quiet zone above and below; at the sides it is bare paper.
        self.put(b"\n");
        match self.profile.qr {
            QrPlan::Native => self.native_qr(data, symbol.module_dots),
            QrPlan::Raster => {
                // Half-size dots, doubled by the printer: a quarter of the bytes.
                let bitmap = symbol.draw(symbol.module_dots / 2);
                self.raster(&bitmap, 3, picture::QR_BAND_BYTES);
            }
        }
        self.put(b"\n");
        Ok(())
    }

    fn native_qr(&mut self, data: &str, module_dots: usize) {
        self.put(&[0x1D, b'(', b'k', 4, 0, 0x31, 0x41, 0x32, 0]);
        self.put(&[0x1D, b'(', b'k', 3, 0, 0x31, 0x43, module_dots as u8]);
        self.put(&[0x1D, b'(', b'k', 3, 0, 0x31, 0x45, 0x31]);
        self.put(&[0x1D, b'(', b'k']);
        self.put(&(data.len() as u16 + 3).to_le_bytes());
        self.put(&[0x31, 0x50, 0x30]);
        self.put(data.as_bytes());
        self.put(&[0x1D, b'(', b'k', 3, 0, 0x31, 0x51, 0x30]);
    }

    fn barcode(&mut self, data: &str) -> Result<(), EncodeError> {
        let printable = data.bytes().all(|byte| (0x20..0x7F).contains(&byte));
        if data.is_empty() || data.len() > MAX_BARCODE_CHARS || !printable {
            return Err(EncodeError::BarcodeUnprintable);
        }
        // In the data `{` starts a code set, so it is sent twice (Epson GS k, Code 128).
        let content = data.replace('{', "{{");
        self.set_align(Align::Center);
        let module_dots = if self.profile.width_dots >= 500 && data.len() <= 16 {
            2
        } else {
            1
        };
        self.put(&[0x1D, b'h', 64, 0x1D, b'w', module_dots, 0x1D, b'H', 2]);
        self.put(&[0x1D, b'k', 73, content.len() as u8 + 2, b'{', b'B']);
        self.put(content.as_bytes());
        self.put(b"\n");
        Ok(())
    }

    fn open_drawer(&mut self) {
        // 50 ms on, 500 ms off.
        self.put(&[0x1B, b'p', self.profile.drawer_pin, 0x19, 0xFA]);
    }

    fn cut(&mut self) {
        match self.profile.cut {
            CutPlan::Partial => self.put(&[0x1D, b'V', 66, 0]),
            CutPlan::Full => self.put(&[0x1D, b'V', 65, 0]),
            CutPlan::TearOff => self.put(&[0x1B, b'd', 4]),
        }
    }
}
