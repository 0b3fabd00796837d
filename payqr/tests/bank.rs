//! The bank in software: each provider's life of an order, and each fault.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use payqr::provider::bank::{
    Account, Bank, Faults, Method, PayOsShop, PixShop, Push, Request, Response, SePayShop, Settings,
};
use payqr::provider::payos::{self, CancelRequest, CreateRequest, Created, PaymentRequest, Status};
use payqr::provider::sepay::{self, Auth, Headers};
use payqr::provider::{Credit, NotACredit, Provider, Reject, Secret, pix};
use payqr::{MemoMatch, OrderCode, StorePrefix, VietQr};

const NOON_MS: i64 = 1_795_842_000_000;
const KEY: &str = "7d9f0335-8dcc-4054-9bf9-0dbd61d36906";
const SEPAY_SECRET: &str = "sepay-secret";

fn account(number: &str) -> Account {
    Account {
        bin: "970436".into(),
        number: number.into(),
        holder: "CUA HANG DIEM CHAM".into(),
        bank: "Vietcombank".into(),
    }
}

fn settings(seed: u64) -> Settings {
    Settings {
        payos: Some(PayOsShop {
            client_id: "client".into(),
            api_key: Secret::new("api-key"),
            checksum_key: Secret::new("checksum"),
            account: account("0011002233"),
            webhook_url: Some("http://relay/payos".into()),
        }),
        sepay: Some(SePayShop {
            api_token: Secret::new("token"),
            auth: Auth::Signature(Secret::new(SEPAY_SECRET)),
            account: account("0123499999"),
            webhook_url: Some("http://relay/sepay".into()),
        }),
        pix: Some(PixShop {
            client_id: "pix-client".into(),
            client_secret: Secret::new("pix-secret"),
            key: KEY.into(),
            name: "LOJA".into(),
            city: "SAO PAULO".into(),
            host: "pix.example.com".into(),
            webhook_url: Some("http://relay".into()),
        }),
        pay_after_ms: None,
        time_scale: 1,
        seed,
        first_number: 1,
    }
}

fn bank_with(faults: &str) -> Bank {
    let mut bank = Bank::new(settings(1));
    bank.set_faults(Faults::read(faults).unwrap());
    bank
}

fn prefix() -> StorePrefix {
    StorePrefix::new("HS").unwrap()
}

fn order(number: u32) -> OrderCode {
    OrderCode::new(prefix(), number).unwrap()
}

fn payos(bank: &mut Bank, method: Method, path: &str, body: &str, now_ms: i64) -> Response {
    let request = Request::new(Provider::PayOs, method, path)
        .header("x-client-id", "client")
        .header("x-api-key", "api-key")
        .with_body(body);
    bank.handle(&request, now_ms)
}

fn create(bank: &mut Bank, code: OrderCode, amount: i64, now_ms: i64) -> Response {
    let mut request = CreateRequest::new(code, amount, "https://shop.example/").unwrap();
    request.expired_at = Some(now_ms / 1_000 + 300);
    let body = serde_json::to_string(&request.signed(&Secret::new("checksum"))).unwrap();
    payos(bank, Method::Post, "/v2/payment-requests", &body, now_ms)
}

fn created(bank: &mut Bank, code: OrderCode, amount: i64, now_ms: i64) -> Created {
    let response = create(bank, code, amount, now_ms);
    payos::read_answer(&response.body, &Secret::new("checksum")).unwrap()
}

fn shown(bank: &mut Bank, code: OrderCode, now_ms: i64) -> PaymentRequest {
    let path = format!("/v2/payment-requests/{}", code.to_integer());
    let response = payos(bank, Method::Get, &path, "", now_ms);
    payos::read_answer(&response.body, &Secret::new("checksum")).unwrap()
}

fn pay_code(bank: &mut Bank, code: &str, now_ms: i64) {
    let payment = bank.scan(code, None).unwrap();
    bank.pay(payment, now_ms);
}

fn sepay_code(code: OrderCode, amount: u64) -> String {
    let qr = VietQr::account("970436", "0123499999").with_amount(amount);
    qr.with_memo(code.to_string()).encode().unwrap()
}

