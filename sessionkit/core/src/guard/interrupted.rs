//! The reasons for which a check stops before its end.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use super::request::GuardedRequest;
use crate::error::{Cause, SessionError};

/// The reason for which a [`Check`](super::Check) stopped before its end. It is no denial.
#[derive(Debug)]
#[non_exhaustive]
pub enum Interrupted {
    /// Something is not loaded yet: the guard awaits the fetch, and checks again from the beginning.
    Pending(PendingFetch),
    /// The session cannot be used: a 503, or what the error says.
    Session(SessionError),
    /// A condition could not be decided, and why: a 500.
    Failed(Cause),
}

impl Interrupted {
    /// A condition of the application failed, perhaps because it could not use the session.
    pub(super) fn by(cause: impl Into<Cause>) -> Self {
        cause.into().downcast::<SessionError>().map_or_else(Self::Failed, |error| Self::Session(*error))
    }
}

impl From<SessionError> for Interrupted {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

/// The fetch of something that a condition looks at and that has to be awaited.
pub struct PendingFetch(pub(crate) Fetch);

/// Loads what is needed, and leaves it where the condition finds it when it is asked again.
pub(crate) type Fetch = for<'r> fn(&'r GuardedRequest<'r>) -> Fetching<'r>;

pub(crate) type Fetching<'r> = Pin<Box<dyn Future<Output = Result<(), Interrupted>> + Send + 'r>>;

impl fmt::Debug for PendingFetch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingFetch")
    }
}
