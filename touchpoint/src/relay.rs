//! What a kiosk and the payment relay say to each other.
//!
//! The relay is a part of head office. It holds the secrets of payment providers, hears and asks the bank side, and
//! tells a kiosk what the bank really credited for its own orders.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /v1/orders?wait_ms=M` | [`OrderOffer`] | a signed [`OrderAnswer`]; 201 when new, 200 when it was known |
//! | `GET /v1/orders/{code}?revision=R&wait_ms=M` | none | a signed [`OrderAnswer`], 200 |
//! | `DELETE /v1/orders/{code}` | none | a signed [`OrderAnswer`], 200 |
//!
//! Every request carries two headers: [`PROOF_HEADER`], a [`CallProof`] as canonical JSON, and [`SIGNATURE_HEADER`],
//! its Ed25519 signature by the kiosk's key ([`Signed`]). Every answer is a [`Signed`] document by head office's key
//! that repeats the request's nonce, so neither an old "paid" nor somebody else's can be passed off as this answer.
//! A refusal is a [`RelayRefusal`]; it is not signed, because it never says anything about money.
//!
//! `POST` waits at most `wait_ms` for the provider to make its code; an answer that is still [`OrderState::Creating`]
//! has none to show yet. `GET` waits at most `wait_ms` for the order's revision to become another than `revision`;
//! without `revision` it answers at once. `DELETE` asks the bank a last time where the provider can; an order that is
//! already paid is not withdrawn, and money may come after a withdrawal all the same.
//!
//! Additive only: unknown fields are ignored, unknown words are read as `Other`, which claims nothing.

use crate::{
    chain::sha256,
    id::DeviceId,
    wire::{Document, Signed, SignedError},
};
use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// Version of this contract, in every proof and answer. Another number means rules this program does not know.
pub const VERSION: u32 = 1;
/// Header with the [`CallProof`] as canonical JSON text; plain ASCII.
pub const PROOF_HEADER: &str = "x-kiosk-proof";
/// Header with the proof's Ed25519 signature, 128 hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "x-kiosk-signature";
/// A proof is good this long before and after its time, by head office's clock, and once.
pub const PROOF_WINDOW_MS: i64 = 300_000;
/// The longest time the relay holds a question open.
pub const WAIT_MS_MAX: u64 = 25_000;

/// One HTTP request as its signature covers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Call<'a> {
    /// `POST`, `GET` or `DELETE`.
    pub method: &'a str,
    /// Path and query from `/v1/` on, exactly as sent.
    pub target: &'a str,
    /// The body's bytes; empty when there is none.
    pub body: &'a [u8],
}

/// Says which device makes which request, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallProof {
    /// Head office's clock as the kiosk knows it: its own clock, corrected by the last `now_ms` it was told.
    pub at_ms: i64,
    /// SHA-256 of the body, of no bytes when there is none.
    #[serde(with = "crate::hex::array")]
    pub body_sha256: [u8; 32],
    /// Who asks.
    pub device: DeviceId,
    /// The request's method.
    pub method: String,
    /// 16 random bytes, new for every request and every repetition of it.
    #[serde(with = "crate::hex::array")]
    pub nonce: [u8; 16],
    /// The request's target.
    pub target: String,
    /// [`VERSION`].
    pub version: u32,
}

impl Document for CallProof {
    const TAG: &'static str = "tpo1";
}

impl CallProof {
    /// The proof of one request. `nonce` must be random and `at_ms` head office's time as far as it is known.
    #[must_use]
    pub fn new(device: DeviceId, call: Call<'_>, at_ms: i64, nonce: [u8; 16]) -> Self {
        Self {
            at_ms,
            body_sha256: sha256(call.body),
            device,
            method: call.method.into(),
            nonce,
            target: call.target.into(),
            version: VERSION,
        }
    }

