//! Credits on disk: each transfer once, whoever tells of it and however often, and the order it is for.
//!
//! A credit is matched by what the provider itself says, then by the order code in its text; always within its own
//! account, never by amount alone, never by text alone. What is not certain waits for a person.

use super::judge::{Counted, came_after, judge};
use super::ledger::{AccountId, read_order};
use crate::store::{Store, StoreError};
use payqr::{
    MemoMatch, OrderCode, StorePrefix,
    provider::{Credit, NotACredit, Provider, pix},
};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use touchpoint::{chain::sha256, hex, relay::CreditState};

/// Longest text of a transfer that is kept; banks carry less.
const MEMO_CHARACTERS_MAX: usize = 500;
/// Longest reference kept as it is.
const REFERENCE_BYTES_MAX: usize = 128;
/// An offer that becomes known after its money takes money seen this long before.
const WAITED_MS: i64 = 24 * 60 * 60 * 1_000;

/// Which way a credit was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A notice of the provider.
    Push,
    /// An answer to our question.
    Poll,
    /// A list somebody read in.
    Import,
}

impl Source {
    fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Poll => "poll",
            Self::Import => "import",
        }
    }
}

/// What became of a credit that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is new, and durable; for this order when that is certain.
    New(Option<String>),
    /// It was known.
    Known,
    /// The same reference was known with other money: a person looks.
    Conflict,
}

/// Which order a credit is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// This one.
    One {
        /// Its code.
        order: String,
        /// `provider` or `memo`.
        how: &'static str,
    },
    /// Several orders of the account are named.
    Several,
    /// An order of another account is named.
    OtherAccount(String),
    /// An order in another currency is named.
    OtherCurrency(String),
    /// A code is named that no kiosk offered here.
    Unknown(String),
    /// The text ends within a code.
    CutOff(String),
    /// No code at all.
    Nothing,
}

impl Store {
    /// Takes one credit.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was kept and the provider must tell it again.
    pub fn take_credit(
        &self,
        account: AccountId,
        credit: &Credit,
        source: Source,
    ) -> Result<Taken, StoreError> {
        let now_ms = self.clock.now_ms();
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let taken = take(&transaction, account, credit, source, now_ms)?;
        transaction.commit()?;
        Ok(taken)
    }

    /// Takes what an answer tells, and moves the cursor with it. Returns the orders that changed.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was kept and the cursor stays.
    pub fn take_credits(
        &self,
        account: AccountId,
        credits: &[Result<Credit, NotACredit>],
        cursor: Option<&str>,
        source: Source,
    ) -> Result<Vec<String>, StoreError> {
        let money: Vec<&Credit> = credits.iter().flatten().collect();
        if cursor.is_none() && self.all_known(account, &money)? {
            return Ok(Vec::new());
        }
        let now_ms = self.clock.now_ms();
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut changed = Vec::new();
        for credit in money {
            if let Taken::New(Some(order)) = take(&transaction, account, credit, source, now_ms)? {
                changed.push(order);
            }
        }
        if let Some(cursor) = cursor {
            transaction
                .prepare_cached(
                    "INSERT INTO poll_cursor (account, cursor, at_ms) VALUES (?1, ?2, ?3)
                     ON CONFLICT (account) DO UPDATE SET cursor = excluded.cursor, at_ms = excluded.at_ms",
                )?
                .execute(params![account.0, cursor, now_ms])?;
        }
        transaction.commit()?;
        Ok(changed)
    }

    /// Most answers tell only what is known: they need no write.
    fn all_known(&self, account: AccountId, credits: &[&Credit]) -> Result<bool, StoreError> {
        if credits.is_empty() {
            return Ok(true);
        }
        self.read(|db| {
            for credit in credits {
                let same: Option<bool> = db
                    .prepare_cached(
                        "SELECT amount_minor = ?3 AND currency = ?4 FROM credit WHERE account = ?1 AND reference = ?2",
                    )?
                    .query_row(
                        params![account.0, reference(credit), credit.amount_minor, credit.currency.code()],
                        |row| row.get(0),
                    )
                    .optional()?;
                if same != Some(true) {
                    return Ok(false);
                }
            }
            Ok(true)
        })
    }

