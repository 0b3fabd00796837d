//! What happened at a till, in the words of the shop; the journal maps each to its event.

use serde::{Deserialize, Serialize};

use super::event::{
    AttemptDecision, CardApproval, Credit, DeclineReason, DeviceKind, DeviceState, Doubt,
    NotStartedReason, PrinterFault, ReviewDecision, ScanRefusal,
};
use super::order::{CardPayment, OrderKind};
use super::sale::{Sale, TenderKind};
use super::state::{AttemptId, Lang, PrintJobId, Review, ReviewId, StaffId, VisitCounts, VisitId};
use super::terminal_day::TerminalDayEnd;
use crate::basket::LineId;
use crate::clock::{LocalDate, Now};
use crate::item::ItemId;
use crate::unit::Quantity;

/// One recorded fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// When it happened (not when it was written).
    pub at: Now,
    /// The visit it belongs to.
    pub visit: Option<VisitId>,
    /// What happened.
    pub what: What,
}

/// Which part of the visit the shopper was in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names are those of the screens")]
pub enum Place {
    Attract,
    Shop,
    Age,
    Pay,
    Card,
    Qr,
    Cash,
    Unknown,
    Paid,
    Tap,
    Reasons,
    Thanks,
    Parked,
}

/// Why a visit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisitEnd {
    /// With a sale.
    Bought,
    /// The basket was put aside.
    Parked,
    /// The shopper gave it up.
    Abandoned,
    /// Nobody was there, and the basket was empty.
    Idle,
    /// It was empty and gave way to a parked basket.
    Resumed,
}

/// How an item came into the basket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddedBy {
    /// Scanned.
    Scan,
    /// Chosen on the screen.
    Screen,
}

/// Why the cash drawer was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrawerReason {
    /// For a payment in cash.
    Cash,
    /// Without a payment: change, counting.
    NoSale,
}

