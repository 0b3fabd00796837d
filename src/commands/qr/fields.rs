//! Fields of a code, from `NAME=VALUE` and from JSON.

use super::Scheme;
use anyhow::{Context, Result, bail};
use payqr::{PaymentCode, VietQr};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// Short names of fields that lie deeper.
const SHORT: [(&[Scheme], &str, &str); 14] = [
    (
        &[Scheme::Vietqr, Scheme::Vnpay, Scheme::Momo, Scheme::Zalopay],
        "amount",
        "amount_dong",
    ),
    (&[Scheme::Pix], "key", "target.key.key"),
    (&[Scheme::Pix], "info", "target.key.info"),
    (&[Scheme::Pix], "location", "target.location.location"),
    (&[Scheme::Pix], "recurrence", "target.location.recurrence"),
    (&[Scheme::Promptpay], "phone", "target.phone"),
    (&[Scheme::Promptpay], "national_id", "target.national_id"),
    (&[Scheme::Promptpay], "wallet", "target.wallet"),
    (&[Scheme::Paynow, Scheme::Sgqr], "mobile", "proxy.mobile"),
    (&[Scheme::Paynow, Scheme::Sgqr], "uen", "proxy.uen"),
    (WITH_MERCHANT, "name", "merchant.name"),
    (WITH_MERCHANT, "city", "merchant.city"),
    (WITH_MERCHANT, "postal_code", "merchant.postal_code"),
    (WITH_MERCHANT, "category", CATEGORY),
];
const CATEGORY: &str = "merchant.category";
/// The category that says nothing: EMVCo demands tag 52.
const NO_CATEGORY: &str = "0000";
const WITH_MERCHANT: &[Scheme] = &[
    Scheme::Vnpay,
    Scheme::Pix,
    Scheme::Paynow,
    Scheme::Sgqr,
    Scheme::Qris,
    Scheme::Duitnow,
];

/// Puts `NAME=VALUE` words into the object; a name of `--json` is replaced.
pub(super) fn put(scheme: Scheme, object: &mut Map<String, Value>, words: &[String]) -> Result<()> {
    let mut named: Vec<&str> = Vec::new();
    let object_is_new = object.is_empty();
    let mut root = Value::Object(std::mem::take(object));
    for word in words {
        let (name, text) = word
            .split_once('=')
            .with_context(|| format!("{word:?}: write NAME=VALUE"))?;
        let known = SHORT
            .iter()
            .find(|(schemes, short, _)| *short == name && schemes.contains(&scheme));
        let path = known.map_or(name, |(_, _, path)| path);
        if named.contains(&path) {
            bail!("{name} is given twice");
        }
        named.push(path);
        let value = value(path, text).with_context(|| format!("{name}={text}"))?;
        *place(&mut root, path)? = value;
    }
    if object_is_new && WITH_MERCHANT.contains(&scheme) && !named.contains(&CATEGORY) {
        *place(&mut root, CATEGORY)? = NO_CATEGORY.into();
    }
    if let Value::Object(filled) = root {
        *object = filled;
    }
    Ok(())
}

/// A text as the JSON type its field has.
fn value(path: &str, text: &str) -> Result<Value> {
    Ok(match path.rsplit('.').next().unwrap_or(path) {
        "amount_dong" => Value::from(
            text.parse::<u64>()
                .context("must be whole đồng, digits only")?,
        ),
        "amount_editable" | "combined" => {
            Value::from(text.parse::<bool>().context("must be true or false")?)
        }
        _ => Value::from(text),
    })
}

/// The place of a dotted name; groups and lists on the way are made.
fn place<'a>(root: &'a mut Value, path: &str) -> Result<&'a mut Value> {
    let mut at = root;
    for part in path.split('.') {
        if part.is_empty() {
            bail!("{path:?}: a name is empty");
        }
        let index = part.parse::<usize>().ok();
        if at.is_null() {
            *at = match index {
                Some(_) => Value::Array(Vec::new()),
                None => Value::Object(Map::new()),
            };
        }
        at = match (at, index) {
            (Value::Array(list), Some(index)) => {
                if index > list.len() {
                    bail!("{path}: number {} comes first", list.len());
                }
                if index == list.len() {
                    list.push(Value::Null);
                }
                &mut list[index]
            }
            (Value::Object(object), _) => object.entry(part).or_insert(Value::Null),
            _ => bail!("{path}: {part:?} goes into something that is no group"),
        };
    }
    Ok(at)
}

/// The code of a scheme.
pub(super) fn code(scheme: Scheme, object: Map<String, Value>) -> Result<PaymentCode> {
    Ok(match scheme {
        Scheme::Vietqr => PaymentCode::VietQr(typed(object)?),
        Scheme::Momo | Scheme::Zalopay => PaymentCode::VietQr(wallet(scheme, object)?),
        Scheme::Vnpay => PaymentCode::Vnpay(typed(object)?),
        Scheme::Pix => PaymentCode::Pix(typed(object)?),
        Scheme::Promptpay => PaymentCode::PromptPay(typed(object)?),
        Scheme::ThaiBill => PaymentCode::ThaiBill(typed(object)?),
        Scheme::Paynow | Scheme::Sgqr => PaymentCode::PayNow(typed(object)?),
        Scheme::Qris => PaymentCode::Qris(typed(object)?),
        Scheme::Duitnow => PaymentCode::DuitNow(typed(object)?),
        Scheme::Epc => PaymentCode::Epc(typed(object)?),
        Scheme::Swiss => PaymentCode::SwissBill(typed(object)?),
        Scheme::Upi => PaymentCode::Upi(typed(object)?),
        Scheme::Emv => PaymentCode::Emv(typed(object)?),
    })
}

fn typed<T: DeserializeOwned>(object: Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(object)).context("fields")
}

/// A wallet's code: what its account implies, and then what was said. Fields of a decoded code
/// are whole and are taken as they are.
fn wallet(scheme: Scheme, mut object: Map<String, Value>) -> Result<VietQr> {
    if object.contains_key("bin") {
        return typed(object);
    }
    let mut text = |name: &str| match object.remove(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => bail!("{name} must be a text"),
        None => bail!("{name} is missing"),
    };
    let account = text("account")?;
    let implied = match scheme {
        Scheme::Momo => VietQr::momo(account, text("phone_last_three")?),
        _ => VietQr::zalopay(account),
    };
    let Value::Object(mut whole) = serde_json::to_value(implied)? else {
        bail!("a wallet has fields");
    };
    whole.extend(object);
    typed(whole)
}
