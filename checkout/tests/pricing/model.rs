//! An independent model of pricing: one unit at a time, every order of every
//! subset, no shortcuts. Slow on purpose.

use super::*;

/// One unit: a piece, or a whole weighed or labelled line. Its worth is
/// `num / den` minor units.
#[derive(Clone, Copy)]
struct One {
    line: usize,
    num: i128,
    den: i128,
    piece: bool,
    milli: i128,
    labelled: bool,
}

/// Unit and what it is used for.
#[derive(Clone, Copy, PartialEq)]
enum Use {
    Qualifies,
    Rewarded,
}

pub struct Outcome {
    /// Per line.
    pub net: Vec<i64>,
    /// (rate, base, tax, gross), lowest rate first.
    pub taxes: Vec<(u32, i64, i64, i64)>,
    pub total: i64,
}

fn half_up(num: i128, den: i128) -> i128 {
    let down = num.div_euclid(den);
    if (num - down * den) * 2 >= den {
        down + 1
    } else {
        down
    }
}

/// Hands out one at a time to whoever is furthest below its exact share.
fn hand_out(total: i128, weights: &[i128]) -> Vec<i128> {
    let sum: i128 = weights.iter().sum();
    let mut parts: Vec<i128> = weights.iter().map(|w| total * w / sum).collect();
    let mut served = vec![false; weights.len()];
    while parts.iter().sum::<i128>() < total {
        let mut furthest: Option<usize> = None;
        for (i, weight) in weights.iter().enumerate() {
            let lack =
                |i: usize, w: i128| total * w - total * w / sum * sum - i128::from(served[i]) * sum;
            if furthest.is_none_or(|f| lack(i, *weight) > lack(f, weights[f])) {
                furthest = Some(i);
            }
        }
        let furthest = furthest.unwrap();
        parts[furthest] += 1;
        served[furthest] = true;
    }
    parts
}

pub fn outcome(basket: &Basket, rules: &Rules, at: LocalDateTime) -> Outcome {
    let gross: Vec<i128> = basket
        .lines
        .iter()
        .map(|line| match line.price_override_minor {
            Some(price) => i128::from(price),
            None => {
                let unit = i128::from(line.item.price_at(at.date).unwrap());
                half_up(unit * i128::from(line.quantity.milli), 1000)
            }
        })
        .collect();
    let net = after_promotions(basket, rules, at, &gross);
    let taxes = taxes(basket, rules, at, &net);
    Outcome {
        total: taxes.iter().map(|tax| tax.3).sum(),
        net: net.iter().map(|net| i64::try_from(*net).unwrap()).collect(),
        taxes,
    }
}

fn taxes(
    basket: &Basket,
    rules: &Rules,
    at: LocalDateTime,
    net: &[i128],
) -> Vec<(u32, i64, i64, i64)> {
    let rate = |class| rules.tax.rate_at(class, at.date).unwrap().basis_points;
    let mut charges: Vec<(u32, i128)> = Vec::new();
    for (line, net) in basket.lines.iter().zip(net) {
        charges.push((rate(line.item.tax_class), *net));
        if let Some(deposit) = &line.item.deposit {
            let pieces = line.quantity.whole().unwrap();
            charges.push((
                rate(deposit.tax_class),
                i128::from(deposit.amount_minor * pieces),
            ));
        }
    }
    let mut rates: Vec<u32> = charges.iter().map(|charge| charge.0).collect();
    rates.sort();
    rates.dedup();
    rates
        .into_iter()
        .map(|basis_points| {
            let amount: i128 = charges
                .iter()
                .filter(|c| c.0 == basis_points)
                .map(|c| c.1)
                .sum();
            let points = i128::from(basis_points);
            let minor = |value: i128| i64::try_from(value).unwrap();
            match rules.tax.mode {
                TaxMode::Included => {
                    let tax = half_up(amount * points, 10_000 + points);
                    (basis_points, minor(amount - tax), minor(tax), minor(amount))
                }
                TaxMode::Added => {
                    let tax = half_up(amount * points, 10_000);
                    (basis_points, minor(amount), minor(tax), minor(amount + tax))
                }
            }
        })
        .collect()
}

