//! The manager: what applications hold, and what adapters call.

mod builder;
mod cookie_sessions;
mod health;
#[cfg(test)]
mod tests;

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

pub use builder::SessionManagerBuilder;
pub use cookie_sessions::{CookieSessions, RevocableCookieSessions, SessionsOf};
pub use health::Health;

use crate::config::SessionConfig;
use crate::devices::list::Devices;
use crate::engine::Engine;
use crate::engine::reencryption::Reencryption;
use crate::error::SessionError;
use crate::request::RequestSession;
use crate::request::close::{self, CloseFuture};
use crate::request::stack::{LayerEntry, SessionStack};
use crate::scope::{CookieHome, InRevocableCookie, ListsDevices, MainScope, OnServer, SessionScope};
use crate::store::Store;
use crate::token::SessionId;
use crate::wire::head::RequestHead;
use crate::wire::rejection::Rejection;
use crate::wire::response::HandlerResponse;

/// A store and the policy over it: everything that the sessions of an application share. Cheap to clone.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{MemoryStore, SessionConfig, SessionManager};
///
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// # let _ = manager;
/// ```
///
/// `Scope` names the scope in an application that has several; see [`SessionScope`].
pub struct SessionManager<Scope: SessionScope = MainScope> {
    engine: Arc<Engine>,
    scope: PhantomData<fn() -> Scope>,
}

impl SessionManager {
    /// Makes a manager of a store and settings; [`builder`](Self::builder) sets more.
    pub fn new(store: impl Store, config: SessionConfig) -> Self {
        Self::for_scope(store, config)
    }

    /// Returns a builder with the default of every option. [`for_scope`](SessionManagerBuilder::for_scope) makes it one
    /// of another scope.
    pub fn builder(store: impl Store) -> SessionManagerBuilder {
        SessionManagerBuilder::new(store)
    }
}

impl<Scope: SessionScope> SessionManager<Scope> {
    /// Makes the manager of one of several scopes: `SessionManager::<Office>::for_scope(store, config)`. Each needs a
    /// cookie of its own name.
    pub fn for_scope(store: impl Store, config: SessionConfig) -> Self
    where
        Scope: SessionScope<Home = OnServer>,
    {
        SessionManagerBuilder::new(store).for_scope::<Scope>().config(config).build()
    }

    /// Makes the manager of a scope whose sessions lie in the cookies themselves; see [`CookieSessions`].
    /// [`builder_in_cookie`](Self::builder_in_cookie) sets more.
    pub fn in_cookie(sessions: impl SessionsOf<Scope::Home>, config: SessionConfig) -> Self
    where
        Scope::Home: CookieHome,
    {
        Self::builder_in_cookie(sessions).config(config).build()
    }

    /// Returns a builder for a scope whose sessions lie in the cookies themselves, with the default of every option.
    pub fn builder_in_cookie(sessions: impl SessionsOf<Scope::Home>) -> SessionManagerBuilder<Scope>
    where
        Scope::Home: CookieHome,
    {
        SessionManagerBuilder::in_cookie(sessions.parts())
    }

    /// Ends all sessions of a user that lie in cookies: no cookie from before opens one. Logins of that user that are under
    /// way have ended too.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{InRevocableCookie, SessionError, SessionManager, SessionScope};
    ///
    /// async fn change_password<Scope>(sessions: &SessionManager<Scope>, user_id: i64) -> Result<(), SessionError>
    /// where
    ///     Scope: SessionScope<Home = InRevocableCookie>,
    /// {
    ///     // .. store the new password ..
    ///     sessions.end_all(user_id).await
    /// }
    /// # fn main() {}
    /// ```
    ///
    /// Sessions on a server are ended with [`devices_of`](Self::devices_of).
    ///
    /// # Errors
    /// Fails when the store of the revocations does. Then the sessions may go on.
    pub async fn end_all(&self, user_id: impl Display) -> Result<(), SessionError>
    where
        Scope: SessionScope<Home = InRevocableCookie>,
    {
        let (engine, user_id) = (self.engine.clone(), user_id.to_string());
        self.engine.tasks.finish(async move { engine.revoke_all(&user_id).await }).await?
    }

    /// Opens the session of a request. Nothing is read and nothing is stored before a caller asks for something. A layer
    /// that may stand beside others calls [`enter`](Self::enter).
    pub fn open(&self) -> RequestSession {
        RequestSession::new(self.engine.for_request())
    }

