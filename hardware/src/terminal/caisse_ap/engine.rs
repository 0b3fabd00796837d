//! The Caisse-AP driver without input and output: one connection, one order, one answer.

use super::protocol::{AMOUNT_DIGITS, Action, Answer, MAX_MESSAGE_BYTES, Status, request};
use crate::terminal::admission::{Admission, recover_from_journal};
use crate::terminal::codes::{DeclineReason, ShopperPrompt};
use crate::terminal::config::{Checked, ConfigError, TerminalConfig, Timeouts};
use crate::terminal::driver::refuse_all;
use crate::terminal::engine::{Command, Engine, Output};
use crate::terminal::journal::Order;
use crate::terminal::types::{
    Amount, Approval, AttemptId, Baseline, Capabilities, Currency, LinkFault, LinkState,
    NotStarted, OrderKind, Outcome, RecoveryMeans, TerminalEvent, TerminalStatus,
    TransactionIdentity, Unknown,
};

/// Silence after whole fields that ends a message; it has no end mark.
const END_OF_MESSAGE_MS: u64 = 300;
/// How long a prepared connection is kept for its order.
const KEEP_PREPARED_MS: u64 = 30_000;

enum State {
    Idle,
    /// The link is wanted for this command.
    Connecting(Command),
    /// Connected and waiting for the order.
    Prepared {
        until_ms: u64,
    },
    /// The order is out.
    Asked {
        order: Asked,
        received: Vec<u8>,
        deadline_ms: u64,
    },
    /// The answer was an approval; it must be stored.
    Approved(Approval),
}

struct Asked {
    attempt: AttemptId,
    kind: OrderKind,
    amount: Amount,
}

/// See the module text.
pub(crate) struct CaisseApEngine {
    checked: Checked,
    timeouts: Timeouts,
    admission: Admission,
    state: State,
    link: bool,
    reported_up: Option<bool>,
    alarm_raised: bool,
}

