//! A pseudo-terminal with a stable name: what the simulator offers as its port.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::pty::openpty;
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::ttyname;

/// Both ends of a raw pseudo-terminal and a symbolic link to its slave. The
/// slave stays open here, so that a peer coming and going neither resets the
/// line settings nor makes the master report a hang-up. Dropping it hangs up
/// every peer and removes the link.
#[derive(Debug)]
pub(super) struct LinkedPty {
    master: OwnedFd,
    slave: OwnedFd,
    slave_path: PathBuf,
    link: PathBuf,
}

impl LinkedPty {
    /// Makes a pseudo-terminal in raw mode and points `link` at it, replacing
    /// an older link but never a file or device.
    pub(super) fn create(link: &Path) -> io::Result<Self> {
        let pair = openpty(None, None)?;
        let slave_path = ttyname(&pair.slave)?;
        let pty = Self {
            master: pair.master,
            slave: pair.slave,
            slave_path,
            link: link.to_owned(),
        };
        pty.make_raw()?;
        let flags = OFlag::from_bits_retain(fcntl(&pty.master, FcntlArg::F_GETFL)?);
        fcntl(&pty.master, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        pty.place_link()?;
        Ok(pty)
    }

    /// Puts the line back into raw mode: an outsider's shell may have switched
    /// echo on, which would send our own bytes back to us.
    pub(super) fn make_raw(&self) -> io::Result<()> {
        let mut settings = tcgetattr(&self.slave)?;
        cfmakeraw(&mut settings);
        tcsetattr(&self.slave, SetArg::TCSANOW, &settings)?;
        Ok(())
    }

    /// Bytes the peers wrote; 0 when there are none now.
    pub(super) fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        match nix::unistd::read(&self.master, buffer) {
            Ok(count) => Ok(count),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes what fits into the line; the number of bytes taken.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match nix::unistd::write(&self.master, bytes) {
            Ok(count) => Ok(count),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    fn place_link(&self) -> io::Result<()> {
        match fs::symlink_metadata(&self.link) {
            Ok(found) if !found.file_type().is_symlink() => {
                return Err(io::Error::new(
                    io::ErrorKind::AlreadyExists,
                    format!("{} exists and is no symbolic link", self.link.display()),
                ));
            }
            Ok(_) | Err(_) => {}
        }
        // Made beside and renamed over, so a reader finds the old or the new one.
        let mut staged = self.link.clone().into_os_string();
        staged.push(".new");
        let _ = fs::remove_file(&staged);
        symlink(&self.slave_path, &staged)?;
        fs::rename(&staged, &self.link)
    }
}

impl AsFd for LinkedPty {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.master.as_fd()
    }
}

impl Drop for LinkedPty {
    fn drop(&mut self) {
        let is_ours = fs::read_link(&self.link).is_ok_and(|target| target == self.slave_path);
        if is_ours {
            let _ = fs::remove_file(&self.link);
        }
    }
}
