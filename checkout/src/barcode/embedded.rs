//! In-store EAN-13 codes that carry a price, a weight or a quantity.
//!
//! A template is a picture of the 13 digits: digits stand for themselves, `N` for the item,
//! `P` price, `W` weight, `Q` pieces, `{C}` the verifier digit of the amount, `{C?}` a verifier
//! digit that may be printed as 0, and the last `C` the check digit of the whole code.
//! Braces only group: `2{NNNNN}{C?}{PPPPP}C` is 2, item, verifier, price, check.

use serde::{Deserialize, Serialize};

use super::ScanFault;
use super::check_digit::{gtin_check_digit, price_check_digit};

/// One kind of in-store code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbeddedTemplate {
    /// The picture of the 13 digits, such as `22{NNNNN}{PPPPP}C`.
    pub pattern: String,
    /// What one unit of the printed amount is worth: minor units for `P`, thousandths of the
    /// item's weight unit for `W`, pieces for `Q`. 100 lets five digits reach 9,999,900 đ.
    #[serde(default = "one")]
    pub multiplier: u32,
}

fn one() -> u32 {
    1
}

/// What the amount in the code means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbeddedField {
    /// The whole line's price, in minor units.
    PriceMinor(i64),
    /// Weight in thousandths of the item's unit (grams for a kilogram item).
    WeightMilli(i64),
    /// Whole pieces.
    Pieces(i64),
}

/// An amount read from an in-store code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Embedded {
    /// The item digits alone.
    pub item: String,
    /// The amount.
    pub field: EmbeddedField,
    /// Keys to look the item up by: the code with the amount zeroed, prefix and item, item.
    pub candidates: Vec<String>,
}

/// Why a template cannot be used; shown when the configuration is checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum TemplateError {
    /// The picture does not have 13 digits.
    #[error("the template {pattern:?} describes {length} digits; EAN-13 has 13")]
    Length {
        /// The picture.
        pattern: String,
        /// Digits it describes.
        length: usize,
    },
    /// A character with no meaning, or braces that do not pair.
    #[error("the template {pattern:?} has an unexpected character at position {position}")]
    Character {
        /// The picture.
        pattern: String,
        /// Character position from 0.
        position: usize,
    },
    /// No item, no amount, two kinds of amount, or the last digit is not `C`.
    #[error("the template {pattern:?} needs item digits N, one amount (P, W or Q) and a final C")]
    Parts {
        /// The picture.
        pattern: String,
    },
    /// A verifier digit exists only for amounts of 4 or 5 digits.
    #[error(
        "the template {pattern:?} has a verifier digit, which needs an amount of 4 or 5 digits"
    )]
    Verifier {
        /// The picture.
        pattern: String,
    },
    /// A multiplier of 0 would sell everything for nothing.
    #[error("the template {pattern:?} has multiplier 0; use 1 or more")]
    Multiplier {
        /// The picture.
        pattern: String,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    Literal(u8),
    Item,
    Amount(u8),
    Verifier { optional: bool },
    Check,
}

impl EmbeddedTemplate {
    /// Checks the picture and the multiplier.
    ///
    /// # Errors
    /// [`TemplateError`] saying what to change in the configuration.
    pub fn check(&self) -> Result<(), TemplateError> {
        self.slots().map(|_| ())
    }

    fn slots(&self) -> Result<Vec<Slot>, TemplateError> {
        let pattern = || self.pattern.clone();
        let mut slots = Vec::with_capacity(13);
        let mut open = false;
        let mut previous = ' ';
        let count = self.pattern.chars().count();
        for (position, character) in self.pattern.chars().enumerate() {
            let fault = TemplateError::Character {
                pattern: pattern(),
                position,
            };
            match character {
                '{' if !open => open = true,
                '}' if open => open = false,
                '0'..='9' => slots.push(Slot::Literal(character as u8)),
                'N' => slots.push(Slot::Item),
                'P' | 'W' | 'Q' => slots.push(Slot::Amount(character as u8)),
                'C' if open => slots.push(Slot::Verifier { optional: false }),
                '?' if open && previous == 'C' => {
                    slots.pop();
                    slots.push(Slot::Verifier { optional: true });
                }
                'C' if position + 1 == count => slots.push(Slot::Check),
                _ => return Err(fault),
            }
            previous = character;
        }
        if open {
            return Err(TemplateError::Character {
                pattern: pattern(),
                position: count,
            });
        }
        if slots.len() != 13 {
            return Err(TemplateError::Length {
                pattern: pattern(),
                length: slots.len(),
            });
        }
        self.check_parts(&slots)?;
        Ok(slots)
    }

