//! Words shared by every terminal protocol: amounts, identities, capabilities.

use std::fmt;

use serde::{Deserialize, Serialize};

pub use super::events::{CommandRefused, LinkFault, LinkState, TerminalEvent};
pub use super::outcome::{
    DayCloseOutcome, NotReady, NotStarted, Outcome, RecoverRequest, Recovered, Recovery,
    TerminalStatus, Unknown,
};

/// Identity of one attempt, chosen by the kiosk before anything is sent and never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptId(pub [u8; 16]);

impl AttemptId {
    /// The ten letters and digits that travel in protocols with a private field (Concert E+):
    /// the last 50 bits in Crockford base 32, so the random end of a UUIDv7.
    pub fn short(&self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let low = u64::from_be_bytes([
            self.0[8], self.0[9], self.0[10], self.0[11], self.0[12], self.0[13], self.0[14],
            self.0[15],
        ]);
        (0..10)
            .rev()
            .map(|place| char::from(ALPHABET[((low >> (place * 5)) & 31) as usize]))
            .collect()
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                out.write_str("-")?;
            }
            write!(out, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AttemptId({self})")
    }
}

/// ISO 4217 numeric currency code, as terminals write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Currency(pub u16);

impl Currency {
    /// Vietnamese đồng, no minor unit.
    pub const VND: Self = Self(704);
    /// Euro, two decimals.
    pub const EUR: Self = Self(978);
    /// Japanese yen, no minor unit.
    pub const JPY: Self = Self(392);

    /// Looks up an alphabetic code (`VND`); `None` if this table does not have it.
    pub fn from_alpha(code: &str) -> Option<Self> {
        const TABLE: [(&str, u16); 22] = [
            ("AUD", 36),
            ("CAD", 124),
            ("CHF", 756),
            ("CNY", 156),
            ("CZK", 203),
            ("DKK", 208),
            ("EUR", 978),
            ("GBP", 826),
            ("HKD", 344),
            ("HUF", 348),
            ("IDR", 360),
            ("JPY", 392),
            ("KRW", 410),
            ("MYR", 458),
            ("NOK", 578),
            ("PHP", 608),
            ("PLN", 985),
            ("SEK", 752),
            ("SGD", 702),
            ("THB", 764),
            ("USD", 840),
            ("VND", 704),
        ];
        TABLE
            .iter()
            .find(|(alpha, _)| *alpha == code)
            .map(|(_, numeric)| Self(*numeric))
    }
}

/// Money in the smallest unit of its currency (đồng, cent, yen). Never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    /// Number of minor units.
    pub minor: u64,
    /// Currency.
    pub currency: Currency,
}

impl Amount {
    /// An amount of `minor` units.
    pub const fn new(minor: u64, currency: Currency) -> Self {
        Self { minor, currency }
    }
}

/// The last four digits of a card number, all that is ever kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardDigits(pub [u8; 4]);

impl fmt::Display for CardDigits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(out, "{digit}"))
    }
}

/// What tells one terminal transaction from another. Receipt and trace numbers wrap and the date
/// has no year, so no single field is enough (reference: identity of a transaction).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TransactionIdentity {
    /// Terminal id, 8 digits (ZVT BMP 29).
    pub terminal_id: Option<String>,
    /// Trace number (BMP 0B).
    pub trace_number: Option<u32>,
    /// Receipt number (BMP 87), 0 to 9999.
    pub receipt_number: Option<u16>,
    /// Date as month·100 + day (BMP 0D).
    pub date_mmdd: Option<u16>,
    /// Time as hours·10000 + minutes·100 + seconds (BMP 0C).
    pub time_hhmmss: Option<u32>,
    /// Authorisation code of the bank (BMP 3B), printable part.
    pub authorisation_code: Option<String>,
    /// Amount in minor units (BMP 04).
    pub amount_minor: Option<u64>,
    /// Currency (BMP 49).
    pub currency: Option<Currency>,
    /// Trace number of the transaction this one takes back (BMP 37).
    pub original_trace: Option<u32>,
    /// Result code of the transaction (BMP 27); 0 is success.
    pub result_code: u8,
}

