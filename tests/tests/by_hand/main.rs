//! The engine without a framework: what an adapter's layer and extractors do, by hand.

mod authority;
mod map_and_entries;
mod panics;

use std::sync::atomic::{AtomicUsize, Ordering};

use sessionkit::manual::{DynamicSession, HeaderChange, Headers, RequestHead, RequestSession, ResponseChanges};
use sessionkit::store::{
    Entry, EntryKey, Generation, InsertOutcome, RemoveOutcome, ReplaceOutcome, Revision, Store, StoreError,
};
use sessionkit::testing::{CountingStore, ManualClock};
use sessionkit::{MemoryStore, SessionConfig, SessionData, SessionManager, SessionManagerBuilder, TokenSource};
use sessionkit_tests::harness::{Gates, HeldStore, Log};

#[derive(Debug, SessionData)]
struct Data {
    value: u32,
    #[session(merge = append)]
    list: Vec<u32>,
}

type Counted = CountingStore<std::sync::Arc<MemoryStore>>;

fn manager() -> (SessionManager, Counted) {
    let (builder, store) = builder();
    (builder.build(), store)
}

fn builder() -> (SessionManagerBuilder, Counted) {
    let store = CountingStore::new(std::sync::Arc::new(MemoryStore::new()));
    (SessionManager::builder(store.clone()).clock(ManualClock::new()), store)
}

#[tokio::test]
async fn a_struct_of_another_scope_is_refused() {
    struct Office;
    impl sessionkit::SessionScope for Office {
        const NAME: &'static str = "Office";
        type Home = sessionkit::OnServer;
    }
    #[derive(Debug, SessionData)]
    #[session(scope = Office)]
    struct Desk {
        orders: u32,
    }
    let (manager, store) = manager();
    let session = manager.open();
    let refused = session.checkout::<Desk>().await.unwrap_err().to_string();
    assert!(refused.contains("Desk") && refused.contains("`Office`") && refused.contains("`Main`"), "{refused}");
    assert_eq!((manager.close(&session, 200).await.rejection.unwrap().status(), store.take().total()), (500, 0));
}

async fn change(session: RequestSession) {
    let mut data = session.checkout::<Data>().await.unwrap();
    data.value = 1;
}

#[tokio::test]
async fn a_struct_dropped_by_a_panic_contributes_nothing() {
    let (manager, store) = manager();
    let session = manager.open();
    let held = session.clone();
    let panicked = tokio::spawn(async move {
        let mut data = held.checkout::<Data>().await.unwrap();
        data.value = 1;
        panic!("a handler panics on purpose");
    });
    assert!(panicked.await.is_err());
    // Somebody caught the panic and answered as if nothing had happened.
    let changes = manager.close(&session, 200).await;
    assert!(changes.headers.is_empty());
    assert_eq!(store.take().total(), 0);
}

#[tokio::test]
async fn a_change_after_the_response_is_reported_and_not_stored() {
    let (manager, store) = manager();
    let session = manager.open();
    let mut data = session.checkout::<Data>().await.unwrap();
    manager.close(&session, 200).await;
    let log = Log::collect();
    data.value = 1;
    drop(data);
    assert!(log.text().contains("late_write") && log.text().contains("key=data"), "{}", log.text());
    assert_eq!(store.take().total(), 0);
}

#[tokio::test]
async fn a_login_after_the_response_is_refused() {
    let (manager, store) = manager();
    let session = manager.open();
    manager.close(&session, 200).await;
    let refused = session.auth().login("ada").await.unwrap_err();
    assert!(refused.to_string().contains("response"), "{refused}");
    assert_eq!(store.take().total(), 0);
}

#[tokio::test]
async fn closing_goes_on_when_its_caller_leaves() {
    for polled in [false, true] {
        let (gates, memory) = (Gates::default(), std::sync::Arc::new(MemoryStore::new()));
        let store = HeldStore::new(memory.clone(), &gates);
        let manager = SessionManager::new(store.clone(), SessionConfig::default());
        let session = manager.open();
        change(session.clone()).await;
        store.hold("before insert");
        {
            let mut closing = std::pin::pin!(manager.close(&session, 200));
            if polled {
                let begun =
                    std::future::poll_fn(|context| std::task::Poll::Ready(closing.as_mut().poll(context))).await;
                assert!(begun.is_pending());
            }
        }
        gates.arrived("before insert", 1).await;
        assert_eq!(memory.len(), 0);
        gates.open("before insert", 1);
        manager.drain().await;
        assert_eq!(memory.len(), 1);
    }
}

