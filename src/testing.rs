//! Values that several tests of this crate need.

use crate::config::Configuration;
use checkout::till::Sale;
use std::path::Path;

/// The example configuration.
pub(crate) fn configuration() -> Configuration {
    crate::config::parse(crate::config::EXAMPLE, Path::new("kiosk.toml")).expect("the example")
}

/// The sale of the design pictures: 146,688 đồng in cash.
pub(crate) fn sale() -> Sale {
    serde_json::from_str(include_str!("../tests/fixtures/sale.json")).expect("the fixture")
}
