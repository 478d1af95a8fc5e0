//! Readiness: a server is ready if its store answers, and no longer when it drains.

use std::time::Duration;

use sessionkit::testing::{CountingStore, FailingStore};
use sessionkit::{Health, MemoryStore, SessionConfig, SessionErrorKind, SessionManager};
use tokio::time::Instant;

use crate::support::{Heard, ScriptedStore};

fn reason(health: Health) -> Option<SessionErrorKind> {
    match health {
        Health::NotReady(error) => Some(error.kind()),
        _ => None,
    }
}

#[tokio::test]
async fn a_server_is_ready_while_its_store_answers() {
    let (store, heard) = (FailingStore::new(CountingStore::new(MemoryStore::new())), Heard::default());
    let manager = SessionManager::builder(store.clone()).event_sink(heard.clone()).build();
    assert!(manager.health().await.is_ready());
    store.fail();
    let health = manager.health().await;
    assert!(!health.is_ready());
    assert!(format!("{health:?}").contains("the test lets the store fail"), "{health:?}");
    assert_eq!(reason(health), Some(SessionErrorKind::StoreUnavailable));
    store.recover();
    assert!(manager.health().await.is_ready(), "nothing has to be restarted");
    assert!(heard.take().is_empty(), "a question is no use of a session");
}

#[tokio::test]
async fn a_look_at_it_is_one_load() {
    let store = CountingStore::new(MemoryStore::new());
    let manager = SessionManager::new(store.clone(), SessionConfig::default());
    assert!(manager.health().await.is_ready());
    let calls = store.take();
    assert_eq!((calls.load, calls.total()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_does_not_answer_in_time_makes_it_not_ready() {
    let store = ScriptedStore::default();
    let deadline = Duration::from_millis(125);
    let config = SessionConfig::builder().load_deadline(deadline).build().unwrap();
    let manager = SessionManager::new(store.clone(), config);
    store.fall_silent();
    let begun = Instant::now();
    assert_eq!(reason(manager.health().await), Some(SessionErrorKind::StoreUnavailable));
    assert!((deadline..2 * deadline).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_server_that_drains_is_not_ready_and_serves_requests_all_the_same() {
    let store = CountingStore::new(MemoryStore::new());
    let manager = SessionManager::new(store.clone(), SessionConfig::default());
    manager.drain().await;
    assert_eq!(reason(manager.health().await), Some(SessionErrorKind::ShuttingDown));
    assert_eq!(store.take().total(), 0);
    let session = manager.open();
    session.auth().login("ada").await.unwrap();
    assert!(manager.close(&session, 200).await.rejection.is_none());
}
