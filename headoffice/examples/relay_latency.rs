//! From a credit at the simulated bank to the kiosk's answer: `relay_latency [SALES]`.
//!
//! Real sockets on loopback and the machine's clock; once with notices, once by asking alone.
#![allow(clippy::unwrap_used)]

#[path = "../tests/support/bank_face.rs"]
mod bank_face;
#[path = "../tests/storm/shop.rs"]
mod shop;
#[path = "../tests/support/mod.rs"]
mod support;

use bank_face::Face;
use headoffice::Config;
use payqr::{OrderCode, StorePrefix};
use std::{
    sync::{Arc, mpsc},
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use support::Kiosk;
use touchpoint::relay::{OrderOffer, OrderState};

fn now_ms() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(elapsed.as_millis()).unwrap()
}

fn main() {
    let sales = std::env::args()
        .nth(1)
        .map_or(200, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let face = Face::start(shop::settings(7, "http://relay"), Arc::new(now_ms));
    let mut config = Config::new(folder.path());
    config.listen = ([127, 0, 0, 1], 0).into();
    config.payments = shop::payments(&face.url());
    let office = headoffice::start(config).unwrap();
    let kiosk = Kiosk::enrol(&office, "Q1", 1);
    let key = office.store().key().verifying_key();
    let mut number = 0;
    for by_notice in [true, false] {
        let (mut created, mut told) = (Vec::new(), Vec::new());
        for _ in 0..sales {
            number += 1;
            let code = OrderCode::new(StorePrefix::new("HS").unwrap(), number).unwrap();
            let order = code.to_string();
            let offer = OrderOffer {
                amount_minor: 50_000,
                attempt: order.clone(),
                currency: "VND".into(),
                open_for_ms: None,
                order: order.clone(),
            };
            let body = serde_json::to_vec(&offer).unwrap();
            let begun = Instant::now();
            let target = "/v1/orders?wait_ms=20000";
            let made = kiosk
                .order_call(&key, now_ms(), "POST", target, &body)
                .1
                .unwrap();
            created.push(begun.elapsed().as_micros());
            let (asking, key) = (kiosk.clone(), key);
            let (tell, heard) = mpsc::channel();
            let revision = made.revision;
            std::thread::spawn(move || {
                let mut target = format!("/v1/orders/{order}?revision={revision}&wait_ms=20000");
                loop {
                    let answer = asking
                        .order_call(&key, now_ms(), "GET", &target, b"")
                        .1
                        .unwrap();
                    if answer.state == OrderState::Paid {
                        break tell.send(Instant::now()).unwrap();
                    }
                    target = format!(
                        "/v1/orders/{order}?revision={}&wait_ms=20000",
                        answer.revision
                    );
                }
            });
            let paid = Instant::now();
            face.pay(&made.qr.unwrap(), 50_000);
            if by_notice {
                face.send_due(&office.url());
            }
            told.push((heard.recv().unwrap() - paid).as_micros());
            face.due();
        }
        let way = if by_notice { "by notice" } else { "by asking" };
        println!(
            "{way}: offer to code {}, credit to answer {}",
            spread(created),
            spread(told)
        );
    }
}

fn spread(mut micros: Vec<u128>) -> String {
    micros.sort_unstable();
    let at = |percent: usize| micros[(micros.len() - 1) * percent / 100] as u64;
    format!(
        "p50 {} µs p95 {} µs max {} µs (n {})",
        at(50),
        at(95),
        at(100),
        micros.len()
    )
}
