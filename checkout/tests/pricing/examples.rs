//! Baskets worked out by hand.

use super::*;

/// The basket of the screen drawings.
fn drawn() -> (Basket, Rules) {
    let coffee = item(1, 25_000);
    let milk = item(2, 36_500);
    let banana = weighed(3, 28_000);
    let basket = basket(&[
        (&coffee, pieces(2)),
        (&milk, pieces(3)),
        (&banana, Quantity::grams(846)),
    ]);
    let offer = promotion(
        7,
        Scope::items([ItemId(2)]),
        PromotionKind::BuyXGetY {
            buy: 2,
            get: 1,
            from: RewardFrom::SameItem,
            basis_points: 10_000,
        },
    );
    (basket, rules(vec![offer]))
}

#[test]
fn golden_basket_of_the_screens() {
    // Proves the amounts shown in the drawings: 146.688, VAT 10.866, cash 146.500.
    let (basket, rules) = drawn();
    let priced = price(&basket, &rules, noon()).unwrap();
    assert_eq!(priced.subtotal_minor, 50_000 + 109_500 + 23_688);
    assert_eq!(priced.discount_minor, 36_500);
    assert_eq!(priced.total(), Money::new(146_688, Currency::VND));
    assert_eq!(priced.cash_total(), Money::new(146_500, Currency::VND));
    let vat = TaxTotal {
        basis_points: 800,
        treatment: TaxTreatment::Rated,
        base_minor: 135_822,
        tax_minor: 10_866,
        gross_minor: 146_688,
    };
    assert_eq!(
        (priced.taxes.as_slice(), priced.tax_minor),
        (&[vat][..], 10_866)
    );
    assert_eq!(priced.item_count, 6);
    let nets: Vec<i64> = priced.lines.iter().map(|line| line.net_minor).collect();
    assert_eq!(nets, [50_000, 73_000, 23_688]);
    let given = &priced.discounts[0];
    assert_eq!(
        (given.promotion, given.amount_minor),
        (PromotionId(7), 36_500)
    );
    let share = LineShare {
        line: basket.lines[1].id,
        amount_minor: 36_500,
    };
    assert_eq!(given.lines, [share]);
}

