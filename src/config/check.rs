//! From the file as written to values the kiosk can rely on.

use super::file::{self, File};
use crate::format::Language;
use checkout::barcode::EmbeddedTemplate;
use checkout::{
    CashRounding, Currency, LocalDate, Promotion, RoundingMode, TaxClass, TaxClassId, TaxMode,
    TaxRateFrom, TaxTable, TaxTreatment,
};
use chrono_tz::Tz;
use std::fmt;

/// No drawer holds more; a larger number is a slip.
const CASH_FLOAT_MAX_MINOR: i64 = 1_000_000_000_000;

/// One thing that is wrong with the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Dotted key, such as `shop.currency`.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What to write instead.
    pub remedy: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}. {}", self.key, self.what, self.remedy)
    }
}

/// A configuration that was checked whole.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// The file's own tables, for what needs no translation.
    pub file: File,
    /// Currency of every amount.
    pub currency: Currency,
    /// The shop's time zone.
    pub zone: Tz,
    /// First language.
    pub language: Language,
    /// VAT by class and day.
    pub tax: TaxTable,
    /// Rounding of cash.
    pub cash_rounding: Option<CashRounding>,
    /// In-store labels.
    pub labels: Vec<EmbeddedTemplate>,
    /// The banks of Vietnam: the built-in table or a signed newer one.
    pub banks: payqr::BankTable,
    /// Promotions, from their own file.
    pub promotions: Vec<Promotion>,
    /// The printer's profile, built in or from its own file.
    pub printer_profile: Option<hardware::printer::Profile>,
    /// The logo on receipts, from its own file.
    pub logo: Option<hardware::printer::Bitmap>,
}

struct Checker {
    problems: Vec<Problem>,
}

impl Checker {
    fn add(&mut self, key: impl Into<String>, what: impl Into<String>, remedy: impl Into<String>) {
        self.problems.push(Problem {
            key: key.into(),
            what: what.into(),
            remedy: remedy.into(),
        });
    }

    fn range(&mut self, key: &str, value: u32, least: u32, most: u32) {
        if !(least..=most).contains(&value) {
            self.add(
                key,
                format!("{value} is out of range"),
                format!("Write {least} to {most}"),
            );
        }
    }
}

impl Configuration {
    /// Checks everything, collecting every problem.
    ///
    /// # Errors
    /// The problems, at least one.
    pub fn from_file(file: File) -> Result<Self, Vec<Problem>> {
        let mut checker = Checker {
            problems: Vec::new(),
        };
        let currency = currency(&mut checker, &file.shop.currency);
        let zone = zone(&mut checker, &file.shop.time_zone);
        let language = language(&mut checker, &file.shop.language);
        let tax = tax(&mut checker, &file);
        let cash_rounding = cash_rounding(&mut checker, &file);
        cash_float(&mut checker, &file);
        let labels = labels(&mut checker, &file);
        times(&mut checker, &file.times);
        devices(&mut checker, &file);
        receipt(&mut checker, &file.receipt);
        staff(&mut checker, &file);
        if file.shop.day_starts_at_hour > 23 {
            checker.add(
                "shop.day_starts_at_hour",
                "there is no such hour",
                "Write 0 to 23",
            );
        }
        match (currency, zone, language, tax) {
            (Some(currency), Some(zone), Some(language), Some(tax))
                if checker.problems.is_empty() =>
            {
                Ok(Self {
                    currency,
                    zone,
                    language,
                    tax,
                    cash_rounding,
                    labels,
                    banks: payqr::BankTable::built_in().clone(),
                    promotions: Vec::new(),
                    printer_profile: None,
                    logo: None,
                    file,
                })
            }
            _ => Err(checker.problems),
        }
    }
}

fn receipt(checker: &mut Checker, receipt: &super::Receipt) {
    let url = &receipt.qr_url;
    let has_scheme = url.starts_with("https://") || url.starts_with("http://");
    if !url.is_empty() && (!has_scheme || url.chars().any(|c| c.is_control() || c == ' ')) {
        checker.add(
            "receipt.qr_url",
            format!("\"{url}\" is not a web address"),
            "Write https://… and, where wanted, {number}, {date}, {total}, {language}; or remove it",
        );
    }
    if url.len() > 400 {
        checker.add(
            "receipt.qr_url",
            "the address is too long for a code on narrow paper",
            "Write at most 400 characters",
        );
    }
    let by_language = [&receipt.qr_words, &receipt.thanks];
    let languages = by_language.iter().flat_map(|words| words.keys());
    for code in languages.chain(receipt.notes.keys()) {
        if Language::from_code(code).is_none() {
            checker.add(
                format!("receipt.….{code}"),
                "there is no such language",
                "Write vi or en",
            );
        }
    }
}

