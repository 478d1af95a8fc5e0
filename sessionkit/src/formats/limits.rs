//! The limits of all formats.

#[cfg(any(
    feature = "fernet",
    feature = "itsdangerous",
    feature = "jwt",
    feature = "muffin",
    feature = "signed-json"
))]
use sessionkit_core::FormatError;
use sessionkit_core::InvalidCookie;

/// The longest cookie that is read, in bytes. Browsers keep a quarter of it; several cookies can be put together to one.
pub(crate) const MAX_COOKIE: usize = 16 * 1024;

/// Refuses a cookie that is too long to be looked at.
pub(crate) fn check_length(cookie: &str) -> Result<(), InvalidCookie> {
    if cookie.len() > MAX_COOKIE { Err(InvalidCookie) } else { Ok(()) }
}

/// Returns a cookie, unless it is too long to be read.
#[cfg(any(feature = "fernet", feature = "itsdangerous", feature = "jwt", feature = "muffin", feature = "signed-json"))]
pub(super) fn written(cookie: String) -> Result<String, FormatError> {
    let length = cookie.len();
    if length <= MAX_COOKIE {
        return Ok(cookie);
    }
    Err(FormatError::new(format!("the cookie would have {length} bytes, more than {MAX_COOKIE}")))
}

/// Refuses a deadline where the format has no place for it: it would be forgotten.
#[cfg(any(feature = "fernet", feature = "itsdangerous", feature = "muffin"))]
pub(super) fn no_deadline(content: &sessionkit_core::CookieContent) -> Result<(), FormatError> {
    match content.expires_at {
        Some(_) => Err(FormatError::new("the format has no place for the time at which a session expires")),
        None => Ok(()),
    }
}

/// Checks that something was written at most so long ago, and no longer after `now` than clocks may differ.
#[cfg(any(feature = "fernet", feature = "itsdangerous", feature = "jwt", feature = "signed-json"))]
pub(super) fn check_age(
    written_at: sessionkit_core::Timestamp,
    now: sessionkit_core::Timestamp,
    max_age: std::time::Duration,
    ahead: std::time::Duration,
) -> Result<(), InvalidCookie> {
    let in_time = written_at <= now.saturating_add(ahead) && now.saturating_duration_since(written_at) <= max_age;
    if in_time { Ok(()) } else { Err(InvalidCookie) }
}
