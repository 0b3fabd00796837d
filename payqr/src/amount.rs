//! A decimal amount as written in a code: an integer and its number of decimals.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// An amount of money as text shows it: `12.30` is `minor` 1230 with
/// `decimals` 2. The number of decimals is kept, so that a decoded amount is
/// written again as it was. In JSON it is a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Amount {
    minor: u64,
    decimals: u8,
}

impl Amount {
    /// Most decimals an amount can have.
    pub const MAX_DECIMALS: u8 = 9;

    /// `minor` units with `decimals` digits behind the point; `None` above
    /// [`Amount::MAX_DECIMALS`].
    #[must_use]
    pub const fn new(minor: u64, decimals: u8) -> Option<Self> {
        if decimals <= Self::MAX_DECIMALS {
            Some(Self { minor, decimals })
        } else {
            None
        }
    }

    /// Whole units: `Amount::whole(45_000)` is `45000`.
    #[must_use]
    pub const fn whole(units: u64) -> Self {
        Self {
            minor: units,
            decimals: 0,
        }
    }

    /// Hundredths: `Amount::cents(1_230)` is `12.30`.
    #[must_use]
    pub const fn cents(minor: u64) -> Self {
        Self { minor, decimals: 2 }
    }

    /// The amount in units of `10^-decimals`; `None` if that would lose a
    /// digit or overflow.
    #[must_use]
    pub fn minor(self, decimals: u8) -> Option<u64> {
        if decimals >= self.decimals {
            let factor = 10_u64.checked_pow(u32::from(decimals - self.decimals))?;
            self.minor.checked_mul(factor)
        } else {
            let factor = 10_u64.checked_pow(u32::from(self.decimals - decimals))?;
            self.minor
                .is_multiple_of(factor)
                .then(|| self.minor / factor)
        }
    }

    /// Digits behind the point.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        self.decimals
    }

    /// True for an amount of nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.decimals == 0 {
            return write!(f, "{}", self.minor);
        }
        let factor = 10_u64.pow(u32::from(self.decimals));
        write!(
            f,
            "{}.{:0width$}",
            self.minor / factor,
            self.minor % factor,
            width = usize::from(self.decimals)
        )
    }
}

/// The text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("amount {text:?} must be digits with at most one point, no sign, no comma, below 10^18")]
pub struct AmountError {
    /// The text.
    pub text: String,
}

impl FromStr for Amount {
    type Err = AmountError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fail = || AmountError {
            text: text.to_owned(),
        };
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || !digits(whole)
            || !digits(fraction)
            || fraction.len() > usize::from(Self::MAX_DECIMALS)
        {
            return Err(fail());
        }
        let minor = format!("{whole}{fraction}")
            .parse::<u64>()
            .ok()
            .filter(|minor| *minor < 1_000_000_000_000_000_000)
            .ok_or_else(fail)?;
        let decimals = u8::try_from(fraction.len()).map_err(|_| fail())?;
        Ok(Self { minor, decimals })
    }
}

impl From<Amount> for String {
    fn from(amount: Amount) -> Self {
        amount.to_string()
    }
}

impl TryFrom<String> for Amount {
    type Error = AmountError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_keep_their_decimals() {
        // Proves that text to amount to text is exact and that scaling never loses a digit.
        for text in ["0", "4.22", "12.3", "12.30", "999999999.99", "45000"] {
            assert_eq!(text.parse::<Amount>().unwrap().to_string(), text);
        }
        assert_eq!(Amount::cents(5).to_string(), "0.05");
        assert_eq!("12.3".parse::<Amount>().unwrap().minor(2), Some(1_230));
        assert_eq!("12.34".parse::<Amount>().unwrap().minor(1), None);
        assert_eq!("12.".parse::<Amount>().unwrap().minor(0), Some(12));
        for text in [
            "",
            ".5",
            "1,5",
            "-1",
            "1.2.3",
            "1e3",
            "１",
            "99999999999999999999",
        ] {
            assert!(text.parse::<Amount>().is_err(), "{text}");
        }
    }
}
