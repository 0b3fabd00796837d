//! The end of a run: the terminal's own ledger beside what a fresh look at the database finds.

use super::counter::{Counter, now};
use super::disk::sale_rows;
use super::world::{End, Job, World};
use crate::format::Language;
use crate::receipt::report::TerminalPart;
use crate::receipt::terminal_day;
use crate::store::{Closing, Engine, Moment};
use checkout::LocalDate;
use checkout::till::{TerminalDayEnd, TillState};
use hardware::terminal::sim::{RecordKind, SimModel};
use touchpoint::Lane;

/// What a coffee costs.
pub(super) const COFFEE_MINOR: i64 = 25_000;

impl World<'_> {
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
        match self.job {
            Job::Buy => self.audit_sale(end),
            Job::GiveBack(_) => self.audit_give_back(end),
            Job::CloseDay => self.audit_day(end),
        }
        self.violations
    }

    fn audit_sale(&mut self, end: End) {
        let rows = sale_rows(self.database);
        let engine = Counter::start(self.database, self.now_ms).engine.unwrap();
        let charged = self.terminal.ledger().charged();
        let state = engine.state().unwrap().unwrap_or_default();
        let events = money_events(&engine);
        let sales = count(&events, "sale.completed");
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
        let sent = count(&events, "attempt.sent");
        check(
            sent >= orders,
            format!("{orders} orders, {sent} of them in the journal"),
        );
        check(
            rows_agree(&state, &events),
            format!("the journal does not say how it was paid: {events:?}"),
        );
    }

    /// The terminal's ledger, the rows and the events must agree on what went back.
    fn audit_give_back(&mut self, end: End) {
        let engine = Counter::start(self.database, self.now_ms).engine.unwrap();
        let state = engine.state().unwrap().unwrap_or_default();
        let events = money_events(&engine);
        let back = self.new_records().iter().filter(|record| {
            matches!(
                record.kind,
                RecordKind::Refund | RecordKind::Reversal { .. }
            )
        });
        let moved: Vec<i64> = back
            .map(|record| i64::try_from(record.amount_minor).unwrap())
            .collect();
        let taken = engine.refundable(None).unwrap().unwrap().payments[0].clone();
        let told = events
            .iter()
            .filter(|event| event["kind"] == "sale.refunded");
        let told: Vec<i64> = told
            .map(|event| event["body"]["amount"]["minor"].as_i64().unwrap())
            .collect();
        let open = !state.reviews.is_empty() || end == End::Review;
        let sent = count(&events, "attempt.sent");
        let orders = self.terminal.orders_received();
        let mut check = |good: bool, what: String| {
            if !good {
                self.violations.push(what);
            }
        };
        check(
            moved.len() <= 1,
            format!("given back {} times", moved.len()),
        );
        check(
            told.iter().sum::<i64>() == taken.given_back_minor,
            format!("events say {told:?}, rows {}", taken.given_back_minor),
        );
        check(
            moved == told || open,
            format!("the terminal gave back {moved:?}, the journal has {told:?}"),
        );
        check(
            moved.len() >= told.len(),
            "recorded as given back, and no money moved".into(),
        );
        check(
            (end == End::Done) != told.is_empty(),
            format!("{end:?} with {told:?}"),
        );
        // The payment itself was sent, too, before this run.
        check(
            sent > orders,
            format!("{orders} orders, {sent} rows with the payment's"),
        );
        check(
            state.order.is_none() || open,
            "an order is forgotten".into(),
        );
    }

    /// No close is claimed that did not happen, none happened without a row, and "balanced" is true.
    fn audit_day(&mut self, end: End) {
        let mut engine = Counter::start(self.database, self.now_ms).engine.unwrap();
        let events = money_events(&engine);
        let asked = events
            .iter()
            .filter(|event| event["kind"] == "terminal.day" && event["body"]["state"] == "asked");
        let asked = asked.count();
        let mut batches = vec![0i64];
        for record in self.terminal.ledger().records() {
            let minor = i64::try_from(record.amount_minor).unwrap();
            match record.kind {
                RecordKind::Sale => *batches.last_mut().unwrap() += minor,
                RecordKind::Refund | RecordKind::Reversal { .. } => {
                    *batches.last_mut().unwrap() -= minor;
                }
                RecordKind::DayClose => batches.push(0),
                RecordKind::Declined { .. } => {}
            }
        }
        batches.pop();
        let moment = Moment {
            wall_ms: now(self.now_ms).wall_ms,
            utc_offset_min: 420,
            business_date: LocalDate::new(2026, 11, 20).unwrap(),
            float_minor: 0,
            terminal: TerminalPart::Closes,
        };
        let Closing::Closed(report) = engine.close_day(&moment).unwrap() else {
            panic!("nobody is there");
        };
        let closes = &report.terminal_closes;
        let closed = closes
            .iter()
            .filter(|close| matches!(close.end, TerminalDayEnd::Closed(_)));
        let unknown = closes
            .iter()
            .filter(|close| matches!(close.end, TerminalDayEnd::Unknown(_)));
        let (closed, unknown) = (closed.count(), unknown.count());
        let mut check = |good: bool, what: String| {
            if !good {
                self.violations.push(what);
            }
        };
        check(
            batches.len() <= asked,
            format!(
                "{} closes at the terminal, {asked} asked for",
                batches.len()
            ),
        );
        check(
            closed <= batches.len(),
            format!("{closed} closes claimed, {} happened", batches.len()),
        );
        check(
            batches.len() <= closed + unknown,
            format!(
                "{} closes, {closed} known and {unknown} unknown",
                batches.len()
            ),
        );
        check(
            (end == End::Done) == (closed > 0),
            format!("{end:?} with {closed} closes"),
        );
        // The journal took one coffee. Balanced can only be the close that had exactly that.
        let words = terminal_day::words(report.terminal, closes, Language::English);
        let balanced = words.iter().filter(|said| said.proven).count();
        let true_batches = batches
            .iter()
            .filter(|minor| **minor == COFFEE_MINOR)
            .count();
        check(
            balanced <= true_batches,
            format!("{balanced} called balanced, batches {batches:?}"),
        );
        check(
            unknown > 0 || end != End::Done || balanced == 1,
            format!("nothing was lost, and it is not called balanced: {words:?}"),
        );
    }
}

fn count(events: &[serde_json::Value], kind: &str) -> usize {
    events.iter().filter(|event| event["kind"] == kind).count()
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
