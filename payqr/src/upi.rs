//! UPI, India: `upi://pay` links (NPCI, "UPI Linking Specifications").
//! A signed link must be shown exactly as its issuer made it: re-encoding one
//! keeps its meaning, not its bytes, so keep the original text for showing.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{alphanumeric, amount_text, characters, digits, length, text};
use crate::error::{DecodeError, EncodeError, Fault, Place};
use crate::payload::check_length;

const HEAD: &str = "upi://pay?";

/// A UPI payment link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Upi {
    /// Payee address `name@bank`, `pa`.
    pub payee_address: String,
    /// Payee name, `pn`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee_name: Option<String>,
    /// Merchant category code, four digits, `mc`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_category: Option<String>,
    /// Transaction id of the payment service provider, `tid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<String>,
    /// Order reference that comes back with the credit, `tr`, at most 35.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Note, `tn`, at most 80 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Amount in rupees, two decimals, `am`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// Every other parameter, in order (`mode`, `orgid`, `sign`, …).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other: Vec<(String, String)>,
}

impl Upi {
    /// The link. Spaces become `%20`: UPI apps show a `+` as it is.
    ///
    /// # Errors
    /// [`EncodeError`] naming the value.
    pub fn encode(&self) -> Result<String, EncodeError> {
        self.check()?;
        let amount = self
            .amount
            .map(|amount| amount_text("amount", amount, 2))
            .transpose()?;
        let named = [
            ("pa", Some(&self.payee_address)),
            ("pn", self.payee_name.as_ref()),
            ("mc", self.merchant_category.as_ref()),
            ("tid", self.transaction_id.as_ref()),
            ("tr", self.reference.as_ref()),
            ("tn", self.note.as_ref()),
            ("am", amount.as_ref()),
        ];
        let mut pairs: Vec<String> = named
            .iter()
            .filter_map(|(name, value)| value.map(|value| format!("{name}={}", escape(value))))
            .collect();
        pairs.push("cu=INR".to_owned());
        for (name, value) in &self.other {
            pairs.push(format!("{}={}", escape(name), escape(value)));
        }
        Ok(format!("{HEAD}{}", pairs.join("&")))
    }

    fn check(&self) -> Result<(), EncodeError> {
        length("payee_address", &self.payee_address, 3, 255)?;
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '@');
        characters(
            "payee_address",
            &self.payee_address,
            "letters, digits, . - _ @",
            is_allowed,
        )?;
        let well_formed = matches!(
            self.payee_address.split_once('@'),
            Some((name, bank)) if !name.is_empty() && !bank.is_empty() && !bank.contains('@')
        );
        if !well_formed {
            return Err(EncodeError::Value {
                field: "payee_address",
                found: self.payee_address.clone(),
                expected: "name@bank",
            });
        }
        if let Some(name) = &self.payee_name {
            text("payee_name", name, 1, 99)?;
        }
        if let Some(category) = &self.merchant_category {
            digits("merchant_category", category, 4, 4)?;
        }
        if let Some(id) = &self.transaction_id {
            alphanumeric("transaction_id", id, 1, 35)?;
        }
        if let Some(reference) = &self.reference {
            length("reference", reference, 1, 35)?;
            characters(
                "reference",
                reference,
                "printable ASCII without space",
                |c| c.is_ascii_graphic(),
            )?;
        }
        if let Some(note) = &self.note {
            text("note", note, 1, 80)?;
        }
        for (name, _) in &self.other {
            if name.is_empty() || NAMED.contains(&name.as_str()) {
                return Err(EncodeError::Value {
                    field: "other",
                    found: name.clone(),
                    expected: "a parameter that has no field of its own",
                });
            }
        }
        Ok(())
    }

    /// Reads a link. A `+` in name and note is read as a space, since common
    /// libraries write it so.
    ///
    /// # Errors
    /// [`DecodeError`] with the parameter: no `upi://pay?`, a parameter twice,
    /// a broken `%` escape, no payee, a currency other than INR.
    pub fn decode(link: &str) -> Result<Self, DecodeError> {
        check_length(link)?;
        let is_upi = link
            .get(..HEAD.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(HEAD));
        if !is_upi {
            return Err(DecodeError::whole(Fault::UnknownScheme {
                begins: link.chars().take(HEAD.len()).collect(),
            }));
        }
        let mut upi = Self::default();
        let mut seen: Vec<String> = Vec::new();
        let mut byte = HEAD.len();
        for pair in link[HEAD.len()..].split('&') {
            let (raw_name, raw_value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = Place {
                byte,
                character: link[..byte].chars().count(),
                path: raw_name.to_owned(),
            };
            byte += pair.len() + 1;
            if pair.is_empty() {
                continue;
            }
            let fail = |fault| DecodeError {
                fault,
                place: place.clone(),
            };
            let name = unescape(raw_name, false).map_err(fail)?;
            let value = unescape(raw_value, matches!(raw_name, "pn" | "tn")).map_err(fail)?;
            if seen.contains(&name) {
                return Err(fail(Fault::Duplicate { id: name }));
            }
            upi.take(&name, value).map_err(fail)?;
            seen.push(name);
        }
        if upi.payee_address.is_empty() {
            return Err(DecodeError::at_path(
                Fault::Missing {
                    what: "the payee address",
                },
                "pa",
            ));
        }
        Ok(upi)
    }

    fn take(&mut self, name: &str, value: String) -> Result<(), Fault> {
        let slot = match name {
            "pa" => {
                self.payee_address = value;
                return Ok(());
            }
            "am" => {
                // Apps write an empty amount when the payer shall type it.
                self.amount = match value.as_str() {
                    "" => None,
                    text => Some(text.parse().map_err(|_| Fault::Value {
                        what: "amount",
                        found: text.to_owned(),
                        expected: "digits with at most one point",
                    })?),
                };
                return Ok(());
            }
            "cu" if value.is_empty() || value.eq_ignore_ascii_case("INR") => return Ok(()),
            "cu" => {
                return Err(Fault::Value {
                    what: "currency",
                    found: value,
                    expected: "INR",
                });
            }
            "pn" => &mut self.payee_name,
            "mc" => &mut self.merchant_category,
            "tid" => &mut self.transaction_id,
            "tr" => &mut self.reference,
            "tn" => &mut self.note,
            _ => {
                self.other.push((name.to_owned(), value));
                return Ok(());
            }
        };
        *slot = Some(value).filter(|value| !value.is_empty());
        Ok(())
    }
}

/// Parameters with a field of their own.
const NAMED: [&str; 8] = ["pa", "pn", "mc", "tid", "tr", "tn", "am", "cu"];

/// Percent-encodes all but RFC 3986's unreserved characters and `@`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'@') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn unescape(text: &str, plus_is_space: bool) -> Result<String, Fault> {
    let fault = || Fault::Value {
        what: "percent escape",
        found: text.to_owned(),
        expected: "% and two hexadecimal digits of UTF-8",
    };
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        match first {
            b'%' => {
                let [high, low, tail @ ..] = rest else {
                    return Err(fault());
                };
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                let (Some(high), Some(low)) = (digit(high), digit(low)) else {
                    return Err(fault());
                };
                out.push(u8::try_from(high * 16 + low).map_err(|_| fault())?);
                rest = tail;
            }
            b'+' if plus_is_space => out.push(b' '),
            other => out.push(other),
        }
    }
    String::from_utf8(out).map_err(|_| fault())
}
