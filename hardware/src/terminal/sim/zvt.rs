//! A ZVT terminal as a model without input and output: it commits at `80 00 00`, takes back what
//! is not acknowledged, repeats, holds, and keeps its own ledger.

use std::collections::VecDeque;

use super::ledger::{Ledger, Record, RecordKind};
use super::model::{SimModel, SimOutput};
use super::scenario::{Scenario, SimOutcome, WhenUnacknowledged};
use crate::terminal::zvt::protocol::fields::{Field, Fields};
use crate::terminal::zvt::protocol::serial::SerialTimers;
use crate::terminal::zvt::protocol::{Apdu, Repeat, bcd};
use crate::terminal::zvt::{Incoming, Transport};

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

/// See the module text.
#[derive(Debug)]
pub struct ZvtModel {
    config: ZvtModelConfig,
    ledger: Ledger,
    transport: Option<Transport>,
    scripted: VecDeque<Scenario>,
    usual: Scenario,
    transaction: Option<Transaction>,
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

    /// The terminal loses its power: what was not booked is forgotten (the bank reverses it), or
    /// kept if the scenario says so.
    pub fn power_cut(&mut self, now_ms: u64) {
        self.link_down(now_ms);
        self.transaction = None;
        self.scripted.clear();
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
        self.transaction.is_some()
    }

    fn registration(&mut self, now_ms: u64, apdu: &Apdu, out: &mut SimOutput) {
        self.say(now_ms, &Apdu::accept(), out);
        if apdu.data.get(..3) != Some(&self.config.password) {
            self.queue(Apdu::new(0x06, 0x1E, [0x6B]));
            return;
        }
        self.config_byte = apdu.data.get(3).copied();
        if let Some(currency) = apdu.data.get(4..6).and_then(bcd::unpack) {
            self.currency = u16::try_from(currency).unwrap_or(978);
        }
        let fields = Fields {
            list: vec![
                Field::new(0x19, [0x00]),
                Field::new(0x29, self.terminal_id()),
            ],
            rest: Vec::new(),
        };
        self.queue(Apdu::new(0x06, 0x0F, fields.encode().unwrap_or_default()));
    }

    fn terminal_id(&self) -> Vec<u8> {
        bcd::pack(u64::from(self.config.terminal_id), 4).unwrap_or_default()
    }

    fn status_enquiry(&mut self, now_ms: u64, out: &mut SimOutput) {
        if !self.config.knows_status_enquiry {
            self.say(now_ms, &Apdu::refuse(0x83), out);
            return;
        }
        self.say(now_ms, &Apdu::accept(), out);
        let status = if self.busy() {
            0x9C
        } else {
            self.config.idle_status
        };
        self.queue(Apdu::new(0x06, 0x0F, [status]));
    }

    fn repeat_receipt(&mut self, now_ms: u64, out: &mut SimOutput) {
        if !self.config.knows_repeat_receipt {
            self.say(now_ms, &Apdu::refuse(0x83), out);
            return;
        }
        if self.busy() {
            self.say(now_ms, &Apdu::refuse(0x9C), out);
            return;
        }
        self.say(now_ms, &Apdu::accept(), out);
        let last = self
            .ledger
            .records()
            .iter()
            .rev()
            .find(|record| record.kind != RecordKind::DayClose)
            .cloned();
        match last {
            Some(record) => {
                let status = self.status_information(&record, false);
                self.queue(status);
                self.queue(Apdu::new(0x06, 0x0F, []));
            }
            None => self.queue(Apdu::new(0x06, 0x1E, [0x64])),
        }
    }

