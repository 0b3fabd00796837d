//! The unmodified driver against the simulated terminal, over TCP and over a serial line.
#![allow(clippy::unwrap_used)]

mod terminal_common;

use hardware::terminal::sim::{
    CardData, Ledger, Scenario, SimOutcome, SimPlace, WhenUnacknowledged, ZvtModel, ZvtModelConfig,
};
use hardware::terminal::{
    Amount, Currency, DayCloseOutcome, DeclineReason, LinkFault, LinkState, NotStarted, Outcome,
    PaymentTerminal, Recovered, Recovery, ShopperPrompt, TerminalConfig, TerminalEvent,
    TerminalSim, Unknown,
};
use tempfile::TempDir;
use terminal_common::*;

/// Runs the same test over TCP and over a serial line.
fn over_both(test: impl Fn(&TerminalSim)) {
    let tcp = TerminalSim::zvt_tcp(ZvtModelConfig::default()).unwrap();
    test(&tcp);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("tty");
    let serial = TerminalSim::zvt_pty(ZvtModelConfig::default(), &path).unwrap();
    test(&serial);
}

#[test]
fn an_approved_payment_is_charged_once_after_it_was_stored() {
    // Proves that the money is taken only after the kiosk said that the approval is durable.
    over_both(|sim| {
        let mut rig = Rig::new(sim, "VND", patient());
        rig.wait_up();
        let baseline = rig.prepare(attempt(1));
        rig.handle
            .authorise(armed(attempt(1), dong(250_000), baseline))
            .unwrap();
        let approval = rig.wait_approval();
        assert_eq!(
            sim.charged(),
            [],
            "nothing may be charged before the approval is stored"
        );
        rig.handle.approval_stored(durable(&approval)).unwrap();
        assert_eq!(rig.wait_outcome(), Outcome::Approved(approval.clone()));
        let charged = sim.charged();
        assert_eq!(charged.len(), 1);
        assert_eq!(
            (charged[0].amount_minor, charged[0].currency),
            (250_000, 704)
        );
        assert_eq!(approval.card.unwrap().to_string(), "1232");
        assert_eq!(approval.scheme.as_deref(), Some("MasterCard"));
        let insert = ShopperPrompt::PresentCard;
        assert!(
            rig.log
                .iter()
                .any(|line| line.contains(&format!("{insert:?}")))
        );
    });
}

#[test]
fn a_decline_followed_by_a_completion_is_a_decline() {
    // Proves that a completion alone never means paid (27 6C, then 06 0F).
    over_both(|sim| {
        let mut rig = Rig::new(sim, "VND", patient());
        rig.wait_up();
        for (number, outcome) in [
            (1, SimOutcome::DeclineThenComplete(0x6C)),
            (2, SimOutcome::Decline(0x6C)),
            (3, SimOutcome::Abort(0x6C)),
        ] {
            sim.script(Scenario::ending(outcome));
            let (_, outcome) = rig.pay(number, dong(10_000));
            let reason = DeclineReason::CancelledOrTimeout;
            assert_eq!(outcome, Outcome::Declined { reason });
        }
        assert_eq!(sim.charged(), []);
    });
}

#[test]
fn a_refused_or_busy_terminal_has_not_started() {
    // Proves that an 84 answer to the order is NotStarted and that the next order works.
    over_both(|sim| {
        let mut rig = Rig::new(sim, "VND", patient());
        rig.wait_up();
        sim.script(Scenario::ending(SimOutcome::Refuse(0x9C)));
        let (_, outcome) = rig.pay(1, dong(10_000));
        let why = NotStarted::Refused {
            code: 0x9C,
            reason: DeclineReason::Busy,
        };
        assert_eq!(outcome, Outcome::NotStarted { why });
        let (_, outcome) = rig.pay(2, dong(10_000));
        assert!(matches!(outcome, Outcome::Approved(_)));
        assert_eq!(sim.charged().len(), 1);
    });
}

