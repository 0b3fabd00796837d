//! A kiosk, a terminal and the wire between them in one thread and in virtual time, where every
//! byte, write, sync and command is a step and any step can be the last.

use std::collections::VecDeque;

use super::chance::Chance;
use super::counter::{Counter, Deed};
use super::disk::Disk;
use super::fault::{Fault, Habit};
use super::setup::{Kind, Setup};
use crate::terminal::engine::{Engine, Output};
use crate::terminal::sim::{RecordKind, SimModel, SimOutput};
use crate::terminal::types::{Amount, AttemptId, Currency, TerminalEvent};

/// What the counter wants done, one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Want {
    /// Money from a card, in minor units.
    Sale(u64),
    /// Money to a card, in minor units.
    Refund(u64),
    /// The sale at this place of the plan taken back.
    Reversal { of: usize },
    /// The terminal's day closed.
    DayClose,
}

impl Want {
    /// Minor units, with those of the sale for a reversal.
    pub(crate) fn minor(self, plan: &[Self]) -> Option<u64> {
        match self {
            Self::Sale(minor) | Self::Refund(minor) => Some(minor),
            Self::Reversal { of } => match plan.get(of) {
                Some(Self::Sale(minor)) => Some(*minor),
                _ => None,
            },
            Self::DayClose => None,
        }
    }
}

/// Steps after which a run that still goes on is called endless.
const LONGEST_RUN: usize = 60_000;

/// Bytes the terminal said at once, and when they arrive.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    pub(super) bytes: VecDeque<u8>,
    pub(super) due_ms: u64,
}

/// See the module text.
pub(crate) struct World<'a> {
    pub(crate) now_ms: u64,
    pub(crate) steps: usize,
    pub(crate) events: Vec<TerminalEvent>,
    pub(crate) violations: Vec<String>,
    pub(crate) disk: Disk,
    pub(crate) terminal: Box<dyn SimModel>,
    /// Step at which the work on each want began.
    pub(crate) began: Vec<Option<usize>>,
    /// How often each kind of fault really hit something.
    pub(crate) struck: usize,
    pub(super) setup: &'a Setup,
    pub(super) plan: &'a [Want],
    pub(super) habit: Habit,
    pub(super) engine: Box<dyn Engine>,
    pub(super) counter: Counter,
    pub(super) deeds: VecDeque<Deed>,
    pub(super) inbox: VecDeque<TerminalEvent>,
    pub(super) link_up: bool,
    /// The terminal believes that a till is there.
    pub(super) terminal_linked: bool,
    pub(super) to_terminal: VecDeque<u8>,
    pub(super) to_kiosk: VecDeque<Parcel>,
    pub(super) trouble: Trouble,
    pub(super) stand_alone: usize,
    /// The approval the engine has reported and not answered.
    pub(super) unanswered: Option<AttemptId>,
    /// The terminal was asked to wait and has not asked again.
    held: bool,
    /// No message comes twice, from elsewhere or later than the terminal waits for its answer:
    /// then the kiosk's answer to one can be taken for the answer to another, and only the kiosk's
    /// own side can be held to the rule.
    strict: bool,
    /// Chooses what happens first where several things could, and how many bytes go at once;
    /// without it one byte at a time, the kiosk first.
    pub(super) shuffle: Option<Chance>,
}

/// Faults that wait for what they will hit.
#[derive(Debug, Default)]
pub(super) struct Trouble {
    pub(super) lose_answer: bool,
    pub(super) double_answer: bool,
    pub(super) delay_answer_ms: u64,
    pub(super) disk_full: bool,
    pub(super) disk_slow_until_ms: u64,
}

impl<'a> World<'a> {
    pub(crate) fn new(setup: &'a Setup, plan: &'a [Want], habit: Habit) -> Self {
        Self {
            now_ms: 0,
            steps: 0,
            events: Vec::new(),
            violations: Vec::new(),
            disk: Disk::default(),
            terminal: setup.terminal(),
            began: vec![None; plan.len()],
            struck: 0,
            setup,
            plan,
            habit,
            engine: setup.engine(),
            counter: Counter::new(plan.len()),
            deeds: VecDeque::new(),
            inbox: VecDeque::new(),
            link_up: false,
            terminal_linked: false,
            to_terminal: VecDeque::new(),
            to_kiosk: VecDeque::new(),
            trouble: Trouble::default(),
            stand_alone: 0,
            unanswered: None,
            held: false,
            strict: true,
            shuffle: None,
        }
    }

    /// Lets chance choose the order of things that could happen at the same time.
    pub(crate) fn shuffled(mut self, chance: Chance) -> Self {
        self.shuffle = Some(chance);
        self
    }