    fn order(&mut self, now_ms: u64, apdu: &Apdu, out: &mut SimOutput) {
        self.orders_received += 1;
        if self.busy() {
            self.say(now_ms, &Apdu::refuse(0x9C), out);
            return;
        }
        let scenario = self
            .scripted
            .pop_front()
            .unwrap_or_else(|| self.usual.clone());
        self.sent_budget = scenario.vanish_after_sent_bytes;
        if self.sent_budget == Some(0) {
            out.vanish = true;
        }
        self.acknowledgements_to_lose = scenario.lose_acknowledgements;
        match scenario.outcome {
            SimOutcome::Refuse(code) => return self.say(now_ms, &Apdu::refuse(code), out),
            SimOutcome::NeverAnswer => return,
            _ => {}
        }
        let Some((kind, amount_minor, currency)) = self.read_order(apdu) else {
            return self.say(now_ms, &Apdu::refuse(0xB5), out);
        };
        self.say(now_ms, &Apdu::accept(), out);
        for code in &scenario.prompts {
            self.outbox
                .push_back((Apdu::new(0x04, 0xFF, [*code]), Need::Answer));
        }
        let bank_at_ms = now_ms + scenario.delay_ms;
        let stage = if scenario.outcome == SimOutcome::FallSilent {
            Stage::Silent
        } else {
            Stage::Bank
        };
        self.transaction = Some(Transaction {
            kind,
            amount_minor,
            currency,
            scenario,
            bank_at_ms,
            stage,
        });
    }

    /// What an order asks for; `None` if it names a receipt that cannot be reversed.
    fn read_order(&self, apdu: &Apdu) -> Option<(RecordKind, u64, u16)> {
        let prefix = if apdu.command() == 0x0601 { 0 } else { 3 };
        let fields = Fields::parse(apdu.data.get(prefix..).unwrap_or_default());
        if apdu.command() == 0x0630 {
            let receipt = fields.number(0x87)?;
            let charged = self.ledger.charged();
            let record = charged
                .iter()
                .rev()
                .find(|r| u64::from(r.receipt) == receipt)?;
            let kind = RecordKind::Reversal {
                original_trace: record.trace,
            };
            return Some((kind, record.amount_minor, record.currency));
        }
        let kind = if apdu.command() == 0x0631 {
            RecordKind::Refund
        } else {
            RecordKind::Sale
        };
        let currency = fields
            .number(0x49)
            .and_then(|code| u16::try_from(code).ok());
        Some((
            kind,
            fields.number(0x04)?,
            currency.unwrap_or(self.currency),
        ))
    }

    fn abort(&mut self, now_ms: u64, out: &mut SimOutput) {
        let early = self
            .transaction
            .as_ref()
            .is_none_or(|transaction| matches!(transaction.stage, Stage::Bank | Stage::Silent));
        if !early {
            return self.say(now_ms, &Apdu::refuse(0x83), out);
        }
        self.say(now_ms, &Apdu::accept(), out);
        if self.transaction.is_some() {
            self.outbox.clear();
            self.end_with(Apdu::new(0x06, 0x1E, [0x6C]));
        }
    }

    fn day_close(&mut self, now_ms: u64, out: &mut SimOutput) {
        if self.busy() {
            return self.say(now_ms, &Apdu::refuse(0x9C), out);
        }
        self.say(now_ms, &Apdu::accept(), out);
        let batch = self.ledger.open_batch();
        let receipts: Vec<u16> = batch
            .iter()
            .filter(|record| !matches!(record.kind, RecordKind::Declined { .. }))
            .map(|record| record.receipt)
            .collect();
        let (mut total, mut count) = (0u64, 0u64);
        for record in batch {
            match record.kind {
                RecordKind::Sale => {
                    total = total.saturating_add(record.amount_minor);
                    count += 1;
                }
                RecordKind::Refund | RecordKind::Reversal { .. } => {
                    total = total.saturating_sub(record.amount_minor);
                }
                RecordKind::Declined { .. } | RecordKind::DayClose => {}
            }
        }
        let mut totals = Vec::new();
        let pack = |value: u64, bytes| bcd::pack(value, bytes).unwrap_or_default();
        totals.extend(pack(u64::from(receipts.first().copied().unwrap_or(0)), 2));
        totals.extend(pack(u64::from(receipts.last().copied().unwrap_or(0)), 2));
        for scheme in 0..7 {
            let here = scheme == 2;
            totals.extend(pack(if here { count } else { 0 }, 1));
            totals.extend(pack(if here { total } else { 0 }, 6));
        }
        let trace = self.next_trace();
        let fields = Fields {
            list: vec![
                Field::new(0x27, [0]),
                Field::new(0x04, pack(total, 6)),
                Field::new(0x49, pack(u64::from(self.currency), 2)),
                Field::new(0x0B, pack(u64::from(trace), 3)),
                Field::new(0x60, totals),
            ],
            rest: Vec::new(),
        };
        let record = Record {
            kind: RecordKind::DayClose,
            trace,
            receipt: self.last_receipt(),
            amount_minor: total,
            currency: self.currency,
            reference: None,
        };
        self.book(record);
        self.queue(Apdu::new(0x04, 0x0F, fields.encode().unwrap_or_default()));
        self.queue(Apdu::new(0x06, 0x0F, []));
    }

