//! Published vectors of every scheme, to the byte, and the errors of broken codes.
#![allow(clippy::unwrap_used)]

use payqr::epc::{EpcCharset, EpcVersion};
use payqr::{
    Amount, DuitNow, EpcTransfer, Fault, Labels, Merchant, PayNow, PayNowProxy, Payload,
    PaymentCode, Pix, PixTarget, PromptPay, PromptPayTarget, Qris, QrisAcquirer, SwissAddress,
    SwissBill, SwissCurrency, SwissReference, ThaiBill, Upi, Vnpay, Wallet, decode,
};

/// Published EMV payloads: EMVCo's worked example, NAPAS, VNPAY, MoMo,
/// ZaloPay, Banco Central do Brasil, pix-utils, promptpay-qr.
const EMV: [&str; 17] = [
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A",
    "00020101021138570010A00000072701270006970403011300110123456780208QRIBFTTA53037045802VN63049E6F",
    "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA530370454061800005802VN62340107NPS68690819thanh toan don hang63042E2E",
    "00020101021138600010A00000072701300006970403011697040311012345670208QRIBFTTC53037045802VN63044F52",
    "00020101021238530010A0000007270123000697041601092576788590208QRIBFTTA53037045405100005802VN62150811Chuyen tien630453E6",
    "00020101021138530010A0000007270123000697041601092576788590208QRIBFTTA53037045802VN6304AE9F",
    "00020101021138620010A00000072701320006970454011899MM24011M348750800208QRIBFTTA53037045802VN62190515MOMOW2W3487508080030466304EBC8",
    "00020101021138620010A00000072701320006970454011899ZP24009M072482670208QRIBFTTA53037045802VN6304073C",
    "00020101021126280010A000000775011001087990425204597753037045802VN5909MYPHAMHER6005HANOI62260311MY PHAM HER0707MPHER0163041C50",
    "00020101021126280010A0000007750110010531314453037045408210900005802VN5910CELLPHONES62600312CPSHN ONLINE0517021908061613127850705ONLHN0810CellphoneS63047685",
    "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D",
    "00020101021226810014br.gov.bcb.pix2559pix.example.com/qr/v2/cobv/1e6c54d3ec9449b7a7fc53b6b0f998e75204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***80800014br.gov.bcb.pix2558pix.example.com/qr/v2/rec/3ffa640fa4f14080adccb949fa2dc0d06304A441",
    "00020126510014br.gov.bcb.pix0115thalesog@me.com0210Pedido 123520400005303986540510.005802BR5914THALES OGLIARI6015SAO MIGUEL DO O62070503***63040DC6",
    "00020101021129370016A000000677010111011300668012345675802TH530376463046197",
    "00020101021229370016A000000677010111011300660000000005802TH530376454044.226304E469",
    "00020101021129390016A00000067701011103150123456789012345802TH530376463049781",
    "00020101021130620016A000000677010112011301122334455660211CUSTOMER0010306INV00153037645802TH62070703SCB6304780E",
];

#[test]
fn every_published_payload_decodes_and_encodes_to_itself() {
    // Proves lossless decoding and the checksum on every published EMV payload.
    for text in EMV {
        let payload = Payload::decode(text).unwrap();
        assert_eq!(payload.encode().unwrap(), text);
        let decoded = decode(text.as_bytes()).unwrap();
        assert_eq!(decoded.payload, Some(payload));
        let json = serde_json::to_string(&decoded.code).unwrap();
        assert_eq!(
            serde_json::from_str::<PaymentCode>(&json).unwrap(),
            decoded.code
        );
    }
}

#[test]
fn every_published_payload_is_recognised_as_its_scheme() {
    // Proves the scheme of each published payload, wallets and both kinds of Pix included.
    let viet_qr = ["viet_qr"; 7];
    let rest = ["vnpay", "vnpay", "pix", "pix", "pix"];
    let thai = ["prompt_pay", "prompt_pay", "prompt_pay", "thai_bill"];
    let schemes = [&["emv"][..], &viet_qr, &rest, &thai].concat();
    assert_eq!(schemes.len(), EMV.len());
    for (text, scheme) in EMV.iter().zip(schemes) {
        let code = decode(text.as_bytes()).unwrap().code;
        let json = serde_json::to_value(&code).unwrap();
        assert_eq!(json["scheme"], scheme, "{text}");
    }
    let wallet = |text: &str| match decode(text.as_bytes()).unwrap().code {
        PaymentCode::VietQr(code) => code.wallet(),
        _ => None,
    };
    assert_eq!(wallet(EMV[6]), Some(Wallet::Momo));
    assert_eq!(wallet(EMV[7]), Some(Wallet::ZaloPay));
    assert_eq!(wallet(EMV[4]), None);
}

