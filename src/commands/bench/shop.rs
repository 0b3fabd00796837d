//! The shop that is measured: a large catalogue, every device simulated, and the real program.

use super::catalogue::entries;
use super::processes::Running;
use super::screen::{HEIGHT, Screen, WIDTH};
use crate::assemble::open_store;
use crate::bank::sim as bank;
use crate::clock::wall_ms;
use crate::commands::simulated::SimulatedShop;
use crate::config::Configuration;
use crate::store::{BuildMode, Commit, Opened};
use anyhow::{Context, Result, bail};
use checkout::till::TillState;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for a picture.
const PATIENCE: Duration = Duration::from_secs(60);

/// A directory that goes when its handle goes.
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// A new directory for this process inside `parent`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn new(parent: &Path) -> Result<Self> {
        let path = parent.join(format!("bench-{}", std::process::id()));
        std::fs::create_dir_all(&path)
            .with_context(|| format!("--dir {}: cannot be made", path.display()))?;
        Ok(Self(path.canonicalize()?))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The shop.
pub(super) struct Shop {
    /// Its devices.
    pub(super) devices: SimulatedShop,
    /// Its settings.
    pub(super) config: Configuration,
    log: PathBuf,
}

impl Shop {
    /// A shop in `dir` with its catalogue filled.
    ///
    /// # Errors
    /// When a device, the configuration or the store fails.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let devices = SimulatedShop::open(dir, bank::Behaviour::default())?;
        let config = crate::config::load(&devices.config_path)?;
        let shop = Self {
            devices,
            config,
            log: dir.join("kiosk.log"),
        };
        shop.fill()?;
        Ok(shop)
    }

    fn fill(&self) -> Result<()> {
        let class = self.config.tax.classes.first().context("a tax class")?.id;
        let opened = self.store()?;
        let mode = BuildMode::Replace;
        let applied =
            opened
                .store
                .set_catalogue(entries(class), mode, "bench", wall_ms(), &mut |_, _| {});
        close(opened);
        applied?;
        Ok(())
    }

    /// The store, in this process; no kiosk may be running.
    ///
    /// # Errors
    /// As the store.
    pub(super) fn store(&self) -> Result<Opened> {
        Ok(open_store(&self.config, |_| {})?)
    }

    /// Puts the till back to where it has no visit; no kiosk may be running.
    ///
    /// # Errors
    /// As the store.
    pub(super) fn forget_visit(&self) -> Result<()> {
        let mut state = TillState::default();
        // The day that was closed has used the numbers before.
        state.counters.receipt = super::data::DAY_SALES;
        let commit = Commit {
            wall_ms: wall_ms(),
            events: Vec::new(),
            state_json: Some(serde_json::to_string(&state)?),
            sale: None,
            card: Vec::new(),
        };
        let opened = self.store()?;
        let done = opened.store.call(|engine| engine.commit(commit));
        close(opened);
        done?;
        Ok(())
    }

    /// Ends the till's visit and keeps everything else of it, its counters above all; no kiosk may be running.
    ///
    /// # Errors
    /// As the store.
    pub(super) fn leave_visit(&self) -> Result<()> {
        let opened = self.store()?;
        let left = opened.store.call(|engine| {
            let mut state = engine.state()?.unwrap_or_default();
            state.visit = None;
            engine.commit(Commit {
                wall_ms: wall_ms(),
                events: Vec::new(),
                // What was read from text goes back into it.
                state_json: serde_json::to_string(&state).ok(),
                sale: None,
                card: Vec::new(),
            })
        });
        close(opened);
        left?;
        Ok(())
    }

    /// How long the kiosks' log is.
    pub(super) fn log_length(&self) -> usize {
        std::fs::read(&self.log).map_or(0, |log| log.len())
    }

    /// Waits until the log, from `from` on, has these words.
    ///
    /// # Errors
    /// When it has not within `patience`.
    pub(super) fn await_log(&self, from: usize, words: &str, patience: Duration) -> Result<()> {
        let give_up = Instant::now() + patience;
        loop {
            let log = std::fs::read_to_string(&self.log).unwrap_or_default();
            if log.get(from..).is_some_and(|new| new.contains(words)) {
                return Ok(());
            }
            if Instant::now() > give_up {
                bail!("no {words} within {patience:?}; {}", self.last_words());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Starts the real program on a screen and waits for its first picture; also how long that took.
    ///
    /// # Errors
    /// When it cannot be started or shows nothing.
    pub(super) fn start(&self, screen: &Screen) -> Result<(Running, Duration)> {
        screen.settle(Duration::from_millis(100))?;
        if screen.painted()? {
            bail!("the screen is not empty before the kiosk starts");
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)?;
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["run", "--window", &format!("{WIDTH}x{HEIGHT}"), "--config"])
            .arg(&self.devices.config_path)
            .env("DISPLAY", screen.display())
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let started = Instant::now();
        let kiosk = Running(command.spawn()?);
        let shown = screen
            .until(started, PATIENCE, Screen::painted)
            .with_context(|| self.last_words())?;
        Ok((kiosk, shown - started))
    }

    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(3).collect();
        format!("the kiosk said: {}", last.join(" / "))
    }
}

/// Lets go of a store and waits until its file is closed.
pub(super) fn close(opened: Opened) {
    drop(opened.store);
    let _ = opened.thread.join();
}

/// Colour of the rival's page: told apart from a window that has no page yet.
const PAGE_COLOUR: u32 = 0x0020_5080;

/// The rival: a browser in kiosk mode on a page with nothing on it.
pub(super) struct Browser {
    profile: PathBuf,
    log: PathBuf,
}

impl Browser {
    /// Keeps its profile in `dir`.
    ///
    /// # Errors
    /// When the directory cannot be made.
    pub(super) fn new(dir: &Path) -> Result<Self> {
        let profile = dir.join("chromium");
        std::fs::create_dir_all(&profile)?;
        Ok(Self {
            profile,
            log: dir.join("chromium.log"),
        })
    }

    /// What it calls itself; `None` when there is none on this machine.
    pub(super) fn version() -> Option<String> {
        let output = Command::new("chromium").arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// Starts it and waits for its page.
    ///
    /// # Errors
    /// When the page does not come.
    pub(super) fn start(&self, screen: &Screen) -> Result<(Running, Duration)> {
        screen.settle(Duration::from_millis(100))?;
        let mut command = Command::new("chromium");
        if std::fs::metadata("/proc/self")?.uid() == 0 {
            // It refuses to start its sandbox as root.
            command.arg("--no-sandbox");
        }
        let log = File::create(&self.log)?;
        command
            .args(["--kiosk", "--no-first-run", "--no-default-browser-check"])
            .args(["--disable-background-networking", "--ozone-platform=x11"])
            .arg("--window-position=0,0")
            .arg(format!("--window-size={WIDTH},{HEIGHT}"))
            .arg(format!("--user-data-dir={}", self.profile.display()))
            .arg(format!(
                "data:text/html,<body style=\"background:%23{PAGE_COLOUR:06x}\">"
            ))
            .env("DISPLAY", screen.display())
            .env_remove("WAYLAND_DISPLAY")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let started = Instant::now();
        let browser = Running(command.spawn()?);
        let shown = screen.until(started, PATIENCE, |screen| screen.shows(PAGE_COLOUR))?;
        Ok((browser, shown - started))
    }
}
