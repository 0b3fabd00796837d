//! A till's state outlives the program that wrote it: whatever an older version stored must load.
//!
//! `tests/fixtures/till-state-N.json` are the forms there have been, the newest last. A field that is added to anything
//! in the state needs `#[serde(default)]`, because an installed kiosk holds states without it.

use std::collections::VecDeque;

use checkout::till::*;
use checkout::*;
use serde_json::Value;

use crate::shop;

/// Every form there has been, oldest first: 1 knew no item that waits for its weight and no receipt sent again, 2 no
/// receipt that was only sent, 3 no evidence of a payment in doubt, no claim slip and no terminal asked after staff
/// decided, 4 no transfer on a person's word, no voucher, no agreed payee and no code of a review, 5 no order of staff at the
/// card terminal.
const FORMS: [&str; 6] = [
    include_str!("../fixtures/till-state-1.json"),
    include_str!("../fixtures/till-state-2.json"),
    include_str!("../fixtures/till-state-3.json"),
    include_str!("../fixtures/till-state-4.json"),
    include_str!("../fixtures/till-state-5.json"),
    include_str!("../fixtures/till-state-6.json"),
];

const WALL_MS: i64 = 1_795_000_000_000;

fn visit_id(digit: char) -> VisitId {
    VisitId(digit.to_string().repeat(32))
}

fn approval() -> CardApproval {
    CardApproval {
        reference: "T1 S7 B3".into(),
        approval_code: "004711".into(),
        scheme: "NAPAS".into(),
    }
}

fn weighing() -> Weighing {
    Weighing {
        new: NewLine {
            item: shop::items().remove(3),
            quantity: Quantity::default(),
            price_override_minor: Some(23_688),
            lot: Some("L7".into()),
            expiry: Some("2026-12-31".into()),
            serial: Some("S9".into()),
        },
        by: AddedBy::Scan,
        since_wall_ms: WALL_MS,
        answered: true,
    }
}

fn basket() -> Basket {
    let mut basket = Basket::new();
    for item in shop::items().into_iter().take(3) {
        basket.add_line(NewLine::of(item, Quantity::ONE)).unwrap();
    }
    let Weighing { mut new, .. } = weighing();
    new.quantity = Quantity::grams(846);
    basket.add_line(new).unwrap();
    basket.add_coupon("GIAM10").unwrap();
    basket
}

fn attempt(id: u64, kind: TenderKind, status: AttemptStatus) -> Attempt {
    Attempt {
        id: AttemptId(id),
        kind,
        amount_minor: 30_000,
        status,
        started_wall_ms: WALL_MS,
        baseline: Some("T1 S6 B3".into()),
        approval: Some(approval()),
        order_code: Some("HS7K2M9QX6".into()),
        offer: Some(Box::new(QrOffer {
            payload: "000201".into(),
            payee: "HOA SEN".into(),
            bank: "VCB".into(),
            account_tail: "5678".into(),
        })),
        credits: vec![Credit {
            id: "FT1".into(),
            amount: Money::new(30_000, Currency::VND),
        }],
        history: history(),
        slip: Some(SlipRecord {
            job: PrintJobId(4),
            copy_number: 1,
            outcome: PrintOutcome::Unknown,
        }),
    }
}

/// One moment of each kind there is.
fn history() -> Vec<Moment> {
    let doubts = [
        Doubt::Restarted,
        Doubt::NoAnswer,
        Doubt::LinkLost,
        Doubt::Contradiction,
        Doubt::Rejected,
        Doubt::Mismatch,
        Doubt::NoResult,
    ];
    let answers = [
        Recovery::Paid(approval()),
        Recovery::NotCharged,
        Recovery::TakenBack,
        Recovery::Foreign {
            seen: "T1 S9 B5".into(),
        },
        Recovery::Unreachable,
    ];
    let steps = [Step::Armed, Step::Approved, Step::Confirmed]
        .into_iter()
        .chain(doubts.into_iter().map(Step::InDoubt))
        .chain(answers.into_iter().map(Step::Answered));
    steps
        .map(|step| Moment {
            wall_ms: WALL_MS,
            step,
            times: 2,
        })
        .collect()
}

