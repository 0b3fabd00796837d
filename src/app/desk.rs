//! The member of staff's side of the screen: PIN pad, cash pad, decisions.

use super::{GiveBackPad, TypedWeight, UiEvent};
use crate::staff::{PIN_DIGITS, Tries};
use checkout::Unit;
use checkout::till::{
    AttemptDecision, AttemptId, Event, ReviewDecision, ReviewId, Screen, StaffEvent, StoreFault,
    TillState, View,
};

/// Which part of the desk is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the screens")]
pub enum DeskView {
    #[default]
    Panel,
    Cash,
    Weight,
    Doubt,
    Devices,
    Transfer,
    Review,
    GiveBack,
}

/// What is wrong with the PIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum PinProblem {
    #[default]
    None,
    Wrong,
    Locked,
}

/// Symbols of a bank's reference.
const REFERENCE_LENGTH_MAX: usize = 24;
/// Digits of a cash amount.
const CASH_DIGITS_MAX: usize = 12;

/// The desk's own state.
#[derive(Debug, Default)]
pub struct Desk {
    /// Digits typed.
    pub pin: String,
    /// What was wrong last.
    pub problem: PinProblem,
    /// A PIN is being checked.
    pub checking: bool,
    /// Somebody is signed in, as the till has it.
    pub signed_in: bool,
    /// Which part is open.
    pub view: DeskView,
    /// Digits of the cash received.
    pub cash: String,
    /// Weight of the item that waits for one, as far as it is typed.
    pub weight: TypedWeight,
    /// The bank's reference of a transfer, as far as it is typed.
    pub reference: String,
    /// The review that is looked at.
    pub review: Option<ReviewId>,
    /// The order in doubt at the card terminal is looked at.
    pub order_open: bool,
    /// Giving money of a card payment back.
    pub give_back: GiveBackPad,
    /// The store's fault, for the devices list.
    pub storage: Option<StoreFault>,
    tries: Tries,
}

impl Desk {
    /// Signed out: nothing stays.
    pub fn close(&mut self) {
        self.pin.clear();
        self.cash.clear();
        self.weight.clear();
        self.reference.clear();
        self.review = None;
        self.order_open = false;
        self.give_back = GiveBackPad::default();
        self.view = DeskView::Panel;
        self.problem = PinProblem::None;
    }

    /// Milliseconds until the pad takes digits again.
    pub fn locked_ms(&self, mono_ms: u64) -> u64 {
        self.tries.locked_ms(mono_ms)
    }

    /// The PIN to check, when there is one and the pad is open.
    pub fn submit_pin(&mut self, mono_ms: u64) -> Option<String> {
        if self.checking || !PIN_DIGITS.contains(&self.pin.len()) {
            return None;
        }
        if self.tries.locked_ms(mono_ms) > 0 {
            self.problem = PinProblem::Locked;
            self.pin.clear();
            return None;
        }
        self.checking = true;
        Some(std::mem::take(&mut self.pin))
    }

    /// The PIN was right.
    pub fn pin_right(&mut self) {
        self.checking = false;
        self.problem = PinProblem::None;
        self.tries.right();
    }

    /// The PIN was wrong, or could not be checked.
    pub fn pin_failed(&mut self, mono_ms: u64) {
        self.checking = false;
        self.tries.wrong(mono_ms);
        self.problem = if self.tries.locked_ms(mono_ms) > 0 {
            PinProblem::Locked
        } else {
            PinProblem::Wrong
        };
    }

    /// Cash typed so far, in minor units.
    pub fn cash_minor(&self) -> i64 {
        self.cash.parse().unwrap_or(0)
    }

