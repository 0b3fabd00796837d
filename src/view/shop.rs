//! Grid, search, basket and notices.

use super::{Presenter, initial, picture, rows, text};
use crate::app::{Model, Panel};
use crate::format::{money, quantity};
use crate::store::Found;
use checkout::barcode::ScanFault;
use checkout::till::{LineView, Notice as TillNotice, ScanRefusal, Screen as TillScreen};
use checkout::{Item, Money};
use kiosk_ui::{
    AgeAdapter, AgePhase, BasketAdapter, BasketLine, Category, CouponAdapter, CouponProblem,
    LineKind, Notice, NoticeKind, Product, ResumeProblem, ShopAdapter, Tone, WeighPhase,
};
use slint::{ComponentHandle, SharedString};

/// Id of the chip for best sellers; no category has an empty name.
const BEST_SELLERS: &str = "";

impl Presenter {
    pub(super) fn show_shop(&self, model: &Model<'_>) {
        self.show_grid(model);
        self.show_basket(model);
        self.show_notice(model);
        self.show_weigh(model);
    }

    fn show_grid(&self, model: &Model<'_>) {
        let shop = self.ui.global::<ShopAdapter>();
        let browse = model.browse;
        let mut chips = vec![Category {
            id: BEST_SELLERS.into(),
            name: text::pick(model.language, "Bán chạy", "Best sellers").into(),
        }];
        chips.extend(browse.categories.iter().map(|category| Category {
            id: category.name.as_str().into(),
            name: category.name_in(model.language.code()).into(),
        }));
        rows::sync(&self.rows.categories, chips);
        shop.set_category(browse.category.as_str().into());
        shop.set_search_text(browse.text.as_str().into());
        shop.set_searching(browse.searching);
        shop.set_more_line(SharedString::default());
        let products = match &model.view.screen {
            TillScreen::Choose { items } => items
                .iter()
                .map(|item| product(model, item, true))
                .collect(),
            _ => browse
                .products
                .iter()
                .map(|Found { item, sellable, .. }| product(model, item, *sellable))
                .collect(),
        };
        rows::sync(&self.rows.products, products);
    }

    pub(super) fn show_basket(&self, model: &Model<'_>) {
        let basket = self.ui.global::<BasketAdapter>();
        let view = &model.view.basket;
        let mut lines: Vec<BasketLine> = Vec::with_capacity(view.lines.len() + 2);
        for line in &view.lines {
            lines.push(item_line(model, line));
            lines.extend(deposit_line(model, line));
        }
        lines.extend(view.discounts.iter().map(|discount| {
            let names = &discount.names;
            let name = names.get(model.language.code()).unwrap_or(&discount.name);
            BasketLine {
                id: format!("d{}", discount.promotion.0).into(),
                kind: LineKind::Discount,
                name: name.as_str().into(),
                amount: amount(model, -discount.amount_minor).into(),
                ..BasketLine::default()
            }
        }));
        let last = view.lines.last().map(|line| line.line.id.0.to_string());
        basket.set_last_line(last.unwrap_or_default().into());
        rows::sync(&self.rows.lines, lines);
        basket.set_item_count(i32::try_from(view.item_count).unwrap_or(i32::MAX));
        basket.set_total(money(view.total, model.language).into());
        basket.set_saved(if view.discount.minor == 0 {
            SharedString::default()
        } else {
            amount(model, -view.discount.minor).into()
        });
        basket.set_can_pay(!view.lines.is_empty() && view.fault.is_none());
        basket.set_can_park(!view.lines.is_empty());
    }

    pub(super) fn show_notice(&self, model: &Model<'_>) {
        let notice = model.view.notice.as_ref();
        let notice = notice.filter(|notice| concerns(&model.view.screen, notice));
        let (kind, tone, detail) = match notice {
            Some(notice) => describe(model, notice),
            None if matches!(model.view.screen, TillScreen::Choose { .. }) => (
                NoticeKind::Message,
                Tone::Wait,
                text::pick(
                    model.language,
                    "Nhiều món có cùng mã này. Chạm vào món của bạn.",
                    "Several items share this code. Touch yours.",
                )
                .to_owned(),
            ),
            None => (NoticeKind::None, Tone::Quiet, String::new()),
        };
        let shop = self.ui.global::<ShopAdapter>();
        shop.set_notice(Notice {
            kind,
            tone,
            detail: detail.into(),
        });
    }

    fn show_weigh(&self, model: &Model<'_>) {
        let shop = self.ui.global::<ShopAdapter>();
        let TillScreen::Weigh { item } = &model.view.screen else {
            shop.set_weigh_phase(WeighPhase::Closed);
            return;
        };
        // No kiosk has a scale of its own: staff weigh and type what they read.
        shop.set_weigh_phase(WeighPhase::Staff);
        shop.set_weigh_name(item.name_in(model.language.code()).into());
        shop.set_weigh_picture(picture(item.picture.as_deref()));
        shop.set_weigh_unit_price(unit_price(model, item).into());
        shop.set_weigh_weight(SharedString::default());
        shop.set_weigh_price(SharedString::default());
    }

