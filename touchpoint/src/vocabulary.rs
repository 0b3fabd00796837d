//! The facts a counter records, as typed bodies.
//!
//! Additive only: a field is never renamed, re-typed or reused; new fields are optional. Amounts are integer minor
//! units with a currency, quantities are thousandths, tax rates are basis points, times are milliseconds.
//! No body has a field for a person: no name, phone, card, account, free text.

use crate::event::{Body, Lane};
use serde::{Deserialize, Serialize};

macro_rules! bodies {
    ($($(#[$attribute:meta])* $kind:literal $lane:ident $name:ident {
        $($(#[$field_attribute:meta])* $field:ident: $type:ty,)*
    })*) => {
        $(
            $(#[$attribute])*
            #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
            pub struct $name {
                $($(#[$field_attribute])* pub $field: $type,)*
            }
            impl Body for $name {
                const KIND: &'static str = $kind;
                const LANE: Lane = Lane::$lane;
            }
        )*
        /// Every kind this version writes, with its lane.
        pub const KINDS: &[(&str, Lane)] = &[$(($kind, Lane::$lane)),*];
    };
}

/// An amount: integer minor units of an ISO 4217 currency (`{"currency":"VND","minor":68600}`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Money {
    /// Three capital letters, ISO 4217.
    pub currency: String,
    /// Minor units; VND has no decimals, so this is đồng. Negative for refunds and discounts.
    pub minor: i64,
}

/// How a tender is paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Bank notes, taken by staff.
    Cash,
    /// A card at the terminal.
    Card,
    /// A payment QR code, credited instantly.
    Qr,
    /// A bank transfer confirmed by other means.
    Transfer,
    /// A voucher or gift card.
    Voucher,
}

impl Method {
    /// The stable text form used in events, tables and the API.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Card => "card",
            Self::Qr => "qr",
            Self::Transfer => "transfer",
            Self::Voucher => "voucher",
        }
    }
}

/// What an attempt in doubt turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// The money was taken.
    Approved,
    /// The money was not taken.
    Declined,
    /// The money was taken and given back.
    Reversed,
}

/// Why a visit's exit question ended without a tap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// The shopper pressed "skip".
    Skip,
    /// Nobody answered in time.
    Timeout,
    /// The next shopper began.
    NextShopper,
}

/// Goods that have no tax rate. It is not a rate of zero, and tax reports keep the two apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxTreatment {
    /// Not subject to the tax (in Vietnam không chịu thuế).
    Exempt,
    /// The tax is neither declared nor paid on it (không kê khai, không nộp thuế).
    NotDeclared,
}

/// One line of a completed sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleLine {
    /// The shop's own item code.
    pub item_code: String,
    /// The scanned product code, if it was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    /// What the receipt called it.
    pub name: String,
    /// Thousandths of the unit: 1000 is one piece, 245 is 0.245 kg.
    pub quantity_milli: i64,
    /// Price of one whole unit in minor units.
    pub unit_price_minor: i64,
    /// Taken off this line, in minor units, zero or positive.
    #[serde(default)]
    pub discount_minor: i64,
    /// What the line costs after discount, in minor units.
    pub total_minor: i64,
    /// Tax rate in basis points: 800 is 8 %.
    pub tax_rate_basis_points: u32,
    /// How the tax law treats it; absent where there is a rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_treatment: Option<TaxTreatment>,
}

/// One tax rate of a completed sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleTax {
    /// Tax rate in basis points: 800 is 8 %.
    pub rate_basis_points: u32,
    /// How the tax law treats it; absent where there is a rate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub treatment: Option<TaxTreatment>,
    /// The amount the tax is on, in minor units, without the tax.
    pub net_minor: i64,
    /// The tax, in minor units.
    pub tax_minor: i64,
}

/// One payment of a completed sale.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleTender {
    /// How it was paid.
    pub method: Method,
    /// What it covered of the total, in minor units.
    pub amount_minor: i64,
    /// The attempt that brought it, if there was one (cash without a drawer has none).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
}

