//! One counter, its real database, a terminal and the wire between them, in one thread and in virtual time. Every
//! touch, event, effect, command and byte is a step, and so is every page a commit writes; a kill can come at any.

use super::counter::{Counter, Unwritten, now};
use super::disk::{Image, cuts, length, log_of};
use crate::app::commit;
use checkout::till::{
    AttemptDecision, AttemptId, Availability, Effect, Event, OrderKind, OrderStep, Screen,
    StaffEvent, StaffId, StoreFault, TenderKind, TenderOption, What,
};
use hardware::terminal as hw;
use hw::sim::{
    Ledger, Record, RecordKind, Scenario, SimModel, SimOutput, ZvtModel, ZvtModelConfig,
};
use hw::stepped::StepOutput;
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;

/// More than any run needs; a run that gets there never ends.
const STEPS_MAX: usize = 40_000;
/// Times the shopper tries a card.
const TRIES_MAX: u32 = 5;

/// What is lost with the kiosk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kill {
    /// Bytes on their way to the terminal are lost too.
    BytesLost,
    /// What had left the program still arrives.
    BytesArrive,
}

/// How the counter behaves; everything but `Correct` is wrong on purpose, to test the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Habit {
    Correct,
    /// Says "stored" at once and writes when there is nothing else to do: after the acknowledgement.
    AnswersBeforeCommit,
    /// Nothing wrong with the counter: its disk is full from the first approval on, for two minutes.
    DiskFullAtApproval,
}

/// What people want of the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Job {
    /// A shopper buys a coffee by card.
    Buy,
    /// Staff give so much of the last card payment back: the whole of it is a reversal, a part a refund.
    GiveBack(i64),
    /// Staff close the terminal's day.
    CloseDay,
}

/// Where a run begins.
#[derive(Clone)]
pub(super) struct Begin {
    pub(super) image: Image,
    /// What the terminal has in its ledger.
    pub(super) records: Vec<Record>,
    pub(super) now_ms: u64,
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Paid,
    /// Nothing was charged and the shopper gave up.
    GivenUp,
    /// A person has to decide about the attempt on the screen.
    Review,
    /// The terminal contradicted itself: no card is taken before a person looked at the open review.
    Locked,
    /// What staff ordered is done and written down.
    Done,
}

pub(super) struct World<'a> {
    pub(super) database: &'a Path,
    habit: Habit,
    pub(super) job: Job,
    pub(super) counter: Counter,
    pub(super) terminal: ZvtModel,
    /// Records the terminal had before.
    pub(super) before: usize,
    /// A terminal that takes money by itself when nobody acknowledges.
    keeps: bool,
    pub(super) now_ms: u64,
    link_up: bool,
    to_terminal: VecDeque<u8>,
    to_kiosk: VecDeque<u8>,
    kills: VecDeque<(usize, Kill)>,
    tries: u32,
    approved_on_disk: BTreeSet<AttemptId>,
    /// Closes of the terminal's day that are on disk as asked for.
    closes_on_disk: usize,
    disk_full_until_ms: Option<u64>,
    pub(super) violations: Vec<String>,
    pub(super) steps: usize,
    /// Staff decide what the terminal cannot, by its own record.
    pub(super) staff_decide: bool,
}

impl<'a> World<'a> {
    /// The first order follows `first`, the others `usual`. The file must hold the image of `begin`.
    pub(super) fn new(
        database: &'a Path,
        (job, begin): (Job, &Begin),
        habit: Habit,
        first: Option<&Scenario>,
        usual: &Scenario,
        kills: &[(usize, Kill)],
    ) -> Self {
        let config = ZvtModelConfig {
            last_receipt: 9998,
            ..ZvtModelConfig::default()
        };
        let mut ledger = Ledger::in_memory();
        for record in &begin.records {
            ledger.append(record.clone()).unwrap();
        }
        let mut terminal = ZvtModel::new(config, ledger);
        terminal.set_usual(usual.clone());
        let keeps =
            |scenario: &Scenario| scenario.when_unacknowledged == hw::sim::WhenUnacknowledged::Keep;
        if let Some(first) = first {
            terminal.script(first.clone());
        }
        Self {
            database,
            habit,
            job,
            counter: Counter::start(database, begin.now_ms),
            terminal,
            before: begin.records.len(),
            keeps: keeps(usual) || first.is_some_and(keeps),
            now_ms: begin.now_ms,
            link_up: false,
            to_terminal: VecDeque::new(),
            to_kiosk: VecDeque::new(),
            kills: kills.iter().copied().collect(),
            tries: 0,
            approved_on_disk: BTreeSet::new(),
            closes_on_disk: 0,
            disk_full_until_ms: None,
            violations: Vec::new(),
            steps: 0,
            staff_decide: false,
        }
    }

