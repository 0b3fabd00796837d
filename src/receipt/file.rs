//! The file `sale.json`: a sale written by hand or by another program, for `kiosk receipt render`.
//!
//! docs/reference/sale-json.md is its description. It is read strictly: an unknown key, a missing
//! one or sums that do not agree are errors that name the key and what to write. The kiosk's own
//! stored sales (with `completed_wall_ms`) are taken as they are.

mod reader;

use super::{Buyer, Invoice, Seller};
use crate::format::Language;
use checkout::till::{AttemptId, Lang, Sale, SaleLine, Tender, TenderKind, VisitId};
use checkout::{
    AppliedDiscount, Currency, ItemId, LineId, LocalDate, PromotionId, Quantity, TaxClassId,
    TaxMode, TaxRate, TaxTotal, Unit,
};
use chrono::{DateTime, Datelike, FixedOffset};
use reader::Object;
pub use reader::SaleFileError;
use std::collections::BTreeMap;

/// A sale as a file says it.
#[derive(Clone, Debug)]
pub struct SaleFile {
    /// The sale.
    pub sale: Sale,
    /// Who sells, when the file says so.
    pub seller: Option<Seller>,
    /// The e-invoice, when there is one.
    pub invoice: Option<Invoice>,
    /// Who buys, when the file says so.
    pub buyer: Option<Buyer>,
    /// Content of the QR code, when the file says so.
    pub code: Option<String>,
    /// Lines before the thanks.
    pub notes: Vec<String>,
}

/// Reads a sale.
///
/// # Errors
/// [`SaleFileError`], naming the key and the remedy.
pub fn read(text: &str) -> Result<SaleFile, SaleFileError> {
    let value = reader::json(text)?;
    if value.get("completed_wall_ms").is_some() {
        return Ok(SaleFile {
            sale: serde_json::from_value(value).map_err(|error| SaleFileError::Stored {
                message: error.to_string(),
            })?,
            seller: None,
            invoice: None,
            buyer: None,
            code: None,
            notes: Vec::new(),
        });
    }
    let file = Object::top(&value)?;
    if file.integer("format")? != 1 {
        return Err(file.wrong(
            "format",
            "is not 1",
            "Write 1; newer forms need a newer kiosk",
        ));
    }
    let read = SaleFile {
        seller: file.object("shop")?.map(seller).transpose()?,
        invoice: file.object("invoice")?.map(invoice).transpose()?,
        buyer: file.object("buyer")?.map(buyer).transpose()?,
        code: file.optional_text("qr")?,
        notes: file.texts("notes")?,
        sale: sale(&file)?,
    };
    file.finish()?;
    Ok(read)
}

fn seller(shop: Object<'_>) -> Result<Seller, SaleFileError> {
    let name = shop.text("name")?;
    let seller = Seller {
        legal_name: shop
            .optional_text("seller")?
            .unwrap_or_else(|| name.clone()),
        name,
        address: shop.texts("address")?,
        tax_code: shop.optional_text("tax_code")?.unwrap_or_default(),
        phone: shop.optional_text("phone")?.unwrap_or_default(),
        till: shop.optional_text("till")?.unwrap_or_default(),
    };
    shop.finish()?;
    Ok(seller)
}

fn invoice(object: Object<'_>) -> Result<Invoice, SaleFileError> {
    let invoice = Invoice {
        symbol: object.text("symbol")?,
        number: object.text("number")?,
        authority_code: object.optional_text("authority_code")?.unwrap_or_default(),
        lookup_code: object.optional_text("lookup_code")?.unwrap_or_default(),
        lookup_url: object.text("lookup_url")?,
    };
    object.finish()?;
    Ok(invoice)
}

fn buyer(object: Object<'_>) -> Result<Buyer, SaleFileError> {
    let buyer = Buyer {
        name: object.text("name")?,
        address: object.optional_text("address")?.unwrap_or_default(),
        tax_code: object.optional_text("tax_code")?.unwrap_or_default(),
    };
    object.finish()?;
    Ok(buyer)
}

