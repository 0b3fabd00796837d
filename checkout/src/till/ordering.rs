//! Orders of staff at the card terminal: Intended → Armed → Approved → done, or declined, not started, unknown.
//!
//! The same promises as for payments: the terminal is asked once, after `Armed` is on disk; its approval is confirmed
//! after `Approved` is on disk; whatever leaves the answer open is unknown, and only the terminal's own record or a
//! person ends that. A day close has no record that could be asked for: without an answer it ends as unanswered, and
//! the next one's totals tell (see [`terminal_day`](super::terminal_day)).

use super::doubt::note_in;
use super::gate::Deed;
use super::{
    AttemptDecision, AttemptId, AttemptStatus, CardApproval, CardOrder, CardPayment, CardTaken,
    Doubt, Effect, Live, NotStartedReason, OrderEnd, OrderEnded, OrderKind, OrderRefusal,
    PaymentIs, Recovery, StaffId, Step, TerminalOrder, TerminalSaid, Till, What,
};

impl Till {
    // ---- what staff order ----

    /// Gives money of a card payment back: the whole of it is taken back where the terminal still can, anything else
    /// is a refund to the card.
    pub(super) fn give_back(&mut self, taken: CardTaken, amount_minor: i64, staff: StaffId) {
        let kind = taken.way_back(amount_minor, self.state.irreversible);
        let fits = amount_minor > 0 && amount_minor <= taken.left_minor();
        let refusal = match () {
            () if taken.give_backs != self.state.counters.give_back => OrderRefusal::OutOfDate,
            () if !fits || !self.fits_review(&taken, amount_minor) => OrderRefusal::Amount,
            () => match self.order_refusal() {
                Some(refusal) => refusal,
                None => {
                    self.state.counters.give_back += 1;
                    return self.begin_order(kind, amount_minor, Some(taken.payment), staff);
                }
            },
        };
        self.order_not_taken(kind, amount_minor, refusal);
    }

    /// Closes the terminal's day.
    pub(super) fn close_terminal_day(&mut self, staff: StaffId) {
        match self.order_refusal() {
            Some(refusal) => self.order_not_taken(OrderKind::DayClose, 0, refusal),
            None => self.begin_order(OrderKind::DayClose, 0, None, staff),
        }
    }

    /// The money of a review goes back as a whole, or not at all.
    fn fits_review(&self, taken: &CardTaken, amount_minor: i64) -> bool {
        let PaymentIs::Review(id) = taken.payment.is else {
            return true;
        };
        let review = self.state.reviews.iter().find(|review| review.id == id);
        review.is_some_and(|review| review.amount_minor == amount_minor)
    }

    fn order_refusal(&self) -> Option<OrderRefusal> {
        match () {
            () if self.state.visit.is_some() => Some(OrderRefusal::VisitOpen),
            () if self.state.order.is_some() => Some(OrderRefusal::Running),
            () if self.is_blocked() => Some(OrderRefusal::Disk),
            () => None,
        }
    }

    fn order_not_taken(&mut self, kind: OrderKind, amount_minor: i64, refusal: OrderRefusal) {
        self.order_ended = Some(OrderEnded {
            attempt: None,
            kind,
            amount: self.money(amount_minor),
            end: OrderEnd::NotTaken(refusal),
        });
    }

    fn begin_order(
        &mut self,
        kind: OrderKind,
        amount_minor: i64,
        of: Option<CardPayment>,
        staff: StaffId,
    ) {
        self.state.counters.attempt += 1;
        let attempt = AttemptId(self.state.counters.attempt);
        self.order_ended = None;
        self.order_live = Live {
            since_mono_ms: self.now.mono_ms,
            ..Live::default()
        };
        self.state.order = Some(Box::new(CardOrder {
            attempt,
            kind,
            amount_minor,
            of: of.clone(),
            status: AttemptStatus::Intended,
            staff: staff.clone(),
            started_wall_ms: self.now.wall_ms,
            baseline: None,
            approval: None,
            history: Vec::new(),
        }));
        self.record_outside(What::OrderIntended {
            attempt,
            kind,
            amount_minor,
            of,
            staff,
        });
        // The terminal remembers only its last transaction: one that staff settled is asked about first.
        self.order_live.waits_for_settled = self.state.settled.is_some();
        if self.order_live.waits_for_settled {
            self.ask_about_settled();
        } else {
            self.prepare_order();
        }
    }

