//! Sessions of Auth.js, which lie encrypted in their cookies.

#[cfg(test)]
mod tests;
mod token;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use sessionkit_core::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions, InvalidCookie, Timestamp};

use self::token::{Key, Token};
use super::javascript;
use crate::formats::Secrets;
use crate::formats::limits::check_length;

/// The difference between clocks that is tolerated.
const TOLERANCE: Duration = Duration::from_secs(15);

/// Reads the sessions of Auth.js (`@auth/core`, `next-auth` 5), or of NextAuth.js 4, whose strategy is `jwt`.
///
/// The settings are those of the application, under these names:
///
/// | there | here |
/// |---|---|
/// | `secret`, `AUTH_SECRET`, `NEXTAUTH_SECRET` | [`Secrets`], in the same order |
/// | `cookies.sessionToken` | [`cookie`](Self::cookie) |
/// | `useSecureCookies: false` | [`cookie`](Self::cookie), with the name `authjs.session-token` or `next-auth.session-token` |
///
/// ```
/// use sessionkit::formats::Secrets;
/// use sessionkit::migration::AuthJsSessions;
///
/// # fn sessions(secret: &str) -> Result<AuthJsSessions, sessionkit::KeyError> {
/// let sessions = AuthJsSessions::new(Secrets::of_running_application([secret])?);
/// # Ok(sessions)
/// # }
/// ```
///
/// The values are the claims of the token, without its times: `sub` is the id of the user, and there are `name`, `email`, `picture` and
/// what the callback `jwt` has added. They are not what the callback `session` makes of them.
///
/// A session can be read until its token is too old: nothing can end it before. One that Auth.js has put into several cookies is read.
/// Sessions of the strategy `database` are not.
#[derive(Clone)]
pub struct AuthJsSessions {
    secrets: Secrets,
    cookie: ForeignCookie,
    /// They belong to a name of the cookie.
    keys: Arc<[Key]>,
    derive: fn(&str, &str) -> Key,
}

impl AuthJsSessions {
    /// Takes the secrets of Auth.js. The cookie is `__Secure-authjs.session-token`, as it is over TLS.
    pub fn new(secrets: Secrets) -> Self {
        Self::with(secrets, ForeignCookie::new("__Secure-authjs.session-token"), Key::auth_js)
    }

    /// Takes the secret of NextAuth.js 4. The cookie is `__Secure-next-auth.session-token`, as it is over TLS.
    pub fn next_auth(secrets: Secrets) -> Self {
        Self::with(secrets, ForeignCookie::new("__Secure-next-auth.session-token"), |secret, _| Key::next_auth(secret))
    }

    /// Sets the cookie. Auth.js makes its keys for the name of it.
    #[must_use]
    pub fn cookie(self, cookie: ForeignCookie) -> Self {
        Self::with(self.secrets, cookie, self.derive)
    }

    fn with(secrets: Secrets, cookie: ForeignCookie, derive: fn(&str, &str) -> Key) -> Self {
        let keys = secrets.iter().map(|secret| derive(secret, cookie.name())).collect();
        Self { secrets, cookie, keys, derive }
    }
}

impl ForeignSessions for AuthJsSessions {
    fn system(&self) -> &'static str {
        "auth-js"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    fn chunk_separator(&self) -> Option<&'static str> {
        Some(".")
    }

    async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        check_length(cookie)?;
        let token = Token::parse(cookie).ok_or(InvalidCookie)?;
        let claims = self.keys.iter().find_map(|key| key.decrypt(&token)).ok_or(InvalidCookie)?;
        let mut session = ForeignSession::new(cookie, javascript::read(&claims)?);
        let [written_at, not_before, expires_at] = ["iat", "nbf", "exp"].map(|claim| time(&mut session.values, claim));
        let (written_at, not_before, expires_at) = (written_at?, not_before?, expires_at?);
        let expires_at = expires_at.ok_or_else(|| ForeignError::unreadable("the claim `exp` is missing"))?;
        // It is read for a while after its time.
        let expires_at = expires_at.saturating_add(TOLERANCE);
        let latest = now.saturating_add(TOLERANCE);
        if expires_at <= now || written_at.max(not_before).is_some_and(|time| time > latest) {
            return Err(ForeignError::invalid());
        }
        (session.written_at, session.expires_at) = (written_at, Some(expires_at));
        Ok(session)
    }

    async fn end(&self, _: &ForeignSession) -> Result<(), ForeignError> {
        Ok(())
    }
}

/// Shows the cookie, and the number of secrets.
impl fmt::Debug for AuthJsSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { secrets, cookie, .. } = self;
        f.debug_struct("AuthJsSessions").field("secrets", secrets).field("cookie", cookie).finish_non_exhaustive()
    }
}

/// Takes a time out of claims.
fn time(claims: &mut Map<String, Value>, claim: &str) -> Result<Option<Timestamp>, ForeignError> {
    let Some(value) = claims.remove(claim) else { return Ok(None) };
    let seconds =
        value.as_u64().ok_or_else(|| ForeignError::unreadable(format!("the claim `{claim}` is not a time")))?;
    Ok(Some(Timestamp::from_unix_seconds(seconds)))
}
