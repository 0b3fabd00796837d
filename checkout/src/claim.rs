//! What one promotion takes off a pool of goods, looked at alone.

use std::collections::BTreeMap;

use crate::item::{Item, ItemId};
use crate::money::{allocate, div_half_up};
use crate::promotion::{AmountPer, Promotion, PromotionKind, RewardFrom};

/// How the goods of a line may be divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goods {
    /// Whole pieces, one by one.
    Pieces,
    /// A weighed or measured line, as a whole.
    Measured {
        /// Thousandths of the unit.
        milli: i64,
    },
    /// A label with its own price, as a whole.
    Labelled,
}

/// What is left of one line for promotions to work on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    /// Index of the priced line.
    pub line: usize,
    /// What it is.
    pub item: ItemId,
    /// How it may be divided.
    pub goods: Goods,
    /// Pieces left; 1 or 0 for what is taken as a whole.
    pub count: i64,
    /// What is to be paid for them, in minor units.
    pub value_minor: i64,
}

impl Entry {
    /// What is to be paid for `count` of them, rounded down.
    pub fn value_of(&self, count: i64) -> i64 {
        if self.count <= 0 || count >= self.count {
            return self.value_minor;
        }
        let value = i128::from(self.value_minor) * i128::from(count) / i128::from(self.count);
        i64::try_from(value).unwrap_or(self.value_minor)
    }

    /// Compares the worth of one unit, dearest first.
    pub fn dearer(&self, other: &Entry) -> std::cmp::Ordering {
        let ours = i128::from(self.value_minor) * i128::from(other.count.max(1));
        let theirs = i128::from(other.value_minor) * i128::from(self.count.max(1));
        theirs.cmp(&ours)
    }
}

/// What a promotion takes of one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    /// Index in the pool.
    pub entry: usize,
    /// Units used, rewarded or qualifying.
    pub taken: i64,
    /// Minor units off; at most what the entry is worth.
    pub discount_minor: i64,
}

/// A promotion that runs, with the priced lines it touches.
pub(crate) struct Candidate<'a> {
    pub promotion: &'a Promotion,
    /// By priced line: in the promotion's own scope.
    pub own: Vec<bool>,
    /// By priced line: in the scope of its rewards, where that is another.
    pub reward: Vec<bool>,
}

