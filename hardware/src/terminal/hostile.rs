//! The ZVT engine against a terminal that says anything at any time.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::config::{Connection, TerminalConfig};
use super::engine::{Command, Engine, Output};
use super::journal::{Durable, JournalProof, JournalStep, Payment};
use super::types::{
    Amount, Approval, AttemptId, Baseline, Currency, LinkFault, LinkState, Outcome, TerminalEvent,
};
use super::zvt::ZvtEngine;
use super::zvt::protocol::Apdu;
use super::zvt::protocol::fields::{Field, Fields};

const ATTEMPT: AttemptId = AttemptId([7; 16]);

#[derive(Debug, Clone)]
enum Move {
    Bytes(Vec<u8>),
    Message(Apdu),
    Status { code: u8, minor: u64, receipt: u8 },
    Wait(u64),
    Store,
    Refuse,
    Abort,
    Cut,
}

fn moves() -> impl Strategy<Value = Move> {
    prop_oneof![
        2 => proptest::collection::vec(any::<u8>(), 0..12).prop_map(Move::Bytes),
        4 => prop_oneof![
            Just(Apdu::accept()),
            Just(Apdu::refuse(0x9C)),
            Just(Apdu::refuse(0x83)),
            Just(Apdu::new(0x04, 0xFF, [0x0A])),
            Just(Apdu::new(0x06, 0x0F, [])),
            Just(Apdu::new(0x06, 0x1E, [0x6C])),
            Just(Apdu::new(0x06, 0xD1, [0x00, b'x'])),
        ].prop_map(Move::Message),
        4 => (prop_oneof![Just(0u8), Just(0x6C)], prop_oneof![Just(500u64), Just(501)], 0u8..3)
            .prop_map(|(code, minor, receipt)| Move::Status { code, minor, receipt }),
        1 => (0u64..200_000).prop_map(Move::Wait),
        3 => Just(Move::Store),
        1 => Just(Move::Refuse),
        1 => Just(Move::Abort),
        1 => Just(Move::Cut),
    ]
}

struct Proof(Amount);

impl JournalProof for Proof {
    fn attempt(&self) -> AttemptId {
        ATTEMPT
    }
    fn step(&self) -> JournalStep {
        JournalStep::Approved
    }
    fn amount(&self) -> Option<Amount> {
        Some(self.0)
    }
}

fn status(code: u8, minor: u64, receipt: u8) -> Vec<u8> {
    let digits = |text: String| super::zvt::protocol::json::unhex(&text).unwrap();
    let fields = Fields {
        list: vec![
            Field::new(0x27, [code]),
            Field::new(0x04, digits(format!("{minor:012}"))),
            Field::new(0x87, [0, receipt]),
        ],
        rest: Vec::new(),
    };
    Apdu::new(0x04, 0x0F, fields.encode().unwrap())
        .encode()
        .unwrap()
}

