//! One transaction for the store, made of what the till wants written.

use crate::journal::Scribe;
use crate::store::{CardRecord, Commit, SaleRecord, StoreError};
use checkout::till::{Fact, TillState, What};
use checkout::{Currency, Now};

/// Why facts cannot be written: a fault of this program, never of the data.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error(transparent)]
    Event(#[from] touchpoint::EventError),
    #[error(transparent)]
    Money(#[from] checkout::MoneyError),
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Facts as events of the journal, the state they led to, and the sale if one was completed.
///
/// # Errors
/// [`EncodeError`].
pub(crate) fn encode(
    scribe: &mut Scribe,
    now: Now,
    facts: &[Fact],
    state: &TillState,
) -> Result<Commit, EncodeError> {
    if let Some(visit) = &state.visit {
        scribe.note_basket(&visit.basket, now.local().date);
    }
    let currency = Currency::from_code(scribe.currency())?;
    let sale = facts.iter().find_map(|fact| match &fact.what {
        What::SaleCompleted(sale) => Some(sale),
        _ => None,
    });
    Ok(Commit {
        wall_ms: now.wall_ms,
        events: scribe.events(facts)?,
        state_json: Some(serde_json::to_string(state)?),
        sale: sale
            .map(|sale| SaleRecord::of(sale))
            .transpose()?
            .map(Box::new),
        card: facts
            .iter()
            .filter_map(|fact| CardRecord::of(fact, currency))
            .collect(),
    })
}
