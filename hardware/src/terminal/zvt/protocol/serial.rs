//! Blocks on a serial line: `DLE STX`, data with every `DLE` doubled, `DLE ETX`, checksum, then a
//! bare `ACK` or `NAK` from the other side.
//!
//! Source: PA00P016 chapter 3 (block transfer) and 4 (timers T1, T2). The checksum bytes are never
//! doubled and may look like `DLE` or `ETX`, so the block is read byte by byte, never by position.
//! Time is given in milliseconds of any monotonic clock.

use std::collections::VecDeque;
use std::fmt;

use super::CodecError;
use super::apdu::{Apdu, MAX_DATA_BYTES};
use super::crc::kermit;
use super::redact::{Redacted, redact, wipe_tail};

const STX: u8 = 0x02;
const ETX: u8 = 0x03;
const ACK: u8 = 0x06;
const DLE: u8 = 0x10;
const NAK: u8 = 0x15;

/// Times a block is sent before the line is called broken (once, then two repeats).
const MAX_SENDS: u8 = 3;

/// Longest block accepted: the longest APDU with its header.
const MAX_BLOCK_BYTES: usize = MAX_DATA_BYTES + 5;

/// Whether a block may be sent again when its acknowledgement is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// At most two repeats, as the transport asks.
    Twice,
    /// Only after `NAK`, which says that it did not arrive. For answers: one repeated after mere
    /// silence could cross the terminal's next message and be taken for the answer to *that*,
    /// which may be an approval nobody has stored. A terminal that missed an answer asks again.
    OnlyAfterNak,
    /// Never: the block orders money, and nobody knows whether it arrived.
    Never,
}

/// What came out of the framer.
#[derive(Debug)]
pub enum Received {
    /// A message with a good checksum; already acknowledged on the line.
    Message(Redacted),
    /// A block was sent as often as allowed and never acknowledged. The line is not usable until
    /// it is opened again.
    NotAcknowledged,
}

impl fmt::Debug for Redacted {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.apdu.fmt(out)
    }
}

/// Timers of the transport in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SerialTimers {
    /// T1: longest pause inside a block, then `NAK`.
    pub inter_byte_ms: u64,
    /// T2: longest wait for `ACK`, then the block is repeated.
    pub acknowledge_ms: u64,
}

impl Default for SerialTimers {
    fn default() -> Self {
        Self {
            inter_byte_ms: 200,
            acknowledge_ms: 5000,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    AfterDle,
    InBlock,
    InBlockAfterDle,
    FirstCrc,
    SecondCrc(u8),
}

struct Outgoing {
    block: Vec<u8>,
    repeat: Repeat,
    sends: u8,
    deadline_ms: u64,
}

/// Both directions of one serial line.
pub struct SerialFramer {
    timers: SerialTimers,
    state: State,
    block: Vec<u8>,
    last_byte_ms: u64,
    waiting: Option<Outgoing>,
    queue: VecDeque<(Vec<u8>, Repeat)>,
    wire: Vec<u8>,
}

impl SerialFramer {
    /// A framer for a freshly opened line.
    pub fn new(timers: SerialTimers) -> Self {
        Self {
            timers,
            state: State::Idle,
            block: Vec::new(),
            last_byte_ms: 0,
            waiting: None,
            queue: VecDeque::new(),
            wire: Vec::new(),
        }
    }

    /// Queues a message (its encoded bytes). Blocks go out one at a time.
    pub fn send(&mut self, now_ms: u64, apdu_bytes: &[u8], repeat: Repeat) {
        self.queue.push_back((frame(apdu_bytes), repeat));
        self.send_next(now_ms);
    }

    /// Whether a block still waits for its acknowledgement.
    pub fn is_sending(&self) -> bool {
        self.waiting.is_some()
    }

    /// Bytes to put on the wire since the last call.
    pub fn take_wire(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.wire)
    }

    /// Takes bytes from the wire.
    pub fn push(&mut self, now_ms: u64, bytes: &[u8]) -> Vec<Received> {
        let mut received = Vec::new();
        for byte in bytes {
            self.last_byte_ms = now_ms;
            self.on_byte(now_ms, *byte, &mut received);
        }
        received
    }

    /// Next time [`Self::tick`] has something to do.
    pub fn deadline_ms(&self) -> Option<u64> {
        let block =
            (self.state != State::Idle).then_some(self.last_byte_ms + self.timers.inter_byte_ms);
        let ack = self.waiting.as_ref().map(|waiting| waiting.deadline_ms);
        block.into_iter().chain(ack).min()
    }

    /// Runs out timers: a stuck block is answered `NAK`, an unacknowledged one is repeated.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Received> {
        let mut received = Vec::new();
        if self.state != State::Idle && now_ms >= self.last_byte_ms + self.timers.inter_byte_ms {
            self.reject_block();
        }
        let overdue = self
            .waiting
            .as_ref()
            .filter(|waiting| now_ms >= waiting.deadline_ms)
            .map(|waiting| waiting.repeat);
        match overdue {
            Some(Repeat::OnlyAfterNak) => {
                self.waiting = None;
                self.send_next(now_ms);
            }
            Some(_) => self.repeat(now_ms, &mut received),
            None => {}
        }
        received
    }

