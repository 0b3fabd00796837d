//! A second copy, and putting a damaged database aside.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::engine::Engine;
use super::error::StoreError;

/// Pages copied in one step.
const PAGES: i32 = 512;

impl Engine {
    /// Writes a complete, checked copy of the database to `target` (which must not exist), and copies the catalogue
    /// beside it. The copy knows that it is one: opened on a kiosk, it starts a new journal, so no sequence number
    /// is ever given twice.
    ///
    /// # Errors
    /// When the target cannot be written; a partial copy never gets the final name.
    pub fn backup(&mut self, target: &Path) -> Result<(), StoreError> {
        self.reopen_if_failed()?;
        if target.exists() {
            return Err(StoreError::Refused(format!(
                "{} is already there",
                target.display()
            )));
        }
        let partial = target.with_extension("partial");
        let _ = fs::remove_file(&partial);
        let sql = |error: rusqlite::Error| StoreError::from_sqlite(&partial, &error);
        let io = |error: std::io::Error| StoreError::from_io(&partial, &error);
        let mut copy = Connection::open(&partial).map_err(sql)?;
        {
            let backup = Backup::new(&self.connection, &mut copy).map_err(sql)?;
            while backup.step(PAGES).map_err(sql)? != StepResult::Done {}
        }
        copy.execute_batch("PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL; UPDATE identity SET copied = 1;")
            .map_err(sql)?;
        let verdict: String = copy
            .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
            .map_err(sql)?;
        if verdict != "ok" {
            return Err(StoreError::Damaged {
                path: partial,
                what: verdict,
            });
        }
        copy.close().map_err(|(_, error)| sql(error))?;
        if let Some(catalogue) = &self.catalogue {
            let name = catalogue.path().file_name().unwrap_or_default();
            fs::copy(catalogue.path(), target.with_file_name(name)).map_err(io)?;
        }
        fs::File::open(&partial)
            .and_then(|file| file.sync_all())
            .map_err(io)?;
        fs::rename(&partial, target).map_err(io)?;
        sync_folder(target).map_err(io)
    }
}

/// Makes a rename in `path`'s folder durable.
pub(super) fn sync_folder(path: &Path) -> std::io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

/// Moves a damaged database and its log aside, byte for byte, so that a new one can be opened in its place; nothing
/// is ever deleted. Returns where it went. The store must not be open.
///
/// # Errors
/// When a file cannot be moved.
pub fn set_aside(database: &Path, now_ms: i64) -> Result<PathBuf, StoreError> {
    let io = |error: std::io::Error| StoreError::from_io(database, &error);
    let folder = database.with_extension(format!("damaged-{now_ms}"));
    fs::create_dir(&folder).map_err(io)?;
    for suffix in ["-wal", "-journal", ""] {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        let from = PathBuf::from(name);
        if let (true, Some(name)) = (from.exists(), from.file_name()) {
            fs::rename(&from, folder.join(name)).map_err(io)?;
        }
    }
    sync_folder(database).map_err(io)?;
    Ok(folder)
}
