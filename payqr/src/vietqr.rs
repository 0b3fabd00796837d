//! VietQR: NAPAS 247 transfers to an account or a card ("Technical
//! Specifications on NAPAS QR Switching", Part IV v1.5.2, January 2021), and
//! the wallets that ride on it.

use serde::{Deserialize, Serialize};

use crate::amount::Amount;
use crate::encode::{alphanumeric, amount_text, digits, field, push_some, template, text};
use crate::error::{DecodeError, EncodeError, Fault};
use crate::memo;
use crate::payload::Payload;
use crate::tlv::Field;

/// Application identifier of NAPAS.
pub const NAPAS: &str = "A000000727";
/// One NAPAS 247 transfer must stay below this, đồng.
pub const TRANSFER_LIMIT_DONG: u64 = 500_000_000;
/// BIN under which MoMo is reached directly.
const MOMO_BIN: &str = "971025";
/// BIN of the bank (BVBank) that holds the accounts of MoMo and ZaloPay wallets.
const WALLET_BANK_BIN: &str = "970454";

/// What the receiving number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// A bank account (`QRIBFTTA`).
    #[default]
    Account,
    /// A card (`QRIBFTTC`).
    Card,
    /// Payment to a merchant (`QRPUSH`).
    Push,
    /// Cash withdrawal (`QRCASH`).
    Cash,
}

impl Service {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Account, "QRIBFTTA"),
        (Self::Card, "QRIBFTTC"),
        (Self::Push, "QRPUSH"),
        (Self::Cash, "QRCASH"),
    ];

    /// The service code as written.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Account => "QRIBFTTA",
            Self::Card => "QRIBFTTC",
            Self::Push => "QRPUSH",
            Self::Cash => "QRCASH",
        }
    }

    fn from_code(code: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, text)| *text == code)
            .map(|(service, _)| *service)
    }
}

/// A wallet that receives through VietQR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wallet {
    /// MoMo.
    Momo,
    /// ZaloPay.
    ZaloPay,
}

/// A VietQR code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct VietQr {
    /// Bank identification number, six digits.
    pub bin: String,
    /// Account or card number, letters and digits, at most 19.
    pub account: String,
    /// What `account` is.
    #[serde(default)]
    pub service: Service,
    /// Amount in đồng; without it the payer types one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount_dong: Option<u64>,
    /// Transfer memo, tag 62.08: what comes back with the credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<String>,
    /// Bill number, tag 62.01.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill_number: Option<String>,
    /// Store label, tag 62.03.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// Reference label, tag 62.05.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// Terminal label, tag 62.07.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<String>,
    /// Merchant category code, tag 52.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_category: Option<String>,
    /// Merchant name, tag 59.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_name: Option<String>,
    /// Merchant city, tag 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant_city: Option<String>,
    /// Wallet data in tag 80 (MoMo: last three digits of the phone number).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wallet_data: Option<String>,
}

impl VietQr {
    /// A code for a bank account. Static until an amount is added.
    #[must_use]
    pub fn account(bin: impl Into<String>, account: impl Into<String>) -> Self {
        Self {
            bin: bin.into(),
            account: account.into(),
            ..Self::default()
        }
    }

    /// A code for a card.
    #[must_use]
    pub fn card(bin: impl Into<String>, card: impl Into<String>) -> Self {
        Self {
            service: Service::Card,
            ..Self::account(bin, card)
        }
    }

    /// A code for a MoMo wallet by its account at the holding bank
    /// (`99MM…`, shown in the app) and the last three digits of its phone.
    #[must_use]
    pub fn momo(account: impl Into<String>, phone_last_three: impl Into<String>) -> Self {
        let account = account.into();
        let tail: String = account.chars().skip(10).collect();
        Self {
            reference: Some(format!("MOMOW2W{tail}")),
            wallet_data: Some(phone_last_three.into()),
            ..Self::account(WALLET_BANK_BIN, account)
        }
    }

    /// A code for a ZaloPay wallet by its account at the holding bank (`99ZP…`).
    #[must_use]
    pub fn zalopay(account: impl Into<String>) -> Self {
        Self::account(WALLET_BANK_BIN, account)
    }

    /// With an amount in đồng: the code becomes dynamic.
    #[must_use]
    pub fn with_amount(mut self, amount_dong: u64) -> Self {
        self.amount_dong = Some(amount_dong);
        self
    }

    /// With a transfer memo; fold free text with [`memo::fold`] first.
    #[must_use]
    pub fn with_memo(mut self, memo: impl Into<String>) -> Self {
        self.memo = Some(memo.into());
        self
    }

    /// The wallet behind the account, if it is one.
    #[must_use]
    pub fn wallet(&self) -> Option<Wallet> {
        let momo_reference = self
            .reference
            .as_ref()
            .is_some_and(|reference| reference.starts_with("MOMOW2W"));
        if self.bin == MOMO_BIN || self.account.starts_with("99MM") || momo_reference {
            Some(Wallet::Momo)
        } else if self.account.starts_with("99ZP") {
            Some(Wallet::ZaloPay)
        } else {
            None
        }
    }

    /// The payload text for the QR symbol.
    ///
    /// # Errors
    /// [`EncodeError`] naming the value: BIN not six digits, account above 19
    /// characters, amount zero or not below [`TRANSFER_LIMIT_DONG`], memo
    /// above 25 characters or with characters banks mangle.
    pub fn encode(&self) -> Result<String, EncodeError> {
        self.to_payload()?.encode_strict()
    }

