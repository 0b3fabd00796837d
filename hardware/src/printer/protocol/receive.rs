//! Sorts the bytes a printer sends back.
//!
//! Answers of different kinds come mixed: real-time status may cut in at any time, flow control
//! bytes even inside a block. The kind is told by the first byte; the classes do not overlap.

/// Longest block kept (maker, model, counters are far shorter).
const MAX_BLOCK_BYTES: usize = 80;

/// One answer from the printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// XON: go on.
    GoOn,
    /// XOFF: hold.
    Hold,
    /// A `DLE EOT` status byte; which question it answers is known by order only.
    RealTime(u8),
    /// Automatic status back.
    Automatic([u8; 4]),
    /// A byte answering `GS r` (or `GS I 1..3`), in order with the data.
    InOrder(u8),
    /// Echo of a `GS ( H` process id.
    ProcessId([u8; 4]),
    /// `37 25 00`: buffers cleared.
    Cleared,
    /// `5F … 00`: maker, model, serial number, or the digits of a counter.
    Info(String),
    /// Any other block, first byte and content.
    Block(u8, Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Idle,
    Automatic { bytes: [u8; 4], have: usize },
    Block { head: u8, content: Vec<u8> },
}

/// The demultiplexer.
#[derive(Debug, Clone)]
pub struct Receiver {
    state: State,
    noise_bytes: u64,
}

impl Default for Receiver {
    fn default() -> Self {
        Self::new()
    }
}

impl Receiver {
    /// At the start of an answer.
    pub fn new() -> Self {
        Self {
            state: State::Idle,
            noise_bytes: 0,
        }
    }

    /// Bytes that fitted no answer. A few mean a bad cable, many a wrong speed.
    pub fn noise_bytes(&self) -> u64 {
        self.noise_bytes
    }

    /// Gives up on an answer that never ended. To be called after a silence.
    pub fn abandon(&mut self) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Automatic { have, .. } => self.noise_bytes += have as u64,
            State::Block { content, .. } => self.noise_bytes += 1 + content.len() as u64,
        }
    }

    /// Whether an answer has begun and not ended.
    pub fn is_mid_answer(&self) -> bool {
        self.state != State::Idle
    }

    /// Takes one byte; returns the answer it completes.
    pub fn push(&mut self, byte: u8) -> Option<Answer> {
        match byte {
            0x11 => return Some(Answer::GoOn),
            0x13 => return Some(Answer::Hold),
            _ => {}
        }
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => self.first(byte),
            State::Automatic { bytes, have } => self.automatic(bytes, have, byte),
            State::Block { head, content } => self.block(head, content, byte),
        }
    }

    fn first(&mut self, byte: u8) -> Option<Answer> {
        match byte {
            0x37 | 0x5F | 0x3D | 0x35 | 0x3B => {
                self.state = State::Block {
                    head: byte,
                    content: Vec::new(),
                };
            }
            _ if byte & 0x93 == 0x12 => return Some(Answer::RealTime(byte)),
            _ if byte & 0x93 == 0x10 => {
                self.state = State::Automatic {
                    bytes: [byte, 0, 0, 0],
                    have: 1,
                };
            }
            _ if byte & 0x90 == 0 => return Some(Answer::InOrder(byte)),
            _ => self.noise_bytes += 1,
        }
        None
    }

    fn automatic(&mut self, mut bytes: [u8; 4], have: usize, byte: u8) -> Option<Answer> {
        if byte & 0x90 != 0 {
            // Not the rest of a status: what came before was noise, this may start an answer.
            self.noise_bytes += have as u64;
            return self.first(byte);
        }
        bytes[have] = byte;
        if have == 3 {
            return Some(Answer::Automatic(bytes));
        }
        self.state = State::Automatic {
            bytes,
            have: have + 1,
        };
        None
    }

    fn block(&mut self, head: u8, mut content: Vec<u8>, byte: u8) -> Option<Answer> {
        if byte == 0 {
            return Some(finish_block(head, content));
        }
        content.push(byte);
        if content.len() > MAX_BLOCK_BYTES {
            self.noise_bytes += 1 + content.len() as u64;
            return None;
        }
        self.state = State::Block { head, content };
        None
    }
}

fn finish_block(head: u8, content: Vec<u8>) -> Answer {
    match (head, content.as_slice()) {
        (0x37, [0x22, a, b, c, d]) => Answer::ProcessId([*a, *b, *c, *d]),
        (0x37, [0x25]) => Answer::Cleared,
        (0x5F, text) => Answer::Info(String::from_utf8_lossy(text).into_owned()),
        _ => Answer::Block(head, content),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Answer> {
        let mut receiver = Receiver::new();
        bytes
            .iter()
            .filter_map(|&byte| receiver.push(byte))
            .collect()
    }

    #[test]
    fn mixed_answers_come_apart() {
        // Proves: status, fence, process id, counters and flow control are told apart in a row.
        let bytes = [
            0x12, 0x10, 0x00, 0x03, 0x00, 0x00, 0x37, 0x22, b'0', b'0', 0x13, b'0', b'7', 0x00,
            0x5F, b'4', b'2', 0x00, 0x0C, 0x11, 0x37, 0x25, 0x00,
        ];
        assert_eq!(
            all(&bytes),
            [
                Answer::RealTime(0x12),
                Answer::Automatic([0x10, 0, 3, 0]),
                Answer::InOrder(0),
                Answer::Hold,
                Answer::ProcessId(*b"0007"),
                Answer::Info("42".into()),
                Answer::InOrder(0x0C),
                Answer::GoOn,
                Answer::Cleared,
            ]
        );
    }

    #[test]
    fn a_broken_automatic_status_does_not_eat_the_next_answer() {
        // Proves: after noise the very next whole answer is read again.
        assert_eq!(all(&[0x10, 0x00, 0x12]), [Answer::RealTime(0x12)]);
        let mut receiver = Receiver::new();
        for byte in [0xFF, 0x80, 0x91] {
            assert_eq!(receiver.push(byte), None);
        }
        assert_eq!(receiver.noise_bytes(), 3);
    }

    #[test]
    fn every_first_byte_has_exactly_one_meaning() {
        // Proves: the classes of first bytes do not overlap, for all 256 values.
        for byte in 0..=255u8 {
            let classes = [
                matches!(byte, 0x11 | 0x13),
                matches!(byte, 0x37 | 0x5F | 0x3D | 0x35 | 0x3B),
                byte & 0x93 == 0x12,
                byte & 0x93 == 0x10,
                byte & 0x90 == 0,
            ];
            assert!(
                classes.iter().filter(|&&class| class).count() <= 1,
                "{byte:02X}"
            );
        }
    }
}
