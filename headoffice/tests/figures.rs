//! Figures: what the day shows, that it can be made again, and that nothing incomplete looks complete.
#![allow(clippy::unwrap_used)]

mod support;

use std::sync::atomic::Ordering;
use support::{Kiosk, MORNING_MS, Office, http, office, page, reopen, today};
use touchpoint::{
    Lane,
    vocabulary::{
        AttemptIntended, AttemptResolved, AttemptUnknown, DeviceState, ExitReasons, ExitSkipped,
        ExitTapped, Method, Money, Resolution, SaleRefunded, SkipReason,
    },
};

const DAY_MS: i64 = 86_400_000;

/// Twelve sales by two kiosks, ten of them answered.
fn busy_day() -> (Office, Kiosk, Kiosk) {
    let office = office();
    let mut first = Kiosk::enrol(&office.running, "Q1 Lê Lợi", 1);
    let mut second = Kiosk::enrol(&office.running, "Thủ Đức", 2);
    first.open_day(support::TODAY);
    second.open_day(support::TODAY);
    let faces = [4, 4, 4, 4, 3, 3, 3, 2, 1];
    for (number, face) in faces.into_iter().enumerate() {
        first.sell(number as u64, Method::Qr, 30_000, Some(face));
    }
    second.sell(1, Method::Card, 120_000, Some(0));
    second.sell(2, Method::Cash, 50_000, None);
    second.sell(3, Method::Cash, 10_000, None);
    first.push();
    second.push();
    first.heartbeat();
    second.heartbeat();
    (office, first, second)
}

#[test]
fn the_page_shows_the_day_with_n_and_intervals() {
    // Proves: sales, value by tender, faces, CSAT 7/10 with its Wilson interval and n stand on the page in both languages and alike in the API and the library, under a strict policy without scripts.
    let (office, ..) = busy_day();
    let url = office.running.url();
    let day = today(&url);
    assert_eq!(day["sales"]["count"], 12);
    assert_eq!(day["sales"]["by_currency"][0]["total_minor"], 450_000);
    assert_eq!(day["taps"]["faces"], serde_json::json!([1, 1, 1, 3, 4]));
    assert_eq!(day["missing_events"], 0);
    let inside = office.running.today(Some(support::TODAY)).unwrap();
    let api = format!("{url}/v1/today?date={}", support::TODAY);
    let text = http().get(api).send().unwrap().text().unwrap();
    assert_eq!(serde_json::to_string(&inside).unwrap(), text);
    let vietnamese = page(&url, "&lang=vi");
    for text in [
        "Chủ Nhật, 22.11.2026",
        "Đã đủ dữ liệu chưa?",
        "2/2 máy",
        "450.000\u{a0}₫",
        "270.000\u{a0}₫",
        "70,0%",
        "[39,7 – 89,2] · n=10",
        "Quét mã QR",
        "Rất tốt",
        "Q1 Lê Lợi",
    ] {
        assert!(vietnamese.contains(text), "{text} is not on the page");
    }
    let english = page(&url, "&lang=en");
    for text in [
        "Sunday, 22 November 2026",
        "Is the data complete?",
        "₫450,000",
        "70.0%",
        "n=10",
    ] {
        assert!(english.contains(text), "{text} is not on the page");
    }
    assert!(!vietnamese.contains("<script") && !vietnamese.contains("style=\""));
    let response = http().get(format!("{url}/")).send().unwrap();
    let policy = response.headers()["content-security-policy"]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
}

#[test]
fn few_answers_show_no_score() {
    // Proves: with nine answers the page says "not enough data" with n and shows no percentage of satisfaction.
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    for number in 0..9 {
        kiosk.sell(number, Method::Cash, 10_000, Some(4));
    }
    kiosk.push();
    let day = today(&office.running.url());
    assert!(day["taps"]["csat"].is_null() && day["taps"]["index"].is_null());
    let page = page(&office.running.url(), "");
    assert!(page.contains("chưa đủ dữ liệu · n=9/10"));
}

#[test]
fn known_missing_events_are_counted_and_said_first() {
    // Proves: events the kiosk has and head office does not are counted per kiosk, turn the verdict, and vanish when they arrive.
    let (office, mut first, _) = busy_day();
    first.sell(50, Method::Cash, 1_000, None);
    assert_eq!(first.heartbeat().missing, 3);
    let url = office.running.url();
    assert_eq!(today(&url)["missing_events"], 3);
    let incomplete = page(&url, "");
    assert!(
        incomplete.contains("Chưa: biết chắc còn thiếu 3 sự kiện")
            && incomplete.contains("1/2 máy")
    );
    assert!(incomplete.find("complete").unwrap() < incomplete.find("Khách hài lòng").unwrap());
    first.push();
    assert_eq!(first.heartbeat().missing, 0);
    assert_eq!(today(&url)["missing_events"], 0);
}

