//! Cable, speed, handshake and answers going wrong, one at a time.

use hardware::printer::doctor::Finding;
use hardware::printer::driver::MachineConfig;
use hardware::printer::profile::Handshake;
use hardware::printer::sim::{Faults, SimConfig};
use hardware::printer::{
    Document, Doubt, Evidence, OfflineReason, PrinterEvent, PrinterState, Profile, ProofGrade,
    encode,
};

use super::bench::{Bench, config, in_doubt, unsent};
use super::receipts;

/// A driver that was told its speed.
fn at_speed(setup: &SimConfig, baud: u32) -> MachineConfig {
    MachineConfig {
        handshake: setup.handshake,
        baud: Some(baud),
        timing: Default::default(),
        unfinished_job: false,
        profile: setup.profile.clone(),
    }
}

#[test]
fn ten_seconds_without_paper_in_11_kb_lose_not_one_byte_on_three_wires() {
    // Proves: with no handshake wire at all, fence credit keeps the buffer from overflowing while
    // the roll is changed; every line comes out once and in order.
    let mut setup = config("xprinter-clone");
    setup.baud = 115_200;
    setup.faults.paper_left_mm = Some(200);
    let mut bench = Bench::new(setup);
    bench.run_until(10_000, |bench| bench.machine.state().can_print());
    let bytes = encode(&receipts::endless(), &Profile::default())
        .unwrap()
        .into_bytes();
    assert!(bytes.len() > 10_500);
    let job = bench.print_bytes(bytes);
    assert!(bench.run_until(20_000, |bench| bench.machine.state()
        == PrinterState::PaperOut));
    bench.run_ms(10_000);
    bench.sim.load_paper(80_000);
    let outcome = bench.finish(job, 60_000);
    bench.settle();
    assert_eq!(bench.sim.overflowed_bytes(), 0);
    let text = bench.sim.sheets()[0].text();
    for line in 0..230 {
        assert_eq!(
            text.matches(&format!("{line:03} abc")).count(),
            1,
            "line {line}"
        );
    }
    // The clone cannot prove that it lost nothing, so nothing more is claimed.
    let doubt = in_doubt(&outcome, Doubt::Interrupted);
    assert!(doubt, "{outcome:?}");
}

#[test]
fn without_flow_control_the_same_job_would_lose_bytes() {
    // Proves: the test above can fail; a driver that believes in a huge buffer overflows it.
    let mut setup = config("xprinter-clone");
    setup.baud = 115_200;
    setup.faults.paper_left_mm = Some(200);
    let mut careless = setup.profile.clone();
    careless.buffer_bytes = 1 << 20;
    careless.credit_bytes = 1 << 19;
    let mut bench = Bench::with_driver_profile(setup, careless);
    bench.run_until(10_000, |bench| bench.machine.state().can_print());
    bench.print(&receipts::endless(), &Profile::default());
    bench.run_ms(10_000);
    assert!(bench.sim.overflowed_bytes() > 0);
}

#[test]
fn a_dead_printer_is_noticed_within_a_second_and_a_half() {
    // Proves: at whatever moment between two questions the power goes, silence is reported as no
    // answer, not as fine, in the time reference section 11 asks for.
    for moment_ms in (0..600).step_by(20) {
        let mut bench = Bench::named("xprinter-clone");
        bench.ready();
        bench.run_ms(moment_ms);
        bench.sim.power_off();
        let gone =
            |bench: &Bench| bench.machine.state() == PrinterState::Offline(OfflineReason::NoAnswer);
        assert!(bench.run_until(1_500, gone), "off after {moment_ms} ms");
        bench.sim.power_on();
        bench.ready();
    }
}

#[test]
fn a_printer_that_was_never_on_is_known_dead_within_one_and_a_half_seconds() {
    // Proves: at the configured speed nobody's answer is missed for longer than 1.5 s.
    let setup = config("xprinter-clone");
    let machine = at_speed(&setup, setup.baud);
    let mut bench = Bench::with_machine(setup, machine);
    bench.sim.power_off();
    let dead =
        |bench: &Bench| bench.machine.state() == PrinterState::Offline(OfflineReason::NoAnswer);
    assert!(bench.run_until(1_500, dead), "{:?}", bench.events);
}

