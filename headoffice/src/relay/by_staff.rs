//! Transfers on a person's word: which of them the bank credited.
//!
//! At a kiosk that cannot ask the bank, staff look into the bank's own app and type the transfer's reference. Head office
//! learns of it by the kiosk's journal, and of the money by the provider's list or one that was read in. A transfer is
//! settled by the same reference, amount and account, and a credit settles one transfer. What the list would have to
//! show and does not is named, so that somebody looks.

use super::{
    credits::matched_order,
    ledger::{AccountId, LATE_WINDOW_MS},
    review::SettleError,
};
use crate::store::{Store, StoreError};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use serde::Serialize;

/// A row may come into the bank's list this much after its transfer.
const LIST_DELAY_MS: i64 = 2 * 60 * 60 * 1_000;
/// Who decided, where nobody had to.
const BY_HEAD_OFFICE: &str = "headoffice";

/// Where a transfer on a person's word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// The bank credited it.
    Settled,
    /// The bank's list does not reach over its time yet.
    Waiting,
    /// Nobody here has a bank's list for its store.
    NoList,
    /// The bank's list reaches over its time and does not have it.
    NotFound,
    /// The reference is of a transfer with another amount.
    OtherAmount,
    /// The reference is of a transfer that is already another sale's.
    Used,
    /// Staff looked it up: it had not come.
    Missing,
    /// A person knows what became of it.
    Closed,
}

impl Standing {
    /// Whether somebody has to look.
    #[must_use]
    pub fn is_odd(self) -> bool {
        matches!(
            self,
            Self::NotFound | Self::OtherAmount | Self::Used | Self::Missing
        )
    }
}

/// One transfer on a person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByStaff {
    /// Where it stands.
    pub state: Standing,
    /// The kiosk's device id.
    pub device: String,
    /// The kiosk's attempt.
    pub attempt: String,
    /// The kiosk's store.
    pub store: String,
    /// The kiosk.
    pub kiosk: String,
    /// Number of the receipt, when the sale is here.
    pub receipt: Option<String>,
    /// Minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// The bank's reference as staff typed it.
    pub reference: String,
    /// When staff saw it, by the kiosk's clock.
    pub wall_ms: i64,
    /// Who closed it, when somebody did.
    pub closed_by: Option<String>,
}

/// Transfers on a person's word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ByStaffList {
    /// How many somebody has to look at.
    pub odd: u64,
    /// How many are not settled, the odd ones included.
    pub open: u64,
    /// Not settled ones first, then the newest.
    pub transfers: Vec<ByStaff>,
}

/// A transfer with what places it.
struct Seen {
    device: String,
    attempt: String,
    store: Option<String>,
    currency: String,
    amount_minor: i64,
    reference: String,
    wall_ms: i64,
    is_settled: bool,
    is_missing: bool,
    row: ByStaff,
}

const COLUMNS: &str = "SELECT by_staff.device, by_staff.attempt, store.name, by_staff.currency, by_staff.amount_minor,
        by_staff.reference, by_staff.wall_ms,
        by_staff_match.id IS NOT NULL OR by_staff.arrived_minor >= by_staff.amount_minor, by_staff.is_missing,
        device.name,
        (SELECT receipt_number FROM sale_tender JOIN sale USING (device, sale)
         WHERE sale_tender.device = by_staff.device AND sale_tender.attempt = by_staff.attempt LIMIT 1),
        decided.decided_by
    FROM by_staff LEFT JOIN by_staff_match USING (device, attempt)
    LEFT JOIN device ON device.id = by_staff.device LEFT JOIN store ON store.id = device.store
    LEFT JOIN by_staff_decision AS decided ON decision = 'closed' AND decided.id = (
        SELECT max(id) FROM by_staff_decision AS newest
        WHERE newest.device = by_staff.device AND newest.attempt = by_staff.attempt)";

/// Neither the kiosk nor a credit here has settled it, and nobody has closed it.
const OPEN: &str = "by_staff_match.id IS NULL AND by_staff.arrived_minor < by_staff.amount_minor
    AND decided.id IS NULL";

impl Store {
    /// Looks for the credits of transfers that are not settled. Returns how many were found.
    ///
    /// # Errors
    /// [`StoreError`]; those found before it are kept.
    pub fn match_by_staff(&self) -> Result<u64, StoreError> {
        // Most times there is nothing to write, and the writer is left alone.
        let found = self.read(|db| {
            let mut found = Vec::new();
            // The oldest first: a slip that is shown twice is the first sale's.
            let oldest_first = format!("WHERE {OPEN} ORDER BY wall_ms, by_staff.seq LIMIT ?1");
            for seen in select(db, &oldest_first, -1)? {
                let credit = credits_of(db, &seen)?
                    .into_iter()
                    .find(|credit| credit.is_same_amount && !credit.is_used);
                if let Some(credit) = credit {
                    found.push((seen, credit.id));
                }
            }
            Ok(found)
        })?;
        let mut matched = 0;
        for (seen, credit) in found {
            matched += u64::from(self.keep_match(&seen, credit)?);
        }
        Ok(matched)
    }

