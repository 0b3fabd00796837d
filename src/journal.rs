//! From what happened at the till to what the journal keeps.
//!
//! The till speaks the shop's words ([`checkout::till::What`]); the journal
//! speaks the wire's ([`touchpoint::vocabulary`]). This is the only place that
//! knows both, and it leaves out whatever could tell a person: no staff number
//! reaches a touchpoint, no card data reaches anything.

mod card_orders;
mod names;
mod odd_money;

pub use names::screen;

use crate::store::JournalEvent;
use checkout::till::{
    AddedBy, AttemptDecision, AttemptId, DeviceState, DrawerReason, Fact, NotStartedReason,
    VisitEnd, What,
};
use checkout::{Basket, ItemId, LocalDate};
use names::{
    decline, device, doubt, method, not_started, printer_fault, sale_completed, scan_refusal,
};
use std::collections::BTreeMap;
use touchpoint::vocabulary::{self as words, Money, Resolution, SkipReason};
use touchpoint::{At, Body, Event, EventError};

/// The faces shown; answers on different scales are never pooled.
pub const SCALE_ID: &str = "face5.v1";

/// Turns facts into journal events, in order.
#[derive(Clone, Debug)]
pub struct Scribe {
    /// New for each start of the program.
    boot: String,
    /// ISO 4217 code of the shop.
    currency: String,
    /// The business day whose opening is in the journal.
    opened: Option<LocalDate>,
    /// Code and price of the items the visit met; facts name items by id.
    items: BTreeMap<ItemId, (String, i64)>,
}

impl Scribe {
    /// A scribe for this start of the program; `opened` as the last durable
    /// state had it.
    pub fn new(boot: String, currency: String, opened: Option<LocalDate>) -> Self {
        Self {
            boot,
            currency,
            opened,
            items: BTreeMap::new(),
        }
    }

    /// Remembers the items of the basket that the next facts speak of.
    pub fn note_basket(&mut self, basket: &Basket, on: LocalDate) {
        for line in &basket.lines {
            let price_minor = line.price_override_minor.or(line.item.price_at(on));
            self.items.insert(
                line.item.id,
                (line.item.code.clone(), price_minor.unwrap_or(0)),
            );
        }
    }

    fn code_of(&self, item: ItemId) -> String {
        self.items
            .get(&item)
            .map_or_else(|| format!("#{}", item.0), |(code, _)| code.clone())
    }

    fn price_of(&self, item: ItemId) -> i64 {
        self.items.get(&item).map_or(0, |(_, price)| *price)
    }

    /// ISO 4217 code of the shop.
    pub fn currency(&self) -> &str {
        &self.currency
    }

    /// The business day the journal is in.
    pub fn opened(&self) -> Option<LocalDate> {
        self.opened
    }

    /// The events of a batch of facts, encoded.
    ///
    /// # Errors
    /// [`EventError`] for a fact that cannot be an event: a fault of this
    /// program, never of the data.
    pub fn events(&mut self, facts: &[Fact]) -> Result<Vec<JournalEvent>, EventError> {
        let mut events = Vec::with_capacity(facts.len() + 1);
        for fact in facts {
            self.write(fact, &mut events)?;
            if matches!(fact.what, What::VisitEnded { .. }) {
                self.items.clear();
            }
        }
        Ok(events)
    }

    fn money(&self, minor: i64) -> Money {
        Money {
            currency: self.currency.clone(),
            minor,
        }
    }

    fn write(&mut self, fact: &Fact, events: &mut Vec<JournalEvent>) -> Result<(), EventError> {
        if let What::SaleCompleted(sale) = &fact.what
            && self.opened != Some(sale.business_date)
        {
            self.opened = Some(sale.business_date);
            let opening = words::DayOpened {
                business_date: sale.business_date.to_string(),
            };
            self.push(fact, &opening, events)?;
        }
        match &fact.what {
            What::SaleCompleted(_)
            | What::AttemptIntended { .. }
            | What::AttemptArmed { .. }
            | What::OfferReady { .. }
            | What::AttemptApproved { .. }
            | What::AttemptPaid { .. }
            | What::AttemptDeclined { .. }
            | What::AttemptNotStarted { .. }
            | What::AttemptUnknown { .. }
            | What::AttemptResolved { .. }
            | What::SlipQueued { .. }
            | What::SlipPrinted { .. }
            | What::SlipSent { .. }
            | What::SlipFailed { .. }
            | What::SlipUnknown { .. }
            | What::CashTaken { .. }
            | What::CashNotTaken { .. }
            | What::DrawerOpened { .. }
            | What::CreditReceived { .. }
            | What::TransferSeen { .. }
            | What::TransferSettled { .. }
            | What::VoucherIssued { .. }
            | What::VoucherRedeemed { .. }
            | What::OffersUnasked { .. }
            | What::PayeeDiffers
            | What::PayeeAccepted { .. }
            | What::OrderIntended { .. }
            | What::CardGivenBack { .. }
            | What::TerminalDayAsked { .. }
            | What::TerminalDayEnded { .. }
            | What::ReviewOpened(_)
            | What::ReviewResolved { .. } => self.write_money(fact, events),
            What::ReceiptPrinted { .. }
            | What::ReceiptSent { .. }
            | What::ReceiptFailed { .. }
            | What::ReceiptUnknown { .. }
            | What::Tapped { .. }
            | What::TapSkipped { .. }
            | What::ReasonsShown { .. }
            | What::ReasonsGiven { .. } => self.write_exit(fact, events),
            _ => self.write_visit(fact, events),
        }
    }

