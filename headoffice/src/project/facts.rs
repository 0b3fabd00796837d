//! What each kind of event means for the tables.
//!
//! Kinds without a rule are only counted. Within a device, "newer" is (journal, sequence): journal ids are UUIDv7 and
//! sort by the time they were made. Wall clocks only pick the date a fact is shown under.

use super::Place;
use crate::store::StoreError;
use chrono::NaiveDate;
use rusqlite::{Connection, params};
use touchpoint::{
    Event, EventError,
    event::Body,
    vocabulary::{
        AttemptApproved, AttemptDeclined, AttemptIntended, AttemptResolved, AttemptSent,
        AttemptUnknown, DayOpened, DeviceState, ExitPrompted, ExitReasons, ExitSkipped, ExitTapped,
        HelpCalled, ItemAdded, Method, Money, Resolution, SaleCompleted, SaleRefunded, SkipReason,
        TaxTreatment, TransferSeen, TransferSettled, VisitStarted,
    },
};

/// More reasons than a screen can hold are not a shopper's answer.
const MAX_REASONS: usize = 32;

/// `Err` is the reason for quarantine.
type Read = Result<Result<(), String>, StoreError>;

/// Reads the body and hands it on, or says why it cannot be read.
macro_rules! with {
    ($event:expr, $rule:expr) => {
        match $event.read() {
            Ok(body) => $rule(body),
            Err(error) => Ok(Err(EventError::to_string(&error))),
        }
    };
}

/// Applies one event to the tables.
pub(super) fn apply(db: &Connection, at: &Place<'_>, event: &Event) -> Read {
    match event.kind.as_str() {
        DayOpened::KIND => with!(event, |body: DayOpened| day(db, at, &body.business_date, 0)),
        SaleCompleted::KIND => with!(event, |body: SaleCompleted| sale(db, at, event, &body)),
        SaleRefunded::KIND => with!(event, |body: SaleRefunded| refund(db, at, event, &body)),
        VisitStarted::KIND => with!(event, |_: VisitStarted| visit_started(db, at, event)),
        ItemAdded::KIND => with!(event, |_: ItemAdded| visit(db, at, event, [1, 0, 0])),
        HelpCalled::KIND => with!(event, |_: HelpCalled| visit(db, at, event, [0, 0, 1])),
        ExitPrompted::KIND => with!(event, |body: ExitPrompted| {
            tap(db, at, event, &body.sale, Answer::None)
        }),
        ExitSkipped::KIND => with!(event, |body: ExitSkipped| {
            tap(
                db,
                at,
                event,
                &body.sale,
                Answer::Skipped(skip_word(body.reason)),
            )
        }),
        ExitTapped::KIND => with!(event, |body: ExitTapped| tapped(db, at, event, &body)),
        ExitReasons::KIND => with!(event, |body: ExitReasons| reasons(db, at, event, &body)),
        DeviceState::KIND => with!(event, |body: DeviceState| state(db, at, event, &body)),
        TransferSeen::KIND => with!(event, |body: TransferSeen| seen(db, at, event, &body)),
        TransferSettled::KIND => with!(event, |body: TransferSettled| settled(db, at, &body)),
        kind if kind.starts_with("attempt.") => attempt(db, at, event),
        _ => Ok(Ok(())),
    }
}

fn day(db: &Connection, at: &Place<'_>, business_date: &str, sales: i64) -> Read {
    if NaiveDate::parse_from_str(business_date, "%Y-%m-%d").is_err() || business_date.len() != 10 {
        return Ok(Err("business_date is not YYYY-MM-DD".into()));
    }
    db.prepare_cached(
        "INSERT INTO device_day (device, business_date, journal, sales, last_received_ms)
         VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (device, business_date, journal) DO UPDATE SET
             sales = sales + excluded.sales,
             last_received_ms = max(last_received_ms, excluded.last_received_ms)",
    )?
    .execute(params![
        at.device,
        business_date,
        at.journal,
        sales,
        at.received_ms
    ])?;
    Ok(Ok(()))
}

