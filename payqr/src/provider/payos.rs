//! payOS payment requests (`https://api-merchant.payos.vn`, API v2).
//!
//! Forms and signature rules as the official Node SDK 2.0.5 and Python SDK
//! 1.1.0 make and check them, with three differences, all towards refusing:
//! an answer without signature is refused (the Node SDK takes it), so is a
//! value the signature does not protect (objects, and lists of anything but
//! objects, which the two SDKs sign differently), and so is a text that
//! imitates signed fields.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /v2/payment-requests` | [`CreateRequest`] | [`Created`] |
//! | `GET /v2/payment-requests/{id or order code}` | | [`PaymentRequest`] |
//! | `POST /v2/payment-requests/{id or order code}/cancel` | [`CancelRequest`] | [`PaymentRequest`] |
//! | `POST /confirm-webhook` | [`ConfirmWebhook`] | [`ConfirmedWebhook`], unsigned |
//!
//! Headers are [`HEADER_CLIENT_ID`] and [`HEADER_API_KEY`]. Errors come as HTTP
//! 200 with a code other than `00`. The order code is the only key that makes a
//! request idempotent: after a lost answer ask for it before creating again.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

use super::credit::{Credit, Currency, NotACredit, Provider};
use super::json::{self, Json};
use super::signature::{self, Reject, Secret};
use super::time::{self, VIETNAM_OFFSET_MINUTES};
use crate::error::EncodeError;
use crate::memo::{self, MemoRule};
use crate::order_code::OrderCode;

/// Where the shop's client id goes.
pub const HEADER_CLIENT_ID: &str = "x-client-id";
/// Where the API key goes.
pub const HEADER_API_KEY: &str = "x-api-key";
/// The code of success.
pub const SUCCESS: &str = "00";

/// A request for a payment link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateRequest {
    /// The shop's number for the order, at most 2^53 - 1.
    pub order_code: u64,
    /// Amount in đồng.
    pub amount: i64,
    /// Text of the transfer, at most nine characters for accounts that are not
    /// linked through payOS.
    pub description: String,
    /// Where a browser goes after a cancel.
    pub cancel_url: String,
    /// Where a browser goes after payment.
    pub return_url: String,
    /// Unix second after which the link is `EXPIRED`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_at: Option<i64>,
    /// Signature over five of the fields; see [`CreateRequest::signed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

impl CreateRequest {
    /// A request for one order, with its code as the transfer's text. `page` is
    /// the address payOS asks for and a kiosk never opens.
    ///
    /// # Errors
    /// An amount of zero or less.
    pub fn new(order: OrderCode, amount_dong: i64, page: &str) -> Result<Self, EncodeError> {
        let request = Self {
            order_code: order.to_integer(),
            amount: amount_dong,
            description: order.to_string(),
            cancel_url: page.to_owned(),
            return_url: page.to_owned(),
            expired_at: None,
            signature: None,
        };
        request.check()?;
        Ok(request)
    }

    /// Checks what payOS would refuse.
    ///
    /// # Errors
    /// An amount of zero or less, an order code that JavaScript cannot hold,
    /// or a description that is too long or has accents.
    pub fn check(&self) -> Result<(), EncodeError> {
        let wrong = |field, found: String, expected| EncodeError::Value {
            field,
            found,
            expected,
        };
        if self.amount <= 0 {
            let found = self.amount.to_string();
            return Err(wrong("amount", found, "above zero"));
        }
        if self.order_code == 0 || self.order_code > (1 << 53) - 1 {
            let found = self.order_code.to_string();
            return Err(wrong("orderCode", found, "1 to 9007199254740991"));
        }
        memo::check("description", &self.description, MemoRule::PAYOS)
    }

    /// The text payOS signs: five fields in the order of the alphabet.
    fn signed_text(&self) -> String {
        format!(
            "amount={}&cancelUrl={}&description={}&orderCode={}&returnUrl={}",
            self.amount, self.cancel_url, self.description, self.order_code, self.return_url
        )
    }

    /// The request with its signature.
    #[must_use]
    pub fn signed(mut self, checksum_key: &Secret) -> Self {
        self.signature = Some(signature::sign(checksum_key, self.signed_text().as_bytes()));
        self
    }

