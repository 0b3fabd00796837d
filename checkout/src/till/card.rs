//! Card attempts: Intended → Armed → Approved → Paid, or Declined, NotStarted, Unknown.
//!
//! The terminal is asked for money once, after `Armed` is on disk; its approval is confirmed
//! after `Approved` is on disk. Whatever leaves the answer open makes the attempt Unknown, and
//! only the terminal's own record or a person ends that. No timeout means "declined".

use super::gate::Deed;
use super::{
    AttemptDecision, AttemptId, AttemptStatus, CardApproval, Doubt, Effect, NotStartedReason,
    Notice, OrderKind, Recovery, ReviewKind, StaffId, Step, Tender, TenderKind, TerminalPrompt,
    TerminalSaid, Till, What,
};

impl Till {
    pub(super) fn on_terminal(&mut self, attempt: AttemptId, said: TerminalSaid) {
        let Some(status) = self.active_status(attempt).cloned() else {
            return self.on_closed_card(attempt, &said);
        };
        match status {
            AttemptStatus::Intended => self.on_terminal_intended(attempt, said),
            AttemptStatus::Armed => self.on_terminal_armed(attempt, said),
            AttemptStatus::Approved => self.on_terminal_approved(attempt, said),
            AttemptStatus::Unknown => self.on_terminal_unknown(attempt, said),
            _ => {}
        }
    }

    fn on_terminal_intended(&mut self, attempt: AttemptId, said: TerminalSaid) {
        match said {
            TerminalSaid::Prepared { baseline } => {
                let Some(active) = self.active_mut() else {
                    return;
                };
                active.status = AttemptStatus::Armed;
                active.baseline = Some(baseline.clone());
                let amount_minor = active.amount_minor;
                // The baseline says by now what the terminal remembers of any attempt before.
                self.state.settled = None;
                self.settled_ask_mono_ms = None;
                self.note(Step::Armed);
                let amount = self.money(amount_minor);
                self.live.since_mono_ms = self.now.mono_ms;
                let armed_with = baseline.clone();
                self.record(What::AttemptArmed {
                    attempt,
                    amount_minor,
                    baseline: armed_with,
                });
                self.gate.after(Deed::AskTerminal {
                    attempt,
                    amount,
                    baseline,
                });
            }
            TerminalSaid::NotStarted(reason) => self.card_not_started(reason),
            // Nothing was asked yet, so nothing can have been charged.
            TerminalSaid::Lost | TerminalSaid::InDoubt(_) | TerminalSaid::Declined(_) => {
                self.card_not_started(NotStartedReason::Unreachable);
            }
            TerminalSaid::Progress(prompt) => self.live.prompt = Some(prompt),
            // A terminal that approves what nobody asked for: find out.
            TerminalSaid::Approved(_) | TerminalSaid::Completed => {
                self.card_is_unknown(Doubt::Contradiction);
            }
            TerminalSaid::Recovered(_) | TerminalSaid::DayEnded(_) => {}
        }
    }

    fn on_terminal_armed(&mut self, attempt: AttemptId, said: TerminalSaid) {
        match said {
            TerminalSaid::Lost | TerminalSaid::InDoubt(_) if !self.live.asked => {
                self.card_not_started(NotStartedReason::Unreachable);
            }
            TerminalSaid::Progress(prompt) => self.live.prompt = Some(prompt),
            TerminalSaid::Approved(approval) => self.card_approved(attempt, approval),
            TerminalSaid::Declined(reason) => {
                let notice = Notice::Declined {
                    reason: reason.clone(),
                };
                self.end_attempt(AttemptStatus::Declined(reason), Some(notice));
            }
            TerminalSaid::NotStarted(reason) => self.card_not_started(reason),
            TerminalSaid::Completed => self.card_is_unknown(Doubt::NoResult),
            TerminalSaid::Lost => self.card_is_unknown(Doubt::LinkLost),
            TerminalSaid::InDoubt(why) => self.card_is_unknown(why),
            TerminalSaid::Prepared { .. }
            | TerminalSaid::Recovered(_)
            | TerminalSaid::DayEnded(_) => {}
        }
    }

    fn card_approved(&mut self, attempt: AttemptId, approval: CardApproval) {
        self.keep_approval(attempt, approval);
        self.set_active_status(AttemptStatus::Approved);
        self.live.since_mono_ms = self.now.mono_ms;
        self.gate.after(Deed::ConfirmTerminal { attempt });
    }

