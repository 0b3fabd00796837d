//! One business day as figures: first whether the data is complete, then what it says.

mod completeness;

pub use completeness::{Completeness, DayStatus, DeviceStatus};

use crate::{
    numbers::{self, Index, Interval, Share},
    project::local_date,
    store::{Store, StoreError},
};
use rusqlite::{Connection, params};
use serde::Serialize;

/// How many sales the page lists.
const LATEST: i64 = 12;

/// A business day.
#[derive(Debug, Clone, Serialize)]
pub struct Today {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// True when `date` is the current day.
    pub is_current: bool,
    /// When these figures were read, milliseconds since 1970-01-01 UTC.
    pub now_ms: i64,
    /// Events known to exist and not stored.
    pub missing_events: u64,
    /// Who has told what.
    pub completeness: Completeness,
    /// What was sold.
    pub sales: Sales,
    /// How it felt.
    pub taps: Taps,
    /// Baskets with items.
    pub baskets: Baskets,
    /// Payments nobody can say the end of yet, of any day.
    pub in_doubt: Vec<Doubt>,
}

/// What was sold on a day.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sales {
    /// Completed sales.
    pub count: u64,
    /// Value for each currency; amounts of different currencies are never added.
    pub by_currency: Vec<CurrencyTotal>,
    /// Value for each way to pay.
    pub by_tender: Vec<TenderTotal>,
    /// Tax for each rate.
    pub by_tax: Vec<TaxTotal>,
    /// The last sales, newest first.
    pub latest: Vec<LatestSale>,
}

/// Value in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CurrencyTotal {
    /// ISO 4217.
    pub currency: String,
    /// Sales in it.
    pub count: u64,
    /// Their total in minor units.
    pub total_minor: i64,
    /// Given back that day, in minor units.
    pub refunded_minor: i64,
}

/// Value paid one way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TenderTotal {
    /// `cash`, `card`, `qr`, `transfer`, `voucher`.
    pub method: String,
    /// ISO 4217.
    pub currency: String,
    /// Tenders.
    pub count: u64,
    /// Their sum in minor units.
    pub amount_minor: i64,
}

/// Tax of one rate, or of goods the law treats in one way without a rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TaxTotal {
    /// Basis points: 800 is 8 %.
    pub rate_basis_points: u32,
    /// `exempt` or `not_declared` for goods without a rate, which are no rate of zero.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treatment: Option<String>,
    /// ISO 4217.
    pub currency: String,
    /// Taxed amount without tax, in minor units.
    pub net_minor: i64,
    /// Tax in minor units.
    pub tax_minor: i64,
}

/// One line of the list of sales.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LatestSale {
    /// When, by the kiosk's clock.
    pub wall_ms: i64,
    /// Kiosk's name.
    pub device_name: String,
    /// Store's name.
    pub store_name: String,
    /// Receipt number.
    pub receipt_number: String,
    /// Lines on the receipt.
    pub line_count: u64,
    /// ISO 4217.
    pub currency: String,
    /// Total in minor units.
    pub total_minor: i64,
    /// Ways it was paid.
    pub methods: Vec<String>,
    /// The face tapped, if any: 0 very unhappy to 4 very happy.
    pub face: Option<u8>,
}

/// The answers to the exit question.
#[derive(Debug, Clone, Serialize)]
pub struct Taps {
    /// The scale these counts are on. Other scales are never pooled with it.
    pub scale_id: Option<String>,
    /// Answers from very unhappy to very happy.
    pub faces: [u64; 5],
    /// Answers in all.
    pub n: u64,
    /// Answers on other scales, not in `faces`.
    pub other_scales_n: u64,
    /// Satisfied share, when there are enough answers.
    pub csat: Option<Share>,
    /// Dissatisfied share, when there are enough answers.
    pub dsat: Option<Share>,
    /// Index 0 to 100, when there are enough answers.
    pub index: Option<Index>,
    /// Times the question was shown.
    pub asked: u64,
    /// Answers for each time it was shown, when shown often enough.
    pub response: Option<Share>,
    /// What the satisfied share could be if every buyer had answered.
    pub bounds: Option<Interval>,
    /// Reasons shown and chosen.
    pub reasons: Vec<Reason>,
}

/// A reason of the follow-up question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// Touchpoint id or reason key, as the kiosk is configured.
    pub touchpoint: String,
    /// True when given after one of the two happy faces (praise), false after the others (complaint).
    pub happy: bool,
    /// Times shown.
    pub shown: u64,
    /// Times chosen.
    pub chosen: u64,
}

