//! QR attempts: Intended → Showing → Checking → Paid, PartPaid or Left (and watched).
//!
//! Only a credit the bank side verified is money. It is counted once by its id, whenever it
//! comes: for the offer on the screen, for one left behind in this visit, or as a review.

use super::gate::Deed;
use super::{
    Attempt, AttemptId, AttemptStatus, BankSaid, Credit, Effect, Front, NotStartedReason, Notice,
    QrOffer, ReviewKind, SEEN_CREDITS_MAX, Stage, Tender, TenderKind, Till, WATCHED_MAX, Watched,
    What,
};

impl Till {
    pub(super) fn on_bank(&mut self, attempt: AttemptId, said: BankSaid) {
        let status = self.active_status(attempt).cloned();
        match (said, status) {
            (BankSaid::Credit(credit), _) => self.on_credit(attempt, credit),
            (BankSaid::Offered(offer), Some(AttemptStatus::Intended)) => {
                self.offer_made(attempt, offer);
            }
            // Too late: nobody has seen it.
            (BankSaid::Offered(_), None) => self.cancel_unseen(attempt),
            (BankSaid::NotOffered(reason), Some(AttemptStatus::Intended)) => {
                self.qr_not_started(reason);
            }
            (BankSaid::Checked, Some(_)) => {
                self.live.checked_mono_ms = Some(self.now.mono_ms);
                self.live.bank_slow = false;
            }
            (BankSaid::Slow, Some(_)) => self.live.bank_slow = true,
            (BankSaid::Cancelled, Some(_)) if self.live.cancelling_since.is_some() => {
                self.leave_offer(None);
            }
            (BankSaid::CancelUnknown, Some(_)) if self.live.cancelling_since.is_some() => {
                self.leave_offer_watching();
            }
            _ => {}
        }
    }

    pub(super) fn qr_not_started(&mut self, reason: NotStartedReason) {
        let notice = Notice::NotStarted {
            kind: TenderKind::Qr,
            reason,
        };
        let told = (reason != NotStartedReason::Cancelled).then_some(notice);
        self.end_attempt(AttemptStatus::NotStarted(reason), told);
    }

    fn offer_made(&mut self, attempt: AttemptId, offer: QrOffer) {
        let Some(active) = self.active_mut() else {
            return;
        };
        active.offer = Some(Box::new(offer));
        active.status = AttemptStatus::Showing;
        let (amount_minor, order_code) = (
            active.amount_minor,
            active.order_code.clone().unwrap_or_default(),
        );
        self.live.shown = false;
        self.live.span_ms = self.config.limits.offer_ms;
        self.live.until_mono_ms = self.now.mono_ms.saturating_add(self.live.span_ms);
        self.live.checked_mono_ms = Some(self.now.mono_ms);
        self.record(What::OfferReady {
            attempt,
            amount_minor,
            order_code,
        });
        self.gate.after(Deed::ShowOffer { attempt });
    }

    /// The offer is on disk: the shopper may see it.
    pub(super) fn show_offer(&mut self, attempt: AttemptId) {
        if self.active_status(attempt) == Some(&AttemptStatus::Showing) {
            self.live.shown = true;
            self.live.until_mono_ms = self.now.mono_ms.saturating_add(self.live.span_ms);
        }
    }

    pub(super) fn extend_offer(&mut self) {
        let Some(active) = self.active().filter(|active| active.kind == TenderKind::Qr) else {
            return;
        };
        let attempt = active.id;
        let open = matches!(
            active.status,
            AttemptStatus::Showing | AttemptStatus::Checking
        );
        if !open || !self.live.shown || self.live.cancelling_since.is_some() {
            return;
        }
        self.out.push(Effect::CheckBank { attempt });
        if self.live.extensions >= self.config.limits.offer_extensions_max {
            return self.call_help();
        }
        self.live.extensions += 1;
        let from = self.live.until_mono_ms.max(self.now.mono_ms);
        let from = match self.active().map(|active| &active.status) {
            Some(AttemptStatus::Checking) => self.now.mono_ms,
            _ => from,
        };
        self.live.until_mono_ms = from.saturating_add(self.config.limits.offer_extend_ms);
        self.live.span_ms = self.live.until_mono_ms.saturating_sub(self.now.mono_ms);
        self.set_active_status(AttemptStatus::Showing);
        self.record(What::OfferExtended { attempt });
    }

