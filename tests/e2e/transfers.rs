//! Transfers that go wrong, touched as shoppers and staff touch them, with the real lane, relay client and store.

use crate::driver::{Counter, Shop};
use crate::journeys::{sign_in, type_pin, with_a_coffee};
use crate::office::anywhere;
use checkout::till::{ReviewKind, Screen, Tender, TillState};
use kiosk::app::{AppEvent, Panel, UiEvent};
use kiosk::bank::sim as bank;
use kiosk::config::BankMode;

fn state(counter: &Counter) -> TillState {
    counter.app.borrow().model().state.clone()
}

fn tenders(counter: &Counter) -> Vec<Tender> {
    let sale = state(counter).visit.unwrap().sale.unwrap();
    sale.tenders
}

/// From the tenders to a code on the glass; its order code.
fn show_code(counter: &Counter) -> String {
    counter.tap("Quét mã QR");
    code_on_the_glass(counter)
}

fn code_on_the_glass(counter: &Counter) -> String {
    counter.until("the code on the glass", |counter| {
        matches!(&counter.app.borrow().model().view.screen, Screen::Qr(qr) if qr.offer.is_some())
    });
    match &counter.app.borrow().model().view.screen {
        Screen::Qr(qr) => qr.order_code.clone(),
        other => panic!("{other:?}"),
    }
}

