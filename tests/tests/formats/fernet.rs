//! Fernet tokens of the package cryptography, and the ids of fastapi_session in them.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::json;
use sessionkit::formats::{CookieFormat as _, FastapiSessionId, Fernet, InvalidCookie};

use crate::{NOW, OTHER, Peer, SECRET, content, later, secrets, values};

fn key(secret: &str) -> String {
    URL_SAFE.encode(secret)
}

fn cryptography(keys: &[&str]) -> Peer {
    let keys: Vec<String> = keys.iter().copied().map(key).collect();
    Peer::new("fernet", json!({"keys": keys}))
}

#[test]
fn row_12_cryptography_and_sessionkit_share_tokens() {
    let format = Fernet::new([key(SECRET)]).unwrap();
    cryptography(&[SECRET]).shares_sessions_with(&format);
    cryptography(&[SECRET]).refuses(&format, &cryptography(&[OTHER]));
    let short = Peer::new("fernet", json!({"keys": [key(SECRET)], "ttl": 60}));
    let cookie = format.write(&content(&values()), NOW).unwrap();
    let read = |now| short.ask("read", now, json!({"cookie": cookie}));
    assert_eq!((read(later(60)), read(later(61))), (values(), json!({})));
    let format = format.max_age(Duration::from_secs(60));
    let theirs = cryptography(&[SECRET]).write(&values(), NOW);
    assert!(format.read(&theirs, later(60)).is_ok());
    assert_eq!(format.read(&theirs, later(61)), Err(InvalidCookie));
}

#[test]
fn row_12_keys_are_replaced_as_with_multifernet() {
    let rotated = Fernet::new([key(OTHER), key(SECRET)]).unwrap();
    assert!(rotated.read(&cryptography(&[SECRET]).write(&values(), NOW), NOW).is_ok());
    let written = rotated.write(&content(&values()), NOW).unwrap();
    assert_eq!(cryptography(&[OTHER]).read(&written, NOW), values());
    assert_eq!(cryptography(&[SECRET, OTHER]).read(&written, NOW), values());
}

#[test]
fn row_12_fastapi_session_and_sessionkit_read_the_ids_of_each_other() {
    let peer = Peer::new("fastapi-session", json!({"secret": SECRET}));
    let format = FastapiSessionId::new(secrets([SECRET]));
    let theirs = peer.ask("write_id", NOW, json!({"id": "session-1"}));
    assert_eq!(format.read_id(theirs.as_str().unwrap(), NOW).as_deref(), Ok("session-1"));
    let ours = format.write_id("session-1", NOW).unwrap();
    assert_eq!(peer.ask("read_id", NOW, json!({"cookie": ours})), "session-1");
    assert!(FastapiSessionId::new(secrets([OTHER])).read_id(&ours, NOW).is_err());
}
