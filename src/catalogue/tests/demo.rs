//! The demo shop's own files.

use checkout::{Basket, Currency, Item, Quantity, Rules, TaxMode, TaxTable, price};

use super::*;

fn demo() -> Vec<Entry> {
    let import = read(DEMO_CATALOGUE.as_bytes());
    assert_eq!(
        (
            problems(&import, Severity::Error),
            problems(&import, Severity::Warning)
        ),
        (Vec::new(), Vec::new())
    );
    import.entries
}

fn named(entries: &[Entry], name: &str) -> Item {
    entries
        .iter()
        .find(|entry| entry.item.name == name)
        .unwrap()
        .item
        .clone()
}

#[test]
fn the_demo_shop_is_complete() {
    // Proves size, the goods of the mockups at their prices, weighed goods, adult goods, English names and pictures.
    let entries = demo();
    assert!(entries.len() >= 320, "{}", entries.len());
    let today = "2026-11-23".parse().unwrap();
    for (name, amount) in [
        ("Cà phê sữa đá", 25_000),
        ("Mì Hảo Hảo tôm chua cay", 5_000),
        ("Chuối già Nam Mỹ", 28_000),
        ("Sữa tươi Vinamilk 1 lít", 36_500),
        ("Bánh mì sandwich", 22_000),
        ("Nước cam ép 330 ml", 18_000),
    ] {
        assert_eq!(
            named(&entries, name).price_at(today),
            Some(amount),
            "{name}"
        );
    }
    assert!(named(&entries, "Chuối già Nam Mỹ").sold_by_weight());
    assert!(
        entries
            .iter()
            .filter(|entry| entry.item.sold_by_weight())
            .count()
            >= 25
    );
    for entry in &entries {
        let item = &entry.item;
        assert!(
            entry.sellable()
                && item.names.contains_key("en")
                && entry.category_names.contains_key("en"),
            "{}",
            item.name
        );
        let adult = matches!(item.category.as_str(), "Bia rượu" | "Thuốc lá");
        assert_eq!(item.min_age, adult.then_some(18), "{}", item.name);
        assert!(
            !adult || item.tax_class == TaxClassId(2) || item.name == "Bật lửa gas",
            "{}",
            item.name
        );
        let picture = format!(
            "{}/ui/pictures/{}.png",
            project(),
            item.picture.as_deref().unwrap()
        );
        assert!(std::path::Path::new(&picture).is_file(), "{picture}");
    }
}

/// The folder of the project: the one that holds `demo/`, at or above the crate's.
fn project() -> String {
    let file = std::path::Path::new(file!());
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let above = root
        .join(file)
        .ancestors()
        .nth(4)
        .map(std::path::Path::to_path_buf);
    above
        .unwrap_or_else(|| root.to_path_buf())
        .to_string_lossy()
        .into_owned()
}

#[test]
fn three_milks_cost_two_and_every_promotion_is_sound() {
    // Proves the demo's promotions parse, pass their checks, and that the mockup's discount comes out to the đồng.
    let entries = demo();
    let promotions = promotions(DEMO_PROMOTIONS).unwrap();
    assert!(
        promotions
            .iter()
            .all(|promotion| promotion.names.contains_key("en"))
    );
    let tax = TaxTable {
        mode: TaxMode::Included,
        classes: taxes(),
    };
    let rules = Rules {
        currency: Currency::VND,
        tax,
        cash_rounding: None,
        promotions,
    };
    let mut basket = Basket::default();
    basket
        .add(
            named(&entries, "Sữa tươi Vinamilk 1 lít"),
            Quantity::pieces(3),
        )
        .unwrap();
    basket
        .add(named(&entries, "Cà phê sữa đá"), Quantity::pieces(2))
        .unwrap();
    basket
        .add(named(&entries, "Chuối già Nam Mỹ"), Quantity::grams(846))
        .unwrap();
    let at = checkout::LocalDateTime {
        date: "2026-11-23".parse().unwrap(),
        second_of_day: 10 * 3600,
    };
    let priced = price(&basket, &rules, at).unwrap();
    assert_eq!(
        (priced.discounts[0].name.as_str(), priced.discount_minor),
        ("Mua 2 sữa tươi, tặng 1", 36_500)
    );
    assert_eq!(priced.total_minor, 146_688);
}
