//! Transfers for people: what needs somebody first, each under its name.

use super::{App, blocking, format::Lang, page::View, trouble};
use crate::{
    project::day_of,
    relay::{
        by_staff::{ByStaff, ByStaffList, Standing},
        review::{After, CreditList, CreditRow},
    },
};
use axum::{
    Json,
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use maud::{DOCTYPE, Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// Rows of the page.
const SHOWN: u32 = 200;
/// Rows of one answer, at most.
const LIMIT_MAX: u32 = 1_000;

#[derive(Deserialize)]
pub(super) struct Wanted {
    limit: Option<u32>,
    after: Option<String>,
    lang: Option<String>,
}

/// What somebody has to look at, in figures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    /// Transfers the bank credited.
    credits: u64,
    /// Transfers on a person's word that the bank's list does not have.
    odd_by_staff: u64,
    /// Transfers on a person's word that nobody has settled.
    open_by_staff: u64,
}

/// How many transfers somebody has to look at.
pub(super) async fn open(app: &App) -> Result<Open, Response> {
    let by_staff = read_by_staff(app, 0).await?;
    Ok(Open {
        credits: read(app, 0, None).await?.open,
        odd_by_staff: by_staff.odd,
        open_by_staff: by_staff.open,
    })
}

async fn read(app: &App, limit: u32, after: Option<&str>) -> Result<CreditList, Response> {
    let after: Option<After> = match after.map(str::parse).transpose() {
        Ok(after) => after,
        Err(error) => return Err((StatusCode::BAD_REQUEST, format!("{error}\n")).into_response()),
    };
    let store = Arc::clone(&app.store);
    match blocking(move || store.credits_after(limit, after)).await {
        Ok(Ok(list)) => Ok(list),
        Ok(Err(error)) => Err(trouble(&error)),
        Err(error) => Err(trouble(&error)),
    }
}

async fn read_by_staff(app: &App, limit: u32) -> Result<ByStaffList, Response> {
    let store = Arc::clone(&app.store);
    match blocking(move || store.by_staff(limit)).await {
        Ok(Ok(list)) => Ok(list),
        Ok(Err(error)) => Err(trouble(&error)),
        Err(error) => Err(trouble(&error)),
    }
}

pub(super) async fn json(State(app): State<App>, Query(wanted): Query<Wanted>) -> Response {
    let limit = wanted.limit.unwrap_or(SHOWN).min(LIMIT_MAX);
    match read(&app, limit, wanted.after.as_deref()).await {
        Ok(list) => Json(list).into_response(),
        Err(response) => response,
    }
}

pub(super) async fn by_staff_json(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
) -> Response {
    match read_by_staff(&app, wanted.limit.unwrap_or(SHOWN).min(LIMIT_MAX)).await {
        Ok(list) => Json(list).into_response(),
        Err(response) => response,
    }
}

pub(super) async fn page(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let limit = wanted.limit.unwrap_or(SHOWN).clamp(1, LIMIT_MAX);
    let read = match read(&app, limit, wanted.after.as_deref()).await {
        Ok(list) => read_by_staff(&app, SHOWN)
            .await
            .map(|by_staff| (list, by_staff)),
        Err(response) => Err(response),
    };
    let (list, by_staff) = match read {
        Ok(lists) => lists,
        Err(response) => return response,
    };
    let accepted = headers
        .get(header::ACCEPT_LANGUAGE)
        .and_then(|value| value.to_str().ok());
    let lang = Lang::choose(wanted.lang.as_deref(), accepted);
    let view = View {
        lang,
        time_zone: app.store.time_zone,
        organisation: &app.organisation,
        date: day_of(app.store.clock.now_ms(), app.store.time_zone),
    };
    let mut response = draw(&view, &list, &by_staff).into_response();
    response.headers_mut().insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(lang.tag()),
    );
    response
}

/// The line on the day's page.
pub(super) fn alarm(view: &View<'_>, open: Open) -> Markup {
    let waiting = open.open_by_staff.saturating_sub(open.odd_by_staff);
    html! {
        @if open.credits > 0 {
            p.notice {
                a href=(format!("/credits?lang={}", view.lang.tag())) {
                    (view.lang.number(open.credits)) " "
                    (view.t("khoản chuyển khoản cần người xem", "transfers need somebody to look at them"))
                }
            }
        }
        @if open.odd_by_staff > 0 {
            p.notice {
                a href=(format!("/credits?lang={}#by-staff", view.lang.tag())) {
                    (view.lang.number(open.odd_by_staff)) " "
                    (view.t(
                        "khoản nhân viên đã xác nhận mà ngân hàng không có",
                        "transfers confirmed by staff that the bank does not have",
                    ))
                }
            }
        }
        @if waiting > 0 {
            p.quiet {
                a href=(format!("/credits?lang={}#by-staff", view.lang.tag())) {
                    (view.lang.number(waiting)) " "
                    (view.t(
                        "khoản nhân viên đã xác nhận, đang chờ sao kê ngân hàng",
                        "transfers confirmed by staff, not yet by the bank",
                    ))
                }
            }
        }
    }
}

