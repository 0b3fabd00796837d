//! Bytes of a barcode scanner → frames. Pure: no I/O and no clock; the time is
//! a parameter in milliseconds of any monotonic clock.
//!
//! A frame is `[STX] [AIM identifier] data [ETX] [CR|LF|CRLF|TAB]`. The AIM
//! identifier is `]` + code character + modifier (ISO/IEC 15424). GS (0x1D) is
//! kept inside the data because GS1 element strings need it (GS1 General
//! Specifications §7.8.3, FNC1 transmitted as GS).

use serde::{Deserialize, Serialize};
use thiserror::Error;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const TAB: u8 = 0x09;
const LF: u8 = 0x0A;
const CR: u8 = 0x0D;
const GS: u8 = 0x1D;
/// Length of an AIM identifier: `]`, code character, modifier.
const AIM_LEN: usize = 3;
/// AIM code characters of two-dimensional symbologies (ISO/IEC 15424 table 1):
/// Data Matrix, PDF417, MaxiCode, QR, Aztec, Han Xin, DotCode, JAB Code.
const MATRIX_CODES: [u8; 8] = [b'd', b'L', b'U', b'Q', b'z', b'h', b'J', b'j'];

/// What ends a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Terminator {
    /// CR, LF, CRLF or TAB, whichever comes: right for every scanner that sends a suffix.
    #[default]
    Any,
    /// Carriage return only.
    Cr,
    /// Line feed only.
    Lf,
    /// Tab only.
    Tab,
    /// The scanner sends no suffix: silence of `inter_character_timeout_ms` ends the frame.
    Silence,
}

impl Terminator {
    fn ends(self, byte: u8) -> bool {
        match self {
            Self::Any => matches!(byte, CR | LF | TAB),
            Self::Cr => byte == CR,
            Self::Lf => byte == LF,
            Self::Tab => byte == TAB,
            Self::Silence => false,
        }
    }
}

/// Whether frames start with an AIM symbology identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum AimPrefix {
    /// Taken off when there; most scanners can be set either way.
    #[default]
    Detect,
    /// Every frame must have one; a frame without is refused.
    Required,
    /// Never taken off: the bytes are data.
    Never,
}

/// How a scanner is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FrameSettings {
    /// What ends a frame.
    pub terminator: Terminator,
    /// AIM identifier in front of the data.
    pub aim_prefix: AimPrefix,
    /// AIM code characters accepted (`"EeCdQ"`); empty accepts all. Only
    /// judged on frames that carry an identifier.
    pub accepted_symbologies: String,
    /// Longest data of a linear symbology, bytes.
    pub max_linear_bytes: usize,
    /// Longest data of a matrix symbology or of a frame without identifier, bytes.
    pub max_matrix_bytes: usize,
    /// Silence after which an unfinished frame is given up (or, with
    /// [`Terminator::Silence`], complete), milliseconds.
    pub inter_character_timeout_ms: u64,
}

impl Default for FrameSettings {
    fn default() -> Self {
        Self {
            terminator: Terminator::Any,
            aim_prefix: AimPrefix::Detect,
            accepted_symbologies: String::new(),
            max_linear_bytes: 128,
            max_matrix_bytes: 512,
            inter_character_timeout_ms: 200,
        }
    }
}

/// An AIM symbology identifier (ISO/IEC 15424).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Symbology {
    /// Code character: `E` EAN/UPC, `C` Code 128, `e` GS1 DataBar, `d` Data Matrix, `Q` QR …
    pub code: char,
    /// Modifier character, `0`–`9` or a letter.
    pub modifier: char,
}

impl Symbology {
    /// The identifier as transmitted, for example `]E0`.
    #[must_use]
    pub fn aim(self) -> String {
        format!("]{}{}", self.code, self.modifier)
    }

    /// True for two-dimensional symbologies.
    #[must_use]
    pub fn is_matrix(self) -> bool {
        u8::try_from(self.code).is_ok_and(|code| MATRIX_CODES.contains(&code))
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b']', code, modifier, ..]
                if code.is_ascii_alphabetic() && modifier.is_ascii_alphanumeric() =>
            {
                Some(Self {
                    code: char::from(*code),
                    modifier: char::from(*modifier),
                })
            }
            _ => None,
        }
    }
}

/// One barcode as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Symbology, when the scanner sends it.
    pub symbology: Option<Symbology>,
    /// Data without framing, GS kept. Never empty, never with another control character.
    pub data: String,
}

