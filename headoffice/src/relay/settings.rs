//! `[[payment]]` sections of the settings file, and the secrets they point to.
//!
//! Secrets stand in files or in the environment, never in the settings file and never on a kiosk.

use payqr::provider::Secret;
use serde::Deserialize;
use std::path::PathBuf;

/// Where payOS answers.
pub const PAYOS_URL: &str = "https://api-merchant.payos.vn";
/// Where SePay answers.
pub const SEPAY_URL: &str = "https://userapi.sepay.vn";
/// Pix providers publish limits of their own; this many a second are asked without one in the settings.
const PIX_REQUESTS_PER_SECOND: u32 = 10;
/// Where most Pix providers give tokens.
const PIX_TOKEN_PATH: &str = "/oauth/token";
/// An account without a provider is asked about nowhere; `.invalid` is nobody's (RFC 2606).
const NOBODY_URL: &str = "https://nobody.invalid";
/// payOS publishes no limit; this many a second are asked at most.
const PAYOS_REQUESTS_PER_SECOND: u32 = 10;

/// One bank account at one provider.
#[derive(Debug, Clone)]
pub struct Payment {
    /// Its name in the address of its webhook: `a-z`, `0-9` and `-`.
    pub name: String,
    /// The shop's account number at the bank; for Pix its key.
    pub account_number: String,
    /// Stores that use it; empty for every store without an own one.
    pub stores: Vec<String>,
    /// Base address of the provider, without a final slash.
    pub url: String,
    /// Requests a second to the provider, at most.
    pub requests_per_second: u32,
    /// Which provider, with its secrets.
    pub keys: Keys,
}

/// A provider's secrets. Printing them prints `Secret(…)`.
#[derive(Debug, Clone)]
pub enum Keys {
    /// Nobody is asked; people read the bank's list in.
    ListOnly,
    /// payOS.
    PayOs {
        /// Header `x-client-id`.
        client_id: Secret,
        /// Header `x-api-key`.
        api_key: Secret,
        /// Key of every signature.
        checksum_key: Secret,
        /// Address payOS demands for browsers; no kiosk opens it.
        page: String,
    },
    /// SePay.
    SePay {
        /// Bearer token of the list. It reads the account's whole history.
        token: Secret,
        /// How webhooks are proven.
        webhook: payqr::provider::sepay::Auth,
    },
    /// Pix through a payment service provider.
    Pix {
        /// OAuth client id.
        client_id: Secret,
        /// OAuth client secret.
        client_secret: Secret,
        /// Certificates and private key in PEM that prove this side; every real provider wants them.
        certificate: Option<Secret>,
        /// Stands before `/cob` and `/pix` in addresses; empty or `/v2` and such.
        api_path: String,
        /// Where tokens are given.
        token_path: String,
    },
}

impl Keys {
    /// What this side proves itself with on the connection.
    #[must_use]
    pub fn certificate(&self) -> Option<&Secret> {
        match self {
            Self::Pix { certificate, .. } => certificate.as_ref(),
            Self::ListOnly | Self::PayOs { .. } | Self::SePay { .. } => None,
        }
    }

    /// The provider's name in addresses, tables and answers.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        match self {
            Self::ListOnly => "list",
            Self::PayOs { .. } => "payos",
            Self::SePay { .. } => "sepay",
            Self::Pix { .. } => "pix",
        }
    }
}

/// Why a `[[payment]]` section cannot be used. Correct it and start again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PaymentError {
    /// A value that cannot be used.
    #[error("payment {name}: {key} cannot be used; {remedy}")]
    Value {
        /// The section's name.
        name: String,
        /// The key.
        key: &'static str,
        /// What to write instead.
        remedy: &'static str,
    },
    /// A secret cannot be read.
    #[error("payment {name}: {key}: {what}")]
    Secret {
        /// The section's name.
        name: String,
        /// The key.
        key: &'static str,
        /// What is wrong and what to do; never the secret.
        what: String,
    },
}

/// A `[[payment]]` section as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPayment {
    name: String,
    provider: String,
    account_number: String,
    #[serde(default)]
    stores: Vec<String>,
    url: Option<String>,
    requests_per_second: Option<u32>,
    client_id: Option<Place>,
    api_key: Option<Place>,
    checksum_key: Option<Place>,
    page: Option<String>,
    token: Option<Place>,
    webhook_secret: Option<Place>,
    webhook_api_key: Option<Place>,
    client_secret: Option<Place>,
    certificate: Option<Place>,
    api_path: Option<String>,
    token_path: Option<String>,
}

