//! Filling the basket, waiting, leaving it for later.

use checkout::till::*;
use checkout::{Quantity, TypedFault};

use crate::desk::*;
use crate::shop;

#[test]
fn a_scan_starts_a_visit_and_fills_the_basket() {
    // Proves scanning works from the attract screen and on the shop screen, merging pieces.
    let mut desk = Desk::new();
    assert!(matches!(desk.screen(), Screen::Attract { parked: 0 }));
    desk.scan(COFFEE).scan(COFFEE).scan(MILK);
    assert!(matches!(desk.screen(), Screen::Shop));
    let basket = desk.view().basket;
    assert_eq!(basket.lines.len(), 2);
    assert_eq!(basket.total.minor, 86_500);
    assert_eq!(
        desk.recorded(|what| matches!(what, What::VisitStarted { .. })),
        1
    );
    assert_eq!(
        desk.recorded(|what| matches!(
            what,
            What::ItemAdded {
                by: AddedBy::Scan,
                ..
            }
        )),
        3
    );
}

#[test]
fn every_bad_scan_has_its_own_answer() {
    // Proves wrong check digits, unknown codes, expired labels and scans elsewhere are told apart.
    let mut desk = Desk::new();
    desk.scan("6291041500214");
    assert!(matches!(desk.notice(), Notice::Scan(ScanRefusal::Code(_))));
    desk.scan("NOSUCH");
    assert_eq!(desk.notice(), Notice::Scan(ScanRefusal::UnknownItem));
    desk.scan("(01)06291041500213(17)250101");
    assert!(matches!(desk.notice(), Notice::Expired { .. }));
    desk.scan(COFFEE).does(Event::Pay).scan(MILK);
    assert_eq!(desk.notice(), Notice::Scan(ScanRefusal::NotHere));
    assert_eq!(desk.view().basket.lines.len(), 1);
    assert_eq!(
        desk.recorded(|what| matches!(what, What::ScanRefused { .. })),
        4
    );
}

#[test]
fn ambiguous_and_weighed_items_ask() {
    // Proves several items for one code are offered, and a weighed item waits for its weight.
    let mut desk = Desk::new();
    desk.scan("TWIN");
    let Screen::Choose { items } = desk.screen() else {
        panic!("{:?}", desk.screen())
    };
    desk.does(Event::Chosen(Box::new(items[1].clone())));
    assert_eq!(desk.view().basket.total.minor, 12_345);
    let banana = shop::items().remove(3);
    desk.does(Event::Weighed {
        quantity: Quantity::grams(500),
    });
    desk.does(Event::Chosen(Box::new(banana)));
    assert!(matches!(desk.screen(), Screen::Weigh { .. }));
    desk.does(Event::Weighed {
        quantity: Quantity::grams(846),
    });
    assert_eq!(desk.view().basket.total.minor, 12_345 + 23_688);
    let label = shop::codes().remove(3);
    desk.scan(&label);
    assert_eq!(desk.view().basket.total.minor, 12_345 + 2 * 23_688);
}

#[test]
fn idle_warns_can_be_extended_and_parks() {
    // Proves any input counts, the countdown can be extended, and the basket is parked, never wiped.
    let mut desk = Desk::new();
    desk.scan(COFFEE).wait(89_000);
    desk.does(Event::Weighed {
        quantity: Quantity::grams(1),
    })
    .wait(89_000);
    assert!(matches!(desk.screen(), Screen::Shop));
    desk.wait(2_000);
    assert!(matches!(desk.screen(), Screen::Idle));
    assert_eq!(desk.view().deadline.unwrap().span_ms, 20_000);
    desk.does(Event::ExtendIdle);
    assert!(matches!(desk.screen(), Screen::Shop));
    desk.wait(110_500);
    let Screen::Parked { code, .. } = desk.screen() else {
        panic!("{:?}", desk.screen())
    };
    assert_eq!(code.len(), 4);
    desk.wait(20_500);
    assert!(matches!(desk.screen(), Screen::Attract { parked: 1 }));
    desk.restart().does(Event::Resume(code.to_lowercase()));
    assert_eq!(desk.view().basket.total.minor, 25_000);
    assert!(matches!(desk.screen(), Screen::Shop));
}

#[test]
fn parked_baskets_expire_for_shoppers_but_not_for_staff() {
    // Proves the code works for 15 minutes, guessing is locked, and staff can still fetch it.
    let mut desk = Desk::new();
    desk.scan(COFFEE).does(Event::Park);
    let Screen::Parked { code, .. } = desk.screen() else {
        panic!("{:?}", desk.screen())
    };
    desk.does(Event::Done).wait(901_000);
    desk.does(Event::Resume(code.clone()));
    assert_eq!(desk.notice(), Notice::ParkedNotFound);
    for _ in 0..5 {
        desk.does(Event::Resume("XXXX".into()));
    }
    assert_eq!(desk.notice(), Notice::TooManyCodes);
    desk.staff(StaffEvent::ResumeParked(code))
        .does(Event::Staff(StaffEvent::SignedOut));
    assert_eq!(desk.view().basket.total.minor, 25_000);
}

