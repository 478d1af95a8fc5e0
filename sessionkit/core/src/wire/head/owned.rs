//! The head of a request, kept.

use std::fmt;
use std::net::SocketAddr;

use super::{Headers, RequestHead};

/// The head of a request that outlives the request's extractors: for hooks, and for guards that a handler calls.
pub struct OwnedHead {
    /// The method, the target, the authority, and the names and values of the headers, each behind its length.
    parts: Box<[u8]>,
    has_authority: bool,
    peer: Option<SocketAddr>,
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
        Self { parts: parts.into(), has_authority: head.authority.is_some(), peer: head.peer }
    }

    /// The method, in upper case.
    pub fn method(&self) -> &str {
        self.as_head().method()
    }

    /// The path and the query.
    pub fn target(&self) -> &str {
        self.as_head().target()
    }

    /// The address from which the connection of the request comes; see [`RequestHead::peer_addr`].
    pub fn peer_addr(&self) -> Option<SocketAddr> {
        self.peer
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
        let head = RequestHead::new(method, target, self);
        head.with_authority(self.has_authority.then_some(authority)).with_peer_addr(self.peer)
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
