//! What staff order of the card terminal: a payment taken back, money to a card, the terminal's day closed.

use checkout::Money;
use checkout::till::*;

use crate::desk::*;

/// A coffee was sold by card (attempt 1), and nobody is at the counter.
fn sold() -> Desk {
    let mut desk = Desk::card_running();
    desk.terminal(1, TerminalSaid::Approved(approval()));
    desk.terminal(1, TerminalSaid::Completed);
    desk.does(Event::Done).does(Event::Skip).does(Event::Done);
    desk.wait(30_000);
    assert!(matches!(desk.screen(), Screen::Attract { .. }));
    desk.done.clear();
    desk
}

fn taken(desk: &Desk) -> CardTaken {
    let sale = desk.sale();
    CardTaken {
        payment: CardPayment {
            attempt: sale.tenders[0].attempt,
            reference: "T/1".into(),
            is: PaymentIs::Sale {
                visit: sale.visit.clone(),
                receipt_number: sale.receipt_number,
            },
        },
        amount_minor: 25_000,
        given_back_minor: 0,
        can_be_reversed: true,
        give_backs: desk.till.state().counters.give_back,
    }
}

fn give_back(desk: &mut Desk, taken: CardTaken, amount_minor: i64) {
    let taken = Box::new(taken);
    desk.staff(StaffEvent::GiveBack {
        taken,
        amount_minor,
    });
}

/// The reversal of the coffee (attempt 2) was sent.
fn reversing() -> Desk {
    let mut desk = sold();
    let taken = taken(&desk);
    give_back(&mut desk, taken, 25_000);
    prepared(&mut desk);
    assert!(ordered(&desk, 2));
    desk
}

fn prepared(desk: &mut Desk) {
    let baseline = "8".to_owned();
    desk.terminal(2, TerminalSaid::Prepared { baseline });
}

fn ordered(desk: &Desk, wanted: u64) -> bool {
    desk.did(|e| matches!(e, Effect::OrderTerminal { attempt, .. } if attempt.0 == wanted))
}

fn asked_about(desk: &Desk) -> bool {
    desk.did(|effect| {
        matches!(effect, Effect::RecoverTerminal { attempt, kind, baseline: Some(b), .. }
            if attempt.0 == 2 && kind.gives_back() && b == "8")
    })
}

fn given_back(desk: &Desk) -> Vec<(OrderKind, i64, bool)> {
    let facts = desk.facts.iter().filter_map(|fact| match &fact.what {
        What::CardGivenBack {
            kind,
            amount_minor,
            already,
            ..
        } => Some((*kind, *amount_minor, *already)),
        _ => None,
    });
    facts.collect()
}

fn ended(desk: &Desk) -> OrderEnd {
    desk.view().order_ended.expect("an order ended").end
}

fn card_is_locked(desk: &mut Desk) -> bool {
    desk.does(Event::Staff(StaffEvent::SignedOut));
    desk.scan(COFFEE).does(Event::Pay);
    let Screen::Pay(pay) = desk.screen() else {
        panic!("{:?}", desk.screen())
    };
    let mut options = pay.options.iter();
    options
        .any(|option| option.kind == TenderKind::Card && option.available == Availability::Locked)
}

