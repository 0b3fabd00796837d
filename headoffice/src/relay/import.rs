//! A bank's list, read in from a file: the last word on what came in when no provider could be asked.
//!
//! CSV in UTF-8 with a header line: `reference,amount,memo,time`. `amount` is whole đồng, digits only, for Pix reais as
//! `37.00`; `time` is `YYYY-MM-DD HH:MM:SS` in Vietnam, for Pix in UTC, and may be empty. With one row that cannot be
//! read, nothing is read in.

use super::{
    credits::{Source, Taken},
    ledger::AccountId,
};
use crate::store::{Store, StoreError};
use payqr::provider::{Credit, Currency, Provider, pix, time};
use rusqlite::OptionalExtension;

/// Why a list was not read in. Nothing was kept.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The settings have no such account.
    #[error("there is no payment account {0}; the names are those of the [[payment]] sections")]
    NoAccount(String),
    /// The header has other columns.
    #[error("the first line must name the columns reference, amount, memo and time")]
    Header,
    /// A row cannot be read.
    #[error("line {line}: {what}; correct it and read the whole file in again")]
    Row {
        /// Line in the file, from 1.
        line: u64,
        /// What is wrong.
        what: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a list came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Imported {
    /// Credits that were not known, with an order.
    pub matched: u64,
    /// Credits that were not known, for a person to look at.
    pub unmatched: u64,
    /// Known already.
    pub known: u64,
    /// Known with other money.
    pub conflicts: u64,
}

impl Store {
    /// Reads a bank's list in. Reading it in again changes nothing.
    ///
    /// # Errors
    /// [`ImportError`].
    pub fn import_credits(&self, account: &str, csv: &[u8]) -> Result<Imported, ImportError> {
        let found: Option<(i64, String, String)> = self.read(|db| {
            Ok(db
                .query_row(
                    "SELECT id, provider, account_number FROM payment_account WHERE name = ?1",
                    [account],
                    |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
                )
                .optional()?)
        })?;
        let Some((id, provider, number)) = found else {
            return Err(ImportError::NoAccount(account.into()));
        };
        let credits = read(csv, &provider, &number)?;
        let newest_ms = credits
            .iter()
            .filter_map(|credit| credit.bank_time_ms)
            .max();
        let mut imported = Imported::default();
        for credit in &credits {
            match self.take_credit(AccountId(id), credit, Source::Import)? {
                Taken::New(Some(_)) => imported.matched += 1,
                Taken::New(None) => imported.unmatched += 1,
                Taken::Known => imported.known += 1,
                Taken::Conflict => imported.conflicts += 1,
            }
        }
        if let Some(newest_ms) = newest_ms {
            // A bank's list has everything up to its newest row.
            self.note_list_reach(AccountId(id), newest_ms)?;
        }
        self.match_by_staff()?;
        Ok(imported)
    }
}

/// Minor units above zero.
fn amount_of(text: &str, provider: Provider) -> Option<i64> {
    let minor = if provider == Provider::Pix {
        text.parse::<pix::Reais>().ok().map(|reais| reais.0)
    } else {
        let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| plain)
    };
    minor.filter(|minor| *minor > 0)
}

fn read(csv: &[u8], provider: &str, account: &str) -> Result<Vec<Credit>, ImportError> {
    let (provider, currency, offset_minutes) = match provider {
        "payos" => (Provider::PayOs, Currency::Vnd, time::VIETNAM_OFFSET_MINUTES),
        "pix" => (Provider::Pix, Currency::Brl, 0),
        _ => (Provider::SePay, Currency::Vnd, time::VIETNAM_OFFSET_MINUTES),
    };
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(csv.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(csv));
    let headers = reader.headers().map_err(|_| ImportError::Header)?.clone();
    let column = |name: &str| {
        let found = headers.iter().position(|h| h.eq_ignore_ascii_case(name));
        found.ok_or(ImportError::Header)
    };
    let (reference, amount) = (column("reference")?, column("amount")?);
    let (memo, at) = (column("memo")?, column("time")?);
    let mut credits = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| ImportError::Row {
            line: error.position().map_or(0, csv::Position::line),
            what: "the line cannot be read as UTF-8 with four columns".into(),
        })?;
        let line = row.position().map_or(0, csv::Position::line);
        let wrong = |what: &str| ImportError::Row {
            line,
            what: what.into(),
        };
        let text = |column: usize| row.get(column).unwrap_or_default();
        let amount_minor = amount_of(text(amount), provider);
        if text(reference).is_empty() {
            return Err(wrong("the reference is missing"));
        }
        let time_text = text(at);
        let bank_time_ms = time::parse(time_text, offset_minutes);
        if !time_text.is_empty() && bank_time_ms.is_none() {
            return Err(wrong("the time is not of the form 2026-11-28 14:05:00"));
        }
        credits.push(Credit {
            provider,
            reference: text(reference).to_owned(),
            reference_is_derived: false,
            account: account.to_owned(),
            amount_minor: amount_minor.ok_or_else(|| {
                wrong("the amount is not whole đồng above zero, digits only (Pix: 37.00)")
            })?,
            currency,
            memo: text(memo).to_owned(),
            provider_order: None,
            bank_time_ms,
        });
    }
    Ok(credits)
}
