//! The options of a manager, before it is made.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use super::SessionManager;
use crate::config::{ConfigError, SessionConfig};
use crate::engine::Engine;
use crate::engine::denial::Denial;
use crate::engine::hooks::{LoadCookie, MissingSession, PresentedCookie, SessionlessRequest};
use crate::engine::in_cookies::InCookies;
use crate::engine::parts::EngineParts;
use crate::engine::user::UserLoader;
use crate::event::EventSink;
use crate::migration::Migration;
use crate::scope::{MainScope, OnServer, SessionScope};
use crate::store::Store;
use crate::store::dynamic::DynStore;
use crate::time::Clock;
use crate::token::{self, TokenSource};
use crate::wire::head::RequestHead;
use crate::wire::rejection::Rejection;

/// Sets up a [`SessionManager`]. An option that is not set has its default.
///
/// ```
/// # use sessionkit_core as sessionkit;
/// use sessionkit::{EventSink, MemoryStore, SessionConfig, SessionEvent, SessionManager};
///
/// struct Printer;
///
/// impl EventSink for Printer {
///     fn record(&self, event: &SessionEvent<'_>) {
///         println!("{}", event.kind().name());
///     }
/// }
///
/// let manager = SessionManager::builder(MemoryStore::new())
///     .config(SessionConfig::builder().track_devices(true).build()?)
///     .event_sink(Printer)
///     .login_url(|head| if head.path().starts_with("/de/") { "/de/anmelden" } else { "/login" }.to_owned())
///     .build();
/// # let _ = manager;
/// # Ok::<(), sessionkit::ConfigError>(())
/// ```
///
/// The order of the options does not matter, except that a migration is given after the settings, and that event sinks are called in the order in which they were added. An
/// option that is set again takes the place of the earlier one; sinks and extensions of other types add up.
#[must_use = "call `build()` to get the manager"]
pub struct SessionManagerBuilder<Scope: SessionScope = MainScope> {
    parts: EngineParts,
    /// The name of the scope in what is stored, if it is not that of the type.
    stored_scope: Option<&'static str>,
    scope: PhantomData<fn() -> Scope>,
}

impl SessionManagerBuilder {
    pub(super) fn new(store: impl Store) -> Self {
        Self { parts: EngineParts::new(store), stored_scope: None, scope: PhantomData }
    }
}

impl<Scope: SessionScope> SessionManagerBuilder<Scope> {
    pub(super) fn in_cookie((in_cookies, revocations): (InCookies, Arc<dyn DynStore>)) -> Self {
        let mut parts = EngineParts::over(revocations);
        parts.in_cookies = Some(in_cookies);
        Self { parts, stored_scope: None, scope: PhantomData }
    }

    /// Sets the settings, in place of [`SessionConfig::default`].
    pub fn config(mut self, config: SessionConfig) -> Self {
        self.parts.config = config;
        self
    }

    /// Makes the manager one of another scope, in an application that has several. Each needs a cookie of its own name.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{MemoryStore, OnServer, SessionConfig, SessionManager, SessionScope};
    ///
    /// struct Office;
    ///
    /// impl SessionScope for Office {
    ///     const NAME: &'static str = "Office";
    ///     type Home = OnServer;
    /// }
    ///
    /// let config = SessionConfig::builder().cookie_name("__Host-office").build()?;
    /// let manager: SessionManager<Office> =
    ///     SessionManager::builder(MemoryStore::new()).for_scope::<Office>().config(config).build();
    /// # let _ = manager;
    /// # Ok::<(), sessionkit::ConfigError>(())
    /// ```
    pub fn for_scope<Other: SessionScope<Home = OnServer>>(self) -> SessionManagerBuilder<Other> {
        SessionManagerBuilder { parts: self.parts, stored_scope: None, scope: PhantomData }
    }

    /// Makes the manager one of the scope that is stored under this name, for the program `sessionkit`, which learns it when
    /// it runs. Structs do not belong to such a scope.
    #[doc(hidden)]
    pub fn stored_scope(mut self, name: &'static str) -> Self {
        self.stored_scope = Some(name);
        self
    }

