//! The staff's side of the day: reports, closing, the drawer, papers that fail.

use crate::driver::{Counter, Shop};
use crate::journeys::{recorded, sign_in, type_pin, with_a_coffee};
use checkout::till::{DeviceKind, DeviceState};
use hardware::printer::sim::SimControl;
use kiosk::app::{AppEvent, Panel, UiEvent};

/// Sells the coffee by card and waits for the receipt and the attract screen.
pub fn sell(shop: &Shop, counter: &Counter) {
    let receipts = |shop: &Shop| shop.paper().matches("PHIẾU TÍNH TIỀN").count();
    let before = receipts(shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Thẻ");
    counter.until_screen("tap");
    counter.tap("Bỏ qua");
    counter.until_screen("attract");
    counter.until("the receipt", |_| receipts(shop) == before + 1);
}

/// Staff on the attract screen, as after holding the shop's name.
pub fn staff(counter: &Counter) {
    counter.until_screen("attract");
    let open = AppEvent::Ui(UiEvent::OpenPanel(Panel::Staff));
    counter.app.borrow_mut().handle(open);
    counter.turn();
    type_pin(counter);
}

pub fn message(counter: &Counter, words: &str) {
    counter.until(words, |counter| counter.says(words));
}

pub fn close_day(counter: &Counter) {
    counter.until("the day's figures", |counter| counter.says("Chốt ngày (Z)"));
    counter.tap("Chốt ngày (Z)");
    assert!(counter.says("Đúng, chốt ngày"), "{:?}", counter.labels());
    counter.tap("Đúng, chốt ngày");
}

fn printer_is_down(counter: &Counter) -> bool {
    let app = counter.app.borrow();
    app.model().view.devices.get(&DeviceKind::Printer) == Some(&DeviceState::Down)
}

/// The one sheet with these words, once it is there.
pub fn sheet(shop: &Shop, words: &str) -> String {
    shop.until_paper(words);
    let sheets = shop.sheets().into_iter();
    let found: Vec<String> = sheets.filter(|sheet| sheet.contains(words)).collect();
    assert_eq!(found.len(), 1, "{words}: {}", shop.paper());
    found[0].clone()
}

/// A row of a report: its label and its figure.
pub fn has_row(sheet: &str, label: &str, figure: &str) -> bool {
    sheet.lines().any(|line| {
        let line = line.trim();
        line.starts_with(label) && line.ends_with(figure)
    })
}

#[test]
fn a_day_is_read_closed_and_the_next_one_holds_only_its_own_sale() {
    // Proves: X says what was taken and closes nothing, Z 1 closes it, Z 2 holds only the sale after it; a paper that
    // failed is told as such and comes later from the store, marked as a copy.
    let shop = Shop::open();
    let counter = with_a_coffee(&shop);
    sell(&shop, &counter);
    staff(&counter);
    counter.until("the open day", |counter| {
        counter.app.borrow().model().day.figures.is_some()
    });
    counter.turn();
    counter.shot("staff-day");
    counter.tap("In báo cáo X");
    message(&counter, "Báo cáo X: đã in");
    let x = sheet(&shop, "BÁO CÁO X");
    assert!(
        has_row(&x, "Số đơn", "1") && has_row(&x, "Thẻ", "25.000"),
        "{x}"
    );
    close_day(&counter);
    message(&counter, "Báo cáo Z 1: đã in");
    counter.shot("staff-day-closed");
    let z = sheet(&shop, "BÁO CÁO Z SỐ 1");
    assert!(
        has_row(&z, "Số đơn", "1") && has_row(&z, "Phiếu số", "1 - 1"),
        "{z}"
    );
    counter.tap("Thoát");
    counter.power_cut();

    let counter = with_a_coffee(&shop);
    sell(&shop, &counter);
    staff(&counter);
    shop.printer.control(SimControl::RemovePaper);
    close_day(&counter);
    message(&counter, "Báo cáo Z 2: chưa in, máy in hết giấy");
    counter.shot("staff-day-no-paper");
    assert!(!shop.paper().contains("BÁO CÁO Z SỐ 2"));
    counter.until("the printer known to be without paper", printer_is_down);
    shop.printer.control(SimControl::LoadPaper { mm: 30_000 });
    counter.until("the printer with its new roll", |counter| {
        !printer_is_down(counter)
    });
    counter.tap("In lại báo cáo Z");
    message(&counter, "Báo cáo Z 2, bản sao 1: đã in");
    let z = sheet(&shop, "BÁO CÁO Z SỐ 2");
    assert!(z.contains("BẢN SAO / COPY 1"), "{z}");
    assert!(
        has_row(&z, "Số đơn", "1") && has_row(&z, "Phiếu số", "2 - 2"),
        "{z}"
    );
    counter.power_cut();
}

#[test]
fn staff_open_the_drawer_print_copies_and_cannot_close_under_a_shopper() {
    // Proves: opening the drawer is in the journal, the last receipt is there though no sale is on the screen, a test page
    // comes on paper, and the day stays open while a visit is.
    let shop = Shop::open();
    let counter = with_a_coffee(&shop);
    sell(&shop, &counter);
    staff(&counter);
    counter.until("the last receipt", |counter| counter.says("#1 · 25.000"));
    counter.tap("Bản lưu cửa hàng");
    message(&counter, "Bản lưu hóa đơn 1: đã in");
    assert!(sheet(&shop, "BẢN LƯU CỬA HÀNG").contains("25.000"));
    counter.tap("In bản sao");
    message(&counter, "Bản sao hóa đơn 1: đã in");
    shop.until_paper("BẢN SAO / COPY 1");
    counter.tap("Mở két");
    message(&counter, "Đã gửi lệnh mở két.");
    counter.until("the fact in the journal", |counter| {
        recorded(counter, touchpoint::Lane::Money, "drawer.opened").len() == 1
    });
    counter.tap("Xem trạng thái");
    counter.tap("Thử Máy in");
    message(&counter, "Trang thử máy in: đã in");
    shop.until_paper("SELF-TEST");
    counter.tap("Thoát");
    counter.until_screen("attract");
    counter.tap("Chạm để bắt đầu");
    counter.until_screen("shop");
    counter.tap("Gọi nhân viên");
    counter.until_screen("help");
    sign_in(&counter);
    close_day(&counter);
    message(&counter, "còn khách đang mua");
    let store = counter.app.borrow().store();
    let figures = store.call(|engine| engine.day_figures()).unwrap();
    assert_eq!((figures.sales, figures.last_report), (1, None));
    drop(store);
    counter.power_cut();
}
