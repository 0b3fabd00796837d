//! Which promotions apply; the rule is written in [`crate::pricing`].

use crate::basket::{Basket, coupon_code};
use crate::claim::{Candidate, Claim, Entry, Goods, discount_of};
use crate::clock::LocalDateTime;
use crate::pricing::{AppliedDiscount, LineShare, PricedLine, Rules};

/// Up to this many promotions of one priority that compete for the same lines
/// are tried in every order and subset (326 ways for five).
pub const EXHAUSTIVE_MAX: usize = 5;

/// One promotion's part of the outcome.
#[derive(Clone)]
struct Taking {
    /// Index of the candidate.
    candidate: usize,
    claims: Vec<Claim>,
}

/// Applies the promotions of `rules`: lowers the lines (which are those of
/// `basket`, in its order) and says what was given.
pub(crate) fn apply(
    basket: &Basket,
    rules: &Rules,
    at: LocalDateTime,
    lines: &mut [PricedLine],
) -> Vec<AppliedDiscount> {
    let candidates = candidates(basket, rules, at, lines);
    let mut discounts = Vec::new();
    let pool = pool(basket, lines);
    for taking in choose(&candidates, pool.clone()) {
        discounts.extend(settle(&candidates, &taking, &pool, lines));
    }
    for (index, candidate) in candidates.iter().enumerate() {
        if !candidate.promotion.stackable {
            continue;
        }
        let pool = self::pool(basket, lines);
        let taking = Taking {
            candidate: index,
            claims: candidate.claims(&pool),
        };
        discounts.extend(settle(&candidates, &taking, &pool, lines));
    }
    discounts
}

/// The promotions that run, whose coupon is there and whose minimum is met, by
/// priority and id.
fn candidates<'a>(
    basket: &Basket,
    rules: &'a Rules,
    at: LocalDateTime,
    lines: &[PricedLine],
) -> Vec<Candidate<'a>> {
    let coupons: Vec<String> = basket
        .coupons
        .iter()
        .filter_map(|c| coupon_code(c))
        .collect();
    let mut candidates: Vec<Candidate<'a>> = rules
        .promotions
        .iter()
        .filter(|promotion| promotion.when.contains(at) && promotion.check().is_ok())
        .filter(|promotion| match promotion.coupon.as_deref() {
            Some(code) => coupon_code(code).is_some_and(|code| coupons.contains(&code)),
            None => true,
        })
        .map(|promotion| Candidate::new(promotion, basket.lines.iter().map(|line| &line.item)))
        .filter(|candidate| {
            let in_scope = lines.iter().zip(&candidate.own).filter(|(_, own)| **own);
            let worth = in_scope.fold(0_i64, |sum, (line, _)| sum.saturating_add(line.gross_minor));
            worth >= candidate.promotion.minimum_minor
        })
        .collect();
    candidates.sort_by_key(|candidate| (candidate.promotion.priority, candidate.promotion.id));
    candidates
}

/// What is left to pay of each line, dearest unit first, then by item and line,
/// so that the order of the basket does not matter.
fn pool(basket: &Basket, lines: &[PricedLine]) -> Vec<Entry> {
    let mut pool: Vec<Entry> = basket
        .lines
        .iter()
        .zip(lines)
        .enumerate()
        .map(|(index, (line, priced))| {
            let (goods, count) = if line.price_override_minor.is_some() {
                (Goods::Labelled, 1)
            } else if line.item.unit.is_piece() {
                (Goods::Pieces, line.quantity.milli / 1000)
            } else {
                let milli = line.quantity.milli;
                (Goods::Measured { milli }, 1)
            };
            Entry {
                line: index,
                item: line.item.id,
                goods,
                count,
                value_minor: priced.net_minor,
            }
        })
        .collect();
    pool.sort_by(|a, b| {
        let tie = |entry: &Entry| (entry.item, lines[entry.line].line);
        a.dearer(b).then_with(|| tie(a).cmp(&tie(b)))
    });
    pool
}

