//! Choosing how to pay, and paying.

use super::{Presenter, doubt, rows, text};
use crate::app::Model;
use crate::format::{countdown, money};
use crate::words::in_words;
use checkout::Money;
use checkout::till::{
    Availability, BankCheckView, BankLink, CardStep, NotStartedReason, Notice as TillNotice,
    PayView, QrStep, QrView, Tender, TenderKind, TerminalPrompt, UnderpaidView,
};
use kiosk_ui::{
    BankCheckAdapter, CardAdapter, CardPhase, CashAdapter, CashPhase, MethodBlock, MethodKind,
    NoticeKind, PayAdapter, PayMethod, QrAdapter, QrPhase, TenderLine, Tone, UnderpaidAdapter,
};
use slint::{ComponentHandle, SharedString};

/// The screens' name of a way to pay.
pub(super) fn method(kind: TenderKind) -> MethodKind {
    match kind {
        TenderKind::Qr => MethodKind::Qr,
        TenderKind::Card => MethodKind::Card,
        TenderKind::Cash => MethodKind::Cash,
        TenderKind::Voucher => MethodKind::Voucher,
    }
}

/// The till's name of a way to pay.
pub(super) fn tender_kind(kind: MethodKind) -> TenderKind {
    match kind {
        MethodKind::Qr => TenderKind::Qr,
        MethodKind::Card => TenderKind::Card,
        MethodKind::Cash => TenderKind::Cash,
        MethodKind::Voucher => TenderKind::Voucher,
    }
}

impl Presenter {
    pub(super) fn show_pay(&self, model: &Model<'_>, view: &PayView) {
        let pay = self.ui.global::<PayAdapter>();
        let language = model.language;
        let basket = &model.view.basket;
        pay.set_due(money(view.due, language).into());
        pay.set_total(money(basket.total, language).into());
        let currency = model.config.currency;
        let taxes: Vec<(u32, Money)> = basket
            .taxes
            .iter()
            .map(|tax| (tax.basis_points, Money::new(tax.tax_minor, currency)))
            .collect();
        let included = model.config.tax.mode == checkout::TaxMode::Included;
        let line = text::tax_line(language, &taxes, included);
        pay.set_tax_line(line.into());
        pay.set_can_back(view.tenders.is_empty());
        self.show_tenders(model, &view.tenders);
        let options = view.options.iter().enumerate();
        let methods = options.map(|(index, option)| PayMethod {
            kind: method(option.kind),
            detail: match option.kind {
                TenderKind::Cash => text::cash_line(language, view.due, view.cash_due).into(),
                TenderKind::Qr | TenderKind::Card | TenderKind::Voucher => SharedString::default(),
            },
            block: match option.available {
                Availability::Yes => MethodBlock::None,
                Availability::DeviceDown if option.kind == TenderKind::Qr => MethodBlock::Offline,
                Availability::DeviceDown => MethodBlock::DeviceLost,
                Availability::Locked => MethodBlock::SwitchedOff,
                Availability::TooManyOpen | Availability::PayeeDiffers => MethodBlock::NeedsStaff,
            },
            preferred: index == 0,
        });
        rows::sync(&self.rows.methods, methods.collect());
        self.show_basket(model);
        self.show_notice(model);
    }

    fn show_tenders(&self, model: &Model<'_>, tenders: &[Tender]) {
        let currency = model.config.currency;
        let lines = tenders.iter().map(|tender| TenderLine {
            kind: method(tender.kind),
            detail: text::tender(model.language, tender.kind).into(),
            amount: money(Money::new(tender.amount_minor, currency), model.language).into(),
        });
        rows::sync(&self.rows.tenders, lines.collect());
    }

