//! The payment relay over real HTTP: kiosks on one side, a simulated bank on the other.
#![allow(clippy::unwrap_used)]

#[path = "support/bank_face.rs"]
mod bank_face;
#[path = "support/place.rs"]
mod place;
#[path = "storm/shop.rs"]
mod shop;
mod support;

use bank_face::{Said, nonce};
use payqr::provider::{
    Provider,
    bank::{Faults, Payment},
};
use place::{code, place, sepay_qr};
use serde_json::Value;
use std::sync::atomic::Ordering;
use support::{Kiosk, http};
use touchpoint::relay::{
    BankHealth, Call, CallProof, CreditState, OrderOffer, OrderState, RefusalKind,
};

#[test]
fn a_notice_wakes_the_kiosk_that_waits() {
    // Proves, with a clock that stands still so that nothing is asked: the offer brings the provider's code, and a
    // signed notice alone brings "paid" to a question that is held open.
    let place = place();
    let kiosk = Kiosk::enrol(&place.office, "Q1", 1);
    let order = code("HS", 1);
    let (status, made) = place.offer(&kiosk, &order, 200_000);
    let made = made.unwrap();
    assert_eq!((status, made.state), (201, OrderState::Waiting));
    let qr = made.qr.unwrap();
    assert!(qr.contains(&order) && made.payee.unwrap().bank_bin == "970436");
    assert_eq!(
        place.offer(&kiosk, &order, 200_000).0,
        200,
        "the same offer is one"
    );

    place.face.pay(&qr, 200_000);
    let paid = std::thread::scope(|scope| {
        let asking =
            scope.spawn(|| place.until(&kiosk, &order, |answer| answer.state == OrderState::Paid));
        assert_eq!(place.face.send_due(&place.office.url()), [200]);
        asking.join().unwrap()
    });
    assert_eq!(paid.received_minor, 200_000);
    assert_eq!(paid.credits.len(), 1);
    assert_eq!(paid.credits[0].state, CreditState::Paid);
}

#[test]
fn without_any_notice_asking_finds_the_money() {
    // Proves that both providers' money is found by asking alone, and that an answer says when the bank was asked.
    let place = place();
    let (first, second) = (
        Kiosk::enrol(&place.office, "Q1", 1),
        Kiosk::enrol(&place.office, "Thủ Đức", 2),
    );
    let (by_payos, by_sepay) = (code("HS", 2), code("TD", 2));
    let qr = place
        .offer(&first, &by_payos, 50_000)
        .1
        .unwrap()
        .qr
        .unwrap();
    let offered = place.offer(&second, &by_sepay, 60_000).1.unwrap();
    assert_eq!((offered.state, offered.qr), (OrderState::Waiting, None));
    place.face.pay(&qr, 50_000);
    place.face.pay(&sepay_qr(&by_sepay, 60_000), 60_000);
    place.wait_s(2);
    for (kiosk, order) in [(&first, &by_payos), (&second, &by_sepay)] {
        let paid = place.until(kiosk, order, |answer| answer.state == OrderState::Paid);
        assert_eq!(paid.bank.health, BankHealth::Ok);
        assert!(paid.bank.asked_ago_ms.unwrap() <= 2_000);
    }
}

