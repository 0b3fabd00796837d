//! The payment relay of head office: signed requests, signed answers (`touchpoint::relay`).
//!
//! The kiosk's key and head office's key come from the enrolment, read on the bank's own thread.
//! An answer that is not signed, or that answers another request, says nothing and is asked anew.

use super::{
    Answer, Asked, Capabilities, Confirm, Credited, Health, Known, Made, ProviderError,
    QrPaymentProvider, Refund,
};
use crate::clock::wall_ms;
use crate::store::Store;
use crate::sync::load_or_make;
use reqwest::Method;
use reqwest::blocking::Client;
use std::io::Read;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use touchpoint::relay::{
    BankHealth, Call, CallProof, OrderAnswer, OrderOffer, OrderState, PROOF_HEADER, RefusalKind,
    RelayRefusal, SIGNATURE_HEADER, WAIT_MS_MAX,
};
use touchpoint::wire::Signed;
use touchpoint::{DeviceId, SigningKey, VerifyingKey};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the provider may take to make its code before the kiosk asks again.
const CREATE_WAIT_MS: u64 = 4_000;
/// How long a question is held open for news: short enough that a new offer gets the line.
const LONG_POLL_MS: u64 = 4_000;
/// Longest answer read; an order with hundreds of credits is far below.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Who this kiosk is, and whom it believes.
struct Session {
    device: DeviceId,
    key: SigningKey,
    head_office: VerifyingKey,
    base: String,
}

/// Head office's relay.
pub struct HeadOfficeRelay {
    client: Client,
    store: Store,
    /// Instead of the enrolment's address.
    base: Option<String>,
    session: Mutex<Option<Arc<Session>>>,
    /// Head office's clock less ours.
    correction_ms: AtomicI64,
}

impl HeadOfficeRelay {
    /// A provider for an enrolled kiosk; `base` instead of the enrolment's address, where given.
    ///
    /// # Errors
    /// [`ProviderError::Unreachable`] when the HTTP client cannot be built.
    pub fn new(store: Store, base: Option<&str>) -> Result<Self, ProviderError> {
        crate::sync::tls::install_provider();
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_max_idle_per_host(2)
            .build()
            .map_err(unreachable)?;
        Ok(Self {
            client,
            store,
            base: base.map(|base| base.trim_end_matches('/').to_owned()),
            session: Mutex::new(None),
            correction_ms: AtomicI64::new(0),
        })
    }

    /// Who we are; looked up until the kiosk is enrolled, then kept.
    fn session(&self) -> Result<Arc<Session>, ProviderError> {
        // Every change is one assignment; a panicked holder left it whole.
        let mut session = self
            .session
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        if let Some(open) = session.as_ref() {
            return Ok(open.clone());
        }
        let open = Arc::new(self.open_session()?);
        *session = Some(open.clone());
        Ok(open)
    }

    fn open_session(&self) -> Result<Session, ProviderError> {
        let refused = |why: String| ProviderError::NotAccepted(why);
        let enrolment = self
            .store
            .call(|engine| engine.enrolment())
            .map_err(|error| ProviderError::Unreachable(error.to_string()))?
            .ok_or_else(|| refused("it is not enrolled at head office".into()))?;
        let key =
            load_or_make(Path::new(&enrolment.key_path)).map_err(|e| refused(e.to_string()))?;
        let bytes: [u8; 32] = enrolment
            .head_office_key
            .as_slice()
            .try_into()
            .map_err(|_| refused("head office's key has the wrong length".into()))?;
        let head_office = VerifyingKey::from_bytes(&bytes).map_err(|e| refused(e.to_string()))?;
        let device = DeviceId::new(enrolment.device_id).map_err(|e| refused(e.to_string()))?;
        let base = enrolment.head_office_url.trim_end_matches('/').to_owned();
        Ok(Session {
            device,
            key,
            head_office,
            base: self.base.clone().unwrap_or(base),
        })
    }

