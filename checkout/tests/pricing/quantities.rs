//! Money, dates, quantities and allocation.

use super::*;
use proptest::prelude::*;

#[test]
fn currencies_have_their_iso_exponents() {
    // Proves the ISO 4217 table: exponents, no code twice, nothing withdrawn or invented.
    let exponent = |code| Currency::from_code(code).unwrap().exponent();
    let expected = [
        ("VND", 0),
        ("JPY", 0),
        ("EUR", 2),
        ("IDR", 2),
        ("KWD", 3),
        ("CLF", 4),
    ];
    for (code, digits) in expected {
        assert_eq!(exponent(code), digits, "{code}");
    }
    for constant in [
        Currency::VND,
        Currency::EUR,
        Currency::USD,
        Currency::CHF,
        Currency::INR,
    ]
    .into_iter()
    .chain([Currency::JPY, Currency::KWD])
    {
        assert_eq!(Currency::from_code(constant.code()), Ok(constant));
    }
    let mut codes: Vec<String> = Currency::all().map(|c| c.code().to_owned()).collect();
    let count = codes.len();
    codes.sort();
    codes.dedup();
    assert_eq!(codes.len(), count);
    for code in [
        "HRK", "BGN", "ANG", "ZWL", "XAU", "vnd", "VN", "VNDD", "đ", "",
    ] {
        assert!(Currency::from_code(code).is_err(), "{code}");
    }
    assert_eq!("KWD".parse::<Currency>().unwrap().minor_per_major(), 1000);
}

#[test]
fn money_is_shown_in_iso_form() {
    // Proves the decimal point stands where the exponent says, for either sign.
    let shown = |minor, currency| Money::new(minor, currency).to_string();
    assert_eq!(shown(146_688, Currency::VND), "VND 146688");
    assert_eq!(shown(-5, Currency::EUR), "EUR -0.05");
    assert_eq!(shown(1_234, Currency::KWD), "KWD 1.234");
    assert_eq!(shown(i64::MIN, Currency::USD), "USD -92233720368547758.08");
}

#[test]
fn money_never_wraps_or_mixes() {
    // Proves overflow and mixed currencies are typed errors in every operation.
    let most = Money::new(i64::MAX, Currency::VND);
    let one = Money::new(1, Currency::VND);
    let least = Money::new(i64::MIN, Currency::VND);
    assert_eq!(most.checked_add(one), Err(MoneyError::Overflow));
    assert_eq!(least.checked_sub(one), Err(MoneyError::Overflow));
    assert_eq!(most.checked_mul(2), Err(MoneyError::Overflow));
    assert_eq!(least.checked_neg(), Err(MoneyError::Overflow));
    let cent = Money::new(1, Currency::EUR);
    let mixed = MoneyError::CurrencyMismatch {
        left: Currency::VND,
        right: Currency::EUR,
    };
    assert_eq!(one.checked_add(cent), Err(mixed.clone()));
    assert_eq!(one.checked_sub(cent), Err(mixed));
    assert!(one.checked_sub(one).unwrap().is_zero());
    assert_eq!(Money::zero(Currency::VND).checked_neg().unwrap().minor, 0);
}

#[test]
fn cash_goes_to_the_nearest_coin() {
    // Proves the four modes on ties and between, for sales and refunds alike.
    let round = |mode, minor| {
        CashRounding {
            step_minor: 500,
            mode,
        }
        .round(minor)
        .unwrap()
    };
    let table = [
        (RoundingMode::HalfUp, [146_500, 500, 0, -500]),
        (RoundingMode::HalfDown, [146_500, 0, 0, 0]),
        (RoundingMode::Down, [146_500, 0, 0, 0]),
        (RoundingMode::Up, [147_000, 500, 500, -500]),
    ];
    for (mode, expected) in table {
        let got = [146_688, 250, 1, -250].map(|minor| round(mode, minor));
        assert_eq!(got, expected, "{mode:?}");
    }
}

#[test]
fn allocation_by_largest_remainder() {
    // Proves the textbook cases: remainders, ties in order, zero and negative weights.
    assert_eq!(allocate(100, &[1, 1, 1]), [34, 33, 33]);
    assert_eq!(allocate(-100, &[1, 1, 1]), [-34, -33, -33]);
    assert_eq!(allocate(10, &[7, 2, 1]), [7, 2, 1]);
    assert_eq!(allocate(7, &[5, 3, 1]), [4, 2, 1]);
    assert_eq!(allocate(5, &[0, -3, 2]), [0, 0, 5]);
    assert_eq!(allocate(5, &[0, 0]), [3, 2]);
    assert_eq!(allocate(5, &[]), [0_i64; 0]);
    assert_eq!(allocate(i64::MIN, &[i64::MAX, 0]), [i64::MIN, 0]);
}

