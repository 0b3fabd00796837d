//! The doctor against terminals that are well, absent, silent, locked or set up wrongly.
#![allow(clippy::unwrap_used)]

mod terminal_common;

use std::time::Duration;

use hardware::terminal::doctor::{Finding, Severity, examine};
use hardware::terminal::sim::ZvtModelConfig;
use hardware::terminal::{
    ConfigError, Connection, LinkFault, NotReady, Profile, Protocol, TerminalConfig, TerminalSim,
    TerminalStatus,
};
use tempfile::TempDir;
use terminal_common::*;

const PATIENT: Duration = Duration::from_secs(60);

fn config(sim: &TerminalSim) -> TerminalConfig {
    let mut config = TerminalConfig::zvt(sim.connection(), "VND");
    config.timeouts = patient();
    config
}

fn sim(config: ZvtModelConfig) -> TerminalSim {
    TerminalSim::zvt_tcp(config).unwrap()
}

#[test]
fn a_healthy_terminal_is_connected_and_can_recover() {
    // Proves the good findings and that looking moves no money.
    let sim = sim(ZvtModelConfig::default());
    let findings = examine(&config(&sim), PATIENT);
    let terminal_id = Some("52523535".to_owned());
    assert_eq!(
        findings,
        [Finding::Connected { terminal_id }, Finding::CanRecover]
    );
    assert!(
        findings
            .iter()
            .all(|finding| finding.severity() == Severity::Good)
    );
    assert_eq!(sim.orders_received(), 0);
}

#[test]
fn a_wrong_password_a_condition_and_a_missing_enquiry_are_named() {
    // Proves that each fault is told apart and has a remedy in both languages.
    let sick = sim(ZvtModelConfig {
        idle_status: 0xF0,
        ..ZvtModelConfig::default()
    });
    let closed_day = Finding::NotReady(NotReady::Condition(TerminalStatus::NeedsReconciliation));
    assert_eq!(examine(&config(&sick), PATIENT)[1], closed_day);
    assert!(closed_day.text_vi().contains("kết toán"));
    assert!(closed_day.text_en().contains("closed"));

    let forgetful = sim(ZvtModelConfig {
        knows_repeat_receipt: false,
        ..Default::default()
    });
    assert_eq!(
        examine(&config(&forgetful), PATIENT)[1],
        Finding::CannotRecover
    );

    let locked = sim(ZvtModelConfig {
        password: [0x12, 0x34, 0x56],
        ..Default::default()
    });
    let findings = examine(&config(&locked), PATIENT);
    let [Finding::Link(LinkFault::RegistrationRefused { code: 0x6B, .. })] = findings[..] else {
        panic!("{findings:?}")
    };
    assert!(findings[0].text_vi().contains("mật khẩu"));
    assert!(findings[0].text_en().contains("password"));
}

#[test]
fn an_absent_port_and_an_unreachable_address_are_named() {
    // Proves that the path and the address are in the finding.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("no-such-tty");
    let absent = TerminalConfig::zvt(serial(&path), "VND");
    let findings = examine(&absent, PATIENT);
    assert!(matches!(
        findings[..],
        [Finding::Link(LinkFault::PortAbsent { .. })]
    ));
    assert!(findings[0].text_vi().contains("no-such-tty"));

    // Nobody listens there, and nobody gets it by asking for any free port.
    let nowhere = Connection::Tcp {
        host: "127.0.0.1".into(),
        port: 1,
    };
    let findings = examine(&TerminalConfig::zvt(nowhere, "VND"), PATIENT);
    assert!(matches!(
        findings[..],
        [Finding::Link(LinkFault::Unreachable { .. })]
    ));
    assert_eq!(findings[0].severity(), Severity::Fault);
}

#[test]
fn wrong_settings_are_found_without_a_terminal() {
    // Proves that password, currency, config byte, speed and protocol are checked on their own.
    let tcp = || Connection::Tcp {
        host: "127.0.0.1".into(),
        port: 1,
    };
    let good = || TerminalConfig::zvt(tcp(), "VND");
    let check = |config: TerminalConfig| match examine(&config, PATIENT).pop() {
        Some(Finding::Settings(error)) => error,
        other => panic!("{other:?}"),
    };
    let wrong = TerminalConfig {
        password: "12345".into(),
        ..good()
    };
    assert_eq!(check(wrong), ConfigError::Password);
    let wrong = TerminalConfig {
        currency: "DONG".into(),
        ..good()
    };
    assert_eq!(check(wrong), ConfigError::Currency("DONG".into()));
    for config_byte in [0xBE, 0x86, 0x36] {
        let wrong = TerminalConfig {
            config_byte,
            ..good()
        };
        assert_eq!(check(wrong), ConfigError::ConfigByte(config_byte));
    }
    let wrong = TerminalConfig {
        protocol: Protocol::Concert,
        ..good()
    };
    assert_eq!(check(wrong), ConfigError::Connection(Protocol::Concert));
    let connection = Connection::Serial {
        path: "/dev/ttyS0".into(),
        baud: 9601,
        two_stop_bits: true,
        seven_even: false,
    };
    let wrong = TerminalConfig {
        connection,
        ..good()
    };
    assert_eq!(check(wrong), ConfigError::Baud(9601));
}

#[test]
fn every_profile_registers_and_pays() {
    // Proves that TLV registration, the goods-issue fields and profiles without hold all work.
    for profile in [
        Profile::Generic,
        Profile::CardComplete,
        Profile::Feig,
        Profile::Basic,
    ] {
        let sim = sim(ZvtModelConfig::default());
        let mut rig = Rig::with(TerminalConfig {
            profile,
            goods_issue_seconds: 60,
            ..config(&sim)
        });
        rig.wait_up();
        let (_, outcome) = rig.pay(1, dong(10_000));
        assert!(
            matches!(outcome, hardware::terminal::Outcome::Approved(_)),
            "{profile:?}: {outcome:?}"
        );
        assert_eq!(sim.charged().len(), 1);
    }
}
