//! `kiosk bench`: the numbers of this program on this machine, each beside another way of doing the same, measured
//! in the same run. Nothing is asserted: a number that is missed is said to be missed.

mod catalogue;
mod codes;
mod counter;
mod data;
mod processes;
mod receipts;
mod relayed;
mod report;
mod samples;
mod screen;
mod shop;
mod transfers;

use super::signals;
use anyhow::{Context, Result};
use clap::Args;
use counter::{Answers, Cost};
use data::{Sales, Searches};
use report::{Progress, Row};
use samples::Samples;
use shop::{Browser, Scratch, Shop};
use std::path::PathBuf;
use std::time::Duration;

/// Arguments of `kiosk bench`.
#[derive(Clone, Debug, Args)]
pub struct BenchArgs {
    /// File to write the table into.
    #[arg(long, value_name = "FILE", default_value = "docs/benchmarks.md")]
    out: PathBuf,
    /// Directory whose disk is measured; what is made in it is removed again.
    #[arg(long, value_name = "DIR", default_value = "out")]
    dir: PathBuf,
    /// Starts and crashes of the kiosk (the browser: half as many).
    #[arg(long, default_value_t = 10)]
    starts: usize,
    /// Scans and touches.
    #[arg(long, default_value_t = 200)]
    touches: usize,
    /// Searches, and sales.
    #[arg(long, default_value_t = 500)]
    samples: usize,
    /// Seconds of doing nothing.
    #[arg(long, default_value_t = 30)]
    idle_s: u64,
    /// Measure only the payments through head office, print their rows and write no file.
    #[arg(long)]
    only_relayed: bool,
}

/// Everything that was measured.
struct Measured {
    kiosk: Cost,
    browser: Option<Cost>,
    answers: Answers,
    crash: (Samples, Samples),
    searches: Searches,
    sales: Sales,
}

pub(super) fn run(args: &BenchArgs) -> Result<()> {
    let load_before = report::load();
    processes::adopt_orphans()?;
    let scratch = Scratch::new(&args.dir)?;
    stop_with_children(scratch.path().to_owned())?;
    let progress = Progress::new();
    if args.only_relayed {
        let rows = relayed(args, &scratch, &progress)?;
        drop(progress);
        print!("{}", report::table(&rows));
        return Ok(());
    }
    progress.say("making the shop");
    let mut shop = Shop::open(scratch.path())?;
    let measured = measure(args, &mut shop, &scratch, &progress)?;
    let mut rows = rows(&measured);
    rows.push(codes::row(args.samples)?);
    rows.extend(transfers::rows(&shop, args.samples)?);
    rows.extend(relayed(args, &scratch, &progress)?);
    drop(progress);
    rows.extend(receipts::rows(args.samples)?);
    let version = Browser::version();
    let machine = report::machine(
        scratch.path(),
        shop.config.zone,
        &load_before,
        version.as_deref(),
    );
    let table = report::table(&rows);
    print!("{table}");
    let text = format!(
        "# Benchmarks\n\nWritten by `./dev bench`; run it to measure your own machine. No test depends on these times.\n\n\
         ## Machine\n\n{machine}\n## Numbers\n\n{table}\n## How\n\n{}",
        report::methods(&rows)
    );
    if let Some(folder) = args
        .out
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&args.out, text)
        .with_context(|| format!("--out {}: cannot be written", args.out.display()))?;
    println!("written to {}", args.out.display());
    Ok(())
}

fn relayed(args: &BenchArgs, scratch: &Scratch, progress: &Progress) -> Result<Vec<Row>> {
    relayed::rows(&scratch.path().join("relayed"), args.samples, progress)
}

fn measure(
    args: &BenchArgs,
    shop: &mut Shop,
    scratch: &Scratch,
    progress: &Progress,
) -> Result<Measured> {
    let spell = Duration::from_secs(args.idle_s.max(1));
    let starts = args.starts.max(1);
    let screen = screen::Screen::start()?;
    let kiosk = counter::kiosk_cost(&screen, shop, starts, spell, progress)?;
    let browser = match Browser::version() {
        Some(_) => {
            let browser = Browser::new(scratch.path())?;
            let starts = starts.div_ceil(2);
            Some(counter::browser_cost(
                &screen, &browser, starts, spell, progress,
            )?)
        }
        None => None,
    };
    let answers = counter::answers(&screen, shop, args.touches.max(1), progress)?;
    let crash = counter::crash(&screen, shop, starts, progress)?;
    drop(screen);
    let samples = args.samples.max(1);
    let searches = data::search(shop, samples, progress)?;
    let sales = data::sales(shop, samples, scratch.path(), progress)?;
    Ok(Measured {
        kiosk,
        browser,
        answers,
        crash,
        searches,
        sales,
    })
}

/// Ctrl-C and SIGTERM end the programs that were started, and remove what was made.
fn stop_with_children(scratch: PathBuf) -> Result<()> {
    signals::on_end(move || {
        processes::kill_all(&processes::ours(&[]));
        let _ = std::fs::remove_dir_all(scratch);
        std::process::exit(130);
    })
}

