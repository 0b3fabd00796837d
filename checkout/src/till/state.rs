//! What a till must still know after a power cut: written as one row with every batch of facts.

use std::collections::VecDeque;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::event::{
    AttemptDecision, CardApproval, Credit, DeclineReason, Doubt, NotStartedReason, Recovery,
};
use super::fact::AddedBy;
use super::order::{CardOrder, OrderKind};
use super::printed::{PrintOutcome, PrintRecord, SlipRecord, Unprinted};
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
    /// QR offers off the screen that money may still arrive for; at most [`WATCHED_MAX`]. Unpaid
    /// ones are never dropped: with that many open no new code is shown.
    pub watched: Vec<Watched>,
    /// Money that belongs to no sale yet; shown to staff until decided.
    pub reviews: Vec<Review>,
    /// Receipts nobody proved to be printed; at most [`UNPRINTED_MAX`].
    pub unprinted: Vec<Unprinted>,
    /// Transfers staff saw and the bank has not confirmed to this kiosk; at most [`UNCONFIRMED_MAX`].
    pub unconfirmed: Vec<Unconfirmed>,
    /// Vouchers that can still be redeemed; at most [`VOUCHERS_MAX`].
    pub vouchers: Vec<Voucher>,
    /// Whom QR codes pay, as a person last agreed to; empty before the first start with one.
    pub payee: Option<String>,
    /// Credits counted already, the newest last; at most [`SEEN_CREDITS_MAX`].
    pub seen_credits: VecDeque<String>,
    /// Card attempts that are over, the newest last; at most [`CLOSED_CARDS_MAX`].
    pub closed_cards: VecDeque<ClosedCard>,
    /// The card attempt that staff settled last, while the terminal's own word about it is wanted.
    pub settled: Option<Box<Settled>>,
    /// What staff ordered of the card terminal, until it is known how it ended.
    pub order: Option<Box<CardOrder>>,
    /// The payment the terminal last refused to reverse: it can only be refunded.
    pub irreversible: Option<AttemptId>,
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

    /// Claim slips this state holds no end of.
    pub fn open_slips(&self) -> impl Iterator<Item = PrintJobId> + '_ {
        let open = |outcome| matches!(outcome, PrintOutcome::Queued | PrintOutcome::Printing);
        let attempts = self.visit.iter().flat_map(|visit| &visit.attempts);
        let slips = attempts.filter_map(|attempt| attempt.slip.as_ref());
        slips.filter_map(move |slip| open(slip.outcome).then_some(slip.job))
    }

    /// The same as [`recall_prints`](TillState::recall_prints) for claim slips.
    pub fn recall_slips(&mut self, known: impl Fn(PrintJobId) -> Option<PrintOutcome>) {
        let attempts = self.visit.iter_mut().flat_map(|visit| &mut visit.attempts);
        for slip in attempts.filter_map(|attempt| attempt.slip.as_mut()) {
            let open = matches!(slip.outcome, PrintOutcome::Queued | PrintOutcome::Printing);
            if open && let Some(known) = known(slip.job) {
                slip.outcome = known;
            }
        }
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
/// Most offers off the screen watched at once.
pub const WATCHED_MAX: usize = 200;
/// Most paid offers among them, watched for a second transfer; the oldest gives way.
pub const PAID_WATCHED_MAX: usize = 100;
/// Most transfers on a person's word at once; after that staff must look at the bank's list first.
pub const UNCONFIRMED_MAX: usize = 200;
/// Most vouchers open at once; after that money in review is given back another way.
pub const VOUCHERS_MAX: usize = 200;
/// Most unproven receipts remembered.
pub const UNPRINTED_MAX: usize = 50;
/// Most credit ids remembered.
pub const SEEN_CREDITS_MAX: usize = 500;
/// Most finished card attempts remembered.
pub const CLOSED_CARDS_MAX: usize = 50;
/// Most moments kept of one attempt.
pub const HISTORY_MAX: usize = 24;
/// Most claim slips printed for one attempt, the original included.
pub const SLIPS_MAX: u32 = 9;
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
    pub give_back: u64,
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
    /// Card: what happened, oldest first, as evidence for whoever has to decide; at most [`HISTORY_MAX`].
    #[serde(default)]
    pub history: Vec<Moment>,
    /// Card: the claim slip printed while it was in doubt.
    #[serde(default)]
    pub slip: Option<SlipRecord>,
}

