//! Head office's own program, beside this one, with a payment account at payOS, as a shop has: payOS is in software and
//! in this process, everything between it and the kiosk is real. For the demo.

use crate::bank::sim::providers;
use crate::config::Bank;
use anyhow::{Context, Result, bail};
use payqr::provider::bank::{Account, Faults, PayOsShop, Settings};
use payqr::provider::{Provider, Secret};
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Name of the account in head office's settings and in the address of its notices.
const ACCOUNT: &str = "shop";
/// Where head office's process finds payOS's keys.
const KEYS: [&str; 3] = [
    "SIMULATED_PAYOS_CLIENT_ID",
    "SIMULATED_PAYOS_API_KEY",
    "SIMULATED_PAYOS_CHECKSUM_KEY",
];

/// Head office as a child process, and its payOS; both end with this handle.
pub(super) struct HeadOffice {
    child: Child,
    program: PathBuf,
    data: PathBuf,
    /// Where it listens, `HOST:PORT`.
    pub(super) address: String,
    /// The bank behind its payment account.
    pub(super) payos: providers::Running,
}

/// How payOS behaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct PayOs {
    /// Every code is paid by itself after this time; otherwise when somebody says so.
    pub(super) pay_after_ms: Option<i64>,
    /// It tells head office of each credit. Otherwise only asking finds it.
    pub(super) pushes: bool,
}

impl HeadOffice {
    /// Starts it with its data in `dir`, listening on `listen` (port 0 takes a free one), with a payment account for
    /// `bank`'s account. `None` when there is no head office program beside this one.
    ///
    /// # Errors
    /// When a port, a folder or the program cannot be had.
    pub(super) fn start(dir: &Path, listen: &str, bank: &Bank, how: PayOs) -> Result<Option<Self>> {
        let program = std::env::current_exe()?.with_file_name("headoffice");
        if !program.exists() {
            return Ok(None);
        }
        let data = dir.join("headoffice");
        std::fs::create_dir_all(&data)?;
        let listen = place(listen)?;
        let keys = make_keys()?;
        let webhook = format!("http://{listen}/v1/webhooks/payos/{ACCOUNT}");
        let payos = payos(bank, &keys, how.pay_after_ms, how.pushes.then_some(webhook))?;
        let url = payos
            .address(Provider::PayOs)
            .context("payOS is not there")?;
        let settings = data.join("headoffice.toml");
        std::fs::write(&settings, settings_text(&data, &url, &bank.account))?;
        let mut command = Command::new(&program);
        for (name, key) in KEYS.iter().zip(&keys) {
            command.env(name, key);
        }
        let mut child = command
            .args(["serve", "--listen", &listen, "--config"])
            .arg(&settings)
            .stdout(Stdio::piped())
            .spawn()
            .context("head office cannot be started")?;
        let stdout = child.stdout.take().context("head office says nothing")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let address = line
            .split("http://")
            .nth(1)
            .map(|rest| rest.trim().trim_end_matches('/').to_owned())
            .with_context(|| format!("head office did not start; is {listen} free?"))?;
        Ok(Some(Self {
            child,
            program,
            data,
            address,
            payos,
        }))
    }

    /// A one-time code that enrols a kiosk of this store.
    ///
    /// # Errors
    /// When head office makes none.
    pub(super) fn code(&self, store: &str) -> Result<String> {
        let output = Command::new(&self.program)
            .args(["code", "--store", store, "--data"])
            .arg(&self.data)
            .output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let code = text.lines().next().unwrap_or_default().trim().to_owned();
        if code.is_empty() {
            bail!("head office made no code");
        }
        Ok(code)
    }

    /// Its address as `http://…`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for HeadOffice {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An address with a port: payOS must know it before head office listens on it.
fn place(listen: &str) -> Result<String> {
    let wanted: SocketAddr = listen
        .parse()
        .with_context(|| format!("{listen} is not an address and port"))?;
    if wanted.port() != 0 {
        return Ok(listen.to_owned());
    }
    Ok(TcpListener::bind(wanted)?.local_addr()?.to_string())
}

/// Keys of a payOS that opens nothing but simulators.
fn make_keys() -> Result<[String; 3]> {
    let mut keys = [const { String::new() }; 3];
    for key in &mut keys {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("{error}"))?;
        *key = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    }
    Ok(keys)
}

fn payos(
    bank: &Bank,
    [client_id, api_key, checksum_key]: &[String; 3],
    pay_after_ms: Option<i64>,
    webhook_url: Option<String>,
) -> Result<providers::Running> {
    let shop = PayOsShop {
        client_id: client_id.clone(),
        api_key: Secret::new(&**api_key),
        checksum_key: Secret::new(&**checksum_key),
        account: Account {
            bin: bank.bank_bin.clone(),
            number: bank.account.clone(),
            holder: bank.payee.clone(),
            bank: bank.bank_name.clone(),
        },
        webhook_url,
    };
    let settings = Settings {
        payos: Some(shop),
        pay_after_ms,
        // References go on from the clock: no bank gives one twice, also after it was started anew.
        first_number: u64::try_from(crate::clock::machine_ms()).unwrap_or(1),
        ..Settings::default()
    };
    let door = [(Provider::PayOs, SocketAddr::from(([127, 0, 0, 1], 0)))];
    providers::start(settings, Faults::default(), &door).context("payOS cannot be started")
}

fn settings_text(data: &Path, payos_url: &str, account: &str) -> String {
    let [client_id, api_key, checksum_key] = KEYS;
    format!(
        "data_dir = {:?}\n\n[[payment]]\nname = {ACCOUNT:?}\nprovider = \"payos\"\naccount_number = {account:?}\n\
         url = {payos_url:?}\nclient_id = {{ env = {client_id:?} }}\napi_key = {{ env = {api_key:?} }}\n\
         checksum_key = {{ env = {checksum_key:?} }}\n",
        data.display().to_string()
    )
}
