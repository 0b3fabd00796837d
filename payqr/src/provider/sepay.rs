//! SePay: webhooks of bank transactions and the list of them (API v2).
//!
//! Forms from SePay's developer documentation (developer.sepay.vn, webhooks and
//! API v2). SePay creates nothing and enforces nothing: the shop makes the
//! VietQR code, and a transfer is told as the bank reports it, with any amount
//! and any text. The webhook numbers transactions, the list names them by UUID;
//! what both have is the bank's reference.
//!
//! `GET https://userapi.sepay.vn/v2/transactions?since_id=UUID&transaction_date_sort=asc`
//! with `Authorization: Bearer …` gives a [`TransactionPage`]; at most 3
//! requests a second from one address, then 429 with `Retry-After`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::credit::{Credit, Currency, NotACredit, Provider};
use super::json;
use super::signature::{self, Reject, Secret};
use super::time::{self, VIETNAM_OFFSET_MINUTES};

/// Header with the unix second of signing.
pub const HEADER_TIMESTAMP: &str = "X-SePay-Timestamp";
/// Header with `sha256=` and the signature.
pub const HEADER_SIGNATURE: &str = "X-SePay-Signature";
/// How far the time of signing may be from now, either way, seconds.
pub const TOLERANCE_S: i64 = 300;
/// Minutes after a transaction at which its webhook is tried, until one answer
/// is HTTP 2xx. After the last it is `Failed` and only the list tells of it.
pub const DELIVERY_MINUTES: [u64; 8] = [0, 1, 2, 4, 7, 12, 20, 33];
/// What a webhook must be answered with, beside HTTP 200.
pub const ACCEPTED: &str = r#"{"success":true}"#;
/// Requests a second from one address.
pub const REQUESTS_PER_SECOND: u32 = 3;
/// Most rows of one page.
pub const PAGE_ROWS_MAX: u32 = 100;

/// How the portal is set to prove a webhook. `None` of the portal is not
/// offered here: a webhook anybody can send is worth nothing.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Timestamp and signature over it and the raw body.
    Signature(Secret),
    /// `Authorization: Apikey …`.
    ApiKey(Secret),
}

/// The headers of a webhook that prove it; `None` where absent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Headers<'a> {
    /// [`HEADER_TIMESTAMP`].
    pub timestamp: Option<&'a str>,
    /// [`HEADER_SIGNATURE`].
    pub signature: Option<&'a str>,
    /// `Authorization`.
    pub authorization: Option<&'a str>,
}

/// A transaction as the webhook tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// SePay's number of the transaction.
    pub id: u64,
    /// Name of the bank.
    pub gateway: String,
    /// The bank's time in Vietnam.
    pub transaction_date: String,
    /// Account of the shop.
    pub account_number: String,
    /// Payment code that SePay itself found in the text.
    #[serde(default)]
    pub code: Option<String>,
    /// Text of the transfer.
    #[serde(default)]
    pub content: String,
    /// Direction.
    pub transfer_type: TransferType,
    /// Amount in đồng.
    #[serde(deserialize_with = "whole_dong")]
    pub transfer_amount: i64,
    /// Balance after it, đồng.
    #[serde(default, deserialize_with = "whole_dong_or_zero")]
    pub accumulated: i64,
    /// Virtual account it was sent to.
    #[serde(default)]
    pub sub_account: Option<String>,
    /// The bank's reference.
    #[serde(default)]
    pub reference_code: Option<String>,
    /// The bank's whole message.
    #[serde(default)]
    pub description: Option<String>,
}

/// Direction of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TransferType {
    /// Into the account.
    In,
    /// Out of the account.
    Out,
}

/// The text that is signed: second of signing, a point, the body's bytes.
fn signed_bytes(timestamp: &str, raw: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b".", raw].concat()
}

/// SePay's side: the value of [`HEADER_SIGNATURE`].
#[must_use]
pub fn sign(secret: &Secret, timestamp_s: i64, raw: &[u8]) -> String {
    let signed = signed_bytes(&timestamp_s.to_string(), raw);
    format!("sha256={}", signature::sign(secret, &signed))
}

/// Reads a webhook from its raw bytes and headers. `now_s` is the unix second
/// of its arrival.
///
/// # Errors
/// Not proven, stale, or unreadable. The proof is checked before the body is
/// looked at.
pub fn read_webhook(
    raw: &[u8],
    headers: Headers<'_>,
    auth: &Auth,
    now_s: i64,
) -> Result<Webhook, Reject> {
    let text = json::body(raw)?;
    match auth {
        Auth::Signature(secret) => check_signature(secret, headers, raw, now_s)?,
        Auth::ApiKey(key) => check_api_key(key, headers.authorization)?,
    }
    json::typed(text)
}

