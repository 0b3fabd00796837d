//! SePay: one list for the whole account, and pushes. It makes no codes, enforces nothing and cancels nothing.

use super::{
    payos::NAPAS_AMOUNT_MAX,
    provider::{
        Ask, Capabilities, Listed, Made, Observed, Provider, ProviderError, Push, Pushed, Reread,
        Wire, check,
    },
};
use payqr::{
    OrderCode,
    provider::{
        Credit, Reject, Secret,
        sepay::{self, Auth, HEADER_SIGNATURE, HEADER_TIMESTAMP, Headers, PAGE_ROWS_MAX},
    },
};

/// One account at SePay.
#[derive(Debug, Clone)]
pub struct SePay {
    pub(super) accounts: Vec<String>,
    pub(super) token: Secret,
    pub(super) webhook: Auth,
}

fn cannot<T>(what: &str) -> Result<T, ProviderError> {
    Err(ProviderError::Refused(format!("SePay cannot {what}")))
}

/// A page with a row that has another form than documented. The others must not wait for it, so it is passed over
/// and told; `None` when this is no page at all, or when a row has no id to go on from.
fn row_by_row(body: &[u8], accounts: &[String]) -> Option<Listed> {
    let page: serde_json::Value = serde_json::from_slice(body).ok()?;
    let rows = page.get("data")?.as_array()?;
    let mut listed = Listed {
        credits: Vec::with_capacity(rows.len()),
        cursor: None,
        more: page
            .pointer("/meta/pagination/has_more")
            .and_then(serde_json::Value::as_bool)
            .unwrap_or(false),
        unreadable: Vec::new(),
    };
    for row in rows {
        let id = row.get("id")?.as_str()?;
        listed.cursor = Some(id.to_owned());
        match serde_json::from_str::<sepay::Row>(&row.to_string()) {
            Ok(row) => listed.credits.push(row.credit(accounts)),
            Err(error) => listed.unreadable.push(format!("row {id}: {error}")),
        }
    }
    Some(listed)
}

impl SePay {
    /// One page of the account's list.
    fn page(&self, wire: &mut dyn Wire, query: &str) -> Result<Listed, ProviderError> {
        let ask = Ask {
            method: "GET",
            target: format!("/v2/transactions?per_page={PAGE_ROWS_MAX}&{query}"),
            headers: vec![(
                "authorization",
                format!("Bearer {}", self.token.expose_text()),
            )],
            body: Vec::new(),
        };
        let said = check(wire.send(&ask)?)?;
        if said.status == 404 {
            return Err(ProviderError::Refused("HTTP 404; check the url".into()));
        }
        match sepay::read_page(&said.body) {
            Ok(page) => Ok(Listed {
                credits: page
                    .data
                    .iter()
                    .map(|row| row.credit(&self.accounts))
                    .collect(),
                cursor: page.data.last().map(|row| row.id.clone()),
                more: page.meta.pagination.has_more && !page.data.is_empty(),
                unreadable: Vec::new(),
            }),
            Err(reject) => row_by_row(&said.body, &self.accounts)
                .ok_or_else(|| ProviderError::Untrusted(reject.to_string())),
        }
    }
}

impl Provider for SePay {
    fn name(&self) -> &'static str {
        "sepay"
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            makes_codes: false,
            observes_orders: false,
            lists_credits: true,
            rereads: true,
            cancels: false,
            enforces_amount: false,
            shares_limit: true,
            currency: "VND",
            amount_minor_max: NAPAS_AMOUNT_MAX,
        }
    }

    fn create(
        &self,
        _wire: &mut dyn Wire,
        _order: OrderCode,
        _amount_minor: i64,
    ) -> Result<Made, ProviderError> {
        cannot("make a code")
    }

    fn observe(&self, _wire: &mut dyn Wire, _order: OrderCode) -> Result<Observed, ProviderError> {
        cannot("be asked about one order")
    }

    fn cancel(&self, _wire: &mut dyn Wire, _order: OrderCode) -> Result<Observed, ProviderError> {
        cannot("take a code back")
    }

    fn list(&self, wire: &mut dyn Wire, cursor: Option<&str>) -> Result<Listed, ProviderError> {
        // A cursor is the provider's own text and goes into an address: only what a UUID is made of.
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let since = match cursor {
            Some(cursor) if cursor.chars().all(plain) => format!("&since_id={cursor}"),
            _ => String::new(),
        };
        self.page(wire, &format!("transaction_date_sort=asc{since}"))
    }

    /// Newest first, page by page, until a row is older than asked for: `since_id` passes over a row that the bank told
    /// late, and new rows push the others to later pages, so none is skipped.
    fn reread(&self, wire: &mut dyn Wire, what: Reread) -> Result<Listed, ProviderError> {
        let page = what.page.saturating_add(1);
        let mut listed = self.page(wire, &format!("transaction_date_sort=desc&page={page}"))?;
        listed.cursor = None;
        let is_older = |credit: &Credit| credit.bank_time_ms.is_some_and(|at| at < what.since_ms);
        let reached = listed.credits.iter().flatten().any(is_older);
        listed.more &= !reached;
        Ok(listed)
    }
    fn read_push(&self, push: &Push<'_>) -> Result<Pushed, Reject> {
        let (timestamp, signature, authorization) = (
            (push.header)(HEADER_TIMESTAMP),
            (push.header)(HEADER_SIGNATURE),
            (push.header)("authorization"),
        );
        let headers = Headers {
            timestamp: timestamp.as_deref(),
            signature: signature.as_deref(),
            authorization: authorization.as_deref(),
        };
        let notice = sepay::read_webhook(push.raw, headers, &self.webhook, push.now_s)?;
        Ok(Pushed::Credit(notice.credit(&self.accounts)))
    }
}
