//! The manager: what applications hold, and what adapters call.

use std::any::Any;
use std::fmt::{self, Display};
use std::future::Future;
use std::sync::Arc;

use crate::config::{ConfigError, SessionConfig};
use crate::devices::list::Devices;
use crate::engine::Engine;
use crate::engine::denial::Denial;
use crate::engine::hooks::{LoadCookie, MissingSession, PresentedCookie};
use crate::engine::user::UserLoader;
use crate::error::SessionError;
use crate::event::{EventSink, Timed};
use crate::request::RequestSession;
use crate::request::close::{self, CloseFuture};
use crate::request::stack::{LayerEntry, SessionStack};
use crate::scope::{MainScope, SessionScope};
use crate::store::Store;
use crate::time::Clock;
use crate::token::{self, TokenSource};
use crate::wire::head::{OwnedHead, RequestHead};
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
/// `L` names the scope in an application that has several; see [`SessionScope`].
pub struct SessionManager<L: SessionScope = MainScope> {
    engine: Arc<Engine>,
    scope: std::marker::PhantomData<fn() -> L>,
}

impl SessionManager {
    /// Makes a manager.
    pub fn new(store: impl Store, config: SessionConfig) -> Self {
        Self::for_scope(store, config)
    }
}

impl<L: SessionScope> SessionManager<L> {
    /// Makes the manager of one of several scopes: `SessionManager::<Office>::for_scope(store, config)`. Each needs a
    /// cookie of its own name.
    pub fn for_scope(store: impl Store, config: SessionConfig) -> Self {
        let engine = Engine::new(store, config, L::NAME);
        Self { engine: Arc::new(engine), scope: std::marker::PhantomData }
    }

    /// Tells the time with `clock` instead of the system's clock.
    pub fn with_clock(self, clock: impl Clock) -> Self {
        self.with(|engine| engine.clock = Arc::new(clock))
    }

    /// Makes tokens from `source` instead of the operating system's generator.
    ///
    /// # Errors
    /// Refuses a source whose [`bits`](TokenSource::bits) are fewer than 128, and one whose bytes repeat.
    pub fn with_token_source(self, source: impl TokenSource) -> Result<Self, ConfigError> {
        match token::weakness(&source) {
            Some(weakness) => Err(ConfigError(weakness)),
            None => Ok(self.with(|engine| engine.tokens = Arc::new(source))),
        }
    }