fn read_sepay(push: &Push, now_ms: i64) -> Result<sepay::Webhook, Reject> {
    let headers = Headers {
        timestamp: push.header_value(sepay::HEADER_TIMESTAMP),
        signature: push.header_value(sepay::HEADER_SIGNATURE),
        authorization: None,
    };
    let auth = Auth::Signature(Secret::new(SEPAY_SECRET));
    sepay::read_webhook(&push.body, headers, &auth, now_ms / 1_000)
}

fn list(bank: &mut Bank, since: Option<&str>, now_ms: i64) -> Response {
    let mut request = Request::new(Provider::SePay, Method::Get, "/v2/transactions")
        .header("Authorization", "Bearer token")
        .parameter("transaction_date_sort", "asc")
        .parameter("per_page", "100");
    if let Some(since) = since {
        request = request.parameter("since_id", since);
    }
    bank.handle(&request, now_ms)
}

#[test]
fn a_payos_order_lives_from_code_to_credit() {
    // Proves create, look-up, webhook and the refused cancel, all through the forms a client reads.
    let mut bank = bank_with("");
    let made = created(&mut bank, order(7), 146_688, NOON_MS);
    assert_eq!(
        (made.status, made.description.as_str()),
        (Status::Pending, order(7).to_string().as_str())
    );
    let again = create(&mut bank, order(7), 146_688, NOON_MS);
    let refused = payos::read_answer::<Created>(&again.body, &Secret::new("checksum"));
    assert!(matches!(refused, Err(payos::AnswerError::Refused(r)) if r.code == "231"));
    assert_eq!(shown(&mut bank, order(7), NOON_MS).status, Status::Pending);
    pay_code(&mut bank, &made.qr_code, NOON_MS + 5_000);
    let pushes = bank.due(NOON_MS + 5_000);
    let told = payos::read_webhook(&pushes[0].body, &Secret::new("checksum")).unwrap();
    let ours = vec!["0011002233".to_owned()];
    let by_push = told.credit(&ours).unwrap();
    assert_eq!(by_push.order(prefix()), MemoMatch::One(order(7)));
    bank.pushed(pushes[0].id, true, NOON_MS + 5_100);
    let paid = shown(&mut bank, order(7), NOON_MS + 6_000);
    assert_eq!((paid.status, paid.amount_remaining), (Status::Paid, 0));
    assert_eq!(paid.credits(&ours), vec![Ok(by_push)]);
    let path = format!("/v2/payment-requests/{}/cancel", made.payment_link_id);
    let body = serde_json::to_string(&CancelRequest::default()).unwrap();
    let refused = payos(&mut bank, Method::Post, &path, &body, NOON_MS + 7_000);
    assert!(payos::read_answer::<PaymentRequest>(&refused.body, &Secret::new("checksum")).is_err());
    assert!(bank.due(NOON_MS + 86_400_000).is_empty());
}

#[test]
fn payos_refuses_what_payos_refuses() {
    // Proves keys, signature, unknown order, expiry and cancel, each with its code.
    let mut bank = bank_with("");
    let code_of = |response: &Response| {
        let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
        (response.status, body["code"].as_str().unwrap().to_owned())
    };
    let strange = Request::new(Provider::PayOs, Method::Get, "/v2/payment-requests/1");
    assert_eq!(
        code_of(&bank.handle(&strange, NOON_MS)),
        (401, "401".into())
    );
    let request = CreateRequest::new(order(1), 1_000, "https://shop.example/").unwrap();
    let unsigned = serde_json::to_string(&request).unwrap();
    let refused = payos(
        &mut bank,
        Method::Post,
        "/v2/payment-requests",
        &unsigned,
        NOON_MS,
    );
    assert_eq!(code_of(&refused), (200, "201".into()));
    let foreign = serde_json::to_string(&request.signed(&Secret::new("other"))).unwrap();
    let refused = payos(
        &mut bank,
        Method::Post,
        "/v2/payment-requests",
        &foreign,
        NOON_MS,
    );
    assert_eq!(code_of(&refused), (200, "201".into()));
    let refused = payos(
        &mut bank,
        Method::Post,
        "/v2/payment-requests",
        "{",
        NOON_MS,
    );
    assert_eq!(code_of(&refused), (200, "20".into()));
    let refused = payos(
        &mut bank,
        Method::Get,
        "/v2/payment-requests/5",
        "",
        NOON_MS,
    );
    assert_eq!(code_of(&refused), (200, "101".into()));
    let made = created(&mut bank, order(1), 1_000, NOON_MS);
    assert_eq!(
        shown(&mut bank, order(1), NOON_MS + 300_000).status,
        Status::Expired
    );
    let path = format!("/v2/payment-requests/{}/cancel", order(1).to_integer());
    let cancelled = payos(
        &mut bank,
        Method::Post,
        &path,
        r#"{"cancellationReason":"left"}"#,
        NOON_MS,
    );
    let cancelled: PaymentRequest =
        payos::read_answer(&cancelled.body, &Secret::new("checksum")).unwrap();
    assert_eq!(cancelled.status, Status::Cancelled);
    pay_code(&mut bank, &made.qr_code, NOON_MS + 9_000);
    let late = shown(&mut bank, order(1), NOON_MS + 9_000);
    assert_eq!((late.status, late.amount_paid), (Status::Cancelled, 1_000));
}

