#![allow(clippy::unwrap_used)]
use proptest::prelude::*;

use super::*;

const YEAR: i32 = 2026;

fn read(text: &str) -> Result<Code, ScanFault> {
    parse(text, &BarcodeRules::default(), YEAR)
}

fn rules(pattern: &str, multiplier: u32) -> BarcodeRules {
    BarcodeRules {
        templates: vec![EmbeddedTemplate {
            pattern: pattern.to_owned(),
            multiplier,
        }],
    }
}

#[test]
fn check_digits_match_published_vectors() {
    // Proves the check digit against GS1's own examples (GTIN-13, GTIN-8, GTIN-12, SSCC) and an ISBN.
    for (body, digit) in [
        ("629104150021", 3),
        ("950110153100", 0),
        ("9501234", 6),
        ("03600024145", 7),
        ("37610425002123456", 9),
        ("978820551237", 5),
    ] {
        assert_eq!(gtin_check_digit(body), Some(digit), "{body}");
    }
    assert_eq!(gtin_check_digit(""), None);
    assert_eq!(gtin_check_digit("12a"), None);
}

#[test]
fn price_verifier_matches_published_vectors() {
    // Proves the verifier digit against the worked examples of GS1 General Specifications §7.9.3.
    assert_eq!(price_check_digit("2875"), Some(9));
    assert_eq!(price_check_digit("14685"), Some(6));
    assert_eq!(price_check_digit("123"), None);
}

#[test]
fn retail_codes_are_read_with_and_without_identifier() {
    // Proves EAN-13, EAN-8 and UPC-A are recognised and get zero-padded lookup keys.
    assert_eq!(
        read("]E06291041500213").unwrap().symbology,
        Symbology::Ean13
    );
    let ean = read("6291041500213").unwrap();
    assert_eq!(ean.candidates, ["6291041500213", "06291041500213"]);
    let ean8 = read("]E495012346").unwrap();
    assert_eq!(ean8.symbology, Symbology::Ean8);
    assert_eq!(
        ean8.candidates,
        [
            "95012346",
            "0000095012346",
            "00000095012346",
            "000095012346"
        ]
    );
    let upc = read("036000241457").unwrap();
    assert_eq!(upc.symbology, Symbology::UpcA);
    assert_eq!(
        upc.candidates,
        ["036000241457", "0036000241457", "00036000241457"]
    );
    let padded = read("]E00036000241457").unwrap();
    assert!(padded.candidates.contains(&"036000241457".to_owned()));
    assert_eq!(read("]E3629104150021312345").unwrap().text, "6291041500213");
}

#[test]
fn upc_e_expands_by_every_rule() {
    // Proves UPC-E expansion for each last digit, and that the expanded check digit is verified.
    for (short, long) in [
        ("01234505", "012000003455"),
        ("04252614", "042100005264"),
        ("01234531", "012300000451"),
        ("01234543", "012340000053"),
        ("01234558", "012345000058"),
        ("01234598", "012345000098"),
    ] {
        let expanded = expand_upc_e(short).unwrap();
        assert_eq!(&expanded[..11], &long[..11], "{short}");
    }
    assert_eq!(expand_upc_e("425261").unwrap(), "042100005264");
    let code = read("]E004252614").unwrap();
    assert_eq!(code.symbology, Symbology::UpcE);
    assert_eq!(
        code.candidates[..2],
        ["042100005264".to_owned(), "0042100005264".to_owned()]
    );
    assert!(matches!(
        read("]E004252615"),
        Err(ScanFault::WrongCheckDigit { .. })
    ));
    assert_eq!(expand_upc_e("94252614"), None);
}

