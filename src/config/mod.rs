//! The kiosk's one configuration file (TOML), checked whole before start.
//!
//! Every error names the file, the key, what is wrong and what to write
//! instead; nothing is guessed. `kiosk check --config FILE` runs only this.

mod banks;
mod check;
mod file;
mod profile;
mod receipt;

pub use banks::Banks;
pub use check::{Configuration, Problem};
pub use file::*;
pub use profile::{PrinterProfileError, printer_profile};
pub use receipt::Receipt;

use std::path::{Path, PathBuf};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error(
        "{}: cannot be read ({source}). Create it from the example that `kiosk example-config` prints, or pass --config FILE",
        path.display()
    )]
    Unreadable {
        /// The file looked for.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, an unknown key, or a value of the wrong kind.
    #[error("{}: {message}", path.display())]
    Syntax {
        /// The file read.
        path: PathBuf,
        /// Line, column and the parser's words.
        message: String,
    },
    /// Well-formed, but it cannot work.
    #[error("{}: {}", path.display(), list(problems))]
    Invalid {
        /// The file read.
        path: PathBuf,
        /// Every problem found, not only the first.
        problems: Vec<Problem>,
    },
}

fn list(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("\n  ")
}

/// Reads and checks a configuration file.
///
/// # Errors
/// [`ConfigError`], naming file, key and remedy.
pub fn load(path: &Path) -> Result<Configuration, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let mut configuration = parse(&text, path)?;
    let today = crate::clock::vietnam_day(crate::clock::wall_ms());
    configuration.banks = banks::load(configuration.file.banks.as_ref(), path, &today)?;
    if let Some(bank) = &configuration.file.bank
        && let Some(problem) = banks::check_bin(&configuration.banks, &bank.bank_bin)
    {
        return Err(ConfigError::Invalid {
            path: path.to_owned(),
            problems: vec![problem],
        });
    }
    if let Some(promotions) = &configuration.file.shop.promotions {
        let path = path.parent().unwrap_or(Path::new(".")).join(promotions);
        configuration.promotions = load_promotions(&path)?;
    }
    if let Some(printer) = &configuration.file.printer {
        let folder = path.parent().unwrap_or(Path::new("."));
        let profile =
            printer_profile(&printer.profile, folder).map_err(|error| ConfigError::Invalid {
                path: path.to_owned(),
                problems: vec![Problem {
                    key: "printer.profile".into(),
                    what: error.to_string(),
                    remedy: "Name a built-in profile, or give the path of a profile file".into(),
                }],
            })?;
        configuration.printer_profile = Some(profile);
    }
    if let Some(logo) = &configuration.file.receipt.logo {
        let logo = path.parent().unwrap_or(Path::new(".")).join(logo);
        let picture = crate::receipt::logo::read(&logo).map_err(|error| ConfigError::Invalid {
            path: path.to_owned(),
            problems: vec![Problem {
                key: "receipt.logo".into(),
                what: error.to_string(),
                remedy: "Give a PNG picture, or remove the key".into(),
            }],
        })?;
        configuration.logo = Some(picture);
    }
    Ok(configuration)
}

fn load_promotions(path: &Path) -> Result<Vec<checkout::Promotion>, ConfigError> {
    #[derive(serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Promotions {
        #[serde(default)]
        promotion: Vec<checkout::Promotion>,
    }
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    let promotions: Promotions = toml::from_str(&text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        message: error.to_string().trim_end().replace('\n', "\n  "),
    })?;
    let problems: Vec<Problem> = promotions
        .promotion
        .iter()
        .filter_map(|promotion| {
            let fault = promotion.check().err()?;
            Some(Problem {
                key: format!("promotion[{}]", promotion.id.0),
                what: fault.to_string(),
                remedy: "Mend this promotion or remove it".into(),
            })
        })
        .collect();
    if problems.is_empty() {
        return Ok(promotions.promotion);
    }
    Err(ConfigError::Invalid {
        path: path.to_owned(),
        problems,
    })
}

/// Checks configuration text; `path` is used in messages only.
///
/// # Errors
/// [`ConfigError::Syntax`] or [`ConfigError::Invalid`].
pub fn parse(text: &str, path: &Path) -> Result<Configuration, ConfigError> {
    let file: File = toml::from_str(text).map_err(|error| ConfigError::Syntax {
        path: path.to_owned(),
        message: error.to_string().trim_end().replace('\n', "\n  "),
    })?;
    Configuration::from_file(file).map_err(|problems| ConfigError::Invalid {
        path: path.to_owned(),
        problems,
    })
}

/// The example printed by `kiosk example-config` and used by the demo.
pub const EXAMPLE: &str = include_str!("../../demo/kiosk.toml");

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> String {
        match parse(text, Path::new("kiosk.toml")) {
            Ok(_) => String::new(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_example_is_valid() {
        // Proves that what `kiosk example-config` prints is accepted as it is.
        assert_eq!(problems(EXAMPLE), "");
    }

    #[test]
    fn each_mistake_names_file_key_and_remedy() {
        // Proves that a person can mend the file from the message alone.
        let check = |from: &str, to: &str, expected: &[&str]| {
            assert!(EXAMPLE.contains(from), "the example lacks {from}");
            let message = problems(&EXAMPLE.replacen(from, to, 1));
            for part in ["kiosk.toml"].iter().chain(expected) {
                assert!(message.contains(part), "{part:?} not in {message:?}");
            }
        };
        check(
            "time_zone = \"Asia/Ho_Chi_Minh\"",
            "time_zone = \"Saigon\"",
            &["shop.time_zone", "Asia/Ho_Chi_Minh"],
        );
        check(
            "currency = \"VND\"",
            "currency = \"DONG\"",
            &["shop.currency", "ISO 4217"],
        );
        check(
            "language = \"vi\"",
            "language = \"fr\"",
            &["shop.language", "vi, en"],
        );
        check("percent = \"8\"", "percent = \"8%\"", &["tax", "percent"]);
        check(
            "cash_float_minor = 500000",
            "cash_float_minor = -1",
            &["shop.cash_float_minor", "drawer"],
        );
        check("name = \"Tạp hóa Hoa Sen\"", "nom = \"x\"", &["nom"]);
        check(
            "idle_warn_after_s = 60",
            "idle_warn_after_s = 2",
            &["times.idle_warn_after_s", "10"],
        );
    }

    #[test]
    fn all_problems_are_told_at_once() {
        // Proves that a person is not sent round one mistake at a time.
        let text = EXAMPLE
            .replacen("currency = \"VND\"", "currency = \"DONG\"", 1)
            .replacen("language = \"vi\"", "language = \"fr\"", 1);
        let message = problems(&text);
        assert!(message.contains("shop.currency") && message.contains("shop.language"));
    }
}
