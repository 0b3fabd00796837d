//! Receipts and reports as printer documents.
//!
//! Says what a receipt of a cash register in Vietnam must: seller, address, tax code, goods with
//! quantity and unit price, VAT by rate, totals, time, and the data by which the buyer finds the
//! e-invoice (Decree 123/2020 article 10 and 11 as amended by Decree 70/2025). While there is no
//! e-invoice it calls itself provisional ("phiếu tạm").
//!
//! Everything here is pure: values in, a [`Document`] out.

pub mod file;
pub mod logo;
pub mod phone;
pub mod report;
mod sale;
pub mod slip;
pub mod terminal_day;
pub mod voucher;

use crate::config::Configuration;
use crate::format::Language;
use checkout::till::Sale;
use hardware::printer::document::{Bitmap, Document};

pub use sale::local_time;

/// Who sells, as the head of every paper says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seller {
    /// Name over the door.
    pub name: String,
    /// Legal name.
    pub legal_name: String,
    /// Address, line by line.
    pub address: Vec<String>,
    /// Tax code; empty where there is none.
    pub tax_code: String,
    /// Telephone; empty when it is not to be printed.
    pub phone: String,
    /// Name of this counter; empty when it is not to be printed.
    pub till: String,
}

impl Seller {
    /// The seller of a configuration.
    pub fn of(config: &Configuration) -> Self {
        let shop = &config.file.shop;
        Self {
            name: shop.name.clone(),
            legal_name: shop.seller.clone(),
            address: shop.address.clone(),
            tax_code: shop.tax_code.clone(),
            phone: shop.phone.clone(),
            till: config.file.receipt.till.clone(),
        }
    }
}

/// An issued e-invoice: what the buyer needs to find it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invoice {
    /// Symbol of the series, such as `1C26MHS`.
    pub symbol: String,
    /// Number within the series.
    pub number: String,
    /// Code given by the tax authority; empty for invoices without one.
    pub authority_code: String,
    /// Code to enter on the lookup page; empty when the address holds it.
    pub lookup_code: String,
    /// Address of the lookup page, also in the QR code.
    pub lookup_url: String,
}

/// Who buys, when the buyer asked for an invoice in a name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Buyer {
    /// Name of the person or company.
    pub name: String,
    /// Address.
    pub address: String,
    /// Tax code or personal identity number.
    pub tax_code: String,
}

/// For whom a paper is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Audience {
    /// The shopper.
    #[default]
    Shopper,
    /// The shop keeps it: marked, with references, without thanks and code.
    Staff,
}

/// Everything a receipt is made of.
#[derive(Clone, Debug)]
pub struct Receipt<'a> {
    /// Who sells.
    pub seller: Seller,
    /// The paid basket.
    pub sale: &'a Sale,
    /// Language of the paper.
    pub language: Language,
    /// The e-invoice; without one the paper is provisional.
    pub invoice: Option<Invoice>,
    /// Who buys, when known.
    pub buyer: Option<Buyer>,
    /// For whom it is.
    pub audience: Audience,
    /// Content of the QR code; empty for none.
    pub code: String,
    /// What stands above the QR code; empty for nothing.
    pub code_words: String,
    /// Last words, such as thanks.
    pub thanks: String,
    /// Lines before them, such as terms of return.
    pub notes: Vec<String>,
    /// The shop's logo, above everything.
    pub logo: Option<Bitmap>,
    /// Whether the printer holds the logo in its own memory.
    pub logo_in_printer: bool,
}

impl<'a> Receipt<'a> {
    /// A provisional receipt with nothing but the sale.
    pub fn new(seller: Seller, sale: &'a Sale, language: Language) -> Self {
        Self {
            seller,
            sale,
            language,
            invoice: None,
            buyer: None,
            audience: Audience::Shopper,
            code: String::new(),
            code_words: String::new(),
            thanks: sale::thanks(language).to_owned(),
            notes: Vec::new(),
            logo: None,
            logo_in_printer: false,
        }
    }

