//! Business days: what was taken since the last Z report, and closing a day.
//!
//! A day is a run of sales and events, not a date: it begins where the last Z report ended and ends where the next one
//! is made, so no sale is in two reports or in none. Every method here runs whole on the store thread, so nothing comes
//! between reading the figures and writing the row.

use std::borrow::Cow;

use checkout::till::{AttemptStatus, Sale, TillState, Visit};
use checkout::{Currency, LocalDate};
use rusqlite::{OptionalExtension, Row, params};
use serde::Deserialize;
use touchpoint::Lane;

use super::card_money::TerminalClose;
use super::engine::Engine;
use super::error::StoreError;
use super::journal::i64_of;
use crate::receipt::report::{GivenBack, Kind, Summary, TerminalPart};

/// When a report is made; time is a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Unix milliseconds UTC.
    pub wall_ms: i64,
    /// The shop's offset in minutes.
    pub utc_offset_min: i32,
    /// The business day it is.
    pub business_date: LocalDate,
    /// Cash that lay in the drawer when the day began, in minor units.
    pub float_minor: i64,
    /// What there is to say of a card terminal's day.
    pub terminal: TerminalPart,
}

/// The open day at a glance, by sums of columns alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DayFigures {
    /// Sales since the last Z report.
    pub sales: u64,
    /// What was due for them, minor units by ISO 4217 code, without cash rounding.
    pub totals: Vec<(String, i64)>,
    /// The newest sale of all as JSON, also of a day that is closed.
    pub last_sale: Option<String>,
    /// The newest Z report.
    pub last_report: Option<ClosedDay>,
    /// When the card terminal's day was last closed for certain, unix milliseconds UTC.
    pub terminal_closed_ms: Option<i64>,
}

/// A Z report that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedDay {
    /// Contiguous from 1 in its journal.
    pub number: u64,
    /// The day it is about, ISO 8601.
    pub business_date: String,
    /// When it was made, unix milliseconds UTC.
    pub closed_ms: i64,
    /// What it says of the card terminal's day.
    pub terminal: TerminalPart,
    /// The closes of the terminal's day in it, oldest first.
    pub terminal_closes: Vec<TerminalClose>,
}

/// What became of closing a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Closing {
    /// The report is on disk and may be printed.
    Closed(Box<Summary>),
    /// A shopper is being served; nothing was written.
    VisitOpen,
}

/// Where the open day begins: right after what the last Z report holds.
#[derive(Clone, Copy, Debug, Default)]
struct Begin {
    last_sale_no: i64,
    journal_no: i64,
    next_seq: [i64; 2],
    movement_no: i64,
    terminal_day_no: i64,
}

/// What an event says that a report counts.
#[derive(Deserialize)]
struct Told<'a> {
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(default)]
    body: ToldBody,
}

#[derive(Default, Deserialize)]
struct ToldBody {
    #[serde(default)]
    copy: bool,
}

