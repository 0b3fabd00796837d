//! What card terminals and tills say to each other: framing, messages, fields, card data.

use hardware::terminal::caisse_ap::protocol as caisse;
use hardware::terminal::concert::protocol as concert;
use hardware::terminal::zvt::protocol::redact::redact;
use hardware::terminal::zvt::protocol::serial::{
    Received, SerialTimers, block_length, frame, unframe,
};
use hardware::terminal::zvt::protocol::status::print_lines;
use hardware::terminal::zvt::protocol::{
    Apdu, Field, Fields, Repeat, SerialFramer, StatusInformation, TcpFramer, TerminalStatusReply,
    Tlv, json,
};

use super::bytes::Choices;

/// A card number that no test terminal sends by chance, packed and as text, and what must not be
/// found of it afterwards.
const NUMBER: &str = "4929123412341232";
const PACKED: [u8; 8] = [0x49, 0x29, 0x12, 0x34, 0x12, 0x34, 0x12, 0x32];
const SECRETS: [&[u8]; 3] = [b"4929123412341232", b"49291234123412", &PACKED];

fn assert_clean(what: &str, bytes: &[u8]) {
    for secret in SECRETS {
        let found = bytes.windows(secret.len()).any(|window| window == secret);
        assert!(!found, "{what}");
    }
}

/// The line of a ZVT terminal: bytes in pieces, pauses, blocks of ours in between.
pub fn zvt_serial(input: &[u8]) {
    // Any bytes are a message for the framing, and come out of it as they went in.
    let block = frame(input);
    assert_eq!(unframe(&block).unwrap(), input);
    assert_eq!(block_length(&block), Some(block.len()));
    let _ = unframe(input);
    let _ = block_length(input);

    let mut choices = Choices::new(input);
    let mut framer = SerialFramer::new(SerialTimers::default());
    let mut now_ms = 0;
    let ours = frame(&[0x80, 0, 0]);
    while !choices.is_empty() {
        match choices.byte() % 8 {
            0 => now_ms += 1 + choices.below(6000) as u64,
            1 => framer.send(now_ms, &[0x80, 0, 0], Repeat::Twice),
            2 => framer.send(now_ms, &[0x80, 0, 0], Repeat::OnlyAfterNak),
            3 => drop(framer.push(now_ms, &frame(choices.take(40)))),
            _ => drop(framer.push(now_ms, choices.take(40))),
        }
        if framer.deadline_ms().is_some_and(|due| due <= now_ms) {
            framer.tick(now_ms);
        }
        // Nothing but our own blocks, ACK and NAK is ever put on the line.
        let mut wire = framer.take_wire().as_slice().to_vec();
        while let Some(place) = wire.windows(ours.len()).position(|w| w == ours) {
            wire.drain(place..place + ours.len());
        }
        assert!(
            wire.iter().all(|byte| matches!(byte, 0x06 | 0x15)),
            "{wire:02x?}"
        );
    }
    // Noise never outlasts a silence, and repeats are bounded.
    for _ in 0..64 {
        let Some(due) = framer.deadline_ms() else {
            break;
        };
        now_ms = now_ms.max(due);
        framer.tick(now_ms);
    }
    assert_eq!(framer.deadline_ms(), None, "it never comes to rest");
    framer.take_wire();
    let received = framer.push(now_ms, &frame(&[0x06, 0x0F, 0]));
    assert!(
        matches!(received[..], [Received::Message(_)]),
        "a good block is not heard"
    );
    assert_eq!(framer.take_wire(), [0x06]);
}

/// Messages of a ZVT terminal with any fields, card data among them, over TCP in any pieces.
pub fn zvt_apdu(input: &[u8]) {
    if let Ok(apdu) = Apdu::decode(input) {
        read_everything(&apdu);
        let again = Apdu::decode(&apdu.encode().unwrap()).unwrap();
        assert_eq!(again, apdu);
    }
    pieces(input);
    if let Ok(text) = json::decode(input) {
        // What is shown can be written again, and is then shown the same.
        let bytes = json::encode(&text).unwrap();
        assert_eq!(json::decode(&bytes).unwrap(), text);
    }
    let apdu = talkative(&mut Choices::new(input));
    let clean = redact(apdu).apdu;
    assert_clean("message", &clean.data);
    assert_clean("lines", print_lines(&clean).join("\n").as_bytes());
    assert_clean(
        "status",
        format!("{:?}", StatusInformation::parse(&clean)).as_bytes(),
    );
    if let Ok(bytes) = clean.encode() {
        assert_clean("json", json::decode(&bytes).unwrap_or_default().as_bytes());
    }
    let again = redact(clean.clone());
    assert_eq!(again.apdu, clean, "masking is not done at once");
    assert!(!again.was_unmasked);
}

