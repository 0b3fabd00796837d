//! What the shop sells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::LocalDate;
use crate::tax::{TaxClassId, latest};
use crate::unit::Unit;

/// Names an [`Item`]; given by head office, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemId(pub i64);

/// A price and the first day it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PriceFrom {
    /// First day, from local midnight.
    pub from: LocalDate,
    /// Per unit (piece, kilogram), in minor units; not negative.
    pub price_minor: i64,
}

/// Money held until the bottle or crate comes back. Never discounted.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Deposit {
    /// For the receipt.
    pub name: String,
    /// Per piece, in minor units; not negative.
    pub amount_minor: i64,
    /// How it is taxed.
    pub tax_class: TaxClassId,
}

/// One thing for sale. Barcodes are kept by the catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Item {
    /// Identity.
    pub id: ItemId,
    /// The shop's own code (SKU).
    pub code: String,
    /// In the shop's first language.
    pub name: String,
    /// In other languages, by language code.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// What it is counted in.
    pub unit: Unit,
    /// In any order; the latest one begun holds.
    pub prices: Vec<PriceFrom>,
    /// How it is taxed.
    pub tax_class: TaxClassId,
    /// Youngest age that may buy it, in years.
    #[serde(default)]
    pub min_age: Option<u8>,
    /// Held per piece until it comes back.
    #[serde(default)]
    pub deposit: Option<Deposit>,
    /// Where it stands in the shop.
    #[serde(default)]
    pub category: String,
    /// Promotion groups it belongs to.
    #[serde(default)]
    pub groups: Vec<String>,
    /// Name of its picture.
    #[serde(default)]
    pub picture: Option<String>,
}

impl Item {
    /// The price per unit on `date` in minor units; `None` before the first
    /// price. Of two prices from one day the later in the list holds.
    pub fn price_at(&self, date: LocalDate) -> Option<i64> {
        latest(&self.prices, date, |price| price.from).map(|price| price.price_minor)
    }

    /// The name in `language`, or in the shop's first language.
    pub fn name_in(&self, language: &str) -> &str {
        self.names.get(language).unwrap_or(&self.name)
    }

    /// True when the scale decides the quantity.
    pub const fn sold_by_weight(&self) -> bool {
        self.unit.is_weighed()
    }
}
