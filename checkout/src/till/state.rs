//! What a till must still know after a power cut: written as one row with every batch of facts.

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::{CardApproval, Credit, DeclineReason, NotStartedReason, PrinterFault};
use super::fact::AddedBy;
use super::sale::{Sale, Tender, TenderKind};
use crate::basket::{Basket, NewLine};
use crate::clock::LocalDateTime;

/// A visit's id: 32 random hexadecimal digits, never reused, tied to nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VisitId(pub String);

/// A language code such as `vi`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Lang(pub String);

impl Lang {
    /// The language of this code.
    pub fn new(code: &str) -> Lang {
        Lang(code.to_owned())
    }
}

/// An opaque staff number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StaffId(pub String);

/// One try at a tender; contiguous per journal. Shown as `A-0142`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttemptId(pub u64);

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "A-{:04}", self.0)
    }
}

/// One job for the printer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PrintJobId(pub u64);

/// One piece of money a person must decide about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReviewId(pub u64);

/// The last durable picture of a till.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TillState {
    /// The visit on the screen.
    pub visit: Option<Visit>,
    /// Baskets put aside; at most [`PARKED_MAX`].
    pub parked: Vec<Parked>,
    /// QR offers left behind that money may still arrive for; at most [`WATCHED_MAX`].
    pub watched: Vec<Watched>,
    /// Money that belongs to no sale yet; shown to staff until decided.
    pub reviews: Vec<Review>,
    /// Receipts nobody proved to be printed; at most [`UNPRINTED_MAX`].
    pub unprinted: Vec<Unprinted>,
    /// Credits counted already, the newest last; at most [`SEEN_CREDITS_MAX`].
    pub seen_credits: VecDeque<String>,
    /// Card attempts that are over, the newest last; at most [`CLOSED_CARDS_MAX`].
    pub closed_cards: VecDeque<ClosedCard>,
    /// The last numbers given out.
    pub counters: Counters,
}

impl TillState {
    /// Print jobs this state holds no end of.
    pub fn open_prints(&self) -> impl Iterator<Item = PrintJobId> + '_ {
        let open = |outcome| matches!(outcome, PrintOutcome::Queued | PrintOutcome::Printing);
        let visit = self.visit.iter().filter_map(|visit| visit.print.as_ref());
        let on_screen = visit.map(|print| (print.job, print.outcome));
        let listed = self
            .unprinted
            .iter()
            .map(|entry| (entry.job, entry.outcome));
        let both = on_screen.chain(listed);
        both.filter_map(move |(job, outcome)| open(outcome).then_some(job))
    }

    /// What the printer's spool knows after a restart of jobs whose end this state does not hold:
    /// [`PrintOutcome::Failed`] where not one byte left, [`PrintOutcome::Printed`] where the proof
    /// came too late to be written here. Called before [`Till::new`](super::Till::new); jobs of
    /// which the spool says `None` are in doubt.
    pub fn recall_prints(&mut self, known: impl Fn(PrintJobId) -> Option<PrintOutcome>) {
        let recall = |job, outcome: &mut PrintOutcome| {
            let open = matches!(outcome, PrintOutcome::Queued | PrintOutcome::Printing);
            if open && let Some(known) = known(job) {
                *outcome = known;
            }
        };
        for entry in &mut self.unprinted {
            recall(entry.job, &mut entry.outcome);
        }
        if let Some(print) = self.visit.as_mut().and_then(|visit| visit.print.as_mut()) {
            recall(print.job, &mut print.outcome);
        }
    }
}

/// Most times a receipt of which nothing left is sent again by itself.
pub const RESENDS_MAX: u8 = 3;
/// Most baskets put aside at once.
pub const PARKED_MAX: usize = 20;
/// Most left-behind offers watched at once.
pub const WATCHED_MAX: usize = 200;
/// Most unproven receipts remembered.
pub const UNPRINTED_MAX: usize = 50;
/// Most credit ids remembered.
pub const SEEN_CREDITS_MAX: usize = 500;
/// Most finished card attempts remembered.
pub const CLOSED_CARDS_MAX: usize = 50;
/// Most attempts in one visit; after that a person has to help.
pub const ATTEMPTS_MAX: usize = 50;

/// The last numbers given out; each counts from 1.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Counters {
    pub visit: u64,
    pub receipt: u64,
    pub attempt: u64,
    pub print_job: u64,
    pub review: u64,
    pub ticket: u64,
}

/// One shopper, from first touch to the attract screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    /// Its id.
    pub id: VisitId,
    /// The shopper's language.
    pub lang: Lang,
    /// When it began, unix milliseconds (untrusted).
    pub started_wall_ms: i64,
    /// What is being bought.
    pub basket: Basket,
    /// How far it is.
    pub stage: Stage,
    /// The moment prices were fixed for paying.
    pub priced_at: Option<LocalDateTime>,
    /// Money taken so far.
    pub tenders: Vec<Tender>,
    /// Every try at a tender, oldest first.
    pub attempts: Vec<Attempt>,
    /// The attempt on the screen.
    pub active: Option<AttemptId>,
    /// The age staff confirmed.
    pub age_confirmed: Option<u8>,
    /// Whether help was called and has not come to an end, and when (unix milliseconds).
    pub help_since_wall_ms: Option<i64>,
    /// The finished sale.
    pub sale: Option<Box<Sale>>,
    /// Its receipt.
    pub print: Option<PrintRecord>,
    /// The exit tap.
    pub face: Option<u8>,
    /// What happened, counted.
    pub counts: VisitCounts,
    /// The item that waits for its weight; not in the basket yet.
    #[serde(default)]
    pub weighing: Option<Box<Weighing>>,
}

