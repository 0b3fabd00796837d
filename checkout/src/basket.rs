//! What one shopper is buying: lines, coupons and their limits.

use serde::{Deserialize, Serialize};

use crate::item::{Item, ItemId};
use crate::unit::Quantity;

/// Most lines in one basket.
pub const LINES_MAX: usize = 200;
/// Most of one line: 9,999 pieces or kilograms.
pub const QUANTITY_MAX: Quantity = Quantity::pieces(9_999);
/// Most coupons in one basket.
pub const COUPONS_MAX: usize = 20;
/// Longest coupon code, in bytes.
pub const COUPON_LENGTH_MAX: usize = 40;

/// Names a line within its basket; never reused there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineId(pub u32);

/// One line of a basket.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Line {
    /// Identity within the basket.
    pub id: LineId,
    /// What, as it was when it was added.
    pub item: Item,
    /// How much; positive.
    pub quantity: Quantity,
    /// The whole line's price from a price-embedded label, in minor units.
    #[serde(default)]
    pub price_override_minor: Option<i64>,
    /// Batch or lot, GS1 AI (10).
    #[serde(default)]
    pub lot: Option<String>,
    /// Expiry date as printed, GS1 AI (17).
    #[serde(default)]
    pub expiry: Option<String>,
    /// Serial number, GS1 AI (21).
    #[serde(default)]
    pub serial: Option<String>,
}

impl Line {
    /// True when the line is one indivisible thing (weighed, measured, or a
    /// label with its own price), so its quantity is not the shopper's to change
    /// and it never merges.
    pub const fn is_bulk(&self) -> bool {
        self.price_override_minor.is_some() || !self.item.unit.is_piece()
    }
}

/// A line to be added; see [`Basket::add_line`].
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct NewLine {
    /// What.
    pub item: Item,
    /// How much; positive.
    pub quantity: Quantity,
    /// The whole line's price from a price-embedded label, in minor units.
    pub price_override_minor: Option<i64>,
    /// Batch or lot, GS1 AI (10).
    pub lot: Option<String>,
    /// Expiry date as printed, GS1 AI (17).
    pub expiry: Option<String>,
    /// Serial number, GS1 AI (21).
    pub serial: Option<String>,
}

impl NewLine {
    /// `quantity` of `item`, without label data.
    pub fn of(item: Item, quantity: Quantity) -> NewLine {
        NewLine {
            item,
            quantity,
            price_override_minor: None,
            lot: None,
            expiry: None,
            serial: None,
        }
    }
}

/// Why a basket stayed as it was. Trying the same again never helps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum BasketError {
    /// [`LINES_MAX`] lines are in it.
    #[error("the basket has {LINES_MAX} lines and takes no more: pay for these, then start again")]
    TooManyLines,
    /// More than [`QUANTITY_MAX`] on one line.
    #[error("a line takes at most {QUANTITY_MAX}: enter less, or ask staff")]
    QuantityTooLarge,
    /// Zero or less.
    #[error("the quantity must be more than zero: to take the line out, remove it")]
    QuantityNotPositive,
    /// A part of a piece.
    #[error("this item is sold in whole pieces: enter a whole number")]
    NotWholePieces,
    /// A weighed line or a label with its own price.
    #[error(
        "the quantity of a weighed or labelled line is fixed: remove it and weigh or scan again"
    )]
    QuantityFixed,
    /// A label with a negative price.
    #[error("the label's price is negative: ask staff to label it again")]
    NegativePrice,
    /// A serial number that is in the basket already.
    #[error("this very piece (serial {serial}) is in the basket already: it was scanned twice")]
    SerialTwice {
        /// Its serial number.
        serial: String,
    },
    /// No such line, for example removed a moment ago.
    #[error("line {} is not in the basket any more: look at the basket again", line.0)]
    NoSuchLine {
        /// What was asked for.
        line: LineId,
    },
    /// [`COUPONS_MAX`] coupons are in it.
    #[error("the basket has {COUPONS_MAX} coupons and takes no more: remove one first")]
    TooManyCoupons,
    /// An empty or overlong code, or one with control characters.
    #[error("this is not a coupon code: enter it as printed, up to {COUPON_LENGTH_MAX} characters")]
    CouponUnreadable,
    /// Entered before.
    #[error("coupon {code} is in the basket already")]
    CouponTwice {
        /// The code as kept.
        code: String,
    },
}

/// What one shopper is buying. Built with [`Basket::add`] and friends, which
/// hold the limits; the fields are public for reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Basket {
    /// In the order they were added.
    pub lines: Vec<Line>,
    /// Coupon codes as kept by [`coupon_code`], in the order entered.
    #[serde(default)]
    pub coupons: Vec<String>,
    next_line: u32,
}

impl Basket {
    /// An empty basket.
    pub fn new() -> Basket {
        Basket::default()
    }

    /// Adds `quantity` of `item`; whole pieces join the line of the same item.
    ///
    /// # Errors
    /// A [`BasketError`]; the basket is then unchanged.
    pub fn add(&mut self, item: Item, quantity: Quantity) -> Result<LineId, BasketError> {
        self.add_line(NewLine::of(item, quantity))
    }

