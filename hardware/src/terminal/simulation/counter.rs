//! What the kiosk of this world does: it works through its plan, writes down before it acts, and
//! asks about everything in doubt before it goes on.
//!
//! The rules are those of the kiosk's own terminal lane, as small as they can be said.

use super::disk::{Armed as Written, Entry, Row, Verdict};
use super::fault::Habit;
use super::world::{Want, World};
use crate::terminal::codes::DeclineReason;
use crate::terminal::engine::Command;
use crate::terminal::journal::{
    DayClose, Durable, JournalProof, JournalStep, Payment, Refund, Reversal,
};
use crate::terminal::types::{
    Amount, Approval, AttemptId, Baseline, DayCloseOutcome, LinkState, NotReady, NotStarted,
    OrderKind, Outcome, Recovered, TerminalEvent,
};

/// How often a want is tried before it is given up.
const TRIES: u8 = 3;
/// Pause before a want is tried again.
const PAUSE_MS: u64 = 2000;

/// What the kiosk holds in memory, all of it lost with its power.
#[derive(Debug)]
pub(super) struct Counter {
    preparing: Option<(AttemptId, usize)>,
    /// An order was handed to the driver or is on its way to it.
    under_way: bool,
    /// The driver was asked what became of an order.
    recovering: bool,
    linked: bool,
    tries: Vec<u8>,
    group: u64,
}

impl Counter {
    pub(super) fn new(wants: usize) -> Self {
        Self {
            preparing: None,
            under_way: false,
            recovering: false,
            linked: false,
            tries: vec![0; wants],
            group: 0,
        }
    }
}

/// One thing to do, in its order.
#[derive(Debug)]
pub(super) struct Deed {
    pub(super) at_ms: u64,
    /// Deeds that are given up together when the disk fails; 0 stands alone.
    group: u64,
    what: What,
}

#[derive(Debug)]
enum What {
    Write(Box<Row>),
    Sync,
    Command(Box<Command>),
    Next,
}

impl Deed {
    pub(super) fn is_sync(&self) -> bool {
        matches!(self.what, What::Sync)
    }
}

struct Proof(AttemptId, Amount);

impl JournalProof for Proof {
    fn attempt(&self) -> AttemptId {
        self.0
    }
    fn step(&self) -> JournalStep {
        JournalStep::Approved
    }
    fn amount(&self) -> Option<Amount> {
        Some(self.1)
    }
}

