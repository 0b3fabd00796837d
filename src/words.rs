//! Amounts in words, so that nobody mistakes 200 for 200,000.
//!
//! Bank speakers that read only the first digits are how thieves pay 200 đồng
//! for a 200,000 đồng bill; the QR screen therefore says the whole amount.

use crate::format::Language;
use checkout::Money;

const VI_DIGITS: [&str; 10] = [
    "không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín",
];
const EN_SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const EN_TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];

/// The amount in words in the given language, lower case.
///
/// ```
/// # use kiosk::{format::Language, words::in_words};
/// # use checkout::{Currency, Money};
/// let bill = Money { minor: 146_688, currency: Currency::VND };
/// assert_eq!(
///     in_words(bill, Language::Vietnamese),
///     "một trăm bốn mươi sáu nghìn sáu trăm tám mươi tám đồng"
/// );
/// ```
pub fn in_words(value: Money, language: Language) -> String {
    let scale = 10u64.pow(u32::from(value.currency.exponent()));
    let magnitude = value.minor.unsigned_abs();
    let (major, minor) = (magnitude / scale, magnitude % scale);
    let number = match language {
        Language::Vietnamese => vietnamese(major),
        Language::English => english(major),
    };
    let unit = unit_name(value.currency.code(), major, language);
    let mut text = format!("{number} {unit}");
    if minor > 0 {
        let (number, and) = match language {
            Language::Vietnamese => (vietnamese(minor), "và"),
            Language::English => (english(minor), "and"),
        };
        text.push_str(&format!(" {and} {number}/{scale}"));
    }
    if value.minor < 0 {
        let minus = match language {
            Language::Vietnamese => "âm",
            Language::English => "minus",
        };
        text.insert_str(0, &format!("{minus} "));
    }
    text
}

fn unit_name(code: &str, major: u64, language: Language) -> String {
    let one = major == 1;
    match (code, language) {
        ("VND", Language::Vietnamese) => "đồng".into(),
        ("VND", Language::English) => "dong".into(),
        ("USD", Language::Vietnamese) => "đô la Mỹ".into(),
        ("USD", Language::English) => if one { "dollar" } else { "dollars" }.into(),
        ("EUR", _) => "euro".into(),
        ("JPY", Language::Vietnamese) => "yên".into(),
        ("JPY", Language::English) => "yen".into(),
        (other, _) => other.to_owned(),
    }
}

/// Vietnamese cardinal number. Rules: 1 after a ten ≥ 20 is "mốt", 5 after any
/// ten is "lăm", 4 after a ten ≥ 20 is "tư", an empty ten is "linh", and a
/// group below a higher one says its "không trăm".
fn vietnamese(value: u64) -> String {
    if value == 0 {
        return VI_DIGITS[0].into();
    }
    let billion = 1_000_000_000;
    if value >= billion {
        let mut text = format!("{} tỷ", vietnamese(value / billion));
        if !value.is_multiple_of(billion) {
            text.push(' ');
            text.push_str(&vietnamese_below_billion(value % billion, true));
        }
        return text;
    }
    vietnamese_below_billion(value, false)
}

fn vietnamese_below_billion(value: u64, has_higher: bool) -> String {
    let mut parts = Vec::new();
    let mut higher = has_higher;
    for (divisor, name) in [(1_000_000, " triệu"), (1000, " nghìn"), (1, "")] {
        let group = value / divisor % 1000;
        if group > 0 {
            parts.push(format!("{}{name}", vietnamese_group(group, higher)));
            higher = true;
        }
    }
    parts.join(" ")
}