#[test]
fn typed_codes_encode_to_the_published_bytes() {
    // Proves the strict encoders of VNPAY, Pix, PromptPay and Thai bills against their published codes.
    let cases = [
        (
            PaymentCode::Vnpay(Vnpay {
                merchant_id: "0108799042".into(),
                amount_dong: None,
                merchant: Merchant {
                    category: Some("5977".into()),
                    ..Merchant::named("MYPHAMHER", "HANOI")
                },
                labels: Labels {
                    store: Some("MY PHAM HER".into()),
                    terminal: Some("MPHER01".into()),
                    ..Labels::default()
                },
            }),
            EMV[8],
        ),
        (
            PaymentCode::Pix(Pix::with_key(
                "123e4567-e12b-12d1-a456-426655440000",
                Merchant::named("Fulano de Tal", "BRASILIA"),
            )),
            EMV[10],
        ),
        (
            PaymentCode::Pix(Pix {
                target: PixTarget::Location {
                    location: "pix.example.com/qr/v2/cobv/1e6c54d3ec9449b7a7fc53b6b0f998e7".into(),
                    recurrence: Some(
                        "pix.example.com/qr/v2/rec/3ffa640fa4f14080adccb949fa2dc0d0".into(),
                    ),
                },
                ..Pix::with_location("", Merchant::named("Fulano de Tal", "BRASILIA"))
            }),
            EMV[11],
        ),
        (
            PaymentCode::Pix(Pix {
                target: PixTarget::Key {
                    key: "thalesog@me.com".into(),
                    info: Some("Pedido 123".into()),
                },
                amount: Some(Amount::whole(10)),
                ..Pix::with_key("", Merchant::named("THALES OGLIARI", "SAO MIGUEL DO O"))
            }),
            EMV[12],
        ),
        (
            promptpay(PromptPayTarget::Phone("0801234567".into()), None),
            EMV[13],
        ),
        (
            promptpay(
                PromptPayTarget::Phone("0000000000".into()),
                Some(Amount::cents(422)),
            ),
            EMV[14],
        ),
        (
            promptpay(PromptPayTarget::Wallet("012345678901234".into()), None),
            EMV[15],
        ),
        (
            PaymentCode::ThaiBill(ThaiBill {
                biller_id: "0112233445566".into(),
                reference1: "CUSTOMER001".into(),
                reference2: Some("INV001".into()),
                reference3: Some("SCB".into()),
                amount: None,
            }),
            EMV[16],
        ),
    ];
    for (code, text) in cases {
        assert_eq!(String::from_utf8(code.encode().unwrap()).unwrap(), text);
        let decoded = decode(text.as_bytes()).unwrap().code;
        assert_eq!(decoded.encode().unwrap(), text.as_bytes());
    }
}

fn promptpay(target: PromptPayTarget, amount: Option<Amount>) -> PaymentCode {
    PaymentCode::PromptPay(PromptPay { target, amount })
}

#[test]
fn epc_codes_encode_to_the_published_bytes() {
    // Proves the three published SEPA codes to the byte, in UTF-8 and ISO 8859-1.
    let lines = |text: &str| text.replace('|', "\n");
    let first = EpcTransfer {
        bic: Some("BHBLDEHHXXX".into()),
        name: "Franz Mustermänn".into(),
        iban: "DE71110220330123456789".into(),
        amount: Some("12.3".parse().unwrap()),
        purpose: Some("GDDS".into()),
        reference: Some("RF18539007547034".into()),
        ..EpcTransfer::default()
    };
    let text = lines(
        "BCD|002|1|SCT|BHBLDEHHXXX|Franz Mustermänn|DE71110220330123456789|EUR12.3|GDDS|RF18539007547034",
    );
    assert_eq!(first.encode().unwrap(), text.as_bytes());
    assert_eq!(text.len(), 96);
    let second = EpcTransfer {
        charset: EpcCharset::Iso8859_1,
        name: "François D'Alsace S.A.".into(),
        iban: "FR1420041010050500013M02606".into(),
        amount: Some("12.3".parse().unwrap()),
        text: Some("Client:Marie Louise La Lune".into()),
        ..EpcTransfer::default()
    };
    let text = lines(
        "BCD|002|2|SCT||François D'Alsace S.A.|FR1420041010050500013M02606|EUR12.3|||Client:Marie Louise La Lune",
    );
    let latin: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert_eq!(second.encode().unwrap(), latin);
    assert_eq!(latin.len(), 103);
    let third = EpcTransfer {
        name: "Red Cross of Belgium".into(),
        iban: "BE72000000001616".into(),
        amount: Some(Amount::cents(12_345)),
        text: Some("Urgency fund".into()),
        information: Some("Sample QR code".into()),
        ..EpcTransfer::default()
    };
    let text = lines(
        "BCD|002|1|SCT||Red Cross of Belgium|BE72000000001616|EUR123.45|||Urgency fund|Sample QR code",
    );
    assert_eq!(third.encode().unwrap(), text.as_bytes());
    for code in [first, second, third] {
        assert_eq!(EpcTransfer::decode(&code.encode().unwrap()).unwrap(), code);
        let decoded = decode(&code.encode().unwrap()).unwrap();
        assert_eq!(decoded.code, PaymentCode::Epc(code));
    }
}

