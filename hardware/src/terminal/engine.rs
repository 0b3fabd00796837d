//! What a protocol driver is without input and output: bytes, commands and time go in, bytes and
//! events come out. The same engine runs in the driver's thread and in the crash tests, where
//! time is a number and every byte can be the last.

use super::journal::{DayClose, Durable, Payment, Refund, Reversal};
use super::types::{
    Approval, AttemptId, Capabilities, DayCloseOutcome, LinkFault, NotReady, NotStarted, Outcome,
    RecoverRequest, Recovered, TerminalEvent,
};

/// A command on its way to the engine. Orders arrive disarmed: their token was consumed.
#[derive(Debug)]
pub(crate) enum Command {
    Prepare(AttemptId),
    Pay(Payment),
    Refund(Refund),
    Reverse(Reversal),
    ApprovalStored(Durable<Approval>),
    ApprovalRefused(AttemptId),
    Abort(AttemptId),
    Recover(RecoverRequest),
    EndOfDay(DayClose),
    Status,
}

impl Command {
    /// The event that says this command cannot be done because `why`; `None` for commands that
    /// expect no answer of their own.
    pub(crate) fn refused(self, why: NotStarted) -> Option<TerminalEvent> {
        let not_ready = match why {
            NotStarted::NotConnected => NotReady::NotConnected,
            _ => NotReady::Busy,
        };
        let finished = |attempt, why| {
            Some(TerminalEvent::Finished {
                attempt,
                outcome: Outcome::NotStarted { why },
            })
        };
        match self {
            Self::Prepare(attempt) => Some(TerminalEvent::NotPrepared {
                attempt,
                why: not_ready,
            }),
            Self::Pay(order) => finished(order.attempt, why),
            Self::Refund(order) => finished(order.attempt, why),
            Self::Reverse(order) => finished(order.attempt, why),
            Self::EndOfDay(order) => Some(TerminalEvent::EndOfDay {
                attempt: order.attempt,
                outcome: DayCloseOutcome::NotStarted { why },
            }),
            Self::Recover(request) => Some(TerminalEvent::Recovered {
                attempt: request.attempt,
                recovered: Recovered::CannotTell { why: not_ready },
            }),
            Self::Abort(attempt) => Some(TerminalEvent::AbortRefused { attempt }),
            Self::ApprovalStored(_) | Self::ApprovalRefused(_) | Self::Status => None,
        }
    }
}

/// What an engine wants done.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Bytes for the wire, in order.
    pub wire: Vec<u8>,
    /// Events for the kiosk, in order.
    pub events: Vec<TerminalEvent>,
    /// Close the connection and open it again.
    pub close: bool,
}

/// A protocol driver without input and output. Times are milliseconds of one monotonic clock.
pub(crate) trait Engine: Send {
    /// What this protocol and terminal can do.
    fn capabilities(&self) -> Capabilities;
    /// Whether a connection is wanted now. Some terminals take one connection per order.
    fn wants_link(&self) -> bool {
        true
    }
    /// A connection was made.
    fn link_up(&mut self, now_ms: u64, out: &mut Output);
    /// The connection is gone.
    fn link_down(&mut self, now_ms: u64, why: &LinkFault, out: &mut Output);
    /// Bytes arrived.
    fn bytes(&mut self, now_ms: u64, bytes: &[u8], out: &mut Output);
    /// The kiosk wants something.
    fn command(&mut self, now_ms: u64, command: Command, out: &mut Output);
    /// Time passed.
    fn tick(&mut self, now_ms: u64, out: &mut Output);
    /// When `tick` has something to do next.
    fn deadline_ms(&self) -> Option<u64>;
    /// The driver stops; orders under way become unknown.
    fn stop(&mut self, out: &mut Output);
}