    /// One question; asked a second time at once where head office's own word makes that sensible
    /// (a clock that is off, a nonce it has seen).
    fn call(
        &self,
        method: &Method,
        target: &str,
        order: &str,
        body: Vec<u8>,
        wait: Duration,
    ) -> Result<Answer, ProviderError> {
        let session = self.session()?;
        match self.call_once(&session, method, target, order, &body, wait) {
            Err(Asking::Again) => self
                .call_once(&session, method, target, order, &body, wait)
                .map_err(|error| match error {
                    Asking::Again => {
                        ProviderError::Garbled("it refuses the same request twice".into())
                    }
                    Asking::Failed(error) => error,
                }),
            Err(Asking::Failed(error)) => Err(error),
            Ok(answer) => Ok(answer),
        }
    }

    fn call_once(
        &self,
        session: &Session,
        method: &Method,
        target: &str,
        order: &str,
        body: &[u8],
        wait: Duration,
    ) -> Result<Answer, Asking> {
        let mut nonce = [0u8; 16];
        getrandom::fill(&mut nonce)
            .map_err(|_| ProviderError::Unreachable("the system gives no randomness".into()))?;
        let call = Call {
            method: method.as_str(),
            target,
            body,
        };
        let at_ms = wall_ms().saturating_add(self.correction_ms.load(Ordering::Relaxed));
        let proof = CallProof::new(session.device.clone(), call, at_ms, nonce)
            .sign(&session.key)
            .map_err(|error| ProviderError::Garbled(error.to_string()))?;
        let url = format!("{}{target}", session.base);
        let mut request = self
            .client
            .request(method.clone(), url)
            .timeout(ANSWER_TIMEOUT + wait)
            .header(PROOF_HEADER, proof.document)
            .header(SIGNATURE_HEADER, proof.signature);
        if !body.is_empty() {
            request = request
                .header("content-type", "application/json")
                .body(body.to_vec());
        }
        let response = request.send().map_err(unreachable)?;
        let (status, ok) = (response.status(), response.status().is_success());
        let mut bytes = Vec::new();
        response
            .take(ANSWER_BYTES_MAX)
            .read_to_end(&mut bytes)
            .map_err(|error| ProviderError::Unreachable(error.to_string()))?;
        if !ok {
            return Err(self.refusal(status, &bytes));
        }
        let signed: Signed = serde_json::from_slice(&bytes)
            .map_err(|error| ProviderError::Garbled(error.to_string()))?;
        let answer = OrderAnswer::open(&signed, &session.head_office, &nonce, order)
            .map_err(|error| ProviderError::Garbled(error.to_string()))?;
        self.correct_clock(answer.now_ms);
        Ok(taken(answer))
    }

    fn correct_clock(&self, head_office_ms: i64) {
        let correction = head_office_ms.saturating_sub(wall_ms());
        self.correction_ms.store(correction, Ordering::Relaxed);
    }

    fn refusal(&self, status: reqwest::StatusCode, bytes: &[u8]) -> Asking {
        let Ok(refusal) = serde_json::from_slice::<RelayRefusal>(bytes) else {
            let error = if status.is_server_error() || status.as_u16() == 429 {
                ProviderError::Busy {
                    retry_after_ms: 1_000,
                }
            } else {
                ProviderError::Garbled(format!("{status}; there is no payment relay"))
            };
            return error.into();
        };
        let message: String = refusal
            .message
            .chars()
            .filter(|c| !c.is_control())
            .take(160)
            .collect();
        match refusal.error {
            RefusalKind::Stale => {
                self.correct_clock(refusal.now_ms);
                Asking::Again
            }
            RefusalKind::Replayed => Asking::Again,
            RefusalKind::Busy | RefusalKind::Other => ProviderError::Busy {
                retry_after_ms: refusal.retry_after_ms.unwrap_or(1_000).clamp(100, 60_000),
            }
            .into(),
            RefusalKind::Signature | RefusalKind::UnknownDevice | RefusalKind::Revoked => {
                // Enrolled anew, the next question is asked with the new key.
                *self
                    .session
                    .lock()
                    .unwrap_or_else(|broken| broken.into_inner()) = None;
                ProviderError::NotAccepted(message).into()
            }
            RefusalKind::OrderTaken | RefusalKind::NoAccount | RefusalKind::Amount => {
                ProviderError::Refused(message).into()
            }
            RefusalKind::UnknownOrder => ProviderError::UnknownOrder(message).into(),
            RefusalKind::Malformed => ProviderError::Garbled(message).into(),
        }
    }
}

