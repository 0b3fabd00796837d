//! The driver's thread: carries bytes between the machine and the port, and never waits for the
//! printer.

use std::collections::HashMap;
use std::io::Read as _;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::super::profile::Handshake;
use super::event::{JobId, OfflineReason, PrinterEvent, Spool};
use super::interface::{Action, Input, MachineConfig};
use super::machine::Machine;
use super::{Command, PrinterConfig};
use crate::port::{FlowControl, PortError, SerialLink, SerialSettings};

/// Longest sleep while a job is under way, in milliseconds: a busy line gives no sign when the
/// system's buffer runs low.
const BUSY_SLEEP_MS: u64 = 10;
/// Longest sleep at rest, in milliseconds. Bytes and commands end it early.
const IDLE_SLEEP_MS: u64 = 1_000;

/// A port as the thread uses it. There is no call that waits: nothing to flush or drain with.
pub(super) trait Link {
    /// Reads what has arrived; 0 when nothing has.
    fn try_read(&mut self, buffer: &mut [u8]) -> Result<usize, PortError>;
    /// Writes what is taken at once; 0 when nothing is.
    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, PortError>;
    /// Bytes taken that have not left.
    fn unsent_bytes(&self) -> usize;
    /// Clear to send, where the port can tell.
    fn clear_to_send(&self) -> Option<bool>;
    /// Throws away what has not left and what was not read.
    fn discard_buffers(&self);
}

/// What the thread needs besides the port: time, ports, and the one bounded sleep.
pub(super) trait World {
    /// Ports of this world.
    type Link: Link;
    /// Milliseconds of a steady clock.
    fn now_ms(&self) -> u64;
    /// Opens a port.
    fn open(&mut self, settings: &SerialSettings) -> Result<Self::Link, PortError>;
    /// Sleeps until bytes arrived, room appeared (with `for_write`), a command came, or the
    /// time is over.
    fn sleep(&mut self, link: Option<&Self::Link>, for_write: bool, timeout_ms: u64);
}

impl Link for SerialLink {
    fn try_read(&mut self, buffer: &mut [u8]) -> Result<usize, PortError> {
        Self::try_read(self, buffer)
    }

    fn try_write(&mut self, bytes: &[u8]) -> Result<usize, PortError> {
        Self::try_write(self, bytes)
    }

    fn unsent_bytes(&self) -> usize {
        Self::unsent_bytes(self)
    }

    fn clear_to_send(&self) -> Option<bool> {
        self.modem_lines().map(|lines| lines.clear_to_send)
    }

    fn discard_buffers(&self) {
        Self::discard_buffers(self);
    }
}

/// Serial ports, the system's clock, and a pipe that wakes the thread.
pub(super) struct System {
    epoch: Instant,
    woken: UnixStream,
}

impl System {
    /// Woken by a byte on `woken`, which must not block.
    pub(super) fn new(woken: UnixStream) -> Self {
        Self {
            epoch: Instant::now(),
            woken,
        }
    }
}

impl World for System {
    type Link = SerialLink;

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn open(&mut self, settings: &SerialSettings) -> Result<SerialLink, PortError> {
        SerialLink::open(settings)
    }

    fn sleep(&mut self, link: Option<&SerialLink>, for_write: bool, timeout_ms: u64) {
        let timeout = PollTimeout::try_from(Duration::from_millis(timeout_ms));
        let timeout = timeout.unwrap_or(PollTimeout::MAX);
        let mut waiting = vec![PollFd::new(self.woken.as_fd(), PollFlags::POLLIN)];
        if let Some(link) = link {
            let mut flags = PollFlags::POLLIN;
            if for_write {
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

/// The thread's state. The port comes before the world: whoever waits for the thread waits for
/// the world's end, and may open the port again then.
pub(super) struct Worker<F, W: World> {
    config: PrinterConfig,
    machine: Machine,
    link: Option<W::Link>,
    world: W,
    commands: Receiver<Command>,
    events: F,
    spools: HashMap<JobId, Box<dyn Spool>>,
}

impl<F: FnMut(PrinterEvent), W: World> Worker<F, W> {
    pub(super) fn new(
        config: PrinterConfig,
        commands: Receiver<Command>,
        world: W,
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
            machine: Machine::new(machine_config, world.now_ms()),
            world,
            link: None,
            commands,
            events,
            spools: HashMap::new(),
        }
    }

    /// Works until it is told to stop.
    pub(super) fn run(mut self) {
        while self.turn() {}
    }

    /// Once round: commands, bytes in and out, a sleep. False when the driver is to stop.
    fn turn(&mut self) -> bool {
        if !self.take_commands() {
            return false;
        }
        self.exchange();
        let now = self.world.now_ms();
        self.feed(now, Input::Tick);
        self.sleep();
        true
    }

    /// Takes waiting commands; false when the driver is to stop.
    fn take_commands(&mut self) -> bool {
        loop {
            let now = self.world.now_ms();
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
        let now = self.world.now_ms();
        let Some(link) = &mut self.link else {
            return;
        };
        let mut buffer = [0u8; 512];
        match link.try_read(&mut buffer) {
            Ok(0) => {}
            Ok(count) => self.feed(now, Input::Received(&buffer[..count])),
            Err(_) => return self.gone(now),
        }
        if self.write(now).is_err() {
            self.gone(now);
        }
    }

    fn gone(&mut self, now: u64) {
        self.link = None;
        self.feed(now, Input::Gone);
    }

    fn write(&mut self, now: u64) -> Result<(), PortError> {
        let Some(link) = &mut self.link else {
            return Ok(());
        };
        let line = Input::Line {
            unsent_bytes: link.unsent_bytes(),
            clear_to_send: link.clear_to_send(),
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
        let settings =
            SerialSettings::new(&self.config.path, baud).with_flow(flow_control(handshake));
        match self.world.open(&settings) {
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
    fn sleep(&mut self) {
        let now = self.world.now_ms();
        let for_write = self.link.is_some() && self.machine.next_write(now).is_some();
        let due_ms = self.machine.next_wake(now).saturating_sub(now);
        let longest_ms = if self.machine.is_busy() {
            BUSY_SLEEP_MS
        } else {
            IDLE_SLEEP_MS
        };
        self.world
            .sleep(self.link.as_ref(), for_write, due_ms.min(longest_ms));
    }
}

/// The kernel's word for a handshake.
pub(in super::super) fn flow_control(handshake: Handshake) -> FlowControl {
    match handshake {
        Handshake::Lines => FlowControl::Hardware,
        Handshake::XonXoff => FlowControl::Software,
        Handshake::None => FlowControl::None,
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

#[cfg(test)]
mod held;