impl TransactionIdentity {
    /// Whether both describe the same transaction: every field present in both is equal, and at
    /// least the receipt or the trace number is present in both.
    pub fn same_transaction(&self, other: &Self) -> bool {
        fn agree<T: PartialEq>(left: &Option<T>, right: &Option<T>) -> bool {
            match (left, right) {
                (Some(left), Some(right)) => left == right,
                _ => true,
            }
        }
        fn both<T>(left: &Option<T>, right: &Option<T>) -> bool {
            left.is_some() && right.is_some()
        }
        (both(&self.receipt_number, &other.receipt_number)
            || both(&self.trace_number, &other.trace_number))
            && self.result_code == other.result_code
            && agree(&self.terminal_id, &other.terminal_id)
            && agree(&self.trace_number, &other.trace_number)
            && agree(&self.receipt_number, &other.receipt_number)
            && agree(&self.date_mmdd, &other.date_mmdd)
            && agree(&self.time_hhmmss, &other.time_hhmmss)
            && agree(&self.amount_minor, &other.amount_minor)
            && agree(&self.currency, &other.currency)
            && agree(&self.original_trace, &other.original_trace)
    }
}

/// The terminal's last transaction before an order, against which recovery compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Baseline {
    /// This transaction was the last one.
    Last(TransactionIdentity),
    /// The terminal answered that it has none (its code).
    Empty {
        /// Result code of that answer.
        code: u8,
    },
    /// The protocol cannot say; an order in doubt will need a person.
    Unavailable,
}

/// What an order does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderKind {
    /// Money from a card.
    Payment,
    /// Money to a card.
    Refund,
    /// An earlier transaction taken back.
    Reversal,
    /// The terminal's day closed.
    DayClose,
}

/// The terminal's statement that an order succeeded: the evidence to be journalled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The attempt it answers.
    pub attempt: AttemptId,
    /// What was ordered.
    pub kind: OrderKind,
    /// Amount as ordered; checked against the terminal's own figure.
    pub amount: Amount,
    /// Identity of the transaction at the terminal; its receipt number is needed to reverse it.
    pub identity: TransactionIdentity,
    /// Card scheme as the terminal names it ("MasterCard").
    pub scheme: Option<String>,
    /// Last four digits of the card.
    pub card: Option<CardDigits>,
}

/// What a terminal and its protocol can do. Honest by design: the kiosk shows staff what a
/// terminal cannot recover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Protocol name for people.
    pub protocol: &'static str,
    /// How an order in doubt can be resolved.
    pub recovery: RecoveryMeans,
    /// The kiosk can ask for more time before acknowledging an approval.
    pub can_hold: bool,
    /// The kiosk can refuse an approval and the terminal takes the money back.
    pub can_reject: bool,
    /// A running order can be aborted.
    pub can_abort: bool,
    /// An earlier transaction can be reversed.
    pub can_reverse: bool,
    /// Money can be given to a card.
    pub can_refund: bool,
    /// The terminal's day can be closed from the kiosk.
    pub can_close_day: bool,
    /// Digits of the amount field.
    pub amount_digits: u8,
}

/// How an order in doubt can be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecoveryMeans {
    /// By an enquiry for the last transaction; it must come before any other order.
    LastTransaction,
    /// Not by the protocol; a person compares the terminal's slip.
    Nobody,
}

/// Totals of one card scheme in an end of day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemeTotal {
    /// Scheme name.
    pub scheme: String,
    /// Number of transactions.
    pub count: u32,
    /// Total in minor units.
    pub total_minor: u64,
}

/// What a terminal said when its day was closed: compare with the journal's own totals.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EndOfDayReport {
    /// Total of the day in minor units.
    pub total_minor: Option<u64>,
    /// Currency of the total.
    pub currency: Option<Currency>,
    /// First receipt number of the day.
    pub first_receipt: Option<u16>,
    /// Last receipt number of the day.
    pub last_receipt: Option<u16>,
    /// Totals by scheme, as far as the terminal gives them.
    pub schemes: Vec<SchemeTotal>,
    /// Trace number of the day close.
    pub trace_number: Option<u32>,
}

impl EndOfDayReport {
    /// Difference terminal minus journal in minor units; `None` if the terminal gave no total or
    /// another currency. Zero means the day reconciles.
    pub fn difference_minor(&self, journal_total: Amount) -> Option<i128> {
        if self
            .currency
            .is_some_and(|currency| currency != journal_total.currency)
        {
            return None;
        }
        self.total_minor
            .map(|total| i128::from(total) - i128::from(journal_total.minor))
    }
}
