//! What may go wrong, one line each: `drop_push 20%`, `under 1000 x1`,
//! `http 429 retry-after 2 10%`.
//!
//! A line is a fault with its numbers, then how often it strikes (`20%` of the
//! times, always when absent) and how many times at most (`x3`, without end
//! when absent).

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::chance::Chance;

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The provider never tells of a transfer; only asking finds it.
    DropPush,
    /// Every notice is sent this many times.
    Dup(u32),
    /// A notice is sent this much later, milliseconds.
    Delay(i64),
    /// Notices are sent in another order, each up to this much later, milliseconds.
    Reorder(i64),
    /// The payer sends this much less, minor units.
    Under(i64),
    /// The payer sends this much more, minor units.
    Over(i64),
    /// The payer sends the same transfer twice.
    PayTwice,
    /// The payer sends this much after the order's time limit (after now when it
    /// has none), milliseconds.
    PayAfterExpiry(i64),
    /// The payer sends what was asked before this order: of its earlier version,
    /// else of the order before it.
    PayOldAmount,
    /// The banks change the text of the transfer.
    MangleMemo(Mangle),
    /// A signature of another key on notices and answers.
    BadSig,
    /// No signature on notices and answers.
    MissingSig,
    /// A notice that was sent is sent again this much later, as it was, seconds.
    Replay(i64),
    /// Requests are answered with this HTTP status.
    Http {
        /// Status.
        status: u16,
        /// Seconds of `Retry-After`.
        retry_after_s: Option<u32>,
    },
    /// payOS answers HTTP 200 with this code.
    Http200Code(String),
    /// A request is done and its answer is lost.
    LostResponseAfterCommit,
    /// The payer's transfer arrives just before a cancel.
    CancelRacePaid,
    /// The access token is refused.
    TokenExpired,
    /// A Pix refund ends as `NAO_REALIZADO`.
    RefundNotDone,
    /// SePay learns of a transfer this much after it was booked, milliseconds:
    /// its row appears late, where its date puts it.
    LateRow(i64),
}

/// What banks do to the text of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mangle {
    /// Capitals only.
    Upper,
    /// The first so many characters only.
    Truncate(usize),
    /// The bank's own words around it.
    Prefix,
    /// Without spaces and separators.
    Strip,
}

impl Mangle {
    pub(super) fn apply(self, memo: &str) -> String {
        match self {
            Self::Upper => memo.to_uppercase(),
            Self::Truncate(length) => memo.chars().take(length).collect(),
            Self::Prefix => format!("MBVCB.3278907687.{memo}.CT tu 0011 toi 0022"),
            Self::Strip => memo.chars().filter(|c| c.is_alphanumeric()).collect(),
        }
    }
}

/// A line that is no fault.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{line:?} is not a fault; write one of: {KNOWN}; then chance (20%) and count (x3)")]
pub struct FaultError {
    /// The line.
    pub line: String,
}

const KNOWN: &str = "drop_push, dup N, delay MS, reorder [MS], under MINOR, over MINOR, \
    pay_twice, pay_after_expiry MS, pay_old_amount, mangle_memo upper|truncate N|prefix|strip, \
    bad_sig, missing_sig, replay SECONDS, http STATUS [retry-after SECONDS], http200 code=CODE, \
    lost_response_after_commit, cancel_race_paid, token_expired, refund NAO_REALIZADO, late_row MS";

/// A fault with its chance and count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Armed {
    /// What happens.
    pub fault: Fault,
    /// How often, of a hundred.
    pub percent: u8,
    /// How many times it may still happen; `None` is without end.
    pub left: Option<u32>,
}

impl FromStr for Armed {
    type Err = FaultError;

    fn from_str(line: &str) -> Result<Self, FaultError> {
        let refused = || FaultError {
            line: line.to_owned(),
        };
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let (mut percent, mut left) = (100, None);
        while let Some(word) = words.last() {
            if let Some(number) = word.strip_suffix('%') {
                percent = number
                    .parse()
                    .ok()
                    .filter(|n| *n <= 100)
                    .ok_or_else(refused)?;
            } else if let Some(Ok(count)) = word.strip_prefix('x').map(str::parse) {
                left = Some(count);
            } else {
                break;
            }
            words.pop();
        }
        let fault = read(&words).ok_or_else(refused)?;
        Ok(Self {
            fault,
            percent,
            left,
        })
    }
}

