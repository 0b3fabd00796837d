//! What may happen to a till.

use serde::{Deserialize, Serialize};

use super::effect::Ticket;
use super::order::CardTaken;
use super::sale::{Sale, TenderKind};
use super::state::{AttemptId, Lang, PrintJobId, QrOffer, ReviewId, StaffId};
use super::terminal_day::TerminalDayEnd;
use crate::barcode::ScanFault;
use crate::basket::{BasketError, LineId};
use crate::item::Item;
use crate::money::Money;
use crate::unit::Quantity;

/// One thing that happened; handed to [`Till::step`](super::Till::step) one at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Event {
    /// Any touch that hit no control. Starts a visit on the attract screen; elsewhere it counts as input.
    Touched,
    /// The start button.
    Start,
    /// A language button.
    SetLanguage(Lang),
    /// The scanner read something.
    Scanned(Scan),
    /// The catalogue's answer to a [`LookUp`](super::Effect::LookUp).
    LookedUp {
        /// The ticket of the question.
        ticket: Ticket,
        /// The answer.
        found: LookUpResult,
    },
    /// An item chosen from the grid, from search, or among several found for one code.
    Chosen(Box<Item>),
    /// A stable weight from a scale. Used when a weight is being asked for.
    Weighed {
        /// Net weight in thousandths of the item's unit.
        quantity: Quantity,
    },
    /// New quantity for a line; zero removes it.
    SetQuantity {
        /// The line.
        line: LineId,
        /// The new quantity.
        quantity: Quantity,
    },
    /// Take a line out.
    Remove(LineId),
    /// A coupon typed in.
    EnterCoupon(String),
    /// Take a coupon out.
    RemoveCoupon(String),
    /// The pay button on the shop screen.
    Pay,
    /// Pay only this much with the next tender (minor units); `None` for all that is due.
    SetPart(Option<i64>),
    /// A tender button.
    ChooseTender(TenderKind),
    /// Leave the running tender for another one.
    CancelTender,
    /// More time for the QR offer; also "yes, I paid, keep looking", and "ask the bank again".
    ExtendOffer,
    /// Pay another way although the bank has not answered about an earlier code.
    GoOn,
    /// One step back.
    Back,
    /// "Keep it for later".
    Park,
    /// Fetch a parked basket by its code.
    Resume(String),
    /// "I am still here".
    ExtendIdle,
    /// Give the basket up.
    Abandon,
    /// Print the claim slip of the card payment in doubt.
    PrintSlip,
    /// Call staff.
    CallHelp,
    /// Help is not needed any more.
    CancelHelp,
    /// The exit tap, 1 (very bad) to 5 (very good).
    Face(u8),
    /// Reason keys chosen after the tap.
    Reasons(Vec<String>),
    /// Skip the tap, the reasons or the thanks.
    Skip,
    /// Done with this screen (paid, reasons, parked code, thanks).
    Done,
    /// Something a member of staff did.
    Staff(StaffEvent),
    /// The card terminal said something about an attempt.
    Terminal {
        /// The attempt.
        attempt: AttemptId,
        /// What it said.
        said: TerminalSaid,
    },
    /// The bank side said something about an attempt.
    Bank {
        /// The attempt.
        attempt: AttemptId,
        /// What it said.
        said: BankSaid,
    },
    /// The printer said something about a job.
    Printer {
        /// The job.
        job: PrintJobId,
        /// What it said.
        said: PrinterSaid,
    },
    /// A device came or went.
    Device {
        /// Which.
        which: DeviceKind,
        /// How it is now.
        state: DeviceState,
    },
    /// The rows of this ticket are on disk.
    Stored(Ticket),
    /// The rows of this ticket are not on disk.
    StoreFailed {
        /// The ticket.
        ticket: Ticket,
        /// Why.
        fault: StoreFault,
    },
    /// Time passed; sent at [`WakeAt`](super::Effect::WakeAt) and at least once after start.
    Tick,
}

/// What the scanner sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scan {
    /// The text, with its AIM symbology identifier if the scanner sends one.
    pub text: String,
}

impl Scan {
    /// A scan of this text.
    pub fn new(text: impl Into<String>) -> Scan {
        Scan { text: text.into() }
    }
}

/// What the catalogue knows about a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LookUpResult {
    /// No item.
    None,
    /// This item.
    One(Box<Item>),
    /// Several items share the code; the shopper chooses.
    Many(Vec<Item>),
    /// The catalogue could not be asked.
    Failed,
}

