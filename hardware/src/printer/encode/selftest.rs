//! The first-run page: shows what the printer makes of letters, widths, codes and code pages.

use super::super::document::{Align, Document, Element, Size, Style};
use super::super::glyph::VIETNAMESE_LETTERS;
use super::super::profile::Profile;
use super::tcvn::{Tcvn3Page, tcvn3_byte};
use super::{Job, SoftFont, Writer};

/// Code page numbers under which makers hide TCVN-3 or something near it.
const PAGES: [u8; 14] = [21, 27, 30, 31, 32, 33, 35, 41, 49, 50, 51, 52, 78, 94];
/// Small letters whose bytes tell a right page from a wrong one.
const SAMPLE: &str = "điểm chạm cà phê sữa đá";

/// A letter of each kind, for a page among all: small and capital pages differ from each other and
/// from everything else in them.
const SHORT_SAMPLE: &str = "ếữậơ";
/// Cells of one page among all: number, blank, sample.
const PAGE_CELLS: usize = 8;

/// How much of the printer a self-test page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfTest {
    /// The fourteen code pages under which makers hide Vietnamese: some 20 cm of paper.
    Page,
    /// Every code page from 0 to 255 with a short sample: 20 to 30 cm more.
    AllPages,
}

/// The self-test page for a profile. A person compares: is the ruler one line wide, are the
/// letters right, which numbered line reads "điểm chạm cà phê sữa đá" (of all pages: which number
/// is followed by "ếữậơ" or its capitals), does the cut miss the text, does the code scan.
pub fn self_test(profile: &Profile, extent: SelfTest) -> Job {
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
    writer.set_align(Align::Left);
    writer.set_bold(false);
    writer.set_size(Size::Normal);
    match extent {
        SelfTest::Page => {
            for page in PAGES {
                writer.put(format!("{page:3}: ").as_bytes());
                sample(&mut writer, page, SAMPLE);
                writer.put(b"\n");
            }
        }
        SelfTest::AllPages => all_pages(&mut writer),
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

/// The pages from 0 to 255, as many in a line as the paper has room for.
fn all_pages(writer: &mut Writer<'_>) {
    let mut title = Document::new();
    title.text(format!("0-255: {SHORT_SAMPLE} = TCVN-3"));
    lines(writer, &title);
    // The last one in a line needs no gap behind it.
    let in_a_line = (writer.profile.columns + 1) / (PAGE_CELLS + 1);
    for page in 0..=u8::MAX {
        let column = usize::from(page) % in_a_line.max(1);
        writer.put(if column == 0 { b"" } else { b" " });
        writer.put(format!("{page:3} ").as_bytes());
        sample(writer, page, SHORT_SAMPLE);
        if column + 1 == in_a_line || page == u8::MAX {
            writer.put(b"\n");
        }
    }
}

/// The letters in TCVN-3 bytes under a page, between page 0, which every printer has: one that
/// ignores a number it does not know would show the page before as this one.
fn sample(writer: &mut Writer<'_>, page: u8, letters: &str) {
    writer.put(&[0x1B, b't', 0, 0x1B, b't', page]);
    for letter in letters.chars() {
        let byte = tcvn3_byte(letter, Tcvn3Page::Lower).or(u8::try_from(letter).ok());
        writer.out.push(byte.unwrap_or(b'?'));
    }
    writer.put(&[0x1B, b't', 0]);
    writer.code_page = Some(0);
}
