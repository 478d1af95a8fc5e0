//! The functions by which an application finds the user in the session of another system, and converts its values.

use std::fmt::Display;
use std::future::Future;
use std::pin::Pin;

use crate::data::SessionData;
use crate::error::SessionError;
use crate::foreign::{ForeignError, ForeignSession};
use crate::panics::caught;
use crate::request::RequestSession;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Finds the user of a session.
pub(super) struct UserOf(Box<FindUser>);

type FindUser = dyn Fn(&ForeignSession) -> Result<Option<String>, ForeignError> + Send + Sync;

impl UserOf {
    pub(super) fn new(
        user: impl Fn(&ForeignSession) -> Result<Option<String>, ForeignError> + Send + Sync + 'static,
    ) -> Self {
        Self(Box::new(user))
    }

    pub(super) fn find(&self, session: &ForeignSession) -> Result<Option<String>, ForeignError> {
        caught(|| (self.0)(session)).unwrap_or_else(|| Err(panicked()))
    }
}

/// A struct that was made of a session, to be put into one of ours.
pub(super) type Taken = Box<dyn FnOnce(RequestSession) -> BoxFuture<Result<(), SessionError>> + Send>;

/// Makes a struct of a session.
pub(super) struct Take(Box<Convert>);

type Convert = dyn Fn(&ForeignSession) -> Result<Taken, ForeignError> + Send + Sync;

impl Take {
    pub(super) fn new<T>() -> Self
    where
        T: SessionData + Send + 'static,
        T: for<'a> TryFrom<&'a ForeignSession, Error: Display>,
    {
        Self(Box::new(|session| {
            let value = T::try_from(session).map_err(|error| ForeignError::unreadable(error.to_string()))?;
            let put = |ours: RequestSession| -> BoxFuture<_> {
                Box::pin(async move {
                    *ours.checkout::<T>().await? = value;
                    Ok(())
                })
            };
            Ok(Box::new(put))
        }))
    }

    pub(super) fn convert(&self, session: &ForeignSession) -> Result<Taken, ForeignError> {
        caught(|| (self.0)(session)).unwrap_or_else(|| Err(panicked()))
    }
}

/// Writes the user of a session of ours into one of the other system.
pub(super) struct GiveUser(Box<WriteUser>);

type WriteUser = dyn Fn(Option<&str>, &mut ForeignSession) + Send + Sync;

impl GiveUser {
    pub(super) fn new(write: impl Fn(Option<&str>, &mut ForeignSession) + Send + Sync + 'static) -> Self {
        Self(Box::new(write))
    }

    pub(super) fn write(&self, user: Option<&str>, session: &mut ForeignSession) -> Result<(), SessionError> {
        caught(|| (self.0)(user, session)).ok_or_else(|| SessionError::panicked("`write_user` of the migration"))
    }
}

/// Writes a struct of a session of ours into one of the other system.
pub(super) struct Give(Box<Write>);

type Write = dyn Fn(&RequestSession, &mut ForeignSession) -> Result<(), SessionError> + Send + Sync;

impl Give {
    pub(super) fn new<T: SessionData>(write: impl Fn(&T, &mut ForeignSession) + Send + Sync + 'static) -> Self {
        Self(Box::new(move |ours, session| {
            write(&ours.read::<T>()?.0, session);
            Ok(())
        }))
    }

    /// Reads the struct from a session that is loaded.
    pub(super) fn write(&self, ours: &RequestSession, session: &mut ForeignSession) -> Result<(), SessionError> {
        caught(|| (self.0)(ours, session)).unwrap_or_else(|| Err(SessionError::panicked("`write` of the migration")))
    }
}

/// The session that code of the application panics about is not to be read: nobody is locked out by it.
fn panicked() -> ForeignError {
    ForeignError::unreadable("the conversion panicked")
}
