//! What a kiosk and head office say to each other over HTTP.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /v1/enroll` | [`EnrolRequest`] signed by the new key | [`EnrolAnswer`] |
//! | `PUT /v1/journals/{device}/{journal}/{lane}/{first_seq}?acked={seq}` | a block ([`crate::block`]) | [`PutAnswer`] |
//! | `POST /v1/heartbeat` | [`Heartbeat`] signed by the device | [`HeartbeatAnswer`] |
//! | `/v1/orders` | see [`crate::relay`] | |
//!
//! `acked` is the highest sequence the kiosk holds a receipt for. It lets a head office that was restored from an old
//! backup say "rewind" instead of "gap", so the kiosk knows why it is sent back.

use crate::{
    canonical,
    chain::Chain,
    event::Lane,
    hex,
    id::{DeviceId, JournalId},
};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// The answer to a block. Every answer but `malformed` tells the kiosk what to do next, and none loses an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum PutAnswer {
    /// Kept, durably. Advance.
    Stored(Receipted),
    /// Was already kept, with the same content. Advance.
    Duplicate(Receipted),
    /// Events before this block are missing here. Send again from `next_seq`.
    Gap {
        /// The first sequence head office does not have.
        next_seq: u64,
    },
    /// The same sequence holds something else here: a clone, a rolled-back disk or tampering.
    /// Freeze the lane, open a new journal, raise an alarm; the block was set aside as evidence.
    Fork {
        /// The first sequence seen to differ; the one before the block when that is where it starts wrong.
        seq: u64,
        /// Head office's chain link after `seq`.
        #[serde(with = "crate::hex::array")]
        expect: Chain,
    },
    /// Head office lost what it had acknowledged (restored from a backup). Send again from `next_seq`.
    Rewind {
        /// The first sequence head office does not have.
        next_seq: u64,
    },
    /// The device was revoked. Stop sending, keep everything, call the operator.
    Revoked,
    /// The device is not known here. Enrol again; keep everything.
    Unknown,
    /// Head office cannot take it now. Try again after the pause, with full jitter, for as long as it takes.
    Busy {
        /// The shortest pause in milliseconds.
        retry_after_ms: u64,
    },
    /// The block format is newer than this head office. Keep it and try again after an update.
    Newer {
        /// The format that was not understood.
        format: String,
    },
    /// The bytes are not a valid signed block for this address. Keep them aside and raise an alarm.
    Malformed {
        /// What is wrong.
        reason: String,
    },
}

impl PutAnswer {
    /// The HTTP status that carries this answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self {
            Self::Stored(_) | Self::Duplicate(_) => 200,
            Self::Unknown => 401,
            Self::Revoked => 403,
            Self::Gap { .. } | Self::Fork { .. } => 409,
            Self::Rewind { .. } => 410,
            Self::Newer { .. } => 415,
            Self::Malformed { .. } => 422,
            Self::Busy { .. } => 503,
        }
    }
}

/// What comes with "stored" and "duplicate".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipted {
    /// The next sequence head office wants.
    pub next_seq: u64,
    /// Everything up to here is durable at head office.
    pub stored_upto: u64,
    /// Everything up to here is also in a backup. A kiosk prunes only behind this.
    pub safe_upto: u64,
    /// Head office's clock, milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
    /// Signed proof of delivery: a [`Receipt`].
    pub receipt: Signed,
}

/// Head office's signed word that it keeps a lane up to a sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// When it was given, by head office's clock.
    pub at_ms: i64,
    /// The chain link after `stored_upto`.
    #[serde(with = "crate::hex::array")]
    pub chain: Chain,
    /// Whose events.
    pub device: DeviceId,
    /// Which journal.
    pub journal: JournalId,
    /// Which lane.
    pub lane: Lane,
    /// The last sequence kept.
    pub stored_upto: u64,
}

/// A new kiosk asks to be known. Signed by the key it names, which proves it holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The one-time code staff typed, with or without hyphens.
    pub code: String,
    /// What people call the kiosk, for example `Quầy 1`.
    pub name: String,
    /// The kiosk's Ed25519 public key.
    #[serde(with = "crate::hex::array")]
    pub public_key: [u8; 32],
}

/// Who the kiosk is from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolAnswer {
    /// Its device id.
    pub device: DeviceId,
    /// Its store's name.
    pub store: String,
    /// Head office's Ed25519 public key, which checks receipts.
    #[serde(with = "crate::hex::array")]
    pub head_office_key: [u8; 32],
    /// IANA time zone of the business day.
    pub time_zone: String,
    /// Head office's clock, milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
}

/// Why something other than a block was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable code: `code_unknown`, `code_used`, `code_expired`, `signature`, `malformed`, `unknown_device`, `revoked`, `busy`.
    pub error: String,
    /// What happened and what to do, in English, for the log.
    pub message: String,
}

/// What a kiosk holds in one lane of one journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneHead {
    /// Which journal.
    pub journal: JournalId,
    /// Which lane.
    pub lane: Lane,
    /// The last sequence recorded on the kiosk; 0 when none.
    pub head: u64,
}

