//! Money as integer minor units, cash rounding and exact allocation.
//!
//! Nothing here wraps, and nothing here is a float. Amounts are `i64` minor
//! units of an ISO 4217 currency; intermediate products are `i128`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Why an amount of money could not be worked out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result does not fit 64 bits of minor units.
    #[error(
        "the amount is too large to be counted; trying again will not help: check the price and the quantity"
    )]
    Overflow,
    /// Two currencies met in one sum.
    #[error(
        "{left} and {right} cannot be added; trying again will not help: the shop's rules must use one currency"
    )]
    CurrencyMismatch {
        /// Currency of the left operand.
        left: Currency,
        /// Currency of the right operand.
        right: Currency,
    },
    /// No active ISO 4217 currency has this code.
    #[error(
        "\"{code}\" is not an active ISO 4217 currency code; trying again will not help: use three letters such as VND"
    )]
    UnknownCurrency {
        /// What was asked for.
        code: String,
    },
}

/// An active ISO 4217 currency with a minor unit; `Copy`, four bytes.
///
/// In JSON it is its code, for example `"VND"`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// Active codes of ISO 4217 List One by exponent. Metals, units of account and
/// testing codes (XAU, XDR, XTS, XXX …) have no minor unit and are left out.
const EXPONENT_0: &str = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF";
const EXPONENT_2: &str = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD \
    BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR \
    FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD \
    KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN \
    NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS \
    SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XAD \
    XCD XCG YER ZAR ZMW ZWG";
const EXPONENT_3: &str = "BHD IQD JOD KWD LYD OMR TND";
const EXPONENT_4: &str = "CLF UYW";

impl Currency {
    /// Vietnamese đồng, exponent 0.
    pub const VND: Currency = Currency::known(*b"VND", 0);
    /// Euro, exponent 2.
    pub const EUR: Currency = Currency::known(*b"EUR", 2);
    /// United States dollar, exponent 2.
    pub const USD: Currency = Currency::known(*b"USD", 2);
    /// Swiss franc, exponent 2.
    pub const CHF: Currency = Currency::known(*b"CHF", 2);
    /// Indian rupee, exponent 2.
    pub const INR: Currency = Currency::known(*b"INR", 2);
    /// Japanese yen, exponent 0.
    pub const JPY: Currency = Currency::known(*b"JPY", 0);
    /// Kuwaiti dinar, exponent 3.
    pub const KWD: Currency = Currency::known(*b"KWD", 3);

    const fn known(code: [u8; 3], exponent: u8) -> Currency {
        Currency { code, exponent }
    }

    /// The currency with this upper-case ISO 4217 code.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`] when no active currency has the code.
    pub fn from_code(code: &str) -> Result<Currency, MoneyError> {
        let unknown = || MoneyError::UnknownCurrency {
            code: code.to_owned(),
        };
        let bytes: [u8; 3] = code.as_bytes().try_into().map_err(|_| unknown())?;
        Currency::all()
            .find(|currency| currency.code == bytes)
            .ok_or_else(unknown)
    }

    /// Every active currency, by exponent and then code.
    pub fn all() -> impl Iterator<Item = Currency> {
        [
            (EXPONENT_0, 0),
            (EXPONENT_2, 2),
            (EXPONENT_3, 3),
            (EXPONENT_4, 4),
        ]
        .into_iter()
        .flat_map(|(codes, exponent)| {
            codes.split_ascii_whitespace().filter_map(move |code| {
                let code = code.as_bytes().try_into().ok()?;
                Some(Currency { code, exponent })
            })
        })
    }

    /// The three letters of ISO 4217, for example `"VND"`.
    pub fn code(&self) -> &str {
        // The table holds ASCII only, so this never falls back.
        std::str::from_utf8(&self.code).unwrap_or("???")
    }

    /// Digits after the decimal sign: 0 for VND, 2 for EUR, 3 for KWD.
    pub const fn exponent(&self) -> u8 {
        self.exponent
    }

    /// Minor units in one major unit: 1, 100, 1000 or 10000.
    pub const fn minor_per_major(&self) -> i64 {
        10_i64.pow(self.exponent as u32)
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Currency {
    type Err = MoneyError;
    fn from_str(code: &str) -> Result<Currency, MoneyError> {
        Currency::from_code(code)
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code())
    }
}

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Currency, D::Error> {
        let code = String::deserialize(deserializer)?;
        Currency::from_code(&code).map_err(serde::de::Error::custom)
    }
}

/// An amount: integer minor units of one currency.
///
/// [`fmt::Display`] gives the ISO form (`VND 146688`, `EUR -0.05`); how a
/// shopper sees it is the screen's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units; for VND, đồng; for EUR, cents.
    pub minor: i64,
    /// What it is counted in.
    pub currency: Currency,
}

impl Money {
    /// `minor` minor units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Money {
        Money { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Money {
        Money { minor: 0, currency }
    }

    /// True for exactly nothing.
    pub const fn is_zero(&self) -> bool {
        self.minor == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_add(other.minor))
    }

