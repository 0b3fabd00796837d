//! Every small case against the independent model.

use super::*;
use proptest::prelude::*;

fn a() -> Item {
    Item {
        deposit: Some(Deposit {
            name: "Vỏ".into(),
            amount_minor: 7,
            tax_class: UNTAXED,
        }),
        groups: vec!["combo".into()],
        ..item(1, 1_001)
    }
}

fn b() -> Item {
    Item {
        tax_class: SPIRITS,
        groups: vec!["combo".into()],
        ..item(2, 700)
    }
}

fn c() -> Item {
    Item {
        tax_class: SPIRITS,
        ..weighed(3, 3_333)
    }
}

fn small_basket(count_a: u32, count_b: u32, third: u32) -> Basket {
    let mut basket = Basket::new();
    for (item, count) in [(b(), count_b), (a(), count_a)] {
        if count > 0 {
            basket.add(item, pieces(count)).unwrap();
        }
    }
    match third {
        1 => drop(basket.add(c(), Quantity::grams(345)).unwrap()),
        2 => {
            let mut labelled = NewLine::of(c(), Quantity::grams(500));
            labelled.price_override_minor = Some(1_999);
            basket.add_line(labelled).unwrap();
        }
        _ => {}
    }
    basket
}

/// Every kind, on everything, on one item, and across items.
fn kinds() -> Vec<(Scope, PromotionKind)> {
    let one = || Scope::items([ItemId(1)]);
    let combo = || Scope::group("combo");
    let buy = |buy, get, from, basis_points| PromotionKind::BuyXGetY {
        buy,
        get,
        from,
        basis_points,
    };
    vec![
        (
            Scope::all(),
            PromotionKind::Percent {
                basis_points: 1_250,
            },
        ),
        (
            one(),
            PromotionKind::Percent {
                basis_points: 3_333,
            },
        ),
        (
            Scope::all(),
            PromotionKind::Amount {
                minor: 1_500,
                per: AmountPer::Basket,
            },
        ),
        (
            Scope::all(),
            PromotionKind::Amount {
                minor: 250,
                per: AmountPer::Unit,
            },
        ),
        (Scope::all(), PromotionKind::PriceOf { price_minor: 650 }),
        (
            combo(),
            PromotionKind::NForM {
                n: 3,
                m: 2,
                same_item: false,
            },
        ),
        (
            combo(),
            PromotionKind::NForM {
                n: 2,
                m: 1,
                same_item: true,
            },
        ),
        (one(), buy(2, 1, RewardFrom::SameItem, 10_000)),
        (combo(), buy(1, 1, RewardFrom::SameScope, 5_000)),
        (
            one(),
            buy(1, 1, RewardFrom::Other(Scope::items([ItemId(2)])), 10_000),
        ),
        (combo(), buy(1, 1, RewardFrom::Other(one()), 7_500)),
        (
            combo(),
            PromotionKind::MixAndMatch {
                n: 2,
                price_minor: 1_300,
            },
        ),
        (
            combo(),
            PromotionKind::MixAndMatch {
                n: 3,
                price_minor: 2_000,
            },
        ),
    ]
}

fn offers() -> Vec<Promotion> {
    let kinds = kinds().into_iter();
    kinds
        .map(|(scope, kind)| promotion(0, scope, kind))
        .collect()
}

fn naive_cash(rounding: CashRounding, total: i64) -> i64 {
    let below = (0..=total)
        .rev()
        .find(|v| v % rounding.step_minor == 0)
        .unwrap();
    let above = (total..).find(|v| v % rounding.step_minor == 0).unwrap();
    let nearer_up = above - total < total - below;
    let tie = above - total == total - below;
    match rounding.mode {
        RoundingMode::Down => below,
        RoundingMode::Up => above,
        RoundingMode::HalfUp => {
            if nearer_up || tie {
                above
            } else {
                below
            }
        }
        RoundingMode::HalfDown => {
            if nearer_up {
                above
            } else {
                below
            }
        }
    }
}

