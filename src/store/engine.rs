//! The one owner of the database connection: opens it, checks it, writes to it.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use checkout::till::TillState;
use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use touchpoint::{JournalId, Lane};

use super::catalogue_file::Catalogue;
use super::error::StoreError;
use super::health::{Ballast, StorageHealth, StorageLevel};
use super::journal::{self, JournalReason, LANES, LaneMarks, Position};
use super::migrate;
use super::sales;

/// Oldest SQLite without the WAL-reset bug, as `sqlite3_libversion_number` counts (sync-and-reliability.md §0.4).
const SQLITE_SAFE: i32 = 3_051_003;
/// A passive checkpoint is due when the write-ahead log holds this many pages (§4.3): it waits for a moment without
/// requests, so that no sale stands behind it.
const CHECKPOINT_PAGES: u32 = 1000;
/// With this many pages it no longer waits.
const CHECKPOINT_AT_ONCE_PAGES: u32 = 4 * CHECKPOINT_PAGES;
/// Databases up to this size are checked page by page before the first touch; larger ones on the first idle moment.
const QUICK_CHECK_AT_OPEN_BYTES: u64 = 64 * 1024 * 1024;

/// How to open the store.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Database file. Its folder must exist; catalogue files and the ballast lie beside it.
    pub path: PathBuf,
    /// How long to wait for another process to let go of the file, in milliseconds.
    pub busy_timeout_ms: u64,
    /// Size of the file kept to be deleted when the disk is full (0: none).
    pub ballast_bytes: u64,
    /// How many of the newest events of each lane are hashed again on opening.
    pub rehash_events: u32,
    /// Largest size of the database in pages of 4 KiB (`None`: as far as the disk goes).
    pub max_pages: Option<u32>,
}

impl StoreConfig {
    /// The settings of a kiosk (sync-and-reliability.md §4.3) for the database at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            busy_timeout_ms: 5000,
            ballast_bytes: 64 * 1024 * 1024,
            rehash_events: 2000,
            max_pages: None,
        }
    }
}

/// What opening needs from outside: time and identity are parameters.
#[derive(Clone, Debug)]
pub struct Ids {
    /// Unix milliseconds UTC.
    pub now_ms: i64,
    /// A fresh UUIDv7, used only when a new journal has to be opened.
    pub new_journal: JournalId,
    /// What tells this machine from another (content of `/etc/machine-id`, or empty).
    pub machine: String,
}

/// The open database. Lives on the store thread; every method is one synchronous transaction or read.
pub struct Engine {
    pub(super) connection: Connection,
    pub(super) config: StoreConfig,
    pub(super) journal_no: i64,
    pub(super) journal_id: JournalId,
    pub(super) heads: [Head; LANES],
    pub(super) catalogue: Option<Catalogue>,
    pub(super) sold: HashMap<String, u32>,
    pub(super) ballast: Ballast,
    pub(super) level: StorageLevel,
    pub(super) notices: Vec<StorageHealth>,
    /// Set after an I/O error: nothing is acknowledged until the file was opened and verified again.
    failed: bool,
    /// The page check was put off at open because the file is large.
    check_due: bool,
    wal_dirty: bool,
    /// Sales were written that `item_sold` does not count yet.
    pub(super) fold_due: bool,
    /// Pages in the write-ahead log after the newest commit. The length of its file says nothing: SQLite writes it
    /// again from the start and leaves it as long as it was.
    wal_pages: Arc<AtomicU32>,
}

/// Where a lane of the open journal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) next_seq: u64,
    pub(super) chain: [u8; 32],
}

/// What was found on opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The open journal.
    pub journal_id: JournalId,
    /// Why that journal is the open one.
    pub journal_reason: JournalReason,
    /// Last durable state of the till; `None` on the first start.
    pub state: Option<TillState>,
    /// Head office's name for this kiosk, once enrolled.
    pub device_id: Option<String>,
    /// Schema version the file had before opening.
    pub upgraded_from: i64,
    /// Items on sale.
    pub items: u64,
}

