//! A payment code from its fields to modules that may be shown.

use super::report::Row;
use super::samples::Samples;
use crate::qr_symbol::{Symbol, draw_unchecked};
use anyhow::{Context, Result};
use payqr::VietQr;
use std::hint::black_box;
use std::time::{Duration, Instant};

/// What the whole may take, before the glass.
const LIMIT: Duration = Duration::from_millis(25);

/// The row about payment codes.
///
/// # Errors
/// When a code cannot be made or read back, which is a fault of this program.
pub(super) fn row(samples: usize) -> Result<Row> {
    let (mut whole, mut drawn) = (Samples::default(), Samples::default());
    let mut modules = 0;
    for number in 0..samples.max(1) {
        let start = Instant::now();
        let text = VietQr::account("970436", "1234567890123456789")
            .with_amount(499_000_000 + number as u64)
            .with_memo(format!("HS{number:07}"))
            .encode()?;
        let symbol = Symbol::checked(text.as_bytes())?;
        whole.push(start.elapsed());
        modules = modules.max(symbol.modules());
        let start = Instant::now();
        black_box(draw_unchecked(text.as_bytes()).context("no code")?);
        drawn.push(start.elapsed());
    }
    Ok(Row {
        what: "payment code encoded, drawn and read back",
        measured: whole.p50_p99(),
        hold: "p99 ≤ 25 ms",
        rival: format!("drawn and not read back: {}", drawn.p50_p99()),
        met: Some(whole.percentile(99) <= LIMIT),
        how: format!(
            "VietQR with a 19-digit account, nine-digit amount and order code, another one each time, at level M: \
             {modules} modules at most. Encoding of the payload, modules, and reading of the picture by a decoder that \
             shares nothing with the encoder (rqrr)."
        ),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_measured_codes_are_those_of_a_kiosk() {
        // Proves: the row can be made, and what it measures is at most 37 modules wide.
        let row = row(3).unwrap();
        assert!(row.measured.contains("n = 3"), "{row:?}");
        let words: Vec<&str> = row.how.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "modules").unwrap();
        let modules: usize = words[at - 1].parse().unwrap();
        assert!((21..=37).contains(&modules), "{row:?}");
    }
}
