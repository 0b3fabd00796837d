//! Every fault at every step of a payment, and pairs of faults: never charged twice, never charged
//! without a record, never recorded without a charge.

use super::caisse_ap::CaisseApEngine;
use super::codes::DeclineReason;
use super::concert::ConcertEngine;
use super::config::{Connection, Protocol, TerminalConfig, Timeouts};
use super::engine::Engine;
use super::sim::{
    CaisseApModel, ConcertModel, Ledger, Scenario, SimOutcome, WhenUnacknowledged, ZvtModel,
    ZvtModelConfig,
};
use super::types::{Amount, Currency, Outcome, TerminalEvent, Unknown};
use super::world::{Fault, Habit, Terminal, Verdict, World};
use super::zvt::ZvtEngine;

impl Terminal for ZvtModel {
    fn power_cut(&mut self, now_ms: u64) {
        ZvtModel::power_cut(self, now_ms);
    }
}

impl Terminal for CaisseApModel {
    fn power_cut(&mut self, _now_ms: u64) {
        CaisseApModel::power_cut(self);
    }
}

impl Terminal for ConcertModel {
    fn power_cut(&mut self, _now_ms: u64) {
        ConcertModel::power_cut(self);
    }
}

/// Protocol and transport under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    ZvtTcp,
    ZvtSerial,
    CaisseAp,
    Concert,
}

impl Kind {
    /// Whether the terminal waits for the till before it takes the money.
    fn waits_for_the_till(self) -> bool {
        matches!(self, Self::ZvtTcp | Self::ZvtSerial)
    }
}

fn engine(kind: Kind) -> Box<dyn Engine> {
    let tcp = Connection::Tcp {
        host: "localhost".into(),
        port: 20007,
    };
    let serial = Connection::Serial {
        path: "/dev/null".into(),
        baud: 9600,
        two_stop_bits: true,
        seven_even: false,
    };
    let connection = match kind {
        Kind::ZvtTcp | Kind::CaisseAp => tcp,
        Kind::ZvtSerial | Kind::Concert => serial,
    };
    let mut config = TerminalConfig::zvt(connection, "VND");
    config.timeouts = Timeouts {
        poll_ms: 500,
        ..Timeouts::default()
    };
    let right = "the settings are right";
    match kind {
        Kind::ZvtTcp | Kind::ZvtSerial => Box::new(ZvtEngine::new(&config).expect(right)),
        Kind::CaisseAp => {
            config.protocol = Protocol::CaisseAp;
            Box::new(CaisseApEngine::new(&config).expect(right))
        }
        Kind::Concert => {
            config.protocol = Protocol::Concert;
            Box::new(ConcertEngine::new(&config).expect(right))
        }
    }
}

fn terminal(kind: Kind, scenario: &Scenario) -> Box<dyn Terminal> {
    let ledger = Ledger::in_memory();
    let mut model: Box<dyn Terminal> = match kind {
        Kind::ZvtTcp | Kind::ZvtSerial => {
            let serial = kind == Kind::ZvtSerial;
            let config = ZvtModelConfig {
                serial,
                last_receipt: 9998,
                ..ZvtModelConfig::default()
            };
            Box::new(ZvtModel::new(config, ledger))
        }
        Kind::CaisseAp => Box::new(CaisseApModel::new(ledger)),
        Kind::Concert => Box::new(ConcertModel::new(ledger)),
    };
    model.set_usual(scenario.clone());
    model
}

fn play(
    kind: Kind,
    scenario: &Scenario,
    habit: Habit,
    faults: &[(usize, Fault)],
) -> (Vec<String>, Option<Verdict>, usize) {
    let new_engine = || engine(kind);
    let amount = Amount::new(250_000, Currency::VND);
    let mut world = World::new(&new_engine, terminal(kind, scenario), habit, amount);
    world.run(faults);
    world.audit();
    (world.violations.clone(), world.verdict(), world.steps)
}

fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    for when_unacknowledged in [WhenUnacknowledged::TakeBack, WhenUnacknowledged::Keep] {
        for delay_ms in [0, 4000] {
            all.push(Scenario {
                when_unacknowledged,
                delay_ms,
                prompts: vec![0x0A],
                ..Scenario::default()
            });
        }
    }
    all
}

