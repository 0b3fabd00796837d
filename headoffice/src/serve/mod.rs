//! HTTP: the kiosks' API, the day as JSON, and the dashboard.

mod credits;
mod format;
mod orders;
mod page;
mod panels;
mod unread;
mod webhooks;

use crate::{
    accept::{Address, BUSY_RETRY_MS, Refused},
    config::Patience,
    enrol::EnrolError,
    relay::Relay,
    store::{Store, StoreError},
    today::Today,
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Path, Query, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::Deserialize;
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, oneshot},
};
use touchpoint::{
    DeviceId, JournalId, Lane,
    block::MAX_BLOCK_BYTES,
    wire::{PutAnswer, Refusal, Signed},
};

/// Requests of kiosks worked on at once; the next one is told to come back.
const KIOSK_SLOTS: usize = 64;
/// The write-ahead log is folded in this often.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);
/// Nothing but our own style, fonts and pictures; no script at all.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; \
     base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What every handler shares.
#[derive(Clone)]
struct App {
    store: Arc<Store>,
    relay: Arc<Relay>,
    organisation: Arc<str>,
    patience: Patience,
    slots: Arc<Semaphore>,
    arrived: Arc<Notify>,
}

/// Serves until `stopped` fires (or its sender is gone), then finishes requests in progress.
pub(crate) async fn run(
    listener: TcpListener,
    relay: Arc<Relay>,
    organisation: String,
    patience: Patience,
    stopped: oneshot::Receiver<()>,
    stop_patience: Duration,
) {
    let app = App {
        store: Arc::clone(&relay.store),
        relay,
        organisation: organisation.into(),
        patience,
        slots: Arc::new(Semaphore::new(KIOSK_SLOTS)),
        arrived: Arc::new(Notify::new()),
    };
    let reader = tokio::spawn(keep_reading(app.clone()));
    let (quit, quitting) = oneshot::channel::<()>();
    let service = router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
    let server = axum::serve(listener, service).with_graceful_shutdown(async {
        // Either way it is time to stop.
        let _ = quitting.await;
    });
    let mut serving = tokio::spawn(server.into_future());
    tokio::select! {
        _ = stopped => {
            let _ = quit.send(());
            // A client that never finishes must not keep the server up.
            if tokio::time::timeout(stop_patience, &mut serving).await.is_err() {
                serving.abort();
            }
        }
        ended = &mut serving => tracing::error!(?ended, "the server ended by itself"),
    }
    reader.abort();
    if let Err(error) = app.store.checkpoint() {
        tracing::error!(%error, "the last checkpoint failed; the log is kept and read at the next start");
    }
}

fn router(app: App) -> Router {
    let kiosks = Router::new()
        .route("/v1/enroll", post(enroll))
        .route(
            "/v1/journals/{device}/{journal}/{lane}/{first_seq}",
            put(put_block),
        )
        .route("/v1/heartbeat", post(heartbeat))
        .layer(from_fn_with_state(app.clone(), admit))
        .layer(DefaultBodyLimit::max(MAX_BLOCK_BYTES));
    let people = Router::new()
        .route("/", get(page::show))
        .route("/v1/today", get(today))
        .route("/credits", get(credits::page))
        .route("/v1/credits", get(credits::json))
        .route("/v1/credits/by-staff", get(credits::by_staff_json))
        .layer(from_fn_with_state(app.clone(), authorise));
    let open = Router::new()
        .route("/healthz", get(healthz))
        .route("/assets/{name}", get(asset));
    kiosks
        .merge(orders::routes())
        .merge(webhooks::routes(app.clone()))
        .merge(people)
        .merge(open)
        .layer(from_fn(harden))
        .layer(from_fn(unread::end_reading))
        .with_state(app)
}

