//! What the desk says about what it saw, in the reader's language.

use super::desk::{Desk, Ending};
use super::journal::Ordered;
use super::words;
use crate::view::text::pick;
use hardware::terminal::doctor::Finding;
use hardware::terminal::{
    Amount, Approval, AttemptId, Currency, DeclineReason, EndOfDayReport, LinkFault, LinkState,
    NotStarted, Recovery, TerminalEvent,
};

impl Desk<'_> {
    pub(super) fn report(
        &mut self,
        report: &EndOfDayReport,
        total_minor: Option<i128>,
        like: Currency,
    ) {
        self.tell("Máy thẻ đã kết toán ngày.", "The terminal closed its day.");
        let currency = report.currency.unwrap_or(like);
        for scheme in &report.schemes {
            let total = words::money(Amount::new(scheme.total_minor, currency), self.language);
            (self.say)(format!("  {}: {} × {total}", scheme.scheme, scheme.count));
        }
        if let Some(total) = report.total_minor {
            let total = words::money(Amount::new(total, currency), self.language);
            self.tell(
                &format!("Tổng của máy thẻ: {total}"),
                &format!("Total of the terminal: {total}"),
            );
        }
        let journal = total_minor.and_then(|total| u64::try_from(total).ok());
        let difference =
            journal.and_then(|minor| report.difference_minor(Amount::new(minor, like)));
        match difference {
            Some(0) => self.tell("Khớp với sổ.", "It agrees with the journal."),
            Some(minor) => self.tell(
                &format!("Lệch với sổ: {minor} (đơn vị nhỏ nhất, máy thẻ trừ sổ)"),
                &format!("Difference to the journal: {minor} (minor units, terminal less journal)"),
            ),
            None => self.tell(
                "Không so được với sổ.",
                "It cannot be compared with the journal.",
            ),
        }
    }

    /// Says what an event on the side means.
    pub(super) fn hear(&mut self, event: &TerminalEvent) {
        match event {
            TerminalEvent::Prompt { prompt, .. } => self.tell(
                &format!("> {}", prompt.text_vi()),
                &format!("> {}", prompt.text_en()),
            ),
            TerminalEvent::Link(LinkState::Down { why }) if *why != LinkFault::StartingClean => {
                let found = Finding::Link(why.clone());
                self.tell(&found.text_vi(), &found.text_en());
            }
            TerminalEvent::UnmaskedCardNumber => {
                let found = Finding::UnmaskedCardNumber;
                self.tell(&found.text_vi(), &found.text_en());
            }
            TerminalEvent::StrayApproval { seen } => {
                let seen = words::identity(seen, self.language);
                self.tell(
                    &format!("Máy thẻ chuẩn chi điều không ai yêu cầu, đã gửi trả: {seen}"),
                    &format!("The terminal approved something nobody ordered; sent back: {seen}"),
                );
            }
            TerminalEvent::ReceiptLines { lines } => {
                for line in lines {
                    (self.say)(format!("| {line}"));
                }
            }
            _ => {}
        }
    }

    pub(super) fn done(&mut self, approval: &Approval) {
        let amount = words::money(approval.amount, self.language);
        let kind = words::kind(approval.kind, self.language);
        self.tell(
            &format!("ĐÃ CHUẨN CHI: {kind} {amount}"),
            &format!("APPROVED: {kind} {amount}"),
        );
    }

    pub(super) fn declined(&mut self, reason: DeclineReason) {
        let why = words::declined(reason, self.language);
        self.tell(
            &format!("BỊ TỪ CHỐI: {why}. Không có tiền nào chuyển."),
            &format!("DECLINED: {why}. No money moved."),
        );
    }

    pub(super) fn did_not_happen(&mut self, attempt: AttemptId, how: Recovery) {
        let (vietnamese, english) = match how {
            Recovery::NothingNew => (
                "máy thẻ không có giao dịch mới".to_owned(),
                "the terminal has no new transaction".to_owned(),
            ),
            Recovery::Declined { code } => (
                format!("máy thẻ ghi là bị từ chối (mã {code:02X})"),
                format!("the terminal recorded a decline (code {code:02X})"),
            ),
            Recovery::TakenBack => (
                "máy thẻ đã tự hủy".to_owned(),
                "the terminal took it back".to_owned(),
            ),
        };
        self.tell(
            &format!("KHÔNG XẢY RA: {attempt}: {vietnamese}."),
            &format!("DID NOT HAPPEN: {attempt}: {english}."),
        );
    }

    pub(super) fn still_unknown(&mut self, attempt: AttemptId) -> Ending {
        self.tell(
            &format!(
                "CHƯA RÕ: {attempt}. Chạy lại để hỏi máy thẻ, hoặc xem biên lai của máy rồi \
                 dùng kiosk terminal decide."
            ),
            &format!(
                "UNKNOWN: {attempt}. Run again to ask the terminal, or look at its slip and \
                 use kiosk terminal decide."
            ),
        );
        Ending::Unknown
    }

    pub(super) fn not_started(&mut self, why: &NotStarted) -> Ending {
        let why = words::not_started(why, self.language);
        self.nothing_sent(&why)
    }

    pub(super) fn nothing_sent(&mut self, why: &str) -> Ending {
        self.tell(
            &format!("CHƯA BẮT ĐẦU: {why}. Không có tiền nào chuyển."),
            &format!("NOT STARTED: {why}. No money moved."),
        );
        Ending::NotStarted
    }

    /// An order in a few words.
    pub(super) fn describe(&self, ordered: &Ordered) -> String {
        let mut text = format!(
            "{} {}",
            words::kind(ordered.kind, self.language),
            ordered.attempt
        );
        if let Some(amount) = ordered.amount {
            text.push_str(&format!(", {}", words::money(amount, self.language)));
        }
        if let Some(receipt) = ordered.receipt {
            let word = pick(self.language, "biên lai", "receipt");
            text.push_str(&format!(", {word} {receipt:04}"));
        }
        text
    }

    pub(super) fn tell(&mut self, vietnamese: &str, english: &str) {
        (self.say)(pick(self.language, vietnamese, english).to_owned());
    }
}
