//! A sale on paper.
//!
//! Accented letters cost about forty bytes each on printers without Vietnamese letters of their
//! own, and a whole picture where they are double height. So names stand in normal height, the
//! line with the figures is plain ASCII, and only figures are set large.

use super::{Audience, Buyer, Invoice, Receipt, Seller};
use crate::format::{Language, amount, quantity, tax_rate};
use crate::view::text::{self, pick};
use checkout::TaxMode;
use checkout::till::{Sale, SaleLine, Tender};
use chrono::{DateTime, FixedOffset};
use hardware::printer::document::{Align, Block, Cell, Document, Size, Style};

const CENTER: Style = Style::PLAIN.center();

/// Last words when the shop has none of its own.
pub(super) fn thanks(language: Language) -> &'static str {
    pick(
        language,
        "Cảm ơn bạn. Hẹn gặp lại!",
        "Thank you. See you again!",
    )
}

/// What stands above a QR code that leads to the shop's page.
pub(super) fn code_words(language: Language) -> &'static str {
    pick(
        language,
        "Quét mã để nhận hóa đơn và góp ý",
        "Scan for your e-receipt and to tell us how it was",
    )
}

/// `22/11/2026 10:42` at the shop's own clock, or `None` when the time cannot be true.
pub fn local_time(wall_ms: i64, utc_offset_min: i32) -> Option<String> {
    if !crate::clock::is_plausible(wall_ms) {
        return None;
    }
    let zone = FixedOffset::east_opt(utc_offset_min.checked_mul(60)?)?;
    let time = DateTime::from_timestamp_millis(wall_ms)?.with_timezone(&zone);
    Some(time.format("%d/%m/%Y %H:%M").to_string())
}

pub(super) fn lay_out(receipt: &Receipt<'_>) -> Document {
    let mut paper = Document::new();
    let desk = Desk { receipt };
    desk.head(&mut paper);
    desk.goods(&mut paper);
    desk.totals(&mut paper);
    desk.payments(&mut paper);
    desk.taxes(&mut paper);
    desk.foot(&mut paper);
    paper.cut();
    paper
}

/// Name, legal name, address, tax code and telephone: the head of receipts and reports.
pub(super) fn seller_head(paper: &mut Document, seller: &Seller, language: Language) {
    // Wide instead of tall: accents stay inline.
    paper.styled(&seller.name, CENTER.bold().size(Size::Wide));
    if seller.legal_name != seller.name {
        paper.styled(&seller.legal_name, CENTER);
    }
    for line in &seller.address {
        paper.styled(line, CENTER);
    }
    let mut numbers = Vec::new();
    if !seller.tax_code.is_empty() {
        let label = pick(language, "MST", "Tax code");
        numbers.push(unbroken(&format!("{label}: {}", seller.tax_code)));
    }
    if !seller.phone.is_empty() {
        let label = pick(language, "ĐT", "Tel");
        numbers.push(unbroken(&format!("{label}: {}", seller.phone)));
    }
    if !numbers.is_empty() {
        paper.styled(numbers.join(" "), CENTER);
    }
}

/// The same words with spaces that never wrap.
fn unbroken(words: &str) -> String {
    words.replace(' ', "\u{a0}")
}

struct Desk<'a> {
    receipt: &'a Receipt<'a>,
}

