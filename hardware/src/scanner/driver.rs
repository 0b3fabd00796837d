//! One thread per scanner: opens the device by its stable path, decodes, and
//! opens it again after it vanished. It holds no queue: events go straight to
//! the caller's function, so a slow caller slows the scanner, nothing piles up.

mod device;
mod settings;

use std::io::{self, PipeReader, PipeWriter};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::thread::JoinHandle;
use std::time::Instant;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use thiserror::Error;

use super::protocol::{Decoder, Fault, Frame, RefusalLimiter};
use device::{Device, open};

pub use settings::{EvdevSettings, ScannerConfig, ScannerParity, SerialSettings};

/// First and longest pause between two tries to open a device, milliseconds.
const REOPEN_MS: (u64, u64) = (100, 2_000);

/// What the scanner reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScannerEvent {
    /// A barcode.
    Scan {
        /// AIM identifier, for example `]E0`, when the scanner sends it.
        symbology: Option<String>,
        /// Data without framing; GS (0x1D) kept.
        data: String,
    },
    /// Something was read and refused.
    Refused {
        /// Why, in words for the log; the shopper is only asked to scan again.
        why: Fault,
    },
    /// The device is open.
    Up,
    /// The device is not there; it is being tried again without end.
    Down {
        /// Why. Reported when it changes, not on every try.
        why: DownReason,
    },
}

/// Why a scanner is down. The driver keeps trying in every case.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DownReason {
    /// No device at the path.
    #[error("no scanner at {path}: plug it in, or correct the scanner path in the configuration")]
    NotFound {
        /// The configured path.
        path: PathBuf,
    },
    /// The device is there but could not be opened.
    #[error(
        "cannot open scanner {path}: {detail}; check permissions and that no other program uses it"
    )]
    CannotOpen {
        /// The configured path.
        path: PathBuf,
        /// What the operating system said.
        detail: String,
    },
    /// The device went away while open.
    #[error("scanner disconnected: {detail}; check its cable")]
    Vanished {
        /// What the operating system said.
        detail: String,
    },
}

/// Why a driver could not be started.
#[derive(Debug, Error)]
pub enum ScannerError {
    /// The system refused a thread or a pipe. Retrying helps once memory is free.
    #[error("cannot start the scanner thread: {0}; restart the kiosk")]
    Start(#[from] io::Error),
    /// The settings cannot work.
    #[error("scanner setting {field} is {value}: must be {allowed}")]
    Setting {
        /// Setting name.
        field: &'static str,
        /// Value found.
        value: String,
        /// Values allowed.
        allowed: &'static str,
    },
}

/// Starts scanner threads.
#[derive(Debug)]
pub struct ScannerDriver;

impl ScannerDriver {
    /// Starts the thread of one scanner. `on_event` runs on that thread; it
    /// gets [`ScannerEvent::Up`] or [`ScannerEvent::Down`] first. It may wait
    /// for room in a channel, but must end once the receiver is gone: dropping
    /// the handle waits for it.
    ///
    /// # Errors
    /// [`ScannerError`] when a setting is impossible or no thread can be made.
    /// A missing device is not an error here: it is a `Down` event.
    pub fn spawn(
        config: ScannerConfig,
        on_event: impl FnMut(ScannerEvent) + Send + 'static,
    ) -> Result<ScannerHandle, ScannerError> {
        settings::check(&config)?;
        let (stop_reader, stop_writer) = io::pipe()?;
        let thread = std::thread::Builder::new()
            .name("scanner".to_owned())
            .spawn(move || run(&config, &stop_reader, on_event))?;
        Ok(ScannerHandle {
            stop: Some(stop_writer),
            thread: Some(thread),
        })
    }
}

/// A running scanner thread; dropping it closes the device and ends the thread.
#[derive(Debug)]
pub struct ScannerHandle {
    stop: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

impl ScannerHandle {
    /// Closes the device and waits for the thread.
    pub fn stop(self) {}
}

impl Drop for ScannerHandle {
    fn drop(&mut self) {
        // Closing our end wakes the thread's poll with a hang-up.
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panicking callback was its owner's fault and is already reported.
            let _ = thread.join();
        }
    }
}

/// Decoder and outlet of one scanner.
struct Sink<'a> {
    decoder: Decoder,
    limiter: RefusalLimiter,
    on_event: &'a mut dyn FnMut(ScannerEvent),
}

