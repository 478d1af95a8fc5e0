//! The changes of a response.

use std::borrow::Cow;
use std::fmt;

use crate::wire::header;
use crate::wire::rejection::Rejection;

/// The changes of a response: of its headers, or all of it. With the feature `http`, `apply` makes them.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct ResponseChanges {
    /// Changes of the response's headers.
    pub headers: HeaderChanges,
    /// The answer that takes the place of the handler's; the header changes apply to it too. Those headers of the handler's
    /// that [outlive its body](Self::outlives_the_body) stay. Of a header that both have the answer's counts, but `set-cookie`
    /// and `vary` add up.
    pub rejection: Option<Rejection>,
}

impl ResponseChanges {
    pub(crate) fn new(consulted: bool, denied: bool, cookie: Option<SetCookie>, rejection: Option<Rejection>) -> Self {
        Self { headers: HeaderChanges { consulted, denied, cookie, others: Vec::new() }, rejection }
    }

    /// Adds `Set-Cookie` headers for cookies that are not ours.
    pub(crate) fn with_cookies(mut self, others: Vec<String>) -> Self {
        self.headers.others = others;
        self
    }

    /// Returns whether a header of this lower-case name stays when a rejection replaces the response: what describes
    /// the body or the status goes with them, such as `content-length` and `etag`; a request id, CORS and cookies stay.
    pub fn outlives_the_body(name: &str) -> bool {
        !header::goes_with_the_body(name)
    }
}

/// The answer of a handler, as far as [`SessionManager::close`](crate::SessionManager::close) needs to know it: a status
/// code, or with the feature `http` a `&Response`.
#[derive(Clone, Debug)]
pub struct HandlerResponse {
    pub(crate) status: u16,
    pub(crate) rejection: Option<Rejection>,
}

impl HandlerResponse {
    /// Makes it of the response's status.
    pub fn new(status: u16) -> Self {
        Self { status, rejection: None }
    }

    /// Says that the response was made of this rejection, which is among its extensions: for adapters. One whose body something
    /// replaced, so that its content type is another by now, does not count.
    pub fn with_rejection(mut self, rejection: Option<&Rejection>, content_type: Option<&[u8]>) -> Self {
        let is_intact = |rejection: &&Rejection| rejection.status() == self.status && rejection.has_type(content_type);
        self.rejection = rejection.filter(is_intact).cloned();
        self
    }
}

impl From<u16> for HandlerResponse {
    fn from(status: u16) -> Self {
        Self::new(status)
    }
}

/// The change of the client's cookie, as headers.
#[derive(Clone)]
pub(crate) struct SetCookie {
    pub(crate) value: String,
    /// The headers of the other cookies of a session that takes several.
    pub(crate) more: Vec<String>,
    /// True if the session is as good without it: a later response sets it again.
    pub(crate) can_wait: bool,
    /// The value of `Clear-Site-Data`, if the session was ended.
    pub(crate) clear_site_data: Option<String>,
}

/// The changes of a response's headers, in order: iterate over them.
#[derive(Clone, Default)]
pub struct HeaderChanges {
    consulted: bool,
    denied: bool,
    cookie: Option<SetCookie>,
    /// The values of `Set-Cookie` headers for cookies that are not ours.
    others: Vec<String>,
}

impl HeaderChanges {
    /// Returns whether the headers stay as they are.
    pub fn is_empty(&self) -> bool {
        !self.consulted && !self.denied && self.cookie.is_none() && self.others.is_empty()
    }

    /// Returns the changes without a cookie that a later response may set as well, a new end of the client's cookie for
    /// example: for adapters whose errors have no headers to change.
    pub fn essential(&self) -> Self {
        let cookie = self.cookie.as_ref().filter(|cookie| !cookie.can_wait).cloned();
        Self { cookie, others: self.others.clone(), ..*self }
    }
}

impl IntoIterator for HeaderChanges {
    type Item = HeaderChange;
    type IntoIter = std::iter::Chain<
        std::iter::Flatten<std::array::IntoIter<Option<HeaderChange>, 4>>,
        std::vec::IntoIter<HeaderChange>,
    >;

    fn into_iter(mut self) -> Self::IntoIter {
        let vary = self.consulted.then_some(HeaderChange::Append("vary", Cow::Borrowed("Cookie")));
        let no_store = self.denied || self.cookie.is_some() || !self.others.is_empty();
        let cache = no_store.then_some(HeaderChange::Set("cache-control", Cow::Borrowed("no-store")));
        let set = |value| HeaderChange::Append("set-cookie", Cow::Owned(value));
        let more = self.cookie.as_mut().map(|cookie| std::mem::take(&mut cookie.more)).unwrap_or_default();
        let more: Vec<_> = more.into_iter().chain(self.others).map(set).collect();
        let (cookie, clear) = self.cookie.map(|cookie| (cookie.value, cookie.clear_site_data)).unzip();
        let cookie = cookie.map(set);
        let clear = clear.flatten().map(|data| HeaderChange::Set("clear-site-data", Cow::Owned(data)));
        [vary, cache, cookie, clear].into_iter().flatten().chain(more)
    }
}

/// Names the headers; the value of `set-cookie` is a secret.
impl fmt::Debug for HeaderChanges {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

/// A change of a response's headers, with a lower-case name.
#[derive(Clone, Eq, PartialEq)]
pub enum HeaderChange {
    /// Adds a value beside those that are there.
    Append(&'static str, Cow<'static, str>),
    /// Replaces all values that are there.
    Set(&'static str, Cow<'static, str>),
}

/// Names the header; the value of `set-cookie` is a secret.
impl fmt::Debug for HeaderChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (change, name) = match self {
            Self::Append(name, _) => ("Append", name),
            Self::Set(name, _) => ("Set", name),
        };
        f.debug_tuple(change).field(name).finish_non_exhaustive()
    }
}