fn mb(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

fn rows(measured: &Measured) -> Vec<Row> {
    let mut rows = cost_rows(&measured.kiosk, measured.browser.as_ref());
    rows.extend(answer_rows(&measured.answers));
    rows.extend(data_rows(&measured.searches, &measured.sales));
    let (first, same) = &measured.crash;
    rows.push(Row {
        what: "crash to the same basket on screen",
        measured: same.median_max(),
        hold: "≤ 1 s",
        rival: String::new(),
        met: Some(same.max() <= Duration::from_secs(1)),
        how: format!(
            "SIGKILL with a basket on the screen; from the new start of the process until the basket's part of the \
             screen is as it was before (a notice above it says what happened). The first picture came after {}. The \
             supervisor's own delay is not in it.",
            first.median_max()
        ),
    });
    rows
}

fn cost_rows(kiosk: &Cost, browser: Option<&Cost>) -> Vec<Row> {
    let rival = |tell: &dyn Fn(&Cost) -> String| browser.map(tell).unwrap_or_default();
    vec![
        Row {
            what: "start to first touchable frame, 100,000 items",
            measured: kiosk.start.median_max(),
            hold: "≤ 0.25 s",
            rival: rival(&|cost| format!("Chromium, empty page: {}", cost.start.median_max())),
            met: Some(kiosk.start.median() <= Duration::from_millis(250)),
            how: "from the start of the process (`kiosk run`, every device configured) until the X server reports \
                  the drawing after which the screen holds a picture. The window is first drawn by the loop that \
                  answers touches. The browser shows one colour in kiosk mode; its first start, with a new profile, \
                  is left out. The median is held against the number."
                .into(),
        },
        Row {
            what: "memory, whole kiosk on the shop screen",
            measured: format!("{} ({} process)", mb(kiosk.pss_bytes), kiosk.processes),
            hold: "≤ 64 MB",
            rival: rival(&|cost| {
                format!("Chromium, empty page: {} ({} processes)", mb(cost.pss_bytes), cost.processes)
            }),
            met: Some(kiosk.pss_bytes <= 64_000_000),
            how: "proportional set size (PSS) of all processes, from `/proc/PID/smaps_rollup`, with eight lines in \
                  the basket; MB are 10⁶ bytes."
                .into(),
        },
        Row {
            what: "idle on the attract screen",
            measured: format!("{} drawings, {:.3} % CPU", kiosk.idle.frames, kiosk.idle.cpu_percent),
            hold: "0 frames, < 0.2 %",
            rival: rival(&|cost| {
                format!(
                    "Chromium, empty page: {} drawings, {:.3} % CPU",
                    cost.idle.frames, cost.idle.cpu_percent
                )
            }),
            met: Some(kiosk.idle.frames == 0 && kiosk.idle.cpu_percent < 0.2),
            how: format!(
                "{:.0} s without a touch; drawings as the X server reports them (DAMAGE), time on one processor from \
                 the scheduler's account of every thread. The clock in the corner is drawn once a minute, at the full \
                 minute; the spell begins right after one.",
                kiosk.idle.spell.as_secs_f64()
            ),
        },
    ]
}

fn answer_rows(answers: &Answers) -> Vec<Row> {
    let limit = Duration::from_millis(16);
    let row = |what, samples: &Samples, how: String| Row {
        what,
        measured: samples.p50_p99(),
        hold: "p99 ≤ 16 ms",
        rival: String::new(),
        met: Some(samples.percentile(99) <= limit),
        how,
    };
    vec![
        row(
            "scan to new frame",
            &answers.scan,
            format!(
                "a barcode handed to the simulated scanner's pseudo-terminal, until the X server reports a drawing on \
                 a screen that was at rest; eight items of 100,000 in turn. The last drawing of the answer: {}.",
                answers.scan_complete.p50_p99()
            ),
        ),
        row(
            "touch to new frame (a button)",
            &answers.press,
            "XTEST button press on the lowest control of the shop screen, until the drawing that shows it pressed."
                .into(),
        ),
        row(
            "touch to new frame (a product, from lifting the finger)",
            &answers.tap,
            "XTEST tap of 40 ms on a product of the scrolling grid, timed from the release: until then it may still \
             become a scroll."
                .into(),
        ),
    ]
}

fn data_rows(searches: &Searches, sales: &Sales) -> Vec<Row> {
    vec![
        Row {
            what: "search of 100,000 items",
            measured: searches.ours.p50_p99(),
            hold: "p99 ≤ 5 ms",
            rival: format!(
                "SQL LIKE '%…%', accents not folded: {}",
                searches.like.p50_p99()
            ),
            met: Some(searches.ours.percentile(99) <= Duration::from_millis(5)),
            how: format!(
                "beginnings of names typed letter by letter without accents, through the store's thread, 60 answers \
                 each. {} of {} found something; LIKE found something for {}.",
                searches.found,
                searches.ours.len(),
                searches.like_found
            ),
        },
        Row {
            what: "sale durable",
            measured: sales.ours.p50_p99(),
            hold: "p99 ≤ 2 ms",
            rival: format!(
                "the same rows in SQLite as it comes (rollback journal, FULL): {}; this disk alone, write and sync: {}",
                sales.plain.p50_p99(),
                sales.disk.p50_p99()
            ),
            met: Some(sales.ours.percentile(99) <= Duration::from_millis(2)),
            how: format!(
                "the commit that completes a sale of eight lines (events, state, sale; {} bytes), from handing it to \
                 the store to its answer, checkpoints included. The disk alone: as many bytes appended to a file, and \
                 `fdatasync`. With `synchronous=NORMAL`, which loses the last sales when \
                 the power goes, the same rows take {}.",
                sales.bytes,
                sales.normal.p50_p99()
            ),
        },
        Row {
            what: "day close with 5,000 sales",
            measured: sales.day_close.median_max(),
            hold: "≤ 1 s",
            rival: "Odoo: 15 min with 1,000 sales (published figure)".into(),
            met: Some(sales.day_close.max() <= Duration::from_secs(1)),
            how: format!(
                "from the order to the Z report on disk: {} sales of eight lines read back whole and added up by way \
                 to pay and VAT rate, and the counts from the journal's events. Once, because a day is closed once.",
                data::DAY_SALES
            ),
        },
    ]
}
