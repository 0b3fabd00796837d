//! What staff order of the card terminal, and what comes of it.

use checkout::till::*;

use super::World;
use crate::check::Violation;

impl World {
    /// Staff at the empty counter: a payment goes back, or the terminal's day is closed.
    pub(super) fn staff_orders(&mut self) -> Result<(), Violation> {
        let event = match self.dice.below(10) {
            0..3 => StaffEvent::CloseTerminalDay,
            _ => match self.a_payment() {
                Some(taken) => {
                    let left = taken.left_minor().max(1);
                    let part = i64::try_from(self.dice.below(40_000)).unwrap_or(0);
                    StaffEvent::GiveBack {
                        taken: Box::new(taken),
                        amount_minor: if self.dice.chance(60) { left } else { part },
                    }
                }
                None => return Ok(()),
            },
        };
        self.by_staff(event)
    }

    /// The running order, where it needs a person or is given up.
    pub(super) fn staff_order_runs(&mut self, order: &OrderView) -> Result<(), Violation> {
        match order.step {
            OrderStep::Unknown { needs_staff: true } => {
                let decision = match self.terminal.settle(order.attempt) {
                    true => AttemptDecision::Paid,
                    false => AttemptDecision::NotCharged,
                };
                self.by_staff(StaffEvent::ResolveAttempt {
                    attempt: order.attempt,
                    decision,
                    note: "slip".to_owned(),
                })
            }
            _ if self.dice.chance(10) => self.by_staff(StaffEvent::CancelOrder),
            _ => Ok(()),
        }
    }

    fn by_staff(&mut self, event: StaffEvent) -> Result<(), Violation> {
        let staff = StaffId("S7".to_owned());
        self.step(Event::Staff(StaffEvent::SignedIn { staff }))?;
        self.step(Event::Staff(event))?;
        self.step(Event::Staff(StaffEvent::SignedOut))
    }

    /// A card payment as the store would answer: what is on disk, and when that was.
    fn a_payment(&mut self) -> Option<CardTaken> {
        let sales = self.journal.sales.iter();
        let cards = sales.flat_map(|sale| sale.tenders.iter().map(move |tender| (sale, tender)));
        let cards: Vec<_> = cards
            .filter(|(_, tender)| tender.kind == TenderKind::Card)
            .collect();
        if cards.is_empty() {
            return None;
        }
        // Mostly one of the last.
        let among = if self.dice.chance(80) { 2 } else { 20 };
        let back = self.dice.below(among);
        let back = usize::try_from(back).ok()?.min(cards.len() - 1);
        let (sale, tender) = cards[cards.len() - 1 - back];
        let counters = self.durable.as_ref().map(|state| state.counters.give_back);
        Some(CardTaken {
            payment: CardPayment {
                attempt: tender.attempt,
                reference: tender.reference.clone().unwrap_or_default(),
                is: PaymentIs::Sale {
                    visit: sale.visit.clone(),
                    receipt_number: sale.receipt_number,
                },
            },
            amount_minor: tender.amount_minor,
            given_back_minor: self.journal.given_back(tender.attempt),
            can_be_reversed: self.dice.chance(70),
            give_backs: counters.unwrap_or(0),
        })
    }
}
