//! The thread that asks the bank side about every open offer.
//!
//! Offers outlive their screen: an offer that was left is still watched, more
//! slowly, until the counter forgets it. An error is never an answer; the
//! question is simply asked again.

use super::{Offer, OrderState, ProviderError, QrPaymentProvider};
use crate::clock::mono_ms;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

/// Commands that may wait for the thread; a counter has a handful of offers.
const COMMANDS_MAX: usize = 64;
/// Pause between two questions about the offer on the screen.
const SHOWN_PAUSE_MS: u64 = 250;
/// Pause between two questions about an offer that was left.
const LEFT_PAUSE_MS: u64 = 15_000;
/// Longest pause after errors, on the screen and off it.
const SHOWN_BACKOFF_MS_MAX: u64 = 3_000;
const LEFT_BACKOFF_MS_MAX: u64 = 60_000;

/// News from the bank side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BankEvent {
    /// The bank side knows the offer; its code may be shown.
    Offered {
        /// Order code.
        order: String,
    },
    /// The bank side refused the offer for good.
    Refused {
        /// Order code.
        order: String,
        /// Its reason, for staff.
        why: String,
    },
    /// An answer about an order, whatever it says.
    Answer {
        /// Order code.
        order: String,
        /// What the bank side knows.
        state: OrderState,
    },
    /// No answer; the money may have come or not.
    Silent {
        /// Order code.
        order: String,
        /// What went wrong, for staff.
        why: ProviderError,
    },
}

enum Command {
    Offer(Offer),
    Watch(String),
    Leave(String),
    Withdraw(String),
    Forget(String),
}

/// Sends commands to the watcher; never blocks.
#[derive(Clone, Debug)]
pub struct BankHandle {
    commands: SyncSender<Command>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (verb, order) = match self {
            Self::Offer(offer) => ("offer", &offer.order),
            Self::Watch(order) => ("watch", order),
            Self::Leave(order) => ("leave", order),
            Self::Withdraw(order) => ("withdraw", order),
            Self::Forget(order) => ("forget", order),
        };
        write!(f, "{verb} {order}")
    }
}

/// The watcher's queue is full or its thread is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the QR payment watcher does not take commands; restart the kiosk program")]
pub struct WatcherStuck;

impl BankHandle {
    fn send(&self, command: Command) -> Result<(), WatcherStuck> {
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                TrySendError::Full(_) | TrySendError::Disconnected(_) => WatcherStuck,
            })
    }

    /// Announces an offer and watches it as the one on the screen.
    ///
    /// # Errors
    /// [`WatcherStuck`]: nothing was announced.
    pub fn offer(&self, offer: Offer) -> Result<(), WatcherStuck> {
        self.send(Command::Offer(offer))
    }

    /// Watches an order announced earlier (after a restart).
    ///
    /// # Errors
    /// [`WatcherStuck`]: nothing is watched.
    pub fn watch(&self, order: String) -> Result<(), WatcherStuck> {
        self.send(Command::Watch(order))
    }

    /// The order left the screen; it is watched on, slowly.
    ///
    /// # Errors
    /// [`WatcherStuck`].
    pub fn leave(&self, order: String) -> Result<(), WatcherStuck> {
        self.send(Command::Leave(order))
    }

    /// Takes the offer back at the bank and watches on.
    ///
    /// # Errors
    /// [`WatcherStuck`].
    pub fn withdraw(&self, order: String) -> Result<(), WatcherStuck> {
        self.send(Command::Withdraw(order))
    }

    /// The counter is done with the order.
    ///
    /// # Errors
    /// [`WatcherStuck`].
    pub fn forget(&self, order: String) -> Result<(), WatcherStuck> {
        self.send(Command::Forget(order))
    }
}

struct Watched {
    /// Still to be announced, with the pause after the last try.
    announce: Option<Offer>,
    withdraw: bool,
    known_credits: usize,
    shown: bool,
    due_ms: u64,
    failures: u32,
}

impl Watched {
    fn new(announce: Option<Offer>, shown: bool) -> Self {
        Self {
            announce,
            withdraw: false,
            known_credits: 0,
            shown,
            due_ms: 0,
            failures: 0,
        }
    }

    fn pause_ms(&self) -> u64 {
        let (pause, longest) = if self.shown {
            (SHOWN_PAUSE_MS, SHOWN_BACKOFF_MS_MAX)
        } else {
            (LEFT_PAUSE_MS, LEFT_BACKOFF_MS_MAX)
        };
        (pause << self.failures.min(8)).min(longest)
    }
}

struct Watcher<E> {
    provider: Box<dyn QrPaymentProvider>,
    orders: BTreeMap<String, Watched>,
    on_event: E,
}

/// Starts the watcher thread. It ends when every handle is dropped.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(
    provider: Box<dyn QrPaymentProvider>,
    on_event: impl FnMut(BankEvent) + Send + 'static,
) -> std::io::Result<BankHandle> {
    let (commands, received) = sync_channel(COMMANDS_MAX);
    let watcher = Watcher {
        provider,
        orders: BTreeMap::new(),
        on_event,
    };
    std::thread::Builder::new()
        .name("bank".into())
        .spawn(move || watcher.run(&received))?;
    Ok(BankHandle { commands })
}

