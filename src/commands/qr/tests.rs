//! The command, without its output: published codes, fields, pictures, and what it says of
//! malformed input.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::commands::Cli;
use clap::Parser;

fn args(scheme: Scheme, words: &[&str]) -> EncodeArgs {
    EncodeArgs {
        scheme,
        json: None,
        png: None,
        fields: words.iter().map(|word| (*word).to_owned()).collect(),
    }
}

fn payload(scheme: Scheme, words: &[&str]) -> String {
    let said = encode(&args(scheme, words)).unwrap();
    said["payload"].as_str().unwrap().to_owned()
}

/// Published codes: scheme, fields that make it, payload.
const MADE: [(Scheme, &[&str], &str); 17] = [
    (
        Scheme::Vietqr,
        &["bin=970403", "account=0011012345678"],
        "00020101021138570010A00000072701270006970403011300110123456780208QRIBFTTA53037045802VN63049E6F",
    ),
    (
        Scheme::Vietqr,
        &[
            "bin=970403",
            "account=0011012345678",
            "amount=180000",
            "bill_number=NPS6869",
            "memo=thanh toan don hang",
        ],
        "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA530370454061800005802VN62340107NPS68690819thanh toan don hang63042E2E",
    ),
    (
        Scheme::Vietqr,
        &["bin=970403", "account=9704031101234567", "service=card"],
        "00020101021138600010A00000072701300006970403011697040311012345670208QRIBFTTC53037045802VN63044F52",
    ),
    (
        Scheme::Vietqr,
        &[
            "bin=970416",
            "account=257678859",
            "amount=10000",
            "memo=Chuyen tien",
        ],
        "00020101021238530010A0000007270123000697041601092576788590208QRIBFTTA53037045405100005802VN62150811Chuyen tien630453E6",
    ),
    (
        Scheme::Vietqr,
        &["bin=970416", "account=257678859"],
        "00020101021138530010A0000007270123000697041601092576788590208QRIBFTTA53037045802VN6304AE9F",
    ),
    (
        Scheme::Momo,
        &["account=99MM24011M34875080", "phone_last_three=046"],
        "00020101021138620010A00000072701320006970454011899MM24011M348750800208QRIBFTTA53037045802VN62190515MOMOW2W3487508080030466304EBC8",
    ),
    (
        Scheme::Zalopay,
        &["account=99ZP24009M07248267"],
        "00020101021138620010A00000072701320006970454011899ZP24009M072482670208QRIBFTTA53037045802VN6304073C",
    ),
    (
        Scheme::Vnpay,
        &[
            "merchant_id=0108799042",
            "category=5977",
            "name=MYPHAMHER",
            "city=HANOI",
            "labels.store=MY PHAM HER",
            "labels.terminal=MPHER01",
        ],
        "00020101021126280010A000000775011001087990425204597753037045802VN5909MYPHAMHER6005HANOI62260311MY PHAM HER0707MPHER0163041C50",
    ),
    (
        Scheme::Pix,
        &[
            "key=123e4567-e12b-12d1-a456-426655440000",
            "name=Fulano de Tal",
            "city=BRASILIA",
        ],
        "00020126580014br.gov.bcb.pix0136123e4567-e12b-12d1-a456-4266554400005204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***63041D3D",
    ),
    (
        Scheme::Pix,
        &[
            "location=pix.example.com/qr/v2/cobv/1e6c54d3ec9449b7a7fc53b6b0f998e7",
            "recurrence=pix.example.com/qr/v2/rec/3ffa640fa4f14080adccb949fa2dc0d0",
            "name=Fulano de Tal",
            "city=BRASILIA",
        ],
        "00020101021226810014br.gov.bcb.pix2559pix.example.com/qr/v2/cobv/1e6c54d3ec9449b7a7fc53b6b0f998e75204000053039865802BR5913Fulano de Tal6008BRASILIA62070503***80800014br.gov.bcb.pix2558pix.example.com/qr/v2/rec/3ffa640fa4f14080adccb949fa2dc0d06304A441",
    ),
    (
        Scheme::Pix,
        &[
            "key=thalesog@me.com",
            "info=Pedido 123",
            "amount=10",
            "name=THALES OGLIARI",
            "city=SAO MIGUEL DO O",
        ],
        "00020126510014br.gov.bcb.pix0115thalesog@me.com0210Pedido 123520400005303986540510.005802BR5914THALES OGLIARI6015SAO MIGUEL DO O62070503***63040DC6",
    ),
    (
        Scheme::Promptpay,
        &["phone=0801234567"],
        "00020101021129370016A000000677010111011300668012345675802TH530376463046197",
    ),
    (
        Scheme::Promptpay,
        &["phone=0000000000", "amount=4.22"],
        "00020101021229370016A000000677010111011300660000000005802TH530376454044.226304E469",
    ),
    (
        Scheme::Promptpay,
        &["wallet=012345678901234"],
        "00020101021129390016A00000067701011103150123456789012345802TH530376463049781",
    ),
    (
        Scheme::ThaiBill,
        &[
            "biller_id=0112233445566",
            "reference1=CUSTOMER001",
            "reference2=INV001",
            "reference3=SCB",
        ],
        "00020101021130620016A000000677010112011301122334455660211CUSTOMER0010306INV00153037645802TH62070703SCB6304780E",
    ),
    (
        Scheme::Epc,
        &[
            "bic=BHBLDEHHXXX",
            "name=Franz Mustermänn",
            "iban=DE71110220330123456789",
            "amount=12.3",
            "purpose=GDDS",
            "reference=RF18539007547034",
        ],
        "BCD\n002\n1\nSCT\nBHBLDEHHXXX\nFranz Mustermänn\nDE71110220330123456789\nEUR12.3\nGDDS\nRF18539007547034",
    ),
    (
        Scheme::Epc,
        &[
            "name=Red Cross of Belgium",
            "iban=BE72000000001616",
            "amount=123.45",
            "text=Urgency fund",
            "information=Sample QR code",
        ],
        "BCD\n002\n1\nSCT\n\nRed Cross of Belgium\nBE72000000001616\nEUR123.45\n\n\nUrgency fund\nSample QR code",
    ),
];

