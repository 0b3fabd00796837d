//! The catalogue file: building, changing over, finding.

use std::collections::BTreeMap;

use checkout::{Item, PriceFrom, TaxClassId, Unit};

use super::*;
use crate::catalogue::{Entry, item_id};

/// An entry with a price and, from its code, a barcode.
pub(super) fn entry(code: &str, name: &str, category: &str) -> Entry {
    let price = PriceFrom {
        from: "2020-01-01".parse().unwrap(),
        price_minor: 10_000,
    };
    let item = Item {
        id: item_id(code),
        code: code.into(),
        name: name.into(),
        names: BTreeMap::new(),
        unit: Unit::Piece {
            label: "cái".into(),
        },
        prices: vec![price],
        tax_class: TaxClassId(1),
        min_age: None,
        deposit: None,
        category: category.into(),
        groups: Vec::new(),
        picture: None,
    };
    Entry {
        item,
        barcodes: vec![format!("893000{code}")],
        category_names: BTreeMap::new(),
        keywords: String::new(),
        rank: 0,
        for_sale: true,
    }
}

fn shop() -> Vec<Entry> {
    let mut entries: Vec<Entry> = [
        ("0001", "Cà phê sữa đá", "Cà phê & trà"),
        ("0002", "Mì Hảo Hảo tôm chua cay", "Mì & gạo"),
        ("0003", "Sữa tươi Vinamilk 1 lít", "Sữa"),
        ("0004", "Cà phê đen", "Cà phê & trà"),
        ("0005", "Bò khô 100g", "Bánh kẹo"),
        ("0006", "Bơ sáp", "Trái cây"),
        ("0007", "Nước cam ép 330 ml", "Đồ uống"),
        ("0008", "Coca Cola lon 320ml", "Đồ uống"),
        ("0009", "Sữa chua uống cà phê", "Sữa"),
    ]
    .map(|(code, name, category)| entry(code, name, category))
    .into();
    entries[6]
        .item
        .names
        .insert("en".into(), "Orange juice".into());
    entries
}

fn with(place: &Place, entries: Vec<Entry>) -> Store {
    let (store, ..) = opened(place);
    store
        .set_catalogue(entries, BuildMode::Replace, "test", 1, &mut |_, _| {})
        .unwrap();
    store
}

fn names(store: &Store, text: &'static str) -> Vec<String> {
    let found = store.call(move |engine| engine.search(text, 10)).unwrap();
    found.into_iter().map(|found| found.item.name).collect()
}

#[test]
fn typing_without_accents_finds_what_is_meant() {
    // Proves folding, prefixes, word order, accents when typed, English names, and letters beside digits.
    let place = Place::new();
    let store = with(&place, shop());
    assert_eq!(names(&store, "ca phe sua")[0], "Cà phê sữa đá");
    assert_eq!(names(&store, "sua ca phe")[0], "Sữa chua uống cà phê");
    assert_eq!(
        names(&store, "ca ph"),
        ["Cà phê đen", "Cà phê sữa đá", "Sữa chua uống cà phê"]
    );
    assert_eq!(names(&store, "bò"), ["Bò khô 100g", "Bơ sáp"]);
    assert_eq!(names(&store, "bơ"), ["Bơ sáp", "Bò khô 100g"]);
    assert_eq!(names(&store, "orange jui"), ["Nước cam ép 330 ml"]);
    assert_eq!(names(&store, "cam 330ml"), ["Nước cam ép 330 ml"]);
    assert_eq!(names(&store, "do uong").len(), 2);
    assert_eq!(names(&store, "zzzz"), Vec::<String>::new());
    assert_eq!(names(&store, " \"*: AND ("), Vec::<String>::new());
    assert_eq!(names(&store, "0003"), ["Sữa tươi Vinamilk 1 lít"]);
}

