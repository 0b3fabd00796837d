//! The same kills for what staff order of the terminal: a reversal, a refund, the end of its day.

use super::audit::COFFEE_MINOR;
use super::world::{Habit, Job};
use super::{Begin, Mode, Place, mode, modes, one_kill_each, scattered_kills};
use hardware::terminal::sim::{Scenario, SimOutcome, WhenUnacknowledged};

const REVERSAL: Job = Job::GiveBack(COFFEE_MINOR);
const REFUND: Job = Job::GiveBack(COFFEE_MINOR - 1_000);

/// Every mode of a sale, and a terminal that refuses to reverse, so that a refund follows.
fn order_modes() -> Vec<Mode> {
    let refuses = Scenario::ending(SimOutcome::Refuse(0xB5));
    let when = WhenUnacknowledged::TakeBack;
    let mut all = modes();
    all.push(mode("refuse to reverse", Some(refuses), when));
    all
}

fn at_every_step(job: Job, stride: usize, least: usize) {
    let place = Place::new();
    let begin = place.sold();
    let found = one_kill_each(
        &place,
        (job, &begin),
        &order_modes(),
        Habit::Correct,
        stride,
    );
    assert!(found.violations.is_empty(), "{:#?}", found.violations);
    assert_eq!(found.reviews, 0, "one kill never needs a person");
    assert!(found.runs > least, "{} runs mean little", found.runs);
}

#[test]
fn a_kill_at_every_step_and_every_written_page_of_a_reversal() {
    // Proves with the real database and every mode of the terminal that one kill neither gives money back twice nor leaves
    // it unrecorded, nor records what did not happen.
    at_every_step(REVERSAL, 43, 150);
}

#[test]
fn a_kill_at_every_step_and_every_written_page_of_a_refund() {
    // Proves the same for money given to a card.
    at_every_step(REFUND, 43, 150);
}

#[test]
fn a_kill_at_every_step_and_every_written_page_of_an_end_of_day() {
    // Proves no close of the terminal's day is claimed that did not happen, none is forgotten, and "balanced" is true.
    at_every_step(Job::CloseDay, 23, 60);
}

#[test]
fn kills_during_the_recovery_of_orders() {
    // Proves the same for three kills at scattered steps (`CRASH_RUNS` sets how many runs); a person may be needed, money
    // never goes back twice and never without a record or an open review.
    let place = Place::new();
    let begin = place.sold();
    let jobs = [REVERSAL, REFUND, Job::CloseDay].map(|job| (job, &begin));
    let found = scattered_kills(&place, &jobs, &order_modes(), 120);
    assert!(found.violations.is_empty(), "{:#?}", found.violations);
}

fn wrong(job: Job) -> Vec<String> {
    let place = Place::new();
    let begin: Begin = place.sold();
    let modes = modes();
    let habit = Habit::AnswersBeforeCommit;
    one_kill_each(&place, (job, &begin), &modes[..1], habit, 5).violations
}

#[test]
fn the_matrix_finds_orders_that_are_sent_before_they_are_written() {
    // Proves that the test would notice: "stored" before the commit is found in the order itself, for each kind.
    for (job, words) in [
        (REVERSAL, "before the approval was on disk"),
        (REFUND, "before the approval was on disk"),
        (Job::CloseDay, "before it was on disk"),
    ] {
        let found = wrong(job);
        assert!(
            found.iter().any(|v| v.contains(words)),
            "{job:?}: {found:#?}"
        );
    }
}
