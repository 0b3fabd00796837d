//! The unmodified driver against the simulated terminal, over TCP and over a serial line.
#![allow(clippy::unwrap_used)]

mod terminal_common;

use hardware::terminal::sim::{Scenario, SimOutcome, WhenUnacknowledged, ZvtModelConfig};
use hardware::terminal::{
    DeclineReason, NotStarted, Outcome, PaymentTerminal, Recovered, Recovery, ShopperPrompt,
    TerminalEvent, TerminalSim, Unknown,
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
        assert_eq!(approval.card.unwrap().to_string(), "8074");
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
fn a_lost_acknowledgement_is_given_again_without_charging_twice() {
    // Proves that the repeated status information is answered idempotently.
    let config = || ZvtModelConfig {
        reply_ms: 50,
        ..ZvtModelConfig::default()
    };
    let sim = TerminalSim::zvt_tcp(config()).unwrap();
    let mut rig = Rig::new(&sim, "VND", patient());
    rig.wait_up();
    sim.script(Scenario {
        lose_acknowledgements: 1,
        ..Scenario::default()
    });
    let (_, outcome) = rig.pay(1, dong(10_000));
    assert!(matches!(outcome, Outcome::Approved(_)), "{outcome:?}");
    assert_eq!(sim.charged().len(), 1);
    assert_eq!(sim.orders_received(), 1);
}

#[test]
fn an_acknowledgement_lost_for_good_ends_in_doubt_and_recovers_as_taken_back() {
    // Proves that an abort after our acknowledgement is Unknown, never Declined.
    let config = ZvtModelConfig {
        reply_ms: 50,
        ..ZvtModelConfig::default()
    };
    let sim = TerminalSim::zvt_tcp(config).unwrap();
    let mut rig = Rig::new(&sim, "VND", patient());
    rig.wait_up();
    sim.script(Scenario {
        lose_acknowledgements: 3,
        ..Scenario::default()
    });
    let (baseline, outcome) = rig.pay(1, dong(10_000));
    assert!(matches!(
        outcome,
        Outcome::Unknown {
            why: Unknown::Contradiction { .. }
        }
    ));
    let recovered = rig.recover(1, dong(10_000), baseline, None);
    assert_eq!(recovered, Recovered::DidNotHappen(Recovery::NothingNew));
    assert_eq!(sim.charged(), []);
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
