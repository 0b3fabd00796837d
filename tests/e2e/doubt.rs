//! A card payment in doubt at the counter: the shopper's slip, the evidence, the decision, and the card after it.

use crate::driver::{Counter, Shop};
use crate::journeys::{decode, recorded, sign_in, with_a_coffee};
use checkout::till::{Availability, Screen, TenderKind};
use hardware::printer::sim::SimControl;
use hardware::terminal::sim::Scenario;
use std::time::{Duration, Instant};

/// How long the terminal asks its bank: long enough for the cable to go first.
const BANK: Duration = Duration::from_secs(4);

/// A coffee paid by card; the cable is pulled while the terminal asks the bank. With when the terminal was ordered.
fn in_doubt(shop: &Shop) -> (Counter, Instant) {
    shop.terminal.set_usual(Scenario {
        delay_ms: 4_000,
        ..Scenario::default()
    });
    let counter = with_a_coffee(shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Thẻ");
    counter.until("the terminal to be asked", |_| {
        shop.terminal.orders_received() == 1
    });
    let ordered = Instant::now();
    shop.terminal.unplug();
    counter.until_screen("unknown");
    (counter, ordered)
}

fn slip_states(counter: &Counter) -> Vec<String> {
    let slips = recorded(counter, touchpoint::Lane::Money, "attempt.slip");
    let state = |body: &serde_json::Value| body["state"].as_str().unwrap().to_owned();
    slips.iter().map(state).collect()
}

fn card_is_free(counter: &Counter) -> bool {
    let app = counter.app.borrow();
    let Screen::Pay(pay) = &app.model().view.screen else {
        return false;
    };
    pay.options
        .iter()
        .any(|option| option.kind == TenderKind::Card && option.available == Availability::Yes)
}

#[test]
fn after_staff_settled_a_doubt_the_next_card_is_taken_also_after_a_restart() {
    // Proves with the real driver that a decision of staff opens the card lane by itself, that the shopper has a slip
    // meanwhile, and that staff see what happened before they decide.
    for restarts in [false, true] {
        let shop = Shop::open();
        let (mut counter, ordered) = in_doubt(&shop);
        assert!(counter.says("Xin đừng trả lại lần nữa."));
        counter.shot("doubt-unknown");
        if !restarts {
            counter.tap("In phiếu có mã này");
            counter.until("the slip on paper", |_| {
                shop.paper().contains("KHÔNG PHẢI HÓA ĐƠN")
            });
            let paper = shop.paper();
            assert!(
                paper.contains("A-0001") && paper.contains("25.000 VND"),
                "{paper}"
            );
            counter.until("the slip in the journal", |counter| {
                slip_states(counter) == ["queued", "printed"]
            });
            assert!(counter.says("Phiếu ở khe bên dưới."));
            counter.shot("doubt-slip-printed");
        }
        sign_in(&counter);
        counter.tap("Xem bằng chứng");
        for words in [
            "Đã hỏi máy thẻ 25.000",
            "Mất kết nối với máy thẻ giữa lúc trả tiền.",
            "Hoàn tất đơn và in hóa đơn.",
            "Khách trả lại từ đầu. Không ghi khoản nào.",
        ] {
            assert!(counter.says(words), "{words}: {:?}", counter.labels());
        }
        counter.shot("doubt-staff");
        counter.tap("Tiền chưa vào");
        counter.until_screen("pay");
        if restarts {
            let store = counter.app.borrow().store();
            counter.until("the decision on disk", |_| {
                let state = store.call(|engine| engine.state()).unwrap();
                state.is_some_and(|state| state.settled.is_some())
            });
            drop(store);
            counter.power_cut();
            counter = Counter::open(&shop.config, 1080, 1920);
        }
        // Alone the terminal takes the money back. Plugged in before that it would tell an approval that nobody waits
        // for any more, and the card would be locked until a person looked.
        counter.until("the terminal's bank to have answered", |_| {
            ordered.elapsed() > 2 * BANK
        });
        shop.terminal.set_usual(Scenario::default());
        shop.terminal.plug();
        counter.until("the card lane open", card_is_free);
        counter.tap("Thẻ");
        counter.until_screen("tap");
        assert_eq!(shop.terminal.charged().len(), 1, "the first was taken back");
        assert_eq!(shop.terminal.orders_received(), 2);
        let app = counter.app.borrow();
        let state = app.model().state.clone();
        drop(app);
        assert!(state.reviews.is_empty(), "{:?}", state.reviews);
        assert_eq!(state.settled, None);
        counter.power_cut();
    }
}

#[test]
fn a_slip_without_paper_is_a_code_on_the_screen_and_comes_with_the_new_roll() {
    // Proves a shopper is never left without the number, and that the slip that did not print is not called a copy.
    let shop = Shop::open();
    let (counter, _) = in_doubt(&shop);
    shop.printer.control(SimControl::RemovePaper);
    counter.until("the printer known to be without paper", |counter| {
        let app = counter.app.borrow();
        let view = app.model().view;
        view.devices
            .contains_key(&checkout::till::DeviceKind::Printer)
    });
    counter.tap("In phiếu có mã này");
    counter.until("the refusal", |counter| counter.says("In lại phiếu"));
    let frame = counter.shot("doubt-no-paper");
    assert_eq!(decode(&frame), "A-0001");
    shop.printer.control(SimControl::LoadPaper { mm: 30_000 });
    counter.until("the printer ready", |counter| {
        let app = counter.app.borrow();
        !app.model()
            .view
            .devices
            .contains_key(&checkout::till::DeviceKind::Printer)
    });
    counter.tap("In lại phiếu");
    counter.until("the slip on paper", |_| shop.paper().contains("A-0001"));
    assert!(!shop.paper().contains("BẢN SAO"), "{}", shop.paper());
    counter.until("the slip in the journal", |counter| {
        slip_states(counter) == ["queued", "paper_out", "queued", "printed"]
    });
    // Staff may print another, which is a copy.
    sign_in(&counter);
    counter.tap("Xem bằng chứng");
    counter.tap("In thêm một phiếu");
    counter.until("the copy on paper", |_| {
        shop.paper().contains("BẢN SAO / COPY 1")
    });
    counter.power_cut();
}
