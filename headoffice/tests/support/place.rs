//! A head office with a simulated bank, and one clock for both.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use crate::{
    bank_face::{Face, Said},
    shop,
    support::{Kiosk, MORNING_MS},
};
use headoffice::{Clock, Config, Running};
use payqr::{OrderCode, StorePrefix, provider::bank::Faults};
use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};
use touchpoint::{
    VerifyingKey,
    relay::{OrderAnswer, OrderOffer},
};

/// Head office, its bank, and one clock for both that stands still until it is moved.
pub struct Place {
    pub office: Running,
    pub face: Face,
    pub clock: Arc<AtomicI64>,
    pub key: VerifyingKey,
    pub folder: tempfile::TempDir,
}

pub fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let (clock, handle) = Clock::manual(MORNING_MS);
    let bank_clock = Arc::clone(&handle);
    let face = Face::start(
        shop::settings(7, "http://relay"),
        Arc::new(move || bank_clock.load(Ordering::SeqCst)),
    );
    let mut config = Config::new(folder.path());
    config.listen = ([127, 0, 0, 1], 0).into();
    config.clock = clock;
    config.payments = shop::payments(&face.url());
    let office = headoffice::start(config).unwrap();
    Place {
        key: office.store().key().verifying_key(),
        office,
        face,
        clock: handle,
        folder,
    }
}

impl Place {
    pub fn now_ms(&self) -> i64 {
        self.clock.load(Ordering::SeqCst)
    }

    pub fn wait_s(&self, seconds: i64) {
        self.clock.fetch_add(seconds * 1_000, Ordering::SeqCst);
    }

    /// Moves the clock on once what is due has been asked. Pollers run in real time: a clock that is moved as fast as a
    /// loop turns would leave hours between their questions.
    pub fn pass_s(&self, seconds: i64) {
        self.pass_ms(seconds * 1_000);
    }

    pub fn pass_ms(&self, ms: i64) {
        let now_ms = self.now_ms();
        let accounts = self.office.relay().accounts().iter();
        let mut next = accounts.filter_map(|account| account.next_question_ms());
        if next.all(|at_ms| at_ms > now_ms) {
            self.clock.fetch_add(ms, Ordering::SeqCst);
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }

    pub fn ask(&self, kiosk: &Kiosk, method: &str, target: &str) -> Said {
        kiosk.order_call(&self.key, self.now_ms(), method, target, b"")
    }

    pub fn offer(&self, kiosk: &Kiosk, order: &str, amount_minor: i64) -> Said {
        self.offer_in(kiosk, order, amount_minor, "VND")
    }

    pub fn offer_in(&self, kiosk: &Kiosk, order: &str, amount_minor: i64, currency: &str) -> Said {
        let offer = OrderOffer {
            amount_minor,
            attempt: order.into(),
            currency: currency.into(),
            open_for_ms: Some(120_000),
            order: order.into(),
        };
        let body = serde_json::to_vec(&offer).unwrap();
        let target = "/v1/orders?wait_ms=20000";
        kiosk.order_call(&self.key, self.now_ms(), "POST", target, &body)
    }

    pub fn faults(&self, faults: &str) {
        let faults = Faults::read(faults).unwrap();
        self.face.bank.lock().unwrap().set_faults(faults);
    }

    /// The order's answer as soon as `wanted`; each question waits for news.
    pub fn until(
        &self,
        kiosk: &Kiosk,
        order: &str,
        wanted: impl Fn(&OrderAnswer) -> bool,
    ) -> OrderAnswer {
        let mut target = format!("/v1/orders/{order}");
        loop {
            let answer = self.ask(kiosk, "GET", &target).1.unwrap();
            if wanted(&answer) {
                return answer;
            }
            target = format!(
                "/v1/orders/{order}?revision={}&wait_ms=20000",
                answer.revision
            );
        }
    }
}

pub fn code(prefix: &str, number: u32) -> String {
    OrderCode::new(StorePrefix::new(prefix).unwrap(), number)
        .unwrap()
        .to_string()
}
