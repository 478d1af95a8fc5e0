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