#[test]
fn epc_refuses_what_banks_refuse() {
    // Proves the EPC rules: IBAN check digits, BIC with version 001, reference or text, amount, character set.
    let good = EpcTransfer {
        name: "A".into(),
        iban: "BE72000000001616".into(),
        ..EpcTransfer::default()
    };
    let cases = [
        (
            EpcTransfer {
                iban: "BE72000000001617".into(),
                ..good.clone()
            },
            "iban",
        ),
        (
            EpcTransfer {
                version: EpcVersion::V1,
                ..good.clone()
            },
            "bic",
        ),
        (
            EpcTransfer {
                bic: Some("ABCDEFGHI".into()),
                ..good.clone()
            },
            "bic",
        ),
        (
            EpcTransfer {
                reference: Some("X".into()),
                text: Some("Y".into()),
                ..good.clone()
            },
            "text",
        ),
        (
            EpcTransfer {
                reference: Some("RF19539007547034".into()),
                ..good.clone()
            },
            "reference",
        ),
        (
            EpcTransfer {
                amount: Some(Amount::whole(0)),
                ..good.clone()
            },
            "amount",
        ),
        (
            EpcTransfer {
                amount: Some(Amount::whole(1_000_000_000)),
                ..good.clone()
            },
            "amount",
        ),
        (
            EpcTransfer {
                amount: Amount::new(1_234, 3),
                ..good.clone()
            },
            "amount",
        ),
        (
            EpcTransfer {
                name: "Nguyễn".into(),
                charset: EpcCharset::Iso8859_15,
                ..good.clone()
            },
            "text",
        ),
        (
            EpcTransfer {
                name: "A\nB".into(),
                ..good.clone()
            },
            "name",
        ),
    ];
    for (code, field) in cases {
        let error = code.encode().unwrap_err().to_string();
        assert!(error.starts_with(field), "{error} should name {field}");
    }
    let latin9 = EpcTransfer {
        name: "Œuvre €".into(),
        charset: EpcCharset::Iso8859_15,
        ..good
    };
    assert_eq!(
        EpcTransfer::decode(&latin9.encode().unwrap()).unwrap(),
        latin9
    );
    let error = decode(b"BCD\n002\n1\nSCT\n\nName\n\nEUR1").unwrap_err();
    assert_eq!(
        (error.place.path.as_str(), error.place.byte),
        ("line 7", 20)
    );
    let error = decode(b"BCD\n002\n1\nSCT\n\nPh\xe1\xbb\x9f \xff\nBE72000000001616").unwrap_err();
    let place = &error.place;
    assert_eq!(
        (place.path.as_str(), place.byte, place.character),
        ("line 6", 21, 19)
    );
    let error = decode(b"BCD\n002\n1\nSCT\n\nName\nBE72000000001616\nUSD1").unwrap_err();
    assert_eq!(error.place.path, "line 8");
}

fn swiss() -> SwissBill {
    SwissBill {
        iban: "CH4431999123000889012".into(),
        creditor: SwissAddress {
            name: "Robert Schneider AG".into(),
            street: "Rue du Lac".into(),
            house_number: "1268".into(),
            postal_code: "2501".into(),
            town: "Biel".into(),
            country: "CH".into(),
            combined: false,
        },
        amount: Some(Amount::cents(194_975)),
        currency: SwissCurrency::Chf,
        debtor: Some(SwissAddress {
            name: "Pia-Maria Rutschmann-Schnyder".into(),
            street: "Grosse Marktgasse".into(),
            house_number: "28".into(),
            postal_code: "9400".into(),
            town: "Rorschach".into(),
            country: "CH".into(),
            combined: false,
        }),
        reference: SwissReference::Qr("210000000003139471430009017".into()),
        message: "Order of 15 June 2020".into(),
        ..SwissBill::default()
    }
}

