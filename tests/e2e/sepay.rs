//! SePay: the code is the shop's own, the bank enforces nothing, and only the memo says whose money came.

use crate::driver::Counter;
use crate::journeys::{decode, with_a_coffee};
use crate::office::*;
use checkout::till::{ReviewKind, Screen, TenderKind};
use payqr::provider::Provider;

fn with_a_code(shop: &Relayed) -> (Counter, String, String) {
    let counter = with_a_coffee(&shop.shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Quét mã QR");
    let (code, payload) = code_on_the_glass(&counter);
    (counter, code, payload)
}

#[test]
fn our_own_code_is_paid_by_its_memo_however_the_bank_wrote_it() {
    // Proves: the glass shows our static code with account, amount and order code, and each way a bank mangles the memo
    // still finds the sale, through SePay's list and head office alone.
    for fault in [
        "",
        "mangle_memo upper",
        "mangle_memo prefix",
        "mangle_memo strip",
    ] {
        let shop = Relayed::open(Provider::SePay);
        let (counter, code, payload) = with_a_code(&shop);
        assert_eq!(decode(&counter.shot("sepay-code")), payload);
        for part in [account(&shop.shop), code, "540525000".into()] {
            assert!(payload.contains(&part), "{part} is not in {payload}");
        }
        shop.pay_with(fault, &payload, None);
        counter.until_screen("tap");
        assert_eq!(tenders(&counter), [(TenderKind::Qr, 25_000)], "{fault}");
        tap_and_leave(&counter);
        assert!(state(&counter).reviews.is_empty(), "{fault}");
        assert_eq!(
            sold(&until_complete(&counter, &shop.office)),
            (1, 25_000),
            "{fault}"
        );
        counter.power_cut();
    }
}

#[test]
fn too_little_is_said_and_the_rest_is_asked_for_under_a_new_code() {
    // Proves: SePay takes any amount, so the kiosk says what came, asks exactly the rest, and both are one sale.
    let shop = Relayed::open(Provider::SePay);
    let (counter, first, payload) = with_a_code(&shop);
    shop.pay(&payload, Some(10_000));
    counter.until_screen("underpaid");
    counter.shot("sepay-underpaid");
    counter.tap("Quét mã trả phần còn lại");
    let (rest, payload) = code_on_the_glass(&counter);
    assert_ne!(rest, first);
    assert!(payload.contains("540515000"), "{payload}");
    shop.pay(&payload, None);
    counter.until_screen("tap");
    let paid = [(TenderKind::Qr, 10_000), (TenderKind::Qr, 15_000)];
    assert_eq!(tenders(&counter), paid);
    assert!(state(&counter).reviews.is_empty());
    counter.power_cut();
}

#[test]
fn too_much_and_twice_are_given_back_by_a_person() {
    // Proves: an amount above the bill completes the sale and leaves the difference to staff; the same transfer again
    // is a second payment that staff see, and no sale more.
    let shop = Relayed::open(Provider::SePay);
    let (counter, code, payload) = with_a_code(&shop);
    shop.pay(&payload, Some(30_000));
    counter.until_screen("tap");
    counter.shot("sepay-over");
    let reviews = state(&counter).reviews;
    assert_eq!(reviews.len(), 1, "{reviews:?}");
    assert_eq!(
        (reviews[0].kind, reviews[0].amount_minor),
        (ReviewKind::OverPaid, 5_000)
    );
    tap_and_leave(&counter);
    shop.pay(&payload, None);
    counter.until("the second payment", |counter| {
        state(counter).reviews.len() == 2
    });
    let twice = state(&counter).reviews[1].clone();
    assert_eq!(
        (twice.kind, twice.amount_minor, twice.order_code),
        (ReviewKind::Duplicate, 25_000, Some(code))
    );
    assert_eq!(sold(&until_complete(&counter, &shop.office)), (1, 25_000));
    counter.power_cut();
}

#[test]
fn money_without_a_readable_memo_pays_nothing_until_a_person_says_whose_it_is() {
    // Proves: a memo cut to pieces is no payment of this sale, by its amount alone least of all; head office keeps it in
    // front of a person, and that person's word for it makes the sale at the kiosk.
    let shop = Relayed::open(Provider::SePay);
    let (counter, code, payload) = with_a_code(&shop);
    shop.pay_with("mangle_memo truncate 4", &payload, None);
    let credits = || -> serde_json::Value {
        let page = reqwest::blocking::get(format!("{}/v1/credits", shop.office.url()));
        page.unwrap().json().unwrap()
    };
    counter.until("the transfer at head office", |_| credits()["open"] == 1);
    assert!(
        matches!(&counter.app.borrow().model().view.screen, Screen::Qr(_)),
        "{}",
        counter.screen()
    );
    counter.shot("sepay-without-memo");
    let credit = credits()["credits"][0].clone();
    assert_eq!(
        (&credit["amount_minor"], &credit["order"]),
        (&25_000.into(), &serde_json::Value::Null)
    );
    shop.settle(credit["reference"].as_str().unwrap(), &code);
    counter.until_screen("tap");
    assert_eq!(tenders(&counter), [(TenderKind::Qr, 25_000)]);
    assert_eq!(credits()["open"], 0);
    counter.power_cut();
}