    /// The two header values: proof and signature.
    ///
    /// # Errors
    /// [`SignedError::Unreadable`] when there is no canonical form (a fault of the types).
    pub fn sign(&self, key: &SigningKey) -> Result<Signed, SignedError> {
        Signed::new(key, self)
    }

    /// Whether this proof is about exactly this request.
    #[must_use]
    pub fn covers(&self, call: Call<'_>) -> bool {
        self.version == VERSION
            && self.method == call.method
            && self.target == call.target
            && self.body_sha256 == sha256(call.body)
    }

    /// Whether its time is near enough to `now_ms`, head office's clock.
    #[must_use]
    pub fn is_current(&self, now_ms: i64) -> bool {
        self.at_ms.abs_diff(now_ms) <= PROOF_WINDOW_MS.unsigned_abs()
    }
}

/// An amount asked for under a code. The same offer may be made again; it stays one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderOffer {
    /// What is asked for, in minor units, above zero.
    pub amount_minor: i64,
    /// The kiosk's id of the attempt, unique on that kiosk.
    pub attempt: String,
    /// ISO 4217.
    pub currency: String,
    /// How long the code is meant to stay on the screen, in milliseconds. Only words follow from it: money is looked
    /// for long after. A duration, because a kiosk's clock may be wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_for_ms: Option<u64>,
    /// Nine characters with a check character, never used before (`payqr::OrderCode`).
    pub order: String,
}

/// Where an order stands, derived from its credits each time it is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderState {
    /// The provider has not answered yet: there is no code to show. Money is already looked for.
    Creating,
    /// No money yet.
    Waiting,
    /// The time on the screen is over, no money yet; the bank is still asked.
    Checking,
    /// Exactly what was asked for.
    Paid,
    /// Less than was asked for; the rest is `remaining_minor`.
    Under,
    /// More than was asked for, by `over_minor`.
    Over,
    /// Paid, and then a further transfer came; `over_minor` is to be given back.
    Duplicate,
    /// Money became known after the order was withdrawn, or came after the late window.
    Late,
    /// Withdrawn without money; still looked for until the late window ends.
    Cancelled,
    /// The late window ended without money so far.
    Closed,
    /// The provider refused the order for good; no code was ever made.
    Refused,
    /// A word this version does not know. It claims nothing: look at the credits.
    #[serde(other)]
    Other,
}

/// What one credit is to its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CreditState {
    /// It paid the order, or the rest of it, exactly.
    Paid,
    /// It was less than what was still due.
    Under,
    /// It was more than what was still due.
    Over,
    /// It came when nothing was due any more.
    Duplicate,
    /// It became known after the withdrawal, or came after the late window.
    Late,
    /// A word this version does not know.
    #[serde(other)]
    Other,
}

/// One transfer the bank side credited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderCredit {
    /// In minor units of the order's currency.
    pub amount_minor: i64,
    /// The bank's time of it, unix milliseconds; untrusted, like every clock.
    pub at_ms: i64,
    /// The bank side's own reference, unique: a doubled notice is one credit.
    pub reference: String,
    /// When the relay first knew of it, by its own clock.
    pub seen_ms: i64,
    /// What it is to the order.
    pub state: CreditState,
}

/// Whether the bank side can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankHealth {
    /// It answers.
    Ok,
    /// It answers late, or has asked for a pause.
    Slow,
    /// It does not answer. Nothing follows about money.
    Unreachable,
    /// It was not asked yet.
    NotAsked,
    /// A word this version does not know.
    #[serde(other)]
    Other,
}

/// The bank side as the relay last met it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BankSide {
    /// How long the last answer took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_in_ms: Option<u64>,
    /// How long ago the bank last *answered* a question that covers this order. `None`: never yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_ago_ms: Option<u64>,
    /// Whether it can be asked.
    pub health: BankHealth,
}

/// Whom the code pays, as the provider says. Never the payer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPayee {
    /// Account or virtual account.
    pub account: String,
    /// Six digits of the bank (NAPAS BIN).
    pub bank_bin: String,
    /// Name on the account; empty when the provider does not say.
    #[serde(default)]
    pub name: String,
}

