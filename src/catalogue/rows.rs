//! One row of an export as an entry, by what its columns mean.

use std::collections::BTreeMap;

use checkout::{Deposit, Item, ItemId, LocalDate, PriceFrom, TaxClassId, Unit};

use super::barcode;
use super::entry::{ALWAYS, Entry};
use super::fold::fold;
use super::import::{ImportOptions, continues};
use super::layout::{Field, Format, Layout};
use super::number::{NumberFault, Style, is_scientific};
use super::report::{Problem, Severity};
use super::table::Cell;

/// Longest name kept, in characters.
const NAME_MAX: usize = 200;
/// Longest code kept, in characters.
const CODE_MAX: usize = 64;
/// Words for "sold by the kilogram" in a unit column.
const KILOGRAM: &[&str] = &["kg", "ky", "ki", "kilogam", "kilogram", "kilo", "can"];

/// A row, read.
pub(super) struct RowRead {
    pub(super) entry: Entry,
    pub(super) findings: Vec<(Field, Severity, Problem)>,
    pub(super) base_code: Option<String>,
    pub(super) negative_stock: bool,
}

/// What rows further down inherit from the first row of a product.
#[derive(Clone, Default)]
struct Parent {
    name: String,
    handle: String,
    category: String,
    unit: String,
    taxed: String,
    by_weight: String,
    keywords: String,
}

/// Reads rows of one layout.
pub(super) struct RowReader<'a> {
    pub(super) layout: Layout,
    options: &'a ImportOptions,
    price: Style,
    next_price: Style,
    deposit: Style,
    parent: Parent,
    findings: Vec<(Field, Severity, Problem)>,
}

impl<'a> RowReader<'a> {
    pub(super) fn new(
        options: &'a ImportOptions,
        layout: Layout,
        styles: (Style, Style, Style),
    ) -> Self {
        let (price, next_price, deposit) = styles;
        Self {
            layout,
            options,
            price,
            next_price,
            deposit,
            parent: Parent::default(),
            findings: Vec::new(),
        }
    }

    pub(super) fn read(&mut self, cells: &[Cell]) -> RowRead {
        self.findings.clear();
        let own_name = line(self.text(cells, Field::Name));
        self.inherit(cells, &own_name);
        let base_code =
            Some(self.text(cells, Field::BaseCode).to_owned()).filter(|code| !code.is_empty());
        let name = self.name(cells, &own_name, base_code.is_some());
        let code = self.code(cells);
        let barcodes = self.barcodes(cells);
        let category = self.inherited(cells, Field::Category, |parent| &parent.category);
        let (category, more) = top_category(&category);
        let (tax_class, min_age) = self.tax_and_age(cells, &name, &category);
        let unit = self.unit(cells, &barcodes);
        let prices = self.prices(cells);
        let for_sale = self.for_sale(cells);
        let mut keywords = vec![
            self.inherited(cells, Field::Keywords, |parent| &parent.keywords),
            more,
        ];
        keywords.retain(|words| !words.is_empty());
        let item = Item {
            id: ItemId(0),
            code,
            names: self.english(cells, Field::NameEnglish),
            unit,
            prices,
            tax_class,
            min_age,
            deposit: self.deposit(cells, tax_class),
            category,
            groups: list(self.text(cells, Field::Groups)),
            picture: Some(self.text(cells, Field::Picture).to_owned())
                .filter(|key| !key.is_empty()),
            name,
        };
        let negative_stock = self.layout.all(Field::Stock).any(|column| {
            cells
                .get(column)
                .is_some_and(|cell| cell.text.starts_with('-') && cell.text.len() > 1)
        });
        let mut category_names = self.english(cells, Field::CategoryEnglish);
        for name in category_names.values_mut() {
            *name = top_category(name).0;
        }
        let rank = self.text(cells, Field::Rank).parse().unwrap_or(0);
        let entry = Entry {
            item,
            barcodes,
            category_names,
            keywords: keywords.join(" "),
            rank,
            for_sale,
        };
        RowRead {
            entry,
            findings: std::mem::take(&mut self.findings),
            base_code,
            negative_stock,
        }
    }

