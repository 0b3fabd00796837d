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
use crate::terminal::codes::{DeclineReason, ShopperPrompt};
use crate::terminal::config::{
    Checked, ConfigError, Connection, Profile, TerminalConfig, Timeouts,
};
use crate::terminal::driver::refuse_all;
use crate::terminal::engine::{Command, Engine, Output};
use crate::terminal::journal::Order;
use crate::terminal::types::{
    AttemptId, Baseline, Capabilities, EndOfDayReport, LinkState, NotReady, NotStarted, Outcome,
    RecoverRequest, Recovered, RecoveryMeans, TerminalEvent, TerminalStatus, Unknown,
};

/// Digits of BMP 04.
const AMOUNT_DIGITS: u8 = 12;
/// Attempts remembered so that none is sent twice.
const REMEMBERED_ATTEMPTS: usize = 256;
/// Commands that may wait while a routine exchange runs.
const WAITING_COMMANDS: usize = 4;
/// "Function not possible": the terminal does not know the command.
const NOT_POSSIBLE: u8 = 0x83;

/// A plain exchange under way.
#[derive(Debug)]
struct Exchange {
    accepted: bool,
    deadline_ms: u64,
    status: Option<StatusInformation>,
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
    serial: bool,
    transport: Option<Transport>,
    registered: bool,
    exchange: Option<Exchange>,
    job: Option<Job>,
    waiting: VecDeque<Command>,
    doubt: Option<Doubt>,
    sent: VecDeque<AttemptId>,
    terminal_id: Option<String>,
    last_status: Option<TerminalStatus>,
    keep_alive_at_ms: u64,
    alarm_raised: bool,
}

