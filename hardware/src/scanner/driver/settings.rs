//! Which scanner, and how it is set up.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::super::protocol::FrameSettings;
use super::ScannerError;

/// Which scanner, and how it is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScannerConfig {
    /// Serial or USB CDC-ACM scanner.
    Serial(SerialSettings),
    /// Keyboard-type (HID) scanner, grabbed exclusively.
    Evdev(EvdevSettings),
}

impl ScannerConfig {
    /// A serial scanner with factory settings at `path`, 9600 baud 8N1.
    #[must_use]
    pub fn serial(path: impl Into<PathBuf>) -> Self {
        Self::Serial(SerialSettings {
            path: path.into(),
            ..SerialSettings::default()
        })
    }

    /// A keyboard-type scanner at `path` (`/dev/input/by-id/…-event-kbd`).
    #[must_use]
    pub fn evdev(path: impl Into<PathBuf>) -> Self {
        Self::Evdev(EvdevSettings {
            path: path.into(),
            frame: FrameSettings::default(),
        })
    }

    /// The device path.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Serial(settings) => &settings.path,
            Self::Evdev(settings) => &settings.path,
        }
    }

    pub(super) fn frame(&self) -> &FrameSettings {
        match self {
            Self::Serial(settings) => &settings.frame,
            Self::Evdev(settings) => &settings.frame,
        }
    }
}

/// A serial scanner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SerialSettings {
    /// Stable path: `/dev/serial/by-id/…`, or a simulator's link.
    pub path: PathBuf,
    /// Line speed, baud. CDC-ACM and pseudo-terminals ignore it.
    pub baud: u32,
    /// Data bits, 7 or 8.
    pub data_bits: u8,
    /// Parity bit.
    pub parity: ScannerParity,
    /// Keep every other program off the port while it is open.
    pub exclusive: bool,
    /// Framing.
    pub frame: FrameSettings,
}

impl Default for SerialSettings {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            baud: 9_600,
            data_bits: 8,
            parity: ScannerParity::None,
            exclusive: true,
            frame: FrameSettings::default(),
        }
    }
}

/// Parity of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ScannerParity {
    /// No parity bit.
    #[default]
    None,
    /// Odd parity.
    Odd,
    /// Even parity.
    Even,
}

/// A keyboard-type scanner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvdevSettings {
    /// Stable path: `/dev/input/by-id/…-event-kbd`.
    pub path: PathBuf,
    /// Framing. Keyboard scanners usually end with Enter.
    #[serde(default)]
    pub frame: FrameSettings,
}

/// Whether the settings can work.
pub(super) fn check(config: &ScannerConfig) -> Result<(), ScannerError> {
    let frame = config.frame();
    let bounds = [
        ("max_linear_bytes", frame.max_linear_bytes),
        ("max_matrix_bytes", frame.max_matrix_bytes),
    ];
    for (field, value) in bounds {
        if !(1..=4_096).contains(&value) {
            return Err(ScannerError::Setting {
                field,
                value: value.to_string(),
                allowed: "1 to 4096",
            });
        }
    }
    if !(1..=10_000).contains(&frame.inter_character_timeout_ms) {
        return Err(ScannerError::Setting {
            field: "inter_character_timeout_ms",
            value: frame.inter_character_timeout_ms.to_string(),
            allowed: "1 to 10000",
        });
    }
    match config {
        ScannerConfig::Serial(settings) if !matches!(settings.data_bits, 7 | 8) => {
            Err(ScannerError::Setting {
                field: "data_bits",
                value: settings.data_bits.to_string(),
                allowed: "7 or 8",
            })
        }
        _ => Ok(()),
    }
}
