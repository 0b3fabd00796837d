//! From a basket and the shop's rules to amounts due.
//!
//! **Lines.** Price at the day's effective price, times quantity, rounded half
//! up once per line.
//!
//! **Promotions.** Only sound ([`Promotion::check`]), running and (where a
//! coupon is needed) claimed promotions take part.
//! 1. *Not stackable*: no piece is in two of them, neither as rewarded nor as
//!    qualifying piece. Lower `priority` numbers go first. Among equals that
//!    share lines, up to [`EXHAUSTIVE_MAX`] promotions are tried in every order
//!    and every subset, each taking as much as it can, and the largest total
//!    discount wins; above that, the promotion giving most on what is left is
//!    taken until none gives anything, so the shopper never gets less than by
//!    the best single one. Ties go to the lower id.
//! 2. *Stackable*: on what is then left to pay of each line, by `priority` and
//!    then id.
//!
//! A discount is allocated to its lines by largest remainder (equal remainders:
//! dearest unit first, then lower item, then lower line) and never takes a line
//! below zero. Some of a line's pieces are worth their share of what the line
//! still costs, rounded down. The result depends neither on the order of the
//! rules, the coupons nor the lines.
//!
//! **VAT** is worked out on the total of each rate, rounded half up once per
//! rate, on amounts after discounts and including deposits; the gross totals of
//! the rates add up to the total exactly.
//!
//! **Cash** alone is rounded, on the total.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::basket::{Basket, Line, LineId, coupon_code};
use crate::clock::{LocalDate, LocalDateTime};
use crate::discount;
use crate::money::{CashRounding, Currency, Money, MoneyError, div_half_up};
use crate::promotion::{Promotion, PromotionFault, PromotionId};
use crate::tax::{TaxClassId, TaxRate, TaxTable, TaxTreatment};
use crate::unit::Quantity;

pub use crate::discount::EXHAUSTIVE_MAX;

/// How a shop prices: one version of its signed configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Rules {
    /// The shop's one currency.
    pub currency: Currency,
    /// VAT.
    pub tax: TaxTable,
    /// Coins in use; `None` when cash is exact.
    pub cash_rounding: Option<CashRounding>,
    /// In any order.
    pub promotions: Vec<Promotion>,
}

/// What is wrong with [`Rules`] as configured.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum RulesFault {
    /// A promotion that will never apply.
    #[error("promotion {} will not apply: {fault}", promotion.0)]
    Promotion {
        /// Which.
        promotion: PromotionId,
        /// Why.
        fault: PromotionFault,
    },
    /// Two promotions with one id.
    #[error("two promotions have the number {}: give each its own at head office", promotion.0)]
    PromotionTwice {
        /// The number.
        promotion: PromotionId,
    },
    /// A tax class without any rate.
    #[error("tax class {} has no rate: add one with its first day at head office", class.0)]
    NoRates {
        /// Which.
        class: TaxClassId,
    },
    /// Two tax classes with one id.
    #[error("two tax classes have the number {}: give each its own at head office", class.0)]
    TaxClassTwice {
        /// The number.
        class: TaxClassId,
    },
    /// A cash rounding step below one.
    #[error("the cash rounding step must be at least 1: set it to the smallest coin in use")]
    RoundingStep,
}

/// What a coupon code means right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CouponCheck {
    /// No promotion knows it.
    Unknown,
    /// Known, but its promotion does not run at this time.
    NotNow,
    /// Its promotion runs; whether the basket gains is for [`price`] to say.
    Valid,
}

impl Rules {
    /// Everything wrong with the configuration; empty when sound.
    pub fn check(&self) -> Vec<RulesFault> {
        let mut faults = Vec::new();
        for (index, promotion) in self.promotions.iter().enumerate() {
            let id = promotion.id;
            if let Err(fault) = promotion.check() {
                faults.push(RulesFault::Promotion {
                    promotion: id,
                    fault,
                });
            }
            if self.promotions[..index]
                .iter()
                .any(|earlier| earlier.id == id)
            {
                faults.push(RulesFault::PromotionTwice { promotion: id });
            }
        }
        for (index, class) in self.tax.classes.iter().enumerate() {
            if class.rates.is_empty() {
                faults.push(RulesFault::NoRates { class: class.id });
            }
            if self.tax.classes[..index]
                .iter()
                .any(|earlier| earlier.id == class.id)
            {
                faults.push(RulesFault::TaxClassTwice { class: class.id });
            }
        }
        if self
            .cash_rounding
            .is_some_and(|rounding| rounding.step_minor < 1)
        {
            faults.push(RulesFault::RoundingStep);
        }
        faults
    }

