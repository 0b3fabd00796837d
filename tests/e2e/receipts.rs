//! Receipts that the printer does not print at once: what the spool knows decides.

use crate::driver::{Counter, Shop};
use crate::journeys::{decode, sign_in, with_a_coffee};
use checkout::till::{PrintOutcome, Screen};
use hardware::printer::profile::Profile;
use hardware::printer::sim::SimControl;
use kiosk::app::{AppEvent, UiEvent};
use kiosk::store::{PrintKind, PrintState, SpooledJob};

/// Pays the coffee by card; the exit tap is on the screen.
fn paid(shop: &Shop) -> Counter {
    let counter = with_a_coffee(shop);
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    counter.tap("Thẻ");
    counter.until_screen("tap");
    counter
}

fn outcome(counter: &Counter) -> Option<PrintOutcome> {
    let app = counter.app.borrow();
    let visit = app.model().state.visit.clone()?;
    visit.print.map(|print| print.outcome)
}

fn spooled(counter: &Counter, job_no: u64) -> Option<SpooledJob> {
    let store = counter.app.borrow().store();
    store
        .call(move |engine| engine.spooled(PrintKind::Receipt, job_no))
        .unwrap()
}

#[test]
fn a_receipt_refused_for_want_of_paper_comes_by_itself_with_the_new_roll() {
    // Proves: no paper is known before a byte leaves, the code is offered at once, and the original comes, unmarked and
    // proven, when the roll is in.
    let shop = Shop::open();
    let counter = with_a_coffee(&shop);
    shop.printer.control(SimControl::RemovePaper);
    counter.tap("Thanh toán");
    counter.until("the printer known to be without paper", |counter| {
        let app = counter.app.borrow();
        matches!(&app.model().view.screen, Screen::Pay(pay) if pay.printer_down)
    });
    counter.tap("Thẻ");
    counter.until_screen("tap");
    counter.until("the refusal", |counter| {
        matches!(outcome(counter), Some(PrintOutcome::Failed(_)))
    });
    counter.until("the code by itself", |counter| {
        counter.says("Hóa đơn giấy chưa in được.")
    });
    let shown = decode(&counter.shot("receipt-failed"));
    assert!(shown.contains("TỔNG CỘNG 25.000 VND"), "{shown}");
    counter.touch_at(540., 200.);
    assert!(!counter.says("Hóa đơn giấy chưa in được."));
    assert_eq!(
        counter.screen(),
        "tap",
        "the touch took the code away, no face"
    );
    assert!(counter.says("Hóa đơn điện tử"), "{:?}", counter.labels());
    shop.printer.control(SimControl::LoadPaper { mm: 30_000 });
    counter.until("the receipt on paper", |_| shop.paper().contains("25.000"));
    assert!(!shop.paper().contains("BẢN SAO"), "{}", shop.paper());
    counter.until("its proof in the spool", |counter| {
        spooled(counter, 2).is_some_and(|job| job.state == PrintState::Done)
    });
    assert_eq!(spooled(&counter, 1).unwrap().state, PrintState::Failed);
    let proof = spooled(&counter, 2).unwrap();
    assert_eq!(proof.evidence.as_deref(), Some("fence"));
    counter.power_cut();
}

#[test]
fn a_power_cut_in_the_middle_of_a_receipt_leaves_the_rest_to_staff() {
    // Proves: a receipt that began and whose end nobody saw is not sent again by itself; the torn paper is cut off and
    // says so, and the copy staff ask for is marked.
    let mut shop = Shop::open();
    shop.with_slow_printer();
    let counter = paid(&shop);
    counter.until("the receipt to begin", |counter| {
        outcome(counter) == Some(PrintOutcome::Printing)
    });
    counter.power_cut();

    let counter = Counter::open(&shop.config, 1080, 1920);
    assert_eq!(outcome(&counter), Some(PrintOutcome::Unknown));
    assert_eq!(spooled(&counter, 1).unwrap().state, PrintState::Unknown);
    counter.until("the torn paper cut off", |_| {
        shop.paper().contains("INTERRUPTED")
    });
    assert!(spooled(&counter, 2).is_none(), "nothing is sent again");
    counter.tap("Đóng");
    counter.tap("Bỏ qua");
    counter.until_screen("attract");
    counter.tap("Chạm để bắt đầu");
    counter.until_screen("shop");
    counter.tap("Gọi nhân viên");
    counter.until_screen("help");
    sign_in(&counter);
    counter.shot("staff-doubtful-receipt");
    counter.tap("In bản sao");
    counter.until("the copy on paper", |_| {
        shop.paper().contains("BẢN SAO / COPY 1")
    });
    counter.power_cut();
}