#[test]
fn a_reversal_waits_for_the_disk_at_every_step() {
    // Proves prepare, order and confirm leave the till only after their rows are on disk, and that the money that went
    // back is a fact of its own with the sale it belongs to.
    let mut desk = sold();
    let taken = taken(&desk);
    desk.staff(StaffEvent::HelpDone);
    desk.does(Event::Staff(StaffEvent::SignedIn {
        staff: StaffId("S1".into()),
    }));
    desk.disk = Disk::Held;
    desk.done.clear();
    desk.does(Event::Staff(StaffEvent::GiveBack {
        taken: Box::new(taken),
        amount_minor: 25_000,
    }));
    let prepares = |effect: &Effect| matches!(effect, Effect::PrepareTerminal { .. });
    assert!(!desk.did(prepares));
    desk.disk_answers();
    assert!(desk.did(prepares));
    prepared(&mut desk);
    assert!(!ordered(&desk, 2));
    desk.disk_answers();
    assert!(desk.did(|effect| matches!(
        effect,
        Effect::OrderTerminal { order: TerminalOrder::Reversal { amount, reference }, baseline: Some(b), .. }
            if amount.minor == 25_000 && reference == "T/1" && b == "8"
    )));
    desk.terminal(2, TerminalSaid::Approved(approval()));
    let confirms = |effect: &Effect| matches!(effect, Effect::ConfirmTerminal { .. });
    assert!(!desk.did(confirms));
    desk.disk_answers();
    assert!(desk.did(confirms));
    desk.terminal(2, TerminalSaid::Completed);
    desk.disk_answers();
    assert_eq!(given_back(&desk), [(OrderKind::Reversal, 25_000, false)]);
    assert_eq!(ended(&desk), OrderEnd::Done { already: false });
    assert_eq!(desk.till.state().order, None);
}

#[test]
fn an_order_is_sent_once_whatever_is_said_twice() {
    // Proves a second "prepared" and a second touch send nothing more, and that figures from before are refused.
    let mut desk = reversing();
    desk.done.clear();
    prepared(&mut desk);
    let again = taken(&desk);
    give_back(&mut desk, again, 25_000);
    assert!(!ordered(&desk, 2) && !ordered(&desk, 3));
    assert_eq!(ended(&desk), OrderEnd::NotTaken(OrderRefusal::Running));
    desk.terminal(2, TerminalSaid::Approved(approval()));
    desk.terminal(2, TerminalSaid::Completed);
    let stale = CardTaken {
        give_backs: 0,
        ..taken(&desk)
    };
    give_back(&mut desk, stale, 25_000);
    assert_eq!(ended(&desk), OrderEnd::NotTaken(OrderRefusal::OutOfDate));
    let known = CardTaken {
        given_back_minor: 25_000,
        ..taken(&desk)
    };
    give_back(&mut desk, known, 1);
    assert_eq!(ended(&desk), OrderEnd::NotTaken(OrderRefusal::Amount));
    assert_eq!(given_back(&desk).len(), 1);
}

#[test]
fn a_part_or_a_payment_that_cannot_be_reversed_is_refunded() {
    // Proves the way back: the whole of an open payment is reversed; a part, a rest, and what the terminal refused to
    // reverse (B5) are refunds of at most what is left.
    let mut desk = sold();
    let mut known = taken(&desk);
    assert_eq!(known.way_back(25_000, None), OrderKind::Reversal);
    assert_eq!(known.way_back(5_000, None), OrderKind::Refund);
    known.can_be_reversed = false;
    assert_eq!(known.way_back(25_000, None), OrderKind::Refund);
    known = CardTaken {
        given_back_minor: 5_000,
        ..taken(&desk)
    };
    assert_eq!(known.way_back(20_000, None), OrderKind::Refund);
    for wrong in [0, -1, 20_001] {
        give_back(&mut desk, known.clone(), wrong);
        assert_eq!(ended(&desk), OrderEnd::NotTaken(OrderRefusal::Amount));
    }
    let mut desk = reversing();
    desk.terminal(2, TerminalSaid::Declined(DeclineReason::ReversalImpossible));
    assert_eq!(
        ended(&desk),
        OrderEnd::Declined(DeclineReason::ReversalImpossible)
    );
    assert_eq!(given_back(&desk), []);
    let again = taken(&desk);
    give_back(&mut desk, again, 25_000);
    let baseline = "9".to_owned();
    desk.terminal(3, TerminalSaid::Prepared { baseline });
    assert!(desk.did(|effect| matches!(
        effect,
        Effect::OrderTerminal { order: TerminalOrder::Refund { amount }, .. } if amount.minor == 25_000
    )));
}

