//! Sessions of Starlette's middleware, and of Ravyn's.

use serde_json::json;
use sessionkit::formats::{CookieFormat as _, Starlette};

use crate::{NOW, OTHER, Peer, SECRET, content, secrets, values};

const DAY: u64 = 86_400;

fn starlette(secret: &str) -> Peer {
    Peer::new("starlette", json!({"secret": secret}))
}

fn ravyn(secret: &str) -> Peer {
    Peer::new("ravyn", json!({"secret": secret}))
}

#[test]
fn row_16_starlette_and_sessionkit_share_sessions() {
    starlette(SECRET).shares_sessions_with(&Starlette::new(secrets([SECRET])));
}

#[test]
fn row_16_starlette_writes_the_same_bytes() {
    let ours = Starlette::new(secrets([SECRET])).write(&content(&values()), NOW).unwrap();
    assert_eq!(ours, starlette(SECRET).write(&values(), NOW));
}

#[test]
fn row_16_a_session_of_starlette_ends_after_the_same_second() {
    starlette(SECRET).ends_with(&Starlette::new(secrets([SECRET])), 14 * DAY);
    let short = Peer::new("starlette", json!({"secret": SECRET, "max_age": 60}));
    short.ends_with(&Starlette::new(secrets([SECRET])).max_age(std::time::Duration::from_secs(60)), 60);
}

#[test]
fn row_16_no_session_of_starlette_with_another_secret_is_read() {
    starlette(SECRET).refuses(&Starlette::new(secrets([SECRET])), &starlette(OTHER));
}

#[test]
fn row_16_the_secret_of_starlette_is_replaced() {
    let format = Starlette::new(secrets([OTHER, SECRET]));
    assert!(format.read(&starlette(SECRET).write(&values(), NOW), NOW).is_ok());
    assert_eq!(starlette(OTHER).read(&format.write(&content(&values()), NOW).unwrap(), NOW), values());
}

#[test]
fn row_14_ravyn_and_sessionkit_share_sessions() {
    let format = Starlette::ravyn(secrets([SECRET]));
    ravyn(SECRET).shares_sessions_with(&format);
    ravyn(SECRET).ends_with(&format, 180 * DAY);
    ravyn(SECRET).refuses(&format, &ravyn(OTHER));
}