impl<E: FnMut(BankEvent)> Watcher<E> {
    fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let due_ms = self.orders.values().map(|watched| watched.due_ms).min();
            let command = match due_ms {
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due_ms) => {
                    let wait = Duration::from_millis(due_ms.saturating_sub(mono_ms()));
                    commands.recv_timeout(wait)
                }
            };
            match command {
                Ok(command) => self.take(command),
                Err(RecvTimeoutError::Timeout) => self.ask_next(),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Offer(offer) => {
                let order = offer.order.clone();
                self.orders.insert(order, Watched::new(Some(offer), true));
            }
            Command::Watch(order) => {
                let entry = self.orders.entry(order);
                entry.or_insert_with(|| Watched::new(None, true)).shown = true;
            }
            Command::Leave(order) => {
                if let Some(watched) = self.orders.get_mut(&order) {
                    watched.shown = false;
                }
            }
            Command::Withdraw(order) => {
                let entry = self.orders.entry(order);
                let watched = entry.or_insert_with(|| Watched::new(None, false));
                watched.shown = false;
                watched.withdraw = true;
                watched.due_ms = 0;
            }
            Command::Forget(order) => {
                self.orders.remove(&order);
            }
        }
    }

    fn ask_next(&mut self) {
        let now_ms = mono_ms();
        let due = self
            .orders
            .iter()
            .filter(|(_, watched)| watched.due_ms <= now_ms)
            .min_by_key(|(_, watched)| (!watched.shown, watched.due_ms))
            .map(|(order, _)| order.clone());
        if let Some(order) = due
            && let Some(mut watched) = self.orders.remove(&order)
        {
            let keep = self.ask(&order, &mut watched);
            watched.due_ms = mono_ms() + watched.pause_ms();
            if keep {
                self.orders.insert(order, watched);
            }
        }
    }

    /// One question about one order; `false` when it is over.
    fn ask(&mut self, order: &str, watched: &mut Watched) -> bool {
        if let Some(offer) = &watched.announce {
            match self.provider.offer(offer) {
                Ok(()) => {
                    watched.announce = None;
                    watched.failures = 0;
                    (self.on_event)(BankEvent::Offered {
                        order: order.into(),
                    });
                }
                Err(ProviderError::Refused(why)) => {
                    (self.on_event)(BankEvent::Refused {
                        order: order.into(),
                        why,
                    });
                    return false;
                }
                Err(why) => self.silent(order, watched, why),
            }
            return true;
        }
        let answer = if watched.withdraw {
            self.provider.withdraw(order)
        } else {
            let longest = if watched.shown {
                self.provider.capabilities().long_poll_ms_max
            } else {
                0
            };
            let wait = Duration::from_millis(longest);
            self.provider.ask(order, watched.known_credits, wait)
        };
        match answer {
            Ok(state) => {
                watched.failures = 0;
                watched.withdraw = false;
                watched.known_credits = state.credits.len();
                (self.on_event)(BankEvent::Answer {
                    order: order.into(),
                    state,
                });
            }
            Err(why) => self.silent(order, watched, why),
        }
        true
    }

    fn silent(&mut self, order: &str, watched: &mut Watched, why: ProviderError) {
        watched.failures = watched.failures.saturating_add(1);
        (self.on_event)(BankEvent::Silent {
            order: order.into(),
            why,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::{RelayProvider, sim};
    use super::*;
    use std::sync::mpsc::{self, Receiver};

    fn watch(behaviour: sim::Behaviour) -> (sim::Running, BankHandle, Receiver<BankEvent>) {
        let running = sim::start(([127, 0, 0, 1], 0).into(), behaviour).unwrap();
        let provider = RelayProvider::new(&format!("http://{}", running.address)).unwrap();
        let (tell, told) = mpsc::channel();
        let handle = spawn(Box::new(provider), move |event| {
            let _ = tell.send(event);
        })
        .unwrap();
        (running, handle, told)
    }

    fn offer() -> Offer {
        Offer {
            order: "HS7K2M9QX".into(),
            amount_minor: 5000,
            currency: "VND".into(),
        }
    }

    fn until(events: &Receiver<BankEvent>, wanted: impl Fn(&BankEvent) -> bool) -> BankEvent {
        loop {
            let event = events.recv_timeout(Duration::from_secs(20)).unwrap();
            if wanted(&event) {
                return event;
            }
        }
    }

    #[test]
    fn money_that_comes_after_leaving_the_screen_is_still_told() {
        // Proves that a withdrawn offer stays watched and late money is reported.
        let (running, handle, events) = watch(sim::Behaviour::default());
        handle.offer(offer()).unwrap();
        until(&events, |e| matches!(e, BankEvent::Offered { .. }));
        running.bank.pay("HS7K2M9QX", 5000);
        handle.withdraw("HS7K2M9QX".into()).unwrap();
        until(
            &events,
            |event| matches!(event, BankEvent::Answer { state, .. } if state.received_minor() == 5000),
        );
    }

    #[test]
    fn an_error_is_told_and_asked_again() {
        // Proves that busy answers are silence, not refusals, and that the money is found after.
        let (running, handle, events) = watch(sim::Behaviour {
            busy_answers: 2,
            ..sim::Behaviour::default()
        });
        handle.offer(offer()).unwrap();
        until(&events, |e| matches!(e, BankEvent::Silent { .. }));
        until(&events, |e| matches!(e, BankEvent::Offered { .. }));
        running.bank.pay("HS7K2M9QX", 5000);
        until(
            &events,
            |event| matches!(event, BankEvent::Answer { state, .. } if state.received_minor() == 5000),
        );
    }

    #[test]
    fn a_refused_offer_is_over() {
        // Proves that a refusal is told once, with the bank's words.
        let (_running, handle, events) = watch(sim::Behaviour {
            refuse: Some("account closed".into()),
            ..sim::Behaviour::default()
        });
        handle.offer(offer()).unwrap();
        let event = until(&events, |e| matches!(e, BankEvent::Refused { .. }));
        assert!(matches!(event, BankEvent::Refused { why, .. } if why.contains("account closed")));
    }
}
