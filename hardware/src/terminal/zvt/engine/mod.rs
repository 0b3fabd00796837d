//! The ZVT driver without input and output.
//!
//! One job runs at a time. A job is either an order ([`MoneyOrder`]) or a chain of plain exchanges
//! (command, answer, completion). `06 01` goes out once per attempt, whatever happens.

use std::collections::VecDeque;

use super::judge::{LastTransaction, judge};
use super::money::{HoldRules, MoneyOrder, Step};
use super::protocol::apdu::Apdu;
use super::protocol::fields::{Field, Fields};
use super::protocol::redact::Redacted;
use super::protocol::serial::{Repeat, SerialTimers};
use super::protocol::status::{StatusInformation, TerminalStatusReply, print_lines};
use super::protocol::{CodecError, bcd, command};
use super::{Incoming, Transport};
use crate::terminal::admission::Admission;
use crate::terminal::codes::{DeclineReason, ShopperPrompt};
use crate::terminal::config::{
    Checked, ConfigError, Connection, Profile, TerminalConfig, Timeouts,
};
use crate::terminal::driver::refuse_all;
use crate::terminal::engine::{Command, Engine, Output};
use crate::terminal::journal::Order;
use crate::terminal::types::{
    AttemptId, Baseline, Capabilities, DayCloseOutcome, LinkFault, LinkState, NotReady, NotStarted,
    Outcome, RecoverRequest, Recovered, RecoveryMeans, TerminalEvent, TerminalStatus,
    TransactionIdentity, Unknown,
};

mod face;
mod jobs;
mod messages;
mod timers;

/// Digits of BMP 04.
pub(crate) const AMOUNT_DIGITS: u8 = 12;
/// Commands that may wait while a routine exchange runs.
const WAITING_COMMANDS: usize = 4;
/// Transactions remembered so that none is taken for a new one.
const REMEMBERED_TRANSACTIONS: usize = 8;
/// "Function not possible": the terminal does not know the command.
const NOT_POSSIBLE: u8 = 0x83;

/// A plain exchange under way.
#[derive(Debug)]
struct Exchange {
    accepted: bool,
    deadline_ms: u64,
    status: Option<StatusInformation>,
    /// Two different status informations came: neither is the answer.
    contradicted: bool,
}

/// How a plain exchange ended.
enum End {
    Completed(Apdu, Option<Box<StatusInformation>>),
    Refused(u8),
    TimedOut,
}

/// What the driver is doing.
enum Job {
    Register,
    Status {
        asked: bool,
    },
    PrepareStatus(AttemptId),
    PrepareLast(AttemptId),
    RecoverStatus,
    RecoverLast,
    DayClose(AttemptId),
    Money {
        order: Box<MoneyOrder>,
        deadline_ms: u64,
        gave_up: bool,
    },
}

/// A recovery; survives the loss of the link.
struct Doubt {
    request: RecoverRequest,
    until_ms: u64,
    next_try_ms: u64,
}

/// See the module text.
pub(crate) struct ZvtEngine {
    checked: Checked,
    timeouts: Timeouts,
    profile: Profile,
    config_byte: u8,
    max_holds: u8,
    goods_issue_seconds: u8,
    serial: bool,
    transport: Option<Transport>,
    registered: bool,
    exchange: Option<Exchange>,
    job: Option<Job>,
    waiting: VecDeque<Command>,
    doubt: Option<Doubt>,
    admission: Admission,
    terminal_id: Option<String>,
    last_status: Option<TerminalStatus>,
    keep_alive_at_ms: u64,
    /// An abort crossed the end of its order: its answer is still to come and belongs to nothing
    /// else.
    answer_owed: bool,
    /// Transactions seen lately, newest last: none of them answers a new order.
    seen: VecDeque<TransactionIdentity>,
    alarm_raised: bool,
    /// Why the link is down, as last reported.
    down: Option<LinkFault>,
}

