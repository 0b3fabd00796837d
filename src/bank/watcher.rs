//! The threads that ask the bank side about every open offer.
//!
//! Offers outlive their screen: an offer that was left is still watched, more
//! slowly, until the counter forgets it. An error is never an answer; the
//! question is simply asked again.
//!
//! What is to be done stands in one table, an entry for each order, so nothing
//! can be dropped for want of room in a queue. One thread asks short questions;
//! another holds the long one about the code on the screen, so that news of it
//! comes at once and never keeps the other offers waiting.

use super::{Answer, Asked, Confirm, Known, ProviderError, QrPaymentProvider};
use crate::clock::mono_ms;
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

/// Pause between two short questions about the offer on the screen, with and without a long one.
const SHOWN_PAUSE_MS: u64 = 2_000;
const SHOWN_ALONE_PAUSE_MS: u64 = 500;
/// Pause while the provider makes its code.
const CREATING_PAUSE_MS: u64 = 200;
/// Pause while the counter waits for the bank's word about an earlier offer.
const FRESH_PAUSE_MS: u64 = 400;
/// How long the counter waits for it; see `Limits::offer_check_ms`.
const FRESH_FOR_MS: u64 = 20_000;
/// Pause between two questions about an offer that was left, and between questions about different
/// ones: a shop that has many still asks seldom.
const LEFT_PAUSE_MS: u64 = 15_000;
const LEFT_SPACING_MS: u64 = 500;
/// Longest pause after errors, on the screen and off it.
const SHOWN_BACKOFF_MS_MAX: u64 = 3_000;
const LEFT_BACKOFF_MS_MAX: u64 = 30_000;

/// Between two looks at a provider that cannot be asked at all.
const READY_PAUSE_MS: u64 = 10_000;

/// News from the bank side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BankEvent {
    /// The provider cannot be asked at all until a person acts.
    NotReady {
        /// What to do.
        why: ProviderError,
    },
    /// Now it can.
    Ready,
    /// The bank side knows the offer; its code may be shown.
    Offered {
        /// Order code.
        order: String,
        /// What the bank side said, its own code included.
        answer: Answer,
    },
    /// The bank side refused the offer for good, or its code is wrong.
    Refused {
        /// Order code.
        order: String,
        /// Why, for staff.
        why: ProviderError,
    },
    /// An answer about an order, whatever it says.
    Answered {
        /// Order code.
        order: String,
        /// What the bank side knows.
        answer: Answer,
        /// It answers a wish to take the offer back.
        cancelling: bool,
    },
    /// No answer; the money may have come or not.
    Silent {
        /// Order code.
        order: String,
        /// What went wrong, for staff.
        why: ProviderError,
    },
}

/// Tells the threads what to watch; never blocks. They end when every handle is gone.
#[derive(Clone)]
pub struct BankHandle {
    open: Arc<Open>,
}

/// Closes the table when the last handle is dropped.
struct Open {
    table: Arc<Table>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.table.lock().closed = true;
        self.table.changed.notify_all();
    }
}

#[derive(Default)]
struct Table {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    orders: BTreeMap<String, Watched>,
    closed: bool,
}

impl Table {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every change is whole; a panicked holder left the table sound.
        self.state
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }
}

/// One order.
struct Watched {
    /// Still to be announced.
    announce: Option<Asked>,
    /// Announced; the provider is making its code.
    creating: bool,
    withdraw: bool,
    /// Somebody may have seen its code.
    seen: bool,
    known: Known,
    shown: bool,
    due_ms: u64,
    failures: u32,
    /// The counter waits for a word of the bank that is not older than this.
    fresh_since_ms: Option<u64>,
    asking: bool,
    asking_long: bool,
}

impl Watched {
    fn new(shown: bool) -> Self {
        Self {
            announce: None,
            creating: false,
            withdraw: false,
            seen: false,
            known: Known::default(),
            shown,
            due_ms: 0,
            failures: 0,
            fresh_since_ms: None,
            asking: false,
            asking_long: false,
        }
    }

