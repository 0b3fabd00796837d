//! Money that arrives by transfer, and the offers it may still arrive for.
//!
//! Only a credit the bank side verified is money. It is counted once by its id, whenever it
//! comes: for the offer on the screen, for one off the screen of this visit, or as a review.

use super::gate::Deed;
use super::{
    Attempt, AttemptId, AttemptStatus, Credit, Effect, Front, NotStartedReason, Notice,
    PAID_WATCHED_MAX, QrConfirm, ReviewKind, SEEN_CREDITS_MAX, Stage, Tender, TenderKind, Till,
    VisitId, WATCHED_MAX, Watched, What,
};

impl Till {
    // ---- watching ----

    /// Watches an offer on; a paid one for a second transfer.
    pub(super) fn watch(&mut self, attempt: &Attempt, paid: bool) {
        // Where nobody can ask the bank, watching would be a promise nobody keeps.
        let Some(visit) = &self.state.visit else {
            return;
        };
        if self.config.qr_confirm == QrConfirm::Staff {
            return;
        }
        let window_ms = if paid {
            self.config.limits.paid_watch_ms
        } else {
            self.config.limits.late_window_ms
        };
        let known = self.state.watched.iter();
        let known = known.filter(|known| known.attempt == attempt.id);
        let mut credits: Vec<String> = known.flat_map(|known| known.credits.clone()).collect();
        for credit in &attempt.credits {
            if !credits.contains(&credit.id) {
                credits.push(credit.id.clone());
            }
        }
        let watched = Watched {
            credits,
            attempt: attempt.id,
            visit: visit.id.clone(),
            order_code: attempt.order_code.clone().unwrap_or_default(),
            amount_minor: attempt.amount_minor,
            until_wall_ms: self.now.wall_ms.saturating_add(window_ms),
            paid,
        };
        self.watch_bank(&watched);
        self.state
            .watched
            .retain(|known| known.attempt != attempt.id);
        self.state.watched.push(watched);
        self.bound_watched();
    }

    /// Has the bank asked for an offer that no screen shows.
    pub(super) fn watch_bank(&mut self, watched: &Watched) {
        self.out.push(Effect::WatchBank {
            attempt: watched.attempt,
            order_code: watched.order_code.clone(),
            amount: self.money(watched.amount_minor),
            offer: None,
            shown: false,
        });
    }

    /// Paid offers give way, the oldest first. Unpaid ones never do: [`Till::too_many_open`] keeps
    /// new ones away before that.
    fn bound_watched(&mut self) {
        loop {
            let paid = self.state.watched.iter().filter(|w| w.paid).count();
            if paid <= PAID_WATCHED_MAX && self.state.watched.len() <= WATCHED_MAX {
                return;
            }
            let Some(oldest) = self.state.watched.iter().position(|w| w.paid) else {
                return;
            };
            let oldest = self.state.watched.remove(oldest);
            self.stop_watching(oldest.attempt);
        }
    }

    /// So many unpaid offers are watched that another could not be.
    pub(super) fn too_many_open(&self) -> bool {
        self.state.watched.iter().filter(|w| !w.paid).count() >= WATCHED_MAX
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
        self.forget_looked_up();
    }

    /// The code of an attempt, as long as anything here knows it.
    pub(super) fn order_code_of(&self, attempt: AttemptId) -> Option<String> {
        let visits = self.state.visit.iter();
        let visits = visits.chain(self.state.parked.iter().map(|parked| &*parked.visit));
        let mut attempts = visits.flat_map(|visit| &visit.attempts);
        if let Some(found) = attempts.find(|known| known.id == attempt) {
            return found.order_code.clone();
        }
        let mut watched = self.state.watched.iter();
        let found = watched.find(|watched| watched.attempt == attempt)?;
        Some(found.order_code.clone())
    }

    // ---- money ----

    pub(super) fn on_credit(&mut self, attempt: AttemptId, credit: Credit) {
        let id = credit.id.clone();
        self.take_in(attempt, credit);
        // Whatever it became: as long as the offer is watched the bank side may tell of it again.
        let mut watched = self.state.watched.iter_mut();
        if let Some(watched) = watched.find(|watched| watched.attempt == attempt)
            && !watched.credits.contains(&id)
        {
            watched.credits.push(id);
        }
    }

    /// Counted once: remembered here, or by its offer for as long as that is watched.
    fn is_counted(&self, attempt: AttemptId, id: &String) -> bool {
        let mut watched = self.state.watched.iter();
        self.state.seen_credits.contains(id)
            || watched.any(|watched| watched.attempt == attempt && watched.credits.contains(id))
    }

