//! From the till to what the screen shows.

use std::collections::BTreeMap;

use super::{
    Attempt, AttemptId, AttemptStatus, BankCheck, BankCheckView, BasketView, CardStep, DeviceKind,
    DeviceState, Doubt, Front, LineView, Moment, Now, PaidView, PayView, Place, PrintOutcome,
    QrConfirm, QrStep, QrView, ReviewKind, Screen, StaffView, Step, TenderKind, TenderOption, Till,
    UnderpaidView, View, Visit,
};

impl Till {
    /// What the screen shows at `now`. Changes only through [`step`](Till::step), except that
    /// a deadline in it may pass.
    pub fn view(&self, now: Now) -> View {
        View {
            screen: self.screen(now),
            lang: self.lang(),
            basket: self.basket_view(),
            notice: self
                .notice
                .as_ref()
                .filter(|(_, until)| now.mono_ms < *until)
                .map(|(notice, _)| notice.clone()),
            deadline: self.deadline(),
            help_called: self.help.open,
            staff: self.staff.as_ref().map(|staff| staff.id.clone()),
            devices: self.troubled_devices(),
            storage: self.gate.fault(now.mono_ms),
            order: self.order_view(),
            order_ended: self.order_ended.clone(),
            staff_items: count(
                self.state.reviews.len()
                    + self
                        .state
                        .unconfirmed
                        .iter()
                        .filter(|u| u.looked_up.is_none())
                        .count()
                    + usize::from(self.payee_differs())
                    + usize::from(self.state.order.is_some())
                    + self.unproven_receipts(),
            ),
        }
    }

    fn lang(&self) -> super::Lang {
        let visit = self.state.visit.as_ref().map(|visit| visit.lang.clone());
        let parked = match &self.front {
            Front::Parked { lang, .. } => Some(lang.clone()),
            _ => None,
        };
        let chosen = visit.or(parked).or_else(|| self.attract_lang.clone());
        chosen.unwrap_or_else(|| self.config.first_language())
    }

    fn troubled_devices(&self) -> BTreeMap<DeviceKind, DeviceState> {
        let troubled = self
            .devices
            .iter()
            .filter(|(_, state)| **state != DeviceState::Up);
        troubled.map(|(which, state)| (*which, *state)).collect()
    }

    fn unproven_receipts(&self) -> usize {
        let doubtful = |outcome: PrintOutcome| {
            matches!(outcome, PrintOutcome::Failed(_) | PrintOutcome::Unknown)
        };
        self.state
            .unprinted
            .iter()
            .filter(|entry| doubtful(entry.outcome))
            .count()
    }

    fn screen(&self, now: Now) -> Screen {
        let unknown = self
            .active()
            .is_some_and(|a| a.status == AttemptStatus::Unknown);
        // Elsewhere the shopper's own screen has what staff needs, or must not be covered.
        let coverable = matches!(
            self.front,
            Front::Attract
                | Front::Shop
                | Front::Weigh
                | Front::Choose(..)
                | Front::Pay
                | Front::Underpaid(_)
                | Front::Parked { .. }
        );
        if self.staff.is_some() && coverable {
            return Screen::Staff(Box::new(self.staff_view()));
        }
        if let Some(fault) = self.gate.fault(now.mono_ms)
            && !unknown
            && !self.paid_shown
            && !matches!(self.front, Front::Parked { .. })
        {
            let basket_kept = self
                .state
                .visit
                .as_ref()
                .is_some_and(|v| !v.basket.is_empty());
            let attempt = self.last_attempt_in_doubt();
            return Screen::OutOfOrder {
                fault,
                basket_kept,
                attempt,
            };
        }
        if self.idle_warned_mono_ms.is_some() {
            return Screen::Idle;
        }
        if self.help.open && !matches!(self.front, Front::Tender | Front::BankCheck(_) | Front::Age)
        {
            return Screen::Help {
                since_mono_ms: self.help.since_mono_ms,
            };
        }
        self.front_screen()
    }

    /// The sale is done and not yet on disk.
    fn is_saving(&self) -> bool {
        self.front == Front::Paid && !self.paid_shown
    }

    fn last_attempt_in_doubt(&self) -> Option<super::AttemptId> {
        let visit = self.state.visit.as_ref()?;
        match self.is_saving() {
            true => visit.tenders.last().map(|tender| tender.attempt),
            false => visit.active,
        }
    }

