//! Serial lines and keyboards that scanners are.

use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::path::Path;
use std::time::Duration;

use evdev::EventType;
use evdev::raw_stream::RawDevice;
use serialport::{DataBits, Parity, StopBits, TTYPort};

use super::super::keymap::{KeyDecoder, KeyOutput};
use super::super::protocol::Fault;
use super::settings::{ScannerConfig, ScannerParity, SerialSettings};
use super::{DownReason, Sink};

/// `SYN_DROPPED` of Linux `input-event-codes.h`: the kernel lost events.
const SYN_DROPPED: u16 = 3;

/// What an open device can do.
pub(super) trait Device {
    fn fd(&self) -> BorrowedFd<'_>;
    /// Moves what the kernel holds into the sink; an error means the device is gone.
    fn receive(&mut self, now_ms: u64, sink: &mut Sink<'_>) -> io::Result<()>;
}

/// Opens the device of a scanner.
pub(super) fn open(config: &ScannerConfig) -> Result<Box<dyn Device>, DownReason> {
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
    use super::super::super::protocol::{Decoder, FrameSettings, RefusalLimiter};
    use super::super::ScannerEvent;
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
}
