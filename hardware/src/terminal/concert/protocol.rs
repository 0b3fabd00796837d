//! Concert messages: fixed columns of ASCII between `STX` and `ETX`, then a check byte. Pure.
//!
//! Source: public tills speaking Telium Manager's E+ protocol.

use crate::terminal::types::{Amount, AttemptId};

/// Start of a message.
pub const STX: u8 = 0x02;
/// End of a message; one check byte follows.
pub const ETX: u8 = 0x03;
/// End of transmission.
pub const EOT: u8 = 0x04;
/// "May I send?"
pub const ENQ: u8 = 0x05;
/// Yes, or received.
pub const ACK: u8 = 0x06;
/// No, or received broken.
pub const NAK: u8 = 0x15;

/// Digits of the amount.
pub const AMOUNT_DIGITS: u8 = 8;
/// Characters of an answer without report.
pub const ANSWER_CHARS: usize = 25;
/// Characters of an answer with report; its first word would be the card number, so the driver
/// never asks for it.
pub const REPORT_CHARS: usize = 80;

/// What an order does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Money from the card.
    Debit,
    /// Money to the card.
    Refund,
}

/// Check byte: exclusive or of everything after `STX` including `ETX`.
pub fn check_byte(body: &[u8]) -> u8 {
    body.iter().fold(ETX, |check, byte| check ^ byte)
}

/// Puts a body between `STX` and `ETX` and adds the check byte.
pub fn frame(body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![STX];
    bytes.extend(body);
    bytes.extend([ETX, check_byte(body)]);
    bytes
}

/// The 34 characters of an order: position 01, amount, no report, card, action, currency, private
/// field, wait for the end, authorisation not forced.
pub fn order(amount: Amount, action: Action, private: &str) -> Vec<u8> {
    let action = match action {
        Action::Debit => '0',
        Action::Refund => '2',
    };
    let (minor, currency) = (amount.minor, amount.currency.0);
    format!("01{minor:08}01{action}{currency:03}{private:<10.10}A010B010").into_bytes()
}

/// The private field of an attempt.
pub fn private_field(attempt: AttemptId) -> String {
    attempt.short()
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `0` done, `7` refused, `9` not verified.
    pub result: char,
    /// Amount in minor units.
    pub amount_minor: Option<u64>,
    /// ISO 4217 numeric code.
    pub currency: Option<u16>,
    /// Private field as sent with the order.
    pub private: String,
}

impl Answer {
    /// Reads the body of an answer; `None` if it has neither length an answer can have. A report
    /// is not looked at, because it begins with the card number.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let tail = match body.len() {
            ANSWER_CHARS => 15,
            REPORT_CHARS => REPORT_CHARS - 10,
            _ => return None,
        };
        let text: String = body.iter().map(|byte| char::from(*byte)).collect();
        if !text.is_ascii() {
            return None;
        }
        // With a report, 55 characters stand between the mode and the currency.
        let currency_at = if body.len() == ANSWER_CHARS {
            12
        } else {
            tail - 3
        };
        Some(Self {
            result: char::from(body[2]),
            amount_minor: text[3..11].parse().ok(),
            currency: text[currency_at..currency_at + 3].parse().ok(),
            private: text[tail..tail + 10].trim_end().to_owned(),
        })
    }

    /// Writes the body of an answer without report, as a terminal does.
    pub fn body(&self) -> Vec<u8> {
        let minor = self.amount_minor.unwrap_or(0);
        let currency = self.currency.unwrap_or(0);
        let (result, private) = (self.result, &self.private);
        format!("01{result}{minor:08}1{currency:03}{private:<10.10}").into_bytes()
    }
}

/// What arrived on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// A control character outside a message.
    Control(u8),
    /// A message with a good check byte.
    Message(Vec<u8>),
    /// A message with a bad check byte, or one that is too long.
    Broken,
}

/// Reads control characters and messages byte by byte. `Debug` shows no contents.
#[derive(Default)]
pub struct Reader {
    body: Option<Vec<u8>>,
    checking: bool,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            out,
            "Reader({} bytes)",
            self.body.as_ref().map_or(0, Vec::len)
        )
    }
}

impl Reader {
    /// Takes one byte.
    pub fn push(&mut self, byte: u8) -> Option<Signal> {
        if self.checking {
            self.checking = false;
            let body = self.body.take().unwrap_or_default();
            let good = check_byte(&body) == byte;
            return Some(if good {
                Signal::Message(body)
            } else {
                Signal::Broken
            });
        }
        match (self.body.as_mut(), byte) {
            (None, STX) => {
                self.body = Some(Vec::new());
                None
            }
            (None, control) => Some(Signal::Control(control)),
            (Some(_), ETX) => {
                self.checking = true;
                None
            }
            (Some(body), _) if body.len() > REPORT_CHARS => {
                self.body = None;
                Some(Signal::Broken)
            }
            (Some(body), byte) => {
                body.push(byte);
                None
            }
        }
    }

    /// Whether a message has begun and is not complete.
    pub fn is_partial(&self) -> bool {
        self.body.is_some()
    }

    /// Forgets a message that will not be completed.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}
