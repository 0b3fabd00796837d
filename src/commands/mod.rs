//! The kiosk's commands.

/// Says a line on standard output to whoever still reads. For commands with an effect: a payment
/// or a print does not stop, and does not panic, because the reader of its words has gone.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($words)*);
    }};
}

/// The same on standard error.
macro_rules! note {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr(), $($words)*);
    }};
}

#[cfg(feature = "desktop")]
mod bench;
mod check;
mod demo;
mod demo_lines;
pub mod doctor;
mod enroll;
mod import;
mod office;
pub mod print;
pub mod qr;
pub mod receipt;
pub mod run;
mod signals;
mod sim;
mod sim_bank;
pub mod simulated;
mod terminal;
mod zvt;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Điểm Chạm, the checkout kiosk.
#[derive(Debug, Parser)]
#[command(name = "kiosk", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// Which kiosk.
#[derive(Clone, Debug, Args)]
pub struct ConfigArg {
    /// Configuration file.
    #[arg(long, value_name = "FILE", default_value = "/etc/kiosk/kiosk.toml")]
    pub config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Open the counter.
    Run(run::RunArgs),
    /// Run the whole main job on simulated devices, in a directory of its own.
    Demo(demo::DemoArgs),
    /// Check the configuration and the data directory, and say what is wrong.
    Check(ConfigArg),
    /// Make this kiosk known to head office with a one-time code.
    Enroll(enroll::EnrollArgs),
    /// Bring data in.
    Import(import::ImportArgs),
    /// Payment QR codes from fields and back, as JSON.
    Qr(qr::QrArgs),
    /// Receipts as bytes and as pictures of the paper.
    Receipt(receipt::ReceiptArgs),
    /// Print a file of bytes, a test page or the logo, and say how well it is proven.
    Print(print::PrintArgs),
    /// Examine a device and say in plain words what is wrong.
    Doctor(doctor::DoctorArgs),
    /// Simulated devices that speak to the same drivers as real ones.
    Sim(sim::SimArgs),
    /// Orders at a card terminal without the counter, with a journal of their own.
    Terminal(terminal::TerminalArgs),
    /// Messages of card terminals as JSON and as bytes.
    Zvt(zvt::ZvtArgs),
    /// Copy the database, consistently, while the kiosk is stopped.
    Backup(check::BackupArgs),
    /// Measure this program on this machine, under a display server of its own.
    #[cfg(feature = "desktop")]
    Bench(bench::BenchArgs),
    /// Print an example configuration.
    ExampleConfig,
    /// Print a built-in printer profile, to make one for another printer from.
    ExampleProfile {
        /// epson-t88, xprinter-clone, mm58 or tx-only.
        #[arg(default_value = "xprinter-clone")]
        name: String,
    },
    /// Read a PIN from standard input and print its line for the configuration.
    StaffPin,
}

impl Command {
    /// Whether the words are all there is: when nobody reads them any more, as behind `| head`,
    /// the command may end at any place. All others have something to carry through.
    fn only_says_something(&self) -> bool {
        match self {
            Self::Check(_)
            | Self::Qr(_)
            | Self::Receipt(_)
            | Self::Doctor(_)
            | Self::Zvt(_)
            | Self::ExampleConfig
            | Self::ExampleProfile { .. }
            | Self::StaffPin => true,
            Self::Run(_)
            | Self::Demo(_)
            | Self::Enroll(_)
            | Self::Import(_)
            | Self::Print(_)
            | Self::Sim(_)
            | Self::Terminal(_)
            | Self::Backup(_) => false,
            #[cfg(feature = "desktop")]
            Self::Bench(_) => false,
        }
    }
}

/// Puts the demo's catalogue into a store, for tests.
///
/// # Errors
/// As the import.
#[doc(hidden)]
pub fn import_for_tests(
    store: &crate::store::Store,
    config: &crate::config::Configuration,
) -> Result<u64> {
    import::quietly(store, config, demo::CATALOGUE)
}

impl Cli {
    /// Runs the command. Most end with 0 or an error; `print` and `doctor` have codes of their own.
    ///
    /// # Errors
    /// Whatever stops it, in words for a person.
    pub fn run(self) -> Result<ExitCode> {
        if self.command.only_says_something() {
            signals::end_with_the_reader()?;
        }
        match self.command {
            Command::Run(args) => run::run(args)?,
            Command::Demo(args) => demo::run(args)?,
            Command::Check(args) => check::run(&args)?,
            Command::Enroll(args) => enroll::run(&args)?,
            Command::Import(args) => import::run(args)?,
            Command::Qr(args) => return qr::run(&args),
            Command::Receipt(args) => receipt::run(&args)?,
            Command::Print(args) => return print::run(&args),
            Command::Doctor(args) => return doctor::run(&args),
            Command::Sim(args) => sim::run(args)?,
            Command::Terminal(args) => return terminal::run(&args),
            Command::Zvt(args) => zvt::run(&args)?,
            Command::Backup(args) => check::backup(&args)?,
            #[cfg(feature = "desktop")]
            Command::Bench(args) => bench::run(&args)?,
            Command::ExampleProfile { name } => {
                let text = hardware::printer::Profile::text(&name)
                    .with_context(|| format!("no printer profile named {name}; there are epson-t88, xprinter-clone, mm58, tx-only"))?;
                print!("{text}");
            }
            Command::ExampleConfig => print!("{}", crate::config::EXAMPLE),
            Command::StaffPin => {
                let mut pin = String::new();
                std::io::stdin().read_line(&mut pin)?;
                println!("{}", crate::staff::hash_pin(pin.trim())?);
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn every_command_line_is_well_formed_and_bad_ones_are_refused() {
        // Proves: no two options contradict each other by mistake, and `print` wants exactly
        // one thing to print.
        Cli::command().debug_assert();
        let reads = |words: &[&str]| Cli::try_parse_from(words).is_ok();
        let port = ["kiosk", "print", "--port", "/dev/x"];
        let with = |more: &[&'static str]| [&port[..], more].concat();
        assert!(reads(&with(&["bytes.bin"])));
        assert!(reads(&with(&["--self-test"])));
        assert!(reads(&with(&["--store-logo", "logo.png"])));
        assert!(!reads(&port));
        assert!(!reads(&with(&["--self-test", "bytes.bin"])));
        assert!(reads(&with(&["--self-test", "--all-pages"])));
        assert!(!reads(&with(&["--all-pages", "bytes.bin"])));
        assert!(reads(&["kiosk", "doctor", "printer", "--port", "/dev/x"]));
    }
}
