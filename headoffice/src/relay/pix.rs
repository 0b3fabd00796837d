//! Pix through a payment service provider: makes charges, is asked about one, cancels, and lists what arrived.
//!
//! A webhook of Pix has no signature; mutual TLS proves the connection, and that ends where TLS does. So a notice is a
//! hint: the charges it names are asked about, and only the answer is believed.

use super::provider::{
    Ask, Capabilities, KnownCode, Listed, Made, Observed, Provider, ProviderError, Push, Pushed,
    Reread, Said, Wire, check,
};
use payqr::{
    OrderCode,
    provider::{
        NotACredit, Reject, Secret,
        pix::{
            self, Charge, ChargePatch, ChargeRequest, ChargeStatus, PAGE_PAYMENTS_MAX, Payment,
            Problem, Reais,
        },
        time,
    },
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use touchpoint::relay::OrderPayee;

/// How long a charge is to be paid: the longest screen time a kiosk may name. A kiosk that leaves its code earlier
/// cancels the charge.
const EXPIRES_AFTER_S: u32 = 60 * 60;
/// `valor` has ten digits before its point.
const AMOUNT_MINOR_MAX: i64 = 999_999_999_999;
/// Longest text of a refusal that is kept.
const WHY_CHARACTERS_MAX: usize = 200;

/// One receiver key at a Pix provider.
#[derive(Debug)]
pub struct Pix {
    pub(super) key: String,
    pub(super) client_id: Secret,
    pub(super) client_secret: Secret,
    /// Before `/cob` and `/pix`; empty when the API stands at the root of the address.
    pub(super) api_path: String,
    pub(super) token_path: String,
    /// The access token in use. Not on disk: another is asked for.
    pub(super) token: Mutex<Option<Secret>>,
}

fn refused(said: &Said) -> ProviderError {
    let problem = pix::read_problem(&said.body).unwrap_or_default();
    let words = if problem.kind.is_empty() {
        format!("HTTP {}", said.status)
    } else {
        problem_words(&problem)
    };
    ProviderError::Refused(words.chars().take(WHY_CHARACTERS_MAX).collect())
}

fn problem_words(problem: &Problem) -> String {
    let mut words = format!("{}: {}", problem.kind_name(), problem.detail);
    for violation in &problem.violations {
        words.push_str(&format!(" ({} {})", violation.property, violation.reason));
    }
    words
}

fn untrusted(reject: Reject) -> ProviderError {
    ProviderError::Untrusted(reject.to_string())
}

impl Pix {
    /// Every change of the token is one assignment.
    fn token(&self) -> MutexGuard<'_, Option<Secret>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The token in use, or a new one.
    fn authorised(&self, wire: &mut dyn Wire) -> Result<Secret, ProviderError> {
        if let Some(token) = self.token().clone() {
            return Ok(token);
        }
        let authorization = pix::basic_authorization(
            self.client_id.expose_text(),
            self.client_secret.expose_text(),
        );
        let ask = Ask {
            method: "POST",
            target: self.token_path.clone(),
            headers: vec![
                ("authorization", authorization),
                ("content-type", "application/x-www-form-urlencoded".into()),
            ],
            body: b"grant_type=client_credentials".to_vec(),
        };
        let said = check(wire.send(&ask)?).map_err(|error| match error {
            // OAuth answers wrong credentials with 400 as well (RFC 6749, 5.2).
            ProviderError::Refused(_) => ProviderError::Keys(400),
            other => other,
        })?;
        if said.status == 404 {
            return Err(ProviderError::Refused(
                "HTTP 404 for a token; check url and token_path".into(),
            ));
        }
        let token = pix::read_token(&said.body).map_err(untrusted)?.access_token;
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(ProviderError::Untrusted("it has no access token".into()));
        }
        let token = Secret::new(&token);
        *self.token() = Some(token.clone());
        Ok(token)
    }

    /// Sends a request with a token; once more with a new one when that is refused: tokens end after about an hour.
    /// A status from 400 to 499 is left to the caller.
    fn call(
        &self,
        wire: &mut dyn Wire,
        method: &'static str,
        target: &str,
        body: &[u8],
    ) -> Result<Said, ProviderError> {
        let mut is_second = false;
        loop {
            let token = self.authorised(wire)?;
            let ask = Ask {
                method,
                target: format!("{}{target}", self.api_path),
                headers: vec![("authorization", format!("Bearer {}", token.expose_text()))],
                body: body.to_vec(),
            };
            let said = wire.send(&ask)?;
            if said.status == 401 {
                self.forget(&token);
                if is_second {
                    return Err(ProviderError::Keys(401));
                }
                is_second = true;
                continue;
            }
            if (400..=499).contains(&said.status) && !matches!(said.status, 403 | 408 | 425 | 429) {
                return Ok(said);
            }
            return check(said);
        }
    }

    /// Another thread may have a newer one already.
    fn forget(&self, token: &Secret) {
        let mut held = self.token();
        if held
            .as_ref()
            .is_some_and(|held| held.expose_text() == token.expose_text())
        {
            *held = None;
        }
    }

    /// The charge of an answer, when it is the one that was asked about.
    fn charge(&self, said: &Said, txid: &str) -> Result<Charge, ProviderError> {
        let charge = pix::read_charge(&said.body).map_err(untrusted)?;
        if charge.txid != txid || charge.key != self.key {
            let what = "it is about another charge or key than was asked for";
            return Err(ProviderError::Untrusted(what.into()));
        }
        Ok(charge)
    }

    fn made(&self, charge: &Charge) -> Option<Made> {
        Some(Made {
            qr: charge.code.clone()?,
            payee: OrderPayee {
                account: self.key.clone(),
                bank_bin: String::new(),
                name: payee_name(charge.code.as_deref()?),
            },
        })
    }

    fn observed(&self, said: &Said, txid: &str) -> Result<Observed, ProviderError> {
        match said.status {
            404 => return Ok(Observed::Absent),
            400..=499 => return Err(refused(said)),
            _ => {}
        }
        let charge = self.charge(said, txid)?;
        let code = self.made(&charge).map(|made| KnownCode {
            made,
            amount_minor: charge.value.original.0,
        });
        Ok(Observed::Known {
            credits: charge.credits(&self.key, txid),
            closed: matches!(
                charge.status,
                ChargeStatus::Completed
                    | ChargeStatus::RemovedByReceiver
                    | ChargeStatus::RemovedByProvider
            ),
            code,
        })
    }
}

