//! Rows of cells, from CSV text or from the first sheet of a workbook.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};

use super::layout::Layout;
use super::text::decode;

/// Largest file read, in bytes.
const FILE_MAX: usize = 128 * 1024 * 1024;
/// Most rows read.
pub const ROWS_MAX: usize = 300_000;
/// Most columns looked at.
const COLUMNS_MAX: usize = 400;
/// A cell longer than this, in characters, means a quotation mark was never closed.
const CELL_MAX: usize = 20_000;
/// Rows in which a header is looked for: shops put titles above it.
const HEADER_WITHIN: usize = 30;

/// A file that cannot be read as a catalogue at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Nothing in it.
    #[error("the file is empty: export the products again and choose the new file")]
    Empty,
    /// More than a catalogue can be.
    #[error(
        "the file is too large ({0}): split it, or remove sheets and columns that are not products"
    )]
    TooLarge(String),
    /// A workbook that cannot be opened.
    #[error(
        "the workbook cannot be opened ({0}): open it in the spreadsheet program and save it again as XLSX or CSV"
    )]
    Workbook(String),
    /// No row looks like the header of a known format.
    #[error(
        "no header row was recognised (the first row reads: {first_row}): the file needs at least a column with the product's name and one with its price; see `kiosk import --help-format`"
    )]
    UnknownHeader {
        /// The first row that is not blank, shortened.
        first_row: String,
    },
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its text, trimmed; a number of a workbook in plain decimal notation with a point.
    pub text: String,
    /// A number as the workbook holds it, not text that looks like one.
    pub number: bool,
    /// What a formula came to when it went wrong (`#REF!`), or a formula in a CSV file.
    pub broken: bool,
}

/// The rows of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Number of the row as the spreadsheet program shows it, and its cells.
    pub rows: Vec<(u32, Vec<Cell>)>,
}

/// A table and the header found in it.
pub struct Recognised {
    /// The rows below the header.
    pub table: Table,
    /// What the columns mean.
    pub layout: Layout,
}

/// Reads a file: a workbook if it is one, else text with the separator that makes sense of its header.
///
/// # Errors
/// [`ImportError`] for files that hold no catalogue.
pub fn read(bytes: &[u8]) -> Result<Recognised, ImportError> {
    if bytes.len() > FILE_MAX {
        return Err(ImportError::TooLarge(format!(
            "{} MB",
            bytes.len() / 1_000_000
        )));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return recognise(vec![workbook(bytes)?]);
    }
    if bytes.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(ImportError::Workbook("the old XLS format".into()));
    }
    let text = decode(bytes);
    let body = match text.split_once('\n') {
        // Excel's own hint for itself.
        Some((first, rest)) if first.trim().to_lowercase().starts_with("sep=") => rest,
        _ => &text,
    };
    let tables = [b',', b';', b'\t'].map(|separator| delimited(body, separator));
    recognise(tables.into_iter().collect::<Result<_, _>>()?)
}

/// Takes the table whose header says most.
fn recognise(tables: Vec<Table>) -> Result<Recognised, ImportError> {
    let first_row = tables
        .first()
        .and_then(|table| table.rows.first())
        .map(|(_, cells)| {
            cells
                .iter()
                .map(|cell| cell.text.as_str())
                .collect::<Vec<_>>()
                .join(" | ")
        });
    let Some(first_row) = first_row else {
        return Err(ImportError::Empty);
    };
    let mut best: Option<(usize, Layout, Table)> = None;
    for table in tables {
        for (index, (_, cells)) in table.rows.iter().take(HEADER_WITHIN).enumerate() {
            let Some(layout) = Layout::of(cells) else {
                continue;
            };
            if best
                .as_ref()
                .is_none_or(|(_, known, _)| layout.columns() > known.columns())
            {
                best = Some((index, layout, table.clone()));
            }
        }
    }
    let Some((header, layout, mut table)) = best else {
        return Err(ImportError::UnknownHeader {
            first_row: first_row.chars().take(120).collect(),
        });
    };
    table.rows.drain(..=header);
    Ok(Recognised { table, layout })
}

