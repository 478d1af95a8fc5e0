//! An operation with options: it begins when it is first polled.
//!
//! An operation is a [`Future`] itself, rather than made into one by `.await`, so the compiler answers `auth.login(id)?` with
//! the hint to await it.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use crate::error::SessionError;

type Work = Pin<Box<dyn Future<Output = Result<(), SessionError>> + Send>>;

/// The work of an operation; nothing before it is first polled. The mutex is never locked: it lets threads share an operation
/// that nobody polls.
#[derive(Default)]
pub(super) struct Operation(Mutex<Option<Work>>);

impl Operation {
    /// Goes on with the work, which `begin` begins.
    pub(super) fn poll<W>(
        &mut self,
        context: &mut Context<'_>,
        begin: impl FnOnce() -> W,
    ) -> Poll<Result<(), SessionError>>
    where
        W: Future<Output = Result<(), SessionError>> + Send + 'static,
    {
        let work = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        work.get_or_insert_with(|| Box::pin(begin())).as_mut().poll(context)
    }
}
