//! Card data of a terminal that is set up wrongly, at the kiosk: nowhere on disk, in no log, on no paper, in no core,
//! and not at head office.

use crate::cable::Cable;
use crate::crash::{Display, Kiosk, buy_until};
use crate::driver::Shop;
use crate::office::{STORE, anywhere, enrol_with, office};
use ::headoffice::Running;
use hardware::terminal::Connection;
use hardware::terminal::sim::card_data::NUMBER;
use hardware::terminal::sim::{CardData, Scenario, WhenUnacknowledged};
use std::path::Path;
use std::time::{Duration, Instant};
use touchpoint::block::Block;

/// Longest wait for anything; a passing run waits less.
const PATIENCE: Duration = Duration::from_secs(60);

fn holds(bytes: &[u8], secret: &[u8]) -> bool {
    bytes.windows(secret.len()).any(|part| part == secret)
}

/// Every file below `folder` that holds one of `secrets`.
fn files_with(folder: &Path, secrets: &[Vec<u8>], found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            files_with(&path, secrets, found);
        } else if kind.is_file() {
            // The printer may have given a sheet its name meanwhile.
            let named = |_| std::fs::read(path.with_extension(""));
            let bytes = std::fs::read(&path).or_else(named).unwrap();
            if secrets.iter().any(|secret| holds(&bytes, secret)) {
                found.push(path.display().to_string());
            }
        }
    }
}

/// The events of every block head office was sent, unpacked.
fn events_at(office_dir: &Path) -> Vec<u8> {
    let database = rusqlite::Connection::open(office_dir.join("headoffice.sqlite")).unwrap();
    let mut all = database.prepare("SELECT bytes FROM block").unwrap();
    let blocks = all.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let events = blocks.flat_map(|bytes| Block::reopen(&bytes.unwrap()).unwrap().events);
    events.flatten().collect()
}

/// Puts a cable between the kiosk and its terminal, so that a test sees what the terminal really sent.
fn tapped(shop: &Shop) -> Cable {
    let Connection::Tcp { host, port } = shop.terminal.connection() else {
        panic!("the terminal is not on TCP");
    };
    let cable = Cable::to(format!("{host}:{port}").parse().unwrap());
    let text = std::fs::read_to_string(&shop.config_path).unwrap();
    let near = cable.address.to_string();
    let text = text.replacen(&format!("{host}:{port}"), &near, 1);
    assert!(text.contains(&near), "{text}");
    std::fs::write(&shop.config_path, text).unwrap();
    cable
}

/// Waits for the line unless it was there already.
fn await_once(kiosk: &mut Kiosk, words: &[&str]) -> String {
    let seen = |word: &&&str| kiosk.seen.iter().any(|line| line.contains(**word));
    match words.iter().find(seen) {
        Some(word) => (*word).to_owned(),
        None => kiosk.await_any(words),
    }
}

/// A sale whose card payment is cut off by an abort and recovered by the next start, until head office has it; every
/// line of both logs. The terminal has said its approval, never hears that it was heard, keeps the money all the same,
/// and says so when it is asked again: both say what it says of the card.
fn sell_and_crash(
    shop: &mut Shop,
    office: &Running,
    display: &Display,
    card: CardData,
) -> Vec<String> {
    shop.terminal.set_usual(Scenario {
        card_data: card,
        lose_acknowledgements: 3,
        when_unacknowledged: WhenUnacknowledged::Keep,
        ..Scenario::default()
    });
    let mut kiosk = Kiosk::with_log(&shop.config_path, display, "trace");
    buy_until(&mut kiosk, shop, display, "card");
    await_once(&mut kiosk, &["card: confirm"]);
    let mut log = kiosk.abort();
    let mut kiosk = Kiosk::with_log(&shop.config_path, display, "trace");
    await_once(&mut kiosk, &["screen=\"tap\"", "screen=\"thanks\""]);
    if !matches!(card, CardData::Masked | CardData::WrongLength) {
        await_once(&mut kiosk, &["unmasked card numbers"]);
    }
    let give_up = Instant::now() + PATIENCE;
    while office.today(None).unwrap().sales.count == 0 {
        assert!(Instant::now() < give_up, "{card:?}: no sale at head office");
        std::thread::sleep(Duration::from_millis(50));
    }
    log.extend(kiosk.abort());
    log
}

#[test]
fn no_kind_of_card_data_is_in_any_file_log_paper_block_or_core() {
    // Proves with the real binary and a real head office: a terminal that sends masked, whole, broken and cut numbers,
    // numbers in every field and track data, in approvals and in what it says when it is asked again after a crash, is
    // named in the log where it is set up wrongly, the sale is made once, and afterwards nothing of the card is in any
    // file of the kiosk or of head office, on paper, in any event of a block, or in any line of the fullest log.
    let display = Display::start();
    for card in CardData::ALL {
        let mut shop = Shop::open();
        let cable = tapped(&shop);
        let office_dir = tempfile::tempdir().unwrap();
        let office = office(office_dir.path(), anywhere());
        let code = office.enrolment_code(STORE).unwrap();
        enrol_with(&shop, &office.url(), &code).unwrap();
        let log = sell_and_crash(&mut shop, &office, &display, card);
        assert_eq!(shop.terminal.charged().len(), 1, "{card:?}");
        office.stop();
        let secrets = card.secrets();
        let sent = cable.heard();
        if card != CardData::Masked {
            assert!(
                secrets.iter().any(|secret| holds(&sent, secret)),
                "{card:?}: the terminal told nothing"
            );
        }
        for line in &log {
            let digits: String = line.chars().filter(char::is_ascii_digit).collect();
            assert!(!digits.contains(NUMBER), "{card:?}: {line}");
            for secret in &secrets {
                assert!(!holds(line.as_bytes(), secret), "{card:?}: {line}");
            }
        }
        let mut found = Vec::new();
        files_with(shop.dir.path(), &secrets, &mut found);
        files_with(office_dir.path(), &secrets, &mut found);
        assert!(found.is_empty(), "{card:?}: {found:?}");
        let events = events_at(office_dir.path());
        for kind in ["attempt.approved", "attempt.resolved"] {
            assert!(holds(&events, kind.as_bytes()), "{card:?}: no {kind}");
        }
        for secret in &secrets {
            assert!(!holds(&events, secret), "{card:?}: in a block");
        }
        // A search that cannot find proves nothing: the last four digits may be kept, are, and are found.
        if !matches!(card, CardData::Broken | CardData::WrongLength) {
            let last = vec![NUMBER.as_bytes()[12..].to_vec()];
            let mut found = Vec::new();
            files_with(shop.dir.path(), &last, &mut found);
            assert!(
                !found.is_empty(),
                "{card:?}: the search finds nothing at all"
            );
        }
    }
    assert_eq!(cores(), 0, "a core was written");
}

#[test]
fn the_kiosk_forbids_cores_to_itself() {
    // Proves with the real binary, started with cores allowed: the limit is zero, no memory would be in a collected
    // dump, and an abort leaves no core.
    let display = Display::start();
    let shop = Shop::open();
    let kiosk = Kiosk::with_log(&shop.config_path, &display, "info");
    let limits = kiosk.proc("limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<&str> = core.unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "no core file: {core:?}");
    assert_eq!(kiosk.proc("coredump_filter").trim(), "00000000");
    kiosk.abort();
    assert_eq!(cores(), 0, "a core was written");
}

/// Core files where the kiosk was started.
fn cores() -> usize {
    let entries = std::fs::read_dir(".").unwrap();
    let cores = entries.filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with("core")
            && entry.as_ref().unwrap().file_type().unwrap().is_file()
    });
    cores.count()
}
