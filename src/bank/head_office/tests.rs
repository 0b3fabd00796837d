//! The signed client against a relay that checks every proof.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::assemble::open_store;
use crate::bank::Offer;
use crate::store::{Enrolment, Opened};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method as HttpMethod, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use std::collections::VecDeque;
use touchpoint::relay::{BankAbilities, BankSide, CreditState, OrderCredit, OrderPayee, VERSION};

/// What the relay does with the next request.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Answer,
    Stale,
    OtherNonce,
    OtherKey,
    NoRelay,
}

struct Relay {
    key: SigningKey,
    kiosk: VerifyingKey,
    next: Mutex<VecDeque<Next>>,
    /// Head office's clock.
    now_ms: i64,
    seen: Mutex<Vec<CallProof>>,
}

fn header(headers: &HeaderMap, name: &str) -> String {
    headers.get(name).unwrap().to_str().unwrap().to_owned()
}

async fn serve(
    State(relay): State<Arc<Relay>>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let signed = Signed {
        document: header(&headers, PROOF_HEADER),
        signature: header(&headers, SIGNATURE_HEADER),
    };
    let proof: CallProof = signed.open(&relay.kiosk).unwrap();
    let call = Call {
        method: method.as_str(),
        target: uri.path_and_query().unwrap().as_str(),
        body: &body,
    };
    assert!(proof.covers(call), "{call:?}");
    let next = relay
        .next
        .lock()
        .unwrap()
        .pop_front()
        .unwrap_or(Next::Answer);
    let current = proof.is_current(relay.now_ms);
    let mut nonce = proof.nonce;
    relay.seen.lock().unwrap().push(proof);
    if next == Next::NoRelay {
        return StatusCode::NOT_FOUND.into_response();
    }
    if next == Next::Stale || !current {
        let refusal = RelayRefusal {
            error: RefusalKind::Stale,
            message: "the clock is off".into(),
            now_ms: relay.now_ms,
            retry_after_ms: None,
        };
        return (StatusCode::UNAUTHORIZED, axum::Json(refusal)).into_response();
    }
    if next == Next::OtherNonce {
        nonce[0] ^= 1;
    }
    let stranger = SigningKey::from_bytes(&[9; 32]);
    let key = if next == Next::OtherKey {
        &stranger
    } else {
        &relay.key
    };
    axum::Json(Signed::new(key, &answer(nonce, relay.now_ms)).unwrap()).into_response()
}

fn answer(nonce: [u8; 16], now_ms: i64) -> OrderAnswer {
    OrderAnswer {
        abilities: BankAbilities::default(),
        amount_minor: 200_000,
        attempt: "A-0007".into(),
        bank: BankSide {
            answered_in_ms: Some(85),
            asked_ago_ms: Some(900),
            health: BankHealth::Slow,
        },
        cancelled: false,
        credits: vec![OrderCredit {
            amount_minor: 200,
            at_ms: 1,
            reference: "FT26326000001".into(),
            seen_ms: 2,
            state: CreditState::Under,
        }],
        currency: "VND".into(),
        nonce,
        now_ms,
        order: "HS7K2M9QX".into(),
        over_minor: 0,
        payee: Some(OrderPayee {
            account: "V3CAS123".into(),
            bank_bin: "970418".into(),
            name: String::new(),
        }),
        provider: "payos".into(),
        qr: Some("000201".into()),
        reason: None,
        received_minor: 200,
        remaining_minor: 199_800,
        revision: 7,
        state: OrderState::Under,
        version: VERSION,
        withdrawn: false,
    }
}