    fn answer(&mut self, now_ms: u64, apdu: &Apdu) {
        let Some((need, _)) = self.awaiting else {
            return;
        };
        if need == Need::Answer {
            self.awaiting = None;
            return;
        }
        if self.acknowledgements_to_lose > 0 {
            self.acknowledgements_to_lose -= 1;
            return;
        }
        self.awaiting = None;
        self.holds_received += usize::from(apdu.class == 0x84 && apdu.instruction == 0x9C);
        let Some(transaction) = self.transaction.as_mut() else {
            return;
        };
        let Stage::Asking { record, holds, .. } = transaction.stage.clone() else {
            return;
        };
        if apdu.class == 0x80 || apdu.instruction == 0 {
            // The commit point.
            self.book(record);
            self.end_with(Apdu::new(0x06, 0x0F, []));
        } else if apdu.instruction == 0x9C && holds < self.config.max_holds {
            let again_at_ms = now_ms + self.config.hold_pause_ms;
            transaction.stage = Stage::Holding {
                record,
                holds: holds + 1,
                again_at_ms,
            };
        } else {
            self.take_back(&record);
        }
    }

    /// Reverses an approval that was never booked.
    fn take_back(&mut self, record: &Record) {
        if self.config.records_failures {
            self.book(Record {
                kind: RecordKind::Declined { code: 0x6C },
                ..record.clone()
            });
        }
        self.queue(Apdu::new(0x04, 0xFF, [0x05]));
        self.end_with(Apdu::new(0x06, 0x1E, [0x6C]));
    }

