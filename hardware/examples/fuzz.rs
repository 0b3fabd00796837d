//! Looks for inputs that break the printer's code, for a time, from the stored corpus.
//!
//! `cargo run -p hardware --example fuzz -- TARGET MINUTES [SEED]`. A finding is written beside
//! the corpus and ends the run with an error; `./dev test` replays it from then on.
#![allow(clippy::unwrap_used)]

#[path = "../tests/fuzz/targets/mod.rs"]
mod targets;

use std::error::Error;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use targets::bytes::Random;
use targets::{TARGETS, Target};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let name = words
        .next()
        .ok_or("name a target: encoder, receiver or driver")?;
    let minutes: f64 = words.next().as_deref().unwrap_or("10").parse()?;
    let seed = match words.next() {
        Some(seed) => seed.parse()?,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as u64,
    };
    let (_, target) = TARGETS
        .into_iter()
        .find(|(known, _)| *known == name)
        .ok_or("there is no such target; write encoder, receiver or driver")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(&name);
    let corpus = read(&folder)?;
    println!(
        "{name}: seed {seed}, {} stored inputs, {minutes} minutes",
        corpus.len()
    );
    let count = hunt(
        target,
        corpus,
        seed,
        Duration::from_secs_f64(minutes * 60.0),
        &folder,
    )?;
    println!("{name}: {count} inputs, no finding");
    Ok(())
}

fn read(folder: &Path) -> Result<Vec<Vec<u8>>, Box<dyn Error>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        paths.push(entry?.path());
    }
    // The order of a folder is chance; a seed must mean the same run everywhere.
    paths.sort();
    Ok(paths.iter().map(std::fs::read).collect::<Result<_, _>>()?)
}

fn hunt(
    target: Target,
    mut pool: Vec<Vec<u8>>,
    seed: u64,
    time: Duration,
    folder: &Path,
) -> Result<u64, Box<dyn Error>> {
    let mut random = Random(seed);
    let end = Instant::now() + time;
    let mut count = 0;
    while Instant::now() < end {
        let input = if pool.is_empty() || random.below(4) == 0 {
            random.bytes(400)
        } else {
            let one = random.below(pool.len());
            let other = random.below(pool.len());
            random.mutated(&pool[one], &pool[other])
        };
        if catch_unwind(|| target(&input)).is_err() {
            let path = folder.join(format!("found-{:016x}", random.next()));
            std::fs::write(&path, &input)?;
            return Err(format!("finding after {count} inputs: {}", path.display()).into());
        }
        count += 1;
        // A walk away from the corpus, not only around it.
        if pool.len() < 512 && random.below(64) == 0 {
            pool.push(input);
        }
    }
    Ok(count)
}
