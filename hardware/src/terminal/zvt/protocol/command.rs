//! Messages of the till (ECR to terminal), PA00P015 chapter 2.

use super::apdu::Apdu;
use super::bcd;
use super::fields::{Field, Fields};
use super::{CodecError, tlv};
use crate::terminal::types::{Amount, Currency};

/// Six-digit terminal password, three bytes of packed digits.
pub type Password = [u8; 3];

/// Config byte bits of the registration (PA00P015 2.1).
pub mod config_byte {
    /// The till prints payment receipts.
    pub const TILL_PRINTS_PAYMENTS: u8 = 0x02;
    /// The till prints administration receipts.
    pub const TILL_PRINTS_ADMINISTRATION: u8 = 0x04;
    /// The terminal reports what it is doing (`04 FF`).
    pub const INTERMEDIATE_STATUS: u8 = 0x08;
    /// No payment may be started on the terminal itself.
    pub const NO_PAYMENT_ON_TERMINAL: u8 = 0x10;
    /// No administration may be started on the terminal itself.
    pub const NO_ADMINISTRATION_ON_TERMINAL: u8 = 0x20;
    /// Receipts come as print lines, each of which is a commit point of its own (2.2.8).
    pub const RECEIPT_LINES: u8 = 0x80;
    /// What the driver registers with: everything but print lines, so that the answer to the
    /// status information is the only commit point.
    pub const ONE_COMMIT_POINT: u8 = 0x3E;
}

/// Reads a password of six digits; `None` if it is anything else.
pub fn password(digits: &str) -> Option<Password> {
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse().ok()?;
    bcd::pack(value, 3).ok()?.try_into().ok()
}

/// Registration `06 00`: password, config byte, currency, then `extra` fields (service byte, TLV).
pub fn registration(
    password: Password,
    config: u8,
    currency: Currency,
    extra: &Fields,
) -> Result<Apdu, CodecError> {
    let mut data = password.to_vec();
    data.push(config);
    data.extend(bcd::pack(u64::from(currency.0), 2)?);
    data.extend(extra.encode()?);
    Ok(Apdu::new(0x06, 0x00, data))
}

/// Authorisation `06 01`. `before` are fields that come first (goods-issue timeout), `after` those
/// that follow (an empty TLV container asks the terminal for TLV answers).
pub fn authorisation(amount: Amount, before: &Fields, after: &Fields) -> Result<Apdu, CodecError> {
    let mut data = before.encode()?;
    data.extend(amount_fields(amount)?);
    data.extend(after.encode()?);
    Ok(Apdu::new(0x06, 0x01, data))
}

/// Fields 01 and 02: how long the terminal waits for the goods, and how often it asks after a
/// hold (`84 9C`), at most 99 times.
pub fn goods_issue(timeout_seconds: u8, max_requests: u8) -> Fields {
    Fields {
        list: vec![
            Field::new(0x01, [timeout_seconds]),
            Field::new(0x02, [max_requests]),
        ],
        rest: Vec::new(),
    }
}

/// Repeat receipt `06 20` with service byte 03: send the last transaction's status information,
/// print nothing.
pub fn repeat_receipt(password: Password) -> Apdu {
    let mut data = password.to_vec();
    data.extend([0x03, 0x03]);
    Apdu::new(0x06, 0x20, data)
}

/// Reversal `06 30` of a receipt number (0 to 9999).
pub fn reversal(password: Password, receipt_number: u16) -> Result<Apdu, CodecError> {
    let mut data = password.to_vec();
    data.push(0x87);
    data.extend(bcd::pack(u64::from(receipt_number), 2)?);
    Ok(Apdu::new(0x06, 0x30, data))
}

/// Refund `06 31`.
pub fn refund(password: Password, amount: Amount) -> Result<Apdu, CodecError> {
    let mut data = password.to_vec();
    data.extend(amount_fields(amount)?);
    Ok(Apdu::new(0x06, 0x31, data))
}

/// End of day `06 50`.
pub fn end_of_day(password: Password) -> Apdu {
    Apdu::new(0x06, 0x50, password)
}

/// Status enquiry `05 01`.
pub fn status_enquiry(password: Password) -> Apdu {
    Apdu::new(0x05, 0x01, password)
}

/// Diagnosis `06 70`.
pub fn diagnosis() -> Apdu {
    Apdu::new(0x06, 0x70, [])
}

/// Log-off `06 02`. Sets the config byte back to 86, so the next use must register again.
pub fn log_off() -> Apdu {
    Apdu::new(0x06, 0x02, [])
}

/// Abort `06 B0`.
pub fn abort() -> Apdu {
    Apdu::new(0x06, 0xB0, [])
}

/// The TLV that tells the terminal which messages the till understands (tag 26, 0A per command).
pub fn allowed_commands(commands: &[u16]) -> Result<Field, CodecError> {
    let mut inner = Vec::new();
    for command in commands {
        inner.extend([0x0A, 0x02]);
        inner.extend(command.to_be_bytes());
    }
    let mut value = vec![0x26];
    tlv::encode_length(inner.len(), &mut value)?;
    value.extend(inner);
    Ok(Field::new(0x06, value))
}

fn amount_fields(amount: Amount) -> Result<Vec<u8>, CodecError> {
    let mut data = vec![0x04];
    data.extend(bcd::pack(amount.minor, 6)?);
    data.push(0x49);
    data.extend(bcd::pack(u64::from(amount.currency.0), 2)?);
    Ok(data)
}
