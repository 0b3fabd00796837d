//! A card payment whose end is not known: the shopper's screen, the evidence for staff, and the words for each end.

use super::{Presenter, pay, rows, text};
use crate::app::Model;
use crate::devices::SeenTransaction;
use crate::format::{Language, money};
use checkout::Money;
use checkout::till::{
    Attempt, AttemptId, CardApproval, DeclineReason, DeviceKind, DeviceState, Doubt, Moment,
    NotStartedReason, PrintOutcome, Recovery, Step,
};
use kiosk_ui::{DoubtCause, DoubtKind, Evidence, SlipPhase, StaffAdapter, Tone, UnknownAdapter};
use slint::{ComponentHandle, SharedString};

/// Lines of evidence on the staff screen; of more, the beginning and the end are shown.
const LINES_MAX: usize = 7;

/// What the shopper's screen says of a payment in doubt.
pub(super) struct Shown {
    pub(super) needs_staff: bool,
    pub(super) why: Option<Doubt>,
    pub(super) slip: Option<PrintOutcome>,
}

impl Presenter {
    pub(super) fn show_unknown(
        &self,
        model: &Model<'_>,
        attempt: AttemptId,
        amount: Money,
        doubt: &Shown,
    ) {
        let unknown = self.ui.global::<UnknownAdapter>();
        unknown.set_kind(DoubtKind::Card);
        unknown.set_attempt(attempt.to_string().into());
        unknown.set_amount(money(amount, model.language).into());
        unknown.set_asked_ago_s(pay::asked_ago(model, model.recovery_asked_mono_ms));
        unknown.set_cause(match doubt.why {
            _ if doubt.needs_staff => DoubtCause::Person,
            Some(Doubt::Restarted) => DoubtCause::Restarted,
            Some(Doubt::Rejected | Doubt::Mismatch | Doubt::Contradiction) => DoubtCause::Refused,
            Some(Doubt::NoAnswer | Doubt::LinkLost | Doubt::NoResult) | None => DoubtCause::Silent,
        });
        unknown.set_slip(match doubt.slip {
            _ if model.config.file.printer.is_none() => SlipPhase::None,
            None => SlipPhase::Offered,
            Some(PrintOutcome::Queued | PrintOutcome::Printing) => SlipPhase::Printing,
            Some(PrintOutcome::Printed) => SlipPhase::Printed,
            Some(PrintOutcome::Sent) => SlipPhase::Sent,
            Some(PrintOutcome::Failed(_) | PrintOutcome::Unknown) => SlipPhase::Failed,
        });
        unknown.set_code(match is_paper_missing(model, doubt.slip) {
            true => super::qr_image::image(&crate::receipt::slip::code(attempt)),
            false => slint::Image::default(),
        });
    }

    pub(super) fn show_doubt(&self, model: &Model<'_>, attempt: &Attempt) {
        let staff = self.ui.global::<StaffAdapter>();
        let language = model.language;
        // The till asks by itself, every few seconds.
        staff.set_doubt_can_ask(false);
        let terminal = terminal_of(attempt).unwrap_or_default();
        staff.set_doubt_terminal(terminal.into());
        let slip = attempt.slip.as_ref().map(|slip| slip.outcome);
        let printing = matches!(slip, Some(PrintOutcome::Queued | PrintOutcome::Printing));
        staff.set_doubt_can_print(model.config.file.printer.is_some() && !printing);
        staff.set_doubt_slip(
            slip.map(|slip| slip_words(language, slip))
                .unwrap_or_default()
                .into(),
        );
        rows::sync(&self.rows.evidence, evidence(model, &Story::of(attempt)));
    }
}

