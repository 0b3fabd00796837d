//! Payment by QR: believed only from the bank side.
//!
//! The kiosk shows a code for one attempt and asks a [`QrPaymentProvider`]
//! what the account has really received for it. No screen lets a shopper say
//! that they have paid.
//!
//! Three providers: [`HeadOfficeRelay`] speaks the signed contract of
//! `touchpoint::relay`; [`RelayProvider`] the plain one of `kiosk sim bank`;
//! [`StaffProvider`] asks nobody, because only staff can look.

mod head_office;
mod relay;
pub mod sim;
mod staff;
mod watcher;

pub use head_office::HeadOfficeRelay;
pub use relay::RelayProvider;
pub use staff::StaffProvider;
pub use watcher::{BankEvent, BankHandle, spawn};

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How a provider confirms money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confirm {
    /// It is asked.
    Poll,
    /// It tells by itself.
    Push,
    /// Both; asking is the base, telling makes it quicker.
    PollAndPush,
    /// Only a person with the account's own list can tell.
    StatementOnly,
}

/// How money can be given back through a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refund {
    /// Not at all: a person gives it back.
    None,
    /// By a payment of its own.
    ViaPayout,
}

/// What one provider can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// How money is confirmed.
    pub confirm: Confirm,
    /// Whether the bank side refuses another amount than the one asked.
    pub enforces_amount: bool,
    /// Whether the bank side can refuse money after a cancellation. Without it
    /// a cancelled offer is still watched, because money may still come.
    pub cancel: bool,
    /// How long money may come after the offer's time; `None` when nobody knows.
    pub late_window_ms: Option<u64>,
    /// How money is given back.
    pub refund: Refund,
    /// Longest time the provider holds a question open for news.
    pub long_poll_ms_max: u64,
}

/// An amount that is asked for under a code, as the plain relay has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// Order code in the transfer's memo, nine characters.
    pub order: String,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// ISO 4217 code.
    pub currency: String,
}

/// An offer with what only some providers want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Code, amount, currency.
    pub offer: Offer,
    /// The attempt's id on this kiosk.
    pub attempt: String,
    /// How long the code is meant to stay on the screen.
    pub open_for_ms: u64,
}

/// One transfer that the bank has credited, as the plain relay has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The bank's own reference; unique, so a doubled notice counts once.
    pub reference: String,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// Bank's time of the credit, unix milliseconds.
    pub at_ms: i64,
}

/// What is known of an order, from the bank side, as the plain relay has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderState {
    /// Every credit found for the order, oldest first.
    pub credits: Vec<Credit>,
    /// The offer was withdrawn.
    pub withdrawn: bool,
}

/// Sum of amounts, each reference counted once.
fn distinct_sum<'a>(credits: impl Iterator<Item = (&'a String, i64)>) -> i64 {
    let mut seen = std::collections::BTreeSet::new();
    credits
        .filter(|(reference, _)| seen.insert(*reference))
        .map(|(_, amount_minor)| amount_minor)
        .sum()
}

impl OrderState {
    /// Sum of the distinct credits, in minor units.
    pub fn received_minor(&self) -> i64 {
        distinct_sum(self.credits.iter().map(|c| (&c.reference, c.amount_minor)))
    }
}

/// How the bank itself answers, seen from who asks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answers.
    Answers,
    /// It answers late, or nothing is known.
    Slow,
    /// It does not answer.
    Unreachable,
    /// It was not asked yet.
    NotAsked,
}

/// A code the provider made, and whom it says the code pays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// The text to draw.
    pub payload: String,
    /// The bank's six digits, when it says so.
    pub bank_bin: String,
    /// Account or virtual account, when it says so.
    pub account: String,
    /// Name on the account; may be empty.
    pub name: String,
}

/// One credit as the kiosk takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credited {
    /// The bank side's own reference.
    pub reference: String,
    /// Amount in minor units.
    pub amount_minor: i64,
    /// ISO 4217 code; empty for the shop's own.
    pub currency: String,
}

/// Everything one answer says about an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Every credit found for it.
    pub credits: Vec<Credited>,
    /// It was taken back.
    pub withdrawn: bool,
    /// The bank side took its code back: no money can come any more.
    pub cancelled: bool,
    /// The provider is still making its code.
    pub creating: bool,
    /// The provider refused it for good.
    pub refused: bool,
    /// The code the provider made; `None` where the kiosk makes it itself.
    pub made: Option<Made>,
    /// How long ago the bank itself was asked and answered; `None`: never.
    pub asked_ago_ms: Option<u64>,
    /// How the bank answers.
    pub health: Health,
    /// What to name when asking for news; changes with every change.
    pub revision: u64,
}

impl Answer {
    /// The answer of one who has nothing to say about an order.
    pub fn of_nobody() -> Self {
        Self {
            credits: Vec::new(),
            withdrawn: false,
            cancelled: false,
            creating: false,
            refused: false,
            made: None,
            asked_ago_ms: None,
            health: Health::NotAsked,
            revision: 0,
        }
    }

    /// Sum of the distinct credits, in minor units, whatever their currency.
    pub fn received_minor(&self) -> i64 {
        distinct_sum(self.credits.iter().map(|c| (&c.reference, c.amount_minor)))
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
    /// What we would draw, or were given to draw, is not the payment that was asked for.
    #[error("the QR code is not the payment it should be: {0}. It is not shown")]
    WrongCode(String),
    /// The relay has no such order of this kiosk: it never arrived there, or head office lost it. Retry does not help.
    #[error(
        "the payment relay does not know the order: {0}. Compare the account's list by hand if it was shown"
    )]
    UnknownOrder(String),
    /// The answer makes no sense. Retry may help.
    #[error(
        "the payment relay gave an answer that cannot be read: {0}. Check that bank.relay_url is a relay"
    )]
    Garbled(String),
    /// The relay does not know, or no longer accepts, this kiosk. Retry helps once a person acted.
    #[error(
        "the payment relay does not accept this kiosk: {0}. Enrol it with `kiosk enroll`, or write bank.mode = \"staff\""
    )]
    NotAccepted(String),
}

impl ProviderError {
    /// Whether asking again cannot help.
    pub fn is_permanent(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::WrongCode(_))
    }
}

/// The bank side, whoever operates it. Asked from several threads at once.
pub trait QrPaymentProvider: Send + Sync {
    /// What this provider can do.
    fn capabilities(&self) -> Capabilities;

    /// Whether it can be asked at all; not whether it answers.
    ///
    /// # Errors
    /// [`ProviderError::NotAccepted`]: what a person has to do first.
    fn ready(&self) -> Result<(), ProviderError> {
        Ok(())
    }

    /// Announces an offer. The same offer may be announced again; it is one.
    ///
    /// # Errors
    /// [`ProviderError`]; only the permanent ones are an answer.
    fn create(&self, asked: &Asked) -> Result<Answer, ProviderError>;

    /// What is known of an order, waiting up to `wait` for news beyond `known`.
    ///
    /// # Errors
    /// [`ProviderError`]; silence never means "not paid".
    fn observe(&self, order: &str, known: Known, wait: Duration) -> Result<Answer, ProviderError>;

    /// Takes an offer back. Money may come all the same.
    ///
    /// # Errors
    /// [`ProviderError`].
    fn cancel(&self, order: &str) -> Result<Answer, ProviderError>;
}

/// What the kiosk knows of an order already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Credits.
    pub credits: usize,
    /// The last answer's revision.
    pub revision: u64,
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
