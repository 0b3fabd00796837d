//! Completed sales as rows, and how often each item was sold.

use std::collections::HashMap;

use checkout::till::{Sale, SaleLine, Tender, TenderKind};
use checkout::{TaxTotal, TaxTreatment};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::engine::Engine;
use super::error::StoreError;
use super::journal::i64_of;

/// Business dates whose sales count for "best sellers".
const SOLD_DAYS: u32 = 28;

/// A completed sale as the store keeps it: columns for the counter, and the whole sale as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaleRecord {
    /// Receipt number, unique in its journal.
    pub receipt_number: u64,
    /// The random id of the visit.
    pub visit_id: String,
    /// Business date, ISO 8601.
    pub business_date: String,
    /// Unix milliseconds UTC.
    pub completed_ms: i64,
    /// ISO 4217 code.
    pub currency: String,
    /// Before discounts, in minor units.
    pub subtotal_minor: i64,
    /// What promotions took off.
    pub discount_minor: i64,
    /// Deposits.
    pub deposit_minor: i64,
    /// Cash rounding, signed.
    pub rounding_minor: i64,
    /// What was paid.
    pub total_minor: i64,
    /// The lines in order.
    pub lines: Vec<SaleLineRecord>,
    /// The tenders in order.
    pub tenders: Vec<SaleTenderRecord>,
    /// VAT per rate.
    pub taxes: Vec<SaleTaxRecord>,
    /// The whole sale as JSON.
    pub body: String,
}

impl SaleRecord {
    /// The record of a sale of the till.
    ///
    /// # Errors
    /// [`StoreError::Refused`] when the sale has no JSON form (a fault of its type).
    pub fn of(sale: &Sale) -> Result<Self, StoreError> {
        let body = serde_json::to_string(sale)
            .map_err(|error| StoreError::Refused(format!("sale: {error}")))?;
        Ok(Self {
            receipt_number: sale.receipt_number,
            visit_id: sale.visit.0.clone(),
            business_date: sale.business_date.to_string(),
            completed_ms: sale.completed_wall_ms,
            currency: sale.currency.code().to_owned(),
            subtotal_minor: sale.subtotal_minor,
            discount_minor: sale.discount_minor,
            deposit_minor: sale.deposit_minor,
            rounding_minor: sale.rounding_minor,
            total_minor: sale.total_minor,
            lines: sale.lines.iter().map(SaleLineRecord::of).collect(),
            tenders: sale.tenders.iter().map(SaleTenderRecord::of).collect(),
            taxes: sale.taxes.iter().map(SaleTaxRecord::of).collect(),
            body,
        })
    }
}

impl SaleLineRecord {
    fn of(line: &SaleLine) -> Self {
        Self {
            item_code: line.code.clone(),
            name: line.name.clone(),
            quantity_milli: line.quantity.milli,
            unit_price_minor: line.unit_price_minor,
            discount_minor: line.discount_minor,
            net_minor: line.net_minor,
            deposit_minor: line.deposit_minor,
            basis_points: line.tax_basis_points,
        }
    }
}

impl SaleTenderRecord {
    fn of(tender: &Tender) -> Self {
        let kind = match tender.kind {
            TenderKind::Qr => "qr",
            TenderKind::Card => "card",
            TenderKind::Cash => "cash",
            TenderKind::Voucher => "voucher",
        };
        Self {
            kind: kind.to_owned(),
            amount_minor: tender.amount_minor,
            attempt: tender.attempt.0,
        }
    }
}

impl SaleTaxRecord {
    fn of(tax: &TaxTotal) -> Self {
        Self {
            basis_points: rate_column(tax),
            base_minor: tax.base_minor,
            tax_minor: tax.tax_minor,
            gross_minor: tax.gross_minor,
        }
    }
}

/// The rate as a column that keeps "no rate" apart from 0 %.
fn rate_column(tax: &TaxTotal) -> i64 {
    match tax.treatment {
        TaxTreatment::Rated => i64::from(tax.basis_points),
        TaxTreatment::Exempt => -1,
        TaxTreatment::NotDeclared => -2,
    }
}

/// A line of a [`SaleRecord`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaleLineRecord {
    /// The shop's code of the item.
    pub item_code: String,
    /// Its name as printed.
    pub name: String,
    /// Thousandths of the unit.
    pub quantity_milli: i64,
    /// Price per unit in minor units.
    pub unit_price_minor: i64,
    /// What promotions took off this line.
    pub discount_minor: i64,
    /// After discounts.
    pub net_minor: i64,
    /// Deposit on this line.
    pub deposit_minor: i64,
    /// VAT rate: 800 is 8 %.
    pub basis_points: u32,
}

/// A tender of a [`SaleRecord`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaleTenderRecord {
    /// `card`, `qr`, `cash` …
    pub kind: String,
    /// Minor units.
    pub amount_minor: i64,
    /// The attempt that succeeded (0: none, as with cash).
    pub attempt: u64,
}

/// VAT at one rate of a [`SaleRecord`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaleTaxRecord {
    /// The rate: 800 is 8 %; -1 what is not subject to VAT, -2 what is not declared, as e-invoice services number them.
    pub basis_points: i64,
    /// Without VAT.
    pub base_minor: i64,
    /// The VAT.
    pub tax_minor: i64,
    /// With VAT.
    pub gross_minor: i64,
}

