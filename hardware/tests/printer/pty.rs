//! The real driver thread against the simulator behind a pseudo-terminal, in real time.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use hardware::printer::driver::Timing;
use hardware::printer::sim::{PrinterSim, SimConfig};
use hardware::printer::{
    Evidence, JobId, NoSpool, PrinterConfig, PrinterDriver, PrinterEvent, PrinterState, Profile,
    ProofGrade, encode,
};

use super::receipts;

const PATIENCE: Duration = Duration::from_secs(60);

/// A printer that answers late because the machine is busy is not a dead one. How soon a dead one
/// is known is proven in simulated time.
fn patient() -> Timing {
    Timing {
        answer_ms: 5_000,
        idle_answer_ms: 5_000,
        preflight_ms: 30_000,
        fence_ms: 30_000,
        ..Timing::default()
    }
}

fn wait_for(
    events: &Receiver<PrinterEvent>,
    wanted: impl Fn(&PrinterEvent) -> bool,
) -> PrinterEvent {
    loop {
        let event = events.recv_timeout(PATIENCE).unwrap();
        if wanted(&event) {
            return event;
        }
    }
}

#[test]
fn the_driver_thread_prints_a_proven_receipt_and_the_picture_scans() {
    // Proves: serial port, thread, machine and simulator work together; the paper is saved as a
    // picture with the right words; a pulled cable is reported and the printer comes back.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let paper = folder.path().join("paper");
    let profile = Profile {
        // Faster than a real line, so that the test is short.
        baud: 115_200,
        head_mm_per_s: 400,
        ..Profile::default()
    };
    let printer =
        PrinterSim::run_on_pty(&link, &paper, profile.clone(), Default::default()).unwrap();
    let (sender, events) = channel();
    let config = PrinterConfig {
        timing: patient(),
        ..PrinterConfig::new(&link, profile.clone())
    };
    let driver = PrinterDriver::spawn(config, move |event| drop(sender.send(event))).unwrap();
    wait_for(&events, |event| {
        *event == PrinterEvent::State(PrinterState::Ready)
    });
    let bytes = encode(&receipts::rich(), &profile).unwrap().into_bytes();
    driver.print(JobId(7), bytes, NoSpool);
    let done = wait_for(&events, |event| event.resend().is_some());
    assert_eq!(
        done,
        PrinterEvent::JobDone {
            job: JobId(7),
            evidence: Evidence::Printed(ProofGrade::Fence)
        }
    );
    printer.wait_for_sheets(1, PATIENCE);
    drop(printer);
    wait_for(&events, |event| {
        matches!(event, PrinterEvent::State(PrinterState::Offline(_)))
    });
    let saved = std::fs::read_to_string(paper.join("paper-001.txt")).unwrap();
    assert!(saved.contains("Cà phê sữa đá"), "{saved}");
    assert!(
        std::fs::metadata(paper.join("paper-001.png"))
            .unwrap()
            .len()
            > 1_000
    );
    let again = SimConfig::new(profile);
    let _printer = PrinterSim::run_config_on_pty(&link, None, again).unwrap();
    wait_for(&events, |event| {
        *event == PrinterEvent::State(PrinterState::Ready)
    });
    driver.stop();
}

/// What the scheduler has accounted this thread: running, and ready to run while others ran.
/// Nothing where the system keeps no such account.
fn accounted() -> Duration {
    let account = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let parts = account.split_whitespace().take(2);
    Duration::from_nanos(parts.map(|part| part.parse::<u64>().unwrap()).sum())
}

/// Makes a call and checks that it waited no longer than 50 ms for anything: a processor that is
/// busy with something else is not the call's own waiting.
fn never_blocks<T>(what: &str, call: impl FnOnce() -> T) -> T {
    let before = accounted();
    let start = std::time::Instant::now();
    let result = call();
    let took = start.elapsed();
    let blocked = took.saturating_sub(accounted().saturating_sub(before));
    assert!(
        blocked < Duration::from_millis(50),
        "{what} blocked {blocked:?} of {took:?}"
    );
    result
}

#[test]
fn no_call_blocks_while_nobody_reads() {
    // Proves: with a host buffer that never empties (CTS low), no write, read or close of the
    // port blocks longer than 50 ms, the count of written bytes is exact, and neither do the
    // calls of a caller.
    let pty = hardware::port::Pty::open().unwrap();
    let settings = hardware::port::SerialSettings::new(pty.path(), 9_600);
    let mut link = hardware::port::SerialLink::open(&settings).unwrap();
    let mut written = 0;
    for _ in 0..200 {
        written += never_blocks("write", || link.try_write(&[b'x'; 4_096]).unwrap());
    }
    // 800 KB were offered; a terminal holds some kilobytes.
    assert!(written < 100_000, "{written} bytes");
    let read = never_blocks("read", || link.try_read(&mut [0; 64]).unwrap());
    assert_eq!(read, 0);
    never_blocks("close", || drop(link));
    let mut arrived = 0;
    let mut buffer = [0; 4_096];
    while let Ok(count @ 1..) = pty.try_read(&mut buffer) {
        arrived += count;
    }
    // What was not read is thrown away on closing, never delivered later.
    assert!(arrived <= written, "{arrived} of {written}");

    let config = PrinterConfig::new(pty.path(), Profile::default());
    let driver = PrinterDriver::spawn(config, |_| {}).unwrap();
    never_blocks("the calls of a caller", || {
        for job in 0..8 {
            driver.print(JobId(job), vec![b'x'; 5_000], NoSpool);
        }
        driver.open_drawer();
        driver.cancel(JobId(3));
    });
    driver.stop();
}

#[test]
fn a_printer_without_a_blade_saves_its_receipt_when_the_shopper_tears_it_off() {
    // Proves: 58 mm paper is saved too, though nothing ever cuts it.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("printer");
    let profile = Profile {
        baud: 115_200,
        head_mm_per_s: 400,
        ..Profile::named("mm58").unwrap()
    };
    let printer =
        PrinterSim::run_on_pty(&link, folder.path(), profile.clone(), Default::default()).unwrap();
    let (sender, events) = channel();
    let config = PrinterConfig {
        baud: Some(115_200),
        timing: patient(),
        ..PrinterConfig::new(&link, profile.clone())
    };
    let driver = PrinterDriver::spawn(config, move |event| drop(sender.send(event))).unwrap();
    let bytes = encode(&receipts::short(), &profile).unwrap().into_bytes();
    driver.print(JobId(1), bytes, NoSpool);
    let done = wait_for(&events, |event| event.resend().is_some());
    assert!(matches!(done, PrinterEvent::JobDone { .. }), "{done:?}");
    printer.wait_for_sheets(1, PATIENCE);
    let saved = std::fs::read_to_string(folder.path().join("paper-001.txt")).unwrap();
    assert!(saved.contains("CUOI HOA DON 482"), "{saved}");
}
