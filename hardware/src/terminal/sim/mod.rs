//! Simulated card terminals over TCP and pseudo-terminals, for tests, demonstrations and training.
//!
//! A simulator keeps its own [`Ledger`] of what was really charged, so a test can compare it with
//! the kiosk's journal. It can be told what to do next from code ([`TerminalSim::script`]) or over
//! a line-based control port ([`TerminalSim::control_port`]):
//!
//! ```text
//! {"outcome":{"decline":108},"delay_ms":500}     script the next order (a Scenario as JSON)
//! usual {"outcome":"approve","delay_ms":2000}    what unscripted orders do
//! ledger                                         records as JSON, one a line, then "."
//! unplug | plug                                  cable out, cable in
//! power                                          power out and in again
//! sale 50000                                     a sale with the terminal's own keys
//! ```

pub mod caisse_ap;
pub mod card_data;
pub mod concert;
pub mod ledger;
pub mod model;
pub mod scenario;
pub mod zvt;

mod control;
mod runner;

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

pub use caisse_ap::CaisseApModel;
pub use card_data::CardData;
pub use concert::ConcertModel;
pub use ledger::{ELSEWHERE, Ledger, Record, RecordKind};
pub use model::{SimModel, SimOutput};
pub use scenario::{Scenario, SimOutcome, WhenUnacknowledged};
pub use zvt::{ZvtModel, ZvtModelConfig};

use super::config::Connection;
use runner::{Runner, Socket};

/// Longest wait for a simulator to notice its cable.
const NOTICE: Duration = Duration::from_secs(10);

/// Where a simulator listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimPlace {
    /// TCP on the loopback address; port 0 picks a free one.
    Tcp(u16),
    /// A pseudo-terminal reachable under this path.
    Pty(PathBuf),
}

/// A running simulator; it ends when dropped.
#[derive(Debug)]
pub struct TerminalSim {
    shared: Arc<Shared>,
    connection: Connection,
    control_port: u16,
    threads: Vec<JoinHandle<()>>,
}

pub(crate) struct Shared {
    pub(crate) model: Mutex<Box<dyn SimModel>>,
    pub(crate) plugged: AtomicBool,
    pub(crate) stop: AtomicBool,
    /// State of the cable as the thread has last carried it out.
    carried_out: Mutex<bool>,
    settling: Condvar,
    waker: UnixStream,
    control_waker: UnixStream,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Shared")
            .field("plugged", &self.plugged)
            .finish_non_exhaustive()
    }
}

impl Shared {
    pub(crate) fn model(&self) -> MutexGuard<'_, Box<dyn SimModel>> {
        // A panic in a model is a test failure elsewhere; its ledger is still worth reading.
        self.model.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the cable and waits until the simulator has noticed.
    pub(crate) fn set_plugged(&self, plugged: bool) {
        self.plugged.store(plugged, Ordering::SeqCst);
        self.wake();
        let waiting = self
            .settling
            .wait_timeout_while(self.carried_out(), NOTICE, |state| *state != plugged);
        // A simulator that ended meanwhile has no cable left to change.
        drop(waiting);
    }

    fn carried_out(&self) -> MutexGuard<'_, bool> {
        self.carried_out
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The simulator's thread has brought the cable into this state.
    pub(crate) fn settle(&self, plugged: bool) {
        *self.carried_out() = plugged;
        self.settling.notify_all();
    }

    /// Takes the terminal's power.
    pub(crate) fn power_cut(&self) {
        // Nothing more becomes due at the beginning of the model's clock.
        self.model().power_cut(0);
    }

    fn wake(&self) {
        use std::io::Write;
        // A full pipe already wakes the thread.
        let _ = (&self.waker).write(&[0]);
    }
}

