//! A bank account nobody is asked about: what came in is known from the bank's own list, which people read in.
//!
//! For shops whose kiosks show a plain VietQR code and whose staff confirm it: head office learns of the money when
//! somebody reads the bank's list in (`headoffice credits import`), and settles their word by it.

use super::{
    payos::NAPAS_AMOUNT_MAX,
    provider::{Capabilities, Listed, Made, Observed, Provider, ProviderError, Push, Pushed, Wire},
};
use payqr::{OrderCode, provider::Reject};

/// An account known by its list only.
#[derive(Debug, Clone, Copy)]
pub struct ListOnly;

fn nobody<T>() -> Result<T, ProviderError> {
    let what = "this account has no provider; read the bank's list in";
    Err(ProviderError::Refused(what.into()))
}

impl Provider for ListOnly {
    fn name(&self) -> &'static str {
        "list"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            makes_codes: false,
            observes_orders: false,
            lists_credits: false,
            rereads: false,
            cancels: false,
            enforces_amount: false,
            shares_limit: false,
            currency: "VND",
            amount_minor_max: NAPAS_AMOUNT_MAX,
        }
    }

    fn create(&self, _: &mut dyn Wire, _: OrderCode, _: i64) -> Result<Made, ProviderError> {
        nobody()
    }

    fn observe(&self, _: &mut dyn Wire, _: OrderCode) -> Result<Observed, ProviderError> {
        nobody()
    }

    fn cancel(&self, _: &mut dyn Wire, _: OrderCode) -> Result<Observed, ProviderError> {
        nobody()
    }

    fn list(&self, _: &mut dyn Wire, _: Option<&str>) -> Result<Listed, ProviderError> {
        nobody()
    }

    /// Nobody may tell anything here.
    fn read_push(&self, _: &Push<'_>) -> Result<Pushed, Reject> {
        Err(Reject::Malformed {
            what: "this account takes no notices".into(),
        })
    }
}