    /// Checks the signature the way payOS does.
    ///
    /// # Errors
    /// Missing or wrong.
    pub fn verify(&self, checksum_key: &Secret) -> Result<(), Reject> {
        let signature = self.signature.as_deref();
        let signature = signature.ok_or(Reject::SignatureMissing { place: "signature" })?;
        signature::verify(checksum_key, self.signed_text().as_bytes(), signature)
    }
}

/// The new payment link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// BIN of the bank to pay to.
    pub bin: String,
    /// Account to pay to; may be a virtual one for this order alone.
    pub account_number: String,
    /// Its holder.
    pub account_name: String,
    /// Amount in đồng.
    pub amount: i64,
    /// Text the transfer must carry; payOS may have put letters before it.
    pub description: String,
    /// As asked.
    pub order_code: u64,
    /// `VND`.
    pub currency: String,
    /// payOS' own id of the request.
    pub payment_link_id: String,
    /// State, `PENDING` when new.
    pub status: Status,
    /// Unix second of expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expired_at: Option<i64>,
    /// Page with the code for a browser.
    pub checkout_url: String,
    /// VietQR text to draw.
    pub qr_code: String,
}

/// State of a payment request. `EXPIRED` and `CANCELLED` say what payOS shows;
/// money may still arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Status {
    /// Nothing has arrived.
    Pending,
    /// Being worked on.
    Processing,
    /// All of it has arrived.
    Paid,
    /// Less has arrived.
    Underpaid,
    /// Cancelled by the shop or the shopper.
    Cancelled,
    /// Its time is over.
    Expired,
    /// Failed.
    Failed,
    /// A state this program does not know.
    #[serde(other)]
    Unknown,
}

/// A payment request with what has arrived for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PaymentRequest {
    /// payOS' own id.
    pub id: String,
    /// The shop's number.
    pub order_code: u64,
    /// Amount asked for, đồng.
    pub amount: i64,
    /// Amount arrived, đồng.
    pub amount_paid: i64,
    /// Amount missing, đồng.
    pub amount_remaining: i64,
    /// State.
    pub status: Status,
    /// When it was made.
    pub created_at: String,
    /// What has arrived.
    pub transactions: Vec<Transaction>,
    /// Why it was cancelled.
    pub cancellation_reason: Option<String>,
    /// When it was cancelled.
    pub canceled_at: Option<String>,
}

/// A transfer that arrived for a request. Fields about the payer are not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Transaction {
    /// The bank's reference.
    pub reference: String,
    /// Amount in đồng.
    pub amount: i64,
    /// Account of the shop.
    pub account_number: String,
    /// Text of the transfer.
    pub description: String,
    /// The bank's time in Vietnam.
    pub transaction_date_time: String,
    /// Virtual account it was sent to.
    #[serde(default)]
    pub virtual_account_number: Option<String>,
}

impl PaymentRequest {
    /// What has arrived, each transfer as a credit or as the reason why not.
    pub fn credits(&self, accounts: &[String]) -> Vec<Result<Credit, NotACredit>> {
        let credit = |transfer: &Transaction| arrived(transfer, self.order_code, "VND", accounts);
        self.transactions.iter().map(credit).collect()
    }
}

fn arrived(
    transfer: &Transaction,
    order_code: u64,
    currency: &str,
    accounts: &[String],
) -> Result<Credit, NotACredit> {
    let virtual_account = transfer.virtual_account_number.as_ref();
    let ours = |account: &String| accounts.contains(account);
    if !ours(&transfer.account_number) && !virtual_account.is_some_and(ours) {
        return Err(NotACredit::ForeignAccount);
    }
    if currency != Currency::Vnd.code() {
        return Err(NotACredit::OtherCurrency {
            currency: currency.chars().take(8).collect(),
            expected: Currency::Vnd,
        });
    }
    if transfer.amount <= 0 {
        return Err(NotACredit::NotPositive {
            amount_minor: transfer.amount,
        });
    }
    Ok(Credit {
        provider: Provider::PayOs,
        reference: transfer.reference.clone(),
        reference_is_derived: false,
        account: transfer.account_number.clone(),
        amount_minor: transfer.amount,
        currency: Currency::Vnd,
        memo: transfer.description.clone(),
        provider_order: Some(order_code.to_string()),
        bank_time_ms: time::parse(&transfer.transaction_date_time, VIETNAM_OFFSET_MINUTES),
    })
}

