//! Money that moved by card: what is left of a payment, and the terminal's day.

use checkout::till::{
    AttemptId, CardFigures, JournalDay, OrderKind, Sale, TenderKind, TerminalDayEnd, TerminalTotals,
};
use checkout::{Currency, Money};
use touchpoint::Lane;

use super::*;
use crate::receipt::report::{GivenBack, TerminalPart};
use crate::testing;

/// A sale paid by card with attempt `number`.
fn by_card(number: u64, amount_minor: i64) -> Sale {
    let mut sale = testing::sale();
    sale.receipt_number = number;
    sale.visit.0 = format!("{number:032x}");
    sale.tenders.truncate(1);
    sale.tenders[0].kind = TenderKind::Card;
    sale.tenders[0].attempt = AttemptId(number);
    sale.tenders[0].amount_minor = amount_minor;
    sale.tenders[0].reference = Some(format!("68000001/{number}/{number}/1128/120000"));
    sale
}

fn paid(sale: &Sale) -> Commit {
    let tender = &sale.tenders[0];
    let mut commit = commit(sale.receipt_number, &[Lane::Money]);
    commit.sale = Some(Box::new(SaleRecord::of(sale).unwrap()));
    commit.card = vec![CardRecord::Movement {
        attempt: tender.attempt,
        kind: OrderKind::Payment,
        of: None,
        visit_id: Some(sale.visit.0.clone()),
        amount_minor: tender.amount_minor,
        currency: "VND".into(),
    }];
    commit
}

fn back(number: u64, sale: &Sale, kind: OrderKind, amount_minor: i64) -> Commit {
    let mut commit = commit(number, &[Lane::Money]);
    commit.card = vec![CardRecord::Movement {
        attempt: AttemptId(number),
        kind,
        of: Some(sale.tenders[0].attempt),
        visit_id: Some(sale.visit.0.clone()),
        amount_minor,
        currency: "VND".into(),
    }];
    commit
}

fn day(number: u64, end: TerminalDayEnd) -> Commit {
    let mut commit = commit(number, &[Lane::Money]);
    commit.card = vec![CardRecord::DayEnded {
        attempt: AttemptId(number),
        end,
        currency: Currency::VND,
    }];
    commit
}

fn closed(minor: i64) -> TerminalDayEnd {
    TerminalDayEnd::Closed(TerminalTotals {
        total: Some(Money::new(minor, Currency::VND)),
        ..TerminalTotals::default()
    })
}

fn figures(payments: u32, taken_minor: i64, give_backs: u32, back: i64) -> Vec<CardFigures> {
    vec![CardFigures {
        payments,
        taken_minor,
        give_backs,
        given_back_minor: back,
        ..CardFigures::none(Currency::VND)
    }]
}

fn at() -> Moment {
    Moment {
        wall_ms: 1_795_228_860_000,
        utc_offset_min: 420,
        business_date: testing::sale().business_date,
        float_minor: 0,
        terminal: TerminalPart::Closes,
    }
}

#[test]
fn what_is_left_of_a_payment_is_known_and_given_back_once() {
    // Proves: the newest card sale is found, parts given back count, the same attempt cannot be written twice, and the way
    // back changes with the terminal's day.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    assert_eq!(engine.refundable(None).unwrap(), None);
    let (first, second) = (by_card(1, 40_000), by_card(2, 25_000));
    engine.commit(paid(&first)).unwrap();
    engine.commit(paid(&second)).unwrap();
    let cash = SaleRecord::of(&Sale {
        receipt_number: 3,
        ..testing::sale()
    });
    let mut with_cash = commit(3, &[Lane::Money]);
    with_cash.sale = Some(Box::new(cash.unwrap()));
    engine.commit(with_cash).unwrap();
    let left = |engine: &Engine, number| {
        let found = engine.refundable(number).unwrap().unwrap();
        let taken = &found.payments[0];
        (
            found.sale.receipt_number,
            taken.left_minor(),
            taken.can_be_reversed,
        )
    };
    assert_eq!(left(&engine, None), (2, 25_000, true));
    assert_eq!(engine.refundable(Some(3)).unwrap(), None, "paid in cash");
    assert_eq!(engine.refundable(Some(9)).unwrap(), None, "no such receipt");
    let refund = back(4, &first, OrderKind::Refund, 15_000);
    engine.commit(refund.clone()).unwrap();
    assert_eq!(left(&engine, Some(1)), (1, 25_000, true));
    assert!(engine.commit(refund).is_err(), "one attempt, one movement");
    engine.commit(day(5, closed(50_000))).unwrap();
    assert_eq!(left(&engine, Some(1)), (1, 25_000, false));
    assert_eq!(left(&engine, None), (2, 25_000, false));
}