/// Published codes that only others make, and are read and kept.
const READ: [(&str, &str); 2] = [
    (
        "emv",
        "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME91320016A0112233449988770708123456786304A13A",
    ),
    (
        "vnpay",
        "00020101021126280010A0000007750110010531314453037045408210900005802VN5910CELLPHONES62600312CPSHN ONLINE0517021908061613127850705ONLHN0810CellphoneS63047685",
    ),
];

#[test]
fn published_codes_come_out_of_the_command_to_the_byte() {
    // Proves: every published code whose scheme has a maker is made by `qr encode` from plain
    // fields, and `qr decode` gives fields that make it again, under the same scheme.
    for (scheme, words, text) in MADE {
        assert_eq!(payload(scheme, words), text);
        let read = decode(text.as_bytes()).unwrap().unwrap();
        assert_eq!(read["scheme"], scheme.name(), "{text}");
        let mut again = args(scheme, &[]);
        again.json = Some(read["fields"].to_string());
        assert_eq!(encode(&again).unwrap()["payload"], text);
    }
}

#[test]
fn published_codes_are_kept_to_the_byte() {
    // Proves: what `qr decode` says of any EMV code under `emv` makes the identical bytes.
    let made = MADE.iter().filter(|(_, _, text)| text.starts_with("00"));
    let texts = made.map(|(_, _, text)| *text);
    for text in texts.chain(READ.map(|(_, text)| text)) {
        let read = decode(text.as_bytes()).unwrap().unwrap();
        let mut again = args(Scheme::Emv, &[]);
        again.json = Some(read["emv"].to_string());
        assert_eq!(encode(&again).unwrap()["payload"], text);
    }
    for (scheme, text) in READ {
        assert_eq!(decode(text.as_bytes()).unwrap().unwrap()["scheme"], scheme);
    }
}

#[test]
fn a_code_that_is_no_utf_8_comes_as_hexadecimal_digits() {
    // Proves: the published ISO 8859-1 code of EPC069-12 is made to the byte and is not forced
    // into a text.
    let said = encode(&args(
        Scheme::Epc,
        &[
            "charset=iso8859_1",
            "name=François D'Alsace S.A.",
            "iban=FR1420041010050500013M02606",
            "amount=12.3",
            "text=Client:Marie Louise La Lune",
        ],
    ))
    .unwrap();
    assert_eq!(said["bytes"], 103);
    assert!(said.get("payload").is_none());
    let hex = said["payload_hex"].as_str().unwrap();
    assert!(hex.contains("4672616ee76f6973"), "{hex}");
}

