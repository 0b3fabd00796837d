//! The code of one offer: made from the shop's own account or by the provider, and checked before
//! anybody may see it.
//!
//! Whatever is shown was decoded again: the account, the amount and the order code in it must be
//! those that are meant, and what is drawn must read back to the byte. Runs on the bank's threads.

use crate::bank::{Answer, Asked, Capabilities, Known, Made, ProviderError, QrPaymentProvider};
use crate::config::Bank;
use crate::qr_symbol::{Symbol, SymbolFault};
use checkout::Currency;
use payqr::{Payload, VietQr};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// Draws a payload and reads it back.
pub(super) type Proof = fn(&str) -> Result<(), SymbolFault>;

pub(super) fn draws_right(payload: &str) -> Result<(), SymbolFault> {
    Symbol::checked(payload.as_bytes()).map(drop)
}

/// Why a code is not shown. Trying the next offer helps where only one drawing failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeFault {
    /// No code can be made for this account or amount.
    #[error("no code can be made: {0}. Check bank.bank_bin and bank.account")]
    NotMade(String),
    /// It is no payment code.
    #[error("it cannot be decoded: {0}")]
    Undecodable(String),
    /// It pays another account.
    #[error("it pays account {found_bin} {found_tail} where {wanted_bin} {wanted_tail} is meant")]
    OtherAccount {
        /// Bank in the code.
        found_bin: String,
        /// Last digits of the account in the code.
        found_tail: String,
        /// Bank that is meant.
        wanted_bin: String,
        /// Last digits of the account that is meant.
        wanted_tail: String,
    },
    /// It asks for another amount.
    #[error("it asks for {found} where {wanted} is meant")]
    OtherAmount {
        /// In the code, as written there.
        found: String,
        /// That is meant.
        wanted: String,
    },
    /// Its memo does not hold the order code.
    #[error("its memo does not hold the order code")]
    OtherOrder,
    /// What was drawn does not read back.
    #[error(transparent)]
    Drawing(#[from] SymbolFault),
}

/// The last four characters, for messages and screens.
pub(super) fn tail(account: &str) -> String {
    let from = account.chars().count().saturating_sub(4);
    account.chars().skip(from).collect()
}

/// The shop's own code for an offer.
pub(super) fn own_code(bank: &Bank, asked: &Asked) -> Result<Made, CodeFault> {
    let not_made = |why: String| CodeFault::NotMade(why);
    let amount_dong = u64::try_from(asked.offer.amount_minor)
        .map_err(|_| not_made("the amount is below zero".into()))?;
    let payload = VietQr::account(&bank.bank_bin, &bank.account)
        .with_amount(amount_dong)
        .with_memo(&asked.offer.order)
        .encode()
        .map_err(|error| not_made(error.to_string()))?;
    Ok(Made {
        payload,
        bank_bin: bank.bank_bin.clone(),
        account: bank.account.clone(),
        name: bank.payee.clone(),
    })
}

/// Whether a code is the payment that was asked for, to the account it is said to pay.
pub(super) fn check(made: &Made, asked: &Asked, currency: Currency) -> Result<(), CodeFault> {
    if currency == Currency::VND {
        check_vietqr(made, asked)
    } else {
        check_emv(made, asked, currency)
    }
}

fn check_vietqr(made: &Made, asked: &Asked) -> Result<(), CodeFault> {
    let code =
        VietQr::decode(&made.payload).map_err(|error| CodeFault::Undecodable(error.to_string()))?;
    let known = !made.bank_bin.is_empty() || !made.account.is_empty();
    if known && (code.bin != made.bank_bin || code.account != made.account) {
        return Err(CodeFault::OtherAccount {
            found_bin: code.bin,
            found_tail: tail(&code.account),
            wanted_bin: made.bank_bin.clone(),
            wanted_tail: tail(&made.account),
        });
    }
    let amount = code
        .amount_dong
        .and_then(|amount| i64::try_from(amount).ok());
    if amount != Some(asked.offer.amount_minor) {
        return Err(CodeFault::OtherAmount {
            found: code
                .amount_dong
                .map_or("none".into(), |amount| amount.to_string()),
            wanted: asked.offer.amount_minor.to_string(),
        });
    }
    let memo: String = code.memo.unwrap_or_default();
    let memo: String = memo.chars().filter(char::is_ascii_alphanumeric).collect();
    if memo.to_ascii_uppercase().contains(&asked.offer.order) {
        Ok(())
    } else {
        Err(CodeFault::OtherOrder)
    }
}

