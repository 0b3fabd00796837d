//! QR payment: an offer becomes a VietQR code with its order code in the memo,
//! and only the bank side says what came in.
//!
//! Before the bank side hears of an offer, its code is drawn and read back on
//! the bank's thread. A code that reads as anything else is never offered, and
//! the lane stays out until the program is started again.

use super::{Report, bank_said, device};
use crate::app::AppEvent;
use crate::bank::{
    BankEvent, BankHandle, Capabilities, Offer, OrderState, ProviderError, QrPaymentProvider,
};
use crate::config::Bank;
use crate::qr_symbol::{Symbol, SymbolFault};
use checkout::till::{
    AttemptId, BankSaid, Credit, DeviceKind, DeviceState, Effect, Event, NotStartedReason, QrOffer,
};
use checkout::{Currency, Money};
use payqr::VietQr;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

/// One offer that the lane watches.
#[derive(Debug)]
struct Order {
    attempt: AttemptId,
    offer: Option<QrOffer>,
    /// References said to the till already in this run.
    told: BTreeSet<String>,
    cancelling: bool,
    /// What is drawn for it does not read as it.
    misdrawn: bool,
}

/// Draws a payload and reads it back.
type Proof = fn(&str) -> Result<(), SymbolFault>;

fn draws_right(payload: &str) -> Result<(), SymbolFault> {
    Symbol::checked(payload.as_bytes()).map(drop)
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
        Self::spawn_with(account, currency, provider, report, draws_right)
    }

    fn spawn_with(
        account: Bank,
        currency: Currency,
        provider: Box<dyn QrPaymentProvider>,
        report: Report,
        proof: Proof,
    ) -> std::io::Result<Self> {
        let orders = Orders::default();
        let listener = Listener {
            orders: orders.clone(),
            currency,
            report: report.clone(),
            up: None,
            broken: false,
        };
        let bank = listener.start(Box::new(Proven {
            provider,
            orders: orders.clone(),
            proof,
        }))?;
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
            misdrawn: false,
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

/// The bank side behind the check of our own drawing; runs on the bank's thread.
struct Proven {
    provider: Box<dyn QrPaymentProvider>,
    orders: Orders,
    proof: Proof,
}

impl QrPaymentProvider for Proven {
    fn capabilities(&self) -> Capabilities {
        self.provider.capabilities()
    }

    fn offer(&mut self, offer: &Offer) -> Result<(), ProviderError> {
        let payload = lock(&self.orders)
            .get(&offer.order)
            .and_then(|order| Some(order.offer.as_ref()?.payload.clone()));
        if let Some(Err(fault)) = payload.map(|payload| (self.proof)(&payload)) {
            if let Some(order) = lock(&self.orders).get_mut(&offer.order) {
                order.misdrawn = true;
            }
            return Err(ProviderError::Refused(fault.to_string()));
        }
        self.provider.offer(offer)
    }

    fn ask(
        &mut self,
        order: &str,
        known_credits: usize,
        wait: Duration,
    ) -> Result<OrderState, ProviderError> {
        self.provider.ask(order, known_credits, wait)
    }

    fn withdraw(&mut self, order: &str) -> Result<OrderState, ProviderError> {
        self.provider.withdraw(order)
    }
}

/// The watcher's side: turns its words into the till's.
struct Listener {
    orders: Orders,
    currency: Currency,
    report: Report,
    up: Option<bool>,
    /// A drawn code read as another one; nothing is offered until the program starts again.
    broken: bool,
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
                let removed = lock(&self.orders).remove(&order);
                if let Some(order) = removed {
                    let reason = if order.misdrawn {
                        NotStartedReason::CodeUnreadable
                    } else {
                        NotStartedReason::Refused
                    };
                    self.say(order.attempt, BankSaid::NotOffered(reason));
                    if order.misdrawn {
                        tracing::error!(%why, "payment by QR is out until the kiosk restarts");
                        self.set_up(false);
                        self.broken = true;
                    }
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
        if !self.broken && self.up != Some(up) {
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::mailbox::{Inbox, mailbox};
    use std::sync::mpsc;

    /// A bank side that takes every offer and tells which.
    struct Takes(mpsc::Sender<Offer>);

    impl QrPaymentProvider for Takes {
        fn capabilities(&self) -> Capabilities {
            Capabilities {
                long_poll_ms_max: 0,
                withdraw_is_final: false,
            }
        }

        fn offer(&mut self, offer: &Offer) -> Result<(), ProviderError> {
            let _ = self.0.send(offer.clone());
            Ok(())
        }

        fn ask(&mut self, _: &str, _: usize, _: Duration) -> Result<OrderState, ProviderError> {
            Ok(OrderState::default())
        }

        fn withdraw(&mut self, _: &str) -> Result<OrderState, ProviderError> {
            Ok(OrderState::default())
        }
    }

    struct Lane {
        qr: QrLane,
        said: Inbox<AppEvent>,
        offers: mpsc::Receiver<Offer>,
    }

    fn lane(proof: Proof) -> Lane {
        let config = crate::testing::configuration();
        let (report, said) = mailbox(|| {});
        let (tell, offers) = mpsc::channel();
        let account = config.file.bank.clone().unwrap();
        let provider = Box::new(Takes(tell));
        let qr = QrLane::spawn_with(account, Currency::VND, provider, report, proof).unwrap();
        Lane { qr, said, offers }
    }

    impl Lane {
        fn ask(&mut self, attempt: u64, code: &str) {
            let amount = Money::new(45_000, Currency::VND);
            self.qr.ask(AttemptId(attempt), amount, code.into());
        }

        fn next(&self) -> Event {
            match self.said.wait(Duration::from_secs(20)) {
                Some(AppEvent::Till(event)) => event,
                other => unreachable!("{other:?}"),
            }
        }
    }

    #[test]
    fn an_offer_that_reads_back_is_announced_and_then_offered() {
        // Proves: with the true renderer the bank side hears of the offer before the till does.
        let mut lane = lane(draws_right);
        lane.ask(1, "A0B1C2D3E");
        let Event::Device { which, state } = lane.next() else {
            unreachable!("the lane is up first");
        };
        assert_eq!((which, state), (DeviceKind::Bank, DeviceState::Up));
        let Event::Bank { attempt, said } = lane.next() else {
            unreachable!("then the offer");
        };
        assert_eq!(attempt, AttemptId(1));
        let BankSaid::Offered(offer) = said else {
            unreachable!("{said:?}");
        };
        assert!(offer.payload.contains("A0B1C2D3E"), "{}", offer.payload);
        assert_eq!(lane.offers.try_recv().unwrap().order, "A0B1C2D3E");
    }

    #[test]
    fn a_code_that_reads_as_another_is_never_offered_and_the_lane_goes_out() {
        // Proves: with a renderer that draws another account the bank side hears nothing, the
        // till gets no offer, QR goes down and stays down whatever the bank answers later.
        let mut lane = lane(|payload| {
            crate::qr_symbol::tests::checked_with_another_account(payload.as_bytes())
        });
        lane.ask(1, "A0B1C2D3E");
        assert!(matches!(
            lane.next(),
            Event::Bank {
                attempt: AttemptId(1),
                said: BankSaid::NotOffered(NotStartedReason::CodeUnreadable)
            }
        ));
        assert!(matches!(
            lane.next(),
            Event::Device {
                which: DeviceKind::Bank,
                state: DeviceState::Down
            }
        ));
        assert!(lane.offers.try_recv().is_err());
        // An older offer is still asked about, and its answer brings no way to pay back.
        let order = "Z9Y8X7W6V".to_owned();
        lane.qr.insert(AttemptId(2), order.clone(), None);
        lane.qr.bank.watch(order).unwrap();
        assert!(matches!(
            lane.next(),
            Event::Bank {
                attempt: AttemptId(2),
                said: BankSaid::Checked
            }
        ));
    }
}