/// What the bank side of an order can do, where shoppers or staff notice it. Unsaid, it can do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct BankAbilities {
    /// It can take a code back, so that no money can come for it any more. Else money may come after a withdrawal.
    pub cancels: bool,
    /// It refuses other amounts than the one asked for. Else the payer may send any.
    pub enforces_amount: bool,
    /// It gives money back to the payer when it is told to. Else a person does.
    pub refunds: bool,
}

/// Everything the relay knows of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderAnswer {
    /// What the bank side can do.
    #[serde(default)]
    pub abilities: BankAbilities,
    /// What was asked for, in minor units.
    pub amount_minor: i64,
    /// The offer's attempt.
    pub attempt: String,
    /// The bank side.
    pub bank: BankSide,
    /// The bank side took the code back: no money can come for it any more. `false` means only that this is not known.
    #[serde(default)]
    pub cancelled: bool,
    /// Every credit found for the order, in the order they became known. Each reference occurs once.
    pub credits: Vec<OrderCredit>,
    /// ISO 4217.
    pub currency: String,
    /// The request's nonce.
    #[serde(with = "crate::hex::array")]
    pub nonce: [u8; 16],
    /// Head office's clock.
    pub now_ms: i64,
    /// The order's code.
    pub order: String,
    /// What came beyond the asked amount, in minor units.
    pub over_minor: i64,
    /// Whom the provider's code pays; `None` when the kiosk makes the code from its own settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<OrderPayee>,
    /// `payos`, `sepay`, `pix`.
    pub provider: String,
    /// The code the provider made (an EMV payload), to be drawn as it is. `None` while [`OrderState::Creating`], and
    /// with a provider that makes none: then the kiosk makes it from its own settings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub qr: Option<String>,
    /// With [`OrderState::Refused`]: why, for staff.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Sum of the credits, in minor units.
    pub received_minor: i64,
    /// What is still to come, in minor units.
    pub remaining_minor: i64,
    /// Changes whenever anything durable about the order does.
    pub revision: u64,
    /// Where it stands.
    pub state: OrderState,
    /// [`VERSION`].
    pub version: u32,
    /// The offer was taken back. Money may come all the same.
    pub withdrawn: bool,
}

impl Document for OrderAnswer {
    const TAG: &'static str = "tpa1";
}

impl OrderAnswer {
    /// Opens a signed answer and checks that it answers this request about this order.
    ///
    /// # Errors
    /// [`AnswerError`]; such an answer says nothing and the question is asked again.
    pub fn open(
        signed: &Signed,
        head_office: &VerifyingKey,
        nonce: &[u8; 16],
        order: &str,
    ) -> Result<Self, AnswerError> {
        let answer: Self = signed.open(head_office)?;
        if answer.nonce != *nonce {
            return Err(AnswerError::OtherRequest);
        }
        if answer.order != order {
            return Err(AnswerError::OtherOrder);
        }
        Ok(answer)
    }
}

/// Why an answer of the relay is not believed. Asking again helps unless the signature stays wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// Not signed by head office, or not readable.
    #[error(
        "the relay's answer cannot be trusted: {0}; check the relay's address or enrol the kiosk again"
    )]
    Signed(#[from] SignedError),
    /// It repeats another request's nonce: an old answer played again.
    #[error("the relay's answer belongs to another request; the question is asked again")]
    OtherRequest,
    /// It is about another order.
    #[error("the relay's answer is about another order; the question is asked again")]
    OtherOrder,
}

