//! QR payment: an offer becomes a VietQR code with its order code in the memo,
//! and only the bank side says what came in.

use super::{Report, bank_said, device};
use crate::app::AppEvent;
use crate::bank::{BankEvent, BankHandle, Offer, QrPaymentProvider};
use crate::config::Bank;
use checkout::till::{
    AttemptId, BankSaid, Credit, DeviceKind, DeviceState, Effect, Event, NotStartedReason, QrOffer,
};
use checkout::{Currency, Money};
use payqr::VietQr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// One offer that the lane watches.
#[derive(Debug)]
struct Order {
    attempt: AttemptId,
    offer: Option<QrOffer>,
    /// References said to the till already in this run.
    told: BTreeSet<String>,
    cancelling: bool,
}

type Orders = Arc<Mutex<BTreeMap<String, Order>>>;

/// The QR lane.
pub struct QrLane {
    bank: BankHandle,
    account: Bank,
    currency: Currency,
    orders: Orders,
    report: Report,
}

fn lock(orders: &Orders) -> MutexGuard<'_, BTreeMap<String, Order>> {
    // Every change is one insert or assignment; a panicked holder left it whole.
    orders.lock().unwrap_or_else(|broken| broken.into_inner())
}

impl QrLane {
    /// Starts watching through `provider`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(
        account: Bank,
        currency: Currency,
        provider: Box<dyn QrPaymentProvider>,
        report: Report,
    ) -> std::io::Result<Self> {
        let orders = Orders::default();
        let listener = Listener {
            orders: orders.clone(),
            currency,
            report: report.clone(),
            up: None,
        };
        let bank = listener.start(provider)?;
        Ok(Self {
            bank,
            account,
            currency,
            orders,
            report,
        })
    }

    /// Sends one effect to the bank side.
    pub fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::AskBank {
                attempt,
                amount,
                order_code,
                ..
            } => self.ask(attempt, amount, order_code),
            Effect::WatchBank {
                attempt,
                order_code,
                offer,
                ..
            } => {
                self.insert(attempt, order_code.clone(), offer.map(|offer| *offer));
                self.report_stuck(attempt, self.bank.watch(order_code).is_err());
            }
            Effect::CheckBank { attempt } => {
                if let Some(order) = self.order_of(attempt) {
                    self.report_stuck(attempt, self.bank.watch(order).is_err());
                }
            }
            Effect::CancelBank { attempt } => {
                let Some(order) = self.order_of(attempt) else {
                    bank_said(&self.report, attempt, BankSaid::CancelUnknown);
                    return;
                };
                if let Some(known) = lock(&self.orders).get_mut(&order) {
                    known.cancelling = true;
                }
                self.report_stuck(attempt, self.bank.withdraw(order).is_err());
            }
            Effect::StopWatching { attempt } => {
                if let Some(order) = self.order_of(attempt) {
                    lock(&self.orders).remove(&order);
                    let _ = self.bank.forget(order);
                }
            }
            // The relay keeps every credit; there is nothing to hand back.
            _ => {}
        }
    }

    fn order_of(&self, attempt: AttemptId) -> Option<String> {
        let orders = lock(&self.orders);
        let mut all = orders.iter();
        all.find(|(_, order)| order.attempt == attempt)
            .map(|(code, _)| code.clone())
    }

    fn insert(&self, attempt: AttemptId, order_code: String, offer: Option<QrOffer>) {
        let order = Order {
            attempt,
            offer,
            told: BTreeSet::new(),
            cancelling: false,
        };
        lock(&self.orders).entry(order_code).or_insert(order);
    }

    fn report_stuck(&self, attempt: AttemptId, stuck: bool) {
        if stuck {
            bank_said(&self.report, attempt, BankSaid::Slow);
        }
    }

    fn ask(&mut self, attempt: AttemptId, amount: Money, order_code: String) {
        let payload = u64::try_from(amount.minor).ok().and_then(|amount_dong| {
            VietQr::account(&self.account.bank_bin, &self.account.account)
                .with_amount(amount_dong)
                .with_memo(&order_code)
                .encode()
                .inspect_err(|error| tracing::error!(%error, "no QR code for this account"))
                .ok()
        });
        let Some(payload) = payload else {
            let said = BankSaid::NotOffered(NotStartedReason::Refused);
            bank_said(&self.report, attempt, said);
            return;
        };
        let tail_from = self.account.account.len().saturating_sub(4);
        let offer = QrOffer {
            payload,
            payee: self.account.payee.clone(),
            bank: self.account.bank_name.clone(),
            account_tail: self.account.account[tail_from..].to_owned(),
        };
        self.insert(attempt, order_code.clone(), Some(offer));
        let announced = self.bank.offer(Offer {
            order: order_code,
            amount_minor: amount.minor,
            currency: self.currency.code().to_owned(),
        });
        if announced.is_err() {
            let said = BankSaid::NotOffered(NotStartedReason::Busy);
            bank_said(&self.report, attempt, said);
        }
    }
}

/// The watcher's side: turns its words into the till's.
struct Listener {
    orders: Orders,
    currency: Currency,
    report: Report,
    up: Option<bool>,
}

impl Listener {
    fn start(mut self, provider: Box<dyn QrPaymentProvider>) -> std::io::Result<BankHandle> {
        crate::bank::spawn(provider, move |event| self.hear(event))
    }

    fn hear(&mut self, event: BankEvent) {
        match event {
            BankEvent::Offered { order } => {
                self.set_up(true);
                let offer = lock(&self.orders)
                    .get(&order)
                    .and_then(|order| Some((order.attempt, order.offer.clone()?)));
                if let Some((attempt, offer)) = offer {
                    self.say(attempt, BankSaid::Offered(offer));
                }
            }
            BankEvent::Refused { order, why } => {
                tracing::warn!(%why, "offer refused");
                if let Some(order) = lock(&self.orders).remove(&order) {
                    let said = BankSaid::NotOffered(NotStartedReason::Refused);
                    self.say(order.attempt, said);
                }
            }
            BankEvent::Answer { order, state } => {
                self.set_up(true);
                self.answer(&order, &state);
            }
            BankEvent::Silent { order, why } => {
                tracing::warn!(%why, "bank");
                self.set_up(false);
                let attempt = lock(&self.orders).get(&order).map(|order| order.attempt);
                if let Some(attempt) = attempt {
                    self.say(attempt, BankSaid::Slow);
                }
            }
        }
    }

    fn answer(&self, code: &str, state: &crate::bank::OrderState) {
        let mut news = Vec::new();
        let mut orders = lock(&self.orders);
        let Some(order) = orders.get_mut(code) else {
            return;
        };
        let attempt = order.attempt;
        for credit in &state.credits {
            if order.told.insert(credit.reference.clone()) {
                news.push(BankSaid::Credit(Credit {
                    id: credit.reference.clone(),
                    amount: Money::new(credit.amount_minor, self.currency),
                }));
            }
        }
        if state.withdrawn && order.cancelling {
            order.cancelling = false;
            news.push(BankSaid::Cancelled);
        }
        drop(orders);
        if news.is_empty() {
            news.push(BankSaid::Checked);
        }
        for said in news {
            self.say(attempt, said);
        }
    }

    fn say(&self, attempt: AttemptId, said: BankSaid) {
        self.report
            .post(AppEvent::Till(Event::Bank { attempt, said }));
    }

    fn set_up(&mut self, up: bool) {
        if self.up != Some(up) {
            self.up = Some(up);
            let state = if up {
                DeviceState::Up
            } else {
                DeviceState::Down
            };
            device(&self.report, DeviceKind::Bank, state);
        }
    }
}
