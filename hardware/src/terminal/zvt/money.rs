//! One order under way: from the command to its outcome.
//!
//! The answer `80 00 00` to a status information with result 0 is the commit point (PA00P015
//! 2.2.8). It is given only after `approval_stored`; before the reply timer runs out the terminal
//! is asked to wait (`84 9C`), and an approval that cannot be stored is refused (`84 66`).

use super::protocol::{Apdu, StatusInformation};
use crate::terminal::codes::DeclineReason;
use crate::terminal::types::{
    Amount, Approval, AttemptId, NotStarted, OrderKind, Outcome, TransactionIdentity, Unknown,
};

/// Error code "please wait": the terminal sends its status information again.
const PLEASE_WAIT: u8 = 0x9C;
/// Error code that makes the terminal reverse the transaction by itself.
const PROCESSING_ERROR: u8 = 0x66;

/// How far the kiosk is with the approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Commit {
    /// No approval seen.
    None,
    /// The terminal waits for our answer.
    Asked { hold_at_ms: u64 },
    /// We asked for time; the terminal will ask again.
    Held,
    /// `80 00 00` was given: the money is taken.
    Given,
    /// `84 66` was given: the terminal takes it back.
    Refused,
}

/// What the engine has to do after a message.
#[derive(Debug, Default)]
pub(crate) struct Step {
    /// Answer to the terminal.
    pub(crate) reply: Option<Apdu>,
    /// Approval to report to the kiosk.
    pub(crate) approval: Option<Approval>,
    /// The order ended.
    pub(crate) outcome: Option<Outcome>,
    /// The terminal refused the abort.
    pub(crate) abort_refused: bool,
}

impl Step {
    fn reply(reply: Apdu) -> Self {
        Self {
            reply: Some(reply),
            ..Self::default()
        }
    }
    fn end(reply: Option<Apdu>, outcome: Outcome) -> Self {
        Self {
            reply,
            outcome: Some(outcome),
            ..Self::default()
        }
    }
}

/// Limits of holding an approval back.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HoldRules {
    pub(crate) can_hold: bool,
    pub(crate) hold_after_ms: u64,
    pub(crate) max_holds: u8,
}

/// State of one order after it was sent.
#[derive(Debug)]
pub(crate) struct MoneyOrder {
    pub(crate) attempt: AttemptId,
    pub(crate) kind: OrderKind,
    amount: Amount,
    terminal_id: Option<String>,
    /// Transactions from before this order.
    before: Vec<TransactionIdentity>,
    rules: HoldRules,
    /// The terminal accepted the command.
    pub(crate) accepted: bool,
    /// An abort was sent and not answered yet.
    pub(crate) abort_sent: bool,
    /// An abort was asked for before the command was accepted.
    pub(crate) abort_wanted: bool,
    commit: Commit,
    stored: bool,
    holds: u8,
    approval: Option<Approval>,
    declined: Option<u8>,
    mismatch: Option<TransactionIdentity>,
    contradiction: Option<u8>,
}

impl MoneyOrder {
    pub(crate) fn new(
        attempt: AttemptId,
        kind: OrderKind,
        amount: Amount,
        terminal_id: Option<String>,
        before: Vec<TransactionIdentity>,
        rules: HoldRules,
    ) -> Self {
        Self {
            attempt,
            kind,
            amount,
            terminal_id,
            before,
            rules,
            accepted: false,
            abort_sent: false,
            abort_wanted: false,
            commit: Commit::None,
            stored: false,
            holds: 0,
            approval: None,
            declined: None,
            mismatch: None,
            contradiction: None,
        }
    }

    /// Next moment at which the pending approval must be answered.
    pub(crate) fn deadline_ms(&self) -> Option<u64> {
        match self.commit {
            Commit::Asked { hold_at_ms } => Some(hold_at_ms),
            _ => None,
        }
    }

    /// Whether `80 00 00` may be said at all. While the terminal waits for the answer to an
    /// approval it would take any for that one, so until the approval is stored there is none:
    /// a terminal that asked for something else meanwhile asks again.
    pub(crate) fn may_accept(&self) -> bool {
        !matches!(self.commit, Commit::Asked { .. })
    }

    /// An answer `80 00` or `84 xx` to something we sent.
    pub(crate) fn on_answer(&mut self, answer: &Apdu) -> Step {
        let code = answer.instruction;
        let positive = answer.class == 0x80 || code == 0;
        if !self.accepted {
            if positive {
                self.accepted = true;
                return Step::default();
            }
            let reason = DeclineReason::from_zvt(code);
            let why = NotStarted::Refused { code, reason };
            return Step::end(None, Outcome::NotStarted { why });
        }
        let refused = self.abort_sent && !positive;
        self.abort_sent = false;
        Step {
            abort_refused: refused,
            ..Step::default()
        }
    }

    /// A status information.
    pub(crate) fn on_status(&mut self, now_ms: u64, status: StatusInformation) -> Step {
        self.accepted = true;
        match status.result_code {
            Some(0) => self.on_approval(now_ms, status),
            Some(code) => {
                match self.commit {
                    Commit::None => self.declined = Some(code),
                    // After our refusal a decline is what we expect.
                    Commit::Refused => {}
                    // An approval that is taken back before it was answered is not to be had.
                    Commit::Asked { .. } | Commit::Held => {
                        self.contradiction = Some(code);
                        return self.refuse();
                    }
                    Commit::Given => self.contradiction = Some(code),
                }
                Step::reply(Apdu::accept())
            }
            // Nobody may acknowledge what cannot be read.
            None => {
                self.commit = Commit::Refused;
                self.mismatch = Some(status.identity);
                Step::reply(Apdu::refuse(PROCESSING_ERROR))
            }
        }
    }

