//! What staff order of the card terminal: the pad, the running order, how it ended.

use super::doubt::{Story, evidence};
use super::{Presenter, rows, text};
use crate::app::{Model, Typing};
use crate::format::money;
use checkout::Money;
use checkout::till::{
    CardTaken, DeclineReason, NotStartedReason, OrderEnd, OrderEnded, OrderKind, OrderRefusal,
    OrderStep, OrderView, TerminalPrompt,
};
use kiosk_ui::{StaffAdapter, StaffChoice, StaffTask, Tone};
use slint::{ComponentHandle, SharedString};

impl Presenter {
    /// The pad for giving money back.
    pub(super) fn show_give_back(&self, model: &Model<'_>) {
        let staff = self.ui.global::<StaffAdapter>();
        let terminal = model.config.file.terminal.is_some();
        staff.set_can_give_back(terminal && model.state.visit.is_none());
        let pad = &model.desk.give_back;
        let say = |minor| money(Money::new(minor, model.config.currency), model.language);
        let receipt = pad.found.as_ref().map(|found| {
            let time = model
                .clock
                .local(found.sale.completed_wall_ms, "%d/%m %H:%M");
            format!("#{} · {time}", found.sale.receipt_number)
        });
        staff.set_give_back_receipt(receipt.unwrap_or_default().into());
        let taken = pad.taken();
        let amount = |minor: fn(&CardTaken) -> i64| {
            SharedString::from(taken.map_or_else(|| "–".to_owned(), |taken| say(minor(taken))))
        };
        staff.set_give_back_paid(amount(|taken| taken.amount_minor));
        staff.set_give_back_before(amount(|taken| taken.given_back_minor));
        let several = pad.found.as_ref().is_some_and(|f| f.payments.len() > 1);
        let asks_receipt = pad.typing == Typing::Receipt;
        staff.set_give_back_several(several && !asks_receipt);
        staff.set_give_back_asks_receipt(asks_receipt);
        let (typed, can_confirm) = match pad.typing {
            Typing::Receipt if pad.receipt.is_empty() => ("–".to_owned(), false),
            Typing::Receipt => (pad.receipt.clone(), true),
            Typing::Amount if taken.is_none() => ("–".to_owned(), false),
            Typing::Amount => (say(pad.amount_minor()), pad.fits()),
        };
        staff.set_give_back_typed(typed.into());
        staff.set_give_back_can_confirm(can_confirm);
        staff.set_give_back_way(pad_words(model).into());
    }

    /// The order in doubt: what is known, and what staff can say.
    pub(super) fn show_order(&self, model: &Model<'_>) {
        let Some(order) = &model.view.order else {
            return;
        };
        let language = model.language;
        let staff = self.ui.global::<StaffAdapter>();
        staff.set_review_title(title(model, order).into());
        staff.set_review_why(
            text::pick(
                language,
                "Máy thẻ chưa trả lời rõ. Xem giao dịch cuối trên chính máy thẻ rồi chọn.",
                "The terminal has not said. Look at its own last transaction, then choose.",
            )
            .into(),
        );
        let known = model.state.order.as_deref();
        let story = known.map(|order| Story {
            amount_minor: order.amount_minor,
            started_wall_ms: order.started_wall_ms,
            baseline: order.baseline.as_deref(),
            approval: order.approval.as_ref(),
            history: &order.history,
        });
        let lines = story.map(|story| evidence(model, &story));
        let lines = lines.unwrap_or_default().into_iter();
        let lines = lines.map(|line| format!("{} {}", line.time, line.words).into());
        rows::sync(&self.rows.review_lines, lines.collect());
        rows::sync(&self.rows.choices, order_choices(model));
    }
}

fn order_choices(model: &Model<'_>) -> Vec<StaffChoice> {
    let pick = |vi: &str, en: &str| SharedString::from(text::pick(model.language, vi, en));
    let choice = |id: &str, name, consequence, grave| StaffChoice {
        id: id.into(),
        name,
        consequence,
        usual: false,
        grave,
    };
    vec![
        choice(
            "went-back",
            pick("Tiền đã về thẻ", "The money went back"),
            pick(
                "Được ghi là đã trả lại. Máy vẫn hỏi máy thẻ thêm một lần.",
                "It is recorded as given back. The terminal is asked once more all the same.",
            ),
            false,
        ),
        choice(
            "not-back",
            pick("Tiền chưa về thẻ", "The money did not go back"),
            pick(
                "Không ghi khoản nào. Có thể trả lại lần nữa.",
                "Nothing is recorded. It can be given back again.",
            ),
            true,
        ),
    ]
}

