//! The catalogue's own file: built complete beside the database, checked, renamed into place, never changed again.
//!
//! Building takes no lock of the store, so a shop of 100,000 items is imported while the till sells; putting it to
//! use is one small transaction. The catalogue before stays on disk for roll-back.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension, Row, params};
use sha2::{Digest, Sha256};

use crate::catalogue::Entry;
use crate::catalogue::fold::{barcode_key, fold};
use checkout::{Item, ItemId};

use super::Store;
use super::backup::sync_folder;
use super::engine::Engine;
use super::error::StoreError;
use super::health::StorageHealth;
use super::search::Vocabulary;

/// `application_id` of a catalogue file: "TPKC".
const APPLICATION_ID: i64 = 0x5450_4b43;
/// Layout of the file; another layout is built anew from the entries it holds.
const LAYOUT: i64 = 1;

/// The tables of a catalogue file. `row` counts items in their standing order: best sellers first, then as ranked,
/// then by name; so "the first rows" is always the right page.
const SCHEMA: &str = "
CREATE TABLE item (
    row       INTEGER PRIMARY KEY,
    item_id   INTEGER NOT NULL UNIQUE,
    code      TEXT    NOT NULL UNIQUE,
    sellable  INTEGER NOT NULL,
    category  INTEGER NOT NULL,
    name      TEXT    NOT NULL,
    folded    TEXT    NOT NULL,
    other     TEXT    NOT NULL,
    body      TEXT    NOT NULL
) STRICT;
CREATE TABLE category (category INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, items INTEGER NOT NULL) STRICT;
CREATE TABLE barcode (key TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (key, row)) STRICT, WITHOUT ROWID;
CREATE TABLE word (word TEXT PRIMARY KEY, items INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5(words, content='', detail='none', columnsize=0, prefix='1 2 3',
                                       tokenize='ascii');
";

/// A found item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The item.
    pub item: Item,
    /// False: it is known, but has no price or is switched off.
    pub sellable: bool,
}

/// A category with something to sell in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Category {
    /// Its name.
    pub name: String,
    /// Items for sale in it.
    pub items: u64,
}

/// What to do with the catalogue in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildMode {
    /// The new one takes its place.
    Replace,
    /// Items with a code that is already there are replaced, others are added, none is removed.
    Merge,
}

/// A catalogue file that was built and checked, not yet in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Built {
    /// Its name, from its content: the same content gives the same name.
    pub file: String,
    /// Items in it.
    pub items: u64,
}

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

