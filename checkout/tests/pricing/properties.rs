//! What holds for every basket and every set of rules.

use super::*;
use proptest::prelude::*;

fn any_scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::all()),
        prop::collection::vec(0_i64..8, 1..4)
            .prop_map(|ids| Scope::items(ids.into_iter().map(ItemId))),
        Just(Scope::group("even")),
    ]
}

fn any_from() -> impl Strategy<Value = RewardFrom> {
    prop_oneof![
        Just(RewardFrom::SameItem),
        Just(RewardFrom::SameScope),
        any_scope().prop_map(RewardFrom::Other),
    ]
}

fn any_kind() -> impl Strategy<Value = PromotionKind> {
    let per = prop_oneof![Just(AmountPer::Unit), Just(AmountPer::Basket)];
    prop_oneof![
        (1_u32..=10_000).prop_map(|basis_points| PromotionKind::Percent { basis_points }),
        (1_i64..5_000, per).prop_map(|(minor, per)| PromotionKind::Amount { minor, per }),
        (0_i64..5_000).prop_map(|price_minor| PromotionKind::PriceOf { price_minor }),
        (1_u32..4, 1_u32..3, any::<bool>()).prop_map(|(m, more, same_item)| PromotionKind::NForM {
            n: m + more,
            m,
            same_item
        }),
        (1_u32..4, 1_u32..3, any_from(), 1_u32..=10_000).prop_map(
            |(buy, get, from, basis_points)| PromotionKind::BuyXGetY {
                buy,
                get,
                from,
                basis_points
            }
        ),
        (1_u32..5, 0_i64..9_000)
            .prop_map(|(n, price_minor)| PromotionKind::MixAndMatch { n, price_minor }),
    ]
}

prop_compose! {
    fn any_promotion()(
        kind in any_kind(),
        scope in any_scope(),
        priority in 0_u32..3,
        limit in prop::option::of(1_u32..4),
        minimum_minor in prop_oneof![Just(0_i64), 0_i64..20_000],
        maximum_minor in prop::option::of(1_i64..3_000),
        stackable in any::<bool>(),
        coupon in any::<bool>(),
    ) -> Promotion {
        Promotion {
            priority,
            limit,
            minimum_minor,
            maximum_minor,
            stackable,
            coupon: coupon.then(|| "TET".to_owned()),
            ..promotion(0, scope, kind)
        }
    }
}

fn any_promotions(most: usize) -> impl Strategy<Value = Vec<Promotion>> {
    prop::collection::vec(any_promotion(), 0..most).prop_map(|mut promotions| {
        for (promotion, id) in promotions.iter_mut().zip(1..) {
            promotion.id = PromotionId(id);
        }
        promotions
    })
}

fn any_line() -> impl Strategy<Value = NewLine> {
    (0_i64..8, 0_u8..6, 1_u32..12, 1_i64..4_000).prop_map(|(id, sort, count, price_minor)| {
        // The price belongs to the item, so that equal items are equal.
        let mut item = item(id, id * 791 + 37);
        item.tax_class = [FOOD, SPIRITS, UNTAXED][usize::try_from(id % 3).unwrap()];
        if id % 2 == 0 {
            item.groups.push("even".into());
        }
        if id == 5 {
            item.deposit = Some(Deposit {
                name: "Vỏ".into(),
                amount_minor: 9,
                tax_class: UNTAXED,
            });
        }
        if id == 6 || id == 7 {
            item.unit = kilogram();
            return NewLine::of(item, Quantity::grams(count * 137));
        }
        let mut line = NewLine::of(item, pieces(count));
        line.price_override_minor = (sort == 0).then_some(price_minor);
        line
    })
}

fn any_basket() -> impl Strategy<Value = Basket> {
    (prop::collection::vec(any_line(), 0..9), any::<bool>()).prop_map(|(lines, coupon)| {
        let mut basket = Basket::new();
        for line in lines {
            basket.add_line(line).unwrap();
        }
        if coupon {
            basket.add_coupon("tet").unwrap();
        }
        basket
    })
}