/// The shop's name as the code has it.
fn payee_name(code: &str) -> String {
    match payqr::decode(code.as_bytes()).map(|decoded| decoded.code) {
        Ok(payqr::PaymentCode::Pix(pix)) => pix.merchant.name.unwrap_or_default(),
        _ => String::new(),
    }
}

impl Provider for Pix {
    fn name(&self) -> &'static str {
        "pix"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            makes_codes: true,
            observes_orders: true,
            lists_credits: false,
            rereads: true,
            cancels: true,
            enforces_amount: true,
            shares_limit: false,
            currency: "BRL",
            amount_minor_max: AMOUNT_MINOR_MAX,
        }
    }

    fn create(
        &self,
        wire: &mut dyn Wire,
        order: OrderCode,
        amount_minor: i64,
    ) -> Result<Made, ProviderError> {
        let txid = pix::txid(order);
        let request = ChargeRequest::new(&self.key, Reais(amount_minor), EXPIRES_AFTER_S);
        let body = serde_json::to_vec(&request)
            .map_err(|error| ProviderError::Refused(error.to_string()))?;
        // A second PUT may revise a charge that is active: it carries the same amount, so nothing changes but its time.
        let said = self.call(wire, "PUT", &format!("/cob/{txid}"), &body)?;
        if said.status >= 400 {
            return Err(refused(&said));
        }
        let charge = self.charge(&said, &txid)?;
        if charge.value.original != Reais(amount_minor) {
            let what = "it is about another amount than was asked for";
            return Err(ProviderError::Untrusted(what.into()));
        }
        self.made(&charge)
            .ok_or_else(|| ProviderError::Untrusted("it has no code to draw".into()))
    }

    fn observe(&self, wire: &mut dyn Wire, order: OrderCode) -> Result<Observed, ProviderError> {
        let txid = pix::txid(order);
        let said = self.call(wire, "GET", &format!("/cob/{txid}"), b"")?;
        self.observed(&said, &txid)
    }

    fn cancel(&self, wire: &mut dyn Wire, order: OrderCode) -> Result<Observed, ProviderError> {
        let txid = pix::txid(order);
        let body = serde_json::to_vec(&ChargePatch::REMOVE)
            .map_err(|error| ProviderError::Refused(error.to_string()))?;
        let said = self.call(wire, "PATCH", &format!("/cob/{txid}"), &body)?;
        self.observed(&said, &txid)
    }

    fn list(&self, _wire: &mut dyn Wire, _cursor: Option<&str>) -> Result<Listed, ProviderError> {
        Err(ProviderError::Refused("Pix has no list to go on in".into()))
    }

    fn reread(&self, wire: &mut dyn Wire, what: Reread) -> Result<Listed, ProviderError> {
        let target = format!(
            "/pix?inicio={}&fim={}&paginacao.paginaAtual={}&paginacao.itensPorPagina={PAGE_PAYMENTS_MAX}",
            time::utc(what.since_ms),
            time::utc(what.now_ms),
            what.page,
        );
        let said = self.call(wire, "GET", &target, b"")?;
        if said.status >= 400 {
            return Err(refused(&said));
        }
        let list = pix::read_list(&said.body).map_err(untrusted)?;
        let mut listed = Listed {
            credits: Vec::with_capacity(list.pix.len()),
            cursor: None,
            more: what.page.saturating_add(1) < list.parameters.paging.pages
                && !list.pix.is_empty(),
            unreadable: Vec::new(),
        };
        for payment in &list.pix {
            match payment.credit_to(&self.key) {
                Err(NotACredit::AccountNotNamed) => listed.unreadable.push(format!(
                    "Pix {} of the list does not name its key",
                    payment.end_to_end_id
                )),
                told => listed.credits.push(told),
            }
        }
        Ok(listed)
    }

    fn read_push(&self, push: &Push<'_>) -> Result<Pushed, Reject> {
        let payments = pix::read_payments(push.raw)?.pix;
        let order = |payment: &Payment| pix::order_of(payment.txid.as_deref()?);
        Ok(Pushed::Hint(
            payments
                .iter()
                .filter_map(order)
                .map(|order| order.to_string())
                .collect(),
        ))
    }
}
