//! A driver without a thread and without a wire: whoever holds it moves its bytes and its time.
//!
//! The engine is the one the driver's thread runs. With it a whole counter, its disk and a terminal's model can be
//! taken through a payment step by step, and stopped at any step, faster than time and the same every time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::config::{ConfigError, TerminalConfig};
use super::driver::engine_for;
use super::engine::{Command, Engine, Output};
use super::queue::CommandQueue;
use super::types::{Capabilities, CommandRefused, LinkFault, TerminalEvent};

type Queue = Arc<Mutex<VecDeque<Command>>>;

fn lock(queue: &Queue) -> MutexGuard<'_, VecDeque<Command>> {
    // Every change is one push or pop; a panicked holder left it whole.
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one step of the driver wants done.
#[derive(Debug, Default)]
pub struct StepOutput {
    /// Bytes for the wire, in order.
    pub wire: Vec<u8>,
    /// Events for the kiosk, in order.
    pub events: Vec<TerminalEvent>,
    /// The connection is to be closed and opened again.
    pub close: bool,
}

impl From<Output> for StepOutput {
    fn from(out: Output) -> Self {
        Self {
            wire: out.wire,
            events: out.events,
            close: out.close,
        }
    }
}

/// The driver's own side: bytes, time and waiting commands go in one at a time. Times are milliseconds of one
/// monotonic clock.
pub struct SteppedDriver {
    engine: Box<dyn Engine>,
    queue: Queue,
}

/// The kiosk's side. Commands wait until [`SteppedDriver::take_command`].
#[derive(Clone)]
pub struct SteppedHandle {
    queue: Queue,
    capabilities: Capabilities,
}

impl SteppedDriver {
    /// A driver with these settings, and the kiosk's end of it.
    ///
    /// # Errors
    /// As for [`super::TerminalDriver::spawn`].
    pub fn new(config: &TerminalConfig) -> Result<(Self, SteppedHandle), ConfigError> {
        let engine = engine_for(config)?;
        let queue = Queue::default();
        let handle = SteppedHandle {
            queue: queue.clone(),
            capabilities: engine.capabilities(),
        };
        Ok((Self { engine, queue }, handle))
    }

    fn step(&mut self, run: impl FnOnce(&mut dyn Engine, &mut Output)) -> StepOutput {
        let mut out = Output::default();
        run(self.engine.as_mut(), &mut out);
        out.into()
    }

    /// Whether a connection is wanted now.
    pub fn wants_link(&self) -> bool {
        self.engine.wants_link()
    }

    /// A connection was made.
    pub fn link_up(&mut self, now_ms: u64) -> StepOutput {
        self.step(|engine, out| engine.link_up(now_ms, out))
    }

    /// The connection is gone.
    pub fn link_down(&mut self, now_ms: u64) -> StepOutput {
        self.step(|engine, out| engine.link_down(now_ms, &LinkFault::StartingClean, out))
    }

    /// Bytes arrived.
    pub fn bytes(&mut self, now_ms: u64, bytes: &[u8]) -> StepOutput {
        self.step(|engine, out| engine.bytes(now_ms, bytes, out))
    }

    /// Time passed.
    pub fn tick(&mut self, now_ms: u64) -> StepOutput {
        self.step(|engine, out| engine.tick(now_ms, out))
    }

    /// When [`Self::tick`] has something to do next.
    pub fn deadline_ms(&self) -> Option<u64> {
        self.engine.deadline_ms()
    }

    /// Carries out the oldest waiting command; `None` when none waits.
    pub fn take_command(&mut self, now_ms: u64) -> Option<StepOutput> {
        let command = lock(&self.queue).pop_front()?;
        Some(self.step(|engine, out| engine.command(now_ms, command, out)))
    }
}

impl CommandQueue for SteppedHandle {
    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn send(&self, command: Command) -> Result<(), CommandRefused> {
        lock(&self.queue).push_back(command);
        Ok(())
    }
}
