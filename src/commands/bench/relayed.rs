//! From the credit at the bank to "paid" on the glass, the whole way: payOS in software, head office's own program, the
//! kiosk's own program, and what the X server draws of it.

use super::catalogue::ean13;
use super::counter::alike;
use super::report::{Progress, Row};
use super::samples::Samples;
use super::screen::{Point, Screen};
use super::shop::{Shop, close};
use crate::assemble::key_file;
use crate::clock::machine_ms;
use crate::commands::demo::ask_head_office;
use crate::commands::office::{HeadOffice, PayOs};
use anyhow::{Context, Result};
use payqr::provider::Provider;
use payqr::provider::bank::Faults;
use std::path::Path;
use std::time::{Duration, Instant};

/// What each way may take, at the 95th percentile.
const PUSH_LIMIT: Duration = Duration::from_millis(1_500);
const POLL_LIMIT: Duration = Duration::from_millis(3_500);
/// Most sales of each kind; one takes a few seconds.
const SALES_MAX: usize = 20;
/// Longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);
/// Credits come at any moment between two questions: the pause before each, in milliseconds, grows by this and wraps.
const PAUSE_STEP_MS: u64 = 137;
const PAUSE_MS_MAX: u64 = 1_100;
/// Nothing drawn for so long: the screen is at rest.
const REST: Duration = Duration::from_millis(150);
/// Where the upright screens have "Pay" and "Scan a QR code". A touch that leads nowhere ends the measurement.
const PAY: Point = Point { x: 540, y: 1815 };
const SCAN_A_CODE: Point = Point { x: 540, y: 540 };
/// Where the paid screen says that it is paid, and how much.
const PAID_TOP: i16 = 84;
const PAID_ROWS: u16 = 96;

/// The rows, measured in a shop of their own in `dir`: what another bank side was asked is unknown to this one. Without
/// head office's program they say so.
///
/// # Errors
/// When head office or the kiosk cannot be started, or a payment does not come to its end.
pub(super) fn rows(dir: &Path, samples: usize, progress: &Progress) -> Result<Vec<Row>> {
    progress.say("making a shop that asks head office");
    let mut shop = Shop::open(dir)?;
    let bank = shop
        .config
        .file
        .bank
        .clone()
        .context("the shop has a bank")?;
    let how = PayOs {
        pay_after_ms: None,
        pushes: true,
    };
    let Some(office) = HeadOffice::start(dir, "127.0.0.1:0", &bank, how)? else {
        return Ok(vec![not_measured("push"), not_measured("poll")]);
    };
    enrol(&shop, &office)?;
    ask_head_office(&shop.devices.config_path)?;
    let screen = Screen::start()?;
    let mut way = Way {
        screen: &screen,
        shop: &mut shop,
        office: &office,
        paid: None,
    };
    // Once without the clock: it shows what "paid" looks like.
    way.sell(0)?;
    let samples = samples.clamp(1, SALES_MAX);
    let push = way.measure(samples, "by push", progress)?;
    let faults = Faults::read("drop_push").map_err(|error| anyhow::anyhow!("{error}"))?;
    office.payos.with_bank(|bank| bank.set_faults(faults));
    let poll = way.measure(samples, "by poll", progress)?;
    Ok(vec![
        row("push", &push, PUSH_LIMIT, "p95 ≤ 1.5 s"),
        row("poll", &poll, POLL_LIMIT, "p95 ≤ 3.5 s"),
    ])
}

fn what(way: &str) -> &'static str {
    match way {
        "push" => "credit at the bank to \"paid\" drawn, by push, through head office",
        _ => "credit at the bank to \"paid\" drawn, by poll, through head office",
    }
}

fn row(way: &str, measured: &Samples, limit: Duration, hold: &'static str) -> Row {
    let told = match way {
        "push" => "payOS tells head office of each credit",
        _ => "payOS tells nobody, head office asks",
    };
    Row {
        what: what(way),
        measured: measured.p50_p95(),
        hold,
        rival: String::new(),
        met: Some(measured.percentile(95) <= limit),
        how: format!(
            "From the moment payOS in software has the credit, at another time within the questions in each of {} sales \
             ({told}), through `headoffice serve`, its signed long poll, `kiosk run` with the sale on disk, to the X \
             server's drawing after which the top of the screen is that of the paid screen.",
            measured.len()
        ),
    }
}