/// Why the relay did not answer a request. None of these says anything about money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalKind {
    /// The request cannot be read. 400.
    Malformed,
    /// A proof header is missing, or the signature is not by this device's key. 401.
    Signature,
    /// The device is not enrolled here. 401.
    UnknownDevice,
    /// The proof's time is too far from head office's clock: correct by `now_ms` and ask again at once. 401.
    Stale,
    /// The nonce was used before: ask again with a new one. 401.
    Replayed,
    /// The device was revoked. 403.
    Revoked,
    /// There is no such order of this kiosk. 404.
    UnknownOrder,
    /// The code is already taken by another amount, attempt or kiosk: make another code. 409.
    OrderTaken,
    /// The kiosk's store has no payment account here. 409.
    NoAccount,
    /// The account does not take this currency or amount. 409.
    Amount,
    /// The relay is at its limit, or its disk does not answer: come back after the pause. 503.
    Busy,
    /// A word this version does not know.
    #[serde(other)]
    Other,
}

impl RefusalKind {
    /// The HTTP status that carries it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Malformed | Self::Other => 400,
            Self::Signature | Self::UnknownDevice | Self::Stale | Self::Replayed => 401,
            Self::Revoked => 403,
            Self::UnknownOrder => 404,
            Self::OrderTaken | Self::NoAccount | Self::Amount => 409,
            Self::Busy => 503,
        }
    }

    /// Whether the same request, signed anew, may be answered later without a person doing anything.
    #[must_use]
    pub fn retry_helps(self) -> bool {
        matches!(
            self,
            Self::Stale | Self::Replayed | Self::Busy | Self::Other
        )
    }
}

