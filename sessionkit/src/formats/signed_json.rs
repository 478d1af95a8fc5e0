//! A cookie format of our own that is easy to read in any language.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value};
use sessionkit_core::{AuthenticatedFormat, CookieContent, CookieFormat, FormatError, InvalidCookie, Timestamp};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::limits::{check_age, check_length, written};
use super::{Secrets, json};

/// The first characters of a cookie: the version of the format.
const VERSION: &str = "v1.";

/// What a key is for.
const LABEL: &[u8] = b"sessionkit signed-json v1\0";

/// The time by which the clock of the server that wrote a cookie may be ahead.
const AHEAD: Duration = Duration::from_secs(10);

/// Reads and writes JSON with an HMAC-SHA256: for services in several languages, none of which has a format yet.
///
/// Everybody can read such a cookie, and nobody can change it, let it live longer, or use it under another name. A cookie is
///
/// ```text
/// "v1." b64u(JSON) "." b64u(HMAC-SHA256(K, "v1." b64u(JSON)))
/// ```
///
/// with base64url without padding. `K` is HMAC-SHA256(secret, `sessionkit signed-json v1`, a zero byte, the name of the cookie). The JSON is
/// an object of exactly three members, in UTF-8:
///
/// ```json
/// {"iat": 1700000000, "exp": 1701209600, "data": {"user_id": 123}}
/// ```
///
/// `iat` is the second since the Unix epoch in which it was written, and `exp` that from which on it is not valid. The clock of the
/// server that wrote it may be ahead by 10 seconds. In Python:
///
/// ```python
/// def b64u(data): return base64.urlsafe_b64encode(data).rstrip(b"=")
///
/// key = hmac.digest(secret, b"sessionkit signed-json v1\0" + cookie_name, "sha256")
/// text = b"v1." + b64u(json.dumps({"iat": now, "exp": now + max_age, "data": data}).encode())
/// cookie = text + b"." + b64u(hmac.digest(key, text, "sha256"))
/// ```
#[derive(Clone)]
pub struct SignedJson {
    macs: Arc<[Hmac<Sha256>]>,
    max_age: Duration,
}

impl SignedJson {
    /// Makes the format for a cookie of this name. It is good for 14 days.
    pub fn new(secrets: Secrets, cookie_name: &str) -> Self {
        let mac = |secret: &str| {
            let key = mac_of(secret.as_bytes()).chain_update(LABEL).chain_update(cookie_name).finalize();
            mac_of(&*Zeroizing::new(<[u8; 32]>::from(key.into_bytes())))
        };
        Self { macs: secrets.iter().map(mac).collect(), max_age: Duration::from_secs(14 * 86_400) }
    }

    /// Sets how long after it was written a cookie is good, at most. One that says that it expires before does.
    #[must_use]
    pub fn max_age(self, max_age: Duration) -> Self {
        Self { max_age, ..self }
    }
}

impl CookieFormat for SignedJson {
    fn read(&self, cookie: &str, now: Timestamp) -> Result<CookieContent, InvalidCookie> {
        check_length(cookie)?;
        let (signed, signature) = cookie.rsplit_once('.').ok_or(InvalidCookie)?;
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| InvalidCookie)?;
        let verifies = |mac: &Hmac<Sha256>| mac.clone().chain_update(signed).verify_slice(&signature).is_ok();
        if !self.macs.iter().any(verifies) {
            return Err(InvalidCookie);
        }
        let text = signed.strip_prefix(VERSION).ok_or(InvalidCookie)?;
        let content = content(json::read(&URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidCookie)?)?);
        let (content, written_at, expires_at) = content.ok_or(InvalidCookie)?;
        check_age(written_at, now, self.max_age, AHEAD)?;
        if now < expires_at { Ok(content) } else { Err(InvalidCookie) }
    }

    fn write(&self, content: &CookieContent, now: Timestamp) -> Result<String, FormatError> {
        // Its own message names the key.
        json::check_depth(&content.values)?;
        let latest = now.saturating_add(self.max_age);
        let expires_at = content.expires_at.map_or(latest, |expires_at| expires_at.min(latest));
        let text = json::write(&Map::from_iter([
            ("iat".to_owned(), now.unix_seconds().into()),
            ("exp".to_owned(), expires_at.unix_seconds().into()),
            ("data".to_owned(), content.values.clone().into()),
        ]))?;
        let signed = format!("{VERSION}{}", URL_SAFE_NO_PAD.encode(text));
        // There is a first secret: a list without one is refused.
        let signature = self.macs[0].clone().chain_update(&signed).finalize().into_bytes();
        written(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn holds_expiry(&self) -> bool {
        true
    }
}

impl AuthenticatedFormat for SignedJson {}

/// Shows the number of secrets.
impl fmt::Debug for SignedJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { macs, max_age } = self;
        f.debug_struct("SignedJson").field("secrets", &macs.len()).field("max_age", max_age).finish_non_exhaustive()
    }
}

fn mac_of(key: &[u8]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("a key of an HMAC may have any length")
}

/// Returns the content of the three members, with the two times.
fn content(mut members: Map<String, Value>) -> Option<(CookieContent, Timestamp, Timestamp)> {
    let mut time = |name| members.remove(name)?.as_u64().map(Timestamp::from_unix_seconds);
    let (written_at, expires_at) = (time("iat")?, time("exp")?);
    let Value::Object(values) = members.remove("data")? else { return None };
    let mut content = CookieContent::new(values);
    (content.written_at, content.expires_at) = (Some(written_at), Some(expires_at));
    members.is_empty().then_some((content, written_at, expires_at))
}
