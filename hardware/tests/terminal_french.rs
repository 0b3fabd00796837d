//! Caisse-AP over IP and Concert E+: published messages, and their drivers against simulators.
#![allow(clippy::unwrap_used)]

mod terminal_common;

use hardware::terminal::caisse_ap::protocol as caisse;
use hardware::terminal::concert::protocol as concert;
use hardware::terminal::sim::{
    CaisseApModel, CardData, ConcertModel, Ledger, RecordKind, Scenario, SimOutcome, SimPlace,
    WhenUnacknowledged,
};
use hardware::terminal::{
    Amount, AttemptId, Baseline, CardDigits, Currency, NotReady, NotStarted, Outcome,
    PaymentTerminal, Protocol, Recovered, TerminalConfig, TerminalSim, Unknown,
};
use proptest::prelude::*;
use tempfile::TempDir;
use terminal_common::*;

fn euro(minor: u64) -> Amount {
    Amount::new(minor, Currency::EUR)
}

#[test]
fn caisse_ap_messages_have_their_published_bytes() {
    // Proves the order to the byte and the reading of the published approval and refusal.
    assert_eq!(
        caisse::request(euro(1250), caisse::Action::Debit),
        "CZ0040300CJ012012345678901CA00201CE003978BA0010CD0010CB0041250"
    );
    assert!(
        caisse::request(Amount::new(5, Currency::JPY), caisse::Action::Credit)
            .ends_with("CE003392BA0010CD0011CB00205")
    );
    let approved = b"CZ0040301CJ012012345678901CA00201CE003978CD0010CB0041250AE00210CC003001\
        CI0011AC006138980AA016738922######9567AB0042707";
    let answer = caisse::Answer::parse(approved);
    assert_eq!(answer.status, caisse::Status::Done);
    assert_eq!(
        (answer.amount_minor, answer.currency),
        (Some(1250), Some(978))
    );
    assert_eq!(answer.authorisation_code.as_deref(), Some("138980"));
    assert_eq!(answer.card, Some(CardDigits([9, 5, 6, 7])));
    assert!(answer.is_whole && !answer.was_unmasked);
    assert!(!format!("{answer:?}").contains("738922"));
    let refused = caisse::Answer::parse(b"CZ0040301AE00201AF00204");
    assert_eq!(
        (refused.status, refused.reason),
        (caisse::Status::Failed, Some(4))
    );
    let accepted = caisse::Answer::parse(b"CZ0040301AE00211");
    assert_eq!(accepted.status, caisse::Status::AcceptedOnly);
}

#[test]
fn concert_messages_have_their_published_bytes() {
    // Proves the order's columns, the check bytes, and the reading of the published answer.
    let blank = " ".repeat(10);
    let published = format!("0100001250010978{blank}A011B010");
    assert_eq!(concert::frame(published.as_bytes()).last(), Some(&0x01));
    let published = format!("0100001250110978{blank}A010B010");
    assert_eq!(concert::frame(published.as_bytes()).last(), Some(&0x01));
    let ours = concert::order(euro(1250), concert::Action::Debit, "");
    assert_eq!(
        ours,
        format!("0100001250010978{blank}A010B010").into_bytes()
    );
    assert_eq!(ours.len(), 34);
    let answer = format!("010000012501978{blank}");
    assert_eq!(concert::frame(answer.as_bytes()).last(), Some(&0x33));
    let answer = concert::Answer::parse(answer.as_bytes()).unwrap();
    assert_eq!(
        (answer.result, answer.amount_minor, answer.currency),
        ('0', Some(1250), Some(978))
    );
    assert_eq!(answer.private, "");
    let attempt = AttemptId([0xFF; 16]);
    assert_eq!(concert::private_field(attempt), "ZZZZZZZZZZ");
    let with_report = format!("017000012501{:<55}978PRIVATE123", "4111111111111111 X");
    let answer = concert::Answer::parse(with_report.as_bytes()).unwrap();
    assert_eq!((answer.result, answer.currency), ('7', Some(978)));
    assert_eq!(answer.private, "PRIVATE123");
    assert!(!format!("{answer:?}").contains("4111"));
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, ..ProptestConfig::with_cases(300)
    })]

    // Proves that no bytes make either reader panic.
    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let answer = caisse::Answer::parse(&bytes);
        let mut reader = concert::Reader::default();
        for byte in &bytes {
            if let Some(concert::Signal::Message(body)) = reader.push(*byte) {
                let _ = concert::Answer::parse(&body);
            }
        }
        let _ = concert::Answer::parse(&bytes);
        prop_assert!(answer.status != caisse::Status::Done || bytes.len() > 6);
    }
}