fn after_promotions(
    basket: &Basket,
    rules: &Rules,
    at: LocalDateTime,
    gross: &[i128],
) -> Vec<i128> {
    let mut running: Vec<&Promotion> = rules
        .promotions
        .iter()
        .filter(|p| p.when.contains(at) && p.coupon.is_none())
        .filter(|p| {
            let lines = basket.lines.iter().zip(gross);
            let worth: i128 = lines
                .filter(|(l, _)| p.scope.contains(&l.item))
                .map(|(_, g)| g)
                .sum();
            worth >= i128::from(p.minimum_minor)
        })
        .collect();
    running.sort_by_key(|p| (p.priority, p.id));
    let (stackable, exclusive): (Vec<&Promotion>, Vec<&Promotion>) =
        running.into_iter().partition(|p| p.stackable);
    let mut net = gross.to_vec();
    let mut units = units(basket, &net);
    let mut tiers: Vec<u32> = exclusive.iter().map(|p| p.priority).collect();
    tiers.dedup();
    for tier in tiers {
        let rivals: Vec<&Promotion> = exclusive
            .iter()
            .copied()
            .filter(|p| p.priority == tier)
            .collect();
        let mut best = (0, units.clone(), vec![0; net.len()]);
        every_order(basket, &rivals, units, vec![0; net.len()], &mut best);
        for (net, off) in net.iter_mut().zip(&best.2) {
            *net -= off;
        }
        units = best.1;
    }
    for promotion in stackable {
        let all = self::units(basket, &net);
        let (off, _) = give(basket, promotion, &all);
        for (net, off) in net.iter_mut().zip(&off) {
            *net -= off;
        }
    }
    net
}

/// One by one, dearest first, then by item and line.
fn units(basket: &Basket, net: &[i128]) -> Vec<One> {
    let mut units = Vec::new();
    for (index, line) in basket.lines.iter().enumerate() {
        let labelled = line.price_override_minor.is_some();
        let piece = !labelled && line.item.unit.is_piece();
        let count = if piece {
            line.quantity.whole().unwrap()
        } else {
            1
        };
        for _ in 0..count {
            units.push(One {
                line: index,
                num: net[index],
                den: i128::from(count),
                piece,
                milli: i128::from(line.quantity.milli) / if piece { i128::from(count) } else { 1 },
                labelled,
            });
        }
    }
    units.sort_by(|a, b| {
        let tie = |one: &One| (basket.lines[one.line].item.id, basket.lines[one.line].id);
        (b.num * a.den)
            .cmp(&(a.num * b.den))
            .then_with(|| tie(a).cmp(&tie(b)))
    });
    units
}

type Best = (i128, Vec<One>, Vec<i128>);

fn every_order(
    basket: &Basket,
    rivals: &[&Promotion],
    units: Vec<One>,
    off: Vec<i128>,
    best: &mut Best,
) {
    let total: i128 = off.iter().sum();
    if total > best.0 {
        *best = (total, units.clone(), off.clone());
    }
    for (index, promotion) in rivals.iter().enumerate() {
        let (more, used) = give(basket, promotion, &units);
        if more.iter().sum::<i128>() == 0 {
            continue;
        }
        let left = (0..units.len())
            .filter(|i| !used.contains(i))
            .map(|i| units[i])
            .collect();
        let off = off.iter().zip(&more).map(|(a, b)| a + b).collect();
        let others: Vec<&Promotion> = rivals
            .iter()
            .enumerate()
            .filter(|(i, _)| *i != index)
            .map(|(_, p)| *p)
            .collect();
        every_order(basket, &others, left, off, best);
    }
}