    /// Runs until the purchase has ended, each kill just before its step.
    pub(super) fn run(&mut self) -> End {
        loop {
            while let Some((at, kill)) = self.kills.front().copied()
                && at <= self.steps
            {
                self.kills.pop_front();
                self.kill(kill, None);
            }
            self.steps += 1;
            assert!(
                self.steps < STEPS_MAX,
                "never ended: {:?} {:?}",
                self.screen(),
                self.counter.till.state().reviews
            );
            if let Some(end) = self.step() {
                return end;
            }
        }
    }

    fn screen(&self) -> Screen {
        self.counter.till.view(now(self.now_ms)).screen
    }

    fn step(&mut self) -> Option<End> {
        if let Some(effect) = self.counter.effects.pop_front() {
            self.carry_out(effect);
        } else if let Some(event) = self.counter.next_event() {
            self.counter.step(self.now_ms, event);
        } else if let Some(out) = self.counter.driver.take_command(self.now_ms) {
            self.drove(out);
        } else if !self.link_up && self.counter.driver.wants_link() {
            self.link_up = true;
            self.now_ms += 10;
            self.terminal_does(|terminal, now, out| terminal.link_up(now, out));
            let out = self.counter.driver.link_up(self.now_ms);
            self.drove(out);
        } else if let Some(byte) = self.to_terminal.pop_front() {
            self.terminal_does(|terminal, now, out| terminal.bytes(now, &[byte], out));
        } else if let Some(byte) = self.to_kiosk.pop_front() {
            let out = self.counter.driver.bytes(self.now_ms, &[byte]);
            self.drove(out);
        } else if let Some(unwritten) = self.counter.unwritten.pop_front() {
            self.counter.commit(unwritten.commit);
            self.approved_on_disk.extend(unwritten.approved);
            self.closes_on_disk += unwritten.closes;
        } else {
            return self.people_act();
        }
        None
    }

    /// Everything inside has come to rest: the shopper and staff act, or time passes.
    fn people_act(&mut self) -> Option<End> {
        if self.job != Job::Buy {
            return self.staff_act();
        }
        match self.screen() {
            Screen::Pay(_) if self.tries >= TRIES_MAX => return Some(End::GivenUp),
            Screen::Pay(pay) if pay.options.iter().any(is_locked) => return Some(End::Locked),
            Screen::Idle => self.act(Event::ExtendIdle),
            Screen::Pay(pay) if pay.options.iter().any(is_free) => {
                self.tries += 1;
                self.act(Event::ChooseTender(TenderKind::Card));
            }
            Screen::Unknown {
                needs_staff: true, ..
            } if !self.staff_decide => return Some(End::Review),
            Screen::Unknown {
                needs_staff: true,
                attempt,
                ..
            } => {
                let decision = match self.terminal.ledger().charged().len() {
                    0 => AttemptDecision::NotCharged,
                    _ => AttemptDecision::Paid,
                };
                for event in [
                    StaffEvent::SignedIn {
                        staff: StaffId("S7".into()),
                    },
                    StaffEvent::ResolveAttempt {
                        attempt,
                        decision,
                        note: String::new(),
                    },
                    StaffEvent::SignedOut,
                ] {
                    self.act(Event::Staff(event));
                }
            }
            Screen::Paid(_) | Screen::Tap { .. } | Screen::Thanks { .. } => return Some(End::Paid),
            _ => self.wait(),
        }
        None
    }