/// The first telling of a sale stands; another with the same id is kept in its block and noted.
fn sale(db: &Connection, at: &Place<'_>, event: &Event, sale: &SaleCompleted) -> Read {
    if !is_currency(&sale.total.currency) {
        return Ok(Err("currency is not three capital letters".into()));
    }
    if let Err(reason) = day(db, at, &sale.business_date, 0)? {
        return Ok(Err(reason));
    }
    let inserted = db
        .prepare_cached(
            "INSERT INTO sale (device, sale, journal, seq, receipt_number, business_date, currency,
                 total_minor, rounding_minor, line_count, wall_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            at.device,
            sale.sale,
            at.journal,
            at.seq,
            sale.receipt_number,
            sale.business_date,
            sale.total.currency,
            sale.total.minor,
            sale.rounding_minor,
            sale.lines.len() as i64,
            event.at.wall_ms,
        ])?;
    if inserted == 0 {
        return Ok(Err("this sale was already told".into()));
    }
    sale_parts(db, at, sale)?;
    if let Err(reason) = day(db, at, &sale.business_date, 1)? {
        return Ok(Err(reason));
    }
    if let Err(reason) = visit(db, at, event, [0, 1, 0])? {
        return Ok(Err(reason));
    }
    let tendered = sale
        .tenders
        .iter()
        .try_fold(0_i64, |sum, t| sum.checked_add(t.amount_minor));
    Ok(if tendered == Some(sale.total.minor) {
        Ok(())
    } else {
        Err("counted, but its tenders do not add up to its total".into())
    })
}

fn sale_parts(db: &Connection, at: &Place<'_>, sale: &SaleCompleted) -> Result<(), StoreError> {
    let mut lines = db.prepare_cached(
        "INSERT INTO sale_line (device, sale, position, item_code, gtin, name, quantity_milli,
             unit_price_minor, discount_minor, total_minor, tax_rate_basis_points, tax_treatment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for (position, line) in sale.lines.iter().enumerate() {
        lines.execute(params![
            at.device,
            sale.sale,
            position as i64,
            line.item_code,
            line.gtin,
            line.name,
            line.quantity_milli,
            line.unit_price_minor,
            line.discount_minor,
            line.total_minor,
            line.tax_rate_basis_points,
            line.tax_treatment.map(treatment_word),
        ])?;
    }
    let mut tenders = db.prepare_cached(
        "INSERT INTO sale_tender (device, sale, position, method, amount_minor, attempt)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (position, tender) in sale.tenders.iter().enumerate() {
        let (method, amount) = (tender.method.as_str(), tender.amount_minor);
        tenders.execute(params![
            at.device,
            sale.sale,
            position as i64,
            method,
            amount,
            tender.attempt
        ])?;
    }
    let mut taxes = db.prepare_cached(
        "INSERT INTO sale_tax (device, sale, position, rate_basis_points, net_minor, tax_minor, treatment)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    for (position, tax) in sale.taxes.iter().enumerate() {
        let (rate, net, amount) = (tax.rate_basis_points, tax.net_minor, tax.tax_minor);
        taxes.execute(params![
            at.device,
            sale.sale,
            position as i64,
            rate,
            net,
            amount,
            tax.treatment.map(treatment_word),
        ])?;
    }
    Ok(())
}

fn refund(db: &Connection, at: &Place<'_>, event: &Event, refund: &SaleRefunded) -> Read {
    if !is_currency(&refund.amount.currency) || refund.amount.minor < 0 {
        return Ok(Err("a refund needs a currency and a positive amount".into()));
    }
    if let Err(reason) = day(db, at, &refund.business_date, 0)? {
        return Ok(Err(reason));
    }
    let inserted = db.execute(
        "INSERT INTO refund (device, refund, sale, business_date, method, currency, amount_minor, wall_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        params![
            at.device,
            refund.refund,
            refund.sale,
            refund.business_date,
            refund.method.as_str(),
            refund.amount.currency,
            refund.amount.minor,
            event.at.wall_ms
        ],
    )?;
    Ok(if inserted == 1 {
        Ok(())
    } else {
        Err("this refund was already told".into())
    })
}

/// What an attempt event tells beside its new state.
struct AttemptFact {
    attempt: String,
    sale: Option<String>,
    method: Option<Method>,
    amount: Option<Money>,
    state: &'static str,
}

impl AttemptFact {
    fn new(attempt: String, state: &'static str) -> Self {
        Self {
            attempt,
            sale: None,
            method: None,
            amount: None,
            state,
        }
    }
}