fn draw(view: &View<'_>, list: &CreditList, by_staff: &ByStaffList) -> Markup {
    let (open, done): (Vec<_>, Vec<_>) = list.credits.iter().partition(|credit| credit.open);
    html! {
        (DOCTYPE)
        html lang=(view.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="refresh" content="30";
                title { (view.t("Tiền chuyển khoản", "Transfers")) " · Điểm Chạm" }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/style.css";
            }
            body {
                (sidebar(view))
                main {
                    header { div.day { h1 { (view.t("Tiền chuyển khoản", "Transfers")) } } }
                    section.panel.alarm[list.open > 0] #open {
                        h2 { (view.t("Cần người xem", "Somebody has to look")) " " span.tag.bad[list.open > 0].good[list.open == 0] { (view.lang.number(list.open)) } }
                        p.quiet { (view.t(
                            "Ngân hàng đã báo có những khoản này. Quyết định được ghi lại bằng lệnh ",
                            "The bank has credited these. What is decided is kept with ",
                        )) code { "headoffice credits settle" } "." }
                        (table(view, &open))
                    }
                    (by_staff_panel(view, by_staff))
                    section.panel #rest {
                        h2 { (view.t("Mới nhất", "Newest")) }
                        (table(view, &done))
                        @if let Some(next) = &list.next {
                            p { a rel="next" href=(format!("/credits?lang={}&after={next}", view.lang.tag())) {
                                (view.t("Xem các khoản cũ hơn", "Older ones"))
                            } }
                        }
                    }
                }
            }
        }
    }
}

fn by_staff_panel(view: &View<'_>, list: &ByStaffList) -> Markup {
    html! {
        @if !list.transfers.is_empty() {
            section.panel.alarm[list.odd > 0] #by-staff {
                h2 { (view.t("Nhân viên xác nhận", "Confirmed by staff")) " "
                    span.tag.bad[list.odd > 0].good[list.odd == 0] { (view.lang.number(list.odd)) } }
                p.quiet { (view.t(
                    "Nhân viên đã xem trong ứng dụng ngân hàng. Khoản nào có trong sao kê thì được khớp tự động.",
                    "Staff saw these in the bank's app. Those in the bank's list are matched by themselves.",
                )) " " (view.t("Khoản đã rõ được đóng bằng lệnh ", "Those that are cleared up are closed with "))
                    code { "headoffice credits close" } "." }
                table.plain {
                    thead { tr {
                        th scope="col" { (view.t("Lúc", "At")) }
                        th.figure scope="col" { (view.t("Số tiền", "Amount")) }
                        th scope="col" { (view.t("Ngân hàng nói", "The bank says")) }
                        th scope="col" { (view.t("Lượt bán", "Sale")) }
                        th scope="col" { (view.t("Mã ngân hàng", "Bank's reference")) }
                    } }
                    tbody { @for transfer in &list.transfers { (by_staff_row(view, transfer)) } }
                }
            }
        }
    }
}

fn by_staff_row(view: &View<'_>, transfer: &ByStaff) -> Markup {
    let odd = transfer.state.is_odd();
    let good = transfer.state == Standing::Settled;
    html! {
        tr {
            td { (view.date_time(transfer.wall_ms)) }
            td.figure { (view.lang.money(transfer.amount_minor, &transfer.currency)) }
            td {
                span.tag.good[good].bad[odd] { (standing(view, transfer.state)) }
                @if let Some(by) = &transfer.closed_by { " " span.quiet { (by) } }
            }
            td {
                @if let Some(receipt) = &transfer.receipt { (receipt) } @else { "–" }
                br; span.quiet { (transfer.store) " " (transfer.kiosk) }
            }
            td { (transfer.reference) }
        }
    }
}

fn standing<'w>(view: &View<'_>, state: Standing) -> &'w str {
    match state {
        Standing::Settled => view.lang.pick("đã nhận tiền", "received"),
        Standing::Waiting => view
            .lang
            .pick("chờ sao kê ngân hàng", "waiting for the bank's list"),
        Standing::NoList => view
            .lang
            .pick("chưa có sao kê ngân hàng", "no list of the bank"),
        Standing::NotFound => view
            .lang
            .pick("không có trong sao kê", "not in the bank's list"),
        Standing::OtherAmount => view
            .lang
            .pick("đúng mã, khác số tiền", "this reference has another amount"),
        Standing::Used => view.lang.pick(
            "mã đã dùng cho lượt bán khác",
            "this reference is another sale's",
        ),
        Standing::Closed => view.lang.pick("đã xử lý", "closed"),
        Standing::Missing => view.lang.pick(
            "nhân viên tra lại, không thấy tiền",
            "staff looked it up: it did not come",
        ),
    }
}