/// The shopper cannot count on paper, so the number is offered as a code.
fn is_paper_missing(model: &Model<'_>, slip: Option<PrintOutcome>) -> bool {
    let printer = model.view.devices.get(&DeviceKind::Printer);
    let printed = matches!(
        slip,
        Some(
            PrintOutcome::Printed
                | PrintOutcome::Sent
                | PrintOutcome::Printing
                | PrintOutcome::Queued
        )
    );
    let failed = matches!(slip, Some(PrintOutcome::Failed(_) | PrintOutcome::Unknown));
    let unusable = model.config.file.printer.is_none()
        || printer == Some(&DeviceState::Down)
        // What cannot be written down is not printed either.
        || model.view.storage.is_some();
    failed || (unusable && !printed)
}

/// The terminal's id, from whatever it said.
fn terminal_of(attempt: &Attempt) -> Option<String> {
    let approved = attempt.approval.as_ref();
    let approved = approved.map(|known| SeenTransaction::of_reference(&known.reference));
    let before = attempt.baseline.as_deref();
    let before = before.and_then(SeenTransaction::of_baseline);
    let mut seen = approved.into_iter().chain(before);
    seen.find_map(|seen| seen.terminal_id)
}

/// Why nobody knows, for staff.
fn reason(language: Language, why: Doubt) -> &'static str {
    let (vi, en) = match why {
        Doubt::Restarted => (
            "Máy bán hàng khởi động lại giữa lúc khách trả tiền.",
            "The kiosk started again during the payment.",
        ),
        Doubt::NoAnswer => (
            "Máy thẻ không trả lời kịp.",
            "The terminal did not answer in time.",
        ),
        Doubt::LinkLost => (
            "Mất kết nối với máy thẻ giữa lúc trả tiền.",
            "The connection to the terminal was lost during the payment.",
        ),
        Doubt::Contradiction => (
            "Máy thẻ báo đã duyệt, rồi lại báo khác.",
            "The terminal approved and then said otherwise.",
        ),
        Doubt::Rejected => (
            "Không kịp ghi lại lần duyệt, nên đã báo máy thẻ trả lại tiền.",
            "The approval could not be kept in time, so the terminal was told to give the money back.",
        ),
        Doubt::Mismatch => (
            "Máy thẻ duyệt một khoản khác, nên đã báo máy thẻ trả lại.",
            "The terminal approved another amount and was told to give it back.",
        ),
        Doubt::NoResult => (
            "Máy thẻ báo xong mà không nói kết quả.",
            "The terminal finished without saying how.",
        ),
    };
    text::pick(language, vi, en)
}

fn slip_words(language: Language, outcome: PrintOutcome) -> &'static str {
    let (vi, en) = match outcome {
        PrintOutcome::Queued | PrintOutcome::Printing => {
            ("Phiếu đang in…", "The slip is printing…")
        }
        PrintOutcome::Printed | PrintOutcome::Sent => ("In thêm một phiếu", "Print another slip"),
        PrintOutcome::Failed(_) => (
            "Phiếu chưa in được. In lại",
            "The slip did not print. Try again",
        ),
        PrintOutcome::Unknown => (
            "Chưa chắc đã in phiếu. In lại",
            "Perhaps not printed. Print again",
        ),
    };
    text::pick(language, vi, en)
}

/// What the till's state tells of one thing the terminal was asked for.
pub(super) struct Story<'a> {
    pub amount_minor: i64,
    pub started_wall_ms: i64,
    pub baseline: Option<&'a str>,
    pub approval: Option<&'a CardApproval>,
    pub history: &'a [Moment],
}

impl<'a> Story<'a> {
    fn of(attempt: &'a Attempt) -> Self {
        Self {
            amount_minor: attempt.amount_minor,
            started_wall_ms: attempt.started_wall_ms,
            baseline: attempt.baseline.as_deref(),
            approval: attempt.approval.as_ref(),
            history: &attempt.history,
        }
    }
}

