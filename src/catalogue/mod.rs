//! The catalogue: reading what other tills export ([`import`]), and folding names for search ([`fold`]).

mod barcode;
pub mod entry;
pub mod fold;
pub mod help;
pub mod import;
pub mod layout;
mod number;
pub mod promotions;
pub mod report;
mod rows;
pub mod table;
#[cfg(test)]
mod tests;
pub mod text;

pub use entry::{Entry, item_id};
pub use help::HELP;
pub use import::{Import, ImportOptions, Restricted, import};
pub use layout::Format;
pub use promotions::{PromotionsError, promotions};
pub use report::{Finding, Problem, Report, Severity};
pub use table::ImportError;

/// The demo shop's goods, in our own format.
pub const DEMO_CATALOGUE: &str = include_str!("../../demo/catalogue.csv");

/// The demo shop's promotions.
pub const DEMO_PROMOTIONS: &str = include_str!("../../demo/promotions.toml");
