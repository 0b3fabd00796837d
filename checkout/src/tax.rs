//! VAT classes with effective dates, included in prices or added to them.

use serde::{Deserialize, Serialize};

use crate::clock::LocalDate;
use crate::money::{MoneyError, div_half_up};

/// Names a [`TaxClass`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaxClassId(pub u16);

/// How the VAT law treats goods. A rate of 0 % is a rate; goods outside the tax have none, and papers must say which it
/// is (in Vietnam "0%", "KCT" and "KKKNT").
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TaxTreatment {
    /// Taxed at the rate beside it.
    #[default]
    Rated,
    /// Not subject to VAT (không chịu thuế).
    Exempt,
    /// VAT is neither declared nor paid on it (không kê khai, không nộp thuế).
    NotDeclared,
}

impl TaxTreatment {
    /// Whether there is a rate.
    pub fn is_rated(&self) -> bool {
        *self == Self::Rated
    }
}

/// A rate as it holds on one day. Sums are kept by it: 0 % and "not subject to VAT" do not mix.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaxRate {
    /// Hundredths of a percent: 800 is 8 %. Zero unless rated.
    pub basis_points: u32,
    /// Whether there is a rate at all.
    pub treatment: TaxTreatment,
}

/// One rate and the first day it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TaxRateFrom {
    /// First day, from local midnight.
    pub from: LocalDate,
    /// Hundredths of a percent: 800 is 8 %. Zero unless rated.
    pub basis_points: u32,
    /// Whether there is a rate at all.
    #[serde(default, skip_serializing_if = "TaxTreatment::is_rated")]
    pub treatment: TaxTreatment,
}

/// Goods taxed alike, with every rate they had and will have.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TaxClass {
    /// Its name in items.
    pub id: TaxClassId,
    /// For staff and receipts.
    pub name: String,
    /// In any order; the latest one begun holds.
    pub rates: Vec<TaxRateFrom>,
}

impl TaxClass {
    /// The rate on `date`; `None` before the first rate. Of two rates from one
    /// day the later in the list holds.
    pub fn rate_at(&self, date: LocalDate) -> Option<TaxRate> {
        let rate = latest(&self.rates, date, |rate| rate.from)?;
        // Outside the tax nothing can be due, whatever number stands beside it.
        let basis_points = match rate.treatment {
            TaxTreatment::Rated => rate.basis_points,
            TaxTreatment::Exempt | TaxTreatment::NotDeclared => 0,
        };
        Some(TaxRate {
            basis_points,
            treatment: rate.treatment,
        })
    }
}

/// Whether shelf prices contain VAT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxMode {
    /// Prices contain VAT; it is taken out of the total of each rate.
    Included,
    /// Prices are without VAT; it is added to the total of each rate.
    Added,
}

/// Every tax class of a shop.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TaxTable {
    /// Whether shelf prices contain VAT.
    pub mode: TaxMode,
    /// The classes; ids are unique.
    pub classes: Vec<TaxClass>,
}

impl TaxTable {
    /// The class with this id.
    pub fn class(&self, id: TaxClassId) -> Option<&TaxClass> {
        self.classes.iter().find(|class| class.id == id)
    }

    /// The rate of a class on a day.
    pub fn rate_at(&self, id: TaxClassId, date: LocalDate) -> Option<TaxRate> {
        self.class(id)?.rate_at(date)
    }
}

impl TaxMode {
    /// Splits what is charged at one rate into (base, tax, gross), rounding the
    /// tax half up once. `amount_minor` is the non-negative sum of net line
    /// amounts: with VAT in [`TaxMode::Included`], without in [`TaxMode::Added`].
    ///
    /// # Errors
    /// [`MoneyError::Overflow`] when base plus tax leaves the range of `i64`.
    pub fn split(
        self,
        amount_minor: i64,
        basis_points: u32,
    ) -> Result<(i64, i64, i64), MoneyError> {
        let (amount, rate) = (i128::from(amount_minor), i128::from(basis_points));
        let (base, tax) = match self {
            TaxMode::Included => {
                let tax = div_half_up(amount * rate, 10_000 + rate);
                (amount - tax, tax)
            }
            TaxMode::Added => (amount, div_half_up(amount * rate, 10_000)),
        };
        let minor = |value: i128| i64::try_from(value).map_err(|_| MoneyError::Overflow);
        Ok((minor(base)?, minor(tax)?, minor(base + tax)?))
    }
}

/// The entry in force on `date`: the latest begun, the last listed on a tie.
pub(crate) fn latest<T>(
    entries: &[T],
    date: LocalDate,
    from: impl Fn(&T) -> LocalDate,
) -> Option<&T> {
    entries
        .iter()
        .filter(|entry| from(entry) <= date)
        .max_by_key(|entry| from(entry))
}
