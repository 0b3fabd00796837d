//! A visit's id is never given twice.

use std::collections::HashSet;

use checkout::Now;
use checkout::till::*;
use proptest::prelude::*;

use crate::desk::WALL_MS;
use crate::shop;

/// One start of the program: with which seed, at what time, from the state of which earlier start, for how many visits.
#[derive(Clone, Debug)]
struct Start {
    wall_ms: i64,
    from: usize,
    visits: usize,
}

fn starts() -> impl Strategy<Value = Vec<Start>> {
    // Clocks that jump back years, and disks that are set back to any earlier state, are part of the world.
    let start = (
        -400_000_000_000_i64..400_000_000_000,
        0_usize..8,
        0_usize..12,
    );
    let start = start.prop_map(|(offset_ms, from, visits)| Start {
        wall_ms: WALL_MS + offset_ms,
        from,
        visits,
    });
    prop::collection::vec(start, 1..24)
}

/// Runs one start and returns the ids of its visits and the state it leaves.
fn run(start: &Start, seed: u64, state: Option<TillState>) -> (Vec<VisitId>, TillState) {
    let now = Now {
        wall_ms: start.wall_ms,
        utc_offset_min: 420,
        mono_ms: 0,
    };
    let mut till = Till::new(shop::config(1), state, seed, now);
    let mut ids = Vec::new();
    for _ in 0..start.visits {
        let events = [Event::Abandon, Event::Done, Event::Start];
        for event in events {
            let mut effects = Effects::new();
            till.step(now, event, &mut effects);
            for effect in effects.drain() {
                if let Effect::Store { ticket, .. } = effect {
                    till.step(now, Event::Stored(ticket), &mut Effects::new());
                }
            }
        }
        let visit = till.state().visit.as_ref();
        ids.push(visit.expect("a visit has begun").id.clone());
    }
    (ids, till.state().clone())
}

proptest! {
    #[test]
    fn a_visit_id_is_never_given_twice(starts in starts(), first_seed in any::<u64>()) {
        // Proves that no restart, no clock set back and no disk set back repeats an id, even with neighbouring seeds.
        let mut seen = HashSet::new();
        let mut states: Vec<TillState> = Vec::new();
        for (number, start) in (0_u64..).zip(&starts) {
            let state = states.get(start.from).cloned();
            let (ids, state) = run(start, first_seed.wrapping_add(number), state);
            for id in ids {
                prop_assert_eq!(id.0.len(), 32);
                prop_assert!(id.0.bytes().all(|b| b.is_ascii_hexdigit()));
                prop_assert!(seen.insert(id.clone()), "{:?} came twice", id);
            }
            states.push(state);
        }
    }
}