    /// Which order a credit without one names, by what is known now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn why_unmatched(&self, credit: i64) -> Result<Found, StoreError> {
        self.read(|db| why(db, credit))
    }

    /// How far the account's list was read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn poll_cursor(&self, account: AccountId) -> Result<Option<String>, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached("SELECT cursor FROM poll_cursor WHERE account = ?1")?
                .query_row([account.0], |row| row.get(0))
                .optional()?)
        })
    }
}

/// Which order a credit names, by what is known now.
pub(super) fn why(db: &Connection, credit: i64) -> Result<Found, StoreError> {
    let (account, provider, currency, memo, provider_order): (
        i64,
        String,
        String,
        String,
        Option<String>,
    ) = db
        .prepare_cached(
            "SELECT account, provider, currency, memo, provider_order FROM credit
             JOIN payment_account ON payment_account.id = credit.account WHERE credit.id = ?1",
        )?
        .query_row([credit], |row| {
            Ok((
                row.get(0)?,
                row.get(1)?,
                row.get(2)?,
                row.get(3)?,
                row.get(4)?,
            ))
        })?;
    let told = Told {
        provider: &provider,
        currency: &currency,
        memo: &memo,
        provider_order: provider_order.as_deref(),
    };
    find_told(db, AccountId(account), &told)
}

/// The bank's reference, or what stands for one that is missing or absurd.
fn reference(credit: &Credit) -> String {
    let given = credit.reference.trim();
    if !given.is_empty() && given.len() <= REFERENCE_BYTES_MAX {
        return given.to_owned();
    }
    let parts = format!(
        "{given}\n{}\n{}\n{:?}\n{}\n{:?}",
        credit.account,
        credit.amount_minor,
        credit.bank_time_ms,
        credit.memo,
        credit.provider_order
    );
    format!("derived-{}", &hex::encode(&sha256(parts.as_bytes()))[..32])
}

fn take(
    db: &Transaction<'_>,
    account: AccountId,
    credit: &Credit,
    source: Source,
    now_ms: i64,
) -> Result<Taken, StoreError> {
    let reference = reference(credit);
    let memo: String = credit.memo.chars().take(MEMO_CHARACTERS_MAX).collect();
    let id: Option<i64> = db
        .prepare_cached(
            "INSERT INTO credit (account, reference, amount_minor, currency, memo, provider_order, bank_ms, seen_ms, source)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (account, reference) DO NOTHING RETURNING id",
        )?
        .query_row(
            params![
                account.0,
                reference,
                credit.amount_minor,
                credit.currency.code(),
                memo,
                credit.provider_order,
                credit.bank_time_ms,
                now_ms,
                source.as_str(),
            ],
            |row| row.get(0),
        )
        .optional()?;
    let Some(id) = id else {
        return told_again(db, account, credit, &reference, source, now_ms);
    };
    match find(db, account, credit)? {
        Found::One { order, how } => {
            bind(db, id, &order, how, now_ms)?;
            Ok(Taken::New(Some(order)))
        }
        _ => {
            if !is_history(db, account, credit.bank_time_ms)? {
                queue(db, id, true)?;
            }
            Ok(Taken::New(None))
        }
    }
}

/// A transfer from before the account was used here is nobody's riddle.
fn is_history(
    db: &Connection,
    account: AccountId,
    bank_ms: Option<i64>,
) -> Result<bool, StoreError> {
    let Some(bank_ms) = bank_ms else {
        return Ok(false);
    };
    let first_ms: i64 = db
        .prepare_cached("SELECT first_seen_ms FROM payment_account WHERE id = ?1")?
        .query_row([account.0], |row| row.get(0))?;
    Ok(bank_ms < first_ms.saturating_sub(WAITED_MS))
}

fn told_again(
    db: &Transaction<'_>,
    account: AccountId,
    credit: &Credit,
    reference: &str,
    source: Source,
    now_ms: i64,
) -> Result<Taken, StoreError> {
    let (id, amount_minor, currency): (i64, i64, String) = db
        .prepare_cached(
            "SELECT id, amount_minor, currency FROM credit WHERE account = ?1 AND reference = ?2",
        )?
        .query_row(params![account.0, reference], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })?;
    if amount_minor == credit.amount_minor && currency == credit.currency.code() {
        return Ok(Taken::Known);
    }
    db.prepare_cached(
        "INSERT INTO credit_conflict (credit, amount_minor, currency, seen_ms, source)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    )?
    .execute(params![
        id,
        credit.amount_minor,
        credit.currency.code(),
        now_ms,
        source.as_str()
    ])?;
    let unmatched = matched_order(db, id)?.is_none();
    queue(db, id, unmatched)?;
    Ok(Taken::Conflict)
}

