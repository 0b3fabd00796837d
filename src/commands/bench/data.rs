//! What the store does for the counter: finding among 100,000 items, and making a sale durable.

use super::catalogue::{Sequence, entries};
use super::report::Progress;
use super::samples::Samples;
use super::shop::{Shop, close};
use crate::assemble::till_config;
use crate::catalogue::fold::fold;
use crate::clock::{Clock, wall_ms};
use crate::journal::Scribe;
use crate::store::{Closing, Commit, Moment, SaleRecord, Store};
use anyhow::{Context, Result, bail};
use checkout::till::{
    Effect, Effects, Event, Fact, PrinterSaid, Sale, Screen, StaffEvent, StaffId, TenderKind, Till,
    TillState, What,
};
use checkout::{Item, Now};
use rusqlite::{Connection, params};
use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

/// Answers asked for, as the product grid asks.
const ANSWERS: usize = 60;
/// Lines of the sale that is stored.
const SALE_LINES: usize = 8;
/// Sales of the day that is closed.
pub(super) const DAY_SALES: u64 = 5_000;

/// Times of searching.
#[derive(Clone, Debug, Default)]
pub(super) struct Searches {
    /// Through the store, as the screen asks.
    pub(super) ours: Samples,
    /// How many of them found something.
    pub(super) found: usize,
    /// `LIKE '%…%'` over the same names.
    pub(super) like: Samples,
    /// How many of those found something.
    pub(super) like_found: usize,
}

/// Words as a shopper types them, without accents: each letter is a question.
fn typed(count: usize, names: &[String]) -> Vec<String> {
    let mut sequence = Sequence::new(2026);
    let mut questions = Vec::new();
    while questions.len() < count {
        let name = fold(&names[sequence.below(names.len())]);
        let words = 1 + sequence.below(3);
        let text = name.split(' ').take(words).collect::<Vec<_>>().join(" ");
        let letters = text
            .char_indices()
            .skip(1)
            .map(|(at, _)| text[..at].to_owned());
        questions.extend(letters);
    }
    questions.truncate(count);
    questions
}

/// Times `count` questions.
///
/// # Errors
/// When the catalogue cannot be read.
pub(super) fn search(shop: &Shop, count: usize, progress: &Progress) -> Result<Searches> {
    progress.say("search");
    let class = shop.config.tax.classes.first().context("a tax class")?.id;
    let names: Vec<String> = entries(class)
        .into_iter()
        .map(|entry| entry.item.name)
        .collect();
    let questions = typed(count, &names);
    let mut searches = Searches::default();
    let opened = shop.store()?;
    let answered: Result<()> = questions.iter().try_for_each(|question| {
        let (sender, answer) = sync_channel(1);
        let since = Instant::now();
        opened
            .store
            .search(question.clone(), ANSWERS, move |found| {
                // The receiver waits for exactly this.
                let _ = sender.send(found);
            });
        let found = answer.recv()??;
        searches.ours.push(since.elapsed());
        searches.found += usize::from(!found.is_empty());
        Ok(())
    });
    close(opened);
    answered?;
    like(&names, &questions, &mut searches)?;
    Ok(searches)
}

/// The rival: what a till without an index does.
fn like(names: &[String], questions: &[String], searches: &mut Searches) -> Result<()> {
    let mut connection = Connection::open_in_memory()?;
    connection.execute_batch("CREATE TABLE item (name TEXT NOT NULL)")?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare("INSERT INTO item VALUES (?1)")?;
        for name in names {
            insert.execute([name])?;
        }
    }
    transaction.commit()?;
    let mut select = connection.prepare("SELECT name FROM item WHERE name LIKE ?1 LIMIT ?2")?;
    for question in questions {
        let since = Instant::now();
        let pattern = format!("%{question}%");
        let rows = select.query_map(params![pattern, ANSWERS as i64], |row| {
            row.get::<_, String>(0)
        })?;
        let found = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        searches.like.push(since.elapsed());
        searches.like_found += usize::from(!found.is_empty());
    }
    Ok(())
}

/// Times of making a sale durable.
#[derive(Clone, Debug, Default)]
pub(super) struct Sales {
    /// Through the store, until its answer.
    pub(super) ours: Samples,
    /// The same rows in SQLite as it comes: rollback journal, `synchronous=FULL`.
    pub(super) plain: Samples,
    /// The same rows with the write-ahead log and `synchronous=NORMAL`: not durable, lost when the power goes.
    pub(super) normal: Samples,
    /// Only the disk: as many bytes appended to a file and `fdatasync`.
    pub(super) disk: Samples,
    /// Bytes of the events, state and sale of one sale.
    pub(super) bytes: usize,
    /// Closing a day of [`DAY_SALES`] sales: from the order to the Z report on disk.
    pub(super) day_close: Samples,
}