/// Why a frame was refused. None is worth a retry by the program; the shopper
/// scans again.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Fault {
    /// More bytes than a barcode of this kind can have.
    #[error("barcode longer than {limit_bytes} bytes refused; scan the product's own barcode")]
    TooLong {
        /// The limit that was passed, bytes.
        limit_bytes: usize,
    },
    /// A control character inside the data.
    #[error(
        "control character 0x{code:02X} at byte {offset} refused; the barcode is damaged or hostile"
    )]
    ControlCharacter {
        /// The character's code point.
        code: u32,
        /// Bytes of the frame before it.
        offset: usize,
    },
    /// The data is not UTF-8.
    #[error(
        "byte {offset} is not UTF-8; set the scanner's character set to UTF-8 or scan another barcode"
    )]
    NotText {
        /// Bytes of the frame before the first wrong one.
        offset: usize,
    },
    /// The scanner stopped in the middle of a frame.
    #[error(
        "scanner stopped after {got_bytes} bytes of a frame; check the cable and the scanner's suffix setting, then scan again"
    )]
    Incomplete {
        /// Bytes received before the silence.
        got_bytes: usize,
    },
    /// The frame has no AIM identifier although the settings require one.
    #[error("frame without AIM identifier refused; switch on \"transmit AIM ID\" on the scanner")]
    NoSymbology,
    /// A symbology this shop does not accept.
    #[error("symbology {aim} is not accepted here; scan the product's own barcode")]
    SymbologyNotAccepted {
        /// The identifier, for example `]Q1`.
        aim: String,
    },
    /// A key that no barcode types (keyboard-type scanner).
    #[error("key code {key_code} is no barcode character; set the scanner to US keyboard layout")]
    UnknownKey {
        /// Linux input event code.
        key_code: u16,
    },
    /// Too many refusals in a second; this one stands for the ones left out.
    #[error("{count} more refused frames in one second; the scanner or its cable is faulty")]
    Flood {
        /// Refusals not reported one by one.
        count: u64,
    },
}

/// Incremental frame decoder. Memory is bounded by the longest allowed frame;
/// any split of the same bytes into chunks gives the same frames.
#[derive(Debug)]
pub struct Decoder {
    settings: FrameSettings,
    buffer: Vec<u8>,
    /// A fault of this frame was reported: skip to its end.
    skipping: bool,
    last_byte_ms: u64,
}

impl Decoder {
    /// A decoder at the start of a frame.
    #[must_use]
    pub fn new(settings: FrameSettings) -> Self {
        Self {
            settings,
            buffer: Vec::new(),
            skipping: false,
            last_byte_ms: 0,
        }
    }

    /// Feeds bytes received at `now_ms`; `out` gets every frame and fault they complete.
    ///
    /// Does not judge the silence before the bytes: only [`Decoder::tick`] does,
    /// when nothing was there to read. So a reader that comes late never tears a frame.
    pub fn push(&mut self, now_ms: u64, bytes: &[u8], mut out: impl FnMut(Result<Frame, Fault>)) {
        self.last_byte_ms = now_ms;
        for &byte in bytes {
            if let Some(result) = self.byte(byte) {
                out(result);
            }
        }
    }

    /// Tells the decoder that nothing came until `now_ms`; ends or gives up a frame that fell silent.
    pub fn tick(&mut self, now_ms: u64) -> Option<Result<Frame, Fault>> {
        if self.deadline_ms().is_none_or(|deadline| now_ms < deadline) {
            return None;
        }
        if std::mem::take(&mut self.skipping) {
            self.buffer.clear();
            return None;
        }
        if self.settings.terminator == Terminator::Silence {
            return self.finish();
        }
        Some(Err(self.give_up()))
    }

    /// When [`Decoder::tick`] is due, if a frame is under way.
    #[must_use]
    pub fn deadline_ms(&self) -> Option<u64> {
        (self.skipping || !self.buffer.is_empty()).then(|| {
            self.last_byte_ms
                .saturating_add(self.settings.inter_character_timeout_ms)
        })
    }

    /// Refuses the frame under way for a reason found outside (an unknown
    /// key); the rest of it up to its end is skipped.
    pub fn refuse(&mut self, now_ms: u64, fault: Fault) -> Option<Fault> {
        self.last_byte_ms = now_ms;
        self.buffer.clear();
        (!std::mem::replace(&mut self.skipping, true)).then_some(fault)
    }

    /// Forgets a frame under way: the device vanished or lost events. Returns
    /// a fault when something had been received.
    pub fn reset(&mut self) -> Option<Fault> {
        let was_skipping = std::mem::take(&mut self.skipping);
        (!was_skipping && !self.buffer.is_empty()).then(|| self.give_up())
    }

    fn give_up(&mut self) -> Fault {
        let got_bytes = self.buffer.len();
        self.buffer.clear();
        Fault::Incomplete { got_bytes }
    }