#[test]
fn a_printer_at_another_speed_is_known_dead_within_one_and_a_half_seconds() {
    // Proves: with a wrong speed configured, whichever it is, nobody's answer is missed for
    // longer than 1.5 s, nothing is printed, and a job fails with nothing sent.
    let speeds = [9_600, 19_200, 38_400, 115_200];
    for (configured, actual) in speeds.iter().flat_map(|a| speeds.map(|b| (*a, b))) {
        if configured == actual {
            continue;
        }
        let mut setup = config("xprinter-clone");
        setup.baud = actual;
        let machine = at_speed(&setup, configured);
        let mut bench = Bench::with_machine(setup, machine);
        let dead =
            |bench: &Bench| bench.machine.state() == PrinterState::Offline(OfflineReason::NoAnswer);
        assert!(bench.run_until(1_500, dead), "{configured} {actual}");
        let job = bench.print(&receipts::short(), &Profile::default());
        let end = bench.finish(job, 1_500);
        let unsent = unsent(&end);
        assert!(unsent, "{configured} {actual}: {end:?}");
        assert!(!bench.sim.all_text().contains("HOA DON"));
    }
}

#[test]
fn status_is_answered_within_15_ms_at_9600_baud() {
    // Proves: from the first byte of a question on the line to its whole answer: 3 bytes out
    // and 1 back take 4.2 ms, and nothing adds more than the target allows.
    let mut setup = config("mm58");
    setup.baud = 9_600;
    let byte_us = 10_000_000 / 9_600;
    let mut sim = hardware::printer::sim::PrinterSim::new(setup);
    for question in 1..=4u8 {
        let mut now_us = 1_000_000 * u64::from(question);
        let asked_us = now_us;
        for byte in [0x10, 0x04, question] {
            now_us += byte_us;
            sim.receive(now_us, byte);
        }
        let mut answer = Vec::new();
        while answer.is_empty() && now_us < asked_us + 15_000 {
            now_us += 100;
            sim.advance(now_us);
            answer = sim.take_replies(now_us);
        }
        assert_eq!(answer, [0x12], "question {question}");
    }
}

#[test]
fn a_port_that_hides_its_backlog_does_not_make_the_printer_look_silent() {
    // Proves: on a port that never admits to unsent bytes, a full credit on a slow line does not
    // leave the status questions behind it unanswered: no doubt, and every line is on paper.
    for baud in [9_600, 19_200] {
        let profile = Profile {
            baud,
            ..Profile::default()
        };
        let mut bench = Bench::new(SimConfig::new(profile));
        bench.hides_backlog = true;
        bench.ready();
        let job = bench.print(&receipts::large(), &Profile::default());
        let done = bench.finish(job, 120_000);
        let evidence = Evidence::Printed(ProofGrade::Fence);
        assert_eq!(done, PrinterEvent::JobDone { job, evidence }, "{baud} baud");
        bench.settle();
        assert_eq!(bench.sim.overflowed_bytes(), 0);
    }
}

#[test]
fn silent_fences_are_named_and_nothing_is_claimed() {
    // Proves: with DSR unwired status answers but fences do not; the doctor says so, receipts
    // still print, and they are not called proven.
    let mut setup = config("xprinter-clone");
    setup.faults.silent_fences = true;
    let mut bench = Bench::new(setup);
    bench.ready();
    assert!(
        bench
            .events
            .contains(&PrinterEvent::Finding(Finding::FenceSilent))
    );
    let job = bench.print(&receipts::large(), &Profile::default());
    let done = bench.finish(job, 60_000);
    let evidence = Evidence::Unverified { status_clean: true };
    assert_eq!(done, PrinterEvent::JobDone { job, evidence });
    bench.settle();
    assert_eq!(bench.sim.overflowed_bytes(), 0);
    assert_eq!(bench.sim.sheets().len(), 1);
}

/// One line and a cut: less than the system's own buffer holds.
fn slip() -> Document {
    let mut slip = Document::new();
    slip.text("Phiếu 482").cut();
    slip
}

#[test]
fn what_a_printer_that_cannot_answer_was_sent_is_sent_and_not_in_doubt() {
    // Proves: where nothing can be known and nothing went wrong, the end is "sent", apart from
    // every doubt; with a status and no fence it is "sent, no fault reported".
    let mut bench = Bench::named("tx-only");
    assert!(!Profile::named("tx-only").unwrap().confirms());
    bench.ready();
    for _ in 0..3 {
        let job = bench.print(&receipts::short(), &Profile::named("tx-only").unwrap());
        let evidence = Evidence::Sent {
            status_clean: false,
        };
        let end = bench.finish(job, 20_000);
        assert_eq!(end, PrinterEvent::JobDone { job, evidence });
        assert!(!evidence.is_printed());
    }
    let mut half = Profile::default();
    half.answers.fence = false;
    let mut bench = Bench::new(SimConfig::new(half.clone()));
    bench.ready();
    let job = bench.print(&receipts::short(), &half);
    let evidence = Evidence::Sent { status_clean: true };
    let end = bench.finish(job, 20_000);
    assert_eq!(end, PrinterEvent::JobDone { job, evidence });
    // The same printer with the paper out in the middle is in doubt.
    let job = bench.print(&receipts::large(), &half);
    bench.run_ms(1_500);
    bench.sim.remove_paper();
    bench.run_ms(2_000);
    bench.sim.load_paper(80_000);
    let end = bench.finish(job, 60_000);
    let doubt = Doubt::Interrupted;
    assert!(
        matches!(&end, PrinterEvent::JobUnknown { doubt: why, .. } if *why == doubt),
        "{end:?}"
    );
}

