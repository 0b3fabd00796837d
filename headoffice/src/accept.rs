//! Accepting blocks exactly once, and keeping count of what is known to be missing.
//!
//! There is no deduplication window. A lane's head is (next sequence, chain); a block is stored only if it starts
//! exactly there, in one statement that also moves the head. Anything else is answered from what is stored, so
//! any delay, repetition or order of requests ends in the same lane.

use crate::store::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension, params};
use touchpoint::{
    Block, BlockError, DeviceId, GENESIS, JournalId, Lane, VerifyingKey,
    chain::{Chain, sha256},
    wire::{
        Heartbeat, HeartbeatAnswer, LaneHead, LaneKept, PutAnswer, Receipt, Receipted, Signed,
        SignedError,
    },
};

/// Contradicting blocks kept for each device; more of the same proves nothing new.
const KEPT_FORKS: i64 = 64;
/// Lanes a heartbeat may name: 3 lanes of the journals a disk can reasonably hold.
const MAX_HEARTBEAT_LANES: usize = 96;
/// How long a kiosk is asked to wait when the database cannot answer.
pub(crate) const BUSY_RETRY_MS: u64 = 2_000;

/// Where a block says it belongs: the request's path.
#[derive(Debug, Clone)]
pub struct Address {
    /// Whose events.
    pub device: DeviceId,
    /// Which journal.
    pub journal: JournalId,
    /// Which lane.
    pub lane: Lane,
    /// Sequence of the first event.
    pub first_seq: u64,
    /// The highest sequence the kiosk holds a receipt for; 0 when it did not say.
    pub acked: u64,
}

/// A device as the accepting side sees it.
pub(crate) enum Standing {
    Unknown,
    Revoked,
    Trusted(Box<VerifyingKey>),
}

impl Store {
    /// Takes one block: checks it, stores it if it continues its lane, and says what the kiosk should do next.
    ///
    /// # Errors
    /// [`StoreError`] when the database failed; nothing was acknowledged and the kiosk should try again.
    pub fn accept(&self, address: &Address, bytes: &[u8]) -> Result<PutAnswer, StoreError> {
        let standing = standing(&self.writer(), &address.device)?;
        let key = match standing {
            Standing::Unknown => return Ok(PutAnswer::Unknown),
            Standing::Revoked => return Ok(PutAnswer::Revoked),
            Standing::Trusted(key) => key,
        };
        // The expensive part happens without the writer.
        let block = match Block::verify(bytes, &key) {
            Ok(block) => block,
            Err(BlockError::Format(format)) => return Ok(PutAnswer::Newer { format }),
            Err(error) => {
                return Ok(PutAnswer::Malformed {
                    reason: error.to_string(),
                });
            }
        };
        if !belongs(&block, address) {
            let reason = "the signed header names another device, journal, lane or sequence";
            return Ok(PutAnswer::Malformed {
                reason: reason.into(),
            });
        }
        self.place(address, &block, bytes)
    }

    fn place(
        &self,
        address: &Address,
        block: &Block,
        bytes: &[u8],
    ) -> Result<PutAnswer, StoreError> {
        let writer = self.writer();
        let now_ms = self.clock.now_ms();
        if store_if_next(&writer, block, bytes, now_ms)? {
            return Ok(PutAnswer::Stored(self.receipted(&writer, address, now_ms)?));
        }
        // Revoked between the check and the statement.
        if !matches!(standing(&writer, &address.device)?, Standing::Trusted(_)) {
            return Ok(PutAnswer::Revoked);
        }
        let head = head(&writer, address)?;
        let header = &block.header;
        if header.first_seq > head.next_seq {
            let next_seq = head.next_seq;
            let lost = address.acked >= next_seq;
            return Ok(if lost {
                PutAnswer::Rewind { next_seq }
            } else {
                PutAnswer::Gap { next_seq }
            });
        }
        match first_difference(&writer, address, block, &head)? {
            Some((seq, expect)) => {
                keep_fork(&writer, address, bytes, now_ms)?;
                Ok(PutAnswer::Fork { seq, expect })
            }
            None if header.last_seq() < head.next_seq => Ok(PutAnswer::Duplicate(
                self.receipted(&writer, address, now_ms)?,
            )),
            // The beginning is already here, the rest is new: the kiosk cuts the run at our head.
            None => Ok(PutAnswer::Gap {
                next_seq: head.next_seq,
            }),
        }
    }

    fn receipted(
        &self,
        writer: &Connection,
        address: &Address,
        now_ms: i64,
    ) -> Result<Receipted, StoreError> {
        let head = head(writer, address)?;
        let receipt = Receipt {
            at_ms: now_ms,
            chain: head.chain,
            device: address.device.clone(),
            journal: address.journal.clone(),
            lane: address.lane,
            stored_upto: head.next_seq - 1,
        };
        Ok(Receipted {
            next_seq: head.next_seq,
            stored_upto: head.next_seq - 1,
            safe_upto: head.safe_upto,
            now_ms,
            receipt: Signed::new(self.key(), &receipt).map_err(|error| {
                StoreError::DamagedBlock {
                    id: 0,
                    what: error.to_string(),
                }
            })?,
        })
    }