    /// Staff at the empty counter, until what they want is done.
    fn staff_act(&mut self) -> Option<End> {
        let view = self.counter.till.view(now(self.now_ms));
        if let Some(order) = view.order {
            let needed = OrderStep::Unknown { needs_staff: true };
            match order.step == needed {
                true if self.staff_decide => {
                    let decision = match self.given_back(order.kind) {
                        true => AttemptDecision::Paid,
                        false => AttemptDecision::NotCharged,
                    };
                    self.sign_in();
                    self.act(Event::Staff(StaffEvent::ResolveAttempt {
                        attempt: order.attempt,
                        decision,
                        note: String::new(),
                    }));
                }
                true => return Some(End::Review),
                false => self.wait(),
            }
            return None;
        }
        if !self.counter.till.state().reviews.is_empty() {
            return Some(End::Review);
        }
        let engine = self.counter.engine.as_ref().unwrap();
        let (event, done) = match self.job {
            Job::CloseDay => {
                let closed = engine.day_figures().unwrap().terminal_closed_ms.is_some();
                (StaffEvent::CloseTerminalDay, closed)
            }
            Job::GiveBack(amount_minor) => {
                let found = engine.refundable(None).unwrap().unwrap();
                let taken = Box::new(found.payments[0].clone());
                let done = taken.given_back_minor > 0;
                let event = StaffEvent::GiveBack {
                    taken,
                    amount_minor,
                };
                (event, done)
            }
            Job::Buy => return None,
        };
        if done {
            return Some(End::Done);
        }
        if self.tries >= TRIES_MAX {
            return Some(End::GivenUp);
        }
        self.tries += 1;
        self.sign_in();
        self.act(Event::Staff(event));
        None
    }

    fn sign_in(&mut self) {
        let staff = StaffId("S7".into());
        self.act(Event::Staff(StaffEvent::SignedIn { staff }));
    }

    /// Whether the terminal's own record has it.
    fn given_back(&self, kind: OrderKind) -> bool {
        self.new_records().iter().any(|record| match record.kind {
            RecordKind::Reversal { .. } => kind == OrderKind::Reversal,
            RecordKind::Refund => kind == OrderKind::Refund,
            _ => false,
        })
    }

    /// What came to the terminal's ledger since the run began.
    pub(super) fn new_records(&self) -> &[Record] {
        &self.terminal.ledger().records()[self.before..]
    }

    /// Runs on until nobody is at the counter.
    pub(super) fn leave(mut self) -> Begin {
        while !matches!(self.screen(), Screen::Attract { .. }) || !self.is_quiet() {
            if self.is_quiet() {
                self.wait();
            } else {
                self.step();
            }
        }
        self.counter.engine = None;
        Begin {
            image: Image::read(self.database),
            records: self.terminal.ledger().records().to_vec(),
            now_ms: self.now_ms,
        }
    }

    fn is_quiet(&mut self) -> bool {
        let counter = &mut self.counter;
        if let Some(event) = counter.next_event() {
            counter.events.push_front(event);
        }
        counter.effects.is_empty()
            && counter.events.is_empty()
            && self.to_terminal.is_empty()
            && self.to_kiosk.is_empty()
            && (self.link_up || !counter.driver.wants_link())
    }

    fn act(&mut self, event: Event) {
        self.counter.events.push_back(event);
    }

    fn wait(&mut self) {
        let due = [
            self.counter.driver.deadline_ms(),
            self.terminal.deadline_ms(),
            self.counter.wake_at,
        ];
        let Some(next) = due.into_iter().flatten().min() else {
            panic!("nothing is awaited on {:?}", self.screen());
        };
        self.now_ms = self.now_ms.max(next);
        if self.counter.wake_at.is_some_and(|at| at <= self.now_ms) {
            self.counter.wake_at = None;
            self.counter.events.push_back(Event::Tick);
        }
        let out = self.counter.driver.tick(self.now_ms);
        self.drove(out);
        self.terminal_does(|terminal, now, out| terminal.tick(now, out));
    }

    fn drove(&mut self, out: StepOutput) {
        for event in out.events {
            self.counter.listener.hear(event);
        }
        if self.link_up {
            self.to_terminal.extend(out.wire);
        }
        if out.close && self.link_up {
            self.cut_link();
            let out = self.counter.driver.link_down(self.now_ms);
            self.drove(out);
        }
    }

    fn cut_link(&mut self) {
        self.terminal.link_down(self.now_ms);
        self.to_kiosk.clear();
        self.to_terminal.clear();
        self.link_up = false;
    }

    fn terminal_does(&mut self, run: impl FnOnce(&mut ZvtModel, u64, &mut SimOutput)) {
        let before = self.moved();
        let mut out = SimOutput::default();
        run(&mut self.terminal, self.now_ms, &mut out);
        self.to_kiosk.extend(out.wire);
        let moved = self.moved();
        if moved > before && !self.keeps && self.approved_on_disk.len() < moved {
            self.violations
                .push("money moved before the approval was on disk".into());
        }
        let closes = self.new_records().iter();
        let closes = closes.filter(|record| record.kind == RecordKind::DayClose);
        if closes.count() > self.closes_on_disk {
            self.violations
                .push("the terminal's day was closed before it was on disk".into());
        }
        if out.vanish {
            self.cut_link();
            let out = self.counter.driver.link_down(self.now_ms);
            self.drove(out);
        }
    }

