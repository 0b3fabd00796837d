//! What comes out on paper.

use hardware::printer::driver::plan::JobPlan;
use hardware::printer::encode::store_logo;
use hardware::printer::profile::{CutPlan, Profile, TextPlan};
use hardware::printer::sim::print_out;
use hardware::printer::{Bitmap, Block, Document, Evidence, PrinterEvent, ProofGrade, encode};

use super::bench::Bench;
use super::receipts;

fn printed_lines(profile: &Profile, document: &Document) -> Vec<String> {
    let mut bench = Bench::new(hardware::printer::sim::SimConfig::new(profile.clone()));
    bench.ready();
    let job = bench.print(document, profile);
    let outcome = bench.finish(job, 60_000);
    assert!(
        matches!(outcome, PrinterEvent::JobDone { .. }),
        "{outcome:?}"
    );
    bench.settle();
    assert_eq!(bench.sim.overflowed_bytes(), 0);
    let sheets = bench.sim.sheets();
    let sheet = sheets
        .last()
        .cloned()
        .unwrap_or_else(|| bench.sim.hanging());
    sheet.lines
}

fn plain(document: &Document, columns: usize) -> Vec<String> {
    let text = document.to_text(columns);
    let lines = text.lines().filter(|line| !line.starts_with('~'));
    lines.map(str::to_owned).collect()
}

#[test]
fn every_profile_and_text_plan_prints_the_same_words_in_the_same_columns() {
    // Proves: inline glyphs, TCVN-3, soft font and raster all put the laid-out text on paper,
    // letter for letter, for 48, 42 and 32 columns.
    let plans = [
        None,
        Some(TextPlan::InlineGlyph),
        Some(TextPlan::SoftFont),
        Some(TextPlan::Raster),
        Some(TextPlan::Tcvn3 {
            lower_page: 30,
            upper_page: 31,
        }),
    ];
    for name in Profile::names() {
        for plan in plans {
            let mut profile = Profile::named(name).unwrap();
            profile.text = plan.unwrap_or(profile.text);
            let document = receipts::large();
            assert_eq!(
                printed_lines(&profile, &document),
                plain(&document, profile.columns),
                "{name} {plan:?}"
            );
        }
    }
}

#[test]
fn the_39_line_receipt_keeps_its_size_budget() {
    // Proves: 39 lines, 22 of them Vietnamese, take at most 5.0 KB inline and 1.6 KB in TCVN-3.
    let receipt = receipts::large();
    let lines = plain(&receipt, 48);
    let accented = lines.iter().filter(|line| !line.is_ascii()).count();
    assert_eq!((lines.len(), accented), (39, 22));
    let mut profile = Profile::default();
    let inline = encode(&receipt, &profile).unwrap().bytes().len();
    assert!(inline <= 5_000, "{inline} bytes");
    profile.text = TextPlan::Tcvn3 {
        lower_page: 30,
        upper_page: 31,
    };
    let tcvn = encode(&receipt, &profile).unwrap().bytes().len();
    assert!(tcvn <= 1_600, "{tcvn} bytes");
}

#[test]
fn a_qr_code_without_printer_support_stays_small() {
    // Proves: a payment QR as raster takes at most 2.1 KB, a quarter of a plain raster.
    let mut document = Document::new();
    document.qr(receipts::PAYMENT);
    let bytes = encode(&document, &Profile::named("mm58").unwrap()).unwrap();
    assert!(bytes.bytes().len() <= 2_100, "{}", bytes.bytes().len());
    let native = encode(&document, &Profile::default()).unwrap();
    assert!(native.bytes().len() <= 200, "{}", native.bytes().len());
}

#[test]
fn a_healthy_printer_gives_the_best_proof_its_model_can() {
    // Proves: process id and counter on Epson, fence on the clone, honest doubt without a wire.
    let proof = |name: &str| {
        let mut bench = Bench::named(name);
        let profile = Profile::named(name).unwrap();
        bench.ready();
        let job = bench.print(&receipts::large(), &profile);
        let outcome = bench.finish(job, 60_000);
        match outcome {
            PrinterEvent::JobDone { evidence, .. } => evidence,
            other => panic!("{name}: {other:?}"),
        }
    };
    let best = Evidence::Printed(ProofGrade::ProcessIdAndCounter);
    assert_eq!(proof("epson-t88"), best);
    assert_eq!(
        proof("xprinter-clone"),
        Evidence::Printed(ProofGrade::Fence)
    );
    assert_eq!(proof("mm58"), Evidence::Printed(ProofGrade::Fence));
    let blind = Evidence::Sent {
        status_clean: false,
    };
    assert_eq!(proof("tx-only"), blind);
}