    /// The way is free: the terminal is made ready, or asked at once to close its day.
    pub(super) fn prepare_order(&mut self) {
        let Some(order) = self.order_in(&AttemptStatus::Intended) else {
            return;
        };
        let (attempt, amount_minor) = (order.attempt, order.amount_minor);
        if order.kind == OrderKind::DayClose {
            return self.arm_order(None);
        }
        let amount = self.money(amount_minor);
        self.gate.after(Deed::PrepareTerminal { attempt, amount });
    }

    fn arm_order(&mut self, baseline: Option<String>) {
        self.order_live.since_mono_ms = self.now.mono_ms;
        let Some(order) = self.state.order.as_deref_mut() else {
            return;
        };
        order.status = AttemptStatus::Armed;
        order.baseline = baseline.clone();
        note_in(&mut order.history, self.now.wall_ms, Step::Armed);
        let (attempt, amount_minor, kind) = (order.attempt, order.amount_minor, order.kind);
        let reference = order.of.as_ref().map(|of| of.reference.clone());
        let amount = self.money(amount_minor);
        self.record_outside(match kind {
            OrderKind::DayClose => What::TerminalDayAsked { attempt },
            _ => What::AttemptArmed {
                attempt,
                amount_minor: -amount_minor,
                baseline: baseline.clone().unwrap_or_default(),
            },
        });
        let order = match kind {
            OrderKind::DayClose => TerminalOrder::DayClose,
            OrderKind::Reversal => TerminalOrder::Reversal {
                amount,
                reference: reference.unwrap_or_default(),
            },
            OrderKind::Refund | OrderKind::Payment => TerminalOrder::Refund { amount },
        };
        self.gate.after(Deed::OrderTerminal {
            attempt,
            order,
            baseline,
        });
    }

    /// Staff want it given up; the terminal still decides once it was asked.
    pub(super) fn cancel_order(&mut self) {
        let Some(order) = self.state.order.as_deref() else {
            return;
        };
        let attempt = order.attempt;
        match order.status {
            AttemptStatus::Intended => self.order_not_started(NotStartedReason::Cancelled),
            AttemptStatus::Armed if !self.order_live.asked => {
                self.order_not_started(NotStartedReason::Cancelled);
            }
            AttemptStatus::Armed
                if order.kind.gives_back() && self.order_live.cancelling_since.is_none() =>
            {
                self.order_live.cancelling_since = Some(self.now.mono_ms);
                self.out.push(Effect::AbortTerminal { attempt });
            }
            _ => {}
        }
    }

    // ---- what the terminal says ----

    pub(super) fn is_order(&self, attempt: AttemptId) -> bool {
        let order = self.state.order.as_ref();
        order.is_some_and(|order| order.attempt == attempt)
    }

    /// The order, when it is in this state.
    pub(super) fn order_in(&self, status: &AttemptStatus) -> Option<&CardOrder> {
        let order = self.state.order.as_deref();
        order.filter(|order| order.status == *status)
    }

    pub(super) fn order_is(&self, attempt: AttemptId, status: &AttemptStatus) -> bool {
        self.order_in(status)
            .is_some_and(|order| order.attempt == attempt)
    }

    pub(super) fn on_order(&mut self, said: TerminalSaid) {
        if let TerminalSaid::Progress(prompt) = said {
            self.order_live.prompt = Some(prompt);
            return;
        }
        let Some(order) = self.state.order.as_deref() else {
            return;
        };
        match (order.kind, &order.status) {
            (OrderKind::DayClose, _) => self.on_day_close(said),
            (_, AttemptStatus::Intended) => self.on_order_intended(said),
            (_, AttemptStatus::Armed) => self.on_order_armed(said),
            (_, AttemptStatus::Approved) => self.on_order_approved(said),
            (_, AttemptStatus::Unknown) => self.on_order_unknown(said),
            _ => {}
        }
    }

    fn on_day_close(&mut self, said: TerminalSaid) {
        match said {
            TerminalSaid::DayEnded(end) if self.order_live.asked => self.day_ended(end),
            TerminalSaid::NotStarted(reason) => self.order_not_started(reason),
            TerminalSaid::Lost if self.order_live.asked => self.order_is_unknown(Doubt::LinkLost),
            TerminalSaid::InDoubt(why) if self.order_live.asked => self.order_is_unknown(why),
            _ => {}
        }
    }

    fn on_order_intended(&mut self, said: TerminalSaid) {
        match said {
            TerminalSaid::Prepared { baseline } => {
                // The baseline says by now what the terminal remembers of any attempt before.
                self.state.settled = None;
                self.settled_ask_mono_ms = None;
                self.arm_order(Some(baseline));
            }
            TerminalSaid::NotStarted(reason) => self.order_not_started(reason),
            // Nothing was asked yet, so nothing can have moved.
            TerminalSaid::Lost | TerminalSaid::InDoubt(_) | TerminalSaid::Declined(_) => {
                self.order_not_started(NotStartedReason::Unreachable);
            }
            TerminalSaid::Approved(_) | TerminalSaid::Completed => {
                self.order_is_unknown(Doubt::Contradiction);
            }
            _ => {}
        }
    }

