//! What the driver tells and how it grades its knowledge.

use super::super::protocol::status::Status;
use super::plan::JobError;

/// The caller's name for a job; 16 bytes hold a UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JobId(pub u128);

/// What the printer is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrinterState {
    /// The port is being opened or the printer asked for a first answer.
    Connecting,
    /// Can print.
    Ready,
    /// Can print, but the roll ends soon: have a new one at hand.
    PaperNearEnd,
    /// The roll is used up: put in a new one.
    PaperOut,
    /// The cover is open: close it.
    CoverOpen,
    /// The blade is stuck: open the cover, free the paper, close it.
    CutterJam,
    /// The head is too hot: waits by itself.
    Cooling,
    /// An error only switching off and on clears.
    Fault,
    /// No data can be sent.
    Offline(OfflineReason),
}

impl PrinterState {
    /// Whether a receipt can be printed now.
    pub fn can_print(self) -> bool {
        matches!(self, Self::Ready | Self::PaperNearEnd)
    }

    /// The state that a status means.
    pub fn from_status(status: &Status) -> Self {
        if status.cover_open {
            Self::CoverOpen
        } else if status.paper_out {
            Self::PaperOut
        } else if status.cutter_error {
            Self::CutterJam
        } else if status.unrecoverable_error {
            Self::Fault
        } else if status.waiting_to_cool {
            Self::Cooling
        } else if status.other_error {
            Self::Fault
        } else if status.offline {
            Self::Offline(OfflineReason::Paused)
        } else if status.paper_near_end {
            Self::PaperNearEnd
        } else {
            Self::Ready
        }
    }
}

/// Why no data can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfflineReason {
    /// No port at the configured path: cable or USB adapter out.
    Unplugged,
    /// The kiosk's user may not open the port.
    Forbidden,
    /// Another program holds the port.
    PortBusy,
    /// The path is not a serial port, or refuses the settings.
    PortUnsuitable,
    /// The port is open but nobody answers: printer off, wrong cable or wrong speed.
    NoAnswer,
    /// The printer holds the line (handshake) and does not say why.
    Held,
    /// The printer says offline without a cause: feed button, or switched offline.
    Paused,
}

/// How well a print is proven, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProofGrade {
    /// The printer answered, after the cut and in order with the data, that it got there (`GS r`),
    /// reported no fault throughout, and had the time to print.
    Fence,
    /// As [`Self::Fence`], and its counter of cuts went up.
    FenceAndCounter,
    /// The printer echoed the job's id, which it does only when everything before is on paper.
    ProcessId,
    /// As [`Self::ProcessId`], and its counter of cuts went up.
    ProcessIdAndCounter,
}

/// What is known about a job that ran to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The printer said so.
    Printed(ProofGrade),
    /// Sent in full to a printer that by its profile confirms nothing ([`Profile::confirms`]), and
    /// nothing stood in the way: every byte left the host, and the line had the time to carry and
    /// the head the time to print them. The best this printer can do and what is expected of it,
    /// so no cause for doubt; but nobody knows, and it must not be called printed.
    ///
    /// [`Profile::confirms`]: super::super::profile::Profile::confirms
    Sent {
        /// Whether it reported no fault before, during and after; false where it says nothing.
        status_clean: bool,
    },
    /// Sent in full, but the printer, which by its profile confirms what it was sent, did not:
    /// something is wrong with its wiring or its profile, and a [`PrinterEvent::Finding`] says
    /// what.
    Unverified {
        /// Whether it reported no fault before, during and after.
        status_clean: bool,
    },
}

impl Evidence {
    /// Whether the printer said that it is on paper.
    pub fn is_printed(self) -> bool {
        matches!(self, Self::Printed(_))
    }
}

/// How far a job got that did not run to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace {
    /// Bytes handed to the system.
    pub sent_bytes: usize,
    /// Bytes the printer confirmed to have processed.
    pub confirmed_bytes: usize,
    /// Bytes of the job.
    pub total_bytes: usize,
    /// Cut counter before the job, where the printer has one: compare it when it is back.
    pub cuts_before: Option<u32>,
}

/// Why the outcome of a job is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Doubt {
    /// The port went away.
    #[error(
        "the printer was unplugged while printing: look at the paper; print again only as a marked copy"
    )]
    Unplugged,
    /// Status questions stayed unanswered.
    #[error(
        "the printer stopped answering while printing, perhaps it lost power: look at the paper; print again only as a marked copy"
    )]
    Silent,
    /// The printer answers, but the fences did not come back.
    #[error(
        "the printer did not confirm what it was sent: look at the paper; print again only as a marked copy"
    )]
    NotConfirmed,
    /// Paper or cover stopped the job; it went on, but nobody can tell whether lines were lost.
    #[error(
        "paper or cover interrupted the printing: look at the paper; print again only as a marked copy"
    )]
    Interrupted,
    /// It stood still longer than the shopper waits, or was cancelled, and could not be purged
    /// for certain.
    #[error(
        "the printing stood still and was given up: the rest may still come out; print again only as a marked copy"
    )]
    GivenUp,
}