#[test]
fn swiss_bill_has_the_lines_of_the_guidelines() {
    // Proves the line layout of the guidelines' example, both line breaks, and the round trip.
    let expected = "SPC|0200|1|CH4431999123000889012|S|Robert Schneider AG|Rue du Lac|1268|2501|Biel|CH||||||||1949.75|CHF|S|Pia-Maria Rutschmann-Schnyder|Grosse Marktgasse|28|9400|Rorschach|CH|QRR|210000000003139471430009017|Order of 15 June 2020|EPD";
    for line_break in [payqr::epc::LineBreak::Lf, payqr::epc::LineBreak::CrLf] {
        let bill = SwissBill {
            line_break,
            ..swiss()
        };
        let text = bill.encode().unwrap();
        assert_eq!(text.replace("\r\n", "\n").replace('\n', "|"), expected);
        assert_eq!(SwissBill::decode(&text).unwrap(), bill);
        assert_eq!(
            decode(text.as_bytes()).unwrap().code,
            PaymentCode::SwissBill(bill)
        );
    }
}

#[test]
fn swiss_bill_without_amount_and_debtor_keeps_every_line() {
    // Proves the empty lines of an open bill, as the swissqrbill library writes them.
    let bill = SwissBill {
        iban: "CH9300762011623852957".into(),
        amount: None,
        currency: SwissCurrency::Eur,
        debtor: None,
        reference: SwissReference::None,
        message: String::new(),
        ..swiss()
    };
    let text = bill.encode().unwrap();
    assert_eq!(
        text.replace('\n', "|"),
        "SPC|0200|1|CH9300762011623852957|S|Robert Schneider AG|Rue du Lac|1268|2501|Biel|CH|||||||||EUR||||||||NON|||EPD"
    );
    assert_eq!(SwissBill::decode(&text).unwrap(), bill);
}

#[test]
fn codes_of_the_paynowqr_library_are_read() {
    // Proves that PayNow codes made by a library in use (one decimal, amount 0 for an open one) are read and kept.
    let fixed = "00020101021226490009SG.PAYNOW010120210201403121W03010040820261231520400005303702540412.55802SG5909DIEM CHAM6009Singapore62130109A0B1C2D3E630433C6";
    let open = "00020101021226490009SG.PAYNOW010120210201403121W03011040820311123520400005303702540105802SG5909DIEM CHAM6009Singapore6304E244";
    let read = |text: &str| {
        let decoded = decode(text.as_bytes()).unwrap();
        assert_eq!(decoded.payload.unwrap().encode().unwrap(), text);
        match decoded.code {
            PaymentCode::PayNow(code) => code,
            other => unreachable!("{other:?}"),
        }
    };
    let code = read(fixed);
    assert_eq!(code.proxy, PayNowProxy::Uen("201403121W".into()));
    assert_eq!(code.amount.and_then(|amount| amount.minor(2)), Some(1_250));
    assert_eq!(code.reference.as_deref(), Some("A0B1C2D3E"));
    let strict = code.encode().unwrap();
    assert_eq!(
        &strict[..100],
        &fixed.replace("540412.5", "540512.50")[..100]
    );
    assert!(read(open).amount_editable);
}

