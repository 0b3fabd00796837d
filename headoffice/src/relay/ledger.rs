//! Offers on disk: made once, never changed; what happens to one is a row of its own.

use super::judge::{Counted, Judgement, Stage, judge};
use super::provider::{Capabilities, Made};
use crate::store::{Store, StoreError};
use payqr::OrderCode;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use touchpoint::{
    DeviceId,
    relay::{BankSide, OrderAnswer, OrderCredit, OrderOffer, OrderPayee, VERSION},
};

/// Money is looked for this long after an offer was made, and is late after it.
pub const LATE_WINDOW_MS: i64 = 24 * 60 * 60 * 1_000;
/// The longest screen time a kiosk may name.
const OPEN_MS_MAX: u64 = 60 * 60 * 1_000;

/// The row of a payment account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub(crate) i64);

/// What became of an offer that was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OfferTaken {
    /// It is new, and durable.
    New,
    /// The same offer was made before.
    Known,
    /// The code belongs to another amount, attempt, kiosk or account.
    Taken,
}

/// Something that happened to an offer, once each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OfferEvent {
    /// The provider is about to be asked for a code. After a restart this says: it may know the order.
    Asked,
    /// The provider made its code.
    Made(Made),
    /// It refused for good.
    Refused(String),
    /// The kiosk took the offer back.
    Withdrawn,
    /// The provider took its code back.
    Cancelled,
    /// The last look after the late window was answered.
    Ended,
}

impl OfferEvent {
    fn kind(&self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Made(_) => "made",
            Self::Refused(_) => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Cancelled => "cancelled",
            Self::Ended => "ended",
        }
    }
}

/// One offer with everything known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// Its code.
    pub code: String,
    /// Account it is paid to.
    pub account: AccountId,
    /// Kiosk that made it.
    pub device: String,
    /// The kiosk's attempt.
    pub attempt: String,
    /// Asked for, minor units.
    pub amount_minor: i64,
    /// ISO 4217.
    pub currency: String,
    /// When it was made.
    pub created_ms: i64,
    /// The screen's time ends about here.
    pub open_until_ms: Option<i64>,
    /// Money is looked for until here.
    pub watch_until_ms: i64,
    /// The provider was asked for a code, perhaps without an answer.
    pub asked: bool,
    /// The provider's code.
    pub made: Option<Made>,
    /// Why the provider refused.
    pub refused: Option<String>,
    /// The kiosk took it back.
    pub withdrawn: bool,
    /// The provider took its code back.
    pub cancelled: bool,
    /// Nothing is asked about it any more.
    pub ended: bool,
    /// Its credits in the order they became known; the words are filled in by [`Order::answer`].
    pub credits: Vec<(OrderCreditRow, Counted)>,
    pub(super) events: u64,
}

/// A credit as an order's answer shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCreditRow {
    /// The bank side's reference.
    pub reference: String,
    /// The bank's time, or when it was seen.
    pub at_ms: i64,
    /// When it was seen.
    pub seen_ms: i64,
}

impl Order {
    /// Where it stands at `now_ms`. `needs_code` when the provider makes the codes of its account.
    #[must_use]
    pub fn judged(&self, now_ms: i64, needs_code: bool) -> Judgement {
        let counted: Vec<Counted> = self.credits.iter().map(|(_, counted)| *counted).collect();
        judge(self.amount_minor, self.stage(now_ms, needs_code), &counted)
    }

    fn stage(&self, now_ms: i64, needs_code: bool) -> Stage {
        if self.refused.is_some() {
            Stage::Refused
        } else if now_ms > self.watch_until_ms {
            Stage::Ended
        } else if self.withdrawn {
            Stage::Withdrawn
        } else if self.open_until_ms.is_some_and(|until| now_ms > until) {
            Stage::TimeOver
        } else if needs_code && self.made.is_none() {
            Stage::Creating
        } else {
            Stage::Open
        }
    }

    /// Changes with every durable fact about the order.
    #[must_use]
    pub fn revision(&self) -> u64 {
        1 + self.events + self.credits.len() as u64
    }

    /// The sum of its credits reaches what was asked.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        let sum = self.credits.iter().fold(0_i64, |sum, (_, credit)| {
            sum.saturating_add(credit.amount_minor)
        });
        sum >= self.amount_minor
    }

    /// What a kiosk is told.
    #[must_use]
    pub fn answer(
        self,
        provider: &str,
        can: Capabilities,
        bank: BankSide,
        now_ms: i64,
        nonce: [u8; 16],
    ) -> OrderAnswer {
        let judged = self.judged(now_ms, can.makes_codes);
        let revision = self.revision();
        let credits =
            self.credits
                .into_iter()
                .zip(judged.credits)
                .map(|((row, counted), state)| OrderCredit {
                    amount_minor: counted.amount_minor,
                    at_ms: row.at_ms,
                    reference: row.reference,
                    seen_ms: row.seen_ms,
                    state,
                });
        let (qr, payee) = self
            .made
            .map_or((None, None), |made| (Some(made.qr), Some(made.payee)));
        OrderAnswer {
            abilities: can.told(),
            amount_minor: self.amount_minor,
            attempt: self.attempt,
            bank,
            cancelled: self.cancelled,
            credits: credits.collect(),
            currency: self.currency,
            nonce,
            now_ms,
            order: self.code,
            over_minor: judged.over_minor,
            payee,
            provider: provider.into(),
            qr,
            reason: self.refused,
            received_minor: judged.received_minor,
            remaining_minor: judged.remaining_minor,
            revision,
            state: judged.state,
            version: VERSION,
            withdrawn: self.withdrawn,
        }
    }
}

