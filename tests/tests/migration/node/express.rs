//! express-session over connect-redis, in an application of Express.

use std::sync::atomic::{AtomicU32, Ordering};

use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use sessionkit::Timestamp;
use sessionkit::formats::Secrets;
use sessionkit::migration::{
    ExpressSessions, ForeignCookie, ForeignErrorKind, ForeignSession, ForeignSessions as _, RedisRecords,
};
use sessionkit_tests::peers::ask_node;
use sessionkit_tests::servers::redis::RedisServer;

use crate::node::{NOW, OTHER, SECRET, later, object, open, refused, values, with};

type Sessions = ExpressSessions<RedisRecords<MultiplexedConnection>>;

/// An application of Express, and its sessions for SessionKit, in the same Redis.
struct Application {
    redis: &'static RedisServer,
    settings: Value,
    sessions: Sessions,
    prefix: String,
}

impl Application {
    /// Makes one whose keys are its own, with settings of `express-session`.
    async fn new(settings: Value) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let redis = RedisServer::shared();
        let prefix = format!("app{}:", COUNT.fetch_add(1, Ordering::Relaxed));
        let client = redis::Client::open(redis.url()).unwrap();
        let records = RedisRecords::new(client.get_multiplexed_async_connection().await.unwrap());
        let sessions = ExpressSessions::new(Secrets::new([SECRET]).unwrap(), records).prefix(prefix.clone());
        let ours = json!({"redis": redis.url(), "store": {"prefix": prefix}, "secret": SECRET});
        Self { redis, settings: with(&ours, &settings), sessions, prefix }
    }

    /// Sends a request; returns its whole answer.
    fn ask(&self, cookie: Option<&str>, now: Timestamp, given: &Value) -> Value {
        let mut request = object(&with(&self.settings, given));
        if let Some(cookie) = cookie {
            request.insert("cookies".to_owned(), json!({"connect.sid": cookie}));
        }
        ask_node("express", "visit", now, request)
    }

    /// Begins a session there, and returns its cookie.
    fn begin(&self, values: &Value) -> String {
        self.ask(None, NOW, &json!({"set": values}))["cookies"]["connect.sid"].as_str().unwrap().to_owned()
    }

    /// Returns the values that the application sees.
    fn seen(&self, cookie: &str, now: Timestamp) -> Value {
        self.ask(Some(cookie), now, &json!({}))["seen"].take()
    }

    fn key(&self, id: &str) -> String {
        format!("{}{id}", self.prefix)
    }

    fn ttl(&self, id: &str) -> u64 {
        self.redis.cli(&["TTL", &self.key(id)]).parse().unwrap()
    }

    fn record(&self, id: &str) -> Value {
        serde_json::from_str(&self.redis.cli(&["GET", &self.key(id)])).unwrap()
    }
}

/// The attributes that most applications set, with an end after an hour.
fn an_hour() -> Value {
    json!({"cookie": {"maxAge": 3_600_000, "sameSite": "lax", "domain": "shop.example"}})
}

#[tokio::test]
async fn row_16_express_and_sessionkit_share_sessions() {
    for (settings, end) in [(json!({}), None), (an_hour(), Some(later(3600)))] {
        let application = Application::new(settings).await;
        let cookie = application.begin(&values());
        let mut session = open(&application.sessions, &cookie, NOW).await;
        assert_eq!(Value::Object(session.values.clone()), values());
        assert_eq!(session.expires_at, end);
        let before = application.record(session.id());

        session.values.insert("cart".to_owned(), json!(["tea"]));
        session.values.remove("large");
        assert_eq!(application.sessions.write(&session, NOW).await.unwrap(), cookie);
        let after = application.record(session.id());
        assert_eq!(after["cookie"], before["cookie"]);
        assert_eq!(application.seen(&cookie, NOW), Value::Object(session.values.clone()));

        application.ask(Some(&cookie), NOW, &json!({"set": {"user_id": 7}, "remove": ["name"]}));
        let read = open(&application.sessions, &cookie, NOW).await;
        assert_eq!((read.values.get("user_id"), read.values.get("name")), (Some(&json!(7)), None));
        assert_eq!(read.values["cart"], json!(["tea"]));
    }
}

#[tokio::test]
async fn row_16_the_time_to_live_is_that_of_connect_redis() {
    for (settings, ttl) in [(json!({}), 86_400), (an_hour(), 3600)] {
        let application = Application::new(settings).await;
        let session = open(&application.sessions, &application.begin(&values()), NOW).await;
        let theirs = application.ttl(session.id());
        application.redis.cli(&["PERSIST", &application.key(session.id())]);
        application.sessions.write(&session, NOW).await.unwrap();
        let ours = application.ttl(session.id());
        for seconds in [theirs, ours] {
            // The seconds that pass between the two calls are Redis'.
            assert!((ttl - 60..=ttl).contains(&seconds), "{seconds}");
        }
    }
}

#[tokio::test]
async fn row_16_express_takes_a_session_that_sessionkit_begins() {
    let application = Application::new(an_hour()).await;
    let cookie = ForeignCookie::new("connect.sid").domain("shop.example").secure(false);
    let sessions = application.sessions.clone().cookie(cookie);
    let mut session = ForeignSession::new("", object(&values()));
    session.expires_at = Some(later(3600));
    let cookie = sessions.write(&session, NOW).await.unwrap();
    assert_eq!(application.seen(&cookie, NOW), values());
    let (ours, theirs) = (open(&sessions, &cookie, NOW).await, application.begin(&values()));
    let theirs = open(&sessions, &theirs, NOW).await;
    assert_eq!(ours.id().len(), theirs.id().len());
    // Ours says what theirs does, and that it is not `Secure`.
    assert_eq!(ours.keepsake(), Some(&with(theirs.keepsake().unwrap(), &json!({"secure": false}))));

    // A change there keeps it, and sets the cookie as its attributes say.
    let answer = application.ask(Some(&cookie), NOW, &json!({"set": {"n": 1}}));
    assert_eq!(answer["cookies"]["connect.sid"], cookie);
    assert_eq!(open(&sessions, &cookie, NOW).await.values["n"], 1);
}

