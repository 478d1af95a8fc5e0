//! The error of a call to a store.

use std::fmt;

use crate::error::Chain;
use crate::record::front::Unreadable;

/// A call to a store failed. It never means that a session does not exist.
pub struct StoreError {
    kind: StoreErrorKind,
    reason: Box<dyn std::error::Error + Send + Sync>,
}

/// The kind of a failure: it says what is known after the call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Nothing happened.
    Unavailable,
    /// It may have happened.
    Unknown,
    /// Nothing happened, and it will not work later either: what is stored is not what this program expects.
    Corrupt,
    /// Nothing happened: the store cannot do this at all.
    Unsupported,
}

impl StoreError {
    /// The store did not do it, and may do it later.
    pub fn unavailable(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Unavailable, reason: reason.into() }
    }

    /// The store may have done it: an answer did not arrive.
    pub fn unknown(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Unknown, reason: reason.into() }
    }

    /// The store cannot do it at all.
    pub fn unsupported(reason: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { kind: StoreErrorKind::Unsupported, reason: reason.into() }
    }

    /// The store holds something under `key` that this program does not expect; nothing was changed.
    pub fn corrupt(key: impl fmt::Display) -> Self {
        // It goes to the log, where it must not begin a line of its own.
        let key = key.to_string();
        let reason = format!("the stored value of `{}` is of the wrong type", key.escape_debug()).into();
        Self { kind: StoreErrorKind::Corrupt, reason }
    }

    /// Makes an error for an entry that this release cannot read. If a newer one wrote it, it is as if the store had not
    /// answered.
    pub(crate) fn unreadable(unreadable: Unreadable) -> Self {
        let kind = match unreadable {
            Unreadable::UnknownVersion(_) => StoreErrorKind::Unavailable,
            Unreadable::Damaged => StoreErrorKind::Corrupt,
        };
        Self { kind, reason: unreadable.into() }
    }

    /// Says that it may have happened all the same: an earlier attempt got no answer.
    pub(crate) fn into_unknown(self) -> Self {
        Self { kind: StoreErrorKind::Unknown, ..self }
    }

    /// Returns what is known.
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            StoreErrorKind::Unavailable => "the session store failed",
            StoreErrorKind::Unknown => "the session store may or may not have done it",
            StoreErrorKind::Corrupt => "the session store holds something unexpected",
            StoreErrorKind::Unsupported => "the session store cannot do this",
        };
        f.write_str(what)
    }
}

/// Shows the reason too.
impl fmt::Debug for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&Chain(self), f)
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.reason)
    }
}