#[test]
fn a_terminal_that_vanishes_at_any_byte_leaves_unknown_and_recovery_agrees_with_its_ledger() {
    // Proves that link loss is never a decline, and recovery says exactly what was charged.
    let sim = TerminalSim::zvt_tcp(ZvtModelConfig::default()).unwrap();
    let mut rig = Rig::new(&sim, "VND", patient());
    rig.wait_up();
    let (mut doubts, mut kept) = (0, 0);
    let behaviours = [WhenUnacknowledged::TakeBack, WhenUnacknowledged::Keep];
    for (case, bytes) in (0..111usize).step_by(3).enumerate() {
        let when_unacknowledged = behaviours[case % 2];
        let number = u8::try_from(case + 1).unwrap();
        let amount = dong(1000 + bytes as u64);
        let before = sim.charged().len();
        let vanish_after_sent_bytes = Some(bytes);
        sim.script(Scenario {
            vanish_after_sent_bytes,
            when_unacknowledged,
            ..Scenario::default()
        });
        let (baseline, outcome) = rig.pay(number, amount);
        if !matches!(outcome, Outcome::Unknown { .. }) {
            assert!(
                matches!(outcome, Outcome::Approved(_)),
                "{bytes}: {outcome:?}"
            );
            assert_eq!(sim.charged().len() - before, 1, "{bytes}");
            continue;
        }
        doubts += 1;
        let recovered = rig.recover(number, amount, baseline, None);
        let charged = sim.charged().len() - before;
        match recovered {
            Recovered::Happened { .. } => assert_eq!(charged, 1, "{bytes}"),
            Recovered::DidNotHappen(_) => assert_eq!(charged, 0, "{bytes}"),
            other => panic!("{bytes}: {other:?}"),
        }
        kept += charged;
    }
    assert!(
        doubts > 20 && kept > 5,
        "both ends must have been met: {doubts} {kept}"
    );
}

#[test]
fn pulling_the_cable_during_a_payment_is_unknown_and_the_driver_comes_back() {
    // Proves that an unplugged terminal gives Unknown, and that the driver reconnects by itself.
    over_both(|sim| {
        let mut rig = Rig::new(sim, "VND", patient());
        rig.wait_up();
        sim.script(Scenario {
            delay_ms: 60_000,
            ..Scenario::default()
        });
        let baseline = rig.prepare(attempt(1));
        rig.handle
            .authorise(armed(attempt(1), dong(10_000), baseline))
            .unwrap();
        rig.wait("prompt", |event| {
            matches!(event, TerminalEvent::Prompt { .. }).then_some(())
        });
        sim.unplug();
        assert_eq!(
            rig.wait_outcome(),
            Outcome::Unknown {
                why: Unknown::LinkLost
            }
        );
        let refused = rig
            .handle
            .authorise(armed(attempt(2), dong(1), baseline_none()));
        refused.unwrap();
        let why = NotStarted::NotConnected;
        assert_eq!(rig.wait_outcome(), Outcome::NotStarted { why });
        sim.plug();
        rig.wait_up();
    });
}

fn baseline_none() -> hardware::terminal::Baseline {
    hardware::terminal::Baseline::Unavailable
}

#[test]
fn an_abort_before_the_bank_answered_declines_and_later_is_refused() {
    // Proves both ends of an abort: in time it declines, too late the payment goes on.
    over_both(|sim| {
        let mut rig = Rig::new(sim, "VND", patient());
        rig.wait_up();
        sim.script(Scenario {
            delay_ms: 60_000,
            ..Scenario::default()
        });
        let baseline = rig.prepare(attempt(1));
        rig.handle
            .authorise(armed(attempt(1), dong(10_000), baseline.clone()))
            .unwrap();
        rig.wait("prompt", |event| {
            matches!(event, TerminalEvent::Prompt { .. }).then_some(())
        });
        rig.handle.abort(attempt(1)).unwrap();
        let reason = DeclineReason::CancelledOrTimeout;
        assert_eq!(rig.wait_outcome(), Outcome::Declined { reason });
        rig.handle
            .authorise(armed(attempt(2), dong(10_000), baseline))
            .unwrap();
        let approval = rig.wait_approval();
        rig.handle.abort(attempt(2)).unwrap();
        rig.wait("abort refused", |event| {
            matches!(event, TerminalEvent::AbortRefused { .. }).then_some(())
        });
        rig.handle.approval_stored(durable(&approval)).unwrap();
        assert_eq!(rig.wait_outcome(), Outcome::Approved(approval));
        assert_eq!(sim.charged().len(), 1);
    });
}

