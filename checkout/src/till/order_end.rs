//! How orders of staff at the card terminal end, and what is done about those nobody knows the end of.

use super::gate::Deed;
use super::staff::short;
use super::{
    AttemptDecision, AttemptStatus, CardApproval, CardOrder, ClosedCard, DeclineReason, Doubt,
    Live, NotStartedReason, OrderEnd, OrderEnded, OrderKind, OrderStep, OrderView, PaymentIs,
    ReviewDecision, ReviewKind, Settled, StaffId, Step, TenderKind, TerminalDayEnd, TerminalPrompt,
    Till, VisitId, What,
};

impl Till {
    pub(super) fn order_not_started(&mut self, reason: NotStartedReason) {
        let Some(order) = self.state.order.as_deref() else {
            return;
        };
        let attempt = order.attempt;
        if order.kind == OrderKind::DayClose {
            return self.day_ended(TerminalDayEnd::NotStarted(reason));
        }
        self.record_outside(What::AttemptNotStarted {
            attempt,
            kind: TenderKind::Card,
            reason,
        });
        self.end_order(OrderEnd::NotStarted(reason));
    }

    pub(super) fn order_declined(&mut self, reason: DeclineReason) {
        let Some(order) = self.state.order.as_deref() else {
            return;
        };
        let (attempt, reversal) = (order.attempt, order.kind == OrderKind::Reversal);
        if reversal && reason == DeclineReason::AlreadyReversed {
            return self.order_done(true);
        }
        if reversal && reason == DeclineReason::ReversalImpossible {
            self.state.irreversible = order.of.as_ref().map(|of| of.attempt);
        }
        self.record_outside(What::AttemptDeclined {
            attempt,
            kind: TenderKind::Card,
            reason: reason.clone(),
        });
        self.end_order(OrderEnd::Declined(reason));
    }

    pub(super) fn order_is_unknown(&mut self, why: Doubt) {
        let Some(order) = self.state.order.as_deref_mut() else {
            return;
        };
        if order.kind == OrderKind::DayClose {
            return self.day_ended(TerminalDayEnd::Unknown(why));
        }
        order.status = AttemptStatus::Unknown;
        let (attempt, amount_minor) = (order.attempt, -order.amount_minor);
        self.note_order(Step::InDoubt(why));
        self.order_live.cancelling_since = None;
        self.record_outside(What::AttemptUnknown {
            attempt,
            amount_minor,
            why,
        });
        self.recover_order();
    }

    pub(super) fn recover_order(&mut self) {
        let Some(order) = self.order_in(&AttemptStatus::Unknown) else {
            return;
        };
        let deed = Deed::RecoverTerminal {
            attempt: order.attempt,
            kind: order.kind,
            amount: self.money(order.amount_minor),
            baseline: order.baseline.clone(),
            approval: order.approval.clone(),
        };
        self.order_live.recover_asked = self.order_live.recover_asked.saturating_add(1);
        // Should the question itself be lost, it is asked again.
        let patience = self.config.limits.terminal_answer_ms;
        self.order_live.recover_at_mono_ms = Some(self.now.mono_ms.saturating_add(patience));
        self.gate.after(deed);
    }

    /// It became known whether the money went back.
    pub(super) fn resolve_order(
        &mut self,
        decision: AttemptDecision,
        approval: Option<CardApproval>,
        staff: Option<StaffId>,
        note: String,
    ) {
        let Some(order) = self.state.order.as_deref_mut() else {
            return;
        };
        let attempt = order.attempt;
        if approval.is_some() {
            order.approval = approval;
        }
        let settled = staff.is_some().then(|| Settled {
            attempt,
            visit: visit_of(order),
            amount_minor: order.amount_minor,
            decision,
            baseline: order.baseline.clone(),
            approval: order.approval.clone(),
            kind: order.kind,
        });
        self.record_outside(What::AttemptResolved {
            attempt,
            decision,
            staff,
            note: short(&note),
        });
        match decision {
            AttemptDecision::Paid => self.order_done(false),
            AttemptDecision::NotCharged | AttemptDecision::TakenBack => {
                self.end_order(OrderEnd::NotDone);
            }
        }
        if let Some(settled) = settled {
            self.state.settled = Some(Box::new(settled));
            self.ask_about_settled();
        }
    }

    /// The money went back: written down with what it belongs to.
    pub(super) fn order_done(&mut self, already: bool) {
        let Some(order) = self.state.order.as_deref() else {
            return;
        };
        let (attempt, kind, amount_minor) = (order.attempt, order.kind, order.amount_minor);
        let (of, staff) = (order.of.clone(), order.staff.clone());
        if let Some(of) = of {
            self.record_outside(What::CardGivenBack {
                attempt,
                kind,
                amount_minor,
                of: of.clone(),
                business_date: self.business_date(),
                already,
            });
            if let PaymentIs::Review(review) = of.is {
                let note = format!("{attempt} at the card terminal");
                let closed = self.close_review(review, ReviewDecision::Refunded, Some(staff), note);
                if let Some(closed) = closed {
                    self.forget_parked_money(&closed);
                }
            }
        }
        self.end_order(OrderEnd::Done { already });
    }