fn currency(checker: &mut Checker, code: &str) -> Option<Currency> {
    let currency = Currency::from_code(code).ok();
    if currency.is_none() {
        checker.add(
            "shop.currency",
            format!("{code:?} is not a currency"),
            "Write its ISO 4217 code, such as VND or EUR",
        );
    }
    currency
}

fn zone(checker: &mut Checker, name: &str) -> Option<Tz> {
    let zone = name.parse().ok();
    if zone.is_none() {
        checker.add(
            "shop.time_zone",
            format!("{name:?} is not a time zone"),
            "Write its IANA name, such as Asia/Ho_Chi_Minh",
        );
    }
    zone
}

fn language(checker: &mut Checker, code: &str) -> Option<Language> {
    let language = Language::from_code(code);
    if language.is_none() {
        checker.add(
            "shop.language",
            format!("the screens do not speak {code:?}"),
            "Write one of: vi, en",
        );
    }
    language
}

/// `"8"` → 800, `"8.25"` → 825.
fn basis_points(text: &str) -> Option<u32> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 3 || rest.len() > 2 || !digits(whole) || !digits(rest) {
        return None;
    }
    let points = whole.parse::<u32>().ok()? * 100 + format!("{rest:0<2}").parse::<u32>().ok()?;
    (points <= 10_000).then_some(points)
}

fn tax(checker: &mut Checker, file: &File) -> Option<TaxTable> {
    let mode = match file.shop.prices.as_str() {
        "included" => TaxMode::Included,
        "added" => TaxMode::Added,
        other => {
            checker.add(
                "shop.prices",
                format!("{other:?} says nothing about VAT"),
                "Write \"included\" or \"added\"",
            );
            return None;
        }
    };
    if file.tax.is_empty() {
        checker.add("tax", "there is no VAT class", "Write at least one [[tax]]");
    }
    let mut classes: Vec<TaxClass> = Vec::new();
    for class in &file.tax {
        let id = TaxClassId(class.id);
        if classes.iter().any(|known| known.id == id) {
            checker.add(
                "tax.id",
                format!("{} is there twice", class.id),
                "Give each class its own number",
            );
        }
        if class.rates.is_empty() {
            checker.add(
                format!("tax[{}].rates", class.id),
                "there is no rate",
                "Write at least one { from = \"2025-07-01\", percent = \"8\" }",
            );
        }
        classes.push(TaxClass {
            id,
            name: class.name.clone(),
            rates: rates(checker, class),
        });
    }
    Some(TaxTable { mode, classes })
}

fn rates(checker: &mut Checker, class: &file::TaxClass) -> Vec<TaxRateFrom> {
    let mut rates: Vec<TaxRateFrom> = Vec::new();
    for rate in &class.rates {
        let from = rate.from.parse::<LocalDate>();
        if from.is_err() {
            checker.add(
                format!("tax[{}].rates.from", class.id),
                format!("{:?} is not a day", rate.from),
                "Write it as 2025-07-01",
            );
        }
        let treatment = match rate.percent.as_str() {
            "exempt" => TaxTreatment::Exempt,
            "not-declared" => TaxTreatment::NotDeclared,
            _ => TaxTreatment::Rated,
        };
        let points = match treatment {
            TaxTreatment::Rated => basis_points(&rate.percent),
            TaxTreatment::Exempt | TaxTreatment::NotDeclared => Some(0),
        };
        if points.is_none() {
            checker.add(
                format!("tax[{}].rates.percent", class.id),
                format!("{:?} is not a percentage", rate.percent),
                "Write digits only, such as \"8\" or \"8.25\", or \"exempt\" or \"not-declared\"",
            );
        }
        if let (Ok(from), Some(basis_points)) = (from, points) {
            if rates.last().is_some_and(|last| last.from >= from) {
                checker.add(
                    format!("tax[{}].rates.from", class.id),
                    format!("{} does not come after the rate before it", rate.from),
                    "Write the rates in the order of their days",
                );
            }
            rates.push(TaxRateFrom {
                from,
                basis_points,
                treatment,
            });
        }
    }
    rates
}

fn cash_float(checker: &mut Checker, file: &File) {
    let float_minor = file.shop.cash_float_minor;
    if !(0..=CASH_FLOAT_MAX_MINOR).contains(&float_minor) {
        checker.add(
            "shop.cash_float_minor",
            format!("{float_minor} cannot lie in a drawer"),
            "Write what is in the drawer when a day begins, in minor units, or remove the line",
        );
    }
}

