//! Numbers, amounts, dates and words as people in Vietnam and elsewhere read them.

use chrono::{DateTime, Datelike, NaiveDate, Weekday};
use chrono_tz::Tz;

/// Language of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lang {
    Vi,
    En,
}

impl Lang {
    /// `?lang=` first, then the browser's list in its own order, then Vietnamese.
    pub(super) fn choose(asked: Option<&str>, accept_language: Option<&str>) -> Self {
        let known = |tag: &str| match tag.trim().get(..2).map(str::to_ascii_lowercase).as_deref() {
            Some("vi") => Some(Self::Vi),
            Some("en") => Some(Self::En),
            _ => None,
        };
        asked
            .and_then(known)
            .or_else(|| accept_language.and_then(|list| list.split(',').find_map(known)))
            .unwrap_or(Self::Vi)
    }

    /// The words in this language.
    pub(super) fn pick<'a>(self, vi: &'a str, en: &'a str) -> &'a str {
        match self {
            Self::Vi => vi,
            Self::En => en,
        }
    }

    /// BCP 47 tag.
    pub(super) fn tag(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    /// A whole number with its thousands grouped: `4.210` or `4,210`.
    pub(super) fn number(self, value: u64) -> String {
        group(&value.to_string(), self.pick(".", ","))
    }

    /// A number with one decimal: `78,4` or `78.4`.
    pub(super) fn decimal(self, value: f64) -> String {
        format!("{value:.1}").replace('.', self.pick(",", "."))
    }

    /// A share as a percentage with one decimal: `31,2%` or `31.2%`.
    pub(super) fn percent(self, share: f64) -> String {
        format!("{}%", self.decimal(share * 100.0))
    }

    /// A percentage that says 100% only when it is exactly that, and 0% only when there is nothing.
    pub(super) fn percent_of(self, part: u64, whole: u64) -> String {
        if part == whole {
            return "100%".into();
        }
        let tenths = u128::from(part) * 1_000 / u128::from(whole.max(1));
        format!("{}{}{}%", tenths / 10, self.pick(",", "."), tenths % 10)
    }

    /// An amount in minor units: `612.480.500 ₫`, `₫612,480,500`, `12,50 €`.
    pub(super) fn money(self, minor: i64, currency: &str) -> String {
        let digits = exponent(currency);
        let magnitude = minor.unsigned_abs();
        let unit = 10_u64.pow(digits);
        let mut text = group(&(magnitude / unit).to_string(), self.pick(".", ","));
        if digits > 0 {
            let width = digits as usize;
            text.push_str(self.pick(",", "."));
            text.push_str(&format!("{:0width$}", magnitude % unit));
        }
        let sign = if minor < 0 { "−" } else { "" };
        match self {
            Self::Vi => format!("{sign}{text}\u{a0}{}", symbol(currency)),
            Self::En if symbol(currency) == currency => format!("{sign}{currency}\u{a0}{text}"),
            Self::En => format!("{sign}{}{text}", symbol(currency)),
        }
    }

    /// `Thứ Bảy, 21.11.2026` or `Saturday, 21 November 2026`.
    pub(super) fn date(self, date: NaiveDate) -> String {
        match self {
            Self::Vi => {
                let day = match date.weekday() {
                    Weekday::Mon => "Thứ Hai",
                    Weekday::Tue => "Thứ Ba",
                    Weekday::Wed => "Thứ Tư",
                    Weekday::Thu => "Thứ Năm",
                    Weekday::Fri => "Thứ Sáu",
                    Weekday::Sat => "Thứ Bảy",
                    Weekday::Sun => "Chủ Nhật",
                };
                format!("{day}, {}", date.format("%d.%m.%Y"))
            }
            Self::En => date.format("%A, %-d %B %Y").to_string(),
        }
    }

    /// `T7` or `Sa`: the head of a grid column.
    pub(super) fn weekday(self, date: NaiveDate) -> &'static str {
        let vi = ["T2", "T3", "T4", "T5", "T6", "T7", "CN"];
        let en = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
        let index = date.weekday().num_days_from_monday() as usize;
        match self {
            Self::Vi => vi[index],
            Self::En => en[index],
        }
    }

