//! `kiosk terminal`: orders at a card terminal without the counter, with a journal of its own.

mod day;
mod desk;
mod journal;
mod say;
mod words;

#[cfg(test)]
mod card_data;
#[cfg(test)]
mod tests;

use crate::format::Language;
use crate::view::text::pick;
use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use desk::{Desk, Ending, Place, Wanted};
use hardware::terminal::{Amount, Connection, Protocol, TerminalConfig};
use journal::{FileJournal, Source, Verdict};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

/// How long the first connection may take: a serial terminal that was asleep needs three tries of
/// five seconds.
const CONNECT: Duration = Duration::from_secs(20);

/// Arguments of `kiosk terminal`.
#[derive(Clone, Debug, Args)]
pub struct TerminalArgs {
    #[command(subcommand)]
    order: Order,
}

#[derive(Clone, Debug, Subcommand)]
enum Order {
    /// Ask a card for money.
    Pay(MoneyArgs),
    /// Give money to a card.
    Refund(MoneyArgs),
    /// Take one earlier transaction back.
    Reverse {
        /// Its receipt number at the terminal.
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=9999))]
        receipt: u16,
        #[command(flatten)]
        money: MoneyArgs,
    },
    /// Ask for the terminal's condition; moves no money.
    Status(CommonArgs),
    /// Close the terminal's day and compare its total with the journal's.
    Eod(CommonArgs),
    /// Find out what became of an order in doubt, and order nothing.
    Recover(CommonArgs),
    /// Settle an order in doubt with the terminal's own record in hand.
    Decide {
        /// The order, as it was said.
        #[arg(long, value_name = "ATTEMPT")]
        attempt: String,
        /// The terminal's record shows it.
        #[arg(long, required_unless_present = "did_not_happen")]
        happened: bool,
        /// The terminal's record does not show it.
        #[arg(long, conflicts_with = "happened")]
        did_not_happen: bool,
        #[command(flatten)]
        book: BookArgs,
    },
}

#[derive(Clone, Debug, Args)]
struct MoneyArgs {
    /// Money in the smallest unit of the currency: đồng, cent, yen.
    #[arg(long, value_name = "N")]
    amount: u64,
    #[command(flatten)]
    common: CommonArgs,
}

#[derive(Clone, Debug, Args)]
struct CommonArgs {
    #[command(flatten)]
    place: PlaceArgs,
    #[command(flatten)]
    book: BookArgs,
}

#[derive(Clone, Debug, Args)]
struct BookArgs {
    /// Journal of these orders; otherwise kiosk/terminal.ndjson below $XDG_STATE_HOME or
    /// ~/.local/state.
    #[arg(long, value_name = "FILE")]
    journal: Option<PathBuf>,
    /// Language of what is said: vi or en.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    lang: String,
}

/// Where a terminal is and how it is spoken to.
#[derive(Clone, Debug, Args)]
pub struct PlaceArgs {
    /// Protocol of the terminal.
    #[arg(long, value_enum, default_value_t = Speaks::Zvt)]
    protocol: Speaks,
    /// Address of the terminal: ZVT listens on 20007, Caisse-AP on 8888.
    #[arg(long, value_name = "HOST:PORT", required_unless_present = "port")]
    tcp: Option<String>,
    /// Serial port of the terminal.
    #[arg(long, value_name = "PATH", conflicts_with = "tcp")]
    port: Option<PathBuf>,
    /// Speed of the serial port in bits per second.
    #[arg(long, value_name = "N", default_value_t = 9600)]
    baud: u32,
    /// Bits of the serial port; otherwise 8n2 for ZVT and 8n1 for Concert.
    #[arg(long, value_enum)]
    line: Option<Line>,
    /// Six digits of the ZVT registration.
    #[arg(long, value_name = "DIGITS", default_value = "000000")]
    password: String,
    /// Currency the terminal is registered with.
    #[arg(long, value_name = "CODE", default_value = "VND")]
    currency: String,
}

/// Protocols by the names of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Speaks {
    /// ZVT, serial or TCP.
    Zvt,
    /// Caisse-AP over IP, TCP.
    CaisseAp,
    /// Concert E+, serial.
    Concert,
}

/// Bits of a serial line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Line {
    /// Eight data bits, no parity, two stop bits.
    #[value(name = "8n2")]
    EightTwo,
    /// Eight data bits, no parity, one stop bit.
    #[value(name = "8n1")]
    EightOne,
    /// Seven data bits, even parity, one stop bit.
    #[value(name = "7e1")]
    SevenEven,
}

impl PlaceArgs {
    /// Settings of the driver, and the place as the journal writes it.
    ///
    /// # Errors
    /// An address that is not `HOST:PORT`. Other wrong settings are found by the driver.
    pub fn settings(&self) -> Result<(TerminalConfig, String)> {
        let protocol = match self.protocol {
            Speaks::Zvt => Protocol::Zvt,
            Speaks::CaisseAp => Protocol::CaisseAp,
            Speaks::Concert => Protocol::Concert,
        };
        let (connection, name) = match (&self.tcp, &self.port) {
            (Some(address), _) => (tcp(address)?, address.clone()),
            (None, Some(path)) => {
                let path = path.display().to_string();
                (self.serial(protocol, path.clone()), path)
            }
            (None, None) => bail!("give --tcp HOST:PORT or --port PATH"),
        };
        let mut config = TerminalConfig::zvt(connection, &self.currency.to_ascii_uppercase());
        config.protocol = protocol;
        config.password.clone_from(&self.password);
        Ok((config, name))
    }

