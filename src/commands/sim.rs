//! `kiosk sim …`: simulated devices, each the same product the tests use,
//! on a pseudo-terminal or socket of its own.

use super::terminal::Speaks;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use hardware::printer::sim as printer;
use hardware::scanner::ScannerSim;
use hardware::terminal::sim as terminal;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

/// Arguments of `kiosk sim`.
#[derive(Clone, Debug, Args)]
pub struct SimArgs {
    #[command(subcommand)]
    device: Device,
}

#[derive(Clone, Debug, Subcommand)]
enum Device {
    /// A barcode scanner. Lines on standard input, or written into LINK.in,
    /// are read as barcodes; docs/reference/simulators.md lists its faults.
    Scanner {
        /// Where its port appears; set it as scanner.port.
        #[arg(long, value_name = "LINK")]
        pty: PathBuf,
    },
    /// A receipt printer that renders its paper to PNG and text.
    Printer {
        /// Where its port appears; set it as printer.port.
        #[arg(long, value_name = "LINK")]
        pty: PathBuf,
        /// Where the paper goes.
        #[arg(long, value_name = "DIR")]
        paper: PathBuf,
        /// Which printer: epson-t88, xprinter-clone, tx-only, mm58.
        #[arg(long, default_value = "xprinter-clone")]
        profile: String,
        /// Speed its switches are set to; a host at another speed then sees rubbish. Without
        /// this it takes any speed.
        #[arg(long, value_name = "N")]
        baud: Option<u32>,
    },
    /// A card terminal that keeps its own ledger.
    Terminal(TerminalArgs),
    /// A bank behind a payment relay, or payOS, SePay and Pix themselves.
    Bank(Box<super::sim_bank::BankArgs>),
}

#[derive(Clone, Debug, Args)]
struct TerminalArgs {
    /// What it speaks: Caisse-AP over TCP, Concert over a serial port, ZVT over both.
    #[arg(long, value_enum, default_value_t = Speaks::Zvt)]
    protocol: Speaks,
    /// Port on the loopback address (0 picks one); set it as terminal.tcp.
    #[arg(long, value_name = "PORT", conflicts_with = "pty")]
    tcp: Option<u16>,
    /// Or where its serial port appears; set it as terminal.port.
    #[arg(long, value_name = "LINK")]
    pty: Option<PathBuf>,
    /// File of the ledger; in memory when absent.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// How long the bank takes.
    #[arg(long, default_value_t = 2000)]
    delay_ms: u64,
    /// Decline everything with this code instead of approving.
    #[arg(long, value_name = "CODE")]
    decline: Option<u8>,
}

pub(super) fn run(args: SimArgs) -> Result<()> {
    match args.device {
        Device::Scanner { pty } => {
            println!(
                "scanner: {} (write barcodes into {}.in)",
                pty.display(),
                pty.display()
            );
            ScannerSim::run(&pty, BufReader::new(std::io::stdin()))?;
            Ok(())
        }
        Device::Printer {
            pty,
            paper,
            profile,
            baud,
        } => run_printer(&pty, &paper, &profile, baud),
        Device::Terminal(args) => run_terminal(&args),
        Device::Bank(args) => super::sim_bank::run(*args),
    }
}

fn run_printer(pty: &Path, paper: &Path, profile: &str, baud: Option<u32>) -> Result<()> {
    let mut config = printer::SimConfig::new(super::print::here(profile)?);
    config.minds_baud = baud.is_some();
    config.baud = baud.unwrap_or(config.baud);
    let running = printer::PrinterSim::run_config_on_pty(pty, Some(paper), config)
        .with_context(|| format!("--pty {}: cannot be made", pty.display()))?;
    println!("printer: {} (paper in {})", pty.display(), paper.display());
    println!("control: lines on standard input: {PRINTER_LINES}");
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match printer_control(line.trim()) {
            Some(control) => running.control(control),
            None if line.trim().is_empty() => {}
            None => println!("not understood; write one of: {PRINTER_LINES}"),
        }
    }
    park()
}

pub(super) const PRINTER_LINES: &str =
    "cover open, cover close, paper out, paper MM, off, on, free cutter";

pub(super) fn printer_control(line: &str) -> Option<printer::SimControl> {
    use printer::SimControl as Control;
    Some(match line {
        "cover open" => Control::OpenCover,
        "cover close" => Control::CloseCover,
        "paper out" => Control::RemovePaper,
        "off" => Control::PowerOff,
        "on" => Control::PowerOn,
        "free cutter" => Control::FreeCutter,
        other => Control::LoadPaper {
            mm: other.strip_prefix("paper ")?.trim().parse().ok()?,
        },
    })
}

/// A simulator serves until it is killed, also without a standard input.
fn park() -> ! {
    loop {
        std::thread::park();
    }
}

fn run_terminal(args: &TerminalArgs) -> Result<()> {
    let sim = start_terminal(args)?;
    println!("terminal: {:?}", sim.connection());
    println!(
        "control: 127.0.0.1:{} (lines: {TERMINAL_LINES})",
        sim.control_port()
    );
    park()
}

const TERMINAL_LINES: &str = "a scenario as JSON, usual JSON, ledger, unplug, plug, power, sale N";

fn start_terminal(args: &TerminalArgs) -> Result<terminal::TerminalSim> {
    let place = match (args.tcp, &args.pty) {
        (Some(port), None) => terminal::SimPlace::Tcp(port),
        (None, Some(path)) => terminal::SimPlace::Pty(path.clone()),
        _ => bail!("give --tcp PORT or --pty LINK"),
    };
    let serial = matches!(place, terminal::SimPlace::Pty(_));
    match (args.protocol, serial) {
        (Speaks::CaisseAp, true) => bail!("Caisse-AP runs over TCP; give --tcp PORT"),
        (Speaks::Concert, false) => bail!("Concert runs over a serial line; give --pty LINK"),
        _ => {}
    }
    let ledger = match &args.ledger {
        Some(path) => terminal::Ledger::open(path)
            .with_context(|| format!("--ledger {}: cannot be used", path.display()))?,
        None => terminal::Ledger::in_memory(),
    };
    let started = match args.protocol {
        Speaks::Zvt => {
            let config = terminal::ZvtModelConfig {
                serial,
                ..terminal::ZvtModelConfig::default()
            };
            terminal::TerminalSim::start(terminal::ZvtModel::new(config, ledger), &place)
        }
        Speaks::CaisseAp => {
            terminal::TerminalSim::start(terminal::CaisseApModel::new(ledger), &place)
        }
        Speaks::Concert => {
            terminal::TerminalSim::start(terminal::ConcertModel::new(ledger), &place)
        }
    };
    let sim = started.with_context(|| format!("{place:?}: cannot be used"))?;
    sim.set_usual(terminal::Scenario {
        delay_ms: args.delay_ms,
        ..terminal::Scenario::ending(match args.decline {
            Some(code) => terminal::SimOutcome::Decline(code),
            None => terminal::SimOutcome::Approve,
        })
    });
    Ok(sim)
}
