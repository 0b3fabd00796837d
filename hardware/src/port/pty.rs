//! The other end of a serial line, for simulators.

use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::termios::{FlowArg, SetArg, cfmakeraw, tcflow, tcgetattr, tcsetattr};

use super::{set_nonblocking, wait_ready};

/// The device's end of a pseudo-terminal, for simulators. The driver opens [`Pty::path`] (or
/// the symlink) like a real serial port.
#[derive(Debug)]
pub struct Pty {
    master: OwnedFd,
    // Held open so that a driver closing and reopening does not hang up the simulator.
    slave: OwnedFd,
    device_path: PathBuf,
    link_path: Option<PathBuf>,
}

impl Pty {
    /// A new raw pseudo-terminal.
    ///
    /// # Errors
    /// The system error when no pseudo-terminal is to be had.
    pub fn open() -> io::Result<Self> {
        let master = nix::pty::posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)?;
        nix::pty::grantpt(&master)?;
        nix::pty::unlockpt(&master)?;
        let device_path = PathBuf::from(nix::pty::ptsname_r(&master)?);
        let slave = nix::fcntl::open(
            &device_path,
            OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC,
            nix::sys::stat::Mode::empty(),
        )?;
        let mut termios = tcgetattr(&slave)?;
        cfmakeraw(&mut termios);
        tcsetattr(&slave, SetArg::TCSANOW, &termios)?;
        set_nonblocking(master.as_raw_fd())?;
        Ok(Self {
            master: OwnedFd::from(master),
            slave,
            device_path,
            link_path: None,
        })
    }

    /// A new pseudo-terminal reachable under `link_path`; an old symlink there is replaced, any
    /// other file is left alone.
    ///
    /// # Errors
    /// The system error when the terminal or the link cannot be made.
    pub fn open_linked(link_path: &Path) -> io::Result<Self> {
        let mut pty = Self::open()?;
        match fs::symlink_metadata(link_path) {
            Ok(meta) if meta.file_type().is_symlink() => fs::remove_file(link_path)?,
            _ => {}
        }
        std::os::unix::fs::symlink(&pty.device_path, link_path)?;
        pty.link_path = Some(link_path.to_path_buf());
        Ok(pty)
    }

    /// What a driver opens: the symlink if there is one, else the device node.
    pub fn path(&self) -> &Path {
        self.link_path.as_deref().unwrap_or(&self.device_path)
    }

    /// Line speed the driver has set, in bits per second; 0 when the system does not say.
    pub fn driver_baud(&self) -> u32 {
        use nix::libc;
        // SAFETY: termios2 is plain numbers, so all zeros are a value of it.
        let mut settings: libc::termios2 = unsafe { std::mem::zeroed() };
        // SAFETY: the descriptor is open as long as `self`, and the call writes one termios2.
        let code = unsafe { libc::ioctl(self.slave.as_raw_fd(), libc::TCGETS2, &mut settings) };
        if code == 0 { settings.c_ospeed } else { 0 }
    }

    /// Stops taking what the driver writes, as a device with CTS low does, or goes on.
    ///
    /// # Errors
    /// The system error when the terminal broke.
    pub fn hold(&self, on: bool) -> io::Result<()> {
        let action = if on { FlowArg::TCOOFF } else { FlowArg::TCOON };
        Ok(tcflow(&self.slave, action)?)
    }

    /// Reads what the driver wrote; 0 when nothing has arrived.
    ///
    /// # Errors
    /// The system error when the terminal broke.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match nix::unistd::read(&self.master, buffer) {
            Ok(count) => Ok(count),
            Err(Errno::EAGAIN | Errno::EINTR | Errno::EIO) => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Writes towards the driver; returns how many bytes were taken.
    ///
    /// # Errors
    /// The system error when the terminal broke.
    pub fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match nix::unistd::write(&self.master, bytes) {
            Ok(count) => Ok(count),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Waits until the driver wrote something, at most `timeout`.
    pub fn wait(&self, timeout: Duration) {
        wait_ready(self.master.as_fd(), timeout, false);
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        if let Some(link) = &self.link_path
            && fs::read_link(link).is_ok_and(|target| target == self.device_path)
        {
            // Only our own link; nobody can be told if removing it fails.
            let _ = fs::remove_file(link);
        }
    }
}