    fn write_money(&self, fact: &Fact, events: &mut Vec<JournalEvent>) -> Result<(), EventError> {
        match &fact.what {
            What::SaleCompleted(sale) => self.push(fact, &sale_completed(sale), events),
            What::AttemptIntended {
                attempt,
                kind,
                amount_minor,
                ..
            } => {
                let body = words::AttemptIntended {
                    attempt: attempt.to_string(),
                    sale: visit(fact),
                    method: method(*kind),
                    amount: self.money(*amount_minor),
                    order: None,
                };
                self.push(fact, &body, events)
            }
            What::AttemptArmed { attempt, .. } | What::OfferReady { attempt, .. } => {
                let attempt = attempt.to_string();
                self.push(fact, &words::AttemptSent { attempt }, events)
            }
            What::AttemptApproved {
                attempt,
                amount_minor,
                approval,
            } => {
                let body = words::AttemptApproved {
                    attempt: attempt.to_string(),
                    amount: self.money(*amount_minor),
                    reference: Some(approval.reference.clone()),
                };
                self.push(fact, &body, events)
            }
            What::CreditReceived { attempt, credit } => {
                let body = words::AttemptApproved {
                    attempt: attempt.to_string(),
                    amount: Money {
                        currency: credit.amount.currency.code().to_owned(),
                        minor: credit.amount.minor,
                    },
                    reference: Some(credit.id.clone()),
                };
                self.push(fact, &body, events)
            }
            What::CashTaken {
                attempt,
                received_minor,
                change_minor,
                ..
            } => {
                let body = words::AttemptApproved {
                    attempt: attempt.to_string(),
                    amount: self.money(received_minor - change_minor),
                    reference: None,
                };
                self.push(fact, &body, events)
            }
            What::AttemptDeclined {
                attempt, reason, ..
            } => self.declined(fact, &attempt.to_string(), decline(reason), events),
            What::AttemptNotStarted {
                attempt, reason, ..
            } => {
                if *reason == NotStartedReason::CodeUnreadable {
                    self.alarm(fact, "qr", "code_not_shown", events)?;
                }
                self.declined(fact, &attempt.to_string(), not_started(*reason), events)
            }
            What::CashNotTaken { attempt } => {
                self.declined(fact, &attempt.to_string(), "cancelled", events)
            }
            What::AttemptUnknown { attempt, why, .. } => {
                let body = words::AttemptUnknown {
                    attempt: attempt.to_string(),
                    reason: doubt(*why).into(),
                };
                self.push(fact, &body, events)
            }
            What::SlipQueued {
                attempt,
                copy_number,
                ..
            } => self.slip(fact, *attempt, *copy_number, "queued", events),
            What::SlipPrinted {
                attempt,
                copy_number,
                ..
            } => self.slip(fact, *attempt, *copy_number, "printed", events),
            What::SlipSent {
                attempt,
                copy_number,
                ..
            } => self.slip(fact, *attempt, *copy_number, "sent", events),
            What::SlipFailed {
                attempt,
                copy_number,
                fault,
                ..
            } => self.slip(fact, *attempt, *copy_number, printer_fault(*fault), events),
            What::SlipUnknown {
                attempt,
                copy_number,
                ..
            } => self.slip(fact, *attempt, *copy_number, "unknown", events),
            What::AttemptResolved {
                attempt,
                decision,
                staff,
                ..
            } => {
                let by = if staff.is_some() { "staff" } else { "terminal" };
                let body = words::AttemptResolved {
                    attempt: attempt.to_string(),
                    outcome: match decision {
                        AttemptDecision::Paid => Resolution::Approved,
                        AttemptDecision::NotCharged => Resolution::Declined,
                        AttemptDecision::TakenBack => Resolution::Reversed,
                    },
                    by: by.into(),
                };
                self.push(fact, &body, events)
            }
            What::DrawerOpened { reason, .. } => {
                let reason = match reason {
                    DrawerReason::Cash => "cash",
                    DrawerReason::NoSale => "no_sale",
                };
                let reason = reason.into();
                self.push(fact, &words::DrawerOpened { reason }, events)
            }
            // Paid is said by the sale it belongs to.
            What::AttemptPaid { .. } => Ok(()),
            _ => self.write_odd_money(fact, events),
        }
    }

