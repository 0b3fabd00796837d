//! A scanner on a pseudo-terminal.
//!
//! The kiosk opens `<link>` as its scanner port. Anybody writes barcodes, one
//! per line, into `<link>.in`: `echo 8934563138165 > /tmp/scanner.in`. Lines
//! written into `<link>` itself count as well (unless the kiosk holds it
//! exclusively), and so do lines of the input given to [`ScannerSim::run`].
//!
//! A line is a barcode, sent with the suffix CR; `\xHH` and `\\` are escapes
//! (`\x1d` is GS). A line that starts with `!` is a command, see [`SimCommand`].

use std::io::{self, BufRead, PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use thiserror::Error;

use super::pty::LinkedPty;

/// Longest line taken from outside, bytes; the rest of a longer one is dropped.
const MAX_LINE: usize = 4_096;
/// Most bytes waiting for the kiosk to read; more are dropped as a full UART would.
const MAX_OUTGOING: usize = 64 * 1_024;
/// Most commands waiting.
const MAX_COMMANDS: usize = 64;

/// What a simulated scanner does next. Written as a line it is the barcode
/// itself or the command given here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimCommand {
    /// A barcode is read. Bytes without suffix.
    Scan(Vec<u8>),
    /// `!raw TEXT`: exactly these bytes, no suffix: half a frame, noise.
    Raw(Vec<u8>),
    /// `!split MS`: the next barcode comes in single bytes, this far apart.
    Split(Duration),
    /// `!noise`: the next barcode is preceded by line noise and a suffix.
    Noise,
    /// `!twice`: the next barcode is sent two times (the scanner's double read).
    Twice,
    /// `!suffix cr|lf|crlf|tab|none`: suffix from now on.
    Suffix(Vec<u8>),
    /// `!aim ]E0` or `!aim`: AIM identifier in front of each barcode from now on.
    Aim(String),
    /// `!unplug MS`: the device vanishes and comes back after this time.
    Unplug(Duration),
    /// `!quit`: the simulator ends.
    Quit,
}

impl SimCommand {
    /// Reads a line. Empty lines are no command.
    ///
    /// # Errors
    /// What is wrong with the line, in words.
    pub fn parse(line: &[u8]) -> Result<Option<Self>, String> {
        let line = line.trim_ascii_end();
        if line.is_empty() {
            return Ok(None);
        }
        let Some(command) = line.strip_prefix(b"!") else {
            return Ok(Some(Self::Scan(unescape(line)?)));
        };
        let text = std::str::from_utf8(command).map_err(|_| "command is not UTF-8".to_owned())?;
        let (name, argument) = text.split_once(' ').unwrap_or((text, ""));
        let milliseconds = || {
            argument
                .trim()
                .parse()
                .map(Duration::from_millis)
                .map_err(|_| format!("!{name} needs milliseconds, got {argument:?}"))
        };
        Ok(Some(match name {
            "raw" => Self::Raw(unescape(argument.as_bytes())?),
            "split" => Self::Split(milliseconds()?),
            "noise" => Self::Noise,
            "twice" => Self::Twice,
            "suffix" => Self::Suffix(suffix(argument.trim())?),
            "aim" => Self::Aim(argument.trim().to_owned()),
            "unplug" => Self::Unplug(milliseconds()?),
            "quit" => Self::Quit,
            _ => return Err(format!("unknown command !{name}")),
        }))
    }
}

fn suffix(name: &str) -> Result<Vec<u8>, String> {
    Ok(match name {
        "cr" => b"\r".to_vec(),
        "lf" => b"\n".to_vec(),
        "crlf" => b"\r\n".to_vec(),
        "tab" => b"\t".to_vec(),
        "none" => Vec::new(),
        _ => {
            return Err(format!(
                "unknown suffix {name:?}: cr, lf, crlf, tab or none"
            ));
        }
    })
}

fn unescape(text: &[u8]) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first != b'\\' {
            out.push(first);
            continue;
        }
        match rest {
            [b'\\', tail @ ..] => {
                out.push(b'\\');
                rest = tail;
            }
            [b'x', high, low, tail @ ..] => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                    return Err("\\x needs two hexadecimal digits".to_owned());
                };
                out.push(u8::try_from(high * 16 + low).map_err(|error| error.to_string())?);
                rest = tail;
            }
            _ => return Err("a backslash starts \\xHH or \\\\".to_owned()),
        }
    }
    Ok(out)
}

