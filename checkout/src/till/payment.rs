//! Paying: tenders, what is due, and the sale at the end of it.

use super::codes::order_code;
use super::gate::Deed;
use super::{
    ATTEMPTS_MAX, Attempt, AttemptId, AttemptStatus, Availability, CLOSED_CARDS_MAX, ClosedCard,
    DeviceKind, DeviceState, DrawerReason, Effect, Front, Live, NotStartedReason, Notice,
    OrderKind, PrintJobId, PrintOutcome, PrintRecord, ReviewDecision, ReviewKind, Sale, SaleLine,
    StaffId, Stage, Tender, TenderKind, Till, UNPRINTED_MAX, Unprinted, Visit, What,
};
use crate::clock::LocalDate;
use crate::pricing::Priced;

/// More cash than anybody hands over: a slip of the finger.
const CASH_MAX_MINOR: i64 = 1_000_000_000_000;

impl Till {
    // ---- amounts ----

    pub(super) fn total_minor(&self) -> i64 {
        match &self.priced {
            Some(Ok(priced)) => priced.total_minor,
            _ => 0,
        }
    }

    /// What is still due, before cash rounding.
    pub(super) fn due_minor(&self) -> i64 {
        let tenders = self.state.visit.iter().flat_map(|visit| &visit.tenders);
        let toward: i64 = tenders.map(Tender::toward_total_minor).sum();
        self.total_minor().saturating_sub(toward)
    }

    /// What is still due in coins.
    pub(super) fn cash_due_minor(&self) -> i64 {
        let due = self.due_minor();
        self.config.rules.cash_due(due).unwrap_or(due)
    }

    // ---- the pay screen ----

    pub(super) fn pay(&mut self) {
        let Some(visit) = &self.state.visit else {
            return;
        };
        if self.front != Front::Shop || visit.stage != Stage::Shop {
            return;
        }
        if !self.look_ups.is_empty() {
            self.pay_wanted = true;
            return;
        }
        if visit.basket.is_empty() {
            return self.tell(Notice::EmptyBasket);
        }
        self.reprice();
        if let Some(Err(fault)) = &self.priced {
            return self.tell(Notice::Pricing(fault.clone()));
        }
        if self.age_to_check().is_some() {
            return self.enter(Front::Age);
        }
        self.enter_pay();
    }

    /// The age a person still has to confirm.
    pub(super) fn age_to_check(&self) -> Option<u8> {
        let visit = self.state.visit.as_ref()?;
        let age = visit.basket.min_age()?;
        (visit.age_confirmed.is_none_or(|confirmed| confirmed < age)).then_some(age)
    }

    /// Fixes the prices (unless money already did) and shows the tenders.
    pub(super) fn enter_pay(&mut self) {
        let at = self.now.local();
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        visit.stage = Stage::Pay;
        visit.priced_at.get_or_insert(at);
        self.reprice();
        let (total_minor, item_count) = match &self.priced {
            Some(Ok(priced)) => (priced.total_minor, priced.item_count),
            _ => (0, 0),
        };
        self.part_minor = None;
        self.enter(Front::Pay);
        self.record(What::PayStarted {
            total_minor,
            item_count,
        });
        self.use_late_credits();
        self.pay_if_nothing_is_due();
    }

    pub(super) fn leave_pay(&mut self) {
        if !self.basket_is_open() {
            return self.tell(Notice::MoneyTaken);
        }
        if let Some(visit) = &mut self.state.visit {
            visit.stage = Stage::Shop;
            visit.priced_at = None;
        }
        self.reprice();
        self.enter(Front::Shop);
        self.record(What::PayLeft);
    }

    pub(super) fn set_part(&mut self, part: Option<i64>) {
        if self.front == Front::Pay {
            let due = self.due_minor();
            self.part_minor = part.filter(|&part| part > 0 && part < due);
        }
    }

