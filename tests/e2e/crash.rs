//! The real binary in a real window, killed at every stage of a purchase.

use crate::driver::Shop;
use hardware::terminal::sim::Scenario;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longest wait for a line of the kiosk's log; a passing run waits less.
const PATIENCE: Duration = Duration::from_secs(60);

/// A display nobody sees; ends when dropped.
pub struct Display {
    server: Child,
    name: String,
}

impl Display {
    pub fn start() -> Self {
        let mut server = Command::new("Xvfb")
            .args([
                "-displayfd",
                "1",
                "-screen",
                "0",
                "1080x1920x24",
                "-noreset",
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("Xvfb is installed by ./dev test");
        let mut number = String::new();
        let stdout = server.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut number).unwrap();
        let name = format!(":{}", number.trim());
        Self { server, name }
    }

    /// Waits until the kiosk's window is on the screen: the log says that it
    /// was drawn, not that the display has mapped it.
    pub fn await_window(&self) {
        let found = Command::new("xdotool")
            .args(["search", "--sync", "--onlyvisible", "--name", "Ch"])
            .env("DISPLAY", &self.name)
            .stdout(Stdio::null())
            .status()
            .expect("xdotool is installed by ./dev test");
        assert!(found.success());
    }

    /// A touch by a real pointer event.
    pub fn touch(&self, x: u32, y: u32) {
        let (x, y) = (x.to_string(), y.to_string());
        let done = Command::new("xdotool")
            .args(["mousemove", &x, &y, "click", "1"])
            .env("DISPLAY", &self.name)
            .status()
            .expect("xdotool is installed by ./dev test");
        assert!(done.success());
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A running kiosk; killed when dropped.
pub struct Kiosk {
    process: Child,
    log: Receiver<String>,
    /// Lines of the log so far.
    pub seen: Vec<String>,
}

impl Kiosk {
    /// Starts the counter and waits for its first screen.
    pub fn start(config: &Path, display: &Display) -> Self {
        let mut kiosk = Self::spawn(config, display);
        kiosk.await_any(&["first screen"]);
        display.await_window();
        kiosk
    }

    /// As [`Self::start`], with a log of its own fullness.
    pub fn with_log(config: &Path, display: &Display, log: &str) -> Self {
        let mut kiosk = Self::spawn_with(config, display, log);
        kiosk.await_any(&["first screen"]);
        display.await_window();
        kiosk
    }

    /// Starts the program; what comes of it is in the log.
    pub fn spawn(config: &Path, display: &Display) -> Self {
        let log = "info,kiosk::app=debug,kiosk::devices::card=debug";
        Self::spawn_with(config, display, log)
    }

    fn spawn_with(config: &Path, display: &Display, log: &str) -> Self {
        // Cores are allowed where the kiosk is started; it must forbid them to itself.
        let mut process = Command::new("sh")
            .args(["-c", "ulimit -c unlimited 2>/dev/null; exec \"$0\" \"$@\""])
            .arg(env!("CARGO_BIN_EXE_kiosk"))
            .args(["run", "--window", "1080x1920", "--config"])
            .arg(config)
            .env("DISPLAY", &display.name)
            .env("KIOSK_LOG", log)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (tell, log) = channel();
        let stderr: Box<dyn Read + Send> = Box::new(process.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            process,
            log,
            seen: Vec::new(),
        }
    }

    /// Waits for a line with one of `words`; says which.
    pub fn await_any(&mut self, words: &[&str]) -> String {
        let give_up = Instant::now() + PATIENCE;
        loop {
            let left = give_up.saturating_duration_since(Instant::now());
            let line = self.log.recv_timeout(left).unwrap_or_else(|_| {
                panic!("none of {words:?} came; the log ends:\n{}", self.tail())
            });
            self.seen.push(line.clone());
            if let Some(word) = words.iter().find(|word| line.contains(**word)) {
                return (*word).to_owned();
            }
        }
    }

    fn tail(&self) -> String {
        let from = self.seen.len().saturating_sub(15);
        self.seen[from..].join("\n")
    }

    /// A file of `/proc` about the running program.
    pub fn proc(&self, name: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{name}", self.process.id())).unwrap()
    }

    /// A fault that would write a core, if anything would; every line of the log.
    pub fn abort(mut self) -> Vec<String> {
        let process = i32::try_from(self.process.id()).unwrap();
        let process = nix::unistd::Pid::from_raw(process);
        nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGABRT).unwrap();
        self.process.wait().unwrap();
        while let Ok(line) = self.log.recv_timeout(Duration::from_secs(5)) {
            self.seen.push(line);
        }
        std::mem::take(&mut self.seen)
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Kiosk {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What is on disk after a kill.
struct OnDisk {
    basket_lines: usize,
    sales: usize,
    whole_sales: usize,
}

fn read_disk(shop: &Shop) -> OnDisk {
    let path: PathBuf = shop.dir.path().join("data/kiosk.db");
    let database = rusqlite::Connection::open(path).unwrap();
    let state: String = database
        .query_row("SELECT body FROM till_state", [], |row| row.get(0))
        .unwrap();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap();
    let lines = state["visit"]["basket"]["lines"]
        .as_array()
        .map_or(0, Vec::len);
    let count = |sql: &str| -> usize {
        let n: i64 = database.query_row(sql, [], |row| row.get(0)).unwrap();
        usize::try_from(n).unwrap()
    };
    OnDisk {
        basket_lines: lines,
        sales: count("SELECT count(*) FROM sale"),
        whole_sales: count(
            "SELECT count(*) FROM sale WHERE
               total_minor = (SELECT sum(amount_minor) FROM sale_tender t WHERE t.sale_no = sale.sale_no)
               AND EXISTS (SELECT 1 FROM sale_line l WHERE l.sale_no = sale.sale_no)",
        ),
    }
}

/// Where in the purchase the kiosk is killed: at the first log line with these
/// words after the card was chosen, or before.
const STAGES: [&str; 5] = ["shop", "pay", "card", "saving", "tap"];

pub fn buy_until(kiosk: &mut Kiosk, shop: &mut Shop, display: &Display, stage: &str) {
    // What is scanned before the port is open is lost, as in a shop.
    if !kiosk.seen.iter().any(|line| line.contains("scanner open")) {
        kiosk.await_any(&["scanner open"]);
    }
    // Codes of the demo catalogue: noodles and milk.
    for code in ["8930001833715", MILK] {
        shop.scanner.scan(code).unwrap();
    }
    kiosk.await_any(&["screen=\"shop\""]);
    await_lines(kiosk, 2);
    if stage == "shop" {
        return;
    }
    display.touch(540, 1815);
    kiosk.await_any(&["screen=\"pay\""]);
    if stage == "pay" {
        return;
    }
    display.touch(540, 860);
    for next in ["card", "saving", "tap"] {
        kiosk.await_any(&[&format!("screen=\"{next}\"")]);
        if stage == next {
            return;
        }
    }
}

const MILK: &str = "8930004446981";

/// The store tells of each stored basket line in the log.
fn await_lines(kiosk: &mut Kiosk, lines: usize) {
    kiosk.await_any(&[&format!("basket_lines={lines}")]);
}

#[test]
fn a_kiosk_killed_at_any_stage_comes_back_to_the_same_purchase() {
    // Proves with the real binary that a kill leaves the same basket or a whole sale, and one charge a sale.
    let display = Display::start();
    for stage in STAGES {
        let mut shop = Shop::open();
        let config = shop.config_path.clone();
        let mut kiosk = Kiosk::start(&config, &display);
        buy_until(&mut kiosk, &mut shop, &display, stage);
        kiosk.kill();
        let disk = read_disk(&shop);
        assert_eq!(disk.sales, disk.whole_sales, "{stage}: half a sale");
        if disk.sales == 0 {
            assert_eq!(disk.basket_lines, 2, "{stage}: the basket");
        }
        let mut kiosk = Kiosk::start(&config, &display);
        if matches!(stage, "shop" | "pay") {
            // The step to the pay screen is on disk a moment after it shows; the
            // basket, checked above, is what must be the same.
            let at_start = kiosk.seen.join("\n");
            let same = ["screen=\"shop\"", "screen=\"pay\""];
            assert!(
                same.iter().any(|word| at_start.contains(word)),
                "{at_start}"
            );
        } else {
            // Whatever the terminal says of the attempt, it must come to rest.
            let rest = [
                "screen=\"pay\"",
                "screen=\"tap\"",
                "screen=\"thanks\"",
                "screen=\"attract\"",
            ];
            let already = rest
                .iter()
                .any(|word| kiosk.seen.iter().any(|l| l.contains(word)));
            if !already {
                kiosk.await_any(&rest);
            }
        }
        kiosk.kill();
        let disk = read_disk(&shop);
        assert_eq!(disk.sales, disk.whole_sales, "{stage}: half a sale");
        assert_eq!(
            disk.sales,
            shop.terminal.charged().len(),
            "{stage}: sales and charges differ"
        );
    }
}

/// Where in the card's own path the kiosk is killed: at the first of these lines of the log, and again at the second.
const CARD_STAGES: [(&str, &[&str]); 6] = [
    ("armed, the terminal is asked", &["card: ask"]),
    ("the terminal waits for its shopper", &["said=\"progress\""]),
    ("approved, not yet on disk", &["said=\"approved\""]),
    ("on disk, being confirmed", &["card: confirm"]),
    (
        "confirmed, the sale not yet on disk",
        &["said=\"completed\""],
    ),
    (
        "asked, then during recovery",
        &["card: ask", "card: recover"],
    ),
];

#[test]
fn a_kiosk_killed_in_the_card_path_sells_once_and_charges_once() {
    // Proves with the real binary, driver and disk that a kill at any stage of a card payment, and in the recovery after
    // it, ends in one sale and one charge, or in an open review; a shopper who is asked to pay pays again.
    let display = Display::start();
    for (stage, kills) in CARD_STAGES {
        let mut shop = Shop::open();
        shop.terminal.set_usual(Scenario {
            delay_ms: 400,
            ..Scenario::default()
        });
        let config = shop.config_path.clone();
        let mut kiosk = Kiosk::start(&config, &display);
        buy_until(&mut kiosk, &mut shop, &display, "card");
        for line in kills {
            if !kiosk.seen.iter().any(|seen| seen.contains(line)) {
                kiosk.await_any(&[line]);
            }
            kiosk.kill();
            kiosk = Kiosk::start(&config, &display);
        }
        let rest = ["screen=\"pay\"", "screen=\"tap\"", "screen=\"thanks\""];
        let came = rest
            .into_iter()
            .find(|word| kiosk.seen.iter().any(|line| line.contains(word)));
        let came = came.map_or_else(|| kiosk.await_any(&rest), str::to_owned);
        if came == rest[0] {
            assert!(
                shop.terminal.charged().is_empty(),
                "{stage}: asked to pay twice"
            );
            display.touch(540, 860);
            kiosk.await_any(&rest[1..]);
        }
        kiosk.kill();
        let disk = read_disk(&shop);
        let charged = shop.terminal.charged().len();
        assert_eq!(
            (disk.sales, disk.whole_sales, charged),
            (1, 1, 1),
            "{stage}"
        );
    }
}
