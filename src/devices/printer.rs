//! The receipt printer: a sale becomes a document, a document a job, and only
//! the printer's own word makes it "printed".

use super::{Report, device};
use crate::app::AppEvent;
use crate::config::{Configuration, Printer};
use checkout::till::{DeviceKind, DeviceState, Event, PrintJobId, PrinterFault, PrinterSaid, Sale};
use hardware::printer::document::Document;
use hardware::printer::driver::{
    Evidence, JobId, NoSpool, PrinterConfig, PrinterDriver, PrinterEvent, PrinterHandle,
    PrinterState, Refusal,
};
use hardware::printer::encode;
use hardware::printer::profile::{Profile, ProfileError};

/// The printer lane.
pub struct PrinterLane {
    printer: PrinterHandle,
    profile: Profile,
    config: Configuration,
    report: Report,
}

/// Why there is no printer lane.
#[derive(Debug, thiserror::Error)]
pub enum PrinterLaneError {
    /// No such profile.
    #[error("printer.profile: {0}")]
    Profile(#[from] ProfileError),
    /// The driver's thread could not be started.
    #[error("the printer's thread could not be started ({0}); free memory and start again")]
    Thread(#[from] std::io::Error),
}

impl PrinterLane {
    /// Starts the printer of the configuration. With `unfinished_job` a receipt
    /// was under way when the kiosk stopped: its torn paper is cut off first.
    ///
    /// # Errors
    /// [`PrinterLaneError`].
    pub fn spawn(
        printer: &Printer,
        config: &Configuration,
        unfinished_job: bool,
        report: Report,
    ) -> Result<Self, PrinterLaneError> {
        let profile = Profile::named(&printer.profile)?;
        let settings = PrinterConfig {
            baud: Some(printer.baud),
            unfinished_job,
            ..PrinterConfig::new(&printer.port, profile.clone())
        };
        let listener = report.clone();
        let printer = PrinterDriver::spawn(settings, move |event| hear(&listener, event))?;
        Ok(Self {
            printer,
            profile,
            config: config.clone(),
            report,
        })
    }

    /// Prints the receipt of a sale.
    pub fn print(&mut self, job: PrintJobId, sale: &Sale, copy_number: u32) {
        let document = crate::receipt::document(&self.config, sale);
        let document = if copy_number > 0 {
            document.marked_as_copy(copy_number)
        } else {
            document
        };
        self.print_document(job, &document);
    }

    fn print_document(&mut self, job: PrintJobId, document: &Document) {
        match encode::encode(document, &self.profile) {
            Ok(encoded) => {
                let id = JobId(u128::from(job.0));
                // The till's row about this job is on disk already: a spool of
                // its own would only say so again.
                self.printer.print(id, encoded.into_bytes(), NoSpool);
            }
            Err(error) => {
                tracing::error!(%error, "receipt cannot be encoded");
                let said = PrinterSaid::Failed(PrinterFault::Broken);
                self.report
                    .post_soon(AppEvent::Till(Event::Printer { job, said }));
            }
        }
    }

    /// Opens the drawer on the printer's kick line.
    pub fn open_drawer(&mut self) {
        self.printer.open_drawer();
    }
}

fn hear(report: &Report, event: PrinterEvent) {
    match event {
        PrinterEvent::State(state) => {
            tracing::info!(?state, "printer");
            device(report, DeviceKind::Printer, device_state(state));
        }
        PrinterEvent::JobStarted { job, .. } => say(report, job, PrinterSaid::Started),
        PrinterEvent::Progress { .. } => {}
        PrinterEvent::JobDone { job, evidence } => say(
            report,
            job,
            match evidence {
                Evidence::Printed(_) => PrinterSaid::Printed,
                Evidence::Unverified { .. } => PrinterSaid::Unknown,
            },
        ),
        PrinterEvent::JobFailed {
            job,
            nothing_sent,
            reason,
        } => {
            tracing::warn!(%reason, nothing_sent, "receipt not printed");
            // Once a byte left, something may be on paper: only a marked copy
            // may follow.
            let said = if nothing_sent {
                PrinterSaid::Failed(fault(&reason))
            } else {
                PrinterSaid::Unknown
            };
            say(report, job, said);
        }
        PrinterEvent::JobUnknown { job, doubt, .. } => {
            tracing::warn!(%doubt, "receipt in doubt");
            say(report, job, PrinterSaid::Unknown);
        }
        PrinterEvent::Finding(finding) => tracing::warn!(?finding, "printer"),
    }
}

fn say(report: &Report, job: JobId, said: PrinterSaid) {
    if let Ok(number) = u64::try_from(job.0) {
        let job = PrintJobId(number);
        report.post(AppEvent::Till(Event::Printer { job, said }));
    }
}

fn device_state(state: PrinterState) -> DeviceState {
    match state {
        PrinterState::Ready | PrinterState::Cooling => DeviceState::Up,
        PrinterState::PaperNearEnd => DeviceState::Warning,
        _ => DeviceState::Down,
    }
}

fn fault(reason: &Refusal) -> PrinterFault {
    match reason {
        Refusal::NotReady(PrinterState::PaperOut) | Refusal::PaperTooLow { .. } => {
            PrinterFault::NoPaper
        }
        Refusal::NotReady(PrinterState::CoverOpen) => PrinterFault::CoverOpen,
        Refusal::NotReady(PrinterState::Offline(_) | PrinterState::Connecting) => {
            PrinterFault::Offline
        }
        _ => PrinterFault::Broken,
    }
}
