//! What staff do with transfers: confirm by their own eyes, give vouchers, bring baskets back.

use checkout::till::*;

use crate::desk::*;
use crate::shop;

fn seen(reference: &str) -> StaffEvent {
    StaffEvent::TransferSeen {
        reference: reference.into(),
    }
}

fn by_staff() -> Desk {
    let mut config = shop::config(1);
    config.qr_confirm = QrConfirm::Staff;
    let mut desk = Desk::with(config);
    desk.scan(COFFEE).does(Event::Pay);
    desk.does(Event::ChooseTender(TenderKind::Qr)).offered(1);
    assert!(matches!(desk.screen(), Screen::Qr(qr) if qr.by_staff));
    desk
}

#[test]
fn a_transfer_counts_on_a_persons_word_and_says_so() {
    // Proves that only staff can confirm, with a reference that is new, and that the money is
    // marked as unconfirmed in the sale, the facts and the state until the bank's list was read.
    let mut desk = by_staff();
    desk.does(Event::Staff(seen("FT26332 1")));
    assert_eq!(desk.notice(), Notice::StaffOnly);
    desk.staff(seen(" - "));
    assert_eq!(desk.notice(), Notice::ReferenceWrong);
    desk.staff(seen("ft26332 1"));
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    let sale = desk.sale();
    assert!(sale.tenders[0].unconfirmed);
    assert_eq!(sale.tenders[0].reference.as_deref(), Some("FT263321"));
    assert_eq!(desk.view().staff, None, "signed out again");
    desk.wait(60_000).scan(COFFEE).does(Event::Pay);
    desk.does(Event::ChooseTender(TenderKind::Qr))
        .offered(2)
        .staff(seen("FT263321"));
    assert_eq!(desk.notice(), Notice::ReferenceWrong);
    desk.staff(StaffEvent::SettleUnconfirmed {
        attempt: AttemptId(1),
        arrived: false,
    });
    assert!(desk.till.state().unconfirmed.is_empty());
    let missing = |what: &What| {
        matches!(
            what,
            What::TransferSettled {
                arrived: false,
                amount_minor: 25_000,
                ..
            }
        )
    };
    assert_eq!(desk.recorded(missing), 1);
}

#[test]
fn without_anybody_to_ask_the_shopper_is_told_at_once() {
    // Proves that a kiosk without a bank side does not pretend to ask it, and watches nothing.
    let mut desk = by_staff();
    desk.does(Event::CancelTender)
        .bank(1, BankSaid::CancelUnknown);
    assert!(desk.till.state().watched.is_empty());
    desk.does(Event::ChooseTender(TenderKind::Cash));
    assert!(matches!(desk.screen(), Screen::BankCheck(check)
        if check.silent && check.by_staff && check.order_codes.len() == 1));
    desk.does(Event::GoOn);
    assert!(matches!(desk.screen(), Screen::Cash { .. }));
}

#[test]
fn staff_may_confirm_for_a_bank_that_is_silent_and_its_word_settles_it() {
    // Proves that a working bank cannot be overruled, a silent one can be stood in for, and that
    // its own word later is no second transfer; what it has more goes to a review.
    let mut desk = Desk::qr_showing();
    desk.staff(seen("FT26332"));
    assert_eq!(desk.notice(), Notice::StaffNeeded);
    desk.bank(1, BankSaid::Unreachable).staff(seen("FT26332"));
    assert!(desk.sale().tenders[0].unconfirmed);
    desk.credit(1, "BANK-1", 25_000);
    assert!(desk.till.state().reviews.is_empty() && desk.till.state().unconfirmed.is_empty());
    let told = |what: &What| {
        matches!(
            what,
            What::TransferSettled {
                arrived: true,
                staff: None,
                ..
            }
        )
    };
    assert_eq!(desk.recorded(told), 1);
    desk.credit(1, "BANK-2", 25_000);
    assert_eq!(desk.till.state().reviews[0].kind, ReviewKind::Duplicate);

    let mut desk = Desk::qr_showing();
    desk.bank(1, BankSaid::Slow).staff(seen("FT26333"));
    desk.staff(StaffEvent::SettleUnconfirmed {
        attempt: AttemptId(1),
        arrived: true,
    });
    desk.credit(1, "BANK-3", 32_000);
    let review = &desk.till.state().reviews[0];
    assert_eq!(
        (review.kind, review.amount_minor),
        (ReviewKind::OverPaid, 7_000)
    );
}

/// A late credit of 25,000 for a basket that was put aside.
fn late() -> Desk {
    let mut desk = Desk::qr_showing();
    desk.does(Event::CancelTender)
        .bank(1, BankSaid::Cancelled)
        .does(Event::Abandon);
    assert!(
        matches!(desk.screen(), Screen::Parked { .. }),
        "money may still come"
    );
    desk.does(Event::Done).credit(1, "FT1", 25_000);
    assert_eq!(desk.till.state().reviews[0].kind, ReviewKind::LateCredit);
    desk
}

fn decide(desk: &mut Desk, decision: ReviewDecision) {
    let review = desk.till.state().reviews[0].id;
    desk.staff(StaffEvent::ResolveReview {
        review,
        decision,
        note: "seen".into(),
    });
}

#[test]
fn a_late_payment_reopens_its_sale() {
    // Proves that staff bring the basket back and the money pays for it, exactly once.
    let mut desk = late();
    decide(&mut desk, ReviewDecision::Reopened);
    assert!(
        matches!(desk.screen(), Screen::Paid(_)),
        "{:?}",
        desk.screen()
    );
    assert_eq!(desk.sale().tenders[0].amount_minor, 25_000);
    assert!(desk.till.state().reviews.is_empty() && desk.till.state().parked.is_empty());
    let used = |what: &What| {
        matches!(
            what,
            What::ReviewResolved {
                decision: ReviewDecision::UsedForSale,
                ..
            }
        )
    };
    assert_eq!(desk.recorded(used), 1);
}

