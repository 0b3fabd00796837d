//! Swiss QR-bill (SIX, "Swiss Implementation Guidelines for the QR-bill",
//! v2.3). Draw at level M, 46 × 46 mm, with the Swiss cross in the middle.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{alphanumeric, characters, digits, length};
use crate::epc::{LineBreak, Lines, check_amount};
use crate::error::{DecodeError, EncodeError, Fault};
use crate::iban::{check_iban, is_creditor_reference};
use crate::payload::check_length;

/// Longest code, characters.
pub const MAX_CHARACTERS: usize = 997;
/// Largest amount, hundredths.
const MAX_MINOR: u64 = 99_999_999_999;
/// Lines of one address.
const ADDRESS_LINES: usize = 7;

/// Name and address; written as structured type `S`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct SwissAddress {
    /// Name, at most 70 characters.
    pub name: String,
    /// Street, at most 70 characters.
    #[serde(default)]
    pub street: String,
    /// House number, at most 16 characters.
    #[serde(default)]
    pub house_number: String,
    /// Postal code, at most 16 characters.
    #[serde(default)]
    pub postal_code: String,
    /// Town, at most 35 characters.
    #[serde(default)]
    pub town: String,
    /// Country, ISO 3166-1 two letters.
    pub country: String,
    /// True when read from an old combined address (type `K`, no longer
    /// allowed since 22 November 2025); `street` and `house_number` are then
    /// the two address lines. Never written.
    #[serde(default)]
    pub combined: bool,
}

impl SwissAddress {
    fn check(&self) -> Result<(), EncodeError> {
        if self.combined {
            return Err(EncodeError::Value {
                field: "address.combined",
                found: "true".to_owned(),
                expected: "a structured address",
            });
        }
        let texts = [
            ("address.name", &self.name, 1, 70),
            ("address.street", &self.street, 0, 70),
            ("address.house_number", &self.house_number, 0, 16),
            ("address.postal_code", &self.postal_code, 1, 16),
            ("address.town", &self.town, 1, 35),
        ];
        for (name, value, min, max) in texts {
            swiss_text(name, value, min, max)?;
        }
        length("address.country", &self.country, 2, 2)?;
        characters("address.country", &self.country, "capital letters", |c| {
            c.is_ascii_uppercase()
        })
    }

    fn lines(&self) -> [&str; ADDRESS_LINES] {
        [
            "S",
            &self.name,
            &self.street,
            &self.house_number,
            &self.postal_code,
            &self.town,
            &self.country,
        ]
    }

    fn read(lines: &Lines<'_>, first: usize) -> Result<Option<Self>, DecodeError> {
        let combined = match lines.get(first) {
            "" => return Ok(None),
            "S" => false,
            "K" => true,
            other => {
                let found = other.to_owned();
                return Err(lines.wrong(first, "address type", found, "S or K"));
            }
        };
        let line = |offset| lines.get(first + offset).to_owned();
        Ok(Some(Self {
            name: lines.required(first + 1, "the name")?,
            street: line(2),
            house_number: line(3),
            postal_code: line(4),
            town: line(5),
            country: lines.required(first + 6, "the country")?,
            combined,
        }))
    }
}

/// Currency of a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "UPPERCASE")]
pub enum SwissCurrency {
    /// Swiss franc.
    #[default]
    Chf,
    /// Euro.
    Eur,
}

/// What names the payment to the creditor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum SwissReference {
    /// `QRR`: 27 digits, last one a check digit; demands a QR-IBAN.
    Qr(String),
    /// `SCOR`: ISO 11649.
    Creditor(String),
    /// `NON`: none.
    #[default]
    None,
}

