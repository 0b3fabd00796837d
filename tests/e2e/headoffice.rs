//! The kiosk against a real head office: enrolment, and every sale and tap there exactly once.

use crate::cable::Cable;
use crate::driver::{Counter, Shop};
use crate::journeys::{take_a_coffee, with_a_coffee};
use crate::office::*;
use ::headoffice::Running;
use checkout::till::{BankLink, Screen};
use kiosk::assemble::{key_file, open_store};
use kiosk::clock::wall_ms;
use kiosk::sync::{EnrolError, enrol};
use payqr::provider::Provider;
use touchpoint::Lane;

#[test]
fn a_sale_and_its_face_are_at_head_office_exactly_once() {
    // Proves the whole way from a touch to the day's figures and page, and that a kiosk started again sends nothing twice.
    let shop = Shop::open();
    let dir = tempfile::tempdir().unwrap();
    let office = office(dir.path(), anywhere());
    let code = office.enrolment_code(STORE).unwrap();
    enrol_with(&shop, &office.url(), &code).unwrap();
    let counter = with_a_coffee(&shop);
    pay_by_card_and_tap(&counter, "Chưa tốt");
    let today = until_complete(&counter, &office);
    assert_eq!(sold(&today), (1, 25_000));
    assert_eq!((today.taps.n, today.taps.faces), (1, [0, 1, 0, 0, 0]));
    let sale = &today.sales.latest[0];
    assert_eq!(sale.store_name, STORE);
    assert_eq!(sale.device_name, "Quầy 1");
    assert_eq!(sale.methods, ["card"]);
    // The second of five, counted from 0 on the wire.
    assert_eq!(sale.face, Some(1));
    for (path, words) in [("/", "25.000"), ("/v1/today", "\"total_minor\":25000")] {
        let page = reqwest::blocking::get(format!("{}{path}?date={}", office.url(), today.date));
        let text = page.unwrap().text().unwrap();
        assert!(text.contains(words), "{path} does not say {words}:\n{text}");
    }
    counter.power_cut();
    let counter = Counter::open(&shop.config, 1080, 1920);
    take_a_coffee(&counter);
    pay_by_card_and_tap(&counter, "Tốt");
    let today = until_complete(&counter, &office);
    assert_eq!(sold(&today), (2, 50_000));
    assert_eq!(today.taps.faces, [0, 1, 0, 1, 0]);
    counter.power_cut();
}

#[test]
fn what_was_sold_while_head_office_was_down_arrives_when_it_is_back() {
    // Proves that selling needs no head office, and that the journal is its outbox.
    let shop = Shop::open();
    let dir = tempfile::tempdir().unwrap();
    let first = office(dir.path(), anywhere());
    let (url, address) = (first.url(), first.addr);
    let code = first.enrolment_code(STORE).unwrap();
    enrol_with(&shop, &url, &code).unwrap();
    first.stop();
    let counter = with_a_coffee(&shop);
    pay_by_card_and_tap(&counter, "Rất tốt");
    assert_eq!(shop.terminal.charged().len(), 1);
    let back = office(dir.path(), address);
    assert_eq!(back.today(None).unwrap().completeness.stored, 0);
    let today = until_complete(&counter, &back);
    assert_eq!(sold(&today), (1, 25_000));
    assert_eq!(today.taps.faces, [0, 0, 0, 0, 1]);
    counter.power_cut();
}

#[test]
fn a_head_office_that_restarts_while_blocks_come_counts_nothing_twice() {
    // Proves that an answer lost to a restart leaves neither a gap nor a double in events, sales or taps.
    let shop = Shop::open();
    let dir = tempfile::tempdir().unwrap();
    let mut running = office(dir.path(), anywhere());
    let address = running.addr;
    let code = running.enrolment_code(STORE).unwrap();
    enrol_with(&shop, &running.url(), &code).unwrap();
    let counter = with_a_coffee(&shop);
    for sale in 1..=3 {
        if sale > 1 {
            take_a_coffee(&counter);
        }
        counter.tap("Thanh toán");
        counter.until_screen("pay");
        // Blocks of this visit are on their way.
        running.stop();
        running = office(dir.path(), address);
        counter.tap("Thẻ");
        counter.until_screen("tap");
        running.stop();
        counter.tap("Tốt");
        running = office(dir.path(), address);
        counter.until("the end of the visit", |counter| {
            if counter.screen() == "reasons" {
                counter.tap("Bỏ qua");
            }
            counter.screen() == "attract"
        });
    }
    let today = until_complete(&counter, &running);
    assert_eq!(sold(&today), (3, 75_000));
    assert_eq!(today.taps.faces, [0, 0, 0, 3, 0]);
    assert_eq!(shop.terminal.charged().len(), 3);
    counter.power_cut();
}