#[test]
fn already_reversed_is_success_and_declined_is_not() {
    // Proves B4 is written down as given back, and that a refusal writes nothing down.
    let mut desk = reversing();
    desk.terminal(2, TerminalSaid::Declined(DeclineReason::AlreadyReversed));
    assert_eq!(given_back(&desk), [(OrderKind::Reversal, 25_000, true)]);
    assert_eq!(ended(&desk), OrderEnd::Done { already: true });
    let mut desk = reversing();
    desk.terminal(2, TerminalSaid::Declined(DeclineReason::Bank("05".into())));
    assert_eq!(given_back(&desk), []);
    assert!(!card_is_locked(&mut desk));
}

#[test]
fn a_lost_answer_is_unknown_locks_the_card_and_is_found_out_after_a_restart() {
    // Proves silence never means "not given back": nothing is sent again, cards wait, and the terminal's word ends it.
    for happened in [true, false] {
        let mut desk = reversing();
        desk.terminal(2, TerminalSaid::InDoubt(Doubt::LinkLost));
        assert!(asked_about(&desk));
        desk.terminal(2, TerminalSaid::Declined(DeclineReason::AlreadyReversed));
        assert_eq!(given_back(&desk), [], "in doubt, only recovery decides");
        desk.restart();
        assert!(asked_about(&desk) && !ordered(&desk, 2));
        assert!(card_is_locked(&mut desk));
        desk.terminal(2, TerminalSaid::Recovered(Recovery::Unreachable));
        desk.done.clear();
        desk.wait(16_000);
        assert!(asked_about(&desk), "asked again");
        desk.terminal(
            2,
            TerminalSaid::Recovered(match happened {
                true => Recovery::Paid(approval()),
                false => Recovery::NotCharged,
            }),
        );
        assert_eq!(given_back(&desk).len(), usize::from(happened));
        assert_eq!(desk.till.state().order, None);
        assert!(desk.till.state().reviews.is_empty());
    }
}

#[test]
fn a_restart_finds_the_order_in_each_state() {
    // Proves: intended is certainly not started, armed and approved are questions, and an approval seen is asked with.
    let mut desk = sold();
    let known = taken(&desk);
    give_back(&mut desk, known, 25_000);
    desk.restart();
    assert_eq!(
        ended(&desk),
        OrderEnd::NotStarted(NotStartedReason::Restarted)
    );
    let mut desk = reversing();
    desk.restart();
    assert!(asked_about(&desk));
    let mut desk = reversing();
    desk.terminal(2, TerminalSaid::Approved(approval()));
    desk.restart();
    assert!(desk.did(|effect| matches!(
        effect,
        Effect::RecoverTerminal { approval: Some(known), .. } if *known == approval()
    )));
}

#[test]
fn staff_decide_a_foreign_answer_and_the_terminal_is_asked_once_more() {
    // Proves a decision is recorded, and that another word of the terminal afterwards becomes a review with the right
    // sign: money the shop lacks, or money that is still the shopper's.
    let decide = |decision| {
        let mut desk = reversing();
        desk.terminal(2, TerminalSaid::InDoubt(Doubt::NoAnswer));
        let seen = "T/9/9".to_owned();
        desk.terminal(2, TerminalSaid::Recovered(Recovery::Foreign { seen }));
        let step = desk.view().order.expect("it runs").step;
        assert_eq!(step, OrderStep::Unknown { needs_staff: true });
        desk.done.clear();
        desk.staff(StaffEvent::ResolveAttempt {
            attempt: AttemptId(2),
            decision,
            note: String::new(),
        });
        assert!(asked_about(&desk), "asked although staff decided");
        desk
    };
    let reviews = |desk: &Desk| -> Vec<(ReviewKind, i64)> {
        let reviews = desk.till.state().reviews.iter();
        reviews
            .map(|review| (review.kind, review.amount_minor))
            .collect()
    };
    let mut desk = decide(AttemptDecision::Paid);
    assert_eq!(given_back(&desk).len(), 1);
    desk.terminal(2, TerminalSaid::Recovered(Recovery::NotCharged));
    assert_eq!(reviews(&desk), [(ReviewKind::NotGivenBack, 25_000)]);
    let mut desk = decide(AttemptDecision::NotCharged);
    assert_eq!(given_back(&desk), []);
    desk.terminal(2, TerminalSaid::Recovered(Recovery::Paid(approval())));
    desk.terminal(2, TerminalSaid::Recovered(Recovery::Paid(approval())));
    assert_eq!(reviews(&desk), [(ReviewKind::GaveBack, -25_000)]);
    let mut desk = decide(AttemptDecision::Paid);
    desk.terminal(2, TerminalSaid::Recovered(Recovery::Paid(approval())));
    assert_eq!(reviews(&desk), []);
}