#[test]
fn what_still_lies_in_the_host_is_not_sent() {
    // Proves: a job that fits the system's buffer is not called sent while the line stands still;
    // a short pause changes nothing, a long one is doubt, and so is a pulled cable.
    let profile = Profile::named("tx-only").unwrap();
    let mut bench = Bench::named("tx-only");
    bench.ready();
    bench.stuck = true;
    let job = bench.print(&slip(), &profile);
    bench.run_ms(350);
    assert_eq!(bench.outcome(job), None);
    bench.stuck = false;
    let end = bench.finish(job, 5_000);
    let evidence = Evidence::Sent {
        status_clean: false,
    };
    assert_eq!(end, PrinterEvent::JobDone { job, evidence });
    assert!(bench.sim.all_text().contains("Phiếu 482"));

    bench.stuck = true;
    let job = bench.print(&slip(), &profile);
    bench.run_ms(5_000);
    assert_eq!(bench.outcome(job), None);
    bench.stuck = false;
    let end = bench.finish(job, 5_000);
    assert!(matches!(end, PrinterEvent::JobUnknown { .. }), "{end:?}");

    bench.stuck = true;
    let job = bench.print(&slip(), &profile);
    bench.run_ms(300);
    bench.unplug();
    let end = bench.finish(job, 100);
    assert!(matches!(end, PrinterEvent::JobUnknown { .. }), "{end:?}");
}

#[test]
fn process_ids_that_never_come_lower_the_proof_instead_of_losing_it() {
    // Proves: a printer sold as Epson without GS ( H still prints with a fence and counter proof.
    let mut setup = config("epson-t88");
    setup.faults = Faults {
        silent_process_ids: true,
        ..Faults::default()
    };
    let profile = setup.profile.clone();
    let mut bench = Bench::new(setup);
    bench.ready();
    let job = bench.print(&receipts::short(), &profile);
    let done = bench.finish(job, 60_000);
    let evidence = Evidence::Printed(ProofGrade::FenceAndCounter);
    assert_eq!(done, PrinterEvent::JobDone { job, evidence });
    assert!(
        bench
            .events
            .contains(&PrinterEvent::Finding(Finding::ProcessIdSilent))
    );
}

#[test]
fn the_right_speed_is_found_by_itself() {
    // Proves: a printer set to any usual speed is found without configuration.
    for baud in [9_600, 19_200, 38_400, 115_200] {
        let mut setup = config("xprinter-clone");
        setup.baud = baud;
        let mut bench = Bench::new(setup);
        bench.ready();
        assert_eq!(bench.machine.baud(), baud);
    }
}

#[test]
fn xon_xoff_and_line_handshake_hold_the_driver_without_losing_a_byte() {
    // Proves: a small buffer and either handshake: every line arrives, nothing overflows, with
    // fences silent so that only the handshake can hold the driver.
    for handshake in [Handshake::XonXoff, Handshake::Lines] {
        let mut setup = config("xprinter-clone");
        setup.handshake = handshake;
        setup.baud = 115_200;
        setup.profile.head_mm_per_s = 60;
        setup.faults.silent_fences = true;
        let mut bench = Bench::with_driver_profile(
            setup,
            Profile {
                handshake,
                ..Profile::default()
            },
        );
        bench.ready();
        let job = bench.print(&receipts::endless(), &Profile::default());
        let done = bench.finish(job, 120_000);
        assert!(
            matches!(done, PrinterEvent::JobDone { .. }),
            "{handshake:?} {done:?}"
        );
        bench.settle();
        assert_eq!(bench.sim.overflowed_bytes(), 0, "{handshake:?}");
        let text = bench.sim.all_text();
        assert!((0..230).all(|line| text.matches(&format!("{line:03} abc")).count() == 1));
    }
}
