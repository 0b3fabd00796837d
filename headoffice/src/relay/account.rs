//! One payment account at work: what is asked of its provider, and what comes of the answers.

use super::{
    Relay,
    credits::{Source, Taken},
    ledger::{AccountId, OfferEvent, Order},
    limit::Budget,
    provider::{KnownCode, Listed, Observed, Provider, ProviderError, Push, Pushed, Reread, Wire},
    schedule::{Job, Outcome, Schedule},
};
use crate::store::StoreError;
use payqr::{
    OrderCode,
    provider::{Credit, NotACredit},
};
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

/// How far the list was read is written this often.
const REACH_EVERY_MS: i64 = 60 * 1_000;
/// What staff read when a code was made and its answer lost.
const CODE_LOST: &str =
    "the provider made a code and its answer was lost; nobody has seen the code. Make a new order";

/// Notices since the start, by what became of them.
#[derive(Debug, Default)]
pub struct Counts {
    /// A new credit each.
    pub credited: AtomicU64,
    /// Known already.
    pub known: AtomicU64,
    /// True, and no money for this account.
    pub no_credit: AtomicU64,
    /// Named orders to ask about, and proves nothing.
    pub hints: AtomicU64,
    /// Not proven to be the provider's.
    pub forged: AtomicU64,
}

/// One payment account.
pub struct Account {
    /// Its row.
    pub id: AccountId,
    /// Its name in the settings and in the webhook's address.
    pub name: String,
    /// Stores that use it; empty for all without an own one.
    pub stores: Vec<String>,
    /// Whom it is asked of.
    pub provider: Box<dyn Provider>,
    /// Notices since the start.
    pub counts: Counts,
    pub(super) schedule: Mutex<Schedule>,
    /// Where the provider's limit counts by the address that asks: one for all its accounts.
    pub(super) budget: Option<Arc<Budget>>,
    /// Up to when the bank's list is known to be on disk.
    pub(super) list_reach_ms: AtomicI64,
    /// When the first page of the present rereading was asked for.
    pub(super) reread_begun_ms: AtomicI64,
    pub(super) wake: Condvar,
    pub(super) stopping: AtomicBool,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} ({})", self.name, self.provider.name())
    }
}

/// How a notice is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushAnswer {
    /// HTTP status. 2xx only after the credit is durable.
    pub status: u16,
    /// JSON for the provider.
    pub body: &'static str,
}

impl Account {
    /// The schedule. Every change of it is whole before the lock is given up.
    pub(super) fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the next question may be due, by the schedule's clock.
    #[must_use]
    pub fn next_question_ms(&self) -> Option<i64> {
        let next_ms = self.schedule().next_ms()?;
        let room_ms = self.budget.as_ref().map(|budget| budget.next_slot_ms());
        Some(room_ms.map_or(next_ms, |room| next_ms.max(room)))
    }

    /// Whether no question is on its way and none is due: nothing more is learnt by asking before the clock moves on.
    #[must_use]
    pub fn is_quiet(&self, now_ms: i64) -> bool {
        // Before the schedule is locked: whoever spends the budget locks the schedule inside.
        let room_ms = self.budget.as_ref().map(|budget| budget.next_slot_ms());
        let schedule = self.schedule();
        let due_ms = schedule.next_ms().and_then(|due| Some(due).max(room_ms));
        !schedule.is_asking() && due_ms.is_none_or(|due| due > now_ms)
    }

    /// The next due question, when the limits allow it.
    fn take(&self, now_ms: i64) -> Option<Job> {
        match &self.budget {
            Some(budget) => budget.spend(now_ms, || self.schedule().take(now_ms)),
            None => self.schedule().take(now_ms),
        }
    }

    /// Something became due.
    pub(super) fn nudge(&self) {
        self.wake.notify_all();
    }

    /// Whether the provider makes this account's codes.
    #[must_use]
    pub fn needs_code(&self) -> bool {
        self.provider.capabilities().makes_codes
    }

    /// Waits until something may be due, at most `longest`. How long is looked up with the schedule locked: what becomes
    /// due after that look wakes the wait, and what became due before it is seen.
    pub(super) fn rest(&self, now_ms: i64, longest: Duration) {
        // Before the schedule is locked: whoever spends the budget locks the schedule inside.
        let room_ms = self.budget.as_ref().map(|budget| budget.next_slot_ms());
        let schedule = self.schedule();
        if self.stopping.load(Ordering::SeqCst) {
            return;
        }
        let due_ms = schedule.next_ms().and_then(|due| Some(due).max(room_ms));
        let wait_ms = due_ms.map_or(i64::MAX, |due| due.saturating_sub(now_ms));
        let wait = Duration::from_millis(wait_ms.max(1).unsigned_abs());
        let _ = self
            .wake
            .wait_timeout(schedule, wait.min(longest))
            .unwrap_or_else(PoisonError::into_inner);
    }
}

