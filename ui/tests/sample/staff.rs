//! Dummy data for the staff screens.

use kiosk_ui::*;
use slint::ComponentHandle;

use super::{Words, model};

pub fn fill(ui: &MainWindow, w: Words) {
    let staff = ui.global::<StaffAdapter>();
    staff.set_pin_entered(2);
    staff.set_staff_name(w.of("Chị Lan", "Lan"));
    staff.set_kiosk_name(w.of("Quầy 3 · Q1 Lê Lợi", "Kiosk 3 · Q1 Lê Lợi"));
    staff.set_version("0.1.0".into());
    staff.set_age_waiting(true);
    staff.set_age_limit(18);
    staff.set_age_item(w.of(
        "Bia Sài Gòn Special lon 330 ml",
        "Saigon Special beer, can 330 ml",
    ));
    staff.set_doubt_waiting(true);
    staff.set_doubt_method(w.of("Thẻ", "Card"));
    staff.set_doubt_amount("146.688\u{a0}₫".into());
    staff.set_doubt_attempt("A-0142".into());
    staff.set_doubt_can_ask(false);
    staff.set_doubt_terminal("68000001".into());
    staff.set_doubt_can_print(true);
    let evidence = |time: &str, vi: &str, en: &str, tone| Evidence {
        time: time.into(),
        words: w.of(vi, en),
        tone,
    };
    staff.set_doubt_evidence(model(vec![
        evidence(
            "09:40:12",
            "Yêu cầu 146.688\u{a0}₫ đã gửi tới máy thẻ",
            "Asked the terminal for 146.688\u{a0}₫",
            Tone::Quiet,
        ),
        evidence(
            "09:40:31",
            "Máy thẻ báo: đã nhận thẻ",
            "Terminal: card read",
            Tone::Quiet,
        ),
        evidence(
            "09:40:58",
            "Mất kết nối, chưa có kết quả",
            "Connection lost before the result",
            Tone::Wait,
        ),
        evidence(
            "09:41:20",
            "Hỏi lại: máy thẻ không trả lời",
            "Asked again: no answer",
            Tone::Wait,
        ),
    ]));
    staff.set_can_reprint(true);
    staff.set_reprint_detail(w.of(
        "HS-000142 · 146.688\u{a0}₫ · 09:41",
        "HS-000142 · 146.688\u{a0}₫ · 09:41",
    ));
    staff.set_can_open_drawer(true);
    staff.set_can_close_day(true);
    staff.set_day_line(w.of(
        "142 lượt bán · 18.240.500\u{a0}₫",
        "142 sales · 18.240.500\u{a0}₫",
    ));
    staff.set_last_report("Z 17 · 21/11/2026 · 22:05".into());
    staff.set_cash_amount("146.500\u{a0}₫".into());
    staff.set_cash_entered("200.000\u{a0}₫".into());
    staff.set_cash_change("53.500\u{a0}₫".into());
    staff.set_cash_enough(true);
    staff.set_cash_notes(model(vec![
        "150.000".into(),
        "200.000".into(),
        "500.000".into(),
    ]));
    staff.set_weight_item(w.of("Chuối già Nam Mỹ", "Cavendish bananas"));
    staff.set_weight_unit_price("28.000\u{a0}₫/kg".into());
    staff.set_weight_entered("0,350\u{a0}kg".into());
    staff.set_weight_price("9.800\u{a0}₫".into());
    staff.set_weight_max("30\u{a0}kg".into());
    staff.set_weight_sign(w.of(",", "."));
    let device = |id: &str, name, state, tone, can_test| DeviceLine {
        id: id.into(),
        name,
        state,
        tone,
        can_test,
    };
    staff.set_devices(model(vec![
        device(
            "printer",
            w.of("Máy in", "Printer"),
            w.of("Sẵn sàng, giấy sắp hết", "Ready, paper nearly used up"),
            Tone::Wait,
            true,
        ),
        device(
            "terminal",
            w.of("Máy thẻ", "Card terminal"),
            w.of("Không trả lời từ 09:40", "No answer since 09:40"),
            Tone::Alarm,
            true,
        ),
        device(
            "scanner",
            w.of("Máy quét", "Scanner"),
            w.of("Sẵn sàng", "Ready"),
            Tone::Good,
            true,
        ),
        device(
            "scale",
            w.of("Cân", "Scale"),
            w.of("Sẵn sàng, 0,000 kg", "Ready, 0,000 kg"),
            Tone::Good,
            true,
        ),
        device(
            "drawer",
            w.of("Két tiền", "Cash drawer"),
            w.of("Đóng", "Closed"),
            Tone::Good,
            false,
        ),
        device(
            "network",
            w.of("Trụ sở", "Head office"),
            w.of(
                "Đã gửi đến 09:39, còn 12 sự kiện",
                "Sent up to 09:39, 12 events to go",
            ),
            Tone::Quiet,
            false,
        ),
    ]));
}
