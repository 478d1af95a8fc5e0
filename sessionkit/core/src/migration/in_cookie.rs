//! Sessions of another system that lie in their cookie.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::foreign::{ForeignCookie, ForeignError, ForeignSession, ForeignSessions};
use crate::format::{AuthenticatedFormat, CookieContent};
use crate::time::Timestamp;

/// The key under which a cookie that we write says which session it is of: such cookies change at every write.
const LINEAGE: &str = "_sessionkit";

/// Reads and writes the sessions of a system that keeps them in their cookie: Starlette, Flask, or any other
/// [`AuthenticatedFormat`].
///
/// ```
/// # mod sessionkit { pub use sessionkit_core::*; pub mod migration { pub use sessionkit_core::*; } pub mod formats { pub use sessionkit_core::*; } }
/// use sessionkit::Timestamp;
/// use sessionkit::formats::AuthenticatedFormat;
/// use sessionkit::migration::{ForeignCookie, Migration, SessionsInCookie};
///
/// fn migration(format: impl AuthenticatedFormat, last_day: Timestamp) -> Migration {
///     let sessions = SessionsInCookie::new("starlette", ForeignCookie::new("session"), format);
///     Migration::until(last_day).from(sessions).user(|session| session.user_id("user_id"))
/// }
/// ```
///
/// Nothing ends such a session where it is read: after a logout its cookie is removed from the browser, and no copy of it is
/// taken over here. The other system goes on to take a copy for a session. One that the other system wrote for the same session at
/// another time is another cookie, which a logout does not know unless the browser sends it.
#[derive(Debug)]
pub struct SessionsInCookie<F> {
    system: &'static str,
    cookie: ForeignCookie,
    format: F,
}

impl<F: AuthenticatedFormat> SessionsInCookie<F> {
    /// Names the system, for events, its cookie, and the format of that.
    pub fn new(system: &'static str, cookie: ForeignCookie, format: F) -> Self {
        Self { system, cookie, format }
    }
}

impl<F: AuthenticatedFormat> ForeignSessions for SessionsInCookie<F> {
    fn system(&self) -> &'static str {
        self.system
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.cookie
    }

    async fn open(&self, cookie: &str, now: Timestamp) -> Result<ForeignSession, ForeignError> {
        let CookieContent { mut values, written_at, expires_at } = self.format.read(cookie, now)?;
        let id = match values.remove(LINEAGE) {
            Some(Value::String(lineage)) => lineage,
            _ => URL_SAFE_NO_PAD.encode(Sha256::digest(cookie)),
        };
        let mut session = ForeignSession::new(id, values);
        (session.written_at, session.expires_at) = (written_at, expires_at);
        Ok(session)
    }

    async fn end(&self, _session: &ForeignSession) -> Result<(), ForeignError> {
        Ok(())
    }

    fn writes(&self) -> bool {
        true
    }

    async fn write(&self, session: &ForeignSession, now: Timestamp) -> Result<String, ForeignError> {
        let lineage = match session.id() {
            "" => {
                let mut bytes = [0; 32];
                getrandom::fill(&mut bytes).map_err(|error| ForeignError::unavailable(error.to_string()))?;
                URL_SAFE_NO_PAD.encode(bytes)
            }
            id => id.to_owned(),
        };
        let mut values = session.values.clone();
        values.insert(LINEAGE.to_owned(), lineage.into());
        let mut content = CookieContent::new(values);
        content.expires_at = session.expires_at.filter(|_| self.format.holds_expiry());
        self.format.write(&content, now).map_err(|error| ForeignError::unreadable(error.to_string()))
    }
}
