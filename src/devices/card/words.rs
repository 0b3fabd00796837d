//! The driver's words and the till's words for the same things.

use checkout::till::{
    CardApproval, DeclineReason, Doubt, NotStartedReason, OrderKind, Recovery, TerminalDayEnd,
    TerminalPrompt, TerminalSaid, TerminalTotals,
};
use checkout::{Currency, Money};
use hardware::terminal as hw;

/// The baseline travels through the till as text it does not read.
pub(super) fn write_baseline(baseline: &hw::Baseline) -> String {
    let mut baseline = baseline.clone();
    if let hw::Baseline::Last(identity) = &mut baseline {
        let words = [&mut identity.terminal_id, &mut identity.authorisation_code];
        for word in words.into_iter().flatten() {
            *word = clean(word);
        }
    }
    serde_json::to_string(&baseline).unwrap_or_default()
}

/// Digits of the longest terminal id or approval code there is; a card number has more.
const DIGITS_MAX: usize = 10;

/// The framer masks card numbers in the fields that carry them. A terminal that writes one anywhere else (as the name
/// of the scheme, as an approval code), whole or broken, must not get it into the till's state or the journal either.
fn clean(word: &str) -> String {
    let digits = word.chars().filter(char::is_ascii_digit).count();
    let hide = |c: char| if c.is_ascii_digit() { '*' } else { c };
    match digits > DIGITS_MAX {
        true => word.chars().map(hide).collect(),
        false => word.to_owned(),
    }
}

pub(super) fn read_baseline(text: &str) -> hw::Baseline {
    serde_json::from_str(text).unwrap_or(hw::Baseline::Unavailable)
}

/// `terminal/receipt/trace/date/time`, empty where the terminal gave nothing.
fn write_reference(identity: &hw::TransactionIdentity) -> String {
    let text = |value: Option<String>| value.unwrap_or_default();
    [
        text(identity.terminal_id.as_deref().map(clean)),
        text(identity.receipt_number.map(|n| n.to_string())),
        text(identity.trace_number.map(|n| n.to_string())),
        text(identity.date_mmdd.map(|n| n.to_string())),
        text(identity.time_hhmmss.map(|n| n.to_string())),
    ]
    .join("/")
}

pub(super) fn read_reference(text: &str, amount: hw::Amount) -> hw::TransactionIdentity {
    let mut parts = text.split('/').filter(|part| part.len() <= 20);
    let terminal = parts.next().filter(|part| !part.is_empty());
    hw::TransactionIdentity {
        terminal_id: terminal.map(str::to_owned),
        receipt_number: parts.next().and_then(|part| part.parse().ok()),
        trace_number: parts.next().and_then(|part| part.parse().ok()),
        date_mmdd: parts.next().and_then(|part| part.parse().ok()),
        time_hhmmss: parts.next().and_then(|part| part.parse().ok()),
        amount_minor: Some(amount.minor),
        ..hw::TransactionIdentity::default()
    }
}

pub(super) fn card_approval(approval: &hw::Approval) -> CardApproval {
    CardApproval {
        reference: write_reference(&approval.identity),
        approval_code: clean(
            approval
                .identity
                .authorisation_code
                .as_deref()
                .unwrap_or(""),
        ),
        scheme: clean(approval.scheme.as_deref().unwrap_or("")),
    }
}

/// What is known of a transaction of the terminal, read back from the words in the till's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenTransaction {
    /// The terminal's id.
    pub terminal_id: Option<String>,
    /// Its receipt number.
    pub receipt_number: Option<u16>,
    /// Month and day, as month·100 + day.
    pub date_mmdd: Option<u16>,
    /// Time, as hours·10000 + minutes·100 + seconds.
    pub time_hhmmss: Option<u32>,
    /// How much, in minor units.
    pub amount_minor: Option<u64>,
}

