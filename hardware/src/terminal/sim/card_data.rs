//! What a simulated terminal says about the card: as it should be, and every way a terminal that is set up wrongly says
//! too much. The number is made up; its check digit holds.

use serde::{Deserialize, Serialize};

use crate::terminal::zvt::protocol::{Apdu, Field, Fields, Tlv};

/// The number of the simulated card, when it is told in clear.
pub const NUMBER: &str = "4929123412341232";
/// Its second track as a reader gives it.
pub const TRACK_2: &str = "4929123412341232D25122015432112345";
/// The number as it should come: first six and last four digits.
const MASKED: &str = "492912######1232";
/// No number: letters between the digits and one digit too few.
const BROKEN: &str = "49291A341C34123";

/// How much of the card's data comes with an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardData {
    /// First six and last four digits: as it should be.
    #[default]
    Masked,
    /// The whole number in the field for it. Concert sends its report of 55 characters, which begins with the number,
    /// also to a till that asked for none; so it does with everything below.
    Unmasked,
    /// The whole number in every field that has room for it, on receipt lines too.
    Everywhere,
    /// A number that is none: letters between the digits, one digit too few.
    Broken,
    /// The whole number in a field whose length is wrong: longer than what follows it (ZVT, Caisse-AP, where the
    /// terminal then hangs up), or a report that is one character short (Concert).
    WrongLength,
    /// Tracks 1 to 3, expiry date and verification value with the whole number.
    Tracks,
}

impl CardData {
    /// Each of them.
    pub const ALL: [Self; 6] = [
        Self::Masked,
        Self::Unmasked,
        Self::Everywhere,
        Self::Broken,
        Self::WrongLength,
        Self::Tracks,
    ];

    /// What must be found nowhere afterwards, as text and as bytes of the wire. The last four digits alone may be kept.
    /// Five bytes of the wire are not met by chance in the hashes and pictures of a shop's files; three are, once in some
    /// hundred shops.
    pub fn secrets(self) -> Vec<Vec<u8>> {
        let text = |text: &str| text.as_bytes().to_vec();
        let number = [
            text(&NUMBER[..8]),
            text(&NUMBER[6..14]),
            text("4929 1234"),
            packed(&NUMBER[..10]),
        ];
        match self {
            Self::Masked => Vec::new(),
            Self::Broken => vec![text(&BROKEN[..6]), packed(&BROKEN[..10]), text("4929 123")],
            Self::Unmasked | Self::Everywhere | Self::WrongLength => number.to_vec(),
            Self::Tracks => {
                let tracks = [
                    text(&TRACK_2[17..26]),
                    packed(&TRACK_2[18..28]),
                    text("^LE VAN"),
                ];
                [&number[..], &tracks[..]].concat()
            }
        }
    }

    /// The fields of a ZVT status information that speak of the card.
    pub(super) fn zvt_fields(self) -> Fields {
        let mut fields = Fields {
            list: vec![Field::new(0x8B, b"MasterCard\0".to_vec())],
            rest: Vec::new(),
        };
        let list = &mut fields.list;
        match self {
            Self::Masked => list.push(Field::new(
                0x22,
                [0x49, 0x29, 0x12, 0xEE, 0xEE, 0xEE, 0x12, 0x32],
            )),
            Self::Unmasked => list.push(Field::new(0x22, packed(NUMBER))),
            Self::Everywhere => {
                list.clear();
                list.extend([
                    Field::new(0x22, packed(NUMBER)),
                    Field::new(0x2A, NUMBER.as_bytes()[..15].to_vec()),
                    Field::new(0x3C, grouped(NUMBER).into_bytes()),
                    Field::new(0x8B, NUMBER.as_bytes()),
                    Field::new(
                        0x06,
                        container(&[(0x5A, packed(NUMBER)), (0x1F10, NUMBER.into())]),
                    ),
                ]);
            }
            Self::Broken => list.extend([
                Field::new(0x22, packed(BROKEN)),
                Field::new(0x3C, b"KARTE 4929 1234 12X4 123".to_vec()),
                Field::new(0x06, container(&[(0x5A, packed(BROKEN))])),
            ]),
            // As the length says there are 19 bytes; there are eight.
            Self::WrongLength => fields.rest = [&[0x22, 0xF1, 0xF9][..], &packed(NUMBER)].concat(),
            Self::Tracks => list.extend([
                Field::new(0x22, packed(NUMBER)),
                Field::new(0x23, packed(TRACK_2)),
                Field::new(0x24, packed(TRACK_2)),
                Field::new(0x2D, track_1().into_bytes()),
                Field::new(0x0E, [0x25, 0x12]),
                Field::new(0x3A, [0x54, 0x32]),
                Field::new(
                    0x06,
                    container(&[
                        (0x1F08, track_1().into_bytes()),
                        (0x1F09, packed(TRACK_2)),
                        (0x1F0A, packed(TRACK_2)),
                        (0x57, packed(TRACK_2)),
                        (0x5F20, b"LE VAN TAM".to_vec()),
                    ]),
                ),
            ]),
        }
        fields
    }

