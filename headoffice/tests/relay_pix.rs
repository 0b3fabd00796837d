//! Pix through the payment relay, over real HTTP against the simulated provider.
#![allow(clippy::unwrap_used)]

#[path = "support/bank_face.rs"]
mod bank_face;
#[path = "support/place.rs"]
mod place;
#[path = "storm/shop.rs"]
mod shop;
mod support;

use payqr::provider::{
    Provider,
    bank::{Payment, Request},
    pix,
};
use place::{Place, code, place};
use std::sync::atomic::Ordering;
use support::Kiosk;
use touchpoint::relay::{
    BankHealth, CreditState, OrderAnswer, OrderOffer, OrderState, RefusalKind,
};

/// A place with a kiosk of the store whose account is at the Pix provider.
fn shop() -> (Place, Kiosk) {
    let place = place();
    let kiosk = Kiosk::enrol(&place.office, "São Paulo", 3);
    (place, kiosk)
}

fn offer_body(order: &str, amount_minor: i64) -> Vec<u8> {
    let offer = OrderOffer {
        amount_minor,
        attempt: order.into(),
        currency: "BRL".into(),
        open_for_ms: None,
        order: order.into(),
    };
    serde_json::to_vec(&offer).unwrap()
}

/// Offers, and moves the clock on until the provider's code is there.
fn offer(place: &Place, kiosk: &Kiosk, order: &str, amount_minor: i64) -> OrderAnswer {
    let body = offer_body(order, amount_minor);
    let said = kiosk.order_call(&place.key, place.now_ms(), "POST", "/v1/orders", &body);
    let mut answer = said.1.unwrap();
    while answer.state == OrderState::Creating {
        place.wait_s(1);
        let said = place.ask(kiosk, "GET", &format!("/v1/orders/{order}"));
        answer = said.1.unwrap();
    }
    answer
}

/// The charge of an order as the provider has it.
fn status(place: &Place, order: &str) -> (Option<i64>, usize) {
    let bank = place.face.bank.lock().unwrap();
    let txid = pix::txid(order.parse().unwrap());
    let charge = bank.order(Provider::Pix, &txid).unwrap();
    (charge.cancelled_ms, charge.transfers.len())
}

#[test]
fn a_charge_is_made_paid_and_found_by_asking_alone() {
    // Proves that an offer in reais brings the provider's code with the shop's name and key, that đồng and zero are
    // refused there, and that its payment is found without any notice.
    let (place, kiosk) = shop();
    let order = code("SP", 1);
    let refused = place.offer(&kiosk, &order, 3_700).1.unwrap_err();
    assert_eq!(refused.error, RefusalKind::Amount);
    assert!(refused.message.contains("BRL"), "{}", refused.message);
    let zero = place.offer_in(&kiosk, &order, 0, "BRL").1.unwrap_err();
    assert_eq!(zero.error, RefusalKind::Amount);

    let (status, made) = place.offer_in(&kiosk, &order, 3_700, "BRL");
    let made = made.unwrap();
    assert_eq!((status, made.state), (201, OrderState::Waiting));
    let payee = made.payee.unwrap();
    assert_eq!(
        (payee.name.as_str(), payee.account.as_str()),
        ("PONTO DE TOQUE", shop::PIX_KEY)
    );
    place.faults("drop_push");
    place.face.pay(&made.qr.unwrap(), 3_700);
    place.wait_s(2);
    let paid = place.until(&kiosk, &order, |answer| answer.state == OrderState::Paid);
    assert_eq!(
        (paid.received_minor, paid.currency.as_str()),
        (3_700, "BRL")
    );
    assert_eq!(paid.credits[0].state, CreditState::Paid);
    assert_eq!(paid.provider, "pix");
}

