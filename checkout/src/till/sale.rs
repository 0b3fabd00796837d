//! A finished sale: complete in itself, so that receipt, journal and head office need nothing else.

use serde::{Deserialize, Serialize};

use super::state::{AttemptId, Lang, VisitId};
use crate::basket::LineId;
use crate::clock::LocalDate;
use crate::item::ItemId;
use crate::money::{Currency, Money};
use crate::pricing::{AppliedDiscount, TaxTotal};
use crate::tax::{TaxClassId, TaxMode, TaxRate, TaxTreatment};
use crate::unit::{Quantity, Unit};

/// A way to pay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TenderKind {
    /// Bank transfer by QR code.
    Qr,
    /// Card at the terminal.
    Card,
    /// Cash to a person.
    Cash,
    /// A voucher of this kiosk, by its code; never a button.
    Voucher,
}

/// One payment that really happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tender {
    /// How.
    pub kind: TenderKind,
    /// The attempt that brought it.
    pub attempt: AttemptId,
    /// What it pays: received less change. In minor units, like all below.
    pub amount_minor: i64,
    /// What was handed over.
    pub received_minor: i64,
    /// What was given back.
    pub change_minor: i64,
    /// What cash rounding added (or, negative, took off); part of `amount_minor`.
    pub rounding_minor: i64,
    /// The terminal's or the bank's name for it.
    pub reference: Option<String>,
    /// The card's approval code.
    pub approval_code: Option<String>,
    /// QR: a member of staff saw it in the bank's own app; the bank has not told this kiosk.
    #[serde(default)]
    pub unconfirmed: bool,
}

impl Tender {
    /// What it takes off the amount due: without the rounding.
    pub fn toward_total_minor(&self) -> i64 {
        self.amount_minor.saturating_sub(self.rounding_minor)
    }
}

/// One line as sold. Amounts are minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SaleLine {
    /// The basket's line.
    pub line: LineId,
    /// The item.
    pub item: ItemId,
    /// Its code.
    pub code: String,
    /// Its name in the shop's first language.
    pub name: String,
    /// Its name in the shopper's language, when that differs.
    pub name_shown: Option<String>,
    /// Its category.
    pub category: String,
    /// How it is counted.
    pub unit: Unit,
    /// How much.
    pub quantity: Quantity,
    /// Per unit.
    pub unit_price_minor: i64,
    /// Before discounts.
    pub gross_minor: i64,
    /// Discounts on this line.
    pub discount_minor: i64,
    /// To pay, without deposit.
    pub net_minor: i64,
    /// How it is taxed.
    pub tax_class: TaxClassId,
    /// At which rate, in hundredths of a percent.
    pub tax_basis_points: u32,
    /// Whether it has a rate at all.
    #[serde(default, skip_serializing_if = "TaxTreatment::is_rated")]
    pub tax_treatment: TaxTreatment,
    /// Deposit of the whole line.
    pub deposit_minor: i64,
    /// The deposit's name.
    pub deposit_name: Option<String>,
    /// Batch or lot.
    pub lot: Option<String>,
    /// Expiry as printed.
    pub expiry: Option<String>,
    /// Serial number.
    pub serial: Option<String>,
}

impl SaleLine {
    /// Its tax rate on the day of the sale.
    pub fn rate(&self) -> TaxRate {
        TaxRate {
            basis_points: self.tax_basis_points,
            treatment: self.tax_treatment,
        }
    }
}

/// A paid basket. `Σ tenders.amount_minor == total_minor + rounding_minor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// Contiguous per journal.
    pub receipt_number: u64,
    /// The visit.
    pub visit: VisitId,
    /// The day it counts for.
    pub business_date: LocalDate,
    /// When, unix milliseconds UTC (untrusted).
    pub completed_wall_ms: i64,
    /// The shop's offset then.
    pub utc_offset_min: i32,
    /// The shopper's language.
    pub lang: Lang,
    /// What everything is counted in.
    pub currency: Currency,
    /// Whether line prices include VAT.
    pub tax_mode: TaxMode,
    /// In basket order.
    pub lines: Vec<SaleLine>,
    /// Promotions that gave something.
    pub discounts: Vec<AppliedDiscount>,
    /// VAT by rate.
    pub taxes: Vec<TaxTotal>,
    /// Coupons used.
    pub coupons: Vec<String>,
    /// Sum of the lines before discounts.
    pub subtotal_minor: i64,
    /// Sum of the discounts.
    pub discount_minor: i64,
    /// Sum of the deposits.
    pub deposit_minor: i64,
    /// Sum of VAT.
    pub tax_minor: i64,
    /// To pay, before cash rounding.
    pub total_minor: i64,
    /// What cash rounding added (or took off).
    pub rounding_minor: i64,
    /// Change given.
    pub change_minor: i64,
    /// Every payment, in order.
    pub tenders: Vec<Tender>,
    /// Things a shopper would count.
    pub item_count: u32,
    /// Age staff confirmed, if they had to.
    pub age_confirmed: Option<u8>,
}

impl Sale {
    /// What was due, before cash rounding.
    pub fn total(&self) -> Money {
        Money::new(self.total_minor, self.currency)
    }

    /// What was paid in all, after cash rounding and change.
    pub fn paid(&self) -> Money {
        Money::new(
            self.total_minor.saturating_add(self.rounding_minor),
            self.currency,
        )
    }
}
