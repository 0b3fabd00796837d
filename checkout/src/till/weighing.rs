//! An item that waits for its weight: asked for, typed in by staff or said by a scale, or left out.
//!
//! What is weighed stands in the visit, so that a restart asks for the same weight again; the basket holds it only once
//! its weight is known.

use super::{AddedBy, Front, Notice, StaffId, Till, Weighing, What};
use crate::basket::NewLine;
use crate::unit::Quantity;

impl Till {
    pub(super) fn weighing(&self) -> Option<&Weighing> {
        self.state.visit.as_ref()?.weighing.as_deref()
    }

    fn take_weighing(&mut self) -> Option<Box<Weighing>> {
        self.state.visit.as_mut()?.weighing.take()
    }

    /// Waits for the weight of `new`. Nothing is asked for what cannot be sold anyway.
    pub(super) fn ask_weight(&mut self, new: NewLine, by: AddedBy) {
        if self.refuse_change() {
            return;
        }
        if new.item.price_at(self.now.local().date).is_none() {
            return self.tell(Notice::NoPrice {
                item: new.item.name,
            });
        }
        self.leave_weighing();
        let (item, code) = (new.item.id, new.item.code.clone());
        let since_wall_ms = self.now.wall_ms;
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        visit.weighing = Some(Box::new(Weighing {
            new,
            by,
            since_wall_ms,
            answered: false,
        }));
        self.notice = None;
        self.record(What::WeightAsked { item, code });
        self.enter(Front::Weigh);
    }

    /// A scale said it.
    pub(super) fn on_weighed(&mut self, quantity: Quantity) {
        if quantity.milli > 0 && self.front == Front::Weigh {
            self.add_weighed(quantity, None);
        }
    }

    /// Staff read it off a scale and typed it.
    pub(super) fn weight_typed(&mut self, quantity: Quantity, staff: StaffId) {
        if self.front != Front::Weigh {
            return;
        }
        let checked = self
            .weighing()
            .map(|weighing| weighing.new.item.unit.check_typed(quantity));
        match checked {
            Some(Err(fault)) => self.tell(Notice::WeightWrong(fault)),
            Some(Ok(())) => {
                self.add_weighed(quantity, Some(staff));
                self.sign_out();
            }
            None => {}
        }
    }

    /// Staff and shopper agreed to leave it.
    pub(super) fn weight_refused(&mut self) {
        if self.front == Front::Weigh {
            self.enter(Front::Shop);
            self.sign_out();
        }
    }

    fn add_weighed(&mut self, quantity: Quantity, typed_by: Option<StaffId>) {
        let Some(weighing) = self.take_weighing() else {
            return;
        };
        let Weighing { mut new, by, .. } = *weighing;
        new.quantity = quantity;
        self.enter(Front::Shop);
        self.add(new, by, typed_by);
    }

    /// Whatever waits for its weight stays out of the basket.
    pub(super) fn leave_weighing(&mut self) {
        if let Some(left) = self.take_weighing() {
            let item = left.new.item.id;
            self.record(What::WeightLeft { item });
        }
    }

    /// A member of staff has come.
    pub(super) fn answer_weighing(&mut self, staff: &StaffId) {
        let now_ms = self.now.wall_ms;
        let visit = self.state.visit.as_mut();
        let Some(waiting) = visit
            .and_then(|visit| visit.weighing.as_deref_mut())
            .filter(|waiting| !waiting.answered)
        else {
            return;
        };
        waiting.answered = true;
        let wait_ms = now_ms.saturating_sub(waiting.since_wall_ms).max(0);
        let staff = staff.clone();
        self.record(What::WeightAnswered { wait_ms, staff });
    }
}