#[test]
fn confirming_a_webhook_tries_the_address_first() {
    // Proves that the address is taken only when the signed probe is answered.
    let mut bank = bank_with("");
    let body = r#"{"webhookUrl":"http://new/payos"}"#;
    for (answered, url) in [(false, "http://relay/payos"), (true, "http://new/payos")] {
        let response = payos(&mut bank, Method::Post, "/confirm-webhook", body, NOON_MS);
        let probe = response.probe.clone().unwrap();
        let told = payos::read_webhook(&probe.push.body, &Secret::new("checksum")).unwrap();
        assert_eq!(OrderCode::from_integer(told.order_code), None);
        bank.pushed(probe.push.id, answered, NOON_MS);
        assert!(payos::read_confirmed(&response.body).is_ok());
        assert!(payos::read_confirmed(&probe.refused.body).is_err());
        let number = if answered { 2 } else { 1 };
        let made = created(&mut bank, order(number), 5_000, NOON_MS);
        pay_code(&mut bank, &made.qr_code, NOON_MS);
        assert_eq!(bank.due(NOON_MS)[0].url, url);
    }
}

#[test]
fn sepay_tries_eight_times_and_the_list_knows_all_the_same() {
    // Proves the minutes of the published schedule and that webhook and row are one credit.
    let mut bank = bank_with("");
    pay_code(&mut bank, &sepay_code(order(9), 45_000), NOON_MS);
    let mut minutes = Vec::new();
    let mut told = None;
    while let Some(next_ms) = bank.next_ms() {
        for push in bank.due(next_ms) {
            minutes.push(((next_ms - NOON_MS) / 60_000) as u64);
            assert_eq!(push.attempt, minutes.len());
            told = Some(read_sepay(&push, next_ms).unwrap());
            bank.pushed(push.id, false, next_ms);
        }
    }
    assert_eq!(minutes, sepay::DELIVERY_MINUTES);
    let page = sepay::read_page(&list(&mut bank, None, NOON_MS).body).unwrap();
    assert_eq!((page.data.len(), page.data[0].webhook_success), (1, 0));
    let ours = vec!["0123499999".to_owned()];
    let credit = page.data[0].credit(&ours).unwrap();
    assert_eq!(credit, told.unwrap().credit(&ours).unwrap());
    assert_eq!(credit.order(prefix()), MemoMatch::One(order(9)));
    let rest = sepay::read_page(&list(&mut bank, Some(&page.data[0].id), NOON_MS).body).unwrap();
    assert!(rest.data.is_empty());
    let unknown = list(&mut bank, Some("nobody"), NOON_MS);
    assert_eq!(unknown.status, 422);
}

#[test]
fn a_compressed_bank_waits_less_and_signs_true_times() {
    // Proves that --time-scale shortens tries and replays and leaves the age of a signature.
    let mut compressed = settings(1);
    compressed.time_scale = 60;
    let mut bank = Bank::new(compressed);
    bank.set_faults(Faults::read("replay 301 x1").unwrap());
    pay_code(&mut bank, &sepay_code(order(9), 45_000), NOON_MS);
    let mut sent = Vec::new();
    while let Some(next_ms) = bank.next_ms() {
        for push in bank.due(next_ms) {
            bank.pushed(push.id, false, next_ms);
            sent.push((next_ms - NOON_MS, read_sepay(&push, next_ms).is_ok()));
        }
    }
    let fresh: Vec<i64> = sent
        .iter()
        .filter(|(_, ok)| *ok)
        .map(|(ms, _)| *ms)
        .collect();
    assert_eq!(
        fresh,
        sepay::DELIVERY_MINUTES.map(|minutes| minutes as i64 * 1_000)
    );
    assert!(sent.contains(&(5_016, false)));
}

