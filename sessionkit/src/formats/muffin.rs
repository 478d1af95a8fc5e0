//! The three cookies of Muffin-Session.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Map, Value};
use sessionkit_core::facade::secret_error;
use sessionkit_core::{
    AuthenticatedFormat, CookieContent, CookieFormat, FormatError, InvalidCookie, KeyError, Timestamp,
};
use zeroize::Zeroizing;

use super::jwt::signature::{Keys, Token};
use super::limits::{check_length, no_deadline, written};
use super::{Fernet, Secrets, json};

/// The one header of a token.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// Reads and writes the cookies of Muffin-Session, and of asgi-sessions, by their setting `session_type`.
///
/// They know one secret at a time. A cookie is not bound to its name.
#[derive(Clone)]
pub struct Muffin(Kind);

#[derive(Clone)]
enum Kind {
    Jwt(Keys),
    Fernet(Fernet),
}

impl Muffin {
    /// Makes the format of `session_type = "jwt"`: a JSON Web Token of the values, which everybody can read.
    ///
    /// It holds **no time**, as Muffin writes it: a copy of a cookie is good until the secret is replaced. If a session has values
    /// under the names of registered claims, they must be what Muffin accepts: `exp`, `nbf` and `iat` are integers, and are
    /// obeyed; `sub` and `jti` are strings; there is no `aud`.
    pub fn jwt(secrets: Secrets) -> Self {
        Self(Kind::Jwt(Keys::hs256(&secrets)))
    }

    /// Makes the format of `session_type = "fernet"`: a Fernet token, which only who has the secret can read.
    ///
    /// A cookie is good for 14 days, or for what [`max_age`](Self::max_age) says; Muffin itself accepts it for ever.
    ///
    /// # Errors
    /// Fails when a secret has more than 32 bytes, with which Muffin cannot work.
    pub fn fernet(secrets: Secrets) -> Result<Self, KeyError> {
        let keys = secrets.iter().map(|secret| {
            let mut key = Zeroizing::new([b'='; 32]);
            let place = key.get_mut(..secret.len());
            place
                .ok_or_else(|| secret_error("has more than 32 bytes, with which Muffin-Session cannot work"))?
                .copy_from_slice(secret.as_bytes());
            Ok(key)
        });
        Ok(Self(Kind::Fernet(Fernet::of_keys(keys.collect::<Result<Vec<_>, KeyError>>()?))))
    }

    /// Sets how long after it was written a cookie of the type `fernet` is good; `Duration::MAX` is as long as with Muffin. The
    /// others hold no time.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        match self.0 {
            Kind::Fernet(fernet) => Self(Kind::Fernet(fernet.max_age(max_age))),
            jwt @ Kind::Jwt(_) => Self(jwt),
        }
    }

    /// Makes the format of `session_type = "base64"`, which **anybody can write**: who puts the id of another user into a cookie is
    /// that user. It is there to take over data that nobody gains from forging. It is no [`AuthenticatedFormat`], so sessions cannot
    /// be kept in it.
    ///
    /// ```compile_fail,E0277
    /// use sessionkit::formats::{AuthenticatedFormat, Muffin};
    ///
    /// fn keep_sessions_in(format: impl AuthenticatedFormat) {}
    /// keep_sessions_in(Muffin::dangerous_unauthenticated_base64());
    /// ```
    pub fn dangerous_unauthenticated_base64() -> UnauthenticatedBase64 {
        UnauthenticatedBase64(())
    }
}

impl CookieFormat for Muffin {
    fn read(&self, cookie: &str, now: Timestamp) -> Result<CookieContent, InvalidCookie> {
        match &self.0 {
            Kind::Fernet(fernet) => fernet.read(cookie, now),
            Kind::Jwt(keys) => {
                check_length(cookie)?;
                let token = Token::parse(cookie)?;
                keys.verify(&token)?;
                if token.header()? != HEADER.as_bytes() {
                    return Err(InvalidCookie);
                }
                let content = CookieContent::new(json::read(&token.claims()?)?);
                check_claims(&content.values, now).map_err(|_| InvalidCookie)?;
                Ok(content)
            }
        }
    }

    fn write(&self, content: &CookieContent, now: Timestamp) -> Result<String, FormatError> {
        match &self.0 {
            Kind::Fernet(fernet) => fernet.write(content, now),
            Kind::Jwt(keys) => {
                no_deadline(content)?;
                check_claims(&content.values, now).map_err(|name| {
                    FormatError::new(format!("Muffin-Session would refuse the value of `{name}`, a registered claim"))
                })?;
                written(keys.sign(HEADER, &json::write(&content.values)?)?)
            }
        }
    }
}

impl AuthenticatedFormat for Muffin {}

/// Shows the type.
impl fmt::Debug for Muffin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Kind::Jwt(_) => "Muffin(jwt)",
            Kind::Fernet(_) => "Muffin(fernet)",
        })
    }
}

/// Checks the values that Muffin takes for registered claims, as strictly as it does.
///
/// # Errors
/// Fails with the name of the value.
fn check_claims(values: &Map<String, Value>, now: Timestamp) -> Result<(), &'static str> {
    const REGISTERED: [&str; 6] = ["aud", "exp", "iat", "jti", "nbf", "sub"];
    let now = now.unix_seconds();
    let is_right = |name: &str, value: &Value| match name {
        "exp" => value.as_u64().is_some_and(|time| now < time),
        "iat" | "nbf" => value.as_u64().is_some_and(|time| time <= now),
        "jti" | "sub" => value.is_string(),
        // Muffin expects no audience.
        _ => false,
    };
    let is_wrong = |name: &&&'static str| values.get(**name).is_some_and(|value| !is_right(name, value));
    REGISTERED.iter().find(is_wrong).map_or(Ok(()), |name| Err(*name))
}

/// Reads and writes the cookies of Muffin-Session with `session_type = "base64"`, which prove nothing. See
/// [`Muffin::dangerous_unauthenticated_base64`].
#[derive(Clone, Debug)]
pub struct UnauthenticatedBase64(());

impl CookieFormat for UnauthenticatedBase64 {
    fn read(&self, cookie: &str, _now: Timestamp) -> Result<CookieContent, InvalidCookie> {
        check_length(cookie)?;
        let text = URL_SAFE.decode(cookie).map_err(|_| InvalidCookie)?;
        Ok(CookieContent::new(json::read(&text)?))
    }

    fn write(&self, content: &CookieContent, _now: Timestamp) -> Result<String, FormatError> {
        no_deadline(content)?;
        written(URL_SAFE.encode(json::write(&content.values)?))
    }
}
