//! The database: one connection that writes, a few that read.
//!
//! Settings follow `sync-and-reliability` §4.3 of the project's reference, except `locking_mode`: `headoffice code`
//! and `headoffice backup` open the same file beside a running server, which an exclusive lock would forbid.
//! The WAL-reset fault that the exclusive lock guards against is fixed in SQLite 3.51.3, and older ones are refused.

mod migrate;

use crate::{clock::Clock, config::Config};
use chrono_tz::Tz;
use rusqlite::{Connection, OpenFlags, config::DbConfig};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};
use touchpoint::SigningKey;

/// The first SQLite without the WAL-reset corruption (sqlite.org/wal.html#walresetbug).
const SAFE_SQLITE: i32 = 3_051_003;
/// "ĐC" head office, as SQLite's `application_id`.
const APPLICATION_ID: i32 = 0x4443_4830;
/// Statements kept compiled for each connection: more than any part of the program uses.
const KEPT_STATEMENTS: usize = 64;
/// Connections kept open for reading.
const KEPT_READERS: usize = 4;

/// What went wrong with the database, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite reported an error.
    #[error("the database said: {0}; if it repeats, check the disk's free space and health")]
    Sqlite(#[from] rusqlite::Error),
    /// The data folder cannot be made or read.
    #[error("{path}: {source}; check that the folder exists and this user may write in it")]
    Folder {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// SQLite is one of the versions that can corrupt a database.
    #[error("SQLite {0} can corrupt databases; build with the bundled SQLite (3.51.3 or newer)")]
    UnsafeSqlite(i32),
    /// The file belongs to another program.
    #[error("{0} is not a head office database; choose another data folder")]
    Foreign(PathBuf),
    /// The file was made by a newer program.
    #[error(
        "the database has version {found}, this program knows up to {known}; update the program"
    )]
    Newer {
        /// The file's version.
        found: i32,
        /// The newest version this program knows.
        known: i32,
    },
    /// The operating system gave no random bytes.
    #[error("no random numbers from the operating system: {0}")]
    Random(getrandom::Error),
    /// A stored block no longer passes its own checks: the disk or a hand changed it.
    #[error(
        "stored block {id} is damaged ({what}); restore the database from a backup, kiosks will refill it"
    )]
    DamagedBlock {
        /// Its row.
        id: i64,
        /// The check that failed.
        what: String,
    },
}

/// The head office database and the few facts every part needs with it.
pub struct Store {
    path: PathBuf,
    writer: Mutex<Connection>,
    readers: Mutex<Vec<Connection>>,
    projecting: Mutex<()>,
    key: SigningKey,
    /// Where time comes from.
    pub clock: Clock,
    /// Time zone of business days.
    pub time_zone: Tz,
    /// Local hour after which a past day counts as late.
    pub late_after_hour: u32,
}

impl Store {
    /// Opens or makes the database in the configured folder and brings it to this program's version.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed when the file is foreign or newer.
    pub fn open(config: &Config) -> Result<Self, StoreError> {
        let version = rusqlite::version_number();
        if version < SAFE_SQLITE {
            return Err(StoreError::UnsafeSqlite(version));
        }
        make_private_folder(&config.data_dir)?;
        let path = config.data_dir.join("headoffice.sqlite");
        let mut writer = Connection::open(&path)?;
        restrict(&path)?;
        prepare(&writer)?;
        writer.pragma_update(None, "journal_mode", "WAL")?;
        migrate::migrate(&mut writer, &path, APPLICATION_ID)?;
        let key = identity(&writer)?;
        Ok(Self {
            path,
            writer: Mutex::new(writer),
            readers: Mutex::new(Vec::new()),
            projecting: Mutex::new(()),
            key,
            clock: config.clock.clone(),
            time_zone: config.time_zone,
            late_after_hour: config.late_after_hour,
        })
    }

