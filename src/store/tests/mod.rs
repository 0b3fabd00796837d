//! Tests of the store through its public face.
#![allow(clippy::unwrap_used)]

mod card_money;
mod catalogue;
mod days;
mod faults;
mod processes;
mod spool;
mod sync;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};

use checkout::till::TillState;
use touchpoint::{JournalId, Lane};

use super::*;

/// A folder with a database in it.
pub(super) struct Place {
    pub(super) folder: tempfile::TempDir,
}

impl Place {
    pub(super) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(super) fn path(&self) -> PathBuf {
        self.folder.path().join("kiosk.db")
    }

    pub(super) fn engine(&self) -> Result<(Engine, Boot), StoreError> {
        Engine::open(config(&self.path()), &ids(1))
    }
}

pub(super) fn config(path: &Path) -> StoreConfig {
    StoreConfig {
        busy_timeout_ms: 20,
        ballast_bytes: 0,
        ..StoreConfig::new(path)
    }
}

/// Identity with the `n`th journal id.
pub(super) fn ids(n: u32) -> Ids {
    Ids {
        now_ms: 1_795_000_000_000,
        new_journal: journal_id(n),
        machine: "m1".into(),
    }
}

pub(super) fn journal_id(n: u32) -> JournalId {
    JournalId::new(format!("019aa3c4-7b2e-7f10-9a55-{n:012x}")).unwrap()
}

pub(super) fn event(lane: Lane, text: &str) -> JournalEvent {
    JournalEvent {
        lane,
        bytes: format!("{{\"kind\":\"{text}\"}}").into_bytes(),
    }
}

/// A commit with one event in each of `lanes` and a state that counts `n`.
pub(super) fn commit(n: u64, lanes: &[Lane]) -> Commit {
    let mut state = TillState::default();
    state.counters.visit = n;
    Commit {
        wall_ms: 1_795_000_000_000 + i64::try_from(n).unwrap(),
        events: lanes
            .iter()
            .map(|lane| event(*lane, &format!("test.{n}")))
            .collect(),
        state_json: Some(serde_json::to_string(&state).unwrap()),
        sale: None,
        card: Vec::new(),
    }
}

pub(super) fn sale(receipt_number: u64, codes: &[&str]) -> SaleRecord {
    let line = |code: &&str| SaleLineRecord {
        item_code: (*code).to_owned(),
        name: format!("Hàng {code}"),
        quantity_milli: 1000,
        unit_price_minor: 10_000,
        net_minor: 10_000,
        basis_points: 800,
        ..SaleLineRecord::default()
    };
    let total_minor = 10_000 * i64::try_from(codes.len()).unwrap();
    SaleRecord {
        receipt_number,
        visit_id: format!("{receipt_number:032x}"),
        business_date: "2026-11-23".into(),
        currency: "VND".into(),
        total_minor,
        lines: codes.iter().map(line).collect(),
        tenders: vec![SaleTenderRecord {
            kind: "cash".into(),
            amount_minor: total_minor,
            attempt: 1,
        }],
        taxes: vec![SaleTaxRecord {
            basis_points: 800,
            base_minor: 9_259,
            tax_minor: 741,
            gross_minor: 10_000,
        }],
        body: format!("{{\"receipt_number\":{receipt_number}}}"),
        ..SaleRecord::default()
    }
}

fn opened(place: &Place) -> (Store, Boot, JoinHandle<()>, Receiver<StorageHealth>) {
    let (send, health) = channel();
    let opened = Store::open(config(&place.path()), &ids(1), move |notice| {
        drop(send.send(notice))
    })
    .unwrap();
    (opened.store, opened.boot, opened.thread, health)
}