impl ZvtEngine {
    pub(crate) fn new(config: &TerminalConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            checked: config.check()?,
            timeouts: config.timeouts,
            profile: config.profile,
            config_byte: config.config_byte,
            max_holds: config.max_holds,
            goods_issue_seconds: config.goods_issue_seconds,
            serial: matches!(config.connection, Connection::Serial { .. }),
            transport: None,
            registered: false,
            exchange: None,
            job: None,
            waiting: VecDeque::new(),
            doubt: None,
            admission: Admission::default(),
            terminal_id: None,
            last_status: None,
            keep_alive_at_ms: 0,
            answer_owed: false,
            seen: VecDeque::new(),
            alarm_raised: false,
            down: None,
        })
    }

    fn send(&mut self, now_ms: u64, apdu: &Apdu, repeat: Repeat, out: &mut Output) {
        if let Some(transport) = self.transport.as_mut() {
            tracing::debug!(target: "terminal", message = ?apdu, "to terminal");
            transport.send(now_ms, apdu, repeat);
            out.wire.extend(transport.take_wire());
        }
    }

    fn begin(&mut self, now_ms: u64, apdu: &Apdu, job: Job, out: &mut Output) {
        self.job = Some(job);
        self.exchange = Some(Exchange {
            accepted: false,
            deadline_ms: now_ms + self.timeouts.reply_ms,
            status: None,
            contradicted: false,
        });
        let repeat = match self.job {
            // A second day close would answer with the totals of an empty day.
            Some(Job::DayClose(_)) => Repeat::Never,
            // A terminal that was asleep needs to be called more than once.
            Some(Job::Register) => Repeat::Twice,
            // An enquiry repeated after silence may be answered twice, and the second answer would
            // be taken for that to the next command. It is better to begin again.
            _ => Repeat::OnlyAfterNak,
        };
        self.send(now_ms, apdu, repeat, out);
    }

    fn registration(&self) -> Result<Apdu, CodecError> {
        let mut extra = Fields::default();
        if self.profile.uses_tlv() {
            extra.list.push(Field::new(0x03, [0x01]));
            extra.list.push(command::allowed_commands(&[0x06D3])?);
        }
        command::registration(
            self.checked.password,
            self.config_byte,
            self.checked.currency,
            &extra,
        )
    }

    /// Remembers a transaction the terminal spoke of.
    fn remember(&mut self, seen: &TransactionIdentity) {
        if self.seen.len() >= REMEMBERED_TRANSACTIONS {
            self.seen.pop_front();
        }
        self.seen.push_back(seen.clone());
    }

    /// Starts whatever is next when nothing runs.
    fn next(&mut self, now_ms: u64, out: &mut Output) {
        while self.registered && self.job.is_none() {
            if let Some(doubt) = self.doubt.as_ref() {
                if now_ms < doubt.next_try_ms {
                    return;
                }
                let enquiry = command::status_enquiry(self.checked.password);
                self.begin(now_ms, &enquiry, Job::RecoverStatus, out);
            } else if let Some(waiting) = self.waiting.pop_front() {
                self.start(now_ms, waiting, out);
            } else {
                return;
            }
        }
    }

    fn start(&mut self, now_ms: u64, wanted: Command, out: &mut Output) {
        let password = self.checked.password;
        match wanted {
            Command::Status => {
                let enquiry = command::status_enquiry(password);
                self.begin(now_ms, &enquiry, Job::Status { asked: true }, out);
            }
            Command::Prepare(attempt) => {
                let enquiry = command::status_enquiry(password);
                self.begin(now_ms, &enquiry, Job::PrepareStatus(attempt), out);
            }
            Command::Pay(order) => {
                let apdu = self.authorisation(&order);
                self.start_money(now_ms, &order, &order.baseline, apdu, out);
            }
            Command::Refund(order) => {
                let apdu = command::refund(password, order.amount);
                self.start_money(now_ms, &order, &order.baseline, apdu, out);
            }
            Command::Reverse(order) => {
                let apdu = if order.receipt_number > 9999 {
                    Err(NotStarted::NoSuchReceipt(order.receipt_number))
                } else {
                    Ok(command::reversal(password, order.receipt_number))
                };
                match apdu {
                    Ok(apdu) => self.start_money(now_ms, &order, &order.baseline, apdu, out),
                    Err(why) => refuse_all([Command::Reverse(order)], &why, out),
                }
            }
            Command::EndOfDay(order) => {
                if let Err(why) = self.admission.admit_attempt(order.attempt) {
                    refuse_all([Command::EndOfDay(order)], &why, out);
                    return;
                }
                self.begin(
                    now_ms,
                    &command::end_of_day(password),
                    Job::DayClose(order.attempt),
                    out,
                );
            }
            other => refuse_all([other], &NotStarted::Unsupported, out),
        }
    }

    fn authorisation(&self, order: &crate::terminal::Payment) -> Result<Apdu, CodecError> {
        let mut after = Fields::default();
        if self.profile.uses_tlv() {
            // An empty container asks for TLV answers (9.2.2).
            after.list.push(Field::new(0x06, []));
        }
        let before = match self.goods_issue_seconds {
            0 => Fields::default(),
            seconds => command::goods_issue(seconds, self.max_holds),
        };
        command::authorisation(order.amount, &before, &after)
    }

    fn start_money(
        &mut self,
        now_ms: u64,
        order: &impl Order,
        baseline: &Baseline,
        apdu: Result<Apdu, CodecError>,
        out: &mut Output,
    ) {
        let attempt = order.attempt();
        let currency = self.checked.currency;
        // A command that cannot be encoded is refused by the checks of the amount first.
        let admitted = self
            .admission
            .admit(order, currency, AMOUNT_DIGITS)
            .and_then(|amount| Ok((apdu.map_err(|_| NotStarted::Unsupported)?, amount)));
        match admitted {
            Ok((apdu, amount)) => {
                let rules = HoldRules {
                    can_hold: self.profile.can_hold(),
                    hold_after_ms: self.timeouts.hold_after_ms,
                    max_holds: self.max_holds,
                };
                let terminal_id = self.terminal_id.clone();
                let before = self.seen.iter().cloned().chain(match baseline {
                    Baseline::Last(last) => Some(last.clone()),
                    _ => None,
                });
                let order = MoneyOrder::new(
                    attempt,
                    order.kind(),
                    amount,
                    terminal_id,
                    before.collect(),
                    rules,
                );
                let deadline_ms = now_ms + self.timeouts.reply_ms;
                let order = Box::new(order);
                self.job = Some(Job::Money {
                    order,
                    deadline_ms,
                    gave_up: false,
                });
                self.send(now_ms, &apdu, Repeat::Never, out);
            }
            Err(why) => {
                let outcome = Outcome::NotStarted { why };
                out.events
                    .push(TerminalEvent::Finished { attempt, outcome });
            }
        }
    }
}
