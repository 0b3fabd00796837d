//! payOS, SePay and Pix on loopback: sockets around [`payqr::provider::bank`].
//!
//! Each provider has a door of its own with the requests and answers of the
//! real one, and pushes its notices to a configured address. Every door also
//! has `/control/pay`, `/control/faults` and `/control/ledger`, which steer the
//! bank while it runs.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, Query, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use payqr::provider::Provider;
use payqr::provider::bank::{self, Bank, Faults, Method, Payment, Push, Settings};
use serde::Deserialize;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// How long a notice may take to be answered; SePay's documented limit.
const PUSH_TIMEOUT: Duration = Duration::from_secs(30);
/// Notices on their way at one time; the others wait in the bank.
const PUSHES_AT_ONCE: usize = 32;
/// Longest nap of the pusher; it looks again then even without news.
const NAP: Duration = Duration::from_secs(5);

/// The bank and what wakes its pusher.
#[derive(Clone, Debug)]
struct Shared {
    bank: Arc<Mutex<Bank>>,
    changed: Arc<Notify>,
    client: reqwest::Client,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Bank> {
        // A handler that panicked leaves a ledger that still adds up: a transfer
        // is booked in one step.
        self.bank
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }

    /// Sends one notice and says how it was met.
    async fn push(&self, push: &Push) -> bool {
        let mut request = self.client.post(&push.url).timeout(PUSH_TIMEOUT);
        for (name, value) in &push.headers {
            request = request.header(*name, value);
        }
        let answer = request.body(push.body.clone()).send().await;
        let is_success = answer.is_ok_and(|answer| answer.status().is_success());
        self.lock()
            .pushed(push.id, is_success, crate::clock::machine_ms());
        is_success
    }
}

/// One provider's door.
#[derive(Clone, Debug)]
struct Door {
    provider: Provider,
    shared: Shared,
}

/// A body that breaks off at once: the connection closes without an answer.
struct Lost;

impl http_body::Body for Lost {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(Some(Err(std::io::Error::other("answer lost on purpose"))))
    }
}

fn answer(response: bank::Response) -> Response {
    let body = if response.is_lost {
        Body::new(Lost)
    } else {
        Body::from(response.body)
    };
    let mut built = axum::http::Response::builder().status(response.status);
    for (name, value) in response.headers {
        built = built.header(name, value);
    }
    let broken = || StatusCode::INTERNAL_SERVER_ERROR.into_response();
    built.body(body).unwrap_or_else(|_| broken())
}

async fn ask(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    method: axum::http::Method,
    uri: Uri,
    Query(query): Query<Vec<(String, String)>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let method = match method.as_str() {
        "GET" => Method::Get,
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => return StatusCode::METHOD_NOT_ALLOWED.into_response(),
    };
    let readable = headers.iter().filter_map(|(name, value)| {
        let value = value.to_str().ok()?;
        Some((name.as_str().to_owned(), value.to_owned()))
    });
    let mut request = bank::Request::new(door.provider, method, uri.path());
    request.headers = readable.collect();
    request.query = query;
    request.peer = peer.ip().to_string();
    request.body = body.to_vec();
    let response = {
        let mut bank = door.shared.lock();
        bank.handle(&request, crate::clock::machine_ms())
    };
    door.shared.changed.notify_one();
    let Some(probe) = response.probe.clone() else {
        return answer(response);
    };
    if door.shared.push(&probe.push).await {
        answer(response)
    } else {
        answer(probe.refused)
    }
}

/// What a payer does. With the text of a code, the payer scans it; otherwise
/// the newest open order is paid, or money goes to an account with any memo.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct PayRequest {
    code: Option<String>,
    amount_minor: Option<i64>,
    memo: Option<String>,
    order: Option<String>,
}