pub(super) fn matched_order(db: &Connection, credit: i64) -> Result<Option<String>, StoreError> {
    Ok(db
        .prepare_cached("SELECT order_code FROM credit_match WHERE credit = ?1")?
        .query_row([credit], |row| row.get(0))
        .optional()?)
}

/// Puts a credit on the list of those somebody has to look at.
pub(super) fn queue(db: &Connection, credit: i64, unmatched: bool) -> Result<(), StoreError> {
    db.prepare_cached(
        "INSERT INTO review (credit, account, unmatched, seen_ms)
         SELECT id, account, ?2, seen_ms FROM credit WHERE id = ?1
         ON CONFLICT (credit) DO UPDATE SET unmatched = excluded.unmatched",
    )?
    .execute(params![credit, unmatched])?;
    Ok(())
}

/// Binds a credit to its order and looks again at which credits of the order need a person.
pub(super) fn bind(
    db: &Connection,
    credit: i64,
    order: &str,
    how: &str,
    now_ms: i64,
) -> Result<(), StoreError> {
    let Some(found) = read_order(db, order)? else {
        return queue(db, credit, true);
    };
    let (bank_ms, seen_ms): (Option<i64>, i64) = db
        .prepare_cached("SELECT bank_ms, seen_ms FROM credit WHERE id = ?1")?
        .query_row([credit], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let window = found.created_ms..=found.watch_until_ms;
    // A withdrawal is a fact on disk, not a time: what was not known before it is late, whatever any clock says.
    let late = found.withdrawn || came_after(&window, bank_ms, seen_ms);
    db.prepare_cached(
        "INSERT INTO credit_match (credit, order_code, how, late, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![credit, order, how, late, now_ms])?;
    let mut statement = db.prepare_cached(
        "SELECT credit.id, amount_minor, late FROM credit_match JOIN credit ON credit.id = credit_match.credit
         WHERE order_code = ?1 ORDER BY credit_match.id",
    )?;
    let rows = statement
        .query_map([order], |row| {
            let counted = Counted {
                amount_minor: row.get(1)?,
                late: row.get(2)?,
            };
            Ok((row.get::<_, i64>(0)?, counted))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let counted: Vec<Counted> = rows.iter().map(|(_, counted)| *counted).collect();
    let judged = judge(found.amount_minor, super::judge::Stage::Open, &counted);
    for ((id, _), word) in rows.iter().zip(&judged.credits) {
        let fine = match word {
            CreditState::Paid => true,
            CreditState::Under => judged.is_paid_in_time,
            _ => false,
        };
        // What somebody has decided about stays decided.
        if !fine && !is_settled(db, *id)? {
            queue(db, *id, false)?;
        }
        if fine && !has_conflict(db, *id)? {
            db.prepare_cached("DELETE FROM review WHERE credit = ?1")?
                .execute([id])?;
        }
    }
    Ok(())
}

fn is_settled(db: &Connection, credit: i64) -> Result<bool, StoreError> {
    let last: Option<String> = db
        .prepare_cached(
            "SELECT decision FROM settlement WHERE credit = ?1 ORDER BY id DESC LIMIT 1",
        )?
        .query_row([credit], |row| row.get(0))
        .optional()?;
    Ok(last.is_some_and(|decision| decision != "reopened"))
}

fn has_conflict(db: &Connection, credit: i64) -> Result<bool, StoreError> {
    Ok(db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM credit_conflict WHERE credit = ?1)")?
        .query_row([credit], |row| row.get(0))?)
}

/// Credits that came before their offer was known here.
pub(super) fn match_waiting(
    db: &Connection,
    account: AccountId,
    code: OrderCode,
    now_ms: i64,
) -> Result<(), StoreError> {
    let waiting = {
        let mut statement = db.prepare_cached(
            "SELECT credit.id, currency, memo, provider_order FROM review JOIN credit ON credit.id = review.credit
             WHERE review.account = ?1 AND unmatched = 1 AND review.seen_ms > ?2 ORDER BY credit.id",
        )?;
        let rows = statement.query_map(params![account.0, now_ms - WAITED_MS], |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, Option<String>>(3)?,
            ))
        })?;
        rows.collect::<Result<Vec<_>, _>>()?
    };
    if waiting.is_empty() {
        return Ok(());
    }
    let provider = provider_of(db, account)?;
    for (id, currency, memo, provider_order) in waiting {
        let told = Told {
            provider: &provider,
            currency: &currency,
            memo: &memo,
            provider_order: provider_order.as_deref(),
        };
        if let Found::One { order, how } = find_told(db, account, &told)?
            && order == code.to_string()
        {
            bind(db, id, &order, how, now_ms)?;
        }
    }
    Ok(())
}

