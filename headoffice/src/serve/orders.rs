//! A kiosk's orders over HTTP (`touchpoint::relay` is the contract).

use super::{App, blocking};
use crate::{
    accept::BUSY_RETRY_MS,
    relay::{Order, gate::Caller},
};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Query, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, timeout_at};
use touchpoint::{
    relay::{
        Call, OrderOffer, PROOF_HEADER, RefusalKind, RelayRefusal, SIGNATURE_HEADER, WAIT_MS_MAX,
    },
    wire::Signed,
};

/// An offer has a few hundred bytes.
const BODY_BYTES_MAX: usize = 4_096;
const LAST_LOOK_EVERY: Duration = Duration::from_millis(20);

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/v1/orders", post(offer))
        .route("/v1/orders/{code}", get(ask).delete(withdraw))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

#[derive(Deserialize)]
struct Wait {
    revision: Option<u64>,
    #[serde(default)]
    wait_ms: u64,
}

impl Wait {
    fn until(&self) -> Instant {
        Instant::now() + Duration::from_millis(self.wait_ms.min(WAIT_MS_MAX))
    }
}

async fn offer(
    State(app): State<App>,
    Query(wait): Query<Wait>,
    request: Asked,
) -> Result<Response, Response> {
    let until = wait.until();
    let caller = request.caller(&app).await?;
    let Ok(offer) = serde_json::from_slice::<OrderOffer>(&request.body) else {
        let why = "the body is not an offer";
        return Err(refuse(&app, RefusalKind::Malformed, why));
    };
    let (relay, of, made) = (Arc::clone(&app.relay), caller.clone(), offer.clone());
    let is_new = match work(&app, move || relay.offer(&of, &made)).await? {
        Ok(is_new) => is_new,
        Err((kind, why)) => return Err(refuse(&app, kind, why)),
    };
    let ready = |order: &Order| {
        let needs_code = app
            .relay
            .accounts()
            .iter()
            .any(|account| account.id == order.account && account.needs_code());
        !needs_code || order.made.is_some() || order.refused.is_some()
    };
    let order = wait_until(&app, &caller, &offer.order, until, ready).await?;
    let status = if is_new {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(answer(&app, order, &caller, status))
}

async fn ask(
    State(app): State<App>,
    Path(code): Path<String>,
    Query(wait): Query<Wait>,
    request: Asked,
) -> Result<Response, Response> {
    let until = wait.until();
    let caller = request.caller(&app).await?;
    let news = |order: &Order| wait.revision != Some(order.revision());
    let order = wait_until(&app, &caller, &code, until, news).await?;
    Ok(answer(&app, order, &caller, StatusCode::OK))
}

async fn withdraw(
    State(app): State<App>,
    Path(code): Path<String>,
    request: Asked,
) -> Result<Response, Response> {
    let caller = request.caller(&app).await?;
    let order = read(&app, &caller, &code).await?;
    if !order.is_paid() && !order.withdrawn {
        last_look(&app, &order).await;
    }
    let relay = Arc::clone(&app.relay);
    work(&app, move || relay.withdraw(&order)).await?;
    // Whether money can still come is what the shopper wants to know; the provider is asked at once.
    let until = Instant::now() + app.patience.last_look;
    let settled = |order: &Order| !app.relay.can_cancel(order);
    let order = wait_until(&app, &caller, &code, until, settled).await?;
    Ok(answer(&app, order, &caller, StatusCode::OK))
}

/// Asks the bank and waits for its answer, within reason: an unreachable bank must not hold up the shopper.
async fn last_look(app: &App, order: &Order) {
    let before = app.relay.ask_now(order);
    let until = Instant::now() + app.patience.last_look;
    while Instant::now() < until && app.relay.answered_ms(order) == before {
        sleep(LAST_LOOK_EVERY).await;
    }
}

/// The order as soon as `ready`, or as it is at `until`.
async fn wait_until(
    app: &App,
    caller: &Caller,
    code: &str,
    until: Instant,
    ready: impl Fn(&Order) -> bool,
) -> Result<Order, Response> {
    let order = read(app, caller, code).await?;
    if ready(&order) || Instant::now() >= until {
        return Ok(order);
    }
    let Some(mut waiting) = app.relay.waiters.begin(code) else {
        return Err(refuse(
            app,
            RefusalKind::Busy,
            "too many questions are held open",
        ));
    };
    loop {
        let order = read(app, caller, code).await?;
        if ready(&order) {
            return Ok(order);
        }
        if timeout_at(until, waiting.news()).await.is_err() {
            return Ok(order);
        }
    }
}

async fn read(app: &App, caller: &Caller, code: &str) -> Result<Order, Response> {
    let (relay, caller, code) = (Arc::clone(&app.relay), caller.clone(), code.to_owned());
    match work(app, move || relay.order(&caller, &code)).await? {
        Some(order) => Ok(order),
        None => Err(refuse(
            app,
            RefusalKind::UnknownOrder,
            "this kiosk has no such order here",
        )),
    }
}

/// Database work off the async threads.
async fn work<T: Send + 'static>(
    app: &App,
    work: impl FnOnce() -> Result<T, crate::StoreError> + Send + 'static,
) -> Result<T, Response> {
    match blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(trouble(app, &error)),
        Err(error) => Err(trouble(app, &error)),
    }
}