async fn control_pay(State(door): State<Door>, body: Bytes) -> Response {
    let text = if body.is_empty() { b"{}" } else { &body[..] };
    let request: PayRequest = match serde_json::from_slice(text) {
        Ok(request) => request,
        Err(error) => return (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    };
    let now_ms = crate::clock::machine_ms();
    let planned = {
        let mut bank = door.shared.lock();
        intent(&bank, door.provider, request).map(|payment| bank.pay(payment, now_ms))
    };
    door.shared.changed.notify_one();
    match planned {
        Ok(due_ms) => Json(serde_json::json!({"booked_at_ms": due_ms})).into_response(),
        Err(error) => (StatusCode::NOT_FOUND, error.to_string()).into_response(),
    }
}

fn intent(bank: &Bank, provider: Provider, request: PayRequest) -> Result<Payment, bank::PayError> {
    if let Some(code) = &request.code {
        return bank.scan(code, request.amount_minor);
    }
    let named = request.order.as_deref();
    let asked = match named {
        Some(id) => bank.order(provider, id).map(|order| Payment {
            provider,
            order: Some(order.id.clone()),
            amount_minor: order.amount_minor,
            memo: order.memo.clone(),
        }),
        None if request.memo.is_none() => bank.newest_open(provider),
        None => None,
    };
    match (asked, request.amount_minor) {
        (Some(asked), amount_minor) => Ok(Payment {
            amount_minor: amount_minor.unwrap_or(asked.amount_minor),
            memo: request.memo.unwrap_or(asked.memo),
            ..asked
        }),
        (None, Some(amount_minor)) if named.is_none() => Ok(Payment {
            provider,
            order: None,
            amount_minor,
            memo: request.memo.unwrap_or_default(),
        }),
        _ => Err(bank::PayError::NoOrder),
    }
}

async fn show_faults(State(door): State<Door>) -> Json<Vec<String>> {
    Json(door.shared.lock().faults().lines())
}

async fn set_faults(State(door): State<Door>, text: String) -> Response {
    match Faults::read(&text) {
        Ok(faults) => {
            let lines = faults.lines();
            door.shared.lock().set_faults(faults);
            Json(lines).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

async fn ledger(State(door): State<Door>) -> Response {
    let bank = door.shared.lock();
    let orders: Vec<&bank::Order> = bank.orders().collect();
    Json(serde_json::json!({"transfers": bank.ledger(), "orders": orders})).into_response()
}

fn router(door: Door) -> Router {
    Router::new()
        .route("/control/pay", post(control_pay))
        .route("/control/faults", get(show_faults).post(set_faults))
        .route("/control/ledger", get(ledger))
        .fallback(ask)
        .with_state(door)
}

/// Sends every notice when it is due.
async fn push_forever(shared: Shared) {
    let places = Arc::new(Semaphore::new(PUSHES_AT_ONCE));
    loop {
        let now_ms = crate::clock::machine_ms();
        let (pushes, next_ms) = {
            let mut bank = shared.lock();
            (bank.due(now_ms), bank.next_ms())
        };
        for push in pushes {
            let Ok(place) = places.clone().acquire_owned().await else {
                return;
            };
            let shared = shared.clone();
            tokio::spawn(async move {
                shared.push(&push).await;
                drop(place);
                // A notice that failed has a new time.
                shared.changed.notify_one();
            });
        }
        let nap = next_ms.and_then(|next_ms| u64::try_from(next_ms - now_ms).ok());
        let nap = nap.map_or(NAP, Duration::from_millis).min(NAP);
        let _ = tokio::time::timeout(nap, shared.changed.notified()).await;
    }
}

/// Providers that are serving; they stop when dropped.
#[derive(Debug)]
pub struct Running {
    /// Where each listens.
    pub doors: Vec<(Provider, SocketAddr)>,
    shared: Shared,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Running {
    /// Where a provider listens, as `http://…`.
    pub fn address(&self, provider: Provider) -> Option<String> {
        let (_, address) = self.doors.iter().find(|(known, _)| *known == provider)?;
        Some(format!("http://{address}"))
    }

    /// Looks at or steers the bank.
    pub fn with_bank<T>(&self, act: impl FnOnce(&mut Bank) -> T) -> T {
        let done = act(&mut self.shared.lock());
        self.shared.changed.notify_one();
        done
    }

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

/// Starts a bank with a door for each provider (port 0 picks one), all on one
/// thread of their own.
///
/// # Errors
/// When an address cannot be bound or the HTTP client cannot be built.
pub fn start(
    settings: Settings,
    faults: Faults,
    doors: &[(Provider, SocketAddr)],
) -> std::io::Result<Running> {
    crate::sync::tls::install_provider();
    let client = reqwest::Client::builder().build();
    let client = client.map_err(std::io::Error::other)?;
    let mut bank = Bank::new(settings);
    bank.set_faults(faults);
    let shared = Shared {
        bank: Arc::new(Mutex::new(bank)),
        changed: Arc::new(Notify::new()),
        client,
    };
    let mut listeners = Vec::new();
    for (provider, address) in doors {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        listeners.push((*provider, listener));
    }
    let bound = listeners.iter().map(|(provider, listener)| {
        let address = listener.local_addr()?;
        Ok((*provider, address))
    });
    let bound = bound.collect::<std::io::Result<Vec<_>>>()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let served = shared.clone();
    let thread = std::thread::Builder::new()
        .name("sim-providers".into())
        .spawn(move || {
            runtime.block_on(async move {
                for (provider, listener) in listeners {
                    let door = Door {
                        provider,
                        shared: served.clone(),
                    };
                    tokio::spawn(serve(listener, door));
                }
                tokio::select! {
                    () = push_forever(served) => {}
                    _ = stopped => {}
                }
            });
        })?;
    Ok(Running {
        doors: bound,
        shared,
        stop: Some(stop),
        thread: Some(thread),
    })
}

async fn serve(listener: std::net::TcpListener, door: Door) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    let app = router(door).into_make_service_with_connect_info::<SocketAddr>();
    let _ = axum::serve(listener, app).await;
}

#[cfg(test)]
mod tests;