impl Engine {
    /// The open day by sums of columns.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn day_figures(&self) -> Result<DayFigures, StoreError> {
        let begin = self.day_begin()?;
        let read = || -> rusqlite::Result<DayFigures> {
            let mut sums = self.connection.prepare_cached(
                "SELECT currency, count(*), sum(total_minor) FROM sale WHERE sale_no > ?1
                 GROUP BY currency ORDER BY min(sale_no)",
            )?;
            let rows = sums.query_map([begin.last_sale_no], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?, row.get(2)?))
            })?;
            let mut figures = DayFigures::default();
            for row in rows {
                let (currency, sales, total_minor) = row?;
                figures.sales += sales.unsigned_abs();
                figures.totals.push((currency, total_minor));
            }
            figures.last_sale = self
                .connection
                .prepare_cached("SELECT body FROM sale ORDER BY sale_no DESC LIMIT 1")?
                .query_row([], |row| row.get(0))
                .optional()?;
            figures.last_report = self
                .connection
                .prepare_cached(
                    "SELECT number, business_date, closed_ms, summary FROM z_report
                     ORDER BY journal_no DESC, number DESC LIMIT 1",
                )?
                .query_row([], closed_day)
                .optional()?;
            figures.terminal_closed_ms = self
                .connection
                .prepare_cached("SELECT max(ended_ms) FROM terminal_day WHERE outcome = 'closed'")?
                .query_row([], |row| row.get(0))?;
            Ok(figures)
        };
        read().map_err(|error| self.sql(&error))
    }

    /// An X report: everything since the last Z report. Writes nothing.
    ///
    /// # Errors
    /// When rows cannot be read, [`StoreError::Refused`] for a sale that cannot be understood: a report leaves nothing
    /// out silently.
    pub fn x_report(&self, at: &Moment) -> Result<Summary, StoreError> {
        let state = self.state()?.unwrap_or_default();
        self.summary(Kind::X, at, self.day_begin()?, &state)
    }

    /// Closes the business day: makes the next Z report and writes it, durable on return. Refused while a visit is
    /// open, as the last durable state of the till has it; money in doubt does not hold the day up, the report says it.
    ///
    /// # Errors
    /// As [`Self::x_report`]; nothing was written then and the day is still open.
    pub fn close_day(&mut self, at: &Moment) -> Result<Closing, StoreError> {
        self.reopen_if_failed()?;
        let state = self.state()?.unwrap_or_default();
        if state.visit.is_some() {
            return Ok(Closing::VisitOpen);
        }
        let number = self.next_z_number()?;
        let begin = self.day_begin()?;
        let summary = self.summary(Kind::Z { number }, at, begin, &state)?;
        let json = serde_json::to_string(&summary)
            .map_err(|error| StoreError::Refused(format!("Z report: {error}")))?;
        let next = |lane: Lane| i64_of(self.heads[usize::from(lane.number())].next_seq);
        let written = self.connection.execute(
            "INSERT INTO z_report (journal_no, number, business_date, closed_ms, last_sale_no, money_next_seq,
                                   touchpoints_next_seq, diagnostics_next_seq, summary)
             VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(sale_no), 0) FROM sale), ?5, ?6, ?7, ?8)",
            params![
                self.journal_no,
                i64_of(number),
                summary.business_date.to_string(),
                at.wall_ms,
                next(Lane::Money),
                next(Lane::Touchpoints),
                next(Lane::Diagnostics),
                json
            ],
        );
        self.day_written(written)?;
        Ok(Closing::Closed(Box::new(summary)))
    }

    /// The newest Z report, to be printed again, and the number of this copy, which is durable on return. `None` before
    /// the first.
    ///
    /// # Errors
    /// When the row cannot be read or the copy not be counted.
    pub fn copy_of_z_report(&mut self) -> Result<Option<(Summary, u32)>, StoreError> {
        self.reopen_if_failed()?;
        let counted = self
            .connection
            .query_row(
                "UPDATE z_report SET copies = copies + 1
                 WHERE (journal_no, number) = (SELECT journal_no, number FROM z_report
                                               ORDER BY journal_no DESC, number DESC LIMIT 1)
                 RETURNING summary, copies",
                [],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?)),
            )
            .optional();
        let Some((json, copy_number)) = self.day_written(counted)? else {
            return Ok(None);
        };
        let summary = serde_json::from_str(&json)
            .map_err(|error| StoreError::Refused(format!("Z report: {error}")))?;
        Ok(Some((summary, copy_number)))
    }

    fn day_written<T>(&mut self, written: rusqlite::Result<T>) -> Result<T, StoreError> {
        match written {
            Ok(value) => {
                self.after_write();
                Ok(value)
            }
            Err(error) => {
                let error = self.sql(&error);
                self.note_failure(&error);
                Err(error)
            }
        }
    }

    fn next_z_number(&self) -> Result<u64, StoreError> {
        self.connection
            .query_row(
                "SELECT coalesce(max(number), 0) + 1 FROM z_report WHERE journal_no = ?1",
                [self.journal_no],
                |row| row.get::<_, i64>(0).map(i64::unsigned_abs),
            )
            .map_err(|error| self.sql(&error))
    }

    /// Sales count on across journals: what an older journal of this file sold after its last Z report is in the first
    /// one of the new journal.
    fn day_begin(&self) -> Result<Begin, StoreError> {
        let begin = self
            .connection
            .query_row(
                "SELECT last_sale_no, journal_no, money_next_seq, touchpoints_next_seq,
                        coalesce(json_extract(summary, '$.last_movement_no'), 0),
                        coalesce(json_extract(summary, '$.last_terminal_day_no'), 0) FROM z_report
                 ORDER BY journal_no DESC, number DESC LIMIT 1",
                [],
                |row| {
                    Ok(Begin {
                        last_sale_no: row.get(0)?,
                        journal_no: row.get(1)?,
                        next_seq: [row.get(2)?, row.get(3)?],
                        movement_no: row.get(4)?,
                        terminal_day_no: row.get(5)?,
                    })
                },
            )
            .optional()
            .map_err(|error| self.sql(&error))?;
        Ok(begin.unwrap_or_default())
    }

    fn summary(
        &self,
        kind: Kind,
        at: &Moment,
        begin: Begin,
        state: &TillState,
    ) -> Result<Summary, StoreError> {
        let mut summary = Summary::new(kind, at.business_date, at.wall_ms, at.utc_offset_min);
        self.add_sales(&mut summary, begin)?;
        self.add_counts(&mut summary, begin)
            .map_err(|error| self.sql(&error))?;
        self.add_card_money(&mut summary, begin)
            .map_err(|error| self.sql(&error))?;
        // During the day the terminal's is open, too; there is nothing to say of that.
        if kind != Kind::X {
            summary.terminal = at.terminal;
        }
        summary.payments_in_doubt = in_doubt(state);
        summary.float_minor = at.float_minor;
        Ok(summary)
    }

    fn add_sales(&self, summary: &mut Summary, begin: Begin) -> Result<(), StoreError> {
        let sql = |error: rusqlite::Error| self.sql(&error);
        let mut bodies = self
            .connection
            .prepare_cached("SELECT sale_no, body FROM sale WHERE sale_no > ?1 ORDER BY sale_no")
            .map_err(sql)?;
        let mut rows = bodies.query([begin.last_sale_no]).map_err(sql)?;
        let mut first_day = None;
        while let Some(row) = rows.next().map_err(sql)? {
            let sale_no: i64 = row.get(0).map_err(sql)?;
            let body = row.get_ref(1).map_err(sql)?;
            let body = body.as_str().map_err(|error| sql(error.into()))?;
            let sale: Sale = serde_json::from_str(body)
                .map_err(|error| StoreError::Refused(format!("sale row {sale_no}: {error}")))?;
            first_day = first_day.or(Some(sale.business_date));
            summary.add(&sale);
        }
        // A day that is closed after midnight is the day it was opened on.
        if let Some(day) = first_day {
            summary.business_date = day;
        }
        Ok(())
    }

    fn add_card_money(&self, summary: &mut Summary, begin: Begin) -> rusqlite::Result<()> {
        let (given_back, last_movement_no) = self.given_back_after(begin.movement_no)?;
        for total in given_back {
            // A code that is no currency was never written by this program.
            if let Ok(currency) = Currency::from_code(&total.currency) {
                let (kind, count, amount_minor) = (total.kind, total.count, total.amount_minor);
                let given_back = GivenBack {
                    kind,
                    count,
                    amount_minor,
                };
                summary.add_given_back(currency, given_back);
            }
        }
        let (closes, last_terminal_day_no) = self.terminal_closes(begin.terminal_day_no)?;
        summary.terminal_closes = closes;
        summary.last_movement_no = last_movement_no;
        summary.last_terminal_day_no = last_terminal_day_no;
        Ok(())
    }

    fn add_counts(&self, summary: &mut Summary, begin: Begin) -> rusqlite::Result<()> {
        let mut journals = self.connection.prepare_cached(
            "SELECT journal_no FROM journal WHERE journal_no >= ?1 ORDER BY journal_no",
        )?;
        let journals = journals.query_map([begin.journal_no], |row| row.get(0))?;
        let journals: Vec<i64> = journals.collect::<Result<_, _>>()?;
        let mut events = self.connection.prepare_cached(
            "SELECT bytes FROM event WHERE journal_no = ?1 AND lane = ?2 AND seq >= ?3",
        )?;
        for journal_no in journals {
            for (index, lane) in [Lane::Money, Lane::Touchpoints].into_iter().enumerate() {
                let first_seq = if journal_no == begin.journal_no {
                    begin.next_seq[index]
                } else {
                    1
                };
                let mut rows = events.query(params![journal_no, lane.number(), first_seq])?;
                while let Some(row) = rows.next()? {
                    count(summary, row.get_ref(0)?.as_blob()?);
                }
            }
        }
        Ok(())
    }
}

