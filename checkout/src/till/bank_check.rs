//! Before another way to pay, the bank is asked about every open offer of the visit.
//!
//! The wait is bounded. A bank that does not answer is named on the screen, and going on without
//! its answer is the shopper's own touch, recorded; the offers stay watched.

use super::{
    AttemptId, AttemptStatus, BankCheck, BankLink, Effect, Front, Notice, QrConfirm, TenderKind,
    Till, What,
};

impl Till {
    pub(super) fn bank_check(&self) -> Option<&BankCheck> {
        match &self.front {
            Front::BankCheck(check) => Some(check),
            _ => None,
        }
    }

    /// Offers of this visit that are off the screen and that money may still come for.
    pub(super) fn open_offers(&self) -> Vec<AttemptId> {
        if self.config.qr_confirm == QrConfirm::Staff {
            return self.unpaid_offers();
        }
        let Some(visit) = &self.state.visit else {
            return Vec::new();
        };
        let ours = self.state.watched.iter().filter(|w| w.visit == visit.id);
        ours.map(|watched| watched.attempt).collect()
    }

    /// Offers of this visit the shopper has seen, left, and not paid in full.
    pub(super) fn unpaid_offers(&self) -> Vec<AttemptId> {
        let attempts = self.state.visit.iter().flat_map(|visit| &visit.attempts);
        let unpaid = attempts.filter(|attempt| {
            let left = matches!(
                attempt.status,
                AttemptStatus::Left | AttemptStatus::PartPaid
            );
            attempt.kind == TenderKind::Qr && left
        });
        unpaid.map(|attempt| attempt.id).collect()
    }

    /// Asks about every open offer before `kind` begins; `false` when there is none.
    pub(super) fn ask_about_open_offers(&mut self, kind: TenderKind) -> bool {
        let open = self.open_offers();
        if open.is_empty() {
            return false;
        }
        for &attempt in &open {
            self.out.push(Effect::CheckBank { attempt });
        }
        self.notice = None;
        self.enter(Front::BankCheck(BankCheck {
            kind,
            pending: open.into_iter().collect(),
            since_mono_ms: self.now.mono_ms,
            // Nobody can be asked: the shopper is told at once.
            silent: self.config.qr_confirm == QrConfirm::Staff,
            link: BankLink::Fresh,
        }));
        true
    }

    /// The bank was asked about an offer at `asked_mono_ms`; only what it said since the question,
    /// or just before it, counts.
    pub(super) fn check_answered(&mut self, attempt: AttemptId, asked_mono_ms: u64) {
        let Front::BankCheck(check) = &mut self.front else {
            return;
        };
        let fresh_ms = self.config.limits.offer_fresh_ms;
        let stale = asked_mono_ms.saturating_add(fresh_ms) < check.since_mono_ms;
        if stale || !check.pending.remove(&attempt) {
            return;
        }
        let (kind, all) = (check.kind, check.pending.is_empty());
        if all {
            self.begin_tender(kind);
        }
    }

    pub(super) fn bank_is_silent(&mut self) {
        let now = self.now.mono_ms;
        if let Front::BankCheck(check) = &mut self.front {
            check.silent = true;
            self.entered_mono_ms = now;
            // The shopper has been waiting here, not idling.
            self.input_mono_ms = now;
        }
    }

    /// The shopper waits: once more.
    pub(super) fn ask_bank_again(&mut self) {
        if let Some(kind) = self.bank_check().map(|check| check.kind) {
            self.ask_about_open_offers(kind);
        }
    }

    /// The shopper goes on without the bank's answer.
    pub(super) fn go_on_unasked(&mut self) {
        let Some(check) = self.bank_check().filter(|check| check.silent).cloned() else {
            return;
        };
        let attempts: Vec<AttemptId> = check.pending.iter().copied().collect();
        let order_code = attempts
            .first()
            .and_then(|&first| self.order_code_of(first));
        self.record(What::OffersUnasked { attempts });
        self.begin_tender(check.kind);
        let watched = self.config.qr_confirm == QrConfirm::Bank;
        if let Some(order_code) = order_code.filter(|_| watched) {
            self.tell(Notice::StillWatching { order_code });
        }
    }
}
