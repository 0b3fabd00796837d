//! Machine, wire and simulated printer in one clock, without threads or sleeping.

use std::collections::VecDeque;

use hardware::printer::driver::{Action, Input, Machine, MachineConfig, Timing};
use hardware::printer::profile::Handshake;
use hardware::printer::sim::{PrinterSim, SimConfig};
use hardware::printer::{
    Document, Doubt, JobId, OfflineReason, PrinterEvent, PrinterState, Profile, encode,
};

const STEP_US: u64 = 4_000;
/// With nothing on the line and nothing in the printer.
const IDLE_STEP_US: u64 = 16_000;

/// The test bench.
pub struct Bench {
    pub machine: Machine,
    pub sim: PrinterSim,
    pub now_us: u64,
    pub events: Vec<PrinterEvent>,
    /// Whether the cable is in.
    pub plugged: bool,
    /// Whether the spool accepts records.
    pub disk_works: bool,
    /// Whether the port never admits to unsent bytes, as a pseudo-terminal or a USB adapter.
    pub hides_backlog: bool,
    /// Whether the line carries nothing, and the port shows no line that would say so.
    pub stuck: bool,
    /// Jobs whose start was recorded.
    pub recorded: Vec<JobId>,
    open_baud: Option<u32>,
    sim_baud: u32,
    wire: VecDeque<u8>,
    wire_free_at_us: u64,
    next_job: u128,
}

impl Bench {
    pub fn new(config: SimConfig) -> Self {
        let profile = config.profile.clone();
        Self::with_driver_profile(config, profile)
    }

    /// A driver that believes in another profile than the printer's.
    pub fn with_driver_profile(config: SimConfig, profile: Profile) -> Self {
        let machine_config = MachineConfig {
            handshake: config.handshake,
            baud: None,
            timing: Timing::default(),
            unfinished_job: false,
            profile,
        };
        Self::with_machine(config, machine_config)
    }

    pub fn with_machine(config: SimConfig, machine_config: MachineConfig) -> Self {
        Self {
            machine: Machine::new(machine_config, 0),
            sim_baud: config.baud,
            sim: PrinterSim::new(config),
            now_us: 0,
            events: Vec::new(),
            plugged: true,
            disk_works: true,
            hides_backlog: false,
            stuck: false,
            recorded: Vec::new(),
            open_baud: None,
            wire: VecDeque::new(),
            wire_free_at_us: 0,
            next_job: 1,
        }
    }

    pub fn named(profile: &str) -> Self {
        Self::new(SimConfig::new(Profile::named(profile).unwrap()))
    }

