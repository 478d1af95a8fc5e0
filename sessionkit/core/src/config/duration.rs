//! Durations as people write them: `"30m"`.
//!
//! The macros read them in attributes, the engine in settings. Neither crate can depend on the other, so both hold this
//! file, and a test keeps the two the same.

use std::time::Duration;

/// The reason why a text is no duration.
pub(crate) enum NoDuration {
    /// It is not a whole number with a unit.
    Malformed,
    /// The number is too great.
    TooLong,
}

/// Reads a whole number with a unit: `"250ms"`, `"45s"`, `"30m"`, `"12h"` or `"7d"`.
pub(crate) fn parse(text: &str) -> Result<Duration, NoDuration> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1000,
        "m" => 60 * 1000,
        "h" => 60 * 60 * 1000,
        "d" => 24 * 60 * 60 * 1000,
        _ => return Err(NoDuration::Malformed),
    };
    if number.is_empty() {
        return Err(NoDuration::Malformed);
    }
    let total = number.parse::<u64>().ok().and_then(|number| number.checked_mul(milliseconds));
    total.map(Duration::from_millis).ok_or(NoDuration::TooLong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_obeyed_and_nonsense_is_not_a_duration() {
        let read = |text| parse(text).ok();
        assert_eq!(read("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(read("45s"), Some(Duration::from_secs(45)));
        assert_eq!(read("30m"), Some(Duration::from_secs(1800)));
        assert_eq!(read("12h"), Some(Duration::from_secs(43_200)));
        assert_eq!(read("2d"), Some(Duration::from_secs(172_800)));
        for text in ["", "m", "30", "-1s", "+1s", "1.5h", "10 m", " 10m", "10m ", "1h30m", "1w", "10é", "10M"] {
            assert!(matches!(parse(text), Err(NoDuration::Malformed)), "{text}");
        }
        for text in ["99999999999999999999s", "18446744073709551615d"] {
            assert!(matches!(parse(text), Err(NoDuration::TooLong)), "{text}");
        }
    }
}
