//! Power lost at every byte: what is claimed must hold, and no unmarked receipt exists twice.

use hardware::printer::driver::after_restart;
use hardware::printer::driver::{MachineConfig, SpoolRecord, Timing};
use hardware::printer::sim::{Faults, SimConfig};
use hardware::printer::{Document, Evidence, PrinterEvent, Profile, Resend, encode};

use super::bench::Bench;
use super::receipts;

const HEAD: &str = "DAU HOA DON 482";
const TAIL: &str = "CUOI HOA DON 482";
const BETWEEN: [&str; 3] = ["Cà phê sữa đá", "35.000", "64.000"];
const MARK: &str = "BẢN SAO";

/// What the kiosk does after a job ended.
type Rule = fn(&PrinterEvent) -> Resend;

fn right_rule(event: &PrinterEvent) -> Resend {
    event.resend().unwrap_or(Resend::No)
}

/// The rule of tills that print again whenever no proof came.
fn careless_rule(event: &PrinterEvent) -> Resend {
    match event {
        PrinterEvent::JobDone { .. } => Resend::No,
        _ => Resend::AsIs,
    }
}

/// The rule of tills that believe everything sent is printed.
fn trusting_rule(_: &PrinterEvent) -> Resend {
    Resend::No
}

/// What a whole story leaves behind.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tally {
    stories: u32,
    proven: u32,
    doubtful: u32,
    untouched: u32,
    /// Jobs the driver called printed.
    claimed: u32,
    /// Two or more whole unmarked receipts of one sale.
    unmarked_duplicates: u32,
    /// The kiosk is content and nobody holds a whole receipt.
    silent_losses: u32,
}

/// Prints one receipt, cuts the power when the printer has received `at` bytes, lets the kiosk
/// do what `rule` says until it is content, and reads the paper.
fn tell_story(profile: &Profile, document: &Document, at: u64, rule: Rule, tally: &mut Tally) {
    let mut setup = SimConfig::new(profile.clone());
    setup.draws = false;
    setup.baud = 115_200;
    setup.boot_ms = 1_500;
    setup.faults = Faults {
        power_off_at_byte: Some(at),
        power_back_after_ms: Some(500),
        ..Faults::default()
    };
    let mut bench = fast_bench(setup);
    bench.run_until(20_000, |bench| bench.machine.state().can_print());
    let mut copies = 0;
    let mut next = Some(encode(document, profile).unwrap().into_bytes());
    for _ in 0..6 {
        let Some(bytes) = next.take() else { break };
        let job = bench.print_bytes(bytes);
        let end = bench.finish(job, 120_000);
        count(&end, tally);
        next = match rule(&end) {
            Resend::No => None,
            Resend::AsIs => Some(encode(document, profile).unwrap().into_bytes()),
            Resend::AsMarkedCopy => {
                copies += 1;
                let copy = document.marked_as_copy(copies);
                Some(encode(&copy, profile).unwrap().into_bytes())
            }
        };
        bench.run_until(20_000, |bench| bench.machine.state().can_print());
    }
    bench.settle();
    tally.stories += 1;
    judge(&bench.sim.all_text(), tally);
}

/// A bench whose driver knows the speed and whose head is quick, to keep the stories short.
fn fast_bench(mut setup: SimConfig) -> Bench {
    setup.profile.head_mm_per_s = 400;
    let machine_config = MachineConfig {
        handshake: setup.handshake,
        baud: Some(setup.baud),
        timing: Timing::default(),
        unfinished_job: false,
        profile: setup.profile.clone(),
    };
    Bench::with_machine(setup, machine_config)
}

fn count(end: &PrinterEvent, tally: &mut Tally) {
    let printed = |evidence: &Evidence| matches!(evidence, Evidence::Printed(_));
    tally.claimed +=
        u32::from(matches!(end, PrinterEvent::JobDone { evidence, .. } if printed(evidence)));
    match end.resend() {
        Some(Resend::AsIs) => tally.untouched += 1,
        Some(Resend::AsMarkedCopy) => tally.doubtful += 1,
        _ => tally.proven += 1,
    }
}

