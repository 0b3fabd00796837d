//! One counter, its real database, a terminal and the wire between them, in one thread and in virtual time. Every
//! touch, event, effect, command and byte is a step, and so is every page a commit writes; a kill can come at any.

use super::super::{CardLane, Listener};
use super::disk::{Image, cuts, length, log_of, sale_rows};
use crate::app::{AppEvent, commit};
use crate::assemble::till_config;
use crate::journal::Scribe;
use crate::mailbox::{Inbox, mailbox};
use crate::store::{Engine, Ids, StoreConfig};
use checkout::till::{
    AttemptDecision, AttemptId, Availability, Effect, Effects, Event, LookUpResult, Scan, Screen,
    StaffEvent, StaffId, StoreFault, TenderKind, TenderOption, Till, TillState, What,
};
use checkout::{Item, ItemId, LocalDate, Now, PriceFrom, TaxClassId, Unit};
use hardware::terminal as hw;
use hw::sim::{Ledger, Scenario, SimModel, SimOutput, ZvtModel, ZvtModelConfig};
use hw::stepped::{StepOutput, SteppedDriver};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;
use touchpoint::{JournalId, Lane};

const START_WALL_MS: i64 = 1_795_000_000_000;
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

/// How a purchase ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Paid,
    /// Nothing was charged and the shopper gave up.
    GivenUp,
    /// A person has to decide about the attempt on the screen.
    Review,
    /// The terminal contradicted itself: no card is taken before a person looked at the open review.
    Locked,
}

struct Counter {
    till: Till,
    scribe: Scribe,
    /// `None` only while the counter is dead.
    engine: Option<Engine>,
    lane: CardLane,
    listener: Listener,
    driver: SteppedDriver,
    inbox: Inbox<AppEvent>,
    effects: VecDeque<Effect>,
    events: VecDeque<Event>,
    unwritten: VecDeque<Unwritten>,
    wake_at: Option<u64>,
}

struct Unwritten {
    commit: crate::store::Commit,
    approved: Vec<AttemptId>,
}

pub(super) struct World<'a> {
    database: &'a Path,
    habit: Habit,
    counter: Counter,
    terminal: ZvtModel,
    /// A terminal that takes money by itself when nobody acknowledges.
    keeps: bool,
    now_ms: u64,
    link_up: bool,
    to_terminal: VecDeque<u8>,
    to_kiosk: VecDeque<u8>,
    kills: VecDeque<(usize, Kill)>,
    tries: u32,
    approved_on_disk: BTreeSet<AttemptId>,
    disk_full_until_ms: Option<u64>,
    pub(super) violations: Vec<String>,
    pub(super) steps: usize,
    /// Staff decide what the terminal cannot, by its own record.
    pub(super) staff_decide: bool,
}

fn now(now_ms: u64) -> Now {
    Now {
        wall_ms: START_WALL_MS + i64::try_from(now_ms).unwrap(),
        utc_offset_min: 420,
        mono_ms: now_ms,
    }
}

fn store_config(database: &Path) -> StoreConfig {
    StoreConfig {
        ballast_bytes: 0,
        ..StoreConfig::new(database)
    }
}

impl Counter {
    /// The program starts.
    fn start(database: &Path, now_ms: u64) -> Self {
        let ids = Ids {
            now_ms: now(now_ms).wall_ms,
            new_journal: JournalId::new("019aa3c4-7b2e-7f10-9a55-000000000001").unwrap(),
            machine: "m1".into(),
        };
        let (mut engine, boot) = Engine::open(store_config(database), &ids).unwrap();
        // So that the length of the log is what is in it.
        engine.checkpoint(true);
        let opened = engine.last_business_date().unwrap();
        let journal = boot.journal_id.as_str().to_owned();
        let config = crate::testing::configuration();
        let settings = till_config(&config, &journal);
        let (post, inbox) = mailbox(|| {});
        let connection = hw::Connection::Tcp {
            host: "localhost".into(),
            port: 20007,
        };
        let mut terminal = hw::TerminalConfig::zvt(connection, config.currency.code());
        terminal.timeouts.poll_ms = 500;
        let mut parts = None;
        let lane = CardLane::around(config.currency, &journal, post, |listener| {
            let (driver, handle) = SteppedDriver::new(&terminal)?;
            parts = Some((driver, listener));
            Ok(Box::new(handle))
        })
        .unwrap();
        let (driver, listener) = parts.unwrap();
        Self {
            till: Till::new(settings, boot.state, 7, now(now_ms)),
            scribe: Scribe::new(
                format!("{now_ms:016x}"),
                config.currency.code().to_owned(),
                opened.and_then(|day| day.parse().ok()),
            ),
            engine: Some(engine),
            lane,
            listener,
            driver,
            inbox,
            effects: VecDeque::new(),
            events: VecDeque::from([Event::Tick]),
            unwritten: VecDeque::new(),
            wake_at: None,
        }
    }

