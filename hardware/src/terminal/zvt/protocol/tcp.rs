//! APDUs over TCP: bytes arrive in any pieces (PA00P016 chapter 5, TCP/IP).

use std::fmt;

use super::apdu::{Apdu, MAX_DATA_BYTES};
use super::redact::{Redacted, redact, wipe_tail};

/// Puts messages together from a byte stream. Redacts each before handing it out, and wipes its
/// buffer. Holds at most one message.
#[derive(Default)]
pub struct TcpFramer {
    buffer: Vec<u8>,
}

impl TcpFramer {
    /// An empty framer, for a new connection.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes from the wire and returns the messages they complete.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Redacted> {
        let mut messages = Vec::new();
        self.buffer.extend(bytes);
        while let Some((apdu, used)) = Apdu::take(&self.buffer) {
            messages.push(redact(apdu));
            self.buffer.copy_within(used.., 0);
            let left = self.buffer.len() - used;
            wipe_tail(&mut self.buffer, left);
        }
        debug_assert!(
            self.buffer.len() <= MAX_DATA_BYTES + 5,
            "a header bounds the buffer"
        );
        messages
    }

    /// Whether a message has begun but is not complete.
    pub fn is_partial(&self) -> bool {
        !self.buffer.is_empty()
    }
}

impl Drop for TcpFramer {
    fn drop(&mut self) {
        wipe_tail(&mut self.buffer, 0);
    }
}

impl fmt::Debug for TcpFramer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "TcpFramer({} bytes waiting)", self.buffer.len())
    }
}
