//! Every picture: a screen and what is special about it.

use kiosk_ui::*;
use slint::ComponentHandle;

use super::{Words, model, qr_image};

/// A named state of the window.
pub struct Case {
    pub name: &'static str,
    pub screen: Screen,
    /// Also drawn with large text, in high contrast and in reach.
    pub key: bool,
    pub set: fn(&MainWindow),
}

const fn case(name: &'static str, screen: Screen, set: fn(&MainWindow)) -> Case {
    Case {
        name,
        screen,
        key: false,
        set,
    }
}

const fn key_case(name: &'static str, screen: Screen, set: fn(&MainWindow)) -> Case {
    Case {
        name,
        screen,
        key: true,
        set,
    }
}

fn as_filled(_: &MainWindow) {}

fn empty_basket(ui: &MainWindow) {
    let basket = ui.global::<BasketAdapter>();
    basket.set_lines(model(Vec::new()));
    basket.set_item_count(0);
    basket.set_total("0\u{a0}₫".into());
}

fn notice(ui: &MainWindow, kind: NoticeKind, tone: Tone, detail: &str) {
    ui.global::<ShopAdapter>().set_notice(Notice {
        kind,
        tone,
        detail: detail.into(),
    });
}

fn searching(ui: &MainWindow, text: &str) {
    let shop = ui.global::<ShopAdapter>();
    shop.set_searching(true);
    shop.set_search_text(text.into());
}

fn staff(ui: &MainWindow, view: StaffView) {
    ui.global::<StaffAdapter>().set_view(view);
}

/// The panel of a quiet shop.
fn day_only(ui: &MainWindow) -> StaffAdapter<'_> {
    staff(ui, StaffView::Panel);
    let staff = ui.global::<StaffAdapter>();
    staff.set_age_waiting(false);
    staff.set_doubt_waiting(false);
    staff.set_tasks(model(Vec::new()));
    staff.set_can_give_back(false);
    staff.set_last_terminal("".into());
    staff
}

