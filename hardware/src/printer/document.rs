//! What a receipt says, free of any printer: blocks in, lines of cells out.
//!
//! A [`Document`] is laid out for a number of columns (32, 36, 42, 48, any from 16 up) into
//! [`Element`]s; [`Document::to_text`] shows the same layout on a screen or in a log.

use super::text::{printable, width_cells, wrap};

/// Where a line stands on the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Align {
    /// At the left edge.
    #[default]
    Left,
    /// In the middle.
    Center,
    /// At the right edge.
    Right,
}

/// Size of letters, as multiples of the normal cell.
///
/// With accented letters, [`Size::Wide`] costs next to nothing, [`Size::Large`] about 900 bytes
/// a full line and [`Size::Tall`] up to 1.7 KB, because double height has to go out as a
/// picture where the printer has no Vietnamese letters of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Size {
    /// One cell.
    #[default]
    Normal,
    /// Twice as high.
    Tall,
    /// Twice as wide.
    Wide,
    /// Twice as high and twice as wide.
    Large,
}

impl Size {
    /// Horizontal multiple: 1 or 2.
    pub fn width_factor(self) -> usize {
        if matches!(self, Self::Wide | Self::Large) {
            2
        } else {
            1
        }
    }

    /// Vertical multiple: 1 or 2.
    pub fn height_factor(self) -> usize {
        if matches!(self, Self::Tall | Self::Large) {
            2
        } else {
            1
        }
    }
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Style {
    /// Heavier strokes.
    pub bold: bool,
    /// Size of the letters.
    pub size: Size,
    /// Where the line stands.
    pub align: Align,
}

impl Style {
    /// Normal size, regular weight, at the left.
    pub const PLAIN: Self = Self {
        bold: false,
        size: Size::Normal,
        align: Align::Left,
    };

    /// The same style in bold.
    pub const fn bold(mut self) -> Self {
        self.bold = true;
        self
    }

    /// The same style in the middle.
    pub const fn center(mut self) -> Self {
        self.align = Align::Center;
        self
    }

    /// The same style in another size.
    pub const fn size(mut self, size: Size) -> Self {
        self.size = size;
        self
    }
}

/// One cell of a table row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// What it says; wraps inside the cell.
    pub text: String,
    /// Cells wide; `None` shares what the others leave.
    pub width: Option<usize>,
    /// Where the text stands in the cell.
    pub align: Align,
}

impl Cell {
    /// A cell as wide as the others leave, text at the left.
    pub fn fill(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            width: None,
            align: Align::Left,
        }
    }

    /// A cell of fixed width, text at the right: numbers.
    pub fn number(text: impl Into<String>, width: usize) -> Self {
        Self {
            text: text.into(),
            width: Some(width),
            align: Align::Right,
        }
    }
}

/// A picture of one-bit dots, rows from the top, leftmost dot in the highest bit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bitmap {
    width_dots: usize,
    rows: Vec<u8>,
}

impl Bitmap {
    /// A picture from packed rows of `ceil(width_dots / 8)` bytes each; surplus bytes that do
    /// not fill a row are dropped and dots beyond the width are cleared.
    pub fn from_rows(width_dots: usize, mut rows: Vec<u8>) -> Self {
        let stride = width_dots.div_ceil(8).max(1);
        rows.truncate(rows.len() / stride * stride);
        if !width_dots.is_multiple_of(8) {
            let mask = 0xFFu8 << (8 - width_dots % 8);
            for row in rows.chunks_exact_mut(stride) {
                row[stride - 1] &= mask;
            }
        }
        Self { width_dots, rows }
    }

    /// Dots across.
    pub fn width_dots(&self) -> usize {
        self.width_dots
    }

    /// Bytes of one row.
    pub fn stride_bytes(&self) -> usize {
        self.width_dots.div_ceil(8).max(1)
    }

    /// Dots down.
    pub fn height_dots(&self) -> usize {
        self.rows.len() / self.stride_bytes()
    }

    /// All rows, packed.
    pub fn rows(&self) -> &[u8] {
        &self.rows
    }
}

/// A horizontal line across the paper.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// `-----`
    Single,
    /// `=====`
    Double,
}