/// Builds a catalogue file from `entries` in `folder`. `sold` says how often a code was sold lately; `progress` is
/// called now and then with (done, all) entries. May run on any thread.
///
/// # Errors
/// [`StoreError::Refused`] for two entries with one code; disk errors. Nothing is left behind then.
pub fn build(
    folder: &Path,
    entries: &[Entry],
    sold: &dyn Fn(&str) -> u32,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Built, StoreError> {
    let bodies = bodies(entries)?;
    let file = file_name(&bodies);
    let path = folder.join(&file);
    if Catalogue::open(&path).is_ok() {
        return Ok(Built {
            file,
            items: entries.len() as u64,
        });
    }
    let partial = path.with_extension("partial");
    let outcome = write_file(&partial, entries, &bodies, sold, progress)
        .map_err(|error| match StoreError::from_sqlite(&partial, &error) {
            StoreError::Refused(what) => {
                StoreError::Refused(format!("two items with one code or identity: {what}"))
            }
            other => other,
        })
        .and_then(|()| {
            let io = |error: std::io::Error| StoreError::from_io(&partial, &error);
            fs::File::open(&partial)
                .and_then(|file| file.sync_all())
                .map_err(io)?;
            Catalogue::open(&partial)?;
            fs::rename(&partial, &path)
                .and_then(|()| sync_folder(&path))
                .map_err(io)
        });
    if outcome.is_err() {
        let _ = fs::remove_file(&partial);
    }
    outcome.map(|()| Built {
        file,
        items: entries.len() as u64,
    })
}

fn bodies(entries: &[Entry]) -> Result<Vec<String>, StoreError> {
    let encode = |entry| {
        serde_json::to_string(entry).map_err(|error| StoreError::Refused(error.to_string()))
    };
    entries.iter().map(encode).collect()
}

fn file_name(bodies: &[String]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(LAYOUT.to_be_bytes());
    for body in bodies {
        hasher.update(body.as_bytes());
        hasher.update(b"\n");
    }
    let digest: [u8; 32] = hasher.finalize().into();
    format!("catalogue-{}.db", touchpoint::hex::encode(&digest[..12]))
}

/// The order of rows: what sells, then what the shop ranked, then by folded name.
fn standing_order(entries: &[Entry], folded: &[String], sold: &dyn Fn(&str) -> u32) -> Vec<usize> {
    let mut order: Vec<usize> = (0..entries.len()).collect();
    let sold: Vec<u32> = entries.iter().map(|entry| sold(&entry.item.code)).collect();
    let rank = |index: usize| entries[index].rank.wrapping_sub(1);
    order.sort_by(|&a, &b| {
        sold[b]
            .cmp(&sold[a])
            .then(rank(a).cmp(&rank(b)))
            .then_with(|| folded[a].cmp(&folded[b]))
            .then(a.cmp(&b))
    });
    order
}

fn write_file(
    path: &Path,
    entries: &[Entry],
    bodies: &[String],
    sold: &dyn Fn(&str) -> u32,
    progress: &mut dyn FnMut(usize, usize),
) -> rusqlite::Result<()> {
    let _ = fs::remove_file(path);
    let mut connection = Connection::open(path)?;
    // Nobody else sees the file before it is complete, checked and renamed: a journal would only cost time.
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;",
    )?;
    let transaction = connection.transaction()?;
    transaction.execute_batch(SCHEMA)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", LAYOUT)?;
    let folded: Vec<String> = entries.iter().map(|entry| fold(&entry.item.name)).collect();
    let order = standing_order(entries, &folded, sold);
    let mut writer = Writer {
        transaction: &transaction,
        categories: Vec::new(),
        words: Default::default(),
    };
    for (row, &index) in order.iter().enumerate() {
        writer.entry(
            row as i64 + 1,
            &entries[index],
            &folded[index],
            &bodies[index],
        )?;
        if row % 1000 == 0 {
            progress(row, entries.len());
        }
    }
    writer.finish()?;
    transaction.execute("INSERT INTO search (search) VALUES ('optimize')", [])?;
    transaction.commit()?;
    connection.execute_batch("ANALYZE;")?;
    progress(entries.len(), entries.len());
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if verdict != "ok" {
        return Err(rusqlite::Error::ToSqlConversionFailure(verdict.into()));
    }
    connection.close().map_err(|(_, error)| error)
}

struct Writer<'c> {
    transaction: &'c Connection,
    categories: Vec<(String, u64)>,
    words: std::collections::HashMap<String, u32>,
}

