//! What a driver tells the kiosk.

use super::codes::{DeclineReason, ShopperPrompt};
use super::journal::ProofMismatch;
use super::outcome::{DayCloseOutcome, NotReady, Outcome, Recovered, TerminalStatus};
use super::types::{Approval, AttemptId, Baseline, TransactionIdentity};

/// State of the link to the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkState {
    /// Connected, registered, usable.
    Up {
        /// Terminal id if it gave one.
        terminal_id: Option<String>,
    },
    /// Not usable; the driver keeps trying.
    Down {
        /// What failed; its text is for staff and holds no card data.
        why: LinkFault,
    },
}

/// Why the link to the terminal is down. The driver tries again by itself in every case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkFault {
    /// No device at this path.
    #[error("no device at {path}; check the cable and the power of the card terminal")]
    PortAbsent {
        /// Path from the settings.
        path: String,
    },
    /// The device may not be used by this user. A person must help.
    #[error("not allowed to use {path}; add the kiosk's user to the group that owns it (dialout)")]
    PortForbidden {
        /// Path from the settings.
        path: String,
    },
    /// Another program holds the device.
    #[error("{path} is used by another program; stop that program")]
    PortBusy {
        /// Path from the settings.
        path: String,
    },
    /// The path is no serial port or refuses the speed. A person must help.
    #[error("the serial port does not accept the settings ({detail}); check path and baud")]
    PortUnsuitable {
        /// What the system said.
        detail: String,
    },
    /// No TCP connection could be made.
    #[error("no connection to {place} ({detail}); check the network and the terminal's address")]
    Unreachable {
        /// Host and port.
        place: String,
        /// What the system said.
        detail: String,
    },
    /// The connection broke, or the terminal closed it.
    #[error("the connection to the card terminal broke ({detail}); check the cable")]
    Lost {
        /// What the system said.
        detail: String,
    },
    /// Connected, but the terminal says nothing.
    #[error("the card terminal does not answer; check baud, cable and that its till mode is on")]
    NoAnswer,
    /// The terminal refused the registration. A person must help.
    #[error(
        "the card terminal refused to register (code {code:02X}): {reason}; check the password"
    )]
    RegistrationRefused {
        /// Protocol code.
        code: u8,
        /// Meaning of the code.
        reason: DeclineReason,
    },
    /// The driver opens the connection again on purpose, to start clean.
    #[error("the connection is opened again to start clean")]
    StartingClean,
}

/// What a driver tells the kiosk. Delivered on the driver's thread: hand it on, do not work in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TerminalEvent {
    /// The link changed.
    Link(LinkState),
    /// The terminal is ready; journal the baseline with the order, then arm and send.
    Prepared {
        /// Attempt asked for.
        attempt: AttemptId,
        /// Last transaction now.
        baseline: Baseline,
    },
    /// The terminal is not ready; no money moved.
    NotPrepared {
        /// Attempt asked for.
        attempt: AttemptId,
        /// Why.
        why: NotReady,
    },
    /// Something to show the shopper.
    Prompt {
        /// Running attempt.
        attempt: AttemptId,
        /// What to do.
        prompt: ShopperPrompt,
    },
    /// The terminal approved and waits: make this durable, then call `approval_stored`, or
    /// `approval_refused` if it cannot be stored. The money is not taken yet on terminals with
    /// [`super::Capabilities::can_reject`].
    ApprovalPending {
        /// Evidence to journal.
        approval: Approval,
    },
    /// An order ended.
    Finished {
        /// The attempt.
        attempt: AttemptId,
        /// How.
        outcome: Outcome,
    },
    /// The terminal will not abort any more; the order goes on.
    AbortRefused {
        /// The attempt.
        attempt: AttemptId,
    },
    /// Answer to `recover`.
    Recovered {
        /// The attempt.
        attempt: AttemptId,
        /// What became of it.
        recovered: Recovered,
    },
    /// Answer to `status`, also sent when a routine enquiry shows a change.
    Status(TerminalStatus),
    /// Answer to `end_of_day`.
    EndOfDay {
        /// The attempt.
        attempt: AttemptId,
        /// How it ended.
        outcome: DayCloseOutcome,
    },
    /// Lines the terminal wanted printed, with every card number masked.
    ReceiptLines {
        /// Text lines.
        lines: Vec<String>,
    },
    /// The terminal approved something nobody ordered; it was sent back. Tell staff.
    StrayApproval {
        /// What it was.
        seen: TransactionIdentity,
    },
    /// The terminal sent an unmasked card number. It was masked before anything saw it; the
    /// terminal is configured wrongly and must be fixed (PCI DSS 3.4.1).
    UnmaskedCardNumber,
}

/// The command was not queued and nothing will be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommandRefused {
    /// The driver's thread has ended. Restart the driver.
    #[error("the card terminal driver has stopped; restart it")]
    Stopped,
    /// Too many commands wait. Retry in a moment.
    #[error("the card terminal driver is busy; try again in a moment")]
    QueueFull,
    /// The proof did not fit.
    #[error(transparent)]
    Proof(#[from] ProofMismatch),
}
