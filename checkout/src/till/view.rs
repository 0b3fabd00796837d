//! What the screen shows: plain data, no text, no money strings. Pure function of till and time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{
    DeclineReason, DeviceKind, DeviceState, Doubt, NotStartedReason, ScanRefusal, StoreFault,
    TerminalPrompt,
};
use super::order::{OrderEnded, OrderView};
use super::printed::{PrintOutcome, Unprinted};
use super::sale::{Sale, Tender, TenderKind};
use super::state::{AttemptId, Lang, Parked, QrOffer, Review, StaffId};
use crate::basket::{BasketError, Line};
use crate::item::Item;
use crate::money::Money;
use crate::pricing::{AppliedDiscount, PricedLine, PricingError, TaxTotal};
use crate::unit::TypedFault;

/// Everything one frame needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Which screen, with its own data.
    pub screen: Screen,
    /// The language to show it in.
    pub lang: Lang,
    /// The basket; empty outside a visit.
    pub basket: BasketView,
    /// A short message over the screen.
    pub notice: Option<Notice>,
    /// When the screen changes by itself. `None` when it does not, or not visibly.
    pub deadline: Option<Deadline>,
    /// Help was called and nobody has dealt with it.
    pub help_called: bool,
    /// Who is signed in.
    pub staff: Option<StaffId>,
    /// Devices that are not simply up.
    pub devices: BTreeMap<DeviceKind, DeviceState>,
    /// Writing to disk fails; how.
    pub storage: Option<StoreFault>,
    /// What staff ordered of the card terminal, while it runs or is in doubt.
    pub order: Option<OrderView>,
    /// How their last order ended; gone with the next one and when they sign out.
    pub order_ended: Option<OrderEnded>,
    /// Open reviews and unproven receipts, for the mark on the staff button.
    pub staff_items: u32,
}

/// A moment on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deadline {
    /// When, in monotonic milliseconds.
    pub at_mono_ms: u64,
    /// How long the whole span is, for a bar.
    pub span_ms: u64,
}

/// The screens, with what only they show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Screen {
    /// "Touch to start, or scan the first item".
    Attract {
        /// Baskets that can be fetched by code.
        parked: u32,
    },
    /// Grid, search, basket.
    Shop,
    /// A weighed item waits for its weight.
    Weigh {
        /// The item.
        item: Box<Item>,
    },
    /// One code, several items.
    Choose {
        /// To choose from.
        items: Vec<Item>,
    },
    /// A person has to look at the shopper's age.
    AgeCheck {
        /// The age asked for.
        min_age: u8,
    },
    /// How would you like to pay?
    Pay(Box<PayView>),
    /// Card at the terminal.
    Card {
        /// The attempt.
        attempt: AttemptId,
        /// What is asked.
        amount: Money,
        /// How far it is.
        step: CardStep,
    },
    /// The result of a card payment is not known: do not pay again.
    Unknown {
        /// The attempt.
        attempt: AttemptId,
        /// What was asked.
        amount: Money,
        /// How often the terminal was asked what happened.
        asked: u32,
        /// The terminal has another payment: a person must decide.
        needs_staff: bool,
        /// Why it is in doubt.
        why: Option<Doubt>,
        /// How far its claim slip is; `None` when none was asked for.
        slip: Option<PrintOutcome>,
    },
    /// QR code.
    Qr(Box<QrView>),
    /// Less than was asked arrived: the rest is due.
    Underpaid(Box<UnderpaidView>),
    /// The bank is asked about earlier codes before another way to pay begins.
    BankCheck(Box<BankCheckView>),
    /// Pay a person in cash.
    Cash {
        /// The attempt.
        attempt: AttemptId,
        /// What to hand over, rounded to coins.
        amount: Money,
        /// The same before rounding.
        exact: Money,
    },
    /// Paid, or nearly: being written to disk.
    Saving {
        /// The attempt that brought the money, if one did.
        attempt: Option<AttemptId>,
    },
    /// Paid; the receipt.
    Paid(Box<PaidView>),
    /// The exit tap.
    Tap {
        /// The sale above the faces.
        paid: Box<PaidView>,
        /// The face just tapped, while it is being written.
        chosen: Option<u8>,
    },
    /// Why?
    Reasons {
        /// The face tapped.
        face: u8,
        /// Reason keys in the order to show.
        reasons: Vec<String>,
    },
    /// Thank you.
    Thanks {
        /// The sale, for a last look at the receipt state.
        paid: Box<PaidView>,
    },
    /// A person is coming.
    Help {
        /// Since when, monotonic.
        since_mono_ms: u64,
    },
    /// Are you still there? The basket is parked at the deadline.
    Idle,
    /// The basket is put aside under this code.
    Parked {
        /// The code.
        code: String,
        /// Until when it can be fetched, unix milliseconds.
        until_wall_ms: i64,
        /// Money taken for it already.
        tendered: Money,
    },
    /// For staff.
    Staff(Box<StaffView>),
    /// This kiosk cannot sell now.
    OutOfOrder {
        /// Why.
        fault: StoreFault,
        /// There is a basket, and it is kept.
        basket_kept: bool,
        /// An attempt is under way, and it is kept.
        attempt: Option<AttemptId>,
    },
}

