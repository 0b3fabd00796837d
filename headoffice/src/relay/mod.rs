//! The payment relay: holds the providers' secrets, asks and hears the bank side, tells kiosks what came in.
//!
//! Asking is the base; a notice of the provider is only faster. There is one list of credits, append-only, with the
//! bank's reference as its key: a credit told eight times by three ways is one. Where an order stands is derived from
//! its credits each time. What no rule can place waits in a list for a person, under a name.
//!
//! [`provider`] is a payment provider's face, [`schedule`] when it is asked, [`account`] what comes of the answers,
//! [`ledger`] and [`credits`] what is on disk, [`judge`] what an order's credits mean, [`gate`] who may ask here,
//! [`review`] what people see and decide.

pub mod account;
pub mod by_staff;
pub mod credits;
pub mod gate;
pub mod http;
pub mod import;
pub mod judge;
pub mod ledger;
pub mod limit;
pub mod list_only;
pub mod notices;
pub mod payos;
pub mod pix;
pub mod provider;
pub mod review;
pub mod schedule;
pub mod sepay;
pub mod settings;
pub mod waiters;

pub use account::{Account, PushAnswer};
pub use ledger::{AccountId, Order};
pub use settings::{Payment, PaymentError};

use crate::{
    clock::Clock,
    store::{Store, StoreError},
};
use gate::{Caller, Gate};
use ledger::OfferTaken;
use limit::{Budget, Sources};
use payqr::OrderCode;
use provider::{Capabilities, Wire};
use schedule::Schedule;
use std::{
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use touchpoint::relay::{BankHealth, BankSide, OrderAnswer, OrderOffer, RefusalKind};
use waiters::Waiters;

/// Questions to one provider that may wait for an answer at the same time.
const THREADS_PER_ACCOUNT: usize = 4;
/// Longest rest of a poller; news wakes it earlier.
const REST: Duration = Duration::from_secs(1);
/// With a clock that a test moves, nobody tells when it moved.
const REST_MANUAL: Duration = Duration::from_millis(5);
/// Longest text a kiosk may call its attempt.
const ATTEMPT_BYTES_MAX: usize = 64;

/// The payment relay.
pub struct Relay {
    pub(crate) store: Arc<Store>,
    accounts: Vec<Arc<Account>>,
    pub(crate) waiters: Waiters,
    pub(crate) gate: Gate,
    /// Notices by where they come from.
    pub(crate) sources: Sources,
    steady: Steady,
}

/// The clock of schedules. It never jumps when the machine's clock is set.
enum Steady {
    Machine { started: Instant, started_ms: i64 },
    Manual(Clock),
}

impl Steady {
    fn now_ms(&self) -> i64 {
        match self {
            Self::Machine {
                started,
                started_ms,
            } => {
                let elapsed = started.elapsed().as_millis();
                started_ms.saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX))
            }
            Self::Manual(clock) => clock.now_ms(),
        }
    }
}