impl<'a> Candidate<'a> {
    /// Marks which of the basket's items, in line order, the promotion touches.
    pub fn new<'i>(promotion: &'a Promotion, items: impl Iterator<Item = &'i Item>) -> Self {
        let other = match &promotion.kind {
            PromotionKind::BuyXGetY {
                from: RewardFrom::Other(scope),
                ..
            } => Some(scope),
            _ => None,
        };
        let (own, reward) = items
            .map(|item| {
                let own = promotion.scope.contains(item);
                (own, other.is_some_and(|scope| scope.contains(item)))
            })
            .unzip();
        Candidate {
            promotion,
            own,
            reward,
        }
    }

    /// True when the line at this index may be part of it.
    pub fn touches(&self, line: usize) -> bool {
        self.own[line] || self.reward[line]
    }

    /// What it takes off `pool` (sorted dearest first); empty when it gives
    /// nothing.
    pub fn claims(&self, pool: &[Entry]) -> Vec<Claim> {
        let mut claims = self.claims_without_cap(pool);
        let total = discount_of(&claims);
        if let Some(most) = self.promotion.maximum_minor
            && total > most
        {
            let weights: Vec<i64> = claims.iter().map(|claim| claim.discount_minor).collect();
            for (claim, part) in claims.iter_mut().zip(allocate(most, &weights)) {
                claim.discount_minor = part;
            }
        }
        if total > 0 { claims } else { Vec::new() }
    }

    fn claims_without_cap(&self, pool: &[Entry]) -> Vec<Claim> {
        match &self.promotion.kind {
            PromotionKind::Percent { basis_points } => {
                spread(pool, &self.units(pool, true), |worth| {
                    share(worth, *basis_points)
                })
            }
            PromotionKind::Amount {
                minor,
                per: AmountPer::Basket,
            } => {
                let everything = self.units_up_to(pool, true, i64::MAX);
                spread(pool, &everything, |worth| worth.min(*minor))
            }
            PromotionKind::Amount {
                minor,
                per: AmountPer::Unit,
            } => self.per_unit(pool, |worth, off| worth.min(off), *minor),
            PromotionKind::PriceOf { price_minor } => self.per_unit(
                pool,
                |worth, price| worth.saturating_sub(price),
                *price_minor,
            ),
            PromotionKind::NForM { n, m, same_item } => {
                self.sets(pool, *m, n.saturating_sub(*m), *same_item, 10_000)
            }
            PromotionKind::BuyXGetY {
                buy,
                get,
                from,
                basis_points,
            } => match from {
                RewardFrom::Other(_) => self.other_sets(pool, *buy, *get, *basis_points),
                from => {
                    let same_item = *from == RewardFrom::SameItem;
                    self.sets(pool, *buy, *get, same_item, *basis_points)
                }
            },
            PromotionKind::MixAndMatch { n, price_minor } => {
                self.priced_sets(pool, *n, *price_minor)
            }
        }
    }

    /// Units of the own scope up to the limit, dearest first: (entry, count).
    fn units(&self, pool: &[Entry], labelled: bool) -> Vec<(usize, i64)> {
        self.units_up_to(pool, labelled, self.limit())
    }

    fn units_up_to(&self, pool: &[Entry], labelled: bool, limit: i64) -> Vec<(usize, i64)> {
        let mut left = limit;
        let mut units = Vec::new();
        for (index, entry) in pool.iter().enumerate() {
            let fits = labelled || entry.goods != Goods::Labelled;
            let count = entry.count.min(left);
            if fits && count > 0 && entry.value_minor > 0 && self.own[entry.line] {
                units.push((index, count));
                left -= count;
            }
        }
        units
    }

    /// For each entry `off(worth of the units, amount_minor for the units)`;
    /// entries that gain nothing are left to other promotions.
    fn per_unit(&self, pool: &[Entry], off: fn(i64, i64) -> i64, amount_minor: i64) -> Vec<Claim> {
        let gain = |&(index, taken): &(usize, i64)| {
            let entry = &pool[index];
            let milli = match entry.goods {
                Goods::Measured { milli } => i128::from(milli),
                Goods::Pieces | Goods::Labelled => i128::from(taken) * 1000,
            };
            let amount = div_half_up(i128::from(amount_minor) * milli, 1000);
            let amount = i64::try_from(amount).unwrap_or(i64::MAX);
            let discount_minor = off(entry.value_of(taken), amount);
            (discount_minor > 0).then_some(Claim {
                entry: index,
                taken,
                discount_minor,
            })
        };
        // The limit counts units that gain, so those that do not are left out
        // before it is applied.
        let mut left = self.limit();
        let mut claims = Vec::new();
        for (index, count) in self.units_up_to(pool, false, i64::MAX) {
            let limited = (index, count.min(left));
            if limited.1 > 0
                && let Some(claim) = gain(&limited)
            {
                left -= claim.taken;
                claims.push(claim);
            }
        }
        claims
    }

    /// Sets of `pay + reward` pieces, dearest first; the cheapest `reward` of
    /// each set get `basis_points` off.
    fn sets(
        &self,
        pool: &[Entry],
        pay: u32,
        reward: u32,
        same_item: bool,
        basis_points: u32,
    ) -> Vec<Claim> {
        let mut sets = Sets::new(pool, self.limit());
        let groups = if same_item {
            self.by_item(pool)
        } else {
            vec![self.in_scope(pool)]
        };
        for group in groups {
            sets.form(group, |picks| {
                picks.take(i64::from(pay), false, |_| true)
                    && picks.take(i64::from(reward), true, |_| true)
            });
        }
        sets.rewarded(basis_points)
    }

    /// Sets whose rewards come from another scope. Qualifying: pieces only in
    /// the own scope, cheapest first, then pieces in both, dearest first.
    /// Rewarded: the dearest left in the other scope.
    fn other_sets(&self, pool: &[Entry], buy: u32, get: u32, basis_points: u32) -> Vec<Claim> {
        let mut sets = Sets::new(pool, self.limit());
        let touched = |index: &usize| self.touches(pool[*index].line);
        sets.form((0..pool.len()).filter(touched).collect(), |picks| {
            let mut missing = i64::from(buy);
            missing -= picks.up_to_cheapest(missing, |entry| {
                self.own[entry.line] && !self.reward[entry.line]
            });
            picks.take(missing, false, |entry| {
                self.own[entry.line] && self.reward[entry.line]
            }) && picks.take(i64::from(get), true, |entry| self.reward[entry.line])
        });
        sets.rewarded(basis_points)
    }

    /// Sets of `n` pieces, dearest first, for one price, while that is lower.
    fn priced_sets(&self, pool: &[Entry], n: u32, price_minor: i64) -> Vec<Claim> {
        let mut sets = Sets::new(pool, self.limit());
        sets.form(self.in_scope(pool), |picks| {
            picks.take(i64::from(n), true, |_| true) && picks.worth() > i128::from(price_minor)
        });
        let price = i128::from(sets.formed) * i128::from(price_minor);
        let taken = sets.taken_units();
        spread(pool, &taken, |worth| {
            i64::try_from(i128::from(worth) - price).unwrap_or(0).max(0)
        })
    }

    /// The entries of the own scope, dearest first.
    fn in_scope(&self, pool: &[Entry]) -> Vec<usize> {
        (0..pool.len())
            .filter(|&index| self.own[pool[index].line])
            .collect()
    }

    /// The entries of the own scope, item by item, the dearest item first.
    fn by_item(&self, pool: &[Entry]) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut group_of: BTreeMap<ItemId, usize> = BTreeMap::new();
        for index in self.in_scope(pool) {
            let group = *group_of.entry(pool[index].item).or_insert(groups.len());
            if group == groups.len() {
                groups.push(Vec::new());
            }
            groups[group].push(index);
        }
        groups
    }

    fn limit(&self) -> i64 {
        self.promotion.limit.map_or(i64::MAX, i64::from)
    }
}

