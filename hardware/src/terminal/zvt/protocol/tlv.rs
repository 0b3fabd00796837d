//! The TLV container (BMP 06): BER-like tags and lengths, unknown tags kept.

use std::fmt;

use super::CodecError;

/// Nesting accepted; deeper input is kept as plain bytes.
const MAX_DEPTH: usize = 8;

/// One tagged value.
#[derive(Clone, PartialEq, Eq)]
pub enum Tlv {
    /// A value.
    Primitive {
        /// Tag bytes as one number (`0x1F0E`).
        tag: u32,
        /// Value.
        value: Vec<u8>,
    },
    /// A list of tagged values (bit 20 of the first tag byte).
    Constructed {
        /// Tag bytes as one number.
        tag: u32,
        /// Contents.
        items: Vec<Tlv>,
    },
}

impl Tlv {
    /// Tag as one number.
    pub fn tag(&self) -> u32 {
        match self {
            Self::Primitive { tag, .. } | Self::Constructed { tag, .. } => *tag,
        }
    }

    /// Parses a container's contents. What cannot be read is returned as the rest, in order, so
    /// that nothing is lost.
    pub fn parse_all(bytes: &[u8]) -> (Vec<Self>, Vec<u8>) {
        Self::parse_nested(bytes, MAX_DEPTH)
    }

    fn parse_nested(bytes: &[u8], depth: usize) -> (Vec<Self>, Vec<u8>) {
        let mut items = Vec::new();
        let mut rest = bytes;
        while let Some((tag, constructed, after_tag)) = take_tag(rest) {
            let Some((length, after_length)) = take_length(after_tag) else {
                break;
            };
            let Some(value) = after_length.get(..length) else {
                break;
            };
            items.push(Self::from_value(tag, constructed, value, depth));
            rest = &after_length[length..];
        }
        (items, rest.to_vec())
    }

    fn from_value(tag: u32, constructed: bool, value: &[u8], depth: usize) -> Self {
        if constructed && depth > 0 {
            let (items, rest) = Self::parse_nested(value, depth - 1);
            if rest.is_empty() {
                return Self::Constructed { tag, items };
            }
        }
        Self::Primitive {
            tag,
            value: value.to_vec(),
        }
    }

    /// Writes the value with tag and length.
    pub fn encode(&self, out: &mut Vec<u8>) -> Result<(), CodecError> {
        let nested;
        let value = match self {
            Self::Primitive { value, .. } => value,
            Self::Constructed { items, .. } => {
                let mut bytes = Vec::new();
                items.iter().try_for_each(|item| item.encode(&mut bytes))?;
                nested = bytes;
                &nested
            }
        };
        let tag = self.tag().to_be_bytes();
        let first = tag
            .iter()
            .position(|byte| *byte != 0)
            .unwrap_or(tag.len() - 1);
        out.extend(&tag[first..]);
        encode_length(value.len(), out)?;
        out.extend(value);
        Ok(())
    }

    /// Finds the first value with this tag, at any depth.
    pub fn find(items: &[Self], wanted: u32) -> Option<&[u8]> {
        items.iter().find_map(|item| match item {
            Self::Primitive { tag, value } if *tag == wanted => Some(value.as_slice()),
            Self::Primitive { .. } => None,
            Self::Constructed { items, .. } => Self::find(items, wanted),
        })
    }
}

impl fmt::Debug for Tlv {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Primitive { tag, value } => write!(out, "Tlv({tag:X}, {} bytes)", value.len()),
            Self::Constructed { tag, items } => write!(out, "Tlv({tag:X}, {items:?})"),
        }
    }
}

/// Length of a TLV value: `00`-`7F`, `81 xx`, `82 hi lo` (big-endian, unlike the APDU's own).
pub fn encode_length(length: usize, out: &mut Vec<u8>) -> Result<(), CodecError> {
    match length {
        0..=0x7F => out.push(length as u8),
        0x80..=0xFF => out.extend([0x81, length as u8]),
        0x100..=0xFFFF => out.extend([0x82, (length >> 8) as u8, (length & 0xFF) as u8]),
        _ => {
            return Err(CodecError::TooLong {
                length,
                field: "TLV".into(),
            });
        }
    }
    Ok(())
}

/// Reads a TLV length; returns it and what follows.
pub fn take_length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [short @ 0..=0x7F, rest @ ..] => Some((usize::from(*short), rest)),
        [0x81, length, rest @ ..] => Some((usize::from(*length), rest)),
        [0x82, high, low, rest @ ..] => {
            Some((usize::from(u16::from_be_bytes([*high, *low])), rest))
        }
        _ => None,
    }
}

/// Reads a tag of one to three bytes; returns it, whether it is constructed, and what follows.
fn take_tag(bytes: &[u8]) -> Option<(u32, bool, &[u8])> {
    let (&first, mut rest) = bytes.split_first()?;
    let mut tag = u32::from(first);
    // A leading zero byte would vanish when the tag is written again.
    if first == 0 {
        return None;
    }
    if first & 0x1F == 0x1F {
        for _ in 0..2 {
            let (&next, after) = rest.split_first()?;
            tag = (tag << 8) | u32::from(next);
            rest = after;
            if next & 0x80 == 0 {
                return Some((tag, first & 0x20 != 0, rest));
            }
        }
        return None;
    }
    Some((tag, first & 0x20 != 0, rest))
}
