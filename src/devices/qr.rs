//! QR payment: an offer becomes a code with its order code in the memo, and
//! only the bank side says what came in.
//!
//! Every code is checked and read back before it is offered (`qr_code`). One
//! that fails is not shown; the lane asks for attention and tries the next
//! offer anew.

use super::qr_code::{Proof, Proven, draws_right, tail};
use super::{Report, bank_said, device};
use crate::app::AppEvent;
use crate::bank::{
    Answer, Asked, BankEvent, BankHandle, Confirm, Health, Made, Offer, ProviderError,
    QrPaymentProvider,
};
use crate::config::Bank;
use checkout::till::{
    AttemptId, BankSaid, Credit, DeviceKind, DeviceState, Effect, Event, NotStartedReason, QrOffer,
};
use checkout::{Currency, Money};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

/// One order that the lane watches.
#[derive(Debug)]
struct Order {
    attempt: AttemptId,
    /// References said to the till already in this run.
    told: BTreeSet<String>,
    cancelling: bool,
    /// Somebody may have seen its code.
    seen: bool,
}

type Orders = Arc<Mutex<BTreeMap<String, Order>>>;

/// The QR lane.
pub struct QrLane {
    bank: BankHandle,
    currency: Currency,
    open_for_ms: u64,
    orders: Orders,
    report: Report,
}

fn lock(orders: &Orders) -> MutexGuard<'_, BTreeMap<String, Order>> {
    // Every change is one insert or assignment; a panicked holder left it whole.
    orders.lock().unwrap_or_else(|broken| broken.into_inner())
}

impl QrLane {
    /// Starts watching through `provider`. A code is meant to stay on the
    /// screen for `open_for_ms`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn spawn(
        account: Bank,
        currency: Currency,
        open_for_ms: u64,
        provider: Box<dyn QrPaymentProvider>,
        report: Report,
    ) -> std::io::Result<Self> {
        Self::spawn_with(
            account,
            currency,
            open_for_ms,
            provider,
            report,
            draws_right,
        )
    }

    fn spawn_with(
        account: Bank,
        currency: Currency,
        open_for_ms: u64,
        provider: Box<dyn QrPaymentProvider>,
        report: Report,
        proof: Proof,
    ) -> std::io::Result<Self> {
        let orders = Orders::default();
        let listener = Listener {
            orders: orders.clone(),
            account: account.clone(),
            currency,
            report: report.clone(),
            state: None,
            by_statement: provider.capabilities().confirm == Confirm::StatementOnly,
        };
        let bank = listener.start(Arc::new(Proven::new(account, currency, proof, provider)))?;
        Ok(Self {
            bank,
            currency,
            open_for_ms,
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
                shown,
                ..
            } => {
                self.insert(attempt, order_code.clone(), true);
                self.bank.watch(order_code, shown);
            }
            Effect::CheckBank { attempt } => match self.order_of(attempt) {
                Some(order) => self.bank.check(order),
                None => bank_said(&self.report, attempt, BankSaid::Slow),
            },
            Effect::CancelBank { attempt } => {
                let Some(order) = self.order_of(attempt) else {
                    bank_said(&self.report, attempt, BankSaid::CancelUnknown);
                    return;
                };
                if let Some(known) = lock(&self.orders).get_mut(&order) {
                    known.cancelling = true;
                }
                self.bank.withdraw(order);
            }
            Effect::StopWatching { attempt } => {
                if let Some(order) = self.order_of(attempt) {
                    lock(&self.orders).remove(&order);
                    self.bank.forget(&order);
                }
            }
            // The bank side keeps every credit; there is nothing to hand back.
            _ => {}
        }
    }

    fn order_of(&self, attempt: AttemptId) -> Option<String> {
        let orders = lock(&self.orders);
        let mut all = orders.iter();
        all.find(|(_, order)| order.attempt == attempt)
            .map(|(code, _)| code.clone())
    }

    fn insert(&self, attempt: AttemptId, order_code: String, seen: bool) {
        let order = Order {
            attempt,
            told: BTreeSet::new(),
            cancelling: false,
            seen,
        };
        lock(&self.orders).entry(order_code).or_insert(order);
    }

    fn ask(&mut self, attempt: AttemptId, amount: Money, order_code: String) {
        self.insert(attempt, order_code.clone(), false);
        self.bank.offer(Asked {
            offer: Offer {
                order: order_code,
                amount_minor: amount.minor,
                currency: self.currency.code().to_owned(),
            },
            attempt: attempt.to_string(),
            open_for_ms: self.open_for_ms,
        });
    }
}

/// The watcher's side: turns its words into the till's.
struct Listener {
    orders: Orders,
    account: Bank,
    currency: Currency,
    report: Report,
    state: Option<DeviceState>,
    /// Nobody can ask the bank for us.
    by_statement: bool,
}

impl Listener {
    fn start(mut self, provider: Arc<dyn QrPaymentProvider>) -> std::io::Result<BankHandle> {
        crate::bank::spawn(provider, move |event| self.hear(event))
    }

