//! From the bytes of an export to catalogue entries and a report; nothing is written anywhere.

use std::collections::HashMap;

use checkout::{Currency, LocalDate, TaxClass, TaxClassId};

use super::entry::Entry;
use super::fold::{accented, barcode_key};
use super::layout::{Field, Format, Layout};
use super::number::Style;
use super::report::{Problem, Report, Severity};
use super::rows::RowReader;
use super::table::{self, Cell, ImportError};

/// Goods the law sells only to adults, told by a word of their category or the first words of their name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restricted {
    /// The word or words, lower case, with accents.
    pub words: String,
    /// Youngest age that may buy it.
    pub min_age: u8,
    /// Its tax class, where that differs from the default (Vietnam's reduced VAT leaves out alcohol and tobacco).
    pub tax_class: Option<TaxClassId>,
}

/// How to read a catalogue file.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    /// Leave out rows with errors instead of importing nothing.
    pub skip_bad: bool,
    /// Currency of the prices.
    pub currency: Currency,
    /// The shop's tax classes.
    pub taxes: Vec<TaxClass>,
    /// Class of items whose row says nothing.
    pub default_tax: TaxClassId,
    /// Class of items that are not taxed (Sapo: "Áp dụng thuế" = "Không").
    pub untaxed: TaxClassId,
    /// The day the rates in the file are compared with.
    pub date: LocalDate,
    /// Goods for adults.
    pub restricted: Vec<Restricted>,
}

impl ImportOptions {
    /// Options for a shop with these classes; the first is the default, the last the one for untaxed goods.
    /// Alcohol and tobacco are for people of 18 and over, taxed as `adult_tax` says.
    #[must_use]
    pub fn new(
        currency: Currency,
        taxes: Vec<TaxClass>,
        date: LocalDate,
        adult_tax: Option<TaxClassId>,
    ) -> Self {
        let restricted = [
            "bia",
            "rượu",
            "thuốc lá",
            "xì gà",
            "beer",
            "wine",
            "tobacco",
            "cigarettes",
        ]
        .map(|words| Restricted {
            words: words.to_owned(),
            min_age: 18,
            tax_class: adult_tax,
        });
        let class = |class: Option<&TaxClass>| class.map_or(TaxClassId(0), |class| class.id);
        Self {
            skip_bad: false,
            currency,
            default_tax: class(taxes.first()),
            untaxed: class(taxes.last()),
            taxes,
            date,
            restricted: restricted.into(),
        }
    }

    /// The restriction an item falls under, if any.
    pub(super) fn restriction(&self, name: &str, category: &str) -> Option<&Restricted> {
        let spaced = |text: &str| {
            format!(
                " {} ",
                accented(text)
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
            )
        };
        let (name, category) = (spaced(name), spaced(category));
        self.restricted.iter().find(|restricted| {
            let words = format!(" {} ", restricted.words);
            category.contains(&words) || name.starts_with(&words)
        })
    }
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The entries; empty when there are errors and bad rows are not to be skipped.
    pub entries: Vec<Entry>,
    /// What was found.
    pub report: Report,
}

impl Import {
    /// Whether the entries may be put to use.
    #[must_use]
    pub fn accepted(&self) -> bool {
        !self.entries.is_empty()
    }
}

/// Reads a catalogue file. `progress` gets (rows done, rows in all) now and then.
///
/// # Errors
/// [`ImportError`] when the file is no catalogue at all; bad rows are in the report.
pub fn import(
    bytes: &[u8],
    options: &ImportOptions,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Import, ImportError> {
    let recognised = table::read(bytes)?;
    let rows = recognised.table.rows;
    let mut collector = Collector::new(options, recognised.layout, &rows);
    for (done, (number, cells)) in rows.iter().enumerate() {
        collector.row(*number, cells);
        if done % 1000 == 0 {
            progress(done, rows.len());
        }
    }
    progress(rows.len(), rows.len());
    Ok(collector.finish())
}

/// Gathers entries and watches what rows must not share.
struct Collector<'a> {
    reader: RowReader<'a>,
    options: &'a ImportOptions,
    report: Report,
    entries: Vec<Entry>,
    codes: HashMap<String, u32>,
    barcodes: HashMap<String, u32>,
    names: HashMap<String, u32>,
    base_codes: Vec<(u32, String)>,
    negative_stock: u32,
    made_codes: u32,
}

impl<'a> Collector<'a> {
    fn new(options: &'a ImportOptions, layout: Layout, rows: &[(u32, Vec<Cell>)]) -> Self {
        let style = |field: Field| {
            let columns: Vec<usize> = layout.all(field).collect();
            Style::of(
                rows.iter()
                    .flat_map(|(_, cells)| columns.iter().filter_map(|column| cells.get(*column))),
            )
        };
        let styles = (
            style(Field::Price),
            style(Field::NextPrice),
            style(Field::Deposit),
        );
        let mut report = Report::new(layout.format);
        let prices = layout.all(Field::Price).count();
        if prices > 1 {
            let title = layout.title(Field::Price);
            report.add(
                0,
                &title,
                Severity::Note,
                Problem::ManyPrices { columns: prices },
            );
        }
        Self {
            reader: RowReader::new(options, layout, styles),
            options,
            report,
            entries: Vec::with_capacity(rows.len()),
            codes: HashMap::with_capacity(rows.len()),
            barcodes: HashMap::with_capacity(rows.len()),
            names: HashMap::with_capacity(rows.len()),
            base_codes: Vec::new(),
            negative_stock: 0,
            made_codes: 0,
        }
    }

