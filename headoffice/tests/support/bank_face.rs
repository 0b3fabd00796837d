//! The simulated bank behind a socket, and a kiosk that asks the relay.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use crate::support::{Kiosk, http};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method as HttpMethod, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use payqr::provider::{
    Provider,
    bank::{Bank, Method, Payment, Push, Request, Settings},
};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};
use touchpoint::{
    VerifyingKey,
    relay::{
        Call, CallProof, OrderAnswer, OrderOffer, PROOF_HEADER, RelayRefusal, SIGNATURE_HEADER,
    },
    wire::Signed,
};

/// Time at the bank.
pub type BankClock = Arc<dyn Fn() -> i64 + Send + Sync>;

#[derive(Clone)]
pub struct Face {
    pub addr: SocketAddr,
    pub bank: Arc<Mutex<Bank>>,
    clock: BankClock,
    http: reqwest::blocking::Client,
}

impl Face {
    /// A bank on loopback until the process ends. `settings` gets its webhooks' base address later.
    pub fn start(settings: Settings, clock: BankClock) -> Self {
        let bank = Arc::new(Mutex::new(Bank::new(settings)));
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let face = Self {
            addr: listener.local_addr().unwrap(),
            bank,
            clock,
            http: http(),
        };
        let app = Router::new().fallback(handle).with_state(face.clone());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                axum::serve(listener, app).await.unwrap();
            });
        });
        face
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    pub fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    /// A payer scans a code and sends this much; no notice goes out yet.
    pub fn pay(&self, qr: &str, amount_minor: i64) {
        let mut bank = self.bank.lock().unwrap();
        let payment = bank.scan(qr, Some(amount_minor)).unwrap();
        bank.pay(payment, self.now_ms());
    }

    pub fn transfer(&self, payment: Payment) {
        let now_ms = self.now_ms();
        self.bank.lock().unwrap().pay(payment, now_ms);
    }

    /// The notices that are due, not sent yet.
    pub fn due(&self) -> Vec<Push> {
        self.bank.lock().unwrap().due(self.now_ms())
    }

    /// Sends a notice to head office; the status of its answer.
    pub fn send(&self, office: &str, push: &Push) -> u16 {
        let path = push.url.split_once("/v1/").unwrap().1;
        let mut request = self.http.post(format!("{office}/v1/{path}"));
        for (name, value) in &push.headers {
            request = request.header(*name, value);
        }
        let response = request.body(push.body.clone()).send().unwrap();
        let status = response.status().as_u16();
        let now_ms = self.now_ms();
        self.bank
            .lock()
            .unwrap()
            .pushed(push.id, status == 200, now_ms);
        status
    }

    pub fn send_due(&self, office: &str) -> Vec<u16> {
        let due = self.due();
        due.iter().map(|push| self.send(office, push)).collect()
    }
}

async fn handle(
    State(face): State<Face>,
    method: HttpMethod,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let provider = match uri.path().split('/').nth(1) {
        Some("cob" | "pix" | "oauth") => Provider::Pix,
        _ if uri.path().starts_with("/v2/transactions") => Provider::SePay,
        _ => Provider::PayOs,
    };
    let method = match method {
        HttpMethod::POST => Method::Post,
        HttpMethod::PUT => Method::Put,
        HttpMethod::PATCH => Method::Patch,
        _ => Method::Get,
    };
    let mut request = Request::new(provider, method, uri.path()).with_body(body.to_vec());
    for pair in uri.query().unwrap_or("").split('&') {
        if let Some((name, value)) = pair.split_once('=') {
            request = request.parameter(name, value);
        }
    }
    for (name, value) in &headers {
        request = request.header(name.as_str(), value.to_str().unwrap_or(""));
    }
    let answer = face.bank.lock().unwrap().handle(&request, face.now_ms());
    if answer.is_lost {
        // A gateway between the two lost it.
        return StatusCode::BAD_GATEWAY.into_response();
    }
    let status = StatusCode::from_u16(answer.status).unwrap();
    let mut response = (status, answer.body.clone()).into_response();
    if let Some(seconds) = answer.header_value("retry-after") {
        response
            .headers_mut()
            .insert("retry-after", seconds.parse().unwrap());
    }
    response
}

static NONCE: AtomicU64 = AtomicU64::new(1);

/// A fresh nonce.
pub fn nonce() -> [u8; 16] {
    let mut nonce = [0; 16];
    nonce[..8].copy_from_slice(&NONCE.fetch_add(1, Ordering::SeqCst).to_le_bytes());
    nonce
}

/// What the relay said: the opened answer, or its refusal, with the status.
pub type Said = (u16, Result<OrderAnswer, RelayRefusal>);

impl Kiosk {
    /// A request signed as this kiosk signs.
    pub fn order_call(
        &self,
        head_office: &VerifyingKey,
        at_ms: i64,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> Said {
        let call = Call {
            method,
            target,
            body,
        };
        let nonce = nonce();
        let proof = CallProof::new(self.device.clone(), call, at_ms, nonce);
        let signed = proof.sign(&self.key).unwrap();
        let order = target.trim_start_matches("/v1/orders");
        let order = order.trim_start_matches('/').split('?').next().unwrap();
        let offered = serde_json::from_slice::<OrderOffer>(body).map(|offer| offer.order);
        let order = offered.unwrap_or_else(|_| order.to_owned());
        let (status, text) = self.send_signed(call, &signed);
        if status >= 400 {
            return (status, Err(serde_json::from_str(&text).unwrap()));
        }
        let answer: Signed = serde_json::from_str(&text).unwrap();
        let answer = OrderAnswer::open(&answer, head_office, &nonce, &order).unwrap();
        (status, Ok(answer))
    }

    /// Sends a request with this proof, whatever it says.
    pub fn send_signed(&self, call: Call<'_>, signed: &Signed) -> (u16, String) {
        let url = format!("{}{}", self.url, call.target);
        let method = call.method.parse().unwrap();
        let response = self
            .http
            .request(method, url)
            .header(PROOF_HEADER, &signed.document)
            .header(SIGNATURE_HEADER, &signed.signature)
            .body(call.body.to_vec())
            .send()
            .unwrap();
        (response.status().as_u16(), response.text().unwrap())
    }
}