#[test]
fn dates_follow_the_calendar() {
    // Proves leap years, impossible days and weekdays, and strict ISO parsing.
    assert_eq!(date("2026-11-22").weekday(), Weekday::Sunday);
    assert_eq!(date("2027-01-01").weekday(), Weekday::Friday);
    assert_eq!(date("2000-02-29").plus_days(1), date("2000-03-01"));
    assert_eq!(date("2027-01-01").plus_days(-1), date("2026-12-31"));
    assert!(LocalDate::new(1900, 2, 29).is_none() && LocalDate::new(2024, 2, 29).is_some());
    for text in [
        "2026-2-01",
        "2026-02-30",
        "2026-13-01",
        "26-01-01",
        "2026/01/01",
        "2026-01-01 ",
    ] {
        assert!(text.parse::<LocalDate>().is_err(), "{text}");
    }
    assert!(
        "２026-01-1".parse::<LocalDate>().is_err() && "+026-01-01".parse::<LocalDate>().is_err()
    );
}

#[test]
fn local_time_is_right_on_both_sides_of_utc() {
    // Proves offsets east and west, and times before 1970.
    let local = |wall_ms, utc_offset_min| {
        let now = Now {
            wall_ms,
            utc_offset_min,
            mono_ms: 0,
        };
        now.local().to_string()
    };
    assert_eq!(local(0, 420), "1970-01-01T07:00:00");
    assert_eq!(local(0, -300), "1969-12-31T19:00:00");
    assert_eq!(local(-1, 0), "1969-12-31T23:59:59");
    local(i64::MAX, i32::MAX);
    local(i64::MIN, i32::MIN);
}

#[test]
fn quantities_are_shown_plainly() {
    // Proves thousandths print without float noise or trailing zeros.
    let shown = |milli| Quantity::milli(milli).to_string();
    let all = [shown(3_000), shown(846), shown(1_250), shown(-500)];
    assert_eq!(all, ["3", "0.846", "1.25", "-0.5"]);
    assert_eq!(
        (pieces(3).whole(), Quantity::grams(846).whole()),
        (Some(3), None)
    );
}

proptest! {
    #[test]
    fn allocation_is_exact_and_fair(
        total in -1_000_000_i64..=1_000_000,
        weights in prop::collection::vec(0_i64..=5_000, 1..12),
    ) {
        // Proves parts sum exactly, differ from the exact share by less than one,
        // and never exceed their weight when the total does not.
        let parts = allocate(total, &weights);
        prop_assert_eq!(parts.iter().sum::<i64>(), total);
        let sum: i64 = weights.iter().sum();
        for (part, weight) in parts.iter().zip(&weights) {
            if sum > 0 {
                prop_assert!((part * sum - total * weight).abs() < sum);
            }
            if (0..=sum).contains(&total) && sum > 0 {
                prop_assert!((0..=*weight).contains(part));
            }
        }
    }

    #[test]
    fn dates_and_days_are_one_to_one(days in -90_000_000_i64..90_000_000) {
        // Proves counting days and calendar dates undo each other, in order.
        let day = LocalDate::from_unix_days(days);
        prop_assert_eq!(day.unix_days(), days);
        prop_assert_eq!(LocalDate::new(day.year, day.month, day.day), Some(day));
        prop_assert!(day < day.plus_days(1));
        if (1000..10_000).contains(&day.year) {
            prop_assert_eq!(day.to_string().parse::<LocalDate>().unwrap(), day);
        }
    }

    #[test]
    fn rounded_cash_is_payable(minor in -1_000_000_i64..1_000_000, step in 1_i64..3_000, mode in 0_usize..4) {
        // Proves cash is a multiple of the coin, less than one coin away, and a
        // refund mirrors its sale.
        let modes = [RoundingMode::HalfUp, RoundingMode::HalfDown, RoundingMode::Down, RoundingMode::Up];
        let rounding = CashRounding { step_minor: step, mode: modes[mode] };
        let rounded = rounding.round(minor).unwrap();
        prop_assert_eq!(rounded % step, 0);
        prop_assert!((rounded - minor).abs() < step);
        prop_assert_eq!(rounding.round(-minor).unwrap(), -rounded);
    }
}
