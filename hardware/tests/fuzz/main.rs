//! Replays the stored corpus; `./dev fuzz` looks for more.
#![allow(clippy::unwrap_used)]

mod targets;

use std::path::Path;
use targets::bytes::Random;
use targets::{TARGETS, Target};

fn replay(name: &str) {
    let (_, target): (&str, Target) = TARGETS
        .into_iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(name);
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        target(&std::fs::read(path).unwrap());
        count += 1;
    }
    assert!(count >= 8, "{count} inputs");
    // And some that nobody has stored, the same every time.
    let mut random = Random(0x0D1E_3C4A);
    for _ in 0..if name == "driver" { 8 } else { 200 } {
        let (one, other) = (random.bytes(300), random.bytes(300));
        target(&random.mutated(&one, &other));
    }
}

#[test]
fn the_corpus_of_the_encoder_passes() {
    // Proves: every stored document becomes a sound job whose paper reads as laid out.
    replay("encoder");
}

#[test]
fn the_corpus_of_the_receiver_passes() {
    // Proves: every stored stream of answers and noise is told apart.
    replay("receiver");
}

#[test]
fn the_corpus_of_the_driver_passes() {
    // Proves: every stored bad day ends with each job classified and nothing claimed wrongly.
    replay("driver");
}

#[test]
fn the_corpus_of_the_zvt_line_passes() {
    // Proves: every stored noise on a serial line is told apart, acknowledged or refused, and over
    // after a silence.
    replay("zvt-serial");
}

#[test]
fn the_corpus_of_zvt_messages_passes() {
    // Proves: every stored message is read without a panic and written again the same, in any
    // pieces, and no card number is left in it.
    replay("zvt-apdu");
}

#[test]
fn the_corpus_of_caisse_ap_passes() {
    // Proves: every stored answer is read without a panic, whole or broken off.
    replay("caisse-ap");
}

#[test]
fn the_corpus_of_concert_passes() {
    // Proves: every stored line is read without a panic, and changed messages are noticed.
    replay("concert");
}
