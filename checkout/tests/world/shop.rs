//! A small shop: items of every kind, two VAT rates, promotions, cash rounded to 500 đ.

use std::collections::BTreeMap;

use checkout::barcode::{BarcodeRules, EmbeddedTemplate, gtin_check_digit};
use checkout::till::{LookUpResult, QrConfirm, TillConfig};
use checkout::*;

const START: LocalDate = LocalDate {
    year: 2026,
    month: 1,
    day: 1,
};

fn item(id: i64, code: &str, price_minor: i64) -> Item {
    Item {
        id: ItemId(id),
        code: code.to_owned(),
        name: format!("Item {id}"),
        names: BTreeMap::new(),
        unit: Unit::Piece {
            label: "cái".to_owned(),
        },
        prices: vec![PriceFrom {
            from: START,
            price_minor,
        }],
        tax_class: TaxClassId(1),
        min_age: None,
        deposit: None,
        category: "x".to_owned(),
        groups: Vec::new(),
        picture: None,
    }
}

pub fn items() -> Vec<Item> {
    let mut coffee = item(1, "6291041500213", 25_000);
    coffee.groups = vec!["drinks".to_owned()];
    let milk = item(2, "9501101531000", 36_500);
    let mut beer = item(3, "036000241457", 18_300);
    beer.min_age = Some(18);
    beer.tax_class = TaxClassId(2);
    beer.deposit = Some(Deposit {
        name: "Vỏ".to_owned(),
        amount_minor: 2_000,
        tax_class: TaxClassId(2),
    });
    let mut banana = item(4, "12345", 28_000);
    banana.unit = Unit::Weight {
        label: "kg".to_owned(),
        decimals: 3,
    };
    let free = item(5, "95012346", 0);
    let twin_a = item(6, "TWIN", 9_999);
    let twin_b = item(7, "TWIN", 12_345);
    vec![coffee, milk, beer, banana, free, twin_a, twin_b]
}

/// Codes worth scanning, good and bad.
pub fn codes() -> Vec<String> {
    let label = "2112345".to_owned() + "00846";
    let label = format!("{label}{}", gtin_check_digit(&label).unwrap_or(0));
    [
        "6291041500213",
        "9501101531000",
        "]E00036000241457",
        label.as_str(),
        "95012346",
        "TWIN",
        "6291041500214",
        "NOSUCH",
        "]L0xx",
        "\u{1b}[31m",
        "(01)06291041500213(17)250101",
        "GIAM10",
    ]
    .map(str::to_owned)
    .to_vec()
}

pub fn look_up(candidates: &[String]) -> LookUpResult {
    for key in candidates {
        let mut found: Vec<Item> = items()
            .into_iter()
            .filter(|item| item.code.trim_start_matches('0') == key.trim_start_matches('0'))
            .collect();
        match found.len() {
            0 => {}
            1 => return LookUpResult::One(Box::new(found.remove(0))),
            _ => return LookUpResult::Many(found),
        }
    }
    LookUpResult::None
}

fn promotion(id: i64, kind: PromotionKind) -> Promotion {
    Promotion {
        id: PromotionId(id),
        name: format!("Promotion {id}"),
        names: BTreeMap::new(),
        when: Window::default(),
        coupon: None,
        scope: Scope::all(),
        kind,
        priority: 0,
        limit: None,
        minimum_minor: 0,
        maximum_minor: None,
        stackable: true,
    }
}

pub fn config(seed: u64) -> TillConfig {
    let rate = |basis_points| {
        vec![TaxRateFrom {
            from: START,
            basis_points,
            treatment: TaxTreatment::Rated,
        }]
    };
    let class = |id, name: &str, basis_points| TaxClass {
        id: TaxClassId(id),
        name: name.to_owned(),
        rates: rate(basis_points),
    };
    let mut coupon = promotion(
        1,
        PromotionKind::Percent {
            basis_points: 1_000,
        },
    );
    coupon.coupon = Some("GIAM10".to_owned());
    let mut three_for_two = promotion(
        2,
        PromotionKind::NForM {
            n: 3,
            m: 2,
            same_item: true,
        },
    );
    three_for_two.scope = Scope::group("drinks");
    let mut config = TillConfig::new(Rules {
        currency: Currency::VND,
        tax: TaxTable {
            mode: TaxMode::Included,
            classes: vec![class(1, "VAT 8", 800), class(2, "VAT 10", 1_000)],
        },
        cash_rounding: Some(CashRounding {
            step_minor: 500,
            mode: RoundingMode::HalfUp,
        }),
        promotions: vec![coupon, three_for_two],
    });
    config.barcode = BarcodeRules {
        templates: vec![EmbeddedTemplate {
            pattern: "21NNNNNWWWWWC".to_owned(),
            multiplier: 1,
        }],
    };
    config.order_code_key = u32::try_from(seed & 0xFFFF_FFFF).unwrap_or(0);
    config.reasons.high_one_in = 2;
    // Every fifth shop has nobody who could ask the bank for it.
    if seed % 5 == 4 {
        config.qr_confirm = QrConfirm::Staff;
    }
    config
}
