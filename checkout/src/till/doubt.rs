//! What surrounds a card payment in doubt: evidence for whoever decides, the claim slip for the shopper, and the
//! terminal's own word after a person decided.

use super::exit::goes_on;
use super::gate::Deed;
use super::{
    Attempt, AttemptDecision, AttemptId, AttemptStatus, ClaimSlip, HISTORY_MAX, Moment, Notice,
    OrderKind, PrintJobId, PrintOutcome, Recovery, ReviewKind, SLIPS_MAX, Settled, SlipRecord,
    Step, TenderKind, TerminalSaid, Till, What,
};

impl Till {
    /// Adds to the evidence about the active attempt.
    pub(super) fn note(&mut self, step: Step) {
        let wall_ms = self.now.wall_ms;
        if let Some(active) = self.active_mut() {
            note_in(&mut active.history, wall_ms, step);
        }
    }

    // ---- after a person decided ----

    /// Staff settled the active attempt: the terminal is asked once more all the same.
    pub(super) fn settle(&mut self, decision: AttemptDecision) {
        let visit = self.state.visit.as_ref().map(|visit| visit.id.clone());
        let (Some(active), Some(visit)) = (self.active(), visit) else {
            return;
        };
        let settled = Settled {
            attempt: active.id,
            visit,
            amount_minor: active.amount_minor,
            decision,
            baseline: active.baseline.clone(),
            approval: active.approval.clone(),
            kind: OrderKind::Payment,
        };
        self.state.settled = Some(Box::new(settled));
        self.ask_about_settled();
    }

    pub(super) fn is_settled(&self, attempt: AttemptId) -> bool {
        let settled = self.state.settled.as_ref();
        settled.is_some_and(|settled| settled.attempt == attempt)
    }

    /// Asks the terminal what it has to say about the attempt that staff settled.
    pub(super) fn ask_about_settled(&mut self) {
        let Some(settled) = self.state.settled.as_deref() else {
            return;
        };
        let deed = Deed::RecoverTerminal {
            attempt: settled.attempt,
            kind: settled.kind,
            amount: self.money(settled.amount_minor),
            baseline: settled.baseline.clone(),
            approval: settled.approval.clone(),
        };
        let patience = self.config.limits.terminal_answer_ms;
        self.settled_ask_mono_ms = Some(self.now.mono_ms.saturating_add(patience));
        self.gate.after(deed);
    }

    /// The terminal's word about an attempt that staff settled.
    pub(super) fn settled_said(&mut self, attempt: AttemptId, said: &TerminalSaid) {
        if !self.is_settled(attempt) {
            return;
        }
        match said {
            TerminalSaid::Recovered(Recovery::Unreachable) => {
                let pause = self.config.limits.settled_retry_ms;
                self.settled_ask_mono_ms = Some(self.now.mono_ms.saturating_add(pause));
                self.prepare_waiting();
            }
            TerminalSaid::Recovered(found) => {
                let settled = self.state.settled.take();
                self.settled_ask_mono_ms = None;
                let missing = matches!(found, Recovery::NotCharged | Recovery::TakenBack);
                if let Some(settled) = settled
                    && missing
                    && settled.decision == AttemptDecision::Paid
                {
                    let (kind, amount_minor) = match settled.kind.gives_back() {
                        true => (ReviewKind::NotGivenBack, settled.amount_minor),
                        false => (ReviewKind::Unpaid, -settled.amount_minor),
                    };
                    let (visit, reference) = (Some(settled.visit), attempt.to_string());
                    self.open_review(kind, amount_minor, Some(attempt), visit, reference);
                }
                self.prepare_waiting();
            }
            // The order itself ended only now, and in doubt: the driver waits for the question.
            TerminalSaid::Lost | TerminalSaid::InDoubt(_) => self.ask_about_settled(),
            _ => {}
        }
    }

    /// Prepares the terminal for a new attempt; first it is asked about the one that staff settled, because it
    /// remembers only its last transaction.
    pub(super) fn prepare_card(&mut self) {
        self.live.waits_for_settled = self.state.settled.is_some();
        if self.live.waits_for_settled {
            self.ask_about_settled();
        } else {
            self.prepare_terminal();
        }
    }

    fn prepare_waiting(&mut self) {
        if std::mem::take(&mut self.live.waits_for_settled) {
            self.prepare_terminal();
        }
        if std::mem::take(&mut self.order_live.waits_for_settled) {
            self.prepare_order();
        }
    }

    fn prepare_terminal(&mut self) {
        let intended = |active: &&Attempt| {
            active.kind == TenderKind::Card && active.status == AttemptStatus::Intended
        };
        let Some(active) = self.active().filter(intended) else {
            return;
        };
        let (attempt, amount) = (active.id, self.money(active.amount_minor));
        self.gate.after(Deed::PrepareTerminal { attempt, amount });
    }

