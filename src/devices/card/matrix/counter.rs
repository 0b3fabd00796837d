//! The counter of the matrix: till, real database, card lane and the driver's own engine, and how it begins.

use super::super::{CardLane, Listener};
use super::disk::Image;
use crate::app::{AppEvent, commit};
use crate::assemble::till_config;
use crate::journal::Scribe;
use crate::mailbox::{Inbox, mailbox};
use crate::store::{Engine, Ids, StoreConfig};
use checkout::till::{AttemptId, Effect, Effects, Event, LookUpResult, Scan, Screen, Till};
use checkout::{Item, ItemId, LocalDate, Now, PriceFrom, TaxClassId, Unit};
use hardware::terminal as hw;
use hw::stepped::SteppedDriver;
use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use touchpoint::JournalId;

const START_WALL_MS: i64 = 1_795_000_000_000;

pub(super) struct Counter {
    pub(super) till: Till,
    pub(super) scribe: Scribe,
    /// `None` only while the counter is dead.
    pub(super) engine: Option<Engine>,
    pub(super) lane: CardLane,
    pub(super) listener: Listener,
    pub(super) driver: SteppedDriver,
    inbox: Inbox<AppEvent>,
    pub(super) effects: VecDeque<Effect>,
    pub(super) events: VecDeque<Event>,
    pub(super) unwritten: VecDeque<Unwritten>,
    pub(super) wake_at: Option<u64>,
}

/// What was called stored and is not.
pub(super) struct Unwritten {
    pub(super) commit: crate::store::Commit,
    pub(super) approved: Vec<AttemptId>,
    /// How many closes of the terminal's day are in it as asked for.
    pub(super) closes: usize,
}

pub(super) fn now(now_ms: u64) -> Now {
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
    pub(super) fn start(database: &Path, now_ms: u64) -> Self {
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

    pub(super) fn step(&mut self, now_ms: u64, event: Event) {
        let mut effects = Effects::new();
        self.till.step(now(now_ms), event, &mut effects);
        self.effects.extend(effects.drain());
    }

    pub(super) fn commit(&mut self, commit: crate::store::Commit) {
        let engine = self.engine.as_mut().unwrap();
        engine.commit(commit).unwrap();
    }

    pub(super) fn next_event(&mut self) -> Option<Event> {
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
