//! Money that moved by card: what can be given back of a payment, and the terminal's day beside the journal's.

use checkout::Currency;
use checkout::till::{
    AttemptId, CardFigures, CardPayment, CardTaken, Fact, JournalDay, OrderKind, PaymentIs, Sale,
    TenderKind, TerminalDayEnd, TillState, What,
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use serde::{Deserialize, Serialize};

use super::engine::Engine;
use super::error::StoreError;
use super::journal::i64_of;

/// Receipt numbers of a terminal run to 9999 and start again; a payment with more movements behind it than this is no
/// longer taken back by its number alone.
const REVERSIBLE_MOVEMENTS: i64 = 4_000;

/// What a batch of facts says of card money; written in its transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardRecord {
    /// Money moved.
    Movement {
        /// The attempt that moved it.
        attempt: AttemptId,
        /// A payment, a reversal or a refund.
        kind: OrderKind,
        /// The payment that is given back; `None` for a payment.
        of: Option<AttemptId>,
        /// The visit of its sale, where it has one.
        visit_id: Option<String>,
        /// How much, positive, in minor units.
        amount_minor: i64,
        /// ISO 4217 code.
        currency: String,
    },
    /// Closing the terminal's day ended.
    DayEnded {
        /// The attempt.
        attempt: AttemptId,
        /// How.
        end: TerminalDayEnd,
        /// The shop's currency.
        currency: Currency,
    },
}

impl CardRecord {
    /// What `fact` says of card money, in the shop's `currency`; `None` for most facts.
    pub fn of(fact: &Fact, currency: Currency) -> Option<Self> {
        match &fact.what {
            What::AttemptPaid {
                attempt,
                kind: TenderKind::Card,
                amount_minor,
            } => Some(Self::Movement {
                attempt: *attempt,
                kind: OrderKind::Payment,
                of: None,
                visit_id: fact.visit.as_ref().map(|visit| visit.0.clone()),
                amount_minor: *amount_minor,
                currency: currency.code().to_owned(),
            }),
            What::CardGivenBack {
                attempt,
                kind,
                amount_minor,
                of,
                ..
            } => Some(Self::Movement {
                attempt: *attempt,
                kind: *kind,
                of: Some(of.attempt),
                visit_id: match &of.is {
                    PaymentIs::Sale { visit, .. } => Some(visit.0.clone()),
                    PaymentIs::Review(_) => None,
                },
                amount_minor: *amount_minor,
                currency: currency.code().to_owned(),
            }),
            What::TerminalDayEnded { attempt, end } => Some(Self::DayEnded {
                attempt: *attempt,
                end: end.clone(),
                currency,
            }),
            _ => None,
        }
    }
}

/// The terminal's day as it was closed, or was not, beside the journal's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalClose {
    /// When it ended, unix milliseconds UTC.
    pub ended_ms: i64,
    /// How.
    pub end: TerminalDayEnd,
    /// The shop's currency.
    pub currency: Currency,
    /// What the journal had by then.
    pub journal: JournalDay,
}

/// A sale with its card payments, as far as money of them can be given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refundable {
    /// The sale.
    pub sale: Box<Sale>,
    /// Its card payments, in order; never empty.
    pub payments: Vec<CardTaken>,
}

/// Money given back in one currency and one way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenBackTotal {
    /// ISO 4217 code.
    pub currency: String,
    /// Taken back, or refunded.
    pub kind: OrderKind,
    /// How often.
    pub count: u32,
    /// How much, positive, in minor units.
    pub amount_minor: i64,
}

/// Writes the rows of one batch.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    journal_no: i64,
    wall_ms: i64,
    records: &[CardRecord],
) -> rusqlite::Result<()> {
    for record in records {
        match record {
            CardRecord::Movement {
                attempt,
                kind,
                of,
                visit_id,
                amount_minor,
                currency,
            } => {
                transaction
                    .prepare_cached(
                        "INSERT INTO card_movement (journal_no, attempt, kind, of_attempt, visit_id, amount_minor,
                                                    currency, moved_ms)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                    )?
                    .execute(params![
                        journal_no,
                        i64_of(attempt.0),
                        kind_word(*kind),
                        of.map(|attempt| i64_of(attempt.0)),
                        visit_id,
                        amount_minor,
                        currency,
                        wall_ms
                    ])?;
            }
            CardRecord::DayEnded {
                attempt,
                end,
                currency,
            } => {
                let close = TerminalClose {
                    ended_ms: wall_ms,
                    end: end.clone(),
                    currency: *currency,
                    journal: journal_day(transaction)?,
                };
                insert_day(transaction, journal_no, *attempt, &close)?;
            }
        }
    }
    Ok(())
}