/// "I am here, and this is how much there is." Sent every minute or so, and after every push.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Program version.
    pub app: String,
    /// This boot.
    pub boot: String,
    /// Who.
    pub device: DeviceId,
    /// Heads of every lane of every journal on the kiosk.
    pub lanes: Vec<LaneHead>,
    /// Monotonic clock now.
    pub mono_ms: u64,
    /// Wall clock now, untrusted.
    pub wall_ms: i64,
}

/// Head office's view, so that a kiosk can notice a rewind without sending a block.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatAnswer {
    /// Head office's clock, milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
    /// For each lane of the heartbeat: what head office keeps.
    pub lanes: Vec<LaneKept>,
    /// How many events head office knows to exist and does not have.
    pub missing: u64,
}

/// What head office keeps of one lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneKept {
    /// Which journal.
    pub journal: JournalId,
    /// Which lane.
    pub lane: Lane,
    /// Durable up to here.
    pub stored_upto: u64,
    /// Also in a backup up to here.
    pub safe_upto: u64,
}

/// A document that is signed as a whole. Each has its own tag, so one can never pass for another.
pub trait Document: Serialize + DeserializeOwned {
    /// Written in front of the document before signing.
    const TAG: &'static str;
}

impl Document for Receipt {
    const TAG: &'static str = "tpr1";
}
impl Document for EnrolRequest {
    const TAG: &'static str = "tpe1";
}
impl Document for Heartbeat {
    const TAG: &'static str = "tph1";
}

/// A signed document: the exact text that was signed, and its Ed25519 signature in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Canonical JSON text.
    pub document: String,
    /// Ed25519 over tag ‖ document, 128 hexadecimal digits.
    pub signature: String,
}

/// Why a signed document is not trusted. Retrying does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignedError {
    /// The document cannot be read as what it should be.
    #[error("the document cannot be read: {0}")]
    Unreadable(String),
    /// The signature is not by the expected key.
    #[error("the signature is not by the expected key")]
    Signature,
}

impl Signed {
    /// Signs a document.
    ///
    /// # Errors
    /// [`SignedError::Unreadable`] when it has no canonical form (a fault of its type).
    pub fn new<D: Document>(key: &SigningKey, document: &D) -> Result<Self, SignedError> {
        let unreadable = |error: String| SignedError::Unreadable(error);
        let value = serde_json::to_value(document).map_err(|e| unreadable(e.to_string()))?;
        let bytes = canonical::to_bytes_unchecked(&value).map_err(|e| unreadable(e.to_string()))?;
        let document = String::from_utf8(bytes).map_err(|e| unreadable(e.to_string()))?;
        let signature = hex::encode(&key.sign(&tagged::<D>(&document)).to_bytes());
        Ok(Self {
            document,
            signature,
        })
    }

    /// The document, once its signature by `key` has been checked.
    ///
    /// # Errors
    /// [`SignedError::Signature`] or [`SignedError::Unreadable`].
    pub fn open<D: Document>(&self, key: &VerifyingKey) -> Result<D, SignedError> {
        let signature: [u8; 64] = hex::decode(&self.signature).ok_or(SignedError::Signature)?;
        key.verify_strict(
            &tagged::<D>(&self.document),
            &Signature::from_bytes(&signature),
        )
        .map_err(|_| SignedError::Signature)?;
        self.peek()
    }

    /// The document, trusting nothing: enough to know whose key must check it.
    ///
    /// # Errors
    /// [`SignedError::Unreadable`].
    pub fn peek<D: Document>(&self) -> Result<D, SignedError> {
        serde_json::from_str(&self.document)
            .map_err(|error| SignedError::Unreadable(error.to_string()))
    }
}

fn tagged<D: Document>(document: &str) -> Vec<u8> {
    [D::TAG.as_bytes(), document.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_document_cannot_pass_for_another() {
        // Proves: a signature over one kind of document does not open as another kind, nor by another key.
        let key = SigningKey::from_bytes(&[7; 32]);
        let request = EnrolRequest {
            code: "A".into(),
            name: "K1".into(),
            public_key: key.verifying_key().to_bytes(),
        };
        let signed = Signed::new(&key, &request).unwrap();
        assert_eq!(
            signed.open::<EnrolRequest>(&key.verifying_key()).unwrap(),
            request
        );
        assert_eq!(
            signed.open::<Heartbeat>(&key.verifying_key()),
            Err(SignedError::Signature)
        );
        let other = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert_eq!(
            signed.open::<EnrolRequest>(&other),
            Err(SignedError::Signature)
        );
    }

    #[test]
    fn answers_keep_their_names_on_the_wire() {
        // Proves: the tag and status of each answer are the published ones.
        let gap = PutAnswer::Gap { next_seq: 3 };
        assert_eq!(
            serde_json::to_string(&gap).unwrap(),
            r#"{"answer":"gap","next_seq":3}"#
        );
        assert_eq!(gap.status(), 409);
        assert_eq!(PutAnswer::Revoked.status(), 403);
        assert_eq!(PutAnswer::Busy { retry_after_ms: 1 }.status(), 503);
    }
}