#[test]
fn an_attempt_is_never_sent_twice() {
    // Proves that a second order with the same attempt never reaches the wire.
    let sim = TerminalSim::zvt_tcp(ZvtModelConfig::default()).unwrap();
    let mut rig = Rig::new(&sim, "VND", patient());
    rig.wait_up();
    let (baseline, _) = rig.pay(1, dong(10_000));
    rig.handle
        .authorise(armed(attempt(1), dong(10_000), baseline))
        .unwrap();
    let why = NotStarted::AlreadySent;
    assert_eq!(rig.wait_outcome(), Outcome::NotStarted { why });
    assert_eq!(sim.orders_received(), 1);
}

#[test]
fn an_approval_that_takes_long_to_store_is_held_and_then_charged_once() {
    // Proves 84 9C: the terminal asks again, and the money is taken once the kiosk is ready.
    let config = ZvtModelConfig {
        hold_pause_ms: 100,
        max_holds: u8::MAX,
        ..ZvtModelConfig::default()
    };
    let sim = TerminalSim::zvt_tcp(config).unwrap();
    let mut config = TerminalConfig::zvt(sim.connection(), "VND");
    config.timeouts = hardware::terminal::Timeouts {
        hold_after_ms: 20,
        ..patient()
    };
    // Holds are what is counted here; a busy machine may let some pass before it stores.
    config.max_holds = u8::MAX;
    let mut rig = Rig::with(config);
    rig.wait_up();
    // The first payment is stored only after the terminal was held; the bank's delay of the
    // second gives the first one's events time to be told apart.
    let baseline = rig.prepare(attempt(1));
    rig.handle
        .authorise(armed(attempt(1), dong(10_000), baseline))
        .unwrap();
    let approval = rig.wait_approval();
    // Commands are answered in order: after this answer the driver has run its timers at least
    // once more than before.
    while sim.holds_received() < 2 {
        std::thread::yield_now();
    }
    assert_eq!(sim.charged(), []);
    rig.handle.approval_stored(durable(&approval)).unwrap();
    assert_eq!(rig.wait_outcome(), Outcome::Approved(approval));
    assert_eq!(sim.charged().len(), 1);
}

#[test]
fn an_approval_that_cannot_be_stored_is_taken_back_by_the_terminal() {
    // Proves 84 66 when the disk is full, and that holding has an end when nobody stores.
    over_both(|sim| {
        let mut rig = Rig::new(sim, "VND", patient());
        rig.wait_up();
        let baseline = rig.prepare(attempt(1));
        rig.handle
            .authorise(armed(attempt(1), dong(10_000), baseline.clone()))
            .unwrap();
        rig.wait_approval();
        rig.handle.approval_refused(attempt(1)).unwrap();
        let why = Unknown::RejectedByKiosk;
        assert_eq!(rig.wait_outcome(), Outcome::Unknown { why });
        let recovered = rig.recover(1, dong(10_000), baseline, None);
        assert_eq!(recovered, Recovered::DidNotHappen(Recovery::NothingNew));
        assert_eq!(sim.charged(), []);
    });
}

#[test]
fn an_approval_nobody_stores_is_refused_after_the_last_hold() {
    // Proves that a hung store never leaves the shopper charged without a record.
    let config = ZvtModelConfig {
        hold_pause_ms: 1,
        ..ZvtModelConfig::default()
    };
    let sim = TerminalSim::zvt_tcp(config).unwrap();
    let mut config = TerminalConfig::zvt(sim.connection(), "VND");
    config.max_holds = 2;
    config.timeouts = hardware::terminal::Timeouts {
        hold_after_ms: 10,
        ..patient()
    };
    let mut rig = Rig::with(config);
    rig.wait_up();
    let baseline = rig.prepare(attempt(1));
    rig.handle
        .authorise(armed(attempt(1), dong(10_000), baseline))
        .unwrap();
    rig.wait_approval();
    let why = Unknown::RejectedByKiosk;
    assert_eq!(rig.wait_outcome(), Outcome::Unknown { why });
    assert_eq!(sim.holds_received(), 2);
    assert_eq!(sim.charged(), []);
}