    pub(super) fn show_card(&self, model: &Model<'_>, amount: Money, step: &CardStep) {
        let card = self.ui.global::<CardAdapter>();
        card.set_amount(money(amount, model.language).into());
        let (phase, words) = match step {
            CardStep::Preparing => (CardPhase::Connecting, ""),
            CardStep::Running(TerminalPrompt::PresentCard) => (CardPhase::Present, ""),
            CardStep::Running(TerminalPrompt::EnterPin) => (CardPhase::Pin, ""),
            CardStep::Running(TerminalPrompt::Processing) => (CardPhase::Working, ""),
            CardStep::Running(TerminalPrompt::RemoveCard) => (CardPhase::RemoveCard, ""),
            CardStep::Running(TerminalPrompt::Other(words)) => (CardPhase::Working, words.as_str()),
            CardStep::Cancelling => (CardPhase::Cancelling, ""),
            CardStep::Confirming => (CardPhase::Confirming, ""),
        };
        card.set_phase(phase);
        card.set_terminal_line(words.into());
        let waiting = matches!(phase, CardPhase::Connecting | CardPhase::Present);
        card.set_can_cancel(waiting);
    }

    pub(super) fn show_qr(&self, model: &Model<'_>, view: &QrView) {
        let qr = self.ui.global::<QrAdapter>();
        qr.set_amount(money(view.amount, model.language).into());
        qr.set_amount_words(in_words(view.amount, model.language).into());
        qr.set_reference(view.order_code.as_str().into());
        if let Some(offer) = &view.offer {
            qr.set_payee(offer.payee.as_str().into());
            qr.set_bank(offer.bank.as_str().into());
            qr.set_account(format!("••••••{}", offer.account_tail).into());
            qr.set_code(super::qr_image::image(&offer.payload));
        } else {
            // Nothing of another offer may stand beside a code that is not there yet.
            qr.set_payee(SharedString::default());
            qr.set_bank(SharedString::default());
            qr.set_account(SharedString::default());
            qr.set_code(slint::Image::default());
        }
        qr.set_phase(match (view.step, view.link) {
            (QrStep::Cancelling, _) => QrPhase::Leaving,
            (QrStep::Preparing, BankLink::Fresh) => QrPhase::Preparing,
            (QrStep::Preparing, BankLink::Slow | BankLink::Unreachable) => QrPhase::Stalled,
            (_, _) if view.offer.is_none() => QrPhase::Preparing,
            (QrStep::Checking, _) => QrPhase::Expired,
            (QrStep::Waiting, BankLink::Slow) => QrPhase::Slow,
            (QrStep::Waiting, BankLink::Unreachable) => QrPhase::Offline,
            (QrStep::Waiting, BankLink::Fresh) => QrPhase::Waiting,
        });
        qr.set_by_staff(view.by_staff);
        let (left_ms, span_ms) = model.view.deadline.map_or((0, 1), |deadline| {
            let left = deadline.at_mono_ms.saturating_sub(model.now.mono_ms);
            (left, deadline.span_ms.max(1))
        });
        qr.set_countdown(countdown(left_ms).into());
        qr.set_progress(part(left_ms.div_ceil(1000), span_ms.div_ceil(1000)));
        qr.set_asked_ago_s(asked_ago(model, view.checked_mono_ms));
        qr.set_can_extend(view.can_extend);
    }

    pub(super) fn show_underpaid(&self, model: &Model<'_>, view: &UnderpaidView) {
        let short = self.ui.global::<UnderpaidAdapter>();
        short.set_asked(money(view.asked, model.language).into());
        short.set_received(money(view.received, model.language).into());
        short.set_due(money(view.due, model.language).into());
        short.set_reference(view.order_code.as_str().into());
        let scan = view
            .options
            .iter()
            .find(|option| option.kind == TenderKind::Qr);
        short.set_can_scan(scan.is_some_and(|option| option.available == Availability::Yes));
    }

    pub(super) fn show_bank_check(&self, view: &BankCheckView) {
        let check = self.ui.global::<BankCheckAdapter>();
        check.set_silent(view.silent);
        check.set_offline(view.link == BankLink::Unreachable);
        check.set_by_staff(view.by_staff);
        check.set_references(view.order_codes.join(", ").into());
    }