    fn end_with(&mut self, apdu: Apdu) {
        self.queue(apdu);
        if let Some(transaction) = self.transaction.as_mut() {
            transaction.stage = Stage::Ending;
        }
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

    fn status_information(&self, record: &Record, unmasked: bool) -> Apdu {
        let pack = |value: u64, bytes| bcd::pack(value, bytes).unwrap_or_default();
        let code = match record.kind {
            RecordKind::Declined { code } => code,
            _ => 0,
        };
        let second = u64::from(record.trace % 60);
        let mut list = vec![
            Field::new(0x27, [code]),
            Field::new(0x04, pack(record.amount_minor, 6)),
            Field::new(0x49, pack(u64::from(record.currency), 2)),
            Field::new(0x0B, pack(u64::from(record.trace), 3)),
            Field::new(0x0C, pack(120_000 + second, 3)),
            Field::new(0x0D, pack(1122, 2)),
            Field::new(0x29, self.terminal_id()),
            Field::new(0x87, pack(u64::from(record.receipt), 2)),
            Field::new(0x3B, format!("{:06}\0\0", record.trace).into_bytes()),
            Field::new(0x8B, b"MasterCard\0".to_vec()),
            Field::new(
                0x22,
                if unmasked {
                    [0x55, 0x98, 0x84, 0x55, 0x55, 0x54, 0x80, 0x74]
                } else {
                    [0x55, 0x98, 0x83, 0xEE, 0xEE, 0xEE, 0x80, 0x74]
                },
            ),
        ];
        if let RecordKind::Reversal { original_trace } = record.kind {
            list.push(Field::new(0x37, pack(u64::from(original_trace), 3)));
        }
        let fields = Fields {
            list,
            rest: Vec::new(),
        };
        Apdu::new(0x04, 0x0F, fields.encode().unwrap_or_default())
    }

    /// The bank has answered.
    fn decide(&mut self) {
        let Some(transaction) = self.transaction.as_ref() else {
            return;
        };
        let outcome = transaction.scenario.outcome;
        let mut record = self.new_record(transaction, transaction.kind);
        let unmasked = transaction.scenario.unmasked_card_number;
        match outcome {
            SimOutcome::Approve | SimOutcome::ApproveWrongAmount => {
                if outcome == SimOutcome::ApproveWrongAmount {
                    record.amount_minor += 1;
                }
                if self.transport.is_none() {
                    return self.settle_alone(record);
                }
                let status = self.status_information(&record, unmasked);
                self.outbox.push_back((status, Need::Commit));
                if let Some(transaction) = self.transaction.as_mut() {
                    transaction.stage = Stage::Asking {
                        record,
                        sends: 1,
                        holds: 0,
                    };
                }
            }
            SimOutcome::Decline(code) | SimOutcome::DeclineThenComplete(code) => {
                let declined = self.new_record(transaction, RecordKind::Declined { code });
                let status = self.status_information(&declined, false);
                if self.config.records_failures {
                    self.book(declined);
                }
                self.queue(status);
                self.end_with(if matches!(outcome, SimOutcome::Decline(_)) {
                    Apdu::new(0x06, 0x1E, [code])
                } else {
                    Apdu::new(0x06, 0x0F, [])
                });
            }
            SimOutcome::Abort(code) => self.end_with(Apdu::new(0x06, 0x1E, [code])),
            SimOutcome::CompleteSilently => self.end_with(Apdu::new(0x06, 0x0F, [])),
            SimOutcome::FallSilent | SimOutcome::NeverAnswer | SimOutcome::Refuse(_) => {}
        }
    }

    /// The till is gone with an approval open: keep it or take it back, as the scenario says.
    fn settle_alone(&mut self, record: Record) {
        let keep = self.transaction.as_ref().is_some_and(|transaction| {
            transaction.scenario.when_unacknowledged == WhenUnacknowledged::Keep
        });
        if keep {
            self.book(record);
        } else if self.config.records_failures {
            self.book(Record {
                kind: RecordKind::Declined { code: 0x6C },
                ..record
            });
        }
        self.transaction = None;
        self.outbox.clear();
        self.awaiting = None;
    }

    fn answer_overdue(&mut self, need: Need) {
        self.awaiting = None;
        if need == Need::Answer {
            return;
        }
        let Some(transaction) = self.transaction.as_mut() else {
            return;
        };
        let Stage::Asking {
            record,
            sends,
            holds,
        } = transaction.stage.clone()
        else {
            return;
        };
        let unmasked = transaction.scenario.unmasked_card_number;
        if sends < 3 {
            transaction.stage = Stage::Asking {
                record: record.clone(),
                sends: sends + 1,
                holds,
            };
            let status = self.status_information(&record, unmasked);
            self.outbox.push_front((status, Need::Commit));
        } else if transaction.scenario.when_unacknowledged == WhenUnacknowledged::Keep {
            self.book(record);
            self.end_with(Apdu::new(0x06, 0x0F, []));
        } else {
            self.take_back(&record);
        }
    }

    fn hold_over(&mut self, now_ms: u64) {
        let Some(transaction) = self.transaction.as_mut() else {
            return;
        };
        let Stage::Holding {
            record,
            holds,
            again_at_ms,
        } = transaction.stage.clone()
        else {
            return;
        };
        if again_at_ms <= now_ms {
            let unmasked = transaction.scenario.unmasked_card_number;
            transaction.stage = Stage::Asking {
                record: record.clone(),
                sends: 1,
                holds,
            };
            let status = self.status_information(&record, unmasked);
            self.outbox.push_back((status, Need::Commit));
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
            if ended && idle {
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
        [awaiting, transport, transaction]
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
}