/// One part of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// Text that wraps; `\n` starts a new line.
    Text {
        /// What it says.
        text: String,
        /// How it looks.
        style: Style,
    },
    /// A label at the left and a value at the right; a long label wraps beside the value.
    Pair {
        /// The label: a product, "Tổng cộng".
        left: String,
        /// The value: a price.
        right: String,
        /// How both look.
        style: Style,
    },
    /// A table row.
    Columns {
        /// Its cells from the left, separated by one blank cell.
        cells: Vec<Cell>,
        /// How they look.
        style: Style,
    },
    /// A line across.
    Rule(Rule),
    /// Empty lines.
    Blank {
        /// How many.
        lines: u8,
    },
    /// A QR code in the middle of the paper.
    Qr {
        /// What it says, at most 700 bytes.
        data: String,
    },
    /// A Code 128 barcode with its text below, in the middle of the paper.
    Barcode {
        /// Printable ASCII, at most 40 characters.
        data: String,
    },
    /// A picture in the middle of the paper.
    Image(Bitmap),
    /// The shop's logo in the middle of the paper: from the printer's own memory where the model
    /// has one (it must have been stored there, see [`super::encode::store_logo`]), else as a
    /// picture.
    Logo(Bitmap),
    /// Opens the cash drawer when the printer gets here.
    OpenDrawer,
    /// Feeds past the blade and cuts.
    Cut,
}

/// A receipt, report or test page.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Document {
    blocks: Vec<Block>,
}

impl Document {
    /// An empty document.
    pub fn new() -> Self {
        Self::default()
    }

    /// The blocks so far.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// Adds any block.
    pub fn push(&mut self, block: Block) -> &mut Self {
        self.blocks.push(block);
        self
    }

    /// Adds plain text at the left.
    pub fn text(&mut self, text: impl Into<String>) -> &mut Self {
        self.styled(text, Style::PLAIN)
    }

    /// Adds text in a style.
    pub fn styled(&mut self, text: impl Into<String>, style: Style) -> &mut Self {
        self.push(Block::Text {
            text: text.into(),
            style,
        })
    }

    /// Adds a label with a value at the right edge.
    pub fn pair(&mut self, left: impl Into<String>, right: impl Into<String>) -> &mut Self {
        self.styled_pair(left, right, Style::PLAIN)
    }

    /// Adds a label with a value at the right edge, in a style: totals.
    pub fn styled_pair(
        &mut self,
        left: impl Into<String>,
        right: impl Into<String>,
        style: Style,
    ) -> &mut Self {
        self.push(Block::Pair {
            left: left.into(),
            right: right.into(),
            style,
        })
    }

    /// Adds a table row.
    pub fn columns(&mut self, cells: Vec<Cell>) -> &mut Self {
        self.push(Block::Columns {
            cells,
            style: Style::PLAIN,
        })
    }

    /// Adds a single line across.
    pub fn rule(&mut self) -> &mut Self {
        self.push(Block::Rule(Rule::Single))
    }

    /// Adds an empty line.
    pub fn blank(&mut self) -> &mut Self {
        self.push(Block::Blank { lines: 1 })
    }

    /// Adds a QR code.
    pub fn qr(&mut self, data: impl Into<String>) -> &mut Self {
        self.push(Block::Qr { data: data.into() })
    }

    /// Adds a Code 128 barcode.
    pub fn barcode(&mut self, data: impl Into<String>) -> &mut Self {
        self.push(Block::Barcode { data: data.into() })
    }

    /// Adds a cut.
    pub fn cut(&mut self) -> &mut Self {
        self.push(Block::Cut)
    }

    /// The document with a banner above and below that marks it as a copy. Whatever is printed
    /// again after a doubtful first print goes through here, so that no two unmarked receipts
    /// of one sale exist.
    pub fn marked_as_copy(&self, number: u32) -> Self {
        let banner = |document: &mut Self| {
            document.styled(
                format!("*** BẢN SAO / COPY {number} ***"),
                Style::PLAIN.bold().center(),
            );
        };
        let mut marked = Self::new();
        banner(&mut marked);
        let end = self
            .blocks
            .iter()
            .rposition(|block| !matches!(block, Block::Cut))
            .map_or(0, |last| last + 1);
        // A copy must not open the drawer a second time.
        let body = self.blocks[..end].iter();
        marked.blocks.extend(
            body.filter(|block| !matches!(block, Block::OpenDrawer))
                .cloned(),
        );
        banner(&mut marked);
        marked.blocks.extend(self.blocks[end..].iter().cloned());
        marked
    }

