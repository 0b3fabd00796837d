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
        Baseline::Empty { .. } if code != 0x83 => Recovered::DidNotHappen(Recovery::NothingNew),
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
