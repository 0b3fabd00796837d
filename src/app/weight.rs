//! A weight as it is typed: digits and one decimal sign, as the scale shows it.

use checkout::{Quantity, Unit};

/// Digits before the decimal sign; enough for 30 kg in grams.
const WHOLE_DIGITS_MAX: usize = 5;

/// What was typed so far. The decimal sign is kept as a point, whatever sign the screen shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypedWeight {
    text: String,
}

impl TypedWeight {
    /// A key of the pad: a digit, or the decimal sign of any language. What `unit` has no room for is not taken.
    pub fn key(&mut self, key: &str, unit: &Unit) {
        let decimals = usize::from(unit.decimals().min(3));
        match (key, self.text.split_once('.')) {
            ("," | ".", None) if decimals > 0 => {
                if self.text.is_empty() {
                    self.text.push('0');
                }
                self.text.push('.');
            }
            ("0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9", part) => {
                let room = match part {
                    Some((_, fraction)) => fraction.len() < decimals,
                    None => self.text.len() < WHOLE_DIGITS_MAX,
                };
                if room {
                    if self.text == "0" {
                        self.text.clear();
                    }
                    self.text.push_str(key);
                }
            }
            _ => {}
        }
    }

    /// Takes the last key back.
    pub fn erase(&mut self) {
        self.text.pop();
    }

    /// Nothing is typed.
    pub fn clear(&mut self) {
        self.text.clear();
    }

    /// What stands on the pad, with `sign` as decimal sign; empty when nothing is typed.
    pub fn text(&self, sign: char) -> String {
        self.text.replace('.', &sign.to_string())
    }

    /// The amount in thousandths; `None` when nothing is typed.
    pub fn quantity(&self) -> Option<Quantity> {
        let (whole, fraction) = self.text.split_once('.').unwrap_or((&self.text, ""));
        let whole: i64 = whole.parse().ok()?;
        let fraction: i64 = format!("{fraction:0<3}").parse().ok()?;
        Some(Quantity::milli(whole * 1000 + fraction))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str, decimals: u8) -> TypedWeight {
        let label = "kg".to_owned();
        let unit = Unit::Weight { label, decimals };
        let mut weight = TypedWeight::default();
        for key in keys.chars() {
            weight.key(&key.to_string(), &unit);
        }
        weight
    }

    #[test]
    fn a_weight_is_what_the_scale_shows() {
        // Proves that typed figures become exact thousandths, and are shown with the sign of the language.
        for (keys, milli, shown) in [
            ("0,350", 350, "0,350"),
            ("0.35", 350, "0,35"),
            (",5", 500, "0,5"),
            ("1,25", 1_250, "1,25"),
            ("12", 12_000, "12"),
            ("007", 7_000, "7"),
            ("0,", 0, "0,"),
        ] {
            let weight = typed(keys, 3);
            assert_eq!(weight.quantity(), Some(Quantity::milli(milli)), "{keys}");
            assert_eq!(weight.text(','), shown, "{keys}");
        }
        assert_eq!(TypedWeight::default().quantity(), None);
    }

    #[test]
    fn keys_without_room_are_not_taken() {
        // Proves that a second sign, too many digits, a sign the unit has none of and odd keys change nothing.
        assert_eq!(typed("1,2,34567", 3).text(','), "1,234");
        assert_eq!(typed("1234567", 3).text(','), "12345");
        assert_eq!(typed("3,50", 0).text(','), "350");
        assert_eq!(typed("1,29", 1).text(','), "1,2");
        assert_eq!(typed("x-1", 3).text(','), "1");
        let mut weight = typed("0,3", 3);
        for _ in 0..5 {
            weight.erase();
        }
        assert_eq!(weight.quantity(), None);
    }
}