impl SeenTransaction {
    /// From an approval's reference, or from what recovery found.
    pub fn of_reference(text: &str) -> Self {
        let mut parts = text
            .split('/')
            .map(|part| Some(part).filter(|p| !p.is_empty()));
        let mut next = || parts.next().flatten();
        let terminal_id = next().filter(|id| id.len() <= 20).map(str::to_owned);
        let receipt_number = next().and_then(|part| part.parse().ok());
        // The trace number tells a person nothing that the receipt number does not.
        let _trace = next();
        Self {
            terminal_id,
            receipt_number,
            date_mmdd: next().and_then(|part| part.parse().ok()),
            time_hhmmss: next().and_then(|part| part.parse().ok()),
            amount_minor: next().and_then(|part| part.parse().ok()),
        }
    }

    /// The terminal's last transaction before an attempt; `None` when it had none or could not say.
    pub fn of_baseline(text: &str) -> Option<Self> {
        match read_baseline(text) {
            hw::Baseline::Last(identity) => Some(Self {
                terminal_id: identity.terminal_id,
                receipt_number: identity.receipt_number,
                date_mmdd: identity.date_mmdd,
                time_hhmmss: identity.time_hhmmss,
                amount_minor: identity.amount_minor,
            }),
            _ => None,
        }
    }
}

/// The reference with the amount behind it, for a transaction that may not be the one asked for.
fn write_seen(identity: &hw::TransactionIdentity) -> String {
    let amount = identity.amount_minor.map(|minor| minor.to_string());
    format!(
        "{}/{}",
        write_reference(identity),
        amount.unwrap_or_default()
    )
}

pub(super) fn not_ready(why: &hw::NotReady) -> NotStartedReason {
    match why {
        hw::NotReady::NotConnected => NotStartedReason::Unreachable,
        hw::NotReady::NoAnswer => NotStartedReason::NoAnswer,
        hw::NotReady::Busy => NotStartedReason::Busy,
        hw::NotReady::Condition(_)
        | hw::NotReady::Refused { .. }
        | hw::NotReady::ProtocolCannotTell => NotStartedReason::Refused,
    }
}

pub(super) fn shopper_prompt(prompt: hw::ShopperPrompt) -> TerminalPrompt {
    match prompt {
        hw::ShopperPrompt::PresentCard => TerminalPrompt::PresentCard,
        hw::ShopperPrompt::RemoveCard => TerminalPrompt::RemoveCard,
        hw::ShopperPrompt::FollowTerminal | hw::ShopperPrompt::WrongPin => TerminalPrompt::EnterPin,
        _ => TerminalPrompt::Processing,
    }
}

pub(super) fn finished(outcome: hw::Outcome) -> TerminalSaid {
    match outcome {
        hw::Outcome::Approved(_) => TerminalSaid::Completed,
        hw::Outcome::Declined { reason } => TerminalSaid::Declined(declined(reason)),
        // A reversal that is refused for good ends as one, whichever message says so.
        hw::Outcome::NotStarted {
            why:
                hw::NotStarted::Refused {
                    reason:
                        reason @ (hw::DeclineReason::AlreadyReversed
                        | hw::DeclineReason::ReversalNotPossible),
                    ..
                },
        } => TerminalSaid::Declined(declined(reason)),
        hw::Outcome::NotStarted { why } => {
            tracing::warn!(%why, "card payment did not start");
            TerminalSaid::NotStarted(match why {
                hw::NotStarted::NotConnected => NotStartedReason::Unreachable,
                hw::NotStarted::Busy => NotStartedReason::Busy,
                _ => NotStartedReason::Refused,
            })
        }
        hw::Outcome::Unknown { why } => {
            tracing::warn!(%why, "card payment in doubt");
            TerminalSaid::InDoubt(doubt(&why))
        }
    }
}