/// One attempt of each status there is.
fn attempts() -> Vec<Attempt> {
    use AttemptStatus as Is;
    let statuses = [
        Is::Intended,
        Is::Armed,
        Is::Approved,
        Is::Showing,
        Is::Checking,
        Is::Waiting,
        Is::Unknown,
        Is::Paid,
        Is::PartPaid,
        Is::Declined(DeclineReason::Bank("51".into())),
        Is::Declined(DeclineReason::Aborted),
        Is::Declined(DeclineReason::NoCard),
        Is::Declined(DeclineReason::WrongPin),
        Is::Declined(DeclineReason::AlreadyReversed),
        Is::Declined(DeclineReason::ReversalImpossible),
        Is::NotStarted(NotStartedReason::Unreachable),
        Is::NotStarted(NotStartedReason::StorageDown),
        Is::NotStarted(NotStartedReason::Unsupported),
        Is::NotCharged,
        Is::Voided,
        Is::Left,
    ];
    let kinds = [
        TenderKind::Cash,
        TenderKind::Card,
        TenderKind::Qr,
        TenderKind::Voucher,
    ];
    (1..)
        .zip(statuses)
        .map(|(id, status)| attempt(id, kinds[usize::try_from(id).unwrap() % 4], status))
        .collect()
}

fn tender() -> Tender {
    Tender {
        kind: TenderKind::Cash,
        attempt: AttemptId(8),
        amount_minor: 30_000,
        received_minor: 50_000,
        change_minor: 20_000,
        rounding_minor: -188,
        reference: Some("T1 S7 B3".into()),
        approval_code: Some("004711".into()),
        unconfirmed: true,
    }
}

fn sale() -> Sale {
    let date = LocalDate {
        year: 2026,
        month: 11,
        day: 23,
    };
    Sale {
        receipt_number: 142,
        visit: visit_id('a'),
        business_date: date,
        completed_wall_ms: WALL_MS,
        utc_offset_min: 420,
        lang: Lang::new("vi"),
        currency: Currency::VND,
        tax_mode: TaxMode::Included,
        lines: vec![SaleLine {
            line: LineId(0),
            item: ItemId(4),
            code: "12345".into(),
            name: "Chuối".into(),
            name_shown: Some("Banana".into()),
            category: "x".into(),
            unit: Unit::Measure {
                label: "m".into(),
                decimals: 2,
            },
            quantity: Quantity::grams(846),
            unit_price_minor: 28_000,
            gross_minor: 23_688,
            discount_minor: 1_000,
            net_minor: 22_688,
            tax_class: TaxClassId(1),
            tax_basis_points: 800,
            tax_treatment: TaxTreatment::Rated,
            deposit_minor: 2_000,
            deposit_name: Some("Vỏ".into()),
            lot: Some("L7".into()),
            expiry: Some("2026-12-31".into()),
            serial: Some("S9".into()),
        }],
        discounts: vec![AppliedDiscount {
            promotion: PromotionId(1),
            name: "Giảm".into(),
            names: [("en".to_owned(), "Off".to_owned())].into(),
            coupon: Some("GIAM10".into()),
            amount_minor: 1_000,
            lines: vec![LineShare {
                line: LineId(0),
                amount_minor: 1_000,
            }],
        }],
        taxes: vec![TaxTotal {
            basis_points: 800,
            treatment: TaxTreatment::Rated,
            base_minor: 22_859,
            tax_minor: 1_829,
            gross_minor: 24_688,
        }],
        coupons: vec!["GIAM10".into()],
        subtotal_minor: 23_688,
        discount_minor: 1_000,
        deposit_minor: 2_000,
        tax_minor: 1_829,
        total_minor: 24_688,
        rounding_minor: -188,
        change_minor: 20_000,
        tenders: vec![tender()],
        item_count: 1,
        age_confirmed: Some(18),
    }
}

