//! Dates as JavaScript's `toISOString` writes them: `2026-11-21T04:34:58.700Z`.

use sessionkit_core::Timestamp;

const DAYS: [u64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// The days from the first of the year 0, which is a leap year, to that of 1970.
const EPOCH: u64 = 719_528;

/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

/// Reads a date since 1970, to the second below.
pub(super) fn read(text: &str) -> Option<Timestamp> {
    // A year after 9999 has a sign and six digits.
    let (year, rest) = match text.strip_prefix('+') {
        Some(text) => text.split_at_checked(6)?,
        None => text.split_at_checked(4)?,
    };
    let rest: &[u8; 20] = rest.as_bytes().try_into().ok()?;
    let [b'-', m0, m1, b'-', d0, d1, b'T', h0, h1, b':', n0, n1, b':', s0, s1, b'.', f0, f1, f2, b'Z'] = rest else {
        return None;
    };
    number(&[*f0, *f1, *f2])?;
    let year = number(year.as_bytes())?;
    let [month, day, hour, minute, second] =
        [[*m0, *m1], [*d0, *d1], [*h0, *h1], [*n0, *n1], [*s0, *s1]].map(|digits| number(&digits));
    let (month, day, hour, minute, second) = (month?, day?, hour?, minute?, second?);
    let in_month = days_of(year, usize::try_from(month).ok()?.checked_sub(1)?)?;
    if !(1..=in_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let before: u64 = (0..usize::try_from(month).ok()? - 1).filter_map(|month| days_of(year, month)).sum();
    let days = (days_before(year) + before + day - 1).checked_sub(EPOCH)?;
    Some(Timestamp::from_unix_seconds(((days * 24 + hour) * 60 + minute) * 60 + second))
}

/// Writes a date. What is after the year 9999 becomes its end.
pub(super) fn write(time: Timestamp) -> String {
    let seconds = time.unix_seconds().min(LAST);
    let days = seconds / 86_400 + EPOCH;
    // At most a year too many: a year has 365 days at least.
    let mut year = days / 365;
    while days_before(year) > days {
        year -= 1;
    }
    let (mut month, mut day) = (0, days - days_before(year));
    while let Some(length) = days_of(year, month).filter(|length| *length <= day) {
        (month, day) = (month + 1, day - length);
    }
    let (month, day) = (month + 1, day + 1);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.000Z")
}

fn number(digits: &[u8]) -> Option<u64> {
    let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
    digits.iter().map(digit).try_fold(0, |number, digit| Some(number * 10 + digit?))
}

/// Returns the days before a year.
fn days_before(year: u64) -> u64 {
    year * 365 + year.div_ceil(4) - year.div_ceil(100) + year.div_ceil(400)
}

/// Returns the days of a month, of which the first is 0.
fn days_of(year: u64, month: usize) -> Option<u64> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    Some(DAYS.get(month)? + u64::from(leap && month == 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_javascript() {
        // By `new Date(seconds * 1000).toISOString()` of Node 24.
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399, "2000-02-28T23:59:59.000Z"),
            (951_782_400, "2000-02-29T00:00:00.000Z"),
            (951_868_800, "2000-03-01T00:00:00.000Z"),
            (1_700_000_000, "2023-11-14T22:13:20.000Z"),
            (1_798_761_599, "2026-12-31T23:59:59.000Z"),
            (4_107_542_400, "2100-03-01T00:00:00.000Z"),
            (LAST, "9999-12-31T23:59:59.000Z"),
        ] {
            let time = Timestamp::from_unix_seconds(seconds);
            assert_eq!(write(time), text);
            assert_eq!(read(text), Some(time));
        }
        assert_eq!(read("2026-11-21T04:34:58.700Z"), Some(Timestamp::from_unix_seconds(1_795_235_698)));
        assert_eq!(read("+275760-09-13T00:00:00.000Z"), Some(Timestamp::from_unix_seconds(8_640_000_000_000)));
        assert_eq!(write(Timestamp::from_unix_seconds(u64::MAX)), "9999-12-31T23:59:59.000Z");
    }

    #[test]
    fn each_day_comes_back() {
        for day in 0..150_000 {
            let time = Timestamp::from_unix_seconds(day * 86_400 + day % 86_400);
            assert_eq!(read(&write(time)), Some(time), "{day}");
        }
    }

    #[test]
    fn what_is_no_such_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-11-21",
            "2026-11-21T04:34:58Z",
            "2026-11-21T04:34:58.700",
            "2026-11-21T04:34:58.700+01:00",
            "2026-13-21T04:34:58.700Z",
            "2026-00-21T04:34:58.700Z",
            "2026-02-29T04:34:58.700Z",
            "2100-02-29T04:34:58.700Z",
            "2026-11-31T04:34:58.700Z",
            "2026-11-00T04:34:58.700Z",
            "2026-11-21T24:34:58.700Z",
            "2026-11-21T04:60:58.700Z",
            "2026-11-21T04:34:60.700Z",
            "2026-11-21T04:34:58.7x0Z",
            "1969-12-31T23:59:59.999Z",
            "-000001-01-01T00:00:00.000Z",
            "+2026-11-21T04:34:58.700Z",
            "Sat, 21 Nov 2026 04:34:58 GMT",
            "2026-11-21T04:34:58.é0Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
