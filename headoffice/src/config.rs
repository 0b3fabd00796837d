//! Settings, checked before anything starts.

use crate::{
    clock::Clock,
    relay::settings::{Payment, PaymentError, RawPayment, check_together},
};
use chrono_tz::Tz;
use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
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
    /// Bank accounts at payment providers.
    pub payments: Vec<Payment>,
    /// Where time comes from.
    pub clock: Clock,
    /// How long people wait for what is nearly there. Not in the settings file.
    pub patience: Patience,
}

/// How long a person waits for what is nearly there. Measured by the machine's own time, whatever the clock says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// A page waits this long for blocks to be read before it shows what there is.
    pub page: Duration,
    /// Before a withdrawal the bank is asked a last time, for at most this long.
    pub last_look: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            page: Duration::from_millis(500),
            last_look: Duration::from_millis(1_500),
        }
    }
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
            payments: Vec::new(),
            clock: Clock::System,
            patience: Patience::default(),
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
        let payment = |source| ConfigError::Payment {
            file: file.into(),
            source,
        };
        for section in raw.payment {
            config.payments.push(section.read().map_err(payment)?);
        }
        check_together(&config.payments).map_err(payment)?;
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
    #[serde(default)]
    payment: Vec<RawPayment>,
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
    /// A `[[payment]]` section that cannot be used.
    #[error("{file}: {source}")]
    Payment {
        /// The file.
        file: String,
        /// Section, key and remedy.
        source: PaymentError,
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

    /// A settings file with one payOS section, whose secrets stand in a private file.
    fn with_payment(folder: &Path, mode: u32, change: impl Fn(String) -> String) -> String {
        use std::os::unix::fs::PermissionsExt;
        let secret = folder.join("secret");
        std::fs::write(&secret, "very-secret\n").unwrap();
        std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(mode)).unwrap();
        let place = format!("{{ file = \"{}\" }}", secret.display());
        change(format!(
            "[[payment]]\nname = \"main\"\nprovider = \"payos\"\naccount_number = \"0011004000111\"\n\
             client_id = {place}\napi_key = {place}\nchecksum_key = {place}\n"
        ))
    }

    #[test]
    fn secrets_come_from_private_files_and_are_never_printed() {
        // Proves that a section is read with its secrets, that printing the settings shows none of them, and that a
        // file others may read is refused with the command that helps.
        let folder = tempfile::tempdir().unwrap();
        let text = with_payment(folder.path(), 0o600, |text| text);
        let config = Config::parse(&text, "h.toml").unwrap();
        assert_eq!(config.payments.len(), 1);
        assert_eq!(config.payments[0].url, "https://api-merchant.payos.vn");
        let printed = format!("{config:?}");
        assert!(
            printed.contains("Secret") && !printed.contains("very-secret"),
            "{printed}"
        );
        let open = with_payment(folder.path(), 0o644, |text| text);
        let error = Config::parse(&open, "h.toml").unwrap_err().to_string();
        assert!(
            error.contains("chmod 600") && error.contains("client_id"),
            "{error}"
        );
    }

    #[test]
    fn a_wrong_payment_section_names_section_key_and_remedy() {
        // Proves that each refused value says which section and key, that plain HTTP leaves this machine only to itself,
        // and that no two sections share a name, an account or a store.
        let folder = tempfile::tempdir().unwrap();
        let good = with_payment(folder.path(), 0o600, |text| text);
        let second = |change: &str, to: &str| format!("{good}{}", good.replace(change, to));
        for (text, wanted) in [
            (good.replace("\"payos\"", "\"momo\""), "provider"),
            (good.replace("\"main\"", "\"Main shop\""), "name"),
            (good.replace("0011004000111", "00 11"), "account_number"),
            (format!("{good}url = \"http://payos.example\"\n"), "url"),
            (
                format!("{good}requests_per_second = 0\n"),
                "requests_per_second",
            ),
            (good.replace("checksum_key", "checksum"), "checksum"),
            (good.replace("{ file", "{ env = \"X\", file"), "env"),
            (
                format!(
                    "{}client_id = {{ env = \"NOT_SET_ANYWHERE\" }}\n",
                    without(&good, "client_id")
                ),
                "NOT_SET_ANYWHERE",
            ),
            (without(&good, "api_key"), "api_key"),
            (second("0011004000111", "0022"), "name"),
            (second("\"main\"", "\"other\""), "account_number"),
            (
                second("\"main\"", "\"other\"").replacen("0011004000111", "0022", 1),
                "stores",
            ),
        ] {
            let error = Config::parse(&text, "h.toml").unwrap_err().to_string();
            assert!(
                error.contains("h.toml") && error.contains(wanted),
                "{wanted}: {error}"
            );
            assert!(!error.contains("very-secret"), "{error}");
        }
        let local = format!("{good}url = \"http://127.0.0.1:9000/\"\n");
        let config = Config::parse(&local, "h.toml").unwrap();
        assert_eq!(config.payments[0].url, "http://127.0.0.1:9000");
    }

    #[test]
    fn a_pix_section_has_its_key_its_paths_and_a_certificate_that_can_be_read() {
        // Proves that a Pix key of any kind is an account number there, that the address is demanded, and that a
        // certificate file without a key is refused without being shown.
        let folder = tempfile::tempdir().unwrap();
        let text = with_payment(folder.path(), 0o600, |text| {
            let text = text.replace("\"payos\"", "\"pix\"");
            let text = text.replace("0011004000111", "+5511999999999@loja.com.br");
            let text = without(&text, "checksum_key").replace("api_key", "client_secret");
            format!("{text}url = \"https://pix.example.com/\"\napi_path = \"/v2/\"\n")
        });
        let config = Config::parse(&text, "h.toml").unwrap();
        let payment = &config.payments[0];
        assert_eq!(payment.account_number, "+5511999999999@loja.com.br");
        assert_eq!(payment.url, "https://pix.example.com");
        let printed = format!("{:?}", payment.keys);
        assert!(
            printed.contains("/v2\"") && printed.contains("/oauth/token"),
            "{printed}"
        );
        assert!(!printed.contains("very-secret"), "{printed}");
        let place = text.lines().find(|line| line.starts_with("client_id"));
        let place = place.unwrap().replace("client_id", "certificate");
        for (text, wanted) in [
            (without(&text, "url"), "url"),
            (format!("{text}token_path = \"oauth\"\n"), "token_path"),
            (format!("{text}{place}\n"), "certificate"),
            (without(&text, "client_secret"), "client_secret"),
            (text.replace("@loja", " @loja"), "account_number"),
        ] {
            let error = Config::parse(&text, "h.toml").unwrap_err().to_string();
            assert!(error.contains(wanted), "{wanted}: {error}");
            assert!(!error.contains("very-secret"), "{error}");
        }
    }

    fn without(text: &str, key: &str) -> String {
        text.lines()
            .filter(|line| !line.starts_with(key))
            .map(|line| format!("{line}\n"))
            .collect()
    }

    #[test]
    fn an_empty_file_is_the_built_in_settings() {
        // Proves: every key has a default, with Vietnam's time zone and a loopback address.
        let config = Config::parse("", "h.toml").unwrap();
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.time_zone, chrono_tz::Asia::Ho_Chi_Minh);
    }
}
