//! Serial ports and pseudo-terminals shared by every device.
//!
//! [`SerialLink`] opens a port by a stable path (`/dev/serial/by-path/…`, a udev name, or the
//! symlink of a simulator) and never blocks: reads and writes return at once with what was
//! possible. [`Pty`] is the other end for simulators.

mod pty;

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serialport::{ClearBuffer, SerialPort, TTYPort};

pub use pty::Pty;
pub use serialport::{DataBits, FlowControl, Parity, StopBits};

/// Most bytes handed to the kernel in one write. Small writes keep the count of what left the
/// host exact and keep status queries from queueing behind kilobytes of data.
pub const MAX_WRITE_BYTES: usize = 256;

/// How to open a serial port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerialSettings {
    /// Device node or a symlink to one. Prefer names that survive replugging.
    pub path: PathBuf,
    /// Line speed in bits per second.
    pub baud: u32,
    /// Handshake done by the kernel.
    pub flow: FlowControl,
    /// Bits of a character.
    pub data_bits: DataBits,
    /// Parity bit.
    pub parity: Parity,
    /// Stop bits.
    pub stop_bits: StopBits,
    /// Whether to raise DTR on open; printers read it as "host ready".
    pub raise_dtr: bool,
}

impl SerialSettings {
    /// 8 data bits, no parity, 1 stop bit, no handshake, DTR raised.
    pub fn new(path: impl Into<PathBuf>, baud: u32) -> Self {
        Self {
            path: path.into(),
            baud,
            flow: FlowControl::None,
            data_bits: DataBits::Eight,
            parity: Parity::None,
            stop_bits: StopBits::One,
            raise_dtr: true,
        }
    }

    /// The same settings with another handshake.
    pub fn with_flow(mut self, flow: FlowControl) -> Self {
        self.flow = flow;
        self
    }

    /// The same settings with another parity.
    pub fn with_parity(mut self, parity: Parity) -> Self {
        self.parity = parity;
        self
    }

    /// The same settings with another number of stop bits.
    pub fn with_stop_bits(mut self, stop_bits: StopBits) -> Self {
        self.stop_bits = stop_bits;
        self
    }
}

/// Why a port could not be opened or used.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Nothing is at that path.
    #[error(
        "no device at {path}: it may be unplugged or off; opening is tried again by itself, check the cable and the power"
    )]
    Absent {
        /// The path that was tried.
        path: PathBuf,
    },
    /// The device is there but this user may not use it.
    #[error(
        "not allowed to use {path}: trying again does not help; add the kiosk's user to the group that owns the device (usually dialout)"
    )]
    Forbidden {
        /// The path that was tried.
        path: PathBuf,
    },
    /// Another program holds the port.
    #[error(
        "{path} is used by another program: trying again helps once that program stops; look for a second kiosk or a modem manager"
    )]
    Busy {
        /// The path that was tried.
        path: PathBuf,
    },
    /// The path is not a serial port or refuses these settings.
    #[error(
        "{path} does not accept the settings ({detail}): trying again does not help; check path, speed and handshake in the configuration"
    )]
    Unsuitable {
        /// The path that was tried.
        path: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// The device went away while in use.
    #[error(
        "the device went away ({detail}): opening is tried again by itself, check the cable and the power"
    )]
    Gone {
        /// What the system said.
        detail: String,
    },
}

impl PortError {
    /// Whether opening again later can help without a person.
    pub fn retry_helps(&self) -> bool {
        matches!(
            self,
            Self::Absent { .. } | Self::Busy { .. } | Self::Gone { .. }
        )
    }

    /// Sorts a system error on `path` into the kinds above.
    pub fn from_io(path: &Path, error: &io::Error) -> Self {
        let path = path.to_path_buf();
        match error.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOENT | Errno::ENXIO | Errno::ENODEV | Errno::ENOTDIR) => {
                Self::Absent { path }
            }
            Some(Errno::EACCES | Errno::EPERM) => Self::Forbidden { path },
            Some(Errno::EBUSY | Errno::EWOULDBLOCK) => Self::Busy { path },
            Some(Errno::EIO | Errno::EPIPE) => Self::Gone {
                detail: error.to_string(),
            },
            _ => Self::Unsuitable {
                path,
                detail: error.to_string(),
            },
        }
    }

    fn gone(errno: Errno) -> Self {
        Self::Gone {
            detail: errno.desc().to_owned(),
        }
    }
}