#[test]
fn an_approval_of_another_amount_is_refused_and_in_doubt() {
    // Proves that the stale amount of an earlier customer is never accepted.
    over_both(|sim| {
        let mut rig = Rig::new(sim, "VND", patient());
        rig.wait_up();
        sim.script(Scenario::ending(SimOutcome::ApproveWrongAmount));
        let (_, outcome) = rig.pay(1, dong(10_000));
        assert!(matches!(
            outcome,
            Outcome::Unknown {
                why: Unknown::Mismatch { .. }
            }
        ));
        assert_eq!(sim.charged(), []);
    });
}

#[test]
fn reversal_refund_and_day_close_reconcile() {
    // Proves reversal by receipt number, refund, and totals that match the terminal's ledger.
    over_both(|sim| {
        let mut rig = Rig::new(sim, "VND", patient());
        rig.wait_up();
        let (_, first) = rig.pay(1, dong(30_000));
        let (_, second) = rig.pay(2, dong(50_000));
        let (Outcome::Approved(first), Outcome::Approved(_)) = (first, second) else {
            panic!("both must be approved")
        };
        let receipt_number = first.identity.receipt_number.unwrap();
        let taken_back = rig.reverse(3, receipt_number, dong(30_000));
        assert!(matches!(taken_back, Outcome::Approved(_)), "{taken_back:?}");
        assert_eq!(sim.charged().len(), 1);
        let again = rig.reverse(4, receipt_number, dong(30_000));
        let reason = DeclineReason::AlreadyReversed;
        let why = NotStarted::Refused { code: 0xB4, reason };
        assert_eq!(again, Outcome::NotStarted { why });
        let refunded = rig.refund(5, dong(7_000));
        assert!(matches!(refunded, Outcome::Approved(_)), "{refunded:?}");
        let outcome = rig.close_day(6);
        let DayCloseOutcome::Closed(report) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!(report.total_minor, Some(43_000));
        assert_eq!(report.difference_minor(dong(43_000)), Some(0));
        assert_eq!(report.difference_minor(dong(43_001)), Some(-1));
        assert_eq!(report.schemes[2].count, 2);
        assert_eq!(
            (report.first_receipt, report.last_receipt),
            (Some(1), Some(4))
        );
    });
}

#[test]
fn amounts_that_do_not_fit_are_refused_before_anything_is_sent() {
    // Proves that 13 digits, zero and a foreign currency never reach the terminal.
    let sim = TerminalSim::zvt_tcp(ZvtModelConfig::default()).unwrap();
    let mut rig = Rig::new(&sim, "VND", patient());
    rig.wait_up();
    let minor = 1_000_000_000_000;
    let (_, outcome) = rig.pay(1, dong(minor));
    let why = NotStarted::AmountDoesNotFit { minor, digits: 12 };
    assert_eq!(outcome, Outcome::NotStarted { why });
    let (_, outcome) = rig.pay(2, dong(0));
    let why = NotStarted::AmountIsZero;
    assert_eq!(outcome, Outcome::NotStarted { why });
    let (_, outcome) = rig.pay(3, Amount::new(100, Currency::EUR));
    assert!(matches!(
        outcome,
        Outcome::NotStarted {
            why: NotStarted::WrongCurrency { .. }
        }
    ));
    assert_eq!(sim.orders_received(), 0);
    let (_, outcome) = rig.pay(4, dong(999_999_999_999));
    assert!(matches!(outcome, Outcome::Approved(_)));
    assert_eq!(sim.charged()[0].amount_minor, 999_999_999_999);
}

#[test]
fn currencies_with_and_without_decimals_are_charged_exactly() {
    // Proves VND, EUR and JPY to the minor unit.
    for (code, currency, minor) in [
        ("VND", Currency::VND, 25_500),
        ("EUR", Currency::EUR, 1010),
        ("JPY", Currency::JPY, 1),
    ] {
        let sim = TerminalSim::zvt_tcp(ZvtModelConfig::default()).unwrap();
        let mut rig = Rig::new(&sim, code, patient());
        rig.wait_up();
        let (_, outcome) = rig.pay(1, Amount::new(minor, currency));
        assert!(
            matches!(outcome, Outcome::Approved(_)),
            "{code}: {outcome:?}"
        );
        let charged = sim.charged();
        assert_eq!(
            (charged[0].amount_minor, charged[0].currency),
            (minor, currency.0)
        );
    }
}

