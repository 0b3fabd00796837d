//! The plain relay of `kiosk sim bank` over HTTP: `POST /v1/orders`,
//! `GET /v1/orders/{code}`, `DELETE /v1/orders/{code}`, unsigned. For demos and
//! tests; a shop's kiosk speaks to head office's relay.

use super::{
    Answer, Asked, Capabilities, Confirm, Credited, Health, Known, Offer, OrderState,
    ProviderError, QrPaymentProvider, Refund,
};
use reqwest::StatusCode;
use reqwest::blocking::{Client, Response};
use std::time::Duration;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// A provider behind the plain relay.
#[derive(Debug)]
pub struct RelayProvider {
    client: Client,
    base: String,
}

impl RelayProvider {
    /// A provider that asks the relay at `base` (no trailing slash needed).
    ///
    /// # Errors
    /// [`ProviderError::Unreachable`] when the HTTP client cannot be built.
    pub fn new(base: &str) -> Result<Self, ProviderError> {
        crate::sync::tls::install_provider();
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .pool_max_idle_per_host(2)
            .build()
            .map_err(unreachable)?;
        Ok(Self {
            client,
            base: base.trim_end_matches('/').to_owned(),
        })
    }

    fn order_url(&self, order: &str) -> String {
        format!("{}/v1/orders/{order}", self.base)
    }
}

fn unreachable(error: reqwest::Error) -> ProviderError {
    // Without the address: it may carry credentials, and logs are read by many.
    ProviderError::Unreachable(error.without_url().to_string())
}

fn check(response: Response) -> Result<Response, ProviderError> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        let seconds = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse::<u64>().ok())
            .unwrap_or(1);
        return Err(ProviderError::Busy {
            retry_after_ms: seconds.saturating_mul(1000).min(60_000),
        });
    }
    let reason = response.text().unwrap_or_default();
    let reason: String = reason
        .chars()
        .filter(|c| !c.is_control())
        .take(120)
        .collect();
    Err(ProviderError::Refused(format!("{status} {reason}")))
}

fn state(response: Response) -> Result<OrderState, ProviderError> {
    response
        .json()
        .map_err(|error| ProviderError::Garbled(error.without_url().to_string()))
}

impl RelayProvider {
    /// Announces an offer.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn offer(&self, offer: &Offer) -> Result<(), ProviderError> {
        let request = self.client.post(format!("{}/v1/orders", self.base));
        check(request.json(offer).send().map_err(unreachable)?)?;
        Ok(())
    }

    /// What is known of an order, waiting up to `wait` for a further credit.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn ask(
        &self,
        order: &str,
        known_credits: usize,
        wait: Duration,
    ) -> Result<OrderState, ProviderError> {
        let request = self.client.get(self.order_url(order)).query(&[
            ("known", known_credits.to_string()),
            ("wait_ms", wait.as_millis().to_string()),
        ]);
        let request = request.timeout(ANSWER_TIMEOUT + wait);
        state(check(request.send().map_err(unreachable)?)?)
    }

    /// Takes an offer back.
    ///
    /// # Errors
    /// [`ProviderError`].
    pub fn withdraw(&self, order: &str) -> Result<OrderState, ProviderError> {
        let request = self.client.delete(self.order_url(order));
        state(check(request.send().map_err(unreachable)?)?)
    }

    /// The plain relay is the bank itself: its answer is the bank's.
    fn answer(state: OrderState) -> Answer {
        let credits = state.credits.into_iter().map(|credit| Credited {
            reference: credit.reference,
            amount_minor: credit.amount_minor,
            // The plain relay knows one currency, the shop's.
            currency: String::new(),
        });
        let credits: Vec<Credited> = credits.collect();
        Answer {
            revision: u64::try_from(credits.len()).unwrap_or(u64::MAX),
            credits,
            withdrawn: state.withdrawn,
            // This bank takes money for a withdrawn code.
            cancelled: false,
            creating: false,
            refused: false,
            made: None,
            asked_ago_ms: Some(0),
            health: Health::Answers,
        }
    }
}

impl QrPaymentProvider for RelayProvider {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            confirm: Confirm::PollAndPush,
            enforces_amount: false,
            cancel: false,
            late_window_ms: None,
            refund: Refund::None,
            long_poll_ms_max: 4_000,
        }
    }

    fn create(&self, asked: &Asked) -> Result<Answer, ProviderError> {
        self.offer(&asked.offer)?;
        Ok(Self::answer(OrderState::default()))
    }

    fn observe(&self, order: &str, known: Known, wait: Duration) -> Result<Answer, ProviderError> {
        let state = self.ask(order, known.credits, wait)?;
        Ok(Self::answer(state))
    }

    fn cancel(&self, order: &str) -> Result<Answer, ProviderError> {
        let state = self.withdraw(order)?;
        Ok(Self::answer(state))
    }
}
