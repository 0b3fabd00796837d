//! What happens at a counter, as pure functions and one state machine.
//!
//! No I/O, no clock, no randomness, no float, no async: time and seeds are
//! parameters. The kiosk program and the simulators drive the same code.
//!
//! - [`money`], [`clock`], [`mod@unit`]: the quantities everything else counts in.
//! - [`item`], [`tax`], [`promotion`]: what the shop sells and under which rules.
//! - [`basket`]: what one shopper is buying.
//! - [`pricing`]: [`price`], from a basket and the rules to amounts due.
//! - [`barcode`]: what a scanner read, understood or refused.
//! - [`till`]: the counter itself, events in and effects out.

pub mod barcode;
pub mod basket;
mod claim;
pub mod clock;
mod discount;
pub mod item;
pub mod money;
pub mod pricing;
pub mod promotion;
pub mod tax;
pub mod till;
pub mod unit;

pub use basket::{Basket, BasketError, Line, LineId, NewLine};
pub use clock::{LocalDate, LocalDateTime, Now, Weekday};
pub use item::{Deposit, Item, ItemId, PriceFrom};
pub use money::{CashRounding, Currency, Money, MoneyError, RoundingMode, allocate};
pub use pricing::{
    AppliedDiscount, CouponCheck, LineShare, Priced, PricedLine, PricingError, Rules, RulesFault,
    TaxTotal, price,
};
pub use promotion::{
    AmountPer, MinuteSpan, Promotion, PromotionFault, PromotionId, PromotionKind, RewardFrom,
    Scope, Window,
};
pub use tax::{TaxClass, TaxClassId, TaxMode, TaxRate, TaxRateFrom, TaxTable, TaxTreatment};
pub use unit::{Quantity, TypedFault, Unit};
