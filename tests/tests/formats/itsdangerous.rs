//! Signatures of the package itself.

use std::time::Duration;

use serde_json::{Value, json};
use sessionkit::formats::{InvalidCookie, TimestampSigner};

use crate::{NOW, OTHER, Peer, SECRET, later, secrets};

const MAX_AGE: Duration = Duration::from_secs(60);

#[test]
fn itsdangerous_signs_the_same_bytes() {
    for (derivation, signer) in [
        ("django-concat", TimestampSigner::new(secrets([SECRET, OTHER]), "a salt")),
        ("hmac", TimestampSigner::with_hmac_keys(secrets([SECRET, OTHER]), "a salt")),
    ] {
        let settings = json!({"secrets": [SECRET, OTHER], "salt": "a salt", "derivation": derivation});
        let peer = Peer::new("itsdangerous", settings);
        for now in [0, 1, 255, 256, 1_700_000_000, 4_294_967_296] {
            let now = sessionkit::Timestamp::from_unix_seconds(now);
            let theirs = peer.ask("write", now, json!({"value": "a.b"}));
            assert_eq!(theirs, signer.sign("a.b", now), "{derivation} {now}");
            assert_eq!(signer.unsign(theirs.as_str().unwrap(), MAX_AGE, now), Ok(("a.b", now)));
        }
        let signed = signer.sign("a.b", NOW);
        let theirs = |now| peer.ask("read", now, json!({"cookie": signed, "max_age": 60}));
        for (now, valid) in [(NOW, true), (later(60), true), (later(61), false), (NOW.saturating_sub(MAX_AGE), false)] {
            assert_eq!(theirs(now) == "a.b", valid, "{derivation} {now}");
            assert_eq!(signer.unsign(&signed, MAX_AGE, now).is_ok(), valid, "{derivation} {now}");
        }
        let altered = signed.replacen("a.b", "a.c", 1);
        assert_eq!(peer.ask("read", NOW, json!({"cookie": altered, "max_age": 60})), Value::Null);
        assert_eq!(signer.unsign(&altered, MAX_AGE, NOW), Err(InvalidCookie));
    }
}
