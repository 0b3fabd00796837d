//! Barcodes as files hold them: checked, repaired where that is certain, refused where digits are lost.

use checkout::barcode::{gtin_check_digit, gtin_check_is_right};

use super::number::is_scientific;
use super::report::{Problem, Severity};
use super::table::Cell;

/// Longest barcode kept: what a linear symbol can hold.
const LENGTH_MAX: usize = 128;

/// A barcode cell, read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Barcodes {
    /// The codes.
    pub(super) codes: Vec<String>,
    /// What is to be said about them.
    pub(super) findings: Vec<(Severity, Problem)>,
}

/// Reads a cell that may hold several barcodes, separated by comma, semicolon, bar or line break.
pub(super) fn read(cell: &Cell) -> Barcodes {
    let mut read = Barcodes::default();
    for text in cell.text.split([',', ';', '|', '\n', '\r']) {
        if is_scientific(&cell.text) {
            // "8,93E+12" must not be taken apart at its decimal comma.
            read.findings.push((
                Severity::Error,
                Problem::BarcodeScientific {
                    shown: cell.text.clone(),
                },
            ));
            break;
        }
        one(&tidy(text), &mut read);
    }
    read
}

/// Takes off what spreadsheets add: apostrophe, ".0" of a number, spaces between digits.
fn tidy(text: &str) -> String {
    let text = text.trim().trim_start_matches('\'');
    let joined: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let whole = joined.strip_suffix(".0").unwrap_or(&joined);
    if whole.bytes().all(|byte| byte.is_ascii_digit()) {
        whole.to_owned()
    } else {
        text.to_owned()
    }
}

fn one(text: &str, read: &mut Barcodes) {
    if text.is_empty() || text.bytes().all(|byte| byte == b'0') {
        return;
    }
    let shown = || text.chars().take(40).collect::<String>();
    if text.chars().count() > LENGTH_MAX || text.chars().any(|c| c.is_control() || c == '\u{fffd}')
    {
        read.findings.push((
            Severity::Error,
            Problem::BarcodeUnreadable { shown: shown() },
        ));
        return;
    }
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match (digits, text.len()) {
        (true, 8 | 12 | 13 | 14) if !gtin_check_is_right(text) => {
            let body = &text[..text.len() - 1];
            let right = gtin_check_digit(body)
                .map(|digit| digit.to_string())
                .unwrap_or_default();
            read.findings.push((
                Severity::Error,
                Problem::BarcodeCheckDigit {
                    shown: shown(),
                    right,
                },
            ));
        }
        (true, 11) if gtin_check_is_right(&format!("0{text}")) => {
            let restored = format!("0{text}");
            let problem = Problem::BarcodeZeroRestored {
                shown: shown(),
                restored: restored.clone(),
            };
            read.findings.push((Severity::Warning, problem));
            read.codes.push(restored);
        }
        (true, 7) if gtin_check_is_right(&format!("0{text}")) => {
            let problem = Problem::BarcodeZeroMaybeLost {
                shown: shown(),
                maybe: format!("0{text}"),
            };
            read.findings.push((Severity::Warning, problem));
            read.codes.push(text.to_owned());
        }
        _ => read.codes.push(text.to_owned()),
    }
}

/// Whether a code is a GTIN a scanner will read from the product: right length, right check digit.
pub(super) fn is_gtin(code: &str) -> bool {
    matches!(code.len(), 8 | 12 | 13 | 14)
        && code.bytes().all(|byte| byte.is_ascii_digit())
        && gtin_check_is_right(code)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn of(text: &str) -> Barcodes {
        read(&Cell {
            text: text.into(),
            ..Cell::default()
        })
    }

    #[test]
    fn good_codes_pass_and_are_tidied() {
        // Proves several codes in one cell, spaces, apostrophes and ".0" are understood, and shop codes kept.
        assert_eq!(
            of("8934563138165, 8934804027326").codes,
            ["8934563138165", "8934804027326"]
        );
        assert_eq!(of("'893 4563 138165").codes, ["8934563138165"]);
        assert_eq!(of("8934563138165.0").codes, ["8934563138165"]);
        assert_eq!(of("KG/ANH 1").codes, ["KG/ANH 1"]);
        assert_eq!(of("0").codes, Vec::<String>::new());
    }

    #[test]
    fn damaged_codes_say_what_happened() {
        // Proves scientific notation, a wrong check digit and a lost zero are told apart.
        for text in ["8.93456E+12", "8,93456E+12"] {
            let read = of(text);
            assert!(
                matches!(
                    read.findings[..],
                    [(Severity::Error, Problem::BarcodeScientific { .. })]
                ),
                "{text}"
            );
            assert!(read.codes.is_empty());
        }
        let read = of("8934563138166");
        assert_eq!(
            read.findings,
            [(
                Severity::Error,
                Problem::BarcodeCheckDigit {
                    shown: "8934563138166".into(),
                    right: "5".into()
                }
            )]
        );
        assert_eq!(of("12345678905").codes, ["012345678905"]);
        assert!(matches!(
            of("1234565").findings[..],
            [(Severity::Warning, Problem::BarcodeZeroMaybeLost { .. })]
        ));
        assert!(matches!(
            of("89\u{1b}34").findings[..],
            [(Severity::Error, Problem::BarcodeUnreadable { .. })]
        ));
    }
}