    pub(super) fn availability(&self, kind: TenderKind) -> Availability {
        let down = |which| self.devices.get(&which) == Some(&DeviceState::Down);
        match kind {
            TenderKind::Card if self.card_lane_is_locked() => Availability::Locked,
            TenderKind::Card if down(DeviceKind::Terminal) => Availability::DeviceDown,
            TenderKind::Qr if self.payee_differs() => Availability::PayeeDiffers,
            TenderKind::Qr if down(DeviceKind::Bank) => Availability::DeviceDown,
            TenderKind::Qr if self.too_many_open() => Availability::TooManyOpen,
            _ => Availability::Yes,
        }
    }

    /// A terminal that contradicted itself is not asked for more money until staff looked, and one that works for staff
    /// until it is known how that ended.
    fn card_lane_is_locked(&self) -> bool {
        let contradicts = |kind| matches!(kind, ReviewKind::Contradiction | ReviewKind::GaveBack);
        let mut reviews = self.state.reviews.iter();
        self.state.order.is_some() || reviews.any(|review| contradicts(review.kind))
    }

    pub(super) fn choose_tender(&mut self, kind: TenderKind) {
        let may = self.at_tenders() && !self.help.open && self.config.tenders.contains(&kind);
        let Some(visit) = self
            .state
            .visit
            .as_ref()
            .filter(|visit| may && visit.active.is_none())
        else {
            return;
        };
        if visit.attempts.len() >= ATTEMPTS_MAX {
            return self.tell(Notice::StaffNeeded);
        }
        let why = self.availability(kind);
        if why != Availability::Yes {
            return self.tell(Notice::TenderUnavailable { kind, why });
        }
        if self.due_minor() <= 0 {
            return self.pay_if_nothing_is_due();
        }
        if !self.ask_about_open_offers(kind) {
            self.begin_tender(kind);
        }
    }

    /// Nothing is being paid and something is due.
    pub(super) fn at_tenders(&self) -> bool {
        matches!(self.front, Front::Pay | Front::Underpaid(_))
    }

    /// The earlier offers are settled, or the shopper goes on without.
    pub(super) fn begin_tender(&mut self, kind: TenderKind) {
        let due = self.due_minor();
        let why = self.availability(kind);
        if why != Availability::Yes || due <= 0 {
            self.enter(Front::Pay);
            if due > 0 {
                self.tell(Notice::TenderUnavailable { kind, why });
            }
            return;
        }
        let amount_minor = match kind {
            TenderKind::Cash => self.cash_due_minor(),
            TenderKind::Card | TenderKind::Qr | TenderKind::Voucher => {
                self.part_minor.unwrap_or(due).min(due)
            }
        };
        self.begin_attempt(kind, amount_minor);
    }

    fn begin_attempt(&mut self, kind: TenderKind, amount_minor: i64) {
        self.state.counters.attempt += 1;
        let attempt = AttemptId(self.state.counters.attempt);
        let code = (kind == TenderKind::Qr).then(|| {
            order_code(
                &self.config.order_code_prefix,
                self.config.order_code_key,
                attempt,
            )
        });
        let amount = self.money(amount_minor);
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        let status = match kind {
            TenderKind::Cash => AttemptStatus::Waiting,
            TenderKind::Card | TenderKind::Qr | TenderKind::Voucher => AttemptStatus::Intended,
        };
        visit.counts.attempts = visit.counts.attempts.saturating_add(1);
        visit.active = Some(attempt);
        visit.attempts.push(Attempt {
            id: attempt,
            kind,
            amount_minor,
            status,
            started_wall_ms: self.now.wall_ms,
            baseline: None,
            approval: None,
            order_code: code.clone(),
            offer: None,
            credits: Vec::new(),
            history: Vec::new(),
            slip: None,
        });
        self.live = Live {
            since_mono_ms: self.now.mono_ms,
            ..Live::default()
        };
        self.notice = None;
        self.enter(Front::Tender);
        self.record(What::TenderChosen { kind, amount_minor });
        let order_code = code.clone();
        self.record(What::AttemptIntended {
            attempt,
            kind,
            amount_minor,
            order_code,
        });
        match (kind, code) {
            (TenderKind::Card, _) => self.prepare_card(),
            (TenderKind::Qr, Some(order_code)) => {
                self.gate.after(Deed::AskBank {
                    attempt,
                    amount,
                    order_code,
                });
            }
            _ => {}
        }
    }

