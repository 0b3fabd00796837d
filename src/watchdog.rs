//! Telling systemd that the kiosk is alive (sd_notify(3)).
//!
//! The ping is sent only when the UI loop and the store both moved since the
//! last one, so a hung screen or a hung disk gets the kiosk restarted.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Progress counters that the watchdog looks at.
#[derive(Debug, Default)]
pub struct Pulse {
    ui: AtomicU64,
    store: AtomicU64,
}

impl Pulse {
    /// The UI loop handled something.
    pub fn ui_moved(&self) {
        self.ui.fetch_add(1, Ordering::Relaxed);
    }

    /// The store thread answered something.
    pub fn store_moved(&self) {
        self.store.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> (u64, u64) {
        (
            self.ui.load(Ordering::Relaxed),
            self.store.load(Ordering::Relaxed),
        )
    }
}

/// The supervisor's socket, when there is one.
#[derive(Debug)]
pub struct Notifier {
    socket: UnixDatagram,
    address: SocketAddr,
}

impl Notifier {
    /// Connects to `NOTIFY_SOCKET`; `None` outside a supervisor.
    pub fn from_env() -> Option<Self> {
        let path = std::env::var_os("NOTIFY_SOCKET")?;
        let bytes = path.as_bytes();
        let address = match bytes.strip_prefix(b"@") {
            Some(name) => {
                use std::os::linux::net::SocketAddrExt;
                SocketAddr::from_abstract_name(name).ok()?
            }
            None => SocketAddr::from_pathname(&path).ok()?,
        };
        let socket = UnixDatagram::unbound().ok()?;
        Some(Self { socket, address })
    }

    /// Sends one state line such as `READY=1`; a lost line is only a lost hint.
    pub fn send(&self, state: &str) {
        let _ = self.socket.send_to_addr(state.as_bytes(), &self.address);
    }

    /// Half of the interval in which systemd wants to hear from us.
    pub fn ping_every(&self) -> Option<Duration> {
        let micros: u64 = std::env::var("WATCHDOG_USEC").ok()?.parse().ok()?;
        Some(Duration::from_micros(micros / 2))
    }
}

/// Whether both counters moved since `last`; remembers the new reading.
pub fn both_moved(pulse: &Pulse, last: &mut (u64, u64)) -> bool {
    let now = pulse.read();
    let moved = now.0 != last.0 && now.1 != last.1;
    if moved {
        *last = now;
    }
    moved
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_needs_both_the_screen_and_the_store() {
        // Proves that a hung store or a hung screen alone stops the pings.
        let pulse = Pulse::default();
        let mut last = (0, 0);
        assert!(!both_moved(&pulse, &mut last));
        pulse.ui_moved();
        assert!(!both_moved(&pulse, &mut last));
        pulse.store_moved();
        assert!(both_moved(&pulse, &mut last));
        pulse.store_moved();
        assert!(!both_moved(&pulse, &mut last));
    }
}
