//! How fast head office accepts: signed blocks of 500 events over HTTP, durable, from two kiosks at once.
//!
//! `cargo run --release -p headoffice --example accept_rate -- [BLOCKS]`
#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;
use support::Kiosk;
use touchpoint::{Lane, vocabulary::Method};

fn main() {
    let blocks: usize = std::env::args()
        .nth(1)
        .map_or(200, |text| text.parse().unwrap());
    let office = support::office();
    let kiosks: Vec<Kiosk> = (1..=2)
        .map(|seed| {
            let mut kiosk = Kiosk::enrol(&office.running, "Q1", seed);
            // Four touchpoint events of about 150 bytes for each visit.
            for visit in 0..(blocks * 500 / 2 / 3) as u64 {
                kiosk.sell(visit, Method::Qr, 30_000, Some((visit % 5) as u8));
            }
            kiosk
        })
        .collect();
    let mut bytes = 0;
    let prepared: Vec<_> = kiosks
        .into_iter()
        .map(|kiosk| {
            let events = &kiosk.lanes[1].events;
            let mut run = Vec::new();
            let mut from = 0;
            let mut prev = touchpoint::GENESIS;
            while from < events.len() {
                let mut builder = touchpoint::BlockBuilder::new();
                while events
                    .get(from + builder.len())
                    .is_some_and(|event| builder.push(event))
                {}
                let meta = kiosk.meta(Lane::Touchpoints, from as u64 + 1, prev);
                let block = builder.sign(&kiosk.key, meta).unwrap();
                prev = block.header.chain;
                bytes += block.bytes.len();
                run.push((from as u64 + 1, block.bytes));
                from += builder.len();
            }
            (kiosk, run)
        })
        .collect();
    let events: usize = prepared
        .iter()
        .map(|(kiosk, _)| kiosk.lanes[1].events.len())
        .sum();
    let sent: usize = prepared.iter().map(|(_, run)| run.len()).sum();
    let begun = Instant::now();
    let senders: Vec<_> = prepared
        .into_iter()
        .map(|(kiosk, run)| {
            std::thread::spawn(move || {
                for (first_seq, block) in run {
                    assert_eq!(kiosk.put(Lane::Touchpoints, first_seq, block).0, 200);
                }
            })
        })
        .collect();
    for sender in senders {
        sender.join().unwrap();
    }
    let accepted = begun.elapsed();
    office.running.store().project_until(|| false).unwrap();
    let projected = begun.elapsed();
    let rate = |elapsed: std::time::Duration| events as f64 / elapsed.as_secs_f64();
    println!(
        "{events} events in {sent} blocks, {:.1} bytes each on the wire",
        bytes as f64 / events as f64
    );
    println!(
        "accepted  {:>9.0} events/s (signed, durable, over HTTP, projecting beside it)",
        rate(accepted)
    );
    println!(
        "projected {:>9.0} events/s (all figures up to date)",
        rate(projected)
    );
}
