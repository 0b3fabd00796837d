//! Whole visits, touched as a shopper touches them.

use crate::driver::{Counter, Shop};
use checkout::till::TenderKind;
use hardware::terminal::sim::{Scenario, SimOutcome};
use kiosk_ui::ResumeAdapter;
use slint::ComponentHandle;

const MILK: &str = "Sữa tươi Vinamilk 1 lít";
const COFFEE: &str = "Cà phê sữa đá";

/// Opens the counter and puts one coffee into the basket by touch.
pub fn with_a_coffee(shop: &Shop) -> Counter {
    let counter = Counter::open(&shop.config, 1080, 1920);
    counter.until_screen("attract");
    counter.shot("attract");
    take_a_coffee(&counter);
    counter
}

/// From the attract screen to a basket with one coffee, by touch.
pub fn take_a_coffee(counter: &Counter) {
    counter.tap("Chạm để bắt đầu");
    counter.until_screen("shop");
    search(counter, "ca phe sua da");
    counter.tap(COFFEE);
    counter.until("a coffee in the basket", |counter| {
        counter.app.borrow().model().view.basket.lines.len() == 1
    });
}

/// Types into the search field on the screen's own keyboard.
fn search(counter: &Counter, text: &str) {
    counter.tap("Tìm món");
    for letter in text.chars() {
        let key = if letter == ' ' {
            "Dấu cách".to_owned()
        } else {
            letter.to_string()
        };
        counter.tap(&key);
    }
    counter.until("an answer to the search", |counter| {
        let app = counter.app.borrow();
        let browse = app.model().browse;
        browse.text == text
            && browse
                .products
                .first()
                .is_some_and(|p| p.item.name == COFFEE)
    });
}

/// The tenders of the sale that was just paid.
fn tenders(counter: &Counter) -> Vec<(TenderKind, i64)> {
    let app = counter.app.borrow();
    let visit = app.model().state.visit.as_ref().unwrap();
    let sale = visit.sale.as_ref().unwrap();
    sale.tenders
        .iter()
        .map(|t| (t.kind, t.amount_minor))
        .collect()
}

#[test]
fn a_shopper_searches_pays_by_card_and_taps_a_face() {
    // Proves the main job by touch: search without accents, card, paper receipt, face, reasons, thanks, attract.
    let mut shop = Shop::open();
    let counter = with_a_coffee(&shop);
    let milk = barcode_of(&counter, MILK);
    until_the_scanner_reads(&counter);
    for _ in 0..3 {
        shop.scanner.scan(&milk).unwrap();
    }
    counter.until("three milks, one of them free", |counter| {
        let app = counter.app.borrow();
        let basket = &app.model().view.basket;
        basket.item_count == 4 && basket.discount.minor == 36_500
    });
    counter.shot("shop");
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.shot("pay");
    counter.tap("Thẻ");
    counter.until_screen("card");
    counter.shot("card");
    counter.until_screen("tap");
    assert_eq!(tenders(&counter), [(TenderKind::Card, 98_000)]);
    assert_eq!(shop.terminal.charged().len(), 1);
    counter.shot("tap");
    counter.tap("Rất tệ");
    counter.until_screen("reasons");
    counter.shot("reasons");
    counter.tap("Bỏ qua");
    counter.until_screen("thanks");
    counter.until("the receipt on paper", |_| shop.paper().contains("98.000"));
    counter.until_screen("attract");
    let paper = shop.paper();
    for words in ["CÔNG TY TNHH HOA SEN", COFFEE, MILK, "TỔNG CỘNG"] {
        assert!(paper.contains(words), "{words} is not on:\n{paper}");
    }
    counter.power_cut();
}

/// What is scanned before the kiosk has opened the scanner's port is lost, as in a shop.
fn until_the_scanner_reads(counter: &Counter) {
    counter.until("the scanner", |counter| {
        let states = recorded(counter, touchpoint::Lane::Diagnostics, "device.state");
        let mut scanner = states.iter().filter(|body| body["device"] == "scanner");
        scanner.any(|body| body["state"] == "ready")
    });
}

/// The barcode of an item of the demo catalogue.
fn barcode_of(counter: &Counter, name: &str) -> String {
    let name = name.to_owned();
    let store = counter.app.borrow().store();
    store
        .call(move |engine| {
            let entries = engine.entries()?;
            let entry = entries.into_iter().find(|entry| entry.item.name == name);
            Ok(entry.unwrap().barcodes[0].clone())
        })
        .unwrap()
}

