//! The settings that are a choice of several.

use std::time::Duration;

/// The `SameSite` attribute of a cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SameSite {
    /// The cookie stays away from every request that another site begins.
    Strict,
    /// The cookie comes with navigations from other sites, but not with their forms and frames.
    Lax,
    /// The cookie comes with every request; it must be `Secure`.
    None,
}

/// The `Max-Age` attribute of a cookie.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CookieMaxAge {
    /// The cookie ends with the session.
    Follow,
    /// The cookie has no `Max-Age`: it ends when the browser is closed. That of a login which asked for a
    /// [lifetime](crate::Login::lifetime) of its own follows the session's end.
    Session,
    /// The cookie ends after this time; the server still decides when the session does.
    Fixed(Duration),
}

/// The effect that use of a session has on its idle deadline.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rolling {
    /// Nothing: the session ends its idle time after it began.
    Off,
    /// The idle time begins anew.
    Reset,
    /// The deadline moves later by this time.
    Extend(Duration),
}

/// The answer to a request whose changes came after the session's end, by a logout in another request for example.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnLostWrite {
    /// The handler's answer.
    Ignore,
    /// 409 Conflict.
    Error,
}

/// The treatment of a login whose user is logged in on as many devices as the setting `max_devices` allows.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnMaxDevices {
    /// The place of the oldest login, whose session ends.
    EvictOldest,
    /// 409 Conflict, until the user logs out elsewhere.
    Reject,
}

/// The treatment of a request that asks for the session with a cookie that opens nothing. The cookie was tampered with,
/// is unknown, or belongs to a session that has ended.
///
/// A login and a logout work either way, and so does every route that does not use the session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnBadCookie {
    /// The treatment of a visitor without a cookie.
    Anonymous,
    /// 400 Bad Request for a cookie that is no token, 401 Unauthorized for a token that opens nothing. So that a person
    /// whose session has ended can log in again, keep the session out of the login page and of its handler before the
    /// login.
    Reject,
}
