//! Time as a parameter: the untrusted wall clock, the monotonic clock, and
//! local dates for prices, tax rates and promotions.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

const SECONDS_PER_DAY: i64 = 86_400;

/// The time of one step, given by the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Now {
    /// Unix time in milliseconds, UTC. Untrusted: it may jump.
    pub wall_ms: i64,
    /// The shop's offset from UTC in minutes (Vietnam: 420).
    pub utc_offset_min: i32,
    /// Milliseconds since some fixed point of this boot; never goes back.
    pub mono_ms: u64,
}

impl Now {
    /// The shop's date and time of day.
    pub fn local(&self) -> LocalDateTime {
        let offset_s = i64::from(self.utc_offset_min) * 60;
        let seconds = self.wall_ms.div_euclid(1000) + offset_s;
        let second_of_day = seconds.rem_euclid(SECONDS_PER_DAY);
        LocalDateTime {
            date: LocalDate::from_unix_days(seconds.div_euclid(SECONDS_PER_DAY)),
            second_of_day: u32::try_from(second_of_day).unwrap_or(0),
        }
    }

    /// The business day it is in a shop whose day begins `starts_min` minutes after midnight.
    pub fn business_date(&self, starts_min: u16) -> LocalDate {
        let local = self.local();
        if local.minute_of_day() < starts_min {
            return local.date.plus_days(-1);
        }
        local.date
    }
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

const WEEKDAYS: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// A date of the proleptic Gregorian calendar, without a time zone.
///
/// Shown, parsed and stored as ISO 8601 `YYYY-MM-DD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDate {
    /// Calendar year.
    pub year: i32,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
}

/// A text that is not an ISO 8601 calendar date.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{text}\" is not a date; trying again will not help: write it as year-month-day, for example 2027-01-01"
)]
pub struct DateError {
    /// What was given.
    pub text: String,
}

impl LocalDate {
    /// The date, if the calendar has it. Years −262143 to 262143.
    pub fn new(year: i32, month: u8, day: u8) -> Option<LocalDate> {
        let date = LocalDate { year, month, day };
        let exists = (-262_143..=262_143).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && LocalDate::from_unix_days(date.unix_days()) == date;
        exists.then_some(date)
    }

    /// The date that many days after 1970-01-01. Years are counted from March,
    /// so that the leap day is the last of its year.
    pub fn from_unix_days(days: i64) -> LocalDate {
        const ERA_DAYS: i64 = 146_097;
        let from_march_0000 = days.saturating_add(719_468);
        let era = from_march_0000.div_euclid(ERA_DAYS);
        let day_of_era = from_march_0000.rem_euclid(ERA_DAYS);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = (month_from_march + 2) % 12 + 1;
        let year = year_of_era + era.saturating_mul(400) + i64::from(month <= 2);
        LocalDate {
            year: i32::try_from(year).unwrap_or(if year < 0 { i32::MIN } else { i32::MAX }),
            month: u8::try_from(month).unwrap_or(1),
            day: u8::try_from(day).unwrap_or(1),
        }
    }

    /// Days after 1970-01-01.
    pub fn unix_days(&self) -> i64 {
        let month = i64::from(self.month);
        let year = i64::from(self.year) - i64::from(month <= 2);
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }

    /// The date `days` later, or earlier when negative.
    pub fn plus_days(&self, days: i64) -> LocalDate {
        LocalDate::from_unix_days(self.unix_days().saturating_add(days))
    }

    /// Its day of the week.
    pub fn weekday(&self) -> Weekday {
        // 1970-01-01 was a Thursday.
        let index = (self.unix_days() + 3).rem_euclid(7);
        WEEKDAYS[usize::try_from(index).unwrap_or(0)]
    }
}

impl fmt::Display for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Debug for LocalDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for LocalDate {
    type Err = DateError;

    fn from_str(text: &str) -> Result<LocalDate, DateError> {
        let digits = |part: Option<&str>| {
            part.filter(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|p| p.parse::<u16>().ok())
        };
        let shaped = text.len() == 10 && text.as_bytes()[4] == b'-' && text.as_bytes()[7] == b'-';
        let parsed = || {
            let year = digits(text.get(0..4))?;
            let month = u8::try_from(digits(text.get(5..7))?).ok()?;
            let day = u8::try_from(digits(text.get(8..10))?).ok()?;
            LocalDate::new(i32::from(year), month, day)
        };
        shaped.then(parsed).flatten().ok_or_else(|| DateError {
            text: text.to_owned(),
        })
    }
}

impl Serialize for LocalDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for LocalDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<LocalDate, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A date and the second of that day, in the shop's own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LocalDateTime {
    /// The day.
    pub date: LocalDate,
    /// Seconds since local midnight, 0 to 86,399.
    pub second_of_day: u32,
}

impl LocalDateTime {
    /// Midnight at the start of `date`.
    pub const fn midnight(date: LocalDate) -> LocalDateTime {
        LocalDateTime {
            date,
            second_of_day: 0,
        }
    }

    /// The day of the week.
    pub fn weekday(&self) -> Weekday {
        self.date.weekday()
    }

    /// Whole minutes since local midnight, 0 to 1,439.
    pub fn minute_of_day(&self) -> u16 {
        u16::try_from(self.second_of_day / 60).unwrap_or(u16::MAX)
    }
}

impl fmt::Display for LocalDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (hour, rest) = (self.second_of_day / 3600, self.second_of_day % 3600);
        write!(
            f,
            "{}T{hour:02}:{:02}:{:02}",
            self.date,
            rest / 60,
            rest % 60
        )
    }
}