#[test]
fn sepay_pages_and_filters_its_list() {
    // Proves the cursor over many pages without a gap or double, newest first by default, and money out.
    let mut bank = bank_with("");
    for number in 0..250 {
        pay_code(
            &mut bank,
            &sepay_code(order(number), 1_000),
            NOON_MS + i64::from(number),
        );
    }
    let mut out = bank.scan(&sepay_code(order(1), 1), None).unwrap();
    out.amount_minor = -700;
    bank.pay(out, NOON_MS + 900);
    let mut seen = Vec::new();
    let mut since: Option<String> = None;
    let mut now_ms = NOON_MS + 10_000;
    loop {
        let page = sepay::read_page(&list(&mut bank, since.as_deref(), now_ms).body).unwrap();
        now_ms += 1_000;
        let Some(last) = page.data.last() else { break };
        since = Some(last.id.clone());
        seen.extend(
            page.data
                .into_iter()
                .map(|row| row.reference_number.unwrap()),
        );
    }
    let ledger: Vec<String> = bank.ledger().iter().map(|t| t.reference.clone()).collect();
    assert_eq!(seen, ledger);
    let newest = Request::new(Provider::SePay, Method::Get, "/v2/transactions")
        .header("Authorization", "Bearer token")
        .parameter("transfer_type", "out");
    let page = sepay::read_page(&bank.handle(&newest, now_ms).body).unwrap();
    assert_eq!((page.data.len(), page.data[0].amount_out), (1, 700));
    let none = page.data[0].credit(&["0123499999".to_owned()]);
    assert_eq!(none, Err(NotACredit::MoneyOut));
}

#[test]
fn the_fourth_request_within_a_second_is_told_to_wait() {
    // Proves 3 requests a second and address with Retry-After and X-RateLimit headers.
    let mut bank = bank_with("");
    for left in ["2", "1", "0"] {
        let response = list(&mut bank, None, NOON_MS);
        assert_eq!(response.status, 200);
        assert_eq!(response.header_value("X-RateLimit-Remaining"), Some(left));
    }
    let limited = list(&mut bank, None, NOON_MS + 999);
    assert_eq!(limited.status, 429);
    assert_eq!(limited.header_value("Retry-After"), Some("1"));
    assert_eq!(limited.header_value("X-RateLimit-Limit"), Some("3"));
    assert_eq!(list(&mut bank, None, NOON_MS + 1_000).status, 200);
    let mut other = Request::new(Provider::SePay, Method::Get, "/v2/transactions");
    other.peer = "10.0.0.9".into();
    assert_eq!(bank.handle(&other, NOON_MS + 1_000).status, 401);
}

fn pix_request(bank: &mut Bank, method: Method, path: &str, body: &str, now_ms: i64) -> Response {
    let ask = Request::new(Provider::Pix, Method::Post, "/oauth/token")
        .header("Authorization", "Basic cGl4LWNsaWVudDpwaXgtc2VjcmV0")
        .with_body("grant_type=client_credentials");
    let answer: serde_json::Value =
        serde_json::from_slice(&bank.handle(&ask, now_ms).body).unwrap();
    let token = format!("Bearer {}", answer["access_token"].as_str().unwrap());
    let request = Request::new(Provider::Pix, method, path).header("Authorization", &token);
    bank.handle(&request.with_body(body), now_ms)
}

