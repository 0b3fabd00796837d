//! How orders end, and what became of those in doubt.

use serde::{Deserialize, Serialize};

use super::codes::DeclineReason;
use super::types::{
    Amount, Approval, AttemptId, Baseline, Currency, EndOfDayReport, OrderKind, TransactionIdentity,
};

/// How an order ended. There is deliberately no error case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum Outcome {
    /// The money moved, and the approval was durable before the terminal was told.
    Approved(Approval),
    /// The terminal said no; no money moved. A new attempt is safe.
    Declined {
        /// Why, as far as the terminal says.
        reason: DeclineReason,
    },
    /// Nothing was sent, or the terminal refused to begin. A new attempt is safe.
    NotStarted {
        /// Why.
        why: NotStarted,
    },
    /// It is not known whether money moved. Call `recover`; never try again before it answered.
    Unknown {
        /// What was seen last.
        why: Unknown,
    },
}

/// Why an order did not begin. No money moved in any of these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NotStarted {
    /// There is no connection to the terminal; retry once it is up.
    #[error("the card terminal is not connected; check its cable and power, then try again")]
    NotConnected,
    /// Another order or a recovery is running; retry when it has finished.
    #[error("the card terminal is still working on something else; try again in a moment")]
    Busy,
    /// The terminal refused the command with this code.
    #[error("the card terminal refused to begin (code {code:02X}): {reason}; try again")]
    Refused {
        /// Protocol code.
        code: u8,
        /// Meaning of the code.
        reason: DeclineReason,
    },
    /// The amount has more digits than the protocol's field. Retrying does not help.
    #[error("the amount {minor} does not fit the {digits} digits of this terminal; pay in parts")]
    AmountDoesNotFit {
        /// Amount in minor units.
        minor: u64,
        /// Digits of the field.
        digits: u8,
    },
    /// Zero is not an amount a card can pay. Retrying does not help.
    #[error("an amount of zero cannot be paid by card")]
    AmountIsZero,
    /// The currency has no code the protocol can carry. Retrying does not help.
    #[error("the terminal is set up for currency {configured:?}, the order is in {ordered:?}")]
    WrongCurrency {
        /// Currency of the order.
        ordered: Currency,
        /// Currency of the terminal.
        configured: Currency,
    },
    /// This attempt was already sent once. Recover it; never send it again.
    #[error("this attempt was already sent; look up what became of it")]
    AlreadySent,
    /// An earlier order is in doubt; recover that one first.
    #[error("payment {in_doubt} is still in doubt; find out what became of it first")]
    AnotherInDoubt {
        /// The attempt in doubt.
        in_doubt: AttemptId,
    },
    /// The protocol has no such order. Retrying does not help.
    #[error("this terminal cannot do that; use its own menu")]
    Unsupported,
    /// A receipt number beyond 9999 names no transaction. Retrying does not help.
    #[error("receipt number {0} does not exist at a terminal")]
    NoSuchReceipt(u16),
}

/// Why it is not known whether money moved. All of these call for `recover`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Unknown {
    /// The link went down after the order was sent.
    #[error("the connection to the card terminal was lost during the payment")]
    LinkLost,
    /// The terminal did not answer the order in time.
    #[error("the card terminal did not answer")]
    NoReply,
    /// The terminal answered but never finished.
    #[error("the card terminal did not finish in time")]
    NoCompletion,
    /// The transport did not confirm the order's block (serial ACK missing).
    #[error("the card terminal did not confirm that it received the order")]
    NotAcknowledged,
    /// The kiosk refused the approval (it could not be stored, or was not stored in time).
    #[error("the approval could not be kept and was sent back to the card terminal")]
    RejectedByKiosk,
    /// The terminal approved something other than what was ordered; it was sent back.
    #[error("the card terminal approved a different amount or currency than ordered")]
    Mismatch {
        /// What the terminal reported.
        seen: Box<TransactionIdentity>,
    },
    /// The terminal's messages contradict each other (approved, then aborted).
    #[error("the card terminal contradicted itself (code {code:02X})")]
    Contradiction {
        /// Last code seen.
        code: u8,
    },
    /// The terminal finished without ever saying how.
    #[error("the card terminal finished without saying whether it was paid")]
    NoResult,
    /// The program stopped while the order was under way.
    #[error("the program stopped during the payment")]
    DriverStopped,
}

