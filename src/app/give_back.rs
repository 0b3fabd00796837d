//! Giving money of a card payment back: which payment, how much, and what the till is asked.

use super::{App, AppEvent, DeskView, UiEvent};
use crate::devices::SeenTransaction;
use crate::store::{Refundable, StoreError};
use checkout::till::{
    CardPayment, CardTaken, Event, PaymentIs, Review, ReviewId, ReviewKind, StaffEvent, Tender,
    TenderKind, TillState,
};

/// Digits of an amount or a receipt number.
const DIGITS_MAX: usize = 12;

/// What is being typed on the pad.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Typing {
    /// How much goes back.
    #[default]
    Amount,
    /// The number of another receipt.
    Receipt,
}

/// The pad for giving money back.
#[derive(Debug, Default)]
pub struct GiveBackPad {
    /// The sale that was found, with its card payments.
    pub found: Option<Refundable>,
    /// Which of its payments.
    pub payment: usize,
    /// What is typed.
    pub typing: Typing,
    /// Digits of the amount; empty for all that is left.
    pub amount: String,
    /// Digits of the receipt number.
    pub receipt: String,
    /// The store was asked and had nothing: no such receipt, or no card paid for it.
    pub nothing: bool,
}

impl GiveBackPad {
    /// The payment that is looked at.
    pub fn taken(&self) -> Option<&CardTaken> {
        self.found.as_ref()?.payments.get(self.payment)
    }

    /// How much goes back, in minor units: what is typed, or all that is left.
    pub fn amount_minor(&self) -> i64 {
        let left = self.taken().map_or(0, CardTaken::left_minor);
        match self.amount.is_empty() {
            true => left,
            false => self.amount.parse().unwrap_or(0),
        }
    }

    /// Whether that can be asked for.
    pub fn fits(&self) -> bool {
        let left = self.taken().map_or(0, CardTaken::left_minor);
        (1..=left).contains(&self.amount_minor())
    }

    fn digits(&mut self) -> &mut String {
        match self.typing {
            Typing::Amount => &mut self.amount,
            Typing::Receipt => &mut self.receipt,
        }
    }

    fn key(&mut self, key: &str) {
        let digits = !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
        let typed = self.digits();
        if digits && typed.len() + key.len() <= DIGITS_MAX {
            typed.push_str(key);
            *typed = typed.trim_start_matches('0').to_owned();
        }
    }

    fn take(&mut self, found: Option<Refundable>) {
        self.nothing = found.is_none();
        self.payment = 0;
        self.amount.clear();
        if found.is_some() {
            self.typing = Typing::Amount;
            self.receipt.clear();
        }
        self.found = found;
    }
}

impl App {
    /// A touch on the pad; false for any other.
    pub(super) fn give_back_touch(&mut self, event: &UiEvent) -> bool {
        if self.view.staff.is_none() {
            return false;
        }
        let pad = &mut self.desk.give_back;
        match event {
            UiEvent::OpenGiveBack => {
                *pad = GiveBackPad::default();
                self.desk.view = DeskView::GiveBack;
                self.ask_refundable(None);
            }
            UiEvent::GiveBackKey(key) => pad.key(key),
            UiEvent::GiveBackErase => {
                pad.digits().pop();
            }
            UiEvent::GiveBackAll => pad.amount.clear(),
            UiEvent::GiveBackNext => {
                let payments = pad.found.as_ref().map_or(1, |found| found.payments.len());
                pad.payment = (pad.payment + 1) % payments.max(1);
                pad.amount.clear();
            }
            UiEvent::GiveBackOther => {
                pad.typing = match pad.typing {
                    Typing::Amount => Typing::Receipt,
                    Typing::Receipt => Typing::Amount,
                };
                pad.receipt.clear();
            }
            UiEvent::GiveBackConfirm if pad.typing == Typing::Receipt => {
                let number = pad.receipt.parse().ok();
                self.ask_refundable(number);
            }
            UiEvent::GiveBackConfirm => {
                let (amount_minor, fits) = (pad.amount_minor(), pad.fits());
                if let Some(taken) = pad.taken().filter(|_| fits).cloned() {
                    self.give_back(taken, amount_minor);
                }
            }
            UiEvent::ReviewChoose(choice) if choice == "reverse" => {
                let review = self.desk.review.take();
                let closed_ms = self.day.terminal_closed_ms();
                let taken = review.and_then(|id| of_review(self.till.state(), id, closed_ms));
                if let Some(taken) = taken {
                    let amount_minor = taken.amount_minor;
                    self.give_back(taken, amount_minor);
                }
            }
            _ => return false,
        }
        true
    }

    fn give_back(&mut self, taken: CardTaken, amount_minor: i64) {
        self.desk.view = DeskView::Panel;
        self.day.said = None;
        let taken = Box::new(taken);
        self.step(Event::Staff(StaffEvent::GiveBack {
            taken,
            amount_minor,
        }));
    }

