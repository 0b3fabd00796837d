//! The parts of the dashboard. Every score stands with its n, its interval and the completeness above it.

use super::page::View;
use crate::{
    numbers::{FEWEST, Share},
    today::{DayStatus, DeviceStatus, Doubt, LatestSale, TaxTotal, Today},
};
use chrono::NaiveDate;
use maud::{Markup, html};

/// Kiosks listed before the rest is summed up; those with trouble come first.
const LISTED_DEVICES: usize = 40;

pub(super) fn completeness(view: &View<'_>, today: &Today) -> Markup {
    let complete = &today.completeness;
    let listed = complete.devices.iter().take(LISTED_DEVICES);
    let rest = complete.devices.len().saturating_sub(LISTED_DEVICES);
    html! {
        section.panel #complete {
            h2 { (view.t("Đã đủ dữ liệu chưa?", "Is the data complete?")) " " (verdict(view, today)) }
            @if complete.devices.is_empty() {
                p.empty {
                    (view.t("Chưa có máy nào ghi danh. Lấy mã ghi danh bằng lệnh ", "No kiosk is enrolled. Get a code with "))
                    code { "headoffice code --store …" }
                }
            } @else {
                table.devices {
                    thead { tr {
                        th scope="col" { (view.t("Máy", "Kiosk")) }
                        th scope="col" { (view.t("Liên lạc", "Last contact")) }
                        th.figure scope="col" { (view.t("Sự kiện đã nhận", "Events received")) }
                        th.figure scope="col" { (view.t("Còn thiếu", "Missing")) }
                        th.week scope="col" {
                            span.days { @for date in &complete.dates { span { (weekday(view, date)) } } }
                        }
                    } }
                    tbody { @for device in listed { (device_row(view, today, device)) } }
                }
                @if rest > 0 {
                    p.quiet { (view.t("và ", "and ")) (rest) " " (view.t("máy khác, không có gì bất thường hơn", "more kiosks, none of them worse")) }
                }
                (legend(view))
            }
        }
    }
}

fn verdict(view: &View<'_>, today: &Today) -> Markup {
    let complete = &today.completeness;
    let silent = complete.expected_devices - complete.complete_devices;
    html! {
        @if complete.devices.is_empty() {}
        @else if complete.missing > 0 {
            span.tag.bad {
                (view.t("Chưa: biết chắc còn thiếu ", "No: known to be missing "))
                (view.lang.number(complete.missing)) " " (view.t("sự kiện", "events"))
            }
        } @else if silent > 0 {
            span.tag.warn {
                (view.t("Chưa chắc: ", "Not sure: ")) (silent) " " (view.t("máy im lặng", "kiosks silent"))
            }
        } @else {
            span.tag.good { (view.t("Đủ", "Yes")) " · " (view.lang.number(complete.stored)) " " (view.t("sự kiện", "events")) }
        }
    }
}

fn device_row(view: &View<'_>, today: &Today, device: &DeviceStatus) -> Markup {
    html! {
        tr.revoked[device.revoked] {
            th.name scope="row" {
                (device.store) " " span.quiet { (device.name) }
                @for (part, state) in &device.troubles { " " span.tag.warn { (view.lang.part(part)) ": " (view.lang.part_state(state)) } }
                @if device.forks > 0 { " " span.tag.bad { (view.t("nhật ký bị rẽ nhánh", "forked journal")) } }
                @if device.clock_suspect { " " span.tag.warn { (view.t("đồng hồ sai", "clock wrong")) } }
                @if device.revoked { " " span.tag { (view.t("đã thu hồi", "revoked")) } }
            }
            td.contact data-label=(view.t("Liên lạc", "Last contact")) {
                span.dot.on[device.in_contact] {}
                @match device.last_contact_ms {
                    Some(at) => { (view.lang.ago(today.now_ms - at)) }
                    None => { (view.t("chưa bao giờ", "never")) }
                }
            }
            td.figure data-label=(view.t("Sự kiện đã nhận", "Events received")) {
                (view.lang.number(device.stored)) span.quiet { " / " (view.lang.number(device.known)) }
            }
            td.figure.bad[device.missing > 0] data-label=(view.t("Còn thiếu", "Missing")) {
                (view.lang.number(device.missing))
            }
            td.week {
                span.days { @for status in &device.week { (day_mark(view, *status)) } }
            }
        }
    }
}

