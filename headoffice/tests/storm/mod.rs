//! A shop, its payers and its bank in virtual time, against the real relay: its database, its schedule, its providers,
//! its matching. Everything goes wrong that can; the bank's ledger is the truth it is compared with at the end.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

mod audit;
mod parts;
pub mod shop;
mod world;

pub use audit::Report;
pub use world::{Options, World};

/// Plays `options.sales` sales and everything that follows from them, and compares.
pub fn run(options: Options) -> Report {
    let mut world = World::new(options);
    world.play();
    audit::audit(&world)
}