impl Desk<'_> {
    fn sale(&self) -> &Sale {
        self.receipt.sale
    }

    fn say(&self, vietnamese: &'static str, english: &'static str) -> &'static str {
        pick(self.receipt.language, vietnamese, english)
    }

    fn sum(&self, minor: i64) -> String {
        amount(
            minor,
            self.sale().currency.exponent(),
            self.receipt.language,
        )
    }

    fn head(&self, paper: &mut Document) {
        let receipt = self.receipt;
        if receipt.audience == Audience::Staff {
            paper.styled(
                self.say("*** BẢN LƯU CỬA HÀNG ***", "*** SHOP COPY ***"),
                CENTER.bold(),
            );
        }
        if let Some(logo) = &receipt.logo {
            paper.push(if receipt.logo_in_printer {
                Block::Logo(logo.clone())
            } else {
                Block::Image(logo.clone())
            });
        }
        seller_head(paper, &receipt.seller, receipt.language);
        paper.blank();
        match &receipt.invoice {
            Some(invoice) => self.invoice_head(paper, invoice),
            None => self.provisional_head(paper),
        }
        self.number_and_time(paper);
        if let Some(buyer) = &receipt.buyer {
            self.buyer(paper, buyer);
        }
        paper.rule();
    }

    fn provisional_head(&self, paper: &mut Document) {
        paper.styled(self.say("PHIẾU TÍNH TIỀN", "RECEIPT"), CENTER.bold());
        paper.styled(
            self.say(
                "(phiếu tạm, chưa phải hóa đơn điện tử)",
                "(provisional, not yet an e-invoice)",
            ),
            CENTER,
        );
    }

    fn invoice_head(&self, paper: &mut Document, invoice: &Invoice) {
        paper.styled(
            self.say("HÓA ĐƠN GIÁ TRỊ GIA TĂNG", "VAT INVOICE"),
            CENTER.bold(),
        );
        paper.styled(
            self.say(
                "(khởi tạo từ máy tính tiền)",
                "(issued by the cash register)",
            ),
            CENTER,
        );
        paper.pair(
            format!("{}: {}", self.say("Ký hiệu", "Series"), invoice.symbol),
            format!("{}: {}", self.say("Số HĐ", "Invoice"), invoice.number),
        );
    }

    fn number_and_time(&self, paper: &mut Document) {
        let sale = self.sale();
        let time = local_time(sale.completed_wall_ms, sale.utc_offset_min)
            .unwrap_or_else(|| sale.business_date.to_string());
        let label = match self.receipt.invoice {
            None => self.say("Số", "No."),
            Some(_) => self.say("Số phiếu", "Receipt"),
        };
        let mut number = format!("{label} {}", sale.receipt_number);
        if !self.receipt.seller.till.is_empty() {
            let label = self.say("Quầy", "Till");
            number.push_str(&format!("  {label} {}", self.receipt.seller.till));
        }
        paper.pair(number, unbroken(&time));
    }

    fn buyer(&self, paper: &mut Document, buyer: &Buyer) {
        paper.text(format!(
            "{}: {}",
            self.say("Người mua", "Buyer"),
            buyer.name
        ));
        if !buyer.tax_code.is_empty() {
            paper.text(format!(
                "{}: {}",
                self.say("MST/CCCD", "Tax or ID number"),
                buyer.tax_code
            ));
        }
        if !buyer.address.is_empty() {
            paper.text(format!(
                "{}: {}",
                self.say("Địa chỉ", "Address"),
                buyer.address
            ));
        }
    }

    fn goods(&self, paper: &mut Document) {
        paper.pair(
            self.say("Mặt hàng", "Item"),
            self.say("Thành tiền", "Amount"),
        );
        for line in &self.sale().lines {
            self.item(paper, line);
        }
        paper.rule();
    }

    /// The name, and below it quantity, unit, unit price, rate and amount.
    fn item(&self, paper: &mut Document, line: &SaleLine) {
        paper.text(line.name_shown.as_deref().unwrap_or(&line.name));
        let count = quantity(line.quantity, self.receipt.language);
        let unit = line.unit.label();
        let gap = if unit.is_empty() { "" } else { " " };
        let price = self.sum(line.unit_price_minor);
        let mut figures = format!("  {count}{gap}{unit} x {price}");
        // With one rate the table below says it for all.
        if self.sale().taxes.len() > 1 {
            let rate = tax_rate(line.rate(), self.receipt.language);
            figures.push_str(&format!("  {rate}"));
        }
        paper.pair(figures, self.sum(line.gross_minor));
        if line.deposit_minor != 0 {
            let fallback = self.say("Tiền cọc", "Deposit");
            let name = line.deposit_name.as_deref().unwrap_or(fallback);
            paper.pair(format!("  {name}"), self.sum(line.deposit_minor));
        }
    }

    fn totals(&self, paper: &mut Document) {
        let sale = self.sale();
        if !sale.discounts.is_empty() {
            let label = self.say("Tiền hàng", "Goods");
            let goods = sale.subtotal_minor.saturating_add(sale.deposit_minor);
            paper.pair(label, self.sum(goods));
        }
        for discount in &sale.discounts {
            let names = &discount.names;
            let name = names.get(self.receipt.language.code());
            let name = name.unwrap_or(&discount.name);
            paper.pair(name, self.sum(-discount.amount_minor));
        }
        if sale.tax_mode == TaxMode::Added {
            paper.pair(self.say("Thuế GTGT", "VAT"), self.sum(sale.tax_minor));
        }
        let label = self.say("TỔNG CỘNG", "TOTAL");
        let total = format!(
            "{}\u{a0}{}",
            self.sum(sale.total_minor),
            sale.currency.code()
        );
        paper.styled(label, Style::PLAIN.bold());
        let mut large = Style::PLAIN.bold().size(Size::Large);
        large.align = Align::Right;
        paper.styled(total, large);
        if sale.rounding_minor != 0 {
            paper.pair(
                self.say("Làm tròn tiền mặt", "Cash rounding"),
                self.sum(sale.rounding_minor),
            );
        }
    }

    fn payments(&self, paper: &mut Document) {
        for tender in &self.sale().tenders {
            self.payment(paper, tender);
        }
        if self.sale().change_minor != 0 {
            paper.pair(
                self.say("Tiền thối lại", "Change"),
                self.sum(self.sale().change_minor),
            );
        }
        paper.rule();
    }

    fn payment(&self, paper: &mut Document, tender: &Tender) {
        paper.pair(
            text::tender(self.receipt.language, tender.kind),
            self.sum(tender.received_minor),
        );
        if let Some(reference) = &tender.reference {
            let label = self.say("Mã GD", "Ref.");
            let attempt = match tender.attempt.0 {
                0 => String::new(),
                _ => format!(" {}", tender.attempt),
            };
            paper.text(format!("  {label}{attempt} {reference}"));
        }
        if tender.unconfirmed {
            paper.text(format!(
                "  {}",
                self.say(
                    "Cửa hàng đã ghi nhận, ngân hàng sẽ xác nhận sau",
                    "Recorded by the shop, the bank confirms later"
                )
            ));
        }
        if let Some(code) = &tender.approval_code {
            let label = self.say("Mã chuẩn chi", "Approval");
            paper.text(format!("  {label} {code}"));
        }
    }

    fn taxes(&self, paper: &mut Document) {
        let sale = self.sale();
        if sale.taxes.is_empty() {
            return;
        }
        let row = |rate: String, base: String, tax: String| {
            vec![
                Cell::fill(rate),
                Cell::number(base, 13),
                Cell::number(tax, 12),
            ]
        };
        paper.columns(row(
            self.say("GTGT", "VAT").to_owned(),
            self.say("Chưa thuế", "Before tax").to_owned(),
            self.say("Tiền thuế", "Tax").to_owned(),
        ));
        for tax in &sale.taxes {
            let rate = tax_rate(tax.rate(), self.receipt.language);
            paper.columns(row(rate, self.sum(tax.base_minor), self.sum(tax.tax_minor)));
        }
        if sale.taxes.len() > 1 {
            let base = sale.taxes.iter().map(|tax| tax.base_minor).sum();
            let label = self.say("Cộng", "Sum").to_owned();
            paper.columns(row(label, self.sum(base), self.sum(sale.tax_minor)));
        }
    }

    fn foot(&self, paper: &mut Document) {
        let receipt = self.receipt;
        if let Some(invoice) = &receipt.invoice {
            self.lookup(paper, invoice);
        }
        if receipt.audience == Audience::Staff {
            return;
        }
        paper.blank();
        if receipt.invoice.is_none() && !receipt.code.is_empty() {
            if !receipt.code_words.is_empty() {
                paper.styled(&receipt.code_words, CENTER);
            }
            paper.qr(&receipt.code);
        }
        for note in &receipt.notes {
            paper.styled(note, CENTER);
        }
        if !receipt.thanks.is_empty() {
            paper.styled(&receipt.thanks, CENTER.bold());
        }
    }

    /// What finds the e-invoice: code of the tax authority, lookup code and page.
    fn lookup(&self, paper: &mut Document, invoice: &Invoice) {
        paper.rule();
        if !invoice.authority_code.is_empty() {
            let label = self.say("Mã CQT", "Tax authority code");
            paper.text(format!("{label}: {}", invoice.authority_code));
        }
        if !invoice.lookup_code.is_empty() {
            let label = self.say("Mã tra cứu", "Lookup code");
            paper.text(format!("{label}: {}", invoice.lookup_code));
        }
        let label = self.say("Tra cứu tại", "Look up at");
        paper.text(format!("{label}: {}", invoice.lookup_url));
        if self.receipt.audience == Audience::Shopper {
            paper.qr(&invoice.lookup_url);
        }
    }
}