fn weekday<'a>(view: &View<'a>, date: &str) -> &'static str {
    NaiveDate::parse_from_str(date, "%Y-%m-%d")
        .map(|date| view.lang.weekday(date))
        .unwrap_or_default()
}

/// Letter, class and meaning of a day's mark. The letter carries the meaning; the colour only repeats it.
fn mark(view: &View<'_>, status: DayStatus) -> (&'static str, &'static str, String) {
    let (letter, class, vi, en) = match status {
        DayStatus::Received => ("R", "r", "đủ", "complete"),
        DayStatus::Late => ("L", "l", "đủ nhưng muộn", "complete, late"),
        DayStatus::Partial => (
            "P",
            "p",
            "thiếu hoặc chưa chứng minh được",
            "partial or not proven",
        ),
        DayStatus::Missing => ("M", "m", "mất liên lạc", "missing"),
        DayStatus::Closed => ("C", "c", "đóng cửa", "closed"),
        DayStatus::Running => (
            "•",
            "now",
            "đang chạy, đủ đến lúc này",
            "running, complete so far",
        ),
        DayStatus::NotExpected => ("", "none", "chưa ghi danh", "not enrolled"),
    };
    (letter, class, view.t(vi, en).to_owned())
}

fn day_mark(view: &View<'_>, status: DayStatus) -> Markup {
    let (letter, class, meaning) = mark(view, status);
    html! { span class={ "mark " (class) } title=(meaning) { (letter) } }
}

fn legend(view: &View<'_>) -> Markup {
    const SHOWN: [DayStatus; 6] = [
        DayStatus::Received,
        DayStatus::Late,
        DayStatus::Partial,
        DayStatus::Missing,
        DayStatus::Closed,
        DayStatus::Running,
    ];
    html! {
        p.legend {
            @for (index, status) in SHOWN.into_iter().enumerate() {
                @let (letter, _, meaning) = mark(view, status);
                @if index > 0 { " · " }
                (letter) " " (meaning)
            }
        }
    }
}

pub(super) fn alarms(view: &View<'_>, today: &Today) -> Markup {
    let complete = &today.completeness;
    html! {
        @if !today.in_doubt.is_empty() {
            section.panel.alarm #doubt {
                h2 { (view.t("Tiền chưa rõ", "Money in doubt")) " " span.tag.bad { (today.in_doubt.len()) } }
                p.quiet { (view.t(
                    "Máy chưa biết các khoản này đã trả hay chưa. Hỏi ngân hàng hoặc xem máy thẻ trước khi thu lại.",
                    "The kiosk cannot tell whether these were paid. Ask the bank or look at the terminal before charging again.",
                )) }
                ul { @for doubt in today.in_doubt.iter().take(8) { li { (doubt_line(view, doubt)) } } }
            }
        }
        @if complete.quarantined > 0 || complete.unread_blocks > 0 {
            p.notice {
                @if complete.quarantined > 0 {
                    (view.lang.number(complete.quarantined)) " "
                    (view.t("sự kiện đã nhận nhưng chưa đọc hết được.", "events received but not fully readable."))
                }
                " "
                @if complete.unread_blocks > 0 {
                    (view.lang.number(complete.unread_blocks)) " "
                    (view.t("khối đã nhận, đang đọc vào số liệu.", "blocks received, being read into the figures."))
                }
            }
        }
    }
}

fn doubt_line(view: &View<'_>, doubt: &Doubt) -> Markup {
    html! {
        strong {
            @if let (Some(minor), Some(currency)) = (doubt.amount_minor, &doubt.currency) {
                (view.lang.money(minor, currency))
            } @else { (view.t("không rõ số tiền", "amount not known")) }
        }
        " · " (doubt.method.as_deref().map_or("", |method| view.lang.method(method)))
        " · " (doubt.store_name) " " (doubt.device_name) " · " (view.date_time(doubt.wall_ms))
    }
}

