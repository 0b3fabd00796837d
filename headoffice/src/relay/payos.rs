//! payOS: makes the code, is asked about one order, cancels, pushes. It has no list of the account.

use super::provider::{
    Ask, Capabilities, Made, Observed, Provider, ProviderError, Push, Pushed, Said, Wire, check,
};
use payqr::{
    OrderCode,
    provider::{
        Reject, Secret,
        payos::{
            self, AnswerError, CancelRequest, CreateRequest, Created, HEADER_API_KEY,
            HEADER_CLIENT_ID, PaymentRequest, Status,
        },
    },
};
use touchpoint::relay::OrderPayee;

/// NAPAS 247: one transfer is below 500,000,000 đồng.
pub(super) const NAPAS_AMOUNT_MAX: i64 = 499_999_999;
/// payOS answers that say there is no such request: 101 "not found".
const NOT_FOUND: &str = "101";

/// One payOS channel.
#[derive(Debug, Clone)]
pub struct PayOs {
    pub(super) accounts: Vec<String>,
    pub(super) client_id: Secret,
    pub(super) api_key: Secret,
    pub(super) checksum_key: Secret,
    pub(super) page: String,
}

impl PayOs {
    fn ask(&self, method: &'static str, target: String, body: Vec<u8>) -> Ask {
        Ask {
            method,
            target,
            headers: vec![
                (HEADER_CLIENT_ID, self.client_id.expose_text().to_owned()),
                (HEADER_API_KEY, self.api_key.expose_text().to_owned()),
            ],
            body,
        }
    }

    fn observed(&self, said: Said) -> Result<Observed, ProviderError> {
        if said.status == 404 {
            return Ok(Observed::Absent);
        }
        let request: PaymentRequest = match payos::read_answer(&said.body, &self.checksum_key) {
            Ok(request) => request,
            Err(AnswerError::Refused(refusal)) if refusal.code == NOT_FOUND => {
                return Ok(Observed::Absent);
            }
            Err(error) => return Err(refused(error)),
        };
        Ok(Observed::Known {
            credits: request.credits(&self.accounts),
            closed: matches!(
                request.status,
                Status::Paid | Status::Cancelled | Status::Expired | Status::Failed
            ),
            // payOS tells a code only once.
            code: None,
        })
    }
}

fn refused(error: AnswerError) -> ProviderError {
    match error {
        AnswerError::Refused(refusal) => {
            let words: String = refusal.to_string().chars().take(200).collect();
            ProviderError::Refused(words)
        }
        AnswerError::Untrusted(reject) => ProviderError::Untrusted(reject.to_string()),
    }
}

fn unwritable(error: impl std::fmt::Display) -> ProviderError {
    ProviderError::Refused(error.to_string())
}

impl Provider for PayOs {
    fn name(&self) -> &'static str {
        "payos"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            makes_codes: true,
            observes_orders: true,
            lists_credits: false,
            rereads: false,
            cancels: true,
            enforces_amount: true,
            shares_limit: false,
            currency: "VND",
            amount_minor_max: NAPAS_AMOUNT_MAX,
        }
    }

    fn create(
        &self,
        wire: &mut dyn Wire,
        order: OrderCode,
        amount_minor: i64,
    ) -> Result<Made, ProviderError> {
        let request = CreateRequest::new(order, amount_minor, &self.page)
            .map_err(unwritable)?
            .signed(&self.checksum_key);
        let body = serde_json::to_vec(&request).map_err(unwritable)?;
        let ask = self.ask("POST", "/v2/payment-requests".into(), body);
        let said = check(wire.send(&ask)?)?;
        let made: Created = payos::read_answer(&said.body, &self.checksum_key).map_err(refused)?;
        if made.order_code != order.to_integer() || made.amount != amount_minor {
            let what = "it is about another order or amount than was asked for";
            return Err(ProviderError::Untrusted(what.into()));
        }
        Ok(Made {
            qr: made.qr_code,
            payee: OrderPayee {
                account: made.account_number,
                bank_bin: made.bin,
                name: made.account_name,
            },
        })
    }

    fn observe(&self, wire: &mut dyn Wire, order: OrderCode) -> Result<Observed, ProviderError> {
        let target = format!("/v2/payment-requests/{}", order.to_integer());
        let said = check(wire.send(&self.ask("GET", target, Vec::new()))?)?;
        self.observed(said)
    }

    fn cancel(&self, wire: &mut dyn Wire, order: OrderCode) -> Result<Observed, ProviderError> {
        let target = format!("/v2/payment-requests/{}/cancel", order.to_integer());
        let body = serde_json::to_vec(&CancelRequest::default()).map_err(unwritable)?;
        let said = check(wire.send(&self.ask("POST", target, body))?)?;
        self.observed(said)
    }

    fn list(
        &self,
        _wire: &mut dyn Wire,
        _cursor: Option<&str>,
    ) -> Result<super::provider::Listed, ProviderError> {
        Err(ProviderError::Refused("payOS has no list".into()))
    }

    fn read_push(&self, push: &Push<'_>) -> Result<Pushed, Reject> {
        let data = payos::read_webhook(push.raw, &self.checksum_key)?;
        Ok(Pushed::Credit(data.credit(&self.accounts)))
    }
}
