//! The one place that decides: what a cookie opens, and what a response becomes.

use std::any::{Any, TypeId, type_name};
use std::fmt::{self, Display};
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::close::{self, Closing};
use crate::config::{ConfigError, SessionConfig, Settings};
use crate::cookie::{Candidates, CookieName};
use crate::data::SessionData;
use crate::deadline::Deadline;
use crate::devices::Devices;
use crate::error::SessionError;
use crate::event::{About, EventKind, EventSink, Events, TracingSink};
use crate::extensions::Extensions;
use crate::guard::{Denial, Denials};
use crate::head::{OwnedHead, RequestHead};
use crate::header::Generation;
use crate::hooks::{Hooks, LoadCookie, MissingSession, PresentedCookie};
use crate::layer::{LayerMarker, Main};
use crate::record::Record;
use crate::rejection::Rejection;
use crate::request::{Current, RequestSession};
use crate::store::{DynStore, Store, StoreError};
use crate::tasks::Tasks;
use crate::time::{Clock, SystemClock, Timestamp};
use crate::token::{self, OsRandom, SessionId, Token, TokenSource};
use crate::user::{DynLoader, UserLoader};

/// A store and the policy over it: everything that the sessions of an application share. Cheap to clone.
///
/// ```
/// use sessionkit_core::{MemoryStore, SessionConfig, SessionManager};
///
/// let manager = SessionManager::new(MemoryStore::new(), SessionConfig::default());
/// # let _ = manager;
/// ```
///
/// `L` names the layer in an application that has several; see [`LayerMarker`].
pub struct SessionManager<L: LayerMarker = Main> {
    engine: Arc<Engine>,
    layer: std::marker::PhantomData<fn() -> L>,
}

/// The parts of a manager, whatever its layer.
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn DynStore>,
    config: SessionConfig,
    pub(crate) cookie_name: CookieName,
    clock: Arc<dyn Clock>,
    tokens: Arc<dyn TokenSource>,
    layer: &'static str,
    pub(crate) sinks: Vec<Arc<dyn EventSink>>,
    events: Arc<Events>,
    pub(crate) tasks: Tasks,
    namespaces: RwLock<Vec<Namespace>>,
    pub(crate) hooks: Hooks,
    pub(crate) user_loader: Option<Arc<dyn DynLoader>>,
    pub(crate) extensions: Extensions,
    pub(crate) denials: Denials,
}

/// What the cookies of a request open: one session, several, which are nobody's, or none.
pub(crate) struct Opened {
    pub(crate) current: Option<Current>,
    pub(crate) ambiguous: Vec<SessionId>,
    /// A session that has ended at its deadline.
    pub(crate) expired: Option<Current>,
}

#[derive(Clone, Copy)]
struct Namespace {
    name: &'static str,
    owner: TypeId,
    owner_name: &'static str,
}

impl SessionManager {
    /// Makes a manager.
    pub fn new(store: impl Store, config: SessionConfig) -> Self {
        Self::for_layer(store, config)
    }
}