/// Where a secret stands: `{ file = "…" }` or `{ env = "…" }`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
enum Place {
    File(PathBuf),
    Env(String),
}

impl RawPayment {
    /// Checks the section and reads its secrets.
    pub(crate) fn read(self) -> Result<Payment, PaymentError> {
        let name = self.name.clone();
        let bad = |key, remedy| PaymentError::Value {
            name: name.clone(),
            key,
            remedy,
        };
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=40).contains(&name.len()) || !name.chars().all(allowed) {
            return Err(bad("name", "write 1 to 40 characters of a-z, 0-9 and '-'"));
        }
        self.check_account_number()?;
        let (url, limit) = match self.provider.as_str() {
            "payos" => (Some(PAYOS_URL), PAYOS_REQUESTS_PER_SECOND),
            "sepay" => (Some(SEPAY_URL), payqr::provider::sepay::REQUESTS_PER_SECOND),
            "pix" => (None, PIX_REQUESTS_PER_SECOND),
            "list" => (Some(NOBODY_URL), 1),
            _ => {
                let remedy = "write \"payos\", \"sepay\", \"pix\" or \"list\"";
                return Err(bad("provider", remedy));
            }
        };
        let Some(url) = self.url.as_deref().or(url) else {
            return Err(bad("url", "write the address of your Pix provider's API"));
        };
        let url = url.trim_end_matches('/');
        if !is_safe(url) {
            return Err(bad(
                "url",
                "write an https address; plain http goes to this machine only (127.0.0.1)",
            ));
        }
        let requests_per_second = self.requests_per_second.unwrap_or(limit);
        if !(1..=100).contains(&requests_per_second) {
            return Err(bad("requests_per_second", "write a number from 1 to 100"));
        }
        Ok(Payment {
            keys: self.keys()?,
            url: url.into(),
            requests_per_second,
            name,
            account_number: self.account_number,
            stores: self.stores,
        })
    }

    fn check_account_number(&self) -> Result<(), PaymentError> {
        let number = &self.account_number;
        let plain = |c: char| c.is_ascii_alphanumeric();
        let (fits, remedy) = if self.provider == "pix" {
            let of_a_key = |c: char| plain(c) || "+@.-_".contains(c);
            (
                (1..=77).contains(&number.len()) && number.chars().all(of_a_key),
                "write the Pix key as it is registered, 1 to 77 characters",
            )
        } else {
            (
                (4..=40).contains(&number.len()) && number.chars().all(plain),
                "write the account number as the bank does, 4 to 40 digits or letters",
            )
        };
        if fits {
            return Ok(());
        }
        Err(PaymentError::Value {
            name: self.name.clone(),
            key: "account_number",
            remedy,
        })
    }

    fn pix_keys(&self) -> Result<Keys, PaymentError> {
        let path = |key, path: Option<&str>, usual: &str| {
            let path = path.unwrap_or(usual).trim_end_matches('/').to_owned();
            let fits = path.is_empty()
                || path.starts_with('/')
                    && path
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "/-_.".contains(c));
            match fits {
                true => Ok(path),
                false => Err(PaymentError::Value {
                    name: self.name.clone(),
                    key,
                    remedy: "write a path like \"/v2\"",
                }),
            }
        };
        let certificate = match &self.certificate {
            Some(place) => Some(self.pem("certificate", place)?),
            None => None,
        };
        Ok(Keys::Pix {
            client_id: self.secret("client_id", self.client_id.as_ref())?,
            client_secret: self.secret("client_secret", self.client_secret.as_ref())?,
            certificate,
            api_path: path("api_path", self.api_path.as_deref(), "")?,
            token_path: path("token_path", self.token_path.as_deref(), PIX_TOKEN_PATH)?,
        })
    }

    fn keys(&self) -> Result<Keys, PaymentError> {
        if self.provider == "list" {
            return Ok(Keys::ListOnly);
        }
        if self.provider == "pix" {
            return self.pix_keys();
        }
        if self.provider == "payos" {
            return Ok(Keys::PayOs {
                client_id: self.secret("client_id", self.client_id.as_ref())?,
                api_key: self.secret("api_key", self.api_key.as_ref())?,
                checksum_key: self.secret("checksum_key", self.checksum_key.as_ref())?,
                page: self
                    .page
                    .clone()
                    .unwrap_or_else(|| "https://payos.vn".into()),
            });
        }
        use payqr::provider::sepay::Auth;
        let webhook = match (&self.webhook_secret, &self.webhook_api_key) {
            (Some(place), None) => Auth::Signature(self.secret("webhook_secret", Some(place))?),
            (None, Some(place)) => Auth::ApiKey(self.secret("webhook_api_key", Some(place))?),
            _ => {
                return Err(PaymentError::Value {
                    name: self.name.clone(),
                    key: "webhook_secret",
                    remedy: "write webhook_secret (better) or webhook_api_key, one of them, as set in SePay's portal",
                });
            }
        };
        Ok(Keys::SePay {
            token: self.secret("token", self.token.as_ref())?,
            webhook,
        })
    }

    fn secret(&self, key: &'static str, place: Option<&Place>) -> Result<Secret, PaymentError> {
        let wrong = |what: String| PaymentError::Secret {
            name: self.name.clone(),
            key,
            what,
        };
        let Some(place) = place else {
            return Err(wrong(
                "is missing; write { file = \"/path\" } or { env = \"NAME\" }".into(),
            ));
        };
        let text = read_place(place).map_err(wrong)?;
        let text = text.trim();
        if text.is_empty() || text.len() > 512 || !text.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong(
                "is not one line of 1 to 512 plain characters; copy it again from the provider's portal"
                    .into(),
            ));
        }
        Ok(Secret::new(text))
    }

    /// Certificates and a private key, as the provider gives them for mutual TLS.
    fn pem(&self, key: &'static str, place: &Place) -> Result<Secret, PaymentError> {
        let wrong = |what: String| PaymentError::Secret {
            name: self.name.clone(),
            key,
            what,
        };
        let pem = Secret::new(read_place(place).map_err(wrong)?);
        // Only whether it can be read: what the library says may quote the file.
        reqwest::Identity::from_pem(pem.expose()).map_err(|_| {
            wrong(
                "is no PEM with certificates and their private key; put both into one file".into(),
            )
        })?;
        Ok(pem)
    }
}