/// Runs every fault at every `stride`-th step, beginning at another one for each fault and scenario
/// so that together they meet every step (`CRASH_MATRIX=full` runs all); returns runs, runs that ended in review, and violations other
/// than those a terminal that keeps unacknowledged money makes unavoidable.
fn matrix(
    kind: Kind,
    stride: usize,
    habit: Habit,
    faults: &[Fault],
) -> (usize, usize, Vec<String>) {
    let (mut runs, mut reviews, mut violations) = (0, 0, Vec::new());
    let full = std::env::var("CRASH_MATRIX").is_ok_and(|value| value == "full");
    let stride = if full { 1 } else { stride };
    for (place, scenario) in scenarios().into_iter().enumerate() {
        let (_, _, steps) = play(kind, &scenario, Habit::Correct, &[]);
        for (shift, fault) in faults.iter().enumerate() {
            for step in ((place + shift) % stride..steps).step_by(stride) {
                let (found, verdict, _) = play(kind, &scenario, habit, &[(step, *fault)]);
                runs += 1;
                reviews += usize::from(verdict == Some(Verdict::Review));
                // A terminal that keeps an unacknowledged approval takes money by itself.
                let keeps = !kind.waits_for_the_till()
                    || scenario.when_unacknowledged == WhenUnacknowledged::Keep;
                let found = found
                    .into_iter()
                    .filter(|v| !(keeps && v.contains("durable")));
                violations.extend(found.map(|v| format!("{fault:?} at {step}: {v} {scenario:?}")));
            }
        }
    }
    (runs, reviews, violations)
}

#[test]
fn one_fault_at_every_step_over_tcp() {
    // Proves 0 double charges and 0 charges without record for every single fault over TCP.
    let faults = [
        Fault::KioskDies,
        Fault::KioskDiesBytesArrive,
        Fault::LinkCut,
        Fault::TerminalDies,
    ];
    let (runs, reviews, violations) = matrix(Kind::ZvtTcp, 2, Habit::Correct, &faults);
    assert!(violations.is_empty(), "{violations:#?}");
    assert_eq!(reviews, 0, "a single fault never needs a person");
    assert!(runs > 1000, "{runs} runs are too few to mean anything");
}

#[test]
fn one_fault_at_every_step_over_a_serial_line() {
    // Proves the same over a serial line, where a garbled byte is one more fault.
    let faults = [
        Fault::KioskDies,
        Fault::KioskDiesBytesArrive,
        Fault::LinkCut,
        Fault::TerminalDies,
        Fault::Garble,
    ];
    let (runs, reviews, violations) = matrix(Kind::ZvtSerial, 4, Habit::Correct, &faults);
    assert!(violations.is_empty(), "{violations:#?}");
    assert_eq!(reviews, 0, "a single fault never needs a person");
    assert!(runs > 1000, "{runs} runs are too few to mean anything");
}

#[test]
fn three_faults_at_scattered_steps() {
    // Proves that faults during the recovery of faults do not break it either (`CRASH_RUNS` sets
    // how many runs of three faults).
    let kinds = [
        Fault::KioskDies,
        Fault::KioskDiesBytesArrive,
        Fault::LinkCut,
        Fault::TerminalDies,
        Fault::Garble,
    ];
    let scenarios = scenarios();
    // A fixed linear congruential sequence: the same runs every time.
    let mut state = 1u64;
    let mut next = |bound: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits fit") % bound
    };
    let runs = std::env::var("CRASH_RUNS")
        .ok()
        .and_then(|runs| runs.parse().ok());
    for _ in 0..runs.unwrap_or(800) {
        let kind = [Kind::ZvtTcp, Kind::ZvtSerial][next(2)];
        // A garbled byte over TCP cannot happen: TCP has its own checksums.
        let bound = if kind == Kind::ZvtSerial { 5 } else { 4 };
        let faults: Vec<(usize, Fault)> = (0..3).map(|_| (next(700), kinds[next(bound)])).collect();
        let scenario = &scenarios[next(scenarios.len())];
        let (found, _, _) = play(kind, scenario, Habit::Correct, &faults);
        let keeps = scenario.when_unacknowledged == WhenUnacknowledged::Keep;
        let found: Vec<_> = found
            .into_iter()
            .filter(|v| !(keeps && v.contains("durable")))
            .collect();
        assert!(found.is_empty(), "{faults:?} {scenario:?}: {found:?}");
    }
}

#[test]
fn the_matrix_finds_a_kiosk_that_acknowledges_before_storing() {
    // Proves that the test would notice: acknowledging first is found.
    let (_, _, violations) = matrix(
        Kind::ZvtTcp,
        1,
        Habit::AcknowledgesBeforeStoring,
        &[Fault::KioskDiesBytesArrive],
    );
    assert!(
        violations
            .iter()
            .any(|v| v.contains("before the approval was durable"))
    );
}

