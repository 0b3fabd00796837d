//! The business day: reports, papers of the staff, the drawer.
//!
//! Everything the store answers comes back as an event; nothing is printed before it is on disk.

use super::{App, AppEvent, UiEvent};
use crate::devices::StaffPaper;
use crate::format::Language;
use crate::receipt::report::{Summary, TerminalPart};
use crate::receipt::{self, Seller};
use crate::store::{Closing, DayFigures, Moment, StoreError};
use checkout::till::{
    DeviceKind, Event, Lang, OrderKind, PrintOutcome, PrinterFault, PrinterSaid, Sale, StaffEvent,
    Voucher,
};

/// A paper of the staff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    /// An X report.
    X,
    /// A Z report.
    Z {
        /// Its number.
        number: u64,
        /// 0 for the original.
        copy_number: u32,
    },
    /// The shop's copy of a receipt.
    ShopCopy {
        /// The receipt.
        receipt_number: u64,
    },
    /// The printer's test page.
    SelfTest,
    /// A voucher for a shopper.
    Voucher,
}

/// What staff read about the last thing they asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// How far a paper is.
    Paper(Paper, PrintOutcome),
    /// A copy of this receipt was asked of the till, whose own list says how far it is.
    Copy(u64),
    /// The day stays open while a shopper is served.
    VisitOpen,
    /// The drawer was told to open; it cannot say whether it did.
    Drawer,
    /// The store did not do it.
    NotDone(StoreError),
}

/// A report that is on disk, or only read, and may be printed.
#[derive(Debug)]
pub enum DayReport {
    /// To be printed; the copy number is 0 for the original.
    Made(Box<Summary>, u32),
    /// A visit is open, nothing was closed.
    VisitOpen,
    /// There is no report to print again.
    None,
}

/// What the staff's side knows of the day.
#[derive(Debug, Default)]
pub struct Day {
    /// The open day at a glance; `None` until the store answered.
    pub figures: Option<DayFigures>,
    /// The newest sale of the store.
    pub last_sale: Option<Box<Sale>>,
    /// "Close the day" was touched once.
    pub asks_to_close: bool,
    /// The last thing said.
    pub said: Option<Said>,
    /// The Z report waits for the card terminal's own end of day.
    pub waits_for_terminal: bool,
    /// The store makes a report; a second touch waits for it.
    making: bool,
    job_no: Option<u64>,
}

impl Day {
    /// Signed out: nothing stays on the screen for the next one.
    pub fn close(&mut self) {
        self.said = None;
        self.asks_to_close = false;
        self.job_no = None;
    }

    /// When the terminal's day was last closed for certain, unix milliseconds.
    pub fn terminal_closed_ms(&self) -> Option<i64> {
        self.figures.as_ref()?.terminal_closed_ms
    }

    /// The store's answer about the open day.
    pub fn take(&mut self, figures: Result<DayFigures, StoreError>) {
        match figures {
            Ok(figures) => {
                let sale = figures.last_sale.as_deref();
                self.last_sale = sale.and_then(|json| serde_json::from_str(json).ok());
                self.figures = Some(figures);
            }
            Err(error) => {
                tracing::error!(%error, "the day cannot be read");
                self.said = Some(Said::NotDone(error));
            }
        }
    }

    /// The printer's word about a paper; only the newest one is on the screen.
    pub fn paper_said(&mut self, job_no: u64, said: PrinterSaid) {
        if self.job_no != Some(job_no) {
            return;
        }
        if let Some(Said::Paper(_, outcome)) = &mut self.said {
            *outcome = match said {
                PrinterSaid::Started => PrintOutcome::Printing,
                PrinterSaid::Printed => PrintOutcome::Printed,
                PrinterSaid::Sent => PrintOutcome::Sent,
                PrinterSaid::Failed(fault) => PrintOutcome::Failed(fault),
                PrinterSaid::Unknown => PrintOutcome::Unknown,
            };
        }
    }
}

