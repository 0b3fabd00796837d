//! The configuration file as written: one struct a table, unknown keys refused.

use serde::Deserialize;
use std::path::PathBuf;

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Who sells.
    pub shop: Shop,
    /// VAT classes and their rates by date.
    pub tax: Vec<TaxClass>,
    /// Embedded price or weight labels.
    #[serde(default)]
    pub label: Vec<Label>,
    /// Where data lives.
    #[serde(default)]
    pub store: StoreTable,
    /// The window.
    #[serde(default)]
    pub screen: Screen,
    /// How long things wait.
    #[serde(default)]
    pub times: Times,
    /// The barcode scanner.
    pub scanner: Option<Scanner>,
    /// The receipt printer.
    pub printer: Option<Printer>,
    /// What is on receipts.
    #[serde(default)]
    pub receipt: super::Receipt,
    /// The card terminal.
    pub terminal: Option<Terminal>,
    /// Payment by QR.
    pub bank: Option<Bank>,
    /// A newer table of Vietnamese banks.
    pub banks: Option<super::Banks>,
    /// Who may act as staff.
    #[serde(default)]
    pub staff: Vec<Staff>,
    /// What the attract screen says beside the headline.
    #[serde(default)]
    pub attract: Attract,
}

/// The seller.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shop {
    /// Name over the door.
    pub name: String,
    /// Legal seller, as on the receipt.
    pub seller: String,
    /// Address lines on the receipt.
    #[serde(default)]
    pub address: Vec<String>,
    /// Tax code; empty where there is none.
    #[serde(default)]
    pub tax_code: String,
    /// Telephone on the receipt.
    #[serde(default)]
    pub phone: String,
    /// First language of the screen.
    pub language: String,
    /// ISO 4217 code.
    pub currency: String,
    /// IANA time zone.
    pub time_zone: String,
    /// `included` or `added`.
    pub prices: String,
    /// Smallest cash step in minor units; no rounding when absent.
    pub cash_step_minor: Option<i64>,
    /// Cash that lies in the drawer when a business day begins, in minor units.
    #[serde(default)]
    pub cash_float_minor: i64,
    /// Hour at which the business day begins, local.
    #[serde(default)]
    pub day_starts_at_hour: u8,
    /// File of promotions beside this one; none when absent.
    pub promotions: Option<PathBuf>,
}

/// One VAT class.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxClass {
    /// Number used by the catalogue.
    pub id: u16,
    /// Name on screens and reports.
    pub name: String,
    /// Rates in order of their first day.
    pub rates: Vec<Rate>,
}

/// A rate from a day on.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// First day, `2025-07-01`.
    pub from: String,
    /// Percent with up to two decimals, as text: `"8"`, `"8.25"`. `"exempt"` is not subject to
    /// VAT (không chịu thuế), `"not-declared"` is outside it (không kê khai, không nộp thuế).
    pub percent: String,
}

/// A label with a price or a weight inside its barcode.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// Thirteen places, such as `21{NNNNN}{WWWWW}C`.
    pub pattern: String,
    /// What one count of the embedded value is worth: minor units, or
    /// thousandths of the item's unit.
    #[serde(default = "one")]
    pub multiplier: u32,
}

fn one() -> u32 {
    1
}

/// Where the kiosk keeps its data.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreTable {
    /// Directory of the database, keys and spool.
    #[serde(default = "default_dir")]
    pub dir: PathBuf,
}

fn default_dir() -> PathBuf {
    PathBuf::from("/var/lib/kiosk")
}

impl Default for StoreTable {
    fn default() -> Self {
        Self { dir: default_dir() }
    }
}

/// The window.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Screen {
    /// Whole screen, without a frame.
    #[serde(default = "yes")]
    pub fullscreen: bool,
    /// Width in pixels when not full screen.
    #[serde(default = "width")]
    pub width_px: u32,
    /// Height in pixels when not full screen.
    #[serde(default = "height")]
    pub height_px: u32,
}

fn yes() -> bool {
    true
}
fn width() -> u32 {
    1080
}
fn height() -> u32 {
    1920
}

impl Default for Screen {
    fn default() -> Self {
        Self {
            fullscreen: true,
            width_px: width(),
            height_px: height(),
        }
    }
}

/// How long things wait, in seconds.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Times {
    /// Quiet time before "are you still there?".
    pub idle_warn_after_s: u32,
    /// Countdown of that question.
    pub idle_countdown_s: u32,
    /// How long a parked basket can be picked up again.
    pub parked_keep_min: u32,
    /// How long a QR offer stands.
    pub qr_offer_s: u32,
    /// How long a left QR offer is still watched.
    pub qr_watch_h: u32,
    /// How long the faces wait for a tap.
    pub faces_s: u32,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            idle_warn_after_s: 60,
            idle_countdown_s: 20,
            parked_keep_min: 120,
            qr_offer_s: 180,
            qr_watch_h: 24,
            faces_s: 8,
        }
    }
}

/// The scanner: a serial port, or an input device that is grabbed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scanner {
    /// Serial or CDC port, by stable path.
    pub port: Option<PathBuf>,
    /// Baud rate of the port.
    #[serde(default = "scanner_baud")]
    pub baud: u32,
    /// Keyboard-type scanner, `/dev/input/by-id/…`.
    pub input: Option<PathBuf>,
}

fn scanner_baud() -> u32 {
    9600
}

/// The receipt printer.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Printer {
    /// Serial port, by stable path.
    pub port: PathBuf,
    /// Baud rate.
    #[serde(default = "printer_baud")]
    pub baud: u32,
    /// Profile name.
    #[serde(default = "printer_profile")]
    pub profile: String,
}

fn printer_baud() -> u32 {
    19_200
}
fn printer_profile() -> String {
    "xprinter-clone".into()
}

/// The card terminal.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terminal {
    /// `HOST:PORT` of a terminal on the network.
    pub tcp: Option<String>,
    /// Serial port of a terminal on a cable.
    pub port: Option<PathBuf>,
    /// Baud rate of the port.
    #[serde(default = "scanner_baud")]
    pub baud: u32,
    /// Registration password of the terminal, six digits.
    #[serde(default = "terminal_password")]
    pub password: String,
}

fn terminal_password() -> String {
    "000000".into()
}

/// Payment by QR: where the money goes and who confirms it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bank {
    /// Who says that a transfer has come.
    #[serde(default)]
    pub mode: BankMode,
    /// Address of the payment relay; head office's own when absent.
    pub relay_url: Option<String>,
    /// Name of the bank, as shoppers know it.
    pub bank_name: String,
    /// The bank's six-digit number (NAPAS BIN).
    pub bank_bin: String,
    /// Account number.
    pub account: String,
    /// Account holder.
    pub payee: String,
}

/// Who says that a transfer has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BankMode {
    /// Head office's payment relay; the kiosk must be enrolled.
    #[default]
    Relay,
    /// The plain relay of `kiosk sim bank`: for demos and tests, unsigned.
    Simulated,
    /// Staff, who look into the bank's own app.
    Staff,
}

/// A person who may unlock staff actions.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Staff {
    /// Short code written into the journal; not a name.
    pub id: String,
    /// Line made by `kiosk staff-pin`.
    pub pin_hash: String,
}

/// Words of the attract screen, per language code.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Attract {
    /// Picture beside the promotion of the day.
    pub promo_picture: String,
    /// "You said, we did": one line per language.
    pub we_did: std::collections::BTreeMap<String, String>,
}
