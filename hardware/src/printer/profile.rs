//! What a printer model can do, read from a small TOML file.

use serde::{Deserialize, Serialize};

/// How letters outside ASCII reach the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "plan", deny_unknown_fields)]
pub enum TextPlan {
    /// ASCII as text, every other letter as an inline `ESC *` picture: any 24-dot printer.
    InlineGlyph,
    /// Code page TCVN-3 (VSCII-3), one page for small letters and one for capitals.
    Tcvn3 {
        /// Number for `ESC t` of the page with small letters.
        lower_page: u8,
        /// Number for `ESC t` of the page with capitals.
        upper_page: u8,
    },
    /// Letters defined in the printer (`ESC &`) in place of ASCII signs the receipt lacks.
    SoftFont,
    /// Lines with other letters become pictures (`GS v 0`): printers without `ESC *`.
    Raster,
}

/// How QR codes reach the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QrPlan {
    /// The printer draws it (`GS ( k`).
    Native,
    /// We draw it (`GS v 0`, doubled by the printer).
    Raster,
}

/// How the shop's logo reaches the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogoPlan {
    /// Stored in the printer once and printed by its key (`GS ( L`).
    Stored,
    /// Sent as a picture with every receipt (`GS v 0`).
    Raster,
}

/// What the blade does at the end of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CutPlan {
    /// Leaves one point standing (`GS V 66`).
    Partial,
    /// Cuts through (`GS V 65`).
    Full,
    /// No blade: feeds a few lines to the tear bar.
    TearOff,
}

/// Handshake between host and printer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Handshake {
    /// RTS/CTS lines (the printer's DTR wired to the host's CTS).
    Lines,
    /// XON/XOFF bytes.
    XonXoff,
    /// None: three wires.
    None,
}

/// What the printer answers. Wrong `true`s cost a wait and a finding, never a wrong claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// `DLE EOT n` status bytes.
    pub real_time_status: bool,
    /// `GS a` automatic status back.
    pub automatic_status: bool,
    /// `GS r 1`, answered in order with the data: a fence.
    pub fence: bool,
    /// `GS ( H` process id, answered when everything before it is on paper.
    pub process_id: bool,
    /// `GS g 2` maintenance counters.
    pub counters: bool,
    /// `GS I` maker and model.
    pub identity: bool,
    /// `DLE ENQ 2` recover and clear the buffers after an error.
    pub recover: bool,
    /// `DLE DC4 8` clear the buffers at any time.
    pub clear_buffer: bool,
}

/// A printer model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Short name: `xprinter-clone`.
    pub name: String,
    /// Cells of font A (12 dots) across the paper.
    pub columns: usize,
    /// Printable dots across.
    pub width_dots: usize,
    /// Dots a millimetre, times ten: 80 for 203 dpi, 71 for 180 dpi.
    pub dots_per_mm_tenths: u32,
    /// Units of `ESC J` a dot: 2 on 180 dpi Epson (1/360 inch), else 1.
    pub feed_units_per_dot: u8,
    /// Speed of the paper under the head, in millimetres a second.
    pub head_mm_per_s: u32,
    /// Paper between head and blade, in millimetres.
    pub head_to_blade_mm: u32,
    /// Paper left for sure when the near-end sensor trips, in millimetres; 0 without a sensor.
    pub near_end_reserve_mm: u32,
    /// Receive buffer in bytes.
    pub buffer_bytes: usize,
    /// Most bytes on the way that no fence has confirmed, well under the buffer.
    pub credit_bytes: usize,
    /// Speed the printer is set to when it leaves the factory.
    pub baud: u32,
    /// Handshake the printer is set to when it leaves the factory.
    pub handshake: Handshake,
    /// Whether it may start in a Chinese mode that pairs bytes (`FS .` leaves it).
    pub chinese_mode: bool,
    /// Letters outside ASCII.
    pub text: TextPlan,
    /// QR codes.
    pub qr: QrPlan,
    /// The logo, once `kiosk print --store-logo` has run.
    pub logo: LogoPlan,
    /// Blade.
    pub cut: CutPlan,
    /// Drawer connector pin of `ESC p`: 0 for pin 2, 1 for pin 5.
    pub drawer_pin: u8,
    /// What it answers.
    pub answers: Answers,
}