#[test]
fn slips_of_the_finger_are_forgiven() {
    // Proves wrong, missing, swapped letters, words joined or split, and one word too many still find the item.
    let place = Place::new();
    let store = with(&place, shop());
    for text in [
        "vinamikl",
        "vinanilk",
        "vnamilk",
        "sua vinamlik",
        "haohao",
        "hao hoa",
        "mi haohao tom",
        "cocacola",
        "co ca cola",
        "vinamilk khong duong",
    ] {
        let found = names(&store, text);
        let first = found.first().map(String::as_str);
        assert!(
            matches!(
                first,
                Some("Sữa tươi Vinamilk 1 lít" | "Mì Hảo Hảo tôm chua cay" | "Coca Cola lon 320ml")
            ),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn best_sellers_come_first_at_once_and_after_a_restart() {
    // Proves a sale moves its item up in search and on the first page, without building the catalogue anew.
    let place = Place::new();
    let store = with(&place, shop());
    let top = |store: &Store| {
        store.call(|engine| engine.top_sellers(2)).unwrap()[0]
            .item
            .code
            .clone()
    };
    assert_eq!(names(&store, "ca phe")[0], "Cà phê đen");
    let wanted = Commit {
        sale: Some(Box::new(sale(1, &["0001", "0001"]))),
        ..commit(1, &[])
    };
    store.call(move |engine| engine.commit(wanted)).unwrap();
    assert_eq!(top(&store), "0001");
    assert_eq!(names(&store, "ca phe")[0], "Cà phê sữa đá");
    drop(store);
    let again = loop {
        // The first store closes on its own thread; the lock goes with it.
        match Store::open(config(&place.path()), &ids(1), |_| {}) {
            Ok(opened) => break opened.store,
            Err(error) => assert!(error.retry_helps(), "{error}"),
        }
    };
    assert_eq!(top(&again), "0001");
    assert_eq!(names(&again, "ca phe")[0], "Cà phê sữa đá");
}

#[test]
fn scans_find_by_every_spelling_and_say_when_they_are_ambiguous() {
    // Proves GTIN spellings, the code as a last resort, ambiguity, and that unsellable items are told apart.
    let place = Place::new();
    let mut entries = shop();
    entries[0].barcodes = vec!["012345678905".into()];
    entries[1].barcodes = vec!["SAME".into()];
    entries[2].barcodes = vec!["same".into()];
    entries[3].item.prices.clear();
    let store = with(&place, entries);
    let lookup = |candidates: &[&str]| {
        let candidates: Vec<String> = candidates.iter().map(|code| (*code).to_owned()).collect();
        store
            .call(move |engine| engine.lookup(&candidates))
            .unwrap()
    };
    for code in ["0012345678905", "012345678905", "00012345678905"] {
        assert_eq!(lookup(&[code])[0].item.code, "0001");
    }
    assert_eq!(lookup(&["SAME"]).len(), 2);
    assert_eq!(lookup(&["unknown", "0007"])[0].item.code, "0007");
    assert_eq!(lookup(&["unknown"]), []);
    assert!(!lookup(&["0004"])[0].sellable);
    assert_eq!(
        names(&store, "ca phe den"),
        ["Cà phê sữa đá", "Sữa chua uống cà phê"]
    );
}

#[test]
fn categories_and_pages_show_what_is_for_sale() {
    // Proves categories with their counts, pages in standing order, and the shop's own ranking.
    let place = Place::new();
    let mut entries = shop();
    entries[2].rank = 1;
    entries[5].for_sale = false;
    // One row that names its category in English is enough.
    entries[8].category_names.insert("en".into(), "Milk".into());
    let store = with(&place, entries);
    let categories = store.call(|engine| engine.categories()).unwrap();
    assert_eq!(
        categories[0],
        Category {
            name: "Sữa".into(),
            names: [("en".to_owned(), "Milk".to_owned())].into(),
            items: 2
        }
    );
    assert_eq!(categories[0].name_in("en"), "Milk");
    assert_eq!(categories[1].name_in("en"), categories[1].name);
    assert_eq!(categories.len(), 5);
    let page = |offset| {
        store
            .call(move |engine| engine.items_of("Đồ uống", offset, 1))
            .unwrap()
    };
    assert_eq!(page(0)[0].item.name, "Coca Cola lon 320ml");
    assert_eq!(page(1)[0].item.name, "Nước cam ép 330 ml");
    assert_eq!(page(2), []);
    assert_eq!(
        store.call(|engine| engine.top_sellers(3)).unwrap()[0]
            .item
            .code,
        "0003"
    );
}

#[test]
fn a_catalogue_changes_at_once_merges_and_rolls_back() {
    // Proves replace, merge by code, roll-back, and that files no longer needed are removed.
    let place = Place::new();
    let store = with(&place, shop());
    let mut changed = entry("0001", "Cà phê sữa nóng", "Cà phê & trà");
    changed.item.prices[0].price_minor = 20_000;
    let fresh = entry("0100", "Trà đào", "Cà phê & trà");
    let applied = store
        .set_catalogue(
            vec![changed, fresh],
            BuildMode::Merge,
            "t",
            2,
            &mut |_, _| {},
        )
        .unwrap();
    assert_eq!(applied.items, 10);
    assert_eq!(names(&store, "ca phe sua")[0], "Cà phê sữa nóng");
    let back = store.call(Engine::roll_back_catalogue).unwrap().unwrap();
    assert_eq!(back.items, 9);
    assert_eq!(names(&store, "ca phe sua")[0], "Cà phê sữa đá");
    for n in 0..3 {
        let one = vec![entry("0001", &format!("Hàng {n}"), "")];
        store
            .set_catalogue(one, BuildMode::Replace, "t", 3, &mut |_, _| {})
            .unwrap();
    }
    let files = std::fs::read_dir(place.folder.path()).unwrap();
    let catalogues = files
        .flatten()
        .filter(|file| file.file_name().to_string_lossy().starts_with("catalogue-"))
        .count();
    assert_eq!(catalogues, 2);
}

#[test]
fn two_items_with_one_code_change_nothing() {
    // Proves a contradictory catalogue is refused whole, leaves no file, and the one in use stays.
    let place = Place::new();
    let store = with(&place, shop());
    let twice = vec![entry("1", "Một", ""), entry("1", "Hai", "")];
    let error = store
        .set_catalogue(twice, BuildMode::Replace, "t", 2, &mut |_, _| {})
        .unwrap_err();
    assert!(matches!(error, StoreError::Refused(_)), "{error}");
    assert_eq!(names(&store, "vinamilk").len(), 1);
    let files = std::fs::read_dir(place.folder.path()).unwrap().flatten();
    assert!(!files.into_iter().any(|file| {
        file.path()
            .extension()
            .is_some_and(|extension| extension == "partial")
    }));
}

#[test]
fn a_damaged_catalogue_falls_back_to_the_one_before() {
    // Proves a lost or damaged catalogue file never keeps the kiosk from starting, and is reported.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    let folder = place.folder.path();
    let build =
        |entries: &[Entry]| build_catalogue(folder, entries, &|_| 0, &mut |_, _| {}).unwrap();
    let (first, second) = (build(&shop()), build(&shop()[..3]));
    engine.use_catalogue(&first, "t", 1).unwrap();
    engine.use_catalogue(&second, "t", 2).unwrap();
    drop(engine);
    std::fs::write(folder.join(&second.file), b"rubbish").unwrap();
    let (mut engine, boot) = place.engine().unwrap();
    assert_eq!(boot.items, 9);
    assert!(matches!(
        engine.take_notices()[..],
        [StorageHealth::CatalogueRolledBack(_)]
    ));
    drop(engine);
    std::fs::remove_file(folder.join(&first.file)).unwrap();
    let (mut engine, boot) = place.engine().unwrap();
    assert_eq!(
        (boot.items, engine.search("sua", 5).unwrap()),
        (0, Vec::new())
    );
    assert!(matches!(
        engine.take_notices()[..],
        [StorageHealth::CatalogueLost(_)]
    ));
}

#[test]
fn a_catalogue_of_an_older_layout_is_built_anew() {
    // Proves an update of the program that changes the layout keeps the shop's catalogue.
    let place = Place::new();
    let store = with(&place, shop());
    drop(store);
    let file = std::fs::read_dir(place.folder.path())
        .unwrap()
        .flatten()
        .map(|file| file.path());
    let file = file
        .into_iter()
        .find(|path| path.to_string_lossy().contains("catalogue-"))
        .unwrap();
    let raw = rusqlite::Connection::open(&file).unwrap();
    raw.pragma_update(None, "user_version", 0).unwrap();
    raw.close().unwrap();
    let boot = loop {
        match place.engine() {
            Ok((mut engine, boot)) => {
                assert_eq!(engine.search("vinamilk", 5).unwrap().len(), 1);
                break boot;
            }
            Err(error) => assert!(error.retry_helps(), "{error}"),
        }
    };
    assert_eq!(boot.items, 9);
}

#[test]
fn a_new_database_goes_on_with_the_catalogue_it_finds() {
    // Proves that after a damaged database was set aside, the shop still has its goods without head office.
    let place = Place::new();
    drop(with(&place, shop()));
    let aside = loop {
        // The store closes on its own thread.
        if place.engine().is_ok() {
            break set_aside(&place.path(), 1).unwrap();
        }
    };
    assert!(aside.join("kiosk.db").exists());
    let (mut engine, boot) = place.engine().unwrap();
    assert_eq!((boot.journal_reason, boot.items), (JournalReason::New, 9));
    assert_eq!(engine.search("vinamilk", 5).unwrap().len(), 1);
}
