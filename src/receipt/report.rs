//! X and Z reports: what the counter took, on paper.
//!
//! An X report reads the counters and leaves them alone. A Z report closes a business day; Z
//! reports of one counter are numbered without gaps from 1.

use super::sale::{local_time, seller_head};
use super::{Seller, terminal_day};
use crate::format::{Language, amount, tax_rate};
use crate::store::TerminalClose;
use crate::view::text::{self, pick};
use checkout::till::{OrderKind, Sale, Tender, TenderKind};
use checkout::{Currency, LocalDate, TaxTotal, TaxTreatment};
use hardware::printer::document::{Align, Cell, Document, Size, Style};
use serde::{Deserialize, Serialize};

/// Which report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// Reads, as often as wanted.
    X,
    /// Closes the day.
    Z {
        /// Contiguous from 1.
        number: u64,
    },
}

/// What one way to pay brought, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenderTotal {
    /// The way.
    pub kind: TenderKind,
    /// Payments.
    pub count: u32,
    /// Received less change.
    pub amount_minor: i64,
    /// Change given back.
    pub change_minor: i64,
}

/// Everything taken in one currency, in its minor units.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrencyTotals {
    /// Which.
    pub currency: Currency,
    /// Completed sales.
    pub sales: u32,
    /// Goods before discounts, with deposits.
    pub goods_minor: i64,
    /// Discounts given, positive.
    pub discount_minor: i64,
    /// Due for all sales, VAT included, before cash rounding.
    pub total_minor: i64,
    /// What cash rounding added or took off.
    pub rounding_minor: i64,
    /// By way to pay, in the order of the kinds.
    pub tenders: Vec<TenderTotal>,
    /// Of the transfers among them, those on a person's word: how many.
    #[serde(default)]
    pub unconfirmed: u32,
    /// And how much.
    #[serde(default)]
    pub unconfirmed_minor: i64,
    /// By VAT rate, lowest first; what has no rate comes last.
    pub taxes: Vec<TaxTotal>,
    /// Given back to cards, by the way it went.
    #[serde(default)]
    pub given_back: Vec<GivenBack>,
}

/// Money given back to cards one way, in minor units.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenBack {
    /// Taken back by the terminal, or refunded to a card.
    pub kind: OrderKind,
    /// How often.
    pub count: u32,
    /// How much, positive.
    pub amount_minor: i64,
}

impl CurrencyTotals {
    fn new(currency: Currency) -> Self {
        Self {
            currency,
            sales: 0,
            goods_minor: 0,
            discount_minor: 0,
            total_minor: 0,
            rounding_minor: 0,
            tenders: Vec::new(),
            unconfirmed: 0,
            unconfirmed_minor: 0,
            taxes: Vec::new(),
            given_back: Vec::new(),
        }
    }

    fn add(&mut self, sale: &Sale) {
        self.sales = self.sales.saturating_add(1);
        let goods = sale.subtotal_minor.saturating_add(sale.deposit_minor);
        grow(&mut self.goods_minor, goods);
        grow(&mut self.discount_minor, sale.discount_minor);
        grow(&mut self.total_minor, sale.total_minor);
        grow(&mut self.rounding_minor, sale.rounding_minor);
        for tender in &sale.tenders {
            self.add_tender(tender);
        }
        for tax in &sale.taxes {
            self.add_tax(tax);
        }
    }

    fn add_tender(&mut self, tender: &Tender) {
        let at = self
            .tenders
            .binary_search_by_key(&tender.kind, |total| total.kind);
        let index = at.unwrap_or_else(|index| {
            let total = TenderTotal {
                kind: tender.kind,
                count: 0,
                amount_minor: 0,
                change_minor: 0,
            };
            self.tenders.insert(index, total);
            index
        });
        if tender.unconfirmed {
            self.unconfirmed = self.unconfirmed.saturating_add(1);
            grow(&mut self.unconfirmed_minor, tender.amount_minor);
        }
        let total = &mut self.tenders[index];
        total.count = total.count.saturating_add(1);
        grow(&mut total.amount_minor, tender.amount_minor);
        grow(&mut total.change_minor, tender.change_minor);
    }

    fn add_tax(&mut self, tax: &TaxTotal) {
        let at = self.taxes.binary_search_by_key(&in_order(tax), in_order);
        match at {
            Ok(index) => {
                let total = &mut self.taxes[index];
                grow(&mut total.base_minor, tax.base_minor);
                grow(&mut total.tax_minor, tax.tax_minor);
                grow(&mut total.gross_minor, tax.gross_minor);
            }
            Err(index) => self.taxes.insert(index, *tax),
        }
    }
}

