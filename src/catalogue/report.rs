//! What an import found: one line for everything a person should know or do.

use serde::{Deserialize, Serialize};

use super::layout::Format;

/// Most findings kept in full; the counts go on.
const FINDINGS_MAX: usize = 5_000;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Severity {
    /// Imported as it should be; worth knowing.
    Note,
    /// Imported, but somebody should look.
    Warning,
    /// The row cannot be imported.
    Error,
}

/// What was found in a cell or row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the texts below say what each means")]
pub enum Problem {
    NameMissing,
    BrokenCell { shown: String },
    BarcodeScientific { shown: String },
    BarcodeCheckDigit { shown: String, right: String },
    BarcodeUnreadable { shown: String },
    BarcodeTaken { shown: String, by_row: u32 },
    BarcodeZeroRestored { shown: String, restored: String },
    BarcodeZeroMaybeLost { shown: String, maybe: String },
    CodeTaken { shown: String, by_row: u32 },
    CodeTooLong { shown: String },
    CodeScientific { shown: String },
    SameNameTwice { first_row: u32 },
    PriceUnreadable { shown: String },
    PriceAmbiguous { shown: String },
    PriceFraction { shown: String },
    PriceNegative { shown: String },
    PriceTooLarge { shown: String },
    PriceMissing,
    PriceOpen,
    NotForSale,
    DateUnreadable { shown: String },
    TaxUnknown { shown: String },
    AgeUnreadable { shown: String },
    AgeAssumed { age: u8 },
    YesNoUnreadable { shown: String },
    BaseUnitUnknown { shown: String },
    ManyPrices { columns: usize },
    NegativeStock { rows: u32 },
    CodesMade { rows: u32 },
}

/// A finding with its place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Row as the spreadsheet program shows it; 0 for the whole file.
    pub row: u32,
    /// Title of the column, or empty for the whole row.
    pub column: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub problem: Problem,
}

/// The outcome of reading a catalogue file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Whose export it was.
    pub format: Format,
    /// Rows below the header that are not blank.
    pub rows: u32,
    /// Items that were (or would be) imported.
    pub items: u32,
    /// Of these, items that cannot be sold: no price, or switched off.
    pub not_sellable: u32,
    /// Rows left out because of errors.
    pub left_out: u32,
    /// Number of errors.
    pub errors: u32,
    /// Number of warnings.
    pub warnings: u32,
    /// The findings in order of rows (the first [`FINDINGS_MAX`] of them).
    pub findings: Vec<Finding>,
}

