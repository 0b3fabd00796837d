//! The codec against arbitrary bytes, and card data against everything that can be logged.
#![allow(clippy::unwrap_used)]

use hardware::terminal::zvt::protocol::fields::{Field, Fields};
use hardware::terminal::zvt::protocol::serial::{Received, SerialTimers, frame};
use hardware::terminal::zvt::protocol::status::{StatusInformation, print_lines};
use hardware::terminal::zvt::protocol::tlv::Tlv;
use hardware::terminal::zvt::protocol::{Apdu, SerialFramer, TcpFramer, json, redact};
use hardware::terminal::{Amount, Currency};
use proptest::prelude::*;

const PAN: &str = "4111111111111111";

fn packed(digits: &str) -> Vec<u8> {
    json::unhex(digits).unwrap()
}

fn cases() -> ProptestConfig {
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(400)
    }
}

proptest! {
    #![proptest_config(cases())]

    // Proves that no bytes in no pieces make the TCP side panic or keep more than one message.
    #[test]
    fn tcp_takes_any_bytes(pieces in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 0..40), 0..20)) {
        let mut framer = TcpFramer::new();
        for piece in &pieces {
            for message in framer.push(piece) {
                let status = StatusInformation::parse(&message.apdu);
                let _ = (format!("{:?} {status:?}", message.apdu), print_lines(&message.apdu));
            }
        }
    }

    // Proves the same of the serial side, with noise around good blocks.
    #[test]
    fn serial_takes_any_bytes_and_finds_the_good_block(
        noise in proptest::collection::vec(any::<u8>(), 0..60),
        data in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let mut framer = SerialFramer::new(SerialTimers::default());
        framer.push(0, &noise);
        // A pause ends whatever the noise began.
        framer.tick(1000);
        let apdu = Apdu::new(0x04, 0xFF, data);
        let received = framer.push(1000, &frame(&apdu.encode().unwrap()));
        let good = received.iter().any(|one| matches!(one, Received::Message(message)
            if message.apdu.command() == 0x04FF));
        prop_assert!(good);
    }

    // Proves that every message of well-formed fields survives writing and reading.
    #[test]
    fn fields_are_read_as_written(
        text in proptest::collection::vec(any::<u8>(), 0..99),
        amount in 0u64..1_000_000_000_000,
        tag in prop_oneof![Just(0x22u8), Just(0x8B), Just(0x3C), Just(0x60), Just(0x06)],
        long in proptest::collection::vec(any::<u8>(), 0..700),
    ) {
        let digits = format!("{amount:012}");
        let fields = Fields {
            list: vec![Field::new(0x04, packed(&digits)), Field::new(tag, text),
                Field::new(0x3C, long), Field::new(0x27, [0])],
            rest: Vec::new(),
        };
        let bytes = fields.encode().unwrap();
        let again = Fields::parse(&bytes);
        prop_assert_eq!(again.number(0x04), Some(amount));
        prop_assert_eq!(again, fields);
    }

    // Proves that unknown TLV tags are kept and that parsing then writing loses no byte.
    #[test]
    fn tlv_keeps_every_byte(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let (items, rest) = Tlv::parse_all(&bytes);
        let mut again = Vec::new();
        for item in &items {
            item.encode(&mut again).unwrap();
        }
        let (items_again, _) = Tlv::parse_all(&again);
        prop_assert_eq!(items, items_again);
        prop_assert!(bytes.ends_with(&rest));
    }

    // Proves that JSON and bytes are two forms of one message.
    #[test]
    fn json_and_bytes_convert_both_ways(
        receipt in 0u16..9999, code in any::<u8>(), value in proptest::collection::vec(0u8..0x20, 0..30)
    ) {
        let mut tlv = Vec::new();
        Tlv::Constructed { tag: 0x2F, items: vec![Tlv::Primitive { tag: 0x1F55, value }] }
            .encode(&mut tlv).unwrap();
        let fields = Fields {
            list: vec![Field::new(0x27, [code]), Field::new(0x87, packed(&format!("{receipt:04}"))),
                Field::new(0x06, tlv)],
            rest: Vec::new(),
        };
        let bytes = Apdu::new(0x04, 0x0F, fields.encode().unwrap()).encode().unwrap();
        let text = json::decode(&bytes).unwrap();
        prop_assert_eq!(json::encode(&text).unwrap(), bytes);
    }

    // Proves that a card number in its field never survives the framer, whatever stands before
    // and after it, also when what follows cannot be read.
    #[test]
    fn a_card_number_never_leaves_the_framer(
        before in proptest::collection::vec((0usize..6, any::<[u8; 8]>()), 0..6),
        after in proptest::collection::vec(any::<u8>(), 0..20),
        command in prop_oneof![Just(0x0Fu8), Just(0xFF), Just(0xAB)],
    ) {
        let mut data = Vec::new();
        for (choice, value) in before {
            let (tag, length) =
                [(0x04, 6), (0x0B, 3), (0x27, 1), (0x87, 2), (0x88, 3), (0xA0, 1)][choice];
            Field::new(tag, &value[..length]).encode(&mut data).unwrap();
        }
        Field::new(0x22, packed(PAN)).encode(&mut data).unwrap();
        data.extend(after);
        let apdu = Apdu::new(0x04, command, data);
        let mut framer = TcpFramer::new();
        for message in framer.push(&apdu.encode().unwrap()) {
            let seen = json::hex(&message.apdu.data);
            prop_assert!(!seen.contains(PAN), "{seen}");
        }
    }
}

