//! Notices of payment providers. Raw bytes in, one verdict out; success is answered only for what is durable.
//!
//! What comes too fast from one source is refused before it is read: providers send again what was not taken, and asking
//! finds the money anyway.

use super::{App, blocking, trouble};
use axum::{
    Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::post,
};
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};
use tokio::sync::Semaphore;

/// A notice has about one kilobyte.
const BODY_BYTES_MAX: usize = 64 * 1_024;
/// Notices worked on at once; providers send again what was not taken, and asking finds it anyway.
const SLOTS: usize = 16;

pub(super) fn routes(app: App) -> Router<App> {
    let slots = Arc::new(Semaphore::new(SLOTS));
    Router::new()
        .route("/v1/webhooks/{provider}/{account}", post(notice))
        // Pix providers put this behind the address they are given.
        .route("/v1/webhooks/{provider}/{account}/pix", post(notice))
        .layer(from_fn(move |request: Request, next: Next| {
            let slots = Arc::clone(&slots);
            async move {
                match slots.try_acquire() {
                    Ok(_slot) => next.run(request).await,
                    Err(_) => come_back(StatusCode::SERVICE_UNAVAILABLE),
                }
            }
        }))
        .layer(from_fn_with_state(app, measure))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

/// Each source has its measure.
async fn measure(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    let source = source(peer.ip(), request.headers());
    if app.relay.sources.admits(source, app.relay.now_ms()) {
        next.run(request).await
    } else {
        come_back(StatusCode::TOO_MANY_REQUESTS)
    }
}

/// Where a request comes from. What a proxy on this machine says last is what it saw itself; everybody else may say what
/// they like.
fn source(peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    if !peer.is_loopback() {
        return peer;
    }
    let told = headers.get_all("x-forwarded-for").iter().next_back();
    let last = told
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.rsplit(',').next());
    last.and_then(|text| text.trim().parse().ok())
        .unwrap_or(peer)
}

fn come_back(status: StatusCode) -> Response {
    let mut response = status.into_response();
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

async fn notice(
    State(app): State<App>,
    Path((provider, name)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let Some(account) = app.relay.account_named(&provider, &name).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let relay = Arc::clone(&app.relay);
    let work = move || {
        let header = |name: &str| Some(headers.get(name)?.to_str().ok()?.to_owned());
        relay.push(&account, &body, &header)
    };
    match blocking(work).await {
        Ok(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_REQUEST);
            let kind = [(header::CONTENT_TYPE, "application/json")];
            (status, kind, answer.body).into_response()
        }
        Err(error) => trouble(&error),
    }
}