    fn text<'c>(&self, cells: &'c [Cell], field: Field) -> &'c str {
        let cell = self
            .layout
            .column(field)
            .and_then(|column| cells.get(column));
        cell.map_or("", |cell| cell.text.as_str())
    }

    /// The cell, unless it holds a formula or an error, which is reported.
    fn sound<'c>(&mut self, cells: &'c [Cell], field: Field) -> Option<&'c Cell> {
        let cell = self
            .layout
            .column(field)
            .and_then(|column| cells.get(column))?;
        if cell.broken {
            let shown = cell.text.chars().take(40).collect();
            self.findings
                .push((field, Severity::Error, Problem::BrokenCell { shown }));
            return None;
        }
        Some(cell).filter(|cell| !cell.text.is_empty())
    }

    fn error(&mut self, field: Field, problem: Problem) {
        self.findings.push((field, Severity::Error, problem));
    }

    /// Remembers the first row of a product for the variants below it.
    fn inherit(&mut self, cells: &[Cell], own_name: &str) {
        let handle = self.text(cells, Field::Handle);
        let same = own_name.is_empty() && (handle.is_empty() || handle == self.parent.handle);
        if continues(self.layout.format) && same {
            return;
        }
        let copy = |field| self.text(cells, field).to_owned();
        self.parent = Parent {
            name: own_name.to_owned(),
            handle: handle.to_owned(),
            category: copy(Field::Category),
            unit: copy(Field::Unit),
            taxed: copy(Field::Taxed),
            by_weight: copy(Field::ByWeight),
            keywords: copy(Field::Keywords),
        };
    }

    fn inherited(&self, cells: &[Cell], field: Field, of: impl Fn(&Parent) -> &String) -> String {
        let own = line(self.text(cells, field));
        if own.is_empty() && continues(self.layout.format) {
            line(of(&self.parent))
        } else {
            own
        }
    }

    fn name(&mut self, cells: &[Cell], own_name: &str, other_unit: bool) -> String {
        let base = if own_name.is_empty() && continues(self.layout.format) {
            &self.parent.name
        } else {
            own_name
        };
        let base = base.to_owned();
        if base.is_empty() {
            self.error(Field::Name, Problem::NameMissing);
            return base;
        }
        if self.sound(cells, Field::Name).is_none() && !own_name.is_empty() {
            return base;
        }
        let mut details: Vec<String> = self
            .layout
            .all(Field::Variant)
            .filter_map(|column| cells.get(column))
            .flat_map(|cell| cell.text.split('|'))
            .map(|part| line(part.rsplit_once(':').map_or(part, |(_, value)| value)))
            .filter(|part| {
                !part.is_empty()
                    && !matches!(
                        fold(part).as_str(),
                        "mac dinh" | "default title" | "default"
                    )
            })
            .collect();
        if other_unit {
            let unit = [
                self.text(cells, Field::Unit),
                self.text(cells, Field::Factor),
            ]
            .join(" ");
            details.push(line(&unit));
        }
        details.retain(|detail| !detail.is_empty());
        let name = if details.is_empty() {
            base
        } else {
            format!("{base} ({})", details.join(", "))
        };
        name.chars().take(NAME_MAX).collect()
    }

    fn english(&self, cells: &[Cell], field: Field) -> BTreeMap<String, String> {
        let english = line(self.text(cells, field));
        if english.is_empty() {
            BTreeMap::new()
        } else {
            BTreeMap::from([("en".to_owned(), english)])
        }
    }

    fn code(&mut self, cells: &[Cell]) -> String {
        let Some(cell) = self.sound(cells, Field::Code) else {
            return String::new();
        };
        let code = line(cell.text.trim_start_matches('\''));
        if code.chars().count() > CODE_MAX {
            self.error(
                Field::Code,
                Problem::CodeTooLong {
                    shown: code.chars().take(20).collect(),
                },
            );
        } else if is_scientific(&code) && code.contains('+') {
            self.error(
                Field::Code,
                Problem::CodeScientific {
                    shown: code.clone(),
                },
            );
        }
        code
    }

    fn barcodes(&mut self, cells: &[Cell]) -> Vec<String> {
        let Some(cell) = self.sound(cells, Field::Barcode) else {
            return Vec::new();
        };
        let read = barcode::read(cell);
        let findings = read
            .findings
            .into_iter()
            .map(|(severity, problem)| (Field::Barcode, severity, problem));
        self.findings.extend(findings);
        read.codes
    }

    fn unit(&mut self, cells: &[Cell], barcodes: &[String]) -> Unit {
        let label = self.inherited(cells, Field::Unit, |parent| &parent.unit);
        let stated = self.inherited(cells, Field::ByWeight, |parent| &parent.by_weight);
        let kilogram = KILOGRAM.contains(&fold(&label).as_str());
        let weighed = match self.yes_no(Field::ByWeight, &stated) {
            Some(answer) => answer,
            // A product with the maker's barcode on it is a packet, whatever its unit says.
            None => {
                kilogram
                    && !barcodes
                        .iter()
                        .any(|code| barcode::is_gtin(code) && !code.starts_with('2'))
            }
        };
        if weighed {
            let label = if label.is_empty() || kilogram {
                "kg".to_owned()
            } else {
                label
            };
            return Unit::Weight { label, decimals: 3 };
        }
        Unit::Piece {
            label: if label.is_empty() {
                "cái".to_owned()
            } else {
                label
            },
        }
    }

    fn tax_and_age(
        &mut self,
        cells: &[Cell],
        name: &str,
        category: &str,
    ) -> (TaxClassId, Option<u8>) {
        let restriction = self.options.restriction(name, category);
        let stated = self.stated_tax(cells);
        let usual = restriction
            .and_then(|restricted| restricted.tax_class)
            .unwrap_or(self.options.default_tax);
        let age = self.text(cells, Field::MinAge).to_owned();
        let min_age = if age.is_empty() {
            let assumed = restriction.map(|restricted| restricted.min_age);
            if let Some(age) = assumed {
                self.findings
                    .push((Field::Name, Severity::Note, Problem::AgeAssumed { age }));
            }
            assumed
        } else {
            match age.parse::<u8>() {
                Ok(0) => None,
                Ok(years) if years <= 99 => Some(years),
                _ => {
                    self.error(Field::MinAge, Problem::AgeUnreadable { shown: age });
                    None
                }
            }
        };
        (stated.unwrap_or(usual), min_age)
    }

    /// The tax class the row itself states.
    fn stated_tax(&mut self, cells: &[Cell]) -> Option<TaxClassId> {
        let taxes = &self.options.taxes;
        let class = self.text(cells, Field::TaxClass).to_owned();
        if !class.is_empty() {
            let number = class.parse().ok().map(TaxClassId);
            let found = taxes
                .iter()
                .find(|tax| Some(tax.id) == number || fold(&tax.name) == fold(&class));
            if found.is_none() {
                self.error(Field::TaxClass, Problem::TaxUnknown { shown: class });
            }
            return found.map(|tax| tax.id);
        }
        let rate = self.text(cells, Field::Tax).to_owned();
        if !rate.is_empty() {
            if matches!(fold(&rate).as_str(), "kct" | "khong chiu thue" | "none") {
                return Some(self.options.untaxed);
            }
            let points = basis_points(&rate);
            let date = self.options.date;
            let found = taxes.iter().find(|tax| {
                let rate = tax.rate_at(date).filter(|rate| rate.treatment.is_rated());
                points.is_some() && rate.map(|rate| rate.basis_points) == points
            });
            if found.is_none() {
                self.error(Field::Tax, Problem::TaxUnknown { shown: rate });
            }
            return found.map(|tax| tax.id);
        }
        let taxed = self.inherited(cells, Field::Taxed, |parent| &parent.taxed);
        match self.yes_no(Field::Taxed, &taxed) {
            Some(false) => Some(self.options.untaxed),
            _ => None,
        }
    }

    fn prices(&mut self, cells: &[Cell]) -> Vec<PriceFrom> {
        let columns: Vec<usize> = self.layout.all(Field::Price).collect();
        let cell = columns
            .iter()
            .filter_map(|column| cells.get(*column))
            .find(|cell| !cell.text.is_empty());
        let mut prices = Vec::new();
        match cell {
            None => self
                .findings
                .push((Field::Price, Severity::Warning, Problem::PriceMissing)),
            Some(cell)
                if matches!(fold(&cell.text).as_str(), "variable" | "thay doi" | "tuy y") =>
            {
                self.findings
                    .push((Field::Price, Severity::Warning, Problem::PriceOpen));
            }
            Some(cell) => match self.amount(cell, Field::Price, self.price) {
                Some(0) => {
                    self.findings
                        .push((Field::Price, Severity::Warning, Problem::PriceMissing))
                }
                Some(price_minor) => {
                    let from = self.date(cells, Field::PriceFrom).unwrap_or(ALWAYS);
                    prices.push(PriceFrom { from, price_minor });
                }
                None => {}
            },
        }
        if let Some(cell) = self.sound(cells, Field::NextPrice)
            && let (Some(price_minor), Some(from)) = (
                self.amount(cell, Field::NextPrice, self.next_price),
                self.date(cells, Field::NextPriceFrom),
            )
        {
            prices.push(PriceFrom { from, price_minor });
        }
        prices
    }

    fn amount(&mut self, cell: &Cell, field: Field, style: Style) -> Option<i64> {
        let shown: String = cell.text.chars().take(40).collect();
        if cell.broken {
            self.error(field, Problem::BrokenCell { shown });
            return None;
        }
        let problem = match style.amount(cell, self.options.currency.exponent()) {
            Ok(amount) => return Some(amount),
            Err(NumberFault::NotANumber | NumberFault::Scientific) => {
                Problem::PriceUnreadable { shown }
            }
            Err(NumberFault::Ambiguous) => Problem::PriceAmbiguous { shown },
            Err(NumberFault::Fraction) => Problem::PriceFraction { shown },
            Err(NumberFault::Negative) => Problem::PriceNegative { shown },
            Err(NumberFault::TooLarge) => Problem::PriceTooLarge { shown },
        };
        self.error(field, problem);
        None
    }

    fn date(&mut self, cells: &[Cell], field: Field) -> Option<LocalDate> {
        let text = self.text(cells, field).to_owned();
        if text.is_empty() && field == Field::PriceFrom {
            return None;
        }
        let parts: Vec<&str> = text.split('/').collect();
        let iso = match parts[..] {
            [day, month, year] => format!("{year}-{month:0>2}-{day:0>2}"),
            _ => text.clone(),
        };
        let date = iso.parse().ok();
        if date.is_none() {
            self.error(field, Problem::DateUnreadable { shown: text });
        }
        date
    }

    fn for_sale(&mut self, cells: &[Cell]) -> bool {
        // KiotViet has two switches, and both must be on; of Loyverse's one per shop the first counts.
        let count = if self.layout.format == Format::KiotViet {
            usize::MAX
        } else {
            1
        };
        let columns: Vec<usize> = self.layout.all(Field::ForSale).take(count).collect();
        let texts: Vec<String> = columns
            .iter()
            .filter_map(|column| cells.get(*column))
            .map(|cell| cell.text.clone())
            .collect();
        let on = texts
            .iter()
            .all(|text| self.yes_no(Field::ForSale, text) != Some(false));
        if !on {
            self.findings
                .push((Field::ForSale, Severity::Note, Problem::NotForSale));
        }
        on
    }

    fn deposit(&mut self, cells: &[Cell], tax_class: TaxClassId) -> Option<Deposit> {
        let cell = self.sound(cells, Field::Deposit)?;
        let amount_minor = self.amount(cell, Field::Deposit, self.deposit)?;
        (amount_minor > 0).then(|| Deposit {
            name: "Tiền cọc vỏ".to_owned(),
            amount_minor,
            tax_class,
        })
    }

    /// Yes, no, or nothing said; anything else is reported.
    fn yes_no(&mut self, field: Field, text: &str) -> Option<bool> {
        match fold(text).as_str() {
            "" => None,
            "1" | "y" | "yes" | "co" | "true" | "x" | "dung" => Some(true),
            "0" | "n" | "no" | "khong" | "false" | "sai" => Some(false),
            _ => {
                self.error(
                    field,
                    Problem::YesNoUnreadable {
                        shown: text.chars().take(40).collect(),
                    },
                );
                None
            }
        }
    }
}

/// One line: no line breaks, no control characters (a name must never command a printer), single spaces.
fn line(text: &str) -> String {
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    clean.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A list in one cell.
fn list(text: &str) -> Vec<String> {
    text.split([';', '|'])
        .map(line)
        .filter(|part| !part.is_empty())
        .collect()
}

/// "Đồ uống>>Nước ngọt": the first level is the category, the rest can be searched for.
fn top_category(path: &str) -> (String, String) {
    let mut levels = path.split(">>").map(line).filter(|level| !level.is_empty());
    let top = levels.next().unwrap_or_default();
    (top, levels.collect::<Vec<_>>().join(" "))
}

/// "8", "8%", "8,5 %" in hundredths of a percent.
fn basis_points(text: &str) -> Option<u32> {
    let text = text.trim().trim_end_matches('%').trim().replace(',', ".");
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    if fraction.len() > 2 {
        return None;
    }
    format!("{whole}{fraction:0<2}")
        .parse()
        .ok()
        .filter(|points| *points <= 10_000)
}
