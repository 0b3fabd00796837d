//! The `headoffice` program.

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use headoffice::{Config, Store, relay::review::After};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};
use touchpoint::DeviceId;

/// Head office of Điểm Chạm: takes the kiosks' journals and shows the day.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
struct Where {
    /// Settings file (TOML). Without it the built-in settings are used.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of the database; overrides the settings file.
    #[arg(long)]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Run the server until SIGTERM or Ctrl-C.
    Serve {
        #[command(flatten)]
        place: Where,
        /// Address and port; overrides the settings file.
        #[arg(long)]
        listen: Option<SocketAddr>,
    },
    /// Make a one-time code that enrols a kiosk within 15 minutes.
    Code {
        #[command(flatten)]
        place: Where,
        /// Name of the kiosk's store; a new name makes a new store.
        #[arg(long)]
        store: String,
    },
    /// Make a key that opens the dashboard. Once there is one, the dashboard always asks for it.
    Key {
        #[command(flatten)]
        place: Where,
        /// Whose key it is.
        #[arg(long)]
        name: String,
    },
    /// Stop accepting a kiosk. What it sent before stays.
    Revoke {
        #[command(flatten)]
        place: Where,
        /// Its device id.
        #[arg(long)]
        device: String,
    },
    /// Transfers the bank credited: list them, decide about them, read a bank's list in.
    Credits {
        #[command(subcommand)]
        what: Credits,
    },
    /// Throw the figures away and make them again from the blocks.
    Rebuild {
        #[command(flatten)]
        place: Where,
    },
    /// Copy the database while the server runs, and let kiosks prune what is in the copy.
    Backup {
        #[command(flatten)]
        place: Where,
        /// The copy's file name.
        #[arg(long)]
        to: PathBuf,
    },
}

#[derive(Subcommand)]
enum Credits {
    /// What somebody has to look at, then the newest, as JSON.
    List {
        #[command(flatten)]
        place: Where,
        /// How many at most.
        #[arg(long, default_value_t = 100)]
        limit: u32,
        /// The `next` of the page before.
        #[arg(long)]
        after: Option<After>,
    },
    /// Transfers that staff confirmed at a kiosk and what the bank says of each, as JSON.
    Staff {
        #[command(flatten)]
        place: Where,
        /// How many at most.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Keep what was decided about a credit.
    Settle {
        #[command(flatten)]
        place: Where,
        /// Name of the payment account.
        #[arg(long)]
        account: String,
        /// The bank's reference.
        #[arg(long)]
        reference: String,
        /// given_back, voucher, for_sale, not_ours or reopened.
        #[arg(long)]
        decision: String,
        /// Who decided.
        #[arg(long)]
        by: String,
        /// The order it is for, when it has none yet.
        #[arg(long)]
        order: Option<String>,
        /// Refund's reference or sale. No names of shoppers.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Close a transfer that staff confirmed and the bank does not have: you know what became of it.
    Close {
        #[command(flatten)]
        place: Where,
        /// The kiosk's device id.
        #[arg(long)]
        device: String,
        /// The kiosk's attempt.
        #[arg(long)]
        attempt: String,
        /// Who decided.
        #[arg(long)]
        by: String,
        /// What became of it. No names of shoppers.
        #[arg(long, default_value = "")]
        note: String,
        /// Open it again instead.
        #[arg(long)]
        reopen: bool,
    },
    /// Read a bank's list in (CSV: reference,amount,memo,time).
    Import {
        #[command(flatten)]
        place: Where,
        /// Name of the payment account.
        #[arg(long)]
        account: String,
        /// The file.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .with_writer(std::io::stderr)
        .init();
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("headoffice: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Serve { place, listen } => serve(config(&place)?, listen),
        Command::Code { place, store } => {
            let code = open(&place)?.enrolment_code(&store)?;
            println!("{code}");
            eprintln!("Good for one kiosk, for 15 minutes.");
            Ok(())
        }
        Command::Key { place, name } => {
            println!("{}", open(&place)?.viewer_key(&name)?);
            eprintln!(
                "Write it down: it is not kept. Use it as the password; any user name will do."
            );
            Ok(())
        }
        Command::Revoke { place, device } => {
            let device = DeviceId::new(device)?;
            let known = open(&place)?.revoke(&device)?;
            anyhow::ensure!(known, "there is no device {device}");
            Ok(())
        }
        Command::Credits { what } => credits(what),
        Command::Rebuild { place } => rebuild(&open(&place)?),
        Command::Backup { place, to } => open(&place)?
            .backup(&to)
            .with_context(|| format!("copying to {}", to.display())),
    }
}

fn credits(what: Credits) -> anyhow::Result<()> {
    match what {
        Credits::List {
            place,
            limit,
            after,
        } => {
            let list = open(&place)?.credits_after(limit, after)?;
            println!("{}", serde_json::to_string_pretty(&list)?);
        }
        Credits::Staff { place, limit } => {
            let store = open(&place)?;
            store.project_until(|| false)?;
            store.match_by_staff()?;
            println!("{}", serde_json::to_string_pretty(&store.by_staff(limit)?)?);
        }
        Credits::Settle {
            place,
            account,
            reference,
            decision,
            by,
            order,
            note,
        } => {
            let store = open(&place)?;
            let order = order.as_deref();
            store.settle_credit(&account, &reference, &decision, &note, &by, order)??;
        }
        Credits::Close {
            place,
            device,
            attempt,
            by,
            note,
            reopen,
        } => open(&place)?.decide_by_staff(&device, &attempt, !reopen, &note, &by)??,
        Credits::Import {
            place,
            account,
            file,
        } => {
            let list = std::fs::read(&file).with_context(|| file.display().to_string())?;
            let done = open(&place)?.import_credits(&account, &list)?;
            println!(
                "{} new with an order, {} new to look at, {} known, {} with other money than before",
                done.matched, done.unmatched, done.known, done.conflicts
            );
        }
    }
    Ok(())
}

fn config(place: &Where) -> anyhow::Result<Config> {
    let mut config = match &place.config {
        Some(file) => Config::read(file)?,
        None => Config::new("headoffice-data"),
    };
    if let Some(data) = &place.data {
        config.data_dir.clone_from(data);
    }
    Ok(config)
}

fn open(place: &Where) -> anyhow::Result<Store> {
    Ok(Store::open(&config(place)?)?)
}

fn serve(mut config: Config, listen: Option<SocketAddr>) -> anyhow::Result<()> {
    if let Some(listen) = listen {
        config.listen = listen;
    }
    let signals = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Before the server starts, so that an early signal is not lost.
    let (mut terminate, mut interrupt) = {
        let _inside = signals.enter();
        (
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        )
    };
    let running = headoffice::start(config)?;
    tracing::info!("listening on {}", running.url());
    println!("{}", running.url());
    signals.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    tracing::info!("stopping");
    running.stop();
    Ok(())
}

fn rebuild(store: &Store) -> anyhow::Result<()> {
    store.project_until(|| false)?;
    let before = store.projection_digest()?;
    store.rebuild()?;
    let after = store.projection_digest()?;
    println!("{after}");
    anyhow::ensure!(
        before == after,
        "the new figures differ from the old ones ({before}); the new ones are in place"
    );
    eprintln!("The figures are the same, bit for bit.");
    Ok(())
}