    /// The shopper wants another tender: the bank is asked a last time first.
    pub(super) fn cancel_offer(&mut self) {
        let Some(active) = self.active() else {
            return;
        };
        let attempt = active.id;
        match active.status {
            AttemptStatus::Intended => {
                self.cancel_unseen(attempt);
                self.qr_not_started(NotStartedReason::Cancelled);
            }
            AttemptStatus::Showing | AttemptStatus::Checking
                if self.live.cancelling_since.is_none() =>
            {
                self.live.cancelling_since = Some(self.now.mono_ms);
                self.out.push(Effect::CancelBank { attempt });
            }
            _ => {}
        }
    }

    fn leave_offer_watching(&mut self) {
        let order_code = self.active().and_then(|active| active.order_code.clone());
        self.leave_offer(order_code.map(|order_code| Notice::StillWatching { order_code }));
    }

    /// The offer leaves the screen; money for it is still looked for.
    fn leave_offer(&mut self, notice: Option<Notice>) {
        if let Some(active) = self.active().cloned() {
            self.watch(&active);
            self.end_attempt(AttemptStatus::Left, notice);
        }
    }

    fn watch(&mut self, attempt: &Attempt) {
        let Some(visit) = &self.state.visit else {
            return;
        };
        let watched = Watched {
            attempt: attempt.id,
            visit: visit.id.clone(),
            order_code: attempt.order_code.clone().unwrap_or_default(),
            amount_minor: attempt.amount_minor,
            until_wall_ms: self
                .now
                .wall_ms
                .saturating_add(self.config.limits.late_window_ms),
        };
        self.state.watched.push(watched);
        if self.state.watched.len() > WATCHED_MAX {
            let oldest = self.state.watched.remove(0);
            self.stop_watching(oldest.attempt);
        }
    }

    fn stop_watching(&mut self, attempt: AttemptId) {
        self.out.push(Effect::StopWatching { attempt });
        self.record_outside(What::WatchEnded { attempt });
    }

    /// Offers whose late window is over. Money that comes even later is an orphan, not lost.
    pub(super) fn end_watches(&mut self) {
        let wall_ms = self.now.wall_ms;
        let (over, open): (Vec<Watched>, Vec<Watched>) = self
            .state
            .watched
            .drain(..)
            .partition(|watched| watched.until_wall_ms < wall_ms);
        self.state.watched = open;
        for watched in over {
            self.stop_watching(watched.attempt);
        }
    }

    /// The offer's time, or the time to answer "did you pay?", is over.
    pub(super) fn offer_timed_out(&mut self) {
        let Some(active) = self.active() else {
            return;
        };
        let attempt = active.id;
        match active.status {
            AttemptStatus::Intended => {
                self.cancel_unseen(attempt);
                let disk_is_down = self.is_blocked();
                self.qr_not_started(match disk_is_down {
                    true => NotStartedReason::StorageDown,
                    false => NotStartedReason::NoAnswer,
                });
            }
            AttemptStatus::Showing | AttemptStatus::Checking
                if self.live.cancelling_since.is_some() =>
            {
                self.leave_offer_watching();
            }
            AttemptStatus::Showing => {
                self.set_active_status(AttemptStatus::Checking);
                self.live.span_ms = self.config.limits.offer_checking_ms;
                self.live.until_mono_ms = self.now.mono_ms.saturating_add(self.live.span_ms);
                self.out.push(Effect::CheckBank { attempt });
            }
            AttemptStatus::Checking => {
                self.leave_offer_watching();
                // Money may have come in while leaving; else nobody is here any more.
                if self.front == Front::Pay {
                    self.park(true);
                }
            }
            _ => {}
        }
    }

    // ---- money ----

    fn on_credit(&mut self, attempt: AttemptId, credit: Credit) {
        let ack = Deed::AckCredit {
            attempt,
            credit: credit.id.clone(),
        };
        if self.state.seen_credits.contains(&credit.id) {
            // Said before; the row may still be on its way to disk, so the word waits for it.
            return self.gate.after(ack);
        }
        self.state.seen_credits.push_back(credit.id.clone());
        while self.state.seen_credits.len() > SEEN_CREDITS_MAX {
            self.state.seen_credits.pop_front();
        }
        self.record(What::CreditReceived {
            attempt,
            credit: credit.clone(),
        });
        self.gate.after(ack);
        let amount_minor = credit.amount.minor;
        if credit.amount.currency != self.config.rules.currency || amount_minor <= 0 {
            let reference = format!("{} {}", credit.amount, credit.id);
            return self.open_review(ReviewKind::OrphanCredit, 0, Some(attempt), None, reference);
        }
        if self.active_status(attempt).is_some() {
            return self.take_active_credit(attempt, credit);
        }
        if self.may_take_credit_now(attempt) {
            self.leave_active_for_money();
            return self.take_credit(attempt, amount_minor, credit.id);
        }
        let (kind, visit) = self.whose(attempt);
        self.open_review(kind, amount_minor, Some(attempt), visit, credit.id);
    }

