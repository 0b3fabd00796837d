//! From the till's view to what the screens show.
//!
//! With `ui/` this is the only room that knows Slint. Each screen has an
//! adapter of plain strings; the functions here fill it. Nothing here decides
//! anything: no rule, no arithmetic on money beyond choosing what to print.

mod callbacks;
mod card_orders;
pub mod controls;
pub mod counter;
mod day;
mod doubt;
mod finish;
mod frames;
mod pay;
pub mod qr_image;
mod rows;
mod shop;
mod staff;
mod staff_money;
pub mod text;

pub(crate) use callbacks::changed;
pub use callbacks::{Post, connect};

use crate::app::{Model, Panel};
use crate::format::{self, Language};
use crate::store::StorageLevel;
use checkout::till::{Screen as TillScreen, StoreFault};
use kiosk_ui::{
    AccessAdapter, AttractAdapter, HelpAdapter, HelpPhase, IdleAdapter, MainWindow,
    OutOfOrderAdapter, OutReason, ResumeAdapter, Screen, ShellAdapter,
};
use rows::Rows;
use slint::{ComponentHandle, SharedString};

/// Fills the adapters, touching only what changed, so that an idle screen
/// draws nothing.
pub struct Presenter {
    ui: MainWindow,
    rows: Rows,
    language: Option<Language>,
}

impl Presenter {
    /// A presenter for a window.
    pub fn new(ui: MainWindow) -> Self {
        let rows = Rows::install(&ui);
        Self {
            ui,
            rows,
            language: None,
        }
    }

    /// The window.
    pub fn window(&self) -> &MainWindow {
        &self.ui
    }

    /// Shows the model.
    pub fn show(&mut self, model: &Model<'_>) {
        self.show_language(model.language);
        self.show_shell(model);
        self.show_access(model);
        match self.panel_screen(model) {
            Some(screen) => self.ui.set_screen(screen),
            None => self.show_till(model),
        }
    }

    fn show_language(&mut self, language: Language) {
        if self.language != Some(language) {
            self.language = Some(language);
            if let Err(error) = kiosk_ui::select_language(language.code()) {
                tracing::error!(%error, "language");
            }
        }
    }

    fn show_shell(&self, model: &Model<'_>) {
        let shell = self.ui.global::<ShellAdapter>();
        let code = model.language.code();
        shell.set_shop_name(model.config.file.shop.name.as_str().into());
        shell.set_language(code.into());
        shell.set_language_short(code.to_uppercase().into());
        shell.set_help_called(model.view.help_called);
        let clock = if crate::clock::is_plausible(model.now.wall_ms) {
            model.clock.hours_minutes(model.now.wall_ms)
        } else {
            String::new()
        };
        // Only the attract screen shows the clock; elsewhere it must not redraw.
        if matches!(model.view.screen, TillScreen::Attract { .. }) {
            shell.set_clock(clock.into());
        }
    }

    fn show_access(&self, model: &Model<'_>) {
        let access = self.ui.global::<AccessAdapter>();
        let wishes = model.panels.access;
        access.set_large_text(wishes.large_text);
        access.set_high_contrast(wishes.high_contrast);
        access.set_reach(wishes.reach);
        access.set_more_time(wishes.more_time);
    }

    /// A panel over the till's screen, if one is open.
    fn panel_screen(&self, model: &Model<'_>) -> Option<Screen> {
        self.show_coupon(model);
        match model.panels.open? {
            Panel::Access => Some(Screen::Access),
            Panel::Privacy => Some(Screen::Privacy),
            Panel::Resume => {
                let resume = self.ui.global::<ResumeAdapter>();
                resume.set_code(model.panels.resume_code.as_str().into());
                resume.set_problem(shop::resume_problem(model));
                Some(Screen::Resume)
            }
            Panel::Staff => {
                self.show_pin(model);
                Some(Screen::Staff)
            }
            Panel::Coupon => None,
        }
    }