#[test]
fn age_is_confirmed_by_a_person() {
    // Proves restricted items hold the payment, and refusal takes only them out.
    let mut desk = Desk::new();
    desk.scan(COFFEE).scan(BEER).does(Event::Pay);
    assert!(matches!(desk.screen(), Screen::AgeCheck { min_age: 18 }));
    assert!(desk.did(|effect| matches!(effect, Effect::HelpLamp(true))));
    desk.does(Event::Staff(StaffEvent::AgeApproved));
    assert!(matches!(desk.screen(), Screen::AgeCheck { .. }));
    desk.staff(StaffEvent::AgeRefused);
    assert!(matches!(desk.screen(), Screen::Shop));
    assert_eq!(desk.view().basket.lines.len(), 1);
    desk.scan(BEER)
        .does(Event::Pay)
        .staff(StaffEvent::AgeApproved);
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 45_300));
}

#[test]
fn help_is_counted_and_answered() {
    // Proves help lights the lamp, is answered by signing in, and returns to the same place.
    let mut desk = Desk::new();
    desk.scan(COFFEE).does(Event::CallHelp);
    assert!(matches!(desk.screen(), Screen::Help { .. }));
    desk.wait(7_000).staff(StaffEvent::HelpDone);
    assert!(matches!(desk.screen(), Screen::Shop));
    assert_eq!(
        desk.recorded(|what| matches!(what, What::HelpAnswered { wait_ms: 7_000, .. })),
        1
    );
    assert_eq!(
        desk.recorded(|what| matches!(what, What::HelpEnded { answered: true, .. })),
        1
    );
}

#[test]
fn coupons_count_until_money_is_taken() {
    // Proves a coupon scanned on the pay screen lowers the total, and not any more once money came.
    let mut desk = Desk::coffee_at_pay();
    desk.scan("giam10");
    assert!(matches!(desk.screen(), Screen::Pay(pay) if pay.due.minor == 22_500));
    desk.does(Event::ChooseTender(TenderKind::Qr))
        .offered(1)
        .credit(1, "FT1", 2_500);
    desk.does(Event::RemoveCoupon("GIAM10".into()));
    assert_eq!(desk.notice(), Notice::MoneyTaken);
    assert_eq!(desk.view().basket.total.minor, 22_500);
}

#[test]
fn the_shopper_can_change_language_at_any_time() {
    // Proves the language follows the shopper and returns to the shop's own afterwards.
    let mut desk = Desk::new();
    desk.does(Event::SetLanguage(Lang::new("en")));
    assert_eq!(desk.view().lang, Lang::new("en"));
    desk.does(Event::Touched);
    assert_eq!(desk.view().lang, Lang::new("en"));
    desk.does(Event::SetLanguage(Lang::new("xx")))
        .does(Event::SetLanguage(Lang::new("vi")));
    assert_eq!(desk.view().lang, Lang::new("vi"));
    desk.wait(115_000)
        .does(Event::SetLanguage(Lang::new("en")))
        .wait(90_000);
    assert_eq!(desk.view().lang, Lang::new("vi"));
}

#[test]
fn configuration_changes_only_on_the_attract_screen() {
    // Proves a price change never disturbs a basket.
    let mut desk = Desk::new();
    let config = shop::config(2);
    assert!(desk.till.reconfigure(config.clone()));
    desk.scan(COFFEE);
    assert!(!desk.till.reconfigure(config));
}

#[test]
fn a_faulty_configuration_is_named() {
    // Proves each part of the configuration is checked and the usual one is sound.
    let sound = shop::config(1);
    assert_eq!(sound.check(), []);
    let mut faulty = sound;
    faulty.order_code_prefix = "OU".into();
    faulty.business_day_starts_min = 1_440;
    faulty.languages.clear();
    faulty.tenders.clear();
    faulty.limits.idle_ms = 0;
    faulty.barcode.templates[0].multiplier = 0;
    assert_eq!(faulty.check().len(), 6);
}

#[test]
fn whoever_fetches_a_basket_is_looked_at_again() {
    // Proves an age confirmed for one shopper does not count for the next.
    let mut desk = Desk::new();
    desk.scan(BEER)
        .does(Event::Pay)
        .staff(StaffEvent::AgeApproved);
    assert!(matches!(desk.screen(), Screen::Pay(_)));
    desk.does(Event::Park);
    let code = desk.till.state().parked[0].code.clone();
    desk.does(Event::Done)
        .does(Event::Resume(code))
        .does(Event::Pay);
    assert!(matches!(desk.screen(), Screen::AgeCheck { min_age: 18 }));
}

/// A desk where the shopper touched bananas, 28.000 đ a kilogram.
fn bananas_wait() -> Desk {
    let mut desk = Desk::new();
    desk.scan(COFFEE);
    desk.does(Event::Chosen(Box::new(shop::items().remove(3))));
    assert!(matches!(desk.screen(), Screen::Weigh { .. }));
    desk
}