/// Why a job was not printed, for certain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The printer could not take it.
    #[error("the printer is not ready ({0:?}): retry helps once a person has seen to it")]
    NotReady(PrinterState),
    /// The roll is nearly used up and the receipt may not fit.
    #[error(
        "{needed_mm} mm of paper are needed but only about {left_mm} mm are left: put in a new roll, then retry"
    )]
    PaperTooLow {
        /// Paper the receipt takes, in millimetres.
        needed_mm: u32,
        /// Paper left for sure, in millimetres.
        left_mm: u32,
    },
    /// The bytes are not a job.
    #[error(transparent)]
    BadJob(#[from] JobError),
    /// Too many jobs wait already.
    #[error("too many receipts wait for the printer: retry helps when it has caught up")]
    QueueFull,
    /// The caller's spool could not record the start, so nothing was sent.
    #[error("the start of printing could not be stored: retry helps once the disk is writable")]
    NotRecorded,
    /// Taken back before it was complete; what was sent has been cleared from the printer.
    #[error("the receipt was taken back: print again as a marked copy if it is still wanted")]
    Cancelled,
    /// It stood still too long and the printer confirmed that it cleared the rest.
    #[error("the printing stood still and was cleared: print again only as a marked copy")]
    Purged,
}

/// What the driver reports, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrinterEvent {
    /// The state changed.
    State(PrinterState),
    /// The start is recorded and the first byte is about to leave.
    JobStarted {
        /// Which job.
        job: JobId,
        /// Cut counter before the job, where the printer has one.
        cuts_before: Option<u32>,
    },
    /// How far the printing got.
    Progress {
        /// Which job.
        job: JobId,
        /// Bytes the printer confirmed (sent bytes where it cannot confirm).
        done_bytes: usize,
        /// Bytes of the job.
        total_bytes: usize,
    },
    /// The job ran to its end.
    JobDone {
        /// Which job.
        job: JobId,
        /// What proves it.
        evidence: Evidence,
    },
    /// The job was certainly not printed in full.
    JobFailed {
        /// Which job.
        job: JobId,
        /// Whether not one byte left: only then may it be sent again unmarked.
        nothing_sent: bool,
        /// Why.
        reason: Refusal,
    },
    /// Nobody can tell from here whether it was printed.
    JobUnknown {
        /// Which job.
        job: JobId,
        /// How far it got.
        trace: Trace,
        /// Why.
        doubt: Doubt,
    },
    /// Something a person should know about wiring or settings.
    Finding(super::super::doctor::Finding),
}

/// What may be done with a receipt after a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resend {
    /// It is printed or as good as: no reprint by itself.
    No,
    /// Nothing was sent: may be sent again as it is.
    AsIs,
    /// Something may be on paper: only as a copy marked BẢN SAO, and only when asked for.
    AsMarkedCopy,
}

impl PrinterEvent {
    /// The rule for sending again, or `None` for events that do not end a job. The one place
    /// that decides it, so that no two unmarked receipts of one sale can exist.
    pub fn resend(&self) -> Option<Resend> {
        match self {
            Self::JobDone { .. } => Some(Resend::No),
            Self::JobFailed { nothing_sent, .. } if *nothing_sent => Some(Resend::AsIs),
            Self::JobFailed { .. } | Self::JobUnknown { .. } => Some(Resend::AsMarkedCopy),
            _ => None,
        }
    }
}

/// What a spool remembers about a job when the kiosk starts again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolRecord {
    /// Whether [`Spool::started`] was recorded.
    pub started: bool,
    /// Cut counter recorded with it.
    pub cuts_before: Option<u32>,
    /// Cuts the job makes.
    pub cuts: u32,
}

/// What to make of a job found unfinished after a restart of the kiosk, given the printer's
/// cut counter now (where it has one). Pure.
pub fn after_restart(record: &SpoolRecord, cuts_now: Option<u32>) -> Resend {
    if !record.started {
        return Resend::AsIs;
    }
    match (record.cuts_before, cuts_now) {
        (Some(before), Some(now)) if record.cuts > 0 && now >= before + record.cuts => Resend::No,
        _ => Resend::AsMarkedCopy,
    }
}

/// The caller's durable record of a job. Called on the printer's thread; may block on a disk.
pub trait Spool: Send {
    /// The first byte is about to leave. Must be durable on return.
    ///
    /// # Errors
    /// Any error keeps the job from being sent ([`Refusal::NotRecorded`]).
    fn started(&mut self, job: JobId, cuts_before: Option<u32>) -> std::io::Result<()>;

    /// The printer confirmed `bytes` of the job. Need not be durable.
    fn confirmed(&mut self, _job: JobId, _bytes: usize) {}
}

/// A spool for what may be lost: test pages.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSpool;

impl Spool for NoSpool {
    fn started(&mut self, _job: JobId, _cuts_before: Option<u32>) -> std::io::Result<()> {
        Ok(())
    }
}
