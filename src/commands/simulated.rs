//! A shop of simulated devices in one directory: what the demo, the
//! measurements and the end-to-end tests sell in.

use crate::bank::sim as bank;
use anyhow::{Context, Result, bail};
use hardware::printer::Profile;
use hardware::printer::sim::{Faults, PrinterSim, PtyPrinter};
use hardware::scanner::{ScannerSim, ScannerSimHandle};
use hardware::terminal::sim::ZvtModelConfig;
use hardware::terminal::{Connection, TerminalSim};
use std::path::{Path, PathBuf};

/// The devices, running, and the configuration that points at them. Dropping
/// it unplugs them all.
pub struct SimulatedShop {
    /// The barcode scanner.
    pub scanner: ScannerSimHandle,
    /// The receipt printer; its sheets are in `paper`.
    pub printer: PtyPrinter,
    /// The card terminal with its own ledger.
    pub terminal: TerminalSim,
    /// The bank behind the payment relay.
    pub bank: bank::Running,
    /// The configuration file, `kiosk.toml`.
    pub config_path: PathBuf,
}

impl SimulatedShop {
    /// Starts every device in `dir`, which is made where it is missing, and
    /// writes the configuration.
    ///
    /// # Errors
    /// When the directory, a pseudo-terminal or a loopback port cannot be had.
    pub fn open(dir: &Path, behaviour: bank::Behaviour) -> Result<Self> {
        for part in ["dev", "data", "paper"] {
            std::fs::create_dir_all(dir.join(part))
                .with_context(|| format!("{}: cannot be made", dir.join(part).display()))?;
        }
        let scanner = ScannerSim::spawn(&dir.join("dev/scanner"))?;
        let printer = PrinterSim::run_on_pty(
            &dir.join("dev/printer"),
            &dir.join("paper"),
            Profile::named("xprinter-clone")?,
            Faults::default(),
        )?;
        let terminal = TerminalSim::zvt_tcp(ZvtModelConfig::default())?;
        let bank = bank::start(([127, 0, 0, 1], 0).into(), behaviour)?;
        let config_path = write_configuration(dir, &terminal, &bank)?;
        Ok(Self {
            scanner,
            printer,
            terminal,
            bank,
            config_path,
        })
    }
}

/// Writes the example configuration, pointed at the devices in `dir`, and the
/// demo's promotions beside it; the path of the configuration.
///
/// # Errors
/// When a file cannot be written or the example does not name a device.
pub fn write_configuration(
    dir: &Path,
    terminal: &TerminalSim,
    bank: &bank::Running,
) -> Result<PathBuf> {
    let Connection::Tcp { host, port } = terminal.connection() else {
        bail!("the simulated terminal is not on TCP");
    };
    let at = |name: &str| dir.join(name).display().to_string();
    let mut text = crate::config::EXAMPLE.to_owned();
    for (from, to) in [
        ("/var/lib/kiosk", at("data")),
        ("/dev/serial/by-id/usb-scanner", at("dev/scanner")),
        ("/dev/serial/by-id/usb-printer", at("dev/printer")),
        ("192.168.1.50:20007", format!("{host}:{port}")),
        (
            "mode = \"relay\"",
            format!(
                "mode = \"simulated\"\nrelay_url = \"http://{}\"",
                bank.address
            ),
        ),
    ] {
        text = replaced(&text, from, &to)?;
    }
    std::fs::write(
        dir.join("promotions.toml"),
        crate::catalogue::DEMO_PROMOTIONS,
    )?;
    let path = dir.join("kiosk.toml");
    std::fs::write(&path, text)?;
    Ok(path)
}

/// `text` with its first `from` replaced by `to`.
///
/// # Errors
/// When `from` is not there: a device that keeps its example address would be
/// looked for on the machine.
pub fn replaced(text: &str, from: &str, to: &str) -> Result<String> {
    if !text.contains(from) {
        bail!("the example configuration does not name {from}");
    }
    Ok(text.replacen(from, to, 1))
}
