//! VietQR: published vectors to the byte, size of the symbol, errors, memos and order codes.
#![allow(clippy::unwrap_used)]

use payqr::{
    EncodeError, Fault, OrderCode, OrderCodeError, Payload, Service, StorePrefix, VietQr, Wallet,
};
use proptest::prelude::*;
use qrcode::{EcLevel, QrCode};

#[test]
fn published_vectors_encode_to_the_byte() {
    // Proves every published VietQR vector, static and dynamic, account, card and wallets.
    let nps = VietQr {
        bill_number: Some("NPS6869".into()),
        ..VietQr::account("970403", "0011012345678")
            .with_amount(180_000)
            .with_memo("thanh toan don hang")
    };
    let cases = [
        (
            VietQr::account("970403", "0011012345678"),
            "00020101021138570010A00000072701270006970403011300110123456780208QRIBFTTA53037045802VN63049E6F",
        ),
        (
            nps,
            "00020101021238570010A00000072701270006970403011300110123456780208QRIBFTTA530370454061800005802VN62340107NPS68690819thanh toan don hang63042E2E",
        ),
        (
            VietQr::card("970403", "9704031101234567"),
            "00020101021138600010A00000072701300006970403011697040311012345670208QRIBFTTC53037045802VN63044F52",
        ),
        (
            VietQr::account("970416", "257678859"),
            "00020101021138530010A0000007270123000697041601092576788590208QRIBFTTA53037045802VN6304AE9F",
        ),
        (
            VietQr::account("970416", "257678859")
                .with_amount(10_000)
                .with_memo("Chuyen tien"),
            "00020101021238530010A0000007270123000697041601092576788590208QRIBFTTA53037045405100005802VN62150811Chuyen tien630453E6",
        ),
        (
            VietQr::momo("99MM24011M34875080", "046"),
            "00020101021138620010A00000072701320006970454011899MM24011M348750800208QRIBFTTA53037045802VN62190515MOMOW2W3487508080030466304EBC8",
        ),
        (
            VietQr::zalopay("99ZP24009M07248267"),
            "00020101021138620010A00000072701320006970454011899ZP24009M072482670208QRIBFTTA53037045802VN6304073C",
        ),
    ];
    for (code, text) in cases {
        assert_eq!(code.encode().unwrap(), text);
        assert_eq!(VietQr::decode(text).unwrap(), code);
        assert_eq!(Payload::decode(text).unwrap().encode().unwrap(), text);
    }
}

#[test]
fn wallets_are_recognised() {
    // Proves that MoMo (both its banks) and ZaloPay are told from bank accounts.
    assert_eq!(
        VietQr::momo("99MM24011M34875080", "046").wallet(),
        Some(Wallet::Momo)
    );
    assert_eq!(
        VietQr::account("971025", "PSP123").wallet(),
        Some(Wallet::Momo)
    );
    assert_eq!(
        VietQr::zalopay("99ZP24009M07248267").wallet(),
        Some(Wallet::ZaloPay)
    );
    assert_eq!(VietQr::account("970416", "257678859").wallet(), None);
}

fn width_at_level_m(text: &str) -> usize {
    QrCode::with_error_correction_level(text, EcLevel::M)
        .unwrap()
        .width()
}

#[test]
fn the_symbol_stays_within_37_modules_at_level_m() {
    // Proves that the longest code a kiosk makes (19-digit account, 9-digit amount, order code as memo) fits 37 modules at level M, and 41 with the longest legal memo.
    let longest = VietQr::account("970436", "1234567890123456789").with_amount(499_999_999);
    for memo in ["A0B1C2D3E", "SEVQR A0B1C2D3E", "DH A0B1C2D3E"] {
        let text = longest.clone().with_memo(memo).encode().unwrap();
        assert!(width_at_level_m(&text) <= 37, "{text}");
    }
    let full = longest.with_memo("thanh toan don hang so 12");
    assert!(width_at_level_m(&full.encode().unwrap()) <= 41);
}