    fn front_screen(&self) -> Screen {
        match &self.front {
            Front::Attract => Screen::Attract {
                parked: count(self.state.parked.len()),
            },
            Front::Shop => Screen::Shop,
            Front::Weigh => match self.weighing() {
                Some(weighing) => Screen::Weigh {
                    item: Box::new(weighing.new.item.clone()),
                },
                None => Screen::Shop,
            },
            Front::Choose(items, _) => Screen::Choose {
                items: items.clone(),
            },
            Front::Age => Screen::AgeCheck {
                min_age: self.age_to_check().unwrap_or(0),
            },
            Front::Pay => Screen::Pay(Box::new(self.pay_view())),
            Front::Underpaid(attempt) => self.underpaid_screen(*attempt),
            Front::BankCheck(check) => Screen::BankCheck(Box::new(self.bank_check_view(check))),
            Front::Tender => self.tender_screen(),
            Front::Paid if !self.paid_shown => Screen::Saving {
                attempt: self.last_attempt_in_doubt(),
            },
            Front::Paid => self.paid_screen(Screen::Paid),
            Front::Tap => {
                let chosen = self.state.visit.as_ref().and_then(|visit| visit.face);
                self.paid_screen(|paid| Screen::Tap { paid, chosen })
            }
            Front::Reasons(reasons) => Screen::Reasons {
                face: self
                    .state
                    .visit
                    .as_ref()
                    .and_then(|visit| visit.face)
                    .unwrap_or(0),
                reasons: reasons.clone(),
            },
            Front::Thanks => self.paid_screen(|paid| Screen::Thanks { paid }),
            Front::Parked {
                code,
                until_wall_ms,
                tendered_minor,
                ..
            } => Screen::Parked {
                code: code.clone(),
                until_wall_ms: *until_wall_ms,
                tendered: self.money(*tendered_minor),
            },
        }
    }

    fn paid_screen(&self, wrap: impl FnOnce(Box<PaidView>) -> Screen) -> Screen {
        match self
            .state
            .visit
            .as_ref()
            .and_then(|visit| self.paid_view(visit))
        {
            Some(paid) => wrap(Box::new(paid)),
            None => Screen::Saving { attempt: None },
        }
    }

    fn paid_view(&self, visit: &Visit) -> Option<PaidView> {
        let sale = visit.sale.clone()?;
        let print = visit.print.as_ref().map(|print| print.outcome);
        // Also of one that was only sent: nobody knows, and asking costs nothing.
        let offer_e_receipt =
            !matches!(print, Some(PrintOutcome::Printed | PrintOutcome::Printing));
        let too_much = self.state.reviews.iter().filter(|review| {
            let over = matches!(review.kind, ReviewKind::OverPaid | ReviewKind::Duplicate);
            over && review.visit.as_ref() == Some(&visit.id)
        });
        let over_minor: i64 = too_much.map(|review| review.amount_minor).sum();
        Some(PaidView {
            sale,
            print,
            offer_e_receipt,
            over: (over_minor > 0).then(|| self.money(over_minor)),
        })
    }

    fn tender_screen(&self) -> Screen {
        let Some(active) = self.active() else {
            return Screen::Pay(Box::new(self.pay_view()));
        };
        let (attempt, amount) = (active.id, self.money(active.amount_minor));
        if active.status == AttemptStatus::Unknown {
            let asked = self.live.recover_asked;
            return Screen::Unknown {
                attempt,
                amount,
                asked,
                needs_staff: self.live.needs_staff,
                why: active.history.iter().rev().find_map(in_doubt),
                slip: active.slip.as_ref().map(|slip| slip.outcome),
            };
        }
        match active.kind {
            TenderKind::Card => Screen::Card {
                attempt,
                amount,
                step: self.card_step(active),
            },
            TenderKind::Qr => Screen::Qr(Box::new(self.qr_view(active))),
            TenderKind::Cash | TenderKind::Voucher => Screen::Cash {
                attempt,
                amount,
                exact: self.money(self.due_minor()),
            },
        }
    }

    fn card_step(&self, active: &Attempt) -> CardStep {
        match active.status {
            AttemptStatus::Approved => CardStep::Confirming,
            _ if self.live.cancelling_since.is_some() => CardStep::Cancelling,
            AttemptStatus::Armed if self.live.asked => CardStep::Running(self.card_prompt()),
            _ => CardStep::Preparing,
        }
    }

    fn qr_view(&self, active: &Attempt) -> QrView {
        let step = match active.status {
            _ if self.live.cancelling_since.is_some() => QrStep::Cancelling,
            AttemptStatus::Checking => QrStep::Checking,
            AttemptStatus::Showing if self.live.shown => QrStep::Waiting,
            _ => QrStep::Preparing,
        };
        QrView {
            attempt: active.id,
            amount: self.money(active.amount_minor),
            order_code: active.order_code.clone().unwrap_or_default(),
            offer: active.offer.clone().filter(|_| self.live.shown),
            step,
            checked_mono_ms: self.live.checked_mono_ms,
            link: self.live.link,
            can_extend: self.live.extensions < self.config.limits.offer_extensions_max,
            by_staff: self.config.qr_confirm == QrConfirm::Staff,
        }
    }

