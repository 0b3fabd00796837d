//! A ZVT terminal as a model without input and output: it commits at `80 00 00`, takes back what
//! is not acknowledged, repeats, holds, and keeps its own ledger.

use std::collections::VecDeque;

use super::card_data::CardData;
use super::ledger::{ELSEWHERE, Ledger, Record, RecordKind};
use super::model::{SimModel, SimOutput};
use super::scenario::{Scenario, SimOutcome, WhenUnacknowledged};
use crate::terminal::zvt::protocol::fields::{Field, Fields};
use crate::terminal::zvt::protocol::serial::SerialTimers;
use crate::terminal::zvt::protocol::{Apdu, Repeat, bcd};
use crate::terminal::zvt::{Incoming, Transport};

mod enquiries;
mod transaction;

/// Times and habits of the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZvtModelConfig {
    /// Serial framing instead of TCP.
    pub serial: bool,
    /// Terminal id, 8 digits.
    pub terminal_id: u32,
    /// Password that is accepted.
    pub password: [u8; 3],
    /// Receipt number after which the next one is used first; 9999 shows the wrap.
    pub last_receipt: u16,
    /// T3: how long the terminal waits for an answer.
    pub reply_ms: u64,
    /// Pause before the status information is sent again after a hold.
    pub hold_pause_ms: u64,
    /// How often it asks again after holds before it takes the money back.
    pub max_holds: u8,
    /// Whether the last-transaction slot shows declines and take-backs.
    pub records_failures: bool,
    /// Whether `05 01` is known.
    pub knows_status_enquiry: bool,
    /// Whether `06 20` is known.
    pub knows_repeat_receipt: bool,
    /// With so many open transactions it wants its day closed first: orders are refused with
    /// `F0`, and `05 01` says so.
    pub max_open_transactions: Option<usize>,
    /// Status byte of `05 01` when idle.
    pub idle_status: u8,
    /// Timers of the serial line.
    pub serial_timers: SerialTimers,
}

impl Default for ZvtModelConfig {
    fn default() -> Self {
        Self {
            serial: false,
            terminal_id: 52_523_535,
            password: [0; 3],
            last_receipt: 0,
            reply_ms: 5000,
            hold_pause_ms: 2000,
            max_holds: 10,
            records_failures: false,
            knows_status_enquiry: true,
            knows_repeat_receipt: true,
            max_open_transactions: None,
            idle_status: 0,
            serial_timers: SerialTimers::default(),
        }
    }
}

/// What the terminal waits for after a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Any answer.
    Answer,
    /// The answer that commits.
    Commit,
}

#[derive(Debug)]
struct Transaction {
    kind: RecordKind,
    amount_minor: u64,
    currency: u16,
    scenario: Scenario,
    bank_at_ms: u64,
    stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Bank,
    Silent,
    Asking {
        record: Record,
        sends: u8,
        holds: u8,
    },
    Holding {
        record: Record,
        holds: u8,
        again_at_ms: u64,
    },
    Ending,
}

/// A day close under way; it goes on without the till.
#[derive(Debug)]
struct Closing {
    scenario: Scenario,
    at_ms: u64,
}

/// See the module text.
#[derive(Debug)]
pub struct ZvtModel {
    config: ZvtModelConfig,
    ledger: Ledger,
    transport: Option<Transport>,
    scripted: VecDeque<Scenario>,
    usual: Scenario,
    transaction: Option<Transaction>,
    closing: Option<Closing>,
    outbox: VecDeque<(Apdu, Need)>,
    awaiting: Option<(Need, u64)>,
    acknowledgements_to_lose: u8,
    sent_budget: Option<usize>,
    orders_received: usize,
    holds_received: usize,
    config_byte: Option<u8>,
    currency: u16,
}

impl ZvtModel {
    /// A terminal with this ledger.
    pub fn new(config: ZvtModelConfig, ledger: Ledger) -> Self {
        Self {
            config,
            ledger,
            transport: None,
            scripted: VecDeque::new(),
            usual: Scenario::default(),
            transaction: None,
            closing: None,
            outbox: VecDeque::new(),
            awaiting: None,
            acknowledgements_to_lose: 0,
            sent_budget: None,
            orders_received: 0,
            holds_received: 0,
            config_byte: None,
            currency: 978,
        }
    }

