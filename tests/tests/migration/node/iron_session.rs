//! iron-session, which keeps sessions in their cookies.

use std::time::Duration;

use serde_json::{Value, json};
use sessionkit::Timestamp;
use sessionkit::migration::{ForeignErrorKind, ForeignSession, ForeignSessions as _, IronSessions};
use sessionkit_tests::peers::ask_node;

use crate::node::{NOW, OTHER, SECRET, later, object, open, refused, values, with};

const NAME: &str = "shop";
const TTL: u64 = 14 * 86_400;

fn sessions() -> IronSessions {
    IronSessions::new(NAME, [(1, SECRET)]).unwrap()
}

/// Sends a request to an application with these settings, and returns its whole answer.
fn ask(settings: &Value, cookie: Option<&str>, now: Timestamp, given: &Value) -> Value {
    let ours = json!({"cookieName": NAME, "password": SECRET});
    let mut request = object(&with(&with(&ours, settings), given));
    if let Some(cookie) = cookie {
        request.insert("cookies".to_owned(), json!({NAME: cookie}));
    }
    ask_node("iron-session", "visit", now, request)
}

fn begin(settings: &Value) -> String {
    ask(settings, None, NOW, &json!({"set": values()}))["cookies"][NAME].as_str().unwrap().to_owned()
}

fn seen(settings: &Value, cookie: &str, now: Timestamp) -> Value {
    ask(settings, Some(cookie), now, &json!({}))["seen"].take()
}

#[tokio::test]
async fn iron_session_and_sessionkit_share_sessions() {
    let mut session = open(&sessions(), &begin(&json!({})), NOW).await;
    assert_eq!(Value::Object(session.values.clone()), values());
    session.values.insert("cart".to_owned(), json!(["tea"]));
    let ours = sessions().write(&session, NOW).await.unwrap();
    assert_eq!(seen(&json!({}), &ours, NOW), Value::Object(session.values.clone()));
    let answer = ask(&json!({}), Some(&ours), NOW, &json!({"set": {"user_id": 7}}));
    let read = open(&sessions(), answer["cookies"][NAME].as_str().unwrap(), NOW).await;
    assert_eq!((&read.values["user_id"], &read.values["cart"]), (&json!(7), &json!(["tea"])));
    let new = sessions().write(&ForeignSession::new("", object(&values())), NOW).await.unwrap();
    assert_eq!(seen(&json!({}), &new, NOW), values());
}

#[tokio::test]
async fn both_stop_at_the_same_second_to_read_a_session() {
    for (settings, ttl) in [(json!({}), TTL), (json!({"ttl": 120}), 120)] {
        let ours = sessions().ttl(Duration::from_secs(ttl));
        let written = ours.write(&ForeignSession::new("", object(&values())), NOW).await.unwrap();
        for cookie in [begin(&settings), written] {
            let last = later(ttl + 59);
            assert_eq!(seen(&settings, &cookie, last), values());
            assert_eq!(open(&ours, &cookie, last).await.expires_at, Some(later(ttl + 60)));
            assert_eq!(seen(&settings, &cookie, later(ttl + 60)), json!({}));
            assert_eq!(refused(&ours, &cookie, later(ttl + 60)).await, ForeignErrorKind::Invalid);
        }
    }
    let settings = json!({"ttl": 0});
    let ours = sessions().ttl(Duration::ZERO);
    let written = ours.write(&ForeignSession::new("", object(&values())), NOW).await.unwrap();
    for cookie in [begin(&settings), written] {
        assert_eq!(seen(&settings, &cookie, later(100 * TTL)), values());
        assert_eq!(open(&ours, &cookie, later(100 * TTL)).await.expires_at, None);
    }
}

#[tokio::test]
async fn row_19_the_password_of_iron_session_is_replaced() {
    let both = json!({"password": {"1": SECRET, "2": OTHER}});
    let newer = IronSessions::new(NAME, [(1, SECRET), (2, OTHER)]).unwrap();
    let session = open(&newer, &begin(&json!({})), NOW).await;
    let ours = newer.write(&session, NOW).await.unwrap();
    assert_eq!(seen(&both, &ours, NOW), values());
    assert_eq!(seen(&json!({}), &ours, NOW), json!({}));
    let theirs = begin(&both);
    assert!(newer.open(&theirs, NOW).await.is_ok());
    assert_eq!(refused(&sessions(), &theirs, NOW).await, ForeignErrorKind::Invalid);
    let stranger = begin(&json!({"password": OTHER}));
    assert_eq!(refused(&newer, &stranger, NOW).await, ForeignErrorKind::Invalid);
}

/// A session in several cookies has none of the name, and its parts are no sessions.
#[tokio::test]
async fn a_part_of_a_session_is_refused() {
    let answer = ask(&json!({"chunk": true}), None, NOW, &json!({"set": {"a": "a".repeat(5000)}}));
    let cookies = object(&answer["cookies"]);
    assert_eq!(cookies.keys().collect::<Vec<_>>(), ["shop.0", "shop.1"]);
    for part in cookies.values() {
        assert_eq!(refused(&sessions(), part.as_str().unwrap(), NOW).await, ForeignErrorKind::Invalid);
    }
    // Whoever puts the parts together has the session.
    let whole: String = cookies.values().map(|part| part.as_str().unwrap()).collect();
    assert_eq!(open(&sessions(), &whole, NOW).await.values["a"], "a".repeat(5000));
}
