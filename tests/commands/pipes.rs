//! Nobody reads the words any more.

use super::{Sim, kiosk};
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Output, Stdio};

/// Runs with a standard output whose reader is gone already; what it wrote to standard error.
fn unheard(mut command: std::process::Command, input: &[u8]) -> Output {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(writer)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that ended does not read its input either.
    let _ = process.stdin.take().unwrap().write_all(input);
    process.wait_with_output().unwrap()
}

#[test]
fn a_command_that_only_says_something_ends_quietly_with_its_reader() {
    // Proves: `kiosk … | head` never ends in a panic: the program ends by SIGPIPE.
    let home = tempfile::tempdir().unwrap();
    let trace = "10 02 06 0f 00 10 03 c6 33\n".repeat(4000);
    for (words, input) in [
        (&["example-config"][..], ""),
        (&["example-profile"], ""),
        (&["zvt", "decode", "--hex", "--framing", "serial"], &trace),
        (&["doctor", "terminal", "--port", "/dev/no-such-tty"], ""),
        (&["qr", "decode", "no code at all"], ""),
        (&["staff-pin"], "483917\n"),
    ] {
        let output = unheard(kiosk(home.path(), words), input.as_bytes());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.signal(), Some(13), "{words:?}: {said}");
        assert!(!said.contains("panicked"), "{words:?}: {said}");
    }
}

#[test]
fn a_payment_is_carried_through_when_nobody_reads_about_it() {
    // Proves: with its output gone from the first line, an order is still written, sent,
    // acknowledged and settled, and its exit code says so.
    let home = tempfile::tempdir().unwrap();
    let sim = Sim::start(home.path(), &["--tcp", "0"]);
    let address = sim.address.clone().unwrap();
    let pay = ["terminal", "pay", "--tcp", &address, "--amount", "70000"];
    let output = unheard(kiosk(home.path(), &pay), b"");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.is_empty(), "{said}");
    assert_eq!(sim.records("sale"), 1);
    let recover = ["terminal", "recover", "--tcp", &address];
    let output = kiosk(home.path(), &recover).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Nothing is in doubt"), "{said}");
}
