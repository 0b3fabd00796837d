//! A head office with a simulated bank, and one clock for both.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use crate::{
    bank_face::{Face, Said},
    shop,
    support::{Kiosk, MORNING_MS},
};
use headoffice::{Clock, Config, Running};
use payqr::{OrderCode, StorePrefix, VietQr, provider::bank::Faults};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
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
    // A busy machine is no slow bank.
    config.patience.last_look = Duration::from_secs(20);
    config.patience.page = Duration::from_secs(60);
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

    /// Lets time pass: the clock moves on to each question as it becomes due, and only once it is asked and answered.
    /// Pollers run in real time. A clock that is moved without them would leave hours between their questions, and an
    /// answer that comes after the clock was moved puts the next question where a clock that stands still never gets.
    pub fn wait_s(&self, seconds: i64) {
        self.wait_ms(seconds * 1_000);
    }

    pub fn wait_ms(&self, ms: i64) {
        let accounts = self.office.relay().accounts();
        let end_ms = self.now_ms() + ms;
        while self.now_ms() < end_ms {
            let now_ms = self.now_ms();
            while !accounts.iter().all(|account| account.is_quiet(now_ms)) {
                std::thread::sleep(Duration::from_millis(1));
            }
            let next = accounts
                .iter()
                .filter_map(|account| account.next_question_ms());
            let next_ms = next.min().unwrap_or(end_ms).clamp(now_ms, end_ms);
            self.clock.store(next_ms, Ordering::SeqCst);
        }
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

    /// Takes an order back. The relay asks the bank a last time first and tells it afterwards: for both its limits want
    /// that time passes.
    pub fn withdraw(&self, kiosk: &Kiosk, order: &str) -> OrderAnswer {
        let target = format!("/v1/orders/{order}");
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| self.ask(kiosk, "DELETE", &target));
            // Slowly: the request's signature is good for five minutes, however late it is read.
            while !asking.is_finished() {
                self.wait_ms(100);
                std::thread::sleep(Duration::from_millis(20));
            }
            asking.join().unwrap().1.unwrap()
        })
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

/// What a kiosk of a SePay store shows: the provider makes no code.
pub fn sepay_qr(order: &str, amount: u64) -> String {
    VietQr::account("970436", "0022004000222")
        .with_amount(amount)
        .with_memo(order)
        .encode()
        .unwrap()
}

pub fn code(prefix: &str, number: u32) -> String {
    OrderCode::new(StorePrefix::new(prefix).unwrap(), number)
        .unwrap()
        .to_string()
}