/// A store where somebody else is always faster.
struct Contended(MemoryStore);

impl Store for Contended {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.0.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.0.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        // Somebody else was faster: the entry has another revision by now.
        let Some(found) = self.0.load(key).await? else { return Ok(ReplaceOutcome::Absent) };
        let mut bytes = found.bytes().to_vec();
        let counter = u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]]);
        bytes[1..5].copy_from_slice(&counter.wrapping_add(1).to_be_bytes());
        self.0.replace(key, found.revision().expect("it is whole"), &Entry::from_bytes(bytes.clone())).await?;
        let _ = (held, entry);
        Ok(ReplaceOutcome::Changed(Entry::from_bytes(bytes)))
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.0.remove(key, held).await
    }
}

/// The headers of a request that has one cookie.
struct Cookie(String);

impl Headers for Cookie {
    fn each<'a>(&'a self, each: &mut dyn FnMut(&'a str, &'a [u8])) {
        each("cookie", self.0.as_bytes());
    }
}

/// The cookie that a response sets, as the client presents it.
fn set_cookie(changes: ResponseChanges) -> String {
    let cookie = changes.headers.into_iter().find_map(|change| match change {
        HeaderChange::Append("set-cookie", cookie) => cookie.split(';').next().map(str::to_owned),
        _ => None,
    });
    cookie.expect("the response sets a cookie")
}

#[tokio::test(start_paused = true)]
async fn a_conflict_that_is_not_settled_in_time_is_409() {
    let manager = SessionManager::new(Contended(MemoryStore::new()), SessionConfig::default());
    let first = manager.open();
    change(first.clone()).await;
    let changes = manager.close(&first, 200).await;
    let session = manager.open();
    session.attach(&RequestHead::new("GET", "/", &Cookie(set_cookie(changes))));
    session.checkout::<Data>().await.unwrap().list.push(1);
    let changes = manager.close(&session, 200).await;
    assert_eq!(changes.rejection.unwrap().status(), 409);
    assert!(!changes.headers.into_iter().any(|change| matches!(change, HeaderChange::Append("set-cookie", _))));
}

/// A store whose `insert` waits for the test.
struct Waiting {
    store: MemoryStore,
    pass: std::sync::Arc<tokio::sync::Semaphore>,
}

impl Store for Waiting {
    async fn load(&self, key: &EntryKey) -> Result<Option<Entry>, StoreError> {
        self.store.load(key).await
    }

    async fn insert(&self, key: &EntryKey, entry: &Entry) -> Result<InsertOutcome, StoreError> {
        self.pass.acquire().await.unwrap().forget();
        self.store.insert(key, entry).await
    }

    async fn replace(&self, key: &EntryKey, held: Revision, entry: &Entry) -> Result<ReplaceOutcome, StoreError> {
        self.store.replace(key, held, entry).await
    }

    async fn remove(&self, key: &EntryKey, held: Generation) -> Result<RemoveOutcome, StoreError> {
        self.store.remove(key, held).await
    }
}

#[tokio::test]
async fn a_login_that_the_handler_gave_up_still_gets_its_cookie() {
    let pass = std::sync::Arc::new(tokio::sync::Semaphore::new(0));
    let store = Waiting { store: MemoryStore::new(), pass: pass.clone() };
    let manager = SessionManager::new(store, SessionConfig::default());
    let session = manager.open();
    {
        let mut login = std::pin::pin!(session.auth().login("ada").into_future());
        // It begins, and the handler gives it up.
        let begun = std::future::poll_fn(|context| std::task::Poll::Ready(login.as_mut().poll(context))).await;
        assert!(begun.is_pending());
    }
    tokio::task::yield_now().await;
    let closing = tokio::spawn({
        let (manager, session) = (manager.clone(), session.clone());
        async move { manager.close(&session, 200).await }
    });
    tokio::task::yield_now().await;
    pass.add_permits(1);
    let changes = closing.await.unwrap();
    assert!(changes.headers.clone().into_iter().any(|change| matches!(change, HeaderChange::Append("set-cookie", _))));
    // What is printed of it names the header, and holds no token.
    let printed = format!("{changes:?}");
    assert!(printed.contains("set-cookie") && !printed.contains("__Host-session="), "{printed}");
}

/// Random when it is looked at, and always the same bytes afterwards.
#[derive(Default)]
struct Repeating(AtomicUsize);

impl TokenSource for Repeating {
    fn fill(&self, bytes: &mut [u8]) {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            0..8 => sessionkit_core::OsRandom.fill(bytes),
            _ => bytes.fill(7),
        }
    }
}

