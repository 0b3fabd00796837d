//! The card terminal's day in words: what it says beside what the journal has, and what follows from that.
//!
//! "Balanced" stands only where [`checkout::till::compare`] proves it.

use super::report::{Summary, TerminalPart};
use super::sale::local_time;
use crate::format::{Language, amount, money};
use crate::store::TerminalClose;
use crate::view::text::pick;
use checkout::Money;
use checkout::till::{
    CardFigures, Compared, DeclineReason, NotStartedReason, TerminalDayEnd, Verdict, compare,
};
use hardware::printer::document::{Cell, Document, Style};

/// One thing to say of the terminal's day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DayWords {
    /// The words.
    pub text: String,
    /// Every figure the terminal gave is the journal's.
    pub proven: bool,
}

/// What staff read of the terminal's day in a report, in as few words as it takes.
pub fn words(part: TerminalPart, closes: &[TerminalClose], language: Language) -> Vec<DayWords> {
    let mut said: Vec<DayWords> = closes
        .iter()
        .flat_map(|close| close_words(close, language))
        .collect();
    said.extend(part_words(part, closes.is_empty(), language));
    said
}

/// The terminal's day on an X or a Z report.
pub(super) fn section(paper: &mut Document, summary: &Summary, language: Language) {
    let closes = &summary.terminal_closes;
    let part = part_words(summary.terminal, closes.is_empty(), language);
    if closes.is_empty() && part.is_none() {
        return;
    }
    let title = pick(language, "KẾT TOÁN MÁY THẺ", "CARD TERMINAL'S DAY");
    paper.styled(title, Style::PLAIN.bold());
    for close in closes {
        if let Some(time) = local_time(close.ended_ms, summary.utc_offset_min) {
            paper.pair(pick(language, "Lúc", "At"), time);
        }
        for one in figures(close) {
            if let (Some(minor), true) = (one.terminal_minor, has_answer(close)) {
                let count = one.terminal_count.map(|count| count.to_string());
                let name = pick(language, "Máy thẻ báo", "Terminal says");
                row(paper, name, count, minor, &one.journal, language);
            }
            let journal = &one.journal;
            let count = Some(journal.payments.to_string());
            let name = pick(language, "Sổ của quầy", "Journal");
            row(paper, name, count, journal.net_minor(), journal, language);
            if journal.give_backs > 0 {
                let count = Some(journal.give_backs.to_string());
                let name = pick(language, "  trong đó trả lại", "  of it given back");
                let back = -journal.given_back_minor;
                row(paper, name, count, back, journal, language);
            }
        }
        for said in close_words(close, language) {
            paper.styled(said.text, Style::PLAIN.bold());
        }
    }
    if let Some(said) = part {
        paper.styled(said.text, Style::PLAIN.bold());
    }
    paper.rule();
}

fn row(
    paper: &mut Document,
    name: &str,
    count: Option<String>,
    minor: i64,
    figures: &CardFigures,
    language: Language,
) {
    paper.columns(vec![
        Cell::fill(name),
        Cell::number(count.unwrap_or_default(), 5),
        Cell::number(amount(minor, figures.currency.exponent(), language), 13),
    ]);
}

fn has_answer(close: &TerminalClose) -> bool {
    matches!(close.end, TerminalDayEnd::Closed(_))
}

/// The figures of both sides; those of a terminal that gave none are empty.
fn figures(close: &TerminalClose) -> Vec<Compared> {
    let totals = match &close.end {
        TerminalDayEnd::Closed(totals) => totals.clone(),
        _ => Default::default(),
    };
    compare(&totals, &close.journal, close.currency)
}

fn part_words(part: TerminalPart, no_close: bool, language: Language) -> Option<DayWords> {
    let text = match part {
        TerminalPart::Waiting => pick(
            language,
            "KHÔNG RÕ: máy thẻ chưa trả lời lúc chốt ngày.",
            "UNKNOWN: the terminal had not answered when the day was closed.",
        ),
        TerminalPart::Closes if no_close => pick(
            language,
            "Chưa kết toán máy thẻ.",
            "The card terminal's day is not closed.",
        ),
        TerminalPart::Closes | TerminalPart::None => return None,
    };
    let text = text.to_owned();
    Some(DayWords {
        text,
        proven: false,
    })
}

