//! Money staff decide about: transfers on their word, money in review, vouchers, the account.

use super::{Presenter, rows, text};
use crate::app::Model;
use crate::format::{Language, money};
use checkout::Money;
use checkout::till::{BankLink, Review, ReviewKind, Screen as TillScreen, TillState};
use kiosk_ui::{StaffAdapter, StaffChoice, StaffTask};
use slint::{ComponentHandle, SharedString};

/// Vouchers on the panel, the newest; a shop rarely prints an older one again.
const VOUCHERS_SHOWN: usize = 5;

impl Presenter {
    /// The code on the shopper's screen, when staff may say that it was paid.
    pub(super) fn show_transfer(&self, model: &Model<'_>) {
        let staff = self.ui.global::<StaffAdapter>();
        let qr = match &model.view.screen {
            TillScreen::Qr(qr) if qr.offer.is_some() => Some(qr),
            _ => None,
        };
        let qr = qr.filter(|qr| qr.by_staff || qr.link != BankLink::Fresh);
        staff.set_transfer_waiting(qr.is_some());
        if let Some(qr) = qr {
            staff.set_transfer_amount(money(qr.amount, model.language).into());
            staff.set_transfer_code(qr.order_code.as_str().into());
        }
        staff.set_transfer_reference(model.desk.reference.as_str().into());
    }

    pub(super) fn show_review(&self, model: &Model<'_>) {
        if model.desk.order_open {
            return self.show_order(model);
        }
        let reviews = model.state.reviews.iter();
        let mut wanted = reviews.filter(|review| Some(review.id) == model.desk.review);
        let Some(review) = wanted.next() else {
            return;
        };
        let staff = self.ui.global::<StaffAdapter>();
        staff.set_review_title(title(model, review).into());
        staff.set_review_why(why(model.language, review.kind).into());
        let reference = (
            text::pick(model.language, "Ngân hàng ghi", "The bank calls it"),
            review.reference.as_str(),
        );
        let mut lines = vec![SharedString::from(line(model, review))];
        if review.attempt.is_some() && !review.reference.is_empty() {
            lines.push(format!("{} {}", reference.0, reference.1).into());
        }
        rows::sync(&self.rows.review_lines, lines);
        rows::sync(&self.rows.choices, choices(model, review));
    }
}

/// "Late payment: 25.000 ₫".
pub(super) fn title(model: &Model<'_>, review: &Review) -> String {
    let name = kind(model.language, review.kind);
    if review.kind == ReviewKind::WrongCurrency {
        return format!("{name} {}", review.reference);
    }
    let amount = Money::new(review.amount_minor.saturating_abs(), model.config.currency);
    format!("{name} {}", money(amount, model.language))
}

/// Code and time, as far as known.
pub(super) fn line(model: &Model<'_>, review: &Review) -> String {
    let time = model.clock.local(review.opened_wall_ms, "%d/%m %H:%M");
    let code = review.order_code.as_deref();
    match (code, review.kind) {
        (Some(code), _) => format!(
            "{} {code} · {time}",
            text::pick(model.language, "Mã", "Code")
        ),
        (None, ReviewKind::PartPaid | ReviewKind::VoucherExpired) => {
            format!("{} · {time}", review.reference)
        }
        (None, _) => time,
    }
}

fn kind(language: Language, kind: ReviewKind) -> &'static str {
    match kind {
        ReviewKind::LateCredit => text::pick(language, "Tiền đến muộn:", "Late payment:"),
        ReviewKind::OverPaid => text::pick(language, "Khách chuyển dư:", "Paid too much:"),
        ReviewKind::OrphanCredit => text::pick(language, "Tiền không rõ đơn:", "Unknown payment:"),
        ReviewKind::PartPaid => text::pick(language, "Trả một phần rồi bỏ:", "Part paid, left:"),
        ReviewKind::Contradiction => text::pick(
            language,
            "Máy thẻ báo trái nhau:",
            "The terminal contradicts itself:",
        ),
        ReviewKind::Unpaid => text::pick(
            language,
            "Thiếu tiền, máy thẻ không có giao dịch:",
            "Money missing, the terminal knows no payment:",
        ),
        ReviewKind::Duplicate => text::pick(language, "Khách chuyển hai lần:", "Paid twice:"),
        ReviewKind::WrongCurrency => text::pick(language, "Tiền khác loại:", "Another currency:"),
        ReviewKind::VoucherExpired => text::pick(
            language,
            "Phiếu hết hạn, chưa dùng:",
            "Voucher expired, unused:",
        ),
        ReviewKind::GaveBack => text::pick(
            language,
            "Máy thẻ đã trả lại, sổ chưa ghi:",
            "Given back by the terminal, not recorded:",
        ),
        ReviewKind::NotGivenBack => text::pick(
            language,
            "Sổ ghi đã trả lại, máy thẻ thì chưa:",
            "Recorded as given back, the terminal did not:",
        ),
    }
}

