//! What the medium and other people do to a database.

use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use super::*;

fn failure(result: Result<(Engine, Boot), StoreError>) -> StoreError {
    result.map(|_| ()).unwrap_err()
}

#[test]
fn a_missing_folder_is_named() {
    // Proves a missing data folder is its own fault, with the folder in the message.
    let place = Place::new();
    let path = place.folder.path().join("nowhere/kiosk.db");
    let error = failure(Engine::open(config(&path), &ids(1)));
    assert_eq!(
        error,
        StoreError::MissingDirectory(place.folder.path().join("nowhere"))
    );
    assert!(error.to_string().contains("nowhere"));
}

#[test]
fn a_read_only_medium_is_refused() {
    // Proves a folder that takes no files (sysfs, even for root) is reported as read-only, not as damage.
    let error = failure(Engine::open(
        config(Path::new("/sys/kernel/kiosk.db")),
        &ids(1),
    ));
    assert_eq!(error, StoreError::ReadOnly("/sys/kernel/kiosk.db".into()));
    assert_eq!(error.fault(), checkout::till::StoreFault::ReadOnly);
}

#[test]
fn a_newer_or_foreign_file_is_left_as_it_is() {
    // Proves a newer program's database and somebody else's are refused without changing a byte.
    let place = Place::new();
    drop(place.engine().unwrap());
    let raw = rusqlite::Connection::open(place.path()).unwrap();
    raw.pragma_update(None, "user_version", SCHEMA_VERSION + 1)
        .unwrap();
    raw.execute_batch("PRAGMA journal_mode = DELETE").unwrap();
    raw.close().unwrap();
    let before = std::fs::read(place.path()).unwrap();
    let error = failure(place.engine());
    assert_eq!(
        error,
        StoreError::Newer {
            path: place.path(),
            found: SCHEMA_VERSION + 1,
            known: SCHEMA_VERSION
        }
    );
    assert!(std::fs::read(place.path()).unwrap() == before);

    let other = Place::new();
    let raw = rusqlite::Connection::open(other.path()).unwrap();
    raw.execute_batch("CREATE TABLE theirs (x)").unwrap();
    raw.close().unwrap();
    let before = std::fs::read(other.path()).unwrap();
    assert_eq!(failure(other.engine()), StoreError::Foreign(other.path()));
    assert!(std::fs::read(other.path()).unwrap() == before);
}

#[test]
fn a_log_that_was_long_once_is_not_checkpointed_behind_every_sale() {
    // Proves: the checkpoint is due by what the log holds, not by the length its file keeps, and not before the
    // answer to the commit is out.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    let wal = PathBuf::from(format!("{}-wal", place.path().display()));
    let mut n = 0;
    let mut commits_until_due = |engine: &mut Engine| {
        let first = n;
        loop {
            engine.commit(commit(n, &[Lane::Money])).unwrap();
            n += 1;
            if engine.after_answer() {
                return n - first;
            }
        }
    };
    let fresh = commits_until_due(&mut engine);
    engine.idle();
    let again = commits_until_due(&mut engine);
    assert!(std::fs::metadata(&wal).unwrap().len() > 4_000_000);
    assert!(
        fresh > 100 && again > 100,
        "due after {fresh}, then after {again} commits"
    );

    // A burst without a pause is checkpointed all the same, a good while later.
    let mut burst = 0;
    while engine.after_answer() {
        engine
            .commit(commit(10_000 + burst, &[Lane::Money]))
            .unwrap();
        burst += 1;
    }
    assert!(burst > 2 * again, "{burst}");
}

#[test]
fn damaged_pages_are_found_before_selling() {
    // Proves that overwritten pages, and a file that is no database, are refused as damaged; then set aside whole.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    for n in 0..200 {
        engine.commit(commit(n, &[Lane::Money])).unwrap();
    }
    engine.checkpoint(true);
    drop(engine);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(place.path())
        .unwrap();
    let length = file.metadata().unwrap().len();
    for page in 5..length / 4096 {
        file.write_all_at(&[0xA5; 64], page * 4096).unwrap();
    }
    drop(file);
    let error = failure(place.engine());
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
    assert!(error.stops_selling() && !error.retry_helps());

    let aside = set_aside(&place.path(), 99).unwrap();
    assert_eq!(
        std::fs::metadata(aside.join("kiosk.db")).unwrap().len(),
        length
    );
    assert_eq!(place.engine().unwrap().1.journal_reason, JournalReason::New);

    let rubbish = Place::new();
    let mut file = std::fs::File::create(rubbish.path()).unwrap();
    file.seek(SeekFrom::Start(9000)).unwrap();
    file.write_all(b"not a database").unwrap();
    drop(file);
    assert!(matches!(
        failure(rubbish.engine()),
        StoreError::Damaged { .. }
    ));
}

