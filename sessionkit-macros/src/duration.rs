//! The duration in `"10m"`.

/// The seconds in a whole number with a unit, `s`, `m`, `h` or `d`.
pub(crate) enum Seconds {
    Some(u32),
    TooMany,
    /// It is no such number.
    None,
}

pub(crate) fn parse(text: &str) -> Seconds {
    let factor = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 60 * 60,
        Some('d') => 24 * 60 * 60,
        _ => return Seconds::None,
    };
    let number = &text[..text.len() - 1];
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Seconds::None;
    }
    let seconds = number.parse::<u32>().ok().and_then(|number| number.checked_mul(factor));
    seconds.map_or(Seconds::TooMany, Seconds::Some)
}

/// What to say about a text that is no time.
pub(crate) fn not_a_time(text: &str) -> String {
    format!("`{text}` is not a time: write a whole number and a unit, \"30s\", \"10m\", \"12h\" or \"7d\"")
}