#[test]
fn money_in_review_goes_back_by_the_terminal_and_closes_it() {
    // Proves a charge the terminal told of too late can be taken back as a whole, and only as a whole.
    let mut desk = Desk::card_running();
    desk.terminal(1, TerminalSaid::Declined(DeclineReason::NoCard));
    desk.terminal(1, TerminalSaid::Approved(approval()));
    desk.does(Event::Back).does(Event::Abandon).wait(30_000);
    let review = desk.till.state().reviews[0].clone();
    assert_eq!(review.kind, ReviewKind::Contradiction);
    let in_review = |desk: &Desk| CardTaken {
        payment: CardPayment {
            attempt: AttemptId(1),
            reference: review.reference.clone(),
            is: PaymentIs::Review(review.id),
        },
        amount_minor: 25_000,
        given_back_minor: 0,
        can_be_reversed: true,
        give_backs: desk.till.state().counters.give_back,
    };
    let known = in_review(&desk);
    give_back(&mut desk, known, 5_000);
    assert_eq!(ended(&desk), OrderEnd::NotTaken(OrderRefusal::Amount));
    let known = in_review(&desk);
    give_back(&mut desk, known, 25_000);
    prepared(&mut desk);
    desk.terminal(2, TerminalSaid::Approved(approval()));
    desk.terminal(2, TerminalSaid::Completed);
    assert!(desk.till.state().reviews.is_empty());
    assert_eq!(given_back(&desk).len(), 1);
    assert_eq!(
        desk.recorded(|what| matches!(
            what,
            What::ReviewResolved {
                decision: ReviewDecision::Refunded,
                amount_minor: 25_000,
                ..
            }
        )),
        1
    );
}

#[test]
fn nothing_is_ordered_while_a_shopper_is_served_and_nobody_is_signed_out_while_it_runs() {
    // Proves the two do not meet at the terminal, and that an order runs to its end with its staff.
    let mut desk = sold();
    let known = taken(&desk);
    desk.scan(COFFEE);
    give_back(&mut desk, known, 25_000);
    assert_eq!(ended(&desk), OrderEnd::NotTaken(OrderRefusal::VisitOpen));
    let mut desk = reversing();
    desk.wait(120_000);
    assert!(desk.view().staff.is_some());
    desk.does(Event::Staff(StaffEvent::CancelOrder));
    assert!(
        desk.did(|effect| matches!(effect, Effect::AbortTerminal { attempt } if attempt.0 == 2))
    );
    desk.terminal(2, TerminalSaid::Declined(DeclineReason::Aborted));
    assert_eq!(ended(&desk), OrderEnd::Declined(DeclineReason::Aborted));
    desk.wait(61_000);
    assert!(desk.view().staff.is_none());
}

// ---- the terminal's day ----

fn day_ends(desk: &Desk) -> Vec<TerminalDayEnd> {
    let facts = desk.facts.iter().filter_map(|fact| match &fact.what {
        What::TerminalDayEnded { end, .. } => Some(end.clone()),
        _ => None,
    });
    facts.collect()
}

fn told(desk: &Desk) -> bool {
    desk.did(|effect| matches!(effect, Effect::TerminalDayEnded { .. }))
}