    /// Runs until every want is done, given up or needs a person; each fault happens just before
    /// its step. Compares everything at the end.
    pub(crate) fn run(&mut self, faults: &[(usize, Fault)]) {
        self.strict = !faults.iter().any(|(_, fault)| fault.can_cross_answers());
        while !self.is_over() {
            let step = self.steps;
            for (_, fault) in faults.iter().filter(|(at, _)| *at == step) {
                self.strike(*fault);
            }
            self.steps += 1;
            if self.steps > LONGEST_RUN {
                self.violations.push("the orders never ended".into());
                break;
            }
            if !self.step() {
                self.violations.push("nothing is awaited".into());
                break;
            }
        }
        self.audit();
    }

    /// One thing happens; `false` when nothing ever will.
    fn step(&mut self) -> bool {
        let deed = self.deeds.front().is_some_and(|deed| {
            deed.at_ms <= self.now_ms
                && !(deed.is_sync() && self.trouble.disk_slow_until_ms > self.now_ms)
        });
        let inbox = !self.inbox.is_empty();
        let connect = !self.link_up && self.engine.wants_link();
        let out = !self.to_terminal.is_empty();
        let back = self.link_up
            && self
                .to_kiosk
                .front()
                .is_some_and(|parcel| parcel.due_ms <= self.now_ms);
        let possible = [deed, inbox, connect, out, back];
        let choice = match self.shuffle.as_mut() {
            Some(chance) => {
                let count = possible.iter().filter(|one| **one).count();
                let skip = if count > 1 { chance.below(count) } else { 0 };
                let mut places = (0..possible.len()).filter(|place| possible[*place]);
                places.nth(skip)
            }
            None => possible.iter().position(|one| *one),
        };
        match choice {
            Some(0) => self.act(),
            Some(1) => {
                if let Some(event) = self.inbox.pop_front() {
                    self.events.push(event.clone());
                    self.decide(event);
                }
            }
            Some(2) => self.connect(),
            Some(3) => self.carry_out_bytes(),
            Some(_) => self.carry_back_bytes(),
            None => return self.wait(),
        }
        true
    }

    fn connect(&mut self) {
        self.link_up = true;
        self.now_ms += 10;
        if !self.terminal_linked || self.setup.kind.is_tcp() {
            if self.terminal_linked {
                self.terminal.link_down(self.now_ms);
            }
            self.terminal_linked = true;
            self.terminal_does(|terminal, now, out| terminal.link_up(now, out));
        }
        self.engine_does(|engine, now, out| engine.link_up(now, out));
    }

    fn many(&mut self, there: usize) -> usize {
        match self.shuffle.as_mut() {
            Some(chance) => {
                if chance.percent(80) {
                    there
                } else {
                    chance.below(there) + 1
                }
            }
            None => 1,
        }
    }

    fn carry_out_bytes(&mut self) {
        let count = self.many(self.to_terminal.len());
        let bytes: Vec<u8> = self.to_terminal.drain(..count).collect();
        self.terminal_does(|terminal, now, out| terminal.bytes(now, &bytes, out));
    }

    fn carry_back_bytes(&mut self) {
        let there = self.to_kiosk.front().map_or(0, |parcel| parcel.bytes.len());
        let count = self.many(there);
        let Some(parcel) = self.to_kiosk.front_mut() else {
            return;
        };
        let bytes: Vec<u8> = parcel.bytes.drain(..count).collect();
        if parcel.bytes.is_empty() {
            self.to_kiosk.pop_front();
        }
        if bytes.windows(2).any(|two| two == [0x04, 0x0F]) {
            self.held = false;
        }
        self.engine_does(|engine, now, out| engine.bytes(now, &bytes, out));
    }

    fn wait(&mut self) -> bool {
        let deed = self.deeds.front().map(|deed| {
            if deed.is_sync() {
                deed.at_ms.max(self.trouble.disk_slow_until_ms)
            } else {
                deed.at_ms
            }
        });
        let parcel = self.to_kiosk.front().map(|parcel| parcel.due_ms);
        let due = [
            self.engine.deadline_ms(),
            self.terminal.deadline_ms(),
            deed,
            parcel,
        ];
        let Some(next) = due.into_iter().flatten().min() else {
            return false;
        };
        self.now_ms = self.now_ms.max(next);
        self.engine_does(|engine, now, out| engine.tick(now, out));
        self.terminal_does(|terminal, now, out| terminal.tick(now, out));
        true
    }

    pub(super) fn engine_does(&mut self, run: impl FnOnce(&mut dyn Engine, u64, &mut Output)) {
        let mut out = Output::default();
        run(self.engine.as_mut(), self.now_ms, &mut out);
        self.watch(&out);
        self.inbox.extend(out.events);
        if self.link_up {
            self.to_terminal.extend(out.wire);
        }
        if out.close && self.link_up {
            self.cut();
        }
    }

