//! PromptPay, Thailand: transfers to a person or shop, and bill payments (Bank
//! of Thailand, "Thai QR Payment Standard").

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{alphanumeric, amount_text, digits, field, push_some, template};
use crate::error::{DecodeError, EncodeError, Fault};
use crate::merchant::{Frame, Labels, Merchant, initiation, missing, read_amount};
use crate::payload::Payload;

/// Application identifier of a credit transfer.
pub const PROMPTPAY_TRANSFER: &str = "A000000677010111";
/// Application identifier of a bill payment.
pub const PROMPTPAY_BILL: &str = "A000000677010112";
/// What stands in front of the nine digits of a Thai phone number.
const PHONE_HEAD: &str = "0066";

/// Who receives a PromptPay transfer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromptPayTarget {
    /// Phone number: `0` and nine digits.
    Phone(String),
    /// National or tax id, 13 digits.
    NationalId(String),
    /// E-wallet id, 15 digits (TrueMoney: `14000` and the phone number).
    Wallet(String),
}

/// A PromptPay transfer code. Nothing comes back that names the order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptPay {
    /// Receiver.
    pub target: PromptPayTarget,
    /// Amount in baht, two decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
}

impl PromptPay {
    /// The payload text.
    ///
    /// # Errors
    /// [`EncodeError`] naming the value.
    pub fn encode(&self) -> Result<String, EncodeError> {
        let target = match &self.target {
            PromptPayTarget::Phone(phone) => {
                digits("phone", phone, 10, 10)?;
                let Some(rest) = phone.strip_prefix('0') else {
                    return Err(EncodeError::Value {
                        field: "phone",
                        found: phone.clone(),
                        expected: "0 and nine digits",
                    });
                };
                field(1, format!("{PHONE_HEAD}{rest}"))
            }
            PromptPayTarget::NationalId(id) => {
                digits("national_id", id, 13, 13)?;
                field(2, id.as_str())
            }
            PromptPayTarget::Wallet(id) => {
                digits("wallet", id, 15, 15)?;
                field(3, id.as_str())
            }
        };
        let account = [field(0, PROMPTPAY_TRANSFER), target];
        // Country before currency: the order every published Thai code has.
        let mut fields = vec![
            field(0, "01"),
            field(1, initiation(self.amount).unwrap_or("11")),
            template(29, "account template", &account)?,
            field(58, "TH"),
            field(53, "764"),
        ];
        if let Some(amount) = self.amount {
            fields.push(field(54, amount_text("amount", amount, 2)?));
        }
        Payload::from_fields(fields).encode_strict()
    }

    /// Reads the PromptPay transfer view of a payload.
    ///
    /// # Errors
    /// No transfer template, no receiver, or a broken value.
    pub fn from_payload(payload: &Payload) -> Result<Self, DecodeError> {
        let (_, account) = payload
            .account_template(PROMPTPAY_TRANSFER)?
            .ok_or_else(|| missing("the PromptPay template (A000000677010111)", "29"))?;
        let target = if let Some(phone) = account.value(1) {
            let local = phone.strip_prefix(PHONE_HEAD).ok_or_else(|| {
                account.error(
                    1,
                    Fault::Value {
                        what: "phone number",
                        found: phone.to_owned(),
                        expected: "0066 and nine digits",
                    },
                )
            })?;
            PromptPayTarget::Phone(format!("0{local}"))
        } else if let Some(id) = account.value(2) {
            PromptPayTarget::NationalId(id.to_owned())
        } else {
            let wallet = account.required(3, "the receiver (phone, national id or wallet)")?;
            PromptPayTarget::Wallet(wallet.to_owned())
        };
        Ok(Self {
            target,
            amount: read_amount(payload)?,
        })
    }
}

/// A Thai bill payment code: the only one of Thailand's whose references come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct ThaiBill {
    /// Biller id (tax id and suffix), digits, at most 15.
    pub biller_id: String,
    /// Reference 1, letters and digits, at most 20.
    pub reference1: String,
    /// Reference 2, letters and digits, at most 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference2: Option<String>,
    /// Reference 3 or terminal, 62.07, letters and digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference3: Option<String>,
    /// Amount in baht, two decimals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
}

impl ThaiBill {
    /// The payload text.
    ///
    /// # Errors
    /// [`EncodeError`] naming the value.
    pub fn encode(&self) -> Result<String, EncodeError> {
        digits("biller_id", &self.biller_id, 1, 15)?;
        alphanumeric("reference1", &self.reference1, 1, 20)?;
        if let Some(reference) = &self.reference2 {
            alphanumeric("reference2", reference, 1, 20)?;
        }
        if let Some(reference) = &self.reference3 {
            alphanumeric("reference3", reference, 1, 25)?;
        }
        let mut account = vec![
            field(0, PROMPTPAY_BILL),
            field(1, self.biller_id.as_str()),
            field(2, self.reference1.as_str()),
        ];
        push_some(&mut account, 3, self.reference2.as_ref());
        let labels = Labels {
            terminal: self.reference3.clone(),
            ..Labels::default()
        };
        let frame = Frame {
            initiation: initiation(self.amount),
            accounts: vec![template(30, "biller and references", &account)?],
            currency: "764",
            decimals: 2,
            amount: self.amount,
            country: "TH",
            merchant: &Merchant::default(),
            labels: &labels,
        };
        frame.build()?.encode_strict()
    }

    /// Reads the bill payment view of a payload.
    ///
    /// # Errors
    /// No bill payment template, biller or reference 1 missing, or a broken value.
    pub fn from_payload(payload: &Payload) -> Result<Self, DecodeError> {
        let (_, account) = payload
            .account_template(PROMPTPAY_BILL)?
            .ok_or_else(|| missing("the bill payment template (A000000677010112)", "30"))?;
        Ok(Self {
            biller_id: account.required(1, "the biller id")?.to_owned(),
            reference1: account.required(2, "reference 1")?.to_owned(),
            reference2: account.value(3).map(str::to_owned),
            reference3: Labels::read(payload)?.terminal,
            amount: read_amount(payload)?,
        })
    }
}
