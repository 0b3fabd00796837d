//! `kiosk import catalogue FILE`.

use super::ConfigArg;
use crate::assemble::open_store;
use crate::catalogue::{ImportOptions, import};
use crate::clock::{Clock, wall_ms};
use crate::config::Configuration;
use crate::store::{BuildMode, Store};
use anyhow::{Context, Result, bail};
use checkout::TaxClassId;
use clap::{Args, Subcommand};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Lines of the report that are printed; the rest is counted.
const LINES_MAX: usize = 200;

/// Arguments of `kiosk import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Clone, Debug, Subcommand)]
enum What {
    /// Replace the catalogue by a file: our own CSV, or an export of KiotViet,
    /// Sapo or Loyverse (CSV or XLSX), recognised by its header.
    Catalogue(CatalogueArgs),
}

#[derive(Clone, Debug, Args)]
struct CatalogueArgs {
    /// The file.
    file: PathBuf,
    /// Which kiosk.
    #[command(flatten)]
    config: ConfigArg,
    /// Import the good rows and leave out those with errors.
    #[arg(long)]
    skip_bad: bool,
    /// Only read and report; change nothing.
    #[arg(long)]
    dry_run: bool,
    /// Language of the report: vi or en.
    #[arg(long, default_value = "vi")]
    language: String,
}

pub(super) fn run(args: ImportArgs) -> Result<()> {
    let What::Catalogue(args) = args.what;
    let config = crate::config::load(&args.config.config)?;
    let bytes = std::fs::read(&args.file)
        .with_context(|| format!("{}: cannot be read", args.file.display()))?;
    if args.dry_run {
        return catalogue(None, &config, &bytes, &args);
    }
    let opened = open_store(&config, |_| {})?;
    let done = catalogue(Some(&opened.store), &config, &bytes, &args);
    drop(opened.store);
    let _ = opened.thread.join();
    done
}

fn catalogue(
    store: Option<&Store>,
    config: &Configuration,
    bytes: &[u8],
    args: &CatalogueArgs,
) -> Result<()> {
    let started = Instant::now();
    let mut bar = Bar::new("reading");
    let mut read = import(bytes, &options(config, args.skip_bad), &mut |done, all| {
        bar.show(done, all);
    })?;
    bar.end();
    let lines = read.report.findings.iter().take(LINES_MAX);
    for finding in lines {
        tell!("{}", finding.line(&args.language));
    }
    let report = &read.report;
    tell!(
        "{}: {} rows, {} items, {} of them not for sale, {} rows left out; {} errors, {} warnings",
        args.file.display(),
        report.rows,
        report.items,
        report.not_sellable,
        report.left_out,
        report.errors,
        report.warnings
    );
    let not_sellable = u64::from(report.not_sellable);
    let refused = report.errors > 0 && !args.skip_bad;
    if refused || !read.accepted() {
        bail!("nothing was imported. Mend the rows above, or import the good ones with --skip-bad");
    }
    if let Some(store) = store {
        let entries = std::mem::take(&mut read.entries);
        let source = file_name(&args.file);
        let mut bar = Bar::new("storing");
        let mut progress = |done: usize, all: usize| bar.show(done, all);
        let mode = BuildMode::Replace;
        let applied = store.set_catalogue(entries, mode, &source, wall_ms(), &mut progress)?;
        bar.end();
        let sellable = applied.items.saturating_sub(not_sellable);
        tell!(
            "the catalogue now has {} items, {sellable} of them on sale",
            applied.items
        );
    }
    tell!("took {} ms", started.elapsed().as_millis());
    Ok(())
}

/// Puts a catalogue file to use without a report; for the demo.
pub(super) fn quietly(store: &Store, config: &Configuration, bytes: &[u8]) -> Result<u64> {
    let read = import(bytes, &options(config, false), &mut |_, _| {})?;
    let mode = BuildMode::Replace;
    let applied = store.set_catalogue(read.entries, mode, "demo", wall_ms(), &mut |_, _| {})?;
    Ok(applied.items)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn options(config: &Configuration, skip_bad: bool) -> ImportOptions {
    let today = Clock::new(config.zone).now().local().date;
    let classes = config.tax.classes.clone();
    // Age-limited goods are excluded from rate cuts: the class with the highest
    // rate today.
    let adult: Option<TaxClassId> = classes
        .iter()
        .max_by_key(|class| class.rate_at(today).map(|rate| rate.basis_points))
        .map(|class| class.id);
    ImportOptions {
        skip_bad,
        ..ImportOptions::new(config.currency, classes, today, adult)
    }
}

/// A progress bar on a terminal; silent elsewhere.
struct Bar {
    label: &'static str,
    shown: Option<usize>,
    on: bool,
}

impl Bar {
    fn new(label: &'static str) -> Self {
        Self {
            label,
            shown: None,
            on: std::io::stderr().is_terminal(),
        }
    }

    fn show(&mut self, done: usize, all: usize) {
        let percent = done.saturating_mul(100) / all.max(1);
        if !self.on || self.shown == Some(percent) {
            return;
        }
        self.shown = Some(percent);
        let filled = percent * 30 / 100;
        eprint!(
            "\r{} [{}{}] {percent:3} %",
            self.label,
            "█".repeat(filled),
            " ".repeat(30 - filled)
        );
        let _ = std::io::stderr().flush();
    }

    fn end(&self) {
        if self.on && self.shown.is_some() {
            note!("");
        }
    }
}