    fn on_approval(&mut self, now_ms: u64, status: StatusInformation) -> Step {
        let repeated = self
            .approval
            .as_ref()
            .is_some_and(|approval| approval.identity.same_transaction(&status.identity));
        match self.commit {
            Commit::Given if repeated => Step::reply(Apdu::accept()),
            Commit::Asked { .. } | Commit::Held if repeated && self.stored => self.give(),
            Commit::Asked { .. } | Commit::Held if repeated => {
                self.commit = Commit::Asked {
                    hold_at_ms: now_ms + self.rules.hold_after_ms,
                };
                Step::default()
            }
            Commit::Refused => Step::reply(Apdu::refuse(PROCESSING_ERROR)),
            Commit::None if self.fits(&status.identity) && self.declined.is_none() => {
                let approval = self.approval_from(status);
                self.approval = Some(approval.clone());
                self.commit = Commit::Asked {
                    hold_at_ms: now_ms + self.rules.hold_after_ms,
                };
                Step {
                    approval: Some(approval),
                    ..Step::default()
                }
            }
            _ => {
                // Another amount, currency, terminal, or a second transaction: never ours.
                if self.commit == Commit::None {
                    self.commit = Commit::Refused;
                }
                self.mismatch = Some(status.identity);
                Step::reply(Apdu::refuse(PROCESSING_ERROR))
            }
        }
    }

    fn fits(&self, seen: &TransactionIdentity) -> bool {
        // A terminal that repeats a transaction from before this order does not answer this order.
        let old = self.before.iter().any(|one| one.same_transaction(seen));
        !old && seen.amount_minor == Some(self.amount.minor)
            && seen
                .currency
                .is_none_or(|currency| currency == self.amount.currency)
            && match (&self.terminal_id, &seen.terminal_id) {
                (Some(known), Some(seen)) => known == seen,
                _ => true,
            }
    }

    fn approval_from(&self, status: StatusInformation) -> Approval {
        Approval {
            attempt: self.attempt,
            kind: self.kind,
            amount: self.amount,
            identity: status.identity,
            scheme: status.scheme,
            card: status.card,
        }
    }

    fn give(&mut self) -> Step {
        self.commit = Commit::Given;
        Step::reply(Apdu::accept())
    }

    fn refuse(&mut self) -> Step {
        self.commit = Commit::Refused;
        Step::reply(Apdu::refuse(PROCESSING_ERROR))
    }

    /// The kiosk made the approval durable.
    pub(crate) fn on_stored(&mut self, stored: &Approval) -> Step {
        if self.approval.as_ref() != Some(stored) {
            return Step::default();
        }
        match self.commit {
            Commit::Asked { .. } => {
                self.stored = true;
                self.give()
            }
            Commit::Held => {
                self.stored = true;
                Step::default()
            }
            _ => Step::default(),
        }
    }

    /// The kiosk cannot store the approval.
    pub(crate) fn on_store_refused(&mut self) -> Step {
        match self.commit {
            Commit::Asked { .. } => self.refuse(),
            Commit::Held => {
                self.commit = Commit::Refused;
                Step::default()
            }
            _ => Step::default(),
        }
    }

    /// The reply timer is about to run out and the approval is still not stored.
    pub(crate) fn on_hold_due(&mut self) -> Step {
        if self.rules.can_hold && self.holds < self.rules.max_holds {
            self.holds += 1;
            self.commit = Commit::Held;
            return Step::reply(Apdu::refuse(PLEASE_WAIT));
        }
        self.refuse()
    }

    /// Completion `06 0F`.
    pub(crate) fn on_completion(&mut self) -> Step {
        let reply = self.reply_to_end();
        let outcome = match (self.commit, self.approval.take(), self.declined) {
            (Commit::Given, Some(approval), _)
                if self.contradiction.is_none() && self.mismatch.is_none() =>
            {
                Outcome::Approved(approval)
            }
            (Commit::None, _, Some(code)) => Outcome::Declined {
                reason: DeclineReason::from_zvt(code),
            },
            _ => Outcome::Unknown { why: self.doubt(0) },
        };
        Step::end(Some(reply), outcome)
    }

    /// Answer to the end of an order.
    fn reply_to_end(&self) -> Apdu {
        if self.may_accept() {
            Apdu::accept()
        } else {
            Apdu::refuse(PROCESSING_ERROR)
        }
    }

    /// Abort `06 1E` with its code.
    pub(crate) fn on_abort(&mut self, code: u8) -> Step {
        let reply = self.reply_to_end();
        let outcome = match self.commit {
            Commit::None => Outcome::Declined {
                reason: DeclineReason::from_zvt(self.declined.unwrap_or(code)),
            },
            _ => Outcome::Unknown {
                why: self.doubt(code),
            },
        };
        Step::end(Some(reply), outcome)
    }

    fn doubt(&self, code: u8) -> Unknown {
        match (&self.mismatch, self.contradiction, self.commit) {
            (Some(seen), _, _) => Unknown::Mismatch {
                seen: Box::new(seen.clone()),
            },
            (None, Some(code), _) => Unknown::Contradiction { code },
            (None, None, Commit::Refused) => Unknown::RejectedByKiosk,
            (None, None, Commit::None) => Unknown::NoResult,
            (None, None, _) => Unknown::Contradiction { code },
        }
    }
}
