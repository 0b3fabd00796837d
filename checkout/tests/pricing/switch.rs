//! The rehearsal: Vietnam's 8 % VAT ends with 31 December 2026 (Decree
//! 174/2025); from local midnight the same goods carry 10 %.

use super::*;

/// 2026-12-31 17:00:00 UTC is midnight in Vietnam.
const MIDNIGHT_MS: i64 = 1_798_736_400_000;

fn vietnam_time(wall_ms: i64) -> LocalDateTime {
    Now {
        wall_ms,
        utc_offset_min: 420,
        mono_ms: 0,
    }
    .local()
}

/// Tea at 8 % and rice wine at 10 %, 108.000 each before VAT is looked at.
fn mixed() -> Basket {
    let tea = item(1, 108_000);
    let mut wine = item(2, 110_000);
    wine.tax_class = SPIRITS;
    basket(&[(&tea, pieces(1)), (&wine, pieces(1))])
}

fn taxes(mode: TaxMode, when: LocalDateTime) -> (Vec<(u32, i64, i64, i64)>, i64) {
    let rules = Rules {
        tax: vietnam(mode),
        ..rules(vec![])
    };
    let priced = price(&mixed(), &rules, when).unwrap();
    let taxes = priced
        .taxes
        .iter()
        .map(|t| (t.basis_points, t.base_minor, t.tax_minor, t.gross_minor))
        .collect();
    (taxes, priced.total_minor)
}

#[test]
fn the_switch_is_at_local_midnight() {
    // Proves one millisecond decides the rate, by the shop's clock and not by UTC.
    let before = vietnam_time(MIDNIGHT_MS - 1);
    let after = vietnam_time(MIDNIGHT_MS);
    assert_eq!(before.to_string(), "2026-12-31T23:59:59");
    assert_eq!(after, LocalDateTime::midnight(date("2027-01-01")));
    let rate = |when: LocalDateTime| {
        let rate = vietnam(TaxMode::Included).rate_at(FOOD, when.date);
        rate.map(|rate| rate.basis_points)
    };
    assert_eq!((rate(before), rate(after)), (Some(800), Some(1000)));
}

#[test]
fn included_prices_stay_and_their_vat_grows() {
    // Proves shelf prices with VAT do not move at the switch, only what is VAT in them.
    let (before, total_before) = taxes(TaxMode::Included, vietnam_time(MIDNIGHT_MS - 1000));
    assert_eq!(
        before,
        [
            (800, 100_000, 8_000, 108_000),
            (1000, 100_000, 10_000, 110_000)
        ]
    );
    let (after, total_after) = taxes(TaxMode::Included, vietnam_time(MIDNIGHT_MS));
    // 218.000 × 10 / 110 = 19.818,18…
    assert_eq!(after, [(1000, 198_182, 19_818, 218_000)]);
    assert_eq!((total_before, total_after), (218_000, 218_000));
}

#[test]
fn added_vat_raises_the_total() {
    // Proves prices without VAT cost more from the switch on, by exactly the rate.
    let (before, total_before) = taxes(TaxMode::Added, vietnam_time(MIDNIGHT_MS - 1000));
    assert_eq!(
        before,
        [
            (800, 108_000, 8_640, 116_640),
            (1000, 110_000, 11_000, 121_000)
        ]
    );
    let (after, total_after) = taxes(TaxMode::Added, vietnam_time(MIDNIGHT_MS));
    assert_eq!(after, [(1000, 218_000, 21_800, 239_800)]);
    assert_eq!((total_before, total_after), (237_640, 239_800));
}

#[test]
fn a_discount_over_both_rates_lowers_both() {
    // Proves a basket discount is split over the rates and they still sum to the total.
    let coupon = promotion(
        1,
        Scope::all(),
        PromotionKind::Amount {
            minor: 20_001,
            per: AmountPer::Basket,
        },
    );
    let rules = rules(vec![coupon]);
    let priced = price(&mixed(), &rules, vietnam_time(MIDNIGHT_MS - 1000)).unwrap();
    // 20.001 × 108 / 218 = 9.908,75 and × 110 / 218 = 10.092,25.
    let grosses: Vec<i64> = priced.taxes.iter().map(|t| t.gross_minor).collect();
    assert_eq!(grosses, [108_000 - 9_909, 110_000 - 10_092]);
    assert_eq!(priced.total_minor, 197_999);
}

#[test]
fn vat_is_rounded_once_per_rate() {
    // Proves VAT comes from the rate's total; line by line it would be 3, not 2.
    let sweet = item(1, 10);
    let other = item(2, 10);
    let third = item(3, 10);
    let basket = basket(&[
        (&sweet, pieces(1)),
        (&other, pieces(1)),
        (&third, pieces(1)),
    ]);
    let priced = price(&basket, &rules(vec![]), noon()).unwrap();
    // 30 × 8 / 108 = 2,22 in total; 10 × 8 / 108 = 0,74, so 1 on each line.
    assert_eq!(priced.tax_minor, 2);
}