/// Everything of a message that could reach a log.
fn everything(apdu: &Apdu) -> String {
    let status = StatusInformation::parse(apdu);
    let json = json::decode(&apdu.encode().unwrap()).unwrap();
    let ascii: String = apdu.data.iter().map(|byte| char::from(*byte)).collect();
    let hex = json::hex(&apdu.data);
    format!(
        "{apdu:?} {status:?} {:?} {json} {hex} {ascii}",
        print_lines(apdu)
    )
}

#[test]
fn card_data_is_gone_from_every_field_that_can_hold_it() {
    // Proves masking of clear numbers, tracks, expiry, chip data, text and TLV, and the alarm.
    let track = [packed("4111111111111111"), packed("D2512201123456789F")].concat();
    let mut tlv = Vec::new();
    for (tag, value) in [
        (0x5Au32, packed(PAN)),
        (0x57, track.clone()),
        (0x1F08, PAN.as_bytes().to_vec()),
        (0x5F20, b"NGUYEN VAN A".to_vec()),
        (0x1F55, PAN.as_bytes().to_vec()),
    ] {
        Tlv::Primitive { tag, value }.encode(&mut tlv).unwrap();
    }
    let fields = Fields {
        list: vec![
            Field::new(0x27, [0]),
            Field::new(0x22, packed(PAN)),
            Field::new(0x23, track.clone()),
            Field::new(0x24, track.clone()),
            Field::new(0x2D, PAN.as_bytes().to_vec()),
            Field::new(0x0E, packed("2512")),
            Field::new(
                0x3C,
                format!("Karte 4111 1111 1111 1111 {PAN}").into_bytes(),
            ),
            Field::new(0x06, tlv),
        ],
        rest: Vec::new(),
    };
    let apdu = Apdu::new(0x04, 0x0F, fields.encode().unwrap());
    let redacted = redact::redact(apdu);
    assert!(redacted.was_unmasked);
    let seen = everything(&redacted.apdu);
    for secret in ["4111", "D25122", "2512", "NGUYEN", "123456789"] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
    assert!(seen.contains("1111"), "the last four digits are kept");
}

