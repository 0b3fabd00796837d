//! Any payment code: one door for decoding and encoding, with plain JSON.

use serde::{Deserialize, Serialize};

use crate::duitnow::DuitNow;
use crate::epc::EpcTransfer;
use crate::error::{DecodeError, EncodeError, Fault};
use crate::payload::{Payload, Warning};
use crate::paynow::{PAYNOW, PayNow};
use crate::pix::{PIX, Pix};
use crate::promptpay::{PROMPTPAY_BILL, PROMPTPAY_TRANSFER, PromptPay, ThaiBill};
use crate::qris::{QRIS, Qris};
use crate::swiss::SwissBill;
use crate::upi::Upi;
use crate::vietqr::{NAPAS, VietQr};
use crate::vnpay::{VNPAY, Vnpay};

/// A payment code of any scheme. In JSON the scheme is the member `scheme`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "scheme", rename_all = "snake_case")]
#[non_exhaustive]
pub enum PaymentCode {
    /// VietQR (NAPAS 247), also MoMo and ZaloPay.
    VietQr(VietQr),
    /// VNPAY-QR.
    Vnpay(Vnpay),
    /// Pix.
    Pix(Pix),
    /// PromptPay transfer.
    PromptPay(PromptPay),
    /// Thai bill payment.
    ThaiBill(ThaiBill),
    /// PayNow.
    PayNow(PayNow),
    /// QRIS.
    Qris(Qris),
    /// DuitNow.
    DuitNow(DuitNow),
    /// SEPA credit transfer.
    Epc(EpcTransfer),
    /// Swiss QR-bill.
    SwissBill(SwissBill),
    /// UPI link.
    Upi(Upi),
    /// An EMV payload of another scheme, field by field.
    Emv(Payload),
}

/// What a text turned out to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decoded {
    /// The code.
    #[serde(flatten)]
    pub code: PaymentCode,
    /// Every field of an EMV code, also those the scheme's view leaves out.
    /// Encodes to the identical bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// What a strict encoder would not write.
    pub warnings: Vec<Warning>,
}

/// Reads a payment code of any scheme from the bytes of a QR symbol.
///
/// # Errors
/// [`DecodeError`] saying what is wrong where.
pub fn decode(bytes: &[u8]) -> Result<Decoded, DecodeError> {
    let plain = |code| Decoded {
        code,
        payload: None,
        warnings: Vec::new(),
    };
    // EPC codes carry their own character set, all others are UTF-8.
    if bytes.starts_with(b"BCD\n") || bytes.starts_with(b"BCD\r\n") {
        return EpcTransfer::decode(bytes).map(|code| plain(PaymentCode::Epc(code)));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| DecodeError {
        fault: Fault::Value {
            what: "text",
            found: "a byte that is not".to_owned(),
            expected: "UTF-8",
        },
        place: crate::error::Place {
            byte: error.valid_up_to(),
            character: String::from_utf8_lossy(&bytes[..error.valid_up_to()])
                .chars()
                .count(),
            path: String::new(),
        },
    })?;
    let begins = text.get(..4).unwrap_or_default();
    if begins.eq_ignore_ascii_case("upi:") {
        return Upi::decode(text).map(|code| plain(PaymentCode::Upi(code)));
    }
    if begins.starts_with("SPC") {
        return SwissBill::decode(text).map(|code| plain(PaymentCode::SwissBill(code)));
    }
    if !begins.starts_with("00") {
        return Err(DecodeError::whole(Fault::UnknownScheme {
            begins: text.chars().take(12).collect(),
        }));
    }
    let payload = Payload::decode(text)?;
    Ok(Decoded {
        code: PaymentCode::from_payload(&payload)?,
        warnings: payload.warnings(),
        payload: Some(payload),
    })
}

impl PaymentCode {
    /// The scheme's view of an EMV payload; of a label for several schemes the
    /// first of VietQR, VNPAY, Pix, PromptPay, PayNow, QRIS, DuitNow.
    ///
    /// # Errors
    /// The scheme is known and a value of it is broken.
    pub fn from_payload(payload: &Payload) -> Result<Self, DecodeError> {
        let has = |identifier| {
            payload
                .account_template(identifier)
                .map(|found| found.is_some())
        };
        Ok(if has(NAPAS)? {
            Self::VietQr(VietQr::from_payload(payload)?)
        } else if has(VNPAY)? {
            Self::Vnpay(Vnpay::from_payload(payload)?)
        } else if has(PIX)? {
            Self::Pix(Pix::from_payload(payload)?)
        } else if has(PROMPTPAY_BILL)? {
            Self::ThaiBill(ThaiBill::from_payload(payload)?)
        } else if has(PROMPTPAY_TRANSFER)? {
            Self::PromptPay(PromptPay::from_payload(payload)?)
        } else if has(PAYNOW)? {
            Self::PayNow(PayNow::from_payload(payload)?)
        } else if has(QRIS)? || is_indonesian(payload) {
            Self::Qris(Qris::from_payload(payload)?)
        } else if has(crate::duitnow::DUITNOW)? {
            Self::DuitNow(DuitNow::from_payload(payload)?)
        } else {
            Self::Emv(payload.clone())
        })
    }

    /// The bytes for the QR symbol (UTF-8 but for EPC codes of another
    /// character set).
    ///
    /// # Errors
    /// [`EncodeError`] naming the value to change.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let text = match self {
            Self::VietQr(code) => code.encode(),
            Self::Vnpay(code) => code.encode(),
            Self::Pix(code) => code.encode(),
            Self::PromptPay(code) => code.encode(),
            Self::ThaiBill(code) => code.encode(),
            Self::PayNow(code) => code.encode(),
            Self::Qris(code) => code.encode(),
            Self::DuitNow(code) => code.encode(),
            Self::Epc(code) => return code.encode(),
            Self::SwissBill(code) => code.encode(),
            Self::Upi(code) => code.encode(),
            Self::Emv(payload) => payload.encode(),
        }?;
        Ok(text.into_bytes())
    }
}

/// Older Indonesian codes have acquirer templates but no national one.
fn is_indonesian(payload: &Payload) -> bool {
    payload.value(58) == Some("ID") && (26..=45).any(|id| payload.value(id).is_some())
}