#[test]
fn a_new_driver_finds_what_became_of_the_payment_before_the_power_cut() {
    // Proves recovery at boot, for a kept and a taken-back payment and across the receipt wrap.
    for keep in [true, false] {
        let config = ZvtModelConfig {
            last_receipt: 9998,
            ..ZvtModelConfig::default()
        };
        let sim = TerminalSim::zvt_tcp(config).unwrap();
        let mut rig = Rig::new(&sim, "VND", patient());
        rig.wait_up();
        assert!(matches!(rig.pay(1, dong(1_000)).1, Outcome::Approved(_)));
        sim.script(Scenario {
            when_unacknowledged: if keep {
                WhenUnacknowledged::Keep
            } else {
                WhenUnacknowledged::TakeBack
            },
            ..Scenario::default()
        });
        let baseline = rig.prepare(attempt(2));
        rig.handle
            .authorise(armed(attempt(2), dong(20_000), baseline.clone()))
            .unwrap();
        rig.wait_approval();
        drop(rig);

        let mut rig = Rig::new(&sim, "VND", patient());
        let recovered = rig.recover(2, dong(20_000), baseline, None);
        match recovered {
            Recovered::Happened {
                approval,
                was_recorded,
            } => {
                assert!(keep && !was_recorded);
                assert_eq!(approval.identity.receipt_number, Some(1), "9999 wraps to 1");
            }
            other => {
                assert!(!keep);
                assert_eq!(other, Recovered::DidNotHappen(Recovery::NothingNew));
            }
        }
        assert_eq!(sim.charged().len(), 1 + usize::from(keep));
    }
}

#[test]
fn an_acknowledged_payment_whose_end_was_lost_is_found_as_recorded() {
    // Proves that a durable approval is confirmed by the terminal after the link broke.
    let sim = TerminalSim::zvt_tcp(ZvtModelConfig::default()).unwrap();
    let mut rig = Rig::new(&sim, "VND", patient());
    rig.wait_up();
    let baseline = rig.prepare(attempt(1));
    rig.handle
        .authorise(armed(attempt(1), dong(20_000), baseline.clone()))
        .unwrap();
    let approval = rig.wait_approval();
    rig.handle.approval_stored(durable(&approval)).unwrap();
    while sim.charged().is_empty() {
        std::thread::yield_now();
    }
    drop(rig);
    let mut rig = Rig::new(&sim, "VND", patient());
    let recovered = rig.recover(1, dong(20_000), baseline, Some(approval.clone()));
    let was_recorded = true;
    assert_eq!(
        recovered,
        Recovered::Happened {
            approval,
            was_recorded
        }
    );
}

#[test]
fn somebody_elses_transaction_is_foreign() {
    // Proves that another amount, or a receipt in between, is never taken for ours.
    let sim = TerminalSim::zvt_tcp(ZvtModelConfig::default()).unwrap();
    let mut rig = Rig::new(&sim, "VND", patient());
    rig.wait_up();
    let (before, _) = rig.pay(1, dong(20_000));
    let baseline = rig.prepare(attempt(9));
    assert!(matches!(rig.pay(2, dong(30_000)).1, Outcome::Approved(_)));
    let recovered = rig.recover(9, dong(20_000), baseline.clone(), None);
    assert!(
        matches!(recovered, Recovered::Foreign { .. }),
        "{recovered:?}"
    );
    assert!(matches!(rig.pay(3, dong(20_000)).1, Outcome::Approved(_)));
    let recovered = rig.recover(9, dong(20_000), baseline, None);
    assert!(
        matches!(recovered, Recovered::Foreign { .. }),
        "{recovered:?}"
    );
    let _ = before;
}

#[test]
fn a_terminal_without_repeat_receipt_needs_a_person() {
    // Proves that a terminal that cannot be asked is CannotTell, never a guess.
    let config = ZvtModelConfig {
        knows_repeat_receipt: false,
        knows_status_enquiry: false,
        ..ZvtModelConfig::default()
    };
    let sim = TerminalSim::zvt_tcp(config).unwrap();
    let mut rig = Rig::new(&sim, "VND", patient());
    rig.wait_up();
    let baseline = rig.prepare(attempt(1));
    assert_eq!(baseline, hardware::terminal::Baseline::Unavailable);
    let recovered = rig.recover(1, dong(1_000), baseline, None);
    assert!(matches!(recovered, Recovered::CannotTell { .. }));
}