/// What is known, oldest first.
pub(super) fn evidence(model: &Model<'_>, attempt: &Story<'_>) -> Vec<Evidence> {
    let line = |wall_ms: i64, words: String, tone| Evidence {
        time: model.clock.local(wall_ms, "%H:%M:%S").into(),
        words: words.into(),
        tone,
    };
    let before = match attempt.baseline.and_then(SeenTransaction::of_baseline) {
        Some(last) => format!(
            "{} {}",
            text::pick(
                model.language,
                "Giao dịch trước đó của máy thẻ:",
                "The terminal's last payment before:"
            ),
            seen(model, &last)
        ),
        None => text::pick(
            model.language,
            "Máy thẻ chưa có giao dịch nào trước đó, hoặc không cho biết.",
            "The terminal had no payment before, or would not say.",
        )
        .to_owned(),
    };
    let mut lines = vec![line(attempt.started_wall_ms, before, Tone::Quiet)];
    let moments = attempt.history.iter().map(|moment| {
        let (words, tone) = step(model, attempt, &moment.step);
        let words = match moment.times {
            0 | 1 => words,
            times => format!("{words} (×{times})"),
        };
        line(moment.wall_ms, words, tone)
    });
    lines.extend(moments);
    if lines.len() > LINES_MAX {
        let kept = lines.split_off(lines.len() - LINES_MAX / 2);
        lines.truncate(LINES_MAX - LINES_MAX / 2 - 1);
        lines.push(Evidence {
            time: SharedString::default(),
            words: "…".into(),
            tone: Tone::Quiet,
        });
        lines.extend(kept);
    }
    lines
}

fn step(model: &Model<'_>, attempt: &Story<'_>, step: &Step) -> (String, Tone) {
    let language = model.language;
    let say = |vi: &str, en: &str| text::pick(language, vi, en).to_owned();
    let asked = money(
        Money::new(attempt.amount_minor, model.config.currency),
        language,
    );
    match step {
        Step::Armed => (
            format!(
                "{} {asked}",
                say("Đã hỏi máy thẻ", "The terminal was asked for")
            ),
            Tone::Quiet,
        ),
        Step::Approved => {
            let words = say("Máy thẻ báo đã duyệt", "The terminal approved");
            let approval = attempt.approval.map(|approval| {
                let known = SeenTransaction::of_reference(&approval.reference);
                format!(": {} {}", approval.scheme, seen(model, &known))
            });
            (words + &approval.unwrap_or_default(), Tone::Wait)
        }
        Step::Confirmed => (
            say(
                "Đã ghi lại và xác nhận với máy thẻ",
                "Written down and confirmed to the terminal",
            ),
            Tone::Wait,
        ),
        Step::InDoubt(why) => (reason(language, *why).to_owned(), Tone::Alarm),
        Step::Answered(Recovery::Foreign { seen: other }) => (
            format!(
                "{} {}",
                say(
                    "Máy thẻ đang ghi giao dịch khác:",
                    "The terminal shows another payment:"
                ),
                seen(model, &SeenTransaction::of_reference(other))
            ),
            Tone::Alarm,
        ),
        Step::Answered(Recovery::Paid(_)) => (
            say("Máy thẻ nói: đã thu tiền", "The terminal says: paid"),
            Tone::Good,
        ),
        Step::Answered(Recovery::NotCharged | Recovery::TakenBack) => (
            say(
                "Máy thẻ nói: không thu tiền",
                "The terminal says: not charged",
            ),
            Tone::Good,
        ),
        Step::Answered(Recovery::Unreachable) => (
            say(
                "Hỏi lại máy thẻ: chưa trả lời được",
                "Asked again: the terminal could not answer",
            ),
            Tone::Wait,
        ),
    }
}

/// A transaction as the terminal's own slip would name it.
fn seen(model: &Model<'_>, known: &SeenTransaction) -> String {
    let language = model.language;
    let mut parts = Vec::new();
    if let Some(number) = known.receipt_number {
        let name = text::pick(language, "biên lai", "receipt");
        parts.push(format!("{name} {number:04}"));
    }
    if let Some(minor) = known
        .amount_minor
        .and_then(|minor| i64::try_from(minor).ok())
    {
        parts.push(money(Money::new(minor, model.config.currency), language));
    }
    if let Some(time) = known.time_hhmmss {
        parts.push(format!("{:02}:{:02}", time / 10_000, time / 100 % 100));
    }
    parts.join(" · ")
}