fn why(language: Language, kind: ReviewKind) -> &'static str {
    match kind {
        ReviewKind::LateCredit => text::pick(
            language,
            "Khách đã rời mã này, rồi tiền mới đến. Chưa có đơn nào dùng số tiền này.",
            "The shopper had left this code when the money came. No sale has used it.",
        ),
        ReviewKind::OverPaid => text::pick(
            language,
            "Đơn đã trả đủ. Đây là phần khách chuyển nhiều hơn.",
            "The sale is paid in full. This is what was sent beyond it.",
        ),
        ReviewKind::OrphanCredit => text::pick(
            language,
            "Máy không biết tiền này của đơn nào.",
            "The kiosk does not know what this money is for.",
        ),
        ReviewKind::PartPaid => text::pick(
            language,
            "Khách trả một phần rồi đi. Giỏ hàng vẫn được giữ.",
            "The shopper paid a part and left. The basket is kept.",
        ),
        ReviewKind::Contradiction => text::pick(
            language,
            "Máy thẻ nói đã trừ tiền, trước đó nói chưa. Xem nhật ký trên máy thẻ.",
            "The terminal says charged where it had said not. Look at its own journal.",
        ),
        ReviewKind::Unpaid => text::pick(
            language,
            "Nhân viên đã ghi là đã trả, nhưng máy thẻ không có giao dịch này.",
            "Staff had said paid, and the terminal knows of no such payment.",
        ),
        ReviewKind::Duplicate => text::pick(
            language,
            "Mã này đã trả đủ, rồi có thêm một lần chuyển nữa.",
            "This code was paid in full, and a second transfer came.",
        ),
        ReviewKind::WrongCurrency => text::pick(
            language,
            "Tiền đến bằng loại tiền khác, không tính cho đơn được.",
            "It came in another currency and cannot pay for a sale.",
        ),
        ReviewKind::VoucherExpired => text::pick(
            language,
            "Phiếu hết hạn mà chưa ai dùng. Tiền vẫn là của khách.",
            "The voucher expired and nobody used it. The money is still the shopper's.",
        ),
        ReviewKind::GaveBack => text::pick(
            language,
            "Máy thẻ nói đã trả tiền lại cho thẻ, trước đó nói chưa. Cửa hàng thiếu số tiền này.",
            "The terminal says it gave money back where it had said not. The shop lacks it.",
        ),
        ReviewKind::NotGivenBack => text::pick(
            language,
            "Nhân viên đã ghi là đã trả lại, nhưng máy thẻ không có việc này. Tiền vẫn là của khách.",
            "Staff had said given back, and the terminal knows of no such thing. It is still the shopper's.",
        ),
    }
}

/// Whether the basket of a review can be brought back.
fn can_reopen(state: &TillState, review: &Review) -> bool {
    let parked = state.parked.iter();
    let mut parked = parked.filter(|parked| Some(&parked.visit.id) == review.visit.as_ref());
    state.visit.is_none() && parked.next().is_some()
}

fn choices(model: &Model<'_>, review: &Review) -> Vec<StaffChoice> {
    let language = model.language;
    let amount = Money::new(review.amount_minor, model.config.currency);
    let amount = money(amount, language);
    let choice = |id: &str, name: (&str, &str), consequence: (String, String)| StaffChoice {
        id: id.into(),
        name: text::pick(language, name.0, name.1).into(),
        consequence: text::pick(language, &consequence.0, &consequence.1).into(),
        usual: false,
        grave: false,
    };
    if matches!(review.kind, ReviewKind::Unpaid | ReviewKind::GaveBack) {
        return unpaid_choices(choice);
    }
    let mut choices = Vec::new();
    if can_reopen(model.state, review) {
        choices.push(choice(
            "reopen",
            ("Mở lại giỏ hàng", "Reopen the sale"),
            (
                format!("Giỏ hàng hiện lại và {amount} này trả cho giỏ."),
                format!("The basket comes back and these {amount} pay for it."),
            ),
        ));
    }
    let closed_ms = model.day.terminal_closed_ms();
    let by_terminal = crate::app::of_review(model.state, review.id, closed_ms);
    if let Some(taken) = by_terminal.filter(|_| model.config.file.terminal.is_some()) {
        let way = super::card_orders::way_words(&taken, taken.amount_minor, model);
        choices.push(choice(
            "reverse",
            ("Trả lại bằng máy thẻ", "Give back by the terminal"),
            (way.0.to_owned(), way.1.to_owned()),
        ));
    }
    if review.kind.may_be_voucher() {
        choices.push(choice(
            "voucher",
            ("In phiếu mua hàng", "Print a voucher"),
            (
                format!("Khách nhận phiếu {amount}, dùng một lần ở máy này."),
                format!("The shopper gets a voucher of {amount}, good once at this kiosk."),
            ),
        ));
    }
    choices.push(choice(
        "refunded",
        ("Đã trả lại khách", "Given back"),
        (
            "Bạn đã trả lại bằng tiền mặt hoặc chuyển khoản. Máy chỉ ghi lại.".to_owned(),
            "You gave it back in cash or by transfer. The kiosk only records it.".to_owned(),
        ),
    ));
    if review.amount_minor > 0 {
        let mut keep = choice(
            "kept",
            ("Cửa hàng giữ", "The shop keeps it"),
            (
                "Chỉ khi quản lý quyết định. Được ghi lại.".to_owned(),
                "Only when the manager decides so. It is recorded.".to_owned(),
            ),
        );
        keep.grave = true;
        choices.push(keep);
    }
    if matches!(
        review.kind,
        ReviewKind::Contradiction | ReviewKind::WrongCurrency
    ) {
        choices.push(choice(
            "no-money",
            ("Không có tiền nào", "There was no money"),
            (
                "Bạn đã xem và không có khoản tiền này.".to_owned(),
                "You have looked, and there is no such money.".to_owned(),
            ),
        ));
    }
    if let Some(first) = choices.first_mut() {
        first.usual = true;
    }
    choices
}

