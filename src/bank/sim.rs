//! A simulated bank behind a payment relay, on loopback.
//!
//! It keeps a ledger of transfers, answers the relay's protocol with a delay,
//! and does what banks do: pay late, pay short, pay twice, refuse, be busy.
//! `POST /control/pay`, `POST /control/behave` and `GET /control/ledger` steer
//! it while it runs.

pub mod providers;

use super::{Credit, Offer, OrderState};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::watch;

/// How the bank behaves until told otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Behaviour {
    /// Pay every offer by itself after this time; `None` waits for control.
    pub pay_after_ms: Option<u64>,
    /// What the payer gives of each hundred asked: 100 exact, 50 half.
    pub pay_percent: u32,
    /// How many times the same credit is reported.
    pub notices: u32,
    /// Refuse new offers with this text.
    pub refuse: Option<String>,
    /// Answer 503 to this many questions, then recover.
    pub busy_answers: u32,
    /// Delay of every answer.
    pub answer_delay_ms: u64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            pay_after_ms: None,
            pay_percent: 100,
            notices: 1,
            refuse: None,
            busy_answers: 0,
            answer_delay_ms: 0,
        }
    }
}

#[derive(Debug, Default)]
struct Order {
    offer: Option<Offer>,
    state: OrderState,
}

#[derive(Debug, Default)]
struct Ledger {
    behaviour: Behaviour,
    orders: BTreeMap<String, Order>,
    next_reference: u64,
}

/// The bank, shared by its request handlers.
#[derive(Clone, Debug)]
pub struct Bank {
    ledger: Arc<Mutex<Ledger>>,
    changed: Arc<watch::Sender<u64>>,
}

impl Bank {
    /// A bank that behaves as given.
    pub fn new(behaviour: Behaviour) -> Self {
        let ledger = Ledger {
            behaviour,
            // A bank never gives a reference twice, also after it was started
            // anew; a kiosk would take the credit for one it knows.
            next_reference: u64::try_from(crate::clock::machine_ms()).unwrap_or(0),
            ..Ledger::default()
        };
        Self {
            ledger: Arc::new(Mutex::new(ledger)),
            changed: Arc::new(watch::Sender::new(0)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Ledger> {
        // A handler that panicked leaves a consistent ledger: every change is
        // one assignment.
        self.ledger
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }

    /// Credits a transfer with `order` in its memo, offered or not.
    pub fn pay(&self, order: &str, amount_minor: i64) -> Credit {
        let mut ledger = self.lock();
        ledger.next_reference += 1;
        let credit = Credit {
            reference: format!("FT{:08}", ledger.next_reference),
            amount_minor,
            at_ms: crate::clock::machine_ms(),
        };
        let notices = ledger.behaviour.notices.max(1);
        let entry = ledger.orders.entry(order.to_owned()).or_default();
        for _ in 0..notices {
            entry.state.credits.push(credit.clone());
        }
        drop(ledger);
        self.changed.send_modify(|version| *version += 1);
        credit
    }

    /// Changes how the bank behaves from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.lock().behaviour = behaviour;
    }

    /// Every order with what came in for it, in minor units.
    pub fn ledger(&self) -> BTreeMap<String, i64> {
        let ledger = self.lock();
        let rows = ledger.orders.iter();
        rows.map(|(code, order)| (code.clone(), order.state.received_minor()))
            .collect()
    }

    /// Orders that were offered and have no credit yet.
    pub fn waiting(&self) -> Vec<Offer> {
        let ledger = self.lock();
        let open = ledger
            .orders
            .values()
            .filter(|o| o.state.credits.is_empty());
        open.filter_map(|order| order.offer.clone()).collect()
    }

    /// Waits until the answer may be given; `Err` is the busy answer.
    async fn pace(&self) -> Result<(), StatusCode> {
        let (delay_ms, busy) = {
            let mut ledger = self.lock();
            let busy = ledger.behaviour.busy_answers > 0;
            if busy {
                ledger.behaviour.busy_answers -= 1;
            }
            (ledger.behaviour.answer_delay_ms, busy)
        };
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        if busy {
            Err(StatusCode::SERVICE_UNAVAILABLE)
        } else {
            Ok(())
        }
    }

    fn state_of(&self, code: &str) -> OrderState {
        let ledger = self.lock();
        let order = ledger.orders.get(code);
        order.map(|order| order.state.clone()).unwrap_or_default()
    }
}

async fn offer(State(bank): State<Bank>, Json(offer): Json<Offer>) -> Response {
    if let Err(status) = bank.pace().await {
        return status.into_response();
    }
    let (refuse, pay_after_ms, percent) = {
        let behaviour = &bank.lock().behaviour;
        (
            behaviour.refuse.clone(),
            behaviour.pay_after_ms,
            behaviour.pay_percent,
        )
    };
    if let Some(reason) = refuse {
        return (StatusCode::CONFLICT, reason).into_response();
    }
    let code = offer.order.clone();
    let amount_minor = offer.amount_minor;
    let is_new = {
        let mut ledger = bank.lock();
        let entry = ledger.orders.entry(code.clone()).or_default();
        entry.offer.replace(offer).is_none()
    };
    if let (true, Some(after_ms)) = (is_new, pay_after_ms) {
        let bank = bank.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            bank.pay(&code, amount_minor * i64::from(percent) / 100);
        });
    }
    StatusCode::CREATED.into_response()
}

