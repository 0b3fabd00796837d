//! The journal: events in three lanes, each a hash chain, each event stored once as canonical bytes.
//!
//! The journal is the outbox: head office's water marks say what has arrived (`stored_upto`) and what is in its
//! backup too (`safe_upto`); only the latter may be pruned (sync-and-reliability.md §2).

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use touchpoint::{Chain, Event, EventError, GENESIS, JournalId, Lane, chain_next};

use super::engine::{Engine, Head};
use super::error::StoreError;

/// Number of lanes of a journal.
pub(super) const LANES: usize = Lane::ALL.len();
/// Rows deleted in one transaction when pruning, so that a sale never waits long behind it.
const PRUNE_STEP: u64 = 500;

/// An event on its way into the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEvent {
    /// The lane it is recorded in.
    pub lane: Lane,
    /// Its canonical bytes; stored as they are.
    pub bytes: Vec<u8>,
}

impl JournalEvent {
    /// Encodes `event`; digits that look like a card number become `*` (rule: no card number in the journal).
    ///
    /// # Errors
    /// As [`Event::to_bytes_redacted`].
    pub fn of(event: &Event) -> Result<Self, EventError> {
        Ok(Self {
            lane: event.lane,
            bytes: event.to_bytes_redacted()?,
        })
    }
}

/// Where an event went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The lane.
    pub lane: Lane,
    /// Its number in that lane, from 1.
    pub seq: u64,
}

/// Why the open journal is the open one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalReason {
    /// The same file on the same machine: it goes on.
    Continued,
    /// The file is new.
    New,
    /// The file was copied from another place or machine.
    Copied,
    /// The file is a restored backup: receipts and counters may have run on after it was made.
    Restored,
    /// Head office found the old journal forked.
    Forked,
}

impl JournalReason {
    fn word(self) -> &'static str {
        match self {
            Self::Continued | Self::New => "new",
            Self::Copied => "copied",
            Self::Restored => "restored",
            Self::Forked => "forked",
        }
    }
}

/// An event whose place in the chain is known.
pub(super) struct Built {
    pub(super) position: Position,
    pub(super) chain: Chain,
    pub(super) bytes: Vec<u8>,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number in its lane.
    pub seq: u64,
    /// When it was written, Unix milliseconds of the kiosk's clock.
    pub written_ms: i64,
    /// The chain value after it.
    pub chain: Chain,
    /// Its canonical bytes.
    pub bytes: Vec<u8>,
}

/// A contiguous run of events of one lane, as a block needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The journal it belongs to.
    pub journal: JournalId,
    /// The lane.
    pub lane: Lane,
    /// The chain value before the first event.
    pub previous: Chain,
    /// The events, contiguous and in order; never empty.
    pub events: Vec<StoredEvent>,
}

/// Where a lane stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaneMarks {
    /// The journal.
    pub journal: JournalId,
    /// Whether new events go here.
    pub open: bool,
    /// The lane.
    pub lane: Lane,
    /// Number of the last event (0: none yet).
    pub last_seq: u64,
    /// Chain value after the last event.
    pub chain: Chain,
    /// Durable at head office up to here.
    pub stored_upto: u64,
    /// In head office's backup too, up to here.
    pub safe_upto: u64,
    /// Deleted here up to here.
    pub pruned_upto: u64,
}

