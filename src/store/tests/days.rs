//! Business days: X and Z reports over what the store holds.

use checkout::till::{Review, ReviewId, ReviewKind, Sale, Tender, TenderKind};
use checkout::{Currency, LocalDate, TaxTotal, TaxTreatment};
use proptest::prelude::*;
use touchpoint::vocabulary as words;
use touchpoint::{At, Body, Event};

use super::*;
use crate::receipt::report::{Kind, Summary};
use crate::testing;

fn at(wall_ms: i64) -> Moment {
    Moment {
        wall_ms,
        utc_offset_min: 420,
        business_date: LocalDate::new(2026, 11, 22).unwrap(),
        float_minor: 500_000,
        terminal: crate::receipt::report::TerminalPart::None,
    }
}

fn numbered(receipt_number: u64) -> Sale {
    Sale {
        receipt_number,
        ..testing::sale()
    }
}

fn sell(engine: &mut Engine, sale: &Sale) {
    let mut commit = commit(sale.receipt_number, &[Lane::Money]);
    commit.sale = Some(Box::new(SaleRecord::of(sale).unwrap()));
    engine.commit(commit).unwrap();
}

fn tell<B: Body>(engine: &mut Engine, body: &B) {
    let at = At {
        wall_ms: 1,
        mono_ms: 1,
        boot: "b".into(),
    };
    let event = JournalEvent::of(&Event::of(at, None, body).unwrap()).unwrap();
    engine
        .commit(Commit {
            wall_ms: 1,
            events: vec![event],
            state_json: None,
            sale: None,
            card: Vec::new(),
        })
        .unwrap();
}

/// Stores a till state that `change` made.
fn state(engine: &mut Engine, change: impl FnOnce(&mut TillState)) {
    let mut state = TillState::default();
    change(&mut state);
    engine
        .commit(Commit {
            wall_ms: 1,
            events: Vec::new(),
            state_json: Some(serde_json::to_string(&state).unwrap()),
            sale: None,
            card: Vec::new(),
        })
        .unwrap();
}

fn close(engine: &mut Engine) -> Summary {
    match engine.close_day(&at(1_795_228_860_000)).unwrap() {
        Closing::Closed(summary) => *summary,
        Closing::VisitOpen => panic!("no visit is open"),
    }
}

fn sales_of(summary: &Summary) -> u32 {
    summary.currencies.iter().map(|totals| totals.sales).sum()
}

#[test]
fn the_cash_of_the_morning_is_in_the_cash_of_the_evening() {
    // Proves: what lay in the drawer when the day began is on X and Z reports and in the cash expected.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    sell(&mut engine, &numbered(1));
    let cash = testing::sale().tenders[0].amount_minor;
    let reading = engine.x_report(&at(1_000)).unwrap();
    assert_eq!(reading.cash_expected_minor(), 500_000 + cash);
    let Closing::Closed(report) = engine.close_day(&at(2_000)).unwrap() else {
        panic!("no visit is open");
    };
    assert_eq!(
        (report.float_minor, report.cash_expected_minor()),
        (500_000, 500_000 + cash)
    );
}

#[test]
fn z_reports_are_numbered_without_gaps_and_no_sale_is_in_two_or_in_none() {
    // Proves: numbers run 1, 2, 3 across restarts, each report holds the sales since the one before, and a report that
    // would leave a gap, be changed or be deleted is refused by the file itself.
    let place = Place::new();
    let mut receipts = Vec::new();
    for day in 0..3u64 {
        let (mut engine, _) = place.engine().unwrap();
        for number in [2 * day + 1, 2 * day + 2] {
            sell(&mut engine, &numbered(number));
        }
        let summary = close(&mut engine);
        assert_eq!(summary.kind, Kind::Z { number: day + 1 });
        assert_eq!(sales_of(&summary), 2);
        receipts.push(summary.receipts);
    }
    assert_eq!(receipts, [Some((1, 2)), Some((3, 4)), Some((5, 6))]);
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    for refused in [
        "INSERT INTO z_report SELECT journal_no, 5, business_date, closed_ms, last_sale_no, 1, 1, 1, 0, summary
         FROM z_report WHERE number = 1",
        "UPDATE z_report SET summary = '{}'",
        "DELETE FROM z_report",
    ] {
        assert!(raw.execute(refused, []).is_err(), "{refused}");
    }
}

#[test]
fn an_x_report_changes_nothing_and_says_what_the_next_z_says() {
    // Proves: reading as often as wanted leaves file and figures as they are; the Z report differs in its kind alone.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    sell(&mut engine, &numbered(1));
    let before = engine.connection.total_changes();
    let first = engine.x_report(&at(1_795_228_860_000)).unwrap();
    assert_eq!(engine.x_report(&at(1_795_228_860_000)).unwrap(), first);
    assert_eq!(engine.connection.total_changes(), before);
    let closed = close(&mut engine);
    assert_eq!(
        Summary {
            kind: Kind::X,
            ..closed
        },
        first
    );
}