#[derive(Debug, Deserialize)]
struct AskQuery {
    #[serde(default)]
    known: usize,
    #[serde(default)]
    wait_ms: u64,
}

async fn ask(
    State(bank): State<Bank>,
    Path(code): Path<String>,
    Query(query): Query<AskQuery>,
) -> Response {
    if let Err(status) = bank.pace().await {
        return status.into_response();
    }
    let mut changed = bank.changed.subscribe();
    let news = async {
        while bank.state_of(&code).credits.len() <= query.known {
            if changed.changed().await.is_err() {
                break;
            }
        }
    };
    let wait = Duration::from_millis(query.wait_ms.min(30_000));
    let _ = tokio::time::timeout(wait, news).await;
    Json(bank.state_of(&code)).into_response()
}

async fn withdraw(State(bank): State<Bank>, Path(code): Path<String>) -> Response {
    if let Err(status) = bank.pace().await {
        return status.into_response();
    }
    bank.lock()
        .orders
        .entry(code.clone())
        .or_default()
        .state
        .withdrawn = true;
    Json(bank.state_of(&code)).into_response()
}

#[derive(Debug, Deserialize)]
struct PayRequest {
    /// Order code; the newest open offer when absent.
    order: Option<String>,
    /// Amount; what the offer asks when absent.
    amount_minor: Option<i64>,
}

async fn control_pay(State(bank): State<Bank>, Json(request): Json<PayRequest>) -> Response {
    let waiting = bank.waiting();
    let offer = match &request.order {
        Some(code) => waiting.into_iter().find(|offer| &offer.order == code),
        None => waiting.into_iter().next_back(),
    };
    let order = request.order.or(offer.as_ref().map(|o| o.order.clone()));
    let amount = request.amount_minor.or(offer.map(|o| o.amount_minor));
    match (order, amount) {
        (Some(order), Some(amount_minor)) => Json(bank.pay(&order, amount_minor)).into_response(),
        _ => (
            StatusCode::NOT_FOUND,
            "no open offer; give order and amount_minor",
        )
            .into_response(),
    }
}

async fn control_behave(State(bank): State<Bank>, Json(behaviour): Json<Behaviour>) -> StatusCode {
    bank.behave(behaviour);
    StatusCode::NO_CONTENT
}

