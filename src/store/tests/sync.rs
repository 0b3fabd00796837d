//! Water marks, pruning, and when a journal is a new one.

use super::*;

fn filled(place: &Place) -> Engine {
    let (mut engine, _) = place.engine().unwrap();
    engine
        .commit(commit(1, &[Lane::Touchpoints, Lane::Diagnostics]))
        .unwrap();
    for n in 2..=10 {
        engine.commit(commit(n, &[Lane::Money])).unwrap();
    }
    engine
}

#[test]
fn money_drains_first_in_bounded_runs() {
    // Proves the order of lanes, the limits of a run, and that a run carries the chain value before it.
    let place = Place::new();
    let mut engine = filled(&place);
    let first = engine.unsent(4, 10_000).unwrap().unwrap();
    assert_eq!(
        (first.lane, first.previous, first.events.len()),
        (Lane::Money, touchpoint::GENESIS, 4)
    );
    let tight = engine
        .unsent(100, first.events[0].bytes.len() * 2 + 2)
        .unwrap()
        .unwrap();
    assert_eq!(tight.events.len(), 2);
    assert_eq!(engine.unsent(100, 1).unwrap().unwrap().events.len(), 1);
    engine
        .advance(&first.journal, Lane::Money, 4, 0, Some((b"receipt", 1)))
        .unwrap();
    let second = engine.unsent(100, 10_000).unwrap().unwrap();
    assert_eq!(
        (second.events[0].seq, second.previous),
        (5, first.events[3].chain)
    );
    engine
        .advance(&first.journal, Lane::Money, 9, 4, None)
        .unwrap();
    assert_eq!(
        engine.unsent(100, 10_000).unwrap().unwrap().lane,
        Lane::Touchpoints
    );
    engine
        .advance(&first.journal, Lane::Touchpoints, 1, 1, None)
        .unwrap();
    engine
        .advance(&first.journal, Lane::Diagnostics, 1, 1, None)
        .unwrap();
    assert_eq!(engine.unsent(100, 10_000).unwrap(), None);
}

#[test]
fn marks_are_monotonic_and_never_beyond_what_was_written() {
    // Proves an old answer moves nothing back and a wrong one is refused.
    let place = Place::new();
    let mut engine = filled(&place);
    let journal = journal_id(1);
    engine.advance(&journal, Lane::Money, 6, 3, None).unwrap();
    engine.advance(&journal, Lane::Money, 2, 1, None).unwrap();
    let mark = engine.lanes().unwrap()[0].clone();
    assert_eq!((mark.stored_upto, mark.safe_upto), (6, 3));
    assert!(engine.advance(&journal, Lane::Money, 10, 1, None).is_err());
    assert!(engine.advance(&journal, Lane::Money, 7, 8, None).is_err());
    assert!(
        engine
            .advance(&journal_id(9), Lane::Money, 1, 1, None)
            .is_err()
    );
}

#[test]
fn only_what_is_safe_and_old_is_pruned_and_the_chain_still_checks() {
    // Proves pruning stops at safe_upto and at the age, leaves a verifiable rest, and limits a rewind.
    let place = Place::new();
    let mut engine = filled(&place);
    let journal = journal_id(1);
    engine.advance(&journal, Lane::Money, 9, 5, None).unwrap();
    assert_eq!(
        engine
            .prune(&journal, Lane::Money, 9, 1_795_000_000_004)
            .unwrap(),
        2
    );
    assert_eq!(engine.prune(&journal, Lane::Money, 9, i64::MAX).unwrap(), 3);
    assert_eq!(engine.prune(&journal, Lane::Money, 9, i64::MAX).unwrap(), 0);
    drop(engine);
    let (mut engine, _) = place.engine().unwrap();
    let run = engine
        .events(&journal, Lane::Money, 6, 100, 10_000)
        .unwrap()
        .unwrap();
    let bytes: Vec<&[u8]> = run
        .events
        .iter()
        .map(|event| event.bytes.as_slice())
        .collect();
    assert_eq!(
        touchpoint::chain::chain_run(run.previous, bytes),
        run.events[3].chain
    );
    assert_eq!(engine.rewind(&journal, Lane::Money, 2).unwrap(), 6);
    assert_eq!(
        engine.unsent(100, 10_000).unwrap().unwrap().events[0].seq,
        6
    );
    assert_eq!(engine.rewind(&journal, Lane::Money, 8).unwrap(), 8 - 2);
    assert!(engine.rewind(&journal, Lane::Money, 99).is_err());
}

#[test]
fn a_copied_file_opens_a_new_journal_and_still_drains_the_old_one() {
    // Proves no sequence number is given twice after a copy or on another machine, and nothing unsent is forgotten.
    let place = Place::new();
    drop(filled(&place));
    let copy = Place::new();
    std::fs::copy(place.path(), copy.path()).unwrap();
    let (mut engine, boot) = Engine::open(config(&copy.path()), &ids(2)).unwrap();
    assert_eq!(
        (boot.journal_reason, boot.journal_id.clone()),
        (JournalReason::Copied, journal_id(2))
    );
    assert_eq!(boot.state.unwrap().counters.visit, 10);
    let next = engine.commit(commit(11, &[Lane::Money])).unwrap();
    assert_eq!(next.positions[0].seq, 1);
    let oldest = engine.unsent(1, 10_000).unwrap().unwrap();
    assert_eq!((oldest.journal, oldest.lane), (journal_id(1), Lane::Money));
    drop(engine);
    let moved = Ids {
        machine: "m2".into(),
        ..ids(3)
    };
    let (_, boot) = Engine::open(config(&copy.path()), &moved).unwrap();
    assert_eq!(
        (boot.journal_reason, boot.journal_id),
        (JournalReason::Copied, journal_id(3))
    );
}

#[test]
fn a_backup_is_complete_and_restores_into_a_new_journal() {
    // Proves a backup made while selling holds everything, passes the checks, and never reuses a number.
    let place = Place::new();
    let mut engine = filled(&place);
    let target = place.folder.path().join("backup.db");
    engine.backup(&target).unwrap();
    assert!(engine.backup(&target).is_err());
    engine.commit(commit(11, &[Lane::Money])).unwrap();
    drop(engine);
    let (engine, boot) = Engine::open(config(&target), &ids(2)).unwrap();
    assert_eq!(
        (boot.journal_reason, boot.state.unwrap().counters.visit),
        (JournalReason::Restored, 10)
    );
    assert_eq!(engine.lanes().unwrap().len(), 6);
    assert_eq!(
        place.engine().unwrap().1.journal_reason,
        JournalReason::Continued
    );
}

#[test]
fn a_fork_opens_a_new_journal_in_the_same_file() {
    // Proves that after a fork new events go to the new journal while the old one keeps its own.
    let place = Place::new();
    let mut engine = filled(&place);
    engine.open_new_journal(journal_id(5), 1).unwrap();
    assert_eq!(engine.journal_id(), &journal_id(5));
    assert_eq!(
        engine.commit(commit(11, &[Lane::Money])).unwrap().positions[0].seq,
        1
    );
    let open: Vec<bool> = engine
        .lanes()
        .unwrap()
        .iter()
        .map(|mark| mark.open)
        .collect();
    assert_eq!(open, [false, false, false, true, true, true]);
}