impl<L: LayerMarker> SessionManager<L> {
    /// Makes the manager of one of several layers: `SessionManager::<Office>::for_layer(store, config)`. Each needs a
    /// cookie of its own name.
    pub fn for_layer(store: impl Store, config: SessionConfig) -> Self {
        let (clock, sinks) = (Arc::new(SystemClock), vec![Arc::new(TracingSink) as Arc<dyn EventSink>]);
        let events = Arc::new(Events::new(sinks.clone(), clock.clone(), L::NAME));
        let engine = Engine {
            store: Arc::new(store),
            cookie_name: CookieName::new(&config.settings().cookie_name),
            config,
            clock,
            tokens: Arc::new(OsRandom),
            layer: L::NAME,
            sinks,
            tasks: Tasks::new(events.clone()),
            events,
            namespaces: RwLock::default(),
            hooks: Hooks::default(),
            user_loader: None,
            extensions: Extensions::default(),
            denials: Denials::default(),
        };
        Self { engine: Arc::new(engine), layer: std::marker::PhantomData }
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
    /// use sessionkit_core::{LoadCookie, MemoryStore, SessionConfig, SessionManager};
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
    /// use sessionkit_core::{LocalPath, MemoryStore, MissingSession, Rejection, SessionConfig, SessionManager};
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
    /// use sessionkit_core::{MemoryStore, SessionConfig, SessionManager};
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
    /// use sessionkit_core::{DenialReason, MemoryStore, Rejection, SessionConfig, SessionManager};
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

    pub(crate) fn with(self, change: impl FnOnce(&mut Engine)) -> Self {
        let engine = &self.engine;
        let mut engine = Engine {
            store: engine.store.clone(),
            cookie_name: CookieName::new(&engine.settings().cookie_name),
            config: engine.config.clone(),
            clock: engine.clock.clone(),
            tokens: engine.tokens.clone(),
            layer: engine.layer,
            sinks: engine.sinks.clone(),
            events: engine.events.clone(),
            tasks: engine.tasks.clone(),
            namespaces: RwLock::default(),
            hooks: engine.hooks.clone(),
            user_loader: engine.user_loader.clone(),
            extensions: engine.extensions.clone(),
            denials: engine.denials.clone(),
        };
        change(&mut engine);
        engine.events = Arc::new(Events::new(engine.sinks.clone(), engine.clock.clone(), engine.layer));
        engine.tasks = Tasks::new(engine.events.clone());
        Self { engine: Arc::new(engine), layer: self.layer }
    }

    /// Opens the session of a request. Nothing is read and nothing is stored before somebody asks for something.
    pub fn open(&self) -> RequestSession {
        RequestSession::new(self.engine.clone())
    }

    /// Whether the layer must [`attach`](RequestSession::attach) the head of every request, rather than leave that to
    /// whoever asks for the session first: so with the setting `save_uninitialized`.
    pub fn needs_every_head(&self) -> bool {
        self.engine.settings().save_uninitialized
    }

    /// Whether this manager opened the session, so that a layer that was added twice can tell.
    pub fn owns(&self, session: &RequestSession) -> bool {
        Arc::ptr_eq(&self.engine, &session.shared.engine)
    }

    /// The devices on which a user is logged in, for administrators and for jobs: to be listed and ended. Needs the
    /// setting `devices`.
    ///
    /// ```
    /// use sessionkit_core::{Main, SessionError, SessionManager};
    ///
    /// async fn lock_out(manager: &SessionManager, user: i64) -> Result<(), SessionError> {
    ///     manager.devices_of(user).end_all().await
    /// }
    /// ```
    pub fn devices_of(&self, user: impl Display) -> Devices {
        Devices::of_user(self.engine.clone(), user.to_string().into())
    }

    /// Ends the sessions of all users of this layer, and tells how many. Logins that are under way meanwhile fail;
    /// anonymous sessions stay. Needs the setting `devices`.
    ///
    /// # Errors
    /// Fails where there is no index of devices, and when the store fails. Then some of the sessions may go on; the next
    /// call ends them.
    pub async fn end_everyone(&self) -> Result<usize, SessionError> {
        let engine = self.engine.clone();
        let ended = self.engine.tasks.finish(async move { engine.end_everyone().await }).await;
        ended.unwrap_or_else(|| Err(SessionError::interrupted()))
    }

    /// Closes the session of a request whose handler answered with `status`: stores what changed, and tells what the
    /// response becomes. Once begun it completes, even if the future is dropped.
    ///
    /// Changes are stored when the status is below 500 and not 408.
    pub fn close(&self, session: &RequestSession, status: u16) -> Closing {
        close::close(session, status)
    }

    /// Waits until every store call that was begun for a request that has left is done, and until the event sinks have
    /// written what they were told, for an orderly shutdown.
    pub async fn drain(&self) {
        self.engine.tasks.drain().await;
        self.engine.events.flush().await;
    }
}

impl<L: LayerMarker> Clone for SessionManager<L> {
    fn clone(&self) -> Self {
        Self { engine: self.engine.clone(), layer: self.layer }
    }
}

impl<L: LayerMarker> fmt::Debug for SessionManager<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionManager").field("layer", &L::NAME).finish_non_exhaustive()
    }
}

impl Engine {
    pub(crate) fn settings(&self) -> &Settings {
        self.config.settings()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn layer(&self) -> &'static str {
        self.layer
    }

    pub(crate) fn tokens(&self) -> &dyn TokenSource {
        &*self.tokens
    }

    /// Tells the sinks of an event.
    pub(crate) fn record(&self, kind: EventKind<'_>, about: About<'_>) {
        self.events.record(kind, about);
    }

