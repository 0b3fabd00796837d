//! Requests to the real provider, over TLS.

use super::provider::{Ask, NoAnswer, Said, Wire};
use payqr::provider::{MAX_BODY_BYTES, Secret};
use reqwest::{blocking::Client, redirect::Policy};
use std::{io::Read, sync::Once, time::Duration};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A shopper waits; an answer that was lost is asked for again.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(8);

/// A provider's address.
#[derive(Debug, Clone)]
pub struct HttpWire {
    client: Client,
    base: String,
}

impl HttpWire {
    /// A wire to `base`, without a final slash. `certificate` is what this side proves itself with: certificates and
    /// private key in PEM.
    ///
    /// # Errors
    /// [`NoAnswer`] when TLS cannot be set up.
    pub fn new(base: &str, certificate: Option<&Secret>) -> Result<Self, NoAnswer> {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            // Another part of the process may have chosen it already.
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let mut client = Client::builder();
        if let Some(pem) = certificate {
            let identity = reqwest::Identity::from_pem(pem.expose()).map_err(no_answer)?;
            client = client.identity(identity);
        }
        let client = client
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            // Keys travel in headers: they go to the configured address and nowhere else.
            .redirect(Policy::none())
            .user_agent(concat!("headoffice/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(no_answer)?;
        Ok(Self {
            client,
            base: base.to_owned(),
        })
    }
}

/// Without the address: it may carry what logs should not.
fn no_answer(error: reqwest::Error) -> NoAnswer {
    NoAnswer(error.without_url().to_string())
}

impl Wire for HttpWire {
    fn send(&mut self, ask: &Ask) -> Result<Said, NoAnswer> {
        let url = format!("{}{}", self.base, ask.target);
        let method = reqwest::Method::from_bytes(ask.method.as_bytes())
            .map_err(|error| NoAnswer(error.to_string()))?;
        let mut request = self.client.request(method, url);
        if !ask.body.is_empty() {
            let typed = ask.headers.iter().any(|(name, _)| *name == "content-type");
            if !typed {
                request = request.header("content-type", "application/json");
            }
            request = request.body(ask.body.clone());
        }
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let response = request.send().map_err(no_answer)?;
        let status = response.status().as_u16();
        let retry_after_s = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.trim().parse().ok());
        let mut body = Vec::new();
        response
            .take(MAX_BODY_BYTES as u64 + 1)
            .read_to_end(&mut body)
            .map_err(|error| NoAnswer(error.to_string()))?;
        Ok(Said {
            status,
            retry_after_s,
            body,
        })
    }
}