#[test]
fn a_pix_charge_lives_from_code_to_refund() {
    // Proves charge, revision, payment, the refused removal and both ends of a refund.
    let mut bank = bank_with("");
    let txid = pix::txid(order(3));
    let path = format!("/cob/{txid}");
    let put = |amount| {
        serde_json::to_string(&pix::ChargeRequest::new(KEY, pix::Reais(amount), 3_600)).unwrap()
    };
    let first = pix_request(&mut bank, Method::Put, &path, &put(9_900), NOON_MS);
    assert_eq!(first.status, 201);
    let revised = pix_request(&mut bank, Method::Put, &path, &put(3_700), NOON_MS);
    let charge = pix::read_charge(&revised.body).unwrap();
    assert_eq!(
        (revised.status, charge.revision, charge.value.original),
        (200, 1, pix::Reais(3_700))
    );
    pay_code(&mut bank, charge.code.as_deref().unwrap(), NOON_MS + 60_000);
    let push = &bank.due(NOON_MS + 60_000)[0];
    assert_eq!(push.url, "http://relay/pix");
    let told = pix::read_payments(&push.body).unwrap();
    let by_push = told.pix[0].credit(KEY, &txid).unwrap();
    bank.pushed(push.id, true, NOON_MS + 60_000);
    let paid = pix_request(&mut bank, Method::Get, &path, "", NOON_MS + 61_000);
    let paid = pix::read_charge(&paid.body).unwrap();
    assert_eq!(paid.status, pix::ChargeStatus::Completed);
    assert_eq!(paid.credits(KEY, &txid), vec![Ok(by_push.clone())]);
    let remove = serde_json::to_string(&pix::ChargePatch::REMOVE).unwrap();
    let refused = pix_request(&mut bank, Method::Patch, &path, &remove, NOON_MS + 62_000);
    let problem: pix::Problem = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(
        (refused.status, problem.title.as_str()),
        (400, "CobOperacaoInvalida")
    );
    let refund = format!("/pix/{}/devolucao/R1", by_push.reference);
    for _ in 0..2 {
        let asked = pix_request(
            &mut bank,
            Method::Put,
            &refund,
            r#"{"valor":"7.89"}"#,
            NOON_MS + 70_000,
        );
        let asked = pix::read_refund(&asked.body).unwrap();
        assert_eq!(
            (asked.status, asked.value),
            (pix::RefundStatus::InProgress, pix::Reais(789))
        );
    }
    let done = pix_request(&mut bank, Method::Get, &refund, "", NOON_MS + 72_000);
    assert_eq!(
        pix::read_refund(&done.body).unwrap().status,
        pix::RefundStatus::Returned
    );
    let notices = bank.due(NOON_MS + 72_000);
    let told = pix::read_payments(&notices[0].body).unwrap();
    assert_eq!(told.pix[0].refunds[0].status, pix::RefundStatus::Returned);
    bank.set_faults(Faults::read("refund NAO_REALIZADO").unwrap());
    let second = refund.replace("R1", "R2");
    pix_request(
        &mut bank,
        Method::Put,
        &second,
        r#"{"valor":"1.00"}"#,
        NOON_MS + 80_000,
    );
    let failed = pix_request(&mut bank, Method::Get, &second, "", NOON_MS + 82_000);
    assert_eq!(
        pix::read_refund(&failed.body).unwrap().status,
        pix::RefundStatus::NotDone
    );
    let greedy = refund.replace("R1", "R3");
    let refused = pix_request(
        &mut bank,
        Method::Put,
        &greedy,
        r#"{"valor":"37.00"}"#,
        NOON_MS + 90_000,
    );
    assert_eq!(refused.status, 400);
}

#[test]
fn payers_faults_change_money_and_memo_in_the_ledger() {
    // Proves under, over, twice, late, old amount and every mangling where the truth is: the ledger.
    let amounts = |faults: &str| {
        let mut bank = bank_with("");
        let first = created(&mut bank, order(1), 77_000, NOON_MS);
        let second = created(&mut bank, order(2), 50_000, NOON_MS);
        bank.set_faults(Faults::read(faults).unwrap());
        pay_code(&mut bank, &second.qr_code, NOON_MS + 1_000);
        let booked_ms = bank.next_ms().unwrap();
        bank.advance(booked_ms);
        assert_ne!(first.qr_code, second.qr_code);
        bank.ledger()
            .iter()
            .map(|t| (t.amount_minor, t.memo.clone(), t.at_ms - NOON_MS))
            .collect::<Vec<_>>()
    };
    let memo = order(2).to_string();
    let exact = |amount| vec![(amount, memo.clone(), 1_000)];
    assert_eq!(amounts(""), exact(50_000));
    assert_eq!(amounts("under 20000"), exact(30_000));
    assert_eq!(amounts("under 60000"), exact(1));
    assert_eq!(amounts("over 500"), exact(50_500));
    assert_eq!(
        amounts("pay_twice"),
        [exact(50_000), exact(50_000)].concat()
    );
    assert_eq!(amounts("pay_old_amount"), exact(77_000));
    assert_eq!(
        amounts("pay_after_expiry 60000"),
        vec![(50_000, memo.clone(), 360_000)]
    );
    assert_eq!(amounts("mangle_memo truncate 7")[0].1, memo[..7]);
    assert_eq!(amounts("mangle_memo upper")[0].1, memo);
    let around = &amounts("mangle_memo prefix")[0].1;
    assert_eq!(
        OrderCode::search(around, prefix()),
        MemoMatch::One(order(2))
    );
    assert!(around.len() > memo.len());
    assert_eq!(amounts("under 20000 0%"), exact(50_000));
}

