//! The thread around a simulated terminal.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Shared;
use super::model::{SimModel, SimOutput};
use crate::port::Pty;

/// Longest sleep of a pseudo-terminal, which cannot be woken by the control.
const PTY_SLEEP_MS: u64 = 10;
/// Longest sleep over TCP.
const LONGEST_SLEEP_MS: u64 = 30_000;

/// Listens on the loopback address.
pub(super) fn listen(port: u16) -> io::Result<TcpListener> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The simulated terminal's end of the wire.
pub(super) enum Socket {
    Tcp {
        listener: Option<TcpListener>,
        port: u16,
        stream: Option<TcpStream>,
    },
    Pty {
        pty: Option<Pty>,
        path: PathBuf,
    },
}

impl Socket {
    pub(super) fn tcp(listener: TcpListener, port: u16) -> Self {
        Self::Tcp {
            listener: Some(listener),
            port,
            stream: None,
        }
    }

    pub(super) fn pty(path: &Path) -> io::Result<Self> {
        Ok(Self::Pty {
            pty: Some(Pty::open_linked(path)?),
            path: path.to_path_buf(),
        })
    }

    fn connected(&self) -> bool {
        match self {
            Self::Tcp { stream, .. } => stream.is_some(),
            Self::Pty { pty, .. } => pty.is_some(),
        }
    }

    /// Accepts or opens; `true` when a new link came up.
    fn connect(&mut self) -> bool {
        match self {
            Self::Tcp {
                listener,
                port,
                stream,
            } => {
                if listener.is_none() {
                    *listener = listen(*port).ok();
                }
                match listener.as_ref().map(TcpListener::accept) {
                    Some(Ok((new, _))) => {
                        let ready = new
                            .set_nonblocking(true)
                            .and_then(|()| new.set_nodelay(true));
                        *stream = ready.ok().map(|()| new);
                        stream.is_some()
                    }
                    _ => false,
                }
            }
            Self::Pty { pty, path } => {
                if pty.is_some() {
                    return false;
                }
                *pty = Pty::open_linked(path).ok();
                pty.is_some()
            }
        }
    }

    fn disconnect(&mut self, stop_listening: bool) {
        match self {
            Self::Tcp {
                listener, stream, ..
            } => {
                *stream = None;
                if stop_listening {
                    *listener = None;
                }
            }
            Self::Pty { pty, .. } => *pty = None,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp {
                stream: Some(stream),
                ..
            } => match stream.read(buffer) {
                Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
                other => other,
            },
            Self::Pty { pty: Some(pty), .. } => pty.try_read(buffer),
            _ => Ok(0),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp {
                stream: Some(stream),
                ..
            } => match stream.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(0),
                other => other,
            },
            Self::Pty { pty: Some(pty), .. } => pty.try_write(bytes),
            _ => Ok(bytes.len()),
        }
    }
}

/// See the module text.
pub(super) struct Runner {
    shared: Arc<Shared>,
    socket: Socket,
    wake: UnixStream,
    unsent: Vec<u8>,
    vanishing: bool,
    up: bool,
    started: Instant,
}

impl Runner {
    pub(super) fn new(shared: Arc<Shared>, socket: Socket, wake: UnixStream) -> Self {
        let started = Instant::now();
        Self {
            shared,
            socket,
            wake,
            unsent: Vec::new(),
            vanishing: false,
            up: false,
            started,
        }
    }

    pub(super) fn run(&mut self) {
        while !self.shared.stop.load(Ordering::SeqCst) {
            self.connect_if_plugged();
            self.wait();
            self.read();
            let now_ms = self.now_ms();
            let due = self
                .shared
                .model()
                .deadline_ms()
                .is_some_and(|at| at <= now_ms);
            if due {
                self.step(|model, out| model.tick(now_ms, out));
            }
            self.write();
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn step(&mut self, run: impl FnOnce(&mut dyn SimModel, &mut SimOutput)) {
        let mut out = SimOutput::default();
        run(self.shared.model().as_mut(), &mut out);
        self.unsent.append(&mut out.wire);
        self.vanishing |= out.vanish;
    }

    fn connect_if_plugged(&mut self) {
        if !self.shared.plugged.load(Ordering::SeqCst) {
            self.hang_up(true);
            self.shared.settle(false);
            return;
        }
        let was_connected = self.socket.connected();
        if self.socket.connect() || (was_connected && !self.up) {
            if self.up {
                // A new connection replaces the old one.
                self.unsent.clear();
                let now_ms = self.now_ms();
                self.shared.model().link_down(now_ms);
            }
            self.up = true;
            let now_ms = self.now_ms();
            self.step(|model, out| model.link_up(now_ms, out));
        }
        self.shared.settle(true);
    }

    fn hang_up(&mut self, stop_listening: bool) {
        self.unsent.clear();
        self.vanishing = false;
        // The model settles first: whoever sees the line go can look at a finished ledger.
        if std::mem::take(&mut self.up) {
            let now_ms = self.now_ms();
            self.shared.model().link_down(now_ms);
        }
        self.socket.disconnect(stop_listening);
    }

    fn wait(&mut self) {
        let now_ms = self.now_ms();
        let due = self
            .shared
            .model()
            .deadline_ms()
            .map(|at| at.saturating_sub(now_ms));
        let sleep_ms = due.unwrap_or(LONGEST_SLEEP_MS).min(LONGEST_SLEEP_MS);
        if let Socket::Pty { pty: Some(pty), .. } = &self.socket {
            pty.wait(Duration::from_millis(sleep_ms.min(PTY_SLEEP_MS)));
        } else {
            self.wait_tcp(sleep_ms);
        }
        let mut drained = [0u8; 64];
        while matches!((&self.wake).read(&mut drained), Ok(count) if count > 0) {}
    }

    fn wait_tcp(&self, sleep_ms: u64) {
        let mut fds = vec![PollFd::new(self.wake.as_fd(), PollFlags::POLLIN)];
        if let Socket::Tcp {
            listener, stream, ..
        } = &self.socket
        {
            if let Some(listener) = listener {
                fds.push(PollFd::new(listener.as_fd(), PollFlags::POLLIN));
            }
            if let Some(stream) = stream {
                let mut flags = PollFlags::POLLIN;
                if !self.unsent.is_empty() {
                    flags |= PollFlags::POLLOUT;
                }
                fds.push(PollFd::new(stream.as_fd(), flags));
            }
        }
        let timeout = PollTimeout::try_from(sleep_ms as i32).unwrap_or(PollTimeout::ZERO);
        // An interrupted poll is repeated by the loop.
        let _ = poll(&mut fds, timeout);
    }

    fn read(&mut self) {
        let mut buffer = [0u8; 2048];
        while self.up {
            match self.socket.read(&mut buffer) {
                Ok(0) => return,
                Ok(count) => {
                    let now_ms = self.now_ms();
                    self.step(|model, out| model.bytes(now_ms, &buffer[..count], out));
                    self.write();
                }
                Err(_) => self.hang_up(false),
            }
        }
    }

    fn write(&mut self) {
        while self.up && !self.unsent.is_empty() {
            match self.socket.write(&self.unsent) {
                Ok(0) => return,
                Ok(count) => drop(self.unsent.drain(..count)),
                Err(_) => self.hang_up(false),
            }
        }
        if self.vanishing {
            self.hang_up(false);
        }
    }
}
