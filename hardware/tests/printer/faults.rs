//! Paper, cover, blade and power going wrong, one at a time.

use hardware::printer::{
    Doubt, Evidence, OfflineReason, PrinterEvent, PrinterState, Profile, ProofGrade, Refusal,
};

use super::bench::{Bench, config, in_doubt, unsent};
use super::receipts;

fn states(bench: &Bench) -> Vec<PrinterState> {
    let states = bench.events.iter().filter_map(|event| match event {
        PrinterEvent::State(state) => Some(*state),
        _ => None,
    });
    states.collect()
}

#[test]
fn an_epson_that_ran_out_of_paper_proves_the_rest_with_its_process_id() {
    // Proves: paper out in the middle ends in Printed where the printer can prove it.
    let mut bench = Bench::named("epson-t88");
    bench.ready();
    let job = bench.print(&receipts::endless(), &Profile::named("epson-t88").unwrap());
    bench.run_ms(3_000);
    bench.sim.remove_paper();
    bench.run_ms(4_000);
    assert_eq!(bench.machine.state(), PrinterState::PaperOut);
    bench.sim.load_paper(80_000);
    let done = bench.finish(job, 60_000);
    let best = Evidence::Printed(ProofGrade::ProcessIdAndCounter);
    assert_eq!(
        done,
        PrinterEvent::JobDone {
            job,
            evidence: best
        }
    );
}

#[test]
fn a_receipt_that_may_not_fit_the_rest_of_the_roll_is_refused_before_it_starts() {
    // Proves: paper used since the near-end sensor tripped is counted; a fresh roll resets it.
    let mut setup = config("epson-t88");
    setup.faults.paper_left_mm = Some(2_400);
    let profile = setup.profile.clone();
    let mut bench = Bench::new(setup);
    bench.ready();
    let mut refused = None;
    for _ in 0..4 {
        let job = bench.print(&receipts::endless(), &profile);
        let end = bench.finish(job, 30_000);
        if !matches!(end, PrinterEvent::JobDone { .. }) {
            refused = Some(end);
            break;
        }
    }
    assert!(
        matches!(
            refused,
            Some(PrinterEvent::JobFailed {
                nothing_sent: true,
                reason: Refusal::PaperTooLow { .. },
                ..
            })
        ),
        "{refused:?}"
    );
    bench.sim.load_paper(80_000);
    bench.ready();
    let job = bench.print(&receipts::endless(), &profile);
    let done = bench.finish(job, 30_000);
    assert!(matches!(done, PrinterEvent::JobDone { .. }), "{done:?}");
}

#[test]
fn no_paper_or_an_open_cover_refuses_a_receipt_before_a_byte_leaves() {
    // Proves: preflight; nothing prints later when the paper is back, and a retry is allowed.
    let mut bench = Bench::named("xprinter-clone");
    bench.ready();
    bench.sim.remove_paper();
    let job = bench.print(&receipts::short(), &Profile::default());
    let refused = bench.finish(job, 5_000);
    assert_eq!(
        refused,
        PrinterEvent::JobFailed {
            job,
            nothing_sent: true,
            reason: Refusal::NotReady(PrinterState::PaperOut),
        }
    );
    bench.sim.load_paper(80_000);
    bench.sim.set_cover_open(true);
    let job = bench.print(&receipts::short(), &Profile::default());
    let refused = bench.finish(job, 5_000);
    assert!(
        matches!(
            refused,
            PrinterEvent::JobFailed {
                reason: Refusal::NotReady(PrinterState::CoverOpen),
                ..
            }
        ),
        "{refused:?}"
    );
    bench.sim.set_cover_open(false);
    bench.run_ms(5_000);
    assert!(bench.sim.all_text().trim().is_empty());
    assert!(bench.recorded.is_empty());
    bench.ready();
}