#[test]
fn notice_faults_do_what_they_say() {
    // Proves drop, dup, delay, reorder, forged, bare and replayed notices, all of SePay.
    let notices = |faults: &str, sales: u32| {
        let mut bank = bank_with(faults);
        for number in 0..sales {
            pay_code(
                &mut bank,
                &sepay_code(order(number), 1_000),
                NOON_MS + i64::from(number),
            );
        }
        let mut sent = Vec::new();
        while let Some(next_ms) = bank.next_ms() {
            for push in bank.due(next_ms) {
                bank.pushed(push.id, true, next_ms);
                sent.push((next_ms - NOON_MS, read_sepay(&push, next_ms)));
            }
        }
        sent
    };
    assert!(notices("drop_push", 3).is_empty());
    assert_eq!(notices("dup 8", 1).len(), 8);
    assert_eq!(notices("delay 1500", 1)[0].0, 1_500);
    let mixed: Vec<u64> = notices("reorder", 50)
        .into_iter()
        .map(|(_, told)| told.unwrap().id)
        .collect();
    assert!(mixed.len() == 50 && !mixed.is_sorted());
    assert_eq!(notices("bad_sig", 1)[0].1, Err(Reject::SignatureWrong));
    assert!(matches!(
        notices("missing_sig", 1)[0].1,
        Err(Reject::SignatureMissing { .. })
    ));
    let replayed = notices("replay 301 x1", 1);
    assert!(replayed[0].1.is_ok() && replayed[1].0 == 301_000);
    assert!(matches!(
        replayed[1].1,
        Err(Reject::Stale { age_s: 301, .. })
    ));
}

#[test]
fn answer_faults_do_what_they_say() {
    // Proves HTTP errors, codes in HTTP 200, lost answers, forged answers, refused tokens and the cancel race.
    let mut bank = bank_with(
        "http 429 retry-after 2 x1\nhttp 503 x1\nhttp200 code=20 x1\ntoken_expired x1\nlost_response_after_commit x1",
    );
    let mut seen = Vec::new();
    for _ in 0..3 {
        let response = create(&mut bank, order(1), 1_000, NOON_MS);
        seen.push((response.status, response.is_lost));
    }
    assert_eq!(seen, [(429, false), (503, false), (401, true)]);
    let code = create(&mut bank, order(1), 1_000, NOON_MS);
    let refused = payos::read_answer::<Created>(&code.body, &Secret::new("checksum"));
    assert!(matches!(refused, Err(payos::AnswerError::Refused(r)) if r.code == "20"));
    bank.set_faults(Faults::read("lost_response_after_commit x1").unwrap());
    assert!(create(&mut bank, order(1), 1_000, NOON_MS).is_lost);
    assert_eq!(shown(&mut bank, order(1), NOON_MS).amount, 1_000);
    for (fault, reject) in [
        ("bad_sig x1", Reject::SignatureWrong),
        (
            "missing_sig x1",
            Reject::SignatureMissing { place: "signature" },
        ),
    ] {
        bank.set_faults(Faults::read(fault).unwrap());
        let path = format!("/v2/payment-requests/{}", order(1).to_integer());
        let answer = payos(&mut bank, Method::Get, &path, "", NOON_MS);
        let read = payos::read_answer::<PaymentRequest>(&answer.body, &Secret::new("checksum"));
        assert_eq!(read, Err(payos::AnswerError::Untrusted(reject)));
    }
    bank.set_faults(Faults::read("cancel_race_paid").unwrap());
    let path = format!("/v2/payment-requests/{}/cancel", order(1).to_integer());
    let lost_race = payos(&mut bank, Method::Post, &path, "{}", NOON_MS);
    assert!(
        payos::read_answer::<PaymentRequest>(&lost_race.body, &Secret::new("checksum")).is_err()
    );
    assert_eq!(shown(&mut bank, order(1), NOON_MS).status, Status::Paid);
}

