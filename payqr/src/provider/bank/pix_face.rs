//! The bank as a Pix provider shows it: charges, payments, refunds.

use serde_json::json;

use super::super::credit::Provider;
use super::super::pix::{
    Calendar, Charge, ChargePatch, ChargeRequest, ChargeStatus, PAGE_PAYMENTS_MAX, Paging,
    Parameters, Payment, PaymentList, Payments, Problem, Reais, Refund, RefundRequest,
    RefundStatus, RefundTime, Value, Violation, basic_authorization,
};
use super::super::time;
use super::http::{Method, Request, Response};
use super::push::Plan;
use super::{Bank, Fault, GivenBack, Order, PixShop, Transfer};
use crate::merchant::Merchant;
use crate::pix::Pix;

/// What a charge is to be paid in when it does not say, seconds.
const EXPIRES_AFTER_S: u32 = 86_400;
/// Time a refund takes, milliseconds.
const REFUND_MS: i64 = 2_000;
/// Life of an access token, seconds.
const TOKEN_S: i64 = 3_600;

type Notice = (String, Vec<(&'static str, String)>, Vec<u8>);

/// `E`, eight digits of the payer's bank, minute, eleven of its own.
pub(super) fn end_to_end_id(number: u64, at_ms: i64) -> String {
    let minute: String = time::utc(at_ms)
        .chars()
        .filter(char::is_ascii_digit)
        .take(12)
        .collect();
    format!("E99999004{minute}s{:010}", number % 10_000_000_000)
}

pub(super) fn answer(bank: &mut Bank, request: &Request, now_ms: i64) -> Response {
    let Some(shop) = bank.settings.pix.clone() else {
        return problem(404, "NaoEncontrado", "no such shop");
    };
    let path = request.path.trim_matches('/').to_owned();
    let parts: Vec<&str> = path.split('/').collect();
    if parts == ["oauth", "token"] && request.method == Method::Post {
        return token(bank, &shop, request, now_ms);
    }
    let expires_ms = request.bearer().and_then(|token| bank.tokens.get(token));
    let known = expires_ms.is_some_and(|at_ms| *at_ms > now_ms);
    if !known || bank.strikes(&Fault::TokenExpired) {
        return problem(401, "AcessoNegado", "token missing or expired");
    }
    match (request.method, &parts[..]) {
        (Method::Put, ["cob", txid]) => put_charge(bank, &shop, txid, request, now_ms),
        (Method::Get, ["cob", txid]) => show_charge(bank, &shop, txid, now_ms, 200),
        (Method::Patch, ["cob", txid]) => patch_charge(bank, &shop, txid, request, now_ms),
        (Method::Get, ["pix"]) => list(bank, request, now_ms),
        (Method::Put, ["pix", id, "devolucao", refund]) => {
            put_refund(bank, id, refund, request, now_ms)
        }
        (Method::Get, ["pix", id, "devolucao", refund]) => show_refund(bank, id, refund, now_ms),
        (Method::Put, ["webhook", key]) if *key == shop.key => put_webhook(bank, request),
        _ => problem(404, "NaoEncontrado", "no such resource"),
    }
}

fn problem(status: u16, kind: &str, detail: &str) -> Response {
    let problem = Problem {
        kind: format!("https://pix.bcb.gov.br/api/v2/error/{kind}"),
        title: kind.to_owned(),
        status,
        detail: detail.to_owned(),
        violations: Vec::new(),
    };
    write_problem(&problem)
}

fn violation(kind: &str, property: &str, reason: &str) -> Response {
    let problem = Problem {
        kind: format!("https://pix.bcb.gov.br/api/v2/error/{kind}"),
        title: kind.to_owned(),
        status: 400,
        detail: reason.to_owned(),
        violations: vec![Violation {
            reason: reason.to_owned(),
            property: property.to_owned(),
        }],
    };
    write_problem(&problem)
}

fn write_problem(problem: &Problem) -> Response {
    let mut response = Response::json(
        problem.status,
        serde_json::to_vec(problem).unwrap_or_default(),
    );
    response.headers = vec![("Content-Type", "application/problem+json".to_owned())];
    response
}

fn written<T: serde::Serialize>(status: u16, value: &T) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => Response::json(status, body),
        Err(_) => problem(500, "ErroInternoDoServidor", "the answer cannot be written"),
    }
}

