//! Numbers as people write them: the column decides what its dots and commas mean.

use super::table::Cell;

/// What a separator means in a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Nothing seen that decides it.
    Unknown,
    Thousands,
    Decimal,
    /// Both were seen.
    Contradictory,
}

/// What was seen of one separator in a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Seen {
    /// Can only be thousands: twice in a number, or before the other separator.
    thousands: bool,
    /// Once, with three digits after it: most likely thousands.
    three_digits: bool,
    /// Can only be the decimal sign.
    decimal: bool,
}

impl Seen {
    fn meaning(self, exponent: u8) -> Meaning {
        let grouped = self.thousands || self.three_digits;
        match (self.decimal, grouped) {
            // A currency without decimals: one stray "1.5" must not turn every "10.000" into ten.
            (true, true) if exponent == 0 => Meaning::Thousands,
            (true, true) => Meaning::Contradictory,
            (true, false) => Meaning::Decimal,
            (false, _) if self.thousands => Meaning::Thousands,
            (false, _) => Meaning::Unknown,
        }
    }

    fn once(&mut self, digits_after: usize) {
        if digits_after == 3 {
            self.three_digits = true;
        } else {
            self.decimal = true;
        }
    }
}

/// How a column writes its numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Style {
    dot: Seen,
    comma: Seen,
}

/// Why a text is not an amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberFault {
    NotANumber,
    /// The column uses this separator in two ways.
    Ambiguous,
    /// More decimals than the currency has.
    Fraction,
    Negative,
    Scientific,
    TooLarge,
}

/// Largest amount taken, in minor units: above it, somebody typed a barcode into the price.
const AMOUNT_MAX: i64 = 100_000_000_000;

impl Style {
    /// Learns from every text of a column.
    pub(super) fn of<'a>(cells: impl Iterator<Item = &'a Cell>) -> Self {
        let mut style = Self::default();
        for cell in cells.filter(|cell| !cell.number && !cell.broken) {
            style.learn(&bare(&cell.text));
        }
        style
    }

    fn learn(&mut self, text: &str) {
        if !text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b".,-".contains(&byte))
        {
            return;
        }
        let (dots, commas) = (text.matches('.').count(), text.matches(',').count());
        match (text.rfind('.'), text.rfind(',')) {
            (Some(dot), Some(comma)) => {
                let (first, last) = if dot < comma {
                    (&mut self.dot, &mut self.comma)
                } else {
                    (&mut self.comma, &mut self.dot)
                };
                first.thousands = true;
                last.decimal = true;
            }
            (Some(_), None) if dots > 1 => self.dot.thousands = true,
            (None, Some(_)) if commas > 1 => self.comma.thousands = true,
            (Some(at), None) => self.dot.once(text.len() - at - 1),
            (None, Some(at)) => self.comma.once(text.len() - at - 1),
            (None, None) => {}
        }
    }

    /// An amount in minor units of a currency with `exponent` decimals.
    pub(super) fn amount(self, cell: &Cell, exponent: u8) -> Result<i64, NumberFault> {
        let text = bare(&cell.text);
        if is_scientific(&text) {
            return Err(NumberFault::Scientific);
        }
        let (whole, fraction) = if cell.number {
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            (whole.to_owned(), fraction.to_owned())
        } else {
            self.split(&text, exponent)?
        };
        let negative = whole.starts_with('-');
        let whole = whole.trim_start_matches('-');
        if whole.is_empty()
            || !whole
                .bytes()
                .chain(fraction.bytes())
                .all(|byte| byte.is_ascii_digit())
        {
            return Err(NumberFault::NotANumber);
        }
        let decimals = usize::from(exponent);
        let significant = fraction.trim_end_matches('0');
        if significant.len() > decimals {
            return Err(NumberFault::Fraction);
        }
        let digits = format!("{whole}{significant:0<decimals$}");
        let amount: i64 = digits.parse().map_err(|_| NumberFault::TooLarge)?;
        match amount {
            0 => Ok(0),
            _ if negative => Err(NumberFault::Negative),
            _ if amount > AMOUNT_MAX => Err(NumberFault::TooLarge),
            _ => Ok(amount),
        }
    }

    /// Whole part and decimals, by what the separators of this column mean.
    fn split(self, text: &str, exponent: u8) -> Result<(String, String), NumberFault> {
        let separators: Vec<(usize, char)> = text
            .char_indices()
            .filter(|(_, c)| matches!(c, '.' | ','))
            .collect();
        let mut decimal = None;
        for &(at, separator) in &separators {
            let seen = if separator == '.' {
                self.dot
            } else {
                self.comma
            };
            match seen.meaning(exponent) {
                Meaning::Decimal => decimal = Some(at),
                Meaning::Thousands => {}
                Meaning::Contradictory => return Err(NumberFault::Ambiguous),
                // Three digits after the only separator: thousands, unless the currency itself has three decimals.
                Meaning::Unknown if exponent >= 3 => return Err(NumberFault::Ambiguous),
                Meaning::Unknown => {}
            }
        }
        let (whole, fraction) = match decimal {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, ""),
        };
        let groups: Vec<&str> = whole.split(['.', ',']).collect();
        let well_grouped = groups.iter().skip(1).all(|group| group.len() == 3);
        if !well_grouped || fraction.contains(['.', ',']) {
            return Err(NumberFault::Ambiguous);
        }
        Ok((groups.concat(), fraction.to_owned()))
    }
}

