//! Messages over either transport, behind one face.

use super::protocol::redact::Redacted;
use super::protocol::serial::{Received, SerialFramer, SerialTimers};
use super::protocol::{Apdu, Repeat, TcpFramer};

/// What a transport hands up.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A message, free of card data.
    Message(Redacted),
    /// A block was never acknowledged; the line must be opened again.
    NotAcknowledged,
}

/// TCP or serial framing.
#[derive(Debug)]
pub(crate) enum Transport {
    Tcp(TcpFramer, Vec<u8>),
    Serial(Box<SerialFramer>),
}

impl Transport {
    /// Framing for a new TCP connection.
    pub(crate) fn tcp() -> Self {
        Self::Tcp(TcpFramer::new(), Vec::new())
    }

    /// Framing for a freshly opened serial line.
    pub(crate) fn serial(timers: SerialTimers) -> Self {
        Self::Serial(Box::new(SerialFramer::new(timers)))
    }

    /// Sends a message. One that cannot be encoded was never built by this driver; it is dropped
    /// and reported by `false`.
    pub(crate) fn send(&mut self, now_ms: u64, apdu: &Apdu, repeat: Repeat) -> bool {
        let Ok(bytes) = apdu.encode() else {
            return false;
        };
        match self {
            Self::Tcp(_, wire) => wire.extend(bytes),
            Self::Serial(framer) => framer.send(now_ms, &bytes, repeat),
        }
        true
    }

    /// Whether a block still waits for its acknowledgement; never over TCP.
    pub(crate) fn is_sending(&self) -> bool {
        match self {
            Self::Tcp(..) => false,
            Self::Serial(framer) => framer.is_sending(),
        }
    }

    /// Bytes for the wire.
    pub(crate) fn take_wire(&mut self) -> Vec<u8> {
        match self {
            Self::Tcp(_, wire) => std::mem::take(wire),
            Self::Serial(framer) => framer.take_wire(),
        }
    }

    /// Bytes from the wire.
    pub(crate) fn push(&mut self, now_ms: u64, bytes: &[u8]) -> Vec<Incoming> {
        match self {
            Self::Tcp(framer, _) => framer
                .push(bytes)
                .into_iter()
                .map(Incoming::Message)
                .collect(),
            Self::Serial(framer) => raise(framer.push(now_ms, bytes)),
        }
    }

    /// Timers of the serial line.
    pub(crate) fn tick(&mut self, now_ms: u64) -> Vec<Incoming> {
        match self {
            Self::Tcp(..) => Vec::new(),
            Self::Serial(framer) => raise(framer.tick(now_ms)),
        }
    }

    /// When `tick` has something to do.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        match self {
            Self::Tcp(..) => None,
            Self::Serial(framer) => framer.deadline_ms(),
        }
    }
}

fn raise(received: Vec<Received>) -> Vec<Incoming> {
    received
        .into_iter()
        .map(|one| match one {
            Received::Message(message) => Incoming::Message(message),
            Received::NotAcknowledged => Incoming::NotAcknowledged,
        })
        .collect()
}