impl Relay {
    /// Asks the next due question of an account and keeps the answer. `None` when nothing was due.
    pub fn step(&self, account: &Account, wire: &mut dyn Wire) -> Option<Job> {
        let job = account.take(self.now_ms())?;
        let begun_ms = self.now_ms();
        let outcome = match self.perform(account, &job, wire) {
            Ok(outcome) => outcome,
            Err(error) => {
                tracing::error!(account = %account.name, %error, "an answer of the provider could not be kept; it is asked again");
                Outcome::NotKept
            }
        };
        if let Outcome::Failed(error) = &outcome {
            tracing::warn!(account = %account.name, ?job, %error, "payment provider");
        }
        let now_ms = self.now_ms();
        let took_ms = now_ms.saturating_sub(begun_ms).max(0).unsigned_abs();
        let over = {
            let mut schedule = account.schedule();
            schedule.done(&job, &outcome, now_ms, took_ms);
            match &job {
                Job::Observe(order) | Job::Cancel(order) if schedule.is_over(order) => Some(order),
                _ => None,
            }
        };
        if let Some(order) = over {
            match self.store.note_offer(order, &OfferEvent::Ended) {
                Ok(_) => account.schedule().forget(order),
                Err(error) => tracing::error!(%error, "the end of a watch could not be kept"),
            }
        }
        Some(job)
    }

    fn perform(
        &self,
        account: &Account,
        job: &Job,
        wire: &mut dyn Wire,
    ) -> Result<Outcome, StoreError> {
        let code = match job {
            Job::List => return self.list(account, wire),
            Job::Reread { page, back_ms } => return self.reread(account, wire, *page, *back_ms),
            Job::Create(code) | Job::Observe(code) | Job::Cancel(code) => code,
        };
        let known = self.store.order(code)?.zip(code.parse::<OrderCode>().ok());
        let Some((order, number)) = known else {
            return Ok(Outcome::Answered { closed: true });
        };
        match job {
            Job::Create(_) => self.create(account, &order, number, wire),
            Job::Cancel(_) => self.cancel(account, &order, number, wire),
            _ => match account.provider.observe(wire, number) {
                Ok(observed) => self.observed(account, &order, observed),
                Err(error) => Ok(Outcome::Failed(error)),
            },
        }
    }

    fn create(
        &self,
        account: &Account,
        order: &Order,
        number: OrderCode,
        wire: &mut dyn Wire,
    ) -> Result<Outcome, StoreError> {
        if order.withdrawn || order.refused.is_some() || order.made.is_some() {
            return Ok(Outcome::Answered {
                closed: order.made.is_none(),
            });
        }
        // Durable before the provider is asked: after a crash it is looked for before anything is created.
        self.store.note_offer(&order.code, &OfferEvent::Asked)?;
        match account.provider.create(wire, number, order.amount_minor) {
            Ok(made) => {
                self.store
                    .note_offer(&order.code, &OfferEvent::Made(made))?;
                self.waiters.wake(&order.code);
                Ok(Outcome::Made)
            }
            Err(ProviderError::Refused(why)) => {
                // "There is such an order already" is a refusal too: a lost answer looks like this.
                match account.provider.observe(wire, number) {
                    Ok(Observed::Absent) => {
                        self.refuse(account, order, &why)?;
                        Ok(Outcome::Answered { closed: true })
                    }
                    Ok(observed) => self.observed(account, order, observed),
                    Err(error) => Ok(Outcome::Failed(error)),
                }
            }
            Err(error) => Ok(Outcome::Failed(error)),
        }
    }

    fn refuse(&self, account: &Account, order: &Order, why: &str) -> Result<(), StoreError> {
        tracing::warn!(account = %account.name, order = %order.code, why, "the provider made no code");
        self.store
            .note_offer(&order.code, &OfferEvent::Refused(why.into()))?;
        self.waiters.wake(&order.code);
        Ok(())
    }

    fn observed(
        &self,
        account: &Account,
        order: &Order,
        observed: Observed,
    ) -> Result<Outcome, StoreError> {
        let (credits, closed, code) = match observed {
            Observed::Absent if order.made.is_none() && !order.withdrawn => {
                return Ok(Outcome::Absent);
            }
            Observed::Absent => return Ok(Outcome::Answered { closed: false }),
            Observed::Known {
                credits,
                closed,
                code,
            } => (credits, closed, code),
        };
        self.keep(account, &credits, None)?;
        if account.needs_code() && order.made.is_none() && order.refused.is_none() {
            self.code_again(account, order, code)?;
        }
        Ok(Outcome::Answered { closed })
    }