#[test]
fn what_was_recorded_after_a_lost_answer_arrives_behind_what_was_there() {
    // Proves: head office stores a block, its answer is lost, the kiosk records more, and the longer run that it then
    // sends neither stops the journal nor is asked for again and again: everything arrives, once.
    let shop = Shop::open();
    let dir = tempfile::tempdir().unwrap();
    let office = office(dir.path(), anywhere());
    let cable = Cable::to(office.addr);
    let code = office.enrolment_code(STORE).unwrap();
    enrol_with(&shop, &cable.url(), &code).unwrap();
    let counter = with_a_coffee(&shop);
    until_answered(&counter);
    cable.lose_answers_to_blocks();
    counter.tap("Thanh toán");
    counter.until_screen("pay");
    // This attempt waits for staff: nothing more is recorded of money before they count.
    counter.tap("Tiền mặt");
    counter.until("money at head office whose answer is lost", |counter| {
        let mark = money(counter);
        mark.stored_upto < mark.last_seq && kept(dir.path(), Lane::Money) == mark.last_seq
    });
    let lost = kept(dir.path(), Lane::Money);
    count_cash(&counter, &["2", "5", "0", "0", "0"]);
    tap_and_leave(&counter);
    let mark = money(&counter);
    assert!(mark.stored_upto < lost && lost < mark.last_seq, "{mark:?}");
    assert_eq!(kept(dir.path(), Lane::Money), lost, "the longer run waits");
    // What waits for an answer ends at once, and is asked again.
    cable.cut();
    cable.mend();
    assert_eq!(sold(&until_complete(&counter, &office)), (1, 25_000));
    let heard = String::from_utf8_lossy(&cable.heard()).into_owned();
    assert!(heard.contains(r#""answer":"gap""#), "{heard}");
    counter.power_cut();
}

#[test]
fn a_wrong_or_used_code_is_refused_in_words_that_help() {
    // Proves that a kiosk is enrolled only by a fresh code at a real head office, and that each refusal says what to do.
    let (shop, other) = (Shop::open(), Shop::open());
    let dir = tempfile::tempdir().unwrap();
    let office = office(dir.path(), anywhere());
    let url = office.url();
    let wrong = enrol_with(&shop, &url, "0000-0000-0000-0000").unwrap_err();
    assert!(matches!(wrong, EnrolError::Refused(_)), "{wrong:?}");
    let code = office.enrolment_code(STORE).unwrap();
    enrol_with(&other, &url, &code).unwrap();
    let used = enrol_with(&shop, &url, &code).unwrap_err();
    assert!(matches!(used, EnrolError::Refused(_)), "{used:?}");
    assert_ne!(wrong.to_string(), used.to_string());
    for refusal in [wrong, used] {
        let words = refusal.to_string();
        assert!(words.contains("Ask head office for a new code"), "{words}");
    }
    assert!(today_is_empty(&office));
    let fresh = office.enrolment_code(STORE).unwrap();
    enrol_with(&shop, &url, &fresh).unwrap();
    office.stop();
    let gone = enrol_again(&shop, &url, &fresh).unwrap_err();
    assert!(matches!(gone, EnrolError::Unreachable { .. }), "{gone:?}");
    let words = gone.to_string();
    assert!(words.contains(&url) && words.contains("network"), "{words}");
}

/// As [`enrol_with`], for a kiosk that is enrolled and stays so.
fn enrol_again(shop: &Shop, url: &str, code: &str) -> Result<(), EnrolError> {
    let opened = open_store(&shop.config, |_| {}).unwrap();
    let answer = enrol(&opened.store, &key_file(&shop.config), url, code, "Quầy 1");
    assert!(
        opened
            .store
            .call(|engine| engine.enrolment())
            .unwrap()
            .is_some()
    );
    drop(opened.store);
    opened.thread.join().unwrap();
    answer.map(|_| ())
}

fn today_is_empty(office: &Running) -> bool {
    let today = office.today(None).unwrap();
    today.completeness.stored == 0 && today.sales.count == 0
}

#[test]
fn a_code_is_paid_through_head_office_and_its_provider() {
    // Proves the whole way of a QR payment: the kiosk's signed offer, head office's relay, the provider's own code on the
    // glass, the transfer, and the sale it pays, without a notice from the provider.
    let mut shop = Shop::open();
    let (_provider, payment) = payos(&account(&shop), Some(1_000));
    let dir = tempfile::tempdir().unwrap();
    let office = office_with(dir.path(), anywhere(), &payment);
    let counter = with_relay(&mut shop, &office);
    show_code(&counter);
    counter.until_screen("tap");
    counter.tap("Rất tốt");
    counter.until("the end of the visit", |counter| {
        if counter.screen() == "reasons" {
            counter.tap("Bỏ qua");
        }
        counter.screen() == "attract"
    });
    let today = until_complete(&counter, &office);
    assert_eq!(sold(&today), (1, 25_000));
    assert_eq!(today.sales.latest[0].methods, ["qr"]);
    counter.power_cut();
}

#[test]
fn head_office_down_while_a_code_is_shown_loses_no_money() {
    // Proves: a head office that goes away under a code on the glass is said, the code stays payable, nothing counts as
    // paid or unpaid meanwhile, and the transfer that came in between pays the sale when it is back.
    let mut shop = Shop::open();
    let (provider, payment) = payos(&account(&shop), None);
    let dir = tempfile::tempdir().unwrap();
    let office = office_with(dir.path(), anywhere(), &payment);
    let counter = with_relay(&mut shop, &office);
    show_code(&counter);
    let address = office.addr;
    office.stop();
    counter.until("the silence said", |counter| {
        let app = counter.app.borrow();
        matches!(&app.model().view.screen, Screen::Qr(qr) if qr.link != BankLink::Fresh)
    });
    counter.shot("head-office-down");
    provider.with_bank(|bank| {
        let transfer = bank.newest_open(Provider::PayOs).unwrap();
        bank.pay(transfer, wall_ms())
    });
    assert_eq!(counter.screen(), "qr");
    let office = office_with(dir.path(), address, &payment);
    counter.until_screen("tap");
    counter.tap("Rất tốt");
    counter.until("the end of the visit", |counter| {
        if counter.screen() == "reasons" {
            counter.tap("Bỏ qua");
        }
        counter.screen() == "attract"
    });
    assert_eq!(sold(&until_complete(&counter, &office)), (1, 25_000));
    counter.power_cut();
}
