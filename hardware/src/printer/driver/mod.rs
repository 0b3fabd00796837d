//! The printer's driver: a thread around a state machine that does no input or output itself.
//!
//! [`PrinterDriver::spawn`] returns at once; nothing a caller does ever waits for the printer.

mod connection;
mod ending;
mod event;
mod job;
mod machine;
pub mod plan;
mod wire;

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::profile::{Handshake, Profile};
use crate::port::{FlowControl, PortError, SerialLink, SerialSettings};

pub use event::{
    Doubt, Evidence, JobId, NoSpool, OfflineReason, PrinterEvent, PrinterState, ProofGrade,
    Refusal, Resend, Spool, SpoolRecord, Trace, after_restart,
};
pub use machine::{Action, Input, Machine, MachineConfig, Timing};

/// What a printer is and where.
#[derive(Debug, Clone)]
pub struct PrinterConfig {
    /// Port, by a path that survives replugging.
    pub path: PathBuf,
    /// The model.
    pub profile: Profile,
    /// Line speed in bits per second; `None` tries the profile's and the usual ones. Set it once
    /// it is known: trying speeds on a printer in the middle of a command prints rubbish.
    pub baud: Option<u32>,
    /// Handshake; `None` takes the profile's.
    pub handshake: Option<Handshake>,
    /// Patience.
    pub timing: Timing,
    /// Whether the caller's spool holds a job that started and did not end: the torn receipt is
    /// then closed off and cut before anything else is printed.
    pub unfinished_job: bool,
}

impl PrinterConfig {
    /// A printer of the given model at `path`, speed found by itself.
    pub fn new(path: impl Into<PathBuf>, profile: Profile) -> Self {
        Self {
            path: path.into(),
            profile,
            baud: None,
            handshake: None,
            timing: Timing::default(),
            unfinished_job: false,
        }
    }
}

enum Command {
    Print {
        job: JobId,
        bytes: Vec<u8>,
        spool: Box<dyn Spool>,
    },
    Cancel(JobId),
    OpenDrawer,
    Stop,
}

/// Starts printer drivers.
#[derive(Debug)]
pub struct PrinterDriver;

impl PrinterDriver {
    /// Starts a driver thread for one printer. `events` is called on that thread and must not
    /// block for long. The driver keeps opening the port until it is dropped.
    ///
    /// # Errors
    /// The system error when no thread can be started.
    pub fn spawn(
        config: PrinterConfig,
        events: impl FnMut(PrinterEvent) + Send + 'static,
    ) -> io::Result<PrinterHandle> {
        let (commands, receiver) = channel();
        let (waker, woken) = UnixStream::pair()?;
        waker.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let thread = std::thread::Builder::new()
            .name("printer".into())
            .spawn(move || Worker::new(config, receiver, woken, events).run())?;
        Ok(PrinterHandle {
            commands,
            waker,
            thread: Some(thread),
        })
    }
}