fn close_words(close: &TerminalClose, language: Language) -> Vec<DayWords> {
    let say = |vi: &str, en: &str| {
        vec![DayWords {
            text: pick(language, vi, en).to_owned(),
            proven: false,
        }]
    };
    match &close.end {
        TerminalDayEnd::Closed(_) => figures(close)
            .iter()
            .map(|one| compared_words(one, language))
            .collect(),
        TerminalDayEnd::Unknown(_) => say(
            "KHÔNG RÕ: máy thẻ không trả lời. Xem biên lai kết toán của máy thẻ.",
            "UNKNOWN: the terminal did not answer. Look at its own slip.",
        ),
        TerminalDayEnd::NotStarted(NotStartedReason::Unsupported) => say(
            "Máy thẻ loại này không kết toán từ quầy được. Kết toán bằng phím của máy thẻ.",
            "This kind of terminal has no end of day from the till. Close it with its own keys.",
        ),
        TerminalDayEnd::NotStarted(NotStartedReason::Busy) => say(
            "CHƯA KẾT TOÁN: máy thẻ đang bận.",
            "NOT CLOSED: the terminal was busy.",
        ),
        TerminalDayEnd::NotStarted(NotStartedReason::Cancelled) => say(
            "CHƯA KẾT TOÁN: nhân viên bỏ qua máy thẻ.",
            "NOT CLOSED: staff left the terminal out.",
        ),
        TerminalDayEnd::NotStarted(NotStartedReason::Unreachable | NotStartedReason::NoAnswer) => {
            say(
                "KHÔNG RÕ: máy thẻ không trả lời. Ngày của máy thẻ chưa kết toán.",
                "UNKNOWN: the terminal did not answer. Its day is still open.",
            )
        }
        TerminalDayEnd::NotStarted(_) => say(
            "CHƯA KẾT TOÁN: chưa hỏi được máy thẻ.",
            "NOT CLOSED: the terminal could not be asked.",
        ),
        TerminalDayEnd::Refused(DeclineReason::Bank(code)) => vec![DayWords {
            text: format!(
                "{} ({code})",
                pick(
                    language,
                    "CHƯA KẾT TOÁN: máy thẻ từ chối.",
                    "NOT CLOSED: the terminal refused."
                )
            ),
            proven: false,
        }],
        TerminalDayEnd::Refused(_) => say(
            "CHƯA KẾT TOÁN: máy thẻ từ chối.",
            "NOT CLOSED: the terminal refused.",
        ),
    }
}

fn compared_words(one: &Compared, language: Language) -> DayWords {
    let currency = one.journal.currency;
    let say = |minor| money(Money::new(minor, currency), language);
    let net = say(one.journal.net_minor());
    let text = match one.verdict {
        Verdict::Balanced => format!("{}: {net}", pick(language, "KHỚP", "BALANCED")),
        Verdict::BalancedSinceUnanswered => format!(
            "{} {}",
            pick(
                language,
                "KHỚP từ lần kết toán không trả lời; lần đó máy thẻ đã kết toán, số của lần đó chưa rõ:",
                "BALANCED since the close without an answer, which did happen; its figures are not known:"
            ),
            say(one.terminal_minor.unwrap_or(0))
        ),
        Verdict::Differs {
            amount_minor,
            count,
            start_uncertain,
        } => differs(amount_minor, count, start_uncertain, currency, language),
        Verdict::NotSaid => format!(
            "{} ({} {net})",
            pick(
                language,
                "KHÔNG RÕ: máy thẻ không báo tổng",
                "UNKNOWN: the terminal gave no total"
            ),
            pick(language, "sổ", "journal")
        ),
    };
    let proven = one.verdict == Verdict::Balanced;
    DayWords { text, proven }
}

