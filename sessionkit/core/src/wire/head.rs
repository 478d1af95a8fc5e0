//! The head of a request, as far as sessions look at it.

use std::fmt;
use std::net::SocketAddr;

pub use owned::OwnedHead;

mod owned;

/// The headers of a request, whatever the framework keeps them in.
pub trait Headers: Sync {
    /// Calls `each` with the lower-case name and the value of every header, in order.
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8]));

    /// Calls `each` with every value of the header of this lower-case name, in order.
    fn each_value<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a [u8])) {
        self.each(&mut |found, value| {
            if found == name {
                each(value);
            }
        });
    }
}

/// The head of a request: a borrowed view that every framework can give.
#[derive(Clone, Copy)]
pub struct RequestHead<'a> {
    method: &'a str,
    target: &'a str,
    authority: Option<&'a str>,
    peer: Option<SocketAddr>,
    headers: &'a dyn Headers,
}

impl<'a> RequestHead<'a> {
    /// Makes a head from the method, the path with its query, and the headers.
    ///
    /// The path is the whole one, which the client sent: a login leads back to it. Routers that nest cut it for what is
    /// inside of them.
    pub fn new(method: &'a str, target: &'a str, headers: &'a dyn Headers) -> Self {
        Self { method, target, authority: None, peer: None, headers }
    }

    /// Adds the host and port that a request names beside its headers: the `:authority` of HTTP/2 and 3, or that of a target
    /// in absolute form. It counts in place of the header `Host`.
    pub fn with_authority(mut self, authority: Option<&'a str>) -> Self {
        self.authority = authority.map(|authority| authority.rsplit('@').next().unwrap_or_default());
        self
    }

    /// Adds the address from which the connection of the request comes, if the server knows it.
    pub fn with_peer_addr(mut self, peer: Option<SocketAddr>) -> Self {
        self.peer = peer;
        self
    }

    /// The address from which the connection of the request comes: the client's, or that of the proxy in front. `None` if
    /// the server does not say; axum's does with `into_make_service_with_connect_info::<SocketAddr>()`.
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The host and port that the request was sent to; `None` where it does not say, or says several.
    pub fn host(&self) -> Option<&'a str> {
        let (mut host, mut several) = (None, false);
        self.headers.each_value("host", &mut |value| {
            several |= host.is_some_and(|other| other != value);
            host = Some(value);
        });
        let host = host.filter(|_| !several).and_then(|host| str::from_utf8(host).ok());
        self.authority.or(host)
    }

    /// The method, in upper case.
    pub fn method(&self) -> &'a str {
        self.method
    }

    /// The path and the query.
    pub fn target(&self) -> &'a str {
        self.target
    }

    /// The first value of the header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut first = None;
        self.headers.each_value(name, &mut |value| {
            first.get_or_insert(value);
        });
        first
    }

    pub(crate) fn headers(&self) -> &'a dyn Headers {
        self.headers
    }

    /// Returns whether a person is opening a page, for whom an answer may be a redirect.
    pub fn is_navigation(&self) -> bool {
        self.purpose().is_navigation
    }

    /// Reads the purpose of the request, in one pass over its headers: every request that uses its session does.
    pub(crate) fn purpose(&self) -> Purpose {
        let (mut mode, mut accept, mut is_prefetch) = (None, None, false);
        self.headers.each(&mut |name, value| match name {
            "sec-fetch-mode" => _ = mode.get_or_insert(value),
            "accept" => _ = accept.get_or_insert(value),
            "sec-purpose" | "x-sec-purpose" | "purpose" => is_prefetch |= names_prefetch(value),
            _ => {}
        });
        let is_get = self.method == "GET";
        Purpose {
            is_navigation: match mode {
                Some(mode) => mode == b"navigate",
                None => is_get && accept.is_some_and(accepts_html),
            },
            is_unseen: self.method == "HEAD" || (is_get && is_prefetch),
        }
    }

    /// Returns whether a redirect to an address would lead to this request again: the path is the same, and the query has at
    /// least what the address asks for. `prefix` is what a proxy stripped of the path, and of an address with a host.
    pub(crate) fn is_sent_to(&self, url: &str, prefix: &str) -> bool {
        let url = url.split('#').next().unwrap_or_default();
        let target = match url.split_once("//") {
            Some((scheme, rest)) if !scheme.contains(['/', '?']) => {
                let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
                let is_own = self.host().is_some_and(|own| own.eq_ignore_ascii_case(host));
                path.strip_prefix(prefix).filter(|_| is_own)
            }
            _ => Some(url),
        };
        let Some(target) = target else { return false };
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let asked = self.target.split_once('?').map_or("", |(_, query)| query);
        let is_asked = |pair: &str| pair.is_empty() || asked.split('&').any(|other| other == pair);
        path == self.path() && query.split('&').all(is_asked)
    }

    /// Returns whether the request came to a loopback host, and nothing in it says that a browser sent it over https.
    pub(crate) fn is_plain_loopback(&self) -> bool {
        let host = self.host().unwrap_or_default();
        let name = host.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')).map_or(host, |(name, _)| name);
        let is_loopback = name.eq_ignore_ascii_case("localhost") || name.starts_with("127.") || name == "[::1]";
        let says_https = |name| self.header(name).is_some_and(|value| value.windows(5).any(|part| part == b"https"));
        is_loopback && !["x-forwarded-proto", "forwarded", "origin", "referer"].into_iter().any(says_https)
    }
}

