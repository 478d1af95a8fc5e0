//! The registered claims of a token, beside the values of the session.

use std::time::Duration;

use serde_json::{Map, Value};
use sessionkit_core::{CookieContent, FormatError, InvalidCookie, Timestamp};

use super::super::limits::check_age;

/// The time by which the clock of the server that wrote a token may be ahead.
const AHEAD: Duration = Duration::from_secs(60);

/// The registered claims that belong to the format.
const RESERVED: [&str; 5] = ["aud", "exp", "iat", "iss", "nbf"];

/// The registered claims that are values, and strings.
const STRINGS: [&str; 2] = ["jti", "sub"];

/// What the registered claims of a token must be.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    pub(super) audience: Option<String>,
    pub(super) issuer: Option<String>,
    pub(super) max_age: Duration,
}

impl Default for Claims {
    fn default() -> Self {
        Self { audience: None, issuer: None, max_age: Duration::from_secs(14 * 86_400) }
    }
}

impl Claims {
    /// Takes the values out of the claims of a token whose signature is right.
    pub(super) fn read(&self, mut claims: Map<String, Value>, now: Timestamp) -> Result<CookieContent, InvalidCookie> {
        let is_for = |audience: Value, expected: &str| match audience {
            Value::Array(all) => {
                all.iter().all(Value::is_string) && all.iter().any(|audience| audience.as_str() == Some(expected))
            }
            audience => audience.as_str() == Some(expected),
        };
        let is_of = |issuer: Value, expected: &str| issuer.as_str() == Some(expected);
        let strings = STRINGS.iter().all(|name| claims.get(*name).is_none_or(Value::is_string));
        let mut fits = |name: &str, expected: &Option<String>, is: &dyn Fn(Value, &str) -> bool| match (
            claims.remove(name),
            expected,
        ) {
            (None, None) => true,
            (Some(found), Some(expected)) => is(found, expected),
            (Some(_), None) | (None, Some(_)) => false,
        };
        if !(strings && fits("aud", &self.audience, &is_for) && fits("iss", &self.issuer, &is_of)) {
            return Err(InvalidCookie);
        }
        let mut time = |name| claims.remove(name).map(|time| seconds(&time).ok_or(InvalidCookie)).transpose();
        let (written_at, expires_at, not_before) = (time("iat")?, time("exp")?, time("nbf")?);
        self.check_times(written_at, expires_at, not_before, now)?;
        let mut content = CookieContent::new(claims);
        (content.written_at, content.expires_at) = (written_at, expires_at);
        Ok(content)
    }

    fn check_times(
        &self,
        written_at: Option<Timestamp>,
        expires_at: Option<Timestamp>,
        not_before: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), InvalidCookie> {
        if let Some(written_at) = written_at {
            check_age(written_at, now, self.max_age, AHEAD)?;
        }
        let ends = written_at.is_some() || expires_at.is_some();
        let has_begun = not_before.is_none_or(|not_before| not_before <= now.saturating_add(AHEAD));
        let has_ended = expires_at.is_some_and(|expires_at| now >= expires_at);
        if ends && has_begun && !has_ended { Ok(()) } else { Err(InvalidCookie) }
    }

    /// Returns the claims of a token that is written now.
    pub(super) fn write(&self, content: &CookieContent, now: Timestamp) -> Result<Map<String, Value>, FormatError> {
        if let Some(name) = RESERVED.iter().find(|name| content.values.contains_key(**name)) {
            return Err(FormatError::new(format!("`{name}` is a claim of the format: give the value another key")));
        }
        let is_other = |name: &&&str| content.values.get(**name).is_some_and(|value| !value.is_string());
        if let Some(name) = STRINGS.iter().find(is_other) {
            return Err(FormatError::new(format!("`{name}` is a registered claim, and must be a string")));
        }
        let latest = now.saturating_add(self.max_age);
        let expires_at = content.expires_at.map_or(latest, |expires_at| expires_at.min(latest));
        let mut claims = content.values.clone();
        claims.insert("iat".to_owned(), now.unix_seconds().into());
        claims.insert("exp".to_owned(), expires_at.unix_seconds().into());
        for (name, value) in [("aud", &self.audience), ("iss", &self.issuer)] {
            if let Some(value) = value {
                claims.insert(name.to_owned(), value.as_str().into());
            }
        }
        Ok(claims)
    }
}

/// Reads a `NumericDate`, which may have a fraction.
fn seconds(time: &Value) -> Option<Timestamp> {
    let fraction = || time.as_f64().filter(|seconds| *seconds >= 0.0 && *seconds < u64::MAX as f64);
    let seconds = time.as_u64().or_else(|| fraction().map(|seconds| seconds as u64))?;
    Some(Timestamp::from_unix_seconds(seconds))
}
