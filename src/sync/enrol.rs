//! Enrolment: a one-time code and the kiosk's public key become a device id.

use super::key::{KeyError, load_or_make};
use super::tls;
use crate::store::{Enrolment, Store, StoreError};
use reqwest::blocking::Client;
use std::path::Path;
use std::time::Duration;
use touchpoint::wire::{EnrolAnswer, EnrolRequest, Refusal, Signed, SignedError};

/// Why the kiosk is not enrolled.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// Head office cannot be reached. Retry helps.
    #[error("{url} cannot be reached ({why}). Check the address and the network, then try again")]
    Unreachable {
        /// The address tried.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// Head office said no.
    #[error("head office refused: {0}. Ask head office for a new code and try again")]
    Refused(String),
    /// The answer is not head office's.
    #[error("the answer is not from a head office ({0}). Check the address")]
    Garbled(String),
    /// The key file.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The local store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The claim could not be signed.
    #[error(transparent)]
    Sign(#[from] SignedError),
}

/// Enrols this kiosk at `url` with a one-time `code`. The key is made before
/// anything is sent; a lost answer is repeated with a new code.
///
/// # Errors
/// [`EnrolError`].
pub fn enrol(
    store: &Store,
    key_path: &Path,
    url: &str,
    code: &str,
    name: &str,
) -> Result<EnrolAnswer, EnrolError> {
    tls::install_provider();
    let key = load_or_make(key_path)?;
    let base = url.trim_end_matches('/').to_owned();
    let claim = EnrolRequest {
        code: code.trim().to_owned(),
        name: name.to_owned(),
        public_key: key.verifying_key().to_bytes(),
    };
    let answer = ask(&base, &Signed::new(&key, &claim)?)?;
    let enrolment = Enrolment {
        device_id: answer.device.as_str().to_owned(),
        store_id: answer.store.clone(),
        head_office_url: base,
        head_office_key: answer.head_office_key.to_vec(),
        key_path: key_path.to_string_lossy().into_owned(),
        enrolled_ms: crate::clock::wall_ms(),
    };
    store.call(move |engine| engine.enrol(&enrolment))?;
    Ok(answer)
}

fn ask(base: &str, claim: &Signed) -> Result<EnrolAnswer, EnrolError> {
    let unreachable = |error: reqwest::Error| EnrolError::Unreachable {
        url: base.to_owned(),
        why: error.without_url().to_string(),
    };
    let client = Client::builder()
        .timeout(Duration::from_secs(15))
        .build()
        .map_err(unreachable)?;
    let request = client.post(format!("{base}/v1/enroll")).json(claim);
    let response = request.send().map_err(unreachable)?;
    let is_success = response.status().is_success();
    let body = response.text().map_err(unreachable)?;
    if !is_success {
        let refusal = serde_json::from_str::<Refusal>(&body);
        let words = refusal.map(|refusal| refusal.message);
        return Err(EnrolError::Refused(
            words.unwrap_or_else(|_| "no reason given".into()),
        ));
    }
    serde_json::from_str(&body).map_err(|error| EnrolError::Garbled(error.to_string()))
}