/// Writes the rows of a sale. A receipt number that was used before is refused by the schema.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    journal_no: i64,
    sale: &SaleRecord,
) -> rusqlite::Result<()> {
    transaction
        .prepare_cached(
            "INSERT INTO sale (journal_no, receipt_number, visit_id, business_date, completed_ms, currency, subtotal_minor,
                               discount_minor, deposit_minor, rounding_minor, total_minor, body)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            journal_no,
            i64_of(sale.receipt_number),
            sale.visit_id,
            sale.business_date,
            sale.completed_ms,
            sale.currency,
            sale.subtotal_minor,
            sale.discount_minor,
            sale.deposit_minor,
            sale.rounding_minor,
            sale.total_minor,
            sale.body,
        ])?;
    let sale_no = transaction.last_insert_rowid();
    insert_parts(transaction, sale_no, sale)
}

fn insert_parts(
    transaction: &Transaction<'_>,
    sale_no: i64,
    sale: &SaleRecord,
) -> rusqlite::Result<()> {
    let mut add = transaction.prepare_cached(
        "INSERT INTO sale_line (sale_no, line_no, item_code, name, quantity_milli, unit_price_minor, discount_minor,
                                net_minor, deposit_minor, basis_points)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    for (line, number) in sale.lines.iter().zip(1_i64..) {
        add.execute(params![
            sale_no,
            number,
            line.item_code,
            line.name,
            line.quantity_milli,
            line.unit_price_minor,
            line.discount_minor,
            line.net_minor,
            line.deposit_minor,
            line.basis_points,
        ])?;
    }
    let mut add = transaction.prepare_cached(
        "INSERT INTO sale_tender (sale_no, tender_no, kind, amount_minor, attempt) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (tender, number) in sale.tenders.iter().zip(1_i64..) {
        let attempt = i64_of(tender.attempt);
        add.execute(params![
            sale_no,
            number,
            tender.kind,
            tender.amount_minor,
            attempt
        ])?;
    }
    let mut add = transaction.prepare_cached(
        "INSERT INTO sale_tax (sale_no, basis_points, base_minor, tax_minor, gross_minor)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for tax in &sale.taxes {
        add.execute(params![
            sale_no,
            tax.basis_points,
            tax.base_minor,
            tax.tax_minor,
            tax.gross_minor
        ])?;
    }
    Ok(())
}

/// Counts the lines of sales that are not counted yet. Not part of the sale's own transaction: it would write a page
/// for nearly every line, and the lines say it all.
pub(super) fn fold_sold(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let counted = transaction.execute(
        "INSERT INTO item_sold (business_date, item_code, times)
         SELECT business_date, item_code, count(*) FROM sale JOIN sale_line USING (sale_no)
         WHERE sale_no > (SELECT sale_no FROM item_sold_upto)
         GROUP BY business_date, item_code
         ON CONFLICT (business_date, item_code) DO UPDATE SET times = times + excluded.times",
        [],
    )?;
    if counted > 0 {
        let upto = "UPDATE item_sold_upto SET sale_no = (SELECT max(sale_no) FROM sale)";
        transaction.execute(upto, [])?;
    }
    transaction.commit()
}

/// How often each item was sold in the newest [`SOLD_DAYS`] business dates.
pub(super) fn load_sold(connection: &Connection) -> rusqlite::Result<HashMap<String, u32>> {
    let mut statement = connection.prepare(
        "SELECT item_code, sum(times) FROM item_sold
         WHERE business_date IN (SELECT DISTINCT business_date FROM item_sold ORDER BY business_date DESC LIMIT ?1)
         GROUP BY item_code",
    )?;
    let rows = statement.query_map([SOLD_DAYS], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Adds a sale to the counts held in memory.
pub(super) fn count_sold(sold: &mut HashMap<String, u32>, sale: &SaleRecord) {
    for line in &sale.lines {
        match sold.get_mut(&line.item_code) {
            Some(times) => *times = times.saturating_add(1),
            None => {
                sold.insert(line.item_code.clone(), 1);
            }
        }
    }
}

impl Engine {
    /// The newest sale with this receipt number, as JSON.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn sale_json(&self, receipt_number: u64) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row(
                "SELECT body FROM sale WHERE receipt_number = ?1 ORDER BY journal_no DESC LIMIT 1",
                [i64_of(receipt_number)],
                |row| row.get(0),
            )
            .optional()
            .map_err(|error| self.sql(&error))
    }

    /// The newest business date with a sale, ISO 8601; `None` before the first.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn last_business_date(&self) -> Result<Option<String>, StoreError> {
        self.connection
            .query_row("SELECT max(business_date) FROM sale", [], |row| row.get(0))
            .map_err(|error| self.sql(&error))
    }

    /// The sales of a business date as JSON, newest first, at most `limit`.
    ///
    /// # Errors
    /// When the rows cannot be read.
    pub fn sales_json(&self, business_date: &str, limit: u32) -> Result<Vec<String>, StoreError> {
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare_cached(
                "SELECT body FROM sale WHERE business_date = ?1 ORDER BY sale_no DESC LIMIT ?2",
            )?;
            let rows = statement.query_map(params![business_date, limit], |row| row.get(0))?;
            rows.collect()
        };
        read().map_err(|error| self.sql(&error))
    }
}