    /// Adds a line, joining an existing one when both are plain pieces of the
    /// same item, unchanged since, with the same lot and expiry and no serial.
    ///
    /// # Errors
    /// A [`BasketError`]; the basket is then unchanged.
    pub fn add_line(&mut self, new: NewLine) -> Result<LineId, BasketError> {
        check_quantity(&new.item, new.quantity)?;
        if new.price_override_minor.is_some_and(|price| price < 0) {
            return Err(BasketError::NegativePrice);
        }
        if let Some(serial) = &new.serial
            && self.has_serial(new.item.id, serial)
        {
            return Err(BasketError::SerialTwice {
                serial: serial.clone(),
            });
        }
        if let Some(line) = self.lines.iter_mut().find(|line| joins(line, &new)) {
            let sum = line.quantity.milli.saturating_add(new.quantity.milli);
            check_quantity(&new.item, Quantity::milli(sum))?;
            line.quantity = Quantity::milli(sum);
            return Ok(line.id);
        }
        self.push(new)
    }

    /// Sets how many pieces a line has.
    ///
    /// # Errors
    /// A [`BasketError`]; the basket is then unchanged.
    pub fn set_quantity(&mut self, line: LineId, quantity: Quantity) -> Result<(), BasketError> {
        let found = self
            .lines
            .iter_mut()
            .find(|candidate| candidate.id == line)
            .ok_or(BasketError::NoSuchLine { line })?;
        if found.is_bulk() || found.serial.is_some() {
            return Err(BasketError::QuantityFixed);
        }
        check_quantity(&found.item, quantity)?;
        found.quantity = quantity;
        Ok(())
    }

    /// Takes a line out and returns it.
    ///
    /// # Errors
    /// [`BasketError::NoSuchLine`].
    pub fn remove(&mut self, line: LineId) -> Result<Line, BasketError> {
        let index = self
            .lines
            .iter()
            .position(|candidate| candidate.id == line)
            .ok_or(BasketError::NoSuchLine { line })?;
        Ok(self.lines.remove(index))
    }

    /// Adds a coupon and returns its code as kept. Whether it gives anything is
    /// for [`Rules::coupon`](crate::Rules::coupon) and
    /// [`price`](crate::price()) to say.
    ///
    /// # Errors
    /// A [`BasketError`]; the basket is then unchanged.
    pub fn add_coupon(&mut self, text: &str) -> Result<String, BasketError> {
        let code = coupon_code(text).ok_or(BasketError::CouponUnreadable)?;
        if self.coupons.contains(&code) {
            return Err(BasketError::CouponTwice { code });
        }
        if self.coupons.len() >= COUPONS_MAX {
            return Err(BasketError::TooManyCoupons);
        }
        self.coupons.push(code.clone());
        Ok(code)
    }

    /// Takes a coupon out; true when it was there.
    pub fn remove_coupon(&mut self, text: &str) -> bool {
        let Some(code) = coupon_code(text) else {
            return false;
        };
        let before = self.coupons.len();
        self.coupons.retain(|kept| *kept != code);
        self.coupons.len() < before
    }

    /// The line with this id.
    pub fn line(&self, line: LineId) -> Option<&Line> {
        self.lines.iter().find(|candidate| candidate.id == line)
    }

    /// True without lines.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The highest age any line asks for, in years.
    pub fn min_age(&self) -> Option<u8> {
        self.lines.iter().filter_map(|line| line.item.min_age).max()
    }

    /// Things a shopper would count: pieces, and one for each weighed,
    /// measured or labelled line.
    pub fn item_count(&self) -> u32 {
        self.lines
            .iter()
            .map(|line| {
                if line.is_bulk() {
                    1
                } else {
                    line.quantity.milli / 1000
                }
            })
            .fold(0, |sum: u32, count| {
                sum.saturating_add(u32::try_from(count).unwrap_or(0))
            })
    }

    fn has_serial(&self, item: ItemId, serial: &str) -> bool {
        self.lines
            .iter()
            .any(|line| line.item.id == item && line.serial.as_deref() == Some(serial))
    }

    fn push(&mut self, new: NewLine) -> Result<LineId, BasketError> {
        if self.lines.len() >= LINES_MAX {
            return Err(BasketError::TooManyLines);
        }
        let id = LineId(self.next_line);
        self.next_line = self
            .next_line
            .checked_add(1)
            .ok_or(BasketError::TooManyLines)?;
        self.lines.push(Line {
            id,
            item: new.item,
            quantity: new.quantity,
            price_override_minor: new.price_override_minor,
            lot: new.lot,
            expiry: new.expiry,
            serial: new.serial,
        });
        Ok(id)
    }
}

/// A coupon code as kept and compared: trimmed, ASCII letters upper-case.
/// `None` when empty, longer than [`COUPON_LENGTH_MAX`], or with control
/// characters.
pub fn coupon_code(text: &str) -> Option<String> {
    let code = text.trim().to_ascii_uppercase();
    let readable =
        !code.is_empty() && code.len() <= COUPON_LENGTH_MAX && !code.chars().any(char::is_control);
    readable.then_some(code)
}

fn check_quantity(item: &Item, quantity: Quantity) -> Result<(), BasketError> {
    if quantity.milli <= 0 {
        return Err(BasketError::QuantityNotPositive);
    }
    if quantity > QUANTITY_MAX {
        return Err(BasketError::QuantityTooLarge);
    }
    if item.unit.is_piece() && quantity.whole().is_none() {
        return Err(BasketError::NotWholePieces);
    }
    Ok(())
}

fn joins(line: &Line, new: &NewLine) -> bool {
    !line.is_bulk()
        && new.price_override_minor.is_none()
        && line.serial.is_none()
        && new.serial.is_none()
        && line.lot == new.lot
        && line.expiry == new.expiry
        && line.item == new.item
}