impl Store {
    /// The row of an account, made when it is new. `stores` replaces which stores use it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn payment_account(
        &self,
        provider: &str,
        number: &str,
        name: &str,
        stores: &[String],
    ) -> Result<AccountId, StoreError> {
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let id = transaction.query_row(
            "INSERT INTO payment_account (provider, account_number, name, first_seen_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (provider, account_number) DO UPDATE SET name = excluded.name RETURNING id",
            params![provider, number, name, self.clock.now_ms()],
            |row| row.get(0),
        )?;
        transaction.execute("DELETE FROM payment_account_store WHERE account = ?1", [id])?;
        for store in stores {
            transaction.execute(
                "INSERT INTO payment_account_store (account, store) VALUES (?1, ?2)",
                params![id, store],
            )?;
        }
        transaction.commit()?;
        Ok(AccountId(id))
    }

    /// Name of the store a device stands in.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn store_of(&self, device: &DeviceId) -> Result<Option<String>, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT store.name FROM device JOIN store ON store.id = device.store WHERE device.id = ?1",
                )?
                .query_row([device.as_str()], |row| row.get(0))
                .optional()?)
        })
    }

    /// Makes an offer durable. Credits that were waiting for it are matched in the same transaction.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was kept.
    pub fn make_offer(
        &self,
        account: AccountId,
        device: &DeviceId,
        code: OrderCode,
        offer: &OrderOffer,
    ) -> Result<OfferTaken, StoreError> {
        let now_ms = self.clock.now_ms();
        let open_for_ms = offer
            .open_for_ms
            .map(|ms| i64::try_from(ms.min(OPEN_MS_MAX)).unwrap_or(i64::MAX));
        let mut writer = self.writer();
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let text = code.to_string();
        let new = transaction
            .prepare_cached(
                "INSERT INTO offer (order_code, account, device, attempt, amount_minor, currency, created_ms,
                     open_until_ms, watch_until_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                text,
                account.0,
                device.as_str(),
                offer.attempt,
                offer.amount_minor,
                offer.currency,
                now_ms,
                open_for_ms.map(|ms| now_ms.saturating_add(ms)),
                now_ms.saturating_add(LATE_WINDOW_MS),
            ])?;
        if new == 0 {
            let same: bool = transaction
                .prepare_cached(
                    "SELECT account = ?2 AND device = ?3 AND attempt = ?4 AND amount_minor = ?5 AND currency = ?6
                     FROM offer WHERE order_code = ?1",
                )?
                .query_row(
                    params![text, account.0, device.as_str(), offer.attempt, offer.amount_minor, offer.currency],
                    |row| row.get(0),
                )?;
            return Ok(if same {
                OfferTaken::Known
            } else {
                OfferTaken::Taken
            });
        }
        transaction
            .prepare_cached(
                "INSERT INTO order_prefix (account, prefix) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
            )?
            .execute(params![account.0, code.prefix().to_string()])?;
        super::credits::match_waiting(&transaction, account, code, now_ms)?;
        transaction.commit()?;
        Ok(OfferTaken::New)
    }

    /// Notes what happened to an offer; a second time changes nothing. Returns whether it was news.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was kept.
    pub fn note_offer(&self, order: &str, event: &OfferEvent) -> Result<bool, StoreError> {
        let now_ms = self.clock.now_ms();
        let writer = self.writer();
        note(&writer, order, event, now_ms)
    }

    /// Takes an offer back unless it is paid in full. Returns whether it is withdrawn now.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was kept.
    pub fn withdraw_offer(&self, order: &str) -> Result<bool, StoreError> {
        let now_ms = self.clock.now_ms();
        let mut writer = self.writer();
        // One transaction: a credit is either before the withdrawal, and pays, or after it, and is late.
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let Some(found) = read_order(&transaction, order)? else {
            return Ok(false);
        };
        if found.withdrawn || found.is_paid() {
            return Ok(found.withdrawn);
        }
        note(&transaction, order, &OfferEvent::Withdrawn, now_ms)?;
        transaction.commit()?;
        Ok(true)
    }

    /// One order with everything known of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn order(&self, code: &str) -> Result<Option<Order>, StoreError> {
        self.read(|db| read_order(db, code))
    }

    /// When the account's newest offer was made.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newest_offer_ms(&self, account: AccountId) -> Result<Option<i64>, StoreError> {
        self.read(|db| {
            // The late window has one length, so the newest watch is the newest offer; the index has it.
            let until: Option<i64> = db.query_row(
                "SELECT max(watch_until_ms) FROM offer WHERE account = ?1",
                [account.0],
                |row| row.get(0),
            )?;
            Ok(until.map(|until| until - LATE_WINDOW_MS))
        })
    }

    /// Orders of an account that are still to be asked about, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn orders_to_watch(&self, account: AccountId) -> Result<Vec<Order>, StoreError> {
        self.read(|db| {
            let mut statement = db.prepare(
                "SELECT order_code FROM offer WHERE account = ?1 AND NOT EXISTS (
                     SELECT 1 FROM offer_event WHERE offer_event.order_code = offer.order_code
                         AND kind = 'ended')
                 ORDER BY created_ms",
            )?;
            let codes = statement
                .query_map([account.0], |row| row.get::<_, String>(0))?
                .collect::<Result<Vec<_>, _>>()?;
            let mut orders = Vec::with_capacity(codes.len());
            for code in codes {
                orders.extend(read_order(db, &code)?);
            }
            Ok(orders)
        })
    }
}