#[test]
fn schemes_without_a_published_code_are_made_and_read() {
    // Proves: PayNow, SGQR, QRIS, DuitNow, Swiss bills and UPI through the command and back.
    let cases: [(Scheme, &[&str]); 6] = [
        (
            Scheme::Paynow,
            &[
                "uen=201403121W",
                "amount=12.50",
                "expiry=20261231",
                "reference=A0B1C2D3E",
                "name=DIEM CHAM",
                "city=Singapore",
            ],
        ),
        (
            Scheme::Sgqr,
            &["mobile=+6591234567", "name=DIEM CHAM", "city=Singapore"],
        ),
        (
            Scheme::Qris,
            &[
                "acquirers.0.domain=ID.CO.BANK.WWW",
                "acquirers.0.merchant_pan=9360000812345678901",
                "acquirers.0.merchant_id=123456789012345",
                "acquirers.0.criteria=UMI",
                "amount=25000",
                "name=WARUNG KOPI",
                "city=JAKARTA",
            ],
        ),
        (
            Scheme::Duitnow,
            &[
                "bank=501664",
                "account=12345678",
                "amount=10.00",
                "name=KEDAI KOPI",
                "city=KUALA LUMPUR",
            ],
        ),
        (
            Scheme::Swiss,
            &[
                "iban=CH4431999123000889012",
                "creditor.name=Robert Schneider AG",
                "creditor.street=Rue du Lac",
                "creditor.house_number=1268",
                "creditor.postal_code=2501",
                "creditor.town=Biel",
                "creditor.country=CH",
                "amount=1949.75",
                "currency=CHF",
                "reference.qr=210000000003139471430009017",
            ],
        ),
        (
            Scheme::Upi,
            &[
                "payee_address=shop@upi",
                "payee_name=Cafe 7",
                "amount=1",
                "other.0.0=mode",
                "other.0.1=02",
            ],
        ),
    ];
    for (scheme, words) in cases {
        let text = payload(scheme, words);
        let read = decode(text.as_bytes()).unwrap().unwrap();
        let mut again = args(scheme, &[]);
        again.json = Some(read["fields"].to_string());
        assert_eq!(encode(&again).unwrap()["payload"], text, "{scheme:?}");
        // A single label of SGQR is a PayNow code; nothing in it says more.
        let name = if scheme == Scheme::Sgqr {
            "paynow"
        } else {
            &scheme.name()
        };
        assert_eq!(read["scheme"], name);
    }
}

#[test]
fn the_picture_reads_back() {
    // Proves: --png writes a picture with quiet zone that a reader reads to the byte, and the
    // answer says how wide the symbol is.
    let folder = tempfile::tempdir().unwrap();
    let mut args = args(Scheme::Vietqr, MADE[3].1);
    args.png = Some(folder.path().join("code.png"));
    let said = encode(&args).unwrap();
    let file = std::fs::File::open(folder.path().join("code.png")).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(file))
        .read_info()
        .unwrap();
    let edge = reader.info().width as usize;
    assert_eq!(said["modules"], edge / PNG_SCALE - 8);
    let mut luma = vec![0; edge * edge];
    reader.next_frame(&mut luma).unwrap();
    let read = crate::qr_symbol::read(edge, edge, |x, y| luma[y * edge + x]).unwrap();
    assert_eq!(read, MADE[3].2.as_bytes());
}

#[test]
fn malformed_payloads_are_answered_with_what_and_where() {
    // Proves: message, tag path, and offsets in characters and in bytes, which differ behind
    // letters of more than one byte.
    let good = MADE[3].2;
    let answer =
        |text: &str| fault_json(&decode(text.as_bytes()).unwrap().unwrap_err())["error"].clone();
    let said = answer(&good.replace("53E6", "53E7"));
    assert_eq!(
        said["fault"]["checksum_wrong"]["computed"], "53E6",
        "{said}"
    );
    assert_eq!(said["path"], "63");
    assert_eq!(said["byte"], good.len() - 4);
    let said = answer(&good.replace("0109257678859", "0199257678859"));
    assert!(
        said["fault"].get("overrun").is_some() || said["fault"].get("checksum_wrong").is_some(),
        "{said}"
    );
    let said = answer("000201590AX");
    assert_eq!(said["fault"]["length_not_numeric"]["found"], "0A", "{said}");
    assert_eq!((&said["byte"], &said["character"]), (&json!(8), &json!(8)));
    let said = answer("0002015909Phở59");
    let overrun = json!({"declared": 9, "available": 5});
    assert_eq!(said["fault"]["overrun"], overrun, "{said}");
    assert_eq!(
        (said["path"].as_str(), said["character"].as_u64()),
        (Some("59"), Some(10))
    );
    let said = answer("0002015903Phở6x04");
    assert_eq!(
        (&said["character"], &said["byte"]),
        (&json!(13), &json!(15)),
        "{said}"
    );
    assert!(
        said["message"]
            .as_str()
            .unwrap()
            .contains("byte 15, character 13"),
        "{said}"
    );
    let said = answer("https://example.com");
    assert!(said["fault"].get("unknown_scheme").is_some(), "{said}");
    let said = answer("upi://pay?pa=a@b&am=1&am=2");
    assert_eq!(
        (said["path"].as_str(), said["byte"].as_u64()),
        (Some("am"), Some(22)),
        "{said}"
    );
    let said = answer("BCD\n002\n1\nSCT\n\nName\n\nEUR1");
    assert_eq!(said["path"], "line 7", "{said}");
}

