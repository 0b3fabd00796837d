//! When a provider is asked what. Pure: the time is a parameter, so a day can pass in a test.
//!
//! Asking is the base, notices only make it faster: an order is asked about every second in its first minute, more
//! slowly after, once shortly before its late window ends, a last time when it has ended, and never not. The account's
//! limits are shared by all its kiosks, and every fifth question is for orders without a shopper in front of them.
//! Nothing here gives up: a failing provider is asked again with longer pauses, for as long as it takes.

mod reread;
mod rhythm;

use super::provider::{Capabilities, ProviderError};
use reread::Rereading;
use rhythm::{LIST_HOT_MS, list_pause, look_after_restart, next_look};
use std::collections::{BTreeMap, BTreeSet};
use touchpoint::relay::{BankHealth, BankSide};

/// Longest pause after failures; a shopper may be waiting.
const BACKOFF_MS_MAX: i64 = 15_000;
const BACKOFF_MS: i64 = 500;
/// Pause when the provider refuses our keys: nothing but a person helps.
const KEYS_PAUSE_MS: i64 = 30_000;
/// The longest pause a provider may ask for.
const RETRY_AFTER_MS_MAX: i64 = 300_000;
/// An answer that took this long is slow.
const SLOW_MS: u64 = 2_000;
/// Without an answer for this long, and failing, the bank side is called unreachable.
const UNREACHABLE_MS: i64 = 5_000;
/// One question in so many is for orders that are only watched, when one of them is due: shoppers alone may ask for more
/// than the account allows, all day long.
const WATCH_SHARE: u32 = 5;

/// One question to the provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Job {
    /// Ask for a code.
    Create(String),
    /// Ask what came in for an order.
    Observe(String),
    /// Take a code back.
    Cancel(String),
    /// Read on in the account's list.
    List,
    /// Read what arrived lately once more.
    Reread {
        /// Page, from 0.
        page: u32,
        /// How far back, milliseconds.
        back_ms: i64,
    },
}

/// What a question came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The provider answered, and takes no more money for the order when `closed`.
    Answered {
        /// It is paid, cancelled or expired there.
        closed: bool,
    },
    /// The code was made.
    Made,
    /// The provider does not know the order: it must be created.
    Absent,
    /// The list has more now.
    More,
    /// No usable answer.
    Failed(ProviderError),
    /// The provider's answer could not be kept: our own disk. Nothing moved.
    NotKept,
}

/// Shopper in front of it first, then the two looks about the end of a late window, then the slow watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Now,
    Soon,
    Ending,
    Watch,
}

const RANKS: [Rank; 4] = [Rank::Now, Rank::Soon, Rank::Ending, Rank::Watch];
/// Two looks for each order and day: they cannot keep the others of the share away.
const RANKS_OF_SHARE: [Rank; 4] = [Rank::Ending, Rank::Watch, Rank::Now, Rank::Soon];

#[derive(Debug, Clone, PartialEq, Eq)]
struct Watched {
    created_ms: i64,
    watch_until_ms: i64,
    next: Next,
    rank: Rank,
    due_ms: i64,
    flying: bool,
    /// Asked for while a question was flying: ask again at once.
    again: bool,
    /// Paid, withdrawn, or closed at the provider: only stray money may still come.
    settled: bool,
    answered_ms: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    Create,
    Observe,
    Cancel,
}

/// What is to be asked on one account.
#[derive(Debug)]
pub struct Schedule {
    can: Capabilities,
    gap_ms: i64,
    orders: BTreeMap<String, Watched>,
    due: BTreeSet<(Rank, i64, String)>,
    list_due_ms: i64,
    list_flying: bool,
    list_answered_ms: Option<i64>,
    reread: Rereading,
    newest_offer_ms: Option<i64>,
    next_slot_ms: i64,
    /// Questions about orders and readings of the list since the last one of [`WATCH_SHARE`].
    since_share: u32,
    paused_until_ms: i64,
    health: Health,
}

#[derive(Debug, Default)]
struct Health {
    answered_in_ms: Option<u64>,
    failing_since_ms: Option<i64>,
    failures: u32,
}

impl Schedule {
    /// An empty schedule for a provider that may be asked `requests_per_second` times.
    #[must_use]
    pub fn new(can: Capabilities, requests_per_second: u32) -> Self {
        Self {
            can,
            gap_ms: 1_000_i64.div_ceil_positive(i64::from(requests_per_second.max(1))),
            orders: BTreeMap::new(),
            due: BTreeSet::new(),
            list_due_ms: i64::MIN,
            list_flying: false,
            list_answered_ms: None,
            reread: Rereading::default(),
            newest_offer_ms: None,
            next_slot_ms: i64::MIN,
            since_share: 0,
            paused_until_ms: i64::MIN,
            health: Health::default(),
        }
    }

