//! What shoppers and staff do next.

use checkout::till::*;
use checkout::{Currency, Money};

use super::World;
use crate::check::Violation;
use crate::people::{self, Act, Odd};

impl World {
    pub(super) fn shopper_acts(&mut self) -> Result<(), Violation> {
        self.acts_left -= 1;
        let pause = if self.dice.chance(85) { 3_000 } else { 90_000 };
        self.shopper_at = self.time + self.dice.between(300, pause);
        let view = self.till.view(self.now());
        if self.away_since.is_some() {
            let free = matches!(view.screen, Screen::Attract { .. } | Screen::Parked { .. });
            if !free {
                // The next shopper comes when the kiosk is free; the world does not stop.
                self.acts_left += u32::from(self.dice.chance(95));
                return Ok(());
            }
            self.away_since = None;
        }
        let at_tenders = matches!(view.screen, Screen::Pay(_) | Screen::Underpaid(_));
        if at_tenders && !self.voucher_codes.is_empty() && self.dice.chance(30) {
            let code = self.dice.pick(&self.voucher_codes).clone();
            return self.step(Event::EnterCoupon(code));
        }
        match people::shopper(&view, &self.parked_codes, &mut self.dice) {
            Act::Do(event) => self.step(event),
            Act::Transfer {
                attempt,
                amount,
                delay,
                odd,
            } => {
                let currency = match odd {
                    Odd::Foreign => Currency::USD,
                    Odd::No | Odd::Twice => Currency::VND,
                };
                let (amount, dice) = (Money::new(amount, currency), &mut self.dice);
                self.bank.pay(attempt, amount, self.time, delay, dice);
                if odd == Odd::Twice {
                    self.bank.pay(attempt, amount, self.time, delay * 20, dice);
                }
                Ok(())
            }
            Act::Leave => {
                self.away_since = Some(self.time);
                Ok(())
            }
            Act::Wait => Ok(()),
        }
    }

    pub(super) fn staff_acts(&mut self) -> Result<(), Violation> {
        // Sometimes nobody is in the shop for most of an hour.
        let away = self.acts_left > 0 && self.dice.chance(8);
        let pause = if away { 3_000_000 } else { 5_000 };
        self.staff_at = self.time + self.dice.between(pause, pause + 55_000);
        let view = self.till.view(self.now());
        let waiting = view.help_called
            || self.till.may_confirm_transfer()
            || matches!(
                view.screen,
                Screen::AgeCheck { .. }
                    | Screen::Cash { .. }
                    | Screen::Unknown {
                        needs_staff: true,
                        ..
                    }
            );
        if waiting {
            self.disturbed_at = self.time;
            let (terminal, bank, time) = (&mut self.terminal, &self.bank, self.time);
            let charged = |attempt| terminal.settle(attempt);
            let came = |attempt| bank.came(attempt, time);
            let acts = people::staff(&view, charged, came, &mut self.dice);
            for event in acts {
                self.step(event)?;
            }
            return Ok(());
        }
        if let Some(order) = &view.order {
            self.disturbed_at = self.time;
            return self.staff_order_runs(order);
        }
        let empty = matches!(view.screen, Screen::Attract { .. });
        if empty && self.acts_left > 0 && self.dice.chance(60) {
            return self.staff_orders();
        }
        let contradiction = self.till.state().reviews.iter().any(is_contradiction);
        let unsettled = self.acts_left == 0
            && self
                .till
                .state()
                .unconfirmed
                .iter()
                .any(|entry| entry.looked_up.is_none());
        if self.dice.chance(15) || contradiction || unsettled {
            return self.staff_reviews();
        }
        Ok(())
    }

    pub(super) fn staff_reviews(&mut self) -> Result<(), Violation> {
        self.staff_lists()?;
        let Some(review) = self.till.state().reviews.first().cloned() else {
            return Ok(());
        };
        self.disturbed_at = self.time;
        let contradiction = self
            .till
            .state()
            .reviews
            .iter()
            .find(|review| is_contradiction(review))
            .cloned();
        let review = contradiction.unwrap_or(review);
        let real = match (review.kind, review.attempt) {
            (ReviewKind::Contradiction | ReviewKind::GaveBack, Some(attempt)) => {
                self.terminal.settle(attempt)
            }
            _ => true,
        };
        let decision = match real {
            true => *self.dice.pick(&[
                ReviewDecision::Refunded,
                ReviewDecision::Kept,
                ReviewDecision::Voucher,
                ReviewDecision::Reopened,
            ]),
            false => ReviewDecision::NoMoney,
        };
        let staff = StaffId("S7".to_owned());
        let note = String::new();
        self.step(Event::Staff(StaffEvent::SignedIn { staff }))?;
        self.step(Event::Staff(StaffEvent::ResolveReview {
            review: review.id,
            decision,
            note,
        }))?;
        self.step(Event::Staff(StaffEvent::SignedOut))
    }

    /// Staff look up what counted on their word in the bank's own list.
    pub(super) fn staff_lists(&mut self) -> Result<(), Violation> {
        let entries = self.till.state().unconfirmed.iter();
        let mut open = entries.filter(|entry| entry.looked_up.is_none());
        let Some(attempt) = open.next().map(|entry| entry.attempt) else {
            return Ok(());
        };
        self.disturbed_at = self.time;
        let arrived = self.bank.came(attempt, self.time);
        let staff = StaffId("S7".to_owned());
        self.step(Event::Staff(StaffEvent::SignedIn { staff }))?;
        self.step(Event::Staff(StaffEvent::SettleUnconfirmed {
            attempt,
            arrived,
        }))?;
        self.step(Event::Staff(StaffEvent::SignedOut))
    }
}

/// The terminal said something else than it, or a person, had said.
fn is_contradiction(review: &Review) -> bool {
    matches!(
        review.kind,
        ReviewKind::Contradiction | ReviewKind::GaveBack
    )
}
