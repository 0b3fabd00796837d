//! The storm of `tests/relay_storm.rs` at any size: `relay_storm SALES SEED [FOLDER]`.
//!
//! The database has the settings it ships with. Put FOLDER on a tmpfs to measure the program and not the disk.
#![allow(clippy::unwrap_used)]

#[path = "../tests/storm/mod.rs"]
mod storm;

fn main() {
    let mut arguments = std::env::args().skip(1);
    let sales = arguments
        .next()
        .map_or(100_000, |text| text.parse().unwrap());
    let seed = arguments.next().map_or(1, |text| text.parse().unwrap());
    let folder = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let folder = tempfile::tempdir_in(folder).unwrap();
    let begun = std::time::Instant::now();
    let report = storm::run(storm::Options {
        sales,
        seed,
        folder: folder.path().into(),
        kill_every: 5_000,
        pace_ms: 5_000,
    });
    println!(
        "sales {} · transfers {} · credits {}",
        report.sales, report.transfers, report.credits
    );
    println!(
        "lost {} · doubled {} · misnamed {} · unseen {} · forged taken {}",
        report.lost.len(),
        report.doubled.len(),
        report.misnamed.len(),
        report.odd_without_review.len(),
        report.forged_taken
    );
    println!("states {:?}", report.states);
    println!("without an order {:?}", report.unmatched);
    println!("{}", report.tally);
    println!("seed {seed} · {:.1} s", begun.elapsed().as_secs_f64());
    report.assert_clean();
}
