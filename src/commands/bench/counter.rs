//! What a shopper feels: start, frames, and coming back after a crash; and what the program costs meanwhile.

use super::catalogue::ean13;
use super::processes::{Running, cpu_time, kill_all, ours, pss_bytes};
use super::report::Progress;
use super::samples::Samples;
use super::screen::{HEIGHT, Point, Screen, WIDTH};
use super::shop::{Browser, Shop};
use anyhow::{Context, Result, bail};
use std::time::{Duration, Instant};

/// Nothing drawn for so long: the screen is at rest.
const REST: Duration = Duration::from_millis(150);
/// Longest wait for the answer to a touch or scan.
const PATIENCE: Duration = Duration::from_secs(5);
/// A control answers a finger within this; what scrolls waits longer, in case the finger moves.
const AT_ONCE: Duration = Duration::from_millis(80);
/// Where the basket stands on an upright shop screen. Above it, after a crash, is the notice that says so.
const BASKET_TOP: i16 = 1200;
/// Its height.
const BASKET_ROWS: u16 = HEIGHT - 1200;
/// Items in the basket of the measurements.
const BASKET: usize = 8;

/// What was measured of one program on a screen.
#[derive(Clone, Debug, Default)]
pub(super) struct Cost {
    /// From the start of the process to its first picture.
    pub(super) start: Samples,
    /// Proportional memory of all its processes.
    pub(super) pss_bytes: u64,
    /// How many processes.
    pub(super) processes: usize,
    /// What it did while nothing happened.
    pub(super) idle: Idle,
}

/// A spell in which nothing happens.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Idle {
    /// How long.
    pub(super) spell: Duration,
    /// Drawings on the screen.
    pub(super) frames: usize,
    /// Of one processor, in percent.
    pub(super) cpu_percent: f64,
}

/// Times from something the shopper does to the picture that answers.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// A barcode sent by the scanner, to the first frame after it.
    pub(super) scan: Samples,
    /// The same, to the last frame of the answer.
    pub(super) scan_complete: Samples,
    /// A finger put on a control, to the frame that shows it pressed.
    pub(super) press: Samples,
    /// A finger lifted from a product, to the first frame after it.
    pub(super) tap: Samples,
}

/// Watches a still screen.
fn watch_idle(screen: &Screen, processes: &[u32], spell: Duration) -> Result<Idle> {
    screen.settle(Duration::from_secs(2))?;
    wait_for_full_minute();
    screen.settle(Duration::from_secs(2))?;
    screen.forget();
    let before = cpu_time(processes);
    let since = Instant::now();
    std::thread::sleep(spell);
    let spell = since.elapsed();
    let used = cpu_time(processes).saturating_sub(before);
    Ok(Idle {
        spell,
        frames: screen.forget(),
        cpu_percent: used.as_secs_f64() / spell.as_secs_f64() * 100.0,
    })
}

/// Waits until the clock on the attract screen has just changed.
fn wait_for_full_minute() {
    let left_ms = 60_000 - crate::clock::wall_ms().rem_euclid(60_000);
    std::thread::sleep(Duration::from_millis(u64::try_from(left_ms).unwrap_or(0)));
}

/// Start and idle spell on the attract screen, memory on the shop screen.
///
/// # Errors
/// When the kiosk does not do what is measured.
pub(super) fn kiosk_cost(
    screen: &Screen,
    shop: &mut Shop,
    runs: usize,
    spell: Duration,
    progress: &Progress,
) -> Result<Cost> {
    let mut cost = Cost::default();
    for run in 1..=runs {
        progress.say(&format!("kiosk, start {run} of {runs}"));
        let (kiosk, took) = shop.start(screen)?;
        cost.start.push(took);
        if run == runs {
            progress.say("kiosk, idle");
            cost.idle = watch_idle(screen, &kiosk.tree(), spell)?;
            fill_basket(screen, shop)?;
            std::thread::sleep(Duration::from_secs(2));
            let tree = kiosk.tree();
            cost.processes = tree.len();
            cost.pss_bytes = pss_bytes(&tree)?;
            end(screen, shop, kiosk)?;
        }
    }
    Ok(cost)
}

/// Ends the kiosk and forgets its visit: the next start must not find its basket.
fn end(screen: &Screen, shop: &Shop, kiosk: Running) -> Result<()> {
    drop(kiosk);
    screen.settle(REST)?;
    shop.forget_visit()
}

/// The same of the browser.
///
/// # Errors
/// When its page does not come.
pub(super) fn browser_cost(
    screen: &Screen,
    browser: &Browser,
    runs: usize,
    spell: Duration,
    progress: &Progress,
) -> Result<Cost> {
    let mut cost = Cost::default();
    // Once without the clock: a new profile costs it more than it should.
    for run in 0..=runs {
        progress.say(&format!("browser, start {run} of {runs}"));
        let others = ours(&[]);
        let (running, took) = browser.start(screen)?;
        if run > 0 {
            cost.start.push(took);
        }
        if run == runs {
            let tree = ours(&others);
            std::thread::sleep(Duration::from_secs(5));
            cost.processes = tree.len();
            cost.pss_bytes = pss_bytes(&tree)?;
            cost.idle = watch_idle(screen, &tree, spell)?;
        }
        let all = ours(&others);
        drop(running);
        kill_all(&all);
        screen.settle(REST)?;
    }
    Ok(cost)
}

