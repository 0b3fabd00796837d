//! QR symbols as modules, and the check that what was drawn reads back.
//!
//! A symbol is black on white with a quiet zone of four and one dot per module; whoever shows it
//! scales by whole numbers. A code a phone would read as something else is somebody's money gone
//! to the wrong place, so no symbol leaves here before a decoder that shares nothing with the
//! encoder has read it.

use qrcode::{Color, EcLevel, QrCode};

/// Modules of quiet zone on each side (ISO/IEC 18004 §6.3.8).
pub const QUIET_MODULES: usize = 4;
/// Dots per module the check reads; a screen shows six and more.
const CHECK_SCALE: usize = 3;
/// Levels in the order in which they are tried: a symbol that our own reader misses is drawn
/// anew before it is given up.
const LEVELS: [EcLevel; 3] = [EcLevel::M, EcLevel::Q, EcLevel::L];
/// The same for long texts: on a clean screen large modules are worth more.
const LONG_LEVELS: [EcLevel; 3] = [EcLevel::L, EcLevel::M, EcLevel::Q];
/// Longer content than this is long, in bytes; payment codes are shorter.
const LONG_BYTES: usize = 200;

/// A drawn symbol with its quiet zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    dark: Vec<bool>,
    side: usize,
}

/// Why a symbol must not be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SymbolFault {
    /// More than a QR code holds. Trying again does not help.
    #[error("{bytes} bytes are more than a QR code holds; shorten the text")]
    TooLong {
        /// Length of the content.
        bytes: usize,
    },
    /// The decoder finds no code in what was drawn, or one that is damaged.
    #[error(
        "our own reader finds no code in what was drawn; do not show it, and report this as a fault of the program"
    )]
    Unreadable,
    /// The decoder reads another content than the one that was to be drawn.
    #[error(
        "what was drawn reads as another code; do not show it, and report this as a fault of the program"
    )]
    ReadsAsOther,
}

impl Symbol {
    /// Draws `content` at level M (long content at L) and reads it back; at another level when
    /// that fails.
    ///
    /// # Errors
    /// [`SymbolFault`]: there is nothing that may be shown.
    pub fn checked(content: &[u8]) -> Result<Self, SymbolFault> {
        Self::checked_by(content, Self::draw)
    }

    /// Draws a payment code at level M whatever its length, as EPC069-12 and the Swiss QR-bill
    /// demand, and reads it back; at another level when that fails.
    ///
    /// # Errors
    /// As [`Self::checked`].
    pub fn checked_payment(content: &[u8]) -> Result<Self, SymbolFault> {
        Self::checked_at(LEVELS, content, Self::draw)
    }

    /// As [`Self::checked`], with another hand that draws.
    fn checked_by(
        content: &[u8],
        draw: impl Fn(&[u8], EcLevel) -> Option<Self>,
    ) -> Result<Self, SymbolFault> {
        let levels = if content.len() > LONG_BYTES {
            LONG_LEVELS
        } else {
            LEVELS
        };
        Self::checked_at(levels, content, draw)
    }

    fn checked_at(
        levels: [EcLevel; 3],
        content: &[u8],
        draw: impl Fn(&[u8], EcLevel) -> Option<Self>,
    ) -> Result<Self, SymbolFault> {
        let mut fault = SymbolFault::TooLong {
            bytes: content.len(),
        };
        for level in levels {
            let Some(symbol) = draw(content, level) else {
                continue;
            };
            match symbol.reads_as(content) {
                Ok(()) => return Ok(symbol),
                Err(found) => fault = found,
            }
        }
        Err(fault)
    }

    fn draw(content: &[u8], level: EcLevel) -> Option<Self> {
        let code = QrCode::with_error_correction_level(content, level).ok()?;
        let side = code.width() + 2 * QUIET_MODULES;
        let mut dark = vec![false; side * side];
        for (index, color) in code.to_colors().into_iter().enumerate() {
            let (x, y) = (index % code.width(), index / code.width());
            dark[(y + QUIET_MODULES) * side + x + QUIET_MODULES] = color == Color::Dark;
        }
        Some(Self { dark, side })
    }

    /// Modules along one edge, quiet zone included.
    #[must_use]
    pub fn side(&self) -> usize {
        self.side
    }

    /// Modules along one edge of the code itself.
    #[must_use]
    pub fn modules(&self) -> usize {
        self.side - 2 * QUIET_MODULES
    }

    /// Brightness of every dot at `scale` dots per module, row by row: 0 or 255.
    #[must_use]
    pub fn luma(&self, scale: usize) -> Vec<u8> {
        let edge = self.side * scale;
        let dot = |index: usize| {
            let (x, y) = (index % edge / scale, index / edge / scale);
            if self.dark[y * self.side + x] { 0 } else { 255 }
        };
        (0..edge * edge).map(dot).collect()
    }

    /// Reads what is drawn and compares it with `content`, byte by byte.
    ///
    /// # Errors
    /// [`SymbolFault::Unreadable`] or [`SymbolFault::ReadsAsOther`].
    pub fn reads_as(&self, content: &[u8]) -> Result<(), SymbolFault> {
        let edge = self.side * CHECK_SCALE;
        let luma = self.luma(CHECK_SCALE);
        if read(edge, edge, |x, y| luma[y * edge + x])? == content {
            Ok(())
        } else {
            Err(SymbolFault::ReadsAsOther)
        }
    }
}

/// A symbol at level M that nobody has read back: for the bench, never for a screen.
#[cfg(feature = "desktop")]
pub(crate) fn draw_unchecked(content: &[u8]) -> Option<Symbol> {
    Symbol::draw(content, EcLevel::M)
}

