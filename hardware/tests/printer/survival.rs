//! Power lost at every byte: what is claimed must hold, and no unmarked receipt exists twice.

use hardware::printer::driver::{SpoolRecord, after_restart};
use hardware::printer::sim::SimConfig;
use hardware::printer::{Document, Evidence, PrinterEvent, Profile, Resend, encode};

use super::bench::Bench;
use super::receipts;
use super::stories::{HEAD, MARK, Place, TAIL, Tally, right_rule, stories};

/// From the last byte before the job to well behind its fences and questions.
fn every_byte(name: &str, document: &Document) -> Tally {
    let profile = Profile::named(name).unwrap();
    let start = Place::of(&profile, document).start;
    let length = encode(document, &profile).unwrap().bytes().len() as u64;
    stories(&profile, document, start..start + length + 80, right_rule)
}

/// What must hold on a printer that confirms: everybody holds a receipt, nobody two unmarked, the
/// kiosk came to an end and says "printed", and many stories were doubtful on the way.
fn nothing_doubled_nothing_lost(tally: &Tally, at_least_doubtful: u32) {
    let wrong = (tally.unmarked_duplicates, tally.losses, tally.endless);
    assert_eq!(wrong, (0, 0, 0), "{tally:?}");
    assert_eq!(tally.claimed, tally.stories, "{tally:?}");
    assert!(tally.doubtful > at_least_doubtful, "{tally:?}");
}

#[test]
fn power_lost_at_any_byte_doubles_and_loses_nothing_on_an_epson() {
    // Proves: 0 unmarked duplicates, 0 silent losses for a power cut at each byte; process ids.
    let tally = every_byte("epson-t88", &receipts::short());
    nothing_doubled_nothing_lost(&tally, 100);
}

#[test]
fn power_lost_at_any_byte_doubles_and_loses_nothing_on_the_clone() {
    // Proves: the same with nothing but ordered answers, read ahead of the paper.
    let tally = every_byte("xprinter-clone", &receipts::short());
    nothing_doubled_nothing_lost(&tally, 100);
}

#[test]
fn power_lost_at_any_byte_doubles_and_loses_nothing_on_58_mm() {
    // Proves: the same without a blade.
    let tally = every_byte("mm58", &receipts::short());
    nothing_doubled_nothing_lost(&tally, 100);
}

/// Power lost at each byte of a 5 KB receipt.
fn every_byte_of_5_kb(name: &str) -> Tally {
    let profile = Profile::named(name).unwrap();
    let receipt = receipts::five_kb(&profile);
    let length = encode(&receipt, &profile).unwrap().bytes().len();
    assert!((5_000..6_200).contains(&length), "{length} bytes");
    let tally = every_byte(name, &receipt);
    assert_eq!(tally.stories as usize, length + 80);
    tally
}

#[test]
fn power_lost_at_each_byte_of_5_kb_doubles_and_loses_nothing_on_an_epson() {
    // Proves: 0 unmarked duplicates and 0 silent losses with several fences and a process id.
    nothing_doubled_nothing_lost(&every_byte_of_5_kb("epson-t88"), 4_000);
}

#[test]
fn power_lost_at_each_byte_of_5_kb_doubles_and_loses_nothing_on_the_clone() {
    // Proves: the same with nothing but ordered answers.
    nothing_doubled_nothing_lost(&every_byte_of_5_kb("xprinter-clone"), 4_000);
}

#[test]
fn power_lost_at_each_byte_of_5_kb_doubles_and_loses_nothing_on_58_mm() {
    // Proves: the same without a blade.
    nothing_doubled_nothing_lost(&every_byte_of_5_kb("mm58"), 4_000);
}

#[test]
fn power_lost_at_each_byte_of_5_kb_is_never_called_printed_without_a_return_wire() {
    // Proves: tx-only sees nothing, so it claims nothing: no job ends as proven, so no loss is
    // silent, and nothing comes out twice unmarked.
    let tally = every_byte_of_5_kb("tx-only");
    let wrong = (tally.claimed, tally.silent_losses, tally.endless);
    assert_eq!(wrong, (0, 0, 0), "{tally:?}");
    assert_eq!(tally.unmarked_duplicates, 0, "{tally:?}");
    // Receipts were lost, so a claim would have been wrong.
    assert!(tally.losses > 4_000, "{tally:?}");
}