    /// Config byte of the last registration.
    pub fn config_byte(&self) -> Option<u8> {
        self.config_byte
    }

    fn say(&mut self, now_ms: u64, apdu: &Apdu, out: &mut SimOutput) {
        if let Some(transport) = self.transport.as_mut() {
            let answer = matches!(apdu.class, 0x80 | 0x84);
            let repeat = if answer {
                Repeat::OnlyAfterNak
            } else {
                Repeat::Twice
            };
            transport.send(now_ms, apdu, repeat);
            let wire = transport.take_wire();
            self.emit(&wire, out);
        }
    }

    /// Puts bytes on the wire as long as the scenario lets the terminal live.
    fn emit(&mut self, wire: &[u8], out: &mut SimOutput) {
        let allowed = self
            .sent_budget
            .map_or(wire.len(), |budget| budget.min(wire.len()));
        out.wire.extend(&wire[..allowed]);
        if let Some(budget) = self.sent_budget.as_mut() {
            *budget -= allowed;
            out.vanish |= *budget == 0;
        }
    }

    fn pump(&mut self, now_ms: u64, out: &mut SimOutput) {
        if self.awaiting.is_some() || self.transport.is_none() {
            return;
        }
        if let Some((apdu, need)) = self.outbox.pop_front() {
            self.awaiting = Some((need, now_ms + self.config.reply_ms));
            self.say(now_ms, &apdu, out);
        }
    }

    fn queue(&mut self, apdu: Apdu) {
        self.outbox.push_back((apdu, Need::Answer));
    }

    fn message(&mut self, now_ms: u64, apdu: &Apdu, out: &mut SimOutput) {
        match (apdu.class, apdu.command()) {
            (0x80 | 0x84, _) => self.answer(now_ms, apdu),
            (_, 0x0600) => self.registration(now_ms, apdu, out),
            (_, 0x0501) => self.status_enquiry(now_ms, out),
            (_, 0x0620) => self.repeat_receipt(now_ms, out),
            (_, 0x0601 | 0x0630 | 0x0631) => self.order(now_ms, apdu, out),
            (_, 0x0650) => self.day_close(now_ms, out),
            (_, 0x06B0) => self.abort(now_ms, out),
            (_, 0x0602 | 0x0670) => {
                self.say(now_ms, &Apdu::accept(), out);
                self.queue(Apdu::new(0x06, 0x0F, []));
            }
            _ => self.say(now_ms, &Apdu::refuse(0x83), out),
        }
    }

    fn busy(&self) -> bool {
        self.transaction.is_some() || self.closing.is_some()
    }

    /// Whether the day must be closed before the next order.
    fn day_is_full(&self) -> bool {
        let open = || {
            let batch = self.ledger.open_batch().iter();
            batch.filter(|record| !matches!(record.kind, RecordKind::Declined { .. }))
        };
        self.config
            .max_open_transactions
            .is_some_and(|most| open().count() >= most)
    }

    fn book(&mut self, record: Record) {
        if let Err(error) = self.ledger.append(record) {
            tracing::error!(target: "terminal_sim", %error, "the ledger cannot be written");
        }
    }

    fn next_trace(&self) -> u32 {
        self.ledger
            .records()
            .last()
            .map_or(0, |record| record.trace)
            % 999_999
            + 1
    }

    fn last_receipt(&self) -> u16 {
        self.ledger
            .records()
            .last()
            .map_or(self.config.last_receipt, |record| record.receipt)
    }

    fn new_record(&self, transaction: &Transaction, kind: RecordKind) -> Record {
        let failed = matches!(kind, RecordKind::Declined { .. });
        let last = self.last_receipt();
        Record {
            kind,
            trace: self.next_trace(),
            receipt: if failed { last } else { last % 9999 + 1 },
            amount_minor: transaction.amount_minor,
            currency: transaction.currency,
            reference: None,
        }
    }