/// State of the modem lines a handshake uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModemLines {
    /// Clear to send: the device is ready for data.
    pub clear_to_send: bool,
    /// Data set ready.
    pub data_set_ready: bool,
}

/// An open serial port whose calls return at once.
#[derive(Debug)]
pub struct SerialLink {
    port: TTYPort,
    path: PathBuf,
}

impl SerialLink {
    /// Opens the port, exclusively and raw, with everything old in its buffers thrown away.
    ///
    /// # Errors
    /// [`PortError`] sorted into absent, forbidden, busy and unsuitable.
    pub fn open(settings: &SerialSettings) -> Result<Self, PortError> {
        let path = &settings.path;
        // The serial library folds most causes into one; ask the file system first.
        fs::metadata(path).map_err(|error| PortError::from_io(path, &error))?;
        let builder = serialport::new(path.to_string_lossy(), settings.baud)
            .timeout(Duration::from_millis(50))
            .flow_control(settings.flow)
            .data_bits(settings.data_bits)
            .parity(settings.parity)
            .stop_bits(settings.stop_bits)
            .dtr_on_open(settings.raise_dtr);
        let port = TTYPort::open(&builder).map_err(|error| open_error(path, &error))?;
        set_nonblocking(port.as_raw_fd()).map_err(PortError::gone)?;
        // Stale bytes of an earlier process must not be taken for answers.
        let _ = port.clear(ClearBuffer::All);
        Ok(Self {
            port,
            path: path.clone(),
        })
    }

    /// Path the port was opened by.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what has arrived; 0 when nothing has.
    ///
    /// # Errors
    /// [`PortError::Gone`] when the device was unplugged.
    pub fn try_read(&mut self, buffer: &mut [u8]) -> Result<usize, PortError> {
        read_ready(self.fd(), buffer)
    }

    /// Writes at most [`MAX_WRITE_BYTES`] of `bytes`; returns how many the kernel took, 0 when
    /// the handshake or a full buffer holds them back.
    ///
    /// # Errors
    /// [`PortError::Gone`] when the device was unplugged.
    pub fn try_write(&mut self, bytes: &[u8]) -> Result<usize, PortError> {
        write_ready(self.fd(), &bytes[..bytes.len().min(MAX_WRITE_BYTES)])
    }

    /// Waits until bytes arrive (or room to write appears, with `for_write`), at most `timeout`.
    pub fn wait(&self, timeout: Duration, for_write: bool) {
        wait_ready(self.fd(), timeout, for_write);
    }

    /// Bytes taken by the kernel that have not left it yet. USB adapters hide a few hundred more.
    pub fn unsent_bytes(&self) -> usize {
        self.port.bytes_to_write().map_or(0, |bytes| bytes as usize)
    }

    /// Throws away what was written but has not left, and what arrived but was not read.
    pub fn discard_buffers(&self) {
        // Failing means the device is gone, which the next read reports.
        let _ = self.port.clear(ClearBuffer::All);
    }

    /// The handshake lines, or `None` where the port has none (a pseudo-terminal).
    pub fn modem_lines(&self) -> Option<ModemLines> {
        use nix::libc;
        let mut lines: libc::c_int = 0;
        // Both lines in one question: some USB adapters are asked over the bus each time.
        // SAFETY: the descriptor is open as long as `self`, and the call writes one c_int.
        let code = unsafe { libc::ioctl(self.port.as_raw_fd(), libc::TIOCMGET, &mut lines) };
        (code == 0).then_some(ModemLines {
            clear_to_send: lines & libc::TIOCM_CTS != 0,
            data_set_ready: lines & libc::TIOCM_DSR != 0,
        })
    }

    fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is owned by `self.port` and stays open as long as `self`.
        unsafe { BorrowedFd::borrow_raw(self.port.as_raw_fd()) }
    }
}

impl AsRawFd for SerialLink {
    fn as_raw_fd(&self) -> RawFd {
        self.port.as_raw_fd()
    }
}

impl Drop for SerialLink {
    fn drop(&mut self) {
        let_go(&mut self.port);
    }
}

/// What letting go of a port takes.
trait Output {
    /// Throws away what has not left.
    fn discard(&mut self);
    /// Whether something is still waiting to leave.
    fn is_waiting(&self) -> bool;
    /// Sends without asking the device's leave from now on.
    fn end_handshake(&mut self);
}

impl Output for TTYPort {
    // Failing means the device is gone, and then nothing is waiting either.
    fn discard(&mut self) {
        let _ = self.clear(ClearBuffer::Output);
    }

