//! Each kind of promotion, when it runs, and how several share a basket.

use super::*;

fn percent(basis_points: u32) -> PromotionKind {
    PromotionKind::Percent { basis_points }
}

fn buy(buy: u32, get: u32, from: RewardFrom) -> PromotionKind {
    PromotionKind::BuyXGetY {
        buy,
        get,
        from,
        basis_points: 10_000,
    }
}

fn on(id: i64) -> Scope {
    Scope::items([ItemId(id)])
}

#[test]
fn percent_rounds_once() {
    // Proves a percentage is rounded half up on its total and allocated exactly.
    let (a, b) = (item(1, 105), item(2, 105));
    let lines = [(&a, pieces(1)), (&b, pieces(1))];
    let ten = promotion(1, Scope::all(), percent(1_000));
    assert_eq!(discount(&lines, ten.clone()), 21);
    let priced = price(&basket(&lines), &rules(vec![ten]), noon()).unwrap();
    let off: Vec<i64> = priced.lines.iter().map(|l| l.discount_minor).collect();
    assert_eq!(off, [11, 10]);
}

#[test]
fn amounts_never_exceed_the_goods() {
    // Proves fixed amounts stop at zero, per unit, per kilogram and per basket.
    let (cheap, dear, tea) = (item(1, 300), item(2, 900), weighed(3, 2_000));
    let per = |per| PromotionKind::Amount { minor: 500, per };
    let lines = [
        (&cheap, pieces(2)),
        (&dear, pieces(2)),
        (&tea, Quantity::grams(250)),
    ];
    let unit = promotion(1, Scope::all(), per(AmountPer::Unit));
    assert_eq!(discount(&lines, unit), 2 * 300 + 2 * 500 + 125);
    let whole = promotion(1, Scope::all(), per(AmountPer::Basket));
    assert_eq!(discount(&lines, whole.clone()), 500);
    assert_eq!(discount(&[(&cheap, pieces(1))], whole), 300);
}

#[test]
fn price_of_is_only_ever_lower() {
    // Proves a special price never raises a price, and works by the kilogram.
    let (cheap, dear, tea) = (item(1, 300), item(2, 900), weighed(3, 2_000));
    let lines = [
        (&cheap, pieces(2)),
        (&dear, pieces(2)),
        (&tea, Quantity::grams(250)),
    ];
    let special = promotion(1, Scope::all(), PromotionKind::PriceOf { price_minor: 400 });
    assert_eq!(discount(&lines, special.clone()), 2 * 500 + 400);
    let once = Promotion {
        limit: Some(1),
        ..special
    };
    assert_eq!(
        discount(&[(&cheap, pieces(2)), (&dear, pieces(2))], once),
        500
    );
}

#[test]
fn n_for_m_frees_the_cheapest_of_each_set() {
    // Proves sets are formed dearest first, mixed or per item, up to the limit.
    let (a, b) = (item(1, 100), item(2, 60));
    let lines = [(&a, pieces(4)), (&b, pieces(3))];
    let three = |same_item| PromotionKind::NForM {
        n: 3,
        m: 2,
        same_item,
    };
    // 100 100 100 | 100 60 60 | 60
    assert_eq!(
        discount(&lines, promotion(1, Scope::all(), three(false))),
        160
    );
    // 100 100 100 | 60 60 60
    assert_eq!(
        discount(&lines, promotion(1, Scope::all(), three(true))),
        160
    );
    let once = Promotion {
        limit: Some(1),
        ..promotion(1, Scope::all(), three(true))
    };
    assert_eq!(discount(&lines, once), 100);
    assert_eq!(
        discount(&[(&a, pieces(2))], promotion(1, Scope::all(), three(false))),
        0
    );
}

