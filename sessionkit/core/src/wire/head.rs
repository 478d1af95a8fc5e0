//! The head of a request, as far as sessions look at it.

use std::fmt;

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
    headers: &'a dyn Headers,
}

impl<'a> RequestHead<'a> {
    /// Makes a head from the method, the path with its query, and the headers.
    ///
    /// The path is the whole one, which the client sent: a login leads back to it. Routers that nest cut it for what is
    /// inside of them.
    pub fn new(method: &'a str, target: &'a str, headers: &'a dyn Headers) -> Self {
        Self { method, target, authority: None, headers }
    }

    /// Adds the host and port that a request names beside its headers: the `:authority` of HTTP/2 and 3, or that of a target
    /// in absolute form. It counts in place of the header `Host`.
    pub fn with_authority(mut self, authority: Option<&'a str>) -> Self {
        self.authority = authority.map(|authority| authority.rsplit('@').next().unwrap_or_default());
        self
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
        match self.header("sec-fetch-mode") {
            Some(mode) => mode == b"navigate",
            None => {
                let accept = self.header("accept").unwrap_or_default();
                self.method == "GET" && accept.windows(9).any(|part| part.eq_ignore_ascii_case(b"text/html"))
            }
        }
    }
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

/// The head of a request that outlives the request's extractors: for hooks, and for guards that a handler calls.
pub struct OwnedHead {
    /// The method, the target, the authority, and the names and values of the headers, each behind its length.
    parts: Box<[u8]>,
    has_authority: bool,
}

impl OwnedHead {
    pub(crate) fn new(head: &RequestHead<'_>) -> Self {
        let of_head = [head.method, head.target, head.authority.unwrap_or_default()];
        let room = |part: &[u8]| LENGTH + part.len();
        let mut size: usize = of_head.iter().map(|part| room(part.as_bytes())).sum();
        head.headers.each(&mut |name, value| size += room(name.as_bytes()) + room(value));
        let mut parts = Vec::with_capacity(size);
        let mut push = |part: &[u8]| {
            // No framework takes a head of 4 GiB.
            let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
            parts.extend_from_slice(&length.to_le_bytes());
            parts.extend_from_slice(&part[..length as usize]);
        };
        of_head.iter().for_each(|part| push(part.as_bytes()));
        head.headers.each(&mut |name, value| {
            push(name.as_bytes());
            push(value);
        });
        Self { parts: parts.into(), has_authority: head.authority.is_some() }
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        self.as_head().method()
    }

    /// The path and the query.
    pub fn target(&self) -> &str {
        self.as_head().target()
    }

    /// The path without the query.
    pub fn path(&self) -> &str {
        self.as_head().path()
    }

    /// The first value of the header of this lower-case name.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.as_head().header(name)
    }

    /// Returns whether a person is opening a page, for whom an answer may be a redirect.
    pub fn is_navigation(&self) -> bool {
        self.as_head().is_navigation()
    }

    pub(crate) fn as_head(&self) -> RequestHead<'_> {
        let mut parts = self.parts().map(text);
        let mut next = || parts.next().unwrap_or_default();
        let (method, target, authority) = (next(), next(), next());
        RequestHead::new(method, target, self).with_authority(self.has_authority.then_some(authority))
    }

    fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = &*self.parts;
        std::iter::from_fn(move || {
            let (length, behind) = rest.split_first_chunk::<LENGTH>()?;
            let (part, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = behind;
            Some(part)
        })
    }
}

/// The size of the length of a part, in bytes.
const LENGTH: usize = size_of::<u32>();

/// A part that was text when it was kept.
fn text(part: &[u8]) -> &str {
    str::from_utf8(part).unwrap_or_default()
}

impl Headers for OwnedHead {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        let mut parts = self.parts().skip(3);
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            each(text(name), value);
        }
    }
}

/// Shows the method and the path; the query and the headers may hold secrets.
impl fmt::Debug for OwnedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_head().fmt(f)
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

    struct Lines(&'static [(&'static str, &'static [u8])]);

    impl Headers for Lines {
        fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
            self.0.iter().for_each(|(name, value)| each(name, value));
        }
    }

    #[test]
    fn a_head_that_is_kept_is_the_same() {
        let lines: &[(&str, &[u8])] =
            &[("accept", b"text/html"), ("x-empty", b""), ("x-raw", b"\xff\0"), ("accept", b"*/*")];
        for authority in [None, Some(""), Some("shop.example:8443")] {
            let headers = Lines(lines);
            let kept = OwnedHead::new(&RequestHead::new("GET", "/cart?item=7", &headers).with_authority(authority));
            assert_eq!((kept.method(), kept.target(), kept.path()), ("GET", "/cart?item=7", "/cart"));
            assert_eq!((kept.as_head().authority, kept.is_navigation()), (authority, true));
            let mut found = Vec::new();
            kept.each(&mut |name, value| found.push((name, value)));
            assert_eq!(found, lines);
            assert_eq!((kept.header("x-raw"), kept.header("x-none")), (Some(&b"\xff\0"[..]), None));
        }
    }
}