impl CaisseApEngine {
    pub(crate) fn new(config: &TerminalConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            checked: config.check()?,
            timeouts: config.timeouts,
            admission: Admission::default(),
            state: State::Idle,
            link: false,
            reported_up: None,
            alarm_raised: false,
        })
    }

    fn report(&mut self, down: Option<&LinkFault>, out: &mut Output) {
        let up = down.is_none();
        if self.reported_up != Some(up) {
            self.reported_up = Some(up);
            out.events.push(TerminalEvent::Link(match down {
                None => LinkState::Up { terminal_id: None },
                Some(why) => LinkState::Down { why: why.clone() },
            }));
        }
    }

    fn start(&mut self, now_ms: u64, command: Command, out: &mut Output) {
        match command {
            Command::Prepare(attempt) => {
                self.state = State::Prepared {
                    until_ms: now_ms + KEEP_PREPARED_MS,
                };
                let baseline = Baseline::Unavailable;
                out.events
                    .push(TerminalEvent::Prepared { attempt, baseline });
            }
            Command::Status => {
                out.events
                    .push(TerminalEvent::Status(TerminalStatus::NotReported));
                self.state = State::Idle;
                out.close = true;
            }
            Command::Pay(order) => self.ask(now_ms, &order, Action::Debit, out),
            Command::Refund(order) => self.ask(now_ms, &order, Action::Credit, out),
            other => refuse_all([other], &NotStarted::Unsupported, out),
        }
    }

    fn ask(&mut self, now_ms: u64, order: &impl Order, action: Action, out: &mut Output) {
        let attempt = order.attempt();
        match self
            .admission
            .admit(order, self.checked.currency, AMOUNT_DIGITS)
        {
            Ok(amount) => {
                out.wire.extend(request(amount, action).into_bytes());
                let order = Asked {
                    attempt,
                    kind: order.kind(),
                    amount,
                };
                let deadline_ms = now_ms + self.timeouts.completion_ms;
                self.state = State::Asked {
                    order,
                    received: Vec::new(),
                    deadline_ms,
                };
                let prompt = ShopperPrompt::FollowTerminal;
                out.events.push(TerminalEvent::Prompt { attempt, prompt });
            }
            Err(why) => {
                let outcome = Outcome::NotStarted { why };
                out.events
                    .push(TerminalEvent::Finished { attempt, outcome });
                self.state = State::Prepared {
                    until_ms: now_ms + KEEP_PREPARED_MS,
                };
            }
        }
    }

    /// The message is complete, or nothing more will come.
    fn evaluate(&mut self, lost: Unknown, out: &mut Output) {
        let State::Asked {
            order,
            mut received,
            ..
        } = std::mem::replace(&mut self.state, State::Idle)
        else {
            return;
        };
        let answer = Answer::parse(&received);
        received.fill(0);
        out.close = true;
        if answer.was_unmasked && !self.alarm_raised {
            self.alarm_raised = true;
            out.events.push(TerminalEvent::UnmaskedCardNumber);
        }
        let seen = identity(&answer);
        let wanted = match order.kind {
            OrderKind::Refund => Action::Credit,
            _ => Action::Debit,
        };
        let fits = answer.amount_minor == Some(order.amount.minor)
            && answer.currency == Some(order.amount.currency.0)
            && answer.action == Some(wanted);
        let why = match answer.status {
            Status::Done if fits => {
                let approval = Approval {
                    attempt: order.attempt,
                    kind: order.kind,
                    amount: order.amount,
                    identity: seen,
                    scheme: answer.scheme,
                    card: answer.card,
                };
                self.state = State::Approved(approval.clone());
                out.events.push(TerminalEvent::ApprovalPending { approval });
                return;
            }
            Status::Done => Unknown::Mismatch {
                seen: Box::new(seen),
            },
            // Of an abandoned order the amount may differ, the currency and what was asked may not.
            Status::Failed if answer.is_whole && !answers(&answer, wanted, order.amount) => {
                Unknown::Mismatch {
                    seen: Box::new(seen),
                }
            }
            // A failure that is not whole may be the start of something else.
            Status::Failed if answer.is_whole => {
                let outcome = Outcome::Declined {
                    reason: reason(answer.reason),
                };
                out.events
                    .push(self.admission.finish(order.attempt, outcome));
                return;
            }
            Status::AcceptedOnly => Unknown::NoResult,
            Status::Failed | Status::Unclear => lost,
        };
        out.events.push(
            self.admission
                .finish(order.attempt, Outcome::Unknown { why }),
        );
    }

    fn end_approval(&mut self, attempt: AttemptId, refused: bool, out: &mut Output) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Approved(approval) if approval.attempt == attempt => {
                let outcome = if refused {
                    Outcome::Unknown {
                        why: Unknown::RejectedByKiosk,
                    }
                } else {
                    Outcome::Approved(approval)
                };
                out.events.push(self.admission.finish(attempt, outcome));
            }
            other => self.state = other,
        }
    }
}

/// Whether a failure can be the answer to what was asked.
fn answers(answer: &Answer, wanted: Action, amount: Amount) -> bool {
    answer.action.is_none_or(|action| action == wanted)
        && answer
            .currency
            .is_none_or(|currency| currency == amount.currency.0)
}

/// Meaning of `AF`.
fn reason(code: Option<u8>) -> DeclineReason {
    match code {
        Some(4) => DeclineReason::ByBank(4),
        Some(5) => DeclineReason::ForbiddenBySecurity,
        Some(8 | 11) => DeclineReason::CancelledOrTimeout,
        Some(9) => DeclineReason::NotPossible,
        Some(other) => DeclineReason::Other(other),
        None => DeclineReason::Other(0),
    }
}

fn identity(answer: &Answer) -> TransactionIdentity {
    TransactionIdentity {
        authorisation_code: answer.authorisation_code.clone(),
        amount_minor: answer.amount_minor,
        currency: answer.currency.map(Currency),
        result_code: if answer.status == Status::Done {
            0
        } else {
            answer.reason.unwrap_or(0xFF)
        },
        ..TransactionIdentity::default()
    }
}

