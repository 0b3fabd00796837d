//! Promotions: when, on what, and how much off.
//!
//! How several promotions share one basket is written in
//! [`crate::pricing`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::{LocalDate, LocalDateTime, Weekday};
use crate::item::{Item, ItemId};

/// Names a [`Promotion`]; given by head office, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PromotionId(pub i64);

/// Part of a day in whole minutes since local midnight.
///
/// `until_min` is the first minute outside. When it is not after `from_min` the
/// span runs over midnight and belongs to the day it began on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MinuteSpan {
    /// First minute, 0 to 1,439.
    pub from_min: u16,
    /// First minute outside, 0 to 1,440.
    pub until_min: u16,
}

/// When a promotion runs, in the shop's own time. Empty means always.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    /// First day.
    #[serde(default)]
    pub from: Option<LocalDate>,
    /// Last day, included.
    #[serde(default)]
    pub until: Option<LocalDate>,
    /// Days of the week; none listed means every day.
    #[serde(default)]
    pub weekdays: Vec<Weekday>,
    /// Part of each day; `None` means all day.
    #[serde(default)]
    pub minutes: Option<MinuteSpan>,
}

impl Window {
    /// True when the promotion runs at `at`. After midnight a span that began
    /// the evening before is judged by that evening's date and weekday.
    pub fn contains(&self, at: LocalDateTime) -> bool {
        let Some(day) = self.day_of(at) else {
            return false;
        };
        self.from.is_none_or(|from| day >= from)
            && self.until.is_none_or(|until| day <= until)
            && (self.weekdays.is_empty() || self.weekdays.contains(&day.weekday()))
    }

    /// The day whose span holds `at`.
    fn day_of(&self, at: LocalDateTime) -> Option<LocalDate> {
        let Some(span) = self.minutes else {
            return Some(at.date);
        };
        let minute = at.minute_of_day();
        let (begun, open) = (minute >= span.from_min, minute < span.until_min);
        if span.from_min < span.until_min {
            return (begun && open).then_some(at.date);
        }
        if begun {
            Some(at.date)
        } else {
            open.then(|| at.date.plus_days(-1))
        }
    }
}

/// Which items. An item is in scope when any list names it; three empty lists
/// mean every item.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Scope {
    /// By identity.
    #[serde(default)]
    pub items: Vec<ItemId>,
    /// By category.
    #[serde(default)]
    pub categories: Vec<String>,
    /// By promotion group.
    #[serde(default)]
    pub groups: Vec<String>,
}

impl Scope {
    /// Every item.
    pub fn all() -> Scope {
        Scope::default()
    }

    /// These items only.
    pub fn items(items: impl IntoIterator<Item = ItemId>) -> Scope {
        Scope {
            items: items.into_iter().collect(),
            ..Scope::default()
        }
    }

    /// One promotion group.
    pub fn group(group: impl Into<String>) -> Scope {
        Scope {
            groups: vec![group.into()],
            ..Scope::default()
        }
    }

    /// One category.
    pub fn category(category: impl Into<String>) -> Scope {
        Scope {
            categories: vec![category.into()],
            ..Scope::default()
        }
    }

    /// True when the item is in scope.
    pub fn contains(&self, item: &Item) -> bool {
        let everything =
            self.items.is_empty() && self.categories.is_empty() && self.groups.is_empty();
        everything
            || self.items.contains(&item.id)
            || self.categories.contains(&item.category)
            || self.groups.iter().any(|group| item.groups.contains(group))
    }
}

/// What a fixed amount is taken off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountPer {
    /// Every unit in scope: piece, or kilogram by weight. Not for labels with
    /// their own price.
    Unit,
    /// Everything in scope together, once.
    Basket,
}

/// Where the rewarded pieces of [`PromotionKind::BuyXGetY`] come from.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RewardFrom {
    /// The same item; each item in scope is counted for itself.
    SameItem,
    /// Anything in scope; the cheapest of each set is rewarded.
    SameScope,
    /// Items of another scope. Pieces only in the promotion's own scope qualify
    /// first; a piece in both scopes may be either, never twice.
    Other(Scope),
}

/// How much off. Sets are formed from whole pieces only, dearest first, so
/// that the shopper gains most; weighed lines and labels with their own price
/// take part in [`PromotionKind::Percent`] and amounts per basket, weighed
/// lines also in [`PromotionKind::PriceOf`] and amounts per unit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionKind {
    /// A share of everything in scope, rounded half up once, then allocated.
    Percent {
        /// Hundredths of a percent, 1 to 10,000.
        basis_points: u32,
    },
    /// A fixed amount, never more than what it is taken off.
    Amount {
        /// Minor units, positive.
        minor: i64,
        /// Off what.
        per: AmountPer,
    },
    /// A special price per unit, when lower.
    PriceOf {
        /// Minor units per piece or kilogram, not negative.
        price_minor: i64,
    },
    /// Of every `n` pieces pay for `m`; the cheapest are free.
    NForM {
        /// Pieces in a set; more than `m`.
        n: u32,
        /// Pieces paid for.
        m: u32,
        /// True when all `n` must be the same item.
        same_item: bool,
    },
    /// For every `buy` pieces in scope, `get` pieces at a reduced price.
    BuyXGetY {
        /// Pieces that qualify, at least 1.
        buy: u32,
        /// Pieces rewarded, at least 1.
        get: u32,
        /// Where the rewarded pieces come from.
        from: RewardFrom,
        /// Hundredths of a percent off them; 10,000 is free.
        basis_points: u32,
    },
    /// Any `n` pieces in scope for one price, when lower.
    MixAndMatch {
        /// Pieces in a set, at least 1.
        n: u32,
        /// Minor units for the set, not negative.
        price_minor: i64,
    },
}

