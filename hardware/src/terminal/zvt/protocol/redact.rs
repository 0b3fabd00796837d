//! Card data is removed from a message before anything but the framer has seen it.
//!
//! PCI DSS 4.0.1: track data, verification values and PIN blocks are never kept (3.3.1); of a card
//! number only the last four digits are (3.4.1 allows more; the kiosk needs no more).

use super::apdu::Apdu;
use super::fields::{Field, Fields};
use super::tlv::Tlv;
use crate::terminal::redact::{mask_packed, mask_text};

/// Class and instruction of status information.
const STATUS_INFORMATION: u16 = 0x040F;

/// A message without card data, and whether the terminal had sent a card number in clear.
pub struct Redacted {
    /// The message, safe to keep.
    pub apdu: Apdu,
    /// The terminal is set up wrongly: it sends card numbers in clear.
    pub was_unmasked: bool,
}

/// Removes card data from a message of the terminal.
///
/// Fields are masked by kind. A message whose fields cannot be read to the end loses the unread
/// rest, because nobody can tell what it holds. Messages that are plain text are masked as text.
/// Messages of an unknown kind lose their data altogether.
pub fn redact(apdu: Apdu) -> Redacted {
    let command = apdu.command();
    match command {
        STATUS_INFORMATION | 0x0601 | 0x0620 | 0x0630 | 0x0631 | 0x0650 | 0x0600 | 0x061E
        | 0x0501 | 0x0670 | 0x0602 | 0x06B0 | 0x060F => redact_fields(apdu),
        0x06D1 => redact_line(apdu),
        0x06D3 => redact_block(apdu),
        0x04FF | 0x0401 => redact_prefix(apdu, 2),
        _ if apdu.class == 0x80 || apdu.class == 0x84 => redact_fields(apdu),
        _ => redact_prefix(apdu, 0),
    }
}

/// How many bytes of a message come before its fields (PA00P015 chapter 2 and 3).
pub fn prefix_length(apdu: &Apdu) -> usize {
    let length = apdu.data.len();
    let wanted = match apdu.command() {
        // Password, config byte, then optionally the currency without a tag.
        0x0600 if length >= 6 => 6,
        0x0600 => 4,
        0x0620 | 0x0630 | 0x0631 | 0x0650 | 0x0501 => 3,
        0x061E => 1,
        0x060F => completion_prefix(&apdu.data),
        0x04FF | 0x0401 => 2,
        0x06D1 => 1,
        _ => 0,
    };
    wanted.min(length)
}

/// Completion of a status enquiry: optional software version (three length digits), then the
/// status byte. Other completions begin with a field (PA00P015 2.56 and 3.2).
fn completion_prefix(data: &[u8]) -> usize {
    match data {
        [a, b, c, ..] if [a, b, c].iter().all(|byte| **byte & 0xF0 == 0xF0) => {
            let length = usize::from(a & 15) * 100 + usize::from(b & 15) * 10 + usize::from(c & 15);
            length + 4
        }
        [_] => 1,
        [status, 0x06, ..] if super::fields::length_of(*status).is_none() || *status == 0 => 1,
        [status, ..] if super::fields::length_of(*status).is_none() => 1,
        _ => 0,
    }
}

fn redact_fields(mut apdu: Apdu) -> Redacted {
    let prefix = prefix_length(&apdu);
    let fields = Fields::parse(&apdu.data[prefix..]);
    let (clean, was_unmasked) = redact_list(fields);
    let encoded = clean.encode().unwrap_or_default();
    wipe_tail(&mut apdu.data, prefix);
    apdu.data.extend(encoded);
    Redacted { apdu, was_unmasked }
}

fn redact_list(fields: Fields) -> (Fields, bool) {
    let mut was_unmasked = false;
    let list = fields
        .list
        .into_iter()
        .map(|field| {
            let (field, found) = redact_field(field);
            was_unmasked |= found;
            field
        })
        .collect();
    let mut rest = fields.rest;
    wipe_tail(&mut rest, 0);
    (
        Fields {
            list,
            rest: Vec::new(),
        },
        was_unmasked,
    )
}

