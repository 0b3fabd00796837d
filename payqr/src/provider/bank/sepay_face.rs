//! The bank as SePay shows it: a list of what moved on one account.

use serde_json::json;

use super::super::credit::Provider;
use super::super::sepay::{
    self, Auth, HEADER_SIGNATURE, HEADER_TIMESTAMP, Meta, PAGE_ROWS_MAX, Pagination, Row,
    TransactionPage, TransferType, Webhook,
};
use super::super::signature::Secret;
use super::super::time;
use super::http::{Method, Request, Response};
use super::push::Signing;
use super::{Bank, Fault, SePayShop, Transfer};

const LIST: &str = "/v2/transactions";

type Notice = (String, Vec<(&'static str, String)>, Vec<u8>);

pub(super) fn answer(bank: &mut Bank, request: &Request, now_ms: i64) -> Response {
    let Some(shop) = bank.settings.sepay.clone() else {
        return refuse(404, "not_found", "no such shop");
    };
    let known = request
        .bearer()
        .is_some_and(|token| shop.api_token.matches(token));
    if !known || bank.strikes(&Fault::TokenExpired) {
        return refuse(401, "unauthorized", "Unauthorized");
    }
    let path = request.path.trim_end_matches('/');
    match (request.method, path.strip_prefix(LIST)) {
        (Method::Get, Some("")) => list(bank, &shop, request, now_ms),
        (Method::Get, Some(id)) => show(bank, &shop, id.trim_start_matches('/')),
        _ => refuse(404, "not_found", "Not Found"),
    }
}

fn refuse(status: u16, code: &str, message: &str) -> Response {
    let body = json!({"status": "error", "error_code": code, "message": message});
    Response::json(status, body.to_string())
}

fn row(shop: &SePayShop, transfer: &Transfer) -> Row {
    let amount = transfer.amount_minor;
    Row {
        id: transfer.uuid.clone(),
        transaction_date: time::vietnam(transfer.at_ms),
        account_number: transfer.account.clone(),
        va: Some(transfer.virtual_account.clone().unwrap_or_default()),
        transfer_type: direction(amount),
        amount_in: amount.max(0),
        amount_out: (-amount).max(0),
        accumulated: 0,
        transaction_content: transfer.memo.clone(),
        reference_number: Some(transfer.reference.clone()),
        code: None,
        bank_brand_name: shop.account.bank.clone(),
        bank_account_id: Some("d6719d04-0000-4000-8000-a6006ab65aca".to_owned()),
        va_id: None,
        webhook_success: transfer.notices,
    }
}

fn direction(amount: i64) -> TransferType {
    if amount < 0 {
        TransferType::Out
    } else {
        TransferType::In
    }
}

fn show(bank: &Bank, shop: &SePayShop, id: &str) -> Response {
    let place = bank.by_uuid.get(id).copied();
    let found = place.and_then(|place| bank.transfers.get(place));
    match found.filter(|transfer| transfer.provider == Provider::SePay) {
        Some(transfer) => {
            let body = json!({"status": "success", "data": row(shop, transfer)});
            Response::json(200, body.to_string())
        }
        None => refuse(404, "not_found", "Not Found"),
    }
}

/// Rows after a cursor, by date, page by page. The filters are those a relay
/// needs: `since_id`, `transaction_date_sort`, `page`, `per_page`,
/// `webhook_success`, `transfer_type`, `reference_number`, `account_number`.
/// A row that the bank tells late stands where its date puts it: behind a
/// `since_id` that was read before it came.
fn list(bank: &Bank, shop: &SePayShop, request: &Request, now_ms: i64) -> Response {
    let invalid = |what: &str| refuse(422, "validation_error", what);
    let number = |name: &str, usual: u32, most: u32| match request.parameter_value(name) {
        None => Some(usual),
        Some(text) => text.parse().ok().filter(|n| (1..=most).contains(n)),
    };
    let (Some(per_page), Some(page)) = (
        number("per_page", 20, PAGE_ROWS_MAX),
        number("page", 1, u32::MAX),
    ) else {
        return invalid("page and per_page must be positive, per_page at most 100");
    };
    let rows = &bank.sepay_rows;
    let from = match request.parameter_value("since_id") {
        None => 0,
        Some(id) => match bank
            .by_uuid
            .get(id)
            .and_then(|at| rows.binary_search(at).ok())
        {
            Some(index) => index + 1,
            None => return invalid("since_id is unknown"),
        },
    };
    let mut places: Vec<usize> = rows.get(from..).unwrap_or_default().to_vec();
    let is_listed = |at: &usize| {
        let transfer = bank.transfers.get(*at);
        transfer.is_some_and(|transfer| transfer.listed_ms <= now_ms)
    };
    places.retain(is_listed);
    for name in [
        "webhook_success",
        "transfer_type",
        "reference_number",
        "account_number",
    ] {
        if let Some(wanted) = request.parameter_value(name) {
            places.retain(|at| {
                bank.transfers
                    .get(*at)
                    .is_some_and(|t| fits(t, name, wanted))
            });
        }
    }
    if request.parameter_value("transaction_date_sort") != Some("asc") {
        places.reverse();
    }
    let first = (page as usize - 1).saturating_mul(per_page as usize);
    let shown = places.iter().skip(first).take(per_page as usize);
    let shown = shown.filter_map(|at| bank.transfers.get(*at));
    let last_page = places.len().div_ceil(per_page as usize).max(1);
    let answer = TransactionPage {
        status: "success".to_owned(),
        data: shown.map(|transfer| row(shop, transfer)).collect(),
        meta: Meta {
            pagination: Pagination {
                total: places.len() as u64,
                per_page,
                current_page: page,
                last_page: u32::try_from(last_page).unwrap_or(u32::MAX),
                has_more: last_page > page as usize,
            },
        },
    };
    match serde_json::to_vec(&answer) {
        Ok(body) => Response::json(200, body),
        Err(_) => refuse(500, "server_error", "rows cannot be written"),
    }
}

fn fits(transfer: &Transfer, name: &str, wanted: &str) -> bool {
    match name {
        "webhook_success" => (transfer.notices > 0) == (wanted != "0"),
        "transfer_type" => (transfer.amount_minor < 0) == (wanted == "out"),
        "reference_number" => transfer.reference == wanted,
        _ => transfer.account == wanted,
    }
}

/// The webhook of a transfer, signed with the time of sending.
pub(super) fn notice(
    bank: &Bank,
    transfer: &Transfer,
    signing: Signing,
    now_ms: i64,
) -> Option<Notice> {
    let shop = bank.settings.sepay.as_ref()?;
    let url = shop.webhook_url.clone()?;
    let told = Webhook {
        id: transfer.number,
        gateway: shop.account.bank.clone(),
        transaction_date: time::vietnam(transfer.at_ms),
        account_number: transfer.account.clone(),
        code: None,
        content: transfer.memo.clone(),
        transfer_type: direction(transfer.amount_minor),
        transfer_amount: transfer.amount_minor.abs(),
        accumulated: 0,
        sub_account: transfer.virtual_account.clone(),
        reference_code: Some(transfer.reference.clone()),
        description: Some(String::new()),
    };
    let body = serde_json::to_vec(&told).ok()?;
    let mut headers = vec![("Content-Type", "application/json".to_owned())];
    let other = Secret::new("a key of somebody else");
    match (&shop.auth, signing) {
        (_, Signing::Missing) => {}
        (Auth::ApiKey(key), signing) => {
            let key = if signing == Signing::Wrong {
                &other
            } else {
                key
            };
            headers.push(("Authorization", format!("Apikey {}", key.expose_text())));
        }
        (Auth::Signature(key), signing) => {
            let key = if signing == Signing::Wrong {
                &other
            } else {
                key
            };
            let now_s = now_ms.div_euclid(1_000);
            headers.push((HEADER_TIMESTAMP, now_s.to_string()));
            headers.push((HEADER_SIGNATURE, sepay::sign(key, now_s, &body)));
        }
    }
    Some((url, headers, body))
}