    fn write_exit(&self, fact: &Fact, events: &mut Vec<JournalEvent>) -> Result<(), EventError> {
        let sale = visit(fact);
        match &fact.what {
            What::ReceiptPrinted { copy_number, .. } => {
                let body = words::ReceiptPrinted {
                    sale,
                    proof: "finished".into(),
                    copy: *copy_number > 0,
                };
                self.push(fact, &body, events)
            }
            What::ReceiptSent { copy_number, .. } => {
                let copy = *copy_number > 0;
                self.push(fact, &words::ReceiptSent { sale, copy }, events)
            }
            What::ReceiptFailed { fault, .. } => {
                let reason = printer_fault(*fault).into();
                self.push(fact, &words::ReceiptFailed { sale, reason }, events)
            }
            What::ReceiptUnknown { .. } => {
                let reason = "unknown".into();
                self.push(fact, &words::ReceiptFailed { sale, reason }, events)
            }
            What::Tapped { face, .. } => {
                let body = words::ExitTapped {
                    sale,
                    face: face.saturating_sub(1),
                    scale_id: SCALE_ID.into(),
                    latency_ms: None,
                };
                self.push(fact, &body, events)
            }
            What::TapSkipped { timed_out, .. } => {
                let reason = if *timed_out {
                    SkipReason::Timeout
                } else {
                    SkipReason::Skip
                };
                self.push(fact, &words::ExitSkipped { sale, reason }, events)
            }
            What::ReasonsShown { shown, .. } => {
                let body = words::ExitReasons {
                    sale,
                    shown: shown.clone(),
                    chosen: Vec::new(),
                };
                self.push(fact, &body, events)
            }
            What::ReasonsGiven { reasons, .. } => {
                let body = words::ExitReasons {
                    sale,
                    shown: Vec::new(),
                    chosen: reasons.clone(),
                };
                self.push(fact, &body, events)
            }
            _ => Ok(()),
        }
    }

    fn write_visit(&self, fact: &Fact, events: &mut Vec<JournalEvent>) -> Result<(), EventError> {
        match &fact.what {
            What::Restarted { .. } => {
                let body = words::AppStarted {
                    version: env!("CARGO_PKG_VERSION").into(),
                    previous_end: "crash".into(),
                };
                self.push(fact, &body, events)
            }
            What::VisitStarted { lang } => {
                let body = words::VisitStarted {
                    cause: "touch".into(),
                    language: lang.0.clone(),
                };
                self.push(fact, &body, events)
            }
            What::VisitEnded {
                why, duration_ms, ..
            } => {
                let cause = match why {
                    VisitEnd::Bought => "sale",
                    VisitEnd::Parked | VisitEnd::Idle | VisitEnd::Resumed => "idle",
                    VisitEnd::Abandoned => "abandoned",
                };
                let body = words::VisitEnded {
                    cause: cause.into(),
                    duration_ms: u64::try_from(*duration_ms).unwrap_or(0),
                };
                self.push(fact, &body, events)
            }
            What::LanguageChanged { lang } => {
                let language = lang.0.clone();
                self.push(fact, &words::LanguageChosen { language }, events)
            }
            What::HelpCalled { .. } => {
                let cause = "button".into();
                self.push(fact, &words::HelpCalled { cause }, events)
            }
            What::HelpAnswered { wait_ms, .. } => {
                let body = words::HelpAnswered {
                    cause: "button".into(),
                    wait_ms: u64::try_from(*wait_ms).unwrap_or(0),
                };
                self.push(fact, &body, events)
            }
            // No scale is wired to the kiosk: whatever has to be weighed calls a person.
            What::WeightAsked { .. } => {
                let cause = "weight".into();
                self.push(fact, &words::HelpCalled { cause }, events)
            }
            What::WeightAnswered { wait_ms, .. } => {
                let body = words::HelpAnswered {
                    cause: "weight".into(),
                    wait_ms: u64::try_from(*wait_ms).unwrap_or(0),
                };
                self.push(fact, &body, events)
            }
            What::AgeChecked {
                min_age, approved, ..
            } => {
                let body = words::AgeChecked {
                    limit_years: u32::from(*min_age),
                    allowed: *approved,
                };
                self.push(fact, &body, events)
            }
            What::TenderChosen { kind, amount_minor } => {
                let body = words::TenderChosen {
                    method: method(*kind),
                    amount: self.money(*amount_minor),
                };
                self.push(fact, &body, events)
            }
            What::IdleWarned { place } => {
                let screen = screen(*place).into();
                self.push(fact, &words::IdleWarned { screen }, events)
            }
            What::DeviceChanged { which, state } => {
                let body = words::DeviceState {
                    device: device(*which).into(),
                    state: match state {
                        DeviceState::Up => "ready",
                        DeviceState::Warning => "attention",
                        DeviceState::Down => "absent",
                    }
                    .into(),
                    detail: None,
                };
                self.push(fact, &body, events)
            }
            _ => self.write_basket(fact, events),
        }
    }

