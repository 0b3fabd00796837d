//! The terminal's day: what it said when it was closed, beside what the journal took and gave back.
//!
//! "Balanced" is said only where every figure the terminal gave is the journal's own.

use serde::{Deserialize, Serialize};

use super::event::{DeclineReason, Doubt, NotStartedReason};
use crate::money::{Currency, Money};

/// How closing the terminal's day ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalDayEnd {
    /// Closed, with these figures.
    Closed(TerminalTotals),
    /// The terminal would not; its day is still open.
    Refused(DeclineReason),
    /// Nothing was asked; its day is still open.
    NotStarted(NotStartedReason),
    /// No answer: nobody knows whether its day was closed.
    Unknown(Doubt),
}

/// What a terminal said of the day it closed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalTotals {
    /// Money taken less money given back. The field has no sign, so a day that gave back more than it took is not in it.
    pub total: Option<Money>,
    /// Transactions, as far as the terminal counts them; its counters have two digits and start again after 99.
    pub count: Option<u32>,
    /// First receipt number of the day.
    pub first_receipt: Option<u16>,
    /// Last receipt number of the day.
    pub last_receipt: Option<u16>,
}

/// What the journal took and gave back by card in one currency, since the terminal's day began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardFigures {
    /// The currency.
    pub currency: Currency,
    /// Payments.
    pub payments: u32,
    /// What they took, in minor units.
    pub taken_minor: i64,
    /// Payments taken back, and refunds.
    pub give_backs: u32,
    /// What was given back, positive.
    pub given_back_minor: i64,
}

impl CardFigures {
    /// Nothing yet.
    pub fn none(currency: Currency) -> CardFigures {
        CardFigures {
            currency,
            payments: 0,
            taken_minor: 0,
            give_backs: 0,
            given_back_minor: 0,
        }
    }

    /// What is left.
    pub fn net_minor(&self) -> i64 {
        self.taken_minor.saturating_sub(self.given_back_minor)
    }

    fn is_empty(&self) -> bool {
        self.payments == 0 && self.give_backs == 0
    }
}

/// The journal's figures for a day of the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct JournalDay {
    /// Since the last close that is certain, one entry a currency.
    pub figures: Vec<CardFigures>,
    /// Since the last close that had no answer, when there was one after that: should it have happened after all, the
    /// terminal's figures are of this part only.
    pub since_unanswered: Option<Vec<CardFigures>>,
}

/// How the terminal's figures and the journal's compare, in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Compared {
    /// The journal's.
    pub journal: CardFigures,
    /// The terminal's total, when it gave one in this currency.
    pub terminal_minor: Option<i64>,
    /// The terminal's count, when it gave one.
    pub terminal_count: Option<u32>,
    /// What follows.
    pub verdict: Verdict,
}

/// What follows from two sets of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Count and amount are the same.
    Balanced,
    /// They are the same since the last close, which had no answer and so did happen. What it closed is not proven.
    BalancedSinceUnanswered,
    /// They differ.
    Differs {
        /// Terminal less journal, in minor units.
        amount_minor: i64,
        /// Terminal less payments of the journal; 0 when the terminal gives no count.
        count: i64,
        /// An earlier close had no answer, so the terminal's figures may be of a part of the time.
        start_uncertain: bool,
    },
    /// The terminal gave no total, or its total cannot say this (it has no sign).
    NotSaid,
}

/// Compares what a terminal said of its day with what the journal knows, one result a currency. `currency` is the
/// shop's own, which is compared also where the journal has nothing in it.
pub fn compare(totals: &TerminalTotals, journal: &JournalDay, currency: Currency) -> Vec<Compared> {
    let mut currencies = vec![currency];
    let told = totals.total.map(|total| total.currency);
    let known = journal.figures.iter().map(|figures| figures.currency);
    for one in told.into_iter().chain(known) {
        if !currencies.contains(&one) {
            currencies.push(one);
        }
    }
    let of = |list: &[CardFigures], currency| {
        let mut found = list.iter().filter(|figures| figures.currency == currency);
        found.next().copied().unwrap_or(CardFigures::none(currency))
    };
    let compared = currencies.into_iter().map(|currency| {
        let whole = of(&journal.figures, currency);
        let part = journal.since_unanswered.as_ref();
        let part = part.map(|list| of(list, currency));
        compare_one(totals, whole, part)
    });
    compared.collect()
}

fn compare_one(totals: &TerminalTotals, whole: CardFigures, part: Option<CardFigures>) -> Compared {
    let total = totals
        .total
        .filter(|total| total.currency == whole.currency);
    let terminal_minor = total.map(|total| total.minor);
    let terminal_count = totals.count.filter(|_| total.is_some());
    let agrees = |figures: &CardFigures| {
        terminal_minor == Some(figures.net_minor()) && count_agrees(terminal_count, figures)
    };
    let verdict = match (terminal_minor, part) {
        _ if agrees(&whole) => Verdict::Balanced,
        (_, Some(part)) if agrees(&part) => Verdict::BalancedSinceUnanswered,
        // Without a total in this currency nothing is said of it; with nothing to compare, nothing is missing either.
        (None, _) if whole.is_empty() && totals.total.is_some() => Verdict::Balanced,
        (None, _) => Verdict::NotSaid,
        (Some(0), _) if whole.net_minor() < 0 => Verdict::NotSaid,
        (Some(minor), part) => Verdict::Differs {
            amount_minor: minor.saturating_sub(whole.net_minor()),
            count: match terminal_count {
                Some(count) if !count_agrees(terminal_count, &whole) => {
                    i64::from(count) - i64::from(whole.payments)
                }
                _ => 0,
            },
            start_uncertain: part.is_some(),
        },
    };
    Compared {
        journal: whole,
        terminal_minor,
        terminal_count,
        verdict,
    }
}

