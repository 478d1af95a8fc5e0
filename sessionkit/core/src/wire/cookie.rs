//! The cookies of a request, as bytes.

use memchr::memchr;
use memchr::memmem::Finder;

use crate::error::{SessionError, SessionErrorKind};
use crate::token::Token;
use crate::wire::head::Headers;

/// The largest number of tokens that are looked up for one request.
const MOST: usize = 4;

/// The cookies that a request presents under our name.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// The different well-formed tokens; nearly always there is one at most.
    first: Option<Token>,
    others: Vec<Token>,
    /// True if there was a cookie of our name at all.
    pub(crate) presented: bool,
}

/// The reason for which a cookie of our name opens nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum BadCookie {
    /// It is not a token.
    Malformed,
    /// It is a token of no session, or of one that has ended.
    Unknown,
}

impl SessionError {
    /// The cookie opens nothing, and the setting `on_bad_cookie` rejects that.
    pub(crate) fn bad_cookie(fault: BadCookie) -> Self {
        let (status, message, detail) = match fault {
            BadCookie::Malformed => {
                (400, "the session cookie is malformed", "The session cookie is not one of this application's.")
            }
            BadCookie::Unknown => {
                (401, "the session cookie is unknown or has expired", "The session has ended. Please log in again.")
            }
        };
        Self::new(SessionErrorKind::BadCookie, status, message, detail, None)
    }
}

impl Candidates {
    pub(crate) fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.first.iter().chain(&self.others)
    }

    /// Returns whether there is no token.
    pub(crate) fn are_none(&self) -> bool {
        self.first.is_none()
    }

    /// Returns the token if there is just one.
    pub(crate) fn only(&self) -> Option<&Token> {
        self.first.as_ref().filter(|_| self.others.is_empty())
    }

    /// Begins the candidates of a request that came with a cookie of our name, or without one.
    pub(crate) fn presented(presented: bool) -> Self {
        Self { presented, ..Self::default() }
    }

    /// Adds the value of a cookie of our name.
    pub(crate) fn add(&mut self, value: &[u8]) {
        self.presented = true;
        self.add_token(Token::parse(value));
    }

    /// Adds the token of a cookie of our name; `None` if there is none in it.
    pub(crate) fn add_token(&mut self, token: Option<Token>) {
        let Some(token) = token else { return };
        if self.first.is_none() {
            self.first = Some(token);
        } else if self.tokens().count() < MOST && !self.tokens().any(|other| *other == token) {
            self.others.push(token);
        }
    }

    /// Returns the fault of the cookie, for a request that opened no session; `None` if it has no cookie.
    pub(crate) fn fault(&self) -> Option<BadCookie> {
        let fault = if self.first.is_none() { BadCookie::Malformed } else { BadCookie::Unknown };
        self.presented.then_some(fault)
    }
}

/// The largest number of cookies that one session takes.
pub(crate) const MOST_CHUNKS: usize = 8;

/// The values of the cookies of our name, those put together that were sent in chunks.
#[derive(Default)]
pub(crate) struct CookieValues {
    /// Each with the number of cookies that it was in.
    pub(crate) values: Vec<(Vec<u8>, usize)>,
    /// True if there was a cookie of our name at all.
    pub(crate) presented: bool,
    /// The number of cookies that have a name of chunks.
    pub(crate) named: usize,
}

/// Returns the name of the cookie with a part of a session: the first has the name itself.
pub(crate) fn chunk_name(name: &str, number: usize) -> String {
    if number == 0 { name.to_owned() } else { format!("{name}-{number}") }
}