    /// The answer with an order's code was lost. Some providers tell it again; without it nobody can pay the order.
    fn code_again(
        &self,
        account: &Account,
        order: &Order,
        code: Option<KnownCode>,
    ) -> Result<(), StoreError> {
        match code.filter(|code| code.amount_minor == order.amount_minor) {
            Some(code) if !order.withdrawn => {
                self.store
                    .note_offer(&order.code, &OfferEvent::Made(code.made))?;
                self.waiters.wake(&order.code);
            }
            _ => {
                self.refuse(account, order, CODE_LOST)?;
                let now_ms = self.now_ms();
                account.schedule().cancel(&order.code, now_ms);
            }
        }
        Ok(())
    }

    fn cancel(
        &self,
        account: &Account,
        order: &Order,
        number: OrderCode,
        wire: &mut dyn Wire,
    ) -> Result<Outcome, StoreError> {
        let observed = match account.provider.cancel(wire, number) {
            // Too late to cancel: it was paid, or is cancelled. What is there counts.
            Err(ProviderError::Refused(_)) => account.provider.observe(wire, number),
            other => other,
        };
        match observed {
            Ok(Observed::Absent) => {
                self.store.note_offer(&order.code, &OfferEvent::Cancelled)?;
                self.waiters.wake(&order.code);
                Ok(Outcome::Answered { closed: true })
            }
            Ok(Observed::Known {
                credits, closed, ..
            }) => {
                self.keep(account, &credits, None)?;
                // One that still takes money is not cancelled, whatever was asked.
                if closed {
                    self.store.note_offer(&order.code, &OfferEvent::Cancelled)?;
                    self.waiters.wake(&order.code);
                }
                Ok(Outcome::Answered { closed })
            }
            Err(error) => Ok(Outcome::Failed(error)),
        }
    }

    fn list(&self, account: &Account, wire: &mut dyn Wire) -> Result<Outcome, StoreError> {
        let cursor = self.store.poll_cursor(account.id)?;
        let listed = match account.provider.list(wire, cursor.as_deref()) {
            Ok(listed) => listed,
            Err(error) => return Ok(Outcome::Failed(error)),
        };
        let asked_ms = self.store.clock.now_ms();
        let outcome = self.keep_listed(account, &listed)?;
        if outcome != Outcome::More {
            self.reached(account, asked_ms)?;
        }
        Ok(outcome)
    }

