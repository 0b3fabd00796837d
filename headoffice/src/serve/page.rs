//! The dashboard: one page, drawn on the server, no script.

use super::{
    App, Wanted,
    format::{Lang, clock_time},
    panels, read_today,
};
use crate::{project::day_of, today::Today};
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use chrono::{Days, NaiveDate};
use chrono_tz::Tz;
use maud::{DOCTYPE, Markup, html};

/// What every panel needs beside the figures.
pub(super) struct View<'a> {
    pub lang: Lang,
    pub time_zone: Tz,
    pub organisation: &'a str,
    pub date: NaiveDate,
}

impl View<'_> {
    /// The words in the page's language.
    pub fn t<'w>(&self, vi: &'w str, en: &'w str) -> &'w str {
        self.lang.pick(vi, en)
    }

    /// Local time of an instant: `14:05`.
    pub fn time(&self, at_ms: i64) -> String {
        clock_time(at_ms, self.time_zone)
    }

    /// Local date and time of an instant: `21.11. 14:05`, for lists that reach over several days.
    pub fn date_time(&self, at_ms: i64) -> String {
        format!(
            "{} {}",
            day_of(at_ms, self.time_zone).format("%d.%m."),
            self.time(at_ms)
        )
    }
}

pub(super) async fn show(
    State(app): State<App>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let today = match read_today(&app, wanted.date()).await {
        Ok(today) => today,
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
        date: NaiveDate::parse_from_str(&today.date, "%Y-%m-%d").unwrap_or_default(),
    };
    let open = match super::credits::open(&app).await {
        Ok(open) => open,
        Err(response) => return response,
    };
    let mut response = page(&view, &today, open).into_response();
    response.headers_mut().insert(
        header::CONTENT_LANGUAGE,
        HeaderValue::from_static(lang.tag()),
    );
    response
        .headers_mut()
        .insert(header::VARY, HeaderValue::from_static("accept-language"));
    response
}

fn page(view: &View<'_>, today: &Today, transfers_open: super::credits::Open) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(view.lang.tag()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if today.is_current { meta http-equiv="refresh" content="30"; }
                title { (view.lang.date(view.date)) " · Điểm Chạm" }
                link rel="icon" href="/assets/icon.svg" type="image/svg+xml";
                link rel="stylesheet" href="/assets/style.css";
            }
            body {
                (sidebar(view))
                main {
                    (heading(view, today))
                    (panels::completeness(view, today))
                    (super::credits::alarm(view, transfers_open))
                    (panels::alarms(view, today))
                    (panels::cards(view, today))
                    div.columns {
                        (panels::faces(view, today))
                        (panels::tenders(view, today))
                    }
                    (panels::latest(view, today))
                    (panels::footer(view, today))
                }
            }
        }
    }
}

fn sidebar(view: &View<'_>) -> Markup {
    html! {
        nav.side aria-label=(view.t("Mục lục", "Contents")) {
            a.brand href=(link(view, view.date)) { "Điểm Chạm" }
            @if !view.organisation.is_empty() { p.organisation { (view.organisation) } }
            ul {
                li { a.current href="#top" aria-current="page" { (view.t("Hôm nay", "Today")) } }
                li { a href="#complete" { (view.t("Cửa hàng & máy", "Stores & kiosks")) } }
                li { a href="#faces" { (view.t("Khách nói gì", "What shoppers say")) } }
                li { a href="#tenders" { (view.t("Bán hàng", "Sales")) } }
                li { a href="#latest" { (view.t("Lượt bán mới nhất", "Latest sales")) } }
                li { a href=(format!("/credits?lang={}", view.lang.tag())) { (view.t("Tiền chuyển khoản", "Transfers")) } }
            }
            p.languages {
                (language(view, Lang::Vi, "Tiếng Việt"))
                (language(view, Lang::En, "English"))
            }
        }
    }
}

fn language(view: &View<'_>, lang: Lang, name: &str) -> Markup {
    let href = format!(
        "/?date={}&lang={}",
        view.date.format("%Y-%m-%d"),
        lang.tag()
    );
    html! {
        @if lang == view.lang { span lang=(lang.tag()) aria-current="true" { (name) } }
        @else { a href=(href) lang=(lang.tag()) hreflang=(lang.tag()) { (name) } }
    }
}

fn link(view: &View<'_>, date: NaiveDate) -> String {
    format!(
        "/?date={}&lang={}",
        date.format("%Y-%m-%d"),
        view.lang.tag()
    )
}

fn heading(view: &View<'_>, today: &Today) -> Markup {
    let complete = &today.completeness;
    let good = complete.missing == 0 && complete.complete_devices == complete.expected_devices;
    let before = view.date.checked_sub_days(Days::new(1));
    let after = view
        .date
        .checked_add_days(Days::new(1))
        .filter(|_| !today.is_current);
    html! {
        header #top {
            div.day {
                h1 { (view.lang.date(view.date)) }
                div.steps {
                    @if let Some(before) = before {
                        a href=(link(view, before)) aria-label=(view.t("Ngày trước", "Day before")) { "‹" }
                    }
                    @if let Some(after) = after {
                        a href=(link(view, after)) aria-label=(view.t("Ngày sau", "Day after")) { "›" }
                        a.word href=(format!("/?lang={}", view.lang.tag())) { (view.t("Hôm nay", "Today")) }
                    }
                }
            }
            p.chip {
                @if complete.expected_devices == 0 {
                    (view.t("Chưa có máy nào", "No kiosk yet"))
                } @else {
                    strong.good[good].bad[!good] {
                        (view.lang.number(complete.complete_devices)) "/"
                        (view.lang.number(complete.expected_devices)) " " (view.t("máy", "kiosks"))
                    }
                    " · " (view.lang.percent_of(complete.stored, complete.known)) " " (view.t("sự kiện", "events"))
                    " · " (view.t("lúc", "at")) " " (view.time(today.now_ms))
                }
            }
        }
    }
}