pub(super) fn cards(view: &View<'_>, today: &Today) -> Markup {
    html! {
        div.cards {
            (sales_card(view, today))
            (score_card(view, view.t("Khách hài lòng", "Satisfied shoppers"), today.taps.csat, today.taps.n))
            (score_card(view, view.t("Khách không vui", "Unhappy shoppers"), today.taps.dsat, today.taps.n))
            (response_card(view, today))
        }
    }
}

fn sales_card(view: &View<'_>, today: &Today) -> Markup {
    html! {
        article.card {
            h3 { (view.t("Lượt bán", "Sales")) }
            p.big { (view.lang.number(today.sales.count)) }
            @for total in &today.sales.by_currency {
                p.quiet {
                    strong { (view.lang.money(total.total_minor, &total.currency)) }
                    @if total.refunded_minor > 0 {
                        " · " (view.t("hoàn", "refunded")) " " (view.lang.money(total.refunded_minor, &total.currency))
                    }
                }
            }
            @if today.baskets.with_items > 0 {
                p.quiet {
                    (view.t("bỏ giỏ", "baskets left")) " "
                    (view.lang.number(today.baskets.left)) "/" (view.lang.number(today.baskets.with_items))
                }
            }
        }
    }
}

fn score_card(view: &View<'_>, title: &str, score: Option<Share>, n: u64) -> Markup {
    html! {
        article.card {
            h3 { (title) }
            @match score {
                Some(score) => {
                    p.big { (view.lang.percent(score.share)) }
                    p.quiet { (interval(view, &score)) " · n=" (view.lang.number(score.n)) }
                }
                None => {
                    p.big.none { "—" }
                    p.quiet { (view.t("chưa đủ dữ liệu", "not enough data yet")) " · n=" (view.lang.number(n)) "/" (FEWEST) }
                }
            }
        }
    }
}

fn interval(view: &View<'_>, share: &Share) -> String {
    let ends = share.interval;
    format!(
        "[{} – {}]",
        view.lang.decimal(ends.low * 100.0),
        view.lang.decimal(ends.high * 100.0)
    )
}

fn response_card(view: &View<'_>, today: &Today) -> Markup {
    html! {
        article.card {
            h3 { (view.t("Tỷ lệ trả lời", "Response rate")) }
            @match today.taps.response {
                Some(response) => {
                    p.big { (view.lang.percent(response.share)) }
                    p.quiet { (interval(view, &response)) " · n=" (view.lang.number(response.n)) }
                }
                None => {
                    p.big.none { "—" }
                    p.quiet { (view.t("chưa đủ dữ liệu", "not enough data yet")) " · n=" (view.lang.number(today.taps.asked)) "/" (FEWEST) }
                }
            }
            p.quiet {
                (view.t("đã hỏi ", "asked ")) (view.lang.number(today.taps.asked)) " "
                (view.t("trên", "of")) " " (view.lang.number(today.sales.count)) " " (view.t("lượt bán", "sales"))
            }
        }
    }
}

pub(super) fn faces(view: &View<'_>, today: &Today) -> Markup {
    let taps = &today.taps;
    let most = taps.faces.iter().copied().max().unwrap_or_default().max(1);
    html! {
        section.panel #faces {
            h2 { (view.t("Khách chạm mặt nào?", "Which face did they tap?")) }
            @if taps.n == 0 {
                p.empty { (view.t("Hôm nay chưa có ai chạm.", "Nobody tapped yet.")) }
            } @else {
                ol.faces {
                    @for (face, (word, count)) in view.lang.faces().iter().zip(taps.faces).enumerate().rev() {
                        li {
                            (face_picture(face, word))
                            span.word { (word) }
                            (bar(count, most, FACE_CLASSES[face]))
                            span.figure { (view.lang.number(count)) }
                            span.figure.quiet { (view.lang.percent_of(count, taps.n)) }
                        }
                    }
                }
                p.quiet.note {
                    @match &taps.index {
                        Some(index) => {
                            (view.t("Chỉ số", "Index")) " " strong { (view.lang.decimal(index.index)) }
                            " [" (view.lang.decimal(index.interval.low)) " – " (view.lang.decimal(index.interval.high)) "]"
                            " · n=" (view.lang.number(index.n))
                        }
                        None => { (view.t("Chưa đủ dữ liệu để tính điểm", "Not enough data for a score")) " · n=" (view.lang.number(taps.n)) }
                    }
                    @if let Some(bounds) = taps.bounds {
                        br;
                        (view.t("Nếu mọi khách đều trả lời, tỷ lệ hài lòng nằm trong", "Had every buyer answered, the satisfied share would lie in"))
                        " " (view.lang.percent(bounds.low)) " – " (view.lang.percent(bounds.high))
                    }
                    @if taps.other_scales_n > 0 {
                        br; (view.lang.number(taps.other_scales_n)) " "
                        (view.t("lượt chạm theo thang khác, không gộp chung", "taps on another scale, not pooled"))
                    }
                }
                (reasons(view, today))
            }
        }
    }
}

