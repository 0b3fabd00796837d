//! The PIN pad and the desk.

use super::shop::unit_price;
use super::{Presenter, rows, text};
use crate::app::{DeskView, Model, PinProblem as DeskPin};
use crate::format::{countdown, money, quantity};
use checkout::pricing::gross_minor;
use checkout::till::{
    AttemptStatus, DeviceKind, DeviceState, PrintOutcome, Screen as TillScreen, TenderKind,
};
use checkout::{Money, TypedFault};
use kiosk_ui::{DeviceLine, PinProblem, StaffAdapter, StaffTask, StaffView, Tone, WeightProblem};
use slint::{ComponentHandle, SharedString};

impl Presenter {
    pub(super) fn show_pin(&self, model: &Model<'_>) {
        let staff = self.ui.global::<StaffAdapter>();
        staff.set_view(StaffView::Pin);
        let entered = i32::try_from(model.desk.pin.len()).unwrap_or(i32::MAX);
        staff.set_pin_entered(entered);
        let locked_ms = model.desk.locked_ms(model.now.mono_ms);
        staff.set_pin_problem(match model.desk.problem {
            _ if locked_ms > 0 => PinProblem::Locked,
            DeskPin::Wrong => PinProblem::Wrong,
            DeskPin::None | DeskPin::Locked => PinProblem::None,
        });
        staff.set_locked_for(countdown(locked_ms).into());
    }

    pub(super) fn show_desk(&self, model: &Model<'_>) {
        let staff = self.ui.global::<StaffAdapter>();
        staff.set_view(match model.desk.view {
            DeskView::Panel => StaffView::Panel,
            DeskView::Cash => StaffView::Cash,
            DeskView::Weight => StaffView::Weight,
            DeskView::Doubt => StaffView::Doubt,
            DeskView::Devices => StaffView::Devices,
            DeskView::Transfer => StaffView::Transfer,
            DeskView::Review => StaffView::Review,
            DeskView::GiveBack => StaffView::GiveBack,
        });
        let who = model.view.staff.as_ref();
        staff.set_staff_name(who.map(|id| id.0.as_str()).unwrap_or_default().into());
        staff.set_kiosk_name(model.config.file.shop.name.as_str().into());
        staff.set_version(env!("CARGO_PKG_VERSION").into());
        self.show_waiting(model);
        self.show_cash_pad(model);
        self.show_weight_pad(model);
        self.show_transfer(model);
        self.show_review(model);
        self.show_give_back(model);
        self.show_devices(model);
        self.show_day(model);
        rows::sync(&self.rows.tasks, tasks(model));
    }

    fn show_waiting(&self, model: &Model<'_>) {
        let staff = self.ui.global::<StaffAdapter>();
        let visit = model.state.visit.as_ref();
        let active = visit.and_then(|visit| {
            let id = visit.active?;
            visit.attempts.iter().find(|attempt| attempt.id == id)
        });
        let limited = visit.and_then(|visit| {
            let needed = visit.basket.min_age()?;
            (visit.age_confirmed.is_none_or(|age| age < needed)).then_some((visit, needed))
        });
        staff.set_age_waiting(limited.is_some());
        if let Some((visit, needed)) = limited {
            let lines = visit.basket.lines.iter();
            let item = lines
                .map(|line| &line.item)
                .find(|item| item.min_age.is_some());
            let name = item.map(|item| item.name_in(model.language.code()));
            staff.set_age_item(name.unwrap_or_default().into());
            staff.set_age_limit(i32::from(needed));
        }
        let currency = model.config.currency;
        let cash = active.filter(|attempt| {
            attempt.kind == TenderKind::Cash && attempt.status == AttemptStatus::Waiting
        });
        staff.set_cash_waiting(cash.is_some());
        let doubt = active.filter(|attempt| attempt.status == AttemptStatus::Unknown);
        staff.set_doubt_waiting(doubt.is_some());
        if let Some(attempt) = doubt {
            let amount = Money::new(attempt.amount_minor, currency);
            staff.set_doubt_attempt(attempt.id.to_string().into());
            staff.set_doubt_amount(money(amount, model.language).into());
            staff.set_doubt_method(text::tender(model.language, attempt.kind).into());
            self.show_doubt(model, attempt);
        }
        staff.set_help_waiting(model.view.help_called);
        staff.set_help_waited(SharedString::default());
    }

    fn show_cash_pad(&self, model: &Model<'_>) {
        let staff = self.ui.global::<StaffAdapter>();
        let currency = model.config.currency;
        let due = crate::app::cash_due(model.state, model.view);
        let entered = model.desk.cash_minor();
        let say = |minor| money(Money::new(minor, currency), model.language);
        staff.set_cash_amount(say(due).into());
        staff.set_cash_entered(say(entered).into());
        // Given back, or still missing: the screen says which.
        staff.set_cash_change(say((entered - due).abs()).into());
        staff.set_cash_enough(due > 0 && entered >= due);
        let notes = crate::app::notes(due).into_iter();
        rows::sync(
            &self.rows.cash_notes,
            notes.map(|note| say(note).into()).collect(),
        );
    }

