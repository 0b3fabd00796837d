//! Is the data complete? Per kiosk: what it said it has, what is here, and what each of the last days can prove.

use super::count;
use crate::{
    project::{day_of, local_date},
    store::{Store, StoreError},
};
use chrono::{Days, LocalResult, NaiveDate, TimeZone};
use chrono_tz::Tz;
use rusqlite::Connection;
use serde::Serialize;
use std::collections::HashMap;

/// Days on the grid, the shown one included.
const GRID_DAYS: u64 = 7;
/// A kiosk heard this recently is in contact; heartbeats come each minute.
const CONTACT_MS: i64 = 5 * 60 * 1_000;
/// A kiosk's clock this far off is suspect (reference §3.9).
const SKEW_MS: i64 = 120_000;

/// Completeness of everything.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Completeness {
    /// Every enrolled kiosk, those with trouble first.
    pub devices: Vec<DeviceStatus>,
    /// Kiosks from which nothing is known to be missing and that were heard from lately.
    pub complete_devices: u64,
    /// Kiosks that are expected to report.
    pub expected_devices: u64,
    /// Events known to exist.
    pub known: u64,
    /// Events stored.
    pub stored: u64,
    /// Events known to exist and not stored.
    pub missing: u64,
    /// Events that were kept but could not be fully read.
    pub quarantined: u64,
    /// Stored blocks not yet read into the figures.
    pub unread_blocks: u64,
    /// The dates of each device's `week`, oldest first.
    pub dates: Vec<String>,
}

/// One kiosk.
#[derive(Debug, Clone, Serialize)]
pub struct DeviceStatus {
    /// Device id.
    pub device: String,
    /// Kiosk's name.
    pub name: String,
    /// Store's name.
    pub store: String,
    /// Events it is known to have.
    pub known: u64,
    /// Events stored here.
    pub stored: u64,
    /// Events known to exist and not stored.
    pub missing: u64,
    /// When it was last heard, if ever.
    pub last_contact_ms: Option<i64>,
    /// Heard within the last five minutes.
    pub in_contact: bool,
    /// Its clock is more than two minutes off.
    pub clock_suspect: bool,
    /// Its clock minus ours.
    pub skew_ms: Option<i64>,
    /// It sent blocks that contradict what is stored.
    pub forks: u64,
    /// It was revoked and may no longer send.
    pub revoked: bool,
    /// Parts that are not ready: (part, state).
    pub troubles: Vec<(String, String)>,
    /// What each day of `Completeness::dates` can prove.
    pub week: Vec<DayStatus>,
}

/// What can be said about one kiosk on one day.
///
/// Stored lanes have no gaps by construction; only their ends can be missing, and a heartbeat tells how far the
/// kiosk's own ends are. So a day is proven complete when a heartbeat came after it was over and every lane that still
/// lacks events has already reached a later day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DayStatus {
    /// Everything received in time, and proven.
    Received,
    /// Everything received and proven, but after the cut-off.
    Late,
    /// Something is known to be missing, or nothing proves that it is not.
    Partial,
    /// Nothing was received and nothing proves that there was nothing.
    Missing,
    /// The kiosk did not open that day, and that is proven.
    Closed,
    /// The day is running and everything known so far is here.
    Running,
    /// The kiosk was not enrolled yet, or no longer.
    NotExpected,
}

