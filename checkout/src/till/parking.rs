//! The beginning and the end of a visit, and baskets put aside in between.

use super::codes::{park_code, tidy_park_code};
use super::{
    Front, Help, Live, Notice, PARKED_MAX, Parked, Review, ReviewDecision, ReviewId, ReviewKind,
    StaffId, Stage, Till, Visit, VisitCounts, VisitEnd, VisitId, What,
};
use crate::basket::Basket;

/// Wrong codes in a row until typing codes is locked.
const WRONG_CODES_MAX: u32 = 5;
/// How long typing codes is then locked.
const CODES_LOCKED_MS: u64 = 60_000;

impl Till {
    pub(super) fn start_visit(&mut self) {
        let lang = self
            .attract_lang
            .take()
            .unwrap_or_else(|| self.config.first_language());
        self.state.counters.visit += 1;
        let id = VisitId(format!(
            "{:016x}{:016x}",
            self.random.next(),
            self.random.next()
        ));
        self.state.visit = Some(Visit {
            id,
            lang: lang.clone(),
            started_wall_ms: self.now.wall_ms,
            basket: Basket::new(),
            stage: Stage::Shop,
            priced_at: None,
            tenders: Vec::new(),
            attempts: Vec::new(),
            active: None,
            age_confirmed: None,
            help_since_wall_ms: None,
            sale: None,
            print: None,
            face: None,
            counts: VisitCounts::default(),
            weighing: None,
        });
        self.forget_volatile();
        self.reprice();
        self.enter(Front::Shop);
        self.input();
        self.record(What::VisitStarted { lang });
    }

    /// Back to the attract screen.
    pub(super) fn end_visit(&mut self, why: VisitEnd) {
        self.record_visit_end(why);
        self.enter(Front::Attract);
    }

    fn record_visit_end(&mut self, why: VisitEnd) {
        self.leave_weighing();
        self.end_help();
        if let Some(visit) = &self.state.visit {
            let duration_ms = self
                .now
                .wall_ms
                .saturating_sub(visit.started_wall_ms)
                .max(0);
            let counts = visit.counts;
            self.record(What::VisitEnded {
                why,
                duration_ms,
                counts,
            });
        }
        self.state.visit = None;
        self.forget_volatile();
    }

    fn forget_volatile(&mut self) {
        self.help = Help::default();
        self.live = Live::default();
        self.look_ups.clear();
        self.notice = None;
        self.priced = None;
        self.part_minor = None;
        self.paid_shown = false;
        self.idle_warned_mono_ms = None;
    }

    pub(super) fn park_by_shopper(&mut self) {
        let has_lines = self
            .state
            .visit
            .as_ref()
            .is_some_and(|v| !v.basket.is_empty());
        let here = matches!(
            self.front,
            Front::Shop | Front::Pay | Front::Underpaid(_) | Front::Age
        );
        if here && has_lines {
            self.park(false);
        }
    }

    pub(super) fn abandon(&mut self) {
        if !matches!(
            self.front,
            Front::Shop
                | Front::Pay
                | Front::Underpaid(_)
                | Front::Age
                | Front::Weigh
                | Front::Choose(..)
        ) {
            return;
        }
        if self
            .state
            .visit
            .as_ref()
            .is_some_and(|visit| !visit.tenders.is_empty())
        {
            // Money was taken: the basket is kept and a person gives the money back.
            self.park(false);
            return self.tell(Notice::StaffNeeded);
        }
        if !self.unpaid_offers().is_empty() {
            // Money may still come for it: the basket can be brought back then.
            return self.park(false);
        }
        self.give_up();
    }

    /// Brings the basket of a review back; its money pays as soon as it can.
    pub(super) fn reopen(&mut self, review: ReviewId) {
        let reviews = self.state.reviews.iter();
        let mut found = reviews.filter(|known| known.id == review);
        let visit = found.next().and_then(|known| known.visit.clone());
        let parked = self.state.parked.iter();
        let mut parked = parked.filter(|parked| Some(&parked.visit.id) == visit.as_ref());
        let Some(code) = parked.next().map(|parked| parked.code.clone()) else {
            return self.tell(Notice::ParkedNotFound);
        };
        self.resume(&code, true);
        let is_back = self.state.visit.as_ref().map(|visit| &visit.id) == visit.as_ref();
        if !is_back {
            return;
        }
        self.sign_out();
        if self.front == Front::Shop {
            self.pay();
        }
    }