/// OAuth 2 client credentials, in the header (Basic) or in the body.
fn token(bank: &mut Bank, shop: &PixShop, request: &Request, now_ms: i64) -> Response {
    let basic = basic_authorization(&shop.client_id, shop.client_secret.expose_text());
    let in_header = request.header_value("authorization") == Some(&basic);
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let field = |name: &str| {
        let mut fields = body.split('&').filter_map(|field| field.split_once('='));
        fields
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.to_owned())
    };
    let secret = field("client_secret").unwrap_or_default();
    let in_body = field("client_id").as_deref() == Some(&shop.client_id)
        && shop.client_secret.matches(&secret);
    if !in_header && !in_body {
        return Response::json(401, r#"{"error":"invalid_client"}"#);
    }
    let token = bank.chance.uuid();
    bank.tokens.retain(|_, until_ms| *until_ms > now_ms);
    bank.tokens.insert(token.clone(), now_ms + TOKEN_S * 1_000);
    let answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": TOKEN_S,
        "scope": "cob.write cob.read pix.read pix.write webhook.write",
    });
    Response::json(200, answer.to_string())
}

fn put_charge(
    bank: &mut Bank,
    shop: &PixShop,
    txid: &str,
    request: &Request,
    now_ms: i64,
) -> Response {
    let fits = (26..=35).contains(&txid.len()) && txid.bytes().all(|b| b.is_ascii_alphanumeric());
    if !fits {
        return violation(
            "CobOperacaoInvalida",
            "cob.txid",
            "txid must be [a-zA-Z0-9]{26,35}",
        );
    }
    let Ok(charge) = serde_json::from_slice::<ChargeRequest>(&request.body) else {
        return violation("CobOperacaoInvalida", "cob", "the body breaks the schema");
    };
    if charge.key != shop.key {
        return violation(
            "CobOperacaoInvalida",
            "cob.chave",
            "the key is not of this shop",
        );
    }
    if charge.value.original.0 <= 0 {
        return violation(
            "CobOperacaoInvalida",
            "cob.valor.original",
            "must be above zero",
        );
    }
    let life_s = charge.calendar.expires_after_s.unwrap_or(EXPIRES_AFTER_S);
    let expires_ms = now_ms + i64::from(life_s) * 1_000;
    let key = (Provider::Pix, txid.to_owned());
    if let Some(known) = bank.orders.get_mut(&key) {
        if known.cancelled_ms.is_some() || !known.transfers.is_empty() {
            return violation(
                "CobOperacaoInvalida",
                "cob.status",
                "the charge is not ATIVA",
            );
        }
        known.previous_amount_minor = Some(known.amount_minor);
        known.amount_minor = charge.value.original.0;
        known.expires_ms = Some(expires_ms);
        known.revision += 1;
        return show_charge(bank, shop, txid, now_ms, 200);
    }
    let order = Order {
        provider: Provider::Pix,
        id: txid.to_owned(),
        link_id: bank.chance.uuid(),
        amount_minor: charge.value.original.0,
        previous_amount_minor: None,
        memo: String::new(),
        place: format!("{}/qr/v2/{txid}", shop.host),
        created_ms: now_ms,
        expires_ms: Some(expires_ms),
        cancelled_ms: None,
        cancel_reason: None,
        revision: 0,
        transfers: Vec::new(),
    };
    bank.open(order, now_ms);
    show_charge(bank, shop, txid, now_ms, 201)
}

fn show_charge(bank: &Bank, shop: &PixShop, txid: &str, now_ms: i64, status: u16) -> Response {
    let Some(order) = bank.order(Provider::Pix, txid) else {
        return problem(404, "CobNaoEncontrado", "no charge has this txid");
    };
    written(status, &charge(bank, shop, order, now_ms))
}