fn differs(
    minor: i64,
    count: i64,
    start_uncertain: bool,
    currency: checkout::Currency,
    language: Language,
) -> String {
    let sign = if minor > 0 { "+" } else { "" };
    let difference = money(Money::new(minor, currency), language);
    let mut text = format!(
        "{} {sign}{difference}",
        pick(
            language,
            "LỆCH (máy thẻ trừ sổ):",
            "DIFFERENCE (terminal less journal):"
        )
    );
    if count != 0 {
        let name = pick(language, "số giao dịch", "transactions");
        text.push_str(&format!(", {name} {count:+}"));
    }
    if start_uncertain {
        text.push_str(pick(
            language,
            ". Lần kết toán trước không trả lời, nên có thể máy thẻ chỉ báo một phần",
            ". An earlier close had no answer, so the terminal may tell of a part only",
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::super::Seller;
    use super::super::report::Kind;
    use super::*;
    use checkout::till::{Doubt, JournalDay, TerminalTotals};
    use checkout::{Currency, LocalDate};

    fn close(end: TerminalDayEnd) -> TerminalClose {
        TerminalClose {
            ended_ms: 1_795_228_860_000,
            end,
            currency: Currency::VND,
            journal: JournalDay {
                figures: vec![CardFigures {
                    payments: 12,
                    taken_minor: 1_275_000,
                    give_backs: 1,
                    given_back_minor: 25_000,
                    ..CardFigures::none(Currency::VND)
                }],
                since_unanswered: None,
            },
        }
    }

    fn closed(total: Option<i64>) -> TerminalClose {
        close(TerminalDayEnd::Closed(TerminalTotals {
            total: total.map(|minor| Money::new(minor, Currency::VND)),
            count: total.map(|_| 12),
            ..TerminalTotals::default()
        }))
    }

    fn text(closes: &[TerminalClose], part: TerminalPart, language: Language) -> String {
        let words = words(part, closes, language);
        let text: Vec<&str> = words.iter().map(|said| said.text.as_str()).collect();
        text.join("\n").replace('\u{a0}', " ")
    }

    #[test]
    fn a_difference_is_said_exactly_and_balanced_only_when_proven() {
        // Proves the words of every end of a terminal's day in both languages, and that only proof is called balanced.
        let cases = [
            (closed(Some(1_250_000)), "KHỚP: 1.250.000 ₫"),
            (closed(Some(1_300_000)), "LỆCH (máy thẻ trừ sổ): +50.000 ₫"),
            (closed(Some(1_200_000)), "LỆCH (máy thẻ trừ sổ): −50.000 ₫"),
            (
                closed(None),
                "KHÔNG RÕ: máy thẻ không báo tổng (sổ 1.250.000 ₫)",
            ),
            (
                close(TerminalDayEnd::Unknown(Doubt::NoAnswer)),
                "KHÔNG RÕ: máy thẻ không trả lời. Xem biên lai kết toán của máy thẻ.",
            ),
            (
                close(TerminalDayEnd::NotStarted(NotStartedReason::Unreachable)),
                "KHÔNG RÕ: máy thẻ không trả lời. Ngày của máy thẻ chưa kết toán.",
            ),
            (
                close(TerminalDayEnd::NotStarted(NotStartedReason::Unsupported)),
                "Máy thẻ loại này không kết toán từ quầy được. Kết toán bằng phím của máy thẻ.",
            ),
            (
                close(TerminalDayEnd::Refused(DeclineReason::Bank("busy".into()))),
                "CHƯA KẾT TOÁN: máy thẻ từ chối. (busy)",
            ),
        ];
        for (close, wanted) in cases {
            let closes = [close];
            let part = TerminalPart::Closes;
            assert_eq!(text(&closes, part, Language::Vietnamese), wanted);
            let proven = words(part, &closes, Language::English)[0].proven;
            assert_eq!(proven, wanted.starts_with("KHỚP:"), "{wanted}");
            let english = text(&closes, part, Language::English);
            assert_eq!(english.contains("BALANCED"), proven, "{english}");
        }
        let waiting = text(&[], TerminalPart::Waiting, Language::English);
        assert!(waiting.starts_with("UNKNOWN"), "{waiting}");
        assert_eq!(text(&[], TerminalPart::None, Language::English), "");
    }

    #[test]
    fn both_sides_stand_on_the_paper() {
        // Proves the Z paper has the terminal's and the journal's count and amount and what follows; without a terminal
        // there is nothing of it.
        let date = LocalDate::new(2026, 11, 28).unwrap();
        let mut summary = Summary::new(Kind::Z { number: 3 }, date, 1_795_228_860_000, 420);
        let paper = |summary: &Summary| {
            let document = summary.document(&Seller::default(), Language::Vietnamese);
            document.to_text(42)
        };
        assert!(!paper(&summary).contains("MÁY THẺ"));
        summary.terminal = TerminalPart::Closes;
        assert!(paper(&summary).contains("Chưa kết toán máy thẻ."));
        summary.terminal_closes = vec![closed(Some(1_300_000))];
        let text = paper(&summary);
        for (label, count, figure) in [
            ("Máy thẻ báo", "12", "1.300.000"),
            ("Sổ của quầy", "12", "1.250.000"),
            ("trong đó trả lại", "1", "-25.000"),
        ] {
            let row = text.lines().find(|line| line.contains(label)).unwrap();
            assert!(row.contains(count) && row.ends_with(figure), "{text}");
        }
        assert!(text.contains("LỆCH"), "{text}");
    }
}
