//! The receipt as a phone takes it off the screen.
//!
//! Where the shop has a page about each sale the code leads there. Without one it holds the receipt itself as plain
//! text, which any phone shows with no network: seller, number, time, goods as far as they fit, total, VAT and tenders.

use super::{Seller, local_time, page_of};
use crate::config::Configuration;
use crate::format::{Language, amount, percent, quantity};
use crate::view::text::{self, pick};
use checkout::till::{Sale, SaleLine};

/// Longest text in bytes of UTF-8: a QR code of version 18 at its lowest level, whose modules stay large on every screen.
pub const TEXT_BYTES_MAX: usize = 700;
/// Longest name of an item, in characters.
const NAME_CHARS_MAX: usize = 32;

/// What the code on the screen holds: the shop's page about this sale (`receipt.qr_url`), else the receipt as text.
pub fn text(config: &Configuration, sale: &Sale) -> String {
    let url = &config.file.receipt.qr_url;
    if !url.is_empty() {
        return page_of(url, sale);
    }
    let language = Language::from_code(&sale.lang.0).unwrap_or(config.language);
    let short = Short { sale, language };
    short.whole(&Seller::of(config))
}

struct Short<'a> {
    sale: &'a Sale,
    language: Language,
}

impl Short<'_> {
    /// Head and foot always, goods as far as they fit, and how many more there are.
    fn whole(&self, seller: &Seller) -> String {
        let (head, foot) = (self.head(seller), self.foot());
        let room = TEXT_BYTES_MAX.saturating_sub(head.len() + foot.len());
        let lines: Vec<String> = self.sale.lines.iter().map(|line| self.item(line)).collect();
        let mut shown = lines.len();
        while shown > 0 && self.goods(&lines, shown).len() > room {
            shown -= 1;
        }
        let goods = self.goods(&lines, shown);
        let whole = format!("{head}{goods}{foot}");
        cut(&whole, TEXT_BYTES_MAX)
    }

    fn goods(&self, lines: &[String], shown: usize) -> String {
        let mut goods = lines[..shown].concat();
        let more = lines.len() - shown;
        if more > 0 {
            let words = pick(self.language, "món khác", "more items");
            goods.push_str(&format!("+ {more} {words}\n"));
        }
        goods
    }

    fn sum(&self, minor: i64) -> String {
        amount(minor, self.sale.currency.exponent(), self.language)
    }

    fn head(&self, seller: &Seller) -> String {
        let sale = self.sale;
        let mut head = format!("{}\n", clip(&seller.name, 60));
        if !seller.tax_code.is_empty() {
            let label = pick(self.language, "MST", "Tax code");
            head.push_str(&format!("{label} {}\n", clip(&seller.tax_code, 20)));
        }
        let time = local_time(sale.completed_wall_ms, sale.utc_offset_min)
            .unwrap_or_else(|| sale.business_date.to_string());
        let label = pick(self.language, "Phiếu số", "Receipt");
        head.push_str(&format!("{label} {} · {time}\n", sale.receipt_number));
        head
    }

    /// `2 x Cà phê sữa đá: 50.000`.
    fn item(&self, line: &SaleLine) -> String {
        let name = line.name_shown.as_deref().unwrap_or(&line.name);
        let count = quantity(line.quantity, self.language);
        let gross = line.gross_minor.saturating_add(line.deposit_minor);
        format!(
            "{count} x {}: {}\n",
            clip(name, NAME_CHARS_MAX),
            self.sum(gross)
        )
    }

    fn foot(&self) -> String {
        let (sale, language) = (self.sale, self.language);
        let mut foot = String::new();
        let mut pair = |label: &str, value: String| foot.push_str(&format!("{label} {value}\n"));
        if sale.discount_minor != 0 {
            pair(
                pick(language, "Giảm giá", "Discounts"),
                self.sum(-sale.discount_minor),
            );
        }
        let total = format!("{} {}", self.sum(sale.total_minor), sale.currency.code());
        pair(pick(language, "TỔNG CỘNG", "TOTAL"), total);
        for tax in &sale.taxes {
            let rate = percent(tax.basis_points, language);
            let label = format!("{} {rate}:", pick(language, "GTGT", "VAT"));
            pair(&label, self.sum(tax.tax_minor));
        }
        if sale.rounding_minor != 0 {
            pair(
                pick(language, "Làm tròn", "Rounding"),
                self.sum(sale.rounding_minor),
            );
        }
        for tender in &sale.tenders {
            pair(
                text::tender(language, tender.kind),
                self.sum(tender.received_minor),
            );
        }
        if sale.change_minor != 0 {
            pair(
                pick(language, "Tiền thối lại", "Change"),
                self.sum(sale.change_minor),
            );
        }
        foot
    }
}

/// The first `chars` characters, with a sign that more followed.
fn clip(words: &str, chars: usize) -> String {
    if words.chars().count() <= chars {
        return words.to_owned();
    }
    let kept: String = words.chars().take(chars.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// At most `bytes` of a text, never in the middle of a letter.
fn cut(words: &str, bytes: usize) -> String {
    let mut end = words.len().min(bytes);
    while !words.is_char_boundary(end) {
        end -= 1;
    }
    words[..end].trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing;
    use proptest::prelude::*;

    #[test]
    fn a_phone_reads_the_receipt_itself_where_there_is_no_page() {
        // Proves: seller, tax code, number, time, goods, total, VAT, tender and change are all there, in words.
        let text = text(&testing::configuration(), &testing::sale());
        for part in [
            "Tạp hóa Hoa Sen",
            "MST 0312345678",
            "Phiếu số 142 · 21/11/2026 09:41",
            "2 x Cà phê sữa đá: 50.000",
            "Giảm giá −36.500",
            "TỔNG CỘNG 146.688 VND",
            "GTGT 8%: 10.866",
            "Tiền mặt 150.000",
            "Tiền thối lại 3.500",
        ] {
            assert!(text.contains(part), "{part} is not in:\n{text}");
        }
        assert!(text.len() <= TEXT_BYTES_MAX, "{} bytes", text.len());
    }

    #[test]
    fn the_shops_own_page_comes_first() {
        // Proves: a configured page is what the code leads to, and nothing else is in it.
        let mut config = testing::configuration();
        config.file.receipt.qr_url = "https://s.example/{date}/{number}".into();
        assert_eq!(
            text(&config, &testing::sale()),
            "https://s.example/2026-11-21/142"
        );
    }

    proptest! {
        #[test]
        fn any_receipt_fits_the_code_and_keeps_its_total(
            names in proptest::collection::vec("[a-zđắệốữ ]{1,80}", 1..200),
            tenders in 1usize..5,
        ) {
            // Proves: however much was bought the text fits, says how many goods are missing, and ends with the money.
            let mut sale = testing::sale();
            let line = sale.lines[0].clone();
            sale.lines = names
                .into_iter()
                .map(|name| SaleLine { name, ..line.clone() })
                .collect();
            sale.tenders = vec![sale.tenders[0].clone(); tenders];
            let text = text(&testing::configuration(), &sale);
            prop_assert!(text.len() <= TEXT_BYTES_MAX);
            prop_assert!(text.contains("TỔNG CỘNG 146.688 VND") && text.contains("Tiền thối lại"));
            let shown = text.lines().filter(|line| line.starts_with("2 x ")).count();
            let more = sale.lines.len() - shown;
            let expected = format!("+ {more} món khác");
            prop_assert_eq!(more > 0, text.contains(&expected));
            prop_assert!(crate::qr_symbol::Symbol::checked(text.as_bytes()).unwrap().side() <= 97);
        }
    }
}
