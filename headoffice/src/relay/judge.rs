//! From the credits of an order to where it stands. Pure: the same credits always give the same word.

use std::ops::RangeInclusive;
use touchpoint::relay::{CreditState, OrderState};

/// How far the bank's clock and ours may be apart, an hour's wrong zone included.
const CLOCKS_APART_MS: i64 = 60 * 60 * 1_000;

/// How far an offer has come, apart from money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The provider has not made its code yet.
    Creating,
    /// It can be paid.
    Open,
    /// Its time on the screen is over.
    TimeOver,
    /// The kiosk took it back.
    Withdrawn,
    /// The late window is over.
    Ended,
    /// The provider refused it.
    Refused,
}

/// One credit as the judgement needs it, in the order they became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Minor units, above zero.
    pub amount_minor: i64,
    /// It became known after the withdrawal, or came in after the late window ([`came_after`]).
    pub late: bool,
}

/// Where an order stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The word.
    pub state: OrderState,
    /// Sum of the credits.
    pub received_minor: i64,
    /// Still to come.
    pub remaining_minor: i64,
    /// Beyond what was asked.
    pub over_minor: i64,
    /// What came in time is all that was asked for: late money does not pay.
    pub is_paid_in_time: bool,
    /// What each credit is, in their order.
    pub credits: Vec<CreditState>,
}

/// Whether money came in after an order's late `window`, from the offer to its end.
///
/// A transfer that the bank credited in time and we saw too late is not the payer being late. The bank's clock is not
/// ours and either may be wrong, so its time counts only when it can be true: not long before the offer, not after we
/// saw the money. Else the money came when we saw it. Nobody pays a code before there is one: a time a little before the
/// offer says that the clocks differ, and that the money came right after it.
#[must_use]
pub fn came_after(window: &RangeInclusive<i64>, bank_ms: Option<i64>, seen_ms: i64) -> bool {
    let earliest_ms = window.start().saturating_sub(CLOCKS_APART_MS);
    let can_be_true = |at: &i64| (earliest_ms..=seen_ms).contains(at);
    bank_ms.filter(can_be_true).unwrap_or(seen_ms) > *window.end()
}

/// Judges an order of `amount_minor` by its credits.
///
/// Late money pays nothing, in whatever order the credits became known: with the whole amount in time as well the order
/// is paid, and paid again.
#[must_use]
pub fn judge(amount_minor: i64, stage: Stage, credits: &[Counted]) -> Judgement {
    let (mut received_minor, mut in_time_minor) = (0_i64, 0_i64);
    let mut words = Vec::with_capacity(credits.len());
    for credit in credits {
        let due_minor = amount_minor.saturating_sub(in_time_minor).max(0);
        words.push(word(*credit, due_minor));
        received_minor = received_minor.saturating_add(credit.amount_minor);
        if !credit.late {
            in_time_minor = in_time_minor.saturating_add(credit.amount_minor);
        }
    }
    let is_paid_in_time = in_time_minor >= amount_minor;
    let has = |state: CreditState| words.contains(&state);
    let state = if has(CreditState::Late) && !is_paid_in_time {
        OrderState::Late
    } else if has(CreditState::Duplicate) || has(CreditState::Late) {
        OrderState::Duplicate
    } else if has(CreditState::Over) {
        OrderState::Over
    } else if has(CreditState::Paid) {
        OrderState::Paid
    } else if has(CreditState::Under) {
        OrderState::Under
    } else {
        without_money(stage)
    };
    Judgement {
        state,
        received_minor,
        remaining_minor: amount_minor.saturating_sub(received_minor).max(0),
        over_minor: received_minor.saturating_sub(amount_minor).max(0),
        is_paid_in_time,
        credits: words,
    }
}

fn word(credit: Counted, due_minor: i64) -> CreditState {
    match credit.amount_minor.cmp(&due_minor) {
        _ if credit.late => CreditState::Late,
        _ if due_minor == 0 => CreditState::Duplicate,
        std::cmp::Ordering::Less => CreditState::Under,
        std::cmp::Ordering::Equal => CreditState::Paid,
        std::cmp::Ordering::Greater => CreditState::Over,
    }
}