    pub(super) fn cancel_tender(&mut self) {
        if self.bank_check().is_some() {
            return self.enter(Front::Pay);
        }
        if self.front != Front::Tender {
            return;
        }
        match self.active().map(|attempt| attempt.kind) {
            Some(TenderKind::Card) => self.cancel_card(),
            Some(TenderKind::Qr) => self.cancel_offer(),
            Some(TenderKind::Cash) => self.cancel_cash(),
            Some(TenderKind::Voucher) | None => {}
        }
    }

    // ---- how attempts end ----

    /// The attempt brought nothing, for certain. Back to the tenders.
    pub(super) fn end_attempt(&mut self, status: AttemptStatus, notice: Option<Notice>) {
        let Some(active) = self.active() else {
            return;
        };
        let (attempt, kind) = (active.id, active.kind);
        let what = match &status {
            AttemptStatus::Declined(reason) => What::AttemptDeclined {
                attempt,
                kind,
                reason: reason.clone(),
            },
            AttemptStatus::NotStarted(reason) => What::AttemptNotStarted {
                attempt,
                kind,
                reason: *reason,
            },
            AttemptStatus::Left if kind == TenderKind::Qr => What::OfferLeft { attempt },
            AttemptStatus::Left => What::CashNotTaken { attempt },
            _ => What::AttemptNotStarted {
                attempt,
                kind,
                reason: NotStartedReason::Refused,
            },
        };
        let resolved = matches!(status, AttemptStatus::NotCharged | AttemptStatus::Voided);
        self.close_attempt(status);
        if !resolved {
            self.record(what);
        }
        if let Some(visit) = &mut self.state.visit {
            visit.counts.attempts_failed = visit.counts.attempts_failed.saturating_add(1);
        }
        self.enter(Front::Pay);
        if let Some(notice) = notice {
            self.tell(notice);
        }
        self.use_late_credits();
    }

    fn close_attempt(&mut self, status: AttemptStatus) {
        let paid = status == AttemptStatus::Paid;
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        let id = visit.id.clone();
        let active = visit.active.take();
        if let Some(attempt) = visit.attempts.iter_mut().find(|a| Some(a.id) == active) {
            attempt.status = status;
            if attempt.kind == TenderKind::Card {
                let (attempt, amount_minor) = (attempt.id, attempt.amount_minor);
                self.remember_closed(ClosedCard {
                    attempt,
                    visit: id,
                    amount_minor,
                    paid,
                    kind: OrderKind::Payment,
                });
            }
        }
        self.live = Live::default();
        self.part_minor = None;
    }

    pub(super) fn remember_closed(&mut self, closed: ClosedCard) {
        self.state.closed_cards.push_back(closed);
        while self.state.closed_cards.len() > CLOSED_CARDS_MAX {
            self.state.closed_cards.pop_front();
        }
    }

    /// The active attempt brought `tender`.
    pub(super) fn take_active_tender(&mut self, tender: Tender, status: AttemptStatus) {
        self.close_attempt(status);
        self.take_tender(tender);
    }

    /// Money for this visit. Completes the sale when nothing is due any more.
    pub(super) fn take_tender(&mut self, tender: Tender) {
        let (attempt, kind, amount_minor) = (tender.attempt, tender.kind, tender.amount_minor);
        if let Some(visit) = &mut self.state.visit {
            visit.tenders.push(tender);
        }
        self.record(What::AttemptPaid {
            attempt,
            kind,
            amount_minor,
        });
        if self.due_minor() <= 0 {
            return self.complete_sale();
        }
        self.enter(Front::Pay);
        let (received, due) = (self.money(amount_minor), self.money(self.due_minor()));
        self.tell(Notice::PaidPart { received, due });
        self.use_late_credits();
    }