fn sidebar(view: &View<'_>) -> Markup {
    let lang = view.lang.tag();
    let other = view.t("en", "vi");
    html! {
        nav.side aria-label=(view.t("Mục lục", "Contents")) {
            a.brand href=(format!("/?lang={lang}")) { "Điểm Chạm" }
            @if !view.organisation.is_empty() { p.organisation { (view.organisation) } }
            ul {
                li { a href=(format!("/?lang={lang}")) { (view.t("Hôm nay", "Today")) } }
                li { a.current href="#open" aria-current="page" { (view.t("Tiền chuyển khoản", "Transfers")) } }
            }
            p.languages {
                span aria-current="true" { (view.t("Tiếng Việt", "English")) }
                a href=(format!("/credits?lang={other}")) lang=(other) hreflang=(other) { (view.t("English", "Tiếng Việt")) }
            }
        }
    }
}

fn table(view: &View<'_>, credits: &[&CreditRow]) -> Markup {
    html! {
        @if credits.is_empty() {
            p.empty { (view.t("Không có khoản nào", "None")) }
        } @else {
            table.plain {
                thead { tr {
                    th scope="col" { (view.t("Lúc", "At")) }
                    th.figure scope="col" { (view.t("Số tiền", "Amount")) }
                    th scope="col" { (view.t("Là gì", "What it is")) }
                    th scope="col" { (view.t("Đơn", "Order")) }
                    th scope="col" { (view.t("Nội dung chuyển khoản", "Text of the transfer")) }
                    th scope="col" { (view.t("Mã ngân hàng", "Bank's reference")) }
                } }
                tbody { @for credit in credits { (row(view, credit)) } }
            }
        }
    }
}

fn row(view: &View<'_>, credit: &CreditRow) -> Markup {
    html! {
        tr {
            td { (view.date_time(credit.seen_ms)) }
            td.figure { (view.lang.money(credit.amount_minor, &credit.currency)) }
            td {
                span.tag.good[credit.state == "paid"].bad[credit.state != "paid"] { (state(view, credit.state)) }
                @if credit.conflict {
                    " " span.tag.bad { (view.t("ngân hàng báo hai số tiền khác nhau", "told with two amounts")) }
                }
                @if let Some(decided) = &credit.decision {
                    br; span.quiet {
                        (decision(view, &decided.decision)) " · " (decided.by) " · " (view.date_time(decided.at_ms))
                        @if !decided.note.is_empty() { " · " (decided.note) }
                    }
                }
            }
            td {
                @if let Some(order) = &credit.order {
                    code { (order) }
                    @if let Some(minor) = credit.order_minor {
                        " " span.quiet { (view.t("cần ", "asked ")) (view.lang.money(minor, &credit.currency)) }
                    }
                    @if let (Some(store), Some(kiosk)) = (&credit.store, &credit.kiosk) {
                        br; span.quiet { (store) " " (kiosk) }
                    }
                } @else if let Some(hint) = &credit.hint {
                    span.quiet { (view.t("có ghi ", "names ")) } code { (hint) }
                } @else { "–" }
            }
            td { (credit.memo) }
            td { (credit.reference) br; span.quiet { (credit.account) } }
        }
    }
}

fn state<'w>(view: &View<'_>, state: &'w str) -> &'w str {
    match state {
        "paid" => view.lang.pick("đủ tiền", "paid"),
        "under" => view.lang.pick("thiếu tiền", "too little"),
        "over" => view.lang.pick("thừa tiền", "too much"),
        "duplicate" => view.lang.pick("trả lần nữa", "paid again"),
        "late" => view.lang.pick(
            "đến muộn, đơn đã hủy",
            "late, after the order was taken back",
        ),
        "no_code" => view.lang.pick("không ghi mã đơn", "no order code"),
        "cut_off" => view.lang.pick("mã đơn bị cắt", "order code cut off"),
        "unknown_order" => view
            .lang
            .pick("mã đơn không có ở đây", "order not known here"),
        "several_orders" => view.lang.pick("ghi nhiều mã đơn", "several order codes"),
        "other_account" => view
            .lang
            .pick("đơn của tài khoản khác", "order of another account"),
        "other_currency" => view.lang.pick("khác loại tiền", "another currency"),
        other => other,
    }
}

fn decision<'w>(view: &View<'_>, decision: &'w str) -> &'w str {
    match decision {
        "given_back" => view.lang.pick("đã trả lại", "given back"),
        "voucher" => view.lang.pick("đổi thành phiếu mua hàng", "made a voucher"),
        "for_sale" => view.lang.pick("tính cho lượt bán", "counted for a sale"),
        "not_ours" => view.lang.pick("không phải của cửa hàng", "not ours"),
        "reopened" => view.lang.pick("mở lại", "opened again"),
        other => other,
    }
}