/// The promotions that are not stackable, and what each takes of `pool`.
fn choose(candidates: &[Candidate<'_>], mut pool: Vec<Entry>) -> Vec<Taking> {
    let mut chosen = Vec::new();
    let mut rest: Vec<usize> = (0..candidates.len())
        .filter(|&index| !candidates[index].promotion.stackable)
        .collect();
    while let Some(&first) = rest.first() {
        let priority = candidates[first].promotion.priority;
        let (mut tier, later): (Vec<usize>, Vec<usize>) = rest
            .into_iter()
            .partition(|&index| candidates[index].promotion.priority == priority);
        rest = later;
        // What gives nothing on all the goods gives nothing on fewer.
        tier.retain(|&index| !candidates[index].claims(&pool).is_empty());
        let mut takings: Vec<Taking> = rivals(candidates, &tier, pool.len())
            .iter()
            .flat_map(|rivals| best(candidates, rivals, &pool))
            .collect();
        takings.sort_by_key(|taking| taking.candidate);
        for taking in &takings {
            take(&mut pool, &taking.claims);
        }
        chosen.extend(takings);
    }
    chosen
}

/// Splits a tier into groups that share no line, directly or through others.
fn rivals(candidates: &[Candidate<'_>], tier: &[usize], lines: usize) -> Vec<Vec<usize>> {
    let mut group: Vec<usize> = (0..tier.len()).collect();
    for line in 0..lines {
        let touching: Vec<usize> = (0..tier.len())
            .filter(|&member| candidates[tier[member]].touches(line))
            .map(|member| group[member])
            .collect();
        if let Some(&lowest) = touching.iter().min() {
            for member in &mut group {
                if touching.contains(member) {
                    *member = lowest;
                }
            }
        }
    }
    let mut groups: Vec<Vec<usize>> = vec![Vec::new(); tier.len()];
    for (member, &group) in group.iter().enumerate() {
        groups[group].push(tier[member]);
    }
    groups.retain(|group| !group.is_empty());
    groups
}

/// The best use of promotions that compete for the same lines.
fn best(candidates: &[Candidate<'_>], rivals: &[usize], pool: &[Entry]) -> Vec<Taking> {
    if rivals.len() > EXHAUSTIVE_MAX {
        return greedy(candidates, rivals, pool);
    }
    let mut search = Search {
        candidates,
        best: Vec::new(),
        best_minor: 0,
        path: Vec::new(),
    };
    search.visit(rivals, pool, 0);
    search.best
}

/// Depth first through every order of every subset, lower ids first; only a
/// larger discount replaces what was found.
struct Search<'c, 'p> {
    candidates: &'c [Candidate<'p>],
    best: Vec<Taking>,
    best_minor: i64,
    path: Vec<Taking>,
}

impl Search<'_, '_> {
    fn visit(&mut self, unused: &[usize], pool: &[Entry], given_minor: i64) {
        if given_minor > self.best_minor {
            self.best_minor = given_minor;
            self.best.clone_from(&self.path);
        }
        for (position, &candidate) in unused.iter().enumerate() {
            let claims = self.candidates[candidate].claims(pool);
            if claims.is_empty() {
                continue;
            }
            let given_minor = given_minor.saturating_add(discount_of(&claims));
            let mut pool = pool.to_vec();
            take(&mut pool, &claims);
            let mut unused = unused.to_vec();
            unused.remove(position);
            self.path.push(Taking { candidate, claims });
            self.visit(&unused, &pool, given_minor);
            self.path.pop();
        }
    }
}

/// Takes the promotion that gives most on what is left, until none gives.
fn greedy(candidates: &[Candidate<'_>], rivals: &[usize], pool: &[Entry]) -> Vec<Taking> {
    let mut pool = pool.to_vec();
    let mut unused = rivals.to_vec();
    let mut takings = Vec::new();
    loop {
        let offers = unused.iter().map(|&candidate| Taking {
            candidate,
            claims: candidates[candidate].claims(&pool),
        });
        // `max_by_key` keeps the last of equals: reversed, that is the lowest id.
        let Some(most) = offers.rev().max_by_key(|offer| discount_of(&offer.claims)) else {
            return takings;
        };
        if most.claims.is_empty() {
            return takings;
        }
        take(&mut pool, &most.claims);
        unused.retain(|&candidate| candidate != most.candidate);
        takings.push(most);
    }
}

/// Removes the claimed units, at what they were worth.
fn take(pool: &mut [Entry], claims: &[Claim]) {
    for claim in claims {
        let entry = &mut pool[claim.entry];
        entry.value_minor -= entry.value_of(claim.taken);
        entry.count -= claim.taken;
    }
}

/// Takes the claimed discounts off the lines.
fn settle(
    candidates: &[Candidate<'_>],
    taking: &Taking,
    pool: &[Entry],
    lines: &mut [PricedLine],
) -> Option<AppliedDiscount> {
    let mut claims: Vec<(usize, i64)> = taking
        .claims
        .iter()
        .filter(|claim| claim.discount_minor > 0)
        .map(|claim| (pool[claim.entry].line, claim.discount_minor))
        .collect();
    claims.sort_unstable();
    let mut shares = Vec::with_capacity(claims.len());
    for (index, amount_minor) in claims {
        let line = &mut lines[index];
        line.discount_minor += amount_minor;
        line.net_minor -= amount_minor;
        shares.push(LineShare {
            line: line.line,
            amount_minor,
        });
    }
    let promotion = candidates[taking.candidate].promotion;
    (!shares.is_empty()).then(|| AppliedDiscount {
        promotion: promotion.id,
        name: promotion.name.clone(),
        names: promotion.names.clone(),
        coupon: promotion.coupon.as_deref().and_then(coupon_code),
        amount_minor: discount_of(&taking.claims),
        lines: shares,
    })
}
