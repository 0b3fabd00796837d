//! Other processes: one that is killed at any moment, and one that wants the same file.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use super::*;

const PATH: &str = "KIOSK_STORE_TEST_PATH";

/// Starts this test binary again, running only `test` with the database at `path`.
fn child(test: &str, path: &Path) -> Child {
    let module = module_path!().split_once("::").unwrap().1;
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            &format!("{module}::{test}"),
            "--nocapture",
            "--test-threads=1",
        ])
        .env(PATH, path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn child_that_commits_without_end() {
    // Proves nothing by itself: with a path from the environment it is the process that the next test kills.
    let Some(path) = std::env::var_os(PATH) else {
        return;
    };
    let (mut engine, boot) = Engine::open(config(Path::new(&path)), &ids(1)).unwrap();
    for n in boot.state.map_or(0, |state| state.counters.visit) + 1.. {
        let facts = Commit {
            sale: Some(Box::new(sale(n, &["A", "B"]))),
            ..commit(n, &[Lane::Money, Lane::Touchpoints])
        };
        engine.commit(facts).unwrap();
        println!("\nacknowledged {n}");
        if n % 7 == 0 {
            engine.checkpoint(false);
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_and_nothing_half_written_is_seen_after_kills() {
    // Proves that a process killed at any moment leaves every acknowledged commit, each whole.
    let place = Place::new();
    drop(place.engine().unwrap());
    let mut acknowledged = 0;
    for round in 0..6_u64 {
        let mut writer = child("child_that_commits_without_end", &place.path());
        let lines = BufReader::new(writer.stdout.take().unwrap()).lines();
        let numbers = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
        for (index, number) in (0..).zip(numbers) {
            acknowledged = number;
            if index == 3 + round * 5 {
                writer.kill().unwrap();
            }
        }
        writer.wait().unwrap();
        let (engine, boot) = place.engine().unwrap();
        let found = boot.state.unwrap().counters.visit;
        assert!(
            found >= acknowledged && found <= acknowledged + 1,
            "{found} after {acknowledged}"
        );
        let marks = engine.lanes().unwrap();
        assert_eq!((marks[0].last_seq, marks[1].last_seq), (found, found));
        let count = |sql: &str| {
            engine
                .connection
                .query_row(sql, [], |row| row.get::<_, i64>(0))
                .unwrap()
                .cast_unsigned()
        };
        assert_eq!(count("SELECT count(*) FROM sale"), found);
        assert_eq!(count("SELECT count(*) FROM sale_line"), found * 2);
        assert_eq!(count("SELECT sum(times) FROM item_sold"), found * 2);
        assert_eq!(boot.journal_reason, JournalReason::Continued);
    }
}

#[test]
fn child_that_holds_the_database() {
    // Proves nothing by itself: with a path from the environment it holds the file until its input ends.
    let Some(path) = std::env::var_os(PATH) else {
        return;
    };
    let (_engine, _) = Engine::open(config(Path::new(&path)), &ids(1)).unwrap();
    println!("\nholding");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
fn a_second_process_is_turned_away_and_let_in_afterwards() {
    // Proves the one-owner rule across processes, with its own fault, and that the lock ends with its owner.
    let place = Place::new();
    let mut holder = child("child_that_holds_the_database", &place.path());
    let mut lines = BufReader::new(holder.stdout.take().unwrap()).lines();
    assert!(
        lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line == "holding")
    );
    let error = place.engine().map(|_| ()).unwrap_err();
    assert_eq!(error, StoreError::Locked(place.path()));
    assert!(error.retry_helps());
    drop(holder.stdin.take());
    holder.wait().unwrap();
    assert!(place.engine().is_ok());
}