impl App {
    /// Asks the store for the open day.
    pub(super) fn ask_day(&self) {
        let mailbox = self.mailbox.clone();
        self.store.run(
            |engine| engine.day_figures(),
            move |figures| {
                mailbox.post(AppEvent::Day(figures));
            },
        );
    }

    /// A touch on what this module answers; false for any other.
    pub(super) fn day_touch(&mut self, event: &UiEvent) -> bool {
        if self.view.staff.is_none() {
            return false;
        }
        let asked = std::mem::take(&mut self.day.asks_to_close);
        match event {
            UiEvent::PrintX => self.make_report(|engine, at| {
                let summary = engine.x_report(at)?;
                Ok(DayReport::Made(Box::new(summary), 0))
            }),
            UiEvent::CloseDay if asked => self.close_day(),
            UiEvent::CloseDayAlone => self.close_day_alone(),
            UiEvent::DeskTask(id, _) if id == "order-day" => self.close_day_alone(),
            UiEvent::CloseDay => {
                self.day.said = None;
                self.day.asks_to_close = true;
            }
            UiEvent::KeepDayOpen => {}
            UiEvent::PrintZAgain => self.make_report(|engine, _| {
                Ok(match engine.copy_of_z_report()? {
                    Some((summary, copy)) => DayReport::Made(Box::new(summary), copy),
                    None => DayReport::None,
                })
            }),
            UiEvent::ShopCopy => self.print_shop_copy(),
            UiEvent::OpenDrawer => {
                self.day.said = Some(Said::Drawer);
                self.step(Event::Staff(StaffEvent::OpenDrawer));
            }
            UiEvent::TestDevice(id) if *id == format!("{:?}", DeviceKind::Printer) => {
                self.print_paper(Paper::SelfTest, &StaffPaper::SelfTest);
            }
            _ => return false,
        }
        true
    }

    /// The sale whose receipt is the last one: that of the visit, else the store's newest.
    fn last_sale(&self) -> Option<Box<Sale>> {
        let visit = self.till.state().visit.as_ref();
        let on_screen = visit.and_then(|visit| visit.sale.clone());
        on_screen.or_else(|| self.day.last_sale.clone())
    }

    /// Asks the till for a copy, and says how far it is.
    pub(super) fn print_copy_of(&mut self, sale: Box<Sale>) {
        self.day.said = Some(Said::Copy(sale.receipt_number));
        self.step(Event::Staff(StaffEvent::Reprint(sale)));
    }

    fn print_shop_copy(&mut self) {
        if let Some(sale) = self.last_sale() {
            let paper = Paper::ShopCopy {
                receipt_number: sale.receipt_number,
            };
            let document = receipt::staff_document(&self.config, &sale);
            let copy_number = 0;
            self.print_paper(
                paper,
                &StaffPaper::Document {
                    document,
                    copy_number,
                },
            );
        }
    }

    fn close_day(&mut self) {
        if self.till.state().visit.is_some() {
            self.day.said = Some(Said::VisitOpen);
            return;
        }
        if self.config.file.terminal.is_some() {
            self.day.said = None;
            self.step(Event::Staff(StaffEvent::CloseTerminalDay));
            let order = self.till.state().order.as_deref();
            if order.is_some_and(|order| order.kind == OrderKind::DayClose) {
                self.day.waits_for_terminal = true;
                return;
            }
        }
        self.make_z();
    }

    /// Staff do not wait for the terminal: the Z report says that it had not answered.
    fn close_day_alone(&mut self) {
        if std::mem::take(&mut self.day.waits_for_terminal) {
            self.make_z();
        }
    }

    /// How the terminal's day ended is on disk: the Z report that waited for it is made.
    pub(super) fn terminal_day_ended(&mut self) {
        if std::mem::take(&mut self.day.waits_for_terminal) {
            self.make_z();
        } else {
            self.ask_day();
        }
    }

