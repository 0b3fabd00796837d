use super::{
    parts::{Payer, SEPAY, Sale, account_of},
    world::World,
};
use headoffice::relay::credits::Found;
use payqr::{
    OrderCode,
    provider::{Provider, pix},
};
use std::collections::BTreeMap;
use touchpoint::relay::OrderState;

/// What the storm came to.
#[derive(Debug, Default)]
pub struct Report {
    pub sales: usize,
    pub transfers: usize,
    pub credits: usize,
    /// Transfers of the bank's ledger that are no credit.
    pub lost: Vec<String>,
    /// Transfers that are more than one credit, or credits that are no transfer.
    pub doubled: Vec<String>,
    /// Orders whose state is not the one the ledger says, with both.
    pub misnamed: Vec<String>,
    pub states: BTreeMap<String, u64>,
    pub unmatched: BTreeMap<String, u64>,
    pub odd_without_review: Vec<String>,
    pub tally: String,
    pub forged_taken: u64,
    pub kills: u64,
}

impl Report {
    pub fn assert_clean(&self) {
        let first = |list: &[String]| list.iter().take(5).cloned().collect::<Vec<_>>();
        assert!(self.lost.is_empty(), "lost: {:?}", first(&self.lost));
        assert!(
            self.doubled.is_empty(),
            "doubled: {:?}",
            first(&self.doubled)
        );
        assert!(
            self.misnamed.is_empty(),
            "misnamed {}: {:?}",
            self.misnamed.len(),
            first(&self.misnamed)
        );
        assert!(
            self.odd_without_review.is_empty(),
            "nobody would look at: {:?}",
            first(&self.odd_without_review)
        );
        assert_eq!(self.forged_taken, 0, "a forged notice was taken");
        assert_eq!(self.transfers, self.credits);
    }
}

struct Credit {
    id: i64,
    amount: i64,
    order: Option<String>,
    late: bool,
    review: bool,
}

pub fn audit(world: &World) -> Report {
    let credits = credits(world);
    let mut report = Report {
        sales: world.sales.len(),
        credits: credits.values().map(Vec::len).sum(),
        tally: format!("{:?}", world.tally),
        forged_taken: world.tally.forged_taken,
        kills: world.tally.kills,
        ..Report::default()
    };
    let mut known = 0;
    for transfer in world.bank.ledger() {
        report.transfers += 1;
        let account = account_of(transfer.provider);
        match credits
            .get(&(account, transfer.reference.clone()))
            .map(Vec::as_slice)
        {
            None => report.lost.push(format!("{transfer:?}")),
            Some([credit]) if credit.amount == transfer.amount_minor => known += 1,
            Some(_) => report.doubled.push(format!("{transfer:?}")),
        }
    }
    if known != report.credits {
        report
            .doubled
            .push(format!("{known} transfers are {} credits", report.credits));
    }
    orders(world, &credits, &mut report);
    unmatched(world, &credits, &mut report);
    report
}

/// Every credit on disk by account and reference.
fn credits(world: &World) -> BTreeMap<(usize, String), Vec<Credit>> {
    let mut all: BTreeMap<(usize, String), Vec<Credit>> = BTreeMap::new();
    world
        .store()
        .read(|db| {
            let mut statement = db.prepare(
                "SELECT payment_account.provider, reference, credit.id, amount_minor, order_code, late,
                        review.credit IS NOT NULL
                 FROM credit JOIN payment_account ON payment_account.id = credit.account
                 LEFT JOIN credit_match ON credit_match.credit = credit.id
                 LEFT JOIN review ON review.credit = credit.id",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let name: String = row.get(0)?;
                let of = [Provider::PayOs, Provider::SePay, Provider::Pix];
                let provider = of.into_iter().find(|known| known.name() == name).unwrap();
                let account = account_of(provider);
                let credit = Credit {
                    id: row.get(2)?,
                    amount: row.get(3)?,
                    order: row.get(4)?,
                    late: row.get::<_, Option<bool>>(5)?.unwrap_or(false),
                    review: row.get(6)?,
                };
                all.entry((account, row.get(1)?)).or_default().push(credit);
            }
            Ok(())
        })
        .unwrap();
    all
}

/// The transfers the bank booked for each sale, by what the payer meant.
fn truth(world: &World) -> BTreeMap<String, Vec<(i64, i64, String)>> {
    let mut meant: BTreeMap<String, Vec<(i64, i64, String)>> = BTreeMap::new();
    let prefix = payqr::StorePrefix::new("TD").unwrap();
    let ours = world.codes(|_| true);
    for transfer in world.bank.ledger() {
        let code = match &transfer.order {
            Some(id) if transfer.provider == Provider::Pix => pix::order_of(id),
            Some(id) => id.parse().ok().and_then(OrderCode::from_integer),
            // What looks like a code by chance is none of ours.
            None => OrderCode::find_all(&transfer.memo, prefix)
                .into_iter()
                .find(|code| ours.contains(&code.to_string())),
        };
        if let Some(code) = code {
            meant.entry(code.to_string()).or_default().push((
                transfer.amount_minor,
                transfer.at_ms,
                transfer.reference.clone(),
            ));
        }
    }
    meant
}

