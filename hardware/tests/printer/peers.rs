//! Bytes that other people's software makes, on our simulated printer: what they mean on paper
//! must come out, whoever wrote the host.
//!
//! The files in `peers/` were made by running python-escpos 3.1 (profiles TM-T88V and POS-5890)
//! and receiptio 2.1.2 (printer `epson`); docs/reference/printing.md says how.

use hardware::printer::Profile;
use hardware::printer::driver::plan::{JobError, JobPlan};
use hardware::printer::sim::{PrinterSim, SimConfig};

const PYTHON_ESCPOS: &[u8] = include_bytes!("peers/python-escpos-3.1-tm-t88v.bin");
const PYTHON_ESCPOS_PLAIN: &[u8] = include_bytes!("peers/python-escpos-3.1-pos-5890.bin");
const RECEIPTIO: &[u8] = include_bytes!("peers/receiptio-2.1.2-epson.bin");

/// What the printer makes of bytes that come at its own speed, without any handshake.
fn paper(profile: &str, bytes: &[u8]) -> String {
    let mut sim = PrinterSim::new(SimConfig::new(Profile::named(profile).unwrap()));
    let mut now_us = 0;
    for &byte in bytes {
        now_us += sim.byte_us();
        sim.receive(now_us, byte);
    }
    for _ in 0..10_000 {
        now_us += 1_000;
        sim.advance(now_us);
    }
    assert!(sim.is_idle());
    assert_eq!(sim.overflowed_bytes(), 0);
    sim.all_text()
}

#[test]
fn vietnamese_sizes_codes_and_pictures_of_python_escpos_come_out() {
    // Proves: its mix of code pages 437 and TCVN-3, sizes by ESC !, pictures, native QR, EAN-13
    // and Code 128 mean on our paper what they mean on an Epson.
    let text = paper("epson-t88", PYTHON_ESCPOS);
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let wanted = [
        "PY-ESCPOS",
        "Cà phê sữa đá, Bánh mì thịt nướng",
        "plain line 29.000",
        "[QR https://www.diemcham.example/2]",
        "[BARCODE 4006381333931]",
        "[BARCODE DC-0001]",
    ];
    for line in wanted {
        assert!(lines.contains(&line), "{line}: {text}");
    }
}

#[test]
fn a_picture_larger_than_the_receive_buffer_does_not_swallow_what_follows() {
    // Proves: one undivided 5.5 KB picture, as most software sends it, is read on a printer with
    // a 4 KB buffer, and the next line is text again.
    let next = [PYTHON_ESCPOS_PLAIN, b"next line\n"].concat();
    let text = paper("xprinter-clone", &next);
    assert_eq!(text.matches("[raster 384x116]").count(), 2, "{text}");
    assert!(text.lines().any(|line| line == "next line"), "{text}");
}

#[test]
fn columns_pictures_and_codes_of_receiptio_come_out() {
    // Proves: relative positions, GS 8 L graphics, EAN-13 and Code 128 with changing code sets.
    let text = paper("epson-t88", RECEIPTIO);
    let has = |wanted: &str| assert!(text.contains(wanted), "{wanted}: {text}");
    has("[raster 88x87]");
    has("[BARCODE 2012345678903]");
    has("[BARCODE DC-0001-000482]");
    let row = text.lines().find(|line| line.ends_with("58.000")).unwrap();
    assert_eq!(row.chars().count(), 42, "{text}");
}

#[test]
fn the_driver_reads_foreign_jobs_or_says_where_they_are_wrong() {
    // Proves: a job made by other software can be printed with proof when it is a job; one that
    // ends with a question of its own, whose answer would be taken for ours, is refused by name.
    for (name, bytes) in [
        ("epson-t88", PYTHON_ESCPOS),
        ("xprinter-clone", PYTHON_ESCPOS_PLAIN),
    ] {
        let profile = Profile::named(name).unwrap();
        let plan = JobPlan::read(bytes.to_vec(), &profile).unwrap();
        assert!(plan.height_dots() > 300, "{name}");
    }
    let refused = JobPlan::read(RECEIPTIO.to_vec(), &Profile::default());
    let at = RECEIPTIO.len() - 3;
    assert_eq!(refused, Err(JobError::Question { at }));
}