    fn take_active_credit(&mut self, attempt: AttemptId, credit: Credit) {
        let Some(active) = self.active_mut() else {
            return;
        };
        let enough = credit.amount.minor >= active.amount_minor;
        active.credits.push(credit.clone());
        let copy = active.clone();
        let status = if enough {
            AttemptStatus::Paid
        } else {
            AttemptStatus::PartPaid
        };
        if !enough {
            self.watch(&copy);
        }
        let (tender, over) = self.credit_tender(attempt, credit.amount.minor, &credit.id);
        if tender.amount_minor > 0 {
            self.take_active_tender(tender, status);
        } else {
            self.end_attempt(AttemptStatus::Left, None);
        }
        self.review_over(attempt, over, credit.id);
    }

    /// A credit that belongs to this visit, though not to the attempt on the screen.
    pub(super) fn take_credit(&mut self, attempt: AttemptId, amount_minor: i64, reference: String) {
        let (tender, over) = self.credit_tender(attempt, amount_minor, &reference);
        if tender.amount_minor > 0 {
            self.take_tender(tender);
        }
        self.review_over(attempt, over, reference);
    }

    /// As much of the credit as is due, and the rest.
    fn credit_tender(&self, attempt: AttemptId, credit_minor: i64, id: &str) -> (Tender, i64) {
        let amount_minor = credit_minor.min(self.due_minor().max(0));
        let tender = Tender {
            kind: TenderKind::Qr,
            attempt,
            amount_minor,
            received_minor: amount_minor,
            change_minor: 0,
            rounding_minor: 0,
            reference: Some(id.to_owned()),
            approval_code: None,
        };
        (tender, credit_minor - amount_minor)
    }

    fn review_over(&mut self, attempt: AttemptId, over_minor: i64, reference: String) {
        if over_minor <= 0 {
            return;
        }
        let visit = self.state.visit.as_ref().map(|visit| visit.id.clone());
        self.open_review(
            ReviewKind::OverPaid,
            over_minor,
            Some(attempt),
            visit,
            reference,
        );
        self.tell(Notice::PaidOver {
            over: self.money(over_minor),
        });
    }

    /// Whether a credit for a left attempt of this visit can pay now: nothing on the screen
    /// may already be charging the shopper.
    fn may_take_credit_now(&self, attempt: AttemptId) -> bool {
        let Some(visit) = &self.state.visit else {
            return false;
        };
        let ours = visit.attempts.iter().any(|a| a.id == attempt);
        let charging = self.active().is_some_and(|active| {
            let asked = matches!(
                active.status,
                AttemptStatus::Approved | AttemptStatus::Unknown
            ) || (active.status == AttemptStatus::Armed && self.live.asked);
            active.kind == TenderKind::Card && asked
        });
        ours && visit.stage == Stage::Pay && !charging && self.due_minor() > 0
    }

    /// Money for another attempt came: the one on the screen is left, certainly uncharged.
    fn leave_active_for_money(&mut self) {
        let Some(active) = self.active() else {
            return;
        };
        let (attempt, status) = (active.id, active.status.clone());
        match (active.kind, status) {
            (TenderKind::Card, _) => self.card_not_started(NotStartedReason::Cancelled),
            (TenderKind::Cash, _) => self.end_attempt(AttemptStatus::Left, None),
            (TenderKind::Qr, AttemptStatus::Intended) => {
                self.cancel_unseen(attempt);
                self.qr_not_started(NotStartedReason::Cancelled);
            }
            (TenderKind::Qr, _) => {
                self.out.push(Effect::CancelBank { attempt });
                self.leave_offer(None);
            }
        }
    }

    fn whose(&self, attempt: AttemptId) -> (ReviewKind, Option<super::VisitId>) {
        let late = |visit: &super::VisitId| (ReviewKind::LateCredit, Some(visit.clone()));
        let in_visit = self
            .state
            .visit
            .iter()
            .chain(self.state.parked.iter().map(|parked| &*parked.visit))
            .find(|visit| visit.attempts.iter().any(|a| a.id == attempt));
        if let Some(visit) = in_visit {
            return late(&visit.id);
        }
        match self
            .state
            .watched
            .iter()
            .find(|watched| watched.attempt == attempt)
        {
            Some(watched) => late(&watched.visit),
            None => (ReviewKind::OrphanCredit, None),
        }
    }
}