fn read_everything(apdu: &Apdu) {
    StatusInformation::parse(apdu);
    TerminalStatusReply::parse(apdu);
    print_lines(apdu);
    let fields = Fields::parse(&apdu.data);
    let encoded = fields.encode().unwrap();
    assert_eq!(Fields::parse(&encoded), fields, "fields are not stable");
    for field in &fields.list {
        fields.number(field.tag);
        fields.text(field.tag);
    }
    let (items, rest) = Tlv::parse_all(&apdu.data);
    let mut bytes = Vec::new();
    items
        .iter()
        .for_each(|item| item.encode(&mut bytes).unwrap());
    bytes.extend(rest);
    let (again, _) = Tlv::parse_all(&bytes);
    assert_eq!(again, items, "containers are not stable");
}

/// A stream gives the same messages, however it is cut.
fn pieces(input: &[u8]) {
    let whole = TcpFramer::new().push(input);
    let mut choices = Choices::new(input);
    let mut framer = TcpFramer::new();
    let mut rest = input;
    let mut count = 0;
    while !rest.is_empty() {
        let (piece, after) = rest.split_at((1 + choices.below(9)).min(rest.len()));
        for message in framer.push(piece) {
            assert_eq!(message.apdu, whole[count].apdu);
            count += 1;
        }
        rest = after;
    }
    assert_eq!(count, whole.len());
}

/// A message with the card number in places where the specification has card data or text.
fn talkative(choices: &mut Choices<'_>) -> Apdu {
    let mut list = Vec::new();
    while !choices.is_empty() && list.len() < 24 {
        list.push(match choices.byte() % 12 {
            0 => Field::new(0x22, PACKED),
            1 => Field::new(0x23, [&PACKED[..], &[0xD2, 0x51, 0x22]].concat()),
            2 => Field::new(0x24, [&PACKED[..], &[0xD2, 0x51, 0x22]].concat()),
            3 => Field::new(0x2D, NUMBER.as_bytes()),
            4 => Field::new(0x3C, grouped(choices).into_bytes()),
            5 => Field::new(0x8B, grouped(choices).into_bytes()),
            6 => Field::new(0x06, container(choices, 3)),
            7 => Field::new(0x27, [choices.byte()]),
            8 => Field::new(0x04, [0, 0, 0, 0x25, 0, 0]),
            9 => Field::new(0x87, [choices.byte(), choices.byte()]),
            10 => Field::new(0x3B, [0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0, 0]),
            // A field nobody knows ends the list: what follows must go.
            _ => Field::new(0xFA, PACKED),
        });
    }
    let unreadable = choices.byte() & 1 == 1;
    let fields = Fields {
        list,
        rest: if unreadable {
            PACKED.to_vec()
        } else {
            Vec::new()
        },
    };
    let data = fields.encode().unwrap_or_default();
    let (class, instruction) =
        [(0x04, 0x0F), (0x06, 0x0F), (0x06, 0xD3), (0x80, 0x00)][choices.below(4)];
    if choices.byte().is_multiple_of(5) {
        let line = [&[choices.byte()], grouped(choices).as_bytes()].concat();
        return Apdu::new(0x06, 0xD1, line);
    }
    Apdu::new(class, instruction, data)
}

/// The number with separators, as receipts print it.
fn grouped(choices: &mut Choices<'_>) -> String {
    let separator = ["", " ", "-", "."][choices.below(4)];
    let groups: Vec<&str> = (0..4)
        .map(|place| &NUMBER[place * 4..place * 4 + 4])
        .collect();
    format!("KARTE {} BIS 12/25", groups.join(separator))
}

fn container(choices: &mut Choices<'_>, depth: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..choices.below(5) {
        let item = match choices.byte() % 7 {
            0 => primitive(0x5A, PACKED.to_vec()),
            1 => primitive(0x57, [&PACKED[..], &[0xD2, 0x51, 0x22]].concat()),
            2 => primitive(0x1F08 + u32::from(choices.byte() % 3), PACKED.to_vec()),
            3 => primitive(0x07, grouped(choices).into_bytes()),
            4 => primitive(0x1F07, vec![choices.byte()]),
            _ if depth > 0 => Tlv::Constructed {
                tag: [0x25, 0x60, 0x2E][choices.below(3)],
                items: Tlv::parse_all(&container(choices, depth - 1)).0,
            },
            _ => primitive(0x19, vec![choices.byte()]),
        };
        item.encode(&mut bytes).unwrap();
    }
    bytes
}

