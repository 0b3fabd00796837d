//! Who and what is let in: enrolment, signatures, bombs, poison, limits.
#![allow(clippy::unwrap_used)]

mod support;

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    sync::atomic::Ordering,
    time::Duration,
};
use support::{Kiosk, enrol_request, http, office, stored_events, today};
use touchpoint::{
    Lane, SigningKey, VerifyingKey,
    vocabulary::Method,
    wire::{EnrolAnswer, PutAnswer, Receipt, Refusal},
};

fn refused(url: &str, request: &impl serde::Serialize) -> (u16, String) {
    let response = http()
        .post(format!("{url}/v1/enroll"))
        .json(request)
        .send()
        .unwrap();
    let status = response.status().as_u16();
    (
        status,
        response
            .json::<Refusal>()
            .map(|refusal| refusal.error)
            .unwrap_or_default(),
    )
}

#[test]
fn a_code_lets_in_one_kiosk_once() {
    // Proves: a code works once, a second key is refused, the same key asking again gets the same id, and typing variants are the same code.
    let office = office();
    let url = office.running.url();
    let code = office.running.enrolment_code("Q1 Lê Lợi").unwrap();
    assert_eq!(code.len(), 19);
    let ask = |code: &str, seed| {
        let response = http()
            .post(format!("{url}/v1/enroll"))
            .json(&enrol_request(code, seed))
            .send()
            .unwrap();
        response.json::<EnrolAnswer>()
    };
    let first = ask(&code.to_lowercase().replace('-', " "), 1).unwrap();
    assert_eq!(
        (first.store.as_str(), first.time_zone.as_str()),
        ("Q1 Lê Lợi", "Asia/Ho_Chi_Minh")
    );
    assert_eq!(
        ask(&code, 1).unwrap().device,
        first.device,
        "a lost answer can be asked for again"
    );
    assert_eq!(
        refused(&url, &enrol_request(&code, 2)),
        (409, "code_used".into())
    );
    let unknown = refused(&url, &enrol_request("0000-0000-0000-0000", 3));
    assert_eq!(unknown, (403, "code_unknown".into()));
}

#[test]
fn a_kiosk_moves_to_another_store_with_its_journals() {
    // Proves: the same key with a fresh code keeps its device id and lanes and changes only its store.
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    kiosk.open_day(support::TODAY);
    kiosk.push();
    let moved = Kiosk::enrol(&office.running, "Thủ Đức", 1);
    assert_eq!(moved.device, kiosk.device);
    kiosk.sell(1, Method::Cash, 10_000, None);
    kiosk.push();
    let device = &today(&office.running.url())["completeness"]["devices"][0];
    assert_eq!(
        (&device["store"], &device["stored"]),
        (&json!("Thủ Đức"), &json!(4))
    );
}

#[test]
fn a_code_expires_after_fifteen_minutes() {
    // Proves: a code works at 14:59 and is refused at 15:00, by head office's clock.
    let office = office();
    let url = office.running.url();
    let (in_time, late) = (
        office.running.enrolment_code("Q1").unwrap(),
        office.running.enrolment_code("Q1").unwrap(),
    );
    office
        .clock
        .fetch_add(15 * 60 * 1_000 - 1, Ordering::SeqCst);
    Kiosk::enrol_with(&url, &in_time, 1);
    office.clock.fetch_add(1, Ordering::SeqCst);
    assert_eq!(
        refused(&url, &enrol_request(&late, 2)),
        (410, "code_expired".into())
    );
}

#[test]
fn enrolment_needs_proof_of_the_key() {
    // Proves: a request naming a key it cannot sign with is refused and does not use up the code.
    let office = office();
    let code = office.running.enrolment_code("Q1").unwrap();
    let mut forged = enrol_request(&code, 1);
    forged.signature = enrol_request(&code, 2).signature;
    assert_eq!(
        refused(&office.running.url(), &forged),
        (422, "signature".into())
    );
    Kiosk::enrol_with(&office.running.url(), &code, 1);
}

#[test]
fn a_receipt_proves_delivery() {
    // Proves: the answer to a stored block carries a receipt that opens with head office's enrolment key and names the kiosk's own chain.
    let office = office();
    let code = office.running.enrolment_code("Q1").unwrap();
    let url = office.running.url();
    let answer: EnrolAnswer = http()
        .post(format!("{url}/v1/enroll"))
        .json(&enrol_request(&code, 1))
        .send()
        .unwrap()
        .json()
        .unwrap();
    let mut kiosk = Kiosk::enrol_with(&url, &code, 1);
    kiosk.open_day(support::TODAY);
    let block = kiosk.block(Lane::Money, 0, 1);
    let (_, PutAnswer::Stored(stored)) = kiosk.put(Lane::Money, 1, block) else {
        panic!("not stored");
    };
    let head_office = VerifyingKey::from_bytes(&answer.head_office_key).unwrap();
    let receipt: Receipt = stored.receipt.open(&head_office).unwrap();
    assert_eq!(receipt.stored_upto, 1);
    let chain = touchpoint::chain_next(touchpoint::GENESIS, &kiosk.lanes[0].events[0]);
    assert_eq!(receipt.chain, chain);
}