    fn show_till(&self, model: &Model<'_>) {
        let screen = match &model.view.screen {
            TillScreen::Attract { .. } if model.space == StorageLevel::NoSales => {
                self.show_out_of_order(model, StoreFault::Full);
                Screen::OutOfOrder
            }
            TillScreen::AgeCheck { .. }
            | TillScreen::Cash { .. }
            | TillScreen::Unknown { .. }
            | TillScreen::Qr(_)
            | TillScreen::Help { .. }
            | TillScreen::Staff(_)
                if model.view.staff.is_some() =>
            {
                self.show_desk(model);
                Screen::Staff
            }
            TillScreen::Attract { parked } => {
                self.show_attract(model, *parked);
                Screen::Attract
            }
            TillScreen::Shop | TillScreen::Weigh { .. } | TillScreen::Choose { .. } => {
                self.show_shop(model);
                Screen::Shop
            }
            TillScreen::AgeCheck { min_age } => {
                self.show_age(model, *min_age);
                Screen::Age
            }
            TillScreen::Pay(pay) => {
                self.show_pay(model, pay);
                Screen::Pay
            }
            TillScreen::Card { amount, step, .. } => {
                self.show_card(model, *amount, step);
                Screen::Card
            }
            TillScreen::Qr(qr) => {
                self.show_qr(model, qr);
                Screen::Qr
            }
            TillScreen::Underpaid(short) => {
                self.show_underpaid(model, short);
                Screen::Underpaid
            }
            TillScreen::BankCheck(check) => {
                self.show_bank_check(check);
                Screen::BankCheck
            }
            TillScreen::Cash { amount, exact, .. } => {
                self.show_cash(model, *amount, *exact);
                Screen::Cash
            }
            TillScreen::Unknown {
                attempt,
                amount,
                needs_staff,
                why,
                slip,
                ..
            } => {
                let doubt = doubt::Shown {
                    needs_staff: *needs_staff,
                    why: *why,
                    slip: *slip,
                };
                self.show_unknown(model, *attempt, *amount, &doubt);
                Screen::Unknown
            }
            // A few milliseconds: what was there stays until the disk has it.
            TillScreen::Saving { .. } => self.ui.get_screen(),
            TillScreen::Paid(paid) => {
                self.show_paid(model, paid, None, false);
                Screen::Paid
            }
            TillScreen::Tap { paid, chosen } => {
                self.show_paid(model, paid, *chosen, true);
                Screen::Paid
            }
            TillScreen::Reasons { face, reasons } => {
                self.show_reasons(model, *face, reasons);
                Screen::Reasons
            }
            TillScreen::Thanks { paid } => {
                self.show_thanks(model, paid);
                Screen::Thanks
            }
            TillScreen::Help { since_mono_ms } => {
                self.show_help(model, *since_mono_ms);
                Screen::Help
            }
            TillScreen::Idle => {
                self.show_idle(model);
                Screen::Idle
            }
            TillScreen::Parked {
                code,
                until_wall_ms,
                ..
            } => {
                self.show_parked(model, code, *until_wall_ms);
                Screen::Parked
            }
            TillScreen::Staff(_) => {
                self.show_desk(model);
                Screen::Staff
            }
            TillScreen::OutOfOrder { fault, .. } => {
                self.show_out_of_order(model, *fault);
                Screen::OutOfOrder
            }
        };
        self.ui.set_screen(screen);
    }

    fn show_attract(&self, model: &Model<'_>, parked: u32) {
        let attract = self.ui.global::<AttractAdapter>();
        attract.set_can_resume(parked > 0);
        let said = &model.config.file.attract.we_did;
        let said = said.get(model.language.code());
        attract.set_you_said(said.map(String::as_str).unwrap_or_default().into());
        attract.set_service_line(self.service_line(model).into());
        self.rows.promos(model);
    }

    /// What does not work today, in words; empty when all is well.
    fn service_line(&self, model: &Model<'_>) -> String {
        use checkout::till::{DeviceKind, DeviceState};
        let down = |kind| model.view.devices.get(&kind) == Some(&DeviceState::Down);
        let mut parts = Vec::new();
        let language = model.language;
        if model.config.file.terminal.is_some() && down(DeviceKind::Terminal) {
            parts.push(text::pick(language, "thẻ", "card"));
        }
        if model.config.file.bank.is_some() && down(DeviceKind::Bank) {
            parts.push(text::pick(language, "mã QR", "QR code"));
        }
        if model.config.file.printer.is_some() && down(DeviceKind::Printer) {
            parts.push(text::pick(language, "hóa đơn giấy", "paper receipts"));
        }
        parts.join(", ")
    }

    fn show_help(&self, model: &Model<'_>, since_mono_ms: u64) {
        let help = self.ui.global::<HelpAdapter>();
        let waited_ms = model.now.mono_ms.saturating_sub(since_mono_ms);
        help.set_phase(if model.view.staff.is_some() {
            HelpPhase::Coming
        } else if waited_ms > 90_000 {
            HelpPhase::Late
        } else {
            HelpPhase::Calling
        });
        help.set_waited(format::countdown(waited_ms).into());
    }

    fn show_idle(&self, model: &Model<'_>) {
        let idle = self.ui.global::<IdleAdapter>();
        let deadline = model.view.deadline;
        let left_ms = deadline.map_or(0, |d| d.at_mono_ms.saturating_sub(model.now.mono_ms));
        let seconds = left_ms.div_ceil(1000);
        idle.set_seconds_left(i32::try_from(seconds).unwrap_or(i32::MAX));
        idle.set_basket_empty(model.view.basket.lines.is_empty());
    }

    fn show_out_of_order(&self, model: &Model<'_>, fault: StoreFault) {
        let out = self.ui.global::<OutOfOrderAdapter>();
        out.set_alone(false);
        out.set_detail(crate::remedy::of_fault(fault, model.language).into());
        out.set_technical(SharedString::default());
        out.set_reason(OutReason::MoneyStore);
        out.set_code(
            match fault {
                StoreFault::Full => "E-STORE-FULL",
                StoreFault::ReadOnly => "E-STORE-READONLY",
                StoreFault::Broken => "E-STORE-BROKEN",
                StoreFault::Busy => "E-STORE-BUSY",
            }
            .into(),
        );
    }
}

/// A picture of the product, or an empty one.
pub(crate) fn picture(key: Option<&str>) -> slint::Image {
    key.and_then(kiosk_ui::picture).unwrap_or_default()
}

/// The first letter of a name, for products without a picture.
pub(crate) fn initial(name: &str) -> SharedString {
    name.chars()
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default()
        .into()
}
