//! QR, cash, and several tenders on one sale.

use checkout::till::*;

use crate::desk::*;
use crate::shop;

#[test]
fn a_qr_offer_is_shown_only_from_the_disk_and_paid_only_by_the_bank() {
    // Proves the offer appears after its row is stored, and one credit counts once.
    let mut desk = Desk::coffee_at_pay();
    desk.does(Event::ChooseTender(TenderKind::Qr));
    desk.disk = Disk::Held;
    desk.offered(1);
    assert!(matches!(desk.screen(), Screen::Qr(qr) if qr.offer.is_none()));
    let mut desk = Desk::qr_showing();
    desk.does(Event::Done).does(Event::ExtendOffer);
    assert!(matches!(desk.screen(), Screen::Qr(_)));
    desk.credit(1, "FT1", 25_000).credit(1, "FT1", 25_000);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert_eq!(desk.till.state().reviews.len(), 0);
    let acks = desk
        .done
        .iter()
        .filter(|effect| matches!(effect, Effect::AckCredit { .. }));
    assert_eq!(acks.count(), 2);
}

#[test]
fn under_over_and_late_transfers_are_never_silently_kept() {
    // Proves a short transfer leaves the rest due, an excess and a late one become reviews.
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 10_000);
    assert!(matches!(desk.screen(), Screen::Underpaid(short)
        if short.received.minor == 10_000 && short.due.minor == 15_000));
    desk.does(Event::Back).does(Event::Back);
    assert_eq!(desk.notice(), Notice::MoneyTaken);
    desk.does(Event::ChooseTender(TenderKind::Qr))
        .checked(1)
        .offered(2)
        .credit(2, "FT2", 20_000);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    let review = desk.till.state().reviews[0].clone();
    assert_eq!(
        (review.kind, review.amount_minor),
        (ReviewKind::OverPaid, 5_000)
    );
    desk.wait(60_000);
    assert!(matches!(desk.screen(), Screen::Attract { .. }));
    desk.credit(2, "FT3", 15_000);
    let review = desk.till.state().reviews[1].clone();
    assert_eq!(
        (review.kind, review.amount_minor),
        (ReviewKind::Duplicate, 15_000)
    );
    desk.credit(99, "FT4", 1_000);
    assert_eq!(desk.till.state().reviews[2].kind, ReviewKind::OrphanCredit);

    let mut desk = Desk::qr_showing();
    desk.wait(180_000 + 60_000 + 20_500);
    assert!(matches!(desk.screen(), Screen::Attract { parked: 1 }));
    desk.credit(1, "FT9", 25_000);
    assert_eq!(desk.till.state().reviews[0].kind, ReviewKind::LateCredit);
    let code = desk.till.state().parked[0].code.clone();
    desk.does(Event::Resume(code)).does(Event::Pay);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert!(desk.till.state().reviews.is_empty());
}

#[test]
fn a_left_offer_that_pays_while_the_card_runs_is_held_back() {
    // Proves money for a left offer waits while the card may be charging, and pays if it is not.
    let mut desk = Desk::qr_showing();
    desk.does(Event::CancelTender)
        .bank(1, BankSaid::CancelUnknown);
    assert!(matches!(desk.notice(), Notice::StillWatching { .. }));
    desk.does(Event::ChooseTender(TenderKind::Card)).checked(1);
    assert!(desk.did(|effect| matches!(effect, Effect::CheckBank { .. })));
    desk.terminal(
        2,
        TerminalSaid::Prepared {
            baseline: "7".into(),
        },
    );
    desk.credit(1, "FT1", 25_000);
    assert!(matches!(desk.screen(), Screen::Card { .. }));
    assert_eq!(desk.till.state().reviews.len(), 1);
    desk.terminal(2, TerminalSaid::Declined(DeclineReason::NoCard));
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert!(desk.till.state().reviews.is_empty());
}

#[test]
fn cash_is_rounded_changed_and_the_drawer_waits() {
    // Proves staff must take cash, rounding touches only cash, change is right, the drawer opens last.
    let mut desk = Desk::new();
    let twin = shop::items().remove(6);
    desk.does(Event::Touched)
        .does(Event::Chosen(Box::new(twin)))
        .does(Event::Pay);
    desk.does(Event::ChooseTender(TenderKind::Cash));
    assert!(matches!(desk.screen(), Screen::Cash { amount, exact, .. }
        if amount.minor == 12_500 && exact.minor == 12_345));
    desk.does(Event::Staff(StaffEvent::CashTaken {
        received_minor: 20_000,
    }));
    assert_eq!(desk.notice(), Notice::StaffOnly);
    desk.disk = Disk::Held;
    desk.staff(StaffEvent::CashTaken {
        received_minor: 20_000,
    });
    assert!(!desk.did(|effect| matches!(effect, Effect::OpenDrawer { .. })));
    let mut desk = Desk::with(shop::config(1));
    let twin = shop::items().remove(6);
    desk.does(Event::Touched)
        .does(Event::Chosen(Box::new(twin)))
        .does(Event::Pay);
    desk.does(Event::ChooseTender(TenderKind::Cash));
    desk.staff(StaffEvent::CashTaken {
        received_minor: 20_000,
    });
    let sale = desk.sale();
    assert_eq!(
        (sale.rounding_minor, sale.change_minor, sale.paid().minor),
        (155, 7_500, 12_500)
    );
    assert!(desk.did(|effect| matches!(effect, Effect::OpenDrawer { .. })));
}

