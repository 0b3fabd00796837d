//! Registration, status, last transaction and day close of the simulated ZVT terminal.

use super::*;

impl ZvtModel {
    pub(super) fn registration(&mut self, now_ms: u64, apdu: &Apdu, out: &mut SimOutput) {
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

    pub(super) fn terminal_id(&self) -> Vec<u8> {
        bcd::pack(u64::from(self.config.terminal_id), 4).unwrap_or_default()
    }

    pub(super) fn status_enquiry(&mut self, now_ms: u64, out: &mut SimOutput) {
        if !self.config.knows_status_enquiry {
            self.say(now_ms, &Apdu::refuse(0x83), out);
            return;
        }
        self.say(now_ms, &Apdu::accept(), out);
        let status = if self.busy() {
            0x9C
        } else if self.day_is_full() {
            0xF0
        } else {
            self.config.idle_status
        };
        self.queue(Apdu::new(0x06, 0x0F, [status]));
    }

    pub(super) fn repeat_receipt(&mut self, now_ms: u64, out: &mut SimOutput) {
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
                let status = self.status_information(&record, self.usual.card_data);
                self.queue(status);
                self.queue(Apdu::new(0x06, 0x0F, []));
            }
            None => self.queue(Apdu::new(0x06, 0x1E, [0x64])),
        }
    }

    /// The order to close the day; a script for it is taken like one for an order of money.
    pub(super) fn day_close(&mut self, now_ms: u64, out: &mut SimOutput) {
        if self.busy() {
            return self.say(now_ms, &Apdu::refuse(0x9C), out);
        }
        let scenario = self.scripted.pop_front().unwrap_or(Scenario {
            prompts: Vec::new(),
            ..Scenario::default()
        });
        self.sent_budget = scenario.vanish_after_sent_bytes;
        out.vanish |= self.sent_budget == Some(0);
        match scenario.outcome {
            SimOutcome::Refuse(code) => return self.say(now_ms, &Apdu::refuse(code), out),
            SimOutcome::NeverAnswer => return,
            _ => {}
        }
        self.say(now_ms, &Apdu::accept(), out);
        for code in &scenario.prompts {
            self.queue(Apdu::new(0x04, 0xFF, [*code]));
        }
        self.closing = Some(Closing {
            at_ms: now_ms + scenario.delay_ms,
            scenario,
        });
    }

    /// The host has answered: the day is closed, whether or not a till is there to hear it.
    pub(super) fn close_now(&mut self) {
        let Some(closing) = self.closing.take() else {
            return;
        };
        let failed = |code| Apdu::new(0x04, 0x0F, [0x27, code]);
        match closing.scenario.outcome {
            SimOutcome::Decline(code) => {
                self.queue(failed(code));
                self.queue(Apdu::new(0x06, 0x1E, [code]));
            }
            SimOutcome::DeclineThenComplete(code) => {
                self.queue(failed(code));
                self.queue(Apdu::new(0x06, 0x0F, []));
            }
            SimOutcome::Abort(code) => self.queue(Apdu::new(0x06, 0x1E, [code])),
            SimOutcome::FallSilent => drop(self.book_day_close()),
            SimOutcome::CompleteSilently => {
                self.book_day_close();
                self.queue(Apdu::new(0x06, 0x0F, []));
            }
            _ => {
                let totals = self.book_day_close();
                self.queue(totals);
                self.queue(Apdu::new(0x06, 0x0F, []));
            }
        }
        if self.transport.is_none() {
            self.outbox.clear();
        }
    }

    /// Books the close and says what it was.
    fn book_day_close(&mut self) -> Apdu {
        let batch = self.ledger.open_batch();
        let receipts: Vec<u16> = batch
            .iter()
            .filter(|record| !matches!(record.kind, RecordKind::Declined { .. }))
            .map(|record| record.receipt)
            .collect();
        let (mut sum, mut count) = (0i128, 0u64);
        for record in batch {
            let minor = i128::from(record.amount_minor);
            match record.kind {
                RecordKind::Sale => {
                    sum += minor;
                    count += 1;
                }
                RecordKind::Refund | RecordKind::Reversal { .. } => sum -= minor,
                RecordKind::Declined { .. } | RecordKind::DayClose => {}
            }
        }
        // The field has no sign.
        let total = u64::try_from(sum).unwrap_or(0);
        let mut totals = Vec::new();
        let pack = |value: u64, bytes| bcd::pack(value, bytes).unwrap_or_default();
        totals.extend(pack(u64::from(receipts.first().copied().unwrap_or(0)), 2));
        totals.extend(pack(u64::from(receipts.last().copied().unwrap_or(0)), 2));
        for scheme in 0..7 {
            let here = scheme == 2;
            // Two digits: a terminal's counter starts again after 99.
            totals.extend(pack(if here { count % 100 } else { 0 }, 1));
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
        self.book(Record {
            kind: RecordKind::DayClose,
            trace,
            receipt: self.last_receipt(),
            amount_minor: total,
            currency: self.currency,
            reference: None,
        });
        Apdu::new(0x04, 0x0F, fields.encode().unwrap_or_default())
    }

    pub(super) fn status_information(&self, record: &Record, card: CardData) -> Apdu {
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
        ];
        if let RecordKind::Reversal { original_trace } = record.kind {
            list.push(Field::new(0x37, pack(u64::from(original_trace), 3)));
        }
        let card = card.zvt_fields();
        list.extend(card.list);
        let fields = Fields {
            list,
            rest: card.rest,
        };
        Apdu::new(0x04, 0x0F, fields.encode().unwrap_or_default())
    }
}