    // ---- the claim slip ----

    /// Prints the claim slip of the attempt in doubt. A shopper gets it once, staff as often as it takes.
    pub(super) fn print_slip(&mut self, by_staff: bool) {
        let Some(active) = self
            .active()
            .filter(|a| a.kind == TenderKind::Card && a.status == AttemptStatus::Unknown)
        else {
            return;
        };
        let copy_number = match &active.slip {
            None => 0,
            Some(slip) => match slip.outcome {
                PrintOutcome::Queued | PrintOutcome::Printing => return,
                PrintOutcome::Printed | PrintOutcome::Sent if !by_staff => return,
                // Not one byte of it left: it is still the same slip.
                PrintOutcome::Failed(_) => slip.copy_number,
                PrintOutcome::Printed | PrintOutcome::Sent | PrintOutcome::Unknown => {
                    slip.copy_number + 1
                }
            },
        };
        if copy_number >= SLIPS_MAX {
            return self.tell(Notice::StaffNeeded);
        }
        let Some(visit) = &self.state.visit else {
            return;
        };
        let slip = Box::new(ClaimSlip {
            attempt: active.id,
            amount: self.money(active.amount_minor),
            started_wall_ms: active.started_wall_ms,
            utc_offset_min: self.now.utc_offset_min,
            lang: visit.lang.clone(),
            baseline: active.baseline.clone(),
            approval: active.approval.clone(),
        });
        let attempt = active.id;
        self.state.counters.print_job += 1;
        let job = PrintJobId(self.state.counters.print_job);
        if let Some(active) = self.active_mut() {
            active.slip = Some(SlipRecord {
                job,
                copy_number,
                outcome: PrintOutcome::Queued,
            });
        }
        self.record(What::SlipQueued {
            attempt,
            job,
            copy_number,
        });
        self.gate.after(Deed::PrintSlip {
            job,
            slip,
            copy_number,
        });
    }

    /// The printer's word about a slip; false when the job is none.
    pub(super) fn slip_said(&mut self, job: PrintJobId, outcome: PrintOutcome) -> bool {
        let attempts = self.state.visit.iter_mut().flat_map(|v| &mut v.attempts);
        let mut slips = attempts.filter_map(|a| Some((a.id, a.slip.as_mut()?)));
        let Some((attempt, slip)) = slips.find(|(_, slip)| slip.job == job) else {
            return false;
        };
        if !goes_on(slip.outcome, outcome) {
            return true;
        }
        slip.outcome = outcome;
        let copy_number = slip.copy_number;
        self.record_slip(attempt, job, copy_number, outcome);
        true
    }

    fn record_slip(
        &mut self,
        attempt: AttemptId,
        job: PrintJobId,
        copy_number: u32,
        outcome: PrintOutcome,
    ) {
        match outcome {
            PrintOutcome::Printed => self.record(What::SlipPrinted {
                attempt,
                job,
                copy_number,
            }),
            PrintOutcome::Sent => self.record(What::SlipSent {
                attempt,
                job,
                copy_number,
            }),
            PrintOutcome::Failed(fault) => self.record(What::SlipFailed {
                attempt,
                job,
                copy_number,
                fault,
            }),
            PrintOutcome::Unknown => self.record(What::SlipUnknown {
                attempt,
                job,
                copy_number,
            }),
            PrintOutcome::Queued | PrintOutcome::Printing => {}
        }
    }

    /// After a restart: a slip that was on its way may or may not be printed, unless the spool knew better.
    pub(super) fn doubt_open_slips(&mut self) {
        let attempts = self.state.visit.iter_mut().flat_map(|v| &mut v.attempts);
        let mut doubtful = Vec::new();
        for (attempt, slip) in attempts.filter_map(|a| Some((a.id, a.slip.as_mut()?))) {
            if matches!(slip.outcome, PrintOutcome::Queued | PrintOutcome::Printing) {
                slip.outcome = PrintOutcome::Unknown;
                doubtful.push((attempt, slip.job, slip.copy_number));
            }
        }
        for (attempt, job, copy_number) in doubtful {
            self.record_slip(attempt, job, copy_number, PrintOutcome::Unknown);
        }
    }
}

/// The same thing again only counts; what is too much goes out of the middle, so that the beginning stays.
pub(super) fn note_in(history: &mut Vec<Moment>, wall_ms: i64, step: Step) {
    if let Some(last) = history.last_mut().filter(|last| last.step == step) {
        last.wall_ms = wall_ms;
        last.times = last.times.saturating_add(1);
        return;
    }
    if history.len() >= HISTORY_MAX {
        history.remove(HISTORY_MAX / 2);
    }
    history.push(Moment {
        wall_ms,
        step,
        times: 1,
    });
}