    fn byte(&mut self, byte: u8) -> Option<Result<Frame, Fault>> {
        if byte == STX {
            // A start in the middle: the frame before it was torn.
            let torn = self.reset();
            self.buffer.clear();
            return torn.map(Err);
        }
        if byte == ETX || self.settings.terminator.ends(byte) {
            if std::mem::take(&mut self.skipping) {
                self.buffer.clear();
                return None;
            }
            return self.finish();
        }
        if self.skipping || (self.buffer.is_empty() && matches!(byte, CR | LF | TAB)) {
            // Second half of CRLF, or of a suffix behind ETX.
            return None;
        }
        if (byte < 0x20 && byte != GS) || byte == 0x7F {
            return self.fault(Fault::ControlCharacter {
                code: u32::from(byte),
                offset: self.buffer.len(),
            });
        }
        let limit_bytes = self.limit_bytes();
        if self.buffer.len() >= limit_bytes {
            return self.fault(Fault::TooLong { limit_bytes });
        }
        self.buffer.push(byte);
        None
    }

    fn fault(&mut self, fault: Fault) -> Option<Result<Frame, Fault>> {
        self.skipping = true;
        self.buffer.clear();
        Some(Err(fault))
    }

    fn symbology(&self) -> Option<Symbology> {
        match self.settings.aim_prefix {
            AimPrefix::Never => None,
            AimPrefix::Detect | AimPrefix::Required => Symbology::parse(&self.buffer),
        }
    }

    /// Most bytes the frame under way may have, AIM identifier included.
    fn limit_bytes(&self) -> usize {
        match self.symbology() {
            Some(symbology) if symbology.is_matrix() => self.settings.max_matrix_bytes + AIM_LEN,
            Some(_) => self.settings.max_linear_bytes + AIM_LEN,
            None => self.settings.max_matrix_bytes.max(AIM_LEN),
        }
    }

    fn finish(&mut self) -> Option<Result<Frame, Fault>> {
        let symbology = self.symbology();
        let bytes = std::mem::take(&mut self.buffer);
        let prefix = if symbology.is_some() { AIM_LEN } else { 0 };
        if bytes.len() <= prefix {
            return (prefix > 0).then_some(Err(Fault::Incomplete {
                got_bytes: bytes.len(),
            }));
        }
        Some(self.judge(symbology, &bytes[prefix..], prefix))
    }

    fn judge(
        &self,
        symbology: Option<Symbology>,
        data: &[u8],
        prefix: usize,
    ) -> Result<Frame, Fault> {
        match symbology {
            None if self.settings.aim_prefix == AimPrefix::Required => {
                return Err(Fault::NoSymbology);
            }
            Some(found)
                if !self.settings.accepted_symbologies.is_empty()
                    && !self.settings.accepted_symbologies.contains(found.code) =>
            {
                return Err(Fault::SymbologyNotAccepted { aim: found.aim() });
            }
            _ => {}
        }
        let text = std::str::from_utf8(data).map_err(|error| Fault::NotText {
            offset: prefix + error.valid_up_to(),
        })?;
        // C1 controls are two bytes in UTF-8, so they only show here.
        let control = text
            .char_indices()
            .find(|(_, c)| c.is_control() && *c != char::from(GS));
        match control {
            Some((at, c)) => Err(Fault::ControlCharacter {
                code: u32::from(c),
                offset: prefix + at,
            }),
            None => Ok(Frame {
                symbology,
                data: text.to_owned(),
            }),
        }
    }
}

/// Lets the first refusals of a second through and counts the rest, so that a
/// chattering cable cannot flood the event loop.
#[derive(Debug, Default)]
pub struct RefusalLimiter {
    window_start_ms: u64,
    let_through: u32,
    left_out: u64,
}

impl RefusalLimiter {
    /// Refusals reported one by one per second.
    pub const PER_SECOND: u32 = 8;
    const WINDOW_MS: u64 = 1_000;

    /// Takes a refusal; gives back what to report now, oldest first: a summary
    /// of the last second when it overflowed, and the fault itself when it fits.
    pub fn admit(&mut self, now_ms: u64, fault: Fault) -> (Option<Fault>, Option<Fault>) {
        let summary = self.tick(now_ms);
        if self.let_through < Self::PER_SECOND {
            self.let_through += 1;
            return (summary, Some(fault));
        }
        self.left_out += 1;
        (summary, None)
    }

    /// Closes the window when its second is over; a summary if anything was left out.
    pub fn tick(&mut self, now_ms: u64) -> Option<Fault> {
        if now_ms.saturating_sub(self.window_start_ms) < Self::WINDOW_MS {
            return None;
        }
        self.window_start_ms = now_ms;
        self.let_through = 0;
        let count = std::mem::take(&mut self.left_out);
        (count > 0).then_some(Fault::Flood { count })
    }

    /// When [`RefusalLimiter::tick`] has something to say, if ever.
    #[must_use]
    pub fn deadline_ms(&self) -> Option<u64> {
        (self.left_out > 0).then(|| self.window_start_ms.saturating_add(Self::WINDOW_MS))
    }
}
