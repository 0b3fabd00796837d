//! The scanner: what it reads goes to the till as it is.

use super::{Report, device};
use crate::app::AppEvent;
use crate::config::Scanner;
use checkout::till::{DeviceKind, DeviceState, Event, Scan};
use hardware::scanner::{
    ScannerConfig, ScannerDriver, ScannerError, ScannerEvent, ScannerHandle, SerialSettings,
};

/// Starts the scanner of the configuration; `None` when there is none.
///
/// # Errors
/// [`ScannerError`] when its settings cannot work.
pub fn spawn(config: &Scanner, report: Report) -> Result<Option<ScannerHandle>, ScannerError> {
    let settings = match (&config.port, &config.input) {
        (Some(port), _) => match ScannerConfig::serial(port) {
            ScannerConfig::Serial(settings) => ScannerConfig::Serial(SerialSettings {
                baud: config.baud,
                ..settings
            }),
            other => other,
        },
        (None, Some(input)) => ScannerConfig::evdev(input),
        (None, None) => return Ok(None),
    };
    ScannerDriver::spawn(settings, move |event| match event {
        ScannerEvent::Scan { symbology, data } => {
            let text = match symbology {
                Some(aim) => format!("{aim}{data}"),
                None => data,
            };
            report.post(AppEvent::Till(Event::Scanned(Scan::new(text))));
        }
        ScannerEvent::Refused { why } => {
            tracing::info!(%why, "scan refused by the driver");
            // An empty text is answered by the till as a code that cannot be read.
            report.post(AppEvent::Till(Event::Scanned(Scan::new(String::new()))));
        }
        ScannerEvent::Up => device(&report, DeviceKind::Scanner, DeviceState::Up),
        ScannerEvent::Down { why } => {
            tracing::warn!(%why, "scanner");
            device(&report, DeviceKind::Scanner, DeviceState::Down);
        }
    })
    .map(Some)
}