    fn ask_refundable(&self, receipt_number: Option<u64>) {
        let mailbox = self.mailbox.clone();
        self.store.run(
            move |engine| engine.refundable(receipt_number),
            move |found| {
                mailbox.post(AppEvent::Refundable(found));
            },
        );
    }

    pub(super) fn refundable_found(&mut self, found: Result<Option<Refundable>, StoreError>) {
        match found {
            Ok(found) => self.desk.give_back.take(found),
            Err(error) => {
                tracing::error!(%error, "card payments cannot be read");
                self.day.said = Some(super::Said::NotDone(error));
            }
        }
    }
}

/// The card payment behind a review, when the terminal can be asked to give it back: a charge the terminal told of too
/// late, or the one card payment of a basket that was left. `None` where there is no such payment.
pub fn of_review(state: &TillState, id: ReviewId, closed_ms: Option<i64>) -> Option<CardTaken> {
    let review = state.reviews.iter().find(|review| review.id == id)?;
    let (attempt, reference) = match review.kind {
        ReviewKind::Contradiction => (review.attempt?, review.reference.clone()),
        ReviewKind::PartPaid => {
            let tender = only_card(state, review)?;
            (tender.attempt, tender.reference.clone()?)
        }
        _ => return None,
    };
    let numbered = SeenTransaction::of_reference(&reference)
        .receipt_number
        .is_some();
    let open = closed_ms.is_none_or(|closed_ms| closed_ms < review.opened_wall_ms);
    Some(CardTaken {
        payment: CardPayment {
            attempt,
            reference,
            is: PaymentIs::Review(id),
        },
        amount_minor: review.amount_minor,
        given_back_minor: 0,
        can_be_reversed: numbered && open,
        give_backs: state.counters.give_back,
    })
}

/// The one tender of the parked basket a review is about, when a card brought all of it.
fn only_card<'a>(state: &'a TillState, review: &Review) -> Option<&'a Tender> {
    let mut parked = state.parked.iter();
    let parked = parked.find(|parked| parked.code == review.reference)?;
    match parked.visit.tenders.as_slice() {
        [tender] => {
            let whole = tender.amount_minor == review.amount_minor;
            (tender.kind == TenderKind::Card && whole).then_some(tender)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing;
    use checkout::till::{AttemptId, VisitId};

    fn pad() -> GiveBackPad {
        let sale = Box::new(testing::sale());
        let taken = |attempt, amount_minor| CardTaken {
            payment: CardPayment {
                attempt: AttemptId(attempt),
                reference: String::new(),
                is: PaymentIs::Sale {
                    visit: VisitId("v".into()),
                    receipt_number: 142,
                },
            },
            amount_minor,
            given_back_minor: 5_000,
            can_be_reversed: true,
            give_backs: 0,
        };
        let mut pad = GiveBackPad::default();
        pad.take(Some(Refundable {
            sale,
            payments: vec![taken(1, 25_000), taken(2, 9_000)],
        }));
        pad
    }

    #[test]
    fn all_that_is_left_goes_back_unless_less_is_typed_and_never_more() {
        // Proves what the pad asks for: all by default, a part when typed, nothing that is zero or too much.
        let mut pad = pad();
        assert_eq!((pad.amount_minor(), pad.fits()), (20_000, true));
        for key in ["0", "7", "000"] {
            pad.key(key);
        }
        assert_eq!((pad.amount_minor(), pad.fits()), (7_000, true));
        pad.key("0");
        assert!(!pad.fits());
        pad.key("999999999999999");
        assert_eq!(pad.amount_minor(), 70_000);
        pad.payment = 1;
        pad.amount.clear();
        assert_eq!(pad.amount_minor(), 4_000);
        pad.take(None);
        assert!(!pad.fits() && pad.nothing);
    }

    #[test]
    fn a_review_offers_the_terminal_only_for_card_money_it_can_name() {
        // Proves which reviews can go back by the terminal, and that a day closed since makes it a refund.
        let review = |id, kind, reference: &str| Review {
            id: ReviewId(id),
            kind,
            amount_minor: 25_000,
            attempt: Some(AttemptId(3)),
            visit: None,
            reference: reference.into(),
            opened_wall_ms: 1_000,
            order_code: None,
        };
        let state = TillState {
            reviews: vec![
                review(1, ReviewKind::Contradiction, "68000001/42/7/1128/120000"),
                review(2, ReviewKind::LateCredit, "FT1"),
                review(3, ReviewKind::PartPaid, "A7K2"),
                review(4, ReviewKind::Contradiction, "A-0003"),
            ],
            ..TillState::default()
        };
        let way = |id, closed_ms| of_review(&state, ReviewId(id), closed_ms);
        assert!(way(1, None).unwrap().can_be_reversed);
        assert!(way(1, Some(999)).unwrap().can_be_reversed);
        assert!(!way(1, Some(1_001)).unwrap().can_be_reversed);
        assert!(!way(4, None).unwrap().can_be_reversed);
        assert_eq!((way(2, None), way(3, None)), (None, None));
    }
}
