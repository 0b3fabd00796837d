//! The business day on the panel of staff, and what became of the last thing asked for.

use super::Presenter;
use super::text::pick;
use crate::app::{Model, Paper, Said};
use crate::format::{Language, money};
use crate::receipt::terminal_day;
use crate::store::{ClosedDay, DayFigures, StoreError};
use checkout::till::{PrintOutcome, PrinterFault, Sale};
use checkout::{Currency, LocalDate, Money};
use kiosk_ui::{StaffAdapter, Tone};
use slint::ComponentHandle;

impl Presenter {
    pub(super) fn show_day(&self, model: &Model<'_>) {
        let staff = self.ui.global::<StaffAdapter>();
        let (language, day) = (model.language, model.day);
        let visit = model.state.visit.as_ref();
        let on_screen = visit.and_then(|visit| visit.sale.as_deref());
        let sale = on_screen.or(day.last_sale.as_deref());
        staff.set_can_reprint(sale.is_some());
        let detail = sale.map(|sale| receipt_line(model, sale));
        staff.set_reprint_detail(detail.unwrap_or_default().into());
        // The drawer hangs on the printer's kick line.
        staff.set_can_open_drawer(model.config.file.printer.is_some());
        staff.set_can_close_day(day.figures.is_some());
        let line = day.figures.as_ref().map(|day| day_line(day, language));
        staff.set_day_line(line.unwrap_or_default().into());
        staff.set_asks_to_close(day.asks_to_close);
        let report = day.figures.as_ref();
        let report = report.and_then(|day| day.last_report.as_ref());
        let told = report
            .map(|report| terminal_day::words(report.terminal, &report.terminal_closes, language));
        let told = told.unwrap_or_default();
        staff.set_last_terminal_proven(told.iter().all(|said| said.proven));
        let name = pick(language, "Máy thẻ", "Terminal");
        let told = told
            .into_iter()
            .map(|said| format!("{name}: {}", said.text));
        let told: Vec<String> = told.collect();
        staff.set_last_terminal(told.join("\n").into());
        let report = report.map(|report| report_line(model, report));
        staff.set_last_report(report.unwrap_or_default().into());
        let ended = model.view.order_ended.as_ref();
        let ended = || ended.map(|ended| super::card_orders::ended(model, ended));
        let said = day
            .said
            .as_ref()
            .map(|said| words(model, said))
            .or_else(ended);
        let (message, tone) = said.unwrap_or_default();
        staff.set_message(message.into());
        staff.set_message_tone(tone);
    }
}

/// `#142 · 146.500 ₫ · 09:41`.
fn receipt_line(model: &Model<'_>, sale: &Sale) -> String {
    format!(
        "#{} · {} · {}",
        sale.receipt_number,
        money(sale.paid(), model.language),
        model.clock.local(sale.completed_wall_ms, "%d/%m %H:%M")
    )
}

/// `142 lượt bán · 18.240.500 ₫`.
fn day_line(figures: &DayFigures, language: Language) -> String {
    let count = match (language, figures.sales) {
        (Language::English, 1) => "1 sale".to_owned(),
        (_, sales) => format!("{sales} {}", pick(language, "lượt bán", "sales")),
    };
    let totals = figures.totals.iter().filter_map(|(code, minor)| {
        let currency = Currency::from_code(code).ok()?;
        Some(money(Money::new(*minor, currency), language))
    });
    let parts: Vec<String> = std::iter::once(count).chain(totals).collect();
    parts.join(" · ")
}

/// `Z 17 · 21/11/2026 · 22:05`.
fn report_line(model: &Model<'_>, report: &ClosedDay) -> String {
    let day = report.business_date.parse::<LocalDate>();
    let day = day.map_or_else(
        |_| report.business_date.clone(),
        |day| format!("{:02}/{:02}/{}", day.day, day.month, day.year),
    );
    let made = model.clock.local(report.closed_ms, "%H:%M");
    format!("Z {} · {day} · {made}", report.number)
}