enum Line {
    CaisseAp,
    Concert,
}

struct Bench {
    sim: TerminalSim,
    rig: Rig,
    _folder: TempDir,
}

fn bench(line: &Line) -> Bench {
    let folder = TempDir::new().unwrap();
    let (sim, protocol) = match line {
        Line::CaisseAp => {
            let model = CaisseApModel::new(Ledger::in_memory());
            (
                TerminalSim::start(model, &SimPlace::Tcp(0)).unwrap(),
                Protocol::CaisseAp,
            )
        }
        Line::Concert => {
            let model = ConcertModel::new(Ledger::in_memory());
            let place = SimPlace::Pty(folder.path().join("tty"));
            (
                TerminalSim::start(model, &place).unwrap(),
                Protocol::Concert,
            )
        }
    };
    let mut config = TerminalConfig::zvt(sim.connection(), "EUR");
    config.protocol = protocol;
    config.timeouts = patient();
    let mut rig = Rig::with(config);
    rig.wait_up();
    Bench {
        sim,
        rig,
        _folder: folder,
    }
}

fn both(test: impl Fn(&mut Bench)) {
    for line in [Line::CaisseAp, Line::Concert] {
        test(&mut bench(&line));
    }
}

#[test]
fn payments_declines_and_refunds() {
    // Proves approval, decline and refund end to end, with the exact amount in the ledger.
    both(|Bench { sim, rig, .. }| {
        let (baseline, outcome) = rig.pay(1, euro(1250));
        assert_eq!(baseline, Baseline::Unavailable);
        let Outcome::Approved(approval) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(approval.amount, euro(1250));
        sim.script(Scenario::ending(SimOutcome::Decline(4)));
        let (_, outcome) = rig.pay(2, euro(300));
        assert!(matches!(outcome, Outcome::Declined { .. }), "{outcome:?}");
        assert!(matches!(rig.refund(3, euro(500)), Outcome::Approved(_)));
        let kinds: Vec<_> = sim
            .records()
            .iter()
            .map(|r| (r.kind, r.amount_minor))
            .collect();
        assert_eq!(kinds, [(RecordKind::Sale, 1250), (RecordKind::Refund, 500)]);
        assert_eq!(sim.orders_received(), 3);
    });
}

#[test]
fn what_is_not_clear_is_in_doubt_and_goes_to_a_person() {
    // Proves that "accepted", "not verified" and another amount are Unknown, that the lane stays
    // closed until recovery answered, and that recovery does not guess.
    both(|Bench { sim, rig, .. }| {
        sim.script(Scenario::ending(SimOutcome::CompleteSilently));
        let (baseline, outcome) = rig.pay(1, euro(1250));
        let why = Unknown::NoResult;
        assert_eq!(outcome, Outcome::Unknown { why });
        let (_, outcome) = rig.pay(2, euro(1250));
        let why = NotStarted::AnotherInDoubt {
            in_doubt: attempt(1),
        };
        assert_eq!(outcome, Outcome::NotStarted { why });
        let recovered = rig.recover(1, euro(1250), baseline, None);
        let why = NotReady::ProtocolCannotTell;
        assert_eq!(recovered, Recovered::CannotTell { why });
        sim.script(Scenario::ending(SimOutcome::ApproveWrongAmount));
        let (_, outcome) = rig.pay(3, euro(1250));
        assert!(matches!(
            outcome,
            Outcome::Unknown {
                why: Unknown::Mismatch { .. }
            }
        ));
    });
}

