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
    use sessionkit_tests::harness::{Gates, HeldStore};
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