/// How `minor` of a payment goes back, in both languages.
pub(super) fn way_words(
    taken: &CardTaken,
    minor: i64,
    model: &Model<'_>,
) -> (&'static str, &'static str) {
    match taken.way_back(minor, model.state.irreversible) {
        OrderKind::Reversal => (
            "Máy thẻ hủy cả giao dịch. Không cần thẻ của khách.",
            "The terminal takes the whole payment back. The shopper's card is not needed.",
        ),
        _ => (
            "Máy thẻ hoàn tiền vào thẻ. Khách đưa thẻ vào máy.",
            "The terminal gives money to the card. The shopper presents it.",
        ),
    }
}

fn pad_words(model: &Model<'_>) -> &'static str {
    let pad = &model.desk.give_back;
    let (vi, en) = match (pad.typing, pad.taken()) {
        (Typing::Receipt, _) if pad.nothing => (
            "Không có hóa đơn thẻ nào với số này. Nhập số khác.",
            "No receipt paid by card has this number. Type another.",
        ),
        (Typing::Receipt, _) => (
            "Nhập số hóa đơn in trên giấy.",
            "Type the number on the receipt.",
        ),
        (Typing::Amount, None) if pad.nothing => {
            ("Chưa có lần nào trả bằng thẻ.", "No payment by card yet.")
        }
        (Typing::Amount, None) => ("Đang tìm…", "Looking…"),
        (Typing::Amount, Some(taken)) if taken.left_minor() <= 0 => (
            "Giao dịch này đã trả lại hết.",
            "All of this payment was given back.",
        ),
        (Typing::Amount, Some(_)) if !pad.fits() => (
            "Nhiều hơn số còn lại của giao dịch này.",
            "More than is left of this payment.",
        ),
        (Typing::Amount, Some(taken)) => way_words(taken, pad.amount_minor(), model),
    };
    text::pick(model.language, vi, en)
}

fn title(model: &Model<'_>, order: &OrderView) -> String {
    let language = model.language;
    let name = match order.kind {
        OrderKind::DayClose => {
            return text::pick(
                language,
                "Máy thẻ đang kết toán ngày",
                "The card terminal is closing its day",
            )
            .to_owned();
        }
        OrderKind::Reversal => text::pick(language, "Hủy giao dịch thẻ:", "Taking back by card:"),
        _ => text::pick(language, "Hoàn tiền vào thẻ:", "Money to the card:"),
    };
    format!("{name} {}", money(order.amount, language))
}

/// The running order as a task of the panel.
pub(super) fn task(model: &Model<'_>) -> Option<StaffTask> {
    let order = model.view.order.as_ref()?;
    let language = model.language;
    let pick = |vi: &str, en: &str| SharedString::from(text::pick(language, vi, en));
    let day_close = order.kind == OrderKind::DayClose;
    let step = match &order.step {
        OrderStep::Preparing => pick("Đang gọi máy thẻ…", "Waking the card terminal…"),
        OrderStep::Running(_) if day_close => pick("Đang hỏi ngân hàng…", "Asking the bank…"),
        OrderStep::Running(TerminalPrompt::PresentCard) => {
            pick("Đưa thẻ vào máy thẻ.", "Present the card at the terminal.")
        }
        OrderStep::Running(TerminalPrompt::EnterPin) => {
            pick("Làm theo máy thẻ.", "Follow the terminal.")
        }
        OrderStep::Running(TerminalPrompt::RemoveCard) => pick("Rút thẻ ra.", "Take the card out."),
        OrderStep::Running(_) => pick("Máy thẻ đang làm…", "The terminal is working…"),
        OrderStep::Cancelling => pick("Đang dừng…", "Stopping…"),
        OrderStep::Confirming => pick("Đang ghi sổ…", "Writing it down…"),
        OrderStep::Unknown { needs_staff: false } => pick(
            "Chưa rõ kết quả. Đang hỏi máy thẻ. Đừng trả lại lần nữa.",
            "Not known how it ended. Asking the terminal. Do not give back again.",
        ),
        OrderStep::Unknown { needs_staff: true } => pick(
            "Máy thẻ có giao dịch khác. Xem máy thẻ rồi quyết định.",
            "The terminal has another transaction. Look at it, then decide.",
        ),
    };
    let nothing = SharedString::default();
    let (id, first) = match &order.step {
        OrderStep::Unknown { .. } => ("order-doubt", pick("Xem và quyết định", "Look and decide")),
        _ if day_close && model.day.waits_for_terminal => (
            "order-day",
            pick(
                "Chốt ngày, không chờ máy thẻ",
                "Close the day without the terminal",
            ),
        ),
        OrderStep::Preparing | OrderStep::Running(_) if !day_close => {
            ("order", pick("Dừng lại", "Stop"))
        }
        _ => ("order", nothing.clone()),
    };
    let detail = match order.kind {
        OrderKind::DayClose => step,
        _ => format!("{} · {step}", order.attempt).into(),
    };
    Some(StaffTask {
        id: id.into(),
        title: title(model, order).into(),
        detail,
        first,
        second: nothing,
    })
}

/// How the last order ended, and how grave that is.
pub(super) fn ended(model: &Model<'_>, ended: &OrderEnded) -> (String, Tone) {
    let language = model.language;
    let say = |vi: &str, en: &str| text::pick(language, vi, en).to_owned();
    let amount = money(ended.amount, language);
    let nothing_moved = say("Chưa trả lại đồng nào.", "Nothing was given back.");
    match (&ended.end, ended.kind) {
        (OrderEnd::NotTaken(refusal), _) => (refused(model, *refusal), Tone::Wait),
        (OrderEnd::Unanswered, _) => (
            say(
                "Máy thẻ không trả lời. Không rõ ngày của máy thẻ đã kết toán chưa.",
                "The terminal did not answer. Nobody knows whether it closed its day.",
            ),
            Tone::Alarm,
        ),
        (OrderEnd::Done { .. }, OrderKind::DayClose) => (
            say("Máy thẻ đã kết toán ngày.", "The terminal closed its day."),
            Tone::Good,
        ),
        (_, OrderKind::DayClose) => (
            say(
                "Máy thẻ chưa kết toán ngày.",
                "The terminal did not close its day.",
            ),
            Tone::Alarm,
        ),
        (OrderEnd::Done { already: true }, _) => (
            format!(
                "{} {amount}",
                say(
                    "Máy thẻ đã hủy giao dịch này từ trước. Đã ghi trả lại",
                    "The terminal had taken this payment back before. Recorded:"
                )
            ),
            Tone::Good,
        ),
        (OrderEnd::Done { already: false }, _) => (
            format!(
                "{} {amount}",
                say("Đã trả lại vào thẻ", "Given back to the card:")
            ),
            Tone::Good,
        ),
        (OrderEnd::Declined(DeclineReason::ReversalImpossible), _) => (
            say(
                "Máy thẻ không hủy được giao dịch này nữa. Mở lại để hoàn tiền vào thẻ.",
                "The terminal cannot take this payment back any more. Open it again to refund the card.",
            ),
            Tone::Alarm,
        ),
        (OrderEnd::Declined(DeclineReason::Aborted), _) => (
            format!("{} {nothing_moved}", say("Đã dừng.", "Stopped.")),
            Tone::Wait,
        ),
        (OrderEnd::Declined(_), _) => (
            format!(
                "{} {nothing_moved}",
                say("Máy thẻ từ chối.", "The terminal refused.")
            ),
            Tone::Alarm,
        ),
        (OrderEnd::NotDone, _) => (
            format!(
                "{} {nothing_moved}",
                say("Đã hỏi máy thẻ.", "The terminal was asked.")
            ),
            Tone::Wait,
        ),
        (OrderEnd::NotStarted(reason), _) => (
            format!("{} {nothing_moved}", not_started(model, *reason)),
            Tone::Wait,
        ),
    }
}

fn refused(model: &Model<'_>, refusal: OrderRefusal) -> String {
    let (vi, en) = match refusal {
        OrderRefusal::VisitOpen => (
            "Còn khách đang mua. Xong lượt này rồi làm.",
            "A shopper is being served. Do it when they are done.",
        ),
        OrderRefusal::Running => (
            "Máy thẻ đang làm việc khác.",
            "The terminal is working on something else.",
        ),
        OrderRefusal::OutOfDate => (
            "Vừa có thay đổi. Mở lại và xem số tiền.",
            "Something has just changed. Open it again and look at the amounts.",
        ),
        OrderRefusal::Amount => ("Số tiền không đúng.", "The amount is not right."),
        OrderRefusal::Disk => (
            "Máy chưa ghi được sổ. Chưa gửi gì cho máy thẻ.",
            "The kiosk cannot write its journal. Nothing was sent to the terminal.",
        ),
    };
    text::pick(model.language, vi, en).to_owned()
}

fn not_started(model: &Model<'_>, reason: NotStartedReason) -> &'static str {
    let (vi, en) = match reason {
        NotStartedReason::Unreachable | NotStartedReason::NoAnswer => (
            "Không kết nối được máy thẻ.",
            "The terminal cannot be reached.",
        ),
        NotStartedReason::Busy => ("Máy thẻ đang bận.", "The terminal is busy."),
        NotStartedReason::Cancelled => ("Đã dừng.", "Stopped."),
        NotStartedReason::Restarted => (
            "Máy khởi động lại trước khi gửi.",
            "The kiosk restarted before it was sent.",
        ),
        NotStartedReason::Unsupported => (
            "Máy thẻ loại này không làm được từ quầy. Dùng phím của máy thẻ.",
            "This kind of terminal cannot do that from the till. Use its own keys.",
        ),
        NotStartedReason::StorageDown => (
            "Máy chưa ghi được sổ.",
            "The kiosk could not write its journal.",
        ),
        NotStartedReason::Refused | NotStartedReason::CodeUnreadable => {
            ("Máy thẻ chưa sẵn sàng.", "The terminal was not ready.")
        }
    };
    text::pick(model.language, vi, en)
}