/// The text without currency signs and spaces.
fn bare(text: &str) -> String {
    let text = text.to_lowercase();
    let text = ["vnđ", "vnd", "đồng", "đ", "₫", "d"]
        .iter()
        .fold(text.as_str(), |text, sign| {
            text.trim_end_matches(sign).trim_end()
        });
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’' | '_' | '€' | '$'))
        .collect()
}

/// `8.93456E+12`: what a spreadsheet makes of a long number.
pub(super) fn is_scientific(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return false;
    };
    let digits = |part: &str| {
        part.bytes()
            .all(|byte| byte.is_ascii_digit() || b".,".contains(&byte))
    };
    let power = exponent.trim_start_matches(['+', '-']);
    !mantissa.is_empty()
        && digits(mantissa)
        && !power.is_empty()
        && power.len() <= 3
        && power.bytes().all(|byte| byte.is_ascii_digit())
        && (exponent.starts_with(['+', '-']) || mantissa.contains(['.', ',']))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn cell(text: &str) -> Cell {
        Cell {
            text: text.to_owned(),
            ..Cell::default()
        }
    }

    fn column(texts: &[&str], exponent: u8) -> Vec<Result<i64, NumberFault>> {
        let cells: Vec<Cell> = texts.iter().map(|text| cell(text)).collect();
        let style = Style::of(cells.iter());
        cells
            .iter()
            .map(|cell| style.amount(cell, exponent))
            .collect()
    }

    #[test]
    fn the_column_decides_what_separators_mean() {
        // Proves dots and commas are read as the whole column uses them, in đồng and in cents.
        let thousand = |values: &[i64]| values.iter().map(|value| Ok(*value)).collect::<Vec<_>>();
        assert_eq!(
            column(&["10.000", "1.250.000", "0", "500"], 0),
            thousand(&[10_000, 1_250_000, 0, 500])
        );
        assert_eq!(
            column(&["10,000", "1,250,000 đ"], 0),
            thousand(&[10_000, 1_250_000])
        );
        assert_eq!(
            column(&["25.000", "36.500,00", "25 000 VND"], 0),
            thousand(&[25_000, 36_500, 25_000])
        );
        let ambiguous = Err(NumberFault::Ambiguous);
        assert_eq!(column(&["1.000", "2.50"], 2), vec![ambiguous, ambiguous]);
        assert_eq!(column(&["10.000", "1.5"], 0), vec![Ok(10_000), ambiguous]);
        assert_eq!(column(&["12.00", "2.50"], 2), thousand(&[1_200, 250]));
        assert_eq!(
            column(&["1.234.000", "2,50"], 2),
            thousand(&[123_400_000, 250])
        );
        assert_eq!(column(&["1.000"], 3), vec![Err(NumberFault::Ambiguous)]);
    }

    #[test]
    fn what_is_not_an_amount_says_why() {
        // Proves each kind of bad amount has its own fault.
        assert_eq!(column(&["1.2.3"], 0), vec![Err(NumberFault::Ambiguous)]);
        assert_eq!(column(&["36.562,5"], 0), vec![Err(NumberFault::Fraction)]);
        assert_eq!(column(&["-5"], 0), vec![Err(NumberFault::Negative)]);
        assert_eq!(column(&["liên hệ"], 0), vec![Err(NumberFault::NotANumber)]);
        assert_eq!(column(&["1.2E+5"], 0), vec![Err(NumberFault::Scientific)]);
        assert_eq!(
            column(&["8934567890123"], 0),
            vec![Err(NumberFault::TooLarge)]
        );
        let number = Cell {
            text: "36500.5".into(),
            number: true,
            broken: false,
        };
        assert_eq!(
            Style::default().amount(&number, 0),
            Err(NumberFault::Fraction)
        );
        let number = Cell {
            text: "36500".into(),
            number: true,
            broken: false,
        };
        assert_eq!(Style::default().amount(&number, 0), Ok(36_500));
    }

    #[test]
    fn scientific_notation_is_told_from_codes() {
        // Proves 8.93456E+12 is seen, and that shop codes with an E in them are left alone.
        for text in ["8.93456E+12", "8,93e+12", "9E+12"] {
            assert!(is_scientific(text), "{text}");
        }
        for text in ["12E5", "E12", "SE10", "1E", "893456"] {
            assert!(!is_scientific(text), "{text}");
        }
    }
}
