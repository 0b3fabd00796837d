//! A Caisse-AP terminal as a model: it charges by itself, answers once, and forgets.

use std::collections::VecDeque;

use super::card_data::CardData;
use super::ledger::{Ledger, Record, RecordKind};
use super::model::{SimModel, SimOutput};
use super::scenario::{Scenario, SimOutcome, WhenUnacknowledged};
use crate::terminal::caisse_ap::protocol::{read, write};

#[derive(Debug)]
struct Order {
    fields: Vec<(String, String)>,
    scenario: Scenario,
    bank_at_ms: u64,
}

/// See the module text.
#[derive(Debug)]
pub struct CaisseApModel {
    ledger: Ledger,
    scripted: VecDeque<Scenario>,
    usual: Scenario,
    received: Vec<u8>,
    order: Option<Order>,
    online: bool,
    orders_received: usize,
}

impl CaisseApModel {
    /// A terminal with this ledger.
    pub fn new(ledger: Ledger) -> Self {
        Self {
            ledger,
            scripted: VecDeque::new(),
            usual: Scenario::default(),
            received: Vec::new(),
            order: None,
            online: false,
            orders_received: 0,
        }
    }

    fn decide(&mut self, out: &mut SimOutput) {
        let Some(order) = self.order.take() else {
            return;
        };
        let get = |wanted: &str| {
            order
                .fields
                .iter()
                .find(|(tag, _)| tag == wanted)
                .map(|(_, value)| value.as_str())
        };
        let mut amount: u64 = get("CB").and_then(|value| value.parse().ok()).unwrap_or(0);
        let paid = match order.scenario.outcome {
            SimOutcome::Approve => true,
            SimOutcome::ApproveWrongAmount => {
                amount += 1;
                true
            }
            _ => false,
        };
        let keep = order.scenario.when_unacknowledged == WhenUnacknowledged::Keep;
        if paid && (self.online || keep) {
            let refund = get("CD") == Some("1");
            let last = self.ledger.records().last();
            let record = Record {
                kind: if refund {
                    RecordKind::Refund
                } else {
                    RecordKind::Sale
                },
                trace: last.map_or(0, |record| record.trace) + 1,
                receipt: last.map_or(0, |record| record.receipt) % 9999 + 1,
                amount_minor: amount,
                currency: get("CE").and_then(|code| code.parse().ok()).unwrap_or(0),
                reference: None,
            };
            if let Err(error) = self.ledger.append(record) {
                tracing::error!(target: "terminal_sim", %error, "the ledger cannot be written");
            }
        }
        let (status, reason) = match order.scenario.outcome {
            SimOutcome::Approve | SimOutcome::ApproveWrongAmount => ("10", None),
            SimOutcome::CompleteSilently => ("11", None),
            SimOutcome::FallSilent | SimOutcome::NeverAnswer => return,
            SimOutcome::Decline(code)
            | SimOutcome::DeclineThenComplete(code)
            | SimOutcome::Abort(code)
            | SimOutcome::Refuse(code) => ("01", Some(format!("{:02}", code % 100))),
        };
        let minor = format!("{amount:02}");
        let card = order.scenario.card_data;
        let card_fields = card.caisse_ap_fields();
        let mut answer: Vec<(&str, &str)> = vec![("CZ", "0301"), ("AE", status)];
        for (tag, value) in &order.fields {
            if matches!(tag.as_str(), "CA" | "CE" | "CD" | "CJ") {
                answer.push((tag, value));
            }
        }
        answer.push(("CB", &minor));
        match &reason {
            Some(reason) => answer.push(("AF", reason)),
            None => answer.extend(
                card_fields
                    .iter()
                    .map(|(tag, value)| (*tag, value.as_str())),
            ),
        }
        let mut bytes = write(&answer).into_bytes();
        if card == CardData::WrongLength {
            lengthen_card_number(&mut bytes);
        }
        let limit = order.scenario.vanish_after_sent_bytes;
        let length = limit.map_or(bytes.len(), |limit| limit.min(bytes.len()));
        if self.online {
            out.wire.extend(&bytes[..length]);
            out.vanish = limit.is_some() || card == CardData::WrongLength;
        }
    }
}

/// Makes the field of the card number say that it is longer than the whole answer.
fn lengthen_card_number(answer: &mut [u8]) {
    let place = answer.windows(5).position(|part| part == b"AA016");
    if let Some(place) = place {
        answer[place + 2..place + 5].copy_from_slice(b"900");
    }
}

impl SimModel for CaisseApModel {
    fn link_up(&mut self, _now_ms: u64, _out: &mut SimOutput) {
        self.online = true;
        self.received.clear();
    }

    fn link_down(&mut self, _now_ms: u64) {
        self.online = false;
        self.received.clear();
        // The terminal does not need the till to ask the bank.
        self.decide(&mut SimOutput::default());
    }

    fn bytes(&mut self, now_ms: u64, bytes: &[u8], out: &mut SimOutput) {
        self.received.extend(bytes);
        let (fields, is_whole) = read(&self.received);
        let complete = is_whole && fields.iter().any(|(tag, _)| tag == "CB");
        if !complete || self.order.is_some() {
            return;
        }
        self.received.clear();
        self.orders_received += 1;
        let scenario = self
            .scripted
            .pop_front()
            .unwrap_or_else(|| self.usual.clone());
        let bank_at_ms = now_ms + scenario.delay_ms;
        self.order = Some(Order {
            fields,
            scenario,
            bank_at_ms,
        });
        self.tick(now_ms, out);
    }

    fn tick(&mut self, now_ms: u64, out: &mut SimOutput) {
        if self
            .order
            .as_ref()
            .is_some_and(|order| order.bank_at_ms <= now_ms)
        {
            self.decide(out);
        }
    }

    fn deadline_ms(&self) -> Option<u64> {
        self.order.as_ref().map(|order| order.bank_at_ms)
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
        self.online = false;
        self.order = None;
        self.received.clear();
        self.scripted.clear();
    }

    fn stand_alone_sale(&mut self, amount_minor: u64) -> bool {
        self.order.is_none() && self.ledger.stand_alone_sale(amount_minor)
    }
}