pub const CASES: &[Case] = &[
    case("starting", Screen::Starting, as_filled),
    key_case("attract", Screen::Attract, as_filled),
    case("attract-resume", Screen::Attract, |ui| {
        let attract = ui.global::<AttractAdapter>();
        attract.set_can_resume(true);
        attract.set_service_line("thẻ".into());
    }),
    key_case("shop", Screen::Shop, as_filled),
    case("shop-empty", Screen::Shop, empty_basket),
    case("shop-notice", Screen::Shop, |ui| {
        notice(ui, NoticeKind::UnknownCode, Tone::Wait, "8934563138165");
    }),
    case("shop-search", Screen::Shop, |ui| {
        searching(ui, "ca phe");
        let shop = ui.global::<ShopAdapter>();
        let first: Vec<Product> = slint::Model::iter(&shop.get_products()).take(3).collect();
        shop.set_products(model(first));
    }),
    case("shop-nothing-found", Screen::Shop, |ui| {
        searching(ui, "xyz");
        ui.global::<ShopAdapter>().set_products(model(Vec::new()));
    }),
    case("weigh", Screen::Shop, |ui| {
        ui.global::<ShopAdapter>()
            .set_weigh_phase(WeighPhase::Stable)
    }),
    case("weigh-empty", Screen::Shop, |ui| {
        ui.global::<ShopAdapter>()
            .set_weigh_phase(WeighPhase::Empty)
    }),
    case("weigh-staff", Screen::Shop, |ui| {
        ui.global::<ShopAdapter>()
            .set_weigh_phase(WeighPhase::Staff)
    }),
    case("coupon", Screen::Pay, |ui| {
        let coupon = ui.global::<CouponAdapter>();
        coupon.set_open(true);
        coupon.set_problem(CouponProblem::Expired);
    }),
    key_case("pay", Screen::Pay, as_filled),
    case("pay-split", Screen::Pay, |ui| {
        let pay = ui.global::<PayAdapter>();
        pay.set_due("46.688\u{a0}₫".into());
        pay.set_tenders(model(vec![TenderLine {
            kind: MethodKind::Qr,
            detail: "".into(),
            amount: "100.000\u{a0}₫".into(),
        }]));
        let mut methods: Vec<PayMethod> = slint::Model::iter(&pay.get_methods()).collect();
        methods[1].block = MethodBlock::DeviceLost;
        pay.set_methods(model(methods));
    }),
    key_case("card", Screen::Card, as_filled),
    case("card-confirming", Screen::Card, |ui| {
        let card = ui.global::<CardAdapter>();
        card.set_phase(CardPhase::Confirming);
        card.set_can_cancel(false);
    }),
    case("card-working", Screen::Card, |ui| {
        ui.global::<CardAdapter>().set_phase(CardPhase::Working)
    }),
    case("card-declined", Screen::Card, |ui| {
        let card = ui.global::<CardAdapter>();
        card.set_phase(CardPhase::Declined);
        card.set_terminal_line("".into());
    }),
    key_case("qr", Screen::Qr, as_filled),
    case("qr-expired", Screen::Qr, |ui| {
        let qr = ui.global::<QrAdapter>();
        qr.set_phase(QrPhase::Expired);
        qr.set_progress(0.0);
        qr.set_countdown("0:00".into());
    }),
    case("qr-preparing", Screen::Qr, |ui| {
        let qr = ui.global::<QrAdapter>();
        qr.set_phase(QrPhase::Preparing);
        qr.set_code(slint::Image::default());
        qr.set_payee("".into());
        qr.set_bank("".into());
    }),
    case("qr-stalled", Screen::Qr, |ui| {
        let qr = ui.global::<QrAdapter>();
        qr.set_phase(QrPhase::Stalled);
        qr.set_code(slint::Image::default());
        qr.set_payee("".into());
        qr.set_bank("".into());
    }),
    case("qr-slow", Screen::Qr, |ui| {
        let qr = ui.global::<QrAdapter>();
        qr.set_phase(QrPhase::Slow);
        qr.set_asked_ago_s(41);
    }),
    case("qr-offline", Screen::Qr, |ui| {
        let qr = ui.global::<QrAdapter>();
        qr.set_phase(QrPhase::Offline);
    }),
    case("qr-by-staff", Screen::Qr, |ui| {
        ui.global::<QrAdapter>().set_by_staff(true)
    }),
    key_case("underpaid", Screen::Underpaid, as_filled),
    case("bank-check", Screen::BankCheck, as_filled),
    key_case("bank-check-silent", Screen::BankCheck, |ui| {
        let check = ui.global::<BankCheckAdapter>();
        check.set_silent(true);
        check.set_offline(true);
    }),
    case("bank-check-by-staff", Screen::BankCheck, |ui| {
        let check = ui.global::<BankCheckAdapter>();
        check.set_silent(true);
        check.set_by_staff(true);
    }),
    case("cash", Screen::Cash, as_filled),
    case("cash-received", Screen::Cash, |ui| {
        ui.global::<CashAdapter>().set_phase(CashPhase::Received)
    }),
    key_case("paid", Screen::Paid, as_filled),
    case("paid-e-receipt", Screen::Paid, |ui| {
        ui.global::<PaidAdapter>().set_e_receipt_open(true)
    }),
    key_case("paid-no-paper", Screen::Paid, |ui| {
        let paid = ui.global::<PaidAdapter>();
        paid.set_print_phase(PrintPhase::PaperOut);
        paid.set_e_receipt_open(true);
        paid.set_e_receipt_code(super::long_qr_image());
    }),
    case("paid-over", Screen::Paid, |ui| {
        ui.global::<PaidAdapter>().set_over("7.000\u{a0}₫".into());
    }),
    case("paid-not-asked", Screen::Paid, |ui| {
        let paid = ui.global::<PaidAdapter>();
        paid.set_asks(false);
        paid.set_print_phase(PrintPhase::Doubtful);
    }),
    key_case("reasons", Screen::Reasons, as_filled),
    case("thanks", Screen::Thanks, as_filled),
    case("help", Screen::Help, as_filled),
    case("age", Screen::Age, as_filled),
    case("age-refused", Screen::Age, |ui| {
        ui.global::<AgeAdapter>().set_phase(AgePhase::Refused)
    }),
    key_case("idle", Screen::Idle, as_filled),
    case("parked", Screen::Parked, as_filled),
    case("resume", Screen::Resume, as_filled),
    case("staff-pin", Screen::Staff, |ui| staff(ui, StaffView::Pin)),
    case("staff-panel", Screen::Staff, |ui| {
        staff(ui, StaffView::Panel)
    }),
    case("staff-day", Screen::Staff, |ui| {
        let staff = day_only(ui);
        staff.set_message(Words::of_shown(ui).of(
            "Đã chốt ngày. Báo cáo Z 17: chưa in, máy in hết giấy. Thay giấy rồi in lại.",
            "Day closed. Z report 17: not printed, the paper is used up. Put in a roll and print again.",
        ));
        staff.set_message_tone(Tone::Alarm);
    }),
    case("staff-day-terminal", Screen::Staff, |ui| {
        let (staff, words) = (day_only(ui), Words::of_shown(ui));
        staff.set_can_give_back(true);
        staff.set_last_terminal(words.of(
            "LỆCH (máy thẻ trừ sổ): +25.000\u{a0}₫, số giao dịch +1",
            "DIFFERENCE (terminal less journal): +25,000\u{a0}₫, transactions +1",
        ));
    }),
    case("staff-give-back", Screen::Staff, |ui| {
        staff(ui, StaffView::GiveBack);
        let (staff, words) = (ui.global::<StaffAdapter>(), Words::of_shown(ui));
        staff.set_give_back_receipt("#142 · 28/11 09:41".into());
        let amount = words.of("146.688\u{a0}₫", "146,688\u{a0}₫");
        staff.set_give_back_paid(amount.clone());
        staff.set_give_back_before("0\u{a0}₫".into());
        staff.set_give_back_typed(amount);
        staff.set_give_back_can_confirm(true);
        staff.set_give_back_way(words.of(
            "Máy thẻ hủy cả giao dịch. Không cần thẻ của khách.",
            "The terminal takes the whole payment back. The shopper's card is not needed.",
        ));
    }),
    case("staff-close-day", Screen::Staff, |ui| {
        day_only(ui).set_asks_to_close(true);
    }),
    case("staff-cash", Screen::Staff, |ui| staff(ui, StaffView::Cash)),
    case("staff-panel-weigh", Screen::Staff, |ui| {
        staff(ui, StaffView::Panel);
        let staff = ui.global::<StaffAdapter>();
        staff.set_weight_waiting(true);
        staff.set_age_waiting(false);
        staff.set_doubt_waiting(false);
    }),
    case("staff-weight", Screen::Staff, |ui| {
        staff(ui, StaffView::Weight)
    }),
    case("staff-weight-too-much", Screen::Staff, |ui| {
        staff(ui, StaffView::Weight);
        let staff = ui.global::<StaffAdapter>();
        staff.set_weight_problem(WeightProblem::TooMuch);
        staff.set_weight_entered("350\u{a0}kg".into());
        staff.set_weight_price("–".into());
    }),
    case("staff-doubt", Screen::Staff, |ui| {
        staff(ui, StaffView::Doubt)
    }),
    case("staff-transfer", Screen::Staff, |ui| {
        staff(ui, StaffView::Transfer);
        let staff = ui.global::<StaffAdapter>();
        staff.set_transfer_amount("146.688\u{a0}₫".into());
        staff.set_transfer_code("HS7K2M9QX".into());
        staff.set_transfer_reference("FT26332".into());
    }),
    case("staff-review", Screen::Staff, |ui| {
        staff(ui, StaffView::Review);
        let (staff, words) = (ui.global::<StaffAdapter>(), Words::of_shown(ui));
        staff.set_review_title(words.of(
            "Tiền đến muộn: 146.688\u{a0}₫",
            "Late payment: 146.688\u{a0}₫",
        ));
        staff.set_review_why(words.of(
            "Khách đã rời mã này, rồi tiền mới đến. Chưa có đơn nào dùng số tiền này.",
            "The shopper had left this code when the money came. No sale has used it.",
        ));
        staff.set_review_lines(model(vec![
            words.of("Mã HS7K2M9QX · 18:42", "Code HS7K2M9QX · 18:42"),
            words.of(
                "Ngân hàng ghi FT26332000123",
                "The bank calls it FT26332000123",
            ),
        ]));
        let choice = |name: (&str, &str), follows: (&str, &str), usual, grave| StaffChoice {
            id: "x".into(),
            name: words.of(name.0, name.1),
            consequence: words.of(follows.0, follows.1),
            usual,
            grave,
        };
        staff.set_choices(model(vec![
            choice(
                ("Mở lại giỏ hàng", "Reopen the sale"),
                (
                    "Giỏ hàng hiện lại và tiền này trả cho giỏ.",
                    "The basket comes back and this money pays for it.",
                ),
                true,
                false,
            ),
            choice(
                ("In phiếu mua hàng", "Print a voucher"),
                (
                    "Khách nhận phiếu 146.688\u{a0}₫, dùng một lần ở máy này.",
                    "The shopper gets a voucher of 146.688\u{a0}₫, good once at this kiosk.",
                ),
                false,
                false,
            ),
            choice(
                ("Đã trả lại khách", "Given back"),
                (
                    "Bạn đã trả lại bằng tiền mặt hoặc chuyển khoản. Máy chỉ ghi lại.",
                    "You gave it back in cash or by transfer. The kiosk only records it.",
                ),
                false,
                false,
            ),
            choice(
                ("Cửa hàng giữ", "The shop keeps it"),
                (
                    "Chỉ khi quản lý quyết định. Được ghi lại.",
                    "Only when the manager decides so. It is recorded.",
                ),
                false,
                true,
            ),
        ]));
    }),
    case("staff-devices", Screen::Staff, |ui| {
        staff(ui, StaffView::Devices)
    }),
    case("out-of-order", Screen::OutOfOrder, as_filled),
    case("out-of-order-store", Screen::OutOfOrder, |ui| {
        let out = ui.global::<OutOfOrderAdapter>();
        out.set_alone(true);
        out.set_reason(OutReason::MoneyStore);
        out.set_code("E-STORE-DAMAGED".into());
        out.set_detail(Words::of_shown(ui).of(
            "Sổ bán hàng bị hỏng hoặc đĩa đọc không được. Tệp được giữ nguyên, máy không xóa gì. Đừng xóa, đừng chép \
             đè; gọi người phụ trách. Những gì đã gửi về trụ sở vẫn còn ở đó.",
            "The sales journal is damaged, or the disk cannot be read. The file is kept as it is; nothing was deleted. \
             Do not delete or overwrite it; call whoever looks after the kiosk. What was sent to head office is safe \
             there.",
        ));
        out.set_technical(
            "/var/lib/kiosk/kiosk.db is damaged (database disk image is malformed): keep the file, call support, and \
             restore the last backup meanwhile"
                .into(),
        );
    }),
    key_case("unknown", Screen::Unknown, as_filled),
    case("unknown-restarted", Screen::Unknown, |ui| {
        let unknown = ui.global::<UnknownAdapter>();
        unknown.set_cause(DoubtCause::Restarted);
        unknown.set_slip(SlipPhase::Printed);
    }),
    case("unknown-refused", Screen::Unknown, |ui| {
        let unknown = ui.global::<UnknownAdapter>();
        unknown.set_cause(DoubtCause::Refused);
        unknown.set_slip(SlipPhase::Printing);
    }),
    case("unknown-person", Screen::Unknown, |ui| {
        let unknown = ui.global::<UnknownAdapter>();
        unknown.set_cause(DoubtCause::Person);
        unknown.set_slip(SlipPhase::Failed);
        unknown.set_code(qr_image("A-0142"));
    }),
    case("privacy", Screen::Privacy, as_filled),
    key_case("access", Screen::Access, as_filled),
];
