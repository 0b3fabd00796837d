//! Pix: immediate charges (`cob`), their payments, refunds and webhooks.
//!
//! Forms from BACEN's Pix API 2.9.0 (github.com/bacen/pix-api). A webhook has no
//! signature; the connection is proven by mutual TLS, so treat one as a hint and
//! ask `GET /cob/{txid}` before a credit is believed. A charge is matched by
//! receiver key *and* txid, because a payer can make a static code with any
//! txid. "Expired" is no state of a charge: it is computed, and an expired
//! charge that stays `ATIVA` may still be paid.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

use super::credit::{Credit, Currency, NotACredit, Provider};
use super::json;
use super::signature::Reject;
use super::time;
use crate::order_code::{ORDER_CODE_LEN, OrderCode};

/// Shortest txid of a dynamic code; 35 is the longest.
const TXID_LEN: usize = 26;

/// The txid of an order: its code, then zeros to the shortest length a dynamic
/// code may have (`[a-zA-Z0-9]{26,35}`).
#[must_use]
pub fn txid(order: OrderCode) -> String {
    format!(
        "{order:0<width$}",
        order = order.to_string(),
        width = TXID_LEN
    )
}

/// The order of a [`txid`]; `None` for any other.
#[must_use]
pub fn order_of(txid: &str) -> Option<OrderCode> {
    let (code, zeros) = txid.split_at_checked(ORDER_CODE_LEN)?;
    let ours = txid.len() == TXID_LEN && zeros.bytes().all(|byte| byte == b'0');
    code.parse().ok().filter(|_| ours)
}

/// An amount in centavos, written `37.00` (`\d{1,10}\.\d{2}`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reais(pub i64);

impl fmt::Display for Reais {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let centavos = self.0.unsigned_abs();
        let sign = if self.0 < 0 { "-" } else { "" };
        write!(f, "{sign}{}.{:02}", centavos / 100, centavos % 100)
    }
}

impl std::str::FromStr for Reais {
    type Err = Reject;

    fn from_str(text: &str) -> Result<Self, Reject> {
        let wrong = || Reject::malformed("an amount is not of the form 37.00");
        let digits = |text: &str, lengths: std::ops::RangeInclusive<usize>| {
            let fits = lengths.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<i64>().ok().filter(|_| fits)
        };
        let (whole, cents) = text.split_once('.').ok_or_else(wrong)?;
        let whole = digits(whole, 1..=10).ok_or_else(wrong)?;
        let cents = digits(cents, 2..=2).ok_or_else(wrong)?;
        Ok(Self(whole * 100 + cents))
    }
}

impl Serialize for Reais {
    fn serialize<S: Serializer>(&self, writer: S) -> Result<S::Ok, S::Error> {
        writer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Reais {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        let text = String::deserialize(reader)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// `PUT /cob/{txid}`. On a charge that is `ATIVA` it may revise it, and
/// providers differ there: ask for the charge first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeRequest {
    /// How long it is to be paid.
    #[serde(rename = "calendario", default)]
    pub calendar: RequestCalendar,
    /// Amount.
    #[serde(rename = "valor")]
    pub value: Value,
    /// Key of the receiver.
    #[serde(rename = "chave")]
    pub key: String,
    /// Text for the payer, at most 140 characters.
    #[serde(
        rename = "solicitacaoPagador",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub payer_note: Option<String>,
}

impl ChargeRequest {
    /// A charge of a fixed amount.
    #[must_use]
    pub fn new(key: &str, amount: Reais, expires_after_s: u32) -> Self {
        Self {
            calendar: RequestCalendar {
                expires_after_s: Some(expires_after_s),
            },
            value: Value {
                original: amount,
                modality: Some(0),
            },
            key: key.to_owned(),
            payer_note: None,
        }
    }
}

/// Time limit of a new charge.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestCalendar {
    /// Seconds; 86,400 when absent.
    #[serde(rename = "expiracao", default, skip_serializing_if = "Option::is_none")]
    pub expires_after_s: Option<u32>,
}

/// Amount of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// Amount.
    pub original: Reais,
    /// 0 fixed; 1 the payer may change it.
    #[serde(
        rename = "modalidadeAlteracao",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub modality: Option<u8>,
}

/// State of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ChargeStatus {
    /// To be paid, also after its time limit.
    #[serde(rename = "ATIVA")]
    Active,
    /// Paid.
    #[serde(rename = "CONCLUIDA")]
    Completed,
    /// Withdrawn by the shop.
    #[serde(
        rename = "REMOVIDA_PELO_USUARIO_RECEBEDOR",
        alias = "REMOVIDO_PELO_USUARIO_RECEBEDOR"
    )]
    RemovedByReceiver,
    /// Withdrawn by the provider.
    #[serde(rename = "REMOVIDA_PELO_PSP", alias = "REMOVIDO_PELO_PSP")]
    RemovedByProvider,
    /// A state this program does not know.
    #[serde(other)]
    Unknown,
}