impl Report {
    pub(super) fn new(format: Format) -> Self {
        Self {
            format,
            rows: 0,
            items: 0,
            not_sellable: 0,
            left_out: 0,
            errors: 0,
            warnings: 0,
            findings: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, row: u32, column: &str, severity: Severity, problem: Problem) {
        match severity {
            Severity::Error => self.errors += 1,
            Severity::Warning => self.warnings += 1,
            Severity::Note => {}
        }
        if self.findings.len() < FINDINGS_MAX {
            self.findings.push(Finding {
                row,
                column: column.to_owned(),
                severity,
                problem,
            });
        }
    }
}

impl Finding {
    /// The finding as one line in `language` (`vi`, else English): place, what is wrong, what to do.
    #[must_use]
    pub fn line(&self, language: &str) -> String {
        let vietnamese = language == "vi";
        let (what, remedy) = if vietnamese {
            self.problem.vi()
        } else {
            self.problem.en()
        };
        let place = match (self.row, self.column.is_empty(), vietnamese) {
            (0, ..) => {
                if vietnamese {
                    "Cả tệp".to_owned()
                } else {
                    "Whole file".to_owned()
                }
            }
            (row, true, true) => format!("Dòng {row}"),
            (row, true, false) => format!("Row {row}"),
            (row, false, true) => format!("Dòng {row}, cột “{}”", self.column),
            (row, false, false) => format!("Row {row}, column “{}”", self.column),
        };
        if remedy.is_empty() {
            format!("{place}: {what}.")
        } else {
            format!("{place}: {what}. {remedy}.")
        }
    }
}

impl Problem {
    fn vi(&self) -> (String, &'static str) {
        let s = str::to_owned;
        match self {
            Self::NameMissing => (s("thiếu tên hàng"), "Điền tên, hoặc xóa dòng này"),
            Self::BrokenCell { shown } => (
                format!("ô chứa công thức hoặc lỗi ({shown})"),
                "Trong bảng tính: chép cột này rồi dán lại dạng “chỉ giá trị”, và lưu lại",
            ),
            Self::BarcodeScientific { shown } => (
                format!("mã vạch đã bị bảng tính đổi thành {shown}, các số cuối đã mất"),
                "Xuất lại tệp; đổi định dạng cột mã vạch thành Văn bản trước khi lưu",
            ),
            Self::BarcodeCheckDigit { shown, right } => (
                format!("mã vạch {shown} sai số kiểm tra (số cuối đúng ra là {right})"),
                "Quét lại mã trên sản phẩm và sửa",
            ),
            Self::BarcodeUnreadable { shown } => (
                format!("mã vạch {shown} có ký tự không đọc được hoặc quá dài"),
                "Quét lại mã trên sản phẩm và sửa",
            ),
            Self::BarcodeTaken { shown, by_row } => (
                format!("mã vạch {shown} đã dùng cho hàng ở dòng {by_row}"),
                "Mỗi mã vạch chỉ thuộc một mặt hàng: sửa hoặc xóa một trong hai",
            ),
            Self::BarcodeZeroRestored { shown, restored } => (
                format!("mã vạch {shown} mất số 0 ở đầu, đã đọc là {restored}"),
                "Kiểm tra bằng cách quét thử",
            ),
            Self::BarcodeZeroMaybeLost { shown, maybe } => (
                format!("mã {shown} có thể là {maybe} mất số 0 ở đầu; giữ như đã ghi"),
                "Quét thử; nếu không nhận ra, sửa cột thành Văn bản và thêm số 0",
            ),
            Self::CodeTaken { shown, by_row } => (
                format!("mã hàng {shown} đã có ở dòng {by_row}"),
                "Đặt cho mỗi mặt hàng một mã riêng",
            ),
            Self::CodeTooLong { shown } => (
                format!("mã hàng {shown}… dài hơn 64 ký tự"),
                "Đặt mã ngắn hơn",
            ),
            Self::CodeScientific { shown } => (
                format!("mã hàng đã bị bảng tính đổi thành {shown}"),
                "Xuất lại tệp; đổi định dạng cột mã hàng thành Văn bản trước khi lưu",
            ),
            Self::SameNameTwice { first_row } => (
                format!("trùng tên với dòng {first_row}; đã nhập thành hai mặt hàng"),
                "Nếu là một, xóa bớt một dòng",
            ),
            Self::PriceUnreadable { shown } => (
                format!("giá “{shown}” không phải là số"),
                "Ghi giá bằng số, ví dụ 25000",
            ),
            Self::PriceAmbiguous { shown } => (
                format!("không rõ dấu chấm, phẩy trong giá “{shown}” là hàng nghìn hay thập phân"),
                "Ghi giá không có dấu, ví dụ 25000",
            ),
            Self::PriceFraction { shown } => (
                format!("giá “{shown}” có phần lẻ nhỏ hơn đơn vị tiền"),
                "Làm tròn giá",
            ),
            Self::PriceNegative { shown } => (format!("giá “{shown}” là số âm"), "Sửa giá"),
            Self::PriceTooLarge { shown } => (
                format!("giá “{shown}” quá lớn, có thể là mã vạch"),
                "Kiểm tra lại cột giá",
            ),
            Self::PriceMissing => (
                s("không có giá: đã nhập nhưng chưa bán được"),
                "Điền giá rồi nhập lại",
            ),
            Self::PriceOpen => (
                s("giá thay đổi khi bán: đã nhập nhưng chưa bán được"),
                "Điền một giá cố định",
            ),
            Self::NotForSale => (s("hàng ngừng bán: đã nhập nhưng không bán"), ""),
            Self::DateUnreadable { shown } => (
                format!("ngày “{shown}” không đọc được"),
                "Ghi năm-tháng-ngày, ví dụ 2027-01-01",
            ),
            Self::TaxUnknown { shown } => (
                format!("không có loại thuế nào ứng với “{shown}”"),
                "Ghi thuế suất có trong cấu hình, ví dụ 8, 10, hoặc 0",
            ),
            Self::AgeUnreadable { shown } => (
                format!("tuổi “{shown}” không phải là số từ 0 đến 99"),
                "Sửa tuổi",
            ),
            Self::AgeAssumed { age } => (
                format!("hàng này theo luật chỉ bán cho người từ {age} tuổi; đã đặt như vậy"),
                "",
            ),
            Self::YesNoUnreadable { shown } => (
                format!("“{shown}” không phải là có hoặc không"),
                "Ghi 1 hoặc 0",
            ),
            Self::BaseUnitUnknown { shown } => (
                format!(
                    "mã đơn vị cơ bản {shown} không có trong tệp; đã nhập thành mặt hàng riêng"
                ),
                "",
            ),
            Self::ManyPrices { columns } => (
                format!("có {columns} cột giá; dùng cột giá đầu tiên có giá trị"),
                "Chọn đúng cửa hàng khi xuất tệp",
            ),
            Self::NegativeStock { rows } => (
                format!("{rows} dòng có tồn kho âm; tồn kho không được nhập"),
                "",
            ),
            Self::CodesMade { rows } => (
                format!("{rows} dòng không có mã hàng; đã đặt mã cố định theo tên"),
                "",
            ),
        }
    }