    fn serial(&self, protocol: Protocol, path: String) -> Connection {
        let usual = match protocol {
            Protocol::Concert => Line::EightOne,
            _ => Line::EightTwo,
        };
        let line = self.line.unwrap_or(usual);
        Connection::Serial {
            path,
            baud: self.baud,
            two_stop_bits: line == Line::EightTwo,
            seven_even: line == Line::SevenEven,
        }
    }
}

fn tcp(address: &str) -> Result<Connection> {
    let (host, port) = address
        .rsplit_once(':')
        .with_context(|| format!("--tcp {address}: write HOST:PORT"))?;
    let port = port
        .parse()
        .with_context(|| format!("--tcp {address}: {port} is not a port"))?;
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned();
    Ok(Connection::Tcp { host, port })
}

impl BookArgs {
    fn language(&self) -> Result<Language> {
        Language::from_code(&self.lang)
            .with_context(|| format!("--lang {}: write vi or en", self.lang))
    }

    fn open(&self) -> Result<FileJournal> {
        let path = match &self.journal {
            Some(path) => path.clone(),
            None => {
                let path = usual_journal(|name| std::env::var_os(name).map(PathBuf::from))?;
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)
                        .with_context(|| format!("{}: cannot be made", folder.display()))?;
                }
                path
            }
        };
        Ok(FileJournal::open(&path)?)
    }
}

/// The journal when none is named.
fn usual_journal(variable: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf> {
    let absolute = |path: &PathBuf| path.is_absolute();
    let state = variable("XDG_STATE_HOME").filter(absolute).or_else(|| {
        let home = variable("HOME").filter(absolute)?;
        Some(home.join(".local/state"))
    });
    Ok(state
        .context("there is no home directory; give --journal FILE")?
        .join("kiosk/terminal.ndjson"))
}

pub(super) fn run(args: &TerminalArgs) -> Result<ExitCode> {
    let ending = execute(&args.order, &mut |line| tell!("{line}"))?;
    Ok(ExitCode::from(ending.code()))
}

fn execute(order: &Order, say: &mut dyn FnMut(String)) -> Result<Ending> {
    let common = match order {
        Order::Pay(money) | Order::Refund(money) | Order::Reverse { money, .. } => &money.common,
        Order::Status(common) | Order::Eod(common) | Order::Recover(common) => common,
        Order::Decide {
            attempt,
            happened,
            book,
            ..
        } => return decide(attempt, *happened, book, say),
    };
    let (config, name) = common.place.settings()?;
    let currency = config.check()?.currency;
    let language = common.book.language()?;
    let mut journal = common.book.open()?;
    say(format!(
        "{}: {}",
        pick(language, "sổ", "journal"),
        journal.path().display()
    ));
    let place = Place {
        config,
        name,
        connect: CONNECT,
        ask_at_once: true,
    };
    let mut desk = Desk::new(place, &mut journal, language, say);
    let amount = |money: &MoneyArgs| Amount::new(money.amount, currency);
    match order {
        Order::Pay(money) => desk.order(Wanted::Pay(amount(money))),
        Order::Refund(money) => desk.order(Wanted::Refund(amount(money))),
        Order::Reverse { receipt, money } => desk.order(Wanted::Reverse(*receipt, amount(money))),
        Order::Status(_) => desk.status(),
        Order::Eod(_) => desk.end_of_day(currency),
        Order::Recover(_) | Order::Decide { .. } => desk.recover(),
    }
}

/// Settles the open order by a person's word.
fn decide(
    attempt: &str,
    happened: bool,
    book: &BookArgs,
    say: &mut dyn FnMut(String),
) -> Result<Ending> {
    let language = book.language()?;
    let mut journal = book.open()?;
    let open = journal.open_entry().map(|entry| entry.ordered.attempt);
    let Some(id) = open.filter(|open| open.to_string() == attempt.trim()) else {
        match open {
            Some(open) => bail!("{attempt} is not in doubt; {open} is"),
            None => bail!("{attempt} is not in doubt; nothing is"),
        }
    };
    let (verdict, vietnamese, english) = if happened {
        (Verdict::Happened, "đã xảy ra", "happened")
    } else {
        (Verdict::DidNotHappen, "không xảy ra", "did not happen")
    };
    journal.closed(id, verdict, Source::Person)?;
    say(format!(
        "{id}: {}",
        pick(
            language,
            &format!("nhân viên xác nhận: {vietnamese}"),
            &format!("decided by a person: {english}")
        )
    ));
    Ok(Ending::Done)
}

/// Longest examination of a terminal by `kiosk doctor terminal`, at each speed tried.
const EXAMINE: Duration = Duration::from_secs(20);

/// What is to be said about a terminal, and whether it may stay as it is.
///
/// # Errors
/// An address that is not `HOST:PORT`.
pub(super) fn examine(place: &PlaceArgs, language: Language) -> Result<(Vec<String>, bool)> {
    use hardware::terminal::doctor::{Severity, examine};
    let (config, _) = place.settings()?;
    let findings = examine(&config, EXAMINE);
    let lines = findings
        .iter()
        .map(|finding| match language {
            Language::Vietnamese => finding.text_vi(),
            Language::English => finding.text_en(),
        })
        .collect();
    let healthy = findings
        .iter()
        .all(|finding| finding.severity() != Severity::Fault);
    Ok((lines, healthy))
}