#[test]
fn buy_some_get_some_of_the_same() {
    // Proves the reward share, and that a set must be complete.
    let a = item(1, 1_001);
    let half = PromotionKind::BuyXGetY {
        buy: 1,
        get: 1,
        from: RewardFrom::SameScope,
        basis_points: 5_000,
    };
    assert_eq!(
        discount(&[(&a, pieces(1))], promotion(1, on(1), half.clone())),
        0
    );
    assert_eq!(
        discount(&[(&a, pieces(3))], promotion(1, on(1), half.clone())),
        501
    );
    assert_eq!(
        discount(&[(&a, pieces(4))], promotion(1, on(1), half)),
        1_001
    );
}

#[test]
fn buy_some_get_another() {
    // Proves rewards of another scope, also where the scopes overlap.
    let (bread, jam, honey) = (item(1, 20), item(2, 50), item(3, 80));
    let spread = Scope::items([ItemId(2), ItemId(3)]);
    let offer = promotion(1, on(1), buy(2, 1, RewardFrom::Other(spread.clone())));
    let lines = [(&bread, pieces(5)), (&jam, pieces(1)), (&honey, pieces(1))];
    assert_eq!(discount(&lines, offer.clone()), 130);
    let lines = [(&bread, pieces(3)), (&jam, pieces(1)), (&honey, pieces(1))];
    assert_eq!(discount(&lines, offer), 80);
    let any = promotion(1, Scope::all(), buy(2, 1, RewardFrom::Other(spread)));
    // Three spreads: two honeys qualify, the jam is free.
    assert_eq!(discount(&[(&jam, pieces(1)), (&honey, pieces(2))], any), 50);
}

#[test]
fn the_cheapest_qualify_and_the_dear_stay_free() {
    // Proves qualifying pieces are the cheapest, so that rivals find the dearer ones.
    let (bread, cake, jam) = (item(1, 20), item(2, 90), item(3, 50));
    let baked = Scope::items([ItemId(1), ItemId(2)]);
    let free_jam = promotion(1, baked, buy(1, 1, RewardFrom::Other(on(3))));
    let tenth = promotion(2, on(2), percent(1_000));
    let rules = rules(vec![free_jam, tenth]);
    let lines = [(&bread, pieces(1)), (&cake, pieces(1)), (&jam, pieces(1))];
    let priced = price(&basket(&lines), &rules, noon()).unwrap();
    assert_eq!(priced.discount_minor, 50 + 9);
}

#[test]
fn mix_and_match_takes_the_dearest() {
    // Proves sets for one price, dearest first, and only where that saves.
    let (a, b) = (item(1, 100), item(2, 40));
    let three = promotion(
        1,
        Scope::all(),
        PromotionKind::MixAndMatch {
            n: 3,
            price_minor: 200,
        },
    );
    // 100 100 100 = 300; 40 40 40 = 120 stays.
    assert_eq!(
        discount(&[(&a, pieces(3)), (&b, pieces(3))], three.clone()),
        100
    );
    // 100 100 40 = 240.
    assert_eq!(discount(&[(&a, pieces(2)), (&b, pieces(1))], three), 40);
}

#[test]
fn thousands_of_pieces_cost_no_more_than_a_few() {
    // Proves sets over the largest basket are exact and formed at once.
    let items: Vec<Item> = (0..200).map(|id| item(id, 1_000 + id)).collect();
    let lines: Vec<(&Item, Quantity)> = items.iter().map(|i| (i, pieces(9_999))).collect();
    let kind = PromotionKind::NForM {
        n: 3,
        m: 2,
        same_item: true,
    };
    let expected: i64 = (0..200).map(|id| (1_000 + id) * 3_333).sum();
    let mut offers: Vec<Promotion> = (1..=5)
        .map(|id| promotion(id, Scope::all(), kind.clone()))
        .collect();
    let priced = price(&basket(&lines), &rules(offers.clone()), noon()).unwrap();
    assert_eq!(priced.discount_minor, expected);
    offers.truncate(1);
    offers[0].kind = PromotionKind::MixAndMatch {
        n: 2,
        price_minor: 0,
    };
    let priced = price(&basket(&lines), &rules(offers), noon()).unwrap();
    assert_eq!(priced.total_minor, 0);
}

