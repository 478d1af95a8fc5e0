//! Loading the user of a request: once, and only for those who ask.

use std::any::{TypeId, type_name};
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::engine::deadline::Deadline;
use crate::engine::user::{DynLoader, Loaded, SessionUser};
use crate::error::{Cause, SessionError};
use crate::panics::await_caught;
use crate::record::details::LoginDetails;
use crate::request::state::State;
use crate::request::{RequestSession, ending};

/// The user of a session, who is being loaded or was. A login and a logout make it nobody's.
pub(crate) struct UserOfSession {
    id: Arc<str>,
    login: Option<Arc<LoginDetails>>,
    loaded: OnceCell<Result<Option<Loaded>, SessionError>>,
}

impl RequestSession {
    /// Loads the user who is logged in, with the manager's [`UserLoader`](crate::UserLoader); `None` where nobody is.
    ///
    /// Everybody who asks in one request gets the same user, or the same error; after a login it is asked anew. Where there
    /// is no such user, or where the credentials changed after the login, the session is ended, and nobody is logged in.
    ///
    /// # Errors
    /// Fails when the store or the loader does, when no loader loads a `U`, and when the loader is late or panics. Then
    /// the answer of the handler does not stand either.
    pub async fn user<U: SessionUser>(&self) -> Result<Option<Arc<U>>, SessionError> {
        let loader = self.loader::<U>()?;
        self.load().await?;
        while let Some(user) = self.user_of_session() {
            let loaded = user.loaded.get_or_init(|| self.fetch(&*loader, &user)).await.clone();
            // Otherwise the user changed meanwhile, or has just been found to be gone.
            if self.state().is_user(&user) {
                let user = loaded?.and_then(|loaded| loaded.user.downcast().ok());
                return Ok(user);
            }
        }
        Ok(None)
    }

    /// The user, as far as that is known without waiting: `Some(None)` if nobody is logged in, `None` if a caller has to
    /// be loaded first.
    ///
    /// # Errors
    /// Fails as [`user`](Self::user) does.
    pub(crate) fn known_user<U: SessionUser>(&self) -> Result<Option<Option<Arc<U>>>, SessionError> {
        self.loader::<U>()?;
        let Some(user) = self.user_of_session() else { return Ok(Some(None)) };
        let Some(loaded) = user.loaded.get() else { return Ok(None) };
        Ok(Some(loaded.clone()?.and_then(|loaded| loaded.user.downcast().ok())))
    }

    /// The manager's loader, if it loads a `U`.
    fn loader<U: SessionUser>(&self) -> Result<Arc<dyn DynLoader>, SessionError> {
        let asked = type_name::<U>();
        match &self.shared.engine.user_loader {
            None => Err(self.fail(SessionError::no_user_loader(asked))),
            Some(loader) => match loader.loads() {
                (id, _) if id == TypeId::of::<U>() => Ok(loader.clone()),
                (_, loaded) => Err(self.fail(SessionError::other_user(asked, loaded))),
            },
        }
    }

    fn user_of_session(&self) -> Option<Arc<UserOfSession>> {
        let mut state = self.state();
        let header = state.current.as_ref()?.record.header();
        let (id, login) = (header.user_id.clone()?, header.details.clone());
        let new = || Arc::new(UserOfSession { id, login, loaded: OnceCell::new() });
        Some(state.user.get_or_insert_with(new).clone())
    }

    /// Returns whether there is such a user, by the manager's loader if it has one.
    ///
    /// # Errors
    /// Fails when the loader does, is late, or panics.
    pub(crate) async fn may_be_user(&self, id: &str) -> Result<bool, SessionError> {
        if id.is_empty() {
            return Err(SessionError::no_user_id());
        }
        match &self.shared.engine.user_loader {
            Some(loader) => Ok(self.ask_loader(loader.load(id)).await?.is_some()),
            None => Ok(true),
        }
    }

    /// Returns the details of a login of this user without a proof of who they are: the stamp of their credentials; `None` if
    /// there is no such user.
    ///
    /// # Errors
    /// Fails when the loader does, is late, or panics.
    pub(crate) async fn login_details(&self, id: &str) -> Result<Option<LoginDetails>, SessionError> {
        if id.is_empty() {
            return Err(SessionError::no_user_id());
        }
        let Some(loader) = &self.shared.engine.user_loader else { return Ok(Some(LoginDetails::default())) };
        let loaded = self.ask_loader(loader.load(id)).await?;
        Ok(loaded.map(|loaded| LoginDetails { stamp: loaded.stamp, ..LoginDetails::default() }))
    }

    /// Waits for the loader, for `user_deadline` at most.
    async fn ask_loader<T>(&self, loading: impl Future<Output = Result<T, Cause>>) -> Result<T, SessionError> {
        match Deadline::of(self.shared.engine.settings().user_deadline).limit(await_caught(loading)).await {
            Some(Some(found)) => found.map_err(SessionError::user_loader),
            Some(None) => Err(SessionError::panicked("the user loader")),
            None => Err(SessionError::slow_user_loader()),
        }
    }

    async fn fetch(&self, loader: &dyn DynLoader, user: &Arc<UserOfSession>) -> Result<Option<Loaded>, SessionError> {
        let loaded = self.ask_loader(user.load(loader)).await;
        if !self.state().is_user(user) {
            // Whatever was found is of another user by now.
            return Ok(None);
        }
        match loaded {
            Ok(Found::User(loaded)) => Ok(Some(loaded)),
            Ok(Found::Nobody) => self.end_session(user, "there is no such user").await,
            Ok(Found::OtherCredentials) => self.end_session(user, "the credentials changed after the login").await,
            Err(error) => Err(self.fail(error)),
        }
    }

    /// Ends the session of a user who is not the one who logged in any more.
    async fn end_session(
        &self,
        user: &Arc<UserOfSession>,
        reason: &'static str,
    ) -> Result<Option<Loaded>, SessionError> {
        let (session, user) = (self.clone(), user.clone());
        let is_current = move |state: &State| state.is_user(&user);
        ending::end(self, is_current, reason).await.map_err(|error| session.fail(error))?;
        Ok(None)
    }
}

/// The answer of a loader about the user of a session.
enum Found {
    User(Loaded),
    /// There is no such user, or nobody any more who could act as them.
    Nobody,
    /// The user who logged in has other credentials now.
    OtherCredentials,
}

impl UserOfSession {
    /// Loads the user. If an actor acts as them, the login is that of the actor, who is looked at first: what would
    /// end their own session ends this one.
    async fn load(&self, loader: &dyn DynLoader) -> Result<Found, Cause> {
        let actor = self.login.as_ref().and_then(|login| login.actor.as_deref());
        let logged_in = loader.load(actor.unwrap_or(&self.id)).await?;
        match logged_in {
            None => Ok(Found::Nobody),
            Some(login) if self.has_other_credentials(&login) => Ok(Found::OtherCredentials),
            Some(user) if actor.is_none() => Ok(Found::User(user)),
            Some(_) => Ok(loader.load(&self.id).await?.map_or(Found::Nobody, Found::User)),
        }
    }

    /// Returns whether the login has a stamp that is not the one of the user who logged in any more.
    fn has_other_credentials(&self, logged_in: &Loaded) -> bool {
        let stored = self.login.as_ref().and_then(|login| login.stamp);
        stored.is_some_and(|stored| logged_in.stamp != Some(stored))
    }
}

impl State {
    fn is_user(&self, user: &Arc<UserOfSession>) -> bool {
        self.user.as_ref().is_some_and(|current| Arc::ptr_eq(current, user))
    }
}