/// Why a request was not answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelayRefusal {
    /// What it is.
    pub error: RefusalKind,
    /// What happened and what to do, in English, for the log.
    pub message: String,
    /// Head office's clock, to correct [`CallProof::at_ms`] by.
    pub now_ms: i64,
    /// With `busy`: the shortest pause in milliseconds. Also in the header `retry-after`, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::wire::Heartbeat;

    const CALL: Call<'static> = Call {
        method: "GET",
        target: "/v1/orders/HS7K2M9QX?revision=3&wait_ms=1000",
        body: b"",
    };

    fn proof() -> CallProof {
        CallProof::new(
            DeviceId::new("k-4t9m2c7x1q").unwrap(),
            CALL,
            1_795_312_800_000,
            [7; 16],
        )
    }

    fn answer() -> OrderAnswer {
        OrderAnswer {
            abilities: BankAbilities::default(),
            amount_minor: 200_000,
            attempt: "7".into(),
            bank: BankSide {
                answered_in_ms: Some(85),
                asked_ago_ms: Some(900),
                health: BankHealth::Ok,
            },
            cancelled: false,
            credits: vec![OrderCredit {
                amount_minor: 200,
                at_ms: 1_795_312_801_000,
                reference: "FT26326000001".into(),
                seen_ms: 1_795_312_801_400,
                state: CreditState::Under,
            }],
            currency: "VND".into(),
            nonce: [7; 16],
            now_ms: 1_795_312_802_000,
            order: "HS7K2M9QX".into(),
            over_minor: 0,
            payee: None,
            provider: "sepay".into(),
            qr: None,
            reason: None,
            received_minor: 200,
            remaining_minor: 199_800,
            revision: 2,
            state: OrderState::Under,
            version: VERSION,
            withdrawn: false,
        }
    }

    #[test]
    fn a_proof_is_about_one_request() {
        // Proves that another method, target, body or version is not covered, and that both headers are plain ASCII.
        let proof = proof();
        assert!(proof.covers(CALL));
        for other in [
            Call {
                method: "DELETE",
                ..CALL
            },
            Call {
                target: "/v1/orders/HS7K2M9QX",
                ..CALL
            },
            Call {
                body: b"{}",
                ..CALL
            },
        ] {
            assert!(!proof.covers(other), "{other:?}");
        }
        let newer = CallProof {
            version: VERSION + 1,
            ..proof.clone()
        };
        assert!(!newer.covers(CALL));
        let key = SigningKey::from_bytes(&[9; 32]);
        let signed = proof.sign(&key).unwrap();
        assert!(
            signed
                .document
                .bytes()
                .all(|byte| (0x20..0x7f).contains(&byte))
        );
        assert_eq!(
            signed.open::<CallProof>(&key.verifying_key()).unwrap(),
            proof
        );
        assert!(signed.open::<Heartbeat>(&key.verifying_key()).is_err());
    }

    #[test]
    fn a_proof_has_its_time() {
        // Proves that the window is five minutes to both sides and that extreme clocks do not overflow.
        let proof = proof();
        assert!(proof.is_current(proof.at_ms + PROOF_WINDOW_MS));
        assert!(!proof.is_current(proof.at_ms + PROOF_WINDOW_MS + 1));
        assert!(!proof.is_current(proof.at_ms - PROOF_WINDOW_MS - 1));
        assert!(!proof.is_current(i64::MIN));
    }

    #[test]
    fn only_head_office_s_answer_to_this_request_is_believed() {
        // Proves that another key, an earlier request's answer and another order's answer are refused.
        let key = SigningKey::from_bytes(&[3; 32]);
        let signed = Signed::new(&key, &answer()).unwrap();
        let open = |key: &SigningKey, nonce: u8, order: &str| {
            OrderAnswer::open(&signed, &key.verifying_key(), &[nonce; 16], order)
        };
        assert_eq!(open(&key, 7, "HS7K2M9QX").unwrap(), answer());
        assert!(matches!(
            open(&SigningKey::from_bytes(&[4; 32]), 7, "HS7K2M9QX"),
            Err(AnswerError::Signed(_))
        ));
        assert_eq!(open(&key, 8, "HS7K2M9QX"), Err(AnswerError::OtherRequest));
        assert_eq!(open(&key, 7, "HS7K2M9QY"), Err(AnswerError::OtherOrder));
    }

    #[test]
    fn words_of_a_newer_relay_claim_nothing() {
        // Proves that unknown fields are ignored and unknown words read as Other, in every enum of an answer.
        let mut value = serde_json::to_value(answer()).unwrap();
        value["state"] = "refunded".into();
        value["credits"][0]["state"] = "charged_back".into();
        value["bank"]["health"] = "on_strike".into();
        value["new_field"] = true.into();
        // An older relay says neither.
        for unsaid in ["abilities", "cancelled"] {
            value.as_object_mut().unwrap().remove(unsaid);
        }
        let read: OrderAnswer = serde_json::from_value(value).unwrap();
        assert!(!read.cancelled && read.abilities == BankAbilities::default());
        assert_eq!(read.state, OrderState::Other);
        assert_eq!(read.credits[0].state, CreditState::Other);
        assert_eq!(read.bank.health, BankHealth::Other);
        let refusal: RelayRefusal =
            serde_json::from_str(r#"{"error":"on_holiday","message":"","now_ms":1,"x":2}"#)
                .unwrap();
        assert_eq!(refusal.error, RefusalKind::Other);
    }

    #[test]
    fn words_keep_their_names_on_the_wire() {
        // Proves that the published spellings and statuses stay.
        let text = serde_json::to_string(&OrderState::Checking).unwrap();
        assert_eq!(text, r#""checking""#);
        assert_eq!(
            serde_json::to_string(&BankHealth::NotAsked).unwrap(),
            r#""not_asked""#
        );
        assert_eq!(
            serde_json::to_string(&RefusalKind::UnknownDevice).unwrap(),
            r#""unknown_device""#
        );
        assert_eq!(RefusalKind::Stale.status(), 401);
        assert_eq!(RefusalKind::Revoked.status(), 403);
        assert_eq!(RefusalKind::OrderTaken.status(), 409);
        assert_eq!(RefusalKind::Busy.status(), 503);
        assert!(RefusalKind::Stale.retry_helps() && !RefusalKind::Revoked.retry_helps());
        let offer: OrderOffer = serde_json::from_str(
            r#"{"order":"HS7K2M9QX","attempt":"7","amount_minor":5000,"currency":"VND","later":1}"#,
        )
        .unwrap();
        assert_eq!(offer.open_for_ms, None);
    }
}