#[test]
fn only_what_a_provider_signed_is_believed() {
    // Proves that an altered, an unsigned and a stale notice are refused with 401 and change nothing, that an unknown
    // account is 404 and a huge body 413, and that eight true copies are one credit.
    let place = place();
    let office = place.office.url();
    let kiosk = Kiosk::enrol(&place.office, "Thủ Đức", 2);
    let order = code("TD", 3);
    place.offer(&kiosk, &order, 70_000).1.unwrap();
    place.face.pay(&sepay_qr(&order, 70_000), 70_000);
    let push = place.face.due().remove(0);

    let mut altered = push.clone();
    let text = String::from_utf8(altered.body).unwrap();
    altered.body = text.replace("70000", "90000").into_bytes();
    assert_eq!(place.face.send(&office, &altered), 401);
    let mut unsigned = push.clone();
    unsigned
        .headers
        .retain(|(name, _)| !name.contains("Signature"));
    assert_eq!(place.face.send(&office, &unsigned), 401);
    place.clock.fetch_add(301_000, Ordering::SeqCst);
    assert_eq!(place.face.send(&office, &push), 401, "replayed after 301 s");
    place.clock.fetch_sub(301_000, Ordering::SeqCst);
    let mut elsewhere = push.clone();
    elsewhere.url = elsewhere.url.replace("second", "nobody");
    assert_eq!(place.face.send(&office, &elsewhere), 404);
    let mut huge = push.clone();
    huge.body = vec![b' '; 70_000];
    assert_eq!(place.face.send(&office, &huge), 413);

    for _ in 0..8 {
        assert_eq!(place.face.send(&office, &push), 200);
    }
    let paid = place.until(&kiosk, &order, |answer| answer.state == OrderState::Paid);
    assert_eq!(paid.received_minor, 70_000);
    let account = place
        .office
        .relay()
        .account_named("sepay", "second")
        .unwrap();
    assert!(account.counts.forged.load(Ordering::Relaxed) >= 3);
    assert_eq!(place.office.store().credits(10).unwrap().credits.len(), 1);
}

#[test]
fn two_hundred_dong_do_not_pay_two_hundred_thousand() {
    // Proves that 200 đồng against 200,000 is "under" with 199,800 left, and that the rest completes it.
    let place = place();
    let kiosk = Kiosk::enrol(&place.office, "Thủ Đức", 2);
    let order = code("TD", 4);
    place.offer(&kiosk, &order, 200_000).1.unwrap();
    place.face.pay(&sepay_qr(&order, 200), 200);
    place.face.send_due(&place.office.url());
    let under = place.until(&kiosk, &order, |answer| !answer.credits.is_empty());
    assert_eq!(
        (under.state, under.received_minor, under.remaining_minor),
        (OrderState::Under, 200, 199_800)
    );
    place.face.pay(&sepay_qr(&order, 199_800), 199_800);
    place.face.send_due(&place.office.url());
    let paid = place.until(&kiosk, &order, |answer| answer.credits.len() == 2);
    assert_eq!((paid.state, paid.over_minor), (OrderState::Paid, 0));
}

#[test]
fn a_paid_order_is_not_withdrawn_and_money_after_a_withdrawal_is_late() {
    // Proves that a withdrawal that loses the race says "paid", and that what comes after one is named late.
    let place = place();
    let kiosk = Kiosk::enrol(&place.office, "Q1", 1);
    let (paid, left) = (code("HS", 5), code("HS", 6));
    let qr = place.offer(&kiosk, &paid, 30_000).1.unwrap().qr.unwrap();
    place.face.pay(&qr, 30_000);
    place.face.send_due(&place.office.url());
    place.wait_s(1);
    let answer = place.withdraw(&kiosk, &paid);
    assert_eq!((answer.state, answer.withdrawn), (OrderState::Paid, false));

    place.wait_s(1);
    let qr = place.offer(&kiosk, &left, 40_000).1.unwrap().qr.unwrap();
    place.wait_s(1);
    let answer = place.withdraw(&kiosk, &left);
    assert_eq!(
        (answer.state, answer.withdrawn),
        (OrderState::Cancelled, true)
    );
    place.face.pay(&qr, 40_000);
    place.face.send_due(&place.office.url());
    let late = place.until(&kiosk, &left, |answer| !answer.credits.is_empty());
    assert_eq!(late.state, OrderState::Late);
    assert_eq!(late.credits[0].state, CreditState::Late);
}