#[test]
fn a_lost_link_is_in_doubt_whatever_the_terminal_did() {
    // Proves that an answer that never came, or came torn, is Unknown for a kept payment.
    both(|Bench { sim, rig, .. }| {
        sim.script(Scenario {
            vanish_after_sent_bytes: Some(1),
            when_unacknowledged: WhenUnacknowledged::Keep,
            ..Scenario::default()
        });
        let (baseline, outcome) = rig.pay(1, euro(1250));
        assert!(matches!(outcome, Outcome::Unknown { .. }), "{outcome:?}");
        assert_eq!(sim.charged().len(), 1, "the terminal did charge");
        let recovered = rig.recover(1, euro(1250), baseline, None);
        assert!(matches!(recovered, Recovered::CannotTell { .. }));
    });
}

#[test]
fn a_stored_approval_is_recovered_from_the_journal() {
    // Proves that a terminal that charges by itself makes a stored approval a payment.
    both(|Bench { rig, .. }| {
        let baseline = rig.prepare(attempt(1));
        rig.handle
            .authorise(armed(attempt(1), euro(1250), baseline.clone()))
            .unwrap();
        let approval = rig.wait_approval();
        let recovered = rig.recover(1, euro(1250), baseline, Some(approval.clone()));
        assert_eq!(
            recovered,
            Recovered::Happened {
                approval,
                was_recorded: true
            }
        );
    });
}

#[test]
fn what_the_protocol_cannot_do_is_said_and_refused() {
    // Proves honest capabilities: no reversal, no abort, no day close, short amounts on Concert.
    both(|Bench { rig, .. }| {
        let can = rig.handle.capabilities();
        assert!(!can.can_reject && !can.can_abort && !can.can_reverse && !can.can_close_day);
        let too_much = 10u64.pow(u32::from(can.amount_digits));
        let (_, outcome) = rig.pay(1, euro(too_much));
        assert!(matches!(
            outcome,
            Outcome::NotStarted {
                why: NotStarted::AmountDoesNotFit { .. }
            }
        ));
        let outcome = rig.reverse(2, 1, euro(1250));
        assert_eq!(
            outcome,
            Outcome::NotStarted {
                why: NotStarted::Unsupported
            }
        );
    });
}

#[test]
fn the_order_carries_the_attempt_where_the_protocol_has_room() {
    // Proves that a Concert terminal's record names our attempt.
    let Bench {
        sim,
        mut rig,
        _folder,
    } = bench(&Line::Concert);
    let (_, outcome) = rig.pay(7, euro(1250));
    assert!(matches!(outcome, Outcome::Approved(_)));
    assert_eq!(
        sim.records()[0].reference.as_deref(),
        Some(attempt(7).short().as_str())
    );
}

#[test]
fn an_unmasked_number_from_caisse_ap_is_noticed_and_dropped() {
    // Proves that a clear card number raises the alarm and is in no event.
    let Bench {
        sim,
        mut rig,
        _folder,
    } = bench(&Line::CaisseAp);
    sim.script(Scenario {
        card_data: CardData::Unmasked,
        ..Scenario::default()
    });
    let (_, outcome) = rig.pay(1, euro(1250));
    assert!(matches!(outcome, Outcome::Approved(_)));
    let log = rig.log.join("\n");
    assert!(log.contains("UnmaskedCardNumber") && !log.contains("4929"));
}

#[test]
fn a_caisse_ap_terminal_that_is_not_there_has_not_started() {
    // Proves that a refused connection is NotStarted: nothing was sent.
    let Bench {
        sim,
        mut rig,
        _folder,
    } = bench(&Line::CaisseAp);
    sim.unplug();
    rig.handle
        .authorise(armed(attempt(1), euro(100), Baseline::Unavailable))
        .unwrap();
    let outcome = rig.wait_outcome();
    assert_eq!(
        outcome,
        Outcome::NotStarted {
            why: NotStarted::NotConnected
        }
    );
}