fn sale(file: &Object<'_>) -> Result<Sale, SaleFileError> {
    let number = u64::try_from(file.integer("number")?)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| file.wrong("number", "is not a receipt number", "Write 1 or more"))?;
    let time = time(file)?;
    let business_date = match file.optional_text("business_date")? {
        Some(text) => text
            .parse()
            .map_err(|_| file.wrong("business_date", "is not a day", "Write it as 2026-11-22"))?,
        None => date_of(&time),
    };
    let language = file.optional_text("language")?;
    let language = language.unwrap_or_else(|| "vi".into());
    if Language::from_code(&language).is_none() {
        return Err(file.wrong("language", "is not spoken here", "Write vi or en"));
    }
    let tax_mode = match file.optional_text("prices")?.as_deref() {
        None | Some("included") => TaxMode::Included,
        Some("added") => TaxMode::Added,
        Some(_) => {
            return Err(file.wrong("prices", "is not known", "Write included or added"));
        }
    };
    let mut sale = Sale {
        receipt_number: number,
        visit: VisitId(String::new()),
        business_date,
        completed_wall_ms: time.timestamp_millis(),
        utc_offset_min: time.offset().local_minus_utc() / 60,
        lang: Lang(language),
        currency: currency(file)?,
        tax_mode,
        lines: lines(file)?,
        discounts: discounts(file)?,
        taxes: taxes(file)?,
        coupons: Vec::new(),
        subtotal_minor: 0,
        discount_minor: 0,
        deposit_minor: 0,
        tax_minor: 0,
        total_minor: file.amount("total")?,
        rounding_minor: file.optional_amount("rounding")?,
        change_minor: 0,
        tenders: payments(file)?,
        item_count: 0,
        age_confirmed: None,
    };
    add_up(file, &mut sale)?;
    Ok(sale)
}

fn time(file: &Object<'_>) -> Result<DateTime<FixedOffset>, SaleFileError> {
    let text = file.text("time")?;
    DateTime::parse_from_rfc3339(&text).map_err(|_| {
        file.wrong(
            "time",
            "is not a time",
            "Write it with its offset, as 2026-11-22T10:42:00+07:00",
        )
    })
}

fn date_of(time: &DateTime<FixedOffset>) -> LocalDate {
    let date = time.date_naive();
    let part = |value: u32| u8::try_from(value).unwrap_or(1);
    LocalDate {
        year: date.year(),
        month: part(date.month()),
        day: part(date.day()),
    }
}

fn currency(file: &Object<'_>) -> Result<Currency, SaleFileError> {
    let code = file.optional_text("currency")?;
    Currency::from_code(code.as_deref().unwrap_or("VND")).map_err(|_| {
        file.wrong(
            "currency",
            "is not a currency",
            "Write an ISO 4217 code such as VND",
        )
    })
}

fn lines(file: &Object<'_>) -> Result<Vec<SaleLine>, SaleFileError> {
    let objects = file.objects("lines")?;
    if objects.is_empty() {
        return Err(file.wrong("lines", "is empty", "Write at least one line"));
    }
    let mut lines = Vec::new();
    for (object, number) in objects.into_iter().zip(0_u32..) {
        lines.push(line(&object, number)?);
        object.finish()?;
    }
    Ok(lines)
}

fn line(object: &Object<'_>, number: u32) -> Result<SaleLine, SaleFileError> {
    let quantity = Quantity {
        milli: object.decimal("quantity", 3)?,
    };
    let unit_price_minor = object.amount("unit_price")?;
    let amount = object.amount("amount")?;
    // Half up, as the counter does it.
    let exact = i128::from(unit_price_minor) * i128::from(quantity.milli);
    let expected = (exact * 2 + 1000).div_euclid(2000);
    if i128::from(amount) != expected {
        return Err(object.wrong(
            "amount",
            &format!("is {amount}, but quantity x unit_price is {expected}"),
            "Correct one of the three",
        ));
    }
    let tax = object.tax_rate("vat_percent")?;
    Ok(SaleLine {
        line: LineId(number),
        item: ItemId(0),
        code: object.optional_text("code")?.unwrap_or_default(),
        name: object.text("name")?,
        name_shown: None,
        category: String::new(),
        unit: Unit::Piece {
            label: object.optional_text("unit")?.unwrap_or_default(),
        },
        quantity,
        unit_price_minor,
        gross_minor: amount,
        discount_minor: 0,
        net_minor: amount,
        tax_class: TaxClassId(0),
        tax_basis_points: tax.basis_points,
        tax_treatment: tax.treatment,
        deposit_minor: object.optional_amount("deposit")?,
        deposit_name: object.optional_text("deposit_name")?,
        lot: None,
        expiry: None,
        serial: None,
    })
}

