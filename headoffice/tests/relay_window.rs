//! Which money is late: the end of an order's window, on the real database.
#![allow(clippy::unwrap_used)]

use headoffice::{
    Clock, Config, Store,
    relay::credits::{Source, Taken},
};
use payqr::{
    OrderCode, StorePrefix,
    provider::{Credit, Currency, Provider},
};
use std::sync::atomic::Ordering;
use touchpoint::{
    SigningKey,
    relay::{CreditState, OrderOffer, OrderState},
    wire::{EnrolRequest, Signed},
};

const BEGIN_MS: i64 = 1_795_827_600_000;
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

/// An order of 5,000 đồng made at `BEGIN_MS`, perhaps withdrawn after two minutes, and its two credits, each with the
/// bank's time and when it was seen: what the order is, and what each credit is.
fn order_with(withdrawn: bool, credits: [(Option<i64>, i64); 2]) -> (OrderState, Vec<CreditState>) {
    let folder = tempfile::tempdir().unwrap();
    let (clock, now) = Clock::manual(BEGIN_MS);
    let mut config = Config::new(folder.path());
    config.clock = clock;
    let store = Store::open(&config).unwrap();
    let key = SigningKey::from_bytes(&[7; 32]);
    let request = EnrolRequest {
        code: store.enrolment_code("Q1").unwrap(),
        name: "Quầy 1".into(),
        public_key: key.verifying_key().to_bytes(),
    };
    let signed = Signed::new(&key, &request).unwrap();
    let device = store.enrol(&signed).unwrap().unwrap().device;
    let account = store
        .payment_account("payos", "0011004000111", "main", &[])
        .unwrap();
    let code = OrderCode::new(StorePrefix::new("HS").unwrap(), 7).unwrap();
    let offer = OrderOffer {
        amount_minor: 5_000,
        attempt: "1".into(),
        currency: "VND".into(),
        open_for_ms: Some(120_000),
        order: code.to_string(),
    };
    store.make_offer(account, &device, code, &offer).unwrap();
    if withdrawn {
        now.store(BEGIN_MS + 2 * MINUTE_MS, Ordering::SeqCst);
        assert!(store.withdraw_offer(&offer.order).unwrap());
    }
    for (index, (bank_time_ms, seen_ms)) in credits.into_iter().enumerate() {
        now.store(seen_ms, Ordering::SeqCst);
        let credit = Credit {
            provider: Provider::PayOs,
            reference: format!("FT{index}"),
            reference_is_derived: false,
            account: "0011004000111".into(),
            amount_minor: 5_000,
            currency: Currency::Vnd,
            memo: String::new(),
            provider_order: Some(code.to_integer().to_string()),
            bank_time_ms,
        };
        let taken = store.take_credit(account, &credit, Source::Poll).unwrap();
        assert_eq!(taken, Taken::New(Some(offer.order.clone())));
    }
    let order = store.order(&offer.order).unwrap().unwrap();
    let judged = order.judged(i64::MAX, true);
    (judged.state, judged.credits)
}

#[test]
fn a_second_transfer_the_bank_credited_in_time_is_a_duplicate_whenever_it_is_seen() {
    // Proves that a payer who paid twice at noon is not called late because head office learnt of it a day later, that
    // without a usable time of the bank the time of seeing counts, and that after a withdrawal everything is late.
    // Head office's clock may have been ahead of the bank's when the code was made, and be right a day later.
    use CreditState as C;
    let first = (Some(BEGIN_MS + MINUTE_MS), BEGIN_MS + MINUTE_MS);
    let seen_ms = BEGIN_MS + DAY_MS + MINUTE_MS;
    for (bank_ms, state, word) in [
        (
            Some(BEGIN_MS + 2 * MINUTE_MS),
            OrderState::Duplicate,
            C::Duplicate,
        ),
        (
            Some(BEGIN_MS - 8 * MINUTE_MS),
            OrderState::Duplicate,
            C::Duplicate,
        ),
        // Paid in time, and again too late: the order is paid and paid again, the second transfer is late.
        (Some(BEGIN_MS + DAY_MS + 1), OrderState::Duplicate, C::Late),
        (
            Some(BEGIN_MS - 61 * MINUTE_MS),
            OrderState::Duplicate,
            C::Late,
        ),
        (Some(seen_ms + 1), OrderState::Duplicate, C::Late),
        (None, OrderState::Duplicate, C::Late),
    ] {
        let second = (bank_ms, seen_ms);
        let found = order_with(false, [first, second]);
        assert_eq!(found, (state, vec![C::Paid, word]), "{bank_ms:?}");
        // The order in which they became known names the credits, never the order.
        let (known_first, _) = order_with(false, [second, (first.0, seen_ms + 1)]);
        assert_eq!(known_first, state, "{bank_ms:?}");
    }
    // Alone, money after the window pays nothing.
    let late = (Some(BEGIN_MS + DAY_MS + 1), seen_ms);
    let found = order_with(false, [late, late]);
    assert_eq!(found, (OrderState::Late, vec![C::Late, C::Late]));
    let before = (Some(BEGIN_MS + MINUTE_MS), BEGIN_MS + 3 * MINUTE_MS);
    let found = order_with(true, [before, before]);
    assert_eq!(found, (OrderState::Late, vec![C::Late, C::Late]));
}