#[test]
fn each_wrong_read_has_its_own_answer() {
    // Proves empty, overlong, control-bearing, wrong-check and unknown reads are told apart.
    assert_eq!(read(""), Err(ScanFault::Empty));
    assert_eq!(read("]C0  "), Err(ScanFault::Empty));
    assert_eq!(
        read("6291041500214"),
        Err(ScanFault::WrongCheckDigit {
            text: "6291041500214".into(),
            expected: 3
        })
    );
    assert_eq!(
        read("]E012x"),
        Err(ScanFault::Malformed {
            expected: Symbology::Ean13
        })
    );
    assert_eq!(read("AB\u{1b}C"), Err(ScanFault::Control { position: 2 }));
    assert_eq!(read("]C0A\u{1d}C"), Err(ScanFault::Control { position: 1 }));
    assert!(matches!(
        read("]L0abc"),
        Err(ScanFault::UnknownSymbology { .. })
    ));
    assert!(matches!(read("]"), Err(ScanFault::UnknownSymbology { .. })));
    let long = format!("]C0{}", "A".repeat(129));
    assert_eq!(
        read(&long),
        Err(ScanFault::TooLong {
            length: 129,
            limit: 128
        })
    );
    assert!(read(&format!("]Q1{}", "A".repeat(512))).is_ok());
    assert!(matches!(
        read(&"A".repeat(600)),
        Err(ScanFault::TooLong { .. })
    ));
    assert_eq!(
        read("]C0CÀ"),
        Err(ScanFault::Malformed {
            expected: Symbology::Code128
        })
    );
}

#[test]
fn gs1_element_strings_are_read() {
    // Proves FNC1-separated data, bracketed data and DataMatrix give the same typed answer.
    let text = "]C10109506000134352172612311".to_owned() + "0ABC123\u{1d}3103000846";
    let code = read(&text).unwrap();
    let gs1 = code.gs1.clone().unwrap();
    assert_eq!(gs1.gtin.as_deref(), Some("09506000134352"));
    assert_eq!(gs1.lot.as_deref(), Some("ABC123"));
    assert_eq!(
        gs1.expiry,
        Some(Gs1Date {
            year: 2026,
            month: 12,
            day: 31,
            day_stated: true
        })
    );
    assert_eq!(gs1.net_weight_kg.unwrap().rescale(3), Some(846));
    assert_eq!(code.candidates, ["09506000134352", "9506000134352"]);
    let human = read("(01)09506000134352(17)261231(10)ABC123(3103)000846").unwrap();
    assert_eq!(human.gs1.unwrap().elements, gs1.elements);
    let matrix = read(&text.replace("]C1", "]d2")).unwrap();
    assert_eq!(matrix.symbology, Symbology::Gs1DataMatrix);
    assert_eq!(matrix.gs1.unwrap(), gs1);
    assert!(read("0109506000134352").unwrap().gs1.is_some());
}

#[test]
fn gs1_amounts_and_counts() {
    // Proves variable measure amounts with and without currency and the content count.
    let code = read("]C101995060001343553922125030\u{1d}").unwrap();
    assert_eq!(
        code.gs1.unwrap().amount,
        Some(Decimal {
            units: 125030,
            scale: 2
        })
    );
    let code = read("(01)99506000134355(3932)978349").unwrap();
    assert_eq!(
        code.gs1.unwrap().amount_with_currency,
        Some((
            978,
            Decimal {
                units: 349,
                scale: 2
            }
        ))
    );
    let fault = read("]C1020950600013435237").unwrap_err();
    assert!(matches!(
        fault,
        ScanFault::Gs1(Gs1Fault::WrongLength { .. })
    ));
    let carton = read("]C102095060001343523724").unwrap();
    assert_eq!(carton.gs1.unwrap().count, Some(24));
    assert_eq!(
        Decimal {
            units: 15,
            scale: 4
        }
        .rescale(3),
        Some(2)
    );
}