    /// The difference; may be negative.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Money) -> Result<Money, MoneyError> {
        self.same_currency(other)?;
        self.with(self.minor.checked_sub(other.minor))
    }

    /// `factor` times the amount.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn checked_mul(self, factor: i64) -> Result<Money, MoneyError> {
        self.with(self.minor.checked_mul(factor))
    }

    /// The amount with the other sign.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] for the one value without a counterpart.
    pub fn checked_neg(self) -> Result<Money, MoneyError> {
        self.with(self.minor.checked_neg())
    }

    fn same_currency(self, other: Money) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch {
            left: self.currency,
            right: other.currency,
        })
    }

    fn with(self, minor: Option<i64>) -> Result<Money, MoneyError> {
        let minor = minor.ok_or(MoneyError::Overflow)?;
        Ok(Money { minor, ..self })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let magnitude = self.minor.unsigned_abs();
        let digits = usize::from(self.currency.exponent);
        if digits == 0 {
            return write!(f, "{} {sign}{magnitude}", self.currency);
        }
        let unit = self.currency.minor_per_major().unsigned_abs();
        let (major, rest) = (magnitude / unit, magnitude % unit);
        write!(f, "{} {sign}{major}.{rest:0digits$}", self.currency)
    }
}

/// Which way an amount between two coins goes. Always on the magnitude, so a
/// refund rounds to the same coins as the sale it undoes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingMode {
    /// Nearest step; a tie goes away from zero.
    HalfUp,
    /// Nearest step; a tie goes towards zero.
    HalfDown,
    /// Towards zero, in the shopper's favour.
    Down,
    /// Away from zero.
    Up,
}

/// How cash is rounded to the coins in use; never applied to card or QR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct CashRounding {
    /// The smallest coin or note, in minor units (VND 500, CHF 5, SEK 100).
    pub step_minor: i64,
    /// Which way.
    pub mode: RoundingMode,
}

impl CashRounding {
    /// `amount_minor` as a multiple of the step. A step of one or less rounds
    /// nothing.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when rounding up leaves the range of `i64`.
    pub fn round(&self, amount_minor: i64) -> Result<i64, MoneyError> {
        if self.step_minor <= 1 {
            return Ok(amount_minor);
        }
        let step = i128::from(self.step_minor);
        let magnitude = i128::from(amount_minor).abs();
        let (down, rest) = (magnitude / step * step, magnitude % step);
        let up = match self.mode {
            RoundingMode::HalfUp => rest * 2 >= step,
            RoundingMode::HalfDown => rest * 2 > step,
            RoundingMode::Down => false,
            RoundingMode::Up => rest > 0,
        };
        let rounded = if up { down + step } else { down };
        let signed = if amount_minor < 0 { -rounded } else { rounded };
        i64::try_from(signed).map_err(|_| MoneyError::Overflow)
    }
}

/// Splits `total_minor` over `weights` exactly, by largest remainder.
///
/// Each part is the exact share rounded down or up, so with non-negative
/// weights and `0 ≤ total_minor ≤ Σ weights` no part exceeds its weight. Equal
/// remainders are served in index order. Negative weights count as zero; when
/// no weight is positive, the parts are as equal as they can be. A negative
/// total is split as its magnitude. Without weights there are no parts.
pub fn allocate(total_minor: i64, weights: &[i64]) -> Vec<i64> {
    let sum: u128 = weights.iter().map(|w| weight(*w)).sum();
    if sum == 0 {
        return if weights.is_empty() {
            Vec::new()
        } else {
            allocate(total_minor, &vec![1; weights.len()])
        };
    }
    let magnitude = u128::from(total_minor.unsigned_abs());
    let products: Vec<u128> = weights.iter().map(|w| magnitude * weight(*w)).collect();
    let mut parts: Vec<u128> = products.iter().map(|p| p / sum).collect();
    let missing = magnitude - parts.iter().sum::<u128>();
    let mut by_remainder: Vec<usize> = (0..weights.len()).collect();
    // A stable sort keeps index order among equal remainders.
    by_remainder.sort_by_key(|&i| std::cmp::Reverse(products[i] % sum));
    for &i in by_remainder
        .iter()
        .take(usize::try_from(missing).unwrap_or(0))
    {
        parts[i] += 1;
    }
    parts
        .into_iter()
        .map(|p| signed(p, total_minor < 0))
        .collect()
}

fn weight(weight: i64) -> u128 {
    u128::from(weight.max(0).unsigned_abs())
}

/// A part never exceeds the magnitude of the `i64` it came from.
fn signed(part: u128, negative: bool) -> i64 {
    let part = i128::try_from(part).unwrap_or(i128::MAX);
    let value = if negative { -part } else { part };
    i64::try_from(value).unwrap_or(if negative { i64::MIN } else { i64::MAX })
}

/// `numerator / denominator` rounded half up; both non-negative, the
/// denominator positive.
pub(crate) fn div_half_up(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator) / (2 * denominator)
}