/// Why the terminal is not ready for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NotReady {
    /// There is no connection.
    #[error("the card terminal is not connected; check its cable and power")]
    NotConnected,
    /// It did not answer.
    #[error("the card terminal does not answer; switch it off and on")]
    NoAnswer,
    /// The protocol has no enquiry for past transactions; compare the terminal's own slip.
    #[error("this terminal cannot be asked about past payments; compare its slip")]
    ProtocolCannotTell,
    /// Another order or a recovery is running.
    #[error("the card terminal is still working on something else")]
    Busy,
    /// It reports a condition (ZVT terminal status, `05 01`).
    #[error("the card terminal is not ready (status {0:?})")]
    Condition(TerminalStatus),
    /// It refused with a code.
    #[error("the card terminal refused (code {code:02X}): {reason}")]
    Refused {
        /// Protocol code.
        code: u8,
        /// Meaning of the code.
        reason: DeclineReason,
    },
}

/// Condition a terminal reports (ZVT 2.56; other protocols map to the nearest).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TerminalStatus {
    /// Ready for an order.
    Ready,
    /// Needs initialisation by its service.
    NeedsInitialisation,
    /// Its clock is wrong.
    ClockWrong,
    /// Working; ask again.
    Busy,
    /// Its memory for transactions is full: close its day.
    JournalFull,
    /// Asks for a diagnosis with its host.
    NeedsDiagnosis,
    /// Its printer is not ready.
    PrinterNotReady,
    /// A card is inserted or left inside.
    CardInserted,
    /// Out of order.
    OutOfOrder,
    /// Needs its day to be closed first.
    NeedsReconciliation,
    /// The protocol has no status enquiry; the link itself is up.
    NotReported,
    /// Another code.
    Other(u8),
}

/// What recovery needs to know about the order in doubt; all of it comes from the journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoverRequest {
    /// The attempt in doubt.
    pub attempt: AttemptId,
    /// What was ordered.
    pub kind: OrderKind,
    /// Amount ordered.
    pub amount: Amount,
    /// The terminal's last transaction before the order.
    pub baseline: Baseline,
    /// The approval, if one was made durable.
    pub approval: Option<Approval>,
}

/// What became of an order in doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recovered {
    /// The terminal's last transaction is still the one before the order, or the order was
    /// declined or taken back. A new attempt is safe.
    DidNotHappen(Recovery),
    /// The terminal holds this transaction; it is exactly what was ordered.
    Happened {
        /// Evidence, to be journalled.
        approval: Approval,
        /// Whether the journal already held this approval.
        was_recorded: bool,
    },
    /// The terminal's last transaction is something else: someone used it meanwhile. A person
    /// must look.
    Foreign {
        /// The transaction found.
        seen: TransactionIdentity,
    },
    /// The terminal could not be asked, or its protocol cannot answer. A person must look.
    CannotTell {
        /// Why.
        why: NotReady,
    },
}

/// How it is known that an order did not happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recovery {
    /// Nothing new since the baseline.
    NothingNew,
    /// The terminal recorded a decline with this code.
    Declined {
        /// Result code.
        code: u8,
    },
    /// The terminal recorded that it took the transaction back.
    TakenBack,
}

/// How a day close ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[must_use]
pub enum DayCloseOutcome {
    /// The terminal closed its day; compare its totals with the journal's.
    Closed(EndOfDayReport),
    /// The terminal would not close its day; it is still open.
    Refused {
        /// Why.
        reason: DeclineReason,
    },
    /// Nothing was sent; the day is still open.
    NotStarted {
        /// Why.
        why: NotStarted,
    },
    /// It is not known whether the day was closed; look at the terminal's own slip.
    Unknown {
        /// What was seen last.
        why: Unknown,
    },
}
