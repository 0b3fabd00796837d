//! Units of sale and quantities.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much: thousandths of the item's unit. One piece is 1000, one kilogram
/// is 1000 (so `milli` of a weighed item is grams).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Quantity {
    /// Thousandths of the unit.
    pub milli: i64,
}

impl Quantity {
    /// One piece, or one kilogram.
    pub const ONE: Quantity = Quantity { milli: 1000 };

    /// `pieces` whole pieces.
    pub const fn pieces(pieces: u32) -> Quantity {
        Quantity {
            milli: pieces as i64 * 1000,
        }
    }

    /// `grams` of an item sold by the kilogram.
    pub const fn grams(grams: u32) -> Quantity {
        Quantity {
            milli: grams as i64,
        }
    }

    /// Thousandths of the unit.
    pub const fn milli(milli: i64) -> Quantity {
        Quantity { milli }
    }

    /// The count, when it is a whole number of pieces.
    pub const fn whole(&self) -> Option<i64> {
        if self.milli % 1000 == 0 {
            Some(self.milli / 1000)
        } else {
            None
        }
    }
}

impl fmt::Display for Quantity {
    /// Plain decimal with a point and no trailing zeros: `3`, `0.846`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.milli < 0 { "-" } else { "" };
        let magnitude = self.milli.unsigned_abs();
        let (whole, rest) = (magnitude / 1000, magnitude % 1000);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        let digits = format!("{rest:03}");
        write!(f, "{sign}{whole}.{}", digits.trim_end_matches('0'))
    }
}

/// Why an amount that a person typed cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum TypedFault {
    /// Zero or less.
    #[error("the amount must be more than zero: read the scale again")]
    NotPositive,
    /// More than a counter's scale carries.
    #[error("at most {max} at once: look at the decimal sign, or weigh in parts")]
    TooMuch {
        /// The most there can be.
        max: Quantity,
    },
    /// More decimals than the unit has.
    #[error("the amount has more decimals than the item's unit: leave the last ones out")]
    TooFine,
}

/// What an item is counted in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Whole pieces: chai, hộp, cái, thùng.
    Piece {
        /// The word beside the number.
        label: String,
    },
    /// Weighed on the scale or by a weight label; the price is per `label`.
    Weight {
        /// The word beside the number, usually `kg`.
        label: String,
        /// Digits shown after the decimal sign, 0 to 3.
        decimals: u8,
    },
    /// Measured otherwise (metres of cloth, litres); never asks the scale.
    Measure {
        /// The word beside the number: `m`, `l`.
        label: String,
        /// Digits shown after the decimal sign, 0 to 3.
        decimals: u8,
    },
}

impl Unit {
    /// True when the scale decides the quantity.
    pub const fn is_weighed(&self) -> bool {
        matches!(self, Unit::Weight { .. })
    }

    /// True when only whole pieces make sense.
    pub const fn is_piece(&self) -> bool {
        matches!(self, Unit::Piece { .. })
    }

    /// The word beside the number.
    pub fn label(&self) -> &str {
        match self {
            Unit::Piece { label } | Unit::Weight { label, .. } | Unit::Measure { label, .. } => {
                label
            }
        }
    }

    /// Checks an amount that a person typed for an item of this unit.
    ///
    /// # Errors
    /// What is wrong with it; the same amount never passes.
    pub fn check_typed(&self, quantity: Quantity) -> Result<(), TypedFault> {
        let max = self.typed_max();
        let step = 10_i64.pow(3 - u32::from(self.decimals().min(3)));
        if quantity.milli <= 0 {
            Err(TypedFault::NotPositive)
        } else if quantity > max {
            Err(TypedFault::TooMuch { max })
        } else if quantity.milli % step != 0 {
            Err(TypedFault::TooFine)
        } else {
            Ok(())
        }
    }

    /// The most a person can have put on a counter's scale at once, about 30 kg; a larger figure is a lost decimal
    /// sign. For what is measured otherwise, 100 of its unit.
    pub fn typed_max(&self) -> Quantity {
        let whole = match self {
            Unit::Piece { .. } | Unit::Measure { .. } => 100,
            Unit::Weight { label, .. } => match label.to_lowercase().as_str() {
                "g" | "gam" | "gram" => 30_000,
                "lạng" | "100g" => 300,
                "lb" | "lbs" => 66,
                _ => 30,
            },
        };
        Quantity::pieces(whole)
    }

    /// Digits shown after the decimal sign.
    pub const fn decimals(&self) -> u8 {
        match self {
            Unit::Piece { .. } => 0,
            Unit::Weight { decimals, .. } | Unit::Measure { decimals, .. } => *decimals,
        }
    }
}
