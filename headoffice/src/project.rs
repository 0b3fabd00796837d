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
use std::fmt::Write;
use touchpoint::{Block, Event, hex};

/// Counts up when reading rules change; a database read by other rules is read again from its blocks.
const RULES: i64 = 1;
/// Blocks in one transaction: few, so that accepting never waits long for the writer.
const BATCH_BLOCKS: i64 = 4;

/// Every table made from blocks, in the order they are cleared and compared.
const TABLES: [&str; 14] = [
    "sale",
    "sale_line",
    "sale_tender",
    "sale_tax",
    "refund",
    "attempt",
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
    /// # Errors
    /// [`StoreError`]; nothing of the batch was kept and the next call starts at the same block.
    pub fn project_some(&self) -> Result<usize, StoreError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut cursor = match cursor(&transaction)? {
            Some((RULES, cursor)) => cursor,
            _ => clear(&transaction)?,
        };
        let blocks = next_blocks(&transaction, cursor, BATCH_BLOCKS)?;
        for stored in &blocks {
            read_block(&transaction, stored, self.time_zone)?;
            cursor = stored.id;
        }
        set_cursor(&transaction, cursor)?;
        transaction.commit()?;
        Ok(blocks.len())
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
                read_block(&transaction, stored, self.time_zone)?;
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

fn read_block(
    transaction: &Transaction<'_>,
    stored: &StoredBlock,
    time_zone: Tz,
) -> Result<(), StoreError> {
    let block = Block::reopen(&stored.bytes).map_err(|error| StoreError::DamagedBlock {
        id: stored.id,
        what: error.to_string(),
    })?;
    let header = &block.header;
    for (index, bytes) in block.events.iter().enumerate() {
        let place = Place {
            device: header.device.as_str(),
            journal: header.journal.as_str(),
            lane: header.lane.number(),
            seq: header.first_seq as i64 + index as i64,
            received_ms: stored.received_ms,
            time_zone,
        };
        read_event(transaction, &place, bytes)?;
    }
    Ok(())
}

fn read_event(connection: &Connection, place: &Place<'_>, bytes: &[u8]) -> Result<(), StoreError> {
    let event = match Event::from_bytes(bytes) {
        Ok(event) => event,
        Err(error) => return quarantine(connection, place, "", &error.to_string()),
    };
    tally(connection, place, &event.kind)?;
    if event.lane.number() != place.lane {
        return quarantine(connection, place, &event.kind, "recorded for another lane");
    }
    match facts::apply(connection, place, &event)? {
        Ok(()) => Ok(()),
        Err(reason) => quarantine(connection, place, &event.kind, &reason),
    }
}

fn tally(connection: &Connection, place: &Place<'_>, kind: &str) -> Result<(), StoreError> {
    connection
        .prepare_cached(
            "INSERT INTO event_tally (device, lane, kind, events) VALUES (?1, ?2, ?3, 1)
             ON CONFLICT (device, lane, kind) DO UPDATE SET events = events + 1",
        )?
        .execute(params![place.device, place.lane, kind])?;
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