    /// The receipt of a sale as a shop's configuration wants it, in the shopper's language.
    pub fn of(config: &Configuration, sale: &'a Sale) -> Self {
        let language = Language::from_code(&sale.lang.0).unwrap_or(config.language);
        let wishes = &config.file.receipt;
        let mut receipt = Self::new(Seller::of(config), sale, language);
        receipt.code = lookup_text(config, sale);
        if let Some(words) = wishes.qr_words.get(language.code()) {
            receipt.code_words.clone_from(words);
        } else if !wishes.qr_url.is_empty() {
            receipt.code_words = sale::code_words(language).to_owned();
        }
        if let Some(thanks) = wishes.thanks.get(language.code()) {
            receipt.thanks.clone_from(thanks);
        }
        if let Some(notes) = wishes.notes.get(language.code()) {
            receipt.notes.clone_from(notes);
        }
        receipt.logo.clone_from(&config.logo);
        receipt.logo_in_printer = wishes.logo_in_printer;
        receipt
    }

    /// Makes the QR code lead to this page, and says so above it.
    pub fn set_page(&mut self, page: String) {
        if page.contains("://") && self.code_words.is_empty() {
            self.code_words = sale::code_words(self.language).to_owned();
        }
        self.code = page;
    }

    /// The paper.
    pub fn document(&self) -> Document {
        sale::lay_out(self)
    }
}

/// The receipt of a sale, for the shopper.
pub fn document(config: &Configuration, sale: &Sale) -> Document {
    Receipt::of(config, sale).document()
}

/// The receipt of a sale, for the shop to keep.
pub fn staff_document(config: &Configuration, sale: &Sale) -> Document {
    let mut receipt = Receipt::of(config, sale);
    receipt.audience = Audience::Staff;
    receipt.document()
}

/// What the code on paper and screen says: the shop's own page about this sale
/// (`receipt.qr_url`), else enough to find the sale again.
pub fn lookup_text(config: &Configuration, sale: &Sale) -> String {
    let url = &config.file.receipt.qr_url;
    if url.is_empty() {
        return sale_words(&config.file.shop.tax_code, sale);
    }
    page_of(url, sale)
}

/// `0312345678|2026-11-21|142|146500 VND`: names a sale without a page about it.
pub(crate) fn sale_words(tax_code: &str, sale: &Sale) -> String {
    format!(
        "{tax_code}|{}|{}|{} {}",
        sale.business_date,
        sale.receipt_number,
        sale.paid().minor,
        sale.currency.code()
    )
}