    /// The terminal's day is over, or not: written down, and told once it is on disk.
    pub(super) fn day_ended(&mut self, end: TerminalDayEnd) {
        let Some(attempt) = self.state.order.as_ref().map(|order| order.attempt) else {
            return;
        };
        let told = match &end {
            TerminalDayEnd::Closed(_) => OrderEnd::Done { already: false },
            TerminalDayEnd::Refused(reason) => OrderEnd::Declined(reason.clone()),
            TerminalDayEnd::NotStarted(reason) => OrderEnd::NotStarted(*reason),
            TerminalDayEnd::Unknown(_) => OrderEnd::Unanswered,
        };
        self.record_outside(What::TerminalDayEnded { attempt, end });
        self.gate.after(Deed::TerminalDayEnded { attempt });
        self.end_order(told);
    }

    fn end_order(&mut self, end: OrderEnd) {
        let Some(order) = self.state.order.take() else {
            return;
        };
        if order.kind.gives_back() {
            self.remember_closed(ClosedCard {
                attempt: order.attempt,
                visit: visit_of(&order),
                amount_minor: order.amount_minor,
                paid: matches!(end, OrderEnd::Done { .. }),
                kind: order.kind,
            });
        }
        self.order_live = Live::default();
        self.order_ended = Some(OrderEnded {
            attempt: Some(order.attempt),
            kind: order.kind,
            amount: self.money(order.amount_minor),
            end,
        });
        if let Some(staff) = self.staff.as_mut() {
            staff.last_mono_ms = self.now.mono_ms;
        }
    }

    /// An answer for an order that is over and had not happened.
    pub(super) fn closed_order_happened(&mut self, closed: &ClosedCard, reference: String) {
        let known = self.state.reviews.iter().any(|review| {
            review.kind == ReviewKind::GaveBack && review.attempt == Some(closed.attempt)
        });
        if !known {
            let (kind, lacks) = (ReviewKind::GaveBack, -closed.amount_minor);
            let visit = Some(closed.visit.clone());
            self.open_review(kind, lacks, Some(closed.attempt), visit, reference);
        }
    }

    // ---- time and restarts ----

    pub(super) fn order_timer(&self) -> Option<u64> {
        let limits = &self.config.limits;
        let order = self.state.order.as_ref()?;
        let since = |ms: u64| self.order_live.since_mono_ms.saturating_add(ms);
        match order.status {
            AttemptStatus::Intended => Some(since(limits.terminal_prepare_ms)),
            AttemptStatus::Unknown => self.order_live.recover_at_mono_ms,
            _ => Some(since(limits.terminal_answer_ms)),
        }
    }

    pub(super) fn order_timed_out(&mut self) {
        let disk_is_down = self.is_blocked();
        let status = self.state.order.as_ref().map(|order| order.status.clone());
        match status {
            Some(AttemptStatus::Intended) if disk_is_down => {
                self.order_not_started(NotStartedReason::StorageDown);
            }
            Some(AttemptStatus::Intended) => self.order_not_started(NotStartedReason::NoAnswer),
            Some(AttemptStatus::Armed) if !self.order_live.asked => {
                self.order_not_started(NotStartedReason::StorageDown);
            }
            Some(AttemptStatus::Unknown) => self.recover_order(),
            Some(_) => self.order_is_unknown(Doubt::NoAnswer),
            None => {}
        }
    }

    /// After a restart: what is not on disk was never asked, what is may have happened.
    pub(super) fn restore_order(&mut self) {
        let Some(order) = self.state.order.as_deref() else {
            return;
        };
        self.order_live.since_mono_ms = self.now.mono_ms;
        match order.status {
            AttemptStatus::Intended => self.order_not_started(NotStartedReason::Restarted),
            AttemptStatus::Unknown => self.recover_order(),
            _ => self.order_is_unknown(Doubt::Restarted),
        }
    }

    /// Whether the terminal works on an order, so that whoever gave it stays signed in.
    pub(super) fn order_is_running(&self) -> bool {
        let order = self.state.order.as_ref();
        order.is_some_and(|order| order.status != AttemptStatus::Unknown)
    }

    // ---- what the screen shows ----

    pub(super) fn order_view(&self) -> Option<OrderView> {
        let order = self.state.order.as_deref()?;
        let live = &self.order_live;
        let step = match order.status {
            AttemptStatus::Unknown => OrderStep::Unknown {
                needs_staff: live.needs_staff,
            },
            AttemptStatus::Approved => OrderStep::Confirming,
            _ if live.cancelling_since.is_some() => OrderStep::Cancelling,
            AttemptStatus::Armed if live.asked => {
                OrderStep::Running(live.prompt.clone().unwrap_or(match order.kind {
                    OrderKind::Refund => TerminalPrompt::PresentCard,
                    _ => TerminalPrompt::Processing,
                }))
            }
            _ => OrderStep::Preparing,
        };
        Some(OrderView {
            attempt: order.attempt,
            kind: order.kind,
            amount: self.money(order.amount_minor),
            step,
        })
    }
}

/// The visit an order's money belongs to; empty where none is known.
fn visit_of(order: &CardOrder) -> VisitId {
    match order.of.as_ref().map(|of| &of.is) {
        Some(PaymentIs::Sale { visit, .. }) => visit.clone(),
        _ => VisitId(String::new()),
    }
}
