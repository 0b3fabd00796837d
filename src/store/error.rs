//! What can go wrong with the kiosk's database, in words a shop can act on.

use std::path::{Path, PathBuf};

use rusqlite::ffi::ErrorCode;

/// Why the store could not do what it was asked.
///
/// Every message says what failed, and what a person should do; [`StoreError::retry_helps`] says whether asking again
/// can work. Nothing of the request was written when an error comes back: a request is one transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The folder of the database is not there, or is not a folder.
    #[error(
        "the data folder {} does not exist: create it and make the kiosk's user its owner, or correct [store] dir in the configuration", .0.display()
    )]
    MissingDirectory(PathBuf),
    /// The file or the medium refuses writing.
    #[error(
        "{} cannot be written: give the kiosk's user write permission, or replace the medium if it has turned itself read-only", .0.display()
    )]
    ReadOnly(PathBuf),
    /// The medium is full.
    #[error(
        "the disk under {} is full: delete files that are not the kiosk's own, never the database", .0.display()
    )]
    Full(PathBuf),
    /// The content contradicts itself: pages, checksums, chain or counters.
    #[error(
        "{} is damaged ({what}): keep the file, call support, and restore the last backup meanwhile", path.display()
    )]
    Damaged {
        /// The file in question.
        path: PathBuf,
        /// What was found, in one clause.
        what: String,
    },
    /// A newer program wrote this database.
    #[error(
        "{} was written by a newer kiosk program (schema {found}, this program knows {known}): install the newer program again", path.display()
    )]
    Newer {
        /// The file in question.
        path: PathBuf,
        /// Schema version in the file.
        found: i64,
        /// Newest schema version this program knows.
        known: i64,
    },
    /// The file belongs to something else.
    #[error(
        "{} is not a kiosk database: correct [store] dir in the configuration, the file was left as it is", .0.display()
    )]
    Foreign(PathBuf),
    /// Another process holds the database.
    #[error(
        "{} is in use by another process: stop the other kiosk program (`systemctl stop kiosk`) and try again", .0.display()
    )]
    Locked(PathBuf),
    /// The request queue is full; the caller still holds its request.
    #[error(
        "the store is busy: wait a moment and try again; if it stays busy the disk is too slow"
    )]
    Busy,
    /// The store thread has ended.
    #[error("the store has been closed: start the kiosk again")]
    Closed,
    /// The linked SQLite has the WAL-reset bug (sync-and-reliability.md §0.4).
    #[error(
        "SQLite {found} can corrupt a database (fixed in 3.51.3): build the kiosk with its bundled SQLite"
    )]
    UnsafeSqlite {
        /// Version text of the linked library.
        found: String,
    },
    /// The medium failed while reading or writing.
    #[error(
        "reading or writing {} failed ({what}): the medium may be dying; check it and its cable, back up, and replace it", path.display()
    )]
    Io {
        /// The file in question.
        path: PathBuf,
        /// The system's words.
        what: String,
    },
    /// The saved state of the till cannot be read by this program.
    #[error(
        "the saved state of the till cannot be read ({0}): do not sell; call support, money may still be in doubt"
    )]
    UnreadableState(String),
    /// A request contradicts what is stored (a programming error of the caller, not of the data).
    #[error(
        "the store refused a request that contradicts what is stored ({0}): report this with the log"
    )]
    Refused(String),
    /// A catalogue could not be built or opened.
    #[error("the catalogue {} cannot be used ({what}): import it again", path.display())]
    Catalogue {
        /// The catalogue file.
        path: PathBuf,
        /// What was found.
        what: String,
    },
}

impl StoreError {
    /// Whether the same request can succeed later without a person doing anything.
    #[must_use]
    pub fn retry_helps(&self) -> bool {
        matches!(self, Self::Busy | Self::Locked(_))
    }

    /// Whether this program must not take money until a person has looked.
    #[must_use]
    pub fn stops_selling(&self) -> bool {
        !matches!(self, Self::Busy | Self::Refused(_) | Self::Catalogue { .. })
    }

    /// What the till is told.
    #[must_use]
    pub fn fault(&self) -> checkout::till::StoreFault {
        use checkout::till::StoreFault;
        match self {
            Self::Full(_) => StoreFault::Full,
            Self::ReadOnly(_) => StoreFault::ReadOnly,
            Self::Busy | Self::Locked(_) => StoreFault::Busy,
            _ => StoreFault::Broken,
        }
    }

    /// Translates what SQLite said about the database at `path`.
    pub(super) fn from_sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let path = path.to_path_buf();
        let rusqlite::Error::SqliteFailure(failure, message) = error else {
            return Self::Refused(error.to_string());
        };
        let what = message.clone().unwrap_or_else(|| failure.to_string());
        match failure.code {
            ErrorCode::DiskFull => Self::Full(path),
            ErrorCode::ReadOnly
            | ErrorCode::PermissionDenied
            | ErrorCode::AuthorizationForStatementDenied => Self::ReadOnly(path),
            ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Self::Damaged { path, what },
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed => Self::Locked(path),
            ErrorCode::SystemIoFailure | ErrorCode::CannotOpen => Self::Io { path, what },
            _ => Self::Refused(what),
        }
    }

    /// Translates what the operating system said about `path`.
    pub(super) fn from_io(path: &Path, error: &std::io::Error) -> Self {
        let path = path.to_path_buf();
        match error.kind() {
            std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly(path)
            }
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::Full(path),
            _ => Self::Io {
                path,
                what: error.to_string(),
            },
        }
    }
}
