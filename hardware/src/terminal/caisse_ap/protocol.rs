//! Caisse-AP messages as text. Pure.
//!
//! Fields of a two-letter tag, a three-digit length and a value; `CZ` (version) comes first. There
//! is neither a length of the whole nor an end mark: a message is complete when it is made of whole
//! fields and nothing follows for a moment, or when the terminal hangs up. The protocol's
//! documents are not public; facts were gathered from public tills and terminals' answers.

use crate::terminal::redact::mask_text;
use crate::terminal::types::{Amount, CardDigits};

/// Digits of the amount (`CB`).
pub const AMOUNT_DIGITS: u8 = 12;
/// Longest message accepted; real ones are a few hundred bytes.
pub const MAX_MESSAGE_BYTES: usize = 16_384;

/// What an order does (`CD`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Money from the card.
    Debit,
    /// Money to the card.
    Credit,
}

impl Action {
    fn code(self) -> &'static str {
        match self {
            Self::Debit => "0",
            Self::Credit => "1",
        }
    }
}

/// Writes an order: wait for the end of the payment (`BA` 0), debit or credit.
pub fn request(amount: Amount, action: Action) -> String {
    // The identifier CJ means nothing over IP but must be there.
    let currency = format!("{:03}", amount.currency.0);
    // An amount has at least two characters.
    let minor = format!("{:02}", amount.minor);
    let fields = [
        ("CZ", "0300"),
        ("CJ", "012345678901"),
        ("CA", "01"),
        ("CE", &currency),
        ("BA", "0"),
        ("CD", action.code()),
        ("CB", &minor),
    ];
    write(&fields)
}

/// Writes fields.
pub fn write(fields: &[(&str, &str)]) -> String {
    fields
        .iter()
        .map(|(tag, value)| format!("{tag}{:03}{value}", value.len()))
        .collect()
}

/// Reads fields from the start; returns them and whether the bytes are whole fields. Never fails:
/// what cannot be read ends the list.
pub fn read(bytes: &[u8]) -> (Vec<(String, String)>, bool) {
    let mut fields = Vec::new();
    let mut rest = bytes;
    while let Some((field, after)) = take(rest) {
        fields.push(field);
        rest = after;
    }
    (fields, rest.is_empty())
}

fn take(bytes: &[u8]) -> Option<((String, String), &[u8])> {
    let (head, after) = bytes.split_at_checked(5)?;
    if !head[..2].iter().all(u8::is_ascii_alphanumeric) || !head[2..].iter().all(u8::is_ascii_digit)
    {
        return None;
    }
    let length = head[2..]
        .iter()
        .fold(0, |length, digit| length * 10 + usize::from(digit - b'0'));
    let (value, rest) = after.split_at_checked(length)?;
    let text = |bytes: &[u8]| -> String { bytes.iter().map(|byte| char::from(*byte)).collect() };
    Some(((text(&head[..2]), text(value)), rest))
}

/// How the terminal says an order ended (`AE`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// 10: paid.
    Done,
    /// 01: not paid.
    Failed,
    /// 11: only accepted, which is not paid.
    AcceptedOnly,
    /// Anything else, or nothing.
    Unclear,
}

/// An answer without card data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// How it ended.
    pub status: Status,
    /// Reason code of a failure (`AF`).
    pub reason: Option<u8>,
    /// Amount (`CB`); on a cancelled order it may differ from the one asked.
    pub amount_minor: Option<u64>,
    /// Currency (`CE`).
    pub currency: Option<u16>,
    /// Action (`CD`).
    pub action: Option<Action>,
    /// Authorisation number (`AC`).
    pub authorisation_code: Option<String>,
    /// Kind of card (`CC`).
    pub scheme: Option<String>,
    /// Last four digits (`AA`).
    pub card: Option<CardDigits>,
    /// The terminal sent a card number in clear.
    pub was_unmasked: bool,
    /// The bytes were whole fields.
    pub is_whole: bool,
}

impl Answer {
    /// Reads an answer; the card number and its dates are dropped here.
    pub fn parse(bytes: &[u8]) -> Self {
        let (fields, is_whole) = read(bytes);
        let get = |wanted: &str| {
            fields
                .iter()
                .find(|(tag, _)| tag == wanted)
                .map(|(_, value)| value.as_str())
        };
        let number = get("AA").unwrap_or_default();
        let clear = number.chars().filter(char::is_ascii_digit).count();
        Self {
            status: match get("AE") {
                Some("10") => Status::Done,
                Some("01") => Status::Failed,
                Some("11") => Status::AcceptedOnly,
                _ => Status::Unclear,
            },
            reason: get("AF").and_then(|code| code.parse().ok()),
            // More digits than an amount has may be a card number.
            amount_minor: get("CB")
                .filter(|amount| amount.len() <= usize::from(AMOUNT_DIGITS))
                .and_then(|amount| amount.parse().ok()),
            currency: get("CE").and_then(|code| code.parse().ok()),
            action: match get("CD") {
                Some("0") => Some(Action::Debit),
                Some("1") => Some(Action::Credit),
                _ => None,
            },
            authorisation_code: get("AC").map(|code| mask_text(code).0),
            scheme: get("CC").map(|code| scheme(code).to_owned()),
            card: last_four(number),
            was_unmasked: clear > 10,
            is_whole,
        }
    }
}

/// Last four digits of a number of at least ten places.
pub fn last_four(number: &str) -> Option<CardDigits> {
    let chars: Vec<char> = number.trim().chars().collect();
    if chars.len() < 10 {
        return None;
    }
    let tail: Option<Vec<u8>> = chars[chars.len() - 4..]
        .iter()
        .map(|c| c.to_digit(10).map(|d| d as u8))
        .collect();
    tail.and_then(|digits| digits.try_into().ok())
        .map(CardDigits)
}

fn scheme(code: &str) -> &'static str {
    match code.trim_start_matches('0') {
        "1" | "B" => "CB",
        "2" | "D" => "American Express",
        "6" => "Diners",
        "9" => "JCB",
        "U" => "UnionPay",
        "C" => "Chèque",
        _ => "card",
    }
}