    /// As the till knows it now: what is on its way to the disk counts.
    fn terminal_part(&self) -> TerminalPart {
        let order = self.till.state().order.as_deref();
        match order.is_some_and(|order| order.kind == OrderKind::DayClose) {
            true => TerminalPart::Waiting,
            false if self.config.file.terminal.is_some() => TerminalPart::Closes,
            false => TerminalPart::None,
        }
    }

    fn make_z(&mut self) {
        self.make_report(|engine, at| {
            Ok(match engine.close_day(at)? {
                Closing::Closed(summary) => DayReport::Made(summary, 0),
                Closing::VisitOpen => DayReport::VisitOpen,
            })
        });
    }

    /// Has the store make a report; one at a time, so that a double touch prints one paper.
    fn make_report(
        &mut self,
        make: impl FnOnce(&mut crate::store::Engine, &Moment) -> Result<DayReport, StoreError>
        + Send
        + 'static,
    ) {
        if std::mem::replace(&mut self.day.making, true) {
            return;
        }
        self.day.said = None;
        let now = self.clock.now();
        let starts_min = u16::from(self.config.file.shop.day_starts_at_hour) * 60;
        let at = Moment {
            wall_ms: now.wall_ms,
            utc_offset_min: now.utc_offset_min,
            business_date: now.business_date(starts_min),
            float_minor: self.config.file.shop.cash_float_minor,
            terminal: self.terminal_part(),
        };
        let mailbox = self.mailbox.clone();
        self.store.run(
            move |engine| make(engine, &at),
            move |made| {
                mailbox.post(AppEvent::Report(made));
            },
        );
    }

    /// A report is there: durable if it is a Z report. Now it may be printed.
    pub(super) fn report_made(&mut self, made: Result<DayReport, StoreError>) {
        self.day.making = false;
        match made {
            Ok(DayReport::Made(summary, copy_number)) => {
                self.print_report(&summary, copy_number);
                self.ask_day();
            }
            Ok(DayReport::VisitOpen) => self.day.said = Some(Said::VisitOpen),
            Ok(DayReport::None) => {}
            Err(error) => {
                tracing::error!(%error, "no report");
                self.day.said = Some(Said::NotDone(error));
            }
        }
    }

    fn print_report(&mut self, summary: &Summary, copy_number: u32) {
        use crate::receipt::report::Kind;
        let paper = match summary.kind {
            Kind::X => Paper::X,
            Kind::Z { number } => Paper::Z {
                number,
                copy_number,
            },
        };
        let document = summary.document(&Seller::of(&self.config), self.config.language);
        let document = match copy_number {
            0 => document,
            number => document.marked_as_copy(number),
        };
        self.print_paper(
            paper,
            &StaffPaper::Document {
                document,
                copy_number,
            },
        );
    }

    /// A voucher on paper; the till has its code on disk. Staff see how far it is and can print it
    /// again from their list.
    pub(super) fn print_voucher(&mut self, voucher: &Voucher, lang: &Lang) {
        let language = Language::from_code(&lang.0).unwrap_or(self.config.language);
        let (seller, currency) = (Seller::of(&self.config), self.config.currency);
        let amount = checkout::Money::new(voucher.amount_minor, currency);
        let until = self.clock.local(voucher.until_wall_ms, "%d/%m/%Y");
        let document = receipt::voucher::document(&seller, &voucher.code, amount, &until, language);
        let copy_number = 0;
        self.print_paper(
            Paper::Voucher,
            &StaffPaper::Document {
                document,
                copy_number,
            },
        );
    }

    fn print_paper(&mut self, paper: Paper, what: &StaffPaper) {
        let outcome = match &mut self.devices.printer {
            Some(printer) => {
                self.day.job_no = Some(printer.print_paper(what));
                PrintOutcome::Queued
            }
            None => PrintOutcome::Failed(PrinterFault::Offline),
        };
        self.day.said = Some(Said::Paper(paper, outcome));
    }
}
