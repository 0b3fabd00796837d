//! Vouchers: money the shop holds for a shopper, under a code that pays once at this kiosk.

use super::codes::{is_voucher_code, voucher_code};
use super::gate::Deed;
use super::{
    Attempt, AttemptId, AttemptStatus, Notice, PrintJobId, ReviewId, ReviewKind, Tender,
    TenderKind, Till, VOUCHERS_MAX, Voucher, What,
};

impl Till {
    /// Whether the money of a review may be given out as a voucher.
    pub(super) fn may_be_voucher(&self, review: ReviewId) -> bool {
        let review = self.state.reviews.iter().find(|known| known.id == review);
        // A card is paid back at the terminal, and foreign money has no amount here.
        review.is_some_and(|review| review.amount_minor > 0 && review.kind.may_be_voucher())
            && self.state.vouchers.len() < VOUCHERS_MAX
    }

    /// Makes and prints a voucher. Its code is on disk before it is on paper.
    pub(super) fn issue_voucher(&mut self, review: ReviewId, amount_minor: i64) {
        let until_wall_ms = self
            .now
            .wall_ms
            .saturating_add(self.config.limits.voucher_ms);
        self.make_voucher(review, amount_minor, until_wall_ms);
    }

    fn make_voucher(&mut self, review: ReviewId, amount_minor: i64, until_wall_ms: i64) {
        let code = loop {
            let code = voucher_code(&mut self.random);
            if self.state.vouchers.iter().all(|known| known.code != code) {
                break code;
            }
        };
        let voucher = Voucher {
            code,
            amount_minor,
            review,
            issued_wall_ms: self.now.wall_ms,
            until_wall_ms,
        };
        self.state.vouchers.push(voucher.clone());
        self.record(What::VoucherIssued {
            review,
            amount_minor,
            until_wall_ms,
        });
        self.print_voucher(voucher);
    }

    fn print_voucher(&mut self, voucher: Voucher) {
        self.state.counters.print_job += 1;
        let visit = self.state.visit.as_ref();
        let lang = visit.map(|visit| visit.lang.clone());
        self.gate.after(Deed::PrintVoucher {
            job: PrintJobId(self.state.counters.print_job),
            voucher: Box::new(voucher),
            lang: lang.unwrap_or_else(|| self.config.first_language()),
        });
    }

    pub(super) fn reprint_voucher(&mut self, code: &str) {
        let found = self.state.vouchers.iter().find(|known| known.code == code);
        if let Some(voucher) = found.cloned() {
            self.print_voucher(voucher);
        }
    }

    /// Whether somebody typed or scanned a voucher's code, known or not.
    pub(super) fn is_voucher(&self, text: &str) -> bool {
        is_voucher_code(&tidy_voucher(text))
    }

    /// Pays with a voucher: it is used up whole, and what is not due becomes a new one.
    pub(super) fn redeem_voucher(&mut self, text: &str) {
        if self.state.visit.is_none() || self.help.open {
            return;
        }
        if !self.at_tenders() {
            return self.tell(Notice::VoucherAtPay);
        }
        if self.now.mono_ms < self.codes_locked_until {
            return self.tell(Notice::TooManyCodes);
        }
        let (code, wall_ms) = (tidy_voucher(text), self.now.wall_ms);
        let fits = |known: &Voucher| known.code == code && wall_ms <= known.until_wall_ms;
        let due = self.due_minor();
        let Some(index) = self
            .state
            .vouchers
            .iter()
            .position(fits)
            .filter(|_| due > 0)
        else {
            self.note_wrong_code();
            return self.tell(Notice::VoucherUnknown);
        };
        self.wrong_codes = 0;
        let voucher = self.state.vouchers.remove(index);
        let amount_minor = voucher.amount_minor.min(due);
        let rest_minor = voucher.amount_minor - amount_minor;
        self.state.counters.attempt += 1;
        let attempt = AttemptId(self.state.counters.attempt);
        let started_wall_ms = self.now.wall_ms;
        if let Some(visit) = &mut self.state.visit {
            visit.attempts.push(Attempt {
                id: attempt,
                kind: TenderKind::Voucher,
                amount_minor,
                status: AttemptStatus::Paid,
                started_wall_ms,
                baseline: None,
                approval: None,
                order_code: None,
                offer: None,
                credits: Vec::new(),
                history: Vec::new(),
                slip: None,
            });
        }
        self.record(What::AttemptIntended {
            attempt,
            kind: TenderKind::Voucher,
            amount_minor,
            order_code: None,
        });
        self.record(What::VoucherRedeemed {
            review: voucher.review,
            attempt,
            amount_minor,
            rest_minor,
        });
        if rest_minor > 0 {
            self.make_voucher(voucher.review, rest_minor, voucher.until_wall_ms);
        }
        self.take_tender(Tender {
            kind: TenderKind::Voucher,
            attempt,
            amount_minor,
            received_minor: amount_minor,
            change_minor: 0,
            rounding_minor: 0,
            reference: None,
            approval_code: None,
            unconfirmed: false,
        });
        self.tell(Notice::VoucherTaken {
            paid: self.money(amount_minor),
            rest: self.money(rest_minor),
        });
    }

    /// A voucher nobody used is the shopper's money still: a person decides.
    pub(super) fn end_vouchers(&mut self) {
        let wall_ms = self.now.wall_ms;
        let (over, open): (Vec<Voucher>, Vec<Voucher>) = self
            .state
            .vouchers
            .drain(..)
            .partition(|voucher| voucher.until_wall_ms < wall_ms);
        self.state.vouchers = open;
        for voucher in over {
            let kind = ReviewKind::VoucherExpired;
            self.open_review(kind, voucher.amount_minor, None, None, voucher.code);
        }
    }
}

fn tidy_voucher(text: &str) -> String {
    let tidy: String = text
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(16)
        .collect();
    tidy.to_ascii_uppercase()
}
