//! Requests, answers and tokens that are under way when something changes. By hand, without a framework.

mod clocks;
mod controls;
mod devices;
mod former;
mod merging;
mod redis;
mod under_way;

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sessionkit::manual::{HeaderChange, Headers, RequestHead, RequestSession};
use sessionkit::store::{
    Entry, EntryKey, EntryKind, Generation, InsertOutcome, Notices, RemoveOutcome, ReplaceOutcome, Revision,
    ScanCursor, ScanPage, SessionId, SessionList,
};
use sessionkit::testing::ManualClock;
use sessionkit::{
    Clock as _, MemoryStore, SessionConfig, SessionConfigBuilder, SessionManager, SessionManagerBuilder, Store,
    StoreError,
};
use sessionkit_tests::harness::{Gates, HeldStore};

/// A store that fails for lists, loses answers, and is shared by servers.
#[derive(Clone)]
struct Faulty<S> {
    inner: S,
    /// Loads of the list of this user fail.
    fails_load_of: Arc<Mutex<Option<EntryKey>>>,
    /// Replacements of lists fail.
    fails_lists: Arc<AtomicBool>,
    /// Replacements of sessions fail.
    fails_sessions: Arc<AtomicBool>,
    /// So many answers to replacements of sessions are lost; they are done.
    loses: Arc<AtomicUsize>,
}

impl<S> Faulty<S> {
    fn new(inner: S) -> Self {
        Self {
            inner,
            fails_load_of: Arc::default(),
            fails_lists: Arc::default(),
            fails_sessions: Arc::default(),
            loses: Arc::default(),
        }
    }

    fn fail_load_of(&self, user: Option<&str>) {
        *self.fails_load_of.lock().unwrap() = user.map(|user| EntryKey::session_list("Main", user));
    }
}

impl<S: Store> Store for Faulty<S> {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        if *self.fails_load_of.lock().unwrap() == Some(*key) {
            return Err(StoreError::unavailable("on purpose"));
        }
        self.inner.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.inner.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        let fails = if key.kind() == EntryKind::SessionList { &self.fails_lists } else { &self.fails_sessions };
        if fails.load(Ordering::SeqCst) {
            return Err(StoreError::unavailable("on purpose"));
        }
        let loses = key.kind() == EntryKind::Session
            && self.loses.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
        let outcome = self.inner.replace(key, held, entry).await?;
        if loses { Err(StoreError::unknown("on purpose")) } else { Ok(outcome) }
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.inner.remove(key, held).await
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        self.inner.scan(kind, after, limit).await
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.inner.load_many(keys).await
    }

    fn notices(&self) -> Option<&Notices> {
        self.inner.notices()
    }

    fn announce(&self, id: SessionId) {
        self.inner.announce(id);
    }
}

fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new())
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const DAY: u64 = 24 * 60 * 60;

fn builder(
    store: impl Store,
    clock: &ManualClock,
    set: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder,
) -> SessionManagerBuilder {
    let patient = seconds(10);
    let config = SessionConfig::builder().load_deadline(patient).commit_deadline(patient).user_deadline(patient);
    SessionManager::builder(store).config(set(config).build().unwrap()).clock(clock.clone())
}

fn manager(
    store: impl Store,
    clock: &ManualClock,
    set: impl FnOnce(SessionConfigBuilder) -> SessionConfigBuilder,
) -> SessionManager {
    builder(store, clock, set).build()
}

/// A clock that is ahead of another by so much.
fn ahead(clock: &ManualClock, lead: Duration) -> ManualClock {
    let other = ManualClock::new();
    other.advance(clock.now().saturating_duration_since(other.now()) + lead);
    other
}

struct Cookies(Vec<String>);

impl Headers for Cookies {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        self.0.iter().for_each(|line| each("cookie", line.as_bytes()));
    }
}

fn open_with(manager: &SessionManager, tokens: &[&str]) -> RequestSession {
    let lines = tokens.iter().map(|token| format!("__Host-session={token}")).collect();
    let session = manager.open();
    session.attach(&RequestHead::new("GET", "/", &Cookies(lines)));
    session
}

/// The effect of an answer on the cookie.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Cookie {
    Kept,
    Set(String),
    Removed,
}