#[test]
fn the_encoder_refuses_what_banks_would_mangle() {
    // Proves that each rule of the encoder names the field it refuses.
    let good = || VietQr::account("970416", "257678859");
    let cases = [
        (VietQr::account("97041", "1"), "bin"),
        (VietQr::account("97041a", "1"), "bin"),
        (VietQr::account("970416", ""), "account"),
        (VietQr::account("970416", "12345678901234567890"), "account"),
        (VietQr::account("970416", "12 34"), "account"),
        (good().with_amount(0), "amount_dong"),
        (good().with_amount(500_000_000), "amount_dong"),
        (good().with_memo("Cà phê"), "memo"),
        (good().with_memo("12345678901234567890123456"), "memo"),
        (good().with_memo(""), "memo"),
    ];
    for (code, field) in cases {
        let error = code.encode().unwrap_err();
        assert!(
            error.to_string().starts_with(field),
            "{error} should name {field}"
        );
    }
}

#[test]
fn decode_errors_say_where() {
    // Proves that a wrong service, a missing account and a fractional amount are reported with tag path and byte.
    let payload = |account: &str, amount: &str| {
        let mut payload = Payload::decode("00020101021138570010A00000072701270006970403011300110123456780208QRIBFTTA53037045802VN63049E6F").unwrap();
        payload.set("38".to_owned().try_into().unwrap(), account);
        if !amount.is_empty() {
            payload.set("54".to_owned().try_into().unwrap(), amount);
        }
        payload.encode().unwrap()
    };
    let error = VietQr::decode(&payload("0010A000000727011400069704030199", "")).unwrap_err();
    assert_eq!(error.place.path, "38.01.01");
    assert_eq!(error.place.byte, 16 + 14 + 4 + 10 + 4);
    let error = VietQr::decode(&payload("0010A00000072701100006970403", "")).unwrap_err();
    assert_eq!(
        error.fault,
        Fault::Missing {
            what: "the account number"
        }
    );
    assert_eq!(error.place.path, "38.01.01");
    let error =
        VietQr::decode(&payload("0010A000000727011600069704030102120206QRNONE", "")).unwrap_err();
    assert_eq!(error.place.path, "38.02");
    assert!(error.to_string().contains("QRNONE"));
    let error = VietQr::decode(&payload(
        "0010A000000727011600069704030102120206QRPUSH",
        "10.5",
    ))
    .unwrap_err();
    assert_eq!(error.place.path, "54");
    let ok = VietQr::decode(&payload(
        "0010a000000727011600069704030102120206QRPUSH",
        "10.00",
    ))
    .unwrap();
    assert_eq!((ok.service, ok.amount_dong), (Service::Push, Some(10)));
}

