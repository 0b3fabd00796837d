//! Card data of a terminal that is set up wrongly, at the kiosk: nowhere on disk, in no log, in no core.

use crate::crash::{Display, Kiosk, buy_until};
use crate::driver::Shop;
use hardware::terminal::sim::Scenario;
use std::path::Path;

/// What the simulator sends unmasked, whole and as the bytes of the wire; the last digits alone may be kept.
const NUMBER: &str = "5598845555548074";
const PACKED: [u8; 8] = [0x55, 0x98, 0x84, 0x55, 0x55, 0x54, 0x80, 0x74];

/// Every file below `folder` that holds one of `secrets`.
fn files_with(folder: &Path, secrets: &[&[u8]], found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let kind = std::fs::symlink_metadata(&path).unwrap().file_type();
        if kind.is_dir() {
            files_with(&path, secrets, found);
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            for secret in secrets {
                if bytes.windows(secret.len()).any(|part| part == *secret) {
                    found.push(path.display().to_string());
                }
            }
        }
    }
}

#[test]
fn an_unmasked_card_number_is_in_no_file_no_log_and_no_core() {
    // Proves with the real binary: a terminal that sends whole card numbers is named in the log, the sale is made, and
    // after it and a crash no file of the kiosk and no line of its fullest log holds the number; no core is written.
    let display = Display::start();
    let mut shop = Shop::open();
    shop.terminal.set_usual(Scenario {
        unmasked_card_number: true,
        ..Scenario::default()
    });
    let mut kiosk = Kiosk::with_log(&shop.config_path, &display, "trace");
    let limits = kiosk.proc("limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<&str> = core.unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "no core file: {core:?}");
    assert_eq!(kiosk.proc("coredump_filter").trim(), "00000000");
    buy_until(&mut kiosk, &mut shop, &display, "tap");
    let alarm = "unmasked card numbers";
    if !kiosk.seen.iter().any(|line| line.contains(alarm)) {
        kiosk.await_any(&[alarm]);
    }
    let log = kiosk.abort();
    assert_eq!(shop.terminal.charged().len(), 1);
    for line in &log {
        let digits: String = line.chars().filter(char::is_ascii_digit).collect();
        assert!(!digits.contains(NUMBER), "{line}");
    }
    let mut found = Vec::new();
    let secrets: [&[u8]; 2] = [NUMBER.as_bytes(), &PACKED];
    files_with(shop.dir.path(), &secrets, &mut found);
    assert!(found.is_empty(), "{found:?}");
    let cores = std::fs::read_dir(".").unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("core")
            && entry.as_ref().unwrap().file_type().unwrap().is_file()
    });
    assert_eq!(cores.count(), 0, "a core was written");
}