    fn show_weight_pad(&self, model: &Model<'_>) {
        let staff = self.ui.global::<StaffAdapter>();
        let visit = model.state.visit.as_ref();
        let weighing = visit.and_then(|visit| visit.weighing.as_ref());
        staff.set_weight_waiting(weighing.is_some());
        let Some(weighing) = weighing else {
            return;
        };
        let item = &weighing.new.item;
        let (unit, language) = (&item.unit, model.language);
        let label = unit.label();
        let typed = model.desk.weight.quantity();
        let checked = typed.map(|quantity| unit.check_typed(quantity));
        staff.set_weight_item(item.name_in(language.code()).into());
        staff.set_weight_unit_price(unit_price(model, item).into());
        let text = model.desk.weight.text(language.decimal());
        let shown = if text.is_empty() {
            "–".to_owned()
        } else {
            text
        };
        staff.set_weight_entered(format!("{shown}\u{a0}{label}").into());
        let max = quantity(unit.typed_max(), language);
        staff.set_weight_max(format!("{max}\u{a0}{label}").into());
        staff.set_weight_problem(match checked {
            None => WeightProblem::Empty,
            Some(Err(TypedFault::TooMuch { .. })) => WeightProblem::TooMuch,
            Some(Err(TypedFault::NotPositive | TypedFault::TooFine)) => WeightProblem::Zero,
            Some(Ok(())) => WeightProblem::None,
        });
        let price = item.price_at(model.now.local().date);
        let gross = match (price, typed, checked) {
            (Some(price), Some(quantity), Some(Ok(()))) => gross_minor(price, quantity).ok(),
            _ => None,
        };
        let gross = gross.map(|minor| money(Money::new(minor, model.config.currency), language));
        staff.set_weight_price(gross.unwrap_or_else(|| "–".to_owned()).into());
        let sign = match unit.decimals() {
            0 => String::new(),
            _ => language.decimal().to_string(),
        };
        staff.set_weight_sign(sign.into());
    }

    fn show_devices(&self, model: &Model<'_>) {
        let kinds = [
            (
                DeviceKind::Scanner,
                model.config.file.scanner.is_some(),
                "Máy quét",
                "Scanner",
            ),
            (
                DeviceKind::Printer,
                model.config.file.printer.is_some(),
                "Máy in",
                "Printer",
            ),
            (
                DeviceKind::Terminal,
                model.config.file.terminal.is_some(),
                "Máy thẻ",
                "Card terminal",
            ),
            (
                DeviceKind::Bank,
                model.config.file.bank.is_some(),
                "Ngân hàng QR",
                "QR bank",
            ),
        ];
        let lines = kinds.into_iter().filter(|(_, configured, ..)| *configured);
        let lines = lines.map(|(kind, _, vi, en)| {
            let state = model
                .view
                .devices
                .get(&kind)
                .copied()
                .unwrap_or(DeviceState::Up);
            let (vi_state, en_state, tone) = match state {
                DeviceState::Up => ("Sẵn sàng", "Ready", Tone::Good),
                DeviceState::Warning => ("Cần để ý", "Needs a look", Tone::Wait),
                DeviceState::Down => ("Mất kết nối", "Not there", Tone::Alarm),
            };
            let mut words = text::pick(model.language, vi_state, en_state).to_owned();
            if kind == DeviceKind::Bank {
                words.push_str(&super::staff_money::payee_line(model));
            }
            DeviceLine {
                id: format!("{kind:?}").into(),
                name: text::pick(model.language, vi, en).into(),
                state: words.into(),
                tone,
                can_test: kind == DeviceKind::Printer,
            }
        });
        rows::sync(&self.rows.devices, lines.collect());
    }
}

/// What waits for staff beyond this shopper, in finished words.
fn tasks(model: &Model<'_>) -> Vec<StaffTask> {
    let language = model.language;
    let say = |vi: &str, en: &str| SharedString::from(text::pick(language, vi, en));
    let state = model.state;
    let mut tasks = Vec::new();
    if matches!(model.view.screen, TillScreen::Cash { .. }) {
        tasks.push(StaffTask {
            id: "cash".into(),
            title: say("Khách không trả tiền mặt?", "No cash after all?"),
            detail: say("Khách chọn lại cách trả.", "The shopper chooses again."),
            first: say("Không nhận tiền mặt", "No cash taken"),
            second: SharedString::default(),
        });
    }
    tasks.extend(super::card_orders::task(model));
    tasks.extend(state.reviews.iter().map(|review| StaffTask {
        id: format!("review:{}", review.id.0).into(),
        title: super::staff_money::title(model, review).into(),
        detail: super::staff_money::line(model, review).into(),
        first: say("Xem và quyết định", "Look and decide"),
        second: SharedString::default(),
    }));
    tasks.extend(super::staff_money::tasks(model));
    let doubtful = state.unprinted.iter().filter(|receipt| {
        matches!(
            receipt.outcome,
            PrintOutcome::Failed(_) | PrintOutcome::Unknown
        )
    });
    tasks.extend(doubtful.map(|receipt| {
        StaffTask {
            id: format!("receipt:{}", receipt.receipt_number).into(),
            title: format!(
                "{} {}",
                text::pick(
                    language,
                    "Chưa chắc đã in hóa đơn",
                    "Perhaps not printed: receipt"
                ),
                receipt.receipt_number
            )
            .into(),
            detail: SharedString::default(),
            first: say("In bản sao", "Print a copy"),
            second: say("Bỏ qua", "Leave it"),
        }
    }));
    tasks.extend(state.parked.iter().map(|parked| {
        StaffTask {
            id: format!("parked:{}", parked.code).into(),
            title: format!(
                "{} {}",
                text::pick(language, "Giỏ để lại", "Parked basket"),
                parked.code
            )
            .into(),
            detail: model.clock.local(parked.parked_wall_ms, "%H:%M").into(),
            first: say("Mở lại", "Open"),
            second: say("Bỏ giỏ này", "Discard"),
        }
    }));
    tasks
}
