//! Filling the basket: scans, the catalogue's answers, weights, quantities, coupons.

use super::{
    AddedBy, Effect, Front, Lang, LookUpResult, Notice, PendingLookUp, Scan, ScanRefusal, StaffId,
    Stage, Ticket, Till, What,
};
use crate::barcode::{self, Code, EmbeddedField, Gs1};
use crate::basket::{LineId, NewLine};
use crate::clock::LocalDate;
use crate::item::Item;
use crate::money::Currency;
use crate::pricing::{CouponCheck, price};
use crate::unit::{Quantity, Unit};

/// Most questions to the catalogue open at once.
const LOOK_UPS_MAX: usize = 8;
/// Most items offered for one code.
const CHOICES_MAX: usize = 12;

impl Till {
    pub(super) fn set_language(&mut self, lang: Lang) {
        if !self.config.languages.contains(&lang) {
            return;
        }
        match &mut self.state.visit {
            Some(visit) if visit.lang == lang => {}
            Some(visit) => {
                visit.lang = lang.clone();
                self.record(What::LanguageChanged { lang });
            }
            None => self.attract_lang = Some(lang),
        }
    }

    /// A scan starts a visit on the attract screen (and on the screens that end one).
    pub(super) fn on_scan(&mut self, scan: &Scan) {
        if matches!(self.front, Front::Thanks | Front::Parked { .. }) {
            self.skip();
        }
        match self.front {
            Front::Attract => {
                self.start_visit();
                self.take_scan(scan);
            }
            Front::Shop if !self.help.open => self.take_scan(scan),
            Front::Pay | Front::Underpaid(_) if self.is_voucher(&scan.text) => {
                self.redeem_voucher(&scan.text);
            }
            Front::Pay if self.is_coupon(&scan.text) => self.enter_coupon(&scan.text),
            _ => self.refuse_scan(ScanRefusal::NotHere),
        }
    }

    fn is_coupon(&self, text: &str) -> bool {
        self.config.rules.coupon(text, self.now.local()) != CouponCheck::Unknown
    }

    fn refuse_scan(&mut self, reason: ScanRefusal) {
        let place = self.place();
        if let Some(visit) = &mut self.state.visit {
            visit.counts.scans_refused = visit.counts.scans_refused.saturating_add(1);
        }
        self.record(What::ScanRefused {
            reason: reason.clone(),
            place,
        });
        self.tell(Notice::Scan(reason));
    }

    fn take_scan(&mut self, scan: &Scan) {
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        visit.counts.scans = visit.counts.scans.saturating_add(1);
        let visit = visit.id.clone();
        if self.is_coupon(&scan.text) {
            return self.enter_coupon(&scan.text);
        }
        let year = self.now.local().date.year;
        let code = match barcode::parse(&scan.text, &self.config.barcode, year) {
            Ok(code) => Box::new(code),
            Err(fault) => return self.refuse_scan(ScanRefusal::Code(fault)),
        };
        if self.look_ups.len() >= LOOK_UPS_MAX {
            return self.refuse_scan(ScanRefusal::TooFast);
        }
        self.state.counters.ticket += 1;
        let ticket = Ticket(self.state.counters.ticket);
        let deadline_mono_ms = self
            .now
            .mono_ms
            .saturating_add(self.config.limits.look_up_ms);
        let pending = PendingLookUp {
            ticket,
            visit,
            code: code.clone(),
            deadline_mono_ms,
        };
        self.look_ups.push_back(pending);
        self.notice = None;
        self.out.push(Effect::LookUp { ticket, code });
    }

