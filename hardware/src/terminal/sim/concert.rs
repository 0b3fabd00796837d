//! A Concert terminal as a model: `ENQ` and `ACK`, one order, one answer repeated until it is
//! acknowledged or given up.

use std::collections::VecDeque;

use super::card_data::CardData;
use super::ledger::{Ledger, Record, RecordKind};
use super::model::{SimModel, SimOutput};
use super::scenario::{Scenario, SimOutcome, WhenUnacknowledged};
use crate::terminal::concert::protocol::{ACK, Answer, ENQ, EOT, NAK, Reader, Signal, frame};

/// How long the terminal waits for an `ACK` before it repeats.
const REPEAT_MS: u64 = 1000;
/// How often it repeats its answer.
const MAX_SENDS: u8 = 3;

#[derive(Debug)]
enum State {
    Idle,
    Listening,
    Bank {
        order: Order,
        at_ms: u64,
    },
    Calling {
        body: Vec<u8>,
        at_ms: u64,
        sends: u8,
    },
    Answered {
        body: Vec<u8>,
        at_ms: u64,
        sends: u8,
    },
}

#[derive(Debug)]
struct Order {
    answer: Answer,
    refund: bool,
    /// The till asked for the long answer, with a report about the card.
    report: bool,
    scenario: Scenario,
}

/// See the module text.
#[derive(Debug)]
pub struct ConcertModel {
    ledger: Ledger,
    scripted: VecDeque<Scenario>,
    usual: Scenario,
    reader: Reader,
    state: State,
    busy: bool,
    budget: Option<usize>,
    orders_received: usize,
}

impl ConcertModel {
    /// A terminal with this ledger.
    pub fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            scripted: VecDeque::new(),
            usual: Scenario::default(),
            reader: Reader::default(),
            state: State::Idle,
            busy: false,
            budget: None,
            orders_received: 0,
        }
    }

    /// Whether the terminal answers `NAK` to `ENQ`, as with somebody's amount still on it.
    pub fn set_busy(&mut self, busy: bool) {
        self.busy = busy;
    }

    fn emit(&mut self, bytes: &[u8], out: &mut SimOutput) {
        let allowed = self
            .budget
            .map_or(bytes.len(), |budget| budget.min(bytes.len()));
        out.wire.extend(&bytes[..allowed]);
        if let Some(budget) = self.budget.as_mut() {
            *budget -= allowed;
            out.vanish |= *budget == 0;
        }
    }

    fn signal(&mut self, now_ms: u64, signal: Signal, out: &mut SimOutput) {
        let state = std::mem::replace(&mut self.state, State::Idle);
        self.state = match (state, signal) {
            (State::Idle | State::Listening, Signal::Control(ENQ)) => {
                self.emit(&[if self.busy { NAK } else { ACK }], out);
                if self.busy {
                    State::Idle
                } else {
                    State::Listening
                }
            }
            (State::Listening, Signal::Control(EOT)) => State::Idle,
            (State::Listening, Signal::Message(body)) => self.order(now_ms, &body, out),
            (State::Listening, Signal::Broken) => {
                self.emit(&[NAK], out);
                State::Listening
            }
            (State::Calling { body, sends, .. }, Signal::Control(ACK)) => {
                let bytes = frame(&body);
                self.emit(&bytes, out);
                State::Answered {
                    body,
                    at_ms: now_ms + REPEAT_MS,
                    sends,
                }
            }
            (State::Answered { .. }, Signal::Control(ACK)) => {
                self.emit(&[EOT], out);
                self.budget = None;
                State::Idle
            }
            (State::Answered { body, sends, .. }, Signal::Control(NAK)) => {
                self.call(now_ms, body, sends, out)
            }
            (state, _) => state,
        };
    }

    fn order(&mut self, now_ms: u64, body: &[u8], out: &mut SimOutput) -> State {
        let text: String = body.iter().map(|byte| char::from(*byte)).collect();
        if body.len() != 34 || !text.is_ascii() {
            self.emit(&[NAK], out);
            return State::Listening;
        }
        self.orders_received += 1;
        let scenario = self
            .scripted
            .pop_front()
            .unwrap_or_else(|| self.usual.clone());
        self.budget = scenario.vanish_after_sent_bytes;
        out.vanish |= self.budget == Some(0);
        let answer = Answer {
            result: match scenario.outcome {
                SimOutcome::Approve | SimOutcome::ApproveWrongAmount => '0',
                SimOutcome::CompleteSilently => '9',
                _ => '7',
            },
            amount_minor: text[2..10].parse().ok(),
            currency: text[13..16].parse().ok(),
            private: text[16..26].trim_end().to_owned(),
        };
        if scenario.outcome == SimOutcome::NeverAnswer {
            return State::Idle;
        }
        self.emit(&[ACK], out);
        let at_ms = now_ms + scenario.delay_ms;
        State::Bank {
            order: Order {
                answer,
                refund: &text[12..13] == "2",
                report: &text[10..11] == "1",
                scenario,
            },
            at_ms,
        }
    }

    fn call(&mut self, now_ms: u64, body: Vec<u8>, sends: u8, out: &mut SimOutput) -> State {
        if sends >= MAX_SENDS {
            return State::Idle;
        }
        self.emit(&[ENQ], out);
        State::Calling {
            body,
            at_ms: now_ms + REPEAT_MS,
            sends: sends + 1,
        }
    }

    fn decide(&mut self, now_ms: u64, order: Order, online: bool, out: &mut SimOutput) -> State {
        let Order {
            mut answer,
            refund,
            report,
            scenario,
        } = order;
        let keep = scenario.when_unacknowledged == WhenUnacknowledged::Keep;
        if scenario.outcome == SimOutcome::FallSilent {
            return State::Idle;
        }
        if scenario.outcome == SimOutcome::ApproveWrongAmount {
            answer.amount_minor = answer.amount_minor.map(|minor| minor + 1);
        }
        if answer.result == '0' && (online || keep) {
            let last = self.ledger.records().last();
            let record = Record {
                kind: if refund {
                    RecordKind::Refund
                } else {
                    RecordKind::Sale
                },
                trace: last.map_or(0, |record| record.trace) + 1,
                receipt: last.map_or(0, |record| record.receipt) % 9999 + 1,
                amount_minor: answer.amount_minor.unwrap_or(0),
                currency: answer.currency.unwrap_or(0),
                reference: Some(answer.private.clone()),
            };
            if let Err(error) = self.ledger.append(record) {
                tracing::error!(target: "terminal_sim", %error, "the ledger cannot be written");
            }
        }
        if online {
            let card = scenario.card_data;
            if let Some(private) = card.concert_private() {
                answer.private = private;
            }
            let mut body = answer.body();
            if report || card != CardData::Masked {
                body.splice(12..12, card.concert_report());
            }
            self.call(now_ms, body, 0, out)
        } else {
            State::Idle
        }
    }
}