#[test]
fn the_matrix_finds_a_kiosk_that_takes_unknown_for_declined() {
    // Proves that the test would notice: trying again after a power cut charges twice.
    let (_, _, violations) = matrix(
        Kind::ZvtTcp,
        1,
        Habit::TakesUnknownForDeclined,
        &[Fault::KioskDies],
    );
    assert!(
        violations.iter().any(|v| v.contains("charged 2 times")),
        "{violations:#?}"
    );
}

/// Plays a sale whose first order follows `first`; the terminal is healthy afterwards.
fn play_first(kind: Kind, first: Scenario) -> (Vec<Outcome>, usize) {
    let new_engine = || engine(kind);
    let amount = Amount::new(250_000, Currency::VND);
    let usual = Scenario::default();
    let mut terminal = terminal(kind, &usual);
    terminal.script(first);
    let mut world = World::new(&new_engine, terminal, Habit::Correct, amount);
    world.run(&[]);
    world.audit();
    assert_eq!(world.violations, Vec::<String>::new());
    assert_eq!(world.verdict(), Some(Verdict::Paid));
    let outcomes = world.events.iter().filter_map(|event| match event {
        TerminalEvent::Finished { outcome, .. } => Some(outcome.clone()),
        _ => None,
    });
    (outcomes.collect(), world.journal.len())
}

#[test]
fn a_silent_terminal_ends_in_doubt_in_bounded_time_and_the_next_attempt_is_paid() {
    // Proves T3 and T4: no answer, no result and no end are Unknown, each with its own reason.
    let unknown = |why| Outcome::Unknown { why };
    for kind in [Kind::ZvtTcp, Kind::ZvtSerial] {
        let (outcomes, attempts) = play_first(kind, Scenario::ending(SimOutcome::NeverAnswer));
        assert_eq!((&outcomes[0], attempts), (&unknown(Unknown::NoReply), 2));
        let (outcomes, attempts) = play_first(kind, Scenario::ending(SimOutcome::CompleteSilently));
        assert_eq!((&outcomes[0], attempts), (&unknown(Unknown::NoResult), 2));
        // The abort after T4 is still obeyed: the terminal itself says that nothing happened.
        let (outcomes, attempts) = play_first(kind, Scenario::ending(SimOutcome::FallSilent));
        let reason = DeclineReason::CancelledOrTimeout;
        assert_eq!((&outcomes[0], attempts), (&Outcome::Declined { reason }, 2));
    }
}

#[test]
fn lost_acknowledgements_never_charge_twice() {
    // Proves that a repeated status information is answered idempotently, and that an abort after
    // our acknowledgement is Unknown, never Declined.
    for kind in [Kind::ZvtTcp, Kind::ZvtSerial] {
        for lost in 1..=3 {
            let first = Scenario {
                lose_acknowledgements: lost,
                ..Scenario::default()
            };
            let (outcomes, attempts) = play_first(kind, first);
            if lost < 3 {
                assert!(
                    matches!(outcomes[0], Outcome::Approved(_)),
                    "{lost}: {outcomes:?}"
                );
                assert_eq!(attempts, 1);
            } else {
                let why = Unknown::Contradiction { code: 0x6C };
                assert_eq!(outcomes[0], Outcome::Unknown { why });
                assert_eq!(attempts, 2);
            }
        }
    }
}

#[test]
fn terminals_that_cannot_be_asked_go_to_a_person_and_never_charge_twice() {
    // Proves the same promises for Caisse-AP and Concert, whose orders in doubt end in review.
    for kind in [Kind::CaisseAp, Kind::Concert] {
        let (_, verdict, _) = play(kind, &Scenario::default(), Habit::Correct, &[]);
        assert_eq!(verdict, Some(Verdict::Paid), "{kind:?}");
        let mut faults = vec![
            Fault::KioskDies,
            Fault::KioskDiesBytesArrive,
            Fault::LinkCut,
            Fault::TerminalDies,
        ];
        if kind == Kind::Concert {
            faults.push(Fault::Garble);
        }
        let (runs, reviews, violations) = matrix(kind, 3, Habit::Correct, &faults);
        assert!(violations.is_empty(), "{kind:?}: {violations:#?}");
        assert!(
            reviews > 0 && reviews < runs,
            "{kind:?}: {reviews} of {runs} in review"
        );
    }
}