#[test]
fn a_silent_kiosk_is_not_called_complete() {
    // Proves: a kiosk unheard for more than five minutes is not complete, although nothing is known to be missing.
    let (office, mut first, _) = busy_day();
    office.clock.fetch_add(5 * 60 * 1_000 + 1, Ordering::SeqCst);
    first.heartbeat();
    let day = today(&office.running.url());
    assert_eq!(day["completeness"]["complete_devices"], 1);
    assert!(page(&office.running.url(), "").contains("Chưa chắc: 1 máy im lặng"));
}

#[test]
fn a_past_day_is_complete_only_when_proven() {
    // Proves: a day is "partial" until a heartbeat after its end, "received" then, "late" when it came after the cut-off, "partial" while events are missing, "closed" when proven empty and "missing" when nothing is proven.
    let (office, mut first, mut second) = busy_day();
    let week = |office: &Office| {
        let day = today(&office.running.url());
        let of = |store: &str| {
            let devices = day["completeness"]["devices"].as_array().unwrap();
            let device = devices
                .iter()
                .find(|device| device["store"] == store)
                .unwrap();
            device["week"][6].as_str().unwrap().to_owned()
        };
        (of("Q1 Lê Lợi"), of("Thủ Đức"))
    };
    assert_eq!(week(&office), ("running".into(), "running".into()));
    office.clock.store(MORNING_MS + DAY_MS, Ordering::SeqCst);
    assert_eq!(week(&office), ("partial".into(), "partial".into()));
    first.heartbeat();
    second.sell(77, Method::Cash, 5_000, None);
    second.heartbeat();
    assert_eq!(week(&office), ("received".into(), "partial".into()));
    second.push();
    second.heartbeat();
    assert_eq!(week(&office), ("received".into(), "late".into()));
    office
        .clock
        .store(MORNING_MS + 2 * DAY_MS, Ordering::SeqCst);
    first.heartbeat();
    let url = format!("{}/v1/today?date=2026-11-23", office.running.url());
    let next: serde_json::Value = http().get(url).send().unwrap().json().unwrap();
    let of = |store: &str| {
        let devices = next["completeness"]["devices"].as_array().unwrap();
        let device = devices
            .iter()
            .find(|device| device["store"] == store)
            .unwrap();
        device["week"][6].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (of("Q1 Lê Lợi"), of("Thủ Đức")),
        ("closed".into(), "missing".into())
    );
}

#[test]
fn rebuilt_figures_are_identical() {
    // Proves: figures read block by block with restarts between equal figures rebuilt at once, bit for bit, for events of every kind that has a rule.
    let (office, mut first, second) = busy_day();
    everything_else(&mut first);
    first.push();
    let Office {
        running, folder, ..
    } = office;
    while running.store().project_some().unwrap() > 0 {}
    let digest = running.store().projection_digest().unwrap();
    running.stop();
    let (running, _clock) = reopen(&folder, MORNING_MS);
    assert_eq!(running.store().projection_digest().unwrap(), digest);
    running.store().rebuild().unwrap();
    assert_eq!(running.store().projection_digest().unwrap(), digest);
    drop(second);
}

fn everything_else(kiosk: &mut Kiosk) {
    let sale = "019aa3c5-0001-7000-8000-000000000000".to_owned();
    let amount = || Money {
        currency: "VND".into(),
        minor: 30_000,
    };
    kiosk.record(
        None,
        &ExitTapped {
            sale: sale.clone(),
            face: 0,
            scale_id: "face5.v1".into(),
            latency_ms: None,
        },
    );
    kiosk.record(
        None,
        &ExitReasons {
            sale: sale.clone(),
            shown: vec!["during.queue".into(), "during.payment.qr".into()],
            chosen: vec!["during.queue".into()],
        },
    );
    kiosk.record(
        None,
        &ExitSkipped {
            sale: "none".into(),
            reason: SkipReason::Timeout,
        },
    );
    kiosk.record(
        None,
        &AttemptIntended {
            attempt: "t1".into(),
            sale: sale.clone(),
            method: Method::Card,
            amount: amount(),
            order: None,
        },
    );
    kiosk.record(
        None,
        &AttemptUnknown {
            attempt: "t1".into(),
            reason: "power".into(),
        },
    );
    kiosk.record(
        None,
        &DeviceState {
            device: "printer".into(),
            state: "attention".into(),
            detail: Some("paper_low".into()),
        },
    );
    kiosk.record(
        None,
        &SaleRefunded {
            sale,
            refund: "r1".into(),
            business_date: support::TODAY.into(),
            method: Method::Cash,
            amount: amount(),
            how: None,
            attempt: None,
        },
    );
}

