//! Letters on the wire: ROM text, inline glyphs, code page TCVN-3, letters defined on the fly.

use std::collections::{BTreeMap, BTreeSet};

use super::super::document::{Align, Element};
use super::super::glyph;
use super::super::profile::TextPlan;
use super::super::protocol;
use super::Writer;
use super::tcvn::{Tcvn3Page, tcvn3_byte};

/// Blanks that are jumped over instead of sent: the jump takes four bytes.
const JUMP_CELLS: usize = 6;

/// How one letter is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    /// As this byte in whatever code page is on.
    Byte(u8),
    /// As this byte with the code page of this number on.
    Page(u8, u8),
    /// As an inline picture.
    Glyph,
}

/// Letters put in the place of ASCII signs the receipt does not use (`ESC &`).
#[derive(Debug, Clone, Default)]
pub(super) struct SoftFont {
    codes: BTreeMap<char, u8>,
}

impl SoftFont {
    /// Gives every letter outside ASCII a code no line uses, the commonest letters first; what
    /// finds no code stays an inline picture.
    pub(super) fn for_lines(elements: &[Element]) -> Self {
        let mut used = BTreeSet::new();
        let mut wanted: BTreeMap<char, usize> = BTreeMap::new();
        for element in elements {
            if let Element::Line(line) = element {
                for letter in line.text.chars() {
                    match u8::try_from(letter) {
                        Ok(byte) if byte < 0x7F => drop(used.insert(byte)),
                        _ => *wanted.entry(letter).or_default() += 1,
                    }
                }
            }
        }
        // The digits under a barcode and the blank are the printer's own.
        let free = (0x21..=0x7E).filter(|code: &u8| !used.contains(code) && !code.is_ascii_digit());
        let mut letters: Vec<(char, usize)> = wanted.into_iter().collect();
        letters.sort_by_key(|&(letter, count)| (std::cmp::Reverse(count), letter));
        let codes = letters.into_iter().map(|(letter, _)| letter).zip(free);
        Self {
            codes: codes.collect(),
        }
    }

    fn code(&self, letter: char) -> Option<u8> {
        self.codes.get(&letter).copied()
    }

    /// The commands that define the letters and switch them on; neighbouring codes share one.
    pub(super) fn definitions(&self) -> Vec<u8> {
        let mut by_code: Vec<(u8, char)> = self.codes.iter().map(|(&l, &c)| (c, l)).collect();
        by_code.sort_unstable();
        let mut out = Vec::new();
        for group in by_code.chunk_by(|a, b| a.0 + 1 == b.0) {
            let last = group[group.len() - 1].0;
            out.extend_from_slice(&[0x1B, b'&', 3, group[0].0, last]);
            for &(_, letter) in group {
                out.push(glyph::CELL_WIDTH_DOTS as u8);
                out.extend_from_slice(drawing(letter, false));
            }
        }
        if !out.is_empty() {
            out.extend_from_slice(&[0x1B, b'%', 1]);
        }
        out
    }
}

/// The drawing of `letter`; layout lets no letter through that has none.
fn drawing(letter: char, bold: bool) -> &'static glyph::Columns {
    static BLANK: glyph::Columns = [0; glyph::GLYPH_BYTES];
    glyph::columns(letter, bold)
        .or_else(|| glyph::columns('?', bold))
        .unwrap_or(&BLANK)
}

impl Writer<'_> {
    fn route(&self, letter: char) -> Route {
        match u8::try_from(letter) {
            Ok(byte @ 0x20..0x7F) => return Route::Byte(byte),
            _ => {
                if let Some(code) = self.soft_font.code(letter) {
                    return Route::Byte(code);
                }
            }
        }
        let TextPlan::Tcvn3 {
            lower_page,
            upper_page,
        } = self.profile.text
        else {
            return Route::Glyph;
        };
        // Some slots mean the same letter on both pages; stay where we are if that is one.
        let lower = tcvn3_byte(letter, Tcvn3Page::Lower).map(|byte| (lower_page, byte));
        let upper = tcvn3_byte(letter, Tcvn3Page::Upper).map(|byte| (upper_page, byte));
        match lower.or(upper) {
            Some((page, byte)) => Route::Page(page, byte),
            None => Route::Glyph,
        }
    }

    /// Whether `letter` can only be sent as a picture.
    pub(super) fn needs_glyph(&self, letter: char) -> bool {
        self.route(letter) == Route::Glyph
    }

    /// Sends one line's text, without the line feed.
    pub(super) fn text(&mut self, text: &str, bold: bool) {
        let mut run = Vec::new();
        let mut skip_to = 0;
        for (cell, letter) in text.chars().enumerate() {
            if cell < skip_to {
                continue;
            }
            if let Some(end) = self.gap_end(text, cell) {
                self.flush_glyphs(&mut run);
                let dots = end * glyph::CELL_WIDTH_DOTS * self.size.width_factor();
                self.put(&[0x1B, b'$']);
                self.put(&(dots as u16).to_le_bytes());
                skip_to = end;
                continue;
            }
            let route = self.route(letter);
            if route == Route::Glyph {
                run.extend_from_slice(drawing(letter, bold));
                continue;
            }
            self.flush_glyphs(&mut run);
            match route {
                Route::Page(page, byte) => {
                    if self.code_page != Some(page) {
                        self.code_page = Some(page);
                        self.put(&[0x1B, b't', page]);
                    }
                    self.out.push(byte);
                }
                Route::Byte(byte) => self.out.push(byte),
                Route::Glyph => {}
            }
        }
        self.flush_glyphs(&mut run);
    }

    /// Where the blanks that begin at `cell` end, if they are worth a jump (`ESC $`). Only in
    /// lines that begin at the left edge, where positions count from.
    fn gap_end(&self, text: &str, cell: usize) -> Option<usize> {
        if self.align != Align::Left {
            return None;
        }
        let blanks = text.chars().skip(cell).take_while(|&letter| letter == ' ');
        let count = blanks.count();
        (count >= JUMP_CELLS).then_some(cell + count)
    }

    /// Sends collected glyphs as one 24-dot picture inside the line: double density, or single
    /// density, whose dots are twice as wide, in a line of double width.
    fn flush_glyphs(&mut self, run: &mut Vec<u8>) {
        if run.is_empty() {
            return;
        }
        protocol::break_real_time(run);
        let columns = (run.len() / 3) as u16;
        let mode = if self.size.width_factor() == 2 {
            32
        } else {
            33
        };
        self.put(&[0x1B, b'*', mode]);
        self.put(&columns.to_le_bytes());
        self.out.append(run);
    }
}
