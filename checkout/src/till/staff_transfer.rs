//! Transfers on a person's word, and the account they go to.
//!
//! Staff see a transfer in the bank's own app and type its reference. That is money nobody
//! confirmed to this kiosk: it is recorded as such until the bank, or the bank's list, says so.

use super::staff::short;
use super::{
    AttemptId, AttemptStatus, BankLink, Credit, Notice, QrConfirm, ReviewKind, StaffId, Tender,
    TenderKind, Till, UNCONFIRMED_MAX, Unconfirmed, What,
};

/// Shortest reference that can be found again in a bank's list, in letters and digits.
const REFERENCE_MIN: usize = 4;
/// Longest reference kept.
const REFERENCE_MAX: usize = 40;

impl Till {
    /// Whether staff may say that the code on the screen was paid.
    pub fn may_confirm_transfer(&self) -> bool {
        let by_staff = self.config.qr_confirm == QrConfirm::Staff;
        let open = self.active().is_some_and(|active| {
            let shown = matches!(
                active.status,
                AttemptStatus::Showing | AttemptStatus::Checking
            );
            active.kind == TenderKind::Qr && shown && self.live.shown
        });
        open && (by_staff || self.live.link != BankLink::Fresh)
    }

    pub(super) fn transfer_seen(&mut self, reference: &str, staff: StaffId) {
        let reference: String = short(reference)
            .chars()
            .filter(|c| !c.is_whitespace())
            .collect();
        let reference = reference.to_uppercase();
        let symbols = reference
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .count();
        let used = self
            .state
            .unconfirmed
            .iter()
            .any(|u| u.reference == reference)
            || self.state.seen_credits.contains(&reference);
        if symbols < REFERENCE_MIN || reference.len() > REFERENCE_MAX || used {
            return self.tell(Notice::ReferenceWrong);
        }
        if !self.may_confirm_transfer() {
            return self.tell(Notice::StaffNeeded);
        }
        if self.state.unconfirmed.len() >= UNCONFIRMED_MAX {
            return self.tell(Notice::TooManyUnconfirmed);
        }
        let (Some(active), Some(visit)) = (self.active().cloned(), &self.state.visit) else {
            return;
        };
        let amount_minor = active.amount_minor.min(self.due_minor().max(0));
        self.state.unconfirmed.push(Unconfirmed {
            attempt: active.id,
            visit: visit.id.clone(),
            order_code: active.order_code.clone().unwrap_or_default(),
            amount_minor,
            reference: reference.clone(),
            confirmed_wall_ms: self.now.wall_ms,
            looked_up: None,
        });
        self.record(What::TransferSeen {
            attempt: active.id,
            amount_minor,
            reference: reference.clone(),
            staff,
        });
        // Where the bank can be asked at all, its word is waited for.
        self.watch(&active, false);
        self.sign_out();
        let tender = Tender {
            kind: TenderKind::Qr,
            attempt: active.id,
            amount_minor,
            received_minor: amount_minor,
            change_minor: 0,
            rounding_minor: 0,
            reference: Some(reference),
            approval_code: None,
            unconfirmed: true,
        };
        self.take_active_tender(tender, AttemptStatus::Paid);
    }

    /// The bank's own word about a transfer that counted already; what is left of the credit.
    pub(super) fn settle_by_credit(
        &mut self,
        attempt: AttemptId,
        credit: Credit,
    ) -> Option<Credit> {
        let mut entries = self.state.unconfirmed.iter();
        let Some(index) = entries.position(|entry| entry.attempt == attempt) else {
            return Some(credit);
        };
        let open_minor = self.state.unconfirmed[index].amount_minor;
        let amount_minor = open_minor.min(credit.amount.minor);
        // Staff found it in the bank's list before: said already.
        if self.state.unconfirmed[index].looked_up != Some(true) {
            self.record(What::TransferSettled {
                attempt,
                amount_minor,
                arrived: true,
                staff: None,
            });
        }
        if amount_minor < open_minor {
            self.state.unconfirmed[index].amount_minor -= amount_minor;
            return None;
        }
        self.state.unconfirmed.remove(index);
        if let Some(watched) = self.state.watched.iter_mut().find(|w| w.attempt == attempt) {
            watched.paid = true;
        }
        let over = credit.amount.minor - amount_minor;
        if over > 0 {
            let (_, visit) = self.whose(attempt);
            self.open_review(ReviewKind::OverPaid, over, Some(attempt), visit, credit.id);
        }
        None
    }

    /// Staff looked the transfer up in the bank's list.
    pub(super) fn settle_unconfirmed(&mut self, attempt: AttemptId, arrived: bool, staff: StaffId) {
        let mut entries = self.state.unconfirmed.iter();
        let Some(index) = entries.position(|entry| entry.attempt == attempt) else {
            return;
        };
        let entry = &mut self.state.unconfirmed[index];
        if entry.looked_up.is_some() {
            return;
        }
        entry.looked_up = Some(arrived);
        let amount_minor = entry.amount_minor;
        self.record(What::TransferSettled {
            attempt,
            amount_minor,
            arrived,
            staff: Some(staff),
        });
        self.forget_looked_up();
    }

    /// What was looked up is kept as long as the bank may still tell us of it itself: that is then
    /// no second transfer.
    pub(super) fn forget_looked_up(&mut self) {
        let watched: Vec<AttemptId> = self.state.watched.iter().map(|w| w.attempt).collect();
        let open = |entry: &Unconfirmed| entry.looked_up.is_none();
        let kept = |entry: &Unconfirmed| open(entry) || watched.contains(&entry.attempt);
        self.state.unconfirmed.retain(kept);
    }

    // ---- the account ----

    /// Whether the configured account is another than the one a person agreed to.
    pub(super) fn payee_differs(&self) -> bool {
        self.config.payee.is_some() && self.config.payee != self.state.payee
    }

    /// At the start: the first account is taken as it is, a changed one waits for a person.
    pub(super) fn check_payee(&mut self) {
        if self.config.payee.is_none() || !self.payee_differs() {
            return;
        }
        match self.state.payee {
            None => self.accept_payee(None),
            Some(_) => self.record_outside(What::PayeeDiffers),
        }
    }

    pub(super) fn accept_payee(&mut self, staff: Option<StaffId>) {
        if self.payee_differs() {
            self.state.payee.clone_from(&self.config.payee);
            self.record_outside(What::PayeeAccepted { staff });
        }
    }
}
