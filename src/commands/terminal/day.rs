//! The end of a terminal's day.

use super::desk::{Desk, Ending};
use super::journal::{Source, Verdict};
use super::words;
use anyhow::Result;
use hardware::terminal::{
    Armed, AttemptId, Baseline, Currency, DayClose, DayCloseOutcome, NotStarted, OrderKind,
    PaymentTerminal, TerminalEvent, Unknown,
};

impl Desk<'_> {
    /// Closes the terminal's day and compares its total with the journal's.
    ///
    /// # Errors
    /// As for [`Self::order`].
    pub fn end_of_day(&mut self, like: Currency) -> Result<Ending> {
        if let Some(ending @ Ending::Unknown) = self.settle_earlier()? {
            return Ok(ending);
        }
        let (handle, events) = self.connect()?;
        if !handle.capabilities().can_close_day {
            return Ok(self.not_started(&NotStarted::Unsupported));
        }
        if !self.wait_up(&events) {
            return Ok(Ending::NotStarted);
        }
        let total_minor = self.journal.day_total_minor(&self.place.name, like);
        let attempt = AttemptId(uuid::Uuid::now_v7().into_bytes());
        let ordered = self.ordered(
            attempt,
            OrderKind::DayClose,
            None,
            None,
            Baseline::Unavailable,
        );
        let proof = self.journal.armed(ordered)?;
        let close = Armed::new(DayClose { attempt }, proof)?;
        handle.end_of_day(close)?;
        let outcome = loop {
            match events.recv() {
                Ok(TerminalEvent::EndOfDay {
                    attempt: of,
                    outcome,
                }) if of == attempt => {
                    break outcome;
                }
                Ok(other) => self.hear(&other),
                Err(_) => {
                    break DayCloseOutcome::Unknown {
                        why: Unknown::DriverStopped,
                    };
                }
            }
        };
        self.day_closed(attempt, outcome, total_minor, like)
    }

    fn day_closed(
        &mut self,
        attempt: AttemptId,
        outcome: DayCloseOutcome,
        total_minor: Option<i128>,
        like: Currency,
    ) -> Result<Ending> {
        let (verdict, ending) = match outcome {
            DayCloseOutcome::Closed(report) => {
                self.report(&report, total_minor, like);
                (Verdict::Happened, Ending::Done)
            }
            DayCloseOutcome::Refused { reason } => {
                self.declined(reason);
                (Verdict::DidNotHappen, Ending::Declined)
            }
            DayCloseOutcome::NotStarted { why } => (Verdict::DidNotHappen, self.not_started(&why)),
            DayCloseOutcome::Unknown { why } => {
                let why = words::unknown(&why, self.language);
                self.tell(
                    &format!("Không rõ máy thẻ đã kết toán chưa: {why}. Xem biên lai của máy."),
                    &format!("It is not known whether the day was closed: {why}. Look at the terminal's slip."),
                );
                (Verdict::Unsettled, Ending::Unknown)
            }
        };
        self.journal.closed(attempt, verdict, Source::Terminal)?;
        Ok(ending)
    }
}
