//! Tests of the import with files as shops have them.
#![allow(clippy::unwrap_used)]

mod demo;
mod exports;
mod xlsx;

use checkout::{Currency, TaxClass, TaxClassId, TaxRateFrom, TaxTreatment};

use super::*;

/// The classes of the demo configuration: 8 % (10 % from 2027), 10 %, 5 %, none.
pub(super) fn taxes() -> Vec<TaxClass> {
    let class = |id, name: &str, rates: &[(&str, u32)]| TaxClass {
        id: TaxClassId(id),
        name: name.into(),
        rates: rates
            .iter()
            .map(|(from, basis_points)| TaxRateFrom {
                from: from.parse().unwrap(),
                basis_points: *basis_points,
                treatment: TaxTreatment::Rated,
            })
            .collect(),
    };
    vec![
        class(
            1,
            "GTGT thường",
            &[("2025-07-01", 800), ("2027-01-01", 1000)],
        ),
        class(2, "GTGT hàng không giảm", &[("2009-01-01", 1000)]),
        class(3, "GTGT thiết yếu", &[("2009-01-01", 500)]),
        class(4, "Không chịu thuế", &[("2009-01-01", 0)]),
    ]
}

pub(super) fn options() -> ImportOptions {
    ImportOptions::new(
        Currency::VND,
        taxes(),
        "2026-11-23".parse().unwrap(),
        Some(TaxClassId(2)),
    )
}

pub(super) fn read(bytes: &[u8]) -> Import {
    import(bytes, &options(), &mut |_, _| {}).unwrap()
}

/// Problems of one severity with their rows.
pub(super) fn problems(import: &Import, severity: Severity) -> Vec<(u32, Problem)> {
    let findings = import
        .report
        .findings
        .iter()
        .filter(|finding| finding.severity == severity);
    findings
        .map(|finding| (finding.row, finding.problem.clone()))
        .collect()
}

fn own(rows: &str) -> Import {
    read(format!("code,barcode,name,price\n{rows}").as_bytes())
}

#[test]
fn a_file_with_errors_imports_nothing_unless_told_to() {
    // Proves the all-or-nothing rule and that --skip-bad leaves out exactly the bad rows.
    let file = "code,name,price\nA,Bánh,5.000\nB,,6.000\nC,Kẹo,7.000\n";
    let strict = read(file.as_bytes());
    assert!(!strict.accepted());
    assert_eq!(
        (
            strict.report.errors,
            strict.report.items,
            strict.report.left_out
        ),
        (1, 2, 1)
    );
    assert_eq!(
        problems(&strict, Severity::Error),
        [(3, Problem::NameMissing)]
    );
    let lenient = ImportOptions {
        skip_bad: true,
        ..options()
    };
    let lenient = import(file.as_bytes(), &lenient, &mut |_, _| {}).unwrap();
    let codes: Vec<&str> = lenient
        .entries
        .iter()
        .map(|entry| entry.item.code.as_str())
        .collect();
    assert_eq!(codes, ["A", "C"]);
}

#[test]
fn each_kind_of_bad_row_gets_its_own_line() {
    // Proves every damage named in the reference is found with row and kind.
    let import = own(
        "A,8.93456E+12,Một,1000\nB,8934563138166,Hai,1000\nC,8934563138165,Ba,1000\nD,8934563138165,Bốn,1000\n\
         C,,Năm,1000\nE,,Sáu,abc\nF,,Bảy,-5\nG,,Tám,=A1*2\nH,,Chín,99999999999999\n\nI,,\"Mười\n hai\",1.5\nJ,,#REF!,5\n",
    );
    let s = |text: &str| text.to_owned();
    let expected = [
        (
            2,
            Problem::BarcodeScientific {
                shown: s("8.93456E+12"),
            },
        ),
        (
            3,
            Problem::BarcodeCheckDigit {
                shown: s("8934563138166"),
                right: s("5"),
            },
        ),
        (
            5,
            Problem::BarcodeTaken {
                shown: s("8934563138165"),
                by_row: 4,
            },
        ),
        (
            6,
            Problem::CodeTaken {
                shown: s("C"),
                by_row: 4,
            },
        ),
        (7, Problem::PriceUnreadable { shown: s("abc") }),
        (8, Problem::PriceNegative { shown: s("-5") }),
        (9, Problem::BrokenCell { shown: s("=A1*2") }),
        (
            10,
            Problem::PriceTooLarge {
                shown: s("99999999999999"),
            },
        ),
        (12, Problem::PriceFraction { shown: s("1.5") }),
        (13, Problem::BrokenCell { shown: s("#REF!") }),
    ];
    assert_eq!(problems(&import, Severity::Error), expected);
    let windows = "name,price\r\nA,1\r\n\r\n\"B\r\nb\",1\r\n,2\r\n";
    assert_eq!(
        problems(&read(windows.as_bytes()), Severity::Error),
        [(5, Problem::NameMissing)]
    );
    for finding in &import.report.findings {
        for language in ["vi", "en"] {
            let line = finding.line(language);
            assert!(
                line.contains(&finding.row.to_string()) && line.ends_with('.'),
                "{line}"
            );
        }
    }
    assert_eq!(
        import.report.findings[1].line("vi"),
        "Dòng 3, cột “barcode”: mã vạch 8934563138166 sai số kiểm tra (số cuối đúng ra là 5). \
         Quét lại mã trên sản phẩm và sửa."
    );
}

