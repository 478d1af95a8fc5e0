//! A record of tower-sessions: the id, the values, and the date at which the session ends, in MessagePack.

use std::fmt;
use std::io::Cursor;

use rmp_serde::{Deserializer, Serializer};
use serde::Serialize as _;
use serde::de::{Deserializer as _, Error, SeqAccess, Visitor};
use serde_json::{Map, Value};
use sessionkit_core::{ForeignError, Timestamp};

use super::super::message_pack::{Plain, Root, unreadable};
use super::super::record::written;
use crate::formats::json::check_depth;

pub(super) struct Stored {
    pub(super) id: i128,
    pub(super) values: Map<String, Value>,
    pub(super) expires_at: Timestamp,
}

/// A date and time: the year, the day of the year from 1 on, the hour, the minute, the second, the nanosecond, and the offset
/// from UTC in hours, minutes and seconds.
type DateTime = (i32, u16, u8, u8, u8, u32, i8, i8, i8);

impl Stored {
    pub(super) fn read(record: &[u8]) -> Result<Self, ForeignError> {
        let mut at_key = String::new();
        let mut input = Deserializer::new(Cursor::new(record));
        let read = input.deserialize_any(StoredVisitor { at_key: &mut at_key });
        read.ok().filter(|_| input.position() == record.len() as u64).ok_or_else(|| unreadable(&at_key))
    }

    pub(super) fn write(&self) -> Result<Vec<u8>, ForeignError> {
        check_depth(&self.values)?;
        let date =
            date_of(self.expires_at).ok_or_else(|| ForeignError::unwritable("the session ends too late for a date"))?;
        let mut record = Vec::new();
        let encoded = (self.id, Plain(&self.values), date).serialize(&mut Serializer::new(&mut record));
        encoded.map_err(|_| ForeignError::unwritable("the values have no form in MessagePack"))?;
        written(record)
    }
}

struct StoredVisitor<'a> {
    at_key: &'a mut String,
}

impl<'de> Visitor<'de> for StoredVisitor<'_> {
    type Value = Stored;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id, values and a date")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Stored, A::Error> {
        let missing = || A::Error::custom("a part is missing");
        let id = parts.next_element()?.ok_or_else(missing)?;
        let values = parts.next_element_seed(Root { at_key: self.at_key })?.ok_or_else(missing)?;
        let date = parts.next_element()?.ok_or_else(missing)?;
        let expires_at = time_of(date).ok_or_else(|| A::Error::custom("the date does not exist"))?;
        Ok(Stored { id, values, expires_at })
    }
}

const DAY: i64 = 86_400;

/// Returns the days from the first day of the year 1 to that of another one.
fn days_before(year: i64) -> i64 {
    let years = year - 1;
    years * 365 + years / 4 - years / 100 + years / 400
}

/// Returns a time, as whole seconds. There is none before 1970.
fn time_of((year, day, hour, minute, second, nanosecond, hours, minutes, seconds): DateTime) -> Option<Timestamp> {
    let year = i64::from(year);
    let exists = (1..=9999).contains(&year)
        && day > 0
        && i64::from(day) <= days_before(year + 1) - days_before(year)
        && (hour < 24 && minute < 60 && second < 60 && nanosecond < 1_000_000_000)
        && ((-25..=25).contains(&hours) && minutes.unsigned_abs() < 60 && seconds.unsigned_abs() < 60);
    let days = days_before(year.clamp(1, 9999)) - days_before(1970) + i64::from(day) - 1;
    let clock = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    let offset = i64::from(hours) * 3600 + i64::from(minutes) * 60 + i64::from(seconds);
    let seconds = u64::try_from(days * DAY + clock - offset).ok()?;
    exists.then(|| Timestamp::from_unix_seconds(seconds))
}

/// Returns the date of a time, in UTC, unless it lies after the year 9999.
fn date_of(time: Timestamp) -> Option<DateTime> {
    let seconds = i64::try_from(time.unix_seconds()).ok()?;
    let (days, clock) = (days_before(1970) + seconds / DAY, seconds % DAY);
    // Too early by some years at most: no year has more than 366 days.
    let mut year = 1970 + seconds / DAY / 366;
    while year <= 9999 && days_before(year + 1) <= days {
        year += 1;
    }
    if year > 9999 {
        return None;
    }
    let day = u16::try_from(days - days_before(year) + 1).ok()?;
    let part = |value: i64| u8::try_from(value).ok();
    Some((i32::try_from(year).ok()?, day, part(clock / 3600)?, part(clock / 60 % 60)?, part(clock % 60)?, 0, 0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_date() {
        for (seconds, date) in [
            (0, (1970, 1, 0, 0, 0)),
            (68_255_999, (1972, 60, 23, 59, 59)),
            (951_782_400, (2000, 60, 0, 0, 0)),
            (978_307_199, (2000, 366, 23, 59, 59)),
            (978_307_200, (2001, 1, 0, 0, 0)),
            (1_700_000_000, (2023, 318, 22, 13, 20)),
            (4_107_542_400, (2100, 60, 0, 0, 0)),
            (253_402_300_799, (9999, 365, 23, 59, 59)),
        ] {
            let (year, day, hour, minute, second) = date;
            let date = (year, day, hour, minute, second, 0, 0, 0, 0);
            let time = Timestamp::from_unix_seconds(seconds);
            assert_eq!((date_of(time), time_of(date)), (Some(date), Some(time)), "{seconds}");
        }
        for seconds in (0..253_402_300_799).step_by(123_456_789) {
            let time = Timestamp::from_unix_seconds(seconds);
            assert_eq!(date_of(time).and_then(time_of), Some(time));
        }
        for seconds in [253_402_300_800, u64::MAX >> 1, u64::MAX] {
            assert_eq!(date_of(Timestamp::from_unix_seconds(seconds)), None);
        }
        let east = time_of((2023, 318, 23, 43, 20, 999_999_999, 1, 30, 0));
        assert_eq!(east, Some(Timestamp::from_unix_seconds(1_700_000_000)));
        let west = time_of((2023, 318, 21, 13, 10, 0, -1, 0, -10));
        assert_eq!(west, Some(Timestamp::from_unix_seconds(1_700_000_000)));
    }

    #[test]
    fn a_date_that_does_not_exist_is_refused() {
        for date in [
            (1969, 365, 0, 0, 0, 0, 0, 0, 0),
            (1970, 1, 0, 0, 0, 0, 1, 0, 0),
            (2023, 0, 0, 0, 0, 0, 0, 0, 0),
            (2023, 366, 0, 0, 0, 0, 0, 0, 0),
            (2023, 1, 24, 0, 0, 0, 0, 0, 0),
            (2023, 1, 0, 60, 0, 0, 0, 0, 0),
            (2023, 1, 0, 0, 60, 0, 0, 0, 0),
            (2023, 1, 0, 0, 0, 1_000_000_000, 0, 0, 0),
            (2023, 1, 0, 0, 0, 0, 26, 0, 0),
            (2023, 1, 0, 0, 0, 0, 0, 60, 0),
            (2023, 1, 0, 0, 0, 0, 0, 0, -128),
            (10_000, 1, 0, 0, 0, 0, 0, 0, 0),
            (i32::MAX, u16::MAX, 255, 255, 255, u32::MAX, 127, 127, 127),
            (i32::MIN, 0, 0, 0, 0, 0, -128, -128, -128),
        ] {
            assert_eq!(time_of(date), None, "{date:?}");
        }
    }
}