    /// What comes first: lower is sooner.
    fn rank(&self) -> u8 {
        match self {
            Self {
                announce: Some(_), ..
            } => 0,
            Self { withdraw: true, .. } => 1,
            Self {
                fresh_since_ms: Some(_),
                ..
            } => 2,
            Self { shown: true, .. } => 3,
            _ => 4,
        }
    }

    fn pause_ms(&self, left: u64) -> u64 {
        if self.failures == 0 {
            return match self {
                Self { creating: true, .. } => CREATING_PAUSE_MS,
                Self {
                    fresh_since_ms: Some(_),
                    ..
                } => FRESH_PAUSE_MS,
                Self {
                    shown: true,
                    asking_long: true,
                    ..
                } => SHOWN_PAUSE_MS,
                Self { shown: true, .. } => SHOWN_ALONE_PAUSE_MS,
                _ => LEFT_PAUSE_MS.max(left * LEFT_SPACING_MS),
            };
        }
        let soon = self.shown || self.fresh_since_ms.is_some() || self.withdraw;
        let (pause, longest) = if soon {
            (SHOWN_ALONE_PAUSE_MS, SHOWN_BACKOFF_MS_MAX)
        } else {
            (LEFT_PAUSE_MS, LEFT_BACKOFF_MS_MAX)
        };
        (pause << self.failures.min(8)).min(longest)
    }
}

impl BankHandle {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.open.table.lock());
        self.open.table.changed.notify_all();
    }

    /// Announces an offer and watches it as the one on the screen.
    pub fn offer(&self, asked: Asked) {
        self.change(|state| {
            let order = asked.offer.order.clone();
            let mut watched = Watched::new(true);
            watched.announce = Some(asked);
            state.orders.insert(order, watched);
        });
    }

    /// Watches an order announced earlier; `shown` when its code is on the screen.
    pub fn watch(&self, order: String, shown: bool) {
        self.change(|state| {
            let watched = state.orders.entry(order);
            let watched = watched.or_insert_with(|| Watched::new(shown));
            watched.shown = shown;
            watched.seen = true;
            watched.due_ms = 0;
        });
    }

    /// Asks about an order now, and again until the bank itself has been asked since.
    pub fn check(&self, order: String) {
        self.change(|state| {
            let watched = state.orders.entry(order);
            let watched = watched.or_insert_with(|| Watched::new(false));
            watched.seen = true;
            watched.fresh_since_ms = Some(mono_ms());
            watched.due_ms = 0;
        });
    }

    /// Takes the offer back at the bank and watches on, slowly.
    pub fn withdraw(&self, order: String) {
        self.change(|state| {
            let watched = state.orders.entry(order);
            let watched = watched.or_insert_with(|| Watched::new(false));
            watched.announce = None;
            watched.creating = false;
            watched.shown = false;
            watched.withdraw = true;
            watched.due_ms = 0;
        });
    }

    /// The counter is done with the order.
    pub fn forget(&self, order: &str) {
        self.change(|state| {
            state.orders.remove(order);
        });
    }
}

/// Starts the threads. They end when every handle is dropped.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(
    provider: Arc<dyn QrPaymentProvider>,
    on_event: impl FnMut(BankEvent) + Send + 'static,
) -> std::io::Result<BankHandle> {
    let table = Arc::new(Table::default());
    let watcher = Arc::new(Watcher {
        table: table.clone(),
        provider: provider.clone(),
        on_event: Mutex::new(on_event),
    });
    let short = watcher.clone();
    std::thread::Builder::new()
        .name("bank".into())
        .spawn(move || short.run())?;
    if provider.capabilities().long_poll_ms_max > 0 {
        std::thread::Builder::new()
            .name("bank-news".into())
            .spawn(move || watcher.run_long())?;
    }
    Ok(BankHandle {
        open: Arc::new(Open { table }),
    })
}

struct Watcher<E> {
    table: Arc<Table>,
    provider: Arc<dyn QrPaymentProvider>,
    on_event: Mutex<E>,
}

/// One question to ask.
enum Question {
    Create(Box<Asked>),
    Cancel,
    Observe(Known),
}

