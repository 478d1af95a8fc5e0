//! Stores and entries for the tests.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use sessionkit::manual::{HeaderChange, Headers, RequestHead};
use sessionkit::sql::SqliteStore;
use sessionkit::store::{
    Entry, EntryKey, EntryKind, Generation, InsertOutcome, Notices, RemoveOutcome, ReplaceOutcome, Revision,
    ScanCursor, ScanPage, Store, StoreError, StoreStats,
};
use sessionkit::testing::TestSession;
use sessionkit::{SessionId, SessionManager};

/// Two stores on one database, whose calls alternate.
pub struct InTurn {
    stores: [SqliteStore; 2],
    calls: AtomicUsize,
}

impl InTurn {
    pub fn new(stores: [SqliteStore; 2]) -> Self {
        Self { stores, calls: AtomicUsize::new(0) }
    }

    fn next(&self) -> &SqliteStore {
        &self.stores[self.calls.fetch_add(1, Ordering::Relaxed) % 2]
    }
}

impl Store for InTurn {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.next().load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.next().insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.next().replace(key, held, entry).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.next().remove(key, held).await
    }

    async fn scan(&self, kind: EntryKind, after: Option<&ScanCursor>, limit: usize) -> Result<ScanPage, StoreError> {
        self.next().scan(kind, after, limit).await
    }

    async fn load_many(&self, keys: &[EntryKey]) -> Result<Vec<Option<Entry>>, StoreError> {
        self.next().load_many(keys).await
    }

    async fn sweep(&self, limit: usize) -> Result<usize, StoreError> {
        self.next().sweep(limit).await
    }

    async fn stats(&self) -> Result<StoreStats, StoreError> {
        self.next().stats().await
    }

    fn notices(&self) -> Option<&Notices> {
        self.stores[0].notices()
    }
}

/// The cookie of a visitor, as a request has it.
struct Cookie(String);

impl Headers for Cookie {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        each("cookie", self.0.as_bytes());
    }
}

/// Makes a request with the cookie of a session, and returns who is logged in.
pub async fn user_of(manager: &SessionManager, session: &TestSession) -> Option<String> {
    let cookie = Cookie(session.cookie());
    let request = manager.open();
    request.attach(&RequestHead::new("GET", "/", &cookie));
    let user = request.user_id().await.expect("no error, whatever is stored");
    assert!(manager.close(&request, 200).await.rejection.is_none());
    user.map(|user| user.to_string())
}

/// Logs out with the cookie of a session.
pub async fn log_out(manager: &SessionManager, session: &TestSession) {
    let cookie = Cookie(session.cookie());
    let request = manager.open();
    request.attach(&RequestHead::new("POST", "/logout", &cookie));
    request.auth().logout().await.expect("a logout works in any case");
    assert!(manager.close(&request, 200).await.rejection.is_none());
}

/// Logs in as an application does, which is an event.
pub async fn log_in(manager: &SessionManager, user: &str, device: &str) -> TestSession {
    let request = manager.open();
    request.auth().login(user).device_label(device).await.expect("the store answers");
    let changes = manager.close(&request, 200).await;
    let mut session = TestSession::new(manager).await;
    let set_cookies = changes.headers.into_iter().filter_map(|change| match change {
        HeaderChange::Append("set-cookie", cookie) => Some(cookie.to_string()),
        _ => None,
    });
    session.follow(set_cookies);
    session
}

pub const AN_HOUR: Duration = Duration::from_secs(60 * 60);

/// The key of a session.
pub fn key(number: u32) -> EntryKey {
    let mut id = [0; 16];
    id[12..].copy_from_slice(&number.to_be_bytes());
    EntryKey::session(SessionId::from_bytes(id))
}

pub fn revision(number: u32) -> Revision {
    let mut bytes = [0; 8];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    Revision::from_bytes(bytes)
}

/// An entry of this revision and generation 0, every part of which depends on its number.
pub fn numbered(number: u32) -> Entry {
    let mut bytes = vec![1];
    bytes.extend(revision(number).as_bytes());
    bytes.extend([0; 4]);
    bytes.extend(std::iter::repeat_n(number.to_be_bytes(), 60 + number as usize % 60).flatten());
    Entry::new(bytes, AN_HOUR)
}

/// Returns the number of an entry that is whole.
pub fn number(entry: &Entry) -> Option<u32> {
    let number = u32::from_be_bytes(*entry.revision()?.as_bytes().first_chunk()?);
    (entry.bytes() == numbered(number).bytes()).then_some(number)
}