pub(super) fn u64_of(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

pub(super) fn i64_of(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn bad_row(what: &'static str) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, what.into())
}

fn journal_of(row: &Row<'_>, column: usize) -> rusqlite::Result<JournalId> {
    JournalId::new(row.get::<_, String>(column)?).map_err(|_| bad_row("journal id"))
}

fn lane_of(row: &Row<'_>, column: usize) -> rusqlite::Result<Lane> {
    Lane::from_number(row.get(column)?).ok_or_else(|| bad_row("lane"))
}

/// Opens a journal with its three lanes.
pub(super) fn open_journal(
    transaction: &Transaction<'_>,
    id: &JournalId,
    now_ms: i64,
    reason: JournalReason,
) -> rusqlite::Result<()> {
    transaction.execute(
        "INSERT INTO journal (journal_no, journal_id, opened_ms, reason)
         VALUES ((SELECT coalesce(max(journal_no), 0) + 1 FROM journal), ?1, ?2, ?3)",
        params![id.as_str(), now_ms, reason.word()],
    )?;
    for lane in Lane::ALL {
        transaction.execute(
            "INSERT INTO lane (journal_no, lane, next_seq, chain, pruned_chain)
             VALUES ((SELECT max(journal_no) FROM journal), ?1, 1, ?2, ?2)",
            params![lane.number(), GENESIS],
        )?;
    }
    Ok(())
}

/// Loads the open journal's heads.
pub(super) fn load_heads(
    connection: &Connection,
    path: &Path,
) -> Result<(i64, JournalId, [Head; LANES]), StoreError> {
    let load = || -> rusqlite::Result<(i64, JournalId, [Head; LANES])> {
        let (journal_no, id) = connection.query_row(
            "SELECT journal_no, journal_id FROM journal ORDER BY journal_no DESC LIMIT 1",
            [],
            |row| Ok((row.get::<_, i64>(0)?, journal_of(row, 1)?)),
        )?;
        let mut heads = [Head {
            next_seq: 1,
            chain: GENESIS,
        }; LANES];
        for lane in Lane::ALL {
            heads[usize::from(lane.number())] = connection.query_row(
                "SELECT next_seq, chain FROM lane WHERE journal_no = ?1 AND lane = ?2",
                params![journal_no, lane.number()],
                |row| {
                    Ok(Head {
                        next_seq: u64_of(row.get(0)?),
                        chain: row.get(1)?,
                    })
                },
            )?;
        }
        Ok((journal_no, id, heads))
    };
    load().map_err(|error| match error {
        rusqlite::Error::SqliteFailure(..) => StoreError::from_sqlite(path, &error),
        other => StoreError::Damaged {
            path: path.to_path_buf(),
            what: format!("journal head: {other}"),
        },
    })
}

/// Writes events and the heads they lead to.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    journal_no: i64,
    built: &[Built],
    heads: &[Head; LANES],
    wall_ms: i64,
) -> rusqlite::Result<()> {
    let mut add = transaction.prepare_cached(
        "INSERT INTO event (journal_no, lane, seq, written_ms, chain, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut touched = [false; LANES];
    for event in built {
        let lane = event.position.lane.number();
        add.execute(params![
            journal_no,
            lane,
            i64_of(event.position.seq),
            wall_ms,
            event.chain,
            event.bytes
        ])?;
        touched[usize::from(lane)] = true;
    }
    let mut advance = transaction.prepare_cached(
        "UPDATE lane SET next_seq = ?3, chain = ?4 WHERE journal_no = ?1 AND lane = ?2",
    )?;
    for lane in Lane::ALL {
        let index = usize::from(lane.number());
        if touched[index] {
            let head = heads[index];
            advance.execute(params![
                journal_no,
                lane.number(),
                i64_of(head.next_seq),
                head.chain
            ])?;
        }
    }
    Ok(())
}

/// Hashes the newest events of every lane again and compares them with what was written beside them.
///
/// # Errors
/// [`StoreError::Damaged`] naming journal, lane and sequence number.
pub(super) fn verify(connection: &Connection, path: &Path, newest: u32) -> Result<(), StoreError> {
    let marks = marks(connection).map_err(|error| StoreError::from_sqlite(path, &error))?;
    for mark in marks {
        let damaged = |what: String| StoreError::Damaged {
            path: path.to_path_buf(),
            what: format!(
                "journal {} lane {}: {what}",
                mark.journal,
                mark.lane.number()
            ),
        };
        let first = (mark.last_seq + 1)
            .saturating_sub(u64::from(newest))
            .max(mark.pruned_upto + 1);
        if first > mark.last_seq {
            continue;
        }
        let read = read_from(
            connection,
            &mark.journal,
            mark.lane,
            first,
            usize::MAX,
            usize::MAX,
        );
        let (mut chain, events) = read.map_err(|error| StoreError::from_sqlite(path, &error))?;
        let mut expected = first;
        for event in &events {
            if event.seq != expected {
                return Err(damaged(format!("event {expected} is missing")));
            }
            chain = chain_next(chain, &event.bytes);
            if chain != event.chain {
                return Err(damaged(format!(
                    "event {expected} does not match its chain value"
                )));
            }
            expected += 1;
        }
        if expected != mark.last_seq + 1 || chain != mark.chain {
            return Err(damaged(format!(
                "the head says {} events, found {}",
                mark.last_seq,
                expected - 1
            )));
        }
    }
    Ok(())
}

/// Every lane of every journal, oldest journal first.
pub(super) fn marks(connection: &Connection) -> rusqlite::Result<Vec<LaneMarks>> {
    let mut statement = connection.prepare_cached(
        "SELECT j.journal_id, j.journal_no = (SELECT max(journal_no) FROM journal), l.lane, l.next_seq, l.chain,
                l.stored_upto, l.safe_upto, l.pruned_upto
         FROM lane l JOIN journal j USING (journal_no) ORDER BY l.journal_no, l.lane",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(LaneMarks {
            journal: journal_of(row, 0)?,
            open: row.get(1)?,
            lane: lane_of(row, 2)?,
            last_seq: u64_of(row.get(3)?).saturating_sub(1),
            chain: row.get(4)?,
            stored_upto: u64_of(row.get(5)?),
            safe_upto: u64_of(row.get(6)?),
            pruned_upto: u64_of(row.get(7)?),
        })
    })?;
    rows.collect()
}

