//! Which open offers the bank was asked about, and whether in time.

use std::collections::BTreeSet;

use checkout::till::{AttemptId, Fact, TenderKind, TillState, What};

use crate::check::Violation;

/// A way to pay begins only when every open offer of its visit was asked about since the one
/// before it began. Times are the world's: a slow disk learns of both later.
#[derive(Default)]
pub struct Questions {
    asked: Vec<(AttemptId, u64)>,
    last_begun_at: u64,
    /// Attempts whose beginning was looked at.
    begun: BTreeSet<AttemptId>,
}

impl Questions {
    /// The bank is asked about an offer.
    pub fn asked(&mut self, attempt: AttemptId, at: u64) {
        self.asked.push((attempt, at));
    }

    /// The kiosk starts again with what the disk knows.
    pub fn restart(&mut self, intended: &BTreeSet<AttemptId>) {
        self.begun.clone_from(intended);
    }

    /// Looks at a batch on its way to the disk. `boot_at` is when the kiosk's clock was zero.
    pub fn before_tenders(
        &mut self,
        facts: &[Fact],
        state: &TillState,
        boot_at: u64,
    ) -> Result<(), Violation> {
        for (place, fact) in facts.iter().enumerate() {
            let What::AttemptIntended { attempt, kind, .. } = &fact.what else {
                continue;
            };
            // A write that failed comes again with the same facts.
            if self.begun.insert(*attempt) && *kind != TenderKind::Voucher {
                let at = boot_at + fact.at.mono_ms;
                self.before_tender(&facts[place..], fact, state, at)?;
                self.last_begun_at = at;
                self.asked.retain(|(_, asked_at)| *asked_at >= at);
            }
        }
        Ok(())
    }

    fn before_tender(
        &self,
        since: &[Fact],
        intended: &Fact,
        state: &TillState,
        at: u64,
    ) -> Result<(), Violation> {
        let visit = intended.visit.as_ref();
        let ours = state.watched.iter().filter(|w| Some(&w.visit) == visit);
        for watched in ours {
            // What was left or paid after this beginning, in the same batch, was not open before it.
            let later = since.iter().any(|fact| match &fact.what {
                What::OfferLeft { attempt } | What::AttemptPaid { attempt, .. } => {
                    *attempt == watched.attempt
                }
                _ => false,
            });
            let asked = self.asked.iter().any(|&(attempt, asked_at)| {
                attempt == watched.attempt && (self.last_begun_at..=at).contains(&asked_at)
            });
            if !asked && !later {
                return Err(format!(
                    "another way to pay began, and nobody asked about {}",
                    watched.attempt
                ));
            }
        }
        Ok(())
    }
}