    fn hear(&mut self, event: BankEvent) {
        match event {
            BankEvent::NotReady { why } => {
                tracing::error!(%why, "payment by QR is not offered");
                self.set(DeviceState::Down);
            }
            BankEvent::Ready => self.set(DeviceState::Up),
            BankEvent::Offered { order, answer } => self.offered(&order, answer.made),
            BankEvent::Refused { order, why } => self.refused(&order, &why),
            BankEvent::Answered {
                order,
                answer,
                cancelling,
            } => {
                // A lane that asks for attention does so until a code was right again.
                if self.state != Some(DeviceState::Warning) {
                    self.set(DeviceState::Up);
                }
                self.answered(&order, &answer, cancelling);
            }
            BankEvent::Silent { order, why } => self.silent(&order, &why),
        }
    }

    fn offered(&mut self, code: &str, made: Option<Made>) {
        self.set(DeviceState::Up);
        let mut orders = lock(&self.orders);
        let Some(order) = orders.get_mut(code) else {
            return;
        };
        order.seen = true;
        let attempt = order.attempt;
        drop(orders);
        if let Some(made) = made {
            self.say(attempt, BankSaid::Offered(self.shown(made)));
        }
    }

    /// What the shopper sees beside the code.
    fn shown(&self, made: Made) -> QrOffer {
        let own = made.bank_bin == self.account.bank_bin || made.bank_bin.is_empty();
        let named = payqr::BankTable::built_in().by_bin(&made.bank_bin);
        let bank = match named {
            Some(bank) if !own => bank.short_name.clone(),
            _ => self.account.bank_name.clone(),
        };
        QrOffer {
            payee: if made.name.is_empty() {
                self.account.payee.clone()
            } else {
                made.name
            },
            bank,
            account_tail: tail(&made.account),
            payload: made.payload,
        }
    }

    fn refused(&mut self, code: &str, why: &ProviderError) {
        let removed = lock(&self.orders).remove(code);
        let wrong_code = matches!(why, ProviderError::WrongCode(_));
        if wrong_code {
            tracing::error!(%why, "a QR code was not shown; the next offer tries anew");
            self.set(DeviceState::Warning);
        } else {
            tracing::warn!(%why, "offer refused");
        }
        if let Some(order) = removed {
            let reason = if wrong_code {
                NotStartedReason::CodeUnreadable
            } else {
                NotStartedReason::Refused
            };
            self.say(order.attempt, BankSaid::NotOffered(reason));
        }
    }

    /// What a silence says about the lane, and about the one offer.
    fn silent(&mut self, code: &str, why: &ProviderError) {
        tracing::warn!(%why, "bank");
        let cut_off = matches!(
            why,
            ProviderError::Unreachable(_) | ProviderError::NotAccepted(_)
        );
        if cut_off {
            self.set(DeviceState::Down);
        } else if self.state == Some(DeviceState::Down) {
            // Whatever it says, it is there again.
            self.set(DeviceState::Up);
        }
        let attempt = lock(&self.orders).get(code).map(|order| order.attempt);
        if let Some(attempt) = attempt {
            let said = if cut_off {
                BankSaid::Unreachable
            } else {
                BankSaid::Slow
            };
            self.say(attempt, said);
        }
    }

    fn answered(&self, code: &str, answer: &Answer, cancelling: bool) {
        let mut orders = lock(&self.orders);
        let Some(order) = orders.get_mut(code) else {
            return;
        };
        let mut news = Vec::new();
        for credit in &answer.credits {
            if order.told.insert(credit.reference.clone()) {
                news.push(BankSaid::Credit(Credit {
                    id: credit.reference.clone(),
                    amount: self.money(credit.amount_minor, &credit.currency),
                }));
            }
        }
        if news.is_empty() && !self.by_statement {
            news.extend(words(answer));
        }
        let (attempt, seen) = (order.attempt, order.seen);
        if cancelling && order.cancelling {
            order.cancelling = false;
            // A code that was only withdrawn may still be paid where the bank side cannot, or could not yet, take it
            // back; the till watches either way.
            news.push(match answer.cancelled {
                true => BankSaid::Cancelled,
                false => BankSaid::CancelUnknown,
            });
        }
        if cancelling && !seen {
            orders.remove(code);
        }
        drop(orders);
        for said in news {
            self.say(attempt, said);
        }
    }

    fn money(&self, minor: i64, currency: &str) -> Money {
        let known = Currency::from_code(currency).ok();
        Money::new(minor, known.unwrap_or(self.currency))
    }

    fn say(&self, attempt: AttemptId, said: BankSaid) {
        self.report
            .post(AppEvent::Till(Event::Bank { attempt, said }));
    }

    fn set(&mut self, state: DeviceState) {
        if self.state != Some(state) {
            self.state = Some(state);
            device(&self.report, DeviceKind::Bank, state);
        }
    }
}

