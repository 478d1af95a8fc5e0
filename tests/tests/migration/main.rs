//! Sessions of other systems: their own packages write what SessionKit takes over, and read what it writes.

mod end_to_end;
mod node;
mod python_django;
mod python_fastapi;
mod python_flask_session;
mod python_redis;
mod python_token_table;
mod rust_actix_session;
mod rust_tower_sessions;

use redis::aio::MultiplexedConnection;
use serde_json::{Map, Value, json};
use sessionkit::formats::Secrets;
use sessionkit::migration::{ForeignError, ForeignErrorKind, ForeignSession, RedisRecords};
use sessionkit::{Clock as _, SystemClock, Timestamp};
use sessionkit_tests::peers::ask_python;
use sessionkit_tests::servers::redis::RedisServer;

const SECRET: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpO";
const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";

/// Returns the time by the clock that the stores have too.
fn now() -> Timestamp {
    SystemClock.now()
}

fn secrets<const N: usize>(secrets: [&str; N]) -> Secrets {
    Secrets::new(secrets).unwrap()
}

/// Values of each kind.
fn values() -> Value {
    let (big, small) = (u64::MAX, i64::MIN);
    let cart = json!([{"id": "a"}, null, true, []]);
    json!({"user_id": 123, "name": "\u{c1}na \u{1f600}\n\"/", "price": 9.99, "big": big, "small": small, "cart": cart})
}

fn object(values: &Value) -> Map<String, Value> {
    values.as_object().unwrap().clone()
}

/// A session that was not written yet.
fn new_session() -> ForeignSession {
    ForeignSession::new("", object(&values()))
}

fn url() -> String {
    RedisServer::shared().url()
}

async fn connection() -> MultiplexedConnection {
    redis::Client::open(url()).unwrap().get_multiplexed_async_connection().await.unwrap()
}

async fn records() -> RedisRecords<MultiplexedConnection> {
    RedisRecords::new(connection().await)
}

fn kind(result: Result<ForeignSession, ForeignError>) -> ForeignErrorKind {
    result.expect_err("it is refused").kind()
}

/// Asks a system in Python.
fn ask(system: &str, action: &str, request: Value) -> Value {
    ask_python(system, action, now(), object(&request))
}

/// Asks one for the cookie that it sets.
fn ask_cookie(system: &str, action: &str, request: Value) -> String {
    ask(system, action, request).as_str().expect("it sets a cookie").to_owned()
}