    fn check_parts(&self, slots: &[Slot]) -> Result<(), TemplateError> {
        let pattern = self.pattern.clone();
        let amounts: Vec<u8> = slots
            .iter()
            .filter_map(|s| {
                if let Slot::Amount(kind) = s {
                    Some(*kind)
                } else {
                    None
                }
            })
            .collect();
        let one_kind = amounts.windows(2).all(|pair| pair[0] == pair[1]);
        if amounts.is_empty()
            || !one_kind
            || !slots.contains(&Slot::Item)
            || slots.last() != Some(&Slot::Check)
        {
            return Err(TemplateError::Parts { pattern });
        }
        let verifiers = slots
            .iter()
            .filter(|s| matches!(s, Slot::Verifier { .. }))
            .count();
        if verifiers > 1 || (verifiers == 1 && !matches!(amounts.len(), 4 | 5)) {
            return Err(TemplateError::Verifier { pattern });
        }
        if self.multiplier == 0 {
            return Err(TemplateError::Multiplier { pattern });
        }
        Ok(())
    }

    /// Reads `ean13`; `None` when the template is not meant for it (or is not usable itself).
    fn read(&self, ean13: &str) -> Result<Option<Embedded>, ScanFault> {
        let Ok(slots) = self.slots() else {
            return Ok(None);
        };
        let (mut item, mut amount, mut prefix) = (String::new(), String::new(), String::new());
        let (mut kind, mut verifier) = (b'P', None);
        for (slot, byte) in slots.iter().zip(ean13.bytes()) {
            let character = char::from(byte);
            match *slot {
                Slot::Literal(wanted) if wanted != byte => return Ok(None),
                Slot::Literal(_) => prefix.push(character),
                Slot::Item => item.push(character),
                Slot::Amount(letter) => {
                    kind = letter;
                    amount.push(character);
                }
                Slot::Verifier { optional } => verifier = Some((optional, byte - b'0')),
                Slot::Check => {}
            }
        }
        if let Some((optional, digit)) = verifier {
            let right = price_check_digit(&amount) == Some(digit);
            let left_out = optional && digit == 0;
            if !(right || left_out) {
                return Err(ScanFault::WrongEmbeddedCheckDigit {
                    text: ean13.to_owned(),
                });
            }
        }
        let value = amount
            .parse::<i64>()
            .unwrap_or(0)
            .saturating_mul(i64::from(self.multiplier));
        let field = match kind {
            b'W' => EmbeddedField::WeightMilli(value),
            b'Q' => EmbeddedField::Pieces(value),
            _ => EmbeddedField::PriceMinor(value),
        };
        let candidates = keys(&slots, ean13, &prefix, &item);
        Ok(Some(Embedded {
            item,
            field,
            candidates,
        }))
    }
}

/// The item may be filed as the whole code with the amount zeroed, as prefix and item, or as the item alone.
fn keys(slots: &[Slot], ean13: &str, prefix: &str, item: &str) -> Vec<String> {
    let zeroed: String = slots
        .iter()
        .zip(ean13.chars())
        .take(12)
        .map(|(slot, c)| {
            if matches!(slot, Slot::Literal(_) | Slot::Item) {
                c
            } else {
                '0'
            }
        })
        .collect();
    let check = gtin_check_digit(&zeroed).unwrap_or(0);
    vec![
        format!("{zeroed}{check}"),
        format!("{prefix}{item}"),
        item.to_owned(),
    ]
}

/// The first template that fits.
pub(super) fn find(
    ean13: &str,
    templates: &[EmbeddedTemplate],
) -> Result<Option<Embedded>, ScanFault> {
    for template in templates {
        if let Some(embedded) = template.read(ean13)? {
            return Ok(Some(embedded));
        }
    }
    Ok(None)
}
