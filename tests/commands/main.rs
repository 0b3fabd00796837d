//! The real program, by hand: what a person types, with what is left of it when the reader goes.
#![allow(clippy::unwrap_used)]

mod card_data;
mod pipes;
mod terminals;

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

/// The program with these words, with a home of its own below `home`.
fn kiosk(home: &std::path::Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kiosk"));
    command.args(words).env("HOME", home);
    command.env_remove("XDG_STATE_HOME");
    command
}

/// A simulated terminal in a process of its own; it ends when dropped.
struct Sim {
    process: Child,
    /// `HOST:PORT`, for those on the network.
    address: Option<String>,
    control: String,
}

impl Drop for Sim {
    fn drop(&mut self) {
        // It may have ended by itself, which the test notices elsewhere.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Sim {
    /// Starts `kiosk sim terminal` with these words.
    fn start(home: &std::path::Path, words: &[&str]) -> Self {
        let words = [&["sim", "terminal", "--delay-ms", "0"], words].concat();
        let mut process = kiosk(home, &words).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let place = lines.next().unwrap().unwrap();
        let control = lines.next().unwrap().unwrap();
        let number = |text: &str, before: &str| -> Option<String> {
            let rest = text.split(before).nth(1)?;
            Some(rest.chars().take_while(char::is_ascii_digit).collect())
        };
        let port = number(&place, "port: ");
        Self {
            process,
            address: port.map(|port| format!("127.0.0.1:{port}")),
            control: format!("127.0.0.1:{}", number(&control, "127.0.0.1:").unwrap()),
        }
    }

    /// Says a line to the control and returns its answer, to the `.` for the ledger.
    fn control(&self, line: &str) -> String {
        let mut stream = TcpStream::connect(&self.control).unwrap();
        writeln!(stream, "{line}").unwrap();
        let mut answer = String::new();
        for part in BufReader::new(stream).lines() {
            let part = part.unwrap();
            answer.push_str(&part);
            answer.push('\n');
            if line != "ledger" || part == "." {
                break;
            }
        }
        answer
    }

    /// Records of the ledger of this kind.
    fn records(&self, kind: &str) -> usize {
        let ledger = self.control("ledger");
        ledger.lines().filter(|line| line.contains(kind)).count()
    }
}