#[test]
fn wrong_fields_are_answered_by_name() {
    // Proves: a field that is unknown, missing, twice, of the wrong kind or against the scheme's
    // rules is named, and nothing is made.
    let bank = ["bin=970403", "account=1"];
    let with = |more: &'static str| [&bank[..], &[more]].concat();
    let cases: [(Scheme, Vec<&str>, &str); 11] = [
        (Scheme::Vietqr, with("acount=2"), "acount"),
        (Scheme::Vietqr, vec!["bin=970403"], "account"),
        (Scheme::Vietqr, with("bin=970404"), "bin is given twice"),
        (
            Scheme::Vietqr,
            with("amount=4,5"),
            "amount=4,5: must be whole",
        ),
        (Scheme::Vietqr, with("amount=500000000"), "amount_dong"),
        (
            Scheme::Vietqr,
            with("memo=Cà phê"),
            "memo has 'à' at character 1",
        ),
        (Scheme::Vietqr, with("memo"), "NAME=VALUE"),
        (
            Scheme::Momo,
            vec!["account=99MM24011M34875080"],
            "phone_last_three is missing",
        ),
        (
            Scheme::Pix,
            vec!["key=a@b", "name=N"],
            "merchant.city is empty",
        ),
        (
            Scheme::Qris,
            vec!["acquirers.1.domain=X"],
            "number 0 comes first",
        ),
        (
            Scheme::Upi,
            vec!["payee_address=shop@upi", "amount=1.234"],
            "amount",
        ),
    ];
    for (scheme, words, names) in cases {
        let said = format!("{:#}", encode(&args(scheme, &words)).unwrap_err());
        assert!(said.contains(names), "{said} should say {names}");
    }
}

#[test]
fn json_comes_from_the_line_or_a_file_and_words_go_before_it() {
    // Proves: both ways of --json, that a word replaces a field of it, and that no object is an
    // error.
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"bin":"970416","account":"257678859","amount_dong":5,"memo":"Chuyen tien"}"#;
    let file = folder.path().join("fields.json");
    std::fs::write(&file, text).unwrap();
    for source in [text, file.to_str().unwrap()] {
        let mut args = args(Scheme::Vietqr, &["amount=10000"]);
        args.json = Some(source.to_owned());
        assert_eq!(encode(&args).unwrap()["payload"], MADE[3].2);
    }
    for source in ["[1]", "/nowhere.json", "{"] {
        let file = folder.path().join("not-an-object.json");
        std::fs::write(&file, source).unwrap();
        let mut args = args(Scheme::Vietqr, &[]);
        args.json = Some(match source {
            "[1]" => file.to_str().unwrap().to_owned(),
            other => other.to_owned(),
        });
        let said = format!("{:#}", encode(&args).unwrap_err());
        assert!(said.contains("--json"), "{said}");
    }
}

#[test]
fn the_examples_of_the_reference_page_are_true() {
    // Proves: every command line of docs/reference/qr.md is read, does what it shows, and each
    // scheme has one.
    let page = include_str!("../../../docs/reference/qr.md");
    let mut shown = Vec::new();
    for block in page.split("```sh\n").skip(1) {
        let block = block.split("```").next().unwrap();
        let (line, answer) = block.split_once("\n# ").unwrap_or((block, ""));
        let line = line.replace("\\\n", " ");
        let words = words(&line);
        let cli = Cli::try_parse_from(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
        let crate::commands::Command::Qr(QrArgs { what }) = cli.command else {
            panic!("{line}");
        };
        if let What::Encode(mut args) = what {
            args.png = None;
            let said = encode(&args).unwrap_or_else(|error| panic!("{line}: {error:#}"));
            let payload = said["payload"].as_str().unwrap().replace('\n', "|");
            assert_eq!(payload, answer.trim(), "{line}");
            shown.push(args.scheme);
        }
    }
    for scheme in Scheme::value_variants() {
        assert!(shown.contains(scheme), "{scheme:?} has no example");
    }
}

/// A line of shell with nothing in it but words and single quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.trim().chars() {
        match letter {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            other => words.last_mut().unwrap().push(other),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}