#[test]
fn a_declined_card_costs_nothing_and_qr_pays_after_it() {
    // Proves that a decline leads back to the choice, and that QR is believed only from the bank.
    let shop = Shop::open();
    shop.terminal
        .set_usual(Scenario::ending(SimOutcome::Decline(5)));
    let counter = with_a_coffee(&shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Thẻ");
    counter.until_screen("card");
    counter.until_screen("pay");
    assert!(shop.terminal.charged().is_empty());
    assert!(counter.says("Bạn chưa bị trừ tiền"));
    counter.shot("pay-after-decline");
    counter.tap("Quét mã QR");
    counter.until_screen("qr");
    counter.until("the code on the glass", |_| {
        !shop.bank.bank.waiting().is_empty()
    });
    counter.until("the offer on the screen", |counter| {
        matches!(&counter.app.borrow().model().view.screen,
            checkout::till::Screen::Qr(qr) if qr.offer.is_some())
    });
    let frame = counter.shot("qr");
    let shown = decode(&frame);
    let offer = shop.bank.bank.waiting().remove(0);
    assert!(shown.contains(&offer.order), "{shown}");
    assert!(
        shown.contains("540525000"),
        "the amount is in the code: {shown}"
    );
    shop.bank.bank.pay(&offer.order, offer.amount_minor);
    counter.until_screen("tap");
    assert_eq!(tenders(&counter), [(TenderKind::Qr, 25_000)]);
    counter.power_cut();
}

/// Reads the QR code out of a frame.
pub fn decode(frame: &slint::SharedPixelBuffer<slint::Rgba8Pixel>) -> String {
    let (width, pixels) = (frame.width() as usize, frame.as_slice());
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, frame.height() as usize, |x, y| {
            pixels[y * width + x].g
        });
    let grids = image.detect_grids();
    assert_eq!(grids.len(), 1, "one code on the screen");
    grids[0].decode().unwrap().1
}

