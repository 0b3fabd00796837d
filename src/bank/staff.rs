//! The plain VietQR: nobody tells this kiosk what came in, staff look into the bank's own app.

use super::{
    Answer, Asked, Capabilities, Confirm, Known, ProviderError, QrPaymentProvider, Refund,
};
use std::time::Duration;

/// A provider that asks nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct StaffProvider;

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
        Ok(Answer::of_nobody())
    }

    fn observe(&self, _: &str, _: Known, _: Duration) -> Result<Answer, ProviderError> {
        Ok(Answer::of_nobody())
    }

    fn cancel(&self, _: &str) -> Result<Answer, ProviderError> {
        Ok(Answer::of_nobody())
    }
}