    fn on_byte(&mut self, now_ms: u64, byte: u8, received: &mut Vec<Received>) {
        self.state = match (self.state, byte) {
            (State::Idle, ACK) => {
                self.waiting = None;
                self.send_next(now_ms);
                State::Idle
            }
            (State::Idle, NAK) => {
                if self.waiting.is_some() {
                    self.repeat(now_ms, received);
                }
                State::Idle
            }
            (State::Idle, DLE) => State::AfterDle,
            (State::Idle, _) => State::Idle,
            (State::AfterDle | State::InBlockAfterDle, STX) => {
                wipe_tail(&mut self.block, 0);
                State::InBlock
            }
            (State::AfterDle, _) => State::Idle,
            (State::InBlock, DLE) => State::InBlockAfterDle,
            (State::InBlockAfterDle, ETX) => State::FirstCrc,
            (State::InBlock, data) | (State::InBlockAfterDle, data @ DLE) => self.data(data),
            (State::InBlockAfterDle, _) => {
                self.reject_block();
                State::Idle
            }
            (State::FirstCrc, low) => State::SecondCrc(low),
            (State::SecondCrc(low), high) => {
                self.end_block(now_ms, u16::from_le_bytes([low, high]), received);
                State::Idle
            }
        };
    }

    fn data(&mut self, byte: u8) -> State {
        if self.block.len() >= MAX_BLOCK_BYTES {
            self.reject_block();
            return State::Idle;
        }
        self.block.push(byte);
        State::InBlock
    }

    fn end_block(&mut self, now_ms: u64, crc: u16, received: &mut Vec<Received>) {
        let good = kermit(kermit(0, &self.block), &[ETX]) == crc;
        match Apdu::decode(&self.block) {
            Ok(apdu) if good => {
                self.wire.push(ACK);
                // An answer proves that our block arrived, even if its ACK was lost.
                if self.waiting.take().is_some() {
                    self.send_next(now_ms);
                }
                received.push(Received::Message(redact(apdu)));
            }
            _ => self.wire.push(NAK),
        }
        wipe_tail(&mut self.block, 0);
    }

    fn reject_block(&mut self) {
        wipe_tail(&mut self.block, 0);
        self.state = State::Idle;
        self.wire.push(NAK);
    }

    fn send_next(&mut self, now_ms: u64) {
        if self.waiting.is_some() {
            return;
        }
        if let Some((block, repeat)) = self.queue.pop_front() {
            self.wire.extend(&block);
            let deadline_ms = now_ms + self.timers.acknowledge_ms;
            self.waiting = Some(Outgoing {
                block,
                repeat,
                sends: 1,
                deadline_ms,
            });
        }
    }

    fn repeat(&mut self, now_ms: u64, received: &mut Vec<Received>) {
        let Some(waiting) = self.waiting.as_mut() else {
            return;
        };
        if waiting.repeat == Repeat::Never || waiting.sends >= MAX_SENDS {
            self.waiting = None;
            self.queue.clear();
            received.push(Received::NotAcknowledged);
            return;
        }
        waiting.sends += 1;
        waiting.deadline_ms = now_ms + self.timers.acknowledge_ms;
        self.wire.extend(&waiting.block);
    }
}

impl Drop for SerialFramer {
    fn drop(&mut self) {
        wipe_tail(&mut self.block, 0);
    }
}

impl fmt::Debug for SerialFramer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "SerialFramer({:?}, {} bytes in block)",
            self.state,
            self.block.len()
        )
    }
}

/// The block around a message: `10 02`, data with `10` doubled, `10 03`, checksum over the plain
/// data and `03`, low byte first.
pub fn frame(apdu_bytes: &[u8]) -> Vec<u8> {
    let mut block = vec![DLE, STX];
    for byte in apdu_bytes {
        block.push(*byte);
        if *byte == DLE {
            block.push(DLE);
        }
    }
    block.extend([DLE, ETX]);
    block.extend(kermit(kermit(0, apdu_bytes), &[ETX]).to_le_bytes());
    block
}

/// Length of the block at the front of `bytes`, which begins with `10 02`; `None` while its end is
/// not there. The two checksum bytes may look like anything and are counted, not read.
pub fn block_length(bytes: &[u8]) -> Option<usize> {
    let mut place = 2;
    loop {
        match bytes.get(place..)? {
            [DLE, ETX, _, _, ..] => return Some(place + 4),
            [DLE, DLE, ..] => place += 2,
            [DLE, ..] | [] => return None,
            _ => place += 1,
        }
    }
}

/// Takes the message out of exactly one block and checks its checksum.
pub fn unframe(block: &[u8]) -> Result<Vec<u8>, CodecError> {
    let broken = |why: &str| CodecError::Incomplete(format!("serial block: {why}"));
    let body = block
        .strip_prefix(&[DLE, STX])
        .ok_or_else(|| broken("it does not begin with 10 02"))?;
    let mut data = Vec::new();
    let mut rest = body.iter();
    loop {
        match (rest.next(), rest.as_slice()) {
            (Some(&DLE), [DLE, ..]) => {
                data.push(DLE);
                rest.next();
            }
            (Some(&DLE), [ETX, low, high]) => {
                let crc = u16::from_le_bytes([*low, *high]);
                let good = kermit(kermit(0, &data), &[ETX]) == crc;
                return if good {
                    Ok(data)
                } else {
                    Err(broken("the checksum is wrong"))
                };
            }
            (Some(&DLE), _) => return Err(broken("10 is followed by neither 10 nor the end")),
            (Some(byte), _) => data.push(*byte),
            (None, _) => return Err(broken("it has no end")),
        }
    }
}
