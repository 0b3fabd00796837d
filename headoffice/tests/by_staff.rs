//! Transfers that staff confirmed at a kiosk, against what the bank credited; and the program's commands about both.
#![allow(clippy::unwrap_used)]

#[path = "support/bank_face.rs"]
mod bank_face;
#[path = "support/place.rs"]
mod place;
#[path = "storm/shop.rs"]
mod shop;
mod support;

use headoffice::relay::by_staff::Standing;
use payqr::provider::{Provider, bank::Payment};
use place::{Place, code, place};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    process::{Command, Output},
};
use support::{Kiosk, http, sale_body};
use touchpoint::vocabulary::{Method, Money, TransferSeen, TransferSettled};

const HOUR_S: i64 = 3_600;

fn vnd(minor: i64) -> Money {
    Money {
        currency: "VND".into(),
        minor,
    }
}

/// A sale that a member of staff confirmed by the bank's reference.
fn confirm(kiosk: &mut Kiosk, number: u64, amount_minor: i64, reference: &str) {
    kiosk.record(
        None,
        &TransferSeen {
            attempt: number.to_string(),
            amount: vnd(amount_minor),
            reference: reference.into(),
        },
    );
    let mut sale = sale_body(
        &format!("019aa3c5-0001-7000-8000-{number:012x}"),
        number,
        Method::Transfer,
        vnd(amount_minor),
    );
    sale.tenders[0].attempt = Some(number.to_string());
    kiosk.record(None, &sale);
}

/// A transfer into SePay's account; its reference.
fn transfer(place: &Place, amount_minor: i64, memo: &str) -> String {
    place.face.transfer(Payment {
        provider: Provider::SePay,
        order: None,
        amount_minor,
        memo: memo.into(),
    });
    let bank = place.face.bank.lock().unwrap();
    bank.ledger().last().unwrap().reference.clone()
}

/// Head office has read the blocks and SePay's list up to now.
fn catch_up(place: &Place, credits: usize) {
    let store = place.office.store();
    while store.credits(1_000).unwrap().credits.len() < credits {
        place.wait_s(1);
    }
    store.project_until(|| false).unwrap();
    store.match_by_staff().unwrap();
}

fn states(place: &Place) -> BTreeMap<String, Standing> {
    let list = place.office.store().by_staff(1_000).unwrap();
    list.transfers
        .into_iter()
        .map(|transfer| (transfer.attempt, transfer.state))
        .collect()
}

fn page(place: &Place, query: &str) -> String {
    let request = http().get(format!("{}{query}", place.office.url()));
    request.send().unwrap().text().unwrap()
}

