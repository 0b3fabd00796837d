//! Exactly once: for any repetition, order, re-cut or contradiction of blocks, and through kills.
#![allow(clippy::unwrap_used)]

mod support;

use headoffice::accept::Address;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};
use support::{Kiosk, journal, office, stored_events};
use touchpoint::{Block, GENESIS, Lane, chain::chain_run, chain_next, wire::PutAnswer};

/// A block a client might send: where it starts and the whole history it believes in.
struct Candidate {
    first: usize,
    history: Vec<Vec<u8>>,
}

/// What a correct head office answers, from the plain list of what it holds.
fn model(held: &mut Vec<Vec<u8>>, candidate: &Candidate) -> String {
    let last = candidate.history.len();
    if candidate.first > held.len() + 1 {
        return format!("gap {}", held.len() + 1);
    }
    let seen = last.min(held.len());
    let differs = (0..seen).find(|&at| held[at] != candidate.history[at]);
    match differs {
        Some(at) => format!("fork {}", (at + 1).max(candidate.first - 1)),
        None if last <= held.len() => "duplicate".into(),
        None if candidate.first == held.len() + 1 => {
            *held = candidate.history.clone();
            "stored".into()
        }
        None => format!("gap {}", held.len() + 1),
    }
}

fn word(answer: &PutAnswer) -> String {
    match answer {
        PutAnswer::Stored(_) => "stored".into(),
        PutAnswer::Duplicate(_) => "duplicate".into(),
        PutAnswer::Gap { next_seq } => format!("gap {next_seq}"),
        PutAnswer::Fork { seq, .. } => format!("fork {seq}"),
        other => format!("{other:?}"),
    }
}

fn event(text: &str) -> Vec<u8> {
    format!("{{\"k\":\"{text}\"}}").into_bytes()
}

#[test]
fn every_order_of_deliveries_ends_in_the_same_lane() {
    // Proves: for all 5^4 sequences of three blocks, a re-cut and a fork (so every delivery in every reachable state), each answer equals the model's and the stored lane is exactly the model's.
    let office = office();
    let kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    let main: Vec<Vec<u8>> = ["a", "b", "c", "d", "e"].map(event).to_vec();
    let forked: Vec<Vec<u8>> = ["a", "b", "C", "d"].map(event).to_vec();
    let candidates = [
        Candidate {
            first: 1,
            history: main[..2].to_vec(),
        },
        Candidate {
            first: 3,
            history: main[..4].to_vec(),
        },
        Candidate {
            first: 5,
            history: main.clone(),
        },
        Candidate {
            first: 2,
            history: main[..4].to_vec(),
        },
        Candidate {
            first: 3,
            history: forked,
        },
    ];
    for case in 0..5_u32.pow(4) {
        let journal = journal(u64::from(case) + 1_000);
        let mut held = Vec::new();
        for step in 0..4 {
            let candidate = &candidates[(case / 5_u32.pow(step) % 5) as usize];
            let before = &candidate.history[..candidate.first - 1];
            let mut meta = kiosk.meta(
                Lane::Money,
                candidate.first as u64,
                chain_run(GENESIS, before.iter().map(Vec::as_slice)),
            );
            meta.journal = journal.clone();
            let block =
                Block::sign(&kiosk.key, meta, &candidate.history[candidate.first - 1..]).unwrap();
            let address = Address {
                device: kiosk.device.clone(),
                journal: journal.clone(),
                lane: Lane::Money,
                first_seq: candidate.first as u64,
                acked: 0,
            };
            let answer = office
                .running
                .store()
                .accept(&address, &block.bytes)
                .unwrap();
            assert_eq!(
                word(&answer),
                model(&mut held, candidate),
                "case {case} step {step}"
            );
        }
        assert_eq!(
            stored_events(&office.running, &journal, Lane::Money),
            held,
            "case {case}"
        );
    }
}

#[test]
fn an_answer_eaten_by_the_network_changes_nothing() {
    // Proves: sending every block twice, as after a lost answer, gives one copy, a duplicate answer and the same receipt head.
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    for text in ["a", "b", "c"] {
        kiosk.record_bytes(Lane::Money, event(text));
        let from = kiosk.lanes[0].events.len() - 1;
        let block = kiosk.block(Lane::Money, from, from + 1);
        let (status, first) = kiosk.put(Lane::Money, from as u64 + 1, block.clone());
        let (again_status, again) = kiosk.put(Lane::Money, from as u64 + 1, block);
        assert_eq!((status, again_status), (200, 200));
        let (PutAnswer::Stored(first), PutAnswer::Duplicate(again)) = (first, again) else {
            panic!("not stored, then duplicate");
        };
        assert_eq!(
            (first.stored_upto, again.stored_upto),
            (from as u64 + 1, from as u64 + 1)
        );
    }
    let kept = stored_events(&office.running, &kiosk.journal, Lane::Money);
    assert_eq!(kept, kiosk.lanes[0].events);
}