/// What `promotion` takes off each line, and which units it uses.
fn give(basket: &Basket, promotion: &Promotion, units: &[One]) -> (Vec<i128>, Vec<usize>) {
    let lines = basket.lines.len();
    let own = |one: &One| promotion.scope.contains(&basket.lines[one.line].item);
    let limit = promotion
        .limit
        .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap());
    let in_scope: Vec<usize> = (0..units.len())
        .filter(|&i| own(&units[i]) && units[i].num > 0)
        .collect();
    let mut uses: Vec<(usize, Use)> = Vec::new();
    let rewarded = |chosen: Vec<usize>| chosen.into_iter().map(|i| (i, Use::Rewarded));
    let mut off = match &promotion.kind {
        PromotionKind::Percent { basis_points } => {
            uses.extend(rewarded(in_scope.into_iter().take(limit).collect()));
            over_worth(lines, units, &uses, |w| {
                half_up(w * i128::from(*basis_points), 10_000)
            })
        }
        PromotionKind::Amount {
            minor,
            per: AmountPer::Basket,
        } => {
            uses.extend(rewarded(in_scope));
            over_worth(lines, units, &uses, |worth| worth.min(i128::from(*minor)))
        }
        PromotionKind::Amount {
            minor,
            per: AmountPer::Unit,
        } => each(lines, units, &in_scope, limit, &mut uses, |worth, one| {
            worth.min(half_up(i128::from(*minor) * one.milli, 1000))
        }),
        PromotionKind::PriceOf { price_minor } => {
            each(lines, units, &in_scope, limit, &mut uses, |worth, one| {
                worth - half_up(i128::from(*price_minor) * one.milli, 1000)
            })
        }
        kind => {
            let sets = sets(basket, promotion, units, limit);
            uses = sets.concat();
            match kind {
                PromotionKind::MixAndMatch { price_minor, .. } => {
                    let price = i128::from(*price_minor) * i128::try_from(sets.len()).unwrap();
                    over_worth(lines, units, &uses, |worth| worth - price)
                }
                PromotionKind::BuyXGetY { basis_points, .. } => {
                    over_worth(lines, units, &uses, |w| {
                        half_up(w * i128::from(*basis_points), 10_000)
                    })
                }
                _ => over_worth(lines, units, &uses, |worth| worth),
            }
        }
    };
    let total: i128 = off.iter().sum();
    if let Some(most) = promotion.maximum_minor
        && total > i128::from(most)
    {
        off = dearest_first(units, &off, i128::from(most));
    }
    (off, uses.into_iter().map(|(unit, _)| unit).collect())
}

/// Lines in the order in which their dearest unit comes.
fn line_order(units: &[One]) -> Vec<usize> {
    let mut order = Vec::new();
    for one in units {
        if !order.contains(&one.line) {
            order.push(one.line);
        }
    }
    order
}

fn dearest_first(units: &[One], weights: &[i128], total: i128) -> Vec<i128> {
    let order: Vec<usize> = line_order(units)
        .into_iter()
        .filter(|&line| weights[line] > 0)
        .collect();
    let mut off = vec![0; weights.len()];
    if total > 0 && !order.is_empty() {
        let ordered: Vec<i128> = order.iter().map(|&line| weights[line]).collect();
        for (line, part) in order.iter().zip(hand_out(total, &ordered)) {
            off[*line] = part;
        }
    }
    off
}

/// A line's part is worth its share, rounded down per line.
fn worth_per_line(lines: usize, units: &[One], uses: &[(usize, Use)]) -> Vec<i128> {
    let mut worth = vec![0; lines];
    for (line, worth) in worth.iter_mut().enumerate() {
        let used = uses
            .iter()
            .filter(|(i, u)| units[*i].line == line && *u == Use::Rewarded);
        let sum: i128 = used.clone().map(|(i, _)| units[*i].num).sum();
        if let Some((first, _)) = used.clone().next() {
            *worth = sum / units[*first].den;
        }
    }
    worth
}

fn over_worth(
    lines: usize,
    units: &[One],
    uses: &[(usize, Use)],
    off: impl Fn(i128) -> i128,
) -> Vec<i128> {
    let worth = worth_per_line(lines, units, uses);
    let total: i128 = worth.iter().sum();
    dearest_first(units, &worth, off(total))
}