    fn is_waiting(&self) -> bool {
        self.bytes_to_write().is_ok_and(|bytes| bytes > 0)
    }

    fn end_handshake(&mut self) {
        let _ = self.set_flow_control(FlowControl::None);
    }
}

/// Leaves nothing that close(2) would wait for. It waits until the output has left, up to half a
/// minute (the port's `closing_wait`) while the device holds CTS low.
fn let_go(output: &mut impl Output) {
    output.discard();
    if output.is_waiting() {
        // Drivers of many USB adapters cannot discard what they were given. It leaves within
        // milliseconds without the handshake, to a device that was not going to print it.
        output.end_handshake();
    }
}

fn open_error(path: &Path, error: &serialport::Error) -> PortError {
    let text = error.to_string();
    match error.kind() {
        serialport::ErrorKind::NoDevice if text.contains("busy") => PortError::Busy {
            path: path.to_path_buf(),
        },
        serialport::ErrorKind::NoDevice => PortError::Absent {
            path: path.to_path_buf(),
        },
        serialport::ErrorKind::Io(io::ErrorKind::PermissionDenied) => PortError::Forbidden {
            path: path.to_path_buf(),
        },
        serialport::ErrorKind::Io(io::ErrorKind::ResourceBusy | io::ErrorKind::WouldBlock) => {
            PortError::Busy {
                path: path.to_path_buf(),
            }
        }
        _ => PortError::Unsuitable {
            path: path.to_path_buf(),
            detail: text,
        },
    }
}