#[test]
fn a_fork_is_kept_as_evidence_and_names_the_first_difference() {
    // Proves: a contradicting block is refused with 409, head office's own link at the difference, and is set aside; the lane is untouched.
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    for text in ["a", "b", "c", "d"] {
        kiosk.record_bytes(Lane::Money, event(text));
    }
    kiosk.push();
    let mut clone = kiosk.clone();
    clone.lanes[0].events[2] = event("other");
    let (status, answer) = clone.put(Lane::Money, 2, clone.block(Lane::Money, 1, 4));
    let expect = kiosk.lanes[0].events[..3]
        .iter()
        .fold(GENESIS, |c, e| chain_next(c, e));
    assert_eq!((status, answer), (409, PutAnswer::Fork { seq: 3, expect }));
    let kept = stored_events(&office.running, &kiosk.journal, Lane::Money);
    assert_eq!(kept, kiosk.lanes[0].events);
    let page = support::page(&office.running.url(), "");
    assert!(page.contains("nhật ký bị rẽ nhánh"));
}

#[test]
fn a_restored_head_office_is_refilled() {
    // Proves: after a restore from an old backup, "acked" turns a gap into 410 rewind, the kiosk resends, and safe_upto is what the backup held.
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    kiosk.record_bytes(Lane::Money, event("a"));
    kiosk.push();
    let restored = tempfile::tempdir().unwrap();
    office
        .running
        .store()
        .backup(&restored.path().join("headoffice.sqlite"))
        .unwrap();
    assert_eq!(kiosk.heartbeat().lanes[0].safe_upto, 1);
    for text in ["b", "c"] {
        kiosk.record_bytes(Lane::Money, event(text));
    }
    kiosk.push();
    assert_eq!(
        kiosk.heartbeat().lanes[0].safe_upto,
        1,
        "only what is in the backup is safe"
    );

    let (running, _clock) = support::reopen(&restored, support::MORNING_MS);
    kiosk.url = running.url();
    kiosk.record_bytes(Lane::Money, event("d"));
    let block = kiosk.block(Lane::Money, 3, 4);
    let answer = kiosk.try_put(Lane::Money, 4, 3, block.clone()).unwrap();
    assert_eq!(answer.status(), 410);
    assert_eq!(
        answer.json::<PutAnswer>().unwrap(),
        PutAnswer::Rewind { next_seq: 2 }
    );
    let (status, answer) = kiosk.put(Lane::Money, 4, block);
    assert_eq!((status, answer), (409, PutAnswer::Gap { next_seq: 2 }));
    kiosk.lanes[0].acked = 1;
    kiosk.push();
    assert_eq!(
        stored_events(&running, &kiosk.journal, Lane::Money),
        kiosk.lanes[0].events
    );
}

/// The real program on a folder.
fn spawn(folder: &tempfile::TempDir) -> (Child, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_headoffice"))
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut url = String::new();
    BufReader::new(child.stdout.take().unwrap())
        .read_line(&mut url)
        .unwrap();
    (child, url.trim().to_owned())
}

#[test]
fn a_killed_server_keeps_what_it_acknowledged_and_nothing_twice() {
    // Proves: through repeated SIGKILLs with a request in flight, every acknowledged block is there once and the lane equals the kiosk's.
    let folder = tempfile::tempdir().unwrap();
    let code = Command::new(env!("CARGO_BIN_EXE_headoffice"))
        .args(["code", "--store", "Q1", "--data"])
        .arg(folder.path())
        .output()
        .unwrap();
    let code = String::from_utf8(code.stdout).unwrap();
    let (mut child, url) = spawn(&folder);
    let mut kiosk = Kiosk::enrol_with(&url, code.trim(), 9);
    for number in 0..60 {
        kiosk.record_bytes(Lane::Money, event(&format!("e{number}")));
    }
    for acknowledged in [5, 20, 45] {
        for at in kiosk.lanes[0].acked..acknowledged {
            let (_, answer) = kiosk.put(
                Lane::Money,
                at as u64 + 1,
                kiosk.block(Lane::Money, at, at + 1),
            );
            assert!(
                matches!(answer, PutAnswer::Stored(_) | PutAnswer::Duplicate(_)),
                "{answer:?}"
            );
        }
        kiosk.lanes[0].acked = acknowledged;
        let flying = kiosk.clone();
        let sender = std::thread::spawn(move || {
            // The answer, if any, is lost with the server.
            let block = flying.block(Lane::Money, acknowledged, acknowledged + 1);
            drop(flying.try_put(Lane::Money, acknowledged as u64 + 1, 0, block));
        });
        child.kill().unwrap();
        child.wait().unwrap();
        sender.join().unwrap();
        (child, kiosk.url) = spawn(&folder);
        // A new server on the old port would meet connections that died with the old one.
        kiosk.http = support::http();
    }
    kiosk.push();
    child.kill().unwrap();
    child.wait().unwrap();
    let (running, _clock) = support::reopen(&folder, support::MORNING_MS);
    assert_eq!(
        stored_events(&running, &kiosk.journal, Lane::Money),
        kiosk.lanes[0].events
    );
}

#[test]
fn sigterm_ends_the_server_cleanly() {
    // Proves: the unit's stop signal ends the program by itself with success, and an idle connection does not hold it.
    let folder = tempfile::tempdir().unwrap();
    let (mut child, url) = spawn(&folder);
    let client = support::http();
    assert_eq!(
        client
            .get(format!("{url}/healthz"))
            .send()
            .unwrap()
            .status(),
        200
    );
    let pid = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    assert!(child.wait().unwrap().success());
}
