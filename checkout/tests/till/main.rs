//! The till's promises, one story each.
#![allow(clippy::unwrap_used, missing_docs)]

mod any;
mod card;
mod desk;
mod leaving;
mod orders;
mod paying;
#[path = "../world/rng.rs"]
#[expect(dead_code, reason = "the world uses more of the dice")]
mod rng;
#[path = "../world/shop.rs"]
mod shop;
mod shopping;
mod staff_money;
mod transfers;
mod upgrade;
mod visit_ids;
