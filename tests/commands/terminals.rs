//! `kiosk terminal` against `kiosk sim terminal`: two programs, a socket or a serial line.

use super::{Sim, kiosk};
use std::path::Path;

/// Runs `kiosk terminal` with these words; its exit code and what it said.
fn order(home: &Path, words: &[&str]) -> (i32, String) {
    let words = [&["terminal"], words].concat();
    let output = kiosk(home, &words).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), format!("{said}{errors}"))
}

#[test]
fn caisse_ap_over_a_socket_pays_refuses_and_leaves_doubt_to_a_person() {
    // Proves: every outcome of the French protocol over TCP has its exit code, and the ledger
    // agrees; a decided doubt lets the next order through.
    let home = tempfile::tempdir().unwrap();
    let sim = Sim::start(home.path(), &["--protocol", "caisse-ap", "--tcp", "0"]);
    let address = sim.address.clone().unwrap();
    let at = ["--protocol", "caisse-ap", "--tcp", &address];
    let run = |words: &[&str]| order(home.path(), &[words, &at].concat());
    let pay = ["pay", "--amount", "45000"];
    let (code, said) = run(&pay);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("APPROVED: payment 45,000 VND"), "{said}");
    let (code, said) = run(&["refund", "--amount", "5000"]);
    assert_eq!(code, 0, "{said}");
    assert_eq!((sim.records("\"sale\""), sim.records("\"refund\"")), (1, 1));
    // Declined: 3.
    assert_eq!(sim.control(r#"{"outcome":{"decline":4}}"#), "ok\n");
    assert_eq!(run(&pay).0, 3);
    // Not started: the protocol has no such order.
    assert_eq!(
        run(&["reverse", "--receipt", "1", "--amount", "45000"]).0,
        4
    );
    assert_eq!(run(&["eod"]).0, 4);
    assert_eq!(run(&["status"]).0, 0);
    // Unknown: the answer breaks off in the middle, and nobody can be asked.
    sim.control(r#"{"vanish_after_sent_bytes":20}"#);
    let (code, said) = run(&pay);
    assert_eq!(code, 5, "{said}");
    assert_eq!(run(&pay).0, 5, "nothing is ordered while it is in doubt");
    assert_eq!(sim.records("\"sale\""), 2);
    let attempt = said.split("UNKNOWN: ").nth(1).unwrap();
    let attempt = attempt.split('.').next().unwrap();
    let decide = ["decide", "--attempt", attempt, "--happened"];
    assert_eq!(order(home.path(), &decide).0, 0);
    assert_eq!(run(&pay).0, 0);
    assert_eq!(sim.records("\"sale\""), 3);
}

#[test]
fn concert_over_a_serial_line_pays_and_refuses() {
    // Proves: the same for Concert over a pseudo-terminal, with the terminal's own reference.
    let home = tempfile::tempdir().unwrap();
    let port = home.path().join("tty").display().to_string();
    let sim = Sim::start(home.path(), &["--protocol", "concert", "--pty", &port]);
    let at = ["--protocol", "concert", "--port", &port];
    let run = |words: &[&str]| order(home.path(), &[words, &at].concat());
    let (code, said) = run(&["pay", "--amount", "99999999"]);
    assert_eq!(code, 0, "{said}");
    sim.control(r#"{"outcome":{"decline":5}}"#);
    assert_eq!(run(&["pay", "--amount", "1000"]).0, 3);
    assert_eq!(run(&["pay", "--amount", "100000000"]).0, 4);
    assert_eq!(run(&["status"]).0, 0);
    // "Not verified" says neither yes nor no.
    sim.control(r#"{"outcome":"complete_silently"}"#);
    assert_eq!(run(&["pay", "--amount", "1000"]).0, 5);
    assert_eq!(run(&["pay", "--amount", "1000"]).0, 5);
    let ledger = sim.control("ledger");
    assert_eq!(ledger.matches("\"sale\"").count(), 1, "{ledger}");
    assert!(ledger.contains("\"reference\""), "{ledger}");
}

#[test]
fn zvt_over_a_serial_line_has_an_exit_code_for_every_outcome() {
    // Proves: done, declined, not started, an earlier order that happened, a stand-alone sale
    // that hides an order in doubt and the person who decides it, and a day that reconciles.
    let home = tempfile::tempdir().unwrap();
    let port = home.path().join("tty").display().to_string();
    let sim = Sim::start(home.path(), &["--pty", &port]);
    let run = |words: &[&str]| order(home.path(), &[words, &["--port", &port]].concat());
    let pay = ["pay", "--amount", "250000"];
    assert_eq!(run(&pay).0, 0);
    sim.control(r#"{"outcome":{"decline_then_complete":108}}"#);
    assert_eq!(run(&pay).0, 3);
    sim.control(r#"{"outcome":{"refuse":156}}"#);
    assert_eq!(run(&pay).0, 4);
    let (code, said) = run(&["eod"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("It agrees with the journal"), "{said}");
    // An order whose end nobody saw, and somebody at the terminal's keys before it is asked.
    sim.control(r#"usual {"outcome":"complete_silently","delay_ms":1500}"#);
    let words = [&["terminal"], &pay[..], &["--port", &port]].concat();
    let mut dies = kiosk(home.path(), &words).spawn().unwrap();
    let journal = home.path().join(".local/state/kiosk/terminal.ndjson");
    let give_up = std::time::Instant::now() + std::time::Duration::from_secs(60);
    // Killed once it is written down that it may be sent.
    let armed = || {
        std::fs::read_to_string(&journal)
            .unwrap()
            .matches("\"armed\"")
            .count()
    };
    let before = armed();
    while armed() == before {
        assert!(
            std::time::Instant::now() < give_up,
            "the order is never armed"
        );
        std::thread::yield_now();
    }
    dies.kill().unwrap();
    dies.wait().unwrap();
    while sim.control("sale 55500") != "ok\n" {
        assert!(
            std::time::Instant::now() < give_up,
            "the terminal stays busy"
        );
    }
    sim.control("usual {}");
    let (code, said) = run(&pay);
    assert_eq!(code, 5, "{said}");
    assert!(said.contains("55,500 VND"), "{said}");
    let attempt = said.split("UNKNOWN: ").nth(1).unwrap();
    let attempt = attempt.split('.').next().unwrap();
    let decide = ["decide", "--attempt", attempt, "--did-not-happen"];
    assert_eq!(order(home.path(), &decide).0, 0);
    let (code, said) = run(&pay);
    assert_eq!(code, 0, "{said}");
    assert_eq!(sim.records("\"sale\""), 3);
}