// ---- how a card payment ended, in a line ----

/// The card was declined.
pub(super) fn declined(language: Language, reason: &DeclineReason) -> &'static str {
    let (vi, en) = match reason {
        DeclineReason::Aborted => (
            "Đã hủy ở máy thẻ. Bạn chưa bị trừ tiền.",
            "Cancelled at the terminal. Nothing was charged.",
        ),
        DeclineReason::NoCard => (
            "Máy thẻ chưa thấy thẻ nào. Bạn chưa bị trừ tiền.",
            "No card was seen in time. Nothing was charged.",
        ),
        DeclineReason::WrongPin => (
            "Sai mã PIN. Bạn chưa bị trừ tiền.",
            "The PIN was wrong. Nothing was charged.",
        ),
        DeclineReason::Bank(_)
        | DeclineReason::AlreadyReversed
        | DeclineReason::ReversalImpossible => (
            "Thẻ không được chấp nhận. Bạn chưa bị trừ tiền.",
            "The card was declined. Nothing was charged.",
        ),
    };
    text::pick(language, vi, en)
}

/// The payment did not start.
pub(super) fn not_started(language: Language, reason: NotStartedReason) -> &'static str {
    let (vi, en) = match reason {
        NotStartedReason::Cancelled => (
            "Đã hủy. Bạn chưa bị trừ tiền.",
            "Cancelled. Nothing was charged.",
        ),
        NotStartedReason::Busy => (
            "Máy đang bận. Bạn chưa bị trừ tiền, xin thử lại.",
            "The device is busy. Nothing was charged; try again.",
        ),
        NotStartedReason::CodeUnreadable => (
            "Máy không vẽ được mã QR đúng, nên không hiện mã. Bạn chưa bị trừ tiền, xin chọn cách khác.",
            "This kiosk could not draw a correct QR code, so none is shown. Nothing was charged; choose another way.",
        ),
        NotStartedReason::Restarted => (
            "Máy vừa khởi động lại trước khi hỏi tiền. Bạn chưa bị trừ tiền, xin chọn lại.",
            "The kiosk started again before it asked for money. Nothing was charged; choose again.",
        ),
        NotStartedReason::StorageDown => (
            "Máy chưa ghi sổ được nên không thu tiền. Bạn chưa bị trừ tiền.",
            "This kiosk cannot keep its records now, so it took no money. Nothing was charged.",
        ),
        NotStartedReason::Refused | NotStartedReason::Unsupported => (
            "Thiết bị không nhận khoản này. Bạn chưa bị trừ tiền, xin chọn cách khác.",
            "The device would not begin. Nothing was charged; choose another way.",
        ),
        NotStartedReason::NoAnswer => (
            "Thiết bị không trả lời. Bạn chưa bị trừ tiền, xin chọn cách khác.",
            "The device does not answer. Nothing was charged; choose another way.",
        ),
        NotStartedReason::Unreachable => (
            "Chưa kết nối được. Bạn chưa bị trừ tiền, xin chọn cách khác.",
            "No connection. Nothing was charged; choose another way.",
        ),
    };
    text::pick(language, vi, en)
}

/// The money was taken and given back.
pub(super) fn voided(language: Language, attempt: AttemptId) -> String {
    match language {
        Language::Vietnamese => {
            format!("Đã kiểm tra {attempt}: tiền đã được trả lại thẻ của bạn. Xin trả lại.")
        }
        Language::English => {
            format!("{attempt} was checked: the money went back to your card. Please pay again.")
        }
    }
}

/// No card is taken before staff looked.
pub(super) fn locked(language: Language) -> &'static str {
    text::pick(
        language,
        "Máy thẻ đang chờ nhân viên kiểm tra. Xin chọn cách khác.",
        "The card terminal waits for staff to check it. Choose another way.",
    )
}
