//! After the money: receipt, exit tap, reasons, thanks, parked baskets.

use super::{Presenter, rows, text};
use crate::app::Model;
use crate::format::money;
use checkout::Money;
use checkout::till::{DeviceKind, DeviceState, PaidView, PrintOutcome, PrinterFault};
use kiosk_ui::{PaidAdapter, ParkedAdapter, PrintPhase, Reason, ReasonsAdapter, ThanksAdapter};
use slint::{ComponentHandle, SharedString};

impl Presenter {
    pub(super) fn show_paid(
        &self,
        model: &Model<'_>,
        view: &PaidView,
        chosen: Option<u8>,
        asks: bool,
    ) {
        let paid = self.ui.global::<PaidAdapter>();
        paid.set_amount(money(view.sale.paid(), model.language).into());
        paid.set_change(change(model, view));
        let over = view.over.map(|over| money(over, model.language));
        paid.set_over(over.unwrap_or_default().into());
        let printer = model.view.devices.get(&DeviceKind::Printer);
        let is_down = printer == Some(&DeviceState::Down);
        paid.set_print_phase(print_phase(view.print, is_down));
        paid.set_has_e_receipt(true);
        paid.set_e_receipt_open(model.panels.e_receipt_open);
        if model.panels.e_receipt_open {
            let receipt = crate::receipt::phone::text(model.config, &view.sale);
            paid.set_e_receipt_code(super::qr_image::image(&receipt));
        }
        paid.set_asks(asks);
        paid.set_face(i32::from(chosen.unwrap_or(0)));
    }

    pub(super) fn show_reasons(&self, model: &Model<'_>, face: u8, keys: &[String]) {
        let adapter = self.ui.global::<ReasonsAdapter>();
        adapter.set_face(i32::from(face));
        adapter.set_offers_help(face <= 2);
        let happy = face >= 4;
        let reasons = keys.iter().map(|key| Reason {
            id: key.as_str().into(),
            name: text::reason(model.language, key, happy).into(),
            chosen: model.panels.reasons.contains(key),
        });
        rows::sync(&self.rows.reasons, reasons.collect());
    }

    pub(super) fn show_thanks(&self, model: &Model<'_>, view: &PaidView) {
        let thanks = self.ui.global::<ThanksAdapter>();
        let on_paper = matches!(
            view.print,
            Some(PrintOutcome::Printed | PrintOutcome::Printing | PrintOutcome::Sent)
        );
        thanks.set_take_receipt(on_paper);
        thanks.set_take_change(change(model, view));
        let said = &model.config.file.attract.we_did;
        let said = said.get(model.language.code());
        thanks.set_you_said(said.map(String::as_str).unwrap_or_default().into());
    }

    pub(super) fn show_parked(&self, model: &Model<'_>, code: &str, until_wall_ms: i64) {
        let parked = self.ui.global::<ParkedAdapter>();
        parked.set_code(code.into());
        let until = if crate::clock::is_plausible(model.now.wall_ms) {
            model.clock.hours_minutes(until_wall_ms)
        } else {
            String::new()
        };
        parked.set_kept_until(until.into());
        parked.set_slip_printed(false);
    }
}

fn change(model: &Model<'_>, view: &PaidView) -> SharedString {
    if view.sale.change_minor == 0 {
        return SharedString::default();
    }
    let change = Money::new(view.sale.change_minor, view.sale.currency);
    money(change, model.language).into()
}

/// What is said of a receipt. Of a printer that is known not to work nothing
/// is promised: what waits for it did not print so far.
fn print_phase(print: Option<PrintOutcome>, is_down: bool) -> PrintPhase {
    match print {
        None => PrintPhase::None,
        Some(PrintOutcome::Queued) if is_down => PrintPhase::Failed,
        Some(PrintOutcome::Queued | PrintOutcome::Printing) => PrintPhase::Printing,
        Some(PrintOutcome::Printed) => PrintPhase::Printed,
        Some(PrintOutcome::Sent) => PrintPhase::Sent,
        Some(PrintOutcome::Unknown) => PrintPhase::Doubtful,
        Some(PrintOutcome::Failed(PrinterFault::NoPaper)) => PrintPhase::PaperOut,
        Some(PrintOutcome::Failed(_)) => PrintPhase::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_promised_of_a_printer_that_does_not_work() {
        // Proves that a receipt is said to be printing only while the printer works or has begun it.
        let queued = Some(PrintOutcome::Queued);
        assert_eq!(print_phase(queued, false), PrintPhase::Printing);
        assert_eq!(print_phase(queued, true), PrintPhase::Failed);
        let begun = Some(PrintOutcome::Printing);
        assert_eq!(print_phase(begun, true), PrintPhase::Printing);
        let no_paper = Some(PrintOutcome::Failed(PrinterFault::NoPaper));
        assert_eq!(print_phase(no_paper, true), PrintPhase::PaperOut);
        assert_eq!(print_phase(None, true), PrintPhase::None);
    }
}
