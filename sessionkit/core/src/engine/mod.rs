//! The parts of a manager that all of its requests share: its store and settings, and the machinery that loads, commits
//! and ends sessions.
//!
//! Hooks, the user loader and tasks that outlive requests live here too. What one request knows and did is in `request`;
//! who may change a session, and why, in `auth` and `devices`.

use std::any::{TypeId, type_name};
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use tokio::sync::watch;

use crate::config::{SessionConfig, Settings};
use crate::data::SessionData;
use crate::encryption::{Cipher, Opener};
use crate::engine::adopting::Adopts;
use crate::engine::deadline::Deadline;
use crate::engine::denial::Denials;
use crate::engine::extensions::Extensions;
use crate::engine::hooks::Hooks;
use crate::engine::in_cookies::InCookies;
use crate::engine::in_cookies::jar::Jar;
use crate::engine::lost_cookies::LostCookies;
use crate::engine::noise::Noise;
use crate::engine::parts::EngineParts;
use crate::engine::queue::Queues;
use crate::engine::tasks::Tasks;
use crate::engine::user::DynLoader;
use crate::error::SessionError;
use crate::event::{About, EventKind, Events, Timed};
use crate::record::Record;
use crate::record::adoption::Adoption;
use crate::record::list::SessionList;
use crate::scope::SessionScope as _;
use crate::store::dynamic::DynStore;
use crate::store::error::StoreError;
use crate::time::{Clock, Timestamp};
use crate::token::{SessionId, TokenSource};
use crate::wire::cookie::CookieName;

pub(crate) mod adopting;
pub(crate) mod commit;
pub(crate) mod deadline;
pub(crate) mod denial;
pub(crate) mod document;
pub(crate) mod extensions;
pub(crate) mod guard_options;
pub(crate) mod hooks;
pub(crate) mod in_cookies;
mod insist;
pub(crate) mod lost_cookies;
#[cfg(test)]
mod model;
mod noise;
pub(crate) mod open;
pub(crate) mod parts;
pub(crate) mod queue;
pub(crate) mod reencryption;
pub(crate) mod session;
mod sweep;
pub(crate) mod tasks;
pub(crate) mod user;
mod waiter;

/// The parts of a manager, whatever its scope. Sessions that lie in cookies have one for each request, whose store is the
/// [`Jar`].
pub(crate) struct Engine {
    this: Weak<Self>,
    pub(crate) store: Arc<dyn DynStore>,
    pub(crate) records: Queues<Record>,
    pub(crate) lists: Queues<SessionList>,
    pub(crate) adoptions: Queues<Adoption>,
    /// The cookies of the one request that the engine is for.
    pub(crate) jar: Option<Arc<Jar>>,
    common: Arc<Common>,
}

/// The parts of a manager that do not depend on where its sessions are.
pub(crate) struct Common {
    config: SessionConfig,
    pub(crate) cookie_name: CookieName,
    clock: Arc<dyn Clock>,
    tokens: Arc<dyn TokenSource>,
    scope: &'static str,
    pub(crate) events: Arc<Events>,
    pub(crate) tasks: Tasks,
    namespaces: RwLock<Vec<Namespace>>,
    noise: Noise,
    /// Set once the log has said that nobody decided on lists.
    pub(crate) warned_of_devices: AtomicBool,
    pub(crate) lost_cookies: LostCookies,
    pub(crate) hooks: Hooks,
    pub(crate) user_loader: Option<Arc<dyn DynLoader>>,
    pub(crate) extensions: Extensions,
    pub(crate) denials: Denials,
    /// The way in which sessions lie in cookies, if they do.
    pub(crate) in_cookies: Option<InCookies>,
    /// The taking over of other systems' sessions.
    pub(crate) migration: Option<Arc<dyn Adopts>>,
    /// True from the first drain on.
    draining: watch::Sender<bool>,
}

impl Deref for Engine {
    type Target = Common;

    fn deref(&self) -> &Common {
        &self.common
    }
}

#[derive(Clone, Copy)]
struct Namespace {
    name: &'static str,
    owner: TypeId,
    owner_name: &'static str,
}

