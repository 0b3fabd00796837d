//! The kiosk program. Everything is in the library; this reads the command.

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    // The monotonic clock starts with the process, not with its first use.
    kiosk::clock::mono_ms();
    kiosk::logging::start();
    kiosk::memory::keep_out_of_core_dumps();
    match kiosk::commands::Cli::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kiosk: {error:#}");
            ExitCode::FAILURE
        }
    }
}