/// Body of a cancel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CancelRequest {
    /// Why, for the portal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancellation_reason: Option<String>,
}

/// Asks payOS to send webhooks to an address, which it tries at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmWebhook {
    /// Address of the relay.
    pub webhook_url: String,
}

/// payOS took the address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfirmedWebhook {
    /// As asked.
    pub webhook_url: String,
    /// Account of the channel.
    pub account_number: String,
    /// Its holder.
    pub account_name: String,
    /// Name of the channel.
    pub name: String,
    /// Short name of the bank.
    pub short_name: String,
}

/// What payOS answers instead of data. It is not signed and says nothing about
/// money: ask for the order code before believing that there is no request.
#[derive(Debug, Clone, PartialEq, Eq, Error, Deserialize)]
#[error("payOS answers code {code}: {desc}")]
pub struct Refusal {
    /// `20` wrong data, `201` wrong signature, `231` order code exists; others.
    pub code: String,
    /// In words.
    #[serde(default)]
    pub desc: String,
}

/// Why an answer gives no data.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AnswerError {
    /// payOS refuses the request.
    #[error(transparent)]
    Refused(Refusal),
    /// Not proven to be payOS' answer.
    #[error(transparent)]
    Untrusted(#[from] Reject),
}

/// Reads an answer whose `data` is signed: [`Created`] or [`PaymentRequest`].
///
/// # Errors
/// A refusal by payOS, or an answer without right signature.
pub fn read_answer<T: DeserializeOwned>(
    raw: &[u8],
    checksum_key: &Secret,
) -> Result<T, AnswerError> {
    let envelope = json::members(json::body(raw)?)?;
    let code = envelope.string("code");
    let code = code.ok_or_else(|| Reject::malformed("code is missing"))?;
    if code != SUCCESS {
        let desc = envelope.string("desc").unwrap_or_default();
        return Err(AnswerError::Refused(Refusal { code, desc }));
    }
    let data = signed_data(&envelope, checksum_key)?;
    Ok(json::typed(data)?)
}

/// Reads the answer to [`ConfirmWebhook`], which payOS does not sign.
///
/// # Errors
/// A refusal by payOS, or an unreadable answer.
pub fn read_confirmed(raw: &[u8]) -> Result<ConfirmedWebhook, AnswerError> {
    let envelope = json::members(json::body(raw)?)?;
    let code = envelope.string("code").unwrap_or_default();
    match envelope.text_of("data") {
        Some(data) if code == SUCCESS => Ok(json::typed(data)?),
        _ => {
            let desc = envelope.string("desc").unwrap_or_default();
            Err(AnswerError::Refused(Refusal { code, desc }))
        }
    }
}

/// What a webhook tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookData {
    /// The shop's number of the order.
    pub order_code: u64,
    /// `VND`.
    pub currency: String,
    /// payOS' own id of the request.
    pub payment_link_id: String,
    /// `00` for a payment. The envelope has a code too, which is not signed
    /// and not read.
    pub code: String,
    /// In words.
    pub desc: String,
    /// The transfer.
    #[serde(flatten)]
    pub transaction: Transaction,
}

impl WebhookData {
    /// The credit this is for one of the shop's accounts.
    ///
    /// # Errors
    /// Not a payment, another account or currency, or no amount.
    pub fn credit(&self, accounts: &[String]) -> Result<Credit, NotACredit> {
        if self.code != SUCCESS {
            return Err(NotACredit::NotPaid {
                code: self.code.chars().take(8).collect(),
            });
        }
        arrived(&self.transaction, self.order_code, &self.currency, accounts)
    }
}

/// Reads a webhook from its raw bytes. Answer any HTTP 2xx once the credit is
/// durable. payOS tries an address with a made-up order when it is confirmed:
/// that has a right signature and an order code that is not ours.
///
/// # Errors
/// Missing or wrong signature, or an unreadable body.
pub fn read_webhook(raw: &[u8], checksum_key: &Secret) -> Result<WebhookData, Reject> {
    let envelope = json::members(json::body(raw)?)?;
    json::typed(signed_data(&envelope, checksum_key)?)
}