    /// What `text`, as entered or scanned, means at `at`.
    pub fn coupon(&self, text: &str, at: LocalDateTime) -> CouponCheck {
        let Some(code) = coupon_code(text) else {
            return CouponCheck::Unknown;
        };
        let mut known = CouponCheck::Unknown;
        for promotion in &self.promotions {
            if promotion.coupon.as_deref().and_then(coupon_code).as_ref() != Some(&code) {
                continue;
            }
            if promotion.when.contains(at) && promotion.check().is_ok() {
                return CouponCheck::Valid;
            }
            known = CouponCheck::NotNow;
        }
        known
    }

    /// What is due for `amount_minor` when paid in cash.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn cash_due(&self, amount_minor: i64) -> Result<i64, MoneyError> {
        match self.cash_rounding {
            Some(rounding) => rounding.round(amount_minor),
            None => Ok(amount_minor),
        }
    }
}

/// Why a basket has no price. Trying again does not help unless the basket or
/// the rules change.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum PricingError {
    /// The item has no price that day.
    #[error("item {code} has no price on {date}: remove it, or set its price at head office")]
    NoPrice {
        /// The line.
        line: LineId,
        /// The item's code.
        code: String,
        /// The day asked for.
        date: LocalDate,
    },
    /// The tax class is unknown or has no rate that day.
    #[error(
        "item {code}: tax class {} has no rate on {date}: remove it, or set the rate at head office",
        class.0
    )]
    NoTaxRate {
        /// The line.
        line: LineId,
        /// The item's code.
        code: String,
        /// The class.
        class: TaxClassId,
        /// The day asked for.
        date: LocalDate,
    },
    /// A price or deposit below zero.
    #[error(
        "item {code} has a negative price or deposit: remove it, and correct it at head office"
    )]
    NegativePrice {
        /// The line.
        line: LineId,
        /// The item's code.
        code: String,
    },
    /// A quantity that is not positive, or part of a piece.
    #[error("line {} has an impossible quantity: remove it and add it again", line.0)]
    BadQuantity {
        /// The line.
        line: LineId,
    },
    /// The amounts do not fit 64 bits.
    #[error("the amount is too large to be counted: check prices and quantities")]
    Overflow,
}

impl From<MoneyError> for PricingError {
    fn from(_: MoneyError) -> PricingError {
        PricingError::Overflow
    }
}

/// One line, priced. Amounts are minor units as shown on the shelf: with VAT
/// when the rules include it, else without.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PricedLine {
    /// The basket's line.
    pub line: LineId,
    /// List price per unit that day; for a label with its own price and no list
    /// price, the label's price.
    pub unit_price_minor: i64,
    /// Before discounts.
    pub gross_minor: i64,
    /// Taken off; 0 to `gross_minor`.
    pub discount_minor: i64,
    /// To pay: `gross_minor − discount_minor`, without deposit.
    pub net_minor: i64,
    /// How it is taxed.
    pub tax_class: TaxClassId,
    /// Its rate that day.
    pub tax_basis_points: u32,
    /// Whether it has a rate at all.
    #[serde(default, skip_serializing_if = "TaxTreatment::is_rated")]
    pub tax_treatment: TaxTreatment,
    /// Deposit of the whole line, not in `net_minor`.
    pub deposit_minor: i64,
    /// The deposit's rate that day; `None` without deposit.
    pub deposit_basis_points: Option<u32>,
    /// Whether the deposit has a rate at all.
    #[serde(default, skip_serializing_if = "TaxTreatment::is_rated")]
    pub deposit_treatment: TaxTreatment,
}

/// A line's part of a discount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LineShare {
    /// The basket's line.
    pub line: LineId,
    /// Its part, positive.
    pub amount_minor: i64,
}