/// Baskets with at least one item.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Baskets {
    /// Visits with at least one item.
    pub with_items: u64,
    /// Of these, visits that ended without a sale.
    pub left: u64,
}

/// A payment in doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Doubt {
    /// Kiosk's name.
    pub device_name: String,
    /// Store's name.
    pub store_name: String,
    /// How it was being paid, when known.
    pub method: Option<String>,
    /// ISO 4217, when known.
    pub currency: Option<String>,
    /// Minor units, when known.
    pub amount_minor: Option<i64>,
    /// When, by the kiosk's clock.
    pub wall_ms: i64,
}

impl Store {
    /// The figures of a business day; of the current day when `date` is `None`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn today(&self, date: Option<&str>) -> Result<Today, StoreError> {
        let now_ms = self.clock.now_ms();
        let current = local_date(now_ms, self.time_zone);
        let date = date.unwrap_or(&current).to_owned();
        self.read(|db| {
            let completeness = completeness::read(db, &date, now_ms, self)?;
            let sales = sales(db, &date)?;
            Ok(Today {
                is_current: date == current,
                now_ms,
                missing_events: completeness.missing,
                taps: taps(db, &date, sales.count)?,
                baskets: baskets(db, &date)?,
                in_doubt: in_doubt(db)?,
                completeness,
                sales,
                date,
            })
        })
    }
}

fn sales(db: &Connection, date: &str) -> Result<Sales, StoreError> {
    let by_currency = collect(
        db,
        "WITH sold AS (SELECT currency, count(*) AS n, sum(total_minor) AS total
                       FROM sale WHERE business_date = ?1 GROUP BY currency),
              back AS (SELECT currency, sum(amount_minor) AS total
                       FROM refund WHERE business_date = ?1 GROUP BY currency)
         SELECT currency, coalesce(sold.n, 0), coalesce(sold.total, 0), coalesce(back.total, 0)
         FROM sold FULL JOIN back USING (currency) ORDER BY 3 DESC, 1",
        date,
        |row| {
            Ok(CurrencyTotal {
                currency: row.get(0)?,
                count: count(row, 1)?,
                total_minor: row.get(2)?,
                refunded_minor: row.get(3)?,
            })
        },
    )?;
    let by_tender = collect(
        db,
        "SELECT method, currency, count(*), sum(amount_minor) FROM sale_tender
         JOIN sale USING (device, sale) WHERE business_date = ?1
         GROUP BY method, currency ORDER BY currency, 4 DESC",
        date,
        |row| {
            Ok(TenderTotal {
                method: row.get(0)?,
                currency: row.get(1)?,
                count: count(row, 2)?,
                amount_minor: row.get(3)?,
            })
        },
    )?;
    let by_tax = collect(
        db,
        "SELECT rate_basis_points, currency, sum(net_minor), sum(tax_minor), treatment FROM sale_tax
         JOIN sale USING (device, sale) WHERE business_date = ?1
         GROUP BY rate_basis_points, treatment, currency ORDER BY currency, treatment, rate_basis_points",
        date,
        |row| {
            Ok(TaxTotal {
                rate_basis_points: row.get(0)?,
                currency: row.get(1)?,
                net_minor: row.get(2)?,
                tax_minor: row.get(3)?,
                treatment: row.get(4)?,
            })
        },
    )?;
    let sold = by_currency.iter().map(|total| total.count).sum();
    Ok(Sales {
        count: sold,
        by_currency,
        by_tender,
        by_tax,
        latest: latest(db, date)?,
    })
}

