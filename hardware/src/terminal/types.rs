//! Words shared by every terminal protocol: amounts, identities, outcomes, events.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::codes::{DeclineReason, ShopperPrompt};
use super::journal::ProofMismatch;

/// Identity of one attempt, chosen by the kiosk before anything is sent and never reused.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptId(pub [u8; 16]);

impl AttemptId {
    /// The ten letters and digits that travel in protocols with a private field (Concert E+):
    /// the last 50 bits in Crockford base 32, so the random end of a UUIDv7.
    pub fn short(&self) -> String {
        const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let low = u64::from_be_bytes([
            self.0[8], self.0[9], self.0[10], self.0[11], self.0[12], self.0[13], self.0[14],
            self.0[15],
        ]);
        (0..10)
            .rev()
            .map(|place| char::from(ALPHABET[((low >> (place * 5)) & 31) as usize]))
            .collect()
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                out.write_str("-")?;
            }
            write!(out, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "AttemptId({self})")
    }
}

/// ISO 4217 numeric currency code, as terminals write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Currency(pub u16);

impl Currency {
    /// Vietnamese đồng, no minor unit.
    pub const VND: Self = Self(704);
    /// Euro, two decimals.
    pub const EUR: Self = Self(978);
    /// Japanese yen, no minor unit.
    pub const JPY: Self = Self(392);

    /// Looks up an alphabetic code (`VND`); `None` if this table does not have it.
    pub fn from_alpha(code: &str) -> Option<Self> {
        const TABLE: [(&str, u16); 22] = [
            ("AUD", 36),
            ("CAD", 124),
            ("CHF", 756),
            ("CNY", 156),
            ("CZK", 203),
            ("DKK", 208),
            ("EUR", 978),
            ("GBP", 826),
            ("HKD", 344),
            ("HUF", 348),
            ("IDR", 360),
            ("JPY", 392),
            ("KRW", 410),
            ("MYR", 458),
            ("NOK", 578),
            ("PHP", 608),
            ("PLN", 985),
            ("SEK", 752),
            ("SGD", 702),
            ("THB", 764),
            ("USD", 840),
            ("VND", 704),
        ];
        TABLE
            .iter()
            .find(|(alpha, _)| *alpha == code)
            .map(|(_, numeric)| Self(*numeric))
    }
}

/// Money in the smallest unit of its currency (đồng, cent, yen). Never a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Amount {
    /// Number of minor units.
    pub minor: u64,
    /// Currency.
    pub currency: Currency,
}

impl Amount {
    /// An amount of `minor` units.
    pub const fn new(minor: u64, currency: Currency) -> Self {
        Self { minor, currency }
    }
}

/// The last four digits of a card number, all that is ever kept of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardDigits(pub [u8; 4]);

impl fmt::Display for CardDigits {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|digit| write!(out, "{digit}"))
    }
}

/// What tells one terminal transaction from another. Receipt and trace numbers wrap and the date
/// has no year, so no single field is enough (reference: identity of a transaction).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TransactionIdentity {
    /// Terminal id, 8 digits (ZVT BMP 29).
    pub terminal_id: Option<String>,
    /// Trace number (BMP 0B).
    pub trace_number: Option<u32>,
    /// Receipt number (BMP 87), 0 to 9999.
    pub receipt_number: Option<u16>,
    /// Date as month·100 + day (BMP 0D).
    pub date_mmdd: Option<u16>,
    /// Time as hours·10000 + minutes·100 + seconds (BMP 0C).
    pub time_hhmmss: Option<u32>,
    /// Authorisation code of the bank (BMP 3B), printable part.
    pub authorisation_code: Option<String>,
    /// Amount in minor units (BMP 04).
    pub amount_minor: Option<u64>,
    /// Currency (BMP 49).
    pub currency: Option<Currency>,
    /// Trace number of the transaction this one takes back (BMP 37).
    pub original_trace: Option<u32>,
    /// Result code of the transaction (BMP 27); 0 is success.
    pub result_code: u8,
}

impl TransactionIdentity {
    /// Whether both describe the same transaction: every field present in both is equal, and at
    /// least the receipt or the trace number is present in both.
    pub fn same_transaction(&self, other: &Self) -> bool {
        fn agree<T: PartialEq>(left: &Option<T>, right: &Option<T>) -> bool {
            match (left, right) {
                (Some(left), Some(right)) => left == right,
                _ => true,
            }
        }
        fn both<T>(left: &Option<T>, right: &Option<T>) -> bool {
            left.is_some() && right.is_some()
        }
        (both(&self.receipt_number, &other.receipt_number)
            || both(&self.trace_number, &other.trace_number))
            && self.result_code == other.result_code
            && agree(&self.terminal_id, &other.terminal_id)
            && agree(&self.trace_number, &other.trace_number)
            && agree(&self.receipt_number, &other.receipt_number)
            && agree(&self.date_mmdd, &other.date_mmdd)
            && agree(&self.time_hhmmss, &other.time_hhmmss)
            && agree(&self.amount_minor, &other.amount_minor)
            && agree(&self.currency, &other.currency)
            && agree(&self.original_trace, &other.original_trace)
    }
}

/// The terminal's last transaction before an order, against which recovery compares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Baseline {
    /// This transaction was the last one.
    Last(TransactionIdentity),
    /// The terminal answered that it has none (its code).
    Empty {
        /// Result code of that answer.
        code: u8,
    },
    /// The protocol cannot say; an order in doubt will need a person.
    Unavailable,
}

/// What an order does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OrderKind {
    /// Money from a card.
    Payment,
    /// Money to a card.
    Refund,
    /// An earlier transaction taken back.
    Reversal,
    /// The terminal's day closed.
    DayClose,
}

