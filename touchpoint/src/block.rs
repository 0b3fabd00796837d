//! A signed run of events: what travels and what head office keeps.
//!
//! ```text
//! {"app":"0.1.0",…,"payload_sha256":"…","prev":"…"}\n     header: canonical JSON
//! 9f86d081…\n                                            Ed25519 over the header line without its line feed
//! (zstd of the events, each followed by a line feed)       payload
//! ```
//!
//! Anyone can check one: `tail -n +3 block | sha256sum` gives `payload_sha256`,
//! `tail -n +3 block | zstd -d` gives the events, and each event moves the chain from `prev` to `chain`
//! ([`crate::chain`]). At most 500 events or 64 KiB of them, so memory is bounded on both ends.

use crate::{
    canonical,
    chain::{Chain, chain_run, sha256},
    event::Lane,
    hex,
    id::{DeviceId, JournalId},
};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// The format name in every header; it also keeps a block's signature apart from every other signed document.
pub const FORMAT: &str = "tpb1";
/// The most events in a block.
pub const MAX_EVENTS: usize = 500;
/// The most bytes of events in a block, line feeds included.
pub const MAX_RAW_BYTES: usize = 64 * 1024;
/// The longest block on the wire: header, signature and a payload that did not compress.
pub const MAX_BLOCK_BYTES: usize = 80 * 1024;
/// The longest header line.
const MAX_HEADER_BYTES: usize = 4 * 1024;
const ZSTD_LEVEL: i32 = 3;

/// Why a block cannot be made or trusted. Retrying the same bytes never helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// A block holds 1 to [`MAX_EVENTS`] events.
    #[error("a block holds 1 to {MAX_EVENTS} events, not {0}")]
    EventCount(usize),
    /// More than the format allows.
    #[error("{what} is {bytes} bytes, more than {limit}; send fewer events in a block")]
    TooLong {
        /// What is too long.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// An event with a line feed in its bytes is not canonical JSON.
    #[error("event {0} of the run holds a line feed; write events with Event::to_bytes")]
    LineFeed(usize),
    /// Sequence numbers start at 1 and must stay within 63 bits.
    #[error("sequence {0} is out of range")]
    Sequence(u64),
    /// Header or signature line missing or unreadable.
    #[error("the block's {0} cannot be read; the sender or the transport damaged it")]
    Malformed(&'static str),
    /// A format this version does not know.
    #[error("block format {0:?} is newer than this program; update head office")]
    Format(String),
    /// The signature is not the device's.
    #[error(
        "the signature is not by this device's key; enrol the device again if its key was replaced"
    )]
    Signature,
    /// The payload is not the signed one, or does not unpack to what the header says.
    #[error("the payload does not match its header: {0}")]
    Payload(&'static str),
}

/// The signed first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockHeader {
    /// Version of the program that packed the block.
    pub app: String,
    /// Boot during which the block was packed.
    pub boot: String,
    /// Chain link after the last event.
    #[serde(with = "crate::hex::array")]
    pub chain: Chain,
    /// How many events.
    pub count: u32,
    /// Who recorded them.
    pub device: DeviceId,
    /// Sequence of the first event, from 1.
    pub first_seq: u64,
    /// [`FORMAT`].
    pub format: String,
    /// Which journal.
    pub journal: JournalId,
    /// Which lane.
    pub lane: Lane,
    /// Monotonic clock when packed.
    pub mono_ms: u64,
    /// SHA-256 of the compressed payload.
    #[serde(with = "crate::hex::array")]
    pub payload_sha256: [u8; 32],
    /// Chain link before the first event.
    #[serde(with = "crate::hex::array")]
    pub prev: Chain,
    /// Length of the unpacked events with their line feeds.
    pub raw_bytes: u32,
    /// Wall clock when packed, untrusted.
    pub wall_ms: i64,
}

impl BlockHeader {
    /// Sequence of the last event.
    #[must_use]
    pub fn last_seq(&self) -> u64 {
        self.first_seq + u64::from(self.count) - 1
    }
}

/// What the caller knows about a block it is about to sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockMeta {
    /// Who recorded the events.
    pub device: DeviceId,
    /// Which journal.
    pub journal: JournalId,
    /// Which lane.
    pub lane: Lane,
    /// Sequence of the first event, from 1.
    pub first_seq: u64,
    /// Chain link before the first event ([`crate::GENESIS`] when `first_seq` is 1).
    pub prev: Chain,
    /// Version of this program.
    pub app: String,
    /// This boot.
    pub boot: String,
    /// Monotonic clock now.
    pub mono_ms: u64,
    /// Wall clock now.
    pub wall_ms: i64,
}

/// A block ready to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedBlock {
    /// What was signed.
    pub header: BlockHeader,
    /// The bytes to send and to keep.
    pub bytes: Vec<u8>,
}

/// A block whose form, signature, payload and chain have been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The signed header.
    pub header: BlockHeader,
    /// The events' own bytes, without line feeds. They need not be readable as events.
    pub events: Vec<Vec<u8>>,
}

