//! Clocks that are wrong: the kiosk's, head office's, and one that is set right in the middle.

use crate::journeys::with_a_coffee;
use crate::office::*;
use checkout::till::{ReviewKind, TenderKind};
use kiosk::clock::set_wrong_by_ms;
use payqr::provider::Provider;
use std::sync::atomic::Ordering;

const MINUTE_MS: i64 = 60_000;
const YEAR_MS: i64 = 365 * 24 * 60 * MINUTE_MS;

/// A sale by QR from the first touch to the end, everything as it must be.
fn sell_by_code(shop: &Relayed, what: &str) {
    let counter = with_a_coffee(&shop.shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Quét mã QR");
    let (_, payload) = code_on_the_glass(&counter);
    shop.pay(&payload, None);
    counter.until_screen("tap");
    assert_eq!(tenders(&counter), [(TenderKind::Qr, 25_000)], "{what}");
    tap_and_leave(&counter);
    assert!(state(&counter).reviews.is_empty(), "{what}");
    counter.power_cut();
}

#[test]
fn a_kiosk_whose_clock_is_wrong_sells_by_code_all_the_same() {
    // Proves: signed requests of a kiosk that is minutes or years off, before and after, are taken with head office's
    // own time, the code comes and its money is believed.
    for wrong_ms in [-10 * MINUTE_MS, 10 * MINUTE_MS, -YEAR_MS, 20 * YEAR_MS] {
        set_wrong_by_ms(wrong_ms);
        let shop = Relayed::open(Provider::PayOs);
        sell_by_code(&shop, &format!("kiosk off by {wrong_ms} ms"));
    }
    set_wrong_by_ms(0);
}

#[test]
fn a_head_office_whose_clock_is_wrong_sells_by_code_all_the_same() {
    // Proves: the same with head office's clock off, against a kiosk and a bank whose clocks are right.
    for wrong_ms in [-10 * MINUTE_MS, 10 * MINUTE_MS, -YEAR_MS, 5 * YEAR_MS] {
        let shop = Relayed::open_at(Provider::PayOs, wrong_ms);
        sell_by_code(&shop, &format!("head office off by {wrong_ms} ms"));
        let shop = Relayed::open_at(Provider::SePay, wrong_ms);
        sell_by_code(&shop, &format!("SePay, head office off by {wrong_ms} ms"));
    }
}

#[test]
fn a_clock_set_right_while_a_code_is_shown_changes_nothing_about_it() {
    // Proves: the kiosk's clock jumps by a year, and head office's by hours, under a code on the glass; its money pays.
    set_wrong_by_ms(-YEAR_MS);
    let shop = Relayed::open_at(Provider::PayOs, -180 * MINUTE_MS);
    let counter = with_a_coffee(&shop.shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Quét mã QR");
    let (_, payload) = code_on_the_glass(&counter);
    set_wrong_by_ms(0);
    shop.office_wrong_by_ms.store(0, Ordering::SeqCst);
    shop.pay(&payload, None);
    counter.until_screen("tap");
    assert_eq!(tenders(&counter), [(TenderKind::Qr, 25_000)]);
    counter.power_cut();
}

#[test]
fn an_offer_left_before_the_clock_was_set_right_is_watched_on() {
    // Proves: a kiosk that began a year behind leaves an offer, its clock is set right, and the money that then comes
    // is found all the same.
    set_wrong_by_ms(-YEAR_MS);
    let shop = Relayed::open(Provider::SePay);
    let counter = with_a_coffee(&shop.shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Quét mã QR");
    let (code, payload) = code_on_the_glass(&counter);
    counter.tap("Trả cách khác");
    counter.until_screen("pay");
    counter.tap("Tiền mặt");
    count_cash(&counter, &["2", "5", "0", "0", "0"]);
    tap_and_leave(&counter);
    set_wrong_by_ms(0);
    shop.pay(&payload, None);
    counter.until("the late money", |counter| {
        !state(counter).reviews.is_empty()
    });
    let review = state(&counter).reviews[0].clone();
    assert_eq!(
        (review.kind, review.amount_minor, review.order_code),
        (ReviewKind::LateCredit, 25_000, Some(code))
    );
    counter.power_cut();
}