/// What staff did. Everything but signing in needs a signed-in member of staff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StaffEvent {
    /// The PIN was right (checked outside the till).
    SignedIn {
        /// An opaque staff number, no name.
        staff: StaffId,
    },
    /// Signed out.
    SignedOut,
    /// The shopper is old enough.
    AgeApproved,
    /// The shopper is not; the restricted items go.
    AgeRefused,
    /// The weight (or length) of the item that waits for one, read off a scale and typed in.
    Weighed {
        /// Net, in thousandths of the item's unit.
        quantity: Quantity,
    },
    /// The item that waits for its weight is not bought.
    WeightRefused,
    /// Cash received for the running cash tender.
    CashTaken {
        /// What was handed over, in minor units.
        received_minor: i64,
    },
    /// No cash was taken.
    CashRefused,
    /// Help was given.
    HelpDone,
    /// What really happened to an attempt whose result is unknown.
    ResolveAttempt {
        /// The attempt.
        attempt: AttemptId,
        /// The decision.
        decision: AttemptDecision,
        /// What it rests on (a slip number, the terminal's journal); at most 200 characters.
        note: String,
    },
    /// Print the claim slip of the card payment in doubt, again if it was printed already.
    PrintSlip,
    /// The transfer for the code on the screen is in the bank's own app.
    TransferSeen {
        /// The bank's reference, at least 4 letters or digits.
        reference: String,
    },
    /// A transfer that counted on a person's word was looked up in the bank's list.
    SettleUnconfirmed {
        /// The attempt.
        attempt: AttemptId,
        /// Whether it is there.
        arrived: bool,
    },
    /// Print a voucher's paper again.
    ReprintVoucher(String),
    /// The account QR codes pay has changed, and that is right.
    AcceptPayee,
    /// Money in a review was dealt with.
    ResolveReview {
        /// The review.
        review: ReviewId,
        /// The decision.
        decision: ReviewDecision,
        /// What it rests on; at most 200 characters.
        note: String,
    },
    /// Give money of a card payment back, by the card terminal.
    GiveBack {
        /// The payment, as the store has it.
        taken: Box<CardTaken>,
        /// How much, in minor units.
        amount_minor: i64,
    },
    /// Have the card terminal close its day.
    CloseTerminalDay,
    /// Give up the order that runs at the card terminal.
    CancelOrder,
    /// Take a line out for the shopper.
    VoidLine(LineId),
    /// Print this sale again, marked as a copy.
    Reprint(Box<Sale>),
    /// Open the cash drawer without a payment (change, counting).
    OpenDrawer,
    /// Fetch a parked basket, also after its time.
    ResumeParked(String),
    /// Give a parked basket up for good. Refused while money was taken for it.
    DiscardParked(String),
    /// The receipt of this sale needs no more attention.
    ForgetReceipt {
        /// The receipt number.
        receipt_number: u64,
    },
}

/// What staff found out about an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttemptDecision {
    /// The shopper was charged.
    Paid,
    /// The shopper was not charged.
    NotCharged,
    /// The shopper was charged and the terminal gave it back.
    TakenBack,
}

/// What staff did with money that belongs to no sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewDecision {
    /// Given back to the shopper.
    Refunded,
    /// Counted as takings outside a sale, by the manager's decision.
    Kept,
    /// Given to the shopper as a voucher, printed by the till.
    Voucher,
    /// Its basket is brought back and the money pays for it.
    Reopened,
    /// There was no money after all.
    NoMoney,
    /// It paid (part of) a sale; decided by the till itself.
    UsedForSale,
}

/// What the card terminal said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TerminalSaid {
    /// Registered, idle and able to pay; nothing was asked yet.
    Prepared {
        /// The terminal's last transaction, opaque to the till; recovery compares against it.
        baseline: String,
    },
    /// The payment did not start, for certain.
    NotStarted(NotStartedReason),
    /// It runs; what the shopper should do. A sign of life.
    Progress(TerminalPrompt),
    /// Approved and waiting for our confirmation.
    Approved(CardApproval),
    /// Declined, for certain; the terminal never approved this attempt.
    Declined(DeclineReason),
    /// Our confirmation was taken; the money is ours.
    Completed,
    /// No answer any more: the line is closed or garbled.
    Lost,
    /// It ended in doubt, for this reason.
    InDoubt(Doubt),
    /// The answer to [`RecoverTerminal`](super::Effect::RecoverTerminal).
    Recovered(Recovery),
    /// How closing the terminal's day ended.
    DayEnded(TerminalDayEnd),
}

/// What recovery found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Recovery {
    /// The terminal has this payment.
    Paid(CardApproval),
    /// The terminal has no such payment and will not make one.
    NotCharged,
    /// The terminal had it and gave it back.
    TakenBack,
    /// The terminal has another payment; only a person can tell.
    Foreign {
        /// Which one, in the words of the terminal's lane; opaque to the till.
        seen: String,
    },
    /// The terminal cannot be asked now; asked again later.
    Unreachable,
}