fn without_money(stage: Stage) -> OrderState {
    match stage {
        Stage::Creating => OrderState::Creating,
        Stage::Open => OrderState::Waiting,
        Stage::TimeOver => OrderState::Checking,
        Stage::Withdrawn => OrderState::Cancelled,
        Stage::Ended => OrderState::Closed,
        Stage::Refused => OrderState::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(amounts: &[(i64, bool)]) -> Judgement {
        let credits: Vec<Counted> = amounts
            .iter()
            .map(|&(amount_minor, late)| Counted { amount_minor, late })
            .collect();
        judge(200_000, Stage::Open, &credits)
    }

    #[test]
    fn every_kind_of_payment_has_its_name() {
        // Proves that exact, short, completed, too much, twice and late are told apart, with exact remainders.
        use CreditState as C;
        use OrderState as O;
        for (credits, state, words, remaining, over) in [
            (vec![], O::Waiting, vec![], 200_000, 0),
            (vec![(200_000, false)], O::Paid, vec![C::Paid], 0, 0),
            (vec![(200, false)], O::Under, vec![C::Under], 199_800, 0),
            (
                vec![(200, false), (199_800, false)],
                O::Paid,
                vec![C::Under, C::Paid],
                0,
                0,
            ),
            (vec![(250_000, false)], O::Over, vec![C::Over], 0, 50_000),
            (
                vec![(150_000, false), (60_000, false)],
                O::Over,
                vec![C::Under, C::Over],
                0,
                10_000,
            ),
            (
                vec![(200_000, false), (200_000, false)],
                O::Duplicate,
                vec![C::Paid, C::Duplicate],
                0,
                200_000,
            ),
            (vec![(200_000, true)], O::Late, vec![C::Late], 0, 0),
            (vec![(200, true)], O::Late, vec![C::Late], 199_800, 0),
            // Late money does not complete what came in time.
            (
                vec![(200, false), (199_800, true)],
                O::Late,
                vec![C::Under, C::Late],
                0,
                0,
            ),
            // Twice, both late: nothing of it paid, all of it is to be given back.
            (
                vec![(200_000, true), (200_000, true)],
                O::Late,
                vec![C::Late, C::Late],
                0,
                200_000,
            ),
            // Paid in time and once more too late: paid, and paid again.
            (
                vec![(200_000, false), (200_000, true)],
                O::Duplicate,
                vec![C::Paid, C::Late],
                0,
                200_000,
            ),
            // The same, told the other way round.
            (
                vec![(200_000, true), (200_000, false)],
                O::Duplicate,
                vec![C::Late, C::Paid],
                0,
                200_000,
            ),
        ] {
            let judged = of(&credits);
            assert_eq!(
                (judged.state, judged.remaining_minor, judged.over_minor),
                (state, remaining, over),
                "{credits:?}"
            );
            assert_eq!(judged.credits, words, "{credits:?}");
        }
    }

    #[test]
    fn the_banks_time_counts_only_when_it_can_be_true() {
        // Proves that money credited in time and seen late is in time, and that a bank's wrong clock neither makes money
        // in time that was seen after the window nor late that was seen inside it.
        let window = 1_000..=2_000;
        for (bank_ms, seen_ms, late) in [
            (Some(1_500), 1_600, false),
            (Some(1_500), 9_000, false),
            (Some(1_000), 9_000, false),
            (Some(2_000), 2_001, false),
            (Some(2_001), 2_001, true),
            (None, 2_000, false),
            (None, 2_001, true),
            // A little before the offer: the clocks differ, and the money came right after it.
            (Some(999), 9_000, false),
            (Some(1_000 - CLOCKS_APART_MS), 9_000, false),
            // Long before the offer, or after it was seen: not true.
            (Some(999 - CLOCKS_APART_MS), 9_000, true),
            (Some(i64::MIN), 9_000, true),
            (Some(9_001), 9_000, true),
            (Some(9_001), 2_000, false),
            (Some(999), 2_000, false),
            // The money was there before the offer was known here.
            (Some(500), 600, false),
        ] {
            let found = came_after(&window, bank_ms, seen_ms);
            assert_eq!(found, late, "{bank_ms:?} {seen_ms}");
        }
    }

    #[test]
    fn two_hundred_dong_do_not_pay_two_hundred_thousand() {
        // Proves that 200 đồng against a bill of 200,000 is "under" and leaves 199,800.
        let judged = of(&[(200, false)]);
        assert_eq!(judged.state, OrderState::Under);
        assert_eq!(judged.remaining_minor, 199_800);
    }

    #[test]
    fn without_money_the_stage_speaks_and_with_money_the_money() {
        // Proves that no stage hides money and that no sum overflows.
        for (stage, state) in [
            (Stage::Creating, OrderState::Creating),
            (Stage::Open, OrderState::Waiting),
            (Stage::TimeOver, OrderState::Checking),
            (Stage::Withdrawn, OrderState::Cancelled),
            (Stage::Ended, OrderState::Closed),
            (Stage::Refused, OrderState::Refused),
        ] {
            assert_eq!(judge(5, stage, &[]).state, state);
            let paid = Counted {
                amount_minor: 5,
                late: false,
            };
            assert_eq!(judge(5, stage, &[paid]).state, OrderState::Paid);
        }
        let most = Counted {
            amount_minor: i64::MAX,
            late: false,
        };
        assert_eq!(
            judge(1, Stage::Open, &[most, most]).received_minor,
            i64::MAX
        );
    }
}
