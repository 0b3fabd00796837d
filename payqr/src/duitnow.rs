//! DuitNow QR, Malaysia (PayNet).

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{alphanumeric, digits, field, template};
use crate::error::{DecodeError, EncodeError};
use crate::merchant::{Frame, Labels, Merchant, initiation, missing, optional, read_amount};
use crate::payload::Payload;
use crate::tlv::Id;

/// Application identifier of DuitNow.
pub const DUITNOW: &str = "A0000006150001";

/// A DuitNow QR code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct DuitNow {
    /// Bank (acquirer) number, six digits.
    pub bank: String,
    /// Account or merchant id at that bank, letters and digits.
    pub account: String,
    /// Amount in ringgit, two decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Merchant; name and city are demanded.
    #[serde(default)]
    pub merchant: Merchant,
    /// Labels.
    #[serde(default)]
    pub labels: Labels,
    /// Check value of newer codes, tag 82, kept as read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_value: Option<String>,
}

impl DuitNow {
    /// The payload text.
    ///
    /// # Errors
    /// [`EncodeError`] naming the value.
    pub fn encode(&self) -> Result<String, EncodeError> {
        self.merchant.require_name_and_city()?;
        digits("bank", &self.bank, 6, 6)?;
        alphanumeric("account", &self.account, 1, 63)?;
        optional("check_value", self.check_value.as_ref(), 99)?;
        let account = [
            field(0, DUITNOW),
            field(1, self.bank.as_str()),
            field(2, self.account.as_str()),
        ];
        let mut payload = Frame {
            initiation: initiation(self.amount),
            accounts: vec![template(26, "account template", &account)?],
            currency: "458",
            decimals: 2,
            amount: self.amount,
            country: "MY",
            merchant: &self.merchant,
            labels: &self.labels,
        }
        .build()?;
        if let Some(value) = &self.check_value {
            payload.set(Id::of(82), value.as_str());
        }
        payload.encode_strict()
    }

    /// Reads the DuitNow view of a payload.
    ///
    /// # Errors
    /// No DuitNow template, bank or account missing, or a broken value.
    pub fn from_payload(payload: &Payload) -> Result<Self, DecodeError> {
        let (_, account) = payload
            .account_template(DUITNOW)?
            .ok_or_else(|| missing("the DuitNow template (A0000006150001)", "26"))?;
        Ok(Self {
            bank: account.required(1, "the bank")?.to_owned(),
            account: account.required(2, "the account")?.to_owned(),
            amount: read_amount(payload)?,
            merchant: Merchant::read(payload),
            labels: Labels::read(payload)?,
            check_value: payload.value(82).map(str::to_owned),
        })
    }
}