/// One promotion.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Promotion {
    /// Identity.
    pub id: PromotionId,
    /// In the shop's first language.
    pub name: String,
    /// In other languages, by language code.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// When it runs.
    #[serde(default)]
    pub when: Window,
    /// The coupon it needs; compared as [`crate::basket::coupon_code`] does.
    #[serde(default)]
    pub coupon: Option<String>,
    /// On what.
    #[serde(default)]
    pub scope: Scope,
    /// How much off.
    pub kind: PromotionKind,
    /// Lower goes first; among equals the shopper's best choice, then the lower
    /// id.
    #[serde(default)]
    pub priority: u32,
    /// Most times in one basket: sets for the kinds that form sets, else units
    /// (dearest first; a weighed or labelled line is one unit). An amount per
    /// basket is given once anyway. `None`: no limit.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Least worth of the goods in scope, at list prices, in minor units.
    #[serde(default)]
    pub minimum_minor: i64,
    /// Most it gives in one basket, in minor units. `None`: no cap.
    #[serde(default)]
    pub maximum_minor: Option<i64>,
    /// True: comes on top of whatever else applies. False: shares no piece with
    /// another promotion of this sort.
    #[serde(default)]
    pub stackable: bool,
}

/// What is wrong with a promotion as configured. It is then never applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum PromotionFault {
    /// A share outside 0.01 % to 100 %.
    #[error("the percentage must be more than 0 and at most 100: correct it at head office")]
    BasisPoints,
    /// A count that forms no set.
    #[error(
        "the numbers of pieces form no set (n > m, all at least 1): correct them at head office"
    )]
    Counts,
    /// A negative or missing amount.
    #[error(
        "an amount or price is negative or zero where it must not be: correct it at head office"
    )]
    Amount,
    /// A limit of zero.
    #[error("a limit of zero never applies: remove the limit or end the promotion")]
    Limit,
    /// A window that is never open.
    #[error("its dates or minutes of the day never come: correct them at head office")]
    Window,
    /// A coupon code no shopper can enter.
    #[error("its coupon code is empty, too long or unreadable: correct it at head office")]
    Coupon,
}

impl Promotion {
    /// Checks the configuration; to be called before rules are put to use.
    ///
    /// # Errors
    /// The first [`PromotionFault`]; [`crate::price()`] leaves such a promotion
    /// out rather than stop the sale.
    pub fn check(&self) -> Result<(), PromotionFault> {
        self.kind.check()?;
        if self.limit == Some(0) {
            return Err(PromotionFault::Limit);
        }
        if self.minimum_minor < 0 || self.maximum_minor.is_some_and(|most| most <= 0) {
            return Err(PromotionFault::Amount);
        }
        if let (Some(from), Some(until)) = (self.when.from, self.when.until)
            && from > until
        {
            return Err(PromotionFault::Window);
        }
        if let Some(span) = self.when.minutes
            && (span.from_min > 1_439 || span.until_min > 1_440)
        {
            return Err(PromotionFault::Window);
        }
        match &self.coupon {
            Some(code) if crate::basket::coupon_code(code).is_none() => Err(PromotionFault::Coupon),
            _ => Ok(()),
        }
    }

    /// The name in `language`, or in the shop's first language.
    pub fn name_in(&self, language: &str) -> &str {
        self.names.get(language).unwrap_or(&self.name)
    }
}

impl PromotionKind {
    fn check(&self) -> Result<(), PromotionFault> {
        let share = |basis_points: u32| (1..=10_000).contains(&basis_points);
        let (sound, fault) = match *self {
            PromotionKind::Percent { basis_points } => {
                (share(basis_points), PromotionFault::BasisPoints)
            }
            PromotionKind::Amount { minor, .. } => (minor > 0, PromotionFault::Amount),
            PromotionKind::PriceOf { price_minor } => (price_minor >= 0, PromotionFault::Amount),
            PromotionKind::NForM { n, m, .. } => (n > m && m > 0, PromotionFault::Counts),
            PromotionKind::BuyXGetY { buy, get, .. } if buy == 0 || get == 0 => {
                (false, PromotionFault::Counts)
            }
            PromotionKind::BuyXGetY { basis_points, .. } => {
                (share(basis_points), PromotionFault::BasisPoints)
            }
            PromotionKind::MixAndMatch { n: 0, .. } => (false, PromotionFault::Counts),
            PromotionKind::MixAndMatch { price_minor, .. } => {
                (price_minor >= 0, PromotionFault::Amount)
            }
        };
        if sound { Ok(()) } else { Err(fault) }
    }
}
