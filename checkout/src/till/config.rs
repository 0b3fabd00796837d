//! What the shop has decided about how its till behaves.

use serde::{Deserialize, Serialize};

use super::codes::is_order_symbol;
use super::sale::TenderKind;
use super::state::Lang;
use crate::barcode::{BarcodeRules, TemplateError};
use crate::pricing::{Rules, RulesFault};

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
    /// Who says that a transfer has come.
    #[serde(default)]
    pub qr_confirm: QrConfirm,
    /// Whom QR codes pay, bank and account, in a form that only has to be equal; compared with the
    /// one a person last agreed to.
    #[serde(default)]
    pub payee: Option<String>,
    /// How long everything may take.
    pub limits: Limits,
}

/// Who says that a transfer has come. Never the shopper.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QrConfirm {
    /// The bank side; staff only while it cannot be asked.
    #[default]
    Bank,
    /// Staff, who look into the bank's own app: nobody else can be asked.
    Staff,
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
    /// The same about an attempt that staff settled already.
    pub settled_retry_ms: u64,
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
    /// How long the bank may take to answer about earlier offers before another way to pay begins.
    pub offer_check_ms: u64,
    /// How long before that question the bank may have been asked and its answer still count.
    pub offer_fresh_ms: u64,
    /// How long left-behind offers are watched.
    pub late_window_ms: i64,
    /// How long a voucher pays.
    pub voucher_ms: i64,
    /// How long paid offers are watched for a second transfer.
    pub paid_watch_ms: i64,
    /// How long "paid" stands alone before the exit tap.
    pub paid_ms: u64,
    /// Exit tap.
    pub tap_ms: u64,
    /// Exit tap while the paper receipt is missing and its code is offered on the screen.
    pub code_ms: u64,
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
            settled_retry_ms: 60_000,
            offer_create_ms: 15_000,
            offer_ms: 180_000,
            offer_extend_ms: 120_000,
            offer_extensions_max: 5,
            offer_checking_ms: 60_000,
            offer_cancel_ms: 8_000,
            offer_check_ms: 8_000,
            offer_fresh_ms: 2_000,
            late_window_ms: 86_400_000,
            voucher_ms: 90 * 86_400_000,
            paid_watch_ms: 7_200_000,
            paid_ms: 2_500,
            tap_ms: 8_000,
            code_ms: 20_000,
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
            qr_confirm: QrConfirm::default(),
            payee: None,
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

    /// Everything wrong with the configuration; empty when sound. A till also works with a
    /// faulty one, without what is faulty.
    pub fn check(&self) -> Vec<ConfigFault> {
        let mut faults: Vec<ConfigFault> = self
            .rules
            .check()
            .into_iter()
            .map(ConfigFault::Rules)
            .collect();
        let templates = self.barcode.templates.iter();
        faults.extend(
            templates
                .filter_map(|t| t.check().err())
                .map(ConfigFault::Template),
        );
        let prefix = &self.order_code_prefix;
        if prefix.len() != 2 || !prefix.chars().all(is_order_symbol) {
            faults.push(ConfigFault::OrderCodePrefix {
                prefix: prefix.clone(),
            });
        }
        if self.business_day_starts_min >= 24 * 60 {
            faults.push(ConfigFault::BusinessDay {
                minutes: self.business_day_starts_min,
            });
        }
        if self.languages.is_empty() {
            faults.push(ConfigFault::NoLanguage);
        }
        if self.tenders.is_empty() {
            faults.push(ConfigFault::NoTender);
        }
        let limits = &self.limits;
        let shortest = [
            ("idle_ms", limits.idle_ms),
            ("idle_warning_ms", limits.idle_warning_ms),
            ("staff_wait_ms", limits.staff_wait_ms),
            ("terminal_prepare_ms", limits.terminal_prepare_ms),
            ("terminal_answer_ms", limits.terminal_answer_ms),
            ("offer_create_ms", limits.offer_create_ms),
            ("offer_ms", limits.offer_ms),
            ("offer_check_ms", limits.offer_check_ms),
            ("store_retry_min_ms", limits.store_retry_min_ms),
        ];
        let too_short = shortest
            .into_iter()
            .filter(|(_, value)| *value < LIMIT_MIN_MS);
        faults.extend(too_short.map(|(name, _)| ConfigFault::Limit {
            name: name.to_owned(),
        }));
        faults
    }
}

/// No limit on the screen may be shorter: it would fire before anybody could act.
const LIMIT_MIN_MS: u64 = 100;

/// What is wrong with a [`TillConfig`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFault {
    /// Prices, taxes or promotions.
    #[error("{0}")]
    Rules(RulesFault),
    /// An in-store barcode.
    #[error("{0}")]
    Template(TemplateError),
    /// The prefix of order codes.
    #[error("the order code prefix {prefix:?} must be two of 0-9 A-Z without I L O U")]
    OrderCodePrefix {
        /// As configured.
        prefix: String,
    },
    /// The begin of the business day.
    #[error("the business day starts at minute {minutes}; it must be 0 to 1439")]
    BusinessDay {
        /// As configured.
        minutes: u16,
    },
    /// No language.
    #[error("no language is configured; name at least one, such as vi")]
    NoLanguage,
    /// No tender.
    #[error("no tender is configured; name at least one of qr, card, cash")]
    NoTender,
    /// A limit too short to act in.
    #[error("the limit {name} is shorter than {LIMIT_MIN_MS} ms")]
    Limit {
        /// Its name.
        name: String,
    },
}
