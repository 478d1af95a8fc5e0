//! Requests that are under way when the identity changes.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sessionkit::{SessionUser, UserLoader};

use super::*;

#[derive(Clone)]
struct Account;

impl SessionUser for Account {}

#[derive(Clone)]
struct Accounts(Arc<Mutex<HashSet<String>>>);

impl UserLoader for Accounts {
    type User = Account;
    type Error = &'static str;

    async fn load(&self, id: &str) -> Result<Option<Account>, &'static str> {
        Ok(self.0.lock().unwrap().contains(id).then_some(Account))
    }
}

/// A request of a user who is gone, whose session `meanwhile` changes before it is looked at; then it writes.
async fn gone(meanwhile: impl AsyncFnOnce(&mut Browser, &SessionManager)) -> (Cookie, Browser, SessionManager, usize) {
    let (store, clock) = (memory(), ManualClock::new());
    let accounts = Accounts(Arc::new(Mutex::new(HashSet::from(["bob".to_owned()]))));
    let manager = builder(store.clone(), &clock, |config| config).user_loader(accounts).build();
    let mut browser = Browser::default();
    browser.login(&manager, "ada").await;
    let tab = browser.clone();
    let session = tab.open(&manager);
    assert_eq!(session.user_id().await.unwrap().as_deref(), Some("ada"));
    meanwhile(&mut browser, &manager).await;
    assert!(session.user::<Account>().await.unwrap().is_none());
    session.dynamic().await.unwrap().insert("note", "you are logged out").unwrap();
    let (status, cookie) = close(&manager, &session, 200).await;
    assert_eq!(status, 200);
    (cookie, browser, manager, store.len())
}

/// [P11] "Requests that were under way at a login never overwrite its cookie".
#[tokio::test]
async fn p11_a_request_of_a_user_who_is_gone_does_not_overwrite_the_cookie_of_a_login() {
    let (cookie, _, _, _) = gone(async |browser, manager| drop(browser.login(manager, "bob").await)).await;
    assert_eq!(cookie, Cookie::Kept, "[P11] bob is logged out by it");
}

/// [P1] "a request that had already loaded it finishes normally, but writes nothing and sets no session cookie".
#[tokio::test]
async fn p1_a_request_of_a_user_who_is_gone_sets_no_cookie_after_a_logout() {
    let (cookie, _, _, sessions) = gone(async |browser, manager| drop(browser.logout(manager).await)).await;
    assert_eq!((cookie, sessions), (Cookie::Kept, 0), "[P1]");
}

/// §5 budgets: a further candidate is "ended at a login: +1 more"; [P3] "valid credentials never fail".
#[tokio::test]
async fn a_login_with_two_valid_cookies_is_a_login() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store, &clock, |config| config);
    let (mut one, mut other) = (Browser::default(), Browser::default());
    one.login(&manager, "ada").await;
    other.login(&manager, "bob").await;
    let [one, other] = [one, other].map(|browser| browser.token.unwrap());
    let session = open_with(&manager, &[&one, &other]);
    session.auth().login("ada").await.unwrap();
    let (200, Cookie::Set(new)) = close(&manager, &session, 200).await else { panic!("the login sets a cookie") };
    // It replaces the cookie of its own path; the one of another path stays.
    let session = open_with(&manager, &[&new, &other]);
    assert_eq!(session.user_id().await.unwrap().as_deref(), Some("ada"), "the login was acknowledged");
}

/// §3: the selector "opens nothing and ends nothing by itself: every operation that a request asks for verifies the secret
/// first".
#[tokio::test]
async fn a_logout_with_a_forged_secret_ends_no_session_of_a_later_release() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config);
    let mut ada = Browser::default();
    ada.login(&manager, "ada").await;
    let key = EntryKey::session(ada.id());
    let found = store.load(&key).await.unwrap().unwrap();
    let mut bytes = found.bytes().to_vec();
    bytes[0] = 2;
    store.replace(&key, found.revision().unwrap(), &Entry::new(bytes, seconds(3600))).await.unwrap();
    // Whoever read the id in a log.
    let mut token = [7; 48];
    token[..16].copy_from_slice(ada.id().as_bytes());
    let forged = URL_SAFE_NO_PAD.encode(token);
    let session = open_with(&manager, &[&forged]);
    let _ = session.auth().logout().await;
    close(&manager, &session, 200).await;
    assert!(store.load(&key).await.unwrap().is_some(), "ended by somebody who knows nothing but its id");
}