fn declined(reason: hw::DeclineReason) -> DeclineReason {
    match reason {
        hw::DeclineReason::CancelledOrTimeout => DeclineReason::Aborted,
        hw::DeclineReason::ByBank(code) => DeclineReason::Bank(format!("{code:02}")),
        hw::DeclineReason::AlreadyReversed => DeclineReason::AlreadyReversed,
        hw::DeclineReason::ReversalNotPossible => DeclineReason::ReversalImpossible,
        other => DeclineReason::Bank(other.to_string()),
    }
}

pub(super) fn order_kind(kind: OrderKind) -> hw::OrderKind {
    match kind {
        OrderKind::Payment => hw::OrderKind::Payment,
        OrderKind::Reversal => hw::OrderKind::Reversal,
        OrderKind::Refund => hw::OrderKind::Refund,
        OrderKind::DayClose => hw::OrderKind::DayClose,
    }
}

/// The terminal's receipt number in a reference.
pub(super) fn receipt_number(reference: &str) -> Option<u16> {
    SeenTransaction::of_reference(reference).receipt_number
}

/// How a day close ended. A terminal that names no currency speaks of the one it was registered with, the shop's.
pub(super) fn day_ended(outcome: hw::DayCloseOutcome, currency: Currency) -> TerminalSaid {
    let end = match outcome {
        hw::DayCloseOutcome::Closed(report) => TerminalDayEnd::Closed(totals(&report, currency)),
        hw::DayCloseOutcome::Refused { reason } => TerminalDayEnd::Refused(declined(reason)),
        hw::DayCloseOutcome::NotStarted { why } => {
            tracing::warn!(%why, "the terminal's day close did not start");
            match why {
                hw::NotStarted::Refused { reason, .. } => TerminalDayEnd::Refused(declined(reason)),
                hw::NotStarted::NotConnected => {
                    TerminalDayEnd::NotStarted(NotStartedReason::Unreachable)
                }
                hw::NotStarted::Busy => TerminalDayEnd::NotStarted(NotStartedReason::Busy),
                hw::NotStarted::Unsupported => {
                    TerminalDayEnd::NotStarted(NotStartedReason::Unsupported)
                }
                _ => TerminalDayEnd::NotStarted(NotStartedReason::Refused),
            }
        }
        hw::DayCloseOutcome::Unknown { why } => {
            tracing::warn!(%why, "the terminal's day close is in doubt");
            TerminalDayEnd::Unknown(doubt(&why))
        }
    };
    TerminalSaid::DayEnded(end)
}

fn totals(report: &hw::EndOfDayReport, shop: Currency) -> TerminalTotals {
    let told = match report.currency {
        None => Some(shop),
        Some(number) => {
            Currency::all().find(|known| hw::Currency::from_alpha(known.code()) == Some(number))
        }
    };
    let minor = report
        .total_minor
        .and_then(|minor| i64::try_from(minor).ok());
    let counts = report.schemes.iter().map(|scheme| scheme.count);
    TerminalTotals {
        total: told
            .zip(minor)
            .map(|(currency, minor)| Money::new(minor, currency)),
        count: (!report.schemes.is_empty()).then(|| counts.fold(0, u32::saturating_add)),
        first_receipt: report.first_receipt,
        last_receipt: report.last_receipt,
    }
}

fn doubt(why: &hw::Unknown) -> Doubt {
    match why {
        hw::Unknown::LinkLost => Doubt::LinkLost,
        hw::Unknown::NoReply | hw::Unknown::NoCompletion | hw::Unknown::NotAcknowledged => {
            Doubt::NoAnswer
        }
        hw::Unknown::RejectedByKiosk => Doubt::Rejected,
        hw::Unknown::Mismatch { .. } => Doubt::Mismatch,
        hw::Unknown::Contradiction { .. } => Doubt::Contradiction,
        hw::Unknown::NoResult => Doubt::NoResult,
        hw::Unknown::DriverStopped => Doubt::Restarted,
    }
}

