//! Requests and answers as values, and what every provider's door has in
//! common: limits, faults, lost answers.

use std::collections::VecDeque;

use super::super::credit::Provider;
use super::super::sepay::REQUESTS_PER_SECOND;
use super::push::Push;
use super::{Bank, Fault, payos_face, pix_face, sepay_face};

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

/// A request at a provider's door.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whose door.
    pub provider: Provider,
    /// Method.
    pub method: Method,
    /// Path, decoded.
    pub path: String,
    /// Query, decoded.
    pub query: Vec<(String, String)>,
    /// Headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Address it comes from; limits are counted by it.
    pub peer: String,
}

impl Request {
    /// A request without headers and body.
    #[must_use]
    pub fn new(provider: Provider, method: Method, path: &str) -> Self {
        Self {
            provider,
            method,
            path: path.to_owned(),
            query: Vec::new(),
            headers: Vec::new(),
            body: Vec::new(),
            peer: "127.0.0.1".to_owned(),
        }
    }

    /// With a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = name.to_ascii_lowercase();
        self.headers.push((name, value.to_owned()));
        self
    }

    /// With a query parameter.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a body.
    #[must_use]
    pub fn with_body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(super) fn header_value(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    pub(super) fn parameter_value(&self, name: &str) -> Option<&str> {
        let (_, value) = self.query.iter().find(|(known, _)| known == name)?;
        Some(value)
    }

    pub(super) fn bearer(&self) -> Option<&str> {
        self.header_value("authorization")?.strip_prefix("Bearer ")
    }
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers beside `Content-Length`.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// The request was done and this answer must not arrive: close the
    /// connection instead.
    pub is_lost: bool,
    /// A notice to send first; which answer holds depends on it.
    pub probe: Option<Box<Probe>>,
}

/// A webhook address that is tried before it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// Notice to send; settle it with [`Bank::pushed`].
    pub push: Push,
    /// Answer when it is not met with HTTP 2xx.
    pub refused: Response,
}

impl Response {
    pub(super) fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: body.into(),
            is_lost: false,
            probe: None,
        }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// A header.
    #[must_use]
    pub fn header_value(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

/// Most addresses whose requests are counted; the oldest counts are dropped.
const PEERS_MAX: usize = 1_024;

impl Bank {
    /// Answers a request at `now_ms`. Payments and notices that are due by then
    /// come first.
    pub fn handle(&mut self, request: &Request, now_ms: i64) -> Response {
        self.advance(now_ms);
        if request.provider == Provider::SePay
            && let Some(limited) = self.limit(&request.peer, now_ms)
        {
            return limited;
        }
        if let Some(fault) = self.http_fault() {
            return fault;
        }
        let lost = self.strikes(&Fault::LostResponseAfterCommit);
        let mut response = match request.provider {
            Provider::PayOs => payos_face::answer(self, request, now_ms),
            Provider::SePay => sepay_face::answer(self, request, now_ms),
            Provider::Pix => pix_face::answer(self, request, now_ms),
        };
        if request.provider == Provider::SePay {
            response = self.with_limits(response, &request.peer, now_ms);
        }
        response.is_lost = lost;
        response
    }

    fn http_fault(&mut self) -> Option<Response> {
        let (status, retry_after_s) = self.strike(|fault| match fault {
            Fault::Http {
                status,
                retry_after_s,
            } => Some((*status, *retry_after_s)),
            _ => None,
        })?;
        let body = format!(r#"{{"code":"{status}","desc":"fault of the simulator"}}"#);
        let response = Response::json(status, body);
        Some(match retry_after_s {
            Some(seconds) => response.with("Retry-After", seconds),
            None => response,
        })
    }

    /// Three requests a second from one address, as SePay counts them.
    fn limit(&mut self, peer: &str, now_ms: i64) -> Option<Response> {
        if self.requests.len() > PEERS_MAX {
            self.requests
                .retain(|_, times| times.back().is_some_and(|at| *at > now_ms - 1_000));
        }
        let times = self.requests.entry(peer.to_owned()).or_default();
        forget(times, now_ms);
        if times.len() < REQUESTS_PER_SECOND as usize {
            times.push_back(now_ms);
            return None;
        }
        let body =
            r#"{"status":"error","error_code":"rate_limited","message":"Too many requests"}"#;
        let limited = Response::json(429, body).with("Retry-After", 1);
        Some(self.with_limits(limited, peer, now_ms))
    }

    fn with_limits(&mut self, response: Response, peer: &str, now_ms: i64) -> Response {
        let times = self.requests.entry(peer.to_owned()).or_default();
        forget(times, now_ms);
        let used = u32::try_from(times.len()).unwrap_or(u32::MAX);
        let reset_ms = times.front().map_or(now_ms, |first| first + 1_000);
        response
            .with("X-RateLimit-Limit", REQUESTS_PER_SECOND)
            .with(
                "X-RateLimit-Remaining",
                REQUESTS_PER_SECOND.saturating_sub(used),
            )
            .with("X-RateLimit-Reset", reset_ms.div_euclid(1_000) + 1)
    }
}

fn forget(times: &mut VecDeque<i64>, now_ms: i64) {
    // A clock that was set back must not lock anybody out.
    times.retain(|at| (now_ms - 1_000..=now_ms).contains(at) && *at != now_ms - 1_000);
}
