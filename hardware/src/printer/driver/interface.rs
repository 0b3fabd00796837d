//! What goes into the state machine and what comes out.

use super::super::profile::{Handshake, Profile};
use super::event::{JobId, OfflineReason, PrinterEvent};

/// How long the driver waits for what, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// For the answer to a status question while a job is under way. Three missed answers in a
    /// row are silence.
    pub answer_ms: u64,
    /// For the answer to a status question at rest. With `idle_poll_ms` it sets how soon a dead
    /// printer is known: one pause and three answers.
    pub idle_answer_ms: u64,
    /// Between status questions at rest.
    pub idle_poll_ms: u64,
    /// Between status questions while printing.
    pub busy_poll_ms: u64,
    /// Before opening a lost port again.
    pub reopen_ms: u64,
    /// For a printer that is connecting when a job comes.
    pub preflight_ms: u64,
    /// For a fence on top of the time printing takes.
    pub fence_ms: u64,
    /// For paper or cover in the middle of a job before it is given up: the shopper is gone.
    pub blocked_ms: u64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            answer_ms: 500,
            idle_answer_ms: 300,
            idle_poll_ms: 500,
            busy_poll_ms: 200,
            reopen_ms: 1_000,
            preflight_ms: 5_000,
            fence_ms: 3_000,
            blocked_ms: 120_000,
        }
    }
}

/// What the machine needs to know about the printer and its port.
#[derive(Debug, Clone)]
pub struct MachineConfig {
    /// The model.
    pub profile: Profile,
    /// Line speed; `None` tries the usual ones.
    pub baud: Option<u32>,
    /// Handshake on the cable.
    pub handshake: Handshake,
    /// Patience.
    pub timing: Timing,
    /// Whether an earlier run of the program left a job unfinished: the torn receipt is then
    /// closed off and cut before anything else is printed.
    pub unfinished_job: bool,
}

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// The port is open.
    Opened,
    /// The port could not be opened.
    OpenFailed(OfflineReason),
    /// The port went away.
    Gone,
    /// Bytes arrived.
    Received(&'a [u8]),
    /// Bytes in the system's buffer and the state of CTS, where the port has it.
    Line {
        /// Bytes taken by the system that have not left.
        unsent_bytes: usize,
        /// Clear to send.
        clear_to_send: Option<bool>,
    },
    /// A job to print.
    Print {
        /// Its name.
        job: JobId,
        /// Its bytes.
        bytes: Vec<u8>,
    },
    /// The answer to [`Action::Record`]: whether the start is durable.
    Recorded(bool),
    /// Take a job back, or give it up if it is being printed.
    Cancel(JobId),
    /// Open the drawer now.
    OpenDrawer,
    /// Time passed.
    Tick,
}

/// What the world has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Open the port.
    Open {
        /// Line speed.
        baud: u32,
        /// Handshake.
        handshake: Handshake,
    },
    /// Close the port and forget what has not left.
    Close,
    /// Throw away what the system holds and has not sent.
    Discard,
    /// Make the start of the job durable, then answer with [`Input::Recorded`].
    Record {
        /// Which job.
        job: JobId,
        /// Cut counter now.
        cuts_before: Option<u32>,
    },
    /// The printer confirmed bytes of a job: for the spool.
    Confirmed {
        /// Which job.
        job: JobId,
        /// How many.
        bytes: usize,
    },
    /// Tell the caller.
    Event(PrinterEvent),
}