/// Why an offer was not taken: the word and its explanation.
pub type Refused = (RefusalKind, &'static str);

impl Relay {
    /// Opens the accounts of the settings and takes up every order that is still watched.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(store: Arc<Store>, payments: &[Payment]) -> Result<Self, StoreError> {
        let steady = match &store.clock {
            Clock::System | Clock::Wrong(_) => Steady::Machine {
                started: Instant::now(),
                started_ms: store.clock.now_ms(),
            },
            manual => Steady::Manual(manual.clone()),
        };
        Self::assemble(store, payments, steady)
    }

    /// As [`Relay::open`], with schedules by a clock of their own: what a steady clock is when the other one is set.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_with_steady(
        store: Arc<Store>,
        payments: &[Payment],
        steady: Clock,
    ) -> Result<Self, StoreError> {
        Self::assemble(store, payments, Steady::Manual(steady))
    }

    fn assemble(
        store: Arc<Store>,
        payments: &[Payment],
        steady: Steady,
    ) -> Result<Self, StoreError> {
        let mut accounts: Vec<Arc<Account>> = Vec::with_capacity(payments.len());
        for (index, payment) in payments.iter().enumerate() {
            let mut account = open_account(&store, payment, steady.now_ms())?;
            if account.provider.capabilities().shares_limit {
                let shares = |other: &&Payment| is_one_door(payment, other);
                let known = payments[..index].iter().position(|other| shares(&other));
                account.budget = match known.and_then(|at| accounts.get(at)) {
                    Some(first) => first.budget.clone(),
                    None => {
                        let least = payments.iter().filter(shares);
                        let least = least.map(|other| other.requests_per_second).min();
                        Some(Arc::new(Budget::new(least.unwrap_or(1))))
                    }
                };
            }
            accounts.push(Arc::new(account));
        }
        Ok(Self {
            gate: Gate::new(store.clock.now_ms()),
            store,
            accounts,
            waiters: Waiters::default(),
            sources: Sources::default(),
            steady,
        })
    }

    /// The time of schedules.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.steady.now_ms()
    }

    /// The database behind it.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The accounts of the settings.
    #[must_use]
    pub fn accounts(&self) -> &[Arc<Account>] {
        &self.accounts
    }

    /// The account of a webhook's address.
    #[must_use]
    pub fn account_named(&self, provider: &str, name: &str) -> Option<&Arc<Account>> {
        self.accounts
            .iter()
            .find(|account| account.provider.name() == provider && account.name == name)
    }

    fn account(&self, id: AccountId) -> Option<&Arc<Account>> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The account of a store: its own, or the one for all others.
    #[must_use]
    pub fn account_of_store(&self, store: &str) -> Option<&Arc<Account>> {
        let own = |account: &&Arc<Account>| account.stores.iter().any(|name| name == store);
        self.accounts.iter().find(own).or_else(|| {
            self.accounts
                .iter()
                .find(|account| account.stores.is_empty())
        })
    }

    /// Takes an offer: durable first, then the provider is asked. The inner value says whether it is new.
    ///
    /// # Errors
    /// The outer error is the database's; the inner says why the offer is refused.
    pub fn offer(
        &self,
        caller: &Caller,
        offer: &OrderOffer,
    ) -> Result<Result<bool, Refused>, StoreError> {
        let malformed = |why| Ok(Err((RefusalKind::Malformed, why)));
        let Ok(code) = offer.order.parse::<OrderCode>() else {
            return malformed("the order code has a wrong length, letter or check character");
        };
        if code.to_string() != offer.order {
            return malformed("the order code must be written in capitals and digits");
        }
        if offer.attempt.is_empty() || offer.attempt.len() > ATTEMPT_BYTES_MAX {
            return malformed("the attempt must have 1 to 64 bytes");
        }
        let store = self.store.store_of(&caller.device)?.unwrap_or_default();
        let Some(account) = self.account_of_store(&store) else {
            let why = "this kiosk's store has no [[payment]] section at head office";
            return Ok(Err((RefusalKind::NoAccount, why)));
        };
        let can = account.provider.capabilities();
        if offer.currency != can.currency
            || !(1..=can.amount_minor_max).contains(&offer.amount_minor)
        {
            let why = match can.currency {
                "VND" => "the account takes VND, from 1 to 499,999,999 đồng in one transfer",
                _ => "the account takes BRL, from R$ 0.01 to R$ 9,999,999,999.99 in one transfer",
            };
            return Ok(Err((RefusalKind::Amount, why)));
        }
        let taken = self
            .store
            .make_offer(account.id, &caller.device, code, offer)?;
        match taken {
            OfferTaken::Taken => {
                let why = "this order code belongs to another offer; make a new code";
                return Ok(Err((RefusalKind::OrderTaken, why)));
            }
            OfferTaken::Known => {}
            OfferTaken::New => {
                let now_ms = self.now_ms();
                let until_ms = now_ms.saturating_add(ledger::LATE_WINDOW_MS);
                account
                    .schedule()
                    .add(&offer.order, now_ms, until_ms, now_ms);
                account.nudge();
            }
        }
        Ok(Ok(taken == OfferTaken::New))
    }

    /// One order of this kiosk; of another kiosk's there is none.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn order(&self, caller: &Caller, code: &str) -> Result<Option<Order>, StoreError> {
        let order = self.store.order(code)?;
        Ok(order.filter(|order| order.device == caller.device.as_str()))
    }

    /// What a kiosk is told of its order.
    #[must_use]
    pub fn answer(&self, order: Order, nonce: [u8; 16]) -> OrderAnswer {
        let wall_ms = self.store.clock.now_ms();
        match self.account(order.account) {
            Some(account) => {
                let bank = account.schedule().bank_side(&order.code, self.now_ms());
                order.answer(
                    account.provider.name(),
                    account.provider.capabilities(),
                    bank,
                    wall_ms,
                    nonce,
                )
            }
            // Its section is gone from the settings: nobody asks any more, and that is what is said.
            None => {
                let bank = BankSide {
                    answered_in_ms: None,
                    asked_ago_ms: None,
                    health: BankHealth::Unreachable,
                };
                order.answer("", Capabilities::default(), bank, wall_ms, nonce)
            }
        }
    }

    /// Asks the bank about an order as soon as the limits allow. Returns when it last answered.
    #[must_use]
    pub fn ask_now(&self, order: &Order) -> Option<i64> {
        let account = self.account(order.account)?;
        let answered = {
            let mut schedule = account.schedule();
            schedule.ask_now(&order.code, self.now_ms());
            schedule.answered_ms(&order.code)
        };
        account.nudge();
        answered
    }

    /// Whether its provider can still take the code back.
    #[must_use]
    pub fn can_cancel(&self, order: &Order) -> bool {
        let account = self.account(order.account);
        let cancels = account.is_some_and(|account| account.provider.capabilities().cancels);
        cancels && order.made.is_some() && !order.cancelled && !order.is_paid()
    }

    /// When the bank last answered a question that covers this order.
    #[must_use]
    pub fn answered_ms(&self, order: &Order) -> Option<i64> {
        let account = self.account(order.account)?;
        account.schedule().answered_ms(&order.code)
    }

    /// Takes an order back unless it is paid, here and at the provider.
    ///
    /// # Errors
    /// [`StoreError`]; nothing changed.
    pub fn withdraw(&self, order: &Order) -> Result<(), StoreError> {
        let withdrawn = self.store.withdraw_offer(&order.code)?;
        self.waiters.wake(&order.code);
        if let Some(account) = self.account(order.account).filter(|_| withdrawn) {
            let now_ms = self.now_ms();
            let mut schedule = account.schedule();
            schedule.settle(&order.code, now_ms);
            schedule.cancel(&order.code, now_ms);
            drop(schedule);
            account.nudge();
        }
        Ok(())
    }

    /// Starts the threads that ask the providers.
    ///
    /// # Errors
    /// When the system gives no thread or TLS cannot be set up.
    pub fn start(self: &Arc<Self>, payments: &[Payment]) -> std::io::Result<Pollers> {
        let mut threads = Vec::new();
        for (account, payment) in self.accounts.iter().zip(payments) {
            let can = account.provider.capabilities();
            if !(can.observes_orders || can.lists_credits || can.rereads) {
                continue;
            }
            let wire = http::HttpWire::new(&payment.url, payment.keys.certificate())
                .map_err(std::io::Error::other)?;
            for _ in 0..if can.lists_credits {
                1
            } else {
                THREADS_PER_ACCOUNT
            } {
                let (relay, account, mut wire) =
                    (Arc::clone(self), Arc::clone(account), wire.clone());
                threads.push(
                    std::thread::Builder::new()
                        .name(format!("pay-{}", account.name))
                        .spawn(move || relay.keep_asking(&account, &mut wire))?,
                );
            }
        }
        Ok(Pollers {
            relay: Arc::clone(self),
            threads,
        })
    }

    fn keep_asking(&self, account: &Account, wire: &mut dyn Wire) {
        let longest = match self.store.clock {
            Clock::System | Clock::Wrong(_) => REST,
            Clock::Manual(_) => REST_MANUAL,
        };
        while !account.stopping.load(Ordering::SeqCst) {
            if self.step(account, wire).is_some() {
                continue;
            }
            account.rest(self.now_ms(), longest);
        }
    }
}