#[test]
fn swiss_bill_rules_hold() {
    // Proves reference and IBAN rules, address rules and that old combined addresses are read, not written.
    let cases = [
        (
            SwissBill {
                reference: SwissReference::None,
                ..swiss()
            },
            "reference",
        ),
        (
            SwissBill {
                reference: SwissReference::Qr("210000000003139471430009018".into()),
                ..swiss()
            },
            "reference",
        ),
        (
            SwissBill {
                reference: SwissReference::Creditor("RF18539007547034".into()),
                ..swiss()
            },
            "reference",
        ),
        (
            SwissBill {
                iban: "DE71110220330123456789".into(),
                ..swiss()
            },
            "iban",
        ),
        (
            SwissBill {
                message: "x".repeat(141),
                ..swiss()
            },
            "message",
        ),
        (
            SwissBill {
                message: "x".repeat(100),
                bill_information: "y".repeat(41),
                ..swiss()
            },
            "bill_information",
        ),
        (
            SwissBill {
                creditor: SwissAddress::default(),
                ..swiss()
            },
            "address",
        ),
    ];
    for (bill, field) in cases {
        let error = bill.encode().unwrap_err().to_string();
        assert!(error.starts_with(field), "{error} should name {field}");
    }
    let old = swiss().encode().unwrap().replacen("\nS\n", "\nK\n", 1);
    let read = SwissBill::decode(&old).unwrap();
    assert!(read.creditor.combined && read.encode().is_err());
    let error = SwissBill::decode(&old.replacen("\nK\n", "\nX\n", 1)).unwrap_err();
    assert_eq!(error.place.path, "line 5");
    let error = SwissBill::decode("SPC\n0200\n1").unwrap_err();
    assert_eq!(error.place.path, "line 20");
}

#[test]
fn upi_links_escape_and_keep_what_they_do_not_know() {
    // Proves %20 for spaces, plus read as space in texts, unknown parameters kept, and errors with the parameter.
    let upi = Upi {
        payee_address: "shop@upi".into(),
        payee_name: Some("Cà phê & Trà".into()),
        reference: Some("A0B1C2D3E".into()),
        note: Some("order 7".into()),
        amount: Some(Amount::whole(1)),
        other: vec![
            ("mode".into(), "02".into()),
            ("sign".into(), "a+b/c=".into()),
        ],
        ..Upi::default()
    };
    let link = upi.encode().unwrap();
    assert_eq!(
        link,
        "upi://pay?pa=shop@upi&pn=C%C3%A0%20ph%C3%AA%20%26%20Tr%C3%A0&tr=A0B1C2D3E&tn=order%207&am=1.00&cu=INR&mode=02&sign=a%2Bb%2Fc%3D"
    );
    let read = Upi {
        amount: Some(Amount::cents(100)),
        ..upi
    };
    assert_eq!(Upi::decode(&link).unwrap(), read);
    let liberal = Upi::decode("UPI://pay?pn=Hello+World&pa=a@b&am=&tr=").unwrap();
    assert_eq!(liberal.payee_name.as_deref(), Some("Hello World"));
    assert_eq!((liberal.amount, liberal.reference), (None, None));
    for (link, path) in [
        ("upi://pay?pn=x", "pa"),
        ("upi://pay?pa=a@b&am=1,00", "am"),
        ("upi://pay?pa=a@b&pn=%G0", "pn"),
        ("upi://pay?pa=a@b&pn=%FF", "pn"),
        ("upi://pay?pa=a@b&cu=USD", "cu"),
        ("upi://pay?pa=a@b&pa=c@d", "pa"),
    ] {
        assert_eq!(Upi::decode(link).unwrap_err().place.path, path, "{link}");
    }
}

#[test]
fn schemes_without_published_codes_round_trip() {
    // Proves layout and round trip of PayNow, QRIS and DuitNow, whose issuers publish tables but no codes.
    let shop = || Merchant::named("DIEM CHAM", "SINGAPORE");
    let paynow = PaymentCode::PayNow(PayNow {
        proxy: PayNowProxy::Uen("201403121W".into()),
        amount_editable: false,
        expiry: Some("20261231".into()),
        amount: Some(Amount::cents(1_250)),
        reference: Some("A0B1C2D3E".into()),
        sgqr_id: None,
        merchant: shop(),
    });
    let text = String::from_utf8(paynow.encode().unwrap()).unwrap();
    assert!(
        text.starts_with(
            "00020101021226490009SG.PAYNOW010120210201403121W0301004082026123152040000530370254"
        ),
        "{text}"
    );
    let qris = PaymentCode::Qris(Qris {
        acquirers: vec![QrisAcquirer {
            domain: "ID.CO.BANK.WWW".into(),
            merchant_pan: "936000140000000012".into(),
            merchant_id: "000000012".into(),
            criteria: "UMI".into(),
        }],
        national_merchant_id: Some("ID1020000000012".into()),
        criteria: Some("UMI".into()),
        amount: Some(Amount::whole(25_000)),
        merchant: Merchant {
            postal_code: Some("10110".into()),
            ..shop()
        },
        labels: Labels {
            terminal: Some("A01".into()),
            ..Labels::default()
        },
    });
    let duitnow = PaymentCode::DuitNow(DuitNow {
        bank: "589267".into(),
        account: "1234567890".into(),
        amount: Some(Amount::cents(990)),
        merchant: shop(),
        labels: Labels::default(),
        check_value: Some("AB".repeat(32)),
    });
    for code in [paynow, qris, duitnow] {
        let decoded = decode(&code.encode().unwrap()).unwrap();
        assert_eq!(decoded.code, code);
        assert_eq!(decoded.warnings, []);
    }
}