/// Times `count` sales.
///
/// # Errors
/// When the till or the store does not take them.
pub(super) fn sales(
    shop: &Shop,
    count: usize,
    scratch: &Path,
    progress: &Progress,
) -> Result<Sales> {
    progress.say("sales");
    let class = shop.config.tax.classes.first().context("a tax class")?.id;
    let items: Vec<Item> = entries(class).into_iter().map(|entry| entry.item).collect();
    let mut sales = Sales::default();
    let mut kept = Vec::new();
    let opened = shop.store()?;
    let journal = opened.boot.journal_id.as_str().to_owned();
    let mut counter = Counter::new(shop, &journal, opened.store.clone());
    let mut sequence = Sequence::new(1);
    let sold: Result<()> = (0..count).try_for_each(|_| {
        let basket: Vec<Item> = (0..SALE_LINES)
            .map(|_| items[sequence.below(items.len())].clone())
            .collect();
        let (took, rows) = counter.sell(basket)?;
        sales.ours.push(took);
        kept.push(rows);
        Ok(())
    });
    let closed = sold.and_then(|()| {
        progress.say("a day of 5,000 sales");
        day_close(&mut counter, &mut sales.day_close)
    });
    drop(counter);
    close(opened);
    closed?;
    sales.bytes = kept.iter().map(Rows::bytes).sum::<usize>() / kept.len().max(1);
    rivals(&kept, scratch, &mut sales)?;
    Ok(sales)
}

/// A till whose effects but storing are answered at once, as good devices would.
struct Counter {
    till: Till,
    scribe: Scribe,
    store: Store,
    clock: Clock,
    /// Time the till was told has passed beside the real one.
    ahead_ms: u64,
    stored: Option<(Duration, Rows)>,
    /// The newest commit with a sale.
    last: Option<Commit>,
}

/// What one sale writes, as the rivals write it too.
struct Rows {
    events: Vec<Vec<u8>>,
    state: String,
    sale: String,
    lines: Vec<(String, String, i64, i64)>,
}

impl Rows {
    fn of(commit: &Commit) -> Option<Self> {
        let sale = commit.sale.as_ref()?;
        let lines = sale.lines.iter();
        Some(Self {
            events: commit
                .events
                .iter()
                .map(|event| event.bytes.clone())
                .collect(),
            state: commit.state_json.clone().unwrap_or_default(),
            sale: sale.body.clone(),
            lines: lines
                .map(|line| {
                    let (code, name) = (line.item_code.clone(), line.name.clone());
                    (code, name, line.quantity_milli, line.net_minor)
                })
                .collect(),
        })
    }

    fn bytes(&self) -> usize {
        let events: usize = self.events.iter().map(Vec::len).sum();
        events + self.state.len() + self.sale.len()
    }
}

impl Counter {
    fn new(shop: &Shop, journal: &str, store: Store) -> Self {
        let clock = Clock::new(shop.config.zone);
        let till = Till::new(till_config(&shop.config, journal), None, 1, clock.now());
        let currency = shop.config.currency.code().to_owned();
        Self {
            till,
            scribe: Scribe::new("bench".into(), currency, None),
            store,
            clock,
            ahead_ms: 0,
            stored: None,
            last: None,
        }
    }

    fn now(&self) -> Now {
        let now = self.clock.now();
        Now {
            mono_ms: now.mono_ms + self.ahead_ms,
            ..now
        }
    }

    /// One sale, paid in cash; how long its commit took, and what it wrote.
    fn sell(&mut self, basket: Vec<Item>) -> Result<(Duration, Rows)> {
        self.step(Event::Start)?;
        for item in basket {
            self.step(Event::Chosen(Box::new(item)))?;
        }
        self.step(Event::Pay)?;
        self.step(Event::ChooseTender(TenderKind::Cash))?;
        let staff = StaffId("NV01".into());
        self.step(Event::Staff(StaffEvent::SignedIn { staff }))?;
        let received_minor = 100_000_000;
        self.step(Event::Staff(StaffEvent::CashTaken { received_minor }))?;
        let stored = self.stored.take().context("the till completed no sale")?;
        self.step(Event::Staff(StaffEvent::SignedOut))?;
        self.leave()?;
        Ok(stored)
    }

    /// Goes on until the next shopper can come.
    fn leave(&mut self) -> Result<()> {
        for _ in 0..20 {
            if matches!(self.till.view(self.now()).screen, Screen::Attract { .. }) {
                return Ok(());
            }
            self.step(Event::Skip)?;
            self.ahead_ms += 5_000;
            self.step(Event::Tick)?;
        }
        bail!("the till does not come back to its first screen")
    }