/// The text of `data` after its signature was found right.
fn signed_data<'a>(envelope: &json::Members<'a>, key: &Secret) -> Result<&'a str, Reject> {
    let data = envelope.text_of("data");
    let data = data.ok_or_else(|| Reject::malformed("data is missing"))?;
    check_data(data, envelope.string("signature").as_deref(), key)?;
    Ok(data)
}

/// Checks the signature of a `data` member, given as the JSON text it was in.
///
/// # Errors
/// Missing, wrong, or not covering all of the data.
pub fn check_data(data: &str, signature: Option<&str>, key: &Secret) -> Result<(), Reject> {
    let signature = signature.filter(|text| !text.is_empty());
    let signature = signature.ok_or(Reject::SignatureMissing { place: "signature" })?;
    let text = signed_text(data)?;
    signature::verify(key, text.as_bytes(), signature)?;
    refuse_imitation(data)
}

/// The text over which `data` is signed: `key=value` in the order of the keys'
/// UTF-16 units, joined by `&`; `null` and the words `null` and `undefined` are
/// empty; a list is JSON with the keys of its objects in order.
fn signed_text(data: &str) -> Result<String, Reject> {
    let mut members = match json::read(data)? {
        Json::Object(members) => members,
        _ => return Err(Reject::malformed("data is not an object")),
    };
    sort(&mut members);
    let mut text = String::new();
    for (key, value) in members {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(&key);
        text.push('=');
        match value {
            Json::Null => {}
            Json::Bool(yes) => text.push_str(if yes { "true" } else { "false" }),
            Json::Number(number) => text.push_str(&number),
            Json::Text(word) if word == "null" || word == "undefined" => {}
            Json::Text(word) => text.push_str(&word),
            Json::List(items) => list_text(items, &key, &mut text)?,
            Json::Object(_) => return Err(Reject::NotCovered { field: key }),
        }
    }
    Ok(text)
}

fn list_text(items: Vec<Json>, key: &str, text: &mut String) -> Result<(), Reject> {
    let sorted = items.into_iter().map(|item| match item {
        Json::Object(mut members) => {
            sort(&mut members);
            Ok(Json::Object(members))
        }
        _ => Err(Reject::NotCovered {
            field: key.to_owned(),
        }),
    });
    json::write(&Json::List(sorted.collect::<Result<_, _>>()?), text);
    Ok(())
}

fn sort(members: &mut [(String, Json)]) {
    members.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
}

/// The signed text has no quotes, so a memo `x&orderCode=5` reads like a field.
/// Whoever sees one such webhook could split it anew into another payment with
/// the same signature. No honest text has that form.
fn refuse_imitation(data: &str) -> Result<(), Reject> {
    let Json::Object(members) = json::read(data)? else {
        return Ok(());
    };
    for (field, value) in &members {
        let Json::Text(text) = value else { continue };
        let imitates = |(key, _): &(String, Json)| text.contains(&format!("&{key}="));
        if members.iter().any(imitates) {
            return Err(Reject::Imitation {
                field: field.clone(),
            });
        }
    }
    Ok(())
}

/// payOS' side: an answer or webhook around `data`, signed. `extra` are members
/// of the envelope beside code, desc, data and signature.
///
/// # Errors
/// `data` that the signature rule does not cover.
pub fn write_signed<T: Serialize>(
    data: &T,
    is_webhook: bool,
    checksum_key: &Secret,
) -> Result<Vec<u8>, Reject> {
    #[derive(Serialize)]
    struct Envelope {
        code: &'static str,
        desc: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        success: Option<bool>,
        data: Box<RawValue>,
        signature: String,
    }
    let unwritable = |_| Reject::malformed("data cannot be written as JSON");
    let data = serde_json::to_string(data).map_err(unwritable)?;
    let signature = signature::sign(checksum_key, signed_text(&data)?.as_bytes());
    let envelope = Envelope {
        code: SUCCESS,
        desc: "success",
        success: is_webhook.then_some(true),
        data: RawValue::from_string(data).map_err(unwritable)?,
        signature,
    };
    serde_json::to_vec(&envelope).map_err(unwritable)
}

/// payOS' side: a refusal, which has neither data nor signature.
#[must_use]
pub fn write_refusal(refusal: &Refusal) -> Vec<u8> {
    let body = serde_json::json!({"code": refusal.code, "desc": refusal.desc, "data": null});
    body.to_string().into_bytes()
}
