//! The Concert driver without input and output.
//!
//! `ENQ` asks whether the terminal is free; until its `ACK` nothing of the order has left. The
//! order goes out once. The terminal's answer is acknowledged only after it is stored.

use super::protocol::{
    ACK, AMOUNT_DIGITS, Action, Answer, ENQ, EOT, NAK, Reader, Signal, frame, order, private_field,
};
use crate::terminal::admission::{Admission, recover_from_journal};
use crate::terminal::codes::{DeclineReason, ShopperPrompt};
use crate::terminal::config::{Checked, ConfigError, TerminalConfig, Timeouts};
use crate::terminal::driver::refuse_all;
use crate::terminal::engine::{Command, Engine, Output};
use crate::terminal::journal::Order;
use crate::terminal::types::{
    Amount, Approval, AttemptId, Baseline, Capabilities, Currency, LinkFault, LinkState, NotReady,
    NotStarted, OrderKind, Outcome, RecoveryMeans, TerminalEvent, TerminalStatus,
    TransactionIdentity, Unknown,
};

#[derive(Debug, Clone)]
struct Asked {
    attempt: AttemptId,
    kind: OrderKind,
    amount: Amount,
}

#[derive(Debug)]
enum State {
    Idle,
    /// `ENQ` went out to see whether the terminal is free.
    Checking {
        attempt: Option<AttemptId>,
        deadline_ms: u64,
    },
    /// `ENQ` went out for an order, of which nothing has left yet.
    Calling {
        order: Asked,
        deadline_ms: u64,
    },
    /// The order went out.
    Sent {
        order: Asked,
        deadline_ms: u64,
    },
    /// The terminal has the order and works.
    Working {
        order: Asked,
        deadline_ms: u64,
    },
    /// The answer was an approval; it must be stored, then acknowledged.
    Approved(Approval),
}

/// See the module text.
pub(crate) struct ConcertEngine {
    checked: Checked,
    timeouts: Timeouts,
    admission: Admission,
    reader: Reader,
    state: State,
    link: bool,
    /// Why the link is down, as last reported.
    down: Option<LinkFault>,
}

