//! The rule for an address that stays on this site.
//!
//! The macros ask it of a guard's `login_url`, the engine of redirects and settings. Neither crate can depend on the other,
//! so both hold this file, and a test keeps the two the same.

/// Returns whether a text is a path that begins with exactly one slash and has nothing in it that a browser, or a proxy that
/// decodes more than it should, could read as a host.
pub(crate) fn is_local(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else { return false };
    let plain = text.bytes().all(|byte| (0x21..0x7f).contains(&byte) && !b"\\\"<>`".contains(&byte));
    plain && !begins_like_a_host(rest) && !has_dots_for_a_segment(text) && !encodes_control(path_of(text))
}

/// Returns whether what follows the first slash is another one, or a backslash, which browsers take for one: as it is, or
/// encoded, however often.
fn begins_like_a_host(rest: &str) -> bool {
    let encoded = rest.strip_prefix('%').map(|code| {
        // `25` is an encoded `%`.
        let mut code = code;
        while let Some(decoded) = code.strip_prefix("25") {
            code = decoded;
        }
        code.get(..2).unwrap_or_default().to_ascii_lowercase()
    });
    rest.starts_with(['/', '\\']) || encoded.is_some_and(|code| code == "2f" || code == "5c")
}

/// Returns whether a segment of the path is `.` or `..`: browsers resolve them before they ask, so nobody comes from there,
/// and what is left may begin like a host.
fn has_dots_for_a_segment(text: &str) -> bool {
    path_of(text).split('/').any(|segment| {
        let dots = segment.to_ascii_lowercase().replace("%2e", ".");
        dots == "." || dots == ".."
    })
}

/// Returns the path without the query and the fragment. What follows it is data, such as the lines of a text area.
fn path_of(text: &str) -> &str {
    text.split(['?', '#']).next().unwrap_or_default()
}

/// Returns whether there is an encoded control character, which a proxy may decode before it reads the path again.
fn encodes_control(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| {
        let code = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        code.is_some_and(|code| code.is_ascii_control())
    })
}
