//! Reading blocks into tables.
//!
//! Blocks are read in the order they were stored, a few in one transaction together with the cursor, so a stop at
//! any moment repeats nothing and skips nothing. Everything here can be thrown away and made again with the same
//! result ([`Store::rebuild`]). What cannot be read is noted in `quarantine` and never stops the queue.

mod facts;

use crate::store::{Store, StoreError};
use chrono::{DateTime, NaiveDate};
use chrono_tz::Tz;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write;
use touchpoint::{Block, BlockHeader, Event, EventError, hex};

/// Counts up when reading rules change; a database read by other rules is read again from its blocks.
const RULES: i64 = 2;
/// Blocks in one transaction: few, so that accepting never waits long for the writer.
const BATCH_BLOCKS: i64 = 2;

/// Every table made from blocks, in the order they are cleared and compared.
const TABLES: [&str; 15] = [
    "sale",
    "sale_line",
    "sale_tender",
    "sale_tax",
    "refund",
    "attempt",
    "by_staff",
    "tap",
    "reason",
    "visit",
    "device_state",
    "device_day",
    "lane_reach",
    "event_tally",
    "quarantine",
];

/// Where an event stands, as the projections need it.
pub(crate) struct Place<'a> {
    pub device: &'a str,
    pub journal: &'a str,
    pub lane: u8,
    pub seq: i64,
    pub received_ms: i64,
    pub time_zone: Tz,
}

impl Place<'_> {
    /// The date of a wall-clock reading in the business time zone, `YYYY-MM-DD`.
    pub fn local_date(&self, wall_ms: i64) -> String {
        local_date(wall_ms, self.time_zone)
    }
}

/// The date of `at_ms` in `time_zone`, `YYYY-MM-DD`. Readings outside the calendar count as 1970-01-01.
#[must_use]
pub fn local_date(at_ms: i64, time_zone: Tz) -> String {
    day_of(at_ms, time_zone).format("%Y-%m-%d").to_string()
}

pub(crate) fn day_of(at_ms: i64, time_zone: Tz) -> NaiveDate {
    DateTime::from_timestamp_millis(at_ms)
        .unwrap_or_default()
        .with_timezone(&time_zone)
        .date_naive()
}

impl Store {
    /// Reads the next few blocks. Returns how many were read; 0 when nothing is left.
    ///
    /// Blocks are unpacked and parsed without the writer; accepting only ever waits for the rows of a batch.
    ///
    /// # Errors
    /// [`StoreError`]; nothing of the batch was kept and the next call starts at the same block.
    pub fn project_some(&self) -> Result<usize, StoreError> {
        let _one_reader_at_a_time = self.projecting();
        let begun = self.read(cursor)?;
        let Some((RULES, from)) = begun else {
            return self.begin();
        };
        let blocks = self.read(|db| next_blocks(db, from, BATCH_BLOCKS))?;
        let Some(last) = blocks.last() else {
            return Ok(0);
        };
        let upto = last.id;
        let read: Vec<ReadBlock> = blocks.iter().map(parse).collect::<Result<_, _>>()?;
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // Another process (`headoffice rebuild`) may have moved it meanwhile.
        if cursor(&transaction)? == begun {
            for block in &read {
                apply_block(&transaction, block, self.time_zone)?;
            }
            set_cursor(&transaction, upto)?;
            transaction.commit()?;
        }
        Ok(blocks.len())
    }

    /// Starts from an empty table: a new database, or one read by other rules. Always reports work left.
    fn begin(&self) -> Result<usize, StoreError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let from = clear(&transaction)?;
        set_cursor(&transaction, from)?;
        transaction.commit()?;
        Ok(1)
    }

    /// Reads blocks until none is left or `enough` says stop.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn project_until(&self, mut enough: impl FnMut() -> bool) -> Result<(), StoreError> {
        while self.project_some()? > 0 && !enough() {}
        Ok(())
    }

    /// Throws all projections away and makes them again, in one transaction: readers see the old or the new.
    ///
    /// # Errors
    /// [`StoreError`]; the old projections stay.
    pub fn rebuild(&self) -> Result<(), StoreError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut cursor = clear(&transaction)?;
        loop {
            let blocks = next_blocks(&transaction, cursor, 256)?;
            let Some(last) = blocks.last() else { break };
            for stored in &blocks {
                apply_block(&transaction, &parse(stored)?, self.time_zone)?;
            }
            cursor = last.id;
        }
        set_cursor(&transaction, cursor)?;
        Ok(transaction.commit()?)
    }

    /// SHA-256 over every row of every projection, in key order: equal digests mean bit-identical tables.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn projection_digest(&self) -> Result<String, StoreError> {
        self.read(|connection| {
            let mut hasher = Sha256::new();
            for table in TABLES {
                hasher.update(table);
                digest_table(connection, table, &mut hasher)?;
            }
            Ok(hex::encode(&hasher.finalize()))
        })
    }
}

