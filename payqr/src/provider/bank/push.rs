//! Notices: planned when a transfer is booked, sent again while they are not
//! answered with success.

use super::super::credit::Provider;
use super::super::sepay::DELIVERY_MINUTES;
use super::{Bank, Fault, payos_face, pix_face, sepay_face};

/// Minutes after a transfer at which payOS and the Pix provider try: neither
/// publishes its schedule, this one is the simulator's own.
const ASSUMED_MINUTES: [u64; 4] = [0, 1, 5, 30];

/// A notice to send with `POST`. Settle it with [`Bank::pushed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// Names it for [`Bank::pushed`].
    pub id: u64,
    /// Who sends it.
    pub provider: Provider,
    /// Where to.
    pub url: String,
    /// Headers beside `Content-Length`.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
    /// Which try this is, from 1.
    pub attempt: usize,
}

impl Push {
    /// A header.
    #[must_use]
    pub fn header_value(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

/// What is to be sent.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// Tell of a transfer; `attempt` counts from 0.
    Notice {
        transfer: usize,
        attempt: usize,
        booked_ms: i64,
    },
    /// Tell again what was told this long ago, signed as it was then; the
    /// answer does not matter.
    Replay { transfer: usize, age_s: i64 },
    /// A probe of an address.
    Probe { provider: Provider, url: String },
}

/// How a notice is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    Right,
    Wrong,
    Missing,
}

impl Bank {
    pub(super) fn plan_notice(&mut self, transfer: usize, booked_ms: i64) {
        if self.strikes(&Fault::DropPush) {
            return;
        }
        let later_ms = self.strike(|fault| match fault {
            Fault::Delay(ms) => Some(*ms),
            _ => None,
        });
        let spread_ms = self.strike(|fault| match fault {
            Fault::Reorder(ms) => Some(*ms),
            _ => None,
        });
        let spread_ms = spread_ms.and_then(|ms| u64::try_from(ms).ok());
        let mixed_ms = spread_ms.map_or(0, |ms| self.chance.below(ms + 1));
        let mixed_ms = i64::try_from(mixed_ms).unwrap_or(0);
        let plan = Plan::Notice {
            transfer,
            attempt: 0,
            booked_ms,
        };
        self.plan(plan, booked_ms + later_ms.unwrap_or(0) + mixed_ms);
    }

    pub(super) fn plan(&mut self, plan: Plan, due_ms: i64) {
        let tie = self.tie();
        self.plans.insert((due_ms, tie), plan);
    }

    /// How the next signature is made.
    pub(super) fn signing(&mut self) -> Signing {
        if self.strikes(&Fault::BadSig) {
            Signing::Wrong
        } else if self.strikes(&Fault::MissingSig) {
            Signing::Missing
        } else {
            Signing::Right
        }
    }

    /// Every notice to send by now. Without an address to send to, a notice is
    /// lost, as a provider without webhook tells nothing.
    pub fn due(&mut self, now_ms: i64) -> Vec<Push> {
        self.advance(now_ms);
        let mut pushes = Vec::new();
        while let Some(entry) = self.plans.first_entry() {
            if entry.key().0 > now_ms {
                break;
            }
            let plan = entry.remove();
            match plan {
                Plan::Probe { .. } => {}
                Plan::Replay { transfer, age_s } => {
                    let signed_ms = now_ms - age_s * 1_000;
                    pushes.extend(self.notice(transfer, 0, Signing::Right, signed_ms));
                }
                Plan::Notice {
                    transfer, attempt, ..
                } => {
                    let signing = self.signing();
                    let Some(push) = self.notice(transfer, attempt, signing, now_ms) else {
                        continue;
                    };
                    self.in_flight.insert(push.id, plan);
                    self.copies(transfer, &push, now_ms, &mut pushes);
                    pushes.push(push);
                }
            }
        }
        pushes
    }

    /// Doubles and replays of a notice.
    fn copies(&mut self, transfer: usize, push: &Push, now_ms: i64, pushes: &mut Vec<Push>) {
        let times = self.strike(|fault| match fault {
            Fault::Dup(n) => Some(*n),
            _ => None,
        });
        for _ in 1..times.unwrap_or(1) {
            let copy = Push {
                id: self.tie(),
                ..push.clone()
            };
            pushes.push(copy);
        }
        let age_s = self.strike(|fault| match fault {
            Fault::Replay(s) => Some(*s),
            _ => None,
        });
        if let Some(age_s) = age_s {
            let later_ms = self.wait_ms(age_s * 1_000);
            self.plan(Plan::Replay { transfer, age_s }, now_ms + later_ms);
        }
    }

    /// How long a wait of the provider lasts here.
    fn wait_ms(&self, ms: i64) -> i64 {
        ms / i64::from(self.settings.time_scale.max(1))
    }

    fn notice(
        &mut self,
        place: usize,
        attempt: usize,
        signing: Signing,
        now_ms: i64,
    ) -> Option<Push> {
        let transfer = self.transfers.get(place)?.clone();
        let id = self.tie();
        let (url, headers, body) = match transfer.provider {
            Provider::PayOs => payos_face::notice(self, &transfer, signing)?,
            Provider::SePay => sepay_face::notice(self, &transfer, signing, now_ms)?,
            Provider::Pix => pix_face::notice(self, &transfer, now_ms)?,
        };
        Some(Push {
            id,
            provider: transfer.provider,
            url,
            headers,
            body,
            attempt: attempt + 1,
        })
    }

    /// Says how a notice was met: `is_success` is an HTTP 2xx in time. Anything
    /// else is sent again by the provider's schedule.
    pub fn pushed(&mut self, id: u64, is_success: bool, now_ms: i64) {
        match self.in_flight.remove(&id) {
            Some(Plan::Notice {
                transfer,
                attempt,
                booked_ms,
            }) => self.settle(transfer, attempt, booked_ms, is_success, now_ms),
            Some(Plan::Probe { provider, url }) if is_success => self.take_webhook(provider, url),
            _ => {}
        }
    }

    fn settle(&mut self, place: usize, attempt: usize, booked_ms: i64, ok: bool, now_ms: i64) {
        let Some(transfer) = self.transfers.get_mut(place) else {
            return;
        };
        if ok {
            transfer.notices += 1;
            return;
        }
        let provider = transfer.provider;
        let schedule: &[u64] = match provider {
            Provider::SePay => &DELIVERY_MINUTES,
            _ => &ASSUMED_MINUTES,
        };
        let Some(minutes) = schedule.get(attempt + 1) else {
            return;
        };
        let minutes = i64::try_from(*minutes).unwrap_or(0);
        let due_ms = booked_ms + self.wait_ms(minutes * 60_000);
        let plan = Plan::Notice {
            transfer: place,
            attempt: attempt + 1,
            booked_ms,
        };
        self.plan(plan, due_ms.max(now_ms));
    }

    pub(super) fn take_webhook(&mut self, provider: Provider, url: String) {
        let settings = &mut self.settings;
        match provider {
            Provider::PayOs => {
                if let Some(shop) = &mut settings.payos {
                    shop.webhook_url = Some(url);
                }
            }
            Provider::SePay => {
                if let Some(shop) = &mut settings.sepay {
                    shop.webhook_url = Some(url);
                }
            }
            Provider::Pix => {
                if let Some(shop) = &mut settings.pix {
                    shop.webhook_url = Some(url);
                }
            }
        }
    }
}
