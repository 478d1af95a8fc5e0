//! Conditions that have to be awaited.

use std::any::TypeId;
use std::error::Error;
use std::future::Future;

use super::interrupted::{Fetching, Interrupted};
use super::request::GuardedRequest;
use super::subjects::Subjects;
use crate::error::SessionError;
use crate::panics::await_caught;
use crate::scope::MainScope;

/// A condition that has to be awaited, or that looks at the request itself: `#[session(requirement = OfficeHours)]`.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{GuardedRequest, Requirement};
///
/// struct FromTheOffice;
///
/// impl Requirement for FromTheOffice {
///     type Error = std::convert::Infallible;
///
///     async fn is_met(request: &GuardedRequest<'_>) -> Result<bool, Self::Error> {
///         Ok(request.head().header("x-network") == Some(b"office"))
///     }
/// }
/// ```
///
/// It is asked at most once for each guard, and only while the conditions before it leave open who may pass. There is no
/// deadline for it but its own.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a requirement of the session scope `{Scope}`",
    label = "expected a type that implements `Requirement`",
    note = "write `impl Requirement<{Scope}> for {Self}`; the scope may be left out where there is one only",
    note = "a function is no requirement: where nothing has to be awaited, write `require = {Self}`"
)]
pub trait Requirement<Scope = MainScope>: 'static {
    /// The error of a requirement that could not be decided, or a text, for the log.
    type Error: Into<Box<dyn Error + Send + Sync>>;

    /// Decides.
    ///
    /// # Errors
    /// Fails where it cannot be decided: the client gets a 500, or a 503 where it was the session that failed.
    fn is_met(request: &GuardedRequest<'_>) -> impl Future<Output = Result<bool, Self::Error>> + Send;
}

impl<Scope: 'static> Subjects<'_, Scope> {
    /// Requires what a type decides.
    ///
    /// # Errors
    /// Fails where it has to be awaited first, and where it failed.
    pub fn requirement<R: Requirement<Scope>>(&mut self) -> Result<(), Interrupted> {
        let answer = match self.request.answer(TypeId::of::<R>()) {
            Some(answer) => Some(answer),
            None => self.fetch(ask::<Scope, R>)?,
        };
        self.answered(answer);
        Ok(())
    }
}

fn ask<'r, Scope: 'static, R: Requirement<Scope>>(request: &'r GuardedRequest<'r>) -> Fetching<'r> {
    Box::pin(async move {
        let asked = await_caught(async { R::is_met(request).await }).await;
        let is_met = match asked {
            Some(Ok(is_met)) => is_met,
            Some(Err(error)) => return Err(Interrupted::by(error)),
            None => return Err(SessionError::panicked("a requirement").into()),
        };
        request.remember(TypeId::of::<R>(), is_met);
        Ok(())
    })
}