    /// Just started: what arrived while nobody asked, for `asked_not_ms`, is looked for over the whole window and that
    /// time, a moment after the shoppers who wait already.
    pub fn started(&mut self, now_ms: i64, asked_not_ms: i64) {
        self.reread.started(now_ms, asked_not_ms);
    }

    /// A new offer: its code is asked for at once, or it is only watched when the provider makes none.
    pub fn add(&mut self, order: &str, created_ms: i64, watch_until_ms: i64, now_ms: i64) {
        self.begin(order, created_ms, watch_until_ms, Next::Create, now_ms);
    }

    /// An offer from before a restart. `made`: its code exists; otherwise the provider may or may not know it, and is
    /// asked before anything is created.
    /// `shift_ms` turns the times on disk into this clock's.
    pub fn resume(&mut self, order: &super::ledger::Order, shift_ms: i64, now_ms: i64) {
        let created = order.created_ms.saturating_add(shift_ms);
        let until = order.watch_until_ms.saturating_add(shift_ms);
        let next = if order.asked || order.made.is_some() {
            Next::Observe
        } else {
            Next::Create
        };
        self.begin(&order.code, created, until, next, now_ms);
        let gone = order.withdrawn || order.refused.is_some();
        let settled = order.is_paid() || gone;
        if next == Next::Observe || settled {
            // All are looked at soon, but a shopper who comes now does not wait for them.
            let (rank, due_ms) = look_after_restart(created, until, settled, now_ms);
            self.put(&order.code, rank, due_ms, |watched| {
                watched.settled = settled;
            });
        }
        if gone && !order.cancelled && !order.is_paid() {
            self.cancel(&order.code, now_ms);
        }
    }

    /// An offer was made: the list is read often for a while.
    pub fn note_offer(&mut self, created_ms: i64, now_ms: i64) {
        self.newest_offer_ms = self.newest_offer_ms.max(Some(created_ms));
        if self.can.lists_credits && !self.list_flying {
            self.list_due_ms = self.list_due_ms.min(now_ms.saturating_add(LIST_HOT_MS));
        }
        self.reread.note_offer(now_ms);
    }

    fn begin(
        &mut self,
        order: &str,
        created_ms: i64,
        watch_until_ms: i64,
        next: Next,
        now_ms: i64,
    ) {
        self.note_offer(created_ms, now_ms);
        if !self.can.observes_orders || self.orders.contains_key(order) {
            return;
        }
        let next = match next {
            Next::Create if !self.can.makes_codes => Next::Observe,
            other => other,
        };
        let watched = Watched {
            created_ms,
            watch_until_ms,
            next,
            rank: Rank::Now,
            due_ms: now_ms,
            flying: false,
            again: false,
            settled: false,
            answered_ms: None,
        };
        self.due.insert((Rank::Now, now_ms, order.to_owned()));
        self.orders.insert(order.to_owned(), watched);
    }

    /// Somebody wants to know now: a withdrawal, a notice that could not be used.
    pub fn ask_now(&mut self, order: &str, now_ms: i64) {
        if self.can.lists_credits && !self.list_flying {
            self.list_due_ms = now_ms;
        }
        self.put(order, Rank::Now, now_ms, |watched| {
            watched.again = watched.flying;
        });
    }

    /// The kiosk took the offer back: so does the provider, if it can.
    pub fn cancel(&mut self, order: &str, now_ms: i64) {
        if !self.can.cancels {
            return;
        }
        self.put(order, Rank::Now, now_ms, |watched| {
            watched.next = Next::Cancel;
            watched.again = watched.flying;
        });
    }

    /// Paid or withdrawn: only stray money may still come, and it is looked for slowly.
    pub fn settle(&mut self, order: &str, now_ms: i64) {
        let Some(watched) = self.orders.get(order).filter(|found| !found.settled) else {
            // Its next look stands; one that is overdue is not put off.
            return;
        };
        let (rank, due_ms) = next_look(watched.created_ms, watched.watch_until_ms, true, now_ms);
        self.put(order, rank, due_ms, |watched| watched.settled = true);
    }

    /// Nothing is asked about it any more.
    pub fn forget(&mut self, order: &str) {
        if let Some(watched) = self.orders.remove(order) {
            self.due
                .remove(&(watched.rank, watched.due_ms, order.to_owned()));
        }
    }

    fn put(&mut self, order: &str, rank: Rank, due_ms: i64, change: impl FnOnce(&mut Watched)) {
        let Some(watched) = self.orders.get_mut(order) else {
            return;
        };
        change(watched);
        if !watched.flying {
            self.due
                .remove(&(watched.rank, watched.due_ms, order.to_owned()));
            self.due.insert((rank, due_ms, order.to_owned()));
        }
        (watched.rank, watched.due_ms) = (rank, due_ms);
    }

