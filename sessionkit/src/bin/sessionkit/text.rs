//! Text that a terminal may show.

use serde_json::Value;
use sessionkit::Timestamp;

/// Returns whether a terminal obeys the character, or shows others in another order because of it.
fn is_unsafe(character: char) -> bool {
    let is_format = matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}');
    character.is_control() || is_format
}

/// Escapes what a terminal would obey.
pub(crate) fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match is_unsafe(character) {
            true => shown.extend(character.escape_unicode()),
            false => shown.push(character),
        }
    }
    shown
}

/// Writes a number of things: `1 session`, `2 sessions`.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// Writes JSON. A terminal obeys nothing in it.
pub(crate) fn json(value: &Value) -> String {
    escaped(&format!("{value:#}"))
}

/// Writes JSON on one line. A terminal obeys nothing in it.
pub(crate) fn json_line(value: &Value) -> String {
    escaped(&value.to_string())
}

/// Escapes what a terminal would obey, and ends the line.
fn escaped(json: &str) -> String {
    let mut shown = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        // The line ends are those between the values. All others stand in strings, and have four digits.
        match character != '\n' && is_unsafe(character) {
            true => shown.push_str(&format!("\\u{:04x}", u32::from(character))),
            false => shown.push(character),
        }
    }
    shown.push('\n');
    shown
}

/// Writes a time as RFC 3339 does.
pub(crate) fn time(time: Timestamp) -> String {
    let (days, second) = (time.unix_seconds() / 86_400, time.unix_seconds() % 86_400);
    // Eras of 400 years, of which each begins in March: <https://howardhinnant.github.io/date_algorithms.html>.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(time(Timestamp::from_unix_seconds(seconds)), expected);
        }
    }

    #[test]
    fn a_terminal_obeys_nothing() {
        let hostile = "\u{1b}[2J\r\n\u{9b}31m\u{7f}\u{202e}ok é\u{0}";
        assert_eq!(printable(hostile), "\\u{1b}[2J\\u{d}\\u{a}\\u{9b}31m\\u{7f}\\u{202e}ok é\\u{0}");
        let shown = json(&Value::from(hostile));
        assert!(!shown.trim_end().chars().any(is_unsafe), "{shown:?}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), hostile);
    }
}