/// The basket as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BasketView {
    /// Lines in basket order.
    pub lines: Vec<LineView>,
    /// Promotions that gave something.
    pub discounts: Vec<AppliedDiscount>,
    /// VAT by rate.
    pub taxes: Vec<TaxTotal>,
    /// Coupons entered.
    pub coupons: Vec<String>,
    /// Coupons entered that give nothing (yet).
    pub unused_coupons: Vec<String>,
    /// Sum of the lines before discounts.
    pub subtotal: Money,
    /// Sum of the discounts.
    pub discount: Money,
    /// Sum of the deposits.
    pub deposit: Money,
    /// Sum of VAT.
    pub tax: Money,
    /// To pay.
    pub total: Money,
    /// Money taken so far.
    pub tendered: Money,
    /// Things a shopper would count.
    pub item_count: u32,
    /// Why the basket has no price; then all amounts are zero and it cannot be paid.
    pub fault: Option<PricingError>,
}

/// One line as shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// What it is.
    pub line: Line,
    /// What it costs; `None` when the basket has no price.
    pub priced: Option<PricedLine>,
}

/// The pay screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayView {
    /// What is still due by card or QR.
    pub due: Money,
    /// What is still due in cash.
    pub cash_due: Money,
    /// The part chosen for the next tender, if not all.
    pub part: Option<Money>,
    /// What can be chosen, in the shop's order.
    pub options: Vec<TenderOption>,
    /// Money taken so far.
    pub tenders: Vec<Tender>,
    /// The printer does not work: the sale is possible, the receipt comes as a code.
    pub printer_down: bool,
}

/// One tender button.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderOption {
    /// Which.
    pub kind: TenderKind,
    /// Whether it can be chosen.
    pub available: Availability,
}

/// Whether a tender can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// Yes.
    Yes,
    /// Its device or bank cannot be reached.
    DeviceDown,
    /// A payment on it is in doubt; staff must decide first.
    Locked,
    /// So many unpaid codes are watched that no new one is shown; staff must look.
    TooManyOpen,
    /// The account QR codes pay has changed; staff must agree first.
    PayeeDiffers,
}

/// How far a card payment is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CardStep {
    /// The terminal is being made ready.
    Preparing,
    /// The terminal was asked; what it wants of the shopper.
    Running(TerminalPrompt),
    /// The shopper cancelled; the terminal still has to agree.
    Cancelling,
    /// Approved; being written and confirmed.
    Confirming,
}

/// The QR screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QrView {
    /// The attempt.
    pub attempt: AttemptId,
    /// What is asked.
    pub amount: Money,
    /// The code in the transfer.
    pub order_code: String,
    /// The offer; `None` until it is made and on disk.
    pub offer: Option<Box<QrOffer>>,
    /// How far it is.
    pub step: QrStep,
    /// When the bank was last asked and answered, monotonic.
    pub checked_mono_ms: Option<u64>,
    /// How the bank answers.
    pub link: BankLink,
    /// Whether more time can be asked for.
    pub can_extend: bool,
    /// Only staff can say that it was paid.
    pub by_staff: bool,
}

/// How well the bank can be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankLink {
    /// It answers.
    #[default]
    Fresh,
    /// Who asks it for us answers, the bank itself is slow.
    Slow,
    /// Nobody who could ask it can be reached.
    Unreachable,
}

/// The screen after a transfer that was too small.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderpaidView {
    /// The attempt it came for.
    pub attempt: AttemptId,
    /// Its code in the transfer.
    pub order_code: String,
    /// What was asked.
    pub asked: Money,
    /// What arrived for it.
    pub received: Money,
    /// What is still due by card or QR.
    pub due: Money,
    /// What is still due in cash.
    pub cash_due: Money,
    /// How the rest can be paid, in the shop's order.
    pub options: Vec<TenderOption>,
}