    /// Asks the application about every cookie of our name, when somebody asks for the session: `hook` may let it be looked
    /// at, replace its value, ignore it, or answer the request.
    ///
    /// It must come to an end within the setting `load_deadline`, together with the load; a panic is a 500. Routes that do
    /// not use the session do not call it.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{LoadCookie, MemoryStore, SessionConfig, SessionManager};
    ///
    /// # async fn token_for(_: &str) -> Option<String> { None }
    /// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default()).on_load_cookie(async |cookie| {
    ///     // The application before this one named its sessions `v1.` and a number.
    ///     let Some(old) = cookie.value().strip_prefix("v1.") else { return LoadCookie::Continue };
    ///     token_for(old).await.map_or(LoadCookie::Ignore, LoadCookie::Replace)
    /// });
    /// # let _ = manager;
    /// ```
    pub fn on_load_cookie<F: Future<Output = LoadCookie> + Send + 'static>(
        self,
        hook: impl Fn(PresentedCookie) -> F + Send + Sync + 'static,
    ) -> Self {
        self.with(|engine| engine.hooks.set_load_cookie(hook))
    }

    /// Asks the application about a request that asks for a session and has none: `hook` may let the visitor be anonymous,
    /// or answer the request. A login and a logout are no reason to ask.
    ///
    /// It must come to an end within the setting `load_deadline`; a panic is a 500.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{LocalPath, MemoryStore, MissingSession, Rejection, SessionConfig, SessionManager};
    ///
    /// let welcome = LocalPath::parse("/welcome").expect("a path of this site");
    /// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
    /// let manager = manager.on_missing_session(move |request| {
    ///     let answer = Rejection::redirect(&welcome);
    ///     async move {
    ///         if request.is_navigation() { MissingSession::Answer(answer) } else { MissingSession::Continue }
    ///     }
    /// });
    /// # let _ = manager;
    /// ```
    pub fn on_missing_session<F: Future<Output = MissingSession> + Send + 'static>(
        self,
        hook: impl Fn(Arc<OwnedHead>) -> F + Send + Sync + 'static,
    ) -> Self {
        self.with(|engine| engine.hooks.set_missing_session(hook))
    }

    /// Loads the user of a session with `loader`, when somebody asks who it is: an extractor `User<U>`, or a guard whose
    /// predicate looks at one. See [`UserLoader`].
    pub fn with_user_loader(self, loader: impl UserLoader) -> Self {
        self.with(|engine| engine.user_loader = Some(Arc::new(loader)))
    }

    /// Gives a value of the application to those who cannot get it from the framework: a hand-written
    /// [`Requirement`](crate::Requirement) finds a database pool, say, with
    /// [`GuardedRequest::extension`](crate::GuardedRequest::extension). There is one value of each type; a later one takes
    /// the place of an earlier.
    pub fn with_extension<T: Any + Send + Sync>(self, value: T) -> Self {
        self.with(|engine| engine.extensions.insert(value))
    }

    /// Sends those who have to log in to the page that a function names, in place of the setting `login_url`: one that
    /// depends on the language of the request, or on its path. The address of the refused page is added as `next`.
    ///
    /// An address that the function takes from the request, from a parameter or the `Host` say, would let anybody make
    /// links from this site to a login page of theirs: choose among addresses that the application knows.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{MemoryStore, SessionConfig, SessionManager};
    ///
    /// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default())
    ///     .with_login_url(|head| if head.path().starts_with("/office/") { "/office/login" } else { "/login" }.to_owned());
    /// # let _ = manager;
    /// ```
    pub fn with_login_url(self, login_url: impl Fn(&RequestHead<'_>) -> String + Send + Sync + 'static) -> Self {
        self.with(|engine| engine.denials.login_url = Some(Arc::new(login_url)))
    }

    /// Answers those whom a guard refuses with what a function says. [`Denial::answer`] is what they get otherwise. A panic
    /// is a 500.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{DenialReason, MemoryStore, Rejection, SessionConfig, SessionManager};
    ///
    /// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default()).on_denied(|denial| {
    ///     match denial.reason {
    ///         DenialReason::NotAllowed => Rejection::html(403, "<h1>This is for members only</h1>"),
    ///         _ => denial.answer(),
    ///     }
    /// });
    /// # let _ = manager;
    /// ```
    pub fn on_denied(self, on_denied: impl Fn(&Denial<'_>) -> Rejection + Send + Sync + 'static) -> Self {
        self.with(|engine| engine.denials.on_denied = Some(Arc::new(on_denied)))
    }

    /// Lets a function replace what SessionKit answers in place of a handler: a 503 when the store fails, a 403 of a guard,
    /// a 500 after a mistake. It gets the rejection, which tells its [kind](Rejection::kind) and holds what the client may
    /// know, and returns it, or another one.
    ///
    /// Without a body of its own, what it returns is a problem document for programs and a plain page for people, as it is
    /// without a function. It is not asked about redirects, nor about an answer that another hook gave a body.
    ///
    /// It may be asked while the response waits: it must not block. A panic is a 500.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// # fn escape(text: &str) -> String { text.into() }
    /// use sessionkit::{MemoryStore, SessionConfig, SessionManager};
    ///
    /// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default()).on_rejection(|rejection, request| {
    ///     if request.header("hx-request").is_some() {
    ///         return rejection.with_header("HX-Retarget", "#errors");
    ///     }
    ///     if !request.is_navigation() {
    ///         return rejection;
    ///     }
    ///     let page = format!("<h1>{}</h1><p>{}</p>", rejection.title(), escape(rejection.detail()));
    ///     rejection.with_html(page)
    /// });
    /// # let _ = manager;
    /// ```
    pub fn on_rejection(
        self,
        on_rejection: impl Fn(Rejection, &RequestHead<'_>) -> Rejection + Send + Sync + 'static,
    ) -> Self {
        self.with(|engine| engine.hooks.set_rejection(on_rejection))
    }

    /// Reports what happens to sessions to `sink`, beside the sinks that are there: the log, which every manager has, and those
    /// that were added before.
    pub fn with_event_sink(self, sink: impl EventSink) -> Self {
        let sink: Arc<dyn EventSink> = Arc::new(sink);
        self.with(|engine| {
            if sink.times_store_calls() {
                engine.store = Arc::new(Timed::new(engine.store.clone(), sink.clone(), L::NAME));
            }
            engine.sinks.push(sink);
        })
    }

    pub(crate) fn with(self, change: impl FnOnce(&mut Engine)) -> Self {
        let engine = self.engine.changed(change);
        Self { engine: Arc::new(engine), scope: self.scope }
    }

    /// Opens the session of a request. Nothing is read and nothing is stored before somebody asks for something. A layer
    /// that may stand beside others calls [`enter`](Self::enter).
    pub fn open(&self) -> RequestSession {
        RequestSession::new(self.engine.clone())
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
    pub fn devices_of(&self, user_id: impl Display) -> Devices {
        Devices::of_user(self.engine.clone(), user_id.to_string().into())
    }

    /// Ends the sessions of all users of this scope, and returns how many; anonymous sessions stay. With the setting
    /// `track_devices` logins that are under way meanwhile fail; without it they may outlive the call.
    ///
    /// # Errors
    /// Fails when the store does, or cannot [scan](crate::Store::scan). Then some of the sessions may go on; the next call
    /// ends them. If what is stored of one session or user is damaged, the others end all the same.
    pub async fn end_everyone(&self) -> Result<usize, SessionError> {
        let engine = self.engine.clone();
        let ended = self.engine.tasks.finish(async move { engine.end_everyone().await }).await;
        ended.unwrap_or_else(|| Err(SessionError::interrupted()))
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

    /// Waits until every store call that was begun for a request that has left is done, and until the event sinks have
    /// written what they recorded, for an orderly shutdown.
    pub async fn drain(&self) {
        self.engine.tasks.drain().await;
        self.engine.events.flush().await;
    }
}

impl<L: SessionScope> Clone for SessionManager<L> {
    fn clone(&self) -> Self {
        Self { engine: self.engine.clone(), scope: self.scope }
    }
}

impl<L: SessionScope> fmt::Debug for SessionManager<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager").field("scope", &L::NAME).finish_non_exhaustive()
    }
}
