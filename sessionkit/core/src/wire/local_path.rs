//! A place on this site that a redirect may lead to.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::local::is_local;

/// The most bytes of a path, and of the `next` that it becomes. Proxies take 4 kB for all headers of a response.
const LONGEST: usize = 2048;

/// A path, with its query, on the same origin: all that a redirect target from a request may be.
///
/// It holds no quotation mark and no angle bracket, so it can stand between quotes in HTML. As the value of a parameter it
/// needs [`to_query_value`](Self::to_query_value). A session can keep one, as a field.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::LocalPath;
///
/// assert_eq!(LocalPath::parse("/cart?item=7").unwrap().as_str(), "/cart?item=7");
/// assert!(LocalPath::parse("//evil.example").is_none());
/// assert!(LocalPath::parse("https://evil.example").is_none());
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Takes a path that begins with exactly one slash and has nothing in it that a browser, or a proxy that decodes more
    /// than it should, could read as a host. It takes at most 2,048 bytes.
    ///
    /// An apostrophe becomes `%27`. In the query, characters that browsers send as they are, but that a URL does not
    /// contain, are encoded too: a backslash, a backtick, a letter that is not ASCII.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::LocalPath;
    ///
    /// assert_eq!(LocalPath::parse(r"/search?q=a\b|ü").unwrap().as_str(), "/search?q=a%5Cb%7C%C3%BC");
    /// ```
    pub fn parse(text: &str) -> Option<Self> {
        let (path, data) = text.split_at(text.find(['?', '#']).unwrap_or(text.len()));
        let path = path.replace('\'', "%27") + &encoded(data);
        (path.len() <= LONGEST && is_local(&path)).then_some(Self(path))
    }

    /// Makes the way back to what a request asked for. `prefix` is what a proxy stripped of its path.
    ///
    /// # Errors
    /// Says why no redirect may lead back there.
    pub(crate) fn of_request(prefix: &str, target: &str) -> Result<Self, &'static str> {
        let path = Self(prefix.to_owned() + &encoded(target));
        if !is_local(&path.0) {
            return Err("could lead to another site");
        }
        if path.to_query_value().len() > LONGEST { Err("too long") } else { Ok(path) }
    }

    /// The path and the query.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Encodes the path as the value of a parameter, so that nothing is lost that stands behind a `&`, a `#` or a `+`.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::LocalPath;
    ///
    /// let next = LocalPath::parse("/cart?item=7&size=m").unwrap();
    /// let link = format!("/login?next={}", next.to_query_value());
    /// assert_eq!(link, "/login?next=/cart%3Fitem%3D7%26size%3Dm");
    /// ```
    pub fn to_query_value(&self) -> String {
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

/// Encodes everything but visible ASCII, and of that what ends a quotation or is no part of a URL. Raw control characters
/// stay, and are refused.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' | b'"' | b'\'' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' | 0x80.. => {
                encoded.push_str(&format!("%{byte:02X}"));
            }
            _ => encoded.push(byte as char),
        }
    }
    encoded
}

/// Writes the path and the query.
impl Serialize for LocalPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// Reads the parameter `next` of a login page, or what a session kept. What is no path of this site becomes the front page:
/// a person who was lured with a forged address can still log in.
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
            "/a?b\r\nset-cookie:c",
            "/a?b\t",
            "/a%0D",
            "/%00",
            "/a%7f?b",
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
            "/a?b=%0d%0aset-cookie:c",
            "/a#%7f",
        ] {
            assert_eq!(LocalPath::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn nothing_ends_a_quotation() {
        let path = LocalPath::parse("/o'neil?q='x'#'").unwrap();
        assert_eq!(path.as_str(), "/o%27neil?q=%27x%27#%27");
        assert_eq!(LocalPath::parse(path.as_str()), Some(path));
        for text in ["/a\"b", "/a`b", "/a<b", "/a>b"] {
            assert_eq!(LocalPath::parse(text), None, "{text}");
        }
        assert_eq!(LocalPath::parse("/a?b=\"<>`").unwrap().as_str(), "/a?b=%22%3C%3E%60");
    }

    #[test]
    fn a_query_gives_back_what_was_put_into_it() {
        assert_eq!(LocalPath::parse("/a?b=c&d").unwrap().to_query_value(), "/a%3Fb%3Dc%26d");
        for text in ["/", "/cart?a=1&b=2&next=/x#top", "/100%", "/a+b?c=%20+&d=%2B", "/~x/-_.;:@!$()*,"] {
            let path = LocalPath::parse(text).unwrap();
            let value = path.to_query_value();
            assert!(value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte)), "{value}");
            let decoded = value.split('%').enumerate().map(|(index, part)| match index {
                0 => part.to_owned(),
                _ => format!("{}{}", u8::from_str_radix(&part[..2], 16).unwrap() as char, &part[2..]),
            });
            assert_eq!(decoded.collect::<String>(), text);
        }
    }

    #[test]
    fn the_way_back_is_what_was_asked_for_and_is_read_back_as_it_is() {
        for (prefix, target, expected) in [
            ("", "/", "/"),
            ("", "/search?q=a%0D%0Ab&x=%00", "/search?q=a%0D%0Ab&x=%00"),
            ("", "/search?q=a\\b`c|{d}^'\"", "/search?q=a%5Cb%60c%7C%7Bd%7D%5E%27%22"),
            ("", "/caf\u{e9}?q=\u{fc}", "/caf%C3%A9?q=%C3%BC"),
            ("", "/a\\b", "/a%5Cb"),
            ("/shop", "/cart?a=b", "/shop/cart?a=b"),
            ("/shop", "//cart", "/shop//cart"),
            ("/shop", "/", "/shop/"),
        ] {
            let path = LocalPath::of_request(prefix, target).unwrap();
            assert_eq!(path.as_str(), expected);
            assert_eq!(LocalPath::parse(expected), Some(path));
        }
        for target in ["//evil", "/\\evil", "/%2Fevil", "/%5cevil", "/%252fevil", "/a/../b", "/a%0Ab", "*", ""] {
            assert_eq!(LocalPath::of_request("", target), Err("could lead to another site"), "{target}");
        }
    }

    #[test]
    fn what_is_too_long_for_a_header_is_refused() {
        let query = |length| format!("/?{}", "a".repeat(length));
        assert!(LocalPath::parse(&query(LONGEST - 2)).is_some());
        assert!(LocalPath::parse(&query(LONGEST - 1)).is_none());
        // The question mark takes three bytes in a parameter.
        assert!(LocalPath::of_request("", &query(LONGEST - 4)).is_ok());
        assert_eq!(LocalPath::of_request("", &query(LONGEST - 3)), Err("too long"));
        assert_eq!(LocalPath::of_request("/shop", &query(LONGEST - 4)), Err("too long"));
        assert_eq!(LocalPath::of_request("", &format!("/?{}", "%20".repeat(500))), Err("too long"));
        assert_eq!(
            LocalPath::of_request("", &format!("//evil?{}", "a".repeat(LONGEST))),
            Err("could lead to another site")
        );
    }

    #[test]
    fn it_is_stored_as_text_and_looked_at_again_when_it_is_read() {
        let path = LocalPath::parse("/cart?item=7&size=m").unwrap();
        let stored = serde_json::to_string(&path).unwrap();
        assert_eq!(stored, r#""/cart?item=7&size=m""#);
        assert_eq!(serde_json::from_str::<LocalPath>(&stored).unwrap(), path);
        for other in [r#""//evil.example""#, r#""""#, "null"] {
            assert_eq!(serde_json::from_str::<LocalPath>(other).unwrap(), LocalPath::default());
        }
    }
}
