//! The application before this one: its sessions, and how they are taken over.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Map, Value, json};
use sessionkit::formats::{CookieContent, CookieFormat as _, Secrets, Starlette};
use sessionkit::migration::{
    ForeignCookie, ForeignError, ForeignSession, ForeignSessions, Migration, SessionsInCookie,
};
use sessionkit::{Clock as _, SessionData, SessionManager, SessionManagerBuilder, Timestamp};
use sessionkit_tests::harness::{Bench, Visitor};

/// The cookie of the application before this one, whose sessions lie in its memory.
pub(crate) const OLD: &str = "old";

/// The cookie of the one before that, which signed its sessions.
pub(crate) const SIGNED: &str = "signed";

pub(crate) const A_DAY: u64 = 86_400;

#[derive(SessionData)]
pub(crate) struct Cart {
    #[session(merge = append)]
    pub(crate) items: Vec<u32>,
}

impl TryFrom<&ForeignSession> for Cart {
    type Error = ForeignError;

    fn try_from(session: &ForeignSession) -> Result<Self, ForeignError> {
        Ok(Self { items: session.get::<Option<_>>("items")?.unwrap_or_default() })
    }
}

/// The memory of the application before this one.
#[derive(Clone, Default)]
pub(crate) struct OldApp(Arc<Inner>);

#[derive(Default)]
struct Inner {
    sessions: Mutex<HashMap<String, Map<String, Value>>>,
    is_down: AtomicBool,
    written: AtomicUsize,
}

impl OldApp {
    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Map<String, Value>>> {
        self.0.sessions.lock().expect("no holder panics")
    }

    /// Begins a session, and gives its cookie to a browser.
    pub(crate) fn begin(&self, browser: &Visitor, id: &str, values: Value) {
        self.sessions().insert(id.to_owned(), values.as_object().expect("an object").clone());
        browser.set_cookie(OLD, id);
    }

    pub(crate) fn values(&self, id: &str) -> Option<Value> {
        self.sessions().get(id).cloned().map(Value::Object)
    }

    pub(crate) fn count(&self) -> usize {
        self.sessions().len()
    }

    pub(crate) fn set_down(&self, is_down: bool) {
        self.0.is_down.store(is_down, Ordering::SeqCst);
    }

    /// Returns how often a session was written for it.
    pub(crate) fn written(&self) -> usize {
        self.0.written.load(Ordering::SeqCst)
    }

    fn answers(&self) -> Result<(), ForeignError> {
        match self.0.is_down.load(Ordering::SeqCst) {
            true => Err(ForeignError::unavailable("the old application is down")),
            false => Ok(()),
        }
    }
}

/// The reader of its sessions.
pub(crate) struct OldSessions(pub(crate) OldApp, ForeignCookie);

impl OldSessions {
    pub(crate) fn new(old: OldApp) -> Self {
        Self(old, ForeignCookie::new(OLD).secure(false))
    }
}

impl ForeignSessions for OldSessions {
    fn system(&self) -> &'static str {
        "old-app"
    }

    fn cookie(&self) -> &ForeignCookie {
        &self.1
    }

    fn chunk_separator(&self) -> Option<&'static str> {
        Some(".")
    }

    async fn open(&self, cookie: &str, _: Timestamp) -> Result<ForeignSession, ForeignError> {
        self.0.answers()?;
        if cookie == "forged" {
            return Err(ForeignError::invalid());
        }
        let values = self.0.sessions().get(cookie).cloned().ok_or_else(ForeignError::ended)?;
        Ok(ForeignSession::new(cookie, values))
    }

    async fn end(&self, session: &ForeignSession) -> Result<(), ForeignError> {
        self.0.answers()?;
        self.0.sessions().remove(session.id());
        Ok(())
    }

    fn writes(&self) -> bool {
        true
    }

    async fn write(&self, session: &ForeignSession, _: Timestamp) -> Result<String, ForeignError> {
        self.0.answers()?;
        let number = self.0.0.written.fetch_add(1, Ordering::SeqCst);
        let id = if session.id().is_empty() { format!("new-{number}") } else { session.id().to_owned() };
        self.0.sessions().insert(id.clone(), session.values.clone());
        Ok(id)
    }
}

pub(crate) fn signed_format() -> Starlette {
    Starlette::new(Secrets::new(["k3Jd9vQ2xW7pL5mN8rT1yB6cF4hG0sAz"]).expect("it is random"))
}

/// Signs a session, and gives its cookie to a browser.
pub(crate) fn sign(bench: &Bench, browser: &Visitor, values: Value) {
    let content = CookieContent::new(values.as_object().expect("an object").clone());
    browser.set_cookie(SIGNED, &signed_format().write(&content, bench.clock.now()).expect("it can be written"));
}

pub(crate) fn ada() -> Value {
    json!({"user_id": "ada", "items": [1, 2], "csrf": "a secret of the old application"})
}

/// The migration of all tests: it ends in thirty days.
pub(crate) fn migration(bench: &Bench, old: &OldApp) -> Migration {
    let until = bench.clock.now().saturating_add(std::time::Duration::from_secs(30 * A_DAY));
    Migration::until(until)
        .from(OldSessions::new(old.clone()))
        .from(SessionsInCookie::new("signed-app", ForeignCookie::new(SIGNED).secure(false), signed_format()))
        .user(|session| session.user_id("user_id"))
        .take::<Cart>()
}

pub(crate) fn with_migration(builder: SessionManagerBuilder, migration: Migration) -> SessionManager {
    builder.migration(migration).expect("it is complete").build()
}

pub(crate) fn manager(bench: &Bench, old: &OldApp) -> SessionManager {
    with_migration(bench.builder(), migration(bench, old))
}