/// A charge as the provider tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// When it was made and how long it is to be paid.
    #[serde(rename = "calendario")]
    pub calendar: Calendar,
    /// Its id.
    pub txid: String,
    /// Grows with every revision.
    #[serde(rename = "revisao", default)]
    pub revision: u32,
    /// Where the signed payload is, without `https://`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// State.
    pub status: ChargeStatus,
    /// Amount.
    #[serde(rename = "valor")]
    pub value: Value,
    /// Key of the receiver.
    #[serde(rename = "chave")]
    pub key: String,
    /// Text to draw as a code.
    #[serde(
        rename = "pixCopiaECola",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub code: Option<String>,
    /// What was paid.
    #[serde(rename = "pix", default, skip_serializing_if = "Vec::is_empty")]
    pub payments: Vec<Payment>,
}

/// Times of a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// When it was made, RFC 3339.
    #[serde(rename = "criacao")]
    pub created: String,
    /// Seconds it is to be paid.
    #[serde(rename = "expiracao")]
    pub expires_after_s: u32,
}

impl Charge {
    /// When the time limit is over, unix milliseconds. The charge may still be
    /// paid while it is [`ChargeStatus::Active`].
    #[must_use]
    pub fn expires_ms(&self) -> Option<i64> {
        let created_ms = time::parse(&self.calendar.created, 0)?;
        created_ms.checked_add(i64::from(self.calendar.expires_after_s) * 1_000)
    }

    /// Every payment of this charge as a credit or as the reason why not.
    pub fn credits(&self, key: &str, txid: &str) -> Vec<Result<Credit, NotACredit>> {
        let credit = |payment: &Payment| {
            let mut payment = payment.clone();
            // Payments inside a charge are to its key.
            payment.key.get_or_insert_with(|| self.key.clone());
            payment.credit(key, txid)
        };
        self.payments.iter().map(credit).collect()
    }
}

/// One Pix that arrived. Fields about the payer are not read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Unique in all of Pix. Not checked by length: the documentation's own
    /// example breaks its own rule.
    #[serde(rename = "endToEndId")]
    pub end_to_end_id: String,
    /// Of which charge; absent for a plain transfer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub txid: Option<String>,
    /// Amount.
    #[serde(rename = "valor")]
    pub value: Reais,
    /// Key of the receiver.
    #[serde(rename = "chave", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The bank's time, RFC 3339.
    #[serde(rename = "horario")]
    pub time: String,
    /// What the payer wrote.
    #[serde(
        rename = "infoPagador",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub payer_info: Option<String>,
    /// Money given back.
    #[serde(rename = "devolucoes", default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
}

impl Payment {
    /// The credit this is for a receiver's key and a charge.
    ///
    /// # Errors
    /// Another or no key, another txid, or no amount.
    pub fn credit(&self, key: &str, txid: &str) -> Result<Credit, NotACredit> {
        let credit = self.credit_to(key)?;
        if credit.provider_order.as_deref() != Some(txid) {
            return Err(NotACredit::ForeignOrder);
        }
        Ok(credit)
    }

    /// The credit this is for a receiver's key, of whichever charge or of none: what a list tells.
    ///
    /// # Errors
    /// Another or no key, or no amount.
    pub fn credit_to(&self, key: &str) -> Result<Credit, NotACredit> {
        let own_key = self.key.as_deref().ok_or(NotACredit::AccountNotNamed)?;
        if own_key != key {
            return Err(NotACredit::ForeignAccount);
        }
        if self.value.0 <= 0 {
            return Err(NotACredit::NotPositive {
                amount_minor: self.value.0,
            });
        }
        Ok(Credit {
            provider: Provider::Pix,
            reference: self.end_to_end_id.clone(),
            reference_is_derived: false,
            account: own_key.to_owned(),
            amount_minor: self.value.0,
            currency: Currency::Brl,
            memo: self.payer_info.clone().unwrap_or_default(),
            provider_order: self.txid.clone(),
            bank_time_ms: time::parse(&self.time, 0),
        })
    }
}

/// `PUT /pix/{endToEndId}/devolucao/{id}`; the id `[a-zA-Z0-9]{1,35}` makes it
/// one refund however often it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundRequest {
    /// Amount to give back.
    #[serde(rename = "valor")]
    pub value: Reais,
}

/// State of a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RefundStatus {
    /// Under way; ask again.
    #[serde(rename = "EM_PROCESSAMENTO")]
    InProgress,
    /// The payer has it.
    #[serde(rename = "DEVOLVIDO")]
    Returned,
    /// It was not done; the money is still the shop's.
    #[serde(rename = "NAO_REALIZADO")]
    NotDone,
    /// A state this program does not know.
    #[serde(other)]
    Unknown,
}

/// A refund as the provider tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// The shop's id.
    pub id: String,
    /// Pix' own id.
    #[serde(rename = "rtrId")]
    pub return_id: String,
    /// Amount.
    #[serde(rename = "valor")]
    pub value: Reais,
    /// Times.
    #[serde(rename = "horario")]
    pub time: RefundTime,
    /// State.
    pub status: RefundStatus,
    /// Why not.
    #[serde(rename = "motivo", default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Times of a refund, RFC 3339.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundTime {
    /// Asked for.
    #[serde(rename = "solicitacao")]
    pub requested: String,
    /// Done.
    #[serde(
        rename = "liquidacao",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    pub settled: Option<String>,
}

