//! A voucher on paper: what it is worth, its code, until when, and that it pays once.

use super::Seller;
use crate::format::{Language, money};
use crate::view::text::pick;
use checkout::Money;
use hardware::printer::document::{Document, Size, Style};

/// The code in groups of five, as it is read aloud.
fn grouped(code: &str) -> String {
    let symbols: Vec<char> = code.chars().collect();
    let groups = symbols
        .chunks(5)
        .map(|group| group.iter().collect::<String>());
    groups.collect::<Vec<_>>().join(" ")
}

/// The paper of one voucher; `until` is a finished date.
pub fn document(
    seller: &Seller,
    code: &str,
    amount: Money,
    until: &str,
    language: Language,
) -> Document {
    let mut paper = Document::new();
    let centre = Style::PLAIN.center();
    let say = |vi, en| pick(language, vi, en);
    paper.styled(seller.name.clone(), centre.bold());
    paper.styled(say("PHIẾU MUA HÀNG", "VOUCHER"), centre.bold());
    paper.styled(money(amount, language), centre.bold().size(Size::Large));
    paper.rule();
    paper.styled(grouped(code), centre.bold().size(Size::Large));
    paper.rule();
    paper.pair(
        say("Dùng đến hết ngày", "Valid to the end of"),
        until.to_owned(),
    );
    paper.text(say(
        "Dùng một lần khi trả tiền, ở chính máy này. Phần chưa dùng hết được in thành phiếu mới. Giữ phiếu như giữ tiền.",
        "Good once, when paying, at this very kiosk. What is not used up comes back as a new voucher. Keep it like money.",
    ));
    paper
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use checkout::Currency;

    #[test]
    fn the_paper_says_worth_code_and_term() {
        // Proves that a shopper has on paper all that is needed to use the voucher, in both languages.
        let amount = Money::new(12_655, Currency::VND);
        for (language, word, worth) in [
            (Language::Vietnamese, "PHIẾU MUA HÀNG", "12.655"),
            (Language::English, "VOUCHER", "12,655"),
        ] {
            let paper = document(
                &Seller::default(),
                "V34679ACDE",
                amount,
                "26/02/2027",
                language,
            );
            let text = format!("{paper:?}");
            for wanted in [word, worth, "V3467 9ACDE", "26/02/2027"] {
                assert!(text.contains(wanted), "{wanted} is not on {text}");
            }
        }
    }
}
