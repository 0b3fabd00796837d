//! The kiosk's local store: one thread owns the only read-write SQLite connection.
//!
//! Other threads hold a [`Store`] handle. A request is a closure over the [`Engine`] that runs on the store thread;
//! its answer goes to a reply closure, so the screen never waits ([`Store::run`], [`Store::commit`]). Threads that
//! may wait use [`Store::call`]. The queue is bounded; a request that finds it full is answered with
//! [`StoreError::Busy`] at once, and every reply closure is called exactly once whatever happens.
//!
//! Settings, checks and thresholds are those of `sync-and-reliability.md` §4.3; the tables are described in
//! `migrations/kiosk/*.sql`. The catalogue lies in a file of its own ([`Store::set_catalogue`]).

mod backup;
mod browse;
mod card_money;
mod catalogue_build;
mod catalogue_file;
mod commit;
mod days;
mod engine;
mod error;
mod health;
mod journal;
mod migrate;
mod sales;
mod search;
mod settings;
mod spool;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

pub use backup::set_aside;
pub use browse::{Category, Found};
pub use card_money::{CardRecord, GivenBackTotal, Refundable, TerminalClose};
pub use catalogue_build::{BuildMode, Built as BuiltCatalogue, build as build_catalogue};
pub use catalogue_file::Applied;
pub use commit::{Commit, Committed};
pub use days::{ClosedDay, Closing, DayFigures, Moment};
pub use engine::{Boot, Engine, Ids, StoreConfig};
pub use error::StoreError;
pub use health::{StorageHealth, StorageLevel};
pub use journal::{JournalEvent, JournalReason, LaneMarks, Position, Run, StoredEvent};
pub use migrate::SCHEMA_VERSION;
pub use sales::{SaleLineRecord, SaleRecord, SaleTaxRecord, SaleTenderRecord};
pub use settings::{Enrolment, Snapshot, SnapshotState};
pub use spool::{PrintJob, PrintKind, PrintState, SpooledJob};

/// Requests that may wait for the store thread.
const QUEUE: usize = 256;
/// How long the queue must be empty before the store does its own work (checkpoint).
const IDLE: Duration = Duration::from_millis(400);
/// The same with a long write-ahead log.
const BREATH: Duration = Duration::from_millis(20);
/// How often the free space is looked at when nothing happens.
const WATCH: Duration = Duration::from_secs(60);

type Job = Box<dyn FnOnce(&mut Engine) + Send>;

/// Handle to the store thread; cheap to clone. The thread ends, after a last checkpoint, when every handle and the
/// [`Opened::thread`] guard are gone.
#[derive(Clone)]
pub struct Store {
    jobs: SyncSender<Job>,
    closed: Arc<AtomicBool>,
    level: Arc<AtomicU8>,
}

/// What [`Store::open`] returns.
pub struct Opened {
    /// The handle.
    pub store: Store,
    /// What was found on opening: till state, journal, device.
    pub boot: Boot,
    /// Join it after dropping every handle, to know that the last checkpoint was made.
    pub thread: JoinHandle<()>,
}

impl Store {
    /// Opens, migrates and verifies the database, and starts its thread. `on_health` runs on the store thread and
    /// must not wait.
    ///
    /// # Errors
    /// As [`Engine::open`].
    pub fn open(
        config: StoreConfig,
        ids: &Ids,
        on_health: impl FnMut(StorageHealth) + Send + 'static,
    ) -> Result<Opened, StoreError> {
        let path = config.path.clone();
        let (engine, boot) = Engine::open(config, ids)?;
        let (jobs, queue) = sync_channel(QUEUE);
        let closed = Arc::new(AtomicBool::new(false));
        let level = Arc::new(AtomicU8::new(engine.level as u8));
        let work = Worker {
            engine,
            on_health,
            closed: closed.clone(),
            level: level.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || work.run(&queue))
            .map_err(|error| StoreError::from_io(&path, &error))?;
        Ok(Opened {
            store: Self {
                jobs,
                closed,
                level,
            },
            boot,
            thread,
        })
    }