/// Both accounts are asked at the same address of the same provider.
fn is_one_door(one: &Payment, other: &Payment) -> bool {
    one.keys.provider() == other.keys.provider() && one.url == other.url
}

fn open_account(store: &Store, payment: &Payment, now_ms: i64) -> Result<Account, StoreError> {
    let provider = provider::provider_of(&payment.keys, &payment.account_number);
    let id = store.payment_account(
        provider.name(),
        &payment.account_number,
        &payment.name,
        &payment.stores,
    )?;
    let mut schedule = Schedule::new(provider.capabilities(), payment.requests_per_second);
    let wall_ms = store.clock.now_ms();
    let asked_not_ms = store
        .list_reach(id)?
        .map(|until_ms| wall_ms.saturating_sub(until_ms));
    schedule.started(now_ms, asked_not_ms.unwrap_or(0));
    // What is on disk was timed by the wall clock, which is not the clock of schedules.
    let shift_ms = now_ms.saturating_sub(store.clock.now_ms());
    if provider.capabilities().observes_orders {
        for order in store.orders_to_watch(id)? {
            schedule.resume(&order, shift_ms, now_ms);
        }
    } else if let Some(created_ms) = store.newest_offer_ms(id)? {
        schedule.note_offer(created_ms.saturating_add(shift_ms), now_ms);
    }
    Ok(Account {
        id,
        name: payment.name.clone(),
        stores: payment.stores.clone(),
        provider,
        counts: account::Counts::default(),
        schedule: Mutex::new(schedule),
        budget: None,
        list_reach_ms: AtomicI64::new(i64::MIN),
        reread_begun_ms: AtomicI64::new(i64::MIN),
        wake: Condvar::new(),
        stopping: AtomicBool::new(false),
    })
}

/// The threads that ask the providers; dropping it ends them.
pub struct Pollers {
    relay: Arc<Relay>,
    threads: Vec<JoinHandle<()>>,
}

impl Drop for Pollers {
    fn drop(&mut self) {
        for account in self.relay.accounts() {
            let schedule = account.schedule();
            account.stopping.store(true, Ordering::SeqCst);
            drop(schedule);
            account.nudge();
        }
        for thread in self.threads.drain(..) {
            // A panic there was already reported by the panic hook.
            let _ = thread.join();
        }
    }
}
