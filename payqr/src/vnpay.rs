//! VNPAY-QR: merchant codes of Vietnam's VNPAY network, payload laid out as
//! VNPAY's terminals do. For a dynamic code the network must know the bill:
//! take its payload from VNPAY's own interface and only read it here.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{alphanumeric, field, template};
use crate::error::{DecodeError, EncodeError};
use crate::merchant::{Frame, Labels, Merchant, initiation, missing};
use crate::payload::Payload;
use crate::vietqr::{dong, dong_text};

/// Application identifier of VNPAY.
pub const VNPAY: &str = "A000000775";

/// A VNPAY-QR code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Vnpay {
    /// Merchant number given by VNPAY, letters and digits.
    pub merchant_id: String,
    /// Amount in đồng.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_dong: Option<u64>,
    /// Merchant fields.
    #[serde(default)]
    pub merchant: Merchant,
    /// Store 03, terminal 07, bill 01, purpose 08.
    #[serde(default)]
    pub labels: Labels,
}

impl Vnpay {
    /// The payload text.
    ///
    /// # Errors
    /// [`EncodeError`] naming the value.
    pub fn encode(&self) -> Result<String, EncodeError> {
        alphanumeric("merchant_id", &self.merchant_id, 1, 32)?;
        let account = [field(0, VNPAY), field(1, self.merchant_id.as_str())];
        self.amount_dong.map(dong_text).transpose()?;
        let amount = self.amount_dong.map(Amount::whole);
        let frame = Frame {
            initiation: initiation(amount),
            accounts: vec![template(26, "account template", &account)?],
            currency: "704",
            decimals: 0,
            amount,
            country: "VN",
            merchant: &self.merchant,
            labels: &self.labels,
        };
        frame.build()?.encode_strict()
    }

    /// Reads the VNPAY view of a payload.
    ///
    /// # Errors
    /// No VNPAY template, or a broken value.
    pub fn from_payload(payload: &Payload) -> Result<Self, DecodeError> {
        let (_, account) = payload
            .account_template(VNPAY)?
            .ok_or_else(|| missing("the VNPAY template (A000000775)", "26"))?;
        Ok(Self {
            merchant_id: account.required(1, "the merchant number")?.to_owned(),
            amount_dong: dong(payload)?,
            merchant: Merchant::read(payload),
            labels: Labels::read(payload)?,
        })
    }
}
