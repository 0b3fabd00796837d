//! The catalogue's own file: built complete beside the database, checked, renamed into place, never changed again.
//!
//! Building takes no lock of the store, so a shop of 100,000 items is imported while the till sells; putting it to
//! use is one small transaction. The catalogue before stays on disk for roll-back.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, params};

use crate::catalogue::Entry;

use super::backup::sync_folder;
use super::catalogue_build::{Built, bodies, write_file};
use super::engine::Engine;
use super::error::StoreError;
use super::health::StorageHealth;
use super::search::Vocabulary;

/// `application_id` of a catalogue file: "TPKC".
pub(super) const APPLICATION_ID: i64 = 0x5450_4b43;
/// Layout of the file; another layout is built anew from the entries it holds.
pub(super) const LAYOUT: i64 = 2;

/// What putting a catalogue to use changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its file name.
    pub file: String,
    /// Items in it.
    pub items: u64,
}

/// The catalogue in use.
pub(super) struct Catalogue {
    pub(super) connection: Connection,
    path: PathBuf,
    items: u64,
    pub(super) vocabulary: Option<Vocabulary>,
    /// Rows of what sells best, for the ranking of short queries.
    pub(super) best: Vec<i64>,
}

impl Catalogue {
    /// Opens a catalogue file for reading and checks that it is one of this layout.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let bad = |what: String| StoreError::Catalogue {
            path: path.to_path_buf(),
            what,
        };
        let sql = |error: rusqlite::Error| bad(error.to_string());
        if !path.is_file() {
            return Err(bad("the file is missing".into()));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
            | OpenFlags::SQLITE_OPEN_NO_MUTEX
            | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(uri(path), flags).map_err(sql)?;
        connection
            .execute_batch(
                "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0; PRAGMA cache_size = -6144;",
            )
            .map_err(sql)?;
        connection.set_prepared_statement_cache_capacity(64);
        let read = |name: &str| {
            connection
                .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
                .map_err(sql)
        };
        if read("application_id")? != APPLICATION_ID {
            return Err(bad("it is not a catalogue".into()));
        }
        if read("user_version")? != LAYOUT {
            return Err(bad("it was built by another version of the program".into()));
        }
        let items: i64 = connection
            .query_row(
                "SELECT coalesce((SELECT row FROM item ORDER BY row DESC LIMIT 1), 0)",
                [],
                |row| row.get(0),
            )
            .map_err(sql)?;
        let items = super::journal::u64_of(items);
        Ok(Self {
            connection,
            path: path.to_path_buf(),
            items,
            vocabulary: None,
            best: Vec::new(),
        })
    }

    /// Items in it.
    pub(super) fn items(&self) -> u64 {
        self.items
    }

    /// Its file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn sql(&self, error: &rusqlite::Error) -> StoreError {
        StoreError::Catalogue {
            path: self.path.clone(),
            what: error.to_string(),
        }
    }

    pub(super) fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        read_entries(&self.connection).map_err(|error| self.sql(&error))
    }
}

/// `file:` URI of an immutable file, with what a URI must escape escaped.
fn uri(path: &Path) -> String {
    let mut text = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'?' | b'#' | b'%' | b' ' | 0x80.. => text.push_str(&format!("%{byte:02X}")),
            _ => text.push(char::from(byte)),
        }
    }
    text + "?mode=ro&immutable=1"
}

fn read_entries(connection: &Connection) -> rusqlite::Result<Vec<Entry>> {
    let mut statement = connection.prepare("SELECT body FROM item ORDER BY row")?;
    let rows = statement.query_map([], |row| {
        let body: String = row.get(0)?;
        serde_json::from_str(&body)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    })?;
    rows.collect()
}

impl Engine {
    /// Opens the catalogue in use, or the one before it when that cannot be opened; another layout is built anew.
    pub(super) fn open_catalogue(&mut self) {
        self.catalogue = None;
        let slots = self.catalogue_slots();
        if slots.is_empty() {
            self.catalogue = self.adopt_catalogue();
            self.refresh_best();
            return;
        }
        self.remove_strays(&slots);
        let mut trouble = Vec::new();
        for (slot, file) in slots {
            let path = self.folder().join(&file);
            match Catalogue::open(&path).or_else(|error| self.build_anew(&path, error)) {
                Ok(catalogue) => {
                    if slot == "previous" {
                        self.notices
                            .push(StorageHealth::CatalogueRolledBack(trouble.join("; ")));
                    }
                    self.catalogue = Some(catalogue);
                    self.refresh_best();
                    return;
                }
                Err(error) => trouble.push(error.to_string()),
            }
        }
        if !trouble.is_empty() {
            self.notices
                .push(StorageHealth::CatalogueLost(trouble.join("; ")));
        }
    }

    fn catalogue_slots(&self) -> Vec<(String, String)> {
        let read = || -> rusqlite::Result<Vec<(String, String)>> {
            let mut statement = self
                .connection
                .prepare("SELECT slot, file FROM catalogue ORDER BY slot")?;
            statement
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        };
        read().unwrap_or_default()
    }

    pub(super) fn folder(&self) -> PathBuf {
        let folder = self
            .config
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        folder.unwrap_or(Path::new(".")).to_path_buf()
    }