fn primitive(tag: u32, value: Vec<u8>) -> Tlv {
    Tlv::Primitive { tag, value }
}

/// Answers of a Caisse-AP terminal.
pub fn caisse_ap(input: &[u8]) {
    let (fields, _) = caisse::read(input);
    let answer = caisse::Answer::parse(input);
    assert_clean("answer", format!("{answer:?}").as_bytes());
    let pairs: Vec<(&str, &str)> = fields
        .iter()
        .map(|(tag, value)| (tag.as_str(), value.as_str()))
        .collect();
    if pairs.iter().all(|(_, value)| value.is_ascii()) {
        let written = caisse::write(&pairs);
        assert_eq!(caisse::read(written.as_bytes()), (fields.clone(), true));
    }
    // A money answer that breaks off is never read as another outcome than it is whole, but as
    // unclear: what counts is what is there.
    let mut choices = Choices::new(input);
    let statuses = ["10", "01", "11", "7"];
    let status = statuses[choices.below(4)];
    let minor = choices.below(65_536).to_string();
    let number = [NUMBER, "673892######9567", "4111 1111"][choices.below(3)];
    let fields = [
        ("CZ", "0301"),
        ("AE", status),
        ("CA", "01"),
        ("CE", "704"),
        ("CD", ["0", "1"][choices.below(2)]),
        ("CB", minor.as_str()),
        ("AA", number),
    ];
    let whole = caisse::write(&fields);
    let told = caisse::Answer::parse(whole.as_bytes());
    assert!(told.is_whole);
    assert_eq!(told.amount_minor, minor.parse().ok());
    assert_clean("told", format!("{told:?}").as_bytes());
    let cut = choices.below(whole.len());
    let part = caisse::Answer::parse(&whole.as_bytes()[..cut]);
    assert!(part.status == told.status || part.status == caisse::Status::Unclear);
    assert!(part.amount_minor.is_none() || part.amount_minor == told.amount_minor);
}

/// The line of a Concert terminal.
pub fn concert(input: &[u8]) {
    let mut reader = concert::Reader::default();
    for byte in input {
        if let Some(concert::Signal::Message(body)) = reader.push(*byte) {
            let answer = concert::Answer::parse(&body);
            assert!(!format!("{reader:?}").contains(NUMBER));
            if let Some(answer) = answer
                && answer.private.is_ascii()
                && answer.amount_minor.is_some_and(|minor| minor < 100_000_000)
                && answer.currency.is_some_and(|code| code < 1000)
            {
                assert_eq!(concert::Answer::parse(&answer.body()), Some(answer));
            }
        }
    }
    reader.reset();
    // A message without control characters comes out as it went in, and a changed one does not.
    let body: Vec<u8> = input
        .iter()
        .map(|byte| byte & 0x7F)
        .filter(|byte| *byte >= 0x20)
        .take(80)
        .collect();
    let framed = concert::frame(&body);
    let mut heard = framed.iter().filter_map(|byte| reader.push(*byte));
    assert_eq!(heard.next(), Some(concert::Signal::Message(body.clone())));
    drop(heard);
    let mut choices = Choices::new(input);
    let mut changed = framed.clone();
    let place = 1 + choices.below(framed.len() - 1);
    changed[place] ^= 1 + (choices.byte() & 0x1E);
    let message = changed.iter().find_map(|byte| match reader.push(*byte) {
        Some(concert::Signal::Message(heard)) => Some(heard),
        _ => None,
    });
    assert_ne!(message, Some(body), "a changed byte is not noticed");
    // The 83 characters of an answer with a report say what those without say.
    let plain = concert::Answer {
        result: ['0', '7', '9'][choices.below(3)],
        amount_minor: Some(choices.below(65_536) as u64),
        currency: Some(704),
        private: "0123456789".into(),
    };
    let short = plain.body();
    let report = format!("{:<55}", format!("{NUMBER} 2512"));
    let long = [&short[..12], report.as_bytes(), &short[12..]].concat();
    assert_eq!(concert::Answer::parse(&long), Some(plain));
    assert_clean(
        "answer",
        format!("{:?}", concert::Answer::parse(&long)).as_bytes(),
    );
}
