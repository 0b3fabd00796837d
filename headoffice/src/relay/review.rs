//! Credits as people see them: what needs somebody first, each under its name, and what was decided.

use super::{
    credits::{Found, bind, matched_order, queue, why},
    judge::{Counted, Stage, judge},
    ledger::{AccountId, read_order},
};
use crate::store::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use serde::Serialize;
use touchpoint::relay::CreditState;

/// What is shown of a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreditRow {
    /// Name of the payment account in the settings.
    pub account: String,
    /// Who told of it.
    pub provider: String,
    /// The bank's reference.
    pub reference: String,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// Text of the transfer.
    pub memo: String,
    /// The bank's time.
    pub bank_ms: Option<i64>,
    /// When it became known here.
    pub seen_ms: i64,
    /// `paid`, `under`, `over`, `duplicate`, `late`; without an order `no_code`, `cut_off`, `unknown_order`,
    /// `several_orders`, `other_account`, `other_currency`.
    pub state: &'static str,
    /// The code, or the part of one, that its text names.
    pub hint: Option<String>,
    /// The same reference was told with other money.
    pub conflict: bool,
    /// Somebody has to look at it.
    pub open: bool,
    /// Its order.
    pub order: Option<String>,
    /// What that order asked for.
    pub order_minor: Option<i64>,
    /// Store of the order's kiosk.
    pub store: Option<String>,
    /// The kiosk.
    pub kiosk: Option<String>,
    /// What was decided last.
    pub decision: Option<Decision>,
    #[serde(skip)]
    id: i64,
}

/// What somebody decided about a credit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// `given_back`, `voucher`, `for_sale`, `not_ours`, `reopened`.
    pub decision: String,
    /// Refund's reference, sale or order.
    pub note: String,
    /// Who.
    pub by: String,
    /// When.
    pub at_ms: i64,
}

/// A page of credits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CreditList {
    /// How many somebody has to look at.
    pub open: u64,
    /// Those first, without an order before the others; then the newest.
    pub credits: Vec<CreditRow>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<String>,
}

/// Behind which credit a page begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Behind one somebody has to look at.
    Open {
        /// It has no order.
        unmatched: bool,
        /// Its row.
        id: i64,
    },
    /// Behind one nobody has to look at.
    Rest {
        /// Its row.
        id: i64,
    },
}

impl std::fmt::Display for After {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Open { unmatched, id } => write!(f, "open-{}-{id}", u8::from(*unmatched)),
            Self::Rest { id } => write!(f, "rest-{id}"),
        }
    }
}

impl std::str::FromStr for After {
    type Err = SettleError;

    fn from_str(text: &str) -> Result<Self, SettleError> {
        let id = |text: &str| text.parse().map_err(|_| SettleError::Page);
        match text.split('-').collect::<Vec<_>>()[..] {
            ["open", "0", row] => Ok(Self::Open {
                unmatched: false,
                id: id(row)?,
            }),
            ["open", "1", row] => Ok(Self::Open {
                unmatched: true,
                id: id(row)?,
            }),
            ["rest", row] => Ok(Self::Rest { id: id(row)? }),
            _ => Err(SettleError::Page),
        }
    }
}

/// Why a decision was not taken. Nothing changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SettleError {
    /// No such credit.
    #[error("there is no credit {0} on that account; look at the list")]
    NoCredit(String),
    /// It already has an order.
    #[error("the credit belongs to order {0} already; that cannot be changed")]
    HasOrder(String),
    /// No such order of the credit's account.
    #[error("there is no order {0} on the credit's account; check the code")]
    NoOrder(String),
    /// Not one of the decisions.
    #[error("write given_back, voucher, for_sale, not_ours or reopened")]
    Decision,
    /// No such transfer on a person's word.
    #[error("staff confirmed no transfer for attempt {0} at that kiosk; look at the list")]
    NoTransfer(String),
    /// Not the `next` of a page.
    #[error("a page begins behind the `next` of the one before it")]
    Page,
    /// A name or note that is too long, or no name.
    #[error("the name has 1 to 60 and the note at most 200 characters")]
    Words,
}

/// The decisions.
pub const DECISIONS: [&str; 5] = ["given_back", "voucher", "for_sale", "not_ours", "reopened"];