pub(super) fn recovery(recovered: hw::Recovered) -> Recovery {
    match recovered {
        hw::Recovered::DidNotHappen(hw::Recovery::TakenBack) => Recovery::TakenBack,
        hw::Recovered::DidNotHappen(_) => Recovery::NotCharged,
        hw::Recovered::Happened { approval, .. } => Recovery::Paid(card_approval(&approval)),
        hw::Recovered::Foreign { seen } => Recovery::Foreign {
            seen: write_seen(&seen),
        },
        hw::Recovered::CannotTell { why } => {
            tracing::warn!(%why, "card terminal cannot be asked");
            Recovery::Unreachable
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_keeps_its_identity_through_the_journal() {
        // Proves that recovery after a restart compares with what was approved.
        let amount = hw::Amount::new(146_688, hw::Currency::VND);
        let identity = hw::TransactionIdentity {
            terminal_id: Some("68000001".into()),
            receipt_number: Some(42),
            trace_number: Some(1234),
            date_mmdd: Some(1122),
            time_hhmmss: Some(93_015),
            amount_minor: Some(146_688),
            ..hw::TransactionIdentity::default()
        };
        assert_eq!(
            read_reference(&write_reference(&identity), amount),
            identity
        );
        let nothing = read_reference("", amount);
        assert_eq!(nothing.receipt_number, None);
        let baseline = hw::Baseline::Last(identity);
        assert_eq!(read_baseline(&write_baseline(&baseline)), baseline);
        assert_eq!(read_baseline("garbage"), hw::Baseline::Unavailable);
    }

    #[test]
    fn a_card_number_in_any_words_of_the_terminal_goes_no_further() {
        // Proves whole, broken and grouped numbers in terminal id, approval code and scheme are gone before the till hears them.
        let identity = hw::TransactionIdentity {
            terminal_id: Some("4111111111111111".into()),
            receipt_number: Some(42),
            authorisation_code: Some("5598 8455 5554 8074".into()),
            ..hw::TransactionIdentity::default()
        };
        let approval = hw::Approval {
            attempt: hw::AttemptId([1; 16]),
            kind: hw::OrderKind::Payment,
            amount: hw::Amount::new(25_000, hw::Currency::VND),
            identity: identity.clone(),
            scheme: Some("VISA 4111-1111-1111-1111".into()),
            card: None,
        };
        let told = format!(
            "{:?} {} {}",
            card_approval(&approval),
            write_seen(&identity),
            write_baseline(&hw::Baseline::Last(identity))
        );
        for number in ["4111", "1111", "5598", "8074"] {
            assert!(!told.contains(number), "{told}");
        }
    }

    #[test]
    fn staff_can_read_what_the_terminal_said() {
        // Proves terminal, receipt, time and amount come back from a foreign transaction and from a baseline.
        let identity = hw::TransactionIdentity {
            terminal_id: Some("68000001".into()),
            receipt_number: Some(42),
            trace_number: Some(1234),
            date_mmdd: Some(1122),
            time_hhmmss: Some(93_015),
            amount_minor: Some(50_000),
            ..hw::TransactionIdentity::default()
        };
        let wanted = SeenTransaction {
            terminal_id: Some("68000001".into()),
            receipt_number: Some(42),
            date_mmdd: Some(1122),
            time_hhmmss: Some(93_015),
            amount_minor: Some(50_000),
        };
        assert_eq!(
            SeenTransaction::of_reference(&write_seen(&identity)),
            wanted
        );
        let baseline = write_baseline(&hw::Baseline::Last(identity));
        assert_eq!(SeenTransaction::of_baseline(&baseline), Some(wanted));
        let nothing = SeenTransaction::default();
        assert_eq!(SeenTransaction::of_reference(""), nothing);
        assert_eq!(SeenTransaction::of_reference("////////x"), nothing);
        assert_eq!(SeenTransaction::of_baseline("garbage"), None);
    }
}