fn with_a_code(shop: &Shop) -> (Counter, String) {
    let counter = with_a_coffee(shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    let code = show_code(&counter);
    (counter, code)
}

/// Staff on the attract screen, as after holding the shop's name.
fn staff_on_attract(counter: &Counter) {
    let open = AppEvent::Ui(UiEvent::OpenPanel(Panel::Staff));
    counter.app.borrow_mut().handle(open);
    counter.turn();
    type_pin(counter);
}

/// A shop whose bank may go away and come back.
fn with_a_bank_that_goes() -> Shop {
    let mut shop = Shop::open();
    shop.bank = bank::start(anywhere(), bank::Behaviour::default()).unwrap();
    let url = format!("http://{}", shop.bank.address);
    shop.config.file.bank.as_mut().unwrap().relay_url = Some(url);
    shop
}

/// The bank's machine goes down; what it will listen on again.
fn bank_goes_down(shop: &mut Shop) -> std::net::SocketAddr {
    let elsewhere = bank::start(anywhere(), bank::Behaviour::default()).unwrap();
    let down = std::mem::replace(&mut shop.bank, elsewhere);
    down.address
}

fn bank_comes_back(shop: &mut Shop, address: std::net::SocketAddr) {
    shop.bank = bank::start(address, bank::Behaviour::default()).unwrap();
}

#[test]
fn two_hundred_dong_have_their_own_screen_and_a_new_code_asks_the_rest() {
    // Proves by touch: a tiny transfer is not a sale, the screen says received and remaining, and the next code asks
    // exactly the rest.
    let shop = Shop::open();
    let (counter, code) = with_a_code(&shop);
    shop.bank.bank.pay(&code, 200);
    counter.until_screen("underpaid");
    counter.shot("underpaid");
    let short = match &counter.app.borrow().model().view.screen {
        Screen::Underpaid(short) => (short.received.minor, short.due.minor),
        other => panic!("{other:?}"),
    };
    assert_eq!(short, (200, 24_800));
    assert!(counter.says("Chỉ nhận được 200"), "{:?}", counter.labels());
    counter.tap("Quét mã trả phần còn lại");
    let rest = code_on_the_glass(&counter);
    assert_ne!(rest, code);
    let offers = shop.bank.bank.waiting();
    let offer = offers.iter().find(|offer| offer.order == rest).unwrap();
    assert_eq!(offer.amount_minor, 24_800);
    shop.bank.bank.pay(&rest, 24_800);
    counter.until_screen("tap");
    let paid: Vec<i64> = tenders(&counter).iter().map(|t| t.amount_minor).collect();
    assert_eq!(paid, [200, 24_800]);
    counter.power_cut();
}

#[test]
fn a_bank_that_falls_silent_leaves_an_honest_way_on_and_its_late_money_is_found() {
    // Proves: with the bank gone the screen says so, cash waits for a question that is bounded, going on is the
    // shopper's touch, the sale is done, and money that had come all the same is found once the bank is back.
    let mut shop = with_a_bank_that_goes();
    let (counter, code) = with_a_code(&shop);
    let address = bank_goes_down(&mut shop);
    counter.until("the silence said", |counter| {
        counter.says("Chưa hỏi được ngân hàng")
    });
    counter.shot("qr-offline");
    counter.tap("Trả cách khác");
    counter.until_screen("pay");
    counter.tap("Tiền mặt");
    counter.until_screen("bank-check");
    counter.shot("bank-check");
    counter.until("the bounded wait over", |counter| {
        counter.says("Ngân hàng chưa trả lời")
    });
    counter.shot("bank-check-silent");
    counter.tap("Tôi chưa trả, tiếp tục");
    counter.until_screen("cash");
    sign_in(&counter);
    counter.tap("Đếm tiền");
    for key in ["2", "5", "0", "0", "0"] {
        counter.tap(key);
    }
    counter.tap("Đã nhận tiền mặt");
    counter.until_screen("tap");
    bank_comes_back(&mut shop, address);
    shop.bank.bank.pay(&code, 25_000);
    counter.until("the late money", |counter| {
        !state(counter).reviews.is_empty()
    });
    let review = state(&counter).reviews[0].clone();
    assert_eq!(
        (review.kind, review.amount_minor, review.order_code),
        (ReviewKind::LateCredit, 25_000, Some(code))
    );
    counter.power_cut();
}

#[test]
fn staff_stand_in_for_a_silent_bank_and_its_own_word_settles_it() {
    // Proves by touch: staff confirm with PIN and reference while the bank is gone, the sale says that it is
    // unconfirmed, and the bank's own credit later settles it and is no second payment.
    let mut shop = with_a_bank_that_goes();
    let (counter, code) = with_a_code(&shop);
    let address = bank_goes_down(&mut shop);
    counter.until("the silence said", |counter| {
        counter.says("Chưa hỏi được ngân hàng")
    });
    sign_in(&counter);
    counter.shot("staff-panel-transfer");
    counter.tap("Xem ứng dụng ngân hàng");
    for key in ["F", "T", "2", "6", "3", "3", "2"] {
        counter.tap(key);
    }
    counter.shot("staff-transfer");
    counter.tap("Tiền đã đến");
    counter.until_screen("tap");
    let tender = tenders(&counter).remove(0);
    assert!(tender.unconfirmed);
    assert_eq!(tender.reference.as_deref(), Some("FT26332"));
    bank_comes_back(&mut shop, address);
    shop.bank.bank.pay(&code, 25_000);
    counter.until("the bank's own word", |counter| {
        state(counter).unconfirmed.is_empty()
    });
    assert!(state(&counter).reviews.is_empty());
    counter.power_cut();
}

#[test]
fn money_that_comes_after_a_restart_reopens_its_sale() {
    // Proves: an offer left behind is watched by the program that starts next, its money becomes a review, and staff
    // bring the basket back with it by touch.
    let shop = Shop::open();
    let (counter, code) = with_a_code(&shop);
    counter.tap("Trả cách khác");
    counter.until_screen("pay");
    counter.tap("Quay lại");
    counter.until_screen("shop");
    counter.tap("Để lại sau");
    counter.until_screen("parked");
    counter.tap("Xong");
    counter.until_screen("attract");
    let store = counter.app.borrow().store();
    counter.until("the basket on disk", |_| {
        let state = store.call(|engine| engine.state()).unwrap();
        state.is_some_and(|state| state.parked.len() == 1 && state.visit.is_none())
    });
    drop(store);
    counter.power_cut();
    let counter = Counter::open(&shop.config, 1080, 1920);
    counter.until_screen("attract");
    shop.bank.bank.pay(&code, 25_000);
    counter.until("the late money", |counter| {
        !state(counter).reviews.is_empty()
    });
    staff_on_attract(&counter);
    counter.tap("Xem và quyết định");
    counter.shot("staff-review");
    counter.tap("Mở lại giỏ hàng");
    counter.until_screen("tap");
    assert_eq!(tenders(&counter)[0].amount_minor, 25_000);
    assert!(state(&counter).reviews.is_empty());
    counter.power_cut();
}

#[test]
fn without_a_relay_only_staff_say_that_a_code_was_paid() {
    // Proves the plain VietQR by touch: the code is the shop's own, the shopper cannot confirm it, staff do with a PIN
    // and the bank's reference, and it is marked as unconfirmed until they have looked it up.
    let mut shop = Shop::open();
    let bank = shop.config.file.bank.as_mut().unwrap();
    bank.mode = BankMode::Staff;
    bank.relay_url = None;
    let (counter, code) = with_a_code(&shop);
    let shown = crate::journeys::decode(&counter.shot("qr-by-staff"));
    assert!(
        shown.contains(&code) && shown.contains("540525000"),
        "{shown}"
    );
    assert!(
        counter.says("Chuyển xong, xin báo nhân viên"),
        "{:?}",
        counter.labels()
    );
    sign_in(&counter);
    counter.tap("Xem ứng dụng ngân hàng");
    for key in ["9", "8", "7", "6", "5"] {
        counter.tap(key);
    }
    counter.tap("Tiền đã đến");
    counter.until_screen("tap");
    assert!(tenders(&counter)[0].unconfirmed);
    let seen = crate::journeys::recorded(&counter, touchpoint::Lane::Money, "transfer.seen");
    assert_eq!(seen[0]["reference"], "98765");
    counter.tap("Bỏ qua");
    counter.until_screen("attract");
    staff_on_attract(&counter);
    counter.tap("Không có");
    counter.until("it settled", |counter| {
        state(counter).unconfirmed.is_empty()
    });
    counter.until("it in the journal", |counter| {
        let settled =
            crate::journeys::recorded(counter, touchpoint::Lane::Money, "transfer.settled");
        settled.first().is_some_and(|body| body["arrived"] == false)
    });
    counter.power_cut();
}
