//! Limits that are shared: questions to a provider that counts by address, and notices by where they come from.
//!
//! Neither loses money. A question that must wait is asked later; a notice that is refused is sent again by its provider,
//! and asking finds the money without it. Time is a parameter.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Notices a second from one source, over time.
const NOTICES_A_SECOND: i64 = 20;
/// Notices from one source at once: a provider that was cut off sends what it kept.
const NOTICES_AT_ONCE: i64 = 100;
/// Sources remembered. Whoever is forgotten begins with a full measure again.
const SOURCES_MAX: usize = 1_024;

/// Questions to one address that several accounts share.
#[derive(Debug)]
pub struct Budget {
    gap_ms: i64,
    next_slot_ms: Mutex<i64>,
}

impl Budget {
    /// A budget of so many questions a second.
    #[must_use]
    pub fn new(requests_per_second: u32) -> Self {
        Self {
            gap_ms: 1_000_i64.div_euclid(i64::from(requests_per_second.max(1)))
                + i64::from(1_000 % requests_per_second.max(1) != 0),
            next_slot_ms: Mutex::new(i64::MIN),
        }
    }

    /// Takes `job` when there is room now, and the room with it.
    pub fn spend<T>(&self, now_ms: i64, job: impl FnOnce() -> Option<T>) -> Option<T> {
        let mut next_slot_ms = self.lock();
        if now_ms < *next_slot_ms {
            return None;
        }
        let taken = job()?;
        *next_slot_ms = now_ms.saturating_add(self.gap_ms);
        Some(taken)
    }

    /// When there is room again.
    #[must_use]
    pub fn next_slot_ms(&self) -> i64 {
        *self.lock()
    }

    /// Its only change is one assignment.
    fn lock(&self) -> MutexGuard<'_, i64> {
        self.next_slot_ms
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is left of a source's measure.
#[derive(Debug, Clone, Copy)]
struct Measure {
    /// Thousandths of a notice, so that a refill within a millisecond counts.
    left_milli: i64,
    at_ms: i64,
}

impl Measure {
    const FULL_MILLI: i64 = NOTICES_AT_ONCE * 1_000;

    fn refilled(self, now_ms: i64) -> Self {
        // A clock that was set back refills nothing and locks nobody out.
        let passed_ms = now_ms.saturating_sub(self.at_ms).max(0);
        let more_milli = passed_ms.saturating_mul(NOTICES_A_SECOND);
        Self {
            left_milli: self
                .left_milli
                .saturating_add(more_milli)
                .min(Self::FULL_MILLI),
            at_ms: now_ms,
        }
    }
}

/// Notices by where they come from.
#[derive(Debug, Default)]
pub struct Sources {
    measures: Mutex<HashMap<IpAddr, Measure>>,
}

impl Sources {
    /// Whether a notice from `source` is taken now; it counts when it is.
    pub fn admits(&self, source: IpAddr, now_ms: i64) -> bool {
        let mut measures = self.measures.lock().unwrap_or_else(PoisonError::into_inner);
        let source = network(source);
        if measures.len() >= SOURCES_MAX && !measures.contains_key(&source) {
            forget_one(&mut measures, now_ms);
        }
        let measure = measures.entry(source).or_insert(Measure {
            left_milli: Measure::FULL_MILLI,
            at_ms: now_ms,
        });
        *measure = measure.refilled(now_ms);
        let admitted = measure.left_milli >= 1_000;
        if admitted {
            measure.left_milli -= 1_000;
        }
        admitted
    }
}

/// The one that has most left: forgetting it gives away least.
fn forget_one(measures: &mut HashMap<IpAddr, Measure>, now_ms: i64) {
    let most = measures
        .iter()
        .max_by_key(|(source, measure)| (measure.refilled(now_ms).left_milli, **source))
        .map(|(source, _)| *source);
    if let Some(source) = most {
        measures.remove(&source);
    }
}

/// Whoever has one address of IPv6 has the 2^64 beside it.
fn network(source: IpAddr) -> IpAddr {
    match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => IpAddr::V4(mapped),
            None => {
                let bits = u128::from(address) >> 64 << 64;
                IpAddr::V6(bits.into())
            }
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn source(number: u32) -> IpAddr {
        IpAddr::V4(number.into())
    }

    #[test]
    fn a_source_has_a_measure_of_its_own_and_gets_it_back() {
        // Proves that one source is stopped after its measure, that others are not, that time gives it back at the rate,
        // never more than the measure, and that a clock set back locks nobody out.
        let sources = Sources::default();
        let taken = |source: IpAddr, now_ms: i64| {
            (0..500).filter(|_| sources.admits(source, now_ms)).count()
        };
        assert_eq!(taken(source(1), 0), 100);
        assert_eq!(taken(source(2), 0), 100);
        assert_eq!(taken(source(1), 1_000), 20);
        assert_eq!(taken(source(1), 1_049), 0);
        assert_eq!(taken(source(1), 1_050), 1);
        assert_eq!(taken(source(1), 90_000), 100);
        assert_eq!(taken(source(1), 10_000), 0);
        assert_eq!(taken(source(1), 11_000), 20);
    }

    #[test]
    fn however_many_sources_there_are_memory_is_bounded() {
        // Proves that a hundred thousand sources are 1,024 entries, and that one that used its measure up is not
        // forgotten for those that did not.
        let sources = Sources::default();
        for _ in 0..100 {
            assert!(sources.admits(source(7), 0));
        }
        for number in 100..100_100 {
            assert!(sources.admits(source(number), 0));
        }
        assert_eq!(sources.measures.lock().unwrap().len(), SOURCES_MAX);
        assert!(!sources.admits(source(7), 0));
    }

    #[test]
    fn neighbours_in_ipv6_are_one_source() {
        // Proves that addresses of one /64 share a measure, and that a mapped IPv4 address is its IPv4 address.
        let sources = Sources::default();
        let text = |text: &str| text.parse::<IpAddr>().unwrap();
        for host in 0..100 {
            assert!(sources.admits(text(&format!("2001:db8:1:2::{host:x}")), 0));
        }
        assert!(!sources.admits(text("2001:db8:1:2:ffff::1"), 0));
        assert!(sources.admits(text("2001:db8:1:3::1"), 0));
        assert_eq!(network(text("::ffff:10.0.0.1")), text("10.0.0.1"));
    }

    #[test]
    fn a_shared_budget_is_spent_once_whoever_asks() {
        // Proves that three a second are three a second over all who share it, and that a question nobody has spends
        // nothing.
        let budget = Budget::new(3);
        let mut asked = Vec::new();
        for now_ms in 0..2_000 {
            assert_eq!(budget.spend(now_ms, || None::<()>), None);
            for account in 0..4 {
                if budget.spend(now_ms, || Some(())).is_some() {
                    asked.push((now_ms, account));
                }
            }
        }
        assert_eq!(asked.len(), 6, "{asked:?}");
        assert_eq!(budget.next_slot_ms(), asked.last().unwrap().0 + 334);
    }
}