#[test]
fn the_drawer_opens_for_staff_alone_and_only_after_its_fact_is_on_disk() {
    // Proves: nobody else opens it, the pulse waits for the disk, and each opening says why.
    let opened = |desk: &Desk| desk.did(|effect| matches!(effect, Effect::OpenDrawer { .. }));
    let mut desk = Desk::new();
    desk.does(Event::Staff(StaffEvent::OpenDrawer));
    assert_eq!(desk.notice(), Notice::StaffOnly);
    assert!(!opened(&desk));
    desk.disk = Disk::Held;
    desk.does(Event::Staff(StaffEvent::SignedIn {
        staff: StaffId("S7".to_owned()),
    }));
    desk.does(Event::Staff(StaffEvent::OpenDrawer));
    assert!(!opened(&desk), "the fact is not on disk");

    let mut desk = Desk::new();
    desk.staff(StaffEvent::OpenDrawer);
    assert!(opened(&desk));
    let reasons = |desk: &Desk| -> Vec<DrawerReason> {
        let told = desk.facts.iter().filter_map(|fact| match fact.what {
            What::DrawerOpened { reason, .. } => Some(reason),
            _ => None,
        });
        told.collect()
    };
    assert_eq!(reasons(&desk), [DrawerReason::NoSale]);
    let twin = shop::items().remove(6);
    desk.does(Event::Touched)
        .does(Event::Chosen(Box::new(twin)))
        .does(Event::Pay)
        .does(Event::ChooseTender(TenderKind::Cash));
    desk.staff(StaffEvent::CashTaken {
        received_minor: 20_000,
    });
    assert_eq!(reasons(&desk), [DrawerReason::NoSale, DrawerReason::Cash]);
}

#[test]
fn one_sale_takes_many_tenders() {
    // Proves part by card and the rest in cash makes one sale whose tenders add up.
    let mut desk = Desk::coffee_at_pay();
    desk.does(Event::SetPart(Some(10_000)))
        .does(Event::ChooseTender(TenderKind::Card));
    desk.terminal(
        1,
        TerminalSaid::Prepared {
            baseline: "7".into(),
        },
    );
    desk.terminal(1, TerminalSaid::Approved(approval()))
        .terminal(1, TerminalSaid::Completed);
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 15_000));
    desk.does(Event::ChooseTender(TenderKind::Cash));
    desk.staff(StaffEvent::CashTaken {
        received_minor: 5_000,
    });
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 10_000));
    desk.does(Event::ChooseTender(TenderKind::Cash));
    desk.staff(StaffEvent::CashTaken {
        received_minor: 10_000,
    });
    let amounts: Vec<i64> = desk
        .sale()
        .tenders
        .iter()
        .map(|tender| tender.amount_minor)
        .collect();
    assert_eq!(amounts, [10_000, 5_000, 10_000]);
}

#[test]
fn a_part_paid_basket_left_behind_keeps_its_money() {
    // Proves money on an abandoned basket is a review until the basket is fetched and paid.
    let mut desk = Desk::qr_showing();
    desk.credit(1, "FT1", 10_000).does(Event::Abandon);
    assert_eq!(desk.till.state().reviews[0].kind, ReviewKind::PartPaid);
    let code = desk.till.state().parked[0].code.clone();
    desk.does(Event::Staff(StaffEvent::SignedIn {
        staff: StaffId("S1".into()),
    }));
    desk.does(Event::Staff(StaffEvent::DiscardParked(code.clone())));
    assert_eq!(desk.notice(), Notice::MoneyTaken);
    desk.does(Event::Staff(StaffEvent::SignedOut))
        .does(Event::Done);
    desk.wait(1_000_000).does(Event::Resume(code));
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 15_000));
    assert!(desk.till.state().reviews.is_empty());
}

#[test]
fn a_left_offer_is_watched_for_a_day() {
    // Proves a transfer after the visit is known as late within 24 hours, and as an orphan after.
    let mut desk = Desk::qr_showing();
    desk.does(Event::CancelTender).bank(1, BankSaid::Cancelled);
    desk.does(Event::Abandon).restart();
    assert!(matches!(desk.screen(), Screen::Attract { .. }));
    assert!(desk.did(|effect| matches!(effect, Effect::WatchBank { .. })));
    desk.credit(1, "FT1", 10_000);
    let review = desk.till.state().reviews[0].clone();
    assert_eq!(review.kind, ReviewKind::LateCredit);
    assert!(review.visit.is_some());
    desk.wall_ms += 86_400_000;
    desk.wait(3_601_000);
    assert!(desk.did(|effect| matches!(effect, Effect::StopWatching { .. })));
    let code = desk.till.state().parked[0].code.clone();
    desk.staff(StaffEvent::DiscardParked(code));
    desk.credit(1, "FT2", 15_000);
    assert_eq!(desk.till.state().reviews[1].kind, ReviewKind::OrphanCredit);
}

#[test]
fn a_transfer_does_not_end_a_card_payment_in_doubt() {
    // Proves money for a left offer does not close a card attempt nobody knows the end of.
    let mut desk = Desk::qr_showing();
    desk.does(Event::CancelTender)
        .bank(1, BankSaid::CancelUnknown);
    desk.does(Event::ChooseTender(TenderKind::Card)).checked(1);
    desk.terminal(
        2,
        TerminalSaid::Prepared {
            baseline: "7".into(),
        },
    );
    desk.terminal(2, TerminalSaid::Lost)
        .credit(1, "FT1", 25_000);
    assert!(matches!(desk.screen(), Screen::Unknown { .. }));
    desk.terminal(2, TerminalSaid::Recovered(Recovery::Paid(approval())));
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    assert_eq!(desk.sale().tenders[0].kind, TenderKind::Card);
    assert_eq!(desk.till.state().reviews[0].amount_minor, 25_000);
}