    /// The next question, when one is due and the limits allow it. It counts as asked.
    pub fn take(&mut self, now_ms: i64) -> Option<Job> {
        if now_ms < self.next_slot_ms || now_ms < self.paused_until_ms {
            return None;
        }
        let job = self.pick(now_ms)?;
        self.next_slot_ms = now_ms.saturating_add(self.gap_ms);
        Some(job)
    }

    fn pick(&mut self, now_ms: i64) -> Option<Job> {
        let shares = self.since_share + 1 >= WATCH_SHARE;
        if shares && let Some(job) = self.reread(now_ms) {
            self.since_share = 0;
            return Some(job);
        }
        let ranks = if shares { RANKS_OF_SHARE } else { RANKS };
        let found = ranks
            .into_iter()
            .find_map(|rank| self.first(rank).filter(|(_, due_ms, _)| *due_ms <= now_ms));
        if let Some(entry) = found.cloned() {
            let is_share = matches!(entry.0, Rank::Ending | Rank::Watch);
            // Without anything to share the turn is kept for the first that becomes due.
            self.since_share = if is_share {
                0
            } else {
                self.since_share.saturating_add(1)
            };
            self.due.remove(&entry);
            let (_, _, order) = entry;
            let watched = self.orders.get_mut(&order)?;
            watched.flying = true;
            watched.again = false;
            return Some(match watched.next {
                Next::Create => Job::Create(order),
                Next::Observe => Job::Observe(order),
                Next::Cancel => Job::Cancel(order),
            });
        }
        if self.can.lists_credits && !self.list_flying && self.list_due_ms <= now_ms {
            self.list_flying = true;
            // It is due each second while shoppers wait, and its turns must not be all there are.
            self.since_share = self.since_share.saturating_add(1);
            return Some(Job::List);
        }
        self.reread(now_ms)
    }

    fn reread(&mut self, now_ms: i64) -> Option<Job> {
        self.can.rereads.then(|| self.reread.take(now_ms)).flatten()
    }

    /// The order of a rank that is due first, now or later.
    fn first(&self, rank: Rank) -> Option<&(Rank, i64, String)> {
        let from = (rank, i64::MIN, String::new());
        let found = self.due.range(from..).next();
        found.filter(|(of, _, _)| *of == rank)
    }

    /// When [`Schedule::take`] may have something next.
    #[must_use]
    pub fn next_ms(&self) -> Option<i64> {
        let orders = RANKS
            .into_iter()
            .filter_map(|rank| self.first(rank).map(|(_, due_ms, _)| *due_ms))
            .min();
        let list = (self.can.lists_credits && !self.list_flying).then_some(self.list_due_ms);
        let again = self.reread.due_ms().filter(|_| self.can.rereads);
        let due = orders.into_iter().chain(list).chain(again).min()?;
        Some(due.max(self.next_slot_ms).max(self.paused_until_ms))
    }