#[test]
fn gs1_rules_are_enforced() {
    // Proves wrong lengths, characters, check digits, dates, doubles and lonely identifiers are refused.
    let fault = |text: &str| match read(text) {
        Err(ScanFault::Gs1(fault)) => fault,
        other => panic!("{text}: {other:?}"),
    };
    assert!(matches!(
        fault("(01)09506000134353"),
        Gs1Fault::WrongCheckDigit { .. }
    ));
    assert!(matches!(
        fault("(01)0950600013435"),
        Gs1Fault::WrongLength { .. }
    ));
    assert!(matches!(
        fault("(01)09506000134352(17)261331"),
        Gs1Fault::WrongDate { .. }
    ));
    assert!(matches!(
        fault("(01)09506000134352(17)260230"),
        Gs1Fault::WrongDate { .. }
    ));
    assert!(matches!(
        fault("(01)09506000134352(10)A~B"),
        Gs1Fault::WrongCharacter { .. }
    ));
    assert!(matches!(
        fault("(01)09506000134352(10)A(10)B"),
        Gs1Fault::Conflict { .. }
    ));
    assert!(matches!(
        fault("(02)09506000134352"),
        Gs1Fault::MissingPartner { .. }
    ));
    assert!(matches!(
        fault("]C10109506000134352(37)2"),
        Gs1Fault::UnknownIdentifier { .. }
    ));
    assert!(matches!(fault("]C1\u{1d}"), Gs1Fault::Layout));
    assert!(matches!(fault("]d2(01"), Gs1Fault::Layout));
}

#[test]
fn gs1_dates_follow_the_century_rule() {
    // Proves the sliding window of §7.12 and that day 00 means the last of the month.
    let expiry = |yymmdd: &str, year: i32| {
        parse(
            &format!("(01)09506000134352(17){yymmdd}"),
            &BarcodeRules::default(),
            year,
        )
        .unwrap()
        .gs1
        .unwrap()
        .expiry
        .unwrap()
    };
    assert_eq!(
        expiry("280200", 2026),
        Gs1Date {
            year: 2028,
            month: 2,
            day: 29,
            day_stated: false
        }
    );
    assert_eq!(expiry("760101", 2026).year, 2076);
    assert_eq!(expiry("770101", 2026).year, 1977);
    assert_eq!(expiry("000101", 2099).year, 2100);
    assert_eq!(expiry("490101", 2099).year, 2149);
    assert_eq!(expiry("500101", 2099).year, 2050);
}

#[test]
fn digital_links_are_read_and_other_links_are_text() {
    // Proves a GS1 Digital Link gives GTIN, lot and expiry, and a plain link stays text.
    let code = read("]Q1https://id.gs1.org/01/09506000134352/10/AB%2F1?17=261231&utm=x").unwrap();
    let gs1 = code.gs1.unwrap();
    assert_eq!(gs1.lot.as_deref(), Some("AB/1"));
    assert_eq!(gs1.expiry.unwrap().month, 12);
    let plain = read("]Q1https://example.com/menu").unwrap();
    assert!(plain.gs1.is_none());
    assert!(read("]Q1https://id.gs1.org/01/09506000134353").is_err());
}

#[test]
fn embedded_amounts_follow_their_template() {
    // Proves price, weight and pieces are read, multiplied, verified, and filed under the item.
    let ean = |body: &str| format!("{body}{}", gtin_check_digit(body).unwrap());
    let price = rules("2{NNNNN}{C}{PPPPP}C", 100);
    let code = parse(&ean("212345614685"), &price, YEAR).unwrap();
    let embedded = code.embedded.unwrap();
    assert_eq!(embedded.field, EmbeddedField::PriceMinor(1_468_500));
    assert_eq!(embedded.item, "12345");
    assert_eq!(code.candidates[0], ean("212345000000"));
    assert_eq!(
        code.candidates[1..],
        ["212345".to_owned(), "12345".to_owned()]
    );
    assert!(matches!(
        parse(&ean("212345014685"), &price, YEAR),
        Err(ScanFault::WrongEmbeddedCheckDigit { .. })
    ));
    let optional = rules("2{NNNNN}{C?}{PPPPP}C", 1);
    assert!(
        parse(&ean("212345014685"), &optional, YEAR)
            .unwrap()
            .embedded
            .is_some()
    );
    let weight = rules("22NNNNNWWWWWC", 1);
    let code = parse(&ean("221234500846"), &weight, YEAR).unwrap();
    assert_eq!(
        code.embedded.unwrap().field,
        EmbeddedField::WeightMilli(846)
    );
    let pieces = rules("23NNNNNNNNQQC", 1);
    let code = parse(&ean("231234567812"), &pieces, YEAR).unwrap();
    assert_eq!(code.embedded.unwrap().field, EmbeddedField::Pieces(12));
    assert!(
        parse(&ean("629104150021"), &price, YEAR)
            .unwrap()
            .embedded
            .is_none()
    );
}

