//! Blocks, events and the golden vector, checked by bytes.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use serde_json::{Value, json};
use touchpoint::{
    At, Block, BlockBuilder, BlockError, BlockMeta, CanonicalError, DeviceId, Event, EventError,
    GENESIS, JournalId, Lane, SigningKey, canonical, chain_next, hex,
    vocabulary::{self, ExitTapped, Method, Money, SaleCompleted, SaleLine, SaleTax, SaleTender},
};

const JOURNAL: &str = "019aa3c4-7b2e-7f10-9a55-0123456789ab";

fn key() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn meta(first_seq: u64, prev: [u8; 32]) -> BlockMeta {
    BlockMeta {
        device: DeviceId::new("k-test").unwrap(),
        journal: JournalId::new(JOURNAL).unwrap(),
        lane: Lane::Money,
        first_seq,
        prev,
        app: "0.1.0".into(),
        boot: "b1".into(),
        mono_ms: 5_000,
        wall_ms: 1_795_390_000_000,
    }
}

fn at(mono_ms: u64) -> At {
    At {
        wall_ms: 1_795_390_000_000,
        mono_ms,
        boot: "b1".into(),
    }
}

fn sale() -> SaleCompleted {
    SaleCompleted {
        sale: "019aa3c5-0000-7000-8000-000000000001".into(),
        receipt_number: "K1-20261122-0001".into(),
        business_date: "2026-11-22".into(),
        total: Money {
            currency: "VND".into(),
            minor: 68_600,
        },
        lines: vec![SaleLine {
            item_code: "SP000123".into(),
            gtin: Some("8934563138165".into()),
            name: "Sữa tươi \"ít đường\"".into(),
            quantity_milli: 2_000,
            unit_price_minor: 34_300,
            discount_minor: 0,
            total_minor: 68_600,
            tax_rate_basis_points: 800,
            tax_treatment: None,
        }],
        taxes: vec![SaleTax {
            rate_basis_points: 800,
            treatment: None,
            net_minor: 63_519,
            tax_minor: 5_081,
        }],
        tenders: vec![SaleTender {
            method: Method::Qr,
            amount_minor: 68_600,
            attempt: None,
        }],
        rounding_minor: 0,
    }
}

fn vector_events() -> Vec<Vec<u8>> {
    let visit = Some("019aa3c5-1111-7000-8000-000000000002");
    let opened = vocabulary::DayOpened {
        business_date: "2026-11-22".into(),
    };
    vec![
        Event::of(at(1_000), None, &opened).unwrap().to_bytes().unwrap(),
        Event::of(at(2_000), visit, &sale()).unwrap().to_bytes().unwrap(),
        br#"{"at":{"boot":"b1","mono_ms":3000,"wall_ms":1795390000000},"body":{"new":[true,null]},"future":1,"kind":"sale.audited","lane":0}"#.to_vec(),
    ]
}

#[test]
fn golden_vector_reads_by_bytes() {
    // Proves: the published block file verifies, gives exactly the published event bytes, and is signed the same way again.
    let file = include_bytes!("vectors/block-1.tpb");
    let block = Block::verify(file, &key().verifying_key()).unwrap();
    let ndjson: Vec<u8> = block
        .events
        .iter()
        .flat_map(|e| [e.as_slice(), b"\n"].concat())
        .collect();
    assert_eq!(ndjson, include_bytes!("vectors/block-1.ndjson"));
    assert_eq!(
        block.events,
        vector_events(),
        "an event is written in other bytes than before"
    );
    let again = Block::sign(&key(), meta(1, GENESIS), &vector_events()).unwrap();
    assert_eq!(
        again.bytes, file,
        "a block is packed in other bytes than before"
    );
    assert_eq!(block.header.chain, block.chain_at(3).unwrap());
}

#[test]
fn a_block_can_be_checked_with_shell_tools() {
    // Proves: the payload is everything after the second line feed, and its SHA-256 and zstd form are the documented ones.
    let file = include_bytes!("vectors/block-1.tpb").as_slice();
    let mut parts = file.splitn(3, |&byte| byte == b'\n');
    let header: Value = serde_json::from_slice(parts.next().unwrap()).unwrap();
    let signature = parts.next().unwrap();
    let payload = parts.next().unwrap();
    assert_eq!(signature.len(), 128);
    assert_eq!(
        header["payload_sha256"],
        json!(hex::encode(&touchpoint::chain::sha256(payload)))
    );
    let raw = zstd::bulk::decompress(payload, 64 * 1024).unwrap();
    let chain = raw
        .split(|&b| b == b'\n')
        .filter(|l| !l.is_empty())
        .fold(GENESIS, chain_next);
    assert_eq!(header["chain"], json!(hex::encode(&chain)));
}