    fn feed(&mut self, input: Input<'_>) {
        let mut actions = Vec::new();
        self.machine.step(self.now_us / 1_000, input, &mut actions);
        for action in actions {
            self.perform(action);
        }
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Open { baud, .. } if self.plugged => {
                self.open_baud = Some(baud);
                self.feed(Input::Opened);
            }
            Action::Open { .. } => self.feed(Input::OpenFailed(OfflineReason::Unplugged)),
            Action::Close => {
                self.open_baud = None;
                self.wire.clear();
            }
            Action::Discard => self.wire.clear(),
            Action::Record { job, .. } => {
                let durable = self.disk_works;
                if durable {
                    self.recorded.push(job);
                }
                self.feed(Input::Recorded(durable));
            }
            Action::Confirmed { .. } => {}
            Action::Event(event) => self.events.push(event),
        }
    }

    /// One step of the clock.
    pub fn step(&mut self) {
        let quiet = self.wire.is_empty() && self.sim.is_idle();
        let step_us = if quiet { IDLE_STEP_US } else { STEP_US };
        self.now_us += step_us;
        self.carry(step_us);
        self.sim.advance(self.now_us);
        let replies = self.sim.take_replies(self.now_us);
        if self.open_baud == Some(self.sim_baud) && !replies.is_empty() {
            self.feed(Input::Received(&replies));
        }
        let clear_to_send =
            (self.sim.handshake() == Handshake::Lines).then(|| !self.sim.is_holding());
        let unsent_bytes = if self.hides_backlog {
            0
        } else {
            self.wire.len()
        };
        if self.open_baud.is_some() {
            self.feed(Input::Line {
                unsent_bytes,
                clear_to_send,
            });
        }
        self.feed(Input::Tick);
        let now_ms = self.now_us / 1_000;
        while let Some(bytes) = self.machine.next_write(now_ms) {
            let count = bytes.len();
            self.wire.extend(bytes);
            self.machine.wrote(now_ms, count);
            self.feed(Input::Tick);
        }
    }

    /// The bytes the line had time for reach the printer.
    fn carry(&mut self, step_us: u64) {
        let byte_us = 10_000_000 / u64::from(self.open_baud.unwrap_or(self.sim_baud));
        // An idle line starts with the step; a busy one keeps the part of a byte it was at.
        let earliest = self.now_us.saturating_sub(step_us + byte_us);
        self.wire_free_at_us = self.wire_free_at_us.max(earliest);
        if self.stuck {
            return;
        }
        while self.wire_free_at_us + byte_us <= self.now_us {
            if self.sim.handshake() == Handshake::Lines && self.sim.is_holding() {
                return;
            }
            let Some(byte) = self.wire.pop_front() else {
                return;
            };
            self.wire_free_at_us += byte_us;
            // At the wrong speed only rubbish arrives.
            let byte = if self.open_baud == Some(self.sim_baud) {
                byte
            } else {
                0xFF
            };
            self.sim.receive(self.wire_free_at_us, byte);
        }
    }

    /// The kiosk dies and starts again; the printer stays on and keeps what it holds.
    pub fn restart_kiosk(&mut self, profile: &Profile) {
        self.restart_kiosk_knowing(profile, true);
    }

    /// The same, and whether its spool knows of the job.
    pub fn restart_kiosk_knowing(&mut self, profile: &Profile, unfinished_job: bool) {
        let machine_config = MachineConfig {
            handshake: self.sim.handshake(),
            // Trying speeds on a printer in the middle of a command would fill it with rubbish.
            baud: Some(self.sim_baud),
            timing: Timing::default(),
            unfinished_job,
            profile: profile.clone(),
        };
        self.machine = Machine::new(machine_config, self.now_us / 1_000);
        self.open_baud = None;
        self.wire.clear();
    }

    /// Pulls the cable.
    pub fn unplug(&mut self) {
        self.plugged = false;
        self.open_baud = None;
        self.wire.clear();
        self.feed(Input::Gone);
    }

    /// Runs until `done` or the time is up; says whether it was done.
    pub fn run_until(&mut self, limit_ms: u64, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now_us + limit_ms * 1_000;
        while self.now_us < end {
            if done(self) {
                return true;
            }
            self.step();
        }
        done(self)
    }

    pub fn run_ms(&mut self, ms: u64) {
        self.run_until(ms, |_| false);
    }

    pub fn ready(&mut self) {
        let state = |bench: &Self| bench.machine.state() == PrinterState::Ready;
        assert!(
            self.run_until(10_000, state),
            "never ready: {:?}",
            self.events
        );
    }

    /// Gives the machine a document; returns the job's name.
    pub fn print(&mut self, document: &Document, profile: &Profile) -> JobId {
        let bytes = encode(document, profile).unwrap().into_bytes();
        self.print_bytes(bytes)
    }

    pub fn print_bytes(&mut self, bytes: Vec<u8>) -> JobId {
        let job = JobId(self.next_job);
        self.next_job += 1;
        self.feed(Input::Print { job, bytes });
        job
    }

    pub fn open_drawer(&mut self) {
        self.feed(Input::OpenDrawer);
    }

    pub fn cancel(&mut self, job: JobId) {
        self.feed(Input::Cancel(job));
    }

    /// The event that ended the job.
    pub fn outcome(&self, wanted: JobId) -> Option<&PrinterEvent> {
        self.events.iter().find(|event| match event {
            PrinterEvent::JobDone { job, .. }
            | PrinterEvent::JobFailed { job, .. }
            | PrinterEvent::JobUnknown { job, .. } => *job == wanted,
            _ => false,
        })
    }

    /// Runs until the job ended and returns how.
    pub fn finish(&mut self, job: JobId, limit_ms: u64) -> PrinterEvent {
        let ended = self.run_until(limit_ms, |bench| bench.outcome(job).is_some());
        assert!(ended, "job never ended: {:#?}", self.events);
        self.outcome(job).unwrap().clone()
    }

    /// Lets the printer finish what it holds.
    pub fn settle(&mut self) {
        let idle = self.run_until(60_000, |bench| bench.sim.is_idle() && bench.wire.is_empty());
        assert!(idle, "never idle: {:#?}", self.events);
    }
}

/// A healthy printer of this model, set up as it leaves the factory.
pub fn config(name: &str) -> SimConfig {
    SimConfig::new(Profile::named(name).unwrap())
}

/// Whether a job failed and not one byte of it left.
pub fn unsent(end: &PrinterEvent) -> bool {
    matches!(
        end,
        PrinterEvent::JobFailed {
            nothing_sent: true,
            ..
        }
    )
}

/// Whether a job ended in doubt for this reason.
pub fn in_doubt(end: &PrinterEvent, why: Doubt) -> bool {
    matches!(end, PrinterEvent::JobUnknown { doubt, .. } if *doubt == why)
}