fn delimited(text: &str, separator: u8) -> Result<Table, ImportError> {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut table = Table::default();
    let mut inner_lines = 0;
    let mut record = csv::StringRecord::new();
    // The text is valid UTF-8 and rows may have any length, so a record cannot fail to be read.
    while reader.read_record(&mut record).unwrap_or(false) {
        let line = record
            .position()
            .map_or(0, |position| first_line(text, position));
        let number = u32::try_from(line.saturating_sub(inner_lines)).unwrap_or(u32::MAX);
        inner_lines += record
            .iter()
            .map(|field| field.matches('\n').count() as u64)
            .sum::<u64>();
        let cells: Vec<Cell> = record.iter().take(COLUMNS_MAX).map(text_cell).collect();
        push(&mut table, number, cells)?;
    }
    Ok(table)
}

/// The line a record begins on. The reader's position lies before the blank lines it skipped.
fn first_line(text: &str, position: &csv::Position) -> u64 {
    let rest = usize::try_from(position.byte())
        .ok()
        .and_then(|start| text.as_bytes().get(start..));
    let skipped = rest
        .unwrap_or_default()
        .iter()
        .take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + skipped.filter(|byte| **byte == b'\n').count() as u64
}

fn push(table: &mut Table, number: u32, cells: Vec<Cell>) -> Result<(), ImportError> {
    let blank = |cell: &Cell| {
        cell.text
            .chars()
            .all(|c| matches!(c, ',' | ';') || c.is_whitespace())
    };
    if cells.iter().all(blank) {
        return Ok(());
    }
    if table.rows.len() >= ROWS_MAX {
        return Err(ImportError::TooLarge(format!("more than {ROWS_MAX} rows")));
    }
    table.rows.push((number, cells));
    Ok(())
}

/// A cell of a text file. `="0123"` is how a spreadsheet keeps text text; any other formula has no value here.
fn text_cell(field: &str) -> Cell {
    let text = field.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if let Some(kept) = text
        .strip_prefix("=\"")
        .and_then(|rest| rest.strip_suffix('"'))
    {
        return Cell {
            text: kept.trim().to_owned(),
            ..Cell::default()
        };
    }
    let formula = text.starts_with('=') && text.len() > 1;
    let error = text.starts_with('#') && text.ends_with(['!', '?', 'A']) && text.len() < 9;
    let endless = text.len() > CELL_MAX;
    let shown = if endless {
        text.chars().take(40).collect()
    } else {
        text.to_owned()
    };
    Cell {
        text: shown,
        number: false,
        broken: formula || error || endless,
    }
}

fn workbook(bytes: &[u8]) -> Result<Table, ImportError> {
    let failed = |error: calamine::XlsxError| ImportError::Workbook(error.to_string());
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(failed)?;
    let range = match book.worksheet_range_at(0) {
        Some(range) => range.map_err(failed)?,
        None => return Err(ImportError::Empty),
    };
    let first_row = range.start().map_or(0, |(row, _)| row);
    let mut table = Table::default();
    for (row, number) in range.rows().zip(first_row + 1..) {
        push(
            &mut table,
            number,
            row.iter().take(COLUMNS_MAX).map(workbook_cell).collect(),
        )?;
    }
    Ok(table)
}

fn workbook_cell(data: &Data) -> Cell {
    let plain = |text: String| Cell {
        text,
        ..Cell::default()
    };
    match data {
        Data::Empty => Cell::default(),
        Data::String(text) => text_cell(
            &unicode_normalization::UnicodeNormalization::nfc(text.as_str()).collect::<String>(),
        ),
        // A workbook holds every number as a float; its shortest decimal text is what the sheet shows in full.
        Data::Float(number) => Cell {
            text: number.to_string(),
            number: true,
            broken: !number.is_finite(),
        },
        Data::Int(number) => Cell {
            text: number.to_string(),
            number: true,
            broken: false,
        },
        Data::Bool(value) => plain(if *value { "1" } else { "0" }.into()),
        Data::Error(error) => Cell {
            text: error.to_string(),
            number: false,
            broken: true,
        },
        Data::DateTime(value) => plain(value.to_string()),
        Data::DateTimeIso(text) | Data::DurationIso(text) => plain(text.clone()),
    }
}