#[test]
fn a_zstd_bomb_is_refused_within_64_kib() {
    // Proves: a signed block whose payload unpacks to 100 MB is refused, whatever length its header claims.
    let bomb = zstd::bulk::compress(&vec![b'\n'; 100 * 1024 * 1024], 3).unwrap();
    for claimed in [64 * 1024, 100 * 1024 * 1024_u32] {
        let bytes = resign(
            |header| {
                header["raw_bytes"] = json!(claimed);
                header["payload_sha256"] = json!(hex::encode(&touchpoint::chain::sha256(&bomb)));
            },
            &bomb,
        );
        let error = Block::verify(&bytes, &key().verifying_key()).unwrap_err();
        assert!(
            matches!(error, BlockError::Payload(_) | BlockError::TooLong { .. }),
            "{error}"
        );
    }
}

/// A block with a header changed and signed again by the right key: only the later checks can refuse it.
fn resign(change: impl FnOnce(&mut Value), payload: &[u8]) -> Vec<u8> {
    use ed25519_dalek::Signer;
    let good = Block::sign(&key(), meta(1, GENESIS), &vector_events()).unwrap();
    let mut header = serde_json::to_value(&good.header).unwrap();
    change(&mut header);
    let line = canonical::to_bytes_unchecked(&header).unwrap();
    let signature = hex::encode(&key().sign(&line).to_bytes());
    [line.as_slice(), b"\n", signature.as_bytes(), b"\n", payload].concat()
}

#[test]
fn a_correctly_signed_lie_is_refused() {
    // Proves: count, length, chain and hash in the header are all checked against the payload.
    let payload = Block::sign(&key(), meta(1, GENESIS), &vector_events())
        .unwrap()
        .bytes;
    let payload = payload.splitn(3, |&b| b == b'\n').nth(2).unwrap().to_vec();
    let lies: [(&str, Value); 6] = [
        ("count", json!(2)),
        ("count", json!(0)),
        ("raw_bytes", json!(10)),
        ("chain", json!("00".repeat(32))),
        ("payload_sha256", json!("00".repeat(32))),
        ("first_seq", json!(0)),
    ];
    assert!(Block::verify(&resign(|_| {}, &payload), &key().verifying_key()).is_ok());
    for (field, lie) in lies {
        let bytes = resign(|header| header[field] = lie.clone(), &payload);
        assert!(
            Block::verify(&bytes, &key().verifying_key()).is_err(),
            "{field} = {lie}"
        );
    }
    let newer = resign(|header| header["format"] = json!("tpb2"), &payload);
    assert_eq!(
        Block::verify(&newer, &key().verifying_key()),
        Err(BlockError::Format("tpb2".into()))
    );
}

#[test]
fn unknown_kinds_and_fields_survive() {
    // Proves: an event of a newer program is read and written back with the same bytes.
    let bytes = &vector_events()[2];
    let event = Event::from_bytes(bytes).unwrap();
    assert_eq!(event.kind, "sale.audited");
    assert_eq!(event.extra["future"], json!(1));
    assert_eq!(&event.to_bytes().unwrap(), bytes);
}

#[test]
fn a_card_number_never_gets_into_an_event() {
    // Proves: any string, key or nested value that looks like a card number stops the event, with a typed error that does not repeat it.
    let event = |body: Value| Event {
        at: at(1),
        body: body.as_object().unwrap().clone(),
        kind: "exit.tapped".into(),
        lane: Lane::Touchpoints,
        visit: None,
        extra: serde_json::Map::new(),
    };
    for body in [
        json!({"sale": "4111111111111111"}),
        json!({"note": {"deep": ["x 5555 5555 5555 4444 y"]}}),
        json!({"4111111111111111": 1}),
        json!({"n": 4_111_111_111_111_111_u64}),
        json!({"gtin": "4111111111111111"}),
    ] {
        let error = event(body.clone()).to_bytes().unwrap_err();
        let card = matches!(
            &error,
            EventError::Canonical {
                source: CanonicalError::CardNumber { .. },
                ..
            }
        );
        assert!(card, "{body}: {error}");
        assert!(!error.to_string().contains("4111"));
    }
    let kept = event(json!({"gtin": "4000000000006"})).to_bytes().unwrap();
    assert!(String::from_utf8(kept).unwrap().contains("4000000000006"));
    let masked = event(json!({"reference": "no 4111111111111111"}))
        .to_bytes_redacted()
        .unwrap();
    assert!(
        String::from_utf8(masked)
            .unwrap()
            .contains("no ****************")
    );
}

#[test]
fn floats_and_other_spellings_are_refused() {
    // Proves: a float has no canonical form, and bytes that are not canonical are not read as an event.
    assert!(matches!(
        canonical::to_bytes(&json!({"a": {"b": 1.5}})),
        Err(CanonicalError::NotAnInteger { path, .. }) if path == "a.b"
    ));
    for text in [
        r#"{"b":1,"a":2}"#,
        r#"{"a": 1}"#,
        r#"{"a":1,"a":1}"#,
        r#"{"a":"\u0061"}"#,
        "{}\n",
    ] {
        assert!(canonical::from_bytes(text.as_bytes()).is_err(), "{text}");
    }
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    assert!(matches!(
        canonical::to_bytes(&deep),
        Err(CanonicalError::TooDeep { .. })
    ));
}