/// The database could not answer: nothing was acknowledged, so the kiosk simply asks again.
fn trouble(app: &App, error: &impl std::fmt::Display) -> Response {
    tracing::error!(%error, "a kiosk's order could not be read or kept");
    refuse(
        app,
        RefusalKind::Busy,
        "head office's database does not answer",
    )
}

fn answer(app: &App, order: Order, caller: &Caller, status: StatusCode) -> Response {
    let answer = app.relay.answer(order, caller.nonce);
    match Signed::new(app.store.key(), &answer) {
        Ok(signed) => (status, Json(signed)).into_response(),
        Err(error) => trouble(app, &error),
    }
}

fn refuse(app: &App, error: RefusalKind, why: impl Into<String>) -> Response {
    let busy = error == RefusalKind::Busy;
    let refusal = RelayRefusal {
        error,
        message: why.into(),
        now_ms: app.store.clock.now_ms(),
        retry_after_ms: busy.then_some(BUSY_RETRY_MS),
    };
    let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = (status, Json(refusal)).into_response();
    if busy {
        let seconds = HeaderValue::from(BUSY_RETRY_MS.div_ceil(1_000));
        response.headers_mut().insert(header::RETRY_AFTER, seconds);
    }
    response
}

/// A request with everything its signature covers.
struct Asked {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
}

impl<S: Send + Sync> axum::extract::FromRequest<S> for Asked {
    type Rejection = Response;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Response> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let headers = request.headers().clone();
        let body = Bytes::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        Ok(Self {
            method,
            uri,
            headers,
            body,
        })
    }
}

impl Asked {
    /// Who asks, once signature, time and nonce are right.
    async fn caller(&self, app: &App) -> Result<Caller, Response> {
        let text = |name: &str| Some(self.headers.get(name)?.to_str().ok()?.to_owned());
        let (Some(document), Some(signature)) = (text(PROOF_HEADER), text(SIGNATURE_HEADER)) else {
            let why = "the request carries no proof; enrol the kiosk and update its program";
            return Err(refuse(app, RefusalKind::Signature, why));
        };
        let signed = Signed {
            document,
            signature,
        };
        let target = self
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        let (relay, method, body) = (
            Arc::clone(&app.relay),
            self.method.to_string(),
            self.body.clone(),
        );
        let checked = work(app, move || {
            let call = Call {
                method: &method,
                target: &target,
                body: &body,
            };
            relay.gate.check(&relay.store, &signed, call)
        })
        .await?;
        checked.map_err(|kind| refuse(app, kind, words(kind)))
    }
}

fn words(kind: RefusalKind) -> &'static str {
    match kind {
        RefusalKind::UnknownDevice => "not enrolled here; enrol again",
        RefusalKind::Revoked => "this device was revoked; call the operator",
        RefusalKind::Signature => "the signature is not by this device's key over this request",
        RefusalKind::Stale => "signed for another time; sign again by now_ms",
        RefusalKind::Replayed => "this nonce was used; sign again with a new one",
        RefusalKind::Busy => "too many requests of this kiosk",
        _ => "the proof cannot be read",
    }
}