fn redact_field(mut field: Field) -> (Field, bool) {
    match field.tag {
        0x22 => {
            let number = mask_packed(&field.value);
            field.value = number.masked;
            (field, number.was_unmasked)
        }
        0x23 | 0x24 | 0x2D | 0x2E | 0x3A | 0x9A | 0x0E | 0xA7 | 0xAF | 0xD1 => {
            field.value.fill(0xEE);
            (field, false)
        }
        0x3C | 0x8B => {
            let (value, found) = mask_bytes(&field.value);
            field.value = value;
            (field, found)
        }
        // Number of the shop: as long as a card number, which a terminal that is set up wrongly may
        // put there. A shop's own number is no reason for an alarm.
        0x2A => {
            field.value = mask_bytes(&field.value).0;
            (field, false)
        }
        0x06 => {
            let (items, _rest) = Tlv::parse_all(&field.value);
            let mut found = false;
            let items: Vec<Tlv> = items
                .into_iter()
                .map(|i| redact_tlv(i, &mut found))
                .collect();
            let mut value = Vec::new();
            let written = items.iter().try_for_each(|item| item.encode(&mut value));
            field.value = if written.is_ok() { value } else { Vec::new() };
            (field, found)
        }
        _ => (field, false),
    }
}

fn redact_tlv(item: Tlv, found: &mut bool) -> Tlv {
    match item {
        Tlv::Constructed { tag, items } => Tlv::Constructed {
            tag,
            items: items
                .into_iter()
                .map(|item| redact_tlv(item, found))
                .collect(),
        },
        // Card numbers of EMV (5A) and of the ZVT list (1F2x are ids, not numbers).
        Tlv::Primitive { tag: 0x5A, value } => {
            let number = mask_packed(&value);
            *found |= number.was_unmasked;
            Tlv::Primitive {
                tag: 0x5A,
                value: number.masked,
            }
        }
        // Tracks (1F08-1F0A, EMV 56, 57, 9F6B, 9F1F, 9F20), names and dates of the card
        // (5F20, 5F24, 5F25, 5F34), PIN data (99).
        Tlv::Primitive { tag, value } if is_sensitive(tag) => Tlv::Primitive {
            tag,
            value: vec![0xEE; value.len()],
        },
        Tlv::Primitive { tag, value } => {
            let (masked, hit) = mask_bytes(&value);
            *found |= hit;
            Tlv::Primitive { tag, value: masked }
        }
    }
}

fn is_sensitive(tag: u32) -> bool {
    matches!(
        tag,
        0x1F08
            ..=0x1F0A
                | 0x56
                | 0x57
                | 0x99
                | 0x9F6B
                | 0x9F1F
                | 0x9F20
                | 0x5F20
                | 0x5F24
                | 0x5F25
                | 0x5F34
                | 0x5F30
    )
}

fn redact_line(mut apdu: Apdu) -> Redacted {
    let prefix = prefix_length(&apdu);
    let (clean, found) = mask_bytes(&apdu.data[prefix..]);
    wipe_tail(&mut apdu.data, prefix);
    apdu.data.extend(clean);
    Redacted {
        apdu,
        was_unmasked: found,
    }
}

fn redact_block(apdu: Apdu) -> Redacted {
    redact_fields(apdu)
}

fn redact_prefix(mut apdu: Apdu, keep: usize) -> Redacted {
    let keep = keep.min(apdu.data.len());
    wipe_tail(&mut apdu.data, keep);
    Redacted {
        apdu,
        was_unmasked: false,
    }
}

/// Masks runs of card-number length in bytes, read as one character a byte so that every other
/// byte comes back unchanged.
fn mask_bytes(bytes: &[u8]) -> (Vec<u8>, bool) {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    let (masked, found) = mask_text(&text);
    // Latin-1 both ways: every char came from one byte and `*` is ASCII.
    (
        masked
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap_or(b'*'))
            .collect(),
        found,
    )
}

/// Overwrites and cuts the tail of a buffer that may hold card data.
pub fn wipe_tail(buffer: &mut Vec<u8>, keep: usize) {
    if let Some(tail) = buffer.get_mut(keep..) {
        tail.fill(0);
        std::hint::black_box(tail);
        buffer.truncate(keep);
    }
}