/// A Swiss QR-bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct SwissBill {
    /// Swiss or Liechtenstein IBAN, 21 characters.
    pub iban: String,
    /// Creditor.
    pub creditor: SwissAddress,
    /// Amount with two decimals; without it the payer fills it in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Currency.
    #[serde(default)]
    pub currency: SwissCurrency,
    /// Debtor, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub debtor: Option<SwissAddress>,
    /// Reference.
    #[serde(default)]
    pub reference: SwissReference,
    /// Message; together with `bill_information` at most 140 characters.
    #[serde(default)]
    pub message: String,
    /// Structured bill information (`//S1/…`).
    #[serde(default)]
    pub bill_information: String,
    /// Alternative schemes, at most two lines of 100 characters.
    #[serde(default)]
    pub alternatives: Vec<String>,
    /// Line break.
    #[serde(default)]
    pub line_break: LineBreak,
}

impl SwissBill {
    /// Whether the IBAN is a QR-IBAN (institution 30000 to 31999).
    #[must_use]
    pub fn has_qr_iban(&self) -> bool {
        self.iban
            .get(4..9)
            .and_then(|institution| institution.parse::<u32>().ok())
            .is_some_and(|institution| (30_000..=31_999).contains(&institution))
    }

    /// The text of the code.
    ///
    /// # Errors
    /// [`EncodeError`] naming the value.
    pub fn encode(&self) -> Result<String, EncodeError> {
        self.check()?;
        let amount = match self.amount.and_then(|amount| amount.minor(2)) {
            Some(minor) => Amount::cents(minor).to_string(),
            None => String::new(),
        };
        let currency = match self.currency {
            SwissCurrency::Chf => "CHF",
            SwissCurrency::Eur => "EUR",
        };
        let (kind, reference) = match &self.reference {
            SwissReference::Qr(reference) => ("QRR", reference.as_str()),
            SwissReference::Creditor(reference) => ("SCOR", reference.as_str()),
            SwissReference::None => ("NON", ""),
        };
        let empty = [""; ADDRESS_LINES];
        let debtor = self.debtor.as_ref().map_or(empty, SwissAddress::lines);
        let mut lines = vec!["SPC", "0200", "1", &self.iban];
        lines.extend(self.creditor.lines());
        lines.extend(empty);
        lines.extend([amount.as_str(), currency]);
        lines.extend(debtor);
        lines.extend([kind, reference, &self.message, "EPD"]);
        if !self.bill_information.is_empty() || !self.alternatives.is_empty() {
            lines.push(&self.bill_information);
        }
        lines.extend(self.alternatives.iter().map(String::as_str));
        let text = lines.join(self.line_break.text());
        let length = text.chars().count();
        if length > MAX_CHARACTERS {
            return Err(EncodeError::CodeTooLong {
                length,
                limit: MAX_CHARACTERS,
                unit: "characters",
            });
        }
        Ok(text)
    }

    fn check(&self) -> Result<(), EncodeError> {
        check_iban("iban", &self.iban)?;
        let is_swiss = self.iban.starts_with("CH") || self.iban.starts_with("LI");
        if !is_swiss || self.iban.len() != 21 {
            return Err(EncodeError::Value {
                field: "iban",
                found: self.iban.clone(),
                expected: "an IBAN of Switzerland or Liechtenstein, 21 characters",
            });
        }
        self.creditor.check()?;
        if let Some(debtor) = &self.debtor {
            debtor.check()?;
        }
        if let Some(amount) = self.amount {
            check_amount(amount, MAX_MINOR)?;
        }
        self.check_reference()?;
        swiss_text("message", &self.message, 0, 140)?;
        let room = 140 - self.message.chars().count();
        swiss_text("bill_information", &self.bill_information, 0, room)?;
        if self.alternatives.len() > 2 {
            return Err(EncodeError::Value {
                field: "alternatives",
                found: self.alternatives.len().to_string(),
                expected: "at most 2",
            });
        }
        self.alternatives
            .iter()
            .try_for_each(|line| swiss_text("alternatives", line, 1, 100))
    }

