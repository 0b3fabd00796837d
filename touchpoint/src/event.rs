//! One recorded fact and its envelope.

use crate::canonical::{self, CanonicalError};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// The longest canonical event, so that any event fits a block alone (block payload limit 64 KiB).
pub const MAX_EVENT_BYTES: usize = 60 * 1024;

/// A journal's three independent sequences. Money drains first; taps can never block it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Lane {
    /// Lane 0: sales, tenders, attempts, day opening: everything that is money or fiscal.
    Money,
    /// Lane 1: what shoppers met and how it felt.
    Touchpoints,
    /// Lane 2: what the machine itself did.
    Diagnostics,
}

impl Lane {
    /// All lanes, in the order they are drained.
    pub const ALL: [Self; 3] = [Self::Money, Self::Touchpoints, Self::Diagnostics];

    /// The lane's number on the wire: 0, 1 or 2.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Money => 0,
            Self::Touchpoints => 1,
            Self::Diagnostics => 2,
        }
    }

    /// The lane with this wire number, or `None`.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|lane| lane.number() == number)
    }
}

impl From<Lane> for u8 {
    fn from(lane: Lane) -> Self {
        lane.number()
    }
}

impl TryFrom<u8> for Lane {
    type Error = String;
    fn try_from(number: u8) -> Result<Self, String> {
        Self::from_number(number).ok_or_else(|| format!("lane {number} is not 0, 1 or 2"))
    }
}

/// When an event happened, as the kiosk saw it. Order is the sequence, never this.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct At {
    /// Wall clock, milliseconds since 1970-01-01 UTC. Untrusted: the kiosk's clock may be unset.
    pub wall_ms: i64,
    /// Monotonic milliseconds since this boot.
    pub mono_ms: u64,
    /// The boot the monotonic reading belongs to: any text that is new for each boot.
    pub boot: String,
}

/// Why an event cannot be written or read. Retrying does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// A kind is 2 to 4 dotted words of `a-z`, `0-9` and `_`, at most 64 characters.
    #[error("event kind {0:?} is not dotted lower-case words")]
    Kind(String),
    /// The canonical bytes would be longer than [`MAX_EVENT_BYTES`].
    #[error("event {kind} is {bytes} bytes, more than {MAX_EVENT_BYTES}; split it")]
    TooLong {
        /// The event's kind.
        kind: String,
        /// Length in bytes.
        bytes: usize,
    },
    /// The body has no canonical form, or holds what looks like a card number.
    #[error("event {kind}: {source}")]
    Canonical {
        /// The event's kind.
        kind: String,
        /// What is wrong and where.
        source: CanonicalError,
    },
    /// The bytes or body do not have the fields their kind needs.
    #[error("event {kind} cannot be read: {why}")]
    Unreadable {
        /// The event's kind, or `unknown` when even that cannot be read.
        kind: String,
        /// What the decoder said.
        why: String,
    },
}

/// A typed body: ties a struct to its kind and lane. Implemented by everything in [`crate::vocabulary`].
pub trait Body: Serialize + DeserializeOwned {
    /// The dotted name, past tense, for example `sale.completed`.
    const KIND: &'static str;
    /// The lane this kind is recorded in.
    const LANE: Lane;
}

/// One recorded fact. Kinds and fields this program does not know are kept as they are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When the kiosk saw it.
    pub at: At,
    /// The fact's own fields.
    #[serde(default)]
    pub body: Map<String, Value>,
    /// Dotted name, for example `exit.tapped`.
    pub kind: String,
    /// The lane it is recorded in.
    pub lane: Lane,
    /// The random id of the visit it belongs to, absent for facts outside a visit. Never reused, never a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visit: Option<String>,
    /// Envelope fields a newer program wrote.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

impl Event {
    /// An event of a known kind.
    ///
    /// # Errors
    /// [`EventError::Unreadable`] if the body does not serialise to a JSON object (a fault of its type).
    pub fn of<B: Body>(at: At, visit: Option<&str>, body: &B) -> Result<Self, EventError> {
        let unreadable = |why: String| EventError::Unreadable {
            kind: B::KIND.into(),
            why,
        };
        match serde_json::to_value(body) {
            Ok(Value::Object(body)) => Ok(Self {
                at,
                body,
                kind: B::KIND.into(),
                lane: B::LANE,
                visit: visit.map(Into::into),
                extra: Map::new(),
            }),
            Ok(_) => Err(unreadable("the body is not an object".into())),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    /// The body as its typed form. Fields the type does not know are ignored here and stay in the event.
    ///
    /// # Errors
    /// [`EventError::Unreadable`] when the kind differs or a needed field is missing or of another type.
    pub fn read<B: Body>(&self) -> Result<B, EventError> {
        let unreadable = |why: String| EventError::Unreadable {
            kind: self.kind.clone(),
            why,
        };
        if self.kind != B::KIND {
            return Err(unreadable(format!("expected {}", B::KIND)));
        }
        serde_json::from_value(Value::Object(self.body.clone()))
            .map_err(|error| unreadable(error.to_string()))
    }

    /// The event's canonical bytes: what the journal stores, hashes and sends.
    ///
    /// # Errors
    /// A malformed kind, a float, something like a card number, or more than [`MAX_EVENT_BYTES`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EventError> {
        self.write(canonical::to_bytes)
    }

    /// As [`Event::to_bytes`], but card-like digits in strings become `*` instead of an error.
    ///
    /// Use it for facts that must be recorded whatever a terminal or bank wrote into its texts.
    ///
    /// # Errors
    /// As [`Event::to_bytes`], except for card-like strings.
    pub fn to_bytes_redacted(&self) -> Result<Vec<u8>, EventError> {
        self.write(canonical::to_bytes_redacted)
    }

    fn write(
        &self,
        encode: fn(&Value) -> Result<Vec<u8>, CanonicalError>,
    ) -> Result<Vec<u8>, EventError> {
        let kind = || self.kind.clone();
        if !is_kind(&self.kind) {
            return Err(EventError::Kind(self.kind.chars().take(64).collect()));
        }
        let value = serde_json::to_value(self).map_err(|error| EventError::Unreadable {
            kind: kind(),
            why: error.to_string(),
        })?;
        let bytes = encode(&value).map_err(|source| EventError::Canonical {
            kind: kind(),
            source,
        })?;
        if bytes.len() > MAX_EVENT_BYTES {
            return Err(EventError::TooLong {
                kind: kind(),
                bytes: bytes.len(),
            });
        }
        Ok(bytes)
    }

    /// Reads an event from its stored bytes, keeping unknown kinds and fields.
    ///
    /// # Errors
    /// [`EventError::Canonical`] when the bytes are not canonical JSON; [`EventError::Unreadable`] when the
    /// envelope's own fields are missing; [`EventError::Kind`] for a malformed kind.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EventError> {
        let value = canonical::from_bytes(bytes).map_err(|source| EventError::Canonical {
            kind: "unknown".into(),
            source,
        })?;
        let event: Self =
            serde_json::from_value(value).map_err(|error| EventError::Unreadable {
                kind: "unknown".into(),
                why: error.to_string(),
            })?;
        if is_kind(&event.kind) {
            Ok(event)
        } else {
            Err(EventError::Kind(event.kind.chars().take(64).collect()))
        }
    }
}

fn is_kind(kind: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_')
    };
    kind.len() <= 64 && (2..=4).contains(&kind.split('.').count()) && kind.split('.').all(word)
}
