//! Looks for payment codes and providers' bodies that break the rules of this crate.
//!
//! `cargo run --release -p payqr --example fuzz_codes -- round-trip COUNT [SEED]` encodes, decodes and
//! encodes COUNT random codes. `… -- decoder MINUTES [SEED]` feeds mutated codes to the decoders,
//! `… -- providers MINUTES [SEED]` mutated bodies to the readers of payOS, SePay and Pix;
//! a finding is written beside the corpus, and `./dev test` replays it from then on.
#![allow(clippy::unwrap_used)]

#[path = "../tests/fuzz/targets.rs"]
mod targets;

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use targets::Random;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let name = words
        .next()
        .ok_or("name a target: round-trip COUNT, decoder MINUTES or providers MINUTES")?;
    let amount: f64 = words.next().ok_or("say how many, or how long")?.parse()?;
    let seed = match words.next() {
        Some(seed) => seed.parse()?,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64,
    };
    match name.as_str() {
        "round-trip" => round_trips(amount as u64, seed),
        "decoder" => hunt(&name, targets::decoder, minutes(amount), seed),
        "providers" => hunt(&name, targets::providers, minutes(amount), seed),
        _ => Err("there is no such target; write round-trip, decoder or providers".into()),
    }
}

fn round_trips(count: u64, seed: u64) -> Result<(), Box<dyn Error>> {
    println!("round-trip: seed {seed}, {count} codes");
    let mut random = Random(seed);
    for done in 1..=count {
        let found = catch_unwind(AssertUnwindSafe(|| targets::round_trip(&mut random)));
        if found.is_err() {
            return Err(format!("finding, repeated by: round-trip {done} {seed}").into());
        }
    }
    println!("round-trip: {count} codes, no finding");
    Ok(())
}

fn minutes(amount: f64) -> Duration {
    Duration::from_secs_f64(amount * 60.0)
}

fn hunt(name: &str, target: fn(&[u8]), time: Duration, seed: u64) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    let folder = folder.join(name);
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        paths.push(entry?.path());
    }
    // The order of a folder is chance; a seed must mean the same run everywhere.
    paths.sort();
    let mut pool: Vec<Vec<u8>> = paths.iter().map(std::fs::read).collect::<Result<_, _>>()?;
    println!(
        "{name}: seed {seed}, {} stored inputs, {} s",
        pool.len(),
        time.as_secs()
    );
    let mut random = Random(seed);
    let end = Instant::now() + time;
    let mut count = 0_u64;
    while Instant::now() < end {
        let (one, other) = (random.below(pool.len()), random.below(pool.len()));
        let input = random.mutated(&pool[one], &pool[other]);
        if catch_unwind(|| target(&input)).is_err() {
            let path = folder.join(format!("found-{:016x}", random.next()));
            std::fs::write(&path, &input)?;
            return Err(format!("finding after {count} inputs: {}", path.display()).into());
        }
        count += 1;
        // A walk away from the corpus, not only around it.
        if pool.len() < 1_024 && random.below(64) == 0 {
            pool.push(input);
        }
    }
    println!("{name}: {count} inputs, no finding");
    Ok(())
}