/// Scans until there is a basket, and waits until it is drawn.
fn fill_basket(screen: &Screen, shop: &mut Shop) -> Result<()> {
    for number in 0..BASKET {
        scan(screen, shop, number)?;
    }
    screen.settle(Duration::from_millis(500))?;
    Ok(())
}

/// One scan; the first and the last frame of its answer.
fn scan(screen: &Screen, shop: &mut Shop, number: usize) -> Result<(Duration, Duration)> {
    screen.settle(REST)?;
    let since = Instant::now();
    shop.devices.scanner.scan(ean13(number * 997))?;
    let first = screen.next_drawn(since, PATIENCE)?;
    let first = first.context("a scan drew nothing")?;
    let last = screen.settle(REST)?.unwrap_or(first);
    Ok((first - since, last - since))
}

/// How soon the screen answers.
///
/// # Errors
/// When it does not.
pub(super) fn answers(
    screen: &Screen,
    shop: &mut Shop,
    count: usize,
    progress: &Progress,
) -> Result<Answers> {
    let (kiosk, _) = shop.start(screen)?;
    let mut answers = Answers::default();
    fill_basket(screen, shop)?;
    // The pay button is at the bottom; products are above the middle.
    let control = find(screen, HEIGHT - 20, Manner::AtOnce)?;
    let product = find(screen, HEIGHT / 2, Manner::Waiting)?;
    for sample in 0..count {
        progress.say(&format!("scan and touch, {} of {count}", sample + 1));
        let (first, last) = scan(screen, shop, sample % BASKET)?;
        answers.scan.push(first);
        answers.scan_complete.push(last);
        answers.press.push(press(screen, control)?);
        answers.tap.push(tap(screen, product)?);
    }
    end(screen, shop, kiosk)?;
    Ok(answers)
}

/// A finger goes down and slides off again.
fn press(screen: &Screen, at: Point) -> Result<Duration> {
    screen.settle(REST)?;
    let since = screen.press(at)?;
    let drawn = screen.next_drawn(since, PATIENCE)?;
    screen.slide_off()?;
    Ok(drawn.context("a touched control drew nothing")? - since)
}

/// A short tap, timed from the finger's lifting: before that it may still become a scroll.
fn tap(screen: &Screen, at: Point) -> Result<Duration> {
    screen.settle(REST)?;
    screen.press(at)?;
    // Shorter than what the list waits before it shows a press.
    std::thread::sleep(Duration::from_millis(40));
    let since = screen.release(at)?;
    let drawn = screen.next_drawn(since, PATIENCE)?;
    Ok(drawn.context("a tapped product drew nothing")? - since)
}

/// How a control answers a finger.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It shows the press at once.
    AtOnce,
    /// It lies in a list that scrolls, and waits whether the finger moves.
    Waiting,
}

/// Feels for a control upwards from `from`. The finger slides off each, so nothing is chosen.
fn find(screen: &Screen, from: u16, manner: Manner) -> Result<Point> {
    let (width, from) = (i16::try_from(WIDTH)?, i16::try_from(from)?);
    for y in (200..from).rev().step_by(32) {
        for x in [width / 2, width - 200, 200] {
            let at = Point { x, y };
            // Twice: another program's load may make one answer late.
            if feel(screen, at)? == Some(manner) && feel(screen, at)? == Some(manner) {
                return Ok(at);
            }
        }
    }
    bail!("nothing on the screen answers a finger as expected")
}

fn feel(screen: &Screen, at: Point) -> Result<Option<Manner>> {
    screen.settle(REST)?;
    let since = screen.press(at)?;
    let drawn = screen.next_drawn(since, Duration::from_millis(300))?;
    screen.slide_off()?;
    Ok(drawn.map(|drawn| {
        if drawn - since > AT_ONCE {
            Manner::Waiting
        } else {
            Manner::AtOnce
        }
    }))
}

/// From the start after a crash to the basket that was there before it.
///
/// # Errors
/// When the basket does not come back.
pub(super) fn crash(
    screen: &Screen,
    shop: &mut Shop,
    runs: usize,
    progress: &Progress,
) -> Result<(Samples, Samples)> {
    let (mut first_frame, mut same_basket) = (Samples::default(), Samples::default());
    let (mut kiosk, _) = shop.start(screen)?;
    fill_basket(screen, shop)?;
    for run in 1..=runs {
        progress.say(&format!("crash {run} of {runs}"));
        scan(screen, shop, run % BASKET)?;
        screen.settle(Duration::from_secs(1))?;
        let before = screen.rows(BASKET_TOP, BASKET_ROWS)?;
        // SIGKILL, as a power cut is for the program.
        drop(kiosk);
        screen.settle(REST)?;
        let since = Instant::now();
        let (again, took) = shop.start(screen)?;
        first_frame.push(took);
        kiosk = again;
        let mut shown = since + took;
        while !alike(&before, &screen.rows(BASKET_TOP, BASKET_ROWS)?) {
            shown = screen
                .next_drawn(since, PATIENCE)?
                .context("the basket did not come back after the crash")?;
        }
        same_basket.push(shown - since);
    }
    end(screen, shop, kiosk)?;
    Ok((first_frame, same_basket))
}

/// The same basket; one pixel in two hundred may differ, for a mark of the newest line.
pub(super) fn alike(before: &[u32], after: &[u32]) -> bool {
    let differing = before.iter().zip(after).filter(|(a, b)| a != b).count();
    before.len() == after.len() && differing * 200 <= before.len()
}
