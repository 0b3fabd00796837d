//! Staff PINs: argon2id, checked away from the UI thread, slowed down after
//! wrong tries.

use crate::config::Staff;
use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};

/// Wrong PINs in a row before the pad locks.
pub const WRONG_PINS_MAX: u32 = 5;
/// How long the pad stays locked; doubles with every further wrong PIN.
pub const LOCK_MS: u64 = 30_000;
const LOCK_MS_MAX: u64 = 15 * 60_000;
/// Fewest and most digits of a PIN.
pub const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=8;

/// Why a PIN cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PinError {
    /// Too short, too long, or not digits.
    #[error("a PIN has 4 to 8 digits and nothing else")]
    NotAPin,
    /// The hash could not be made.
    #[error("the PIN could not be hashed; the system gives no randomness")]
    NoHash,
}

/// Makes the line for `staff.pin_hash` in the configuration.
///
/// # Errors
/// [`PinError`].
pub fn hash_pin(pin: &str) -> Result<String, PinError> {
    if !PIN_DIGITS.contains(&pin.len()) || !pin.bytes().all(|b| b.is_ascii_digit()) {
        return Err(PinError::NotAPin);
    }
    Argon2::default()
        .hash_password(pin.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|_| PinError::NoHash)
}

/// Whether `line` is a hash that a PIN could ever match.
pub fn is_hash(line: &str) -> bool {
    argon2::password_hash::phc::PasswordHash::new(line).is_ok()
}

/// The member of staff whose PIN this is. Takes tens of milliseconds: never on
/// the UI thread.
pub fn who(staff: &[Staff], pin: &str) -> Option<String> {
    let argon2 = Argon2::default();
    staff
        .iter()
        .find(|person| {
            PasswordVerifier::<str>::verify_password(&argon2, pin.as_bytes(), &person.pin_hash)
                .is_ok()
        })
        .map(|person| person.id.clone())
}

/// Counts wrong tries and says how long the pad is locked.
#[derive(Debug, Default)]
pub struct Tries {
    wrong: u32,
    locked_until_ms: u64,
}

impl Tries {
    /// Milliseconds until the pad takes digits again; 0 when it does.
    pub fn locked_ms(&self, mono_ms: u64) -> u64 {
        self.locked_until_ms.saturating_sub(mono_ms)
    }

    /// A right PIN: the count starts anew.
    pub fn right(&mut self) {
        *self = Self::default();
    }

    /// A wrong PIN at `mono_ms`.
    pub fn wrong(&mut self, mono_ms: u64) {
        self.wrong += 1;
        if self.wrong >= WRONG_PINS_MAX {
            let doublings = (self.wrong - WRONG_PINS_MAX).min(6);
            self.locked_until_ms = mono_ms + (LOCK_MS << doublings).min(LOCK_MS_MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_pin_opens() {
        // Proves that a PIN is found by its hash and no other PIN is.
        let staff = [Staff {
            id: "NV01".into(),
            pin_hash: hash_pin("2468").unwrap(),
        }];
        assert_eq!(who(&staff, "2468").as_deref(), Some("NV01"));
        assert_eq!(who(&staff, "2469"), None);
        assert_eq!(who(&staff, ""), None);
        assert_eq!(hash_pin("12"), Err(PinError::NotAPin));
        assert_eq!(hash_pin("12a4"), Err(PinError::NotAPin));
    }

    #[test]
    fn guessing_gets_slower_and_slower() {
        // Proves that a thousand guesses cannot be made in a day.
        let mut tries = Tries::default();
        let (mut now, mut guesses) = (0, 0);
        while now < 24 * 3_600_000 {
            tries.wrong(now);
            guesses += 1;
            now += tries.locked_ms(now).max(1);
        }
        assert!(guesses < 200, "{guesses}");
        tries.right();
        assert_eq!(tries.locked_ms(now), 0);
    }
}