    pub(super) fn terminal_does(
        &mut self,
        run: impl FnOnce(&mut dyn SimModel, u64, &mut SimOutput),
    ) {
        let booked = self.terminal.ledger().records().len();
        let mut out = SimOutput::default();
        run(self.terminal.as_mut(), self.now_ms, &mut out);
        if self.link_up && !out.wire.is_empty() {
            self.hear(out.wire);
        }
        let moved = self.terminal.ledger().records()[booked..]
            .iter()
            .any(|record| {
                !matches!(
                    record.kind,
                    RecordKind::Declined { .. } | RecordKind::DayClose
                )
            });
        if moved && self.strict && self.setup.waits_for_the_till() {
            let last = self.disk.durable().last();
            if last.is_none_or(|entry| entry.approval.is_none()) {
                self.violations
                    .push("money was taken before the approval was durable".into());
            }
        }
        if out.vanish {
            self.cut();
            // It is gone, whether or not the line tells.
            if std::mem::take(&mut self.terminal_linked) {
                self.terminal.link_down(self.now_ms);
            }
        }
    }

    /// The rule of the kiosk's own side: between an approval and its durable row, `80 00 00` is
    /// not said at all.
    fn watch(&mut self, out: &Output) {
        let unanswered = self.unanswered.filter(|_| self.setup.kind.is_zvt());
        let durable = self.disk.durable().last().is_some_and(|entry| {
            Some(entry.armed.attempt) == unanswered && entry.approval.is_some()
        });
        if unanswered.is_some()
            && !durable
            && !self.held
            && out.wire.windows(3).any(|three| three == [0x80, 0, 0])
        {
            self.violations
                .push("an approval was acknowledged before it was durable".into());
        }
        if out.wire.windows(3).any(|three| three == [0x84, 0x66, 0]) {
            self.unanswered = None;
        }
        self.held |= out.wire.windows(3).any(|three| three == [0x84, 0x9C, 0]);
        for event in &out.events {
            match event {
                TerminalEvent::ApprovalPending { approval } => {
                    self.unanswered = Some(approval.attempt);
                }
                TerminalEvent::Finished { .. } => self.unanswered = None,
                _ => {}
            }
        }
    }

    /// What the terminal said goes on its way, with what is wrong with the way.
    fn hear(&mut self, bytes: Vec<u8>) {
        if std::mem::take(&mut self.trouble.lose_answer) {
            self.struck += 1;
            return;
        }
        let delay_ms = std::mem::take(&mut self.trouble.delay_answer_ms);
        let parcel = Parcel {
            bytes: bytes.into(),
            due_ms: self.now_ms + delay_ms,
        };
        self.struck += usize::from(delay_ms > 0);
        self.to_kiosk.push_back(parcel.clone());
        if self.trouble.double_answer
            && let Some(again) = of_its_own_accord(self.setup.kind, &parcel.bytes)
        {
            self.trouble.double_answer = false;
            self.struck += 1;
            self.to_kiosk.push_back(Parcel {
                bytes: again,
                ..parcel
            });
        }
    }

    /// What a lost line does to what is under way. A serial terminal that has not spoken yet
    /// speaks all the same, and is heard by whoever listens then.
    pub(super) fn lose_what_is_under_way(&mut self) {
        let now_ms = self.now_ms;
        let tcp = self.setup.kind.is_tcp();
        self.to_kiosk
            .retain(|parcel| !tcp && parcel.due_ms > now_ms);
    }

    /// Both ends lose the line.
    pub(super) fn cut(&mut self) {
        self.link_up = false;
        self.lose_what_is_under_way();
        self.to_terminal.clear();
        self.engine_does(|engine, now, out| {
            engine.link_down(now, &crate::terminal::LinkFault::StartingClean, out);
        });
        if self.setup.notices_the_till() && std::mem::take(&mut self.terminal_linked) {
            self.terminal_does(|terminal, now, _| terminal.link_down(now));
        }
    }

    /// An amount of this world.
    pub(super) fn amount(minor: u64) -> Amount {
        Amount::new(minor, Currency::VND)
    }

    pub(super) fn kind(&self) -> Kind {
        self.setup.kind
    }
}

/// What of these bytes a terminal could say again; `None` when they are an answer to a command.
fn of_its_own_accord(kind: Kind, bytes: &VecDeque<u8>) -> Option<VecDeque<u8>> {
    let all: Vec<u8> = bytes.iter().copied().collect();
    let again = match kind {
        Kind::ZvtTcp => all.as_slice(),
        // Without the acknowledgement of the line before it.
        Kind::ZvtSerial => &all[all.windows(2).position(|two| two == [0x10, 0x02])?..],
        Kind::CaisseAp => all.as_slice(),
        Kind::Concert => &all[all.iter().position(|byte| *byte == 0x02)?..],
    };
    let class = match kind {
        Kind::ZvtTcp => again.first(),
        Kind::ZvtSerial => again.get(2),
        Kind::CaisseAp | Kind::Concert => None,
    };
    (!matches!(class, Some(0x80 | 0x84))).then(|| again.to_vec().into())
}