    /// What a ZVT terminal prints at the till before it tells the outcome.
    pub(super) fn zvt_receipt(self) -> Vec<Apdu> {
        let line = |text: String| Apdu::new(0x06, 0xD1, [&[0][..], text.as_bytes()].concat());
        match self {
            Self::Everywhere => vec![
                line(format!("KARTE {}", grouped(NUMBER))),
                line(NUMBER.into()),
            ],
            Self::Tracks => vec![line(track_1())],
            Self::Masked | Self::Unmasked | Self::Broken | Self::WrongLength => Vec::new(),
        }
    }

    /// The characters about the card in a long answer of Concert, 55 of them; the first word is the number.
    pub(super) fn concert_report(self) -> Vec<u8> {
        let report = match self {
            Self::Masked => format!("{MASKED} 2712"),
            Self::Broken => format!("{BROKEN} 2712"),
            Self::Unmasked | Self::Everywhere | Self::WrongLength => format!("{NUMBER} 2712"),
            Self::Tracks => format!("{NUMBER} {TRACK_2}"),
        };
        let length = if self == Self::WrongLength { 54 } else { 55 };
        format!("{report:<length$}").into_bytes()
    }

    /// What stands in Concert's private field instead of what the till sent.
    pub(super) fn concert_private(self) -> Option<String> {
        (self == Self::Everywhere).then(|| NUMBER[..10].into())
    }

    /// The fields of a Caisse-AP answer that speak of the card.
    pub(super) fn caisse_ap_fields(self) -> Vec<(&'static str, String)> {
        let mut fields = vec![
            ("CC", "001".to_owned()),
            ("CI", "1".into()),
            ("AC", "138980".into()),
        ];
        match self {
            Self::Masked => fields.push(("AA", MASKED.into())),
            Self::Unmasked | Self::WrongLength => fields.push(("AA", NUMBER.into())),
            Self::Broken => fields.push(("AA", BROKEN.into())),
            Self::Everywhere => {
                fields = vec![
                    ("CC", NUMBER.into()),
                    ("CI", "1".into()),
                    ("AC", grouped(NUMBER)),
                ];
                fields.extend([("AA", NUMBER.into()), ("ZZ", NUMBER.into())]);
            }
            Self::Tracks => fields.extend([
                ("AA", NUMBER.into()),
                ("AZ", TRACK_2.into()),
                ("ZZ", track_1()),
            ]),
        }
        fields.push(("AB", "2707".into()));
        fields
    }
}

/// Digits as the wire packs them, two in a byte, filled with `F`.
fn packed(digits: &str) -> Vec<u8> {
    let nibble = |digit: Option<&u8>| {
        let digit = digit.and_then(|digit| char::from(*digit).to_digit(16));
        digit.map_or(0x0F, |digit| digit as u8)
    };
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| nibble(pair.first()) << 4 | nibble(pair.get(1)))
        .collect()
}

/// As it stands on a card.
fn grouped(number: &str) -> String {
    let groups = number.as_bytes().chunks(4);
    let groups: Vec<&str> = groups
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(" ")
}

fn track_1() -> String {
    format!("B{NUMBER}^LE VAN TAM^2512201543211")
}

fn container(items: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (tag, value) in items {
        let item = Tlv::Primitive {
            tag: *tag,
            value: value.clone(),
        };
        // Values are short; nothing else can fail.
        let _ = item.encode(&mut bytes);
    }
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_must_not_be_found_is_really_sent() {
        // Proves that every secret of every kind is on the wire of at least one protocol, so that a search that finds
        // nothing has looked for something.
        for card in CardData::ALL {
            let fields = card.zvt_fields().encode().unwrap();
            let lines = card.zvt_receipt();
            let lines = lines.iter().flat_map(|line| line.encode().unwrap());
            let caisse = card.caisse_ap_fields();
            let caisse = caisse.iter().flat_map(|(_, value)| value.bytes());
            let report = card.concert_report();
            let wire: Vec<u8> = fields
                .into_iter()
                .chain(lines)
                .chain(caisse)
                .chain(report)
                .collect();
            for secret in card.secrets() {
                let found = wire.windows(secret.len()).any(|part| part == secret);
                assert!(
                    found || secret == b"4929 1234",
                    "{card:?}: {:?}",
                    String::from_utf8_lossy(&secret)
                );
            }
        }
        assert_eq!(CardData::Unmasked.concert_report().len(), 55);
        assert_eq!(packed("123"), [0x12, 0x3F]);
        assert_eq!(grouped(NUMBER), "4929 1234 1234 1232");
    }
}
