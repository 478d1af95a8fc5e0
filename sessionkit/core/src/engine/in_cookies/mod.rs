//! Sessions that lie in the cookies themselves.
//!
//! A request's cookie is opened into a record and kept in a [`Jar`](jar::Jar), which is the store of this one request. So
//! everything above works as it does with a store on a server; at the end what is in the jar becomes the cookie.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use crate::config::SessionConfig;
use crate::encryption::KeyRing;
use crate::encryption::cookie::cookie_place;
use crate::engine::Engine;
use crate::format::CookieFormat;
use crate::record::list::ListEpoch;
use crate::store::error::StoreError;
use crate::time::Timestamp;
use crate::token::SessionId;
use crate::wire::cookie::{Candidates, CookieValues};
use crate::wire::head::Headers;

pub(crate) mod jar;
mod packing;
mod sharing;
#[cfg(test)]
mod tests;

/// The largest `Set-Cookie` header value that browsers keep whole, in bytes: name, value and attributes.
pub(crate) const LARGEST_COOKIE: usize = 4096;

/// The bytes that a record may need besides its fields: a login or a touch must not fail by size.
const HEADROOM: usize = 640;

/// The way in which sessions lie in cookies.
pub(crate) struct InCookies {
    pub(crate) form: Form,
    /// The number of cookies that a session may take.
    pub(crate) most_chunks: usize,
    pub(crate) revocations: Option<Arc<dyn Revocations>>,
}

/// The form of a session in its cookie.
pub(crate) enum Form {
    /// Encrypted, with everything that a record has.
    Sealed(KeyRing),
    /// In the format of another system, which reads and writes it too.
    Shared(Sharing),
}

/// The places of a session's parts in a cookie that another system reads.
pub(crate) struct Sharing {
    pub(crate) format: Arc<dyn CookieFormat>,
    /// The namespace of the struct whose fields stand at the top level.
    pub(crate) top_level: Option<&'static str>,
    pub(crate) user: Option<UserKey>,
}

/// The place of the user's id in a cookie that another system reads.
pub(crate) struct UserKey {
    pub(crate) key: String,
    /// True if ids are numbers there.
    pub(crate) is_number: bool,
}

/// The mark of a login in a cookie, by which a store knows it when it has ended.
#[derive(Clone, Copy, Default)]
pub(crate) struct LoginMark {
    /// The epoch of the user at the login.
    pub(crate) epoch: ListEpoch,
    /// The name of the login. A session may be logged in again after a logout, by an old copy of its cookie.
    pub(crate) name: [u8; LOGIN_NAME],
}

pub(crate) const LOGIN_NAME: usize = 8;

impl LoginMark {
    /// Returns under what a login of this session is noted as ended. One of another system has no name.
    pub(crate) fn noted_as(&self, session: SessionId) -> SessionId {
        if self.name == [0; LOGIN_NAME] {
            return session;
        }
        let mut bytes = [0; 16];
        bytes[..LOGIN_NAME].copy_from_slice(&self.name);
        SessionId::from_bytes(bytes)
    }
}

/// The logins in cookies that have ended before their time, in a store.
pub(crate) trait Revocations: Send + Sync {
    /// Returns the epoch of a user, which every login of theirs from now on has.
    fn epoch<'a>(&'a self, engine: &'a Arc<Engine>, user: &'a str) -> RevocationFuture<'a, ListEpoch>;

    /// Returns whether a login has ended, by itself or with all of its user's.
    fn is_ended<'a>(
        &'a self,
        engine: &'a Arc<Engine>,
        user: &'a str,
        login: SessionId,
        epoch: ListEpoch,
    ) -> RevocationFuture<'a, bool>;

    /// Ends a login, whose cookies may be good until then.
    fn end<'a>(
        &'a self,
        engine: &'a Arc<Engine>,
        user: &'a str,
        login: SessionId,
        until: Timestamp,
    ) -> RevocationFuture<'a, ()>;
}

pub(crate) type RevocationFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

impl InCookies {
    /// Returns whether nobody can read a session but those who have the keys.
    pub(crate) fn is_sealed(&self) -> bool {
        matches!(self.form, Form::Sealed(_))
    }

    /// Returns the size that the fields of a session may reach, in bytes.
    pub(crate) fn field_limit(&self, config: &SessionConfig) -> usize {
        let settings = config.settings();
        let attributes = crate::config::set_cookie::longest_attributes(settings);
        let text = self.most_chunks * LARGEST_COOKIE.saturating_sub(attributes);
        let bytes = (text / 4 * 3).saturating_sub(HEADROOM);
        settings.max_record_size.min(bytes)
    }
}

impl Engine {
    /// Returns the size that the fields of a session may reach, in bytes.
    pub(crate) fn field_limit(&self) -> usize {
        match &self.in_cookies {
            Some(in_cookies) => in_cookies.field_limit(&self.config),
            None => self.settings().max_record_size,
        }
    }

    /// Returns what the cookies of a request may open.
    pub(crate) fn candidates(&self, headers: &dyn Headers) -> Candidates {
        match &self.jar {
            Some(jar) => jar.candidates(self.whole_values(headers)),
            None => self.cookie_name.candidates(headers),
        }
    }

    /// Returns the first few different values of our cookie that are text.
    pub(crate) fn cookie_values(&self, headers: &dyn Headers) -> Vec<String> {
        match &self.jar {
            Some(_) => {
                let values = self.whole_values(headers).values;
                values.into_iter().filter_map(|(value, _)| String::from_utf8(value).ok()).collect()
            }
            None => self.cookie_name.values(headers),
        }
    }

    /// Other systems' formats may have values that look like a first chunk.
    fn whole_values(&self, headers: &dyn Headers) -> CookieValues {
        let in_chunks = self.in_cookies.as_ref().is_some_and(InCookies::is_sealed);
        self.cookie_name.whole_values(headers, in_chunks)
    }

    /// Adds what the value of a cookie may open.
    pub(crate) fn add_candidate(&self, candidates: &mut Candidates, value: &str) {
        match &self.jar {
            Some(jar) => {
                candidates.presented = true;
                candidates.add_token(jar.open(value.as_bytes()));
            }
            None => candidates.add(value.as_bytes()),
        }
    }

    /// Notes that a login is about to be written into a session of the request.
    pub(crate) fn note_login(&self) {
        if let Some(jar) = &self.jar {
            jar.note_login();
        }
    }

    fn cookie_place(&self) -> Vec<u8> {
        cookie_place(&self.settings().cookie_name, self.scope())
    }
}
