//! After the sale: paid, exit tap, reasons, thanks; and the receipt, which never holds anything up.

use super::gate::Deed;
use super::{
    Front, PrintJobId, PrintOutcome, PrintRecord, PrinterSaid, REASONS_MAX, RESENDS_MAX, Sale,
    Till, Unprinted, VisitEnd, What,
};

/// Faces up to this one are asked why.
const LOW_FACE_MAX: u8 = 3;

impl Till {
    /// The sale is on disk.
    pub(super) fn show_paid(&mut self) {
        if self.front == Front::Paid && !self.paid_shown {
            self.paid_shown = true;
            self.enter(Front::Paid);
        }
    }

    /// Skip, done, or the time of the screen is over by hand.
    pub(super) fn skip(&mut self) {
        if self.help.open {
            self.end_help();
        }
        match &self.front {
            Front::Paid if self.paid_shown => self.enter_tap(),
            Front::Tap => self.leave_tap(false),
            Front::Reasons(_) => self.enter(Front::Thanks),
            Front::Thanks => self.end_visit(VisitEnd::Bought),
            Front::Parked { .. } => self.enter(Front::Attract),
            _ => {}
        }
    }

    /// The screen's time is over.
    pub(super) fn exit_timed_out(&mut self) {
        match &self.front {
            Front::Tap => self.leave_tap(true),
            _ => self.skip(),
        }
    }

    fn enter_tap(&mut self) {
        self.enter(Front::Tap);
    }

    fn leave_tap(&mut self, timed_out: bool) {
        let Some(visit) = &self.state.visit else {
            return;
        };
        let tapped = visit.face.is_some();
        let receipt_number = self.receipt_number();
        if !tapped {
            self.record(What::TapSkipped {
                timed_out,
                receipt_number,
            });
        }
        self.enter(Front::Thanks);
    }

    fn receipt_number(&self) -> u64 {
        let sale = self
            .state
            .visit
            .as_ref()
            .and_then(|visit| visit.sale.as_ref());
        sale.map_or(0, |sale| sale.receipt_number)
    }

    /// One answer per sale; reasons are asked once it is on disk.
    pub(super) fn on_face(&mut self, face: u8) {
        let receipt_number = self.receipt_number();
        if self.front == Front::Paid && self.paid_shown {
            self.enter_tap();
        }
        if self.front != Front::Tap || !(1..=5).contains(&face) {
            return;
        }
        let Some(visit) = self
            .state
            .visit
            .as_mut()
            .filter(|visit| visit.face.is_none())
        else {
            return;
        };
        visit.face = Some(face);
        self.record(What::Tapped {
            face,
            receipt_number,
        });
        self.gate.after(Deed::ShowReasons);
    }

    /// The tap is on disk.
    pub(super) fn show_reasons(&mut self) {
        let face = self.state.visit.as_ref().and_then(|visit| visit.face);
        let Some(face) = face.filter(|_| self.front == Front::Tap) else {
            return;
        };
        let low = face <= LOW_FACE_MAX;
        let one_in = if low {
            1
        } else {
            self.config.reasons.high_one_in
        };
        let drawn = one_in > 0 && self.random.next().is_multiple_of(u64::from(one_in));
        let shown = if drawn {
            self.reasons_to_show(low)
        } else {
            Vec::new()
        };
        if shown.is_empty() {
            return self.enter(Front::Thanks);
        }
        self.record(What::ReasonsShown {
            face,
            shown: shown.clone(),
            one_in,
        });
        self.enter(Front::Reasons(shown));
    }

    /// Shuffled, so that no reason gains by its place; "other" stays last.
    fn reasons_to_show(&mut self, low: bool) -> Vec<String> {
        let reasons = &self.config.reasons;
        let last = reasons.last.clone();
        let mut shown = if low {
            reasons.low.clone()
        } else {
            reasons.high.clone()
        };
        shown.retain(|reason| *reason != last);
        self.random.shuffle(&mut shown);
        shown.truncate(REASONS_MAX - usize::from(!last.is_empty()));
        if !last.is_empty() && !shown.is_empty() {
            shown.push(last);
        }
        shown
    }

    /// Only reasons that were shown count, each once.
    pub(super) fn on_reasons(&mut self, chosen: &[String]) {
        let Front::Reasons(shown) = &self.front else {
            return;
        };
        let reasons: Vec<String> = shown
            .iter()
            .filter(|reason| chosen.contains(reason))
            .cloned()
            .collect();
        let face = self
            .state
            .visit
            .as_ref()
            .and_then(|visit| visit.face)
            .unwrap_or(0);
        if !reasons.is_empty() {
            self.record(What::ReasonsGiven { face, reasons });
        }
        self.enter(Front::Thanks);
    }

    // ---- receipts ----

