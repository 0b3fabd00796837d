//! The wire of a terminal: a TCP connection or a serial line, never blocking.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsRawFd, RawFd};
use std::path::Path;
use std::time::Duration;

use super::config::Connection;
use super::types::LinkFault;
use crate::port::{DataBits, Parity, PortError, SerialLink, SerialSettings, StopBits};

/// An open wire.
pub(crate) enum Wire {
    Tcp(TcpStream),
    Serial(SerialLink),
}

impl Wire {
    /// Opens the wire. TCP waits at most `timeout` for the connection.
    pub(crate) fn open(connection: &Connection, timeout: Duration) -> Result<Self, LinkFault> {
        match connection {
            Connection::Tcp { host, port } => Self::open_tcp(host, *port, timeout),
            Connection::Serial {
                path,
                baud,
                two_stop_bits,
                seven_even,
            } => {
                let mut settings = SerialSettings::new(path, *baud);
                if *two_stop_bits {
                    settings = settings.with_stop_bits(StopBits::Two);
                }
                if *seven_even {
                    settings = settings.with_parity(Parity::Even);
                    settings.data_bits = DataBits::Seven;
                }
                let link = SerialLink::open(&settings).map_err(|error| port_fault(&error))?;
                Ok(Self::Serial(link))
            }
        }
    }

    fn open_tcp(host: &str, port: u16, timeout: Duration) -> Result<Self, LinkFault> {
        let unreachable = |detail: String| LinkFault::Unreachable {
            place: format!("{host}:{port}"),
            detail,
        };
        let addresses = (host, port)
            .to_socket_addrs()
            .map_err(|error| unreachable(error.to_string()))?;
        let mut last = unreachable("the name has no address".into());
        for address in addresses {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    let set = stream
                        .set_nodelay(true)
                        .and_then(|()| stream.set_nonblocking(true));
                    return set
                        .map(|()| Self::Tcp(stream))
                        .map_err(|error| unreachable(error.to_string()));
                }
                Err(error) => last = unreachable(error.to_string()),
            }
        }
        Err(last)
    }

    /// Reads what is there. `Ok(0)` means nothing yet; a closed connection is an error.
    pub(crate) fn try_read(&mut self, buffer: &mut [u8]) -> Result<usize, LinkFault> {
        match self {
            Self::Tcp(stream) => match stream.read(buffer) {
                Ok(0) => Err(LinkFault::Lost {
                    detail: "the terminal closed it".into(),
                }),
                other => quiet(other),
            },
            Self::Serial(link) => link.try_read(buffer).map_err(|error| port_fault(&error)),
        }
    }

    /// Writes what the kernel takes now.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> Result<usize, LinkFault> {
        match self {
            Self::Tcp(stream) => quiet(stream.write(bytes)),
            Self::Serial(link) => link.try_write(bytes).map_err(|error| port_fault(&error)),
        }
    }
}

/// "Would block" and "interrupted" are no news.
fn quiet(result: io::Result<usize>) -> Result<usize, LinkFault> {
    match result {
        Ok(count) => Ok(count),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ) =>
        {
            Ok(0)
        }
        Err(error) => Err(LinkFault::Lost {
            detail: error.to_string(),
        }),
    }
}

/// Sorts a fault of the serial port.
fn port_fault(error: &PortError) -> LinkFault {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    match error {
        PortError::Absent { path } => LinkFault::PortAbsent { path: text(path) },
        PortError::Forbidden { path } => LinkFault::PortForbidden { path: text(path) },
        PortError::Busy { path } => LinkFault::PortBusy { path: text(path) },
        PortError::Unsuitable { detail, .. } => LinkFault::PortUnsuitable {
            detail: detail.clone(),
        },
        PortError::Gone { detail } => LinkFault::Lost {
            detail: detail.clone(),
        },
    }
}

impl AsRawFd for Wire {
    fn as_raw_fd(&self) -> RawFd {
        match self {
            Self::Tcp(stream) => stream.as_raw_fd(),
            Self::Serial(link) => link.as_raw_fd(),
        }
    }
}
