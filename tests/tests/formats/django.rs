//! Sessions of Django.

use std::time::Duration;

use serde_json::{Value, json};
use sessionkit::formats::{CookieFormat as _, Django, DjangoSessionData, InvalidCookie};

use crate::{NOW, OTHER, Peer, SECRET, content, later, long_values, object, secrets, short_values, values};

fn django<const N: usize>(secrets: [&str; N]) -> Peer {
    Peer::new("django", json!({"secrets": secrets.to_vec()}))
}

fn format() -> Django {
    Django::new(secrets([SECRET]))
}

#[test]
fn django_and_sessionkit_share_sessions_in_cookies() {
    django([SECRET]).shares_sessions_with(&format());
    django([SECRET]).ends_with(&format(), 14 * 86_400);
    django([SECRET]).refuses(&format(), &django([OTHER]));
}

#[test]
fn django_writes_the_same_bytes() {
    let ours = format().write(&content(&short_values()), NOW).unwrap();
    assert_eq!(ours, django([SECRET]).write(&short_values(), NOW));
}

#[test]
fn the_secret_of_django_is_replaced_on_both_sides() {
    let new = Django::new(secrets([OTHER, SECRET]));
    assert_eq!(django([OTHER, SECRET]).read(&format().write(&content(&values()), NOW).unwrap(), NOW), values());
    assert!(new.read(&django([SECRET]).write(&values(), NOW), NOW).is_ok());
    assert_eq!(django([OTHER]).read(&new.write(&content(&values()), NOW).unwrap(), NOW), values());
}

/// Django does not look.
#[test]
fn the_clock_of_django_may_be_ahead_a_little() {
    let cookie = django([SECRET]).write(&values(), later(10));
    assert!(format().read(&cookie, NOW).is_ok());
    assert_eq!(format().read(&cookie, NOW.saturating_sub(Duration::from_secs(1))), Err(InvalidCookie));
    assert_eq!(django([SECRET]).read(&cookie, NOW.saturating_sub(Duration::from_secs(1))), values());
}

#[test]
fn django_and_sessionkit_share_sessions_in_a_database() {
    let (peer, format) = (django([SECRET]), DjangoSessionData::new(secrets([SECRET])));
    for values in [values(), long_values()] {
        let theirs = peer.ask("encode", NOW, json!({"values": values}));
        let read = format.read(theirs.as_str().unwrap()).unwrap();
        assert_eq!(Value::Object(read), values);
        let ours = format.write(&object(&values), NOW).unwrap();
        assert_eq!(peer.ask("decode", later(1_000_000_000), json!({"cookie": ours})), values);
    }
    // They are no cookies, and cookies are not they.
    let stored = format.write(&object(&values()), NOW).unwrap();
    assert_eq!(self::format().read(&stored, NOW), Err(InvalidCookie));
    let cookie = peer.write(&values(), NOW);
    assert_eq!(format.read(&cookie), Err(InvalidCookie));
}
