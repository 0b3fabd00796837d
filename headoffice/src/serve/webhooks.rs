//! Notices of payment providers. Raw bytes in, one verdict out; success is answered only for what is durable.

use super::{App, blocking, trouble};
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::post,
};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// A notice has about one kilobyte.
const BODY_BYTES_MAX: usize = 64 * 1_024;
/// Notices worked on at once; providers send again what was not taken, and asking finds it anyway.
const SLOTS: usize = 16;

pub(super) fn routes() -> Router<App> {
    let slots = Arc::new(Semaphore::new(SLOTS));
    Router::new()
        .route("/v1/webhooks/{provider}/{account}", post(notice))
        .layer(from_fn(move |request: Request, next: Next| {
            let slots = Arc::clone(&slots);
            async move {
                match slots.try_acquire() {
                    Ok(_slot) => next.run(request).await,
                    Err(_) => busy(),
                }
            }
        }))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}

fn busy() -> Response {
    let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
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