/// The least a relay does: takes proven notices, sweeps lists and open orders,
/// and keeps one credit for one key.
#[derive(Default)]
struct Credits {
    known: BTreeSet<(Provider, String, String)>,
    total: i64,
    refused: usize,
}

impl Credits {
    fn take(&mut self, credit: Credit) {
        if self
            .known
            .insert((credit.provider, credit.account, credit.reference))
        {
            self.total += credit.amount_minor;
        }
    }

    fn hear(&mut self, push: &Push, now_ms: i64) {
        let accounts = ["0011002233".to_owned(), "0123499999".to_owned()];
        let credit = match push.provider {
            Provider::PayOs => payos::read_webhook(&push.body, &Secret::new("checksum"))
                .map(|w| w.credit(&accounts)),
            _ => read_sepay(push, now_ms).map(|w| w.credit(&accounts)),
        };
        match credit {
            Ok(credit) => self.take(credit.unwrap()),
            Err(_) => self.refused += 1,
        }
    }
}

fn day(seed: u64, sales: u32) -> (Bank, Credits) {
    let mut bank = Bank::new(settings(seed));
    bank.set_faults(Faults::read("drop_push 20%\ndup 8 30%\nreorder 60000 30%\nbad_sig 5%\nmissing_sig 5%\nreplay 301 5%\nunder 500 10%\nover 500 10%\npay_twice 5%\npay_after_expiry 60000 5%\nmangle_memo prefix 20%").unwrap());
    let mut credits = Credits::default();
    for number in 0..sales {
        let now_ms = NOON_MS + i64::from(number) * 1_000;
        let code = if number % 2 == 0 {
            sepay_code(order(number), 20_000)
        } else {
            let made = create(&mut bank, order(number), 20_000, now_ms);
            let made: serde_json::Value = serde_json::from_slice(&made.body).unwrap();
            made["data"]["qrCode"].as_str().unwrap().to_owned()
        };
        pay_code(&mut bank, &code, now_ms);
        for push in bank.due(now_ms) {
            credits.hear(&push, now_ms);
            bank.pushed(push.id, push.id % 3 == 0, now_ms);
        }
    }
    (bank, credits)
}

#[test]
fn a_bad_day_loses_nothing_and_a_seed_replays_it() {
    // Proves that lists and look-ups complete what notices tell, to the đồng, over 1,000 sales, twice alike.
    let (mut bank, mut credits) = day(5, 1_000);
    let mut now_ms = NOON_MS + 86_400_000;
    bank.advance(now_ms);
    assert!(credits.refused > 50);
    assert!(credits.known.len() < bank.ledger().len());
    bank.set_faults(Faults::default());
    let accounts = ["0011002233".to_owned(), "0123499999".to_owned()];
    let mut since: Option<String> = None;
    loop {
        now_ms += 1_000;
        let page = sepay::read_page(&list(&mut bank, since.as_deref(), now_ms).body).unwrap();
        let Some(last) = page.data.last() else { break };
        since = Some(last.id.clone());
        page.data
            .iter()
            .for_each(|row| credits.take(row.credit(&accounts).unwrap()));
    }
    for number in (1..1_000).step_by(2) {
        let order = shown(&mut bank, order(number), now_ms);
        order
            .credits(&accounts)
            .into_iter()
            .for_each(|credit| credits.take(credit.unwrap()));
    }
    assert_eq!(credits.known.len(), bank.ledger().len());
    assert_eq!(
        credits.total,
        bank.ledger().iter().map(|t| t.amount_minor).sum::<i64>()
    );
    let (mut again, _) = day(5, 1_000);
    again.advance(NOON_MS + 86_400_000);
    assert_eq!(again.ledger(), bank.ledger());
}
