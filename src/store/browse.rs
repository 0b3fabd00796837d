//! Finding items: by barcode, by identity, by category, by what sells best.

use std::collections::BTreeMap;

use checkout::{Item, ItemId};
use rusqlite::{OptionalExtension, Row, params};

use crate::catalogue::Entry;
use crate::catalogue::fold::barcode_key;

use super::catalogue_file::Catalogue;
use super::engine::Engine;
use super::error::StoreError;

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
    /// Its name in the shop's first language, which also names it for [`Engine::items_of`].
    pub name: String,
    /// In other languages, by language code.
    pub names: BTreeMap<String, String>,
    /// Items for sale in it.
    pub items: u64,
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

impl Category {
    /// The name in `language`, or in the shop's first language.
    pub fn name_in(&self, language: &str) -> &str {
        self.names.get(language).unwrap_or(&self.name)
    }
}

impl Engine {
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
                "SELECT name, names, items FROM category WHERE items > 0 AND name <> '' ORDER BY category",
            )?;
            let rows = statement.query_map([], |row| {
                let names: String = row.get(1)?;
                Ok(Category {
                    name: row.get(0)?,
                    names: serde_json::from_str(&names)
                        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?,
                    items: super::journal::u64_of(row.get(2)?),
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
