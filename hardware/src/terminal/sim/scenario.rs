//! What a simulated terminal does next: outcome, pace and faults.

use serde::{Deserialize, Serialize};

use super::card_data::CardData;

/// How the next order ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SimOutcome {
    /// The bank approves.
    Approve,
    /// Declined with a status information of this code, then an abort.
    Decline(u8),
    /// Declined with a status information of this code, then a *completion*: the trap that makes
    /// careless tills believe they were paid.
    DeclineThenComplete(u8),
    /// Aborted with this code and no status information.
    Abort(u8),
    /// The command itself is refused with this code.
    Refuse(u8),
    /// Approves one minor unit more than ordered.
    ApproveWrongAmount,
    /// Completes without any status information.
    CompleteSilently,
    /// Accepts the order, then never says anything again.
    FallSilent,
    /// Does not even accept the order.
    NeverAnswer,
}

/// What a terminal does with an approval nobody acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WhenUnacknowledged {
    /// Takes the money back by itself (PA00P015 2.2.8).
    #[default]
    TakeBack,
    /// Keeps it, to be synchronised with the next transaction (PA00P015 chapter 4).
    Keep,
}

/// Script of one order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scenario {
    /// How it ends.
    pub outcome: SimOutcome,
    /// How long the bank takes.
    pub delay_ms: u64,
    /// Intermediate status codes sent first.
    pub prompts: Vec<u8>,
    /// How many acknowledgements of the approval get lost on the way to the terminal.
    pub lose_acknowledgements: u8,
    /// What happens with an unacknowledged approval.
    pub when_unacknowledged: WhenUnacknowledged,
    /// The terminal vanishes after it sent this many bytes of the order's messages.
    pub vanish_after_sent_bytes: Option<usize>,
    /// What comes of the card's data; a terminal that is set up wrongly sends more than it should.
    pub card_data: CardData,
}

impl Default for Scenario {
    fn default() -> Self {
        Self {
            outcome: SimOutcome::Approve,
            delay_ms: 0,
            prompts: vec![0x0A, 0x04],
            lose_acknowledgements: 0,
            when_unacknowledged: WhenUnacknowledged::TakeBack,
            vanish_after_sent_bytes: None,
            card_data: CardData::Masked,
        }
    }
}

impl Scenario {
    /// An order that ends with `outcome`, at once and without faults.
    pub fn ending(outcome: SimOutcome) -> Self {
        Self {
            outcome,
            ..Self::default()
        }
    }
}