#[test]
fn a_kiosk_sees_only_its_own_orders_and_only_while_it_is_trusted() {
    // Proves that unsigned, foreign, replayed, stale and revoked requests are refused each by its word, and that a
    // stale clock is put right by the refusal itself.
    let place = place();
    let (mine, other) = (
        Kiosk::enrol(&place.office, "Q1", 1),
        Kiosk::enrol(&place.office, "Q1", 3),
    );
    let order = code("HS", 7);
    place.offer(&mine, &order, 10_000).1.unwrap();
    let target = format!("/v1/orders/{order}");
    let error = |said: Said| said.1.unwrap_err().error;

    let unsigned = http()
        .get(format!("{}{target}", place.office.url()))
        .send()
        .unwrap();
    assert_eq!(unsigned.status(), 401);
    assert_eq!(
        error(place.ask(&other, "GET", &target)),
        RefusalKind::UnknownOrder
    );
    assert_eq!(
        error(place.ask(&other, "DELETE", &target)),
        RefusalKind::UnknownOrder
    );
    assert_eq!(
        error(place.offer(&other, &order, 10_000)),
        RefusalKind::OrderTaken
    );
    assert_eq!(
        error(place.offer(&mine, &order, 10_001)),
        RefusalKind::OrderTaken
    );
    assert_eq!(
        error(place.offer(&mine, &code("HS", 8), 0)),
        RefusalKind::Amount
    );
    assert_eq!(
        error(place.offer(&mine, "HS7K2M9QA", 5_000)),
        RefusalKind::Malformed
    );

    let call = Call {
        method: "GET",
        target: &target,
        body: b"",
    };
    let proof = CallProof::new(mine.device.clone(), call, place.now_ms(), nonce());
    let signed = proof.sign(&mine.key).unwrap();
    assert_eq!(mine.send_signed(call, &signed).0, 200);
    let (status, again) = mine.send_signed(call, &signed);
    assert!(status == 401 && again.contains("replayed"), "{again}");
    let elsewhere = Call {
        target: "/v1/orders/HS0000000",
        ..call
    };
    assert_eq!(mine.send_signed(elsewhere, &signed).0, 401);

    let wrong_ms = place.now_ms() + 3_600_000;
    let stale = mine
        .order_call(&place.key, wrong_ms, "GET", &target, b"")
        .1
        .unwrap_err();
    assert_eq!(stale.error, RefusalKind::Stale);
    let right = mine.order_call(&place.key, stale.now_ms, "GET", &target, b"");
    assert_eq!(right.0, 200);

    place.office.store().revoke(&mine.device).unwrap();
    assert_eq!(
        error(place.ask(&mine, "GET", &target)),
        RefusalKind::Revoked
    );
}

#[test]
fn a_bank_that_fails_is_said_and_nothing_is_refused_for_it() {
    // Proves that with a failing provider an offer is kept and "creating", that "unreachable" is said, and that the
    // code comes and the money is found when the provider is back.
    let place = place();
    let kiosk = Kiosk::enrol(&place.office, "Q1", 1);
    let order = code("HS", 9);
    let set = |faults: &str| {
        let faults = Faults::read(faults).unwrap();
        place.face.bank.lock().unwrap().set_faults(faults);
    };
    set("http 503");
    let offer = OrderOffer {
        amount_minor: 90_000,
        attempt: "9".into(),
        currency: "VND".into(),
        open_for_ms: None,
        order: order.clone(),
    };
    let body = serde_json::to_vec(&offer).unwrap();
    let said = kiosk.order_call(&place.key, place.now_ms(), "POST", "/v1/orders", &body);
    assert_eq!(said.1.unwrap().state, OrderState::Creating);
    let target = format!("/v1/orders/{order}");
    let answer = loop {
        place.wait_s(5);
        let answer = place.ask(&kiosk, "GET", &target).1.unwrap();
        if answer.bank.health == BankHealth::Unreachable {
            break answer;
        }
    };
    assert_eq!(answer.state, OrderState::Creating);
    set("");
    let made = loop {
        place.wait_s(5);
        let answer = place.ask(&kiosk, "GET", &target).1.unwrap();
        if answer.qr.is_some() {
            break answer;
        }
    };
    place.face.pay(&made.qr.unwrap(), 90_000);
    place.wait_s(5);
    place.until(&kiosk, &order, |answer| answer.state == OrderState::Paid);
}

