//! The parts of a manager, whatever its scope, and what they decide: what a cookie opens, and how long a call may take.

use std::any::{TypeId, type_name};
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::config::{SessionConfig, Settings};
use crate::data::SessionData;
use crate::engine::deadline::Deadline;
use crate::engine::extensions::Extensions;
use crate::engine::hooks::Hooks;
use crate::engine::tasks::Tasks;
use crate::engine::user::DynLoader;
use crate::error::SessionError;
use crate::event::{About, EventKind, EventSink, Events, TracingSink};
use crate::guard::Denials;
use crate::record::Record;
use crate::record::header::Generation;
use crate::request::state::Current;
use crate::scope::SessionScope as _;
use crate::store::{DynStore, Store, StoreError};
use crate::time::{Clock, SystemClock, Timestamp};
use crate::token::{OsRandom, SessionId, Token, TokenSource};
use crate::wire::cookie::{Candidates, CookieName};

pub(crate) mod deadline;
pub(crate) mod extensions;
pub(crate) mod hooks;
pub(crate) mod tasks;
pub(crate) mod user;

/// The parts of a manager, whatever its scope.
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn DynStore>,
    config: SessionConfig,
    pub(crate) cookie_name: CookieName,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tokens: Arc<dyn TokenSource>,
    scope: &'static str,
    pub(crate) sinks: Vec<Arc<dyn EventSink>>,
    pub(crate) events: Arc<Events>,
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

impl Engine {
    pub(crate) fn new(store: impl Store, config: SessionConfig, scope: &'static str) -> Self {
        let (clock, sinks) = (Arc::new(SystemClock), vec![Arc::new(TracingSink) as Arc<dyn EventSink>]);
        let events = Arc::new(Events::new(sinks.clone(), clock.clone(), scope));
        Self {
            store: Arc::new(store),
            cookie_name: CookieName::new(&config.settings().cookie_name),
            config,
            clock,
            tokens: Arc::new(OsRandom),
            scope,
            sinks,
            tasks: Tasks::new(events.clone()),
            events,
            namespaces: RwLock::default(),
            hooks: Hooks::default(),
            user_loader: None,
            extensions: Extensions::default(),
            denials: Denials::default(),
        }
    }

    /// A copy with something changed; it has done nothing yet.
    pub(crate) fn changed(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut engine = Self {
            store: self.store.clone(),
            cookie_name: CookieName::new(&self.settings().cookie_name),
            config: self.config.clone(),
            clock: self.clock.clone(),
            tokens: self.tokens.clone(),
            scope: self.scope,
            sinks: self.sinks.clone(),
            events: self.events.clone(),
            tasks: self.tasks.clone(),
            namespaces: RwLock::default(),
            hooks: self.hooks.clone(),
            user_loader: self.user_loader.clone(),
            extensions: self.extensions.clone(),
            denials: self.denials.clone(),
        };
        change(&mut engine);
        engine.events = Arc::new(Events::new(engine.sinks.clone(), engine.clock.clone(), engine.scope));
        engine.tasks = Tasks::new(engine.events.clone());
        engine
    }

    pub(crate) fn settings(&self) -> &Settings {
        self.config.settings()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn scope(&self) -> &'static str {
        self.scope
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
        let secret = token.secret_hash(self.scope);
        let is_previous = || {
            let previous = header.previous.filter(|previous| previous.until.is_none_or(|until| now < until));
            previous.is_some_and(|previous| previous.secret == secret)
        };
        if header.secret != secret && !is_previous() {
            return None;
        }
        Some(Current { token: token.clone(), secret, record })
    }

    /// Makes sure that a struct belongs to this scope, and that no other has its namespace.
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
        if T::Scope::NAME != self.scope {
            return Err(SessionError::scope(type_name::<T>(), T::Scope::NAME, self.scope));
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
        (self.settings().anonymous_ttl, Some(self.settings().absolute_ttl))
    }
}
