//! Compares the journal with what the terminal really did.

use super::disk::{Entry, Verdict};
use super::world::{Want, World};
use crate::terminal::sim::{Record, RecordKind};
use crate::terminal::types::{EndOfDayReport, OrderKind};

/// Wanted amounts are multiples of this, so that a terminal that takes a little too much is still
/// known to answer the same want.
pub(crate) const AMOUNT_STEP: u64 = 100;

impl World<'_> {
    /// Adds what is wrong to the violations.
    pub(super) fn audit(&mut self) {
        let records: Vec<Record> = self.terminal.ledger().records().to_vec();
        let entries = self.disk.durable().to_vec();
        for place in 0..self.plan.len() {
            let happened = self.happened(&records, place);
            let of_want = || entries.iter().filter(|entry| entry.armed.want == place);
            let done = count(of_want(), Verdict::Done);
            let review = count(of_want(), Verdict::Review);
            let want = self.plan[place];
            if happened > 1 {
                self.violations
                    .push(format!("{want:?} happened {happened} times"));
            }
            if happened > done + review {
                self.violations
                    .push(format!("{want:?} happened without a record"));
            }
            if done > happened {
                self.violations
                    .push(format!("{want:?} is recorded, but did not happen"));
            }
        }
        if entries.iter().any(|entry| entry.verdict.is_none()) {
            self.violations.push("an order was left open".into());
        }
        let ordered = entries
            .iter()
            .filter(|entry| entry.armed.kind != OrderKind::DayClose);
        if self.terminal.orders_received() > ordered.count() {
            self.violations
                .push("an order was sent more than once, or without a record".into());
        }
        self.audit_totals(&records, &entries);
    }

    /// How often the ledger shows a want.
    fn happened(&self, records: &[Record], place: usize) -> usize {
        let amounts = |minor: Option<u64>| {
            move |record: &&Record| {
                record.reference.as_deref() != Some(super::ELSEWHERE)
                    && Some(record.amount_minor / AMOUNT_STEP) == minor.map(|m| m / AMOUNT_STEP)
            }
        };
        let minor = self.plan[place].minor(self.plan);
        let of_amount = records.iter().filter(amounts(minor));
        match self.plan[place] {
            Want::Sale(_) => of_amount.filter(|r| r.kind == RecordKind::Sale).count(),
            Want::Refund(_) => of_amount.filter(|r| r.kind == RecordKind::Refund).count(),
            Want::Reversal { .. } => of_amount
                .filter(|r| matches!(r.kind, RecordKind::Reversal { .. }))
                .count(),
            Want::DayClose => {
                // The closes are told apart by their order.
                let all = records
                    .iter()
                    .filter(|record| record.kind == RecordKind::DayClose)
                    .count();
                let earlier = self.plan[..place]
                    .iter()
                    .filter(|want| **want == Want::DayClose)
                    .count();
                if earlier == 0 && self.closes() == 1 {
                    all
                } else {
                    usize::from(all > earlier)
                }
            }
        }
    }

    fn closes(&self) -> usize {
        self.plan
            .iter()
            .filter(|want| **want == Want::DayClose)
            .count()
    }

    /// The total of a closed day is the terminal's own, and the journal's where nothing is open.
    fn audit_totals(&mut self, records: &[Record], entries: &[Entry]) {
        let closes: Vec<&EndOfDayReport> = entries
            .iter()
            .filter_map(|entry| entry.report.as_ref())
            .collect();
        let [report] = closes.as_slice() else { return };
        if self.closes() != 1 {
            return;
        }
        let Some(end) = records
            .iter()
            .rposition(|record| record.kind == RecordKind::DayClose)
        else {
            return;
        };
        let Some(total) = report.total_minor else {
            return;
        };
        if total != records[end].amount_minor {
            self.violations.push(format!(
                "the day was closed with {}, but {total} was recorded",
                records[end].amount_minor
            ));
        }
        let close = entries.iter().position(|entry| entry.report.is_some());
        let before = &entries[..close.unwrap_or(0)];
        let journal: i128 = before
            .iter()
            .filter(|entry| entry.verdict == Some(Verdict::Done))
            .map(signed_minor)
            .sum();
        let exact = self.stand_alone == 0
            && before
                .iter()
                .all(|entry| entry.verdict != Some(Verdict::Review));
        let difference = u64::try_from(journal)
            .ok()
            .and_then(|minor| report.difference_minor(Self::amount(minor)));
        if exact && difference.is_some_and(|difference| difference != 0) {
            self.violations.push(format!(
                "the day does not reconcile: {total} at the terminal, {journal} in the journal"
            ));
        }
    }
}

fn count<'a>(entries: impl Iterator<Item = &'a Entry>, verdict: Verdict) -> usize {
    entries
        .filter(|entry| entry.verdict == Some(verdict))
        .count()
}

/// What an entry adds to the day.
fn signed_minor(entry: &Entry) -> i128 {
    let minor = entry
        .armed
        .amount
        .map_or(0, |amount| i128::from(amount.minor));
    match entry.armed.kind {
        OrderKind::Payment => minor,
        OrderKind::Refund | OrderKind::Reversal => -minor,
        OrderKind::DayClose => 0,
    }
}