#[test]
fn a_spool_that_cannot_write_keeps_the_receipt_from_being_sent() {
    // Proves: journal before effect; without a durable record not one byte leaves.
    let mut bench = Bench::named("xprinter-clone");
    bench.ready();
    bench.disk_works = false;
    let before = bench.sim.all_text();
    let job = bench.print(&receipts::short(), &Profile::default());
    let refused = bench.finish(job, 5_000);
    assert!(
        matches!(
            refused,
            PrinterEvent::JobFailed {
                nothing_sent: true,
                reason: Refusal::NotRecorded,
                ..
            }
        ),
        "{refused:?}"
    );
    bench.run_ms(2_000);
    assert_eq!(bench.sim.all_text(), before);
}

#[test]
fn a_stuck_blade_is_named_and_a_shopper_who_left_gets_no_late_receipt() {
    // Proves: cutter jam is reported; after the patience the rest is purged, the job is never
    // called printed, and the next receipt stands alone on its paper.
    let mut setup = config("epson-t88");
    setup.faults.jam_at_cut = Some(1);
    let profile = setup.profile.clone();
    let mut bench = Bench::new(setup);
    bench.ready();
    let job = bench.print(&receipts::short(), &profile);
    let outcome = bench.finish(job, 200_000);
    assert!(states(&bench).contains(&PrinterState::CutterJam));
    assert!(
        matches!(
            outcome,
            PrinterEvent::JobFailed {
                nothing_sent: false,
                reason: Refusal::Purged,
                ..
            }
        ),
        "{outcome:?}"
    );
    bench.sim.set_cover_open(true);
    bench.run_ms(1_000);
    bench.sim.set_cover_open(false);
    bench.sim.power_off();
    bench.sim.power_on();
    bench.run_ms(10_000);
    let next = bench.print(&receipts::short(), &profile);
    let done = bench.finish(next, 30_000);
    assert!(matches!(done, PrinterEvent::JobDone { .. }), "{done:?}");
    bench.settle();
    let last = bench.sim.sheets().last().unwrap().text();
    assert_eq!(last.matches("DAU HOA DON").count(), 1, "{last}");
}

#[test]
fn a_pulled_cable_in_the_middle_is_in_doubt_and_before_the_first_byte_is_not() {
    // Proves: unplugging grades by what was sent; the driver comes back by itself.
    let mut bench = Bench::named("xprinter-clone");
    bench.ready();
    let job = bench.print(&receipts::large(), &Profile::default());
    bench.run_ms(1_500);
    bench.unplug();
    let outcome = bench.finish(job, 1_000);
    assert!(in_doubt(&outcome, Doubt::Unplugged), "{outcome:?}");
    bench.run_ms(3_000);
    assert_eq!(
        bench.machine.state(),
        PrinterState::Offline(OfflineReason::Unplugged)
    );
    let job = bench.print(&receipts::short(), &Profile::default());
    let refused = bench.finish(job, 1_000);
    assert!(unsent(&refused), "{refused:?}");
    bench.plugged = true;
    bench.ready();
    let job = bench.print(&receipts::short(), &Profile::default());
    let done = bench.finish(job, 20_000);
    assert!(matches!(done, PrinterEvent::JobDone { .. }), "{done:?}");
    bench.settle();
    let sheets = bench.sim.sheets();
    assert!(sheets[sheets.len() - 2].text().contains("INTERRUPTED"));
    let last = sheets.last().unwrap().text();
    assert!(
        last.contains("DAU HOA DON") && last.contains("CUOI HOA DON"),
        "{last}"
    );
}

#[test]
fn a_cancelled_receipt_that_had_not_begun_leaves_no_trace() {
    // Proves: cancelling a waiting job fails it with nothing sent.
    let mut bench = Bench::named("xprinter-clone");
    bench.ready();
    let first = bench.print(&receipts::large(), &Profile::default());
    let second = bench.print(&receipts::short(), &Profile::default());
    bench.cancel(second);
    let refused = bench.finish(second, 10);
    assert!(unsent(&refused), "{refused:?}");
    bench.finish(first, 30_000);
    bench.settle();
    assert!(!bench.sim.all_text().contains("DAU HOA DON"));
}