    /// How long ago, in words: `vừa xong`, `3 phút trước`.
    pub(super) fn ago(self, elapsed_ms: i64) -> String {
        let minutes = elapsed_ms.max(0) / 60_000;
        match (minutes, self) {
            (0, Self::Vi) => "vừa xong".into(),
            (0, Self::En) => "just now".into(),
            (1..=89, Self::Vi) => format!("{minutes} phút trước"),
            (1..=89, Self::En) => format!("{minutes} min ago"),
            (90..=2_879, Self::Vi) => format!("{} giờ trước", minutes / 60),
            (90..=2_879, Self::En) => format!("{} h ago", minutes / 60),
            (_, Self::Vi) => format!("{} ngày trước", minutes / 1_440),
            (_, Self::En) => format!("{} days ago", minutes / 1_440),
        }
    }

    /// How a tender is called.
    pub(super) fn method(self, method: &str) -> &str {
        match method {
            "cash" => self.pick("Tiền mặt", "Cash"),
            "card" => self.pick("Thẻ", "Card"),
            "qr" => self.pick("Quét mã QR", "QR code"),
            "transfer" => self.pick("Chuyển khoản", "Bank transfer"),
            "voucher" => self.pick("Phiếu mua hàng", "Voucher"),
            other => other,
        }
    }

    /// How a reason of the follow-up question is called; a shop's own key is shown as it is.
    pub(super) fn reason(self, key: &str) -> &str {
        let (vi, en) = match key {
            "waiting" | "during.queue" => ("Chờ lâu", "Waiting"),
            "fast" => ("Nhanh gọn", "Quick"),
            "finding" | "during.search" => ("Tìm hàng", "Finding things"),
            "staff" | "during.staff_help" => ("Nhân viên", "Staff"),
            "price" | "during.price_promo" => ("Giá cả", "Prices"),
            "paying" | "during.payment.choose" => ("Thanh toán", "Paying"),
            "during.payment.card" => ("Trả tiền bằng thẻ", "Paying by card"),
            "during.payment.qr" => ("Trả tiền bằng mã QR", "Paying by QR"),
            "during.payment.cash" => ("Trả tiền mặt", "Paying cash"),
            "during.receipt" => ("In hóa đơn", "Receipt"),
            "during.scan_weigh" => ("Quét và cân hàng", "Scanning and weighing"),
            "during.packaging" => ("Đóng gói", "Packaging"),
            "before.parking" => ("Chỗ đậu xe", "Parking"),
            "before.store.layout" => ("Bày trí cửa hàng", "Store layout"),
            "before.store.cleanliness" => ("Vệ sinh", "Cleanliness"),
            "other" => ("Điều khác", "Something else"),
            other => (other, other),
        };
        self.pick(vi, en)
    }

    /// How a part of a kiosk is called.
    pub(super) fn part(self, part: &str) -> &str {
        let (vi, en) = match part {
            "printer" => ("máy in", "printer"),
            "terminal" => ("máy thẻ", "card terminal"),
            "scanner" => ("máy quét", "scanner"),
            "scale" => ("cân", "scale"),
            "drawer" => ("ngăn kéo tiền", "cash drawer"),
            "network" => ("mạng", "network"),
            "disk" => ("ổ đĩa", "disk"),
            other => (other, other),
        };
        self.pick(vi, en)
    }

    /// What a part that is not ready says.
    pub(super) fn part_state(self, state: &str) -> &str {
        let (vi, en) = match state {
            "attention" => ("cần xem", "needs a look"),
            "absent" => ("mất kết nối", "not connected"),
            "paper_low" => ("sắp hết giấy", "paper low"),
            "paper_out" => ("hết giấy", "out of paper"),
            "cover_open" => ("nắp mở", "cover open"),
            "offline" => ("không trả lời", "offline"),
            other => (other, other),
        };
        self.pick(vi, en)
    }