fn not_measured(way: &str) -> Row {
    Row {
        what: what(way),
        measured: "not measured".into(),
        hold: if way == "push" { "p95 ≤ 1.5 s" } else { "p95 ≤ 3.5 s" },
        rival: String::new(),
        met: None,
        how: "There is no `headoffice` program beside `kiosk`: build it (`cargo build -p headoffice`, with the same \
              profile) and measure again."
            .into(),
    }
}

fn enrol(shop: &Shop, office: &HeadOffice) -> Result<()> {
    let code = office.code(&shop.config.file.shop.name)?;
    let opened = shop.store()?;
    let key = key_file(&shop.config);
    let enrolled = crate::sync::enrol(&opened.store, &key, &office.url(), &code, "K1");
    close(opened);
    enrolled?;
    Ok(())
}

struct Way<'a> {
    screen: &'a Screen,
    shop: &'a mut Shop,
    office: &'a HeadOffice,
    /// What says "paid", as pixels.
    paid: Option<Vec<u32>>,
}

impl Way<'_> {
    fn measure(&mut self, samples: usize, way: &str, progress: &Progress) -> Result<Samples> {
        let mut measured = Samples::default();
        for number in 0..samples {
            progress.say(&format!("paid {way}, {} of {samples}", number + 1));
            measured.push(self.sell(number as u64)?);
        }
        Ok(measured)
    }

    /// One item by QR, in a kiosk of its own; how long after the credit "paid" is drawn.
    fn sell(&mut self, number: u64) -> Result<Duration> {
        let from = self.shop.log_length();
        let (kiosk, _) = self.shop.start(self.screen)?;
        self.shop.devices.scanner.scan(ean13(997))?;
        self.shop.await_log(from, "screen=\"shop\"", PATIENCE)?;
        self.screen.settle(REST)?;
        self.touch(PAY)?;
        self.shop.await_log(from, "screen=\"pay\"", PATIENCE)?;
        self.screen.settle(REST)?;
        self.touch(SCAN_A_CODE)?;
        self.shop.await_log(from, "screen=\"qr\"", PATIENCE)?;
        let give_up = Instant::now() + PATIENCE;
        let newest = || {
            let payos = &self.office.payos;
            payos.with_bank(|bank| bank.newest_open(Provider::PayOs))
        };
        let payment = loop {
            if let Some(payment) = newest() {
                break payment;
            }
            anyhow::ensure!(Instant::now() < give_up, "payOS was asked for no code");
            std::thread::sleep(Duration::from_millis(10));
        };
        // The code is drawn, and a phone has been held before it for some time.
        let pause_ms = 600 + number * PAUSE_STEP_MS % PAUSE_MS_MAX;
        std::thread::sleep(Duration::from_millis(pause_ms));
        let code = self.screen.rows(PAID_TOP, PAID_ROWS)?;
        self.screen.forget();
        let credited = Instant::now();
        self.office
            .payos
            .with_bank(|bank| bank.pay(payment, machine_ms()));
        let rows = |screen: &Screen| screen.rows(PAID_TOP, PAID_ROWS);
        let drawn = match &self.paid {
            Some(paid) => self
                .screen
                .until(credited, PATIENCE, |screen| Ok(alike(paid, &rows(screen)?)))?,
            None => {
                self.shop.await_log(from, "screen=\"tap\"", PATIENCE)?;
                self.screen.settle(REST)?;
                let paid = rows(self.screen)?;
                anyhow::ensure!(
                    !alike(&paid, &code),
                    "the code's screen cannot be told from the paid screen"
                );
                self.paid = Some(paid);
                Instant::now()
            }
        };
        drop(kiosk);
        self.screen.settle(REST)?;
        self.shop.leave_visit()?;
        Ok(drawn - credited)
    }

    fn touch(&self, at: Point) -> Result<()> {
        self.screen.press(at)?;
        std::thread::sleep(Duration::from_millis(60));
        self.screen.release(at)?;
        Ok(())
    }
}