/// The screen while the bank is asked about earlier codes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankCheckView {
    /// How the shopper wants to pay next.
    pub kind: TenderKind,
    /// Codes the bank has not answered about.
    pub order_codes: Vec<String>,
    /// Nobody can ask the bank for us: staff must look.
    pub by_staff: bool,
    /// The bank did not answer in time: the shopper may wait, or go on.
    pub silent: bool,
    /// How the bank answers.
    pub link: BankLink,
}

/// How far a QR payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QrStep {
    /// The offer is being made.
    Preparing,
    /// Scan it; waiting for the bank.
    Waiting,
    /// Its time is over: did you pay?
    Checking,
    /// Cancelling; asking the bank a last time.
    Cancelling,
}

/// The sale on the screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaidView {
    /// The sale.
    pub sale: Box<Sale>,
    /// How far its receipt is; `None` when none was asked for.
    pub print: Option<PrintOutcome>,
    /// The receipt should be offered as a code, because paper is not certain.
    pub offer_e_receipt: bool,
    /// More than due arrived by transfer; staff give it back.
    pub over: Option<Money>,
}

/// The staff screen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StaffView {
    /// Baskets put aside.
    pub parked: Vec<Parked>,
    /// Money to decide about.
    pub reviews: Vec<Review>,
    /// Receipts nobody proved.
    pub unprinted: Vec<Unprinted>,
    /// Offers still watched.
    pub watched: u32,
    /// The screen the shopper is on.
    pub visit_open: bool,
}

/// A short message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Notice {
    /// A scan was not taken.
    Scan(ScanRefusal),
    /// The basket did not take it.
    Basket(BasketError),
    /// The item has no price today.
    NoPrice {
        /// The item's name.
        item: String,
    },
    /// The label is past its expiry date: it is not sold.
    Expired {
        /// The item's name.
        item: String,
    },
    /// The basket cannot be priced.
    Pricing(PricingError),
    /// Nothing to pay for yet.
    EmptyBasket,
    /// A coupon was taken.
    CouponTaken {
        /// The coupon.
        code: String,
    },
    /// No such coupon.
    CouponUnknown,
    /// The coupon does not count at this time.
    CouponNotNow,
    /// Prices are fixed now: money was taken already.
    MoneyTaken,
    /// That tender cannot be used now.
    TenderUnavailable {
        /// Which.
        kind: TenderKind,
        /// Why.
        why: Availability,
    },
    /// The card was declined; nothing was charged.
    Declined {
        /// Why.
        reason: DeclineReason,
    },
    /// The payment did not start; nothing was charged.
    NotStarted {
        /// How.
        kind: TenderKind,
        /// Why.
        reason: NotStartedReason,
    },
    /// Found out: the card was not charged; pay again.
    NotCharged {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Found out: the card was charged and the terminal gave it back; pay again.
    Voided {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Less than asked arrived; the rest is due.
    PaidPart {
        /// What arrived.
        received: Money,
        /// What is still due.
        due: Money,
    },
    /// More than due arrived; staff will give it back.
    PaidOver {
        /// How much more.
        over: Money,
    },
    /// The offer was left; if money still arrives, staff will see it.
    StillWatching {
        /// The code in the transfer.
        order_code: String,
    },
    /// Staff refused the age; the items were taken out.
    AgeRefused,
    /// The weight staff typed cannot be.
    WeightWrong(TypedFault),
    /// Cash was not taken.
    CashRefused,
    /// The amount staff entered cannot be.
    CashAmountWrong,
    /// The voucher paid this much.
    VoucherTaken {
        /// What it paid.
        paid: Money,
        /// What is on a new voucher.
        rest: Money,
    },
    /// No voucher with this code can be used.
    VoucherUnknown,
    /// A voucher pays once everything is in the basket.
    VoucherAtPay,
    /// This money cannot become a voucher.
    NoVoucher,
    /// The bank's reference is missing, or was used before.
    ReferenceWrong,
    /// So many transfers wait to be looked up that no more are taken on a person's word.
    TooManyUnconfirmed,
    /// No parked basket has this code.
    ParkedNotFound,
    /// The code was wrong too often; wait a little.
    TooManyCodes,
    /// There is a basket here already.
    BasketInTheWay,
    /// A person must help with this.
    StaffNeeded,
    /// Only staff can do this.
    StaffOnly,
    /// The kiosk restarted; everything is still here.
    Restarted,
}