fn visit(digit: char, stage: Stage) -> Visit {
    Visit {
        id: visit_id(digit),
        lang: Lang::new("en"),
        started_wall_ms: WALL_MS,
        basket: basket(),
        stage,
        priced_at: Some(LocalDateTime {
            date: sale().business_date,
            second_of_day: 36_000,
        }),
        tenders: vec![tender()],
        attempts: attempts(),
        active: Some(AttemptId(7)),
        age_confirmed: Some(18),
        help_since_wall_ms: Some(WALL_MS),
        sale: Some(Box::new(sale())),
        print: Some(PrintRecord {
            job: PrintJobId(5),
            copy_number: 1,
            outcome: PrintOutcome::Printing,
            resends: 2,
        }),
        face: Some(4),
        counts: VisitCounts {
            scans: 1,
            scans_refused: 2,
            lines_removed: 3,
            attempts: 4,
            attempts_failed: 5,
            help_calls: 6,
            idle_warnings: 7,
            restarts: 8,
        },
        weighing: Some(Box::new(weighing())),
    }
}

/// A state in which everything that can be there is there. Written out, so that a new field does not compile before
/// somebody has thought of states without it.
fn everything() -> TillState {
    let kinds = [
        ReviewKind::LateCredit,
        ReviewKind::OverPaid,
        ReviewKind::OrphanCredit,
        ReviewKind::PartPaid,
        ReviewKind::Contradiction,
        ReviewKind::Unpaid,
        ReviewKind::Duplicate,
        ReviewKind::WrongCurrency,
        ReviewKind::VoucherExpired,
        ReviewKind::GaveBack,
        ReviewKind::NotGivenBack,
    ];
    let outcomes = [
        PrintOutcome::Queued,
        PrintOutcome::Printed,
        PrintOutcome::Failed(PrinterFault::NoPaper),
        PrintOutcome::Unknown,
        PrintOutcome::Sent,
    ];
    TillState {
        visit: Some(visit('a', Stage::Pay)),
        parked: vec![Parked {
            code: "A7K2".into(),
            parked_wall_ms: WALL_MS,
            until_wall_ms: WALL_MS + 900_000,
            visit: Box::new(visit('b', Stage::Shop)),
        }],
        watched: vec![Watched {
            attempt: AttemptId(2),
            visit: visit_id('c'),
            order_code: "HS7K2M9QX6".into(),
            amount_minor: 30_000,
            until_wall_ms: WALL_MS + 86_400_000,
            paid: true,
            credits: Vec::new(),
        }],
        reviews: (1..)
            .zip(kinds)
            .map(|(id, kind)| Review {
                id: ReviewId(id),
                kind,
                amount_minor: 30_000,
                attempt: Some(AttemptId(2)),
                visit: Some(visit_id('c')),
                reference: "FT1".into(),
                opened_wall_ms: WALL_MS,
                order_code: Some("HS7K2M9QX6".into()),
            })
            .collect(),
        unprinted: (141..)
            .zip(outcomes)
            .map(|(receipt_number, outcome)| Unprinted {
                receipt_number,
                job: PrintJobId(5),
                copies: 1,
                outcome,
            })
            .collect(),
        unconfirmed: vec![Unconfirmed {
            attempt: AttemptId(3),
            visit: visit_id('c'),
            order_code: "HS7K2M9QX6".into(),
            amount_minor: 30_000,
            reference: "FT26332".into(),
            confirmed_wall_ms: WALL_MS,
            looked_up: Some(true),
        }],
        vouchers: vec![Voucher {
            code: "V34679ACDE3".into(),
            amount_minor: 7_000,
            review: ReviewId(2),
            issued_wall_ms: WALL_MS,
            until_wall_ms: WALL_MS + 86_400_000,
        }],
        payee: Some("970436/0123456789".into()),
        seen_credits: VecDeque::from(["FT1".to_owned()]),
        closed_cards: VecDeque::from([ClosedCard {
            attempt: AttemptId(1),
            visit: visit_id('c'),
            amount_minor: 30_000,
            paid: true,
            kind: OrderKind::Reversal,
        }]),
        settled: Some(Box::new(Settled {
            attempt: AttemptId(1),
            visit: visit_id('c'),
            amount_minor: 30_000,
            decision: AttemptDecision::TakenBack,
            baseline: Some("T1 S6 B3".into()),
            approval: Some(approval()),
            kind: OrderKind::Refund,
        })),
        order: Some(Box::new(CardOrder {
            attempt: AttemptId(18),
            kind: OrderKind::Reversal,
            amount_minor: 30_000,
            of: Some(CardPayment {
                attempt: AttemptId(2),
                reference: "T1 S7 B3".into(),
                is: PaymentIs::Sale {
                    visit: visit_id('c'),
                    receipt_number: 141,
                },
            }),
            status: AttemptStatus::Unknown,
            staff: StaffId("S7".into()),
            started_wall_ms: WALL_MS,
            baseline: Some("T1 S6 B3".into()),
            approval: Some(approval()),
            history: history(),
        })),
        irreversible: Some(AttemptId(3)),
        counters: Counters {
            visit: 3,
            receipt: 142,
            attempt: 17,
            print_job: 5,
            review: 9,
            ticket: 99,
            give_back: 4,
        },
    }
}

