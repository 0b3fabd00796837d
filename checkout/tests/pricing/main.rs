//! Prices, taxes and promotions: examples, properties, and a comparison with an
//! independent model.
#![allow(clippy::unwrap_used, missing_docs)]

mod baskets;
mod examples;
mod model;
mod promotions;
mod properties;
mod purity;
mod quantities;
mod reference;
mod switch;

use std::collections::BTreeMap;

use checkout::*;

pub const FOOD: TaxClassId = TaxClassId(1);
pub const SPIRITS: TaxClassId = TaxClassId(2);
pub const UNTAXED: TaxClassId = TaxClassId(3);

pub fn date(text: &str) -> LocalDate {
    text.parse().unwrap()
}

/// A Sunday noon in November 2026.
pub fn noon() -> LocalDateTime {
    at("2026-11-22", 12, 0)
}

pub fn at(day: &str, hour: u32, minute: u32) -> LocalDateTime {
    LocalDateTime {
        date: date(day),
        second_of_day: hour * 3600 + minute * 60,
    }
}

pub fn kilogram() -> Unit {
    Unit::Weight {
        label: "kg".into(),
        decimals: 3,
    }
}

/// A piece taxed as food.
pub fn item(id: i64, price_minor: i64) -> Item {
    Item {
        id: ItemId(id),
        code: format!("SP{id:03}"),
        name: format!("Hàng {id}"),
        names: BTreeMap::new(),
        unit: Unit::Piece {
            label: "cái".into(),
        },
        prices: vec![PriceFrom {
            from: date("2020-01-01"),
            price_minor,
        }],
        tax_class: FOOD,
        min_age: None,
        deposit: None,
        category: String::new(),
        groups: Vec::new(),
        picture: None,
    }
}

pub fn weighed(id: i64, price_minor: i64) -> Item {
    Item {
        unit: kilogram(),
        ..item(id, price_minor)
    }
}

pub fn class(id: TaxClassId, rates: &[(&str, u32)]) -> TaxClass {
    TaxClass {
        id,
        name: format!("VAT {}", id.0),
        rates: rates
            .iter()
            .map(|&(from, basis_points)| TaxRateFrom {
                from: date(from),
                basis_points,
                treatment: TaxTreatment::Rated,
            })
            .collect(),
    }
}

/// Vietnam: food 8 % until the end of 2026, then 10 %; spirits always 10 %.
pub fn vietnam(mode: TaxMode) -> TaxTable {
    TaxTable {
        mode,
        classes: vec![
            class(
                FOOD,
                &[
                    ("2020-01-01", 1000),
                    ("2025-07-01", 800),
                    ("2027-01-01", 1000),
                ],
            ),
            class(SPIRITS, &[("2020-01-01", 1000)]),
            class(UNTAXED, &[("2020-01-01", 0)]),
        ],
    }
}

pub fn rules(promotions: Vec<Promotion>) -> Rules {
    Rules {
        currency: Currency::VND,
        tax: vietnam(TaxMode::Included),
        cash_rounding: Some(CashRounding {
            step_minor: 500,
            mode: RoundingMode::HalfUp,
        }),
        promotions,
    }
}

pub fn promotion(id: i64, scope: Scope, kind: PromotionKind) -> Promotion {
    Promotion {
        id: PromotionId(id),
        name: format!("Khuyến mãi {id}"),
        names: BTreeMap::new(),
        when: Window::default(),
        coupon: None,
        scope,
        kind,
        priority: 0,
        limit: None,
        minimum_minor: 0,
        maximum_minor: None,
        stackable: false,
    }
}

pub fn basket(lines: &[(&Item, Quantity)]) -> Basket {
    let mut basket = Basket::new();
    for (item, quantity) in lines {
        basket.add((*item).clone(), *quantity).unwrap();
    }
    basket
}

pub fn pieces(count: u32) -> Quantity {
    Quantity::pieces(count)
}

/// The discount of one promotion on these lines, at noon.
pub fn discount(lines: &[(&Item, Quantity)], promotion: Promotion) -> i64 {
    price(&basket(lines), &rules(vec![promotion]), noon())
        .unwrap()
        .discount_minor
}