/// Reads new blocks as they arrive and folds the log in from time to time.
async fn keep_reading(app: App) {
    let mut checkpoint = tokio::time::interval(CHECKPOINT_EVERY);
    loop {
        tokio::select! {
            () = app.arrived.notified() => {}
            _ = checkpoint.tick() => {
                let store = Arc::clone(&app.store);
                if let Ok(Err(error)) = blocking(move || store.checkpoint()).await {
                    tracing::error!(%error, "ALARM: folding the log into the database failed; check the disk");
                }
            }
        }
        let store = Arc::clone(&app.store);
        if let Ok(Err(error)) = blocking(move || store.project_until(|| false)).await {
            tracing::error!(%error, "reading blocks stopped; it is tried again with the next block");
        }
        let store = Arc::clone(&app.store);
        if let Ok(Err(error)) = blocking(move || store.match_by_staff()).await {
            tracing::error!(%error, "matching transfers that staff confirmed stopped; it is tried again");
        }
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    tokio::task::spawn_blocking(work).await
}

/// Lets a bounded number of kiosk requests in; the rest are told to come back, which they do with jitter.
async fn admit(State(app): State<App>, request: Request, next: Next) -> Response {
    match app.slots.try_acquire() {
        Ok(_slot) => next.run(request).await,
        Err(_) => busy(),
    }
}

fn busy() -> Response {
    let seconds = HeaderValue::from(BUSY_RETRY_MS.div_ceil(1_000));
    let mut response = answer(&PutAnswer::Busy {
        retry_after_ms: BUSY_RETRY_MS,
    });
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

fn answer(answer: &PutAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, Json(answer)).into_response()
}

fn refusal(status: StatusCode, error: &str, message: impl Into<String>) -> Response {
    (
        status,
        Json(Refusal {
            error: error.into(),
            message: message.into(),
        }),
    )
        .into_response()
}

/// The database could not answer: nothing was acknowledged, so the kiosk simply tries again.
fn trouble(error: &impl std::fmt::Display) -> Response {
    tracing::error!(%error, "a request failed");
    busy()
}

#[derive(Deserialize)]
struct Acked {
    #[serde(default)]
    acked: u64,
}

async fn put_block(
    State(app): State<App>,
    Path((device, journal, lane, first_seq)): Path<(String, String, String, String)>,
    Query(Acked { acked }): Query<Acked>,
    body: Bytes,
) -> Response {
    let Some(address) = address(device, journal, &lane, &first_seq, acked) else {
        let reason = "the address is not /v1/journals/{device}/{journal}/{lane}/{first_seq}";
        return answer(&PutAnswer::Malformed {
            reason: reason.into(),
        });
    };
    let store = Arc::clone(&app.store);
    match blocking(move || store.accept(&address, &body)).await {
        Ok(Ok(verdict)) => {
            if matches!(verdict, PutAnswer::Stored(_)) {
                app.arrived.notify_one();
            }
            answer(&verdict)
        }
        Ok(Err(error)) => trouble(&error),
        Err(error) => trouble(&error),
    }
}

fn address(
    device: String,
    journal: String,
    lane: &str,
    first_seq: &str,
    acked: u64,
) -> Option<Address> {
    Some(Address {
        device: DeviceId::new(device).ok()?,
        journal: JournalId::new(journal).ok()?,
        lane: Lane::from_number(lane.parse().ok()?)?,
        first_seq: first_seq.parse().ok()?,
        acked,
    })
}

fn not_signed() -> Response {
    refusal(
        StatusCode::BAD_REQUEST,
        "malformed",
        "the body is not a signed document",
    )
}

async fn enroll(State(app): State<App>, body: Bytes) -> Response {
    let Ok(signed) = serde_json::from_slice::<Signed>(&body) else {
        return not_signed();
    };
    let store = Arc::clone(&app.store);
    match blocking(move || store.enrol(&signed)).await {
        Ok(Ok(Ok(answer))) => {
            tracing::info!(device = %answer.device, store = answer.store, "enrolled");
            Json(answer).into_response()
        }
        Ok(Ok(Err(error))) => {
            let status = match error {
                EnrolError::Malformed(_) => StatusCode::BAD_REQUEST,
                EnrolError::Signature => StatusCode::UNPROCESSABLE_ENTITY,
                EnrolError::CodeExpired => StatusCode::GONE,
                EnrolError::CodeUsed => StatusCode::CONFLICT,
                EnrolError::CodeUnknown | EnrolError::Revoked => StatusCode::FORBIDDEN,
            };
            refusal(status, error.code(), error.to_string())
        }
        Ok(Err(error)) => trouble(&error),
        Err(error) => trouble(&error),
    }
}

async fn heartbeat(State(app): State<App>, body: Bytes) -> Response {
    let Ok(signed) = serde_json::from_slice::<Signed>(&body) else {
        return not_signed();
    };
    let store = Arc::clone(&app.store);
    match blocking(move || store.heartbeat(&signed)).await {
        Ok(Ok(Ok(answer))) => Json(answer).into_response(),
        Ok(Ok(Err(refused))) => refuse_heartbeat(refused),
        Ok(Err(error)) => trouble(&error),
        Err(error) => trouble(&error),
    }
}

fn refuse_heartbeat(refused: Refused) -> Response {
    match refused {
        Refused::Unknown => refusal(
            StatusCode::UNAUTHORIZED,
            "unknown_device",
            "not enrolled here; enrol again",
        ),
        Refused::Revoked => refusal(
            StatusCode::FORBIDDEN,
            "revoked",
            "this device was revoked; call the operator",
        ),
        Refused::Signature => refusal(
            StatusCode::UNPROCESSABLE_ENTITY,
            "signature",
            "the signature is not by this device's key",
        ),
        Refused::Malformed(why) => refusal(StatusCode::BAD_REQUEST, "malformed", why),
    }
}

/// Which day, and in which language.
#[derive(Deserialize, Default)]
struct Wanted {
    date: Option<String>,
    lang: Option<String>,
}

impl Wanted {
    /// The asked date if it is one; anything else is the current day.
    fn date(&self) -> Option<String> {
        let date = self.date.as_deref()?;
        chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d")
            .ok()
            .map(|date| date.format("%Y-%m-%d").to_string())
    }
}

async fn today(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    match read_today(&app, wanted.date()).await {
        Ok(today) => Json(today).into_response(),
        Err(response) => response,
    }
}

/// The day's figures, after reading what has arrived so far (within reason).
async fn read_today(app: &App, date: Option<String>) -> Result<Today, Response> {
    let (store, patience) = (Arc::clone(&app.store), app.patience.page);
    let work = move || {
        let begun = Instant::now();
        store.project_until(|| begun.elapsed() > patience)?;
        store.today(date.as_deref())
    };
    match blocking(work).await {
        Ok(Ok(today)) => Ok(today),
        Ok(Err(error)) => Err(trouble(&error)),
        Err(error) => Err(trouble(&error)),
    }
}

/// Alive means the database answers.
async fn healthz(State(app): State<App>) -> Response {
    let store = Arc::clone(&app.store);
    let ask =
        move || store.read(|db| Ok(db.query_row("SELECT 1", [], |row| row.get::<_, i64>(0))?));
    match blocking(ask).await {
        Ok(Ok(_)) => (StatusCode::OK, "ok\n").into_response(),
        Ok(Err(error)) => trouble(&error),
        Err(error) => trouble(&error),
    }
}

macro_rules! font {
    ($weight:literal) => {
        include_bytes!(concat!("../../../ui/fonts/BeVietnamPro-", $weight, ".ttf"))
    };
}

async fn asset(Path(name): Path<String>) -> Response {
    let (kind, bytes): (&str, &'static [u8]) = match name.as_str() {
        "style.css" => (
            "text/css; charset=utf-8",
            include_bytes!("../../assets/style.css"),
        ),
        "icon.svg" => ("image/svg+xml", include_bytes!("../../assets/icon.svg")),
        "be-vietnam-pro-400.ttf" => ("font/ttf", font!("Regular")),
        "be-vietnam-pro-500.ttf" => ("font/ttf", font!("Medium")),
        "be-vietnam-pro-600.ttf" => ("font/ttf", font!("SemiBold")),
        "be-vietnam-pro-700.ttf" => ("font/ttf", font!("Bold")),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "public, max-age=3600"),
    ];
    (headers, bytes).into_response()
}

/// The dashboard asks for a key (HTTP Basic, any name, the key as password) once keys exist or off this machine.
async fn authorise(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let key = password(request.headers());
    let store = Arc::clone(&app.store);
    let loopback = peer.ip().is_loopback();
    match blocking(move || store.may_view(key.as_deref(), loopback)).await {
        Ok(Ok(true)) => next.run(request).await,
        Ok(Ok(false)) => {
            let realm = [(
                header::WWW_AUTHENTICATE,
                "Basic realm=\"headoffice\", charset=\"UTF-8\"",
            )];
            let words = "This page needs a key. Make one with: headoffice key --name NAME\n";
            (StatusCode::UNAUTHORIZED, realm, words).into_response()
        }
        Ok(Err(error)) => trouble(&error),
        Err(error) => trouble(&error),
    }
}

fn password(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > 512 {
        return None;
    }
    let decoded = String::from_utf8(format::base64_decode(encoded.trim())?).ok()?;
    decoded
        .split_once(':')
        .map(|(_, password)| password.to_owned())
}

async fn harden(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

impl From<StoreError> for Response {
    fn from(error: StoreError) -> Self {
        trouble(&error)
    }
}