    /// A touch on the desk; what it asks of the till, if anything.
    pub fn touch(&mut self, event: &UiEvent, view: &View, state: &TillState) -> Option<Event> {
        match event {
            UiEvent::PinKey(key) => self.pin_key(key),
            UiEvent::PinErase => {
                self.pin.pop();
            }
            UiEvent::ShowDesk(view) => self.view = *view,
            UiEvent::CashKey(key) => self.cash_key(key),
            UiEvent::CashErase => {
                self.cash.pop();
            }
            UiEvent::CashNote(index) => {
                let due = cash_due(state, view);
                if let Some(note) = notes(due).get(*index) {
                    self.cash = note.to_string();
                }
            }
            UiEvent::CashExact => self.cash = cash_due(state, view).to_string(),
            UiEvent::CashConfirm => {
                let received_minor = self.cash_minor();
                self.cash.clear();
                self.view = DeskView::Panel;
                return Some(Event::Staff(StaffEvent::CashTaken { received_minor }));
            }
            UiEvent::WeightKey(key) => {
                if let Some(unit) = weighed_unit(state) {
                    self.weight.key(key, unit);
                }
            }
            UiEvent::WeightErase => self.weight.erase(),
            UiEvent::WeightConfirm => return self.weigh(state),
            UiEvent::WeightRefuse => return Some(Event::Staff(StaffEvent::WeightRefused)),
            UiEvent::DoubtPaid => return self.resolve(state, AttemptDecision::Paid),
            UiEvent::DoubtNotPaid => return self.resolve(state, AttemptDecision::NotCharged),
            UiEvent::DoubtGivenBack => return self.resolve(state, AttemptDecision::TakenBack),
            UiEvent::TransferKey(key) => self.reference_key(key),
            UiEvent::TransferErase => {
                self.reference.pop();
            }
            UiEvent::TransferConfirm => {
                let reference = std::mem::take(&mut self.reference);
                self.view = DeskView::Panel;
                return Some(Event::Staff(StaffEvent::TransferSeen { reference }));
            }
            UiEvent::ReviewChoose(choice) if self.order_open => {
                self.view = DeskView::Panel;
                self.order_open = false;
                return order_decision(state, choice);
            }
            UiEvent::ReviewChoose(choice) => {
                self.view = DeskView::Panel;
                return decision(self.review.take()?, choice);
            }
            UiEvent::DeskTask(id, second) => {
                if id == "order-doubt" {
                    (self.review, self.order_open) = (None, true);
                    self.view = DeskView::Review;
                    return None;
                }
                if let Some(review) = id.strip_prefix("review:") {
                    self.order_open = false;
                    self.review = review.parse().ok().map(ReviewId);
                    self.view = DeskView::Review;
                    return None;
                }
                return task(id, *second);
            }
            UiEvent::CashRefuse => return Some(Event::Staff(StaffEvent::CashRefused)),
            UiEvent::LeaveDesk => return Some(Event::Staff(StaffEvent::SignedOut)),
            _ => {}
        }
        None
    }

    fn pin_key(&mut self, key: &str) {
        let digit = key.len() == 1 && key.bytes().all(|b| b.is_ascii_digit());
        if digit && self.pin.len() < *PIN_DIGITS.end() {
            self.pin.push_str(key);
            self.problem = PinProblem::None;
        }
    }

    fn reference_key(&mut self, key: &str) {
        let fits = key.chars().count() == 1 && self.reference.len() < REFERENCE_LENGTH_MAX;
        if fits && key != " " {
            self.reference.push_str(key);
        }
    }

    fn cash_key(&mut self, key: &str) {
        let digits = !key.is_empty() && key.bytes().all(|b| b.is_ascii_digit());
        if digits && self.cash.len() + key.len() <= CASH_DIGITS_MAX {
            self.cash.push_str(key);
            let trimmed = self.cash.trim_start_matches('0').to_owned();
            self.cash = trimmed;
        }
    }

    /// The typed weight, once it can be one; until then the pad stays as it is.
    fn weigh(&mut self, state: &TillState) -> Option<Event> {
        let quantity = self.weight.quantity()?;
        weighed_unit(state)?.check_typed(quantity).ok()?;
        self.weight.clear();
        self.view = DeskView::Panel;
        Some(Event::Staff(StaffEvent::Weighed { quantity }))
    }

    fn resolve(&mut self, state: &TillState, decision: AttemptDecision) -> Option<Event> {
        let visit = state.visit.as_ref()?;
        let attempt = visit.active?;
        self.view = DeskView::Panel;
        let note = "decided at the kiosk by the terminal's own journal".to_owned();
        Some(Event::Staff(StaffEvent::ResolveAttempt {
            attempt,
            decision,
            note,
        }))
    }
}

/// The unit of the item that waits for its weight.
fn weighed_unit(state: &TillState) -> Option<&Unit> {
    let weighing = state.visit.as_ref()?.weighing.as_ref()?;
    Some(&weighing.new.item.unit)
}

