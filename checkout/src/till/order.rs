//! Orders of staff at the card terminal: a payment taken back, money given to a card, the terminal's day closed.

use serde::{Deserialize, Serialize};

use super::event::{CardApproval, DeclineReason, NotStartedReason, TerminalPrompt};
use super::state::{AttemptId, AttemptStatus, Moment, ReviewId, StaffId, VisitId};
use crate::money::Money;

/// What is ordered of the card terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderKind {
    /// Money from a shopper's card.
    #[default]
    Payment,
    /// An earlier payment taken back as a whole, by its receipt number at the terminal; needs no card.
    Reversal,
    /// Money given to a card, which the shopper presents.
    Refund,
    /// The terminal's day closed; moves no money of ours.
    DayClose,
}

impl OrderKind {
    /// Whether money goes from the shop to a card.
    pub fn gives_back(self) -> bool {
        matches!(self, OrderKind::Reversal | OrderKind::Refund)
    }
}

/// One order of staff at the card terminal. There is one at a time: a terminal remembers only its last transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardOrder {
    /// Its number.
    pub attempt: AttemptId,
    /// What is ordered.
    pub kind: OrderKind,
    /// How much goes back, in minor units; never changes. 0 for a day close.
    pub amount_minor: i64,
    /// The payment it gives back; `None` for a day close.
    pub of: Option<CardPayment>,
    /// How far it is: intended, armed, approved or unknown.
    pub status: AttemptStatus,
    /// Who ordered it.
    pub staff: StaffId,
    /// When it began, unix milliseconds (untrusted).
    pub started_wall_ms: i64,
    /// The terminal's last transaction before it.
    pub baseline: Option<String>,
    /// The approval.
    pub approval: Option<CardApproval>,
    /// What happened, oldest first.
    pub history: Vec<Moment>,
}

/// A card payment of which money can be given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardPayment {
    /// The attempt that brought it.
    pub attempt: AttemptId,
    /// The terminal's name for it.
    pub reference: String,
    /// What its money is now.
    pub is: PaymentIs,
}

/// What the money of a card payment is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaymentIs {
    /// A tender of this completed sale.
    Sale {
        /// Its visit.
        visit: VisitId,
        /// Its receipt number.
        receipt_number: u64,
    },
    /// In review.
    Review(ReviewId),
}

/// A card payment with its history, as the store has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardTaken {
    /// The payment.
    pub payment: CardPayment,
    /// What it took, in minor units.
    pub amount_minor: i64,
    /// What was given back of it already.
    pub given_back_minor: i64,
    /// The terminal can still be asked to take it back: it has a receipt number there, and the terminal's day has not
    /// been closed since.
    pub can_be_reversed: bool,
    /// How many orders to give money back there had been when this was read. With another number it is out of date.
    pub give_backs: u64,
}

impl CardTaken {
    /// What can still be given back, in minor units.
    pub fn left_minor(&self) -> i64 {
        self.amount_minor.saturating_sub(self.given_back_minor)
    }

    /// How `amount_minor` of it goes back: a reversal takes back the whole, anything else is a refund to the card.
    pub fn way_back(&self, amount_minor: i64, irreversible: Option<AttemptId>) -> OrderKind {
        let whole = self.given_back_minor == 0 && amount_minor == self.amount_minor;
        let known = irreversible != Some(self.payment.attempt);
        match whole && known && self.can_be_reversed {
            true => OrderKind::Reversal,
            false => OrderKind::Refund,
        }
    }
}

/// What exactly the terminal is asked to do, beside taking money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TerminalOrder {
    /// Take back the payment with this name, as a whole.
    Reversal {
        /// Its amount.
        amount: Money,
        /// The terminal's name for it.
        reference: String,
    },
    /// Give money to a card.
    Refund {
        /// How much.
        amount: Money,
    },
    /// Close the day.
    DayClose,
}

/// The running order as shown to staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderView {
    /// Its number.
    pub attempt: AttemptId,
    /// What is ordered.
    pub kind: OrderKind,
    /// How much goes back.
    pub amount: Money,
    /// How far it is.
    pub step: OrderStep,
}

/// How far an order is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderStep {
    /// The terminal is being made ready.
    Preparing,
    /// It was asked; what it wants.
    Running(TerminalPrompt),
    /// Staff cancelled; the terminal still has to agree.
    Cancelling,
    /// Approved; being written and confirmed.
    Confirming,
    /// Nobody knows; the terminal is being asked.
    Unknown {
        /// The terminal has another transaction: a person must decide.
        needs_staff: bool,
    },
}

/// How the last order ended, for staff to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderEnded {
    /// Its number; `None` when it was not taken at all.
    pub attempt: Option<AttemptId>,
    /// What was ordered.
    pub kind: OrderKind,
    /// How much was to go back.
    pub amount: Money,
    /// How it ended.
    pub end: OrderEnd,
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderEnd {
    /// Done.
    Done {
        /// The terminal had taken it back before.
        already: bool,
    },
    /// Certainly not done: the terminal said no.
    Declined(DeclineReason),
    /// Certainly not done: it never started.
    NotStarted(NotStartedReason),
    /// Found out: not done.
    NotDone,
    /// A day close without an answer: nobody knows whether the terminal closed its day.
    Unanswered,
    /// It was not taken; nothing was asked of the terminal.
    NotTaken(OrderRefusal),
}

/// Why an order is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderRefusal {
    /// A shopper is being served.
    VisitOpen,
    /// Another order is running, or in doubt.
    Running,
    /// Something was given back since the figures were read: look again.
    OutOfDate,
    /// More than is left of the payment, or nothing.
    Amount,
    /// The kiosk cannot write to its own disk now.
    Disk,
}