/// Rates from the lowest on, then what has no rate.
fn in_order(tax: &TaxTotal) -> (TaxTreatment, u32) {
    (tax.treatment, tax.basis_points)
}

/// Amounts of one day stay far from the end of the range; a wrong clock must not panic here.
fn grow(sum: &mut i64, by: i64) {
    *sum = sum.saturating_add(by);
}

/// What a report says, free of words and paper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Which report.
    pub kind: Kind,
    /// The day it is about.
    pub business_date: LocalDate,
    /// When it was made, unix milliseconds UTC.
    pub made_wall_ms: i64,
    /// The shop's offset then, in minutes.
    pub utc_offset_min: i32,
    /// Lowest and highest receipt number of the day.
    pub receipts: Option<(u64, u64)>,
    /// By currency, in the order they first appeared.
    pub currencies: Vec<CurrencyTotals>,
    /// Lines that were taken off baskets again.
    pub voided_lines: u32,
    /// Baskets that were given up or cleared.
    pub voided_baskets: u32,
    /// Times the drawer was opened.
    pub drawer_opens: u32,
    /// Receipts printed again, marked BẢN SAO.
    pub copies: u32,
    /// Payments nobody has settled yet.
    pub payments_in_doubt: u32,
    /// Cash put into the drawer at the start of the day, in minor units of the first currency.
    pub float_minor: i64,
    /// What there is to say of a card terminal's day, beside its closes.
    #[serde(default)]
    pub terminal: TerminalPart,
    /// Closes of the card terminal's day since the last Z report, oldest first.
    #[serde(default)]
    pub terminal_closes: Vec<TerminalClose>,
    /// The last movement of card money that is in this report; the next report begins after it.
    #[serde(default)]
    pub last_movement_no: i64,
    /// The last close of the terminal's day that is in this report.
    #[serde(default)]
    pub last_terminal_day_no: i64,
}

/// Whether a card terminal's day is part of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TerminalPart {
    /// There is no card terminal.
    #[default]
    None,
    /// Its closes say it all; without one its day is still open.
    Closes,
    /// It was asked, and had not answered when the report was made.
    Waiting,
}

impl Summary {
    /// A report of no sales.
    pub fn new(kind: Kind, business_date: LocalDate, made_wall_ms: i64, offset_min: i32) -> Self {
        Self {
            kind,
            business_date,
            made_wall_ms,
            utc_offset_min: offset_min,
            receipts: None,
            currencies: Vec::new(),
            voided_lines: 0,
            voided_baskets: 0,
            drawer_opens: 0,
            copies: 0,
            payments_in_doubt: 0,
            float_minor: 0,
            terminal: TerminalPart::None,
            terminal_closes: Vec::new(),
            last_movement_no: 0,
            last_terminal_day_no: 0,
        }
    }

    /// Adds a completed sale. The order of sales does not matter, apart from the order of
    /// currencies.
    pub fn add(&mut self, sale: &Sale) {
        let number = sale.receipt_number;
        self.receipts = Some(match self.receipts {
            None => (number, number),
            Some((first, last)) => (first.min(number), last.max(number)),
        });
        self.totals_in(sale.currency).add(sale);
    }

    /// Adds what was given back to cards in one currency and one way.
    pub fn add_given_back(&mut self, currency: Currency, given_back: GivenBack) {
        self.totals_in(currency).given_back.push(given_back);
    }

    fn totals_in(&mut self, currency: Currency) -> &mut CurrencyTotals {
        let mut known = self.currencies.iter();
        let known = known.position(|totals| totals.currency == currency);
        let index = known.unwrap_or_else(|| {
            self.currencies.push(CurrencyTotals::new(currency));
            self.currencies.len() - 1
        });
        &mut self.currencies[index]
    }

    /// What should lie in the drawer: the float and the cash of the first currency.
    pub fn cash_expected_minor(&self) -> i64 {
        let first = self.currencies.first();
        let cash = first.and_then(|totals| {
            totals
                .tenders
                .iter()
                .find(|total| total.kind == TenderKind::Cash)
        });
        self.float_minor
            .saturating_add(cash.map_or(0, |total| total.amount_minor))
    }

    /// The report on paper.
    pub fn document(&self, seller: &Seller, language: Language) -> Document {
        let mut paper = Document::new();
        seller_head(&mut paper, seller, language);
        paper.rule();
        self.head(&mut paper, seller, language);
        for totals in &self.currencies {
            currency(&mut paper, totals, language);
        }
        if self.currencies.is_empty() {
            paper.text(pick(language, "Chưa có đơn nào.", "No sales yet."));
            paper.rule();
        }
        terminal_day::section(&mut paper, self, language);
        self.counts(&mut paper, language);
        self.foot(&mut paper, language);
        paper.cut();
        paper
    }

