//! Card terminals: one trait, its drivers and their simulators.
//!
//! Money safety rests on three facts that the types enforce:
//!
//! 1. **Journal before effect.** An order reaches the terminal only as [`Armed`], an approval
//!    is acknowledged only as [`Durable`]. Both are made from a [`JournalProof`], which only the
//!    store can give after its commit returned.
//! 2. **Sent once.** [`Armed`] is neither `Clone` nor `Copy` and is consumed; no driver repeats
//!    an order, not even on the transport level.
//! 3. **Unknown is an answer.** [`Outcome`] has no error case: a lost link, a timeout or a broken
//!    frame after the order left is [`Outcome::Unknown`], which is resolved by
//!    [`PaymentTerminal::recover`], never by trying again.
//!
//! A payment runs like this (kiosk on the left):
//!
//! ```text
//! prepare(attempt)             -> Prepared { baseline }      nothing has happened yet
//! [journal: ARMED + baseline]
//! authorise(Armed)             -> Prompt…, ApprovalPending { approval }
//! [journal: APPROVED]
//! approval_stored(Durable)     -> Finished { Outcome::Approved }
//! ```
//!
//! The approval may instead be refused with [`PaymentTerminal::approval_refused`] when it cannot
//! be stored; the terminal then takes the money back by itself and the outcome is `Unknown` until
//! `recover` has confirmed it.

mod admission;
pub mod caisse_ap;
pub mod codes;
pub mod concert;
pub mod config;
pub mod doctor;
pub mod driver;
pub mod engine;
mod events;
pub mod journal;
pub mod link;
mod outcome;
mod queue;
pub mod redact;
pub mod sim;
pub mod simulation;
pub mod stepped;
pub mod types;
pub mod zvt;

#[cfg(test)]
mod hostile;

pub use codes::{DeclineReason, ShopperPrompt};
pub use config::{ConfigError, Connection, Profile, Protocol, TerminalConfig, Timeouts};
pub use driver::{TerminalDriver, TerminalHandle};
pub use journal::{
    Armed, DayClose, Durable, JournalProof, JournalStep, Order, Payment, ProofMismatch, Refund,
    Reversal,
};
pub use sim::TerminalSim;
pub use types::{
    Amount, Approval, AttemptId, Baseline, Capabilities, CardDigits, CommandRefused, Currency,
    DayCloseOutcome, EndOfDayReport, LinkFault, LinkState, NotReady, NotStarted, OrderKind,
    Outcome, RecoverRequest, Recovered, Recovery, RecoveryMeans, SchemeTotal, TerminalEvent,
    TerminalStatus, TransactionIdentity, Unknown,
};

/// A card terminal as the kiosk sees it, whatever protocol it speaks.
///
/// No method blocks: each queues a command for the driver's thread and answers come as
/// [`TerminalEvent`]s. `Err(CommandRefused)` always means that nothing was queued and nothing
/// will be sent, so for an order it is proof that no money moved.
pub trait PaymentTerminal: Send + Sync {
    /// What this terminal can do; constant for the life of the driver.
    fn capabilities(&self) -> Capabilities;

    /// Checks that the terminal is ready and reads its last transaction, before the attempt is
    /// armed. Answer: [`TerminalEvent::Prepared`] or [`TerminalEvent::NotPrepared`].
    fn prepare(&self, attempt: AttemptId) -> Result<(), CommandRefused>;

    /// Asks for money, once. Answer: any number of [`TerminalEvent::Prompt`], at most one
    /// [`TerminalEvent::ApprovalPending`], exactly one [`TerminalEvent::Finished`].
    fn authorise(&self, armed: Armed<Payment>) -> Result<(), CommandRefused>;

    /// Gives money to a card without reference to an earlier sale. Answers as for
    /// [`Self::authorise`].
    fn refund(&self, armed: Armed<Refund>) -> Result<(), CommandRefused>;

    /// Takes back one earlier transaction by its receipt number. Answers as for
    /// [`Self::authorise`].
    fn reverse(&self, armed: Armed<Reversal>) -> Result<(), CommandRefused>;

    /// Says that the pending approval is on disk; only now is it acknowledged to the terminal.
    fn approval_stored(&self, approval: Durable<Approval>) -> Result<(), CommandRefused>;

    /// Says that the pending approval cannot be stored (disk full, journal damaged). Terminals
    /// that can, take the money back; the outcome is `Unknown` either way.
    fn approval_refused(&self, attempt: AttemptId) -> Result<(), CommandRefused>;

    /// Asks the terminal to give up the running order. The order still ends with its own
    /// [`TerminalEvent::Finished`]; a terminal past the point of no return says
    /// [`TerminalEvent::AbortRefused`] and goes on.
    fn abort(&self, attempt: AttemptId) -> Result<(), CommandRefused>;

    /// Finds out what became of an order in doubt. Waits for the link and for the terminal to be
    /// idle, within [`Timeouts::recover_ms`]. Answer: [`TerminalEvent::Recovered`]. Must run
    /// before any other order: terminals remember only their last transaction.
    fn recover(&self, request: RecoverRequest) -> Result<(), CommandRefused>;

    /// Closes the terminal's day. Answer: [`TerminalEvent::EndOfDay`].
    fn end_of_day(&self, armed: Armed<DayClose>) -> Result<(), CommandRefused>;

    /// Asks for the terminal's condition. Answer: [`TerminalEvent::Status`].
    fn status(&self) -> Result<(), CommandRefused>;
}