#[test]
fn the_terminals_day_begins_after_its_last_certain_close() {
    // Proves: a refused and an unanswered close end nothing, the next one has the figures of both possibilities, and each
    // report holds the closes and the money given back since the one before.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    let sale = by_card(1, 40_000);
    engine.commit(paid(&sale)).unwrap();
    let refused = TerminalDayEnd::NotStarted(checkout::till::NotStartedReason::Busy);
    engine.commit(day(2, refused)).unwrap();
    let unknown = TerminalDayEnd::Unknown(checkout::till::Doubt::NoAnswer);
    engine.commit(day(3, unknown)).unwrap();
    engine
        .commit(back(4, &sale, OrderKind::Reversal, 40_000))
        .unwrap();
    engine.commit(paid(&by_card(5, 7_000))).unwrap();
    engine.commit(day(6, closed(7_000))).unwrap();
    let Closing::Closed(report) = engine.close_day(&at()).unwrap() else {
        panic!("no visit is open");
    };
    let journals: Vec<JournalDay> = report
        .terminal_closes
        .iter()
        .map(|close| close.journal.clone())
        .collect();
    let day_of = |figures, since_unanswered| JournalDay {
        figures,
        since_unanswered,
    };
    assert_eq!(
        journals,
        [
            day_of(figures(1, 40_000, 0, 0), None),
            day_of(figures(1, 40_000, 0, 0), None),
            day_of(
                figures(2, 47_000, 1, 40_000),
                Some(figures(1, 7_000, 1, 40_000))
            ),
        ]
    );
    assert_eq!(
        report.currencies[0].given_back,
        [GivenBack {
            kind: OrderKind::Reversal,
            count: 1,
            amount_minor: 40_000
        }]
    );
    let next = engine.x_report(&at()).unwrap();
    assert!(next.terminal_closes.is_empty() && next.currencies.is_empty());
    let figures_now = engine.day_figures().unwrap();
    let last = figures_now.last_report.unwrap();
    assert_eq!(last.terminal_closes.len(), 3);
    assert!(figures_now.terminal_closed_ms.is_some());
}

#[test]
fn card_sales_of_an_older_version_are_in_the_first_comparison() {
    // Proves the upgrade takes over what was sold by card since the last Z report, and nothing from before it.
    let place = Place::new();
    let path = place.path();
    let mut old = engine::connect(&config(&path)).unwrap();
    migrate::migrate_to(&mut old, &path, 7).unwrap();
    old.execute_batch(
        "INSERT INTO journal (journal_no, journal_id, opened_ms, reason)
         VALUES (1, '019aa3c4-7b2e-7f10-9a55-000000000009', 1, 'new');
         INSERT INTO sale (sale_no, journal_no, receipt_number, visit_id, business_date, completed_ms, currency,
                           subtotal_minor, discount_minor, deposit_minor, rounding_minor, total_minor, body)
         SELECT n, 1, n, printf('%032x', n), '2026-11-23', n, 'VND', 9, 0, 0, 0, 9, '{}'
         FROM (SELECT 1 AS n UNION SELECT 2 UNION SELECT 3);
         INSERT INTO sale_tender (sale_no, tender_no, kind, amount_minor, attempt)
         VALUES (1, 1, 'card', 100, 1), (2, 1, 'card', 250, 2), (2, 2, 'cash', 50, 3), (3, 1, 'card', 25, 4);
         INSERT INTO z_report VALUES (1, 1, '2026-11-23', 1, 1, 1, 1, 1, 0, '{}');",
    )
    .unwrap();
    migrate::migrate_to(&mut old, &path, SCHEMA_VERSION).unwrap();
    let sums = "SELECT count(*), sum(amount_minor), min(attempt) FROM card_movement WHERE kind = 'payment'";
    let found: (i64, i64, i64) = old
        .query_row(sums, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap();
    assert_eq!(found, (2, 275, 2));
}
