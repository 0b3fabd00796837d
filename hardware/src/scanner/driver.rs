//! One thread per scanner: opens the device by its stable path, decodes, and
//! opens it again after it vanished. It holds no queue: events go straight to
//! the caller's function, so a slow caller slows the scanner, nothing piles up.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use evdev::EventType;
use evdev::raw_stream::RawDevice;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use serde::{Deserialize, Serialize};
use serialport::{DataBits, Parity, StopBits, TTYPort};
use thiserror::Error;

use super::keymap::{KeyDecoder, KeyOutput};
use super::protocol::{Decoder, Fault, Frame, FrameSettings, RefusalLimiter};

/// First and longest pause between two tries to open a device, milliseconds.
const REOPEN_MS: (u64, u64) = (100, 2_000);
/// `SYN_DROPPED` of Linux `input-event-codes.h`: the kernel lost events.
const SYN_DROPPED: u16 = 3;

/// Which scanner, and how it is set up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScannerConfig {
    /// Serial or USB CDC-ACM scanner.
    Serial(SerialSettings),
    /// Keyboard-type (HID) scanner, grabbed exclusively.
    Evdev(EvdevSettings),
}

impl ScannerConfig {
    /// A serial scanner with factory settings at `path`, 9600 baud 8N1.
    #[must_use]
    pub fn serial(path: impl Into<PathBuf>) -> Self {
        Self::Serial(SerialSettings {
            path: path.into(),
            ..SerialSettings::default()
        })
    }

    /// A keyboard-type scanner at `path` (`/dev/input/by-id/…-event-kbd`).
    #[must_use]
    pub fn evdev(path: impl Into<PathBuf>) -> Self {
        Self::Evdev(EvdevSettings {
            path: path.into(),
            frame: FrameSettings::default(),
        })
    }

    /// The device path.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::Serial(settings) => &settings.path,
            Self::Evdev(settings) => &settings.path,
        }
    }

    fn frame(&self) -> &FrameSettings {
        match self {
            Self::Serial(settings) => &settings.frame,
            Self::Evdev(settings) => &settings.frame,
        }
    }
}

/// A serial scanner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SerialSettings {
    /// Stable path: `/dev/serial/by-id/…`, or a simulator's link.
    pub path: PathBuf,
    /// Line speed, baud. CDC-ACM and pseudo-terminals ignore it.
    pub baud: u32,
    /// Data bits, 7 or 8.
    pub data_bits: u8,
    /// Parity bit.
    pub parity: ScannerParity,
    /// Keep every other program off the port while it is open.
    pub exclusive: bool,
    /// Framing.
    pub frame: FrameSettings,
}

impl Default for SerialSettings {
    fn default() -> Self {
        Self {
            path: PathBuf::new(),
            baud: 9_600,
            data_bits: 8,
            parity: ScannerParity::None,
            exclusive: true,
            frame: FrameSettings::default(),
        }
    }
}

/// Parity of a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum ScannerParity {
    /// No parity bit.
    #[default]
    None,
    /// Odd parity.
    Odd,
    /// Even parity.
    Even,
}

/// A keyboard-type scanner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvdevSettings {
    /// Stable path: `/dev/input/by-id/…-event-kbd`.
    pub path: PathBuf,
    /// Framing. Keyboard scanners usually end with Enter.
    #[serde(default)]
    pub frame: FrameSettings,
}

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
        check(&config)?;
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

fn check(config: &ScannerConfig) -> Result<(), ScannerError> {
    let frame = config.frame();
    let bounds = [
        ("max_linear_bytes", frame.max_linear_bytes),
        ("max_matrix_bytes", frame.max_matrix_bytes),
    ];
    for (field, value) in bounds {
        if !(1..=4_096).contains(&value) {
            return Err(ScannerError::Setting {
                field,
                value: value.to_string(),
                allowed: "1 to 4096",
            });
        }
    }
    if !(1..=10_000).contains(&frame.inter_character_timeout_ms) {
        return Err(ScannerError::Setting {
            field: "inter_character_timeout_ms",
            value: frame.inter_character_timeout_ms.to_string(),
            allowed: "1 to 10000",
        });
    }
    match config {
        ScannerConfig::Serial(settings) if !matches!(settings.data_bits, 7 | 8) => {
            Err(ScannerError::Setting {
                field: "data_bits",
                value: settings.data_bits.to_string(),
                allowed: "7 or 8",
            })
        }
        _ => Ok(()),
    }
}

