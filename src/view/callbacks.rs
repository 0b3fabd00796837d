//! From touches to events: every callback of every adapter, in one place.

use super::pay::tender_kind;
use crate::app::{AppEvent, DeskView, Panel, UiEvent};
use checkout::Quantity;
use checkout::basket::LineId;
use checkout::till::{Event, Lang, StaffEvent, TenderKind};
use kiosk_ui::{
    AccessAdapter, AgeAdapter, AttractAdapter, BankCheckAdapter, BasketAdapter, CardAdapter,
    CashAdapter, CouponAdapter, HelpAdapter, IdleAdapter, MainWindow, PaidAdapter, ParkedAdapter,
    PayAdapter, QrAdapter, ReasonsAdapter, ResumeAdapter, ShellAdapter, ShopAdapter, StaffAdapter,
    StaffView, ThanksAdapter, UnderpaidAdapter, UnknownAdapter,
};
use slint::ComponentHandle;
use std::rc::Rc;

/// Where touches go; runs on the UI thread, at once.
pub type Post = Rc<dyn Fn(AppEvent)>;

/// Connects every callback of the window to `post`.
pub fn connect(ui: &MainWindow, post: &Post) {
    shell(ui, post);
    shop(ui, post);
    basket(ui, post);
    paying(ui, post);
    after(ui, post);
    panels(ui, post);
    desk_pads(ui, post);
    desk_choices(ui, post);
}

/// A callback without arguments that posts one event.
macro_rules! on {
    ($post:expr, $adapter:expr, $($callback:ident => $event:expr),+ $(,)?) => {
        $({
            let post = $post.clone();
            $adapter.$callback(move || post($event));
        })+
    };
}

/// A callback with one text that posts one event.
macro_rules! on_text {
    ($post:expr, $adapter:expr, $($callback:ident($text:ident) => $event:expr),+ $(,)?) => {
        $({
            let post = $post.clone();
            $adapter.$callback(move |$text| post($event));
        })+
    };
}

fn till(event: Event) -> AppEvent {
    AppEvent::Till(event)
}

fn ui_event(event: UiEvent) -> AppEvent {
    AppEvent::Ui(event)
}

fn staff_event(event: StaffEvent) -> AppEvent {
    AppEvent::Till(Event::Staff(event))
}

/// The basket line a row belongs to; rows of discounts and deposits have none.
fn line_id(text: &str) -> Option<LineId> {
    text.parse().ok().map(LineId)
}

fn shell(ui: &MainWindow, post: &Post) {
    let adapter = ui.global::<ShellAdapter>();
    on!(post, adapter,
        on_touched => till(Event::Touched),
        on_call_help => till(Event::CallHelp),
        on_next_language => ui_event(UiEvent::NextLanguage),
        on_open_access => ui_event(UiEvent::OpenPanel(Panel::Access)),
        on_open_privacy => ui_event(UiEvent::OpenPanel(Panel::Privacy)),
        on_close_panel => ui_event(UiEvent::ClosePanel),
        on_open_staff => ui_event(UiEvent::OpenPanel(Panel::Staff)),
    );
    on_text!(post, adapter,
        on_switch_language(code) => till(Event::SetLanguage(Lang::new(&code))));
    let attract = ui.global::<AttractAdapter>();
    on!(post, attract,
        on_start => till(Event::Start),
        on_resume => ui_event(UiEvent::OpenPanel(Panel::Resume)),
    );
}

fn shop(ui: &MainWindow, post: &Post) {
    let adapter = ui.global::<ShopAdapter>();
    on!(post, adapter,
        on_open_search => ui_event(UiEvent::OpenSearch),
        on_close_search => ui_event(UiEvent::CloseSearch),
        on_erase_search => ui_event(UiEvent::EraseSearch),
        on_clear_search => ui_event(UiEvent::ClearSearch),
        on_dismiss_notice => ui_event(UiEvent::DismissNotice),
        on_confirm_weight => till(Event::Touched),
        on_cancel_weight => ui_event(UiEvent::CancelWeight),
    );
    on_text!(post, adapter,
        on_choose_category(id) => ui_event(UiEvent::ChooseCategory(id.into())),
        on_add(id) => ui_event(UiEvent::AddProduct(id.into())),
        on_type_search(key) => ui_event(UiEvent::TypeSearch(key.into())),
    );
}