/// Paths below `old` that `new` lacks or says otherwise.
fn lost(old: &Value, new: &Value, at: &str, found: &mut Vec<String>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                let at = format!("{at}.{key}");
                match new.get(key) {
                    Some(new) => lost(value, new, &at, found),
                    None => found.push(at),
                }
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                lost(old, new, &format!("{at}[{index}]"), found);
            }
        }
        _ if old == new => {}
        _ => found.push(at.to_owned()),
    }
}

#[test]
fn the_newest_form_on_record_is_the_present_one() {
    // Proves that whoever changes the stored form has to keep the one before it.
    let now = serde_json::to_value(everything()).unwrap();
    let newest: Value = serde_json::from_str(FORMS[FORMS.len() - 1]).unwrap();
    assert!(
        now == newest,
        "the stored form has changed. Give what is new #[serde(default)], leave the files that are there, and save \
         this as the next till-state-N.json:\n{now}"
    );
}

#[test]
fn every_state_an_older_version_stored_still_loads_and_loses_nothing() {
    // Proves that an upgrade reads the state of the kiosk it replaces, whole.
    for (number, form) in (1..).zip(FORMS) {
        let state: TillState = serde_json::from_str(form)
            .unwrap_or_else(|error| panic!("till-state-{number}.json: {error}"));
        let (old, new) = (
            serde_json::from_str(form).unwrap(),
            serde_json::to_value(&state).unwrap(),
        );
        let mut found = Vec::new();
        lost(&old, &new, "state", &mut found);
        assert!(
            found.is_empty(),
            "till-state-{number}.json loses {found:#?}"
        );
    }
    let first: TillState = serde_json::from_str(FORMS[0]).unwrap();
    assert_eq!(first.visit.unwrap().weighing, None);
}

#[test]
fn a_till_goes_on_from_every_older_state() {
    // Proves that a state of any age restores the visit and asks about the payment in doubt.
    let now = Now {
        wall_ms: WALL_MS,
        utc_offset_min: 420,
        mono_ms: 0,
    };
    for form in FORMS {
        let state: TillState = serde_json::from_str(form).unwrap();
        let mut till = Till::new(shop::config(1), Some(state), 7, now);
        till.step(now, Event::Tick, &mut Effects::new());
        let view = till.view(now);
        assert!(matches!(view.screen, Screen::Unknown { .. }), "{view:?}");
        assert_eq!(view.basket.lines.len(), 4);
    }
}