async fn control_ledger(State(bank): State<Bank>) -> Json<BTreeMap<String, i64>> {
    Json(bank.ledger())
}

fn router(bank: Bank) -> Router {
    Router::new()
        .route("/v1/orders", post(offer))
        .route("/v1/orders/{code}", get(ask).delete(withdraw))
        .route("/control/pay", post(control_pay))
        .route("/control/behave", post(control_behave))
        .route("/control/ledger", get(control_ledger))
        .with_state(bank)
}

/// A bank that is serving; it stops when dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its ledger and behaviour.
    pub bank: Bank,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    /// Serves until the process ends.
    pub fn wait(mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts a bank on `listen` (port 0 picks one) on its own thread.
///
/// # Errors
/// When the address cannot be bound.
pub fn start(listen: SocketAddr, behaviour: Behaviour) -> std::io::Result<Running> {
    let listener = std::net::TcpListener::bind(listen)?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let bank = Bank::new(behaviour);
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let app = router(bank.clone());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let thread = std::thread::Builder::new()
        .name("sim-bank".into())
        .spawn(move || {
            runtime.block_on(async move {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                let serve = axum::serve(listener, app).into_future();
                tokio::select! {
                    _ = serve => {}
                    _ = stopped => {}
                }
            });
        })?;
    Ok(Running {
        address,
        bank,
        stop: Some(stop),
        thread: Some(thread),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{ProviderError, RelayProvider};
    use super::*;

    fn bank(behaviour: Behaviour) -> (Running, RelayProvider) {
        let running = start(([127, 0, 0, 1], 0).into(), behaviour).unwrap();
        let provider = RelayProvider::new(&format!("http://{}", running.address)).unwrap();
        (running, provider)
    }

    fn offer_of(amount_minor: i64) -> Offer {
        Offer {
            order: "HS7K2M9QX".into(),
            amount_minor,
            currency: "VND".into(),
        }
    }

    #[test]
    fn a_transfer_is_seen_as_the_bank_credits_it() {
        // Proves that amount and reference come from the bank's ledger, news at once.
        let (running, provider) = bank(Behaviour::default());
        provider.offer(&offer_of(146_688)).unwrap();
        let before = provider.ask("HS7K2M9QX", 0, Duration::ZERO).unwrap();
        assert!(before.credits.is_empty());
        let payer = running.bank.clone();
        let paying = std::thread::spawn(move || payer.pay("HS7K2M9QX", 146_688));
        let after = provider
            .ask("HS7K2M9QX", 0, Duration::from_secs(4))
            .unwrap();
        assert_eq!(after.received_minor(), 146_688);
        assert_eq!(after.credits, vec![paying.join().unwrap()]);
    }

    #[test]
    fn short_doubled_refused_and_busy_are_what_they_are() {
        // Proves that each misbehaviour reaches the driver as its own answer.
        let (running, provider) = bank(Behaviour {
            pay_after_ms: Some(0),
            pay_percent: 50,
            notices: 3,
            ..Behaviour::default()
        });
        provider.offer(&offer_of(1000)).unwrap();
        let state = provider
            .ask("HS7K2M9QX", 0, Duration::from_secs(4))
            .unwrap();
        assert_eq!((state.credits.len(), state.received_minor()), (3, 500));
        running.bank.behave(Behaviour {
            refuse: Some("closed".into()),
            busy_answers: 1,
            ..Behaviour::default()
        });
        let busy = provider.offer(&offer_of(1)).unwrap_err();
        assert!(matches!(busy, ProviderError::Busy { .. }) && !busy.is_permanent());
        let refused = provider.offer(&offer_of(1)).unwrap_err();
        assert!(matches!(&refused, ProviderError::Refused(why) if why.contains("closed")));
        drop(running);
        let gone = provider.ask("HS7K2M9QX", 0, Duration::ZERO).unwrap_err();
        assert!(matches!(gone, ProviderError::Unreachable(_)));
    }
}
