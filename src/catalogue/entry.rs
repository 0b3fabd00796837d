//! An item with everything the shop's catalogue says about it.

use std::collections::BTreeMap;

use checkout::{Item, ItemId, LocalDate};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One thing in the catalogue: the item the till knows, and what only the catalogue needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The item.
    pub item: Item,
    /// Every barcode that stands for it.
    #[serde(default)]
    pub barcodes: Vec<String>,
    /// Its category's name in other languages, by language code.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub category_names: BTreeMap<String, String>,
    /// More words it can be found by (brand, tags); never shown.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub keywords: String,
    /// Place on the page of best sellers before there are sales: 1 is first, 0 is no place.
    #[serde(default)]
    pub rank: u32,
    /// False when the shop has switched it off.
    #[serde(default = "yes")]
    pub for_sale: bool,
}

fn yes() -> bool {
    true
}

impl Entry {
    /// Whether it can be sold at all: switched on, and with a price.
    #[must_use]
    pub fn sellable(&self) -> bool {
        self.for_sale && !self.item.prices.is_empty()
    }
}

/// The identity of an item whose source gives none: from its code, so the same file gives the same identities on
/// every kiosk. 63 bits of SHA-256.
#[must_use]
pub fn item_id(code: &str) -> ItemId {
    let digest: [u8; 32] = Sha256::digest(code.as_bytes()).into();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    ItemId(i64::from_be_bytes(first) & i64::MAX)
}

/// The first day of prices whose source gives no date.
pub(crate) const ALWAYS: LocalDate = LocalDate {
    year: 2000,
    month: 1,
    day: 1,
};
