//! Building a catalogue file: complete, checked, and only then renamed into place.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::{Connection, params};
use sha2::{Digest, Sha256};

use crate::catalogue::Entry;
use crate::catalogue::fold::{barcode_key, fold};

use super::Store;
use super::backup::sync_folder;
use super::catalogue_file::{APPLICATION_ID, Applied, Catalogue, LAYOUT};
use super::error::StoreError;

/// The tables of a catalogue file. `row` counts items in their standing order: best sellers first, then as ranked,
/// then by name; so "the first rows" is always the right page. `label` holds what ranking a search reads, of items that
/// can be sold, packed apart from the bodies so that a search touches few pages. `names` of a category is a JSON object:
/// its name by language code, from the first entry that has one.
const SCHEMA: &str = "
CREATE TABLE item (
    row       INTEGER PRIMARY KEY,
    item_id   INTEGER NOT NULL UNIQUE,
    code      TEXT    NOT NULL UNIQUE,
    sellable  INTEGER NOT NULL,
    category  INTEGER NOT NULL,
    body      TEXT    NOT NULL
) STRICT;
CREATE TABLE label (row INTEGER PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL, other TEXT NOT NULL) STRICT;
CREATE TABLE category (
    category  INTEGER PRIMARY KEY,
    name      TEXT    NOT NULL UNIQUE,
    names     TEXT    NOT NULL,
    items     INTEGER NOT NULL
) STRICT;
CREATE TABLE barcode (key TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (key, row)) STRICT, WITHOUT ROWID;
CREATE TABLE word (word TEXT PRIMARY KEY, items INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE search USING fts5(words, content='', detail='none', columnsize=0, prefix='1 2 3 4 5',
                                       tokenize='ascii');
";

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

pub(super) fn bodies(entries: &[Entry]) -> Result<Vec<String>, StoreError> {
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

pub(super) fn write_file(
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

/// A category while its entries are counted.
struct Shelf {
    name: String,
    names: BTreeMap<String, String>,
    items: u64,
}

struct Writer<'c> {
    transaction: &'c Connection,
    categories: Vec<Shelf>,
    words: std::collections::HashMap<String, u32>,
}

impl Writer<'_> {
    fn entry(&mut self, row: i64, entry: &Entry, folded: &str, body: &str) -> rusqlite::Result<()> {
        let item = &entry.item;
        let mut other: Vec<String> = item.names.values().map(|name| fold(name)).collect();
        other.extend(entry.category_names.values().map(|name| fold(name)));
        other.extend([&item.code, &item.category, &entry.keywords].map(|text| fold(text)));
        other.retain(|text| !text.is_empty());
        let other = other.join(" ");
        let category = self.category(entry);
        self.transaction
            .prepare_cached(
                "INSERT INTO item (row, item_id, code, sellable, category, body)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?
            .execute(params![
                row,
                item.id.0,
                item.code,
                entry.sellable(),
                category,
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
                .prepare_cached(
                    "INSERT INTO label (row, name, folded, other) VALUES (?1, ?2, ?3, ?4)",
                )?
                .execute(params![row, item.name, folded, other])?;
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

    fn category(&mut self, entry: &Entry) -> i64 {
        let name = &entry.item.category;
        let position = self.categories.iter().position(|known| known.name == *name);
        let index = position.unwrap_or_else(|| {
            self.categories.push(Shelf {
                name: name.clone(),
                names: BTreeMap::new(),
                items: 0,
            });
            self.categories.len() - 1
        });
        let shelf = &mut self.categories[index];
        shelf.items += u64::from(entry.sellable());
        for (language, name) in &entry.category_names {
            if !shelf.names.contains_key(language) {
                shelf.names.insert(language.clone(), name.clone());
            }
        }
        super::journal::i64_of(index as u64)
    }

    fn finish(self) -> rusqlite::Result<()> {
        let mut add = self.transaction.prepare(
            "INSERT INTO category (category, name, names, items) VALUES (?1, ?2, ?3, ?4)",
        )?;
        for (index, shelf) in (0_i64..).zip(&self.categories) {
            let names = serde_json::to_string(&shelf.names)
                .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
            let items = super::journal::i64_of(shelf.items);
            add.execute(params![index, shelf.name, names, items])?;
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
