//! What the shop has decided about how its till behaves.

use serde::{Deserialize, Serialize};

use super::sale::TenderKind;
use super::state::Lang;
use crate::barcode::BarcodeRules;
use crate::pricing::Rules;

/// Everything a [`Till`](super::Till) needs to know beforehand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TillConfig {
    /// Currency, taxes, promotions, cash rounding.
    pub rules: Rules,
    /// The shop's own barcodes.
    pub barcode: BarcodeRules,
    /// Languages offered, the shop's own first; never empty (Vietnamese when left empty).
    pub languages: Vec<Lang>,
    /// Tenders offered, in the order shown.
    pub tenders: Vec<TenderKind>,
    /// First two characters of QR order codes, from `0-9 A-Z` without I L O U.
    pub order_code_prefix: String,
    /// Differs per kiosk, so that order codes of kiosks with one prefix do not meet.
    pub order_code_key: u32,
    /// Minutes after local midnight at which a new business day begins, 0 to 1439.
    pub business_day_starts_min: u16,
    /// Receipt number of the first sale of a fresh journal, at least 1.
    pub first_receipt_number: u64,
    /// The question after the exit tap.
    pub reasons: ReasonsConfig,
    /// How long everything may take.
    pub limits: Limits,
}

/// Which reasons are offered after a face was tapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonsConfig {
    /// Reason keys for faces 1 to 3, mapped one to one to touchpoints; shown shuffled.
    pub low: Vec<String>,
    /// Reason keys for faces 4 and 5; shown shuffled.
    pub high: Vec<String>,
    /// The key shown last, such as `other`; empty for none.
    pub last: String,
    /// Happy shoppers asked too: 1 in so many, 0 for none, 1 for all.
    pub high_one_in: u32,
}

/// Most reasons shown or taken at once.
pub const REASONS_MAX: usize = 6;

/// Limits in milliseconds. Those on the screen run on the monotonic clock; `parked_for_ms`
/// and `late_window_ms` run on the wall clock, because they outlive a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// Without any input until the idle warning shows.
    pub idle_ms: u64,
    /// How long the idle warning counts down before the basket is parked.
    pub idle_warning_ms: u64,
    /// Idle limit while the shopper waits for a person (help, age check, cash).
    pub staff_wait_ms: u64,
    /// Until a signed-in member of staff is signed out again.
    pub staff_idle_ms: u64,
    /// For the terminal to say it is ready; nothing was asked of it until then.
    pub terminal_prepare_ms: u64,
    /// For the terminal's answer; after it the result is unknown, never declined.
    pub terminal_answer_ms: u64,
    /// Between two recovery questions to the terminal.
    pub recover_retry_ms: u64,
    /// For the bank to make an offer; nothing was shown until then.
    pub offer_create_ms: u64,
    /// How long a QR offer is shown.
    pub offer_ms: u64,
    /// What one press of "more time" adds.
    pub offer_extend_ms: u64,
    /// Presses of "more time" per offer.
    pub offer_extensions_max: u32,
    /// How long "still checking, did you pay?" waits for the shopper.
    pub offer_checking_ms: u64,
    /// How long a cancelled offer waits for the bank's word.
    pub offer_cancel_ms: u64,
    /// How long left-behind offers are watched.
    pub late_window_ms: i64,
    /// How long "paid" stands alone before the exit tap.
    pub paid_ms: u64,
    /// Exit tap.
    pub tap_ms: u64,
    /// Reasons.
    pub reasons_ms: u64,
    /// Thanks.
    pub thanks_ms: u64,
    /// How long the code of a parked basket stays on the screen.
    pub parked_screen_ms: u64,
    /// How long a parked basket can be fetched by its code.
    pub parked_for_ms: i64,
    /// For the catalogue to answer.
    pub look_up_ms: u64,
    /// How long a notice stays.
    pub notice_ms: u64,
    /// First pause before a failed write is tried again; doubles each time.
    pub store_retry_min_ms: u64,
    /// Longest pause before a failed write is tried again.
    pub store_retry_max_ms: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            idle_ms: 90_000,
            idle_warning_ms: 20_000,
            staff_wait_ms: 300_000,
            staff_idle_ms: 60_000,
            terminal_prepare_ms: 60_000,
            terminal_answer_ms: 240_000,
            recover_retry_ms: 15_000,
            offer_create_ms: 15_000,
            offer_ms: 180_000,
            offer_extend_ms: 120_000,
            offer_extensions_max: 5,
            offer_checking_ms: 60_000,
            offer_cancel_ms: 6_000,
            late_window_ms: 86_400_000,
            paid_ms: 2_500,
            tap_ms: 8_000,
            reasons_ms: 10_000,
            thanks_ms: 4_000,
            parked_screen_ms: 20_000,
            parked_for_ms: 900_000,
            look_up_ms: 3_000,
            notice_ms: 5_000,
            store_retry_min_ms: 250,
            store_retry_max_ms: 10_000,
        }
    }
}

impl Default for ReasonsConfig {
    fn default() -> ReasonsConfig {
        let keys = |keys: &[&str]| keys.iter().map(|&k| k.to_owned()).collect();
        ReasonsConfig {
            low: keys(&["waiting", "finding", "staff", "price", "paying"]),
            high: keys(&["fast", "finding", "staff", "price", "paying"]),
            last: "other".to_owned(),
            high_one_in: 5,
        }
    }
}

impl TillConfig {
    /// A till with every tender, Vietnamese first, and the usual limits.
    pub fn new(rules: Rules) -> TillConfig {
        TillConfig {
            rules,
            barcode: BarcodeRules::default(),
            languages: vec![Lang::new("vi"), Lang::new("en")],
            tenders: vec![TenderKind::Qr, TenderKind::Card, TenderKind::Cash],
            order_code_prefix: "DC".to_owned(),
            order_code_key: 0,
            business_day_starts_min: 0,
            first_receipt_number: 1,
            reasons: ReasonsConfig::default(),
            limits: Limits::default(),
        }
    }

    /// The shop's own language.
    pub fn first_language(&self) -> Lang {
        self.languages
            .first()
            .cloned()
            .unwrap_or_else(|| Lang::new("vi"))
    }
}