#[test]
fn a_changed_missing_or_added_event_breaks_the_chain() {
    // Proves the newest events are hashed again on opening, and that the message names lane and number.
    let tampers = [
        (
            "UPDATE event SET bytes = x'7b7d' WHERE seq = 3",
            "lane 0: event 3",
        ),
        (
            "DELETE FROM event WHERE seq = 2",
            "lane 0: event 2 is missing",
        ),
        (
            "DELETE FROM event WHERE seq = 5",
            "the head says 5 events, found 4",
        ),
        ("UPDATE lane SET next_seq = 5 WHERE lane = 0", "lane 0"),
    ];
    for (tamper, expected) in tampers {
        let place = Place::new();
        let (mut engine, _) = place.engine().unwrap();
        for n in 1..=5 {
            engine.commit(commit(n, &[Lane::Money])).unwrap();
        }
        drop(engine);
        let raw = rusqlite::Connection::open(place.path()).unwrap();
        raw.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        raw.execute(tamper, []).unwrap();
        raw.close().unwrap();
        let error = failure(place.engine()).to_string();
        assert!(error.contains(expected), "{tamper}: {error}");
    }
}

#[test]
fn a_full_disk_loses_nothing_and_gives_up_the_ballast() {
    // Proves SQLITE_FULL refuses the commit whole, releases the ballast once, and leaves all that was acknowledged.
    let place = Place::new();
    let limited = StoreConfig {
        max_pages: Some(60),
        ballast_bytes: 4096,
        ..config(&place.path())
    };
    let (mut engine, _) = Engine::open(limited, &ids(1)).unwrap();
    std::fs::write(place.folder.path().join("kiosk.ballast"), [0; 4096]).unwrap();
    let mut acknowledged = 0;
    let error = loop {
        let mut next = commit(acknowledged + 1, &[Lane::Money]);
        next.events[0].bytes = vec![b'x'; 4000];
        match engine.commit(next) {
            Ok(_) => acknowledged += 1,
            Err(error) => break error,
        }
    };
    assert_eq!(error, StoreError::Full(place.path()));
    assert_eq!(error.fault(), checkout::till::StoreFault::Full);
    assert!(!place.folder.path().join("kiosk.ballast").exists());
    let notices = engine.take_notices();
    assert!(notices.contains(&StorageHealth::BallastReleased));
    assert!(notices.contains(&StorageHealth::Failed(error)));
    assert!(acknowledged > 5);
    drop(engine);
    let (mut engine, boot) = place.engine().unwrap();
    assert_eq!(boot.state.unwrap().counters.visit, acknowledged);
    assert_eq!(engine.lanes().unwrap()[0].last_seq, acknowledged);
    engine
        .commit(commit(acknowledged + 1, &[Lane::Money]))
        .unwrap();
}

#[test]
fn after_an_io_error_the_file_is_opened_and_verified_again() {
    // Proves nothing is acknowledged on the old handle after EIO, and that selling resumes after a good check.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    engine.commit(commit(1, &[Lane::Money])).unwrap();
    let error = StoreError::Io {
        path: place.path(),
        what: "disk I/O error".into(),
    };
    engine.note_failure(&error);
    engine.commit(commit(2, &[Lane::Money])).unwrap();
    assert_eq!(
        engine.take_notices(),
        [
            StorageHealth::Failed(error.clone()),
            StorageHealth::Recovered
        ]
    );
    engine.note_failure(&error);
    drop(std::fs::rename(
        place.path(),
        place.folder.path().join("gone.db"),
    ));
    assert!(engine.commit(commit(3, &[Lane::Money])).is_err());
}

#[test]
fn an_unreadable_state_is_never_taken_for_a_fresh_start() {
    // Proves a till state this program cannot read stops it: money may be in doubt in there.
    let place = Place::new();
    let (mut engine, _) = place.engine().unwrap();
    engine
        .commit(Commit {
            state_json: Some("[1]".into()),
            ..commit(1, &[])
        })
        .unwrap();
    drop(engine);
    assert!(matches!(
        failure(place.engine()),
        StoreError::UnreadableState(_)
    ));
}

#[test]
fn every_fault_says_what_to_do() {
    // Proves each message names a remedy, not only a fault.
    let path = PathBuf::from("/x/kiosk.db");
    let faults = [
        StoreError::MissingDirectory(path.clone()),
        StoreError::ReadOnly(path.clone()),
        StoreError::Full(path.clone()),
        StoreError::Damaged {
            path: path.clone(),
            what: "w".into(),
        },
        StoreError::Newer {
            path: path.clone(),
            found: 9,
            known: 3,
        },
        StoreError::Foreign(path.clone()),
        StoreError::Locked(path.clone()),
        StoreError::Busy,
        StoreError::Closed,
        StoreError::Io {
            path,
            what: "w".into(),
        },
        StoreError::UnreadableState("w".into()),
    ];
    for fault in faults {
        let (what, remedy) = fault
            .to_string()
            .split_once(':')
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .unwrap();
        assert!(what.len() > 10 && remedy.len() > 15, "{fault}");
    }
}
