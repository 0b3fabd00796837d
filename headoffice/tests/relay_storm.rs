//! The relay against a bank where everything goes wrong.
#![allow(clippy::unwrap_used)]

mod storm;

/// Plays four hundred sales of this seed.
fn storm_of(seed: u64) {
    let folder = tempfile::tempdir().unwrap();
    let report = storm::run(storm::Options {
        sales: 400,
        seed,
        folder: folder.path().into(),
        kill_every: 1_500,
        pace_ms: 5_000,
    });
    report.assert_clean();
    assert!(report.kills > 5, "{report:?}");
    for state in ["Paid", "Under", "Over", "Duplicate", "Late", "Closed"] {
        assert!(
            report.states.contains_key(state),
            "{state} never came: {report:?}"
        );
    }
    assert!(!report.unmatched.is_empty(), "{report:?}");
}

// One test for each seed, so that each is far below the time a test may take on a slow machine.

#[test]
fn no_money_is_lost_doubled_or_nameless_in_a_storm() {
    // Proves that with notices dropped, doubled, reordered, forged, replayed and late, failing questions, mangled memos,
    // odd payers, wrong clocks and a kill at any step, every transfer is one credit and every order has its true state.
    storm_of(1);
}

#[test]
fn no_money_is_lost_doubled_or_nameless_in_another_storm() {
    // Proves the same with other payers, faults and kills.
    storm_of(2);
}