#[test]
fn doubt_refund_reason_and_device_trouble_are_shown() {
    // Proves: a payment in doubt is shown with its amount until resolved, a correction replaces the tap, reasons, refunds and device troubles appear.
    let (office, mut kiosk, _) = busy_day();
    everything_else(&mut kiosk);
    kiosk.push();
    let url = office.running.url();
    let day = today(&url);
    assert_eq!(
        day["taps"]["faces"],
        serde_json::json!([2, 1, 1, 3, 3]),
        "the last tap of a sale counts"
    );
    assert_eq!(day["taps"]["asked"], 11);
    assert_eq!(day["sales"]["by_currency"][0]["refunded_minor"], 30_000);
    assert_eq!(day["in_doubt"][0]["amount_minor"], 30_000);
    let shown = page(&url, "");
    for text in ["Tiền chưa rõ", "Vì sao chưa vui", "Chờ lâu", "sắp hết giấy"] {
        assert!(shown.contains(text), "{text} is not on the page");
    }
    kiosk.record(
        None,
        &AttemptResolved {
            attempt: "t1".into(),
            outcome: Resolution::Declined,
            by: "terminal".into(),
        },
    );
    kiosk.push();
    assert_eq!(today(&url)["in_doubt"], serde_json::json!([]));
}

#[test]
fn a_sale_told_twice_counts_once() {
    // Proves: the same sale recorded again in another journal (a restored disk) is noted and not counted twice.
    let (office, mut kiosk, _) = busy_day();
    kiosk.journal = support::journal(77);
    let told = kiosk.lanes[0].events[1].clone();
    kiosk.lanes = Default::default();
    kiosk.record_bytes(Lane::Money, told);
    kiosk.push();
    let day = today(&office.running.url());
    assert_eq!(day["sales"]["count"], 12);
    assert_eq!(day["completeness"]["quarantined"], 1);
}

#[test]
fn hostile_names_are_shown_as_text() {
    // Proves: markup in names from a kiosk reaches the page escaped.
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "<b>Q1</b>", 1);
    kiosk.open_day(support::TODAY);
    kiosk.push();
    let page = page(&office.running.url(), "");
    assert!(page.contains("&lt;b&gt;Q1&lt;/b&gt;") && !page.contains("<b>Q1"));
}

#[test]
fn assets_and_health_answer() {
    // Proves: style, icon and the four fonts are served from the program itself, and healthz asks the database.
    let office = office();
    let url = office.running.url();
    for name in [
        "style.css",
        "icon.svg",
        "be-vietnam-pro-400.ttf",
        "be-vietnam-pro-700.ttf",
    ] {
        let response = http().get(format!("{url}/assets/{name}")).send().unwrap();
        assert_eq!(response.status(), 200, "{name}");
        assert!(response.bytes().unwrap().len() > 100);
    }
    assert_eq!(
        http()
            .get(format!("{url}/assets/../Cargo.toml"))
            .send()
            .unwrap()
            .status(),
        404
    );
    assert_eq!(
        http()
            .get(format!("{url}/healthz"))
            .send()
            .unwrap()
            .text()
            .unwrap(),
        "ok\n"
    );
}

#[test]
fn goods_without_a_tax_rate_are_no_rate_of_zero() {
    // Proves that exempt goods, goods whose tax is not declared and goods at zero are three lines of the day, in figures
    // and in both languages, that lines keep the same, and that a rebuild makes them again.
    use touchpoint::vocabulary::{Money, SaleTax, TaxTreatment};
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    let price = Money {
        currency: "VND".into(),
        minor: 10_000,
    };
    let mut sale = support::sale_body(
        "019aa3c5-0001-7000-8000-000000000001",
        1,
        Method::Cash,
        price,
    );
    let tax = |rate_basis_points, treatment, net_minor, tax_minor| SaleTax {
        rate_basis_points,
        treatment,
        net_minor,
        tax_minor,
    };
    sale.taxes = vec![
        tax(800, None, 1_000, 80),
        tax(0, None, 2_000, 0),
        tax(0, Some(TaxTreatment::Exempt), 3_000, 0),
        tax(0, Some(TaxTreatment::NotDeclared), 3_920, 0),
    ];
    sale.lines[0].tax_treatment = Some(TaxTreatment::Exempt);
    kiosk.record(None, &sale);
    kiosk.push();
    office.running.today(None).unwrap();
    let day = today(&office.running.url());
    let taxes: Vec<(u64, Option<&str>, i64)> = day["sales"]["by_tax"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tax| {
            (
                tax["rate_basis_points"].as_u64().unwrap(),
                tax["treatment"].as_str(),
                tax["net_minor"].as_i64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        taxes,
        [
            (0, None, 2_000),
            (800, None, 1_000),
            (0, Some("exempt"), 3_000),
            (0, Some("not_declared"), 3_920)
        ]
    );
    let vi = page(&office.running.url(), "&lang=vi");
    let en = page(&office.running.url(), "&lang=en");
    assert!(vi.contains("Không chịu thuế (KCT)") && vi.contains("Không kê khai, nộp thuế (KKKNT)"));
    assert!(en.contains("Exempt (KCT)") && en.contains("Not declared (KKKNT)"));
    let line: Option<String> = office
        .running
        .store()
        .read(|db| Ok(db.query_row("SELECT tax_treatment FROM sale_line", [], |row| row.get(0))?))
        .unwrap();
    assert_eq!(line.as_deref(), Some("exempt"));
    let store = office.running.store();
    let before = store.projection_digest().unwrap();
    store.rebuild().unwrap();
    assert_eq!(store.projection_digest().unwrap(), before);
}