    pub(super) fn on_looked_up(&mut self, ticket: Ticket, found: LookUpResult) {
        let Some(index) = self
            .look_ups
            .iter()
            .position(|pending| pending.ticket == ticket)
        else {
            return;
        };
        let Some(pending) = self.look_ups.remove(index) else {
            return;
        };
        let visit = self.state.visit.as_ref();
        if visit.is_none_or(|visit| visit.id != pending.visit || visit.stage != Stage::Shop) {
            return;
        }
        self.input();
        match found {
            LookUpResult::None => self.refuse_scan(ScanRefusal::UnknownItem),
            LookUpResult::Failed => self.refuse_scan(ScanRefusal::CatalogueDown),
            LookUpResult::One(item) => self.add_scanned(*item, &pending.code),
            LookUpResult::Many(mut items) => match items.len() {
                0 => self.refuse_scan(ScanRefusal::UnknownItem),
                1 => self.add_scanned(items.remove(0), &pending.code),
                _ if self.front != Front::Shop => self.refuse_scan(ScanRefusal::TooFast),
                _ => {
                    items.truncate(CHOICES_MAX);
                    self.enter(Front::Choose(items, Some(pending.code)));
                }
            },
        }
        self.go_on_to_pay();
    }

    /// The catalogue has not answered: say so rather than add late.
    pub(super) fn look_up_timed_out(&mut self) {
        let now = self.now.mono_ms;
        while let Some(pending) = self.look_ups.front().filter(|p| p.deadline_mono_ms <= now) {
            let same = self
                .state
                .visit
                .as_ref()
                .is_some_and(|visit| visit.id == pending.visit);
            self.look_ups.pop_front();
            if same {
                self.refuse_scan(ScanRefusal::CatalogueDown);
            }
        }
        self.go_on_to_pay();
    }

    /// The pay button was pressed while the catalogue was still being asked.
    fn go_on_to_pay(&mut self) {
        if self.pay_wanted && self.look_ups.is_empty() {
            self.pay_wanted = false;
            self.pay();
        }
    }

    /// From the grid, from search, or one of several for a code.
    pub(super) fn on_chosen(&mut self, item: Item) {
        match std::mem::replace(&mut self.front, Front::Shop) {
            Front::Choose(items, Some(code)) if items.iter().any(|i| i.id == item.id) => {
                self.enter(Front::Shop);
                self.add_scanned(item, &code);
            }
            Front::Shop | Front::Choose(..) | Front::Weigh => {
                self.enter(Front::Shop);
                self.add_chosen(item);
            }
            Front::Attract => {
                self.front = Front::Attract;
                self.start_visit();
                self.add_chosen(item);
            }
            other => self.front = other,
        }
    }

    fn add_chosen(&mut self, item: Item) {
        if item.unit.is_piece() {
            return self.add(NewLine::of(item, Quantity::ONE), AddedBy::Screen, None);
        }
        self.ask_weight(NewLine::of(item, Quantity::default()), AddedBy::Screen);
    }

    fn add_scanned(&mut self, item: Item, code: &Code) {
        let today = self.now.local().date;
        if let Some(date) = code.gs1.as_ref().and_then(|gs1| gs1.expiry) {
            let expiry = LocalDate {
                year: date.year,
                month: date.month,
                day: date.day,
            };
            if expiry < today {
                self.refuse_scan(ScanRefusal::Expired);
                return self.tell(Notice::Expired { item: item.name });
            }
        }
        let new = line_for(item, code, self.config.rules.currency, today);
        if new.quantity.milli == 0 {
            if self.front != Front::Shop {
                return self.refuse_scan(ScanRefusal::TooFast);
            }
            return self.ask_weight(new, AddedBy::Scan);
        }
        self.add(new, AddedBy::Scan, None);
    }