#[test]
fn bad_blocks_are_refused_and_leave_the_lane_open() {
    // Proves: another key, a flipped byte, a wrong address and a zstd bomb give 422, a newer format 415, an unknown device 401, an oversized body 413; the true block is stored afterwards.
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    kiosk.open_day(support::TODAY);
    let good = kiosk.block(Lane::Money, 0, 1);

    let mut thief = kiosk.clone();
    thief.key = SigningKey::from_bytes(&[99; 32]);
    assert_eq!(
        kiosk.put(Lane::Money, 1, thief.block(Lane::Money, 0, 1)).0,
        422
    );
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    assert_eq!(kiosk.put(Lane::Money, 1, flipped).0, 422);
    assert_eq!(kiosk.put(Lane::Touchpoints, 1, good.clone()).0, 422);
    assert_eq!(kiosk.put(Lane::Money, 2, good.clone()).0, 422);

    let bomb = zstd_bomb();
    let bombed = resign(&kiosk, &bomb, |header| {
        header["raw_bytes"] = json!(65_536);
        header["payload_sha256"] = json!(hex(&touchpoint::chain::sha256(&bomb)));
    });
    assert_eq!(kiosk.put(Lane::Money, 1, bombed).0, 422);
    let newer = resign(&kiosk, &bomb, |header| header["format"] = json!("tpb9"));
    let answer = kiosk.put(Lane::Money, 1, newer);
    assert_eq!(
        answer,
        (
            415,
            PutAnswer::Newer {
                format: "tpb9".into()
            }
        )
    );

    let mut stranger = kiosk.clone();
    stranger.device = touchpoint::DeviceId::new("k-nobody").unwrap();
    assert_eq!(
        stranger
            .put(Lane::Money, 1, stranger.block(Lane::Money, 0, 1))
            .0,
        401
    );
    let large = kiosk
        .try_put(Lane::Money, 1, 0, vec![0; 200_000])
        .map(|r| r.status().as_u16());
    assert!(
        large.is_err() || large.unwrap() == 413,
        "an oversized body is cut off"
    );

    assert_eq!(kiosk.put(Lane::Money, 1, good).0, 200);
}

#[test]
fn a_request_after_a_refused_one_is_never_lost() {
    // Proves that a client that keeps its connections, as a kiosk does, loses no request after one whose body was refused
    // unread: two hundred times a body too large by a little or by much, and the true block behind it.
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    kiosk.open_day(support::TODAY);
    let good = kiosk.block(Lane::Money, 0, 1);
    for round in 0..200 {
        let bytes = touchpoint::block::MAX_BLOCK_BYTES + 1 + (round % 20) * 20_000;
        // A client that still writes when the connection is closed may see that instead of the answer.
        if let Ok(refused) = kiosk.try_put(Lane::Money, 1, 0, vec![0; bytes]) {
            assert_eq!(refused.status(), 413);
        }
        assert_eq!(kiosk.put(Lane::Money, 1, good.clone()).0, 200, "{round}");
    }
}

/// One connection, byte by byte.
struct Wire(BufReader<TcpStream>);

impl Wire {
    fn to(office: &headoffice::Running) -> Self {
        let stream = TcpStream::connect(office.addr).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        Self(BufReader::new(stream))
    }