fn totals() -> TerminalDayEnd {
    TerminalDayEnd::Closed(TerminalTotals {
        total: Some(Money::new(25_000, checkout::Currency::VND)),
        count: Some(1),
        first_receipt: Some(1),
        last_receipt: Some(1),
    })
}

#[test]
fn the_terminals_day_is_asked_once_from_the_disk_and_told_from_the_disk() {
    // Proves the order of a day close: on disk before it is asked, on disk before anybody hears how it ended.
    let mut desk = sold();
    desk.disk = Disk::Held;
    desk.does(Event::Staff(StaffEvent::SignedIn {
        staff: StaffId("S1".into()),
    }));
    desk.disk_answers();
    desk.does(Event::Staff(StaffEvent::CloseTerminalDay));
    assert!(!ordered(&desk, 2));
    desk.disk_answers();
    assert!(ordered(&desk, 2));
    desk.terminal(2, TerminalSaid::DayEnded(totals()));
    assert!(!told(&desk));
    desk.disk_answers();
    assert!(told(&desk));
    assert_eq!(day_ends(&desk), [totals()]);
    desk.terminal(2, TerminalSaid::DayEnded(totals()));
    assert_eq!(day_ends(&desk).len(), 1);
}

#[test]
fn a_day_close_without_an_answer_ends_unknown_and_holds_nothing_up() {
    // Proves a lost answer, a silent terminal and a restart all end as unknown, never as closed, and that cards are taken.
    for how in 0..3 {
        let mut desk = sold();
        desk.staff(StaffEvent::CloseTerminalDay);
        assert!(ordered(&desk, 2));
        match how {
            0 => {
                desk.terminal(2, TerminalSaid::InDoubt(Doubt::LinkLost));
            }
            1 => {
                desk.wait(241_000);
            }
            _ => {
                desk.restart();
            }
        }
        assert!(
            matches!(day_ends(&desk)[..], [TerminalDayEnd::Unknown(_)]),
            "{how}: {:?}",
            day_ends(&desk)
        );
        assert!(told(&desk));
        assert_eq!(ended(&desk), OrderEnd::Unanswered);
        assert!(!card_is_locked(&mut desk));
    }
}

#[test]
fn a_terminal_that_is_not_there_or_cannot_says_so_at_once() {
    // Proves the day close never waits for a terminal that was not asked.
    for reason in [
        NotStartedReason::Unreachable,
        NotStartedReason::Unsupported,
        NotStartedReason::Busy,
    ] {
        let mut desk = sold();
        desk.staff(StaffEvent::CloseTerminalDay);
        desk.terminal(2, TerminalSaid::NotStarted(reason));
        assert_eq!(day_ends(&desk), [TerminalDayEnd::NotStarted(reason)]);
        assert!(told(&desk));
    }
}

#[test]
fn a_settled_doubt_is_asked_about_before_an_order() {
    // Proves the terminal's last transaction is read before another order overwrites it, for each kind of order.
    for closes in [false, true] {
        let mut desk = Desk::card_running();
        desk.terminal(1, TerminalSaid::InDoubt(Doubt::NoAnswer));
        desk.staff(StaffEvent::ResolveAttempt {
            attempt: AttemptId(1),
            decision: AttemptDecision::Paid,
            note: String::new(),
        });
        desk.does(Event::Done).does(Event::Skip).wait(30_000);
        desk.done.clear();
        let known = taken(&desk);
        match closes {
            true => {
                desk.staff(StaffEvent::CloseTerminalDay);
            }
            false => give_back(&mut desk, known, 25_000),
        }
        let asks =
            |e: &Effect| matches!(e, Effect::RecoverTerminal { attempt, .. } if attempt.0 == 1);
        let goes_on = |e: &Effect| {
            matches!(
                e,
                Effect::PrepareTerminal { .. } | Effect::OrderTerminal { .. }
            )
        };
        assert!(desk.did(asks) && !desk.did(goes_on));
        desk.terminal(1, TerminalSaid::Recovered(Recovery::Unreachable));
        assert!(desk.did(goes_on));
    }
}