/// Reads the completeness as of `date`.
pub(super) fn read(
    db: &Connection,
    date: &str,
    now_ms: i64,
    store: &Store,
) -> Result<Completeness, StoreError> {
    let today = day_of(now_ms, store.time_zone);
    let shown = NaiveDate::parse_from_str(date, "%Y-%m-%d").unwrap_or(today);
    let dates: Vec<NaiveDate> = (0..GRID_DAYS)
        .rev()
        .filter_map(|back| shown.checked_sub_days(Days::new(back)))
        .collect();
    let mut facts = device_facts(db)?;
    let mut days = device_days(db, dates.first().copied().unwrap_or(shown))?;
    let mut troubles = device_troubles(db)?;
    let rules = Rules {
        today,
        time_zone: store.time_zone,
        late_after_hour: store.late_after_hour,
    };
    let mut devices: Vec<DeviceStatus> = facts
        .drain(..)
        .map(|facts| {
            let days = days.remove(&facts.id).unwrap_or_default();
            let troubles = troubles.remove(&facts.id).unwrap_or_default();
            let week = dates
                .iter()
                .map(|&day| rules.status(&facts, &days, day))
                .collect();
            facts.status(week, troubles, now_ms)
        })
        .collect();
    devices.sort_by_key(|device| {
        (
            device.revoked,
            device.missing == 0 && device.in_contact,
            device.store.clone(),
            device.name.clone(),
        )
    });
    let expected: Vec<&DeviceStatus> = devices.iter().filter(|device| !device.revoked).collect();
    let sum = |field: fn(&DeviceStatus) -> u64| devices.iter().map(field).sum();
    Ok(Completeness {
        expected_devices: expected.len() as u64,
        complete_devices: expected
            .iter()
            .filter(|d| d.missing == 0 && d.in_contact)
            .count() as u64,
        known: sum(|device| device.known),
        stored: sum(|device| device.stored),
        missing: sum(|device| device.missing),
        quarantined: one(db, "SELECT count(*) FROM quarantine")?,
        unread_blocks: one(
            db,
            "SELECT count(*) FROM block WHERE id > coalesce((SELECT cursor FROM projection), 0)",
        )?,
        dates: dates
            .iter()
            .map(|day| day.format("%Y-%m-%d").to_string())
            .collect(),
        devices,
    })
}

fn one(db: &Connection, sql: &str) -> Result<u64, StoreError> {
    Ok(db.prepare_cached(sql)?.query_row([], |row| count(row, 0))?)
}

struct DeviceFacts {
    id: String,
    name: String,
    store: String,
    enrolled_ms: i64,
    revoked_ms: Option<i64>,
    /// Last heartbeat.
    beat_ms: Option<i64>,
    /// Last heartbeat or block.
    last_contact_ms: Option<i64>,
    skew_ms: Option<i64>,
    known: u64,
    stored: u64,
    missing: u64,
    forks: u64,
    /// The earliest date up to which every lane with missing events has reached; `None` when nothing is missing.
    missing_from: Option<String>,
}

fn device_facts(db: &Connection) -> Result<Vec<DeviceFacts>, StoreError> {
    let mut statement = db.prepare_cached(
        "WITH kept AS (
             SELECT head.device, sum(max(known_upto, next_seq - 1)) AS known, sum(next_seq - 1) AS stored,
                    sum(max(0, known_upto - next_seq + 1)) AS missing,
                    min(CASE WHEN known_upto >= next_seq THEN coalesce(local_date, '') END) AS missing_from
             FROM head LEFT JOIN lane_reach USING (device, journal, lane) GROUP BY head.device),
         heard AS (SELECT device, max(received_ms) AS at_ms FROM lane_reach GROUP BY device),
         forked AS (SELECT device, count(*) AS n FROM fork_block GROUP BY device)
         SELECT device.id, device.name, store.name, enrolled_ms, revoked_ms,
                max(coalesce(contact.last_ms, heard.at_ms), coalesce(heard.at_ms, contact.last_ms)), skew_ms,
                coalesce(known, 0), coalesce(stored, 0), coalesce(missing, 0), coalesce(forked.n, 0), missing_from, contact.last_ms
         FROM device JOIN store ON store.id = device.store
         LEFT JOIN kept ON kept.device = device.id LEFT JOIN heard ON heard.device = device.id
         LEFT JOIN forked ON forked.device = device.id LEFT JOIN contact ON contact.device = device.id",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(DeviceFacts {
            id: row.get(0)?,
            name: row.get(1)?,
            store: row.get(2)?,
            enrolled_ms: row.get(3)?,
            revoked_ms: row.get(4)?,
            last_contact_ms: row.get(5)?,
            skew_ms: row.get(6)?,
            known: count(row, 7)?,
            stored: count(row, 8)?,
            missing: count(row, 9)?,
            forks: count(row, 10)?,
            missing_from: row.get(11)?,
            beat_ms: row.get(12)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

impl DeviceFacts {
    fn status(
        self,
        week: Vec<DayStatus>,
        troubles: Vec<(String, String)>,
        now_ms: i64,
    ) -> DeviceStatus {
        DeviceStatus {
            in_contact: self
                .last_contact_ms
                .is_some_and(|at| now_ms - at <= CONTACT_MS),
            clock_suspect: self.skew_ms.is_some_and(|skew| skew.abs() > SKEW_MS),
            device: self.id,
            name: self.name,
            store: self.store,
            known: self.known,
            stored: self.stored,
            missing: self.missing,
            last_contact_ms: self.last_contact_ms,
            skew_ms: self.skew_ms,
            forks: self.forks,
            revoked: self.revoked_ms.is_some(),
            troubles,
            week,
        }
    }
}

/// Business days a kiosk worked, with when the last of each was received.
type Days7 = Vec<(String, i64)>;

fn device_days(db: &Connection, from: NaiveDate) -> Result<HashMap<String, Days7>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT device, business_date, max(last_received_ms) FROM device_day
         WHERE business_date >= ?1 GROUP BY device, business_date ORDER BY device, business_date",
    )?;
    let rows = statement.query_map([from.format("%Y-%m-%d").to_string()], |row| {
        Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?)))
    })?;
    group(rows)
}

