//! Putting one kiosk together: store, till, devices, sync.

use crate::app::{App, AppEvent, Parts, store_fault};
use crate::bank::{HeadOfficeRelay, QrPaymentProvider, RelayProvider, StaffProvider};
use crate::clock::{Clock, wall_ms};
use crate::config::{Bank, BankMode, Configuration};
use crate::devices::{self, CardLane, Devices, PrinterLane, QrLane};
use crate::journal::Scribe;
use crate::mailbox::Mailbox;
use crate::store::{
    Ids, JournalReason, Opened, PrintKind, SpooledJob, StorageHealth, Store, StoreConfig,
    StoreError,
};
use crate::sync::SyncHandle;
use checkout::Rules;
use checkout::barcode::BarcodeRules;
use checkout::till::{Lang, Limits, QrConfirm, TenderKind, Till, TillConfig, TillState};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use touchpoint::JournalId;

/// Why the counter cannot open. Each says what a person must do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The local store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The machine's clock is unset.
    #[error(
        "the clock says {0}; prices and taxes need the date. Set the clock (timedatectl set-time), the kiosk goes on by itself"
    )]
    Clock(String),
    /// No randomness for ids.
    #[error("the system gives no randomness; start again")]
    NoRandomness,
    /// A device's settings.
    #[error("{0}")]
    Device(String),
}

/// A kiosk that is put together.
pub struct Kiosk {
    /// The loop body.
    pub app: App,
    /// The sync thread.
    pub sync: SyncHandle,
    /// The store thread, to wait for at the end.
    pub store_thread: std::thread::JoinHandle<()>,
}

/// Database file of a configuration.
pub fn database(config: &Configuration) -> PathBuf {
    config.file.store.dir.join("kiosk.db")
}

/// Key file of a configuration.
pub fn key_file(config: &Configuration) -> PathBuf {
    config.file.store.dir.join("kiosk.key")
}

/// Opens the store of a configuration.
///
/// # Errors
/// [`StoreError`].
pub fn open_store(
    config: &Configuration,
    on_health: impl FnMut(StorageHealth) + Send + 'static,
) -> Result<Opened, StoreError> {
    let path = database(config);
    refuse_emptied(&path)?;
    let machine = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let id = uuid::Uuid::now_v7().to_string();
    let ids = Ids {
        now_ms: wall_ms(),
        new_journal: JournalId::new(id).map_err(|e| StoreError::Refused(e.to_string()))?,
        machine: machine.trim().to_owned(),
    };
    Store::open(StoreConfig::new(path), &ids, on_health)
}

/// A file cut to nothing is to SQLite a database that has not begun. Beside a catalogue it has begun: its journal is
/// lost, and a person must know before a new one is opened.
fn refuse_emptied(path: &Path) -> Result<(), StoreError> {
    let is_empty = std::fs::metadata(path).is_ok_and(|file| file.len() == 0);
    let folder = path.parent().map(std::fs::read_dir);
    let Some(Ok(beside)) = folder.filter(|_| is_empty) else {
        return Ok(());
    };
    let is_catalogue = |entry: std::fs::DirEntry| {
        let name = entry.file_name();
        name.to_string_lossy().starts_with("catalogue-")
    };
    if beside.flatten().any(is_catalogue) {
        return Err(StoreError::Damaged {
            path: path.to_path_buf(),
            what: "it is empty, though the catalogue of a shop lies beside it".into(),
        });
    }
    Ok(())
}

/// Puts a kiosk together.
///
/// # Errors
/// [`StartError`].
pub fn assemble(config: &Configuration, mailbox: &Mailbox<AppEvent>) -> Result<Kiosk, StartError> {
    assemble_with(config, mailbox, None)
}