fn note(db: &Connection, order: &str, event: &OfferEvent, now_ms: i64) -> Result<bool, StoreError> {
    let (made, detail) = match event {
        OfferEvent::Made(made) => (Some(made), None),
        OfferEvent::Refused(why) => (None, Some(why.chars().take(300).collect::<String>())),
        _ => (None, None),
    };
    let changed = db
        .prepare_cached(
            "INSERT INTO offer_event (order_code, kind, at_ms, qr, payee_bin, payee_account, payee_name, detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (order_code, kind) DO NOTHING",
        )?
        .execute(params![
            order,
            event.kind(),
            now_ms,
            made.map(|made| &made.qr),
            made.map(|made| &made.payee.bank_bin),
            made.map(|made| &made.payee.account),
            made.map(|made| &made.payee.name),
            detail,
        ])?;
    Ok(changed == 1)
}

pub(super) fn read_order(db: &Connection, code: &str) -> Result<Option<Order>, StoreError> {
    let found = db
        .prepare_cached(
            "SELECT account, device, attempt, amount_minor, currency, created_ms, open_until_ms, watch_until_ms
             FROM offer WHERE order_code = ?1",
        )?
        .query_row([code], |row| {
            Ok(Order {
                code: code.to_owned(),
                account: AccountId(row.get(0)?),
                device: row.get(1)?,
                attempt: row.get(2)?,
                amount_minor: row.get(3)?,
                currency: row.get(4)?,
                created_ms: row.get(5)?,
                open_until_ms: row.get(6)?,
                watch_until_ms: row.get(7)?,
                asked: false,
                made: None,
                refused: None,
                withdrawn: false,
                cancelled: false,
                ended: false,
                credits: Vec::new(),
                events: 0,
            })
        })
        .optional()?;
    let Some(mut order) = found else {
        return Ok(None);
    };
    read_events(db, &mut order)?;
    read_credits(db, &mut order)?;
    Ok(Some(order))
}

fn read_events(db: &Connection, order: &mut Order) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT kind, qr, payee_bin, payee_account, payee_name, detail FROM offer_event
         WHERE order_code = ?1 ORDER BY id",
    )?;
    let mut rows = statement.query([&order.code])?;
    while let Some(row) = rows.next()? {
        order.events += 1;
        match row.get_ref(0)?.as_str().unwrap_or_default() {
            "asked" => order.asked = true,
            "made" => {
                order.made = Some(Made {
                    qr: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                    payee: OrderPayee {
                        bank_bin: row.get::<_, Option<String>>(2)?.unwrap_or_default(),
                        account: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                        name: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
                    },
                });
            }
            "refused" => order.refused = Some(row.get::<_, Option<String>>(5)?.unwrap_or_default()),
            "withdrawn" => order.withdrawn = true,
            "cancelled" => order.cancelled = true,
            "ended" => order.ended = true,
            _ => {}
        }
    }
    Ok(())
}

fn read_credits(db: &Connection, order: &mut Order) -> Result<(), StoreError> {
    let mut statement = db.prepare_cached(
        "SELECT reference, amount_minor, bank_ms, seen_ms, late FROM credit_match
         JOIN credit ON credit.id = credit_match.credit
         WHERE credit_match.order_code = ?1 ORDER BY credit_match.id",
    )?;
    let mut rows = statement.query([&order.code])?;
    while let Some(row) = rows.next()? {
        let seen_ms = row.get(3)?;
        order.credits.push((
            OrderCreditRow {
                reference: row.get(0)?,
                at_ms: row.get::<_, Option<i64>>(2)?.unwrap_or(seen_ms),
                seen_ms,
            },
            Counted {
                amount_minor: row.get(1)?,
                late: row.get(4)?,
            },
        ));
    }
    Ok(())
}