#[test]
fn an_empty_day_can_be_closed_and_is_empty() {
    // Proves: a day without a sale has a report of zeros with the day it is made on.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    assert_eq!(engine.day_figures().unwrap(), DayFigures::default());
    let summary = close(&mut engine);
    assert_eq!((sales_of(&summary), summary.receipts), (0, None));
    assert_eq!(summary.business_date, at(0).business_date);
    assert_eq!(close(&mut engine).kind, Kind::Z { number: 2 });
}

#[test]
fn the_panel_shows_the_open_day_and_the_last_sale_of_all() {
    // Proves: figures begin again after a Z report, the last sale and the last report stay.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    for number in 1..=3 {
        sell(&mut engine, &numbered(number));
    }
    let figures = engine.day_figures().unwrap();
    assert_eq!(figures.sales, 3);
    assert_eq!(figures.totals, [("VND".to_owned(), 3 * 146_688)]);
    assert_eq!(figures.last_report, None);
    close(&mut engine);
    let figures = engine.day_figures().unwrap();
    assert_eq!((figures.sales, figures.totals.len()), (0, 0));
    let last: Sale = serde_json::from_str(&figures.last_sale.unwrap()).unwrap();
    assert_eq!(last.receipt_number, 3);
    let report = figures.last_report.unwrap();
    assert_eq!(
        (report.number, report.business_date.as_str()),
        (1, "2026-11-21")
    );
}

#[test]
fn an_open_visit_keeps_the_day_open_and_doubt_is_said_on_the_report() {
    // Proves: nothing is closed under a shopper; money nobody has settled is counted, not hidden and not in the way.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    let fixture = include_str!("../../../checkout/tests/fixtures/till-state-2.json");
    let busy: TillState = serde_json::from_str(fixture).unwrap();
    assert!(busy.visit.is_some());
    state(&mut engine, |state| *state = busy);
    assert_eq!(engine.close_day(&at(1)).unwrap(), Closing::VisitOpen);
    assert_eq!(engine.day_figures().unwrap().last_report, None);
    state(&mut engine, |state| {
        state.reviews.push(Review {
            id: ReviewId(1),
            kind: ReviewKind::LateCredit,
            amount_minor: 25_000,
            attempt: None,
            visit: None,
            reference: "B-1".into(),
            opened_wall_ms: 1,
            order_code: None,
        });
    });
    assert_eq!(close(&mut engine).payments_in_doubt, 1);
}

#[test]
fn what_was_voided_opened_and_copied_is_counted_once() {
    // Proves: each counted kind reaches its line of the report, originals are no copies, and the next day starts at zero.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    for _ in 0..3 {
        tell(
            &mut engine,
            &words::ItemRemoved {
                item_code: "A".into(),
                quantity_milli: 1000,
            },
        );
    }
    let total = words::Money {
        currency: "VND".into(),
        minor: 1,
    };
    tell(
        &mut engine,
        &words::BasketAbandoned {
            lines: 1,
            total,
            last_screen: "shop".into(),
        },
    );
    for reason in ["cash", "no_sale"] {
        let reason = reason.into();
        tell(&mut engine, &words::DrawerOpened { reason });
    }
    for copy in [false, true, false] {
        tell(
            &mut engine,
            &words::ReceiptPrinted {
                sale: "s".into(),
                proof: "finished".into(),
                copy,
            },
        );
    }
    let counts = |summary: &Summary| {
        [
            summary.voided_lines,
            summary.voided_baskets,
            summary.drawer_opens,
            summary.copies,
        ]
    };
    let first = close(&mut engine);
    assert_eq!(counts(&first), [3, 1, 2, 1]);
    assert_eq!(counts(&close(&mut engine)), [0; 4]);
}

#[test]
fn a_report_is_printed_again_with_its_own_figures_and_a_number() {
    // Proves: a copy is the report as it was closed, whatever was sold since, and each copy has its own durable number.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    assert_eq!(engine.copy_of_z_report().unwrap(), None);
    sell(&mut engine, &numbered(1));
    let closed = close(&mut engine);
    sell(&mut engine, &numbered(2));
    assert_eq!(
        engine.copy_of_z_report().unwrap(),
        Some((closed.clone(), 1))
    );
    drop(engine);
    let (mut engine, _) = place.engine().unwrap();
    assert_eq!(engine.copy_of_z_report().unwrap(), Some((closed, 2)));
}