    /// Without its attempt there is nothing to say but how to pay.
    fn underpaid_screen(&self, attempt: AttemptId) -> Screen {
        let visit = self.state.visit.as_ref();
        let found = visit.and_then(|visit| visit.attempts.iter().find(|a| a.id == attempt));
        let Some(attempt) = found else {
            return Screen::Pay(Box::new(self.pay_view()));
        };
        Screen::Underpaid(Box::new(UnderpaidView {
            attempt: attempt.id,
            order_code: attempt.order_code.clone().unwrap_or_default(),
            asked: self.money(attempt.amount_minor),
            received: self.money(attempt.received_minor()),
            due: self.money(self.due_minor()),
            cash_due: self.money(self.cash_due_minor()),
            options: self.tender_options(),
        }))
    }

    fn bank_check_view(&self, check: &BankCheck) -> BankCheckView {
        BankCheckView {
            kind: check.kind,
            order_codes: check
                .pending
                .iter()
                .filter_map(|&a| self.order_code_of(a))
                .collect(),
            by_staff: self.config.qr_confirm == QrConfirm::Staff,
            silent: check.silent,
            link: check.link,
        }
    }

    fn tender_options(&self) -> Vec<TenderOption> {
        let option = |&kind: &TenderKind| TenderOption {
            kind,
            available: self.availability(kind),
        };
        self.config.tenders.iter().map(option).collect()
    }

    fn pay_view(&self) -> PayView {
        let visit = self.state.visit.as_ref();
        PayView {
            due: self.money(self.due_minor()),
            cash_due: self.money(self.cash_due_minor()),
            part: self.part_minor.map(|part| self.money(part)),
            options: self.tender_options(),
            tenders: visit.map(|visit| visit.tenders.clone()).unwrap_or_default(),
            printer_down: self.devices.get(&DeviceKind::Printer) == Some(&DeviceState::Down),
        }
    }

    fn staff_view(&self) -> StaffView {
        StaffView {
            parked: self.state.parked.clone(),
            reviews: self.state.reviews.clone(),
            unprinted: self.state.unprinted.clone(),
            watched: count(self.state.watched.len()),
            visit_open: self.state.visit.is_some(),
        }
    }

    fn basket_view(&self) -> BasketView {
        let visit = self.state.visit.as_ref();
        let priced = self.priced.as_ref().and_then(|priced| priced.as_ref().ok());
        let fault = self
            .priced
            .as_ref()
            .and_then(|priced| priced.as_ref().err());
        let amount = |pick: fn(&crate::pricing::Priced) -> i64| self.money(priced.map_or(0, pick));
        let lines = visit
            .map(|visit| visit.basket.lines.as_slice())
            .unwrap_or_default();
        let tendered = visit.map_or(0, |visit| {
            visit.tenders.iter().map(|tender| tender.amount_minor).sum()
        });
        BasketView {
            lines: lines
                .iter()
                .map(|line| LineView {
                    line: line.clone(),
                    priced: priced.and_then(|priced| priced.line(line.id)).cloned(),
                })
                .collect(),
            discounts: priced
                .map(|priced| priced.discounts.clone())
                .unwrap_or_default(),
            taxes: priced
                .map(|priced| priced.taxes.clone())
                .unwrap_or_default(),
            coupons: visit
                .map(|visit| visit.basket.coupons.clone())
                .unwrap_or_default(),
            unused_coupons: priced
                .map(|priced| priced.unused_coupons.clone())
                .unwrap_or_default(),
            subtotal: amount(|priced| priced.subtotal_minor),
            discount: amount(|priced| priced.discount_minor),
            deposit: amount(|priced| priced.deposit_minor),
            tax: amount(|priced| priced.tax_minor),
            total: amount(|priced| priced.total_minor),
            tendered: self.money(tendered),
            item_count: priced.map_or(0, |priced| priced.item_count),
            fault: fault.cloned(),
        }
    }

    /// Which part of the visit the shopper is in.
    pub(super) fn place(&self) -> Place {
        match &self.front {
            Front::Attract => Place::Attract,
            Front::Shop | Front::Weigh | Front::Choose(..) => Place::Shop,
            Front::Age => Place::Age,
            Front::Pay | Front::Underpaid(_) => Place::Pay,
            Front::BankCheck(_) => Place::Qr,
            Front::Tender => match self.active() {
                Some(Attempt {
                    status: AttemptStatus::Unknown,
                    ..
                }) => Place::Unknown,
                Some(Attempt {
                    kind: TenderKind::Card,
                    ..
                }) => Place::Card,
                Some(Attempt {
                    kind: TenderKind::Qr,
                    ..
                }) => Place::Qr,
                _ => Place::Cash,
            },
            Front::Paid => Place::Paid,
            Front::Tap => Place::Tap,
            Front::Reasons(_) => Place::Reasons,
            Front::Thanks => Place::Thanks,
            Front::Parked { .. } => Place::Parked,
        }
    }
}

/// Why the attempt is in doubt.
fn in_doubt(moment: &Moment) -> Option<Doubt> {
    match moment.step {
        Step::InDoubt(why) => Some(why),
        _ => None,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