    fn check_reference(&self) -> Result<(), EncodeError> {
        let (reference, fits, expected) = match &self.reference {
            SwissReference::Qr(reference) => {
                digits("reference.qr", reference, 27, 27)?;
                let fits = self.has_qr_iban() && is_qr_reference(reference);
                (
                    reference.as_str(),
                    fits,
                    "27 digits whose check digit fits, with a QR-IBAN",
                )
            }
            SwissReference::Creditor(reference) => {
                alphanumeric("reference.creditor", reference, 5, 25)?;
                let fits = !self.has_qr_iban() && is_creditor_reference(reference);
                (
                    reference.as_str(),
                    fits,
                    "an ISO 11649 reference whose check digits fit, without a QR-IBAN",
                )
            }
            SwissReference::None => (
                "",
                !self.has_qr_iban(),
                "a QR reference: the IBAN is a QR-IBAN",
            ),
        };
        if fits {
            return Ok(());
        }
        Err(EncodeError::Value {
            field: "reference",
            found: reference.to_owned(),
            expected,
        })
    }

    /// Reads the text of a code, LF or CRLF.
    ///
    /// # Errors
    /// [`DecodeError`] naming the line.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        check_length(text)?;
        let lines = Lines::new(text);
        lines.expect(1, "type", &["SPC"])?;
        lines.expect(2, "version", &["0200"])?;
        lines.expect(3, "character set", &["1"])?;
        let currency = match lines.expect(20, "currency", &["CHF", "EUR"])? {
            "CHF" => SwissCurrency::Chf,
            _ => SwissCurrency::Eur,
        };
        let reference = match lines.expect(28, "reference type", &["NON", "QRR", "SCOR"])? {
            "QRR" => SwissReference::Qr(lines.required(29, "the QR reference")?),
            "SCOR" => SwissReference::Creditor(lines.required(29, "the creditor reference")?),
            _ => SwissReference::None,
        };
        lines.expect(31, "trailer", &["EPD"])?;
        lines.at_most(34)?;
        let amount = lines
            .optional(19)
            .map(|found| {
                let amount = found.parse();
                amount.map_err(|_| lines.wrong(19, "amount", found, "digits with one point"))
            })
            .transpose()?;
        let creditor = SwissAddress::read(&lines, 5)?.ok_or_else(|| {
            DecodeError::at_path(
                Fault::Missing {
                    what: "the creditor",
                },
                "line 5",
            )
        })?;
        Ok(Self {
            iban: lines.required(4, "the IBAN")?,
            creditor,
            amount,
            currency,
            debtor: SwissAddress::read(&lines, 21)?,
            reference,
            message: lines.get(30).to_owned(),
            bill_information: lines.get(32).to_owned(),
            alternatives: [33, 34]
                .into_iter()
                .filter_map(|number| lines.optional(number))
                .collect(),
            line_break: if text.contains("\r\n") {
                LineBreak::CrLf
            } else {
                LineBreak::Lf
            },
        })
    }
}

/// Latin letters of the payment character set (SIX guidelines §4.1.1: Basic
/// Latin, Latin-1 Supplement, Latin Extended-A, Ș ș Ț ț and €).
fn swiss_text(name: &'static str, value: &str, min: usize, max: usize) -> Result<(), EncodeError> {
    length(name, value, min, max)?;
    characters(
        name,
        value,
        "Latin letters, digits and signs",
        |c| matches!(c, ' '..='~' | '\u{A0}'..='\u{17F}' | 'Ș' | 'ș' | 'Ț' | 'ț' | '€'),
    )
}

/// Modulo 10, recursive: the check digit of the 27-digit reference.
#[must_use]
pub fn is_qr_reference(reference: &str) -> bool {
    const TABLE: [usize; 10] = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5];
    let digits: Option<Vec<usize>> = reference
        .chars()
        .map(|c| c.to_digit(10).and_then(|digit| usize::try_from(digit).ok()))
        .collect();
    let Some((last, body)) = digits.as_deref().and_then(<[usize]>::split_last) else {
        return false;
    };
    let carry = body
        .iter()
        .fold(0, |carry, digit| TABLE[(carry + digit) % 10]);
    body.len() == 26 && (10 - carry) % 10 == *last
}
