//! Bytes and seconds of a receipt on the wire, for each way of sending Vietnamese letters, beside
//! the whole receipt as one picture.

use super::report::Row;
use super::samples::Samples;
use crate::format::Language;
use crate::receipt::{Receipt, file};
use anyhow::{Context, Result};
use hardware::printer::document::{Block, Document};
use hardware::printer::encode::encode;
use hardware::printer::profile::{Profile, QrPlan, TextPlan};
use hardware::printer::sim::print_out;
use std::hint::black_box;
use std::time::{Duration, Instant};

const RECEIPT: &str = include_str!("../../../docs/examples/receipt-39-lines.json");
/// A VietQR payment of 106 characters, as long as the published figure's.
const CODE: &str = "00020101021138540010A00000072701240006970436011000710009850208QRIBFTTA5303704540614668\
                    85802VN6304ABCD00000";

const TCVN: TextPlan = TextPlan::Tcvn3 {
    lower_page: 30,
    upper_page: 31,
};

/// What is measured, its plan, the most bytes it may take, and the goal in words.
const PLANS: [(&str, TextPlan, Option<usize>, &str); 4] = [
    (
        "receipt of 39 lines, inline glyphs (default)",
        TextPlan::InlineGlyph,
        Some(5_000),
        "≤ 5.0 KB, ≤ 2.6 s at 19200, ≤ 0.45 s at 115200",
    ),
    (
        "receipt of 39 lines, code page TCVN-3 (Epson)",
        TCVN,
        Some(1_600),
        "≤ 1.6 KB, ≤ 0.9 s at 19200",
    ),
    (
        "receipt of 39 lines, letters defined in the printer",
        TextPlan::SoftFont,
        None,
        "",
    ),
    (
        "receipt of 39 lines, accented lines as pictures",
        TextPlan::Raster,
        None,
        "",
    ),
];

/// The rows about receipts.
///
/// # Errors
/// When the example cannot be read or encoded, which is a fault of this program.
pub(super) fn rows(samples: usize) -> Result<Vec<Row>> {
    let document = receipt()?;
    let profile = Profile::default();
    let naive = naive_bytes(&document, &profile)?;
    let mut rows = Vec::new();
    for (what, text, most, hold) in PLANS {
        let profile = Profile {
            text,
            ..profile.clone()
        };
        let bytes = encode(&document, &profile)?.bytes().len();
        rows.push(Row {
            what,
            measured: wire(bytes),
            hold,
            rival: format!("the whole receipt as one picture: {}", wire(naive)),
            met: most.map(|most| bytes <= most),
            how: format!(
                "docs/examples/receipt-39-lines.json on 48 columns, 22 lines with Vietnamese letters, without the QR \
                 code; seconds are bytes at ten bits each. The picture takes {:.1} times as many bytes.",
                naive as f64 / bytes as f64
            ),
        });
    }
    rows.push(code_row()?);
    rows.push(encode_row(&document, &profile, samples)?);
    Ok(rows)
}

/// The receipt without its code.
fn receipt() -> Result<Document> {
    let file = file::read(RECEIPT)?;
    let seller = file.seller.clone().context("the example has no shop")?;
    let mut receipt = Receipt::new(seller, &file.sale, Language::Vietnamese);
    receipt.notes = file.notes;
    receipt.code_words = "Quét mã để nhận hóa đơn và góp ý".into();
    let mut document = Document::new();
    for block in receipt.document().blocks() {
        if !matches!(block, Block::Qr { .. }) {
            document.push(block.clone());
        }
    }
    Ok(document)
}

/// Initialise, one `GS v 0` of the paper's full width, cut.
fn naive_bytes(document: &Document, profile: &Profile) -> Result<usize> {
    let sheets = print_out(profile, &[&encode(document, profile)?]);
    let paper = sheets.first().context("nothing was printed")?;
    Ok(2 + 8 + paper.width_dots.div_ceil(8) * paper.height_dots + 4)
}

fn wire(bytes: usize) -> String {
    let seconds = |baud: u32| bytes as f64 * 10.0 / f64::from(baud);
    format!(
        "{bytes} bytes; {:.2} s at 9600, {:.2} s at 19200, {:.2} s at 115200 baud",
        seconds(9_600),
        seconds(19_200),
        seconds(115_200)
    )
}

fn code_row() -> Result<Row> {
    let mut document = Document::new();
    document.qr(CODE);
    let bytes = |qr: QrPlan| -> Result<usize> {
        let profile = Profile {
            qr,
            ..Profile::default()
        };
        let empty = encode(&Document::new(), &profile)?.bytes().len();
        Ok(encode(&document, &profile)?.bytes().len() - empty)
    };
    let (picture, native) = (bytes(QrPlan::Raster)?, bytes(QrPlan::Native)?);
    Ok(Row {
        what: "payment QR code as a picture (printers without QR)",
        measured: format!("{picture} bytes; {native} where the printer draws it"),
        hold: "≤ 1,562 bytes",
        rival: "the same code six dots a module: 6,224 bytes (published figure)".into(),
        met: Some(picture <= 1_562),
        how: format!("{} characters, six dots a module.", CODE.len()),
    })
}

fn encode_row(document: &Document, profile: &Profile, samples: usize) -> Result<Row> {
    let mut times = Samples::default();
    for _ in 0..samples.max(1) {
        let start = Instant::now();
        black_box(encode(black_box(document), profile)?);
        times.push(start.elapsed());
    }
    Ok(Row {
        what: "encoding the receipt of 39 lines",
        measured: times.p50_p99(),
        hold: "< 1 ms",
        rival: "python-escpos, as a picture: 37 ms (published figure)".into(),
        met: Some(times.median() < Duration::from_millis(1)),
        how:
            "from the document to the bytes, inline glyphs; the median is held against the number."
                .into(),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_size_that_is_to_be_held_is_held() {
        // Proves: the rows can be made, each plan is smaller than the picture, and the sizes of
        // inline glyphs, TCVN-3 and the code as a picture keep what is promised.
        let rows = rows(1).unwrap();
        assert_eq!(rows.len(), 6);
        let sizes = &rows[..5];
        let missed: Vec<&Row> = sizes.iter().filter(|row| row.met == Some(false)).collect();
        assert!(missed.is_empty(), "{missed:?}");
        assert_eq!(sizes.iter().filter(|row| row.met == Some(true)).count(), 3);
        let bytes = |text: &str| -> usize { text.split(' ').next().unwrap().parse().unwrap() };
        for row in &rows[..4] {
            let naive = row.rival.split(": ").nth(1).unwrap();
            assert!(bytes(&row.measured) * 3 < bytes(naive), "{row:?}");
        }
    }
}