    /// Opens the session of a request that comes to a layer of this manager, behind those of other layers; takes the session
    /// that is there where another layer of the same manager opened it. `head` is the head of the request.
    ///
    /// # Errors
    /// Fails when another manager whose cookie has the same name opened one: each would replace the other's cookie. The
    /// request must not go on then.
    pub fn enter<'h>(
        &self,
        outer: Option<&SessionStack>,
        head: impl FnOnce() -> RequestHead<'h>,
    ) -> Result<LayerEntry, Rejection> {
        LayerEntry::new(&self.engine, outer, head)
    }

    /// The devices on which a user is logged in, for administrators and for jobs: to be listed and ended. Needs the
    /// setting `track_devices`.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{MainScope, SessionError, SessionManager};
    ///
    /// async fn lock_out(manager: &SessionManager, user_id: i64) -> Result<(), SessionError> {
    ///     manager.devices_of(user_id).end_all().await
    /// }
    /// ```
    pub fn devices_of(&self, user_id: impl Display) -> Devices
    where
        Scope::Home: ListsDevices,
    {
        Devices::of_user(self.engine.clone(), user_id.to_string().into())
    }

    /// Ends one session of this scope and takes it off the list of its user; `false` if there is none.
    ///
    /// For administrators and for jobs: unlike [`Devices::end`], it does not check to which user the session belongs.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{SessionError, SessionId, SessionManager};
    ///
    /// async fn end(manager: &SessionManager, id_in_the_log: &str) -> Result<bool, SessionError> {
    ///     match SessionId::parse(id_in_the_log.as_bytes()) {
    ///         Some(id) => manager.end_session(id).await,
    ///         None => Ok(false),
    ///     }
    /// }
    /// # let _ = end;
    /// ```
    ///
    /// # Errors
    /// Fails when the store does. Then the session may go on.
    pub async fn end_session(&self, id: SessionId) -> Result<bool, SessionError>
    where
        Scope::Home: ListsDevices,
    {
        let engine = self.engine.clone();
        self.engine.tasks.finish(async move { engine.end_by_id(id).await }).await?
    }

    /// Encrypts with the active key what is stored of one session and encrypted with another, or to be encrypted and is not;
    /// for the program `sessionkit`, which calls it for all of them.
    #[doc(hidden)]
    pub async fn reencrypt_session(&self, id: SessionId) -> Result<Reencryption, SessionError> {
        let engine = self.engine.clone();
        self.engine.tasks.finish(async move { engine.reencrypt(id).await }).await?
    }

    /// Ends the sessions of all users of this scope, and returns how many; anonymous sessions stay. With the setting
    /// `track_devices` logins that are under way meanwhile fail; without it they may outlive the call.
    ///
    /// # Errors
    /// Fails when the store does, or cannot [scan](crate::Store::scan). Then some of the sessions may go on; the next call
    /// ends them. If what is stored of one session or user is damaged, the others end all the same.
    pub async fn end_everyone(&self) -> Result<usize, SessionError>
    where
        Scope::Home: ListsDevices,
    {
        let engine = self.engine.clone();
        self.engine.tasks.finish(async move { engine.end_everyone().await }).await?
    }

    /// Closes the session of a request whose handler answered: stores what changed, and returns the changes of the
    /// response.
    /// Once begun it completes, even if the future is dropped.
    ///
    /// Changes are stored when the status is below 500 and not 408. Give the status alone, or with the feature `http` the
    /// `&Response`: then a handler's [`Rejection`] becomes a page for a person who opened one, as others do.
    pub fn close(&self, session: &RequestSession, response: impl Into<HandlerResponse>) -> CloseFuture {
        let HandlerResponse { status, rejection } = response.into();
        if rejection.is_some() {
            session.state().given = rejection;
        }
        close::close(session, status)
    }

    /// Removes what the store may forget, sessions that ended some minutes ago for example, and returns how many entries.
    /// [`sweep_every`](Self::sweep_every) does it again and again.
    ///
    /// Files and SQL databases need it. The other stores forget by themselves.
    ///
    /// # Errors
    /// Fails when the store does. What was removed before stays removed.
    pub async fn sweep(&self) -> Result<usize, SessionError> {
        Ok(self.engine.sweep().await?)
    }

    /// [Sweeps](Self::sweep) once in each period of a second or more, for an application to spawn:
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use std::time::Duration;
    /// use sessionkit::{MemoryStore, SessionConfig, SessionManager};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    /// tokio::spawn(manager.sweep_every(Duration::from_secs(600)));
    /// # }
    /// ```
    ///
    /// The first pass comes at a random time within the first period. A pass takes no more than half of the store's time. One
    /// that fails is reported as the event `sweep_failed`, and the next one tries again. The scopes that share a store need
    /// one such task together: a pass does not ask whose an entry is.
    ///
    /// It ends when [`drain`](Self::drain) begins, and when it is dropped or aborted, which does no harm.
    pub fn sweep_every(&self, period: Duration) -> impl Future<Output = ()> + Send + use<Scope> {
        self.engine.clone().sweep_every(period)
    }

    /// Returns whether this server can serve requests that use their session, for the health check of a load balancer.
    ///
    /// It looks for a session that does not exist, which the store has to answer within the setting `load_deadline`. A server
    /// whose store is out of reach is *not ready*, and *alive*: it comes back by itself when the store does, and nobody gains
    /// from a restart.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{Health, SessionManager};
    ///
    /// /// The status of `GET /readyz`.
    /// async fn readyz(sessions: &SessionManager) -> u16 {
    ///     match sessions.health().await {
    ///         Health::Ready => 200,
    ///         not_ready => {
    ///             eprintln!("{not_ready:?}");
    ///             503
    ///         }
    ///     }
    /// }
    /// # let _ = readyz;
    /// ```
    pub async fn health(&self) -> Health {
        health::of(&self.engine).await
    }

    /// Waits until every store call that was begun for a request that has left is done, and until the event sinks have
    /// written what they recorded, for an orderly shutdown. From its beginning on, the server is
    /// [not ready](Self::health), and [`sweep_every`](Self::sweep_every) ends; requests are served as before.
    pub async fn drain(&self) {
        self.engine.begin_drain();
        self.engine.tasks.drain().await;
        self.engine.events.flush().await;
    }
}

impl<Scope: SessionScope> Clone for SessionManager<Scope> {
    fn clone(&self) -> Self {
        Self { engine: self.engine.clone(), scope: self.scope }
    }
}

impl<Scope: SessionScope> fmt::Debug for SessionManager<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager").field("scope", &self.engine.scope()).finish_non_exhaustive()
    }
}