/// An item that waits for its weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weighing {
    /// The line it becomes; its quantity is not known yet.
    pub new: NewLine,
    /// How the shopper chose it.
    pub by: AddedBy,
    /// Since when, unix milliseconds (untrusted).
    pub since_wall_ms: i64,
    /// Somebody has come.
    pub answered: bool,
}

/// How far a visit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Filling the basket.
    Shop,
    /// Choosing how to pay, and paying.
    Pay,
    /// The sale is done.
    Paid,
}

/// What a visit met, for the touchpoints.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "the names say it")]
pub struct VisitCounts {
    pub scans: u32,
    pub scans_refused: u32,
    pub lines_removed: u32,
    pub attempts: u32,
    pub attempts_failed: u32,
    pub help_calls: u32,
    pub idle_warnings: u32,
    pub restarts: u32,
}

/// One try at a tender.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its number.
    pub id: AttemptId,
    /// How.
    pub kind: TenderKind,
    /// How much is asked, in minor units; never changes.
    pub amount_minor: i64,
    /// How far it is.
    pub status: AttemptStatus,
    /// When it began, unix milliseconds (untrusted).
    pub started_wall_ms: i64,
    /// Card: the terminal's last transaction before it.
    pub baseline: Option<String>,
    /// Card: the approval.
    pub approval: Option<CardApproval>,
    /// QR: the code in the transfer.
    pub order_code: Option<String>,
    /// QR: what the bank side offered.
    pub offer: Option<Box<QrOffer>>,
    /// QR: what arrived so far.
    pub credits: Vec<Credit>,
}

/// How far an attempt is. What each status says is on disk before the next step happens in the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptStatus {
    /// Nothing was asked of anybody who could take money.
    Intended,
    /// Card: the terminal may have been asked for money.
    Armed,
    /// Card: approved, being confirmed.
    Approved,
    /// QR: the offer may have been seen.
    Showing,
    /// QR: its time is over, the bank is being asked once more.
    Checking,
    /// Cash: a person is coming.
    Waiting,
    /// Nobody knows; the terminal is being asked what happened.
    Unknown,
    /// The money is ours.
    Paid,
    /// QR: less than asked arrived, and the offer was left.
    PartPaid,
    /// Declined for certain.
    Declined(DeclineReason),
    /// Never started, for certain.
    NotStarted(NotStartedReason),
    /// Found out, by recovery or by staff: not charged.
    NotCharged,
    /// QR: left behind and watched; cash: no money was taken.
    Left,
}

impl AttemptStatus {
    /// Whether the attempt is over for the visit.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Paid
                | Self::PartPaid
                | Self::Declined(_)
                | Self::NotStarted(_)
                | Self::NotCharged
                | Self::Left
        )
    }
}

/// A QR offer as the bank side made it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrOffer {
    /// The text to show as a QR code.
    pub payload: String,
    /// Who is paid, as the bank writes it.
    pub payee: String,
    /// The payee's bank.
    pub bank: String,
    /// The last digits of the payee's account.
    pub account_tail: String,
}

/// A left-behind offer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its visit.
    pub visit: VisitId,
    /// The code in the transfer.
    pub order_code: String,
    /// How much was asked.
    pub amount_minor: i64,
    /// Until when, unix milliseconds.
    pub until_wall_ms: i64,
}

/// A card attempt that is over, kept to notice a terminal that later says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedCard {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its visit.
    pub visit: VisitId,
    /// How much was asked.
    pub amount_minor: i64,
    /// Whether it brought its money.
    pub paid: bool,
}

/// A basket put aside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parked {
    /// The code the shopper fetches it with, 4 characters.
    pub code: String,
    /// When, unix milliseconds (untrusted).
    pub parked_wall_ms: i64,
    /// Until when the shopper can fetch it.
    pub until_wall_ms: i64,
    /// The visit as it was.
    pub visit: Box<Visit>,
}

/// Money a person must decide about. The amount is what the shop holds beyond its sales.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Its number.
    pub id: ReviewId,
    /// Why.
    pub kind: ReviewKind,
    /// How much, in minor units.
    pub amount_minor: i64,
    /// The attempt it came by.
    pub attempt: Option<AttemptId>,
    /// The visit it belongs to, as far as known.
    pub visit: Option<VisitId>,
    /// The bank's or terminal's name for it, or the code of the parked basket.
    pub reference: String,
    /// Since when, unix milliseconds (untrusted).
    pub opened_wall_ms: i64,
}

/// Why money is in review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewKind {
    /// A transfer arrived after the shopper had left.
    LateCredit,
    /// More arrived than was due.
    OverPaid,
    /// A transfer for an offer this kiosk does not know (any more).
    OrphanCredit,
    /// A basket was left with part of it paid.
    PartPaid,
    /// The terminal says paid where it, or a person, had said not.
    Contradiction,
}

/// The receipt of the sale on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrintRecord {
    /// The job.
    pub job: PrintJobId,
    /// 0 for the original.
    pub copy_number: u32,
    /// How far it is.
    pub outcome: PrintOutcome,
    /// How often it was sent again by itself, because nothing of it had left.
    #[serde(default)]
    pub resends: u8,
}

/// How far a receipt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PrintOutcome {
    /// Handed to the printer.
    Queued,
    /// Printing.
    Printing,
    /// Proven.
    Printed,
    /// Sent whole to a printer that can confirm nothing. No doubt that anything went wrong, and no proof.
    Sent,
    /// Not printed, for certain.
    Failed(PrinterFault),
    /// Nobody can tell.
    Unknown,
}

/// A receipt nobody proved to be printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unprinted {
    /// The receipt.
    pub receipt_number: u64,
    /// The last job.
    pub job: PrintJobId,
    /// Copies asked for so far.
    pub copies: u32,
    /// How far it is.
    pub outcome: PrintOutcome,
}