/// §6: `Auth` operations "run at once, in a task that survives cancellation .. they hold whatever the handler answers". A
/// handler that gives a login up while the session is being loaded.
#[tokio::test]
async fn a_login_that_was_given_up_while_the_session_was_loaded_holds() {
    let (store, clock, gates) = (memory(), ManualClock::new(), Gates::default());
    let held = HeldStore::new(store.clone(), &gates);
    let manager = manager(held.clone(), &clock, |config| config);
    let mut visitor = Browser::default();
    visitor.note(&manager, "cart").await;
    let session = visitor.open(&manager);
    held.hold("before load");
    {
        let mut login = std::pin::pin!(session.auth().login("ada").into_future());
        let begun = std::future::poll_fn(|context| std::task::Poll::Ready(login.as_mut().poll(context))).await;
        assert!(begun.is_pending());
    }
    gates.arrived("before load", 1).await;
    let closing = tokio::spawn({
        let (manager, session) = (manager.clone(), session.clone());
        async move { close(&manager, &session, 200).await }
    });
    tokio::task::yield_now().await;
    gates.open("before load", 1);
    held.release("before load");
    let (_, cookie) = closing.await.unwrap();
    assert!(matches!(cookie, Cookie::Set(_)), "{cookie:?}: nobody is logged in, and nobody is told");
}

/// [P11] in the life of an application: a user changes the password in one tab while another tab, which then writes, is
/// under way.
#[tokio::test]
async fn p11_a_request_under_way_at_a_change_of_the_password_does_not_overwrite_the_new_cookie() {
    use sessionkit::CredentialStamp;
    #[derive(Clone)]
    struct Person(String);
    impl SessionUser for Person {
        fn credential_stamp(&self) -> Option<CredentialStamp> {
            Some(CredentialStamp::of(&self.0))
        }
    }
    #[derive(Clone)]
    struct People(Arc<Mutex<String>>);
    impl UserLoader for People {
        type User = Person;
        type Error = &'static str;
        async fn load(&self, _: &str) -> Result<Option<Person>, &'static str> {
            Ok(Some(Person(self.0.lock().unwrap().clone())))
        }
    }
    let (store, clock, people) = (memory(), ManualClock::new(), People(Arc::new(Mutex::new("old".into()))));
    let manager = builder(store, &clock, |config| config).user_loader(people.clone()).build();
    let mut ada = Browser::default();
    let session = ada.open(&manager);
    session.auth().login("ada").credential_stamp(CredentialStamp::of("old")).await.unwrap();
    ada.close(&manager, &session, 200).await;

    let tab = ada.open(&manager);
    tab.user_id().await.unwrap();
    let session = ada.open(&manager);
    *people.0.lock().unwrap() = "new".into();
    session.auth().reauthenticate().credential_stamp(CredentialStamp::of("new")).await.unwrap();
    ada.close(&manager, &session, 200).await;

    assert!(tab.user::<Person>().await.unwrap().is_none());
    tab.dynamic().await.unwrap().insert("note", "please log in").unwrap();
    let (status, cookie) = ada.close(&manager, &tab, 200).await;
    assert_eq!((status, cookie), (200, Cookie::Kept), "[P11]");
    assert!(ada.about(&manager).await.starts_with("ada"), "whoever changes the password is logged out");
}

/// A login that fails after its caller has given it up is reported to nobody.
#[tokio::test]
async fn a_login_that_fails_after_it_was_given_up_is_reported() {
    use sessionkit::testing::FailingStore;
    use sessionkit::{EventSink, SessionEvent};
    #[derive(Clone, Default)]
    struct Names(Arc<Mutex<Vec<String>>>);
    impl EventSink for Names {
        fn record(&self, event: &SessionEvent<'_>) {
            self.0.lock().unwrap().push(event.kind().name().to_owned());
        }
    }
    let (store, clock, names) = (FailingStore::new(MemoryStore::new()), ManualClock::new(), Names::default());
    let gates = Gates::default();
    let held = HeldStore::new(store.clone(), &gates);
    let manager = builder(held.clone(), &clock, |config| config).event_sink(names.clone()).build();
    store.fail();
    for waits in [true, false] {
        let session = Browser::default().open(&manager);
        let mut login = Box::pin(session.auth().login("ada").into_future());
        if waits {
            assert_eq!(login.await.unwrap_err().status(), 503);
        } else {
            held.hold("before insert");
            let begun = std::future::poll_fn(|context| std::task::Poll::Ready(login.as_mut().poll(context))).await;
            assert!(begun.is_pending());
            drop(login);
            gates.arrived("before insert", 1).await;
            held.release("before insert");
            gates.open("before insert", 1);
        }
        manager.drain().await;
        let told = std::mem::take(&mut *names.0.lock().unwrap());
        assert!(!told.is_empty(), "awaited: {waits}; a login failed, and no sink was told");
    }
}