fn set_nonblocking(fd: RawFd) -> Result<(), Errno> {
    // SAFETY: the caller owns the descriptor and it is open for the length of this call.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let flags = OFlag::from_bits_truncate(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

fn read_ready(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> Result<usize, PortError> {
    match nix::unistd::read(fd, buffer) {
        // A terminal that reads as ended has been hung up.
        Ok(0) if !buffer.is_empty() && hung_up(fd) => Err(PortError::gone(Errno::EIO)),
        Ok(count) => Ok(count),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
        Err(errno) => Err(PortError::gone(errno)),
    }
}

fn write_ready(fd: BorrowedFd<'_>, bytes: &[u8]) -> Result<usize, PortError> {
    if bytes.is_empty() {
        return Ok(0);
    }
    match nix::unistd::write(fd, bytes) {
        Ok(count) => Ok(count),
        Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
        Err(errno) => Err(PortError::gone(errno)),
    }
}

fn wait_ready(fd: BorrowedFd<'_>, timeout: Duration, for_write: bool) {
    let mut flags = PollFlags::POLLIN;
    if for_write {
        flags |= PollFlags::POLLOUT;
    }
    let timeout = PollTimeout::try_from(timeout).unwrap_or(PollTimeout::MAX);
    // An error here shows up again, typed, on the next read or write.
    let _ = poll(&mut [PollFd::new(fd, flags)], timeout);
}

fn hung_up(fd: BorrowedFd<'_>) -> bool {
    let mut poll_fd = [PollFd::new(fd, PollFlags::POLLIN)];
    matches!(poll(&mut poll_fd, PollTimeout::ZERO), Ok(1..))
        && poll_fd[0].revents().is_some_and(|events| {
            events.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL)
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Longest wait for bytes that are on their way.
    const PATIENCE: Duration = Duration::from_secs(20);

    /// What one end reads until there is as much as wanted; less when nothing comes any more.
    fn read_whole(wanted: usize, mut read: impl FnMut(&mut [u8]) -> usize) -> Vec<u8> {
        let mut bytes = vec![0; wanted];
        let mut count = 0;
        while count < wanted {
            match read(&mut bytes[count..]) {
                0 => break,
                more => count += more,
            }
        }
        bytes.truncate(count);
        bytes
    }

    fn arrived(pty: &Pty, wanted: usize) -> Vec<u8> {
        read_whole(wanted, |buffer| {
            pty.wait(PATIENCE);
            pty.try_read(buffer).unwrap()
        })
    }

    #[test]
    fn bytes_cross_the_pseudo_terminal_both_ways_unchanged() {
        // Proves: raw mode on both ends; control bytes and 0x0D/0x0A are not translated.
        let folder = tempfile::tempdir().unwrap();
        let pty = Pty::open_linked(&folder.path().join("printer")).unwrap();
        let mut link = SerialLink::open(&SerialSettings::new(pty.path(), 19_200)).unwrap();
        let sent = [0x00, 0x0D, 0x0A, 0x03, 0x11, 0x13, 0x7F, 0xFF];
        assert_eq!(link.try_write(&sent).unwrap(), sent.len());
        assert_eq!(arrived(&pty, sent.len()), sent);
        assert_eq!(pty.try_write(&sent).unwrap(), sent.len());
        let back = read_whole(sent.len(), |buffer| {
            link.wait(PATIENCE, false);
            link.try_read(buffer).unwrap()
        });
        assert_eq!(back, sent);
    }

    #[test]
    fn a_write_nobody_reads_returns_instead_of_hanging() {
        // Proves: with a full terminal buffer try_write answers 0 at once, it never blocks.
        let pty = Pty::open().unwrap();
        let mut link = SerialLink::open(&SerialSettings::new(pty.path(), 9_600)).unwrap();
        let block = [0x55; MAX_WRITE_BYTES];
        let mut taken = 0usize;
        loop {
            match link.try_write(&block).unwrap() {
                0 => break,
                count => taken += count,
            }
            assert!(taken < 1 << 20, "the terminal buffer never filled");
        }
        assert!(taken > 0);
    }

    #[test]
    fn an_absent_port_is_told_apart_and_worth_a_retry() {
        // Proves: opening nothing is Absent with retry, opening a plain file is Unsuitable without.
        let folder = tempfile::tempdir().unwrap();
        let missing = SerialSettings::new(folder.path().join("nothing"), 9_600);
        let error = SerialLink::open(&missing).unwrap_err();
        assert!(matches!(error, PortError::Absent { .. }) && error.retry_helps());
        let file = folder.path().join("file");
        fs::write(&file, b"").unwrap();
        let error = SerialLink::open(&SerialSettings::new(file, 9_600)).unwrap_err();
        assert!(matches!(error, PortError::Unsuitable { .. }), "{error}");
        assert!(!error.retry_helps());
    }

    #[test]
    fn a_port_that_is_held_neither_takes_nor_blocks() {
        // Proves: with the terminal's output stopped, as the kernel stops it at CTS low, writing
        // takes nothing, waiting for room ends, and closing returns; released, it goes on.
        let pty = Pty::open().unwrap();
        let mut link = SerialLink::open(&SerialSettings::new(pty.path(), 9_600)).unwrap();
        pty.hold(true).unwrap();
        assert_eq!(link.try_write(b"held").unwrap(), 0);
        link.wait(Duration::from_millis(20), true);
        assert_eq!(link.try_write(b"held").unwrap(), 0);
        drop(link);
        let mut link = SerialLink::open(&SerialSettings::new(pty.path(), 9_600)).unwrap();
        pty.hold(false).unwrap();
        assert_eq!(link.try_write(b"free").unwrap(), 4);
        assert_eq!(arrived(&pty, 4), b"free");
    }

    /// A port whose device holds CTS low.
    struct Stuck {
        waiting: usize,
        discards: bool,
        handshake: bool,
    }

    impl Stuck {
        /// What close(2) would wait for.
        fn close_waits(&self) -> bool {
            self.waiting > 0 && self.handshake
        }
    }

    impl Output for Stuck {
        fn discard(&mut self) {
            if self.discards {
                self.waiting = 0;
            }
        }

        fn is_waiting(&self) -> bool {
            self.waiting > 0
        }

        fn end_handshake(&mut self) {
            self.handshake = false;
        }
    }

    #[test]
    fn closing_leaves_nothing_to_wait_for_on_any_kind_of_port() {
        // Proves: a UART's buffer is discarded; a USB adapter that cannot discard loses its
        // handshake, which nobody else does.
        for (waiting, discards) in [(200, true), (200, false), (0, true), (0, false)] {
            let mut port = Stuck {
                waiting,
                discards,
                handshake: true,
            };
            assert_eq!(port.close_waits(), waiting > 0);
            let_go(&mut port);
            assert!(!port.close_waits(), "{waiting} {discards}");
            assert_eq!(port.handshake, waiting == 0 || discards);
        }
    }

    #[test]
    fn dropping_the_device_end_is_seen_as_gone() {
        // Proves: an unplugged device turns into PortError::Gone, not into silence.
        let pty = Pty::open().unwrap();
        let mut link = SerialLink::open(&SerialSettings::new(pty.path(), 9_600)).unwrap();
        drop(pty);
        let mut buffer = [0u8; 8];
        assert!(matches!(
            link.try_read(&mut buffer),
            Err(PortError::Gone { .. })
        ));
    }
}