/// A code of another country's scheme: the amount is checked where the code holds one. A dynamic
/// code keeps it, and the account, at the provider.
fn check_emv(made: &Made, asked: &Asked, currency: Currency) -> Result<(), CodeFault> {
    let payload = Payload::decode(&made.payload)
        .map_err(|error| CodeFault::Undecodable(error.to_string()))?;
    let exponent = usize::from(currency.exponent());
    let digits = format!(
        "{:0>width$}",
        asked.offer.amount_minor,
        width = exponent + 1
    );
    let (whole, rest) = digits.split_at(digits.len() - exponent);
    let wanted = match rest {
        "" => whole.to_owned(),
        rest => format!("{whole}.{rest}"),
    };
    match payload.value(54) {
        Some(found) if found != wanted => Err(CodeFault::OtherAmount {
            found: found.to_owned(),
            wanted,
        }),
        _ => Ok(()),
    }
}

/// The bank side behind these checks.
pub(super) struct Proven<P: ?Sized> {
    bank: Bank,
    currency: Currency,
    proof: Proof,
    /// Offers whose code is not out yet.
    asked: Mutex<BTreeMap<String, Asked>>,
    provider: Box<P>,
}

impl<P: QrPaymentProvider + ?Sized> Proven<P> {
    pub(super) fn new(bank: Bank, currency: Currency, proof: Proof, provider: Box<P>) -> Self {
        Self {
            bank,
            currency,
            proof,
            asked: Mutex::new(BTreeMap::new()),
            provider,
        }
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Asked>> {
        // Every change is one insert or removal.
        self.asked
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }

    fn prove(&self, made: &Made, asked: &Asked) -> Result<(), ProviderError> {
        let wrong = |fault: CodeFault| ProviderError::WrongCode(fault.to_string());
        check(made, asked, self.currency).map_err(wrong)?;
        (self.proof)(&made.payload).map_err(|fault| wrong(fault.into()))
    }

    /// Adds the code to an answer that lacks one, or checks the provider's own.
    fn with_code(&self, asked: &Asked, mut answer: Answer) -> Result<Answer, ProviderError> {
        if answer.creating {
            return Ok(answer);
        }
        self.open().remove(&asked.offer.order);
        match &answer.made {
            Some(made) => {
                if let Err(wrong) = self.prove(made, asked) {
                    // Nobody will see it; the provider need not wait for money.
                    let _ = self.provider.cancel(&asked.offer.order);
                    return Err(wrong);
                }
            }
            None => answer.made = Some(self.own(asked)?),
        }
        Ok(answer)
    }

    fn own(&self, asked: &Asked) -> Result<Made, ProviderError> {
        if self.currency != Currency::VND {
            let why = CodeFault::NotMade("the provider made none, and VietQR is for VND".into());
            return Err(ProviderError::WrongCode(why.to_string()));
        }
        let made = own_code(&self.bank, asked)
            .map_err(|fault| ProviderError::WrongCode(fault.to_string()))?;
        self.prove(&made, asked)?;
        Ok(made)
    }
}

impl<P: QrPaymentProvider + ?Sized> QrPaymentProvider for Proven<P> {
    fn capabilities(&self) -> Capabilities {
        self.provider.capabilities()
    }

    fn ready(&self) -> Result<(), ProviderError> {
        self.provider.ready()
    }

    /// Our own code is drawn and read back before the provider hears of the offer.
    fn create(&self, asked: &Asked) -> Result<Answer, ProviderError> {
        if self.currency == Currency::VND {
            self.own(asked)?;
        }
        self.open().insert(asked.offer.order.clone(), asked.clone());
        let answer = self.provider.create(asked)?;
        self.with_code(asked, answer)
    }

    fn observe(&self, order: &str, known: Known, wait: Duration) -> Result<Answer, ProviderError> {
        let answer = self.provider.observe(order, known, wait)?;
        let asked = self.open().get(order).cloned();
        match asked {
            Some(asked) => self.with_code(&asked, answer),
            None => Ok(answer),
        }
    }