pub(super) fn provider_of(db: &Connection, account: AccountId) -> Result<String, StoreError> {
    Ok(db
        .prepare_cached("SELECT provider FROM payment_account WHERE id = ?1")?
        .query_row([account.0], |row| row.get(0))?)
}

/// What of a credit says for which order it is.
pub(super) struct Told<'a> {
    pub provider: &'a str,
    pub currency: &'a str,
    pub memo: &'a str,
    pub provider_order: Option<&'a str>,
}

fn find(db: &Connection, account: AccountId, credit: &Credit) -> Result<Found, StoreError> {
    find_told(
        db,
        account,
        &Told {
            provider: credit.provider.name(),
            currency: credit.currency.code(),
            memo: &credit.memo,
            provider_order: credit.provider_order.as_deref(),
        },
    )
}

/// Which order a credit is for, by what is known now.
pub(super) fn find_told(
    db: &Connection,
    account: AccountId,
    told: &Told<'_>,
) -> Result<Found, StoreError> {
    if let Some(code) = by_provider(told) {
        // A shop may use the same channel for its web shop: a number that is no offer of ours is looked for in the text.
        let found = place(db, account, &[code], told.currency, "provider")?;
        if !matches!(found, Found::Unknown(_)) {
            return Ok(found);
        }
    }
    let mut codes: Vec<OrderCode> = Vec::new();
    let mut cut_off = None;
    for prefix in prefixes(db)? {
        match OrderCode::search(told.memo, prefix) {
            MemoMatch::One(code) => codes.push(code),
            MemoMatch::Several(several) => codes.extend(several),
            MemoMatch::Partial(partial) => cut_off = Some(partial),
            MemoMatch::Nothing => {}
        }
    }
    match (codes.is_empty(), cut_off) {
        (true, Some(partial)) => Ok(Found::CutOff(partial)),
        (true, None) => Ok(Found::Nothing),
        (false, _) => place(db, account, &codes, told.currency, "memo"),
    }
}

fn by_provider(told: &Told<'_>) -> Option<OrderCode> {
    let named = told.provider_order?;
    if told.provider == Provider::PayOs.name() {
        OrderCode::from_integer(named.parse().ok()?)
    } else if told.provider == Provider::Pix.name() {
        pix::order_of(named)
    } else {
        named.parse().ok()
    }
}

fn prefixes(db: &Connection) -> Result<Vec<StorePrefix>, StoreError> {
    let mut statement = db.prepare_cached("SELECT DISTINCT prefix FROM order_prefix")?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
    let mut prefixes = Vec::new();
    for row in rows {
        prefixes.extend(StorePrefix::new(&row?));
    }
    Ok(prefixes)
}

/// Which of the named codes is an offer of this account.
fn place(
    db: &Connection,
    account: AccountId,
    codes: &[OrderCode],
    currency: &str,
    how: &'static str,
) -> Result<Found, StoreError> {
    let mut ours: Option<String> = None;
    let mut otherwise = Found::Nothing;
    for code in codes {
        let code = code.to_string();
        let offer: Option<(i64, String)> = db
            .prepare_cached("SELECT account, currency FROM offer WHERE order_code = ?1")?
            .query_row([&code], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        match offer {
            Some((of, in_currency)) if of == account.0 && in_currency == currency => {
                if ours.is_some() {
                    return Ok(Found::Several);
                }
                ours = Some(code);
            }
            Some((of, _)) if of == account.0 => otherwise = Found::OtherCurrency(code),
            Some(_) => otherwise = Found::OtherAccount(code),
            None if otherwise == Found::Nothing => otherwise = Found::Unknown(code),
            None => {}
        }
    }
    Ok(match ours {
        Some(order) => Found::One { order, how },
        None => otherwise,
    })
}
