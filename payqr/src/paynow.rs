//! PayNow and SGQR, Singapore (Association of Banks in Singapore, "PayNow QR
//! specification"; IMDA, "SGQR specification").

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{alphanumeric, characters, digits, field, length, template};
use crate::error::{DecodeError, EncodeError, Fault};
use crate::merchant::{Frame, Labels, Merchant, initiation, missing, read_amount};
use crate::payload::Payload;

/// Identifier of PayNow.
pub const PAYNOW: &str = "SG.PAYNOW";
/// Identifier of the SGQR template (tag 51).
pub const SGQR: &str = "SG.SGQR";

/// Who receives a PayNow transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PayNowProxy {
    /// Mobile number with country code: `+6591234567`.
    Mobile(String),
    /// Unique entity number of a company, with an optional suffix.
    Uen(String),
}

/// A PayNow code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PayNow {
    /// Receiver.
    pub proxy: PayNowProxy,
    /// Whether the payer may change the amount.
    #[serde(default)]
    pub amount_editable: bool,
    /// Last day the code may be paid, `YYYYMMDD`: the rail refuses it afterwards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expiry: Option<String>,
    /// Amount in Singapore dollars, two decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Reference that comes back with the credit, 62.01, at most 25 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// SGQR id of a combined label (51.01), read only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sgqr_id: Option<String>,
    /// Merchant; name and city are demanded.
    pub merchant: Merchant,
}

impl PayNow {
    /// The payload text.
    ///
    /// # Errors
    /// [`EncodeError`] naming the value; `sgqr_id` is refused, since only the
    /// SGQR operator issues combined labels.
    pub fn encode(&self) -> Result<String, EncodeError> {
        self.merchant.require_name_and_city()?;
        if let Some(id) = &self.sgqr_id {
            return Err(EncodeError::Value {
                field: "sgqr_id",
                found: id.clone(),
                expected: "left out: combined labels come from the SGQR operator",
            });
        }
        let (kind, proxy) = match &self.proxy {
            PayNowProxy::Mobile(number) => {
                length("mobile", number, 9, 16)?;
                let rest = number.strip_prefix('+').ok_or_else(|| EncodeError::Value {
                    field: "mobile",
                    found: number.clone(),
                    expected: "+ and the number with its country code",
                })?;
                digits("mobile", rest, 8, 15)?;
                ("0", number)
            }
            PayNowProxy::Uen(uen) => {
                alphanumeric("uen", uen, 9, 13)?;
                ("2", uen)
            }
        };
        let editable = if self.amount_editable || self.amount.is_none() {
            "1"
        } else {
            "0"
        };
        let mut account = vec![
            field(0, PAYNOW),
            field(1, kind),
            field(2, proxy.as_str()),
            field(3, editable),
        ];
        if let Some(expiry) = &self.expiry {
            check_date(expiry)?;
            account.push(field(4, expiry.as_str()));
        }
        if let Some(reference) = &self.reference {
            characters("reference", reference, "printable ASCII", |c| {
                c == ' ' || c.is_ascii_graphic()
            })?;
        }
        let labels = Labels {
            bill_number: self.reference.clone(),
            ..Labels::default()
        };
        let frame = Frame {
            initiation: initiation(self.amount),
            accounts: vec![template(26, "account template", &account)?],
            currency: "702",
            decimals: 2,
            amount: self.amount,
            country: "SG",
            merchant: &self.merchant,
            labels: &labels,
        };
        frame.build()?.encode_strict()
    }

    /// Reads the PayNow view of a payload.
    ///
    /// # Errors
    /// No PayNow template, no receiver, or a broken value.
    pub fn from_payload(payload: &Payload) -> Result<Self, DecodeError> {
        let (_, account) = payload
            .account_template(PAYNOW)?
            .ok_or_else(|| missing("the PayNow template (SG.PAYNOW)", "26"))?;
        let number = account.required(2, "the receiver")?.to_owned();
        let proxy = match account.required(1, "the kind of receiver")? {
            "0" => PayNowProxy::Mobile(number),
            "2" => PayNowProxy::Uen(number),
            other => {
                return Err(account.error(
                    1,
                    Fault::Value {
                        what: "kind of receiver",
                        found: other.to_owned(),
                        expected: "0 (mobile) or 2 (UEN)",
                    },
                ));
            }
        };
        let sgqr = payload.account_template(SGQR)?;
        Ok(Self {
            proxy,
            amount_editable: account.value(3) == Some("1"),
            expiry: account.value(4).map(str::to_owned),
            amount: read_amount(payload)?,
            reference: Labels::read(payload)?.bill_number,
            sgqr_id: sgqr.and_then(|(_, inner)| inner.value(1).map(str::to_owned)),
            merchant: Merchant::read(payload),
        })
    }
}

fn check_date(date: &str) -> Result<(), EncodeError> {
    digits("expiry", date, 8, 8)?;
    let number = |range: std::ops::Range<usize>| {
        date.get(range)
            .and_then(|part| part.parse::<u32>().ok())
            .unwrap_or(0)
    };
    if (1..=12).contains(&number(4..6)) && (1..=31).contains(&number(6..8)) {
        return Ok(());
    }
    Err(EncodeError::Value {
        field: "expiry",
        found: date.to_owned(),
        expected: "a date as YYYYMMDD",
    })
}
