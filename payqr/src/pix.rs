//! Pix, Brazil: static codes with a key, dynamic codes with a location (BCB,
//! "Manual de Padrões para Iniciação do Pix").

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{alphanumeric, characters, field, length, push_some, template, text};
use crate::error::{DecodeError, EncodeError};
use crate::merchant::{Frame, Labels, Merchant, missing, read_amount};
use crate::payload::Payload;
use crate::tlv::Id;

/// Identifier of the Pix arrangement; compared without case.
pub const PIX: &str = "br.gov.bcb.pix";
/// Stands for "no transaction id" in tag 62.05.
const NO_TRANSACTION_ID: &str = "***";

/// Where a Pix code leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum PixTarget {
    /// Static code: the payer's bank fills in the rest from the key.
    Key {
        /// Phone, e-mail, tax number or random key, at most 77 characters.
        key: String,
        /// Text shown to the payer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        info: Option<String>,
    },
    /// Dynamic code: amount and expiry are at this address, signed.
    Location {
        /// Host and path without `https://`, at most 77 characters.
        location: String,
        /// Address of a recurrence (automatic Pix), tag 80.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        recurrence: Option<String>,
    },
}

/// A Pix code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pix {
    /// Key or location.
    pub target: PixTarget,
    /// Amount in reais with two decimals; static codes only. It is not enforced by the rail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Transaction id, letters and digits, at most 25; static codes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// Merchant; name and city are demanded by Pix.
    pub merchant: Merchant,
}

impl Pix {
    /// A static code for a key.
    #[must_use]
    pub fn with_key(key: impl Into<String>, merchant: Merchant) -> Self {
        Self {
            target: PixTarget::Key {
                key: key.into(),
                info: None,
            },
            amount: None,
            transaction_id: None,
            merchant,
        }
    }

    /// A dynamic code for a location.
    #[must_use]
    pub fn with_location(location: impl Into<String>, merchant: Merchant) -> Self {
        Self {
            target: PixTarget::Location {
                location: location.into(),
                recurrence: None,
            },
            amount: None,
            transaction_id: None,
            merchant,
        }
    }

    /// The payload text ("copia e cola").
    ///
    /// # Errors
    /// [`EncodeError`] naming the value.
    pub fn encode(&self) -> Result<String, EncodeError> {
        self.merchant.require_name_and_city()?;
        if let Some(id) = &self.transaction_id {
            alphanumeric("transaction_id", id, 1, 25)?;
        }
        let mut account = vec![field(0, PIX)];
        let mut recurrence_field = None;
        let initiation = match &self.target {
            PixTarget::Key { key, info } => {
                length("key", key, 1, 77)?;
                characters("key", key, "printable ASCII without space", |c| {
                    c.is_ascii_graphic()
                })?;
                account.push(field(1, key.as_str()));
                if let Some(info) = info {
                    text("info", info, 1, 72)?;
                }
                push_some(&mut account, 2, info.as_ref());
                None
            }
            PixTarget::Location {
                location,
                recurrence,
            } => {
                check_location("location", location)?;
                self.check_dynamic()?;
                account.push(field(25, location.as_str()));
                if let Some(recurrence) = recurrence {
                    check_location("recurrence", recurrence)?;
                    let inner = [field(0, PIX), field(25, recurrence.as_str())];
                    recurrence_field = Some(template(80, "recurrence", &inner)?);
                }
                Some("12")
            }
        };
        let id = self.transaction_id.as_deref().unwrap_or(NO_TRANSACTION_ID);
        let labels = Labels {
            reference: Some(id.to_owned()),
            ..Labels::default()
        };
        let mut payload = Frame {
            initiation,
            accounts: vec![template(26, "key and info", &account)?],
            currency: "986",
            decimals: 2,
            amount: self.amount,
            country: "BR",
            merchant: &self.merchant,
            labels: &labels,
        }
        .build()?;
        if let Some(recurrence) = recurrence_field {
            payload.set(recurrence.id, recurrence.value);
        }
        payload.encode_strict()
    }

    /// The signed document at the location holds amount and id.
    fn check_dynamic(&self) -> Result<(), EncodeError> {
        let found = match (&self.amount, &self.transaction_id) {
            (Some(amount), _) => ("amount", amount.to_string()),
            (None, Some(id)) => ("transaction_id", id.clone()),
            (None, None) => return Ok(()),
        };
        Err(EncodeError::Value {
            field: found.0,
            found: found.1,
            expected: "left out of a dynamic code: it is in the document at the location",
        })
    }

    /// Reads the Pix view of a payload.
    ///
    /// # Errors
    /// No Pix template, neither key nor location, or a broken value.
    pub fn from_payload(payload: &Payload) -> Result<Self, DecodeError> {
        let (_, account) = payload
            .account_template(PIX)?
            .ok_or_else(|| missing("the Pix template (br.gov.bcb.pix)", "26"))?;
        let target = match (account.value(25), account.value(1)) {
            (Some(location), _) => PixTarget::Location {
                location: location.to_owned(),
                recurrence: recurrence(payload)?,
            },
            (None, Some(key)) => PixTarget::Key {
                key: key.to_owned(),
                info: account.value(2).map(str::to_owned),
            },
            (None, None) => return Err(missing("the Pix key or location", "26.01")),
        };
        let labels = Labels::read(payload)?;
        Ok(Self {
            target,
            amount: read_amount(payload)?,
            transaction_id: labels.reference.filter(|id| id != NO_TRANSACTION_ID),
            merchant: Merchant::read(payload),
        })
    }
}

/// Tag 80 when it is a Pix template; anything else there is not ours.
fn recurrence(payload: &Payload) -> Result<Option<String>, DecodeError> {
    let is_pix = payload
        .value(80)
        .and_then(|value| value.get(..4 + PIX.len()))
        .is_some_and(|head| head.to_ascii_lowercase() == format!("00{:02}{PIX}", PIX.len()));
    if !is_pix {
        return Ok(None);
    }
    let template = payload.template(Id::of(80).number())?;
    Ok(template.and_then(|inner| inner.value(25).map(str::to_owned)))
}

fn check_location(name: &'static str, location: &str) -> Result<(), EncodeError> {
    length(name, location, 1, 77)?;
    characters(name, location, "printable ASCII without space", |c| {
        c.is_ascii_graphic()
    })?;
    if location.contains("://") {
        return Err(EncodeError::Value {
            field: name,
            found: location.to_owned(),
            expected: "host and path without https://",
        });
    }
    Ok(())
}