#[tokio::test]
async fn a_token_source_that_repeats_itself_is_an_error_and_no_endless_loop() {
    let (builder, store) = builder();
    let manager = builder.token_source(Repeating::default()).expect("it begins well").build();
    let (first, second) = (manager.open(), manager.open());
    change(first.clone()).await;
    assert!(manager.close(&first, 200).await.rejection.is_none());
    change(second.clone()).await;
    let rejection = manager.close(&second, 200).await.rejection.expect("there is no second session");
    let error = rejection.error().expect("it was made of an error").to_string();
    assert_eq!((rejection.status(), error.contains("token source")), (500, true), "{error}");
    let refused = manager.open().auth().login("ada").await.unwrap_err();
    assert_eq!(refused.status(), 500, "{refused}");
    assert!(store.take().insert < 20);
}

#[test]
fn a_login_that_its_runtime_cuts_off_is_reported() {
    let (log, gates) = (Log::collect(), Gates::default());
    let store = HeldStore::new(MemoryStore::new(), &gates);
    store.hold("before insert");
    let manager = SessionManager::new(store, SessionConfig::default());
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let short = runtime();
    short.block_on(async {
        tokio::spawn(manager.open().auth().login("ada").into_future());
        gates.arrived("before insert", 1).await;
    });
    drop(short);
    runtime().block_on(manager.drain());
    assert!(log.text().contains("cut_off"), "{}", log.text());
}

#[tokio::test]
async fn what_a_logout_makes_of_the_cookie_stays() {
    let hour = std::time::Duration::from_secs(3600);
    for gate in ["before replace", "after replace"] {
        let (gates, clock) = (Gates::default(), ManualClock::new());
        let store = HeldStore::new(std::sync::Arc::new(MemoryStore::new()), &gates);
        let config = SessionConfig::builder().renew_after(hour).build().unwrap();
        let manager = SessionManager::builder(store.clone()).config(config).clock(clock.clone()).build();
        let begun = manager.open();
        begun.auth().login("ada").await.unwrap();
        let cookie = set_cookie(manager.close(&begun, 200).await);
        clock.advance(hour);
        let session = manager.open();
        session.attach(&RequestHead::new("GET", "/", &Cookie(cookie)));
        session.user_id().await.unwrap();
        store.hold(gate);
        let closing = manager.close(&session, 200);
        let logout = async {
            gates.arrived(gate, 1).await;
            session.auth().logout().await.unwrap();
            gates.open(gate, 1);
        };
        let (changes, ()) = futures_util::future::join(closing, logout).await;
        assert_eq!(set_cookie(changes), "__Host-session=", "{gate}");
    }
}

#[tokio::test]
async fn a_handle_goes_on_with_the_login_that_runs_when_the_client_leaves() {
    let (gates, store) = (Gates::default(), std::sync::Arc::new(MemoryStore::new()));
    let store = HeldStore::new(store, &gates);
    let manager = SessionManager::new(store.clone(), SessionConfig::default());
    let session = manager.open().serving();
    let (handle, auth) = (session.handle().await.unwrap(), session.auth());
    let task = tokio::spawn(async move { (handle.user_id().await.unwrap(), auth) });
    store.hold("before insert");
    let login = tokio::spawn({
        let auth = session.auth();
        async move { auth.login("ada").await }
    });
    gates.arrived("before insert", 1).await;
    drop(session);
    gates.open("before insert", 1);
    login.await.unwrap().unwrap();
    let (user, _) = tokio::time::timeout(std::time::Duration::from_secs(10), task).await.unwrap().unwrap();
    assert_eq!(user.as_deref(), Some("ada"));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_says_what_may_have_kept_it() {
    let gates = Gates::default();
    let store = HeldStore::new(MemoryStore::new(), &gates);
    let manager = SessionManager::new(store.clone(), SessionConfig::default());
    let ada = sessionkit::testing::TestSession::new(&manager).login("ada").await;
    for (gate, deadline) in [("before load", "load_deadline"), ("before replace", "commit_deadline")] {
        store.hold(gate);
        let session = manager.open();
        session.attach(&RequestHead::new("POST", "/", &Cookie(ada.cookie())));
        let error = session.auth().rotate().await.unwrap_err();
        let logged = format!("{error:?}");
        assert!(logged.contains(deadline) && logged.contains("spawn_blocking"), "{gate}: {logged}");
        store.release(gate);
    }
    assert!(!ada.is_over().await);
}
