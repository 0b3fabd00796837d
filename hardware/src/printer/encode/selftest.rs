//! The first-run page: shows what the printer makes of letters, widths, codes and code pages.

use super::super::document::{Align, Document, Element, Size, Style};
use super::super::glyph::VIETNAMESE_LETTERS;
use super::super::profile::{Profile, TextPlan};
use super::tcvn::{Tcvn3Page, tcvn3_byte};
use super::{Job, SoftFont, Writer};

/// Code page numbers under which makers hide TCVN-3 or something near it.
const PAGES: [u8; 14] = [21, 27, 30, 31, 32, 33, 35, 41, 49, 50, 51, 52, 78, 94];
/// Small letters whose bytes tell a right page from a wrong one.
const SAMPLE: &str = "điểm chạm cà phê sữa đá";

/// The self-test page for a profile. A person compares: is the ruler one line wide, are the
/// letters right, which numbered line reads "điểm chạm cà phê sữa đá", does the cut miss the
/// text, does the code scan.
pub fn self_test(profile: &Profile) -> Job {
    let mut writer = Writer::new(profile, SoftFont::default());
    writer.prologue();
    let mut head = Document::new();
    let ruler: String = ('1'..='9')
        .chain(['0'])
        .cycle()
        .take(profile.columns)
        .collect();
    head.styled("TRANG THỬ / SELF-TEST", Style::PLAIN.bold().center())
        .styled(profile.name.clone(), Style::PLAIN.center())
        .text(ruler)
        .text(VIETNAMESE_LETTERS)
        .styled("Đậm / bold", Style::PLAIN.bold())
        .styled("Rộng / wide", Style::PLAIN.size(Size::Wide))
        .styled("Lớn / large", Style::PLAIN.size(Size::Large))
        .rule();
    lines(&mut writer, &head);
    for page in PAGES {
        code_page_line(&mut writer, page);
    }
    let mut tail = Document::new();
    tail.rule().text("QR + Code 128:");
    lines(&mut writer, &tail);
    // The content is ours, short and printable, so neither can be refused.
    let drawn = writer
        .qr("https://www.diemcham.example/self-test")
        .and_then(|()| writer.barcode("SELF-TEST"));
    debug_assert!(drawn.is_ok());
    writer.cut();
    Job { bytes: writer.out }
}

fn lines(writer: &mut Writer<'_>, document: &Document) {
    for element in document.layout(writer.profile.columns) {
        if let Element::Line(line) = element {
            writer.line(&line);
        }
    }
}

/// "27: " and the sample in TCVN-3 bytes under that page, then back to the profile's own page.
fn code_page_line(writer: &mut Writer<'_>, page: u8) {
    writer.set_align(Align::Left);
    writer.set_bold(false);
    writer.set_size(Size::Normal);
    writer.put(format!("{page:3}: ").as_bytes());
    writer.put(&[0x1B, b't', page]);
    for letter in SAMPLE.chars() {
        let byte = tcvn3_byte(letter, Tcvn3Page::Lower).or(u8::try_from(letter).ok());
        writer.out.push(byte.unwrap_or(b'?'));
    }
    writer.put(b"\n");
    writer.code_page = Some(page);
    if !matches!(writer.profile.text, TextPlan::Tcvn3 { .. }) {
        // ASCII is the same on every page; 0 is where the printer started.
        writer.put(&[0x1B, b't', 0]);
    }
}