impl Writer<'_> {
    fn entry(&mut self, row: i64, entry: &Entry, folded: &str, body: &str) -> rusqlite::Result<()> {
        let item = &entry.item;
        let mut other: Vec<String> = item.names.values().map(|name| fold(name)).collect();
        other.extend([&item.code, &item.category, &entry.keywords].map(|text| fold(text)));
        other.retain(|text| !text.is_empty());
        let other = other.join(" ");
        let category = self.category(&item.category, entry.sellable());
        self.transaction
            .prepare_cached(
                "INSERT INTO item (row, item_id, code, sellable, category, name, folded, other, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                row,
                item.id.0,
                item.code,
                entry.sellable(),
                category,
                item.name,
                folded,
                other,
                body
            ])?;
        let mut add = self
            .transaction
            .prepare_cached("INSERT OR IGNORE INTO barcode (key, row) VALUES (?1, ?2)")?;
        for code in &entry.barcodes {
            add.execute(params![barcode_key(code), row])?;
        }
        if entry.sellable() {
            self.transaction
                .prepare_cached("INSERT INTO search (rowid, words) VALUES (?1, ?2)")?
                .execute(params![row, format!("{folded} {other}")])?;
            for word in folded
                .split(' ')
                .chain(other.split(' '))
                .filter(|word| word.len() > 1)
            {
                match self.words.get_mut(word) {
                    Some(items) => *items += 1,
                    None => {
                        self.words.insert(word.to_owned(), 1);
                    }
                }
            }
        }
        Ok(())
    }

    fn category(&mut self, name: &str, sellable: bool) -> i64 {
        let position = self.categories.iter().position(|(known, _)| known == name);
        let index = position.unwrap_or_else(|| {
            self.categories.push((name.to_owned(), 0));
            self.categories.len() - 1
        });
        self.categories[index].1 += u64::from(sellable);
        super::journal::i64_of(index as u64)
    }

    fn finish(self) -> rusqlite::Result<()> {
        let mut add = self
            .transaction
            .prepare("INSERT INTO category (category, name, items) VALUES (?1, ?2, ?3)")?;
        for (index, (name, items)) in (0_i64..).zip(&self.categories) {
            add.execute(params![index, name, super::journal::i64_of(*items)])?;
        }
        let mut words: Vec<_> = self.words.into_iter().collect();
        words.sort_unstable();
        let mut add = self
            .transaction
            .prepare("INSERT INTO word (word, items) VALUES (?1, ?2)")?;
        for (word, items) in words {
            add.execute(params![word, items])?;
        }
        self.transaction.execute_batch(
            "CREATE INDEX item_by_category ON item (category, row) WHERE sellable = 1;",
        )
    }
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
                "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;",
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

    fn entries(&self) -> Result<Vec<Entry>, StoreError> {
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

/// Reads (body, sellable) into a [`Found`].
pub(super) fn found_of(row: &Row<'_>) -> rusqlite::Result<Found> {
    let body: String = row.get(0)?;
    let entry: Entry = serde_json::from_str(&body)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    Ok(Found {
        item: entry.item,
        sellable: row.get(1)?,
    })
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

    fn folder(&self) -> PathBuf {
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

    /// Every entry of the catalogue in use, in standing order.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn entries(&self) -> Result<Vec<Entry>, StoreError> {
        self.catalogue
            .as_ref()
            .map_or_else(|| Ok(Vec::new()), Catalogue::entries)
    }

    /// Items one of `candidates` stands for: the first candidate that is anyone's barcode decides; if none is,
    /// the first that is anyone's code. Several items mean the code is ambiguous.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn lookup(&self, candidates: &[String]) -> Result<Vec<Found>, StoreError> {
        let by_barcode =
            "SELECT i.body, i.sellable FROM barcode b JOIN item i ON i.row = b.row WHERE b.key = ?1
                          ORDER BY i.sellable DESC, i.row LIMIT 20";
        let by_code = "SELECT body, sellable FROM item WHERE code = ?1";
        for (query, key) in [
            (by_barcode, barcode_key as fn(&str) -> String),
            (by_code, |code| code.trim().to_owned()),
        ] {
            for candidate in candidates {
                let found = self.select(query, params![key(candidate)])?;
                if !found.is_empty() {
                    return Ok(found);
                }
            }
        }
        Ok(Vec::new())
    }

    /// The item with this identity.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn item(&self, id: ItemId) -> Result<Option<Found>, StoreError> {
        Ok(self
            .select(
                "SELECT body, sellable FROM item WHERE item_id = ?1",
                params![id.0],
            )?
            .pop())
    }

    /// Categories that have something to sell, in standing order.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn categories(&self) -> Result<Vec<Category>, StoreError> {
        let Some(catalogue) = &self.catalogue else {
            return Ok(Vec::new());
        };
        let read = || -> rusqlite::Result<Vec<Category>> {
            let mut statement = catalogue.connection.prepare_cached(
                "SELECT name, items FROM category WHERE items > 0 AND name <> '' ORDER BY category",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(Category {
                    name: row.get(0)?,
                    items: super::journal::u64_of(row.get(1)?),
                })
            })?;
            rows.collect()
        };
        read().map_err(|error| catalogue.sql(&error))
    }

    /// A page of what is for sale in `category`, in standing order.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn items_of(
        &self,
        category: &str,
        offset: u32,
        limit: u32,
    ) -> Result<Vec<Found>, StoreError> {
        self.select(
            "SELECT body, sellable FROM item
             WHERE sellable = 1 AND category = (SELECT category FROM category WHERE name = ?1)
             ORDER BY row LIMIT ?3 OFFSET ?2",
            params![category, offset, limit],
        )
    }

    /// What sells best, then what the shop ranked first, at most `limit`.
    ///
    /// # Errors
    /// When the catalogue cannot be read.
    pub fn top_sellers(&mut self, limit: u32) -> Result<Vec<Found>, StoreError> {
        self.refresh_best();
        let best = self
            .catalogue
            .as_ref()
            .map_or(&[][..], |catalogue| &catalogue.best);
        let mut rows: Vec<i64> = best.iter().copied().take(limit as usize).collect();
        let first: Vec<i64> = (1..=i64::from(limit) * 2)
            .filter(|row| !rows.contains(row))
            .collect();
        rows.extend(first);
        let mut found = Vec::new();
        for row in rows {
            if found.len() >= limit as usize {
                break;
            }
            found.extend(self.select(
                "SELECT body, sellable FROM item WHERE row = ?1 AND sellable = 1",
                params![row],
            )?);
        }
        Ok(found)
    }

    pub(super) fn select(
        &self,
        query: &str,
        values: impl rusqlite::Params,
    ) -> Result<Vec<Found>, StoreError> {
        let Some(catalogue) = &self.catalogue else {
            return Ok(Vec::new());
        };
        let read = || -> rusqlite::Result<Vec<Found>> {
            let mut statement = catalogue.connection.prepare_cached(query)?;
            statement.query_map(values, found_of)?.collect()
        };
        read().map_err(|error| catalogue.sql(&error))
    }

    /// Finds the rows of what sold best lately.
    pub(super) fn refresh_best(&mut self) {
        let Some(catalogue) = &mut self.catalogue else {
            return;
        };
        let mut sold: Vec<(&String, u32)> = self
            .sold
            .iter()
            .map(|(code, times)| (code, *times))
            .collect();
        sold.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let row_of = |code: &String| {
            let mut statement = catalogue
                .connection
                .prepare_cached("SELECT row FROM item WHERE code = ?1 AND sellable = 1")
                .ok()?;
            statement
                .query_row([code], |row| row.get::<_, i64>(0))
                .optional()
                .ok()
                .flatten()
        };
        catalogue.best = sold
            .into_iter()
            .take(200)
            .filter_map(|(code, _)| row_of(code))
            .collect();
    }
}