    fn say(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).unwrap();
    }

    /// The status of the next answer, and whether it says that the connection ends.
    fn answer(&mut self) -> (u16, bool) {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let (mut length, mut closes) = (0, false);
        while line != "\r\n" {
            line.clear();
            self.0.read_line(&mut line).unwrap();
            let header = line.trim_end().to_ascii_lowercase();
            closes |= header == "connection: close";
            if let Some(bytes) = header.strip_prefix("content-length: ") {
                length = bytes.parse().unwrap();
            }
        }
        self.0.read_exact(&mut vec![0; length]).unwrap();
        (status, closes)
    }

    /// Whether the other side has ended the connection.
    fn is_at_its_end(&mut self) -> bool {
        // With bytes of ours unread it is reset instead.
        self.0.read(&mut [0]).map_or(true, |bytes| bytes == 0)
    }
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn an_answer_before_its_request_was_read_says_what_becomes_of_the_connection() {
    // Proves, on bare connections, that of a request that is answered unread a small rest is read and the connection
    // goes on, also when the body is of unknown length; and that with a large rest, one that does not come and one that
    // waits to be asked for, the answer says that the connection ends, and it ends.
    let office = office();
    let next = "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n";
    let small = "x".repeat(60_000);
    for (line, status) in [
        ("POST /nowhere", 404),
        ("POST /healthz", 405),
        ("GET /healthz", 200),
        ("PUT /v1/heartbeat", 405),
    ] {
        let mut wire = Wire::to(&office.running);
        wire.say(&format!(
            "{line} HTTP/1.1\r\nhost: x\r\ncontent-length: 60000\r\n\r\n{small}"
        ));
        assert_eq!(wire.answer(), (status, false), "{line}");
        wire.say(&format!(
            "{line} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        ));
        assert_eq!(wire.answer(), (status, false), "{line}");
        wire.say(next);
        assert_eq!(wire.answer(), (200, false), "after {line}");
    }
    for rest in [
        "content-length: 1000000\r\n\r\n12345",
        "content-length: 10\r\n\r\n12345",
        "content-length: 10\r\nexpect: 100-continue\r\n\r\n",
    ] {
        let mut wire = Wire::to(&office.running);
        wire.say(&format!("POST /nowhere HTTP/1.1\r\nhost: x\r\n{rest}"));
        assert_eq!(wire.answer(), (404, true), "{:.40}", rest);
        assert!(wire.is_at_its_end());
    }
}

#[test]
fn a_revoked_kiosk_is_refused_but_its_past_stays() {
    // Proves: after revocation blocks and heartbeats get 403 and what was stored before is still shown.
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    kiosk.open_day(support::TODAY);
    kiosk.sell(1, Method::Cash, 25_000, None);
    kiosk.push();
    assert!(office.running.store().revoke(&kiosk.device).unwrap());
    kiosk.open_day("2026-11-23");
    let last = kiosk.lanes[0].events.len();
    let answer = kiosk.put(
        Lane::Money,
        last as u64,
        kiosk.block(Lane::Money, last - 1, last),
    );
    assert_eq!(answer, (403, PutAnswer::Revoked));
    assert_eq!(today(&office.running.url())["sales"]["count"], 1);
}

#[test]
fn poison_never_blocks_the_queue() {
    // Proves: events that are not JSON, lack fields, lie about their lane or have an impossible face are kept byte for byte, quarantined with a reason, and everything after them is read.
    let office = office();
    let mut kiosk = Kiosk::enrol(&office.running, "Q1", 1);
    let poison: [&[u8]; 5] = [
        b"\xff\xfenot json",
        br#"{"at":{"boot":"b","mono_ms":1,"wall_ms":1},"body":{},"kind":"sale.completed","lane":0}"#,
        br#"{"at":{"boot":"b","mono_ms":1,"wall_ms":1},"body":{"face":9,"sale":"s","scale_id":"face5.v1"},"kind":"exit.tapped","lane":1}"#,
        br#"{"body":{"b":1,"a":2},"kind":"x"}"#,
        b"",
    ];
    for bytes in poison {
        kiosk.record_bytes(Lane::Money, bytes.to_vec());
    }
    kiosk.sell(1, Method::Qr, 31_000, Some(4));
    kiosk.push();
    let day = today(&office.running.url());
    assert_eq!(day["completeness"]["quarantined"], 5);
    assert_eq!(day["sales"]["count"], 1);
    assert_eq!(day["taps"]["n"], 1);
    let kept = stored_events(&office.running, &kiosk.journal, Lane::Money);
    assert_eq!(kept, kiosk.lanes[0].events);
}

#[test]
fn the_dashboard_asks_for_a_key_once_there_is_one() {
    // Proves: without keys this machine may look; with one, only the right key opens the page, and kiosks need none.
    let office = office();
    let url = office.running.url();
    let status = |key: Option<&str>| {
        let request = http().get(format!("{url}/"));
        let request = match key {
            Some(key) => request.basic_auth("anyone", Some(key)),
            None => request,
        };
        request.send().unwrap().status().as_u16()
    };
    assert_eq!(status(None), 200);
    let key = office.running.store().viewer_key("Chị Hoa").unwrap();
    assert_eq!(
        (status(None), status(Some("wrong")), status(Some(&key))),
        (401, 401, 200)
    );
    Kiosk::enrol(&office.running, "Q1", 1);
}

fn zstd_bomb() -> Vec<u8> {
    // 128 KiB blocks of run-length zeros (RFC 8878 §3.1.1.2): 40 of them unpack to 5 MB from 160 bytes.
    let mut frame = vec![0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38];
    for index in 0..40_u32 {
        let last = u32::from(index == 39);
        let header = last | (1 << 1) | ((128 * 1024) << 3);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(b'\n');
    }
    frame
}

fn hex(bytes: &[u8]) -> String {
    touchpoint::hex::encode(bytes)
}

/// The kiosk's first block with a changed header and another payload, signed by the kiosk itself.
fn resign(kiosk: &Kiosk, payload: &[u8], change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let block = kiosk.block(Lane::Money, 0, 1);
    let line = block.split(|&byte| byte == b'\n').next().unwrap();
    let mut header: Value = serde_json::from_slice(line).unwrap();
    change(&mut header);
    let line = touchpoint::canonical::to_bytes_unchecked(&header).unwrap();
    let signature = hex(&touchpoint::block::sign_line(&kiosk.key, &line));
    [line.as_slice(), b"\n", signature.as_bytes(), b"\n", payload].concat()
}