    /// How often money moved at the terminal.
    fn moved(&self) -> usize {
        let moves = self.new_records().iter().filter(|record| {
            matches!(
                record.kind,
                RecordKind::Sale | RecordKind::Refund | RecordKind::Reversal { .. }
            )
        });
        moves.count()
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Store {
                ticket,
                facts,
                state,
            } => {
                let approved = facts.iter().filter_map(|fact| match &fact.what {
                    What::AttemptApproved { attempt, .. } => Some(*attempt),
                    _ => None,
                });
                let approved: Vec<AttemptId> = approved.collect();
                let closes = facts.iter();
                let closes = closes
                    .filter(|fact| matches!(fact.what, What::TerminalDayAsked { .. }))
                    .count();
                let scribe = &mut self.counter.scribe;
                let commit = commit::encode(scribe, now(self.now_ms), &facts, &state).unwrap();
                if self.is_disk_full(!approved.is_empty()) {
                    let fault = StoreFault::Full;
                    return self.act(Event::StoreFailed { ticket, fault });
                }
                match self.habit {
                    Habit::Correct | Habit::DiskFullAtApproval => {
                        if !self.write(commit) {
                            return;
                        }
                        self.approved_on_disk.extend(approved);
                        self.closes_on_disk += closes;
                    }
                    Habit::AnswersBeforeCommit => {
                        let unwritten = Unwritten {
                            commit,
                            approved,
                            closes,
                        };
                        self.counter.unwritten.push_back(unwritten);
                    }
                }
                self.act(Event::Stored(ticket));
            }
            Effect::WakeAt { mono_ms } => self.counter.wake_at = Some(mono_ms),
            Effect::PrepareTerminal { .. }
            | Effect::AskTerminal { .. }
            | Effect::ConfirmTerminal { .. }
            | Effect::AbortTerminal { .. }
            | Effect::OrderTerminal { .. }
            | Effect::RecoverTerminal { .. } => self.counter.lane.carry_out(effect),
            _ => {}
        }
    }

    fn is_disk_full(&mut self, approval: bool) -> bool {
        if approval && self.habit == Habit::DiskFullAtApproval {
            self.disk_full_until_ms.get_or_insert(self.now_ms + 120_000);
        }
        self.disk_full_until_ms
            .is_some_and(|until| self.now_ms < until)
    }

    /// Commits, and dies within the commit when that is a step at which a kill comes; then the answer never came.
    fn write(&mut self, commit: crate::store::Commit) -> bool {
        let log = log_of(self.database);
        let before = length(&log);
        self.counter.commit(commit);
        let cuts = cuts(before, length(&log));
        let first = self.steps;
        self.steps += cuts.len();
        if let Some((at, kill)) = self.kills.front().copied()
            && let Some(cut) = at.checked_sub(first).and_then(|index| cuts.get(index))
        {
            self.kills.pop_front();
            self.kill(kill, Some(*cut));
            return false;
        }
        true
    }

    /// `kill -9`, or the power: memory is gone, the disk is what it was, the log cut at `cut`.
    fn kill(&mut self, kill: Kill, cut: Option<u64>) {
        let mut image = Image::read(self.database);
        if let Some(cut) = cut {
            image.log.truncate(usize::try_from(cut).unwrap());
        }
        if kill == Kill::BytesArrive {
            for byte in std::mem::take(&mut self.to_terminal) {
                self.terminal_does(|terminal, now, out| terminal.bytes(now, &[byte], out));
            }
        }
        self.cut_link();
        // The start of the next one: a second or two.
        self.now_ms += 1_500;
        self.terminal_does(|terminal, now, out| terminal.tick(now, out));
        // Closing the old file writes into it; what a kill left is put back behind its back.
        self.counter.engine = None;
        image.put_back(self.database);
        self.counter = Counter::start(self.database, self.now_ms);
    }
}

fn is_free(option: &TenderOption) -> bool {
    option.kind == TenderKind::Card && option.available == Availability::Yes
}

fn is_locked(option: &TenderOption) -> bool {
    option.kind == TenderKind::Card && option.available == Availability::Locked
}