    /// Runs `ask` on the store thread and hands its answer to `reply` there (or, when the queue is full, to `reply`
    /// on this thread with [`StoreError::Busy`]). Never waits. `reply` is called exactly once.
    pub fn run<T, A, R>(&self, ask: A, reply: R)
    where
        T: 'static,
        A: FnOnce(&mut Engine) -> Result<T, StoreError> + Send + 'static,
        R: FnOnce(Result<T, StoreError>) + Send + 'static,
    {
        let job = self.job(ask, reply);
        match self.jobs.try_send(job) {
            Ok(()) => {}
            // Dropping the job answers it.
            Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) => drop(job),
        }
    }

    /// Runs `ask` on the store thread and waits for its answer. Not for the thread that draws the screen.
    ///
    /// # Errors
    /// What `ask` answers, or [`StoreError::Closed`].
    pub fn call<T, A>(&self, ask: A) -> Result<T, StoreError>
    where
        T: Send + 'static,
        A: FnOnce(&mut Engine) -> Result<T, StoreError> + Send + 'static,
    {
        let (sender, answer) = sync_channel(1);
        let job = self.job(ask, move |result| {
            // The caller waits for exactly this; it cannot be gone.
            let _ = sender.send(result);
        });
        if let Err(refused) = self.jobs.send(job) {
            drop(refused);
        }
        answer.recv().unwrap_or(Err(StoreError::Closed))
    }

    fn job<T, A, R>(&self, ask: A, reply: R) -> Job
    where
        T: 'static,
        A: FnOnce(&mut Engine) -> Result<T, StoreError> + Send + 'static,
        R: FnOnce(Result<T, StoreError>) + Send + 'static,
    {
        let mut reply = ReplyOnce {
            reply: Some(reply),
            closed: self.closed.clone(),
            marker: std::marker::PhantomData,
        };
        Box::new(move |engine| {
            let result = catch_unwind(AssertUnwindSafe(|| ask(engine)))
                .unwrap_or_else(|_| Err(StoreError::Refused("the request panicked".into())));
            reply.answer(result);
        })
    }

    /// Makes facts, state and sale durable in one transaction. The till's ticket belongs into `reply`.
    pub fn commit(
        &self,
        commit: Commit,
        reply: impl FnOnce(Result<Committed, StoreError>) + Send + 'static,
    ) {
        self.run(move |engine| engine.commit(commit), reply);
    }

    /// Items whose barcode is one of `candidates` (a scan has several spellings: EAN-13 of a UPC-A, GTIN-14 …).
    /// More than one found means the code is ambiguous and the shopper is asked.
    pub fn lookup(
        &self,
        candidates: Vec<String>,
        reply: impl FnOnce(Result<Vec<Found>, StoreError>) + Send + 'static,
    ) {
        self.run(move |engine| engine.lookup(&candidates), reply);
    }

    /// Items for what a shopper typed, best first, at most `limit`.
    pub fn search(
        &self,
        text: String,
        limit: usize,
        reply: impl FnOnce(Result<Vec<Found>, StoreError>) + Send + 'static,
    ) {
        self.run(move |engine| engine.search(&text, limit), reply);
    }

    /// How much room is left, as of the last look; readable from any thread.
    #[must_use]
    pub fn level(&self) -> StorageLevel {
        StorageLevel::from_number(self.level.load(Ordering::Relaxed))
    }
}

/// Calls its reply exactly once: with the answer, or when dropped unanswered.
struct ReplyOnce<T, R: FnOnce(Result<T, StoreError>)> {
    reply: Option<R>,
    closed: Arc<AtomicBool>,
    marker: std::marker::PhantomData<fn(T)>,
}

impl<T, R: FnOnce(Result<T, StoreError>)> ReplyOnce<T, R> {
    fn answer(&mut self, result: Result<T, StoreError>) {
        if let Some(reply) = self.reply.take() {
            reply(result);
        }
    }
}

impl<T, R: FnOnce(Result<T, StoreError>)> Drop for ReplyOnce<T, R> {
    fn drop(&mut self) {
        let closed = self.closed.load(Ordering::Acquire);
        self.answer(Err(if closed {
            StoreError::Closed
        } else {
            StoreError::Busy
        }));
    }
}

/// The store thread.
struct Worker<H> {
    engine: Engine,
    on_health: H,
    closed: Arc<AtomicBool>,
    level: Arc<AtomicU8>,
}

impl<H: FnMut(StorageHealth)> Worker<H> {
    fn run(mut self, queue: &Receiver<Job>) {
        self.report();
        let mut log_is_long = false;
        loop {
            let wait = match (log_is_long, self.engine.idle_due()) {
                (true, _) => BREATH,
                (false, true) => IDLE,
                (false, false) => WATCH,
            };
            match queue.recv_timeout(wait) {
                Ok(job) => {
                    job(&mut self.engine);
                    log_is_long = self.engine.after_answer();
                }
                Err(RecvTimeoutError::Timeout) => {
                    self.engine.idle();
                    log_is_long = false;
                }
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.report();
        }
        self.closed.store(true, Ordering::Release);
        self.engine.checkpoint(true);
        self.report();
    }

    fn report(&mut self) {
        self.level.store(self.engine.level as u8, Ordering::Relaxed);
        for notice in self.engine.take_notices() {
            match &notice {
                StorageHealth::Recovered => tracing::info!(?notice, "store"),
                _ => tracing::warn!(?notice, "store"),
            }
            (self.on_health)(notice);
        }
    }
}