fn discounts(file: &Object<'_>) -> Result<Vec<AppliedDiscount>, SaleFileError> {
    let mut discounts = Vec::new();
    for object in file.objects("discounts")? {
        let amount_minor = object.amount("amount")?;
        if amount_minor <= 0 {
            return Err(object.wrong("amount", "takes nothing off", "Write a positive amount"));
        }
        discounts.push(AppliedDiscount {
            promotion: PromotionId(0),
            name: object.text("name")?,
            names: BTreeMap::new(),
            coupon: None,
            amount_minor,
            lines: Vec::new(),
        });
        object.finish()?;
    }
    Ok(discounts)
}

fn taxes(file: &Object<'_>) -> Result<Vec<TaxTotal>, SaleFileError> {
    let mut taxes = Vec::new();
    for object in file.objects("vat")? {
        let (base_minor, tax_minor) = (object.amount("base")?, object.amount("tax")?);
        let tax = object.tax_rate("percent")?;
        if !tax.treatment.is_rated() && tax_minor != 0 {
            return Err(object.wrong("tax", "is VAT on goods that have none", "Write 0"));
        }
        taxes.push(TaxTotal {
            basis_points: tax.basis_points,
            treatment: tax.treatment,
            base_minor,
            tax_minor,
            gross_minor: base_minor.saturating_add(tax_minor),
        });
        object.finish()?;
    }
    Ok(taxes)
}

fn payments(file: &Object<'_>) -> Result<Vec<Tender>, SaleFileError> {
    let mut tenders = Vec::new();
    for object in file.objects("payments")? {
        let kind = match object.text("kind")?.as_str() {
            "cash" => TenderKind::Cash,
            "card" => TenderKind::Card,
            "qr" => TenderKind::Qr,
            _ => {
                return Err(object.wrong("kind", "is not known", "Write cash, card or qr"));
            }
        };
        let received_minor = object.amount("received")?;
        let change_minor = object.optional_amount("change")?;
        tenders.push(Tender {
            kind,
            attempt: AttemptId(0),
            amount_minor: received_minor.saturating_sub(change_minor),
            received_minor,
            change_minor,
            rounding_minor: 0,
            reference: object.optional_text("reference")?,
            approval_code: object.optional_text("approval_code")?,
            unconfirmed: false,
        });
        object.finish()?;
    }
    Ok(tenders)
}