/// A promotion that gave something.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AppliedDiscount {
    /// Which.
    pub promotion: PromotionId,
    /// In the shop's first language.
    pub name: String,
    /// In other languages, by language code.
    pub names: BTreeMap<String, String>,
    /// The coupon it used up.
    pub coupon: Option<String>,
    /// How much; the sum of `lines`, positive.
    pub amount_minor: i64,
    /// Per line, in basket order, without zeros.
    pub lines: Vec<LineShare>,
}

/// The total of one VAT rate, after discounts and including deposits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TaxTotal {
    /// Hundredths of a percent.
    pub basis_points: u32,
    /// Whether there is a rate at all.
    #[serde(default, skip_serializing_if = "TaxTreatment::is_rated")]
    pub treatment: TaxTreatment,
    /// Without VAT.
    pub base_minor: i64,
    /// The VAT.
    pub tax_minor: i64,
    /// `base_minor + tax_minor`.
    pub gross_minor: i64,
}

/// A basket with its amounts, in minor units of `currency`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Priced {
    /// What everything is counted in.
    pub currency: Currency,
    /// In basket order.
    pub lines: Vec<PricedLine>,
    /// In the order they were applied.
    pub discounts: Vec<AppliedDiscount>,
    /// By rate, lowest first; what has no rate comes last.
    pub taxes: Vec<TaxTotal>,
    /// Sum of the lines' `gross_minor`.
    pub subtotal_minor: i64,
    /// Sum of the discounts.
    pub discount_minor: i64,
    /// Sum of the deposits.
    pub deposit_minor: i64,
    /// Sum of VAT, included or added.
    pub tax_minor: i64,
    /// To pay by card or QR: `subtotal − discount + deposit`, plus VAT when it is
    /// added.
    pub total_minor: i64,
    /// To pay when all of it is paid in cash.
    pub cash_total_minor: i64,
    /// Things a shopper would count ([`Basket::item_count`]).
    pub item_count: u32,
    /// The highest age any line asks for ([`Basket::min_age`]).
    pub min_age: Option<u8>,
    /// Coupons in the basket that gave nothing, in the order entered.
    pub unused_coupons: Vec<String>,
}

impl TaxTotal {
    /// The rate these sums belong to.
    pub fn rate(&self) -> TaxRate {
        TaxRate {
            basis_points: self.basis_points,
            treatment: self.treatment,
        }
    }
}

impl Priced {
    /// What is due by card or QR.
    pub const fn total(&self) -> Money {
        Money::new(self.total_minor, self.currency)
    }

    /// What is due in cash.
    pub const fn cash_total(&self) -> Money {
        Money::new(self.cash_total_minor, self.currency)
    }

    /// The priced line of a basket line.
    pub fn line(&self, line: LineId) -> Option<&PricedLine> {
        self.lines.iter().find(|priced| priced.line == line)
    }
}

/// Prices `basket` under `rules` at the shop's time `at`.
///
/// # Errors
/// A [`PricingError`] naming the line at fault; an empty basket costs nothing.
pub fn price(basket: &Basket, rules: &Rules, at: LocalDateTime) -> Result<Priced, PricingError> {
    let mut lines = basket
        .lines
        .iter()
        .map(|line| price_line(line, rules, at.date))
        .collect::<Result<Vec<_>, _>>()?;
    let subtotal_minor = sum(lines.iter().map(|line| line.gross_minor))?;
    let discounts = discount::apply(basket, rules, at, &mut lines);
    let taxes = tax_totals(&lines, rules)?;
    let total_minor = sum(taxes.iter().map(|tax| tax.gross_minor))?;
    Ok(Priced {
        currency: rules.currency,
        subtotal_minor,
        discount_minor: sum(discounts.iter().map(|discount| discount.amount_minor))?,
        deposit_minor: sum(lines.iter().map(|line| line.deposit_minor))?,
        tax_minor: sum(taxes.iter().map(|tax| tax.tax_minor))?,
        total_minor,
        cash_total_minor: rules.cash_due(total_minor)?,
        item_count: basket.item_count(),
        min_age: basket.min_age(),
        unused_coupons: unused_coupons(basket, &discounts),
        lines,
        discounts,
        taxes,
    })
}

