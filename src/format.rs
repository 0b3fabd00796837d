//! Turning exact values into the words and figures a shopper reads.
//!
//! Money never reaches the screen as a number: Slint has only `i32` and `f32`,
//! and a float loses whole đồng above 16,777,216. Everything here returns a
//! finished string.

use checkout::{Money, Quantity, TaxTreatment};

/// A language of the shopper's screen. Adding one means a catalogue of
/// translations, this row and [`crate::words`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// Vietnamese.
    Vietnamese,
    /// English.
    English,
}

impl Language {
    /// Every language, in the order the screen offers them.
    pub const ALL: [Language; 2] = [Language::Vietnamese, Language::English];

    /// The language for an ISO 639-1 code, if the screens speak it.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "vi" => Some(Self::Vietnamese),
            "en" => Some(Self::English),
            _ => None,
        }
    }

    /// ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Vietnamese => "vi",
            Self::English => "en",
        }
    }

    /// The next language in the order of [`Self::ALL`], round and round.
    pub fn next(self) -> Self {
        let at = Self::ALL.iter().position(|l| *l == self).unwrap_or(0);
        Self::ALL[(at + 1) % Self::ALL.len()]
    }

    fn group(self) -> char {
        match self {
            Self::Vietnamese => '.',
            Self::English => ',',
        }
    }

    /// The decimal sign.
    pub fn decimal(self) -> char {
        match self {
            Self::Vietnamese => ',',
            Self::English => '.',
        }
    }
}

/// The sign printed beside an amount; the ISO code where no sign is usual.
fn symbol(code: &str) -> &str {
    match code {
        "VND" => "₫",
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        "THB" => "฿",
        "KRW" => "₩",
        other => other,
    }
}

/// Digits of `value` in groups of three.
fn grouped(value: u128, separator: char) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(separator);
        }
        text.push(digit);
    }
    text
}

/// An amount without its currency sign: `146.688`, `1,234.50`.
pub fn amount(minor: i64, exponent: u8, language: Language) -> String {
    let scale = 10u128.pow(u32::from(exponent));
    let magnitude = u128::from(minor.unsigned_abs());
    let mut text = String::new();
    if minor < 0 {
        text.push('−');
    }
    text.push_str(&grouped(magnitude / scale, language.group()));
    if exponent > 0 {
        text.push(language.decimal());
        text.push_str(&format!(
            "{:0width$}",
            magnitude % scale,
            width = usize::from(exponent)
        ));
    }
    text
}

/// An amount as the shopper reads it: `146.688 ₫` in Vietnamese, `146,688 ₫`
/// in English. The space is a no-break space, so that the sign never wraps.
pub fn money(value: Money, language: Language) -> String {
    format!(
        "{}\u{a0}{}",
        amount(value.minor, value.currency.exponent(), language),
        symbol(value.currency.code())
    )
}

/// A quantity with up to three decimals and no trailing zeros: `2`, `0,846`.
pub fn quantity(value: Quantity, language: Language) -> String {
    let magnitude = value.milli.unsigned_abs();
    let mut text = grouped(u128::from(magnitude / 1000), language.group());
    let rest = magnitude % 1000;
    if rest > 0 {
        text.push(language.decimal());
        text.push_str(format!("{rest:03}").trim_end_matches('0'));
    }
    if value.milli < 0 {
        text.insert(0, '−');
    }
    text
}

/// A rate in basis points as a percentage: 800 → `8%`, 825 → `8,25%`.
pub fn percent(basis_points: u32, language: Language) -> String {
    let mut text = (basis_points / 100).to_string();
    let rest = basis_points % 100;
    if rest > 0 {
        text.push(language.decimal());
        text.push_str(format!("{rest:02}").trim_end_matches('0'));
    }
    text.push('%');
    text
}

/// A rate on paper: `8%`, and in Vietnam `KCT` or `KKKNT` for goods that have none.
pub fn tax_rate(rate: checkout::TaxRate, language: Language) -> String {
    match (rate.treatment, language) {
        (TaxTreatment::Rated, _) => percent(rate.basis_points, language),
        (TaxTreatment::Exempt, Language::Vietnamese) => "KCT".to_owned(),
        (TaxTreatment::Exempt, Language::English) => "exempt".to_owned(),
        (TaxTreatment::NotDeclared, Language::Vietnamese) => "KKKNT".to_owned(),
        (TaxTreatment::NotDeclared, Language::English) => "no VAT".to_owned(),
    }
}

/// Minutes and seconds left: `2:03`. Rounded up, so that it reads `0:00` only
/// when nothing is left.
pub fn countdown(remaining_ms: u64) -> String {
    let seconds = remaining_ms.div_ceil(1000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use checkout::Currency;

    #[test]
    fn money_reads_as_people_write_it() {
        // Proves grouping, decimals, sign and currency mark in both languages.
        let vnd = |minor| Money {
            minor,
            currency: Currency::VND,
        };
        let check = |minor, vi: &str, en: &str| {
            assert_eq!(money(vnd(minor), Language::Vietnamese), vi);
            assert_eq!(money(vnd(minor), Language::English), en);
        };
        check(0, "0\u{a0}₫", "0\u{a0}₫");
        check(500, "500\u{a0}₫", "500\u{a0}₫");
        check(146_688, "146.688\u{a0}₫", "146,688\u{a0}₫");
        check(-36_500, "−36.500\u{a0}₫", "−36,500\u{a0}₫");
        check(16_777_217, "16.777.217\u{a0}₫", "16,777,217\u{a0}₫");
        assert_eq!(amount(-5, 2, Language::English), "−0.05");
        assert_eq!(amount(123_456, 2, Language::Vietnamese), "1.234,56");
        assert_eq!(amount(i64::MIN, 0, Language::English).chars().count(), 26);
    }

    #[test]
    fn quantities_percentages_and_countdowns_are_exact() {
        // Proves that nothing is rounded away and no trailing zero is shown.
        let milli = |milli| Quantity { milli };
        assert_eq!(quantity(milli(2000), Language::Vietnamese), "2");
        assert_eq!(quantity(milli(846), Language::Vietnamese), "0,846");
        assert_eq!(quantity(milli(1_250_500), Language::English), "1,250.5");
        assert_eq!(percent(800, Language::Vietnamese), "8%");
        assert_eq!(percent(825, Language::Vietnamese), "8,25%");
        assert_eq!(percent(550, Language::English), "5.5%");
        assert_eq!(countdown(123_000), "2:03");
        assert_eq!(countdown(1), "0:01");
        assert_eq!(countdown(0), "0:00");
    }
}