/// How one question ended without an answer.
enum Asking {
    /// Signed anew it may be answered at once.
    Again,
    Failed(ProviderError),
}

impl From<ProviderError> for Asking {
    fn from(error: ProviderError) -> Self {
        Self::Failed(error)
    }
}

fn unreachable(error: reqwest::Error) -> ProviderError {
    // Without the address: logs are read by many.
    ProviderError::Unreachable(error.without_url().to_string())
}

/// The contract's words as ours.
fn taken(answer: OrderAnswer) -> Answer {
    let currency = answer.currency;
    let credits = answer.credits.into_iter().map(|credit| Credited {
        reference: credit.reference,
        amount_minor: credit.amount_minor,
        currency: currency.clone(),
    });
    let payee = answer.payee;
    let made = answer.qr.map(|payload| {
        let payee = payee.map(|payee| (payee.bank_bin, payee.account, payee.name));
        let (bank_bin, account, name) = payee.unwrap_or_default();
        Made {
            payload,
            bank_bin,
            account,
            name,
        }
    });
    Answer {
        credits: credits.collect(),
        withdrawn: answer.withdrawn,
        cancelled: answer.cancelled,
        creating: answer.state == OrderState::Creating,
        refused: answer.state == OrderState::Refused,
        made,
        asked_ago_ms: answer.bank.asked_ago_ms,
        health: match answer.bank.health {
            BankHealth::Ok => Health::Answers,
            BankHealth::Slow | BankHealth::Other => Health::Slow,
            BankHealth::Unreachable => Health::Unreachable,
            BankHealth::NotAsked => Health::NotAsked,
        },
        revision: answer.revision,
    }
}

impl QrPaymentProvider for HeadOfficeRelay {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            confirm: Confirm::PollAndPush,
            // Whatever the provider behind it enforces, the kiosk takes what really came.
            enforces_amount: false,
            cancel: false,
            late_window_ms: None,
            refund: Refund::None,
            long_poll_ms_max: LONG_POLL_MS.min(WAIT_MS_MAX),
        }
    }

    fn ready(&self) -> Result<(), ProviderError> {
        self.session().map(drop)
    }

    fn create(&self, asked: &Asked) -> Result<Answer, ProviderError> {
        let offer = OrderOffer {
            amount_minor: asked.offer.amount_minor,
            attempt: asked.attempt.clone(),
            currency: asked.offer.currency.clone(),
            open_for_ms: Some(asked.open_for_ms),
            order: asked.offer.order.clone(),
        };
        let body = serde_json::to_vec(&offer)
            .map_err(|error| ProviderError::Garbled(error.to_string()))?;
        let target = format!("/v1/orders?wait_ms={CREATE_WAIT_MS}");
        let wait = Duration::from_millis(CREATE_WAIT_MS);
        let answer = self.call(&Method::POST, &target, &offer.order, body, wait)?;
        if answer.refused {
            return Err(ProviderError::Refused("the provider made no code".into()));
        }
        Ok(answer)
    }

    fn observe(&self, order: &str, known: Known, wait: Duration) -> Result<Answer, ProviderError> {
        let wait_ms = u64::try_from(wait.as_millis())
            .unwrap_or(0)
            .min(WAIT_MS_MAX);
        let target = match wait_ms {
            0 => format!("/v1/orders/{order}"),
            _ => format!(
                "/v1/orders/{order}?revision={}&wait_ms={wait_ms}",
                known.revision
            ),
        };
        self.call(&Method::GET, &target, order, Vec::new(), wait)
    }

    fn cancel(&self, order: &str) -> Result<Answer, ProviderError> {
        let target = format!("/v1/orders/{order}");
        self.call(
            &Method::DELETE,
            &target,
            order,
            Vec::new(),
            Duration::from_secs(5),
        )
    }
}

#[cfg(test)]
mod tests;