    /// Transfers that arrived while they could not be used pay for this visit after all.
    pub(super) fn use_late_credits(&mut self) {
        loop {
            let open = self.at_tenders() && self.due_minor() > 0;
            let Some(visit) = self.state.visit.as_ref().filter(|_| open) else {
                return;
            };
            let late = self.state.reviews.iter().find(|review| {
                let usable = matches!(review.kind, ReviewKind::LateCredit | ReviewKind::Duplicate);
                usable && review.visit.as_ref() == Some(&visit.id)
            });
            let Some((id, attempt)) = late.and_then(|r| Some((r.id, r.attempt?))) else {
                return;
            };
            let decision = ReviewDecision::UsedForSale;
            if let Some(review) = self.close_review(id, decision, None, String::new()) {
                self.take_credit(attempt, review.amount_minor, review.reference);
            }
        }
    }

    pub(super) fn pay_if_nothing_is_due(&mut self) {
        let priced = matches!(self.priced, Some(Ok(_)));
        let filled = self
            .state
            .visit
            .as_ref()
            .is_some_and(|visit| !visit.basket.is_empty());
        if self.at_tenders() && priced && filled && self.due_minor() <= 0 {
            self.complete_sale();
        }
    }

    // ---- cash ----

    fn cancel_cash(&mut self) {
        self.end_attempt(AttemptStatus::Left, None);
    }

    pub(super) fn cash_refused(&mut self) {
        if self
            .active()
            .is_some_and(|attempt| attempt.kind == TenderKind::Cash)
        {
            self.end_attempt(AttemptStatus::Left, Some(Notice::CashRefused));
            self.sign_out();
        }
    }

    /// Staff has the cash in hand. Less than due is a part; more gives change.
    pub(super) fn cash_taken(&mut self, received_minor: i64, staff: StaffId) {
        let Some(active) = self.active().filter(|a| a.status == AttemptStatus::Waiting) else {
            return;
        };
        let attempt = active.id;
        let (due, cash_due) = (self.due_minor(), self.cash_due_minor());
        let whole = received_minor >= cash_due;
        let sensible = (0..=CASH_MAX_MINOR).contains(&received_minor);
        if !sensible || (!whole && received_minor == 0) {
            return self.tell(Notice::CashAmountWrong);
        }
        // A part a little below the total may not leave less than nothing due.
        let amount_minor = if whole {
            cash_due
        } else {
            received_minor.min(due)
        };
        let rounding_minor = if whole { cash_due - due } else { 0 };
        let change_minor = received_minor - amount_minor;
        self.record(What::CashTaken {
            attempt,
            received_minor,
            change_minor,
            rounding_minor,
            staff: staff.clone(),
        });
        if received_minor > 0 {
            self.open_drawer(DrawerReason::Cash, staff);
        }
        self.sign_out();
        let tender = Tender {
            kind: TenderKind::Cash,
            attempt,
            amount_minor,
            received_minor,
            change_minor,
            rounding_minor,
            reference: None,
            approval_code: None,
            unconfirmed: false,
        };
        self.take_active_tender(tender, AttemptStatus::Paid);
    }

    // ---- the sale ----