/// Why a profile could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The text is not a profile.
    #[error("printer profile cannot be read: {0}; correct the named field")]
    Unreadable(#[from] toml::de::Error),
    /// The numbers contradict each other.
    #[error("printer profile {name} is wrong: {problem}; correct it or choose another profile")]
    Contradiction {
        /// Name of the profile.
        name: String,
        /// What is wrong.
        problem: &'static str,
    },
    /// No built-in profile has this name.
    #[error(
        "no printer profile named {name}; built in are epson-t88, xprinter-clone, mm58, tx-only"
    )]
    Unknown {
        /// The name asked for.
        name: String,
    },
}

const BUILT_IN: [(&str, &str); 4] = [
    ("epson-t88", include_str!("../../profiles/epson-t88.toml")),
    (
        "xprinter-clone",
        include_str!("../../profiles/xprinter-clone.toml"),
    ),
    ("mm58", include_str!("../../profiles/mm58.toml")),
    ("tx-only", include_str!("../../profiles/tx-only.toml")),
];

impl Profile {
    /// Reads and checks a profile.
    ///
    /// # Errors
    /// [`ProfileError`] naming the field.
    pub fn from_toml(text: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml::from_str(text)?;
        profile.check()?;
        Ok(profile)
    }

    /// A built-in profile: `epson-t88`, `xprinter-clone` (the default), `mm58`, `tx-only`.
    ///
    /// # Errors
    /// [`ProfileError::Unknown`] for any other name.
    pub fn named(name: &str) -> Result<Self, ProfileError> {
        let text = Self::text(name).ok_or_else(|| ProfileError::Unknown {
            name: name.to_owned(),
        })?;
        Self::from_toml(text)
    }

    /// The file of a built-in profile, to make another one from; `None` for any other name.
    pub fn text(name: &str) -> Option<&'static str> {
        let built_in = BUILT_IN.iter().find(|(known, _)| *known == name);
        built_in.map(|(_, text)| *text)
    }

    /// Names of the built-in profiles.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN.iter().map(|(name, _)| *name)
    }

    /// Whether the printer can ever say that a receipt is on paper. Where it cannot, the best end
    /// of a job is [`super::Evidence::Sent`], and that at every sale.
    pub fn confirms(&self) -> bool {
        self.answers.fence || self.answers.process_id
    }

    /// Millimetres of paper for `dots` of height, rounded up.
    pub fn dots_to_mm(&self, dots: u32) -> u32 {
        (dots * 10).div_ceil(self.dots_per_mm_tenths)
    }

    /// Dots for `mm` of paper.
    pub fn mm_to_dots(&self, mm: u32) -> u32 {
        mm * self.dots_per_mm_tenths / 10
    }

    fn check(&self) -> Result<(), ProfileError> {
        let problem = if self.columns < 16 || self.columns * 12 > self.width_dots {
            "columns must be at least 16 and fit width_dots at 12 dots each"
        } else if self.width_dots > 1_024 {
            "width_dots must be at most 1024"
        } else if self.dots_per_mm_tenths == 0 || self.head_mm_per_s == 0 || self.baud == 0 {
            "dots_per_mm_tenths, head_mm_per_s and baud must not be 0"
        } else if !matches!(self.feed_units_per_dot, 1 | 2) {
            "feed_units_per_dot must be 1 or 2"
        } else if self.credit_bytes < 2_048 || self.credit_bytes + 512 > self.buffer_bytes {
            "credit_bytes must be at least 2048 and 512 under buffer_bytes"
        } else if self.drawer_pin > 1 {
            "drawer_pin must be 0 or 1"
        } else {
            return Ok(());
        };
        Err(ProfileError::Contradiction {
            name: self.name.clone(),
            problem,
        })
    }
}

impl Default for Profile {
    /// The 80 mm clone most counters have.
    fn default() -> Self {
        Self::named("xprinter-clone").expect("the built-in profiles are checked by a test")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_built_in_profile_reads_and_is_sound() {
        // Proves: the shipped profiles parse, pass their own check and carry their own name.
        for name in Profile::names() {
            assert_eq!(Profile::named(name).unwrap().name, name);
        }
        assert_eq!(Profile::default().columns, 48);
    }

    #[test]
    fn a_profile_that_contradicts_itself_is_refused_by_name() {
        // Proves: a credit larger than the buffer, which would lose bytes, is not accepted.
        let text = BUILT_IN[1]
            .1
            .replace("credit_bytes = 3072", "credit_bytes = 4096");
        let error = Profile::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains("credit_bytes"), "{error}");
    }
}
