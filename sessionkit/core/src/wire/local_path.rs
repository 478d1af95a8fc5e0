//! A place on this site that a redirect may lead to.

use std::fmt;

use serde::{Deserialize, Deserializer};

/// A path, with its query, on the same origin: all that a redirect target from a request may be.
///
/// It holds no double quotation mark and no angle bracket, so it can stand between double quotes in HTML.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::LocalPath;
///
/// assert_eq!(LocalPath::parse("/cart?item=7").unwrap().as_str(), "/cart?item=7");
/// assert!(LocalPath::parse("//evil.example").is_none());
/// assert!(LocalPath::parse("https://evil.example").is_none());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Takes a path that begins with exactly one slash and has nothing in it that a browser, or a proxy that decodes more
    /// than it should, could read as a host.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let plain = text.bytes().all(|byte| (0x21..0x7f).contains(&byte) && !b"\\\"<>`".contains(&byte));
        let is_local = plain && !begins_like_a_host(rest) && !has_dots_for_a_segment(text) && !encodes_control(text);
        is_local.then(|| Self(text.into()))
    }

    /// The path and the query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as the value of a query parameter.
    pub(crate) fn encode(&self) -> String {
        let mut encoded = String::with_capacity(self.0.len() + 8);
        for byte in self.0.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
                encoded.push(byte as char);
            } else {
                encoded.push_str(&format!("%{byte:02X}"));
            }
        }
        encoded
    }
}

/// Whether what follows the first slash is another one, or a backslash, which browsers take for one: as it is, or encoded,
/// however often.
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

/// Whether a segment of the path is `.` or `..`: browsers resolve them before they ask, so that nobody comes from there, and
/// what is left may begin like a host.
fn has_dots_for_a_segment(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default();
    path.split('/').any(|segment| {
        let dots = segment.to_ascii_lowercase().replace("%2e", ".");
        dots == "." || dots == ".."
    })
}

/// Whether there is an encoded control character, which somebody on the way may decode: `%0d%0a` begins a new header.
fn encodes_control(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| {
        let code = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        code.is_some_and(|code| code.is_ascii_control())
    })
}

/// Reads the parameter `next` of a login page. What is no path of this site becomes the front page: somebody who was lured
/// with a forged address shall be able to log in.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::LocalPath;
///
/// #[derive(serde::Deserialize)]
/// struct LoginForm {
///     name: String,
///     #[serde(default)]
///     next: LocalPath,
/// }
///
/// let form: LoginForm = serde_json::from_str(r#"{ "name": "ada", "next": "//evil.example" }"#)?;
/// assert_eq!(form.next.as_str(), "/");
/// # Ok::<(), serde_json::Error>(())
/// ```
impl<'de> Deserialize<'de> for LocalPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        Ok(text.and_then(|text| Self::parse(&text)).unwrap_or_default())
    }
}

/// The front page, `/`.
impl Default for LocalPath {
    fn default() -> Self {
        Self("/".into())
    }
}

impl AsRef<str> for LocalPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_to_another_site() {
        let hostile = [
            "",
            "cart",
            // Another host, with a scheme or without.
            "//evil",
            "///evil",
            "////evil",
            "//user:password@evil",
            "//evil:443/",
            "//[::1]/",
            "https://evil",
            "https://user@evil",
            "https:evil",
            "https:/evil",
            "HTTPS://evil",
            "javascript:alert(1)",
            "data:text/html,x",
            // Appended to an origin these would be userinfo, a port, or a longer host.
            "@evil",
            "user@evil",
            "user:password@evil",
            ":443@evil",
            ".evil",
            // Backslashes.
            "/\\evil",
            "\\\\evil",
            "\\/evil",
            "/\\/evil",
            "/a\\b",
            // Encoded, once or more often.
            "/%5cevil",
            "/%5Cevil",
            "/%2fevil",
            "/%2Fevil",
            "/%252fevil",
            "/%255cevil",
            "/%25252Fevil",
            "%2f%2fevil",
            // Dots that are resolved to nothing.
            "/.//evil",
            "/..//evil",
            "/./evil",
            "/a/..//evil",
            "/a/../../evil",
            "/%2e//evil",
            "/%2E%2e//evil",
            "/.%2e//evil",
            // White space and control characters, as they are or encoded, which browsers drop.
            "/\tevil",
            "/\t/evil",
            "/\n/evil",
            "\t//evil",
            " //evil",
            "/ /evil",
            "/a b",
            "/a\r\nb",
            "/\u{0}",
            "/%09evil",
            "/%09/evil",
            "/a?b=%0d%0aset-cookie:c",
            "/a%0D",
            "/%00",
            "/a#%7f",
            // Not ASCII: what looks like a slash or a dot may be normalised to one.
            "/é",
            "/\u{2044}evil",
            "/\u{ff0f}evil",
            "\u{ff0f}\u{ff0f}evil",
            "/evil\u{3002}example",
            "/\u{feff}/evil",
        ];
        for text in hostile {
            assert_eq!(LocalPath::parse(text), None, "{text:?}");
        }
        for text in [
            "/",
            "/cart",
            "/cart?a=b&c=%20#x",
            "/100%",
            "/%zz%2",
            "/%c3%a9%2f",
            "/a//b",
            "/user@home",
            "/%25",
            "/%2520",
            "/2f",
            "/252f",
            "/.well-known/x",
            "/...",
            "/a.b/..c?d=/../e",
            "/?next=//evil",
        ] {
            assert_eq!(LocalPath::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(LocalPath::parse("/a?b=c&d").unwrap().encode(), "/a%3Fb%3Dc%26d");
    }
}
