//! The simulator behind a pseudo-terminal, in real time.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::super::profile::Profile;
use super::device::{Faults, PrinterSim, SimConfig};
use super::paper::Sheet;
use crate::port::Pty;

/// How long a printer without a blade rests before its receipt is torn off, in microseconds.
const SHOPPER_TAKES_US: u64 = 1_000_000;

/// What a person can do to the simulated printer while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SimControl {
    /// Opens the cover.
    OpenCover,
    /// Closes the cover.
    CloseCover,
    /// Takes the roll out.
    RemovePaper,
    /// Puts in a roll.
    LoadPaper {
        /// Its length in millimetres.
        mm: u32,
    },
    /// Switches it off.
    PowerOff,
    /// Switches it on.
    PowerOn,
    /// Frees the blade.
    FreeCutter,
}

/// A printer running behind a pseudo-terminal. Dropping it unplugs it.
#[derive(Debug)]
pub struct PtyPrinter {
    path: PathBuf,
    controls: Option<Sender<SimControl>>,
    thread: Option<JoinHandle<()>>,
    sheets: Arc<(Mutex<usize>, Condvar)>,
}

impl PtyPrinter {
    /// What the driver opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until at least `count` sheets were cut or torn off (and saved), or the patience is
    /// over; returns how many there are.
    pub fn wait_for_sheets(&self, count: usize, patience: Duration) -> usize {
        let (saved, changed) = &*self.sheets;
        let guard = saved.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(guard, patience, |saved| *saved < count);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Does something to the printer.
    pub fn control(&self, control: SimControl) {
        if let Some(controls) = &self.controls {
            // The thread only ends when this goes, so there is always someone to receive.
            let _ = controls.send(control);
        }
    }
}

impl Drop for PtyPrinter {
    fn drop(&mut self) {
        self.controls = None;
        if let Some(thread) = self.thread.take() {
            // A panic over there has been reported by its own hook.
            let _ = thread.join();
        }
    }
}

impl PrinterSim {
    /// Runs a printer of this model behind a pseudo-terminal reachable at `link_path`, at the
    /// model's own line speed. Each sheet is written to `paper_dir` as `paper-001.png` and
    /// `paper-001.txt`, counting on from what is there.
    ///
    /// # Errors
    /// The system error when the terminal, the link or the folder cannot be made.
    pub fn run_on_pty(
        link_path: &Path,
        paper_dir: &Path,
        profile: Profile,
        faults: Faults,
    ) -> io::Result<PtyPrinter> {
        let config = SimConfig {
            faults,
            ..SimConfig::new(profile)
        };
        Self::run_config_on_pty(link_path, Some(paper_dir), config)
    }

    /// As [`Self::run_on_pty`] with every habit chosen; no files without `paper_dir`.
    ///
    /// # Errors
    /// The system error when the terminal, the link or the folder cannot be made.
    pub fn run_config_on_pty(
        link_path: &Path,
        paper_dir: Option<&Path>,
        config: SimConfig,
    ) -> io::Result<PtyPrinter> {
        let pty = Pty::open_linked(link_path)?;
        if let Some(folder) = paper_dir {
            std::fs::create_dir_all(folder)?;
        }
        let path = pty.path().to_path_buf();
        let (controls, receiver) = channel();
        let sheets = Arc::new((Mutex::new(0), Condvar::new()));
        let mut runner = Runner {
            pty,
            sim: PrinterSim::new(config),
            epoch: Instant::now(),
            controls: receiver,
            line_free_at_us: 0,
            replies: Vec::new(),
            filing: Filing::start(paper_dir.map(Path::to_path_buf), Arc::clone(&sheets))?,
            filed: 0,
            quiet_since_us: 0,
        };
        let thread = std::thread::Builder::new()
            .name("printer-sim".into())
            .spawn(move || runner.run())?;
        Ok(PtyPrinter {
            path,
            controls: Some(controls),
            thread: Some(thread),
            sheets,
        })
    }
}

struct Runner {
    pty: Pty,
    sim: PrinterSim,
    epoch: Instant,
    controls: Receiver<SimControl>,
    /// When the last byte read has come over the line.
    line_free_at_us: u64,
    replies: Vec<u8>,
    filing: Filing,
    /// Sheets handed to the filing.
    filed: usize,
    /// When head and buffer were last busy.
    quiet_since_us: u64,
}

/// Saves sheets on a thread of its own: while a picture is packed, the printer
/// must go on answering.
struct Filing {
    sheets: Option<Sender<Sheet>>,
    thread: Option<JoinHandle<()>>,
}

impl Filing {
    fn start(folder: Option<PathBuf>, saved: Arc<(Mutex<usize>, Condvar)>) -> io::Result<Self> {
        let (sheets, receiver) = channel::<Sheet>();
        let thread = std::thread::Builder::new()
            .name("printer-sim-paper".into())
            .spawn(move || {
                for sheet in receiver {
                    if let Some(folder) = &folder
                        && let Err(error) = save(&sheet, folder)
                    {
                        tracing::warn!(%error, "simulated paper could not be saved");
                    }
                    let (saved, changed) = &*saved;
                    *saved.lock().unwrap_or_else(PoisonError::into_inner) += 1;
                    changed.notify_all();
                }
            })?;
        Ok(Self {
            sheets: Some(sheets),
            thread: Some(thread),
        })
    }

