//! The unmodified serial driver against the simulated scanner.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{BufReader, Cursor};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use hardware::scanner::{
    DownReason, Fault, FrameSettings, ScannerConfig, ScannerDriver, ScannerEvent, ScannerHandle,
    ScannerSim, SerialSettings, SimCommand, sim,
};
use tempfile::TempDir;

const PATIENCE: Duration = Duration::from_secs(60);

struct Bench {
    _folder: TempDir,
    link: PathBuf,
    events: Receiver<ScannerEvent>,
    _driver: ScannerHandle,
}

fn driver_on(folder: TempDir) -> Bench {
    let link = folder.path().join("scanner");
    let (sender, events) = sync_channel(64);
    let config = ScannerConfig::Serial(SerialSettings {
        path: link.clone(),
        // Between two bytes of a simulator's thread a busy machine may do something else.
        frame: FrameSettings {
            inter_character_timeout_ms: 3_000,
            ..FrameSettings::default()
        },
        ..SerialSettings::default()
    });
    let driver = ScannerDriver::spawn(config, move |event| {
        let _ = sender.send(event);
    })
    .unwrap();
    Bench {
        _folder: folder,
        link,
        events,
        _driver: driver,
    }
}

impl Bench {
    fn next(&self) -> ScannerEvent {
        self.events.recv_timeout(PATIENCE).unwrap()
    }

    fn until_up(&self) {
        while self.next() != ScannerEvent::Up {}
    }
}

fn scan(data: &str) -> ScannerEvent {
    ScannerEvent::Scan {
        symbology: None,
        data: data.into(),
    }
}

#[test]
fn a_line_written_from_outside_is_a_scan() {
    // Proves that anybody can scan by writing a line into <link>.in, as with `echo`.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let sim = ScannerSim::spawn(&link).unwrap();
    let bench = driver_on(folder);
    bench.until_up();
    assert_eq!(sim.inlet(), sim::inlet_path(&bench.link));
    fs::write(sim.inlet(), "8934563138165\n").unwrap();
    assert_eq!(bench.next(), scan("8934563138165"));
    fs::write(sim.inlet(), "]E08935049501503\n40\\x1d52\n").unwrap();
    assert_eq!(
        bench.next(),
        ScannerEvent::Scan {
            symbology: Some("]E0".into()),
            data: "8935049501503".into()
        }
    );
    assert_eq!(bench.next(), scan("40\u{1d}52"));
}

#[test]
fn the_port_itself_takes_barcodes_when_shared() {
    // Proves that a line written into the kiosk's own port is a scan too, once, without echo.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let _sim = ScannerSim::spawn(&link).unwrap();
    let (sender, events) = sync_channel(64);
    let config = ScannerConfig::Serial(SerialSettings {
        path: link.clone(),
        exclusive: false,
        ..SerialSettings::default()
    });
    let _driver = ScannerDriver::spawn(config, move |event| {
        let _ = sender.send(event);
    })
    .unwrap();
    assert_eq!(events.recv_timeout(PATIENCE).unwrap(), ScannerEvent::Up);
    fs::write(&link, "777\n").unwrap();
    assert_eq!(events.recv_timeout(PATIENCE).unwrap(), scan("777"));
    fs::write(&link, "778\n").unwrap();
    assert_eq!(events.recv_timeout(PATIENCE).unwrap(), scan("778"));
}

#[test]
fn the_scanner_may_come_late_vanish_and_come_back() {
    // Proves Down with a reason before the device exists, Up when it comes, and recovery after an unplug.
    let bench = driver_on(tempfile::tempdir().unwrap());
    assert!(matches!(
        bench.next(),
        ScannerEvent::Down {
            why: DownReason::NotFound { .. }
        }
    ));
    let mut sim = ScannerSim::spawn(&bench.link).unwrap();
    bench.until_up();
    sim.scan("111").unwrap();
    assert_eq!(bench.next(), scan("111"));
    sim.send(SimCommand::Raw(b"half".to_vec())).unwrap();
    sim.send(SimCommand::Unplug(Duration::from_millis(50)))
        .unwrap();
    let mut events = Vec::new();
    while events.last() != Some(&ScannerEvent::Up) {
        events.push(bench.next());
    }
    assert!(
        events
            .iter()
            .any(|event| matches!(event, ScannerEvent::Down { .. })),
        "{events:?}"
    );
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, ScannerEvent::Scan { .. }))
    );
    sim.scan("222").unwrap();
    assert_eq!(bench.next(), scan("222"));
}

#[test]
fn faults_of_the_line_are_typed_and_survived() {
    // Proves that noise, half frames, split bytes and double reads each give what a person would expect.
    let folder = tempfile::tempdir().unwrap();
    let mut sim = ScannerSim::spawn(&folder.path().join("scanner")).unwrap();
    let bench = driver_on(folder);
    bench.until_up();
    sim.send(SimCommand::Noise).unwrap();
    sim.scan("1").unwrap();
    assert_eq!(
        bench.next(),
        ScannerEvent::Refused {
            why: Fault::ControlCharacter {
                code: 0x7F,
                offset: 0
            }
        }
    );
    assert_eq!(bench.next(), scan("1"));
    sim.send(SimCommand::Split(Duration::from_millis(1)))
        .unwrap();
    sim.scan("8934563138165").unwrap();
    assert_eq!(bench.next(), scan("8934563138165"));
    sim.send(SimCommand::Twice).unwrap();
    sim.scan("2").unwrap();
    assert_eq!((bench.next(), bench.next()), (scan("2"), scan("2")));
    sim.send(SimCommand::Raw(b"893".to_vec())).unwrap();
    assert_eq!(
        bench.next(),
        ScannerEvent::Refused {
            why: Fault::Incomplete { got_bytes: 3 }
        }
    );
    sim.send(SimCommand::Suffix(b"\r\n".to_vec())).unwrap();
    sim.send(SimCommand::Aim("]E0".into())).unwrap();
    sim.scan("3").unwrap();
    sim.scan("4").unwrap();
    for data in ["3", "4"] {
        assert_eq!(
            bench.next(),
            ScannerEvent::Scan {
                symbology: Some("]E0".into()),
                data: data.into()
            }
        );
    }
}

#[test]
fn lines_of_an_input_drive_the_simulator() {
    // Proves that run() feeds lines, skips what it cannot read, ends on !quit and removes its links.
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("scanner");
    let (sender, lines) = std::io::pipe()
        .map(|(reader, writer)| (writer, reader))
        .unwrap();
    let sim_link = link.clone();
    let sim = std::thread::spawn(move || ScannerSim::run(&sim_link, BufReader::new(lines)));
    let bench = driver_on(folder);
    bench.until_up();
    let mut sender = sender;
    std::io::Write::write_all(&mut sender, b"!nonsense\n\\q\n\n555\n").unwrap();
    assert_eq!(bench.next(), scan("555"));
    std::io::Write::write_all(&mut sender, b"!quit\n").unwrap();
    drop(sender);
    sim.join().unwrap().unwrap();
    assert!(fs::symlink_metadata(&link).is_err());
    assert!(matches!(bench.next(), ScannerEvent::Down { .. }));
}

#[test]
fn a_real_file_is_never_replaced_by_the_link() {
    // Proves that the simulator refuses to put its link over a file.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scanner");
    fs::write(&path, "precious").unwrap();
    let error = ScannerSim::run(&path, Cursor::new("")).unwrap_err();
    assert!(error.to_string().contains("scanner"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}
