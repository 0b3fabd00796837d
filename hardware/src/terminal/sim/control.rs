//! Line-based control of a running simulator over TCP on the loopback address.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::Shared;
use super::scenario::Scenario;

/// A control connection that says nothing for this long is closed.
const QUIET: Duration = Duration::from_secs(5);

/// Serves one connection after the other until the simulator stops.
pub(super) fn serve(listener: &TcpListener, wake: &UnixStream, shared: &Arc<Shared>) {
    while !shared.stop.load(Ordering::SeqCst) {
        let mut fds = [
            PollFd::new(listener.as_fd(), PollFlags::POLLIN),
            PollFd::new(wake.as_fd(), PollFlags::POLLIN),
        ];
        // An interrupted poll is repeated by the loop.
        let _ = poll(&mut fds, PollTimeout::NONE);
        if let Ok((stream, _)) = listener.accept() {
            // A broken control connection ends itself; the next one is served.
            let _ = converse(&stream, shared);
        }
    }
}

fn converse(stream: &TcpStream, shared: &Arc<Shared>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(QUIET))?;
    let mut answer = stream;
    for line in BufReader::new(stream).lines() {
        let reply = obey(line?.trim(), shared);
        writeln!(answer, "{reply}")?;
    }
    Ok(())
}

fn obey(line: &str, shared: &Arc<Shared>) -> String {
    if let Some(json) = line.strip_prefix("usual ") {
        return scenario(json, |scenario| shared.model().set_usual(scenario));
    }
    if let Some(minor) = line.strip_prefix("sale ") {
        return match minor.trim().parse() {
            Ok(minor) if shared.model().stand_alone_sale(minor) => "ok".into(),
            Ok(_) => "busy".into(),
            Err(error) => format!("not understood: {error}"),
        };
    }
    match line {
        "ledger" => {
            let model = shared.model();
            let mut lines: Vec<String> = model
                .ledger()
                .records()
                .iter()
                .filter_map(|record| serde_json::to_string(record).ok())
                .collect();
            lines.push(".".into());
            lines.join("\n")
        }
        "power" => {
            shared.power_cut();
            shared.set_plugged(false);
            shared.set_plugged(true);
            "ok".into()
        }
        "unplug" => {
            shared.set_plugged(false);
            "ok".into()
        }
        "plug" => {
            shared.set_plugged(true);
            "ok".into()
        }
        json => scenario(json, |scenario| shared.model().script(scenario)),
    }
}

fn scenario(json: &str, accept: impl FnOnce(Scenario)) -> String {
    match serde_json::from_str(json) {
        Ok(scenario) => {
            accept(scenario);
            "ok".into()
        }
        Err(error) => format!("not understood: {error}"),
    }
}