impl ConcertEngine {
    pub(crate) fn new(config: &TerminalConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            checked: config.check()?,
            timeouts: config.timeouts,
            admission: Admission::default(),
            reader: Reader::default(),
            state: State::Idle,
            link: false,
            down: None,
        })
    }

    fn start(&mut self, now_ms: u64, command: Command, out: &mut Output) {
        let deadline_ms = now_ms + self.timeouts.reply_ms;
        match command {
            Command::Prepare(attempt) => {
                out.wire.push(ENQ);
                self.state = State::Checking {
                    attempt: Some(attempt),
                    deadline_ms,
                };
            }
            Command::Status => {
                out.wire.push(ENQ);
                self.state = State::Checking {
                    attempt: None,
                    deadline_ms,
                };
            }
            Command::Pay(order) => self.call(deadline_ms, &order, out),
            Command::Refund(order) => self.call(deadline_ms, &order, out),
            other => refuse_all([other], &NotStarted::Unsupported, out),
        }
    }

    fn call(&mut self, deadline_ms: u64, order: &impl Order, out: &mut Output) {
        let attempt = order.attempt();
        match self
            .admission
            .admit(order, self.checked.currency, AMOUNT_DIGITS)
        {
            Ok(amount) => {
                out.wire.push(ENQ);
                let order = Asked {
                    attempt,
                    kind: order.kind(),
                    amount,
                };
                self.state = State::Calling { order, deadline_ms };
            }
            Err(why) => {
                let outcome = Outcome::NotStarted { why };
                out.events
                    .push(TerminalEvent::Finished { attempt, outcome });
            }
        }
    }

    fn signal(&mut self, now_ms: u64, signal: Signal, out: &mut Output) {
        let state = std::mem::replace(&mut self.state, State::Idle);
        let reply_at = now_ms + self.timeouts.reply_ms;
        let done_at = now_ms + self.timeouts.completion_ms;
        self.state = match (state, signal) {
            (State::Checking { attempt, .. }, Signal::Control(ACK)) => {
                out.wire.push(EOT);
                out.events.push(checked(attempt, Ok(())));
                State::Idle
            }
            (State::Checking { attempt, .. }, Signal::Control(NAK)) => {
                out.events.push(checked(attempt, Err(NotReady::Busy)));
                State::Idle
            }
            (State::Calling { order: asked, .. }, Signal::Control(ACK)) => {
                let action = match asked.kind {
                    OrderKind::Refund => Action::Refund,
                    _ => Action::Debit,
                };
                let body = order(asked.amount, action, &private_field(asked.attempt));
                out.wire.extend(frame(&body));
                State::Sent {
                    order: asked,
                    deadline_ms: reply_at,
                }
            }
            (State::Calling { order, .. }, Signal::Control(NAK)) => {
                let why = NotStarted::Refused {
                    code: NAK,
                    reason: DeclineReason::Busy,
                };
                self.finish(order.attempt, Outcome::NotStarted { why }, out);
                State::Idle
            }
            (State::Sent { order, .. }, Signal::Control(ACK)) => {
                out.wire.push(EOT);
                let (attempt, prompt) = (order.attempt, ShopperPrompt::FollowTerminal);
                out.events.push(TerminalEvent::Prompt { attempt, prompt });
                State::Working {
                    order,
                    deadline_ms: done_at,
                }
            }
            (State::Sent { order, .. }, Signal::Control(NAK)) => {
                // Sent once: a broken NAK must not become a second order.
                let why = Unknown::NotAcknowledged;
                self.finish(order.attempt, Outcome::Unknown { why }, out);
                State::Idle
            }
            // The terminal has an answer, perhaps before its ACK was understood.
            (State::Sent { order, .. }, Signal::Control(ENQ)) => {
                out.wire.push(ACK);
                State::Working {
                    order,
                    deadline_ms: reply_at,
                }
            }
            (State::Working { order, .. }, Signal::Control(ENQ)) => {
                out.wire.push(ACK);
                State::Working {
                    order,
                    deadline_ms: reply_at,
                }
            }
            (State::Working { order, deadline_ms }, Signal::Broken) => {
                out.wire.push(NAK);
                State::Working { order, deadline_ms }
            }
            (State::Working { order, .. }, Signal::Message(body)) => {
                self.evaluate(&order, &body, out)
            }
            (State::Idle, signal) => {
                self.stray(&signal, out);
                State::Idle
            }
            (state, _) => state,
        };
    }

    fn evaluate(&mut self, asked: &Asked, body: &[u8], out: &mut Output) -> State {
        let answer = Answer::parse(body);
        let own = private_field(asked.attempt);
        let seen = answer.as_ref().map(|answer| identity(answer, &own));
        let seen = seen.unwrap_or_default();
        let fits = answer.as_ref().is_some_and(|answer| {
            answer.amount_minor == Some(asked.amount.minor)
                && answer.currency == Some(asked.amount.currency.0)
                && answer.private == own
        });
        let outcome = match (answer.map(|answer| answer.result), fits) {
            (Some('0'), true) => {
                let approval = Approval {
                    attempt: asked.attempt,
                    kind: asked.kind,
                    amount: asked.amount,
                    identity: seen,
                    scheme: None,
                    card: None,
                };
                out.events.push(TerminalEvent::ApprovalPending {
                    approval: approval.clone(),
                });
                return State::Approved(approval);
            }
            (Some('7'), true) => Outcome::Declined {
                reason: DeclineReason::Other(7),
            },
            (Some('7'), false) | (Some('0'), false) => Outcome::Unknown {
                why: Unknown::Mismatch {
                    seen: Box::new(seen),
                },
            },
            // 9 is "not verified", which says neither yes nor no.
            _ => Outcome::Unknown {
                why: Unknown::NoResult,
            },
        };
        out.wire.push(ACK);
        self.finish(asked.attempt, outcome, out);
        State::Idle
    }

    /// An answer nobody waits for any more, such as the one to an order in doubt.
    fn stray(&mut self, signal: &Signal, out: &mut Output) {
        match signal {
            Signal::Control(ENQ) => out.wire.push(ACK),
            Signal::Broken => out.wire.push(NAK),
            Signal::Message(body) => {
                out.wire.push(ACK);
                if let Some(answer) = Answer::parse(body).filter(|answer| answer.result == '0') {
                    let seen = identity(&answer, "");
                    out.events.push(TerminalEvent::StrayApproval { seen });
                }
            }
            Signal::Control(_) => {}
        }
    }

    fn finish(&mut self, attempt: AttemptId, outcome: Outcome, out: &mut Output) {
        out.events.push(self.admission.finish(attempt, outcome));
    }

    fn end_approval(&mut self, attempt: AttemptId, refused: bool, out: &mut Output) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Approved(approval) if approval.attempt == attempt => {
                if self.link {
                    out.wire.push(ACK);
                }
                let outcome = if refused {
                    Outcome::Unknown {
                        why: Unknown::RejectedByKiosk,
                    }
                } else {
                    Outcome::Approved(approval)
                };
                self.finish(attempt, outcome, out);
            }
            other => self.state = other,
        }
    }
}