/// Fills `{number}`, `{date}`, `{total}` and `{language}` into an address.
pub(crate) fn page_of(url: &str, sale: &Sale) -> String {
    url.replace("{number}", &sale.receipt_number.to_string())
        .replace("{date}", &sale.business_date.to_string())
        .replace("{total}", &sale.paid().minor.to_string())
        .replace("{language}", &sale.lang.0)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing;

    #[test]
    fn the_receipt_says_seller_goods_vat_and_tenders() {
        // Proves that everything the decree asks of a receipt is on it, and nothing is wider
        // than the paper, in 32, 42 and 48 columns.
        let config = testing::configuration();
        let sale = testing::sale();
        for columns in [32, 42, 48] {
            let paper = document(&config, &sale).to_text(columns);
            for part in [
                "Tạp hóa Hoa Sen",
                "CÔNG TY TNHH HOA SEN",
                "12 Lê Lợi",
                "MST: 0312345678",
                "PHIẾU TÍNH TIỀN",
                "phiếu tạm",
                "Số 142",
                "21/11/2026 09:41",
                "Cà phê sữa đá",
                "2 ly x 25.000",
                "0,846 kg x 28.000",
                "-36.500",
                "TỔNG CỘNG",
                "146.688 VND",
                "8%",
                "135.822",
                "10.866",
                "Tiền mặt",
                "150.000",
                "Tiền thối lại",
                "3.500",
                "[QR 0312345678|2026-11-21|142|146500 VND]",
            ] {
                assert!(paper.contains(part), "{part} is not on {columns}:\n{paper}");
            }
            let long = paper
                .lines()
                .find(|line| !line.starts_with('[') && line.chars().count() > columns);
            assert_eq!(long, None, "{paper}");
        }
    }

    #[test]
    fn an_issued_invoice_replaces_the_provisional_words_and_can_be_looked_up() {
        // Proves: with an e-invoice the paper names it, its codes and the page, and no longer
        // calls itself provisional; the buyer is on it when there is one.
        let config = testing::configuration();
        let sale = testing::sale();
        let mut receipt = Receipt::of(&config, &sale);
        receipt.invoice = Some(Invoice {
            symbol: "1C26MHS".into(),
            number: "00000482".into(),
            authority_code: "M1-26-ABCDE-00000000482".into(),
            lookup_code: "K7X2QP".into(),
            lookup_url: "https://tracuu.example/K7X2QP".into(),
        });
        receipt.buyer = Some(Buyer {
            name: "Công ty Bình Minh".into(),
            address: "5 Hai Bà Trưng, Hà Nội".into(),
            tax_code: "0101234567".into(),
        });
        let paper = receipt.document().to_text(48);
        for part in [
            "HÓA ĐƠN GIÁ TRỊ GIA TĂNG",
            "Ký hiệu: 1C26MHS",
            "Số HĐ: 00000482",
            "Mã CQT: M1-26-ABCDE-00000000482",
            "Mã tra cứu: K7X2QP",
            "https://tracuu.example/K7X2QP",
            "[QR https://tracuu.example/K7X2QP]",
            "Người mua: Công ty Bình Minh",
            "0101234567",
        ] {
            assert!(paper.contains(part), "{part} is not on:\n{paper}");
        }
        assert!(!paper.contains("phiếu tạm"), "{paper}");
        assert_eq!(paper.matches("[QR").count(), 1);
    }

    #[test]
    fn the_shop_keeps_a_marked_copy_without_code_and_thanks() {
        // Proves: the staff copy cannot be taken for the shopper's receipt.
        let config = testing::configuration();
        let paper = staff_document(&config, &testing::sale()).to_text(48);
        assert!(paper.contains("BẢN LƯU CỬA HÀNG") && paper.contains("146.688 VND"));
        assert!(!paper.contains("[QR") && !paper.contains("Cảm ơn"));
    }

    #[test]
    fn goods_of_several_rates_say_their_rate_each() {
        // Proves: with more than one VAT rate each line says which is its own, and a sum closes
        // the table.
        let mut sale = testing::sale();
        sale.lines[1].tax_basis_points = 1000;
        sale.taxes.push(checkout::TaxTotal {
            basis_points: 1000,
            treatment: checkout::TaxTreatment::Rated,
            base_minor: 0,
            tax_minor: 0,
            gross_minor: 0,
        });
        let paper = document(&testing::configuration(), &sale).to_text(32);
        assert!(paper.contains("3 hộp x 36.500  10%"), "{paper}");
        assert!(paper.contains("2 ly x 25.000  8%"), "{paper}");
        assert!(paper.contains("Cộng"), "{paper}");
    }

    #[test]
    fn goods_without_vat_are_named_as_such() {
        // Proves: what is not subject to VAT stands as KCT beside its line and in the table of rates, apart from 0 %.
        let mut sale = testing::sale();
        sale.lines[1].tax_basis_points = 0;
        sale.lines[1].tax_treatment = checkout::TaxTreatment::Exempt;
        for treatment in [
            checkout::TaxTreatment::Rated,
            checkout::TaxTreatment::Exempt,
            checkout::TaxTreatment::NotDeclared,
        ] {
            sale.taxes.push(checkout::TaxTotal {
                basis_points: 0,
                treatment,
                base_minor: 73_000,
                tax_minor: 0,
                gross_minor: 73_000,
            });
        }
        let paper = document(&testing::configuration(), &sale).to_text(48);
        assert!(paper.contains("3 hộp x 36.500  KCT"), "{paper}");
        let rates: Vec<&str> = paper
            .lines()
            .filter(|line| line.contains("73.000") && line.ends_with(" 0"))
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        assert_eq!(rates, ["0%", "KCT", "KKKNT"], "{paper}");
    }

    #[test]
    fn the_code_leads_to_the_shops_page_when_it_has_one() {
        // Proves: number, day and total reach the page's address on paper and screen alike.
        let mut config = testing::configuration();
        config.file.receipt.qr_url =
            "https://s.example/{date}/{number}?t={total}&l={language}".into();
        let sale = testing::sale();
        let page = "https://s.example/2026-11-21/142?t=146500&l=vi";
        assert_eq!(lookup_text(&config, &sale), page);
        let paper = document(&config, &sale).to_text(48);
        assert!(paper.contains(&format!("[QR {page}]")), "{paper}");
        assert!(paper.contains("Quét mã"), "{paper}");
    }
}
