//! Reading what arrived lately once more: rows the bank told late, and payments that name no order.

use super::{
    BACKOFF_MS, Job, Outcome, ProviderError,
    rhythm::{HOUR_MS, MINUTE_MS},
};

/// One list of what arrived lately is read this often while offers are fresh: rows that the bank told late.
const REREAD_MS: i64 = 60 * 1_000;
/// The first one after a start.
pub(super) const AFTER_START_MS: i64 = 5 * 1_000;
/// It reaches back this far; once an hour as far as an order's late window and a little more.
pub(super) const REREAD_BACK_MS: i64 = 30 * 60 * 1_000;
const REREAD_DEEP_MS: i64 = 60 * 60 * 1_000;
pub(super) const REREAD_DEEP_BACK_MS: i64 = 26 * 60 * 60 * 1_000;

/// Which part is read next, and when.
#[derive(Debug)]
pub(super) struct Rereading {
    due_ms: i64,
    flying: bool,
    page: u32,
    back_ms: i64,
    deep_due_ms: i64,
}

impl Default for Rereading {
    /// The whole window at once.
    fn default() -> Self {
        Self {
            due_ms: i64::MIN,
            flying: false,
            page: 0,
            back_ms: REREAD_DEEP_BACK_MS,
            deep_due_ms: i64::MIN,
        }
    }
}

impl Rereading {
    /// The program started; for `asked_not_ms` nobody had asked.
    pub(super) fn started(&mut self, now_ms: i64, asked_not_ms: i64) {
        self.due_ms = now_ms.saturating_add(AFTER_START_MS);
        self.back_ms = REREAD_DEEP_BACK_MS.saturating_add(asked_not_ms.max(0));
    }

    /// An offer was made: its money may come soon.
    pub(super) fn note_offer(&mut self, now_ms: i64) {
        if !self.flying && self.page == 0 {
            self.due_ms = self.due_ms.min(now_ms.saturating_add(REREAD_MS));
        }
    }

    /// When it is due, unless it is being asked.
    pub(super) fn due_ms(&self) -> Option<i64> {
        (!self.flying).then_some(self.due_ms)
    }

    /// Whether a page is being asked for.
    pub(super) fn is_flying(&self) -> bool {
        self.flying
    }

    /// The next page, when it is due. It counts as asked.
    pub(super) fn take(&mut self, now_ms: i64) -> Option<Job> {
        self.due_ms().filter(|due_ms| *due_ms <= now_ms)?;
        self.flying = true;
        Some(Job::Reread {
            page: self.page,
            back_ms: self.back_ms,
        })
    }

    /// A page was answered or not. `offer_age_ms`: of the account's newest offer.
    pub(super) fn done(&mut self, outcome: &Outcome, offer_age_ms: Option<i64>, now_ms: i64) {
        self.flying = false;
        match outcome {
            Outcome::More => {
                self.page = self.page.saturating_add(1);
                self.due_ms = now_ms;
            }
            Outcome::Answered { .. } => self.read_whole(offer_age_ms, now_ms),
            // The same question is refused again: perhaps it reaches back too far for the provider.
            Outcome::Failed(ProviderError::Refused(_)) => {
                self.page = 0;
                self.due_ms = now_ms.saturating_add(REREAD_MS);
                self.back_ms = if self.back_ms > REREAD_DEEP_BACK_MS {
                    REREAD_DEEP_BACK_MS
                } else {
                    REREAD_BACK_MS
                };
            }
            _ => self.due_ms = now_ms.saturating_add(BACKOFF_MS),
        }
    }

    fn read_whole(&mut self, offer_age_ms: Option<i64>, now_ms: i64) {
        if self.back_ms >= REREAD_DEEP_BACK_MS {
            self.deep_due_ms = now_ms.saturating_add(REREAD_DEEP_MS);
        }
        let shallow_ms = match offer_age_ms {
            Some(age) if age < 15 * MINUTE_MS => now_ms.saturating_add(REREAD_MS),
            Some(age) if age < 24 * HOUR_MS => now_ms.saturating_add(10 * REREAD_MS),
            _ => i64::MAX,
        };
        self.page = 0;
        self.due_ms = shallow_ms.min(self.deep_due_ms);
        self.back_ms = if self.due_ms == self.deep_due_ms {
            REREAD_DEEP_BACK_MS
        } else {
            REREAD_BACK_MS
        };
    }
}
