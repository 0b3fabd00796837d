//! Events nobody ordered.

use checkout::till::*;
use checkout::{Currency, Money, Quantity};

use crate::desk::*;
use crate::{rng, shop};

/// Any event, with small random numbers in it so that some hit.
fn any_event(dice: &mut rng::Dice) -> Event {
    let attempt = AttemptId(dice.below(6));
    let line = checkout::LineId(u32::try_from(dice.below(4)).unwrap());
    let minor = i64::try_from(dice.below(60_000)).unwrap() - 5_000;
    let tenders = [TenderKind::Qr, TenderKind::Card, TenderKind::Cash];
    match dice.below(48) {
        0..6 => Event::Scanned(Scan::new(dice.pick(&shop::codes()).clone())),
        6..9 => Event::Pay,
        9..14 => Event::ChooseTender(*dice.pick(&tenders)),
        14 => Event::CancelTender,
        15 => Event::Chosen(Box::new(dice.pick(&shop::items()).clone())),
        16 => Event::Weighed {
            quantity: Quantity::milli(minor),
        },
        31 if minor > 40_000 => Event::Staff(StaffEvent::WeightRefused),
        31 => Event::Staff(StaffEvent::Weighed {
            quantity: Quantity::milli(minor),
        }),
        17 => Event::SetQuantity {
            line,
            quantity: Quantity::milli(minor),
        },
        18 => Event::Staff(StaffEvent::SignedIn {
            staff: StaffId("S".into()),
        }),
        19 => Event::Staff(StaffEvent::CashTaken {
            received_minor: minor * 1_000,
        }),
        20 => Event::Staff(StaffEvent::AgeApproved),
        21 => Event::Staff(StaffEvent::VoidLine(line)),
        22 => Event::Terminal {
            attempt,
            said: TerminalSaid::Prepared {
                baseline: "1".into(),
            },
        },
        23 => Event::Terminal {
            attempt,
            said: TerminalSaid::Approved(approval()),
        },
        24 => Event::Terminal {
            attempt,
            said: TerminalSaid::Completed,
        },
        25 => Event::Terminal {
            attempt,
            said: TerminalSaid::Lost,
        },
        26 => Event::Terminal {
            attempt,
            said: TerminalSaid::Recovered(Recovery::Paid(approval())),
        },
        27 => Event::Terminal {
            attempt,
            said: TerminalSaid::Recovered(Recovery::NotCharged),
        },
        28 => Event::Bank {
            attempt,
            said: BankSaid::Cancelled,
        },
        29..32 => Event::Bank {
            attempt,
            said: BankSaid::Credit(Credit {
                id: format!("FT{}", dice.below(30)),
                amount: Money::new(
                    minor,
                    *dice.pick(&[Currency::VND, Currency::VND, Currency::USD]),
                ),
            }),
        },
        32 => Event::Printer {
            job: PrintJobId(dice.below(5)),
            said: PrinterSaid::Unknown,
        },
        33 => Event::Stored(Ticket(dice.below(20))),
        34 if minor < 0 => Event::PrintSlip,
        34 => Event::Face(u8::try_from(dice.below(256)).unwrap()),
        35 => Event::Park,
        36 => Event::SetPart(Some(minor)),
        37 => Event::CallHelp,
        38 => Event::Back,
        40 => Event::GoOn,
        41 => Event::ExtendOffer,
        42 => Event::Bank {
            attempt,
            said: BankSaid::Checked {
                asked_ago_ms: dice.below(4_000),
            },
        },
        43 => Event::Bank {
            attempt,
            said: BankSaid::Unreachable,
        },
        44 => Event::Staff(StaffEvent::TransferSeen {
            reference: format!("FT {}", dice.below(2_000)),
        }),
        45 => Event::Staff(StaffEvent::SettleUnconfirmed {
            attempt,
            arrived: minor > 0,
        }),
        46 => Event::Staff(StaffEvent::ResolveReview {
            review: ReviewId(dice.below(6)),
            decision: *dice.pick(&[
                ReviewDecision::Voucher,
                ReviewDecision::Reopened,
                ReviewDecision::Refunded,
            ]),
            note: String::new(),
        }),
        _ => Event::Done,
    }
}

#[test]
fn any_event_may_come_at_any_time() {
    // Proves no order of events panics, breaks the state row, or makes a sale that does not add up.
    for seed in 0..60 {
        let mut dice = rng::Dice::new(seed);
        let mut desk = Desk::new();
        for _ in 0..200 {
            let event = any_event(&mut dice);
            desk.does(event);
            if dice.chance(8) {
                let attempt = desk.till.state().counters.attempt;
                desk.offered(attempt);
            }
            desk.mono_ms += dice.below(20_000);
            desk.wall_ms = WALL_MS + i64::try_from(dice.below(100_000_000)).unwrap();
            desk.does(Event::Tick);
            let _ = desk.view();
        }
        let row = serde_json::to_string(desk.till.state()).unwrap();
        let read: TillState = serde_json::from_str(&row).unwrap();
        assert_eq!(&read, desk.till.state());
        let mut receipt = 0;
        for fact in &desk.facts {
            if let What::SaleCompleted(sale) = &fact.what {
                receipt += 1;
                let paid: i64 = sale.tenders.iter().map(|tender| tender.amount_minor).sum();
                assert_eq!(sale.receipt_number, receipt);
                assert_eq!(paid, sale.paid().minor, "seed {seed}: {sale:?}");
            }
        }
    }
}
