//! The printer's driver: a thread around a state machine that does no input or output itself.
//!
//! [`PrinterDriver::spawn`] returns at once; nothing a caller does ever waits for the printer.

mod connection;
mod ending;
mod event;
mod interface;
mod job;
mod machine;
pub mod plan;
mod wire;
mod worker;

use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::profile::{Handshake, Profile};
use worker::{System, Worker};

pub use event::{
    Doubt, Evidence, JobId, NoSpool, OfflineReason, PrinterEvent, PrinterState, ProofGrade,
    Refusal, Resend, Spool, SpoolRecord, Trace, after_restart,
};
pub use interface::{Action, Input, MachineConfig, Timing};
pub use machine::Machine;
pub(super) use worker::flow_control;

/// Longest wait for the thread to end, in milliseconds. It ends at once unless the caller's spool
/// or the port's driver hangs, and then it ends by itself later.
const STOP_MS: u16 = 1_000;

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
            .spawn(move || Worker::new(config, receiver, System::new(woken), events).run())?;
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

    /// Stops the driver and waits for its thread: a few milliseconds, and never longer than a
    /// second.
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
        let Some(thread) = self.thread.take() else {
            return;
        };
        // The thread's end of the pipe closes behind the port.
        let mut ending = [PollFd::new(self.waker.as_fd(), PollFlags::POLLIN)];
        if matches!(poll(&mut ending, PollTimeout::from(STOP_MS)), Ok(1..)) {
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