#[test]
fn everything_survives_json() {
    // Proves that rules, baskets and prices read back equal after storage.
    let (basket, mut rules) = drawn();
    rules.promotions[0].when = Window {
        from: Some(date("2026-11-01")),
        until: Some(date("2026-11-30")),
        weekdays: vec![Weekday::Sunday],
        minutes: Some(MinuteSpan {
            from_min: 60,
            until_min: 1_440,
        }),
    };
    let priced = price(&basket, &rules, noon()).unwrap();
    let text = serde_json::to_string(&(&basket, &rules, &priced)).unwrap();
    assert!(text.contains(r#""currency":"VND""#) && text.contains(r#""from":"2026-11-01""#));
    let back: (Basket, Rules, Priced) = serde_json::from_str(&text).unwrap();
    assert_eq!(back, (basket, rules, priced));
}

#[test]
fn an_empty_basket_costs_nothing() {
    // Proves that no line means zero everywhere, not an error.
    let priced = price(&Basket::new(), &rules(vec![]), noon()).unwrap();
    assert_eq!((priced.total_minor, priced.cash_total_minor), (0, 0));
    assert!(priced.lines.is_empty() && priced.taxes.is_empty());
}

#[test]
fn weighed_lines_round_half_up_once() {
    // Proves price × grams is rounded half up per line, and never on the sum.
    let tea = weighed(1, 1_001);
    let line = |grams| {
        let basket = basket(&[(&tea, Quantity::grams(grams))]);
        price(&basket, &rules(vec![]), noon()).unwrap().total_minor
    };
    assert_eq!((line(499), line(500), line(1)), (499, 501, 1));
    let twice = basket(&[(&tea, Quantity::grams(500)), (&tea, Quantity::grams(500))]);
    assert_eq!(twice.lines.len(), 2);
    assert_eq!(
        price(&twice, &rules(vec![]), noon()).unwrap().total_minor,
        1_002
    );
}

#[test]
fn a_label_decides_its_own_price() {
    // Proves a price-embedded label overrides price × weight, even without a list price.
    let mut fish = weighed(1, 120_000);
    let mut labelled = NewLine::of(fish.clone(), Quantity::grams(500));
    labelled.price_override_minor = Some(57_000);
    let mut basket = Basket::new();
    basket.add_line(labelled.clone()).unwrap();
    fish.prices.clear();
    labelled.item = fish;
    basket.add_line(labelled).unwrap();
    let priced = price(&basket, &rules(vec![]), noon()).unwrap();
    assert_eq!(priced.total_minor, 114_000);
    let unit_prices: Vec<i64> = priced.lines.iter().map(|l| l.unit_price_minor).collect();
    assert_eq!(unit_prices, [120_000, 57_000]);
}

#[test]
fn deposits_are_never_discounted() {
    // Proves a deposit counts per piece, has its own VAT rate and escapes promotions.
    let mut beer = item(1, 20_000);
    beer.tax_class = SPIRITS;
    beer.deposit = Some(Deposit {
        name: "Vỏ chai".into(),
        amount_minor: 3_000,
        tax_class: UNTAXED,
    });
    let half = promotion(
        1,
        Scope::all(),
        PromotionKind::Percent {
            basis_points: 10_000,
        },
    );
    let priced = price(&basket(&[(&beer, pieces(4))]), &rules(vec![half]), noon()).unwrap();
    assert_eq!(
        (priced.deposit_minor, priced.discount_minor),
        (12_000, 80_000)
    );
    assert_eq!(priced.total_minor, 12_000);
    let grosses: Vec<(u32, i64)> = priced
        .taxes
        .iter()
        .map(|t| (t.basis_points, t.gross_minor))
        .collect();
    assert_eq!(grosses, [(0, 12_000), (1000, 0)]);
    assert_eq!(priced.lines[0].deposit_basis_points, Some(0));
}

#[test]
fn the_strictest_age_counts() {
    // Proves the basket and its price tell the highest age needed.
    let (mut beer, mut knife, bread) = (item(1, 1), item(2, 1), item(3, 1));
    beer.min_age = Some(16);
    knife.min_age = Some(18);
    assert_eq!(basket(&[(&bread, pieces(1))]).min_age(), None);
    let basket = basket(&[(&beer, pieces(1)), (&knife, pieces(1)), (&bread, pieces(1))]);
    assert_eq!(
        price(&basket, &rules(vec![]), noon()).unwrap().min_age,
        Some(18)
    );
}

#[test]
fn prices_change_at_local_midnight() {
    // Proves the latest price begun holds, whatever the order of the list.
    let mut rice = item(1, 10_000);
    for (from, price_minor) in [("2026-12-01", 12_000), ("2026-06-01", 11_000)] {
        rice.prices.push(PriceFrom {
            from: date(from),
            price_minor,
        });
    }
    let on = |day| rice.price_at(date(day));
    assert_eq!(on("2019-12-31"), None);
    assert_eq!(on("2026-05-31"), Some(10_000));
    assert_eq!(
        (on("2026-06-01"), on("2026-11-30")),
        (Some(11_000), Some(11_000))
    );
    assert_eq!(on("2026-12-01"), Some(12_000));
}

#[test]
fn what_cannot_be_priced_names_the_line() {
    // Proves each impossible basket is refused with its line, not priced wrongly.
    let too_early = at("2019-01-01", 0, 0);
    let bread = item(1, 10_000);
    let one = |item: &Item| basket(&[(item, pieces(1))]);
    let plain = rules(vec![]);
    let error = |basket: &Basket, when| price(basket, &plain, when).unwrap_err();
    assert!(matches!(
        error(&one(&bread), too_early),
        PricingError::NoPrice {
            line: LineId(0),
            ..
        }
    ));
    let mut strange = bread.clone();
    strange.tax_class = TaxClassId(99);
    assert!(matches!(
        error(&one(&strange), noon()),
        PricingError::NoTaxRate {
            class: TaxClassId(99),
            ..
        }
    ));
    let negative = item(1, -1);
    assert!(matches!(
        error(&one(&negative), noon()),
        PricingError::NegativePrice { .. }
    ));
    let endless = item(1, i64::MAX);
    assert_eq!(
        error(&basket(&[(&endless, pieces(2))]), noon()),
        PricingError::Overflow
    );
    let second = item(2, i64::MAX);
    let sum = basket(&[(&endless, pieces(1)), (&second, pieces(1))]);
    assert_eq!(error(&sum, noon()), PricingError::Overflow);
    let mut half = one(&bread);
    half.lines[0].quantity = Quantity::milli(500);
    assert_eq!(
        error(&half, noon()),
        PricingError::BadQuantity { line: LineId(0) }
    );
    half.lines[0].quantity = Quantity::milli(-1000);
    assert_eq!(
        error(&half, noon()),
        PricingError::BadQuantity { line: LineId(0) }
    );
}

#[test]
fn the_largest_amounts_are_exact() {
    // Proves nothing wraps or loses a unit at the top of the range.
    let endless = item(1, i64::MAX);
    let mut rules = rules(vec![promotion(
        1,
        Scope::all(),
        PromotionKind::Percent {
            basis_points: 9_999,
        },
    )]);
    rules.cash_rounding = None;
    let priced = price(&basket(&[(&endless, pieces(1))]), &rules, noon()).unwrap();
    assert_eq!(priced.total_minor, 922_337_203_685_478);
    rules.promotions.clear();
    rules.cash_rounding = Some(CashRounding {
        step_minor: 500,
        mode: RoundingMode::Up,
    });
    let error = price(&basket(&[(&endless, pieces(1))]), &rules, noon()).unwrap_err();
    assert_eq!(error, PricingError::Overflow);
}

#[test]
fn cash_alone_is_rounded() {
    // Proves the card total keeps every đồng, and partial cash rounds by the same rule.
    let bread = item(1, 10_250);
    let priced = price(&basket(&[(&bread, pieces(1))]), &rules(vec![]), noon()).unwrap();
    assert_eq!(
        (priced.total_minor, priced.cash_total_minor),
        (10_250, 10_500)
    );
    assert_eq!(rules(vec![]).cash_due(10_249).unwrap(), 10_000);
    let exact = Rules {
        cash_rounding: None,
        ..rules(vec![])
    };
    assert_eq!(exact.cash_due(10_249).unwrap(), 10_249);
}

#[test]
fn rules_with_faults_are_named_and_still_sell() {
    // Proves a bad configuration is reported in full and the faulty promotion left out.
    let bread = item(1, 10_000);
    let mut rules = rules(vec![
        promotion(
            1,
            Scope::all(),
            PromotionKind::Percent {
                basis_points: 10_001,
            },
        ),
        promotion(
            1,
            Scope::all(),
            PromotionKind::NForM {
                n: 2,
                m: 2,
                same_item: false,
            },
        ),
    ]);
    rules.tax.classes.push(class(FOOD, &[]));
    rules.cash_rounding = Some(CashRounding {
        step_minor: 0,
        mode: RoundingMode::Up,
    });
    let id = PromotionId(1);
    assert_eq!(
        rules.check(),
        [
            RulesFault::Promotion {
                promotion: id,
                fault: PromotionFault::BasisPoints
            },
            RulesFault::Promotion {
                promotion: id,
                fault: PromotionFault::Counts
            },
            RulesFault::PromotionTwice { promotion: id },
            RulesFault::NoRates { class: FOOD },
            RulesFault::TaxClassTwice { class: FOOD },
            RulesFault::RoundingStep,
        ]
    );
    let priced = price(&basket(&[(&bread, pieces(1))]), &rules, noon()).unwrap();
    assert_eq!(
        (priced.total_minor, priced.cash_total_minor),
        (10_000, 10_000)
    );
}

#[test]
fn goods_without_vat_are_not_goods_at_nought_percent() {
    // Proves that a rate of 0 %, "not subject" and "not declared" are three sums, none of which brings tax, with VAT
    // included and added alike, and that a number beside "exempt" is never charged.
    const EXEMPT: TaxClassId = TaxClassId(4);
    const OUTSIDE: TaxClassId = TaxClassId(5);
    for mode in [TaxMode::Included, TaxMode::Added] {
        let mut rules = Rules {
            tax: vietnam(mode),
            ..rules(vec![])
        };
        for (id, treatment) in [
            (EXEMPT, TaxTreatment::Exempt),
            (OUTSIDE, TaxTreatment::NotDeclared),
        ] {
            let mut class = class(id, &[("2020-01-01", 1000)]);
            class.rates[0].treatment = treatment;
            rules.tax.classes.push(class);
        }
        let mut goods = [item(1, 10_000), item(2, 20_000), item(3, 40_000)];
        goods[0].tax_class = UNTAXED;
        goods[1].tax_class = EXEMPT;
        goods[2].tax_class = OUTSIDE;
        let [bread, rice, stamp] = &goods;
        let basket = basket(&[(bread, pieces(1)), (rice, pieces(1)), (stamp, pieces(1))]);
        let priced = price(&basket, &rules, noon()).unwrap();
        let sums: Vec<_> = priced
            .taxes
            .iter()
            .map(|tax| {
                (
                    tax.treatment,
                    tax.basis_points,
                    tax.base_minor,
                    tax.tax_minor,
                )
            })
            .collect();
        assert_eq!(
            sums,
            [
                (TaxTreatment::Rated, 0, 10_000, 0),
                (TaxTreatment::Exempt, 0, 20_000, 0),
                (TaxTreatment::NotDeclared, 0, 40_000, 0),
            ]
        );
        assert_eq!((priced.total_minor, priced.tax_minor), (70_000, 0));
    }
}
