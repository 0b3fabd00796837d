//! Published ZVT messages, byte for byte, as APDUs (TCP) and as serial blocks.
#![allow(clippy::unwrap_used)]

use hardware::terminal::zvt::protocol::command::{self, config_byte};
use hardware::terminal::zvt::protocol::fields::{Field, Fields};
use hardware::terminal::zvt::protocol::json::unhex;
use hardware::terminal::zvt::protocol::serial::{Received, SerialTimers, frame, unframe};
use hardware::terminal::zvt::protocol::status::{StatusInformation, TerminalStatusReply};
use hardware::terminal::zvt::protocol::{Apdu, SerialFramer, TcpFramer};
use hardware::terminal::{Amount, CardDigits, Currency};

fn bytes(hex: &str) -> Vec<u8> {
    unhex(hex).unwrap()
}

fn euro(minor: u64) -> Amount {
    Amount::new(minor, Currency::EUR)
}

fn authorisation(amount: Amount) -> Apdu {
    command::authorisation(amount, &Fields::default(), &Fields::default()).unwrap()
}

/// Message, its APDU, and the end of its serial block (after the data).
fn published() -> Vec<(Apdu, &'static str, &'static str)> {
    let none = Fields::default();
    let zero = command::password("000000").unwrap();
    let service = command::password("123456").unwrap();
    let card_complete = Fields {
        list: vec![
            Field::new(0x03, [0x01]),
            command::allowed_commands(&[0x06D3]).unwrap(),
        ],
        rest: Vec::new(),
    };
    let goods = command::goods_issue(60, 10);
    vec![
        (
            command::registration(zero, 0xBE, Currency::EUR, &none).unwrap(),
            "06 00 06 00 00 00 be 09 78",
            "10 03 3c aa",
        ),
        (
            command::registration(service, 0xBE, Currency::EUR, &card_complete).unwrap(),
            "06 00 10 12 34 56 be 09 78 03 01 06 06 26 04 0a 02 06 d3",
            "10 03 78 b5",
        ),
        (
            authorisation(euro(1250)),
            "06 01 0a 04 00 00 00 00 12 50 49 09 78",
            "10 03 13 1d",
        ),
        (
            authorisation(euro(1010)),
            "06 01 0a 04 00 00 00 00 10 10 49 09 78",
            "10 03 67 d4",
        ),
        (
            authorisation(Amount::new(250_000, Currency::VND)),
            "06 01 0a 04 00 00 00 25 00 00 49 07 04",
            "10 03 c8 f8",
        ),
        (
            command::authorisation(euro(1250), &goods, &none).unwrap(),
            "06 01 0e 01 3c 02 0a 04 00 00 00 00 12 50 49 09 78",
            "10 03 f9 44",
        ),
        (
            command::repeat_receipt(zero),
            "06 20 05 00 00 00 03 03",
            "10 03 db 15",
        ),
        (
            command::reversal(zero, 231).unwrap(),
            "06 30 06 00 00 00 87 02 31",
            "10 03 d8 af",
        ),
        // Published as a form; the checksum is CRC-16/KERMIT computed by another program.
        (
            command::refund(zero, euro(1250)).unwrap(),
            "06 31 0d 00 00 00 04 00 00 00 00 12 50 49 09 78",
            "10 03 de 2b",
        ),
        (
            command::end_of_day(service),
            "06 50 03 12 34 56",
            "10 03 c4 af",
        ),
        (
            command::status_enquiry(service),
            "05 01 03 12 34 56",
            "10 03 e0 43",
        ),
        (command::diagnosis(), "06 70 00", "10 03 d9 f9"),
        (command::log_off(), "06 02 00", "10 03 b9 cc"),
        (command::abort(), "06 b0 00", "10 03 43 f3"),
        (Apdu::accept(), "80 00 00", "10 03 f5 1f"),
        (Apdu::refuse(0x9C), "84 9c 00", "10 03 c3 41"),
        (Apdu::refuse(0x66), "84 66 00", "10 03 8d be"),
        (Apdu::refuse(0xCC), "84 cc 00", "10 03 20 c2"),
        (Apdu::new(0x06, 0x0F, []), "06 0f 00", "10 03 c6 33"),
        (Apdu::new(0x06, 0x1E, [0x6C]), "06 1e 01 6c", "10 03 c9 f2"),
        (Apdu::new(0x04, 0xFF, [0x0A]), "04 ff 01 0a", "10 03 f5 7d"),
        (Apdu::new(0x04, 0xFF, [0x01]), "04 ff 01 01", "10 03 5d 99"),
        (Apdu::new(0x04, 0xFF, [0x0E]), "04 ff 01 0e", "10 03 95 1a"),
    ]
}

