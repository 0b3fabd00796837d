//! Keys that are never printed, HMAC-SHA256 compared in constant time, and the
//! reasons to refuse what a provider is said to have sent.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Deserializer};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// A key or token. It has no way to be printed or serialised.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Wraps a key as the provider's portal shows it.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into().into_bytes())
    }

    /// The key, for the one header or computation that needs it. Never log it.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// The key as text, for a header. Never log it.
    #[must_use]
    pub fn expose_text(&self) -> &str {
        // It was made from text.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether there is no key. Nothing is ever accepted with an empty key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a text is this key; the time taken does not tell how much of it
    /// was right.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        // Comparing digests hides the length as well.
        let digest = |bytes: &[u8]| mac(self, bytes).finalize().into_bytes();
        !self.is_empty()
            && mac(self, text.as_bytes())
                .verify_slice(&digest(&self.0))
                .is_ok()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        String::deserialize(reader).map(Self::new)
    }
}

/// Why something is not taken for a provider's word. Answer an HTTP caller
/// with [`Reject::http_status`]; sending the same bytes again never helps.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Reject {
    /// Larger than anything a provider sends.
    #[error(
        "the body has {bytes} bytes, at most {} are read",
        super::MAX_BODY_BYTES
    )]
    TooLong {
        /// Its size.
        bytes: usize,
    },
    /// Not what the provider's documentation describes.
    #[error("the body cannot be read: {what}; compare it with the provider's documentation")]
    Malformed {
        /// What is wrong; never a value of the body.
        what: String,
    },
    /// No signature where one must be.
    #[error(
        "{place} is missing; whoever sent this is not the provider, or signing is off in its portal"
    )]
    SignatureMissing {
        /// Header or field.
        place: &'static str,
    },
    /// The signature is not of this content and key.
    #[error(
        "the signature does not fit; it was altered on the way, or the key here is not the one of the portal"
    )]
    SignatureWrong,
    /// A value that the provider's signature rule does not protect.
    #[error("field {field} is not protected by the signature; ask the provider by its API")]
    NotCovered {
        /// Name of the field.
        field: String,
    },
    /// A text that imitates a signed field (`…&amount=…`).
    #[error("field {field} imitates other fields; a person must look at this payment")]
    Imitation {
        /// Name of the field.
        field: String,
    },
    /// The timestamp is not a number.
    #[error("the timestamp header is not a number of seconds")]
    TimestampMalformed,
    /// Too old or from the future: a replay, or a clock is wrong.
    #[error(
        "signed {age_s} s ago, at most {limit_s} s either way are taken; a replay, or this machine's clock is wrong"
    )]
    Stale {
        /// Seconds since signing; negative when it lies ahead.
        age_s: i64,
        /// Limit.
        limit_s: i64,
    },
    /// The API key header is missing or wrong.
    #[error("the API key header is missing or wrong; compare it with the provider's portal")]
    ApiKeyWrong,
    /// This side has no key to check with.
    #[error("no key is set here, so nothing can be believed; set it in the configuration")]
    NoKey,
}

impl Reject {
    pub(crate) fn malformed(what: impl Into<String>) -> Self {
        Self::Malformed { what: what.into() }
    }

    /// The HTTP status that tells the sender what kind of refusal this is.
    #[must_use]
    pub fn http_status(&self) -> u16 {
        match self {
            Self::TooLong { .. } => 413,
            Self::Malformed { .. } | Self::NotCovered { .. } | Self::Imitation { .. } => 400,
            Self::NoKey => 503,
            _ => 401,
        }
    }
}

fn mac(key: &Secret, message: &[u8]) -> Hmac<Sha256> {
    // RFC 2104: a key longer than a block is hashed, a shorter one padded with
    // zeros. Done here because a whole block cannot be refused.
    let mut block = [0; 64];
    match block.get_mut(..key.0.len()) {
        Some(start) => start.copy_from_slice(&key.0),
        None => block[..32].copy_from_slice(&Sha256::digest(&key.0)),
    }
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(message);
    mac
}

/// HMAC-SHA256 as 64 small hexadecimal digits (RFC 2104, FIPS 180-4).
#[must_use]
pub fn sign(key: &Secret, message: &[u8]) -> String {
    let bytes = mac(key, message).finalize().into_bytes();
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut hex, byte| {
            for nibble in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
            hex
        })
}

/// Checks a signature of 64 small hexadecimal digits in constant time.
///
/// # Errors
/// [`Reject::NoKey`] with an empty key, else [`Reject::SignatureWrong`].
pub fn verify(key: &Secret, message: &[u8], signature: &str) -> Result<(), Reject> {
    if key.is_empty() {
        return Err(Reject::NoKey);
    }
    let bytes = read_hex(signature).ok_or(Reject::SignatureWrong)?;
    mac(key, message)
        .verify_slice(&bytes)
        .map_err(|_| Reject::SignatureWrong)
}

fn read_hex(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let bytes = text.as_bytes();
    if bytes.len() != 64 {
        return None;
    }
    let mut out = [0; 32];
    for (to, pair) in out.iter_mut().zip(bytes.chunks_exact(2)) {
        *to = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_published_hmac_vector_holds() {
        // Proves HMAC-SHA256 with RFC 4231 test cases 2 and 6.
        let key = Secret::new("Jefe");
        let message: &[u8] = b"what do ya want for nothing?";
        let signature = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(sign(&key, message), signature);
        assert_eq!(verify(&key, message, signature), Ok(()));
        assert_eq!(
            verify(&Secret::new(""), message, signature),
            Err(Reject::NoKey)
        );
        // Test case 6: a key longer than a block.
        let long = Secret(vec![0xAA; 131]);
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        let expected = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        assert_eq!(sign(&long, text), expected);
        let loud = signature.to_uppercase();
        assert_eq!(verify(&key, message, &loud), Err(Reject::SignatureWrong));
    }

    #[test]
    fn a_secret_is_compared_but_never_printed() {
        // Proves that Debug shows nothing of a key and that only the key itself matches.
        let key = Secret::new("made-up-key");
        assert_eq!(format!("{key:?}"), "Secret(…)");
        assert!(key.matches("made-up-key") && !key.matches("made-up-kex") && !key.matches(""));
        assert!(!Secret::new("").matches(""));
    }
}
