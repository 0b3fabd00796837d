//! QR attempts: Intended → Showing → Checking → Paid, PartPaid or Left (and watched).
//!
//! Nothing here is money; what arrives is in [`credit`](super::credit). Whatever leaves the screen
//! is watched on, and every open offer of the visit is asked about before an offer is cancelled.

use super::gate::Deed;
use super::{
    AttemptId, AttemptStatus, BankLink, BankSaid, Effect, Front, NotStartedReason, Notice,
    QrConfirm, QrOffer, TenderKind, Till, What,
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
            (BankSaid::Checked { asked_ago_ms }, _) => self.bank_answered(attempt, asked_ago_ms),
            (BankSaid::Slow, _) => self.set_link(attempt, BankLink::Slow),
            (BankSaid::Unreachable, _) => self.set_link(attempt, BankLink::Unreachable),
            (BankSaid::Cancelled, Some(_)) => self.cancel_answered(true),
            (BankSaid::CancelUnknown, Some(_)) => self.cancel_answered(false),
            _ => {}
        }
    }

    fn set_link(&mut self, attempt: AttemptId, link: BankLink) {
        if self.active_status(attempt).is_some() {
            self.live.link = link;
        }
        if let Front::BankCheck(check) = &mut self.front
            && check.pending.contains(&attempt)
        {
            check.link = link;
        }
    }

    /// The bank was asked `asked_ago_ms` ago, and had nothing new about the offer.
    fn bank_answered(&mut self, attempt: AttemptId, asked_ago_ms: u64) {
        let asked_mono_ms = self.now.mono_ms.saturating_sub(asked_ago_ms);
        if self.active_status(attempt).is_some() {
            let known = self.live.checked_mono_ms.unwrap_or(0);
            self.live.checked_mono_ms = Some(known.max(asked_mono_ms));
            self.live.link = BankLink::Fresh;
        }
        let fresh_ms = self.config.limits.offer_fresh_ms;
        let fresh = |since| asked_mono_ms.saturating_add(fresh_ms) >= since;
        if self.live.cancelling_since.is_some_and(fresh) {
            self.live.unasked.remove(&attempt);
            self.leave_if_answered();
        }
        self.check_answered(attempt, asked_mono_ms);
    }

    /// The bank's word about cancelling the offer on the screen.
    fn cancel_answered(&mut self, no_money_can_come: bool) {
        if self.live.cancelling_since.is_some() {
            self.live.cancel_said = Some(no_money_can_come);
            self.leave_if_answered();
        }
    }

    /// Leaves the offer once the bank has spoken about it and about every earlier one.
    fn leave_if_answered(&mut self) {
        match self.live.cancel_said {
            Some(_) if !self.live.unasked.is_empty() => {}
            Some(true) => self.leave_offer(None),
            Some(false) => self.leave_offer_watching(),
            None => {}
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

    /// The shopper wants another tender: the bank is asked a last time first, where it can be.
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
                self.live.unasked = self.open_offers().into_iter().collect();
                self.out.push(Effect::CancelBank { attempt });
                for attempt in self.live.unasked.clone() {
                    self.out.push(Effect::CheckBank { attempt });
                }
            }
            _ => {}
        }
    }

    fn leave_offer_watching(&mut self) {
        if self.config.qr_confirm == QrConfirm::Staff {
            return self.leave_offer(None);
        }
        let order_code = self.active().and_then(|active| active.order_code.clone());
        self.leave_offer(order_code.map(|order_code| Notice::StillWatching { order_code }));
    }

    /// The offer leaves the screen; money for it is still looked for.
    pub(super) fn leave_offer(&mut self, notice: Option<Notice>) {
        if let Some(active) = self.active().cloned() {
            self.watch(&active, false);
            self.end_attempt(AttemptStatus::Left, notice);
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
}
