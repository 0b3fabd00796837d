//! The claim slip of a card payment in doubt: no receipt, a number to ask for it by.

use super::Seller;
use super::sale::{local_time, seller_head};
use crate::config::Configuration;
use crate::devices::SeenTransaction;
use crate::format::{Language, amount};
use crate::view::text::pick;
use checkout::till::{AttemptId, ClaimSlip};
use hardware::printer::document::{Document, Size, Style};

const CENTER: Style = Style::PLAIN.center();

/// What the code on slip and screen says: the attempt's number, and nothing else.
pub fn code(attempt: AttemptId) -> String {
    attempt.to_string()
}

/// The paper.
pub fn document(config: &Configuration, slip: &ClaimSlip) -> Document {
    let language = Language::from_code(&slip.lang.0).unwrap_or(config.language);
    let say = |vi: &'static str, en: &'static str| pick(language, vi, en);
    let mut paper = Document::new();
    seller_head(&mut paper, &Seller::of(config), language);
    paper.rule();
    paper.styled(
        say("PHIẾU KIỂM TRA THANH TOÁN", "PAYMENT BEING CHECKED"),
        CENTER.bold(),
    );
    paper.styled(
        say("KHÔNG PHẢI HÓA ĐƠN", "THIS IS NOT A RECEIPT"),
        CENTER.bold(),
    );
    paper.blank();
    paper.styled(slip.attempt.to_string(), CENTER.bold().size(Size::Large));
    paper.blank();
    let sum = amount(slip.amount.minor, slip.amount.currency.exponent(), language);
    let sum = format!("{sum} {}", slip.amount.currency.code());
    paper.pair(say("Số tiền", "Amount"), sum);
    paper.pair(say("Cách trả", "Paid by"), say("Thẻ", "Card"));
    if let Some(time) = local_time(slip.started_wall_ms, slip.utc_offset_min) {
        paper.pair(say("Lúc", "Time"), time);
    }
    if let Some(terminal) = terminal_of(slip) {
        paper.pair(say("Máy thẻ", "Terminal"), terminal);
    }
    let till = &config.file.receipt.till;
    if !till.is_empty() {
        paper.pair(say("Quầy", "Counter"), till.as_str());
    }
    paper.blank();
    paper.styled(
        say("XIN ĐỪNG TRẢ LẠI LẦN NỮA.", "PLEASE DO NOT PAY AGAIN."),
        CENTER.bold(),
    );
    paper.text(say(
        "Máy thẻ chưa trả lời. Chúng tôi đang kiểm tra khoản này.",
        "The card terminal has not answered. We are checking this payment.",
    ));
    paper.text(say(
        "Nếu thẻ đã bị trừ tiền, bạn nhận hàng hoặc nhận lại đúng số tiền. Xin giữ phiếu này và mang theo khi hỏi.",
        "If your card was charged, you get the goods or the same amount back. Keep this slip and bring it when you ask.",
    ));
    let phone = &config.file.shop.phone;
    if !phone.is_empty() {
        paper.pair(say("Hỏi cửa hàng", "Ask the shop"), phone.as_str());
    }
    paper.blank();
    paper.qr(code(slip.attempt));
    paper.styled(slip.attempt.to_string(), CENTER);
    paper.cut();
    paper
}

/// The terminal's id, from whatever it said.
fn terminal_of(slip: &ClaimSlip) -> Option<String> {
    let approved = slip.approval.as_ref();
    let approved = approved.map(|known| SeenTransaction::of_reference(&known.reference));
    let before = slip.baseline.as_deref();
    let before = before.and_then(SeenTransaction::of_baseline);
    let mut seen = approved.into_iter().chain(before);
    seen.find_map(|seen| seen.terminal_id)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing;
    use checkout::till::{CardApproval, Lang};
    use checkout::{Currency, Money};

    fn slip(lang: &str) -> ClaimSlip {
        ClaimSlip {
            attempt: AttemptId(142),
            amount: Money::new(146_688, Currency::VND),
            started_wall_ms: 1_795_314_060_000,
            utc_offset_min: 420,
            lang: Lang::new(lang),
            baseline: None,
            approval: Some(CardApproval {
                reference: "68000001/42/1234/1122/93015".into(),
                approval_code: "004711".into(),
                scheme: "NAPAS".into(),
            }),
        }
    }

    #[test]
    fn the_slip_says_what_it_is_and_what_to_do_in_both_languages() {
        // Proves number, amount, time, terminal, telephone and "do not pay again" are on it, that it calls itself no
        // receipt, fits every paper, and that nothing of the card is on it.
        let config = testing::configuration();
        let phone = config.file.shop.phone.clone();
        assert!(!phone.is_empty());
        for columns in [32, 42, 48] {
            let vi = document(&config, &slip("vi")).to_text(columns);
            for part in [
                "A-0142",
                "[QR A-0142]",
                "146.688 VND",
                "68000001",
                "KHÔNG PHẢI HÓA ĐƠN",
                "ĐỪNG TRẢ LẠI",
                &phone,
            ] {
                assert!(vi.contains(part), "{part} is not on {columns}:\n{vi}");
            }
            let en = document(&config, &slip("en")).to_text(columns);
            for part in [
                "A-0142",
                "146,688 VND",
                "NOT A RECEIPT",
                "DO NOT PAY AGAIN",
                &phone,
            ] {
                assert!(en.contains(part), "{part} is not on {columns}:\n{en}");
            }
            for paper in [vi, en] {
                let wide = paper
                    .lines()
                    .find(|line| !line.starts_with('[') && line.chars().count() > columns);
                assert_eq!(wide, None, "{paper}");
                assert!(
                    !paper.contains("004711") && !paper.contains("NAPAS"),
                    "{paper}"
                );
            }
        }
    }

    #[test]
    fn a_terminal_nobody_knows_is_left_out() {
        // Proves nothing is made up where the terminal said nothing.
        let config = testing::configuration();
        let mut slip = slip("vi");
        slip.approval = None;
        let paper = document(&config, &slip).to_text(42);
        assert!(!paper.contains("Máy thẻ  "), "{paper}");
        let copy = document(&config, &slip).marked_as_copy(1).to_text(42);
        assert!(copy.contains("BẢN SAO"), "{copy}");
    }
}
