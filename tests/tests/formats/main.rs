//! Cookies of other systems: their own packages read what SessionKit writes, and SessionKit what they write.

mod django;
mod fastapi_sessions;
mod fernet;
mod flask;
mod itsdangerous;
mod jwt;
mod muffin;
mod signed_json;
mod starlette;
mod whole_sessions;

use std::time::Duration;

use serde_json::{Map, Value, json};
use sessionkit::Timestamp;
use sessionkit::formats::{CookieContent, CookieFormat, InvalidCookie, Secrets};

use sessionkit_tests::peers::ask_python;

const NOW: Timestamp = Timestamp::from_unix_seconds(1_700_000_000);
/// Of 32 characters, which is the one length that Muffin's Fernet takes of a new secret.
const SECRET: &str = "3dBz3wXVEFmPe7Yxkzr8BqkeoYTKqCpO";
const OTHER: &str = "p0m2sC9YVXL4hR7dQfT1nWzKbE8uJgA5";

fn secrets<const N: usize>(secrets: [&str; N]) -> Secrets {
    Secrets::new(secrets).unwrap()
}

fn later(seconds: u64) -> Timestamp {
    NOW.saturating_add(Duration::from_secs(seconds))
}

/// Values that no compression makes shorter, which each program has a way of its own to do.
fn short_values() -> Value {
    json!({"id": 7, "n\u{e9}": [1.5, "\u{1f600}"]})
}

/// Values of each kind.
fn values() -> Value {
    json!({"user_id": 123, "name": "Ána \u{1f600}\n\"\u{7f}/", "price": 9.99, "cart": [{"id": "a", "n": -1}, null, true, []]})
}

/// Values that are shorter when they are compressed, with numbers at the ends of their types.
fn long_values() -> Value {
    let numbers = json!([u64::MAX, i64::MIN, 0.1 + 0.2, 1e16, 5e-324, f64::MAX, 0.0, 1.0]);
    json!({"a": "abc".repeat(200), "numbers": numbers, "nested": {"b": {"c": {"d": [[[["e"]]]]}}}, "": "no key"})
}

fn content(values: &Value) -> CookieContent {
    CookieContent::new(object(values))
}

fn object(values: &Value) -> Map<String, Value> {
    values.as_object().unwrap().clone()
}

/// A system in Python, with what its functions take besides.
#[derive(Clone)]
struct Peer {
    system: &'static str,
    settings: Value,
}

impl Peer {
    fn new(system: &'static str, settings: Value) -> Self {
        Self { system, settings }
    }

    fn ask(&self, action: &str, now: Timestamp, given: Value) -> Value {
        let mut request = object(&self.settings);
        request.extend(object(&given));
        ask_python(self.system, action, now, request)
    }

    fn write(&self, values: &Value, now: Timestamp) -> String {
        let cookie = self.ask("write", now, json!({"values": values}));
        // Ravyn puts quotes around it, which go when a header is parsed.
        cookie.as_str().unwrap().trim_matches('"').to_owned()
    }

    /// Returns the values that an application sees, which are none if the cookie is not valid.
    fn read(&self, cookie: &str, now: Timestamp) -> Value {
        self.ask("read", now, json!({"cookie": cookie}))
    }

    /// Checks that each reads what the other writes.
    fn shares_sessions_with(&self, format: &impl CookieFormat) {
        for values in [values(), long_values()] {
            let theirs = self.write(&values, NOW);
            let read = format.read(&theirs, NOW).unwrap_or_else(|_| panic!("{}: {theirs}", self.system));
            assert_eq!(Value::Object(read.values.clone()), values, "{} wrote", self.system);
            // What was read is written again, as a request does that changes nothing else.
            let ours = format.write(&CookieContent::new(read.values), NOW).unwrap();
            assert_eq!(self.read(&ours, NOW), values, "{} read", self.system);
        }
    }

    /// Checks that both stop at the same second to read a cookie.
    fn ends_with(&self, format: &impl CookieFormat, last: u64) {
        let (ours, theirs) = (format.write(&content(&values()), NOW).unwrap(), self.write(&values(), NOW));
        assert_eq!(self.read(&ours, later(last)), values(), "{}", self.system);
        assert!(format.read(&theirs, later(last)).is_ok(), "{}", self.system);
        assert_eq!(self.read(&ours, later(last + 1)), json!({}), "{}", self.system);
        assert_eq!(format.read(&theirs, later(last + 1)), Err(InvalidCookie), "{}", self.system);
    }

    /// Checks that neither reads a cookie of another secret. `stranger` has that one.
    fn refuses(&self, format: &impl CookieFormat, stranger: &Self) {
        let ours = format.write(&content(&values()), NOW).unwrap();
        assert_eq!(stranger.read(&ours, NOW), json!({}), "{}", self.system);
        assert_eq!(format.read(&stranger.write(&values(), NOW), NOW), Err(InvalidCookie), "{}", self.system);
    }
}