#[test]
fn a_commit_is_there_after_opening_again() {
    // Proves events, chain, state and sale of a commit survive a restart, under the same journal.
    let place = Place::new();
    let (store, boot, thread, _health) = opened(&place);
    assert_eq!(
        (boot.journal_reason, boot.state, boot.device_id),
        (JournalReason::New, None, None)
    );
    let (send, answer) = channel();
    let all = [Lane::Money, Lane::Touchpoints, Lane::Money];
    let wanted = Commit {
        sale: Some(Box::new(sale(1, &["A"]))),
        ..commit(7, &all)
    };
    store.commit(wanted, move |result| send.send(result).unwrap());
    let positions = answer.recv().unwrap().unwrap().positions;
    let at = |lane, seq| Position { lane, seq };
    assert_eq!(
        positions,
        [
            at(Lane::Money, 1),
            at(Lane::Touchpoints, 1),
            at(Lane::Money, 2)
        ]
    );
    drop(store);
    thread.join().unwrap();

    let (engine, boot) = place.engine().unwrap();
    assert_eq!(boot.journal_reason, JournalReason::Continued);
    assert_eq!(boot.journal_id, journal_id(1));
    assert_eq!(boot.state.unwrap().counters.visit, 7);
    let run = engine
        .events(&boot.journal_id, Lane::Money, 1, 10, 10_000)
        .unwrap()
        .unwrap();
    assert_eq!(run.events.len(), 2);
    let bytes: Vec<&[u8]> = run
        .events
        .iter()
        .map(|event| event.bytes.as_slice())
        .collect();
    assert_eq!(
        run.events[1].chain,
        touchpoint::chain::chain_run(touchpoint::GENESIS, bytes)
    );
    assert_eq!(
        engine.sale_json(1).unwrap().unwrap(),
        "{\"receipt_number\":1}"
    );
    assert_eq!(engine.sales_json("2026-11-23", 10).unwrap().len(), 1);
}

#[test]
fn a_refused_sale_writes_nothing_of_its_transaction() {
    // Proves rule 5: when the sale cannot be written, neither its events nor the state are.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    let with = |n, number| Commit {
        sale: Some(Box::new(sale(number, &["A"]))),
        ..commit(n, &[Lane::Money])
    };
    engine.commit(with(1, 1)).unwrap();
    assert!(matches!(
        engine.commit(with(2, 1)),
        Err(StoreError::Refused(_))
    ));
    assert_eq!(engine.next_position(Lane::Money).seq, 2);
    assert_eq!(engine.state().unwrap().unwrap().counters.visit, 1);
    engine.commit(with(3, 2)).unwrap();
    assert_eq!(engine.lanes().unwrap()[0].last_seq, 2);
}

#[test]
fn settings_are_those_the_reference_demands() {
    // Proves every pragma of sync-and-reliability.md §4.3 holds on the connection, and that no -shm file exists.
    let place = Place::new();
    let (engine, _) = place.engine().unwrap();
    let number = |name: &str| {
        engine
            .connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .unwrap()
    };
    let text = |name: &str| {
        engine
            .connection
            .pragma_query_value(None, name, |row| row.get::<_, String>(0))
            .unwrap()
    };
    assert_eq!(
        (text("journal_mode"), text("locking_mode")),
        ("wal".into(), "exclusive".into())
    );
    let expected = [
        ("synchronous", 2),
        ("wal_autocheckpoint", 0),
        ("journal_size_limit", 4_194_304),
        ("mmap_size", 0),
        ("cell_size_check", 1),
        ("trusted_schema", 0),
        ("foreign_keys", 1),
        ("temp_store", 2),
        ("auto_vacuum", 2),
        ("user_version", SCHEMA_VERSION),
        ("application_id", migrate::APPLICATION_ID),
    ];
    for (name, value) in expected {
        let found = engine
            .connection
            .pragma_query_value(None, name, |row| row.get::<_, i64>(0))
            .unwrap_or(0);
        assert_eq!(found, value, "{name}");
    }
    assert_eq!(number("foreign_keys"), 1);
    assert!(!place.folder.path().join("kiosk.db-shm").exists());
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        std::fs::metadata(place.path())
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
}

