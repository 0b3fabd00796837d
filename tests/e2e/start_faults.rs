//! The real binary before a database it cannot use: it says so in its window, and leaves the file as it is.

use crate::crash::{Display, Kiosk};
use crate::driver::{Counter, Shop};
use std::fs;
use std::path::Path;

/// Everything into the main file.
fn checkpoint(database: &rusqlite::Connection) {
    database
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
}

/// A database with a catalogue, a visit and a basket, closed properly.
fn filled(shop: &Shop) -> Vec<u8> {
    let counter = Counter::open(&shop.config, 1080, 1920);
    counter.until_screen("attract");
    counter.tap("Chạm để bắt đầu");
    counter.until_screen("shop");
    let store = counter.app.borrow().store();
    counter.until("the visit on disk", |_| {
        let state = store.call(|engine| engine.state()).unwrap();
        state.is_some_and(|state| state.visit.is_some())
    });
    drop(store);
    counter.power_cut();
    let path = shop.dir.path().join("data/kiosk.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    checkpoint(&database);
    drop(database);
    fs::read(path).unwrap()
}

/// Puts `bytes` where the database was, without the log beside it that could heal it.
fn replace(data: &Path, bytes: &[u8]) {
    for tail in ["-wal", "-shm", "-journal"] {
        let _ = fs::remove_file(data.join(format!("kiosk.db{tail}")));
    }
    fs::write(data.join("kiosk.db"), bytes).unwrap();
}

fn zeroed_inside(mut bytes: Vec<u8>) -> Vec<u8> {
    let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    let from = page * 2;
    let upto = bytes.len() - page;
    for start in (from..upto).step_by(page) {
        bytes[start + page / 4..start + page * 3 / 4].fill(0);
    }
    bytes
}

fn newer(data: &Path, bytes: &[u8]) -> Vec<u8> {
    replace(data, bytes);
    let path = data.join("kiosk.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.pragma_update(None, "user_version", 9_999).unwrap();
    checkpoint(&database);
    drop(database);
    fs::read(path).unwrap()
}

#[test]
fn a_database_that_cannot_be_used_is_named_on_the_screen_and_left_as_it_is() {
    // Proves that damaged, cut, foreign and newer files stop the counter with their own code, and that not one byte of
    // them changes.
    let display = Display::start();
    let shop = Shop::open();
    let config = shop.config_path.clone();
    let data = shop.dir.path().join("data");
    let sound = filled(&shop);
    let half = sound.len() / 2 / 4096 * 4096;
    let cases = [
        (
            "E-STORE-DAMAGED",
            "zeroes inside",
            zeroed_inside(sound.clone()),
        ),
        ("E-STORE-DAMAGED", "cut in half", sound[..half].to_vec()),
        (
            "E-STORE-DAMAGED",
            "cut in a page",
            sound[..half + 1_000].to_vec(),
        ),
        (
            "E-STORE-DAMAGED",
            "a text",
            b"not a database\n".repeat(1_000),
        ),
        ("E-STORE-DAMAGED", "cut to nothing", Vec::new()),
        ("E-STORE-NEWER", "newer", newer(&data, &sound)),
    ];
    for (code, what, bytes) in cases {
        replace(&data, &bytes);
        let mut kiosk = Kiosk::spawn(&config, &display);
        kiosk.await_any(&["screen=\"out-of-order\""]);
        let line = kiosk.seen.last().unwrap().clone();
        assert!(line.contains(code), "{what}: {line}");
        display.await_window();
        // It tries again by itself, and must not change the file then either.
        kiosk.await_any(&["screen=\"out-of-order\""]);
        kiosk.kill();
        assert!(
            fs::read(data.join("kiosk.db")).unwrap() == bytes,
            "{what}: the file has changed"
        );
    }
    // The same file, sound again, opens: nothing beside it was changed either.
    replace(&data, &sound);
    let mut kiosk = Kiosk::spawn(&config, &display);
    let said = kiosk.await_any(&["first screen", "screen=\"out-of-order\""]);
    assert_eq!(said, "first screen");
    kiosk.kill();
}