#[test]
fn recovery_of_an_unreachable_terminal_gives_up_in_bounded_time() {
    // Proves that recovery waits for the link, but not for ever.
    let sim = TerminalSim::zvt_tcp(ZvtModelConfig::default()).unwrap();
    sim.unplug();
    let timeouts = hardware::terminal::Timeouts {
        recover_ms: 50,
        ..patient()
    };
    let mut rig = Rig::new(&sim, "VND", timeouts);
    let recovered = rig.recover(1, dong(1_000), baseline_none(), None);
    let why = hardware::terminal::NotReady::NotConnected;
    assert_eq!(recovered, Recovered::CannotTell { why });
}

#[test]
fn a_wrong_password_is_reported_and_nothing_is_registered() {
    // Proves that a refused registration shows as a link that is down, with its reason.
    let sim = TerminalSim::zvt_tcp(ZvtModelConfig::default()).unwrap();
    let mut config = TerminalConfig::zvt(sim.connection(), "VND");
    config.password = "123456".into();
    config.timeouts = patient();
    assert!(!format!("{config:?}").contains("123456"));
    let mut rig = Rig::with(config);
    let why = rig.wait("link down", |event| match event {
        TerminalEvent::Link(LinkState::Down { why }) => Some(why.clone()),
        _ => None,
    });
    let reason = DeclineReason::NotRegistered;
    assert_eq!(why, LinkFault::RegistrationRefused { code: 0x6B, reason });
}

#[test]
fn an_unmasked_card_number_raises_an_alarm_and_is_seen_by_nobody() {
    // Proves that a terminal that is set up wrongly is noticed and its card number is nowhere.
    over_both(|sim| {
        let mut rig = Rig::new(sim, "VND", patient());
        rig.wait_up();
        sim.script(Scenario {
            card_data: CardData::Unmasked,
            ..Scenario::default()
        });
        let (_, outcome) = rig.pay(1, dong(10_000));
        assert!(matches!(outcome, Outcome::Approved(_)));
        assert!(
            rig.log
                .iter()
                .any(|line| line.contains("UnmaskedCardNumber"))
        );
        let log = rig.log.join("\n");
        assert!(!log.contains("4929") && !log.contains("12341234"), "{log}");
    });
}

#[test]
fn the_simulator_obeys_its_control_port_and_keeps_its_ledger_in_a_file() {
    // Proves the line control used by demonstrations and that the ledger survives a restart.
    use std::io::{BufRead, BufReader, Write};
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("ledger.jsonl");
    let start = || {
        let model = ZvtModel::new(ZvtModelConfig::default(), Ledger::open(&path).unwrap());
        TerminalSim::start(model, &SimPlace::Tcp(0)).unwrap()
    };
    let sim = start();
    let mut control = std::net::TcpStream::connect(("127.0.0.1", sim.control_port())).unwrap();
    let mut answers = BufReader::new(control.try_clone().unwrap()).lines();
    writeln!(control, r#"{{"outcome":{{"decline":5}}}}"#).unwrap();
    assert_eq!(answers.next().unwrap().unwrap(), "ok");
    writeln!(control, "nonsense").unwrap();
    assert!(
        answers
            .next()
            .unwrap()
            .unwrap()
            .starts_with("not understood")
    );
    let mut rig = Rig::new(&sim, "VND", patient());
    rig.wait_up();
    let (_, outcome) = rig.pay(1, dong(10_000));
    let reason = DeclineReason::ByBank(5);
    assert_eq!(outcome, Outcome::Declined { reason });
    assert!(matches!(rig.pay(2, dong(10_000)).1, Outcome::Approved(_)));
    writeln!(control, "ledger").unwrap();
    assert!(answers.next().unwrap().unwrap().contains("10000"));
    drop((rig, control, answers, sim));
    assert_eq!(start().charged().len(), 1, "the ledger is in the file");
}