#[test]
fn print_lines_are_masked_and_unreadable_tails_are_dropped() {
    // Proves masking of receipt text, and that bytes nobody can read are not kept.
    let line = Apdu::new(
        0x06,
        0xD1,
        [&[0x00], b"PAN 4111 1111 1111 1111".as_slice()].concat(),
    );
    let redacted = redact::redact(line);
    assert!(redacted.was_unmasked);
    assert_eq!(print_lines(&redacted.apdu), ["PAN **** **** **** 1111"]);

    let mut tlv = Vec::new();
    let text = Tlv::Primitive {
        tag: 0x07,
        value: format!("Nr {PAN}").into_bytes(),
    };
    Tlv::Constructed {
        tag: 0x25,
        items: vec![text],
    }
    .encode(&mut tlv)
    .unwrap();
    let data = Fields {
        list: vec![Field::new(0x06, tlv)],
        rest: Vec::new(),
    }
    .encode()
    .unwrap();
    let redacted = redact::redact(Apdu::new(0x06, 0xD3, data));
    assert_eq!(print_lines(&redacted.apdu), ["Nr ************1111"]);

    // BMP C7 is not defined, so its length is unknown and the rest cannot be trusted.
    let mut broken = vec![0x27, 0x00, 0xC7, 0x22, 0xF0, 0xF8];
    broken.extend(packed(PAN));
    let redacted = redact::redact(Apdu::new(0x04, 0x0F, broken));
    assert_eq!(redacted.apdu.data, [0x27, 0x00]);
    // A message of an unknown kind keeps nothing.
    let redacted = redact::redact(Apdu::new(0x0F, 0xAA, packed(PAN)));
    assert!(redacted.apdu.data.is_empty());
}

#[test]
fn amounts_of_every_currency_are_exact_to_the_last_digit() {
    // Proves that no amount is rounded and that one digit too many cannot be written.
    use hardware::terminal::zvt::protocol::command::authorisation;
    let none = Fields::default();
    for (minor, currency) in [
        (999_999_999_999, Currency::VND),
        (1, Currency::JPY),
        (123_456_789_012, Currency::EUR),
    ] {
        let apdu = authorisation(Amount::new(minor, currency), &none, &none).unwrap();
        let fields = Fields::parse(&apdu.data);
        assert_eq!(fields.number(0x04), Some(minor));
        assert_eq!(fields.number(0x49), Some(u64::from(currency.0)));
    }
    let too_much = Amount::new(1_000_000_000_000, Currency::VND);
    assert!(authorisation(too_much, &none, &none).is_err());
}

#[test]
fn a_serial_block_decodes_like_its_message_and_a_broken_one_is_refused() {
    // Proves that `zvt decode` takes what a line recorder shows, and checks it.
    let message = json::unhex("06 01 0a 04 00 00 00 00 10 10 49 09 78").unwrap();
    let block = frame(&message);
    assert_eq!(json::decode(&block), json::decode(&message));
    let text = json::decode(&message).unwrap();
    assert!(
        text.contains("\"amount\"") && text.contains("000000001010"),
        "{text}"
    );
    for cut in 2..block.len() {
        assert!(json::decode(&block[..cut]).is_err(), "{cut}");
    }
    let mut broken = block.clone();
    broken[6] ^= 1;
    assert!(json::decode(&broken).is_err());
    assert!(json::encode("{}").is_err());
    assert!(
        json::encode(r#"{"class":"06","instruction":"01","fields":[{"bmp":"04","value":"00"}]}"#)
            .is_err()
    );
}

#[test]
fn a_card_number_where_none_belongs_is_not_kept() {
    // Proves that 15 digits in the shop's number are masked without an alarm, and that 16 digits
    // in the amount of a Caisse-AP answer are no amount.
    use hardware::terminal::caisse_ap::protocol::{Answer, write};
    let shop = Field::new(0x2A, *b"378282246310005");
    let fields = Fields {
        list: vec![Field::new(0x27, [0]), shop],
        rest: Vec::new(),
    };
    let redacted = redact::redact(Apdu::new(0x04, 0x0F, fields.encode().unwrap()));
    let seen = Fields::parse(&redacted.apdu.data);
    assert_eq!(seen.get(0x2A), Some(&b"***********0005"[..]));
    assert!(!redacted.was_unmasked);
    let told = write(&[
        ("AE", "10"),
        ("CB", "4929123412341232"),
        ("AC", "4929123412341232"),
    ]);
    let answer = Answer::parse(told.as_bytes());
    assert_eq!(answer.amount_minor, None);
    assert!(!format!("{answer:?}").contains("49291234"), "{answer:?}");
    let largest = write(&[("CB", "999999999999")]);
    let answer = Answer::parse(largest.as_bytes());
    assert_eq!(answer.amount_minor, Some(999_999_999_999));
}