    fn step(&mut self, now_ms: u64, event: Event) {
        let mut effects = Effects::new();
        self.till.step(now(now_ms), event, &mut effects);
        self.effects.extend(effects.drain());
    }

    fn commit(&mut self, commit: crate::store::Commit) {
        let engine = self.engine.as_mut().unwrap();
        engine.commit(commit).unwrap();
    }

    fn next_event(&mut self) -> Option<Event> {
        self.events.pop_front().or_else(|| match self.inbox.take() {
            Some(AppEvent::Till(event)) => Some(event),
            Some(other) => panic!("not of the till: {other:?}"),
            None => None,
        })
    }
}

/// The database of a counter with one coffee in the basket, at the question how to pay.
pub(super) fn coffee_at_pay(database: &Path) -> Image {
    let mut counter = Counter::start(database, 0);
    let coffee = coffee();
    for event in [
        Event::Tick,
        Event::Start,
        Event::Scanned(Scan::new("6291041500213")),
        Event::Pay,
    ] {
        counter.step(0, event);
        while let Some(effect) = counter.effects.pop_front() {
            let event = match effect {
                Effect::Store {
                    ticket,
                    facts,
                    state,
                } => {
                    let commit = commit::encode(&mut counter.scribe, now(0), &facts, &state);
                    counter.commit(commit.unwrap());
                    Event::Stored(ticket)
                }
                Effect::LookUp { ticket, .. } => Event::LookedUp {
                    ticket,
                    found: LookUpResult::One(Box::new(coffee.clone())),
                },
                _ => continue,
            };
            counter.step(0, event);
        }
    }
    let screen = counter.till.view(now(0)).screen;
    assert!(matches!(screen, Screen::Pay(_)), "{screen:?}");
    drop(counter);
    Image::read(database)
}

impl<'a> World<'a> {
    /// The shopper's first order follows `first`, the others `usual`.
    pub(super) fn new(
        database: &'a Path,
        habit: Habit,
        first: Option<&Scenario>,
        usual: &Scenario,
        kills: &[(usize, Kill)],
    ) -> Self {
        let config = ZvtModelConfig {
            last_receipt: 9998,
            ..ZvtModelConfig::default()
        };
        let mut terminal = ZvtModel::new(config, Ledger::in_memory());
        terminal.set_usual(usual.clone());
        let keeps =
            |scenario: &Scenario| scenario.when_unacknowledged == hw::sim::WhenUnacknowledged::Keep;
        if let Some(first) = first {
            terminal.script(first.clone());
        }
        Self {
            database,
            habit,
            counter: Counter::start(database, 0),
            terminal,
            keeps: keeps(usual) || first.is_some_and(keeps),
            now_ms: 0,
            link_up: false,
            to_terminal: VecDeque::new(),
            to_kiosk: VecDeque::new(),
            kills: kills.iter().copied().collect(),
            tries: 0,
            approved_on_disk: BTreeSet::new(),
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
        } else {
            return self.people_act();
        }
        None
    }

