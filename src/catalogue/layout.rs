//! Recognising a file by its header row, whatever the order of its columns.

use super::fold::fold;
use super::table::Cell;

/// Whose export a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own ([`super::help::HELP`]).
    Own,
    /// KiotViet "DanhSachSanPham".
    KiotViet,
    /// Sapo.
    Sapo,
    /// Loyverse `export_items.csv`.
    Loyverse,
}

impl Format {
    /// Its name for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Own => "Điểm Chạm",
            Self::KiotViet => "KiotViet",
            Self::Sapo => "Sapo",
            Self::Loyverse => "Loyverse",
        }
    }
}

/// What a column means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Name,
    NameEnglish,
    Code,
    Barcode,
    Category,
    CategoryEnglish,
    Unit,
    ByWeight,
    Price,
    PriceFrom,
    NextPrice,
    NextPriceFrom,
    /// VAT in percent, or a word for "none".
    Tax,
    TaxClass,
    /// Whether VAT applies at all.
    Taxed,
    MinAge,
    Deposit,
    Groups,
    Picture,
    Keywords,
    Rank,
    ForSale,
    /// Words that tell variants of one name apart.
    Variant,
    /// The name shared by the rows of one product.
    Handle,
    /// KiotViet: the code of the product in its base unit, and how many of those this unit holds.
    BaseCode,
    Factor,
    /// Read for the report only: a negative stock says nothing about selling.
    Stock,
}

/// A header text folded, and how it must match.
enum Title {
    Is(&'static str),
    Begins(&'static str),
}
use Title::{Begins, Is};

const OWN: &[(Field, &[Title])] = &[
    (Field::Name, &[Is("ten"), Is("name")]),
    (Field::NameEnglish, &[Is("ten tieng anh"), Is("name en")]),
    (Field::Code, &[Is("ma"), Is("code")]),
    (
        Field::Barcode,
        &[Is("ma vach"), Is("barcode"), Is("barcodes")],
    ),
    (Field::Category, &[Is("nhom"), Is("category")]),
    (
        Field::CategoryEnglish,
        &[Is("nhom tieng anh"), Is("category en")],
    ),
    (Field::Unit, &[Is("don vi"), Is("unit")]),
    (Field::ByWeight, &[Is("ban theo can"), Is("by weight")]),
    (Field::Price, &[Is("gia"), Is("price")]),
    (Field::PriceFrom, &[Is("gia tu ngay"), Is("price from")]),
    (Field::NextPrice, &[Is("gia moi"), Is("next price")]),
    (
        Field::NextPriceFrom,
        &[Is("gia moi tu ngay"), Is("next price from")],
    ),
    (Field::Tax, &[Is("thue"), Is("tax")]),
    (Field::TaxClass, &[Is("loai thue"), Is("tax class")]),
    (Field::MinAge, &[Is("tuoi toi thieu"), Is("min age")]),
    (Field::Deposit, &[Is("tien coc"), Is("deposit")]),
    (Field::Groups, &[Is("nhom khuyen mai"), Is("groups")]),
    (Field::Picture, &[Is("hinh"), Is("picture")]),
    (Field::Keywords, &[Is("tu khoa"), Is("keywords")]),
    (Field::Rank, &[Is("thu tu"), Is("rank")]),
    (Field::ForSale, &[Is("dang ban"), Is("for sale")]),
];

const KIOTVIET: &[(Field, &[Title])] = &[
    (Field::Name, &[Is("ten hang")]),
    (Field::Price, &[Is("gia ban")]),
    (Field::Code, &[Is("ma hang")]),
    (Field::Barcode, &[Is("ma vach")]),
    (Field::Category, &[Begins("nhom hang")]),
    (Field::Unit, &[Is("dvt")]),
    (Field::BaseCode, &[Is("ma dvt co ban")]),
    (Field::Factor, &[Is("quy doi")]),
    (Field::Variant, &[Is("thuoc tinh")]),
    (
        Field::ForSale,
        &[Is("dang kinh doanh"), Is("duoc ban truc tiep")],
    ),
    (Field::Keywords, &[Is("thuong hieu")]),
    (Field::Stock, &[Is("ton kho")]),
];

const SAPO: &[(Field, &[Title])] = &[
    (Field::Name, &[Is("ten san pham")]),
    (Field::Price, &[Is("pl gia ban le")]),
    (Field::Code, &[Is("ma sku"), Is("sku")]),
    (Field::Barcode, &[Is("barcode"), Is("ma vach")]),
    (Field::Category, &[Is("loai san pham")]),
    (Field::Keywords, &[Is("nhan hieu"), Is("tags")]),
    (Field::Variant, &[Begins("gia tri thuoc tinh")]),
    (Field::Unit, &[Is("don vi")]),
    (Field::Taxed, &[Is("ap dung thue")]),
    (Field::Stock, &[Begins("lc cn 1 ton kho")]),
];

const LOYVERSE: &[(Field, &[Title])] = &[
    (Field::Name, &[Is("name")]),
    (Field::Price, &[Begins("price"), Is("default price")]),
    (Field::Handle, &[Is("handle")]),
    (Field::Code, &[Is("sku")]),
    (Field::Barcode, &[Is("barcode")]),
    (Field::Category, &[Is("category")]),
    (Field::ByWeight, &[Is("sold by weight")]),
    (
        Field::Variant,
        &[
            Is("option 1 value"),
            Is("option 2 value"),
            Is("option 3 value"),
        ],
    ),
    (Field::ForSale, &[Begins("available for sale")]),
    (Field::Stock, &[Begins("in stock")]),
];

/// What the columns of a file mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Whose export it is.
    pub format: Format,
    columns: Vec<(Field, usize, String)>,
}

impl Layout {
    /// Recognises a header row; `None` when it is not one.
    pub(super) fn of(cells: &[Cell]) -> Option<Self> {
        let titles: Vec<String> = cells.iter().map(|cell| fold(&cell.text)).collect();
        let known = |title: &str| titles.iter().any(|known| known == title);
        let format = if known("handle") && known("name") {
            Format::Loyverse
        } else if known("ten san pham") && known("pl gia ban le") {
            Format::Sapo
        } else if known("ten hang") && known("gia ban") {
            Format::KiotViet
        } else {
            Format::Own
        };
        let fields = match format {
            Format::Own => OWN,
            Format::KiotViet => KIOTVIET,
            Format::Sapo => SAPO,
            Format::Loyverse => LOYVERSE,
        };
        let mut columns = Vec::new();
        for (field, spellings) in fields {
            for (index, title) in titles.iter().enumerate() {
                let fits = spellings.iter().any(|spelling| match spelling {
                    Is(whole) => title == whole,
                    Begins(start) => title.starts_with(start),
                });
                if fits {
                    columns.push((*field, index, cells[index].text.clone()));
                }
            }
        }
        let layout = Self { format, columns };
        (layout.column(Field::Name).is_some() && layout.column(Field::Price).is_some())
            .then_some(layout)
    }

    /// How many columns are understood.
    pub(super) fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The first column with this meaning.
    pub(super) fn column(&self, field: Field) -> Option<usize> {
        self.all(field).next()
    }

    /// Every column with this meaning.
    pub(super) fn all(&self, field: Field) -> impl Iterator<Item = usize> {
        self.columns
            .iter()
            .filter(move |(known, ..)| *known == field)
            .map(|(_, index, _)| *index)
    }

    /// The title of the column with this meaning, as the file writes it.
    pub(super) fn title(&self, field: Field) -> String {
        let found = self.columns.iter().find(|(known, ..)| *known == field);
        found.map(|(.., title)| title.clone()).unwrap_or_default()
    }
}
