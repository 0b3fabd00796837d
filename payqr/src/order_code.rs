//! Order codes: nine characters that find their order again in whatever a bank
//! makes of a transfer memo.
//!
//! Two characters of store prefix, six of number, one check character over an
//! alphabet of 32 without I, L, O and U. The check is Luhn mod 32: it catches
//! every single wrong character and all adjacent swaps but `0Z`/`Z0`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::memo::strip_accents;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PREFIX_LEN: usize = 2;
const NUMBER_LEN: usize = 6;
/// Characters of an order code.
pub const ORDER_CODE_LEN: usize = PREFIX_LEN + NUMBER_LEN + 1;
/// Order numbers a prefix has: 32^6.
pub const ORDER_NUMBERS: u32 = 1 << 30;
/// Added to the 40 bits of prefix and number in [`OrderCode::to_integer`], so
/// that every code has 13 digits and none is zero or a provider's test value.
const INTEGER_BASE: u64 = 1 << 40;
/// Fewest characters of a cut-off code that are worth showing to a person:
/// the prefix and two more.
const PARTIAL_MIN: usize = PREFIX_LEN + 2;

/// Why an order code is none.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OrderCodeError {
    /// Not two or not nine characters.
    #[error("{what} {text:?} must have {expected} characters")]
    Length {
        /// `store prefix` or `order code`.
        what: &'static str,
        /// The text.
        text: String,
        /// Length it must have.
        expected: usize,
    },
    /// A character outside the alphabet.
    #[error("character {character:?} at {index} is not one of 0-9 A-Z without I, L, O, U")]
    Character {
        /// The character.
        character: char,
        /// Characters before it.
        index: usize,
    },
    /// The check character does not fit: the code was mistyped.
    #[error("check character is {found}, must be {expected}; the code was mistyped, read it again")]
    Check {
        /// As written.
        found: char,
        /// As computed.
        expected: char,
    },
    /// The order number is above 32^6 - 1.
    #[error("order number {number} is above 1073741823; start again at 0 or use another prefix")]
    Number {
        /// The number.
        number: u32,
    },
}

/// The two characters that stand for a store (or kiosk).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct StorePrefix([u8; PREFIX_LEN]);

impl StorePrefix {
    /// A prefix of two characters of the alphabet, any case.
    ///
    /// # Errors
    /// Wrong length or a character outside the alphabet.
    pub fn new(text: &str) -> Result<Self, OrderCodeError> {
        symbols(text, "store prefix").map(Self)
    }
}

impl fmt::Display for StorePrefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_symbols(&self.0, f)
    }
}

impl From<StorePrefix> for String {
    fn from(prefix: StorePrefix) -> Self {
        prefix.to_string()
    }
}

impl TryFrom<String> for StorePrefix {
    type Error = OrderCodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

/// What a memo says about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemoMatch {
    /// One order code.
    One(OrderCode),
    /// Different order codes; a person decides.
    Several(Vec<OrderCode>),
    /// The memo ends within a code, in capitals: it was cut off. A person
    /// compares with the open orders ([`OrderCode::begins_with`]).
    Partial(String),
    /// No code of this store.
    Nothing,
}

impl MemoMatch {
    /// The one order code, when there is exactly one.
    #[must_use]
    pub fn one(&self) -> Option<OrderCode> {
        match self {
            Self::One(code) => Some(*code),
            _ => None,
        }
    }
}

/// An order code. Equal codes are equal orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct OrderCode([u8; ORDER_CODE_LEN]);

impl OrderCode {
    /// The code of an order number. Never reuse a number while money for the
    /// old order may still arrive.
    ///
    /// # Errors
    /// A number of [`ORDER_NUMBERS`] or more.
    pub fn new(prefix: StorePrefix, number: u32) -> Result<Self, OrderCodeError> {
        if number >= ORDER_NUMBERS {
            return Err(OrderCodeError::Number { number });
        }
        let mut code = [0; ORDER_CODE_LEN];
        code[..PREFIX_LEN].copy_from_slice(&prefix.0);
        for (position, symbol) in code[PREFIX_LEN..ORDER_CODE_LEN - 1].iter_mut().enumerate() {
            let shift = 5 * (NUMBER_LEN - 1 - position);
            // Five bits always fit a byte.
            *symbol = ((number >> shift) & 31) as u8;
        }
        code[ORDER_CODE_LEN - 1] = check_symbol(&code[..ORDER_CODE_LEN - 1]);
        Ok(Self(code))
    }

    /// The store prefix.
    #[must_use]
    pub fn prefix(self) -> StorePrefix {
        StorePrefix([self.0[0], self.0[1]])
    }

