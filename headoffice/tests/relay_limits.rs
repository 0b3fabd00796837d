//! Limits of the payment relay over real HTTP: what they refuse comes back, and no money is lost to them.
#![allow(clippy::unwrap_used)]

#[path = "support/bank_face.rs"]
mod bank_face;
#[path = "support/place.rs"]
mod place;
#[path = "storm/shop.rs"]
mod shop;
mod support;

use payqr::provider::{Provider, Secret, bank::Payment, sepay::Auth};
use place::{code, place, sepay_qr};
use support::{Kiosk, http};
use touchpoint::relay::OrderState;

#[test]
fn a_flood_of_notices_is_refused_with_a_pause_and_loses_nothing() {
    // Proves, with a clock that moves only when told to, that after its measure a source is told 429 with a pause, that
    // another source behind the proxy is not, that the true notice refused in the flood is taken when the provider sends
    // it again, and that asking finds its money without it.
    let place = place();
    let kiosk = Kiosk::enrol(&place.office, "Thủ Đức", 2);
    let url = format!("{}/v1/webhooks/sepay/second", place.office.url());
    let http = http();
    let send = |source: &str| {
        let request = http.post(&url).header("x-forwarded-for", source);
        request.body("{}").send().unwrap()
    };
    let mut refused = 0;
    for _ in 0..150 {
        let answer = send("203.0.113.9, 198.51.100.7");
        match answer.status().as_u16() {
            401 => {}
            429 => {
                assert_eq!(answer.headers()["retry-after"], "1");
                refused += 1;
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(refused, 50);
    assert_eq!(send("198.51.100.8").status(), 401);

    // The provider's own notices come from here.
    for _ in 0..150 {
        http.post(&url).body("{}").send().unwrap();
    }
    let (first, second) = (code("TD", 1), code("TD", 2));
    for order in [&first, &second] {
        place.offer(&kiosk, order, 70_000).1.unwrap();
    }
    place.face.pay(&sepay_qr(&first, 70_000), 70_000);
    assert_eq!(place.face.send_due(&place.office.url()), [429]);
    place.wait_s(2);
    let paid = place.until(&kiosk, &first, |answer| answer.state == OrderState::Paid);
    assert_eq!(paid.received_minor, 70_000);
    // A minute later the provider tries again, and is heard.
    place.wait_s(60);
    assert_eq!(place.face.send_due(&place.office.url()), [200]);
    assert_eq!(place.office.store().credits(10).unwrap().credits.len(), 1);
}

#[test]
fn a_row_the_bank_tells_late_is_found_behind_what_was_read() {
    // Proves that a transfer whose row appears after younger ones were read, where its date puts it, and whose notice
    // never comes, is credited by reading the newest rows again; and that one told hours late is found by the hourly look.
    let place = place();
    let kiosk = Kiosk::enrol(&place.office, "Thủ Đức", 2);
    let (late, young, very_late) = (code("TD", 3), code("TD", 4), code("TD", 5));
    for order in [&late, &young, &very_late] {
        place.offer(&kiosk, order, 10_000).1.unwrap();
    }
    place.faults("drop_push\nlate_row 300000");
    place.face.pay(&sepay_qr(&late, 10_000), 10_000);
    place.faults("drop_push\nlate_row 14400000");
    place.face.pay(&sepay_qr(&very_late, 10_000), 10_000);
    place.faults("drop_push");
    place.wait_s(1);
    place.face.pay(&sepay_qr(&young, 10_000), 10_000);
    place.wait_s(2);
    place.until(&kiosk, &young, |answer| answer.state == OrderState::Paid);
    let target = |order: &str| format!("/v1/orders/{order}");
    let answer = place.ask(&kiosk, "GET", &target(&late)).1.unwrap();
    assert_eq!(answer.state, OrderState::Waiting);

    let wait_for = |order: &str, step_s: i64, longest_s: i64| {
        let begun_ms = place.now_ms();
        loop {
            let answer = place.ask(&kiosk, "GET", &target(order)).1.unwrap();
            if answer.state == OrderState::Paid {
                break (place.now_ms() - begun_ms) / 1_000;
            }
            assert!(place.now_ms() - begun_ms <= longest_s * 1_000);
            place.wait_s(step_s);
        }
    };
    assert!(wait_for(&late, 5, 400) >= 290);
    assert!(wait_for(&very_late, 60, 5 * 3_600) >= 13_000);
    // Each is one credit, however often it was read.
    assert_eq!(place.office.store().credits(10).unwrap().credits.len(), 3);
}

#[test]
fn two_accounts_at_one_address_share_its_limit() {
    // Proves that two SePay accounts of one head office together ask at most three times in any second: SePay counts by
    // the address that asks.
    let mut payments = shop::payments("http://127.0.0.1:1");
    let mut other = payments[1].clone();
    other.name = "fourth".into();
    other.account_number = "0022004000333".into();
    other.stores = vec!["Quận 3".into()];
    payments.push(other);
    let folder = tempfile::tempdir().unwrap();
    let (clock, now) = headoffice::Clock::manual(support::MORNING_MS);
    let mut config = headoffice::Config::new(folder.path());
    config.clock = clock;
    let store = std::sync::Arc::new(headoffice::Store::open(&config).unwrap());
    let relay = headoffice::Relay::open(store, &payments).unwrap();
    let mut bank = payqr::provider::bank::Bank::new(shop::settings(7, "http://relay"));
    bank.pay(
        Payment {
            provider: Provider::SePay,
            order: None,
            amount_minor: 5,
            memo: String::new(),
        },
        support::MORNING_MS,
    );
    let mut asked = Vec::new();
    for _ in 0..10_000 {
        for account in [&relay.accounts()[1], &relay.accounts()[3]] {
            let now_ms = now.fetch_add(0, std::sync::atomic::Ordering::SeqCst);
            let mut wire = Counting {
                bank: &mut bank,
                now_ms,
                limited: false,
            };
            if relay.step(account, &mut wire).is_some() {
                assert!(!wire.limited, "SePay says 429 at {now_ms}");
                asked.push(now_ms);
            }
        }
        now.fetch_add(7, std::sync::atomic::Ordering::SeqCst);
    }
    assert!(asked.len() >= 4, "{asked:?}");
    for window in asked.windows(4) {
        assert!(window[3] - window[0] >= 1_000, "{window:?}");
    }
}

/// SePay's door, which counts by address.
struct Counting<'a> {
    bank: &'a mut payqr::provider::bank::Bank,
    now_ms: i64,
    limited: bool,
}

impl headoffice::relay::provider::Wire for Counting<'_> {
    fn send(
        &mut self,
        ask: &headoffice::relay::provider::Ask,
    ) -> Result<headoffice::relay::provider::Said, headoffice::relay::provider::NoAnswer> {
        let request = shop::bank_request(Provider::SePay, ask);
        let answer = self.bank.handle(&request, self.now_ms);
        self.limited |= answer.status == 429;
        Ok(headoffice::relay::provider::Said {
            status: answer.status,
            retry_after_s: None,
            body: answer.body,
        })
    }
}

#[test]
fn the_settings_of_the_shop_hold_their_secrets() {
    // Proves that the accounts of these tests print no secret.
    let printed = format!("{:?}", shop::payments("http://127.0.0.1:1"));
    for secret in ["payos-api-key", "sepay-token", "pix-secret", "pix-client"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    let auth = format!("{:?}", Auth::ApiKey(Secret::new("abc")));
    assert!(!auth.contains("abc"));
}