    fn keep_approval(&mut self, attempt: AttemptId, approval: CardApproval) {
        let Some(active) = self.active_mut() else {
            return;
        };
        active.approval = Some(approval.clone());
        let amount_minor = active.amount_minor;
        self.note(Step::Approved);
        self.record(What::AttemptApproved {
            attempt,
            amount_minor,
            approval,
        });
    }

    fn on_terminal_approved(&mut self, attempt: AttemptId, said: TerminalSaid) {
        match said {
            TerminalSaid::Completed if self.live.confirmed => self.card_paid(),
            TerminalSaid::Progress(prompt) => self.live.prompt = Some(prompt),
            // Once approved, "declined" and silence both leave the money open.
            TerminalSaid::Completed | TerminalSaid::Declined(_) | TerminalSaid::NotStarted(_) => {
                self.card_is_unknown(Doubt::Contradiction);
            }
            TerminalSaid::Lost => self.card_is_unknown(Doubt::LinkLost),
            TerminalSaid::InDoubt(why) => self.card_is_unknown(why),
            // The terminal repeats an approval until it is confirmed.
            TerminalSaid::Approved(_) if self.live.confirmed => {
                self.gate.after(Deed::ConfirmTerminal { attempt });
            }
            TerminalSaid::Approved(_)
            | TerminalSaid::Prepared { .. }
            | TerminalSaid::Recovered(_)
            | TerminalSaid::DayEnded(_) => {}
        }
    }

    fn on_terminal_unknown(&mut self, attempt: AttemptId, said: TerminalSaid) {
        match said {
            TerminalSaid::Recovered(Recovery::Paid(approval)) => {
                self.resolve_card(AttemptDecision::Paid, Some(approval), None, String::new());
            }
            TerminalSaid::Recovered(Recovery::NotCharged) => {
                self.resolve_card(AttemptDecision::NotCharged, None, None, String::new());
            }
            TerminalSaid::Recovered(Recovery::TakenBack) => {
                self.resolve_card(AttemptDecision::TakenBack, None, None, String::new());
            }
            TerminalSaid::Recovered(found @ Recovery::Foreign { .. }) => {
                self.note(Step::Answered(found));
                self.live.needs_staff = true;
                self.live.recover_at_mono_ms = None;
            }
            TerminalSaid::Recovered(Recovery::Unreachable) => {
                self.note(Step::Answered(Recovery::Unreachable));
                self.ask_again_later();
            }
            // The order itself ended only now: the terminal can be asked at once.
            TerminalSaid::Lost | TerminalSaid::InDoubt(_) => self.recover(),
            // Worth writing down; recovery decides, because it was never confirmed.
            TerminalSaid::Approved(approval) if self.has_no_approval() => {
                self.keep_approval(attempt, approval);
            }
            TerminalSaid::Completed if self.live.confirmed => {
                self.resolve_card(AttemptDecision::Paid, None, None, String::new());
            }
            _ => {}
        }
    }

    fn has_no_approval(&self) -> bool {
        self.active()
            .is_some_and(|active| active.approval.is_none())
    }

    fn ask_again_later(&mut self) {
        let pause = self.config.limits.recover_retry_ms;
        self.live.recover_at_mono_ms = Some(self.now.mono_ms.saturating_add(pause));
    }

    /// An answer for an attempt that is over. Money where we said there is none goes to a person.
    fn on_closed_card(&mut self, attempt: AttemptId, said: &TerminalSaid) {
        self.settled_said(attempt, said);
        let money = matches!(
            said,
            TerminalSaid::Approved(_)
                | TerminalSaid::Completed
                | TerminalSaid::Recovered(Recovery::Paid(_))
        );
        let closed = self
            .state
            .closed_cards
            .iter()
            .find(|closed| closed.attempt == attempt);
        let Some(closed) = closed.filter(|closed| money && !closed.paid).cloned() else {
            return;
        };
        let reference = match said {
            TerminalSaid::Approved(approval)
            | TerminalSaid::Recovered(Recovery::Paid(approval)) => approval.reference.clone(),
            _ => attempt.to_string(),
        };
        if closed.kind.gives_back() {
            return self.closed_order_happened(&closed, reference);
        }
        let known = self.state.reviews.iter().any(|review| {
            review.kind == ReviewKind::Contradiction && review.attempt == Some(attempt)
        });
        if !known {
            let (kind, visit) = (ReviewKind::Contradiction, Some(closed.visit));
            self.open_review(kind, closed.amount_minor, Some(attempt), visit, reference);
        }
    }