const COLUMNS: &str = "SELECT credit.id, payment_account.name, payment_account.provider, reference,
        credit.amount_minor, credit.currency, memo, bank_ms, seen_ms, credit_match.order_code,
        offer.amount_minor, store.name, device.name,
        EXISTS (SELECT 1 FROM credit_conflict WHERE credit_conflict.credit = credit.id)
    FROM credit JOIN payment_account ON payment_account.id = credit.account
    LEFT JOIN credit_match ON credit_match.credit = credit.id
    LEFT JOIN offer ON offer.order_code = credit_match.order_code
    LEFT JOIN device ON device.id = offer.device
    LEFT JOIN store ON store.id = device.store";

impl Store {
    /// Credits, those that need somebody first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn credits(&self, limit: u32) -> Result<CreditList, StoreError> {
        self.credits_after(limit, None)
    }

    /// As [`Store::credits`], from behind `after` on: every credit is on one of the pages.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn credits_after(
        &self,
        limit: u32,
        after: Option<After>,
    ) -> Result<CreditList, StoreError> {
        self.read(|db| {
            let open: i64 = db.query_row("SELECT count(*) FROM review", [], |row| row.get(0))?;
            // One more than shown says whether there is another page.
            let wanted = limit.saturating_add(1);
            let mut credits = match after {
                Some(After::Rest { .. }) => Vec::new(),
                behind => open_rows(db, behind, wanted)?,
            };
            let left = wanted.saturating_sub(u32::try_from(credits.len()).unwrap_or(u32::MAX));
            let below = match after {
                Some(After::Rest { id }) => id,
                _ => i64::MAX,
            };
            credits.extend(rows(
                db,
                "WHERE NOT EXISTS (SELECT 1 FROM review WHERE review.credit = credit.id) AND credit.id < ?2
                 ORDER BY credit.id DESC LIMIT ?1",
                &[&left, &below],
            )?);
            let is_more = credits.len() > limit as usize;
            credits.truncate(limit as usize);
            let next = credits.last().filter(|_| is_more).map(|last| {
                let id = last.id;
                let unmatched = last.order.is_none();
                let after = match last.open {
                    true => After::Open { unmatched, id },
                    false => After::Rest { id },
                };
                after.to_string()
            });
            for credit in &mut credits {
                name(db, credit)?;
            }
            Ok(CreditList {
                open: open.unsigned_abs(),
                credits,
                next,
            })
        })
    }

    /// Keeps what somebody decided about a credit. With `order`, a credit without an order becomes that order's.
    ///
    /// # Errors
    /// The outer error is the database's; the inner says why nothing was changed.
    pub fn settle_credit(
        &self,
        account: &str,
        reference: &str,
        decision: &str,
        note: &str,
        by: &str,
        order: Option<&str>,
    ) -> Result<Result<(), SettleError>, StoreError> {
        if !DECISIONS.contains(&decision) {
            return Ok(Err(SettleError::Decision));
        }
        if !(1..=60).contains(&by.trim().chars().count()) || note.chars().count() > 200 {
            return Ok(Err(SettleError::Words));
        }
        let now_ms = self.clock.now_ms();
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let found: Option<(i64, i64)> = transaction
            .query_row(
                "SELECT credit.id, account FROM credit JOIN payment_account ON payment_account.id = credit.account
                 WHERE name = ?1 AND reference = ?2",
                [account, reference],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((credit, of)) = found else {
            return Ok(Err(SettleError::NoCredit(reference.into())));
        };
        if let Some(order) = order {
            if let Some(has) = matched_order(&transaction, credit)? {
                return Ok(Err(SettleError::HasOrder(has)));
            }
            match read_order(&transaction, order)? {
                Some(known) if known.account == AccountId(of) => {
                    bind(&transaction, credit, order, "person", now_ms)?;
                }
                _ => return Ok(Err(SettleError::NoOrder(order.into()))),
            }
        }
        transaction.execute(
            "INSERT INTO settlement (credit, decision, note, decided_by, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![credit, decision, note, by.trim(), now_ms],
        )?;
        if decision == "reopened" {
            let unmatched = matched_order(&transaction, credit)?.is_none();
            queue(&transaction, credit, unmatched)?;
        } else {
            transaction.execute("DELETE FROM review WHERE credit = ?1", [credit])?;
        }
        transaction.commit()?;
        Ok(Ok(()))
    }
}