/// One thing that happened to a card attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// When, unix milliseconds (untrusted); the last time, where it happened several times in a row.
    pub wall_ms: i64,
    /// What.
    pub step: Step,
    /// How often in a row.
    pub times: u32,
}

/// What happened to a card attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// The terminal was about to be asked for money.
    Armed,
    /// The terminal approved; the approval went to the disk.
    Approved,
    /// The approval was on disk, and the terminal was told so.
    Confirmed,
    /// From here on nobody knew.
    InDoubt(Doubt),
    /// The terminal answered what became of it, without ending the doubt.
    Answered(Recovery),
}

/// A card attempt that staff settled. The terminal is asked once more all the same: its word may be another one, and
/// a driver in doubt lets no other payment through before it was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its visit.
    pub visit: VisitId,
    /// How much was asked, in minor units.
    pub amount_minor: i64,
    /// What staff decided.
    pub decision: AttemptDecision,
    /// The terminal's last transaction before it.
    pub baseline: Option<String>,
    /// The approval, if one was seen.
    pub approval: Option<CardApproval>,
    /// What was ordered.
    #[serde(default)]
    pub kind: OrderKind,
}

impl Attempt {
    /// QR: the sum of what arrived for it.
    pub fn received_minor(&self) -> i64 {
        let credits = self.credits.iter().map(|credit| credit.amount.minor);
        credits.fold(0, i64::saturating_add)
    }
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
    /// Found out: charged, and given back by the terminal.
    Voided,
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
                | Self::Voided
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

/// An offer off the screen: left behind, or paid and watched for a second transfer.
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
    /// All that was asked has arrived.
    #[serde(default)]
    pub paid: bool,
    /// Its credits that were counted, for as long as the bank side may tell of them again: after
    /// a restart it does, and `seen_credits` may have room for younger ones only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credits: Vec<String>,
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
    /// Whether it brought its money, or, where it gave back, whether it did.
    pub paid: bool,
    /// What was ordered.
    #[serde(default)]
    pub kind: OrderKind,
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
    /// QR: the code in the transfer, as far as known.
    #[serde(default)]
    pub order_code: Option<String>,
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
    /// A person had said paid, and the terminal knows of no such payment. The amount is negative: the shop lacks it.
    Unpaid,
    /// A second transfer for an offer that was paid in full.
    Duplicate,
    /// A transfer in another currency than the shop's; its amount stands in the reference.
    WrongCurrency,
    /// A voucher's time is over, and nobody has used it.
    VoucherExpired,
    /// The terminal gave money back where it, or a person, had said not. The amount is negative: the shop lacks it.
    GaveBack,
    /// A person had said that money went back, and the terminal knows of no such thing: it is still here.
    NotGivenBack,
}

impl ReviewKind {
    /// Whether its money may be given out as a voucher: a card is paid back at its terminal, and
    /// foreign money has no amount here.
    pub fn may_be_voucher(self) -> bool {
        !matches!(
            self,
            ReviewKind::Contradiction
                | ReviewKind::Unpaid
                | ReviewKind::WrongCurrency
                | ReviewKind::GaveBack
                | ReviewKind::NotGivenBack
        )
    }
}

/// A transfer a member of staff saw in the bank's own app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unconfirmed {
    /// The attempt it paid.
    pub attempt: AttemptId,
    /// Its visit.
    pub visit: VisitId,
    /// The code in the transfer.
    pub order_code: String,
    /// How much.
    pub amount_minor: i64,
    /// The bank's reference, as staff typed it.
    pub reference: String,
    /// When, unix milliseconds (untrusted).
    pub confirmed_wall_ms: i64,
    /// What the bank's list said; `None` until somebody looked.
    pub looked_up: Option<bool>,
}

/// Money of a shopper, kept under a code that pays once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voucher {
    /// The code, 10 characters.
    pub code: String,
    /// How much.
    pub amount_minor: i64,
    /// The review it came out of.
    pub review: ReviewId,
    /// When, unix milliseconds (untrusted).
    pub issued_wall_ms: i64,
    /// Until when it pays; after that it is money to decide about again.
    pub until_wall_ms: i64,
}
