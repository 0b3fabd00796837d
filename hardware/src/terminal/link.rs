//! The wire of a terminal: a TCP connection or a serial line, never blocking.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use super::config::Connection;
use crate::port::{DataBits, Parity, SerialLink, SerialSettings, StopBits};

/// An open wire.
pub(crate) enum Wire {
    Tcp(TcpStream),
    Serial(SerialLink),
}

impl Wire {
    /// Opens the wire. TCP waits at most `timeout` for the connection.
    pub(crate) fn open(connection: &Connection, timeout: Duration) -> Result<Self, String> {
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
                let link = SerialLink::open(&settings).map_err(|error| error.to_string())?;
                Ok(Self::Serial(link))
            }
        }
    }

    fn open_tcp(host: &str, port: u16, timeout: Duration) -> Result<Self, String> {
        let addresses = (host, port)
            .to_socket_addrs()
            .map_err(|error| format!("{host}:{port} cannot be looked up: {error}"))?;
        let mut last = format!("{host} has no address");
        for address in addresses {
            match TcpStream::connect_timeout(&address, timeout) {
                Ok(stream) => {
                    let set = stream
                        .set_nodelay(true)
                        .and_then(|()| stream.set_nonblocking(true));
                    return set
                        .map(|()| Self::Tcp(stream))
                        .map_err(|error| error.to_string());
                }
                Err(error) => last = format!("{address}: {error}"),
            }
        }
        Err(last)
    }

    /// Reads what is there. `Ok(0)` means nothing yet; a closed connection is an error.
    pub(crate) fn try_read(&mut self, buffer: &mut [u8]) -> Result<usize, String> {
        match self {
            Self::Tcp(stream) => match stream.read(buffer) {
                Ok(0) => Err("the terminal closed the connection".into()),
                other => quiet(other),
            },
            Self::Serial(link) => link.try_read(buffer).map_err(|error| error.to_string()),
        }
    }

    /// Writes what the kernel takes now.
    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> Result<usize, String> {
        match self {
            Self::Tcp(stream) => quiet(stream.write(bytes)),
            Self::Serial(link) => link.try_write(bytes).map_err(|error| error.to_string()),
        }
    }
}

/// "Would block" and "interrupted" are no news.
fn quiet(result: io::Result<usize>) -> Result<usize, String> {
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
        Err(error) => Err(error.to_string()),
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