#[test]
fn what_staff_confirmed_is_settled_by_the_banks_list_or_named() {
    // Proves that a sale on a person's word is settled when the bank's list has its reference and amount, once for each
    // credit; that the others are named for what they are, in both languages; and that a rebuild changes no figure.
    let place = place();
    let mut kiosk = Kiosk::enrol(&place.office, "Thủ Đức", 2);
    let real = transfer(&place, 60_000, "mua hang");
    let other_amount = transfer(&place, 5_000, "mua hang");
    place.wait_s(60);
    confirm(&mut kiosk, 1, 60_000, &real.to_uppercase());
    // The same slip again, for another sale.
    confirm(&mut kiosk, 2, 60_000, &real);
    confirm(&mut kiosk, 3, 50_000, &other_amount);
    confirm(&mut kiosk, 4, 70_000, "FT9999999999999");
    confirm(&mut kiosk, 5, 80_000, "FT8888888888888");
    confirm(&mut kiosk, 6, 90_000, "FT7777777777777");
    kiosk.record(
        None,
        &TransferSettled {
            attempt: "5".into(),
            amount: vnd(80_000),
            arrived: false,
            by: "staff".into(),
        },
    );
    kiosk.record(
        None,
        &TransferSettled {
            attempt: "6".into(),
            amount: vnd(90_000),
            arrived: true,
            by: "bank".into(),
        },
    );
    kiosk.push();
    catch_up(&place, 2);
    let now = states(&place);
    let of = |states: &BTreeMap<String, Standing>| {
        (1..=6)
            .map(|attempt: u32| states[&attempt.to_string()])
            .collect::<Vec<_>>()
    };
    use Standing as S;
    assert_eq!(
        of(&now),
        [
            S::Settled,
            S::Used,
            S::OtherAmount,
            S::Waiting,
            S::Missing,
            S::Settled
        ]
    );
    // The credit is the first sale's; the slip shown twice is not.
    let list = place.office.store().credits(10).unwrap();
    let settled = list.credits.iter().find(|credit| credit.reference == real);
    let decision = settled.unwrap().decision.clone().unwrap();
    assert_eq!(
        (decision.decision.as_str(), decision.by.as_str()),
        ("for_sale", "headoffice")
    );
    assert!(decision.note.starts_with("K1-261122-"), "{decision:?}");
    assert_eq!(
        list.open, 1,
        "the one with the other amount is for a person"
    );

    // The bank's list reaches over the time of number 4, and does not have it.
    place.wait_s(3 * HOUR_S);
    let reached = || states(&place)["4"] == S::NotFound;
    while !reached() {
        place.wait_s(20);
    }
    let list = place.office.store().by_staff(100).unwrap();
    assert_eq!((list.odd, list.open), (4, 4));
    assert!(list.transfers[0].state.is_odd());
    let (vi, en) = (
        page(&place, "/credits?lang=vi"),
        page(&place, "/credits?lang=en"),
    );
    assert!(vi.contains("không có trong sao kê") && vi.contains("mã đã dùng cho lượt bán khác"));
    assert!(en.contains("not in the bank&#39;s list") || en.contains("not in the bank's list"));
    let day = page(&place, "/?lang=vi&date=2026-11-22");
    assert!(
        day.contains("khoản nhân viên đã xác nhận mà ngân hàng không có"),
        "{day}"
    );

    // It comes after all, as a late row of the list.
    let store = place.office.store();
    let csv = "reference,amount,memo,time\nFT9999999999999,70000,mua hang,2026-11-22 09:02:00\n";
    store.import_credits("second", csv.as_bytes()).unwrap();
    assert_eq!(states(&place)["4"], S::Settled);

    let before = store.projection_digest().unwrap();
    store.rebuild().unwrap();
    assert_eq!(store.projection_digest().unwrap(), before);
    assert_eq!(states(&place)["1"], S::Settled);
}

#[test]
fn a_sale_whose_own_order_is_paid_later_is_settled_by_it() {
    // Proves that when staff confirmed because head office was slow, and the attempt's own order receives its money
    // then, the transfer is settled, also with another reference than staff typed; and that a store without a list is
    // told apart from one whose list does not have it.
    let place = place();
    let mut kiosk = Kiosk::enrol(&place.office, "Thủ Đức", 2);
    let mut other = Kiosk::enrol(&place.office, "Q1", 1);
    // `Place::offer` names the attempt by the order.
    let order = code("TD", 77);
    place.offer(&kiosk, &order, 45_000).1.unwrap();
    let sale = |kiosk: &mut Kiosk, attempt: &str, amount_minor| {
        let body = TransferSeen {
            attempt: attempt.into(),
            amount: vnd(amount_minor),
            reference: "0912 ABCD".into(),
        };
        kiosk.record(None, &body);
        kiosk.push();
    };
    sale(&mut kiosk, &order, 45_000);
    sale(&mut other, "9", 10_000);
    catch_up(&place, 0);
    assert_eq!(states(&place)[&order], Standing::Waiting);
    assert_eq!(states(&place)["9"], Standing::NoList);
    transfer(&place, 45_000, &order);
    catch_up(&place, 1);
    assert_eq!(states(&place)[&order], Standing::Settled);
}