/// §5: "If it has another owner .. it stays: a logout ends nobody else's session". In a rolling deployment a later release
/// logs bob in with the session that a request of this one, which logs out, has seen as ada's.
#[tokio::test]
async fn a_logout_ends_nobody_elses_session_that_a_later_release_has_written_since() {
    let (store, clock) = (memory(), ManualClock::new());
    let manager = manager(store.clone(), &clock, |config| config);
    let mut browser = Browser::default();
    browser.login(&manager, "ada").await;
    let tab = browser.open(&manager);
    assert_eq!(tab.user_id().await.unwrap().as_deref(), Some("ada"));
    browser.login(&manager, "bob").await;
    let key = EntryKey::session(browser.id());
    let found = store.load(&key).await.unwrap().unwrap();
    let mut bytes = found.bytes().to_vec();
    bytes[0] = 2;
    store.replace(&key, found.revision().unwrap(), &Entry::new(bytes, seconds(3600))).await.unwrap();
    let _ = tab.auth().logout().await;
    close(&manager, &tab, 200).await;
    assert!(store.load(&key).await.unwrap().is_some(), "bob's session was ended by a logout of ada's");
}

/// [P11] "a *login* as the user who owns it now goes on with the session .. so a double click loses nothing": also where the
/// second click has loaded the session before the first one has stored its login, as it has when it comes at once.
#[tokio::test]
async fn p11_a_double_click_whose_requests_overlap_loses_nothing() {
    let Clicks { plain, store, mut second, .. } = overlapping_clicks("ada", |config| config).await;
    assert_eq!(second.1, 200);
    let second = &mut second.0;
    assert_eq!(
        (&*second.about(&plain).await, store.len()),
        ("ada [pwd] cart", 1),
        "[P11] the browser keeps the last cookie"
    );
}

/// [P3] "A login that meets `Stale` or `Gone` starts a new record with none of the old fields", if it is another user's.
#[tokio::test]
async fn p3_a_login_that_is_overtaken_by_that_of_another_user_begins_a_session() {
    let Clicks { plain, store, first: mut visitor, mut second } = overlapping_clicks("bob", |config| config).await;
    assert_eq!(second.1, 200);
    let second = &mut second.0;
    assert_eq!(second.about(&plain).await, "bob [pwd] ", "the cart is ada's now");
    assert_eq!((&*visitor.about(&plain).await, store.len()), ("ada [pwd] cart", 2));
}

/// The same without a gate, over a real Redis: two clicks at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p11_two_clicks_at_once_lose_nothing() {
    let bench = sessionkit_tests::harness::Bench::redis();
    let manager = manager(bench.store.clone(), &bench.clock, |config| config);
    let mut lost = 0;
    for _ in 0..50 {
        let mut visitor = Browser::default();
        visitor.note(&manager, "cart").await;
        let clicks = [visitor.clone(), visitor.clone()].map(|mut click| {
            let manager = manager.clone();
            tokio::spawn(async move {
                click.login(&manager, "ada").await;
                click.about(&manager).await
            })
        });
        for click in clicks {
            lost += usize::from(click.await.unwrap() != "ada [pwd] cart");
        }
    }
    assert_eq!(lost, 0, "[P11] of 100 answers, the carts of so many are lost");
}

/// [P11] "for `renew_grace` after a rotation". A grace that is no whole number of seconds is refused with `renew_after`, and
/// taken without, where it is none at all.
#[tokio::test]
async fn p11_a_grace_of_half_a_second_is_refused_or_kept() {
    let grace = Duration::from_millis(900);
    if SessionConfig::builder().renew_grace(grace).build().is_err() {
        return;
    }
    let manager = manager(memory(), &ManualClock::new(), |config| config.renew_grace(grace));
    let mut visitor = Browser::default();
    visitor.note(&manager, "cart").await;
    let tab = visitor.clone();
    visitor.login(&manager, "ada").await;
    let (_, cookie) = tab.clone().note(&manager, "seen").await;
    assert_eq!(cookie, Cookie::Kept, "[P11] in the same moment");
}
