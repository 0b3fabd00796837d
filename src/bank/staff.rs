//! The plain VietQR: nobody tells this kiosk what came in, staff look into the bank's own app.

use super::{
    Answer, Asked, Capabilities, Confirm, Health, Known, ProviderError, QrPaymentProvider, Refund,
};
use std::time::Duration;

/// A provider that asks nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct StaffProvider;

fn nothing_known() -> Answer {
    Answer {
        credits: Vec::new(),
        withdrawn: false,
        creating: false,
        refused: false,
        made: None,
        asked_ago_ms: None,
        health: Health::NotAsked,
        revision: 0,
    }
}

impl QrPaymentProvider for StaffProvider {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            confirm: Confirm::StatementOnly,
            enforces_amount: false,
            cancel: false,
            late_window_ms: None,
            refund: Refund::None,
            long_poll_ms_max: 0,
        }
    }

    fn create(&self, _: &Asked) -> Result<Answer, ProviderError> {
        Ok(nothing_known())
    }

    fn observe(&self, _: &str, _: Known, _: Duration) -> Result<Answer, ProviderError> {
        Ok(nothing_known())
    }

    fn cancel(&self, _: &str) -> Result<Answer, ProviderError> {
        Ok(nothing_known())
    }
}
