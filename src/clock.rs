//! The one place that reads clocks.
//!
//! The wall clock is untrusted (a kiosk without a battery starts at 1970);
//! deadlines use the monotonic clock, order uses sequence numbers, and only
//! display, prices and business dates look at wall time.

use checkout::Now;
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Wall time before which a clock is surely unset: 2025-01-01T00:00:00Z.
/// No kiosk of ours ran before it.
pub const PLAUSIBLE_SINCE_MS: i64 = 1_735_689_600_000;

/// Wall time after which a clock is surely wrong: 2100-01-01T00:00:00Z.
pub const PLAUSIBLE_UNTIL_MS: i64 = 4_102_444_800_000;

/// Milliseconds since this process began; never goes back.
pub fn mono_ms() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// How far the kiosk's wall clock is off the machine's.
static WRONG_BY_MS: AtomicI64 = AtomicI64::new(0);

/// Unix milliseconds by the kiosk's clock, negative before 1970.
pub fn wall_ms() -> i64 {
    machine_ms().saturating_add(WRONG_BY_MS.load(Ordering::Relaxed))
}

/// Sets the kiosk's wall clock wrong, for tests that have a process of their own. Simulated devices and banks keep
/// the machine's clock, as real ones have clocks of their own.
#[doc(hidden)]
pub fn set_wrong_by_ms(by_ms: i64) {
    WRONG_BY_MS.store(by_ms, Ordering::Relaxed);
}

/// Unix milliseconds by the machine's clock, negative before 1970.
pub fn machine_ms() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

/// The day in Vietnam, `YYYY-MM-DD`, which is what a bank table is valid from.
pub fn vietnam_day(wall_ms: i64) -> String {
    let mut day = payqr::provider::time::vietnam(wall_ms);
    day.truncate(10);
    day
}

/// Whether a wall time can be true at all.
pub fn is_plausible(wall_ms: i64) -> bool {
    (PLAUSIBLE_SINCE_MS..PLAUSIBLE_UNTIL_MS).contains(&wall_ms)
}

/// The shop's clock: machine time seen in the shop's time zone.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zone: Tz,
}

impl Clock {
    /// A clock for a shop in `zone`.
    pub fn new(zone: Tz) -> Self {
        Self { zone }
    }

    /// This instant, as the counter takes it.
    pub fn now(&self) -> Now {
        let wall_ms = wall_ms();
        Now {
            wall_ms,
            utc_offset_min: self.offset_min(wall_ms),
            mono_ms: mono_ms(),
        }
    }

    /// Minutes east of UTC at `wall_ms` in the shop's zone.
    pub fn offset_min(&self, wall_ms: i64) -> i32 {
        let Some(utc) = DateTime::from_timestamp_millis(wall_ms) else {
            return 0;
        };
        let offset = self.zone.offset_from_utc_datetime(&utc.naive_utc());
        offset.fix().local_minus_utc() / 60
    }

    /// Hours and minutes for the corner of the screen: `09:41`.
    pub fn hours_minutes(&self, wall_ms: i64) -> String {
        self.local(wall_ms, "%H:%M")
    }

    /// Local time in a chrono format; empty when the clock is out of range.
    pub fn local(&self, wall_ms: i64, format: &str) -> String {
        DateTime::from_timestamp_millis(wall_ms)
            .map(|utc| utc.with_timezone(&self.zone).format(format).to_string())
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shop_zone_decides_the_local_time() {
        // Proves that display time follows the configured zone, daylight saving included.
        let wall_ms = 1_798_736_400_000; // 2026-12-31T17:00:00Z
        let saigon = Clock::new(chrono_tz::Asia::Ho_Chi_Minh);
        assert_eq!(saigon.offset_min(wall_ms), 420);
        assert_eq!(saigon.local(wall_ms, "%Y-%m-%d %H:%M"), "2027-01-01 00:00");
        let berlin = Clock::new(chrono_tz::Europe::Berlin);
        assert_eq!(berlin.offset_min(wall_ms), 60);
        assert_eq!(berlin.offset_min(1_783_000_000_000), 120);
    }

    #[test]
    fn an_unset_clock_is_recognised() {
        // Proves that 1970 and far futures are told apart from real time.
        assert!(!is_plausible(0));
        assert!(!is_plausible(PLAUSIBLE_UNTIL_MS));
        assert!(is_plausible(1_798_736_400_000));
    }
}