    /// Lays the document out for paper `columns` normal cells wide (at least 16).
    pub fn layout(&self, columns: usize) -> Vec<Element> {
        let columns = columns.max(16);
        let mut out = Vec::new();
        for block in &self.blocks {
            lay_out(block, columns, &mut out);
        }
        out
    }

    /// The layout as plain text, for screens, logs and tests.
    pub fn to_text(&self, columns: usize) -> String {
        let mut out = String::new();
        for element in self.layout(columns) {
            match element {
                Element::Line(line) => out.push_str(&line.to_text(columns)),
                Element::Qr(data) => out.push_str(&format!("[QR {data}]")),
                Element::Barcode(data) => out.push_str(&format!("[BARCODE {data}]")),
                Element::Image(image) | Element::Logo(image) => {
                    let (width, height) = (image.width_dots(), image.height_dots());
                    out.push_str(&format!("[IMAGE {width}x{height}]"));
                }
                Element::OpenDrawer => continue,
                Element::Cut => out.push_str(&"~".repeat(columns)),
            }
            out.push('\n');
        }
        out
    }
}

/// One line of text, ready for paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Printable characters, one cell each; no blanks at the end.
    pub text: String,
    /// How it looks; the alignment is still to be applied.
    pub style: Style,
}

impl Line {
    fn to_text(&self, columns: usize) -> String {
        let columns = columns / self.style.size.width_factor();
        pad(&self.text, columns, self.style.align)
            .trim_end()
            .to_owned()
    }
}

/// One laid-out part of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Element {
    /// A line of text, possibly empty.
    Line(Line),
    /// A QR code.
    Qr(String),
    /// A Code 128 barcode.
    Barcode(String),
    /// A picture.
    Image(Bitmap),
    /// The logo.
    Logo(Bitmap),
    /// Drawer kick.
    OpenDrawer,
    /// Feed and cut.
    Cut,
}

fn lay_out(block: &Block, columns: usize, out: &mut Vec<Element>) {
    match block {
        Block::Text { text, style } => {
            push_lines(wrap(text, columns / style.size.width_factor()), *style, out);
        }
        Block::Pair { left, right, style } => {
            let lines = pair_lines(left, right, columns / style.size.width_factor());
            push_lines(lines, *style, out);
        }
        Block::Columns { cells, style } => {
            let lines = table_lines(cells, columns / style.size.width_factor());
            push_lines(lines, *style, out);
        }
        Block::Rule(rule) => {
            let dash = if *rule == Rule::Single { "-" } else { "=" };
            push_lines(vec![dash.repeat(columns)], Style::PLAIN, out);
        }
        Block::Blank { lines } => {
            push_lines(vec![String::new(); usize::from(*lines)], Style::PLAIN, out);
        }
        Block::Qr { data } => out.push(Element::Qr(data.clone())),
        Block::Barcode { data } => out.push(Element::Barcode(data.clone())),
        Block::Image(bitmap) => out.push(Element::Image(bitmap.clone())),
        Block::Logo(bitmap) => out.push(Element::Logo(bitmap.clone())),
        Block::OpenDrawer => out.push(Element::OpenDrawer),
        Block::Cut => out.push(Element::Cut),
    }
}

fn push_lines(lines: Vec<String>, style: Style, out: &mut Vec<Element>) {
    out.extend(lines.into_iter().map(|text| {
        let text = text.trim_end().to_owned();
        Element::Line(Line { text, style })
    }));
}

/// Label and value on one line if they fit; else the label wraps and the value closes its last
/// line, or a line of its own when it would leave the label less than half the paper.
fn pair_lines(left: &str, right: &str, columns: usize) -> Vec<String> {
    let right = printable(right).replace('\u{a0}', " ");
    let right_width = right.chars().count();
    if right_width * 2 > columns {
        let mut lines = wrap(left, columns);
        lines.extend(
            wrap(&right, columns)
                .iter()
                .map(|line| pad(line, columns, Align::Right)),
        );
        return lines;
    }
    let mut lines = wrap(left, columns - right_width - 1);
    if let Some(last) = lines.last_mut() {
        let gap = columns - right_width - last.chars().count();
        last.push_str(&" ".repeat(gap));
        last.push_str(&right);
    }
    lines
}