    fn complete_sale(&mut self) {
        let (Some(visit), Some(Ok(priced))) = (&self.state.visit, &self.priced) else {
            return;
        };
        let receipt_number = self.state.counters.receipt + 1;
        let sale = Box::new(self.sale(visit, priced, receipt_number));
        self.state.counters.receipt = receipt_number;
        self.state.counters.print_job += 1;
        let job = PrintJobId(self.state.counters.print_job);
        if let Some(visit) = &mut self.state.visit {
            visit.stage = Stage::Paid;
            visit.active = None;
            visit.sale = Some(sale.clone());
            visit.print = Some(PrintRecord {
                job,
                copy_number: 0,
                outcome: PrintOutcome::Queued,
                resends: 0,
            });
        }
        self.remember_unprinted(Unprinted {
            receipt_number,
            job,
            copies: 0,
            outcome: PrintOutcome::Queued,
        });
        self.help_is_over();
        self.paid_shown = false;
        self.notice = None;
        self.enter(Front::Paid);
        self.record(What::SaleCompleted(sale.clone()));
        self.record(What::ReceiptQueued {
            job,
            receipt_number,
            copy_number: 0,
        });
        self.gate.after(Deed::ShowPaid);
        self.gate.after(Deed::Print {
            job,
            receipt: sale,
            copy_number: 0,
        });
    }

    fn help_is_over(&mut self) {
        self.end_help();
        self.idle_warned_mono_ms = None;
    }

    pub(super) fn remember_unprinted(&mut self, unprinted: Unprinted) {
        self.state.unprinted.push(unprinted);
        if self.state.unprinted.len() > UNPRINTED_MAX {
            self.state.unprinted.remove(0);
        }
    }

    fn sale(&self, visit: &Visit, priced: &Priced, receipt_number: u64) -> Sale {
        let first = self.config.first_language();
        let lines = visit.basket.lines.iter().filter_map(|line| {
            let priced = priced.line(line.id)?;
            let (name, shown) = (
                line.item.name_in(&first.0),
                line.item.name_in(&visit.lang.0),
            );
            Some(SaleLine {
                line: line.id,
                item: line.item.id,
                code: line.item.code.clone(),
                name: name.to_owned(),
                name_shown: (shown != name).then(|| shown.to_owned()),
                category: line.item.category.clone(),
                unit: line.item.unit.clone(),
                quantity: line.quantity,
                unit_price_minor: priced.unit_price_minor,
                gross_minor: priced.gross_minor,
                discount_minor: priced.discount_minor,
                net_minor: priced.net_minor,
                tax_class: priced.tax_class,
                tax_basis_points: priced.tax_basis_points,
                tax_treatment: priced.tax_treatment,
                deposit_minor: priced.deposit_minor,
                deposit_name: line
                    .item
                    .deposit
                    .as_ref()
                    .map(|deposit| deposit.name.clone()),
                lot: line.lot.clone(),
                expiry: line.expiry.clone(),
                serial: line.serial.clone(),
            })
        });
        let sum = |part: fn(&Tender) -> i64| visit.tenders.iter().map(part).sum();
        Sale {
            receipt_number,
            visit: visit.id.clone(),
            business_date: self.business_date(),
            completed_wall_ms: self.now.wall_ms,
            utc_offset_min: self.now.utc_offset_min,
            lang: visit.lang.clone(),
            currency: priced.currency,
            tax_mode: self.config.rules.tax.mode,
            lines: lines.collect(),
            discounts: priced.discounts.clone(),
            taxes: priced.taxes.clone(),
            coupons: visit.basket.coupons.clone(),
            subtotal_minor: priced.subtotal_minor,
            discount_minor: priced.discount_minor,
            deposit_minor: priced.deposit_minor,
            tax_minor: priced.tax_minor,
            total_minor: priced.total_minor,
            rounding_minor: sum(|tender| tender.rounding_minor),
            change_minor: sum(|tender| tender.change_minor),
            tenders: visit.tenders.clone(),
            item_count: priced.item_count,
            age_confirmed: visit.age_confirmed,
        }
    }

    pub(super) fn business_date(&self) -> LocalDate {
        self.now.business_date(self.config.business_day_starts_min)
    }

    /// Tells the bank that an offer nobody has seen is not wanted.
    pub(super) fn cancel_unseen(&mut self, attempt: AttemptId) {
        self.out.push(Effect::CancelBank { attempt });
    }
}