#[test]
fn labels_take_part_in_percentages_only() {
    // Proves weighed and labelled lines never form sets, and a label keeps its own price.
    let fish = weighed(1, 100);
    let mut labelled = NewLine::of(item(2, 100), pieces(1));
    labelled.price_override_minor = Some(90);
    let mut basket = basket(&[(&fish, Quantity::grams(1_000))]);
    basket.add_line(labelled).unwrap();
    let off = |kind| {
        let rules = rules(vec![promotion(1, Scope::all(), kind)]);
        price(&basket, &rules, noon()).unwrap().discount_minor
    };
    assert_eq!(off(percent(1_000)), 19);
    assert_eq!(
        off(PromotionKind::NForM {
            n: 2,
            m: 1,
            same_item: false
        }),
        0
    );
    assert_eq!(off(PromotionKind::PriceOf { price_minor: 50 }), 50);
    assert_eq!(
        off(PromotionKind::Amount {
            minor: 10,
            per: AmountPer::Unit
        }),
        10
    );
    assert_eq!(
        off(PromotionKind::Amount {
            minor: 500,
            per: AmountPer::Basket
        }),
        190
    );
}

#[test]
fn minimum_and_maximum() {
    // Proves the least basket worth and the cap, which is allocated exactly too.
    let (a, b) = (item(1, 70_000), item(2, 30_000));
    let mut tenth = promotion(1, Scope::all(), percent(1_000));
    tenth.minimum_minor = 100_000;
    tenth.maximum_minor = Some(9_999);
    assert_eq!(discount(&[(&a, pieces(1))], tenth.clone()), 0);
    assert_eq!(
        discount(&[(&a, pieces(1)), (&b, pieces(1))], tenth.clone()),
        9_999
    );
    tenth.maximum_minor = Some(20_000);
    assert_eq!(discount(&[(&a, pieces(1)), (&b, pieces(1))], tenth), 10_000);
}

#[test]
fn scopes_by_item_category_and_group() {
    // Proves an item is in scope when any of the three lists names it.
    let mut tea = item(1, 10);
    tea.category = "Đồ uống".into();
    tea.groups = vec!["combo".into()];
    for scope in [
        Scope::all(),
        on(1),
        Scope::category("Đồ uống"),
        Scope::group("combo"),
    ] {
        assert!(scope.contains(&tea), "{scope:?}");
    }
    for scope in [on(2), Scope::category("Đồ ăn"), Scope::group("khác")] {
        assert!(!scope.contains(&tea), "{scope:?}");
    }
    let either = Scope {
        items: vec![ItemId(2)],
        ..Scope::group("combo")
    };
    assert!(either.contains(&tea));
}

#[test]
fn windows_open_and_close() {
    // Proves dates, weekdays and minutes, each at its edge.
    let window = Window {
        from: Some(date("2026-11-02")),
        until: Some(date("2026-11-30")),
        weekdays: vec![Weekday::Monday, Weekday::Sunday],
        minutes: Some(MinuteSpan {
            from_min: 7 * 60,
            until_min: 9 * 60,
        }),
    };
    let open = |day, hour, minute| window.contains(at(day, hour, minute));
    assert!(open("2026-11-02", 7, 0) && open("2026-11-30", 8, 59) && open("2026-11-22", 8, 0));
    assert!(!open("2026-11-02", 6, 59) && !open("2026-11-02", 9, 0));
    assert!(!open("2026-11-03", 8, 0) && !open("2026-11-01", 8, 0) && !open("2026-12-06", 8, 0));
    assert!(Window::default().contains(noon()));
}

