//! Many days at a card terminal in virtual time, each from a seed, with random faults.
//!
//! `cargo run --release -p hardware --example simulate -- RUNS [SEED]` runs the seeds from SEED
//! (else 1) on, on every processor. A seed whose journal and ledger disagree is named and ends the
//! run with an error; `simulate tell SEED` tells the whole of it. Put it into `hardware/tests/simulation_seeds.txt` then, and `./dev test` runs it
//! from then on.
//!
//! `simulate matrix [STRIDE]` is the crash matrix: one fault at every STRIDE-th step (else every
//! step) of every kind of order, against every kind of terminal.

use hardware::terminal::simulation::{
    Tally, crash_matrix, run_seed, tell_seed, wrong_habits_found,
};
use std::error::Error;
use std::time::Instant;

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    if std::env::args().nth(1).as_deref() == Some("tell") {
        let seed = std::env::args().nth(2).as_deref().unwrap_or("1").parse()?;
        tell_seed(seed).iter().for_each(|line| println!("{line}"));
        return Ok(());
    }
    if std::env::args().nth(1).as_deref() == Some("matrix") {
        let stride = std::env::args().nth(2).as_deref().unwrap_or("1").parse()?;
        return matrix(stride);
    }
    let runs: u64 = words.next().as_deref().unwrap_or("100000").parse()?;
    let first: u64 = words.next().as_deref().unwrap_or("1").parse()?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    println!(
        "card terminal: seeds {first} to {}, {threads} threads",
        first + runs.saturating_sub(1)
    );
    let started = Instant::now();
    let mut total = Tally::default();
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    let mut tally = Tally::default();
                    for seed in (first..first + runs)
                        .skip(worker as usize)
                        .step_by(threads as usize)
                    {
                        tally.add(run_seed(seed));
                    }
                    tally
                })
            })
            .collect();
        for worker in workers {
            if let Ok(tally) = worker.join() {
                total.add(tally);
            }
        }
    });
    println!("{total}; {} s", started.elapsed().as_secs());
    for (habit, seed) in wrong_habits_found(1..=2000) {
        let seed = seed.ok_or_else(|| format!("no seed finds a kiosk that {habit}"))?;
        println!("a kiosk that {habit} is found by seed {seed}");
    }
    if total.runs != runs {
        return Err("a run ended in a panic; its message is above".into());
    }
    for (seed, found) in &total.violations {
        println!("seed {seed}: {}", found.join("; "));
    }
    if total.violations.is_empty() {
        Ok(())
    } else {
        Err("journal and ledger disagree".into())
    }
}

fn matrix(stride: usize) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let mut total = Tally::default();
    for (name, tally) in crash_matrix(stride) {
        println!("{name}: {tally}");
        for (step, found) in tally.violations.iter().take(3) {
            println!("  step {step}: {}", found.join("; "));
        }
        total.add(tally);
    }
    println!("all: {total}; {} s", started.elapsed().as_secs());
    if total.violations.is_empty() {
        Ok(())
    } else {
        Err("journal and ledger disagree".into())
    }
}
