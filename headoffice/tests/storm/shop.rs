//! One shop at two providers: as the bank knows it, and as head office's settings do.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use headoffice::relay::{
    provider::Ask,
    settings::{Keys, Payment},
};
use payqr::provider::{
    Provider, Secret,
    bank::{self, Method, PayOsShop, PixShop, Request, SePayShop, Settings},
    sepay::Auth,
};

/// The shop's Pix key.
pub const PIX_KEY: &str = "7f6844d0-de89-47e5-9ef7-e0a35a681615";

fn shop_account(number: &str) -> bank::Account {
    bank::Account {
        bin: "970436".into(),
        number: number.into(),
        holder: "CUA HANG DIEM CHAM".into(),
        bank: "Vietcombank".into(),
    }
}

pub fn settings(seed: u64, base: &str) -> Settings {
    Settings {
        payos: Some(PayOsShop {
            client_id: "client".into(),
            api_key: Secret::new("payos-api-key"),
            checksum_key: Secret::new("payos-checksum"),
            account: shop_account("0011004000111"),
            webhook_url: Some(format!("{base}/v1/webhooks/payos/main")),
        }),
        sepay: Some(SePayShop {
            api_token: Secret::new("sepay-token"),
            auth: Auth::Signature(Secret::new("sepay-webhook")),
            account: shop_account("0022004000222"),
            webhook_url: Some(format!("{base}/v1/webhooks/sepay/second")),
        }),
        pix: Some(PixShop {
            client_id: "pix-client".into(),
            client_secret: Secret::new("pix-secret"),
            key: PIX_KEY.into(),
            name: "PONTO DE TOQUE".into(),
            city: "SAO PAULO".into(),
            host: "pix.example.com".into(),
            webhook_url: Some(format!("{base}/v1/webhooks/pix/third")),
        }),
        seed,
        first_number: 1,
        ..Settings::default()
    }
}

pub fn payments(url: &str) -> Vec<Payment> {
    vec![
        Payment {
            name: "main".into(),
            account_number: "0011004000111".into(),
            stores: vec!["Q1".into()],
            url: url.into(),
            requests_per_second: 10,
            keys: Keys::PayOs {
                client_id: Secret::new("client"),
                api_key: Secret::new("payos-api-key"),
                checksum_key: Secret::new("payos-checksum"),
                page: "https://example.vn".into(),
            },
        },
        Payment {
            name: "second".into(),
            account_number: "0022004000222".into(),
            stores: vec![],
            url: url.into(),
            requests_per_second: 3,
            keys: Keys::SePay {
                token: Secret::new("sepay-token"),
                webhook: Auth::Signature(Secret::new("sepay-webhook")),
            },
        },
        Payment {
            name: "third".into(),
            account_number: PIX_KEY.into(),
            stores: vec!["São Paulo".into()],
            url: url.into(),
            requests_per_second: 10,
            keys: Keys::Pix {
                client_id: Secret::new("pix-client"),
                client_secret: Secret::new("pix-secret"),
                certificate: None,
                api_path: String::new(),
                token_path: "/oauth/token".into(),
            },
        },
    ]
}

pub fn bank_request(provider: Provider, ask: &Ask) -> Request {
    let method = match ask.method {
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        _ => Method::Get,
    };
    let (path, query) = ask.target.split_once('?').unwrap_or((&ask.target, ""));
    let mut request = Request::new(provider, method, path).with_body(ask.body.clone());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        request = request.parameter(name, value);
    }
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    request
}