    /// The list is read to its end as of `asked_ms`. On disk once a minute: it answers for transfers of hours ago.
    fn reached(&self, account: &Account, asked_ms: i64) -> Result<(), StoreError> {
        let before_ms = account.list_reach_ms.load(Ordering::Relaxed);
        if asked_ms < before_ms || asked_ms.saturating_sub(before_ms) >= REACH_EVERY_MS {
            self.store.note_list_reach(account.id, asked_ms)?;
            account.list_reach_ms.store(asked_ms, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Reads the newest transfers once more: what the bank told late, and what names no order.
    fn reread(
        &self,
        account: &Account,
        wire: &mut dyn Wire,
        page: u32,
        back_ms: i64,
    ) -> Result<Outcome, StoreError> {
        let now_ms = self.store.clock.now_ms();
        let what = Reread {
            since_ms: now_ms.saturating_sub(back_ms),
            now_ms,
            page,
        };
        let listed = match account.provider.reread(wire, what) {
            Ok(listed) => listed,
            Err(error) => return Ok(Outcome::Failed(error)),
        };
        let outcome = self.keep_listed(account, &listed)?;
        if page == 0 {
            account.reread_begun_ms.store(now_ms, Ordering::Relaxed);
        }
        if outcome != Outcome::More {
            let begun_ms = account.reread_begun_ms.load(Ordering::Relaxed);
            self.reached(account, begun_ms.min(now_ms))?;
        }
        Ok(outcome)
    }

    fn keep_listed(&self, account: &Account, listed: &Listed) -> Result<Outcome, StoreError> {
        for what in &listed.unreadable {
            tracing::error!(account = %account.name, what, "ALARM: a row of the bank's list cannot be read; compare it by hand");
            let notice = super::notices::Notice {
                raw: what.as_bytes(),
                verdict: "unreadable",
                detail: what,
                trusted: false,
            };
            self.store.keep_notice(account.id, &notice)?;
        }
        self.keep(account, &listed.credits, listed.cursor.as_deref())?;
        Ok(if listed.more {
            Outcome::More
        } else {
            Outcome::Answered { closed: false }
        })
    }

    /// Keeps what an answer told, and wakes who waits for it.
    fn keep(
        &self,
        account: &Account,
        credits: &[Result<Credit, NotACredit>],
        cursor: Option<&str>,
    ) -> Result<(), StoreError> {
        let changed = self
            .store
            .take_credits(account.id, credits, cursor, Source::Poll)?;
        for order in &changed {
            self.changed(account, order)?;
        }
        Ok(())
    }

    /// An order has a new credit.
    fn changed(&self, account: &Account, order: &str) -> Result<(), StoreError> {
        self.waiters.wake(order);
        if self
            .store
            .order(order)?
            .is_some_and(|order| order.is_paid())
        {
            let now_ms = self.now_ms();
            account.schedule().settle(order, now_ms);
        }
        Ok(())
    }

    /// Takes a notice. The answer says success only when what it told is durable.
    pub fn push(
        &self,
        account: &Account,
        raw: &[u8],
        header: &dyn Fn(&str) -> Option<String>,
    ) -> PushAnswer {
        let push = Push {
            raw,
            header,
            now_s: self.store.clock.now_ms().div_euclid(1_000),
        };
        let read = account.provider.read_push(&push);
        match self.take_push(account, raw, read) {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(account = %account.name, %error, "a notice could not be kept; the provider sends it again");
                PushAnswer {
                    status: 503,
                    body: r#"{"success":false}"#,
                }
            }
        }
    }

    fn take_push(
        &self,
        account: &Account,
        raw: &[u8],
        read: Result<Pushed, payqr::provider::Reject>,
    ) -> Result<PushAnswer, StoreError> {
        let counts = &account.counts;
        let (count, verdict, detail, status) = match &read {
            Ok(Pushed::Hint(orders)) => {
                let now_ms = self.now_ms();
                for order in orders {
                    account.schedule().ask_now(order, now_ms);
                }
                account.nudge();
                (&counts.hints, "hint", String::new(), 200)
            }
            Ok(Pushed::Credit(Ok(credit))) => {
                let taken = self.store.take_credit(account.id, credit, Source::Push)?;
                if let Taken::New(Some(order)) = &taken {
                    self.changed(account, order)?;
                }
                match taken {
                    Taken::New(_) => (&counts.credited, "credited", String::new(), 200),
                    Taken::Known => (&counts.known, "known", String::new(), 200),
                    Taken::Conflict => (&counts.known, "conflict", String::new(), 200),
                }
            }
            Ok(Pushed::Credit(Err(not))) => (&counts.no_credit, "no_credit", not.to_string(), 200),
            Err(reject) => {
                let status = reject.http_status();
                (&counts.forged, "refused", reject.to_string(), status)
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        if status != 200 {
            tracing::warn!(account = %account.name, detail, "a notice was refused");
        }
        let notice = super::notices::Notice {
            raw,
            verdict,
            detail: &detail,
            trusted: matches!(read, Ok(Pushed::Credit(_))),
        };
        self.store.keep_notice(account.id, &notice)?;
        Ok(PushAnswer {
            status,
            body: match status {
                200 => account.provider.accepted(),
                _ => r#"{"success":false}"#,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::settings::{Keys, Payment};
    use super::*;
    use crate::{clock::Clock, config::Config, store::Store};
    use payqr::provider::Secret;

    #[test]
    fn what_became_due_before_a_rest_begins_ends_it() {
        // Proves that an offer made between a poller's last look and its rest is asked about at once: a poller that rests
        // for an hour at most gets up for it, although nobody wakes it any more.
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new(folder.path());
        (config.clock, _) = Clock::manual(1_795_312_800_000);
        let store = Arc::new(Store::open(&config).unwrap());
        let payment = Payment {
            name: "main".into(),
            account_number: "0011004000111".into(),
            stores: vec![],
            url: "http://127.0.0.1:1".into(),
            requests_per_second: 10,
            keys: Keys::PayOs {
                client_id: Secret::new("client"),
                api_key: Secret::new("key"),
                checksum_key: Secret::new("checksum"),
                page: "https://example.vn".into(),
            },
        };
        let relay = Relay::open(store, &[payment]).unwrap();
        let (account, now_ms) = (&relay.accounts()[0], relay.now_ms());
        assert_eq!(account.take(now_ms), None);
        account
            .schedule()
            .add("HS0000001", now_ms, now_ms + 60_000, now_ms);
        account.nudge();
        account.rest(now_ms, Duration::from_secs(3_600));
        assert_eq!(
            account.take(now_ms),
            Some(Job::Create("HS0000001".to_owned()))
        );
    }
}