impl TerminalSim {
    /// Starts a simulator of `model` at `place`.
    ///
    /// # Errors
    /// The port is taken, or the system has no more threads, sockets or pseudo-terminals.
    pub fn start(model: impl SimModel + 'static, place: &SimPlace) -> io::Result<Self> {
        let (waker, wake) = UnixStream::pair()?;
        let (control_waker, control_wake) = UnixStream::pair()?;
        for stream in [&waker, &wake, &control_waker, &control_wake] {
            stream.set_nonblocking(true)?;
        }
        let shared = Arc::new(Shared {
            model: Mutex::new(Box::new(model)),
            plugged: AtomicBool::new(true),
            stop: AtomicBool::new(false),
            carried_out: Mutex::new(true),
            settling: Condvar::new(),
            waker,
            control_waker,
        });
        let (socket, connection) = open(place)?;
        let control = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        control.set_nonblocking(true)?;
        let control_port = control.local_addr()?.port();
        let mut runner = Runner::new(shared.clone(), socket, wake);
        let control_shared = shared.clone();
        let threads = vec![
            std::thread::Builder::new()
                .name("terminal-sim".into())
                .spawn(move || runner.run())?,
            std::thread::Builder::new()
                .name("terminal-sim-control".into())
                .spawn(move || control::serve(&control, &control_wake, &control_shared))?,
        ];
        Ok(Self {
            shared,
            connection,
            control_port,
            threads,
        })
    }

    /// A ZVT terminal on a free TCP port with a ledger in memory.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn zvt_tcp(config: ZvtModelConfig) -> io::Result<Self> {
        Self::start(
            ZvtModel::new(config, Ledger::in_memory()),
            &SimPlace::Tcp(0),
        )
    }

    /// A ZVT terminal on a pseudo-terminal under `path` with a ledger in memory.
    ///
    /// # Errors
    /// As for [`Self::start`].
    pub fn zvt_pty(config: ZvtModelConfig, path: &Path) -> io::Result<Self> {
        let config = ZvtModelConfig {
            serial: true,
            ..config
        };
        let model = ZvtModel::new(config, Ledger::in_memory());
        Self::start(model, &SimPlace::Pty(path.to_path_buf()))
    }

    /// How a driver reaches this simulator.
    pub fn connection(&self) -> Connection {
        self.connection.clone()
    }

    /// Port of the line-based control on the loopback address.
    pub fn control_port(&self) -> u16 {
        self.control_port
    }

    /// Scripts the next order that has no script yet.
    pub fn script(&self, scenario: Scenario) {
        self.shared.model().script(scenario);
    }

    /// Sets what orders without a script do.
    pub fn set_usual(&self, scenario: Scenario) {
        self.shared.model().set_usual(scenario);
    }

    /// Sales whose money was taken and not taken back.
    pub fn charged(&self) -> Vec<Record> {
        self.shared.model().ledger().charged()
    }

    /// All records.
    pub fn records(&self) -> Vec<Record> {
        self.shared.model().ledger().records().to_vec()
    }

    /// A sale made with the terminal's own keys, which no till knows of; `false` while the terminal is busy or its
    /// ledger cannot be written.
    pub fn stand_alone_sale(&self, amount_minor: u64) -> bool {
        self.shared.model().stand_alone_sale(amount_minor)
    }

    /// How many orders for money arrived.
    pub fn orders_received(&self) -> usize {
        self.shared.model().orders_received()
    }

    /// How often the till asked the terminal to wait.
    pub fn holds_received(&self) -> usize {
        self.shared.model().holds_received()
    }

    /// Pulls the cable.
    pub fn unplug(&self) {
        self.shared.set_plugged(false);
    }

    /// Puts the cable back.
    pub fn plug(&self) {
        self.shared.set_plugged(true);
    }
}

impl Drop for TerminalSim {
    fn drop(&mut self) {
        use std::io::Write;
        self.shared.stop.store(true, Ordering::SeqCst);
        self.shared.wake();
        let _ = (&self.shared.control_waker).write(&[0]);
        for thread in self.threads.drain(..) {
            // A panic was already reported by the thread itself.
            let _ = thread.join();
        }
    }
}

fn open(place: &SimPlace) -> io::Result<(Socket, Connection)> {
    match place {
        SimPlace::Tcp(port) => {
            let listener = runner::listen(*port)?;
            let port = listener.local_addr()?.port();
            let connection = Connection::Tcp {
                host: "127.0.0.1".into(),
                port,
            };
            Ok((Socket::tcp(listener, port), connection))
        }
        SimPlace::Pty(path) => {
            let connection = Connection::Serial {
                path: path.to_string_lossy().into_owned(),
                baud: 9600,
                two_stop_bits: true,
                seven_even: false,
            };
            Ok((Socket::pty(path)?, connection))
        }
    }
}