fn read_place(place: &Place) -> Result<String, String> {
    match place {
        Place::Env(variable) => std::env::var(variable)
            .map_err(|_| format!("the environment has no {variable}; set it for the service")),
        Place::File(path) => read_file(path),
    }
}

fn read_file(path: &std::path::Path) -> Result<String, String> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(path)
            .map_err(|error| format!("{}: {error}; check the path", path.display()))?
            .permissions()
            .mode();
        if mode & 0o077 != 0 {
            let path = path.display();
            return Err(format!(
                "{path}: others may read this secret; run: chmod 600 {path}"
            ));
        }
    }
    std::fs::read_to_string(path)
        .map_err(|error| format!("{}: {error}; check the path", path.display()))
}

/// Secrets travel in headers: only TLS, or this machine itself.
fn is_safe(url: &str) -> bool {
    let local = |scheme_rest: &str| {
        let host = scheme_rest.split('/').next().unwrap_or_default();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        matches!(host, "127.0.0.1" | "localhost" | "[::1]")
    };
    match url.split_once("://") {
        Some(("https", rest)) => !rest.is_empty() && !rest.contains('@'),
        Some(("http", rest)) => local(rest),
        _ => false,
    }
}

/// What only all sections together can get wrong.
pub(crate) fn check_together(payments: &[Payment]) -> Result<(), PaymentError> {
    for (index, payment) in payments.iter().enumerate() {
        let earlier = &payments[..index];
        let bad = |key, remedy| PaymentError::Value {
            name: payment.name.clone(),
            key,
            remedy,
        };
        if earlier.iter().any(|other| other.name == payment.name) {
            return Err(bad("name", "every section needs a name of its own"));
        }
        if earlier
            .iter()
            .any(|other| other.account_number == payment.account_number)
        {
            return Err(bad(
                "account_number",
                "one account belongs to one section; two would tell the same money twice",
            ));
        }
        let shared = |store: &String| earlier.iter().any(|other| other.stores.contains(store));
        if payment.stores.iter().any(shared) {
            return Err(bad(
                "stores",
                "a store uses one account; name it in one section",
            ));
        }
        let for_all = payment.stores.is_empty();
        if for_all && earlier.iter().any(|other| other.stores.is_empty()) {
            return Err(bad(
                "stores",
                "only one section may leave out its stores and serve all the others",
            ));
        }
    }
    Ok(())
}