fn attempt(db: &Connection, at: &Place<'_>, event: &Event) -> Read {
    let fact = match attempt_fact(event) {
        Ok(Some(fact)) => fact,
        Ok(None) => return Ok(Ok(())),
        Err(error) => return Ok(Err(error.to_string())),
    };
    db.prepare_cached(
        "INSERT INTO attempt (device, attempt, sale, method, currency, amount_minor, state, journal, seq, wall_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
         ON CONFLICT (device, attempt) DO UPDATE SET
             sale = coalesce(sale, excluded.sale),
             method = coalesce(method, excluded.method),
             currency = coalesce(currency, excluded.currency),
             amount_minor = coalesce(amount_minor, excluded.amount_minor),
             state = CASE WHEN (excluded.journal, excluded.seq) > (journal, seq) THEN excluded.state ELSE state END,
             wall_ms = CASE WHEN (excluded.journal, excluded.seq) > (journal, seq) THEN excluded.wall_ms ELSE wall_ms END,
             journal = max(journal, excluded.journal),
             seq = CASE WHEN excluded.journal > journal THEN excluded.seq
                        WHEN excluded.journal = journal THEN max(seq, excluded.seq) ELSE seq END",
    )?
    .execute(params![
        at.device,
        fact.attempt,
        fact.sale,
        fact.method.map(Method::as_str),
        fact.amount.as_ref().map(|amount| amount.currency.as_str()),
        fact.amount.as_ref().map(|amount| amount.minor),
        fact.state,
        at.journal,
        at.seq,
        event.at.wall_ms,
    ])?;
    Ok(Ok(()))
}

fn attempt_fact(event: &Event) -> Result<Option<AttemptFact>, EventError> {
    let fact = match event.kind.as_str() {
        AttemptIntended::KIND => {
            let body: AttemptIntended = event.read()?;
            AttemptFact {
                attempt: body.attempt,
                sale: Some(body.sale),
                method: Some(body.method),
                amount: Some(body.amount),
                state: "intended",
            }
        }
        AttemptSent::KIND => AttemptFact::new(event.read::<AttemptSent>()?.attempt, "sent"),
        AttemptApproved::KIND => {
            let body: AttemptApproved = event.read()?;
            AttemptFact {
                amount: Some(body.amount),
                ..AttemptFact::new(body.attempt, "approved")
            }
        }
        AttemptDeclined::KIND => {
            AttemptFact::new(event.read::<AttemptDeclined>()?.attempt, "declined")
        }
        AttemptUnknown::KIND => {
            AttemptFact::new(event.read::<AttemptUnknown>()?.attempt, "unknown")
        }
        AttemptResolved::KIND => {
            let body: AttemptResolved = event.read()?;
            let state = match body.outcome {
                Resolution::Approved => "resolved_approved",
                Resolution::Declined => "resolved_declined",
                Resolution::Reversed => "resolved_reversed",
            };
            AttemptFact::new(body.attempt, state)
        }
        _ => return Ok(None),
    };
    Ok(Some(fact))
}

/// The first telling stands, as for sales.
fn seen(db: &Connection, at: &Place<'_>, event: &Event, body: &TransferSeen) -> Read {
    if !is_currency(&body.amount.currency) || body.amount.minor <= 0 {
        return Ok(Err(
            "a transfer needs a currency and a positive amount".into()
        ));
    }
    let inserted = db
        .prepare_cached(
            "INSERT INTO by_staff (device, attempt, journal, seq, currency, amount_minor, reference, wall_ms,
                 arrived_minor, is_missing)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, 0) ON CONFLICT DO NOTHING",
        )?
        .execute(params![
            at.device,
            body.attempt,
            at.journal,
            at.seq,
            body.amount.currency,
            body.amount.minor,
            body.reference,
            event.at.wall_ms,
        ])?;
    Ok(if inserted == 1 {
        Ok(())
    } else {
        Err("this transfer was already told".into())
    })
}

/// It may come in parts, and the bank may say it came after staff did not find it.
fn settled(db: &Connection, at: &Place<'_>, body: &TransferSettled) -> Read {
    let arrived_minor = if body.arrived { body.amount.minor } else { 0 };
    let changed = db
        .prepare_cached(
            "UPDATE by_staff SET arrived_minor = arrived_minor + ?3, is_missing = max(is_missing, ?4)
             WHERE device = ?1 AND attempt = ?2 AND currency = ?5",
        )?
        .execute(params![
            at.device,
            body.attempt,
            arrived_minor,
            !body.arrived,
            body.amount.currency
        ])?;
    Ok(if changed == 1 {
        Ok(())
    } else {
        Err("no transfer of this attempt and currency was told before".into())
    })
}

fn treatment_word(treatment: TaxTreatment) -> &'static str {
    match treatment {
        TaxTreatment::Exempt => "exempt",
        TaxTreatment::NotDeclared => "not_declared",
    }
}