/// Closes a request; returns its status and what it makes of the cookie.
async fn close(manager: &SessionManager, session: &RequestSession, status: u16) -> (u16, Cookie) {
    let changes = manager.close(session, status).await;
    let status = changes.rejection.as_ref().map_or(status, |rejection| rejection.status());
    let cookies: Vec<String> = changes
        .headers
        .into_iter()
        .filter_map(|change| match change {
            HeaderChange::Append("set-cookie", cookie) => Some(cookie.to_string()),
            _ => None,
        })
        .collect();
    let cookie = match &cookies[..] {
        [] => Cookie::Kept,
        [cookie] if cookie.contains("=; Max-Age=0") => Cookie::Removed,
        [cookie] => Cookie::Set(cookie.split(['=', ';']).nth(1).unwrap().to_owned()),
        _ => panic!("[P8] {cookies:?}"),
    };
    (status, cookie)
}

/// A browser with one cookie. Clones have jars of their own.
#[derive(Clone, Default)]
struct Browser {
    token: Option<String>,
}

impl Browser {
    fn open(&self, manager: &SessionManager) -> RequestSession {
        open_with(manager, &self.token.iter().map(String::as_str).collect::<Vec<_>>())
    }

    async fn close(&mut self, manager: &SessionManager, session: &RequestSession, status: u16) -> (u16, Cookie) {
        let (status, cookie) = close(manager, session, status).await;
        match &cookie {
            Cookie::Kept => {}
            Cookie::Set(token) => self.token = Some(token.clone()),
            Cookie::Removed => self.token = None,
        }
        (status, cookie)
    }

    /// Writes a note.
    async fn note(&mut self, manager: &SessionManager, note: &str) -> (u16, Cookie) {
        let session = self.open(manager);
        session.dynamic().await.unwrap().insert("note", note).unwrap();
        self.close(manager, &session, 200).await
    }

    async fn login(&mut self, manager: &SessionManager, user: &str) -> (u16, Cookie) {
        let session = self.open(manager);
        let status = session.auth().login(user).methods(["pwd"]).await.map_or_else(|error| error.status(), |()| 200);
        self.close(manager, &session, status).await
    }

    async fn rotate(&mut self, manager: &SessionManager) -> (u16, Cookie) {
        let session = self.open(manager);
        let status = session.auth().rotate().await.map_or_else(|error| error.status(), |()| 200);
        self.close(manager, &session, status).await
    }

    async fn elevate(&mut self, manager: &SessionManager) -> (u16, Cookie) {
        let session = self.open(manager);
        let status = session.auth().elevate("otp").await.map_or_else(|error| error.status(), |()| 200);
        self.close(manager, &session, status).await
    }

    async fn logout(&mut self, manager: &SessionManager) -> (u16, Cookie) {
        let session = self.open(manager);
        let status = session.auth().logout().await.map_or_else(|error| error.status(), |()| 200);
        self.close(manager, &session, status).await
    }

    /// Asks who it is, and what the note says: `ada [pwd] hello`.
    async fn about(&mut self, manager: &SessionManager) -> String {
        let session = self.open(manager);
        let note = session.dynamic().await.unwrap().get::<String>("note").unwrap().unwrap_or_default();
        let about = match session.info().await.unwrap() {
            None => "none".to_owned(),
            Some(info) => {
                let user = info.user_id.as_deref().unwrap_or("visitor");
                format!("{user} [{}] {note}", info.methods().join(" "))
            }
        };
        self.close(manager, &session, 200).await;
        about
    }

    fn id(&self) -> SessionId {
        sessionkit_core::Token::parse(self.token.as_ref().unwrap().as_bytes()).unwrap().id()
    }
}

/// Two clicks on a login button whose requests overlap.
struct Clicks {
    plain: SessionManager,
    store: Arc<MemoryStore>,
    first: Browser,
    /// The browser after the second click's answer, which comes last, and the status of that answer.
    second: (Browser, u16),
}

/// Clicks twice: the second request loads the session of a visitor, which has a note `cart`, before the first one logs
/// `ada` in, and goes on after it, to log in the user that is given.
async fn overlapping_clicks(
    second_user: &'static str,
    set: impl Fn(SessionConfigBuilder) -> SessionConfigBuilder,
) -> Clicks {
    let (store, clock, gates) = (memory(), ManualClock::new(), Gates::default());
    let held = HeldStore::new(store.clone(), &gates);
    let (slow, plain) = (manager(held.clone(), &clock, &set), manager(store.clone(), &clock, &set));
    let mut first = Browser::default();
    first.note(&plain, "cart").await;
    held.hold("before replace");
    let second = tokio::spawn({
        let mut click = first.clone();
        async move {
            let status = click.login(&slow, second_user).await.0;
            (click, status)
        }
    });
    gates.arrived("before replace", 1).await;
    assert_eq!(first.login(&plain, "ada").await.0, 200);
    held.release("before replace");
    gates.open("before replace", 1);
    Clicks { plain, store, first, second: second.await.expect("it does not panic") }
}