    pub(super) fn show_coupon(&self, model: &Model<'_>) {
        let coupon = self.ui.global::<CouponAdapter>();
        coupon.set_open(model.panels.open == Some(Panel::Coupon));
        coupon.set_code(model.panels.coupon.as_str().into());
        coupon.set_problem(CouponProblem::None);
    }

    pub(super) fn show_age(&self, model: &Model<'_>, min_age: u8) {
        let age = self.ui.global::<AgeAdapter>();
        let lines = &model.view.basket.lines;
        let item = lines.iter().map(|line| &line.line.item);
        let limited = item.clone().find(|item| item.min_age.is_some());
        age.set_phase(AgePhase::Waiting);
        age.set_age(i32::from(min_age));
        if let Some(item) = limited {
            age.set_item_name(item.name_in(model.language.code()).into());
            age.set_item_picture(picture(item.picture.as_deref()));
        }
    }
}

/// What is wrong with the code typed on the resume panel.
pub(super) fn resume_problem(model: &Model<'_>) -> ResumeProblem {
    match model.view.notice {
        // What was wrong with the last code says nothing about the one being typed.
        _ if !model.panels.resume_code.is_empty() => ResumeProblem::None,
        Some(TillNotice::ParkedNotFound | TillNotice::TooManyCodes) => ResumeProblem::NotFound,
        _ => ResumeProblem::None,
    }
}

fn amount(model: &Model<'_>, minor: i64) -> String {
    let currency = model.config.currency;
    money(Money::new(minor, currency), model.language)
}

pub(super) fn unit_price(model: &Model<'_>, item: &Item) -> String {
    let price = item.price_at(model.now.local().date).unwrap_or(0);
    let text = amount(model, price);
    if !item.unit.is_piece() {
        format!("{text}/{}", item.unit.label())
    } else {
        text
    }
}

fn product(model: &Model<'_>, item: &Item, sellable: bool) -> Product {
    let name = item.name_in(model.language.code());
    let price = item.price_at(model.now.local().date);
    Product {
        id: item.id.0.to_string().into(),
        name: name.into(),
        price: price
            .map(|minor| amount(model, minor))
            .unwrap_or_default()
            .into(),
        unit: if item.sold_by_weight() {
            format!("/ {}", item.unit.label()).into()
        } else {
            SharedString::default()
        },
        badge: item
            .min_age
            .map(|age| format!("{age}+"))
            .unwrap_or_default()
            .into(),
        offer: SharedString::default(),
        initial: initial(name),
        picture: picture(item.picture.as_deref()),
        available: sellable && price.is_some(),
    }
}

fn item_line(model: &Model<'_>, view: &LineView) -> BasketLine {
    let line = &view.line;
    let priced = view.priced.as_ref();
    let weighed = line.item.sold_by_weight();
    let fixed = weighed || line.price_override_minor.is_some();
    let detail = match priced {
        Some(priced) if weighed => format!(
            "{} {} × {}",
            quantity(line.quantity, model.language),
            line.item.unit.label(),
            amount(model, priced.unit_price_minor)
        ),
        Some(priced) => amount(model, priced.unit_price_minor),
        None => String::new(),
    };
    let gross = priced.map(|priced| amount(model, priced.gross_minor));
    BasketLine {
        id: line.id.0.to_string().into(),
        kind: if fixed {
            LineKind::Fixed
        } else {
            LineKind::Item
        },
        name: line.item.name_in(model.language.code()).into(),
        detail: detail.into(),
        quantity: quantity(line.quantity, model.language).into(),
        amount: gross.unwrap_or_default().into(),
        age_pending: line.item.min_age.is_some_and(|age| {
            let visit = model.state.visit.as_ref();
            let confirmed = visit.and_then(|visit| visit.age_confirmed);
            confirmed.is_none_or(|confirmed| confirmed < age)
        }),
    }
}

fn deposit_line(model: &Model<'_>, view: &LineView) -> Option<BasketLine> {
    let priced = view.priced.as_ref()?;
    let deposit = view.line.item.deposit.as_ref()?;
    (priced.deposit_minor != 0).then(|| BasketLine {
        id: format!("x{}", view.line.id.0).into(),
        kind: LineKind::Extra,
        name: deposit.name.as_str().into(),
        amount: amount(model, priced.deposit_minor).into(),
        ..BasketLine::default()
    })
}