impl<E: FnMut(BankEvent)> Watcher<E> {
    fn tell(&self, event: BankEvent) {
        let mut on_event = self
            .on_event
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        on_event(event);
    }

    fn run(&self) {
        if !self.get_ready() {
            return;
        }
        while let Some((order, question)) = self.next_question() {
            let cancelling = matches!(question, Question::Cancel);
            let (created, result) = match question {
                Question::Create(asked) => (true, self.provider.create(&asked)),
                Question::Cancel => (false, self.provider.cancel(&order)),
                Question::Observe(known) => {
                    let answer = self.provider.observe(&order, known, Duration::ZERO);
                    (false, answer)
                }
            };
            match result {
                Ok(answer) => self.answered(&order, answer, created, cancelling),
                // It never arrived there, and nobody saw its code: there is nothing to take back.
                Err(ProviderError::UnknownOrder(_)) if cancelling && !self.was_seen(&order) => {
                    self.answered(&order, Answer::of_nobody(), created, cancelling);
                }
                Err(why) => self.failed(&order, why, created),
            }
        }
    }

    fn was_seen(&self, order: &str) -> bool {
        let state = self.table.lock();
        state.orders.get(order).is_some_and(|watched| watched.seen)
    }

    /// Waits until the provider can be asked at all; `false` at the end.
    fn get_ready(&self) -> bool {
        let mut said = false;
        while let Err(why) = self.provider.ready() {
            if !said {
                self.tell(BankEvent::NotReady { why });
                said = true;
            }
            let until_ms = mono_ms() + READY_PAUSE_MS;
            let mut state = self.table.lock();
            while !state.closed && mono_ms() < until_ms {
                let wait = Duration::from_millis(READY_PAUSE_MS);
                let waited = self.table.changed.wait_timeout(state, wait);
                state = waited.unwrap_or_else(|broken| broken.into_inner()).0;
            }
            if state.closed {
                return false;
            }
        }
        if said {
            self.tell(BankEvent::Ready);
        }
        true
    }

    /// Waits for the next short question; `None` at the end.
    fn next_question(&self) -> Option<(String, Question)> {
        let mut state = self.table.lock();
        loop {
            if state.closed {
                return None;
            }
            let now_ms = mono_ms();
            let waiting = state.orders.iter().filter(|(_, watched)| !watched.asking);
            let due = waiting
                .clone()
                .filter(|(_, watched)| watched.due_ms <= now_ms)
                .min_by_key(|(_, watched)| (watched.rank(), watched.due_ms));
            if let Some(order) = due.map(|(order, _)| order.clone()) {
                let watched = state.orders.get_mut(&order)?;
                watched.asking = true;
                let question = match &watched.announce {
                    Some(asked) => Question::Create(Box::new(asked.clone())),
                    None if watched.withdraw => Question::Cancel,
                    None => Question::Observe(watched.known),
                };
                return Some((order, question));
            }
            let next_ms = waiting.map(|(_, watched)| watched.due_ms).min();
            state = match next_ms {
                Some(next_ms) => {
                    let wait = Duration::from_millis(next_ms.saturating_sub(now_ms).max(1));
                    let waited = self.table.changed.wait_timeout(state, wait);
                    waited.unwrap_or_else(|broken| broken.into_inner()).0
                }
                None => {
                    let waited = self.table.changed.wait(state);
                    waited.unwrap_or_else(|broken| broken.into_inner())
                }
            };
        }
    }