    fn en(&self) -> (String, &'static str) {
        let s = str::to_owned;
        match self {
            Self::NameMissing => (
                s("the product has no name"),
                "Fill in the name, or delete the row",
            ),
            Self::BrokenCell { shown } => (
                format!("the cell holds a formula or an error ({shown})"),
                "In the spreadsheet: copy the column, paste it back as values only, and save",
            ),
            Self::BarcodeScientific { shown } => (
                format!(
                    "the spreadsheet turned the barcode into {shown}; its last digits are lost"
                ),
                "Export again, and format the barcode column as Text before saving",
            ),
            Self::BarcodeCheckDigit { shown, right } => (
                format!(
                    "the barcode {shown} has a wrong check digit (the last digit would be {right})"
                ),
                "Scan the product again and correct it",
            ),
            Self::BarcodeUnreadable { shown } => (
                format!("the barcode {shown} has unreadable characters or is too long"),
                "Scan the product again and correct it",
            ),
            Self::BarcodeTaken { shown, by_row } => (
                format!("the barcode {shown} already belongs to the product in row {by_row}"),
                "A barcode belongs to one product: correct or delete one of the two",
            ),
            Self::BarcodeZeroRestored { shown, restored } => (
                format!("the barcode {shown} lost its leading zero; read as {restored}"),
                "Check by scanning it",
            ),
            Self::BarcodeZeroMaybeLost { shown, maybe } => (
                format!(
                    "the code {shown} may be {maybe} without its leading zero; kept as written"
                ),
                "Scan it; if it is not found, format the column as Text and add the zero",
            ),
            Self::CodeTaken { shown, by_row } => (
                format!("the code {shown} is already in row {by_row}"),
                "Give each product a code of its own",
            ),
            Self::CodeTooLong { shown } => (
                format!("the code {shown}… is longer than 64 characters"),
                "Give it a shorter code",
            ),
            Self::CodeScientific { shown } => (
                format!("the spreadsheet turned the code into {shown}"),
                "Export again, and format the code column as Text before saving",
            ),
            Self::SameNameTwice { first_row } => (
                format!("the name is the same as in row {first_row}; imported as two products"),
                "If they are one, delete one of the rows",
            ),
            Self::PriceUnreadable { shown } => (
                format!("the price “{shown}” is not a number"),
                "Write the price in digits, for example 25000",
            ),
            Self::PriceAmbiguous { shown } => (
                format!("dots and commas in “{shown}” may mean thousands or decimals"),
                "Write the price without separators, for example 25000",
            ),
            Self::PriceFraction { shown } => (
                format!("the price “{shown}” has decimals the currency does not have"),
                "Round the price",
            ),
            Self::PriceNegative { shown } => (
                format!("the price “{shown}” is negative"),
                "Correct the price",
            ),
            Self::PriceTooLarge { shown } => (
                format!("the price “{shown}” is too large and may be a barcode"),
                "Check the price column",
            ),
            Self::PriceMissing => (
                s("there is no price: imported, but it cannot be sold"),
                "Fill in the price and import again",
            ),
            Self::PriceOpen => (
                s("the price is decided when selling: imported, but it cannot be sold"),
                "Fill in a fixed price and import again",
            ),
            Self::NotForSale => (s("the product is switched off: imported, but not sold"), ""),
            Self::DateUnreadable { shown } => (
                format!("the date “{shown}” cannot be read"),
                "Write year-month-day, for example 2027-01-01",
            ),
            Self::TaxUnknown { shown } => (
                format!("no tax class fits “{shown}”"),
                "Write a rate from the configuration, for example 8, 10 or 0",
            ),
            Self::AgeUnreadable { shown } => (
                format!("the age “{shown}” is not a number from 0 to 99"),
                "Correct the age",
            ),
            Self::AgeAssumed { age } => (
                format!("by law this is sold only to people of {age} and over; set so"),
                "",
            ),
            Self::YesNoUnreadable { shown } => {
                (format!("“{shown}” is neither yes nor no"), "Write 1 or 0")
            }
            Self::BaseUnitUnknown { shown } => (
                format!(
                    "the base unit's code {shown} is not in the file; imported as a product of its own"
                ),
                "",
            ),
            Self::ManyPrices { columns } => (
                format!("there are {columns} price columns; the first with a value was used"),
                "Choose the right shop when exporting",
            ),
            Self::NegativeStock { rows } => (
                format!("{rows} rows have negative stock; stock is not imported"),
                "",
            ),
            Self::CodesMade { rows } => (
                format!(
                    "{rows} rows have no code; each was given a lasting one made from its name"
                ),
                "",
            ),
        }
    }
}