    fn write_basket(&self, fact: &Fact, events: &mut Vec<JournalEvent>) -> Result<(), EventError> {
        match &fact.what {
            What::ItemAdded {
                item,
                code,
                quantity,
                by,
                typed_by,
                ..
            } => {
                let body = words::ItemAdded {
                    item_code: code.clone(),
                    gtin: None,
                    quantity_milli: quantity.milli,
                    unit_price: self.money(self.price_of(*item)),
                    how: match by {
                        AddedBy::Scan => "scan",
                        AddedBy::Screen => "touch",
                    }
                    .into(),
                    weighed_by: typed_by.as_ref().map(|_| "staff".into()),
                };
                self.push(fact, &body, events)
            }
            What::ItemRemoved { item, quantity, .. } => {
                let body = words::ItemRemoved {
                    item_code: self.code_of(*item),
                    quantity_milli: quantity.milli,
                };
                self.push(fact, &body, events)
            }
            What::QuantityChanged { item, from, to, .. } => {
                let body = words::QuantityChanged {
                    item_code: self.code_of(*item),
                    from_milli: from.milli,
                    to_milli: to.milli,
                };
                self.push(fact, &body, events)
            }
            What::ScanRefused { reason, .. } => {
                let body = words::ScanRefused {
                    reason: scan_refusal(reason).into(),
                    symbology: None,
                    length: 0,
                    gtin: None,
                };
                self.push(fact, &body, events)
            }
            What::Parked {
                idle, total_minor, ..
            } => {
                let body = words::BasketParked {
                    lines: 0,
                    total: self.money(*total_minor),
                    cause: if *idle { "idle" } else { "shopper" }.into(),
                };
                self.push(fact, &body, events)
            }
            What::Resumed { .. } => {
                let body = words::BasketResumed {
                    lines: 0,
                    parked_ms: 0,
                };
                self.push(fact, &body, events)
            }
            What::Abandoned { lines, total_minor } => {
                let body = words::BasketAbandoned {
                    lines: *lines,
                    total: self.money(*total_minor),
                    last_screen: "shop".into(),
                };
                self.push(fact, &body, events)
            }
            _ => Ok(()),
        }
    }

    fn declined(
        &self,
        fact: &Fact,
        attempt: &str,
        reason: &str,
        events: &mut Vec<JournalEvent>,
    ) -> Result<(), EventError> {
        let body = words::AttemptDeclined {
            attempt: attempt.into(),
            reason: reason.into(),
        };
        self.push(fact, &body, events)
    }

    fn slip(
        &self,
        fact: &Fact,
        attempt: AttemptId,
        copy_number: u32,
        state: &str,
        events: &mut Vec<JournalEvent>,
    ) -> Result<(), EventError> {
        let body = words::AttemptSlip {
            attempt: attempt.to_string(),
            state: state.into(),
            copy: copy_number > 0,
        };
        self.push(fact, &body, events)
    }

    fn alarm(
        &self,
        fact: &Fact,
        part: &str,
        fault: &str,
        events: &mut Vec<JournalEvent>,
    ) -> Result<(), EventError> {
        let body = words::FaultNoted {
            part: part.into(),
            fault: fault.into(),
        };
        self.push(fact, &body, events)
    }

    fn push<B: Body>(
        &self,
        fact: &Fact,
        body: &B,
        events: &mut Vec<JournalEvent>,
    ) -> Result<(), EventError> {
        let at = At {
            wall_ms: fact.at.wall_ms,
            mono_ms: fact.at.mono_ms,
            boot: self.boot.clone(),
        };
        let visit = fact.visit.as_ref().map(|visit| visit.0.as_str());
        events.push(JournalEvent::of(&Event::of(at, visit, body)?)?);
        Ok(())
    }
}

fn visit(fact: &Fact) -> String {
    fact.visit
        .as_ref()
        .map(|id| id.0.clone())
        .unwrap_or_default()
}
