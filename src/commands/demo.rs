//! `kiosk demo`: head office, simulated devices and the counter, in one
//! directory, on embedded defaults.

use super::office::{HeadOffice, PayOs};
use super::run::{RunArgs, run as run_counter};
use super::simulated::{SimulatedShop, replaced};
use super::{ConfigArg, demo_lines, import, signals};
use crate::assemble::{key_file, open_store};
use crate::bank::sim as bank;
use anyhow::{Context, Result};
use clap::Args;
use hardware::terminal::sim::Scenario;
use payqr::provider::Provider;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) const CATALOGUE: &[u8] = include_bytes!("../../demo/catalogue.csv");

/// Arguments of `kiosk demo`.
#[derive(Clone, Debug, Args)]
pub struct DemoArgs {
    /// Directory for everything the demo makes.
    #[arg(long, value_name = "DIR", default_value = "out/demo")]
    pub dir: PathBuf,
    /// Window size.
    #[arg(long, value_name = "WxH", default_value = "1080x1920")]
    pub window: String,
    /// How long the simulated bank takes to credit a QR payment.
    #[arg(long, default_value_t = 6000)]
    pub bank_ms: u64,
    /// How long the simulated card terminal takes.
    #[arg(long, default_value_t = 5000)]
    pub card_ms: u64,
    /// How long nobody touches anything until the kiosk asks who is there.
    #[arg(long, default_value_t = 60)]
    pub idle_s: u32,
    /// Address of head office.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub headoffice: String,
}

pub(super) fn run(args: DemoArgs) -> Result<()> {
    let dir = args.dir.canonicalize().or_else(|_| {
        std::fs::create_dir_all(&args.dir)?;
        args.dir.canonicalize()
    });
    let dir = dir.with_context(|| format!("--dir {}: cannot be made", args.dir.display()))?;
    let behaviour = bank::Behaviour {
        pay_after_ms: Some(args.bank_ms),
        ..bank::Behaviour::default()
    };
    let shop = Arc::new(SimulatedShop::open(&dir, behaviour)?);
    shop.terminal.set_usual(Scenario {
        delay_ms: args.card_ms,
        ..Scenario::default()
    });
    let config_path = shop.config_path.clone();
    be_quiet_for(&config_path, args.idle_s)?;
    std::fs::write(dir.join("catalogue.csv"), CATALOGUE)?;
    let headoffice = start_head_office(&dir, &args, &config_path)?;
    prepare(&config_path, headoffice.as_ref())?;
    match &headoffice {
        Some(headoffice) => {
            println!("head office: {}/", headoffice.url());
            let payos = headoffice.payos.address(Provider::PayOs);
            println!("payOS:       {}/", payos.unwrap_or_default());
        }
        None => println!(
            "head office: not built (cargo build -p headoffice); selling works without, and a simulated relay pays the codes"
        ),
    }
    println!(
        "scanner:     echo 8930001833715 > {}/dev/scanner.in",
        dir.display()
    );
    println!("paper:       {}/paper", dir.display());
    println!("staff PIN:   2468 (press the shop's name long)");
    println!("faults:      lines on standard input; `help` lists them");
    let headoffice = headoffice.map(Arc::new);
    demo_lines::listen(&shop, headoffice.as_ref())?;
    // Head office and the ports of the devices end with the window.
    signals::on_end(|| {
        if !crate::view::counter::close() {
            std::process::exit(130);
        }
    })?;
    run_counter(RunArgs {
        config: ConfigArg {
            config: config_path,
        },
        window: Some(args.window),
    })
}

/// Head office, asked by the kiosk about its codes as in a shop; `None` when its program is not there.
fn start_head_office(
    dir: &Path,
    args: &DemoArgs,
    config_path: &Path,
) -> Result<Option<HeadOffice>> {
    let config = crate::config::load(config_path)?;
    let bank = config.file.bank.context("the example has a bank")?;
    let how = PayOs {
        pay_after_ms: Some(i64::try_from(args.bank_ms)?),
        pushes: true,
    };
    let headoffice = HeadOffice::start(dir, &args.headoffice, &bank, how)?;
    if headoffice.is_some() {
        ask_head_office(config_path)?;
    }
    Ok(headoffice)
}

/// Turns a configuration of the simulated relay into one that asks head office.
pub(super) fn ask_head_office(config_path: &Path) -> Result<()> {
    let text = std::fs::read_to_string(config_path)?;
    let lines = text
        .lines()
        .filter(|line| !line.starts_with("relay_url = "));
    let text: String = lines.map(|line| format!("{line}\n")).collect();
    let text = replaced(&text, "mode = \"simulated\"", "mode = \"relay\"")?;
    std::fs::write(config_path, text)?;
    Ok(())
}

/// Sets how long the kiosk waits before it asks whether somebody is there.
fn be_quiet_for(config: &Path, seconds: u32) -> Result<()> {
    let text = std::fs::read_to_string(config)?;
    let wanted = format!("idle_warn_after_s = {seconds}");
    std::fs::write(config, replaced(&text, "idle_warn_after_s = 60", &wanted)?)?;
    Ok(())
}

/// Fills the catalogue and enrols, where that was not done before.
fn prepare(config_path: &Path, headoffice: Option<&HeadOffice>) -> Result<()> {
    let config = crate::config::load(config_path)?;
    let opened = open_store(&config, |_| {})?;
    if opened.boot.items == 0 {
        let items = import::quietly(&opened.store, &config, CATALOGUE)?;
        println!("catalogue:   {items} items");
    }
    if let (Some(headoffice), None) = (headoffice, &opened.boot.device_id) {
        let code = headoffice.code(&config.file.shop.name)?;
        let url = headoffice.url();
        crate::sync::enrol(&opened.store, &key_file(&config), &url, &code, "K1")?;
    }
    drop(opened.store);
    let _ = opened.thread.join();
    Ok(())
}