fn digest_table(
    connection: &Connection,
    table: &str,
    hasher: &mut Sha256,
) -> Result<(), StoreError> {
    // WITHOUT ROWID tables are stored, and so scanned, in primary key order; ORDER BY makes it a promise.
    let mut statement = connection.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2, 3"))?;
    let columns = statement.column_count();
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut line = String::new();
        for column in 0..columns {
            write!(line, "{:?}\u{1f}", row.get_ref(column)?).unwrap_or_default();
        }
        hasher.update(line);
    }
    Ok(())
}

fn cursor(connection: &Connection) -> Result<Option<(i64, i64)>, StoreError> {
    Ok(connection
        .query_row("SELECT rules, cursor FROM projection", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?)
}

fn set_cursor(connection: &Connection, cursor: i64) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO projection (id, rules, cursor) VALUES (1, ?1, ?2)
         ON CONFLICT (id) DO UPDATE SET rules = excluded.rules, cursor = excluded.cursor",
        params![RULES, cursor],
    )?;
    Ok(())
}

fn clear(connection: &Connection) -> Result<i64, StoreError> {
    for table in TABLES {
        connection.execute(&format!("DELETE FROM {table}"), [])?;
    }
    Ok(0)
}

struct StoredBlock {
    id: i64,
    received_ms: i64,
    bytes: Vec<u8>,
}

fn next_blocks(
    connection: &Connection,
    cursor: i64,
    limit: i64,
) -> Result<Vec<StoredBlock>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, received_ms, bytes FROM block WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = statement.query_map([cursor, limit], |row| {
        Ok(StoredBlock {
            id: row.get(0)?,
            received_ms: row.get(1)?,
            bytes: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A block whose events have been read, or not.
struct ReadBlock {
    header: BlockHeader,
    received_ms: i64,
    events: Vec<Result<Event, EventError>>,
}

fn parse(stored: &StoredBlock) -> Result<ReadBlock, StoreError> {
    let block = Block::reopen(&stored.bytes).map_err(|error| StoreError::DamagedBlock {
        id: stored.id,
        what: error.to_string(),
    })?;
    Ok(ReadBlock {
        events: block
            .events
            .iter()
            .map(|bytes| Event::from_bytes(bytes))
            .collect(),
        header: block.header,
        received_ms: stored.received_ms,
    })
}

fn apply_block(
    transaction: &Transaction<'_>,
    block: &ReadBlock,
    time_zone: Tz,
) -> Result<(), StoreError> {
    let header = &block.header;
    let mut place = Place {
        device: header.device.as_str(),
        journal: header.journal.as_str(),
        lane: header.lane.number(),
        seq: header.first_seq as i64,
        received_ms: block.received_ms,
        time_zone,
    };
    let mut kinds: BTreeMap<&str, i64> = BTreeMap::new();
    for event in &block.events {
        match event {
            Ok(event) => {
                *kinds.entry(&event.kind).or_default() += 1;
                apply_event(transaction, &place, event)?;
            }
            Err(error) => quarantine(transaction, &place, "", &error.to_string())?,
        }
        place.seq += 1;
    }
    for (kind, events) in kinds {
        tally(transaction, &place, kind, events)?;
    }
    match block
        .events
        .iter()
        .rev()
        .find_map(|event| event.as_ref().ok())
    {
        Some(last) => reach(transaction, &place, last.at.wall_ms),
        None => Ok(()),
    }
}

fn apply_event(
    connection: &Connection,
    place: &Place<'_>,
    event: &Event,
) -> Result<(), StoreError> {
    if event.lane.number() != place.lane {
        return quarantine(connection, place, &event.kind, "recorded for another lane");
    }
    match facts::apply(connection, place, event)? {
        Ok(()) => Ok(()),
        Err(reason) => quarantine(connection, place, &event.kind, &reason),
    }
}

fn tally(
    connection: &Connection,
    place: &Place<'_>,
    kind: &str,
    events: i64,
) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO event_tally (device, lane, kind, events) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (device, lane, kind) DO UPDATE SET events = events + excluded.events",
        )?
        .execute(params![place.device, place.lane, kind, events])?;
    Ok(())
}

/// How far the lane has come: the date of its last readable event.
fn reach(connection: &Connection, place: &Place<'_>, wall_ms: i64) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO lane_reach (device, journal, lane, local_date, received_ms) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (device, journal, lane) DO UPDATE SET
                 local_date = excluded.local_date, received_ms = excluded.received_ms",
        )?
        .execute(params![
            place.device,
            place.journal,
            place.lane,
            place.local_date(wall_ms),
            place.received_ms
        ])?;
    Ok(())
}

fn quarantine(
    connection: &Connection,
    place: &Place<'_>,
    kind: &str,
    reason: &str,
) -> Result<(), StoreError> {
    let reason: String = reason.chars().take(300).collect();
    connection
        .prepare_cached(
            "INSERT INTO quarantine (device, journal, lane, seq, kind, reason) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO NOTHING",
        )?
        .execute(params![place.device, place.journal, place.lane, place.seq, kind, reason])?;
    Ok(())
}
