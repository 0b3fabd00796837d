//! `kiosk doctor printer`: names what is wrong with wiring, speed, handshake or code page.

use super::print::PrinterArgs;
use crate::format::Language;
use crate::view::text::pick;
use anyhow::Result;
use clap::{Args, Subcommand};
use hardware::printer::doctor::{Finding, examine};
use std::process::ExitCode;

/// Arguments of `kiosk doctor`.
#[derive(Clone, Debug, Args)]
pub struct DoctorArgs {
    #[command(subcommand)]
    device: Device,
}

#[derive(Clone, Debug, Subcommand)]
enum Device {
    /// The receipt printer. Stop the kiosk first: one program at a time can use the port.
    Printer(PrinterArgs),
}

/// Ends with 0 when nothing is wrong, else with 1.
pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let Device::Printer(args) = &args.device;
    let language = args.language()?;
    let (lines, healthy) = printer(args, language)?;
    for line in lines {
        println!("{line}");
    }
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// What is to be said about the printer, and whether it may stay as it is.
///
/// # Errors
/// An unknown profile, or neither port nor configuration.
pub fn printer(args: &PrinterArgs, language: Language) -> Result<(Vec<String>, bool)> {
    let config = args.printer()?;
    let report = examine(&config);
    let mut lines = Vec::new();
    if let Some(baud) = report.baud {
        let answers = pick(language, "Máy in trả lời ở", "The printer answers at");
        let model = report.model.map(|model| format!(" ({model})"));
        lines.push(format!(
            "{answers} {baud} bit/s{}.",
            model.unwrap_or_default()
        ));
    }
    lines.extend(report.findings.iter().map(|finding| match language {
        Language::Vietnamese => finding.vi(),
        Language::English => finding.en(),
    }));
    let harmless =
        |finding: &Finding| matches!(finding, Finding::Healthy | Finding::CodePage { .. });
    Ok((lines, report.findings.iter().all(harmless)))
}