fn check_signature(
    secret: &Secret,
    headers: Headers<'_>,
    raw: &[u8],
    now_s: i64,
) -> Result<(), Reject> {
    let missing = |place| Reject::SignatureMissing { place };
    let timestamp = headers.timestamp.ok_or(missing(HEADER_TIMESTAMP))?;
    let signature = headers.signature.ok_or(missing(HEADER_SIGNATURE))?;
    let signature = signature
        .strip_prefix("sha256=")
        .ok_or(Reject::SignatureWrong)?;
    let plain = !timestamp.is_empty() && timestamp.bytes().all(|byte| byte.is_ascii_digit());
    let signed_s: Option<i64> = timestamp.parse().ok().filter(|_| plain);
    let signed_s = signed_s.ok_or(Reject::TimestampMalformed)?;
    signature::verify(secret, &signed_bytes(timestamp, raw), signature)?;
    let age_s = now_s.saturating_sub(signed_s);
    if age_s.saturating_abs() > TOLERANCE_S {
        return Err(Reject::Stale {
            age_s,
            limit_s: TOLERANCE_S,
        });
    }
    Ok(())
}

fn check_api_key(key: &Secret, authorization: Option<&str>) -> Result<(), Reject> {
    if key.is_empty() {
        return Err(Reject::NoKey);
    }
    let sent = authorization.and_then(|header| header.strip_prefix("Apikey "));
    match sent {
        Some(sent) if key.matches(sent) => Ok(()),
        _ => Err(Reject::ApiKeyWrong),
    }
}

/// One page of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionPage {
    /// `success`.
    #[serde(default)]
    pub status: String,
    /// The rows, oldest first when asked with `transaction_date_sort=asc`.
    pub data: Vec<Row>,
    /// How many there are.
    #[serde(default)]
    pub meta: Meta,
}

/// What stands beside the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Meta {
    /// Paging.
    #[serde(default)]
    pub pagination: Pagination,
}

/// Paging of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pagination {
    /// Rows in all.
    pub total: u64,
    /// Rows of a page.
    pub per_page: u32,
    /// This page, from 1.
    pub current_page: u32,
    /// The last page.
    pub last_page: u32,
    /// Whether more follow.
    pub has_more: bool,
}

/// A transaction as the list tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// SePay's UUID of the transaction; the cursor of the next question.
    pub id: String,
    /// The bank's time in Vietnam.
    pub transaction_date: String,
    /// Account of the shop.
    pub account_number: String,
    /// Virtual account it was sent to; empty when none.
    #[serde(default)]
    pub va: Option<String>,
    /// Direction.
    pub transfer_type: TransferType,
    /// Amount in, đồng.
    #[serde(default, deserialize_with = "whole_dong_or_zero")]
    pub amount_in: i64,
    /// Amount out, đồng.
    #[serde(default, deserialize_with = "whole_dong_or_zero")]
    pub amount_out: i64,
    /// Balance after it, đồng.
    #[serde(default, deserialize_with = "whole_dong_or_zero")]
    pub accumulated: i64,
    /// Text of the transfer.
    #[serde(default)]
    pub transaction_content: String,
    /// The bank's reference.
    #[serde(default)]
    pub reference_number: Option<String>,
    /// Payment code that SePay itself found in the text.
    #[serde(default)]
    pub code: Option<String>,
    /// Name of the bank.
    #[serde(default)]
    pub bank_brand_name: String,
    /// SePay's UUID of the account.
    #[serde(default)]
    pub bank_account_id: Option<String>,
    /// SePay's UUID of the virtual account.
    #[serde(default)]
    pub va_id: Option<String>,
    /// Webhooks of it that were answered with success; 0 finds the missed ones.
    #[serde(default)]
    pub webhook_success: u32,
}

/// What SePay answers instead of rows. It says nothing about money.
#[derive(Debug, Clone, PartialEq, Eq, Error, Deserialize)]
#[error("SePay answers {error_code}: {message}")]
pub struct Refusal {
    /// Its code.
    #[serde(default)]
    pub error_code: String,
    /// In words.
    #[serde(default)]
    pub message: String,
}

