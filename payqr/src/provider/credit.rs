//! Money that has arrived, in the same words for every provider.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::order_code::{MemoMatch, OrderCode, StorePrefix};

/// Who told of the money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// payOS, Vietnam.
    PayOs,
    /// SePay, Vietnam.
    SePay,
    /// Pix through a payment service provider, Brazil.
    Pix,
}

impl Provider {
    /// The name in journals, addresses and settings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PayOs => "payos",
            Self::SePay => "sepay",
            Self::Pix => "pix",
        }
    }
}

/// Currencies of the providers here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Currency {
    /// Vietnamese đồng; a minor unit is one đồng.
    Vnd,
    /// Brazilian real; a minor unit is one centavo.
    Brl,
}

impl Currency {
    /// ISO 4217 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Vnd => "VND",
            Self::Brl => "BRL",
        }
    }
}

/// One transfer that has arrived in an account of the shop.
///
/// The same transfer reaches us by webhook, by query and by list, often more
/// than once: `(provider, account, reference)` is the same each time, so a
/// store with that as its unique key credits it once. The same key with
/// another amount is a conflict for a person, never a second credit and never
/// a correction ([`Credit::is_same_money`]).
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// Who told of it.
    pub provider: Provider,
    /// The bank's own reference (Pix: the end-to-end id).
    pub reference: String,
    /// The bank gave no reference; this one is made from account, time, amount
    /// and memo. Two equal transfers in one second look like one: a person
    /// compares with the bank's list.
    pub reference_is_derived: bool,
    /// The shop's account (Pix: key) that received.
    pub account: String,
    /// What arrived, minor units, above zero.
    pub amount_minor: i64,
    /// In which currency.
    pub currency: Currency,
    /// The transfer's text as the bank hands it on. May name the payer: match
    /// with it, do not journal it.
    pub memo: String,
    /// The order as the provider itself knows it: payOS order code, Pix txid,
    /// SePay's own payment code.
    pub provider_order: Option<String>,
    /// The bank's time of the transfer, unix milliseconds; `None` when its
    /// text cannot be read, which makes the money no less real.
    pub bank_time_ms: Option<i64>,
}

impl Credit {
    /// Which order of a store this pays: by what the provider says, else by
    /// the memo. The code identifies; amount and account must be compared too.
    #[must_use]
    pub fn order(&self, prefix: StorePrefix) -> MemoMatch {
        let named = self.provider_order.as_deref();
        let by_provider = named.and_then(|named| match self.provider {
            Provider::PayOs => named.parse().ok().and_then(OrderCode::from_integer),
            Provider::Pix => super::pix::order_of(named),
            Provider::SePay => named.parse().ok(),
        });
        match by_provider {
            Some(code) if code.prefix() == prefix => MemoMatch::One(code),
            _ => OrderCode::search(&self.memo, prefix),
        }
    }

    /// Whether two tellings are of the same transfer: `Some(true)` the same,
    /// `Some(false)` the same reference with other money (a person decides),
    /// `None` two different transfers.
    #[must_use]
    pub fn is_same_money(&self, other: &Self) -> Option<bool> {
        let key = |credit: &Self| {
            let account = credit.account.clone();
            (credit.provider, account, credit.reference.clone())
        };
        let money = |credit: &Self| (credit.amount_minor, credit.currency);
        (key(self) == key(other)).then(|| money(self) == money(other))
    }
}

impl fmt::Debug for Credit {
    /// Without memo and account: a log line must not name anybody.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credit")
            .field("provider", &self.provider)
            .field("reference", &self.reference)
            .field("amount_minor", &self.amount_minor)
            .field("currency", &self.currency)
            .field("provider_order", &self.provider_order)
            .field("bank_time_ms", &self.bank_time_ms)
            .finish_non_exhaustive()
    }
}

/// Why a provider's true word is no money for the asked account. Answer the
/// provider with success: sending it again changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotACredit {
    /// Money that left the account.
    #[error("money out, not in")]
    MoneyOut,
    /// Another account than the ones asked for.
    #[error("for another account; check the accounts in the configuration")]
    ForeignAccount,
    /// The provider did not say which account; ask its API.
    #[error("the provider does not name the account; ask its API for the order")]
    AccountNotNamed,
    /// Another order than the one asked for.
    #[error("for another order")]
    ForeignOrder,
    /// Zero or less.
    #[error("the amount {amount_minor} is not above zero")]
    NotPositive {
        /// As told.
        amount_minor: i64,
    },
    /// Not the account's currency.
    #[error("in {currency}, expected {}", expected.code())]
    OtherCurrency {
        /// As told.
        currency: String,
        /// As expected.
        expected: Currency,
    },
    /// The provider tells of something that did not succeed.
    #[error("the provider reports code {code}, not a payment")]
    NotPaid {
        /// Its code.
        code: String,
    },
}
