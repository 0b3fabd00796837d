//! One ZVT message: class, instruction, data.

use std::fmt;

use super::CodecError;

/// Longest data an APDU can carry (PA00P015 chapter 1.4: two length bytes).
pub const MAX_DATA_BYTES: usize = 0xFFFF;

/// One message. `Debug` shows class, instruction and length only: data may hold card data of a
/// terminal that is set up wrongly, and must never reach a log.
#[derive(Clone, PartialEq, Eq)]
pub struct Apdu {
    /// Class byte.
    pub class: u8,
    /// Instruction byte; for class `84` the error code.
    pub instruction: u8,
    /// Data without its length.
    pub data: Vec<u8>,
}

impl Apdu {
    /// A message with data.
    pub fn new(class: u8, instruction: u8, data: impl Into<Vec<u8>>) -> Self {
        Self {
            class,
            instruction,
            data: data.into(),
        }
    }

    /// `80 00 00`: the answer that accepts. To a status information with result 0 it is the
    /// commit point of the payment (PA00P015 2.2.8).
    pub fn accept() -> Self {
        Self::new(0x80, 0x00, [])
    }

    /// `84 xx 00`: the answer that refuses with a code.
    pub fn refuse(code: u8) -> Self {
        Self::new(0x84, code, [])
    }

    /// Class and instruction as one number, `0x040F`.
    pub fn command(&self) -> u16 {
        u16::from_be_bytes([self.class, self.instruction])
    }

    /// The bytes of the message: length in one byte below 255, else `FF lo hi`.
    ///
    /// Data beyond [`MAX_DATA_BYTES`] cannot be expressed and is refused.
    pub fn encode(&self) -> Result<Vec<u8>, CodecError> {
        let length = self.data.len();
        let mut bytes = vec![self.class, self.instruction];
        match u8::try_from(length) {
            Ok(short) if short < 0xFF => bytes.push(short),
            _ => {
                let long = u16::try_from(length).map_err(|_| CodecError::TooLong {
                    length,
                    field: "data".into(),
                })?;
                bytes.push(0xFF);
                bytes.extend(long.to_le_bytes());
            }
        }
        bytes.extend(&self.data);
        Ok(bytes)
    }

    /// Takes one message off the front of `bytes`; `None` while it is not complete.
    /// Returns the message and the number of bytes it took.
    pub fn take(bytes: &[u8]) -> Option<(Self, usize)> {
        let (header, length) = match bytes {
            [_, _, 0xFF, low, high, ..] => (5, usize::from(u16::from_le_bytes([*low, *high]))),
            [_, _, short, ..] if *short != 0xFF => (3, usize::from(*short)),
            _ => return None,
        };
        let data = bytes.get(header..header + length)?;
        Some((Self::new(bytes[0], bytes[1], data), header + length))
    }

    /// What is missing of a message whose beginning is `bytes`.
    fn missing(bytes: &[u8]) -> String {
        let (header, length) = match bytes {
            [_, _, 0xFF, low, high, ..] => (5, u16::from_le_bytes([*low, *high])),
            [_, _, short, ..] if *short != 0xFF => (3, u16::from(*short)),
            _ => return format!("{} bytes are too few for its header", bytes.len()),
        };
        format!(
            "its header announces {length} bytes of data, {} are there",
            bytes.len() - header
        )
    }

    /// Reads exactly one message.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        match Self::take(bytes) {
            Some((apdu, used)) if used == bytes.len() => Ok(apdu),
            Some((_, used)) => Err(CodecError::Incomplete(format!(
                "{} bytes follow a message of {used} bytes",
                bytes.len() - used
            ))),
            None => Err(CodecError::Incomplete(Self::missing(bytes))),
        }
    }
}

impl fmt::Debug for Apdu {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Apdu({:02X} {:02X}, {} bytes)",
            self.class,
            self.instruction,
            self.data.len()
        )
    }
}