    fn keep_match(&self, seen: &Seen, credit: i64) -> Result<bool, StoreError> {
        let now_ms = self.clock.now_ms();
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let still = credits_of(&transaction, seen)?
            .into_iter()
            .any(|known| known.id == credit && !known.is_used);
        let kept = still
            && transaction.execute(
                "INSERT INTO by_staff_match (credit, device, attempt, at_ms) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT DO NOTHING",
                params![credit, seen.device, seen.attempt, now_ms],
            )? == 1;
        if kept && matched_order(&transaction, credit)?.is_none() {
            let note = seen.row.receipt.clone().unwrap_or_default();
            transaction.execute(
                "INSERT INTO settlement (credit, decision, note, decided_by, at_ms)
                 VALUES (?1, 'for_sale', ?2, ?3, ?4)",
                params![credit, note, BY_HEAD_OFFICE, now_ms],
            )?;
            // Told with two amounts, a person looks all the same.
            transaction.execute(
                "DELETE FROM review WHERE credit = ?1
                 AND NOT EXISTS (SELECT 1 FROM credit_conflict WHERE credit_conflict.credit = ?1)",
                [credit],
            )?;
        }
        transaction.commit()?;
        Ok(kept)
    }

    /// Transfers on a person's word, those that are not settled first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn by_staff(&self, limit: u32) -> Result<ByStaffList, StoreError> {
        self.read(|db| {
            let (mut odd, mut open) = (0, 0);
            let mut transfers = Vec::new();
            let unsettled = select(
                db,
                &format!("WHERE {OPEN} ORDER BY wall_ms DESC LIMIT ?1"),
                -1,
            )?;
            for seen in unsettled {
                let state = standing(db, &seen)?;
                odd += u64::from(state.is_odd());
                open += u64::from(state != Standing::Settled);
                transfers.push(ByStaff { state, ..seen.row });
            }
            transfers.sort_by_key(|transfer| {
                let settled = transfer.state == Standing::Settled;
                (settled, !transfer.state.is_odd(), -transfer.wall_ms)
            });
            transfers.truncate(limit as usize);
            let left = i64::from(limit).saturating_sub(transfers.len() as i64);
            let rest = format!("WHERE NOT ({OPEN}) ORDER BY wall_ms DESC LIMIT ?1");
            for seen in select(db, &rest, left)? {
                let state = match seen.is_settled {
                    true => Standing::Settled,
                    false => Standing::Closed,
                };
                transfers.push(ByStaff { state, ..seen.row });
            }
            Ok(ByStaffList {
                odd,
                open,
                transfers,
            })
        })
    }

    /// Closes a transfer the bank does not have, because somebody knows what became of it, or opens it again.
    ///
    /// # Errors
    /// The outer error is the database's; the inner says why nothing was changed.
    pub fn decide_by_staff(
        &self,
        device: &str,
        attempt: &str,
        is_closed: bool,
        note: &str,
        by: &str,
    ) -> Result<Result<(), SettleError>, StoreError> {
        if !(1..=60).contains(&by.trim().chars().count()) || note.chars().count() > 200 {
            return Ok(Err(SettleError::Words));
        }
        let changed = self.writer().execute(
            "INSERT INTO by_staff_decision (device, attempt, decision, note, decided_by, at_ms)
             SELECT device, attempt, ?3, ?4, ?5, ?6 FROM by_staff WHERE device = ?1 AND attempt = ?2",
            params![
                device,
                attempt,
                if is_closed { "closed" } else { "reopened" },
                note,
                by.trim(),
                self.clock.now_ms()
            ],
        )?;
        Ok(match changed {
            0 => Err(SettleError::NoTransfer(attempt.into())),
            _ => Ok(()),
        })
    }

    /// Up to when the bank's list of an account is known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn list_reach(&self, account: AccountId) -> Result<Option<i64>, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached("SELECT until_ms FROM list_reach WHERE account = ?1")?
                .query_row([account.0], |row| row.get(0))
                .optional()?)
        })
    }

    /// The bank's list of an account is known up to `until_ms`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn note_list_reach(&self, account: AccountId, until_ms: i64) -> Result<(), StoreError> {
        self.writer()
            .prepare_cached(
                "INSERT INTO list_reach (account, until_ms) VALUES (?1, ?2)
                 ON CONFLICT (account) DO UPDATE SET until_ms = max(until_ms, excluded.until_ms)",
            )?
            .execute(params![account.0, until_ms])?;
        Ok(())
    }
}

