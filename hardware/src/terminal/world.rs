//! A kiosk, a terminal and the wire between them in one thread and in virtual time, where every
//! byte, journal write and command is a step and any step can be the last.

use std::collections::VecDeque;

use super::engine::{Command, Engine, Output};
use super::journal::{Durable, JournalProof, JournalStep, Payment};
use super::sim::{SimModel, SimOutput};
use super::types::{
    Amount, Approval, AttemptId, Baseline, LinkFault, LinkState, OrderKind, Outcome,
    RecoverRequest, Recovered, TerminalEvent,
};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The kiosk loses its power: memory and bytes under way are gone, the journal stays.
    KioskDies,
    /// The same, but what had left the program still reaches the terminal.
    KioskDiesBytesArrive,
    /// The cable is out for a moment.
    LinkCut,
    /// The terminal loses its power.
    TerminalDies,
    /// One byte on its way to the kiosk is changed.
    Garble,
}

/// How the kiosk behaves; everything but `Correct` is wrong on purpose, to test the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Habit {
    Correct,
    /// Acknowledges first and writes the journal afterwards.
    AcknowledgesBeforeStoring,
    /// Takes "unknown" for "declined" and tries again.
    TakesUnknownForDeclined,
}

/// What the journal finally says about an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Paid,
    NotCharged,
    Review,
}

/// One attempt in the journal, which survives everything.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) attempt: AttemptId,
    pub(super) baseline: Baseline,
    pub(super) approval: Option<Approval>,
    pub(super) verdict: Option<Verdict>,
}

#[derive(Debug)]
enum Action {
    Armed(AttemptId, Baseline),
    Approved(Approval),
    Verdict(Verdict),
    Command(Command),
}

/// A terminal in this world.
pub(super) trait Terminal: SimModel {
    /// Loses its power.
    fn power_cut(&mut self, now_ms: u64);
}

pub(super) struct World<'a> {
    pub(super) now_ms: u64,
    pub(super) journal: Vec<Entry>,
    pub(super) terminal: Box<dyn Terminal>,
    pub(super) events: Vec<TerminalEvent>,
    pub(super) violations: Vec<String>,
    pub(super) steps: usize,
    new_engine: &'a dyn Fn() -> Box<dyn Engine>,
    engine: Box<dyn Engine>,
    habit: Habit,
    amount: Amount,
    attempts: u8,
    preparing: Option<AttemptId>,
    link_up: bool,
    to_terminal: VecDeque<u8>,
    to_kiosk: VecDeque<u8>,
    inbox: VecDeque<TerminalEvent>,
    actions: VecDeque<Action>,
}

struct Proof(AttemptId, JournalStep, Amount);

impl JournalProof for Proof {
    fn attempt(&self) -> AttemptId {
        self.0
    }
    fn step(&self) -> JournalStep {
        self.1
    }
    fn amount(&self) -> Option<Amount> {
        Some(self.2)
    }
}

impl<'a> World<'a> {
    pub(super) fn new(
        new_engine: &'a dyn Fn() -> Box<dyn Engine>,
        terminal: Box<dyn Terminal>,
        habit: Habit,
        amount: Amount,
    ) -> Self {
        Self {
            now_ms: 0,
            journal: Vec::new(),
            terminal,
            events: Vec::new(),
            violations: Vec::new(),
            steps: 0,
            new_engine,
            engine: new_engine(),
            habit,
            amount,
            attempts: 0,
            preparing: None,
            link_up: false,
            to_terminal: VecDeque::new(),
            to_kiosk: VecDeque::new(),
            inbox: VecDeque::new(),
            actions: VecDeque::new(),
        }
    }

    /// Runs until the sale is paid, needs a person, or was given up; each fault happens just
    /// before its step.
    pub(super) fn run(&mut self, faults: &[(usize, Fault)]) {
        while !self.is_over() {
            let step = self.steps;
            for (_, fault) in faults.iter().filter(|(at, _)| *at == step) {
                self.strike(*fault);
            }
            self.steps += 1;
            assert!(
                self.steps < 20_000,
                "the sale never ended: {:?}",
                self.events
            );
            self.step();
        }
    }

    pub(super) fn is_over(&self) -> bool {
        let open = self.journal.iter().any(|entry| entry.verdict.is_none());
        let last = self.journal.last().and_then(|entry| entry.verdict);
        let decided = matches!(last, Some(Verdict::Paid | Verdict::Review));
        !open && (decided || (self.attempts >= 6 && self.actions.is_empty()))
    }

