//! The sync thread: blocks up, heartbeats, water marks down.

use super::key::load_or_make;
use super::tls;
use crate::clock::{mono_ms, wall_ms};
use crate::store::{Enrolment, Run, Store, StoreError};
use reqwest::blocking::Client;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use touchpoint::block::{BlockBuilder, BlockMeta, MAX_EVENTS, MAX_RAW_BYTES};
use touchpoint::wire::{
    Heartbeat, HeartbeatAnswer, LaneHead, PutAnswer, Receipt, Receipted, Signed,
};
use touchpoint::{DeviceId, JournalId, Lane, SigningKey, VerifyingKey};

/// How often the journal is looked at when nobody said that there is news.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Between two heartbeats.
const HEARTBEAT_MS: u64 = 60_000;
/// First and longest pause after a failure.
const PAUSE_MS: u64 = 1_000;
const PAUSE_MS_MAX: u64 = 300_000;

/// Wakes the sync thread.
#[derive(Clone, Debug)]
pub struct SyncHandle {
    wake: SyncSender<()>,
}

impl SyncHandle {
    /// There is news in the journal. Never waits.
    pub fn news(&self) {
        // A full queue means that the thread will look anyway.
        let _ = self.wake.try_send(());
    }
}

/// Starts the sync thread; it ends when every handle is dropped.
///
/// # Errors
/// When the system gives no thread.
pub fn spawn(store: Store, boot: String) -> std::io::Result<SyncHandle> {
    let (wake, woken) = sync_channel(1);
    let client = SyncThread {
        store,
        boot,
        session: None,
        failures: 0,
        next_heartbeat_ms: 0,
    };
    std::thread::Builder::new()
        .name("sync".into())
        .spawn(move || client.run(&woken))?;
    Ok(SyncHandle { wake })
}