#[test]
fn a_notice_is_a_hint_and_never_money() {
    // Proves that a notice with a made-up payment, which nobody can tell from a true one, is answered, asks, and credits
    // nothing, and that of an order that is looked at once a minute the true notice brings "paid" before the next look.
    let (place, kiosk) = shop();
    let order = code("SP", 2);
    let qr = offer(&place, &kiosk, &order, 5_000).qr.unwrap();
    let url = place.office.url();
    let account = place.office.relay().account_named("pix", "third").unwrap();
    let invented = format!(
        r#"{{"pix":[{{"endToEndId":"E1","txid":"{}","valor":"50.00","chave":"{}","horario":"2026-11-22T02:00:00Z"}}]}}"#,
        pix::txid(order.parse().unwrap()),
        shop::PIX_KEY
    );
    let post = |body: &str| {
        let request = support::http().post(format!("{url}/v1/webhooks/pix/third/pix"));
        request.body(body.to_owned()).send().unwrap().status()
    };
    assert_eq!(post(&invented), 200);
    assert_eq!(post("{}"), 400);
    let noticed_ms = place.now_ms();
    let target = format!("/v1/orders/{order}");
    let asked = loop {
        let answer = place.ask(&kiosk, "GET", &target).1.unwrap();
        // Asked after the notice, and answered.
        let ago_ms = answer
            .bank
            .asked_ago_ms
            .map(|ago| i64::try_from(ago).unwrap());
        if ago_ms.is_some_and(|ago| place.now_ms() - ago > noticed_ms) {
            break answer;
        }
        place.wait_ms(100);
    };
    assert_eq!(
        (asked.state, asked.received_minor),
        (OrderState::Waiting, 0)
    );
    assert_eq!(account.counts.hints.load(Ordering::Relaxed), 1);

    // Then it is looked at once a minute.
    place.wait_s(20 * 60);
    let ask = || place.ask(&kiosk, "GET", &target).1.unwrap();
    while ask().bank.asked_ago_ms.is_none_or(|ago| ago > 1_000) {
        place.wait_ms(100);
    }
    place.face.pay(&qr, 5_000);
    assert_eq!(place.face.send_due(&url), [200]);
    let begun_ms = place.now_ms();
    let paid = loop {
        let answer = ask();
        if answer.state == OrderState::Paid {
            break answer;
        }
        place.wait_ms(100);
    };
    assert!(
        place.now_ms() - begun_ms < 50_000,
        "found by the usual look"
    );
    assert_eq!(paid.received_minor, 5_000);
}

#[test]
fn a_code_whose_answer_was_lost_is_told_again() {
    // Proves that when the provider made the charge and its answer was lost, the same charge's code comes with the next
    // question: there is one charge, and nobody needs another order.
    let (place, kiosk) = shop();
    let (before, order) = (code("SP", 30), code("SP", 3));
    // So that there is a token.
    offer(&place, &kiosk, &before, 100);
    place.faults("lost_response_after_commit");
    let body = offer_body(&order, 900);
    let said = kiosk.order_call(&place.key, place.now_ms(), "POST", "/v1/orders", &body);
    assert_eq!(said.1.unwrap().state, OrderState::Creating);
    let is_made = || {
        let bank = place.face.bank.lock().unwrap();
        let txid = pix::txid(order.parse().unwrap());
        bank.order(Provider::Pix, &txid).is_some()
    };
    while !is_made() {
        place.wait_s(1);
    }
    place.faults("");
    let made = loop {
        place.wait_s(1);
        let answer = place.ask(&kiosk, "GET", &format!("/v1/orders/{order}"));
        let answer = answer.1.unwrap();
        if answer.state != OrderState::Creating {
            break answer;
        }
    };
    assert_eq!(made.state, OrderState::Waiting);
    assert!(made.qr.is_some());
    let bank = place.face.bank.lock().unwrap();
    let charges = bank
        .orders()
        .filter(|known| known.provider == Provider::Pix);
    assert_eq!(charges.count(), 2);
}

#[test]
fn a_token_that_ended_is_renewed_and_wrong_keys_are_said() {
    // Proves that a refused token is asked for anew without anybody noticing, and that a provider that refuses every
    // token is called unreachable and asked again, with the offer kept.
    let (place, kiosk) = shop();
    let first = code("SP", 4);
    let qr = offer(&place, &kiosk, &first, 100).qr.unwrap();
    place.face.pay(&qr, 100);
    place.wait_s(2);
    place.until(&kiosk, &first, |answer| answer.state == OrderState::Paid);
    // Tokens live an hour.
    place.wait_s(3_700);
    let second = code("SP", 5);
    offer(&place, &kiosk, &second, 200);

    place.faults("token_expired");
    let third = code("SP", 6);
    let body = offer_body(&third, 300);
    let said = kiosk.order_call(&place.key, place.now_ms(), "POST", "/v1/orders", &body);
    assert_eq!(said.1.unwrap().state, OrderState::Creating);
    let wait_for = |wanted: &dyn Fn(&OrderAnswer) -> bool| loop {
        place.wait_s(10);
        let answer = place.ask(&kiosk, "GET", &format!("/v1/orders/{third}"));
        let answer = answer.1.unwrap();
        if wanted(&answer) {
            break answer;
        }
    };
    let said = wait_for(&|answer| answer.bank.health == BankHealth::Unreachable);
    assert_eq!(said.state, OrderState::Creating);
    place.faults("");
    wait_for(&|answer| answer.state == OrderState::Waiting);
}

