//! Tokens that make "durable first" a fact of the types.
//!
//! The hardware crate does not know the store. It asks for a [`JournalProof`]: a value that exists
//! only because a journal row is durable. **Exactly one type of each journal may implement it: its
//! commit receipt, with a constructor private to the journal's module, made after the row was
//! synchronised (`COMMIT` with `synchronous=FULL`, or `fdatasync` of the file), and not `Clone`.**
//! Each proof is consumed by the one token it
//! makes, and it must attest the same attempt, step and amount as the token; a mix-up of two
//! attempts is refused instead of paid.

use serde::{Deserialize, Serialize};

use super::types::{Amount, Approval, AttemptId, Baseline, OrderKind};

/// Which durable step of an attempt a proof stands for (`card-terminals` state machine).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum JournalStep {
    /// The order with its baseline is on disk; the next thing is to send it.
    Armed,
    /// The terminal's approval is on disk; the next thing is to acknowledge it.
    Approved,
}

/// Evidence that a journal row of an attempt is durable. See the module text for who may
/// implement it.
pub trait JournalProof {
    /// The attempt the row belongs to.
    fn attempt(&self) -> AttemptId;
    /// The step the row records.
    fn step(&self) -> JournalStep;
    /// The amount written in the row; `None` only for a day close.
    fn amount(&self) -> Option<Amount>;
}

/// The proof belongs to another attempt, step or amount. Nothing was sent. Retrying does not
/// help: it is a fault of the program, to be reported with both values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "journal proof is for {proof_attempt} {proof_step:?}, the order is {attempt} {step:?}; \
     nothing was sent; report this fault"
)]
pub struct ProofMismatch {
    /// Attempt of the order or approval.
    pub attempt: AttemptId,
    /// Step that was needed.
    pub step: JournalStep,
    /// Attempt of the proof.
    pub proof_attempt: AttemptId,
    /// Step of the proof.
    pub proof_step: JournalStep,
}

/// Something a terminal can be ordered to do once.
pub trait Order {
    /// The attempt this order is.
    fn attempt(&self) -> AttemptId;
    /// The money it moves; `None` for a day close.
    fn amount(&self) -> Option<Amount>;
    /// What it does.
    fn kind(&self) -> OrderKind;
}

/// Ask a card for money.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Attempt id, journalled before.
    pub attempt: AttemptId,
    /// Exact amount.
    pub amount: Amount,
    /// The terminal's last transaction before this order, from [`super::TerminalEvent::Prepared`].
    pub baseline: Baseline,
}

/// Give money to a card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Attempt id, journalled before.
    pub attempt: AttemptId,
    /// Exact amount.
    pub amount: Amount,
    /// The terminal's last transaction before this order.
    pub baseline: Baseline,
}

/// Take back one earlier transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reversal {
    /// Attempt id of the reversal itself.
    pub attempt: AttemptId,
    /// Receipt number of the transaction to take back, 0 to 9999.
    pub receipt_number: u16,
    /// Amount of that transaction; the answer must show the same.
    pub amount: Amount,
    /// The terminal's last transaction before this order.
    pub baseline: Baseline,
}

/// Close the terminal's day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DayClose {
    /// Attempt id of the day close.
    pub attempt: AttemptId,
}

macro_rules! order {
    ($type:ty, $kind:expr) => {
        impl Order for $type {
            fn attempt(&self) -> AttemptId {
                self.attempt
            }
            fn amount(&self) -> Option<Amount> {
                Some(self.amount)
            }
            fn kind(&self) -> OrderKind {
                $kind
            }
        }
    };
}
order!(Payment, OrderKind::Payment);
order!(Refund, OrderKind::Refund);
order!(Reversal, OrderKind::Reversal);

impl Order for DayClose {
    fn attempt(&self) -> AttemptId {
        self.attempt
    }
    fn amount(&self) -> Option<Amount> {
        None
    }
    fn kind(&self) -> OrderKind {
        OrderKind::DayClose
    }
}

/// An order whose journal row is durable. Consumed by the one call that sends it.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an armed order that is not sent must be closed in the journal as not started"]
pub struct Armed<O> {
    order: O,
}

impl<O: Order> Armed<O> {
    /// Arms `order` with the proof that it is durable, or says why the proof does not fit.
    pub fn new(order: O, proof: impl JournalProof) -> Result<Self, ProofMismatch> {
        check(order.attempt(), JournalStep::Armed, order.amount(), &proof)?;
        Ok(Self { order })
    }

    /// The order, readable but not changeable.
    pub fn order(&self) -> &O {
        &self.order
    }

    /// Gives up the token for its order; only drivers need this.
    pub(crate) fn into_order(self) -> O {
        self.order
    }
}

/// A value whose journal row is durable.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a stored approval that is not acknowledged is taken back by the terminal"]
pub struct Durable<T> {
    value: T,
}

impl Durable<Approval> {
    /// Marks `approval` as stored, or says why the proof does not fit.
    pub fn new(approval: Approval, proof: impl JournalProof) -> Result<Self, ProofMismatch> {
        check(
            approval.attempt,
            JournalStep::Approved,
            Some(approval.amount),
            &proof,
        )?;
        Ok(Self { value: approval })
    }
}

impl<T> Durable<T> {
    /// The stored value.
    pub fn value(&self) -> &T {
        &self.value
    }

    /// Gives up the token for its value; only drivers need this.
    pub(crate) fn into_value(self) -> T {
        self.value
    }
}

fn check(
    attempt: AttemptId,
    step: JournalStep,
    amount: Option<Amount>,
    proof: &impl JournalProof,
) -> Result<(), ProofMismatch> {
    if proof.attempt() == attempt && proof.step() == step && proof.amount() == amount {
        return Ok(());
    }
    Err(ProofMismatch {
        attempt,
        step,
        proof_attempt: proof.attempt(),
        proof_step: proof.step(),
    })
}
