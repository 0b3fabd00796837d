//! The one place where an order of the kiosk becomes a command of the driver, for whatever
//! carries commands: the thread's bounded channel, or the queue of a stepped driver.

use super::PaymentTerminal;
use super::engine::Command;
use super::journal::{Armed, DayClose, Durable, Payment, Refund, Reversal};
use super::types::{Approval, AttemptId, Capabilities, CommandRefused, RecoverRequest};

/// What takes commands to a driver, in order.
pub(super) trait CommandQueue {
    /// What the driver's protocol can do.
    fn capabilities(&self) -> Capabilities;

    /// Hands a command over.
    ///
    /// # Errors
    /// When the queue is full or its driver has stopped: nothing was sent.
    fn send(&self, command: Command) -> Result<(), CommandRefused>;
}

impl<Q: CommandQueue + Send + Sync> PaymentTerminal for Q {
    fn capabilities(&self) -> Capabilities {
        CommandQueue::capabilities(self)
    }
    fn prepare(&self, attempt: AttemptId) -> Result<(), CommandRefused> {
        self.send(Command::Prepare(attempt))
    }
    fn authorise(&self, armed: Armed<Payment>) -> Result<(), CommandRefused> {
        self.send(Command::Pay(armed.into_order()))
    }
    fn refund(&self, armed: Armed<Refund>) -> Result<(), CommandRefused> {
        self.send(Command::Refund(armed.into_order()))
    }
    fn reverse(&self, armed: Armed<Reversal>) -> Result<(), CommandRefused> {
        self.send(Command::Reverse(armed.into_order()))
    }
    fn approval_stored(&self, approval: Durable<Approval>) -> Result<(), CommandRefused> {
        self.send(Command::ApprovalStored(approval))
    }
    fn approval_refused(&self, attempt: AttemptId) -> Result<(), CommandRefused> {
        self.send(Command::ApprovalRefused(attempt))
    }
    fn abort(&self, attempt: AttemptId) -> Result<(), CommandRefused> {
        self.send(Command::Abort(attempt))
    }
    fn recover(&self, request: RecoverRequest) -> Result<(), CommandRefused> {
        self.send(Command::Recover(request))
    }
    fn end_of_day(&self, armed: Armed<DayClose>) -> Result<(), CommandRefused> {
        self.send(Command::EndOfDay(armed.into_order()))
    }
    fn status(&self) -> Result<(), CommandRefused> {
        self.send(Command::Status)
    }
}