/// Finds the cookies of one name in the headers of requests.
pub(crate) struct CookieName(Finder<'static>);

impl CookieName {
    pub(crate) fn new(name: &str) -> Self {
        Self(Finder::new(name).into_owned())
    }

    /// Finds our tokens. Names are compared byte by byte: nothing is decoded, and no other cookie can be in the way.
    pub(crate) fn candidates(&self, headers: &dyn Headers) -> Candidates {
        let mut found = Candidates::default();
        self.each_value(headers, |value| found.add(value));
        found
    }

    /// The first few different values of our cookie that are text.
    pub(crate) fn values(&self, headers: &dyn Headers) -> Vec<String> {
        let mut found = Vec::new();
        self.each_value(headers, |value| match str::from_utf8(value) {
            Ok(value) if found.len() < MOST && found.iter().all(|other| other != value) => found.push(value.to_owned()),
            _ => {}
        });
        found
    }

    /// The values of our cookies, whole. With `in_chunks`, the first chunk of a value says how many there are, and the others
    /// are called `-1`, `-2` .. behind the name. Where cookies are there twice, the first ones belong together.
    pub(crate) fn whole_values(&self, headers: &dyn Headers, in_chunks: bool) -> CookieValues {
        let mut found = CookieValues::default();
        let mut chunks: [Vec<Vec<u8>>; MOST_CHUNKS] = Default::default();
        self.each_chunk(headers, |number, value| {
            found.presented |= number == 0;
            found.named = found.named.max(number + 1);
            if chunks[number].len() < MOST {
                chunks[number].push(value.to_vec());
            }
        });
        let [first, others @ ..] = &mut chunks;
        for (at, first) in std::mem::take(first).into_iter().enumerate() {
            let Some((count, piece)) = chunk_count(&first).filter(|_| in_chunks) else {
                found.values.push((first, 1));
                continue;
            };
            let pieces = others[..count - 1].iter().map(|chunk| chunk.get(at).map(Vec::as_slice));
            if let Some(pieces) = std::iter::once(Some(piece)).chain(pieces).collect::<Option<Vec<_>>>() {
                found.values.push((pieces.concat(), count));
            }
        }
        found
    }

    fn each_chunk(&self, headers: &dyn Headers, mut each: impl FnMut(usize, &[u8])) {
        headers.each_value("cookie", &mut |header| {
            let mut from = 0;
            while let Some(start) = self.find(header, from) {
                from = start + self.0.needle().len();
                let Some((number, name)) = chunk_number(&header[from..]) else { continue };
                if let Some(value) = self.value_behind(header, start, name) {
                    from += name + 1 + value.len();
                    each(number, unquoted(trimmed(value)));
                }
            }
        });
    }

    fn each_value(&self, headers: &dyn Headers, mut each: impl FnMut(&[u8])) {
        headers.each_value("cookie", &mut |header| {
            let mut from = 0;
            while let Some(start) = self.find(header, from) {
                from = start + self.0.needle().len();
                if let Some(value) = self.value(header, start) {
                    from += 1 + value.len();
                    each(unquoted(trimmed(value)));
                }
            }
        });
    }

    /// Finds our name at a place or behind it. It stands first where there is no other cookie, as there often is none.
    fn find(&self, header: &[u8], from: usize) -> Option<usize> {
        if from == 0 && header.starts_with(self.0.needle()) {
            return Some(0);
        }
        Some(from + self.0.find(&header[from..])?)
    }

    /// The value of the pair whose name begins at `start`, as it is sent; `None` if what stands there is not a whole name.
    fn value<'a>(&self, header: &'a [u8], start: usize) -> Option<&'a [u8]> {
        self.value_behind(header, start, 0)
    }

    /// The same for a name that is so many bytes longer than ours.
    fn value_behind<'a>(&self, header: &'a [u8], start: usize, longer: usize) -> Option<&'a [u8]> {
        let before = header[..start].iter().rfind(|&&byte| !is_blank(byte));
        if before.is_some_and(|&byte| byte != b';') {
            return None;
        }
        let value = header[start + self.0.needle().len() + longer..].strip_prefix(b"=")?;
        Some(&value[..memchr(b';', value).unwrap_or(value.len())])
    }
}

/// Returns which chunk a cookie is, by what stands behind our name, and the length of that.
fn chunk_number(behind: &[u8]) -> Option<(usize, usize)> {
    match behind {
        [b'=', ..] => Some((0, 0)),
        [b'-', digit, b'=', ..] => {
            let number = usize::from(digit.checked_sub(b'0')?);
            (1..MOST_CHUNKS).contains(&number).then_some((number, 2))
        }
        _ => None,
    }
}

/// Returns the number of chunks, and the first of them, if a value is that.
fn chunk_count(value: &[u8]) -> Option<(usize, &[u8])> {
    let [digit, b'.', piece @ ..] = value else { return None };
    let count = usize::from(digit.checked_sub(b'0')?);
    (2..=MOST_CHUNKS).contains(&count).then_some((count, piece))
}

fn trimmed(value: &[u8]) -> &[u8] {
    let end = value.iter().rposition(|&byte| !is_blank(byte)).map_or(0, |last| last + 1);
    &value[..end]
}

fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::OsRandom;

    struct Lines(Vec<Vec<u8>>);

    impl Headers for Lines {
        fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
            self.0.iter().for_each(|line| each("cookie", line));
        }
    }

    fn found(lines: &[&[u8]]) -> usize {
        let lines = Lines(lines.iter().map(|line| line.to_vec()).collect());
        CookieName::new("__Host-session").candidates(&lines).tokens().count()
    }

    #[test]
    fn only_the_exact_name_is_ours() {
        let token = Token::new(&OsRandom).expose();
        let cookie = |name: &str| format!("{name}={token}").into_bytes();
        assert_eq!(found(&[&cookie("__Host-session")]), 1);
        assert_eq!(found(&[&cookie(" \t__Host-session")]), 1);
        for name in
            ["__%48ost-session", "\u{2000}__Host-session", "__host-session", "x__Host-session", "__Host-session "]
        {
            assert_eq!(found(&[&cookie(name)]), 0, "{name:?}");
        }
    }

    #[test]
    fn foreign_bytes_do_not_hide_our_cookie() {
        let token = Token::new(&OsRandom).expose();
        let mut line = b"a=\xff\x80; b; =; ;; \"x=\"; ".to_vec();
        line.extend_from_slice(format!("__Host-session=\"{token}\" ; c=\u{e9}").as_bytes());
        assert_eq!(found(&[b"other=1", &line]), 1);
    }

    #[test]
    fn a_semicolon_ends_a_value_even_in_quotes() {
        let token = Token::new(&OsRandom).expose();
        assert_eq!(found(&[format!("a=\"x; __Host-session={token}; y\"").as_bytes()]), 1);
        assert_eq!(found(&[format!("a=__Host-session={token}; b=x__Host-session={token}").as_bytes()]), 0);
    }

    #[test]
    fn at_most_four_different_tokens_are_candidates() {
        let tokens: Vec<String> =
            (0..6).map(|_| format!("__Host-session={}", Token::new(&OsRandom).expose())).collect();
        let same = vec![tokens[0].clone(); 6].join("; ");
        let garbage = ["__Host-session=x"; 9].join(";");
        assert_eq!(found(&[same.as_bytes()]), 1);
        assert_eq!(found(&[garbage.as_bytes(), tokens.join(";").as_bytes()]), 4);
    }
}
