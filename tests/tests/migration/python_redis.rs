//! SessionKit for FastAPI, and sessions that an application in Python keeps in Redis by hand.

use serde_json::{Value, json};
use sessionkit::migration::ForeignErrorKind::{Ended, Invalid};
use sessionkit::migration::{ForeignSessions as _, IdInCookie};

use crate::{ask, ask_cookie, kind, new_session, now, object, records, url, values};

async fn shares_sessions(sessions: &IdInCookie<impl sessionkit::migration::ForeignRecords>, prefix: &str) {
    let cookie = ask_cookie("redis", "write", json!({"url": url(), "prefix": prefix, "values": values()}));
    let session = sessions.open(&cookie, now()).await.unwrap();
    assert_eq!(Value::Object(session.values.clone()), values());
    assert_eq!(kind(sessions.open(&cookie.to_uppercase(), now()).await), Invalid);

    let ours = sessions.write(&new_session(), now()).await.unwrap();
    let read = |cookie: &str| ask("redis", "read", json!({"url": url(), "prefix": prefix, "cookie": cookie}));
    assert_eq!(read(&ours), values());
    let mut changed = session.clone();
    changed.values.insert("more".to_owned(), json!("\u{e9}"));
    assert_eq!(sessions.write(&changed, now()).await.unwrap(), cookie);
    assert_eq!(object(&read(&cookie)), changed.values);

    sessions.end(&session).await.unwrap();
    assert_eq!(read(&cookie), Value::Null);
    assert_eq!(kind(sessions.open(&cookie, now()).await), Ended);
}

#[tokio::test]
async fn row_01_sessions_of_sessionkit_for_fastapi() {
    shares_sessions(&IdInCookie::sessionkit_for_fastapi(records().await), "sessions:").await;
}

#[tokio::test]
async fn row_02_sessions_that_lie_in_redis_by_hand() {
    shares_sessions(&IdInCookie::by_hand(records().await), "session:").await;
}

/// What lies there and is of another type of Redis is refused, and is no store that fails.
#[tokio::test]
async fn row_02_a_list_is_no_session() {
    let id = "3f2b8c1e-1111-4222-8333-00000000115f";
    let sessions = IdInCookie::by_hand(records().await);
    let pushed: i64 = redis::cmd("RPUSH")
        .arg(format!("session:{id}"))
        .arg("a")
        .query_async(&mut crate::connection().await)
        .await
        .unwrap();
    assert!(pushed > 0);
    assert_eq!(kind(sessions.open(id, now()).await), sessionkit::migration::ForeignErrorKind::Unreadable);
}