    fn give_up(&mut self) {
        let total_minor = self.total_minor();
        let lines = self
            .state
            .visit
            .as_ref()
            .map_or(0, |visit| visit.basket.lines.len());
        let lines = u32::try_from(lines).unwrap_or(u32::MAX);
        self.record(What::Abandoned { lines, total_minor });
        self.end_visit(VisitEnd::Abandoned);
    }

    /// Puts the basket aside under a short code. The caller has settled the active attempt.
    pub(super) fn park(&mut self, idle: bool) {
        if !self.make_room() {
            return self.give_up();
        }
        let code = self.fresh_park_code();
        let total_minor = self.total_minor();
        self.leave_weighing();
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        visit.stage = Stage::Shop;
        visit.active = None;
        if visit.tenders.is_empty() {
            visit.priced_at = None;
        }
        visit.help_since_wall_ms = None;
        // Whoever fetches it may be somebody else.
        visit.age_confirmed = None;
        let (id, lang) = (visit.id.clone(), visit.lang.clone());
        let tendered_minor: i64 = visit.tenders.iter().map(|tender| tender.amount_minor).sum();
        let parked_wall_ms = self.now.wall_ms;
        let until_wall_ms = parked_wall_ms.saturating_add(self.config.limits.parked_for_ms);
        let copy = Box::new(visit.clone());
        self.record(What::Parked {
            code: code.clone(),
            idle,
            total_minor,
            tendered_minor,
        });
        if tendered_minor > 0 {
            self.open_review(
                ReviewKind::PartPaid,
                tendered_minor,
                None,
                Some(id),
                code.clone(),
            );
        }
        self.record_visit_end(VisitEnd::Parked);
        let parked = Parked {
            code: code.clone(),
            parked_wall_ms,
            until_wall_ms,
            visit: copy,
        };
        self.state.parked.push(parked);
        self.enter(Front::Parked {
            code,
            until_wall_ms,
            tendered_minor,
            lang,
        });
    }

    /// Room for one more parked basket: old ones go first, never one with money in it.
    fn make_room(&mut self) -> bool {
        if self.state.parked.len() < PARKED_MAX {
            return true;
        }
        let oldest = (0..self.state.parked.len())
            .filter(|&index| self.state.parked[index].visit.tenders.is_empty())
            .min_by_key(|&index| self.state.parked[index].until_wall_ms);
        match oldest {
            Some(index) => {
                let dropped = self.state.parked.remove(index);
                self.record_outside(What::ParkedDropped {
                    code: dropped.code,
                    staff: None,
                });
                true
            }
            // All hold money: this one is kept too if it does, else given up.
            None => self
                .state
                .visit
                .as_ref()
                .is_some_and(|visit| !visit.tenders.is_empty()),
        }
    }

    fn fresh_park_code(&mut self) -> String {
        loop {
            let code = park_code(&mut self.random);
            if self.state.parked.iter().all(|parked| parked.code != code) {
                return code;
            }
        }
    }

    /// Fetches a parked basket. Staff may also after its time.
    pub(super) fn resume(&mut self, code: &str, by_staff: bool) {
        let here = match self.front {
            Front::Attract | Front::Parked { .. } | Front::Thanks => true,
            Front::Shop => self
                .state
                .visit
                .as_ref()
                .is_some_and(|v| v.basket.is_empty()),
            _ => false,
        };
        if !here {
            return self.tell(Notice::BasketInTheWay);
        }
        if !by_staff && self.now.mono_ms < self.codes_locked_until {
            return self.tell(Notice::TooManyCodes);
        }
        let (code, wall_ms) = (tidy_park_code(code), self.now.wall_ms);
        let fits = |parked: &Parked| {
            let paid = !parked.visit.tenders.is_empty();
            parked.code == code && (by_staff || paid || wall_ms <= parked.until_wall_ms)
        };
        let Some(index) = self.state.parked.iter().position(fits) else {
            return self.wrong_code();
        };
        self.wrong_codes = 0;
        if matches!(self.front, Front::Thanks) {
            self.skip();
        }
        if self.state.visit.is_some() {
            self.end_visit(VisitEnd::Resumed);
        }
        let parked = self.state.parked.remove(index);
        self.forget_volatile();
        self.state.visit = Some(*parked.visit);
        self.record(What::Resumed { code: code.clone() });
        self.input();
        self.use_part_paid(&code);
        self.reprice();
        let paid = self
            .state
            .visit
            .as_ref()
            .is_some_and(|visit| !visit.tenders.is_empty());
        match paid {
            true if self.age_to_check().is_some() => self.enter(Front::Age),
            true => self.enter_pay(),
            false => self.enter(Front::Shop),
        }
    }

