//! The journal of the simulated kiosk, on a disk that tells what was written from what was synced.
//!
//! A row that was only written may or may not be there after the power went. That difference is
//! what makes the order of writing, syncing and acting testable.

use crate::terminal::types::{
    Amount, Approval, AttemptId, Baseline, EndOfDayReport, OrderKind, RecoverRequest,
};

/// What the journal finally says about an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It happened.
    Done,
    /// It did not happen.
    NotDone,
    /// A person must look.
    Review,
}

/// One attempt as it was written down before it was sent.
#[derive(Debug, Clone)]
pub(crate) struct Armed {
    /// Place in the plan.
    pub(crate) want: usize,
    pub(crate) attempt: AttemptId,
    pub(crate) kind: OrderKind,
    /// `None` for a day close.
    pub(crate) amount: Option<Amount>,
    /// Receipt to take back.
    pub(crate) receipt: Option<u16>,
    pub(crate) baseline: Baseline,
}

/// One row of the journal.
#[derive(Debug, Clone)]
pub(crate) enum Row {
    Armed(Armed),
    Approved(Approval),
    Closed {
        attempt: AttemptId,
        verdict: Verdict,
        report: Option<EndOfDayReport>,
    },
}

/// One attempt with everything the journal holds about it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) armed: Armed,
    pub(crate) approval: Option<Approval>,
    pub(crate) verdict: Option<Verdict>,
    pub(crate) report: Option<EndOfDayReport>,
}

impl Entry {
    /// What a terminal must be told to find out; `None` for a day close.
    pub(crate) fn request(&self) -> Option<RecoverRequest> {
        Some(RecoverRequest {
            attempt: self.armed.attempt,
            kind: self.armed.kind,
            amount: self.armed.amount?,
            baseline: self.armed.baseline.clone(),
            approval: self.approval.clone(),
        })
    }
}

/// See the module text.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    entries: Vec<Entry>,
    durable: Vec<Entry>,
    written: Vec<Row>,
}

impl Disk {
    /// Writes a row; it is durable only after [`Self::sync`].
    pub(crate) fn write(&mut self, row: Row) {
        apply(&mut self.entries, &row);
        self.written.push(row);
    }

    /// Makes everything written durable.
    pub(crate) fn sync(&mut self) {
        for row in self.written.drain(..) {
            apply(&mut self.durable, &row);
        }
    }

    /// The power goes: what was not synced survives or not.
    pub(crate) fn power_cut(&mut self, writes_survive: bool) {
        if writes_survive {
            self.sync();
        }
        self.written.clear();
        self.entries.clone_from(&self.durable);
    }

    /// What the running kiosk knows.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What would be left if the power went now.
    pub(crate) fn durable(&self) -> &[Entry] {
        &self.durable
    }
}

fn apply(entries: &mut Vec<Entry>, row: &Row) {
    let attempt = match row {
        Row::Armed(armed) => {
            entries.push(Entry {
                armed: armed.clone(),
                approval: None,
                verdict: None,
                report: None,
            });
            return;
        }
        Row::Approved(approval) => approval.attempt,
        Row::Closed { attempt, .. } => *attempt,
    };
    let found = entries
        .iter_mut()
        .rfind(|entry| entry.armed.attempt == attempt);
    match (found, row) {
        (Some(entry), Row::Approved(approval)) => entry.approval = Some(approval.clone()),
        (
            Some(entry),
            Row::Closed {
                verdict, report, ..
            },
        ) => {
            entry.verdict = Some(*verdict);
            entry.report.clone_from(report);
        }
        _ => {}
    }
}