/// Why a round ended early. None of these loses an event.
#[derive(Debug, thiserror::Error)]
enum SyncError {
    #[error("head office cannot be reached: {0}")]
    Unreachable(String),
    #[error("head office asks for a pause of {0} ms")]
    Busy(u64),
    #[error("head office says: {0}")]
    Refused(String),
    #[error("the answer cannot be trusted: {0}")]
    Untrusted(String),
    #[error("local store: {0}")]
    Store(#[from] StoreError),
}

struct Session {
    client: Client,
    enrolment: Enrolment,
    device: DeviceId,
    key: SigningKey,
    head_office: VerifyingKey,
}

struct SyncThread {
    store: Store,
    boot: String,
    session: Option<Session>,
    failures: u32,
    next_heartbeat_ms: u64,
}

impl SyncThread {
    fn run(mut self, woken: &Receiver<()>) {
        loop {
            let pause = match self.round() {
                Ok(()) => {
                    self.failures = 0;
                    LOOK_EVERY
                }
                Err(error) => {
                    tracing::warn!(%error, "sync");
                    self.failures = self.failures.saturating_add(1);
                    self.pause(&error)
                }
            };
            match self.wait(woken, pause) {
                Ok(()) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// After a failure news does not shorten the pause, or a busy shop would
    /// knock at a struggling head office with every sale.
    fn wait(&self, woken: &Receiver<()>, pause: Duration) -> Result<(), RecvTimeoutError> {
        let until_ms = mono_ms() + u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        loop {
            let left = Duration::from_millis(until_ms.saturating_sub(mono_ms()));
            match woken.recv_timeout(left) {
                Ok(()) if self.failures == 0 => return Ok(()),
                Ok(()) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn pause(&self, error: &SyncError) -> Duration {
        if let SyncError::Busy(ms) = error {
            return Duration::from_millis((*ms).min(PAUSE_MS_MAX));
        }
        let longest = (PAUSE_MS << self.failures.min(9)).min(PAUSE_MS_MAX);
        // Full jitter, so that kiosks cut off together do not come back together.
        let mut random = [0u8; 8];
        let _ = getrandom::fill(&mut random);
        let jitter = u64::from_le_bytes(random) % longest;
        Duration::from_millis(PAUSE_MS.max(jitter))
    }

    fn round(&mut self) -> Result<(), SyncError> {
        if self.session.is_none() {
            self.session = self.open_session()?;
        }
        if self.session.is_none() {
            return Ok(());
        }
        while self.push_next()? {}
        if mono_ms() >= self.next_heartbeat_ms {
            self.heartbeat()?;
            self.next_heartbeat_ms = mono_ms() + HEARTBEAT_MS;
        }
        Ok(())
    }

    /// `None` while this kiosk is not enrolled.
    fn open_session(&self) -> Result<Option<Session>, SyncError> {
        let Some(enrolment) = self.store.call(|engine| engine.enrolment())? else {
            return Ok(None);
        };
        tls::install_provider();
        let untrusted = |why: String| SyncError::Untrusted(why);
        let key = load_or_make(Path::new(&enrolment.key_path))
            .map_err(|error| untrusted(error.to_string()))?;
        let bytes: [u8; 32] = enrolment
            .head_office_key
            .as_slice()
            .try_into()
            .map_err(|_| untrusted("head office's key has the wrong length".into()))?;
        let head_office =
            VerifyingKey::from_bytes(&bytes).map_err(|error| untrusted(error.to_string()))?;
        let device = DeviceId::new(enrolment.device_id.clone())
            .map_err(|error| untrusted(error.to_string()))?;
        let client = Client::builder()
            .timeout(Duration::from_secs(20))
            .build()
            .map_err(|error| SyncError::Unreachable(error.to_string()))?;
        Ok(Some(Session {
            client,
            enrolment,
            device,
            key,
            head_office,
        }))
    }

    /// Sends the next block; `false` when head office has everything.
    fn push_next(&self) -> Result<bool, SyncError> {
        let Some(session) = &self.session else {
            return Ok(false);
        };
        let run = self
            .store
            .call(|engine| engine.unsent(MAX_EVENTS, MAX_RAW_BYTES))?;
        let Some(run) = run else {
            return Ok(false);
        };
        let mut answer = session.put(&run, &self.boot)?;
        if let Some(begun) = already_there(&run, &answer) {
            answer = session.put(&begun, &self.boot)?;
            if already_there(&run, &answer).is_some() {
                return Err(SyncError::Refused(
                    "head office has events it gives no receipt for".into(),
                ));
            }
        }
        self.settle(session, &run, answer)?;
        Ok(true)
    }

    fn settle(&self, session: &Session, run: &Run, answer: PutAnswer) -> Result<(), SyncError> {
        match answer {
            PutAnswer::Stored(done) | PutAnswer::Duplicate(done) => {
                session.check_receipt(run, &done)?;
                self.advance(run.journal.clone(), run.lane, done)
            }
            PutAnswer::Gap { next_seq } | PutAnswer::Rewind { next_seq } => {
                let (journal, lane) = (run.journal.clone(), run.lane);
                self.store
                    .call(move |engine| engine.rewind(&journal, lane, next_seq))?;
                Ok(())
            }
            PutAnswer::Busy { retry_after_ms } => Err(SyncError::Busy(retry_after_ms)),
            PutAnswer::Fork { seq, .. } => {
                // The old journal stays as it is, for people to look at; new
                // events go where nobody has written before.
                let id = JournalId::new(uuid::Uuid::now_v7().to_string())
                    .map_err(|error| SyncError::Refused(error.to_string()))?;
                self.store
                    .call(move |engine| engine.open_new_journal(id, wall_ms()))?;
                Err(SyncError::Refused(format!(
                    "another kiosk wrote event {seq} of this journal; a new journal was opened"
                )))
            }
            PutAnswer::Revoked => Err(SyncError::Refused(
                "this kiosk's key was revoked; enrol it again".into(),
            )),
            PutAnswer::Unknown => Err(SyncError::Refused(
                "this kiosk is not known there; enrol it again".into(),
            )),
            PutAnswer::Newer { format } => Err(SyncError::Refused(format!(
                "head office does not know block format {format}; update head office"
            ))),
            PutAnswer::Malformed { reason } => Err(SyncError::Refused(format!(
                "the block is malformed ({reason}); it is kept"
            ))),
        }
    }

    fn advance(&self, journal: JournalId, lane: Lane, done: Receipted) -> Result<(), SyncError> {
        let body = serde_json::to_vec(&done.receipt).unwrap_or_default();
        self.store.call(move |engine| {
            engine.advance(
                &journal,
                lane,
                done.stored_upto,
                done.safe_upto,
                Some((&body, wall_ms())),
            )
        })?;
        Ok(())
    }

    fn heartbeat(&self) -> Result<(), SyncError> {
        let Some(session) = &self.session else {
            return Ok(());
        };
        let lanes = self.store.call(|engine| engine.lanes())?;
        let beat = Heartbeat {
            app: env!("CARGO_PKG_VERSION").into(),
            boot: self.boot.clone(),
            device: session.device.clone(),
            lanes: lanes
                .into_iter()
                .map(|mark| LaneHead {
                    journal: mark.journal,
                    lane: mark.lane,
                    head: mark.last_seq,
                })
                .collect(),
            mono_ms: mono_ms(),
            wall_ms: wall_ms(),
        };
        let answer = session.beat(&beat)?;
        for kept in answer.lanes {
            self.store.call(move |engine| {
                engine.advance(
                    &kept.journal,
                    kept.lane,
                    kept.stored_upto,
                    kept.safe_upto,
                    None,
                )
            })?;
        }
        Ok(())
    }
}

/// The beginning of a run that head office says it has: its answer was lost, and more was recorded since. Sent alone, it
/// is answered with the receipt that moves the mark.
fn already_there(run: &Run, answer: &PutAnswer) -> Option<Run> {
    let PutAnswer::Gap { next_seq } = answer else {
        return None;
    };
    let events = run.events.iter().take_while(|event| event.seq < *next_seq);
    let events: Vec<_> = events.cloned().collect();
    (!events.is_empty()).then(|| Run {
        events,
        ..run.clone()
    })
}

impl Session {
    fn put(&self, run: &Run, boot: &str) -> Result<PutAnswer, SyncError> {
        let mut builder = BlockBuilder::new();
        let first_seq = run.events.first().map_or(1, |event| event.seq);
        for event in &run.events {
            if !builder.push(&event.bytes) {
                break;
            }
        }
        let meta = BlockMeta {
            device: self.device.clone(),
            journal: run.journal.clone(),
            lane: run.lane,
            first_seq,
            prev: run.previous,
            app: env!("CARGO_PKG_VERSION").into(),
            boot: boot.to_owned(),
            mono_ms: mono_ms(),
            wall_ms: wall_ms(),
        };
        let block = builder
            .sign(&self.key, meta)
            .map_err(|error| SyncError::Untrusted(error.to_string()))?;
        let url = format!(
            "{}/v1/journals/{}/{}/{}/{first_seq}?acked={}",
            self.enrolment.head_office_url,
            self.device.as_str(),
            run.journal.as_str(),
            run.lane.number(),
            first_seq - 1,
        );
        let request = self.client.put(url).body(block.bytes);
        self.read(request.send())
    }

    fn beat(&self, beat: &Heartbeat) -> Result<HeartbeatAnswer, SyncError> {
        let signed = Signed::new(&self.key, beat)
            .map_err(|error| SyncError::Untrusted(error.to_string()))?;
        let url = format!("{}/v1/heartbeat", self.enrolment.head_office_url);
        self.read(self.client.post(url).json(&signed).send())
    }

    /// Every answer, good or bad, has a body of the expected form.
    fn read<T: serde::de::DeserializeOwned>(
        &self,
        response: Result<reqwest::blocking::Response, reqwest::Error>,
    ) -> Result<T, SyncError> {
        let unreachable =
            |error: reqwest::Error| SyncError::Unreachable(error.without_url().to_string());
        let response = response.map_err(unreachable)?;
        let status = response.status();
        let body = response.text().map_err(unreachable)?;
        serde_json::from_str(&body)
            .map_err(|error| SyncError::Refused(format!("{status}: {error}")))
    }

    /// A water mark is believed only with head office's signature under it.
    fn check_receipt(&self, run: &Run, done: &Receipted) -> Result<(), SyncError> {
        let receipt: Receipt = done
            .receipt
            .open(&self.head_office)
            .map_err(|error| SyncError::Untrusted(error.to_string()))?;
        let ours = receipt.device == self.device
            && receipt.journal == run.journal
            && receipt.lane == run.lane
            && receipt.stored_upto == done.stored_upto;
        if ours {
            Ok(())
        } else {
            Err(SyncError::Untrusted(
                "the receipt is for something else".into(),
            ))
        }
    }
}