#[test]
fn every_published_command_has_its_published_bytes() {
    // Proves that commands and answers are written to the byte as published, for TCP and serial.
    for (apdu, tcp, tail) in published() {
        let plain = bytes(tcp);
        assert_eq!(apdu.encode().unwrap(), plain, "{tcp}");
        let mut block = vec![0x10, 0x02];
        for byte in &plain {
            block.push(*byte);
            if *byte == 0x10 {
                block.push(0x10);
            }
        }
        block.extend(bytes(tail));
        assert_eq!(frame(&plain), block, "{tcp}");
        assert_eq!(Apdu::decode(&plain).unwrap(), apdu);
        let mut framer = SerialFramer::new(SerialTimers::default());
        let received = framer.push(0, &block);
        assert_eq!(framer.take_wire(), [0x06], "a good block is acknowledged");
        assert_eq!(received.len(), 1, "{tcp}");
    }
}

#[test]
fn the_driver_registers_with_one_commit_point() {
    // Proves that the default config byte asks for no print lines, which would commit too.
    assert_eq!(config_byte::ONE_COMMIT_POINT, 0x3E);
    assert_eq!(
        config_byte::ONE_COMMIT_POINT & config_byte::RECEIPT_LINES,
        0
    );
}

const FEIG_STATUS: &str = "04 0f 5a 27 00 04 00 00 00 00 25 00 49 09 78 0c 22 55 58 0d 04 05 \
    22 f0 f8 55 98 83 ee ee ee 80 74 87 02 31 3b 37 35 30 30 37 31 00 00 0b 00 09 75 19 60 \
    29 52 52 35 35 0e 24 05 8a 06 8c 01 8b f1 f1 4d 61 73 74 65 72 43 61 72 64 00 \
    2a 38 30 34 30 31 31 39 32 36 20 20 20 20 20 20";

#[test]
fn the_captured_status_information_of_a_feig_terminal_is_read() {
    // Proves that a real approval gives amount, receipt, trace, terminal, code, scheme, last four.
    let mut framer = TcpFramer::new();
    let received = framer.push(&bytes(FEIG_STATUS));
    let status = StatusInformation::parse(&received[0].apdu);
    assert_eq!(status.result_code, Some(0));
    let identity = &status.identity;
    assert_eq!(identity.amount_minor, Some(2500));
    assert_eq!(identity.currency, Some(Currency::EUR));
    assert_eq!(identity.receipt_number, Some(231));
    assert_eq!(identity.trace_number, Some(975));
    assert_eq!(identity.terminal_id.as_deref(), Some("52523535"));
    assert_eq!(identity.authorisation_code.as_deref(), Some("750071"));
    assert_eq!(
        (identity.date_mmdd, identity.time_hhmmss),
        (Some(405), Some(225_558))
    );
    assert_eq!(status.scheme.as_deref(), Some("MasterCard"));
    assert_eq!(status.card, Some(CardDigits([8, 0, 7, 4])));
    assert!(!received[0].was_unmasked);
}

const PANDA_STATUS_FROM_THE_TERMINAL: &str = "< 10 02 04 0f 5d 27 00 04 00 00 00 00 10 10 10 10 0b 00 00 01 \
    0c 02 02 32 0d 11 22 0e 28 12 17 00 01 29 29 00 12 34 \
    2a 53 49 4d 55 4c 41 54 4f 52 31 32 33 34 35 36 3b a0 00 00 00 04 10 10 10 10 01 49 09 78 \
    87 00 01 88 00 00 01 8a 06 8b f1 f1 4d 61 73 74 65 72 63 61 72 64 00 \
    22 f0 f8 67 63 89 ee ee ee 12 30 10 03 8a 82";