    /// An answer to a short question.
    fn answered(&self, order: &str, answer: Answer, created: bool, cancelling: bool) {
        let statement_only = self.provider.capabilities().confirm == Confirm::StatementOnly;
        let mut offered = false;
        {
            let mut state = self.table.lock();
            let left = count(&state);
            let Some(watched) = state.orders.get_mut(order) else {
                return;
            };
            watched.asking = false;
            watched.failures = 0;
            if created && watched.announce.take().is_some() {
                watched.creating = true;
            }
            if cancelling {
                watched.withdraw = false;
            }
            if watched.creating && !answer.creating {
                watched.creating = false;
                watched.seen = true;
                offered = true;
            }
            watched.learn(&answer);
            watched.due_ms = match statement_only {
                // Nobody answers more than this; a question would only repeat it.
                true => u64::MAX,
                false => mono_ms() + watched.pause_ms(left),
            };
            if cancelling && !watched.seen {
                // Nobody can have paid what nobody saw.
                state.orders.remove(order);
            }
        }
        self.table.changed.notify_all();
        if offered {
            self.tell(BankEvent::Offered {
                order: order.into(),
                answer: answer.clone(),
            });
            if answer.credits.is_empty() {
                return;
            }
        }
        self.tell(BankEvent::Answered {
            order: order.into(),
            answer,
            cancelling,
        });
    }

    fn failed(&self, order: &str, why: ProviderError, created: bool) {
        let refused;
        {
            let mut state = self.table.lock();
            let left = count(&state);
            let Some(watched) = state.orders.get_mut(order) else {
                return;
            };
            watched.asking = false;
            refused = (created || watched.creating) && why.is_permanent();
            watched.failures = watched.failures.saturating_add(1);
            let pause_ms = match &why {
                ProviderError::Busy { retry_after_ms } => *retry_after_ms,
                _ => watched.pause_ms(left),
            };
            watched.due_ms = mono_ms() + pause_ms;
            if refused {
                state.orders.remove(order);
            }
        }
        let order = order.into();
        self.tell(match refused {
            true => BankEvent::Refused { order, why },
            false => BankEvent::Silent { order, why },
        });
    }

    /// Holds the long question about the code on the screen.
    fn run_long(&self) {
        let wait = Duration::from_millis(self.provider.capabilities().long_poll_ms_max);
        while let Some((order, known)) = self.next_long() {
            let result = self.provider.observe(&order, known, wait);
            let mut state = self.table.lock();
            let Some(watched) = state.orders.get_mut(&order) else {
                continue;
            };
            watched.asking_long = false;
            match result {
                Ok(answer) => {
                    watched.failures = 0;
                    watched.learn(&answer);
                    drop(state);
                    self.tell(BankEvent::Answered {
                        order,
                        answer,
                        cancelling: false,
                    });
                }
                Err(why) => {
                    // The short questions go on; this one waits until they are answered.
                    watched.failures = watched.failures.saturating_add(1);
                    watched.due_ms = watched.due_ms.min(mono_ms() + watched.pause_ms(0));
                    drop(state);
                    self.table.changed.notify_all();
                    self.tell(BankEvent::Silent { order, why });
                }
            }
        }
    }

    /// Waits for a code on the screen that can be asked about; `None` at the end.
    fn next_long(&self) -> Option<(String, Known)> {
        let mut state = self.table.lock();
        loop {
            if state.closed {
                return None;
            }
            let wanted = state.orders.iter_mut().find(|(_, watched)| {
                let settled = watched.announce.is_none() && !watched.creating && !watched.withdraw;
                watched.shown && settled && watched.failures == 0
            });
            if let Some((order, watched)) = wanted {
                watched.asking_long = true;
                return Some((order.clone(), watched.known));
            }
            let waited = self.table.changed.wait(state);
            state = waited.unwrap_or_else(|broken| broken.into_inner());
        }
    }
}

impl Watched {
    fn learn(&mut self, answer: &Answer) {
        self.known = Known {
            credits: answer.credits.len(),
            revision: answer.revision,
        };
        let now_ms = mono_ms();
        let asked_ms = answer.asked_ago_ms.map(|ago| now_ms.saturating_sub(ago));
        if let Some(since_ms) = self.fresh_since_ms {
            let answered = asked_ms.is_some_and(|asked_ms| asked_ms >= since_ms);
            if answered || now_ms > since_ms + FRESH_FOR_MS {
                self.fresh_since_ms = None;
            }
        }
    }
}

/// Offers off the screen.
fn count(state: &State) -> u64 {
    let left = state.orders.values().filter(|watched| !watched.shown);
    left.count() as u64
}

#[cfg(test)]
mod tests;