    fn head(&self, paper: &mut Document, seller: &Seller, language: Language) {
        let title = match self.kind {
            Kind::X => pick(language, "BÁO CÁO X", "X REPORT").to_owned(),
            Kind::Z { number } => {
                let words = pick(language, "BÁO CÁO Z SỐ", "Z REPORT NO.");
                format!("{words} {number}")
            }
        };
        let center = Style::PLAIN.center();
        paper.styled(title, center.bold().size(Size::Wide));
        let words = match self.kind {
            Kind::X => pick(
                language,
                "(đọc giữa ngày, không chốt sổ)",
                "(a reading; closes nothing)",
            ),
            Kind::Z { .. } => pick(language, "(chốt ngày)", "(closes the day)"),
        };
        paper.styled(words, center);
        let day = self.business_date;
        let day = format!("{:02}/{:02}/{}", day.day, day.month, day.year);
        paper.pair(pick(language, "Ngày bán", "Business day"), day);
        if let Some(time) = local_time(self.made_wall_ms, self.utc_offset_min) {
            paper.pair(pick(language, "In lúc", "Printed"), time);
        }
        if !seller.till.is_empty() {
            paper.pair(pick(language, "Quầy", "Till"), &seller.till);
        }
        if let Some((first, last)) = self.receipts {
            let label = pick(language, "Phiếu số", "Receipts");
            paper.pair(label, format!("{first} - {last}"));
        }
        paper.rule();
    }

    fn counts(&self, paper: &mut Document, language: Language) {
        let counts = [
            ("Dòng hàng đã bỏ", "Lines taken off", self.voided_lines),
            ("Giỏ hàng đã hủy", "Baskets given up", self.voided_baskets),
            ("Mở ngăn kéo tiền", "Drawer opened", self.drawer_opens),
            ("In lại (BẢN SAO)", "Printed again (COPY)", self.copies),
            (
                "Thanh toán chưa rõ",
                "Payments in doubt",
                self.payments_in_doubt,
            ),
        ];
        for (vietnamese, english, count) in counts {
            paper.pair(pick(language, vietnamese, english), count.to_string());
        }
    }

    fn foot(&self, paper: &mut Document, language: Language) {
        paper.rule();
        if let Some(first) = self.currencies.first() {
            let exponent = first.currency.exponent();
            let say = |minor| amount(minor, exponent, language);
            paper.pair(
                pick(language, "Tiền đầu ngày", "Float"),
                say(self.float_minor),
            );
            paper.styled_pair(
                pick(language, "Tiền mặt phải có", "Cash expected"),
                say(self.cash_expected_minor()),
                Style::PLAIN.bold(),
            );
            paper.pair(
                pick(language, "Tiền mặt đếm được", "Cash counted"),
                "................",
            );
        }
        paper.blank();
        paper.pair(pick(language, "Người lập", "Made by"), "................");
    }
}

fn currency(paper: &mut Document, totals: &CurrencyTotals, language: Language) {
    let exponent = totals.currency.exponent();
    let say = |minor| amount(minor, exponent, language);
    paper.pair(pick(language, "Số đơn", "Sales"), totals.sales.to_string());
    paper.pair(
        pick(language, "Tiền hàng", "Goods"),
        say(totals.goods_minor),
    );
    if totals.discount_minor != 0 {
        let label = pick(language, "Giảm giá", "Discounts");
        paper.pair(label, say(-totals.discount_minor));
    }
    let mut large = Style::PLAIN.bold().size(Size::Large);
    large.align = Align::Right;
    paper.styled(
        pick(language, "TỔNG DOANH THU", "TOTAL SALES"),
        Style::PLAIN.bold(),
    );
    let total = format!(
        "{}\u{a0}{}",
        say(totals.total_minor),
        totals.currency.code()
    );
    paper.styled(total, large);
    if totals.rounding_minor != 0 {
        paper.pair(
            pick(language, "Làm tròn tiền mặt", "Cash rounding"),
            say(totals.rounding_minor),
        );
    }
    paper.rule();
    for total in &totals.tenders {
        paper.columns(vec![
            Cell::fill(text::tender(language, total.kind)),
            Cell::number(total.count.to_string(), 5),
            Cell::number(say(total.amount_minor), 13),
        ]);
    }
    if totals.unconfirmed > 0 {
        paper.columns(vec![
            Cell::fill(pick(
                language,
                "  QR theo lời nhân viên",
                "  QR on staff's word",
            )),
            Cell::number(totals.unconfirmed.to_string(), 5),
            Cell::number(say(totals.unconfirmed_minor), 13),
        ]);
    }
    for back in &totals.given_back {
        paper.columns(vec![
            Cell::fill(given_back_words(back.kind, language)),
            Cell::number(back.count.to_string(), 5),
            Cell::number(say(-back.amount_minor), 13),
        ]);
    }
    paper.rule();
    let row = |rate: String, base: String, tax: String| {
        vec![
            Cell::fill(rate),
            Cell::number(base, 13),
            Cell::number(tax, 12),
        ]
    };
    paper.columns(row(
        pick(language, "GTGT", "VAT").into(),
        pick(language, "Chưa thuế", "Before tax").into(),
        pick(language, "Tiền thuế", "Tax").into(),
    ));
    for tax in &totals.taxes {
        let rate = tax_rate(tax.rate(), language);
        paper.columns(row(rate, say(tax.base_minor), say(tax.tax_minor)));
    }
    paper.rule();
}