    fn step(&mut self, event: Event) -> Result<()> {
        let mut events = vec![event];
        while let Some(event) = events.pop() {
            let mut effects = Effects::new();
            let now = self.now();
            self.till.step(now, event, &mut effects);
            for effect in effects.drain().collect::<Vec<_>>() {
                match effect {
                    Effect::Store {
                        ticket,
                        facts,
                        state,
                    } => {
                        self.write(now, &facts, &state)?;
                        events.push(Event::Stored(ticket));
                    }
                    Effect::Print { job, .. } => {
                        let said = PrinterSaid::Printed;
                        events.push(Event::Printer { job, said });
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// As the kiosk's own loop writes it.
    fn write(&mut self, now: Now, facts: &[Fact], state: &TillState) -> Result<()> {
        if let Some(visit) = &state.visit {
            self.scribe.note_basket(&visit.basket, now.local().date);
        }
        let sale = facts.iter().find_map(|fact| match &fact.what {
            What::SaleCompleted(sale) => Some(SaleRecord::of(sale)),
            _ => None,
        });
        let commit = Commit {
            wall_ms: wall_ms(),
            events: self.scribe.events(facts)?,
            state_json: Some(serde_json::to_string(state)?),
            sale: sale.transpose()?.map(Box::new),
            card: Vec::new(),
        };
        let rows = Rows::of(&commit);
        if commit.sale.is_some() {
            self.last = Some(commit.clone());
        }
        let (sender, answer) = sync_channel(1);
        let since = Instant::now();
        self.store.commit(commit, move |result| {
            // The receiver waits for exactly this.
            let _ = sender.send(result);
        });
        answer.recv()??;
        if let Some(rows) = rows {
            self.stored = Some((since.elapsed(), rows));
        }
        Ok(())
    }
}

/// Sells until the day has [`DAY_SALES`] sales, each with its events and rows, and closes it.
fn day_close(counter: &mut Counter, samples: &mut Samples) -> Result<()> {
    let last = counter.last.take().context("no sale was stored")?;
    let record = last.sale.as_deref().context("no sale was stored")?;
    let sale: Sale = serde_json::from_str(&record.body)?;
    for receipt_number in record.receipt_number + 1..=DAY_SALES {
        let next = Sale {
            receipt_number,
            ..sale.clone()
        };
        let commit = Commit {
            state_json: None,
            sale: Some(Box::new(SaleRecord::of(&next)?)),
            ..last.clone()
        };
        counter.store.call(move |engine| engine.commit(commit))?;
    }
    let now = counter.now();
    let at = Moment {
        wall_ms: now.wall_ms,
        utc_offset_min: now.utc_offset_min,
        business_date: now.business_date(0),
        float_minor: 0,
        terminal: crate::receipt::report::TerminalPart::None,
    };
    let since = Instant::now();
    let closing = counter.store.call(move |engine| engine.close_day(&at))?;
    samples.push(since.elapsed());
    let Closing::Closed(report) = closing else {
        bail!("a visit is open, the day was not closed");
    };
    let sold = report
        .currencies
        .iter()
        .map(|totals| totals.sales)
        .sum::<u32>();
    if u64::from(sold) < DAY_SALES {
        bail!("the report holds {sold} sales, not {DAY_SALES}");
    }
    Ok(())
}

/// The same rows written by others, in the same directory.
fn rivals(kept: &[Rows], scratch: &Path, sales: &mut Sales) -> Result<()> {
    let plain = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;";
    let normal = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;";
    for (name, settings, samples) in [
        ("plain.db", plain, &mut sales.plain),
        ("normal.db", normal, &mut sales.normal),
    ] {
        let mut connection = Connection::open(scratch.join(name))?;
        connection.execute_batch(settings)?;
        connection.execute_batch(
            "CREATE TABLE event (seq INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
             CREATE TABLE state (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
             CREATE TABLE sale (id INTEGER PRIMARY KEY, body TEXT NOT NULL);
             CREATE TABLE line (sale INTEGER NOT NULL, code TEXT NOT NULL, name TEXT NOT NULL,
                                quantity INTEGER NOT NULL, net INTEGER NOT NULL);
             CREATE INDEX line_sale ON line (sale);",
        )?;
        for rows in kept {
            let since = Instant::now();
            insert(&mut connection, rows)?;
            samples.push(since.elapsed());
        }
    }
    let mut file = std::fs::File::create(scratch.join("plain.log"))?;
    let bytes = vec![0x5a; sales.bytes];
    for _ in kept {
        let since = Instant::now();
        std::io::Write::write_all(&mut file, &bytes)?;
        file.sync_data()?;
        sales.disk.push(since.elapsed());
    }
    Ok(())
}

fn insert(connection: &mut Connection, rows: &Rows) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for event in &rows.events {
        transaction
            .prepare_cached("INSERT INTO event (bytes) VALUES (?1)")?
            .execute([event])?;
    }
    transaction
        .prepare_cached("INSERT OR REPLACE INTO state VALUES (1, ?1)")?
        .execute([&rows.state])?;
    transaction
        .prepare_cached("INSERT INTO sale (body) VALUES (?1)")?
        .execute([&rows.sale])?;
    let sale = transaction.last_insert_rowid();
    for (code, name, quantity, net) in &rows.lines {
        transaction
            .prepare_cached("INSERT INTO line VALUES (?1, ?2, ?3, ?4, ?5)")?
            .execute(params![sale, code, name, quantity, net])?;
    }
    transaction.commit()
}
