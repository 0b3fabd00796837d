//! Head office of Điểm Chạm: accepts kiosks' signed blocks, reads them into figures, shows them.
//!
//! Three steps, each restartable: **accept** ([`accept`]) stores signed blocks exactly once; **project**
//! ([`project`]) reads them into tables that can be made again at any time; **serve** ([`serve`]) answers kiosks and
//! shows the day, beginning with whether its data is complete.
//!
//! The whole server runs inside any process: [`start`] returns a [`Running`] with its address.

pub mod accept;
pub mod clock;
pub mod config;
pub mod enrol;
pub mod numbers;
pub mod project;
pub mod relay;
pub mod serve;
pub mod store;
pub mod today;

pub use clock::Clock;
pub use config::{Config, ConfigError, Patience};
pub use relay::Relay;
pub use store::{Store, StoreError};

use std::{net::SocketAddr, sync::Arc, thread::JoinHandle, time::Duration};
use tokio::sync::oneshot;

/// How long a stopping server waits for requests in progress.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address is taken or not allowed.
    #[error("cannot listen on {address}: {source}; is another head office running?")]
    Listen {
        /// The configured address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The operating system gave no thread.
    #[error("cannot start a thread: {0}")]
    Thread(std::io::Error),
}

/// A running server. Dropping it stops it.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    store: Arc<Store>,
    relay: Arc<Relay>,
    pollers: Option<relay::Pollers>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Opens the database and serves it on its own threads until [`Running::stop`] or drop.
///
/// # Errors
/// [`StartError`]; nothing runs then.
pub fn start(config: Config) -> Result<Running, StartError> {
    let store = Arc::new(Store::open(&config)?);
    let refuse = |source| StartError::Listen {
        address: config.listen,
        source,
    };
    let relay = Arc::new(Relay::open(Arc::clone(&store), &config.payments)?);
    let listener = std::net::TcpListener::bind(config.listen).map_err(refuse)?;
    listener.set_nonblocking(true).map_err(refuse)?;
    let addr = listener.local_addr().map_err(refuse)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .thread_name("headoffice")
        .build()
        .map_err(StartError::Thread)?;
    let listener = {
        let _inside = runtime.enter();
        tokio::net::TcpListener::from_std(listener).map_err(refuse)?
    };
    let (stop, stopped) = oneshot::channel();
    let pollers = relay.start(&config.payments).map_err(StartError::Thread)?;
    let served = Arc::clone(&relay);
    let (organisation, patience) = (config.organisation, config.patience);
    let thread = std::thread::Builder::new()
        .name("headoffice-main".into())
        .spawn(move || {
            runtime.block_on(serve::run(
                listener,
                served,
                organisation,
                patience,
                stopped,
                STOP_PATIENCE,
            ));
            runtime.shutdown_timeout(STOP_PATIENCE);
        })
        .map_err(StartError::Thread)?;
    Ok(Running {
        addr,
        store,
        relay,
        pollers: Some(pollers),
        stop: Some(stop),
        thread: Some(thread),
    })
}

impl Running {
    /// The address as a URL without a final slash, for example `http://127.0.0.1:8080`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The database behind the server.
    #[must_use]
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// The payment relay behind the server.
    #[must_use]
    pub fn relay(&self) -> &Arc<Relay> {
        &self.relay
    }

    /// A one-time enrolment code, as `headoffice code` makes it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn enrolment_code(&self, store: &str) -> Result<String, StoreError> {
        self.store.enrolment_code(store)
    }

    /// The figures of a business day (the current one for `None`), after reading every block that has arrived.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn today(&self, date: Option<&str>) -> Result<today::Today, StoreError> {
        self.store.project_until(|| false)?;
        self.store.today(date)
    }

    /// Stops taking requests, finishes those in progress, and waits until everything has ended.
    pub fn stop(mut self) {
        self.end();
    }

    /// Waits until the server ends by itself, which it only does on a fault.
    pub fn wait(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A panic in the server's thread was already reported by the panic hook.
            let _ = thread.join();
        }
    }

    fn end(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The receiver is gone when the server already ended.
            let _ = stop.send(());
        }
        self.wait();
        self.pollers = None;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.end();
    }
}
