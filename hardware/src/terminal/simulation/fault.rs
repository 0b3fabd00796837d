//! What goes wrong.

/// One thing that goes wrong at one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The kiosk loses its power: its memory is gone, the synced part of its journal stays.
    KioskDies {
        /// What had left the program still reaches the terminal.
        bytes_arrive: bool,
        /// What was written and not synced is there afterwards all the same.
        writes_survive: bool,
    },
    /// The cable is out for a moment.
    LinkCut,
    /// The terminal loses its power.
    TerminalDies,
    /// One byte on its way to the kiosk is changed. Serial lines only: TCP has checksums.
    Garble,
    /// What the terminal says next is lost.
    AnswerLost,
    /// What the terminal says next arrives so much later, and everything after it.
    AnswerLate {
        /// How much.
        ms: u64,
    },
    /// What the terminal says next of its own accord comes twice, as when it misses our answer.
    /// It never says its answer to a command twice: that is sent when the command comes, and
    /// nothing in the protocol could tell the second from the answer to the next command.
    AnswerDoubled,
    /// A message about somebody else's transaction, between two messages of the terminal.
    AnswerForeign {
        /// An approval instead of a decline.
        approved: bool,
    },
    /// What the kiosk has under way to the terminal is lost.
    OrderLost,
    /// The shopper, or staff, asks for the running order to be given up.
    Abort,
    /// Somebody uses the terminal without the kiosk.
    StandAloneSale {
        /// Minor units.
        minor: u64,
    },
    /// The next write of the journal fails.
    DiskFull,
    /// The disk needs so long for the next sync.
    DiskSlow {
        /// How long.
        ms: u64,
    },
}

impl Fault {
    /// Whether afterwards an answer can meet another message than it was given to.
    pub(crate) fn can_cross_answers(self) -> bool {
        matches!(
            self,
            Self::AnswerDoubled | Self::AnswerForeign { .. } | Self::AnswerLate { .. }
        )
    }

    /// The ways of dying and losing the line, which every protocol must survive.
    pub(crate) const DEATHS: [Self; 6] = [
        Self::KioskDies {
            bytes_arrive: false,
            writes_survive: false,
        },
        Self::KioskDies {
            bytes_arrive: true,
            writes_survive: false,
        },
        Self::KioskDies {
            bytes_arrive: false,
            writes_survive: true,
        },
        Self::KioskDies {
            bytes_arrive: true,
            writes_survive: true,
        },
        Self::LinkCut,
        Self::TerminalDies,
    ];
}

/// How the kiosk behaves; everything but `Correct` is wrong on purpose, to test the test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Habit {
    Correct,
    /// Acknowledges first and writes the journal afterwards.
    AcknowledgesBeforeStoring,
    /// Writes the approval, acknowledges, and syncs afterwards.
    SyncsAfterAcknowledging,
    /// Writes the order, sends it, and syncs afterwards.
    SyncsAfterSending,
    /// Takes "unknown" for "declined" and tries again.
    TakesUnknownForDeclined,
    /// After a restart sends the order that was under way once more.
    SendsAgainAfterRestart,
}

impl Habit {
    /// The wrong ones.
    pub(crate) const WRONG: [Self; 5] = [
        Self::AcknowledgesBeforeStoring,
        Self::SyncsAfterAcknowledging,
        Self::SyncsAfterSending,
        Self::TakesUnknownForDeclined,
        Self::SendsAgainAfterRestart,
    ];
}
