//! Origins, as browsers write them ([RFC 6454](https://www.rfc-editor.org/rfc/rfc6454), section 6.2).

/// A scheme, a host and a port that is not the scheme's own.
pub(super) struct Origin<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<u16>,
}

impl<'a> Origin<'a> {
    /// Reads `scheme://host[:port]`, and nothing else: not `null`, no path, no user.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, authority) = text.split_once("://")?;
        let mut letters = scheme.bytes();
        let named = letters.next()?.is_ascii_alphabetic()
            && letters.all(|letter| letter.is_ascii_alphanumeric() || b"+-.".contains(&letter));
        let (host, port) = host_and_port(authority).filter(|_| named)?;
        Some(Self { scheme, host, port: port.filter(|port| Some(*port) != own_port(scheme)) })
    }

    /// Returns whether a request with this `Host` went to this origin. The header does not contain the scheme.
    pub(super) fn is_at(&self, host: &str) -> bool {
        let same = |(host, port): (&str, Option<u16>)| {
            let port = port.filter(|port| Some(*port) != own_port(self.scheme));
            self.host.eq_ignore_ascii_case(host) && self.port == port
        };
        host_and_port(host).is_some_and(same)
    }

    pub(super) fn is(&self, other: &Origin<'_>) -> bool {
        let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
        same(self.scheme, other.scheme) && same(self.host, other.host) && self.port == other.port
    }
}

fn host_and_port(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = match authority.strip_prefix('[') {
        Some(address) => address.find(']')? + 2,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, port) = authority.split_at(end);
    let plain = |byte: u8| byte.is_ascii_graphic() && !b"/\\?#@%<>\"".contains(&byte);
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => Some(digits.parse().ok()?),
        None if port.is_empty() => None,
        _ => return None,
    };
    (!host.is_empty() && host.bytes().all(plain)).then_some((host, port))
}

fn own_port(scheme: &str) -> Option<u16> {
    let schemes = [("http", 80), ("https", 443)];
    schemes.iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name)).map(|(_, port)| *port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_at_its_host_alone() {
        let at = |origin: &str, host: &str| Origin::parse(origin).is_some_and(|origin| origin.is_at(host));
        for (origin, host) in [
            ("https://shop.example", "shop.example"),
            ("https://shop.example", "SHOP.example:443"),
            ("http://shop.example:80", "shop.example"),
            ("http://localhost:3000", "localhost:3000"),
            ("http://[::1]:3000", "[::1]:3000"),
            // The scheme of the request is not known.
            ("http://shop.example", "shop.example"),
            ("HTTPS://SHOP.example:443", "shop.example"),
        ] {
            assert!(at(origin, host), "{origin} {host}");
        }
        for (origin, host) in [
            ("https://shop.example", "shop.example:80"),
            ("https://shop.example", "shop.example."),
            ("https://shop.example:8443", "shop.example"),
            ("https://evil.example", "shop.example"),
            ("https://shop.example.evil.example", "shop.example"),
            ("https://ashop.example", "shop.example"),
            ("https://shop.example@evil.example", "evil.example"),
            ("https://shop.example/", "shop.example"),
            ("https://shop.example:", "shop.example"),
            ("https://shop.example:99999", "shop.example:99999"),
            ("//shop.example", "shop.example"),
            ("shop.example", "shop.example"),
            ("null", ""),
            ("null", "null"),
            ("https://", ""),
            ("https:// ", " "),
            ("https://[::1", "[::1"),
            ("https://[::1]3000", "[::1]3000"),
            ("https://shop.example:+443", "shop.example"),
            ("1https://shop.example", "shop.example"),
            ("ht_tps://shop.example", "shop.example"),
        ] {
            assert!(!at(origin, host), "{origin} {host}");
        }
    }

    #[test]
    fn an_origin_is_another_of_the_same_scheme_host_and_port() {
        let is = |one: &str, other: &str| {
            Origin::parse(one).zip(Origin::parse(other)).is_some_and(|(one, other)| one.is(&other))
        };
        for other in ["https://pay.example", "https://pay.example:443", "HTTPS://Pay.example"] {
            assert!(is("https://pay.example", other), "{other}");
        }
        for other in ["http://pay.example", "http://pay.example:443", "https://pay.example:444", "https://play.example"]
        {
            assert!(!is("https://pay.example", other), "{other}");
        }
    }
}
