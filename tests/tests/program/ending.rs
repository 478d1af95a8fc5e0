//! Ending sessions: as an application does it, and no others than those that are meant.

use std::time::Duration;

use serde_json::json;
use sessionkit::store::{EntryKey, SessionList, Store as _};
use sessionkit::testing::TestSession;
use sessionkit::{SessionConfig, SessionErrorKind, SessionId, SessionManager};
use sessionkit_tests::harness::{Gates, HeldStore};
use sessionkit_tests::servers::postgres::PostgresServer;
use sessionkit_tests::servers::redis::RedisServer;

use crate::support::{Office, Place, id, log_in, visit};

/// The sessions that the list of a user names as alive.
async fn on_the_list(place: &Place, user: &str) -> Vec<SessionId> {
    let entry = place.store.load(&EntryKey::session_list("Main", user)).await.unwrap().expect("there is a list");
    let list = SessionList::from_bytes(entry.bytes()).unwrap();
    list.sessions().iter().filter(|listed| !listed.is_ended).map(|listed| listed.id).collect()
}

#[tokio::test]
async fn a_session_ends_and_leaves_the_list_of_its_user() {
    for place in Place::all().await {
        let manager = place.manager();
        let ((ended, ended_id), (stays, stays_id)) = (log_in(&manager, "ada").await, log_in(&manager, "ada").await);
        let answer = place.json(&["end", &ended_id.to_string()]);
        assert_eq!(answer, json!({ "ended": 1, "sessions": [ended_id.to_string()] }));
        assert!(ended.is_over().await && !stays.is_over().await, "{}", place.url);
        assert_eq!(on_the_list(&place, "ada").await, [stays_id]);
        let again = place.run(&["end", &ended_id.to_string()]);
        assert_eq!((again.code, again.shown.as_str()), (Some(1), ""), "{}", again.error);
    }
}

#[tokio::test]
async fn a_session_of_a_visitor_or_of_another_scope_ends_too() {
    for place in Place::all().await {
        let (visitor, visitor_id) = visit(&place.manager()).await;
        let office = TestSession::new(&place.manager_of::<Office>()).login("bob").await;
        for id in [visitor_id, id(&office).await] {
            let text = place.run(&["end", &id.to_string()]);
            assert_eq!((text.code, text.shown), (Some(0), format!("ended 1 session\n{id}\n")), "{}", text.error);
        }
        assert!(visitor.is_over().await && office.is_over().await);
    }
}

#[tokio::test]
async fn all_sessions_of_a_user_end_those_without_a_list_too() {
    for place in Place::all().await {
        let (before, before_id) = log_in(&place.manager_without_lists(), "ada").await;
        let manager = place.manager();
        let (listed, listed_id) = log_in(&manager, "ada").await;
        let (bob, _) = log_in(&manager, "bob").await;
        let office = TestSession::new(&place.manager_of::<Office>()).login("ada").await;
        let answer = place.json(&["end-user", "ada"]);
        assert_eq!(answer, json!({ "ended": 2, "sessions": [listed_id.to_string(), before_id.to_string()] }));
        assert!(before.is_over().await && listed.is_over().await);
        assert!(!bob.is_over().await && !office.is_over().await, "{}", place.url);
        let text = place.run(&["end-user", "ada", "--scope", "Office"]);
        assert!(text.shown.starts_with("ended 1 session\n"), "{}", text.shown);
        assert!(office.is_over().await);
        // There is nobody to end any more, and that is what was asked for.
        assert_eq!(place.json(&["end-user", "ada"]), json!({ "ended": 0, "sessions": [] }));
    }
}