/// A payload with its right checksum.
fn sealed(body: &str) -> String {
    let text = format!("{body}6304");
    format!("{text}{}", payqr::crc::crc16_text(text.as_bytes()))
}

#[test]
fn broken_payloads_are_classified_with_their_place() {
    // Proves that each kind of damage gives its own fault at the right byte.
    let good = EMV[4];
    let cut = &good[..good.len() - 1];
    let head = &good[..good.len() - 8];
    let cases: [(String, &str, usize); 15] = [
        (String::new(), "missing at the end", 0),
        ("hello".into(), "two digits", 0),
        (sealed("0A0201"), "two digits", 0),
        (sealed("000201010X12"), "length must", 8),
        ("0002010199".into(), "99 characters, only 0", 10),
        (sealed("000201010211010211"), "appears twice", 12),
        (sealed("010211000201"), "begins with tag 00", 0),
        (format!("{good}00"), "after the checksum", good.len()),
        (format!("{good}x"), "after the checksum", good.len()),
        (format!("{good}000201"), "after the checksum", good.len()),
        (cut.to_owned(), "only 3 are left", good.len() - 4),
        (head.to_owned(), "missing at the end", head.len()),
        (format!("{head}6304XYZ!"), "hexadecimal", good.len() - 4),
        (format!("{head}63020E"), "hexadecimal", good.len() - 4),
        (
            good.replace("10000", "90000"),
            "altered or misread",
            good.len() - 4,
        ),
    ];
    for (text, words, byte) in cases {
        let error = Payload::decode(&text).unwrap_err();
        assert!(
            error.to_string().contains(words),
            "{error} should say {words}"
        );
        assert_eq!(error.place.byte, byte, "{error} in {text}");
    }
    let long = Payload::decode(&"9".repeat(5_000)).unwrap_err();
    assert!(matches!(
        long.fault,
        Fault::TooLong {
            characters: 5_000,
            ..
        }
    ));
    let unknown = decode(b"https://example.com").unwrap_err();
    assert!(matches!(unknown.fault, Fault::UnknownScheme { .. }));
    let binary = decode(b"000201\xff").unwrap_err();
    assert_eq!(binary.place.byte, 6);
}

#[test]
fn liberal_decoding_accepts_real_life_and_says_so() {
    // Proves that lower-case checksums, byte lengths, format 02 and overlong names are read, kept and warned about.
    let lower = EMV[4].replace("630453E6", "630453e6");
    let decoded = decode(lower.as_bytes()).unwrap();
    assert_eq!(decoded.warnings.len(), 1);
    assert_eq!(decoded.payload.unwrap().encode().unwrap(), lower);
    let body = "00020101021126240010A00000077501060123455303704 5802VN".replace(' ', "");
    let bytes = sealed(&format!("{body}5909Phở Hà6005HANOI"));
    assert!("Phở Hà".len() == 9);
    let decoded = decode(bytes.as_bytes()).unwrap();
    assert!(
        decoded
            .warnings
            .iter()
            .any(|warning| warning.what.contains("bytes"))
    );
    assert_eq!(decoded.payload.unwrap().encode().unwrap(), bytes);
    let shop = decode(EMV[9].as_bytes()).unwrap();
    assert_eq!(shop.warnings[0].path, "01");
    let format_two = sealed("00020226240010A00000077501060123455303704");
    assert!(
        decode(format_two.as_bytes()).unwrap().warnings[0]
            .what
            .contains("02")
    );
}

#[test]
fn one_flipped_character_never_passes() {
    // Proves that the checksum or the grammar catches every single changed character of a published code.
    let good = EMV[4];
    for at in 0..good.len() {
        for other in [b'0', b'9', b'A', b'x', b' '] {
            let mut bytes = good.as_bytes().to_vec();
            let changes_case_only = bytes[at].eq_ignore_ascii_case(&other);
            bytes[at] = other;
            if !changes_case_only {
                assert!(
                    decode(&bytes).is_err(),
                    "{}",
                    String::from_utf8_lossy(&bytes)
                );
            }
        }
    }
}