/// Line by line on the units taken of it.
fn each(
    lines: usize,
    units: &[One],
    in_scope: &[usize],
    limit: usize,
    uses: &mut Vec<(usize, Use)>,
    gain: impl Fn(i128, &One) -> i128,
) -> Vec<i128> {
    let mut off = vec![0; lines];
    let mut left = limit;
    for line in line_order(units) {
        let of_line: Vec<usize> = in_scope
            .iter()
            .copied()
            .filter(|&i| units[i].line == line && !units[i].labelled)
            .take(left)
            .collect();
        let Some(&first) = of_line.first() else {
            continue;
        };
        let marked: Vec<(usize, Use)> = of_line.iter().map(|&i| (i, Use::Rewarded)).collect();
        let together = One {
            milli: of_line.iter().map(|&i| units[i].milli).sum(),
            ..units[first]
        };
        let gained = gain(worth_per_line(lines, units, &marked)[line], &together);
        if gained > 0 {
            off[line] = gained;
            left -= of_line.len();
            uses.extend(marked);
        }
    }
    off
}

/// Set by set until there is none.
fn sets(
    basket: &Basket,
    promotion: &Promotion,
    units: &[One],
    limit: usize,
) -> Vec<Vec<(usize, Use)>> {
    let item = |i: usize| &basket.lines[units[i].line].item;
    let own = |i: usize| units[i].piece && promotion.scope.contains(item(i));
    let mut free: Vec<usize> = (0..units.len()).collect();
    let mut sets: Vec<Vec<(usize, Use)>> = Vec::new();
    while sets.len() < limit {
        let set = match &promotion.kind {
            PromotionKind::NForM { n, m, same_item } => {
                one_pool(&free, *m, n - m, *same_item, own, |i| item(i).id)
            }
            PromotionKind::BuyXGetY {
                buy,
                get,
                from: RewardFrom::SameItem,
                ..
            } => one_pool(&free, *buy, *get, true, own, |i| item(i).id),
            PromotionKind::BuyXGetY {
                buy,
                get,
                from: RewardFrom::SameScope,
                ..
            } => one_pool(&free, *buy, *get, false, own, |i| item(i).id),
            PromotionKind::BuyXGetY {
                buy,
                get,
                from: RewardFrom::Other(scope),
                ..
            } => {
                let reward = |i: usize| units[i].piece && scope.contains(item(i));
                let only = free.iter().rev().copied().filter(|&i| own(i) && !reward(i));
                let both = free.iter().copied().filter(|&i| own(i) && reward(i));
                let mut set: Vec<(usize, Use)> = only
                    .chain(both)
                    .take(usize::try_from(*buy).unwrap())
                    .map(|i| (i, Use::Qualifies))
                    .collect();
                let rest: Vec<usize> = free
                    .iter()
                    .copied()
                    .filter(|&i| reward(i) && set.iter().all(|(s, _)| *s != i))
                    .take(usize::try_from(*get).unwrap())
                    .collect();
                set.extend(rest.into_iter().map(|i| (i, Use::Rewarded)));
                (set.len() == usize::try_from(buy + get).unwrap()).then_some(set)
            }
            PromotionKind::MixAndMatch { n, price_minor } => {
                one_pool(&free, 0, *n, false, own, |i| item(i).id).filter(|set| {
                    let worth: i128 = worth_per_line(basket.lines.len(), units, set).iter().sum();
                    worth > i128::from(*price_minor)
                })
            }
            _ => None,
        };
        let Some(set) = set else { break };
        free.retain(|i| set.iter().all(|(s, _)| s != i));
        sets.push(set);
    }
    sets
}

fn one_pool(
    free: &[usize],
    pay: u32,
    reward: u32,
    same_item: bool,
    own: impl Fn(usize) -> bool,
    item: impl Fn(usize) -> ItemId,
) -> Option<Vec<(usize, Use)>> {
    let (pay, size) = (
        usize::try_from(pay).unwrap(),
        usize::try_from(pay + reward).unwrap(),
    );
    let pool: Vec<usize> = free.iter().copied().filter(|&i| own(i)).collect();
    let mut starts = pool.clone();
    if !same_item {
        starts.truncate(1);
    }
    for start in starts {
        let members = pool
            .iter()
            .copied()
            .filter(|&i| !same_item || item(i) == item(start));
        let set: Vec<usize> = members.take(size).collect();
        if set.len() == size {
            let mark = |(place, i)| {
                (
                    i,
                    if place < pay {
                        Use::Qualifies
                    } else {
                        Use::Rewarded
                    },
                )
            };
            return Some(set.into_iter().enumerate().map(mark).collect());
        }
    }
    None
}
