//! The devices of this kiosk: effects go out to their threads, what they say
//! comes back as till events.
//!
//! One lane a device. A lane knows the driver's words and the till's words and
//! nothing else; drivers and the till never meet.

mod card;
mod printer;
mod qr;
mod qr_code;
mod scanner;

pub use card::{CardLane, SeenTransaction};
pub use printer::{PrinterLane, StaffPaper, outcome_of};
pub use qr::QrLane;
pub use qr_code::{CodeFault, pinned_payee};
pub use scanner::spawn as spawn_scanner;

use crate::app::AppEvent;
use crate::mailbox::Mailbox;
use checkout::till::{
    AttemptId, BankSaid, DeviceKind, DeviceState, Effect, Event, NotStartedReason, PrintJobId,
    PrinterFault, PrinterSaid, Recovery, TerminalSaid,
};

/// Where lanes report.
pub type Report = Mailbox<AppEvent>;

/// The lanes that take effects. A lane that is not configured answers for
/// itself: nothing is ever left without an answer.
pub struct Devices {
    /// Card terminal.
    pub card: Option<CardLane>,
    /// QR payment.
    pub qr: Option<QrLane>,
    /// Receipt printer, with the drawer on its kick line.
    pub printer: Option<PrinterLane>,
    /// Keeps the scanner's threads alive.
    pub scanner: Option<hardware::scanner::ScannerHandle>,
    report: Report,
}

impl Devices {
    /// No devices yet; lanes are put in by whoever starts them.
    pub fn none(report: Report) -> Self {
        Self {
            card: None,
            qr: None,
            printer: None,
            scanner: None,
            report,
        }
    }

    /// Sends one effect out. Never waits.
    pub fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::PrepareTerminal { .. }
            | Effect::AskTerminal { .. }
            | Effect::ConfirmTerminal { .. }
            | Effect::AbortTerminal { .. }
            | Effect::OrderTerminal { .. }
            | Effect::RecoverTerminal { .. } => match &mut self.card {
                Some(card) => card.carry_out(effect),
                None => self.no_terminal(&effect),
            },
            Effect::AskBank { .. }
            | Effect::WatchBank { .. }
            | Effect::CheckBank { .. }
            | Effect::CancelBank { .. }
            | Effect::StopWatching { .. }
            | Effect::AckCredit { .. } => match &mut self.qr {
                Some(qr) => qr.carry_out(effect),
                None => self.no_bank(&effect),
            },
            Effect::Print {
                job,
                receipt,
                copy_number,
                ..
            } => match &mut self.printer {
                Some(printer) => printer.print(job, &receipt, copy_number),
                None => self.no_printer(job),
            },
            Effect::PrintSlip {
                job,
                slip,
                copy_number,
                ..
            } => match &mut self.printer {
                Some(printer) => printer.print_slip(job, &slip, copy_number),
                None => self.no_printer(job),
            },
            // The app prints it as a paper of the staff.
            Effect::PrintVoucher { .. } => {}
            Effect::OpenDrawer { .. } => {
                if let Some(printer) = &mut self.printer {
                    printer.open_drawer();
                }
            }
            Effect::HelpLamp(on) => tracing::info!(on, "somebody waits for staff"),
            // The program's own.
            Effect::Store { .. }
            | Effect::LookUp { .. }
            | Effect::TerminalDayEnded { .. }
            | Effect::WakeAt { .. } => {}
        }
    }

    fn no_printer(&self, job: PrintJobId) {
        let said = PrinterSaid::Failed(PrinterFault::Offline);
        self.report
            .post_soon(AppEvent::Till(Event::Printer { job, said }));
    }

    fn no_terminal(&self, effect: &Effect) {
        match effect {
            Effect::PrepareTerminal { attempt, .. }
            | Effect::OrderTerminal { attempt, .. }
            | Effect::AskTerminal { attempt, .. } => {
                let said = TerminalSaid::NotStarted(NotStartedReason::Unreachable);
                terminal_said(&self.report, *attempt, said);
            }
            Effect::ConfirmTerminal { attempt, .. } => {
                terminal_said(&self.report, *attempt, TerminalSaid::Lost);
            }
            Effect::RecoverTerminal { attempt, .. } => {
                let said = TerminalSaid::Recovered(Recovery::Unreachable);
                terminal_said(&self.report, *attempt, said);
            }
            _ => {}
        }
    }

    fn no_bank(&self, effect: &Effect) {
        match effect {
            Effect::AskBank { attempt, .. } => bank_said(
                &self.report,
                *attempt,
                BankSaid::NotOffered(NotStartedReason::Unreachable),
            ),
            Effect::CancelBank { attempt } => {
                bank_said(&self.report, *attempt, BankSaid::CancelUnknown);
            }
            Effect::CheckBank { attempt } => {
                bank_said(&self.report, *attempt, BankSaid::Unreachable);
            }
            _ => {}
        }
    }
}

/// Reports from the UI thread; device threads use [`Mailbox::post`].
fn terminal_said(report: &Report, attempt: AttemptId, said: TerminalSaid) {
    report.post_soon(AppEvent::Till(Event::Terminal { attempt, said }));
}

fn bank_said(report: &Report, attempt: AttemptId, said: BankSaid) {
    report.post_soon(AppEvent::Till(Event::Bank { attempt, said }));
}

/// Reports a device that came or went, from its own thread.
fn device(report: &Report, which: DeviceKind, state: DeviceState) {
    report.post(AppEvent::Till(Event::Device { which, state }));
}
