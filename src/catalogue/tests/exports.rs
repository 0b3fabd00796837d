//! Exports of KiotViet, Sapo and Loyverse.

use std::path::{Path, PathBuf};

use super::xlsx::{Value, workbook};
use super::*;

/// A real export, when this machine has it: in `KIOSK_REAL_EXPORTS`, or in a folder `shared/data` above the project.
fn real_export(name: &str) -> Option<Vec<u8>> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data"));
    let folders = std::env::var_os("KIOSK_REAL_EXPORTS")
        .map(PathBuf::from)
        .into_iter()
        .chain(above);
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .map(|path| std::fs::read(path).unwrap())
}

const RETAIL: &[u8] = include_bytes!("../../../tests/fixtures/catalogue/sapo-retail.csv");
const MOTHER_BABY: &[u8] = include_bytes!("../../../tests/fixtures/catalogue/sapo-mother-baby.csv");

#[test]
fn a_sapo_export_of_a_souvenir_shop_imports_as_it_is() {
    // Proves codes that are barcodes, dots as thousands, negative stock, adult goods and quotes import without errors.
    for (file, rows) in [
        (Some(RETAIL.to_vec()), 12),
        (real_export("sapo-retail-959.csv"), 959),
    ] {
        let Some(file) = file else { continue };
        let import = read(&file);
        assert_eq!(import.report.format, Format::Sapo);
        assert_eq!(problems(&import, Severity::Error), []);
        assert_eq!(import.entries.len(), rows);
        assert!(
            import
                .entries
                .iter()
                .all(|entry| entry.item.prices[0].price_minor >= 1_000)
        );
        let barcode = import
            .entries
            .iter()
            .find(|entry| entry.barcodes == [entry.item.code.clone()])
            .unwrap();
        assert_eq!(barcode.item.code.len(), 13);
        let tobacco = import
            .entries
            .iter()
            .find(|entry| entry.item.category == "Xì Gà, Thuốc Lá")
            .unwrap();
        assert_eq!(
            (tobacco.item.min_age, tobacco.item.tax_class),
            (Some(18), TaxClassId(2))
        );
        assert!(
            problems(&import, Severity::Note)
                .iter()
                .any(|(_, note)| matches!(note, Problem::NegativeStock { .. }))
        );
    }
}

#[test]
fn a_sapo_export_without_codes_imports_as_it_is() {
    // Proves BOM, semicolons, no code column, prices of 0, fractional costs, NFD names and equal names import.
    let real = real_export("sapo-mother-baby-15420.csv");
    for (file, rows, unpriced) in [(Some(MOTHER_BABY.to_vec()), 10, 2), (real, 15_420, 55)] {
        let Some(file) = file else { continue };
        let import = read(&file);
        assert_eq!(problems(&import, Severity::Error), []);
        assert_eq!(
            (import.entries.len(), import.report.not_sellable),
            (rows, unpriced)
        );
        let mut codes: Vec<&str> = import
            .entries
            .iter()
            .map(|entry| entry.item.code.as_str())
            .collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), rows);
        assert!(
            import
                .entries
                .iter()
                .all(|entry| unicode_normalization::is_nfc(&entry.item.name))
        );
        assert!(
            problems(&import, Severity::Warning)
                .iter()
                .any(|(_, w)| matches!(w, Problem::SameNameTwice { .. }))
        );
    }
}

