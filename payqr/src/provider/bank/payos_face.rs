//! The bank as payOS shows it. Each order has a virtual account, so payOS knows
//! the order of a transfer whatever becomes of its text; money to no order's
//! account is not payOS' business.

use serde_json::{Value, json};

use super::super::credit::Provider;
use super::super::payos::{
    self, CancelRequest, ConfirmWebhook, CreateRequest, Created, HEADER_API_KEY, HEADER_CLIENT_ID,
    PaymentRequest, Refusal, Status, Transaction,
};
use super::super::signature::Secret;
use super::super::time;
use super::http::{Method, Probe, Request, Response};
use super::push::{Plan, Push, Signing};
use super::{Bank, Fault, Order, PayOsShop, Transfer};
use crate::vietqr::VietQr;

const CREATE: &str = "/v2/payment-requests";

type Notice = (String, Vec<(&'static str, String)>, Vec<u8>);

pub(super) fn answer(bank: &mut Bank, request: &Request, now_ms: i64) -> Response {
    let Some(shop) = bank.settings.payos.clone() else {
        return refuse(404, "404", "no such shop");
    };
    let id_fits = request.header_value(HEADER_CLIENT_ID) == Some(&shop.client_id);
    let key = request.header_value(HEADER_API_KEY).unwrap_or_default();
    let expired = bank.strikes(&Fault::TokenExpired);
    if !id_fits || !shop.api_key.matches(key) || expired {
        return refuse(401, "401", "Unauthorized");
    }
    let code = bank.strike(|fault| match fault {
        Fault::Http200Code(code) => Some(code.clone()),
        _ => None,
    });
    if let Some(code) = code {
        return refuse(200, &code, "fault of the simulator");
    }
    let path = request.path.trim_end_matches('/');
    if path == "/confirm-webhook" && request.method == Method::Post {
        return confirm(bank, &shop, request);
    }
    let rest = path
        .strip_prefix(CREATE)
        .map(|rest| rest.trim_start_matches('/'));
    match (request.method, rest) {
        (Method::Post, Some("")) => create(bank, &shop, request, now_ms),
        (Method::Get, Some(id)) if !id.is_empty() => show(bank, &shop, id, now_ms),
        (Method::Post, Some(rest)) => match rest.strip_suffix("/cancel") {
            Some(id) => cancel(bank, &shop, id, request, now_ms),
            None => refuse(404, "404", "Not Found"),
        },
        _ => refuse(404, "404", "Not Found"),
    }
}

fn refuse(status: u16, code: &str, desc: &str) -> Response {
    let refusal = Refusal {
        code: code.to_owned(),
        desc: desc.to_owned(),
    };
    Response::json(status, payos::write_refusal(&refusal))
}

/// An answer with data, signed as the faults have it.
fn signed<T: serde::Serialize>(bank: &mut Bank, shop: &PayOsShop, data: &T) -> Response {
    let signing = bank.signing();
    write(data, false, shop, signing).map_or_else(
        || refuse(500, "500", "data cannot be signed"),
        |body| Response::json(200, body),
    )
}

fn write<T: serde::Serialize>(
    data: &T,
    is_webhook: bool,
    shop: &PayOsShop,
    signing: Signing,
) -> Option<Vec<u8>> {
    let other = Secret::new("a key of somebody else");
    let key = match signing {
        Signing::Wrong => &other,
        _ => &shop.checksum_key,
    };
    let body = payos::write_signed(data, is_webhook, key).ok()?;
    if signing != Signing::Missing {
        return Some(body);
    }
    let mut envelope: Value = serde_json::from_slice(&body).ok()?;
    envelope.as_object_mut()?.remove("signature");
    Some(envelope.to_string().into_bytes())
}

fn create(bank: &mut Bank, shop: &PayOsShop, request: &Request, now_ms: i64) -> Response {
    let wrong = |what: &str| refuse(200, "20", what);
    let Ok(create) = serde_json::from_slice::<CreateRequest>(&request.body) else {
        return wrong("Thông tin truyền lên không đúng.");
    };
    if let Err(error) = create.check() {
        return wrong(&error.to_string());
    }
    if create.expired_at.is_some_and(|at_s| at_s <= now_ms / 1_000) {
        return wrong("expiredAt lies in the past");
    }
    if create.verify(&shop.checksum_key).is_err() {
        return refuse(200, "201", "Mã kiểm tra(signature) không hợp lệ");
    }
    let link_id = bank.chance.uuid().replace('-', "");
    let order = Order {
        provider: Provider::PayOs,
        id: create.order_code.to_string(),
        link_id,
        amount_minor: create.amount,
        previous_amount_minor: None,
        memo: create.description.clone(),
        place: format!("V3C{:016}", create.order_code),
        created_ms: now_ms,
        expires_ms: create.expired_at.map(|at_s| at_s * 1_000),
        cancelled_ms: None,
        cancel_reason: None,
        revision: 0,
        transfers: Vec::new(),
    };
    if !bank.open(order.clone(), now_ms) {
        return refuse(200, "231", "Đơn thanh toán đã tồn tại");
    }
    let amount_dong = u64::try_from(order.amount_minor).unwrap_or(0);
    let code = VietQr::account(&shop.account.bin, &order.place)
        .with_amount(amount_dong)
        .with_memo(&order.memo)
        .encode();
    let Ok(qr_code) = code else {
        return wrong("the account or amount makes no VietQR code");
    };
    let created = Created {
        bin: shop.account.bin.clone(),
        account_number: order.place,
        account_name: shop.account.holder.clone(),
        amount: order.amount_minor,
        description: order.memo,
        order_code: create.order_code,
        currency: "VND".to_owned(),
        checkout_url: format!("https://pay.payos.vn/web/{}", order.link_id),
        payment_link_id: order.link_id,
        status: Status::Pending,
        expired_at: create.expired_at,
        qr_code,
    };
    signed(bank, shop, &created)
}

/// The order named by payOS' id or by the order code.
fn find(bank: &Bank, id: &str) -> Option<String> {
    let by_code = bank.order(Provider::PayOs, id);
    let by_link = || {
        let (provider, code) = bank.places.get(id)?;
        bank.order(*provider, code)
    };
    let order = by_code.or_else(by_link)?;
    (order.provider == Provider::PayOs).then(|| order.id.clone())
}

fn show(bank: &mut Bank, shop: &PayOsShop, id: &str, now_ms: i64) -> Response {
    let found = find(bank, id).and_then(|id| bank.order(Provider::PayOs, &id));
    let Some(order) = found else {
        return refuse(200, "101", "Mã thanh toán không tồn tại");
    };
    let shown = payment_request(bank, shop, order, now_ms);
    signed(bank, shop, &shown)
}

/// Money after a cancel or expiry does not change the status: a client that
/// looks at it and not at the transactions misses that money.
fn status(order: &Order, paid: i64, now_ms: i64) -> Status {
    if order.cancelled_ms.is_some() {
        Status::Cancelled
    } else if paid >= order.amount_minor {
        Status::Paid
    } else if order.expires_ms.is_some_and(|at_ms| at_ms <= now_ms) {
        Status::Expired
    } else if paid > 0 {
        Status::Underpaid
    } else {
        Status::Pending
    }
}

fn payment_request(bank: &Bank, shop: &PayOsShop, order: &Order, now_ms: i64) -> PaymentRequest {
    let paid = bank.received_minor(order);
    let arrived = order
        .transfers
        .iter()
        .filter_map(|at| bank.transfers.get(*at));
    PaymentRequest {
        id: order.link_id.clone(),
        order_code: order.id.parse().unwrap_or(0),
        amount: order.amount_minor,
        amount_paid: paid,
        amount_remaining: (order.amount_minor - paid).max(0),
        status: status(order, paid, now_ms),
        created_at: time::vietnam_rfc3339(order.created_ms),
        transactions: arrived
            .map(|transfer| transaction(shop, transfer, true))
            .collect(),
        cancellation_reason: order.cancel_reason.clone(),
        canceled_at: order.cancelled_ms.map(time::vietnam_rfc3339),
    }
}

fn transaction(shop: &PayOsShop, transfer: &Transfer, is_listed: bool) -> Transaction {
    let time = if is_listed {
        time::vietnam_rfc3339(transfer.at_ms)
    } else {
        time::vietnam(transfer.at_ms)
    };
    Transaction {
        reference: transfer.reference.clone(),
        amount: transfer.amount_minor,
        account_number: shop.account.number.clone(),
        description: transfer.memo.clone(),
        transaction_date_time: time,
        virtual_account_number: transfer.virtual_account.clone(),
    }
}

fn cancel(bank: &mut Bank, shop: &PayOsShop, id: &str, request: &Request, now_ms: i64) -> Response {
    let Some(id) = find(bank, id) else {
        return refuse(200, "101", "Mã thanh toán không tồn tại");
    };
    let cancel: CancelRequest = serde_json::from_slice(&request.body).unwrap_or_default();
    if !bank.cancel(Provider::PayOs, &id, cancel.cancellation_reason, now_ms) {
        return refuse(200, "20", "money has arrived for this payment request");
    }
    show(bank, shop, &id, now_ms)
}

fn confirm(bank: &mut Bank, shop: &PayOsShop, request: &Request) -> Response {
    let Ok(confirm) = serde_json::from_slice::<ConfirmWebhook>(&request.body) else {
        return refuse(200, "20", "Webhook url invalid");
    };
    let url = confirm.webhook_url;
    let data = json!({
        "orderCode": 123, "amount": 3000, "description": "VQRIO123",
        "accountNumber": shop.account.number, "reference": "TF230204212323",
        "transactionDateTime": "2023-02-04 18:25:00", "currency": "VND",
        "paymentLinkId": "124c33293c43417ab7879e14c8d9eb18", "code": "00", "desc": "Thành công",
        "counterAccountBankId": "", "counterAccountBankName": "", "counterAccountName": "",
        "counterAccountNumber": "", "virtualAccountName": "", "virtualAccountNumber": "",
    });
    let Some(body) = write(&data, true, shop, Signing::Right) else {
        return refuse(500, "500", "the probe cannot be signed");
    };
    let push = Push {
        id: bank.tie(),
        provider: Provider::PayOs,
        url: url.clone(),
        headers: vec![("Content-Type", "application/json".to_owned())],
        body,
        attempt: 1,
    };
    let plan = Plan::Probe {
        provider: Provider::PayOs,
        url: url.clone(),
    };
    bank.in_flight.insert(push.id, plan);
    let answer = json!({"code": "00", "desc": "success", "data": {
        "webhookUrl": url, "accountNumber": shop.account.number,
        "accountName": shop.account.holder, "name": shop.account.holder,
        "shortName": shop.account.bank,
    }});
    let mut response = Response::json(200, answer.to_string());
    response.probe = Some(Box::new(Probe {
        push,
        refused: refuse(200, "20", "Webhook url invalid"),
    }));
    response
}

/// The webhook of a transfer.
pub(super) fn notice(bank: &Bank, transfer: &Transfer, signing: Signing) -> Option<Notice> {
    let shop = bank.settings.payos.as_ref()?;
    let url = shop.webhook_url.clone()?;
    let order = bank.order(Provider::PayOs, transfer.order.as_deref()?)?;
    let told = transaction(shop, transfer, false);
    let data = json!({
        "orderCode": order.id.parse::<u64>().ok()?, "amount": told.amount,
        "description": told.description, "accountNumber": told.account_number,
        "reference": told.reference, "transactionDateTime": told.transaction_date_time,
        "currency": "VND", "paymentLinkId": order.link_id, "code": "00", "desc": "success",
        "counterAccountBankId": null, "counterAccountBankName": null,
        "counterAccountName": null, "counterAccountNumber": null,
        "virtualAccountName": null, "virtualAccountNumber": told.virtual_account_number,
    });
    let body = write(&data, true, shop, signing)?;
    let headers = vec![("Content-Type", "application/json".to_owned())];
    Some((url, headers, body))
}