fn basket(ui: &MainWindow, post: &Post) {
    let adapter = ui.global::<BasketAdapter>();
    on!(post, adapter,
        on_park => till(Event::Park),
        on_pay => till(Event::Pay),
    );
    on_text!(post, adapter,
        on_increase(id) => ui_event(UiEvent::ChangeQuantity(id.into(), 1)),
        on_decrease(id) => ui_event(UiEvent::ChangeQuantity(id.into(), -1)),
    );
    let remove = post.clone();
    adapter.on_remove(move |id| {
        if let Some(line) = line_id(&id) {
            remove(till(Event::Remove(line)));
        }
    });
    let age = ui.global::<AgeAdapter>();
    on!(post, age,
        on_remove_item => ui_event(UiEvent::RemoveAgeLimited),
        on_later => till(Event::Back),
    );
}

fn paying(ui: &MainWindow, post: &Post) {
    let pay = ui.global::<PayAdapter>();
    let choose = post.clone();
    pay.on_choose(move |kind| choose(till(Event::ChooseTender(tender_kind(kind)))));
    on!(post, pay, on_back => till(Event::Back));
    let card = ui.global::<CardAdapter>();
    on!(post, card,
        on_cancel => till(Event::CancelTender),
        on_retry => till(Event::Back),
        on_other_method => till(Event::CancelTender),
    );
    let qr = ui.global::<QrAdapter>();
    on!(post, qr,
        on_cancel => till(Event::CancelTender),
        on_extend => till(Event::ExtendOffer),
    );
    let underpaid = ui.global::<UnderpaidAdapter>();
    on!(post, underpaid,
        on_scan_rest => till(Event::ChooseTender(TenderKind::Qr)),
        on_other_method => till(Event::Back),
    );
    let check = ui.global::<BankCheckAdapter>();
    on!(post, check,
        on_ask_again => till(Event::ExtendOffer),
        on_go_on => till(Event::GoOn),
        on_back => till(Event::Back),
    );
    let cash = ui.global::<CashAdapter>();
    on!(post, cash,
        on_cancel => till(Event::CancelTender),
        on_done => till(Event::Done),
    );
}

fn after(ui: &MainWindow, post: &Post) {
    let paid = ui.global::<PaidAdapter>();
    let tap = post.clone();
    paid.on_tap(move |face| {
        if let Ok(face) = u8::try_from(face) {
            tap(till(Event::Face(face)));
        }
    });
    on!(post, paid,
        on_skip => till(Event::Skip),
        on_open_e_receipt => ui_event(UiEvent::OpenEReceipt(true)),
        on_close_e_receipt => ui_event(UiEvent::OpenEReceipt(false)),
        on_print_paper => till(Event::CallHelp),
    );
    let reasons = ui.global::<ReasonsAdapter>();
    on_text!(post, reasons, on_toggle(id) => ui_event(UiEvent::ToggleReason(id.into())));
    on!(post, reasons,
        on_done => ui_event(UiEvent::SendReasons),
        on_skip => till(Event::Skip),
    );
    let thanks = ui.global::<ThanksAdapter>();
    on!(post, thanks, on_done => till(Event::Done));
    let unknown = ui.global::<UnknownAdapter>();
    on!(post, unknown, on_print_slip => till(Event::PrintSlip));
    let help = ui.global::<HelpAdapter>();
    on!(post, help, on_cancel => till(Event::CancelHelp));
    let idle = ui.global::<IdleAdapter>();
    on!(post, idle,
        on_stay => till(Event::ExtendIdle),
        on_finish => till(Event::Abandon),
    );
    let parked = ui.global::<ParkedAdapter>();
    on!(post, parked,
        on_done => till(Event::Done),
        on_resume_now => till(Event::Back),
    );
}

fn panels(ui: &MainWindow, post: &Post) {
    let access = ui.global::<AccessAdapter>();
    let set = |change: fn(&mut crate::app::Access, bool)| {
        let post = post.clone();
        move |on| post(ui_event(UiEvent::SetAccess(change, on)))
    };
    access.on_set_large_text(set(|access, on| access.large_text = on));
    access.on_set_high_contrast(set(|access, on| access.high_contrast = on));
    access.on_set_reach(set(|access, on| access.reach = on));
    access.on_set_more_time(set(|access, on| access.more_time = on));
    let resume = ui.global::<ResumeAdapter>();
    on_text!(post, resume, on_type(key) => ui_event(UiEvent::ResumeKey(key.into())));
    on!(post, resume,
        on_erase => ui_event(UiEvent::ResumeErase),
        on_submit => ui_event(UiEvent::ResumeSubmit),
        on_back => ui_event(UiEvent::ClosePanel),
    );
    let coupon = ui.global::<CouponAdapter>();
    on_text!(post, coupon, on_type(key) => ui_event(UiEvent::CouponKey(key.into())));
    on!(post, coupon,
        on_show => ui_event(UiEvent::OpenPanel(Panel::Coupon)),
        on_erase => ui_event(UiEvent::CouponErase),
        on_apply => ui_event(UiEvent::CouponApply),
        on_close => ui_event(UiEvent::ClosePanel),
    );
}