fn given_back_words(kind: OrderKind, language: Language) -> &'static str {
    match kind {
        OrderKind::Reversal => pick(language, "Hủy giao dịch thẻ", "Card reversals"),
        _ => pick(language, "Hoàn tiền vào thẻ", "Card refunds"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::testing;

    fn seller() -> Seller {
        Seller::of(&testing::configuration())
    }

    fn day(kind: Kind) -> Summary {
        let date = testing::sale().business_date;
        let mut summary = Summary::new(kind, date, 1_795_228_860_000, 420);
        for number in [142, 140, 141] {
            let mut sale = testing::sale();
            sale.receipt_number = number;
            if number == 141 {
                sale.tenders[0].kind = TenderKind::Qr;
                sale.taxes[0].basis_points = 500;
            }
            summary.add(&sale);
        }
        summary
    }

    #[test]
    fn totals_by_tender_rate_and_currency_are_exact() {
        // Proves: three sales add up by tender, VAT rate and currency, in any order.
        let mut summary = day(Kind::X);
        let mut foreign = testing::sale();
        foreign.currency = Currency::from_code("USD").unwrap();
        foreign.receipt_number = 9;
        summary.add(&foreign);
        assert_eq!(summary.receipts, Some((9, 142)));
        assert_eq!(summary.currencies.len(), 2);
        let dong = &summary.currencies[0];
        assert_eq!((dong.sales, dong.total_minor), (3, 3 * 146_688));
        assert_eq!((dong.goods_minor, dong.discount_minor), (549_564, 109_500));
        let kinds: Vec<(TenderKind, u32, i64)> = dong
            .tenders
            .iter()
            .map(|total| (total.kind, total.count, total.amount_minor))
            .collect();
        assert_eq!(
            kinds,
            [(TenderKind::Qr, 1, 146_500), (TenderKind::Cash, 2, 293_000)]
        );
        let rates: Vec<(u32, i64)> = dong
            .taxes
            .iter()
            .map(|tax| (tax.basis_points, tax.tax_minor))
            .collect();
        assert_eq!(rates, [(500, 10_866), (800, 21_732)]);
        assert_eq!(summary.currencies[1].sales, 1);
    }

    #[test]
    fn a_z_report_carries_its_number_and_everything_that_was_counted() {
        // Proves: title, number, receipts, totals, counts and the cash to be counted are on
        // paper of every width and nothing is wider than it.
        let mut summary = day(Kind::Z { number: 17 });
        summary.voided_lines = 4;
        summary.voided_baskets = 2;
        summary.drawer_opens = 3;
        summary.copies = 1;
        summary.float_minor = 500_000;
        for columns in [32, 42, 48] {
            let paper = summary
                .document(&seller(), Language::Vietnamese)
                .to_text(columns);
            for part in [
                "BÁO CÁO Z SỐ 17",
                "140 - 142",
                "440.064 VND",
                "293.000",
                "21.732",
                "Dòng hàng đã bỏ",
                "Mở ngăn kéo tiền",
                "793.000",
            ] {
                assert!(paper.contains(part), "{part} is not on {columns}:\n{paper}");
            }
            assert!(paper.lines().all(|line| line.chars().count() <= columns));
        }
    }

    #[test]
    fn an_x_report_says_that_it_closes_nothing_also_before_the_first_sale() {
        // Proves: X cannot be taken for Z, has no number, and an empty day prints.
        let summary = Summary::new(Kind::X, testing::sale().business_date, 0, 420);
        let paper = summary.document(&seller(), Language::English).to_text(42);
        assert!(paper.contains("X REPORT") && paper.contains("closes nothing"));
        assert!(paper.contains("No sales yet.") && !paper.contains("NO."));
        let vietnamese = summary
            .document(&seller(), Language::Vietnamese)
            .to_text(42);
        assert!(vietnamese.contains("không chốt sổ"));
    }
}