    /// Into the basket, unless the basket could then not be priced. `typed_by` typed the quantity.
    pub(super) fn add(&mut self, new: NewLine, by: AddedBy, typed_by: Option<StaffId>) {
        if self.refuse_change() {
            return;
        }
        let (item, code, quantity) = (new.item.id, new.item.code.clone(), new.quantity);
        let name = new.item.name.clone();
        let today = self.now.local().date;
        if new.price_override_minor.is_none() && new.item.price_at(today).is_none() {
            self.refuse_scan(ScanRefusal::NoPrice);
            return self.tell(Notice::NoPrice { item: name });
        }
        let at = self.now.local();
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        let mut basket = visit.basket.clone();
        let line = match basket.add_line(new) {
            Ok(line) => line,
            Err(error) => {
                self.refuse_scan(ScanRefusal::Basket(error.clone()));
                return self.tell(Notice::Basket(error));
            }
        };
        match price(&basket, &self.config.rules, at) {
            Ok(priced) => {
                visit.basket = basket;
                self.priced = Some(Ok(priced));
                self.notice = None;
                self.record(What::ItemAdded {
                    line,
                    item,
                    code,
                    quantity,
                    by,
                    typed_by,
                });
            }
            Err(error) => self.tell(Notice::Pricing(error)),
        }
    }

    /// Prices the basket again: after it changed, or because time passed.
    pub(super) fn reprice(&mut self) {
        let now = self.now.local();
        self.priced = self.state.visit.as_ref().map(|visit| {
            price(
                &visit.basket,
                &self.config.rules,
                visit.priced_at.unwrap_or(now),
            )
        });
    }

    /// Whether the basket may still change: nothing is being paid for it.
    pub(super) fn basket_is_open(&self) -> bool {
        self.state.visit.as_ref().is_some_and(|visit| {
            visit.stage != Stage::Paid && visit.tenders.is_empty() && visit.active.is_none()
        })
    }

    pub(super) fn refuse_change(&mut self) -> bool {
        let open = self.basket_is_open();
        if !open && self.state.visit.is_some() && !matches!(self.front, Front::Paid | Front::Tap) {
            self.tell(Notice::MoneyTaken);
        }
        !open
    }

    pub(super) fn set_quantity(&mut self, line: LineId, quantity: Quantity) {
        if quantity.milli == 0 {
            return self.remove_line(line, None);
        }
        if self.refuse_change() {
            return;
        }
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        let before = visit
            .basket
            .line(line)
            .map(|found| (found.item.id, found.quantity));
        if let Err(error) = visit.basket.set_quantity(line, quantity) {
            return self.tell(Notice::Basket(error));
        }
        self.reprice();
        if let Some((item, from)) = before.filter(|(_, from)| *from != quantity) {
            self.record(What::QuantityChanged {
                line,
                item,
                from,
                to: quantity,
            });
        }
    }

    pub(super) fn remove_line(&mut self, line: LineId, by_staff: Option<StaffId>) {
        if self.refuse_change() {
            return;
        }
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        match visit.basket.remove(line) {
            Ok(removed) => {
                visit.counts.lines_removed = visit.counts.lines_removed.saturating_add(1);
                self.reprice();
                let (item, quantity) = (removed.item.id, removed.quantity);
                self.record(What::ItemRemoved {
                    line,
                    item,
                    quantity,
                    by_staff,
                });
                self.after_removal();
            }
            Err(error) => self.tell(Notice::Basket(error)),
        }
    }

    /// Nothing left to pay for, or nobody's age left to look at.
    fn after_removal(&mut self) {
        let empty = self
            .state
            .visit
            .as_ref()
            .is_some_and(|visit| visit.basket.is_empty());
        match self.front {
            Front::Age if self.age_to_check().is_none() => self.enter(Front::Shop),
            Front::Pay if empty => self.leave_pay(),
            Front::Pay => self.pay_if_nothing_is_due(),
            _ => {}
        }
    }

    pub(super) fn enter_coupon(&mut self, text: &str) {
        if !matches!(self.front, Front::Shop | Front::Pay) || self.refuse_change() {
            return;
        }
        let known = self.config.rules.coupon(text, self.now.local());
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        match known {
            CouponCheck::Unknown => self.tell(Notice::CouponUnknown),
            CouponCheck::NotNow => self.tell(Notice::CouponNotNow),
            CouponCheck::Valid => match visit.basket.add_coupon(text) {
                Ok(code) => {
                    self.reprice();
                    self.record(What::CouponAdded { code: code.clone() });
                    self.tell(Notice::CouponTaken { code });
                    self.pay_if_nothing_is_due();
                }
                Err(error) => self.tell(Notice::Basket(error)),
            },
        }
    }