/// Reads a run from `first` on: the chain value before it, and at most `limit` events or `max_bytes` of them
/// (at least one event when there is one).
fn read_from(
    connection: &Connection,
    journal: &JournalId,
    lane: Lane,
    first: u64,
    limit: usize,
    max_bytes: usize,
) -> rusqlite::Result<(Chain, Vec<StoredEvent>)> {
    let journal_no: i64 = connection.query_row(
        "SELECT journal_no FROM journal WHERE journal_id = ?1",
        [journal.as_str()],
        |row| row.get(0),
    )?;
    let before = connection
        .prepare_cached(
            "SELECT chain FROM event WHERE journal_no = ?1 AND lane = ?2 AND seq = ?3 - 1",
        )?
        .query_row(params![journal_no, lane.number(), i64_of(first)], |row| {
            row.get(0)
        })
        .optional()?;
    let previous: Chain = match before {
        Some(chain) => chain,
        None => connection.query_row(
            "SELECT pruned_chain FROM lane WHERE journal_no = ?1 AND lane = ?2",
            params![journal_no, lane.number()],
            |row| row.get(0),
        )?,
    };
    let mut statement = connection.prepare_cached(
        "SELECT seq, written_ms, chain, bytes FROM event
         WHERE journal_no = ?1 AND lane = ?2 AND seq >= ?3 ORDER BY seq",
    )?;
    let mut rows = statement.query(params![journal_no, lane.number(), i64_of(first)])?;
    let (mut events, mut bytes) = (Vec::new(), 0usize);
    while let Some(row) = rows.next()? {
        let event = StoredEvent {
            seq: u64_of(row.get(0)?),
            written_ms: row.get(1)?,
            chain: row.get(2)?,
            bytes: row.get(3)?,
        };
        bytes = bytes.saturating_add(event.bytes.len() + 1);
        if !events.is_empty() && (events.len() >= limit || bytes > max_bytes) {
            break;
        }
        events.push(event);
    }
    Ok((previous, events))
}