fn latest(db: &Connection, date: &str) -> Result<Vec<LatestSale>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT sale.wall_ms, device.name, store.name, receipt_number, line_count, currency, total_minor,
                (SELECT group_concat(DISTINCT method) FROM sale_tender t WHERE t.device = sale.device AND t.sale = sale.sale),
                (SELECT face FROM tap WHERE tap.device = sale.device AND tap.sale = sale.sale)
         FROM sale JOIN device ON device.id = sale.device JOIN store ON store.id = device.store
         WHERE business_date = ?1
         ORDER BY sale.wall_ms DESC, sale.device, sale.seq DESC LIMIT ?2",
    )?;
    let rows = statement.query_map(params![date, LATEST], |row| {
        let methods: Option<String> = row.get(7)?;
        Ok(LatestSale {
            wall_ms: row.get(0)?,
            device_name: row.get(1)?,
            store_name: row.get(2)?,
            receipt_number: row.get(3)?,
            line_count: count(row, 4)?,
            currency: row.get(5)?,
            total_minor: row.get(6)?,
            methods: methods
                .unwrap_or_default()
                .split(',')
                .map(Into::into)
                .collect(),
            face: row.get(8)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A tap belongs to the business day of its sale; until the sale is here, to the day of its own clock.
const TAP_DAY: &str = "coalesce(sale.business_date, tap.local_date) = ?1";

fn taps(db: &Connection, date: &str, sold: u64) -> Result<Taps, StoreError> {
    let counts: Vec<(Option<String>, Option<u8>, u64)> = collect(
        db,
        &format!(
            "SELECT scale_id, face, count(*) FROM tap LEFT JOIN sale USING (device, sale)
             WHERE {TAP_DAY} GROUP BY scale_id, face ORDER BY scale_id, face"
        ),
        date,
        |row| Ok((row.get(0)?, row.get(1)?, count(row, 2)?)),
    )?;
    let asked = counts.iter().map(|(_, _, n)| n).sum();
    let answered: u64 = counts
        .iter()
        .filter(|(_, face, _)| face.is_some())
        .map(|(_, _, n)| n)
        .sum();
    let of_scale = |scale: &str| -> [u64; 5] {
        let mut faces = [0; 5];
        for (id, face, n) in &counts {
            if let (Some(id), Some(face)) = (id, face)
                && id == scale
                && let Some(slot) = faces.get_mut(usize::from(*face))
            {
                *slot += n;
            }
        }
        faces
    };
    let scale_id = counts
        .iter()
        .filter_map(|(id, face, _)| face.and(id.as_deref()))
        .max_by_key(|id| (of_scale(id).iter().sum::<u64>(), std::cmp::Reverse(*id)))
        .map(str::to_owned);
    let faces = scale_id.as_deref().map(of_scale).unwrap_or_default();
    let n = faces.iter().sum();
    let csat = numbers::csat(&faces);
    let coverage = if sold > 0 {
        (n as f64 / sold as f64).min(1.0)
    } else {
        0.0
    };
    Ok(Taps {
        scale_id,
        faces,
        n,
        other_scales_n: answered - n,
        csat,
        dsat: numbers::dsat(&faces),
        index: numbers::index(&faces),
        asked,
        response: numbers::share(answered, asked),
        bounds: csat.map(|csat| numbers::non_response_bounds(csat.share, coverage)),
        reasons: reasons(db, date)?,
    })
}

/// A reason praises or complains depending on the face it followed; the two are never added.
fn reasons(db: &Connection, date: &str) -> Result<Vec<Reason>, StoreError> {
    collect(
        db,
        "SELECT touchpoint, face >= 3, count(*), sum(chosen)
         FROM reason JOIN tap USING (device, sale) LEFT JOIN sale USING (device, sale)
         WHERE coalesce(sale.business_date, reason.local_date) = ?1 AND face IS NOT NULL
         GROUP BY 1, 2 HAVING sum(chosen) > 0 ORDER BY 4 DESC, 1 LIMIT 16",
        date,
        |row| {
            Ok(Reason {
                touchpoint: row.get(0)?,
                happy: row.get(1)?,
                shown: count(row, 2)?,
                chosen: count(row, 3)?,
            })
        },
    )
}

fn baskets(db: &Connection, date: &str) -> Result<Baskets, StoreError> {
    let rows = collect(
        db,
        "SELECT count(*), count(*) FILTER (WHERE sold = 0) FROM visit
         WHERE local_date = ?1 AND items > 0",
        date,
        |row| {
            Ok(Baskets {
                with_items: count(row, 0)?,
                left: count(row, 1)?,
            })
        },
    )?;
    Ok(rows.first().copied().unwrap_or_default())
}

fn in_doubt(db: &Connection) -> Result<Vec<Doubt>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT device.name, store.name, method, currency, amount_minor, wall_ms
         FROM attempt JOIN device ON device.id = attempt.device JOIN store ON store.id = device.store
         WHERE state = 'unknown' ORDER BY wall_ms DESC LIMIT 50",
    )?;
    let rows = statement.query_map([], |row| {
        Ok(Doubt {
            device_name: row.get(0)?,
            store_name: row.get(1)?,
            method: row.get(2)?,
            currency: row.get(3)?,
            amount_minor: row.get(4)?,
            wall_ms: row.get(5)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn collect<T>(
    db: &Connection,
    sql: &str,
    date: &str,
    read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, StoreError> {
    let mut statement = db.prepare_cached(sql)?;
    let rows = statement.query_map([date], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// A count column; SQLite has only signed integers and counts are never negative.
pub(crate) fn count(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}