#[test]
fn product_text_cannot_reach_the_drawer_or_the_blade() {
    // Proves: a name full of commands prints as words; no kick, no extra cut, no lost answer.
    let mut document = Document::new();
    document
        .text("Trà\x1Bp\x00\x19\u{fa} sữa\x1DV\x00 \x10\x14\x01\x00\x01 đá\x1B@ \x1Dr\x01")
        .cut();
    let mut bench = Bench::named("xprinter-clone");
    bench.ready();
    let job = bench.print(&document, &Profile::default());
    let outcome = bench.finish(job, 20_000);
    assert!(
        matches!(outcome, PrinterEvent::JobDone { .. }),
        "{outcome:?}"
    );
    bench.settle();
    assert_eq!(bench.sim.drawer_pulses(), 0);
    assert_eq!(bench.sim.sheets().len(), 1);
    assert_eq!(bench.sim.sheets()[0].lines, ["Tràpú sữaV  đá@ r"]);
}

#[test]
fn the_drawer_opens_once_when_the_receipt_says_so_and_also_without_paper() {
    // Proves: the kick in the document and the kick past an empty roll both arrive, once each.
    let mut document = Document::new();
    document.push(Block::OpenDrawer).text("x").cut();
    let mut bench = Bench::named("xprinter-clone");
    bench.ready();
    let job = bench.print(&document, &Profile::default());
    bench.finish(job, 20_000);
    assert_eq!(bench.sim.drawer_pulses(), 1);
    bench.sim.remove_paper();
    bench.run_ms(3_000);
    bench.open_drawer();
    bench.run_ms(1_000);
    assert_eq!(bench.sim.drawer_pulses(), 2);
}

#[test]
fn the_qr_code_on_paper_scans_on_every_profile() {
    // Proves: native and raster QR codes come out complete, centred and readable.
    for name in Profile::names() {
        let profile = Profile::named(name).unwrap();
        let mut bench = Bench::named(name);
        bench.ready();
        let job = bench.print(&receipts::rich(), &profile);
        bench.finish(job, 60_000);
        bench.settle();
        let sheet = bench.sim.sheets().last().cloned();
        let sheet = sheet.unwrap_or_else(|| bench.sim.hanging());
        let mut picture = rqrr::PreparedImage::prepare_from_greyscale(
            sheet.width_dots,
            sheet.height_dots,
            |x, y| if sheet.is_inked(x, y) { 0 } else { 255 },
        );
        let codes = picture.detect_grids();
        let read: Vec<String> = codes
            .iter()
            .filter_map(|code| Some(code.decode().ok()?.1))
            .collect();
        assert_eq!(read, [receipts::PAYMENT], "{name}");
    }
}

#[test]
fn the_paper_budget_counts_every_dot_of_a_receipt_with_a_logo_stored_or_sent() {
    // Proves: on every profile and for logos of any height, what the driver counts is no less
    // than what the printer feeds, and no more than a blade's time and a rounded logo above it.
    for name in Profile::names() {
        let profile = Profile::named(name).unwrap();
        for height in [1, 16, 17, 110, 320] {
            let logo = Bitmap::from_rows(64, vec![0xA5; 8 * height]);
            let mut receipt = Document::new();
            receipt.push(Block::Logo(logo.clone()));
            for block in receipts::rich().blocks() {
                receipt.push(block.clone());
            }
            let job = encode(&receipt, &profile).unwrap();
            let counted = JobPlan::read(job.bytes().to_vec(), &profile).unwrap();
            let counted = counted.height_dots() as usize;
            let stored = store_logo(&logo, &profile);
            let jobs: Vec<_> = stored.iter().chain([&job]).collect();
            let sheets = print_out(&profile, &jobs);
            let mut fed: usize = sheets.iter().map(|sheet| sheet.height_dots).sum();
            if profile.cut != CutPlan::TearOff {
                // Behind the cut lies the way from head to blade, fed already.
                fed += profile.mm_to_dots(profile.head_to_blade_mm) as usize;
            }
            let blade = profile.mm_to_dots(10) as usize;
            assert!(counted + 2 >= fed, "{name} {height}: {counted} of {fed}");
            assert!(
                counted <= fed + blade + 16 + 60,
                "{name} {height}: {counted} of {fed}"
            );
        }
    }
}