    /// The order number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0[PREFIX_LEN..ORDER_CODE_LEN - 1]
            .iter()
            .fold(0, |number, symbol| number << 5 | u32::from(*symbol))
    }

    /// Every order code of this store in a memo, in their order, each once.
    /// Case, spaces, separators, accents and text around it do not matter; O
    /// reads as 0, I and L as 1. The code identifies an order: amount and
    /// account must still match before money is credited to it.
    #[must_use]
    pub fn find_all(memo: &str, prefix: StorePrefix) -> Vec<Self> {
        let symbols: Vec<Option<u8>> = strip_accents(memo)
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(symbol)
            .collect();
        let mut found = Vec::new();
        for window in symbols.windows(ORDER_CODE_LEN) {
            let mut code = [0; ORDER_CODE_LEN];
            let complete = code
                .iter_mut()
                .zip(window)
                .all(|(to, from)| from.map(|symbol| *to = symbol).is_some());
            let code = Self(code);
            let fits = complete && code.prefix() == prefix && code.is_consistent();
            if fits && !found.contains(&code) {
                found.push(code);
            }
        }
        found
    }

    /// The one order code of this store in a memo; `None` when there is none
    /// or when two different ones fit (a person decides then).
    #[must_use]
    pub fn find(memo: &str, prefix: StorePrefix) -> Option<Self> {
        match Self::find_all(memo, prefix)[..] {
            [code] => Some(code),
            _ => None,
        }
    }

    /// What a memo says about an order of this store, with the cases a person
    /// must decide kept apart. [`Self::find_all`] says what does not matter.
    #[must_use]
    pub fn search(memo: &str, prefix: StorePrefix) -> MemoMatch {
        let found = Self::find_all(memo, prefix);
        match found[..] {
            [code] => MemoMatch::One(code),
            [] => partial(memo, prefix).map_or(MemoMatch::Nothing, MemoMatch::Partial),
            _ => MemoMatch::Several(found),
        }
    }

    /// The code as a whole number, for providers whose order ids are numbers
    /// (payOS `orderCode`). From 2^40 to 2^41 - 1, so JavaScript holds it
    /// exactly; [`Self::from_integer`] gives the code back.
    #[must_use]
    pub fn to_integer(self) -> u64 {
        let symbols = &self.0[..ORDER_CODE_LEN - 1];
        let bits = symbols
            .iter()
            .fold(0, |bits, symbol| bits << 5 | u64::from(*symbol));
        INTEGER_BASE + bits
    }

    /// The code of a number made by [`Self::to_integer`]; `None` for any other.
    #[must_use]
    pub fn from_integer(integer: u64) -> Option<Self> {
        let bits = integer.checked_sub(INTEGER_BASE)?;
        if bits >= INTEGER_BASE {
            return None;
        }
        let symbol_at = |position: usize| ((bits >> (5 * (7 - position))) & 31) as u8;
        let prefix = StorePrefix([symbol_at(0), symbol_at(1)]);
        let number = u32::try_from(bits & u64::from(ORDER_NUMBERS - 1)).ok()?;
        Self::new(prefix, number).ok()
    }

    /// Whether a cut-off code can be the beginning of this one. A hint for a
    /// person; money is never credited on it.
    #[must_use]
    pub fn begins_with(self, partial: &str) -> bool {
        self.to_string().starts_with(partial)
    }

    fn is_consistent(self) -> bool {
        check_symbol(&self.0[..ORDER_CODE_LEN - 1]) == self.0[ORDER_CODE_LEN - 1]
    }
}

impl FromStr for OrderCode {
    type Err = OrderCodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let code = symbols(text, "order code").map(Self)?;
        let expected = check_symbol(&code.0[..ORDER_CODE_LEN - 1]);
        let found = code.0[ORDER_CODE_LEN - 1];
        if found == expected {
            return Ok(code);
        }
        Err(OrderCodeError::Check {
            found: letter(found),
            expected: letter(expected),
        })
    }
}

impl fmt::Display for OrderCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_symbols(&self.0, f)
    }
}

impl From<OrderCode> for String {
    fn from(code: OrderCode) -> Self {
        code.to_string()
    }
}

impl TryFrom<String> for OrderCode {
    type Error = OrderCodeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The longest end of a memo that can be the beginning of a code.
fn partial(memo: &str, prefix: StorePrefix) -> Option<String> {
    let folded = strip_accents(memo);
    let tail: Vec<Option<u8>> = folded
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .rev()
        .take(ORDER_CODE_LEN - 1)
        .map(symbol)
        .collect();
    (PARTIAL_MIN..=tail.len()).rev().find_map(|length| {
        let symbols: Option<Vec<u8>> = tail[..length].iter().rev().copied().collect();
        let symbols = symbols.filter(|symbols| symbols.starts_with(&prefix.0))?;
        Some(symbols.into_iter().map(letter).collect())
    })
}

fn letter(symbol: u8) -> char {
    char::from(ALPHABET[usize::from(symbol) % ALPHABET.len()])
}

fn write_symbols(symbols: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    symbols.iter().try_for_each(|s| write!(f, "{}", letter(*s)))
}

/// The value of a character, reading look-alikes as what they look like.
fn symbol(c: char) -> Option<u8> {
    let c = match c.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET
        .iter()
        .position(|letter| char::from(*letter) == c)
        .and_then(|at| u8::try_from(at).ok())
}

fn symbols<const N: usize>(text: &str, what: &'static str) -> Result<[u8; N], OrderCodeError> {
    if text.chars().count() != N {
        return Err(OrderCodeError::Length {
            what,
            text: text.to_owned(),
            expected: N,
        });
    }
    let mut out = [0; N];
    for (index, (to, character)) in out.iter_mut().zip(text.chars()).enumerate() {
        *to = symbol(character).ok_or(OrderCodeError::Character { character, index })?;
    }
    Ok(out)
}

/// Luhn mod 32: the symbol that makes the weighted digit sum a multiple of 32.
fn check_symbol(symbols: &[u8]) -> u8 {
    let sum: u32 = symbols
        .iter()
        .rev()
        .enumerate()
        .map(|(position, symbol)| {
            let factor = if position % 2 == 0 { 2 } else { 1 };
            let addend = u32::from(*symbol) * factor;
            addend / 32 + addend % 32
        })
        .sum();
    // A remainder of 32 always fits a byte.
    ((32 - sum % 32) % 32) as u8
}