impl Engine {
    /// Opens, migrates and verifies the database.
    ///
    /// # Errors
    /// Every [`StoreError`] but `Busy`, `Closed`; nothing is repaired, moved or deleted on the way.
    pub fn open(config: StoreConfig, ids: &Ids) -> Result<(Self, Boot), StoreError> {
        gate_sqlite_version(rusqlite::version_number(), rusqlite::version())?;
        let mut connection = connect(&config)?;
        let upgraded_from = migrate::migrate(&mut connection, &config.path)?;
        let size = fs::metadata(&config.path).map_or(0, |metadata| metadata.len());
        let check_due = size > QUICK_CHECK_AT_OPEN_BYTES;
        if !check_due {
            quick_check(&connection, &config.path)?;
        }
        let reason = settle_identity(&mut connection, &config.path, ids)?;
        journal::verify(&connection, &config.path, config.rehash_events)?;
        sales::fold_sold(&mut connection)
            .map_err(|error| StoreError::from_sqlite(&config.path, &error))?;
        let (journal_no, journal_id, heads) = journal::load_heads(&connection, &config.path)?;
        let mut engine = Self {
            ballast: Ballast::beside(&config.path, config.ballast_bytes),
            sold: sales::load_sold(&connection)
                .map_err(|error| StoreError::from_sqlite(&config.path, &error))?,
            connection,
            config,
            journal_no,
            journal_id,
            heads,
            catalogue: None,
            level: StorageLevel::Plenty,
            notices: Vec::new(),
            failed: false,
            check_due,
            wal_dirty: true,
            fold_due: false,
            wal_pages: Arc::default(),
        };
        engine.count_log_pages();
        engine.open_catalogue();
        engine.watch_space();
        let boot = Boot {
            journal_id: engine.journal_id.clone(),
            journal_reason: reason,
            state: engine.state()?,
            device_id: engine.enrolment()?.map(|enrolment| enrolment.device_id),
            upgraded_from,
            items: engine.catalogue.as_ref().map_or(0, Catalogue::items),
        };
        Ok((engine, boot))
    }

    /// Something was written; the checkpoint comes when the answer is out ([`Self::after_answer`]).
    pub(super) fn after_write(&mut self) {
        self.wal_dirty = true;
    }

    /// The answer to a request is out: a checkpoint that can wait no longer is made, and the space that is left is
    /// looked at. Says whether one is due as soon as nothing is asked for.
    pub(super) fn after_answer(&mut self) -> bool {
        if !self.wal_dirty || self.failed {
            return false;
        }
        let pages = self.wal_pages.load(Ordering::Relaxed);
        if pages >= CHECKPOINT_AT_ONCE_PAGES {
            self.checkpoint(false);
            self.watch_space();
            return false;
        }
        pages >= CHECKPOINT_PAGES
    }