    /// The one connection that writes. A panic while it was held cannot leave a half-done change:
    /// every change is a transaction that rolls back when dropped.
    pub fn writer(&self) -> MutexGuard<'_, Connection> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Held while blocks are read into tables, so that two readers do not parse the same blocks.
    pub(crate) fn projecting(&self) -> MutexGuard<'_, ()> {
        self.projecting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `read` on a connection that cannot write, without waiting for the writer.
    ///
    /// # Errors
    /// What `read` returns, or a failure to open the file.
    pub fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let kept = self
            .readers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        let connection = match kept {
            Some(connection) => connection,
            None => open_reader(&self.path)?,
        };
        // One snapshot for the whole page: figures that belong together come from the same moment.
        let snapshot = connection.unchecked_transaction()?;
        let result = read(&snapshot);
        snapshot.finish()?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < KEPT_READERS {
            readers.push(connection);
        }
        result
    }

    /// The database file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Head office's signing key.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Moves what is in the write-ahead log into the database file and shortens the log.
    ///
    /// # Errors
    /// A failure here is the disk's first word of trouble: SQLite may swallow it elsewhere (reference §0.5).
    pub fn checkpoint(&self) -> Result<(), StoreError> {
        let mode = "PRAGMA wal_checkpoint(PASSIVE)";
        Ok(self.writer().query_row(mode, [], |_| Ok(()))?)
    }

    /// Copies the whole database to `target` while the server works, then marks what is in the copy as safe.
    /// Kiosks may prune what is safe.
    ///
    /// # Errors
    /// [`StoreError`]; the mark is only set after the copy is complete, checked and flushed.
    pub fn backup(&self, target: &Path) -> Result<(), StoreError> {
        let folder = |source| StoreError::Folder {
            path: target.into(),
            source,
        };
        let partial = target.with_extension("partial");
        let heads = {
            let mut copy = Connection::open(&partial)?;
            restrict(&partial)?;
            let source = open_reader(&self.path)?;
            rusqlite::backup::Backup::new(&source, &mut copy)?.run_to_completion(
                256,
                std::time::Duration::ZERO,
                None,
            )?;
            // The copy inherits WAL mode; one file is easier to carry.
            copy.pragma_update(None, "journal_mode", "DELETE")?;
            let verdict: String = copy.query_row("PRAGMA quick_check", [], |row| row.get(0))?;
            if verdict != "ok" {
                return Err(folder(std::io::Error::other(verdict)));
            }
            heads_of(&copy)?
        };
        std::fs::File::open(&partial)
            .and_then(|file| file.sync_all())
            .map_err(folder)?;
        std::fs::rename(&partial, target).map_err(folder)?;
        if let Some(parent) = target
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            std::fs::File::open(parent)
                .and_then(|dir| dir.sync_all())
                .map_err(folder)?;
        }
        let mut writer = self.writer();
        let transaction = writer.transaction()?;
        for (device, journal, lane, upto) in heads {
            transaction.execute(
                "UPDATE head SET safe_upto = max(safe_upto, ?4) WHERE device = ?1 AND journal = ?2 AND lane = ?3",
                (device, journal, lane, upto),
            )?;
        }
        Ok(transaction.commit()?)
    }
}

fn heads_of(connection: &Connection) -> Result<Vec<(String, String, u8, i64)>, StoreError> {
    let mut statement =
        connection.prepare("SELECT device, journal, lane, next_seq - 1 FROM head")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    prepare(&connection)?;
    Ok(connection)
}

/// Reference §4.3. Durability is never traded: an acknowledged block survives a power cut.
fn prepare(connection: &Connection) -> Result<(), StoreError> {
    connection.set_prepared_statement_cache_capacity(KEPT_STATEMENTS);
    connection.busy_timeout(std::time::Duration::from_millis(5_000))?;
    for (name, value) in [
        ("synchronous", "FULL"),
        ("wal_autocheckpoint", "0"),
        ("journal_size_limit", "4194304"),
        ("mmap_size", "0"),
        ("cell_size_check", "ON"),
        ("trusted_schema", "OFF"),
        ("foreign_keys", "ON"),
        ("temp_store", "MEMORY"),
    ] {
        connection.pragma_update(None, name, value)?;
    }
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    Ok(())
}

fn identity(connection: &Connection) -> Result<SigningKey, StoreError> {
    let mut seed = [0_u8; 32];
    getrandom::fill(&mut seed).map_err(StoreError::Random)?;
    connection.execute(
        "INSERT OR IGNORE INTO identity (id, seed) VALUES (1, ?1)",
        [seed],
    )?;
    let seed: [u8; 32] = connection.query_row("SELECT seed FROM identity", [], |row| row.get(0))?;
    Ok(SigningKey::from_bytes(&seed))
}

fn make_private_folder(path: &Path) -> Result<(), StoreError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|source| StoreError::Folder {
        path: path.into(),
        source,
    })
}

/// The file holds head office's key: nobody else on the machine may read it.
fn restrict(path: &Path) -> Result<(), StoreError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).map_err(
            |source| StoreError::Folder {
                path: path.into(),
                source,
            },
        )?;
    }
    Ok(())
}