fn read(words: &[&str]) -> Option<Fault> {
    let amount = |word: &str| {
        word.trim_start_matches('+')
            .parse()
            .ok()
            .filter(|n: &i64| *n >= 0)
    };
    Some(match *words {
        ["drop_push"] => Fault::DropPush,
        ["dup", n] => Fault::Dup(n.parse().ok().filter(|n| (1..=100).contains(n))?),
        ["delay", ms] => Fault::Delay(amount(ms)?),
        ["reorder"] => Fault::Reorder(10_000),
        ["reorder", ms] => Fault::Reorder(amount(ms)?),
        ["under", minor] => Fault::Under(amount(minor)?),
        ["over", minor] => Fault::Over(amount(minor)?),
        ["pay_twice"] => Fault::PayTwice,
        ["pay_after_expiry", ms] => Fault::PayAfterExpiry(amount(ms)?),
        ["pay_old_amount"] => Fault::PayOldAmount,
        ["mangle_memo", "upper"] => Fault::MangleMemo(Mangle::Upper),
        ["mangle_memo", "truncate", n] => Fault::MangleMemo(Mangle::Truncate(n.parse().ok()?)),
        ["mangle_memo", "prefix"] => Fault::MangleMemo(Mangle::Prefix),
        ["mangle_memo", "strip"] => Fault::MangleMemo(Mangle::Strip),
        ["bad_sig"] => Fault::BadSig,
        ["missing_sig"] => Fault::MissingSig,
        ["replay", s] => Fault::Replay(amount(s.trim_end_matches('s'))?),
        ["http", status] => http(status, None)?,
        ["http", status, "retry-after", s] => http(status, Some(s.parse().ok()?))?,
        ["http200", code] => Fault::Http200Code(code.strip_prefix("code=")?.to_owned()),
        ["lost_response_after_commit"] => Fault::LostResponseAfterCommit,
        ["cancel_race_paid"] => Fault::CancelRacePaid,
        ["token_expired"] => Fault::TokenExpired,
        ["refund", "NAO_REALIZADO"] => Fault::RefundNotDone,
        ["late_row", ms] => Fault::LateRow(amount(ms)?),
        _ => return None,
    })
}

fn http(status: &str, retry_after_s: Option<u32>) -> Option<Fault> {
    let status = status.parse().ok().filter(|s| (400..600).contains(s))?;
    Some(Fault::Http {
        status,
        retry_after_s,
    })
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::DropPush => f.write_str("drop_push"),
            Self::Dup(n) => write!(f, "dup {n}"),
            Self::Delay(ms) => write!(f, "delay {ms}"),
            Self::Reorder(ms) => write!(f, "reorder {ms}"),
            Self::Under(minor) => write!(f, "under {minor}"),
            Self::Over(minor) => write!(f, "over {minor}"),
            Self::PayTwice => f.write_str("pay_twice"),
            Self::PayAfterExpiry(ms) => write!(f, "pay_after_expiry {ms}"),
            Self::PayOldAmount => f.write_str("pay_old_amount"),
            Self::MangleMemo(Mangle::Upper) => f.write_str("mangle_memo upper"),
            Self::MangleMemo(Mangle::Truncate(n)) => write!(f, "mangle_memo truncate {n}"),
            Self::MangleMemo(Mangle::Prefix) => f.write_str("mangle_memo prefix"),
            Self::MangleMemo(Mangle::Strip) => f.write_str("mangle_memo strip"),
            Self::BadSig => f.write_str("bad_sig"),
            Self::MissingSig => f.write_str("missing_sig"),
            Self::Replay(s) => write!(f, "replay {s}"),
            Self::Http {
                status,
                retry_after_s: None,
            } => write!(f, "http {status}"),
            Self::Http {
                status,
                retry_after_s: Some(s),
            } => write!(f, "http {status} retry-after {s}"),
            Self::Http200Code(code) => write!(f, "http200 code={code}"),
            Self::LostResponseAfterCommit => f.write_str("lost_response_after_commit"),
            Self::CancelRacePaid => f.write_str("cancel_race_paid"),
            Self::TokenExpired => f.write_str("token_expired"),
            Self::RefundNotDone => f.write_str("refund NAO_REALIZADO"),
            Self::LateRow(ms) => write!(f, "late_row {ms}"),
        }
    }
}

