//! Settings, checked before anything starts.

use crate::clock::Clock;
use chrono_tz::Tz;
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

/// Everything the server needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// Folder of the database; made if it is missing.
    pub data_dir: PathBuf,
    /// Where the server listens. Port 0 takes any free port. Plain HTTP: put a TLS proxy in front of it.
    pub listen: SocketAddr,
    /// Time zone of business days.
    pub time_zone: Tz,
    /// A past day that arrives after this local hour of the next day counts as late.
    pub late_after_hour: u32,
    /// Name shown on the page.
    pub organisation: String,
    /// Where time comes from.
    pub clock: Clock,
}

impl Config {
    /// The built-in settings with the database in `data_dir`.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            time_zone: chrono_tz::Asia::Ho_Chi_Minh,
            late_after_hour: 6,
            organisation: String::new(),
            clock: Clock::System,
        }
    }

    /// The settings of a TOML file; keys left out keep their built-in values.
    ///
    /// # Errors
    /// [`ConfigError`] naming the file, the key and the remedy.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let file = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
            file: file.clone(),
            source,
        })?;
        Self::parse(&text, &file)
    }

    fn parse(text: &str, file: &str) -> Result<Self, ConfigError> {
        let raw: RawConfig = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            file: file.into(),
            what: error.to_string(),
        })?;
        let bad = |key: &'static str, remedy: &'static str| ConfigError::Value {
            file: file.into(),
            key,
            remedy,
        };
        let mut config = Self::new(raw.data_dir.unwrap_or_else(|| "headoffice-data".into()));
        if let Some(listen) = raw.listen {
            config.listen = listen.parse().map_err(|_| {
                bad(
                    "listen",
                    "write an address and port, like \"127.0.0.1:8080\"",
                )
            })?;
        }
        if let Some(zone) = raw.time_zone {
            config.time_zone = zone
                .parse()
                .map_err(|_| bad("time_zone", "write an IANA name, like \"Asia/Ho_Chi_Minh\""))?;
        }
        if let Some(hour) = raw.late_after_hour {
            if hour > 23 {
                return Err(bad("late_after_hour", "write an hour from 0 to 23"));
            }
            config.late_after_hour = hour;
        }
        config.organisation = raw.organisation.unwrap_or_default();
        Ok(config)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawConfig {
    data_dir: Option<PathBuf>,
    listen: Option<String>,
    time_zone: Option<String>,
    late_after_hour: Option<u32>,
    organisation: Option<String>,
}

/// Why the settings cannot be used. Correct the file and start again.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{file}: cannot be read ({source}); check the path and its permissions")]
    Unreadable {
        /// The file.
        file: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, or a key this version does not know.
    #[error("{file}: {what}")]
    Syntax {
        /// The file.
        file: String,
        /// Where and what.
        what: String,
    },
    /// A value that cannot be used.
    #[error("{file}: {key} cannot be used; {remedy}")]
    Value {
        /// The file.
        file: String,
        /// The key.
        key: &'static str,
        /// What to write instead.
        remedy: &'static str,
    },
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wrong_value_names_file_key_and_remedy() {
        // Proves: every refused setting says where it is and what to write.
        for (text, wanted) in [
            ("listen = \"nine\"", "listen"),
            ("time_zone = \"Saigon\"", "time_zone"),
            ("late_after_hour = 24", "late_after_hour"),
            ("lisen = \"x\"", "lisen"),
        ] {
            let error = Config::parse(text, "h.toml").unwrap_err().to_string();
            assert!(
                error.contains("h.toml") && error.contains(wanted),
                "{error}"
            );
        }
    }

    #[test]
    fn the_shipped_file_is_the_built_in_settings() {
        // Proves: the example file that is shipped parses and says what the program does without it.
        let shipped = Config::parse(include_str!("../headoffice.toml"), "h.toml").unwrap();
        let built_in = Config::new("headoffice-data");
        assert_eq!(format!("{shipped:?}"), format!("{built_in:?}"));
    }

    #[test]
    fn an_empty_file_is_the_built_in_settings() {
        // Proves: every key has a default, with Vietnam's time zone and a loopback address.
        let config = Config::parse("", "h.toml").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.time_zone, chrono_tz::Asia::Ho_Chi_Minh);
    }
}