/// A running driver. Dropping it stops the driver; a job being sent then stays unfinished.
#[derive(Debug)]
pub struct PrinterHandle {
    commands: Sender<Command>,
    waker: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl PrinterHandle {
    /// Prints a job made by [`super::encode::encode`]; returns at once. How it goes comes as
    /// events, ending in exactly one of `JobDone`, `JobFailed`, `JobUnknown`. `spool` is asked
    /// to record the start before the first byte leaves.
    pub fn print(&self, job: JobId, bytes: Vec<u8>, spool: impl Spool + 'static) {
        self.send(Command::Print {
            job,
            bytes,
            spool: Box::new(spool),
        });
    }

    /// Takes a job back: a waiting one for certain, a started one as far as the printer allows.
    pub fn cancel(&self, job: JobId) {
        self.send(Command::Cancel(job));
    }

    /// Opens the cash drawer now, even when the paper is out. What this means is the caller's to
    /// record first.
    pub fn open_drawer(&self) {
        self.send(Command::OpenDrawer);
    }

    /// Stops the driver and waits for its thread (a few milliseconds).
    pub fn stop(mut self) {
        self.shut_down();
    }

    fn send(&self, command: Command) {
        // The thread only ends when the handle goes, so there is always someone to receive.
        if self.commands.send(command).is_ok() {
            // A full pipe means a wake-up is under way already.
            let _ = (&self.waker).write(&[1]);
        }
    }

    fn shut_down(&mut self) {
        self.send(Command::Stop);
        if let Some(thread) = self.thread.take() {
            // A panic over there has been reported by its own hook.
            let _ = thread.join();
        }
    }
}

impl Drop for PrinterHandle {
    fn drop(&mut self) {
        self.shut_down();
    }
}

struct Worker<F> {
    config: PrinterConfig,
    machine: Machine,
    link: Option<SerialLink>,
    commands: Receiver<Command>,
    woken: UnixStream,
    events: F,
    spools: HashMap<JobId, Box<dyn Spool>>,
    epoch: Instant,
}

impl<F: FnMut(PrinterEvent)> Worker<F> {
    fn new(
        config: PrinterConfig,
        commands: Receiver<Command>,
        woken: UnixStream,
        events: F,
    ) -> Self {
        let machine_config = MachineConfig {
            profile: config.profile.clone(),
            baud: config.baud,
            handshake: config.handshake.unwrap_or(config.profile.handshake),
            timing: config.timing,
            unfinished_job: config.unfinished_job,
        };
        Self {
            config,
            machine: Machine::new(machine_config, 0),
            link: None,
            commands,
            woken,
            events,
            spools: HashMap::new(),
            epoch: Instant::now(),
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn run(mut self) {
        loop {
            if !self.take_commands() {
                return;
            }
            self.exchange();
            let now = self.now();
            self.feed(now, Input::Tick);
            self.wait();
        }
    }

    /// Takes waiting commands; false when the driver is to stop.
    fn take_commands(&mut self) -> bool {
        loop {
            let now = self.now();
            match self.commands.try_recv() {
                Ok(Command::Print { job, bytes, spool }) => {
                    self.spools.insert(job, spool);
                    self.feed(now, Input::Print { job, bytes });
                }
                Ok(Command::Cancel(job)) => self.feed(now, Input::Cancel(job)),
                Ok(Command::OpenDrawer) => self.feed(now, Input::OpenDrawer),
                Err(TryRecvError::Empty) => return true,
                Ok(Command::Stop) | Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Reads what came, writes what may go.
    fn exchange(&mut self) {
        let now = self.now();
        let Some(link) = &mut self.link else {
            return;
        };
        let mut buffer = [0u8; 512];
        match link.try_read(&mut buffer) {
            Ok(0) => {}
            Ok(count) => {
                self.feed(now, Input::Received(&buffer[..count]));
            }
            Err(_) => {
                self.link = None;
                self.feed(now, Input::Gone);
                return;
            }
        }
        if self.write(now).is_err() {
            self.link = None;
            self.feed(now, Input::Gone);
        }
    }

    fn write(&mut self, now: u64) -> Result<(), PortError> {
        let Some(link) = &mut self.link else {
            return Ok(());
        };
        let line = Input::Line {
            unsent_bytes: link.unsent_bytes(),
            clear_to_send: link.modem_lines().map(|lines| lines.clear_to_send),
        };
        self.feed(now, line);
        while let Some(link) = &mut self.link {
            let Some(bytes) = self.machine.next_write(now) else {
                return Ok(());
            };
            let count = link.try_write(bytes)?;
            self.machine.wrote(now, count);
            if count == 0 {
                return Ok(());
            }
            self.feed(now, Input::Tick);
        }
        Ok(())
    }

    fn feed(&mut self, now: u64, input: Input<'_>) {
        let mut actions = Vec::new();
        self.machine.step(now, input, &mut actions);
        for action in actions {
            self.perform(now, action);
        }
    }

    fn perform(&mut self, now: u64, action: Action) {
        match action {
            Action::Open { baud, handshake } => self.open(now, baud, handshake),
            Action::Close => self.link = None,
            Action::Discard => {
                if let Some(link) = &self.link {
                    link.discard_buffers();
                }
            }
            Action::Record { job, cuts_before } => {
                let spool = self.spools.get_mut(&job);
                let durable = spool.is_some_and(|spool| spool.started(job, cuts_before).is_ok());
                self.feed(now, Input::Recorded(durable));
            }
            Action::Confirmed { job, bytes } => {
                if let Some(spool) = self.spools.get_mut(&job) {
                    spool.confirmed(job, bytes);
                }
            }
            Action::Event(event) => {
                if let PrinterEvent::JobDone { job, .. }
                | PrinterEvent::JobFailed { job, .. }
                | PrinterEvent::JobUnknown { job, .. } = &event
                {
                    self.spools.remove(job);
                }
                (self.events)(event);
            }
        }
    }

    fn open(&mut self, now: u64, baud: u32, handshake: Handshake) {
        let flow = match handshake {
            Handshake::Lines => FlowControl::Hardware,
            Handshake::XonXoff => FlowControl::Software,
            Handshake::None => FlowControl::None,
        };
        let settings = SerialSettings::new(&self.config.path, baud).with_flow(flow);
        match SerialLink::open(&settings) {
            Ok(link) => {
                self.link = Some(link);
                self.feed(now, Input::Opened);
            }
            Err(error) => {
                tracing::debug!(%error, "printer port");
                self.feed(now, Input::OpenFailed(offline_reason(&error)));
            }
        }
    }

    /// Sleeps until bytes, commands or the machine's next deadline.
    fn wait(&mut self) {
        let now = self.now();
        let wants_to_write = self.link.is_some() && self.machine.next_write(now).is_some();
        let timeout_ms = self.machine.next_wake(now).saturating_sub(now);
        // While the line is busy the system gives no sign when its buffer runs low.
        let timeout_ms = timeout_ms.min(if self.machine.is_busy() { 10 } else { 1_000 });
        let timeout = PollTimeout::try_from(Duration::from_millis(timeout_ms));
        let timeout = timeout.unwrap_or(PollTimeout::MAX);
        let mut waiting = vec![PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)];
        if let Some(link) = &self.link {
            let mut flags = PollFlags::POLLIN;
            if wants_to_write {
                flags |= PollFlags::POLLOUT;
            }
            // SAFETY: the link stays open and in place for the length of this call.
            let fd = unsafe { BorrowedFd::borrow_raw(link.as_raw_fd()) };
            waiting.push(PollFd::new(fd, flags));
        }
        // An error here shows up again, typed, on the next read or write.
        let _ = poll(&mut waiting, timeout);
        let mut drained = [0u8; 64];
        // Only wakes; there is nothing to learn from it.
        let _ = self.woken.read(&mut drained);
    }
}

fn offline_reason(error: &PortError) -> OfflineReason {
    match error {
        PortError::Absent { .. } | PortError::Gone { .. } => OfflineReason::Unplugged,
        PortError::Forbidden { .. } => OfflineReason::Forbidden,
        PortError::Busy { .. } => OfflineReason::PortBusy,
        PortError::Unsuitable { .. } => OfflineReason::PortUnsuitable,
    }
}