    fn file(&self, sheet: Sheet) {
        if let Some(sheets) = &self.sheets {
            // The thread ends only when this sender goes.
            let _ = sheets.send(sheet);
        }
    }

    /// Waits until everything filed is saved.
    fn finish(&mut self) {
        self.sheets = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Runner {
    fn now_us(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    fn run(&mut self) {
        while self.obey() {
            let now_us = self.now_us();
            self.sim.advance(now_us);
            self.listen(now_us);
            self.speak(now_us);
            self.tear_off(now_us);
            self.file_sheets();
            self.wait();
        }
        self.file_sheets();
        self.filing.finish();
    }

    /// Does what a person asked; false when the printer is to be unplugged.
    fn obey(&mut self) -> bool {
        loop {
            match self.controls.try_recv() {
                Ok(SimControl::OpenCover) => self.sim.set_cover_open(true),
                Ok(SimControl::CloseCover) => self.sim.set_cover_open(false),
                Ok(SimControl::RemovePaper) => self.sim.remove_paper(),
                Ok(SimControl::LoadPaper { mm }) => self.sim.load_paper(mm),
                Ok(SimControl::PowerOff) => self.sim.power_off(),
                Ok(SimControl::PowerOn) => self.sim.power_on(),
                Ok(SimControl::FreeCutter) => self.sim.free_cutter(),
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    /// Reads no faster than the line carries. A handshaking printer that holds reads nothing,
    /// so the terminal fills up as a host's own buffer would.
    fn listen(&mut self, now_us: u64) {
        use super::super::profile::Handshake;
        let holds = self.sim.is_holding() && self.sim.handshake() == Handshake::Lines;
        let byte_us = self.sim.byte_us();
        while !holds && self.line_free_at_us <= now_us {
            let credit = ((now_us - self.line_free_at_us) / byte_us.max(1) + 1).min(64);
            let mut buffer = [0u8; 64];
            let wanted = usize::try_from(credit).unwrap_or(64).min(64);
            let count = self.pty.try_read(&mut buffer[..wanted]).unwrap_or(0);
            if count == 0 {
                // An idle line does not save up speed.
                self.line_free_at_us = self.line_free_at_us.max(now_us);
                return;
            }
            let rubbish = self.is_rubbish();
            for &byte in &buffer[..count] {
                self.line_free_at_us += byte_us;
                let byte = if rubbish { 0xFF } else { byte };
                self.sim.receive(self.line_free_at_us, byte);
            }
        }
    }

    /// Whether host and printer are at different speeds.
    fn is_rubbish(&self) -> bool {
        self.sim
            .minds_baud()
            .is_some_and(|baud| self.pty.driver_baud() != baud)
    }

    fn speak(&mut self, now_us: u64) {
        let rubbish = self.is_rubbish();
        let replies = self.sim.take_replies(now_us).into_iter();
        self.replies
            .extend(replies.map(|byte| if rubbish { 0xFF } else { byte }));
        if let Ok(count) = self.pty.try_write(&self.replies) {
            self.replies.drain(..count);
        }
    }

    /// Without a blade the shopper takes the receipt once nothing moves any more.
    fn tear_off(&mut self, now_us: u64) {
        if !self.sim.is_idle() || !self.sim.is_torn_by_hand() {
            self.quiet_since_us = now_us;
        } else if now_us - self.quiet_since_us > SHOPPER_TAKES_US && !self.sim.hanging_is_blank() {
            self.sim.tear_off();
        }
    }

    fn file_sheets(&mut self) {
        for sheet in &self.sim.sheets()[self.filed..] {
            self.filing.file(sheet.clone());
        }
        self.filed = self.sim.sheets().len();
    }

    fn wait(&self) {
        let now_us = self.now_us();
        let next = self.sim.next_event_us().unwrap_or(now_us + 20_000);
        let next = if self.line_free_at_us > now_us {
            next.min(self.line_free_at_us)
        } else {
            next
        };
        let pause_us = next.saturating_sub(now_us).clamp(500, 20_000);
        let reads_later = self.line_free_at_us > now_us || self.sim.is_holding();
        if reads_later {
            // Bytes may be waiting that the line has not carried yet: the terminal is no clock.
            std::thread::park_timeout(Duration::from_micros(pause_us));
        } else {
            self.pty.wait(Duration::from_micros(pause_us.max(1_000)));
        }
    }
}

/// Saves a sheet under the first free number.
fn save(sheet: &Sheet, folder: &Path) -> io::Result<()> {
    let free = (1..)
        .map(|number| folder.join(format!("paper-{number:03}.png")))
        .find(|path| !path.exists());
    let Some(path) = free else { return Ok(()) };
    sheet.write_png(&path)?;
    // Whoever reads the folder meanwhile never finds half a sheet.
    let part = path.with_extension("txt.part");
    std::fs::write(&part, sheet.text())?;
    std::fs::rename(&part, path.with_extension("txt"))
}
