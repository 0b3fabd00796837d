//! What became of an order in doubt, from the terminal's last transaction. Pure.
//!
//! The last transaction is a single slot, so the verdict is only as good as the baseline taken
//! before the order: equal to it means that nothing happened, a newer one must be exactly ours.

use crate::terminal::types::{
    Approval, Baseline, NotReady, OrderKind, RecoverRequest, Recovered, Recovery,
    TransactionIdentity,
};
use crate::terminal::{CardDigits, DeclineReason};

/// The last transaction as read from the terminal.
#[derive(Debug, Clone)]
pub(crate) struct LastTransaction {
    pub(crate) identity: TransactionIdentity,
    pub(crate) scheme: Option<String>,
    pub(crate) card: Option<CardDigits>,
}

/// Judges `request` by the last transaction, or by the code with which the terminal said that it
/// has none.
pub(crate) fn judge(request: &RecoverRequest, last: Result<&LastTransaction, u8>) -> Recovered {
    let last = match last {
        Ok(last) => last,
        Err(code) => return judge_empty(request, code),
    };
    let seen = &last.identity;
    // An approval we hold is the strongest evidence, whatever lies between.
    if let Some(approval) = &request.approval
        && approval.identity.same_transaction(seen)
    {
        return Recovered::Happened {
            approval: approval.clone(),
            was_recorded: true,
        };
    }
    match &request.baseline {
        Baseline::Last(before) if before.same_transaction(seen) => {
            Recovered::DidNotHappen(Recovery::NothingNew)
        }
        Baseline::Unavailable => Recovered::Foreign { seen: seen.clone() },
        before => judge_newer(request, before, last),
    }
}

fn judge_empty(request: &RecoverRequest, code: u8) -> Recovered {
    match request.baseline {
        // Only the very answer from before says that nothing was added.
        Baseline::Empty { code: before } if before == code => {
            Recovered::DidNotHappen(Recovery::NothingNew)
        }
        _ => Recovered::CannotTell {
            why: NotReady::Refused {
                code,
                reason: DeclineReason::from_zvt(code),
            },
        },
    }
}

fn judge_newer(request: &RecoverRequest, before: &Baseline, last: &LastTransaction) -> Recovered {
    let seen = &last.identity;
    let foreign = || Recovered::Foreign { seen: seen.clone() };
    let ours = seen.amount_minor == Some(request.amount.minor)
        && seen
            .currency
            .is_none_or(|currency| currency == request.amount.currency)
        && same_terminal(before, seen);
    let steps = receipts_since(before, seen);
    let takes_back = seen.original_trace.is_some_and(|trace| trace != 0);
    if request.kind != OrderKind::Reversal && takes_back && seen.result_code == 0 {
        // The terminal's own reversal of our order: its record is one or two receipts on.
        return if ours && steps.is_none_or(|steps| steps <= 2) {
            Recovered::DidNotHappen(Recovery::TakenBack)
        } else {
            foreign()
        };
    }
    // With a receipt in between, our order could hide behind somebody else's.
    if steps.is_some_and(|steps| steps > 1) {
        return foreign();
    }
    match (seen.result_code, ours) {
        (0, true) => Recovered::Happened {
            approval: Approval {
                attempt: request.attempt,
                kind: request.kind,
                amount: request.amount,
                identity: seen.clone(),
                scheme: last.scheme.clone(),
                card: last.card,
            },
            was_recorded: false,
        },
        (0, false) => foreign(),
        // A decline that used up a receipt number may stand before a charge of ours that did too,
        // unless the trace numbers show that it is the only transaction since.
        (_, _) if steps == Some(1) && traces_since(before, seen).is_some_and(|n| n > 1) => {
            foreign()
        }
        (_, false) if seen.amount_minor.is_some() => foreign(),
        (code, _) => Recovered::DidNotHappen(Recovery::Declined { code }),
    }
}

fn same_terminal(before: &Baseline, seen: &TransactionIdentity) -> bool {
    match before {
        Baseline::Last(before) => match (&before.terminal_id, &seen.terminal_id) {
            (Some(before), Some(seen)) => before == seen,
            _ => true,
        },
        _ => true,
    }
}

/// How many receipt numbers lie between the baseline and the transaction seen. Numbers run from 1
/// (some terminals 0) to 9999 and start again; a declined transaction may keep the old number.
fn receipts_since(before: &Baseline, seen: &TransactionIdentity) -> Option<u16> {
    let Baseline::Last(before) = before else {
        return None;
    };
    let (before, seen) = (before.receipt_number?, seen.receipt_number?);
    if seen >= before {
        return Some(seen - before);
    }
    // Wrapped: 9999 is followed by 0 or 1.
    Some((9999u16.saturating_sub(before)).saturating_add(seen.max(1)))
}