#[test]
fn a_kiotviet_workbook_imports_with_units_and_variants() {
    // Proves the XLSX path: title row, numbers as numbers and text, other units, variants, category paths, switches.
    use Value::{Error, Number, Text};
    let text = |texts: &[&'static str]| texts.iter().map(|text| Text(text)).collect::<Vec<_>>();
    let mut rows = vec![
        text(&["DANH SÁCH SẢN PHẨM"]),
        text(&[
            "Loại hàng",
            "Nhóm hàng(3 cấp)",
            "Mã hàng",
            "Mã vạch",
            "Tên hàng",
            "Thương hiệu",
            "Giá bán",
            "Tồn kho",
            "ĐVT",
            "Mã ĐVT Cơ bản",
            "Quy đổi",
            "Thuộc tính",
            "Đang kinh doanh",
            "Được bán trực tiếp",
        ]),
    ];
    let mut row = |group, code, barcode, name, price, unit, base, factor, attribute, on| {
        rows.push(vec![
            Text("Hàng hóa"),
            Text(group),
            Text(code),
            barcode,
            Text(name),
            Text("Sabeco"),
            price,
            Number("-3"),
            Text(unit),
            Text(base),
            factor,
            Text(attribute),
            Number(on),
            Number("1"),
        ]);
    };
    let beer = "Đồ uống có cồn>>Bia";
    row(
        beer,
        "SP1",
        Number("8934563138165"),
        " Bia Lager ",
        Number("15000"),
        "lon",
        "",
        Number("1"),
        "",
        "1",
    );
    row(
        beer,
        "SP1-T",
        Text("8934804027326"),
        "Bia Lager",
        Text("345,000"),
        "Thùng",
        "SP1",
        Number("24"),
        "",
        "1",
    );
    row(
        "Áo",
        "SP2",
        Text(""),
        "Áo thun",
        Text("120,000"),
        "Cái",
        "",
        Number("1"),
        "SIZE:M|MÀU:Đỏ",
        "1",
    );
    row(
        "Áo",
        "SP3",
        Text(""),
        "Áo thun",
        Number("120000"),
        "Cái",
        "",
        Number("1"),
        "SIZE:L|MÀU:Đỏ",
        "0",
    );
    row(
        "Trái cây",
        "10001",
        Text(""),
        "Cam sành",
        Number("32000"),
        "Kg",
        "",
        Number("1"),
        "",
        "1",
    );
    let import = read(&workbook(&rows));
    assert_eq!(import.report.format, Format::KiotViet);
    assert_eq!(problems(&import, Severity::Error), []);
    let names: Vec<&str> = import
        .entries
        .iter()
        .map(|entry| entry.item.name.as_str())
        .collect();
    assert_eq!(
        names,
        [
            "Bia Lager",
            "Bia Lager (Thùng, 24)",
            "Áo thun (M, Đỏ)",
            "Áo thun (L, Đỏ)",
            "Cam sành"
        ]
        .map(|name| if name == "Bia Lager (Thùng, 24)" {
            "Bia Lager (Thùng 24)"
        } else {
            name
        })
    );
    let entry = |index: usize| &import.entries[index];
    assert_eq!(
        (entry(0).barcodes[0].as_str(), entry(1).barcodes[0].as_str()),
        ("8934563138165", "8934804027326")
    );
    assert_eq!(
        (
            entry(0).item.prices[0].price_minor,
            entry(1).item.prices[0].price_minor
        ),
        (15_000, 345_000)
    );
    assert_eq!(
        (entry(0).item.category.as_str(), entry(0).keywords.as_str()),
        ("Đồ uống có cồn", "Sabeco Bia")
    );
    assert_eq!(entry(0).item.min_age, Some(18));
    assert!(entry(2).sellable() && !entry(3).sellable());
    assert!(entry(4).item.sold_by_weight());

    rows.push(vec![
        Text(""),
        Text(""),
        Text("X"),
        Text(""),
        Text("Lỗi"),
        Text(""),
        Error("#REF!"),
    ]);
    assert!(matches!(
        problems(&read(&workbook(&rows)), Severity::Error)[..],
        [(8, Problem::BrokenCell { .. })]
    ));
}

#[test]
fn a_sapo_export_with_variants_fills_in_the_rows_below() {
    // Proves rows without a name belong to the product above, and that "Áp dụng thuế" decides the tax class.
    let file = "Tên sản phẩm*;Loại sản phẩm;Thuộc tính 1;Giá trị thuộc tính 1;Mã SKU*;Barcode;Đơn vị;Áp dụng thuế;\
                PL_Giá bán lẻ\nSữa bột;Sữa;Vị;Vani;S1;8934563138165;Hộp;Có;450.000\n;;;Sô cô la;S2;;;;455.000\n\
                Gạo;Lương thực;;Mặc định;G1;;kg;Không;22.000\n";
    let import = read(file.as_bytes());
    assert_eq!(problems(&import, Severity::Error), []);
    let entry = |index: usize| &import.entries[index].item;
    assert_eq!(
        (entry(0).name.as_str(), entry(1).name.as_str()),
        ("Sữa bột (Vani)", "Sữa bột (Sô cô la)")
    );
    assert_eq!(
        (
            entry(1).category.as_str(),
            entry(1).unit.label(),
            entry(1).tax_class
        ),
        ("Sữa", "Hộp", TaxClassId(1))
    );
    assert_eq!(
        (entry(2).name.as_str(), entry(2).tax_class),
        ("Gạo", TaxClassId(4))
    );
    assert!(entry(2).sold_by_weight());
}

#[test]
fn a_loyverse_export_imports_with_its_shops_and_variants() {
    // Proves bracketed columns, "variable" prices, sold by weight, variants by handle, and decimals in a currency of 2.
    let file = "Handle,SKU,Name,Category,Description,Sold by weight,Option 1 name,Option 1 value,Cost,Barcode,\
                Track stock,Available for sale [Shop A],Price [Shop A],In stock [Shop A],Price [Shop B]\n\
                tea,10000,Tea,Drinks,,N,Size,Small,0.50,,N,Y,2.50,-1,2.60\ntea,10001,,,,,,Large,0.60,,,Y,3.00,,3.10\n\
                nuts,10002,Nuts,Snacks,,Y,,,4.00,,N,Y,12.00,,\ngift,10003,Gift,Other,,N,,,0,,N,N,variable,,\n";
    let euro = ImportOptions {
        currency: "EUR".parse().unwrap(),
        ..options()
    };
    let import = import(file.as_bytes(), &euro, &mut |_, _| {}).unwrap();
    assert_eq!(import.report.format, Format::Loyverse);
    assert_eq!(problems(&import, Severity::Error), []);
    let prices: Vec<Option<i64>> = import
        .entries
        .iter()
        .map(|entry| entry.item.prices.first().map(|price| price.price_minor))
        .collect();
    assert_eq!(prices, [Some(250), Some(300), Some(1200), None]);
    assert_eq!(import.entries[1].item.name, "Tea (Large)");
    assert_eq!(import.entries[1].item.category, "Drinks");
    assert!(import.entries[2].item.sold_by_weight());
    assert!(!import.entries[3].for_sale);
    assert!(problems(&import, Severity::Note).contains(&(0, Problem::ManyPrices { columns: 2 })));
}