/// A receipt is whole when its head, its tail and the marks between them are on the paper.
fn judge(paper: &str, tally: &mut Tally) {
    let mut unmarked = 0;
    let mut whole = 0;
    let mut rest = paper;
    while let Some(start) = rest.find(HEAD) {
        let marked = rest[..start]
            .lines()
            .rev()
            .take(2)
            .any(|line| line.contains(MARK));
        let body = &rest[start + HEAD.len()..];
        let end = body.find(HEAD).unwrap_or(body.len());
        if BETWEEN
            .iter()
            .chain([&TAIL])
            .all(|words| body[..end].contains(words))
        {
            whole += 1;
            unmarked += u32::from(!marked);
        }
        rest = body;
    }
    tally.unmarked_duplicates += u32::from(unmarked > 1);
    // Every story ends with the kiosk content, so someone must hold a whole receipt.
    tally.silent_losses += u32::from(whole == 0);
}

fn bytes_before_job(profile: &Profile) -> u64 {
    let mut setup = SimConfig::new(profile.clone());
    setup.draws = false;
    setup.baud = 115_200;
    let mut bench = fast_bench(setup);
    bench.run_until(20_000, |bench| bench.machine.state().can_print());
    bench.sim.received_bytes()
}

fn every_byte(name: &str, document: &Document, stride: usize) -> Tally {
    let profile = Profile::named(name).unwrap();
    let start = bytes_before_job(&profile);
    let length = encode(document, &profile).unwrap().bytes().len() as u64;
    let mut tally = Tally::default();
    // From the last byte before the job to well behind its fences and questions.
    for at in (start..start + length + 80).step_by(stride) {
        tell_story(&profile, document, at, right_rule, &mut tally);
    }
    tally
}

#[test]
fn power_lost_at_any_byte_doubles_and_loses_nothing_on_an_epson() {
    // Proves: 0 unmarked duplicates, 0 silent losses for a power cut at each byte; process ids.
    let tally = every_byte("epson-t88", &receipts::short(), 1);
    assert_eq!(
        (tally.unmarked_duplicates, tally.silent_losses),
        (0, 0),
        "{tally:?}"
    );
    assert!(
        tally.doubtful > 100 && tally.proven >= tally.stories,
        "{tally:?}"
    );
}

#[test]
fn power_lost_at_any_byte_doubles_and_loses_nothing_on_the_clone() {
    // Proves: the same with nothing but ordered answers, read ahead of the paper.
    let tally = every_byte("xprinter-clone", &receipts::short(), 1);
    assert_eq!(
        (tally.unmarked_duplicates, tally.silent_losses),
        (0, 0),
        "{tally:?}"
    );
    assert!(
        tally.doubtful > 100 && tally.proven >= tally.stories,
        "{tally:?}"
    );
}

#[test]
fn power_lost_at_any_byte_doubles_and_loses_nothing_on_58_mm() {
    // Proves: the same without a blade.
    let tally = every_byte("mm58", &receipts::short(), 1);
    assert_eq!(
        (tally.unmarked_duplicates, tally.silent_losses),
        (0, 0),
        "{tally:?}"
    );
}

/// A receipt of 5 KB on this printer, whatever a letter costs there.
fn five_kb(profile: &Profile) -> Document {
    let long = receipts::long();
    let tail = long.blocks().len() - 2;
    let mut receipt = Document::new();
    for block in &long.blocks()[..tail] {
        receipt.push(block.clone());
    }
    let bytes = |receipt: &Document| encode(receipt, profile).unwrap().bytes().len();
    while bytes(&receipt) < 4_980 {
        receipt.pair("Bánh mì thịt nướng", "105.000");
    }
    for block in &long.blocks()[tail..] {
        receipt.push(block.clone());
    }
    receipt
}