    fn take_in(&mut self, attempt: AttemptId, credit: Credit) {
        let ack = Deed::AckCredit {
            attempt,
            credit: credit.id.clone(),
        };
        if self.is_counted(attempt, &credit.id) {
            // Said before; the row may still be on its way to disk, so the word waits for it.
            return self.gate.after(ack);
        }
        self.remember_credit(&credit.id);
        self.record(What::CreditReceived {
            attempt,
            credit: credit.clone(),
        });
        self.gate.after(ack);
        let amount_minor = credit.amount.minor;
        if credit.amount.currency != self.config.rules.currency || amount_minor <= 0 {
            let (_, visit) = self.whose(attempt);
            let reference = format!("{} {}", credit.amount, credit.id);
            let kind = ReviewKind::WrongCurrency;
            return self.open_review(kind, 0, Some(attempt), visit, reference);
        }
        let Some(credit) = self.settle_by_credit(attempt, credit) else {
            return;
        };
        let amount_minor = credit.amount.minor;
        let (kind, visit) = self.whose(attempt);
        let before_minor = self.note_credit(attempt, &credit);
        if self.active_status(attempt).is_some() {
            return self.take_active_credit(attempt, credit);
        }
        if self.may_take_credit_now(attempt) {
            self.leave_active_for_money();
            self.take_credit(attempt, amount_minor, credit.id);
            return self.show_short(attempt, before_minor);
        }
        self.open_review(kind, amount_minor, Some(attempt), visit, credit.id);
    }

    pub(super) fn remember_credit(&mut self, id: &str) {
        self.state.seen_credits.push_back(id.to_owned());
        while self.state.seen_credits.len() > SEEN_CREDITS_MAX {
            self.state.seen_credits.pop_front();
        }
    }

    /// Writes the credit to its attempt, wherever that is; what had arrived for it before.
    fn note_credit(&mut self, attempt: AttemptId, credit: &Credit) -> i64 {
        let visit = self.state.visit.iter_mut();
        let parked = self
            .state
            .parked
            .iter_mut()
            .map(|parked| &mut *parked.visit);
        let mut attempts = visit.chain(parked).flat_map(|visit| &mut visit.attempts);
        let Some(found) = attempts.find(|known| known.id == attempt) else {
            return 0;
        };
        let before_minor = found.received_minor();
        found.credits.push(credit.clone());
        let paid = found.received_minor() >= found.amount_minor;
        if found.status == AttemptStatus::Left || found.status == AttemptStatus::PartPaid {
            found.status = match paid {
                true => AttemptStatus::Paid,
                false => AttemptStatus::PartPaid,
            };
        }
        let mut watched = self.state.watched.iter_mut();
        if let Some(watched) = watched.find(|watched| watched.attempt == attempt) {
            watched.paid |= paid;
        }
        before_minor
    }

    fn take_active_credit(&mut self, attempt: AttemptId, credit: Credit) {
        let Some(active) = self.active().cloned() else {
            return;
        };
        let paid = active.received_minor() >= active.amount_minor;
        let before_minor = active.received_minor() - credit.amount.minor;
        self.watch(&active, paid);
        let status = if paid {
            AttemptStatus::Paid
        } else {
            AttemptStatus::PartPaid
        };
        let (tender, over) = self.credit_tender(attempt, credit.amount.minor, &credit.id);
        if tender.amount_minor > 0 {
            self.take_active_tender(tender, status);
        } else {
            self.end_attempt(AttemptStatus::Left, None);
        }
        self.review_over(attempt, over, credit.id);
        self.show_short(attempt, before_minor);
    }

    /// A transfer that was too small has its own screen, unless it was the rest of one.
    fn show_short(&mut self, attempt: AttemptId, before_minor: i64) {
        let visit = self.state.visit.as_ref();
        let found = visit.and_then(|visit| visit.attempts.iter().find(|a| a.id == attempt));
        let short = found.is_some_and(|found| {
            let received = found.received_minor();
            received > before_minor && received < found.amount_minor
        });
        if short && self.front == Front::Pay && self.due_minor() > 0 {
            self.notice = None;
            self.enter(Front::Underpaid(attempt));
        }
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
            unconfirmed: false,
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
            (TenderKind::Cash | TenderKind::Voucher, _) => {
                self.end_attempt(AttemptStatus::Left, None)
            }
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

    /// Which visit a credit belongs to that cannot be used now, and what it then is.
    pub(super) fn whose(&self, attempt: AttemptId) -> (ReviewKind, Option<VisitId>) {
        let kind = |paid: bool| match paid {
            true => ReviewKind::Duplicate,
            false => ReviewKind::LateCredit,
        };
        let visits = self.state.visit.iter();
        let mut visits = visits.chain(self.state.parked.iter().map(|parked| &*parked.visit));
        let in_visit = visits.find_map(|visit| {
            let found = visit.attempts.iter().find(|a| a.id == attempt)?;
            Some((
                kind(found.status == AttemptStatus::Paid),
                Some(visit.id.clone()),
            ))
        });
        let mut watched = self.state.watched.iter();
        let in_watched = || {
            let found = watched.find(|watched| watched.attempt == attempt)?;
            Some((kind(found.paid), Some(found.visit.clone())))
        };
        let found = in_visit.or_else(in_watched);
        found.unwrap_or((ReviewKind::OrphanCredit, None))
    }
}
