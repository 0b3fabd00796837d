//! The thread on a serial port whose handshake holds it: the kernel's buffer, a printer behind
//! it and a clock that only sleeping moves, so that what the thread would wait for is counted and
//! not measured.
#![allow(clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::mpsc::{Sender, channel};

use super::super::super::encode::encode;
use super::super::super::profile::Profile;
use super::super::super::sim::{PrinterSim, SimConfig};
use super::super::{Command, Evidence, NoSpool, PrinterState};
use super::*;
use crate::printer::{Doubt, ProofGrade};

/// Bytes the kernel's serial core holds for a port (one page).
const KERNEL_BYTES: usize = 4_096;
/// The kernel calls a terminal writable below this many waiting bytes, and only then.
const WRITABLE_BELOW: usize = 256;

/// The line between the kernel and the printer, and what the thread asked of it.
struct Line {
    now_us: u64,
    sim: PrinterSim,
    open: bool,
    /// CTS low, whatever the printer says.
    held: bool,
    kernel: VecDeque<u8>,
    byte_us: u64,
    free_at_us: u64,
    heard: VecDeque<u8>,
    /// Sleeps asked for, in milliseconds, and how many of them passed no time.
    sleeps: Vec<u64>,
    sleepless: u32,
    writes: u32,
    most_waiting: usize,
    /// When the last full status question was handed over, and how many answers have come.
    asked: Option<(u64, usize)>,
    /// How long each took until the thread had the last of its four answers, in microseconds.
    rounds_us: Vec<u64>,
}

impl Line {
    fn clear_to_send(&self) -> bool {
        !self.held && !self.sim.is_holding()
    }

    /// A millisecond: what the line carries, what the printer does and says.
    fn tick(&mut self) {
        self.now_us += 1_000;
        // An idle line starts with the tick; a busy one keeps the part of a byte it was at.
        let earliest_us = self.now_us.saturating_sub(1_000 + self.byte_us);
        self.free_at_us = self.free_at_us.max(earliest_us);
        while self.free_at_us + self.byte_us <= self.now_us && self.clear_to_send() {
            let Some(byte) = self.kernel.pop_front() else {
                break;
            };
            self.free_at_us += self.byte_us;
            self.sim.receive(self.free_at_us, byte);
        }
        self.sim.advance(self.now_us);
        let said = self.sim.take_replies(self.now_us);
        if self.open {
            self.heard.extend(said);
        }
    }

    fn is_writable(&self) -> bool {
        self.kernel.len() < WRITABLE_BELOW
    }
}

#[derive(Clone)]
struct Port(Rc<RefCell<Line>>);

impl Link for Port {
    fn try_read(&mut self, buffer: &mut [u8]) -> Result<usize, PortError> {
        let mut line = self.0.borrow_mut();
        let count = buffer.len().min(line.heard.len());
        let now_us = line.now_us;
        if let Some((asked_us, answers)) = &mut line.asked {
            *answers += count;
            if *answers >= 4 {
                let took_us = now_us - *asked_us;
                line.asked = None;
                line.rounds_us.push(took_us);
            }
        }
        for (slot, byte) in buffer.iter_mut().zip(line.heard.drain(..count)) {
            *slot = byte;
        }
        Ok(count)
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, PortError> {
        let mut line = self.0.borrow_mut();
        let count = bytes.len().min(KERNEL_BYTES - line.kernel.len());
        line.kernel.extend(&bytes[..count]);
        line.writes += 1;
        if bytes == crate::printer::protocol::ASK_STATUS {
            line.asked = Some((line.now_us, 0));
        }
        line.most_waiting = line.most_waiting.max(line.kernel.len());
        Ok(count)
    }

    fn unsent_bytes(&self) -> usize {
        self.0.borrow().kernel.len()
    }

    fn clear_to_send(&self) -> Option<bool> {
        Some(self.0.borrow().clear_to_send())
    }

    fn discard_buffers(&self) {
        let mut line = self.0.borrow_mut();
        line.kernel.clear();
        line.heard.clear();
    }
}

impl World for Port {
    type Link = Self;

    fn now_ms(&self) -> u64 {
        self.0.borrow().now_us / 1_000
    }

    fn open(&mut self, _settings: &SerialSettings) -> Result<Self, PortError> {
        let mut line = self.0.borrow_mut();
        line.open = true;
        line.kernel.clear();
        line.heard.clear();
        drop(line);
        Ok(self.clone())
    }

