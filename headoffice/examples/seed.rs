//! Fills a head office with a plausible week through its HTTP API, for looking at the dashboard.
//!
//! `headoffice serve --data DIR & cargo run -p headoffice --example seed -- DIR http://127.0.0.1:8080`
#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use headoffice::{Config, Store, project::local_date};
use support::Kiosk;
use touchpoint::vocabulary::{
    AttemptIntended, AttemptUnknown, DeviceState, ExitPrompted, ExitReasons, ExitSkipped,
    ExitTapped, ItemAdded, Method, Money, SkipReason, VisitStarted,
};

const DAY_MS: i64 = 86_400_000;
const ZONE: chrono_tz::Tz = chrono_tz::Asia::Ho_Chi_Minh;

/// Small, fixed, repeatable randomness (an LCG): the same picture each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % sides
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (Some(data), Some(url)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: seed DATA_FOLDER URL");
        std::process::exit(2);
    };
    let office = Store::open(&Config::new(data)).unwrap();
    let now_ms = office.clock.now_ms();
    let kiosks = [
        ("Q1 Lê Lợi", "K1"),
        ("Q1 Lê Lợi", "K2"),
        ("Q3 Võ Văn Tần", "K1"),
        ("Thủ Đức", "K1"),
        ("Thủ Đức", "K2"),
        ("Bình Thạnh", "K1"),
    ];
    let mut dice = Dice(42);
    for (index, (store, name)) in kiosks.into_iter().enumerate() {
        let code = office.enrolment_code(store).unwrap();
        let mut kiosk = Kiosk::enrol_named(&url, &code, 10 + index as u8, name);
        for back in (0..7).rev() {
            if (index as i64 + back) % 7 == 5 {
                continue;
            }
            day(&mut kiosk, now_ms - back * DAY_MS, now_ms, &mut dice);
        }
        kiosk.wall_ms = now_ms;
        match index {
            3 => {
                // Its last visits are still on the kiosk.
                kiosk.push();
                let date = local_date(now_ms, ZONE);
                kiosk.sell_on(&date, 9_001, Method::Cash, 45_000, Some(3));
                doubt(&mut kiosk);
                kiosk.heartbeat();
            }
            4 => {
                let state = "attention".into();
                kiosk.record(
                    None,
                    &DeviceState {
                        device: "printer".into(),
                        state,
                        detail: Some("paper_low".into()),
                    },
                );
                kiosk.push();
                kiosk.heartbeat();
            }
            _ => {
                kiosk.push();
                kiosk.heartbeat();
            }
        }
    }
}

fn doubt(kiosk: &mut Kiosk) {
    let amount = Money {
        currency: "VND".into(),
        minor: 182_000,
    };
    let attempt = || "t-9002".to_owned();
    kiosk.record(
        None,
        &AttemptIntended {
            attempt: attempt(),
            sale: "s-9002".into(),
            method: Method::Card,
            amount,
            order: None,
        },
    );
    kiosk.record(
        None,
        &AttemptUnknown {
            attempt: attempt(),
            reason: "link_lost".into(),
        },
    );
    kiosk.push_money();
}

fn day(kiosk: &mut Kiosk, noon_ms: i64, now_ms: i64, dice: &mut Dice) {
    let date = local_date(noon_ms, ZONE);
    let visits = 22 + dice.roll(16);
    kiosk.wall_ms = (noon_ms - 9 * 3_600_000).max(now_ms - now_ms.rem_euclid(DAY_MS) - 7 * DAY_MS);
    while local_date(kiosk.wall_ms, ZONE) != date {
        kiosk.wall_ms += 1_800_000;
    }
    let step = ((noon_ms - kiosk.wall_ms) / (visits as i64 + 1)).max(10_000);
    kiosk.open_day(&date);
    for visit in 0..visits {
        kiosk.wall_ms += step - 8_000;
        let number = noon_ms.unsigned_abs() / DAY_MS as u64 % 100 * 100 + visit;
        if dice.roll(15) == 0 {
            left(kiosk, number);
            continue;
        }
        let method = [Method::Qr, Method::Qr, Method::Card, Method::Cash][dice.roll(4) as usize];
        let total = (8 + dice.roll(320)) as i64 * 500;
        let face =
            (dice.roll(3) == 0).then(|| [0, 1, 2, 3, 3, 3, 4, 4, 4, 4][dice.roll(10) as usize]);
        let sale = kiosk.sell_on(&date, number, method, total, None);
        answer(kiosk, sale, face, dice);
    }
}

fn left(kiosk: &mut Kiosk, number: u64) {
    let visit = format!("v-{number}");
    let unit_price = Money {
        currency: "VND".into(),
        minor: 12_000,
    };
    kiosk.record(
        Some(&visit),
        &VisitStarted {
            cause: "touch".into(),
            language: "vi".into(),
        },
    );
    kiosk.record(
        Some(&visit),
        &ItemAdded {
            item_code: "SP9".into(),
            gtin: None,
            quantity_milli: 1_000,
            unit_price,
            how: "touch".into(),
            weighed_by: None,
        },
    );
}

fn answer(kiosk: &mut Kiosk, sale: String, face: Option<u8>, dice: &mut Dice) {
    let scale_id = || "face5.v1".to_owned();
    kiosk.record(
        None,
        &ExitPrompted {
            sale: sale.clone(),
            scale_id: scale_id(),
        },
    );
    let Some(face) = face else {
        kiosk.record(
            None,
            &ExitSkipped {
                sale,
                reason: SkipReason::Timeout,
            },
        );
        return;
    };
    kiosk.record(
        None,
        &ExitTapped {
            sale: sale.clone(),
            face,
            scale_id: scale_id(),
            latency_ms: Some(1_200),
        },
    );
    if face < 2 {
        let shown: Vec<String> = [
            "during.payment.card",
            "during.queue",
            "during.staff_help",
            "during.receipt",
        ]
        .map(Into::into)
        .to_vec();
        let chosen = vec![shown[dice.roll(4) as usize].clone()];
        kiosk.record(
            None,
            &ExitReasons {
                sale,
                shown,
                chosen,
            },
        );
    }
}
