//! The doors over real sockets.

use super::*;
use payqr::provider::Secret;
use payqr::provider::bank::{Account, PayOsShop, SePayShop};
use payqr::provider::payos::{self, CreateRequest, Created, PaymentRequest};
use payqr::provider::sepay::{self, Auth, Headers};
use payqr::{OrderCode, StorePrefix};
use reqwest::blocking::Client;
use std::io::{Read, Write};
use std::sync::mpsc;

/// A relay's door for notices: answers with the given statuses in turn, then
/// 200, and hands over head and body.
fn hearer(statuses: &'static [u16]) -> (String, mpsc::Receiver<(String, Vec<u8>)>) {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/{{provider}}", listener.local_addr().unwrap());
    let (send, heard) = mpsc::channel();
    std::thread::spawn(move || {
        let mut statuses = statuses.iter();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = Vec::new();
            let mut buffer = [0; 4096];
            let (head, body) = loop {
                let read = stream.read(&mut buffer).unwrap();
                bytes.extend_from_slice(&buffer[..read]);
                let text = String::from_utf8_lossy(&bytes).into_owned();
                let Some(end) = text.find("\r\n\r\n") else {
                    assert!(read > 0);
                    continue;
                };
                let head = text[..end].to_ascii_lowercase();
                let length = head.split("content-length: ").nth(1).unwrap();
                let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
                if bytes.len() >= end + 4 + length {
                    break (text[..end].to_owned(), bytes[end + 4..].to_vec());
                }
            };
            let status = statuses.next().unwrap_or(&200);
            let answer =
                format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
            if send.send((head, body)).is_err() {
                return;
            }
        }
    });
    (url, heard)
}

fn shop(webhook: &str, time_scale: u32) -> Settings {
    let account = Account {
        bin: "970436".into(),
        number: "0123499999".into(),
        holder: "CUA HANG".into(),
        bank: "Vietcombank".into(),
    };
    let url = |name: &str| Some(webhook.replace("{provider}", name));
    Settings {
        payos: Some(PayOsShop {
            client_id: "client".into(),
            api_key: Secret::new("api-key"),
            checksum_key: Secret::new("checksum"),
            account: account.clone(),
            webhook_url: url("payos"),
        }),
        sepay: Some(SePayShop {
            api_token: Secret::new("token"),
            auth: Auth::Signature(Secret::new("hook")),
            account,
            webhook_url: url("sepay"),
        }),
        time_scale,
        first_number: 1,
        ..Settings::default()
    }
}

fn running(settings: Settings) -> Running {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let doors = [(Provider::PayOs, any), (Provider::SePay, any)];
    start(settings, Faults::default(), &doors).unwrap()
}

fn client() -> Client {
    crate::sync::tls::install_provider();
    Client::new()
}

fn order() -> OrderCode {
    OrderCode::new(StorePrefix::new("HS").unwrap(), 77).unwrap()
}

fn create(client: &Client, base: &str) -> reqwest::Result<Vec<u8>> {
    let request = CreateRequest::new(order(), 45_000, "https://shop.example/").unwrap();
    let request = client
        .post(format!("{base}/v2/payment-requests"))
        .header(payos::HEADER_CLIENT_ID, "client")
        .header(payos::HEADER_API_KEY, "api-key")
        .json(&request.signed(&Secret::new("checksum")));
    Ok(request.send()?.bytes()?.to_vec())
}