#[test]
fn the_published_serial_sale_is_read_in_pieces_of_any_size() {
    // Proves that a stuffed block with the turnover field 88 is read whole, however it is split.
    let block = bytes(&PANDA_STATUS_FROM_THE_TERMINAL[1..]);
    for size in 1..=block.len() {
        let mut framer = SerialFramer::new(SerialTimers::default());
        let mut received = Vec::new();
        for piece in block.chunks(size) {
            received.extend(framer.push(0, piece));
        }
        let [Received::Message(message)] = received.as_slice() else {
            panic!("size {size}: {received:?}")
        };
        let status = StatusInformation::parse(&message.apdu);
        assert_eq!(status.identity.amount_minor, Some(1010));
        assert_eq!(status.card, Some(CardDigits([1, 2, 3, 0])));
        assert_eq!(status.scheme.as_deref(), Some("Mastercard"));
    }
    let sale = bytes("06 01 0c 04 00 00 00 00 10 10 49 09 78 06 00");
    assert!(frame(&sale).ends_with(&bytes("10 03 bf bd")));
}

/// The published sale of 10.10 EUR over a serial line, every block, `>` from the till.
const SALE: [&str; 12] = [
    "> 10 02 06 01 0c 04 00 00 00 00 10 10 10 10 49 09 78 06 00 10 03 bf bd",
    "< 10 02 80 00 00 10 03 f5 1f",
    "< 10 02 04 ff 01 0a 10 03 f5 7d",
    "> 10 02 80 00 00 10 03 f5 1f",
    "< 10 02 04 ff 01 01 10 03 5d 99",
    "> 10 02 80 00 00 10 03 f5 1f",
    "< 10 02 04 ff 01 0e 10 03 95 1a",
    "> 10 02 80 00 00 10 03 f5 1f",
    PANDA_STATUS_FROM_THE_TERMINAL,
    "> 10 02 80 00 00 10 03 f5 1f",
    "< 10 02 06 0f 00 10 03 c6 33",
    "> 10 02 80 00 00 10 03 f5 1f",
];

#[test]
fn the_published_serial_sale_is_spoken_and_heard_block_by_block() {
    // Proves that both ends put every block of a whole sale on the line as published, with its
    // stuffing and checksum, each answered by a bare ACK, and read what the other end put there.
    use hardware::terminal::zvt::protocol::Repeat;
    let mut till = SerialFramer::new(SerialTimers::default());
    let mut terminal = SerialFramer::new(SerialTimers::default());
    for line in SALE {
        let (side, hex) = line.split_at(1);
        let block = bytes(hex);
        let apdu = unframe(&block).unwrap();
        let (speaks, hears) = match side {
            ">" => (&mut till, &mut terminal),
            _ => (&mut terminal, &mut till),
        };
        speaks.send(0, &apdu, Repeat::Twice);
        assert_eq!(speaks.take_wire(), block, "{line}");
        let received = hears.push(0, &block);
        let [Received::Message(message)] = received.as_slice() else {
            panic!("{line}: {received:?}")
        };
        assert_eq!(
            message.apdu.command(),
            u16::from_be_bytes([apdu[0], apdu[1]])
        );
        assert_eq!(hears.take_wire(), [0x06], "{line}");
        assert!(speaks.push(0, &[0x06]).is_empty());
        assert!(!speaks.is_sending());
    }
}

#[test]
fn the_message_counter_of_chapter_5_goes_there_and_back() {
    // Proves the published form of tag 1F73, with the length that is right (14, not 0C).
    let ordered = bytes("06 01 14 04 00 00 00 00 12 50 49 09 78 19 44 06 06 1f 73 03 00 00 01");
    let counter = Fields {
        list: vec![
            Field::new(0x19, [0x44]),
            Field::new(0x06, bytes("1f 73 03 00 00 01")),
        ],
        rest: Vec::new(),
    };
    let order = command::authorisation(euro(1250), &Fields::default(), &counter).unwrap();
    assert_eq!(order.encode().unwrap(), ordered);
    let answer = bytes("80 00 08 06 06 1f 73 03 00 00 01");
    assert_eq!(Apdu::decode(&answer).unwrap().encode().unwrap(), answer);
    assert!(frame(&ordered).ends_with(&bytes("10 03 0d 71")));
}