fn reasons(view: &View<'_>, today: &Today) -> Markup {
    html! {
        (reason_list(view, today, false, view.t("Vì sao chưa vui", "Why not happy")))
        (reason_list(view, today, true, view.t("Vì sao vui", "Why happy")))
    }
}

fn reason_list(view: &View<'_>, today: &Today, happy: bool, title: &str) -> Markup {
    let reasons = || {
        today
            .taps
            .reasons
            .iter()
            .filter(move |reason| reason.happy == happy)
    };
    html! {
        @if reasons().next().is_some() {
            h3.sub { (title) }
            ul.reasons {
                @for reason in reasons() {
                    li {
                        span { (view.lang.reason(&reason.touchpoint)) }
                        span.figure {
                            (view.lang.number(reason.chosen))
                            span.quiet { " / " (view.lang.number(reason.shown)) " " (view.t("lần hiện", "shown")) }
                        }
                    }
                }
            }
        }
    }
}

const FACE_CLASSES: [&str; 5] = ["f0", "f1", "f2", "f3", "f4"];

/// A bar whose length is an attribute, not a style: the content policy allows no inline style.
fn bar(part: u64, whole: u64, class: &str) -> Markup {
    let tenths = u128::from(part) * 1_000 / u128::from(whole.max(1));
    let width = format!("{}.{}%", tenths / 10, tenths % 10);
    html! {
        svg.bar aria-hidden="true" {
            rect.track width="100%" height="100%" rx="6" {}
            @if part > 0 { rect class=(class) width=(width) height="100%" rx="6" {} }
        }
    }
}

fn face_picture(face: usize, word: &str) -> Markup {
    let mouth = [
        "M11 27 Q18 19 25 27",
        "M12 26 Q18 21 24 26",
        "M12 24 L24 24",
        "M12 22 Q18 28 24 22",
        "M10 21 Q18 32 26 21 Z",
    ];
    html! {
        svg.face viewBox="0 0 36 36" role="img" aria-label=(word) {
            circle.skin cx="18" cy="18" r="17" {}
            ellipse.feature cx="12.5" cy="14" rx="2" ry="2.8" {}
            ellipse.feature cx="23.5" cy="14" rx="2" ry="2.8" {}
            @if face == 0 { path.line d="M8 9.5 L15 12 M28 9.5 L21 12" {} }
            path class=(if face == 4 { "feature" } else { "line" }) d=(mouth[face]) {}
        }
    }
}