fn orders(world: &World, credits: &BTreeMap<(usize, String), Vec<Credit>>, report: &mut Report) {
    let truth = truth(world);
    let none = Vec::new();
    for sale in &world.sales {
        let code = sale.code.to_string();
        let Some(order) = world.store().order(&code).unwrap() else {
            report.misnamed.push(format!("{code} was never offered"));
            continue;
        };
        let booked = truth.get(&code).unwrap_or(&none);
        let judged = order.judged(i64::MAX, sale.account != SEPAY);
        *report
            .states
            .entry(format!("{:?}", judged.state))
            .or_default() += 1;
        let sum: i64 = booked.iter().map(|(amount, _, _)| amount).sum();
        let allowed = expected(sale, booked);
        if judged.received_minor != sum || !allowed.contains(&judged.state) {
            report.misnamed.push(format!(
                "{code} {sale:?}: {:?} {} of {sum}, allowed {allowed:?}",
                judged.state, judged.received_minor
            ));
        }
        for (_, at_ms, reference) in booked {
            let credit = &credits[&(sale.account, reference.clone())][0];
            let odd = !matches!(judged.state, OrderState::Paid);
            if credit.order.as_deref() != Some(&code) {
                report
                    .misnamed
                    .push(format!("{reference} is not at {code}"));
            }
            // A transfer booked after the withdrawal is late, whatever the clocks say.
            if sale.withdrawn_ms.is_some_and(|at| *at_ms > at) && !credit.late {
                report
                    .misnamed
                    .push(format!("{reference} of {code} is not late"));
            }
            if odd
                && !booked
                    .iter()
                    .any(|(_, _, r)| credits[&(sale.account, r.clone())][0].review)
            {
                report
                    .odd_without_review
                    .push(format!("{code} {:?}", judged.state));
            }
        }
    }
}

/// The states an order may be in, by what the bank booked and when it was withdrawn.
fn expected(sale: &Sale, booked: &[(i64, i64, String)]) -> Vec<OrderState> {
    let sum: i64 = booked.iter().map(|(amount, _, _)| amount).sum();
    if booked.is_empty() {
        return vec![OrderState::Closed, OrderState::Refused];
    }
    let after = |at: i64| booked.iter().any(|(_, booked_ms, _)| *booked_ms > at);
    if let Some(withdrawn) = sale.withdrawn_ms {
        if after(withdrawn) {
            return vec![OrderState::Late];
        }
        // Booked before, and perhaps not known in time: then it is late, and named so.
        return match sum.cmp(&sale.amount) {
            std::cmp::Ordering::Less => vec![OrderState::Under, OrderState::Late],
            _ => vec![OrderState::Late],
        };
    }
    let whole = booked.iter().any(|(amount, _, _)| *amount == sale.amount);
    match sum.cmp(&sale.amount) {
        std::cmp::Ordering::Less => vec![OrderState::Under],
        std::cmp::Ordering::Equal => vec![OrderState::Paid],
        std::cmp::Ordering::Greater if whole && booked.len() > 1 => vec![OrderState::Duplicate],
        std::cmp::Ordering::Greater => vec![OrderState::Over],
    }
}

/// Credits without an order: each has its name and somebody looks at it.
fn unmatched(world: &World, credits: &BTreeMap<(usize, String), Vec<Credit>>, report: &mut Report) {
    for ((_, reference), found) in credits {
        let credit = &found[0];
        if credit.order.is_some() {
            continue;
        }
        let name = world.store().why_unmatched(credit.id).unwrap();
        let word = match &name {
            Found::One { .. } => {
                report
                    .misnamed
                    .push(format!("{reference} has an order and is not at it"));
                "one"
            }
            Found::Several => "several",
            Found::OtherAccount(_) => "other_account",
            Found::OtherCurrency(_) => "other_currency",
            Found::Unknown(_) => "unknown_order",
            Found::CutOff(_) => "cut_off",
            Found::Nothing => "no_code",
        };
        *report.unmatched.entry(word.into()).or_default() += 1;
        if !credit.review {
            report.odd_without_review.push(reference.clone());
        }
    }
    let cut = world
        .codes(|sale| sale.payer == Payer::CutOff && sale.shown)
        .len() as u64;
    let seen = report.unmatched.get("cut_off").copied().unwrap_or(0);
    // Mangling may put the bank's own words behind the cut-off code; then it is no code at all.
    let nothing = report.unmatched.get("no_code").copied().unwrap_or(0);
    if seen + nothing < cut {
        report.misnamed.push(format!(
            "{cut} cut-off codes, {seen} named, {nothing} without code"
        ));
    }
}