#[test]
fn a_long_message_split_over_tcp_is_put_together() {
    // Proves the two-byte little-endian length and reassembly of a 1648-byte print block.
    let mut value = vec![0x25, 0x82, 0x06, 0x60];
    for _ in 0..34 {
        value.extend([0x07, 0x2E]);
        value.extend([b'-'; 46]);
    }
    value.resize(4 + 0x660, 0);
    let mut data = vec![0x06, 0x82];
    data.extend(u16::try_from(value.len()).unwrap().to_be_bytes());
    data.extend(value);
    let apdu = Apdu::new(0x06, 0xD3, data);
    let encoded = apdu.encode().unwrap();
    assert_eq!(encoded[2], 0xFF);
    let mut framer = TcpFramer::new();
    assert!(framer.push(&encoded[..1024]).is_empty());
    assert!(framer.is_partial());
    assert_eq!(framer.push(&encoded[1024..]).len(), 1);
    assert!(!framer.is_partial());
}

#[test]
fn the_status_reply_is_read_with_and_without_a_software_version() {
    // Proves all three forms of the status enquiry's completion.
    let reply = |data: &[u8]| TerminalStatusReply::parse(&Apdu::new(0x06, 0x0F, data)).status;
    assert_eq!(reply(&[]), 0);
    assert_eq!(reply(&[0xDC]), 0xDC);
    assert_eq!(reply(&[0xF0, 0xF0, 0xF3, b'1', b'.', b'0', 0xF0]), 0xF0);
    assert_eq!(reply(&[0xCC, 0x06, 0x00]), 0xCC);
    assert_eq!(reply(&[0x19, 0x00, 0x29, 0x52, 0x52, 0x35, 0x35]), 0);
}

#[test]
fn a_damaged_block_is_refused_and_repeats_are_bounded() {
    // Proves NAK on a bad checksum, three sends at most, and none at all for an order of money.
    use hardware::terminal::zvt::protocol::Repeat;
    let mut block = frame(&bytes("06 0f 00"));
    *block.last_mut().unwrap() ^= 1;
    let mut framer = SerialFramer::new(SerialTimers::default());
    assert!(framer.push(0, &block).is_empty());
    assert_eq!(framer.take_wire(), [0x15]);

    let wanted = frame(&bytes("80 00 00"));
    framer.send(0, &bytes("80 00 00"), Repeat::Twice);
    assert_eq!(framer.take_wire(), wanted);
    for now_ms in [5000, 10_000] {
        assert!(framer.tick(now_ms).is_empty());
        assert_eq!(framer.take_wire(), wanted);
    }
    assert!(matches!(
        framer.tick(15_000)[..],
        [Received::NotAcknowledged]
    ));
    assert!(framer.take_wire().is_empty());

    framer.send(20_000, &bytes("06 01 00"), Repeat::Never);
    framer.take_wire();
    assert!(matches!(
        framer.push(20_001, &[0x15])[..],
        [Received::NotAcknowledged]
    ));
    assert!(
        framer.take_wire().is_empty(),
        "an order is never sent again, not even on NAK"
    );
}

#[test]
fn a_pause_inside_a_block_is_refused_and_the_next_block_is_read() {
    // Proves T1: 200 ms of silence inside a block give NAK and a clean start.
    let block = frame(&bytes("06 0f 00"));
    let mut framer = SerialFramer::new(SerialTimers::default());
    framer.push(0, &block[..4]);
    assert_eq!(framer.deadline_ms(), Some(200));
    framer.tick(200);
    assert_eq!(framer.take_wire(), [0x15]);
    assert_eq!(framer.push(300, &block).len(), 1);
}