/// What became of the last thing asked for, and how grave it is.
fn words(model: &Model<'_>, said: &Said) -> (String, Tone) {
    let language = model.language;
    let say = |vi: &str, en: &str| pick(language, vi, en).to_owned();
    match said {
        Said::Paper(paper, outcome) => {
            let (end, tone) = outcome_words(language, *outcome);
            (format!("{}: {end}", paper_name(language, *paper)), tone)
        }
        Said::Copy(number) => {
            let known = model.state.unprinted.iter();
            let entry = known.rev().find(|entry| entry.receipt_number == *number);
            let outcome = entry.map_or(PrintOutcome::Printed, |entry| entry.outcome);
            let (end, tone) = outcome_words(language, outcome);
            let name = say("Bản sao hóa đơn", "Copy of receipt");
            (format!("{name} {number}: {end}"), tone)
        }
        Said::VisitOpen => (
            say(
                "Chưa chốt được: còn khách đang mua. Xong lượt này rồi chốt.",
                "Not closed: a shopper is being served. Close when they are done.",
            ),
            Tone::Wait,
        ),
        Said::Drawer => (
            say("Đã gửi lệnh mở két.", "The drawer was told to open."),
            Tone::Quiet,
        ),
        Said::NotDone(error) => (not_done(language, error), Tone::Alarm),
    }
}

fn not_done(language: Language, error: &StoreError) -> String {
    if error.retry_helps() {
        return pick(
            language,
            "Chưa làm được, máy đang bận. Bấm lại sau vài giây.",
            "Not done, the kiosk is busy. Touch again in a few seconds.",
        )
        .to_owned();
    }
    pick(
        language,
        "Chưa làm được: sổ bán hàng báo lỗi. Không có gì bị chốt. Gọi người phụ trách.",
        "Not done: the sales journal reports a fault. Nothing was closed. Call whoever looks after the kiosk.",
    )
    .to_owned()
}

fn paper_name(language: Language, paper: Paper) -> String {
    match paper {
        Paper::X => pick(language, "Báo cáo X", "X report").to_owned(),
        Paper::Z {
            number,
            copy_number: 0,
        } => {
            let closed = pick(language, "Đã chốt ngày. Báo cáo Z", "Day closed. Z report");
            format!("{closed} {number}")
        }
        Paper::Z {
            number,
            copy_number,
        } => {
            let name = pick(language, "Báo cáo Z", "Z report");
            let copy = pick(language, "bản sao", "copy");
            format!("{name} {number}, {copy} {copy_number}")
        }
        Paper::ShopCopy { receipt_number } => {
            let name = pick(language, "Bản lưu hóa đơn", "Shop copy of receipt");
            format!("{name} {receipt_number}")
        }
        Paper::Voucher => pick(language, "Phiếu mua hàng", "Voucher").to_owned(),
        Paper::SelfTest => pick(language, "Trang thử máy in", "Printer's test page").to_owned(),
    }
}

/// Printed is said only with the printer's own word.
fn outcome_words(language: Language, outcome: PrintOutcome) -> (&'static str, Tone) {
    let (vi, en, tone) = match outcome {
        PrintOutcome::Queued | PrintOutcome::Printing => ("đang in", "printing", Tone::Quiet),
        PrintOutcome::Printed => ("đã in", "printed", Tone::Good),
        PrintOutcome::Sent => (
            "đã gửi đến máy in. Máy in loại này không xác nhận được.",
            "sent to the printer. This model cannot confirm it.",
            Tone::Quiet,
        ),
        PrintOutcome::Unknown => (
            "không rõ đã in chưa. Xem giấy ở máy in.",
            "nobody can tell whether it printed. Look at the printer.",
            Tone::Wait,
        ),
        PrintOutcome::Failed(PrinterFault::NoPaper) => (
            "chưa in, máy in hết giấy. Thay giấy rồi in lại.",
            "not printed, the paper is used up. Put in a roll and print again.",
            Tone::Alarm,
        ),
        PrintOutcome::Failed(PrinterFault::CoverOpen) => (
            "chưa in, nắp máy in mở. Đóng nắp rồi in lại.",
            "not printed, the printer's cover is open. Close it and print again.",
            Tone::Alarm,
        ),
        PrintOutcome::Failed(PrinterFault::Offline) => (
            "chưa in, không thấy máy in. Xem dây và nguồn rồi in lại.",
            "not printed, no printer is there. See cable and power, then print again.",
            Tone::Alarm,
        ),
        PrintOutcome::Failed(PrinterFault::Broken) => (
            "chưa in, máy in báo lỗi. Tắt bật máy in rồi in lại.",
            "not printed, the printer reports a fault. Switch it off and on, then print again.",
            Tone::Alarm,
        ),
    };
    (pick(language, vi, en), tone)
}