/// Fills in the sums and refuses a file whose own sums do not agree with them.
fn add_up(file: &Object<'_>, sale: &mut Sale) -> Result<(), SaleFileError> {
    let sum = |amounts: &mut dyn Iterator<Item = i64>| amounts.map(i128::from).sum::<i128>();
    let goods = sum(&mut sale.lines.iter().map(|line| line.gross_minor));
    let deposits = sum(&mut sale.lines.iter().map(|line| line.deposit_minor));
    let off = sum(&mut sale.discounts.iter().map(|discount| discount.amount_minor));
    let tax = sum(&mut sale.taxes.iter().map(|tax| tax.tax_minor));
    let change = sum(&mut sale.tenders.iter().map(|tender| tender.change_minor));
    let on_top = if sale.tax_mode == TaxMode::Added {
        tax
    } else {
        0
    };
    let total = i128::from(sale.total_minor);
    let expected = goods + deposits - off + on_top;
    if total != expected {
        return Err(file.wrong(
            "total",
            &format!("is {total}, but lines, deposits, discounts and added VAT make {expected}"),
            "Correct the total or the parts",
        ));
    }
    let taxed = sum(&mut sale.taxes.iter().map(|tax| tax.gross_minor));
    if taxed != total {
        return Err(file.wrong(
            "vat",
            &format!("adds up to {taxed} with bases and taxes, the total is {total}"),
            "Give base and tax of every rate, also of 0 percent",
        ));
    }
    let rates: Vec<TaxRate> = sale.taxes.iter().map(|tax| tax.rate()).collect();
    let untaxed = sale
        .lines
        .iter()
        .position(|line| !rates.contains(&line.rate()));
    if let Some(line) = untaxed {
        return Err(file.wrong(
            &format!("lines[{line}].vat_percent"),
            "is not among the rates of vat",
            "Add the rate to vat or correct the line",
        ));
    }
    let paid = sum(&mut sale.tenders.iter().map(|tender| tender.amount_minor));
    let due = total + i128::from(sale.rounding_minor);
    if paid != due {
        return Err(file.wrong(
            "payments",
            &format!("come to {paid} after change, due are {due} (total and rounding)"),
            "Correct received, change or rounding",
        ));
    }
    let too_large = || file.wrong("total", "is too large", "Write amounts in minor units");
    let narrow = |value: i128| i64::try_from(value).map_err(|_| too_large());
    sale.subtotal_minor = narrow(goods)?;
    sale.deposit_minor = narrow(deposits)?;
    sale.discount_minor = narrow(off)?;
    sale.tax_minor = narrow(tax)?;
    sale.change_minor = narrow(change)?;
    let pieces = sale.lines.iter().map(|line| line.quantity.milli / 1000);
    sale.item_count = u32::try_from(pieces.sum::<i64>()).unwrap_or(u32::MAX);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const EXAMPLE: &str = include_str!("../../docs/examples/sale.json");

    #[test]
    fn the_example_reads_and_its_sums_are_filled_in() {
        // Proves: the documented example is valid and becomes a whole sale.
        let file = read(EXAMPLE).unwrap();
        let sale = &file.sale;
        assert!(file.seller.is_some() && sale.lines.len() >= 8);
        assert_eq!(
            sale.total_minor,
            sale.subtotal_minor - sale.discount_minor + sale.deposit_minor
        );
        assert_eq!(sale.utc_offset_min, 420);
    }

    #[test]
    fn a_stored_sale_is_taken_as_it_is() {
        // Proves: what the kiosk keeps in its database renders without being rewritten.
        let file = read(include_str!("../../tests/fixtures/sale.json")).unwrap();
        assert_eq!(file.sale, crate::testing::sale());
        let torn = r#"{"completed_wall_ms": 1}"#;
        assert!(read(torn).unwrap_err().to_string().contains("stored sale"));
    }

    #[test]
    fn each_mistake_names_the_key_and_the_remedy() {
        // Proves: a person can mend the file from the message alone.
        let check = |from: &str, to: &str, expected: &[&str]| {
            assert!(EXAMPLE.contains(from), "the example lacks {from}");
            let message = read(&EXAMPLE.replacen(from, to, 1))
                .unwrap_err()
                .to_string();
            for part in expected {
                assert!(message.contains(part), "{part:?} not in {message:?}");
            }
        };
        check("\"number\": ", "\"nummer\": ", &["number", "missing"]);
        check(
            "\"format\": 1,",
            "\"format\": 1, \"colour\": 1,",
            &["colour", "unknown"],
        );
        check(
            "\"quantity\": 2,",
            "\"quantity\": 2.0001,",
            &["lines[", "quantity", "3"],
        );
        check(
            "\"quantity\": 2,",
            "\"quantity\": 3,",
            &["lines[", "amount", "unit_price"],
        );
        check("+07:00", "", &["time", "2026-11-22T10:42:00+07:00"]);
        check("\"total\": ", "\"total\": 1", &["total", "make"]);
        check("\"base\": ", "\"base\": 1", &["vat", "adds up"]);
        check("\"received\": ", "\"received\": 1", &["payments", "due"]);
        check(
            "\"language\": \"vi\"",
            "\"language\": \"fr\"",
            &["language", "vi or en"],
        );
        check(
            "\"vat_percent\": 8",
            "\"vat_percent\": 7",
            &["lines[0].vat_percent"],
        );
        check(
            "\"kind\": \"cash\"",
            "\"kind\": \"gold\"",
            &["payments[0].kind", "cash, card or qr"],
        );
        check(
            "\"total\": ",
            "\"total\": 0.5, \"x\": ",
            &["total", "whole number"],
        );
        check("{", "", &["not JSON", "line 2"]);
    }
}