/// Whether a notice belongs on the screen: a code that was not read is said
/// where items are scanned; beside the amount to pay it would read as trouble
/// with the money.
fn concerns(screen: &TillScreen, notice: &TillNotice) -> bool {
    let about_an_item =
        matches!(notice, TillNotice::Scan(refusal) if *refusal != ScanRefusal::NotHere);
    !(about_an_item && matches!(screen, TillScreen::Pay(_)))
}

/// Which notice of the screens a notice of the till is.
fn describe(model: &Model<'_>, notice: &TillNotice) -> (NoticeKind, Tone, String) {
    let none = String::new();
    let say = |tone, vi: &str, en: &str| {
        let words = text::pick(model.language, vi, en).to_owned();
        (NoticeKind::Message, tone, words)
    };
    match notice {
        TillNotice::Scan(ScanRefusal::Code(ScanFault::WrongCheckDigit { .. })) => {
            (NoticeKind::WrongCheckDigit, Tone::Alarm, none)
        }
        TillNotice::Scan(ScanRefusal::Code(_)) => (NoticeKind::UnreadableCode, Tone::Alarm, none),
        TillNotice::Scan(ScanRefusal::UnknownItem) => say(
            Tone::Alarm,
            "Máy chưa biết mã này. Xin gọi nhân viên.",
            "This code is not known here. Please call staff.",
        ),
        TillNotice::Scan(ScanRefusal::NotHere) => (NoticeKind::WaitPayment, Tone::Wait, none),
        TillNotice::Scan(ScanRefusal::CatalogueDown) => say(
            Tone::Alarm,
            "Chưa tra được giá. Xin quét lại hoặc gọi nhân viên.",
            "The price could not be looked up. Scan again or call staff.",
        ),
        TillNotice::Scan(ScanRefusal::TooFast) => say(
            Tone::Wait,
            "Xin quét chậm lại một chút.",
            "A little slower, please.",
        ),
        TillNotice::Scan(ScanRefusal::Expired | ScanRefusal::NoPrice) => say(
            Tone::Alarm,
            "Món này hôm nay chưa bán được. Xin gọi nhân viên.",
            "This cannot be sold today. Please call staff.",
        ),
        TillNotice::Scan(ScanRefusal::Basket(_)) => say(
            Tone::Wait,
            "Giỏ hàng không nhận thêm món này.",
            "The basket takes no more of this.",
        ),
        TillNotice::Basket(_) => say(
            Tone::Wait,
            "Giỏ hàng không nhận thêm món này.",
            "The basket takes no more of this.",
        ),
        TillNotice::NoPrice { item } => (NoticeKind::NotForSale, Tone::Alarm, item.clone()),
        TillNotice::Expired { item } => match model.language {
            crate::format::Language::Vietnamese => (
                NoticeKind::Message,
                Tone::Alarm,
                format!("{item} đã hết hạn, xin đổi món khác."),
            ),
            crate::format::Language::English => (
                NoticeKind::Message,
                Tone::Alarm,
                format!("{item} is past its date; please take another."),
            ),
        },
        TillNotice::Pricing(_) | TillNotice::StaffNeeded => say(
            Tone::Alarm,
            "Cần nhân viên giúp bước này.",
            "A member of staff has to help here.",
        ),
        TillNotice::EmptyBasket => say(
            Tone::Quiet,
            "Giỏ hàng chưa có gì.",
            "The basket is still empty.",
        ),
        TillNotice::CouponTaken { code } => (NoticeKind::CouponAdded, Tone::Good, code.clone()),
        TillNotice::CouponUnknown | TillNotice::CouponNotNow => say(
            Tone::Wait,
            "Phiếu giảm giá này không dùng được lúc này.",
            "This coupon cannot be used now.",
        ),
        TillNotice::MoneyTaken => (NoticeKind::WaitPayment, Tone::Wait, none),
        TillNotice::Restarted => say(
            Tone::Good,
            "Máy vừa khởi động lại. Giỏ hàng của bạn vẫn còn đây.",
            "The kiosk restarted. Your basket is still here.",
        ),
        other => super::pay::describe(model, other),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use checkout::Currency;
    use checkout::till::PayView;

    #[test]
    fn a_bad_scan_is_said_at_the_shelf_and_not_beside_the_money() {
        // Proves that an unread code leaves no alarm on the pay screen, while what concerns paying still shows there.
        let due = Money::new(1_000, Currency::VND);
        let pay = TillScreen::Pay(Box::new(PayView {
            due,
            cash_due: due,
            part: None,
            options: Vec::new(),
            tenders: Vec::new(),
            printer_down: false,
        }));
        let unknown = TillNotice::Scan(ScanRefusal::UnknownItem);
        let not_here = TillNotice::Scan(ScanRefusal::NotHere);
        assert!(concerns(&TillScreen::Shop, &unknown));
        assert!(!concerns(&pay, &unknown));
        assert!(concerns(&pay, &not_here));
        assert!(concerns(&pay, &TillNotice::CouponUnknown));
    }
}