/// What an answer without money says: when the bank was asked, and how it answers now.
fn words(answer: &Answer) -> Vec<BankSaid> {
    let asked = answer
        .asked_ago_ms
        .map(|asked_ago_ms| BankSaid::Checked { asked_ago_ms });
    let health = match answer.health {
        Health::Answers | Health::NotAsked => None,
        Health::Slow => Some(BankSaid::Slow),
        Health::Unreachable => Some(BankSaid::Unreachable),
    };
    asked.into_iter().chain(health).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bank::{Capabilities, Known, Refund};
    use crate::mailbox::{Inbox, mailbox};
    use crate::qr_symbol::SymbolFault;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;
    use std::time::Duration;

    /// A bank side that takes every offer and tells which.
    struct Takes {
        offers: mpsc::Sender<Offer>,
        /// The code it makes itself.
        made: Option<Made>,
    }

    fn answer(made: Option<Made>) -> Answer {
        Answer {
            credits: Vec::new(),
            withdrawn: false,
            cancelled: false,
            creating: false,
            refused: false,
            made,
            asked_ago_ms: Some(0),
            health: Health::Answers,
            revision: 1,
        }
    }

    impl QrPaymentProvider for Takes {
        fn capabilities(&self) -> Capabilities {
            Capabilities {
                confirm: Confirm::Poll,
                enforces_amount: false,
                cancel: false,
                late_window_ms: None,
                refund: Refund::None,
                long_poll_ms_max: 0,
            }
        }

        fn create(&self, asked: &Asked) -> Result<Answer, ProviderError> {
            let _ = self.offers.send(asked.offer.clone());
            Ok(answer(self.made.clone()))
        }

        fn observe(&self, _: &str, _: Known, _: Duration) -> Result<Answer, ProviderError> {
            Ok(answer(None))
        }

        fn cancel(&self, _: &str) -> Result<Answer, ProviderError> {
            Ok(answer(None))
        }
    }

    struct Lane {
        qr: QrLane,
        said: Inbox<AppEvent>,
        offers: mpsc::Receiver<Offer>,
    }

    fn lane(proof: Proof) -> Lane {
        lane_with(proof, None)
    }

    fn lane_with(proof: Proof, made: Option<Made>) -> Lane {
        let config = crate::testing::configuration();
        let (report, said) = mailbox(|| {});
        let (tell, offers) = mpsc::channel();
        let account = config.file.bank.clone().unwrap();
        let provider = Box::new(Takes { offers: tell, made });
        let vnd = Currency::VND;
        let qr = QrLane::spawn_with(account, vnd, 180_000, provider, report, proof).unwrap();
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

    /// The first drawing is wrong, every later one right.
    static DREW_WRONG: AtomicBool = AtomicBool::new(false);

    fn first_wrong(payload: &str) -> Result<(), SymbolFault> {
        if DREW_WRONG.swap(true, Ordering::Relaxed) {
            return draws_right(payload);
        }
        crate::qr_symbol::tests::checked_with_another_account(payload.as_bytes())
    }

    #[test]
    fn a_code_that_reads_as_another_is_never_offered_and_the_next_offer_tries_anew() {
        // Proves: what is drawn wrong reaches neither bank nor glass, the lane asks for attention,
        // stays on offer, and is well again once a code was right.
        let mut lane = lane(first_wrong);
        lane.ask(1, "A0B1C2D3E");
        let which = DeviceKind::Bank;
        let state = DeviceState::Warning;
        assert_eq!(lane.next(), Event::Device { which, state });
        let said = BankSaid::NotOffered(NotStartedReason::CodeUnreadable);
        let attempt = AttemptId(1);
        assert_eq!(lane.next(), Event::Bank { attempt, said });
        assert!(lane.offers.try_recv().is_err());
        lane.ask(2, "Z9Y8X7W6V");
        let state = DeviceState::Up;
        assert_eq!(lane.next(), Event::Device { which, state });
        assert!(matches!(
            lane.next(),
            Event::Bank {
                attempt: AttemptId(2),
                said: BankSaid::Offered(_)
            }
        ));
    }

    #[test]
    fn a_providers_code_to_another_account_is_not_shown() {
        // Proves: a code the provider made is decoded, and one that pays another account than it
        // says is kept from the glass.
        let payload = payqr::VietQr::account("970436", "6666666666")
            .with_amount(45_000)
            .with_memo("A0B1C2D3E")
            .encode()
            .unwrap();
        let made = Made {
            payload,
            bank_bin: "970436".into(),
            account: "0071000985678".into(),
            name: String::new(),
        };
        let mut lane = lane_with(draws_right, Some(made));
        lane.ask(1, "A0B1C2D3E");
        let (which, state) = (DeviceKind::Bank, DeviceState::Warning);
        assert_eq!(lane.next(), Event::Device { which, state });
        let said = BankSaid::NotOffered(NotStartedReason::CodeUnreadable);
        let attempt = AttemptId(1);
        assert_eq!(lane.next(), Event::Bank { attempt, said });
    }
}
