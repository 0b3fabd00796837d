//! What the shop wants on its receipts.

use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// The table `[receipt]`; every key may be left out.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Receipt {
    /// Name of this counter; not printed when empty.
    pub till: String,
    /// Address of the shop's page about one sale, for the QR code. `{number}`, `{date}`,
    /// `{total}` and `{language}` are filled in. Without it the code names the sale.
    pub qr_url: String,
    /// What stands above the QR code, by language code.
    pub qr_words: BTreeMap<String, String>,
    /// Last words, by language code.
    pub thanks: BTreeMap<String, String>,
    /// Lines before the thanks, by language code.
    pub notes: BTreeMap<String, Vec<String>>,
    /// PNG picture above the shop's name, beside the configuration file.
    pub logo: Option<PathBuf>,
    /// Whether `kiosk print --store-logo` has put the logo into the printer's own memory.
    pub logo_in_printer: bool,
}
