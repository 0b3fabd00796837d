//! What the EMV schemes share: merchant fields (tags 52, 59–61), labels
//! (template 62) and the order in which a payload is put together.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{self, amount_text, digits, field, push_some, template, text};
use crate::error::{DecodeError, EncodeError, Fault};
use crate::payload::Payload;
use crate::tlv::Field;

/// Tags 52 and 59 to 61.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Merchant {
    /// Category code of ISO 18245, four digits, tag 52. `0000` says nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Name, at most 25 characters, tag 59.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// City, at most 15 characters, tag 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Postal code, at most 10 characters, tag 61.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
}

impl Merchant {
    /// A merchant of unsaid category.
    #[must_use]
    pub fn named(name: impl Into<String>, city: impl Into<String>) -> Self {
        Self {
            category: Some("0000".to_owned()),
            name: Some(name.into()),
            city: Some(city.into()),
            postal_code: None,
        }
    }

    pub(crate) fn read(payload: &Payload) -> Self {
        let value = |id| payload.value(id).map(str::to_owned);
        Self {
            category: value(52),
            name: value(59),
            city: value(60),
            postal_code: value(61),
        }
    }

    fn check(&self) -> Result<(), EncodeError> {
        if let Some(category) = &self.category {
            digits("merchant.category", category, 4, 4)?;
        }
        let texts = [
            ("merchant.name", &self.name, 25),
            ("merchant.city", &self.city, 15),
            ("merchant.postal_code", &self.postal_code, 10),
        ];
        for (name, value, max) in texts {
            if let Some(value) = value {
                text(name, value, 1, max)?;
            }
        }
        Ok(())
    }

    /// Name and city, where a scheme demands them.
    pub(crate) fn require_name_and_city(&self) -> Result<(), EncodeError> {
        for (field, value) in [("merchant.name", &self.name), ("merchant.city", &self.city)] {
            if value.is_none() {
                return Err(EncodeError::Empty { field });
            }
        }
        Ok(())
    }
}

/// Template 62. Each at most 25 characters; `***` lets the payer's app ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Bill number, 62.01.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill_number: Option<String>,
    /// Mobile number, 62.02.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile_number: Option<String>,
    /// Store, 62.03.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// Loyalty number, 62.04.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loyalty_number: Option<String>,
    /// Reference, 62.05.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Customer, 62.06.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Terminal, 62.07.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// Purpose, 62.08.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
}

impl Labels {
    fn entries(&self) -> [(u8, &'static str, &Option<String>); 8] {
        [
            (1, "labels.bill_number", &self.bill_number),
            (2, "labels.mobile_number", &self.mobile_number),
            (3, "labels.store", &self.store),
            (4, "labels.loyalty_number", &self.loyalty_number),
            (5, "labels.reference", &self.reference),
            (6, "labels.customer", &self.customer),
            (7, "labels.terminal", &self.terminal),
            (8, "labels.purpose", &self.purpose),
        ]
    }

    pub(crate) fn read(payload: &Payload) -> Result<Self, DecodeError> {
        let Some(inner) = payload.template(62)? else {
            return Ok(Self::default());
        };
        let value = |id| inner.value(id).map(str::to_owned);
        Ok(Self {
            bill_number: value(1),
            mobile_number: value(2),
            store: value(3),
            loyalty_number: value(4),
            reference: value(5),
            customer: value(6),
            terminal: value(7),
            purpose: value(8),
        })
    }

    fn to_field(&self) -> Result<Option<Field>, EncodeError> {
        let mut inner = Vec::new();
        for (id, name, value) in self.entries() {
            if let Some(value) = value {
                text(name, value, 1, 25)?;
            }
            push_some(&mut inner, id, value.as_ref());
        }
        if inner.is_empty() {
            return Ok(None);
        }
        template(62, "labels", &inner).map(Some)
    }
}

/// Everything of a payload but its merchant accounts.
pub(crate) struct Frame<'a> {
    /// Tag 01; `None` leaves it out.
    pub(crate) initiation: Option<&'static str>,
    pub(crate) accounts: Vec<Field>,
    pub(crate) currency: &'static str,
    /// Decimals tag 54 is written with.
    pub(crate) decimals: u8,
    pub(crate) amount: Option<Amount>,
    pub(crate) country: &'static str,
    pub(crate) merchant: &'a Merchant,
    pub(crate) labels: &'a Labels,
}

impl Frame<'_> {
    /// The payload in ascending order of tags.
    pub(crate) fn build(self) -> Result<Payload, EncodeError> {
        self.merchant.check()?;
        let mut fields = vec![field(0, "01")];
        if let Some(initiation) = self.initiation {
            fields.push(field(1, initiation));
        }
        fields.extend(self.accounts);
        push_some(&mut fields, 52, self.merchant.category.as_ref());
        fields.push(field(53, self.currency));
        if let Some(amount) = self.amount {
            fields.push(field(54, amount_text("amount", amount, self.decimals)?));
        }
        fields.push(field(58, self.country));
        push_some(&mut fields, 59, self.merchant.name.as_ref());
        push_some(&mut fields, 60, self.merchant.city.as_ref());
        push_some(&mut fields, 61, self.merchant.postal_code.as_ref());
        fields.extend(self.labels.to_field()?);
        Ok(Payload::from_fields(fields))
    }
}

/// `12` with an amount, `11` without.
pub(crate) fn initiation(amount: Option<Amount>) -> Option<&'static str> {
    Some(if amount.is_some() { "12" } else { "11" })
}

/// Tag 54 of any scheme.
pub(crate) fn read_amount(payload: &Payload) -> Result<Option<Amount>, DecodeError> {
    payload
        .value(54)
        .map(|text| {
            text.parse().map_err(|_| {
                payload.value_error(
                    54,
                    Fault::Value {
                        what: "amount",
                        found: text.to_owned(),
                        expected: "digits with at most one point",
                    },
                )
            })
        })
        .transpose()
}

/// The error for a payload that is not of the wanted scheme.
pub(crate) fn missing(what: &'static str, path: &str) -> DecodeError {
    DecodeError::at_path(Fault::Missing { what }, path)
}

/// A check of an optional value.
pub(crate) fn optional(
    name: &'static str,
    value: Option<&String>,
    max: usize,
) -> Result<(), EncodeError> {
    value.map_or(Ok(()), |value| encode::text(name, value, 1, max))
}