fn vietnamese_group(group: u64, has_higher: bool) -> String {
    let (hundreds, tens, ones) = (group / 100, group / 10 % 10, group % 10);
    let digit = |d: u64| VI_DIGITS[usize::try_from(d).unwrap_or(0)];
    let mut parts: Vec<String> = Vec::new();
    if hundreds > 0 || has_higher {
        parts.push(format!("{} trăm", digit(hundreds)));
    }
    match tens {
        0 if ones > 0 && !parts.is_empty() => parts.push("linh".into()),
        0 => {}
        1 => parts.push("mười".into()),
        _ => parts.push(format!("{} mươi", digit(tens))),
    }
    match (tens, ones) {
        (_, 0) => {}
        (2.., 1) => parts.push("mốt".into()),
        (2.., 4) => parts.push("tư".into()),
        (1.., 5) => parts.push("lăm".into()),
        _ => parts.push(digit(ones).into()),
    }
    parts.join(" ")
}

fn english(value: u64) -> String {
    if value == 0 {
        return EN_SMALL[0].into();
    }
    let scales: [(u64, &str); 6] = [
        (1_000_000_000_000_000, " quadrillion"),
        (1_000_000_000_000, " trillion"),
        (1_000_000_000, " billion"),
        (1_000_000, " million"),
        (1000, " thousand"),
        (1, ""),
    ];
    let parts: Vec<String> = scales
        .iter()
        .filter_map(|&(divisor, name)| {
            let group = if divisor == scales[0].0 {
                value / divisor
            } else {
                value / divisor % 1000
            };
            (group > 0).then(|| format!("{}{name}", english_group(group)))
        })
        .collect();
    parts.join(" ")
}

fn english_group(group: u64) -> String {
    let small = |d: u64| EN_SMALL[usize::try_from(d).unwrap_or(0)];
    let mut parts = Vec::new();
    if group >= 1000 {
        return english(group);
    }
    if group >= 100 {
        parts.push(format!("{} hundred", small(group / 100)));
    }
    let rest = group % 100;
    if rest >= 20 {
        let tens = EN_TENS[usize::try_from(rest / 10).unwrap_or(0)];
        parts.push(match rest % 10 {
            0 => tens.to_owned(),
            ones => format!("{tens}-{}", small(ones)),
        });
    } else if rest > 0 {
        parts.push(small(rest).to_owned());
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use checkout::Currency;

    fn check(minor: i64, vi: &str, en: &str) {
        let value = Money {
            minor,
            currency: Currency::VND,
        };
        assert_eq!(
            in_words(value, Language::Vietnamese),
            format!("{vi} đồng"),
            "{minor}"
        );
        assert_eq!(
            in_words(value, Language::English),
            format!("{en} dong"),
            "{minor}"
        );
    }

    #[test]
    fn amounts_in_words_follow_both_languages() {
        // Proves the irregular forms (mốt, tư, lăm, linh, không trăm) and the groups.
        check(0, "không", "zero");
        check(5, "năm", "five");
        check(15, "mười lăm", "fifteen");
        check(21, "hai mươi mốt", "twenty-one");
        check(24, "hai mươi tư", "twenty-four");
        check(200, "hai trăm", "two hundred");
        check(105, "một trăm linh năm", "one hundred five");
        check(200_000, "hai trăm nghìn", "two hundred thousand");
        check(1_005, "một nghìn không trăm linh năm", "one thousand five");
        check(
            146_688,
            "một trăm bốn mươi sáu nghìn sáu trăm tám mươi tám",
            "one hundred forty-six thousand six hundred eighty-eight",
        );
        check(
            1_000_000_001,
            "một tỷ không trăm linh một",
            "one billion one",
        );
    }

    #[test]
    fn two_different_amounts_never_read_the_same() {
        // Proves that words identify the amount: the reader can rely on them alone.
        let mut seen = std::collections::HashSet::new();
        for minor in (0..20_000).chain((20_000..2_000_000).step_by(997)) {
            let value = Money {
                minor,
                currency: Currency::VND,
            };
            for language in Language::ALL {
                assert!(
                    seen.insert((language, in_words(value, language))),
                    "{minor}"
                );
            }
        }
    }
}
