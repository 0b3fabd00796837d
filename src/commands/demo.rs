//! `kiosk demo`: head office, simulated devices and the counter, in one
//! directory, on embedded defaults.

use super::run::{RunArgs, run as run_counter};
use super::{ConfigArg, import};
use crate::assemble::{key_file, open_store};
use crate::bank::sim as bank;
use anyhow::{Context, Result, bail};
use clap::Args;
use hardware::printer::Profile;
use hardware::printer::sim::{Faults, PrinterSim};
use hardware::scanner::ScannerSim;
use hardware::terminal as card;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

pub(super) const CATALOGUE: &[u8] = include_bytes!("../../demo/catalogue.csv");
const PROMOTIONS: &str = include_str!("../../demo/promotions.toml");

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
    for part in ["dev", "data", "paper"] {
        std::fs::create_dir_all(dir.join(part))?;
    }
    let _scanner = ScannerSim::spawn(&dir.join("dev/scanner"))?;
    let _printer = PrinterSim::run_on_pty(
        &dir.join("dev/printer"),
        &dir.join("paper"),
        Profile::named("xprinter-clone")?,
        Faults::default(),
    )?;
    let terminal = card::TerminalSim::zvt_tcp(card::sim::ZvtModelConfig::default())?;
    terminal.set_usual(card::sim::Scenario {
        delay_ms: args.card_ms,
        ..card::sim::Scenario::default()
    });
    let behaviour = bank::Behaviour {
        pay_after_ms: Some(args.bank_ms),
        ..bank::Behaviour::default()
    };
    let bank = bank::start(([127, 0, 0, 1], 0).into(), behaviour)?;
    let config_path = write_config(&dir, &terminal, &bank)?;
    let headoffice = HeadOffice::start(&dir, &args.headoffice)?;
    prepare(&config_path, headoffice.as_ref())?;
    if let Some(headoffice) = &headoffice {
        println!("head office: http://{}/", headoffice.address);
    }
    println!(
        "scanner:     echo 8930001833715 > {}/dev/scanner.in",
        dir.display()
    );
    println!("paper:       {}/paper", dir.display());
    println!("staff PIN:   2468 (press the shop's name long)");
    run_counter(RunArgs {
        config: ConfigArg {
            config: config_path,
        },
        window: Some(args.window),
    })
}

/// The example configuration, pointed at the simulated devices.
fn write_config(dir: &Path, terminal: &card::TerminalSim, bank: &bank::Running) -> Result<PathBuf> {
    let card::Connection::Tcp { host, port } = terminal.connection() else {
        bail!("the simulated terminal is not on TCP");
    };
    let at = |name: &str| dir.join(name).display().to_string();
    let mut text = crate::config::EXAMPLE.to_owned();
    for (from, to) in [
        ("/var/lib/kiosk", at("data")),
        ("/dev/serial/by-id/usb-scanner", at("dev/scanner")),
        ("/dev/serial/by-id/usb-printer", at("dev/printer")),
        ("192.168.1.50:20007", format!("{host}:{port}")),
        ("http://127.0.0.1:8085", format!("http://{}", bank.address)),
    ] {
        text = text.replacen(from, &to, 1);
    }
    std::fs::write(dir.join("promotions.toml"), PROMOTIONS)?;
    std::fs::write(dir.join("catalogue.csv"), CATALOGUE)?;
    let path = dir.join("kiosk.toml");
    std::fs::write(&path, text)?;
    Ok(path)
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
        let url = format!("http://{}", headoffice.address);
        crate::sync::enrol(&opened.store, &key_file(&config), &url, &code, "K1")?;
    }
    drop(opened.store);
    let _ = opened.thread.join();
    Ok(())
}

/// Head office as a child process; it ends with the demo.
struct HeadOffice {
    child: Child,
    program: PathBuf,
    data: PathBuf,
    address: String,
}

impl HeadOffice {
    /// `None` when there is no head office program beside this one.
    fn start(dir: &Path, listen: &str) -> Result<Option<Self>> {
        let program = std::env::current_exe()?.with_file_name("headoffice");
        if !program.exists() {
            println!("head office: not built (cargo build -p headoffice); selling works without");
            return Ok(None);
        }
        let data = dir.join("headoffice");
        std::fs::create_dir_all(&data)?;
        let mut child = Command::new(&program)
            .args(["serve", "--listen", listen, "--data"])
            .arg(&data)
            .stdout(Stdio::piped())
            .spawn()
            .context("head office cannot be started")?;
        let stdout = child.stdout.take().context("head office says nothing")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .split("http://")
            .nth(1)
            .map(|rest| rest.trim().trim_end_matches('/').to_owned())
            .with_context(|| format!("head office did not start; is {listen} free?"))?;
        Ok(Some(Self {
            child,
            program,
            data,
            address,
        }))
    }

    fn code(&self, store: &str) -> Result<String> {
        let output = Command::new(&self.program)
            .args(["code", "--store", store, "--data"])
            .arg(&self.data)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let code = text.lines().next().unwrap_or_default().trim().to_owned();
        if code.is_empty() {
            bail!("head office made no code");
        }
        Ok(code)
    }
}

impl Drop for HeadOffice {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
