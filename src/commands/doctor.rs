//! `kiosk doctor`: names what is wrong with the printer's wiring, speed, handshake or code page,
//! or with the card terminal's connection, speed, password or settings.

use super::print::PrinterArgs;
use super::terminal::{self, PlaceArgs};
use crate::format::Language;
use crate::view::text::pick;
use anyhow::{Context, Result};
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
    /// The card terminal; moves no money. Stop the kiosk first: a terminal talks to one till.
    Terminal {
        #[command(flatten)]
        place: PlaceArgs,
        /// Language of what is said: vi or en.
        #[arg(long, value_name = "LANGUAGE", default_value = "en")]
        lang: String,
    },
}

/// Ends with 0 when nothing is wrong, else with 1.
pub(super) fn run(args: &DoctorArgs) -> Result<ExitCode> {
    let (lines, healthy) = match &args.device {
        Device::Printer(args) => printer(args, args.language()?)?,
        Device::Terminal { place, lang } => {
            let language = Language::from_code(lang)
                .with_context(|| format!("--lang {lang}: write vi or en"))?;
            terminal::examine(place, language)?
        }
    };
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