    fn cancel(&self, order: &str) -> Result<Answer, ProviderError> {
        self.open().remove(order);
        self.provider.cancel(order)
    }
}

/// The account in the configuration, made into a code and read out of it again: what is shown to
/// staff is what codes really pay.
///
/// # Errors
/// [`CodeFault`]: payment by QR cannot be offered with this configuration.
pub fn pinned_payee(bank: &Bank, currency: Currency) -> Result<String, CodeFault> {
    let asked = Asked {
        offer: crate::bank::Offer {
            order: "000000000".into(),
            amount_minor: 1,
            currency: currency.code().to_owned(),
        },
        attempt: String::new(),
        open_for_ms: 0,
    };
    let made = own_code(bank, &asked)?;
    check_vietqr(&made, &asked)?;
    Ok(format!("{}/{}", made.bank_bin, made.account))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::bank::Offer;

    fn bank() -> Bank {
        crate::testing::configuration().file.bank.unwrap()
    }

    fn asked() -> Asked {
        Asked {
            offer: Offer {
                order: "A0B1C2D3E".into(),
                amount_minor: 45_000,
                currency: "VND".into(),
            },
            attempt: "A-0001".into(),
            open_for_ms: 180_000,
        }
    }

    #[test]
    fn a_code_that_is_not_the_payment_is_named_for_what_is_wrong() {
        // Proves: another account, bank, amount or memo, and garbage, are each refused by name, and
        // the right code is taken.
        let made = own_code(&bank(), &asked()).unwrap();
        check(&made, &asked(), Currency::VND).unwrap();
        let said = |change: fn(&mut Made)| {
            let mut other = made.clone();
            change(&mut other);
            check(&other, &asked(), Currency::VND).unwrap_err()
        };
        assert!(matches!(
            said(|made| made.account = "6666666666".into()),
            CodeFault::OtherAccount { .. }
        ));
        assert!(matches!(
            said(|made| made.bank_bin = "970418".into()),
            CodeFault::OtherAccount { .. }
        ));
        let paying = |amount: u64, memo: &str| {
            let code = VietQr::account(&made.bank_bin, &made.account);
            code.with_amount(amount).with_memo(memo).encode().unwrap()
        };
        let with = |payload: String| {
            let other = Made {
                payload,
                ..made.clone()
            };
            check(&other, &asked(), Currency::VND)
        };
        assert!(matches!(
            with(paying(45_001, "A0B1C2D3E")),
            Err(CodeFault::OtherAmount { .. })
        ));
        assert_eq!(
            with(paying(45_000, "Z9Y8X7W6V")),
            Err(CodeFault::OtherOrder)
        );
        assert!(matches!(
            with("hello".into()),
            Err(CodeFault::Undecodable(_))
        ));
        // Providers put words of their own around the code.
        with(paying(45_000, "CSDL a0b1c2d3e")).unwrap();
    }

    #[test]
    fn amounts_with_decimals_are_compared_to_the_digit() {
        // Proves that a code of a currency with cents is checked by what it writes.
        let brl = Currency::from_code("BRL").unwrap();
        let made = |text: &str| Made {
            payload: text.into(),
            bank_bin: String::new(),
            account: String::new(),
            name: String::new(),
        };
        let pix = "00020126510014br.gov.bcb.pix0115thalesog@me.com0210Pedido 123520400005303986540510.005802BR5914THALES OGLIARI6015SAO MIGUEL DO O62070503***63040DC6";
        let mut ten = asked();
        ten.offer.amount_minor = 1_000;
        check(&made(pix), &ten, brl).unwrap();
        ten.offer.amount_minor = 1_001;
        assert!(matches!(
            check(&made(pix), &ten, brl),
            Err(CodeFault::OtherAmount { .. })
        ));
    }

    #[test]
    fn the_account_is_read_out_of_a_code() {
        // Proves that what is pinned at the start is what a code decodes to, and that an account no
        // code can be made for is said.
        assert_eq!(
            pinned_payee(&bank(), Currency::VND).unwrap(),
            format!("{}/{}", bank().bank_bin, bank().account)
        );
        let mut broken = bank();
        broken.bank_bin = "9704".into();
        assert!(matches!(
            pinned_payee(&broken, Currency::VND),
            Err(CodeFault::NotMade(_))
        ));
    }
}
