//! Words that carry a value and are put together in Rust.
//!
//! Fixed words live in the screens (`@tr`). A sentence with an amount or a
//! count in it is finished here, because amounts reach the screen as text.

use crate::format::{Language, money, percent};
use checkout::Money;
use checkout::till::TenderKind;

/// Picks the words of a language.
pub fn pick<'a>(language: Language, vietnamese: &'a str, english: &'a str) -> &'a str {
    match language {
        Language::Vietnamese => vietnamese,
        Language::English => english,
    }
}

/// `đã gồm thuế GTGT 8%: 10.866 ₫` from finished rates; empty without VAT.
pub fn tax_line(language: Language, taxes: &[(u32, Money)], included: bool) -> String {
    let rates: Vec<String> = taxes
        .iter()
        .filter(|(_, tax)| tax.minor != 0)
        .map(|(points, tax)| format!("{}: {}", percent(*points, language), money(*tax, language)))
        .collect();
    if rates.is_empty() {
        return String::new();
    }
    let says = match (language, included) {
        (Language::Vietnamese, true) => "đã gồm thuế GTGT",
        (Language::Vietnamese, false) => "thuế GTGT",
        (Language::English, true) => "VAT included",
        (Language::English, false) => "VAT",
    };
    format!("{says} {}", rates.join(", "))
}

/// `Trả cho nhân viên, làm tròn 146.500 ₫`, or empty when nothing is rounded.
pub fn cash_line(language: Language, exact: Money, cash: Money) -> String {
    if exact == cash {
        return String::new();
    }
    match language {
        Language::Vietnamese => format!("Trả cho nhân viên, làm tròn {}", money(cash, language)),
        Language::English => format!(
            "Pay a member of staff, rounded to {}",
            money(cash, language)
        ),
    }
}

/// `làm tròn −188 ₫`, or empty.
pub fn rounding_line(language: Language, exact: Money, cash: Money) -> String {
    let difference = Money {
        minor: cash.minor - exact.minor,
        currency: exact.currency,
    };
    if difference.minor == 0 {
        return String::new();
    }
    format!(
        "{} {}",
        pick(language, "làm tròn", "rounding"),
        money(difference, language)
    )
}

/// Name of a way to pay.
pub fn tender(language: Language, kind: TenderKind) -> &'static str {
    match kind {
        TenderKind::Qr => pick(language, "Quét mã QR", "QR code"),
        TenderKind::Card => pick(language, "Thẻ", "Card"),
        TenderKind::Cash => pick(language, "Tiền mặt", "Cash"),
        TenderKind::Voucher => pick(language, "Phiếu mua hàng", "Voucher"),
    }
}

/// Name of a reason after the tap, from its key.
pub fn reason(language: Language, key: &str, happy: bool) -> String {
    let (vi, en) = match (key, happy) {
        ("waiting", _) => ("Chờ lâu", "The wait"),
        ("fast", _) => ("Nhanh gọn", "Quick"),
        ("finding", false) => ("Khó tìm hàng", "Finding things"),
        ("finding", true) => ("Dễ tìm hàng", "Easy to find"),
        ("staff", _) => ("Nhân viên", "Staff"),
        ("price", _) => ("Giá cả", "Prices"),
        ("paying", _) => ("Thanh toán", "Paying"),
        ("other", _) => ("Điều khác", "Something else"),
        (other, _) => return other.to_owned(),
    };
    pick(language, vi, en).to_owned()
}

/// `Còn 12 kết quả nữa`, or empty.
pub fn more_line(language: Language, more: usize) -> String {
    match (more, language) {
        (0, _) => String::new(),
        (n, Language::Vietnamese) => format!("Còn {n} món nữa, gõ thêm để tìm"),
        (n, Language::English) => format!("{n} more; type on to find them"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use checkout::Currency;

    #[test]
    fn lines_with_amounts_read_like_the_design() {
        // Proves the finished sentences of the pay and cash screens.
        let vnd = |minor| Money::new(minor, Currency::VND);
        assert_eq!(
            tax_line(Language::Vietnamese, &[(800, vnd(10_866))], true),
            "đã gồm thuế GTGT 8%: 10.866\u{a0}₫"
        );
        assert_eq!(
            cash_line(Language::Vietnamese, vnd(146_688), vnd(146_500)),
            "Trả cho nhân viên, làm tròn 146.500\u{a0}₫"
        );
        assert_eq!(cash_line(Language::English, vnd(500), vnd(500)), "");
        assert_eq!(
            rounding_line(Language::Vietnamese, vnd(146_688), vnd(146_500)),
            "làm tròn −188\u{a0}₫"
        );
    }
}