#[test]
fn without_paper_the_receipt_is_on_the_screen_in_every_size_and_in_large_text() {
    // Proves: where no printer is, the receipt comes as a code that reads back from the frame, on all three sizes and in
    // large text, and "close" leads to the exit tap.
    for (width, height, large) in [
        (1080, 1920, false),
        (1080, 1920, true),
        (1920, 1080, false),
        (1280, 800, true),
    ] {
        let mut shop = Shop::open();
        shop.config.file.printer = None;
        let counter = Counter::open(&shop.config, width, height);
        counter.until_screen("attract");
        counter.tap("Chạm để bắt đầu");
        counter.until_screen("shop");
        let wish = UiEvent::SetAccess(|access, on| access.large_text = on, large);
        counter.app.borrow_mut().handle(AppEvent::Ui(wish));
        counter.until("the coffee in the grid", |counter| {
            counter.says("Cà phê sữa đá")
        });
        counter.tap("Cà phê sữa đá");
        counter.until("a coffee in the basket", |counter| {
            counter.app.borrow().model().view.basket.lines.len() == 1
        });
        counter.tap("Thanh toán");
        counter.until_screen("pay");
        counter.tap("Thẻ");
        counter.until_screen("tap");
        counter.until("the code by itself", |counter| {
            counter.says("Hóa đơn giấy chưa in được.")
        });
        let shown = decode(&counter.shot(&format!("receipt-none-{width}-{large}")));
        for words in [
            "Tạp hóa Hoa Sen",
            "1 x Cà phê sữa đá: 25.000",
            "TỔNG CỘNG 25.000 VND",
        ] {
            assert!(shown.contains(words), "{words} is not in:\n{shown}");
        }
        counter.tap("Đóng");
        counter.tap("Rất tốt");
        counter.until("the answer", |counter| counter.screen() != "tap");
        counter.power_cut();
    }
}

#[test]
fn a_restored_database_does_not_know_what_was_printed_since() {
    // Proves: a database put back from a copy may be older than the paper, so a receipt its spool never saw begin is in
    // doubt and is not sent again by itself.
    let mut shop = Shop::open();
    shop.with_slow_printer();
    let counter = paid(&shop);
    counter.until("the receipt to begin", |counter| {
        outcome(counter) == Some(PrintOutcome::Printing)
    });
    counter.power_cut();
    let path = shop.dir.path().join("data/kiosk.db");
    let database = rusqlite::Connection::open(&path).unwrap();
    database.execute("DELETE FROM print_job", []).unwrap();
    database
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(database);
    let copy = path.with_extension("copy");
    std::fs::copy(&path, &copy).unwrap();
    std::fs::rename(&copy, &path).unwrap();

    let counter = Counter::open(&shop.config, 1080, 1920);
    assert_eq!(outcome(&counter), Some(PrintOutcome::Unknown));
    assert!(spooled(&counter, 2).is_none(), "nothing is sent again");
    counter.power_cut();
}

#[test]
fn a_printer_that_cannot_answer_is_sent_to_calmly() {
    // Proves: on a cable without a return wire a sale ends as "sent": no code comes by itself, nothing is in doubt, the
    // phone's receipt is still to be had, and the spool tells a restart the same.
    let mut shop = Shop::open();
    shop.config.printer_profile = Some(Profile::named("tx-only").unwrap());
    let counter = paid(&shop);
    counter.until("the receipt to be sent", |counter| {
        outcome(counter) == Some(PrintOutcome::Sent)
    });
    assert!(counter.says("Hóa đơn đã gửi đến máy in, mời bạn xem khe bên dưới."));
    assert!(!counter.says("Hóa đơn giấy chưa in được."));
    assert!(counter.says("Hóa đơn điện tử"), "{:?}", counter.labels());
    counter.shot("receipt-sent");
    shop.until_paper("25.000");
    let row = spooled(&counter, 1).unwrap();
    assert_eq!(row.evidence.as_deref(), Some("sent"));
    counter.power_cut();

    let counter = Counter::open(&shop.config, 1080, 1920);
    assert_eq!(outcome(&counter), Some(PrintOutcome::Sent));
    counter.power_cut();
}