    /// Everything inside has come to rest: the shopper and staff act, or time passes.
    fn people_act(&mut self) -> Option<End> {
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
        let before = self.terminal.ledger().charged().len();
        let mut out = SimOutput::default();
        run(&mut self.terminal, self.now_ms, &mut out);
        self.to_kiosk.extend(out.wire);
        let charged = self.terminal.ledger().charged().len();
        if charged > before && !self.keeps && self.approved_on_disk.len() < charged {
            self.violations
                .push("money was taken before the approval was on disk".into());
        }
        if out.vanish {
            self.cut_link();
            let out = self.counter.driver.link_down(self.now_ms);
            self.drove(out);
        }
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
                    }
                    Habit::AnswersBeforeCommit => {
                        let unwritten = Unwritten { commit, approved };
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

    /// How the attempts in doubt came to be known, as the journal has it.
    pub(super) fn resolutions(&self) -> Vec<(String, String)> {
        let engine = self.counter.engine.as_ref().unwrap();
        let events = money_events(engine).into_iter();
        let known = events.filter(|event| {
            event["kind"] == "attempt.unknown" || event["kind"] == "attempt.resolved"
        });
        let word = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        known
            .map(|event| {
                let body = &event["body"];
                (word(&body["reason"]), word(&body["outcome"]))
            })
            .collect()
    }

    /// Compares the terminal's ledger with what a fresh look at the database finds.
    pub(super) fn audit(mut self, end: End) -> Vec<String> {
        self.counter.engine = None;
        let rows = sale_rows(self.database);
        let engine = Counter::start(self.database, self.now_ms).engine.unwrap();
        let charged = self.terminal.ledger().charged();
        let state = engine.state().unwrap().unwrap_or_default();
        let events = money_events(&engine);
        let count = |kind: &str| events.iter().filter(|event| event["kind"] == kind).count();
        let sales = count("sale.completed");
        let reviews = state.reviews.len() + usize::from(end == End::Review);
        let mut check = |good: bool, what: String| {
            if !good {
                self.violations.push(what);
            }
        };
        check(
            charged.len() <= 1,
            format!("charged {} times", charged.len()),
        );
        check(
            sales == rows,
            format!("{sales} sales in the journal, {rows} as rows"),
        );
        check(
            charged.len() <= sales + reviews,
            "charged without a sale or an open review".into(),
        );
        check(sales <= charged.len(), "a sale without money".into());
        check(
            (end == End::Paid) == (sales == 1),
            format!("{end:?} with {sales} sales"),
        );
        let orders = self.terminal.orders_received();
        let sent = count("attempt.sent");
        check(
            sent >= orders,
            format!("{orders} orders, {sent} of them in the journal"),
        );
        check(
            rows_agree(&state, &events),
            format!("the journal does not say how it was paid: {events:?}"),
        );
        self.violations
    }
}

fn is_free(option: &TenderOption) -> bool {
    option.kind == TenderKind::Card && option.available == Availability::Yes
}

fn is_locked(option: &TenderOption) -> bool {
    option.kind == TenderKind::Card && option.available == Availability::Locked
}

/// What the catalogue answers: one coffee, 25,000 đ.
fn coffee() -> Item {
    Item {
        id: ItemId(1),
        code: "CF".into(),
        name: "Cà phê sữa đá".into(),
        names: BTreeMap::new(),
        unit: Unit::Piece { label: "ly".into() },
        prices: vec![PriceFrom {
            from: LocalDate {
                year: 2026,
                month: 1,
                day: 1,
            },
            price_minor: 25_000,
        }],
        tax_class: TaxClassId(1),
        min_age: None,
        deposit: None,
        category: "Đồ uống".into(),
        groups: Vec::new(),
        picture: None,
    }
}

/// Events of the money lane.
fn money_events(engine: &Engine) -> Vec<serde_json::Value> {
    let journal = engine.journal_id().clone();
    let run = engine
        .events(&journal, Lane::Money, 1, 1_000, usize::MAX)
        .unwrap();
    let events = run.map_or_else(Vec::new, |run| run.events);
    let read = |event: &crate::store::StoredEvent| serde_json::from_slice(&event.bytes).unwrap();
    events.iter().map(read).collect()
}

/// The attempt that paid was intended, sent, and approved or found out to be paid.
fn rows_agree(state: &TillState, events: &[serde_json::Value]) -> bool {
    let sale = state.visit.as_ref().and_then(|visit| visit.sale.as_ref());
    let Some(sale) = sale else {
        return true;
    };
    sale.tenders.iter().all(|tender| {
        let attempt = tender.attempt.to_string();
        let said = |kind: &str| {
            events
                .iter()
                .any(|event| event["kind"] == kind && event["body"]["attempt"] == attempt)
        };
        said("attempt.intended")
            && said("attempt.sent")
            && (said("attempt.approved") || said("attempt.resolved"))
    })
}