#[test]
fn every_table_is_strict() {
    // Proves no table of the schema takes a text for a number.
    let place = Place::new();
    let (engine, _) = place.engine().unwrap();
    let loose: i64 = engine
        .connection
        .query_row(
            "SELECT count(*) FROM pragma_table_list WHERE type = 'table' AND schema = 'main' AND strict = 0
             AND name NOT LIKE 'sqlite_%'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(loose, 0);
}

#[test]
fn an_upgraded_database_equals_a_fresh_one() {
    // Proves that upgrading from every older version, with rows in it, ends in exactly the fresh schema.
    let schema = |connection: &rusqlite::Connection| -> Vec<(String, String, Option<String>)> {
        let mut statement = connection
            .prepare("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
            .unwrap();
        statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    };
    let fresh = Place::new();
    let (fresh, _) = fresh.engine().unwrap();
    for version in 1..SCHEMA_VERSION {
        let place = Place::new();
        let path = place.path();
        let mut old = engine::connect(&config(&path)).unwrap();
        assert_eq!(migrate::migrate_to(&mut old, &path, version).unwrap(), 0);
        old.execute("INSERT INTO setting (key, value) VALUES ('kept', '42')", [])
            .unwrap();
        drop(old);
        let (upgraded, boot) = place.engine().unwrap();
        assert_eq!(boot.upgraded_from, version);
        assert_eq!(schema(&upgraded.connection), schema(&fresh.connection));
        assert_eq!(upgraded.setting::<i64>("kept").unwrap(), Some(42));
    }
}

#[test]
fn a_full_queue_answers_busy_and_every_request_is_answered_once() {
    // Proves the queue is bounded, never blocks the caller, and neither drops nor doubles an answer.
    let place = Place::new();
    let (store, _, thread, _health) = opened(&place);
    let (release, held) = channel::<()>();
    let (started, running) = channel();
    store.run(
        move |_| {
            started.send(()).unwrap();
            held.recv().map_err(|_| StoreError::Closed)
        },
        |_| {},
    );
    running.recv().unwrap();
    let (send, answers) = channel();
    for n in 0..QUEUE as u64 + 40 {
        let send = send.clone();
        store.commit(commit(n, &[Lane::Money]), move |result| {
            send.send(result.map(|_| ())).unwrap()
        });
    }
    let refused: Vec<_> = answers.try_iter().collect();
    assert_eq!(refused, vec![Err(StoreError::Busy); 40]);
    release.send(()).unwrap();
    drop((store, send));
    thread.join().unwrap();
    let written: Vec<_> = answers.iter().collect();
    assert_eq!(written, vec![Ok(()); QUEUE]);
}

#[test]
fn a_panicking_request_is_answered_and_the_store_goes_on() {
    // Proves a fault in one request neither leaves its caller waiting nor ends the store.
    let place = Place::new();
    let (store, ..) = opened(&place);
    let silent = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let answer = store.call(|_| -> Result<(), StoreError> { panic!("on purpose") });
    std::panic::set_hook(silent);
    assert!(matches!(answer, Err(StoreError::Refused(_))));
    assert!(
        store
            .call(|engine| engine.commit(commit(1, &[Lane::Money])))
            .is_ok()
    );
}

#[test]
fn settings_enrolment_and_snapshots_are_kept() {
    // Proves settings, enrolment and the life of a snapshot (staged, applied, rolled back, rejected) survive.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    let enrolment = Enrolment {
        device_id: "k-1".into(),
        store_id: "s-1".into(),
        head_office_url: "https://office.example".into(),
        head_office_key: vec![7; 32],
        key_path: "/var/lib/kiosk/device.key".into(),
        enrolled_ms: 5,
    };
    engine.enrol(&enrolment).unwrap();
    engine.set_setting("volume", &3).unwrap();
    let snapshot = |digest: &str, version| Snapshot {
        kind: "prices".into(),
        version,
        digest: digest.into(),
        body: digest.into(),
    };
    for (digest, version) in [("aa", 1), ("bb", 2)] {
        engine
            .stage_snapshot(&snapshot(digest, version), 9)
            .unwrap();
        assert_eq!(
            engine.apply_snapshot("prices").unwrap().unwrap().digest,
            digest
        );
    }
    assert_eq!(engine.apply_snapshot("prices").unwrap(), None);
    assert_eq!(
        engine.roll_back_snapshot("prices").unwrap().unwrap().digest,
        "aa"
    );
    engine.stage_snapshot(&snapshot("bb", 2), 10).unwrap();
    assert_eq!(engine.snapshots(SnapshotState::Staged).unwrap(), []);
    drop(engine);
    let (engine, boot) = place.engine().unwrap();
    assert_eq!(boot.device_id.as_deref(), Some("k-1"));
    assert_eq!(engine.enrolment().unwrap(), Some(enrolment));
    assert_eq!(engine.setting("volume").unwrap(), Some(3));
    assert_eq!(
        engine.snapshots(SnapshotState::Rejected).unwrap()[0].digest,
        "bb"
    );
}