    /// Opens the session that the candidates name: one that exists, is live, and has the secret. More than one is nobody.
    pub(crate) async fn open(&self, candidates: &Candidates, deadline: &mut Deadline) -> Result<Opened, StoreError> {
        let (mut opened, mut others): (Option<Current>, Vec<SessionId>) = (None, Vec::new());
        let mut expired = None;
        let mut loaded: Vec<(SessionId, Option<Record>)> = Vec::new();
        for token in candidates.tokens() {
            let record = match loaded.iter().find(|(id, _)| *id == token.id()) {
                Some((_, record)) => record.clone(),
                None => {
                    let record = self.load(token, deadline).await?;
                    if candidates.several() {
                        loaded.push((token.id(), record.clone()));
                    }
                    record
                }
            };
            let Some(current) = self.verify(token, record) else { continue };
            if current.record.header().is_expired(self.now()) {
                expired = Some(current);
                continue;
            }
            match &opened {
                // Of two tokens of one session the current one counts, not the one that a renewal replaced.
                Some(other) if other.id() == current.id() && other.secret == other.record.header().secret => {}
                Some(other) if other.id() != current.id() => others.push(current.id()),
                _ => opened = Some(current),
            }
        }
        if let Some(current) = opened.take_if(|_| !others.is_empty()) {
            others.push(current.id());
        }
        Ok(Opened { current: opened, ambiguous: others, expired })
    }

    async fn load(&self, token: &Token, deadline: &mut Deadline) -> Result<Option<Record>, StoreError> {
        let loading = self.store.load(token.id(), self.now());
        let loaded = deadline.limit(loading).await;
        loaded.unwrap_or_else(|| Err(StoreError::unavailable("no answer within load_deadline")))
    }

    /// Loads a session again; `None` if it has ended, or was handed to another token.
    pub(crate) async fn reopen(&self, token: &Token, generation: Generation) -> Result<Option<Current>, StoreError> {
        let record = self.load(token, &mut Deadline::of(self.settings().load_deadline)).await?;
        let record = record.filter(|record| !record.header().is_expired(self.now()));
        let record = record.filter(|record| record.header().generation == generation);
        Ok(record.map(|record| Current { token: token.clone(), secret: record.header().secret, record }))
    }

    /// Finds out whether the token opens the record, which may have expired.
    fn verify(&self, token: &Token, record: Option<Record>) -> Option<Current> {
        let (record, now) = (record?, self.now());
        let header = record.header();
        let secret = token.secret_hash(self.layer);
        let is_previous = || {
            let previous = header.previous.filter(|previous| previous.until.is_none_or(|until| now < until));
            previous.is_some_and(|previous| previous.secret == secret)
        };
        if header.secret != secret && !is_previous() {
            return None;
        }
        Some(Current { token: token.clone(), secret, record })
    }

    /// Makes sure that a struct belongs to this layer, and that no other has its namespace.
    pub(crate) fn claim_namespace<T: SessionData>(&self) -> Result<(), SessionError> {
        let owner = TypeId::of::<T>();
        let known = |namespaces: &[Namespace]| {
            let owned = namespaces.iter().any(|namespace| namespace.owner == owner);
            owned.then_some(Ok(())).or_else(|| {
                let taken = namespaces.iter().find(|namespace| namespace.name == T::NAMESPACE)?;
                Some(Err(SessionError::namespace(T::NAMESPACE, taken.owner_name, type_name::<T>())))
            })
        };
        if let Some(result) = known(&self.namespaces.read().unwrap_or_else(PoisonError::into_inner)) {
            return result;
        }
        if T::Layer::NAME != self.layer {
            return Err(SessionError::layer(type_name::<T>(), T::Layer::NAME, self.layer));
        }
        let mut namespaces = self.namespaces.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(result) = known(&namespaces) {
            return result;
        }
        namespaces.push(Namespace { name: T::NAMESPACE, owner, owner_name: type_name::<T>() });
        Ok(())
    }

    /// Bounds a call that writes: an answer that does not come in time leaves it unknown whether it happened.
    pub(crate) async fn within<T>(
        &self,
        deadline: &mut Deadline,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let done = deadline.limit(call).await;
        done.unwrap_or_else(|| Err(StoreError::unknown("no answer within commit_deadline")))
    }

    pub(crate) fn commit_deadline(&self) -> Deadline {
        Deadline::of(self.settings().commit_deadline)
    }

    /// The lifetime of an anonymous session: idle, and in all.
    pub(crate) fn anonymous_lifetime(&self) -> (Duration, Option<Duration>) {
        (self.settings().anonymous_ttl, Some(self.settings().absolute))
    }
}
