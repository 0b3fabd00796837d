//! Settings of a card terminal, as they stand in the kiosk's configuration file.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::types::Currency;
use super::zvt::protocol::command::{self, Password, config_byte};

/// Protocol a terminal speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Protocol {
    /// ZVT 13.x (Germany, Austria, Switzerland), serial or TCP.
    #[default]
    Zvt,
    /// Caisse-AP over IP (France), TCP.
    CaisseAp,
    /// Concert / Telium E+ (France), serial.
    Concert,
}

impl Protocol {
    /// Digits of the amount field, the same as [`super::Capabilities::amount_digits`]; known
    /// before there is a connection.
    pub fn amount_digits(self) -> u8 {
        match self {
            Self::Zvt => super::zvt::AMOUNT_DIGITS,
            Self::CaisseAp => super::caisse_ap::protocol::AMOUNT_DIGITS,
            Self::Concert => super::concert::protocol::AMOUNT_DIGITS,
        }
    }
}

/// Where the terminal is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Connection {
    /// TCP: host and port. ZVT terminals listen on 20007, Caisse-AP on 8888.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// Serial line. ZVT wants 8N2, Concert 8N1 or 7E1.
    Serial {
        /// Device path, best a stable one (`/dev/serial/by-id/…`).
        path: String,
        /// Bits per second, 9600 or 115200.
        baud: u32,
        /// Two stop bits (ZVT default) instead of one.
        #[serde(default = "yes")]
        two_stop_bits: bool,
        /// Seven data bits with even parity (native serial Concert) instead of eight without.
        #[serde(default)]
        seven_even: bool,
    },
}

fn yes() -> bool {
    true
}

/// What a family of terminals does differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Profile {
    /// Everything the specification allows; Ingenico, Verifone, CCV, Worldline and PAX terminals.
    #[default]
    #[serde(
        alias = "ingenico",
        alias = "verifone",
        alias = "ccv",
        alias = "worldline",
        alias = "pax"
    )]
    Generic,
    /// card complete (Austria): wants TLV registration, accepts an abort at any time.
    CardComplete,
    /// Feig contactless terminals: TCP only, TLV.
    Feig,
    /// Old terminals without hold and without TLV.
    Basic,
}

impl Profile {
    /// The till may answer an approval with `84 9C` and is asked again.
    pub fn can_hold(self) -> bool {
        !matches!(self, Self::Basic)
    }

    /// The registration carries a TLV container, so answers do too.
    pub fn uses_tlv(self) -> bool {
        matches!(self, Self::CardComplete | Self::Feig)
    }
}

/// Time limits in milliseconds. The defaults are those of PA00P016; tests use shorter ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// Longest wait for a TCP connection.
    pub connect_ms: u64,
    /// T1, longest pause inside a serial block.
    pub inter_byte_ms: u64,
    /// T2, longest wait for a serial ACK.
    pub acknowledge_ms: u64,
    /// T3, longest wait for the answer to a command.
    pub reply_ms: u64,
    /// T4, longest wait for the end of a command, restarted by every message.
    pub completion_ms: u64,
    /// After how long a pending approval is held with `84 9C`; must be below `reply_ms`.
    pub hold_after_ms: u64,
    /// Longest wait of `recover` for the terminal to be reachable and idle.
    pub recover_ms: u64,
    /// Pause between two enquiries while recovering.
    pub poll_ms: u64,
    /// First pause before connecting again; doubles up to 16 times this.
    pub reconnect_ms: u64,
    /// Pause between two routine status enquiries (at least once a minute, PA00P015 2.56).
    pub keep_alive_ms: u64,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect_ms: 3000,
            inter_byte_ms: 200,
            acknowledge_ms: 5000,
            reply_ms: 5000,
            completion_ms: 180_000,
            hold_after_ms: 3000,
            recover_ms: 240_000,
            poll_ms: 1000,
            reconnect_ms: 250,
            keep_alive_ms: 50_000,
        }
    }
}