/// Pieces gathered into sets. Equal sets are formed in one go, so that 9,999
/// pieces cost no more than nine.
struct Sets<'p> {
    pool: &'p [Entry],
    left: Vec<i64>,
    taken: Vec<i64>,
    rewarded: Vec<i64>,
    formed: i64,
    limit: i64,
}

/// One set being gathered.
struct Picks<'s> {
    pool: &'s [Entry],
    left: &'s [i64],
    /// Entries that may have pieces left, dearest first.
    open: &'s [usize],
    picked: Vec<Pick>,
}

/// What one set has of one entry.
struct Pick {
    entry: usize,
    count: i64,
    /// Of `count`, rewarded.
    rewarded: i64,
}

impl Picks<'_> {
    /// Picks the dearest `count` pieces of `member` entries; true when there
    /// were enough.
    fn take(&mut self, count: i64, rewarded: bool, member: impl Fn(&Entry) -> bool) -> bool {
        self.pick(self.open.iter(), count, rewarded, member) == count
    }

    /// Picks up to `count` of the cheapest pieces; how many there were.
    fn up_to_cheapest(&mut self, count: i64, member: impl Fn(&Entry) -> bool) -> i64 {
        self.pick(self.open.iter().rev(), count, false, member)
    }

    fn pick<'i>(
        &mut self,
        entries: impl Iterator<Item = &'i usize>,
        count: i64,
        rewarded: bool,
        member: impl Fn(&Entry) -> bool,
    ) -> i64 {
        let mut missing = count;
        for &index in entries {
            if missing == 0 {
                break;
            }
            if member(&self.pool[index]) {
                missing -= self.pick_entry(index, missing, rewarded);
            }
        }
        count - missing
    }

    fn pick_entry(&mut self, entry: usize, wanted: i64, rewarded: bool) -> i64 {
        let known = self.picked.iter().position(|pick| pick.entry == entry);
        let position = known.unwrap_or_else(|| {
            self.picked.push(Pick {
                entry,
                count: 0,
                rewarded: 0,
            });
            self.picked.len() - 1
        });
        let pick = &mut self.picked[position];
        let count = wanted.min(self.left[entry] - pick.count);
        pick.count += count;
        if rewarded {
            pick.rewarded += count;
        }
        count
    }

    /// What the set is worth, in minor units.
    fn worth(&self) -> i128 {
        self.picked
            .iter()
            .map(|pick| i128::from(self.pool[pick.entry].value_of(pick.count)))
            .sum()
    }
}