    pub(super) fn card_not_started(&mut self, reason: NotStartedReason) {
        let notice = Notice::NotStarted {
            kind: TenderKind::Card,
            reason,
        };
        let told = (reason != NotStartedReason::Cancelled).then_some(notice);
        self.end_attempt(AttemptStatus::NotStarted(reason), told);
    }

    pub(super) fn card_is_unknown(&mut self, why: Doubt) {
        let Some(active) = self.active_mut() else {
            return;
        };
        active.status = AttemptStatus::Unknown;
        let (attempt, amount_minor) = (active.id, active.amount_minor);
        self.note(Step::InDoubt(why));
        self.live.cancelling_since = None;
        self.record(What::AttemptUnknown {
            attempt,
            amount_minor,
            why,
        });
        self.recover();
    }

    /// Asks the terminal what became of the attempt.
    pub(super) fn recover(&mut self) {
        let Some(active) = self.active() else {
            return;
        };
        let deed = Deed::RecoverTerminal {
            attempt: active.id,
            kind: OrderKind::Payment,
            amount: self.money(active.amount_minor),
            baseline: active.baseline.clone(),
            approval: active.approval.clone(),
        };
        self.live.recover_asked = self.live.recover_asked.saturating_add(1);
        // Should the question itself be lost, it is asked again.
        let patience = self.config.limits.terminal_answer_ms;
        self.live.recover_at_mono_ms = Some(self.now.mono_ms.saturating_add(patience));
        self.gate.after(deed);
    }

    pub(super) fn resolve_card(
        &mut self,
        decision: AttemptDecision,
        approval: Option<CardApproval>,
        staff: Option<StaffId>,
        note: String,
    ) {
        let Some(active) = self.active_mut() else {
            return;
        };
        let attempt = active.id;
        if approval.is_some() {
            active.approval = approval;
        }
        let by_staff = staff.is_some();
        self.record(What::AttemptResolved {
            attempt,
            decision,
            staff,
            note,
        });
        if by_staff {
            self.settle(decision);
        }
        match decision {
            AttemptDecision::Paid => self.card_paid(),
            AttemptDecision::NotCharged => {
                let notice = Notice::NotCharged { attempt };
                self.end_attempt(AttemptStatus::NotCharged, Some(notice));
            }
            AttemptDecision::TakenBack => {
                let notice = Notice::Voided { attempt };
                self.end_attempt(AttemptStatus::Voided, Some(notice));
            }
        }
    }

    fn card_paid(&mut self) {
        let Some(active) = self.active() else {
            return;
        };
        let approval = active.approval.as_ref();
        let tender = Tender {
            kind: TenderKind::Card,
            attempt: active.id,
            amount_minor: active.amount_minor,
            received_minor: active.amount_minor,
            change_minor: 0,
            rounding_minor: 0,
            reference: approval.map(|approval| approval.reference.clone()),
            approval_code: approval.map(|approval| approval.approval_code.clone()),
            unconfirmed: false,
        };
        self.take_active_tender(tender, AttemptStatus::Paid);
    }

    pub(super) fn cancel_card(&mut self) {
        let Some(active) = self.active() else {
            return;
        };
        let attempt = active.id;
        match active.status {
            AttemptStatus::Intended => self.card_not_started(NotStartedReason::Cancelled),
            AttemptStatus::Armed if !self.live.asked => {
                self.card_not_started(NotStartedReason::Cancelled);
            }
            AttemptStatus::Armed if self.live.cancelling_since.is_none() => {
                self.live.cancelling_since = Some(self.now.mono_ms);
                self.out.push(Effect::AbortTerminal { attempt });
            }
            _ => {}
        }
    }

    /// The terminal's time is over.
    pub(super) fn card_timed_out(&mut self) {
        let disk_is_down = self.is_blocked();
        match self.active().map(|attempt| attempt.status.clone()) {
            Some(AttemptStatus::Intended) if disk_is_down => {
                self.card_not_started(NotStartedReason::StorageDown);
            }
            Some(AttemptStatus::Intended) => self.card_not_started(NotStartedReason::NoAnswer),
            Some(AttemptStatus::Armed) if !self.live.asked => {
                self.card_not_started(NotStartedReason::StorageDown);
            }
            Some(AttemptStatus::Armed | AttemptStatus::Approved) => {
                self.card_is_unknown(Doubt::NoAnswer);
            }
            Some(AttemptStatus::Unknown) => self.recover(),
            _ => {}
        }
    }

    pub(super) fn card_prompt(&self) -> TerminalPrompt {
        self.live
            .prompt
            .clone()
            .unwrap_or(TerminalPrompt::PresentCard)
    }
}