#[test]
fn a_basket_that_is_gone_cannot_be_reopened() {
    // Proves that the money stays in review when there is nothing to bring back.
    let mut desk = late();
    let code = desk.till.state().parked[0].code.clone();
    desk.staff(StaffEvent::DiscardParked(code));
    decide(&mut desk, ReviewDecision::Reopened);
    assert_eq!(desk.notice(), Notice::ParkedNotFound);
    assert_eq!(desk.till.state().reviews.len(), 1);
}

fn printed(desk: &Desk) -> Vec<Voucher> {
    let prints = desk.done.iter().filter_map(|effect| match effect {
        Effect::PrintVoucher { voucher, .. } => Some((**voucher).clone()),
        _ => None,
    });
    prints.collect()
}

#[test]
fn a_voucher_is_on_disk_before_it_is_on_paper_and_pays_once() {
    // Proves the paper waits for the disk, the code pays exactly once, also across a restart, and
    // what was not due is a new voucher with a new code.
    let mut desk = late();
    desk.disk = Disk::Held;
    decide(&mut desk, ReviewDecision::Voucher);
    assert!(printed(&desk).is_empty(), "not on disk yet");
    let mut desk = late();
    decide(&mut desk, ReviewDecision::Voucher);
    let voucher = printed(&desk).remove(0);
    assert_eq!(voucher.amount_minor, 25_000);
    assert!(desk.till.state().reviews.is_empty());
    desk.restart();
    let twin = shop::items().remove(6);
    desk.does(Event::Touched)
        .does(Event::Chosen(Box::new(twin)));
    desk.does(Event::EnterCoupon(voucher.code.clone()));
    assert_eq!(desk.notice(), Notice::VoucherAtPay);
    desk.does(Event::Pay);
    let spaced = format!(
        "{} {}",
        &voucher.code[..5].to_lowercase(),
        &voucher.code[5..]
    );
    desk.scan(&spaced);
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    let tender = desk.sale().tenders[0].clone();
    assert_eq!(
        (tender.kind, tender.amount_minor),
        (TenderKind::Voucher, 12_345)
    );
    let rest = printed(&desk).remove(0);
    assert_eq!(rest.amount_minor, 12_655);
    assert_ne!(rest.code, voucher.code);
    assert_eq!(rest.until_wall_ms, voucher.until_wall_ms);
    desk.wait(60_000).scan(COFFEE).does(Event::Pay);
    desk.does(Event::EnterCoupon(voucher.code));
    assert_eq!(desk.notice(), Notice::VoucherUnknown);
    desk.does(Event::EnterCoupon(rest.code));
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 12_345));
}

#[test]
fn a_voucher_nobody_used_is_decided_about_again() {
    // Proves that an expired voucher is neither kept silently nor payable.
    let mut desk = late();
    decide(&mut desk, ReviewDecision::Voucher);
    let code = printed(&desk).remove(0).code;
    desk.wall_ms += 91 * 86_400_000;
    desk.wait(3_601_000);
    let review = &desk.till.state().reviews[0];
    assert_eq!(
        (review.kind, review.amount_minor),
        (ReviewKind::VoucherExpired, 25_000)
    );
    desk.scan(COFFEE)
        .does(Event::Pay)
        .does(Event::EnterCoupon(code));
    assert_eq!(desk.notice(), Notice::VoucherUnknown);
}

#[test]
fn guessing_voucher_codes_locks_the_pad() {
    // Proves that well-formed wrong codes are counted like wrong codes of baskets.
    let mut desk = late();
    decide(&mut desk, ReviewDecision::Voucher);
    let right = printed(&desk).remove(0).code;
    let used = |code: &str| code.to_owned();
    desk.scan(COFFEE)
        .does(Event::Pay)
        .does(Event::EnterCoupon(used(&right)));
    assert!(matches!(desk.screen(), Screen::Paid(_)));
    desk.wait(60_000).scan(COFFEE).does(Event::Pay);
    for _ in 0..5 {
        desk.does(Event::EnterCoupon(used(&right)));
        assert_eq!(desk.notice(), Notice::VoucherUnknown);
    }
    desk.does(Event::EnterCoupon(right));
    assert_eq!(desk.notice(), Notice::TooManyCodes);
}

#[test]
fn another_account_shows_no_code_until_a_person_agrees() {
    // Proves that the first account is noted, and that a changed one stops QR until staff accept it.
    let mut config = shop::config(1);
    config.payee = Some("970436/0123456789".into());
    let mut desk = Desk::with(config.clone());
    assert_eq!(desk.durable.clone().unwrap().payee, config.payee);
    config.payee = Some("970436/6666666666".into());
    desk.till = Till::new(config.clone(), desk.durable.clone(), 3, desk.now());
    desk.does(Event::Tick).scan(COFFEE).does(Event::Pay);
    desk.does(Event::ChooseTender(TenderKind::Qr));
    let why = Availability::PayeeDiffers;
    assert_eq!(
        desk.notice(),
        Notice::TenderUnavailable {
            kind: TenderKind::Qr,
            why
        }
    );
    assert_eq!(desk.recorded(|what| matches!(what, What::PayeeDiffers)), 1);
    desk.staff(StaffEvent::AcceptPayee)
        .does(Event::Staff(StaffEvent::SignedOut));
    assert_eq!(desk.durable.clone().unwrap().payee, config.payee);
    desk.does(Event::ChooseTender(TenderKind::Qr));
    assert!(matches!(desk.screen(), Screen::Qr(_)));
}