    /// Whether a question is on its way.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        let asked = |watched: &Watched| watched.flying;
        self.list_flying || self.reread.is_flying() || self.orders.values().any(asked)
    }

    /// A question came to its end. `took_ms`: from asking to answer.
    pub fn done(&mut self, job: &Job, outcome: &Outcome, now_ms: i64, took_ms: u64) {
        self.note_health(outcome, now_ms, took_ms);
        match job {
            Job::List => self.list_done(outcome, now_ms),
            Job::Reread { .. } => {
                let age_ms = self
                    .newest_offer_ms
                    .map(|offer| now_ms.saturating_sub(offer));
                self.reread.done(outcome, age_ms, now_ms);
            }
            Job::Create(order) | Job::Observe(order) | Job::Cancel(order) => {
                self.order_done(job, order, outcome, now_ms);
            }
        }
    }

    fn note_health(&mut self, outcome: &Outcome, now_ms: i64, took_ms: u64) {
        let error = match outcome {
            Outcome::NotKept => return,
            Outcome::Failed(error) => error,
            _ => {
                self.health = Health {
                    answered_in_ms: Some(took_ms),
                    ..Health::default()
                };
                return;
            }
        };
        // A refusal is an answer: the provider is there.
        if matches!(error, ProviderError::Refused(_)) {
            self.health.answered_in_ms = Some(took_ms);
            return;
        }
        self.health.failures = self.health.failures.saturating_add(1);
        self.health.failing_since_ms.get_or_insert(now_ms);
        let doubled = BACKOFF_MS << self.health.failures.saturating_sub(1).min(8);
        let pause_ms = match error {
            ProviderError::Keys(_) => KEYS_PAUSE_MS,
            ProviderError::Busy {
                retry_after_ms: Some(ms),
                ..
            } => i64::try_from(*ms)
                .unwrap_or(i64::MAX)
                .clamp(BACKOFF_MS, RETRY_AFTER_MS_MAX),
            _ => doubled.min(BACKOFF_MS_MAX),
        };
        self.paused_until_ms = self.paused_until_ms.max(now_ms.saturating_add(pause_ms));
    }

    fn list_done(&mut self, outcome: &Outcome, now_ms: i64) {
        self.list_flying = false;
        self.list_due_ms = match outcome {
            Outcome::More => {
                self.list_answered_ms = Some(now_ms);
                now_ms
            }
            Outcome::Answered { .. } => {
                self.list_answered_ms = Some(now_ms);
                let age_ms = self
                    .newest_offer_ms
                    .map(|offer| now_ms.saturating_sub(offer));
                now_ms.saturating_add(list_pause(age_ms))
            }
            _ => now_ms.saturating_add(BACKOFF_MS),
        };
    }

    fn order_done(&mut self, job: &Job, order: &str, outcome: &Outcome, now_ms: i64) {
        let Some(watched) = self.orders.get_mut(order) else {
            return;
        };
        watched.flying = false;
        let again = std::mem::take(&mut watched.again);
        let (rank, due_ms) = match outcome {
            Outcome::Failed(_) | Outcome::NotKept => {
                // What was asked without an answer may have arrived: look before doing it again.
                if matches!(job, Job::Create(_)) && !matches!(watched.next, Next::Cancel) {
                    watched.next = Next::Observe;
                }
                (watched.rank, now_ms.saturating_add(BACKOFF_MS))
            }
            Outcome::Absent => {
                watched.answered_ms = Some(now_ms);
                watched.next = Next::Create;
                (Rank::Now, now_ms)
            }
            Outcome::Made => {
                watched.answered_ms = Some(now_ms);
                if watched.next == Next::Create {
                    watched.next = Next::Observe;
                }
                (Rank::Soon, now_ms.saturating_add(1_000))
            }
            Outcome::Answered { closed } => {
                watched.answered_ms = Some(now_ms);
                watched.settled |= closed;
                if matches!(job, Job::Cancel(_)) || watched.next == Next::Create {
                    watched.next = Next::Observe;
                }
                let (created, until) = (watched.created_ms, watched.watch_until_ms);
                next_look(created, until, watched.settled, now_ms)
            }
            Outcome::More => (Rank::Soon, now_ms),
        };
        let (rank, due_ms) = if again {
            (Rank::Now, now_ms)
        } else {
            (rank, due_ms)
        };
        (watched.rank, watched.due_ms) = (rank, due_ms);
        self.due.insert((rank, due_ms, order.to_owned()));
    }

    /// Whether the order's last look, after its late window, has been answered.
    #[must_use]
    pub fn is_over(&self, order: &str) -> bool {
        self.orders.get(order).is_some_and(|watched| {
            watched
                .answered_ms
                .is_some_and(|answered| answered > watched.watch_until_ms)
        })
    }

    /// When the bank side last answered a question that covers this order.
    #[must_use]
    pub fn answered_ms(&self, order: &str) -> Option<i64> {
        if self.can.lists_credits {
            self.list_answered_ms
        } else {
            self.orders.get(order)?.answered_ms
        }
    }

    /// The bank side as it was last met, for an order's answer.
    #[must_use]
    pub fn bank_side(&self, order: &str, now_ms: i64) -> BankSide {
        let answered = self.answered_ms(order);
        let health = match (self.health.failing_since_ms, self.health.answered_in_ms) {
            (Some(since), _)
                if now_ms.saturating_sub(since) >= UNREACHABLE_MS || self.health.failures >= 3 =>
            {
                BankHealth::Unreachable
            }
            (Some(_), _) => BankHealth::Slow,
            (None, None) => BankHealth::NotAsked,
            (None, Some(took_ms)) if took_ms >= SLOW_MS => BankHealth::Slow,
            (None, Some(_)) => BankHealth::Ok,
        };
        BankSide {
            answered_in_ms: self.health.answered_in_ms,
            asked_ago_ms: answered.map(|at| now_ms.saturating_sub(at).max(0).unsigned_abs()),
            health,
        }
    }

    /// How many orders are watched.
    #[must_use]
    pub fn watched(&self) -> usize {
        self.orders.len()
    }
}

trait DivCeil {
    fn div_ceil_positive(self, by: i64) -> i64;
}

impl DivCeil for i64 {
    fn div_ceil_positive(self, by: i64) -> i64 {
        (self + by - 1) / by
    }
}

#[cfg(test)]
mod tests;
