//! Ids in the cookies of fastapi-sessions.

use serde_json::{Value, json};
use sessionkit::formats::{FastapiSessionsId, InvalidCookie};

use crate::{NOW, OTHER, Peer, SECRET, later, secrets};

const ID: &str = "3f2b8c1e111142228333444455556666";

fn peer(secret: &str, name: &str) -> Peer {
    Peer::new("fastapi-sessions", json!({"secret": secret, "name": name}))
}

#[test]
fn row_16_fastapi_sessions_and_sessionkit_read_the_ids_of_each_other() {
    let format = FastapiSessionsId::new(secrets([SECRET]), "cookie");
    // Of the second one the cookie is compressed.
    for id in [ID, "00000000000040008000000000000000"] {
        let theirs = peer(SECRET, "cookie").ask("write", NOW, json!({"id": id}));
        assert_eq!(format.read_id(theirs.as_str().unwrap(), NOW).as_deref(), Ok(id));
        let ours = format.write_id(id, NOW).unwrap();
        let read = |peer: Peer, now| peer.ask("read", now, json!({"cookie": ours}));
        assert_eq!(read(peer(SECRET, "cookie"), NOW), id);
        assert_eq!(read(peer(SECRET, "other"), NOW), Value::Null);
        assert_eq!(read(peer(OTHER, "cookie"), NOW), Value::Null);
        assert_eq!(read(peer(SECRET, "cookie"), later(14 * 86_400)), id);
        assert_eq!(read(peer(SECRET, "cookie"), later(14 * 86_400 + 1)), Value::Null);
    }
    let ours = format.write_id(ID, NOW).unwrap();
    assert_eq!(peer(SECRET, "cookie").ask("write", NOW, json!({"id": ID})), ours);
    for (secret, name) in [(OTHER, "cookie"), (SECRET, "other")] {
        let theirs = peer(secret, name).ask("write", NOW, json!({"id": ID}));
        assert_eq!(format.read_id(theirs.as_str().unwrap(), NOW), Err(InvalidCookie), "{name}");
    }
}