impl Engine {
    pub(crate) fn new(parts: EngineParts, scope: &'static str) -> Arc<Self> {
        let EngineParts {
            mut store,
            config,
            clock,
            tokens,
            sinks,
            hooks,
            user_loader,
            extensions,
            denials,
            in_cookies,
            migration,
        } = parts;
        for sink in sinks.iter().filter(|sink| sink.times_store_calls()) {
            store = Arc::new(Timed::new(store, sink.clone(), scope));
        }
        let lost_cookies = LostCookies::new(config.settings().cookie_secure);
        let events = Arc::new(Events::new(sinks, clock.clone(), scope));
        let common = Arc::new(Common {
            cookie_name: CookieName::new(&config.settings().cookie_name),
            config,
            clock,
            tokens,
            scope,
            tasks: Tasks::new(events.clone()),
            events,
            namespaces: RwLock::default(),
            noise: Noise::new(),
            warned_of_devices: AtomicBool::new(false),
            lost_cookies,
            hooks,
            user_loader,
            extensions,
            denials,
            in_cookies,
            migration,
            draining: watch::Sender::new(false),
        });
        Self::over(store, None, common)
    }

    fn over(store: Arc<dyn DynStore>, jar: Option<Arc<Jar>>, common: Arc<Common>) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            store,
            records: Queues::default(),
            lists: Queues::default(),
            adoptions: Queues::default(),
            jar,
            common,
        })
    }

    /// Returns the engine for one request: one of its own if its session lies in its cookie.
    pub(crate) fn for_request(self: &Arc<Self>) -> Arc<Self> {
        if self.in_cookies.is_none() {
            return self.clone();
        }
        let jar = Arc::new(Jar::new(self.clone()));
        Self::over(jar.clone(), Some(jar), self.common.clone())
    }

    /// Returns whether both are of one manager.
    pub(crate) fn is_same_manager(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.common, &other.common)
    }

    /// Returns the engine for work that outlives its caller; `None` while it goes away.
    fn shared(&self) -> Option<Arc<Self>> {
        self.this.upgrade()
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

    /// Lets everything end that goes on by itself, for an orderly shutdown.
    pub(crate) fn begin_drain(&self) {
        self.draining.send_replace(true);
    }

    /// Returns whether the server is shutting down.
    pub(crate) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Tells the sinks of an event.
    pub(crate) fn record(&self, kind: EventKind<'_>, about: About<'_>) {
        self.events.record(kind, about);
    }

    /// Returns what decrypts the values of a session.
    pub(crate) fn opener(&self, id: SessionId) -> Opener<'_> {
        Opener::new(self.settings().keys.as_ref(), self.scope, id)
    }

    /// Returns what encrypts the values that a commit writes to a session; `None` without keys.
    pub(crate) fn cipher(&self, id: SessionId) -> Option<Box<Cipher>> {
        let (keys, fields) = (self.settings().keys.clone()?, self.settings().encrypted_fields());
        Some(Box::new(Cipher::new(keys, self.scope, id, fields)))
    }

    /// Returns whether `sensitive` fields would lie open to those who can read the store, or the cookie.
    fn shows_sensitive_fields(&self) -> bool {
        self.settings().lacks_keys() && !self.in_cookies.as_ref().is_some_and(InCookies::is_sealed)
    }

    /// Makes sure that a struct belongs to this layer, that no other has its namespace, and that what is sensitive in it
    /// can be encrypted.
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
        if let Some(field) = T::FIELDS.iter().find(|field| field.sensitive).filter(|_| self.shows_sensitive_fields()) {
            return Err(SessionError::no_keys(type_name::<T>(), field.key));
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
        done.unwrap_or_else(|| Err(StoreError::unknown(deadline::NO_ANSWER_TO_A_COMMIT)))
    }

    /// Returns a random number that no other write has. Nobody has to be unable to predict it.
    pub(crate) fn random(&self) -> u32 {
        self.noise.next()
    }

    pub(crate) fn load_deadline(&self) -> Deadline {
        Deadline::of(self.settings().load_deadline)
    }

    pub(crate) fn commit_deadline(&self) -> Deadline {
        Deadline::of(self.settings().commit_deadline)
    }

    /// The lifetime of an anonymous session: idle, and in all.
    pub(crate) fn anonymous_lifetime(&self) -> (Duration, Option<Duration>) {
        (self.settings().anonymous_ttl, Some(self.settings().absolute_ttl))
    }
}
