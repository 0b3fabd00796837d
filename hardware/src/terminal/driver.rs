//! The thread around an engine: opens the wire, moves bytes, keeps the time.
//!
//! One thread for one terminal. It sleeps in `poll` until bytes arrive, a command is queued or a
//! timer is due; at rest it wakes only for the routine status enquiry.

use std::io::{Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::caisse_ap::CaisseApEngine;
use super::concert::ConcertEngine;
use super::config::{ConfigError, Connection, Protocol, TerminalConfig};
use super::engine::{Command, Engine, Output};
use super::link::Wire;
use super::queue::CommandQueue;
use super::types::{Capabilities, CommandRefused, LinkFault, NotStarted, TerminalEvent};
use super::zvt::ZvtEngine;

/// Commands that may wait for the thread. A kiosk has one order at a time; more than this means
/// that the thread is stuck, and the kiosk is told.
const QUEUE_LENGTH: usize = 16;

/// Longest sleep, so that a clock jump of the system can never stall the driver for long.
const LONGEST_SLEEP_MS: u64 = 30_000;

/// Starts drivers.
#[derive(Debug)]
pub struct TerminalDriver;

impl TerminalDriver {
    /// Checks the settings and starts the driver's thread. It connects by itself and keeps trying.
    ///
    /// `on_event` runs on that thread and must only hand the event on.
    pub fn spawn(
        config: TerminalConfig,
        on_event: impl FnMut(TerminalEvent) + Send + 'static,
    ) -> Result<TerminalHandle, ConfigError> {
        let engine = engine_for(&config)?;
        let capabilities = engine.capabilities();
        let (commands, queue) = sync_channel(QUEUE_LENGTH);
        let failed = |error: std::io::Error| ConfigError::Thread(error.to_string());
        let (waker, wake) = UnixStream::pair().map_err(failed)?;
        waker.set_nonblocking(true).map_err(failed)?;
        wake.set_nonblocking(true).map_err(failed)?;
        let mut runner = Runner {
            engine,
            connection: config.connection.clone(),
            connect_timeout: Duration::from_millis(config.timeouts.connect_ms),
            reconnect_ms: config.timeouts.reconnect_ms,
            failures: 0,
            retry_at_ms: 0,
            opened_at_ms: 0,
            wire: None,
            unsent: Vec::new(),
            queue,
            wake,
            started: Instant::now(),
            on_event: Box::new(on_event),
        };
        let thread = std::thread::Builder::new()
            .name("card-terminal".into())
            .spawn(move || runner.run())
            .map_err(failed)?;
        Ok(TerminalHandle {
            shared: Arc::new(Shared {
                commands: Some(commands),
                waker,
                thread: Some(thread),
            }),
            capabilities,
        })
    }
}

pub(super) fn engine_for(config: &TerminalConfig) -> Result<Box<dyn Engine>, ConfigError> {
    match config.protocol {
        Protocol::Zvt => Ok(Box::new(ZvtEngine::new(config)?)),
        Protocol::CaisseAp => Ok(Box::new(CaisseApEngine::new(config)?)),
        Protocol::Concert => Ok(Box::new(ConcertEngine::new(config)?)),
    }
}

/// The kiosk's end of a driver. Clones share it; the thread ends when the last one is dropped.
#[derive(Clone)]
pub struct TerminalHandle {
    shared: Arc<Shared>,
    capabilities: Capabilities,
}

struct Shared {
    commands: Option<SyncSender<Command>>,
    waker: UnixStream,
    thread: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for TerminalHandle {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("TerminalHandle")
            .field("capabilities", &self.capabilities)
            .finish()
    }
}

impl Shared {
    fn wake(&self) {
        // A full pipe already wakes the thread.
        let _ = (&self.waker).write(&[0]);
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.commands = None;
        self.wake();
        let thread = self.thread.take();
        // The last handle may be dropped inside `on_event`, which runs on the thread itself.
        if let Some(thread) = thread.filter(|t| t.thread().id() != std::thread::current().id()) {
            // A panic was already reported by the thread itself.
            let _ = thread.join();
        }
    }
}

impl CommandQueue for TerminalHandle {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn send(&self, command: Command) -> Result<(), CommandRefused> {
        let commands = self
            .shared
            .commands
            .as_ref()
            .ok_or(CommandRefused::Stopped)?;
        commands.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => CommandRefused::QueueFull,
            TrySendError::Disconnected(_) => CommandRefused::Stopped,
        })?;
        self.shared.wake();
        Ok(())
    }
}

struct Runner {
    engine: Box<dyn Engine>,
    connection: Connection,
    connect_timeout: Duration,
    reconnect_ms: u64,
    failures: u32,
    retry_at_ms: u64,
    opened_at_ms: u64,
    wire: Option<Wire>,
    unsent: Vec<u8>,
    queue: Receiver<Command>,
    wake: UnixStream,
    started: Instant,
    on_event: Box<dyn FnMut(TerminalEvent) + Send>,
}

