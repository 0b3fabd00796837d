//! What staff order of the card terminal at the counter: its end of day, a payment taken back, a refund.

use crate::day::{close_day, has_row, message, sell, sheet, staff};
use crate::driver::{Counter, Shop};
use crate::journeys::{recorded, with_a_coffee};
use checkout::till::OrderStep;
use hardware::terminal::sim::{RecordKind, Scenario, SimOutcome};
use touchpoint::Lane;

/// A coffee was sold by card, and a member of staff is at the empty counter.
fn sold(shop: &Shop) -> Counter {
    let counter = with_a_coffee(shop);
    sell(shop, &counter);
    staff(&counter);
    counter
}

fn reversals(shop: &Shop) -> usize {
    let records = shop.terminal.records().into_iter();
    let reversals = records.filter(|r| matches!(r.kind, RecordKind::Reversal { .. }));
    reversals.count()
}

fn refunds(shop: &Shop) -> Vec<u64> {
    let records = shop.terminal.records().into_iter();
    let refunds = records.filter(|record| record.kind == RecordKind::Refund);
    refunds.map(|record| record.amount_minor).collect()
}

/// Count and amount of a row of the terminal's day.
fn figures(sheet: &str, label: &str) -> Vec<String> {
    let mut rows = sheet
        .lines()
        .filter_map(|line| line.trim().strip_prefix(label));
    let row = rows.next().unwrap_or_default();
    row.split_whitespace().map(str::to_owned).collect()
}

/// Opens the pad and waits until the store has found the sale.
fn open_pad(counter: &Counter) {
    counter.tap("Chọn giao dịch");
    counter.until("the last card payment", |counter| {
        counter
            .app
            .borrow()
            .model()
            .desk
            .give_back
            .taken()
            .is_some()
    });
    counter.turn();
}

fn refunded(counter: &Counter) -> Vec<(String, i64)> {
    let bodies = recorded(counter, Lane::Money, "sale.refunded").into_iter();
    let told = |body: serde_json::Value| {
        let how = body["how"].as_str().unwrap().to_owned();
        (how, body["amount"]["minor"].as_i64().unwrap())
    };
    bodies.map(told).collect()
}

/// Waits for these in the journal and nothing else: the screen may be a batch ahead of the disk.
fn until_refunded(counter: &Counter, wanted: &[(&str, i64)]) {
    let wanted: Vec<(String, i64)> = wanted.iter().map(|(how, m)| ((*how).into(), *m)).collect();
    counter.until("the money given back in the journal", |counter| {
        refunded(counter) == wanted
    });
}

fn day_states(counter: &Counter) -> Vec<String> {
    let bodies = recorded(counter, Lane::Money, "terminal.day").into_iter();
    let state = |body: serde_json::Value| body["state"].as_str().unwrap().to_owned();
    bodies.map(state).collect()
}

#[test]
fn a_day_is_closed_with_the_terminal_and_balances() {
    // Proves: the terminal's own totals stand beside the journal's on the Z paper and on the panel, and agree.
    let shop = Shop::open();
    let counter = sold(&shop);
    close_day(&counter);
    message(&counter, "Báo cáo Z 1: đã in");
    counter.until("the last closing", |counter| counter.says("KHỚP: 25.000"));
    counter.shot("day-balanced");
    let z = sheet(&shop, "BÁO CÁO Z SỐ 1");
    assert_eq!(figures(&z, "Máy thẻ báo"), ["1", "25.000"], "{z}");
    assert_eq!(figures(&z, "Sổ của quầy"), ["1", "25.000"], "{z}");
    assert!(z.contains("KHỚP: 25.000"), "{z}");
    assert_eq!(day_states(&counter), ["intended", "asked", "closed"]);
    counter.power_cut();
}

#[test]
fn a_charge_the_journal_does_not_have_is_the_exact_difference() {
    // Proves: a sale made with the terminal's own keys shows on the panel and on the paper, to the đồng, and the day is
    // closed all the same.
    let shop = Shop::open();
    let counter = sold(&shop);
    assert!(shop.terminal.stand_alone_sale(17_500));
    close_day(&counter);
    message(&counter, "Báo cáo Z 1: đã in");
    let words = "LỆCH (máy thẻ trừ sổ): +17.500";
    counter.until("the difference", |counter| counter.says(words));
    assert!(counter.says("số giao dịch +1"), "{:?}", counter.labels());
    counter.shot("day-difference");
    let z = sheet(&shop, "BÁO CÁO Z SỐ 1");
    assert_eq!(figures(&z, "Máy thẻ báo"), ["2", "42.500"], "{z}");
    assert!(z.contains("+17.500") && !z.contains("KHỚP"), "{z}");
    counter.power_cut();
}

#[test]
fn a_dead_terminal_holds_no_closing_up_and_is_never_called_balanced() {
    // Proves: with the cable out the Z report comes and says "unknown"; with a terminal that never answers staff close the
    // day without it, and the report says so, too.
    let shop = Shop::open();
    let counter = sold(&shop);
    shop.terminal.unplug();
    close_day(&counter);
    message(&counter, "Báo cáo Z 1: đã in");
    counter.until("the unknown", |counter| {
        counter.says("KHÔNG RÕ: máy thẻ không trả lời.")
    });
    counter.shot("day-dead-terminal");
    let z = sheet(&shop, "BÁO CÁO Z SỐ 1");
    assert!(z.contains("KHÔNG RÕ") && !z.contains("KHỚP"), "{z}");
    shop.terminal.plug();
    counter.until("the terminal again", |counter| {
        let app = counter.app.borrow();
        let devices = &app.model().view.devices;
        !devices.contains_key(&checkout::till::DeviceKind::Terminal)
    });
    shop.terminal
        .script(Scenario::ending(SimOutcome::FallSilent));
    close_day(&counter);
    counter.until("the choice", |counter| {
        counter.says("Chốt ngày, không chờ máy thẻ")
    });
    counter.shot("day-waiting");
    counter.tap("Chốt ngày, không chờ máy thẻ");
    message(&counter, "Báo cáo Z 2: đã in");
    let z = sheet(&shop, "BÁO CÁO Z SỐ 2");
    assert!(z.contains("KHÔNG RÕ: máy thẻ chưa trả lời"), "{z}");
    counter.power_cut();
}

