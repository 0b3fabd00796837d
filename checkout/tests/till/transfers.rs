//! Transfers that are too small, too large, doubled, late or foreign, and the bank's silence.

use checkout::till::*;
use checkout::{Currency, Money};

use crate::desk::*;

/// One offer left in this visit, at the tenders again.
fn one_left() -> Desk {
    let mut desk = Desk::qr_showing();
    desk.wait(70_000)
        .does(Event::CancelTender)
        .bank(1, BankSaid::CancelUnknown);
    assert!(matches!(desk.screen(), Screen::Pay(_)));
    desk.done.clear();
    desk
}

fn checks(desk: &Desk) -> Vec<u64> {
    let asked = desk.done.iter().filter_map(|effect| match effect {
        Effect::CheckBank { attempt } => Some(attempt.0),
        _ => None,
    });
    asked.collect()
}

fn check_view(desk: &Desk) -> BankCheckView {
    match desk.screen() {
        Screen::BankCheck(check) => *check,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_open_offer_is_asked_about_before_any_other_way_to_pay() {
    // Proves that cash, card and a new code all wait until the bank has spoken about each earlier
    // offer of the visit, and that an answer from before the question is none.
    for kind in [TenderKind::Cash, TenderKind::Card, TenderKind::Qr] {
        let mut desk = one_left();
        desk.does(Event::ChooseTender(TenderKind::Qr))
            .checked(1)
            .offered(2);
        desk.does(Event::CancelTender).bank(2, BankSaid::Cancelled);
        assert!(
            matches!(desk.screen(), Screen::Qr(_)),
            "offer 1 is open too"
        );
        desk.checked(1);
        desk.done.clear();
        desk.does(Event::ChooseTender(kind));
        assert_eq!(checks(&desk), [1, 2]);
        let intended = |what: &What| matches!(what, What::AttemptIntended { .. });
        assert_eq!(desk.recorded(intended), 2, "{kind:?} has not begun");
        desk.checked(1).bank(
            2,
            BankSaid::Checked {
                asked_ago_ms: 60_000,
            },
        );
        assert_eq!(
            check_view(&desk).order_codes.len(),
            1,
            "an old answer is none"
        );
        desk.checked(2);
        assert_eq!(desk.recorded(intended), 3, "{kind:?} begins");
    }
}

#[test]
fn money_found_by_the_question_pays_and_nothing_else_begins() {
    // Proves that a credit found while asking ends the sale, and the other tender never starts.
    let mut desk = one_left();
    desk.does(Event::ChooseTender(TenderKind::Cash))
        .credit(1, "FT1", 25_000);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    let cash = |what: &What| {
        matches!(
            what,
            What::AttemptIntended {
                kind: TenderKind::Cash,
                ..
            }
        )
    };
    assert_eq!(desk.recorded(cash), 0);
}

#[test]
fn a_silent_bank_is_said_and_going_on_is_the_shoppers_touch() {
    // Proves the wait is bounded, the screen says why, GoOn counts only then, is recorded, and the
    // offer is watched on: its money is still found.
    let mut desk = one_left();
    desk.does(Event::ChooseTender(TenderKind::Card))
        .does(Event::GoOn)
        .bank(1, BankSaid::Unreachable);
    assert!(!check_view(&desk).silent);
    desk.wait(8_500);
    let view = check_view(&desk);
    assert_eq!((view.silent, view.link), (true, BankLink::Unreachable));
    desk.does(Event::ExtendOffer);
    assert!(!check_view(&desk).silent, "asked once more");
    desk.wait(8_500).does(Event::GoOn);
    assert!(matches!(desk.screen(), Screen::Card { .. }));
    assert!(matches!(desk.notice(), Notice::StillWatching { .. }));
    assert_eq!(
        desk.recorded(
            |what| matches!(what, What::OffersUnasked { attempts } if attempts.len() == 1)
        ),
        1
    );
    assert_eq!(desk.till.state().watched.len(), 1);
    desk.credit(1, "FT1", 25_000);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
}

#[test]
fn a_kiosk_nobody_is_at_leaves_the_question_too() {
    // Proves that the screen of a silent bank does not stay for ever.
    let mut desk = one_left();
    desk.does(Event::ChooseTender(TenderKind::Card))
        .wait(9_000 + 90_000 + 20_000 + 21_000);
    assert!(matches!(desk.screen(), Screen::Attract { parked: 1 }));
    assert_eq!(desk.till.state().watched.len(), 1);
}

#[test]
fn two_hundred_dong_never_buy_two_hundred_thousand() {
    // Proves a tiny transfer against a large bill has its own screen, takes exactly what came, and
    // a new code is for the rest only; a restart keeps that screen.
    let mut desk = Desk::new();
    for _ in 0..12 {
        desk.scan(COFFEE);
    }
    desk.does(Event::Pay);
    let due = match desk.screen() {
        Screen::Pay(pay) => pay.due.minor,
        other => panic!("{other:?}"),
    };
    assert_eq!(due, 200_000);
    desk.does(Event::ChooseTender(TenderKind::Qr))
        .offered(1)
        .credit(1, "FT1", 200);
    for _ in 0..2 {
        let Screen::Underpaid(short) = desk.screen() else {
            panic!("{:?}", desk.screen());
        };
        assert_eq!(
            (short.asked.minor, short.received.minor, short.due.minor),
            (due, 200, due - 200)
        );
        desk.restart();
    }
    desk.does(Event::ChooseTender(TenderKind::Qr)).checked(1);
    assert!(matches!(desk.screen(), Screen::Qr(qr) if qr.amount.minor == due - 200));
    desk.offered(2).credit(2, "FT2", due - 200);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    let paid: Vec<i64> = desk
        .sale()
        .tenders
        .iter()
        .map(|tender| tender.amount_minor)
        .collect();
    assert_eq!(paid, [200, due - 200]);
}

#[test]
fn the_rest_may_come_by_the_old_code() {
    // Proves that a second transfer for a code that was paid short completes the sale.
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 10_000);
    assert!(matches!(desk.screen(), Screen::Underpaid(_)));
    desk.credit(1, "FT2", 15_000);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert!(desk.till.state().watched[0].paid);
}

#[test]
fn a_part_that_was_meant_as_a_part_is_not_short() {
    // Proves that paying half by choice goes back to the tenders, without the screen of a shortfall.
    let mut desk = Desk::coffee_at_pay();
    desk.does(Event::SetPart(Some(10_000)))
        .does(Event::ChooseTender(TenderKind::Qr))
        .offered(1)
        .credit(1, "FT1", 10_000);
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 15_000));
}

