//! Sessions of other systems: their own packages read what SessionKit writes, and SessionKit what they write.

mod auth_js;
mod express;
mod iron_session;

use std::time::Duration;

use serde_json::{Map, Value};
use sessionkit::Timestamp;
use sessionkit::migration::{ForeignErrorKind, ForeignSession, ForeignSessions};

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
const SECRET: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpO";
const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";

fn later(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

fn object(values: &Value) -> Map<String, Value> {
    values.as_object().unwrap().clone()
}

/// Returns some values over others.
fn with(values: &Value, more: &Value) -> Value {
    let mut values = object(values);
    values.extend(object(more));
    values.into()
}

/// Values of each kind.
fn values() -> Value {
    serde_json::json!({
        "user_id": 123, "name": "Ána \u{1f600}\n\"\u{7f}/", "price": 9.99, "cart": [{"id": "a", "n": -1}, null, true, []],
        "": "no key", "large": 9_007_199_254_740_991_u64, "small": 5e-324,
    })
}

/// Opens a session that must be there.
async fn open(sessions: &impl ForeignSessions, cookie: &str, now: Timestamp) -> ForeignSession {
    let opened = sessions.open(cookie, now).await;
    opened.unwrap_or_else(|error| panic!("{}: {error}: {cookie}", sessions.system()))
}

/// Returns why a session is not opened.
async fn refused(sessions: &impl ForeignSessions, cookie: &str, now: Timestamp) -> ForeignErrorKind {
    sessions.open(cookie, now).await.expect_err(cookie).kind()
}