#[test]
fn unusable_templates_are_named() {
    // Proves every way to write a template wrongly has its own error.
    let check = |pattern: &str, multiplier| {
        EmbeddedTemplate {
            pattern: pattern.into(),
            multiplier,
        }
        .check()
    };
    assert!(check("2{NNNNN}{C?}{PPPPP}C", 100).is_ok());
    assert!(matches!(
        check("2NNNNNPPPPPC", 1),
        Err(TemplateError::Length { length: 12, .. })
    ));
    assert!(matches!(
        check("2NNNNNXPPPPPC", 1),
        Err(TemplateError::Character { position: 6, .. })
    ));
    assert!(matches!(
        check("2{NNNNNNPPPPPC", 1),
        Err(TemplateError::Character { .. })
    ));
    assert!(matches!(
        check("2NNNNNNNNNNNC", 1),
        Err(TemplateError::Parts { .. })
    ));
    assert!(matches!(
        check("2NNNNNNPPPWWC", 1),
        Err(TemplateError::Parts { .. })
    ));
    assert!(matches!(
        check("2NNNNNN{C}PPPQC", 1),
        Err(TemplateError::Parts { .. })
    ));
    assert!(matches!(
        check("2NNNNNNN{C}PPPC", 1),
        Err(TemplateError::Verifier { .. })
    ));
    assert!(matches!(
        check("2{NNNNN}{C?}{PPPPP}C", 0),
        Err(TemplateError::Multiplier { .. })
    ));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}|[\\x00-\\x7f]{0,600}|\\][A-Za-z][0-9][\\x1d -~]{0,60}", year in 1900..2200) {
        // Proves arbitrary scanner text always gets an answer, with and without templates.
        let _ = parse(&text, &BarcodeRules::default(), year);
        if let Ok(code) = parse(&text, &rules("2{NNNNN}{C?}{PPPPP}C", 100), year) {
            prop_assert!(!code.candidates.is_empty());
        }
    }

    #[test]
    fn no_gs1_text_makes_the_parser_panic(text in "(\\(?[0-9]{2,4}\\)?[A-Za-z0-9é\\x1d]{0,14}){1,6}") {
        // Proves text that looks like application identifiers always gets an answer.
        for prefix in ["", "]C1", "]d2", "]Q3", "]Q1https://x/01/"] {
            let _ = read(&format!("{prefix}{text}"));
        }
    }

    #[test]
    fn a_single_wrong_digit_is_always_noticed(body in "[0-9]{12}", at in 0usize..13, add in 1u8..10) {
        // Proves the check digit of EAN-13 detects every single-digit error.
        let right = format!("{body}{}", gtin_check_digit(&body).unwrap());
        let mut wrong = right.clone().into_bytes();
        wrong[at] = b'0' + (wrong[at] - b'0' + add) % 10;
        let wrong = String::from_utf8(wrong).unwrap();
        prop_assert!(read(&right).is_ok());
        let refused = matches!(read(&wrong), Err(ScanFault::WrongCheckDigit { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn a_single_wrong_price_digit_is_always_noticed(price in "[0-9]{5}", at in 0usize..5, add in 1u8..10) {
        // Proves the verifier digit of a five-digit price detects every single-digit error.
        let mut wrong = price.clone().into_bytes();
        wrong[at] = b'0' + (wrong[at] - b'0' + add) % 10;
        let wrong = String::from_utf8(wrong).unwrap();
        prop_assert_ne!(price_check_digit(&price), price_check_digit(&wrong));
    }
}