/// The purpose of a request.
pub(crate) struct Purpose {
    /// True if a person is opening a page.
    pub(crate) is_navigation: bool,
    /// True if nobody sees the response: the request is a `HEAD`, or a browser fetches the page ahead, with the header
    /// `Sec-Purpose` or one of its forerunners.
    pub(crate) is_unseen: bool,
}

/// Returns whether an `Accept` names HTML as what the client takes: `text/html;q=0` says that it does not.
fn accepts_html(accept: &[u8]) -> bool {
    accept.split(|&byte| byte == b',').any(|range| {
        let mut parts = range.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let is_html = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case(b"text/html"));
        let is_refused = |part: &[u8]| {
            let weight = part.strip_prefix(b"q=").or(part.strip_prefix(b"Q="));
            weight.is_some_and(|weight| weight.starts_with(b"0") && weight.iter().all(|byte| b"0.".contains(byte)))
        };
        is_html && !parts.any(is_refused)
    })
}

/// Returns whether the value of a header such as `Sec-Purpose` says `prefetch`, with parameters or without.
fn names_prefetch(value: &[u8]) -> bool {
    let mut items = value.split(|&byte| byte == b',');
    items.any(|item| {
        let token = item.split(|&byte| byte == b';').next().unwrap_or_default();
        token.trim_ascii().eq_ignore_ascii_case(b"prefetch")
    })
}

/// The method and the path of a request, without the query: so much of them as fits in 62 bytes.
#[derive(Clone, Copy)]
pub struct Route {
    bytes: [u8; 62],
    length: u8,
}

impl Route {
    pub(crate) fn new(head: &RequestHead<'_>) -> Self {
        let mut route = Self { bytes: [0; 62], length: 0 };
        for part in [head.method, " ", head.path()] {
            let free = &mut route.bytes[usize::from(route.length)..];
            let fits = part.len().min(free.len());
            free[..fits].copy_from_slice(&part.as_bytes()[..fits]);
            route.length += fits as u8;
        }
        route
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.bytes[..usize::from(self.length)]))
    }
}

/// Shows the method and the path; the query and the headers may hold secrets.
impl fmt::Debug for RequestHead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead").field("method", &self.method).field("path", &self.path()).finish_non_exhaustive()
    }
}

impl<'a> RequestHead<'a> {
    /// The path without the query.
    pub fn path(&self) -> &'a str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Hosts(&'static [&'static [u8]]);

    impl Headers for Hosts {
        fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
            self.0.iter().for_each(|host| each("host", host));
        }
    }

    struct Line(&'static str, &'static [u8]);

