//! What staff may do. The PIN was checked outside; here only who is signed in counts.
//!
//! What the shopper was waiting for (age, a weight, cash, help, a payment in doubt) signs staff out again
//! once it is done, so that the shopper is back in the same place at once.

use super::gate::Deed;
use super::{
    AttemptDecision, AttemptId, AttemptStatus, DrawerReason, Front, Notice, Review, ReviewDecision,
    ReviewId, ReviewKind, Staff, StaffEvent, StaffId, Till, What,
};

/// Longest note kept with a decision, in characters.
const NOTE_LENGTH_MAX: usize = 200;

impl Till {
    pub(super) fn on_staff(&mut self, event: StaffEvent) {
        if let StaffEvent::SignedIn { staff } = event {
            return self.sign_in(staff);
        }
        let Some(staff) = self.staff.as_mut() else {
            return self.tell(Notice::StaffOnly);
        };
        staff.last_mono_ms = self.now.mono_ms;
        let id = staff.id.clone();
        match event {
            StaffEvent::SignedIn { .. } => {}
            StaffEvent::SignedOut => self.sign_out(),
            StaffEvent::AgeApproved => self.age_checked(true, id),
            StaffEvent::AgeRefused => self.age_checked(false, id),
            StaffEvent::Weighed { quantity } => self.weight_typed(quantity, id),
            StaffEvent::WeightRefused => self.weight_refused(),
            StaffEvent::CashTaken { received_minor } => self.cash_taken(received_minor, id),
            StaffEvent::CashRefused => self.cash_refused(),
            StaffEvent::HelpDone => {
                self.answer_help(&id);
                self.end_help();
                self.sign_out();
            }
            StaffEvent::ResolveAttempt {
                attempt,
                decision,
                note,
            } => {
                self.resolve_attempt(attempt, decision, note, id);
            }
            StaffEvent::ResolveReview {
                review,
                decision,
                note,
            } => {
                self.resolve_review(review, decision, note, id);
            }
            StaffEvent::PrintSlip => self.print_slip(true),
            StaffEvent::TransferSeen { reference } => self.transfer_seen(&reference, id),
            StaffEvent::SettleUnconfirmed { attempt, arrived } => {
                self.settle_unconfirmed(attempt, arrived, id);
            }
            StaffEvent::ReprintVoucher(code) => self.reprint_voucher(&code),
            StaffEvent::AcceptPayee => self.accept_payee(Some(id)),
            StaffEvent::GiveBack {
                taken,
                amount_minor,
            } => self.give_back(*taken, amount_minor, id),
            StaffEvent::CloseTerminalDay => self.close_terminal_day(id),
            StaffEvent::CancelOrder => self.cancel_order(),
            StaffEvent::VoidLine(line) => self.remove_line(line, Some(id)),
            StaffEvent::Reprint(sale) => self.reprint(sale),
            StaffEvent::OpenDrawer => self.open_drawer(DrawerReason::NoSale, id),
            StaffEvent::ResumeParked(code) => self.resume(&code, true),
            StaffEvent::DiscardParked(code) => self.discard_parked(&code, id),
            StaffEvent::ForgetReceipt { receipt_number } => self.forget_receipt(receipt_number),
        }
    }

    fn sign_in(&mut self, staff: StaffId) {
        self.sign_out();
        self.staff = Some(Staff {
            id: staff.clone(),
            last_mono_ms: self.now.mono_ms,
        });
        self.record(What::StaffSignedIn {
            staff: staff.clone(),
        });
        self.answer_help(&staff);
        self.answer_weighing(&staff);
    }

    pub(super) fn sign_out(&mut self) {
        self.order_ended = None;
        if let Some(staff) = self.staff.take() {
            self.record(What::StaffSignedOut { staff: staff.id });
        }
    }

    /// Opens the drawer once it is on disk that it was opened, and why.
    pub(super) fn open_drawer(&mut self, reason: DrawerReason, staff: StaffId) {
        self.record(What::DrawerOpened { reason, staff });
        self.gate.after(Deed::OpenDrawer);
    }

    fn answer_help(&mut self, staff: &StaffId) {
        if self.help.open && !self.help.answered {
            self.help.answered = true;
            let wait_ms = self.help_wait_ms();
            self.record(What::HelpAnswered {
                wait_ms,
                staff: staff.clone(),
            });
        }
    }

    fn age_checked(&mut self, approved: bool, staff: StaffId) {
        let Some(min_age) = self.age_to_check().filter(|_| self.front == Front::Age) else {
            return;
        };
        self.record(What::AgeChecked {
            min_age,
            approved,
            staff: staff.clone(),
        });
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        if approved {
            visit.age_confirmed = Some(min_age);
            self.sign_out();
            return self.enter_pay();
        }
        if !visit.tenders.is_empty() {
            // Part of it is paid: the basket stays as it is until the money is given back.
            self.sign_out();
            self.park(false);
            return self.tell(Notice::AgeRefused);
        }
        let confirmed = visit.age_confirmed.unwrap_or(0);
        let refused: Vec<_> = visit
            .basket
            .lines
            .iter()
            .filter(|line| line.item.min_age.is_some_and(|age| age > confirmed))
            .map(|line| line.id)
            .collect();
        for line in refused {
            self.remove_line(line, Some(staff.clone()));
        }
        self.sign_out();
        self.enter(Front::Shop);
        self.tell(Notice::AgeRefused);
    }

    fn resolve_attempt(
        &mut self,
        attempt: AttemptId,
        decision: AttemptDecision,
        note: String,
        staff: StaffId,
    ) {
        if self.order_is(attempt, &AttemptStatus::Unknown) {
            return self.resolve_order(decision, None, Some(staff), note);
        }
        if self.active_status(attempt) == Some(&AttemptStatus::Unknown) {
            self.resolve_card(decision, None, Some(staff), short(&note));
            self.sign_out();
        }
    }

    fn resolve_review(
        &mut self,
        review: ReviewId,
        decision: ReviewDecision,
        note: String,
        staff: StaffId,
    ) {
        match decision {
            ReviewDecision::UsedForSale => return self.tell(Notice::StaffNeeded),
            ReviewDecision::Reopened => return self.reopen(review),
            ReviewDecision::Voucher if !self.may_be_voucher(review) => {
                return self.tell(Notice::NoVoucher);
            }
            _ => {}
        }
        let Some(closed) = self.close_review(review, decision, Some(staff), short(&note)) else {
            return;
        };
        if decision == ReviewDecision::Voucher {
            self.issue_voucher(closed.id, closed.amount_minor);
        }
        self.forget_parked_money(&closed);
    }

    /// The money of a basket that was left part paid is dealt with: fetching it later must not count it again.
    pub(super) fn forget_parked_money(&mut self, closed: &Review) {
        if closed.kind == ReviewKind::PartPaid {
            let parked = self
                .state
                .parked
                .iter_mut()
                .find(|p| p.code == closed.reference);
            if let Some(parked) = parked {
                parked.visit.tenders.clear();
                parked.visit.priced_at = None;
            }
        }
    }
}

pub(super) fn short(note: &str) -> String {
    note.chars()
        .filter(|c| !c.is_control())
        .take(NOTE_LENGTH_MAX)
        .collect()
}