fn grams(grams: u32) -> StaffEvent {
    StaffEvent::Weighed {
        quantity: Quantity::grams(grams),
    }
}

#[test]
fn staff_type_the_weight_and_the_record_says_so() {
    // Proves a typed weight needs a person, calls one, is priced to the đồng and recorded as typed.
    let mut desk = bananas_wait();
    assert!(desk.did(|effect| matches!(effect, Effect::HelpLamp(true))));
    desk.does(Event::Staff(grams(350)));
    assert_eq!(desk.notice(), Notice::StaffOnly);
    desk.wait(9_000).staff(grams(350));
    assert!(matches!(desk.screen(), Screen::Shop), "staff are out again");
    assert_eq!(desk.view().staff, None);
    assert_eq!(desk.view().basket.total.minor, 25_000 + 9_800);
    assert!(desk.did(|effect| matches!(effect, Effect::HelpLamp(false))));
    let typed = |what: &What| match what {
        What::ItemAdded {
            quantity, typed_by, ..
        } => *quantity == Quantity::grams(350) && *typed_by == Some(StaffId("S1".into())),
        _ => false,
    };
    assert_eq!(desk.recorded(typed), 1);
    assert_eq!(
        desk.recorded(|what| matches!(what, What::WeightAnswered { wait_ms: 9_000, .. })),
        1
    );
}

#[test]
fn a_weight_that_cannot_be_is_refused_and_asked_for_again() {
    // Proves zero, a lost decimal sign and too many decimals change nothing, and that staff stay signed in.
    let mut desk = bananas_wait();
    let max = Quantity::pieces(30);
    for (typed, fault) in [
        (0, TypedFault::NotPositive),
        (350_000, TypedFault::TooMuch { max }),
        (30_001, TypedFault::TooMuch { max }),
    ] {
        desk.staff(grams(typed));
        assert_eq!(desk.notice(), Notice::WeightWrong(fault), "{typed}");
        assert!(matches!(desk.screen(), Screen::Staff(_)));
        assert_eq!(desk.view().basket.total.minor, 25_000);
    }
    desk.does(Event::Staff(grams(30_000)));
    assert_eq!(desk.view().basket.total.minor, 25_000 + 840_000);
    let coarse = checkout::Unit::Weight {
        label: "g".into(),
        decimals: 0,
    };
    assert_eq!(
        coarse.check_typed(Quantity::milli(1_500)),
        Err(TypedFault::TooFine)
    );
    assert_eq!(coarse.check_typed(Quantity::pieces(350)), Ok(()));
}

#[test]
fn an_item_that_waits_for_its_weight_survives_a_restart_and_leaves_no_trace_when_left() {
    // Proves the question comes back after a power cut, and that leaving it is on disk too.
    let mut desk = bananas_wait();
    desk.restart();
    let Screen::Weigh { item } = desk.screen() else {
        panic!("{:?}", desk.screen())
    };
    assert_eq!(item.code, "12345");
    desk.staff(grams(846));
    assert_eq!(desk.view().basket.total.minor, 25_000 + 23_688);
    desk.restart();
    assert!(matches!(desk.screen(), Screen::Shop));
    assert_eq!(desk.view().basket.lines.len(), 2);

    let leave = [
        vec![Event::Back],
        vec![
            Event::Staff(StaffEvent::SignedIn {
                staff: StaffId("S1".into()),
            }),
            Event::Staff(StaffEvent::WeightRefused),
        ],
    ];
    for events in leave {
        let mut desk = bananas_wait();
        for event in events {
            desk.does(event);
        }
        for _ in 0..2 {
            assert!(matches!(desk.screen(), Screen::Shop));
            assert_eq!(desk.view().basket.lines.len(), 1);
            desk.restart();
        }
    }
}

#[test]
fn whoever_types_stays_signed_in_and_whoever_leaves_does_not() {
    // Proves that touches on a pad keep staff signed in, and that a minute without one signs them out.
    let mut desk = bananas_wait();
    desk.does(Event::Staff(StaffEvent::SignedIn {
        staff: StaffId("S1".into()),
    }));
    for _ in 0..6 {
        desk.wait(45_000).does(Event::Touched);
        assert!(desk.view().staff.is_some());
    }
    desk.wait(61_000);
    assert_eq!(desk.view().staff, None);
    assert!(matches!(desk.screen(), Screen::Weigh { .. }));
}

#[test]
fn a_weight_nobody_comes_for_parks_the_basket_without_it() {
    // Proves waiting for staff has a limit, and that whoever fetches the basket finds no half-weighed item.
    let mut desk = bananas_wait();
    desk.wait(500_000);
    assert!(matches!(desk.screen(), Screen::Attract { parked: 1 }));
    let code = desk.till.state().parked[0].code.clone();
    desk.does(Event::Resume(code));
    assert!(matches!(desk.screen(), Screen::Shop));
    assert_eq!(desk.view().basket.total.minor, 25_000);
}
