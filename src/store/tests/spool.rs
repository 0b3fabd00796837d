//! The printer's spool across power cuts.

use super::*;
use crate::store::{PrintJob, PrintKind, PrintState};

fn job(job_no: u64) -> PrintJob {
    PrintJob {
        kind: PrintKind::Receipt,
        job_no,
        receipt_number: Some(job_no),
        copy_number: 0,
        total_bytes: 4_800,
        digest: [7; 32],
        accepted_ms: 1_000,
    }
}

#[test]
fn a_job_is_known_to_have_begun_before_a_byte_of_it_left() {
    // Proves: each step survives a restart; a start without an end becomes doubt once, and only then; confirmed bytes
    // never go back.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    for n in 1..=4 {
        engine.print_accepted(&job(n)).unwrap();
    }
    // The start finds its row made, and makes it where that failed.
    for n in [2, 3, 4, 5] {
        engine.print_started(&job(n), Some(41), 2_000).unwrap();
    }
    engine
        .print_confirmed(PrintKind::Receipt, 3, 1_800)
        .unwrap();
    engine.print_confirmed(PrintKind::Receipt, 3, 900).unwrap();
    engine
        .print_ended(PrintKind::Receipt, 4, PrintState::Done, "fence", 3_000)
        .unwrap();
    drop(engine);

    let (mut engine, _) = place.engine().unwrap();
    let state = |engine: &Engine, n| {
        engine
            .spooled(PrintKind::Receipt, n)
            .unwrap()
            .map(|job| job.state)
    };
    assert_eq!(state(&engine, 1), Some(PrintState::Accepted));
    assert_eq!(state(&engine, 4), Some(PrintState::Done));
    assert_eq!(state(&engine, 6), None);
    let torn = engine.spooled(PrintKind::Receipt, 3).unwrap().unwrap();
    assert_eq!(
        (torn.state, torn.cuts_before),
        (PrintState::Started, Some(41))
    );
    assert_eq!(torn.confirmed_bytes, 1_800);
    assert!(engine.has_torn_print().unwrap());
    engine.doubt_torn_prints(4_000).unwrap();
    assert!(!engine.has_torn_print().unwrap());
    for n in [2, 3, 5] {
        assert_eq!(state(&engine, n), Some(PrintState::Unknown));
    }
    assert_eq!(state(&engine, 1), Some(PrintState::Accepted));
    assert_eq!(state(&engine, 4), Some(PrintState::Done));
}

#[test]
fn the_spool_forgets_what_ended_long_ago_and_nothing_else() {
    // Proves the table stays bounded, and that an open job is never forgotten.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    engine.print_accepted(&job(1)).unwrap();
    engine.print_accepted(&job(2)).unwrap();
    engine
        .print_ended(PrintKind::Receipt, 2, PrintState::Done, "fence", 3_000)
        .unwrap();
    engine.print_accepted(&job(5_000)).unwrap();
    assert!(engine.spooled(PrintKind::Receipt, 1).unwrap().is_some());
    assert!(engine.spooled(PrintKind::Receipt, 2).unwrap().is_none());
    assert_eq!(engine.next_staff_paper().unwrap(), 1);
}

#[test]
fn a_new_journal_does_not_make_the_spool_forget_what_was_sent() {
    // Proves: after a fork a job that began is still known to have begun and can still end, so that it is never taken
    // for one of which nothing left; papers of the staff go on counting.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    engine.print_started(&job(1), None, 2_000).unwrap();
    engine.print_started(&job(2), None, 2_000).unwrap();
    let paper = PrintJob {
        kind: PrintKind::Staff,
        ..job(1)
    };
    engine.print_started(&paper, None, 2_000).unwrap();
    engine.open_new_journal(journal_id(5), 1).unwrap();
    engine
        .print_ended(PrintKind::Receipt, 2, PrintState::Done, "fence", 3_000)
        .unwrap();
    let state = |n| {
        engine
            .spooled(PrintKind::Receipt, n)
            .unwrap()
            .map(|job| job.state)
    };
    assert_eq!(state(1), Some(PrintState::Started));
    assert_eq!(state(2), Some(PrintState::Done));
    assert_eq!(engine.next_staff_paper().unwrap(), 2);
}
