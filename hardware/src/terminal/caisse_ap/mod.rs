//! Caisse-AP over IP, the protocol of French terminals (Ingenico, Verifone).
//!
//! One TCP connection per order; the terminal charges by itself and answers once. It cannot be
//! asked afterwards, so an order in doubt needs a person: [`super::Capabilities`] says so.

pub mod protocol;

mod engine;

pub(crate) use engine::CaisseApEngine;
