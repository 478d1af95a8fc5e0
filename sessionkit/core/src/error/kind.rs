//! The kinds of errors, to decide by.

use super::DenialReason;

/// The kind of a [`SessionError`](super::SessionError), for programs that decide by it.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{SessionError, SessionErrorKind};
///
/// fn hint(error: &SessionError) -> &'static str {
///     match error.kind() {
///         SessionErrorKind::TooManyDevices => "Log out on another device first.",
///         SessionErrorKind::StoreUnavailable | SessionErrorKind::UserLoader => "Try again in a minute.",
///         _ => "That did not work.",
///     }
/// }
/// # let _ = hint;
/// ```
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SessionErrorKind {
    /// The store failed, and nothing happened: 503. A later try may succeed.
    StoreUnavailable,
    /// The store's answer did not arrive, and what was asked may have happened: 503.
    StoreUnknown,
    /// The stored bytes are damaged, or another program wrote them: 500.
    StoreCorrupt,
    /// A stored value does not fit its field, or a value has no encoding: 500.
    Field,
    /// The record would be larger than the setting `max_record_size` allows: 500.
    RecordTooLarge,
    /// Other requests kept changing the same field until the deadline: 409.
    Conflict,
    /// The session ended, or its token was rotated, before the changes could be stored: 409.
    SessionEnded,
    /// A handle has no session, and cannot begin one: 409.
    NoSession,
    /// Nobody is logged in: 401.
    NotLoggedIn,
    /// There is no such user to act as: 404.
    NoSuchUser,
    /// The user is logged in on as many devices as may be: 409.
    TooManyDevices,
    /// The user's sessions were ended while the login was under way: 409.
    LoginRevoked,
    /// The user acts as another one already: 409.
    Impersonating,
    /// The cookie opens nothing, and the setting `on_bad_cookie` rejects that: 400 or 401.
    BadCookie,
    /// Another site made the browser send the request, or the form is none of this session: 403.
    CrossSite,
    /// A guard refused the request: 401, 403, or a redirect.
    Denied(DenialReason),
    /// No guard decided about the route, in an application that withholds such answers: 403, and 500 with `dev()`.
    Unguarded,
    /// A guard could not decide, because a predicate or a requirement failed: 500.
    GuardFailed,
    /// The user loader failed, or did not answer in time: 503.
    UserLoader,
    /// A hook of the application did not answer in time: 503.
    HookTimeout,
    /// Code of the application panicked: 500.
    Panic,
    /// The program uses the session in a way that cannot work; the log says what to change: 500.
    Misuse,
    /// The application gave the answer itself: in a hook, or with [`Rejection::new`](crate::Rejection::new).
    Answered,
    /// The server is shutting down: 503.
    ShuttingDown,
}