    pub(super) fn verdict(&self) -> Option<Verdict> {
        self.journal.last().and_then(|entry| entry.verdict)
    }

    fn strike(&mut self, fault: Fault) {
        match fault {
            Fault::Garble => {
                if let Some(byte) = self.to_kiosk.front_mut() {
                    *byte ^= 0x5A;
                }
                return;
            }
            Fault::KioskDies | Fault::KioskDiesBytesArrive => {
                let in_flight = std::mem::take(&mut self.to_terminal);
                if fault == Fault::KioskDiesBytesArrive {
                    for byte in in_flight {
                        self.terminal_does(|terminal, now, out| terminal.bytes(now, &[byte], out));
                    }
                }
                self.engine = (self.new_engine)();
                self.inbox.clear();
                self.actions.clear();
                self.preparing = None;
                self.terminal.link_down(self.now_ms);
            }
            Fault::LinkCut => {
                self.engine_does(|engine, now, out| {
                    engine.link_down(now, &LinkFault::StartingClean, out)
                });
                self.terminal.link_down(self.now_ms);
            }
            Fault::TerminalDies => {
                self.engine_does(|engine, now, out| {
                    engine.link_down(now, &LinkFault::StartingClean, out)
                });
                self.terminal.power_cut(self.now_ms);
            }
        }
        self.to_kiosk.clear();
        self.to_terminal.clear();
        self.link_up = false;
    }

    fn step(&mut self) {
        if let Some(action) = self.actions.pop_front() {
            self.act(action);
        } else if let Some(event) = self.inbox.pop_front() {
            self.events.push(event.clone());
            self.decide(event);
        } else if !self.link_up && self.engine.wants_link() {
            self.link_up = true;
            self.now_ms += 10;
            self.terminal_does(|terminal, now, out| terminal.link_up(now, out));
            self.engine_does(|engine, now, out| engine.link_up(now, out));
        } else if let Some(byte) = self.to_terminal.pop_front() {
            self.terminal_does(|terminal, now, out| terminal.bytes(now, &[byte], out));
        } else if let Some(byte) = self.to_kiosk.pop_front() {
            self.engine_does(|engine, now, out| engine.bytes(now, &[byte], out));
        } else {
            self.wait();
        }
    }

    fn wait(&mut self) {
        let due = [self.engine.deadline_ms(), self.terminal.deadline_ms()];
        let Some(next) = due.into_iter().flatten().min() else {
            panic!(
                "nothing is awaited after step {}: {:#?}",
                self.steps, self.events
            );
        };
        self.now_ms = self.now_ms.max(next);
        self.engine_does(|engine, now, out| engine.tick(now, out));
        self.terminal_does(|terminal, now, out| terminal.tick(now, out));
    }

    fn engine_does(&mut self, run: impl FnOnce(&mut dyn Engine, u64, &mut Output)) {
        let mut out = Output::default();
        run(self.engine.as_mut(), self.now_ms, &mut out);
        self.inbox.extend(out.events);
        if self.link_up {
            self.to_terminal.extend(out.wire);
        }
        if out.close && self.link_up {
            self.strike(Fault::LinkCut);
        }
    }

