//! `kiosk sim bank`: a bank behind a payment relay, or the payment providers
//! that a relay talks to.

use crate::bank::sim::{self as relay, providers};
use anyhow::{Context, Result, ensure};
use clap::Args;
use payqr::provider::bank::{Account, Armed, Faults, PayOsShop, PixShop, SePayShop, Settings};
use payqr::provider::sepay::Auth;
use payqr::provider::{Provider, Secret};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Arguments of `kiosk sim bank`.
#[derive(Clone, Debug, Args)]
pub struct BankArgs {
    /// Address of the payment relay; set it as bank.relay_url.
    #[arg(long, default_value = "127.0.0.1:8085", conflicts_with_all = ["payos", "sepay", "pix"])]
    listen: SocketAddr,
    /// Pay every offer by itself after this time; otherwise
    /// POST /control/pay pays it.
    #[arg(long)]
    pay_after_ms: Option<u64>,
    /// What the payer gives of each hundred asked (relay).
    #[arg(long, default_value_t = 100)]
    pay_percent: u32,
    /// Delay of every answer (relay).
    #[arg(long, default_value_t = 0)]
    answer_delay_ms: u64,
    /// Refuse offers with this text (relay).
    #[arg(long)]
    refuse: Option<String>,
    /// Be payOS on this loopback port (0 picks one) instead of a relay.
    #[arg(long, value_name = "PORT")]
    payos: Option<u16>,
    /// Be SePay on this loopback port (0 picks one) instead of a relay.
    #[arg(long, value_name = "PORT")]
    sepay: Option<u16>,
    /// Be a Pix provider on this loopback port (0 picks one) instead of a relay.
    #[arg(long, value_name = "PORT")]
    pix: Option<u16>,
    /// Where providers push their notices; {provider} stands for payos, sepay or pix.
    #[arg(long, value_name = "URL")]
    webhook: Option<String>,
    /// TOML file of keys and accounts; made up and printed when absent.
    #[arg(long, value_name = "FILE")]
    keys: Option<PathBuf>,
    /// A fault in force from the start, such as "drop_push 20%"; may be repeated.
    #[arg(long = "fault", value_name = "LINE")]
    faults: Vec<Armed>,
    /// Divides the providers' waits between two tries of a notice.
    #[arg(long, value_name = "N", default_value_t = 1)]
    time_scale: u32,
    /// Seed of chance.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

pub(super) fn run(args: BankArgs) -> Result<()> {
    let asked = [
        (Provider::PayOs, args.payos),
        (Provider::SePay, args.sepay),
        (Provider::Pix, args.pix),
    ];
    let doors = asked.into_iter().filter_map(|(provider, port)| {
        let address = SocketAddr::from(([127, 0, 0, 1], port?));
        Some((provider, address))
    });
    let doors: Vec<_> = doors.collect();
    if doors.is_empty() {
        return run_relay(args);
    }
    let keys = match &args.keys {
        Some(path) => Keys::read(path)?,
        None => Keys::make()?,
    };
    let settings = keys.settings(&args, &doors)?;
    let faults = Faults(args.faults.clone());
    let running = providers::start(settings, faults, &doors)
        .context("a port cannot be used; give another, or 0")?;
    for (provider, address) in &running.doors {
        println!("{}: http://{address}", provider.name());
    }
    println!("control: /control/pay, /control/faults, /control/ledger on each");
    match &args.keys {
        Some(path) => println!("keys: {}", path.display()),
        None => print!("keys:\n{}", keys.to_toml()),
    }
    running.wait();
    Ok(())
}

fn run_relay(args: BankArgs) -> Result<()> {
    let behaviour = relay::Behaviour {
        pay_after_ms: args.pay_after_ms,
        pay_percent: args.pay_percent,
        answer_delay_ms: args.answer_delay_ms,
        refuse: args.refuse,
        ..relay::Behaviour::default()
    };
    let listen = args.listen;
    let running = relay::start(listen, behaviour)
        .with_context(|| format!("--listen {listen}: the address cannot be used"))?;
    println!("bank: http://{}", running.address);
    running.wait();
    Ok(())
}

/// Keys and accounts of the simulated shop. They open nothing but simulators,
/// so they may be printed.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    account: AccountKeys,
    payos: PayOsKeys,
    sepay: SePayKeys,
    pix: PixKeys,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountKeys {
    bin: String,
    number: String,
    holder: String,
    bank: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PayOsKeys {
    client_id: String,
    api_key: String,
    checksum_key: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SePayKeys {
    api_token: String,
    webhook_secret: Option<String>,
    webhook_api_key: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PixKeys {
    client_id: String,
    client_secret: String,
    key: String,
    name: String,
    city: String,
    host: String,
}

impl Keys {
    fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("--keys {}: cannot be read", path.display()))?;
        toml::from_str(&text).with_context(|| format!("--keys {}", path.display()))
    }

    fn make() -> Result<Self> {
        let word = |start: &str| {
            let mut bytes = [0; 12];
            getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("{error}"))?;
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Ok::<_, anyhow::Error>(format!("{start}-{hex}"))
        };
        Ok(Self {
            account: AccountKeys {
                bin: "970436".into(),
                number: "0123499999".into(),
                holder: "CUA HANG DIEM CHAM".into(),
                bank: "Vietcombank".into(),
            },
            payos: PayOsKeys {
                client_id: word("client")?,
                api_key: word("api")?,
                checksum_key: word("checksum")?,
            },
            sepay: SePayKeys {
                api_token: word("token")?,
                webhook_secret: Some(word("webhook")?),
                webhook_api_key: None,
            },
            pix: PixKeys {
                client_id: word("client")?,
                client_secret: word("secret")?,
                key: "7d9f0335-8dcc-4054-9bf9-0dbd61d36906".into(),
                name: "LOJA SIMULADA".into(),
                city: "SAO PAULO".into(),
                host: "pix.example.com".into(),
            },
        })
    }

    fn to_toml(&self) -> String {
        let (account, payos, sepay, pix) = (&self.account, &self.payos, &self.sepay, &self.pix);
        let proof = match (&sepay.webhook_secret, &sepay.webhook_api_key) {
            (Some(secret), _) => format!("webhook_secret = {secret:?}"),
            (None, key) => format!("webhook_api_key = {:?}", key.as_deref().unwrap_or("")),
        };
        format!(
            "[account]\nbin = {:?}\nnumber = {:?}\nholder = {:?}\nbank = {:?}\n\n\
             [payos]\nclient_id = {:?}\napi_key = {:?}\nchecksum_key = {:?}\n\n\
             [sepay]\napi_token = {:?}\n{proof}\n\n\
             [pix]\nclient_id = {:?}\nclient_secret = {:?}\nkey = {:?}\nname = {:?}\ncity = {:?}\nhost = {:?}\n",
            account.bin,
            account.number,
            account.holder,
            account.bank,
            payos.client_id,
            payos.api_key,
            payos.checksum_key,
            sepay.api_token,
            pix.client_id,
            pix.client_secret,
            pix.key,
            pix.name,
            pix.city,
            pix.host
        )
    }

    fn settings(&self, args: &BankArgs, doors: &[(Provider, SocketAddr)]) -> Result<Settings> {
        let has = |wanted| doors.iter().any(|(provider, _)| *provider == wanted);
        let webhook = |provider: Provider| {
            let url = args.webhook.as_ref()?;
            Some(url.replace("{provider}", provider.name()))
        };
        if let Some(url) = &args.webhook {
            ensure!(
                url.starts_with("http://") || url.starts_with("https://"),
                "--webhook {url}: must begin with http:// or https://"
            );
        }
        let account = Account {
            bin: self.account.bin.clone(),
            number: self.account.number.clone(),
            holder: self.account.holder.clone(),
            bank: self.account.bank.clone(),
        };
        let payos = PayOsShop {
            client_id: self.payos.client_id.clone(),
            api_key: Secret::new(&*self.payos.api_key),
            checksum_key: Secret::new(&*self.payos.checksum_key),
            account: account.clone(),
            webhook_url: webhook(Provider::PayOs),
        };
        let sepay = SePayShop {
            api_token: Secret::new(&*self.sepay.api_token),
            auth: self.sepay.auth()?,
            account,
            webhook_url: webhook(Provider::SePay),
        };
        let pix = PixShop {
            client_id: self.pix.client_id.clone(),
            client_secret: Secret::new(&*self.pix.client_secret),
            key: self.pix.key.clone(),
            name: self.pix.name.clone(),
            city: self.pix.city.clone(),
            host: self.pix.host.clone(),
            webhook_url: webhook(Provider::Pix),
        };
        Ok(Settings {
            payos: has(Provider::PayOs).then_some(payos),
            sepay: has(Provider::SePay).then_some(sepay),
            pix: has(Provider::Pix).then_some(pix),
            pay_after_ms: args.pay_after_ms.and_then(|ms| i64::try_from(ms).ok()),
            time_scale: args.time_scale,
            seed: args.seed,
            // References go on from the clock: no bank gives one twice, also
            // after it was started anew.
            first_number: u64::try_from(crate::clock::wall_ms()).unwrap_or(1),
        })
    }
}

impl SePayKeys {
    fn auth(&self) -> Result<Auth> {
        match (&self.webhook_secret, &self.webhook_api_key) {
            (Some(secret), None) => Ok(Auth::Signature(Secret::new(&**secret))),
            (None, Some(key)) => Ok(Auth::ApiKey(Secret::new(&**key))),
            _ => anyhow::bail!("sepay: give webhook_secret or webhook_api_key, one of them"),
        }
    }
}
