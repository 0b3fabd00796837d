//! Answers that are ready before the request was read.
//!
//! A body that is too large, a notice that comes too fast or a kiosk that must come back is answered without reading the
//! whole request. What is left of the body then stands between this request and the next one on the connection, so the
//! server has to close it; a client that is not told keeps the connection for its next request and loses that one. So a
//! small rest is read and thrown away, which keeps the connection and lets the answer arrive; and of a large or slow one
//! the client is told with `Connection: close` (RFC 9112 §9.6).

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::Request,
    http::{HeaderValue, Version, header},
    middleware::Next,
    response::Response,
};
use http_body::{Frame, SizeHint};
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::sync::oneshot;
use touchpoint::block::MAX_BLOCK_BYTES;

/// Most that is read of a body nobody wants: what a kiosk sends at most, so that its answer always arrives.
const REST_BYTES_MAX: usize = MAX_BLOCK_BYTES;
/// Longest time it may take to arrive.
const REST_PATIENCE: Duration = Duration::from_secs(2);

/// Leaves no connection behind on which the next request would be lost.
pub(super) async fn end_reading(request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    if body.is_end_stream() {
        return next.run(Request::from_parts(parts, body)).await;
    }
    let one_connection_each = parts.version <= Version::HTTP_11;
    // Whoever waits for "100 Continue" has sent nothing yet, and reading would ask for it.
    let sends_unasked = !parts.headers.contains_key(header::EXPECT);
    let (lender, mut lent) = oneshot::channel();
    let body = Body::new(Lent {
        body: Some(body),
        lender: Some(lender),
    });
    let mut response = next.run(Request::from_parts(parts, body)).await;
    let is_read = match lent.try_recv() {
        Ok(Rest::None) => true,
        Ok(Rest::Some(body)) => sends_unasked && read_away(body).await,
        // Somebody still reads while the answer is given.
        Err(_) => false,
    };
    if !is_read && one_connection_each {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(header::CONNECTION, close);
    }
    response
}

/// Reads to the end and keeps nothing. Whether the end came in time.
async fn read_away(mut body: Body) -> bool {
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    if announced > REST_BYTES_MAX {
        return false;
    }
    let reading = async {
        let mut read = 0_usize;
        loop {
            let frame = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await;
            match frame {
                None => return true,
                Some(Err(_)) => return false,
                Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
            }
            if read > REST_BYTES_MAX {
                return false;
            }
        }
    };
    tokio::time::timeout(REST_PATIENCE, reading)
        .await
        .unwrap_or(false)
}

/// What is left of a body when its reader is done with it.
enum Rest {
    /// It was read to its end.
    None,
    /// It was not.
    Some(Body),
}

/// A request's body that comes back when its reader drops it.
struct Lent {
    /// `None` after its end or its failure.
    body: Option<Body>,
    lender: Option<oneshot::Sender<Rest>>,
}

impl Lent {
    fn give_back(&mut self, rest: Rest) {
        if let Some(lender) = self.lender.take() {
            // Nobody waits any more when the request was given up.
            let _ = lender.send(rest);
        }
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.body else {
            return Poll::Ready(None);
        };
        let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
        if frame.is_none() {
            self.body = None;
            self.give_back(Rest::None);
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body
            .as_ref()
            .map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(body) = self.body.take() {
            let rest = if body.is_end_stream() {
                Rest::None
            } else {
                Rest::Some(body)
            };
            self.give_back(rest);
        }
    }
}