    /// Takes a heartbeat: remembers when the kiosk was last heard and how much it has.
    ///
    /// # Errors
    /// [`StoreError`] when the database failed.
    pub fn heartbeat(
        &self,
        signed: &Signed,
    ) -> Result<Result<HeartbeatAnswer, Refused>, StoreError> {
        let claimed: Heartbeat = match signed.peek() {
            Ok(claimed) => claimed,
            Err(error) => return Ok(Err(Refused::Malformed(error.to_string()))),
        };
        let mut writer = self.writer();
        let key = match standing(&writer, &claimed.device)? {
            Standing::Unknown => return Ok(Err(Refused::Unknown)),
            Standing::Revoked => return Ok(Err(Refused::Revoked)),
            Standing::Trusted(key) => key,
        };
        let beat = match signed.open::<Heartbeat>(&key) {
            Ok(beat) if beat.lanes.len() <= MAX_HEARTBEAT_LANES => beat,
            Ok(_) => return Ok(Err(Refused::Malformed("too many lanes".into()))),
            Err(SignedError::Signature) => return Ok(Err(Refused::Signature)),
            Err(error) => return Ok(Err(Refused::Malformed(error.to_string()))),
        };
        let now_ms = self.clock.now_ms();
        let transaction = writer.transaction()?;
        remember_contact(&transaction, &beat, now_ms)?;
        let mut lanes = Vec::with_capacity(beat.lanes.len());
        for lane in &beat.lanes {
            lanes.push(remember_lane(&transaction, &beat.device, lane)?);
        }
        let missing = missing(&transaction, &beat.device)?;
        transaction.commit()?;
        Ok(Ok(HeartbeatAnswer {
            now_ms,
            lanes,
            missing,
        }))
    }
}

/// Why a signed request was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// The device is not enrolled here.
    Unknown,
    /// The device was revoked.
    Revoked,
    /// The signature is not the device's.
    Signature,
    /// The document cannot be read.
    Malformed(String),
}

pub(crate) fn standing(connection: &Connection, device: &DeviceId) -> Result<Standing, StoreError> {
    let row: Option<([u8; 32], Option<i64>)> = connection
        .prepare_cached("SELECT public_key, revoked_ms FROM device WHERE id = ?1")?
        .query_row([device.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(match row {
        None => Standing::Unknown,
        Some((_, Some(_))) => Standing::Revoked,
        Some((key, None)) => VerifyingKey::from_bytes(&key)
            .map_or(Standing::Unknown, |key| Standing::Trusted(Box::new(key))),
    })
}

fn belongs(block: &Block, address: &Address) -> bool {
    let header = &block.header;
    header.device == address.device
        && header.journal == address.journal
        && header.lane == address.lane
        && header.first_seq == address.first_seq
}

/// The compare-and-set: one statement stores the block and (by trigger) moves the head, or does nothing.
fn store_if_next(
    writer: &Connection,
    block: &Block,
    bytes: &[u8],
    now_ms: i64,
) -> Result<bool, StoreError> {
    let header = &block.header;
    let stored = writer
        .prepare_cached(
            "INSERT INTO block (device, journal, lane, first_seq, last_seq, prev, chain, received_ms, bytes)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9
             WHERE EXISTS (SELECT 1 FROM device WHERE id = ?1 AND revoked_ms IS NULL)
               AND coalesce((SELECT next_seq FROM head WHERE device = ?1 AND journal = ?2 AND lane = ?3), 1) = ?4
               AND coalesce((SELECT chain FROM head WHERE device = ?1 AND journal = ?2 AND lane = ?3), zeroblob(32)) = ?6",
        )?
        .execute(params![
            header.device.as_str(),
            header.journal.as_str(),
            header.lane.number(),
            header.first_seq as i64,
            header.last_seq() as i64,
            header.prev,
            header.chain,
            now_ms,
            bytes,
        ])?;
    Ok(stored == 1)
}

struct Head {
    next_seq: u64,
    chain: Chain,
    safe_upto: u64,
}

fn head(connection: &Connection, address: &Address) -> Result<Head, StoreError> {
    let row = connection
        .prepare_cached(
            "SELECT next_seq, chain, safe_upto FROM head WHERE device = ?1 AND journal = ?2 AND lane = ?3",
        )?
        .query_row(
            params![address.device.as_str(), address.journal.as_str(), address.lane.number()],
            |row| {
                let (next_seq, safe_upto): (i64, i64) = (row.get(0)?, row.get(2)?);
                Ok(Head {
                    next_seq: next_seq.unsigned_abs(),
                    chain: row.get(1)?,
                    safe_upto: safe_upto.unsigned_abs(),
                })
            },
        )
        .optional()?;
    Ok(row.unwrap_or(Head {
        next_seq: 1,
        chain: GENESIS,
        safe_upto: 0,
    }))
}

/// The first sequence at which the sent block and the stored lane are seen to differ, with our link there.
///
/// Once two chains differ they never agree again, so the first difference is found by halving.
fn first_difference(
    connection: &Connection,
    address: &Address,
    block: &Block,
    head: &Head,
) -> Result<Option<(u64, Chain)>, StoreError> {
    let before = block.header.first_seq - 1;
    let last = block.header.last_seq().min(head.next_seq - 1);
    let here = |seq: u64| stored_chain(connection, address, seq, head);
    let agrees = |seq: u64| Ok::<_, StoreError>(block.chain_at(seq) == here(seq)?);
    if agrees(last)? {
        return Ok(None);
    }
    let (mut low, mut high) = (before, last);
    while low < high {
        let middle = low + (high - low) / 2;
        if agrees(middle)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(Some((low, here(low)?.unwrap_or(GENESIS))))
}

/// Our chain link after `seq`, for any stored sequence.
fn stored_chain(
    connection: &Connection,
    address: &Address,
    seq: u64,
    head: &Head,
) -> Result<Option<Chain>, StoreError> {
    if seq == 0 {
        return Ok(Some(GENESIS));
    }
    if seq + 1 == head.next_seq {
        return Ok(Some(head.chain));
    }
    let row: Option<(i64, i64, Chain, Vec<u8>)> = connection
        .prepare_cached(
            "SELECT id, last_seq, chain, bytes FROM block
             WHERE device = ?1 AND journal = ?2 AND lane = ?3 AND first_seq <= ?4
             ORDER BY first_seq DESC LIMIT 1",
        )?
        .query_row(
            params![
                address.device.as_str(),
                address.journal.as_str(),
                address.lane.number(),
                seq as i64
            ],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)),
        )
        .optional()?;
    match row {
        Some((_, last, chain, _)) if last.unsigned_abs() == seq => Ok(Some(chain)),
        Some((id, _, _, bytes)) => {
            let block = Block::reopen(&bytes).map_err(|error| StoreError::DamagedBlock {
                id,
                what: error.to_string(),
            })?;
            Ok(block.chain_at(seq))
        }
        None => Ok(None),
    }
}

fn keep_fork(
    connection: &Connection,
    address: &Address,
    bytes: &[u8],
    now_ms: i64,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT OR IGNORE INTO fork_block (sha256, device, journal, lane, first_seq, received_ms, bytes)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7
         WHERE (SELECT count(*) FROM fork_block WHERE device = ?2) < ?8",
        params![
            sha256(bytes),
            address.device.as_str(),
            address.journal.as_str(),
            address.lane.number(),
            address.first_seq as i64,
            now_ms,
            bytes,
            KEPT_FORKS
        ],
    )?;
    Ok(())
}

