//! The catalogue: what an import reads ([`import`]), and how names are folded for search ([`fold`]).

pub mod entry;
pub mod fold;

pub use entry::{Entry, item_id};