/// Power lost at each byte of a 5 KB receipt: nothing doubled, nothing lost, everything said.
fn every_byte_of_5_kb(name: &str) -> Tally {
    let profile = Profile::named(name).unwrap();
    let receipt = five_kb(&profile);
    let length = encode(&receipt, &profile).unwrap().bytes().len();
    assert!((5_000..6_200).contains(&length), "{length} bytes");
    let tally = every_byte(name, &receipt, 1);
    assert_eq!(tally.stories as usize, length + 80);
    assert_eq!(tally.unmarked_duplicates, 0, "{tally:?}");
    tally
}

#[test]
fn power_lost_at_each_byte_of_5_kb_doubles_and_loses_nothing_on_an_epson() {
    // Proves: 0 unmarked duplicates and 0 silent losses with several fences and a process id.
    let tally = every_byte_of_5_kb("epson-t88");
    assert_eq!(tally.silent_losses, 0, "{tally:?}");
    assert!(
        tally.doubtful > 4_000 && tally.proven >= tally.stories,
        "{tally:?}"
    );
}

#[test]
fn power_lost_at_each_byte_of_5_kb_doubles_and_loses_nothing_on_the_clone() {
    // Proves: the same with nothing but ordered answers.
    let tally = every_byte_of_5_kb("xprinter-clone");
    assert_eq!(tally.silent_losses, 0, "{tally:?}");
    assert!(
        tally.doubtful > 4_000 && tally.proven >= tally.stories,
        "{tally:?}"
    );
}

#[test]
fn power_lost_at_each_byte_of_5_kb_doubles_and_loses_nothing_on_58_mm() {
    // Proves: the same without a blade.
    let tally = every_byte_of_5_kb("mm58");
    assert_eq!(tally.silent_losses, 0, "{tally:?}");
    assert!(
        tally.doubtful > 4_000 && tally.proven >= tally.stories,
        "{tally:?}"
    );
}

#[test]
fn power_lost_at_each_byte_of_5_kb_is_never_called_printed_without_a_return_wire() {
    // Proves: tx-only sees nothing, so it claims nothing: no job ends as proven, so no loss is
    // silent, and nothing comes out twice unmarked.
    let tally = every_byte_of_5_kb("tx-only");
    assert_eq!(tally.claimed, 0, "{tally:?}");
}

#[test]
fn without_a_return_wire_nothing_is_ever_called_printed() {
    // Proves: tx-only cannot see a power cut, so it claims nothing, and doubles nothing.
    let profile = Profile::named("tx-only").unwrap();
    let start = bytes_before_job(&profile);
    let mut tally = Tally::default();
    for at in (start..start + 600).step_by(7) {
        tell_story(&profile, &receipts::short(), at, right_rule, &mut tally);
    }
    assert_eq!(tally.unmarked_duplicates, 0, "{tally:?}");
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
fn the_same_stories_catch_wrong_rules() {
    // Proves: the tests above can fail; printing again unmarked doubles receipts, believing
    // what was sent loses them.
    let profile = Profile::default();
    let start = bytes_before_job(&profile);
    let length = encode(&receipts::short(), &profile).unwrap().bytes().len() as u64;
    let mut careless = Tally::default();
    for at in start + length..start + length + 30 {
        tell_story(
            &profile,
            &receipts::short(),
            at,
            careless_rule,
            &mut careless,
        );
    }
    assert!(careless.unmarked_duplicates > 0, "{careless:?}");
    let mut trusting = Tally::default();
    for at in (start + 10..start + length).step_by(101) {
        tell_story(
            &profile,
            &receipts::short(),
            at,
            trusting_rule,
            &mut trusting,
        );
    }
    assert!(trusting.silent_losses > 0, "{trusting:?}");
}

#[test]
fn a_kiosk_killed_at_any_byte_leaves_no_torn_command_for_the_next_receipt() {
    // Proves: the start sequence ends whatever command was cut off, closes off the torn paper,
    // and the next receipt comes out whole on a sheet of its own.
    let profile = Profile::default();
    let start = bytes_before_job(&profile);
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