#[test]
fn a_shop_without_a_provider_is_settled_by_the_list_people_read_in() {
    // Proves that an account with `provider = "list"` asks nobody, takes no notice, and settles what staff confirmed
    // when the bank's list is read in; what is older than the list's newest row and not in it is named.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("headoffice.toml");
    let text = format!(
        "data_dir = \"{}\"\nlisten = \"127.0.0.1:0\"\n[[payment]]\nname = \"vcb\"\nprovider = \"list\"\n\
         account_number = \"0123456789\"\n",
        folder.path().join("data").display()
    );
    std::fs::write(&file, text).unwrap();
    let mut config = headoffice::Config::read(&file).unwrap();
    config.clock = headoffice::Clock::manual(support::MORNING_MS).0;
    let office = headoffice::start(config).unwrap();
    let mut kiosk = Kiosk::enrol(&office, "Quán nhỏ", 1);
    confirm(&mut kiosk, 1, 60_000, "FT26326001");
    confirm(&mut kiosk, 2, 70_000, "FT26326002");
    kiosk.push();
    office.today(None).unwrap();
    let store = office.store();
    let states = || {
        let list = store.by_staff(10).unwrap().transfers;
        let mut states: Vec<_> = list
            .into_iter()
            .map(|transfer| (transfer.attempt, transfer.state))
            .collect();
        states.sort();
        states
    };
    let of = |first, second| vec![("1".to_owned(), first), ("2".to_owned(), second)];
    assert_eq!(states(), of(Standing::NoList, Standing::NoList));
    let notice = http().post(format!("{}/v1/webhooks/list/vcb", office.url()));
    assert_eq!(notice.body("{}").send().unwrap().status(), 400);
    let csv = "reference,amount,memo,time\nft 26326001,60000,,2026-11-22 09:00:09\nZZ1,1,,2026-11-22 10:00:00\n";
    store.import_credits("vcb", csv.as_bytes()).unwrap();
    assert_eq!(states(), of(Standing::Settled, Standing::Waiting));
    let later = "reference,amount,memo,time\nZZ2,1,,2026-11-22 14:00:00\n";
    store.import_credits("vcb", later.as_bytes()).unwrap();
    assert_eq!(states(), of(Standing::Settled, Standing::NotFound));
}

/// The real program on the place's database.
fn run(place: &Place, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_headoffice"))
        .arg("credits")
        .args(arguments)
        .arg("--data")
        .arg(place.folder.path())
        .output()
        .unwrap()
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_commands_list_settle_and_import() {
    // Proves, with the real program: the list and its pages; a decision with an order binds the credit to it, which then
    // is paid; what cannot be decided is said with a remedy and changes nothing; a list read in twice changes nothing;
    // and a transfer on a person's word is shown, closed and opened again.
    let place = place();
    let mut kiosk = Kiosk::enrol(&place.office, "Thủ Đức", 2);
    let order = code("TD", 1);
    place.offer(&kiosk, &order, 33_000).1.unwrap();
    let reference = transfer(&place, 33_000, "tra tien com trua");
    confirm(&mut kiosk, 1, 10_000, "FT0000000000042");
    kiosk.push();
    catch_up(&place, 1);

    let list = json(&run(&place, &["list"]));
    assert_eq!(list["open"], 1);
    assert_eq!(list["credits"][0]["state"], "no_code");
    let settle = |order: &str, decision: &str, by: &str| {
        run(
            &place,
            &[
                "settle",
                "--account",
                "second",
                "--reference",
                &reference,
                "--decision",
                decision,
                "--by",
                by,
                "--order",
                order,
                "--note",
                "bàn 7",
            ],
        )
    };
    for (order, decision, by, wanted) in [
        (
            "TD0000000",
            "for_sale",
            "Hoa",
            "there is no order TD0000000",
        ),
        (order.as_str(), "lost", "Hoa", "write given_back"),
        (order.as_str(), "for_sale", " ", "the name has 1 to 60"),
    ] {
        let output = settle(order, decision, by);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(wanted), "{said}");
    }
    assert_eq!(json(&run(&place, &["list"]))["open"], 1);
    let output = settle(&order, "for_sale", "Hoa");
    assert!(output.status.success(), "{output:?}");
    let list = json(&run(&place, &["list"]));
    let credit = &list["credits"][0];
    assert_eq!(list["open"], 0);
    assert_eq!(
        (&credit["state"], &credit["order"]),
        (&"paid".into(), &order.clone().into())
    );
    assert_eq!(credit["decision"]["note"], "bàn 7");
    let answer = place
        .ask(&kiosk, "GET", &format!("/v1/orders/{order}"))
        .1
        .unwrap();
    assert_eq!(answer.received_minor, 33_000);
    let again = settle(&order, "for_sale", "Hoa");
    let said = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(said.contains("belongs to order"), "{said}");

    let file = place.folder.path().join("list.csv");
    std::fs::write(
        &file,
        "reference,amount,memo,time\nX1,1000,a,\nX2,2000,b,\nX3,3000,c,\n",
    )
    .unwrap();
    let import = || {
        let output = run(
            &place,
            &["import", "--account", "second", file.to_str().unwrap()],
        );
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(import().starts_with("0 new with an order, 3 new to look at"));
    assert!(import().starts_with("0 new with an order, 0 new to look at, 3 known"));

    // Page by page: each credit once, those that need somebody first.
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let mut arguments = vec!["list", "--limit", "1"];
        arguments.extend(after.iter().flat_map(|after| ["--after", after.as_str()]));
        let list = json(&run(&place, &arguments));
        seen.push(list["credits"][0]["reference"].as_str().unwrap().to_owned());
        match list["next"].as_str() {
            Some(next) => after = Some(next.into()),
            None => break,
        }
    }
    assert_eq!(seen, ["X3", "X2", "X1", reference.as_str()]);

    let staff = json(&run(&place, &["staff"]));
    assert_eq!(staff["transfers"][0]["state"], "waiting");
    assert_eq!(staff["transfers"][0]["receipt"], "K1-261122-0001");
    let close = |more: &[&str]| {
        let mut arguments = vec![
            "close",
            "--device",
            kiosk.device.as_str(),
            "--attempt",
            "1",
            "--by",
            "Hoa",
        ];
        arguments.extend(more);
        assert!(run(&place, &arguments).status.success());
        json(&run(&place, &["staff"]))["transfers"][0]["state"].clone()
    };
    assert_eq!(close(&["--note", "khách trả tiền mặt"]), "closed");
    assert_eq!(close(&["--reopen"]), "waiting");
    let nobody = run(
        &place,
        &[
            "close",
            "--device",
            kiosk.device.as_str(),
            "--attempt",
            "99",
            "--by",
            "Hoa",
        ],
    );
    assert!(!nobody.status.success());
}