#[test]
fn every_body_reads_back() {
    // Proves: a typed body survives the journal, and reading it as another kind is refused.
    let event = Event::of(at(1), Some("v"), &sale()).unwrap();
    let read = Event::from_bytes(&event.to_bytes().unwrap()).unwrap();
    assert_eq!(read, event);
    assert_eq!(read.read::<SaleCompleted>().unwrap(), sale());
    assert!(read.read::<ExitTapped>().is_err());
    let mut kinds: Vec<_> = vocabulary::KINDS.iter().map(|(kind, _)| kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    assert_eq!(
        kinds.len(),
        vocabulary::KINDS.len(),
        "a kind is defined twice"
    );
}

#[test]
fn a_builder_stops_at_the_limits() {
    // Proves: the builder takes 500 small events or 64 KiB, never more, and what it took can be signed.
    let mut small = BlockBuilder::new();
    while small.push(b"{}") {}
    assert_eq!(small.len(), 500);
    let mut large = BlockBuilder::new();
    let event = vec![b'x'; 60 * 1024];
    assert!(large.push(&event));
    assert!(!large.push(&event));
    for builder in [small, large] {
        let block = builder.sign(&key(), meta(1, GENESIS)).unwrap();
        assert!(block.bytes.len() <= touchpoint::block::MAX_BLOCK_BYTES);
        Block::verify(&block.bytes, &key().verifying_key()).unwrap();
    }
}

fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-zđ\\\\\"\\x00-\\x1f ]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[a-z_]{1,6}", inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn canonical_bytes_are_one_to_one(value in json_values()) {
        // Proves: canonical bytes read back to the same value, are their own canonical form, and hold no line feed.
        let bytes = canonical::to_bytes(&value).unwrap();
        prop_assert!(!bytes.contains(&b'\n'));
        prop_assert_eq!(canonical::from_bytes(&bytes).unwrap(), value);
    }

    #[test]
    fn blocks_join_into_one_chain(
        events in prop::collection::vec("[ -~]{0,40}", 1..30),
        cut in 0_usize..30,
    ) {
        // Proves: wherever a run is cut into blocks, each verifies and the last chain link is the same.
        let events: Vec<Vec<u8>> = events.into_iter().map(String::into_bytes).collect();
        let cut = cut % events.len();
        let whole = Block::sign(&key(), meta(1, GENESIS), &events).unwrap();
        let mut prev = GENESIS;
        for (first, part) in [(1, &events[..cut]), (cut as u64 + 1, &events[cut..])] {
            if !part.is_empty() {
                let signed = Block::sign(&key(), meta(first, prev), part).unwrap();
                let block = Block::verify(&signed.bytes, &key().verifying_key()).unwrap();
                prop_assert_eq!(&block.events, part);
                prev = block.header.chain;
            }
        }
        prop_assert_eq!(prev, whole.header.chain);
    }

    #[test]
    fn a_changed_byte_never_verifies(position in any::<prop::sample::Index>(), bit in 0_u8..8) {
        // Proves: flipping any single bit of a block, anywhere, is noticed and never panics.
        let mut bytes = include_bytes!("vectors/block-1.tpb").to_vec();
        let index = position.index(bytes.len());
        bytes[index] ^= 1 << bit;
        prop_assert!(Block::verify(&bytes, &key().verifying_key()).is_err());
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        // Proves: arbitrary bytes are refused by every reader without a panic.
        prop_assert!(Block::verify(&bytes, &key().verifying_key()).is_err());
        prop_assert!(Block::peek(&bytes).is_err());
        let _ = Event::from_bytes(&bytes);
    }

    #[test]
    fn any_luhn_number_with_a_card_start_is_caught(
        start in prop::sample::select(vec!["4", "51", "2221", "34", "6011", "9704", "62"]),
        body in "[0-9]{14}",
        noise in "[ a-zA-Z:;=]{0,8}",
    ) {
        // Proves: whatever stands around it, a card-like number in a text never passes.
        let length = if start == "34" { 15 } else { 16 };
        let mut digits = format!("{start}{body}")[..length - 1].to_owned();
        let check = (0..10).find(|check| luhn_ok(&format!("{digits}{check}"))).unwrap();
        digits.push_str(&check.to_string());
        let text = format!("{noise}{digits}{noise}");
        let refused = canonical::to_bytes(&json!({"note": text})).is_err();
        prop_assert!(refused);
    }
}

/// An independent Luhn, so that the code under test is not its own judge.
fn luhn_ok(digits: &str) -> bool {
    let doubled = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
    let sum: usize = digits
        .bytes()
        .rev()
        .map(|b| usize::from(b - b'0'))
        .enumerate()
        .map(|(i, d)| if i % 2 == 1 { doubled[d] } else { d })
        .sum();
    sum.is_multiple_of(10)
}