    /// Tells the time with `clock` instead of the system's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.parts.clock = Arc::new(clock);
        self
    }

    /// Makes tokens from `source` instead of the operating system's generator.
    ///
    /// # Errors
    /// Refuses a source whose [`bits`](TokenSource::bits) are fewer than 128, and one whose first tokens show that it can be
    /// guessed: it repeats itself, counts, or changes too few bits from one token to the next.
    pub fn token_source(mut self, source: impl TokenSource) -> Result<Self, ConfigError> {
        if let Some(weakness) = token::weakness(&source) {
            return Err(ConfigError(weakness));
        }
        self.parts.tokens = Arc::new(source);
        Ok(self)
    }

    /// Calls `hook` for each cookie with the name of the session's, when a request first uses its session. The hook may let
    /// the cookie be looked up, replace its value, ignore it, or answer the request.
    ///
    /// It must come to an end within the setting `load_deadline`, together with the load; a panic is a 500. Routes that do
    /// not use the session do not call it.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{LoadCookie, MemoryStore, SessionManager};
    ///
    /// # async fn token_for(_: &str) -> Option<String> { None }
    /// let builder = SessionManager::builder(MemoryStore::new()).on_load_cookie(async |cookie| {
    ///     // The application before this one named its sessions `v1.` and a number.
    ///     let Some(old) = cookie.value().strip_prefix("v1.") else { return LoadCookie::Continue };
    ///     token_for(old).await.map_or(LoadCookie::Ignore, LoadCookie::Replace)
    /// });
    /// # let _ = builder.build();
    /// ```
    pub fn on_load_cookie<F: Future<Output = LoadCookie> + Send + 'static>(
        mut self,
        hook: impl Fn(PresentedCookie) -> F + Send + Sync + 'static,
    ) -> Self {
        self.parts.hooks.set_load_cookie(hook);
        self
    }

    /// Calls `hook` when a request uses its session and has none. The hook may let the visitor be anonymous, or answer the
    /// request. A login or a logout does not call it.
    ///
    /// It must come to an end within the setting `load_deadline`; a panic is a 500.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{LocalPath, MemoryStore, MissingSession, Rejection, SessionManager};
    ///
    /// let welcome = LocalPath::parse("/welcome").expect("a path of this site");
    /// let builder = SessionManager::builder(MemoryStore::new()).on_missing_session(move |missing| {
    ///     let answer = Rejection::redirect(&welcome);
    ///     async move {
    ///         if missing.request.is_navigation() { MissingSession::Answer(answer) } else { MissingSession::Continue }
    ///     }
    /// });
    /// # let _ = builder.build();
    /// ```
    ///
    /// The [reason](SessionlessRequest::reason) tells a token that opens nothing from no token, so the hook can count guesses
    /// by the [address of the peer](crate::OwnedHead::peer_addr), or by a header of the proxy in front:
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// # use std::net::IpAddr;
    /// # #[derive(Clone)] struct Guesses;
    /// # impl Guesses { async fn count(&self, _: IpAddr) -> u32 { 0 } }
    /// # let guesses = Guesses;
    /// use sessionkit::{MemoryStore, MissingReason, MissingSession, Rejection, SessionManager};
    ///
    /// let builder = SessionManager::builder(MemoryStore::new()).on_missing_session(move |missing| {
    ///     let guesses = guesses.clone();
    ///     async move {
    ///         if let (MissingReason::UnknownToken, Some(peer)) = (missing.reason, missing.request.peer_addr())
    ///             && guesses.count(peer.ip()).await > 100
    ///         {
    ///             return MissingSession::Answer(Rejection::new(429, "Too many requests."));
    ///         }
    ///         MissingSession::Continue
    ///     }
    /// });
    /// # let _ = builder.build();
    /// ```
    ///
    /// With `on_bad_cookie = reject` a cookie that opens nothing is refused before the hook is asked.
    pub fn on_missing_session<F: Future<Output = MissingSession> + Send + 'static>(
        mut self,
        hook: impl Fn(SessionlessRequest) -> F + Send + Sync + 'static,
    ) -> Self {
        self.parts.hooks.set_missing_session(hook);
        self
    }

    /// Loads the user of a session with `loader`, when an extractor `User<U>` or the predicate of a guard needs one. See
    /// [`UserLoader`].
    pub fn user_loader(mut self, loader: impl UserLoader) -> Self {
        self.parts.user_loader = Some(Arc::new(loader));
        self
    }

    /// Takes over the sessions of another system, and ends them with ours.
    ///
    /// # Errors
    /// Fails when the migration has no reader, when a reader's cookie has the name of ours, and when `DualWrite` lacks what it needs. Set the
    /// [`config`](Self::config) before.
    pub fn migration(mut self, migration: Migration<Scope>) -> Result<Self, ConfigError>
    where
        Scope: SessionScope<Home = OnServer>,
    {
        self.parts.migration = Some(migration.finish(&self.parts.config.settings().cookie_name)?);
        Ok(self)
    }

    /// Gives a value of the application to those who cannot get it from the framework: a hand-written
    /// [`Requirement`](crate::Requirement) finds a database pool, say, with
    /// [`GuardedRequest::extension`](crate::GuardedRequest::extension). There is one value of each type; a later one takes
    /// the place of an earlier.
    pub fn extension<T: Any + Send + Sync>(mut self, value: T) -> Self {
        self.parts.extensions.insert(value);
        self
    }

    /// Sends those who have to log in to the page that a function names, in place of the setting `login_url`: one that
    /// depends on the language of the request, or on its path. The address of the refused page is added as `next`.
    ///
    /// An address that the function takes from the request, from a parameter or the `Host` say, would let anybody make
    /// links from this site to a login page of theirs: choose among addresses that the application knows.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{MemoryStore, SessionManager};
    ///
    /// let builder = SessionManager::builder(MemoryStore::new())
    ///     .login_url(|head| if head.path().starts_with("/office/") { "/office/login" } else { "/login" }.to_owned());
    /// # let _ = builder.build();
    /// ```
    pub fn login_url(mut self, login_url: impl Fn(&RequestHead<'_>) -> String + Send + Sync + 'static) -> Self {
        self.parts.denials.login_url = Some(Box::new(login_url));
        self
    }

    /// Answers those whom a guard refuses with what a function says. [`Denial::answer`] is what they get otherwise. A panic
    /// is a 500.
    ///
    /// ```
    /// # use sessionkit_core as sessionkit;
    /// use sessionkit::{DenialReason, MemoryStore, Rejection, SessionManager};
    ///
    /// let builder = SessionManager::builder(MemoryStore::new()).on_denied(|denial| {
    ///     match denial.reason {
    ///         DenialReason::NotAllowed => Rejection::html(403, "<h1>This is for members only</h1>"),
    ///         _ => denial.answer(),
    ///     }
    /// });
    /// # let _ = builder.build();
    /// ```
    pub fn on_denied(mut self, on_denied: impl Fn(&Denial<'_>) -> Rejection + Send + Sync + 'static) -> Self {
        self.parts.denials.on_denied = Some(Box::new(on_denied));
        self
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
    /// use sessionkit::{MemoryStore, SessionManager};
    ///
    /// let builder = SessionManager::builder(MemoryStore::new()).on_rejection(|rejection, request| {
    ///     if request.header("hx-request").is_some() {
    ///         return rejection.with_header("HX-Retarget", "#errors");
    ///     }
    ///     if !request.is_navigation() {
    ///         return rejection;
    ///     }
    ///     let page = format!("<h1>{}</h1><p>{}</p>", rejection.title(), escape(rejection.detail()));
    ///     rejection.with_html(page)
    /// });
    /// # let _ = builder.build();
    /// ```
    pub fn on_rejection(
        mut self,
        on_rejection: impl Fn(Rejection, &RequestHead<'_>) -> Rejection + Send + Sync + 'static,
    ) -> Self {
        self.parts.hooks.set_rejection(on_rejection);
        self
    }

    /// Reports what happens to sessions to `sink`, beside the log, which every manager has, and the sinks that were added
    /// before.
    pub fn event_sink(mut self, sink: impl EventSink) -> Self {
        self.parts.sinks.push(Arc::new(sink));
        self
    }

    /// Makes the manager.
    pub fn build(self) -> SessionManager<Scope> {
        let (mut parts, scope) = (self.parts, self.stored_scope.unwrap_or(Scope::NAME));
        if parts.in_cookies.is_some() {
            // There is nothing to list.
            parts.config = parts.config.without_lists();
        }
        SessionManager { engine: Engine::new(parts, scope), scope: PhantomData }
    }
}

impl<Scope: SessionScope> fmt::Debug for SessionManagerBuilder<Scope> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let config = &self.parts.config;
        f.debug_struct("SessionManagerBuilder")
            .field("scope", &Scope::NAME)
            .field("config", config)
            .finish_non_exhaustive()
    }
}