    fn sleep(&mut self, link: Option<&Self>, for_write: bool, timeout_ms: u64) {
        let mut line = self.0.borrow_mut();
        line.sleeps.push(timeout_ms);
        let end_us = line.now_us + timeout_ms * 1_000;
        let wakes = |line: &Line| {
            link.is_some() && (!line.heard.is_empty() || for_write && line.is_writable())
        };
        if wakes(&line) || timeout_ms == 0 {
            line.sleepless += 1;
        }
        while line.now_us < end_us && !wakes(&line) {
            line.tick();
        }
    }
}

/// The thread's loop, turned by hand.
struct Stage {
    line: Rc<RefCell<Line>>,
    worker: Worker<Box<dyn FnMut(PrinterEvent)>, Port>,
    commands: Sender<Command>,
    events: Rc<RefCell<Vec<PrinterEvent>>>,
    profile: Profile,
}

impl Stage {
    /// An Epson on a cable with handshake wires, at the speed it leaves the factory with.
    fn new() -> Self {
        Self::with(Profile::named("epson-t88").unwrap())
    }

    fn with(profile: Profile) -> Self {
        let setup = SimConfig {
            draws: false,
            ..SimConfig::new(profile.clone())
        };
        let sim = PrinterSim::new(setup);
        let line = Rc::new(RefCell::new(Line {
            now_us: 0,
            byte_us: sim.byte_us(),
            sim,
            open: false,
            held: false,
            kernel: VecDeque::new(),
            free_at_us: 0,
            heard: VecDeque::new(),
            sleeps: Vec::new(),
            sleepless: 0,
            writes: 0,
            most_waiting: 0,
            asked: None,
            rounds_us: Vec::new(),
        }));
        let events = Rc::new(RefCell::new(Vec::new()));
        let (commands, receiver) = channel();
        let listener = Rc::clone(&events);
        let config = PrinterConfig {
            baud: Some(profile.baud),
            ..PrinterConfig::new("/dev/held", profile.clone())
        };
        let tell: Box<dyn FnMut(PrinterEvent)> =
            Box::new(move |event| listener.borrow_mut().push(event));
        Self {
            worker: Worker::new(config, receiver, Port(Rc::clone(&line)), tell),
            line,
            commands,
            events,
            profile,
        }
    }

    fn turn_until(&mut self, limit_ms: u64, done: impl Fn(&Self) -> bool) -> bool {
        let end_us = self.line.borrow().now_us + limit_ms * 1_000;
        while !done(self) && self.line.borrow().now_us < end_us {
            assert!(self.worker.turn());
        }
        done(self)
    }

    fn ready(&mut self) {
        let ready = |stage: &Self| {
            let wanted = PrinterEvent::State(PrinterState::Ready);
            stage.events.borrow().last() == Some(&wanted)
        };
        assert!(self.turn_until(20_000, ready), "{:?}", self.events.borrow());
    }

    /// Some 8 KB of numbered lines.
    fn print(&mut self, job: u128) {
        let mut paper = crate::printer::Document::new();
        for line in 0..200 {
            paper.text(format!("{line:03} abcdefghijklmnopqrstuvwxyz 0123456789"));
        }
        paper.cut();
        let bytes = encode(&paper, &self.profile).unwrap().into_bytes();
        let print = Command::Print {
            job: JobId(job),
            bytes,
            spool: Box::new(NoSpool),
        };
        self.commands.send(print).unwrap();
    }

    /// Turns until the printer has got so much of the running job.
    fn in_the_middle(&mut self) {
        let from = self.line.borrow().sim.received_bytes();
        let middle = |stage: &Self| stage.line.borrow().sim.received_bytes() > from + 3_000;
        assert!(self.turn_until(20_000, middle));
    }

    fn hold(&mut self, on: bool) {
        let mut line = self.line.borrow_mut();
        line.held = on;
        line.sleeps.clear();
        line.sleepless = 0;
        line.writes = 0;
        line.most_waiting = 0;
    }

    fn end(&mut self) -> PrinterEvent {
        let ended = |stage: &Self| {
            let events = stage.events.borrow();
            events.iter().any(|event| event.resend().is_some())
        };
        assert!(
            self.turn_until(200_000, ended),
            "{:?}",
            self.events.borrow()
        );
        let mut events = self.events.borrow_mut();
        let at = events.iter().position(|event| event.resend().is_some());
        events.remove(at.unwrap())
    }