/// As [`assemble`], with another bank side than the configured one.
///
/// # Errors
/// [`StartError`].
pub fn assemble_with(
    config: &Configuration,
    mailbox: &Mailbox<AppEvent>,
    bank: Option<Box<dyn QrPaymentProvider>>,
) -> Result<Kiosk, StartError> {
    let clock = Clock::new(config.zone);
    let now = clock.now();
    if !crate::clock::is_plausible(now.wall_ms) {
        return Err(StartError::Clock(
            clock.local(now.wall_ms, "%Y-%m-%d %H:%M"),
        ));
    }
    let opened = open_store(config, health(mailbox.clone()))?;
    let opened_day = opened.store.call(|engine| engine.last_business_date())?;
    let journal = opened.boot.journal_id.as_str().to_owned();
    let mut state = opened.boot.state;
    // A database put back from a copy does not know what was printed since.
    let is_current = matches!(
        opened.boot.journal_reason,
        JournalReason::Continued | JournalReason::New
    );
    let torn_paper = recall_prints(&opened.store, state.as_mut(), is_current)?;
    let devices = start_devices(config, mailbox, &journal, torn_paper, &opened.store, bank)?;
    let seed = random_u64()?;
    let boot = format!("{:016x}", random_u64()?);
    let settings = till_config(config, &journal);
    let sync = crate::sync::spawn(opened.store.clone(), boot.clone())
        .map_err(|error| StartError::Device(error.to_string()))?;
    let app = App::new(Parts {
        till: Till::new(settings, state, seed, now),
        config: config.clone(),
        scribe: Scribe::new(
            boot,
            config.currency.code().to_owned(),
            opened_day.and_then(|day| day.parse().ok()),
        ),
        store: opened.store,
        devices,
        mailbox: mailbox.clone(),
        sync: sync.clone(),
    });
    Ok(Kiosk {
        app,
        sync,
        store_thread: opened.thread,
    })
}

/// Tells the till what the printer's spool knows of receipts that were on their way. Says whether
/// a torn one may hang out of the printer.
fn recall_prints(
    store: &Store,
    state: Option<&mut TillState>,
    is_current: bool,
) -> Result<bool, StoreError> {
    // Receipts and claim slips share the till's numbers.
    let receipts = state.iter().flat_map(|state| state.open_prints());
    let receipts = receipts.map(|job| (PrintKind::Receipt, job.0));
    let slips = state.iter().flat_map(|state| state.open_slips());
    let slips = slips.map(|job| (PrintKind::Slip, job.0));
    let open: Vec<(PrintKind, u64)> = receipts.chain(slips).collect();
    let rows = store.call(move |engine| {
        let rows = open.iter().map(|&(kind, job)| engine.spooled(kind, job));
        rows.collect::<Result<Vec<_>, _>>()
    })?;
    let rows = rows.into_iter().flatten();
    let rows: BTreeMap<u64, SpooledJob> = rows.map(|row| (row.job_no, row)).collect();
    if let Some(state) = state
        && is_current
    {
        state.recall_prints(|job| devices::outcome_of(rows.get(&job.0)));
        state.recall_slips(|job| devices::outcome_of(rows.get(&job.0)));
    }
    store.call(|engine| {
        let torn = engine.has_torn_print()?;
        engine.doubt_torn_prints(wall_ms())?;
        Ok(torn)
    })
}

fn health(mailbox: Mailbox<AppEvent>) -> impl FnMut(StorageHealth) + Send + 'static {
    move |health| {
        let fault = match health {
            StorageHealth::Failed(error) => Some(store_fault(&error)),
            StorageHealth::Recovered => None,
            StorageHealth::Space { level, .. } => {
                mailbox.post_soon(AppEvent::Space(level));
                return;
            }
            _ => return,
        };
        // The first report comes while the store opens; nobody reads yet.
        mailbox.post_soon(AppEvent::Health(fault));
    }
}

fn random_u64() -> Result<u64, StartError> {
    let mut bytes = [0u8; 8];
    getrandom::fill(&mut bytes).map_err(|_| StartError::NoRandomness)?;
    Ok(u64::from_le_bytes(bytes))
}

