//! The receipt: a sale laid out as a printer document.
//!
//! Says what a cash-register receipt in Vietnam must (Decrees 123/2020 and
//! 70/2025: seller, address, tax code, goods, VAT per rate, time) and calls
//! itself provisional while there is no e-invoice behind it.

use crate::clock::Clock;
use crate::config::Configuration;
use crate::format::{Language, amount, percent, quantity};
use crate::view::text;
use checkout::till::{Sale, SaleLine, Tender};
use checkout::{Quantity, TaxMode};
use hardware::printer::document::{Document, Size, Style};

/// Language of a sale's receipt.
fn language(config: &Configuration, sale: &Sale) -> Language {
    Language::from_code(&sale.lang.0).unwrap_or(config.language)
}

/// The receipt of a sale.
pub fn document(config: &Configuration, sale: &Sale) -> Document {
    let language = language(config, sale);
    let mut paper = Document::new();
    head(&mut paper, config, sale, language);
    for line in &sale.lines {
        item(&mut paper, sale, line, language);
    }
    paper.rule();
    totals(&mut paper, config, sale, language);
    paper.rule();
    taxes(&mut paper, sale, language);
    foot(&mut paper, config, sale, language);
    paper
}

/// What the receipt's code says: enough to find the sale again.
pub fn lookup_text(config: &Configuration, sale: &Sale) -> String {
    format!(
        "{}|{}|{}|{} {}",
        config.file.shop.tax_code,
        sale.business_date,
        sale.receipt_number,
        sale.paid().minor,
        sale.currency.code()
    )
}

fn head(paper: &mut Document, config: &Configuration, sale: &Sale, language: Language) {
    let shop = &config.file.shop;
    let center = Style::PLAIN.center();
    paper.styled(&shop.name, center.bold().size(Size::Tall));
    paper.styled(&shop.seller, center);
    for line in &shop.address {
        paper.styled(line, center);
    }
    if !shop.tax_code.is_empty() {
        let label = text::pick(language, "MST", "Tax code");
        paper.styled(format!("{label}: {}", shop.tax_code), center);
    }
    if !shop.phone.is_empty() {
        let label = text::pick(language, "ĐT", "Tel");
        paper.styled(format!("{label}: {}", shop.phone), center);
    }
    paper.blank();
    let title = text::pick(language, "PHIẾU TÍNH TIỀN", "RECEIPT");
    paper.styled(title, center.bold());
    let provisional = text::pick(
        language,
        "(phiếu tạm, chưa phải hóa đơn điện tử)",
        "(provisional, not yet an e-invoice)",
    );
    paper.styled(provisional, center);
    let clock = Clock::new(config.zone);
    let time = if crate::clock::is_plausible(sale.completed_wall_ms) {
        clock.local(sale.completed_wall_ms, "%d/%m/%Y %H:%M")
    } else {
        sale.business_date.to_string()
    };
    let number = text::pick(language, "Số", "No.");
    paper.pair(format!("{number} {}", sale.receipt_number), time);
    paper.rule();
}

fn item(paper: &mut Document, sale: &Sale, line: &SaleLine, language: Language) {
    let exponent = sale.currency.exponent();
    let say = |minor| amount(minor, exponent, language);
    let name = line.name_shown.as_deref().unwrap_or(&line.name);
    if line.quantity == Quantity::ONE {
        paper.pair(name, say(line.gross_minor));
    } else {
        paper.text(name);
        let unit = if line.unit.is_weighed() {
            format!(" {}", line.unit.label())
        } else {
            String::new()
        };
        let count = quantity(line.quantity, language);
        paper.pair(
            format!("  {count}{unit} x {}", say(line.unit_price_minor)),
            say(line.gross_minor),
        );
    }
    if line.deposit_minor != 0 {
        let name = line.deposit_name.clone().unwrap_or_default();
        paper.pair(format!("  {name}"), say(line.deposit_minor));
    }
}

fn totals(paper: &mut Document, config: &Configuration, sale: &Sale, language: Language) {
    let exponent = sale.currency.exponent();
    let say = |minor| amount(minor, exponent, language);
    for discount in &sale.discounts {
        let names = &discount.names;
        let name = names.get(language.code()).unwrap_or(&discount.name);
        paper.pair(name, say(-discount.amount_minor));
    }
    if config.tax.mode == TaxMode::Added {
        let label = text::pick(language, "Tiền thuế GTGT", "VAT");
        paper.pair(label, say(sale.tax_minor));
    }
    let label = text::pick(language, "TỔNG CỘNG", "TOTAL");
    let total = format!("{} {}", say(sale.total_minor), sale.currency.code());
    paper.styled_pair(label, total, Style::PLAIN.bold().size(Size::Tall));
    if sale.rounding_minor != 0 {
        let label = text::pick(language, "Làm tròn tiền mặt", "Cash rounding");
        paper.pair(label, say(sale.rounding_minor));
    }
    for tender in &sale.tenders {
        tendered(paper, sale, tender, language);
    }
    if sale.change_minor != 0 {
        let label = text::pick(language, "Tiền thối lại", "Change");
        paper.pair(label, say(sale.change_minor));
    }
}

fn tendered(paper: &mut Document, sale: &Sale, tender: &Tender, language: Language) {
    let exponent = sale.currency.exponent();
    let label = text::tender(language, tender.kind);
    paper.pair(label, amount(tender.received_minor, exponent, language));
    let label = text::pick(language, "Mã giao dịch", "Transaction");
    if let Some(reference) = &tender.reference {
        paper.text(format!("  {label} {} {reference}", tender.attempt));
    }
}

fn taxes(paper: &mut Document, sale: &Sale, language: Language) {
    let exponent = sale.currency.exponent();
    let say = |minor| amount(minor, exponent, language);
    let included = sale.tax_mode == TaxMode::Included;
    for tax in &sale.taxes {
        let rate = percent(tax.basis_points, language);
        let label = match (language, included) {
            (Language::Vietnamese, true) => {
                format!("Đã gồm GTGT {rate} trên {}", say(tax.base_minor))
            }
            (Language::Vietnamese, false) => format!("GTGT {rate} trên {}", say(tax.base_minor)),
            (Language::English, true) => {
                format!("VAT {rate} included, on {}", say(tax.base_minor))
            }
            (Language::English, false) => format!("VAT {rate} on {}", say(tax.base_minor)),
        };
        paper.pair(label, say(tax.tax_minor));
    }
}

fn foot(paper: &mut Document, config: &Configuration, sale: &Sale, language: Language) {
    paper.blank();
    paper.qr(lookup_text(config, sale));
    let center = Style::PLAIN.center();
    let thanks = text::pick(
        language,
        "Cảm ơn bạn. Hẹn gặp lại!",
        "Thank you. See you again!",
    );
    paper.styled(thanks, center.bold());
    paper.cut();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn the_receipt_says_seller_goods_vat_and_tenders() {
        // Proves that everything the decree asks of a receipt is on it, in 42 columns.
        let config = testing::configuration();
        let sale = testing::sale();
        let paper = document(&config, &sale).to_text(42);
        for part in [
            "CÔNG TY TNHH HOA SEN",
            "MST: 0312345678",
            "PHIẾU TÍNH TIỀN",
            "phiếu tạm",
            "Cà phê sữa đá",
            "2 x 25.000",
            "TỔNG CỘNG",
            "146.688 VND",
            "GTGT 8%",
            "10.866",
        ] {
            assert!(paper.contains(part), "{part} is not on:\n{paper}");
        }
        assert!(paper.lines().all(|line| line.chars().count() <= 42));
    }
}