    /// The payload, field by field.
    ///
    /// # Errors
    /// As [`VietQr::encode`].
    pub fn to_payload(&self) -> Result<Payload, EncodeError> {
        digits("bin", &self.bin, 6, 6)?;
        alphanumeric("account", &self.account, 1, 19)?;
        let receiver = template(
            1,
            "receiver",
            &[field(0, self.bin.as_str()), field(1, self.account.as_str())],
        )?;
        let account = [field(0, NAPAS), receiver, field(2, self.service.code())];
        let initiation = if self.amount_dong.is_some() {
            "12"
        } else {
            "11"
        };
        let mut fields = vec![
            field(0, "01"),
            field(1, initiation),
            template(38, "account template", &account)?,
        ];
        if let Some(category) = &self.merchant_category {
            digits("merchant_category", category, 4, 4)?;
            fields.push(field(52, category.as_str()));
        }
        fields.push(field(53, "704"));
        if let Some(amount_dong) = self.amount_dong {
            fields.push(field(54, dong_text(amount_dong)?));
        }
        fields.push(field(58, "VN"));
        if let Some(name) = &self.merchant_name {
            text("merchant_name", name, 1, 25)?;
            fields.push(field(59, name.as_str()));
        }
        if let Some(city) = &self.merchant_city {
            text("merchant_city", city, 1, 15)?;
            fields.push(field(60, city.as_str()));
        }
        fields.extend(self.additional_data()?);
        if let Some(data) = &self.wallet_data {
            text("wallet_data", data, 1, 99)?;
            fields.push(field(80, data.as_str()));
        }
        Ok(Payload::from_fields(fields))
    }

    fn additional_data(&self) -> Result<Option<Field>, EncodeError> {
        let mut inner = Vec::new();
        let labels = [
            (1, "bill_number", &self.bill_number),
            (3, "store", &self.store),
            (5, "reference", &self.reference),
            (7, "terminal", &self.terminal),
        ];
        for (id, name, value) in labels {
            if let Some(value) = value {
                text(name, value, 1, 25)?;
            }
            push_some(&mut inner, id, value.as_ref());
        }
        if let Some(value) = &self.memo {
            memo::check("memo", value, memo::MemoRule::NAPAS)?;
        }
        push_some(&mut inner, 8, self.memo.as_ref());
        if inner.is_empty() {
            return Ok(None);
        }
        template(62, "additional data", &inner).map(Some)
    }

    /// Reads a VietQR code.
    ///
    /// # Errors
    /// [`DecodeError`] with the place: broken payload, no NAPAS template, BIN
    /// or account missing, an amount that is not whole đồng.
    pub fn decode(text: &str) -> Result<Self, DecodeError> {
        Self::from_payload(&Payload::decode(text)?)
    }

    /// Reads the VietQR view of a payload.
    ///
    /// # Errors
    /// As [`VietQr::decode`].
    pub fn from_payload(payload: &Payload) -> Result<Self, DecodeError> {
        let Some((_, account)) = payload.account_template(NAPAS)? else {
            return Err(DecodeError::at_path(
                Fault::Missing {
                    what: "the NAPAS template (A000000727)",
                },
                "38",
            ));
        };
        let receiver = account.inner(1, "the receiver")?;
        let code = account.value(2).unwrap_or(Service::Account.code());
        let service = Service::from_code(code).ok_or_else(|| {
            account.error(
                2,
                Fault::Value {
                    what: "service",
                    found: code.to_owned(),
                    expected: "QRIBFTTA, QRIBFTTC, QRPUSH or QRCASH",
                },
            )
        })?;
        let additional = payload.template(62)?;
        let label = |id: u8| {
            additional
                .as_ref()
                .and_then(|inner| inner.value(id))
                .map(str::to_owned)
        };
        Ok(Self {
            bin: receiver.required(0, "the bank number (BIN)")?.to_owned(),
            account: receiver.required(1, "the account number")?.to_owned(),
            service,
            amount_dong: dong(payload)?,
            memo: label(8),
            bill_number: label(1),
            store: label(3),
            reference: label(5),
            terminal: label(7),
            merchant_category: payload.value(52).map(str::to_owned),
            merchant_name: payload.value(59).map(str::to_owned),
            merchant_city: payload.value(60).map(str::to_owned),
            wallet_data: payload.value(80).map(str::to_owned),
        })
    }
}

pub(crate) fn dong_text(amount_dong: u64) -> Result<String, EncodeError> {
    if amount_dong >= TRANSFER_LIMIT_DONG {
        return Err(EncodeError::Value {
            field: "amount_dong",
            found: amount_dong.to_string(),
            expected: "below 500000000 for one NAPAS 247 transfer",
        });
    }
    amount_text("amount_dong", Amount::whole(amount_dong), 0)
}

pub(crate) fn dong(payload: &Payload) -> Result<Option<u64>, DecodeError> {
    let Some(text) = payload.value(54) else {
        return Ok(None);
    };
    text.parse::<Amount>()
        .ok()
        .and_then(|amount| amount.minor(0))
        .map(Some)
        .ok_or_else(|| {
            payload.value_error(
                54,
                Fault::Value {
                    what: "amount",
                    found: text.to_owned(),
                    expected: "whole đồng",
                },
            )
        })
}