impl SimModel for ConcertModel {
    fn link_up(&mut self, _now_ms: u64, _out: &mut SimOutput) {
        self.reader.reset();
        self.budget = None;
    }

    fn link_down(&mut self, now_ms: u64) {
        self.reader.reset();
        // The terminal does not need the till to ask the bank.
        if let State::Bank { order, .. } = std::mem::replace(&mut self.state, State::Idle) {
            self.state = self.decide(now_ms, order, false, &mut SimOutput::default());
        }
    }

    fn bytes(&mut self, now_ms: u64, bytes: &[u8], out: &mut SimOutput) {
        for byte in bytes {
            if let Some(signal) = self.reader.push(*byte) {
                self.signal(now_ms, signal, out);
            }
        }
    }

    fn tick(&mut self, now_ms: u64, out: &mut SimOutput) {
        if self.deadline_ms().is_none_or(|deadline| deadline > now_ms) {
            return;
        }
        self.state = match std::mem::replace(&mut self.state, State::Idle) {
            State::Bank { order, .. } => self.decide(now_ms, order, true, out),
            State::Calling { body, sends, .. } | State::Answered { body, sends, .. } => {
                self.call(now_ms, body, sends, out)
            }
            state => state,
        };
    }

    fn deadline_ms(&self) -> Option<u64> {
        match &self.state {
            State::Bank { at_ms, .. }
            | State::Calling { at_ms, .. }
            | State::Answered { at_ms, .. } => Some(*at_ms),
            State::Idle | State::Listening => None,
        }
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

    fn power_cut(&mut self, _now_ms: u64) {
        self.state = State::Idle;
        self.reader.reset();
        self.budget = None;
        self.scripted.clear();
    }

    fn stand_alone_sale(&mut self, amount_minor: u64) -> bool {
        matches!(self.state, State::Idle) && self.ledger.stand_alone_sale(amount_minor)
    }
}
