//! A place on this site that a redirect may lead to.

use std::fmt;

/// A path, with its query, on the same origin: all that a redirect target from a request may be.
///
/// ```
/// use sessionkit_core::LocalPath;
///
/// assert_eq!(LocalPath::parse("/cart?item=7").unwrap().as_str(), "/cart?item=7");
/// assert!(LocalPath::parse("//evil.example").is_none());
/// assert!(LocalPath::parse("https://evil.example").is_none());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Takes a path that begins with exactly one slash and has nothing in it that a browser could read as a host.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix('/')?;
        let lower = rest.get(..3).unwrap_or_default().to_ascii_lowercase();
        // Browsers take a backslash for a slash, and proxies may decode an encoded one.
        let leaves = rest.starts_with(['/', '\\']) || lower.starts_with("%2f") || lower.starts_with("%5c");
        let plain = text.bytes().all(|byte| (0x21..0x7f).contains(&byte) && !b"\\\"<>`".contains(&byte));
        (!leaves && plain && !encodes_control(text)).then(|| Self(text.into()))
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

/// Whether there is an encoded control character, which somebody on the way may decode: `%0d%0a` begins a new header.
fn encodes_control(text: &str) -> bool {
    text.split('%').skip(1).any(|rest| {
        let code = rest.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        code.is_some_and(|code| code.is_ascii_control())
    })
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
            "//evil",
            "/\\evil",
            "/%5cevil",
            "/%5Cevil",
            "/%2fevil",
            "/\tevil",
            "/a\r\nb",
            "/a b",
            "/é",
            "https://evil",
            "javascript:alert(1)",
            "user@evil",
            "\\\\evil",
            "/a\\b",
            "/\u{0}",
            "/%09evil",
            "/a?b=%0d%0aset-cookie:c",
            "/a%0D",
            "/%00",
            "/a#%7f",
        ];
        for text in hostile {
            assert_eq!(LocalPath::parse(text), None, "{text:?}");
        }
        for text in ["/", "/cart", "/cart?a=b&c=%20#x", "/100%", "/%zz%2", "/%c3%a9%2f", "/a//b", "/user@home"] {
            assert_eq!(LocalPath::parse(text).unwrap().as_str(), text);
        }
        assert_eq!(LocalPath::parse("/a?b=c&d").unwrap().encode(), "/a%3Fb%3Dc%26d");
    }
}