    /// A file of another layout still holds every entry: it is built again under the same name.
    fn build_anew(&self, path: &Path, error: StoreError) -> Result<Catalogue, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let entries =
            Connection::open_with_flags(uri(path), flags).and_then(|old| read_entries(&old));
        let Ok(entries) = entries else {
            return Err(error);
        };
        let partial = path.with_extension("partial");
        let sql = |error: rusqlite::Error| StoreError::from_sqlite(path, &error);
        let sold = |code: &str| self.sold.get(code).copied().unwrap_or(0);
        write_file(
            &partial,
            &entries,
            &bodies(&entries)?,
            &sold,
            &mut |_, _| {},
        )
        .map_err(sql)?;
        let io = |error: std::io::Error| StoreError::from_io(path, &error);
        fs::File::open(&partial)
            .and_then(|file| file.sync_all())
            .map_err(io)?;
        fs::rename(&partial, path)
            .and_then(|()| sync_folder(path))
            .map_err(io)?;
        Catalogue::open(path)
    }

    /// Puts a built catalogue to use in one small transaction; the one before is kept, older ones are deleted.
    ///
    /// # Errors
    /// [`StoreError::Catalogue`] when the file cannot be opened: the catalogue in use stays.
    pub fn use_catalogue(
        &mut self,
        built: &Built,
        source: &str,
        now_ms: i64,
    ) -> Result<Applied, StoreError> {
        let opened = Catalogue::open(&self.folder().join(&built.file))?;
        let in_use = self
            .catalogue
            .as_ref()
            .is_some_and(|catalogue| catalogue.path() == opened.path());
        let items = super::journal::i64_of(opened.items());
        let before = self.catalogue_slots();
        self.transact(|transaction| {
            if !in_use {
                transaction.execute("DELETE FROM catalogue WHERE slot = 'previous'", [])?;
                transaction.execute(
                    "UPDATE catalogue SET slot = 'previous' WHERE slot = 'current'",
                    [],
                )?;
            }
            transaction.execute(
                "INSERT OR REPLACE INTO catalogue (slot, file, items, built_ms, source)
                 VALUES ('current', ?1, ?2, ?3, ?4)",
                params![built.file, items, now_ms, source],
            )?;
            Ok(())
        })?;
        self.catalogue = Some(opened);
        self.refresh_best();
        let after = self.catalogue_slots();
        for (_, file) in before
            .iter()
            .filter(|(_, file)| !after.iter().any(|(_, kept)| kept == file))
        {
            let _ = fs::remove_file(self.folder().join(file));
        }
        Ok(Applied {
            file: built.file.clone(),
            items: built.items,
        })
    }

    /// The catalogue in use proved unhealthy: the one before it is used again. `None` when there is none.
    ///
    /// # Errors
    /// When the one before cannot be opened either.
    pub fn roll_back_catalogue(&mut self) -> Result<Option<Applied>, StoreError> {
        let slots = self.catalogue_slots();
        let of = |wanted: &str| {
            slots
                .iter()
                .find(|(slot, _)| slot == wanted)
                .map(|(_, file)| file.clone())
        };
        let Some(file) = of("previous") else {
            return Ok(None);
        };
        let opened = Catalogue::open(&self.folder().join(&file))?;
        self.transact(|transaction| {
            transaction.execute("DELETE FROM catalogue WHERE slot = 'current'", [])?;
            transaction.execute(
                "UPDATE catalogue SET slot = 'current' WHERE slot = 'previous'",
                [],
            )
        })?;
        let items = opened.items();
        self.catalogue = Some(opened);
        self.refresh_best();
        if let Some(unhealthy) = of("current") {
            let _ = fs::remove_file(self.folder().join(unhealthy));
        }
        Ok(Some(Applied { file, items }))
    }

    /// Catalogue files in the folder, and half-built ones.
    fn catalogue_files(&self) -> Vec<PathBuf> {
        let files = fs::read_dir(self.folder())
            .into_iter()
            .flatten()
            .flatten()
            .map(|file| file.path());
        let ours = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("catalogue-") && (name.ends_with(".db") || name.ends_with(".partial"))
        };
        files.filter(ours).collect()
    }

    /// Removes files no slot names: built but never put to use, or cut off half-way. Only when opening, before
    /// anyone builds.
    fn remove_strays(&self, slots: &[(String, String)]) {
        for path in self.catalogue_files() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if !slots.iter().any(|(_, file)| *file == name) {
                let _ = fs::remove_file(path);
            }
        }
    }

    /// A new database in an old folder (the damaged one was set aside) goes on with the newest catalogue there.
    fn adopt_catalogue(&mut self) -> Option<Catalogue> {
        let age = |path: &PathBuf| {
            fs::metadata(path)
                .and_then(|metadata| metadata.modified())
                .ok()
        };
        let mut files = self.catalogue_files();
        files.sort_by_key(age);
        let found = files
            .iter()
            .rev()
            .find_map(|path| Catalogue::open(path).ok())?;
        let name = found
            .path()
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let items = super::journal::i64_of(found.items());
        let adopted = self.transact(|transaction| {
            transaction.execute(
                "INSERT INTO catalogue (slot, file, items, built_ms, source) VALUES ('current', ?1, ?2, 0, 'adopted')",
                params![name, items],
            )
        });
        adopted.ok().map(|_| found)
    }
}
