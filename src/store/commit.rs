//! One transaction of the till.

use rusqlite::{Transaction, params};

use super::card_money::{self, CardRecord};
use super::engine::{Engine, Head};
use super::error::StoreError;
use super::health::StorageHealth;
use super::journal::{self, Built, JournalEvent, LANES, Position};
use super::sales::{self, SaleRecord};

/// One transaction of the till: what happened, the state it led to, and the sale if one was completed.
#[derive(Clone, Default)]
pub struct Commit {
    /// Unix milliseconds UTC, untrusted, as the till saw it.
    pub wall_ms: i64,
    /// Journal events in order.
    pub events: Vec<JournalEvent>,
    /// The till's state after these events as JSON; `None` leaves the stored state as it is.
    pub state_json: Option<String>,
    /// The completed sale.
    pub sale: Option<Box<SaleRecord>>,
    /// Money that moved by card, and closes of the terminal's day, in order.
    pub card: Vec<CardRecord>,
}

/// What a commit made durable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Committed {
    /// Positions of the events, in the order they were given.
    pub positions: Vec<Position>,
}

/// What is written beside the events.
struct Rows<'a> {
    state: Option<&'a str>,
    sale: Option<&'a SaleRecord>,
    card: &'a [CardRecord],
}

impl Engine {
    /// Makes facts, state and sale durable in one transaction with `synchronous=FULL`.
    ///
    /// # Errors
    /// Nothing was written when an error comes back. After [`StoreError::Io`] the file is opened and verified again
    /// before anything else is accepted. On a full disk the ballast is given up and the write tried once more.
    pub fn commit(&mut self, commit: Commit) -> Result<Committed, StoreError> {
        self.reopen_if_failed()?;
        let (built, heads) = self.build(commit.events);
        let state = commit.state_json.as_deref();
        let sale = commit.sale.as_deref();
        let rows = Rows {
            state,
            sale,
            card: &commit.card,
        };
        let mut written = self.write(&built, &heads, commit.wall_ms, &rows);
        if matches!(written, Err(StoreError::Full(_))) && self.ballast.release() {
            self.notices.push(StorageHealth::BallastReleased);
            written = self.write(&built, &heads, commit.wall_ms, &rows);
        }
        if let Err(error) = written {
            self.note_failure(&error);
            return Err(error);
        }
        self.heads = heads;
        if let Some(sale) = sale {
            sales::count_sold(&mut self.sold, sale);
            self.fold_due = true;
        }
        self.after_write();
        Ok(Committed {
            positions: built.into_iter().map(|event| event.position).collect(),
        })
    }

    fn build(&self, events: Vec<JournalEvent>) -> (Vec<Built>, [Head; LANES]) {
        let mut heads = self.heads;
        let mut built = Vec::with_capacity(events.len());
        for event in events {
            let head = &mut heads[usize::from(event.lane.number())];
            let position = Position {
                lane: event.lane,
                seq: head.next_seq,
            };
            let chain = touchpoint::chain_next(head.chain, &event.bytes);
            *head = Head {
                next_seq: head.next_seq + 1,
                chain,
            };
            built.push(Built {
                position,
                chain,
                bytes: event.bytes,
            });
        }
        (built, heads)
    }

    fn write(
        &mut self,
        built: &[Built],
        heads: &[Head; LANES],
        wall_ms: i64,
        rows: &Rows<'_>,
    ) -> Result<(), StoreError> {
        let journal_no = self.journal_no;
        let path = self.config.path.clone();
        let mut attempt = || -> rusqlite::Result<()> {
            let transaction = self.connection.transaction()?;
            journal::insert(&transaction, journal_no, built, heads, wall_ms)?;
            if let Some(state) = rows.state {
                write_state(&transaction, wall_ms, state)?;
            }
            card_money::insert(&transaction, journal_no, wall_ms, rows.card)?;
            if let Some(sale) = rows.sale {
                sales::insert(&transaction, journal_no, sale)?;
            }
            transaction.commit()
        };
        attempt().map_err(|error| StoreError::from_sqlite(&path, &error))
    }
}

fn write_state(transaction: &Transaction<'_>, wall_ms: i64, state: &str) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO till_state (id, written_ms, body) VALUES (1, ?1, ?2)
             ON CONFLICT (id) DO UPDATE SET written_ms = excluded.written_ms, body = excluded.body",
        )?
        .execute(params![wall_ms, state])
        .map(|_| ())
}