/// A registered engine with one order out.
fn paying(amount: Amount) -> (ZvtEngine, Output) {
    let tcp = Connection::Tcp {
        host: "localhost".into(),
        port: 20007,
    };
    let mut engine = ZvtEngine::new(&TerminalConfig::zvt(tcp, "VND")).unwrap();
    let mut out = Output::default();
    engine.link_up(0, &mut out);
    engine.bytes(0, &[0x80, 0x00, 0x00, 0x06, 0x0F, 0x00], &mut out);
    // The first routine enquiry is still out; its end lets the order through.
    engine.tick(0, &mut out);
    engine.bytes(0, &[0x80, 0x00, 0x00, 0x06, 0x0F, 0x00], &mut out);
    let baseline = Baseline::Empty { code: 0x64 };
    let order = Payment {
        attempt: ATTEMPT,
        amount,
        baseline,
    };
    engine.command(0, Command::Pay(order), &mut out);
    let orders = out
        .wire
        .windows(2)
        .filter(|pair| *pair == [0x06, 0x01])
        .count();
    assert_eq!(orders, 1, "the order must be out: {:?}", out.events);
    out.wire.clear();
    (engine, out)
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None, ..ProptestConfig::with_cases(600)
    })]

    // Proves that nothing a terminal says makes the driver panic, send a second order, end an
    // order twice, or approve what was not stored.
    #[test]
    fn no_conversation_breaks_the_promises(conversation in proptest::collection::vec(moves(), 0..30)) {
        let amount = Amount::new(500, Currency::VND);
        let (mut engine, mut out) = paying(amount);
        let (mut now_ms, mut stored, mut finished) = (0u64, false, Vec::new());
        let mut pending: Option<Approval> = None;
        let (mut junk, mut cut) = (false, false);
        for one in conversation {
            match one {
                Move::Bytes(bytes) => {
                    junk = true;
                    engine.bytes(now_ms, &bytes, &mut out);
                }
                Move::Message(apdu) => engine.bytes(now_ms, &apdu.encode().unwrap(), &mut out),
                Move::Status { code, minor, receipt } => {
                    engine.bytes(now_ms, &status(code, minor, receipt), &mut out);
                }
                Move::Wait(pause) => {
                    now_ms += pause;
                    engine.tick(now_ms, &mut out);
                }
                Move::Store => if let Some(approval) = pending.clone() {
                    stored = true;
                    let durable = Durable::new(approval, Proof(amount)).unwrap();
                    engine.command(now_ms, Command::ApprovalStored(durable), &mut out);
                },
                Move::Refuse => engine.command(now_ms, Command::ApprovalRefused(ATTEMPT), &mut out),
                Move::Abort => engine.command(now_ms, Command::Abort(ATTEMPT), &mut out),
                Move::Cut => {
                    engine.link_down(now_ms, &LinkFault::StartingClean, &mut out);
                    out.wire.clear();
                    engine.link_up(now_ms, &mut out);
                    cut = true;
                }
            }
            for event in out.events.drain(..) {
                match event {
                    TerminalEvent::ApprovalPending { approval } => {
                        prop_assert_eq!(approval.amount, amount);
                        prop_assert!(pending.is_none(), "one approval for one order");
                        pending = Some(approval);
                    }
                    TerminalEvent::Finished { outcome, .. } => finished.push(outcome),
                    _ => {}
                }
            }
        }
        let orders = out.wire.windows(3).filter(|w| *w == [0x06, 0x01, 0x0A]).count();
        prop_assert_eq!(orders, 0, "no second order");
        prop_assert!(finished.len() <= 1, "{:?}", finished);
        for outcome in &finished {
            match outcome {
                Outcome::Approved(_) => prop_assert!(stored, "approved without being stored"),
                Outcome::Declined { .. } | Outcome::NotStarted { .. } => {
                    prop_assert!(pending.is_none(), "an approval was seen: this is a doubt");
                }
                Outcome::Unknown { .. } => {}
            }
        }
        prop_assert!(!cut || !finished.is_empty() || junk, "a cut ends the order");
    }
}

#[test]
fn a_dead_serial_line_is_reported_as_no_answer_after_bounded_repeats() {
    // Proves that a registration nobody acknowledges is sent three times, then reported once.
    let serial = Connection::Serial {
        path: "/dev/null".into(),
        baud: 9600,
        two_stop_bits: true,
        seven_even: false,
    };
    let mut engine = ZvtEngine::new(&TerminalConfig::zvt(serial, "VND")).unwrap();
    let mut out = Output::default();
    engine.link_up(0, &mut out);
    let mut now_ms = 0;
    while !out.close {
        now_ms = engine.deadline_ms().unwrap().max(now_ms + 1);
        engine.tick(now_ms, &mut out);
    }
    let sends = out
        .wire
        .windows(4)
        .filter(|w| *w == [0x10, 0x02, 0x06, 0x00])
        .count();
    assert_eq!((sends, now_ms), (3, 15_000));
    engine.link_down(now_ms, &LinkFault::StartingClean, &mut out);
    let down = TerminalEvent::Link(LinkState::Down {
        why: LinkFault::NoAnswer,
    });
    assert_eq!(out.events, [down]);
}