/// The till's settings.
pub fn till_config(config: &Configuration, journal: &str) -> TillConfig {
    let rules = Rules {
        currency: config.currency,
        tax: config.tax.clone(),
        cash_rounding: config.cash_rounding,
        promotions: config.promotions.clone(),
    };
    let digest = touchpoint::chain::sha256(journal.as_bytes());
    let key = u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]);
    let mut tenders = Vec::new();
    if config.file.bank.is_some() {
        tenders.push(TenderKind::Qr);
    }
    if config.file.terminal.is_some() {
        tenders.push(TenderKind::Card);
    }
    tenders.push(TenderKind::Cash);
    let mut languages: Vec<Lang> = vec![Lang::new(config.language.code())];
    for language in crate::format::Language::ALL {
        if language != config.language {
            languages.push(Lang::new(language.code()));
        }
    }
    TillConfig {
        barcode: BarcodeRules {
            templates: config.labels.clone(),
        },
        languages,
        tenders,
        order_code_key: key,
        business_day_starts_min: u16::from(config.file.shop.day_starts_at_hour) * 60,
        limits: limits(config),
        qr_confirm: match config.file.bank.as_ref().map(|bank| bank.mode) {
            Some(BankMode::Staff) => QrConfirm::Staff,
            _ => QrConfirm::Bank,
        },
        payee: payee(config),
        ..TillConfig::new(rules)
    }
}

/// Whom the kiosk's own codes pay; `None` where the provider makes the codes.
fn payee(config: &Configuration) -> Option<String> {
    let bank = config.file.bank.as_ref()?;
    devices::pinned_payee(bank, config.currency).ok()
}

fn limits(config: &Configuration) -> Limits {
    let times = &config.file.times;
    let seconds = |s: u32| u64::from(s) * 1000;
    Limits {
        idle_ms: seconds(times.idle_warn_after_s),
        idle_warning_ms: seconds(times.idle_countdown_s),
        parked_for_ms: i64::from(times.parked_keep_min) * 60_000,
        offer_ms: seconds(times.qr_offer_s),
        late_window_ms: i64::from(times.qr_watch_h) * 3_600_000,
        tap_ms: seconds(times.faces_s),
        // The faces come at once: a "thank you" before them would colour the
        // answer.
        paid_ms: 1,
        ..Limits::default()
    }
}

fn start_devices(
    config: &Configuration,
    mailbox: &Mailbox<AppEvent>,
    journal: &str,
    torn_paper: bool,
    store: &Store,
    other_bank: Option<Box<dyn QrPaymentProvider>>,
) -> Result<Devices, StartError> {
    let told = |error: &dyn std::fmt::Display| StartError::Device(error.to_string());
    let mut devices = Devices::none(mailbox.clone());
    if let Some(scanner) = &config.file.scanner {
        devices.scanner = devices::spawn_scanner(scanner, mailbox.clone()).map_err(|e| told(&e))?;
    }
    if let Some(printer) = &config.file.printer {
        let lane = PrinterLane::spawn(printer, config, torn_paper, store.clone(), mailbox.clone());
        devices.printer = Some(lane.map_err(|e| told(&e))?);
    }
    if let Some(terminal) = &config.file.terminal {
        let lane = CardLane::spawn(terminal, config.currency, journal, mailbox.clone());
        devices.card = Some(lane.map_err(|e| told(&e))?);
    }
    if let Some(bank) = &config.file.bank {
        if config.currency == checkout::Currency::VND {
            devices::pinned_payee(bank, config.currency).map_err(|e| told(&e))?;
        }
        let open_for_ms = u64::from(config.file.times.qr_offer_s) * 1000;
        let provider = match other_bank {
            Some(provider) => provider,
            None => bank_provider(bank, store).map_err(|e| told(&e))?,
        };
        let lane = QrLane::spawn(
            bank.clone(),
            config.currency,
            open_for_ms,
            provider,
            mailbox.clone(),
        );
        devices.qr = Some(lane.map_err(|e| told(&e))?);
    }
    Ok(devices)
}

/// Who is asked about transfers.
fn bank_provider(
    bank: &Bank,
    store: &Store,
) -> Result<Box<dyn QrPaymentProvider>, crate::bank::ProviderError> {
    let url = bank.relay_url.as_deref();
    Ok(match bank.mode {
        BankMode::Relay => Box::new(HeadOfficeRelay::new(store.clone(), url)?),
        BankMode::Simulated => {
            tracing::warn!(
                "bank.mode is \"simulated\": no bank confirms QR payments; never in a shop"
            );
            Box::new(RelayProvider::new(url.unwrap_or_default())?)
        }
        BankMode::Staff => Box::new(StaffProvider),
    })
}