fn open_rows(
    db: &Connection,
    after: Option<After>,
    limit: u32,
) -> Result<Vec<CreditRow>, StoreError> {
    let (unmatched, below) = match after {
        Some(After::Open { unmatched, id }) => (i64::from(unmatched), id),
        _ => (2, i64::MAX),
    };
    let mut credits = rows(
        db,
        "JOIN (SELECT credit AS waiting, unmatched FROM review) ON waiting = credit.id
         WHERE (unmatched, credit.id) < (?2, ?3)
         ORDER BY unmatched DESC, credit.id DESC LIMIT ?1",
        &[&limit, &unmatched, &below],
    )?;
    credits.iter_mut().for_each(|credit| credit.open = true);
    Ok(credits)
}

fn rows(
    db: &Connection,
    rest: &str,
    parameters: &[&dyn rusqlite::ToSql],
) -> Result<Vec<CreditRow>, StoreError> {
    let mut statement = db.prepare(&format!("{COLUMNS} {rest}"))?;
    let rows = statement.query_map(parameters, read_row)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn read_row(row: &Row<'_>) -> rusqlite::Result<CreditRow> {
    Ok(CreditRow {
        id: row.get(0)?,
        account: row.get(1)?,
        provider: row.get(2)?,
        reference: row.get(3)?,
        amount_minor: row.get(4)?,
        currency: row.get(5)?,
        memo: row.get(6)?,
        bank_ms: row.get(7)?,
        seen_ms: row.get(8)?,
        order: row.get(9)?,
        order_minor: row.get(10)?,
        store: row.get(11)?,
        kiosk: row.get(12)?,
        conflict: row.get(13)?,
        state: "",
        hint: None,
        open: false,
        decision: None,
    })
}

/// Fills in the name of what the credit is, and what was decided.
fn name(db: &Connection, credit: &mut CreditRow) -> Result<(), StoreError> {
    credit.state = match credit.order.clone() {
        Some(order) => matched_name(db, credit.id, &order)?,
        None => {
            let (state, hint) = match why(db, credit.id)? {
                // Its order was offered long after it; a person binds it.
                Found::One { order, .. } => ("unknown_order", Some(order)),
                Found::Several => ("several_orders", None),
                Found::OtherAccount(order) => ("other_account", Some(order)),
                Found::OtherCurrency(order) => ("other_currency", Some(order)),
                Found::Unknown(order) => ("unknown_order", Some(order)),
                Found::CutOff(part) => ("cut_off", Some(part)),
                Found::Nothing => ("no_code", None),
            };
            credit.hint = hint;
            state
        }
    };
    credit.decision = db
        .prepare_cached(
            "SELECT decision, note, decided_by, at_ms FROM settlement WHERE credit = ?1 ORDER BY id DESC LIMIT 1",
        )?
        .query_row([credit.id], |row| {
            Ok(Decision {
                decision: row.get(0)?,
                note: row.get(1)?,
                by: row.get(2)?,
                at_ms: row.get(3)?,
            })
        })
        .optional()?;
    Ok(())
}

fn matched_name(db: &Connection, credit: i64, order: &str) -> Result<&'static str, StoreError> {
    let amount_minor: i64 = db
        .prepare_cached("SELECT amount_minor FROM offer WHERE order_code = ?1")?
        .query_row([order], |row| row.get(0))?;
    let mut statement = db.prepare_cached(
        "SELECT credit.id, amount_minor, late FROM credit_match JOIN credit ON credit.id = credit_match.credit
         WHERE order_code = ?1 ORDER BY credit_match.id",
    )?;
    let all = statement
        .query_map([order], |row| {
            let counted = Counted {
                amount_minor: row.get(1)?,
                late: row.get(2)?,
            };
            Ok((row.get::<_, i64>(0)?, counted))
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let counted: Vec<Counted> = all.iter().map(|(_, counted)| *counted).collect();
    let judged = judge(amount_minor, Stage::Open, &counted);
    let place = all.iter().position(|(id, _)| *id == credit);
    let word = place.and_then(|at| judged.credits.get(at).copied());
    Ok(match word {
        Some(CreditState::Under) if judged.is_paid_in_time => "paid",
        Some(CreditState::Under) => "under",
        Some(CreditState::Over) => "over",
        Some(CreditState::Duplicate) => "duplicate",
        Some(CreditState::Late) => "late",
        _ => "paid",
    })
}
