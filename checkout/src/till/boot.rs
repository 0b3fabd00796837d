//! Going on after a restart: the same basket, the same screen, no money forgotten.

use super::{
    AttemptStatus, Doubt, Effect, Front, Help, Live, NotStartedReason, Notice, PrintOutcome, Stage,
    TenderKind, Till, Unprinted, What,
};

impl Till {
    /// Called once, with the durable state in place.
    pub(super) fn restore(&mut self) {
        let fresh = self.state.counters.ticket == 0;
        self.watch_again();
        self.check_payee();
        self.doubt_open_receipts();
        self.doubt_open_slips();
        self.ask_about_settled();
        self.restore_order();
        let Some(visit) = &mut self.state.visit else {
            if !fresh {
                let what = What::Restarted {
                    visit_restored: false,
                    attempts_in_doubt: u32::from(self.state.order.is_some()),
                };
                self.record(what);
            }
            return;
        };
        visit.counts.restarts = visit.counts.restarts.saturating_add(1);
        let (stage, tapped) = (visit.stage, visit.face.is_some());
        let weighing = visit.weighing.is_some();
        let last = visit.attempts.last();
        let last = last.filter(|last| last.status == AttemptStatus::PartPaid);
        let underpaid = last.map(|last| last.id);
        if visit.help_since_wall_ms.is_some() {
            let since_mono_ms = self.now.mono_ms;
            self.help = Help {
                open: true,
                since_mono_ms,
                answered: false,
            };
        }
        let in_doubt = self.active().is_some_and(|active| {
            active.kind == TenderKind::Card && active.status != AttemptStatus::Intended
        });
        let attempts_in_doubt = u32::from(in_doubt) + u32::from(self.state.order.is_some());
        self.record(What::Restarted {
            visit_restored: true,
            attempts_in_doubt,
        });
        self.reprice();
        self.front = match stage {
            Stage::Shop if weighing => Front::Weigh,
            Stage::Shop => Front::Shop,
            Stage::Pay => underpaid.map_or(Front::Pay, Front::Underpaid),
            Stage::Paid if tapped => Front::Thanks,
            Stage::Paid => Front::Paid,
        };
        self.paid_shown = stage == Stage::Paid;
        match stage {
            Stage::Paid => self.resend_unsent(),
            Stage::Shop | Stage::Pay => {
                self.tell(Notice::Restarted);
                self.restore_attempt();
            }
        }
    }

    fn restore_attempt(&mut self) {
        let Some(active) = self.active() else {
            return;
        };
        let (attempt, kind, status) = (active.id, active.kind, active.status.clone());
        self.front = Front::Tender;
        self.live = Live {
            since_mono_ms: self.now.mono_ms,
            ..Live::default()
        };
        match (kind, status) {
            // Only what is on disk was done: the terminal was never asked for money.
            (TenderKind::Card, AttemptStatus::Intended) => {
                self.card_not_started(NotStartedReason::Restarted);
            }
            (TenderKind::Card, AttemptStatus::Unknown) => self.recover(),
            (TenderKind::Card, _) => self.card_is_unknown(Doubt::Restarted),
            (TenderKind::Qr, AttemptStatus::Intended) => {
                self.cancel_unseen(attempt);
                self.qr_not_started(NotStartedReason::Restarted);
            }
            (TenderKind::Qr, _) => self.show_offer_again(),
            (TenderKind::Cash | TenderKind::Voucher, _) => {}
        }
    }

    fn show_offer_again(&mut self) {
        self.set_active_status(AttemptStatus::Showing);
        let Some(active) = self.active().cloned() else {
            return;
        };
        self.live.shown = true;
        self.live.span_ms = self.config.limits.offer_ms;
        self.live.until_mono_ms = self.now.mono_ms.saturating_add(self.live.span_ms);
        self.out.push(Effect::WatchBank {
            attempt: active.id,
            order_code: active.order_code.unwrap_or_default(),
            amount: self.money(active.amount_minor),
            offer: active.offer,
            shown: true,
        });
        self.out.push(Effect::CheckBank { attempt: active.id });
    }

    /// Offers left behind before the restart are watched on.
    fn watch_again(&mut self) {
        for watched in self.state.watched.clone() {
            self.watch_bank(&watched);
        }
    }

    /// A receipt that was on its way when the power went may or may not be printed, unless the
    /// spool knew better.
    fn doubt_open_receipts(&mut self) {
        let ended =
            |entry: &Unprinted| matches!(entry.outcome, PrintOutcome::Printed | PrintOutcome::Sent);
        let (known, open): (Vec<Unprinted>, Vec<Unprinted>) =
            self.state.unprinted.drain(..).partition(ended);
        self.state.unprinted = open;
        for entry in known {
            self.record(ended_receipt(&entry));
        }
        let mut doubtful = Vec::new();
        for entry in &mut self.state.unprinted {
            if matches!(entry.outcome, PrintOutcome::Queued | PrintOutcome::Printing) {
                entry.outcome = PrintOutcome::Unknown;
                doubtful.push((entry.job, entry.receipt_number));
            }
        }
        if let Some(print) = self
            .state
            .visit
            .as_mut()
            .and_then(|visit| visit.print.as_mut())
            && matches!(print.outcome, PrintOutcome::Queued | PrintOutcome::Printing)
        {
            print.outcome = PrintOutcome::Unknown;
        }
        for (job, receipt_number) in doubtful {
            self.record(What::ReceiptUnknown {
                job,
                receipt_number,
            });
        }
    }
}

/// What the spool knew of a receipt whose end did not reach the till's row.
fn ended_receipt(entry: &Unprinted) -> What {
    let (job, receipt_number, copy_number) = (entry.job, entry.receipt_number, entry.copies);
    match entry.outcome {
        PrintOutcome::Sent => What::ReceiptSent {
            job,
            receipt_number,
            copy_number,
        },
        _ => What::ReceiptPrinted {
            job,
            receipt_number,
            copy_number,
        },
    }
}
