//! Any input: no panic, and what is accepted encodes to itself.
#![allow(clippy::unwrap_used)]

use payqr::{OrderCode, Payload, PaymentCode, StorePrefix, decode, memo};
use proptest::prelude::*;

/// A well-formed payload of random fields and templates, then sealed.
fn payload_text() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[0-9]{1,13}",
        "[A-Za-z .]{1,20}",
        "\\PC{0,12}",
        "0010A000000727[0-9]{0,30}"
    ];
    proptest::collection::btree_map(1_u8..62, value, 0..8).prop_map(|fields| {
        let mut text = "000201".to_owned();
        for (id, value) in fields {
            text.push_str(&format!("{id:02}{:02}{value}", value.chars().count()));
        }
        text.push_str("6304");
        let checksum = payqr::crc::crc16_text(text.as_bytes());
        text + &checksum
    })
}

fn poke(bytes: &[u8]) {
    if let Ok(decoded) = decode(bytes) {
        if let Some(payload) = decoded.payload {
            assert_eq!(payload.encode().unwrap().as_bytes(), bytes);
        }
        let json = serde_json::to_string(&decoded.code).unwrap();
        assert_eq!(
            serde_json::from_str::<PaymentCode>(&json).unwrap(),
            decoded.code
        );
        // Strict encoding may refuse a liberal code, but must not panic, and
        // what it writes must read as the same code.
        if let Ok(again) = decoded.code.encode() {
            decode(&again).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        // Proves that arbitrary bytes are answered with an error, never a panic.
        poke(&bytes);
    }

    #[test]
    fn random_text_behind_every_door(head in prop_oneof![Just("0002"), Just("BCD\n002\n1\nSCT\n"), Just("SPC\n0200\n1\n"), Just("upi://pay?pa=a@b&")], tail in "\\PC{0,80}(\n\\PC{0,10}){0,35}") {
        // Proves that each scheme's decoder survives any continuation.
        poke(format!("{head}{tail}").as_bytes());
    }

    #[test]
    fn well_formed_payloads_are_lossless(text in payload_text()) {
        // Proves that every well-formed payload decodes and encodes to the identical bytes.
        prop_assert_eq!(Payload::decode(&text).unwrap().encode().unwrap(), text.as_str());
        poke(text.as_bytes());
    }

    #[test]
    fn damaged_payloads(text in payload_text(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        // Proves that a payload with one byte changed never panics a decoder.
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        poke(&bytes);
    }

    #[test]
    fn memos_of_any_kind(text in "\\PC{0,80}") {
        // Proves that searching and folding any text never panics.
        let prefix = StorePrefix::new("HN").unwrap();
        let _ = OrderCode::find_all(&text, prefix);
        let _ = memo::fold(&text, memo::MemoRule::NAPAS);
        let _ = text.parse::<OrderCode>();
    }

    #[test]
    fn codes_hidden_in_any_text_are_found(number in 0_u32..1 << 30, before in "[a-z .,:/-]{0,20}", after in "[a-z .,:/-]{0,20}") {
        // Proves that a code put into any small talk is among those found.
        let prefix = StorePrefix::new("97").unwrap();
        let code = OrderCode::new(prefix, number).unwrap();
        let memo = format!("{before}{code}{after}");
        prop_assert!(OrderCode::find_all(&memo, prefix).contains(&code));
    }
}