/// How the exit question of one sale ended, as far as this event tells.
enum Answer<'a> {
    None,
    Skipped(&'static str),
    Face(u8, &'a str),
}

fn tapped(db: &Connection, at: &Place<'_>, event: &Event, body: &ExitTapped) -> Read {
    if body.face > 4 {
        return Ok(Err(format!("face {} is not on a scale of five", body.face)));
    }
    tap(
        db,
        at,
        event,
        &body.sale,
        Answer::Face(body.face, &body.scale_id),
    )
}

/// One answer a sale: the last face tapped wins, and a face always wins over a skip or a bare question.
fn tap(db: &Connection, at: &Place<'_>, event: &Event, sale: &str, answer: Answer<'_>) -> Read {
    let (face, scale, skipped) = match answer {
        Answer::None => (None, None, None),
        Answer::Skipped(reason) => (None, None, Some(reason)),
        Answer::Face(face, scale) => (Some(face), Some(scale), None),
    };
    db.prepare_cached(
        "INSERT INTO tap (device, sale, local_date, face, scale_id, skipped, journal, seq, wall_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
         ON CONFLICT (device, sale) DO UPDATE SET
             face = excluded.face, scale_id = excluded.scale_id, skipped = excluded.skipped,
             journal = excluded.journal, seq = excluded.seq, wall_ms = excluded.wall_ms
         WHERE (excluded.journal, excluded.seq) > (journal, seq)
           AND (excluded.face IS NOT NULL OR (face IS NULL AND excluded.skipped IS NOT NULL))",
    )?
    .execute(params![
        at.device,
        sale,
        at.local_date(event.at.wall_ms),
        face,
        scale,
        skipped,
        at.journal,
        at.seq,
        event.at.wall_ms
    ])?;
    Ok(Ok(()))
}

fn skip_word(reason: SkipReason) -> &'static str {
    match reason {
        SkipReason::Skip => "skip",
        SkipReason::Timeout => "timeout",
        SkipReason::NextShopper => "next_shopper",
    }
}

/// Shown and chosen may come in one event or in two; a reason that was ever chosen for a sale stays chosen.
fn reasons(db: &Connection, at: &Place<'_>, event: &Event, body: &ExitReasons) -> Read {
    if body.shown.len() > MAX_REASONS || body.chosen.len() > MAX_REASONS {
        return Ok(Err(format!("more than {MAX_REASONS} reasons")));
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO reason (device, sale, touchpoint, chosen, local_date) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (device, sale, touchpoint) DO UPDATE SET chosen = max(chosen, excluded.chosen)",
    )?;
    let date = at.local_date(event.at.wall_ms);
    let shown = body.shown.iter().map(|touchpoint| (touchpoint, 0));
    for (touchpoint, chosen) in shown.chain(body.chosen.iter().map(|touchpoint| (touchpoint, 1))) {
        insert.execute(params![at.device, body.sale, touchpoint, chosen, date])?;
    }
    Ok(Ok(()))
}

/// A shopper began: the kiosk worked that day, whether or not it sold anything.
fn visit_started(db: &Connection, at: &Place<'_>, event: &Event) -> Read {
    if let Err(reason) = day(db, at, &at.local_date(event.at.wall_ms), 0)? {
        return Ok(Err(reason));
    }
    visit(db, at, event, [0, 0, 0])
}

/// Counts of a visit: items added, sales, calls for help.
fn visit(db: &Connection, at: &Place<'_>, event: &Event, [items, sold, help]: [i64; 3]) -> Read {
    let Some(visit) = &event.visit else {
        return Ok(Ok(()));
    };
    db.prepare_cached(
        "INSERT INTO visit (device, visit, local_date, items, sold, help_calls) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT (device, visit) DO UPDATE SET
             local_date = min(local_date, excluded.local_date),
             items = items + excluded.items,
             sold = sold + excluded.sold,
             help_calls = help_calls + excluded.help_calls",
    )?
    .execute(params![at.device, visit, at.local_date(event.at.wall_ms), items, sold, help])?;
    Ok(Ok(()))
}

fn state(db: &Connection, at: &Place<'_>, event: &Event, body: &DeviceState) -> Read {
    db.prepare_cached(
        "INSERT INTO device_state (device, part, state, detail, journal, seq, wall_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT (device, part) DO UPDATE SET state = excluded.state, detail = excluded.detail,
             journal = excluded.journal, seq = excluded.seq, wall_ms = excluded.wall_ms
         WHERE (excluded.journal, excluded.seq) > (journal, seq)",
    )?
    .execute(params![
        at.device,
        body.device,
        body.state,
        body.detail,
        at.journal,
        at.seq,
        event.at.wall_ms
    ])?;
    Ok(Ok(()))
}

fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|c| c.is_ascii_uppercase())
}