/// The shop lacks the money: it turns up after all, or the loss is written down.
fn unpaid_choices(
    choice: impl Fn(&str, (&str, &str), (String, String)) -> StaffChoice,
) -> Vec<StaffChoice> {
    let mut there = choice(
        "no-money",
        ("Tiền vẫn đủ", "The money is there"),
        (
            "Bạn đã xem lại: tiền vẫn đủ, không thiếu gì.".to_owned(),
            "You have looked again: nothing is missing.".to_owned(),
        ),
    );
    there.usual = true;
    let mut lost = choice(
        "kept",
        ("Ghi nhận thiếu", "Accept the loss"),
        (
            "Cửa hàng thiếu số tiền này. Được ghi lại.".to_owned(),
            "The shop lacks this money. It is recorded.".to_owned(),
        ),
    );
    lost.grave = true;
    vec![there, lost]
}

/// Transfers to look up, vouchers, and a changed account, as tasks of the panel.
pub(super) fn tasks(model: &Model<'_>) -> Vec<StaffTask> {
    let language = model.language;
    let say = |vi: &str, en: &str| SharedString::from(text::pick(language, vi, en));
    let amount = |minor| money(Money::new(minor, model.config.currency), language);
    let state = model.state;
    let mut tasks = Vec::new();
    if payee_differs(model) {
        tasks.push(StaffTask {
            id: "payee".into(),
            title: say(
                "Tài khoản nhận tiền QR đã đổi. Có đúng không?",
                "The account for QR payments has changed. Is that right?",
            ),
            detail: payee_line(model).trim_start_matches([' ', '·']).into(),
            first: say("Đúng, dùng tài khoản này", "Yes, use this account"),
            second: SharedString::default(),
        });
    }
    let open = state
        .unconfirmed
        .iter()
        .filter(|entry| entry.looked_up.is_none());
    tasks.extend(open.map(|entry| {
        StaffTask {
            id: format!("settle:{}", entry.attempt.0).into(),
            title: format!(
                "{} {}",
                text::pick(language, "Đối chiếu ngân hàng:", "Look up at the bank:"),
                amount(entry.amount_minor)
            )
            .into(),
            detail: format!(
                "{} {} · {} · {}",
                text::pick(language, "Mã", "Code"),
                entry.order_code,
                entry.reference,
                model.clock.local(entry.confirmed_wall_ms, "%d/%m %H:%M")
            )
            .into(),
            first: say("Có trong sao kê", "It is on the list"),
            second: say("Không có", "It is not there"),
        }
    }));
    let newest = state.vouchers.iter().rev().take(VOUCHERS_SHOWN);
    tasks.extend(newest.map(|voucher| {
        StaffTask {
            id: format!("voucher:{}", voucher.code).into(),
            title: format!(
                "{} {}",
                text::pick(
                    language,
                    "Phiếu mua hàng chưa dùng:",
                    "Voucher, not used yet:"
                ),
                amount(voucher.amount_minor)
            )
            .into(),
            detail: format!(
                "{} · {} {}",
                voucher.code,
                text::pick(language, "đến", "until"),
                model.clock.local(voucher.until_wall_ms, "%d/%m/%Y")
            )
            .into(),
            first: say("In lại phiếu", "Print it again"),
            second: SharedString::default(),
        }
    }));
    tasks
}

fn payee_differs(model: &Model<'_>) -> bool {
    let configured = model.payee.as_ref();
    configured.is_some() && configured != model.state.payee.as_ref()
}

/// Whom QR codes pay, as read out of a code at the start: staff compare it with the shop's books.
pub(super) fn payee_line(model: &Model<'_>) -> String {
    match (&model.config.file.bank, model.payee.as_ref()) {
        (Some(bank), Some(payee)) => {
            format!(
                " · {} {} · {}",
                bank.bank_name,
                payee.replace('/', " "),
                bank.payee
            )
        }
        _ => String::new(),
    }
}