/// Reads a page of the list (HTTP 200).
///
/// # Errors
/// An unreadable body.
pub fn read_page(raw: &[u8]) -> Result<TransactionPage, Reject> {
    json::typed(json::body(raw)?)
}

impl Webhook {
    /// The credit this is for one of the shop's accounts.
    ///
    /// # Errors
    /// Money out, another account, or no amount.
    pub fn credit(&self, accounts: &[String]) -> Result<Credit, NotACredit> {
        Told {
            date: &self.transaction_date,
            account: &self.account_number,
            virtual_account: self.sub_account.as_deref(),
            transfer_type: self.transfer_type,
            amount: self.transfer_amount,
            content: &self.content,
            reference: self.reference_code.as_deref(),
            code: self.code.as_deref(),
        }
        .credit(accounts)
    }
}

impl Row {
    /// The credit this is for one of the shop's accounts; equal to the one of
    /// the webhook of the same transaction.
    ///
    /// # Errors
    /// Money out, another account, or no amount.
    pub fn credit(&self, accounts: &[String]) -> Result<Credit, NotACredit> {
        Told {
            date: &self.transaction_date,
            account: &self.account_number,
            virtual_account: self.va.as_deref(),
            transfer_type: self.transfer_type,
            amount: self.amount_in,
            content: &self.transaction_content,
            reference: self.reference_number.as_deref(),
            code: self.code.as_deref(),
        }
        .credit(accounts)
    }
}

/// What webhook and list have in common.
struct Told<'a> {
    date: &'a str,
    account: &'a str,
    virtual_account: Option<&'a str>,
    transfer_type: TransferType,
    amount: i64,
    content: &'a str,
    reference: Option<&'a str>,
    code: Option<&'a str>,
}

impl Told<'_> {
    fn credit(&self, accounts: &[String]) -> Result<Credit, NotACredit> {
        if self.transfer_type != TransferType::In {
            return Err(NotACredit::MoneyOut);
        }
        let ours = |account: &str| accounts.iter().any(|known| known == account);
        if !ours(self.account) && !self.virtual_account.is_some_and(ours) {
            return Err(NotACredit::ForeignAccount);
        }
        if self.amount <= 0 {
            return Err(NotACredit::NotPositive {
                amount_minor: self.amount,
            });
        }
        let named = self.reference.filter(|text| !text.trim().is_empty());
        let code = self.code.filter(|text| !text.trim().is_empty());
        Ok(Credit {
            provider: Provider::SePay,
            reference: named.map_or_else(|| self.fingerprint(), str::to_owned),
            reference_is_derived: named.is_none(),
            account: self.account.to_owned(),
            amount_minor: self.amount,
            currency: Currency::Vnd,
            memo: self.content.to_owned(),
            provider_order: code.map(str::to_owned),
            bank_time_ms: time::parse(self.date, VIETNAM_OFFSET_MINUTES),
        })
    }

    /// Stands in for a reference the bank did not give: webhook and list of one
    /// transaction have these four values alike.
    fn fingerprint(&self) -> String {
        let amount = self.amount.to_string();
        let parts = [self.account, self.date, &amount, self.content];
        let digest = Sha256::digest(parts.join("\n"));
        let hex = digest.iter().take(16).map(|byte| format!("{byte:02x}"));
        format!("derived-{}", hex.collect::<String>())
    }
}

/// A whole amount, written as number or text, with zeros after the point at
/// most (`2277000`, `"2277000.00"`).
fn whole_dong<'de, D: Deserializer<'de>>(reader: D) -> Result<i64, D::Error> {
    let raw = Box::<RawValue>::deserialize(reader)?;
    let dong = dong_of(raw.get());
    dong.ok_or_else(|| serde::de::Error::custom("an amount is not a whole number of đồng"))
}

fn whole_dong_or_zero<'de, D: Deserializer<'de>>(reader: D) -> Result<i64, D::Error> {
    let raw = Box::<RawValue>::deserialize(reader)?;
    let dong = match raw.get() {
        "null" | "\"\"" => Some(0),
        text => dong_of(text),
    };
    dong.ok_or_else(|| serde::de::Error::custom("an amount is not a whole number of đồng"))
}

fn dong_of(json: &str) -> Option<i64> {
    let quoted = json
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    let text = quoted.unwrap_or(json);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let zeros = fraction.bytes().all(|byte| byte == b'0');
    whole.parse().ok().filter(|_| zeros)
}
