//! What the till and the log call things of the program.

use crate::store::StoreError;
use checkout::till::{Screen, StoreFault};

/// What a store error means at the counter.
pub fn store_fault(error: &StoreError) -> StoreFault {
    match error {
        StoreError::Full(_) => StoreFault::Full,
        StoreError::ReadOnly(_) => StoreFault::ReadOnly,
        StoreError::Busy | StoreError::Locked(_) => StoreFault::Busy,
        _ => StoreFault::Broken,
    }
}

/// Name of a screen for the log and for whoever drives the kiosk from outside.
pub fn screen_name(screen: &Screen) -> &'static str {
    match screen {
        Screen::Attract { .. } => "attract",
        Screen::Shop => "shop",
        Screen::Weigh { .. } => "weigh",
        Screen::Choose { .. } => "choose",
        Screen::AgeCheck { .. } => "age",
        Screen::Pay(_) => "pay",
        Screen::Card { .. } => "card",
        Screen::Unknown { .. } => "unknown",
        Screen::Qr(_) => "qr",
        Screen::Underpaid(_) => "underpaid",
        Screen::BankCheck(_) => "bank-check",
        Screen::Cash { .. } => "cash",
        Screen::Saving { .. } => "saving",
        Screen::Paid(_) => "paid",
        Screen::Tap { .. } => "tap",
        Screen::Reasons { .. } => "reasons",
        Screen::Thanks { .. } => "thanks",
        Screen::Help { .. } => "help",
        Screen::Idle => "idle",
        Screen::Parked { .. } => "parked",
        Screen::Staff(_) => "staff",
        Screen::OutOfOrder { .. } => "out-of-order",
    }
}