struct World {
    relay: Arc<Relay>,
    client: HeadOfficeRelay,
    opened: Opened,
    _dir: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

fn world(enrolled: bool, ahead_ms: i64) -> World {
    let dir = tempfile::tempdir().unwrap();
    let mut config = crate::testing::configuration();
    config.file.store.dir = dir.path().to_owned();
    let opened = open_store(&config, |_| {}).unwrap();
    let key_path = dir.path().join("kiosk.key");
    let kiosk = load_or_make(&key_path).unwrap().verifying_key();
    let key = SigningKey::from_bytes(&[5; 32]);
    let relay = Arc::new(Relay {
        kiosk,
        next: Mutex::default(),
        now_ms: wall_ms() + ahead_ms,
        seen: Mutex::default(),
        key: key.clone(),
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let app = Router::new().fallback(serve).with_state(relay.clone());
    runtime.spawn(axum::serve(listener, app).into_future());
    if enrolled {
        let enrolment = Enrolment {
            device_id: "k-4t9m2c7x1q".into(),
            store_id: "s-1".into(),
            head_office_url: url,
            head_office_key: key.verifying_key().to_bytes().to_vec(),
            key_path: key_path.display().to_string(),
            enrolled_ms: wall_ms(),
        };
        opened
            .store
            .call(move |engine| engine.enrol(&enrolment))
            .unwrap();
    }
    World {
        relay,
        client: HeadOfficeRelay::new(opened.store.clone(), None).unwrap(),
        opened,
        _dir: dir,
        _runtime: runtime,
    }
}

impl World {
    fn next(&self, next: &[Next]) {
        self.relay.next.lock().unwrap().extend(next);
    }

    fn observe(&self) -> Result<Answer, ProviderError> {
        let known = Known {
            credits: 0,
            revision: 3,
        };
        self.client
            .observe("HS7K2M9QX", known, Duration::from_millis(10))
    }
}

#[test]
fn every_request_is_signed_and_every_answer_checked() {
    // Proves: offer, question and cancellation carry a proof of exactly that request, each with another nonce, and the
    // answer's words arrive as they are.
    let world = world(true, 0);
    let asked = Asked {
        offer: Offer {
            order: "HS7K2M9QX".into(),
            amount_minor: 200_000,
            currency: "VND".into(),
        },
        attempt: "A-0007".into(),
        open_for_ms: 180_000,
    };
    let made = world.client.create(&asked).unwrap();
    assert_eq!(made.made.unwrap().account, "V3CAS123");
    let answer = world.observe().unwrap();
    assert_eq!((answer.received_minor(), answer.revision), (200, 7));
    assert_eq!(
        (answer.asked_ago_ms, answer.health),
        (Some(900), Health::Slow)
    );
    world.client.cancel("HS7K2M9QX").unwrap();
    let seen = world.relay.seen.lock().unwrap();
    let targets: Vec<&str> = seen.iter().map(|proof| proof.target.as_str()).collect();
    assert_eq!(targets[1], "/v1/orders/HS7K2M9QX?revision=3&wait_ms=10");
    assert_eq!(targets[2], "/v1/orders/HS7K2M9QX");
    assert!(seen[0].nonce != seen[1].nonce && seen[1].nonce != seen[2].nonce);
}

#[test]
fn a_wrong_clock_is_corrected_and_the_question_asked_again() {
    // Proves that a kiosk whose clock is a day off is told so, signs anew with head office's time, and goes on.
    let world = world(true, 86_400_000);
    assert!(world.observe().is_ok());
    assert_eq!(world.relay.seen.lock().unwrap().len(), 2);
    assert!(world.observe().is_ok());
    assert_eq!(
        world.relay.seen.lock().unwrap().len(),
        3,
        "the correction is kept"
    );
    world.next(&[Next::Stale, Next::Stale]);
    assert!(matches!(world.observe(), Err(ProviderError::Garbled(_))));
}

#[test]
fn an_answer_that_is_not_ours_says_nothing() {
    // Proves that an old answer played again, one signed by a stranger and a server without a relay are no answers.
    let world = world(true, 0);
    for next in [Next::OtherNonce, Next::OtherKey, Next::NoRelay] {
        world.next(&[next]);
        assert!(matches!(world.observe(), Err(ProviderError::Garbled(_))));
    }
    assert!(world.observe().is_ok());
}

#[test]
fn a_kiosk_that_is_not_enrolled_is_told_what_to_do() {
    // Proves that without enrolment nothing is asked and the error names the way out.
    let world = world(false, 0);
    let why = world.client.ready().unwrap_err();
    assert!(matches!(why, ProviderError::NotAccepted(_)));
    assert!(why.to_string().contains("kiosk enroll"), "{why}");
    assert!(world.observe().is_err());
    assert!(world.relay.seen.lock().unwrap().is_empty());
    let _ = &world.opened;
}