fn desk_pads(ui: &MainWindow, post: &Post) {
    let staff = ui.global::<StaffAdapter>();
    on_text!(post, staff,
        on_pin_key(key) => ui_event(UiEvent::PinKey(key.into())),
        on_cash_key(key) => ui_event(UiEvent::CashKey(key.into())),
        on_weight_key(key) => ui_event(UiEvent::WeightKey(key.into())),
        on_transfer_key(key) => ui_event(UiEvent::TransferKey(key.into())),
        on_choose(id) => ui_event(UiEvent::ReviewChoose(id.into())),
        on_give_back_key(key) => ui_event(UiEvent::GiveBackKey(key.into())),
    );
    on!(post, staff,
        on_pin_erase => ui_event(UiEvent::PinErase),
        on_pin_submit => ui_event(UiEvent::PinSubmit),
        on_cash_erase => ui_event(UiEvent::CashErase),
        on_cash_exact => ui_event(UiEvent::CashExact),
        on_cash_confirm => ui_event(UiEvent::CashConfirm),
        on_weight_erase => ui_event(UiEvent::WeightErase),
        on_transfer_erase => ui_event(UiEvent::TransferErase),
        on_transfer_confirm => ui_event(UiEvent::TransferConfirm),
        on_weight_confirm => ui_event(UiEvent::WeightConfirm),
        on_weight_refuse => ui_event(UiEvent::WeightRefuse),
        on_open_give_back => ui_event(UiEvent::OpenGiveBack),
        on_give_back_erase => ui_event(UiEvent::GiveBackErase),
        on_give_back_all => ui_event(UiEvent::GiveBackAll),
        on_give_back_next => ui_event(UiEvent::GiveBackNext),
        on_give_back_other => ui_event(UiEvent::GiveBackOther),
        on_give_back_confirm => ui_event(UiEvent::GiveBackConfirm),
        on_leave => ui_event(UiEvent::LeaveDesk),
        on_sign_out => ui_event(UiEvent::LeaveDesk),
    );
    let note = post.clone();
    staff.on_cash_note(move |index| {
        if let Ok(index) = usize::try_from(index) {
            note(ui_event(UiEvent::CashNote(index)));
        }
    });
}

fn desk_choices(ui: &MainWindow, post: &Post) {
    let staff = ui.global::<StaffAdapter>();
    let task = post.clone();
    staff.on_task(move |id, second| task(ui_event(UiEvent::DeskTask(id.into(), second))));
    on_text!(post, staff, on_device_test(id) => ui_event(UiEvent::TestDevice(id.into())));
    let show = post.clone();
    staff.on_show(move |view| {
        let view = match view {
            StaffView::Cash => DeskView::Cash,
            StaffView::Weight => DeskView::Weight,
            StaffView::Doubt => DeskView::Doubt,
            StaffView::Devices => DeskView::Devices,
            StaffView::Transfer => DeskView::Transfer,
            StaffView::Review => DeskView::Review,
            StaffView::GiveBack => DeskView::GiveBack,
            StaffView::Panel | StaffView::Pin => DeskView::Panel,
        };
        show(ui_event(UiEvent::ShowDesk(view)));
    });
    on!(post, staff,
        on_age_approve => staff_event(StaffEvent::AgeApproved),
        on_age_refuse => staff_event(StaffEvent::AgeRefused),
        on_doubt_was_paid => ui_event(UiEvent::DoubtPaid),
        on_doubt_was_not_paid => ui_event(UiEvent::DoubtNotPaid),
        on_doubt_was_given_back => ui_event(UiEvent::DoubtGivenBack),
        on_doubt_print_slip => staff_event(StaffEvent::PrintSlip),
        on_reprint => ui_event(UiEvent::Reprint),
        on_shop_copy => ui_event(UiEvent::ShopCopy),
        on_print_x => ui_event(UiEvent::PrintX),
        on_close_day => ui_event(UiEvent::CloseDay),
        on_keep_day_open => ui_event(UiEvent::KeepDayOpen),
        on_print_z_again => ui_event(UiEvent::PrintZAgain),
        on_open_drawer => ui_event(UiEvent::OpenDrawer),
        on_help_done => staff_event(StaffEvent::HelpDone),
    );
}

/// One more or one less of a line.
pub(crate) fn changed(quantity: Quantity, by_pieces: i64) -> Quantity {
    Quantity::milli((quantity.milli + by_pieces * 1000).max(0))
}