#[test]
fn a_withdrawal_takes_the_charge_back_and_loses_the_race_to_a_payment() {
    // Proves that a withdrawn order's charge is removed at the provider, and that when the payer was faster the order is
    // paid and the charge stays.
    let (place, kiosk) = shop();
    let (left, raced) = (code("SP", 7), code("SP", 8));
    offer(&place, &kiosk, &left, 1_000);
    place.wait_s(1);
    let withdraw = |order: &str| place.withdraw(&kiosk, order);
    let answer = withdraw(&left);
    assert_eq!(
        (answer.state, answer.withdrawn),
        (OrderState::Cancelled, true)
    );
    while status(&place, &left).0.is_none() {
        place.wait_s(1);
    }

    place.wait_s(1);
    let qr = offer(&place, &kiosk, &raced, 2_000).qr.unwrap();
    place.wait_s(1);
    place.face.pay(&qr, 2_000);
    place.wait_s(1);
    let answer = withdraw(&raced);
    assert_eq!((answer.state, answer.withdrawn), (OrderState::Paid, false));
    assert_eq!(status(&place, &raced), (None, 1));

    // The payer's transfer arrives just before the cancel itself: late, and for a person.
    let late = code("SP", 9);
    offer(&place, &kiosk, &late, 3_000);
    place.faults("cancel_race_paid x1");
    place.wait_s(1);
    assert!(withdraw(&late).withdrawn);
    let answer = loop {
        place.wait_s(1);
        let answer = place.ask(&kiosk, "GET", &format!("/v1/orders/{late}"));
        let answer = answer.1.unwrap();
        if !answer.credits.is_empty() {
            break answer;
        }
    };
    assert_eq!(answer.state, OrderState::Late);
}

#[test]
fn every_payment_of_the_key_is_listed_also_those_of_no_charge() {
    // Proves that a transfer without a charge and one with somebody's own txid are found from the provider's list, over
    // more pages than one, each once, under its name, and that no payer makes an order paid with its txid alone.
    let (place, kiosk) = shop();
    let order = code("SP", 10);
    offer(&place, &kiosk, &order, 4_000);
    for number in 0..130 {
        place.face.transfer(Payment {
            provider: Provider::Pix,
            order: None,
            amount_minor: 100 + number,
            memo: format!("obrigado {number}"),
        });
    }
    let store = place.office.store();
    while store.credits(0).unwrap().open < 130 {
        place.wait_s(20);
    }
    let list = store.credits(1_000).unwrap();
    assert_eq!(list.credits.len(), 130);
    assert!(list.credits.iter().all(|credit| credit.state == "no_code"));
    let answer = place.ask(&kiosk, "GET", &format!("/v1/orders/{order}"));
    assert_eq!(answer.1.unwrap().received_minor, 0);

    // The simulator's own list has its pages as the relay reads them.
    let now_ms = place.now_ms();
    let mut bank = place.face.bank.lock().unwrap();
    let token = Request::new(
        Provider::Pix,
        payqr::provider::bank::Method::Post,
        "/oauth/token",
    )
    .with_body("client_id=pix-client&client_secret=pix-secret");
    let token = pix::read_token(&bank.handle(&token, now_ms).body).unwrap();
    let page = |bank: &mut payqr::provider::bank::Bank, page: &str| {
        let request = Request::new(Provider::Pix, payqr::provider::bank::Method::Get, "/pix")
            .header("authorization", &format!("Bearer {}", token.access_token))
            .parameter("inicio", "2026-11-21T00:00:00Z")
            .parameter("fim", "2026-11-29T00:00:00Z")
            .parameter("paginacao.paginaAtual", page);
        pix::read_list(&bank.handle(&request, now_ms).body).unwrap()
    };
    let second = page(&mut bank, "1");
    assert_eq!(second.pix.len(), 30);
    assert_eq!(
        (
            second.parameters.paging.pages,
            second.parameters.paging.total
        ),
        (2, 130)
    );
}