/// Settings of one card terminal.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TerminalConfig {
    /// Protocol.
    #[serde(default)]
    pub protocol: Protocol,
    /// Where it is.
    pub connection: Connection,
    /// Six-digit password of the ZVT registration; `000000` on most terminals.
    #[serde(default = "default_password")]
    pub password: String,
    /// Alphabetic currency code, `VND`.
    pub currency: String,
    /// Family.
    #[serde(default)]
    pub profile: Profile,
    /// Registration config byte. Only values without print lines (bit 80) are accepted: print
    /// lines would be further commit points after the approval.
    #[serde(default = "default_config_byte")]
    pub config_byte: u8,
    /// How often an approval may be held before it is refused.
    #[serde(default = "default_max_holds")]
    pub max_holds: u8,
    /// Seconds the terminal waits for the goods after an approval (BMP 01), with `max_holds` as the
    /// number of its questions (BMP 02); 0 sends neither. Some terminals ask for ever without.
    #[serde(default)]
    pub goods_issue_seconds: u8,
    /// Time limits.
    #[serde(default)]
    pub timeouts: Timeouts,
}

fn default_password() -> String {
    "000000".into()
}

fn default_config_byte() -> u8 {
    config_byte::ONE_COMMIT_POINT
}

fn default_max_holds() -> u8 {
    10
}

impl fmt::Debug for TerminalConfig {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The password stays out of logs.
        out.debug_struct("TerminalConfig")
            .field("protocol", &self.protocol)
            .field("connection", &self.connection)
            .field("currency", &self.currency)
            .field("profile", &self.profile)
            .finish_non_exhaustive()
    }
}

/// A setting that cannot work. Retrying does not help: correct the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// `password` is not six digits.
    #[error("terminal.password must be six digits, e.g. \"000000\"")]
    Password,
    /// `currency` is not known.
    #[error("terminal.currency \"{0}\" is not known; use a code such as VND or EUR")]
    Currency(String),
    /// `config_byte` asks for print lines or lacks status messages.
    #[error("terminal.config_byte {0:02X} adds commit points after the approval; use 3E")]
    ConfigByte(u8),
    /// `hold_after_ms` is not below `reply_ms`.
    #[error("terminal.timeouts.hold_after_ms must be below reply_ms")]
    HoldAfter,
    /// The protocol does not run over this connection.
    #[error("terminal.protocol {0:?} does not run over this connection; see terminal.connection")]
    Connection(Protocol),
    /// The serial speed is none a terminal uses.
    #[error("terminal.connection baud {0} is not usual; use 9600 or 115200")]
    Baud(u32),
    /// The driver's thread could not be started. Retrying may help when memory is freed.
    #[error("the terminal thread could not be started: {0}")]
    Thread(String),
}

/// Settings after checking, in the form the protocol needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    /// Packed password.
    pub password: Password,
    /// Currency code.
    pub currency: Currency,
}

impl TerminalConfig {
    /// Settings for a ZVT terminal with everything else at its default.
    pub fn zvt(connection: Connection, currency: &str) -> Self {
        Self {
            protocol: Protocol::Zvt,
            connection,
            password: default_password(),
            currency: currency.to_owned(),
            profile: Profile::default(),
            config_byte: default_config_byte(),
            max_holds: default_max_holds(),
            goods_issue_seconds: 0,
            timeouts: Timeouts::default(),
        }
    }

    /// Checks all settings; the first wrong one is named.
    pub fn check(&self) -> Result<Checked, ConfigError> {
        let password = command::password(&self.password).ok_or(ConfigError::Password)?;
        let currency = Currency::from_alpha(&self.currency)
            .ok_or_else(|| ConfigError::Currency(self.currency.clone()))?;
        let wanted = config_byte::INTERMEDIATE_STATUS;
        if self.config_byte & config_byte::RECEIPT_LINES != 0 || self.config_byte & wanted == 0 {
            return Err(ConfigError::ConfigByte(self.config_byte));
        }
        if self.timeouts.hold_after_ms >= self.timeouts.reply_ms {
            return Err(ConfigError::HoldAfter);
        }
        let serial = matches!(self.connection, Connection::Serial { .. });
        match (self.protocol, serial) {
            (Protocol::CaisseAp, true) | (Protocol::Concert, false) => {
                return Err(ConfigError::Connection(self.protocol));
            }
            _ => {}
        }
        if let Connection::Serial { baud, .. } = self.connection
            && !matches!(
                baud,
                1200 | 2400 | 4800 | 9600 | 19_200 | 38_400 | 57_600 | 115_200
            )
        {
            return Err(ConfigError::Baud(baud));
        }
        Ok(Checked { password, currency })
    }
}
