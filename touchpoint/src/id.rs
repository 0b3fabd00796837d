//! Names of devices and journals, checked once where they enter.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A text that is not a valid identifier. Retrying does not help: the sender has to be corrected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// A device id is 1 to 32 characters of `a-z`, `0-9` and `-`.
    #[error(
        "device id {0:?} is not 1 to 32 characters of a-z, 0-9 and '-'; enrol the device again"
    )]
    Device(String),
    /// A journal id is a lower-case UUID version 7 text.
    #[error("journal id {0:?} is not a lower-case UUID version 7; start a new journal")]
    Journal(String),
}

/// The name head office gave a kiosk at enrolment, for example `k-4t9m2c7x1q`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceId(String);

impl DeviceId {
    /// Checks and wraps a device id: 1 to 32 characters of `a-z`, `0-9` and `-`.
    ///
    /// # Errors
    /// [`IdError::Device`] for any other text.
    pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
        let text = text.into();
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        if (1..=32).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text))
        } else {
            Err(IdError::Device(shorten(text)))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A journal's identity: a UUIDv7 text, new whenever the kiosk's database file is new, restored or cloned.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JournalId(String);

impl JournalId {
    /// Checks and wraps a lower-case, hyphenated UUID version 7 text (RFC 9562 §5.7).
    ///
    /// # Errors
    /// [`IdError::Journal`] for any other text.
    pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
        let text = text.into();
        if is_uuid(&text) && text.as_bytes()[14] == b'7' && b"89ab".contains(&text.as_bytes()[19]) {
            Ok(Self(text))
        } else {
            Err(IdError::Journal(shorten(text)))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// True for a lower-case hyphenated UUID of any version (8-4-4-4-12 hexadecimal digits).
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, c)| match index {
            8 | 13 | 18 | 23 => c == b'-',
            _ => c.is_ascii_digit() || (b'a'..=b'f').contains(&c),
        })
}

fn shorten(text: String) -> String {
    text.chars().take(48).collect()
}

macro_rules! text_id {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }
        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    };
}
text_id!(DeviceId);
text_id!(JournalId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_checked_at_the_door() {
        // Proves: only the documented alphabets pass, so an id can sit in a URL path and a file name unescaped.
        assert!(DeviceId::new("k-4t9m2c7x1q").is_ok());
        for bad in ["", "K1", "a/b", "a b", "đ", &"a".repeat(33)] {
            assert!(DeviceId::new(bad).is_err(), "{bad}");
        }
        assert!(JournalId::new("019aa3c4-7b2e-7f10-9a55-0123456789ab").is_ok());
        for bad in [
            "019aa3c4-7b2e-4f10-9a55-0123456789ab",
            "019AA3C4-7b2e-7f10-9a55-0123456789ab",
            "019aa3c47b2e7f109a550123456789ab",
            "019aa3c4-7b2e-7f10-ca55-0123456789ab",
        ] {
            assert!(JournalId::new(bad).is_err(), "{bad}");
        }
    }
}
