//! JSON Web Tokens.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};
use sessionkit_core::facade::key_error;
use sessionkit_core::{
    AuthenticatedFormat, CookieContent, CookieFormat, FormatError, InvalidCookie, KeyError, Timestamp,
};

pub use ed25519::{Ed25519Key, Ed25519PublicKey};

use self::claims::Claims;
use self::signature::{Keys, Token};
use super::limits::{check_length, written};
use super::{Secrets, json};

mod claims;
mod ed25519;
pub(super) mod signature;
#[cfg(test)]
mod tests;

/// Reads and writes signed JSON Web Tokens ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)), as
/// [RFC 8725](https://www.rfc-editor.org/rfc/rfc8725) advises. Everybody can read such a cookie.
///
/// The values of a session are claims beside the registered ones:
///
/// ```
/// use sessionkit::formats::{CookieContent, CookieFormat as _, Jwt, Secrets};
/// # use sessionkit::Timestamp;
///
/// # let secret = "vB7m3nRk2QwJx9Tz4LpHs8YdCf6GaUe1oVi5NqKtWb0";
/// # let now = Timestamp::from_unix_seconds(1_700_000_000);
/// let format = Jwt::hs256(Secrets::new([secret])?).audience("shop");
///
/// // The claims become {"aud":"shop","exp":1701209600,"iat":1700000000,"sub":"ana"}.
/// let mut content = CookieContent::default();
/// content.values.insert("sub".to_owned(), "ana".into());
/// let cookie = format.write(&content, now)?;
/// assert_eq!(format.read(&cookie, now)?.values, content.values);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Rules
///
/// - **Signature.** It is verified before anything else is read, by the one algorithm of the format. `none`, another algorithm, and an encrypted token
///   are refused.
/// - **Header.** It has `alg`, `typ`, and perhaps `kid`. Anything else is refused, `crit`, `jwk` and `jku` for example.
/// - **`exp`, `iat`, `nbf`.** A token ends at `exp`, without leeway, and [`max_age`](Self::max_age) after `iat`; it must have one of both. `iat` and
///   `nbf` may be ahead by 60 seconds, for clocks that differ. Those of a token that this format writes are `iat` and `exp`.
/// - **`aud`, `iss`.** They are compared with what is set here. Where nothing is set, a token that has one is refused.
/// - **`sub`, `jti`.** They are values, and must be strings. The other registered claims cannot be values.
///
/// Give each use its own secret, audience or [type](Self::token_type), so that a token of one is not taken for one of another.
#[derive(Clone)]
pub struct Jwt {
    keys: Keys,
    /// The names of the keys in their order, if they have names.
    key_ids: Arc<[String]>,
    token_type: Arc<str>,
    claims: Claims,
}

impl Jwt {
    /// Signs with HMAC-SHA256: who can verify can write too.
    pub fn hs256(secrets: Secrets) -> Self {
        Self::of_keys(Keys::hs256(&secrets))
    }

    /// Signs with Ed25519 (`EdDSA`), and verifies with the same key and with further public ones, of keys that were replaced.
    pub fn ed25519(key: &Ed25519Key, further: impl IntoIterator<Item = Ed25519PublicKey>) -> Self {
        Self::of_keys(Keys::ed25519(key, further))
    }

    /// Verifies with public keys of Ed25519, and cannot write: for services that others sign for. Without a key, it reads nothing.
    pub fn ed25519_verifying(keys: impl IntoIterator<Item = Ed25519PublicKey>) -> Self {
        Self::of_keys(Keys::ed25519_verifying(keys))
    }

    fn of_keys(keys: Keys) -> Self {
        Self { keys, key_ids: Arc::new([]), token_type: "JWT".into(), claims: Claims::default() }
    }

    /// Sets the claim `aud`, which is written and demanded: the service that a token is for.
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.claims.audience = Some(audience.into());
        self
    }

    /// Sets the claim `iss`, which is written and demanded: the service that writes tokens.
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.claims.issuer = Some(issuer.into());
        self
    }

    /// Sets the type, which is written and demanded: `session+jwt`, for example, so that no other token is taken for a session.
    /// It is `JWT` if none is set.
    #[must_use]
    pub fn token_type(mut self, token_type: &str) -> Self {
        self.token_type = token_type.into();
        self
    }

    /// Sets how long after it was written a token is good, at most; 14 days if it is not set. One that says that it expires
    /// before does.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.claims.max_age = max_age;
        self
    }

    /// Names the keys, in their order. The name of the first is written as `kid`, and a token that has a `kid` is verified with
    /// the key of that name alone.
    ///
    /// # Errors
    /// Fails when there is not one name for each key, or when one is there twice.
    pub fn key_ids<S: Into<String>>(self, ids: impl IntoIterator<Item = S>) -> Result<Self, KeyError> {
        let key_ids: Arc<[String]> = ids.into_iter().map(Into::into).collect();
        if key_ids.len() != self.keys.len() {
            let (ids, keys) = (key_ids.len(), self.keys.len());
            return Err(key_error(format!("there are {ids} ids for {keys} keys: name each key")));
        }
        match (1..key_ids.len()).find(|at| key_ids[..*at].contains(&key_ids[*at])) {
            Some(at) => Err(key_error(format!("the id of key {} is there twice: rename one of them", at + 1))),
            None => Ok(Self { key_ids, ..self }),
        }
    }

    fn header(&self) -> String {
        // A string always has a form in JSON.
        let kid = self.key_ids.first().map(|id| format!(",\"kid\":{}", Value::from(id.as_str()))).unwrap_or_default();
        let (algorithm, token_type) = (self.keys.algorithm(), Value::from(&*self.token_type));
        format!("{{\"alg\":\"{algorithm}\",\"typ\":{token_type}{kid}}}")
    }

    /// Checks the header of a token that the key at this position verified.
    fn check_header(&self, header: &Map<String, Value>, key: usize) -> Result<(), InvalidCookie> {
        let is = |name: &str, expected: &str| header.get(name).and_then(Value::as_str) == Some(expected);
        let id_fits = match (header.get("kid"), self.key_ids.get(key)) {
            (None, _) | (Some(Value::String(_)), None) => true,
            (Some(id), Some(expected)) => id.as_str() == Some(expected),
            (Some(_), None) => false,
        };
        let members = 2 + usize::from(header.contains_key("kid"));
        let fits =
            is("alg", self.keys.algorithm()) && is("typ", &self.token_type) && header.len() == members && id_fits;
        if fits { Ok(()) } else { Err(InvalidCookie) }
    }
}

impl CookieFormat for Jwt {
    fn read(&self, cookie: &str, now: Timestamp) -> Result<CookieContent, InvalidCookie> {
        check_length(cookie)?;
        let token = Token::parse(cookie)?;
        let key = self.keys.verify(&token)?;
        self.check_header(&json::read(&token.header()?)?, key)?;
        self.claims.read(json::read(&token.claims()?)?, now)
    }

    fn write(&self, content: &CookieContent, now: Timestamp) -> Result<String, FormatError> {
        let claims = json::write(&self.claims.write(content, now)?)?;
        written(self.keys.sign(&self.header(), &claims)?)
    }

    fn holds_expiry(&self) -> bool {
        true
    }
}

impl AuthenticatedFormat for Jwt {}

/// Shows the algorithm, the number of keys, and what tokens must say.
impl fmt::Debug for Jwt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys, key_ids, token_type, claims } = self;
        f.debug_struct("Jwt")
            .field("algorithm", &keys.algorithm())
            .field("keys", &keys.len())
            .field("key_ids", key_ids)
            .field("token_type", token_type)
            .field("claims", claims)
            .finish()
    }
}
