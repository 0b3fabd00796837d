//! What every driver checks before an order leaves: the amount, the currency, that the attempt was
//! never sent, and that no earlier order is in doubt.

use std::collections::VecDeque;

use super::journal::Order;
use super::types::{
    Amount, AttemptId, Currency, NotReady, NotStarted, Outcome, RecoverRequest, Recovered,
    TerminalEvent,
};

/// Attempts remembered so that none is sent twice.
const REMEMBERED_ATTEMPTS: usize = 256;

/// Memory of what was sent and what is in doubt.
#[derive(Debug, Default)]
pub(crate) struct Admission {
    sent: VecDeque<AttemptId>,
    in_doubt: Option<AttemptId>,
}

impl Admission {
    /// Checks an order of money; on success the attempt counts as sent.
    pub(crate) fn admit(
        &mut self,
        order: &impl Order,
        configured: Currency,
        digits: u8,
    ) -> Result<Amount, NotStarted> {
        let amount = order.amount().ok_or(NotStarted::AmountIsZero)?;
        if amount.minor == 0 {
            return Err(NotStarted::AmountIsZero);
        }
        let ordered = amount.currency;
        if ordered != configured {
            return Err(NotStarted::WrongCurrency {
                ordered,
                configured,
            });
        }
        if amount.minor >= 10u64.saturating_pow(u32::from(digits)) {
            return Err(NotStarted::AmountDoesNotFit {
                minor: amount.minor,
                digits,
            });
        }
        self.admit_attempt(order.attempt())?;
        Ok(amount)
    }

    /// Checks an order without money; on success the attempt counts as sent.
    pub(crate) fn admit_attempt(&mut self, attempt: AttemptId) -> Result<(), NotStarted> {
        if let Some(in_doubt) = self.in_doubt {
            return Err(NotStarted::AnotherInDoubt { in_doubt });
        }
        if self.sent.contains(&attempt) {
            return Err(NotStarted::AlreadySent);
        }
        if self.sent.len() >= REMEMBERED_ATTEMPTS {
            self.sent.pop_front();
        }
        self.sent.push_back(attempt);
        Ok(())
    }

    /// The event that ends an order; an unknown outcome closes the lane until it is recovered.
    pub(crate) fn finish(&mut self, attempt: AttemptId, outcome: Outcome) -> TerminalEvent {
        if matches!(outcome, Outcome::Unknown { .. }) {
            self.in_doubt = Some(attempt);
        }
        TerminalEvent::Finished { attempt, outcome }
    }

    /// Recovery answered, whatever it found: the kiosk knows, and the lane is open again.
    pub(crate) fn recovered(&mut self, attempt: AttemptId) {
        self.in_doubt = self.in_doubt.filter(|in_doubt| *in_doubt != attempt);
    }
}

/// What a protocol without enquiry can say about an order in doubt: only what the journal knows.
/// Its terminals charge without waiting for the till, so a stored approval is a charge.
pub(crate) fn recover_from_journal(request: RecoverRequest) -> TerminalEvent {
    let recovered = match request.approval {
        Some(approval) => Recovered::Happened {
            approval,
            was_recorded: true,
        },
        None => Recovered::CannotTell {
            why: NotReady::ProtocolCannotTell,
        },
    };
    TerminalEvent::Recovered {
        attempt: request.attempt,
        recovered,
    }
}