fn any_rules(most: usize) -> impl Strategy<Value = Rules> {
    (any_promotions(most), any::<bool>()).prop_map(|(promotions, added)| Rules {
        tax: vietnam(if added {
            TaxMode::Added
        } else {
            TaxMode::Included
        }),
        ..rules(promotions)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_sum_is_exact(basket in any_basket(), rules in any_rules(8)) {
        // Proves lines, discounts, rates and totals add up to the đồng, and none is negative.
        let priced = price(&basket, &rules, noon()).unwrap();
        let sum = |f: fn(&PricedLine) -> i64| priced.lines.iter().map(f).sum::<i64>();
        prop_assert_eq!(sum(|l| l.gross_minor), priced.subtotal_minor);
        prop_assert_eq!(sum(|l| l.discount_minor), priced.discount_minor);
        prop_assert_eq!(sum(|l| l.deposit_minor), priced.deposit_minor);
        for line in &priced.lines {
            prop_assert!(line.net_minor >= 0 && line.discount_minor >= 0);
            prop_assert_eq!(line.net_minor, line.gross_minor - line.discount_minor);
            let shares = priced.discounts.iter().flat_map(|d| &d.lines);
            let off: i64 = shares.filter(|s| s.line == line.line).map(|s| s.amount_minor).sum();
            prop_assert_eq!(off, line.discount_minor);
        }
        for discount in &priced.discounts {
            prop_assert!(discount.lines.iter().all(|share| share.amount_minor > 0));
            prop_assert_eq!(discount.lines.iter().map(|s| s.amount_minor).sum::<i64>(), discount.amount_minor);
        }
        let goods = priced.subtotal_minor - priced.discount_minor + priced.deposit_minor;
        let rates = |f: fn(&TaxTotal) -> i64| priced.taxes.iter().map(f).sum::<i64>();
        prop_assert!(priced.taxes.iter().all(|t| t.base_minor >= 0 && t.tax_minor >= 0));
        prop_assert_eq!(rates(|t| t.gross_minor), priced.total_minor);
        prop_assert_eq!(rates(|t| t.base_minor + t.tax_minor), priced.total_minor);
        let due = match rules.tax.mode {
            TaxMode::Included => goods,
            TaxMode::Added => goods + priced.tax_minor,
        };
        prop_assert_eq!(due, priced.total_minor);
        prop_assert_eq!(priced.cash_total_minor % 500, 0);
    }

    #[test]
    fn order_changes_nothing(
        (basket, lines) in any_basket().prop_flat_map(|b| (Just(b.clone()), Just(b.lines).prop_shuffle())),
        (rules, promotions) in any_rules(8).prop_flat_map(|r| (Just(r.clone()), Just(r.promotions).prop_shuffle())),
    ) {
        // Proves the order of lines and of promotions has no influence on any amount.
        let priced = price(&basket, &rules, noon()).unwrap();
        let mut shuffled_basket = basket;
        shuffled_basket.lines = lines;
        let shuffled = Rules { promotions, ..rules };
        let other = price(&shuffled_basket, &shuffled, noon()).unwrap();
        for line in &priced.lines {
            prop_assert_eq!(Some(line), other.line(line.line));
        }
        let given = |p: &Priced| p.discounts.iter().map(|d| (d.promotion, d.amount_minor)).collect::<Vec<_>>();
        prop_assert_eq!(given(&priced), given(&other));
        prop_assert_eq!((priced.total_minor, &priced.taxes), (other.total_minor, &other.taxes));
    }

    #[test]
    fn one_more_offer_never_costs_more(basket in any_basket(), promotions in any_promotions(6)) {
        // Proves that among rivals of one priority the shopper only ever gains by another.
        let mut offers: Vec<Promotion> = promotions
            .into_iter()
            .map(|p| Promotion { stackable: false, priority: 0, ..p })
            .collect();
        let mut given = Vec::new();
        while !offers.is_empty() {
            given.push(price(&basket, &rules(offers.clone()), noon()).unwrap().discount_minor);
            offers.pop();
        }
        prop_assert!(given.is_sorted_by(|a, b| a >= b), "{:?}", given);
    }

    #[test]
    fn many_offers_are_worth_the_best_one(basket in any_basket(), promotions in any_promotions(14)) {
        // Proves that above the exhaustive limit nobody gets less than the best single offer.
        let offers: Vec<Promotion> = promotions
            .into_iter()
            .map(|p| Promotion { stackable: false, priority: 0, ..p })
            .collect();
        let together = price(&basket, &rules(offers.clone()), noon()).unwrap().discount_minor;
        for offer in offers {
            let alone = price(&basket, &rules(vec![offer]), noon()).unwrap().discount_minor;
            prop_assert!(together >= alone);
        }
    }
}
