//! QRIS, Indonesia (Bank Indonesia, "Standar Nasional QR Code Pembayaran").

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{digits, field, push_some, template, text};
use crate::error::{DecodeError, EncodeError};
use crate::merchant::{Frame, Labels, Merchant, initiation, missing, optional, read_amount};
use crate::payload::Payload;

/// Identifier of the national template (tag 51).
pub const QRIS: &str = "ID.CO.QRIS.WWW";

/// One acquirer of the merchant, tags 26 to 45.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct QrisAcquirer {
    /// Reverse domain of the acquirer: `ID.CO.BANK.WWW`.
    pub domain: String,
    /// Merchant account number, digits, at most 19.
    pub merchant_pan: String,
    /// The acquirer's merchant id, at most 15 characters.
    pub merchant_id: String,
    /// Size class: `UMI`, `UKE`, `UME`, `UBE` or `URE`.
    pub criteria: String,
}

/// A QRIS code. Codes are issued by acquirers; one made here from a static
/// code carries the amount but brings no confirmation of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Qris {
    /// Acquirers, at most 20.
    pub acquirers: Vec<QrisAcquirer>,
    /// National merchant id (NMID), at most 15 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub national_merchant_id: Option<String>,
    /// Size class in the national template.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub criteria: Option<String>,
    /// Amount in rupiah, no decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Merchant.
    pub merchant: Merchant,
    /// Labels.
    #[serde(default)]
    pub labels: Labels,
}

impl Qris {
    /// The payload text.
    ///
    /// # Errors
    /// [`EncodeError`] naming the value.
    pub fn encode(&self) -> Result<String, EncodeError> {
        self.merchant.require_name_and_city()?;
        if !(1..=20).contains(&self.acquirers.len()) && self.national_merchant_id.is_none() {
            return Err(EncodeError::Value {
                field: "acquirers",
                found: self.acquirers.len().to_string(),
                expected: "1 to 20, or a national merchant id",
            });
        }
        let mut accounts = Vec::new();
        for (acquirer, id) in self.acquirers.iter().zip(26_u8..=45) {
            text("acquirers.domain", &acquirer.domain, 1, 32)?;
            digits("acquirers.merchant_pan", &acquirer.merchant_pan, 1, 19)?;
            text("acquirers.merchant_id", &acquirer.merchant_id, 1, 15)?;
            text("acquirers.criteria", &acquirer.criteria, 3, 3)?;
            let inner = [
                field(0, acquirer.domain.as_str()),
                field(1, acquirer.merchant_pan.as_str()),
                field(2, acquirer.merchant_id.as_str()),
                field(3, acquirer.criteria.as_str()),
            ];
            accounts.push(template(id, "acquirers", &inner)?);
        }
        if let Some(national) = &self.national_merchant_id {
            text("national_merchant_id", national, 1, 15)?;
            optional("criteria", self.criteria.as_ref(), 3)?;
            let mut inner = vec![field(0, QRIS), field(2, national.as_str())];
            push_some(&mut inner, 3, self.criteria.as_ref());
            accounts.push(template(51, "national template", &inner)?);
        }
        let frame = Frame {
            initiation: initiation(self.amount),
            accounts,
            currency: "360",
            decimals: 0,
            amount: self.amount,
            country: "ID",
            merchant: &self.merchant,
            labels: &self.labels,
        };
        frame.build()?.encode_strict()
    }

    /// Reads the QRIS view of a payload.
    ///
    /// # Errors
    /// Neither the national template nor an acquirer, or a broken value.
    pub fn from_payload(payload: &Payload) -> Result<Self, DecodeError> {
        let national = payload.account_template(QRIS)?.map(|(_, inner)| inner);
        let mut acquirers = Vec::new();
        for id in 26..=45 {
            let Some(inner) = payload.template(id)? else {
                continue;
            };
            let value = |id| inner.value(id).unwrap_or_default().to_owned();
            acquirers.push(QrisAcquirer {
                domain: value(0),
                merchant_pan: value(1),
                merchant_id: value(2),
                criteria: value(3),
            });
        }
        if national.is_none() && acquirers.is_empty() {
            return Err(missing("the QRIS template (ID.CO.QRIS.WWW)", "51"));
        }
        let national_value = |id| {
            national
                .as_ref()
                .and_then(|inner| inner.value(id))
                .map(str::to_owned)
        };
        Ok(Self {
            national_merchant_id: national_value(2),
            criteria: national_value(3),
            acquirers,
            amount: read_amount(payload)?,
            merchant: Merchant::read(payload),
            labels: Labels::read(payload)?,
        })
    }
}