impl World<'_> {
    pub(super) fn is_over(&self) -> bool {
        let open = self.disk.durable().last();
        let settled = open.is_none_or(|entry| entry.verdict.is_some());
        let busy = self.counter.under_way || !self.deeds.is_empty() || !self.inbox.is_empty();
        self.steps > 0 && settled && !busy && self.next_want().is_none()
    }

    /// The first want that is neither settled nor given up.
    fn next_want(&self) -> Option<usize> {
        (0..self.plan.len()).find(|want| {
            let verdicts = || {
                self.disk
                    .entries()
                    .iter()
                    .filter(|entry| entry.armed.want == *want)
            };
            let settled = verdicts().any(|entry| entry.verdict != Some(Verdict::NotDone));
            let failed = verdicts().count();
            let possible = match self.plan[*want] {
                Want::Reversal { of } => self.receipt_of(of).is_some(),
                _ => true,
            };
            let tries = usize::from(self.counter.tries[*want]) + failed;
            possible && !settled && tries < usize::from(TRIES)
        })
    }

    /// Receipt of the sale at a place of the plan, if it is known to be paid.
    fn receipt_of(&self, want: usize) -> Option<u16> {
        let mut entries = self.disk.entries().iter();
        let paid = entries
            .find(|entry| entry.armed.want == want && entry.verdict == Some(Verdict::Done))?;
        paid.approval.as_ref()?.identity.receipt_number
    }

    pub(super) fn act(&mut self) {
        let Some(deed) = self.deeds.pop_front() else {
            return;
        };
        match deed.what {
            What::Write(row) => {
                if std::mem::take(&mut self.trouble.disk_full) {
                    self.struck += 1;
                    self.deeds.retain(|other| other.group != deed.group);
                    self.not_written(*row);
                } else {
                    self.disk.write(*row);
                }
            }
            What::Sync => self.disk.sync(),
            What::Command(command) => {
                self.engine_does(|engine, now, out| engine.command(now, *command, out));
            }
            What::Next => self.begin_next(),
        }
    }

    /// The disk took nothing: what was to follow does not happen.
    fn not_written(&mut self, row: Row) {
        match row {
            Row::Armed(armed) => {
                self.counter.under_way = false;
                self.try_later(armed.want);
            }
            Row::Approved(approval) => {
                self.command(Command::ApprovalRefused(approval.attempt));
            }
            closed @ Row::Closed { .. } => {
                self.store(closed, None);
                self.later(What::Next);
            }
        }
    }

    fn do_now(&mut self, what: What) {
        self.put(self.now_ms, 0, what);
    }

    fn later(&mut self, what: What) {
        self.put(self.now_ms + PAUSE_MS, 0, what);
    }

    fn put(&mut self, at_ms: u64, group: u64, what: What) {
        self.deeds.push_back(Deed { at_ms, group, what });
    }

    fn command(&mut self, command: Command) {
        self.do_now(What::Command(Box::new(command)));
    }

    /// Writes a row, syncs it, and does what follows from it, in the order of the habit.
    fn store(&mut self, row: Row, then: Option<Command>) {
        self.counter.group += 1;
        let late = match (&row, self.habit) {
            (Row::Approved(_), Habit::AcknowledgesBeforeStoring) => 0,
            (Row::Approved(_), Habit::SyncsAfterAcknowledging)
            | (Row::Armed(_), Habit::SyncsAfterSending) => 1,
            _ => 2,
        };
        let mut order = vec![What::Write(Box::new(row)), What::Sync];
        if let Some(command) = then {
            order.insert(late, What::Command(Box::new(command)));
        }
        let (at_ms, group) = (self.now_ms, self.counter.group);
        order
            .into_iter()
            .for_each(|what| self.put(at_ms, group, what));
    }

    fn try_later(&mut self, want: usize) {
        self.counter.tries[want] += 1;
        self.later(What::Next);
    }

    fn begin_next(&mut self) {
        let open = self
            .disk
            .entries()
            .last()
            .is_some_and(|entry| entry.verdict.is_none());
        if open || self.counter.under_way || self.counter.preparing.is_some() {
            return;
        }
        let Some(want) = self.next_want() else { return };
        self.began[want].get_or_insert(self.steps);
        // A number no attempt of this run has had, also after the memory is gone.
        let number = u32::try_from(self.steps).unwrap_or(u32::MAX);
        let mut id = [want as u8; 16];
        id[12..].copy_from_slice(&number.to_be_bytes());
        let attempt = AttemptId(id);
        if self.plan[want] == Want::DayClose {
            if self.counter.linked {
                self.arm(want, attempt, Baseline::Unavailable);
            }
        } else {
            self.counter.preparing = Some((attempt, want));
            self.command(Command::Prepare(attempt));
        }
    }

    /// Writes the order down and sends it.
    fn arm(&mut self, want: usize, attempt: AttemptId, baseline: Baseline) {
        let minor = self.plan[want].minor(self.plan);
        let amount = minor.map(Self::amount);
        let receipt = match self.plan[want] {
            Want::Reversal { of } => self.receipt_of(of),
            _ => None,
        };
        let kind = match self.plan[want] {
            Want::Sale(_) => OrderKind::Payment,
            Want::Refund(_) => OrderKind::Refund,
            Want::Reversal { .. } => OrderKind::Reversal,
            Want::DayClose => OrderKind::DayClose,
        };
        let armed = Written {
            want,
            attempt,
            kind,
            amount,
            receipt,
            baseline,
        };
        let order = order_of(&armed);
        self.counter.under_way = true;
        self.store(Row::Armed(armed), order);
    }

    pub(super) fn ask_to_abort(&mut self) {
        let open = self.disk.entries().last().cloned();
        if let Some(entry) = open.filter(|entry| entry.verdict.is_none() && self.counter.under_way)
        {
            self.struck += 1;
            self.command(Command::Abort(entry.armed.attempt));
        }
    }

    /// What the kiosk does with an event.
    pub(super) fn decide(&mut self, event: TerminalEvent) {
        match event {
            TerminalEvent::Link(LinkState::Up { .. }) => self.linked(),
            TerminalEvent::Link(LinkState::Down { .. }) => self.counter.linked = false,
            TerminalEvent::Prepared { attempt, baseline } => {
                if let Some(want) = self.prepared(attempt) {
                    self.arm(want, attempt, baseline);
                }
            }
            TerminalEvent::NotPrepared { attempt, why } => {
                if let Some(want) = self.prepared(attempt) {
                    // A driver that keeps its link says when it is up again.
                    if why != NotReady::NotConnected || !self.engine.wants_link() {
                        self.try_later(want);
                    }
                }
            }
            TerminalEvent::ApprovalPending { approval } => self.approved(approval),
            TerminalEvent::Finished { attempt, outcome } if self.is_open(attempt) => {
                self.finished(attempt, outcome);
            }
            TerminalEvent::Recovered { attempt, recovered } => {
                self.counter.recovering = false;
                if self.is_open(attempt) {
                    self.recovered(attempt, recovered);
                }
            }
            TerminalEvent::EndOfDay { attempt, outcome } if self.is_open(attempt) => {
                self.day_closed(attempt, outcome);
            }
            _ => {}
        }
    }

    /// The want being prepared, if this answer is about it.
    fn prepared(&mut self, attempt: AttemptId) -> Option<usize> {
        let (_, want) = self.counter.preparing.filter(|(of, _)| *of == attempt)?;
        self.counter.preparing = None;
        Some(want)
    }

    fn is_open(&self, attempt: AttemptId) -> bool {
        let last = self.disk.entries().last();
        last.is_some_and(|entry| entry.armed.attempt == attempt && entry.verdict.is_none())
    }

    fn linked(&mut self) {
        self.counter.linked = true;
        if self.counter.under_way || self.counter.recovering {
            return;
        }
        let open = self.disk.entries().last();
        match open.filter(|entry| entry.verdict.is_none()).cloned() {
            Some(entry) => self.after_restart(&entry),
            None => {
                self.counter.preparing = None;
                self.do_now(What::Next);
            }
        }
    }

    fn after_restart(&mut self, entry: &Entry) {
        let attempt = entry.armed.attempt;
        match self.habit {
            Habit::TakesUnknownForDeclined => self.conclude(attempt, Verdict::NotDone),
            Habit::SendsAgainAfterRestart => {
                self.counter.under_way = true;
                if let Some(order) = order_of(&entry.armed) {
                    self.command(order);
                }
            }
            _ => self.find_out(entry),
        }
    }

    /// Asks the terminal what became of an order in doubt; a day close cannot be asked about.
    fn find_out(&mut self, entry: &Entry) {
        match entry.request() {
            Some(request) => {
                self.counter.recovering = true;
                self.command(Command::Recover(request));
            }
            None => self.conclude(entry.armed.attempt, Verdict::Review),
        }
    }

    fn approved(&mut self, approval: Approval) {
        let proof = Proof(approval.attempt, approval.amount);
        match Durable::new(approval.clone(), proof) {
            Ok(durable) => {
                let then = Command::ApprovalStored(durable);
                self.store(Row::Approved(approval), Some(then));
            }
            Err(error) => self.violations.push(error.to_string()),
        }
    }

    fn finished(&mut self, attempt: AttemptId, outcome: Outcome) {
        self.counter.under_way = false;
        match outcome {
            Outcome::Approved(_) => self.conclude(attempt, Verdict::Done),
            // The receipt cannot be reversed (again): by whom it was is for a person to find out.
            Outcome::NotStarted {
                why:
                    NotStarted::Refused {
                        reason: DeclineReason::ReversalNotPossible | DeclineReason::AlreadyReversed,
                        ..
                    },
            } => self.conclude(attempt, Verdict::Review),
            Outcome::Declined { .. } | Outcome::NotStarted { .. } => {
                self.conclude(attempt, Verdict::NotDone);
            }
            Outcome::Unknown { .. } if self.habit == Habit::TakesUnknownForDeclined => {
                self.conclude(attempt, Verdict::NotDone);
            }
            Outcome::Unknown { .. } => {
                if let Some(entry) = self.disk.entries().last().cloned() {
                    self.find_out(&entry);
                }
            }
        }
    }

    fn recovered(&mut self, attempt: AttemptId, recovered: Recovered) {
        match recovered {
            Recovered::Happened { approval, .. } => {
                self.store(Row::Approved(approval), None);
                self.conclude(attempt, Verdict::Done);
            }
            Recovered::DidNotHappen(_) => self.conclude(attempt, Verdict::NotDone),
            Recovered::Foreign { .. } | Recovered::CannotTell { .. } => {
                self.conclude(attempt, Verdict::Review);
            }
        }
    }

    fn day_closed(&mut self, attempt: AttemptId, outcome: DayCloseOutcome) {
        self.counter.under_way = false;
        let (verdict, report) = match outcome {
            DayCloseOutcome::Closed(report) => (Verdict::Done, Some(report)),
            DayCloseOutcome::Refused { .. } | DayCloseOutcome::NotStarted { .. } => {
                (Verdict::NotDone, None)
            }
            DayCloseOutcome::Unknown { .. } => match self.habit {
                Habit::TakesUnknownForDeclined => (Verdict::NotDone, None),
                _ => (Verdict::Review, None),
            },
        };
        self.close(attempt, verdict, report);
    }

    fn conclude(&mut self, attempt: AttemptId, verdict: Verdict) {
        self.close(attempt, verdict, None);
    }

    fn close(
        &mut self,
        attempt: AttemptId,
        verdict: Verdict,
        report: Option<crate::terminal::EndOfDayReport>,
    ) {
        let row = Row::Closed {
            attempt,
            verdict,
            report,
        };
        self.store(row, None);
        match verdict {
            Verdict::NotDone => self.later(What::Next),
            _ => self.do_now(What::Next),
        }
    }
}

/// The command that sends a written order.
fn order_of(armed: &Written) -> Option<Command> {
    let attempt = armed.attempt;
    let baseline = armed.baseline.clone();
    Some(match (armed.kind, armed.amount, armed.receipt) {
        (OrderKind::Payment, Some(amount), _) => Command::Pay(Payment {
            attempt,
            amount,
            baseline,
        }),
        (OrderKind::Refund, Some(amount), _) => Command::Refund(Refund {
            attempt,
            amount,
            baseline,
        }),
        (OrderKind::Reversal, Some(amount), Some(receipt_number)) => Command::Reverse(Reversal {
            attempt,
            receipt_number,
            amount,
            baseline,
        }),
        (OrderKind::DayClose, ..) => Command::EndOfDay(DayClose { attempt }),
        _ => return None,
    })
}