fn insert_day(
    transaction: &Transaction<'_>,
    journal_no: i64,
    attempt: AttemptId,
    close: &TerminalClose,
) -> rusqlite::Result<()> {
    let report = serde_json::to_string(close)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let outcome = match &close.end {
        TerminalDayEnd::Closed(_) => "closed",
        TerminalDayEnd::Refused(_) => "refused",
        TerminalDayEnd::NotStarted(_) => "not_started",
        TerminalDayEnd::Unknown(_) => "unknown",
    };
    transaction.execute(
        "INSERT INTO terminal_day (journal_no, attempt, outcome, ended_ms, last_movement_no, report)
         VALUES (?1, ?2, ?3, ?4, (SELECT coalesce(max(movement_no), 0) FROM card_movement), ?5)",
        params![
            journal_no,
            i64_of(attempt.0),
            outcome,
            close.ended_ms,
            report
        ],
    )?;
    Ok(())
}

fn kind_word(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Payment | OrderKind::DayClose => "payment",
        OrderKind::Reversal => "reversal",
        OrderKind::Refund => "refund",
    }
}

/// The movements since the terminal's last certain close, and since a later one without an answer.
fn journal_day(connection: &Connection) -> rusqlite::Result<JournalDay> {
    let last = |outcome: &str| {
        connection
            .prepare_cached(
                "SELECT day_no, last_movement_no FROM terminal_day WHERE outcome = ?1 ORDER BY day_no DESC LIMIT 1",
            )?
            .query_row([outcome], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()
            .map(|found: Option<(i64, i64)>| found.unwrap_or_default())
    };
    let (closed_no, after) = last("closed")?;
    let (unknown_no, unknown_after) = last("unknown")?;
    Ok(JournalDay {
        figures: figures_after(connection, after)?,
        since_unanswered: (unknown_no > closed_no)
            .then(|| figures_after(connection, unknown_after))
            .transpose()?,
    })
}

fn figures_after(connection: &Connection, movement_no: i64) -> rusqlite::Result<Vec<CardFigures>> {
    let mut sums = connection.prepare_cached(
        "SELECT currency, count(*) FILTER (WHERE kind = 'payment'),
                coalesce(sum(amount_minor) FILTER (WHERE kind = 'payment'), 0),
                count(*) FILTER (WHERE kind <> 'payment'),
                coalesce(sum(amount_minor) FILTER (WHERE kind <> 'payment'), 0)
         FROM card_movement WHERE movement_no > ?1 GROUP BY currency ORDER BY min(movement_no)",
    )?;
    let rows = sums.query_map([movement_no], |row| {
        let code: String = row.get(0)?;
        let currency = Currency::from_code(&code)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.to_string().into()))?;
        Ok(CardFigures {
            currency,
            payments: row.get(1)?,
            taken_minor: row.get(2)?,
            give_backs: row.get(3)?,
            given_back_minor: row.get(4)?,
        })
    })?;
    rows.collect()
}