#[test]
fn every_odd_transfer_has_its_name() {
    // Proves over, doubled, late, foreign and unknown transfers each become a review of their own
    // kind with the code of the transfer, and the shopper sees what was too much.
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 32_000);
    assert!(
        matches!(desk.screen(), Screen::Paid(paid) if paid.over == Some(Money::new(7_000, Currency::VND)))
    );
    desk.credit(1, "FT2", 25_000);
    let dollars = Money::new(500, Currency::USD);
    let foreign = Credit {
        id: "FT3".into(),
        amount: dollars,
    };
    desk.bank(1, BankSaid::Credit(foreign));
    desk.credit(77, "FT4", 9_000);
    let reviews = &desk.till.state().reviews;
    let kinds: Vec<(ReviewKind, i64)> = reviews.iter().map(|r| (r.kind, r.amount_minor)).collect();
    assert_eq!(
        kinds,
        [
            (ReviewKind::OverPaid, 7_000),
            (ReviewKind::Duplicate, 25_000),
            (ReviewKind::WrongCurrency, 0),
            (ReviewKind::OrphanCredit, 9_000)
        ]
    );
    assert!(
        reviews[..3]
            .iter()
            .all(|review| review.order_code.is_some())
    );
    assert!(
        reviews[2].reference.contains("FT3"),
        "{}",
        reviews[2].reference
    );
}

#[test]
fn a_paid_offer_is_watched_for_a_second_transfer_across_a_restart() {
    // Proves that a transfer sent twice is found after the shopper has gone and the kiosk restarted.
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 25_000).wait(60_000).restart();
    assert!(
        desk.did(|effect| matches!(effect, Effect::WatchBank { attempt, .. } if attempt.0 == 1))
    );
    desk.credit(1, "FT2", 25_000);
    assert_eq!(desk.till.state().reviews[0].kind, ReviewKind::Duplicate);
}