#[tokio::test]
async fn everyone_is_ended_only_if_that_is_meant() {
    for place in Place::all().await {
        let manager = place.manager();
        let ((ada, _), (visitor, _)) = (log_in(&manager, "ada").await, visit(&manager).await);
        let (bob, _) = log_in(&place.manager_without_lists(), "bob").await;
        let office = TestSession::new(&place.manager_of::<Office>()).login("eve").await;
        let refused = place.run(&["end-everyone"]);
        assert_eq!((refused.code, refused.shown.as_str()), (Some(2), ""));
        assert!(refused.error.contains("--yes"), "{}", refused.error);
        assert!(!ada.is_over().await);
        assert_eq!(place.json(&["end-everyone", "--yes"]), json!({ "ended": 2 }));
        assert!(ada.is_over().await && bob.is_over().await);
        assert!(!visitor.is_over().await && !office.is_over().await, "{}", place.url);
        let text = place.run(&["end-everyone", "--yes", "--scope=Office"]);
        assert_eq!((text.code, text.shown.as_str()), (Some(0), "ended 1 session\n"));
        assert!(office.is_over().await && !visitor.is_over().await);
    }
}

/// [P9] Its credentials were verified before the user's sessions ended.
#[tokio::test]
async fn a_login_that_races_the_end_of_its_user_fails() {
    for place in Place::all().await {
        // The program may have to be built meanwhile.
        let (gates, hour) = (Gates::default(), Duration::from_secs(60 * 60));
        let held = HeldStore::new(place.store.clone(), &gates);
        let config = SessionConfig::builder().track_devices(true).load_deadline(hour).commit_deadline(hour);
        let manager = SessionManager::new(held.clone(), config.build().unwrap());
        held.hold("before insert");
        let login = tokio::spawn(async move { manager.open().auth().login("ada").await });
        gates.arrived("before insert", 1).await;
        assert_eq!(place.json(&["end-user", "ada"])["ended"], 0);
        gates.open("before insert", 1);
        let error = login.await.unwrap().expect_err("[P9]");
        assert_eq!((error.kind(), error.status()), (SessionErrorKind::LoginRevoked, 409));
    }
}

#[tokio::test]
async fn a_page_on_redis_that_waits_for_the_end_of_its_session_learns_it() {
    let place = Place::redis().await;
    let channel = format!("{}:@ended", place.name());
    a_page_learns_it(&place, || RedisServer::shared().cli(&["PUBSUB", "NUMSUB", &channel]) == format!("{channel}\n1"))
        .await;
}

#[tokio::test]
async fn a_page_on_postgres_that_waits_for_the_end_of_its_session_learns_it() {
    let place = Place::postgres().await;
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN \"{}_ended\"'", place.name());
    a_page_learns_it(&place, || PostgresServer::shared().sql(&sql).trim() == "1").await;
}

async fn a_page_learns_it(place: &Place, listens: impl Fn() -> bool) {
    // So long that it does not learn of it by looking.
    let never = Duration::from_secs(100 * 60 * 60);
    let config = SessionConfig::builder().track_devices(true).watch_interval(never).build().unwrap();
    let manager = SessionManager::new(place.store.clone(), config);
    let mut waiting = Vec::new();
    for user in ["ada", "bob", "eve"] {
        let session = manager.open();
        session.auth().login(user).await.unwrap();
        let id = session.auth().info().await.unwrap().expect("it has just begun").id.to_string();
        let handle = session.handle().await.unwrap();
        assert!(manager.close(&session, 200).await.rejection.is_none());
        waiting.push((id, tokio::spawn(async move { handle.ended().await.unwrap() })));
    }
    while !listens() {
        tokio::task::yield_now().await;
    }
    let mut waiting = waiting.into_iter();
    for command in [&["end"][..], &["end-user", "bob"], &["end-everyone", "--yes"]] {
        let (id, ended) = waiting.next().unwrap();
        assert!(!ended.is_finished());
        let command = if command == ["end"] { vec!["end", &*id] } else { command.to_vec() };
        let output = place.run(&command);
        assert_eq!(output.code, Some(0), "{command:?}: {}", output.error);
        tokio::time::timeout(Duration::from_secs(60), ended).await.expect("it is told").unwrap();
    }
}