fn device_troubles(db: &Connection) -> Result<HashMap<String, Vec<(String, String)>>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT device, part, coalesce(detail, state) FROM device_state
         WHERE state NOT IN ('ready', 'busy') ORDER BY device, part",
    )?;
    let rows = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, (row.get(1)?, row.get(2)?)))
    })?;
    group(rows)
}

fn group<T>(
    rows: impl Iterator<Item = rusqlite::Result<(String, T)>>,
) -> Result<HashMap<String, Vec<T>>, StoreError> {
    let mut groups: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        let (key, value) = row?;
        groups.entry(key).or_default().push(value);
    }
    Ok(groups)
}

struct Rules {
    today: NaiveDate,
    time_zone: Tz,
    late_after_hour: u32,
}

impl Rules {
    fn status(&self, device: &DeviceFacts, days: &Days7, day: NaiveDate) -> DayStatus {
        let date = day.format("%Y-%m-%d").to_string();
        let enrolled = local_date(device.enrolled_ms, self.time_zone);
        let revoked = device.revoked_ms.map(|at| local_date(at, self.time_zone));
        let worked = days.iter().find(|(worked, _)| *worked == date);
        let before = worked.is_none() && date < enrolled;
        if day > self.today || before || revoked.is_some_and(|revoked| date > revoked) {
            return DayStatus::NotExpected;
        }
        let lacks = device
            .missing_from
            .as_ref()
            .is_some_and(|from| *from <= date);
        if day == self.today {
            return if lacks {
                DayStatus::Partial
            } else {
                DayStatus::Running
            };
        }
        let over = self.at_hour(day, 0);
        let proven = !lacks && device.beat_ms.is_some_and(|at| at >= over);
        match worked {
            Some((_, received_ms)) if proven => {
                if *received_ms > self.at_hour(day, self.late_after_hour) {
                    DayStatus::Late
                } else {
                    DayStatus::Received
                }
            }
            Some(_) => DayStatus::Partial,
            None if proven => DayStatus::Closed,
            None => DayStatus::Missing,
        }
    }

    /// The instant of a local hour on the day after `day`.
    fn at_hour(&self, day: NaiveDate, hour: u32) -> i64 {
        let next = day.checked_add_days(Days::new(1)).unwrap_or(day);
        let local = next.and_hms_opt(hour, 0, 0).unwrap_or_default();
        match self.time_zone.from_local_datetime(&local) {
            LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.timestamp_millis(),
            // A clock change skipped this hour: the same reading in UTC is at most a few hours off.
            LocalResult::None => local.and_utc().timestamp_millis(),
        }
    }
}