    pub(super) fn on_printer(&mut self, job: PrintJobId, said: PrinterSaid) {
        let outcome = match said {
            PrinterSaid::Started => PrintOutcome::Printing,
            PrinterSaid::Printed => PrintOutcome::Printed,
            PrinterSaid::Sent => PrintOutcome::Sent,
            PrinterSaid::Failed(fault) => PrintOutcome::Failed(fault),
            PrinterSaid::Unknown => PrintOutcome::Unknown,
        };
        if self.slip_said(job, outcome) {
            return;
        }
        if let Some(print) = self
            .print_on_screen(job)
            .filter(|p| goes_on(p.outcome, outcome))
        {
            print.outcome = outcome;
        }
        let Some(index) = self
            .state
            .unprinted
            .iter()
            .position(|entry| entry.job == job)
        else {
            return;
        };
        let entry = &mut self.state.unprinted[index];
        if !goes_on(entry.outcome, outcome) {
            return;
        }
        entry.outcome = outcome;
        let (receipt_number, copy_number) = (entry.receipt_number, entry.copies);
        match outcome {
            PrintOutcome::Printed => {
                self.state.unprinted.remove(index);
                self.record(What::ReceiptPrinted {
                    job,
                    receipt_number,
                    copy_number,
                });
            }
            PrintOutcome::Sent => {
                self.state.unprinted.remove(index);
                self.record(What::ReceiptSent {
                    job,
                    receipt_number,
                    copy_number,
                });
            }
            PrintOutcome::Failed(fault) => {
                self.record(What::ReceiptFailed {
                    job,
                    receipt_number,
                    fault,
                });
            }
            PrintOutcome::Unknown => self.record(What::ReceiptUnknown {
                job,
                receipt_number,
            }),
            PrintOutcome::Queued | PrintOutcome::Printing => {}
        }
    }

    fn print_on_screen(&mut self, job: PrintJobId) -> Option<&mut PrintRecord> {
        let print = self.state.visit.as_mut()?.print.as_mut()?;
        (print.job == job).then_some(print)
    }

    /// Prints a sale again; always marked as a copy.
    pub(super) fn reprint(&mut self, receipt: Box<Sale>) {
        let known = self.state.unprinted.iter();
        let copies = known
            .filter(|entry| entry.receipt_number == receipt.receipt_number)
            .map(|entry| entry.copies)
            .max();
        let copy_number = copies.unwrap_or(0).saturating_add(1);
        self.queue_receipt(receipt, copy_number, 0);
    }

    /// The shopper is still standing here and not one byte of the receipt left for the printer:
    /// it may be sent again as it is. Anything else is for staff to decide.
    pub(super) fn resend_unsent(&mut self) {
        let Some(visit) = &self.state.visit else {
            return;
        };
        let unsent = visit.print.as_ref().filter(|print| {
            matches!(print.outcome, PrintOutcome::Failed(_)) && print.resends < RESENDS_MAX
        });
        let (Some(print), Some(sale)) = (unsent, visit.sale.clone()) else {
            return;
        };
        let (copy_number, resends) = (print.copy_number, print.resends + 1);
        self.queue_receipt(sale, copy_number, resends);
    }

    fn queue_receipt(&mut self, receipt: Box<Sale>, copy_number: u32, resends: u8) {
        let receipt_number = receipt.receipt_number;
        self.state.counters.print_job += 1;
        let job = PrintJobId(self.state.counters.print_job);
        let outcome = PrintOutcome::Queued;
        self.forget_receipt(receipt_number);
        self.remember_unprinted(Unprinted {
            receipt_number,
            job,
            copies: copy_number,
            outcome,
        });
        if let Some(visit) = &mut self.state.visit
            && visit
                .sale
                .as_ref()
                .is_some_and(|sale| sale.receipt_number == receipt_number)
        {
            visit.print = Some(PrintRecord {
                job,
                copy_number,
                outcome,
                resends,
            });
        }
        self.record(What::ReceiptQueued {
            job,
            receipt_number,
            copy_number,
        });
        self.gate.after(Deed::Print {
            job,
            receipt,
            copy_number,
        });
    }

    pub(super) fn forget_receipt(&mut self, receipt_number: u64) {
        self.state
            .unprinted
            .retain(|entry| entry.receipt_number != receipt_number);
    }
}

/// A receipt that was printed or sent stays so; doubles and late words change nothing.
pub(super) fn goes_on(from: PrintOutcome, to: PrintOutcome) -> bool {
    match (from, to) {
        (PrintOutcome::Printed | PrintOutcome::Sent, _) | (_, PrintOutcome::Queued) => false,
        (PrintOutcome::Queued, PrintOutcome::Printing) => true,
        (_, PrintOutcome::Printing) => false,
        (from, to) => from != to,
    }
}