/// Some terminals count payments, others every transaction; two digits are all there is room for.
fn count_agrees(terminal: Option<u32>, journal: &CardFigures) -> bool {
    let Some(terminal) = terminal else {
        return true;
    };
    let all = journal.payments.saturating_add(journal.give_backs);
    [journal.payments, all]
        .into_iter()
        .any(|count| count % 100 == terminal % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(payments: u32, taken: i64, give_backs: u32, back: i64) -> CardFigures {
        CardFigures {
            currency: Currency::VND,
            payments,
            taken_minor: taken,
            give_backs,
            given_back_minor: back,
        }
    }

    fn verdict(total: Option<i64>, count: Option<u32>, journal: &JournalDay) -> Verdict {
        let totals = TerminalTotals {
            total: total.map(|minor| Money::new(minor, Currency::VND)),
            count,
            ..TerminalTotals::default()
        };
        compare(&totals, journal, Currency::VND)[0].verdict
    }

    #[test]
    fn balanced_is_said_only_with_proof_and_a_difference_exactly() {
        // Proves every verdict: same figures, too much, too little, no total, no sign, a count that ran over.
        let day = |figures| JournalDay {
            figures: vec![figures],
            since_unanswered: None,
        };
        let usual = day(figures(12, 1_250_000, 1, 50_000));
        let differs = |amount_minor, count| Verdict::Differs {
            amount_minor,
            count,
            start_uncertain: false,
        };
        let cases = [
            (Some(1_200_000), Some(12), Verdict::Balanced),
            (Some(1_200_000), Some(13), Verdict::Balanced),
            (Some(1_200_000), None, Verdict::Balanced),
            (Some(1_200_000), Some(14), differs(0, 2)),
            (Some(1_225_000), Some(13), differs(25_000, 0)),
            (Some(1_150_000), Some(11), differs(-50_000, -1)),
            (None, Some(12), Verdict::NotSaid),
        ];
        for (total, count, wanted) in cases {
            assert_eq!(verdict(total, count, &usual), wanted, "{total:?} {count:?}");
        }
        let many = day(figures(112, 1_000, 0, 0));
        assert_eq!(verdict(Some(1_000), Some(12), &many), Verdict::Balanced);
        let negative = day(figures(0, 0, 1, 40_000));
        assert_eq!(verdict(Some(0), Some(0), &negative), Verdict::NotSaid);
        let nothing = JournalDay::default();
        assert_eq!(verdict(Some(0), Some(0), &nothing), Verdict::Balanced);
        assert_eq!(verdict(Some(7), Some(1), &nothing), differs(7, 1));
        assert_eq!(verdict(None, None, &nothing), Verdict::NotSaid);
    }

    #[test]
    fn a_close_without_an_answer_is_found_out_by_the_next_one() {
        // Proves the next totals say whether the unanswered close happened, and that a difference names the uncertainty.
        let journal = JournalDay {
            figures: vec![figures(3, 300, 0, 0)],
            since_unanswered: Some(vec![figures(1, 100, 0, 0)]),
        };
        assert_eq!(verdict(Some(300), Some(3), &journal), Verdict::Balanced);
        assert_eq!(
            verdict(Some(100), Some(1), &journal),
            Verdict::BalancedSinceUnanswered
        );
        assert_eq!(
            verdict(Some(150), Some(1), &journal),
            Verdict::Differs {
                amount_minor: -150,
                count: -2,
                start_uncertain: true
            }
        );
    }

    #[test]
    fn currencies_are_never_added_or_taken_for_each_other() {
        // Proves a total in one currency says nothing of another, and one nobody expected is a difference.
        let euro = CardFigures {
            currency: Currency::EUR,
            ..figures(2, 1_250, 0, 0)
        };
        let journal = JournalDay {
            figures: vec![figures(1, 25_000, 0, 0), euro],
            since_unanswered: None,
        };
        let totals = TerminalTotals {
            total: Some(Money::new(25_000, Currency::VND)),
            ..TerminalTotals::default()
        };
        let verdicts = |totals: &TerminalTotals| -> Vec<(Currency, Verdict)> {
            let all = compare(totals, &journal, Currency::VND).into_iter();
            all.map(|one| (one.journal.currency, one.verdict)).collect()
        };
        assert_eq!(
            verdicts(&totals),
            [
                (Currency::VND, Verdict::Balanced),
                (Currency::EUR, Verdict::NotSaid)
            ]
        );
        let totals = TerminalTotals {
            total: Some(Money::new(5, Currency::USD)),
            ..TerminalTotals::default()
        };
        let found = verdicts(&totals);
        assert_eq!(found[0], (Currency::VND, Verdict::NotSaid));
        assert!(matches!(found[1], (Currency::USD, Verdict::Differs { .. })));
    }
}