#[test]
fn five_hundred_later_credits_make_an_old_one_no_second() {
    // Proves that a late transfer staff gave back is not counted again when the bank side tells of it after a restart
    // and more other transfers than are remembered have come since; nor the transfer of a paid sale.
    let mut desk = Desk::qr_showing();
    desk.does(Event::CancelTender)
        .bank(1, BankSaid::CancelUnknown)
        .does(Event::Abandon)
        .credit(1, "FT1", 10_000);
    let review = desk.till.state().reviews[0].id;
    desk.staff(StaffEvent::ResolveReview {
        review,
        decision: ReviewDecision::Refunded,
        note: "FT1".into(),
    });
    assert!(desk.till.state().reviews.is_empty());
    let mut paid = Desk::qr_showing();
    paid.credit(1, "FT1", 25_000).wait(60_000);

    for desk in [&mut desk, &mut paid] {
        let mut state = desk.durable.clone().unwrap();
        state.seen_credits = (0..SEEN_CREDITS_MAX).map(|n| format!("G{n}")).collect();
        // As it is stored and read.
        let stored = serde_json::to_string(&state).unwrap();
        desk.durable = Some(serde_json::from_str(&stored).unwrap());
        desk.restart();
        let received = desk.recorded(|what| matches!(what, What::CreditReceived { .. }));
        desk.credit(1, "FT1", 10_000);
        assert!(desk.till.state().reviews.is_empty());
        let now = desk.recorded(|what| matches!(what, What::CreditReceived { .. }));
        assert_eq!(now, received);
        assert!(desk.did(|effect| matches!(effect, Effect::AckCredit { .. })));
        desk.credit(1, "FT2", 10_000);
        assert_eq!(
            desk.till.state().reviews.len(),
            1,
            "another one is another one"
        );
    }
}

#[test]
fn unpaid_offers_are_never_dropped_for_want_of_room() {
    // Proves that with the list full no new code is shown, nothing watched is forgotten, and money
    // for the oldest is still found.
    let mut desk = Desk::qr_showing();
    desk.does(Event::CancelTender)
        .bank(1, BankSaid::Cancelled)
        .does(Event::Abandon);
    let mut state = desk.durable.clone().unwrap();
    let oldest = state.watched[0].clone();
    for number in 0..WATCHED_MAX - 1 {
        let mut watched = oldest.clone();
        watched.attempt = AttemptId(1_000 + number as u64);
        state.watched.push(watched);
    }
    desk.durable = Some(state);
    desk.restart();
    desk.scan(COFFEE)
        .does(Event::Pay)
        .does(Event::ChooseTender(TenderKind::Qr));
    let full = Notice::TenderUnavailable {
        kind: TenderKind::Qr,
        why: Availability::TooManyOpen,
    };
    assert_eq!(desk.notice(), full);
    assert_eq!(desk.till.state().watched.len(), WATCHED_MAX);
    assert!(!desk.did(|effect| matches!(effect, Effect::StopWatching { .. })));
    desk.credit(1, "FT1", 25_000);
    assert_eq!(desk.till.state().reviews[0].kind, ReviewKind::LateCredit);
}

#[test]
fn offers_are_watched_for_a_day_whatever_the_shop_does() {
    // Proves that watching outlasts other sales, many restarts and the change of the business day,
    // and ends after its window, not before.
    let mut desk = Desk::qr_showing();
    desk.does(Event::CancelTender)
        .bank(1, BankSaid::CancelUnknown)
        .does(Event::Abandon);
    for hour in 1..=23 {
        desk.wall_ms += 3_600_000;
        desk.restart();
        assert!(
            desk.did(|effect| matches!(effect, Effect::WatchBank { .. })),
            "hour {hour}"
        );
        if hour % 6 == 0 {
            desk.scan(COFFEE)
                .does(Event::Pay)
                .does(Event::ChooseTender(TenderKind::Cash));
            desk.staff(StaffEvent::CashTaken {
                received_minor: 25_000,
            });
            desk.wait(60_000);
        }
    }
    desk.credit(1, "FT1", 25_000);
    assert_eq!(desk.till.state().reviews[0].kind, ReviewKind::LateCredit);
}

#[test]
fn a_clock_that_is_wrong_for_a_while_forgets_no_offer() {
    // Proves that a wall clock two days ahead for half an hour ends no watch, and that money found
    // after it was put right is known for what it is.
    let mut desk = Desk::qr_showing();
    desk.does(Event::CancelTender)
        .bank(1, BankSaid::CancelUnknown)
        .does(Event::Abandon);
    desk.wall_ms += 2 * 86_400_000;
    desk.wait(1_800_000);
    assert_eq!(desk.till.state().watched.len(), 1);
    desk.wall_ms -= 2 * 86_400_000;
    desk.wait(7_200_000);
    assert!(!desk.did(|effect| matches!(effect, Effect::StopWatching { .. })));
    desk.credit(1, "FT1", 25_000);
    assert_eq!(desk.till.state().reviews[0].kind, ReviewKind::LateCredit);
}