#[test]
fn a_new_journal_counts_from_one_and_takes_over_what_was_not_closed() {
    // Proves: after a restored backup no sale is lost to the reports, and the numbers are those of the new journal.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    sell(&mut engine, &numbered(1));
    close(&mut engine);
    sell(&mut engine, &numbered(2));
    let removed = words::ItemRemoved {
        item_code: "A".into(),
        quantity_milli: 1000,
    };
    tell(&mut engine, &removed);
    engine.open_new_journal(journal_id(2), 1).unwrap();
    tell(&mut engine, &removed);
    sell(&mut engine, &numbered(1));
    let summary = close(&mut engine);
    assert_eq!(summary.kind, Kind::Z { number: 1 });
    assert_eq!((sales_of(&summary), summary.voided_lines), (2, 2));
}

#[test]
fn a_sale_that_cannot_be_read_is_never_left_out() {
    // Proves: a report says that it cannot be made rather than being short of a sale.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    let mut broken = commit(1, &[Lane::Money]);
    broken.sale = Some(Box::new(sale(1, &["A"])));
    engine.commit(broken).unwrap();
    assert!(matches!(
        engine.close_day(&at(1)),
        Err(StoreError::Refused(what)) if what.contains("sale row 1")
    ));
    assert_eq!(engine.day_figures().unwrap().last_report, None);
}

fn any_tender() -> impl Strategy<Value = (u8, i64)> {
    (0u8..3, 1i64..5_000_000)
}

fn any_tax() -> impl Strategy<Value = (u32, i64)> {
    (0u32..4, 0i64..5_000_000)
}

prop_compose! {
    fn any_sale()(
        currency in 0usize..2,
        tenders in proptest::collection::vec(any_tender(), 1..4),
        taxes in proptest::collection::btree_map(0u32..4, any_tax(), 1..4),
    ) -> Sale {
        let mut sale = testing::sale();
        sale.currency = Currency::from_code(["VND", "USD"][currency]).unwrap();
        sale.total_minor = tenders.iter().map(|(_, amount)| amount).sum();
        let first = sale.tenders[0].clone();
        sale.tenders = tenders
            .into_iter()
            .map(|(kind, amount_minor)| Tender {
                kind: [TenderKind::Qr, TenderKind::Card, TenderKind::Cash][usize::from(kind)],
                amount_minor,
                ..first.clone()
            })
            .collect();
        sale.taxes = taxes
            .into_iter()
            .map(|(rate, (_, base_minor))| TaxTotal {
                basis_points: rate * 250,
                treatment: TaxTreatment::Rated,
                base_minor,
                tax_minor: base_minor / 40 * i64::from(rate),
                gross_minor: base_minor + base_minor / 40 * i64::from(rate),
            })
            .collect();
        sale
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn totals_by_tender_and_vat_rate_are_the_sums_of_the_rows(
        days in proptest::collection::vec(proptest::collection::vec(any_sale(), 0..9), 1..4),
    ) {
        // Proves: whatever was sold, each day's report adds up to the rows of its own sales, by currency, way to pay and
        // VAT rate, and all reports together to all rows.
        let place = Place::new();
        let (mut engine, _) = place.engine().unwrap();
        let mut number = 0;
        for day in &days {
            let begun = number;
            for sale in day {
                number += 1;
                sell(&mut engine, &Sale { receipt_number: number, ..sale.clone() });
            }
            let summary = close(&mut engine);
            prop_assert_eq!(sales_of(&summary) as usize, day.len());
            let sum = |statement: &str, currency: &str, key: &dyn rusqlite::ToSql| -> i64 {
                let first = i64::try_from(begun).unwrap();
                engine
                    .connection
                    .query_row(statement, rusqlite::params![first, currency, key], |row| row.get(0))
                    .unwrap()
            };
            for totals in &summary.currencies {
                let code = totals.currency.code();
                for tender in &totals.tenders {
                    let kind = match tender.kind {
                        TenderKind::Qr => "qr",
                        TenderKind::Card => "card",
                        TenderKind::Cash => "cash",
                        TenderKind::Voucher => "voucher",
                    };
                    let rows = sum(
                        "SELECT sum(amount_minor) FROM sale_tender JOIN sale USING (sale_no)
                         WHERE sale_no > ?1 AND currency = ?2 AND kind = ?3",
                        code,
                        &kind,
                    );
                    prop_assert_eq!(rows, tender.amount_minor);
                }
                for tax in &totals.taxes {
                    let rows = sum(
                        "SELECT sum(tax_minor) FROM sale_tax JOIN sale USING (sale_no)
                         WHERE sale_no > ?1 AND currency = ?2 AND basis_points = ?3",
                        code,
                        &tax.basis_points,
                    );
                    prop_assert_eq!(rows, tax.tax_minor);
                }
                let rows = sum(
                    "SELECT sum(total_minor) FROM sale WHERE sale_no > ?1 AND currency = ?2 AND ?3 IS NOT NULL",
                    code,
                    &1,
                );
                prop_assert_eq!(rows, totals.total_minor);
            }
        }
        prop_assert_eq!(engine.day_figures().unwrap().sales, 0);
    }
}