impl Store {
    /// Builds a catalogue from `entries` on this thread and puts it to use. Waits; not for the screen's thread.
    /// Selling goes on meanwhile. `progress` gets (done, all).
    ///
    /// # Errors
    /// As [`build`] and [`Engine::use_catalogue`]; the catalogue in use stays then.
    pub fn set_catalogue(
        &self,
        entries: Vec<Entry>,
        mode: BuildMode,
        source: &str,
        now_ms: i64,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Applied, StoreError> {
        let (folder, sold, in_use) = self.call(|engine| {
            let path = engine
                .catalogue
                .as_ref()
                .map(|catalogue| catalogue.path().to_path_buf());
            Ok((engine.folder(), engine.sold.clone(), path))
        })?;
        let entries = match (mode, in_use) {
            (BuildMode::Merge, Some(path)) => merged(Catalogue::open(&path)?.entries()?, entries),
            _ => entries,
        };
        let sold = move |code: &str| sold.get(code).copied().unwrap_or(0);
        let built = build(&folder, &entries, &sold, progress)?;
        let source = source.to_owned();
        self.call(move |engine| engine.use_catalogue(&built, &source, now_ms))
    }
}

/// `new` over `old`, by code.
fn merged(old: Vec<Entry>, new: Vec<Entry>) -> Vec<Entry> {
    let codes: std::collections::HashSet<String> =
        new.iter().map(|entry| entry.item.code.clone()).collect();
    let mut entries: Vec<Entry> = old
        .into_iter()
        .filter(|entry| !codes.contains(&entry.item.code))
        .collect();
    entries.extend(new);
    entries
}