/// What an open device can do.
trait Device {
    fn fd(&self) -> BorrowedFd<'_>;
    /// Moves what the kernel holds into the sink; an error means the device is gone.
    fn receive(&mut self, now_ms: u64, sink: &mut Sink<'_>) -> io::Result<()>;
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

fn open(config: &ScannerConfig) -> Result<Box<dyn Device>, DownReason> {
    let path = config.path();
    if !path.exists() {
        return Err(DownReason::NotFound {
            path: path.to_owned(),
        });
    }
    let opened: Result<Box<dyn Device>, String> = match config {
        ScannerConfig::Serial(settings) => SerialDevice::open(settings)
            .map(|device| Box::new(device) as Box<dyn Device>)
            .map_err(|error| error.to_string()),
        ScannerConfig::Evdev(settings) => EvdevDevice::open(&settings.path)
            .map(|device| Box::new(device) as Box<dyn Device>)
            .map_err(|error| error.to_string()),
    };
    opened.map_err(|detail| DownReason::CannotOpen {
        path: path.to_owned(),
        detail,
    })
}

struct SerialDevice {
    port: TTYPort,
}

impl SerialDevice {
    fn open(settings: &SerialSettings) -> Result<Self, serialport::Error> {
        let data_bits = match settings.data_bits {
            7 => DataBits::Seven,
            _ => DataBits::Eight,
        };
        let parity = match settings.parity {
            ScannerParity::None => Parity::None,
            ScannerParity::Odd => Parity::Odd,
            ScannerParity::Even => Parity::Even,
        };
        let path = settings.path.to_string_lossy();
        let port = serialport::new(path.as_ref(), settings.baud)
            .data_bits(data_bits)
            .parity(parity)
            .stop_bits(StopBits::One)
            .dtr_on_open(true)
            .exclusive(settings.exclusive)
            .timeout(Duration::ZERO);
        TTYPort::open(&port).map(|port| Self { port })
    }
}

impl Device for SerialDevice {
    fn fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor belongs to `self.port`, which stays open for
        // as long as `self`, hence the returned borrow, lives.
        unsafe { BorrowedFd::borrow_raw(self.port.as_raw_fd()) }
    }

    fn receive(&mut self, now_ms: u64, sink: &mut Sink<'_>) -> io::Result<()> {
        let mut buffer = [0_u8; 512];
        match self.port.read(&mut buffer) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "end of line")),
            Ok(count) => {
                sink.bytes(now_ms, &buffer[..count]);
                Ok(())
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::TimedOut
                        | io::ErrorKind::WouldBlock
                        | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

impl Drop for SerialDevice {
    fn drop(&mut self) {
        // The exclusive mark stays on a pseudo-terminal after closing and would
        // keep the next start of an unprivileged kiosk out.
        if self.port.exclusive() {
            let _ = self.port.set_exclusive(false);
        }
    }
}

struct EvdevDevice {
    device: RawDevice,
    keys: KeyDecoder,
}

impl EvdevDevice {
    fn open(path: &Path) -> io::Result<Self> {
        let mut device = RawDevice::open(path)?;
        if !device.supported_events().contains(EventType::KEY) {
            return Err(io::Error::other("device has no keys, so it is no scanner"));
        }
        // Exclusive: nothing the shopper scans reaches the desktop or a console.
        device.grab()?;
        Ok(Self {
            device,
            keys: KeyDecoder::default(),
        })
    }
}

impl Device for EvdevDevice {
    fn fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }

    fn receive(&mut self, now_ms: u64, sink: &mut Sink<'_>) -> io::Result<()> {
        for event in self.device.fetch_events()? {
            key_event(
                &mut self.keys,
                event.event_type(),
                event.code(),
                event.value(),
                now_ms,
                sink,
            );
        }
        Ok(())
    }
}

fn key_event(
    keys: &mut KeyDecoder,
    event_type: EventType,
    code: u16,
    value: i32,
    now_ms: u64,
    sink: &mut Sink<'_>,
) {
    if event_type == EventType::SYNCHRONIZATION && code == SYN_DROPPED {
        keys.reset();
        let torn = sink
            .decoder
            .refuse(now_ms, Fault::Incomplete { got_bytes: 0 });
        sink.refuse(now_ms, torn);
        return;
    }
    if event_type != EventType::KEY {
        return;
    }
    match keys.key(code, value) {
        KeyOutput::Byte(byte) => sink.bytes(now_ms, &[byte]),
        KeyOutput::Unknown(key_code) => {
            let fault = sink.decoder.refuse(now_ms, Fault::UnknownKey { key_code });
            sink.refuse(now_ms, fault);
        }
        KeyOutput::Nothing => {}
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn typed(events: &[(EventType, u16, i32)]) -> Vec<ScannerEvent> {
        let mut seen = Vec::new();
        let mut on_event = |event| seen.push(event);
        let mut sink = Sink {
            decoder: Decoder::new(FrameSettings::default()),
            limiter: RefusalLimiter::default(),
            on_event: &mut on_event,
        };
        let mut keys = KeyDecoder::default();
        for &(event_type, code, value) in events {
            key_event(&mut keys, event_type, code, value, 1_000, &mut sink);
        }
        seen
    }

    #[test]
    fn keyboard_scanner_types_a_frame() {
        // Proves that key events of a keyboard-type scanner become one scan with its identifier.
        let k = EventType::KEY;
        let events = [
            (k, 27, 1), // ]
            (k, 27, 0),
            (k, 42, 1), // shift
            (k, 18, 1), // E
            (k, 18, 0),
            (k, 42, 0),
            (k, 11, 1), // 0
            (k, 5, 1),  // 4
            (k, 5, 2),  // kernel repeat, no data
            (k, 10, 1), // 9
            (k, 28, 1), // enter
        ];
        let expected = ScannerEvent::Scan {
            symbology: Some("]E0".into()),
            data: "49".into(),
        };
        assert_eq!(typed(&events), [expected]);
    }

    #[test]
    fn hostile_keys_are_refused_once_and_the_next_frame_is_read() {
        // Proves that Alt combinations and lost events refuse exactly their own frame.
        let k = EventType::KEY;
        let events = [
            (k, 56, 1),
            (k, 62, 1), // Alt+F4
            (k, 62, 0),
            (k, 56, 0),
            (k, 2, 1), // rest of that frame
            (k, 28, 1),
            (k, 3, 1),
            (EventType::SYNCHRONIZATION, SYN_DROPPED, 0),
            (k, 4, 1),
            (k, 28, 1),
            (k, 5, 1),
            (k, 28, 1),
        ];
        let seen = typed(&events);
        assert_eq!(
            seen,
            [
                ScannerEvent::Refused {
                    why: Fault::UnknownKey { key_code: 62 }
                },
                ScannerEvent::Refused {
                    why: Fault::Incomplete { got_bytes: 0 }
                },
                ScannerEvent::Scan {
                    symbology: None,
                    data: "4".into()
                },
            ]
        );
    }

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