/// How many trace numbers lie between the baseline and the transaction seen; they run to 999999.
fn traces_since(before: &Baseline, seen: &TransactionIdentity) -> Option<u32> {
    let Baseline::Last(before) = before else {
        return None;
    };
    let (before, seen) = (before.trace_number?, seen.trace_number?);
    Some(if seen >= before {
        seen - before
    } else {
        999_999u32.saturating_sub(before).saturating_add(seen)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terminal::{Amount, AttemptId, Currency};

    fn seen(receipt: u16, trace: u32, minor: u64) -> TransactionIdentity {
        TransactionIdentity {
            receipt_number: Some(receipt),
            trace_number: Some(trace),
            amount_minor: Some(minor),
            currency: Some(Currency::VND),
            ..TransactionIdentity::default()
        }
    }

    fn verdict(
        kind: OrderKind,
        baseline: Baseline,
        last: Result<TransactionIdentity, u8>,
    ) -> Recovered {
        let request = RecoverRequest {
            attempt: AttemptId([1; 16]),
            kind,
            amount: Amount::new(500, Currency::VND),
            baseline,
            approval: None,
        };
        let last = last.map(|identity| LastTransaction {
            identity,
            scheme: None,
            card: None,
        });
        judge(&request, last.as_ref().map_err(|code| *code))
    }

    #[test]
    fn the_last_transaction_decides_and_nothing_is_guessed() {
        // Proves the verdict for every kind of last transaction a terminal can show.
        use OrderKind::{Payment, Reversal};
        let before = |receipt| Baseline::Last(seen(receipt, 10, 900));
        let nothing = Recovered::DidNotHappen(Recovery::NothingNew);
        let happened = |v: &Recovered| matches!(v, Recovered::Happened { .. });
        let foreign = |v: &Recovered| matches!(v, Recovered::Foreign { .. });

        assert_eq!(verdict(Payment, before(7), Ok(seen(7, 10, 900))), nothing);
        assert!(happened(&verdict(Payment, before(7), Ok(seen(8, 11, 500)))));
        // The receipt number wraps to 0 or 1.
        assert!(happened(&verdict(
            Payment,
            before(9999),
            Ok(seen(1, 11, 500))
        )));
        assert!(happened(&verdict(
            Payment,
            before(9999),
            Ok(seen(0, 11, 500))
        )));
        assert!(foreign(&verdict(
            Payment,
            before(9999),
            Ok(seen(2, 12, 500))
        )));
        // Another amount, another currency, a receipt in between.
        assert!(foreign(&verdict(Payment, before(7), Ok(seen(8, 11, 501)))));
        assert!(foreign(&verdict(Payment, before(7), Ok(seen(9, 12, 500)))));
        let euro = TransactionIdentity {
            currency: Some(Currency::EUR),
            ..seen(8, 11, 500)
        };
        assert!(foreign(&verdict(Payment, before(7), Ok(euro))));
        // The same receipt and trace at another time is another transaction.
        let later = TransactionIdentity {
            time_hhmmss: Some(1),
            ..seen(7, 10, 900)
        };
        let earlier = TransactionIdentity {
            time_hhmmss: Some(2),
            ..seen(7, 10, 900)
        };
        assert!(foreign(&verdict(
            Payment,
            Baseline::Last(earlier),
            Ok(later)
        )));

        let declined = TransactionIdentity {
            result_code: 0x6C,
            ..seen(7, 11, 500)
        };
        let code = 0x6C;
        assert_eq!(
            verdict(Payment, before(7), Ok(declined)),
            Recovered::DidNotHappen(Recovery::Declined { code })
        );
        // A decline of another amount, or one that may hide a charge, is nobody's verdict.
        for (receipt, trace, minor) in [(7, 11, 400), (8, 12, 500)] {
            let other = TransactionIdentity {
                result_code: 0x6C,
                ..seen(receipt, trace, minor)
            };
            assert!(foreign(&verdict(Payment, before(7), Ok(other))));
        }
        // The terminal's own reversal of our payment, and a reversal that we ordered.
        let reversal = TransactionIdentity {
            original_trace: Some(11),
            ..seen(9, 12, 500)
        };
        assert_eq!(
            verdict(Payment, before(7), Ok(reversal.clone())),
            Recovered::DidNotHappen(Recovery::TakenBack)
        );
        assert!(happened(&verdict(Reversal, before(8), Ok(reversal))));

        let empty = || Baseline::Empty { code: 0x64 };
        assert_eq!(verdict(Payment, empty(), Err(0x64)), nothing);
        assert!(happened(&verdict(Payment, empty(), Ok(seen(1, 1, 500)))));
        for (baseline, code) in [(before(7), 0x64), (empty(), 0x83)] {
            let v = verdict(Payment, baseline, Err(code));
            assert!(matches!(v, Recovered::CannotTell { .. }), "{v:?}");
        }
        assert!(foreign(&verdict(
            Payment,
            Baseline::Unavailable,
            Ok(seen(8, 11, 500))
        )));
    }
}