fn charge(bank: &Bank, shop: &PixShop, order: &Order, now_ms: i64) -> Charge {
    let arrived = order
        .transfers
        .iter()
        .filter_map(|at| bank.transfers.get(*at));
    let payments: Vec<Payment> = arrived.map(|transfer| payment(transfer, now_ms)).collect();
    let status = if !payments.is_empty() {
        ChargeStatus::Completed
    } else if order.cancelled_ms.is_some() {
        ChargeStatus::RemovedByReceiver
    } else {
        ChargeStatus::Active
    };
    let life_ms = order.expires_ms.unwrap_or(order.created_ms) - order.created_ms;
    let code = Pix::with_location(&order.place, Merchant::named(&shop.name, &shop.city)).encode();
    Charge {
        calendar: Calendar {
            created: time::utc(order.created_ms),
            expires_after_s: u32::try_from(life_ms / 1_000).unwrap_or(EXPIRES_AFTER_S),
        },
        txid: order.id.clone(),
        revision: order.revision,
        location: Some(order.place.clone()),
        status,
        value: Value {
            original: Reais(order.amount_minor),
            modality: Some(0),
        },
        key: shop.key.clone(),
        code: code.ok(),
        payments,
    }
}

fn payment(transfer: &Transfer, now_ms: i64) -> Payment {
    let refunds = transfer.refunds.iter().map(|given| refund(given, now_ms));
    Payment {
        end_to_end_id: transfer.reference.clone(),
        txid: transfer.order.clone(),
        value: Reais(transfer.amount_minor),
        key: Some(transfer.account.clone()),
        time: time::utc(transfer.at_ms),
        payer_info: Some(transfer.memo.clone()).filter(|memo| !memo.is_empty()),
        refunds: refunds.collect(),
    }
}

fn refund(given: &GivenBack, now_ms: i64) -> Refund {
    let settled_ms = given.requested_ms + REFUND_MS;
    let status = match (now_ms >= settled_ms, given.succeeds) {
        (false, _) => RefundStatus::InProgress,
        (true, true) => RefundStatus::Returned,
        (true, false) => RefundStatus::NotDone,
    };
    let is_returned = status == RefundStatus::Returned;
    Refund {
        id: given.id.clone(),
        return_id: format!("D99999004{}", given.id),
        value: Reais(given.amount_minor),
        time: RefundTime {
            requested: time::utc(given.requested_ms),
            settled: is_returned.then(|| time::utc(settled_ms)),
        },
        status,
        reason: (status == RefundStatus::NotDone).then(|| "conta encerrada".to_owned()),
    }
}

fn patch_charge(
    bank: &mut Bank,
    shop: &PixShop,
    txid: &str,
    request: &Request,
    now_ms: i64,
) -> Response {
    if bank.order(Provider::Pix, txid).is_none() {
        return problem(404, "CobNaoEncontrado", "no charge has this txid");
    }
    match serde_json::from_slice::<ChargePatch>(&request.body) {
        Ok(ChargePatch::REMOVE) => {}
        _ => {
            return violation(
                "CobOperacaoInvalida",
                "cob.status",
                "only a removal is taken",
            );
        }
    }
    let active = bank
        .order(Provider::Pix, txid)
        .is_some_and(|order| order.cancelled_ms.is_none());
    if !active || !bank.cancel(Provider::Pix, txid, None, now_ms) {
        return violation(
            "CobOperacaoInvalida",
            "cob.status",
            "the charge is not ATIVA",
        );
    }
    show_charge(bank, shop, txid, now_ms, 200)
}

/// Payments between two times (`inicio`, `fim`), of one txid when asked.
fn list(bank: &Bank, request: &Request, now_ms: i64) -> Response {
    let bound = |name: &str| {
        request
            .parameter_value(name)
            .and_then(|text| time::parse(text, 0))
    };
    let (Some(from_ms), Some(to_ms)) = (bound("inicio"), bound("fim")) else {
        return violation(
            "PixConsultaInvalida",
            "inicio",
            "inicio and fim must be RFC 3339",
        );
    };
    let txid = request.parameter_value("txid");
    let found = bank.transfers.iter().filter(|transfer| {
        transfer.provider == Provider::Pix
            && (from_ms..=to_ms).contains(&transfer.at_ms)
            && (txid.is_none() || transfer.order.as_deref() == txid)
    });
    let found: Vec<&Transfer> = found
        .filter(|transfer| transfer.listed_ms <= now_ms)
        .collect();
    let number = |name: &str, usual: u32| match request.parameter_value(name) {
        None => Some(usual),
        Some(text) => text.parse().ok(),
    };
    let (Some(page), Some(per_page)) = (
        number("paginacao.paginaAtual", 0),
        number("paginacao.itensPorPagina", PAGE_PAYMENTS_MAX)
            .filter(|n| (1..=PAGE_PAYMENTS_MAX).contains(n)),
    ) else {
        return violation(
            "PixConsultaInvalida",
            "paginacao",
            "pages count from 0 and have 1 to 100 payments",
        );
    };
    let size = per_page as usize;
    let shown = found.iter().skip((page as usize).saturating_mul(size));
    let list = PaymentList {
        parameters: Parameters {
            paging: Paging {
                page,
                per_page,
                pages: u32::try_from(found.len().div_ceil(size)).unwrap_or(u32::MAX),
                total: found.len() as u64,
            },
        },
        pix: shown
            .take(size)
            .map(|transfer| payment(transfer, now_ms))
            .collect(),
    };
    written(200, &list)
}