fn cash_rounding(checker: &mut Checker, file: &File) -> Option<CashRounding> {
    let step_minor = file.shop.cash_step_minor?;
    if step_minor < 1 {
        checker.add(
            "shop.cash_step_minor",
            format!("{step_minor} is not a step"),
            "Write the smallest coin in minor units, or remove the line",
        );
        return None;
    }
    Some(CashRounding {
        step_minor,
        mode: RoundingMode::HalfUp,
    })
}

fn labels(checker: &mut Checker, file: &File) -> Vec<EmbeddedTemplate> {
    let mut labels = Vec::new();
    for label in &file.label {
        let template = EmbeddedTemplate {
            pattern: label.pattern.clone(),
            multiplier: label.multiplier,
        };
        if let Err(error) = template.check() {
            checker.add("label.pattern", error.to_string(), "Mend the pattern");
        }
        labels.push(template);
    }
    labels
}

fn times(checker: &mut Checker, times: &file::Times) {
    checker.range("times.idle_warn_after_s", times.idle_warn_after_s, 10, 3600);
    checker.range("times.idle_countdown_s", times.idle_countdown_s, 5, 300);
    checker.range("times.parked_keep_min", times.parked_keep_min, 5, 1440);
    checker.range("times.qr_offer_s", times.qr_offer_s, 30, 3600);
    checker.range("times.qr_watch_h", times.qr_watch_h, 1, 240);
    checker.range("times.faces_s", times.faces_s, 3, 30);
}

fn devices(checker: &mut Checker, file: &File) {
    if let Some(scanner) = &file.scanner
        && scanner.port.is_some() == scanner.input.is_some()
    {
        checker.add(
            "scanner",
            "it needs exactly one of port and input",
            "Write port = \"/dev/…\" for a serial scanner or input = \"/dev/input/by-id/…\" for a keyboard-type one",
        );
    }
    if let Some(terminal) = &file.terminal {
        if terminal.tcp.is_some() == terminal.port.is_some() {
            checker.add(
                "terminal",
                "it needs exactly one of tcp and port",
                "Write tcp = \"HOST:PORT\" or port = \"/dev/…\"",
            );
        }
        if terminal.password.len() != 6 || !terminal.password.bytes().all(|b| b.is_ascii_digit()) {
            checker.add(
                "terminal.password",
                "it is not six digits",
                "Write the terminal's registration password, often \"000000\"",
            );
        }
    }
    if let Some(bank) = &file.bank {
        bank_url(checker, bank);
        if bank.bank_bin.len() != 6 || !bank.bank_bin.bytes().all(|b| b.is_ascii_digit()) {
            checker.add(
                "bank.bank_bin",
                "it is not six digits",
                "Write the bank's NAPAS number, such as 970436",
            );
        }
        if bank.account.is_empty()
            || bank.account.len() > 19
            || !bank.account.bytes().all(|b| b.is_ascii_alphanumeric())
        {
            checker.add(
                "bank.account",
                "it is not an account number",
                "Write 1 to 19 letters and digits",
            );
        }
    }
}

fn bank_url(checker: &mut Checker, bank: &file::Bank) {
    match &bank.relay_url {
        Some(url) if !(url.starts_with("http://") || url.starts_with("https://")) => checker.add(
            "bank.relay_url",
            format!("{url:?} is not an address"),
            "Write http://… or https://…",
        ),
        None if bank.mode == file::BankMode::Simulated => checker.add(
            "bank.relay_url",
            "a simulated bank has no address of its own",
            "Write the address that `kiosk sim bank` prints",
        ),
        _ => {}
    }
}

fn staff(checker: &mut Checker, file: &File) {
    for person in &file.staff {
        if person.id.is_empty() || person.id.len() > 16 {
            checker.add(
                "staff.id",
                format!("{:?} does not fit", person.id),
                "Write a short code of 1 to 16 letters, not a name",
            );
        }
        if !crate::staff::is_hash(&person.pin_hash) {
            checker.add(
                format!("staff[{}].pin_hash", person.id),
                "it is not a PIN hash",
                "Make the line with `kiosk staff-pin`",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_read_exactly() {
        // Proves that a rate is taken digit by digit and nonsense is refused.
        assert_eq!(basis_points("8"), Some(800));
        assert_eq!(basis_points("8.25"), Some(825));
        assert_eq!(basis_points("0.5"), Some(50));
        assert_eq!(basis_points("100"), Some(10_000));
        for wrong in ["", "8%", "-8", "8,5", "8.255", "101", "1e1", "."] {
            assert_eq!(basis_points(wrong), None, "{wrong}");
        }
    }
}