bodies! {
    /// The kiosk opened a business day. Every later event of the money lane belongs to it.
    "day.opened" Money DayOpened {
        /// `YYYY-MM-DD` in the store's time zone, fixed by the kiosk's cut-over hour.
        business_date: String,
    }
    /// A shopper began.
    "visit.started" Touchpoints VisitStarted {
        /// What began it: `touch` or `scan`.
        cause: String,
        /// BCP 47 language shown.
        language: String,
    }
    /// A visit ended and the screen went back to attract.
    "visit.ended" Touchpoints VisitEnded {
        /// `sale`, `abandoned`, `idle` or `staff`.
        cause: String,
        /// From start to end.
        duration_ms: u64,
    }
    /// The shopper chose a language.
    "language.chosen" Touchpoints LanguageChosen {
        /// BCP 47 language.
        language: String,
    }
    /// A screen was shown.
    "screen.viewed" Touchpoints ScreenViewed {
        /// The screen's name.
        screen: String,
        /// How long the one before it was shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous_dwell_ms: Option<u64>,
    }
    /// An item came into the basket.
    "item.added" Touchpoints ItemAdded {
        /// The shop's own item code.
        item_code: String,
        /// The scanned product code, if it was scanned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gtin: Option<String>,
        /// Thousandths of the unit.
        quantity_milli: i64,
        /// Price of one whole unit in minor units.
        unit_price: Money,
        /// `scan`, `touch`, `search` or `scale`.
        how: String,
        /// `staff` where a person read the weight off a scale and typed it, never who; absent for everything else.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weighed_by: Option<String>,
    }
    /// A line left the basket.
    "item.removed" Touchpoints ItemRemoved {
        /// The shop's own item code.
        item_code: String,
        /// Thousandths of the unit that left.
        quantity_milli: i64,
    }
    /// A line's quantity changed.
    "quantity.changed" Touchpoints QuantityChanged {
        /// The shop's own item code.
        item_code: String,
        /// Before, in thousandths.
        from_milli: i64,
        /// After, in thousandths.
        to_milli: i64,
    }
    /// A scan was not sold. The symbols themselves are recorded only when they are a product code.
    "scan.refused" Touchpoints ScanRefused {
        /// `unknown_item`, `bad_check_digit`, `too_long`, `control_character`, `symbology`, `age`, `recalled`.
        reason: String,
        /// Symbology name if the scanner told it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        symbology: Option<String>,
        /// How many characters were read.
        length: u32,
        /// The product code, when it is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gtin: Option<String>,
    }
    /// A search was made. The words themselves are not recorded.
    "search.performed" Touchpoints SearchPerformed {
        /// How many items were found.
        results: u32,
        /// How many characters were typed.
        length: u32,
    }
    /// The shopper called staff.
    "help.called" Touchpoints HelpCalled {
        /// `button`, `age`, `payment`, `printer`, `weight` or `unknown_item`.
        cause: String,
    }
    /// Staff answered a call. Never says who.
    "help.answered" Touchpoints HelpAnswered {
        /// The call's cause.
        cause: String,
        /// From call to answer.
        wait_ms: u64,
    }
    /// Staff checked an age limit. Never says who or how old.
    "age.checked" Touchpoints AgeChecked {
        /// The limit in years.
        limit_years: u32,
        /// True when the sale may go on.
        allowed: bool,
    }
    /// The shopper chose how to pay.
    "tender.chosen" Touchpoints TenderChosen {
        /// The chosen method.
        method: Method,
        /// What is still to pay.
        amount: Money,
    }
    /// An attempt at a tender is about to begin; durable before the world is asked.
    "attempt.intended" Money AttemptIntended {
        /// The attempt's id, unique on this kiosk.
        attempt: String,
        /// The sale it is for.
        sale: String,
        /// How it is paid.
        method: Method,
        /// What is asked for; negative where money goes back to a card.
        amount: Money,
        /// `reversal` or `refund` where money goes back; absent for a payment.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<String>,
    }
    /// The request left for the terminal, or the QR code is on the screen.
    "attempt.sent" Money AttemptSent {
        /// The attempt.
        attempt: String,
    }
    /// The bank or the terminal said the money was taken.
    "attempt.approved" Money AttemptApproved {
        /// The attempt.
        attempt: String,
        /// What was taken; negative where money went back to a card.
        amount: Money,
        /// The provider's reference, digits that look like a card masked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<String>,
    }
    /// The bank or the terminal said no money was taken.
    "attempt.declined" Money AttemptDeclined {
        /// The attempt.
        attempt: String,
        /// The provider's reason class, for example `declined`, `cancelled`, `expired`.
        reason: String,
    }
    /// Nobody can say yet whether the money was taken.
    "attempt.unknown" Money AttemptUnknown {
        /// The attempt.
        attempt: String,
        /// What left it in doubt: `power`, `timeout`, `link_lost`, `contradiction`, `rejected`, `mismatch`, `no_result`.
        reason: String,
    }
    /// An attempt in doubt was settled.
    "attempt.resolved" Money AttemptResolved {
        /// The attempt.
        attempt: String,
        /// What it turned out to be.
        outcome: Resolution,
        /// What said so: `terminal`, `bank`, `staff`.
        by: String,
    }
    /// A slip by which a shopper can ask for an attempt in doubt; recorded before it is printed, and as far as it got.
    "attempt.slip" Money AttemptSlip {
        /// The attempt.
        attempt: String,
        /// `queued`, `printed`, `sent` to a printer that can confirm nothing, `unknown`, or why it did not print: `paper_out`, `cover_open`, `offline`, `cutter`.
        state: String,
        /// True for another one of the same attempt.
        copy: bool,
    }
    /// A basket was paid in full.
    "sale.completed" Money SaleCompleted {
        /// The sale's id, random, never reused.
        sale: String,
        /// The number printed on the receipt.
        receipt_number: String,
        /// `YYYY-MM-DD`.
        business_date: String,
        /// What the shopper paid. Its currency is the currency of every amount in this body.
        total: Money,
        /// What was bought.
        lines: Vec<SaleLine>,
        /// Tax for each rate.
        taxes: Vec<SaleTax>,
        /// How it was paid. Amounts add up to the total.
        tenders: Vec<SaleTender>,
        /// Cash rounding in minor units, part of the total.
        #[serde(default)]
        rounding_minor: i64,
    }
    /// A member of staff saw the transfer in the bank's own app: the attempt counts as paid, and the bank has not said so.
    "transfer.seen" Money TransferSeen {
        /// The attempt.
        attempt: String,
        /// What counts as taken.
        amount: Money,
        /// The bank's reference as staff typed it.
        reference: String,
    }
    /// A transfer on a person's word was settled.
    "transfer.settled" Money TransferSettled {
        /// The attempt.
        attempt: String,
        /// How much of it.
        amount: Money,
        /// It had really come.
        arrived: bool,
        /// What said so: `bank`, `staff`.
        by: String,
    }
    /// Money that belongs to no sale; a person must decide.
    "review.opened" Money ReviewOpened {
        /// The review's number on this kiosk.
        review: String,
        /// `late`, `over`, `orphan`, `duplicate`, `wrong_currency`, `part_paid`, `contradiction`, `unpaid`, `voucher_expired`, `gave_back`, `not_given_back`.
        why: String,
        /// How much; zero where the amount is in another currency.
        amount: Money,
        /// The attempt it came by.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<String>,
    }
    /// It was decided. Never says who.
    "review.resolved" Money ReviewResolved {
        /// The review.
        review: String,
        /// `refunded`, `voucher`, `used_for_sale`, `kept`, `no_money`.
        outcome: String,
        /// How much.
        amount: Money,
    }
    /// A voucher was made. Its code, which is money, is not recorded here.
    "voucher.issued" Money VoucherIssued {
        /// The review it came out of.
        voucher: String,
        /// How much.
        amount: Money,
        /// Until when it pays, unix milliseconds.
        until_ms: i64,
    }
    /// A voucher was used up; what was not due is on a new one.
    "voucher.redeemed" Money VoucherRedeemed {
        /// The review it came out of.
        voucher: String,
        /// The attempt that used it.
        attempt: String,
        /// What it paid.
        amount: Money,
        /// What is on the new one.
        rest: Money,
    }
    /// The cash drawer is about to be opened; durable before the pulse. Never says who.
    "drawer.opened" Money DrawerOpened {
        /// `cash` to take a payment, `no_sale` without one.
        reason: String,
    }
    /// Money was given back for a completed sale.
    "sale.refunded" Money SaleRefunded {
        /// The sale.
        sale: String,
        /// This refund's id, unique on this kiosk.
        refund: String,
        /// `YYYY-MM-DD` of the refund.
        business_date: String,
        /// How it was given back.
        method: Method,
        /// What was given back, positive.
        amount: Money,
        /// `reversal` where the terminal took the payment back, `refund` where money went to a card.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        how: Option<String>,
        /// The attempt that gave it back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<String>,
    }
    /// The card terminal's day: about to be closed, and how that ended. Durable before the terminal is asked.
    "terminal.day" Money TerminalDay {
        /// The attempt.
        attempt: String,
        /// `intended`, `asked`, then one of `closed`, `refused`, `not_started`, `unknown`.
        state: String,
        /// Why it is not closed, or not known to be.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// What the terminal says it took less what it gave back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        total: Option<Money>,
        /// How many transactions the terminal says, in two digits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        count: Option<u32>,
    }
    /// The printer said the receipt is on paper.
    "receipt.printed" Touchpoints ReceiptPrinted {
        /// The sale.
        sale: String,
        /// How sure: `finished`, `accepted` or `assumed`.
        proof: String,
        /// True for a reprint marked as a copy.
        copy: bool,
    }
    /// The receipt was sent whole to a printer that can confirm nothing.
    "receipt.sent" Touchpoints ReceiptSent {
        /// The sale.
        sale: String,
        /// True for a reprint marked as a copy.
        copy: bool,
    }
    /// The receipt is not, or not surely, on paper.
    "receipt.failed" Touchpoints ReceiptFailed {
        /// The sale.
        sale: String,
        /// `paper_out`, `cover_open`, `offline`, `cutter`, `unknown`.
        reason: String,
    }
    /// The exit question was shown.
    "exit.prompted" Touchpoints ExitPrompted {
        /// The sale it is about.
        sale: String,
        /// The scale shown, for example `face5.v1`.
        scale_id: String,
    }
    /// The shopper tapped a face.
    "exit.tapped" Touchpoints ExitTapped {
        /// The sale it is about.
        sale: String,
        /// 0 very unhappy, 1 unhappy, 2 neither, 3 happy, 4 very happy.
        face: u8,
        /// The scale shown, for example `face5.v1`; answers on different scales are never pooled.
        scale_id: String,
        /// From question to tap.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        latency_ms: Option<u64>,
    }
    /// The exit question ended without a tap.
    "exit.skipped" Touchpoints ExitSkipped {
        /// The sale it is about.
        sale: String,
        /// Why.
        reason: SkipReason,
    }
    /// The follow-up: which reasons were shown and which were chosen.
    "exit.reasons" Touchpoints ExitReasons {
        /// The sale it is about.
        sale: String,
        /// Touchpoint ids in the order shown.
        shown: Vec<String>,
        /// Those chosen; empty when skipped.
        chosen: Vec<String>,
    }
    /// A basket was set aside under a short code.
    "basket.parked" Touchpoints BasketParked {
        /// How many lines.
        lines: u32,
        /// Its value.
        total: Money,
        /// `shopper` or `idle`.
        cause: String,
    }
    /// A parked basket was taken up again.
    "basket.resumed" Touchpoints BasketResumed {
        /// How many lines.
        lines: u32,
        /// How long it was set aside.
        parked_ms: u64,
    }
    /// A basket with items was given up.
    "basket.abandoned" Touchpoints BasketAbandoned {
        /// How many lines.
        lines: u32,
        /// Its value.
        total: Money,
        /// The screen it happened on.
        last_screen: String,
    }
    /// "Are you still there?" was shown.
    "idle.warned" Touchpoints IdleWarned {
        /// The screen it happened on.
        screen: String,
    }
    /// A device changed state.
    "device.state" Diagnostics DeviceState {
        /// `printer`, `terminal`, `scanner`, `scale`, `drawer`, `network`, `disk`.
        device: String,
        /// `ready`, `busy`, `attention`, `absent`.
        state: String,
        /// The device's own detail, for example `paper_low`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    }
    /// The program started.
    "app.started" Diagnostics AppStarted {
        /// Program version.
        version: String,
        /// How the last run ended: `clean`, `crash`, `power`.
        previous_end: String,
    }
    /// A fault worth a look at head office.
    "fault.noted" Diagnostics FaultNoted {
        /// The part that noted it.
        part: String,
        /// A short, stable code.
        fault: String,
    }
}