    /// Runs everything that is due.
    fn advance(&mut self, now_ms: u64, out: &mut SimOutput) {
        if let Some((need, deadline_ms)) = self.awaiting
            && deadline_ms <= now_ms
        {
            if self.transport.as_ref().is_some_and(Transport::is_sending) {
                // The reply timer runs from the acknowledged block, which is still on its way.
                self.awaiting = Some((need, now_ms + self.config.reply_ms));
            } else {
                self.answer_overdue(need);
            }
        }
        self.hold_over(now_ms);
        loop {
            self.pump(now_ms, out);
            let idle = self.awaiting.is_none() && self.outbox.is_empty();
            let online = self.transport.is_some();
            let due = self.transaction.as_ref().is_some_and(|transaction| {
                transaction.stage == Stage::Bank && transaction.bank_at_ms <= now_ms
            });
            let ended = self
                .transaction
                .as_ref()
                .is_some_and(|t| t.stage == Stage::Ending);
            let closed = self.closing.as_ref().is_some_and(|c| c.at_ms <= now_ms);
            if closed && (idle || !online) {
                self.close_now();
            } else if ended && idle {
                self.transaction = None;
            } else if due && (idle || !online) {
                self.decide();
            } else {
                return;
            }
        }
    }
}

impl SimModel for ZvtModel {
    fn link_up(&mut self, _now_ms: u64, _out: &mut SimOutput) {
        self.transport = Some(if self.config.serial {
            Transport::serial(self.config.serial_timers)
        } else {
            Transport::tcp()
        });
        self.outbox.clear();
        self.awaiting = None;
        self.sent_budget = None;
    }

    fn link_down(&mut self, now_ms: u64) {
        self.transport = None;
        self.outbox.clear();
        self.awaiting = None;
        let stage = self
            .transaction
            .as_ref()
            .map(|transaction| transaction.stage.clone());
        match stage {
            Some(Stage::Asking { record, .. } | Stage::Holding { record, .. }) => {
                self.settle_alone(record);
            }
            Some(Stage::Ending | Stage::Silent) => self.transaction = None,
            Some(Stage::Bank) | None => {}
        }
        self.advance(now_ms, &mut SimOutput::default());
    }

    fn bytes(&mut self, now_ms: u64, bytes: &[u8], out: &mut SimOutput) {
        let Some(transport) = self.transport.as_mut() else {
            return;
        };
        let incoming = transport.push(now_ms, bytes);
        let wire = transport.take_wire();
        self.emit(&wire, out);
        for one in incoming {
            if let Incoming::Message(message) = one {
                self.message(now_ms, &message.apdu, out);
            }
            self.advance(now_ms, out);
        }
    }

    fn tick(&mut self, now_ms: u64, out: &mut SimOutput) {
        if let Some(transport) = self.transport.as_mut() {
            transport.tick(now_ms);
            let wire = transport.take_wire();
            self.emit(&wire, out);
        }
        self.advance(now_ms, out);
    }

    fn deadline_ms(&self) -> Option<u64> {
        let awaiting = self.awaiting.map(|(_, deadline)| deadline);
        let transport = self.transport.as_ref().and_then(Transport::deadline_ms);
        let transaction = self.transaction.as_ref().and_then(|t| match &t.stage {
            Stage::Bank if self.awaiting.is_none() => Some(t.bank_at_ms),
            Stage::Holding { again_at_ms, .. } => Some(*again_at_ms),
            _ => None,
        });
        let closing = self.closing.as_ref().map(|closing| closing.at_ms);
        let closing = closing.filter(|_| self.awaiting.is_none());
        [awaiting, transport, transaction, closing]
            .into_iter()
            .flatten()
            .min()
    }

    fn script(&mut self, scenario: Scenario) {
        self.scripted.push_back(scenario);
    }

    fn set_usual(&mut self, scenario: Scenario) {
        self.usual = scenario;
    }

    fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    fn orders_received(&self) -> usize {
        self.orders_received
    }

    fn holds_received(&self) -> usize {
        self.holds_received
    }

    /// What was not booked is forgotten (the bank reverses it), or kept if the scenario says so.
    fn power_cut(&mut self, now_ms: u64) {
        self.closing = None;
        self.link_down(now_ms);
        self.transaction = None;
        self.scripted.clear();
    }

    fn stand_alone_sale(&mut self, amount_minor: u64) -> bool {
        if self.busy() {
            return false;
        }
        let trace = self.next_trace();
        self.book(Record {
            kind: RecordKind::Sale,
            trace,
            receipt: self.last_receipt() % 9999 + 1,
            amount_minor,
            currency: self.currency,
            reference: Some(ELSEWHERE.into()),
        });
        true
    }
}