impl ZvtEngine {
    pub(crate) fn new(config: &TerminalConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            checked: config.check()?,
            timeouts: config.timeouts,
            profile: config.profile,
            config_byte: config.config_byte,
            max_holds: config.max_holds,
            serial: matches!(config.connection, Connection::Serial { .. }),
            transport: None,
            registered: false,
            exchange: None,
            job: None,
            waiting: VecDeque::new(),
            doubt: None,
            sent: VecDeque::new(),
            terminal_id: None,
            last_status: None,
            keep_alive_at_ms: 0,
            alarm_raised: false,
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
        });
        self.send(now_ms, apdu, Repeat::Twice, out);
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
                if !self.remember(order.attempt) {
                    refuse_all([Command::EndOfDay(order)], &NotStarted::AlreadySent, out);
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
        command::authorisation(order.amount, &Fields::default(), &after)
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
        match self.admissible(order, apdu) {
            Ok((apdu, amount)) => {
                let rules = HoldRules {
                    can_hold: self.profile.can_hold(),
                    hold_after_ms: self.timeouts.hold_after_ms,
                    max_holds: self.max_holds,
                };
                let terminal_id = self.terminal_id.clone();
                let order = MoneyOrder::new(
                    attempt,
                    order.kind(),
                    amount,
                    terminal_id,
                    baseline.clone(),
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

    /// Everything that can be refused before a byte is sent.
    fn admissible(
        &mut self,
        order: &impl Order,
        apdu: Result<Apdu, CodecError>,
    ) -> Result<(Apdu, crate::terminal::Amount), NotStarted> {
        let amount = order.amount().ok_or(NotStarted::AmountIsZero)?;
        if amount.minor == 0 {
            return Err(NotStarted::AmountIsZero);
        }
        let (ordered, configured) = (amount.currency, self.checked.currency);
        if ordered != configured {
            return Err(NotStarted::WrongCurrency {
                ordered,
                configured,
            });
        }
        if bcd::pack(amount.minor, usize::from(AMOUNT_DIGITS) / 2).is_err() {
            let (minor, digits) = (amount.minor, AMOUNT_DIGITS);
            return Err(NotStarted::AmountDoesNotFit { minor, digits });
        }
        let apdu = apdu.map_err(|_| NotStarted::Unsupported)?;
        if !self.remember(order.attempt()) {
            return Err(NotStarted::AlreadySent);
        }
        Ok((apdu, amount))
    }

    /// Remembers an attempt as sent; `false` if it already was.
    fn remember(&mut self, attempt: AttemptId) -> bool {
        if self.sent.contains(&attempt) {
            return false;
        }
        if self.sent.len() >= REMEMBERED_ATTEMPTS {
            self.sent.pop_front();
        }
        self.sent.push_back(attempt);
        true
    }

    fn incoming(&mut self, now_ms: u64, incoming: Incoming, out: &mut Output) {
        match incoming {
            Incoming::Message(message) => self.message(now_ms, message, out),
            Incoming::NotAcknowledged => {
                if matches!(self.job, Some(Job::Money { .. })) {
                    self.end_money(
                        Outcome::Unknown {
                            why: Unknown::NotAcknowledged,
                        },
                        out,
                    );
                }
                out.close = true;
            }
        }
    }

    fn message(&mut self, now_ms: u64, message: Redacted, out: &mut Output) {
        let Redacted { apdu, was_unmasked } = message;
        tracing::debug!(target: "terminal", message = ?apdu, "from terminal");
        if was_unmasked && !self.alarm_raised {
            self.alarm_raised = true;
            out.events.push(TerminalEvent::UnmaskedCardNumber);
        }
        match (apdu.class, apdu.command()) {
            (0x80 | 0x84, _) => self.answer(now_ms, &apdu, out),
            (_, 0x04FF) => self.intermediate_status(now_ms, &apdu, out),
            (_, 0x040F) => self.status_information(now_ms, &apdu, out),
            (_, 0x060F) => self.completion(now_ms, apdu, out),
            (_, 0x061E) => self.aborted(now_ms, &apdu, out),
            (_, 0x06D1 | 0x06D3) => {
                let lines = print_lines(&apdu);
                out.events.push(TerminalEvent::ReceiptLines { lines });
                self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
            }
            _ => self.send(
                now_ms,
                &Apdu::refuse(NOT_POSSIBLE),
                Repeat::OnlyAfterNak,
                out,
            ),
        }
        self.next(now_ms, out);
    }

    fn answer(&mut self, now_ms: u64, apdu: &Apdu, out: &mut Output) {
        let completion_at = now_ms + self.timeouts.completion_ms;
        if let Some(Job::Money {
            order,
            deadline_ms,
            gave_up,
        }) = self.job.as_mut()
        {
            if !*gave_up {
                *deadline_ms = completion_at;
            }
            let step = order.on_answer(apdu);
            let abort_now = order.accepted && std::mem::take(&mut order.abort_wanted);
            self.carry_out(now_ms, step, out);
            if abort_now {
                self.send_abort(now_ms, out);
            }
            return;
        }
        let Some(exchange) = self.exchange.as_mut() else {
            return;
        };
        if apdu.class == 0x80 || apdu.instruction == 0 {
            exchange.accepted = true;
            exchange.deadline_ms = completion_at;
        } else if !exchange.accepted {
            self.end_exchange(now_ms, End::Refused(apdu.instruction), out);
        }
    }

    fn intermediate_status(&mut self, now_ms: u64, apdu: &Apdu, out: &mut Output) {
        // The second byte may set a new T4 in minutes (3.7).
        let minutes = apdu
            .data
            .get(1..2)
            .and_then(bcd::unpack)
            .filter(|minutes| *minutes > 0);
        let deadline = now_ms + minutes.map_or(self.timeouts.completion_ms, |m| m * 60_000);
        match self.job.as_mut() {
            Some(Job::Money {
                order, deadline_ms, ..
            }) => {
                order.accepted = true;
                *deadline_ms = deadline;
                let attempt = order.attempt;
                let code = apdu.data.first().copied().unwrap_or(0xFF);
                if let Some(prompt) = ShopperPrompt::from_zvt(code) {
                    out.events.push(TerminalEvent::Prompt { attempt, prompt });
                }
            }
            _ => {
                if let Some(exchange) = self.exchange.as_mut() {
                    exchange.deadline_ms = deadline;
                }
            }
        }
        self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
    }

    fn status_information(&mut self, now_ms: u64, apdu: &Apdu, out: &mut Output) {
        let status = StatusInformation::parse(apdu);
        let completion_at = now_ms + self.timeouts.completion_ms;
        if let Some(Job::Money {
            order, deadline_ms, ..
        }) = self.job.as_mut()
        {
            *deadline_ms = completion_at;
            let step = order.on_status(now_ms, status);
            self.carry_out(now_ms, step, out);
            return;
        }
        // Only after the terminal accepted our enquiry is this its answer; before that it would be
        // an approval that nobody stored.
        let asked = matches!(
            self.job,
            Some(Job::PrepareLast(_) | Job::RecoverLast | Job::DayClose(_))
        );
        match self.exchange.as_mut() {
            Some(exchange) if asked && exchange.accepted => {
                exchange.deadline_ms = completion_at;
                exchange.status = Some(status);
                self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
            }
            _ if status.result_code.is_some_and(|code| code != 0) => {
                self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
            }
            _ => {
                self.send(now_ms, &Apdu::refuse(0x66), Repeat::OnlyAfterNak, out);
                out.events.push(TerminalEvent::StrayApproval {
                    seen: status.identity,
                });
            }
        }
    }

    fn completion(&mut self, now_ms: u64, apdu: Apdu, out: &mut Output) {
        if let Some(Job::Money { order, .. }) = self.job.as_mut() {
            let step = order.on_completion();
            self.carry_out(now_ms, step, out);
            return;
        }
        self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
        if let Some(exchange) = self.exchange.as_mut() {
            let status = exchange.status.take().map(Box::new);
            self.end_exchange(now_ms, End::Completed(apdu, status), out);
        }
    }

    fn aborted(&mut self, now_ms: u64, apdu: &Apdu, out: &mut Output) {
        let code = apdu.data.first().copied().unwrap_or(0xFF);
        if let Some(Job::Money { order, .. }) = self.job.as_mut() {
            let step = order.on_abort(code);
            self.carry_out(now_ms, step, out);
            return;
        }
        self.send(now_ms, &Apdu::accept(), Repeat::OnlyAfterNak, out);
        if self.exchange.is_some() {
            self.end_exchange(now_ms, End::Refused(code), out);
        }
    }

    fn carry_out(&mut self, now_ms: u64, step: Step, out: &mut Output) {
        if let Some(reply) = &step.reply {
            self.send(now_ms, reply, Repeat::OnlyAfterNak, out);
        }
        if let Some(approval) = step.approval {
            out.events.push(TerminalEvent::ApprovalPending { approval });
        }
        if let Some(Job::Money { order, .. }) = self.job.as_ref()
            && step.abort_refused
        {
            out.events.push(TerminalEvent::AbortRefused {
                attempt: order.attempt,
            });
        }
        if let Some(outcome) = step.outcome {
            self.end_money(outcome, out);
            self.keep_alive_at_ms = now_ms + self.timeouts.keep_alive_ms;
        }
    }

    fn end_money(&mut self, outcome: Outcome, out: &mut Output) {
        if let Some(Job::Money { order, .. }) = self.job.take() {
            out.events.push(TerminalEvent::Finished {
                attempt: order.attempt,
                outcome,
            });
        }
    }

    fn send_abort(&mut self, now_ms: u64, out: &mut Output) {
        if let Some(Job::Money { order, .. }) = self.job.as_mut() {
            order.abort_sent = true;
            self.send(now_ms, &command::abort(), Repeat::Twice, out);
        }
    }

    fn end_exchange(&mut self, now_ms: u64, end: End, out: &mut Output) {
        self.exchange = None;
        self.keep_alive_at_ms = now_ms + self.timeouts.keep_alive_ms;
        if matches!(end, End::TimedOut) {
            out.close = true;
        }
        match self.job.take() {
            Some(Job::Register) => self.registered(now_ms, end, out),
            Some(Job::Status { asked }) => self.status_known(asked, &end, out),
            Some(Job::PrepareStatus(attempt)) => self.prepare_status(now_ms, attempt, &end, out),
            Some(Job::PrepareLast(attempt)) => self.prepare_last(attempt, end, out),
            Some(Job::RecoverStatus) => self.recover_status(now_ms, &end, out),
            Some(Job::RecoverLast) => self.recover_last(now_ms, end, out),
            Some(Job::DayClose(attempt)) => day_closed(attempt, end, out),
            other => self.job = other,
        }
    }

    fn registered(&mut self, now_ms: u64, end: End, out: &mut Output) {
        let why = match end {
            End::Completed(apdu, _) => {
                let id = StatusInformation::parse(&apdu).identity.terminal_id;
                self.terminal_id = id.or(self.terminal_id.take());
                self.registered = true;
                let terminal_id = self.terminal_id.clone();
                out.events
                    .push(TerminalEvent::Link(LinkState::Up { terminal_id }));
                if let Some(doubt) = self.doubt.as_mut() {
                    doubt.next_try_ms = now_ms;
                }
                return;
            }
            End::Refused(code) => {
                let reason = DeclineReason::from_zvt(code);
                format!("the terminal refused the registration (code {code:02X}): {reason}")
            }
            End::TimedOut => "the terminal did not answer the registration".to_owned(),
        };
        out.events
            .push(TerminalEvent::Link(LinkState::Down { why }));
        out.close = true;
    }

    fn status_known(&mut self, asked: bool, end: &End, out: &mut Output) {
        let Some(status) = status_of(end) else { return };
        if asked || self.last_status != Some(status) {
            out.events.push(TerminalEvent::Status(status));
        }
        self.last_status = Some(status);
    }

    fn prepare_status(&mut self, now_ms: u64, attempt: AttemptId, end: &End, out: &mut Output) {
        let why = match status_of(end) {
            Some(TerminalStatus::Ready | TerminalStatus::NotReported) => {
                let enquiry = command::repeat_receipt(self.checked.password);
                self.begin(now_ms, &enquiry, Job::PrepareLast(attempt), out);
                return;
            }
            Some(TerminalStatus::Busy) => NotReady::Busy,
            Some(status) => NotReady::Condition(status),
            None => NotReady::NoAnswer,
        };
        out.events.push(TerminalEvent::NotPrepared { attempt, why });
    }

    fn prepare_last(&mut self, attempt: AttemptId, end: End, out: &mut Output) {
        let baseline = match end {
            End::Completed(_, Some(status)) => {
                if self.terminal_id.is_none() {
                    self.terminal_id = status.identity.terminal_id.clone();
                }
                Baseline::Last(status.identity)
            }
            End::Completed(_, None) => Baseline::Empty { code: 0 },
            End::Refused(NOT_POSSIBLE) => Baseline::Unavailable,
            End::Refused(code @ (0x9C | 0xA0)) => {
                let why = NotReady::Refused {
                    code,
                    reason: DeclineReason::from_zvt(code),
                };
                out.events.push(TerminalEvent::NotPrepared { attempt, why });
                return;
            }
            End::Refused(code) => Baseline::Empty { code },
            End::TimedOut => {
                let why = NotReady::NoAnswer;
                out.events.push(TerminalEvent::NotPrepared { attempt, why });
                return;
            }
        };
        out.events
            .push(TerminalEvent::Prepared { attempt, baseline });
    }

    fn recover_status(&mut self, now_ms: u64, end: &End, out: &mut Output) {
        match status_of(end) {
            // A terminal that still has a card in it may still finish the order.
            Some(TerminalStatus::Busy | TerminalStatus::CardInserted) | None => {
                self.try_recovery_again(now_ms);
            }
            Some(_) => {
                let enquiry = command::repeat_receipt(self.checked.password);
                self.begin(now_ms, &enquiry, Job::RecoverLast, out);
            }
        }
    }

    fn recover_last(&mut self, now_ms: u64, end: End, out: &mut Output) {
        let Some(doubt) = self.doubt.as_ref() else {
            return;
        };
        let recovered = match end {
            End::TimedOut | End::Refused(0x9C | 0xA0) => {
                self.try_recovery_again(now_ms);
                return;
            }
            End::Refused(code) => judge(&doubt.request, Err(code)),
            End::Completed(_, None) => judge(&doubt.request, Err(0)),
            End::Completed(_, Some(status)) => {
                let last = LastTransaction {
                    identity: status.identity,
                    scheme: status.scheme,
                    card: status.card,
                };
                judge(&doubt.request, Ok(&last))
            }
        };
        self.recovered(recovered, out);
    }

    fn try_recovery_again(&mut self, now_ms: u64) {
        if let Some(doubt) = self.doubt.as_mut() {
            doubt.next_try_ms = now_ms + self.timeouts.poll_ms;
        }
    }

    fn recovered(&mut self, recovered: Recovered, out: &mut Output) {
        if let Some(doubt) = self.doubt.take() {
            let attempt = doubt.request.attempt;
            out.events
                .push(TerminalEvent::Recovered { attempt, recovered });
        }
    }

    fn accept_command(&mut self, now_ms: u64, command: Command, out: &mut Output) {
        let registering = matches!(self.job, Some(Job::Register));
        if !self.registered && !registering {
            refuse_all([command], &NotStarted::NotConnected, out);
            return;
        }
        let routine = matches!(self.job, None | Some(Job::Register | Job::Status { .. }));
        if self.doubt.is_some() || !routine || self.waiting.len() >= WAITING_COMMANDS {
            refuse_all([command], &NotStarted::Busy, out);
            return;
        }
        self.waiting.push_back(command);
        self.next(now_ms, out);
    }

    fn accept_recovery(&mut self, now_ms: u64, request: RecoverRequest, out: &mut Output) {
        let other = self
            .doubt
            .as_ref()
            .is_some_and(|d| d.request.attempt != request.attempt);
        if other || matches!(self.job, Some(Job::Money { .. } | Job::DayClose(_))) {
            refuse_all([Command::Recover(request)], &NotStarted::Busy, out);
            return;
        }
        let until_ms = now_ms + self.timeouts.recover_ms;
        self.doubt = Some(Doubt {
            request,
            until_ms,
            next_try_ms: now_ms,
        });
        self.next(now_ms, out);
    }

    fn money_timers(&mut self, now_ms: u64, out: &mut Output) {
        let Some(Job::Money {
            order,
            deadline_ms,
            gave_up,
        }) = self.job.as_mut()
        else {
            return;
        };
        if order.deadline_ms().is_some_and(|hold| hold <= now_ms) {
            let step = order.on_hold_due();
            *deadline_ms = now_ms + self.timeouts.completion_ms;
            self.carry_out(now_ms, step, out);
            return;
        }
        if *deadline_ms > now_ms {
            return;
        }
        let why = match (order.accepted, *gave_up) {
            (false, _) => Unknown::NoReply,
            (true, true) => Unknown::NoCompletion,
            (true, false) => {
                // T4 is over: the terminal is told to give up, and gets one more reply time.
                *gave_up = true;
                *deadline_ms = now_ms + self.timeouts.reply_ms;
                self.send_abort(now_ms, out);
                return;
            }
        };
        self.end_money(Outcome::Unknown { why }, out);
        out.close = true;
    }

    fn other_timers(&mut self, now_ms: u64, out: &mut Output) {
        if self
            .exchange
            .as_ref()
            .is_some_and(|exchange| exchange.deadline_ms <= now_ms)
        {
            self.end_exchange(now_ms, End::TimedOut, out);
        }
        if self
            .doubt
            .as_ref()
            .is_some_and(|doubt| doubt.until_ms <= now_ms)
        {
            let why = if self.registered {
                NotReady::NoAnswer
            } else {
                NotReady::NotConnected
            };
            if matches!(self.job, Some(Job::RecoverStatus | Job::RecoverLast)) {
                self.job = None;
                self.exchange = None;
                out.close = true;
            }
            self.recovered(Recovered::CannotTell { why }, out);
        }
        if self.registered && self.job.is_none() && self.keep_alive_at_ms <= now_ms {
            let enquiry = command::status_enquiry(self.checked.password);
            self.begin(now_ms, &enquiry, Job::Status { asked: false }, out);
        }
    }
}

fn status_of(end: &End) -> Option<TerminalStatus> {
    match end {
        End::Completed(apdu, _) => Some(TerminalStatus::from_zvt(
            TerminalStatusReply::parse(apdu).status,
        )),
        End::Refused(NOT_POSSIBLE) => Some(TerminalStatus::NotReported),
        End::Refused(code) => Some(TerminalStatus::from_zvt(*code)),
        End::TimedOut => None,
    }
}

fn day_closed(attempt: AttemptId, end: End, out: &mut Output) {
    let result = match end {
        End::Completed(_, Some(status)) if status.result_code.unwrap_or(0) == 0 => {
            Ok(status.totals)
        }
        End::Completed(_, Some(status)) => {
            let reason = DeclineReason::from_zvt(status.result_code.unwrap_or(0xFF));
            Err(Outcome::Declined { reason })
        }
        End::Completed(_, None) => Ok(EndOfDayReport::default()),
        End::Refused(code) => Err(Outcome::Declined {
            reason: DeclineReason::from_zvt(code),
        }),
        End::TimedOut => Err(Outcome::Unknown {
            why: Unknown::NoCompletion,
        }),
    };
    out.events.push(TerminalEvent::EndOfDay { attempt, result });
}

impl Engine for ZvtEngine {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            protocol: "ZVT",
            recovery: RecoveryMeans::LastTransaction,
            can_hold: self.profile.can_hold(),
            can_reject: true,
            can_abort: true,
            can_reverse: true,
            can_refund: true,
            can_close_day: true,
            amount_digits: AMOUNT_DIGITS,
        }
    }

    fn link_up(&mut self, now_ms: u64, out: &mut Output) {
        self.transport = Some(if self.serial {
            Transport::serial(SerialTimers {
                inter_byte_ms: self.timeouts.inter_byte_ms,
                acknowledge_ms: self.timeouts.acknowledge_ms,
            })
        } else {
            Transport::tcp()
        });
        self.registered = false;
        match self.registration() {
            Ok(apdu) => self.begin(now_ms, &apdu, Job::Register, out),
            Err(error) => {
                let why = error.to_string();
                out.events
                    .push(TerminalEvent::Link(LinkState::Down { why }));
            }
        }
    }

    fn link_down(&mut self, now_ms: u64, why: &str, out: &mut Output) {
        let was_up = std::mem::take(&mut self.registered);
        self.transport = None;
        self.exchange = None;
        match self.job.take() {
            Some(Job::Money { order, .. }) => out.events.push(TerminalEvent::Finished {
                attempt: order.attempt,
                outcome: Outcome::Unknown {
                    why: Unknown::LinkLost,
                },
            }),
            Some(Job::PrepareStatus(attempt) | Job::PrepareLast(attempt)) => {
                let why = NotReady::NotConnected;
                out.events.push(TerminalEvent::NotPrepared { attempt, why });
            }
            Some(Job::DayClose(attempt)) => {
                let result = Err(Outcome::Unknown {
                    why: Unknown::LinkLost,
                });
                out.events.push(TerminalEvent::EndOfDay { attempt, result });
            }
            _ => {}
        }
        let waiting = std::mem::take(&mut self.waiting);
        refuse_all(waiting, &NotStarted::NotConnected, out);
        self.try_recovery_again(now_ms);
        self.last_status = None;
        if was_up {
            out.events.push(TerminalEvent::Link(LinkState::Down {
                why: why.to_owned(),
            }));
        }
    }

    fn bytes(&mut self, now_ms: u64, bytes: &[u8], out: &mut Output) {
        let Some(transport) = self.transport.as_mut() else {
            return;
        };
        let incoming = transport.push(now_ms, bytes);
        out.wire.extend(transport.take_wire());
        for one in incoming {
            self.incoming(now_ms, one, out);
        }
    }

    fn command(&mut self, now_ms: u64, command: Command, out: &mut Output) {
        let running = match self.job.as_mut() {
            Some(Job::Money { order, .. }) => Some(order),
            _ => None,
        };
        let step = match (command, running) {
            (Command::ApprovalStored(stored), Some(order)) => {
                let stored = stored.into_value();
                if order.attempt == stored.attempt {
                    order.on_stored(&stored)
                } else {
                    return;
                }
            }
            (Command::ApprovalRefused(attempt), Some(order)) if order.attempt == attempt => {
                order.on_store_refused()
            }
            (Command::Abort(attempt), Some(order)) if order.attempt == attempt => {
                if order.accepted {
                    self.send_abort(now_ms, out);
                } else {
                    order.abort_wanted = true;
                }
                return;
            }
            // The order already ended as unknown; recovery decides.
            (Command::ApprovalStored(_) | Command::ApprovalRefused(_), _) => return,
            (Command::Recover(request), _) => return self.accept_recovery(now_ms, request, out),
            (abort @ Command::Abort(_), _) => {
                return refuse_all([abort], &NotStarted::Busy, out);
            }
            (other, _) => return self.accept_command(now_ms, other, out),
        };
        if let Some(Job::Money { deadline_ms, .. }) = self.job.as_mut()
            && step.reply.is_some()
        {
            *deadline_ms = now_ms + self.timeouts.completion_ms;
        }
        self.carry_out(now_ms, step, out);
    }

    fn tick(&mut self, now_ms: u64, out: &mut Output) {
        if let Some(transport) = self.transport.as_mut() {
            let incoming = transport.tick(now_ms);
            out.wire.extend(transport.take_wire());
            for one in incoming {
                self.incoming(now_ms, one, out);
            }
        }
        self.money_timers(now_ms, out);
        self.other_timers(now_ms, out);
        self.next(now_ms, out);
    }

    fn deadline_ms(&self) -> Option<u64> {
        let transport = self.transport.as_ref().and_then(Transport::deadline_ms);
        let exchange = self.exchange.as_ref().map(|exchange| exchange.deadline_ms);
        let money = match &self.job {
            Some(Job::Money {
                order, deadline_ms, ..
            }) => Some(
                order
                    .deadline_ms()
                    .map_or(*deadline_ms, |hold| hold.min(*deadline_ms)),
            ),
            _ => None,
        };
        let idle = self.registered && self.job.is_none();
        let doubt = self.doubt.as_ref().map(|doubt| {
            if idle {
                doubt.until_ms.min(doubt.next_try_ms)
            } else {
                doubt.until_ms
            }
        });
        let keep_alive = idle.then_some(self.keep_alive_at_ms);
        [transport, exchange, money, doubt, keep_alive]
            .into_iter()
            .flatten()
            .min()
    }

    fn stop(&mut self, out: &mut Output) {
        self.end_money(
            Outcome::Unknown {
                why: Unknown::DriverStopped,
            },
            out,
        );
        let waiting = std::mem::take(&mut self.waiting);
        refuse_all(waiting, &NotStarted::NotConnected, out);
    }
}