fn close_of(row: &Row<'_>) -> rusqlite::Result<TerminalClose> {
    let json: String = row.get(0)?;
    serde_json::from_str(&json)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

impl Engine {
    /// The sale with this receipt number, or the newest with a card payment, and what can be given back of it. `None`
    /// when there is no such sale, or no card paid for it.
    ///
    /// # Errors
    /// When the rows cannot be read or not be understood.
    pub fn refundable(
        &self,
        receipt_number: Option<u64>,
    ) -> Result<Option<Refundable>, StoreError> {
        let found = match receipt_number {
            Some(number) => self.sale_json(number)?,
            None => self
                .connection
                .prepare_cached(
                    "SELECT body FROM sale JOIN sale_tender USING (sale_no) WHERE kind = 'card'
                     ORDER BY sale_no DESC LIMIT 1",
                )
                .and_then(|mut newest| newest.query_row([], |row| row.get(0)).optional())
                .map_err(|error| self.sql(&error))?,
        };
        let Some(json) = found else {
            return Ok(None);
        };
        let sale: Box<Sale> = serde_json::from_str(&json)
            .map_err(|error| StoreError::Refused(format!("sale: {error}")))?;
        let state = self.state()?.unwrap_or_default();
        let payments = self.payments_of(&sale, &state);
        let payments = payments.map_err(|error| self.sql(&error))?;
        Ok((!payments.is_empty()).then_some(Refundable { sale, payments }))
    }

    fn payments_of(&self, sale: &Sale, state: &TillState) -> rusqlite::Result<Vec<CardTaken>> {
        let tenders = sale.tenders.iter();
        let cards = tenders.filter(|tender| tender.kind == TenderKind::Card);
        cards
            .map(|tender| {
                let given_back_minor = self
                    .connection
                    .prepare_cached(
                        "SELECT coalesce(sum(amount_minor), 0) FROM card_movement WHERE visit_id = ?1 AND of_attempt = ?2",
                    )?
                    .query_row(params![sale.visit.0, i64_of(tender.attempt.0)], |row| row.get(0))?;
                Ok(CardTaken {
                    payment: CardPayment {
                        attempt: tender.attempt,
                        reference: tender.reference.clone().unwrap_or_default(),
                        is: PaymentIs::Sale {
                            visit: sale.visit.clone(),
                            receipt_number: sale.receipt_number,
                        },
                    },
                    amount_minor: tender.amount_minor,
                    given_back_minor,
                    can_be_reversed: self.is_open_at_terminal(sale, tender.attempt)?,
                    give_backs: state.counters.give_back,
                })
            })
            .collect()
    }

    /// Whether the payment was made since the terminal's day was last closed, and recently enough for its receipt
    /// number to mean it alone.
    fn is_open_at_terminal(&self, sale: &Sale, attempt: AttemptId) -> rusqlite::Result<bool> {
        self.connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM card_movement
                 WHERE kind = 'payment' AND visit_id = ?1 AND attempt = ?2
                   AND movement_no > (SELECT coalesce(max(last_movement_no), 0) FROM terminal_day WHERE outcome = 'closed')
                   AND movement_no > (SELECT max(movement_no) FROM card_movement) - ?3)",
            )?
            .query_row(
                params![sale.visit.0, i64_of(attempt.0), REVERSIBLE_MOVEMENTS],
                |row| row.get(0),
            )
    }

    /// The closes of the terminal's day after this one, oldest first, and the number of the last.
    pub(super) fn terminal_closes(
        &self,
        after: i64,
    ) -> rusqlite::Result<(Vec<TerminalClose>, i64)> {
        let mut closes = self.connection.prepare_cached(
            "SELECT report, day_no FROM terminal_day WHERE day_no > ?1 ORDER BY day_no",
        )?;
        let rows = closes.query_map([after], |row| Ok((close_of(row)?, row.get(1)?)))?;
        let (mut list, mut last) = (Vec::new(), after);
        for row in rows {
            let (close, day_no) = row?;
            list.push(close);
            last = day_no;
        }
        Ok((list, last))
    }

    /// What was given back by card after this movement, and the number of the last movement.
    pub(super) fn given_back_after(
        &self,
        after: i64,
    ) -> rusqlite::Result<(Vec<GivenBackTotal>, i64)> {
        let mut sums = self.connection.prepare_cached(
            "SELECT currency, kind, count(*), sum(amount_minor) FROM card_movement
             WHERE movement_no > ?1 AND kind <> 'payment' GROUP BY currency, kind ORDER BY currency, kind DESC",
        )?;
        let rows = sums.query_map([after], |row| {
            Ok(GivenBackTotal {
                currency: row.get(0)?,
                kind: match row.get_ref(1)?.as_str()? {
                    "refund" => OrderKind::Refund,
                    _ => OrderKind::Reversal,
                },
                count: row.get(2)?,
                amount_minor: row.get(3)?,
            })
        })?;
        let totals = rows.collect::<rusqlite::Result<_>>()?;
        let last = self
            .connection
            .prepare_cached("SELECT coalesce(max(movement_no), 0) FROM card_movement")?
            .query_row([], |row| row.get(0))?;
        Ok((totals, last))
    }
}