fn closed_day(row: &Row<'_>) -> rusqlite::Result<ClosedDay> {
    let summary: String = row.get(3)?;
    let told: ToldOfTerminal = serde_json::from_str(&summary).unwrap_or_default();
    Ok(ClosedDay {
        number: row.get::<_, i64>(0)?.unsigned_abs(),
        business_date: row.get(1)?,
        closed_ms: row.get(2)?,
        terminal: told.terminal,
        terminal_closes: told.terminal_closes,
    })
}

/// What a Z report says of the card terminal; reports of earlier versions say nothing.
#[derive(Default, Deserialize)]
struct ToldOfTerminal {
    #[serde(default)]
    terminal: TerminalPart,
    #[serde(default)]
    terminal_closes: Vec<TerminalClose>,
}

/// Counts one event. What is no event of ours (there is none in a sound journal) counts for nothing.
fn count(summary: &mut Summary, bytes: &[u8]) {
    let Ok(told) = serde_json::from_slice::<Told<'_>>(bytes) else {
        return;
    };
    let counter = match told.kind.as_ref() {
        "item.removed" => &mut summary.voided_lines,
        "basket.abandoned" => &mut summary.voided_baskets,
        "drawer.opened" => &mut summary.drawer_opens,
        "receipt.printed" | "receipt.sent" if told.body.copy => &mut summary.copies,
        _ => return,
    };
    *counter = counter.saturating_add(1);
}

/// Payments nobody has settled: attempts without a known end, and money that belongs to no sale.
fn in_doubt(state: &TillState) -> u32 {
    let unknown = |visit: &Visit| {
        let attempts = visit.attempts.iter();
        attempts
            .filter(|attempt| attempt.status == AttemptStatus::Unknown)
            .count()
    };
    let visits = state.visit.iter().map(unknown).sum::<usize>();
    let parked = state.parked.iter().map(|parked| unknown(&parked.visit));
    let order = state.order.as_deref();
    let order = order.filter(|order| order.status == AttemptStatus::Unknown);
    let all = visits + parked.sum::<usize>() + state.reviews.len() + usize::from(order.is_some());
    u32::try_from(all).unwrap_or(u32::MAX)
}