    /// Every line once, in order.
    fn paper_is_whole(&self) -> bool {
        let line = self.line.borrow();
        let text = line.sim.all_text();
        let numbers = text
            .lines()
            .filter_map(|line| line.get(..3)?.parse::<u32>().ok());
        line.sim.overflowed_bytes() == 0 && numbers.eq(0..200_u32)
    }
}

#[test]
fn with_cts_low_in_a_job_the_thread_sleeps_at_most_10_ms_at_a_time_and_never_spins() {
    // Proves: while the printer holds CTS low the thread asks for no sleep over 10 ms, writes
    // nothing that lies in the kernel for long, does not spin, and goes on where it stood: a
    // short hold changes nothing, a long one is doubt, and no byte is lost or doubled in either.
    for (hold_ms, proven) in [(300, true), (10_000, false)] {
        let mut stage = Stage::new();
        stage.ready();
        stage.print(1);
        stage.in_the_middle();
        stage.hold(true);
        stage.turn_until(hold_ms, |_| false);
        {
            let line = stage.line.borrow();
            let longest = line.sleeps.iter().copied().max().unwrap();
            assert!(longest <= BUSY_SLEEP_MS, "{longest} ms");
            let turns = line.sleeps.len() as u64;
            assert!(turns <= hold_ms / BUSY_SLEEP_MS * 2 + 50, "{turns} turns");
            assert!(line.sleepless <= 20, "{} sleepless turns", line.sleepless);
            assert!(line.writes <= 20, "{} writes", line.writes);
            assert!(line.most_waiting <= 512, "{} bytes", line.most_waiting);
        }
        stage.hold(false);
        let end = stage.end();
        if proven {
            let evidence = Evidence::Printed(ProofGrade::ProcessIdAndCounter);
            let job = JobId(1);
            assert_eq!(end, PrinterEvent::JobDone { job, evidence });
        } else {
            let doubt = matches!(
                end,
                PrinterEvent::JobUnknown {
                    doubt: Doubt::Silent,
                    ..
                }
            );
            assert!(doubt, "{end:?}");
        }
        stage.turn_until(5_000, |_| false);
        assert!(stage.paper_is_whole());
    }
}

#[test]
fn with_cts_low_from_the_start_the_port_is_held_and_the_thread_rests() {
    // Proves: a printer that never lets us send is named as holding, a job for it fails with
    // nothing sent, the thread neither spins nor sleeps beyond its second, what it wrote stays
    // small, and when CTS rises the printer is ready.
    let mut stage = Stage::new();
    stage.hold(true);
    stage.turn_until(5_000, |_| false);
    let held = PrinterEvent::State(PrinterState::Offline(OfflineReason::Held));
    assert_eq!(stage.events.borrow().last(), Some(&held));
    stage.print(1);
    let end = stage.end();
    assert!(
        matches!(
            end,
            PrinterEvent::JobFailed {
                nothing_sent: true,
                ..
            }
        ),
        "{end:?}"
    );
    stage.hold(true);
    stage.turn_until(60_000, |_| false);
    {
        let line = stage.line.borrow();
        assert!(line.sleeps.iter().all(|&ms| ms <= IDLE_SLEEP_MS));
        let turns = line.sleeps.len();
        assert!(turns <= 60_000 / 20 + 100, "{turns} turns");
        assert!(line.sleepless <= 20, "{} sleepless turns", line.sleepless);
        assert!(line.most_waiting <= 512, "{} bytes", line.most_waiting);
    }
    stage.hold(false);
    stage.ready();
}

#[test]
fn a_kernel_that_took_everything_at_once_is_not_a_printer_that_did() {
    // Proves: the double behaves as the kernel: it takes a page without the printer, says
    // "writable" only below 256 waiting bytes, and then takes nothing; so a driver that writes
    // all it may would show here. Ours never leaves more than a few hundred bytes there.
    let stage = Stage::new();
    stage.line.borrow_mut().held = true;
    let mut port = Port(Rc::clone(&stage.line));
    let mut taken = 0;
    while let Ok(count @ 1..) = port.try_write(&[0; 256]) {
        taken += count;
        stage.line.borrow_mut().tick();
    }
    assert_eq!(taken, KERNEL_BYTES);
    assert!(!stage.line.borrow().is_writable());
    port.sleep(Some(&port.clone()), true, 50);
    assert_eq!(stage.line.borrow().now_us / 1_000, 16 + 50);
    port.discard_buffers();
    assert_eq!((port.unsent_bytes(), port.try_write(b"a").unwrap()), (0, 1));
}

#[test]
fn all_four_status_answers_are_there_15_ms_after_the_question_at_9600_baud() {
    // Proves: through thread, kernel, line and printer; the twelve bytes of the questions take
    // 12.5 ms of it, so the thread adds next to nothing, and the first answer is there sooner.
    let profile = Profile::named("mm58").unwrap();
    assert_eq!(profile.baud, 9_600);
    let mut stage = Stage::with(profile);
    stage.ready();
    stage.line.borrow_mut().rounds_us.clear();
    stage.turn_until(20_000, |_| false);
    let line = stage.line.borrow();
    assert!(line.rounds_us.len() >= 10, "{:?}", line.rounds_us);
    let slowest_us = line.rounds_us.iter().copied().max().unwrap();
    assert!(slowest_us <= 15_000, "{:?}", line.rounds_us);
}