    /// The five faces, worst first, in the words the kiosk shows.
    pub(super) fn faces(self) -> [&'static str; 5] {
        match self {
            Self::Vi => ["Rất tệ", "Chưa tốt", "Tạm được", "Tốt", "Rất tốt"],
            Self::En => ["Very bad", "Not good", "OK", "Good", "Very good"],
        }
    }
}

/// `14:05` in the business time zone.
pub(super) fn clock_time(at_ms: i64, time_zone: Tz) -> String {
    DateTime::from_timestamp_millis(at_ms)
        .unwrap_or_default()
        .with_timezone(&time_zone)
        .format("%H:%M")
        .to_string()
}

fn group(digits: &str, separator: &str) -> String {
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push_str(separator);
        }
        text.push(digit);
    }
    text
}

/// Decimals of a currency (ISO 4217); two unless listed.
fn exponent(currency: &str) -> u32 {
    match currency {
        "VND" | "JPY" | "KRW" | "CLP" | "ISK" | "PYG" | "RWF" | "UGX" | "VUV" | "XAF" | "XOF"
        | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

fn symbol(currency: &str) -> &str {
    match currency {
        "VND" => "₫",
        "EUR" => "€",
        "USD" => "$",
        "GBP" => "£",
        "JPY" => "¥",
        "INR" => "₹",
        "THB" => "฿",
        other => other,
    }
}

/// Standard base 64 (RFC 4648 §4), padding optional; `None` for anything else.
pub(super) fn base64_decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for character in text.trim_end_matches('=').bytes() {
        let value = match character {
            b'A'..=b'Z' => character - b'A',
            b'a'..=b'z' => character - b'a' + 26,
            b'0'..=b'9' => character - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn amounts_read_as_people_write_them() {
        // Proves: grouping, decimals, sign and symbol follow the language and the currency's exponent.
        assert_eq!(Lang::Vi.money(612_480_500, "VND"), "612.480.500\u{a0}₫");
        assert_eq!(Lang::En.money(612_480_500, "VND"), "₫612,480,500");
        assert_eq!(Lang::Vi.money(-1_250, "EUR"), "−12,50\u{a0}€");
        assert_eq!(Lang::En.money(5, "KWD"), "KWD\u{a0}0.005");
        assert_eq!(
            Lang::En.money(i64::MIN, "VND"),
            "−₫9,223,372,036,854,775,808"
        );
    }

    #[test]
    fn almost_complete_never_reads_as_complete() {
        // Proves: one missing event in a million is not rounded up to 100%.
        assert_eq!(Lang::Vi.percent_of(999_999, 1_000_000), "99,9%");
        assert_eq!(Lang::En.percent_of(3, 3), "100%");
        assert_eq!(Lang::En.percent_of(0, 3), "0.0%");
    }

    #[test]
    fn language_follows_the_reader() {
        // Proves: the address wins over the browser, unknown languages fall to Vietnamese.
        assert_eq!(Lang::choose(Some("en"), Some("vi")), Lang::En);
        assert_eq!(Lang::choose(None, Some("fr, en;q=0.8, vi;q=0.7")), Lang::En);
        assert_eq!(Lang::choose(Some("xx"), None), Lang::Vi);
    }

    #[test]
    fn base64_follows_the_rfc() {
        // Proves: the vectors of RFC 4648 §10 decode, and a foreign character is refused.
        for (text, plain) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
        ] {
            assert_eq!(base64_decode(text).unwrap(), plain.as_bytes());
        }
        assert_eq!(base64_decode("Zm9v!"), None);
    }

    #[test]
    fn dates_are_written_in_full() {
        // Proves: the heading of the page in both languages.
        let date = NaiveDate::from_ymd_opt(2026, 11, 21).unwrap();
        assert_eq!(Lang::Vi.date(date), "Thứ Bảy, 21.11.2026");
        assert_eq!(Lang::En.date(date), "Saturday, 21 November 2026");
    }
}