#[test]
fn a_night_belongs_to_its_evening() {
    // Proves a span over midnight is judged by the day it began on.
    let friday_night = Window {
        until: Some(date("2026-11-20")),
        weekdays: vec![Weekday::Friday],
        minutes: Some(MinuteSpan {
            from_min: 22 * 60,
            until_min: 2 * 60,
        }),
        ..Window::default()
    };
    let open = |day, hour| friday_night.contains(at(day, hour, 0));
    assert!(open("2026-11-20", 22) && open("2026-11-21", 1));
    assert!(!open("2026-11-20", 1) && !open("2026-11-21", 2) && !open("2026-11-21", 23));
    assert!(!open("2026-11-20", 12) && !open("2026-11-27", 23));
}

#[test]
fn coupons_open_promotions() {
    // Proves a coupon is needed, compared kindly, judged by time, and reported when useless.
    let bread = item(1, 10_000);
    let mut offer = promotion(1, on(1), percent(2_000));
    offer.coupon = Some("Tet2027".into());
    offer.when.until = Some(date("2026-11-30"));
    let rules = rules(vec![offer]);
    let mut basket = basket(&[(&bread, pieces(1))]);
    assert_eq!(price(&basket, &rules, noon()).unwrap().discount_minor, 0);
    basket.add_coupon(" tet2027 ").unwrap();
    basket.add_coupon("NOTHING").unwrap();
    let priced = price(&basket, &rules, noon()).unwrap();
    assert_eq!(priced.discount_minor, 2_000);
    assert_eq!(priced.discounts[0].coupon.as_deref(), Some("TET2027"));
    assert_eq!(priced.unused_coupons, ["NOTHING"]);
    assert_eq!(rules.coupon("tet2027", noon()), CouponCheck::Valid);
    assert_eq!(
        rules.coupon("tet2027", at("2026-12-01", 0, 0)),
        CouponCheck::NotNow
    );
    assert_eq!(rules.coupon("tet", noon()), CouponCheck::Unknown);
    assert_eq!(rules.coupon("", noon()), CouponCheck::Unknown);
}

#[test]
fn rivals_give_the_shopper_the_most() {
    // Proves two promotions that exclude each other are combined for the largest discount.
    let a = item(1, 100);
    let three = promotion(
        1,
        on(1),
        PromotionKind::NForM {
            n: 3,
            m: 2,
            same_item: true,
        },
    );
    let third = promotion(2, on(1), percent(3_000));
    let both = |count| {
        let rules = rules(vec![third.clone(), three.clone()]);
        let priced = price(&basket(&[(&a, pieces(count))]), &rules, noon()).unwrap();
        let ids: Vec<i64> = priced.discounts.iter().map(|d| d.promotion.0).collect();
        (priced.discount_minor, ids)
    };
    assert_eq!(both(2), (60, vec![2]));
    // 100 free, or 30 % of all three: the set wins, and the fourth gets its 30 %.
    assert_eq!(both(3), (100, vec![1]));
    assert_eq!(both(4), (130, vec![1, 2]));
}

#[test]
fn priority_is_the_shops_own_order() {
    // Proves a lower priority number goes first even where the other gives more.
    let a = item(1, 100);
    let small = promotion(1, on(1), percent(500));
    let large = Promotion {
        priority: 1,
        ..promotion(2, on(1), percent(5_000))
    };
    let rules = rules(vec![large, small]);
    let priced = price(&basket(&[(&a, pieces(1))]), &rules, noon()).unwrap();
    assert_eq!(priced.discount_minor, 5);
}

#[test]
fn equal_offers_go_to_the_lower_id() {
    // Proves ties are settled the same way whatever the order of the rules.
    let a = item(1, 100);
    let offers: Vec<Promotion> = [5, 3, 4]
        .map(|id| promotion(id, on(1), percent(500)))
        .into();
    let priced = price(&basket(&[(&a, pieces(1))]), &rules(offers), noon()).unwrap();
    assert_eq!(priced.discounts.len(), 1);
    assert_eq!(priced.discounts[0].promotion, PromotionId(3));
}