    fn count_log_pages(&mut self) {
        let pages = Arc::new(AtomicU32::new(0));
        self.wal_pages = pages.clone();
        let count = move |_: &mut Wal, log: std::ffi::c_int| {
            pages.store(log.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        };
        if let Err(error) = self.connection.wal_hook(Some(count)) {
            // Without it only idle moments checkpoint.
            tracing::warn!(%error, "the log's length is not known");
        }
    }

    /// Whether the idle moment has work to do.
    #[must_use]
    pub(super) fn idle_due(&self) -> bool {
        let words_due = self
            .catalogue
            .as_ref()
            .is_some_and(|catalogue| catalogue.vocabulary.is_none());
        self.wal_dirty || self.fold_due || self.check_due || words_due
    }

    /// What to do when nothing is asked for a moment: checkpoint, put-off page check, space.
    pub(super) fn idle(&mut self) {
        if self.failed {
            return;
        }
        if std::mem::take(&mut self.fold_due)
            && let Err(error) = sales::fold_sold(&mut self.connection)
        {
            self.note_failure(&StoreError::from_sqlite(&self.config.path, &error));
        }
        if self.wal_dirty {
            self.checkpoint(false);
        }
        if let Some(catalogue) = &mut self.catalogue {
            catalogue.load_vocabulary();
        }
        if std::mem::take(&mut self.check_due)
            && let Err(error) = quick_check(&self.connection, &self.config.path)
        {
            self.notices.push(StorageHealth::Failed(error));
        }
        self.watch_space();
    }

    /// Moves the write-ahead log into the database; `truncate` also empties the log (at the seal of a day).
    /// A failure is an alarm: SQLite itself would not tell anyone that the disk is dying (§0.5).
    pub fn checkpoint(&mut self, truncate: bool) {
        let mode = if truncate {
            "PRAGMA wal_checkpoint(TRUNCATE)"
        } else {
            "PRAGMA wal_checkpoint(PASSIVE)"
        };
        let answer = self
            .connection
            .query_row(mode, [], |row| row.get::<_, i64>(0));
        self.wal_dirty = false;
        self.wal_pages.store(0, Ordering::Relaxed);
        match answer {
            Ok(0) => {}
            Ok(_) => self
                .notices
                .push(StorageHealth::CheckpointFailed("the log is in use".into())),
            Err(error) => {
                self.notices
                    .push(StorageHealth::CheckpointFailed(error.to_string()));
                self.note_failure(&StoreError::from_sqlite(&self.config.path, &error));
            }
        }
    }

    pub(super) fn note_failure(&mut self, error: &StoreError) {
        if matches!(error, StoreError::Io { .. }) {
            self.failed = true;
        }
        if error.stops_selling() {
            self.notices.push(StorageHealth::Failed(error.clone()));
        }
    }

    /// After an I/O error the same file handle may lie about what is on disk: open anew and verify (§4.3).
    pub(super) fn reopen_if_failed(&mut self) -> Result<(), StoreError> {
        if !self.failed {
            return Ok(());
        }
        let idle = Connection::open_in_memory().map_err(|error| self.sql(&error))?;
        drop(std::mem::replace(&mut self.connection, idle));
        let connection = connect(&self.config)?;
        quick_check(&connection, &self.config.path)?;
        journal::verify(&connection, &self.config.path, self.config.rehash_events)?;
        let (journal_no, journal_id, heads) = journal::load_heads(&connection, &self.config.path)?;
        self.connection = connection;
        self.count_log_pages();
        (self.journal_no, self.journal_id, self.heads) = (journal_no, journal_id, heads);
        self.failed = false;
        self.notices.push(StorageHealth::Recovered);
        Ok(())
    }

    pub(super) fn sql(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::from_sqlite(&self.config.path, error)
    }

    /// The last durable state of the till, as JSON.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn state_json(&self) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row("SELECT body FROM till_state WHERE id = 1", [], |row| {
                row.get(0)
            })
            .optional()
            .map_err(|error| self.sql(&error))
    }

    /// The last durable state of the till; `None` before the first commit.
    ///
    /// # Errors
    /// [`StoreError::UnreadableState`] rather than a fresh start: money may be in doubt in it.
    pub fn state(&self) -> Result<Option<TillState>, StoreError> {
        let read = |text: String| {
            serde_json::from_str(&text)
                .map_err(|error| StoreError::UnreadableState(error.to_string()))
        };
        self.state_json()?.map(read).transpose()
    }

    /// Where each lane stands, every journal, oldest journal first.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn lanes(&self) -> Result<Vec<LaneMarks>, StoreError> {
        journal::marks(&self.connection).map_err(|error| self.sql(&error))
    }

    /// Opens a new journal in the same file, after head office found a fork (§2.3); the old one goes on draining.
    ///
    /// # Errors
    /// When the row cannot be written.
    pub fn open_new_journal(&mut self, id: JournalId, now_ms: i64) -> Result<(), StoreError> {
        self.reopen_if_failed()?;
        let path = self.config.path.clone();
        let sql = |error: rusqlite::Error| StoreError::from_sqlite(&path, &error);
        let transaction = self.connection.transaction().map_err(sql)?;
        journal::open_journal(&transaction, &id, now_ms, JournalReason::Forked).map_err(sql)?;
        transaction.commit().map_err(sql)?;
        (self.journal_no, self.journal_id, self.heads) =
            journal::load_heads(&self.connection, &path)?;
        Ok(())
    }

    /// Takes the notices that have gathered since the last call.
    pub(super) fn take_notices(&mut self) -> Vec<StorageHealth> {
        std::mem::take(&mut self.notices)
    }

    /// The open journal.
    #[must_use]
    pub fn journal_id(&self) -> &JournalId {
        &self.journal_id
    }

    /// Where the next event of `lane` goes in the open journal.
    #[must_use]
    pub fn next_position(&self, lane: Lane) -> Position {
        Position {
            lane,
            seq: self.heads[usize::from(lane.number())].next_seq,
        }
    }
}

/// Refuses a SQLite that can corrupt a database.
fn gate_sqlite_version(number: i32, text: &str) -> Result<(), StoreError> {
    if number < SQLITE_SAFE {
        Err(StoreError::UnsafeSqlite {
            found: text.to_owned(),
        })
    } else {
        Ok(())
    }
}