#[test]
fn the_last_card_sale_is_taken_back_once_and_stands_on_the_reports() {
    // Proves: a reversal needs no card, is done once, is told as given back to journal, X and Z, and the terminal balances.
    let shop = Shop::open();
    let counter = sold(&shop);
    open_pad(&counter);
    assert!(counter.says("Không cần thẻ của khách."));
    counter.shot("give-back");
    counter.tap("Trả lại 25.000\u{a0}₫");
    message(&counter, "Đã trả lại vào thẻ 25.000");
    counter.shot("give-back-done");
    assert_eq!(reversals(&shop), 1);
    assert!(shop.terminal.charged().is_empty());
    until_refunded(&counter, &[("reversal", 25_000)]);
    open_pad(&counter);
    assert!(counter.says("Giao dịch này đã trả lại hết."));
    counter.tap("Quay lại");
    close_day(&counter);
    message(&counter, "Báo cáo Z 1: đã in");
    let z = sheet(&shop, "BÁO CÁO Z SỐ 1");
    assert!(has_row(&z, "Hủy giao dịch thẻ", "-25.000"), "{z}");
    assert!(z.contains("KHỚP: 0"), "{z}");
    counter.power_cut();
}

#[test]
fn after_the_terminals_day_a_part_is_refunded_and_never_more_than_the_rest() {
    // Proves: once the terminal's day is closed money goes back as a refund, in parts, and the pad knows what is left.
    let shop = Shop::open();
    let counter = sold(&shop);
    close_day(&counter);
    message(&counter, "Báo cáo Z 1: đã in");
    open_pad(&counter);
    assert!(counter.says("Khách đưa thẻ vào máy."));
    for digit in ["9", "0", "0", "0"] {
        counter.tap(digit);
    }
    counter.tap("Trả lại 9.000\u{a0}₫");
    message(&counter, "Đã trả lại vào thẻ 9.000");
    open_pad(&counter);
    assert!(
        counter.says("Trả lại 16.000\u{a0}₫"),
        "{:?}",
        counter.labels()
    );
    for digit in ["1", "6", "0", "0", "1"] {
        counter.tap(digit);
    }
    assert!(counter.says("Nhiều hơn số còn lại của giao dịch này."));
    counter.tap("Trả lại hết");
    counter.tap("Trả lại 16.000\u{a0}₫");
    message(&counter, "Đã trả lại vào thẻ 16.000");
    assert_eq!(refunds(&shop), [9_000, 16_000]);
    assert_eq!(reversals(&shop), 0);
    until_refunded(&counter, &[("refund", 9_000), ("refund", 16_000)]);
    counter.power_cut();
}

#[test]
fn a_reversal_whose_answer_is_lost_is_found_out_after_a_restart() {
    // Proves: the cable is pulled while the terminal reverses; the order is unknown, survives a power cut, is not sent again,
    // and the terminal's own record says after the restart that the money went back.
    let shop = Shop::open();
    let counter = sold(&shop);
    shop.terminal.script(Scenario {
        // Long enough for the cable to go first, however slow this machine is.
        delay_ms: 10_000,
        when_unacknowledged: hardware::terminal::sim::WhenUnacknowledged::Keep,
        ..Scenario::default()
    });
    open_pad(&counter);
    counter.tap("Trả lại 25.000\u{a0}₫");
    counter.until("the order at the terminal", |_| {
        shop.terminal.orders_received() == 2
    });
    shop.terminal.unplug();
    counter.until("the doubt", |counter| {
        let app = counter.app.borrow();
        let order = app.model().view.order.clone();
        order.is_some_and(|order| matches!(order.step, OrderStep::Unknown { .. }))
    });
    counter.turn();
    assert!(counter.says("Chưa rõ kết quả."), "{:?}", counter.labels());
    counter.shot("give-back-doubt");
    counter.tap("Xem và quyết định");
    assert!(counter.says("Tiền đã về thẻ"), "{:?}", counter.labels());
    counter.shot("give-back-evidence");
    counter.until("the doubt on disk", |counter| {
        !recorded(counter, Lane::Money, "attempt.unknown").is_empty()
    });
    counter.until("what the terminal does alone", |_| reversals(&shop) == 1);
    counter.power_cut();
    let counter = Counter::open(&shop.config, 1080, 1920);
    shop.terminal.plug();
    counter.until("the terminal's word", |counter| {
        counter.app.borrow().model().state.order.is_none()
    });
    counter.until("its row", |counter| {
        !recorded(counter, Lane::Money, "attempt.resolved").is_empty()
    });
    until_refunded(&counter, &[("reversal", 25_000)]);
    assert_eq!(reversals(&shop), 1);
    assert_eq!(shop.terminal.orders_received(), 2);
    assert_eq!(counter.app.borrow().model().state.order, None);
    counter.power_cut();
}
