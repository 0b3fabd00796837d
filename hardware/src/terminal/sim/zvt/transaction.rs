//! One order at the simulated ZVT terminal, from the command to the ledger.

use super::*;

impl ZvtModel {
    pub(super) fn order(&mut self, now_ms: u64, apdu: &Apdu, out: &mut SimOutput) {
        self.orders_received += 1;
        if self.busy() {
            self.say(now_ms, &Apdu::refuse(0x9C), out);
            return;
        }
        if self.day_is_full() && apdu.command() != 0x0630 {
            self.say(now_ms, &Apdu::refuse(0xF0), out);
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
        let (kind, amount_minor, currency) = match self.read_order(apdu) {
            Ok(read) => read,
            Err(code) => return self.say(now_ms, &Apdu::refuse(code), out),
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

    /// What an order asks for, or the code with which it is refused: `B4` for a receipt that was
    /// reversed before, `B5` for one that cannot be.
    pub(super) fn read_order(&self, apdu: &Apdu) -> Result<(RecordKind, u64, u16), u8> {
        let prefix = if apdu.command() == 0x0601 { 0 } else { 3 };
        let fields = Fields::parse(apdu.data.get(prefix..).unwrap_or_default());
        if apdu.command() == 0x0630 {
            let receipt = fields.number(0x87).ok_or(0xB5)?;
            let mut newest = self.ledger.records().iter().rev();
            let record = newest
                .find(|r| r.kind == RecordKind::Sale && u64::from(r.receipt) == receipt)
                .ok_or(0xB5)?;
            let reversed = self.ledger.records().iter().any(|r| {
                matches!(r.kind, RecordKind::Reversal { original_trace }
                    if original_trace == record.trace)
            });
            if reversed {
                return Err(0xB4);
            }
            let kind = RecordKind::Reversal {
                original_trace: record.trace,
            };
            return Ok((kind, record.amount_minor, record.currency));
        }
        let kind = if apdu.command() == 0x0631 {
            RecordKind::Refund
        } else {
            RecordKind::Sale
        };
        let currency = fields
            .number(0x49)
            .and_then(|code| u16::try_from(code).ok());
        Ok((
            kind,
            fields.number(0x04).ok_or(0xB5)?,
            currency.unwrap_or(self.currency),
        ))
    }

    pub(super) fn abort(&mut self, now_ms: u64, out: &mut SimOutput) {
        let early = self
            .transaction
            .as_ref()
            .is_some_and(|transaction| matches!(transaction.stage, Stage::Bank | Stage::Silent));
        if !early {
            return self.say(now_ms, &Apdu::refuse(0x83), out);
        }
        self.say(now_ms, &Apdu::accept(), out);
        if self.transaction.is_some() {
            self.outbox.clear();
            self.end_with(Apdu::new(0x06, 0x1E, [0x6C]));
        }
    }

    pub(super) fn answer(&mut self, now_ms: u64, apdu: &Apdu) {
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
    pub(super) fn take_back(&mut self, record: &Record) {
        if self.config.records_failures {
            self.book(Record {
                kind: RecordKind::Declined { code: 0x6C },
                ..record.clone()
            });
        }
        self.queue(Apdu::new(0x04, 0xFF, [0x05]));
        self.end_with(Apdu::new(0x06, 0x1E, [0x6C]));
    }

    pub(super) fn end_with(&mut self, apdu: Apdu) {
        self.queue(apdu);
        if let Some(transaction) = self.transaction.as_mut() {
            transaction.stage = Stage::Ending;
        }
    }

    /// The bank has answered.
    pub(super) fn decide(&mut self) {
        let Some(transaction) = self.transaction.as_ref() else {
            return;
        };
        let outcome = transaction.scenario.outcome;
        let mut record = self.new_record(transaction, transaction.kind);
        let card = transaction.scenario.card_data;
        match outcome {
            SimOutcome::Approve | SimOutcome::ApproveWrongAmount => {
                if outcome == SimOutcome::ApproveWrongAmount {
                    record.amount_minor += 1;
                }
                if self.transport.is_none() {
                    return self.settle_alone(record);
                }
                for line in card.zvt_receipt() {
                    self.queue(line);
                }
                let status = self.status_information(&record, card);
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
                let status = self.status_information(&declined, card);
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
    pub(super) fn settle_alone(&mut self, record: Record) {
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

    pub(super) fn answer_overdue(&mut self, need: Need) {
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
        let card = transaction.scenario.card_data;
        if sends < 3 {
            transaction.stage = Stage::Asking {
                record: record.clone(),
                sends: sends + 1,
                holds,
            };
            let status = self.status_information(&record, card);
            self.outbox.push_front((status, Need::Commit));
        } else if transaction.scenario.when_unacknowledged == WhenUnacknowledged::Keep {
            self.book(record);
            self.end_with(Apdu::new(0x06, 0x0F, []));
        } else {
            self.take_back(&record);
        }
    }

    pub(super) fn hold_over(&mut self, now_ms: u64) {
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
            let card = transaction.scenario.card_data;
            transaction.stage = Stage::Asking {
                record: record.clone(),
                sends: 1,
                holds,
            };
            let status = self.status_information(&record, card);
            self.outbox.push_back((status, Need::Commit));
        }
    }
}