impl fmt::Display for Armed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.fault)?;
        if self.percent < 100 {
            write!(f, " {}%", self.percent)?;
        }
        self.left.map_or(Ok(()), |left| write!(f, " x{left}"))
    }
}

/// The faults in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults(pub Vec<Armed>);

impl Faults {
    /// One fault a line; empty lines and lines that begin with `#` are skipped.
    ///
    /// # Errors
    /// The first line that is no fault.
    pub fn read(text: &str) -> Result<Self, FaultError> {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        Ok(Self(lines.map(str::parse).collect::<Result<_, _>>()?))
    }

    /// The lines, in force now.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.iter().map(Armed::to_string).collect()
    }

    /// What `pick` takes out of the first armed fault it knows, when chance has
    /// it strike; its count goes down.
    pub(super) fn strike<T>(
        &mut self,
        chance: &mut Chance,
        pick: impl Fn(&Fault) -> Option<T>,
    ) -> Option<T> {
        for armed in &mut self.0 {
            let Some(found) = pick(&armed.fault) else {
                continue;
            };
            if armed.left == Some(0) || chance.below(100) >= u64::from(armed.percent) {
                continue;
            }
            armed.left = armed.left.map(|left| left - 1);
            return Some(found);
        }
        None
    }

    /// Whether a fault without numbers strikes.
    pub(super) fn strikes(&mut self, chance: &mut Chance, fault: &Fault) -> bool {
        self.strike(chance, |known| (known == fault).then_some(()))
            .is_some()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const EVERY: &str = "drop_push 20%\ndup 8\ndelay 1500\nreorder 10000\nunder 1000 x1\nover 500\npay_twice\npay_after_expiry 60000\npay_old_amount\nmangle_memo upper\nmangle_memo truncate 7\nmangle_memo prefix\nmangle_memo strip\nbad_sig\nmissing_sig\nreplay 301\nhttp 429 retry-after 2 10%\nhttp 503 x3\nhttp200 code=20\nlost_response_after_commit\ncancel_race_paid\ntoken_expired\nrefund NAO_REALIZADO 50% x2\nlate_row 60000";

    #[test]
    fn every_fault_is_read_and_written() {
        // Proves each line of the fault list there and back, chance and count included.
        let faults = Faults::read(EVERY).unwrap();
        assert_eq!(faults.lines().join("\n"), EVERY);
        assert_eq!(faults.0.len(), EVERY.lines().count());
        assert_eq!(
            "replay +301s".parse::<Armed>().unwrap().fault,
            Fault::Replay(301)
        );
        for wrong in [
            "",
            "dup",
            "dup 0",
            "dup x",
            "under -5",
            "http 200",
            "x3",
            "drop_push 101%",
            "refund",
            "mangle_memo",
            "mangle_memo lower",
            "late_row",
        ] {
            assert!(wrong.parse::<Armed>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn chance_and_count_are_kept() {
        // Proves that x3 strikes three times and 20% about a fifth of the times, the same for a seed.
        let mut chance = Chance::new(7);
        let mut faults = Faults::read("pay_twice x3\ndrop_push 20%").unwrap();
        let count = |faults: &mut Faults, chance: &mut Chance, fault: &Fault| {
            (0..10_000)
                .filter(|_| faults.strikes(chance, fault))
                .count()
        };
        assert_eq!(count(&mut faults, &mut chance, &Fault::PayTwice), 3);
        let dropped = count(&mut faults, &mut chance, &Fault::DropPush);
        assert!((1_800..2_200).contains(&dropped), "{dropped}");
        let again = Faults::read("drop_push 20%").unwrap();
        let runs = [1, 2].map(|_| count(&mut again.clone(), &mut Chance::new(9), &Fault::DropPush));
        assert_eq!(runs[0], runs[1]);
    }
}