#[test]
fn people_see_every_odd_transfer_under_its_name() {
    // Proves that the list shows unmatched transfers first with their names in both languages, escapes what a payer
    // wrote, asks for a key, and that a decision takes a transfer off it.
    let place = place();
    let kiosk = Kiosk::enrol(&place.office, "Thủ Đức", 2);
    let (url, store) = (place.office.url(), place.office.store());
    let order = code("TD", 10);
    place.offer(&kiosk, &order, 200_000).1.unwrap();
    for (memo, amount_minor) in [
        (order.as_str(), 200),
        (&order[..6], 31_000),
        ("<b>cam on</b>", 32_000),
        (&code("TD", 999), 33_000),
    ] {
        place.face.transfer(Payment {
            provider: Provider::SePay,
            order: None,
            amount_minor,
            memo: memo.into(),
        });
    }
    assert_eq!(place.face.send_due(&url), [200; 4]);
    let list = |key: Option<&str>| {
        let request = http().get(format!("{url}/v1/credits"));
        let request = match key {
            Some(key) => request.basic_auth("x", Some(key)),
            None => request,
        };
        request.send().unwrap()
    };
    let body: Value = list(None).json().unwrap();
    assert_eq!(body["open"], 4);
    let states: Vec<&str> = body["credits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|credit| credit["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["unknown_order", "no_code", "cut_off", "under"]);

    let page = |query: &str| {
        let request = http().get(format!("{url}{query}"));
        request.send().unwrap().text().unwrap()
    };
    let (vi, en) = (page("/credits?lang=vi"), page("/credits?lang=en"));
    assert!(vi.contains("mã đơn bị cắt") && vi.contains("thiếu tiền"));
    assert!(en.contains("order code cut off") && en.contains("too little"));
    assert!(vi.contains("&lt;b&gt;cam on") && !vi.contains("<b>cam on"));
    assert!(page("/?lang=vi").contains("khoản chuyển khoản cần người xem"));

    let reference = body["credits"][1]["reference"].as_str().unwrap();
    let settle = |decision, order| {
        store
            .settle_credit("second", reference, decision, "", "Chị Hoa", order)
            .unwrap()
    };
    assert!(settle("lost", None).is_err());
    assert!(settle("for_sale", Some("TD0000000")).is_err());
    settle("given_back", None).unwrap();
    let after = store.credits(10).unwrap();
    assert_eq!(after.open, 3);
    assert_eq!(
        after.credits.len(),
        4,
        "a decided transfer stays in the list"
    );

    let key = store.viewer_key("Chị Hoa").unwrap();
    assert_eq!(list(None).status(), 401);
    assert_eq!(list(Some(&key)).status(), 200);
}

#[test]
fn a_banks_list_settles_what_no_provider_told() {
    // Proves that a list from the bank credits its orders once, also when it is read in twice and the provider tells
    // the same later, and that a file with one bad line is not read in at all.
    let place = place();
    let kiosk = Kiosk::enrol(&place.office, "Thủ Đức", 2);
    let order = code("TD", 11);
    place.offer(&kiosk, &order, 45_000).1.unwrap();
    place.face.pay(&sepay_qr(&order, 45_000), 45_000);
    let reference = place.face.bank.lock().unwrap().ledger()[0]
        .reference
        .clone();
    let store = place.office.store();
    let bad = format!("reference,amount,memo,time\n{reference},45000,{order},\nX,4.5,y,\n");
    let error = store.import_credits("second", bad.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("line 3"), "{error}");
    assert_eq!(store.credits(10).unwrap().credits.len(), 0);

    let good = format!(
        "\u{feff}Time,Memo,Amount,Reference\n2026-11-22 09:00:00,MBVCB {order} CT,45000,{reference}\n"
    );
    let first = store.import_credits("second", good.as_bytes()).unwrap();
    let second = store.import_credits("second", good.as_bytes()).unwrap();
    assert_eq!((first.matched, second.known), (1, 1));
    place.face.send_due(&place.office.url());
    let paid = place.until(&kiosk, &order, |answer| !answer.credits.is_empty());
    assert_eq!(
        (paid.state, paid.received_minor),
        (OrderState::Paid, 45_000)
    );
}