/// A repeated or replayed heartbeat of the same boot does not make a kiosk look alive.
fn remember_contact(
    connection: &Connection,
    beat: &Heartbeat,
    now_ms: i64,
) -> Result<(), StoreError> {
    connection.execute(
        "INSERT INTO contact (device, last_ms, app, boot, mono_ms, skew_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (device) DO UPDATE SET last_ms = excluded.last_ms, app = excluded.app,
             boot = excluded.boot, mono_ms = excluded.mono_ms, skew_ms = excluded.skew_ms
         WHERE contact.boot <> excluded.boot OR contact.mono_ms < excluded.mono_ms",
        params![
            beat.device.as_str(),
            now_ms,
            beat.app,
            beat.boot,
            i64::try_from(beat.mono_ms).unwrap_or(i64::MAX),
            beat.wall_ms.saturating_sub(now_ms)
        ],
    )?;
    Ok(())
}

fn remember_lane(
    connection: &Connection,
    device: &DeviceId,
    lane: &LaneHead,
) -> Result<LaneKept, StoreError> {
    let known = i64::try_from(lane.head).unwrap_or(i64::MAX);
    connection.execute(
        "INSERT INTO head (device, journal, lane, known_upto) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (device, journal, lane) DO UPDATE SET known_upto = max(known_upto, excluded.known_upto)",
        params![device.as_str(), lane.journal.as_str(), lane.lane.number(), known],
    )?;
    let (next, safe): (i64, i64) = connection.query_row(
        "SELECT next_seq, safe_upto FROM head WHERE device = ?1 AND journal = ?2 AND lane = ?3",
        params![device.as_str(), lane.journal.as_str(), lane.lane.number()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    Ok(LaneKept {
        journal: lane.journal.clone(),
        lane: lane.lane,
        stored_upto: next.unsigned_abs() - 1,
        safe_upto: safe.unsigned_abs(),
    })
}

/// How many events this device is known to have that are not stored here.
fn missing(connection: &Connection, device: &DeviceId) -> Result<u64, StoreError> {
    let missing: i64 = connection.query_row(
        "SELECT coalesce(sum(max(0, known_upto - next_seq + 1)), 0) FROM head WHERE device = ?1",
        [device.as_str()],
        |row| row.get(0),
    )?;
    Ok(missing.unsigned_abs())
}
