//! What a kill leaves on the disk, byte by byte.

use std::path::{Path, PathBuf};

/// The bytes of the database as a kill leaves them.
#[derive(Clone)]
pub(super) struct Image {
    database: Vec<u8>,
    pub(super) log: Vec<u8>,
}

pub(super) fn log_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

pub(super) fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |file| file.len())
}

impl Image {
    pub(super) fn read(database: &Path) -> Self {
        Self {
            database: std::fs::read(database).unwrap(),
            log: std::fs::read(log_of(database)).unwrap_or_default(),
        }
    }

    /// Into the same file: another one would be another journal.
    pub(super) fn put_back(&self, database: &Path) {
        std::fs::write(database, &self.database).unwrap();
        std::fs::write(log_of(database), &self.log).unwrap();
    }
}

/// Where the writes of one commit can be cut: within and behind each page of the log, before the last.
pub(super) fn cuts(before: u64, after: u64) -> Vec<u64> {
    const FRAME: u64 = 24 + 4096;
    let mut cuts = Vec::new();
    let mut at = before;
    while at < after {
        cuts.push(at + (after - at).min(FRAME) / 2);
        at = (at + FRAME).min(after);
        if at < after {
            cuts.push(at);
        }
    }
    cuts
}

/// Completed sales, as rows.
pub(super) fn sale_rows(database: &Path) -> usize {
    let database = rusqlite::Connection::open(database).unwrap();
    let rows = database.query_row("SELECT count(*) FROM sale", [], |row| row.get::<_, i64>(0));
    usize::try_from(rows.unwrap()).unwrap()
}