impl Engine for CaisseApEngine {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            protocol: "Caisse-AP IP",
            recovery: RecoveryMeans::Nobody,
            can_hold: false,
            can_reject: false,
            can_abort: false,
            can_reverse: false,
            can_refund: true,
            can_close_day: false,
            amount_digits: AMOUNT_DIGITS,
        }
    }

    fn wants_link(&self) -> bool {
        // A connection without an order only shows whether the terminal is there.
        self.reported_up != Some(true) || matches!(self.state, State::Connecting(_))
    }

    fn link_up(&mut self, now_ms: u64, out: &mut Output) {
        self.link = true;
        self.report(None, out);
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Connecting(command) => self.start(now_ms, command, out),
            other => {
                self.state = other;
                out.close = true;
            }
        }
    }

    fn link_down(&mut self, now_ms: u64, why: &LinkFault, out: &mut Output) {
        let _ = now_ms;
        let never_up = !std::mem::take(&mut self.link);
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Connecting(command) => refuse_all([command], &NotStarted::NotConnected, out),
            asked @ State::Asked { .. } => {
                self.state = asked;
                self.evaluate(Unknown::LinkLost, out);
            }
            approved @ State::Approved(_) => self.state = approved,
            State::Idle | State::Prepared { .. } => {}
        }
        if never_up {
            self.report(Some(why), out);
        }
    }

    fn bytes(&mut self, now_ms: u64, bytes: &[u8], out: &mut Output) {
        let State::Asked {
            received,
            deadline_ms,
            ..
        } = &mut self.state
        else {
            return;
        };
        received.extend(bytes);
        if received.len() > MAX_MESSAGE_BYTES {
            self.evaluate(Unknown::NoResult, out);
            return;
        }
        let (fields, is_whole) = super::protocol::read(received);
        let has_status = fields.iter().any(|(tag, _)| tag == "AE");
        // Whole fields with a status may still be followed by more; a torn one certainly is.
        let wait_ms = match (is_whole, has_status) {
            (true, true) => END_OF_MESSAGE_MS,
            (false, _) => self.timeouts.reply_ms,
            (true, false) => self.timeouts.completion_ms,
        };
        *deadline_ms = now_ms + wait_ms;
    }

    fn command(&mut self, now_ms: u64, command: Command, out: &mut Output) {
        match command {
            Command::ApprovalStored(stored) => {
                self.end_approval(stored.value().attempt, false, out);
            }
            Command::ApprovalRefused(attempt) => self.end_approval(attempt, true, out),
            Command::Recover(request) => {
                self.admission.recovered(request.attempt);
                out.events.push(recover_from_journal(request));
            }
            Command::Reverse(_) | Command::EndOfDay(_) => {
                refuse_all([command], &NotStarted::Unsupported, out);
            }
            Command::Abort(_) => refuse_all([command], &NotStarted::Unsupported, out),
            command => match self.state {
                State::Idle => self.state = State::Connecting(command),
                State::Prepared { .. } => self.start(now_ms, command, out),
                _ => refuse_all([command], &NotStarted::Busy, out),
            },
        }
    }

    fn tick(&mut self, now_ms: u64, out: &mut Output) {
        match &self.state {
            State::Asked { deadline_ms, .. } if *deadline_ms <= now_ms => {
                self.evaluate(Unknown::NoCompletion, out);
            }
            State::Prepared { until_ms } if *until_ms <= now_ms => {
                self.state = State::Idle;
                out.close = true;
            }
            _ => {}
        }
    }

    fn deadline_ms(&self) -> Option<u64> {
        match &self.state {
            State::Asked { deadline_ms, .. } => Some(*deadline_ms),
            State::Prepared { until_ms } => Some(*until_ms),
            _ => None,
        }
    }

    fn stop(&mut self, out: &mut Output) {
        let why = Unknown::DriverStopped;
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Asked { order, .. } => {
                out.events.push(
                    self.admission
                        .finish(order.attempt, Outcome::Unknown { why }),
                );
            }
            State::Approved(approval) => {
                let outcome = Outcome::Unknown { why };
                out.events
                    .push(self.admission.finish(approval.attempt, outcome));
            }
            State::Connecting(command) => refuse_all([command], &NotStarted::NotConnected, out),
            State::Idle | State::Prepared { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::caisse_ap::protocol::write;

    #[test]
    fn a_failure_of_something_else_is_no_answer() {
        // Proves that a failed debit does not decline a refund, nor one in another currency a sale;
        // the amount of an abandoned order may differ.
        let failure = |action, currency| {
            let fields = [("AE", "01"), ("CD", action), ("CE", currency), ("CB", "1")];
            Answer::parse(write(&fields).as_bytes())
        };
        let amount = Amount::new(500, Currency::EUR);
        assert!(answers(&failure("0", "978"), Action::Debit, amount));
        assert!(!answers(&failure("0", "978"), Action::Credit, amount));
        assert!(!answers(&failure("0", "704"), Action::Debit, amount));
        let short = Answer::parse(b"AE00201AF00204");
        assert!(answers(&short, Action::Debit, amount));
    }
}
