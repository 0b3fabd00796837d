//! `kiosk check` and `kiosk backup`.

use super::ConfigArg;
use crate::assemble::{database, open_store};
use anyhow::{Context, Result, bail};
use clap::Args;
use std::path::PathBuf;

/// Checks everything that can be checked without opening the counter.
pub(super) fn run(args: &ConfigArg) -> Result<()> {
    let config = crate::config::load(&args.config)?;
    println!("configuration: {} is good", args.config.display());
    let now = crate::clock::wall_ms();
    if !crate::clock::is_plausible(now) {
        bail!("clock: it is not set. Run: timedatectl set-time 'YYYY-MM-DD HH:MM'");
    }
    let opened = open_store(&config, |_| {})?;
    println!(
        "store: {} is good, {} items on sale",
        database(&config).display(),
        opened.boot.items
    );
    match &opened.boot.device_id {
        Some(device) => println!("head office: enrolled as {device}"),
        None => println!("head office: not enrolled yet (kiosk enroll URL CODE)"),
    }
    drop(opened.store);
    let _ = opened.thread.join();
    Ok(())
}

/// Arguments of `kiosk backup`.
#[derive(Clone, Debug, Args)]
pub struct BackupArgs {
    /// Which kiosk.
    #[command(flatten)]
    pub config: ConfigArg,
    /// File to write; it must not exist.
    pub target: PathBuf,
}

pub(super) fn backup(args: &BackupArgs) -> Result<()> {
    let config = crate::config::load(&args.config.config)?;
    let opened = open_store(&config, |_| {})?;
    let target = args.target.clone();
    opened
        .store
        .call(move |engine| engine.backup(&target))
        .with_context(|| format!("no backup at {}", args.target.display()))?;
    tell!("backup: {}", args.target.display());
    Ok(())
}
