//! The counter as one state machine: events in, effects out.
//!
//! [`Till::step`] takes one [`Event`] and appends [`Effect`]s; [`Till::view`] is what the screen
//! shows. The program and the simulator drive the same code. Effects that touch money, paper
//! or the drawer carry a [`Durable`]: proof that the row they rest on is on disk.

mod config;
mod effect;
mod event;
mod fact;
mod gate;
mod sale;
mod state;
mod view;

pub use config::{Limits, REASONS_MAX, ReasonsConfig, TillConfig};
pub use effect::{Effect, Effects, Ticket};
pub use event::*;
pub use fact::{AddedBy, Fact, Place, VisitEnd, What};
pub use gate::Durable;
pub use sale::{Sale, SaleLine, Tender, TenderKind};
pub use state::*;
pub use view::*;
