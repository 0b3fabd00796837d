//! Money that is not simply paid: on a person's word, in review, on a voucher.

use super::Scribe;
use crate::store::JournalEvent;
use checkout::till::{Fact, ReviewDecision, ReviewKind, What};
use touchpoint::EventError;
use touchpoint::vocabulary as words;

impl Scribe {
    /// Money that is on a person's word, in review or on a voucher, and what the bank did not say.
    pub(super) fn write_odd_money(
        &self,
        fact: &Fact,
        events: &mut Vec<JournalEvent>,
    ) -> Result<(), EventError> {
        match &fact.what {
            What::TransferSeen {
                attempt,
                amount_minor,
                reference,
                ..
            } => {
                let body = words::TransferSeen {
                    attempt: attempt.to_string(),
                    amount: self.money(*amount_minor),
                    reference: reference.clone(),
                };
                self.push(fact, &body, events)
            }
            What::TransferSettled {
                attempt,
                amount_minor,
                arrived,
                staff,
            } => {
                let body = words::TransferSettled {
                    attempt: attempt.to_string(),
                    amount: self.money(*amount_minor),
                    arrived: *arrived,
                    by: if staff.is_some() { "staff" } else { "bank" }.into(),
                };
                self.push(fact, &body, events)
            }
            What::VoucherIssued {
                review,
                amount_minor,
                until_wall_ms,
            } => {
                let body = words::VoucherIssued {
                    voucher: review.0.to_string(),
                    amount: self.money(*amount_minor),
                    until_ms: *until_wall_ms,
                };
                self.push(fact, &body, events)
            }
            What::VoucherRedeemed {
                review,
                attempt,
                amount_minor,
                rest_minor,
            } => {
                let body = words::VoucherRedeemed {
                    voucher: review.0.to_string(),
                    attempt: attempt.to_string(),
                    amount: self.money(*amount_minor),
                    rest: self.money(*rest_minor),
                };
                self.push(fact, &body, events)
            }
            What::ReviewOpened(review) => {
                let body = words::ReviewOpened {
                    review: review.id.0.to_string(),
                    why: review_kind(review.kind).into(),
                    amount: self.money(review.amount_minor),
                    attempt: review.attempt.map(|attempt| attempt.to_string()),
                };
                self.push(fact, &body, events)
            }
            What::ReviewResolved {
                review,
                decision,
                amount_minor,
                ..
            } => {
                let body = words::ReviewResolved {
                    review: review.0.to_string(),
                    outcome: decided(*decision).into(),
                    amount: self.money(*amount_minor),
                };
                self.push(fact, &body, events)
            }
            What::OffersUnasked { attempts } => {
                let fault = format!("went_on_unasked.{}", attempts.len());
                self.alarm(fact, "qr", &fault, events)
            }
            What::PayeeDiffers => self.alarm(fact, "qr", "payee_differs", events),
            What::PayeeAccepted { staff } => {
                let by = if staff.is_some() {
                    "staff"
                } else {
                    "first_start"
                };
                self.alarm(fact, "qr", &format!("payee_accepted.{by}"), events)
            }
            _ => self.write_card_order(fact, events),
        }
    }
}

fn review_kind(kind: ReviewKind) -> &'static str {
    match kind {
        ReviewKind::LateCredit => "late",
        ReviewKind::OverPaid => "over",
        ReviewKind::OrphanCredit => "orphan",
        ReviewKind::PartPaid => "part_paid",
        ReviewKind::Contradiction => "contradiction",
        ReviewKind::Unpaid => "unpaid",
        ReviewKind::Duplicate => "duplicate",
        ReviewKind::WrongCurrency => "wrong_currency",
        ReviewKind::VoucherExpired => "voucher_expired",
        ReviewKind::GaveBack => "gave_back",
        ReviewKind::NotGivenBack => "not_given_back",
    }
}

fn decided(decision: ReviewDecision) -> &'static str {
    match decision {
        ReviewDecision::Refunded => "refunded",
        ReviewDecision::Kept => "kept",
        ReviewDecision::NoMoney => "no_money",
        ReviewDecision::UsedForSale | ReviewDecision::Reopened => "used_for_sale",
        ReviewDecision::Voucher => "voucher",
    }
}