impl Runner {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn run(&mut self) {
        loop {
            self.open_if_due();
            self.wait();
            self.move_bytes();
            if !self.take_commands() {
                break;
            }
            let now_ms = self.now_ms();
            if self
                .engine
                .deadline_ms()
                .is_some_and(|deadline| deadline <= now_ms)
            {
                self.step(|engine, out| engine.tick(now_ms, out));
            }
        }
        self.step(|engine, out| engine.stop(out));
    }

    /// Runs the engine once and carries out what it wants.
    fn step(&mut self, run: impl FnOnce(&mut dyn Engine, &mut Output)) {
        let mut out = Output::default();
        run(self.engine.as_mut(), &mut out);
        self.unsent.append(&mut out.wire);
        // Before writing: a write that fails produces events of its own, which come later.
        for event in out.events {
            (self.on_event)(event);
        }
        self.write_unsent();
        if out.close && self.wire.is_some() {
            self.lost(&LinkFault::StartingClean);
            if !self.engine.wants_link() {
                // One connection for one order: this is no failure to wait after.
                self.failures = 0;
                self.retry_at_ms = self.now_ms();
            }
        }
    }

    fn open_if_due(&mut self) {
        if self.wire.is_some() || !self.engine.wants_link() || self.now_ms() < self.retry_at_ms {
            return;
        }
        match Wire::open(&self.connection, self.connect_timeout) {
            Ok(wire) => {
                self.wire = Some(wire);
                let now_ms = self.now_ms();
                self.opened_at_ms = now_ms;
                self.step(|engine, out| engine.link_up(now_ms, out));
            }
            Err(why) => self.lost(&why),
        }
    }

    fn lost(&mut self, why: &LinkFault) {
        let now_ms = self.now_ms();
        // A terminal that hangs up at once (wrong password) must not be called ten times a second.
        let lasted_ms = self
            .wire
            .take()
            .map(|_| now_ms.saturating_sub(self.opened_at_ms));
        self.unsent.clear();
        let stable = lasted_ms.is_some_and(|ms| ms >= 8 * self.reconnect_ms);
        self.failures = if stable {
            0
        } else {
            self.failures.saturating_add(1)
        };
        let pause = self.reconnect_ms << self.failures.min(4);
        self.retry_at_ms = now_ms + pause;
        tracing::warn!(target: "terminal", %why, retry_in_ms = pause, "card terminal link down");
        self.step(|engine, out| engine.link_down(now_ms, why, out));
    }

    fn wait(&mut self) {
        let now_ms = self.now_ms();
        let wanted = self.wire.is_none() && self.engine.wants_link();
        let reconnect = wanted.then_some(self.retry_at_ms);
        let due = self.engine.deadline_ms().into_iter().chain(reconnect).min();
        let sleep = due.map_or(LONGEST_SLEEP_MS, |due| due.saturating_sub(now_ms));
        let timeout =
            PollTimeout::try_from(sleep.min(LONGEST_SLEEP_MS) as i32).unwrap_or(PollTimeout::ZERO);
        // SAFETY: both descriptors are owned by `self` and stay open during the call.
        let wake = unsafe { BorrowedFd::borrow_raw(self.wake.as_raw_fd()) };
        let mut fds = vec![PollFd::new(wake, PollFlags::POLLIN)];
        if let Some(wire) = &self.wire {
            let mut flags = PollFlags::POLLIN;
            if !self.unsent.is_empty() {
                flags |= PollFlags::POLLOUT;
            }
            // SAFETY: as above.
            let fd = unsafe { BorrowedFd::borrow_raw(wire.as_raw_fd()) };
            fds.push(PollFd::new(fd, flags));
        }
        // An interrupted poll is repeated by the loop.
        let _ = poll(&mut fds, timeout);
    }

    fn move_bytes(&mut self) {
        let mut buffer = [0u8; 2048];
        while let Some(wire) = self.wire.as_mut() {
            match wire.try_read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    let now_ms = self.now_ms();
                    self.step(|engine, out| engine.bytes(now_ms, &buffer[..count], out));
                    // Card data of a wrongly configured terminal must not linger.
                    buffer.fill(0);
                }
                Err(why) => self.lost(&why),
            }
        }
        self.write_unsent();
    }

    fn write_unsent(&mut self) {
        while !self.unsent.is_empty() {
            let Some(wire) = self.wire.as_mut() else {
                self.unsent.clear();
                return;
            };
            match wire.try_write(&self.unsent) {
                Ok(0) => return,
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(why) => {
                    self.lost(&why);
                    return;
                }
            }
        }
    }

    /// Hands queued commands to the engine; `false` when the last handle is gone.
    fn take_commands(&mut self) -> bool {
        let mut drained = [0u8; 64];
        while matches!((&self.wake).read(&mut drained), Ok(count) if count > 0) {}
        loop {
            match self.queue.try_recv() {
                Ok(command) => {
                    let now_ms = self.now_ms();
                    self.step(|engine, out| engine.command(now_ms, command, out));
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }
}

/// Refuses whatever still waits when a link is down; shared by the engines.
pub(crate) fn refuse_all(
    commands: impl IntoIterator<Item = Command>,
    why: &NotStarted,
    out: &mut Output,
) {
    out.events.extend(
        commands
            .into_iter()
            .filter_map(|command| command.refused(why.clone())),
    );
}