/// The bytes of the one code in a picture, given as brightness at column and row.
///
/// # Errors
/// [`SymbolFault::Unreadable`] unless there is exactly one code and it is whole.
pub fn read(
    width: usize,
    height: usize,
    luma: impl FnMut(usize, usize) -> u8,
) -> Result<Vec<u8>, SymbolFault> {
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, luma);
    let grids = picture.detect_grids();
    let [grid] = grids.as_slice() else {
        return Err(SymbolFault::Unreadable);
    };
    let mut bytes = Vec::new();
    grid.decode_to(&mut bytes)
        .map_err(|_| SymbolFault::Unreadable)?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use payqr::VietQr;

    const PAYLOAD: &str = "00020101021238540010A000000727012400069704360110007100098567802081234";

    /// The check as the QR lane meets it when the renderer draws another account.
    pub(crate) fn checked_with_another_account(content: &[u8]) -> Result<(), SymbolFault> {
        Symbol::checked_by(content, draw_another_account).map(drop)
    }

    /// A hand that draws another account than it was told.
    fn draw_another_account(content: &[u8], level: EcLevel) -> Option<Symbol> {
        let mut other = content.to_vec();
        let last = other.last_mut()?;
        *last = if *last == b'1' { b'2' } else { b'1' };
        Symbol::draw(&other, level)
    }

    /// A hand that paints dark on dark: nothing can be read.
    fn draw_inverted(content: &[u8], level: EcLevel) -> Option<Symbol> {
        let mut symbol = Symbol::draw(content, level)?;
        symbol.dark.iter_mut().for_each(|dark| *dark = !*dark);
        Some(symbol)
    }

    #[test]
    fn what_is_drawn_reads_back() {
        // Proves: text, digits, accents and bytes that are no text come back to the byte.
        let latin_1 = b"BCD\n002\n2\nSCT\n\nFran\xe7ois\nFR1420041010050500013M02606";
        for content in [PAYLOAD.as_bytes(), b"1", "Điểm Chạm".as_bytes(), latin_1] {
            Symbol::checked(content).unwrap();
        }
    }

    #[test]
    fn a_wrong_drawing_is_never_handed_out() {
        // Proves the check itself: a renderer that draws another account, or one that inverts,
        // gives no symbol.
        let checked = |draw: fn(&[u8], EcLevel) -> Option<Symbol>| {
            Symbol::checked_by(PAYLOAD.as_bytes(), draw)
        };
        assert_eq!(
            checked(draw_another_account),
            Err(SymbolFault::ReadsAsOther)
        );
        assert_eq!(checked(draw_inverted), Err(SymbolFault::Unreadable));
    }

    #[test]
    fn one_bad_drawing_is_drawn_anew() {
        // Proves: a symbol that fails at level M does not end the sale, the next level is tried.
        let only_m_is_broken = |content: &[u8], level| match level {
            EcLevel::M => draw_another_account(content, level),
            _ => Symbol::draw(content, level),
        };
        let symbol = Symbol::checked_by(PAYLOAD.as_bytes(), only_m_is_broken).unwrap();
        symbol.reads_as(PAYLOAD.as_bytes()).unwrap();
        assert_eq!(Some(symbol), Symbol::draw(PAYLOAD.as_bytes(), EcLevel::Q));
    }

    #[test]
    fn a_long_payment_code_is_drawn_at_level_m() {
        // Proves: where a standard demands level M, length does not lower it.
        let long = PAYLOAD.repeat(4);
        let drawn = |level| Symbol::draw(long.as_bytes(), level).unwrap();
        let payment = Symbol::checked_payment(long.as_bytes()).unwrap();
        assert_eq!(payment, drawn(EcLevel::M));
        assert_ne!(payment, drawn(EcLevel::L));
    }

    #[test]
    fn damage_beyond_repair_is_seen() {
        // Proves: a symbol with a painted-over half is not called readable.
        let mut symbol = Symbol::draw(PAYLOAD.as_bytes(), EcLevel::M).unwrap();
        let half = symbol.dark.len() / 2;
        symbol.dark[half..].fill(false);
        assert_eq!(
            symbol.reads_as(PAYLOAD.as_bytes()),
            Err(SymbolFault::Unreadable)
        );
    }

    #[test]
    fn a_text_too_long_for_a_code_is_no_code() {
        // Proves that nothing half-painted is ever shown.
        assert_eq!(
            Symbol::checked(&[b'x'; 5000]),
            Err(SymbolFault::TooLong { bytes: 5000 })
        );
    }

    #[test]
    fn offers_of_a_kiosk_are_at_most_37_modules_and_read_back() {
        // Proves: any account, amount and order code the kiosk can offer, seeded, is at most 37
        // modules wide at level M and is read by our own reader at the first try.
        let mut seed = 20_261_123_u64;
        let mut below = |end: u64| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % end
        };
        const LETTERS: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        for _ in 0..100 {
            let length = 6 + below(14);
            let account: String = (0..length)
                .map(|_| char::from(LETTERS[below(10) as usize]))
                .collect();
            let memo: String = (0..9)
                .map(|_| char::from(LETTERS[below(32) as usize]))
                .collect();
            let bin = 970_400 + below(100);
            let text = VietQr::account(bin.to_string(), account)
                .with_amount(1 + below(499_999_999))
                .with_memo(memo)
                .encode()
                .unwrap();
            let symbol = Symbol::checked(text.as_bytes()).unwrap();
            assert!(
                symbol.modules() <= 37,
                "{} modules: {text}",
                symbol.modules()
            );
            assert_eq!(
                Some(symbol),
                Symbol::draw(text.as_bytes(), EcLevel::M),
                "{text}"
            );
        }
    }
}