/// Why the simulator failed.
#[derive(Debug, Error)]
pub enum ScannerSimError {
    /// A pseudo-terminal or its link could not be made.
    #[error(
        "cannot offer a simulated scanner at {link}: {source}; choose a path in a writable directory"
    )]
    Link {
        /// The wanted link.
        link: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The simulator's thread or pipe could not be made.
    #[error("cannot start the simulated scanner: {0}")]
    Start(#[from] io::Error),
    /// The simulator has ended.
    #[error("the simulated scanner has ended; start it again")]
    Ended,
    /// Too many commands are waiting.
    #[error("more than 64 commands wait for the simulated scanner; slow down")]
    Busy,
    /// A line could not be understood.
    #[error("simulated scanner cannot read the line: {0}")]
    Line(String),
}

/// The simulated scanner.
#[derive(Debug)]
pub struct ScannerSim;

impl ScannerSim {
    /// Starts a simulated scanner whose port appears at `link` and whose
    /// barcode inlet appears at `<link>.in`.
    ///
    /// # Errors
    /// [`ScannerSimError::Link`] when a link cannot be made; `Start` when the
    /// system gives no thread.
    pub fn spawn(link: &Path) -> Result<ScannerSimHandle, ScannerSimError> {
        let inlet_link = inlet_path(link);
        let make = |link: &Path| {
            LinkedPty::create(link).map_err(|source| ScannerSimError::Link {
                link: link.to_owned(),
                source,
            })
        };
        let inlet = make(&inlet_link)?;
        let port = make(link)?;
        let (wake_reader, wake_writer) = io::pipe()?;
        let (sender, receiver) = sync_channel(MAX_COMMANDS);
        let simulator = Simulator {
            link: link.to_owned(),
            port: Some(port),
            inlet,
            inlet_line: Line::default(),
            port_line: Line::default(),
            outgoing: Vec::new(),
            gap: Duration::ZERO,
            next_byte_at: None,
            replug_at: None,
            noise: false,
            twice: false,
            split: None,
            suffix: b"\r".to_vec(),
            aim: String::new(),
        };
        let thread = std::thread::Builder::new()
            .name("scanner-sim".to_owned())
            .spawn(move || simulator.run(&receiver, wake_reader))?;
        Ok(ScannerSimHandle {
            commands: sender,
            wake: Some(wake_writer),
            thread: Some(thread),
            inlet_link,
        })
    }

    /// Runs a simulated scanner fed by the lines of `input` (standard input, a
    /// FIFO, a control file). At the end of `input` it keeps serving
    /// `<link>.in` until a line says `!quit`.
    ///
    /// # Errors
    /// As [`ScannerSim::spawn`], and reading errors of `input`. A line that
    /// cannot be understood is logged and skipped.
    pub fn run(link: &Path, mut input: impl BufRead) -> Result<(), ScannerSimError> {
        let mut handle = Self::spawn(link)?;
        let mut line = Vec::new();
        loop {
            line.clear();
            if input.read_until(b'\n', &mut line)? == 0 {
                break;
            }
            match SimCommand::parse(&line) {
                Ok(None) => {}
                Ok(Some(command)) => match handle.send_waiting(command) {
                    Ok(()) => {}
                    Err(_) => break,
                },
                Err(why) => tracing::warn!(%why, "line skipped"),
            }
        }
        if let Some(thread) = handle.thread.take() {
            let _ = thread.join();
        }
        Ok(())
    }
}

/// Where outsiders write barcodes for the scanner at `link`: `<link>.in`.
#[must_use]
pub fn inlet_path(link: &Path) -> PathBuf {
    let mut path = link.to_owned().into_os_string();
    path.push(".in");
    path.into()
}

/// A running simulated scanner; dropping it unplugs it and removes its links.
#[derive(Debug)]
pub struct ScannerSimHandle {
    commands: SyncSender<SimCommand>,
    wake: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
    inlet_link: PathBuf,
}

impl ScannerSimHandle {
    /// Lets the scanner read a barcode; sent with the current suffix.
    ///
    /// # Errors
    /// `Busy` when 64 commands wait, `Ended` when the simulator is gone.
    pub fn scan(&mut self, barcode: impl AsRef<[u8]>) -> Result<(), ScannerSimError> {
        self.send(SimCommand::Scan(barcode.as_ref().to_vec()))
    }

    /// Gives the simulator a command.
    ///
    /// # Errors
    /// `Busy` when 64 commands wait, `Ended` when the simulator is gone.
    pub fn send(&mut self, command: SimCommand) -> Result<(), ScannerSimError> {
        self.commands
            .try_send(command)
            .map_err(|error| match error {
                TrySendError::Full(_) => ScannerSimError::Busy,
                TrySendError::Disconnected(_) => ScannerSimError::Ended,
            })?;
        self.wake_up()
    }

    /// Where outsiders write barcodes: `<link>.in`.
    #[must_use]
    pub fn inlet(&self) -> &Path {
        &self.inlet_link
    }

    fn send_waiting(&mut self, command: SimCommand) -> Result<(), ScannerSimError> {
        self.commands
            .send(command)
            .map_err(|_| ScannerSimError::Ended)?;
        self.wake_up()
    }

    fn wake_up(&mut self) -> Result<(), ScannerSimError> {
        match &mut self.wake {
            Some(wake) => wake.write_all(b"w").map_err(|_| ScannerSimError::Ended),
            None => Err(ScannerSimError::Ended),
        }
    }
}

impl Drop for ScannerSimHandle {
    fn drop(&mut self) {
        drop(self.wake.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Lines out of bytes, bounded.
#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
}

impl Line {
    fn push(&mut self, bytes: &[u8], mut on_line: impl FnMut(Vec<u8>)) {
        for &byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                if !self.bytes.is_empty() {
                    on_line(std::mem::take(&mut self.bytes));
                }
            } else if self.bytes.len() < MAX_LINE {
                self.bytes.push(byte);
            }
        }
    }
}

struct Simulator {
    link: PathBuf,
    /// `None` while unplugged.
    port: Option<LinkedPty>,
    inlet: LinkedPty,
    inlet_line: Line,
    port_line: Line,
    outgoing: Vec<u8>,
    /// Time between two bytes of what is outgoing; zero sends at once.
    gap: Duration,
    next_byte_at: Option<Instant>,
    replug_at: Option<Instant>,
    noise: bool,
    twice: bool,
    split: Option<Duration>,
    suffix: Vec<u8>,
    aim: String,
}

impl Simulator {
    fn run(mut self, commands: &Receiver<SimCommand>, mut wake: PipeReader) {
        loop {
            let Ok((woken, inlet, port)) = self.wait(&wake) else {
                return;
            };
            if woken {
                let mut signals = [0_u8; 64];
                match wake.read(&mut signals) {
                    Ok(0) | Err(_) => return,
                    Ok(_) => {}
                }
            }
            let mut ready: Vec<SimCommand> = commands.try_iter().collect();
            if inlet {
                ready.extend(read_lines(&self.inlet, &mut self.inlet_line));
            }
            if let (true, Some(pty)) = (port, &self.port) {
                ready.extend(read_lines(pty, &mut self.port_line));
            }
            for command in ready {
                if command == SimCommand::Quit {
                    return;
                }
                self.perform(command);
            }
            self.replug();
            self.flush();
        }
    }

    /// Waits for something to do: (woken, inlet readable, port readable).
    fn wait(&self, wake: &PipeReader) -> io::Result<(bool, bool, bool)> {
        let mut fds = vec![
            PollFd::new(wake.as_fd(), PollFlags::POLLIN),
            PollFd::new(self.inlet.as_fd(), PollFlags::POLLIN),
        ];
        if let Some(port) = &self.port {
            let writing = !self.outgoing.is_empty() && self.gap.is_zero();
            let flags = if writing {
                PollFlags::POLLIN | PollFlags::POLLOUT
            } else {
                PollFlags::POLLIN
            };
            fds.push(PollFd::new(port.as_fd(), flags));
        }
        match poll(&mut fds, self.timeout()) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        let any = |index: usize| {
            fds.get(index)
                .and_then(PollFd::revents)
                .is_some_and(|flags| flags.intersects(!PollFlags::POLLOUT))
        };
        Ok((any(0), any(1), any(2)))
    }

    fn timeout(&self) -> PollTimeout {
        let sending = if self.outgoing.is_empty() {
            None
        } else {
            self.next_byte_at
        };
        let Some(at) = [sending, self.replug_at].into_iter().flatten().min() else {
            return PollTimeout::NONE;
        };
        let wait = at.saturating_duration_since(Instant::now());
        // Rounded up, so that the wait is over when poll returns.
        u16::try_from(wait.as_micros().div_ceil(1_000))
            .map_or(PollTimeout::from(u16::MAX), PollTimeout::from)
    }

    fn perform(&mut self, command: SimCommand) {
        match command {
            SimCommand::Scan(data) => self.scan(&data),
            SimCommand::Raw(bytes) => self.queue(&bytes),
            SimCommand::Split(gap) => self.split = Some(gap),
            SimCommand::Noise => self.noise = true,
            SimCommand::Twice => self.twice = true,
            SimCommand::Suffix(suffix) => self.suffix = suffix,
            SimCommand::Aim(aim) => self.aim = aim,
            SimCommand::Unplug(duration) => {
                self.port = None;
                self.outgoing.clear();
                self.replug_at = Some(Instant::now() + duration);
            }
            SimCommand::Quit => {}
        }
    }

    fn scan(&mut self, data: &[u8]) {
        let mut frame = Vec::new();
        if std::mem::take(&mut self.noise) {
            frame.extend_from_slice(b"\x7f\x00\xff\x15");
            frame.extend_from_slice(&self.suffix);
        }
        let times = if std::mem::take(&mut self.twice) {
            2
        } else {
            1
        };
        for _ in 0..times {
            frame.extend_from_slice(self.aim.as_bytes());
            frame.extend_from_slice(data);
            frame.extend_from_slice(&self.suffix);
        }
        if let Some(gap) = self.split.take() {
            self.gap = gap;
            self.next_byte_at = Some(Instant::now());
        }
        self.queue(&frame);
    }

    fn queue(&mut self, bytes: &[u8]) {
        if self.port.is_none() || self.outgoing.len() + bytes.len() > MAX_OUTGOING {
            tracing::warn!("simulated scanner is unplugged or not read; barcode lost");
            return;
        }
        self.outgoing.extend_from_slice(bytes);
    }

    fn replug(&mut self) {
        if self.replug_at.is_none_or(|at| Instant::now() < at) {
            return;
        }
        match LinkedPty::create(&self.link) {
            Ok(port) => {
                self.port = Some(port);
                self.replug_at = None;
            }
            Err(error) => {
                tracing::warn!(%error, "simulated scanner cannot come back yet");
                self.replug_at = Some(Instant::now() + Duration::from_millis(100));
            }
        }
    }

    fn flush(&mut self) {
        let Some(port) = &self.port else { return };
        if self.outgoing.is_empty() {
            return;
        }
        let now = Instant::now();
        let count = match self.next_byte_at {
            Some(at) if now < at => return,
            Some(_) => 1,
            None => self.outgoing.len(),
        };
        let written = port
            .make_raw()
            .and_then(|()| port.write(&self.outgoing[..count]));
        match written {
            Ok(written) => {
                self.outgoing.drain(..written);
            }
            Err(error) => {
                tracing::warn!(%error, "simulated scanner cannot write");
                self.outgoing.clear();
            }
        }
        self.next_byte_at = self.next_byte_at.map(|_| now + self.gap);
        if self.outgoing.is_empty() {
            self.gap = Duration::ZERO;
            self.next_byte_at = None;
        }
    }
}

fn read_lines(pty: &LinkedPty, line: &mut Line) -> Vec<SimCommand> {
    let mut buffer = [0_u8; 1_024];
    let count = match pty.read(&mut buffer) {
        Ok(count) => count,
        Err(error) => {
            tracing::warn!(%error, "simulated scanner cannot read its inlet");
            0
        }
    };
    let mut commands = Vec::new();
    line.push(&buffer[..count], |line| match SimCommand::parse(&line) {
        Ok(Some(command)) => commands.push(command),
        Ok(None) => {}
        Err(why) => tracing::warn!(%why, "line skipped"),
    });
    commands
}