impl<'p> Sets<'p> {
    fn new(pool: &'p [Entry], limit: i64) -> Sets<'p> {
        Sets {
            pool,
            left: pool.iter().map(|entry| entry.count).collect(),
            taken: vec![0; pool.len()],
            rewarded: vec![0; pool.len()],
            formed: 0,
            limit,
        }
    }

    /// Forms sets of pieces of the `open` entries (dearest first) with `gather`,
    /// until it says no or the limit is reached.
    fn form(&mut self, mut open: Vec<usize>, gather: impl Fn(&mut Picks<'_>) -> bool) {
        open.retain(|&index| self.pool[index].goods == Goods::Pieces);
        while self.formed < self.limit {
            open.retain(|&index| self.left[index] > 0);
            let mut picks = Picks {
                pool: self.pool,
                left: &self.left,
                open: &open,
                picked: Vec::new(),
            };
            if !gather(&mut picks) {
                return;
            }
            let mut picked = picks.picked;
            picked.retain(|pick| pick.count > 0);
            // The same choice is made again as long as its entries suffice.
            let times = picked
                .iter()
                .map(|pick| self.left[pick.entry] / pick.count)
                .min()
                .unwrap_or(0)
                .min(self.limit - self.formed);
            if times == 0 {
                return;
            }
            for pick in &picked {
                self.left[pick.entry] -= times * pick.count;
                self.taken[pick.entry] += times * pick.count;
                self.rewarded[pick.entry] += times * pick.rewarded;
            }
            self.formed += times;
        }
    }

    /// (entry, pieces in sets), without zeros.
    fn taken_units(&self) -> Vec<(usize, i64)> {
        non_zero(&self.taken)
    }

    /// Claims all pieces in sets, with `basis_points` off the rewarded ones.
    fn rewarded(&self, basis_points: u32) -> Vec<Claim> {
        let mut claims = spread(self.pool, &non_zero(&self.rewarded), |worth| {
            share(worth, basis_points)
        });
        for claim in &mut claims {
            claim.taken = self.taken[claim.entry];
        }
        if !claims.is_empty() {
            let qualifying = (0..self.pool.len())
                .filter(|&index| self.taken[index] > 0 && self.rewarded[index] == 0);
            claims.extend(qualifying.map(|entry| Claim {
                entry,
                taken: self.taken[entry],
                discount_minor: 0,
            }));
        }
        claims
    }
}

fn non_zero(counts: &[i64]) -> Vec<(usize, i64)> {
    counts
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, count)| *count > 0)
        .collect()
}

/// Claims `units`, with `off(their worth)` allocated over them by worth.
fn spread(pool: &[Entry], units: &[(usize, i64)], off: impl FnOnce(i64) -> i64) -> Vec<Claim> {
    let worths: Vec<i64> = units
        .iter()
        .map(|&(index, count)| pool[index].value_of(count))
        .collect();
    // The worth of a pool is at most the basket's subtotal, which fits.
    let worth = worths
        .iter()
        .fold(0_i64, |sum, worth| sum.saturating_add(*worth));
    let discount = off(worth);
    if discount <= 0 {
        return Vec::new();
    }
    units
        .iter()
        .zip(allocate(discount, &worths))
        .map(|(&(entry, taken), discount_minor)| Claim {
            entry,
            taken,
            discount_minor,
        })
        .collect()
}

/// `basis_points` of `worth_minor`, rounded half up; never more than it.
fn share(worth_minor: i64, basis_points: u32) -> i64 {
    let part = div_half_up(i128::from(worth_minor) * i128::from(basis_points), 10_000);
    i64::try_from(part).unwrap_or(worth_minor).min(worth_minor)
}

/// The sum of the claims' discounts.
pub(crate) fn discount_of(claims: &[Claim]) -> i64 {
    claims
        .iter()
        .fold(0, |sum, claim| sum.saturating_add(claim.discount_minor))
}