impl Engine {
    /// The next run head office does not have: money before touchpoints before diagnostics, old journals first.
    /// At most `limit` events and `max_bytes` of NDJSON, at least one event; `None` when all has arrived.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn unsent(&self, limit: usize, max_bytes: usize) -> Result<Option<Run>, StoreError> {
        let mut marks = self.lanes()?;
        marks.sort_by_key(|mark| mark.lane);
        let Some(mark) = marks
            .into_iter()
            .find(|mark| mark.stored_upto < mark.last_seq)
        else {
            return Ok(None);
        };
        self.events(
            &mark.journal,
            mark.lane,
            mark.stored_upto + 1,
            limit,
            max_bytes,
        )
    }

    /// Events of one lane from `first` on, with the chain value before them; `None` when there are none.
    ///
    /// # Errors
    /// When the journal is unknown or the rows cannot be read.
    pub fn events(
        &self,
        journal: &JournalId,
        lane: Lane,
        first: u64,
        limit: usize,
        max_bytes: usize,
    ) -> Result<Option<Run>, StoreError> {
        let first = first.max(1);
        let (previous, events) = read_from(
            &self.connection,
            journal,
            lane,
            first,
            limit.max(1),
            max_bytes,
        )
        .map_err(|error| self.sql(&error))?;
        if events.is_empty() {
            return Ok(None);
        }
        Ok(Some(Run {
            journal: journal.clone(),
            lane,
            previous,
            events,
        }))
    }

    /// Records head office's water marks and its signed receipt. Marks only move forward here; see
    /// [`Engine::rewind`] for the other direction.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when a mark is beyond what this kiosk has written.
    pub fn advance(
        &mut self,
        journal: &JournalId,
        lane: Lane,
        stored_upto: u64,
        safe_upto: u64,
        receipt: Option<(&[u8], i64)>,
    ) -> Result<(), StoreError> {
        let mark = self.mark(journal, lane)?;
        if stored_upto > mark.last_seq || safe_upto > stored_upto.max(mark.stored_upto) {
            return Err(StoreError::Refused(format!(
                "head office claims {stored_upto} stored and {safe_upto} safe of {} events",
                mark.last_seq
            )));
        }
        self.transact(|transaction| {
            transaction.execute(
                "UPDATE lane SET stored_upto = max(stored_upto, ?3), safe_upto = max(safe_upto, ?4)
                 WHERE journal_no = (SELECT journal_no FROM journal WHERE journal_id = ?1) AND lane = ?2",
                params![journal.as_str(), lane.number(), i64_of(stored_upto), i64_of(safe_upto)],
            )?;
            if let Some((body, received_ms)) = receipt {
                transaction.execute(
                    "INSERT INTO block_receipt (journal_no, lane, stored_upto, received_ms, body)
                     VALUES ((SELECT journal_no FROM journal WHERE journal_id = ?1), ?2, ?3, ?4, ?5)
                     ON CONFLICT (journal_no, lane) DO UPDATE SET stored_upto = excluded.stored_upto,
                         received_ms = excluded.received_ms, body = excluded.body",
                    params![journal.as_str(), lane.number(), i64_of(stored_upto), received_ms, body],
                )?;
            }
            Ok(())
        })
    }

    /// Head office lost data and asks to be refilled from `next_seq`. Returns the first number that can still be
    /// sent: larger than asked when older events were pruned.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the journal is unknown or `next_seq` lies ahead of it.
    pub fn rewind(
        &mut self,
        journal: &JournalId,
        lane: Lane,
        next_seq: u64,
    ) -> Result<u64, StoreError> {
        let mark = self.mark(journal, lane)?;
        if next_seq == 0 || next_seq > mark.last_seq + 1 {
            return Err(StoreError::Refused(format!(
                "rewind to {next_seq} of {} events",
                mark.last_seq
            )));
        }
        let upto = (next_seq - 1).max(mark.pruned_upto);
        self.transact(|transaction| {
            transaction.execute(
                "UPDATE lane SET stored_upto = min(stored_upto, ?3), safe_upto = min(safe_upto, ?3)
                 WHERE journal_no = (SELECT journal_no FROM journal WHERE journal_id = ?1) AND lane = ?2",
                params![journal.as_str(), lane.number(), i64_of(upto)],
            )
        })?;
        Ok(upto.min(mark.stored_upto) + 1)
    }

    /// Deletes events up to `upto` that are older than `written_before_ms`, never beyond `safe_upto`, in small
    /// steps; returns how many went. The caller passes the end of the last sealed and verified day as `upto`.
    ///
    /// # Errors
    /// When the rows cannot be deleted; the steps already made stay made.
    pub fn prune(
        &mut self,
        journal: &JournalId,
        lane: Lane,
        upto: u64,
        written_before_ms: i64,
    ) -> Result<u64, StoreError> {
        let mark = self.mark(journal, lane)?;
        let end = upto.min(mark.safe_upto);
        let mut done = mark.pruned_upto;
        while done < end {
            let step = (done + PRUNE_STEP).min(end);
            let last = self.prune_step(journal, lane, done, step, written_before_ms)?;
            if last == done {
                break;
            }
            done = last;
        }
        Ok(done - mark.pruned_upto)
    }

    fn prune_step(
        &mut self,
        journal: &JournalId,
        lane: Lane,
        done: u64,
        step: u64,
        written_before_ms: i64,
    ) -> Result<u64, StoreError> {
        let (_, events) = read_from(
            &self.connection,
            journal,
            lane,
            done + 1,
            usize::try_from(step - done).unwrap_or(1),
            usize::MAX,
        )
        .map_err(|error| self.sql(&error))?;
        let old = events
            .iter()
            .take_while(|event| event.seq <= step && event.written_ms < written_before_ms);
        let Some(last) = old.last() else {
            return Ok(done);
        };
        self.transact(|transaction| {
            transaction.execute(
                "UPDATE lane SET pruned_upto = ?3, pruned_chain = ?4
                 WHERE journal_no = (SELECT journal_no FROM journal WHERE journal_id = ?1) AND lane = ?2",
                params![journal.as_str(), lane.number(), i64_of(last.seq), last.chain],
            )?;
            transaction.execute(
                "DELETE FROM event
                 WHERE journal_no = (SELECT journal_no FROM journal WHERE journal_id = ?1) AND lane = ?2
                   AND seq <= ?3",
                params![journal.as_str(), lane.number(), i64_of(last.seq)],
            )
        })?;
        Ok(last.seq)
    }

    fn mark(&self, journal: &JournalId, lane: Lane) -> Result<LaneMarks, StoreError> {
        let found = self
            .lanes()?
            .into_iter()
            .find(|mark| mark.journal == *journal && mark.lane == lane);
        found.ok_or_else(|| {
            StoreError::Refused(format!("journal {journal} is not in this database"))
        })
    }

    /// Runs `work` in one transaction.
    pub(super) fn transact<T>(
        &mut self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.reopen_if_failed()?;
        let path = self.config.path.clone();
        let attempt = || -> rusqlite::Result<T> {
            let transaction = self.connection.transaction()?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        };
        let result = attempt().map_err(|error| StoreError::from_sqlite(&path, &error));
        match &result {
            Ok(_) => self.after_write(),
            Err(error) => self.note_failure(error),
        }
        result
    }
}
