//! How often is asked: by the age of an offer, and about the end of its late window.

use super::Rank;

/// Pause of the list when no kiosk has an open offer: orphans and lost notices.
const LIST_IDLE_MS: i64 = 30_000;
pub(super) const SECOND_MS: i64 = 1_000;
pub(super) const MINUTE_MS: i64 = 60 * SECOND_MS;
pub(super) const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(super) const LIST_HOT_MS: i64 = SECOND_MS;

/// The list serves every kiosk of the account with one question.
pub(super) fn list_pause(newest_offer_age_ms: Option<i64>) -> i64 {
    match newest_offer_age_ms {
        Some(age) if age < MINUTE_MS => LIST_HOT_MS,
        Some(age) if age < 5 * MINUTE_MS => 2 * SECOND_MS,
        Some(age) if age < 15 * MINUTE_MS => 5 * SECOND_MS,
        _ => LIST_IDLE_MS,
    }
}

fn watch_rank(created_ms: i64, settled: bool, now_ms: i64) -> Rank {
    let fresh = now_ms.saturating_sub(created_ms) < 15 * MINUTE_MS;
    if fresh && !settled {
        Rank::Soon
    } else {
        Rank::Watch
    }
}

/// A second transfer for a paid or withdrawn code is rare, and staff learn of it in time: looks by the order's age.
const SETTLED_LOOKS_MS: [i64; 3] = [10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS];
/// One look is this long before the late window ends, so that what came inside it is known inside it, also when the
/// wall clock was set in between.
pub(super) const BEFORE_END_MS: i64 = 30 * MINUTE_MS;

/// When to look at an order again. The last look is just after the end of its late window.
pub(super) fn next_look(
    created_ms: i64,
    watch_until_ms: i64,
    settled: bool,
    now_ms: i64,
) -> (Rank, i64) {
    let age_ms = now_ms.saturating_sub(created_ms);
    let pause_ms = if settled {
        SETTLED_LOOKS_MS
            .into_iter()
            .find(|at| age_ms < *at)
            .map_or(i64::MAX, |at| at - age_ms)
    } else {
        match age_ms {
            age if age < MINUTE_MS => SECOND_MS,
            age if age < 5 * MINUTE_MS => 2 * SECOND_MS,
            age if age < 15 * MINUTE_MS => 5 * SECOND_MS,
            age if age < 2 * HOUR_MS => MINUTE_MS,
            _ => 10 * MINUTE_MS,
        }
    };
    let next_ms = now_ms.saturating_add(pause_ms.max(SECOND_MS));
    let about_end = [
        watch_until_ms.saturating_sub(BEFORE_END_MS),
        watch_until_ms.saturating_add(SECOND_MS),
    ];
    match about_end.into_iter().find(|at| now_ms < *at) {
        Some(at_ms) if at_ms <= next_ms => (Rank::Ending, at_ms),
        Some(_) => (watch_rank(created_ms, settled, now_ms), next_ms),
        // The last look was not answered yet, or is being forgotten.
        None => (Rank::Ending, now_ms.saturating_add(MINUTE_MS)),
    }
}

/// When to look at an order from before a restart. Which looks were made then is not known, so the one that was due last
/// is made again: none is skipped. Those that were due a moment ago come first, those of an hour ago within a minute:
/// so a day's orders do not come all at once, and restarts close on each other do not begin with the same ones each time.
pub(super) fn look_after_restart(
    created_ms: i64,
    watch_until_ms: i64,
    settled: bool,
    now_ms: i64,
) -> (Rank, i64) {
    let ending_ms = watch_until_ms.saturating_sub(BEFORE_END_MS);
    if now_ms >= ending_ms {
        // Since when it is due, not now: however often head office restarts, the one that ends first is asked first.
        return (Rank::Ending, ending_ms);
    }
    if !settled {
        return (watch_rank(created_ms, false, now_ms), now_ms);
    }
    let age_ms = now_ms.saturating_sub(created_ms);
    match SETTLED_LOOKS_MS.into_iter().rev().find(|at| *at <= age_ms) {
        Some(at) => (Rank::Watch, now_ms.saturating_add((age_ms - at) / 60)),
        None => next_look(created_ms, watch_until_ms, true, now_ms),
    }
}