/// What happened. Amounts are minor units of the shop's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    missing_docs,
    reason = "field names are the vocabulary; variants are documented"
)]
pub enum What {
    /// The till started and found a state to go on from.
    Restarted {
        visit_restored: bool,
        attempts_in_doubt: u32,
    },
    /// First touch or scan.
    VisitStarted { lang: Lang },
    /// Back to the attract screen.
    VisitEnded {
        why: VisitEnd,
        duration_ms: i64,
        counts: VisitCounts,
    },
    /// Another language.
    LanguageChanged { lang: Lang },
    /// Into the basket.
    ItemAdded {
        line: LineId,
        item: ItemId,
        code: String,
        quantity: Quantity,
        by: AddedBy,
        /// Who typed the quantity, where a person did.
        typed_by: Option<StaffId>,
    },
    /// An item waits for its weight, and with it for a person.
    WeightAsked { item: ItemId, code: String },
    /// A member of staff came to weigh it.
    WeightAnswered { wait_ms: i64, staff: StaffId },
    /// It is not weighed after all and stays out of the basket.
    WeightLeft { item: ItemId },
    /// Another quantity.
    QuantityChanged {
        line: LineId,
        item: ItemId,
        from: Quantity,
        to: Quantity,
    },
    /// Out of the basket.
    ItemRemoved {
        line: LineId,
        item: ItemId,
        quantity: Quantity,
        by_staff: Option<StaffId>,
    },
    /// A scan that was not taken.
    ScanRefused { reason: ScanRefusal, place: Place },
    /// A coupon taken.
    CouponAdded { code: String },
    /// A coupon taken out.
    CouponRemoved { code: String },
    /// Help was called.
    HelpCalled { place: Place },
    /// Somebody came.
    HelpAnswered { wait_ms: i64, staff: StaffId },
    /// Help ended, with or without somebody.
    HelpEnded { wait_ms: i64, answered: bool },
    /// Staff looked at the shopper's age.
    AgeChecked {
        min_age: u8,
        approved: bool,
        staff: StaffId,
    },
    /// Paying began.
    PayStarted { total_minor: i64, item_count: u32 },
    /// Back to the basket.
    PayLeft,
    /// A tender was chosen.
    TenderChosen { kind: TenderKind, amount_minor: i64 },
    /// A try at a tender begins; nothing was asked yet.
    AttemptIntended {
        attempt: AttemptId,
        kind: TenderKind,
        amount_minor: i64,
        order_code: Option<String>,
    },
    /// The terminal is about to be asked for money.
    AttemptArmed {
        attempt: AttemptId,
        amount_minor: i64,
        baseline: String,
    },
    /// The terminal approved.
    AttemptApproved {
        attempt: AttemptId,
        amount_minor: i64,
        approval: CardApproval,
    },
    /// The QR offer is about to be shown.
    OfferReady {
        attempt: AttemptId,
        amount_minor: i64,
        order_code: String,
    },
    /// More time for an offer.
    OfferExtended { attempt: AttemptId },
    /// Another way to pay was begun although the bank had not answered about these offers.
    OffersUnasked { attempts: Vec<AttemptId> },
    /// The offer's screen was left; the offer is watched.
    OfferLeft { attempt: AttemptId },
    /// The late window of an offer is over without more money.
    WatchEnded { attempt: AttemptId },
    /// A transfer arrived.
    CreditReceived { attempt: AttemptId, credit: Credit },
    /// A member of staff saw the transfer in the bank's own app; the bank has not said so to us.
    TransferSeen {
        attempt: AttemptId,
        amount_minor: i64,
        reference: String,
        staff: StaffId,
    },
    /// A transfer on a person's word was found in the bank's list, or was not.
    TransferSettled {
        attempt: AttemptId,
        amount_minor: i64,
        arrived: bool,
        /// `None`: the bank itself told us.
        staff: Option<StaffId>,
    },
    /// A voucher was made; its code pays once.
    VoucherIssued {
        review: ReviewId,
        amount_minor: i64,
        until_wall_ms: i64,
    },
    /// A voucher was used up; what it had beyond the amount due is a new one.
    VoucherRedeemed {
        review: ReviewId,
        attempt: AttemptId,
        amount_minor: i64,
        rest_minor: i64,
    },
    /// Whom QR codes pay: noted at the first start, or agreed to by a person.
    PayeeAccepted { staff: Option<StaffId> },
    /// The configured account is another than the one agreed to; no code is shown.
    PayeeDiffers,
    /// The attempt brought its money.
    AttemptPaid {
        attempt: AttemptId,
        kind: TenderKind,
        amount_minor: i64,
    },
    /// Declined, for certain.
    AttemptDeclined {
        attempt: AttemptId,
        kind: TenderKind,
        reason: DeclineReason,
    },
    /// Never started, for certain.
    AttemptNotStarted {
        attempt: AttemptId,
        kind: TenderKind,
        reason: NotStartedReason,
    },
    /// Nobody knows what became of it.
    AttemptUnknown {
        attempt: AttemptId,
        amount_minor: i64,
        why: Doubt,
    },
    /// It became known after all.
    AttemptResolved {
        attempt: AttemptId,
        decision: AttemptDecision,
        staff: Option<StaffId>,
        note: String,
    },
    /// A claim slip of an attempt in doubt was handed to the printer.
    SlipQueued {
        attempt: AttemptId,
        job: PrintJobId,
        /// 0 for the original.
        copy_number: u32,
    },
    /// The printer proved it.
    SlipPrinted {
        attempt: AttemptId,
        job: PrintJobId,
        copy_number: u32,
    },
    /// Sent whole to a printer that can confirm nothing.
    SlipSent {
        attempt: AttemptId,
        job: PrintJobId,
        copy_number: u32,
    },
    /// It did not print.
    SlipFailed {
        attempt: AttemptId,
        job: PrintJobId,
        copy_number: u32,
        fault: PrinterFault,
    },
    /// Nobody can tell whether it printed.
    SlipUnknown {
        attempt: AttemptId,
        job: PrintJobId,
        copy_number: u32,
    },
    /// Staff order something of the card terminal; nothing was asked yet.
    OrderIntended {
        attempt: AttemptId,
        kind: OrderKind,
        /// What is to go back; 0 for a day close.
        amount_minor: i64,
        of: Option<CardPayment>,
        staff: StaffId,
    },
    /// Money of a card payment went back to the card.
    CardGivenBack {
        attempt: AttemptId,
        kind: OrderKind,
        amount_minor: i64,
        of: CardPayment,
        business_date: LocalDate,
        /// The terminal had taken it back before.
        already: bool,
    },
    /// The terminal is about to be asked to close its day.
    TerminalDayAsked { attempt: AttemptId },
    /// How that ended.
    TerminalDayEnded {
        attempt: AttemptId,
        end: TerminalDayEnd,
    },
    /// Cash was asked for and not taken.
    CashNotTaken { attempt: AttemptId },
    /// Cash was taken.
    CashTaken {
        attempt: AttemptId,
        received_minor: i64,
        change_minor: i64,
        rounding_minor: i64,
        staff: StaffId,
    },
    /// Money a person must decide about.
    ReviewOpened(Review),
    /// It was decided.
    ReviewResolved {
        review: ReviewId,
        decision: ReviewDecision,
        amount_minor: i64,
        staff: Option<StaffId>,
        note: String,
    },
    /// A sale.
    SaleCompleted(Box<Sale>),
    /// A receipt was handed to the printer.
    ReceiptQueued {
        job: PrintJobId,
        receipt_number: u64,
        copy_number: u32,
    },
    /// The printer proved it.
    ReceiptPrinted {
        job: PrintJobId,
        receipt_number: u64,
        /// 0 for the original.
        copy_number: u32,
    },
    /// Sent whole to a printer that can confirm nothing.
    ReceiptSent {
        job: PrintJobId,
        receipt_number: u64,
        /// 0 for the original.
        copy_number: u32,
    },
    /// It did not print.
    ReceiptFailed {
        job: PrintJobId,
        receipt_number: u64,
        fault: PrinterFault,
    },
    /// Nobody can tell whether it printed.
    ReceiptUnknown {
        job: PrintJobId,
        receipt_number: u64,
    },
    /// The exit tap.
    Tapped { face: u8, receipt_number: u64 },
    /// The exit tap was skipped, or timed out.
    TapSkipped {
        timed_out: bool,
        receipt_number: u64,
    },
    /// Which reasons were shown, in order, and with which chance (1 in so many).
    ReasonsShown {
        face: u8,
        shown: Vec<String>,
        one_in: u32,
    },
    /// Reasons chosen.
    ReasonsGiven { face: u8, reasons: Vec<String> },
    /// The basket was put aside.
    Parked {
        code: String,
        idle: bool,
        total_minor: i64,
        tendered_minor: i64,
    },
    /// A basket was fetched again.
    Resumed { code: String },
    /// A parked basket's time is over, or staff gave it up.
    ParkedDropped {
        code: String,
        staff: Option<StaffId>,
    },
    /// The shopper gave the basket up.
    Abandoned { lines: u32, total_minor: i64 },
    /// The idle warning was shown.
    IdleWarned { place: Place },
    /// The drawer is about to be opened; a pulse to a drawer that is open already counts too.
    DrawerOpened {
        reason: DrawerReason,
        staff: StaffId,
    },
    /// Staff signed in.
    StaffSignedIn { staff: StaffId },
    /// Staff signed out, or were signed out.
    StaffSignedOut { staff: StaffId },
    /// A device came or went.
    DeviceChanged {
        which: DeviceKind,
        state: DeviceState,
    },
}