#[test]
fn json_is_plain_and_refuses_unknown_names() {
    // Proves the JSON form used by the command line: optional values left out, typos refused.
    let code = VietQr::account("970416", "257678859").with_amount(10_000);
    let json = serde_json::to_string(&code).unwrap();
    assert_eq!(
        json,
        r#"{"bin":"970416","account":"257678859","service":"account","amount_dong":10000}"#
    );
    assert_eq!(serde_json::from_str::<VietQr>(&json).unwrap(), code);
    assert!(
        serde_json::from_str::<VietQr>(r#"{"bin":"970416","account":"1","amount":5}"#).is_err()
    );
}

#[test]
fn order_codes_are_found_in_mangled_memos() {
    // Proves that a code survives case, spaces, separators, bank prefixes, look-alikes and accents around it.
    let prefix = StorePrefix::new("hn").unwrap();
    let code = OrderCode::new(prefix, 123_456_789).unwrap();
    let text = code.to_string();
    assert_eq!(text.len(), 9);
    assert_eq!((code.prefix(), code.number()), (prefix, 123_456_789));
    assert_eq!(text.parse::<OrderCode>().unwrap(), code);
    let spaced: String = text.chars().flat_map(|c| [c, ' ']).collect();
    let memos = [
        text.clone(),
        text.to_lowercase(),
        format!("MBVCB.3278907687.{text}.CT tu 0123 toi 0456"),
        format!("Đơn hàng{text}cảm ơn"),
        format!("IBFT {}-{} FT26{}", &text[..4], &text[4..], "327"),
        format!("QR   {spaced}"),
        text.replace('0', "o").replace('1', "l"),
        format!("{}.{}/{}", &text[..2], &text[2..7], &text[7..]),
        format!("{text} {text}"),
    ];
    for memo in memos {
        assert_eq!(OrderCode::find(&memo, prefix), Some(code), "{memo}");
    }
    let other = OrderCode::new(prefix, 5).unwrap();
    assert_eq!(OrderCode::find(&format!("{text} {other}"), prefix), None);
    assert_eq!(
        OrderCode::find_all(&format!("{text} {other}"), prefix),
        [code, other]
    );
    assert_eq!(OrderCode::find(&text[..8], prefix), None);
    assert_eq!(
        OrderCode::find(&text, StorePrefix::new("SG").unwrap()),
        None
    );
}

#[test]
fn order_code_errors_say_what_to_do() {
    // Proves that wrong codes are refused with the character, its place or the expected check.
    assert!(matches!(
        StorePrefix::new("HU"),
        Err(OrderCodeError::Character {
            character: 'U',
            index: 1
        })
    ));
    assert!(StorePrefix::new("HNX").is_err());
    let prefix = StorePrefix::new("HN").unwrap();
    assert!(OrderCode::new(prefix, 1 << 30).is_err());
    let good = OrderCode::new(prefix, 77).unwrap().to_string();
    let check = if good.ends_with('0') { '1' } else { '0' };
    let wrong = format!("{}{check}", &good[..8]);
    assert!(matches!(
        wrong.parse::<OrderCode>(),
        Err(OrderCodeError::Check { .. })
    ));
}

/// Characters a memo may have.
const MEMO: &str = "[A-Za-z0-9_.-][A-Za-z0-9 _.-]{0,23}[A-Za-z0-9]";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_legal_code_survives_the_round_trip(
        bin in "[0-9]{6}",
        account in "[0-9A-Za-z]{1,19}",
        amount in proptest::option::of(1_u64..500_000_000),
        memo in proptest::option::of(MEMO.prop_map(String::from)),
        terminal in proptest::option::of("[A-Z0-9]{1,10}"),
        merchant_name in proptest::option::of("\\PC{1,25}"),
    ) {
        // Proves decode(encode(x)) == x and that the payload re-encodes to the identical bytes.
        let code = VietQr { amount_dong: amount, memo, terminal, merchant_name, ..VietQr::account(bin, account) };
        let text = code.encode().unwrap();
        prop_assert_eq!(&VietQr::decode(&text).unwrap(), &code);
        prop_assert_eq!(Payload::decode(&text).unwrap().encode().unwrap(), text);
    }

    #[test]
    fn one_wrong_character_never_gives_another_order(number in 0_u32..1 << 30, at in 0_usize..9, shift in 1_usize..32) {
        // Proves that Luhn mod 32 catches every single substitution.
        let alphabet = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let code = OrderCode::new(StorePrefix::new("A7").unwrap(), number).unwrap().to_string();
        let mut bytes = code.into_bytes();
        let symbol = alphabet.iter().position(|letter| *letter == bytes[at]).unwrap();
        bytes[at] = alphabet[(symbol + shift) % 32];
        let parsed = String::from_utf8(bytes).unwrap().parse::<OrderCode>();
        prop_assert!(parsed.is_err());
    }

    #[test]
    fn adjacent_swaps_are_caught(number in 0_u32..1 << 30, at in 0_usize..8) {
        // Proves that swapping two neighbours is caught, but for the known pair 0 and Z.
        let code = OrderCode::new(StorePrefix::new("A7").unwrap(), number).unwrap().to_string();
        let mut bytes = code.clone().into_bytes();
        bytes.swap(at, at + 1);
        let pair = [bytes[at], bytes[at + 1]];
        let swapped = String::from_utf8(bytes).unwrap();
        let known = pair == *b"0Z" || pair == *b"Z0" || pair[0] == pair[1];
        prop_assert!(known || swapped.parse::<OrderCode>().is_err());
    }

    #[test]
    fn a_memo_is_folded_into_something_every_bank_keeps(text in "\\PC{0,60}") {
        // Proves that folding any text gives a legal memo or nothing, and that folding again changes nothing.
        for rule in [payqr::MemoRule::NAPAS, payqr::MemoRule::PAYOS] {
            let memo = payqr::memo::fold(&text, rule);
            let checked = payqr::memo::check("memo", &memo, rule);
            let empty = matches!(checked, Err(EncodeError::Empty { .. }));
            prop_assert!(empty == memo.is_empty() && (empty || checked.is_ok()));
            prop_assert_eq!(payqr::memo::fold(&memo, rule), memo);
        }
    }
}
