//! Adding, changing and removing lines, and the limits that hold.

use super::*;
use checkout::basket::{COUPONS_MAX, LINES_MAX, QUANTITY_MAX};

#[test]
fn the_same_pieces_join_one_line() {
    // Proves repeated scans count up, and anything that differs gets its own line.
    let milk = item(1, 10);
    let mut basket = Basket::new();
    let first = basket.add(milk.clone(), pieces(1)).unwrap();
    assert_eq!(basket.add(milk.clone(), pieces(2)).unwrap(), first);
    assert_eq!(basket.line(first).unwrap().quantity, pieces(3));
    let mut other_lot = NewLine::of(milk.clone(), pieces(1));
    other_lot.lot = Some("L2".into());
    assert_ne!(basket.add_line(other_lot).unwrap(), first);
    let repriced = item(1, 11);
    assert_ne!(basket.add(repriced, pieces(1)).unwrap(), first);
    let mut labelled = NewLine::of(milk, pieces(1));
    labelled.price_override_minor = Some(5);
    basket.add_line(labelled.clone()).unwrap();
    basket.add_line(labelled).unwrap();
    assert_eq!(basket.lines.len(), 5);
    assert_eq!(basket.item_count(), 7);
}

#[test]
fn one_serial_is_one_piece() {
    // Proves the same GS1 serial is not sold twice and its quantity is fixed.
    let mut phone = NewLine::of(item(1, 10), pieces(1));
    phone.serial = Some("S1".into());
    let mut basket = Basket::new();
    let line = basket.add_line(phone.clone()).unwrap();
    let twice = BasketError::SerialTwice {
        serial: "S1".into(),
    };
    assert_eq!(basket.add_line(phone.clone()), Err(twice));
    assert_eq!(
        basket.set_quantity(line, pieces(2)),
        Err(BasketError::QuantityFixed)
    );
    phone.serial = Some("S2".into());
    assert_ne!(basket.add_line(phone).unwrap(), line);
}

#[test]
fn quantities_are_checked_everywhere() {
    // Proves zero, parts of a piece and absurd amounts are refused and change nothing.
    let milk = item(1, 10);
    let mut basket = Basket::new();
    assert_eq!(
        basket.add(milk.clone(), pieces(0)),
        Err(BasketError::QuantityNotPositive)
    );
    assert_eq!(
        basket.add(milk.clone(), Quantity::milli(1_500)),
        Err(BasketError::NotWholePieces)
    );
    let line = basket.add(milk.clone(), QUANTITY_MAX).unwrap();
    let before = basket.clone();
    assert_eq!(
        basket.add(milk, pieces(1)),
        Err(BasketError::QuantityTooLarge)
    );
    assert_eq!(
        basket.set_quantity(line, pieces(10_000)),
        Err(BasketError::QuantityTooLarge)
    );
    assert_eq!(
        basket.set_quantity(line, pieces(0)),
        Err(BasketError::QuantityNotPositive)
    );
    assert_eq!(basket, before);
    basket.set_quantity(line, pieces(2)).unwrap();
    assert_eq!(basket.item_count(), 2);
    let weighed = basket.add(weighed(2, 10), Quantity::grams(1)).unwrap();
    assert_eq!(
        basket.set_quantity(weighed, pieces(2)),
        Err(BasketError::QuantityFixed)
    );
    let mut negative = NewLine::of(item(3, 1), pieces(1));
    negative.price_override_minor = Some(-1);
    assert_eq!(basket.add_line(negative), Err(BasketError::NegativePrice));
}

#[test]
fn removed_lines_stay_gone() {
    // Proves removal returns the line once and its number is never given again.
    let mut basket = basket(&[(&item(1, 10), pieces(1)), (&item(2, 10), pieces(1))]);
    let line = basket.lines[1].id;
    assert_eq!(basket.remove(line).unwrap().item.id, ItemId(2));
    let gone = BasketError::NoSuchLine { line };
    assert_eq!(basket.remove(line), Err(gone.clone()));
    assert_eq!(basket.set_quantity(line, pieces(1)), Err(gone));
    assert_ne!(basket.add(item(2, 10), pieces(1)).unwrap(), line);
    basket.lines.clear();
    assert!(basket.is_empty());
}

#[test]
fn a_basket_ends_at_its_limits() {
    // Proves no basket grows without bound, neither in lines nor in coupons.
    let mut basket = Basket::new();
    let lines = i64::try_from(LINES_MAX).unwrap();
    for id in 0..lines {
        basket.add(item(id, 10), pieces(1)).unwrap();
    }
    assert_eq!(
        basket.add(item(lines, 10), pieces(1)),
        Err(BasketError::TooManyLines)
    );
    basket.add(item(0, 10), pieces(1)).unwrap();
    for number in 0..COUPONS_MAX {
        basket.add_coupon(&format!("C{number}")).unwrap();
    }
    assert_eq!(
        basket.add_coupon("ONE MORE"),
        Err(BasketError::TooManyCoupons)
    );
    let twice = BasketError::CouponTwice { code: "C1".into() };
    assert_eq!(basket.add_coupon(" c1 "), Err(twice));
    assert!(basket.remove_coupon("c1") && !basket.remove_coupon("c1"));
    for text in ["", "  ", "A\u{7}B", &"X".repeat(41)] {
        assert_eq!(basket.add_coupon(text), Err(BasketError::CouponUnreadable));
    }
}
