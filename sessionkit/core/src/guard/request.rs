//! The request that stands before a guard.

use std::any::{Any, TypeId};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::data::SessionData;
use crate::engine::user::SessionUser;
use crate::error::SessionError;
use crate::request::RequestSession;
use crate::request::info::SessionInfo;
use crate::wire::head::RequestHead;

/// A request that stands before a guard: its head, and its session, which is loaded.
pub struct GuardedRequest<'a> {
    pub(crate) session: &'a RequestSession,
    head: RequestHead<'a>,
    /// The answers of requirements.
    answers: Mutex<Vec<(TypeId, bool)>>,
}

impl<'a> GuardedRequest<'a> {
    pub(crate) fn new(session: &'a RequestSession, head: RequestHead<'a>) -> Self {
        Self { session, head, answers: Mutex::default() }
    }

    /// The head of the request.
    pub fn head(&self) -> &RequestHead<'a> {
        &self.head
    }

    /// The id of the user who is logged in.
    pub fn user_id(&self) -> Option<Arc<str>> {
        self.session.loaded_user_id()
    }

    /// The user who is logged in, as the application's [`UserLoader`](crate::UserLoader) loads them; once for each request,
    /// however many ask.
    ///
    /// # Errors
    /// Fails as [`RequestSession::user`] does.
    pub async fn user<U: SessionUser>(&self) -> Result<Option<Arc<U>>, SessionError> {
        self.session.user().await
    }

    /// Returns what is known of the session itself; `None` if the visitor has none.
    pub fn info(&self) -> Option<SessionInfo> {
        self.session.loaded_info()
    }

    /// Reads a struct of the session.
    ///
    /// # Errors
    /// Fails when a stored value does not fit its field.
    pub fn view<T: SessionData>(&self) -> Result<T, SessionError> {
        Ok(self.session.read::<T>()?.0)
    }

    /// A value of the application, from [`SessionManagerBuilder::extension`](crate::SessionManagerBuilder::extension).
    pub fn extension<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.session.shared.engine.extensions.get()
    }

    pub(super) fn answer(&self, requirement: TypeId) -> Option<bool> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        answers.iter().find(|(asked, _)| *asked == requirement).map(|(_, answer)| *answer)
    }

    pub(super) fn remember(&self, requirement: TypeId, answer: bool) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push((requirement, answer));
    }
}

impl fmt::Debug for GuardedRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedRequest").field("head", &self.head).finish_non_exhaustive()
    }
}