/// `PATCH /cob/{txid}`: withdraws a charge. HTTP 400 `CobOperacaoInvalida` means
/// it is no longer active; ask again, it may be paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargePatch {
    /// [`ChargeStatus::RemovedByReceiver`].
    pub status: ChargeStatus,
}

impl ChargePatch {
    /// Withdraws.
    pub const REMOVE: Self = Self {
        status: ChargeStatus::RemovedByReceiver,
    };
}

/// Body of `POST {webhookUrl}/pix`: one or more payments, told again when a
/// refund ends.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payments {
    /// The payments.
    pub pix: Vec<Payment>,
}

/// `GET /pix?inicio=…&fim=…`: one page of what arrived between two times.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentList {
    /// What was asked, and how many pages there are.
    #[serde(rename = "parametros", default)]
    pub parameters: Parameters,
    /// The payments of this page.
    #[serde(default)]
    pub pix: Vec<Payment>,
}

/// What stands beside the payments of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Paging.
    #[serde(rename = "paginacao", default)]
    pub paging: Paging,
}

/// Paging of a list. Pages count from 0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Paging {
    /// This page.
    #[serde(rename = "paginaAtual")]
    pub page: u32,
    /// Payments of a page.
    #[serde(rename = "itensPorPagina")]
    pub per_page: u32,
    /// How many pages there are.
    #[serde(rename = "quantidadeDePaginas")]
    pub pages: u32,
    /// Payments in all.
    #[serde(rename = "quantidadeTotalDeItens")]
    pub total: u64,
}

/// Most payments of one page.
pub const PAGE_PAYMENTS_MAX: u32 = 100;

/// What the token endpoint answers (OAuth 2 client credentials).
#[derive(Clone, Deserialize)]
pub struct Token {
    /// Sent as `Authorization: Bearer …`.
    pub access_token: String,
}

impl fmt::Debug for Token {
    /// A token is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What the provider answers instead (RFC 7807, `application/problem+json`).
/// It says nothing about money.
#[derive(Debug, Clone, Default, PartialEq, Eq, Error, Serialize, Deserialize)]
#[error("the Pix provider answers {status} {title}: {detail}")]
#[serde(default)]
pub struct Problem {
    /// Address that names the kind, ending in `CobOperacaoInvalida` and such.
    #[serde(rename = "type")]
    pub kind: String,
    /// In words.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// In more words.
    pub detail: String,
    /// Which fields.
    #[serde(rename = "violacoes", skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<Violation>,
}

/// One broken rule.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Violation {
    /// Why.
    #[serde(rename = "razao")]
    pub reason: String,
    /// Which field.
    #[serde(rename = "propriedade")]
    pub property: String,
}

/// Reads a charge.
///
/// # Errors
/// An unreadable body.
pub fn read_charge(raw: &[u8]) -> Result<Charge, Reject> {
    json::typed(json::body(raw)?)
}

/// Reads a refund.
///
/// # Errors
/// An unreadable body.
pub fn read_refund(raw: &[u8]) -> Result<Refund, Reject> {
    json::typed(json::body(raw)?)
}

/// Reads a webhook.
///
/// # Errors
/// An unreadable body.
pub fn read_payments(raw: &[u8]) -> Result<Payments, Reject> {
    json::typed(json::body(raw)?)
}

/// Reads a page of the list of payments.
///
/// # Errors
/// An unreadable body.
pub fn read_list(raw: &[u8]) -> Result<PaymentList, Reject> {
    json::typed(json::body(raw)?)
}

/// The `authorization` header of the token endpoint: user and secret in base64 (RFC 7617).
///
/// The secret is readable in it; it is for the wire and never for a log.
#[must_use]
pub fn basic_authorization(client_id: &str, client_secret: &str) -> String {
    let pair = format!("{client_id}:{client_secret}");
    format!("Basic {}", base64(pair.as_bytes()))
}

/// RFC 4648 §4, with padding.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for position in 0..4 {
            let letter = LETTERS[((bits >> (18 - 6 * position)) & 63) as usize];
            let padding = position > chunk.len();
            out.push(if padding { '=' } else { char::from(letter) });
        }
    }
    out
}

/// Reads an answer of the token endpoint.
///
/// # Errors
/// An unreadable body.
pub fn read_token(raw: &[u8]) -> Result<Token, Reject> {
    json::typed(json::body(raw)?)
}

/// Reads a refusal; `None` when the body is none.
#[must_use]
pub fn read_problem(raw: &[u8]) -> Option<Problem> {
    json::typed(json::body(raw).ok()?).ok()
}

impl Problem {
    /// The last part of the kind's address: `CobNaoEncontrado` and such.
    #[must_use]
    pub fn kind_name(&self) -> &str {
        self.kind.rsplit('/').next().unwrap_or_default()
    }
}