    fn terminal_does(&mut self, run: impl FnOnce(&mut dyn Terminal, u64, &mut SimOutput)) {
        let booked = self.terminal.ledger().charged().len();
        let mut out = SimOutput::default();
        run(self.terminal.as_mut(), self.now_ms, &mut out);
        self.to_kiosk.extend(out.wire);
        let recorded = self
            .journal
            .iter()
            .filter(|entry| entry.approval.is_some())
            .count();
        if self.terminal.ledger().charged().len() > booked && recorded == 0 {
            self.violations
                .push("money was taken before the approval was durable".into());
        }
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Armed(attempt, baseline) => {
                self.journal.push(Entry {
                    attempt,
                    baseline,
                    approval: None,
                    verdict: None,
                });
            }
            Action::Approved(approval) => {
                if let Some(entry) = self.journal.last_mut() {
                    entry.approval = Some(approval);
                }
            }
            Action::Verdict(verdict) => {
                if let Some(entry) = self.journal.last_mut() {
                    entry.verdict = Some(verdict);
                }
            }
            Action::Command(command) => {
                self.engine_does(|engine, now, out| engine.command(now, command, out));
            }
        }
    }

    fn prepare(&mut self) {
        if self.attempts < 6 {
            self.attempts += 1;
            let attempt = AttemptId([self.attempts; 16]);
            self.preparing = Some(attempt);
            self.actions
                .push_back(Action::Command(Command::Prepare(attempt)));
        }
    }

    fn recover(&mut self) {
        let Some(entry) = self.journal.last() else {
            return;
        };
        let request = RecoverRequest {
            attempt: entry.attempt,
            kind: OrderKind::Payment,
            amount: self.amount,
            baseline: entry.baseline.clone(),
            approval: entry.approval.clone(),
        };
        self.actions
            .push_back(Action::Command(Command::Recover(request)));
    }

    /// What the kiosk does with an event.
    fn decide(&mut self, event: TerminalEvent) {
        match event {
            TerminalEvent::Link(LinkState::Up { .. }) => {
                match self.journal.last().map(|entry| entry.verdict) {
                    Some(None) if self.habit == Habit::TakesUnknownForDeclined => {
                        self.conclude(Verdict::NotCharged);
                    }
                    Some(None) => self.recover(),
                    _ => self.prepare(),
                }
            }
            TerminalEvent::Prepared { attempt, baseline } if self.preparing == Some(attempt) => {
                self.preparing = None;
                self.actions
                    .push_back(Action::Armed(attempt, baseline.clone()));
                let order = Payment {
                    attempt,
                    amount: self.amount,
                    baseline,
                };
                self.actions.push_back(Action::Command(Command::Pay(order)));
            }
            // A driver that keeps its link says when it is up again; others are asked again.
            TerminalEvent::NotPrepared { attempt, why }
                if self.preparing == Some(attempt)
                    && (why != super::NotReady::NotConnected || !self.engine.wants_link()) =>
            {
                self.prepare();
            }
            TerminalEvent::ApprovalPending { approval } => {
                let proof = Proof(approval.attempt, JournalStep::Approved, approval.amount);
                let durable = Durable::new(approval.clone(), proof).expect("the proof fits");
                let acknowledge = Action::Command(Command::ApprovalStored(durable));
                self.actions.push_back(Action::Approved(approval));
                if self.habit == Habit::AcknowledgesBeforeStoring {
                    self.actions.push_front(acknowledge);
                } else {
                    self.actions.push_back(acknowledge);
                }
            }
            TerminalEvent::Finished { outcome, .. } => self.finished(&outcome),
            TerminalEvent::Recovered { recovered, .. } => {
                let verdict = match recovered {
                    Recovered::Happened { .. } => Verdict::Paid,
                    Recovered::DidNotHappen(_) => Verdict::NotCharged,
                    Recovered::Foreign { .. } | Recovered::CannotTell { .. } => Verdict::Review,
                };
                self.conclude(verdict);
            }
            _ => {}
        }
    }

    fn finished(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Approved(_) => self.conclude(Verdict::Paid),
            Outcome::Declined { .. } | Outcome::NotStarted { .. } => {
                self.conclude(Verdict::NotCharged);
            }
            Outcome::Unknown { .. } if self.habit == Habit::TakesUnknownForDeclined => {
                self.conclude(Verdict::NotCharged);
            }
            Outcome::Unknown { .. } => self.recover(),
        }
    }

    fn conclude(&mut self, verdict: Verdict) {
        // A verdict is final: the recovery of a kiosk that died meanwhile comes only once.
        if self
            .journal
            .last()
            .is_some_and(|entry| entry.verdict.is_none())
        {
            self.actions.push_back(Action::Verdict(verdict));
            if verdict == Verdict::NotCharged {
                self.prepare();
            }
        }
    }

    /// Compares the journal with what the terminal really did.
    pub(super) fn audit(&mut self) {
        let charged = self.terminal.ledger().charged();
        if charged.len() > 1 {
            self.violations
                .push(format!("charged {} times", charged.len()));
        }
        let paid = self
            .journal
            .iter()
            .filter(|e| e.verdict == Some(Verdict::Paid))
            .count();
        let review = self
            .journal
            .iter()
            .filter(|e| e.verdict == Some(Verdict::Review))
            .count();
        if charged.len() > paid + review {
            self.violations.push("charged without a record".into());
        }
        if paid > charged.len() {
            self.violations
                .push("recorded as paid, but not charged".into());
        }
        if self.terminal.orders_received() > self.journal.len() {
            self.violations
                .push("an order was sent more than once".into());
        }
    }
}
