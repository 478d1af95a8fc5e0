//! What went wrong, and what is known after it.

use std::fmt;
use std::time::Duration;

use ::redis::{ErrorKind, RedisError, ServerErrorKind};
use sessionkit_core::StoreError;

/// A command failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was sent: there is no connection.
    NotConnected(String),
    /// The server answered with an error.
    Refused(RedisError),
    /// The connection broke before the answer.
    Broken(RedisError),
    /// The answer did not come in time.
    TimedOut(Duration),
}

impl Failure {
    /// Takes apart an error of a command that was sent.
    pub(super) fn of_command(error: RedisError) -> Self {
        match error.kind() {
            ErrorKind::Server(_) | ErrorKind::Extension => Self::Refused(error),
            _ => Self::Broken(error),
        }
    }

    /// Whether the server lacks the script.
    pub(super) fn is_unknown_script(&self) -> bool {
        matches!(self, Self::Refused(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript))
    }

    /// Whether the key holds something that is not a hash.
    pub(super) fn is_wrong_type(&self) -> bool {
        matches!(self, Self::Refused(error) if error.code() == Some("WRONGTYPE"))
    }

    /// The error of a call that changes nothing.
    pub(super) fn of_read(self) -> StoreError {
        StoreError::unavailable(self)
    }

    /// The error of a call that may have changed something.
    pub(super) fn of_write(self) -> StoreError {
        if self.nothing_happened() { StoreError::unavailable(self) } else { StoreError::unknown(self) }
    }

    fn nothing_happened(&self) -> bool {
        match self {
            Self::NotConnected(_) => true,
            Self::Refused(error) => error.code().is_some_and(|code| NOT_EXECUTED.contains(&code)),
            Self::Broken(_) | Self::TimedOut(_) => false,
        }
    }
}

/// Errors with which Redis refuses a command, or the first write of a script.
const NOT_EXECUTED: [&str; 15] = [
    "ASK",
    "BUSY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOAUTH",
    "NOREPLICAS",
    "NOSCRIPT",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "WRONGPASS",
];

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotConnected(reason) => write!(f, "cannot connect to Redis: {reason}"),
            // The server's words may quote what was sent.
            Self::Refused(error) => write!(f, "Redis refused: {}", error.code().unwrap_or("an error without a code")),
            Self::Broken(error) => write!(f, "the connection to Redis broke: {error}"),
            Self::TimedOut(after) => write!(f, "Redis did not answer within {after:?}"),
        }
    }
}

impl std::error::Error for Failure {}

/// A [`RedisStore`](super::RedisStore) cannot be set up.
///
/// Says what to change; never shows a password.
///
/// ```
/// use sessionkit::redis::RedisStore;
///
/// let error = RedisStore::builder("http://:hunter2@localhost").build().unwrap_err();
/// assert!(!error.to_string().contains("hunter2"));
/// ```
pub struct RedisSetupError(String);

impl RedisSetupError {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self(reason.into())
    }
}

impl fmt::Display for RedisSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RedisSetupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for RedisSetupError {}