#[test]
fn a_payos_sale_goes_over_the_sockets() {
    // Proves create, pay by the scanned code, signed webhook and look-up with a plain HTTP client.
    let (webhook, heard) = hearer(&[]);
    let bank = running(shop(&webhook, 1));
    let base = bank.address(Provider::PayOs).unwrap();
    let client = client();
    let key = Secret::new("checksum");
    let made: Created = payos::read_answer(&create(&client, &base).unwrap(), &key).unwrap();
    let body = serde_json::json!({"code": made.qr_code});
    let pay = client
        .post(format!("{base}/control/pay"))
        .json(&body)
        .send();
    assert!(pay.unwrap().status().is_success());
    let (head, body) = heard.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(head.starts_with("POST /payos "));
    let told = payos::read_webhook(&body, &key).unwrap();
    assert_eq!(told.order_code, order().to_integer());
    let shown = client
        .get(format!(
            "{base}/v2/payment-requests/{}",
            order().to_integer()
        ))
        .header(payos::HEADER_CLIENT_ID, "client")
        .header(payos::HEADER_API_KEY, "api-key")
        .send();
    let shown: PaymentRequest = payos::read_answer(&shown.unwrap().bytes().unwrap(), &key).unwrap();
    assert_eq!(shown.amount_paid, 45_000);
    let ledger = client.get(format!("{base}/control/ledger")).send().unwrap();
    let ledger: serde_json::Value = ledger.json().unwrap();
    assert_eq!(ledger["transfers"][0]["amount_minor"], 45_000);
}

#[test]
fn a_lost_answer_is_no_answer_and_the_order_is_there() {
    // Proves that the client sees a broken connection, not a status, after the order was made.
    let bank = running(shop("http://127.0.0.1:9/{provider}", 1));
    let base = bank.address(Provider::PayOs).unwrap();
    let client = client();
    let set = client.post(format!("{base}/control/faults"));
    let set = set.body("lost_response_after_commit x1").send().unwrap();
    assert!(set.status().is_success());
    let lost = create(&client, &base).unwrap_err();
    assert!(lost.status().is_none() && lost.is_request(), "{lost:?}");
    assert_eq!(bank.with_bank(|bank| bank.orders().count()), 1);
    let again = create(&client, &base).unwrap();
    let refused = payos::read_answer::<Created>(&again, &Secret::new("checksum"));
    assert!(matches!(refused, Err(payos::AnswerError::Refused(r)) if r.code == "231"));
    let wrong = client.post(format!("{base}/control/faults"));
    let wrong = wrong.body("drop_push often").send().unwrap();
    assert_eq!(wrong.status(), 400);
}

#[test]
fn sepay_tells_again_until_it_is_heard() {
    // Proves the signed webhook over the wire, the retry after a failure, and the list with its limits named.
    let (webhook, heard) = hearer(&[500, 503]);
    let bank = running(shop(&webhook, 600));
    let base = bank.address(Provider::SePay).unwrap();
    let client = client();
    let memo = format!("{} cam on", order());
    let body = serde_json::json!({"amount_minor": 12_000, "memo": memo});
    let pay = client
        .post(format!("{base}/control/pay"))
        .json(&body)
        .send();
    assert!(pay.unwrap().status().is_success());
    for _ in 0..3 {
        let (head, body) = heard.recv_timeout(Duration::from_secs(20)).unwrap();
        let value = |name: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(": "));
            let mut named = lines.filter(|(known, _)| known.eq_ignore_ascii_case(name));
            named.next().map(|(_, value)| value.to_owned())
        };
        let timestamp = value(sepay::HEADER_TIMESTAMP).unwrap();
        let signature = value(sepay::HEADER_SIGNATURE).unwrap();
        let headers = Headers {
            timestamp: Some(&timestamp),
            signature: Some(&signature),
            authorization: None,
        };
        let now_s = crate::clock::wall_ms() / 1_000;
        let auth = Auth::Signature(Secret::new("hook"));
        let told = sepay::read_webhook(&body, headers, &auth, now_s).unwrap();
        assert_eq!((told.transfer_amount, told.content), (12_000, memo.clone()));
    }
    let list = || {
        let asked = client.get(format!("{base}/v2/transactions?transaction_date_sort=asc"));
        asked
            .header("Authorization", "Bearer token")
            .send()
            .unwrap()
    };
    let answer = list();
    assert_eq!(answer.headers()["x-ratelimit-limit"], "3");
    let page = sepay::read_page(&answer.bytes().unwrap()).unwrap();
    assert_eq!(page.data[0].transaction_content, memo);
}