fn table_lines(cells: &[Cell], columns: usize) -> Vec<String> {
    let widths = cell_widths(cells, columns);
    let wrapped: Vec<Vec<String>> = cells
        .iter()
        .zip(&widths)
        .map(|(cell, &width)| wrap(&cell.text, width))
        .collect();
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|row| {
            let parts = cells.iter().zip(&widths).zip(&wrapped);
            let row: Vec<String> = parts
                .map(|((cell, &width), lines)| {
                    pad(lines.get(row).map_or("", String::as_str), width, cell.align)
                })
                .collect();
            row.join(" ").chars().take(columns).collect()
        })
        .collect()
}

/// Fixed cells get their width, the others share the rest; every cell keeps at least one column.
fn cell_widths(cells: &[Cell], columns: usize) -> Vec<usize> {
    let gaps = cells.len().saturating_sub(1);
    let fixed: usize = cells.iter().filter_map(|cell| cell.width).sum();
    let fills = cells.iter().filter(|cell| cell.width.is_none()).count();
    let mut rest = columns.saturating_sub(gaps + fixed);
    let mut left = fills;
    cells
        .iter()
        .map(|cell| {
            let width = cell.width.unwrap_or_else(|| {
                let share = rest / left.max(1);
                rest -= share;
                left = left.saturating_sub(1);
                share
            });
            width.clamp(1, columns)
        })
        .collect()
}

fn pad(text: &str, width: usize, align: Align) -> String {
    let blank = width.saturating_sub(width_cells(text));
    let before = match align {
        Align::Left => 0,
        Align::Center => blank / 2,
        Align::Right => blank,
    };
    let (before, after) = (" ".repeat(before), " ".repeat(blank - before));
    format!("{before}{text}{after}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Document {
        let mut document = Document::new();
        document
            .styled(
                "Cửa hàng Điểm Chạm",
                Style::PLAIN.bold().center().size(Size::Large),
            )
            .rule()
            .pair("Bánh mì kẹp thịt nướng đặc biệt nhiều rau thơm", "45.000")
            .columns(vec![
                Cell::fill("Cà phê sữa đá lon 235 ml"),
                Cell::number("2", 3),
                Cell::number("30.000", 9),
            ])
            .styled_pair(
                "TỔNG CỘNG",
                "75.000 ₫",
                Style::PLAIN.bold().size(Size::Tall),
            )
            .cut();
        document
    }

    #[test]
    fn no_line_is_wider_than_the_paper_at_any_width() {
        // Proves: every laid-out line fits 16 to 64 columns, also in double width.
        for columns in 16..=64 {
            for element in sample().layout(columns) {
                if let Element::Line(line) = element {
                    let cells = line.text.chars().count() * line.style.size.width_factor();
                    assert!(
                        cells <= columns,
                        "{cells} cells on {columns}: {}",
                        line.text
                    );
                }
            }
        }
    }

    #[test]
    fn a_long_name_wraps_beside_its_price() {
        // Proves: the price stays at the right edge of the last line of the name.
        let text = sample().to_text(32);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[3], "Bánh mì kẹp thịt nướng");
        assert_eq!(lines[4], "đặc biệt nhiều rau thơm   45.000");
        assert_eq!(lines[5], "Cà phê sữa đá lon    2    30.000");
        assert_eq!(lines[6], "235 ml");
    }

    #[test]
    fn a_copy_is_marked_at_both_ends_before_the_cut_and_leaves_the_drawer_shut() {
        // Proves: a torn copy still shows the mark on either half; no second drawer kick.
        let mut original = sample();
        original.blocks.insert(0, Block::OpenDrawer);
        let copy = original.marked_as_copy(2);
        let text = copy.to_text(48);
        assert_eq!(text.matches("BẢN SAO / COPY 2").count(), 2);
        assert!(text.trim_end().ends_with(&"~".repeat(48)));
        assert!(!copy.blocks().contains(&Block::OpenDrawer));
    }
}