/// Collects events until a block is full.
#[derive(Debug, Default, Clone)]
pub struct BlockBuilder {
    events: Vec<Vec<u8>>,
    raw_bytes: usize,
}

impl BlockBuilder {
    /// An empty builder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next event, or returns `false` and takes nothing when the block is full.
    pub fn push(&mut self, event: &[u8]) -> bool {
        let raw_bytes = self.raw_bytes + event.len() + 1;
        let fits = self.events.len() < MAX_EVENTS && raw_bytes <= MAX_RAW_BYTES;
        if fits {
            self.events.push(event.to_vec());
            self.raw_bytes = raw_bytes;
        }
        fits
    }

    /// How many events are in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// True before the first event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Packs and signs what was collected.
    ///
    /// # Errors
    /// As [`Block::sign`].
    pub fn sign(&self, key: &SigningKey, meta: BlockMeta) -> Result<SignedBlock, BlockError> {
        Block::sign(key, meta, &self.events)
    }
}

impl Block {
    /// Packs and signs events that follow `meta.prev`, in order.
    ///
    /// # Errors
    /// No events, too many, too long, a line feed inside one, or a sequence out of range.
    pub fn sign(
        key: &SigningKey,
        meta: BlockMeta,
        events: &[Vec<u8>],
    ) -> Result<SignedBlock, BlockError> {
        let raw = join(events)?;
        let last = meta.first_seq.checked_add(events.len() as u64);
        if meta.first_seq == 0 || last.is_none_or(|last| last > i64::MAX as u64) {
            return Err(BlockError::Sequence(meta.first_seq));
        }
        let payload = zstd::bulk::compress(&raw, ZSTD_LEVEL)
            .map_err(|_| BlockError::Payload("it cannot be compressed"))?;
        let header = BlockHeader {
            app: meta.app,
            boot: meta.boot,
            chain: chain_run(meta.prev, events.iter().map(Vec::as_slice)),
            count: events.len() as u32,
            device: meta.device,
            first_seq: meta.first_seq,
            format: FORMAT.into(),
            journal: meta.journal,
            lane: meta.lane,
            mono_ms: meta.mono_ms,
            payload_sha256: sha256(&payload),
            prev: meta.prev,
            raw_bytes: raw.len() as u32,
            wall_ms: meta.wall_ms,
        };
        let mut bytes = signed_lines(key, &header)?;
        bytes.extend_from_slice(&payload);
        Ok(SignedBlock { header, bytes })
    }

    /// Reads the header only, trusting nothing: enough to know whose key must check the rest.
    ///
    /// # Errors
    /// A block too long, a header that cannot be read, or a format newer than this program.
    pub fn peek(bytes: &[u8]) -> Result<BlockHeader, BlockError> {
        split(bytes).and_then(|parts| read_header(parts.header))
    }

    /// Checks everything that can be checked without knowing the journal: form, signature, payload hash,
    /// unpacked size and count, and the chain from `prev` to `chain`.
    ///
    /// Whether the events can be read as events is not checked: unreadable content must never block a queue.
    ///
    /// # Errors
    /// The first check that failed.
    pub fn verify(bytes: &[u8], key: &VerifyingKey) -> Result<Self, BlockError> {
        let parts = split(bytes)?;
        let signature = Signature::from_bytes(&parts.signature);
        key.verify_strict(parts.header, &signature)
            .map_err(|_| BlockError::Signature)?;
        let header = read_header(parts.header)?;
        if sha256(parts.payload) != header.payload_sha256 {
            return Err(BlockError::Payload("its SHA-256 differs"));
        }
        let raw = unpack(parts.payload, &header)?;
        let events = lines(&raw)?;
        if events.len() != header.count as usize {
            return Err(BlockError::Payload("it holds another number of events"));
        }
        if chain_run(header.prev, events.iter().map(Vec::as_slice)) != header.chain {
            return Err(BlockError::Payload(
                "its events do not lead to the signed chain",
            ));
        }
        Ok(Self { header, events })
    }

    /// Unpacks a block this program verified before and kept (skips the signature, checks everything else).
    ///
    /// # Errors
    /// The first check that failed: the store is damaged.
    pub fn reopen(bytes: &[u8]) -> Result<Self, BlockError> {
        let parts = split(bytes)?;
        let header = read_header(parts.header)?;
        if sha256(parts.payload) != header.payload_sha256 {
            return Err(BlockError::Payload("its SHA-256 differs"));
        }
        let events = lines(&unpack(parts.payload, &header)?)?;
        if chain_run(header.prev, events.iter().map(Vec::as_slice)) != header.chain {
            return Err(BlockError::Payload(
                "its events do not lead to the signed chain",
            ));
        }
        Ok(Self { header, events })
    }

    /// The chain link after `seq`, when `seq` lies in this block or is the one before its first.
    #[must_use]
    pub fn chain_at(&self, seq: u64) -> Option<Chain> {
        let taken = (seq + 1).checked_sub(self.header.first_seq)?;
        let taken = usize::try_from(taken)
            .ok()
            .filter(|&taken| taken <= self.events.len())?;
        Some(chain_run(
            self.header.prev,
            self.events[..taken].iter().map(Vec::as_slice),
        ))
    }
}