fn select(db: &Connection, rest: &str, limit: i64) -> Result<Vec<Seen>, StoreError> {
    let mut statement = db.prepare_cached(&format!("{COLUMNS} {rest}"))?;
    let rows = statement.query_map([limit], |row| {
        let store: Option<String> = row.get(2)?;
        let (currency, reference): (String, String) = (row.get(3)?, row.get(5)?);
        Ok(Seen {
            device: row.get(0)?,
            attempt: row.get(1)?,
            amount_minor: row.get(4)?,
            wall_ms: row.get(6)?,
            is_settled: row.get(7)?,
            is_missing: row.get(8)?,
            row: ByStaff {
                state: Standing::Waiting,
                device: row.get(0)?,
                attempt: row.get(1)?,
                store: store.clone().unwrap_or_default(),
                kiosk: row.get::<_, Option<String>>(9)?.unwrap_or_default(),
                receipt: row.get(10)?,
                amount_minor: row.get(4)?,
                currency: currency.clone(),
                reference: reference.clone(),
                wall_ms: row.get(6)?,
                closed_by: row.get(11)?,
            },
            store,
            currency,
            reference,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn standing(db: &Connection, seen: &Seen) -> Result<Standing, StoreError> {
    if seen.is_settled || is_paid_by_its_order(db, seen)? {
        return Ok(Standing::Settled);
    }
    let named = credits_of(db, seen)?;
    let same = named.iter().filter(|credit| credit.is_same_amount);
    Ok(if same.clone().any(|credit| !credit.is_used) {
        // Found, and about to be kept.
        Standing::Waiting
    } else if same.count() > 0 {
        Standing::Used
    } else if !named.is_empty() {
        Standing::OtherAmount
    } else if seen.is_missing {
        Standing::Missing
    } else {
        match reach(db, seen)? {
            None => Standing::NoList,
            Some(until_ms) if until_ms >= seen.wall_ms.saturating_add(LIST_DELAY_MS) => {
                Standing::NotFound
            }
            Some(_) => Standing::Waiting,
        }
    })
}

/// The attempt's own order at the relay received its money meanwhile.
fn is_paid_by_its_order(db: &Connection, seen: &Seen) -> Result<bool, StoreError> {
    let received: i64 = db
        .prepare_cached(
            "SELECT coalesce(sum(credit.amount_minor), 0) FROM offer
             JOIN credit_match ON credit_match.order_code = offer.order_code JOIN credit ON credit.id = credit_match.credit
             WHERE offer.device = ?1 AND offer.attempt = ?2 AND offer.currency = ?3
                 AND abs(offer.created_ms - ?4) < ?5",
        )?
        .query_row(
            params![seen.device, seen.attempt, seen.currency, seen.wall_ms, LATE_WINDOW_MS],
            |row| row.get(0),
        )?;
    Ok(received >= seen.amount_minor)
}

/// A credit with the transfer's reference.
struct Named {
    id: i64,
    is_same_amount: bool,
    /// Another sale's already.
    is_used: bool,
}

/// Credits with the reference, on the accounts of the transfer's store.
fn credits_of(db: &Connection, seen: &Seen) -> Result<Vec<Named>, StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT credit.id, credit.amount_minor = ?2 AND credit.currency = ?3,
                by_staff_match.id IS NOT NULL
                    OR (offer.order_code IS NOT NULL AND (offer.device <> ?4 OR offer.attempt <> ?5))
         FROM credit LEFT JOIN by_staff_match ON by_staff_match.credit = credit.id
         LEFT JOIN credit_match ON credit_match.credit = credit.id
         LEFT JOIN offer ON offer.order_code = credit_match.order_code
         WHERE upper(replace(credit.reference, ' ', '')) = ?1 AND credit.account IN (
             SELECT account FROM payment_account_store WHERE store = ?6
             UNION SELECT id FROM payment_account
                 WHERE NOT EXISTS (SELECT 1 FROM payment_account_store WHERE account = payment_account.id))",
    )?;
    let rows = statement.query_map(
        params![
            seen.reference.to_ascii_uppercase(),
            seen.amount_minor,
            seen.currency,
            seen.device,
            seen.attempt,
            seen.store
        ],
        |row| {
            Ok(Named {
                id: row.get(0)?,
                is_same_amount: row.get(1)?,
                is_used: row.get(2)?,
            })
        },
    )?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Up to when the list of the store's account is known; `None` without a list.
fn reach(db: &Connection, seen: &Seen) -> Result<Option<i64>, StoreError> {
    let own = "SELECT max(until_ms) FROM list_reach JOIN payment_account_store USING (account) WHERE store = ?1";
    let has_own: bool = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM payment_account_store WHERE store = ?1)")?
        .query_row([&seen.store], |row| row.get(0))?;
    let shared = "SELECT max(until_ms) FROM list_reach WHERE ?1 IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM payment_account_store WHERE payment_account_store.account = list_reach.account)";
    Ok(db
        .prepare_cached(if has_own { own } else { shared })?
        .query_row([&seen.store], |row| row.get(0))
        .optional()?
        .flatten())
}