    pub(super) fn show_cash(&self, model: &Model<'_>, amount: Money, exact: Money) {
        let cash = self.ui.global::<CashAdapter>();
        cash.set_amount(money(amount, model.language).into());
        cash.set_rounding_line(text::rounding_line(model.language, exact, amount).into());
        cash.set_phase(CashPhase::Waiting);
        cash.set_can_cancel(true);
        let visit = model.state.visit.as_ref();
        let tenders = visit.map_or(&[][..], |visit| visit.tenders.as_slice());
        self.show_tenders(model, tenders);
    }
}

/// A part of a whole for a bar, in hundredths.
fn part(left: u64, span: u64) -> f32 {
    let hundredths = (left.saturating_mul(100) / span.max(1)).min(100);
    f32::from(u8::try_from(hundredths).unwrap_or(100)) / 100.0
}

pub(super) fn asked_ago(model: &Model<'_>, checked_mono_ms: Option<u64>) -> i32 {
    checked_mono_ms.map_or(-1, |at| {
        let seconds = model.now.mono_ms.saturating_sub(at) / 1000;
        i32::try_from(seconds).unwrap_or(i32::MAX)
    })
}

/// Notices about paying.
pub(super) fn describe(model: &Model<'_>, notice: &TillNotice) -> (NoticeKind, Tone, String) {
    let language = model.language;
    let (tone, words) = match notice {
        TillNotice::Declined { reason } => {
            (Tone::Alarm, doubt::declined(language, reason).to_owned())
        }
        TillNotice::NotStarted {
            kind: TenderKind::Qr,
            reason: NotStartedReason::Refused | NotStartedReason::NoAnswer,
        } => (
            Tone::Wait,
            text::pick(
                language,
                "Chưa tạo được mã QR. Bạn chưa trả gì; xin thử lại hoặc chọn cách khác.",
                "No QR code could be made. Nothing was paid; try again or choose another way.",
            )
            .to_owned(),
        ),
        TillNotice::NotStarted { reason, .. } => {
            (Tone::Wait, doubt::not_started(language, *reason).to_owned())
        }
        TillNotice::Voided { attempt } => (Tone::Good, doubt::voided(language, *attempt)),
        TillNotice::TenderUnavailable {
            kind: TenderKind::Card,
            why: Availability::Locked,
        } => (Tone::Wait, doubt::locked(language).to_owned()),
        TillNotice::NotCharged { attempt } => (
            Tone::Good,
            match language {
                crate::format::Language::Vietnamese => {
                    format!("Đã kiểm tra {attempt}: bạn chưa bị trừ tiền. Xin trả lại.")
                }
                crate::format::Language::English => {
                    format!("{attempt} was checked: nothing was charged. Please pay again.")
                }
            },
        ),
        TillNotice::PaidPart { received, due } => (
            Tone::Wait,
            match language {
                crate::format::Language::Vietnamese => format!(
                    "Đã nhận {}, còn thiếu {}.",
                    money(*received, language),
                    money(*due, language)
                ),
                crate::format::Language::English => format!(
                    "{} received, {} still to pay.",
                    money(*received, language),
                    money(*due, language)
                ),
            },
        ),
        TillNotice::PaidOver { over } => (
            Tone::Wait,
            match language {
                crate::format::Language::Vietnamese => {
                    format!(
                        "Bạn chuyển dư {}. Nhân viên sẽ trả lại.",
                        money(*over, language)
                    )
                }
                crate::format::Language::English => {
                    format!(
                        "{} too much arrived. Staff will give it back.",
                        money(*over, language)
                    )
                }
            },
        ),
        TillNotice::StillWatching { order_code } => (
            Tone::Wait,
            match language {
                crate::format::Language::Vietnamese => {
                    format!("Nếu bạn đã chuyển cho mã {order_code}, tiền vẫn được tìm thấy.")
                }
                crate::format::Language::English => {
                    format!("If you sent money for {order_code}, it will still be found.")
                }
            },
        ),
        TillNotice::TenderUnavailable { .. } => (
            Tone::Wait,
            text::pick(
                language,
                "Cách trả này chưa dùng được. Xin chọn cách khác.",
                "This way to pay does not work now. Choose another.",
            )
            .to_owned(),
        ),
        TillNotice::AgeRefused => (
            Tone::Wait,
            text::pick(
                language,
                "Món giới hạn tuổi đã được bỏ ra.",
                "The age-limited item was taken out.",
            )
            .to_owned(),
        ),
        TillNotice::CashRefused => (
            Tone::Wait,
            text::pick(language, "Chưa nhận tiền mặt.", "No cash was taken.").to_owned(),
        ),
        TillNotice::CashAmountWrong => (
            Tone::Alarm,
            text::pick(
                language,
                "Số tiền nhập chưa đủ.",
                "The amount entered is not enough.",
            )
            .to_owned(),
        ),
        TillNotice::WeightWrong(_) => (
            Tone::Alarm,
            text::pick(
                language,
                "Cân nặng nhập chưa đúng. Xem lại số trên cân.",
                "The weight entered cannot be. Read the scale again.",
            )
            .to_owned(),
        ),
        TillNotice::VoucherTaken { paid, rest } => (Tone::Good, voucher_taken(language, *paid, *rest)),
        TillNotice::VoucherUnknown => (
            Tone::Wait,
            text::pick(
                language,
                "Không có phiếu này, hoặc phiếu đã dùng rồi.",
                "This voucher is not known, or was used already.",
            )
            .to_owned(),
        ),
        TillNotice::VoucherAtPay => (
            Tone::Wait,
            text::pick(
                language,
                "Phiếu mua hàng dùng khi trả tiền. Xin chạm Thanh toán trước.",
                "A voucher pays at the end. Touch Pay first.",
            )
            .to_owned(),
        ),
        TillNotice::NoVoucher => (
            Tone::Alarm,
            text::pick(
                language,
                "Khoản này không in thành phiếu được. Xin trả lại cách khác.",
                "This money cannot become a voucher. Give it back another way.",
            )
            .to_owned(),
        ),
        TillNotice::ReferenceWrong => (
            Tone::Alarm,
            text::pick(
                language,
                "Số giao dịch thiếu hoặc đã dùng. Xem lại trong ứng dụng ngân hàng.",
                "The bank's reference is missing or was used before. Look into the bank's app again.",
            )
            .to_owned(),
        ),
        TillNotice::TooManyUnconfirmed => (
            Tone::Alarm,
            text::pick(
                language,
                "Quá nhiều khoản chưa đối chiếu. Xin đối chiếu với ngân hàng trước.",
                "Too many transfers wait to be looked up. Compare them with the bank's list first.",
            )
            .to_owned(),
        ),
        TillNotice::ParkedNotFound => (
            Tone::Wait,
            text::pick(
                language,
                "Không có giỏ hàng nào với mã này.",
                "No basket has this code.",
            )
            .to_owned(),
        ),
        TillNotice::TooManyCodes => (
            Tone::Wait,
            text::pick(
                language,
                "Sai nhiều lần. Xin chờ một chút.",
                "Wrong too often. Please wait a little.",
            )
            .to_owned(),
        ),
        TillNotice::BasketInTheWay => (
            Tone::Wait,
            text::pick(
                language,
                "Đang có một giỏ hàng ở đây.",
                "There is a basket here already.",
            )
            .to_owned(),
        ),
        _ => (
            Tone::Wait,
            text::pick(
                language,
                "Chỉ nhân viên làm được bước này.",
                "Only staff can do this.",
            )
            .to_owned(),
        ),
    };
    (NoticeKind::Message, tone, words)
}

fn voucher_taken(language: crate::format::Language, paid: Money, rest: Money) -> String {
    let (paid, left) = (money(paid, language), money(rest, language));
    match (language, rest.minor > 0) {
        (crate::format::Language::Vietnamese, true) => {
            format!("Phiếu đã trả {paid}. Còn {left} trên phiếu mới.")
        }
        (crate::format::Language::Vietnamese, false) => format!("Phiếu đã trả {paid}."),
        (crate::format::Language::English, true) => {
            format!("The voucher paid {paid}. {left} are on a new one.")
        }
        (crate::format::Language::English, false) => format!("The voucher paid {paid}."),
    }
}
