//! Payment by QR: believed only from the bank side.
//!
//! The kiosk shows a code for one attempt and asks a [`QrPaymentProvider`]
//! what the account has really received for it. No screen lets a shopper say
//! that they have paid.

mod relay;
pub mod sim;
mod watcher;

pub use relay::RelayProvider;
pub use watcher::{BankEvent, BankHandle, spawn};

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What one provider can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Longest time the provider holds a question open for news.
    pub long_poll_ms_max: u64,
    /// Whether the bank side can refuse money after a withdrawal. Without it a
    /// withdrawn offer is still watched, because money may still come.
    pub withdraw_is_final: bool,
}

/// An amount that is asked for under a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Order code in the transfer's memo, nine characters.
    pub order: String,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// One transfer that the bank has credited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The bank's own reference; unique, so a doubled notice counts once.
    pub reference: String,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// Bank's time of the credit, unix milliseconds.
    pub at_ms: i64,
}

/// What is known of an order, from the bank side.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderState {
    /// Every credit found for the order, oldest first.
    pub credits: Vec<Credit>,
    /// The offer was withdrawn.
    pub withdrawn: bool,
}

impl OrderState {
    /// Sum of the distinct credits, in minor units.
    pub fn received_minor(&self) -> i64 {
        let mut seen = std::collections::BTreeSet::new();
        self.credits
            .iter()
            .filter(|credit| seen.insert(&credit.reference))
            .map(|credit| credit.amount_minor)
            .sum()
    }
}

/// Why a provider did not answer a question. None of these says anything about
/// the money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No connection, or it broke. Retry helps.
    #[error(
        "the payment relay cannot be reached: {0}. It is asked again; check network and bank.relay_url"
    )]
    Unreachable(String),
    /// The other side is overloaded or failing. Retry after the given time.
    #[error("the payment relay is busy; asked again in {retry_after_ms} ms")]
    Busy {
        /// How long to wait at least.
        retry_after_ms: u64,
    },
    /// The offer is refused for good. Retry does not help.
    #[error("the bank refused the offer: {0}. Another way to pay is needed")]
    Refused(String),
    /// The answer makes no sense. Retry may help.
    #[error(
        "the payment relay gave an answer that cannot be read: {0}. Check that bank.relay_url is a relay"
    )]
    Garbled(String),
}

impl ProviderError {
    /// Whether asking again can help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused(_))
    }
}

/// The bank side, whoever operates it.
pub trait QrPaymentProvider: Send {
    /// What this provider can do.
    fn capabilities(&self) -> Capabilities;

    /// Announces an offer. The same offer may be announced again; it is one.
    ///
    /// # Errors
    /// [`ProviderError`]; only `Refused` is an answer.
    fn offer(&mut self, offer: &Offer) -> Result<(), ProviderError>;

    /// What is known of an order, waiting up to `wait` for news beyond
    /// `known_credits`.
    ///
    /// # Errors
    /// [`ProviderError`]; silence never means "not paid".
    fn ask(
        &mut self,
        order: &str,
        known_credits: usize,
        wait: Duration,
    ) -> Result<OrderState, ProviderError>;

    /// Takes an offer back. Money may come all the same.
    ///
    /// # Errors
    /// [`ProviderError`].
    fn withdraw(&mut self, order: &str) -> Result<OrderState, ProviderError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_doubled_credit_counts_once() {
        // Proves that the bank's reference, not the notice, is what is counted.
        let credit = |reference: &str, amount_minor| Credit {
            reference: reference.into(),
            amount_minor,
            at_ms: 0,
        };
        let state = OrderState {
            credits: vec![credit("A", 100), credit("A", 100), credit("B", 50)],
            withdrawn: false,
        };
        assert_eq!(state.received_minor(), 150);
    }
}