    impl Headers for Line {
        fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
            each(self.0, self.1);
        }
    }

    struct Lines(&'static [(&'static str, &'static [u8])]);

    impl Headers for Lines {
        fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
            self.0.iter().for_each(|(name, value)| each(name, value));
        }
    }

    #[test]
    fn a_loopback_host_is_plain_unless_something_says_https() {
        let is_plain = |lines| RequestHead::new("GET", "/", &Lines(lines)).is_plain_loopback();
        for host in [&b"localhost"[..], b"LocalHost:3000", b"127.0.0.1", b"127.1.2.3:80", b"[::1]", b"[::1]:8080"] {
            assert!(is_plain(Box::leak(Box::new([("host", host)]))), "{}", host.escape_ascii());
        }
        for host in [&b"shop.example"[..], b"localhost.example", b"10.0.0.1:80", b"[::2]:80", b""] {
            assert!(!is_plain(Box::leak(Box::new([("host", host)]))), "{}", host.escape_ascii());
        }
        assert!(is_plain(&[("host", b"localhost"), ("origin", b"http://localhost")]));
        for (name, value) in
            [("x-forwarded-proto", &b"https"[..]), ("forwarded", b"proto=https"), ("origin", b"https://a.b")]
        {
            assert!(!is_plain(Box::leak(Box::new([("host", &b"localhost"[..]), (name, value)]))), "{name}");
        }
    }

    #[test]
    fn html_that_is_refused_is_no_navigation() {
        let opens = |accept| RequestHead::new("GET", "/", &Line("accept", accept)).is_navigation();
        for accept in
            [&b"text/html"[..], b"a/b, Text/HTML;level=1;q=0.1", b"text/html;q=0, text/html", b"text/html ; q=1.0"]
        {
            assert!(opens(accept), "{}", accept.escape_ascii());
        }
        for accept in [&b"text/html;q=0"[..], b"*/*, text/html; Q=0.000", b"text/htmlx", b"x/text/html", b"*/*", b""] {
            assert!(!opens(accept), "{}", accept.escape_ascii());
        }
    }

    #[test]
    fn what_nobody_sees_is_a_head_or_a_prefetch() {
        let is_unseen = |method, name, value| RequestHead::new(method, "/", &Line(name, value)).purpose().is_unseen;
        for (name, value) in [
            ("sec-purpose", &b"prefetch"[..]),
            ("sec-purpose", b"prefetch;prerender"),
            ("sec-purpose", b"a, prefetch; anonymous-client-ip"),
            ("x-sec-purpose", b"prefetch"),
            ("purpose", b"Prefetch"),
        ] {
            assert!(is_unseen("GET", name, value), "{name} {}", value.escape_ascii());
            assert!(!is_unseen("POST", name, value), "{name} {}", value.escape_ascii());
        }
        for (name, value) in
            [("sec-purpose", &b"prefetched"[..]), ("sec-purpose", b"a;prefetch"), ("x-purpose", b"prefetch")]
        {
            assert!(!is_unseen("GET", name, value), "{name} {}", value.escape_ascii());
        }
        assert!(is_unseen("HEAD", "accept", b""));
    }

    #[test]
    fn a_host_is_one_that_the_request_names_unmistakably() {
        type Case = (&'static [&'static [u8]], Option<&'static str>, Option<&'static str>);
        let cases: [Case; 10] = [
            (&[b"shop.example"], None, Some("shop.example")),
            (&[], None, None),
            (&[b"shop.example", b"shop.example"], None, Some("shop.example")),
            (&[b"shop.example", b"evil.example"], None, None),
            (&[b"shop.example", b"evil.example", b"shop.example"], None, None),
            (&[b"\xff"], None, None),
            (&[], Some("shop.example:8443"), Some("shop.example:8443")),
            (&[b"evil.example"], Some("shop.example"), Some("shop.example")),
            (&[], Some("ada:secret@shop.example"), Some("shop.example")),
            (&[], Some("shop.example@evil.example"), Some("evil.example")),
        ];
        for (hosts, authority, host) in cases {
            let headers = Hosts(hosts);
            let head = RequestHead::new("GET", "/", &headers).with_authority(authority);
            assert_eq!(head.host(), host, "{hosts:?} {authority:?}");
            assert_eq!(OwnedHead::new(&head).as_head().host(), host, "{hosts:?} {authority:?}");
        }
    }
}