    pub(super) fn remove_coupon(&mut self, text: &str) {
        if self.refuse_change() {
            return;
        }
        let Some(visit) = &mut self.state.visit else {
            return;
        };
        if visit.basket.remove_coupon(text) {
            self.reprice();
            self.record(What::CouponRemoved {
                code: text.trim().to_ascii_uppercase(),
            });
        }
    }
}

/// The line a code stands for; quantity 0 when it still has to be weighed.
fn line_for(item: Item, code: &Code, currency: Currency, today: LocalDate) -> NewLine {
    let piece = item.unit.is_piece();
    let default = if piece {
        Quantity::ONE
    } else {
        Quantity::default()
    };
    let mut new = NewLine::of(item, default);
    match code.embedded.as_ref().map(|embedded| embedded.field) {
        Some(EmbeddedField::PriceMinor(price)) => set_price(&mut new, price, today),
        Some(EmbeddedField::WeightMilli(milli)) if !piece => new.quantity = Quantity::milli(milli),
        Some(EmbeddedField::Pieces(pieces)) if piece && pieces > 0 => {
            new.quantity = Quantity::milli(pieces.saturating_mul(1000));
        }
        _ => {}
    }
    if let Some(gs1) = &code.gs1 {
        apply_gs1(&mut new, gs1, currency, today);
    }
    new
}

fn apply_gs1(new: &mut NewLine, gs1: &Gs1, currency: Currency, today: LocalDate) {
    new.lot = gs1.lot.clone();
    new.serial = gs1.serial.clone();
    new.expiry = gs1
        .expiry
        .map(|d| format!("{:04}-{:02}-{:02}", d.year, d.month, d.day));
    match &new.item.unit {
        Unit::Piece { .. } => {
            if let Some(count) = gs1.count.filter(|&count| count > 0 && gs1.serial.is_none()) {
                new.quantity = Quantity::milli(count.saturating_mul(1000));
            }
        }
        unit => {
            let weight = match unit.label().to_ascii_lowercase().as_str() {
                "kg" => gs1.net_weight_kg,
                "lb" | "lbs" => gs1.net_weight_lb,
                _ => None,
            };
            if let Some(milli) = weight.and_then(|w| w.rescale(3)) {
                new.quantity = Quantity::milli(milli);
            }
        }
    }
    let named = gs1
        .amount_with_currency
        .filter(|(code, _)| Some(*code) == numeric_code(currency));
    if let Some(amount) = gs1.amount.or(named.map(|(_, amount)| amount))
        && let Some(price) = amount.rescale(currency.exponent())
    {
        set_price(new, price, today);
    }
}

/// A label with its own price: the quantity follows from the list price where it is not stated.
fn set_price(new: &mut NewLine, price_minor: i64, today: LocalDate) {
    new.price_override_minor = Some(price_minor);
    if new.quantity.milli == 0 {
        let unit_price = new
            .item
            .price_at(today)
            .filter(|&unit_price| unit_price > 0);
        let milli = unit_price.and_then(|unit_price| {
            let exact = i128::from(price_minor) * 1000 / i128::from(unit_price);
            i64::try_from(exact).ok()
        });
        new.quantity = Quantity::milli(milli.unwrap_or(1000).max(1));
    }
}

/// ISO 4217 numeric codes of the currencies labels carry here.
fn numeric_code(currency: Currency) -> Option<u16> {
    Some(match currency.code() {
        "VND" => 704,
        "EUR" => 978,
        "USD" => 840,
        "JPY" => 392,
        "CHF" => 756,
        "INR" => 356,
        "KWD" => 414,
        "GBP" => 826,
        "THB" => 764,
        "SGD" => 702,
        "IDR" => 360,
        "BRL" => 986,
        _ => return None,
    })
}