impl Sink<'_> {
    fn bytes(&mut self, now_ms: u64, bytes: &[u8]) {
        let Self {
            decoder,
            limiter,
            on_event,
        } = self;
        decoder.push(now_ms, bytes, |result| {
            report(limiter, *on_event, now_ms, result);
        });
    }

    fn refuse(&mut self, now_ms: u64, fault: Option<Fault>) {
        if let Some(fault) = fault {
            report(&mut self.limiter, self.on_event, now_ms, Err(fault));
        }
    }

    fn tick(&mut self, now_ms: u64) {
        if let Some(why) = self.limiter.tick(now_ms) {
            (self.on_event)(ScannerEvent::Refused { why });
        }
        if let Some(result) = self.decoder.tick(now_ms) {
            report(&mut self.limiter, self.on_event, now_ms, result);
        }
    }

    fn deadline_ms(&self) -> Option<u64> {
        match (self.decoder.deadline_ms(), self.limiter.deadline_ms()) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}

fn report(
    limiter: &mut RefusalLimiter,
    on_event: &mut dyn FnMut(ScannerEvent),
    now_ms: u64,
    result: Result<Frame, Fault>,
) {
    match result {
        Ok(frame) => on_event(ScannerEvent::Scan {
            symbology: frame.symbology.map(|symbology| symbology.aim()),
            data: frame.data,
        }),
        Err(fault) => {
            let (summary, single) = limiter.admit(now_ms, fault);
            for why in [summary, single].into_iter().flatten() {
                on_event(ScannerEvent::Refused { why });
            }
        }
    }
}

fn run(config: &ScannerConfig, stop: &PipeReader, mut on_event: impl FnMut(ScannerEvent)) {
    let started = Instant::now();
    let now_ms = move || u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut last_down = None;
    let mut pause_ms = REOPEN_MS.0;
    let mut sink = Sink {
        decoder: Decoder::new(config.frame().clone()),
        limiter: RefusalLimiter::default(),
        on_event: &mut on_event,
    };
    loop {
        let why = match open(config) {
            Ok(mut device) => {
                tracing::info!(path = %config.path().display(), "scanner open");
                (sink.on_event)(ScannerEvent::Up);
                pause_ms = REOPEN_MS.0;
                last_down = None;
                let Err(error) = serve(device.as_mut(), stop, &now_ms, &mut sink) else {
                    return;
                };
                let torn = sink.decoder.reset();
                sink.refuse(now_ms(), torn);
                DownReason::Vanished {
                    detail: error.to_string(),
                }
            }
            Err(why) => why,
        };
        if last_down.as_ref() != Some(&why) {
            tracing::warn!(%why, "scanner down");
            (sink.on_event)(ScannerEvent::Down { why: why.clone() });
            last_down = Some(why);
        }
        if stopped_within(stop, pause_ms) {
            return;
        }
        pause_ms = (pause_ms * 2).min(REOPEN_MS.1);
    }
}

/// Runs an open device until the handle is dropped (`Ok`) or it is gone (`Err`).
fn serve(
    device: &mut dyn Device,
    stop: &PipeReader,
    now_ms: &dyn Fn() -> u64,
    sink: &mut Sink<'_>,
) -> io::Result<()> {
    loop {
        let timeout = match sink.deadline_ms() {
            None => PollTimeout::NONE,
            // One more than the difference: never wake a millisecond early and spin.
            Some(deadline) => poll_timeout(deadline.saturating_sub(now_ms()).saturating_add(1)),
        };
        let (readable, gone) = {
            let mut fds = [
                PollFd::new(stop.as_fd(), PollFlags::POLLIN),
                PollFd::new(device.fd(), PollFlags::POLLIN),
            ];
            match poll(&mut fds, timeout) {
                Ok(_) | Err(Errno::EINTR) => {}
                Err(error) => return Err(error.into()),
            }
            if fds[0].any() == Some(true) {
                return Ok(());
            }
            let flags = fds[1].revents().unwrap_or(PollFlags::empty());
            (
                flags.contains(PollFlags::POLLIN),
                flags.intersects(PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL),
            )
        };
        if readable {
            device.receive(now_ms(), sink)?;
        } else if gone {
            return Err(io::Error::new(io::ErrorKind::BrokenPipe, "line hung up"));
        }
        sink.tick(now_ms());
    }
}

fn poll_timeout(milliseconds: u64) -> PollTimeout {
    u16::try_from(milliseconds).map_or(PollTimeout::from(u16::MAX), PollTimeout::from)
}

fn stopped_within(stop: &PipeReader, pause_ms: u64) -> bool {
    let mut fds = [PollFd::new(stop.as_fd(), PollFlags::POLLIN)];
    poll(&mut fds, poll_timeout(pause_ms)).is_ok_and(|ready| ready > 0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn impossible_settings_name_the_field() {
        // Proves that a wrong setting is refused before a thread starts.
        let config = ScannerConfig::Serial(SerialSettings {
            data_bits: 9,
            ..SerialSettings::default()
        });
        let error = ScannerDriver::spawn(config, |_| {}).unwrap_err();
        assert!(error.to_string().contains("data_bits"), "{error}");
    }
}