fn agree(basket: &Basket, rules: &Rules) {
    let priced = price(basket, rules, noon()).unwrap();
    let expected = model::outcome(basket, rules, noon());
    let net: Vec<i64> = priced.lines.iter().map(|line| line.net_minor).collect();
    let context = || format!("{:#?}\n{:#?}", basket, rules.promotions);
    assert_eq!(net, expected.net, "{}", context());
    let taxes: Vec<(u32, i64, i64, i64)> = priced
        .taxes
        .iter()
        .map(|t| (t.basis_points, t.base_minor, t.tax_minor, t.gross_minor))
        .collect();
    assert_eq!(taxes, expected.taxes, "{}", context());
    assert_eq!(priced.total_minor, expected.total, "{}", context());
    let cash = naive_cash(rules.cash_rounding.unwrap(), expected.total);
    assert_eq!(priced.cash_total_minor, cash, "{}", context());
}

/// Both tax modes; the four ways of rounding cash take turns.
fn both_modes(turn: usize, promotions: &[Promotion]) -> [Rules; 2] {
    let modes = [
        RoundingMode::HalfUp,
        RoundingMode::HalfDown,
        RoundingMode::Down,
        RoundingMode::Up,
    ];
    let mode = modes[turn % 4];
    [TaxMode::Included, TaxMode::Added].map(|tax| Rules {
        currency: Currency::VND,
        tax: vietnam(tax),
        cash_rounding: Some(CashRounding {
            step_minor: [50, 20][turn / 4 % 2],
            mode,
        }),
        promotions: promotions.to_vec(),
    })
}

fn small_baskets(most: u32) -> Vec<Basket> {
    let mut baskets = Vec::new();
    for count_a in 0..=most {
        for count_b in 0..=most {
            baskets.extend((0..3).map(|third| small_basket(count_a, count_b, third)));
        }
    }
    baskets
}

#[test]
fn every_single_promotion_agrees_with_the_model() {
    // Proves each kind with each limit, cap, tax mode and rounding on all small baskets.
    let mut turn = 0;
    for offer in offers() {
        for (limit, maximum_minor) in [(None, None), (Some(1), None), (Some(2), Some(333))] {
            for stackable in [false, true] {
                let offer = Promotion {
                    limit,
                    maximum_minor,
                    stackable,
                    ..offer.clone()
                };
                for basket in small_baskets(4) {
                    turn += 1;
                    for rules in both_modes(turn, std::slice::from_ref(&offer)) {
                        agree(&basket, &rules);
                    }
                }
            }
        }
    }
}

#[test]
fn every_pair_of_promotions_agrees_with_the_model() {
    // Proves rivals, priorities and stacking for every pair of kinds on small baskets.
    let offers = offers();
    let baskets = small_baskets(3);
    let mut turn = 0;
    for first in &offers {
        for second in &offers {
            for (stack_first, stack_second, priority) in [
                (false, false, 0),
                (false, false, 1),
                (true, false, 0),
                (true, true, 0),
            ] {
                let pair = [
                    Promotion {
                        id: PromotionId(1),
                        stackable: stack_first,
                        ..first.clone()
                    },
                    Promotion {
                        id: PromotionId(2),
                        stackable: stack_second,
                        priority,
                        ..second.clone()
                    },
                ];
                turn += 1;
                // A fifth of the baskets for each pair, another fifth for the next.
                for basket in baskets.iter().skip(turn % 5).step_by(5) {
                    for rules in both_modes(turn, &pair) {
                        agree(basket, &rules);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn several_promotions_agree_with_the_model(
        count_a in 0_u32..6,
        count_b in 0_u32..6,
        third in 0_u32..3,
        chosen in prop::collection::vec((0_usize..13, 0_u32..2, any::<bool>(), 0_u32..4), 2..5),
        turn in 0_usize..8,
    ) {
        // Proves three and four promotions at once, with limits, agree as well.
        let offers = offers();
        let promotions: Vec<Promotion> = chosen
            .into_iter()
            .zip(1..)
            .map(|((kind, priority, stackable, limit), id)| Promotion {
                id: PromotionId(id),
                priority,
                stackable,
                limit: (limit > 0).then_some(limit),
                ..offers[kind].clone()
            })
            .collect();
        let basket = small_basket(count_a, count_b, third);
        for rules in both_modes(turn, &promotions) {
            agree(&basket, &rules);
        }
    }
}