/// Receipt number of a copy that a touch asks for.
pub(super) fn copy_wanted(event: &UiEvent, state: &TillState) -> Option<u64> {
    match event {
        UiEvent::DeskTask(id, false) => id.strip_prefix("receipt:")?.parse().ok(),
        UiEvent::Reprint => last_receipt(state),
        _ => None,
    }
}

/// Number of the last receipt of this journal, if there was a sale.
fn last_receipt(state: &TillState) -> Option<u64> {
    Some(state.counters.receipt).filter(|number| *number > 0)
}

/// What a choice about money in review asks of the till.
fn decision(review: ReviewId, choice: &str) -> Option<Event> {
    let decision = match choice {
        "reopen" => ReviewDecision::Reopened,
        "voucher" => ReviewDecision::Voucher,
        "refunded" => ReviewDecision::Refunded,
        "kept" => ReviewDecision::Kept,
        "no-money" => ReviewDecision::NoMoney,
        _ => return None,
    };
    Some(Event::Staff(StaffEvent::ResolveReview {
        review,
        decision,
        note: "decided at the kiosk".to_owned(),
    }))
}

/// What a choice about the order in doubt asks of the till.
fn order_decision(state: &TillState, choice: &str) -> Option<Event> {
    let attempt = state.order.as_ref()?.attempt;
    let decision = match choice {
        "went-back" => AttemptDecision::Paid,
        "not-back" => AttemptDecision::NotCharged,
        _ => return None,
    };
    Some(Event::Staff(StaffEvent::ResolveAttempt {
        attempt,
        decision,
        note: "decided at the kiosk by the terminal's own journal".to_owned(),
    }))
}

/// What a task on the panel asks of the till: `settle:ATTEMPT`, `voucher:CODE`, `payee`, `parked:CODE`,
/// `receipt:N`, `cash`, `order`; the second button is the one that gives up.
fn task(id: &str, second: bool) -> Option<Event> {
    let (kind, which) = id.split_once(':').unwrap_or((id, ""));
    let event = match kind {
        "settle" => StaffEvent::SettleUnconfirmed {
            attempt: AttemptId(which.parse().ok()?),
            arrived: !second,
        },
        "voucher" => StaffEvent::ReprintVoucher(which.to_owned()),
        "payee" => StaffEvent::AcceptPayee,
        "parked" if second => StaffEvent::DiscardParked(which.to_owned()),
        "parked" => StaffEvent::ResumeParked(which.to_owned()),
        "receipt" if second => StaffEvent::ForgetReceipt {
            receipt_number: which.parse().ok()?,
        },
        "cash" => StaffEvent::CashRefused,
        "order" => StaffEvent::CancelOrder,
        _ => return None,
    };
    Some(Event::Staff(event))
}

/// What the running cash tender asks, in minor units.
pub fn cash_due(state: &TillState, view: &View) -> i64 {
    if let Screen::Cash { amount, .. } = &view.screen {
        return amount.minor;
    }
    let attempt = state.visit.as_ref().and_then(|visit| {
        let active = visit.active?;
        visit.attempts.iter().find(|attempt| attempt.id == active)
    });
    attempt.map_or(0, |attempt| attempt.amount_minor)
}