/// Why nobody knows what became of a card payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Doubt {
    /// The kiosk stopped while the terminal may have been taking money.
    Restarted,
    /// The terminal did not finish in time.
    NoAnswer,
    /// The line to the terminal was lost.
    LinkLost,
    /// The terminal approved and then said something else.
    Contradiction,
    /// The approval could not be kept in time and was sent back.
    Rejected,
    /// The terminal approved another payment than the one asked for; it was sent back.
    Mismatch,
    /// The terminal said it was done and never how.
    NoResult,
}

/// A terminal's approval, without card data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardApproval {
    /// The terminal's name for the payment (terminal id, receipt and trace number).
    pub reference: String,
    /// The approval code.
    pub approval_code: String,
    /// The card scheme, such as `NAPAS`.
    pub scheme: String,
}

/// What the terminal wants of the shopper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TerminalPrompt {
    /// Tap, insert or swipe.
    PresentCard,
    /// Enter the PIN.
    EnterPin,
    /// Wait.
    Processing,
    /// Take the card.
    RemoveCard,
    /// The terminal's own words.
    Other(String),
}

/// Why a payment never started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotStartedReason {
    /// The device or the bank cannot be reached.
    Unreachable,
    /// It is busy with something else.
    Busy,
    /// It refused to start.
    Refused,
    /// It did not answer in time, and nothing had been asked of it.
    NoAnswer,
    /// The shopper changed their mind first.
    Cancelled,
    /// The kiosk restarted first.
    Restarted,
    /// The kiosk could not write to its own disk first.
    StorageDown,
    /// The kiosk's own reader did not find the payment in the QR code it had drawn.
    CodeUnreadable,
    /// A terminal of this kind cannot be told to do that; it is done with its own keys.
    Unsupported,
}

/// Why a card was declined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeclineReason {
    /// Cancelled at the terminal or by our abort.
    Aborted,
    /// No card in time.
    NoCard,
    /// Wrong PIN.
    WrongPin,
    /// The bank said no; its code.
    Bank(String),
    /// A reversal: the payment was taken back before.
    AlreadyReversed,
    /// A reversal: the payment cannot be taken back (any more).
    ReversalImpossible,
}

/// What the bank side said. It never says "failed" for a network error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum BankSaid {
    /// An offer exists.
    Offered(QrOffer),
    /// No offer could be made; nothing was shown.
    NotOffered(NotStartedReason),
    /// The bank itself was asked and had nothing new.
    Checked {
        /// How long ago it was asked, in milliseconds.
        asked_ago_ms: u64,
    },
    /// Whoever asks the bank for us answers; the bank itself has not answered for a while.
    Slow,
    /// Nobody who could ask the bank can be reached.
    Unreachable,
    /// Money arrived: verified with the bank, never the shopper's word.
    Credit(Credit),
    /// The offer is cancelled; no money can come for it.
    Cancelled,
    /// The bank cannot say whether the offer is cancelled.
    CancelUnknown,
}

/// One verified credit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credit {
    /// The bank's own id of the credit; counted once, however often it is said.
    pub id: String,
    /// How much arrived.
    pub amount: Money,
}

/// What the printer said about a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PrinterSaid {
    /// It is on its way.
    Started,
    /// The printer proved that it printed.
    Printed,
    /// Sent whole to a printer that can confirm nothing, as its model is.
    Sent,
    /// It did not print, for certain.
    Failed(PrinterFault),
    /// Nobody can tell.
    Unknown,
}

/// Why the printer did not print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrinterFault {
    /// No paper.
    NoPaper,
    /// The cover is open.
    CoverOpen,
    /// It cannot be reached.
    Offline,
    /// Cutter, head or another fault of the device.
    Broken,
}

/// The devices a till knows about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum DeviceKind {
    Printer,
    Terminal,
    Bank,
    Scanner,
    Scale,
    Drawer,
}

/// How a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceState {
    /// It works.
    Up,
    /// It works, and soon needs a person (paper low).
    Warning,
    /// It does not work.
    Down,
}

/// Why rows could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum StoreFault {
    /// The disk is full.
    #[error("the disk is full; the till tries again by itself, free some space")]
    Full,
    /// The disk may not be written.
    #[error("the disk is read-only; trying again does not help, have the kiosk serviced")]
    ReadOnly,
    /// The disk or the database is broken.
    #[error("the disk is broken; trying again rarely helps, have the kiosk serviced")]
    Broken,
    /// Something held the database for too long.
    #[error("the database is busy; the till tries again by itself")]
    Busy,
}

/// Why a scan was not taken; also a fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ScanRefusal {
    /// The code itself is wrong.
    Code(ScanFault),
    /// No item has this code.
    UnknownItem,
    /// The catalogue did not answer.
    CatalogueDown,
    /// Items cannot be scanned on this screen.
    NotHere,
    /// Too many scans are waiting.
    TooFast,
    /// The label is past its expiry date.
    Expired,
    /// The item has no price today.
    NoPrice,
    /// The basket did not take it.
    Basket(BasketError),
}
