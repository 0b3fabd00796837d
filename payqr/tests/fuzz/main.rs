//! Replays the stored corpus and some seeded inputs; `./dev fuzz` looks for more.
#![allow(clippy::unwrap_used)]

mod targets;

use std::path::Path;
use targets::{Random, decoder, providers, round_trip};

#[test]
fn twenty_thousand_codes_survive_the_round_trip() {
    // Proves: encode, decode and encode again gives the same value and the same bytes, for EMV
    // payloads of any fields and for every EMV scheme; the same codes every time.
    let mut random = Random(0x0D1E_3C4A);
    for _ in 0..20_000 {
        round_trip(&mut random);
    }
}

#[test]
fn the_corpus_of_the_decoder_passes() {
    // Proves: published codes, what was once found, and 20,000 mutations of them are answered
    // without a panic, without a loss, and with a place that exists.
    replay("decoder", 20, decoder);
}

#[test]
fn the_corpus_of_the_providers_passes() {
    // Proves: bodies of payOS, SePay and Pix, and 20,000 mutations of them, are answered without a
    // panic, and believed only when they say what was signed.
    replay("providers", 8, providers);
}

fn replay(name: &str, least: usize, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let mut paths: Vec<_> = std::fs::read_dir(folder.join(name))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let corpus: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    assert!(corpus.len() >= least, "{} inputs", corpus.len());
    for (path, input) in paths.iter().zip(&corpus) {
        println!("{}", path.display());
        target(input);
    }
    let mut random = Random(0x0D1E_3C4A);
    for _ in 0..20_000 {
        let (one, other) = (random.below(corpus.len()), random.below(corpus.len()));
        target(&random.mutated(&corpus[one], &corpus[other]));
    }
}