#[test]
fn without_a_return_wire_nothing_is_ever_called_printed() {
    // Proves: tx-only ends as sent, which is no claim.
    let profile = Profile::named("tx-only").unwrap();
    let mut bench = Bench::named("tx-only");
    bench.ready();
    let job = bench.print(&receipts::short(), &profile);
    let end = bench.finish(job, 30_000);
    assert!(
        matches!(
            end,
            PrinterEvent::JobDone {
                evidence: Evidence::Sent {
                    status_clean: false
                },
                ..
            }
        ),
        "{end:?}"
    );
}

#[test]
fn a_kiosk_killed_at_any_byte_leaves_no_torn_command_for_the_next_receipt() {
    // Proves: the start sequence ends whatever command was cut off, closes off the torn paper,
    // and the next receipt comes out whole on a sheet of its own.
    let profile = Profile::default();
    let start = Place::of(&profile, &receipts::short()).start;
    let length = encode(&receipts::short(), &profile).unwrap().bytes().len() as u64;
    for at in (start + 1..start + length).step_by(5) {
        let mut setup = SimConfig::new(profile.clone());
        setup.draws = false;
        setup.baud = 115_200;
        let mut bench = Bench::new(setup);
        bench.ready();
        bench.print(&receipts::short(), &profile);
        assert!(bench.run_until(10_000, |bench| bench.sim.received_bytes() >= at));
        bench.restart_kiosk(&profile);
        bench.ready();
        let job = bench.print(&receipts::short().marked_as_copy(1), &profile);
        let end = bench.finish(job, 30_000);
        assert!(matches!(end, PrinterEvent::JobDone { .. }), "{at}: {end:?}");
        bench.settle();
        let last = bench.sim.sheets().last().unwrap().text();
        assert_eq!(last.matches(MARK).count(), 2, "{at}: {last}");
        let whole = last.contains(HEAD) && last.contains(TAIL) && !last.contains("INTERRUPTED");
        assert!(whole, "{at}: {last}");
    }
}

#[test]
fn answers_owed_to_a_kiosk_that_died_are_not_taken_for_those_to_the_next() {
    // Proves: however many fences the printer still answers when the kiosk comes back, none
    // confirms bytes of the next receipt early: what is called printed has been read to its end,
    // on a printer much slower than its profile says.
    let profile = Profile::default();
    for moment_ms in (200..2_200).step_by(50) {
        for unfinished_job in [true, false] {
            let mut setup = SimConfig::new(profile.clone());
            setup.draws = false;
            setup.baud = 115_200;
            setup.profile.head_mm_per_s = 60;
            let mut bench = Bench::with_driver_profile(setup, profile.clone());
            bench.ready();
            bench.print(&receipts::large(), &profile);
            bench.run_ms(moment_ms);
            bench.restart_kiosk_knowing(&profile, unfinished_job);
            let next = receipts::endless();
            let job = bench.print(&next, &profile);
            let end = bench.finish(job, 200_000);
            let proven = matches!(
                end,
                PrinterEvent::JobDone { evidence, .. } if evidence.is_printed()
            );
            let text = bench.sim.all_text();
            // The head may be a few lines behind what was read.
            assert!(
                !proven || text.contains("220 abc"),
                "{moment_ms} {unfinished_job}: {end:?}\n{text}"
            );
            assert!(proven || bench.outcome(job).is_some());
        }
    }
}

#[test]
fn a_kiosk_that_died_in_the_middle_knows_after_restart_what_it_may_do() {
    // Proves: not started means print, started means marked copy, and a cut counter that went
    // up means printed.
    let record = |started, cuts_before| SpoolRecord {
        started,
        cuts_before,
        cuts: 1,
    };
    assert_eq!(after_restart(&record(false, None), None), Resend::AsIs);
    assert_eq!(
        after_restart(&record(true, None), Some(9)),
        Resend::AsMarkedCopy
    );
    assert_eq!(
        after_restart(&record(true, Some(8)), Some(8)),
        Resend::AsMarkedCopy
    );
    assert_eq!(after_restart(&record(true, Some(8)), Some(9)), Resend::No);
    assert_eq!(
        after_restart(&record(true, Some(8)), None),
        Resend::AsMarkedCopy
    );
}
