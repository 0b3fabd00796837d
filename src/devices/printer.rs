//! The receipt printer: a sale becomes a document, a document a job, and only
//! the printer's own word makes it "printed".

use super::{Report, device};
use crate::app::AppEvent;
use crate::clock::wall_ms;
use crate::config::{Configuration, Printer};
use crate::store::{PrintJob, PrintKind, PrintState, SpooledJob, Store, StoreError};
use checkout::till::{
    ClaimSlip, DeviceKind, DeviceState, Event, PrintJobId, PrintOutcome, PrinterFault, PrinterSaid,
    Sale,
};
use hardware::printer::document::Document;
use hardware::printer::driver::{
    Evidence, JobId, PrinterConfig, PrinterDriver, PrinterEvent, PrinterHandle, PrinterState,
    ProofGrade, Refusal, Spool,
};
use hardware::printer::encode;
use hardware::printer::profile::Profile;

/// The printer lane.
pub struct PrinterLane {
    printer: PrinterHandle,
    profile: Profile,
    config: Configuration,
    store: Store,
    report: Report,
    /// The number of the next paper of the staff.
    next_paper: u64,
}

/// Why there is no printer lane.
#[derive(Debug, thiserror::Error)]
pub enum PrinterLaneError {
    /// The profile was not read with the configuration.
    #[error("printer.profile: no profile; correct it in the configuration and start again")]
    NoProfile,
    /// The spool cannot be read.
    #[error(transparent)]
    Spool(#[from] StoreError),
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
        store: Store,
        report: Report,
    ) -> Result<Self, PrinterLaneError> {
        let profile = config
            .printer_profile
            .clone()
            .ok_or(PrinterLaneError::NoProfile)?;
        let next_paper = store.call(|engine| engine.next_staff_paper())?;
        let settings = PrinterConfig {
            baud: Some(printer.baud),
            unfinished_job,
            ..PrinterConfig::new(&printer.port, profile.clone())
        };
        let (listener, spool) = (report.clone(), store.clone());
        let printer = PrinterDriver::spawn(settings, move |event| {
            record_end(&spool, &event);
            hear(&listener, event);
        })?;
        Ok(Self {
            printer,
            profile,
            config: config.clone(),
            store,
            report,
            next_paper,
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
        let receipt_number = Some(sale.receipt_number);
        self.print_of_till(
            PrintKind::Receipt,
            job,
            receipt_number,
            copy_number,
            &document,
        );
    }

    /// Prints the claim slip of a card payment in doubt.
    pub fn print_slip(&mut self, job: PrintJobId, slip: &ClaimSlip, copy_number: u32) {
        let document = crate::receipt::slip::document(&self.config, slip);
        let document = if copy_number > 0 {
            document.marked_as_copy(copy_number)
        } else {
            document
        };
        self.print_of_till(PrintKind::Slip, job, None, copy_number, &document);
    }

    /// Prints a paper that the till numbered.
    fn print_of_till(
        &mut self,
        kind: PrintKind,
        job: PrintJobId,
        receipt_number: Option<u64>,
        copy_number: u32,
        document: &Document,
    ) {
        match encode::encode(document, &self.profile) {
            Ok(encoded) => {
                let bytes = encoded.into_bytes();
                self.send(
                    PrintJob {
                        kind,
                        job_no: job.0,
                        receipt_number,
                        copy_number,
                        total_bytes: bytes.len(),
                        digest: touchpoint::chain::sha256(&bytes),
                        accepted_ms: wall_ms(),
                    },
                    bytes,
                );
            }
            Err(error) => {
                tracing::error!(%error, ?kind, "paper cannot be encoded");
                let said = PrinterSaid::Failed(PrinterFault::Broken);
                self.report
                    .post_soon(AppEvent::Till(Event::Printer { job, said }));
            }
        }
    }

    /// Prints a paper of the staff; what becomes of it comes as [`AppEvent::Paper`] under the number that is returned.
    pub fn print_paper(&mut self, paper: &StaffPaper) -> u64 {
        let job_no = self.next_paper;
        self.next_paper += 1;
        let bytes = match paper {
            StaffPaper::SelfTest => {
                encode::self_test(&self.profile, encode::SelfTest::Page).into_bytes()
            }
            StaffPaper::Document { document, .. } => {
                match encode::encode(document, &self.profile) {
                    Ok(encoded) => encoded.into_bytes(),
                    Err(error) => {
                        tracing::error!(%error, "paper cannot be encoded");
                        let said = PrinterSaid::Failed(PrinterFault::Broken);
                        self.report.post_soon(AppEvent::Paper { job_no, said });
                        return job_no;
                    }
                }
            }
        };
        let copy_number = match paper {
            StaffPaper::Document { copy_number, .. } => *copy_number,
            StaffPaper::SelfTest => 0,
        };
        self.send(
            PrintJob {
                kind: PrintKind::Staff,
                job_no,
                receipt_number: None,
                copy_number,
                total_bytes: bytes.len(),
                digest: touchpoint::chain::sha256(&bytes),
                accepted_ms: wall_ms(),
            },
            bytes,
        );
        job_no
    }

    fn send(&self, row: PrintJob, bytes: Vec<u8>) {
        let id = job_id(row.kind, row.job_no);
        let accepted = row.clone();
        self.store.run(
            move |engine| engine.print_accepted(&accepted),
            // The start makes the row again, and without that nothing is sent.
            |written| log_failure("accepted", written),
        );
        let store = self.store.clone();
        self.printer.print(id, bytes, StoreSpool { store, row });
    }

    /// Opens the drawer on the printer's kick line.
    pub fn open_drawer(&mut self) {
        self.printer.open_drawer();
    }
}

/// A paper of the staff.
#[derive(Clone, Debug)]
pub enum StaffPaper {
    /// A finished document, such as a report.
    Document {
        /// What it says, its copy mark included.
        document: Document,
        /// 0 for the original.
        copy_number: u32,
    },
    /// The page by which a person sees what the printer can do.
    SelfTest,
}

/// The spool of one job, in the kiosk's database.
struct StoreSpool {
    store: Store,
    row: PrintJob,
}

impl Spool for StoreSpool {
    fn started(&mut self, _job: JobId, cuts_before: Option<u32>) -> std::io::Result<()> {
        let row = self.row.clone();
        let now_ms = wall_ms();
        self.store
            .call(move |engine| engine.print_started(&row, cuts_before, now_ms))
            .map_err(std::io::Error::other)
    }

    fn confirmed(&mut self, _job: JobId, bytes: usize) {
        let (kind, job_no) = (self.row.kind, self.row.job_no);
        self.store.run(
            move |engine| engine.print_confirmed(kind, job_no, bytes as u64),
            |written| log_failure("confirmed", written),
        );
    }
}

fn log_failure(step: &str, written: Result<(), StoreError>) {
    if let Err(error) = written {
        tracing::warn!(%error, step, "the spool's row was not written");
    }
}

/// Kinds share the driver's name space: the kind is the upper half.
fn job_id(kind: PrintKind, job_no: u64) -> JobId {
    let upper: u128 = match kind {
        PrintKind::Receipt => 0,
        PrintKind::Staff => 1,
        PrintKind::Slip => 2,
    };
    JobId(upper << 64 | u128::from(job_no))
}

fn job_of(id: JobId) -> Option<(PrintKind, u64)> {
    let kind = match id.0 >> 64 {
        0 => PrintKind::Receipt,
        1 => PrintKind::Staff,
        2 => PrintKind::Slip,
        _ => return None,
    };
    let [.., a, b, c, d, e, f, g, h] = id.0.to_be_bytes();
    Some((kind, u64::from_be_bytes([a, b, c, d, e, f, g, h])))
}

/// Writes a job's end into the spool; the till hears it at the same time, and its own row follows.
fn record_end(store: &Store, event: &PrinterEvent) {
    let (id, state, evidence) = match event {
        PrinterEvent::JobDone { job, evidence } => {
            (*job, PrintState::Done, evidence_word(*evidence).to_owned())
        }
        PrinterEvent::JobFailed {
            job,
            nothing_sent,
            reason,
        } => {
            let state = if *nothing_sent {
                PrintState::Failed
            } else {
                PrintState::Unknown
            };
            (*job, state, reason.to_string())
        }
        PrinterEvent::JobUnknown { job, doubt, .. } => {
            (*job, PrintState::Unknown, doubt.to_string())
        }
        _ => return,
    };
    let Some((kind, job_no)) = job_of(id) else {
        return;
    };
    let now_ms = wall_ms();
    store.run(
        move |engine| engine.print_ended(kind, job_no, state, &evidence, now_ms),
        |written| log_failure("ended", written),
    );
}

/// What the spool calls a job that was sent in full to a printer that by its model confirms nothing.
const SENT: &str = "sent";
/// What the spool calls a job that was sent in full to a printer that should have proven it and did not.
const UNVERIFIED: &str = "unverified";

/// How the spool names what proves a print.
fn evidence_word(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::Printed(ProofGrade::Fence) => "fence",
        Evidence::Printed(ProofGrade::FenceAndCounter) => "fence, cut counter",
        Evidence::Printed(ProofGrade::ProcessId) => "process id",
        Evidence::Printed(ProofGrade::ProcessIdAndCounter) => "process id, cut counter",
        Evidence::Sent { status_clean: true } => "sent, no fault reported",
        Evidence::Sent { .. } => SENT,
        Evidence::Unverified { status_clean: true } => "unverified, no fault reported",
        Evidence::Unverified { .. } => UNVERIFIED,
    }
}

/// What the spool's row says to the till after a restart; `None` is doubt.
pub fn outcome_of(row: Option<&SpooledJob>) -> Option<PrintOutcome> {
    let unsent = PrintOutcome::Failed(PrinterFault::Offline);
    // Without a row it was never handed over.
    let Some(row) = row else {
        return Some(unsent);
    };
    match row.state {
        PrintState::Accepted | PrintState::Failed => Some(unsent),
        PrintState::Done => {
            let evidence = row.evidence.as_deref().unwrap_or(UNVERIFIED);
            match evidence {
                word if word.starts_with(UNVERIFIED) => None,
                word if word.starts_with(SENT) => Some(PrintOutcome::Sent),
                _ => Some(PrintOutcome::Printed),
            }
        }
        PrintState::Started | PrintState::Unknown => None,
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
                Evidence::Sent { .. } => PrinterSaid::Sent,
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
    match job_of(job) {
        Some((PrintKind::Receipt | PrintKind::Slip, number)) => {
            let job = PrintJobId(number);
            report.post(AppEvent::Till(Event::Printer { job, said }));
        }
        Some((PrintKind::Staff, job_no)) => {
            report.post(AppEvent::Paper { job_no, said });
        }
        None => {}
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