    fn on_order_armed(&mut self, said: TerminalSaid) {
        match said {
            TerminalSaid::Lost | TerminalSaid::InDoubt(_) if !self.order_live.asked => {
                self.order_not_started(NotStartedReason::Unreachable);
            }
            TerminalSaid::Approved(approval) => {
                self.keep_order_approval(approval);
                self.order_live.since_mono_ms = self.now.mono_ms;
                if let Some(order) = self.state.order.as_deref_mut() {
                    order.status = AttemptStatus::Approved;
                    let attempt = order.attempt;
                    self.gate.after(Deed::ConfirmTerminal { attempt });
                }
            }
            TerminalSaid::Declined(reason) => self.order_declined(reason),
            TerminalSaid::NotStarted(reason) => self.order_not_started(reason),
            TerminalSaid::Completed => self.order_is_unknown(Doubt::NoResult),
            TerminalSaid::Lost => self.order_is_unknown(Doubt::LinkLost),
            TerminalSaid::InDoubt(why) => self.order_is_unknown(why),
            _ => {}
        }
    }

    fn on_order_approved(&mut self, said: TerminalSaid) {
        match said {
            TerminalSaid::Completed if self.order_live.confirmed => self.order_done(false),
            // Once approved, "declined" and silence both leave the money open.
            TerminalSaid::Completed | TerminalSaid::Declined(_) | TerminalSaid::NotStarted(_) => {
                self.order_is_unknown(Doubt::Contradiction);
            }
            TerminalSaid::Lost => self.order_is_unknown(Doubt::LinkLost),
            TerminalSaid::InDoubt(why) => self.order_is_unknown(why),
            // The terminal repeats an approval until it is confirmed.
            TerminalSaid::Approved(_) if self.order_live.confirmed => {
                if let Some(attempt) = self.state.order.as_ref().map(|order| order.attempt) {
                    self.gate.after(Deed::ConfirmTerminal { attempt });
                }
            }
            _ => {}
        }
    }

    fn on_order_unknown(&mut self, said: TerminalSaid) {
        match said {
            TerminalSaid::Recovered(Recovery::Paid(approval)) => {
                self.resolve_order(AttemptDecision::Paid, Some(approval), None, String::new());
            }
            TerminalSaid::Recovered(Recovery::NotCharged) => {
                self.resolve_order(AttemptDecision::NotCharged, None, None, String::new());
            }
            TerminalSaid::Recovered(Recovery::TakenBack) => {
                self.resolve_order(AttemptDecision::TakenBack, None, None, String::new());
            }
            TerminalSaid::Recovered(found @ Recovery::Foreign { .. }) => {
                self.note_order(Step::Answered(found));
                self.order_live.needs_staff = true;
                self.order_live.recover_at_mono_ms = None;
            }
            TerminalSaid::Recovered(Recovery::Unreachable) => {
                self.note_order(Step::Answered(Recovery::Unreachable));
                let pause = self.config.limits.recover_retry_ms;
                self.order_live.recover_at_mono_ms = Some(self.now.mono_ms.saturating_add(pause));
            }
            // The order itself ended only now: the terminal can be asked at once.
            TerminalSaid::Lost | TerminalSaid::InDoubt(_) => self.recover_order(),
            TerminalSaid::Approved(approval) => {
                let known = self.state.order.as_ref();
                if known.is_some_and(|order| order.approval.is_none()) {
                    self.keep_order_approval(approval);
                }
            }
            TerminalSaid::Completed if self.order_live.confirmed => {
                self.resolve_order(AttemptDecision::Paid, None, None, String::new());
            }
            _ => {}
        }
    }

    fn keep_order_approval(&mut self, approval: CardApproval) {
        self.note_order(Step::Approved);
        let Some(order) = self.state.order.as_deref_mut() else {
            return;
        };
        order.approval = Some(approval.clone());
        let (attempt, amount_minor) = (order.attempt, -order.amount_minor);
        self.record_outside(What::AttemptApproved {
            attempt,
            amount_minor,
            approval,
        });
    }

    pub(super) fn note_order(&mut self, step: Step) {
        if let Some(order) = self.state.order.as_deref_mut() {
            note_in(&mut order.history, self.now.wall_ms, step);
        }
    }
}
