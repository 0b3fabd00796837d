//! Logging for journald: one line an event, its level as a `<n>` prefix.
//!
//! No shopper data is logged: no barcodes with prices per person, no card
//! digits, no payer names. Log fields are ids, states and durations.

use std::fmt;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

/// Syslog priority prefix as understood by systemd (sd-daemon(3)).
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

struct Journald;

impl<S, N> FormatEvent<S, N> for Journald
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let meta = event.metadata();
        write!(
            writer,
            "<{}>{}: ",
            priority(*meta.level()),
            meta.target().trim_start_matches("kiosk::")
        )?;
        context.format_fields(writer.by_ref(), event)?;
        writeln!(writer)
    }
}

/// Starts logging to standard error. Under systemd (`JOURNAL_STREAM` set) the
/// lines carry priorities; at a terminal they carry the time instead.
/// `KIOSK_LOG` takes a tracing filter, `info` unless set.
pub fn start() {
    let filter = EnvFilter::try_from_env("KIOSK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false);
    if std::env::var_os("JOURNAL_STREAM").is_some() {
        let _ = builder.event_format(Journald).try_init();
    } else {
        let _ = builder.compact().with_target(true).try_init();
    }
}