    fn row(&mut self, number: u32, cells: &[Cell]) {
        self.report.rows += 1;
        let mut read = self.reader.read(cells);
        self.negative_stock += u32::from(read.negative_stock);
        if read.entry.item.name.is_empty() {
            // A product without a name has nothing else worth checking.
        } else if read.entry.item.code.is_empty() {
            self.make_code(&mut read.entry);
        } else if let Some(by_row) = self.codes.get(&read.entry.item.code) {
            let problem = Problem::CodeTaken {
                shown: read.entry.item.code.clone(),
                by_row: *by_row,
            };
            read.findings.push((Field::Code, Severity::Error, problem));
        }
        self.check_barcodes(&mut read.entry, &mut read.findings);
        let layout = &self.reader.layout;
        let bad = read
            .findings
            .iter()
            .any(|(_, severity, _)| *severity == Severity::Error);
        for (field, severity, problem) in read.findings {
            self.report
                .add(number, &layout.title(field), severity, problem);
        }
        if bad {
            self.report.left_out += 1;
            return;
        }
        self.keep(number, read.entry, read.base_code);
    }

    fn keep(&mut self, number: u32, mut entry: Entry, base_code: Option<String>) {
        let item = &mut entry.item;
        item.id = super::entry::item_id(&item.code);
        self.codes.insert(item.code.clone(), number);
        for code in &entry.barcodes {
            self.barcodes.insert(barcode_key(code), number);
        }
        if let Some(first_row) = self.names.get(&item.name) {
            let problem = Problem::SameNameTwice {
                first_row: *first_row,
            };
            let title = self.reader.layout.title(Field::Name);
            self.report.add(number, &title, Severity::Warning, problem);
        } else {
            self.names.insert(item.name.clone(), number);
        }
        self.base_codes.extend(base_code.map(|code| (number, code)));
        self.report.items += 1;
        self.report.not_sellable += u32::from(!entry.sellable());
        self.entries.push(entry);
    }

    /// A lasting code for a row without one: its barcode, else made from its name (and its place among equal names),
    /// so that importing the file again meets the same item.
    fn make_code(&mut self, entry: &mut Entry) {
        self.made_codes += 1;
        let barcode = entry
            .barcodes
            .first()
            .filter(|code| !self.codes.contains_key(*code));
        entry.item.code = barcode.cloned().unwrap_or_else(|| {
            let name = entry.item.name.to_lowercase();
            let unit = entry.item.unit.label();
            let mut codes =
                (1_u32..).map(|occurrence| made_code(&format!("{name}\n{unit}\n{occurrence}")));
            codes
                .find(|code| !self.codes.contains_key(code))
                .unwrap_or_default()
        });
    }

    fn check_barcodes(&self, entry: &mut Entry, findings: &mut Vec<(Field, Severity, Problem)>) {
        let mut own = Vec::new();
        for code in std::mem::take(&mut entry.barcodes) {
            let key = barcode_key(&code);
            if own.contains(&key) {
                continue;
            }
            if let Some(by_row) = self.barcodes.get(&key) {
                let problem = Problem::BarcodeTaken {
                    shown: code,
                    by_row: *by_row,
                };
                findings.push((Field::Barcode, Severity::Error, problem));
                continue;
            }
            own.push(key);
            entry.barcodes.push(code);
        }
        // Shops without a barcode column keep the barcode as the product's code.
        let code = &entry.item.code;
        let key = barcode_key(code);
        if super::barcode::is_gtin(code) && !own.contains(&key) && !self.barcodes.contains_key(&key)
        {
            entry.barcodes.push(code.clone());
        }
    }

    fn finish(mut self) -> Import {
        for (row, code) in std::mem::take(&mut self.base_codes) {
            if !self.codes.contains_key(&code) {
                let title = self.reader.layout.title(Field::BaseCode);
                self.report.add(
                    row,
                    &title,
                    Severity::Note,
                    Problem::BaseUnitUnknown { shown: code },
                );
            }
        }
        if self.negative_stock > 0 {
            let title = self.reader.layout.title(Field::Stock);
            self.report.add(
                0,
                &title,
                Severity::Note,
                Problem::NegativeStock {
                    rows: self.negative_stock,
                },
            );
        }
        if self.made_codes > 0 {
            let title = self.reader.layout.title(Field::Code);
            self.report.add(
                0,
                &title,
                Severity::Note,
                Problem::CodesMade {
                    rows: self.made_codes,
                },
            );
        }
        self.report.findings.sort_by_key(|finding| finding.row);
        if self.report.errors > 0 && !self.options.skip_bad {
            self.entries.clear();
        }
        Import {
            entries: self.entries,
            report: self.report,
        }
    }
}

/// Fifty bits of SHA-256 in Crockford's base 32, after a letter that no scanner sends alone.
fn made_code(text: &str) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let mut bits = super::entry::item_id(text).0;
    let mut code = String::from("T");
    for _ in 0..10 {
        code.push(char::from(ALPHABET[(bits & 31) as usize]));
        bits >>= 5;
    }
    code
}

/// Whether a format's rows may leave the name empty, because they are further variants of the row above.
pub(super) fn continues(format: Format) -> bool {
    matches!(format, Format::Sapo | Format::Loyverse)
}