    pub(super) fn note_wrong_code(&mut self) {
        self.wrong_codes += 1;
        if self.wrong_codes >= WRONG_CODES_MAX {
            self.wrong_codes = 0;
            self.codes_locked_until = self.now.mono_ms.saturating_add(CODES_LOCKED_MS);
        }
    }

    fn wrong_code(&mut self) {
        self.note_wrong_code();
        self.tell(Notice::ParkedNotFound);
    }

    /// The money in a parked basket is in its visit again, and no longer in review.
    fn use_part_paid(&mut self, code: &str) {
        let review = self
            .state
            .reviews
            .iter()
            .find(|review| review.kind == ReviewKind::PartPaid && review.reference == code);
        if let Some(id) = review.map(|review| review.id) {
            self.close_review(id, ReviewDecision::UsedForSale, None, String::new());
        }
    }

    pub(super) fn discard_parked(&mut self, code: &str, staff: StaffId) {
        let code = tidy_park_code(code);
        let Some(index) = self
            .state
            .parked
            .iter()
            .position(|parked| parked.code == code)
        else {
            return self.tell(Notice::ParkedNotFound);
        };
        if !self.state.parked[index].visit.tenders.is_empty() {
            return self.tell(Notice::MoneyTaken);
        }
        self.state.parked.remove(index);
        self.record_outside(What::ParkedDropped {
            code,
            staff: Some(staff),
        });
    }

    // ---- money a person must decide about ----

    pub(super) fn open_review(
        &mut self,
        kind: ReviewKind,
        amount_minor: i64,
        attempt: Option<super::AttemptId>,
        visit: Option<VisitId>,
        reference: String,
    ) {
        self.state.counters.review += 1;
        let order_code = attempt.and_then(|attempt| self.order_code_of(attempt));
        let review = Review {
            id: ReviewId(self.state.counters.review),
            kind,
            amount_minor,
            attempt,
            visit,
            reference,
            opened_wall_ms: self.now.wall_ms,
            order_code,
        };
        self.state.reviews.push(review.clone());
        self.record(What::ReviewOpened(review));
    }

    /// Takes a review off the list; `None` when it is not there.
    pub(super) fn close_review(
        &mut self,
        id: ReviewId,
        decision: ReviewDecision,
        staff: Option<StaffId>,
        note: String,
    ) -> Option<Review> {
        let index = self
            .state
            .reviews
            .iter()
            .position(|review| review.id == id)?;
        let review = self.state.reviews.remove(index);
        let amount_minor = review.amount_minor;
        self.record(What::ReviewResolved {
            review: id,
            decision,
            amount_minor,
            staff,
            note,
        });
        Some(review)
    }

    // ---- help ----

    pub(super) fn call_help(&mut self) {
        if self.front == Front::Attract && !self.is_blocked() {
            self.start_visit();
        }
        let place = self.place();
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        if self.help.open {
            return;
        }
        visit.counts.help_calls = visit.counts.help_calls.saturating_add(1);
        visit.help_since_wall_ms = Some(self.now.wall_ms);
        self.help = Help {
            open: true,
            since_mono_ms: self.now.mono_ms,
            answered: false,
        };
        self.record(What::HelpCalled { place });
    }

    pub(super) fn end_help(&mut self) {
        if !self.help.open {
            return;
        }
        let wait_ms = self.help_wait_ms();
        let answered = self.help.answered;
        self.help = Help::default();
        if let Some(visit) = &mut self.state.visit {
            visit.help_since_wall_ms = None;
        }
        self.entered_mono_ms = self.now.mono_ms;
        self.record(What::HelpEnded { wait_ms, answered });
    }

    pub(super) fn help_wait_ms(&self) -> i64 {
        i64::try_from(self.now.mono_ms.saturating_sub(self.help.since_mono_ms)).unwrap_or(i64::MAX)
    }
}