fn price_line(line: &Line, rules: &Rules, date: LocalDate) -> Result<PricedLine, PricingError> {
    let item = &line.item;
    let fractional = item.unit.is_piece() && line.quantity.whole().is_none();
    if line.quantity.milli <= 0 || fractional {
        return Err(PricingError::BadQuantity { line: line.id });
    }
    let unit_price_minor = item
        .price_at(date)
        .or(line.price_override_minor)
        .ok_or_else(|| PricingError::NoPrice {
            line: line.id,
            code: item.code.clone(),
            date,
        })?;
    let gross_minor = match line.price_override_minor {
        Some(price) => price,
        None => times(unit_price_minor, line.quantity.milli)?,
    };
    let deposit_minor = match &item.deposit {
        Some(deposit) if item.unit.is_piece() => times(deposit.amount_minor, line.quantity.milli)?,
        Some(deposit) => deposit.amount_minor,
        None => 0,
    };
    if unit_price_minor < 0 || gross_minor < 0 || deposit_minor < 0 {
        return Err(PricingError::NegativePrice {
            line: line.id,
            code: item.code.clone(),
        });
    }
    let rate = |class: TaxClassId| {
        rules
            .tax
            .rate_at(class, date)
            .ok_or_else(|| PricingError::NoTaxRate {
                line: line.id,
                code: item.code.clone(),
                class,
                date,
            })
    };
    let deposit_class = item.deposit.as_ref().map(|deposit| deposit.tax_class);
    let tax = rate(item.tax_class)?;
    let deposit_tax = deposit_class.map(rate).transpose()?;
    Ok(PricedLine {
        line: line.id,
        unit_price_minor,
        gross_minor,
        discount_minor: 0,
        net_minor: gross_minor,
        tax_class: item.tax_class,
        tax_basis_points: tax.basis_points,
        tax_treatment: tax.treatment,
        deposit_minor,
        deposit_basis_points: deposit_tax.map(|tax| tax.basis_points),
        deposit_treatment: deposit_tax.map(|tax| tax.treatment).unwrap_or_default(),
    })
}

/// What `quantity` costs at `unit_price_minor` a unit before any discount, in minor units, rounded half up as
/// [`price`] does.
///
/// # Errors
/// [`PricingError::Overflow`] for amounts no shop has.
pub fn gross_minor(unit_price_minor: i64, quantity: Quantity) -> Result<i64, PricingError> {
    times(unit_price_minor, quantity.milli)
}

/// Price per unit times thousandths, rounded half up.
fn times(price_minor: i64, milli: i64) -> Result<i64, PricingError> {
    let product = i128::from(price_minor) * i128::from(milli);
    i64::try_from(div_half_up(product, 1000)).map_err(|_| PricingError::Overflow)
}

fn tax_totals(lines: &[PricedLine], rules: &Rules) -> Result<Vec<TaxTotal>, PricingError> {
    let mut amounts: BTreeMap<(TaxTreatment, u32), i64> = BTreeMap::new();
    let mut charge = |treatment: TaxTreatment, basis_points: u32, minor: i64| {
        let amount = amounts.entry((treatment, basis_points)).or_default();
        *amount = amount.checked_add(minor).ok_or(PricingError::Overflow)?;
        Ok::<(), PricingError>(())
    };
    for line in lines {
        charge(line.tax_treatment, line.tax_basis_points, line.net_minor)?;
        if let Some(basis_points) = line.deposit_basis_points {
            charge(line.deposit_treatment, basis_points, line.deposit_minor)?;
        }
    }
    amounts
        .into_iter()
        .map(|((treatment, basis_points), amount)| {
            let (base_minor, tax_minor, gross_minor) =
                rules.tax.mode.split(amount, basis_points)?;
            Ok(TaxTotal {
                basis_points,
                treatment,
                base_minor,
                tax_minor,
                gross_minor,
            })
        })
        .collect()
}

fn unused_coupons(basket: &Basket, discounts: &[AppliedDiscount]) -> Vec<String> {
    let used = |code: &&String| discounts.iter().all(|d| d.coupon.as_ref() != Some(*code));
    basket.coupons.iter().filter(used).cloned().collect()
}

fn sum(amounts: impl IntoIterator<Item = i64>) -> Result<i64, PricingError> {
    amounts
        .into_iter()
        .try_fold(0_i64, |sum, amount| sum.checked_add(amount))
        .ok_or(PricingError::Overflow)
}