/// Amounts a shopper is likely to hand over for `due_minor`: the next round
/// ones by halves and wholes of powers of ten, smallest first, at most four.
pub fn notes(due_minor: i64) -> Vec<i64> {
    let mut notes = Vec::new();
    if due_minor <= 0 {
        return notes;
    }
    let mut step = 1i64;
    while notes.len() < 4 && step <= 10_i64.pow(12) {
        for factor in [1, 2, 5] {
            let unit = step * factor;
            let rounded = (due_minor + unit - 1) / unit * unit;
            let likely = rounded > due_minor && rounded / unit <= 10;
            if likely && !notes.contains(&rounded) && notes.len() < 4 {
                notes.push(rounded);
            }
        }
        step *= 10;
    }
    notes.sort_unstable();
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_task_on_the_panel_has_its_event() {
        // Proves that each button of each kind of task asks for what it says.
        let staff = |event| Some(Event::Staff(event));
        let parked = |code: &str| code.to_owned();
        assert_eq!(
            task("parked:A7K2", false),
            staff(StaffEvent::ResumeParked(parked("A7K2")))
        );
        assert_eq!(
            task("parked:A7K2", true),
            staff(StaffEvent::DiscardParked(parked("A7K2")))
        );
        assert_eq!(task("cash", false), staff(StaffEvent::CashRefused));
        let mut state = TillState::default();
        let receipt = |second| UiEvent::DeskTask("receipt:142".to_owned(), second);
        assert_eq!(copy_wanted(&receipt(false), &state), Some(142));
        assert_eq!(copy_wanted(&receipt(true), &state), None);
        assert_eq!(copy_wanted(&UiEvent::Reprint, &state), None);
        state.counters.receipt = 7;
        assert_eq!(copy_wanted(&UiEvent::Reprint, &state), Some(7));
        let forget = StaffEvent::ForgetReceipt {
            receipt_number: 142,
        };
        assert_eq!(task("receipt:142", true), staff(forget));
        assert_eq!(task("receipt:x", true), None);
        let settle = |arrived| StaffEvent::SettleUnconfirmed {
            attempt: AttemptId(7),
            arrived,
        };
        assert_eq!(task("settle:7", false), staff(settle(true)));
        assert_eq!(task("settle:7", true), staff(settle(false)));
        let again = StaffEvent::ReprintVoucher("V34679ACDE".to_owned());
        assert_eq!(task("voucher:V34679ACDE", false), staff(again));
        assert_eq!(task("payee", false), staff(StaffEvent::AcceptPayee));
        assert_eq!(task("order", false), staff(StaffEvent::CancelOrder));
    }

    #[test]
    fn money_in_review_is_looked_at_before_it_is_decided() {
        // Proves that the panel only opens a review, and that each choice asks for what it says.
        let (mut desk, state) = (Desk::default(), TillState::default());
        let view = view_of_nothing();
        for (choice, decision) in [
            ("reopen", ReviewDecision::Reopened),
            ("voucher", ReviewDecision::Voucher),
            ("refunded", ReviewDecision::Refunded),
            ("kept", ReviewDecision::Kept),
            ("no-money", ReviewDecision::NoMoney),
        ] {
            let open = UiEvent::DeskTask("review:4".to_owned(), false);
            assert_eq!(desk.touch(&open, &view, &state), None);
            assert_eq!(desk.view, DeskView::Review);
            let asked = desk.touch(&UiEvent::ReviewChoose(choice.to_owned()), &view, &state);
            let Some(Event::Staff(StaffEvent::ResolveReview {
                review,
                decision: asked,
                ..
            })) = asked
            else {
                unreachable!("{choice}: {asked:?}");
            };
            assert_eq!((review, asked), (ReviewId(4), decision));
        }
    }

    fn view_of_nothing() -> View {
        let config = crate::testing::configuration();
        let now = checkout::Now {
            wall_ms: 1_795_000_000_000,
            utc_offset_min: 420,
            mono_ms: 0,
        };
        let config = crate::assemble::till_config(&config, "journal");
        checkout::till::Till::new(config, None, 1, now).view(now)
    }

    #[test]
    fn likely_notes_cover_the_amount() {
        // Proves that every proposed amount is enough, ordered and plausible.
        assert_eq!(notes(146_500), vec![150_000, 160_000, 200_000, 500_000]);
        for due in [1, 499, 500, 5_000, 99_999, 100_000, 12_345_678] {
            let notes = notes(due);
            assert!(notes.iter().all(|note| *note > due), "{due}: {notes:?}");
            assert!(notes.is_sorted());
        }
        assert!(notes(0).is_empty());
    }

    #[test]
    fn the_pad_locks_after_wrong_pins() {
        // Proves that guesses stop and that the pad says so.
        let mut desk = Desk::default();
        for _ in 0..crate::staff::WRONG_PINS_MAX {
            desk.pin = "1111".into();
            assert!(desk.submit_pin(0).is_some());
            desk.pin_failed(0);
        }
        desk.pin = "2468".into();
        assert_eq!(desk.submit_pin(1), None);
        assert_eq!(desk.problem, PinProblem::Locked);
        desk.pin = "2468".into();
        assert!(desk.submit_pin(crate::staff::LOCK_MS + 1).is_some());
    }
}
