//! What staff order of the card terminal.

use super::Scribe;
use super::names::{decline, doubt, not_started};
use crate::store::JournalEvent;
use checkout::till::{AttemptId, Fact, OrderKind, PaymentIs, TerminalDayEnd, What};
use touchpoint::EventError;
use touchpoint::vocabulary::{self as words, Method};

impl Scribe {
    /// Orders of staff at the card terminal, and what came of them. Never who ordered.
    pub(super) fn write_card_order(
        &self,
        fact: &Fact,
        events: &mut Vec<JournalEvent>,
    ) -> Result<(), EventError> {
        match &fact.what {
            What::OrderIntended { attempt, kind, .. } if *kind == OrderKind::DayClose => {
                self.push(fact, &terminal_day(*attempt, "intended"), events)
            }
            What::TerminalDayAsked { attempt } => {
                self.push(fact, &terminal_day(*attempt, "asked"), events)
            }
            What::TerminalDayEnded { attempt, end } => {
                self.push(fact, &day_ended(*attempt, end), events)
            }
            What::OrderIntended {
                attempt,
                kind,
                amount_minor,
                of,
                ..
            } => {
                let sale = of.as_ref().map(|of| match &of.is {
                    PaymentIs::Sale { visit, .. } => visit.0.clone(),
                    PaymentIs::Review(_) => String::new(),
                });
                let body = words::AttemptIntended {
                    attempt: attempt.to_string(),
                    sale: sale.unwrap_or_default(),
                    method: Method::Card,
                    amount: self.money(-amount_minor),
                    order: Some(order(*kind).into()),
                };
                self.push(fact, &body, events)
            }
            What::CardGivenBack {
                attempt,
                kind,
                amount_minor,
                of,
                business_date,
                ..
            } => {
                // Money in review belongs to no sale; that it was given back is said by the review's end.
                let PaymentIs::Sale { visit, .. } = &of.is else {
                    return Ok(());
                };
                let body = words::SaleRefunded {
                    sale: visit.0.clone(),
                    refund: format!("{}-{attempt}", visit.0),
                    business_date: business_date.to_string(),
                    method: Method::Card,
                    amount: self.money(*amount_minor),
                    how: Some(order(*kind).into()),
                    attempt: Some(attempt.to_string()),
                };
                self.push(fact, &body, events)
            }
            _ => Ok(()),
        }
    }
}

fn order(kind: OrderKind) -> &'static str {
    match kind {
        OrderKind::Payment => "payment",
        OrderKind::Reversal => "reversal",
        OrderKind::Refund => "refund",
        OrderKind::DayClose => "day_close",
    }
}

fn terminal_day(attempt: AttemptId, state: &str) -> words::TerminalDay {
    words::TerminalDay {
        attempt: attempt.to_string(),
        state: state.into(),
        reason: None,
        total: None,
        count: None,
    }
}

fn day_ended(attempt: AttemptId, end: &TerminalDayEnd) -> words::TerminalDay {
    let (state, reason) = match end {
        TerminalDayEnd::Closed(_) => ("closed", None),
        TerminalDayEnd::Refused(reason) => ("refused", Some(decline(reason))),
        TerminalDayEnd::NotStarted(reason) => ("not_started", Some(not_started(*reason))),
        TerminalDayEnd::Unknown(why) => ("unknown", Some(doubt(*why))),
    };
    let totals = match end {
        TerminalDayEnd::Closed(totals) => Some(totals),
        _ => None,
    };
    let total = totals.and_then(|totals| totals.total);
    words::TerminalDay {
        reason: reason.map(str::to_owned),
        total: total.map(|total| words::Money {
            currency: total.currency.code().to_owned(),
            minor: total.minor,
        }),
        count: totals.and_then(|totals| totals.count),
        ..terminal_day(attempt, state)
    }
}