#[test]
fn goods_without_a_price_are_known_but_not_sold() {
    // Proves prices of 0, none and "variable" are reported and leave an item that cannot be sold.
    let import = own("A,,Một,0\nB,,Hai,\nC,,Ba,variable\nD,,Bốn,5.000 đ\n");
    assert_eq!(
        problems(&import, Severity::Warning),
        [
            (2, Problem::PriceMissing),
            (3, Problem::PriceMissing),
            (4, Problem::PriceOpen)
        ]
    );
    let sellable: Vec<bool> = import.entries.iter().map(Entry::sellable).collect();
    assert_eq!(sellable, [false, false, false, true]);
    assert_eq!(import.report.not_sellable, 3);
    assert_eq!(import.entries[3].item.prices[0].price_minor, 5_000);
}

#[test]
fn separators_titles_quotes_and_encodings_do_not_matter() {
    // Proves one list reads the same with comma, semicolon, tab, titles above, quotes, UTF-16 and Windows-1258.
    let rows = [
        ["Mã", "Tên", "Giá"],
        ["A", "Sữa đặc, \"Ông Thọ\"", "25.000"],
        ["B", "Đường\ncát", "18.500"],
    ];
    let join = |separator: &str| -> String {
        let cell = |cell: &&str| format!("\"{}\"", cell.replace('"', "\"\""));
        rows.iter()
            .map(|row| row.iter().map(cell).collect::<Vec<_>>().join(separator) + "\r\n")
            .collect()
    };
    let plain = read(join(",").as_bytes());
    assert_eq!(plain.entries[0].item.name, "Sữa đặc, \"Ông Thọ\"");
    assert_eq!(plain.entries[1].item.name, "Đường cát");
    let titled = format!("\"BẢNG GIÁ\";;\r\n;;\r\nNgày;01/11/2026;\r\n{}", join(";"));
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(join("\t").encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    for file in [
        join(";").into_bytes(),
        join("\t").into_bytes(),
        titled.into_bytes(),
        utf16,
        format!("sep=;\r\n{}", join(";")).into_bytes(),
    ] {
        assert_eq!(read(&file).entries, plain.entries);
    }
}

#[test]
fn files_that_are_no_catalogue_say_so() {
    // Proves empty files, unknown headers, old XLS and broken workbooks each have their own message.
    let failure = |bytes: &[u8]| import(bytes, &options(), &mut |_, _| {}).unwrap_err();
    assert_eq!(failure(b""), ImportError::Empty);
    assert_eq!(failure(b"\n\n ; ;\n"), ImportError::Empty);
    assert!(
        matches!(failure(b"a,b\n1,2\n"), ImportError::UnknownHeader { first_row } if first_row == "a | b")
    );
    assert!(matches!(
        failure(b"PK\x03\x04rubbish"),
        ImportError::Workbook(_)
    ));
    assert!(matches!(
        failure(b"\xd0\xcf\x11\xe0old"),
        ImportError::Workbook(_)
    ));
}

#[test]
fn codes_made_for_rows_without_one_stay_the_same() {
    // Proves importing a file again, or with rows moved, meets the same items; equal names stay two items.
    let first = own(",,Kẹo dừa,1000\n,,Kẹo dừa,2000\n,8934563138165,Bánh,3000\n");
    let again = own(",8934563138165,Bánh,3000\n,,Kẹo dừa,1000\n,,Kẹo dừa,2000\n");
    let code = |import: &Import, index: usize| import.entries[index].item.code.clone();
    assert_eq!(
        (code(&first, 0), code(&first, 1)),
        (code(&again, 1), code(&again, 2))
    );
    assert_ne!(code(&first, 0), code(&first, 1));
    assert_eq!(code(&first, 2), "8934563138165");
    assert_eq!(first.entries[0].item.id, again.entries[1].item.id);
    assert_eq!(
        problems(&first, Severity::Warning),
        [(3, Problem::SameNameTwice { first_row: 2 })]
    );
    assert_eq!(
        problems(&first, Severity::Note),
        [(0, Problem::CodesMade { rows: 3 })]
    );
}

#[test]
fn tax_age_weight_dates_and_deposit_are_read() {
    // Proves every column of our own format reaches the item.
    let file = "Mã,Tên,Tên tiếng Anh,Nhóm,Đơn vị,Giá,Thuế,Loại thuế,Tuổi tối thiểu,Tiền cọc,Nhóm khuyến mãi,Hình,\
                Từ khóa,Thứ tự,Đang bán,Giá mới,Giá mới từ ngày\n\
                1,Chuối,Banana,Trái cây,kg,28.000,KCT,,,,,banana,chuoi gia,3,1,30.000,2027-01-01\n\
                2,Bia lon,Beer,Bia rượu,lon,15.000,,,,1.000,bia;he,,,,,,\n\
                3,Bìa hồ sơ,,Văn phòng,cái,5.000,10,,,,,,,,,,\n\
                4,Nến,,Gia dụng,cái,5.000,,GTGT thiết yếu,,,,,,,0,,\n";
    let import = read(file.as_bytes());
    assert_eq!(problems(&import, Severity::Error), []);
    let item = |index: usize| &import.entries[index].item;
    assert!(item(0).sold_by_weight());
    assert_eq!(
        (item(0).tax_class, item(0).name_in("en")),
        (TaxClassId(4), "Banana")
    );
    assert_eq!(
        item(0).price_at("2026-12-31".parse().unwrap()),
        Some(28_000)
    );
    assert_eq!(
        item(0).price_at("2027-01-01".parse().unwrap()),
        Some(30_000)
    );
    assert_eq!(
        (import.entries[0].rank, import.entries[0].keywords.as_str()),
        (3, "chuoi gia")
    );
    assert_eq!(item(0).picture.as_deref(), Some("banana"));
    assert_eq!(
        (item(1).min_age, item(1).tax_class),
        (Some(18), TaxClassId(2))
    );
    assert_eq!(item(1).deposit.as_ref().unwrap().amount_minor, 1_000);
    assert_eq!(item(1).groups, ["bia", "he"]);
    assert_eq!((item(2).min_age, item(2).tax_class), (None, TaxClassId(2)));
    assert_eq!(item(3).tax_class, TaxClassId(3));
    assert!(!import.entries[3].sellable());
    assert!(matches!(
        problems(&read(b"name,price,tax\nA,5,7\n"), Severity::Error)[..],
        [(2, Problem::TaxUnknown { .. })]
    ));
}

#[test]
fn a_name_cannot_command_a_printer() {
    // Proves control characters and line breaks never reach a name, code or category.
    let import = own("\"A\u{1b}1\",,\"Bánh\u{1b}@\u{7}\r\n mì\",5000\n");
    assert_eq!(
        (
            import.entries[0].item.name.as_str(),
            import.entries[0].item.code.as_str()
        ),
        ("Bánh @ mì", "A 1")
    );
}

#[test]
fn an_unclosed_quotation_mark_is_found() {
    // Proves a stray quotation mark that swallows the rest of a file is reported, not imported as a name.
    let mut file = String::from("name,price\nA,5\n\"B,6\n");
    for n in 0..5000 {
        file += &format!("Hàng {n},1000\n");
    }
    let import = read(file.as_bytes());
    assert!(!import.accepted());
    assert!(matches!(
        problems(&import, Severity::Error)[0],
        (3, Problem::BrokenCell { .. })
    ));
}

#[test]
fn help_names_every_column() {
    // Proves the help a shop reads is the format the program recognises.
    for column in [
        "name",
        "price",
        "code",
        "barcode",
        "name_en",
        "category",
        "unit",
        "by_weight",
        "tax",
        "tax_class",
        "min_age",
        "deposit",
        "price_from",
        "next_price",
        "groups",
        "picture",
        "keywords",
        "rank",
        "for_sale",
    ] {
        assert!(HELP.contains(&format!("`{column}`")), "{column}");
    }
    let example = HELP
        .split("```csv\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    let import = read(example.as_bytes());
    assert_eq!((import.entries.len(), import.report.errors), (3, 0));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..400)) {
        // Proves any file at all is answered, with entries or an error.
        let _ = import(&bytes, &options(), &mut |_, _| {});
        let header = [b"name,price,barcode,code\n".as_slice(), &bytes].concat();
        let _ = import(&header, &options(), &mut |_, _| {});
    }
}