#[tokio::test]
async fn a_logout_on_one_side_ends_the_session_on_the_other() {
    let application = Application::new(an_hour()).await;
    let cookie = application.begin(&values());
    let session = open(&application.sessions, &cookie, NOW).await;
    application.sessions.end(&session).await.unwrap();
    assert_eq!(application.seen(&cookie, NOW), json!({}));
    let cookie = application.begin(&values());
    application.ask(Some(&cookie), NOW, &json!({"destroy": true}));
    assert_eq!(refused(&application.sessions, &cookie, NOW).await, ForeignErrorKind::Ended);
}

#[tokio::test]
async fn row_19_the_secret_of_express_is_replaced() {
    let application = Application::new(json!({"secret": [OTHER, SECRET]})).await;
    let client = redis::Client::open(application.redis.url()).unwrap();
    let records = RedisRecords::new(client.get_multiplexed_async_connection().await.unwrap());
    let newer =
        ExpressSessions::new(Secrets::new([OTHER, SECRET]).unwrap(), records).prefix(application.prefix.clone());
    // Theirs is of the newer secret, which the older application does not have.
    let theirs = application.begin(&values());
    assert_eq!(refused(&application.sessions, &theirs, NOW).await, ForeignErrorKind::Invalid);
    let session = open(&newer, &theirs, NOW).await;
    assert_eq!(newer.write(&session, NOW).await.unwrap(), theirs);
    let older = application.sessions.write(&session, NOW).await.unwrap();
    assert_eq!(open(&newer, &older, NOW).await.id(), session.id());
    assert_eq!(application.seen(&older, NOW), values());
    let stranger = Application::new(json!({"secret": OTHER, "store": {"prefix": application.prefix}})).await;
    assert_eq!(stranger.seen(&older, NOW), json!({}));
}

/// The record of a session that is used and not changed says that it ended long ago, for it is not written again.
#[tokio::test]
async fn a_session_of_a_rolling_application_is_not_lost() {
    let application = Application::new(with(&an_hour(), &json!({"rolling": true}))).await;
    let cookie = application.begin(&values());
    for minutes in [50, 100, 150] {
        assert_eq!(application.seen(&cookie, later(minutes * 60)), values());
    }
    let now = later(160 * 60);
    assert_eq!(refused(&application.sessions, &cookie, now).await, ForeignErrorKind::Ended);
    let rolling = application.sessions.clone().rolling(true);
    let session = open(&rolling, &cookie, now).await;
    assert_eq!(session.expires_at, Some(now.saturating_add(std::time::Duration::from_secs(3600))));
    assert_eq!(application.record(session.id())["cookie"]["expires"], "2023-11-14T23:13:20.000Z");
    rolling.write(&session, now).await.unwrap();
    assert_eq!(application.record(session.id())["cookie"]["expires"], "2023-11-15T01:53:20.000Z");
    assert_eq!(application.seen(&cookie, now), values());
}

#[tokio::test]
async fn express_would_lose_what_is_not_written() {
    let application = Application::new(json!({})).await;
    let cookie = application.begin(&values());
    let session = open(&application.sessions, &cookie, NOW).await;
    let key = application.key(session.id());
    for lost in ["id", "req", "save", "touch", "toString", "valueOf", "__proto__", "constructor", "__defineSetter__"] {
        let mut session = session.clone();
        session.values.insert(lost.to_owned(), json!("lost"));
        assert_eq!(
            application.sessions.write(&session, NOW).await.unwrap_err().kind(),
            ForeignErrorKind::Unsupported,
            "{lost}"
        );
        let record = json!({"cookie": {"originalMaxAge": null, "expires": null}, lost: "lost"}).to_string();
        application.redis.cli(&["SET", &key, &record]);
        assert_eq!(application.seen(&cookie, NOW), json!({}), "{lost}");
    }
}

#[tokio::test]
async fn a_hostile_record_is_unreadable_and_stays() {
    let application = Application::new(json!({})).await;
    let cookie = application.begin(&values());
    let session = open(&application.sessions, &cookie, NOW).await;
    let key = application.key(session.id());
    let huge = "a".repeat(100_000);
    for record in ["[]", "no JSON", r#"{"user":1}"#, r#"{"cookie":{},"__proto__":{"admin":true}}"#] {
        application.redis.cli(&["SET", &key, record]);
        assert_eq!(refused(&application.sessions, &cookie, NOW).await, ForeignErrorKind::Unreadable, "{record}");
        assert_eq!(application.redis.cli(&["GET", &key]), record);
    }
    application.redis.cli(&["SET", &key, "{"]);
    for _ in 0..10 {
        application.redis.cli(&["APPEND", &key, &huge]);
    }
    assert_eq!(refused(&application.sessions, &cookie, NOW).await, ForeignErrorKind::Unreadable);
    application.redis.cli(&["DEL", &key]);
    application.redis.cli(&["HSET", &key, "user", "ana"]);
    assert_eq!(refused(&application.sessions, &cookie, NOW).await, ForeignErrorKind::Unreadable);
}