#[test]
fn more_transfers_than_a_page_holds_are_all_on_pages() {
    // Proves that of 1,203 transfers, 501 of them odd, every one is on exactly one page of the interface, the odd ones
    // first, and that a wrong page is refused.
    let place = place();
    let kiosk = Kiosk::enrol(&place.office, "Thủ Đức", 2);
    let order = code("TD", 2);
    place.offer(&kiosk, &order, 1).1.unwrap();
    let mut csv = String::from("reference,amount,memo,time\n");
    for number in 0..1_203 {
        // Long before the account was used here: history, that nobody has to look at.
        let time = if number % 12 < 5 {
            "2026-11-22 09:00:00"
        } else {
            "2024-01-01 00:00:00"
        };
        csv.push_str(&format!("R{number:04},1000,khong ma,{time}\n"));
    }
    let store = place.office.store();
    store.import_credits("second", csv.as_bytes()).unwrap();
    let open = store.credits(0).unwrap().open;
    let mut seen = BTreeMap::new();
    let (mut url, mut pages) = ("/v1/credits?limit=100".to_owned(), 0);
    let mut last_open = true;
    loop {
        let list: Value = serde_json::from_str(&page(&place, &url)).unwrap();
        pages += 1;
        for credit in list["credits"].as_array().unwrap() {
            let is_open = credit["open"].as_bool().unwrap();
            assert!(last_open || !is_open, "an odd one behind the others");
            last_open = is_open;
            let reference = credit["reference"].as_str().unwrap().to_owned();
            assert_eq!(seen.insert(reference, is_open), None);
        }
        match list["next"].as_str() {
            Some(next) => url = format!("/v1/credits?limit=100&after={next}"),
            None => break,
        }
    }
    assert_eq!((seen.len(), pages), (1_203, 13));
    assert_eq!(seen.values().filter(|open| **open).count() as u64, open);
    assert!(open > 500, "{open}");
    let wrong = http().get(format!("{}/v1/credits?after=x", place.office.url()));
    assert_eq!(wrong.send().unwrap().status(), 400);
    assert!(page(&place, "/credits?lang=vi").contains("rel=\"next\""));
}