fn transfer_of<'a>(bank: &'a mut Bank, id: &str) -> Option<(usize, &'a mut Transfer)> {
    let mut transfers = bank.transfers.iter_mut().enumerate();
    transfers.find(|(_, transfer)| transfer.provider == Provider::Pix && transfer.reference == id)
}

fn put_refund(bank: &mut Bank, id: &str, name: &str, request: &Request, now_ms: i64) -> Response {
    let Ok(asked) = serde_json::from_slice::<RefundRequest>(&request.body) else {
        return violation(
            "PixDevolucaoInvalida",
            "devolucao.valor",
            "the body breaks the schema",
        );
    };
    let fits = (1..=35).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    if !fits {
        return violation(
            "PixDevolucaoInvalida",
            "devolucao.id",
            "must be [a-zA-Z0-9]{1,35}",
        );
    }
    let fails = bank
        .faults
        .0
        .iter()
        .any(|armed| armed.fault == Fault::RefundNotDone);
    let succeeds = !(fails && bank.strikes(&Fault::RefundNotDone));
    let Some((place, transfer)) = transfer_of(bank, id) else {
        return problem(404, "PixNaoEncontrado", "no Pix has this endToEndId");
    };
    if let Some(known) = transfer.refunds.iter().find(|given| given.id == name) {
        // The id makes it one refund.
        return written(201, &refund(known, now_ms));
    }
    let spoken_for: i64 = transfer
        .refunds
        .iter()
        .filter(|given| given.succeeds)
        .map(|given| given.amount_minor)
        .sum();
    if asked.value.0 <= 0 || asked.value.0 > transfer.amount_minor - spoken_for {
        return violation(
            "PixDevolucaoInvalida",
            "devolucao.valor",
            "more than is left",
        );
    }
    let given = GivenBack {
        id: name.to_owned(),
        amount_minor: asked.value.0,
        requested_ms: now_ms,
        succeeds,
    };
    transfer.refunds.push(given.clone());
    let plan = Plan::Notice {
        transfer: place,
        attempt: 0,
        booked_ms: now_ms + REFUND_MS,
    };
    bank.plan(plan, now_ms + REFUND_MS);
    written(201, &refund(&given, now_ms))
}

fn show_refund(bank: &mut Bank, id: &str, name: &str, now_ms: i64) -> Response {
    let found = transfer_of(bank, id);
    let found = found.and_then(|(_, transfer)| transfer.refunds.iter().find(|r| r.id == name));
    match found {
        Some(given) => written(200, &refund(given, now_ms)),
        None => problem(404, "PixDevolucaoNaoEncontrada", "no such refund"),
    }
}

fn put_webhook(bank: &mut Bank, request: &Request) -> Response {
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match body.get("webhookUrl").and_then(|url| url.as_str()) {
        Some(url) if url.starts_with("http") => {
            bank.take_webhook(Provider::Pix, url.to_owned());
            Response::json(200, "")
        }
        _ => violation(
            "WebhookOperacaoInvalida",
            "webhook.webhookUrl",
            "must be an address",
        ),
    }
}

/// The webhook of a payment. It has no signature: mutual TLS proves it.
pub(super) fn notice(bank: &Bank, transfer: &Transfer, now_ms: i64) -> Option<Notice> {
    let shop = bank.settings.pix.as_ref()?;
    let url = format!("{}/pix", shop.webhook_url.as_deref()?.trim_end_matches('/'));
    // Only a Pix of a charge is told.
    transfer.order.as_ref()?;
    let told = Payments {
        pix: vec![payment(transfer, now_ms)],
    };
    let headers = vec![("Content-Type", "application/json".to_owned())];
    Some((url, headers, serde_json::to_vec(&told).ok()?))
}
