//! Bank times as text and as unix milliseconds. No clock is read here.

const DAY_MS: i64 = 86_400_000;
/// Vietnam has been at UTC+7 without summer time since 1975.
pub const VIETNAM_OFFSET_MINUTES: i64 = 7 * 60;

/// Reads `YYYY-MM-DD HH:MM:SS`, with `T` for the space, a fraction of a second,
/// and `Z` or `±HH:MM` at the end; without those the given offset from UTC, in
/// minutes, holds. `None` for anything else.
#[must_use]
pub fn parse(text: &str, offset_minutes: i64) -> Option<i64> {
    let text = text.trim();
    if !text.is_ascii() || text.len() < 19 {
        return None;
    }
    let (clock, rest) = text.split_at(19);
    let bytes = clock.as_bytes();
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let fits = separators.iter().all(|(at, byte)| bytes[*at] == *byte);
    if !fits || !matches!(bytes[10], b' ' | b'T') {
        return None;
    }
    let part = |from: usize, to: usize| digits(&clock[from..to]);
    let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
    let (hour, minute, second) = (part(11, 13)?, part(14, 16)?, part(17, 19)?);
    let valid = (1..=12).contains(&month)
        && (1..=days_of_month(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second < 61;
    if !valid {
        return None;
    }
    let (fraction_ms, rest) = fraction(rest)?;
    let offset = if rest.is_empty() {
        offset_minutes
    } else {
        zone(rest)?
    };
    let seconds = hour * 3_600 + minute * 60 + second - offset * 60;
    Some(days_from_civil(year, month, day) * DAY_MS + seconds * 1_000 + fraction_ms)
}

/// `YYYY-MM-DD HH:MM:SS` in Vietnam, the way payOS and SePay write it.
#[must_use]
pub fn vietnam(unix_ms: i64) -> String {
    let (date, clock, _) = split(unix_ms + VIETNAM_OFFSET_MINUTES * 60_000);
    format!("{date} {clock}")
}

/// `YYYY-MM-DDTHH:MM:SS+07:00`.
#[must_use]
pub fn vietnam_rfc3339(unix_ms: i64) -> String {
    let (date, clock, _) = split(unix_ms + VIETNAM_OFFSET_MINUTES * 60_000);
    format!("{date}T{clock}+07:00")
}

/// `YYYY-MM-DDTHH:MM:SS.sssZ`, the way Pix writes it.
#[must_use]
pub fn utc(unix_ms: i64) -> String {
    let (date, clock, ms) = split(unix_ms);
    format!("{date}T{clock}.{ms:03}Z")
}

fn split(ms: i64) -> (String, String, i64) {
    let (year, month, day) = civil_from_days(ms.div_euclid(DAY_MS));
    let of_day = ms.rem_euclid(DAY_MS);
    let seconds = of_day / 1_000;
    (
        format!("{year:04}-{month:02}-{day:02}"),
        format!(
            "{:02}:{:02}:{:02}",
            seconds / 3_600,
            seconds / 60 % 60,
            seconds % 60
        ),
        of_day % 1_000,
    )
}

fn digits(text: &str) -> Option<i64> {
    let all = text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

/// Milliseconds of a fraction, and what follows it.
fn fraction(rest: &str) -> Option<(i64, &str)> {
    let Some(tail) = rest.strip_prefix('.') else {
        return Some((0, rest));
    };
    let end = tail
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(tail.len());
    let (fraction, rest) = tail.split_at(end);
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let padded = format!("{fraction:0<3}");
    Some((digits(&padded[..3])?, rest))
}

fn zone(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = text[1..].split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes) = (digits(hours)?, digits(minutes)?);
    (hours < 15 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

fn days_of_month(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a date of the Gregorian calendar, which repeats
/// every 400 years (146,097 days). The year here begins in March, so that the
/// leap day is its last.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let century_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + century_days + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_forms_of_the_three_providers_are_one_moment() {
        // Proves local, offset and UTC forms against the known second of one moment.
        let ms = 1_675_509_900_000;
        for text in [
            "2023-02-04 18:25:00",
            "2023-02-04T18:25:00+07:00",
            "2023-02-04T11:25:00Z",
            "2023-02-04T11:25:00.000Z",
            "2023-02-04T07:25:00-04:00",
        ] {
            assert_eq!(parse(text, VIETNAM_OFFSET_MINUTES), Some(ms), "{text}");
        }
        assert_eq!(vietnam(ms), "2023-02-04 18:25:00");
        assert_eq!(utc(ms + 7), "2023-02-04T11:25:00.007Z");
    }

    #[test]
    fn every_day_of_four_centuries_goes_there_and_back() {
        // Proves the calendar by counting days one by one.
        let mut expected = days_from_civil(1970, 1, 1);
        assert_eq!(expected, 0);
        for year in 1970..2371 {
            for month in 1..=12 {
                for day in 1..=days_of_month(year, month) {
                    assert_eq!(days_from_civil(year, month, day), expected);
                    assert_eq!(civil_from_days(expected), (year, month, day));
                    expected += 1;
                }
            }
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        // Proves that impossible and foreign forms are refused.
        for text in [
            "",
            "2023-02-04",
            "2023-02-30 00:00:00",
            "2023-13-01 00:00:00",
            "2023-02-04 24:00:00",
            "2023-02-04 18:25:00 ICT",
            "2023-02-04 18:25:00.",
            "2023-02-04 18:25:00+7",
            "04/02/2023 18:25:00",
            "２023-02-04 18:25:00",
        ] {
            assert_eq!(parse(text, 0), None, "{text}");
        }
    }
}