#[test]
fn staff_take_cash_and_the_change_is_exact() {
    // Proves that cash needs a PIN, is rounded, and that the drawer's change is computed.
    let shop = Shop::open();
    let counter = with_a_coffee(&shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Tiền mặt");
    counter.until_screen("cash");
    counter.shot("cash");
    sign_in(&counter);
    counter.shot("staff");
    counter.tap("Đếm tiền");
    counter.tap("5");
    let change = || {
        let ui = counter.ui.global::<kiosk_ui::StaffAdapter>();
        (ui.get_cash_enough(), ui.get_cash_change().to_string())
    };
    assert_eq!(change(), (false, "24.995\u{a0}₫".to_owned()));
    for key in ["0", "0", "0", "0"] {
        counter.tap(key);
    }
    assert_eq!(change(), (true, "25.000\u{a0}₫".to_owned()));
    counter.shot("staff-cash");
    counter.tap("Đã nhận tiền mặt");
    counter.until_screen("tap");
    assert_eq!(tenders(&counter), [(TenderKind::Cash, 25_000)]);
    let app = counter.app.borrow();
    let visit = app.model().state.visit.clone().unwrap();
    drop(app);
    assert_eq!(visit.sale.unwrap().change_minor, 25_000);
    counter.power_cut();
}

pub fn sign_in(counter: &Counter) {
    counter.tap("Nhân viên");
    type_pin(counter);
}

/// The demo's PIN on the open pad.
pub fn type_pin(counter: &Counter) {
    for digit in ["2", "4", "6", "8"] {
        counter.tap(digit);
    }
    counter.tap("Đồng ý");
    counter.until("a member of staff", |counter| {
        counter.app.borrow().model().view.staff.is_some()
    });
}

#[test]
fn each_bad_scan_has_its_own_answer() {
    // Proves that an unknown code, a wrong check digit and garbage are told apart and sell nothing.
    let mut shop = Shop::open();
    let counter = Counter::open(&shop.config, 1920, 1080);
    counter.until_screen("attract");
    until_the_scanner_reads(&counter);
    let mut answers = Vec::new();
    for code in [b"8930000000019".as_slice(), b"8930000000018", &[1, 2, 3]] {
        shop.scanner.scan(code).unwrap();
        counter.until("a notice", |counter| {
            let app = counter.app.borrow();
            app.model().view.notice.is_some()
        });
        let notice = counter.app.borrow().model().view.notice.clone().unwrap();
        assert!(
            !answers.contains(&notice),
            "{code:?} says the same: {notice:?}"
        );
        answers.push(notice);
        counter.shot(&format!("notice-{}", answers.len()));
        counter.until("the notice gone", |counter| {
            counter.app.borrow().model().view.notice.is_none()
        });
    }
    assert!(counter.app.borrow().model().view.basket.lines.is_empty());
    counter.power_cut();
}

#[test]
fn a_parked_basket_comes_back_by_typing_its_code() {
    // Proves that every code the till gives out can be typed on the screen's own keys, and that a wrong one opens nothing.
    let shop = Shop::open();
    let counter = with_a_coffee(&shop);
    let before = counter.app.borrow().model().view.basket.clone();
    counter.tap("Để lại sau");
    counter.until_screen("parked");
    let code = match &counter.app.borrow().model().view.screen {
        checkout::till::Screen::Parked { code, .. } => code.clone(),
        other => panic!("no code on {other:?}"),
    };
    counter.tap("Xong");
    counter.until_screen("attract");
    counter.tap("Lấy lại giỏ đã để dành");
    // What is typed so far looks like a key when it is one symbol; the key is still meant.
    counter.tap("A");
    counter.tap("A");
    assert_eq!(counter.ui.global::<ResumeAdapter>().get_code(), "AA");
    counter.tap("Xóa");
    counter.tap("Xóa");
    // The last symbol is a check symbol: another one is never a basket.
    let last = if code.ends_with('3') { "4" } else { "3" };
    type_code(&counter, &format!("{}{last}", &code[..3]));
    counter.until("the wrong code refused", |counter| {
        counter.app.borrow().model().view.notice.is_some()
    });
    assert_eq!(counter.screen(), "attract");
    counter.shot("resume-wrong");
    type_code(&counter, &code);
    counter.until_screen("shop");
    assert_eq!(counter.app.borrow().model().view.basket, before);
    counter.power_cut();
}

fn type_code(counter: &Counter, code: &str) {
    for symbol in code.chars() {
        counter.tap(&symbol.to_string());
    }
    counter.tap("Đồng ý");
}

#[test]
fn a_power_cut_keeps_the_basket() {
    // Proves that a restart shows the same basket, lines and amounts.
    let shop = Shop::open();
    let counter = with_a_coffee(&shop);
    let store = counter.app.borrow().store();
    counter.until("the basket on disk", |_| {
        let state = store.call(|engine| engine.state()).unwrap();
        state
            .and_then(|state| state.visit)
            .is_some_and(|visit| visit.basket.lines.len() == 1)
    });
    drop(store);
    let before = counter.app.borrow().model().view.basket.clone();
    counter.power_cut();
    let counter = Counter::open(&shop.config, 1280, 800);
    counter.until_screen("shop");
    assert_eq!(counter.app.borrow().model().view.basket, before);
    counter.shot("shop-small");
    counter.power_cut();
}

#[test]
fn a_power_cut_while_the_card_is_asked_ends_in_recovery_not_in_a_second_charge() {
    // Proves that an attempt in doubt is asked for at the terminal, and charged once.
    let shop = Shop::open();
    shop.terminal.set_usual(Scenario {
        delay_ms: 1_500,
        ..Scenario::default()
    });
    let counter = with_a_coffee(&shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Thẻ");
    counter.until("the terminal to be asked", |_| {
        shop.terminal.orders_received() == 1
    });
    counter.power_cut();
    let counter = Counter::open(&shop.config, 1080, 1920);
    counter.until("doubt or its end", |counter| {
        matches!(counter.screen(), "unknown" | "pay" | "tap")
    });
    counter.shot("unknown");
    counter.until("an answer", |counter| {
        matches!(counter.screen(), "pay" | "tap")
    });
    let charged = shop.terminal.charged().len();
    let paid = usize::from(counter.screen() == "tap");
    assert_eq!(charged, paid, "charged {charged}, sold {paid}");
    assert_eq!(shop.terminal.orders_received(), 1);
    counter.power_cut();
}

const BANANA: &str = "Chuối già Nam Mỹ";

/// Touches a card of the grid, once it is there.
fn touch_card(counter: &Counter, name: &str) {
    counter.until("the card in the grid", |counter| {
        let app = counter.app.borrow();
        let mut products = app.model().browse.products.iter();
        products.any(|product| product.item.name == name)
    });
    counter.tap(name);
}

fn type_keys(counter: &Counter, keys: &[&str]) {
    for key in keys {
        counter.tap(key);
    }
}

/// Bodies of the journal's events of one kind, oldest first.
pub fn recorded(counter: &Counter, lane: touchpoint::Lane, kind: &str) -> Vec<serde_json::Value> {
    let store = counter.app.borrow().store();
    let events = store
        .call(move |engine| {
            let journal = engine.journal_id().clone();
            engine.events(&journal, lane, 1, 1_000, usize::MAX)
        })
        .unwrap()
        .map_or_else(Vec::new, |run| run.events);
    let events = events
        .iter()
        .map(|event| serde_json::from_slice(&event.bytes).unwrap());
    events
        .filter(|event: &serde_json::Value| event["kind"] == kind)
        .map(|event| event["body"].clone())
        .collect()
}

#[test]
fn staff_weigh_what_was_touched_and_the_exact_amount_is_paid() {
    // Proves a weighed item of the grid can be sold: a person types its weight, sees its price, and the journal says so.
    let shop = Shop::open();
    let counter = Counter::open(&shop.config, 1080, 1920);
    counter.until_screen("attract");
    counter.tap("Chạm để bắt đầu");
    counter.until_screen("shop");
    touch_card(&counter, COFFEE);
    touch_card(&counter, BANANA);
    counter.until_screen("weigh");
    assert!(counter.says("Nhân viên sẽ cân giúp bạn."));
    counter.shot("weigh-staff");
    sign_in(&counter);
    counter.shot("staff-panel-weigh");
    counter.tap("Nhập cân nặng");
    type_keys(&counter, &["3", "5", "0"]);
    assert!(counter.says("Mỗi lần nhiều nhất"), "{:?}", counter.labels());
    counter.shot("staff-weight-too-much");
    type_keys(
        &counter,
        &["Xóa", "Xóa", "Xóa", "0", "Dấu thập phân", "3", "5", "0"],
    );
    assert!(!counter.says("Mỗi lần nhiều nhất"));
    counter.shot("staff-weight");
    counter.tap("Thêm vào giỏ");
    counter.until_screen("shop");
    let app = counter.app.borrow();
    assert_eq!(app.model().view.staff, None, "staff are signed out");
    assert_eq!(app.model().view.basket.total.minor, 25_000 + 9_800);
    drop(app);
    counter.shot("shop-weighed");
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Thẻ");
    counter.until_screen("tap");
    assert_eq!(tenders(&counter), [(TenderKind::Card, 34_800)]);
    let added = recorded(&counter, touchpoint::Lane::Touchpoints, "item.added");
    assert_eq!(added.len(), 2);
    assert_eq!(added[0].get("weighed_by"), None, "a coffee has no weight");
    assert_eq!(added[1]["weighed_by"], "staff");
    assert_eq!(added[1]["quantity_milli"], 350);
    let called = recorded(&counter, touchpoint::Lane::Touchpoints, "help.called");
    assert_eq!(called[0]["cause"], "weight");
    counter.power_cut();
}

#[test]
fn an_item_that_waits_for_its_weight_comes_back_after_a_power_cut_and_can_be_left() {
    // Proves that the dialog survives a restart, and that leaving it leaves nothing.
    let shop = Shop::open();
    let counter = Counter::open(&shop.config, 1080, 1920);
    counter.until_screen("attract");
    counter.tap("Chạm để bắt đầu");
    counter.until_screen("shop");
    touch_card(&counter, BANANA);
    counter.until_screen("weigh");
    let store = counter.app.borrow().store();
    counter.until("the question on disk", |_| {
        let state = store.call(|engine| engine.state()).unwrap();
        let visit = state.and_then(|state| state.visit);
        visit.is_some_and(|visit| visit.weighing.is_some())
    });
    drop(store);
    counter.power_cut();
    let counter = Counter::open(&shop.config, 1280, 800);
    counter.until_screen("weigh");
    assert!(counter.says(BANANA));
    counter.shot("weigh-staff-small");
    counter.tap("Hủy");
    counter.until_screen("shop");
    assert!(counter.app.borrow().model().view.basket.lines.is_empty());
    counter.power_cut();
}

#[test]
fn categories_follow_the_language_at_once() {
    // Proves that English screens name the shelves in English, and that a shelf stays chosen through the switch.
    let shop = Shop::open();
    let counter = Counter::open(&shop.config, 1920, 1080);
    counter.until_screen("attract");
    counter.tap("Chạm để bắt đầu");
    counter.until_screen("shop");
    counter.until("the shelves", |counter| counter.says("Trái cây"));
    counter.tap("Đổi ngôn ngữ");
    assert!(counter.says("Fruit") && !counter.says("Trái cây"));
    counter.tap("Fruit");
    counter.until("fruit only", |counter| {
        let app = counter.app.borrow();
        let products = &app.model().browse.products;
        !products.is_empty()
            && products
                .iter()
                .all(|found| found.item.category == "Trái cây")
    });
    counter.shot("shop-fruit-en");
    counter.tap("Change language");
    assert!(counter.says("Trái cây") && !counter.says("Fruit"));
    let app = counter.app.borrow();
    assert_eq!(app.model().browse.category, "Trái cây");
    drop(app);
    counter.power_cut();
}
