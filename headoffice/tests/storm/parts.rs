//! What a storm is made of: chance, payers, sales, and the wire to the bank.

use super::shop::bank_request;
use headoffice::relay::provider::{Ask, NoAnswer, Said, Wire};
use payqr::{
    OrderCode,
    provider::{Provider, bank::Bank},
};

/// The providers by the place of their account.
pub const PROVIDERS: [Provider; 3] = [Provider::PayOs, Provider::SePay, Provider::Pix];
/// Names of the accounts in the settings.
pub const ACCOUNTS: [&str; 3] = ["main", "second", "third"];
/// Stores that use them.
pub const STORES: [&str; 3] = ["Q1", "Thủ Đức", "São Paulo"];
/// Prefixes of their order codes.
pub const PREFIXES: [&str; 3] = ["HS", "TD", "SP"];
/// SePay's account: nothing is made or asked for each order there.
pub const SEPAY: usize = 1;

/// Place of a provider's account.
pub fn account_of(provider: Provider) -> usize {
    PROVIDERS
        .iter()
        .position(|known| *known == provider)
        .unwrap()
}

/// SplitMix64 (Steele, Lea and Flood 2014).
#[derive(Debug)]
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
    pub fn between(&mut self, from: i64, to: i64) -> i64 {
        from + self.below((to - from + 1) as u64) as i64
    }
}

/// What the payer of a sale does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Payer {
    Exact,
    Under,
    Completes,
    Over,
    Twice,
    /// Pays after the offer was withdrawn.
    Late,
    /// Goes away; the offer is withdrawn.
    Nothing,
    /// Pays when the kiosk is about to withdraw.
    Races,
    /// Goes away and nobody withdraws.
    Forgets,
    /// The bank cuts the text off within the code.
    CutOff,
    /// Writes own words instead of the code.
    NoCode,
    /// The kiosk tells the relay only after the payment (it was offline).
    ToldLater,
}

#[derive(Debug, Clone)]
pub struct Sale {
    pub account: usize,
    pub code: OrderCode,
    pub amount: i64,
    pub payer: Payer,
    pub shown: bool,
    pub withdrawn_ms: Option<i64>,
    /// The last answer before the withdrawal said so.
    pub looked: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    Offer(usize),
    Look(usize),
    Pay(usize, i64),
    Withdraw(usize),
    Orphan(usize),
    Skew,
}

#[derive(Debug, Default)]
pub struct Tally {
    pub kills: u64,
    pub leaked: u64,
    pub pushes: u64,
    pub pushes_refused: u64,
    pub forged_by_us: u64,
    pub forged_taken: u64,
    pub questions: u64,
    pub questions_failed: u64,
    pub offers_refused: u64,
}

/// The bank at the other end of a wire, with a power switch.
pub struct BankWire<'a> {
    pub bank: &'a mut Bank,
    pub provider: Provider,
    pub now_ms: i64,
    /// Cut before the request leaves, or after the bank has done it.
    pub kill: Option<bool>,
    pub killed: bool,
    pub failed: bool,
}

impl Wire for BankWire<'_> {
    fn send(&mut self, ask: &Ask) -> Result<Said, NoAnswer> {
        let cut = || NoAnswer("cut".into());
        if self.kill == Some(false) || self.killed {
            self.killed = true;
            return Err(cut());
        }
        let request = bank_request(self.provider, ask);
        let response = self.bank.handle(&request, self.now_ms);
        if self.kill == Some(true) {
            self.killed = true;
            return Err(cut());
        }
        if response.is_lost {
            self.failed = true;
            return Err(cut());
        }
        self.failed |= response.status >= 400;
        Ok(Said {
            status: response.status,
            retry_after_s: response
                .header_value("retry-after")
                .and_then(|text| text.parse().ok()),
            body: response.body,
        })
    }
}