/// The terminal's statement that an order succeeded: the evidence to be journalled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// The attempt it answers.
    pub attempt: AttemptId,
    /// What was ordered.
    pub kind: OrderKind,
    /// Amount as ordered; checked against the terminal's own figure.
    pub amount: Amount,
    /// Identity of the transaction at the terminal; its receipt number is needed to reverse it.
    pub identity: TransactionIdentity,
    /// Card scheme as the terminal names it ("MasterCard").
    pub scheme: Option<String>,
    /// Last four digits of the card.
    pub card: Option<CardDigits>,
}

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

/// What a terminal and its protocol can do. Honest by design: the kiosk shows staff what a
/// terminal cannot recover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capabilities {
    /// Protocol name for people.
    pub protocol: &'static str,
    /// How an order in doubt can be resolved.
    pub recovery: RecoveryMeans,
    /// The kiosk can ask for more time before acknowledging an approval.
    pub can_hold: bool,
    /// The kiosk can refuse an approval and the terminal takes the money back.
    pub can_reject: bool,
    /// A running order can be aborted.
    pub can_abort: bool,
    /// An earlier transaction can be reversed.
    pub can_reverse: bool,
    /// Money can be given to a card.
    pub can_refund: bool,
    /// The terminal's day can be closed from the kiosk.
    pub can_close_day: bool,
    /// Digits of the amount field.
    pub amount_digits: u8,
}

/// How an order in doubt can be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum RecoveryMeans {
    /// By an enquiry for the last transaction; it must come before any other order.
    LastTransaction,
    /// Not by the protocol; a person compares the terminal's slip.
    Nobody,
}

/// Totals of one card scheme in an end of day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemeTotal {
    /// Scheme name.
    pub scheme: String,
    /// Number of transactions.
    pub count: u32,
    /// Total in minor units.
    pub total_minor: u64,
}

/// What a terminal said when its day was closed: compare with the journal's own totals.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct EndOfDayReport {
    /// Total of the day in minor units.
    pub total_minor: Option<u64>,
    /// Currency of the total.
    pub currency: Option<Currency>,
    /// First receipt number of the day.
    pub first_receipt: Option<u16>,
    /// Last receipt number of the day.
    pub last_receipt: Option<u16>,
    /// Totals by scheme, as far as the terminal gives them.
    pub schemes: Vec<SchemeTotal>,
    /// Trace number of the day close.
    pub trace_number: Option<u32>,
}

impl EndOfDayReport {
    /// Difference terminal minus journal in minor units; `None` if the terminal gave no total or
    /// another currency. Zero means the day reconciles.
    pub fn difference_minor(&self, journal_total: Amount) -> Option<i128> {
        if self
            .currency
            .is_some_and(|currency| currency != journal_total.currency)
        {
            return None;
        }
        self.total_minor
            .map(|total| i128::from(total) - i128::from(journal_total.minor))
    }
}

/// State of the link to the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// Connected, registered, usable.
    Up {
        /// Terminal id if it gave one.
        terminal_id: Option<String>,
    },
    /// Not connected; the driver keeps trying.
    Down {
        /// What failed, for staff; holds no card data.
        why: String,
    },
}

/// What a driver tells the kiosk. Delivered on the driver's thread: hand it on, do not work in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalEvent {
    /// The link changed.
    Link(LinkState),
    /// The terminal is ready; journal the baseline with the order, then arm and send.
    Prepared {
        /// Attempt asked for.
        attempt: AttemptId,
        /// Last transaction now.
        baseline: Baseline,
    },
    /// The terminal is not ready; no money moved.
    NotPrepared {
        /// Attempt asked for.
        attempt: AttemptId,
        /// Why.
        why: NotReady,
    },
    /// Something to show the shopper.
    Prompt {
        /// Running attempt.
        attempt: AttemptId,
        /// What to do.
        prompt: ShopperPrompt,
    },
    /// The terminal approved and waits: make this durable, then call `approval_stored`, or
    /// `approval_refused` if it cannot be stored. The money is not taken yet on terminals with
    /// [`Capabilities::can_reject`].
    ApprovalPending {
        /// Evidence to journal.
        approval: Approval,
    },
    /// An order ended.
    Finished {
        /// The attempt.
        attempt: AttemptId,
        /// How.
        outcome: Outcome,
    },
    /// The terminal will not abort any more; the order goes on.
    AbortRefused {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Answer to `recover`.
    Recovered {
        /// The attempt.
        attempt: AttemptId,
        /// What became of it.
        recovered: Recovered,
    },
    /// Answer to `status`, also sent when a routine enquiry shows a change.
    Status(TerminalStatus),
    /// Answer to `end_of_day`.
    EndOfDay {
        /// The attempt.
        attempt: AttemptId,
        /// The report, or why there is none (`Unknown`: look at the terminal's own slip).
        result: Result<EndOfDayReport, Outcome>,
    },
    /// Lines the terminal wanted printed, with every card number masked.
    ReceiptLines {
        /// Text lines.
        lines: Vec<String>,
    },
    /// The terminal approved something nobody ordered; it was sent back. Tell staff.
    StrayApproval {
        /// What it was.
        seen: TransactionIdentity,
    },
    /// The terminal sent an unmasked card number. It was masked before anything saw it; the
    /// terminal is configured wrongly and must be fixed (PCI DSS 3.4.1).
    UnmaskedCardNumber,
}

/// The command was not queued and nothing will be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandRefused {
    /// The driver's thread has ended. Restart the driver.
    #[error("the card terminal driver has stopped; restart it")]
    Stopped,
    /// Too many commands wait. Retry in a moment.
    #[error("the card terminal driver is busy; try again in a moment")]
    QueueFull,
    /// The proof did not fit.
    #[error(transparent)]
    Proof(#[from] ProofMismatch),
}