pub(super) fn tenders(view: &View<'_>, today: &Today) -> Markup {
    let sales = &today.sales;
    let most = sales
        .by_tender
        .iter()
        .map(|t| t.amount_minor.max(0).unsigned_abs())
        .max();
    html! {
        section.panel #tenders {
            h2 { (view.t("Khách trả bằng gì?", "How did they pay?")) }
            @if sales.by_tender.is_empty() {
                p.empty { (view.t("Chưa có lượt bán nào.", "No sale yet.")) }
            } @else {
                ul.tenders {
                    @for tender in &sales.by_tender {
                        li {
                            span.word { (view.lang.method(&tender.method)) }
                            span.amount { (view.lang.money(tender.amount_minor, &tender.currency)) }
                            (bar(tender.amount_minor.max(0).unsigned_abs(), most.unwrap_or(1), "brand"))
                            span.quiet { (view.lang.number(tender.count)) " " (view.t("lần", if tender.count == 1 { "time" } else { "times" })) }
                        }
                    }
                }
                @if !sales.by_tax.is_empty() {
                    h3.sub { (view.t("Thuế", "Tax")) }
                    table.plain {
                        thead { tr {
                            th scope="col" { (view.t("Thuế suất", "Rate")) }
                            th.figure scope="col" { (view.t("Trước thuế", "Net")) }
                            th.figure scope="col" { (view.t("Thuế", "Tax")) }
                        } }
                        tbody { @for tax in &sales.by_tax { tr {
                            td { (tax_name(view, tax)) }
                            td.figure { (view.lang.money(tax.net_minor, &tax.currency)) }
                            td.figure { (view.lang.money(tax.tax_minor, &tax.currency)) }
                        } } }
                    }
                }
            }
        }
    }
}

fn tax_name(view: &View<'_>, tax: &TaxTotal) -> String {
    match tax.treatment.as_deref() {
        Some("exempt") => view.t("Không chịu thuế (KCT)", "Exempt (KCT)").into(),
        Some("not_declared") => view
            .t("Không kê khai, nộp thuế (KKKNT)", "Not declared (KKKNT)")
            .into(),
        Some(other) => other.into(),
        None => rate(view, tax.rate_basis_points),
    }
}

fn rate(view: &View<'_>, basis_points: u32) -> String {
    let (whole, part) = (basis_points / 100, basis_points % 100);
    if part == 0 {
        format!("{whole}%")
    } else {
        format!("{whole}{}{part:02}%", view.t(",", "."))
    }
}

pub(super) fn latest(view: &View<'_>, today: &Today) -> Markup {
    html! {
        section.panel #latest {
            h2 { (view.t("Lượt bán mới nhất", "Latest sales")) }
            @if today.sales.latest.is_empty() {
                p.empty { (view.t("Chưa có lượt bán nào.", "No sale yet.")) }
            } @else {
                table.sales {
                    thead { tr {
                        th scope="col" { (view.t("Giờ", "Time")) }
                        th scope="col" { (view.t("Hóa đơn", "Receipt")) }
                        th scope="col" { (view.t("Máy", "Kiosk")) }
                        th.figure scope="col" { (view.t("Số dòng", "Lines")) }
                        th scope="col" { (view.t("Trả bằng", "Paid by")) }
                        th scope="col" { (view.t("Chạm", "Tap")) }
                        th.figure scope="col" { (view.t("Tổng", "Total")) }
                    } }
                    tbody { @for sale in &today.sales.latest { (sale_row(view, sale)) } }
                }
            }
        }
    }
}

fn sale_row(view: &View<'_>, sale: &LatestSale) -> Markup {
    html! {
        tr {
            td.time { (view.time(sale.wall_ms)) }
            td.receipt { (sale.receipt_number) }
            td.kiosk { (sale.store_name) " " span.quiet { (sale.device_name) } }
            td.figure.lines { (view.lang.number(sale.line_count)) }
            td.paid {
                @for (index, method) in sale.methods.iter().enumerate() {
                    @if index > 0 { ", " }
                    (view.lang.method(method))
                }
            }
            td.tap {
                @match sale.face.map(usize::from).and_then(|face| Some((face, *view.lang.faces().get(face)?))) {
                    Some((face, word)) => { (face_picture(face, word)) }
                    None => { span.quiet { "·" } }
                }
            }
            td.figure.total { (view.lang.money(sale.total_minor, &sale.currency)) }
        }
    }
}

pub(super) fn footer(view: &View<'_>, today: &Today) -> Markup {
    html! {
        footer {
            (view.t(
                "Khoảng trong ngoặc vuông là khoảng tin cậy 95% (Wilson cho tỷ lệ). Dưới 10 câu trả lời thì không tính điểm.",
                "Square brackets hold the 95% interval (Wilson for shares). Below 10 answers there is no score.",
            ))
            " · " (view.time_zone.name())
            " · " (view.t("đọc lúc", "read at")) " " (view.time(today.now_ms))
        }
    }
}
