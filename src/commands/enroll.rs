//! `kiosk enroll URL CODE`.

use super::ConfigArg;
use crate::assemble::{key_file, open_store};
use anyhow::Result;
use clap::Args;

/// Arguments of `kiosk enroll`.
#[derive(Clone, Debug, Args)]
pub struct EnrollArgs {
    /// Address of head office, such as `https://headoffice.example`.
    pub url: String,
    /// One-time code, made with `headoffice code`.
    pub code: String,
    /// Which kiosk.
    #[command(flatten)]
    pub config: ConfigArg,
    /// What head office calls this kiosk.
    #[arg(long, default_value = "K1")]
    pub name: String,
}

pub(super) fn run(args: &EnrollArgs) -> Result<()> {
    let config = crate::config::load(&args.config.config)?;
    let opened = open_store(&config, |_| {})?;
    let answer = crate::sync::enrol(
        &opened.store,
        &key_file(&config),
        &args.url,
        &args.code,
        &args.name,
    )?;
    tell!(
        "enrolled: this kiosk is {} of store {}",
        answer.device.as_str(),
        answer.store
    );
    drop(opened.store);
    let _ = opened.thread.join();
    Ok(())
}
