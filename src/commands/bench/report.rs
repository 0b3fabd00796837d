//! The table of what was measured, and the machine it was measured on.

use crate::clock::Clock;
use chrono_tz::Tz;
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::path::Path;
use std::process::Command;

/// One row of the table.
#[derive(Clone, Debug)]
pub(super) struct Row {
    /// What is measured.
    pub(super) what: &'static str,
    /// What came out.
    pub(super) measured: String,
    /// What it should be.
    pub(super) hold: &'static str,
    /// What another way of doing it came to, in the same run.
    pub(super) rival: String,
    /// Whether the number is held; `None` where there is none to hold.
    pub(super) met: Option<bool>,
    /// How it was measured, in one line.
    pub(super) how: String,
}

/// Cells cannot hold a bar or a line end.
fn cell(text: &str) -> String {
    text.replace('|', "/").replace('\n', " ")
}

/// The table.
pub(super) fn table(rows: &[Row]) -> String {
    let mut text =
        "| what | measured | to hold | rival, same run | met |\n|---|---|---|---|---|\n".to_owned();
    for row in rows {
        let met = match row.met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {met} |",
            cell(row.what),
            cell(&row.measured),
            cell(row.hold),
            cell(&row.rival)
        );
    }
    text
}

/// How each was measured.
pub(super) fn methods(rows: &[Row]) -> String {
    let mut text = String::new();
    for row in rows {
        let _ = writeln!(text, "- **{}**: {}", row.what, row.how);
    }
    text
}

fn first_value(path: &str, key: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(key));
    let value = line.and_then(|line| line.split_once(':'));
    value.map_or_else(
        || "unknown".to_owned(),
        |(_, value)| value.trim().to_owned(),
    )
}

/// Load of the machine over the last minute: what else ran meanwhile.
pub(super) fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace()
        .next()
        .unwrap_or("unknown")
        .to_owned()
}

/// Priority of this program and those it starts: 0 unless somebody set another (proc(5): field 19).
fn niceness() -> i64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let field = rest.split_whitespace().nth(16);
    field.and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// File system (and device) that holds `path`.
fn file_system(path: &Path) -> String {
    let text = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let mut best = ("", String::from("unknown"));
    for line in text.lines() {
        // proc(5): … mount point is the fifth field; after " - ": type, source.
        let Some((left, right)) = line.split_once(" - ") else {
            continue;
        };
        let Some(point) = left.split_whitespace().nth(4) else {
            continue;
        };
        if path.starts_with(point) && point.len() >= best.0.len() {
            let kind: Vec<&str> = right.split_whitespace().take(2).collect();
            best = (point, kind.join(" on "));
        }
    }
    best.1
}

fn said(program: &str, argument: &str) -> String {
    let output = Command::new(program).arg(argument).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.ok()
        .filter(|text| !text.is_empty())
        .unwrap_or_else(|| format!("no {program}"))
}

/// The machine, as a list.
pub(super) fn machine(data: &Path, zone: Tz, load_before: &str, browser: Option<&str>) -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kib: u64 = first_value("/proc/meminfo", "MemTotal")
        .trim_end_matches(" kB")
        .parse()
        .unwrap_or(0);
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let today = Clock::new(zone).local(crate::clock::wall_ms(), "%Y-%m-%d");
    let build = if cfg!(debug_assertions) {
        "debug build: its times say nothing about the product"
    } else {
        "release build"
    };
    format!(
        "- {today}, kiosk {} ({build}), {}, SQLite {}\n\
         - {}, {cores} cores, {:.1} GiB of memory, Linux {}\n\
         - data directory on {}\n\
         - screen: Xvfb, {}x{}, drawn by the processor\n\
         - rival: {}\n\
         - load average {load_before} before the run, {} after it, everything at nice {}{}\n",
        env!("CARGO_PKG_VERSION"),
        said("rustc", "--version"),
        rusqlite::version(),
        first_value("/proc/cpuinfo", "model name"),
        kib as f64 / 1024.0 / 1024.0,
        kernel.trim(),
        file_system(data),
        super::screen::WIDTH,
        super::screen::HEIGHT,
        browser.unwrap_or("no chromium on this machine"),
        load(),
        niceness(),
        if load_before.parse().unwrap_or(0.0) > cores as f64 / 2.0 {
            ": other programs were running, times are longer than on a kiosk's own machine"
        } else {
            ""
        },
    )
}

/// Says on a terminal what is being measured.
pub(super) struct Progress {
    on: bool,
}

impl Progress {
    /// Quiet where nobody watches.
    pub(super) fn new() -> Self {
        Self {
            on: std::io::stderr().is_terminal(),
        }
    }

    /// Replaces the line.
    pub(super) fn say(&self, what: &str) {
        if self.on {
            eprint!("\r\x1b[K{what}");
            let _ = std::io::stderr().flush();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.on {
            eprintln!();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_number_stands_out() {
        // Proves that a number that is not held is said to be so, and that no cell breaks the table.
        let row = Row {
            what: "start",
            measured: "1 | 2\n3".into(),
            hold: "≤ 1 s",
            rival: String::new(),
            met: Some(false),
            how: "once".into(),
        };
        let text = table(std::slice::from_ref(&row));
        assert!(text.contains("| start | 1 / 2 3 | ≤ 1 s |  | **no** |"));
        assert_eq!(methods(&[row]), "- **start**: once\n");
    }
}