struct Parts<'a> {
    header: &'a [u8],
    signature: [u8; 64],
    payload: &'a [u8],
}

fn too_long(what: &'static str, bytes: usize, limit: usize) -> Result<(), BlockError> {
    if bytes > limit {
        Err(BlockError::TooLong { what, bytes, limit })
    } else {
        Ok(())
    }
}

fn join(events: &[Vec<u8>]) -> Result<Vec<u8>, BlockError> {
    if events.is_empty() || events.len() > MAX_EVENTS {
        return Err(BlockError::EventCount(events.len()));
    }
    let length = events.iter().map(|event| event.len() + 1).sum();
    too_long("the run of events", length, MAX_RAW_BYTES)?;
    let mut raw = Vec::with_capacity(length);
    for (index, event) in events.iter().enumerate() {
        if event.contains(&b'\n') {
            return Err(BlockError::LineFeed(index));
        }
        raw.extend_from_slice(event);
        raw.push(b'\n');
    }
    Ok(raw)
}

/// Ed25519 over a header line (without its line feed), as a block carries it.
#[must_use]
pub fn sign_line(key: &SigningKey, line: &[u8]) -> [u8; 64] {
    key.sign(line).to_bytes()
}

fn signed_lines(key: &SigningKey, header: &BlockHeader) -> Result<Vec<u8>, BlockError> {
    let value = serde_json::to_value(header).map_err(|_| BlockError::Malformed("header"))?;
    let line =
        canonical::to_bytes_unchecked(&value).map_err(|_| BlockError::Malformed("header"))?;
    too_long("the header", line.len(), MAX_HEADER_BYTES)?;
    let signature = hex::encode(&sign_line(key, &line));
    let mut bytes = line;
    bytes.push(b'\n');
    bytes.extend_from_slice(signature.as_bytes());
    bytes.push(b'\n');
    Ok(bytes)
}

fn split(bytes: &[u8]) -> Result<Parts<'_>, BlockError> {
    too_long("the block", bytes.len(), MAX_BLOCK_BYTES)?;
    let end = |bytes: &[u8], limit: usize| bytes.iter().take(limit + 1).position(|&b| b == b'\n');
    let header_end = end(bytes, MAX_HEADER_BYTES).ok_or(BlockError::Malformed("header line"))?;
    let rest = &bytes[header_end + 1..];
    let signature_end = end(rest, 128).ok_or(BlockError::Malformed("signature line"))?;
    let signature = std::str::from_utf8(&rest[..signature_end])
        .ok()
        .and_then(hex::decode)
        .ok_or(BlockError::Malformed("signature line"))?;
    Ok(Parts {
        header: &bytes[..header_end],
        signature,
        payload: &rest[signature_end + 1..],
    })
}

fn read_header(line: &[u8]) -> Result<BlockHeader, BlockError> {
    #[derive(Deserialize)]
    struct Named {
        format: String,
    }
    let named: Named =
        serde_json::from_slice(line).map_err(|_| BlockError::Malformed("header line"))?;
    if named.format != FORMAT {
        return Err(BlockError::Format(named.format.chars().take(16).collect()));
    }
    let header: BlockHeader =
        serde_json::from_slice(line).map_err(|_| BlockError::Malformed("header line"))?;
    let count = header.count as usize;
    if count == 0 || count > MAX_EVENTS {
        return Err(BlockError::EventCount(count));
    }
    let last = header.first_seq.checked_add(u64::from(header.count));
    if header.first_seq == 0 || last.is_none_or(|last| last > i64::MAX as u64) {
        return Err(BlockError::Sequence(header.first_seq));
    }
    too_long(
        "the run of events",
        header.raw_bytes as usize,
        MAX_RAW_BYTES,
    )?;
    Ok(header)
}

/// Never allocates more than [`MAX_RAW_BYTES`], whatever the compressed frame claims.
fn unpack(payload: &[u8], header: &BlockHeader) -> Result<Vec<u8>, BlockError> {
    let raw = zstd::bulk::decompress(payload, header.raw_bytes as usize)
        .map_err(|_| BlockError::Payload("it does not unpack to the signed length"))?;
    if raw.len() == header.raw_bytes as usize {
        Ok(raw)
    } else {
        Err(BlockError::Payload(
            "it does not unpack to the signed length",
        ))
    }
}

fn lines(raw: &[u8]) -> Result<Vec<Vec<u8>>, BlockError> {
    let body = raw
        .strip_suffix(b"\n")
        .ok_or(BlockError::Payload("its last event has no line feed"))?;
    let events: Vec<Vec<u8>> = body
        .split(|&byte| byte == b'\n')
        .take(MAX_EVENTS + 1)
        .map(<[u8]>::to_vec)
        .collect();
    if events.len() > MAX_EVENTS {
        return Err(BlockError::EventCount(events.len()));
    }
    Ok(events)
}