/// Opens the file with exactly the settings of sync-and-reliability.md §4.3.
pub(super) fn connect(config: &StoreConfig) -> Result<Connection, StoreError> {
    let path = &config.path;
    make_file(path)?;
    let sql = |error: rusqlite::Error| StoreError::from_sqlite(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sql)?;
    connection
        .busy_timeout(std::time::Duration::from_millis(config.busy_timeout_ms))
        .map_err(sql)?;
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)
        .map_err(sql)?;
    // Exclusive locking comes before the switch to WAL: then the wal-index stays in memory and no -shm file exists.
    connection
        .execute_batch(
            "PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA trusted_schema = OFF;
             PRAGMA cell_size_check = ON;
             PRAGMA mmap_size = 0;
             PRAGMA temp_store = MEMORY;",
        )
        .map_err(sql)?;
    // A file of something else, or of a newer program, is left exactly as it is: looked at before the first write.
    if migrate::check_version(&connection, path)? == 0 {
        connection
            .pragma_update(None, "auto_vacuum", "INCREMENTAL")
            .map_err(sql)?;
    }
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(sql)?;
    if mode != "wal" || connection.is_readonly(rusqlite::MAIN_DB).map_err(sql)? {
        return Err(StoreError::ReadOnly(path.clone()));
    }
    connection
        .execute_batch(
            "PRAGMA synchronous = FULL;
             PRAGMA wal_autocheckpoint = 0;
             PRAGMA journal_size_limit = 4194304;
             PRAGMA foreign_keys = ON;
             BEGIN IMMEDIATE; COMMIT;",
        )
        .map_err(sql)?;
    if let Some(pages) = config.max_pages {
        connection
            .pragma_update(None, "max_page_count", pages)
            .map_err(sql)?;
    }
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

/// Creates an absent file readable by the kiosk's user alone; tells a missing folder from a forbidden one.
fn make_file(path: &Path) -> Result<(), StoreError> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(StoreError::MissingDirectory(folder.to_path_buf()));
    }
    let opened = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    opened
        .map(|_| ())
        .map_err(|error| StoreError::from_io(path, &error))
}

fn quick_check(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let answer = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0));
    match answer {
        Ok(text) if text == "ok" => Ok(()),
        Ok(text) => Err(StoreError::Damaged {
            path: path.to_path_buf(),
            what: text,
        }),
        Err(error) => Err(StoreError::from_sqlite(path, &error)),
    }
}

/// Decides whether this file goes on with its journal, and records what the file is now.
fn settle_identity(
    connection: &mut Connection,
    path: &Path,
    ids: &Ids,
) -> Result<JournalReason, StoreError> {
    let inode = fs::metadata(path)
        .map_err(|error| StoreError::from_io(path, &error))?
        .ino();
    let inode = i64::from_ne_bytes(inode.to_ne_bytes());
    let sql = |error: rusqlite::Error| StoreError::from_sqlite(path, &error);
    let known = connection
        .query_row(
            "SELECT file_inode, machine, copied FROM identity",
            [],
            |row| {
                Ok((
                    row.get::<_, i64>(0)?,
                    row.get::<_, String>(1)?,
                    row.get::<_, bool>(2)?,
                ))
            },
        )
        .optional()
        .map_err(sql)?;
    let reason = match known {
        None => JournalReason::New,
        Some((_, _, true)) => JournalReason::Restored,
        Some((was, ref machine, false)) if was != inode || *machine != ids.machine => {
            JournalReason::Copied
        }
        Some(_) => return Ok(JournalReason::Continued),
    };
    let transaction = connection.transaction().map_err(sql)?;
    transaction
        .execute(
            "INSERT INTO identity (id, created_ms, file_inode, machine, copied) VALUES (1, ?1, ?2, ?3, 0)
             ON CONFLICT (id) DO UPDATE SET file_inode = ?2, machine = ?3, copied = 0",
            params![ids.now_ms, inode, ids.machine],
        )
        .map_err(sql)?;
    journal::open_journal(&transaction, &ids.new_journal, ids.now_ms, reason).map_err(sql)?;
    transaction.commit().map_err(sql)?;
    Ok(reason)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_unsafe_sqlite_is_refused() {
        // Proves the gate against the WAL-reset bug: 3.51.2 is refused, the bundled library is not.
        assert!(matches!(
            gate_sqlite_version(3_051_002, "3.51.2"),
            Err(StoreError::UnsafeSqlite { .. })
        ));
        assert!(gate_sqlite_version(rusqlite::version_number(), rusqlite::version()).is_ok());
    }
}