#[test]
fn many_rivals_never_lose_the_best_one() {
    // Proves the greedy rule above five rivals takes at least the best single offer.
    let a = item(1, 1_000);
    let offers: Vec<Promotion> = (1..=12)
        .map(|id| promotion(id, on(1), percent(100 * u32::try_from(id).unwrap())))
        .chain([promotion(
            13,
            on(1),
            PromotionKind::NForM {
                n: 2,
                m: 1,
                same_item: true,
            },
        )])
        .collect();
    let priced = price(&basket(&[(&a, pieces(3))]), &rules(offers), noon()).unwrap();
    // 1.000 for the free one, then 12 % of the third.
    assert_eq!(priced.discount_minor, 1_120);
}

#[test]
fn stackable_comes_on_top() {
    // Proves stackable promotions work on what is left, in order of priority.
    let a = item(1, 100);
    let stack = |id, priority, kind| Promotion {
        priority,
        stackable: true,
        ..promotion(id, on(1), kind)
    };
    let half = promotion(9, on(1), percent(5_000));
    let ten = stack(1, 1, percent(1_000));
    let five_off = stack(
        2,
        0,
        PromotionKind::Amount {
            minor: 5,
            per: AmountPer::Basket,
        },
    );
    let rules = rules(vec![ten, five_off, half]);
    let priced = price(&basket(&[(&a, pieces(2))]), &rules, noon()).unwrap();
    // 200 → 100 by half, → 95 by five off, → 85 by 10 % (9,5 rounded up to 10).
    assert_eq!(priced.total_minor, 85);
    let order: Vec<i64> = priced.discounts.iter().map(|d| d.promotion.0).collect();
    assert_eq!(order, [9, 2, 1]);
}

#[test]
fn faults_of_promotions_are_named() {
    // Proves every impossible configuration is caught before it is put to use.
    let good = promotion(1, on(1), percent(1_000));
    assert_eq!(good.check(), Ok(()));
    let kind = |kind| {
        Promotion {
            kind,
            ..good.clone()
        }
        .check()
        .unwrap_err()
    };
    assert_eq!(kind(percent(0)), PromotionFault::BasisPoints);
    assert_eq!(
        kind(buy(0, 1, RewardFrom::SameItem)),
        PromotionFault::Counts
    );
    assert_eq!(
        kind(buy(1, 0, RewardFrom::SameItem)),
        PromotionFault::Counts
    );
    assert_eq!(
        kind(PromotionKind::NForM {
            n: 3,
            m: 0,
            same_item: true
        }),
        PromotionFault::Counts
    );
    assert_eq!(
        kind(PromotionKind::MixAndMatch {
            n: 0,
            price_minor: 1
        }),
        PromotionFault::Counts
    );
    assert_eq!(
        kind(PromotionKind::MixAndMatch {
            n: 1,
            price_minor: -1
        }),
        PromotionFault::Amount
    );
    assert_eq!(
        kind(PromotionKind::PriceOf { price_minor: -1 }),
        PromotionFault::Amount
    );
    let nothing = PromotionKind::Amount {
        minor: 0,
        per: AmountPer::Unit,
    };
    assert_eq!(kind(nothing), PromotionFault::Amount);
    let with = |change: fn(&mut Promotion)| {
        let mut promotion = good.clone();
        change(&mut promotion);
        promotion.check().unwrap_err()
    };
    assert_eq!(with(|p| p.limit = Some(0)), PromotionFault::Limit);
    assert_eq!(with(|p| p.minimum_minor = -1), PromotionFault::Amount);
    assert_eq!(with(|p| p.maximum_minor = Some(0)), PromotionFault::Amount);
    assert_eq!(
        with(|p| p.coupon = Some(" ".into())),
        PromotionFault::Coupon
    );
    let backwards = |p: &mut Promotion| {
        p.when.from = Some(date("2027-01-01"));
        p.when.until = Some(date("2026-01-01"));
    };
    assert_eq!(with(backwards), PromotionFault::Window);
    let late = |p: &mut Promotion| {
        p.when.minutes = Some(MinuteSpan {
            from_min: 1_440,
            until_min: 10,
        });
    };
    assert_eq!(with(late), PromotionFault::Window);
}