/// Answer to a check: of a preparation, or of a status command.
fn checked(attempt: Option<AttemptId>, result: Result<(), NotReady>) -> TerminalEvent {
    match (attempt, result) {
        (Some(attempt), Ok(())) => TerminalEvent::Prepared {
            attempt,
            baseline: Baseline::Unavailable,
        },
        (Some(attempt), Err(why)) => TerminalEvent::NotPrepared { attempt, why },
        (None, Ok(())) => TerminalEvent::Status(TerminalStatus::Ready),
        (None, Err(NotReady::Busy)) => TerminalEvent::Status(TerminalStatus::Busy),
        (None, Err(_)) => TerminalEvent::Status(TerminalStatus::OutOfOrder),
    }
}

/// What an answer says of its transaction; `own` is what the order put into the private field.
fn identity(answer: &Answer, own: &str) -> TransactionIdentity {
    let private = &answer.private;
    // A terminal that is set up wrongly may put digits of the card there; nobody can tell them from another till's.
    let digits = private.len() > 6 && private.chars().all(|c| c.is_ascii_digit());
    let named = !private.is_empty() && (!digits || private == own);
    TransactionIdentity {
        amount_minor: answer.amount_minor,
        currency: answer.currency.map(Currency),
        // The private field names the attempt; it is the only handle this protocol has.
        authorisation_code: named.then(|| private.clone()),
        result_code: answer.result.to_digit(10).map_or(0xFF, |digit| digit as u8),
        ..TransactionIdentity::default()
    }
}

impl Engine for ConcertEngine {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            protocol: "Concert E+",
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

    fn link_up(&mut self, _now_ms: u64, out: &mut Output) {
        self.reader.reset();
        self.link = true;
        out.events
            .push(TerminalEvent::Link(LinkState::Up { terminal_id: None }));
    }

    fn link_down(&mut self, _now_ms: u64, why: &LinkFault, out: &mut Output) {
        self.reader.reset();
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Checking { attempt, .. } => {
                out.events
                    .push(checked(attempt, Err(NotReady::NotConnected)));
            }
            State::Calling { order, .. } => {
                let why = NotStarted::NotConnected;
                self.finish(order.attempt, Outcome::NotStarted { why }, out);
            }
            State::Sent { order, .. } | State::Working { order, .. } => {
                let why = Unknown::LinkLost;
                self.finish(order.attempt, Outcome::Unknown { why }, out);
            }
            // The terminal has charged; storing goes on without it.
            approved @ State::Approved(_) => self.state = approved,
            State::Idle => {}
        }
        if std::mem::take(&mut self.link) || self.down.as_ref() != Some(why) {
            self.down = Some(why.clone());
            let why = why.clone();
            out.events
                .push(TerminalEvent::Link(LinkState::Down { why }));
        }
    }

    fn bytes(&mut self, now_ms: u64, bytes: &[u8], out: &mut Output) {
        for byte in bytes {
            if let Some(signal) = self.reader.push(*byte) {
                self.signal(now_ms, signal, out);
            }
        }
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
            Command::Reverse(_) | Command::EndOfDay(_) | Command::Abort(_) => {
                refuse_all([command], &NotStarted::Unsupported, out);
            }
            command if !self.link => refuse_all([command], &NotStarted::NotConnected, out),
            command => match self.state {
                State::Idle => self.start(now_ms, command, out),
                _ => refuse_all([command], &NotStarted::Busy, out),
            },
        }
    }

    fn tick(&mut self, now_ms: u64, out: &mut Output) {
        if self.deadline_ms().is_none_or(|deadline| deadline > now_ms) {
            return;
        }
        self.reader.reset();
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Checking { attempt, .. } => {
                out.events.push(checked(attempt, Err(NotReady::NoAnswer)));
            }
            State::Calling { order, .. } => {
                // The terminal never said that it listens, so no order was given.
                out.wire.push(EOT);
                let why = NotStarted::NotConnected;
                self.finish(order.attempt, Outcome::NotStarted { why }, out);
            }
            State::Sent { order, .. } => {
                let why = Unknown::NotAcknowledged;
                self.finish(order.attempt, Outcome::Unknown { why }, out);
            }
            State::Working { order, .. } => {
                let why = Unknown::NoCompletion;
                self.finish(order.attempt, Outcome::Unknown { why }, out);
            }
            state @ (State::Idle | State::Approved(_)) => self.state = state,
        }
    }

    fn deadline_ms(&self) -> Option<u64> {
        match &self.state {
            State::Checking { deadline_ms, .. }
            | State::Calling { deadline_ms, .. }
            | State::Sent { deadline_ms, .. }
            | State::Working { deadline_ms, .. } => Some(*deadline_ms),
            State::Idle | State::Approved(_) => None,
        }
    }

    fn stop(&mut self, out: &mut Output) {
        let attempt = match std::mem::replace(&mut self.state, State::Idle) {
            State::Sent { order, .. } | State::Working { order, .. } => order.attempt,
            State::Approved(approval) => approval.attempt,
            _ => return,
        };
        let why = Unknown::DriverStopped;
        self.finish(attempt, Outcome::Unknown { why }, out);
    }
}
